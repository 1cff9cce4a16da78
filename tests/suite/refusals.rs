//! Who says no, and who is gone: the broker's access rules, a syncer's quota, a last will.

use crate::programs::{PATIENCE, Said, Syncer, SyncerOptions, plugin};
use crate::scene::Scene;
use bed::{Bed, BrokerSetup, User};

/// One line `error: ...` with these words, exit code 1, before the default --timeout and a little more are over.
fn refused(said: &Said, words: &str) {
    assert_eq!(said.code(), 1, "{said:?}");
    assert!(said.err.starts_with("error: "), "{said:?}");
    assert_eq!(said.err.lines().count(), 1, "{said:?}");
    assert!(said.err.contains(words), "{words:?} is not in {said:?}");
    assert!(said.took < PATIENCE / 4, "{said:?}");
}

#[test]
fn a_viewer_who_may_not_ask_is_told_so_by_name() {
    let bed = Bed::shared().unwrap();
    let mut acl = include_str!("../../samples/acl.conf").to_owned();
    acl.push_str("user mallory\ntopic read /payload/#\n");
    let setup = ["cluster1", "alice", "mallory"]
        .into_iter()
        .fold(BrokerSetup::plain().acl(&acl), |setup, name| {
            setup.user(name, "secret")
        });
    let broker = bed.broker(&setup).unwrap();
    let url = |user: &str| broker.url().replace("://", &format!("://{user}:secret@"));
    let cluster = bed.cluster("cluster1").unwrap();
    let _syncer = Syncer::start(&SyncerOptions {
        broker: &url("cluster1"),
        cluster: "cluster1",
        kubeconfig: &cluster.kubeconfig(User::Admin),
        dir: bed.dir(),
        more: &[],
    });
    let get = ["get", "ns", "--cluster", "cluster1"];
    let said = plugin(&url("alice"), &get);
    assert_eq!(said.code(), 0, "{said:?}");
    refused(&plugin(&url("mallory"), &get), "ACL");
}

#[test]
fn more_streams_than_are_allowed_are_refused_by_the_syncer() {
    let scene = Scene::new("quota");
    let _syncer = scene.syncer(&scene.shared(), &["--max-streams", "1"]);
    let said = scene.plugin("get ns,nodes --cluster cluster1");
    assert_eq!(said.code(), 1, "{said:?}");
    let shown = ["kube-system", "node-1"].map(|name| said.out.contains(name));
    assert_ne!(shown[0], shown[1], "what is allowed is shown: {said:?}");
    assert!(said.err.contains("as many streams as it may"), "{said:?}");
}

#[test]
fn a_dead_cluster_is_named_until_it_is_forgotten() {
    let scene = Scene::new("forget");
    let mut syncer = scene.syncer(&scene.shared(), &[]);
    assert_eq!(scene.plugin("get ns --cluster cluster1").code(), 0);
    let said = scene.plugin("clusters forget cluster1");
    refused(&said, "stop it first");
    syncer.process.kill_9();
    let (said, _) = scene.until("get ns", |said| said.code() == 1);
    refused(&said, "cluster \"cluster1\": offline");
    assert!(scene.plugin("clusters").out.contains("offline"));
    let said = scene.plugin("clusters forget cluster1");
    assert_eq!((said.code(), said.err.as_str()), (0, ""), "{said:?}");
    refused(&scene.plugin("get ns"), "no cluster is known");
}
