//! A pod's containers, as its object has them.

use super::list::ListLine;
use crate::print::sanitize::word;
use crate::tui::health::Health;
use mqtt_informer::kubernetes::duration::human;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Which of several containers is read when none is named.
const DEFAULT: &str = "kubectl.kubernetes.io/default-container";

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// `init`, `sidecar`, `ephemeral`, or nothing for the usual ones.
    pub role: &'static str,
    image: String,
    ready: bool,
    restarts: u64,
    state: String,
    /// ms since 1970.
    since: Option<i64>,
    health: Health,
    ports: String,
    /// It is running now.
    pub is_running: bool,
    /// It has run, so that there is a log.
    pub has_run: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    name: String,
    image: String,
    restart_policy: String,
    ports: Vec<Port>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Port {
    container_port: u32,
    protocol: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    name: String,
    ready: bool,
    restart_count: u64,
    state: BTreeMap<String, State>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct State {
    reason: String,
    exit_code: i64,
    started_at: String,
    finished_at: String,
}

/// The heads over [`lines`].
pub const HEADS: [&str; 8] = [
    "NAME", "ROLE", "READY", "STATE", "RESTARTS", "AGE", "PORTS", "IMAGE",
];

/// All containers of a pod: those that begin first, first.
pub fn containers(pod: &Value) -> Vec<Container> {
    let parts = [
        (
            "/spec/initContainers",
            "/status/initContainerStatuses",
            "init",
        ),
        ("/spec/containers", "/status/containerStatuses", ""),
        (
            "/spec/ephemeralContainers",
            "/status/ephemeralContainerStatuses",
            "ephemeral",
        ),
    ];
    let read = |(specs, statuses, role)| {
        let statuses: Vec<Status> = list(pod, statuses);
        let specs: Vec<Spec> = list(pod, specs);
        let of = move |spec: Spec| {
            let status = statuses.iter().find(|status| status.name == spec.name);
            container(spec, status, role)
        };
        specs.into_iter().map(of).collect::<Vec<_>>()
    };
    parts.into_iter().flat_map(read).collect()
}

/// The containers whose logs are read when a pod is meant: the one that it names, or else the usual ones.
pub fn with_logs(pod: &Value) -> Vec<String> {
    let annotations = pod.pointer("/metadata/annotations");
    let named = annotations
        .and_then(|it| it.get(DEFAULT))
        .and_then(Value::as_str);
    let usual = containers(pod)
        .into_iter()
        .filter(|container| container.role.is_empty());
    let names: Vec<String> = usual.map(|container| container.name).collect();
    match named.filter(|name| names.iter().any(|it| it == name)) {
        Some(name) => vec![name.to_owned()],
        None => names,
    }
}

/// What cannot be read of one is left out.
fn list<T: for<'a> Deserialize<'a>>(pod: &Value, path: &str) -> Vec<T> {
    let items = pod.pointer(path).and_then(Value::as_array);
    let items = items.into_iter().flatten();
    items.filter_map(|item| T::deserialize(item).ok()).collect()
}

fn container(spec: Spec, status: Option<&Status>, role: &'static str) -> Container {
    let (word, state) = status.and_then(|status| status.state.iter().next()).unzip();
    let word = word.map_or("waiting", String::as_str);
    let reason = state.map_or("", |state| &state.reason);
    let exit_code = state.map_or(0, |state| state.exit_code);
    let ready = status.is_some_and(|status| status.ready);
    let (shown, health) = match word {
        "running" => ("Running", if ready { Health::Well } else { Health::Warn }),
        "terminated" if exit_code == 0 => (
            if reason.is_empty() {
                "Completed"
            } else {
                reason
            },
            Health::Done,
        ),
        "terminated" => (
            if reason.is_empty() { "Error" } else { reason },
            Health::Bad,
        ),
        _ if matches!(reason, "" | "ContainerCreating" | "PodInitializing") => (
            if reason.is_empty() { "Waiting" } else { reason },
            Health::Warn,
        ),
        _ => (reason, Health::Bad),
    };
    let since = state.and_then(|state| {
        let instant = |text: &str| text.parse::<jiff::Timestamp>().ok();
        instant(&state.finished_at).or_else(|| instant(&state.started_at))
    });
    let port = |port: &Port| match port.protocol.as_str() {
        "" | "TCP" => port.container_port.to_string(),
        protocol => format!("{}/{protocol}", port.container_port),
    };
    let is_sidecar = role == "init" && spec.restart_policy == "Always";
    Container {
        role: if is_sidecar { "sidecar" } else { role },
        ready,
        restarts: status.map_or(0, |status| status.restart_count),
        state: shown.to_owned(),
        since: since.map(jiff::Timestamp::as_millisecond),
        health,
        ports: spec.ports.iter().map(port).collect::<Vec<_>>().join(","),
        name: spec.name,
        image: spec.image,
        is_running: word == "running",
        has_run: word != "waiting" || status.is_some_and(|status| status.restart_count > 0),
    }
}

/// The containers as a list, when the API server's clock shows `now_ms`.
pub fn lines(containers: &[Container], now_ms: i64) -> Vec<ListLine> {
    let line = |container: &Container| {
        let age = container
            .since
            .map_or_else(String::new, |since| human(now_ms.saturating_sub(since)));
        let ready = if container.ready { "true" } else { "false" };
        let restarts = container.restarts.to_string();
        let cells = [
            container.name.as_str(),
            container.role,
            ready,
            &container.state,
            &restarts,
            &age,
            &container.ports,
            &container.image,
        ];
        ListLine {
            id: container.name.clone(),
            cells: cells.map(|cell| word(cell).into_owned()).to_vec(),
            health: container.health,
            ..ListLine::default()
        }
    };
    containers.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod() -> Value {
        json!({
            "metadata": {"annotations": {}},
            "spec": {
                "initContainers": [
                    {"name": "setup", "image": "s:1"},
                    {"name": "proxy", "image": "p:1", "restartPolicy": "Always"}],
                "containers": [
                    {"name": "app", "image": "a:1", "ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}]},
                    {"name": "side", "image": 7}, "hostile"]},
            "status": {
                "initContainerStatuses": [{"name": "setup", "state": {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": "2026-11-26T10:00:00Z"}}}],
                "containerStatuses": [{"name": "app", "ready": false, "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}})
    }

    #[test]
    fn containers_are_read_with_what_they_do() {
        let now = "2026-11-26T10:05:00Z".parse::<jiff::Timestamp>().unwrap();
        let lines = lines(&containers(&pod()), now.as_millisecond());
        let texts: Vec<_> = lines.iter().map(|line| line.cells.join(" ")).collect();
        assert_eq!(
            texts,
            [
                "setup init false Completed 0 5m  s:1",
                "proxy sidecar false Waiting 0   p:1",
                "app  false CrashLoopBackOff 3  80,53/UDP a:1",
            ]
        );
        assert_eq!(lines[2].health, Health::Bad);
    }

    #[test]
    fn the_container_that_a_pod_names_goes_before_the_others() {
        let mut pod = pod();
        pod["spec"]["containers"] = json!([{"name": "a"}, {"name": "b"}]);
        assert_eq!(with_logs(&pod), ["a", "b"]);
        pod["metadata"]["annotations"][DEFAULT] = json!("b");
        assert_eq!(with_logs(&pod), ["b"]);
        pod["metadata"]["annotations"][DEFAULT] = json!("nosuch");
        assert_eq!(with_logs(&pod), ["a", "b"]);
    }

    #[test]
    fn what_is_no_pod_has_none() {
        assert!(containers(&json!(null)).is_empty() && with_logs(&json!([])).is_empty());
    }
}
