//! What one command keeps for the next: fewer bytes, the same rows; and what is shown without a broker.

use super::cli::plugin;
use super::wire::Wire;
use mqtt_informer::cli::BrokerArgs;
use mqtt_informer::informer::{Informer, LinkState};
use mqtt_informer::link::embedded::EmbeddedBroker;
use mqtt_informer::link::{BrokerOptions, mqtt};
use mqtt_informer::playground::{Playground, Spec};
use mqtt_informer::protocol::topics::Topics;
use mqtt_informer::replica::Settings;
use mqtt_informer::syncer::{self, SyncerArgs};
use serde_json::{Value, json};
use snapbox::cmd::OutputAssert;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// A cluster behind a broker, a wire to that broker which counts, and a home with a cache.
struct Scene {
    runtime: Runtime,
    playground: Playground,
    wire: Wire,
    home: tempfile::TempDir,
    _stop: watch::Sender<bool>,
    _broker: EmbeddedBroker,
}

fn scene(pods: usize) -> Scene {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let home = tempfile::tempdir().unwrap();
    let (playground, broker, wire, stop) = runtime.block_on(async {
        let playground = Playground::start(Spec::empty()).await.unwrap();
        for number in 0..pods {
            playground.put("pods", pod(number, 0));
        }
        let loopback = "127.0.0.1:0".parse().unwrap();
        let broker = EmbeddedBroker::start(loopback).await.unwrap();
        let kubeconfig = home.path().join("kubeconfig");
        fs::write(&kubeconfig, playground.kubeconfig()).unwrap();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(syncer::run(syncer_of(&broker.url(), kubeconfig), stopped));
        let wire = Wire::start(&broker.url()).await;
        is_there(&broker.url()).await;
        (playground, broker, wire, stop)
    });
    Scene {
        runtime,
        playground,
        wire,
        home,
        _stop: stop,
        _broker: broker,
    }
}

async fn is_there(url: &str) {
    let connection = mqtt::connect(BrokerOptions::new(url, "waiting")).unwrap();
    let informer = Informer::start(connection, Topics::default(), Settings::default()).unwrap();
    let mut link = informer.link_state();
    link.wait_for(|state| *state == LinkState::Up)
        .await
        .unwrap();
    let mut clusters = informer.clusters();
    clusters.wait_for(|known| !known.is_empty()).await.unwrap();
}

fn syncer_of(url: &str, kubeconfig: PathBuf) -> SyncerArgs {
    let broker = BrokerArgs {
        broker: url.to_owned(),
        username: None,
        password: None,
        password_file: None,
        tls: false,
        ca_crt: None,
        client_crt: None,
        client_key: None,
        client_id: None,
        signal_topic: "/signal".to_owned(),
        payload_topic: "/payload".to_owned(),
        qos: 1,
    };
    SyncerArgs {
        logs: false,
        broker,
        cluster: "east".to_owned(),
        kubeconfig: Some(kubeconfig),
        retained: true,
        labels: vec![("env".to_owned(), "prod".to_owned())],
        listen: None,
        show_secrets: false,
        max_streams: 256,
        max_streams_per_user: 64,
        heartbeat: Duration::from_secs(2),
        linger: Duration::from_secs(30),
    }
}

/// A pod as rows see it; `restarts` is what changes.
fn pod(number: usize, restarts: u32) -> Value {
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (hash, node) = (mixed >> 40, mixed % 97);
    let app = ["checkout", "cart", "ledger", "search", "mailer", "audit"][number % 6];
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": format!("{app}-{hash:06x}-{number:05x}"),
            "namespace": format!("team-{}", number % 23),
            "uid": format!("{:08x}-0000-4000-8000-{mixed:016x}", number),
            "creationTimestamp": format!("2024-11-{:02}T{:02}:{:02}:00Z", number % 28 + 1, number % 24, number % 60),
            "labels": {"app.kubernetes.io/name": app, "pod-template-hash": format!("{hash:06x}")},
        },
        "spec": {"nodeName": format!("node-{node}"), "containers": [{"name": app, "image": "x"}]},
        "status": {
            "phase": "Running",
            "podIP": format!("10.{}.{}.{}", mixed >> 8 & 255, mixed >> 16 & 255, mixed >> 24 & 255),
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{
                "name": app, "ready": true, "restartCount": restarts, "started": true,
                "state": {"running": {"startedAt": "2024-11-20T00:00:00Z"}},
            }],
        },
    })
}

impl Scene {
    fn run(&self, words: &str) -> OutputAssert {
        let url = self.wire.url();
        let words: Vec<_> = words.split(' ').chain(["--broker", &url]).collect();
        let home = self.home.path();
        plugin(&words).env("HOME", home).assert()
    }

    fn out(&self, words: &str) -> String {
        let output = self.run(words).success().stderr_eq("").get_output().clone();
        String::from_utf8(output.stdout).unwrap()
    }

    /// How many bytes cross the wire, both ways, while a command runs; and what it prints.
    fn counted(&self, words: &str) -> (u64, String) {
        let before = self.wire.bytes();
        // A busy machine may list for so long that the rows count as old.
        let output = self.run(words).success().get_output().clone();
        let out = String::from_utf8(output.stdout).unwrap();
        (self.wire.bytes() - before, out)
    }

    fn cached(&self) -> Vec<PathBuf> {
        files(&self.home.path().join(".cache"))
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

/// The promise: a warm `get pods -A` of 10,000 pods of which 0.1 % changed moves less than 3 % of the cold one's bytes.
#[test]
fn a_warm_get_moves_what_changed_and_shows_all() {
    let scene = scene(10_000);
    let words = "get pods -A --cluster east --timeout 120s --allow-partial";
    let (cold, before) = scene.counted(words);
    assert_eq!(before.lines().count(), 10_001);
    for number in 0..10 {
        scene.playground.put("pods", pod(number * 997, 7));
    }
    let (warm, after) = scene.counted(words);
    let restarted = |out: &str| out.lines().filter(|line| line.contains("   7 ")).count();
    assert_eq!((restarted(&before), restarted(&after)), (0, 10));
    assert_eq!(after.lines().count(), 10_001);
    let share = warm as f64 / cold as f64;
    let told = format!("{warm} of {cold} bytes: {:.2} %", share * 100.0);
    eprintln!("{told}");
    assert!(share < 0.03, "{told}");
    // Nothing at all changed since.
    let (idle, again) = scene.counted(words);
    assert_eq!(again.lines().count(), 10_001);
    assert!(idle < warm, "{idle} bytes for nothing, {warm} for ten pods");
    assert_eq!(scene.cached().len(), 1);
}

#[test]
fn what_is_kept_is_its_owner_s_and_can_be_forbidden() {
    let scene = scene(3);
    scene.out("get pods -A --no-cache");
    assert!(scene.cached().is_empty());
    scene.out("get pods -A");
    scene.out("get po -A -o json");
    let cached = scene.cached();
    assert_eq!(cached.len(), 2, "{cached:?}");
    for path in &cached {
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o600);
        let folders = path.ancestors().skip(1).take(3);
        for folder in folders {
            assert_eq!(
                fs::metadata(folder).unwrap().mode() & 0o777,
                0o700,
                "{}",
                folder.display()
            );
        }
    }
    scene.out("get pods -A --cache-size 0");
    assert!(
        scene.cached().is_empty(),
        "a cache of no size keeps nothing"
    );
}

#[test]
fn secrets_are_not_kept() {
    let scene = scene(1);
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": {"key": "dmFsdWU="},
        "metadata": {"name": "s", "namespace": "default", "labels": {"mqtt-resource": "true"}},
    });
    scene.playground.put("secrets", secret);
    for words in [
        "get secrets",
        "get secret s -o yaml",
        "get secrets -A -o json",
    ] {
        let output = scene.run(words).success().get_output().clone();
        // What is printed whole says that its values were left out.
        let is_told =
            String::from_utf8_lossy(&output.stderr).starts_with("note: values of Secrets");
        assert_eq!(is_told, words.contains("-o"), "{words}");
        assert!(!output.stdout.is_empty());
        assert!(scene.cached().is_empty(), "{words}");
    }
}

#[test]
fn without_a_broker_what_was_kept_is_shown_with_its_age() {
    let mut scene = scene(30);
    let online = scene.out("get pods -A");
    scene.out("get pods -A -o json");
    scene.runtime.block_on(scene.wire.cut());
    let offline = scene
        .run("get pods -A --offline")
        .success()
        .get_output()
        .clone();
    assert_eq!(String::from_utf8(offline.stdout).unwrap(), online);
    let said = String::from_utf8(offline.stderr).unwrap();
    assert!(
        said.starts_with("cluster \"east\": offline, as it was ") && said.lines().count() == 1,
        "{said}"
    );
    // A part of what is kept is kept, too; under every name.
    let part = |words: &str| {
        let output = scene.run(words).success().get_output().clone();
        String::from_utf8(output.stdout).unwrap().lines().count()
    };
    assert_eq!(part("get pod -n team-3 --offline --no-headers"), 2);
    assert_eq!(
        part("get pods -A -l app.kubernetes.io/name=cart --offline --no-headers"),
        5
    );
    assert_eq!(
        part("get pods -A --cluster-selector env=prod --offline --no-headers"),
        30
    );
    scene
        .run("get svc -A --cluster east --offline")
        .code(1)
        .stdout_eq("")
        .stderr_eq("error: nothing of this is in the cache: run the same without --offline once\n");
    scene.run("get pods --offline -w").code(1).stdout_eq("");
    scene.run("clusters --offline").code(1).stdout_eq("");
    scene
        .run("get pods --offline --no-cache")
        .code(1)
        .stdout_eq("");
}

#[test]
fn a_corrupt_file_costs_one_warning_and_nothing_else() {
    let scene = scene(30);
    let good = scene.out("get pods -A");
    let file = scene.cached().remove(0);
    let whole = fs::read(&file).unwrap();
    let mut corrupt = whole.clone();
    let middle = corrupt.len() / 2;
    corrupt[middle] ^= 0x10;
    let broken: [(&str, &[u8], u32); 4] = [
        ("its checksum does not match", &corrupt, 0o600),
        (
            "its checksum does not match",
            &whole[..whole.len() - 1],
            0o600,
        ),
        ("no copy of a stream", b"#!/bin/sh", 0o600),
        ("not a file of its own user's only", &whole, 0o666),
    ];
    for (why, bytes, mode) in broken {
        fs::write(&file, bytes).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let output = scene.run("get pods -A").success().get_output().clone();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.starts_with("warning: cache: discarded ") && said.contains(why),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), good);
        assert_eq!(scene.out("get pods -A"), good, "and it is whole again");
    }
}

#[test]
fn two_commands_at_once_do_not_disturb_each_other() {
    let scene = scene(200);
    let good = scene.out("get pods -A");
    std::thread::scope(|scope| {
        let run = || (0..4).for_each(|_| assert_eq!(scene.out("get pods -A"), good));
        let both = [scope.spawn(run), scope.spawn(run)];
        both.into_iter().for_each(|it| it.join().unwrap());
    });
    assert_eq!(scene.cached().len(), 1);
}
