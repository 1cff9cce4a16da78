//! A controlplane's presence: so that whoever knows the broker finds by which URL the fleet's history is read.
//!
//! It is a presence as any source's, under the controlplane's own name, with the role `controlplane` and the capability
//! `serve=URL`. Informers keep it apart from clusters. Several controlplanes under one name and URL are one: one
//! announces it, the others stand by. Another one under a name that is taken is refused, as a cluster would be.
//!
//! **Architecture invariant:** it serves no stream. Whoever asks it for objects is told where to ask.

use crate::link::memory::MemoryBroker;
use crate::link::{BrokerOptions, LastWill, mqtt};
use crate::protocol::message::{CONTROLPLANE, LogSelection, MAX_WORD, SERVES, Selection};
use crate::protocol::names::ClusterName;
use crate::protocol::topics::Topics;
use crate::replica::Settings;
use crate::source::{
    BoxFuture, Event, Health, Identity, Options, Refusal, Resolved, Source, SourceError, Upstream,
    UpstreamError,
};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, watch};

/// What is announced.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// The controlplane's own name, among the clusters' names.
    pub name: ClusterName,
    /// By which URL it is read from elsewhere.
    pub url: String,
    /// Leave the presence on the broker.
    pub retained: bool,
    /// Where to talk.
    pub topics: Topics,
}

impl Announcement {
    /// Checks what was typed as `--serve-url`.
    ///
    /// # Errors
    /// When no client could use it.
    pub fn check_url(url: &str) -> Result<()> {
        let parsed = url::Url::parse(url).with_context(|| format!("--serve-url {url}"))?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.host().is_none() {
            bail!("--serve-url {url}: write http://HOST[:PORT] or https://HOST[:PORT]");
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            bail!("--serve-url: everybody at the broker reads it; leave the password out");
        }
        if url.len() + SERVES.len() > MAX_WORD {
            bail!(
                "--serve-url is longer than {} bytes",
                MAX_WORD - SERVES.len()
            );
        }
        Ok(())
    }

    /// Announces until `shutdown` changes, then says goodbye. `broker`: a connection of its own, whose last will this
    /// is.
    ///
    /// # Errors
    /// When the connection cannot be made, or ends for good.
    pub async fn run(
        self,
        mut broker: BrokerOptions,
        shutdown: watch::Receiver<bool>,
    ) -> Result<()> {
        Self::check_url(&self.url)?;
        let source = self.source();
        let (topic, payload) = source.last_will();
        broker.last_will = Some(LastWill {
            topic,
            payload,
            retain: self.retained,
        });
        Ok(self.serve(source, mqtt::connect(broker)?, shutdown).await?)
    }

    fn source(&self) -> Source {
        Source::new(Options {
            cluster: self.name.clone(),
            role: CONTROLPLANE,
            labels: Vec::new(),
            retained: self.retained,
            topics: self.topics.clone(),
            settings: Settings::default(),
        })
        .with_capability(format!("{SERVES}{}", self.url))
    }

    async fn serve(
        self,
        source: Source,
        control: crate::link::Connection,
        shutdown: watch::Receiver<bool>,
    ) -> Result<(), SourceError> {
        // There are never pages to send: what would carry them leads nowhere.
        let bulk = MemoryBroker::new().connect("bulk", "-", None);
        let upstream = Arc::new(Elsewhere { url: self.url });
        let (health, _) = watch::channel(Health::default());
        source.run(control, bulk, upstream, health, shutdown).await
    }
}

/// It has no objects of its own.
struct Elsewhere {
    url: String,
}

impl Elsewhere {
    fn refusal(&self) -> UpstreamError {
        UpstreamError::Refused(Refusal {
            code: 405,
            reason: "MethodNotAllowed".into(),
            message: format!(
                "this is a controlplane, not a cluster: it is read at {} (`kubectl mqinformer search`)",
                self.url
            ),
        })
    }
}

impl Upstream for Elsewhere {
    fn resolve<'a>(&'a self, _: &'a Selection) -> BoxFuture<'a, Result<Resolved, UpstreamError>> {
        Box::pin(async { Err(self.refusal()) })
    }

    fn run<'a>(&'a self, _: &'a Resolved, events: mpsc::Sender<Event>) -> BoxFuture<'a, ()> {
        Box::pin(async move { events.closed().await })
    }

    fn log<'a>(
        &'a self,
        _: &'a LogSelection,
        _: mpsc::Sender<Bytes>,
    ) -> BoxFuture<'a, Result<(), UpstreamError>> {
        Box::pin(async { Err(self.refusal()) })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    /// Those with one URL are one controlplane.
    fn identify(&self) -> BoxFuture<'_, Result<Identity, String>> {
        Box::pin(async {
            Ok(Identity {
                cluster_uid: format!(
                    "{CONTROLPLANE}:{:016x}",
                    xxhash_rust::xxh3::xxh3_64(self.url.as_bytes())
                ),
                kubernetes_version: String::new(),
            })
        })
    }

    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        u64::try_from(since.unwrap_or(Duration::ZERO).as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::informer::{Informer, Progress};
    use crate::protocol::names::Prefix;

    fn topics() -> Topics {
        Topics::new(
            Prefix::new("/signal").unwrap(),
            Prefix::new("/payload").unwrap(),
        )
        .unwrap()
    }

    #[tokio::test]
    async fn it_is_found_and_is_no_cluster() {
        let broker = MemoryBroker::new();
        let announcement = Announcement {
            name: ClusterName::new("controlplane").unwrap(),
            url: "https://hub.example.com:8443".into(),
            retained: true,
            topics: topics(),
        };
        let (stop, stopped) = watch::channel(false);
        let source = announcement.source();
        let connection = broker.connect("controlplane", "-", None);
        let name = announcement.name.clone();
        let running = tokio::spawn(announcement.serve(source, connection, stopped));
        let informer = Informer::start(
            broker.connect("viewer", "-", None),
            topics(),
            Settings::default(),
        )
        .unwrap();
        let mut known = informer.controlplanes();
        let found = known.wait_for(|known| {
            known
                .values()
                .any(|it| !it.offline && it.presence.term.number > 0)
        });
        let url = found.await.unwrap()[&name].url().map(str::to_owned);
        assert_eq!(url.as_deref(), Some("https://hub.example.com:8443"));
        assert!(informer.clusters().borrow().is_empty());

        let subscription = informer.subscribe(
            &name,
            Selection {
                resource: "pods".into(),
                ..Selection::default()
            },
        );
        let mut state = subscription.store().state();
        let refused = state.wait_for(|state| matches!(state.progress, Progress::Refused { .. }));
        assert!(format!("{:?}", refused.await.unwrap().progress).contains("not a cluster"));

        stop.send(true).unwrap();
        running.await.unwrap().unwrap();
        known.wait_for(|known| known[&name].offline).await.unwrap();
    }

    #[test]
    fn only_what_a_client_can_use_is_announced() {
        for url in [
            "http://hub",
            "https://hub.example.com:8443/",
            "http://[::1]:80",
        ] {
            assert!(Announcement::check_url(url).is_ok(), "{url}");
        }
        for url in [
            "",
            "hub:80",
            "ftp://hub",
            "https://user:secret@hub",
            &format!("http://h/{}", "x".repeat(600)),
        ] {
            assert!(Announcement::check_url(url).is_err(), "{url}");
        }
    }
}
