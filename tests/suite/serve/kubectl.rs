//! Real kubectl, of what is served and of the API server itself: the same but for the versions.

use super::site::site;
use crate::differential::{kubectl, same};
use crate::programs::{Background, Said, run};
use serde_json::Value;

const VERSION: &str = "mqinformer.io/resource-version";

/// What is said of a copy, as the API server itself would have said it.
pub(crate) fn as_of_the_cluster(mut said: Said, form: Form) -> Said {
    said.out = match form {
        Form::Text => said.out,
        Form::Described => described(&said.out),
        Form::Json => with_own_versions(serde_json::from_str(&said.out), &said.out),
        Form::Yaml => with_own_versions(serde_yaml::from_str(&said.out), &said.out),
    };
    said
}

#[derive(Clone, Copy)]
pub(crate) enum Form {
    Text,
    Described,
    Json,
    Yaml,
}

/// The values, each object with the version that its cluster gave it.
fn with_own_versions<E>(read: Result<Value, E>, text: &str) -> String {
    let Ok(mut value) = read else {
        return text.to_owned();
    };
    if let Some(items) = value.get_mut("items").and_then(Value::as_array_mut) {
        items.iter_mut().for_each(own_version);
    } else {
        own_version(&mut value);
    }
    serde_json::to_string_pretty(&value).unwrap()
}

fn own_version(object: &mut Value) {
    let Some(metadata) = object.get_mut("metadata") else {
        return;
    };
    let annotations = metadata.get_mut("annotations");
    let Some(annotations) = annotations.and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(version) = annotations.remove(VERSION) {
        let none = annotations.is_empty();
        metadata["resourceVersion"] = version;
        if none {
            metadata.as_object_mut().unwrap().remove("annotations");
        }
    }
}

/// A description without the annotation that has the object's own version.
fn described(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut label = None;
    for line in text.lines() {
        if line.contains(VERSION) {
            label = line.split_once(VERSION).map(|(label, _)| label.to_owned());
            continue;
        }
        match label.take() {
            // The next annotation takes the place of the first.
            Some(first) if line.starts_with(&" ".repeat(first.len())) && first.contains(':') => {
                out.push(format!("{first}{}", line.trim_start()));
            }
            Some(first) if first.contains(':') => {
                out.push(format!("{first}<none>"));
                out.push(line.to_owned());
            }
            _ => out.push(line.to_owned()),
        }
    }
    out.join("\n") + "\n"
}

fn check<'a>(cases: impl IntoIterator<Item = &'a str>, form: Form) {
    let site = site();
    let mut wrong = Vec::new();
    for words in cases {
        let args: Vec<&str> = words.split(' ').collect();
        let theirs = || as_of_the_cluster(kubectl(site.stage, &args), form);
        let ours = || as_of_the_cluster(site.kubectl("cluster1", &args), form);
        wrong.extend(same(words, theirs, ours).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn serve_tables() {
    check(
        [
            "get pods -n shop",
            "get po -A -o wide",
            "get pods -n shop --show-labels",
            "get pods -n shop --no-headers -L app",
            "get pods -n shop -l app=web",
            "get pods -n shop -l app!=web,app",
            "get pods -n shop --field-selector status.phase=Running",
            "get pods -A --field-selector spec.nodeName!=",
            "get pods -n shop --field-selector metadata.name=steady",
            "get pods -n shop --field-selector spec.none=1",
            "get cm -n shop --field-selector data.x=1",
            "get pods -n shop --chunk-size=2",
            "get pods -n shop --sort-by .metadata.name",
            "get pods -n shop --show-kind",
            "get pod steady -n shop",
            "get pod none -n shop",
            "get pods -n empty",
            "get deploy,svc,sts -n shop",
            "get nodes -o wide",
            "get ns",
            "get pv",
            "get pvc -n shop",
            "get secrets -n shop",
            "get jobs -n shop",
            "get cj -n shop",
            "get ds -A",
            "get quota -n shop",
            "get sa -n shop",
            "get endpointslices -n shop",
            "get widgets -n shop",
            "get deployments.apps -n shop -o name",
            "get pods -A -o name",
            "get pods -n shop -o jsonpath={.items[*].metadata.name}",
            "get pods -n shop -o custom-columns=N:.metadata.name,P:.status.phase",
            "rollout status deployment/web -n shop --timeout=20s",
            "wait pod/steady -n shop --for=jsonpath={.metadata.name}=steady --timeout=20s",
            "wait pods -l app=web -n shop --for=condition=Ready --timeout=30s",
            "auth can-i list pods",
            "top --help",
        ],
        Form::Text,
    );
}

#[test]
fn serve_objects() {
    check(
        [
            "get pods -n shop -o json",
            "get pod steady -n shop -o json",
            "get deploy -A -o json",
            "get nodes -o json",
            "get secrets -n shop -o json",
            "get widgets -n shop -o json",
            "get cm,svc -n shop -o json --chunk-size=3",
            "get --raw /api/v1/namespaces/shop/pods/none",
        ],
        Form::Json,
    );
    check(
        ["get pods -n shop -o yaml", "get svc -n shop -o yaml"],
        Form::Yaml,
    );
}

#[test]
fn serve_described() {
    check(
        [
            "describe pod steady -n shop",
            "describe deploy web -n shop",
            "describe svc -n shop",
            "describe pvc -n shop",
            "describe sts db -n shop",
            "describe ns shop",
        ],
        Form::Described,
    );
}

#[test]
fn serve_what_is_served_is_what_is_discovered() {
    let site = site();
    let lines = |said: &str| {
        let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let args = ["api-resources", "--no-headers"];
    let words = |line: &String| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let theirs: Vec<_> = lines(&kubectl(site.stage, &args).out)
        .iter()
        .map(words)
        .collect();
    let ours = site.kubectl("cluster1", &args);
    let mut count = 0;
    for line in lines(&ours.out).iter().map(words) {
        // Of a custom resource, the short names do not cross the broker.
        let short = line.iter().any(|word| word.contains("bed.mqinformer.io"));
        assert!(short || theirs.contains(&line), "{line:?}");
        count += 1;
    }
    assert_eq!(count, 22, "{}", ours.out);
}

#[test]
fn serve_refuses_what_a_copy_cannot_do() {
    let site = site();
    for (args, why) in [
        ("delete pod steady -n shop", "(MethodNotAllowed)"),
        ("create ns never", "(MethodNotAllowed)"),
        ("label pod steady -n shop never=1", "(MethodNotAllowed)"),
        ("logs steady -n shop", "\"log\" is not served"),
        (
            "get replicationcontrollers",
            "the server doesn't have a resource type",
        ),
        ("auth can-i delete pods", ""),
    ] {
        let said = site.kubectl("cluster1", &args.split(' ').collect::<Vec<_>>());
        assert_eq!(said.code(), 1, "{args}: {said:?}");
        assert!(said.err.contains(why), "{args}: {said:?}");
    }
    let explained = site.kubectl("cluster1", &["explain", "pods"]);
    assert_ne!(explained.code(), 0);
}

#[test]
fn serve_watches() {
    let site = site();
    let cluster = &site.stage.cluster;
    let namespace = cluster.namespace("watched").unwrap();
    let create = |name: &str, labels: &str| {
        cluster
            .kubectl_ok(&["-n", &namespace, "create", "configmap", name])
            .unwrap();
        cluster
            .kubectl_ok(&["-n", &namespace, "label", "configmap", name, labels])
            .unwrap();
    };
    create("seed", "app=web");
    bed::wait_for("the store has the namespace", || {
        let said = site.kubectl(
            "cluster1",
            &["get", "cm", "seed", "-n", &namespace, "--show-labels"],
        );
        Ok(said.out.contains("app=web").then_some(()))
    })
    .unwrap();
    let all = [
        "get",
        "cm",
        "-n",
        &namespace,
        "-w",
        "--output-watch-events",
        "--no-headers",
    ];
    let selected = [&all[..], &["-l", "app=web"]].concat();
    let only = [&all[..4], &["--watch-only", "-o", "name"]].concat();
    let watches: Vec<_> = [&all[..], &selected, &only]
        .iter()
        .enumerate()
        .map(|(index, args)| {
            let log = bed::Bed::shared()
                .unwrap()
                .dir()
                .join(format!("served-watch-{index}.log"));
            let mut theirs = cluster.kubectl_command();
            theirs.args(*args);
            let their_log = log.with_extension("theirs");
            (
                Background::start(site.command("cluster1", args), &log),
                Background::start(theirs, &their_log),
            )
        })
        .collect();
    let lines = |watch: &Background| -> Vec<String> {
        let words = |line: &str| {
            line.split_whitespace()
                .take(3)
                .collect::<Vec<_>>()
                .join(" ")
        };
        watch.out().lines().map(words).collect()
    };
    // Those that begin with a list have begun.
    bed::wait_for("the watches have begun", || {
        let begun = watches
            .iter()
            .take(2)
            .all(|(ours, theirs)| !lines(ours).is_empty() && !lines(theirs).is_empty());
        Ok(begun.then_some(()))
    })
    .unwrap();
    create("one", "app=web");
    cluster
        .kubectl_ok(&[
            "-n",
            &namespace,
            "label",
            "configmap",
            "seed",
            "app=other",
            "--overwrite",
        ])
        .unwrap();
    cluster
        .kubectl_ok(&["-n", &namespace, "delete", "configmap", "one"])
        .unwrap();
    for (index, (ours, theirs)) in watches.iter().enumerate().take(2) {
        let what = format!("watch {index} says what kubectl's own says");
        let last = bed::wait_for(&what, || {
            let (ours, theirs) = (lines(ours), lines(theirs));
            let ended = theirs
                .iter()
                .any(|line| line.starts_with("DELETED") && line.contains("one"));
            Ok((ended && coalesced(&ours) == coalesced(&theirs)).then_some(()))
        });
        assert!(last.is_ok(), "{:?}\n{:?}", lines(ours), lines(theirs));
    }
    bed::wait_for("--watch-only tells changes", || {
        Ok(watches[2].0.out().contains("configmap/one").then_some(()))
    })
    .unwrap();
}

/// Changes that follow each other at once are one to a copy.
fn coalesced(lines: &[String]) -> Vec<String> {
    let mut out: Vec<String> = lines.to_vec();
    out.retain(|line| !line.starts_with("MODIFIED"));
    out
}

#[test]
fn serve_with_tls_to_who_has_a_token() {
    let site = site();
    let kubeconfig = site.guarded("0123456789abcdef,ann\nfedcba9876543210,bob,tw*\n");
    let get = |clusters: &str, token: &str| {
        let args = ["get", "pod", "steady", "-n", "shop", "-o", "name"];
        let mut command = site.command(clusters, &args);
        command.env("KUBECONFIG", kubeconfig(clusters, token));
        run(command)
    };
    assert_eq!(get("cluster1", "0123456789abcdef").out, "pod/steady\n");
    assert_eq!(get("twin", "fedcba9876543210").out, "pod/steady\n");
    // Of all clusters, one is his: the name is in no other.
    assert_eq!(get("*", "fedcba9876543210").out, "pod/steady\n");
    let forbidden = get("cluster1", "fedcba9876543210").err;
    assert!(
        forbidden.contains("User \"bob\" cannot read this cluster"),
        "{forbidden}"
    );
    let unknown = get("cluster1", "0000000000000000").err;
    assert!(unknown.contains("Unauthorized"), "{unknown}");
}

#[test]
fn serve_all_clusters_as_one() {
    let site = site();
    let said = site.kubectl("*", &["get", "pods", "-n", "shop"]);
    let count = |cluster: &str| {
        let begin = format!("{cluster} ");
        said.out
            .lines()
            .filter(|line| line.starts_with(&begin))
            .count()
    };
    assert!(said.out.starts_with("CLUSTER "), "{said:?}");
    assert!(
        count("cluster1") > 5 && count("cluster1") == count("twin"),
        "{said:?}"
    );
    let several = site.kubectl("*", &["get", "pod", "steady", "-n", "shop"]);
    assert!(
        several.err.contains("in several clusters (cluster1, twin)"),
        "{several:?}"
    );
    let nodes = site.kubectl("*", &["get", "nodes", "-o", "name"]).out;
    assert_eq!(
        nodes,
        kubectl(site.stage, &["get", "nodes", "-o", "name"]).out
    );
}
