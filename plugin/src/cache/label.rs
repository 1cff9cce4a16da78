//! What a file says of itself: whose copy of what it is, and from when; and which selections it can answer.

use crate::table::Resource;
use bytes::Bytes;
use mqtt_informer::informer::is_selected;
use mqtt_informer::protocol::message::{Epoch, Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::protocol::selector::LabelSelector;
use mqtt_informer::protocol::topics::Segment;
use mqtt_informer::replica::Copy;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use xxhash_rust::xxh3::xxh3_64;

/// The first part of a file: whose copy, of what, from when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Label {
    /// The broker's identity, see [`identity`].
    pub broker: String,
    /// The cluster's name.
    pub cluster: String,
    /// What its source said of itself.
    pub cluster_labels: BTreeMap<String, String>,
    /// The version of its API server.
    pub kubernetes_version: String,
    /// What was asked for.
    pub selection: Asked,
    /// Every word that has meant this resource.
    pub words: BTreeSet<String>,
    /// What the words mean; none in views without a resource.
    pub resource: Option<Means>,
    /// When the copy was last proven, ms since 1970 by this machine's clock.
    pub proven_at_ms: u64,
    /// Which state of its stream the copy is: term, feed and sequence number.
    pub state: String,
}

/// A selection, without the word for its resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Asked {
    /// `rows`, `objects`, `resources`.
    pub view: String,
    /// One namespace, or empty for all.
    pub namespace: String,
    /// A label selector.
    pub labels: String,
    /// A field selector.
    pub fields: String,
    /// With managedFields.
    pub managed_fields: bool,
}

/// A resource as its cluster has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Means {
    /// The API group.
    pub group: String,
    /// `v1`.
    pub version: String,
    /// `pods`.
    pub plural: String,
    /// `Pod`.
    pub kind: String,
    /// Its objects live in namespaces.
    pub namespaced: bool,
}

/// How well a copy answers a selection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is that stream.
    Same,
    /// It has all that was asked for, and more.
    Wider(Part),
}

/// A part of a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    namespace: Option<String>,
    name: Option<String>,
    labels: Option<LabelSelector>,
}

/// Who a broker is to a cache: where it is, under which topics, and as whom. What stands before an `@` may be a password
/// and is left out.
pub fn identity(url: &str, user: Option<&str>, topics: [&str; 2]) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let [signal, payload] = topics;
    format!(
        "{}://{} {} {signal} {payload}",
        scheme.to_lowercase(),
        host.to_lowercase(),
        user.unwrap_or("-")
    )
}

/// The folder of a broker.
pub fn broker_folder(identity: &str) -> String {
    let host = identity
        .split_once("://")
        .map_or(identity, |(_, rest)| rest);
    let host = host.split(['/', ' ']).next().unwrap_or_default();
    format!("{}-{:016x}", tame(host), xxh3_64(identity.as_bytes()))
}

/// The folder of a cluster. Its prefix keeps a cluster called `..` from being another folder.
pub fn cluster_folder(cluster: &ClusterName) -> String {
    format!("c-{}", Segment::from(cluster))
}

/// The file of a stream; none if it must not be kept. A view without a resource has one of its own.
pub fn file(selection: &Selection) -> Option<String> {
    if is_secret(&selection.resource) || selection.secret_values {
        return None;
    }
    let asked = Asked::of(selection)?;
    let text = serde_json::to_string(&(&selection.resource, &asked)).ok()?;
    let word = match selection.resource.as_str() {
        "" => "all",
        word => word,
    };
    let hash = xxh3_64(text.as_bytes());
    Some(format!("{}-{}-{hash:016x}.copy", tame(word), asked.view))
}

/// Whether a word may mean Secrets, of whichever group.
fn is_secret(word: &str) -> bool {
    let plural = word.split('.').next().unwrap_or_default().to_lowercase();
    matches!(plural.as_str(), "secret" | "secrets")
}

/// What any file system takes, and no more than 40 bytes of it.
fn tame(word: &str) -> String {
    let tame = word.chars().map(|c| match c {
        'a'..='z' | '0'..='9' | '.' => c,
        'A'..='Z' => c.to_ascii_lowercase(),
        _ => '_',
    });
    let tame: String = tame.take(40).collect();
    tame.trim_start_matches('.').to_owned()
}

impl Asked {
    /// None for what is a state of the moment, and worth nothing later.
    fn of(selection: &Selection) -> Option<Self> {
        let view = match selection.view {
            View::Rows => "rows",
            View::Objects => "objects",
            View::Resources => "resources",
            View::Source | View::Work | View::Status => return None,
        };
        Some(Self {
            view: view.to_owned(),
            namespace: selection.namespace.clone(),
            labels: selection.labels.clone(),
            fields: selection.fields.clone(),
            managed_fields: selection.managed_fields,
        })
    }
}

/// What a source never gives to two states of a stream.
fn state(copy: &Copy) -> String {
    let Epoch { term, feed } = copy.epoch;
    format!("{}.{:08x}.{feed}.{}", term.number, term.nonce, copy.seq)
}

impl Label {
    /// The label of a copy that is to be kept; none if it must not be: a Secret's, and what does not say what it is.
    pub fn of(selection: &Selection, copy: &Copy) -> Option<Self> {
        file(selection)?;
        let asked = Asked::of(selection)?;
        let resource = match asked.view.as_str() {
            "resources" => None,
            _ => {
                let header = Resource::from_header(copy.entries.get(&b""[..])?).ok()?;
                let known = !header.plural.is_empty() && !is_secret(&header.plural);
                let kind = header.kind.to_lowercase();
                (known && !is_secret(&kind)).then_some(())?;
                Some(Means {
                    group: header.group,
                    version: header.version,
                    plural: header.plural,
                    kind: header.kind,
                    namespaced: header.namespaced,
                })
            }
        };
        Some(Self {
            selection: asked,
            words: BTreeSet::from([selection.resource.clone()]),
            resource,
            state: state(copy),
            ..Self::default()
        })
    }

    /// Whether this file is the one for a copy with that label.
    pub fn is_same_stream(&self, other: &Self) -> bool {
        (&self.broker, &self.cluster) == (&other.broker, &other.cluster)
            && self.selection == other.selection
            && self.resource == other.resource
    }

    /// How this copy answers a selection, if it does.
    pub fn fit(&self, wanted: &Selection) -> Option<Fit> {
        let asked = Asked::of(wanted)?;
        let own = &self.selection;
        let alike = (&own.view, own.managed_fields) == (&asked.view, asked.managed_fields);
        if wanted.secret_values || !alike || !self.is_meant_by(&wanted.resource) {
            return None;
        }
        let namespaced = self.resource.as_ref().is_some_and(|it| it.namespaced);
        let same_namespace = !namespaced || own.namespace == asked.namespace;
        if same_namespace && own.labels == asked.labels && own.fields == asked.fields {
            return Some(Fit::Same);
        }
        if self.resource.is_none() || !own.labels.is_empty() || !own.fields.is_empty() {
            return None;
        }
        let mut part = Part::default();
        if !same_namespace {
            own.namespace.is_empty().then_some(())?;
            part.namespace = Some(asked.namespace);
        }
        if !asked.labels.is_empty() {
            part.labels = Some(LabelSelector::parse(&asked.labels).ok()?);
        }
        if !asked.fields.is_empty() {
            let name = asked.fields.strip_prefix("metadata.name=")?;
            // An escaped or a second term is left to those who know about them.
            (!name.contains(['\\', ',', '='])).then_some(())?;
            part.name = Some(name.to_owned());
        }
        Some(Fit::Wider(part))
    }

    fn is_meant_by(&self, word: &str) -> bool {
        let Some(Means {
            group,
            version,
            plural,
            kind,
            ..
        }) = &self.resource
        else {
            return word.is_empty();
        };
        let mut names = vec![format!("{plural}.{version}.{group}")];
        if group.is_empty() {
            names.push(format!("{plural}.{version}"));
        }
        // What a short name means here was said by the cluster.
        if self.words.contains(word) {
            return true;
        }
        names.push(plural.clone());
        names.push(format!("{plural}.{group}"));
        names.push(kind.to_lowercase());
        names.contains(&word.to_lowercase())
    }
}

impl Part {
    /// The part of a copy; its header stays.
    pub fn of(&self, mut copy: Copy) -> Copy {
        let prefix = self.namespace.as_ref().map(|it| format!("{it}/"));
        let wanted = |key: &[u8], value: &Bytes| {
            let name = key.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            prefix
                .as_ref()
                .is_none_or(|prefix| key.starts_with(prefix.as_bytes()))
                && self
                    .name
                    .as_ref()
                    .is_none_or(|wanted| wanted.as_bytes() == name)
                && self
                    .labels
                    .as_ref()
                    .is_none_or(|labels| is_selected(value, labels))
        };
        copy.entries = copy
            .entries
            .into_iter()
            .filter(|(key, value)| key.is_empty() || wanted(key, value))
            .collect();
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_informer::protocol::rows;
    use prost::Message;

    fn copy(group: &str, plural: &str, kind: &str) -> Copy {
        let header = rows::Header {
            group: group.to_owned(),
            version: "v1".to_owned(),
            plural: plural.to_owned(),
            kind: kind.to_owned(),
            namespaced: plural != "nodes",
            ..rows::Header::default()
        };
        let row = |name: &str, app: &str| {
            let metadata = format!(r#"{{"name":"{name}","labels":{{"app":"{app}"}}}}"#);
            let row = rows::Row {
                cells: Vec::new(),
                metadata: metadata.into_bytes().into(),
            };
            Bytes::from(row.encode_to_vec())
        };
        let mut copy = Copy {
            seq: 1,
            ..Copy::default()
        };
        copy.entries
            .insert(Bytes::new(), header.encode_to_vec().into());
        for (key, app) in [("shop/web", "web"), ("shop/db", "db"), ("shop2/web", "web")] {
            let name = key.split('/').next_back().unwrap_or_default();
            copy.entries.insert(key.into(), row(name, app));
        }
        copy
    }

    fn select(word: &str, change: impl FnOnce(&mut Selection)) -> Selection {
        let mut selection = Selection {
            resource: word.to_owned(),
            view: View::Rows,
            ..Selection::default()
        };
        change(&mut selection);
        selection
    }

    fn everything(word: &str) -> Label {
        Label::of(&select(word, |_| {}), &copy("", "pods", "Pod")).unwrap()
    }

    #[test]
    fn secrets_are_never_kept_whatever_they_are_called() {
        for word in [
            "secrets",
            "secret",
            "Secret",
            "secrets.v1",
            "secrets.v1.",
            "secrets.example.com",
        ] {
            assert_eq!(file(&select(word, |_| {})), None, "{word}");
        }
        let values = select("pods", |it| it.secret_values = true);
        assert_eq!(file(&values), None);
        // Whatever the word was: what came says what it is.
        assert_eq!(
            Label::of(&select("s", |_| {}), &copy("", "secrets", "Secret")),
            None
        );
        assert_eq!(
            Label::of(&select("s", |_| {}), &copy("x.io", "keys", "Secret")),
            None
        );
        assert_eq!(Label::of(&select("s", |_| {}), &Copy::default()), None);
        assert!(Label::of(&select("cm", |_| {}), &copy("", "configmaps", "ConfigMap")).is_some());
    }

    #[test]
    fn names_of_files_and_folders_lead_nowhere_else() {
        let name = file(&select("../../etc/Passwd", |_| {})).unwrap();
        assert!(name.starts_with("_.._etc_passwd-rows-"), "{name}");
        assert_eq!(cluster_folder(&ClusterName::new("..").unwrap()), "c-..");
        let slash = cluster_folder(&ClusterName::new("a/../b").unwrap());
        assert!(!slash.contains('/'), "{slash}");
        let broker = broker_folder(&identity("mqtts://me:secret@H:1/ws", None, ["/s", "/p"]));
        assert!(
            broker.starts_with("h_1-") && !broker.contains("secret"),
            "{broker}"
        );
    }

    #[test]
    fn a_broker_is_told_from_another_by_place_topics_and_user() {
        let base = identity("tcp://h:1", None, ["/s", "/p"]);
        assert_eq!(identity("TCP://x:y@H:1", None, ["/s", "/p"]), base);
        for other in [
            identity("tcp://h:2", None, ["/s", "/p"]),
            identity("tcp://h:1", Some("me"), ["/s", "/p"]),
            identity("tcp://h:1", None, ["/s", "/q"]),
        ] {
            assert_ne!(broker_folder(&other), broker_folder(&base));
        }
    }

    #[test]
    fn every_name_of_a_resource_finds_its_copy() {
        let label = everything("po");
        for word in ["po", "pods", "pod", "Pod", "pods.v1", "pods.v1."] {
            assert_eq!(label.fit(&select(word, |_| {})), Some(Fit::Same), "{word}");
        }
        for word in ["p", "pods.metrics.k8s.io", "svc", ""] {
            assert_eq!(label.fit(&select(word, |_| {})), None, "{word}");
        }
    }

    #[test]
    fn another_view_of_the_same_is_another_copy() {
        let label = everything("po");
        assert_eq!(label.fit(&select("po", |it| it.view = View::Objects)), None);
        assert_eq!(
            label.fit(&select("po", |it| it.managed_fields = true)),
            None
        );
        assert_eq!(label.fit(&select("po", |it| it.secret_values = true)), None);
    }

    #[test]
    fn a_wider_copy_has_a_part_that_answers() {
        let found = |change: fn(&mut Selection)| {
            let wanted = select("pods", change);
            let Some(Fit::Wider(part)) = everything("po").fit(&wanted) else {
                return None;
            };
            let copy = part.of(copy("", "pods", "Pod"));
            let keys = copy
                .entries
                .keys()
                .map(|key| String::from_utf8_lossy(key).into_owned());
            Some(keys.collect::<Vec<_>>().join(" "))
        };
        assert_eq!(
            found(|it| it.namespace = "shop".into()).unwrap(),
            " shop/db shop/web"
        );
        assert_eq!(
            found(|it| it.labels = "app=web".into()).unwrap(),
            " shop/web shop2/web"
        );
        assert_eq!(
            found(|it| it.fields = "metadata.name=db".into()).unwrap(),
            " shop/db"
        );
        assert_eq!(found(|it| it.fields = "status.phase=Running".into()), None);
        assert_eq!(found(|it| it.fields = "metadata.name=a,x=y".into()), None);
        assert_eq!(found(|it| it.labels = "a in (".into()), None);
    }

    #[test]
    fn what_is_narrower_does_not_answer() {
        let narrow = Label::of(
            &select("po", |it| it.namespace = "shop".into()),
            &copy("", "pods", "Pod"),
        );
        assert_eq!(narrow.unwrap().fit(&select("po", |_| {})), None);
        let nodes = Label::of(
            &select("no", |it| it.namespace = "shop".into()),
            &copy("", "nodes", "Node"),
        );
        assert_eq!(
            nodes.unwrap().fit(&select("nodes", |_| {})),
            Some(Fit::Same),
            "what lives in no namespace is the same in all"
        );
    }
}
