//! A store that follows a real cluster, served on loopback.

use super::feeder::feed;
use crate::differential::{Stage, stage};
use crate::programs::{PATIENCE, Said, run};
use mqtt_informer::controlplane::serve::{ServeArgs, Server};
use mqtt_informer::informer::Informer;
use mqtt_informer::store::{Options, Store};
use serde_json::{Value, json};
use std::io::Write;
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
        let server = format!("http://{}/clusters/{clusters}", self.address);
        self.write_kubeconfig(&json!({"server": server}), &json!({}))
    }

    /// Its name is made of what is in it, and it appears whole: other tests may read it already.
    fn write_kubeconfig(&self, cluster: &Value, user: &Value) -> PathBuf {
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "served",
            "clusters": [{"name": "served", "cluster": cluster}],
            "users": [{"name": "served", "user": user}],
            "contexts": [{"name": "served", "context": {"cluster": "served", "user": "served"}}],
        });
        let text = config.to_string();
        let name = xxhash_rust::xxh3::xxh3_64(text.as_bytes());
        let path = self.dir.join(format!("{name:x}.kubeconfig"));
        let mut file = tempfile::NamedTempFile::new_in(&self.dir).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.persist(&path).unwrap();
        path
    }

    /// Serves with TLS and these tokens beside the other one: answers with what makes a kubeconfig of a token.
    pub(super) fn guarded(&self, tokens: &str) -> impl Fn(&str, &str) -> PathBuf {
        let bed = bed::Bed::shared().unwrap();
        let identity = bed.authority().server(&self.dir, "served").unwrap();
        let (authority, token_file) = (self.dir.join("ca.crt"), self.dir.join("tokens"));
        std::fs::write(&authority, bed.authority().certificate()).unwrap();
        std::fs::write(&token_file, tokens).unwrap();
        let args = ServeArgs {
            serve: Some("127.0.0.1:0".parse().unwrap()),
            serve_cert: Some(identity.certificate),
            serve_key: Some(identity.key),
            token_file: Some(token_file),
        };
        let address = self.runtime.block_on(async {
            let server = Server::bind(&args).await.unwrap().unwrap();
            let address = server.local_addr().unwrap();
            let (stop, stopped) = watch::channel(false);
            let store = self.store.clone();
            tokio::spawn(async move {
                server.run(store, axum::Router::new(), stopped).await;
                drop(stop);
            });
            address
        });
        move |clusters, token| {
            let server = format!("https://{address}/clusters/{clusters}");
            let cluster = json!({"server": server, "certificate-authority": authority});
            self.write_kubeconfig(&cluster, &json!({"token": token}))
        }
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
