use super::*;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Key to (uid, value): what a cluster has.
type World = BTreeMap<String, (u8, u8)>;

fn value(key: &str, uid: u8, value: u8) -> Bytes {
    let (namespace, name) = key.split_once('/').unwrap();
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"{namespace}","uid":"{uid}"}},"data":{{"v":"{value}"}}}}"#
    )
    .into()
}

/// What no `ConfigMap` can be read from.
fn broken() -> Bytes {
    r#"{"metadata":{"name":"a","namespace":"x","uid":"0"},"data":["no map"]}"#.into()
}

fn raw(entries: Vec<(&str, Bytes)>) -> Snapshot {
    let entries = entries.into_iter();
    Snapshot {
        seq: 1,
        entries: entries
            .map(|(key, value)| (Bytes::copy_from_slice(key.as_bytes()), value))
            .chain([(Bytes::new(), Bytes::from("header"))])
            .collect(),
        ..Snapshot::default()
    }
}

fn snapshot(world: &World) -> Snapshot {
    let object = |(key, (uid, v)): (&String, &(u8, u8))| (key.clone(), value(key, *uid, *v));
    let entries: Vec<_> = world.iter().map(object).collect();
    raw(entries
        .iter()
        .map(|(k, v)| (k.as_str(), v.clone()))
        .collect())
}

/// The events as words: `apply x/a 1/7` is uid 1, value 7.
fn words(translator: &mut Translator<ConfigMap>) -> Vec<String> {
    let word = |event: Result<Event<ConfigMap>, Error>| {
        let object = |what: &str, object: &ConfigMap| {
            let v = object.data.as_ref().map_or("", |data| data["v"].as_str());
            let (namespace, name) = (object.namespace().unwrap(), object.name_any());
            format!("{what} {namespace}/{name} {}/{v}", object.uid().unwrap())
        };
        match event {
            Ok(Event::Init) => "init".to_owned(),
            Ok(Event::InitDone) => "done".to_owned(),
            Ok(Event::InitApply(it)) => object("first", &it),
            Ok(Event::Apply(it)) => object("apply", &it),
            Ok(Event::Delete(it)) => object("delete", &it),
            Err(Error::InitialListFailed(_)) => "list failed".to_owned(),
            Err(_) => "error".to_owned(),
        }
    };
    std::iter::from_fn(|| translator.next()).map(word).collect()
}

#[track_caller]
fn check(translator: &mut Translator<ConfigMap>, snapshot: &Snapshot, wanted: &[&str]) {
    translator.see(snapshot);
    assert_eq!(words(translator), wanted);
}

#[test]
fn the_first_copy_is_an_init_and_later_ones_are_changes() {
    let mut translator = Translator::new();
    let one = raw(vec![
        ("x/a", value("x/a", 0, 1)),
        ("x/b", value("x/b", 0, 1)),
    ]);
    let first = ["init", "first x/a 0/1", "first x/b 0/1", "done"];
    check(&mut translator, &one, &first);
    check(&mut translator, &one, &[]);
    let two = raw(vec![
        ("x/b", value("x/b", 0, 2)),
        ("x/c", value("x/c", 0, 1)),
    ]);
    let changes = ["delete x/a 0/1", "apply x/b 0/2", "apply x/c 0/1"];
    check(&mut translator, &two, &changes);
}

#[test]
fn an_empty_cluster_is_a_whole_copy() {
    check(&mut Translator::new(), &raw(vec![]), &["init", "done"]);
}

#[test]
fn an_object_that_was_made_again_was_deleted_first() {
    let mut translator = Translator::new();
    translator.see(&raw(vec![("x/a", value("x/a", 0, 1))]));
    words(&mut translator);
    let again = raw(vec![("x/a", value("x/a", 1, 2))]);
    check(
        &mut translator,
        &again,
        &["delete x/a 0/1", "apply x/a 1/2"],
    );
}

#[test]
fn what_cannot_be_read_holds_the_end_of_the_init_back() {
    let mut translator = Translator::new();
    let good = value("x/b", 0, 1);
    let bad = raw(vec![("x/a", broken()), ("x/b", good.clone())]);
    check(&mut translator, &bad, &["init", "list failed"]);
    let mended = raw(vec![("x/a", value("x/a", 0, 1)), ("x/b", good)]);
    let first = ["init", "first x/a 0/1", "first x/b 0/1", "done"];
    check(&mut translator, &mended, &first);
}

#[test]
fn what_cannot_be_read_passes_where_it_is_allowed_to() {
    let mut translator = Translator::<kube::core::DeserializeGuard<ConfigMap>>::new();
    translator.see(&raw(vec![("x/a", broken())]));
    let events: Vec<_> = std::iter::from_fn(|| translator.next()).collect();
    assert!(matches!(
        events.as_slice(),
        [Ok(Event::Init), Ok(Event::InitApply(guard)), Ok(Event::InitDone)] if guard.0.is_err()
    ));
}

#[test]
fn what_cannot_be_read_later_stays_as_it_was_until_it_is_gone() {
    let mut translator = Translator::new();
    translator.see(&raw(vec![("x/a", value("x/a", 0, 1))]));
    words(&mut translator);
    check(&mut translator, &raw(vec![("x/a", broken())]), &["error"]);
    check(&mut translator, &raw(vec![]), &["delete x/a 0/1"]);
    check(&mut translator, &raw(vec![("x/a", broken())]), &["error"]);
    check(&mut translator, &raw(vec![]), &[]);
}

fn worlds() -> impl Strategy<Value = Vec<World>> {
    let world = prop::collection::btree_map("[xy]/[a-d]", (0u8..2, 0u8..3), 0..6);
    prop::collection::vec(world, 1..8)
}

proptest! {
    /// However far the consumer lags, what kube-rs's reflector makes of the events is what the cluster has; a delete
    /// carries what was told last, and an object under one name never becomes another one without a delete.
    #[test]
    fn a_reflector_ends_with_what_the_cluster_has(worlds in worlds()) {
        let (reader, mut writer) = kube::runtime::reflector::store::<ConfigMap>();
        let mut translator = Translator::new();
        let mut told: BTreeMap<String, ConfigMap> = BTreeMap::new();
        let mut inits = 0;
        for world in &worlds {
            translator.see(&snapshot(world));
            while let Some(event) = translator.next() {
                let event = event.unwrap();
                let key = |it: &ConfigMap| format!("{}/{}", it.namespace().unwrap(), it.name_any());
                match &event {
                    Event::Init => inits += 1,
                    Event::InitDone => {}
                    Event::InitApply(it) | Event::Apply(it) => {
                        let before = told.insert(key(it), it.clone());
                        prop_assert!(before.as_ref() != Some(it), "said twice");
                        prop_assert!(before.is_none_or(|before| before.uid() == it.uid()));
                    }
                    Event::Delete(it) => {
                        let known = told.remove(&key(it));
                        prop_assert_eq!(known.as_ref(), Some(it));
                    }
                }
                writer.apply_watcher_event(&event);
            }
            let held: World = reader
                .state()
                .iter()
                .map(|it| {
                    let v = it.data.as_ref().unwrap()["v"].parse().unwrap();
                    let key = format!("{}/{}", it.namespace().unwrap(), it.name_any());
                    (key, (it.uid().unwrap().parse().unwrap(), v))
                })
                .collect();
            prop_assert_eq!(&held, world);
        }
        prop_assert_eq!(inits, 1);
    }
}
