use super::*;
use crate::controlplane::mirror::inert::treatment;
use crate::protocol::names::ClusterName;
use serde_json::{Value, json};

fn mirrored(namespaced: bool) -> Mirrored {
    let (group, plural, kind) = match namespaced {
        true => ("", "configmaps", "ConfigMap"),
        false => ("rbac.authorization.k8s.io", "clusterroles", "ClusterRole"),
    };
    Mirrored {
        kind: Kind {
            group: group.into(),
            version: "v1".into(),
            plural: plural.into(),
            kind: kind.into(),
            namespaced,
        },
        treatment: treatment(group, plural).unwrap(),
    }
}

fn origin(cluster: &str, key: &str) -> Origin {
    Origin {
        cluster: ClusterName::new(cluster).unwrap(),
        key: key.to_owned().into(),
    }
}

fn object(version: &str) -> Bytes {
    let object =
        json!({"metadata": {"uid": "u", "resourceVersion": version}, "data": {"v": version}});
    object.to_string().into()
}

/// The hub after this mirror has made the copy of an origin.
fn made(mirrored: &Mirrored, of: &Origin, value: &Bytes, copies: &mut Copies) -> Bytes {
    let made = copy(of, value, &mirrored.kind, &mirrored.treatment).unwrap();
    let mut object = Value::Object(made.object);
    object["metadata"]["uid"] = json!("on-the-hub");
    let (_, key) = mirrored.key(of).unwrap();
    let body = Bytes::from(object.to_string());
    copies.put(key.clone(), body, mirrored.kind.namespaced);
    key
}

#[test]
fn a_copy_is_deleted_when_its_origin_is_known_to_be_absent_and_never_before() {
    let (mirrored, web) = (mirrored(true), origin("c", "shop/web"));
    let mut copies = Copies::default();
    made(&mirrored, &web, &object("1"), &mut copies);
    let step = mirrored.decide(&web, &mut copies, |_| Known::Nothing);
    assert!(
        matches!(step, Step::Nothing),
        "its cluster is away: {step:?}"
    );
    let step = mirrored.decide(&web, &mut copies, |_| Known::Absent);
    let Step::Do(Job::Delete { place, uid }) = step else {
        panic!("{step:?}")
    };
    assert_eq!(
        (place.namespace.as_str(), place.name.as_str(), uid.as_str()),
        ("c", "shop.web", "on-the-hub")
    );
    // One that is not its copy, though it stands where its copy would.
    let other = origin("c", "shop.web/x");
    let (_, place) = mirrored.key(&web).unwrap();
    let body = copies.take_unread(&place).unwrap();
    let renamed = String::from_utf8(body.to_vec()).unwrap().replace(
        r#""mqinformer.io/name":"web""#,
        r#""mqinformer.io/name":"y""#,
    );
    copies.put(place, renamed.into(), true);
    for absent in [&web, &other] {
        let step = mirrored.decide(absent, &mut copies, |_| Known::Absent);
        assert!(matches!(step, Step::Nothing), "{step:?}");
    }
}

#[test]
fn a_copy_that_is_right_is_left_alone_and_one_that_is_not_is_applied() {
    let (mirrored, web) = (mirrored(true), origin("c", "shop/web"));
    let mut copies = Copies::default();
    let present = |version: &str| {
        let (kind, value) = (mirrored.kind.clone(), object(version));
        move |_: &Origin| Known::Present(kind.clone(), value.clone())
    };
    let step = mirrored.decide(&web, &mut copies, present("1"));
    assert!(
        matches!(&step, Step::Do(Job::Apply(apply)) if apply.uid.is_none() && !apply.repairs),
        "{step:?}"
    );
    made(&mirrored, &web, &object("1"), &mut copies);
    let step = mirrored.decide(&web, &mut copies, present("1"));
    assert!(matches!(step, Step::Nothing), "{step:?}");
    made(&mirrored, &web, &object("1"), &mut copies);
    let step = mirrored.decide(&web, &mut copies, present("2"));
    assert!(
        matches!(&step, Step::Do(Job::Apply(apply)) if apply.uid.is_some() && !apply.repairs),
        "{step:?}"
    );
    let key = made(&mirrored, &web, &object("1"), &mut copies);
    let body = String::from_utf8(copies.take_unread(&key).unwrap().to_vec()).unwrap();
    copies.put(key, body.replace(r#""v":"1""#, r#""v":"x""#).into(), true);
    let step = mirrored.decide(&web, &mut copies, present("1"));
    assert!(
        matches!(&step, Step::Do(Job::Apply(apply)) if apply.repairs),
        "{step:?}"
    );
}

#[test]
fn no_cluster_writes_where_another_ones_copy_stands() {
    let mirrored = mirrored(false);
    let (mine, theirs) = (origin("a", "x"), origin("b", "x"));
    let mut copies = Copies::default();
    let of_theirs = made(&mirrored, &theirs, &object("1"), &mut copies);
    let body = copies.take_unread(&of_theirs).unwrap();
    // As if both names had one hash.
    let (_, key) = mirrored.key(&mine).unwrap();
    copies.put(key, body, false);
    let kind = mirrored.kind.clone();
    let step = mirrored.decide(&mine, &mut copies, |_| {
        Known::Present(kind.clone(), object("1"))
    });
    assert!(
        matches!(&step, Step::Refused(why, None) if why.contains("\"b\"")),
        "{step:?}"
    );
}
