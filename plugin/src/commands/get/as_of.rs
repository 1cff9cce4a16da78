//! `get --at`: the same output, of what a controlplane's store had at a moment.
//!
//! Its answers become the copies that clusters would have sent, so that everything else is as for any `get`.

use super::super::controlplane::{cluster_words, failed};
use super::{GetArgs, finish};
use crate::clock::wall_ms;
use crate::error::Failure;
use crate::get::{ClusterSelector, Collector, Form, Plan, StreamView, Target};
use crate::scope::Scope;
use crate::terminal::Terminal;
use bytes::Bytes;
use jiff::Timestamp;
use mqtt_informer::controlplane::client::{Answer, Client, Cluster, Item};
use mqtt_informer::controlplane::search::moment;
use mqtt_informer::informer::{Freshness, Progress, Snapshot, StreamState};
use mqtt_informer::protocol::message::View;
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::protocol::selector::FieldSelector;
use std::collections::BTreeMap;
use std::time::Duration;

/// As many at once as a controlplane gives.
const PAGE: &str = "500";

pub(super) async fn run(
    when: &str,
    args: &GetArgs,
    plan: Plan,
    selector: &ClusterSelector,
    scope: &Scope,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    if plan.watch.is_some() {
        return Err(Failure::because(
            "--at and --watch cannot be used together: what was does not change",
        ));
    }
    if plan.managed_fields {
        return Err(Failure::because(
            "--at and --show-managed-fields cannot be used together: managedFields are not kept",
        ));
    }
    let now = Timestamp::now();
    let at = moment(when, now).map_err(|why| Failure::because(format!("--at: {why}")))?;
    let clusters = cluster_words(&args.reach.clusters, scope)?;
    let client = args.controlplane.client(scope, plan.timeout).await?;
    let mut past = Past {
        client,
        clusters,
        at: at.to_string(),
        ahead: at.as_millisecond().saturating_sub(wall_ms()),
        collector: Collector::new(plan.clone(), selector, Terminal::audience()),
    };
    past.collector.link_up(Duration::ZERO);
    let asked = (0..plan.streams())
        .map(|index| (index, plan.targets.get(index % plan.targets.len().max(1))));
    let mut answers = Vec::new();
    for (index, target) in asked {
        if let Some(target) = target {
            let view = match index >= plan.targets.len() || plan.form.is_objects() {
                true => View::Objects,
                false => View::Rows,
            };
            answers.push((index, view, past.ask(&plan, target, view).await?));
        }
    }
    // Every cluster is known before any is looked at: a list of several is printed when all have answered.
    for (_, _, answer) in &answers {
        past.present(answer);
    }
    for (index, view, answer) in answers {
        past.take(index, view, &answer);
    }
    past.collector.discovered();
    terminal.err(&format!("as of {at}"))?;
    // Nothing is waited for: whoever has not answered is absent.
    let outputs = past.collector.step(Duration::ZERO, wall_ms());
    finish(outputs, terminal)
}

struct Past {
    client: Client,
    clusters: String,
    at: String,
    ahead: i64,
    collector: Collector,
}

impl Past {
    /// All pages of a target, as one answer.
    async fn ask(&self, plan: &Plan, target: &Target, view: View) -> Result<Answer, Failure> {
        let mut query: Vec<(&str, String)> = vec![
            ("kind", target.word.clone()),
            ("cluster", self.clusters.clone()),
            (
                "namespace",
                plan.namespaces.one().unwrap_or_default().to_owned(),
            ),
            ("labels", plan.labels.clone()),
            ("at", self.at.clone()),
            ("limit", PAGE.to_owned()),
            (
                if view == View::Objects {
                    "object"
                } else {
                    "row"
                },
                "true".to_owned(),
            ),
        ];
        let header = view == View::Objects;
        query.extend(header.then(|| ("row", "true".to_owned())));
        query.extend(
            conditions(plan, target)?
                .into_iter()
                .map(|it| ("where", it)),
        );
        let mut all = Answer::default();
        loop {
            let pairs: Vec<_> = query
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let page = self.client.search(&pairs).await.map_err(failed)?;
            all.items.extend(page.items);
            all.headers.extend(page.headers);
            all.clusters = page.clusters;
            query.retain(|(name, _)| *name != "continue");
            match page.r#continue {
                Some(next) => query.push(("continue", next)),
                None => return Ok(all),
            }
        }
    }

    /// Tells the collector who is there.
    fn present(&mut self, answer: &Answer) {
        let names = answer
            .clusters
            .iter()
            .filter_map(|it| ClusterName::new(&it.name).ok());
        names.for_each(|name| self.collector.cluster(&name, &[], false, Duration::ZERO));
        self.collector.take_wanted();
    }

    /// Tells the collector what each cluster had.
    fn take(&mut self, index: usize, view: View, answer: &Answer) {
        let mut of: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
        for item in &answer.items {
            of.entry(&item.cluster).or_default().push(item);
        }
        for cluster in &answer.clusters {
            if let Ok(name) = ClusterName::new(&cluster.name) {
                let items = of.remove(cluster.name.as_str()).unwrap_or_default();
                let stream = self.view(cluster, answer, view, &items);
                self.collector.see(&name, index, stream);
            }
        }
    }

    fn view(&self, cluster: &Cluster, answer: &Answer, view: View, items: &[&Item]) -> StreamView {
        let what = || cluster.missing.join(", ");
        match cluster.state.as_str() {
            "fresh" | "kept" | "stale" => {}
            "incomplete" => return refused(format!("not all of it was kept by then: {}", what())),
            "missing" => return refused(format!("nothing of it is kept: {}", what())),
            _ => return refused("the controlplane keeps nothing of it".to_owned()),
        }
        let value = |item: &Item| match view {
            View::Objects => item
                .object
                .as_ref()
                .map(|object| Bytes::from(object.to_string())),
            _ => item.row.as_ref().map(|row| row.0.clone()),
        };
        let key = |item: &Item| match item.namespace.as_str() {
            "" => Bytes::from(item.name.clone()),
            namespace => format!("{namespace}/{}", item.name).into(),
        };
        let entries = items
            .iter()
            .filter_map(|item| Some((key(item), value(item)?)));
        let header = answer
            .headers
            .values()
            .next()
            .map(|header| (Bytes::new(), header.0.clone()));
        StreamView {
            state: StreamState {
                synced: true,
                progress: Progress::Synced,
                freshness: match cluster.state.as_str() {
                    "stale" => Freshness::Stale,
                    _ => Freshness::Fresh,
                },
                ..StreamState::default()
            },
            snapshot: Snapshot {
                seq: 1,
                entries: entries.chain(header).collect(),
                ..Snapshot::default()
            },
            // Ages are those of then.
            clock_ahead_ms: self.ahead,
            ..StreamView::default()
        }
    }
}

/// No absence: that would be silent where other clusters have something.
fn refused(message: String) -> StreamView {
    StreamView {
        state: StreamState {
            progress: Progress::Refused {
                code: 503,
                reason: "ServiceUnavailable".to_owned(),
                message,
            },
            ..StreamState::default()
        },
        ..StreamView::default()
    }
}

/// The name and the field selector as conditions.
fn conditions(plan: &Plan, target: &Target) -> Result<Vec<String>, Failure> {
    if matches!(plan.form, Form::Catalog(_)) {
        return Ok(Vec::new());
    }
    if let Some(name) = &target.name {
        return Ok(vec![format!(".metadata.name={name}")]);
    }
    let fields = FieldSelector::parse(&plan.fields)
        .map_err(|error| Failure::because(format!("--field-selector: {error}")))?;
    let one = |(field, differs, value): (&str, bool, &str)| {
        format!(".{field}{}{value}", if differs { "!=" } else { "=" })
    };
    Ok(fields.terms().map(one).collect())
}
