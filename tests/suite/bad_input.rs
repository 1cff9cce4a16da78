//! Whatever is wrong from outside is one line that says what to do: never a panic, never a hang.

use crate::programs::{PATIENCE, Said, Syncer, plugin, run, syncer_command};
use crate::scene::Scene;
use crate::tap::Tap;
use bed::{Authority, Bed, BrokerSetup, Tls, User};
use bytes::Bytes;
use std::io::{Read, Write};
use std::net::TcpListener;

/// One line `error: ...`, exit code 1, nothing on stdout, in time.
fn one_line(said: &Said, words: &str) {
    assert_eq!(said.code(), 1, "{said:?}");
    assert_eq!(said.out, "", "{said:?}");
    let lines: Vec<_> = said.err.lines().collect();
    assert!(
        lines.len() == 1 && lines[0].starts_with("error: "),
        "{said:?}"
    );
    assert!(said.err.contains(words), "{words:?} is not in {said:?}");
    assert!(said.took < PATIENCE / 2, "{said:?}");
}

#[test]
fn a_broker_that_cannot_be_reached() {
    let port = bed::choose_ports(1).unwrap()[0];
    one_line(
        &plugin(&format!("tcp://127.0.0.1:{port}"), &["get", "pods"]),
        &port.to_string(),
    );
    one_line(
        &plugin("tcp://no-such-host.invalid:1883", &["get", "pods"]),
        "no-such-host.invalid",
    );
    one_line(
        &plugin("carrier-pigeon://127.0.0.1", &["get", "pods"]),
        "carrier-pigeon",
    );
    one_line(&plugin("not a url", &["get", "pods"]), "not a url");
}

#[test]
fn wrong_credentials() {
    let bed = Bed::shared().unwrap();
    let broker = bed
        .broker(&BrokerSetup::plain().user("right", "secret"))
        .unwrap();
    let url = |login: &str| broker.url().replace("://", &format!("://{login}@"));
    one_line(&plugin(&url("wrong:guess"), &["get", "pods"]), "user");
    one_line(&plugin(broker.url(), &["get", "pods"]), "user");
    let said = plugin(&url("right:secret"), &["clusters"]);
    assert_eq!(said.code(), 0, "{said:?}");
}

#[test]
fn a_certificate_of_somebody_else() {
    let bed = Bed::shared().unwrap();
    let broker = bed.broker(&BrokerSetup::plain().tls(Tls::Server)).unwrap();
    let other = Authority::new("somebody else").unwrap();
    let file = bed.dir().join("somebody-else.crt");
    std::fs::write(&file, other.certificate()).unwrap();
    let said = plugin(
        broker.url(),
        &["get", "pods", "--ca-crt", file.to_str().unwrap()],
    );
    one_line(&said, "--ca-crt");
    let ca = broker.ca();
    let said = plugin(
        broker.url(),
        &["clusters", "--ca-crt", ca.to_str().unwrap()],
    );
    assert_eq!(said.code(), 0, "{said:?}");
    one_line(
        &plugin(broker.url(), &["clusters", "--ca-crt", "/no/such/file"]),
        "/no/such/file",
    );
}

#[test]
fn a_broker_without_mqtt_5() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", listener.local_addr().unwrap());
    let old = std::thread::spawn(move || {
        // CONNACK of MQTT 3.1.1: "unacceptable protocol version".
        for connection in listener.incoming().take(2) {
            let mut connection = connection.unwrap();
            let mut buffer = [0; 512];
            let _ = connection.read(&mut buffer);
            let _ = connection.write_all(&[0x20, 0x02, 0x00, 0x01]);
        }
    });
    one_line(&plugin(&url, &["get", "pods"]), "MQTT 5");
    drop(old);
}

#[test]
fn names_and_words_that_mean_nothing() {
    let scene = Scene::new("words");
    let cluster = scene.shared();
    let _syncer = scene.syncer(&cluster, &[]);
    let broker = scene.broker.url();
    one_line(
        &plugin(broker, &["get", "pods", "--cluster", "evil\u{1b}[31m"]),
        "--cluster",
    );
    one_line(
        &plugin(broker, &["get", "nosuchthings", "--cluster", "cluster1"]),
        "the server doesn't have a resource type",
    );
    one_line(
        &plugin(
            broker,
            &["get", "pods", "--cluster", "nobody", "--timeout", "1s"],
        ),
        "nobody",
    );
    one_line(
        &plugin(
            broker,
            &["get", "pods", "--cluster", "no*", "--timeout", "1s"],
        ),
        "no*",
    );
    let said = plugin(
        broker,
        &["get", "pods", "-l", "a=(", "--cluster", "cluster1"],
    );
    assert_eq!((said.code(), said.err.lines().count()), (1, 1), "{said:?}");
    for words in [
        &["get", "--nosuchflag"][..],
        &["nosuchverb"],
        &["get", "pods", "-o", "nosuchform"],
    ] {
        let said = plugin(broker, words);
        assert!(
            said.code() == 1 && said.err.starts_with("error: "),
            "{said:?}"
        );
    }
}

#[test]
fn a_syncer_that_cannot_start_says_why() {
    let scene = Scene::new("start");
    let start = |args: &[&str]| run(syncer_command(scene.broker.url(), args));
    one_line(
        &start(&["--cluster", "x", "--kubeconfig", "/no/such/kubeconfig"]),
        "/no/such/kubeconfig",
    );
    one_line(
        &start(&["--cluster", "hub", "--kubeconfig", "/no/such/kubeconfig"]),
        "hub",
    );
    one_line(
        &start(&[
            "--cluster",
            "a\u{202e}b",
            "--kubeconfig",
            "/no/such/kubeconfig",
        ]),
        "--cluster: the cluster's name",
    );
    one_line(
        &start(&["--cluster", "x", "--signal-topic", "a/b/c"]),
        "--signal-topic: topic prefix \"a/b/c\" must be one or two segments",
    );
    for (words, why) in [
        (&["--mirror=false"][..], "nothing to do"),
        (&["--selector", "a=b=c"], "--selector"),
        (&["--cluster", "a\u{202e}b"], "--cluster"),
        (&["--kubeconfig", "/no/such/kubeconfig"], "does not exist"),
        (&["--store", "mysql://x"], "is no store"),
        (&["--history", "never"], "--history"),
    ] {
        let mut command = crate::programs::command("mqtt-informer");
        command.arg("controlplane").args(words);
        one_line(&run(command), why);
    }
    let nowhere = ["--kubeconfig", "/no/such/kubeconfig"];
    for (words, why) in [
        (
            &["agent", "--cluster", "x", nowhere[0], nowhere[1]][..],
            nowhere[1],
        ),
        (&["agent", "--cluster", "hub"], "hub"),
        (
            &["agent", "--cluster", "x", "--signal-topic", "a/b/c"],
            "--signal-topic",
        ),
        (&["hub", nowhere[0], nowhere[1]], nowhere[1]),
        (&["hub", "--name", "a\u{202e}b"], "--name"),
        (&["hub", "--signal-topic", "a/b/c"], "--signal-topic"),
    ] {
        let mut command = crate::programs::command("mqtt-informer");
        command.args(words);
        one_line(&run(command), why);
    }
}

#[test]
fn an_api_server_that_is_down_is_waited_for() {
    let scene = Scene::new("down");
    let port = bed::choose_ports(1).unwrap()[0];
    let file = scene.bed.dir().join("down.kubeconfig");
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: \"http://127.0.0.1:{port}\"}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
    );
    std::fs::write(&file, kubeconfig).unwrap();
    let syncer = Syncer::launch(&scene.options("down", &file, &[]));
    bed::wait_for("words", || {
        Ok(syncer.ready().1.contains(&port.to_string()).then_some(()))
    })
    .unwrap();
    assert!(!syncer.ready().0);
    // It has not taken the name, but nobody else is there to say why there is no answer.
    one_line(
        &scene.plugin("get pods --cluster down"),
        "cluster \"down\": its API server has not answered for",
    );
    // It is one of all clusters, and a dead one's presence is not to be cleared while it waits.
    one_line(
        &scene.plugin("get pods"),
        "cluster \"down\": its API server has not answered for",
    );
    let clusters = scene.plugin("clusters").out;
    assert!(clusters.contains("down   stale"), "{clusters}");
    one_line(&scene.plugin("clusters forget down"), "stop it first");
}

#[test]
fn a_syncer_that_fails_to_start_is_no_cluster() {
    let scene = Scene::new("ghost");
    let cluster = scene.shared();
    let kubeconfig = cluster.kubeconfig(User::Admin);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = syncer_command(scene.broker.url(), &["--cluster", "ghost"]);
    command.arg("--kubeconfig").arg(&kubeconfig);
    command.args(["--listen", &address]);
    one_line(&run(command), "choose an address that is free");
    one_line(&scene.plugin("get ns"), "no cluster is known");
}

#[test]
fn a_clusters_name_may_be_any_text() {
    let scene = Scene::new("odd-name");
    let kubeconfig = scene.shared().kubeconfig(User::Admin);
    let name = "a b/#+\u{e9}";
    let _syncer = Syncer::start(&scene.options(name, &kubeconfig, &[]));
    let said = plugin(scene.broker.url(), &["get", "ns", "--cluster", name]);
    assert!(
        said.code() == 0 && said.out.contains("kube-system"),
        "{said:?}"
    );
}

#[test]
fn a_client_id_that_was_taken_over_is_named() {
    let scene = Scene::new("taken");
    let cluster = scene.shared();
    let first = scene.syncer(&cluster, &["--client-id", "twin"]);
    let kubeconfig = cluster.kubeconfig(User::Admin);
    let _second = Syncer::launch(&scene.options("another", &kubeconfig, &["--client-id", "twin"]));
    first
        .process
        .wait_err("the log names the id", |log| log.contains("twin"));
}

#[test]
fn hostile_bytes_on_every_topic_change_nothing() {
    let scene = Scene::new("hostile");
    let cluster = scene.shared();
    let syncer = scene.syncer(&cluster, &[]);
    let watch = scene.watch("get ns --cluster cluster1 -w");
    watch.wait_out("rows", |out| out.contains("kube-system"));
    // The topics are real ones: of this watch, of this source, of everybody.
    let tap = Tap::start(scene.broker.url());
    scene.plugin("get ns --cluster cluster1");
    let heard = tap.wait_for("messages of all kinds", |heard| {
        let seen = |part: &str| heard.iter().any(|(topic, _)| topic.contains(part));
        ["/signal/", "/live/", "/reply/", "/presence"]
            .into_iter()
            .all(seen)
    });
    let mut messages: Vec<(String, Bytes)> = Vec::new();
    for (topic, payload) in heard.iter().take(60) {
        messages.extend(garbage().map(|payload| (topic.clone(), payload)));
        // Another's presence can end a writer's service, which the broker's ACL has to prevent.
        if !topic.ends_with("/presence") {
            messages.extend(damaged(payload).map(|payload| (topic.clone(), payload)));
        }
    }
    messages.extend(garbage().map(|payload| ("/payload/evil/presence".to_owned(), payload)));
    tap.publish(messages);
    let namespace = cluster.namespace("hostile").unwrap();
    watch.wait_out("the new namespace", |out| out.contains(&namespace));
    let said = scene.plugin("get ns --cluster cluster1 -o name");
    assert!(
        said.code() == 0 && said.out.contains(&namespace),
        "{said:?}"
    );
    assert!(!watch.out().contains('\u{1b}') && !watch.err().contains('\u{1b}'));
    assert!(syncer.ready().0, "{:?}", syncer.ready());
}

/// Nothing that a program of ours writes: other bytes, our first byte with nothing and with nonsense behind it,
/// messages that claim to be compressed, to be of another version, to be endless.
fn garbage() -> impl Iterator<Item = Bytes> {
    let fixed: [&[u8]; 9] = [
        b"",
        b"\xff\xff\xff\xff",
        b"\x1b[31mred",
        b"\xa1",
        b"\xa1\x00\xff\xff\xff\xff",
        b"\xa1\x00\x0a\xff\xff\xff\xff\x0f",
        b"\xa1\x01\x28\xb5\x2f\xfd\xa4\xff\xff\xff\xff",
        b"\xa2\x00",
        b"\xa1\x00\x0a\x07\x1b[31mred",
    ];
    fixed.into_iter().map(Bytes::from_static)
}

/// A real message, cut short in many places, and with a bit wrong in each part of what it carries. Not in its epoch: a
/// message that says in good order that there is a newer source is the broker's ACL to prevent.
fn damaged(payload: &Bytes) -> impl Iterator<Item = Bytes> {
    let cut = (2..payload.len())
        .step_by(1 + payload.len() / 8)
        .map(|length| payload.slice(..length));
    let flipped = (payload.len() / 2..payload.len())
        .step_by(1 + payload.len() / 16)
        .map(|place| {
            let mut bytes = payload.to_vec();
            bytes[place] ^= 0x10;
            Bytes::from(bytes)
        });
    cut.chain(flipped).collect::<Vec<_>>().into_iter()
}
