//! The same words to real kubectl and to the plugin: the same bytes, the same messages, the same exit code.

use crate::masked::{Masked, interval_holds};
use crate::programs::{Said, Syncer, SyncerOptions, plugin_command, run};
use bed::{Bed, Broker, BrokerSetup, Cluster, User};
use std::sync::{Arc, OnceLock};

/// A seeded cluster with controllers, a broker, a syncer: shared by the cases of this file.
pub(crate) struct Stage {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) broker: Broker,
    _syncer: Syncer,
}

pub(crate) fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| {
        let bed = Bed::shared().unwrap();
        let cluster = bed.cluster("cluster1").unwrap();
        cluster.controllers().unwrap();
        cluster.seed().unwrap();
        let broker = bed.broker(&BrokerSetup::plain()).unwrap();
        let kubeconfig = cluster.kubeconfig(User::Admin);
        let options = SyncerOptions {
            broker: broker.url(),
            cluster: "cluster1",
            kubeconfig: &kubeconfig,
            dir: bed.dir(),
            more: &["--show-secrets"],
        };
        let syncer = Syncer::start(&options);
        Stage {
            cluster,
            broker,
            _syncer: syncer,
        }
    })
}

pub(crate) fn kubectl(stage: &Stage, args: &[&str]) -> Said {
    let mut command = stage.cluster.kubectl_command();
    command.args(args);
    run(command)
}

fn compare(stage: &Stage, words: &str) -> Result<(), String> {
    compare_args(stage, &words.split(' ').collect::<Vec<_>>())
}

/// The same arguments to both.
pub(crate) fn compare_args(stage: &Stage, args: &[&str]) -> Result<(), String> {
    let ours_args: Vec<&str> = args
        .iter()
        .copied()
        .chain(["--cluster", "cluster1"])
        .collect();
    same(
        &args.join(" "),
        || kubectl(stage, args),
        || run(plugin_command(stage.broker.url(), &ours_args)),
    )
}

/// What both say must be equal: bytes, but for time cells, which must lie between what kubectl said before and after.
pub(crate) fn same(
    words: &str,
    kubectl: impl Fn() -> Said,
    ours: impl Fn() -> Said,
) -> Result<(), String> {
    // A width that grows between the two calls of kubectl (9s, 10s), or an object that changes, is no ground to
    // compare on.
    for _ in 0..20 {
        let before = kubectl();
        let ours = ours();
        let after = kubectl();
        if Masked::of(&before.out) != Masked::of(&after.out) {
            continue;
        }
        return judge(&before, &ours, &after).map_err(|why| {
            format!(
                "`{words}`: {why}\n--- kubectl ({}):\n{}{}--- ours ({}):\n{}{}",
                before.code(),
                before.out,
                before.err,
                ours.code(),
                ours.out,
                ours.err
            )
        });
    }
    Err(format!("`{words}`: kubectl never said the same twice"))
}

fn judge(before: &Said, ours: &Said, after: &Said) -> Result<(), String> {
    if before.err.ends_with(UNREADABLE) && ours.code() == 0 {
        return Ok(());
    }
    if ours.code() != before.code() {
        return Err("another exit code".into());
    }
    if without_pointer(&ours.err) != without_warnings(&before.err) {
        return Err("another stderr".into());
    }
    let [low, ours, high] = [before, ours, after].map(|said| legible(&said.out));
    if Masked::of(&ours) != Masked::of(&low) {
        return Err("another stdout".into());
    }
    interval_holds(&low, &ours, &high)
}

/// kubectl cannot write what its own YAML library then refuses to read; we can.
const UNREADABLE: &str = "yaml: control characters are not allowed\n";

/// What is wrong is said in kubectl's words; that we show the place of a mistake under them is ours.
fn without_pointer(err: &str) -> String {
    let lines: Vec<_> = err.split_inclusive('\n').collect();
    match lines.as_slice() {
        [said @ .., _, pointer] if pointer.trim() == "^" => said.concat(),
        _ => err.to_owned(),
    }
}

/// Warnings of an API server (a deprecated version, a short name that two resources have) do not cross the broker.
fn without_warnings(err: &str) -> String {
    err.split_inclusive('\n')
        .filter(|line| !line.starts_with("Warning: "))
        .collect()
}

/// The text without lines that hold a character which reorders what stands beside it, or rings: kubectl leaves it to the
/// terminal, in our tables it is a visible escape (docs/decisions.md).
fn legible(text: &str) -> String {
    let marks = ["\u{202e}", "\\u202e", "\u{7}", "^G"];
    text.split_inclusive('\n')
        .filter(|line| !marks.iter().any(|mark| line.contains(mark)))
        .collect()
}

/// Checks every case and tells all that differ.
fn check(cases: impl IntoIterator<Item = String>) {
    let stage = stage();
    let (mut count, mut wrong) = (0, Vec::new());
    for words in cases {
        count += 1;
        wrong.extend(compare(stage, &words).err());
    }
    assert!(
        wrong.is_empty(),
        "{} of {count} differ:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

pub(crate) const NAMESPACED: &[&str] = &[
    "pods",
    "po",
    "deployments",
    "deploy",
    "deployments.apps",
    "deployments.v1.apps",
    "rs",
    "sts",
    "ds",
    "jobs",
    "cj",
    "svc",
    "ingresses.networking.k8s.io",
    "netpol",
    "cm",
    "secrets",
    "pvc",
    "sa",
    "roles",
    "rolebindings",
    "hpa",
    "pdb",
    "events",
    "ev",
    "leases",
    "endpointslices",
    "ep",
    "rc",
    "quota",
    "limits",
    "podtemplates",
    "widgets",
    "wd",
    "widgets.bed.mqinformer.io",
    "plainthings",
    "Pod",
];

pub(crate) const CLUSTER_SCOPED: &[&str] = &[
    "nodes",
    "ns",
    "pv",
    "sc",
    "priorityclasses",
    "ingressclasses",
    "clusterroles",
    "clusterrolebindings",
    "crd",
    "sites",
    "csidrivers",
    "runtimeclasses",
    "validatingwebhookconfigurations",
    "apiservices",
];

#[test]
fn tables_of_every_kind() {
    let forms = [
        "",
        " -o wide",
        " --show-labels",
        " --no-headers",
        " -o name",
    ];
    let namespaced = NAMESPACED.iter().flat_map(|kind| {
        let all = forms
            .iter()
            .map(move |form| format!("get {kind} -n shop{form}"));
        all.chain([format!("get {kind} -A{}", legible_only(kind))])
    });
    let scoped = CLUSTER_SCOPED
        .iter()
        .flat_map(|kind| forms.iter().map(move |form| format!("get {kind}{form}")));
    check(namespaced.chain(scoped));
}

/// The pod whose status reorders its line makes its column wider in ours than in kubectl's: on purpose, so it is left
/// out.
fn legible_only(kind: &str) -> &'static str {
    match kind {
        "pods" | "po" | "Pod" => " --field-selector metadata.name!=hostile",
        _ => "",
    }
}

#[test]
fn objects_of_every_kind() {
    let kinds = NAMESPACED
        .iter()
        .map(|kind| format!("{kind} -A"))
        .chain(CLUSTER_SCOPED.iter().map(|kind| (*kind).to_owned()));
    check(kinds.flat_map(|kind| ["json", "yaml"].map(|form| format!("get {kind} -o {form}"))));
}

#[test]
fn one_object_by_name() {
    let objects = [
        "pods steady",
        "deploy web",
        "cm nasty",
        "jobs complete",
        "widgets.bed.mqinformer.io",
        "svc web",
    ];
    check(objects.iter().flat_map(|object| {
        [
            "",
            " -o wide",
            " -o json",
            " -o yaml",
            " -o name",
            " --show-labels",
        ]
        .map(|form| format!("get {object} -n shop{form}"))
    }));
}

#[test]
fn selectors_and_several_types() {
    check(
        [
            "get pods -n shop -l app=web",
            "get pods -A -l app!=web --field-selector metadata.name!=hostile",
            "get pods -n shop -l app in (web,db) -o name",
            "get pods -A --field-selector status.phase=Running",
            "get pods -A --field-selector status.phase!=Running,metadata.name!=hostile -o wide",
            "get pods,svc -n shop",
            "get deploy,rs,sts -n shop -o wide",
            "get cm,secrets -A",
            "get deploy,nodes,sa -A",
            "get nodes,deploy,ns -A",
            "get pods,nodes -A -l kubernetes.io/os",
            "get podtemplates,nodes -A",
            "get nodes,ns",
            "get pods,svc -n shop -o json",
            "get pods,svc -n shop -o name",
            "get pods steady several -n shop",
            "get pods steady several -n shop -o yaml",
        ]
        .map(|words| words.to_owned()),
    );
}

#[test]
fn messages_and_exit_codes() {
    check(
        [
            "get pods -n empty",
            "get pods -n nowhere",
            "get pods,svc -n empty",
            "get pods missing -n shop",
            "get pods steady missing -n shop",
            "get nosuchthings",
            "get pods,nosuchthings -n shop",
            "get pods -n shop -l app=nothing",
            "get pods -n shop -l a==,",
            "get pods --field-selector status.nosuch=1 -n shop",
            "get widgets -n empty -o yaml",
            "get pods -n empty -o json",
            "get pods -n empty -o name",
            "get pods -n empty --no-headers",
            "get nodes missing",
            "get",
        ]
        .map(|words| words.to_owned()),
    );
}

#[test]
fn events_in_the_order_of_time() {
    let whose = [
        "-n shop",
        "-A",
        "-n empty",
        "-n shop --types Warning",
        "-n shop --types normal,Warning",
        "-n shop --for pod/crashing",
        "-n shop --for deploy/web",
        "-n shop --for Deployment.apps/web",
        "-n shop --for pod/nosuch",
    ];
    // `-o name` prints nothing in kubectl: it ignores its printer's error.
    let forms = ["", " --no-headers", " -o json", " -o yaml"];
    let wrong = [
        "events --types x",
        "events --for web",
        "events --for a/b/c",
        "events --for nosuch/x",
    ];
    let cases = whose.iter().flat_map(|whose| {
        forms
            .iter()
            .map(move |form| format!("events {whose}{form}"))
    });
    check(cases.chain(wrong.map(str::to_owned)));
}
