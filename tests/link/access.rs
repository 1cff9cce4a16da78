//! Who gets in, and to what: the samples, as users get them.

use crate::client::{Client, message};
use crate::mosquitto::{Mosquitto, executable};
use mqtt_informer::link::{BrokerOptions, Failure};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::fs;
use std::path::Path;
use std::process::Command;

struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    /// Writes its certificate as `<name>.crt`.
    fn new(directory: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        fs::write(directory.join(format!("{name}.crt")), certificate.pem()).unwrap();
        Self(Issuer::new(params, key))
    }

    /// Writes `<file>.crt` and `<file>.key`.
    fn issue(&self, directory: &Path, file: &str, common_name: &str, host: &[String]) {
        let mut params = CertificateParams::new(host).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        fs::write(directory.join(format!("{file}.crt")), certificate.pem()).unwrap();
        fs::write(directory.join(format!("{file}.key")), key.serialize_pem()).unwrap();
    }
}

const USERS: [&str; 4] = ["cluster1", "cluster2", "hub", "alice"];

/// The sample for open networks; each user's password is its name.
pub fn secure(change: impl FnOnce(String) -> String) -> Mosquitto {
    let sample = include_str!("../../samples/mosquitto-secure.conf")
        .replace("listener 8883", "listener PORT 127.0.0.1")
        .replace("/etc/mosquitto", "DIR");
    Mosquitto::start_with(&change(sample), |directory| {
        let authority = Authority::new(directory, "ca");
        Authority::new(directory, "other");
        let hosts = ["127.0.0.1".to_owned()];
        authority.issue(directory, "server", "broker", &hosts);
        authority.issue(directory, "client", "cluster1", &[]);
        let acl = include_str!("../../samples/acl.conf");
        fs::write(directory.join("acl.conf"), acl).unwrap();
        let passwords = directory.join("passwords");
        fs::write(&passwords, "").unwrap();
        for user in USERS {
            let status = Command::new(executable("mosquitto_passwd"))
                .arg("-b")
                .arg(&passwords)
                .args([user, user])
                .status();
            assert!(status.unwrap().success());
        }
    })
}

pub fn anonymous(broker: &Mosquitto, id: &str) -> BrokerOptions {
    let mut options = BrokerOptions::new(format!("mqtts://127.0.0.1:{}", broker.port), id);
    options.ca_crt = Some(broker.directory.path().join("ca.crt"));
    options
}

fn user(broker: &Mosquitto, name: &str) -> BrokerOptions {
    let mut options = anonymous(broker, name);
    options.username = Some(name.to_owned());
    options.password = Some(name.into());
    options
}

async fn failure(options: BrokerOptions) -> Failure {
    let failure = Client::start(options).down().await;
    assert!(!failure.message.contains('\n'), "{failure}");
    assert!(failure.permanent, "{failure}");
    failure
}

#[tokio::test]
async fn each_is_kept_to_its_own() {
    let broker = secure(|sample| sample);
    let mut syncer = Client::connected(user(&broker, "cluster1"), &["#"]).await;
    let mut viewer = Client::connected(user(&broker, "alice"), &["#"]).await;
    let mut hub = Client::connected(user(&broker, "hub"), &["#"]).await;
    assert_eq!(viewer.link.user(), "alice");

    let allowed = [
        ("syncer", "/payload/cluster1/presence"),
        ("syncer", "/signal/cluster1/cluster1/s"),
        ("syncer", "/payload/cluster1/reply/alice/s"),
        ("syncer", "/payload/cluster1/live/pods.v1./-/hash"),
        ("viewer", "/signal/cluster1/alice/s"),
        ("viewer", "/signal/-/alice/s"),
        ("syncer", "/signal/hub/cluster1/s"),
        ("hub", "/payload/hub/presence"),
        ("hub", "/payload/hub/live/work/cluster2/hash"),
        ("hub", "/payload/hub/reply/cluster1/s"),
        ("hub", "/signal/cluster1/hub/s"),
        ("hub", "/signal/-/hub/s"),
    ];
    let forbidden = [
        ("syncer", "/payload/cluster2/presence"),
        ("syncer", "/payload/cluster2/live/pods.v1./-/hash"),
        ("syncer", "/signal/cluster2/cluster1/s"),
        ("syncer", "/signal/cluster1/alice/s"),
        ("viewer", "/signal/cluster1/bob/s"),
        ("viewer", "/payload/cluster1/presence"),
        ("viewer", "/payload/cluster1/live/pods.v1./-/hash"),
        // An agent is not the hub, nor another agent.
        ("syncer", "/payload/hub/presence"),
        ("syncer", "/payload/hub/live/work/cluster1/hash"),
        ("syncer", "/payload/hub/reply/cluster2/s"),
        ("syncer", "/signal/hub/cluster2/s"),
        ("syncer", "/payload/cluster2/live/status/hub/hash"),
        ("viewer", "/signal/hub/cluster1/s"),
        ("viewer", "/payload/hub/live/work/cluster1/hash"),
        ("hub", "/payload/cluster1/presence"),
        ("hub", "/signal/cluster1/alice/s"),
    ];
    for (number, (who, topic)) in (1..).zip(allowed) {
        let client = match who {
            "syncer" => &mut syncer,
            "hub" => &mut hub,
            _ => &mut viewer,
        };
        client.publish(topic, "", number);
        assert_eq!(client.acknowledged().await, number, "{who} {topic}");
    }
    for (number, (who, topic)) in (1..).zip(forbidden) {
        let client = match who {
            "syncer" => &mut syncer,
            "hub" => &mut hub,
            _ => &mut viewer,
        };
        client.publish(topic, "", number);
        let (ticket, reason) = client.refused().await;
        assert_eq!(ticket, number, "{who} {topic}");
        assert!(reason.contains("not authorized"), "{reason}");
    }
}

#[tokio::test]
async fn each_hears_its_own() {
    let broker = secure(|sample| sample);
    let mut cluster1 = Client::connected(user(&broker, "cluster1"), &["#"]).await;
    let mut alice = Client::connected(user(&broker, "alice"), &["#"]).await;
    let cluster2 = Client::connected(user(&broker, "cluster2"), &[]).await;

    // One of another's first, then one's own: what is heard first tells.
    for topic in [
        "/payload/cluster2/reply/alice/s",
        "/payload/cluster2/reply/bob/s",
        "/payload/cluster2/live/pods.v1./-/hash",
        "/payload/cluster2/presence",
    ] {
        cluster2.link.publish(message(topic, "", false, 0));
    }
    alice.publish("/signal/cluster2/alice/s", "", 0);
    alice.publish("/signal/cluster1/alice/s", "", 0);
    alice.publish("/signal/-/alice/s", "", 0);
    cluster1.publish("/payload/cluster1/live/x", "", 0);

    let heard = |topics: Vec<(String, String, bool)>| -> Vec<String> {
        topics.into_iter().map(|(topic, ..)| topic).collect()
    };
    let mut by_alice = Vec::new();
    for _ in 0..5 {
        by_alice.push(alice.message().await);
    }
    let mut by_alice = heard(by_alice);
    by_alice.sort();
    assert_eq!(
        by_alice,
        [
            "/payload/cluster1/live/x",
            "/payload/cluster2/live/pods.v1./-/hash",
            "/payload/cluster2/presence",
            "/payload/cluster2/reply/alice/s",
            "/signal/-/alice/s", // what is asked of everybody, everybody may hear
        ]
    );
    let mut by_cluster = heard(vec![
        cluster1.message().await,
        cluster1.message().await,
        cluster1.message().await,
    ]);
    by_cluster.sort();
    assert_eq!(
        by_cluster,
        [
            "/payload/cluster1/live/x",
            "/signal/-/alice/s",
            "/signal/cluster1/alice/s",
        ]
    );
}

#[tokio::test]
async fn work_is_heard_by_its_own_cluster_only() {
    let broker = secure(|sample| sample);
    let hub = Client::connected(user(&broker, "hub"), &[]).await;
    let mut agent = Client::connected(user(&broker, "cluster2"), &[]).await;
    let mut heard = Vec::new();
    for name in ["cluster1", "alice", "hub"] {
        let mut options = user(&broker, name);
        options.client_id = format!("{name}-hears");
        heard.push(Client::connected(options, &["#"]).await);
    }
    // What everybody of them hears comes last.
    for topic in [
        "/payload/hub/live/work/cluster2/hash",
        "/payload/hub/reply/cluster2/s",
        "/payload/hub/live/work/cluster1/hash",
    ] {
        hub.link.publish(message(topic, "", false, 0));
    }
    agent.publish("/payload/cluster2/live/status/hub/h", "", 1);
    assert_eq!(agent.acknowledged().await, 1);
    hub.link
        .publish(message("/payload/hub/presence", "", false, 0));
    let wanted: [&[&str]; 3] = [
        &["/payload/hub/live/work/cluster1/hash"],
        &["/payload/cluster2/live/status/hub/h"],
        // As a source, it hears itself.
        &[
            "/payload/hub/live/work/cluster2/hash",
            "/payload/hub/reply/cluster2/s",
            "/payload/hub/live/work/cluster1/hash",
            "/payload/cluster2/live/status/hub/h",
        ],
    ];
    for (mut client, wanted) in heard.into_iter().zip(wanted) {
        let mut topics = Vec::new();
        loop {
            match client.message().await.0 {
                last if last == "/payload/hub/presence" => break,
                topic => topics.push(topic),
            }
        }
        topics.sort();
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        assert_eq!(topics, wanted);
    }
}

#[tokio::test]
async fn strangers_are_told_what_to_check() {
    let broker = secure(|sample| sample);
    let failure_of_stranger = failure(anonymous(&broker, "x")).await;
    let words = "does not let anonymous clients in: check --username";
    assert!(
        failure_of_stranger.message.contains(words),
        "{failure_of_stranger}"
    );

    let mut options = user(&broker, "alice");
    options.password = Some("wrong".into());
    let wrong = failure(options).await;
    assert!(wrong.message.contains("the user \"alice\" in"), "{wrong}");
    assert!(!wrong.message.contains("wrong"), "{wrong}");
}

#[tokio::test]
async fn an_authority_that_is_not_the_brokers() {
    let broker = secure(|sample| sample);
    let mut options = user(&broker, "alice");
    options.ca_crt = Some(broker.directory.path().join("other.crt"));
    let failure = failure(options).await;
    assert!(failure.message.contains("--ca-crt"), "{failure}");
}

#[tokio::test]
async fn a_host_that_is_not_in_the_certificate() {
    let broker = secure(|sample| sample);
    let mut options = user(&broker, "alice");
    options.url = options.url.replace("127.0.0.1", "localhost");
    let failure = failure(options).await;
    assert!(
        failure.message.contains("not for the host \"localhost\""),
        "{failure}"
    );
}

#[tokio::test]
async fn encryption_where_there_is_none() {
    let broker = Mosquitto::start();
    let mut options = BrokerOptions::new(broker.url(), "me");
    options.tls = true;
    let failure = Client::start(options).down().await;
    assert!(failure.message.contains("TLS"), "{failure}");
}

#[tokio::test]
async fn no_encryption_where_it_is_wanted() {
    let broker = secure(|sample| sample);
    let failure = Client::start(BrokerOptions::new(broker.url(), "me"))
        .down()
        .await;
    assert!(failure.message.contains("mqtts://"), "{failure}");
}

#[tokio::test]
async fn a_certificate_is_a_user() {
    let broker = secure(|sample| {
        sample
            .replace(
                "require_certificate false",
                "require_certificate true\nuse_identity_as_username true",
            )
            .replace("password_file", "# password_file")
    });
    let mut options = anonymous(&broker, "x");
    let failure = Client::start(options.clone()).down().await;
    assert!(failure.message.contains("client certificate"), "{failure}");

    options.client_crt = Some(broker.directory.path().join("client.crt"));
    options.client_key = Some(broker.directory.path().join("client.key"));
    let mut client = Client::connected(options, &[]).await;
    assert_eq!(client.link.user(), "cluster1");
    client.publish("/payload/cluster1/presence", "", 1);
    client.publish("/payload/cluster2/presence", "", 2);
    assert_eq!(client.acknowledged().await, 1);
    assert_eq!(client.refused().await.0, 2);
}

#[tokio::test]
async fn a_renewed_password_counts_without_a_restart() {
    let mut broker = secure(|sample| sample);
    let file = broker.directory.path().join("password of alice");
    fs::write(&file, "alice\n").unwrap();
    let mut options = user(&broker, "alice");
    options.password = None;
    options.password_file = Some(file.clone());
    let mut client = Client::connected(options, &[]).await;
    broker.kill();
    client.down().await;
    let status = Command::new(executable("mosquitto_passwd"))
        .arg("-b")
        .arg(broker.directory.path().join("passwords"))
        .args(["alice", "renewed"])
        .status();
    assert!(status.unwrap().success());
    fs::write(&file, "renewed\n").unwrap();
    broker.restart();
    client.up().await;
}
