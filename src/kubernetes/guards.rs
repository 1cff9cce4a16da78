//! What is done to each row of a Table, as `bench guards` counts it.

use super::view::Projection;
use super::view::tests::pods;
use crate::guarded::guarded_section;
use crate::protocol::message::View;
use crate::source::Resolved;
use std::fmt::Write;

/// A Table of pods, as the API server sends it with `includeObject=Object`.
fn table(rows: usize) -> String {
    let columns = ["Name", "Ready", "Status", "Restarts", "Age", "IP", "Node"].map(|name| {
        format!(r#"{{"name":"{name}","type":"string","format":"","description":"d","priority":0}}"#)
    });
    let mut text = format!(
        r#"{{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{{"resourceVersion":"7"}},"columnDefinitions":[{}],"rows":["#,
        columns.join(",")
    );
    for number in 0..rows {
        let comma = if number == 0 { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            r#"{comma}{{"cells":["web-{number:05}","1/1","Running","3 (5m ago)","7d","10.0.0.{ip}","node-{ip}"],"object":{{"kind":"Pod","apiVersion":"v1","metadata":{{"name":"web-{number:05}","namespace":"shop","uid":"u-{number}","resourceVersion":"{number}","creationTimestamp":"2024-11-20T10:00:00Z","labels":{{"app":"web","tier":"front"}},"managedFields":[{{"manager":"kubelet","fieldsV1":{{"f:status":{{}}}}}}]}},"spec":{{"containers":[{{"name":"web","image":"nginx"}}],"nodeName":"node-{ip}"}},"status":{{"phase":"Running","containerStatuses":[{{"name":"web","restartCount":3,"ready":true,"lastState":{{"terminated":{{"finishedAt":"2024-11-27T09:55:00Z"}}}}}}]}}}}}}"#,
            ip = number % 200
        );
    }
    text.push_str("]}");
    text
}

#[test]
fn row_encoding_of_500_pods() {
    let selection = Resolved {
        view: View::Rows,
        ..pods()
    };
    let mut projection = Projection::new(&selection, false);
    let body = table(500);
    let now = 1_732_701_600_000;
    projection.start_list();
    let entries = guarded_section(|| projection.page(body.as_bytes(), now).unwrap());
    assert_eq!(entries.len(), 500);
}
