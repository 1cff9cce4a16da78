use super::*;
use crate::hub::controller::deeds::Act;
use crate::hub::controller::world::Standing;
use crate::kubernetes::Heard;
use crate::ocm::plain::{DISTRIBUTE_LABEL, HELD_LABEL};
use crate::source::{Event, Refusal};
use bytes::Bytes;
use serde_json::json;

fn resource(plural: &str, kind: &str, version: &str, verbs: &[&str]) -> Resource {
    Resource {
        name: plural.to_owned(),
        kind: kind.to_owned(),
        version: version.to_owned(),
        preferred: true,
        namespaced: true,
        verbs: verbs.iter().map(|it| (*it).to_owned()).collect(),
        ..Resource::default()
    }
}

const ALL: [&str; 3] = ["list", "watch", "patch"];

fn which(plural: &str, part: Part) -> Which {
    Which {
        group: String::new(),
        plural: plural.to_owned(),
        part,
    }
}

/// Without anybody who watches.
fn objects(resources: &[Resource]) -> PlainObjects {
    let (mut objects, _) = PlainObjects::new();
    for (which, resource) in objects.wanted(resources) {
        objects.watches.insert(which, Watch::new(resource));
    }
    objects
}

impl PlainObjects {
    fn hear(&mut self, plural: &str, part: Part, event: Event) -> usize {
        let (which, life) = (which(plural, part), 0);
        let heard = Heard::Event(event);
        self.take(Told { which, life, heard }).len()
    }

    fn list(&mut self, plural: &str, maps: &[Bytes]) {
        let entries = maps.iter().map(|it| ("c/m".into(), it.clone()));
        self.hear(plural, Part::Labelled, Event::Listed(entries.collect(), 1));
        self.hear(plural, Part::Held, Event::Listed(Vec::new(), 1));
    }

    fn part(&self) -> Option<Part> {
        self.objects.values().next().map(|it| it.part)
    }
}

fn map(version: u64, labels: &[&str]) -> Bytes {
    let labels: BTreeMap<_, _> = labels.iter().map(|it| (*it, "")).collect();
    let metadata = json!({
        "name": "m", "namespace": "c", "uid": "1", "resourceVersion": version.to_string(), "labels": labels,
        "finalizers": [FINALIZER],
    });
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
    map.to_string().into()
}

#[test]
fn an_object_that_loses_its_label_is_still_known_whichever_watch_speaks_first() {
    let put = |it| Event::Put("c/m".into(), it, 0);
    let gone = || Event::Delete("c/m".into(), 0);
    let labelled = |version| map(version, &[DISTRIBUTE_LABEL, HELD_LABEL]);
    let unlabelled = |version| map(version, &[HELD_LABEL]);
    for first_gone in [true, false] {
        let mut objects = objects(&[resource("configmaps", "ConfigMap", "v1", &ALL)]);
        objects.list("configmaps", &[labelled(1)]);
        assert_eq!(objects.part(), Some(Part::Labelled));
        let mut words = [(Part::Labelled, gone()), (Part::Held, put(unlabelled(2)))];
        if !first_gone {
            words.reverse();
        }
        for (part, event) in words {
            objects.hear("configmaps", part, event);
        }
        assert_eq!(objects.part(), Some(Part::Held));
        let travels = |objects: &PlainObjects| {
            let (id, object) = objects.objects.first_key_value().unwrap();
            object
                .travelling(&id.1)
                .unwrap()
                .metadata
                .deletion_timestamp
        };
        // It has the label again: the older word of the other watch comes late.
        objects.hear("configmaps", Part::Labelled, put(labelled(3)));
        objects.hear("configmaps", Part::Held, put(unlabelled(2)));
        assert_eq!(travels(&objects), None);
        assert_eq!(objects.hear("configmaps", Part::Held, gone()), 0);
        assert_eq!(objects.part(), Some(Part::Labelled));
        assert_eq!(objects.hear("configmaps", Part::Labelled, gone()), 1);
        // It may be gone, or have lost both labels.
        assert!(is_adrift(&objects));
        let id = ("c".to_owned(), objects.ids().next().unwrap().1.clone());
        assert!(objects.found(&id, None));
        assert_eq!(objects.part(), None);
    }
}

fn is_adrift(objects: &PlainObjects) -> bool {
    let deeds = objects
        .objects
        .values()
        .flat_map(|it| it.decide(None, Standing::TakesWork));
    let acts: Vec<_> = deeds.map(|it| it.act).collect();
    acts == [Act::Recover("1".to_owned())]
}

#[test]
fn an_object_that_loses_both_labels_is_found_again() {
    for relisted in [true, false] {
        let mut objects = objects(&[resource("configmaps", "ConfigMap", "v1", &ALL)]);
        objects.list("configmaps", &[map(1, &[DISTRIBUTE_LABEL, HELD_LABEL])]);
        match relisted {
            true => objects.list("configmaps", &[]),
            false => {
                let gone = Event::Delete("c/m".into(), 2);
                assert_eq!(objects.hear("configmaps", Part::Labelled, gone), 1);
            }
        }
        assert!(is_adrift(&objects));
        let id = objects.ids().next().unwrap().clone();
        assert!(objects.found(&id, Some(&map(3, &[HELD_LABEL]))));
        assert_eq!(
            (objects.part(), is_adrift(&objects)),
            (Some(Part::Held), false)
        );
        let travels = objects.get(&id.0, &id.1).unwrap().travelling(&id.1);
        assert!(travels.unwrap().metadata.deletion_timestamp.is_some());
        assert!(
            !objects.found(&id, None),
            "a watch, or an answer, was faster"
        );
    }
}

#[test]
fn a_kind_that_cannot_be_read_or_is_not_there_takes_nothing_away() {
    let maps = || resource("configmaps", "ConfigMap", "v1", &ALL);
    let secrets = || resource("secrets", "Secret", "v1", &ALL);
    let mut objects = objects(&[maps(), secrets()]);
    assert!(!objects.is_whole());
    objects.list("configmaps", &[map(1, &[DISTRIBUTE_LABEL])]);
    let refused = || {
        Event::Refused(Refusal {
            code: 403,
            reason: "Forbidden".into(),
            message: "no".into(),
        })
    };
    for part in [Part::Labelled, Part::Held] {
        objects.hear("secrets", part, refused());
    }
    assert!(objects.is_whole(), "what may not be read is left out");
    assert_eq!(objects.known_kinds(), ["configmap"]);
    // It may be read no more: what was read stays, and no more is known.
    objects.hear("configmaps", Part::Labelled, refused());
    assert_eq!((objects.len(), objects.known_kinds().len()), (1, 0));
    objects.list("configmaps", &[map(1, &[DISTRIBUTE_LABEL])]);
    assert_eq!(objects.known_kinds(), ["configmap"]);
    objects.watches.values_mut().for_each(Watch::lose);
    assert_eq!((objects.len(), objects.known_kinds().len()), (1, 0));
    assert_eq!(objects.of_namespace("c").count(), 0, "nobody can delete it");
}

#[test]
fn a_kind_is_followed_to_the_end_of_its_definition() {
    let maps = |verbs: &[&str]| resource("widgets", "Widget", "v1", verbs);
    let mut known = objects(&[maps(&ALL)]);
    let ending = [maps(&["list", "watch", "delete"])];
    assert_eq!(known.wanted(&ending).len(), 2);
    assert!(objects(&ending).watches.is_empty(), "it is not begun");
}
