//! The view `resources`: what the cluster has, one entry a resource, as JSON.

use super::backoff::Backoff;
use super::catalog::Resource;
use super::client::Client;
use super::discovery::Discovery;
use super::failure::Failure;
use crate::source::Event;
use bytes::Bytes;
use serde::Serialize;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// Serves the catalog until the receiver of `events` is gone.
pub(super) async fn run(client: &Client, discovery: &Discovery, events: mpsc::Sender<Event>) {
    tokio::select! {
        () = events.closed() => {}
        () = forever(client, discovery, events.clone()) => {}
    }
}

async fn forever(client: &Client, discovery: &Discovery, events: mpsc::Sender<Event>) {
    let (mut outages, mut refusals) = (
        Backoff::between(client.patience().outage),
        Backoff::between(client.patience().refusal),
    );
    loop {
        // Its age counts from here.
        if events.send(Event::Listing).await.is_err() {
            return;
        }
        let (event, wait) = match discovery.catalog(client, Duration::ZERO).await {
            Ok(catalog) => {
                outages.reset();
                refusals.reset();
                let event = Event::Listed(entries(&catalog.resources), 0);
                (event, client.patience().resources)
            }
            Err(Failure::Refused(refusal)) => (Event::Refused(refusal), refusals.next()),
            Err(failure) => (Event::Down(failure.to_string()), outages.next()),
        };
        if events.send(event).await.is_err() {
            return;
        }
        sleep(wait).await;
    }
}

/// All that something can be done with; subresources are not among them. A stream's order is that of its keys, so each
/// entry says where the server had it: kubectl shows the resources of a category in that order, and of two groups the
/// first one is meant.
fn entries(resources: &[Resource]) -> Vec<(Bytes, Bytes)> {
    let usable = resources
        .iter()
        .filter(|resource| !resource.verbs.is_empty());
    usable
        .enumerate()
        .filter_map(|(order, resource)| entry(order, resource))
        .collect()
}

/// `deployments.v1.apps`, and the resource as JSON.
fn entry(order: usize, resource: &Resource) -> Option<(Bytes, Bytes)> {
    #[derive(Serialize)]
    struct Ordered<'a> {
        order: usize,
        #[serde(flatten)]
        resource: &'a Resource,
    }
    let Resource {
        name,
        version,
        group,
        ..
    } = resource;
    let key = match group.as_str() {
        "" => format!("{name}.{version}"),
        group => format!("{name}.{version}.{group}"),
    };
    // Strings, numbers and lists of them: this cannot fail.
    let json = serde_json::to_vec(&Ordered { order, resource }).ok()?;
    Some((key.into(), json.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_something_can_be_done_with_is_an_entry() {
        let resource = Resource {
            name: "deployments".into(),
            singular: "deployment".into(),
            short_names: vec!["deploy".into()],
            kind: "Deployment".into(),
            group: "apps".into(),
            version: "v1".into(),
            preferred: true,
            namespaced: true,
            verbs: vec!["list".into()],
            categories: vec!["all".into()],
        };
        let useless = Resource {
            verbs: Vec::new(),
            ..resource.clone()
        };
        let (key, value) = entries(&[useless, resource]).remove(0);
        assert_eq!(key, "deployments.v1.apps");
        assert_eq!(
            std::str::from_utf8(&value).unwrap(),
            r#"{"order":0,"name":"deployments","singular":"deployment","shortNames":["deploy"],"kind":"Deployment","group":"apps","version":"v1","preferred":true,"namespaced":true,"verbs":["list"],"categories":["all"]}"#
        );
    }
}
