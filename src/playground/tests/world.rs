//! The simulated world.

use super::*;

/// Each resource of the simulated world, with its rows.
#[tokio::test]
async fn a_fleet_has_rows_of_every_kind() {
    let (_playground, kubernetes) = started(Spec {
        pace: None,
        ..Spec::default()
    })
    .await;
    for resource in [
        "pods",
        "nodes",
        "namespaces",
        "deployments",
        "replicasets",
        "statefulsets",
        "daemonsets",
        "jobs",
        "cronjobs",
        "services",
        "configmaps",
        "secrets",
        "ingresses",
        "persistentvolumeclaims",
    ] {
        let mut copy = Copy::open(&kubernetes, &all(resource, View::Rows), 8).await;
        copy.until(listed).await;
        let header = Header::decode(copy.entries.remove(&b""[..]).unwrap()).unwrap();
        assert!(copy.entries.len() > 2, "{resource}");
        for (key, row) in copy.entries {
            let row = Row::decode(row).unwrap();
            assert_eq!(row.cells.len(), header.columns.len(), "{resource} {key:?}");
        }
    }
}

#[test]
fn one_seed_makes_one_world_and_it_moves() {
    let world = |seed: u64, steps: i64| {
        let mut store = Store::new(seed, kind::built_in(), 1_000_000);
        let mut simulation = Simulation::new(seed, 1, 1_800_000_000_000);
        simulation.settle(&mut store);
        let settled = store.version();
        for step in 1..steps {
            simulation.step(&mut store, 1_800_000_000_000 + step * 1_000);
        }
        (store, settled)
    };
    let ((one, settled), (same, _), (other, _)) = (world(7, 300), world(7, 300), world(8, 2));
    let pods = |store: &Store| {
        store
            .objects("pods")
            .values()
            .map(|pod| (**pod).clone())
            .collect::<Vec<_>>()
    };
    assert_eq!((pods(&one), one.version()), (pods(&same), same.version()));
    assert_ne!(pods(&one), pods(&other));
    assert!(pods(&one).len() > 80, "{}", pods(&one).len());
    let changes: Vec<_> = one.changes_after(settled).unwrap().collect();
    let seen = |resource: &str, of: fn(&store::Change) -> bool| {
        changes.iter().any(|c| c.resource == resource && of(c))
    };
    let reason = |change: &store::Change, text: &str| {
        change
            .after
            .as_ref()
            .is_some_and(|o| o.to_string().contains(text))
    };
    assert!(seen("pods", |c| c.before.is_none()) && seen("pods", |c| c.after.is_none()));
    assert!(
        changes
            .iter()
            .any(|c| c.resource == "pods" && reason(c, "CrashLoopBackOff"))
    );
    assert!(
        changes
            .iter()
            .any(|c| c.resource == "events" && reason(c, "ScalingReplicaSet"))
    );
    assert!(
        seen("jobs.batch", |c| c.before.is_none())
            && seen("nodes", |_| true)
            && seen("deployments.apps", |_| true)
    );
    // A rollout ends: no more pods than wanted for long.
    let workloads = one.objects("deployments.apps");
    let surplus = workloads.values().filter(|d| {
        d["status"]["replicas"].as_i64() > d["spec"]["replicas"].as_i64().map(|n| n + 1)
    });
    assert_eq!(surplus.count(), 0);
}

/// What pods and nodes use: made up when it is asked for, of those that run.
#[tokio::test]
async fn a_fleet_tells_what_its_pods_and_nodes_use() {
    let still = Spec {
        pace: None,
        ..Spec::default()
    };
    let (playground, kubernetes) = started(still).await;
    let metrics = all("pods.metrics.k8s.io", View::Objects);
    assert!(!kubernetes.resolve(&metrics).await.unwrap().watchable);
    let mut used = Copy::open(&kubernetes, &metrics, 8).await;
    used.until(listed).await;
    let mut pods = Copy::open(&kubernetes, &all("pods", View::Objects), 8).await;
    pods.until(listed).await;
    let is_running = |pod: &Value| {
        pod["status"]["containerStatuses"][0]["state"]
            .get("running")
            .is_some()
    };
    let keys = pods.entries.keys().filter(|key| !key.is_empty());
    let names: Vec<String> = keys
        .map(|key| String::from_utf8(key.to_vec()).unwrap())
        .collect();
    let running = names.iter().filter(|name| is_running(&pods.object(name)));
    let running: Vec<_> = running.collect();
    assert!(running.len() > 50 && running.len() < names.len());
    assert_eq!(used.entries.len(), running.len() + 1, "and the header");
    let of = used.object(running[0]);
    assert_eq!(of["kind"], "PodMetrics");
    let usage = &of["containers"][0]["usage"];
    assert!(usage["cpu"].as_str().unwrap().ends_with('n'), "{usage}");
    // Pages are for what is stored.
    let nodes = all("nodes.metrics.k8s.io", View::Objects);
    let mut nodes = Copy::open(&kubernetes, &nodes, 8).await;
    nodes.until(listed).await;
    let all_nodes = playground.shared.store().objects("nodes").len();
    assert_eq!(nodes.entries.len(), all_nodes + 1);
    let (_empty, kubernetes) = started(Spec::empty()).await;
    assert!(kubernetes.resolve(&metrics).await.is_err());
}
