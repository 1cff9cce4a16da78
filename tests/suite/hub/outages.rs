//! Who is down, who stands by, who is let in.

use super::{Pair, Role, condition, managed, uid, value};
use crate::controlplane::{get, until, until_gone};
use bed::{Bed, BrokerSetup, User};

#[test]
fn what_changes_while_the_broker_is_down_arrives_when_it_is_back() {
    let pair = Pair::new("broker-away");
    let hub = pair.start_hub(&[]);
    let agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    pair.put_work("one", &["a"], "1");
    let map = pair.config_map("a");
    until(&pair.cluster, &map, &agent.process, |it| value(it) == "1");

    pair.scene.broker.component().kill_9().unwrap();
    pair.put_work("one", &["a"], "2");
    // What the cluster shall be is kept without the hub.
    pair.cluster
        .kubectl_ok(&["-n", &pair.namespace, "delete", "configmap", "a"])
        .unwrap();
    until(&pair.cluster, &map, &agent.process, |it| value(it) == "1");
    pair.scene.broker.component().restart().unwrap();
    until(&pair.cluster, &map, &agent.process, |it| value(it) == "2");
    until(&pair.hub, &pair.work("one"), &hub.process, |it| {
        condition(it, "Available") == "True"
            && it["status"]["conditions"][0]["observedGeneration"] == it["metadata"]["generation"]
    });
}

#[test]
fn an_api_server_that_is_away_is_waited_for() {
    let pair = Pair::new("api-away");
    let hub = pair.start_hub(&[]);
    let agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    pair.put_work("one", &["a"], "1");
    let map = pair.config_map("a");
    until(&pair.cluster, &map, &agent.process, |_| true);
    let before = uid(&pair.cluster, &map);

    pair.hub.apiserver().kill_9().unwrap();
    pair.cluster
        .kubectl_ok(&["-n", &pair.namespace, "delete", "configmap", "a"])
        .unwrap();
    until(&pair.cluster, &map, &agent.process, |_| true);
    assert_ne!(uid(&pair.cluster, &map), before);
    pair.hub.apiserver().restart().unwrap();
    pair.put_work("one", &["a"], "2");
    until(&pair.cluster, &map, &agent.process, |it| value(it) == "2");
}

#[test]
fn of_two_hubs_one_stands_by_and_takes_over() {
    let pair = Pair::new("hubs");
    let mut first = pair.start_hub(&[]);
    let agent = pair.start_agent(&[]);
    pair.until_joined(&first);
    let second = pair.start_hub(&[]);
    // Of two the newer one works.
    let roles = || [first.ready().1, second.ready().1];
    bed::wait_for("one of them stands by", || {
        Ok(roles().contains(&"standby".to_owned()).then_some(()))
    })
    .unwrap();
    pair.put_work("one", &["a"], "1");
    let map = pair.config_map("a");
    until(&pair.cluster, &map, &agent.process, |it| value(it) == "1");
    first.process.kill_9();
    pair.put_work("one", &["a"], "2");
    until(&pair.cluster, &map, &agent.process, |it| value(it) == "2");
    until(&pair.hub, &pair.work("one"), &second.process, |it| {
        condition(it, "Available") == "True"
    });
}

#[test]
fn an_agent_takes_the_place_of_its_clusters_syncer() {
    let pair = Pair::new("both");
    let hub = pair.start_hub(&[]);
    let mut syncer = Role::start(&pair.scene, "syncer", &pair.cluster, &["--cluster", "edge"]);
    assert_eq!(syncer.ready().1, "serving");
    let agent = pair.start_agent(&[]);
    let roles = || [syncer.ready().1, agent.ready().1];
    bed::wait_for("one of them stands by", || {
        let roles = roles();
        Ok(
            (roles.contains(&"standby".to_owned()) && roles.contains(&"serving".to_owned()))
                .then_some(()),
        )
    })
    .unwrap();
    syncer.process.kill_9();
    pair.until_joined(&hub);
    pair.put_work("one", &["a"], "1");
    until(&pair.cluster, &pair.config_map("a"), &agent.process, |_| {
        true
    });
    let (said, _) = pair
        .scene
        .until("get configmaps -A --cluster edge", |said| said.code() == 0);
    assert!(said.out.contains(&pair.namespace), "{}", said.out);
}

#[test]
fn a_cluster_is_let_in_by_somebody_and_goes_in_steps() {
    let pair = Pair::new("life");
    let words = ["--name", pair.name];
    let hub = Role::start(&pair.scene, "hub", &pair.hub, &words);
    let agent = pair.start_agent(&["--label", "env=test"]);
    let pending = until(&pair.hub, &managed("edge"), &hub.process, |_| true);
    assert_eq!(pending["spec"]["hubAcceptsClient"], false);
    assert_eq!(condition(&pending, "HubAcceptedManagedCluster"), "none");
    assert_eq!(pending["metadata"]["labels"]["env"], "test");
    agent
        .process
        .wait_err("it is told why there is no work", |text| {
            text.contains("has not accepted")
        });

    let accept = r#"{"spec":{"hubAcceptsClient":true}}"#;
    pair.hub
        .kubectl_ok(&[
            "patch",
            "managedcluster",
            "edge",
            "--type=merge",
            "-p",
            accept,
        ])
        .unwrap();
    pair.until_joined(&hub);
    pair.put_work("one", &["a"], "1");
    let map = pair.config_map("a");
    until(&pair.cluster, &map, &agent.process, |_| true);

    // It goes: work, agent, namespace, finalizer; and comes again, pending.
    let before = uid(&pair.hub, &managed("edge"));
    pair.hub
        .kubectl_ok(&["delete", "managedcluster", "edge", "--wait=false"])
        .unwrap();
    until_gone(&pair.cluster, &map, &agent.process);
    let namespace = "/api/v1/namespaces/edge";
    until(&pair.hub, namespace, &hub.process, |it| {
        it["metadata"]["deletionTimestamp"].is_string()
    });
    // Nobody finishes namespaces where there are no controllers.
    let finalized = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"edge"},"spec":{"finalizers":[]}}"#;
    pair.hub
        .kubectl_input(
            &[
                "replace",
                "--raw",
                "/api/v1/namespaces/edge/finalize",
                "-f",
                "-",
            ],
            finalized,
        )
        .unwrap();
    until(&pair.hub, &managed("edge"), &hub.process, |it| {
        it["metadata"]["uid"].as_str() != before.as_deref()
            && it["spec"]["hubAcceptsClient"] == false
    });
}

#[test]
fn nobody_gets_the_work_of_another_cluster() {
    let bed = Bed::shared().unwrap();
    let setup = BrokerSetup::plain()
        .user("hub", "h")
        .user("agent-edge", "e")
        .user("eve", "x");
    let broker = bed.broker(&setup).unwrap();
    let hub_cluster = bed.private_cluster("users").unwrap();
    let cluster = bed.cluster("cluster1").unwrap();
    let start = |role: &str, user: &str, password: &str, on: &bed::Cluster, more: &[&str]| {
        let file = bed.dir().join(format!("users-{user}"));
        std::fs::write(&file, password).unwrap();
        let words = [
            "--username",
            user,
            "--password-file",
            file.to_str().unwrap(),
        ];
        let words = [&words, more].concat();
        let port = bed::choose_ports(1).unwrap()[0];
        let mut command = crate::programs::command("mqtt-informer");
        command.args([role, "--broker", broker.url()]).args(words);
        command.arg("--kubeconfig").arg(on.kubeconfig(User::Admin));
        crate::programs::Background::start(
            command,
            &bed.dir().join(format!("users-{role}-{port}.log")),
        )
    };
    let words = [
        "--name",
        "users",
        "--auto-accept",
        "*",
        "--agent-user",
        "agent-{cluster}",
    ];
    let hub = start("hub", "hub", "h", &hub_cluster, &words);
    let words = ["--hub", "users", "--cluster", "edge"];
    let eve = start("agent", "eve", "x", &cluster, &words);
    eve.wait_err("it is refused", |text| text.contains("is not the agent of"));
    drop(eve);
    let agent = start("agent", "agent-edge", "e", &cluster, &words);
    agent.wait_err("it has its work", |text| {
        text.contains("the hub's work is here")
    });
    assert!(
        get(&hub_cluster, &managed("edge")).is_some(),
        "{}",
        hub.err()
    );
}
