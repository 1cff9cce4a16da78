//! Completion as shells and kubectl ask for it, and the manual pages.

use crate::programs::{Said, Syncer, command, program, run};
use crate::scene::Scene;
use bed::{Bed, Cluster};
use mqtt_informer::playground::{Playground, Spec};
use serde_json::json;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// A folder with the plugin, as `make build` leaves it.
fn bin(name: &str) -> PathBuf {
    let bin = Bed::shared().unwrap().dir().join(format!("{name}-bin"));
    std::fs::create_dir_all(&bin).unwrap();
    let plugin = program("kubectl-mqinformer");
    for name in ["kubectl-mqinformer", "kubectl_complete-mqinformer"] {
        std::os::unix::fs::symlink(&plugin, bin.join(name)).unwrap();
    }
    bin
}

fn complete(broker: &str, words: &[&str]) -> Said {
    let mut command = command("kubectl-mqinformer");
    command.arg("__complete").args(words).env("BROKER", broker);
    run(command)
}

/// A cluster in this process behind a broker.
struct Stage {
    scene: Scene,
    _syncer: Syncer,
    _playground: Playground,
    _runtime: Runtime,
}

fn stage(name: &'static str) -> Stage {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let playground = runtime.block_on(Playground::start(Spec::empty())).unwrap();
    for (namespace, pod) in [
        ("default", "web-0"),
        ("default", "db-0"),
        ("shop", "cart-0"),
    ] {
        let namespace_object = json!({"metadata": {"name": namespace}});
        playground.put("namespaces", namespace_object);
        let pod = json!({"metadata": {"name": pod, "namespace": namespace}, "spec": {"containers": [{"name": "a"}]}});
        playground.put("pods", pod);
    }
    let scene = Scene::new(name);
    let kubeconfig = scene.bed.dir().join(format!("{name}-playground.yaml"));
    std::fs::write(&kubeconfig, playground.kubeconfig()).unwrap();
    let syncer = Syncer::start(&scene.options("berlin", &kubeconfig, &["--client-id", name]));
    Stage {
        scene,
        _syncer: syncer,
        _playground: playground,
        _runtime: runtime,
    }
}

#[test]
fn what_clusters_have_is_completed_in_a_tenth_of_a_second() {
    let stage = stage("complete");
    let broker = stage.scene.broker.url();
    for (words, want) in [
        (&["get", "pods", "--cluster", "be"][..], "berlin\n:4\n"),
        (&["get", "nod"], "nodes\n:4\n"),
        (&["get", "pods", "w"], "web-0\n:4\n"),
        (&["get", "pods", "-n", "shop", ""], "cart-0\n:4\n"),
        (&["get", "pods", "-n", "sh"], "shop\n:4\n"),
        (&["get", "pod/d"], "pod/db-0\n:4\n"),
        (&["logs", "w"], "web-0\n:4\n"),
    ] {
        // What takes longer than it may is no answer; a busy machine is asked again.
        let said = bed::wait_for(&format!("{words:?}"), || {
            let said = complete(broker, words);
            Ok((said.out == want).then_some(said))
        });
        let said = said.unwrap_or_else(|error| panic!("{error}: {:?}", complete(broker, words)));
        assert!(said.took < Duration::from_millis(500), "{said:?}");
    }
}

#[test]
fn a_broker_that_is_away_ends_it_in_time() {
    let said = complete("tcp://127.0.0.1:1", &["get", "pods", "w"]);
    assert_eq!((said.out.as_str(), said.err.as_str()), (":4\n", ""));
    assert!(said.took < Duration::from_millis(500), "{:?}", said.took);
    let said = complete("nonsense://", &["get", "pods", "w"]);
    assert_eq!((said.out.as_str(), said.err.as_str()), (":4\n", ""));
}

fn kubectl(cluster: &Arc<Cluster>, bin: &std::path::Path) -> Command {
    let mut command = cluster.kubectl_command();
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", bin.display()));
    command
}

#[test]
fn kubectl_finds_it() {
    let stage = stage("kubectl-complete");
    let cluster = stage.scene.shared();
    let mut command = kubectl(&cluster, &bin("kubectl-complete"));
    command
        .args([
            "__complete",
            "mqinformer",
            "get",
            "--cluster=berlin",
            "-o",
            "ya",
        ])
        .env("BROKER", stage.scene.broker.url());
    let said = run(command);
    let first = said.out.lines().next().unwrap_or_default();
    assert!(first.starts_with("yaml"), "{said:?}");
    assert!(said.out.ends_with(":4\n"), "{said:?}");
}

#[test]
fn bash_is_satisfied_by_its_script() {
    let bin = bin("bash-complete");
    let ask = |line: &str| {
        let script = format!(
            r#"source <(kubectl-mqinformer completion bash)
               COMP_LINE='{line}' COMP_POINT=${{#COMP_LINE}}
               read -ra COMP_WORDS <<< "${{COMP_LINE//=/ = }}"
               [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
               COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
               _kubectl_mqinformer
               printf '%s\n' "${{COMPREPLY[@]}}""#
        );
        let mut command = Command::new("bash");
        let path = std::env::var("PATH").unwrap();
        command
            .args(["-c", &script])
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("BROKER", "tcp://127.0.0.1:1")
            .env_remove("KUBECONFIG");
        run(command)
    };
    for (line, want) in [
        ("kubectl-mqinformer ver", "version\n"),
        ("kubectl-mqinformer get pods --show-l", "--show-labels\n"),
        ("kubectl-mqinformer get pods -o w", "wide\n"),
        ("kubectl-mqinformer get pods --output=w", "wide\n"),
        (
            "kubectl-mqinformer events --types=Normal,W",
            "Normal,Warning\n",
        ),
    ] {
        let said = ask(line);
        assert_eq!((said.out.as_str(), said.err.as_str()), (want, ""), "{line}");
    }
}

#[test]
fn every_verb_has_a_manual_page() {
    let dir = Bed::shared().unwrap().dir().join("man1");
    std::fs::create_dir_all(&dir).unwrap();
    let mut command = command("kubectl-mqinformer");
    let said = run({
        command.args(["man", "--dir"]).arg(&dir);
        command
    });
    assert_eq!((said.err.as_str(), said.code()), ("", 0));
    for (page, want) in [
        ("kubectl-mqinformer.1", "kubectl mqinformer"),
        ("kubectl-mqinformer-logs.1", "max\\-log\\-requests"),
        ("kubectl-mqinformer-config-view.1", "view"),
    ] {
        let text = std::fs::read_to_string(dir.join(page)).unwrap();
        assert!(
            text.contains(".TH ") && text.contains(want),
            "{page}:\n{text}"
        );
    }
    let missing = {
        let mut command = crate::programs::command("kubectl-mqinformer");
        command.args(["man", "--dir", "/no/such"]);
        run(command)
    };
    assert!(
        missing.code() == 1 && missing.err.lines().count() == 1,
        "{missing:?}"
    );
}
