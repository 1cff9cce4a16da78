//! Ingresses and their classes.

use super::Subject;
use super::events;
use super::field::Field;
use super::related::Need;
use super::services;
use super::writer::{Writer, put};
use std::collections::BTreeSet;

pub(super) fn ingress(w: &mut Writer, subject: &Subject<'_>) {
    let ingress = subject.object;
    let spec = ingress.member("spec");
    w.field(0, "Name", ingress.name());
    w.labels("Labels", ingress.at("metadata.labels"));
    w.field(0, "Namespace", ingress.namespace());
    w.field(
        0,
        "Address",
        addresses(ingress.at("status.loadBalancer.ingress")),
    );
    w.field(
        0,
        "Ingress Class",
        spec.member("ingressClassName").shown_or("<none>"),
    );
    let default = spec.member("defaultBackend").some();
    let default = default.map_or("<default>".to_owned(), |default| backend(subject, default));
    w.field(0, "Default backend", &default);
    if !spec.member("tls").is_empty() {
        put!(w, 0, "TLS:\n");
    }
    for tls in spec.member("tls").items() {
        let hosts = tls.member("hosts").texts().join(",");
        match tls.member("secretName").text() {
            "" => put!(w, 1, "SNI routes {hosts}\n"),
            secret => put!(w, 1, "{secret} terminates {hosts}\n"),
        }
    }
    put!(w, 0, "Rules:\n  Host\tPath\tBackends\n");
    put!(w, 1, "----\t----\t--------\n");
    let rules: Vec<_> = spec
        .member("rules")
        .items()
        .filter(|rule| rule.member("http").exists())
        .collect();
    for rule in &rules {
        put!(w, 1, "{}\t\n", rule.member("host").text_or("*"));
        for path in rule.at("http.paths").items() {
            let backend = backend(subject, path.member("backend"));
            put!(w, 2, "\t{} \t{backend}\n", path.member("path").text());
        }
    }
    if rules.is_empty() {
        put!(w, 1, "*\t*\t{default}\n");
    }
    w.annotations("Annotations", ingress.at("metadata.annotations"));
    events::describe(w, subject);
}

pub(super) fn class(w: &mut Writer, subject: &Subject<'_>) {
    let class = subject.object;
    w.field(0, "Name", class.name());
    w.labels("Labels", class.at("metadata.labels"));
    w.annotations("Annotations", class.at("metadata.annotations"));
    w.field(0, "Controller", class.at("spec.controller").text());
    if let Some(parameters) = class.at("spec.parameters").some() {
        put!(w, 0, "Parameters:\n");
        if let Some(group) = parameters.member("apiGroup").some() {
            w.field(1, "APIGroup", group.text());
        }
        w.field(1, "Kind", parameters.member("kind").text());
        w.field(1, "Name", parameters.member("name").text());
    }
    events::describe(w, subject);
}

/// The services that an ingress leads to.
pub(super) fn backend_services(ingress: Field<'_>) -> BTreeSet<&str> {
    let spec = ingress.member("spec");
    let paths = spec
        .member("rules")
        .items()
        .flat_map(|rule| rule.at("http.paths").items());
    let backends = paths
        .map(|path| path.member("backend"))
        .chain([spec.member("defaultBackend")]);
    let services = backends.map(|backend| backend.at("service.name").text());
    services.filter(|name| !name.is_empty()).collect()
}

/// `web:80 (10.0.0.1:80,10.0.0.2:80)`.
fn backend(subject: &Subject<'_>, backend: Field<'_>) -> String {
    let namespace = subject.object.namespace();
    if let Some(wanted) = backend.member("service").some() {
        let name = wanted.member("name").text();
        let (number, port) = (
            wanted.at("port.number").int(),
            wanted.at("port.name").text(),
        );
        let shown = match number {
            0 => format!("{name}:{port}"),
            number => format!("{name}:{number}"),
        };
        let error = |message: &str| format!("{shown} (<error: {message}>)");
        let slices = match subject.related.get(&Need::endpoint_slices(namespace, name)) {
            Ok(slices) => slices,
            Err(refusal) => return error(&refusal.message),
        };
        let service = match subject.related.get(&Need::service(namespace, name)) {
            Ok(services) => services.first().copied(),
            Err(refusal) => return error(&refusal.message),
        };
        let Some(service) = service else {
            return error(&format!("services \"{name}\" not found"));
        };
        let is_meant = |of: &Field<'_>| {
            let is_number = number != 0 && of.member("port").int() == number;
            is_number || (!port.is_empty() && of.member("name").text() == port)
        };
        // The last one that fits, as kubectl has it.
        let port = service.at("spec.ports").items().rfind(is_meant);
        let port = port.map_or("", |port| port.member("name").text());
        return format!("{shown} ({})", services::ready(&slices, port));
    }
    if let Some(resource) = backend.member("resource").some() {
        let group = resource.member("apiGroup").shown_or("<none>");
        let (kind, name) = (
            resource.member("kind").text(),
            resource.member("name").text(),
        );
        return format!("APIGroup: {group}, Kind: {kind}, Name: {name}");
    }
    String::new()
}

fn addresses(balancers: Field<'_>) -> String {
    let addresses = balancers.items().map(|one| match one.member("ip").text() {
        "" => one.member("hostname").text(),
        ip => ip,
    });
    let addresses: BTreeSet<_> = addresses.filter(|address| !address.is_empty()).collect();
    addresses.into_iter().collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_backend_is_found_once() {
        let path = |name: &str| json!({"backend": {"service": {"name": name}}});
        let ingress = json!({"spec": {
            "defaultBackend": {"resource": {"kind": "Bucket"}},
            "rules": [{"http": {"paths": [path("b"), path("a"), path("b")]}}, {"host": "x"}],
        }});
        assert_eq!(
            backend_services(Field::of(&ingress)),
            BTreeSet::from(["a", "b"])
        );
        let balancers = json!([{"ip": "2"}, {"hostname": "h"}, {"ip": "1"}, {"ip": "2"}, {}]);
        assert_eq!(addresses(Field::of(&balancers)), "1,2,h");
    }
}
