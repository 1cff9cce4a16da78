//! A store that follows a real cluster, served on loopback.

use super::feeder::feed;
use crate::differential::{Stage, stage};
use crate::programs::{PATIENCE, Said, run};
use mqtt_informer::controlplane::serve::{ServeArgs, Server};
use mqtt_informer::informer::Informer;
use mqtt_informer::store::{Options, Store};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::time::Instant;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What is followed.
const RESOURCES: [&str; 22] = [
    "pods",
    "nodes",
    "namespaces",
    "services",
    "configmaps",
    "secrets",
    "events",
    "persistentvolumeclaims",
    "persistentvolumes",
    "serviceaccounts",
    "endpoints",
    "resourcequotas",
    "limitranges",
    "deployments.v1.apps",
    "replicasets.v1.apps",
    "statefulsets.v1.apps",
    "daemonsets.v1.apps",
    "jobs.v1.batch",
    "cronjobs.v1.batch",
    "endpointslices.v1.discovery.k8s.io",
    "widgets.bed.mqinformer.io",
    "leases.v1.coordination.k8s.io",
];

/// What is there in two clusters.
const TWICE: [&str; 2] = ["pods", "configmaps"];

/// All tests' store and server.
pub(super) struct Site {
    pub(super) stage: &'static Stage,
    runtime: Runtime,
    store: Store,
    address: SocketAddr,
    /// Ends the server that serves now.
    stop: Mutex<watch::Sender<bool>>,
    dir: PathBuf,
}

pub(super) fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(|| {
        let stage = stage();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let dir = bed::Bed::shared().unwrap().dir().join("serve");
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("store.sqlite");
        let (store, address, stop) = runtime.block_on(async {
            let url = format!("sqlite://{}", file.display());
            let store = Store::open(&url, Options::default()).await.unwrap();
            let informer = Informer::builder()
                .broker(stage.broker.url())
                .start()
                .unwrap();
            for resource in RESOURCES {
                feed(&store, &informer, ("cluster1", "cluster1"), resource);
            }
            // The same cluster by another name, so that all names are there twice.
            for resource in TWICE {
                feed(&store, &informer, ("cluster1", "twin"), resource);
            }
            let (address, stop) = serve(&store, "127.0.0.1:0".parse().unwrap()).await;
            (store, address, stop)
        });
        let site = Site {
            stage,
            runtime,
            store,
            address,
            stop: Mutex::new(stop),
            dir,
        };
        site.until_synced();
        site
    })
}

async fn serve(store: &Store, address: SocketAddr) -> (SocketAddr, watch::Sender<bool>) {
    let args = ServeArgs {
        serve: Some(address),
        ..ServeArgs::default()
    };
    let begin = Instant::now();
    let server = loop {
        match Server::bind(&args).await {
            Ok(server) => break server.unwrap(),
            // The connections of the one before end in a moment.
            Err(error) if begin.elapsed() > PATIENCE => panic!("{error:#}"),
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let address = server.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(server.run(store.clone(), axum::Router::new(), stopped));
    (address, stop)
}

impl Site {
    /// Ends the server, and starts another one at the same address.
    pub(super) fn restart(&self) {
        let mut stop = self.stop.lock().unwrap();
        stop.send(true).unwrap();
        let serving = serve(&self.store, self.address);
        *stop = self.runtime.block_on(serving).1;
    }

    /// The store has all of all resources.
    fn until_synced(&self) {
        bed::wait_for("the store is synced", || {
            let streams = self.store.streams(&mqtt_informer::store::Clusters::All);
            let streams = self.runtime.block_on(streams)?;
            let synced = streams.iter().filter(|stream| stream.synced.is_some());
            Ok((synced.count() == 2 * (RESOURCES.len() + TWICE.len())).then_some(()))
        })
        .unwrap();
    }

    /// A kubeconfig for what is served of `clusters`, a cluster's name or `*`.
    pub(super) fn kubeconfig(&self, clusters: &str) -> PathBuf {
        let name = match clusters {
            "*" => "all",
            name => name,
        };
        let path = self.dir.join(format!("{name}.kubeconfig"));
        let config = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "served",
            "clusters": [{"name": "served", "cluster": {"server": format!("http://{}/clusters/{clusters}", self.address)}}],
            "users": [{"name": "served", "user": {}}],
            "contexts": [{"name": "served", "context": {"cluster": "served", "user": "served"}}],
        });
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }

    /// kubectl for what is served.
    pub(super) fn command(&self, clusters: &str, args: &[&str]) -> Command {
        let mut command = self.stage.cluster.kubectl_command();
        command
            .env("KUBECONFIG", self.kubeconfig(clusters))
            .env("KUBECACHEDIR", self.dir.join("cache"))
            .args(args);
        command
    }

    pub(super) fn kubectl(&self, clusters: &str, args: &[&str]) -> Said {
        run(self.command(clusters, args))
    }
}
