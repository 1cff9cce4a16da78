//! `mqtt-informer broker`: the broker for a trial, as a program, with real programs on it.

use crate::programs::{Background, Said, Syncer, SyncerOptions, broker_command, plugin, run};
use bed::{Bed, User};
use std::net::TcpListener;

/// A broker on a free port, and the URL that it says.
fn start(listen: &str, log: &str) -> (Background, String) {
    let log = Bed::shared().unwrap().dir().join(log);
    let broker = Background::start(broker_command(&["--listen", listen]), &log);
    let said = broker.wait_out("what to type next", |out| {
        out.contains("kubectl mqinformer")
    });
    let typed = said.split("--broker ").nth(1).unwrap();
    let url = typed.split_whitespace().next().unwrap().to_owned();
    (broker, url)
}

/// One line that names `words`, and nothing on stdout.
fn one_line(said: &Said, words: &[&str]) {
    assert_eq!((said.code(), said.out.as_str()), (1, ""), "{said:?}");
    assert!(
        said.err.starts_with("error: ") && said.err.lines().count() == 1,
        "{said:?}"
    );
    for word in words {
        assert!(said.err.contains(word), "{word:?} is not in {said:?}");
    }
}

#[test]
fn a_cluster_is_seen_through_it_and_it_ends_when_asked() {
    let bed = Bed::shared().unwrap();
    let (mut broker, url) = start("127.0.0.1:0", "broker-role.log");
    let cluster = bed.cluster("cluster1").unwrap();
    let namespace = cluster.namespace("trial").unwrap();
    let syncer = Syncer::start(&SyncerOptions {
        broker: &url,
        cluster: "cluster1",
        kubeconfig: &cluster.kubeconfig(User::Admin),
        dir: bed.dir(),
        more: &[],
    });
    cluster
        .kubectl_ok(&["-n", &namespace, "create", "cm", "seen"])
        .unwrap();
    let said = plugin(
        &url,
        &["get", "cm", "-n", &namespace, "--cluster", "cluster1"],
    );
    assert!(said.code() == 0 && said.out.contains("seen"), "{said:?}");

    // With clients on it, and quickly: they are told, and nobody waits for them.
    let begin = std::time::Instant::now();
    assert!(broker.terminate().success(), "{}", broker.err());
    assert!(begin.elapsed() < std::time::Duration::from_secs(4));
    assert_eq!(broker.err(), "", "on loopback there is nothing to warn of");
    bed::wait_for("a syncer without a broker", || {
        Ok((!syncer.ready().0).then_some(()))
    })
    .unwrap();
    let said = plugin(&url, &["clusters"]);
    assert_eq!(said.code(), 1, "{said:?}");
}

#[test]
fn on_other_addresses_it_says_what_it_lacks() {
    let (mut broker, url) = start("0.0.0.0:0", "broker-open.log");
    let warning = broker.wait_err("a warning", |err| err.ends_with('\n'));
    assert_eq!(warning.lines().count(), 1, "{warning}");
    assert!(
        warning.starts_with("warning: everybody who reaches 0.0.0.0:")
            && warning.contains("mosquitto"),
        "{warning}"
    );
    // The URL that it says to type is one that works here.
    let said = plugin(&url, &["clusters"]);
    assert_eq!(said.code(), 0, "{said:?}");
    assert!(broker.terminate().success());
}

#[test]
fn an_address_that_is_not_to_be_had_is_one_line() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    let listen = |address: &str| run(broker_command(&["--listen", address]));
    one_line(
        &listen(&address),
        &[&address, "in use", "choose another port"],
    );
    one_line(
        &listen("192.0.2.1:1883"),
        &["192.0.2.1:1883", "an address of this machine"],
    );
    for wrong in ["localhost", "1883", "no.such.host:1883", "127.0.0.1:99999"] {
        one_line(&listen(wrong), &["--listen", wrong, "is no address"]);
    }
}
