//! Hub and agents at a broker with our rules: each gets its own, and nobody another's.

use super::{Role, WORKS, condition, managed, uid, value};
use crate::controlplane::until;
use crate::programs::plugin;
use crate::tap::Tap;
use bed::{Bed, Broker, BrokerSetup, Cluster, User};
use mqtt_informer::informer::{Informer, Progress};
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use serde_json::{Value, json};

const PASSWORD: &str = "secret";

fn login(broker: &Broker, user: &str) -> String {
    let with = format!("://{user}:{PASSWORD}@");
    broker.url().replace("://", &with)
}

/// A broker with the sample's rules, a hub, and the agents of two clusters; the first is the hub's own.
struct Guarded {
    broker: Broker,
    home: Cluster,
    other: Cluster,
    hub: Role,
    _agents: [Role; 2],
}

impl Guarded {
    fn new() -> Self {
        let bed = Bed::shared().unwrap();
        let rules = BrokerSetup::plain().acl(include_str!("../../../samples/acl.conf"));
        let users = ["hub", "cluster1", "cluster2", "alice"];
        let setup = users
            .into_iter()
            .fold(rules, |setup, name| setup.user(name, PASSWORD));
        let broker = bed.broker(&setup).unwrap();
        let [home, other] = ["acl-1", "acl-2"].map(|name| bed.private_cluster(name).unwrap());
        let start = |user: &str, role: &str, at: &Cluster, words: &[&str]| {
            let kubeconfig = at.kubeconfig(User::Admin);
            let role = Role::at(&login(&broker, user), role, &kubeconfig, words);
            role.until_ready();
            role
        };
        let hub = start("hub", "hub", &home, &["--auto-accept", "*"]);
        let agents = [("cluster1", &home), ("cluster2", &other)]
            .map(|(name, at)| start(name, "agent", at, &["--cluster", name]));
        Self {
            broker,
            home,
            other,
            hub,
            _agents: agents,
        }
    }

    /// Gives a cluster a work with a value, and waits until the hub has heard that it is there.
    fn deploy(&self, cluster: &str, value: &str) {
        until(&self.home, &managed(cluster), &self.hub.process, |it| {
            condition(it, "ManagedClusterConditionAvailable") == "True"
        });
        let namespace = format!("/api/v1/namespaces/{cluster}");
        until(&self.home, &namespace, &self.hub.process, |_| true);
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "told", "namespace": "default"}, "data": {"v": value}});
        let work = json!({
            "apiVersion": "work.open-cluster-management.io/v1",
            "kind": "ManifestWork",
            "metadata": {"name": format!("told-{cluster}"), "namespace": cluster},
            "spec": {"workload": {"manifests": [map]}},
        });
        self.home.apply(&work.to_string()).unwrap();
        let path = format!("{WORKS}/namespaces/{cluster}/manifestworks/told-{cluster}");
        until(&self.home, &path, &self.hub.process, |work| {
            let applied = work["status"]["conditions"].as_array();
            let is_new = |it: &Value| {
                it["type"] == "Applied"
                    && it["status"] == "True"
                    && it["observedGeneration"] == work["metadata"]["generation"]
            };
            applied.into_iter().flatten().any(is_new)
        });
    }
}

/// What a hub answers who asks as this user for a cluster's work.
fn asked(broker: &Broker, user: &str, cluster: &str) -> Progress {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let url = login(broker, user);
        let informer = Informer::builder().broker(url).start().unwrap();
        let selection = Selection {
            namespace: cluster.to_owned(),
            view: View::Work,
            ..Selection::default()
        };
        let hub = ClusterName::new("hub").unwrap();
        let subscription = informer.subscribe(&hub, selection);
        let mut state = subscription.store().state();
        let answered = state.wait_for(|it| {
            it.obstacle.is_some()
                || matches!(it.progress, Progress::Synced | Progress::Refused { .. })
        });
        let answered = tokio::time::timeout(crate::programs::PATIENCE, answered).await;
        let answered = answered.expect("the hub does not answer").unwrap().clone();
        assert_eq!(answered.obstacle, None);
        answered.progress
    })
}

#[test]
fn each_agent_gets_its_own_work_and_nobody_elses() {
    let scene = Guarded::new();
    let there = "/api/v1/namespaces/default/configmaps/told";
    let taps = ["cluster1", "alice"].map(|user| {
        let id = format!("tap-{user}");
        Tap::start_as(&login(&scene.broker, user), &id)
    });
    // Twice, so that it also comes as a change. Cluster1's last: who has heard that has heard all.
    for turn in ["one", "two"] {
        for (name, at) in [("cluster2", &scene.other), ("cluster1", &scene.home)] {
            scene.deploy(name, turn);
            until(at, there, &scene.hub.process, |map| value(map) == turn);
        }
    }
    assert_ne!(uid(&scene.home, there), uid(&scene.other, there));

    let live = |topic: &str, cluster: &str| {
        topic.starts_with(&format!("/payload/hub/live/work/{cluster}/"))
    };
    let [agent, alice] = &taps;
    let heard = agent.wait_for("a change of its own work", |heard| {
        heard.iter().any(|(topic, _)| live(topic, "cluster1"))
    });
    let of_others = heard.iter().map(|(topic, _)| topic).filter(|topic| {
        live(topic, "cluster2")
            || topic.starts_with("/payload/hub/reply/cluster2")
            || topic.starts_with("/payload/cluster2")
            || topic.starts_with("/signal/hub")
    });
    assert_eq!(of_others.collect::<Vec<_>>(), Vec::<&String>::new());

    // A person sees who there is, and what came of the work; not the work.
    let heard = alice.wait_for("a status of cluster1", |heard| {
        let status = |topic: &str| topic.starts_with("/payload/cluster1/live/status/hub/");
        heard.iter().any(|(topic, _)| status(topic))
    });
    let work = heard
        .iter()
        .map(|(topic, _)| topic)
        .filter(|it| it.contains("/live/work/"));
    assert_eq!(work.collect::<Vec<_>>(), Vec::<&String>::new());
    for cluster in ["cluster1", "cluster2"] {
        let words = [
            "get",
            "configmaps",
            "told",
            "-n",
            "default",
            "--cluster",
            cluster,
        ];
        let said = plugin(&login(&scene.broker, "alice"), &words);
        assert!(said.code() == 0 && said.out.contains("told"), "{said:?}");
    }

    // Who asks in so many words is told no by the hub itself.
    assert_eq!(
        asked(&scene.broker, "cluster1", "cluster1"),
        Progress::Synced
    );
    for (user, cluster) in [("cluster1", "cluster2"), ("alice", "cluster1")] {
        let answer = asked(&scene.broker, user, cluster);
        assert!(
            matches!(&answer, Progress::Refused { code: 403, message, .. } if message.contains("is not the agent of")),
            "{user} asks for the work of {cluster}: {answer:?}"
        );
    }
    let said = scene.hub.process.err();
    assert!(!said.contains("nobody in particular"), "{said}");
    assert!(!said.contains("not authorized"), "{said}");
}
