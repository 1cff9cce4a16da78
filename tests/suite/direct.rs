//! Direct mode: contexts of a kubeconfig, some of them dead, without a broker.

use crate::differential::{same, stage};
use crate::programs::{Background, Said, command, direct_command, run};
use bed::{Authority, Bed, Cluster, User};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Clusters that answer, and a kubeconfig of them and of others.
struct Scene {
    clusters: [Arc<Cluster>; 2],
    /// Holds one pod in each cluster.
    namespace: String,
    directory: PathBuf,
}

/// What stands in a kubeconfig for one context.
struct Entry {
    name: &'static str,
    cluster: Value,
    user: Value,
    namespace: Option<String>,
}

impl Scene {
    fn new(name: &str) -> Self {
        let bed = Bed::shared().unwrap();
        let clusters = ["cluster1", "cluster2"].map(|name| bed.cluster(name).unwrap());
        let namespace = format!("direct-{name}");
        for cluster in &clusters {
            cluster
                .kubectl_ok(&["create", "namespace", &namespace])
                .unwrap();
            pod(cluster, &namespace, "web");
        }
        let directory = bed.dir().join(&namespace);
        fs::create_dir_all(&directory).unwrap();
        Self {
            clusters,
            namespace,
            directory,
        }
    }

    /// A context of a real cluster, as its own kubeconfig has it.
    fn real(&self, name: &'static str, cluster: usize) -> Entry {
        let text = fs::read_to_string(self.clusters[cluster].kubeconfig(User::Admin)).unwrap();
        let own: Value = serde_json::from_str(&text).unwrap();
        Entry {
            name,
            cluster: own["clusters"][0]["cluster"].clone(),
            user: own["users"][0]["user"].clone(),
            namespace: Some(self.namespace.clone()),
        }
    }

    /// The same, but who we are is told by a program.
    fn with_plugin(&self, name: &'static str, script: &str) -> Entry {
        let path = self.directory.join(format!("{name}.sh"));
        fs::write(&path, script).unwrap();
        let exec = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": [path],
            "interactiveMode": "IfAvailable",
        });
        Entry {
            user: json!({ "exec": exec }),
            ..self.real(name, 0)
        }
    }

    fn kubeconfig(&self, name: &str, entries: &[Entry]) -> PathBuf {
        let of = |part: &dyn Fn(&Entry) -> Value| entries.iter().map(part).collect::<Vec<_>>();
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": entries[0].name,
            "clusters": of(&|entry| json!({"name": entry.name, "cluster": entry.cluster})),
            "users": of(&|entry| json!({"name": entry.name, "user": entry.user})),
            "contexts": of(&|entry| {
                let context = json!({"cluster": entry.name, "user": entry.name, "namespace": entry.namespace});
                json!({"name": entry.name, "context": context})
            }),
        });
        let path = self.directory.join(name);
        fs::write(&path, config.to_string()).unwrap();
        path
    }
}

fn pod(cluster: &Cluster, namespace: &str, name: &str) {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    });
    cluster.apply(&pod.to_string()).unwrap();
}

fn nowhere(name: &'static str, server: String) -> Entry {
    Entry {
        name,
        cluster: json!({ "server": server }),
        user: json!({"token": "t"}),
        namespace: None,
    }
}

fn direct(kubeconfig: &Path, words: &str) -> Said {
    run(direct_command(
        kubeconfig,
        &words.split(' ').collect::<Vec<_>>(),
    ))
}

/// A port that takes connections and never says a word, as a server behind a broken path does.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// A port whose queue of connections is full: nobody is answered there, not even by a refusal.
fn blackhole() -> (TcpListener, Vec<TcpStream>, String) {
    let (listener, url) = silent();
    let address = listener.local_addr().unwrap();
    let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok();
    let waiting = std::iter::from_fn(connect).take(20_000).collect();
    (listener, waiting, url)
}

const LIVING: [&str; 13] = [
    "alive-a", "alive-b", "alive-c", "alive-d", "alive-e", "alive-f", "alive-g", "alive-h",
    "alive-i", "alive-j", "alive-k", "alive-l", "alive-m",
];

/// An ExecCredential with the bed's token.
fn credential(entry: &Entry) -> String {
    let token = entry.user["token"].as_str().unwrap();
    let credential = json!({
        "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": {"token": token},
    });
    credential.to_string()
}

#[test]
fn living_contexts_come_at_once_and_dead_ones_are_named() {
    let scene = Scene::new("dead");
    let (_silent, silent_url) = silent();
    let (_listener, _waiting, hole_url) = blackhole();
    let free = bed::choose_ports(1).unwrap()[0];
    let stranger = Authority::new("stranger").unwrap();
    let stranger_file = scene.directory.join("stranger.crt");
    fs::write(&stranger_file, stranger.certificate()).unwrap();
    let certificate = json!({
        "server": scene.clusters[0].server(), "certificate-authority": stranger_file,
    });
    let missing = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-plugin", "interactiveMode": "Never",
    }});
    let living = LIVING
        .iter()
        .zip(0..)
        .map(|(name, number)| scene.real(name, number % 2));
    let dead = [
        nowhere("dead-refused", format!("https://127.0.0.1:{free}")),
        nowhere("dead-silent", silent_url),
        nowhere("dead-hole", hole_url),
        Entry {
            cluster: certificate,
            ..scene.real("dead-certificate", 0)
        },
        Entry {
            user: missing,
            ..scene.real("dead-plugin", 0)
        },
        scene.with_plugin("dead-hung", "sleep 1000"),
        Entry {
            user: json!({"token": "wrong"}),
            ..scene.real("dead-token", 0)
        },
    ];
    let entries: Vec<_> = living.chain(dead).collect();
    assert_eq!(entries.len(), 20);
    let kubeconfig = scene.kubeconfig("config", &entries);
    let log = scene.directory.join("stderr");
    let words = ["get", "pods", "--context", "all", "--timeout", "50s"];
    let mut living = Background::start(direct_command(&kubeconfig, &words), &log);
    let out = living.wait_out("the living", |out| {
        LIVING.iter().all(|name| out.contains(name))
    });
    assert!(
        !living.err().contains("dead-hung"),
        "the dead delayed the living: {}",
        living.err()
    );
    living.terminate();
    assert!(out.starts_with("CLUSTER "), "{out}");
    let said = direct(&kubeconfig, "get pods --context all --timeout 4s");
    assert_eq!(said.code(), 1, "{said:?}");
    for (context, why) in [
        ("dead-refused", "Connection refused"),
        // On a busy machine the whole may be over before the connection is given up.
        ("dead-silent", "no "),
        ("dead-hole", "no "),
        ("dead-certificate", "certificate"),
        (
            "dead-plugin",
            "getting credentials: exec: executable no-such-plugin not found",
        ),
        (
            "dead-hung",
            "getting credentials: exec: executable sh did not end within",
        ),
        ("dead-token", "You must be logged in to the server"),
    ] {
        let begin = format!("error: cluster \"{context}\": ");
        let lines: Vec<_> = said
            .err
            .lines()
            .filter(|line| line.starts_with(&begin))
            .collect();
        assert!(
            lines.len() == 1 && lines[0].contains(why),
            "{context}: {:?}",
            said.err
        );
    }
    assert_eq!(said.err.lines().count(), 7, "{}", said.err);
    assert_eq!(said.out.lines().count(), 1 + LIVING.len(), "{}", said.out);
    let allowed = direct(
        &kubeconfig,
        "get pods --context alive-*,dead-refused --allow-partial",
    );
    assert_eq!(allowed.code(), 0, "{allowed:?}");
}

#[test]
fn a_context_has_its_own_namespace() {
    let scene = Scene::new("namespaces");
    let other = "direct-namespaces-other".to_owned();
    scene.clusters[1]
        .kubectl_ok(&["create", "namespace", &other])
        .unwrap();
    pod(&scene.clusters[1], &other, "elsewhere");
    let second = Entry {
        namespace: Some(other.clone()),
        ..scene.real("two", 1)
    };
    let same = scene.kubeconfig("same", &[scene.real("one", 0), scene.real("two", 1)]);
    let each = scene.kubeconfig("each", &[scene.real("one", 0), second]);
    let names = |file: &Path, columns: usize, words: &str| {
        let said = direct(file, words);
        assert_eq!(said.code(), 0, "{said:?}");
        let columns = |line: &str| {
            line.split_whitespace()
                .take(columns)
                .collect::<Vec<_>>()
                .join(" ")
        };
        said.out.lines().map(columns).collect::<Vec<_>>()
    };
    let namespace = &scene.namespace;
    assert_eq!(
        names(&same, 2, "get pods --context all"),
        ["CLUSTER NAME", "one web", "two web"]
    );
    // Rows of different namespaces say theirs.
    let rows = [
        "CLUSTER NAMESPACE NAME",
        &format!("one {namespace} web"),
        &format!("two {other} elsewhere"),
    ]
    .map(str::to_owned);
    assert_eq!(names(&each, 3, "get pods --context all"), rows);
    assert_eq!(
        names(&each, 1, "get pods --context two"),
        ["NAME", "elsewhere"]
    );
    let words = format!("get pods --context two -n {namespace}");
    assert_eq!(names(&each, 1, &words), ["NAME", "web"]);
    let all = names(&each, 3, "get pods -A --context all");
    assert!(rows[1..].iter().all(|row| all.contains(row)), "{all:?}");
}

#[test]
fn one_context_is_kubectls_own_output() {
    let scene = Scene::new("differential");
    let kubeconfig = scene.kubeconfig("config", &[scene.real("alive", 0)]);
    let cluster = &scene.clusters[0];
    // Seeded, once for all who compare.
    assert_eq!(stage().cluster.name(), cluster.name());
    let kubectl = |words: &[&str]| {
        let mut command = cluster.kubectl_command();
        command
            .args(words)
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .args(["--context", "alive"]);
        run(command)
    };
    let cases = [
        "get pods",
        "get pods -o wide",
        "get pods -o json",
        "get pods web -o yaml",
        "get po web",
        "get pods missing",
        "get nosuchthings",
        "get nodes",
        "get ns -o name",
        "get deploy,svc -n shop",
        "get widgets.bed.mqinformer.io -A --show-labels",
        "get secrets -n shop",
        "get crd -o yaml",
        "get pods -l a==,",
        "get cm -n empty",
        "get pods -n nowhere --no-headers",
    ];
    let ours = |words: &str| direct(&kubeconfig, &format!("{words} --context alive"));
    let compare = |words: &&str| {
        let args: Vec<_> = words.split(' ').collect();
        same(words, || kubectl(&args), || ours(words)).err()
    };
    let wrong: Vec<_> = cases.iter().filter_map(compare).collect();
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
    let mut theirs = cluster.kubectl_command();
    theirs
        .args(["get", "pods", "--context", "nosuch"])
        .arg("--kubeconfig")
        .arg(&kubeconfig);
    let (theirs, ours) = (
        run(theirs),
        direct(&kubeconfig, "get pods --context nosuch"),
    );
    assert_eq!((ours.code(), ours.err), (theirs.code(), theirs.err));
}

#[test]
fn a_watch_follows_both_clusters() {
    let scene = Scene::new("watch");
    let kubeconfig = scene.kubeconfig("config", &[scene.real("one", 0), scene.real("two", 1)]);
    let words = ["get", "pods", "--context", "*", "-w"];
    let mut watch = Background::start(
        direct_command(&kubeconfig, &words),
        &scene.directory.join("stderr"),
    );
    let has = |out: &str, cluster: &str, name: &str| {
        let row = |line: &str| line.split_whitespace().take(2).eq([cluster, name]);
        out.lines().any(row)
    };
    watch.wait_out("what there is", |out| {
        has(out, "one", "web") && has(out, "two", "web")
    });
    for (cluster, name) in scene.clusters.iter().zip(["one", "two"]) {
        pod(cluster, &scene.namespace, "later");
        watch.wait_out("what came", |out| has(out, name, "later"));
    }
    assert_eq!(watch.err(), "");
    assert_eq!(watch.terminate().code(), Some(0));
}

#[test]
fn credential_plugins_give_tokens_once_and_are_ended() {
    let scene = Scene::new("plugins");
    let answer = credential(&scene.real("alive", 0));
    let (runs, child) = (scene.directory.join("runs"), scene.directory.join("child"));
    let good = format!("echo run >> {}; printf '%s' '{answer}'", runs.display());
    let hangs = format!("sleep 1000 & echo $! > {}; wait", child.display());
    let kubeconfig = scene.kubeconfig(
        "config",
        &[
            scene.with_plugin("good", &good),
            scene.with_plugin("hangs", &hangs),
        ],
    );
    let said = direct(&kubeconfig, "get pods --context good");
    assert_eq!((said.code(), said.err.as_str()), (0, ""), "{said:?}");
    assert!(said.out.contains("web"), "{said:?}");
    assert_eq!(
        fs::read_to_string(&runs).unwrap(),
        "run\n",
        "it is run once"
    );
    let said = direct(&kubeconfig, "get pods --context all --timeout 2s");
    assert!(said.code() == 1 && said.out.contains("web"), "{said:?}");
    assert!(said.took < Duration::from_secs(20), "{said:?}");
    for words in ["get pods", "clusters", "version"] {
        interrupted(&kubeconfig, words, &child);
    }
}

/// Interrupted, a credential plugin and what it has started end too.
fn interrupted(kubeconfig: &Path, words: &str, child: &Path) {
    fs::remove_file(child).unwrap();
    let words = words
        .split(' ')
        .chain(["--context", "all", "--timeout", "1h"]);
    let mut waiting = Background::start(
        direct_command(kubeconfig, &words.collect::<Vec<_>>()),
        &child.with_file_name("stderr"),
    );
    let started = bed::wait_for("the plugin runs", || {
        Ok(fs::read_to_string(child)
            .ok()
            .filter(|text| text.ends_with('\n')))
    });
    let process = Path::new("/proc").join(started.unwrap().trim());
    assert!(process.exists());
    assert_eq!(waiting.terminate().code(), Some(130));
    bed::wait_for("the plugin is gone", || {
        let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
        Ok((stat.is_empty() || stat.contains(") Z ")).then_some(()))
    })
    .unwrap();
}

#[test]
fn other_commands_know_contexts_too() {
    let scene = Scene::new("commands");
    let free = bed::choose_ports(1).unwrap()[0];
    let kubeconfig = scene.kubeconfig(
        "config",
        &[
            scene.real("alive", 0),
            nowhere("dead", format!("https://127.0.0.1:{free}")),
        ],
    );
    let said = direct(&kubeconfig, "clusters --context all");
    let rows: Vec<Vec<_>> = said
        .out
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows[0], ["NAME", "STATE", "KUBERNETES", "NAMESPACE"]);
    assert_eq!(
        rows[1],
        ["alive", "fresh", bed::KUBERNETES, &scene.namespace]
    );
    assert_eq!(rows[2], ["dead", "failed", "<unknown>", "default"]);
    assert_eq!(said.code(), 1);
    assert!(
        said.err.starts_with("error: cluster \"dead\": ") && said.err.lines().count() == 1,
        "{said:?}"
    );
    let said = direct(&kubeconfig, "version --context alive -o json");
    let version: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(version["clusters"]["alive"], bed::KUBERNETES);
    let said = direct(&kubeconfig, "get secrets -A -o json --context alive");
    assert_eq!(said.code(), 0, "{said:?}");
    assert!(!said.out.contains(bed::CANARY), "a Secret's value is shown");
}

/// An HTTP proxy that counts the tunnels it was asked for.
fn proxy(tunnels: Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let mut head = BufReader::new(client.try_clone().unwrap()).lines();
            let request = head.next().unwrap().unwrap();
            // The rest of the head, up to its empty line.
            head.by_ref().map_while(Result::ok).find(String::is_empty);
            let target = request
                .strip_prefix("CONNECT ")
                .and_then(|rest| rest.split(' ').next());
            let server = TcpStream::connect(target.unwrap()).unwrap();
            (&client).write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            tunnels.fetch_add(1, Ordering::Relaxed);
            for (from, to) in [(&client, &server), (&server, &client)] {
                let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                // A side that is gone ends its half.
                std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            }
        }
    });
    url
}

#[test]
fn a_clusters_proxy_is_used() {
    let scene = Scene::new("proxy");
    let tunnels = Arc::new(AtomicUsize::new(0));
    let mut entry = scene.real("proxied", 0);
    entry.cluster["proxy-url"] = json!(proxy(Arc::clone(&tunnels)));
    let said = direct(
        &scene.kubeconfig("config", &[entry]),
        "get pods --context proxied",
    );
    assert!(said.code() == 0 && said.out.contains("web"), "{said:?}");
    assert!(tunnels.load(Ordering::Relaxed) > 0);
}

#[test]
fn files_of_a_list_are_merged() {
    let scene = Scene::new("merged");
    let files = [
        scene.kubeconfig("first", &[scene.real("one", 0)]),
        scene.directory.join("missing"),
        scene.kubeconfig("second", &[scene.real("two", 1)]),
    ];
    let mut command = command("kubectl-mqinformer");
    command.args(["get", "pods", "--context", "*"]);
    command.env("KUBECONFIG", std::env::join_paths(&files).unwrap());
    let said = run(command);
    assert!(
        said.code() == 0 && said.out.contains("one ") && said.out.contains("two "),
        "{said:?}"
    );
}
