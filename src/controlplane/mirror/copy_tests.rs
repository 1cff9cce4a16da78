use super::*;
use crate::controlplane::mirror::inert::treatment;

fn kind(plural: &str, group: &str, kind: &str, namespaced: bool) -> Kind {
    Kind {
        group: group.into(),
        version: "v1".into(),
        plural: plural.into(),
        kind: kind.into(),
        namespaced,
    }
}

fn origin(cluster: &str, key: &str) -> Origin {
    Origin {
        cluster: ClusterName::new(cluster).unwrap(),
        key: key.to_owned().into(),
    }
}

fn made(key: &str, object: &Value) -> Result<Value, Unfit> {
    let secrets = kind("secrets", "", "Secret", true);
    let value = object.to_string().into();
    let treatment = treatment("", "secrets").unwrap();
    copy(&origin("Prod/1", key), &value, &secrets, &treatment)
        .map(|copy| Value::Object(copy.object))
}

fn secret() -> Value {
    json!({
        "apiVersion": "evil/v1", "kind": "ClusterRoleBinding",
        "metadata": {
            "name": "other", "namespace": "kube-system", "uid": "u1", "resourceVersion": "7", "generation": 3,
            "creationTimestamp": "2026-11-01T00:00:00Z", "deletionTimestamp": "2026-11-02T00:00:00Z",
            "ownerReferences": [{"uid": "x"}], "finalizers": ["a/b"], "managedFields": [{}], "generateName": "x-",
            "selfLink": "/x", "deletionGracePeriodSeconds": 3,
            "labels": {"mqtt-resource": "yes", "mqinformer.io/forged": "x"},
            "annotations": {
                "note": "kept", "mqinformer.io/cluster": "forged",
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
            },
        },
        "data": {"password": "c2VjcmV0"}, "type": "Opaque",
    })
}

#[test]
fn a_copy_has_nothing_of_its_origins_life_and_says_where_it_comes_from() {
    let cluster = names::of_cluster(&ClusterName::new("Prod/1").unwrap());
    assert_eq!(
        made("shop/db", &secret()).unwrap(),
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {
                "name": "shop.db", "namespace": cluster,
                "labels": {"mqtt-resource": "yes", "mqinformer.io/cluster": cluster, "mqinformer.io/namespace": "shop"},
                "annotations": {
                    "note": "kept", "mqinformer.io/cluster": "Prod/1", "mqinformer.io/namespace": "shop",
                    "mqinformer.io/name": "db", "mqinformer.io/uid": "u1", "mqinformer.io/resource-version": "7",
                    "mqinformer.io/creation-timestamp": "2026-11-01T00:00:00Z",
                    "mqinformer.io/deletion-timestamp": "2026-11-02T00:00:00Z",
                },
            },
            "data": {"password": "c2VjcmV0"}, "type": "Opaque",
        }),
        "what it is and where it goes is said by whoever asked, never by the object"
    );
}

#[test]
fn a_redacted_secret_and_a_copy_have_none() {
    let mut redacted = secret();
    redacted["metadata"]["annotations"]["mqinformer.io/redacted"] = json!("true");
    assert_eq!(made("shop/db", &redacted), Err(Unfit::Redacted));
    let mut copied = secret();
    copied["metadata"]["labels"]["mqinformer.io/cluster"] = json!("x");
    assert_eq!(made("shop/db", &copied), Err(Unfit::Copied));
}

#[test]
fn what_is_no_object_has_none() {
    for (key, value) in [
        ("shop/db", json!([])),
        ("shop/db", json!({"kind": "Secret"})),
        ("shop/db", json!({"metadata": []})),
        ("db", secret()),
        ("/db", secret()),
        ("shop/", secret()),
        ("shop/a/b", secret()),
    ] {
        assert!(
            matches!(made(key, &value), Err(Unfit::Unreadable(_))),
            "{key} {value}"
        );
    }
    let garbled = copy(
        &origin("c", "shop/db"),
        &Bytes::from_static(b"\xff{"),
        &kind("secrets", "", "Secret", true),
        &treatment("", "secrets").unwrap(),
    );
    assert!(matches!(garbled, Err(Unfit::Unreadable(_))));
}

#[test]
fn a_copy_tells_its_origin_again() {
    let Value::Object(mut copy) = made("shop/db", &secret()).unwrap() else {
        panic!("no object")
    };
    assert_eq!(
        origin_of(&mut copy, true),
        Some(origin("Prod/1", "shop/db"))
    );
    // By hand, into something that it cannot be.
    object(&mut copy, &["metadata", "labels"])
        .unwrap()
        .insert(marks::CLUSTER.into(), json!("other"));
    assert_eq!(origin_of(&mut copy, true), None);
}

#[test]
fn what_is_there_already_is_not_written_again() {
    let treatment = treatment("", "secrets").unwrap();
    let of = |value: &Value| {
        let secrets = kind("secrets", "", "Secret", true);
        copy(
            &origin("c", "shop/db"),
            &value.to_string().into(),
            &secrets,
            &treatment,
        )
        .unwrap()
    };
    let copy = of(&secret());
    let mut hub = copy.object.clone();
    hub.insert("immutable".into(), json!(false));
    super::made(&mut hub, "metadata").insert("uid".into(), json!("u9"));
    assert!(
        copy.is(&hub) && copy.is_of_the_same(&hub),
        "what the hub adds is no matter"
    );
    let mut changed = hub.clone();
    super::made(&mut changed, "data").insert("password".into(), json!("eA=="));
    assert!(!copy.is(&changed) && copy.is_of_the_same(&changed));
    let mut added = hub.clone();
    super::made(&mut added, "data").insert("more".into(), json!("eA=="));
    assert!(!copy.is(&added));
    assert_eq!(copy.surplus(&added).unwrap(), br#"{"data":{"more":null}}"#);
    let mut newer = secret();
    newer["metadata"]["resourceVersion"] = json!("8");
    assert!(!of(&newer).is(&hub) && !of(&newer).is_of_the_same(&hub));
}

#[test]
fn lists_are_compared_by_what_is_in_them() {
    for (there, wanted, same) in [
        (json!([1, 2]), json!([2, 1]), true),
        (json!([1]), json!([1, 2]), false),
        (
            json!([{"name": "a", "x": 1, "default": 2}]),
            json!([{"name": "a", "x": 1}]),
            true,
        ),
        (
            json!([{"name": "a", "x": 2}]),
            json!([{"name": "a", "x": 1}]),
            false,
        ),
        (json!({}), json!({"a": null, "b": {}, "c": []}), true),
        (json!({}), json!({"a": 1}), false),
        (json!("1"), json!(1), false),
    ] {
        assert_eq!(holds(Some(&there), &wanted), same, "{there} {wanted}");
    }
}
