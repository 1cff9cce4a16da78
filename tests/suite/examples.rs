//! The examples as a reader runs them: built, against a real API server, through a real broker.

use crate::programs::{Background, program_command};
use crate::scene::Scene;
use bed::{Api, Cluster};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// An example in the background, its stderr in a file of the test's.
fn example(scene: &Scene, name: &str, words: &[&str]) -> Background {
    let mut command = program_command(&format!("examples/{name}"));
    command.args(words).args(["--broker", scene.broker.url()]);
    let log = format!("example-{name}-{}.log", scene.broker.port());
    Background::start(command, &scene.bed.dir().join(log))
}

/// The config maps of a namespace, written without kubectl's start-up time.
struct Maps<'a> {
    api: &'a Api,
    path: String,
}

impl<'a> Maps<'a> {
    fn new(cluster: &'a Cluster, namespace: &str) -> Self {
        Self {
            api: cluster.api(),
            path: format!("/api/v1/namespaces/{namespace}/configmaps"),
        }
    }

    fn create(&self, name: &str) {
        let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
        let answer = self.api.post(&self.path, body.to_string());
        answer.unwrap().success().unwrap();
    }

    fn change(&self, name: &str, value: usize) {
        let body = json!({"data": {"v": value.to_string()}}).to_string();
        let answer = self.api.merge(&format!("{}/{name}", self.path), body);
        answer.unwrap().success().unwrap();
    }

    fn delete(&self, name: &str) {
        let answer = self.api.delete(&format!("{}/{name}", self.path));
        answer.unwrap().success().unwrap();
    }

    /// Name to resourceVersion.
    fn truth(&self) -> BTreeMap<String, u64> {
        let list = self.api.get(&self.path).unwrap().json().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let item = |item: &Value| {
            let version = text(&item["metadata"]["resourceVersion"]);
            (text(&item["metadata"]["name"]), version.parse().unwrap())
        };
        list["items"].as_array().unwrap().iter().map(item).collect()
    }
}

#[test]
fn the_viewer_shows_what_comes_and_goes() {
    let scene = Scene::new("viewer");
    let cluster = scene.shared();
    let namespace = cluster.namespace("viewer").unwrap();
    let maps = Maps::new(&cluster, &namespace);
    let _syncer = scene.syncer(&cluster, &[]);
    maps.create("one");
    let viewer = example(&scene, "viewer", &["configmaps", "--cluster", "cluster?"]);
    let here = format!("cluster1 {namespace}/one is here\n");
    viewer.wait_out("what is there", |out| out.contains(&here));
    maps.delete("one");
    let gone = format!("cluster1 {namespace}/one is gone\n");
    viewer.wait_out("what goes", |out| out.contains(&gone));
}

#[test]
fn a_reflector_of_kube_rs_runs_over_the_broker() {
    let scene = Scene::new("reflector");
    let cluster = scene.shared();
    let namespace = cluster.namespace("reflector").unwrap();
    let maps = Maps::new(&cluster, &namespace);
    let _syncer = scene.syncer(&cluster, &[]);
    maps.create("one");
    maps.create("two");
    let reflector = example(&scene, "reflector", &["cluster1", "-n", &namespace]);
    // How many there are depends on whether a controller runs that puts one into each namespace.
    let says = |event: &str| reflector.wait_out(event, |out| out.contains(event));
    let first = says("InitDone: ");
    assert!(!first.starts_with("InitDone: 0"), "{first}");
    maps.create("three");
    says("Apply(three): ");
    maps.delete("one");
    says("Delete(one): ");
}

/// What a controller printed, read in order.
#[derive(Debug, Default)]
struct Reconciled {
    /// The version of each object that was last reconciled, and not deleted since.
    present: BTreeMap<String, u64>,
    deleted: BTreeSet<String>,
    /// Reconciled at an older version than before.
    backwards: Vec<String>,
}

impl Reconciled {
    fn read(out: &str) -> Self {
        let mut read = Self::default();
        // The newest version seen of each name, and the last one before its end.
        let (mut newest, mut ended) = (BTreeMap::new(), BTreeMap::new());
        for line in out.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let (name, version): (_, u64) = (words[2].to_owned(), words[3].parse().unwrap());
            if words[0] == "deleted" {
                read.present.remove(&name);
                read.deleted.insert(name.clone());
                ended.insert(name, version);
                continue;
            }
            // Events are printed as they pass, reconciliations a moment later: one may have begun before the end.
            if ended.get(&name) >= Some(&version) {
                continue;
            }
            if newest.insert(name.clone(), version) > Some(version) {
                read.backwards.push(line.to_owned());
            }
            read.present.insert(name, version);
        }
        read
    }
}

/// The controller has reconciled the last state of everything that is there, and seen the end of everything that is
/// not.
fn settled(controller: &Background, maps: &Maps<'_>, when: &str) -> Reconciled {
    let truth = maps.truth();
    let out = controller.wait_out(when, |out| Reconciled::read(out).present == truth);
    let read = Reconciled::read(&out);
    assert!(read.backwards.is_empty(), "{when}: {:?}", read.backwards);
    read
}

/// Changes, creates and deletes objects until it is told to stop; at least one round. Each round leaves the world
/// another one: two objects are new, two are gone for good, one was made again.
fn churn(maps: &Maps<'_>, round: &AtomicU64, stop: &AtomicBool) {
    loop {
        let number = round.fetch_add(1, Ordering::SeqCst);
        for kept in 0..5 {
            maps.change(&format!("kept-{kept}"), usize::try_from(number).unwrap());
        }
        maps.delete("again");
        maps.create("again");
        for half in ["a", "b"] {
            maps.create(&format!("round-{number}-{half}"));
            maps.delete(&format!("round-{}-{half}", number - 1));
        }
        if stop.load(Ordering::SeqCst) {
            return;
        }
    }
}

/// Runs `faults` while objects change.
fn under_churn(maps: &Maps<'_>, round: &AtomicU64, faults: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    let begin = round.load(Ordering::SeqCst);
    std::thread::scope(|scope| {
        scope.spawn(|| churn(maps, round, &stop));
        bed::wait_for("objects change", || {
            Ok((round.load(Ordering::SeqCst) > begin + 1).then_some(()))
        })
        .unwrap();
        faults();
        stop.store(true, Ordering::SeqCst);
    });
}

#[test]
fn a_controller_misses_nothing_while_broker_and_syncer_die() {
    let scene = Scene::new("controller");
    let cluster = scene.shared();
    let namespace = cluster.namespace("controller").unwrap();
    let maps = Maps::new(&cluster, &namespace);
    for name in [
        "kept-0",
        "kept-1",
        "kept-2",
        "kept-3",
        "kept-4",
        "again",
        "lost",
        "round-0-a",
        "round-0-b",
    ] {
        maps.create(name);
    }
    let mut syncer = scene.syncer(&cluster, &["--client-id", "one"]);
    let controller = example(&scene, "controller", &["cluster1", "-n", &namespace]);
    settled(&controller, &maps, "the first objects");

    let round = AtomicU64::new(1);
    under_churn(&maps, &round, || {
        scene.broker.component().kill_9().unwrap();
        maps.delete("lost");
        scene.broker.component().restart().unwrap();
    });
    let read = settled(&controller, &maps, "after the broker's death");
    assert!(
        read.deleted.contains("lost") && read.deleted.contains("round-0-a"),
        "{read:?}"
    );

    maps.create("lost-too");
    settled(&controller, &maps, "in peace");
    let mut next = None;
    under_churn(&maps, &round, || {
        syncer.process.kill_9();
        maps.delete("lost-too");
        next = Some(scene.syncer(&cluster, &["--client-id", "two"]));
    });
    let read = settled(&controller, &maps, "after the syncer's death");
    assert!(read.deleted.contains("lost-too"), "{read:?}");
}
