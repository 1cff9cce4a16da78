//! One context as the upstream of a source.

use crate::clock::wall_ms;
use bytes::Bytes;
use mqtt_informer::kubernetes::{Kubeconfig, Kubernetes, Login};
use mqtt_informer::protocol::message::{LogSelection, Selection};
use mqtt_informer::source::{
    BoxFuture, Event, Identity, Refusal, Resolved, Upstream, UpstreamError,
};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Mutex, RwLock, mpsc, watch};
use tokio::time::Instant;

/// A context that could not be used is tried again after so long, by whoever still asks.
const AGAIN: Duration = Duration::from_secs(10);

/// The cluster of a context. It is logged in to when it is first asked, and by one at a time.
pub(super) struct Context {
    kubeconfig: Arc<Kubeconfig>,
    name: String,
    login: Login,
    stopped: watch::Receiver<bool>,
    ready: OnceLock<Kubernetes>,
    /// What went wrong, and when.
    failed: Mutex<Option<(Instant, String)>>,
    /// Read while a login is under way: a credential plugin may be running.
    logins: Arc<RwLock<()>>,
}

impl Context {
    pub(super) fn new(
        kubeconfig: &Arc<Kubeconfig>,
        name: &str,
        login: Login,
        stopped: watch::Receiver<bool>,
        logins: Arc<RwLock<()>>,
    ) -> Self {
        Self {
            kubeconfig: Arc::clone(kubeconfig),
            name: name.to_owned(),
            login,
            stopped,
            ready: OnceLock::new(),
            failed: Mutex::default(),
            logins,
        }
    }

    /// The cluster; in words why there is none.
    pub(super) async fn cluster(&self) -> Result<&Kubernetes, String> {
        if let Some(ready) = self.ready.get() {
            return Ok(ready);
        }
        // Held while logging in: who comes meanwhile waits for that answer.
        let mut failed = self.failed.lock().await;
        if let Some(ready) = self.ready.get() {
            return Ok(ready);
        }
        if let Some((at, why)) = &*failed
            && at.elapsed() < AGAIN
        {
            return Err(why.clone());
        }
        let _under_way = self.logins.read().await;
        let mut stopped = self.stopped.clone();
        let login = Kubernetes::of_context(&self.kubeconfig, &self.name, self.login);
        let result = tokio::select! {
            result = login => result,
            // Nobody waits for it any more: a plugin that runs ends here.
            _ = stopped.wait_for(|stopped| *stopped) => return Err("stopped".to_owned()),
        };
        match result {
            Ok(ready) => Ok(self.ready.get_or_init(|| ready)),
            Err(error) => {
                let why = error.to_string();
                *failed = Some((Instant::now(), why.clone()));
                Err(why)
            }
        }
    }
}

impl Upstream for Context {
    /// A cluster that cannot be reached is told at once, as kubectl does, instead of being waited for: a person who has
    /// named a context looks at the answer, while a syncer has to outlive its API server.
    fn resolve<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> BoxFuture<'a, Result<Resolved, UpstreamError>> {
        Box::pin(async move {
            let cluster = self.cluster().await.map_err(unreachable)?;
            let resolved = cluster.resolve(selection).await;
            resolved.map_err(|error| match error {
                UpstreamError::Down(why) => unreachable(why),
                refused @ UpstreamError::Refused(_) => refused,
            })
        })
    }

    fn run<'a>(
        &'a self,
        selection: &'a Resolved,
        events: mpsc::Sender<Event>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            match self.cluster().await {
                Ok(cluster) => cluster.run(selection, events).await,
                Err(_) => events.closed().await,
            }
        })
    }

    fn log<'a>(
        &'a self,
        log: &'a LogSelection,
        pieces: mpsc::Sender<Bytes>,
    ) -> BoxFuture<'a, Result<(), UpstreamError>> {
        Box::pin(async move {
            let cluster = self.cluster().await.map_err(unreachable)?;
            cluster.log(log, pieces).await
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move { self.cluster().await?.probe().await })
    }

    /// Nobody else can serve this context on a link of this process, so it does not matter which cluster it is; and
    /// asking would make the first answer wait.
    fn identify(&self) -> BoxFuture<'_, Result<Identity, String>> {
        Box::pin(async { Ok(Identity::default()) })
    }

    fn now_ms(&self) -> u64 {
        let own = || u64::try_from(wall_ms()).unwrap_or_default();
        self.ready.get().map_or_else(own, Kubernetes::now_ms)
    }
}

/// Not a message of the API server: without a reason nothing is put before it.
fn unreachable(message: String) -> UpstreamError {
    let reason = String::new();
    UpstreamError::Refused(Refusal {
        code: 503,
        reason,
        message,
    })
}
