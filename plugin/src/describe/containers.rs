//! The containers of a pod, or of what pods are made from (`describeContainers` of kubectl's describe.go).

use super::clock::Clock;
use super::field::Field;
use super::probes::probe;
use super::quantity::Quantity;
use super::writer::{Writer, put};

/// Where containers are described.
pub(super) struct Containers<'a> {
    /// `Containers`, `Init Containers`.
    pub(super) label: &'static str,
    /// What they are.
    pub(super) specs: Field<'a>,
    /// What they do; of a template, nothing.
    pub(super) statuses: Field<'a>,
    /// The pod, whose fields environment variables refer to; a template has none yet.
    pub(super) pod: Option<Field<'a>>,
    /// What goes before each title.
    pub(super) space: &'static str,
}

impl<'a> Containers<'a> {
    pub(super) fn describe(&self, w: &mut Writer, clock: &Clock) {
        let none = if self.specs.is_empty() { " <none>" } else { "" };
        put!(w, 0, "{}{}:{none}\n", self.space, self.label);
        for container in self.specs.items() {
            let name = container.member("name").text();
            // The last one counts, should there be two.
            let status = self
                .statuses
                .items()
                .rfind(|status| status.member("name").text() == name);
            self.basics(w, container, status);
            lines(w, "Command", container.member("command"));
            lines(w, "Args", container.member("args"));
            if let Some(status) = status {
                state(w, status, clock);
            }
            resources(w, 2, container.member("resources"));
            for (member, title) in PROBES {
                if let Some(described) = container.member(member).some() {
                    w.field(2, title, probe(described));
                }
            }
            self.environment(w, container);
            mounts(w, container);
        }
    }

    fn basics(&self, w: &mut Writer, container: Field<'_>, status: Option<Field<'_>>) {
        let indent = if self.space.is_empty() { "" } else { " " };
        put!(w, 1, "{indent}{}:\n", container.member("name").text());
        if let Some(status) = status {
            w.field(2, "Container ID", status.member("containerID").text());
        }
        w.field(2, "Image", container.member("image").text());
        if let Some(status) = status {
            w.field(2, "Image ID", status.member("imageID").text());
        }
        for (member, title) in [("containerPort", "Port"), ("hostPort", "Host Port")] {
            let ports = ports(container.member("ports"), member);
            let plural = if ports.contains(',') { "s" } else { "" };
            let ports = if ports.is_empty() { "<none>" } else { &ports };
            put!(w, 2, "{title}{plural}:\t{ports}\n");
        }
        if let Some(profile) = container.at("securityContext.seccompProfile").some() {
            w.field(2, "SeccompProfile", profile.member("type").text());
            if profile.member("type").text() == "Localhost" {
                w.field(
                    3,
                    "LocalhostProfile",
                    profile.member("localhostProfile").text(),
                );
            }
        }
    }

    fn environment(&self, w: &mut Writer, container: Field<'_>) {
        if !container.member("envFrom").is_empty() {
            put!(w, 2, "Environment Variables from:\n");
            container
                .member("envFrom")
                .items()
                .for_each(|source| environment_from(w, source));
        }
        let none = if container.member("env").is_empty() {
            "\t<none>"
        } else {
            ""
        };
        put!(w, 2, "Environment:{none}\n");
        for variable in container.member("env").items() {
            self.variable(w, variable, container);
        }
    }

    fn variable(&self, w: &mut Writer, variable: Field<'_>, container: Field<'_>) {
        let name = variable.member("name").text();
        let Some(from) = variable.member("valueFrom").some() else {
            for (index, line) in variable.member("value").text().split('\n').enumerate() {
                let name = if index == 0 {
                    format!("{name}:")
                } else {
                    String::new()
                };
                put!(w, 3, "{name}\t{line}\n");
            }
            return;
        };
        if let Some(field) = from.member("fieldRef").some() {
            let path = field.member("fieldPath").text();
            let value = self.pod.map_or("", |pod| of_pod(pod, path));
            put!(
                w,
                3,
                "{name}:\t{value} ({}:{path})\n",
                field.member("apiVersion").text()
            );
        } else if let Some(field) = from.member("resourceFieldRef").some() {
            let resource = field.member("resource").text();
            put!(
                w,
                3,
                "{name}:\t{} ({resource})\n",
                resource_value(field, container)
            );
        } else if let Some(key) = from.member("secretKeyRef").some() {
            let (secret, optional) = (key.member("name").text(), key.member("optional").is_true());
            let key = key.member("key").text();
            put!(
                w,
                3,
                "{name}:\t<set to the key '{key}' in secret '{secret}'>\tOptional: {optional}\n"
            );
        } else if let Some(key) = from.member("configMapKeyRef").some() {
            let (map, optional) = (key.member("name").text(), key.member("optional").is_true());
            let key = key.member("key").text();
            put!(
                w,
                3,
                "{name}:\t<set to the key '{key}' of config map '{map}'>\tOptional: {optional}\n"
            );
        }
    }
}

const PROBES: [(&str, &str); 3] = [
    ("livenessProbe", "Liveness"),
    ("readinessProbe", "Readiness"),
    ("startupProbe", "Startup"),
];

/// What a container, or a pod, asks for.
pub(super) fn resources(w: &mut Writer, level: usize, resources: Field<'_>) {
    for (member, title) in [("limits", "Limits"), ("requests", "Requests")] {
        let list = resources.member(member);
        if !list.is_empty() {
            put!(w, level, "{title}:\n");
        }
        for (name, quantity) in list.members() {
            w.field(level + 1, name, Quantity::of(quantity));
        }
    }
}

/// `80/TCP (http), 443/TCP`.
fn ports(ports: Field<'_>, member: &str) -> String {
    let shown = ports.items().map(|port| {
        let text = format!(
            "{}/{}",
            port.member(member).int(),
            port.member("protocol").text()
        );
        match port.member("name").text() {
            "" => text,
            name => format!("{text} ({name})"),
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn lines(w: &mut Writer, title: &str, words: Field<'_>) {
    if words.is_empty() {
        return;
    }
    put!(w, 2, "{title}:\n");
    for line in words.items().flat_map(|word| word.text().split('\n')) {
        put!(w, 3, "{line}\n");
    }
}

fn state(w: &mut Writer, status: Field<'_>, clock: &Clock) {
    one_state(w, "State", status.member("state"), clock);
    if status.at("lastState.terminated").exists() {
        one_state(w, "Last State", status.member("lastState"), clock);
    }
    w.field(
        2,
        "Ready",
        if status.member("ready").is_true() {
            "True"
        } else {
            "False"
        },
    );
    w.field(2, "Restart Count", status.member("restartCount").int());
}

fn one_state(w: &mut Writer, title: &str, state: Field<'_>, clock: &Clock) {
    if let Some(running) = state.member("running").some() {
        w.field(2, title, "Running");
        w.field(3, "Started", clock.date(running.member("startedAt")));
    } else if let Some(terminated) = state
        .member("terminated")
        .some()
        .filter(|_| !state.member("waiting").exists())
    {
        w.field(2, title, "Terminated");
        for (member, title) in [("reason", "Reason"), ("message", "Message")] {
            if !terminated.member(member).text().is_empty() {
                w.field(3, title, terminated.member(member).text());
            }
        }
        w.field(3, "Exit Code", terminated.member("exitCode").int());
        if terminated.member("signal").int() > 0 {
            w.field(3, "Signal", terminated.member("signal").int());
        }
        w.field(3, "Started", clock.date(terminated.member("startedAt")));
        w.field(3, "Finished", clock.date(terminated.member("finishedAt")));
    } else {
        w.field(2, title, "Waiting");
        if !state.at("waiting.reason").text().is_empty() {
            w.field(3, "Reason", state.at("waiting.reason").text());
        }
    }
}

/// The one of a pod's fields that kubectl looks up: of the others it knows that they exist.
fn of_pod<'a>(pod: Field<'a>, path: &str) -> &'a str {
    match path {
        "metadata.name" => pod.name(),
        "metadata.namespace" => pod.namespace(),
        _ => "",
    }
}

/// What a container's own resource is, in units of the divisor, rounded up.
fn resource_value(field: Field<'_>, container: Field<'_>) -> String {
    let resource = field.member("resource").text();
    let Some((list, name)) = resource.split_once('.') else {
        return String::new();
    };
    let known =
        ["cpu", "memory", "ephemeral-storage"].contains(&name) || name.starts_with("hugepages-");
    if !["limits", "requests"].contains(&list) || !known {
        return String::new();
    }
    let amount = Quantity::of(container.member("resources").member(list).member(name));
    let divisor = Some(Quantity::of(field.member("divisor"))).filter(|divisor| !divisor.is_zero());
    let divisor = divisor.unwrap_or_else(Quantity::one);
    let scaled = |quantity: Quantity| {
        if name == "cpu" {
            quantity.milli()
        } else {
            quantity.whole()
        }
    };
    let value = (scaled(amount) as f64 / scaled(divisor) as f64).ceil() as i64;
    match (value, resource) {
        (0, "limits.cpu" | "limits.memory") => "node allocatable".to_owned(),
        (value, _) => value.to_string(),
    }
}

fn environment_from(w: &mut Writer, source: Field<'_>) {
    let (from, reference) = match source.member("configMapRef").some() {
        Some(map) => ("ConfigMap", map),
        None if source.member("secretRef").exists() => ("Secret", source.member("secretRef")),
        None => ("", Field::default()),
    };
    let prefix = match source.member("prefix").text() {
        "" => String::new(),
        prefix => format!(" with prefix '{prefix}'"),
    };
    let (name, optional) = (
        reference.member("name").text(),
        reference.member("optional").is_true(),
    );
    put!(w, 3, "{name}\t{from}{prefix}\tOptional: {optional}\n");
}

fn mounts(w: &mut Writer, container: Field<'_>) {
    let mounts = container.member("volumeMounts");
    let none = if mounts.is_empty() { "\t<none>" } else { "" };
    put!(w, 2, "Mounts:{none}\n");
    let mut sorted: Vec<_> = mounts.items().collect();
    sorted.sort_by_key(|mount| mount.member("mountPath").text());
    for mount in sorted {
        let access = if mount.member("readOnly").is_true() {
            "ro"
        } else {
            "rw"
        };
        let path = match mount.member("subPath").text() {
            "" => String::new(),
            path => format!(",path={}", quoted(path)),
        };
        let text = |name| mount.member(name).text();
        put!(
            w,
            3,
            "{} from {} ({access}{path})\n",
            text("mountPath"),
            text("name")
        );
    }
    let mut devices: Vec<_> = container.member("volumeDevices").items().collect();
    if devices.is_empty() {
        return;
    }
    // kubectl says here whether there are mounts.
    put!(w, 2, "Devices:{none}\n");
    devices.sort_by_key(|device| device.member("devicePath").text());
    for device in devices {
        let text = |name| device.member(name).text();
        put!(w, 3, "{} from {}\n", text("devicePath"), text("name"));
    }
}

/// As Go's `%q` prints a text.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn resources_in_units_of_the_divisor() {
        let container =
            json!({"resources": {"limits": {"memory": "64Mi"}, "requests": {"cpu": "250m"}}});
        let check = |resource: &str, divisor: &str, want: &str| {
            let field = json!({"resource": resource, "divisor": divisor});
            assert_eq!(
                resource_value(Field::of(&field), Field::of(&container)),
                want,
                "{resource}"
            );
        };
        check("limits.memory", "1Mi", "64");
        check("limits.memory", "0", "67108864");
        check("requests.cpu", "1m", "250");
        check("requests.cpu", "0", "1");
        check("limits.cpu", "0", "node allocatable");
        check("limits.hugepages-2Mi", "0", "0");
        check("status.podIP", "0", "");
    }

    #[test]
    fn quotes() {
        assert_eq!(quoted("a\"b\\c\n\x1b"), "\"a\\\"b\\\\c\\n\\x1b\"");
    }
}
