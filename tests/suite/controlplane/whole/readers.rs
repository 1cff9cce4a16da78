//! Everybody who reads: kubectl, HTTP, the plugin.

use super::fleet::Fleet;
use crate::differential::same;
use crate::programs::{Background, Said};
use crate::serve::kubectl::{Form, as_of_the_cluster};
use serde_json::Value;
use std::collections::BTreeSet;

const VERSION: &str = "mqinformer.io/resource-version";
const CLUSTER: &str = "mqinformer.io/cluster";

/// A Deployment that runs, with what it waits for.
fn deploy(fleet: &Fleet, name: &str) {
    let template = format!(
        "{{metadata: {{labels: {{app: {name}}}}}, spec: {{nodeSelector: {{type: alive}}, containers: [{{name: main, image: busybox}}]}}}}"
    );
    let deployment = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {}, labels: {{app: {name}}}}}\n\
         spec: {{replicas: 2, selector: {{matchLabels: {{app: {name}}}}}, template: {template}}}\n",
        fleet.namespace
    );
    fleet.clusters[0].apply(&deployment).unwrap();
}

fn check(fleet: &Fleet, cases: &[&str], form: Form) {
    let mut wrong = Vec::new();
    for words in cases {
        let words = words.replace("NS", &fleet.namespace);
        let args: Vec<&str> = words.split(' ').collect();
        let theirs = || as_of_the_cluster(fleet.itself(0, &args), form);
        let ours = || as_of_the_cluster(fleet.kubectl("cluster1", &args), form);
        wrong.extend(same(&words, theirs, ours).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn whole_kubectl_reads_clusters_that_nobody_can_reach() {
    let fleet = Fleet::new("whole-kubectl");
    deploy(&fleet, "web");
    fleet.put(0, "settings", "one");
    fleet.put(1, "settings", "two");
    let _controlplane = fleet.controlplane();
    let namespace = ["-n", &fleet.namespace];
    let waited = |what: &[&str]| {
        let args = [&["wait", "--timeout=60s"], what, &namespace].concat();
        fleet.kubectl("cluster1", &args)
    };
    let said = waited(&["deployment/web", "--for=condition=Available"]);
    assert_eq!(said.out, "deployment.apps/web condition met\n", "{said:?}");
    let said = waited(&["pod", "-l", "app=web", "--for=condition=Ready"]);
    assert_eq!(
        (said.code(), said.out.lines().count(), said.err.as_str()),
        (0, 2, ""),
        "{said:?}"
    );
    until_settled(&fleet);
    check(
        &fleet,
        &[
            "get pods -n NS",
            "get pods,deploy,cm -n NS -o wide",
            "get pods -n NS --sort-by .metadata.name --show-labels",
            "get deploy web -n NS",
            "get cm none -n NS",
            "get ns NS",
            "rollout status deploy/web -n NS",
            "get events -n NS -o name",
        ],
        Form::Text,
    );
    check(
        &fleet,
        &["describe deploy web -n NS", "describe pods -n NS"],
        Form::Described,
    );
    check(
        &fleet,
        &["get pods,cm,deploy -n NS -o json", "get ns NS -o json"],
        Form::Json,
    );
    union(&fleet);
    watches(&fleet);
}

/// Until the copies have what the controllers did last.
fn until_settled(fleet: &Fleet) {
    let args = [
        "get",
        "pods,deploy,events",
        "-n",
        &fleet.namespace,
        "-o",
        "json",
    ];
    let read = |said: Said| as_of_the_cluster(said, Form::Json).out;
    bed::wait_for("the copies are those of the cluster", || {
        let ours = read(fleet.kubectl("cluster1", &args));
        Ok((ours == read(fleet.itself(0, &args))).then_some(()))
    })
    .unwrap();
}

/// All objects of a resource as (cluster, namespace, name, version in its cluster).
type Facts = BTreeSet<[String; 4]>;

fn union(fleet: &Fleet) {
    for resource in ["configmaps", "pods", "namespaces", "deployments.apps"] {
        let args = ["get", resource, "-A", "-o", "json"];
        let items = |said: &Said| -> Vec<Value> {
            let list: Value = serde_json::from_str(&said.out).unwrap();
            list["items"].as_array().unwrap().clone()
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let facts = |item: &Value, cluster: String, version: &Value| {
            let of = &item["metadata"];
            [
                cluster,
                text(&of["namespace"]),
                text(&of["name"]),
                text(version),
            ]
        };
        let theirs = |cluster: usize| -> Facts {
            let name = fleet.clusters[cluster].name();
            let all = items(&fleet.itself(cluster, &args));
            let fact =
                |item: &Value| facts(item, name.into(), &item["metadata"]["resourceVersion"]);
            all.iter().map(fact).collect()
        };
        let ours = || -> Facts {
            let said = fleet.kubectl("*", &args);
            assert_eq!(said.err, "");
            let fact = |item: &Value| {
                let of = &item["metadata"]["annotations"];
                facts(item, text(&of[CLUSTER]), &of[VERSION])
            };
            items(&said).iter().map(fact).collect()
        };
        // Other tests change the clusters meanwhile.
        let differs = std::cell::RefCell::new(Facts::new());
        let same = bed::wait_for(resource, || {
            let both: Facts = theirs(0).union(&theirs(1)).cloned().collect();
            let ours = ours();
            differs.replace(both.symmetric_difference(&ours).cloned().collect());
            Ok((both == ours && !both.is_empty()).then_some(()))
        });
        assert!(same.is_ok(), "{resource}: {:?}", differs.borrow());
    }
    let said = fleet.kubectl("*", &["get", "cm", "settings", "-n", &fleet.namespace]);
    let why = "in several clusters (cluster1, cluster2)";
    assert!(said.err.contains(why), "{said:?}");
}

fn watches(fleet: &Fleet) {
    let args = ["get", "cm", "-n", &fleet.namespace, "-l", "app=whole"];
    let args = [&args[..], &["-w", "--output-watch-events", "--no-headers"]].concat();
    let log = |name: &str| {
        let namespace = &fleet.namespace;
        fleet
            .scene
            .bed
            .dir()
            .join(format!("{namespace}-{name}.log"))
    };
    let one = Background::start(fleet.command("cluster1", &args), &log("one"));
    let all = Background::start(fleet.command("*", &args), &log("all"));
    one.wait_out("its first object", |out| out.lines().count() == 1);
    all.wait_out("both first objects", |out| out.lines().count() == 2);
    fleet.put(1, "later", "one");
    fleet.put(0, "later", "one");
    fleet.remove(1, "settings");
    let told = |out: &str, what: &str| {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        out.lines().any(|line| words(line).starts_with(what))
    };
    one.wait_out("what is new", |out| told(out, "ADDED later 1"));
    all.wait_out("what is new in both", |out| {
        told(out, "ADDED cluster1 later 1")
            && told(out, "ADDED cluster2 later 1")
            && told(out, "DELETED cluster2 settings 1")
    });
    assert!(!one.out().contains("DELETED"), "{}", one.out());
    assert_eq!((one.err(), all.err()), (String::new(), String::new()));
}

#[test]
fn whole_http_and_the_plugin_find_what_is_and_what_was() {
    let fleet = Fleet::new("whole-search");
    deploy(&fleet, "api");
    fleet.put(0, "settings", "one");
    fleet.put(1, "settings", "other");
    let mut controlplane = fleet.controlplane();
    let namespace = fleet.namespace.clone();

    let running = format!("/search?kind=pods&namespace={namespace}&where=.status.phase%3DRunning");
    let found = fleet.until(&running, |it| {
        it["items"].as_array().is_some_and(|items| items.len() == 2)
    });
    assert_eq!(found["items"][0]["cluster"], "cluster1");
    assert_eq!(found["warnings"], serde_json::json!([]), "{found}");
    let count = format!("/search/count?kind=configmaps&namespace={namespace}&labels=app%3Dwhole");
    fleet.until(&format!("{count}&by=cluster"), |it| {
        let one = |name: &str| serde_json::json!({"value": name, "count": 1});
        it["groups"] == serde_json::json!([one("cluster1"), one("cluster2")])
    });

    // What happens while it is down is in its history as of when it is back.
    let before = jiff::Timestamp::now();
    controlplane.process.kill_9();
    fleet.put(0, "settings", "two");
    fleet.remove(1, "settings");
    let controlplane = fleet.controlplane();
    let history = |cluster: &str| format!("/history/{cluster}/configmaps/{namespace}/settings");
    let steps = |it: &Value, path: &str, from: &str, to: &str| {
        it["steps"].as_array().is_some_and(|steps| {
            let changes = steps.iter().flat_map(|it| it["changes"].as_array());
            changes.flatten().any(|change| {
                change["path"] == path && change["from"] == from && change["to"] == to
            })
        })
    };
    fleet.until(&history("cluster1"), |it| {
        steps(it, ".data.v", "one", "two")
    });
    fleet.until(&history("cluster2"), |it| {
        it["steps"].to_string().contains("deleted")
    });
    let at = format!("{}?at={before}", history("cluster2"));
    fleet.until(&at, |it| it.to_string().contains("\"other\""));

    // What a page from elsewhere may be behind is for nobody.
    for path in [
        "/search",
        "/clusters/cluster1/api/v1/pods",
        &history("cluster1"),
    ] {
        let code = |origin| fleet.get_from(path, Some(origin)).map(|it| it.code);
        assert_eq!(code("https://elsewhere.example.com"), Some(403), "{path}");
        assert_eq!(code("http://localhost:4466"), Some(200), "{path}");
    }
    plugin(&fleet, before);
    drop(controlplane);
}

/// The plugin knows of the controlplane by the broker alone.
fn plugin(fleet: &Fleet, before: jiff::Timestamp) {
    let namespace = &fleet.namespace;
    let told = |words: &str, wanted: &dyn Fn(&Said) -> bool| fleet.scene.until(words, wanted).0;
    let fresh = |said: &Said| said.code() == 0 && !said.err.contains("last heard");
    let said = told(
        &format!("search pods -n {namespace} .status.phase=Running"),
        &|said| said.out.lines().count() == 3,
    );
    assert!(fresh(&said), "{said:?}");
    let said = told(
        &format!("history cm/settings -n {namespace} --cluster cluster1"),
        &|said| said.out.contains(".data.v: one → two"),
    );
    assert!(fresh(&said), "{said:?}");
    let said = told(
        &format!("get cm -n {namespace} -l app=whole --at {before}"),
        &|said| said.out.lines().count() == 3,
    );
    assert!(fresh(&said), "{said:?}");
    // Now, from the clusters themselves.
    let said = told(&format!("get cm -n {namespace} -l app=whole"), &|said| {
        said.out.lines().count() == 2
    });
    assert!(fresh(&said) && said.err.is_empty(), "{said:?}");
    let said = told("clusters", &|said| said.code() == 0);
    let names = said.out.lines().skip(1).map(|line| line.split(' ').next());
    let names: Vec<_> = names.flatten().collect();
    assert_eq!(names, ["cluster1", "cluster2"], "{said:?}");
}
