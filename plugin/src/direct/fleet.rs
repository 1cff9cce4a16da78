//! Sources of contexts and the informer that copies from them, in one process.

use super::contexts::Contexts;
use super::upstream::Context;
use crate::error::Failure;
use futures::future::join_all;
use mqtt_informer::informer::Informer;
use mqtt_informer::kubernetes::Login;
use mqtt_informer::link::LastWill;
use mqtt_informer::link::memory::MemoryBroker;
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::protocol::topics::Topics;
use mqtt_informer::replica::Settings;
use mqtt_informer::source::{Health, Options, Source, Upstream};
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{RwLock, watch};
use tokio::task::JoinSet;

/// How long credential plugins may take to be gone when they are ended.
const GOODBYE: Duration = Duration::from_millis(500);

/// How a context is logged in to. Only one alone may have the terminal: several would take it from each other. The
/// others have a little less than `timeout`, so that what they wait for is told, instead of that nothing was heard.
pub fn login(contexts: &Contexts, timeout: Duration) -> Login {
    let limit = timeout * 9 / 10;
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if contexts.selector().only().is_some() && terminal {
        Login::AtTerminal(limit)
    } else {
        Login::Unattended(limit)
    }
}

/// Everything that runs for the contexts of a command.
pub struct Direct {
    /// What commands read from.
    pub informer: Informer,
    sources: JoinSet<()>,
    stop: watch::Sender<bool>,
    logins: Arc<RwLock<()>>,
}

impl Direct {
    /// Starts a source for each context; none is waited for, but for one that has the terminal.
    pub async fn start(contexts: &Contexts, login: Login) -> Result<Self, Failure> {
        let broker = MemoryBroker::new();
        let (stop, stopped) = watch::channel(false);
        let logins = Arc::new(RwLock::new(()));
        let mut sources = JoinSet::new();
        let mut links = Vec::new();
        for name in contexts.selector().named() {
            let context = Context::new(
                &contexts.kubeconfig,
                name.as_str(),
                login,
                stopped.clone(),
                Arc::clone(&logins),
            );
            if matches!(login, Login::AtTerminal(_)) {
                // A person may be asked something; what goes wrong is told by the answer.
                let _ = context.cluster().await;
            }
            let (health, link) = watch::channel(Health::default());
            links.push(link);
            sources.spawn(serve(
                &broker,
                name,
                Arc::new(context),
                health,
                stopped.clone(),
            ));
        }
        // A source that does not listen yet would miss the first request.
        join_all(links.into_iter().map(listens)).await;
        let connection = broker.connect("viewer", "-", None);
        let informer =
            Informer::start(connection, Topics::default(), settings()).map_err(Failure::because)?;
        Ok(Self {
            informer,
            sources,
            stop,
            logins,
        })
    }

    /// Ends everything, credential plugins with all that they have started included.
    pub async fn stop(mut self) {
        // Those that have ended need no word.
        let _ = self.stop.send(true);
        self.sources.abort_all();
        let _ = tokio::time::timeout(GOODBYE, self.logins.write()).await;
    }
}

/// Waits until a source listens. What a watch lends locks its writer out, so nothing of it is kept until others do.
async fn listens(mut health: watch::Receiver<Health>) {
    // One that has ended listens to nobody: that is told by its silence.
    let _ = health.wait_for(|health| health.link_up).await;
}

fn serve(
    broker: &MemoryBroker,
    name: &ClusterName,
    context: Arc<dyn Upstream>,
    health: watch::Sender<Health>,
    stopped: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + 'static {
    let source = Source::new(Options {
        cluster: name.clone(),
        role: "direct",
        labels: Vec::new(),
        retained: true,
        topics: Topics::default(),
        settings: settings(),
    })
    .with_logs();
    let (topic, payload) = source.last_will();
    let will = LastWill {
        topic,
        payload,
        retain: true,
    };
    let control = broker.connect(name.as_str(), "-", Some(will));
    let bulk = broker.connect(name.as_str(), "-", None);
    async move {
        if let Err(error) = source
            .run(control, bulk, context, health, stopped.clone())
            .await
        {
            tracing::error!(%error, "the source of a context ended");
        }
    }
}

/// A source that is alone on its link has nobody to listen for before it serves.
fn settings() -> Settings {
    Settings {
        settle: Duration::ZERO,
        ..Settings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::sync::mpsc;

    #[tokio::test]
    async fn a_source_that_listens_can_report_while_another_is_waited_for() {
        let [(first, one), (_second, other)] = [(); 2].map(|()| watch::channel(Health::default()));
        let up = Health {
            link_up: true,
            ..Health::default()
        };
        first.send_replace(up.clone());
        let mut all = join_all([one, other].map(listens)).boxed();
        assert!((&mut all).now_or_never().is_none());
        let (told, heard) = mpsc::channel();
        std::thread::spawn(move || {
            first.send_replace(up);
            told.send(())
        });
        let reported = heard.recv_timeout(Duration::from_secs(30));
        assert!(reported.is_ok(), "the source is locked out");
    }
}
