//! What the README says to type, typed.

use crate::programs::{Background, program, run};
use bed::{Bed, BrokerSetup, Cluster, User};
use std::os::unix::fs::symlink;
use std::path::Path;

const README: &str = include_str!("../../../README.md");

/// The commands of the README's section, those of one line joined.
fn commands() -> Vec<String> {
    let (_, section) = README.split_once("<!-- work:").unwrap();
    let (section, _) = section.split_once("<!-- /work -->").unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let joined = block.replace("\\\n", " ");
    let lines = joined.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A home with the kubeconfigs that the README names.
fn home(bed: &Bed, clusters: &[(&str, &Cluster)]) -> tempfile::TempDir {
    let home = tempfile::tempdir_in(bed.dir()).unwrap();
    std::fs::create_dir(home.path().join(".kube")).unwrap();
    for (name, cluster) in clusters {
        let file = home.path().join(".kube").join(name);
        symlink(cluster.kubeconfig(User::Admin), file).unwrap();
    }
    home
}

/// A shell line, with the programs that `make build` would have put into bin/, and kubectl.
fn shell(bed: &Bed, home: &Path, line: &str) -> std::process::Command {
    let programs = program("mqtt-informer");
    let line = line.trim_end_matches('&');
    let line = match line.strip_prefix("bin/") {
        Some(rest) => format!("exec {} {rest}", programs.display()),
        None => line.to_owned(),
    };
    let tools = bed.binaries().dir().display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = std::process::Command::new("sh");
    shell
        .args([
            "-euc",
            &format!("export KUBECONFIG=\"$HOME/.kube/hub\"\n{line}"),
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        .env("HOME", home)
        .env("PATH", format!("{tools}:{path}"));
    shell
}

#[test]
fn the_readmes_work_is_done_as_it_is_written() {
    let bed = Bed::shared().unwrap();
    let broker = bed.broker(&BrokerSetup::plain()).unwrap();
    let [hub, cluster] = ["readme-hub", "readme"].map(|it| bed.private_cluster(it).unwrap());
    let _controllers = cluster.controllers().unwrap();
    let home = home(bed, &[("hub", &hub), ("cluster1", &cluster)]);
    let mut started: Vec<Background> = Vec::new();
    let mut typed = 0;
    for line in commands() {
        let line = line.replace("tcp://127.0.0.1:1883", broker.url());
        let command = shell(bed, home.path(), &line);
        if line.ends_with('&') {
            let log = home.path().join(format!("{}.log", started.len()));
            started.push(Background::start(command, &log));
            continue;
        }
        let said = run(command);
        let logs: Vec<_> = started.iter().map(Background::err).collect();
        assert_eq!(said.code(), 0, "{line}: {said:?}\n{}", logs.join("\n"));
        typed += 1;
    }
    assert!(started.len() == 2 && typed >= 10, "{typed}");
}
