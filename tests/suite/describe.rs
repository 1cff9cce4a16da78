//! `describe` beside kubectl's: the same bytes for every kind, but for what docs/decisions.md lists.

use crate::differential::{Stage, kubectl, same, stage};
use crate::programs::{Said, Syncer, SyncerOptions, direct_command, plugin, plugin_command, run};
use bed::{Bed, CANARY, User};
use serde_json::json;
use std::sync::OnceLock;

/// The stage, with what no fixture can have: events that know their object's uid, and an older replica set.
fn prepared() -> &'static Stage {
    static PREPARED: OnceLock<()> = OnceLock::new();
    let stage = stage();
    PREPARED.get_or_init(|| {
        let cluster = &stage.cluster;
        let path = "/api/v1/namespaces/detail/pods/elaborate";
        let pod = cluster.api().get(path).unwrap().json().unwrap();
        let about = json!({
            "apiVersion": "v1", "kind": "Pod", "name": "elaborate", "namespace": "detail",
            "uid": pod["metadata"]["uid"], "fieldPath": "spec.containers{main}",
        });
        let started = &pod["status"]["startTime"];
        let event = |name: &str, more: serde_json::Value| {
            let mut event = json!({
                "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "detail"},
                "involvedObject": about, "source": {"component": "kubelet"},
            });
            let more = more.as_object().unwrap().clone();
            event.as_object_mut().unwrap().extend(more);
            cluster.apply(&event.to_string()).unwrap();
        };
        let often = json!({
            "type": "Warning", "reason": "BackOff", "message": " again\n", "count": 12,
            "firstTimestamp": started, "lastTimestamp": pod["metadata"]["creationTimestamp"],
        });
        let once = json!({
            "type": "Normal", "reason": "Pulled", "message": "here \u{1b}[2J\u{7}", "count": 1,
            "firstTimestamp": started, "lastTimestamp": started,
        });
        event("elaborate.often", often);
        event("elaborate.once", once);
        let image = ["-n", "detail", "set", "image", "deploy/rolled", "main=alpine"];
        cluster.kubectl_ok(&image).unwrap();
        cluster.wait_quiet().unwrap();
    });
    stage
}

/// kubectl leaves to a terminal what is made visible here, and has the resources of a limit in no order.
fn comparable(said: Said) -> Said {
    let mut out = String::with_capacity(said.out.len());
    for c in said.out.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            '\0'..='\u{1f}' => out.extend(['^', char::from(c as u8 + b'@')]),
            '\u{7f}' => out.push_str("^?"),
            '\u{80}'..='\u{9f}' | '\u{2028}'..='\u{202e}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    let is_limit = |line: &str| line.trim_start().starts_with("Container  ");
    let mut lines: Vec<_> = out.split_inclusive('\n').collect();
    lines
        .chunk_by_mut(|one, other| is_limit(one) && is_limit(other))
        .for_each(<[&str]>::sort);
    Said {
        out: lines.concat(),
        ..said
    }
}

fn compare(stage: &Stage, words: &str) -> Result<(), String> {
    let words: Vec<&str> = words.split(' ').collect();
    let ours: Vec<&str> = words
        .iter()
        .copied()
        .chain(["--cluster", "cluster1"])
        .collect();
    same(
        &words.join(" "),
        || comparable(kubectl(stage, &words)),
        || run(plugin_command(stage.broker.url(), &ours)),
    )
}

fn check(cases: impl IntoIterator<Item = String>) {
    let stage = prepared();
    let cases: Vec<_> = cases.into_iter().collect();
    let wrong: Vec<_> = cases
        .iter()
        .filter_map(|words| compare(stage, words).err())
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n\n")
    );
}

/// All but Secrets, which have a test of their own.
const NAMESPACED: &[&str] = &[
    "pods",
    "deployments",
    "rs",
    "sts",
    "ds",
    "rc",
    "jobs",
    "cj",
    "svc",
    "ep",
    "endpointslices",
    "ingresses.networking.k8s.io",
    "netpol",
    "cm",
    "pvc",
    "sa",
    "roles",
    "rolebindings",
    "hpa",
    "pdb",
    "quota",
    "limits",
    "podtemplates",
    "controllerrevisions",
    "widgets",
    "plainthings",
];

const CLUSTER_SCOPED: &[&str] = &[
    "ns",
    "nodes",
    "pv",
    "sc",
    "csinodes",
    "csidrivers",
    "priorityclasses",
    "ingressclasses",
    "runtimeclasses",
    "clusterroles",
    "clusterrolebindings",
    "sites",
    "servicecidrs",
    "ipaddresses",
    "validatingwebhookconfigurations",
    "apiservices",
];

#[test]
fn every_kind_with_its_events() {
    let namespaced = NAMESPACED.iter().flat_map(|kind| {
        ["shop", "ops", "detail"]
            .map(|namespace| format!("describe {kind} -n {namespace} --show-events"))
    });
    let scoped = CLUSTER_SCOPED
        .iter()
        .map(|kind| format!("describe {kind} --show-events"));
    check(namespaced.chain(scoped));
}

#[test]
fn words_select_and_flags_mean_what_they_mean_to_kubectl() {
    let cases = [
        "describe pods -A",
        "describe deploy -A -l app=web",
        "describe pods -n detail -l app=elaborate",
        "describe pods -n detail -l app=elaborate --show-events=true",
        "describe pod elaborate -n detail",
        "describe pod elaborate -n detail --show-events=false",
        "describe pod/elaborate -n detail",
        "describe pod/elaborate svc/wide -n detail",
        "describe pods elaborate elaborate-too -n detail",
        "describe pods elab -n detail",
        "describe pods elab -n detail --show-events",
        "describe pods nothing-begins-so -n detail",
        "describe pod/elab -n detail",
        "describe pods elaborate missing -n detail",
        "describe pods missing gone -n detail",
        "describe pods,svc wide -n detail",
        "describe pods,svc missing -n detail",
        "describe pods web -A",
        "describe pods -n nowhere",
        "describe pods -n shop -l app=nothing",
        "describe sites -l app=nothing",
        "describe pods -A -l app=nothing",
        "describe nosuchthings",
        "describe pods,nosuchthings -n shop",
        "describe node still-1",
        "describe node still",
        "describe nodes missing",
        "describe deploy,sts -n shop",
        "describe widgets.bed.mqinformer.io alpha -n shop",
        "describe deployments.v1.apps web -n shop",
        "describe pods -n shop -l a==,",
        "describe all -n shop",
        "describe all -n nowhere",
        "describe all -n detail -l app=wide --show-events",
        "describe all web -n shop",
        "describe pods/web -l app=web",
        "describe a/b/c",
        "describe",
    ];
    check(cases.map(str::to_owned));
}

/// In the stage all values leave the cluster; without a broker none does, and lengths are what the source noted.
#[test]
fn secrets_have_lengths_and_no_values() {
    let stage = prepared();
    let kubeconfig = stage.cluster.kubeconfig(User::Admin);
    for words in [
        "describe secrets canary -n shop",
        "describe secret/login -n detail",
        "describe secrets -n ops",
        "describe secret own-type -n shop",
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        let ours: Vec<&str> = words
            .iter()
            .copied()
            .chain(["--context", "cluster1"])
            .collect();
        let ours = || {
            let said = run(direct_command(&kubeconfig, &ours));
            assert!(!said.out.contains(CANARY), "{}", said.out);
            said
        };
        same(&words.join(" "), || kubectl(stage, &words), ours)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    // kubectl prints the token of a service account.
    let words = [
        "describe",
        "secret",
        "builder-token",
        "-n",
        "shop",
        "--cluster",
        "cluster1",
    ];
    let said = plugin(stage.broker.url(), &words);
    let token = said
        .out
        .lines()
        .find_map(|line| line.strip_prefix("token:"));
    assert!(
        token.is_none_or(|rest| rest.trim_end().ends_with("bytes")),
        "{}",
        said.out
    );
}

#[test]
fn objects_of_several_clusters_say_where_they_are() {
    let stage = prepared();
    let kubeconfig = stage.cluster.kubeconfig(User::Admin);
    let dir = Bed::shared().unwrap().dir();
    let options = SyncerOptions {
        broker: stage.broker.url(),
        cluster: "twin",
        kubeconfig: &kubeconfig,
        dir,
        more: &[],
    };
    let _twin = Syncer::start(&options);
    let words = ["describe", "sites", "berlin", "--cluster", "cluster1,twin"];
    let both = plugin(stage.broker.url(), &words);
    assert_eq!(both.code(), 0, "{}", both.err);
    let one = kubectl(stage, &["describe", "sites", "berlin"]).out;
    assert_eq!(
        both.out,
        format!("Cluster:  cluster1\n{one}\n\nCluster:  twin\n{one}")
    );
    let words = ["describe", "sites", "nowhere", "--cluster", "cluster1,twin"];
    let none = plugin(stage.broker.url(), &words);
    let error = "Error from server (NotFound): sites.bed.mqinformer.io \"nowhere\" not found\n";
    assert_eq!(
        (none.code(), none.err.as_str(), none.out.as_str()),
        (1, error, "")
    );
    let words = [
        "describe",
        "sites",
        "berlin",
        "--cluster",
        "twin,absent",
        "--timeout",
        "1s",
    ];
    let partial = plugin(stage.broker.url(), &words);
    assert_eq!(
        (partial.code(), partial.out),
        (1, format!("Cluster:  twin\n{one}"))
    );
    assert!(
        partial
            .err
            .starts_with("error: cluster \"absent\": no answer within 1s"),
        "{}",
        partial.err
    );
}
