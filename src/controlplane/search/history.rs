//! `/history/CLUSTER/KIND/[NAMESPACE/]NAME`: what happened to an object, or how it was at a moment.

use super::difference::{self, MOST};
use super::item::{self, Shape};
use super::kinds::{self, Known};
use super::parameters::{Endpoint, Given};
use super::problem::{Kind, Problem};
use super::query;
use super::reader::Reader;
use super::{Served, answered};
use crate::protocol::message::View;
use crate::protocol::names::ClusterName;
use crate::store::{Change, ChangeKind, ObjectKey};
use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

pub(super) async fn history(
    State(served): State<Served>,
    uri: Uri,
    reader: Reader,
) -> Result<Response, Problem> {
    let told = served.in_turn(told(&served, &uri, &reader)).await;
    answered(&uri, told.map(|told| Json(told).into_response()))
}

async fn told(served: &Served, uri: &Uri, reader: &Reader) -> Result<Value, Problem> {
    let given = Given::parse(uri.query().unwrap_or_default(), Endpoint::History)?;
    let now = served.now();
    let path = Path::parse(uri.path())?;
    let streams = served.streams().await?;
    let readable = streams
        .iter()
        .filter(|it| reader.may_read(it.key.cluster.as_str()));
    let known = kinds::known(readable.clone());
    let of_cluster = || {
        readable
            .clone()
            .filter(|it| it.key.cluster.as_str() == path.cluster)
    };
    let (Some(stream), Ok(cluster)) = (of_cluster().next(), ClusterName::new(&path.cluster)) else {
        let detail = format!(
            "clusters {:?} not found: nothing of it is kept here",
            path.cluster
        );
        return Err(Problem::new(Kind::NotFound, detail));
    };
    let resource = kinds::resolve(&path.kind, &known)?;
    path.check(resource)?;
    let key = ObjectKey {
        cluster,
        resource: resource.resource.clone(),
        view: View::Objects,
        namespace: path.namespace.clone(),
        name: path.name.clone(),
    };
    let proven = of_cluster()
        .find(|it| {
            it.key.view == View::Objects
                && it.key.resource.plural == key.resource.plural
                && it.key.resource.group == key.resource.group
        })
        .unwrap_or(stream)
        .proven;
    let mut answer = json!({
        "cluster": path.cluster,
        "resource": resource.qualified(),
        "kind": resource.header.kind,
        "namespace": path.namespace,
        "name": path.name,
        "proven": proven.map(|at| at.to_string()),
    });
    match query::at(&given, now)? {
        Some(at) => as_of(served, &key, resource, at, &mut answer).await?,
        None => steps(served, &key, &given, &mut answer).await?,
    }
    Ok(answer)
}

/// The object as it was.
async fn as_of(
    served: &Served,
    key: &ObjectKey,
    resource: &Known,
    at: Timestamp,
    answer: &mut Value,
) -> Result<(), Problem> {
    let sequence = served.store().sequence_at(at).await?;
    let row = ObjectKey {
        view: View::Rows,
        ..key.clone()
    };
    let mut found = served
        .store()
        .get_many(&[key.clone(), row], Some(sequence))
        .await?;
    let row = found.pop().flatten().map(|row| row.value);
    let Some(stored) = found.pop().flatten() else {
        let detail = format!(
            "{} {:?} not found as of {at}",
            resource.qualified(),
            key.name
        );
        return Err(Problem::new(Kind::NotFound, detail));
    };
    let shape = Shape {
        fields: &[],
        object: true,
        row: false,
        now: at,
    };
    answer["asOf"] = at.to_string().into();
    answer["item"] = item::item(&stored, row.as_ref(), Some(resource), shape);
    Ok(())
}

/// What happened, the newest first.
async fn steps(
    served: &Served,
    key: &ObjectKey,
    given: &Given,
    answer: &mut Value,
) -> Result<(), Problem> {
    let limit = query::limit(given)?;
    let before = given
        .one("continue")
        .map(|text| text.parse::<u64>().map_err(|_| Problem::bad_continue()));
    // One more: what the last one is compared with.
    let changes = served
        .store()
        .history(key, before.transpose()?, limit + 1)
        .await?;
    if changes.is_empty() {
        let detail = format!(
            "{} {:?} not found, neither now nor in what is kept of the past",
            kinds::qualified(&key.resource),
            key.name
        );
        return Err(Problem::new(Kind::NotFound, detail));
    }
    let whole = given.switch("object")?;
    let values = !(key.resource.group.is_empty() && key.resource.plural == "secrets");
    let shown = changes.iter().take(limit).enumerate();
    let steps: Vec<_> = shown
        .map(|(at, change)| step(change, changes.get(at + 1), whole, values))
        .collect();
    let more = changes.len() > limit;
    answer["steps"] = steps.into();
    answer["continue"] = match changes.get(limit.wrapping_sub(1)).filter(|_| more) {
        Some(last) => last.object.seq.to_string().into(),
        None => Value::Null,
    };
    // Otherwise what was before is not kept any more.
    answer["complete"] = (more
        || changes
            .last()
            .is_some_and(|first| first.kind == ChangeKind::Added))
    .into();
    Ok(())
}

fn step(change: &Change, before: Option<&Change>, whole: bool, values: bool) -> Value {
    let after = item::object(&change.object);
    let word = match change.kind {
        ChangeKind::Added => "added",
        ChangeKind::Modified => "changed",
        ChangeKind::Deleted => "deleted",
    };
    let mut step = json!({
        "time": change.object.changed.to_string(),
        "type": word,
        "resourceVersion": change.object.seq.to_string(),
        "clusterResourceVersion": after["metadata"]["resourceVersion"],
        "uid": change.object.uid,
    });
    if let (ChangeKind::Modified, Some(before)) = (change.kind, before) {
        let differences = difference::between(&item::object(&before.object), &after);
        let told = differences.iter().take(MOST).map(|it| it.json(values));
        step["changes"] = told.collect();
        step["more"] = differences.len().saturating_sub(MOST).into();
    }
    if whole {
        step["object"] = after;
    }
    step
}

/// Which object, by the path of a request.
#[derive(Debug, PartialEq, Eq)]
struct Path {
    cluster: String,
    kind: String,
    namespace: String,
    name: String,
}

impl Path {
    /// Segments are decoded one by one: a cluster's name may have slashes in it.
    fn parse(path: &str) -> Result<Self, Problem> {
        let wrong = || {
            Problem::new(
                Kind::NotFound,
                "write /history/CLUSTER/KIND/NAMESPACE/NAME, or /history/CLUSTER/KIND/NAME of what is in no namespace",
            )
        };
        let rest = path.strip_prefix("/history/").unwrap_or_default();
        let decode = |segment: &str| {
            let text = percent_decode_str(segment).decode_utf8().ok()?.into_owned();
            (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
        };
        let segments: Option<Vec<String>> = rest.split('/').map(decode).collect();
        let mut segments = segments.unwrap_or_default();
        if segments.len() == 3 {
            segments.insert(2, String::new());
        }
        let [cluster, kind, namespace, name] =
            <[String; 4]>::try_from(segments).map_err(|_| wrong())?;
        Ok(Self {
            cluster,
            kind,
            namespace,
            name,
        })
    }

    fn check(&self, resource: &Known) -> Result<(), Problem> {
        // What is not known yet (no header) may be either.
        let is_known = !resource.header.kind.is_empty();
        let namespaced = resource.header.namespaced;
        if is_known && namespaced == self.namespace.is_empty() {
            let (kind, rest) = (
                resource.qualified(),
                if namespaced { "NAMESPACE/NAME" } else { "NAME" },
            );
            let why = match namespaced {
                true => "are in namespaces",
                false => "are in no namespace",
            };
            return Err(Problem::new(
                Kind::NotFound,
                format!("{kind} {why}: write /history/CLUSTER/{kind}/{rest}"),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_names_an_object() {
        let path = Path::parse("/history/arn%3Aeks%2Fprod/pods/shop/web").unwrap();
        assert_eq!(
            (&*path.cluster, &*path.namespace, &*path.name),
            ("arn:eks/prod", "shop", "web")
        );
        assert_eq!(Path::parse("/history/c/nodes/n").unwrap().namespace, "");
        for path in [
            "/history/",
            "/history/c",
            "/history/c/pods",
            "/history/c/pods//web",
            "/history/a/b/c/d/e",
            "/history/c/pods/%ff",
            "/history/c/pods/a%00",
        ] {
            assert!(Path::parse(path).is_err(), "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_path_is_read_or_refused(path in ".{0,40}") {
            let _ = Path::parse(&format!("/history/{path}"));
        }
    }
}
