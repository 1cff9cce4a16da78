//! What real faults do to a viewer: nothing that it does not say, and nothing that it does not get over by itself.

use crate::programs::Syncer;
use crate::scene::{HEARTBEAT, Scene, last_rows};
use crate::tap::Tap;
use bed::{Cluster, User};
use mqtt_informer::protocol::frame;
use std::time::{Duration, Instant};

/// Creates, changes and deletes configmaps, whose rows change when their number of data does.
fn churn(cluster: &Cluster, namespace: &str, round: usize) {
    for number in 0..5 {
        let data: String = (0..=(round + number) % 4)
            .map(|key| format!("  k{key}: v\n"))
            .collect();
        let name = format!("map-{number}");
        let yaml = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}}}\ndata:\n{data}"
        );
        cluster.apply(&yaml).unwrap();
    }
    cluster
        .kubectl_ok(&["-n", namespace, "delete", "configmap", "map-4"])
        .unwrap();
}

/// What kubectl shows: name to DATA.
fn truth(cluster: &Cluster, namespace: &str) -> std::collections::BTreeMap<String, String> {
    let out = cluster
        .kubectl_ok(&["-n", namespace, "get", "configmaps", "--no-headers"])
        .unwrap();
    out.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .map(|words| (words[0].to_owned(), words[1].to_owned()))
        .collect()
}

/// Whether the lines that a watch printed end in the truth. `-w` prints no line for a deletion's end, so rows that are
/// gone may linger.
fn agrees(out: &str, cluster: &Cluster, namespace: &str) -> bool {
    let shown = last_rows(out);
    truth(cluster, namespace).iter().all(|(name, data)| {
        shown
            .get(name)
            .is_some_and(|row| row.split(' ').next() == Some(data))
    })
}

#[test]
fn a_watch_lives_through_the_death_of_broker_and_syncer() {
    let scene = Scene::new("watch");
    let cluster = scene.shared();
    let namespace = cluster.namespace("watch").unwrap();
    let mut syncer = scene.syncer(&cluster, &["--client-id", "one"]);
    churn(&cluster, &namespace, 0);
    let watch = scene.watch(&format!(
        "get configmaps -n {namespace} --cluster cluster1 -w"
    ));
    watch.wait_out("the first rows", |out| agrees(out, &cluster, &namespace));

    scene.broker.component().kill_9().unwrap();
    churn(&cluster, &namespace, 1);
    scene.broker.component().restart().unwrap();
    wait_link(&syncer);
    settle(
        &scene,
        &watch,
        &cluster,
        &namespace,
        "after the broker's death",
    );

    syncer.process.kill_9();
    churn(&cluster, &namespace, 2);
    let syncer = scene.syncer(&cluster, &["--client-id", "two"]);
    settle(
        &scene,
        &watch,
        &cluster,
        &namespace,
        "after the syncer's death",
    );
    churn(&cluster, &namespace, 3);
    settle(&scene, &watch, &cluster, &namespace, "in peace");
    drop(syncer);
}

fn wait_link(syncer: &Syncer) {
    bed::wait_for("the syncer is connected again", || {
        Ok(syncer.ready().0.then_some(()))
    })
    .unwrap();
}

/// The watch agrees with kubectl within 2.5 heartbeats (and what this machine needs to notice), nobody touching
/// anything.
fn settle(
    _scene: &Scene,
    watch: &crate::programs::Background,
    cluster: &Cluster,
    namespace: &str,
    when: &str,
) {
    let begin = Instant::now();
    watch.wait_out(when, |out| agrees(out, cluster, namespace));
    let took = begin.elapsed();
    eprintln!("{when}: agreed after {took:?}");
    assert!(
        took < HEARTBEAT * 5 / 2 + Duration::from_secs(3),
        "{when}: {took:?}"
    );
}

#[test]
fn an_api_server_that_hangs_makes_rows_stale_and_says_so() {
    let scene = Scene::new("hang");
    let cluster = scene.bed.private_cluster("hanging").unwrap();
    let syncer = scene.syncer(&cluster, &[]);
    assert_eq!(scene.plugin("get ns --cluster hanging").code(), 0);
    let watch = scene.watch("get ns --cluster hanging -w");
    watch.wait_out("rows", |out| out.contains("kube-system"));

    cluster.apiserver().stop().unwrap();
    let begin = Instant::now();
    watch.wait_err("the viewer says stale", |err| {
        err.contains("stale") || err.contains("API server")
    });
    let viewer = begin.elapsed();
    bed::wait_for("not ready", || Ok((!syncer.ready().0).then_some(()))).unwrap();
    let probe = begin.elapsed();
    eprintln!("stale after {viewer:?}, not ready after {probe:?}");
    let bound = HEARTBEAT * 5 / 2 + Duration::from_secs(2);
    assert!(
        viewer < bound && probe < bound,
        "viewer {viewer:?}, readyz {probe:?}"
    );
    // Rows of a source whose API server is away are printed, with a line on stderr, exit 1.
    let said = scene.plugin("get ns --cluster hanging");
    assert!(
        said.out.contains("kube-system") && said.code() == 1 && said.err.contains("hanging"),
        "{said:?}"
    );

    let clusters = scene.plugin("clusters").out;
    assert!(clusters.contains("hanging   stale"), "{clusters}");

    cluster.apiserver().cont().unwrap();
    scene.until("get ns --cluster hanging", |said| said.code() == 0);
    assert!(syncer.ready().0);
}

#[test]
fn one_of_two_syncers_serves_and_the_other_takes_over() {
    let scene = Scene::new("standby");
    let cluster = scene.shared();
    let namespace = cluster.namespace("standby").unwrap();
    cluster
        .kubectl_ok(&["-n", &namespace, "create", "configmap", "one"])
        .unwrap();
    let mut pair = [
        scene.syncer(&cluster, &["--client-id", "first"]),
        scene.syncer(&cluster, &["--client-id", "second"]),
    ];
    let roles = |pair: &[Syncer; 2]| [pair[0].ready().1, pair[1].ready().1];
    let divided = |pair: &[Syncer; 2]| {
        let mut roles = roles(pair);
        roles.sort();
        roles == ["serving", "standby"]
    };
    bed::wait_for("one serves, one stands by", || {
        Ok(divided(&pair).then_some(()))
    })
    .unwrap();
    let writer = usize::from(roles(&pair)[1] == "serving");
    assert_eq!(
        (
            pair[writer].metric("writing"),
            pair[1 - writer].metric("standby")
        ),
        (1.0, 1.0)
    );

    let watch = scene.watch(&format!(
        "get configmaps -n {namespace} --cluster cluster1 -w --no-headers"
    ));
    watch.wait_out("the first row", |out| out.contains("one"));
    pair[writer].process.kill_9();
    let other = &pair[1 - writer];
    bed::wait_for("the other takes over", || {
        Ok((other.ready().1 == "serving").then_some(()))
    })
    .unwrap();
    cluster
        .kubectl_ok(&["-n", &namespace, "create", "configmap", "two"])
        .unwrap();
    let out = watch.wait_out("the new row", |out| out.contains("two"));
    let lines_of_one = out.lines().filter(|line| line.starts_with("one ")).count();
    assert_eq!(lines_of_one, 1, "viewers see only the difference:\n{out}");
}

#[test]
fn another_cluster_under_a_name_in_use_is_refused() {
    let scene = Scene::new("foreign");
    let mine = scene.shared();
    let other = scene.bed.cluster("cluster2").unwrap();
    let first = scene.syncer(&mine, &["--client-id", "mine"]);
    bed::wait_for("the first serves", || {
        Ok((first.ready().1 == "serving").then_some(()))
    })
    .unwrap();
    let kubeconfig = other.kubeconfig(User::Admin);
    let second =
        Syncer::launch(&scene.options("cluster1", &kubeconfig, &["--client-id", "theirs"]));
    bed::wait_for("it is refused", || {
        Ok(second.ready().1.contains("another cluster").then_some(()))
    })
    .unwrap();
    assert_eq!(first.ready().1, "serving");
}

#[test]
fn who_is_asked_to_stop_says_goodbye_and_leaves_no_last_will() {
    let scene = Scene::new("goodbye");
    let cluster = scene.shared();
    let tap = Tap::start(scene.broker.url());
    // The newest writes.
    let [mut standby, mut writer] =
        ["first", "second"].map(|id| scene.syncer(&cluster, &["--client-id", id]));
    bed::wait_for("one serves, the other stands by", || {
        let roles = [writer.ready().1, standby.ready().1];
        Ok((roles == ["serving", "standby"]).then_some(()))
    })
    .unwrap();
    let offline = || {
        let presences = tap.so_far().into_iter();
        let presences = presences.filter(|(topic, _)| topic.ends_with("/presence"));
        presences
            .filter(|(_, payload)| !frame::decode_presence(payload, 1 << 20).unwrap().online)
            .count()
    };
    assert!(standby.process.terminate().success());
    assert_eq!(offline(), 0, "who only stands by has nothing to take back");
    assert!(writer.process.terminate().success());
    assert_eq!(offline(), 1, "a goodbye, and no last will after it");
    let begin = Instant::now();
    let said = scene.plugin("get ns --cluster cluster1");
    assert!(said.code() == 1 && said.err.contains("offline"), "{said:?}");
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "it is said at once"
    );
}
