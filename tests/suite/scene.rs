//! What most tests of real parts need: a cluster, a broker of their own, a syncer between them.

use crate::programs::{Background, PATIENCE, Said, Syncer, SyncerOptions, plugin, plugin_command};
use bed::{Bed, Broker, BrokerSetup, Cluster, User};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The heartbeat that the syncers ship with.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(2);

/// A broker of this test's own, and the clusters that serve on it.
pub(crate) struct Scene {
    pub bed: &'static Bed,
    pub broker: Broker,
    name: &'static str,
}

impl Scene {
    pub(crate) fn new(name: &'static str) -> Self {
        let bed = Bed::shared().unwrap();
        Self {
            bed,
            broker: bed.broker(&BrokerSetup::plain()).unwrap(),
            name,
        }
    }

    /// A cluster that all tests share: keep to a namespace.
    pub(crate) fn shared(&self) -> Arc<Cluster> {
        self.bed.cluster("cluster1").unwrap()
    }

    pub(crate) fn syncer(&self, cluster: &Cluster, more: &[&str]) -> Syncer {
        let kubeconfig = cluster.kubeconfig(User::Admin);
        Syncer::start(&self.options(cluster.name(), &kubeconfig, more))
    }

    pub(crate) fn options<'a>(
        &'a self,
        cluster: &'a str,
        kubeconfig: &'a PathBuf,
        more: &'a [&'a str],
    ) -> SyncerOptions<'a> {
        SyncerOptions {
            broker: self.broker.url(),
            cluster,
            kubeconfig,
            dir: self.bed.dir(),
            more,
        }
    }

    pub(crate) fn plugin(&self, words: &str) -> Said {
        plugin(self.broker.url(), &words.split(' ').collect::<Vec<_>>())
    }

    /// The plugin in the background, for `-w`.
    pub(crate) fn watch(&self, words: &str) -> Background {
        let log = self
            .bed
            .dir()
            .join(format!("{}-{:x}.log", self.name, rand_tag()));
        Background::start(
            plugin_command(self.broker.url(), &words.split(' ').collect::<Vec<_>>()),
            &log,
        )
    }

    /// Asks the plugin until its answer is as wanted; tells how long it took.
    pub(crate) fn until(&self, words: &str, wanted: impl Fn(&Said) -> bool) -> (Said, Duration) {
        let begin = Instant::now();
        loop {
            let said = self.plugin(words);
            if wanted(&said) {
                return (said, begin.elapsed());
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "`{words}` never became what it should: {said:?}"
            );
        }
    }
}

/// Tells files apart.
fn rand_tag() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The last line that a watch printed for each name, as (name, rest): what it shows now. Deletions are not shown by
/// `-w`.
pub(crate) fn last_rows(out: &str) -> std::collections::BTreeMap<String, String> {
    let rows = out.lines().filter(|line| !line.starts_with("NAME"));
    rows.filter_map(|line| line.split_once(char::is_whitespace))
        .map(|(name, rest)| {
            (
                name.to_owned(),
                rest.split_whitespace()
                    .take(3)
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        })
        .collect()
}
