use super::*;
use crate::ocm::plain;
use crate::ocm::work::{DeleteOption, ManifestConfig};
use elsewhere::{Want, want};
use evict::{Eviction, eviction};
use k8s_openapi::jiff::SignedDuration;
use prune::{Fate, Pruning, prune};
use strategy::{Action, Known, action, digest, is_as_wanted};

#[test]
fn what_others_need_comes_first() {
    let mut all: Vec<_> = manifests(vec![
        object("apps/v1", "Deployment", "n", "d"),
        config_map("c"),
        object(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "",
            "x",
        ),
        object("v1", "Service", "n", "s"),
        object("v1", "Namespace", "", "n"),
    ])
    .into_iter()
    .map(Result::unwrap)
    .collect();
    order::sort(&mut all);
    let kinds: Vec<_> = all.iter().map(|it| it.meta.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "Namespace",
            "CustomResourceDefinition",
            "ConfigMap",
            "Service",
            "Deployment"
        ]
    );
    assert!(order::rank("example.com", "Widget") > order::rank("", "Pod"));
    assert!(order::rank("example.com", "Service") > order::rank("apps", "Deployment"));
    let webhook = order::rank(
        "admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration",
    );
    assert!(webhook > order::rank("example.com", "Widget"));
}

#[test]
fn what_only_a_server_writes_is_left_out() {
    let mut raw = config_map("c");
    raw["metadata"]["uid"] = json!("u");
    raw["metadata"]["resourceVersion"] = json!("1");
    raw["metadata"]["managedFields"] = json!([]);
    let all = manifests(vec![raw, object("v1", "Namespace", "wrong", "n")]);
    assert_eq!(all[0].as_ref().unwrap().object, config_map("c"));
    let namespace = all[1].as_ref().unwrap();
    assert_eq!(namespace.meta.namespace, "");
    assert_eq!(namespace.object["metadata"], json!({"name": "n"}));
}

#[test]
fn why_a_manifest_cannot_be_applied() {
    let all = manifests(vec![
        json!({"kind": "ConfigMap"}),
        object("v1", "ConfigMap", "", "c"),
        object("example.com/v1", "Widget", "n", "w"),
        config_map("c"),
        config_map("c"),
        json!("text"),
    ]);
    let messages: Vec<_> = all
        .iter()
        .map(|it| {
            it.as_ref()
                .err()
                .map(|it| (it.message.as_str(), it.passing))
        })
        .collect();
    assert_eq!(
        messages,
        [
            Some(("apiVersion is missing", false)),
            Some(("metadata.namespace is missing", false)),
            Some(("the server doesn't have a resource type \"Widget\"", true)),
            None,
            Some(("manifest 3 is the same object", false)),
            Some(("apiVersion is missing", false)),
        ]
    );
}

fn decide(strategy: Value, known: Known<'_>) -> Action {
    let config: ManifestConfig = read(json!({"updateStrategy": strategy}));
    let mut raw = config_map("c");
    raw["spec"] = json!({"replicas": 1, "image": "a"});
    let manifest = manifests(vec![raw]).remove(0).unwrap();
    action(&manifest, Some(&config), known)
}

#[test]
fn strategies() {
    let there = config_map("c");
    let is_there = Known {
        there: Some(&there),
        ..Known::default()
    };
    let force = |action: Action| match action {
        Action::Apply { manager, force, .. } => Some((manager, force)),
        _ => None,
    };
    let named = |name: &str, force| Some((name.to_owned(), force));
    assert_eq!(
        force(decide(json!(null), is_there)),
        named("work-agent", true)
    );
    let ours =
        json!({"type": "ServerSideApply", "serverSideApply": {"fieldManager": "work-agent-x"}});
    assert_eq!(force(decide(ours, is_there)), named("work-agent-x", false));
    // Nobody would know it again.
    let other = json!({"type": "ServerSideApply", "serverSideApply": {"fieldManager": "helm"}});
    assert!(matches!(decide(other, is_there), Action::Refuse { .. }));
    let forced = json!({"type": "ServerSideApply", "serverSideApply": {"force": true}});
    assert_eq!(force(decide(forced, is_there)), named("work-agent", true));
    assert!(matches!(
        decide(json!({"type": "CreateOnly"}), Known::default()),
        Action::Create(_)
    ));
    assert_eq!(
        decide(json!({"type": "CreateOnly"}), is_there),
        Action::Look
    );
    assert_eq!(
        decide(json!({"type": "ReadOnly"}), Known::default()),
        Action::Look
    );
    assert!(matches!(
        decide(json!({"type": "Magic"}), is_there),
        Action::Refuse { .. }
    ));
    let done = Known {
        completed: true,
        ..is_there
    };
    assert_eq!(decide(json!({"type": "Update"}), done), Action::Completed);
    let theirs = Known {
        other_work: Some("w2"),
        ..is_there
    };
    assert!(matches!(
        decide(json!({"type": "Update"}), theirs),
        Action::Refuse {
            reason: "ApplyConflict",
            ..
        }
    ));
}

#[test]
fn ignored_fields_are_written_once() {
    let strategy = || {
        json!({"type": "ServerSideApply", "serverSideApply": {"ignoreFields": [
            {"condition": "OnSpokePresent", "jsonPaths": [".spec.replicas"], "jsonPointers": ["/spec/nothing"]}]}})
    };
    let spec_of = |known| match decide(strategy(), known) {
        Action::Apply { object, .. } => object["spec"].clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        spec_of(Known::default()),
        json!({"replicas": 1, "image": "a"})
    );
    let there = config_map("c");
    let known = Known {
        there: Some(&there),
        ..Known::default()
    };
    assert_eq!(spec_of(known), json!({"image": "a"}));
}

#[test]
fn paths_that_can_be_taken_out() {
    let cases = [
        (
            json!({"jsonPaths": ["$.a['b.c'][1]"]}),
            json!({"a": {"b.c": [1, 3]}, "d/e": 1}),
        ),
        (json!({"jsonPaths": ["{.a}"]}), json!({"d/e": 1})),
        (
            json!({"jsonPointers": ["/d~1e"]}),
            json!({"a": {"b.c": [1, 2, 3]}}),
        ),
        (
            json!({"jsonPointers": ["/a/b.c/0"]}),
            json!({"a": {"b.c": [2, 3]}, "d/e": 1}),
        ),
    ];
    for (fields, want) in cases {
        let mut object = json!({"a": {"b.c": [1, 2, 3]}, "d/e": 1});
        ignore::remove(&mut object, &[read(fields)]);
        assert_eq!(object, want);
    }
    for bad in [".a[*]", "..a", ".a[?(@.b)]", "", "a b"] {
        assert!(!ignore::is_simple(bad), "{bad}");
    }
}

#[test]
fn when_an_object_has_to_be_written_again() {
    let wanted = json!({"spec": {"a": 1, "list": [{"x": 1}], "nothing": null}});
    let applied = Some(digest(&wanted));
    let with_defaults = json!({"spec": {"a": 1, "b": 2, "list": [{"x": 1, "y": 2}]}, "status": {}});
    assert!(is_as_wanted(&wanted, &with_defaults, applied));
    let changed = json!({"spec": {"a": 2, "list": [{"x": 1}]}});
    assert!(!is_as_wanted(&wanted, &changed, applied));
    assert!(!is_as_wanted(&wanted, &json!({}), applied));
    // A field that is not wanted any more is still there: only the digest tells.
    assert!(!is_as_wanted(
        &json!({"spec": {"a": 1}}),
        &with_defaults,
        applied
    ));
}

fn pruned(synced: bool, wanted: Vec<Value>, option: Value, elsewhere: Want) -> Vec<Fate> {
    let inventory = [thing("configmaps", "a"), thing("services", "b")];
    let option: Option<DeleteOption> = read(option);
    prune(&Pruning {
        synced,
        inventory: &inventory,
        manifests: &manifests(wanted),
        option: option.as_ref(),
        wanted_elsewhere: &|_| elsewhere,
    })
}

#[test]
fn what_is_not_wanted_any_more_is_removed() {
    let (a, b) = (thing("configmaps", "a"), thing("services", "b"));
    assert_eq!(
        pruned(true, vec![config_map("a")], json!(null), Want::No),
        [Fate::Delete(b.clone())]
    );
    let all = pruned(true, vec![], json!(null), Want::No);
    assert_eq!(
        all,
        [Fate::Delete(b.clone()), Fate::Delete(a.clone())],
        "in the reverse order"
    );
    assert!(
        pruned(false, vec![], json!(null), Want::No).is_empty(),
        "not synced"
    );
    let all = pruned(
        true,
        vec![],
        json!({"propagationPolicy": "Orphan"}),
        Want::No,
    );
    assert_eq!(all, [Fate::Release(b.clone()), Fate::Release(a.clone())]);
    let some = json!({"propagationPolicy": "SelectivelyOrphan", "selectivelyOrphans": {"orphaningRules": [
        {"group": "", "resource": "services", "namespace": "n", "name": "b"}]}});
    assert_eq!(
        pruned(true, vec![], some, Want::No),
        [Fate::Release(b.clone()), Fate::Delete(a.clone())]
    );
    let all = pruned(
        true,
        vec![],
        json!({"propagationPolicy": "Tomorrow"}),
        Want::No,
    );
    assert_eq!(all, [Fate::Release(b.clone()), Fate::Release(a.clone())]);
    assert_eq!(
        pruned(true, vec![], json!(null), Want::Yes),
        [Fate::Release(b.clone()), Fate::Release(a.clone())]
    );
    assert_eq!(
        pruned(true, vec![], json!(null), Want::Maybe),
        [Fate::Wait(b), Fate::Wait(a)]
    );
}

/// A CRD that is away for a moment takes nothing with it.
#[test]
fn what_cannot_be_read_just_now_may_be_anything_of_its_name() {
    let widget = AppliedResource {
        group: "example.com".to_owned(),
        ..thing("widgets", "w")
    };
    let inventory = [widget];
    let wanted = manifests(vec![object("example.com/v1", "Widget", "n", "w")]);
    let fates = prune(&Pruning {
        synced: true,
        inventory: &inventory,
        manifests: &wanted,
        option: None,
        wanted_elsewhere: &|_| Want::No,
    });
    assert!(fates.is_empty());
}

#[test]
fn a_work_that_is_missing_is_waited_for() {
    let grace = SignedDuration::from_secs(60);
    let of = |begun: Value, synced, listed| {
        let applied = read(json!({"status": {"evictionStartTime": begun}}));
        eviction(&applied, synced, listed, grace, at(100))
    };
    let since = |second: i64| json!(at(second).to_string());
    assert_eq!(of(json!(null), false, false), Eviction::Keep);
    assert_eq!(of(json!(null), true, true), Eviction::Keep);
    assert_eq!(of(json!(null), true, false), Eviction::Begin(at(100)));
    assert_eq!(
        of(since(50), true, false),
        Eviction::Wait { until: at(110) }
    );
    assert_eq!(of(since(40), true, false), Eviction::Evict);
    assert_eq!(of(since(40), false, false), Eviction::Keep);
    assert_eq!(of(since(40), true, true), Eviction::Cancel);
}

#[test]
fn an_object_says_whether_an_agent_wrote_it() {
    let written = |manager: &str, operation: &str| {
        json!({"metadata": {"managedFields": [
            {"manager": "kubectl", "operation": "Update"},
            {"manager": manager, "operation": operation},
        ]}})
    };
    // By server-side apply, or as one that is only made where it is missing.
    assert!(strategy::is_by_agent(&written("work-agent", "Apply")));
    assert!(strategy::is_by_agent(&written("work-agent", "Update")));
    assert!(strategy::is_by_agent(&written("work-agent-x", "Apply")));
    assert!(!strategy::is_by_agent(&written("helm", "Apply")));
    assert!(!strategy::is_by_agent(&config_map("a")));
}

#[test]
fn a_labelled_object_is_a_work() {
    let on_the_hub = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": "web", "namespace": "cluster1", "uid": "u", "resourceVersion": "5", "generation": 2,
            "labels": {"mqinformer.io/distribute": "true", "app": "web"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "mqinformer.io/namespace": "shop"},
            "finalizers": ["f"], "ownerReferences": [],
        },
        "spec": {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "ports": [{"port": 80}]},
        "status": {"loadBalancer": {}},
    });
    let work = plain::work(&on_the_hub).unwrap();
    assert_eq!(crate::ocm::namespace(&work), "cluster1");
    assert!(crate::ocm::name(&work).starts_with("plain/service/web-"));
    assert_eq!(work.metadata.generation, Some(2));
    assert_eq!(
        work.spec.workload.manifests,
        [json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
            "spec": {"ports": [{"port": 80}]},
        })]
    );
    assert_eq!(plain::work(&config_map("c")), None);
    let mut off = on_the_hub.clone();
    off["metadata"]["labels"]["mqinformer.io/distribute"] = json!("false");
    assert_eq!(plain::work(&off), None);
    assert_eq!(
        plain::status_back(&on_the_hub),
        Some(&json!({"loadBalancer": {}}))
    );
    let mut headless = on_the_hub;
    headless["spec"]["clusterIP"] = json!("None");
    let work = plain::work(&headless).unwrap();
    assert_eq!(work.spec.workload.manifests[0]["spec"]["clusterIP"], "None");
}

/// What was listed before it was there, and never was by our doing, is not ours to delete.
#[test]
fn what_has_no_uid_is_let_go() {
    let unborn = AppliedResource {
        uid: None,
        ..thing("configmaps", "a")
    };
    let fates = prune::remove_all(std::slice::from_ref(&unborn), None, &|_| Want::No);
    assert_eq!(fates, [Fate::Release(unborn)]);
}

#[test]
fn what_another_work_wants_or_may_want() {
    let of = |manifest: Value, thing: &AppliedResource| {
        let spec = spec(vec![manifest], json!({}));
        want(&spec, thing, &kinds)
    };
    let a = thing("configmaps", "a");
    assert_eq!(of(config_map("a"), &a), Want::Yes);
    assert_eq!(of(config_map("b"), &a), Want::No);
    assert_eq!(of(object("v1", "Secret", "n", "a"), &a), Want::No);
    let widget = |name: &str| AppliedResource {
        group: "example.com".to_owned(),
        ..thing("widgets", name)
    };
    let wanted = object("example.com/v1", "Widget", "n", "w");
    assert_eq!(of(wanted.clone(), &widget("w")), Want::Maybe);
    assert_eq!(of(wanted.clone(), &widget("v")), Want::No);
    assert_eq!(of(wanted, &thing("configmaps", "w")), Want::No);
    let reads = json!({"manifestConfigs": [{
        "resourceIdentifier": {"resource": "configmaps", "namespace": "n", "name": "a"},
        "updateStrategy": {"type": "ReadOnly"},
    }]});
    let spec = spec(vec![config_map("a")], reads);
    assert_eq!(want(&spec, &a, &kinds), Want::No);
}

#[test]
fn what_a_work_only_reads_from_now_on_is_let_go() {
    let rule = |name: &str, kind: &str| {
        json!({
            "resourceIdentifier": {"resource": "configmaps", "namespace": "n", "name": name},
            "updateStrategy": {"type": kind},
        })
    };
    let configs = json!({"manifestConfigs": [rule("a", "ReadOnly"), rule("b", "CreateOnly")]});
    let spec = spec(vec![config_map("b"), config_map("c")], configs);
    let inventory = ["a", "b", "c"].map(|it| thing("configmaps", it));
    let let_go = prune::only_read(&inventory, &spec);
    assert_eq!(let_go, [thing("configmaps", "a")]);
}
