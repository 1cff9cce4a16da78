//! Hundreds of command lines, made of kinds, flags and expressions, to real kubectl and to the plugin: the same bytes.
//!
//! `make test` takes a sample; `PARITY` says how many, or `all`, which is what `make parity` says.

use crate::differential::{CLUSTER_SCOPED, NAMESPACED, Stage, compare_args, stage};
use crate::programs::{Said, plugin};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many cases a test takes unless it is told otherwise.
const SAMPLE: usize = 120;
/// So many at once: half of the time is spent waiting.
const AT_ONCE: usize = 4;

type Case = Vec<String>;

fn case(words: &str) -> Case {
    words.split(' ').map(str::to_owned).collect()
}

/// `get pods -A` and one argument that may have blanks in it.
fn with(words: &str, argument: impl Into<String>) -> Case {
    let mut case = case(words);
    case.push(argument.into());
    case
}

/// All of them, or a sample that is spread over them.
fn chosen(cases: Vec<Case>) -> Vec<Case> {
    let most = match std::env::var("PARITY")
        .ok()
        .filter(|words| !words.is_empty())
    {
        Some(words) if words == "all" => cases.len(),
        Some(words) => words.parse().expect("PARITY is a number, or all"),
        None => SAMPLE,
    };
    let step = cases.len().div_ceil(most.max(1)).max(1);
    cases.into_iter().step_by(step).collect()
}

/// Checks the cases and tells all that differ.
fn check(cases: Vec<Case>) {
    let stage = stage();
    let cases = chosen(cases);
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let args: Vec<&str> = case.iter().map(String::as_str).collect();
                    if let Err(why) = compare_args(stage, &args) {
                        wrong.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    println!("{} cases, {} differ", cases.len(), wrong.len());
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n\n")
    );
}

/// Every kind, in one namespace or in none.
fn kinds() -> impl Iterator<Item = String> {
    let namespaced = NAMESPACED.iter().map(|kind| format!("get {kind} -n shop"));
    let scoped = CLUSTER_SCOPED.iter().map(|kind| format!("get {kind}"));
    namespaced.chain(scoped)
}

#[test]
fn parity_of_flags() {
    let flags = [
        "--show-kind",
        "--show-kind --show-labels -o wide",
        "-L app,tier",
        "-L app.kubernetes.io/name -L app --no-headers",
        "--sort-by .metadata.name",
        "--sort-by {.metadata.creationTimestamp} -o wide",
        "--sort-by metadata.namespace -o name",
        "--sort-by=.metadata.uid -o json",
        "--sort-by .metadata.resourceVersion --show-kind",
        "--show-managed-fields -o json",
        "--show-managed-fields=true -o yaml",
        "--ignore-not-found=true",
        "--ignore-not-found -o json -l no=such",
        "--no-headers=true --show-labels=false",
        "--chunk-size=1",
        "-o kyaml",
        "-o JSON",
    ];
    check(
        kinds()
            .flat_map(|kind| flags.map(move |flags| case(&format!("{kind} {flags}"))))
            .collect(),
    );
}

/// The expressions of kubectl's documentation, and the edges of its printers. None visits an object of several keys:
/// Go does that by chance.
const PATHS: &[&str] = &[
    "{.kind}",
    "{['kind']}",
    "{@}",
    "{$}",
    "{.items[*].metadata.name}",
    "{.items[0].metadata.name}",
    "{.items[-1:].metadata.name}",
    "{.items[0:2].metadata.name}",
    "{.items[::2].metadata.name}",
    "{.items[*]['metadata.name', 'kind']}",
    "{.items[*]['metadata.name','status']}",
    "{.items[?(@.metadata.name==\"steady\")].metadata.uid}",
    "{.items[?(@.metadata.name!=\"steady\")].metadata.name}",
    "{.items[?(@.metadata.labels.app)].metadata.name}",
    "{.items[?(@.metadata.labels.app==\"web\")].metadata.name}",
    "{.items[?(@.metadata.generation>=1)].metadata.name}",
    "{range .items[*]}[{.metadata.name}, {.status.phase}] {end}",
    "{range .items[*]}{.metadata.name}{\"\\t\"}{.metadata.creationTimestamp}{\"\\n\"}{end}",
    "{range .items[*]}{.metadata.name}{\": \"}{range .spec.containers[*]}{.image}{\", \"}{end}{\"\\n\"}{end}",
    "{range .items[*]}{.metadata.name}{range .metadata.ownerReferences[*]}{' '}{.kind}/{.name}{end}{'\\n'}{end}",
    "{.items[*].metadata.labels.app\\.kubernetes\\.io/name}",
    "{.items[*].metadata.annotations.kubectl\\.kubernetes\\.io/last-applied-configuration}",
    "{.items[*].spec.containers[*].image}",
    "{.items[*].spec.containers[0].ports}",
    "{.items[*].spec.replicas}",
    "{.items[*].metadata}",
    "{.items}",
    "{.items[0]}",
    "{.items[*].data}",
    "{.items[*].none.none}",
    "{.items[*].status.conditions[?(@.type==\"Ready\")].status}",
    "{.items[*].status.conditions[?(@.status=='True')].type}",
    "{..name..none}",
    "names: {.items[*].metadata.name}; kind: {.kind}.",
    "{.items[*].metadata.name}{\"\\n\"}",
    // What cannot be read, or not be done.
    "{.items[?(@.metadata.name=~/^test$/)].metadata.name}",
    "{.items[0].metadata.name",
    "{.items[x]}",
    "{.items[9999].metadata.name}",
    "{.metadata[0]}",
    "{.kind[0]}",
    "{.items[*].metadata.name[0]}",
    "{nonsense}",
    "{end}",
    "{.items[?(@.metadata.name<>1)]}",
    "{\"\\q\"}",
    "",
];

const COLUMNS: &[&str] = &[
    "NAME:.metadata.name",
    "NAME:metadata.name,NS:{.metadata.namespace},UID:{metadata.uid}",
    "NAME:.metadata.name,LABELS:.metadata.labels,OWNERS:.metadata.ownerReferences[*].name",
    "NAME:.metadata.name,IMAGES:.spec.containers[*].image,FIRST:.spec.containers[0].name,REPLICAS:.spec.replicas",
    "NAME:.metadata.name,SPEC:.spec,NONE:.none.none,DATA:.data",
    "NAME:.metadata.name,READY:.status.conditions[?(@.type==\"Ready\")].status",
    "NAME:.metadata.name,A:.metadata.annotations",
    "kind:.kind,v:.apiVersion,g:.metadata.generation",
    "NAME:.metadata.name,X:.metadata.finalizers[0]",
    "NAME",
    "NAME:{.metadata.name",
    "",
];

#[test]
fn parity_of_jsonpaths() {
    let cases = kinds().flat_map(|kind| {
        PATHS.iter().enumerate().map(move |(index, path)| {
            let form = if index % 6 == 5 {
                "jsonpath-as-json"
            } else {
                "jsonpath"
            };
            with(&format!("{kind} -o"), format!("{form}={path}"))
        })
    });
    check(cases.collect());
}

#[test]
fn parity_of_custom_columns() {
    let flags = ["", " --no-headers", " -A", " --sort-by .metadata.name"];
    let cases = kinds().flat_map(|kind| {
        COLUMNS.iter().enumerate().map(move |(index, columns)| {
            let flags = flags[index % flags.len()];
            with(
                &format!("{kind}{flags} -o"),
                format!("custom-columns={columns}"),
            )
        })
    });
    check(cases.collect());
}

#[test]
fn parity_of_one_object() {
    let objects = [
        "pods steady",
        "pods/steady",
        "deploy web",
        "deployment.apps/web svc/web",
        "cm nasty",
        "jobs complete",
        "svc web",
        "pods steady missing",
        "pods missing",
        "pods/missing svc/web",
        "pods,svc web",
        "pod.v1. steady",
    ];
    let forms = [
        "",
        "-o json",
        "-o yaml",
        "-o kyaml",
        "-o name",
        "-o wide",
        "--show-kind",
        "--ignore-not-found",
        "--ignore-not-found -o json",
        "--sort-by .metadata.name",
        "--sort-by .none",
        "-o jsonpath={.metadata.name}",
        "-o jsonpath={.items[*].kind}",
        "-o jsonpath-as-json={..uid}",
        "-o jsonpath={.missing} --allow-missing-template-keys=false",
        "-o custom-columns=N:.metadata.name,K:.kind",
        "--show-managed-fields -o yaml",
        "-o jsonpath --template={.kind}",
    ];
    let cases = objects.iter().flat_map(|object| {
        let several = object.contains("svc/") || object.contains(',');
        // Of several types kubectl looks for the field in the tables themselves (docs/decisions.md).
        let same = move |form: &&str| !(several && form.starts_with("--sort-by"));
        let forms = forms.into_iter().filter(same);
        forms.map(move |form| case(format!("get {object} -n shop {form}").trim_end()))
    });
    check(cases.collect());
}

#[test]
fn parity_of_words() {
    let words = [
        "get all -n shop",
        "get all -A -o name",
        "get all -n empty",
        "get all -n shop -o json",
        "get all -n shop --show-labels",
        "get all,cm -n shop",
        "get all web -n shop",
        "get api-extensions",
        "get pods,all -n shop -o name",
        "get All -n shop",
        "get pods.v1. -n shop",
        "get Pod -n shop",
        "get deployments.v1.apps,po -n shop",
        "get nosuch",
        "get pods nosuch -n shop",
        "get pods/steady pods/several -n shop",
        "get pods/steady svc -n shop",
        "get pods -n shop --output-watch-events",
        "get pods -n shop --show-labels -o custom-columns=A:.a",
        "get pods -n shop --sort-by {.a}{.b} -o json",
        "get pods -n empty --sort-by .a",
        "get pods -n empty -o custom-columns=A:.a",
        "get pods -n empty -o jsonpath={.items}",
        "get pods -n empty -o kyaml",
        "get pods -n empty --ignore-not-found -o yaml",
        "get pods -n empty --ignore-not-found",
        "get pods,svc -n shop --sort-by .metadata.name -o name",
        "get nodes,ns --show-kind=false",
        "get pods -n shop -o jsonpath-file=/nonexistent",
        "get pods -n shop -o custom-columns-file=/nonexistent",
        "get pods -n shop -o jsonpath",
        "api-resources",
        "api-resources -o wide",
        "api-resources -o name",
        "api-resources --no-headers --sort-by name",
        "api-resources --sort-by=kind -o wide",
        "api-resources --namespaced=false",
        "api-resources --namespaced",
        "api-resources --api-group=apps",
        "api-resources --api-group= -o name",
        "api-resources --verbs=list,watch --categories=all",
        "api-resources --verbs=nosuch",
        "api-resources --sort-by=nosuch",
        "api-resources -o nosuch",
        "api-resources extra",
        "api-resources -o yaml",
        "api-resources --api-group=nosuch -o json",
        "api-resources --api-group=batch -o json",
        "wait --for=condition=Ready pod/steady -n shop",
        "wait --for=condition=ready=true pod steady -n shop",
        "wait --for=condition=Ready pod/missing -n shop",
        "wait --for=delete pod/missing -n shop",
        "wait --for=condition=Nosuch pod/steady -n shop --timeout=0",
        "wait --for=condition=Nosuch pod/steady -n shop --timeout=1s",
        "wait --for=jsonpath={.metadata.name}=steady pod/steady -n shop",
        "wait --for=jsonpath={.metadata.name}=x pod/steady -n shop --timeout=0",
        "wait --for=jsonpath={.metadata.labels} pod/steady -n shop",
        "wait --for=jsonpath={.metadata}=x pod/steady -n shop",
        "wait --for=nonsense pod/steady -n shop",
        "wait pod/steady -n shop",
        "wait --for=condition=Ready pod -n shop",
        "wait --for=condition=Ready pod -n shop -l no=such",
        "wait --for=condition=Ready",
        "wait --for=create pod/steady -n shop",
        "wait --for=create pod/missing -n shop --timeout=1s",
        "wait --for=delete pod/steady -n shop --timeout=1s",
        "wait --for=condition=Available deploy/web -n shop --timeout=1s",
        "wait --for=condition=Ready pod/steady -n shop -o name",
        "wait --for=condition=Ready nosuch/x",
        "wait --for=create --for=condition=Ready pod/steady -n shop",
        "wait --for=jsonpath={.a[x]} pod/steady -n shop",
        "wait --for=condition=Ready pod/missing pod/steady -n shop",
    ];
    check(words.map(case).to_vec());
}

/// Our YAML applied again changes nothing: every object of the cluster, and ten thousand values that YAML may read as
/// something else.
#[test]
fn yaml_applied_again_changes_nothing() {
    let stage = stage();
    let (maps, values) = match std::env::var("PARITY").is_ok_and(|words| words == "all") {
        true => (100, 100),
        false => (10, 100),
    };
    let namespace = stage.cluster.namespace("yaml").unwrap();
    let items: Vec<_> = (0..maps).map(|map| nasty_map(map, values)).collect();
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    stage
        .cluster
        .kubectl_input(&["create", "-n", &namespace, "-f", "-"], &list)
        .unwrap();
    let mut wrong = Vec::new();
    for words in [format!("get cm -n {namespace}")]
        .into_iter()
        .chain(kinds_to_apply())
    {
        wrong.extend(applied_again(stage, &words));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Events and leases change while one looks; what a controller writes all the time cannot be compared.
/// Nothing that moves by itself; of the namespaces those that no other test makes and ends meanwhile.
fn kinds_to_apply() -> impl Iterator<Item = String> {
    const MOVING: [&str; 6] = ["events", "ev", "leases", "nodes", "namespaces", "ns"];
    let still = kinds().filter(|words| {
        !MOVING
            .iter()
            .any(|kind| words.split(' ').nth(1) == Some(*kind))
    });
    still.chain(["get ns default kube-system shop".to_owned()])
}

fn applied_again(stage: &Stage, words: &str) -> Option<String> {
    let yaml = ours(stage, &format!("{words} -o yaml")).out;
    let path = std::env::temp_dir().join(format!("parity-{}.yaml", std::process::id()));
    std::fs::write(&path, &yaml).unwrap();
    let path = path.to_string_lossy().into_owned();
    let apply = ["apply", "--dry-run=server", "-o", "json", "-f", &path];
    let before: serde_json::Value =
        serde_json::from_str(&ours(stage, &format!("{words} -o json")).out).unwrap();
    if before["items"].as_array().is_none_or(Vec::is_empty) {
        return None;
    }
    let after = match stage.cluster.kubectl_ok(&apply) {
        Ok(after) => after,
        Err(why) => return Some(format!("{words}: {why:#}")),
    };
    let after: serde_json::Value = serde_json::from_str(&after).unwrap();
    let of = |list: &serde_json::Value| {
        let items = match list["items"].as_array() {
            Some(items) => items.clone(),
            None => vec![list.clone()],
        };
        let lasting = |mut item: serde_json::Value| {
            item["metadata"]["managedFields"].take();
            // A Deployment counts changes of annotations, too.
            item["metadata"]["generation"].take();
            // It has what was applied last, word for word.
            item["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
                .take();
            item
        };
        items.into_iter().map(lasting).collect::<Vec<_>>()
    };
    let (before, after) = (of(&before), of(&after));
    let changed = before
        .iter()
        .zip(&after)
        .find(|(before, after)| without_nulls(before) != without_nulls(after));
    match changed {
        Some((before, after)) => Some(format!("{words}: {before:#}\nbecame\n{after:#}")),
        None if before.len() != after.len() => {
            Some(format!("{words}: {} became {}", before.len(), after.len()))
        }
        None => None,
    }
}

/// What is absent, null or empty is the same to an API server.
fn without_nulls(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .filter(|(_, value)| !value.is_null() && *value != serde_json::json!({}))
            .collect(),
        serde_json::Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

fn ours(stage: &Stage, words: &str) -> Said {
    let args: Vec<&str> = words.split(' ').chain(["--cluster", "cluster1"]).collect();
    plugin(stage.broker.url(), &args)
}

/// Values made of what YAML's readers stumble over; the same ones every time.
fn nasty_map(map: usize, values: usize) -> serde_json::Value {
    const PIECES: &[&str] = &[
        "yes",
        "no",
        "on",
        "NO",
        "null",
        "~",
        "true",
        "1_000",
        "12:30:45",
        "0x1f",
        "0o17",
        "1e3",
        ".5",
        "-",
        "- a",
        "? b",
        ": c",
        "#",
        " # d",
        "&a",
        "*a",
        "!t",
        "|",
        ">",
        "%",
        "@",
        "`",
        "'",
        "\"",
        "{",
        "}",
        "[",
        "]",
        ",",
        "a: b",
        "a:",
        "\n",
        "\n\n",
        " ",
        "  ",
        "\t",
        "2001-12-14t21:59:43.10-05:00",
        "2001-1-1",
        "é",
        "漢字",
        "😀",
        "\u{85}",
        "\u{2028}",
        "\u{a0}",
        "---",
        "...",
        "=",
        "<<",
        "\\",
        "\\n",
        "a b c d e f g h i j k l m n o p q r s t u v w x y z",
        "0",
        "+1",
        "1.",
        "-.inf",
        ".NaN",
        "0b11",
        "1:2",
        "x\ny",
        "trailing ",
        " leading",
    ];
    let mut random = (map as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = move |most: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % most as u64) as usize
    };
    let data: serde_json::Map<String, serde_json::Value> = (0..values)
        .map(|index| {
            let text: String = (0..=next(5)).map(|_| PIECES[next(PIECES.len())]).collect();
            (format!("v{index}"), text.into())
        })
        .collect();
    serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("nasty-{map}")}, "data": data})
}
