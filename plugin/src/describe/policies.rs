//! Network policies, disruption budgets, priority classes.

use super::Subject;
use super::events;
use super::field::Field;
use super::selector;
use super::writer::{Writer, joined, put};

const INDENT: &str = "    ";

pub(super) fn network(w: &mut Writer, subject: &Subject<'_>) {
    let policy = subject.object;
    let spec = policy.member("spec");
    w.field(0, "Name", policy.name());
    w.field(0, "Namespace", policy.namespace());
    let created = subject
        .context
        .clock
        .date_and_zone(policy.at("metadata.creationTimestamp"));
    w.field(0, "Created on", created);
    w.labels("Labels", policy.at("metadata.labels"));
    w.annotations("Annotations", policy.at("metadata.annotations"));
    put!(w, 0, "Spec:\n");
    put!(w, 1, "PodSelector: ");
    let pods = spec.member("podSelector");
    if pods.member("matchLabels").is_empty() && pods.member("matchExpressions").is_empty() {
        put!(
            w,
            2,
            "<none> (Allowing the specific traffic to all pods in this namespace)\n"
        );
    } else {
        put!(w, 2, "{}\n", selector::shown(pods));
    }
    let types = spec.member("policyTypes").texts();
    for direction in [INGRESS, EGRESS] {
        let name = direction.word;
        if types.contains(&direction.kind) {
            put!(w, 1, "Allowing {name} traffic:\n");
            direction.rules(w, spec.member(name));
        } else {
            put!(w, 1, "Not affecting {name} traffic\n");
        }
    }
    let types = types.join(", ");
    put!(
        w,
        1,
        "Policy Types: {}\n",
        if types.is_empty() { "<none>" } else { &types }
    );
}

pub(super) fn disruption_budget(w: &mut Writer, subject: &Subject<'_>) {
    let budget = subject.object;
    let (spec, status) = (budget.member("spec"), budget.member("status"));
    w.field(0, "Name", budget.name());
    w.field(0, "Namespace", budget.namespace());
    if let Some(least) = spec.member("minAvailable").some() {
        w.field(0, "Min available", least.shown());
    } else if let Some(most) = spec.member("maxUnavailable").some() {
        w.field(0, "Max unavailable", most.shown());
    }
    let selector = spec.member("selector").some();
    w.field(
        0,
        "Selector",
        selector.map_or("<unset>".to_owned(), selector::shown),
    );
    put!(w, 0, "Status:\n");
    for (member, title) in [
        ("disruptionsAllowed", "Allowed disruptions"),
        ("currentHealthy", "Current"),
        ("desiredHealthy", "Desired"),
        ("expectedPods", "Total"),
    ] {
        w.field(2, title, status.member(member).int());
    }
    events::describe(w, subject);
}

pub(super) fn priority_class(w: &mut Writer, subject: &Subject<'_>) {
    let class = subject.object;
    w.field(0, "Name", class.name());
    w.field(0, "Value", class.member("value").int());
    w.field(0, "GlobalDefault", class.member("globalDefault").is_true());
    w.field(
        0,
        "PreemptionPolicy",
        class.member("preemptionPolicy").text(),
    );
    w.field(0, "Description", class.member("description").text());
    w.field(0, "Annotations", joined(class.at("metadata.annotations")));
    events::describe(w, subject);
}

/// Ingress, or egress.
struct Direction {
    kind: &'static str,
    word: &'static str,
    peers: &'static str,
    title: &'static str,
    from_any: &'static str,
}

const INGRESS: Direction = Direction {
    kind: "Ingress",
    word: "ingress",
    peers: "from",
    title: "From",
    from_any: "source",
};
const EGRESS: Direction = Direction {
    kind: "Egress",
    word: "egress",
    peers: "to",
    title: "To",
    from_any: "destination",
};

impl Direction {
    fn rules(&self, w: &mut Writer, rules: Field<'_>) {
        if rules.is_empty() {
            let word = self.word;
            put!(
                w,
                0,
                "{INDENT}<none> (Selected pods are isolated for {word} connectivity)\n"
            );
        }
        for (index, rule) in rules.items().enumerate() {
            if index > 0 {
                put!(w, 0, "{INDENT}----------\n");
            }
            if rule.member("ports").is_empty() {
                put!(
                    w,
                    0,
                    "{INDENT}To Port: <any> (traffic allowed to all ports)\n"
                );
            }
            rule.member("ports").items().for_each(|of| port(w, of));
            let (peers, title, any) = (rule.member(self.peers), self.title, self.from_any);
            if peers.is_empty() {
                put!(
                    w,
                    0,
                    "{INDENT}{title}: <any> (traffic not restricted by {any})\n"
                );
            }
            for of in peers.items() {
                put!(w, 0, "{INDENT}{title}:\n");
                peer(w, of);
            }
        }
    }
}

fn port(w: &mut Writer, port: Field<'_>) {
    let (number, protocol) = (
        port.member("port").shown_or("<nil>"),
        port.member("protocol").text_or("TCP"),
    );
    match port.member("endPort").some() {
        None => put!(w, 0, "{INDENT}To Port: {number}/{protocol}\n"),
        Some(end) => put!(
            w,
            0,
            "{INDENT}To Port Range: {number}-{}/{protocol}\n",
            end.int()
        ),
    }
}

fn peer(w: &mut Writer, peer: Field<'_>) {
    let selectors = [
        ("namespaceSelector", "NamespaceSelector"),
        ("podSelector", "PodSelector"),
    ];
    let mut selects = false;
    for (member, title) in selectors {
        if let Some(selector) = peer.member(member).some() {
            selects = true;
            put!(w, 1, "{INDENT}{title}: {}\n", selector::shown(selector));
        }
    }
    if let Some(block) = peer.member("ipBlock").some().filter(|_| !selects) {
        put!(w, 1, "{INDENT}IPBlock:\n");
        put!(w, 2, "{INDENT}CIDR: {}\n", block.member("cidr").text());
        put!(
            w,
            2,
            "{INDENT}Except: {}\n",
            block.member("except").texts().join(", ")
        );
    }
}
