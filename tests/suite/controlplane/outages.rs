//! The hub's API server goes away.

use super::{Controlplane, copy, password, secret, until, until_gone};
use crate::scene::Scene;

#[test]
fn copies_catch_up_when_the_hub_is_back() {
    let scene = Scene::new("hub-away");
    let cluster = scene.shared();
    let hub = scene.bed.private_cluster("hub-away").unwrap();
    let namespace = cluster.namespace("hub-away").unwrap();
    for name in ["changed", "gone"] {
        cluster.apply(&secret(&namespace, name, "one")).unwrap();
    }
    let _syncer = scene.syncer(&cluster, &[]);
    let controlplane = Controlplane::start(&scene, &hub, &[]);
    let at = |name: &str| copy("cluster1", &namespace, name);
    for name in ["changed", "gone"] {
        until(&hub, &at(name), &controlplane.process, |_| true);
    }

    hub.apiserver().kill_9().unwrap();
    cluster
        .apply(&secret(&namespace, "changed", "two"))
        .unwrap();
    cluster.apply(&secret(&namespace, "new", "one")).unwrap();
    cluster
        .kubectl_ok(&["-n", &namespace, "delete", "secret", "gone"])
        .unwrap();
    bed::wait_for("it says that the hub is away", || {
        let (ready, why) = controlplane.ready();
        Ok((!ready && why.contains("secrets are not mirrored")).then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}\n{}", controlplane.process.err()));

    hub.apiserver().restart().unwrap();
    until(&hub, &at("changed"), &controlplane.process, |copy| {
        password(copy) == "dHdv"
    });
    until(&hub, &at("new"), &controlplane.process, |_| true);
    until_gone(&hub, &at("gone"), &controlplane.process);
    controlplane.until_ready();
}
