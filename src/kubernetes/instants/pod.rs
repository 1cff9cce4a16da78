//! When a pod was last restarted.

use super::super::json::{Members, Text, instant};
use super::Condition;
use serde::Deserialize;

pub(super) struct Pod<'a> {
    spec: PodSpec<'a>,
    status: PodStatus<'a>,
}

#[derive(Deserialize)]
struct WithStatus<'a> {
    #[serde(borrow, default)]
    status: PodStatus<'a>,
}

#[derive(Deserialize)]
struct WithSpec<'a> {
    #[serde(borrow, default)]
    spec: PodSpec<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodSpec<'a> {
    #[serde(borrow, default)]
    init_containers: Vec<InitContainer<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InitContainer<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow, default)]
    restart_policy: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodStatus<'a> {
    #[serde(borrow, default)]
    conditions: Vec<Condition<'a>>,
    #[serde(borrow, default)]
    init_container_statuses: Vec<ContainerStatus<'a>>,
    #[serde(borrow, default)]
    container_statuses: Vec<ContainerStatus<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerStatus<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(default)]
    started: Option<bool>,
    #[serde(borrow, default)]
    state: ContainerState<'a>,
    #[serde(borrow, default)]
    last_state: ContainerState<'a>,
}

#[derive(Default, Deserialize)]
struct ContainerState<'a> {
    #[serde(borrow, default)]
    terminated: Option<Terminated<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Terminated<'a> {
    #[serde(default)]
    exit_code: i64,
    #[serde(borrow, default)]
    finished_at: Option<Text<'a>>,
}

impl ContainerStatus<'_> {
    fn last_end(&self) -> Option<i64> {
        instant(self.last_state.terminated.as_ref()?.finished_at.as_ref()?)
    }
}

impl<'a> Pod<'a> {
    /// Half of a pod is its spec, which only matters if it has init containers.
    pub(super) fn of(object: &Members<'a>) -> Result<Self, serde_json::Error> {
        let WithStatus { status } = object.read(&["status"])?;
        let spec = match status.init_container_statuses.is_empty() {
            true => PodSpec::default(),
            false => object.read::<WithSpec<'a>>(&["spec"])?.spec,
        };
        Ok(Self { spec, status })
    }

    /// When a container ended the last time: init containers count while the pod is initializing, afterwards only
    /// those that restart (sidecars), together with the containers.
    pub(super) fn last_restart(&self) -> Option<i64> {
        let init = &self.status.init_container_statuses;
        let sidecar = |status: &ContainerStatus<'_>| {
            let mut sidecars = self
                .spec
                .init_containers
                .iter()
                .filter(|c| &*c.restart_policy == "Always");
            sidecars.any(|container| container.name == status.name)
        };
        let past = |status: &ContainerStatus<'_>| {
            let succeeded = status
                .state
                .terminated
                .as_ref()
                .is_some_and(|t| t.exit_code == 0);
            succeeded || (sidecar(status) && status.started == Some(true))
        };
        let current = init.iter().position(|status| !past(status));
        match current {
            Some(index) if !self.status.conditions.iter().any(|c| c.is("Initialized")) => init
                [..=index]
                .iter()
                .filter_map(ContainerStatus::last_end)
                .max(),
            current => {
                let reached = current.map_or(init.len(), |index| index + 1);
                let sidecars = init[..reached].iter().filter(|status| sidecar(status));
                let all = sidecars.chain(&self.status.container_statuses);
                all.filter_map(ContainerStatus::last_end).max()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restarts(json: &str) -> Option<i64> {
        let object = serde_json::from_str(json).unwrap();
        Pod::of(&object).unwrap().last_restart()
    }

    fn status(name: &str, extra: &str, finished: &str) -> String {
        let last = format!(
            r#""lastState":{{"terminated":{{"exitCode":1,"finishedAt":"1970-01-01T00:00:{finished}Z"}}}}"#
        );
        format!(r#"{{"name":"{name}",{extra}{last}}}"#)
    }

    const DONE: &str = r#""state":{"terminated":{"exitCode":0}},"#;
    const FAILED: &str = r#""state":{"terminated":{"exitCode":1}},"#;

    #[test]
    fn the_last_restart_is_the_latest_end_of_a_container() {
        let (a, b) = (status("a", "", "10"), status("b", "", "20"));
        let json = format!(r#"{{"status":{{"containerStatuses":[{a},{b},{{"name":"c"}}]}}}}"#);
        assert_eq!(restarts(&json), Some(20_000));
        assert_eq!(restarts(r#"{"spec":{},"status":{}}"#), None);
    }

    #[test]
    fn init_containers_count_until_the_pod_is_initialized() {
        let pod = |init: &[String], more: &str| {
            let main = status("main", "", "10");
            format!(
                r#"{{"spec":{{"initContainers":[{{"name":"side","restartPolicy":"Always"}},{{"name":"init"}}]}},
                 "status":{{{more}"initContainerStatuses":[{}],"containerStatuses":[{main}]}}}}"#,
                init.join(",")
            )
        };
        let side = status("side", r#""started":true,"#, "20");
        // Initializing: sidecar and init container, but not what is behind them.
        let json = pod(
            &[
                side.clone(),
                status("init", FAILED, "15"),
                status("later", "", "50"),
            ],
            "",
        );
        assert_eq!(restarts(&json), Some(20_000));
        let json = pod(&[side.clone(), status("init", FAILED, "30")], "");
        assert_eq!(restarts(&json), Some(30_000));
        // Done: sidecars and containers.
        let json = pod(&[side.clone(), status("init", DONE, "30")], "");
        assert_eq!(restarts(&json), Some(20_000));
        // Initialized, restarted since.
        let initialized = r#""conditions":[{"type":"Initialized","status":"True"}],"#;
        let json = pod(&[side, status("init", FAILED, "30")], initialized);
        assert_eq!(restarts(&json), Some(20_000));
    }
}
