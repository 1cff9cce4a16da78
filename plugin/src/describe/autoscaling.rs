//! Horizontal pod autoscalers.

use super::Subject;
use super::containers::quoted;
use super::events;
use super::field::Field;
use super::quantity::Quantity;
use super::writer::{Writer, put};

pub(super) fn describe(w: &mut Writer, subject: &Subject<'_>) {
    let scaler = subject.object;
    let (spec, status) = (scaler.member("spec"), scaler.member("status"));
    let target = spec.member("scaleTargetRef");
    let kind = target.member("kind").text();
    w.field(0, "Name", scaler.name());
    w.field(0, "Namespace", scaler.namespace());
    w.labels("Labels", scaler.at("metadata.labels"));
    w.annotations("Annotations", scaler.at("metadata.annotations"));
    w.field(0, "CreationTimestamp", subject.created());
    w.field(
        0,
        "Reference",
        format_args!("{kind}/{}", target.member("name").text()),
    );
    if subject.version == "v1" {
        utilization(w, spec, status);
    } else {
        w.field(0, "Metrics", "( current / target )");
        let current: Vec<_> = status.member("currentMetrics").items().collect();
        for (index, of) in spec.member("metrics").items().enumerate() {
            metric(w, of, current.get(index).copied().unwrap_or_default());
        }
    }
    w.field(
        0,
        "Min replicas",
        spec.member("minReplicas").shown_or("<unset>"),
    );
    w.field(0, "Max replicas", spec.member("maxReplicas").int());
    if let Some(behavior) = spec.member("behavior").some() {
        put!(w, 0, "Behavior:\n");
        direction(w, "Scale Up", behavior.member("scaleUp"));
        direction(w, "Scale Down", behavior.member("scaleDown"));
    }
    let (current, desired) = (
        status.member("currentReplicas").int(),
        status.member("desiredReplicas").int(),
    );
    w.field(
        0,
        &format!("{kind} pods"),
        format_args!("{current} current / {desired} desired"),
    );
    let conditions = status.member("conditions");
    if !conditions.is_empty() {
        put!(w, 0, "Conditions:\n");
        put!(w, 1, "Type\tStatus\tReason\tMessage\n");
        put!(w, 1, "----\t------\t------\t-------\n");
    }
    for condition in conditions.items() {
        let [kind, status, reason, message] =
            ["type", "status", "reason", "message"].map(|name| condition.member(name).text());
        put!(w, 1, "{kind}\t{status}\t{reason}\t{message}\n");
    }
    events::describe(w, subject);
}

/// Version 1 knows CPUs only.
fn utilization(w: &mut Writer, spec: Field<'_>, status: Field<'_>) {
    if let Some(target) = spec.member("targetCPUUtilizationPercentage").some() {
        w.field(
            0,
            "Target CPU utilization",
            format_args!("{}%", target.int()),
        );
        let current = status
            .member("currentCPUUtilizationPercentage")
            .shown_or("<unknown>");
        w.field(0, "Current CPU utilization", format_args!("{current}%"));
    }
}

fn metric(w: &mut Writer, metric: Field<'_>, current: Field<'_>) {
    let kind = metric.member("type").text();
    match kind {
        "External" => {
            let (of, current) = (metric.member("external"), current.member("external"));
            let name = quoted(of.at("metric.name").text());
            match of.at("target.averageValue").some() {
                Some(target) => {
                    let now = amount_or_unknown(current.at("current.averageValue"));
                    put!(
                        w,
                        1,
                        "{name} (target average value):\t{now} / {}\n",
                        Quantity::of(target)
                    );
                }
                None => {
                    let now = measured(current, "value");
                    put!(
                        w,
                        1,
                        "{name} (target value):\t{now} / {}\n",
                        amount(of.at("target.value"))
                    );
                }
            }
        }
        "Pods" => {
            let of = metric.member("pods");
            let now = measured(current.member("pods"), "averageValue");
            let target = amount(of.at("target.averageValue"));
            put!(
                w,
                1,
                "{} on pods:\t{now} / {target}\n",
                quoted(of.at("metric.name").text())
            );
        }
        "Object" => {
            let (of, described) = (metric.member("object"), metric.at("object.describedObject"));
            let average = of.at("target.type").text() == "AverageValue";
            let (member, word) = if average {
                ("averageValue", "average value")
            } else {
                ("value", "value")
            };
            let now = measured(current.member("object"), member);
            let target = amount(of.at("target").member(member));
            let name = of.at("metric.name").text();
            let (kind, object) = (
                described.member("kind").text(),
                described.member("name").text(),
            );
            put!(
                w,
                1,
                "\"{name}\" on {kind}/{object} (target {word}):\t{now} / {target}\n"
            );
        }
        "Resource" => resource(w, metric.member("resource"), current.member("resource"), ""),
        "ContainerResource" => {
            let of = metric.member("containerResource");
            let container = format!(" of container \"{}\"", of.member("container").text());
            resource(w, of, current.member("containerResource"), &container);
        }
        kind => put!(w, 1, "<unknown metric type {}>\n", quoted(kind)),
    }
}

fn resource(w: &mut Writer, of: Field<'_>, current: Field<'_>, container: &str) {
    let name = of.member("name").text();
    put!(w, 1, "resource {name}{container} on pods");
    if let Some(target) = of.at("target.averageValue").some() {
        let now = measured(current, "averageValue");
        return put!(w, 0, ":\t{now} / {}\n", Quantity::of(target));
    }
    let now = match current.at("current.averageUtilization").some() {
        Some(share) => format!(
            "{}% ({})",
            share.int(),
            amount(current.at("current.averageValue"))
        ),
        None => "<unknown>".to_owned(),
    };
    let target = of.at("target.averageUtilization").some();
    let target = target.map_or("<auto>".to_owned(), |target| format!("{}%", target.int()));
    put!(w, 1, "(as a percentage of request):\t{now} / {target}\n");
}

/// What was measured, if anything was.
fn measured(current: Field<'_>, member: &str) -> String {
    match current.some() {
        Some(current) => amount(current.member("current").member(member)),
        None => "<unknown>".to_owned(),
    }
}

fn amount_or_unknown(field: Field<'_>) -> String {
    field.some().map_or("<unknown>".to_owned(), amount)
}

/// An amount as Go prints one that may be missing.
fn amount(field: Field<'_>) -> String {
    field.some().map_or("<nil>".to_owned(), |amount| {
        Quantity::of(amount).to_string()
    })
}

fn direction(w: &mut Writer, title: &str, rules: Field<'_>) {
    if !rules.exists() {
        return;
    }
    put!(w, 1, "{title}:\n");
    if let Some(seconds) = rules.member("stabilizationWindowSeconds").some() {
        put!(w, 2, "Stabilization Window: {} seconds\n", seconds.int());
    }
    if rules.member("policies").is_empty() {
        return;
    }
    put!(
        w,
        2,
        "Select Policy: {}\n",
        rules.member("selectPolicy").shown_or("Max")
    );
    put!(w, 2, "Policies:\n");
    for policy in rules.member("policies").items() {
        let (value, seconds) = (
            policy.member("value").int(),
            policy.member("periodSeconds").int(),
        );
        put!(
            w,
            3,
            "- Type: {}\tValue: {value}\tPeriod: {seconds} seconds\n",
            policy.member("type").text()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn check(of: &Value, current: &Value, want: &str) {
        let mut w = Writer::new();
        metric(&mut w, Field::of(of), Field::of(current));
        assert_eq!(w.finish(), want);
    }

    #[test]
    fn metrics_now_and_wanted() {
        let cpu = json!({"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}});
        let now =
            json!({"resource": {"current": {"averageUtilization": 37, "averageValue": "18m"}}});
        check(
            &cpu,
            &now,
            "  resource cpu on pods  (as a percentage of request):  37% (18m) / 80%\n",
        );
        check(
            &cpu,
            &json!(null),
            "  resource cpu on pods  (as a percentage of request):  <unknown> / 80%\n",
        );
        let object = json!({"type": "Object", "object": {
                            "metric": {"name": "hits"}, "target": {"type": "Value", "value": "10k"},
                            "describedObject": {"kind": "Ingress", "name": "web"}}});
        check(
            &object,
            &json!({}),
            "  \"hits\" on Ingress/web (target value):  <unknown> / 10k\n",
        );
        let pods = json!({"type": "Pods", "pods": {"metric": {"name": "q"}, "target": {"averageValue": "5"}}});
        check(
            &pods,
            &json!({"pods": {"current": {}}}),
            "  \"q\" on pods:  <nil> / 5\n",
        );
        check(
            &json!({"type": "New"}),
            &json!({}),
            "  <unknown metric type \"New\">\n",
        );
    }
}
