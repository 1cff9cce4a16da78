//! Namespaces, and what bounds what is in them: quotas and limit ranges.

use super::Subject;
use super::field::Field;
use super::quantity::Quantity;
use super::related::Need;
use super::writer::{Writer, put};
use crate::get::messages::Refusal;
use std::collections::BTreeSet;

pub(super) fn describe(w: &mut Writer, subject: &Subject<'_>) -> Result<(), Refusal> {
    let namespace = subject.object;
    w.field(0, "Name", namespace.name());
    w.labels("Labels", namespace.at("metadata.labels"));
    w.annotations("Annotations", namespace.at("metadata.annotations"));
    w.field(0, "Status", namespace.at("status.phase").text());
    subject.conditions(w, namespace.at("status.conditions"));
    if let Some(quotas) = unless_unknown(subject.related.get(&Need::quotas(namespace)))? {
        put!(w, 0, "\n");
        quota_lists(w, &quotas);
    }
    if let Some(ranges) = unless_unknown(subject.related.get(&Need::limit_ranges(namespace)))? {
        put!(w, 0, "\n");
        range_lists(w, &ranges);
    }
    Ok(())
}

pub(super) fn quota(w: &mut Writer, subject: &Subject<'_>) {
    let quota = subject.object;
    w.field(0, "Name", quota.name());
    w.field(0, "Namespace", quota.namespace());
    scopes(w, quota, 0, " * ");
    put!(w, 0, "Resource\tUsed\tHard\n");
    put!(w, 0, "--------\t----\t----\n");
    for (name, used, hard) in usage(quota) {
        put!(w, 0, "{name}\t{}\t{hard}\n", used.printed_as(hard));
    }
}

pub(super) fn limit_range(w: &mut Writer, subject: &Subject<'_>) {
    w.field(0, "Name", subject.object.name());
    w.field(0, "Namespace", subject.object.namespace());
    put!(
        w,
        0,
        "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio\n"
    );
    put!(
        w,
        0,
        "----\t--------\t---\t---\t---------------\t-------------\t-----------------------\n"
    );
    limits(w, subject.object, "");
}

/// What a cluster does not know is nothing to describe.
fn unless_unknown(
    answer: Result<Vec<Field<'_>>, Refusal>,
) -> Result<Option<Vec<Field<'_>>>, Refusal> {
    match answer {
        Err(refusal) if refusal.is_absence() => Ok(None),
        answer => answer.map(Some),
    }
}

fn quota_lists(w: &mut Writer, quotas: &[Field<'_>]) {
    if quotas.is_empty() {
        return put!(w, 0, "No resource quota.\n");
    }
    put!(w, 0, "Resource Quotas\n");
    let mut quotas = quotas.to_vec();
    quotas.sort_by_key(|quota| quota.name());
    for quota in quotas {
        w.field(1, "Name", quota.name());
        scopes(w, quota, 1, "* ");
        put!(w, 1, "Resource\tUsed\tHard\n");
        put!(w, 1, "--------\t---\t---\n");
        for (name, used, hard) in usage(quota) {
            put!(w, 1, "{name}\t{used}\t{hard}\n");
        }
    }
}

fn scopes(w: &mut Writer, quota: Field<'_>, level: usize, bullet: &str) {
    let mut scopes = quota.at("spec.scopes").texts();
    if scopes.is_empty() {
        return;
    }
    scopes.sort_unstable();
    w.field(level, "Scopes", scopes.join(", "));
    for help in scopes.into_iter().filter_map(meaning) {
        put!(w, level, "{bullet}{help}\n");
    }
}

fn meaning(scope: &str) -> Option<&'static str> {
    Some(match scope {
        "Terminating" => {
            "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being \
             actively terminated by the system."
        }
        "NotTerminating" => {
            "Matches all pods that do not have an active deadline. These pods usually include long running pods whose \
             container command is not expected to terminate."
        }
        "BestEffort" => {
            "Matches all pods that do not have resource requirements set. These pods have a best effort quality of \
             service."
        }
        "NotBestEffort" => {
            "Matches all pods that have at least one resource requirement set. These pods have a burstable or \
             guaranteed quality of service."
        }
        _ => return None,
    })
}

fn usage(quota: Field<'_>) -> impl Iterator<Item = (&str, Quantity, Quantity)> {
    let used = quota.at("status.used");
    let hard = quota.at("status.hard").members().into_iter();
    hard.map(move |(name, hard)| (name, Quantity::of(used.member(name)), Quantity::of(hard)))
}

fn range_lists(w: &mut Writer, ranges: &[Field<'_>]) {
    if ranges.is_empty() {
        return put!(w, 0, "No LimitRange resource.\n");
    }
    put!(
        w,
        0,
        "Resource Limits\n Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio\n"
    );
    put!(
        w,
        0,
        " ----\t--------\t---\t---\t---------------\t-------------\t-----------------------\n"
    );
    ranges.iter().for_each(|range| limits(w, *range, " "));
}

/// A line for each resource of each limit. kubectl has the resources in no order; here they are sorted.
fn limits(w: &mut Writer, range: Field<'_>, prefix: &str) {
    const BOUNDS: [&str; 5] = [
        "min",
        "max",
        "defaultRequest",
        "default",
        "maxLimitRequestRatio",
    ];
    for limit in range.at("spec.limits").items() {
        let bounds = BOUNDS.map(|bound| limit.member(bound));
        let names: BTreeSet<_> = bounds
            .iter()
            .flat_map(|bound| bound.members().into_keys())
            .collect();
        let kind = limit.member("type").text();
        for name in names {
            let shown = bounds.map(|bound| match bound.member(name).some() {
                Some(amount) => Quantity::of(amount).to_string(),
                None => "-".to_owned(),
            });
            put!(w, 0, "{prefix}{kind}\t{name}\t{}\n", shown.join("\t"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn limits_are_lines_and_what_is_missing_is_a_dash() {
        let range = json!({"spec": {"limits": [
            {"type": "Container", "max": {"memory": "1Gi"}, "default": {"cpu": "500m", "memory": "256Mi"}}]}});
        let mut w = Writer::new();
        limits(&mut w, Field::of(&range), " ");
        assert_eq!(
            w.finish(),
            " Container  cpu     -  -    -  500m   -\n Container  memory  -  1Gi  -  256Mi  -\n"
        );
    }
}
