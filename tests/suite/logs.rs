//! `logs` as people run it: a syncer, a broker, and an API server whose containers write what the test wants.

use crate::programs::{Said, Syncer, direct_command, plugin_command, run};
use crate::scene::Scene;
use mqtt_informer::playground::{Playground, Spec};
use serde_json::json;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// A cluster in this process, a broker and a syncer beside it.
struct Stage {
    scene: Scene,
    playground: Playground,
    kubeconfig: PathBuf,
    /// It serves the playground.
    _runtime: Runtime,
}

impl Stage {
    fn new(name: &'static str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let playground = runtime.block_on(Playground::start(Spec::empty())).unwrap();
        let scene = Scene::new(name);
        let kubeconfig = scene.bed.dir().join(format!("{name}-playground.yaml"));
        std::fs::write(&kubeconfig, playground.kubeconfig()).unwrap();
        let stage = Self {
            scene,
            playground,
            kubeconfig,
            _runtime: runtime,
        };
        stage.pod("web-0", &["app", "proxy"]);
        stage
    }

    fn pod(&self, name: &str, containers: &[&str]) {
        self.put_pod(name, containers, 0);
    }

    fn put_pod(&self, name: &str, containers: &[&str], restarts: u64) {
        let named: Vec<_> = containers
            .iter()
            .map(|name| json!({"name": name}))
            .collect();
        let status =
            |name: &&str| json!({"name": name, "restartCount": restarts, "state": {"running": {}}});
        let statuses: Vec<_> = containers.iter().map(status).collect();
        let pod = json!({
            "metadata": {"name": name, "namespace": "shop", "uid": name, "labels": {"app": "web"}},
            "spec": {"containers": named, "nodeName": "n1"},
            "status": {"containerStatuses": statuses},
        });
        self.playground.put("pods", pod);
    }

    fn write(&self, container: &str, line: &str) {
        self.playground.log("shop", "web-0", container, line);
    }

    fn syncer(&self, cluster: &str, more: &[&str]) -> Syncer {
        Syncer::start(&self.scene.options(cluster, &self.kubeconfig, more))
    }

    fn say(&self, words: &str) -> Said {
        self.scene.plugin(words)
    }
}

/// Lines of stdout, in order of their text: logs of several containers come as they come.
fn sorted(said: &Said) -> Vec<String> {
    let mut lines: Vec<_> = said.out.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn logs_cross_a_broker_as_kubectl_prints_them() {
    let stage = Stage::new("logs");
    let _one = stage.syncer("one", &["--logs", "--client-id", "one"]);
    for number in 0..3 {
        stage.write("app", &format!("app {number}"));
    }
    stage.write("proxy", "\x1b[31mproxy\x1b[0m");
    let said = stage.say("logs pod/web-0 -n shop --cluster one");
    assert_eq!(
        (said.out.as_str(), said.err.as_str(), said.code()),
        (
            "app 0\napp 1\napp 2\n",
            "Defaulted container \"app\" out of: app, proxy\n",
            0
        )
    );
    let said = stage.say("logs web -n shop --cluster one --all-containers --tail 1");
    let want = [
        "[pod/web-0/app] app 2",
        "[pod/web-0/proxy] \x1b[31mproxy\x1b[0m",
    ];
    assert_eq!(sorted(&said), want);
    let said = stage.say("logs web -n shop --cluster one -c pro.* --prefix=false");
    assert_eq!(
        said.out, "\x1b[31mproxy\x1b[0m\n",
        "a program gets the bytes"
    );
    let said = stage.say("logs -l app=web -A --cluster one --include [12] --exclude 2 -o json");
    let line: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (&line["message"], &line["cluster"]),
        (&json!("app 1"), &json!("one"))
    );
    let said = stage.say("logs pod/web-0 app -n shop --cluster one --tail 1 --timestamps");
    let (time, text) = said.out.split_once(' ').unwrap();
    assert!(
        time.len() == 30 && time.ends_with('Z') && text == "app 2\n",
        "{said:?}"
    );

    let _two = stage.syncer("two", &["--logs", "--client-id", "two"]);
    let said = stage.say("logs web -n shop -c app --tail 1");
    assert_eq!(
        sorted(&said),
        ["[one/web-0/app] app 2", "[two/web-0/app] app 2"]
    );
}

#[test]
fn a_workload_s_pods_and_the_instance_before() {
    let stage = Stage::new("workload");
    let _syncer = stage.syncer("one", &["--logs"]);
    stage.playground.put(
        "deployments.apps",
        json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"selector": {"matchLabels": {"app": "web"}}}}),
    );
    stage.write("app", "before");
    stage.playground.restart_log("shop", "web-0", "app");
    stage.write("app", "after");
    let said = stage.say("logs deploy/web -n shop --cluster one");
    assert_eq!((said.out.as_str(), said.code()), ("after\n", 0), "{said:?}");
    let said = stage.say("logs deploy/web -n shop --cluster one --previous");
    assert_eq!(said.out, "before\n", "{said:?}");
    let said = stage.say("logs deploy/nosuch -n shop --cluster one");
    let want = "Error from server (NotFound): deployments.apps \"nosuch\" not found\n";
    assert_eq!((said.err.as_str(), said.code()), (want, 1));
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let stage = Stage::new("wrong");
    let off = stage.syncer("off", &["--client-id", "off"]);
    let said = stage.say("logs pod/web-0 -n shop -c app --cluster off");
    let want = "error: its syncer serves no logs: it has to be started with --logs\n";
    assert_eq!((said.err.as_str(), said.code()), (want, 1));
    drop(off);
    let _on = stage.syncer("on", &["--logs", "--client-id", "on"]);
    for (words, want) in [
        (
            "logs pod/nosuch -n shop",
            "error: error from server (NotFound): pods \"nosuch\" not found in namespace \"shop\"\n",
        ),
        (
            "logs pod/web-0 -n shop -c nosuch",
            "error: container nosuch is not valid for pod web-0 out of: app, proxy\n",
        ),
        (
            "logs nothing.like -n shop",
            "error: no pod's name matches \"nothing.like\" in namespace \"shop\" (-A looks into all)\n",
        ),
        (
            "logs pod/web-0 -n shop -c app --previous",
            "Error from server (BadRequest): previous terminated container \"app\" in pod \"web-0\" not found\n",
        ),
    ] {
        let said = stage.say(&format!("{words} --cluster on"));
        assert_eq!((said.err.as_str(), said.code()), (want, 1), "{words}");
    }
    stage.playground.faults().refuse("pods/log");
    let said = stage.say("logs pod/web-0 -n shop -c app --cluster on");
    assert!(
        said.err
            .starts_with("Error from server (Forbidden): pods \"web-0\" is forbidden"),
        "{said:?}"
    );
}

#[test]
fn a_log_that_is_followed_lives_through_the_death_of_broker_syncer_and_container() {
    let stage = Stage::new("follow");
    let mut syncer = stage.syncer("one", &["--logs", "--client-id", "a"]);
    stage.write("app", "line 0");
    let follow = stage
        .scene
        .watch("logs web -f -n shop -c app --cluster one --prefix=false");
    let upto = |count: usize| {
        let lines: Vec<_> = (0..count)
            .map(|number| format!("line {number}\n"))
            .collect();
        follow.wait_out(&format!("{count} lines"), |out| out == lines.concat());
    };
    upto(1);
    stage.scene.broker.component().kill_9().unwrap();
    stage.write("app", "line 1");
    stage.scene.broker.component().restart().unwrap();
    upto(2);
    syncer.process.kill_9();
    stage.write("app", "line 2");
    let _syncer = stage.syncer("one", &["--logs", "--client-id", "b"]);
    upto(3);
    stage.playground.restart_log("shop", "web-0", "app");
    stage.write("app", "line 3");
    stage.put_pod("web-0", &["app", "proxy"], 1);
    upto(4);
    stage.pod("web-1", &["app"]);
    stage.playground.log("shop", "web-1", "app", "line 4");
    upto(5);
    assert!(!follow.err().contains("missing"), "{}", follow.err());
}

#[test]
fn a_flood_of_lines_delays_no_watch() {
    let stage = Stage::new("flood");
    let syncer = stage.syncer("one", &["--logs"]);
    stage.playground.flood_log("shop", "web-0", "app");
    let watch = stage.scene.watch("get configmaps -n shop --cluster one -w");
    let delay = |name: &str| {
        let map = json!({"metadata": {"name": name, "namespace": "shop"}, "data": {"a": "b"}});
        let begin = Instant::now();
        stage.playground.put("configmaps", map);
        watch.wait_out(name, |out| out.contains(name));
        begin.elapsed()
    };
    delay("first");
    let alone = (0..20)
        .map(|number| delay(&format!("alone-{number}")))
        .max()
        .unwrap();
    // One that reads as fast as it can, and one that does not read at all.
    let words = [
        "logs",
        "web",
        "-f",
        "-n",
        "shop",
        "-c",
        "app",
        "--cluster",
        "one",
    ];
    let reader = |out: Stdio| {
        let mut command = plugin_command(stage.scene.broker.url(), &words);
        Killed(command.stdout(out).stderr(Stdio::null()).spawn().unwrap())
    };
    let _readers = [reader(Stdio::null()), reader(Stdio::piped())];
    let both = || Ok((syncer.metric("logs") >= 2.0).then_some(()));
    bed::wait_for("both logs are read", both).unwrap();
    let beside: Vec<_> = (0..20)
        .map(|number| delay(&format!("beside-{number}")))
        .collect();
    let slowest = beside.iter().max().copied().unwrap();
    eprintln!("slowest change alone: {alone:?}, beside a flood: {slowest:?}");
    assert!(slowest < Duration::from_secs(1), "{beside:?}");
}

/// A program that does not outlive its test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn without_a_broker_it_is_the_same() {
    let stage = Stage::new("direct-logs");
    stage.write("app", "here");
    let said = run(direct_command(
        &stage.kubeconfig,
        &[
            "logs",
            "pod/web-0",
            "-n",
            "shop",
            "-c",
            "app",
            "--context",
            "playground",
        ],
    ));
    assert_eq!((said.out.as_str(), said.code()), ("here\n", 0), "{said:?}");
    let many = run(direct_command(
        &stage.kubeconfig,
        &["logs", "web", "-A", "-c", "app", "--context", "all"],
    ));
    assert_eq!(many.out, "[playground/shop/web-0/app] here\n", "{many:?}");
}
