//! Services, and where they lead: endpoints, endpoint slices. Addresses and ranges of services.

use super::Subject;
use super::events;
use super::field::Field;
use super::related::Need;
use super::writer::{Writer, joined, put};

/// So many addresses are shown, then how many more there are.
const MOST_ADDRESSES: usize = 3;

pub(super) fn service(w: &mut Writer, subject: &Subject<'_>) {
    let service = subject.object;
    let spec = service.member("spec");
    w.field(0, "Name", service.name());
    w.field(0, "Namespace", service.namespace());
    w.labels("Labels", service.at("metadata.labels"));
    w.annotations("Annotations", service.at("metadata.annotations"));
    w.field(0, "Selector", joined(spec.member("selector")));
    w.field(0, "Type", spec.member("type").text());
    if let Some(policy) = spec.member("ipFamilyPolicy").some() {
        w.field(0, "IP Family Policy", policy.text());
    }
    w.field(0, "IP Families", commas(spec.member("ipFamilies")));
    w.field(0, "IP", spec.member("clusterIP").text());
    w.field(0, "IPs", commas(spec.member("clusterIPs")));
    if !spec.member("externalIPs").is_empty() {
        w.field(0, "External IPs", commas(spec.member("externalIPs")));
    }
    for (member, title) in [
        ("loadBalancerIP", "Desired LoadBalancer IP"),
        ("externalName", "External Name"),
    ] {
        if !spec.member(member).text().is_empty() {
            w.field(0, title, spec.member(member).text());
        }
    }
    let balancers = service.at("status.loadBalancer.ingress");
    if !balancers.is_empty() {
        w.field(
            0,
            "LoadBalancer Ingress",
            balancers
                .items()
                .map(balancer)
                .collect::<Vec<_>>()
                .join(", "),
        );
    }
    let slices = subject
        .related
        .get(&Need::endpoint_slices(service.namespace(), service.name()));
    let slices = slices.unwrap_or_default();
    spec.member("ports")
        .items()
        .for_each(|of| port(w, of, &slices));
    rest(w, spec);
    events::describe(w, subject);
}

pub(super) fn endpoints(w: &mut Writer, subject: &Subject<'_>) {
    let endpoints = subject.object;
    head(w, subject);
    put!(w, 0, "Subsets:\n");
    for subset in endpoints.member("subsets").items() {
        for (member, title) in [
            ("addresses", "Addresses"),
            ("notReadyAddresses", "NotReadyAddresses"),
        ] {
            let addresses = subset
                .member(member)
                .items()
                .map(|address| address.member("ip").text());
            let addresses = addresses.collect::<Vec<_>>().join(",");
            w.field(
                1,
                title,
                if addresses.is_empty() {
                    "<none>"
                } else {
                    &addresses
                },
            );
        }
        if !subset.member("ports").is_empty() {
            put!(w, 1, "Ports:\n");
            put!(w, 2, "Name\tPort\tProtocol\n");
            put!(w, 2, "----\t----\t--------\n");
        }
        for port in subset.member("ports").items() {
            let (number, protocol) = (port.member("port").int(), port.member("protocol").text());
            put!(
                w,
                2,
                "{}\t{number}\t{protocol}\n",
                port.member("name").text_or("<unset>")
            );
        }
        put!(w, 0, "\n");
    }
    events::describe(w, subject);
}

pub(super) fn endpoint_slice(w: &mut Writer, subject: &Subject<'_>) {
    let slice = subject.object;
    head(w, subject);
    w.field(0, "AddressType", slice.member("addressType").text());
    if slice.member("ports").is_empty() {
        put!(w, 0, "Ports: <unset>\n");
    } else {
        put!(w, 0, "Ports:\n");
        put!(w, 1, "Name\tPort\tProtocol\n");
        put!(w, 1, "----\t----\t--------\n");
    }
    for port in slice.member("ports").items() {
        let (number, protocol) = (
            port.member("port").shown_or("<unset>"),
            port.member("protocol").text(),
        );
        put!(
            w,
            1,
            "{}\t{number}\t{protocol}\n",
            port.member("name").text_or("<unset>")
        );
    }
    let none = if slice.member("endpoints").is_empty() {
        " <none>"
    } else {
        ""
    };
    put!(w, 0, "Endpoints:{none}\n");
    for endpoint in slice.member("endpoints").items() {
        let addresses = endpoint.member("addresses").texts().join(", ");
        let addresses = if addresses.is_empty() {
            "<none>"
        } else {
            &addresses
        };
        put!(w, 1, "- Addresses:\t{addresses}\n");
        put!(w, 2, "Conditions:\n");
        w.field(
            3,
            "Ready",
            endpoint.at("conditions.ready").shown_or("<unset>"),
        );
        w.field(
            2,
            "Hostname",
            endpoint.member("hostname").shown_or("<unset>"),
        );
        if let Some(target) = endpoint.member("targetRef").some() {
            let (kind, name) = (target.member("kind").text(), target.member("name").text());
            w.field(2, "TargetRef", format_args!("{kind}/{name}"));
        }
        w.field(
            2,
            "NodeName",
            endpoint.member("nodeName").shown_or("<unset>"),
        );
        w.field(2, "Zone", endpoint.member("zone").shown_or("<unset>"));
    }
    events::describe(w, subject);
}

/// A range of addresses for services.
pub(super) fn service_cidr(w: &mut Writer, subject: &Subject<'_>) {
    let range = subject.object;
    cluster_head(w, subject);
    w.field(0, "CIDRs", range.at("spec.cidrs").texts().join(", "));
    let conditions = range.at("status.conditions");
    if !conditions.is_empty() {
        put!(w, 0, "Status:\n");
        subject.conditions(w, conditions);
    }
    events::describe(w, subject);
}

/// An address of a service.
pub(super) fn ip_address(w: &mut Writer, subject: &Subject<'_>) {
    cluster_head(w, subject);
    if let Some(parent) = subject.object.at("spec.parentRef").some() {
        put!(w, 0, "Parent Reference:\n");
        for (member, title) in [
            ("group", "Group"),
            ("resource", "Resource"),
            ("namespace", "Namespace"),
            ("name", "Name"),
        ] {
            w.field(1, title, parent.member(member).text());
        }
    }
    events::describe(w, subject);
}

/// The addresses behind a service's port of this name that are ready: three of them, and how many more.
pub(super) fn ready(slices: &[Field<'_>], port: &str) -> String {
    if slices.is_empty() {
        return "<none>".to_owned();
    }
    let mut shown = Vec::new();
    let (mut count, mut more) = (0, false);
    for slice in slices {
        // A headless service may have no ports.
        let ports: Vec<_> = match slice.member("ports") {
            none if none.is_empty() => vec![None],
            ports => {
                let of = ports
                    .items()
                    .filter(|one| one.member("name").text() == port);
                of.map(|one| Some(one.member("port").int())).collect()
            }
        };
        let endpoints = slice.member("endpoints").items();
        for (port, endpoint) in ports
            .iter()
            .flat_map(|port| endpoints.clone().map(move |one| (port, one)))
        {
            more |= shown.len() == MOST_ADDRESSES;
            if endpoint.at("conditions.ready").exists()
                && !endpoint.at("conditions.ready").is_true()
            {
                continue;
            }
            let address = endpoint
                .member("addresses")
                .texts()
                .first()
                .copied()
                .unwrap_or_default();
            if !more {
                shown.push(match port {
                    Some(port) if address.contains(':') => format!("[{address}]:{port}"),
                    Some(port) => format!("{address}:{port}"),
                    None => address.to_owned(),
                });
            }
            count += 1;
        }
    }
    let shown = shown.join(",");
    match more {
        // As kubectl counts it: those that are not ready make more of nothing.
        true => format!("{shown} + {} more...", count - MOST_ADDRESSES),
        false => shown,
    }
}

fn head(w: &mut Writer, subject: &Subject<'_>) {
    w.field(0, "Name", subject.object.name());
    w.field(0, "Namespace", subject.object.namespace());
    w.labels("Labels", subject.object.at("metadata.labels"));
    w.annotations("Annotations", subject.object.at("metadata.annotations"));
}

fn cluster_head(w: &mut Writer, subject: &Subject<'_>) {
    w.field(0, "Name", subject.object.name());
    w.labels("Labels", subject.object.at("metadata.labels"));
    w.annotations("Annotations", subject.object.at("metadata.annotations"));
}

fn commas(list: Field<'_>) -> String {
    match list.texts() {
        none if none.is_empty() => "<none>".to_owned(),
        texts => texts.join(","),
    }
}

fn balancer(ingress: Field<'_>) -> String {
    let mode = ingress
        .member("ipMode")
        .some()
        .map(|mode| format!(" ({})", mode.text()));
    match ingress.member("ip").text() {
        "" => ingress.member("hostname").text().to_owned(),
        ip => format!("{ip}{}", mode.unwrap_or_default()),
    }
}

fn port(w: &mut Writer, port: Field<'_>, slices: &[Field<'_>]) {
    let (name, protocol) = (
        port.member("name").text_or("<unset>"),
        port.member("protocol").text(),
    );
    w.field(
        0,
        "Port",
        format_args!("{name}\t{}/{protocol}", port.member("port").int()),
    );
    w.field(
        0,
        "TargetPort",
        format_args!("{}/{protocol}", port.member("targetPort").shown_or("0")),
    );
    if let Some(protocol) = port.member("appProtocol").some() {
        w.field(0, "AppProtocol", protocol.text());
    }
    if port.member("nodePort").int() != 0 {
        w.field(
            0,
            "NodePort",
            format_args!("{name}\t{}/{protocol}", port.member("nodePort").int()),
        );
    }
    w.field(0, "Endpoints", ready(slices, port.member("name").text()));
}

fn rest(w: &mut Writer, spec: Field<'_>) {
    w.field(0, "Session Affinity", spec.member("sessionAffinity").text());
    for (member, title) in [
        ("externalTrafficPolicy", "External Traffic Policy"),
        ("internalTrafficPolicy", "Internal Traffic Policy"),
    ] {
        if !spec.member(member).text().is_empty() {
            w.field(0, title, spec.member(member).text());
        }
    }
    if spec.member("healthCheckNodePort").int() != 0 {
        w.field(
            0,
            "HealthCheck NodePort",
            spec.member("healthCheckNodePort").int(),
        );
    }
    if !spec.member("loadBalancerSourceRanges").is_empty() {
        w.field(
            0,
            "LoadBalancer Source Ranges",
            commas(spec.member("loadBalancerSourceRanges")),
        );
    }
    if let Some(distribution) = spec.member("trafficDistribution").some() {
        w.field(0, "Traffic Distribution", distribution.text());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn check(slices: &[Value], port: &str, want: &str) {
        let slices: Vec<_> = slices.iter().map(Field::of).collect();
        assert_eq!(ready(&slices, port), want);
    }

    #[test]
    fn three_addresses_and_how_many_more() {
        let endpoint =
            |ip: &str, ready: Value| json!({"addresses": [ip], "conditions": {"ready": ready}});
        let slice = |endpoints: Vec<Value>| {
            let ports = json!([{"name": "a", "port": 80}, {"name": "b", "port": 81}]);
            json!({"ports": ports, "endpoints": endpoints})
        };
        let (yes, no, unknown) = (json!(true), json!(false), json!(null));
        let three = vec![
            endpoint("1", yes.clone()),
            endpoint("2", no),
            endpoint("fe80::3", unknown),
        ];
        check(&[], "a", "<none>");
        check(&[slice(vec![])], "a", "");
        check(&[slice(three.clone())], "b", "1:81,[fe80::3]:81");
        check(&[slice(three.clone())], "c", "");
        check(
            &[slice(three.clone()), slice(three)],
            "a",
            "1:80,[fe80::3]:80,1:80 + 1 more...",
        );
        let headless = json!({"endpoints": [endpoint("9", yes)]});
        check(&[headless], "", "9");
    }
}
