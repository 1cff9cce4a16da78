//! client-go's caches of what is served are those of the clusters, whatever is killed, and nothing is called stale.

use super::fleet::Fleet;
use crate::serve::client_go::{Cache, Informer, difference};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};

/// Informers at the clusters themselves, and of what is served of them.
struct Informers {
    themselves: [Informer; 2],
    one: Informer,
    all: Informer,
}

impl Informers {
    fn start(fleet: &Fleet, resource: &str) -> Self {
        let itself = |cluster| {
            let kubeconfig = fleet.own_kubeconfig(cluster);
            Informer::start(&kubeconfig, &["-resource", resource])
        };
        let served = |clusters, more: &[&str]| {
            let args = [&["-resource", resource], more].concat();
            Informer::start(&fleet.kubeconfig(clusters), &args)
        };
        Self {
            themselves: [itself(0), itself(1)],
            one: served("cluster1", &[]),
            all: served("*", &["-union"]),
        }
    }

    /// How what is served differs from what there is.
    fn difference(&mut self) -> String {
        let [first, second] = self.themselves.each_mut().map(Informer::cache);
        let of = |cluster: &str, cache: &Cache| -> Cache {
            let key = |key: &String| format!("{cluster}|{key}");
            cache.iter().map(|(k, v)| (key(k), v.clone())).collect()
        };
        let mut both = of("cluster1", &first);
        both.extend(of("cluster2", &second));
        assert!(!first.is_empty() && !second.is_empty());
        difference(&first, &self.one.cache()) + &difference(&both, &self.all.cache())
    }
}

fn until_the_same(what: &str, informers: &mut [Informers]) {
    let informers = RefCell::new(informers);
    let differs = RefCell::new(String::new());
    let same = bed::wait_for(what, || {
        let mut all = informers.borrow_mut();
        let difference: String = all.iter_mut().map(Informers::difference).collect();
        differs.replace(difference);
        Ok(differs.borrow().is_empty().then_some(()))
    });
    assert!(same.is_ok(), "{what}: {}", differs.borrow());
}

fn churn(fleet: &Fleet, round: usize) {
    let namespace = &fleet.namespace;
    for (cluster, number) in (0..2).flat_map(|cluster| (0..24).map(move |it| (cluster, it))) {
        let api = fleet.clusters[cluster].api();
        let path = format!("/api/v1/namespaces/{namespace}/configmaps");
        let name = format!("{path}/c{number}");
        let metadata = serde_json::json!({"name": format!("c{number}")});
        let body = serde_json::json!({"metadata": metadata, "data": {"round": format!("{round} of {cluster}")}});
        match (number + round) % 3 {
            0 => drop(api.delete(&name).unwrap()),
            _ => {
                let made = api.post(&path, body.to_string()).unwrap();
                if made.status == 409 {
                    let merged = api.merge(&name, body.to_string()).unwrap();
                    merged.success().unwrap();
                }
            }
        }
    }
}

#[test]
fn whole_client_go_sees_the_clusters_through_kills_and_restarts() {
    let fleet = Fleet::new("whole-restarts");
    for number in 0..6 {
        fleet.put(0, &format!("old{number}"), "one");
        fleet.put(1, &format!("old{number}"), "two");
    }
    churn(&fleet, 1);
    let mut controlplane = fleet.controlplane();
    let kinds = ["configmaps.v1.", "pods.v1.", "deployments.v1.apps"];
    // The second cluster's controllers do not run: it has what a test gives it.
    fleet.clusters[1]
        .apply(&workload(&fleet.namespace, "still"))
        .unwrap();
    let mut informers = kinds.map(|kind| Informers::start(&fleet, kind));
    until_the_same("as it begins", &mut informers);
    for round in 2..5 {
        churn(&fleet, round);
        controlplane.process.kill_9();
        // Nobody is told of these.
        churn(&fleet, round + 1);
        fleet.remove(0, &format!("old{round}"));
        fleet.remove(1, &format!("old{}", round + 1));
        controlplane = fleet.controlplane();
        churn(&fleet, round + 2);
        until_the_same(&format!("round {round}"), &mut informers);
    }
    assert!(controlplane.process.terminate().success());
}

#[test]
fn whole_what_is_fresh_is_not_called_stale() {
    let fleet = Fleet::new("whole-fresh");
    fleet.put(1, "one", "one");
    let _controlplane = fleet.controlplane();
    let path = "/clusters/*/api/v1/configmaps?limit=1";
    let proven = || {
        let answer = fleet.until("/search?kind=configmaps&limit=1", |_| true);
        let clusters = answer["clusters"].as_array().unwrap();
        let proven = |of: &serde_json::Value| of["proven"].as_str().unwrap().to_owned();
        clusters.iter().map(proven).collect::<Vec<_>>()
    };
    // All the time from proof to proof, several of them.
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asks = scope.spawn(|| {
            let mut asked = 0;
            while !done.load(Ordering::SeqCst) {
                let answer = fleet.get(path).unwrap();
                assert_eq!((answer.code, answer.warnings), (200, Vec::<String>::new()));
                asked += 1;
            }
            asked
        });
        let mut last = proven();
        for _ in 0..4 {
            last = bed::wait_for("both are proven again", || {
                let now = proven();
                let again = now.iter().zip(&last).all(|(now, last)| now != last);
                Ok(again.then_some(now))
            })
            .unwrap();
        }
        done.store(true, Ordering::SeqCst);
        assert!(asks.join().unwrap() > 0);
    });
}

/// A Deployment and a Pod that nobody runs.
fn workload(namespace: &str, name: &str) -> String {
    let template =
        "{metadata: {labels: {app: still}}, spec: {containers: [{name: main, image: busybox}]}}";
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         spec: {{replicas: 0, selector: {{matchLabels: {{app: still}}}}, template: {template}}}\n---\n\
         apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         spec: {{containers: [{{name: main, image: busybox}}]}}\n"
    )
}
