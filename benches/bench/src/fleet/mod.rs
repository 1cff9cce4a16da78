//! A fleet's pods as a store gets them: twenty clusters, rows and objects, without managedFields.

pub(crate) mod ask;
pub(crate) mod load;

use crate::pods;
use anyhow::Result;
use bytes::Bytes;
use mqtt_informer::protocol::message::View;
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::protocol::rows::{Cell, Column, Header, Part, Row, part};
use mqtt_informer::store::{GroupResource, StreamKey};
use prost::Message;
use serde_json::Value;

/// How many clusters share the pods.
pub(crate) const CLUSTERS: usize = 20;
/// How many namespaces each cluster has.
const NAMESPACES: usize = 10;

/// One of the clusters; there are `CLUSTERS`.
pub(crate) fn cluster(number: usize) -> Result<ClusterName> {
    Ok(ClusterName::new(&format!(
        "cluster-{:02}",
        number % CLUSTERS
    ))?)
}

/// One of the namespaces.
pub(crate) fn namespace(number: usize) -> String {
    format!("team-{}", number / CLUSTERS % NAMESPACES)
}

/// The stream that a cluster's pods come by.
pub(crate) fn stream(number: usize, view: View) -> Result<StreamKey> {
    Ok(StreamKey {
        cluster: cluster(number)?,
        resource: "pods.v1".parse()?,
        view,
    })
}

pub(crate) fn resource() -> GroupResource {
    GroupResource {
        group: String::new(),
        plural: "pods".to_owned(),
    }
}

/// What a stream of rows says of its columns first.
pub(crate) fn header() -> Bytes {
    let columns = ["Name", "Ready", "Status", "Restarts", "Age", "IP", "Node"];
    let columns = columns.map(|name| Column {
        name: name.to_owned(),
        ..Column::default()
    });
    let header = Header {
        version: "v1".to_owned(),
        plural: "pods".to_owned(),
        kind: "Pod".to_owned(),
        namespaced: true,
        columns: columns.to_vec(),
        ..Header::default()
    };
    header.encode_to_vec().into()
}

/// A pod's key and its value in a view; one of fifty does not run.
pub(crate) fn entry(number: usize, revision: u32, view: View) -> (Bytes, Option<Bytes>) {
    let mut pod = pods::pod(number, revision);
    let key = format!("{}/{}", namespace(number), pods::name(number));
    pod["metadata"]["namespace"] = namespace(number).into();
    if number % 50 == 7 {
        pod["status"]["phase"] = "Pending".into();
    }
    if let Some(metadata) = pod["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    let value = match view {
        View::Rows => row(&pod, number, revision),
        _ => pod.to_string().into(),
    };
    (key.into(), Some(value))
}

fn row(pod: &Value, number: usize, revision: u32) -> Bytes {
    let text = |value: &Value| part::Part::Text(value.as_str().unwrap_or_default().to_owned());
    let parts = [
        text(&pod["metadata"]["name"]),
        part::Part::Text("1/1".to_owned()),
        text(&pod["status"]["phase"]),
        part::Part::Integer(i64::from(revision)),
        part::Part::SinceMs(1_730_000_000_000 + number as i64 * 1000),
        text(&pod["status"]["podIP"]),
        text(&pod["spec"]["nodeName"]),
    ];
    let cell = |part| Cell {
        parts: vec![Part { part: Some(part) }],
    };
    let row = Row {
        cells: parts.map(cell).to_vec(),
        metadata: pod["metadata"].to_string().into(),
    };
    row.encode_to_vec().into()
}

/// The resident memory of this process, in bytes.
pub(crate) fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.map_or(f64::NAN, |kilobytes| kilobytes * 1024.0)
}
