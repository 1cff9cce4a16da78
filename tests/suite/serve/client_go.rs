//! client-go's informers (`tests/client-go`), of what is served and of the API server itself: their caches are the same,
//! under churn and over restarts of the server.

use super::site::{Site, site};
use bed::User;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

/// A running informer of client-go.
pub(crate) struct Informer {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

pub(crate) type Cache = BTreeMap<String, Value>;

impl Informer {
    pub(crate) fn start(kubeconfig: &Path, args: &[&str]) -> Self {
        let mut child = Command::new(program())
            .arg("-kubeconfig")
            .arg(kubeconfig)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            ask: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    pub(crate) fn cache(&mut self) -> Cache {
        self.ask.write_all(b"\n").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Informer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Builds the Go program, once.
fn program() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/client-go");
        let out = std::env::current_exe()
            .unwrap()
            .with_file_name("client-go-informer");
        let built = Command::new("go")
            .args([
                "build",
                "-mod=readonly",
                "-trimpath",
                "-buildvcs=false",
                "-ldflags",
                "-s -w",
                "-o",
            ])
            .arg(&out)
            .arg(".")
            .current_dir(source)
            .env("CGO_ENABLED", "0")
            .env("GOWORK", "off")
            .status()
            .expect("go, which tests/client-go is built with");
        assert!(built.success(), "tests/client-go cannot be built");
        out
    })
}

/// Waits until both have the same. `ours` reads what is served, each object once for each of `clusters`.
fn same(what: &str, theirs: &mut Informer, ours: &mut Informer, clusters: &[&str]) {
    let mut differs = String::new();
    let both = std::cell::RefCell::new((theirs, ours, &mut differs));
    let agreed = bed::wait_for(what, || {
        let mut both = both.borrow_mut();
        let (theirs, ours, differs) = &mut *both;
        let (theirs, ours) = (theirs.cache(), ours.cache());
        let wanted: Cache = match clusters {
            [] => theirs,
            clusters => theirs
                .into_iter()
                .flat_map(|(key, value)| {
                    clusters
                        .iter()
                        .map(move |cluster| (format!("{cluster}|{key}"), value.clone()))
                })
                .collect(),
        };
        **differs = difference(&wanted, &ours);
        Ok((differs.is_empty() && !wanted.is_empty()).then_some(()))
    });
    assert!(agreed.is_ok(), "{what}: {differs}");
}

pub(crate) fn difference(theirs: &Cache, ours: &Cache) -> String {
    let keys = theirs.keys().chain(ours.keys());
    let other = keys
        .filter(|key| theirs.get(*key) != ours.get(*key))
        .take(2);
    let show = |key: &String| format!("{key}: {:?} / {:?}\n", theirs.get(key), ours.get(key));
    other.map(show).collect()
}

fn churn(site: &Site, namespace: &str, round: usize) {
    let cluster = &site.stage.cluster;
    let api = cluster.api();
    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    for number in 0..40 {
        let name = format!("{path}/c{number}");
        let body = serde_json::json!({
            "metadata": {"name": format!("c{number}"), "labels": {"round": ((number + round) % 2).to_string()}},
            "data": {"round": round.to_string()},
        });
        match (number + round) % 4 {
            0 => drop(api.delete(&name).unwrap()),
            _ => {
                let made = api.post(&path, body.to_string()).unwrap();
                if made.status == 409 {
                    api.merge(&name, body.to_string())
                        .unwrap()
                        .success()
                        .unwrap();
                }
            }
        }
    }
}

#[test]
fn serve_client_go_s_caches_are_those_of_the_api_server() {
    let site = site();
    let cluster = &site.stage.cluster;
    let namespace = cluster.namespace("churn").unwrap();
    let theirs = cluster.kubeconfig(User::Admin);
    let (one, all) = (site.kubeconfig("cluster1"), site.kubeconfig("*"));
    let kinds: [(&str, &[&str]); 4] = [
        ("an informer", &["-resource", "configmaps.v1."]),
        (
            "a selecting informer",
            &["-resource", "configmaps.v1.", "-l", "round=1"],
        ),
        (
            "a metadata informer",
            &["-resource", "configmaps.v1.", "-metadata"],
        ),
        ("an informer of pods", &["-resource", "pods.v1."]),
    ];
    churn(site, &namespace, 1);
    let mut pairs: Vec<_> = kinds
        .iter()
        .map(|(what, args)| {
            (
                *what,
                Informer::start(&theirs, args),
                Informer::start(&one, args),
            )
        })
        .collect();
    let pods = ["-resource", "configmaps.v1."];
    let mut plain = Informer::start(&theirs, &pods);
    let mut union = Informer::start(&all, &["-resource", "configmaps.v1.", "-union"]);
    for round in 2..6 {
        churn(site, &namespace, round);
        for (what, theirs, ours) in &mut pairs {
            same(what, theirs, ours, &[]);
        }
        same(
            "a reflector of all clusters",
            &mut plain,
            &mut union,
            &["cluster1", "twin"],
        );
        if round % 2 == 0 {
            site.restart();
        }
    }
}
