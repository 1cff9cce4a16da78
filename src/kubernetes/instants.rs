//! Which instants a row's cells show: read from the fields that Kubernetes' own printers read.
//!
//! Follows `k8s.io/kubernetes/pkg/printers/internalversion/printers.go`. A cell like `12m` cannot be turned back into
//! the instant that it was made from; the object has it.

use super::json::{Text, instant};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A column's name and the instants that its text shows, in the order in which they appear there.
pub(super) type Instants = Vec<(&'static str, Vec<i64>)>;

/// Resources whose cells show other instants than the object's creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timed {
    /// `pods`: the last restart.
    Pods,
    /// `events`: first and last seen.
    Events,
    /// `jobs`: how long it has been running.
    Jobs,
    /// `cronjobs`: the last schedule.
    CronJobs,
    /// `devicetaintrules`: when the taint was added.
    DeviceTaintRules,
    /// `resourcepoolstatusrequests`: when it was completed.
    ResourcePoolStatusRequests,
}

impl Timed {
    /// None for resources that show nothing but their age.
    pub(super) fn of(group: &str, plural: &str) -> Option<Self> {
        match (group, plural) {
            ("", "pods") => Some(Self::Pods),
            ("" | "events.k8s.io", "events") => Some(Self::Events),
            ("batch", "jobs") => Some(Self::Jobs),
            ("batch", "cronjobs") => Some(Self::CronJobs),
            ("resource.k8s.io", "devicetaintrules") => Some(Self::DeviceTaintRules),
            ("resource.k8s.io", "resourcepoolstatusrequests") => {
                Some(Self::ResourcePoolStatusRequests)
            }
            _ => None,
        }
    }

    /// The instants of an object; none for one that cannot be read, whose cells then stay as the server printed them.
    pub(super) fn read(self, object: &RawValue) -> Instants {
        self.fields(object).unwrap_or_default()
    }

    fn fields(self, object: &RawValue) -> Result<Instants, serde_json::Error> {
        let one = |column, at: Option<i64>| vec![(column, at.into_iter().collect())];
        Ok(match self {
            Self::Pods => one("Restarts", Pod::deserialize(object)?.last_restart()),
            Self::Events => Event::deserialize(object)?.seen(),
            Self::Jobs => one("Duration", Job::deserialize(object)?.running_since()),
            Self::CronJobs => one(
                "Last Schedule",
                at(CronJob::deserialize(object)?.status.last_schedule_time),
            ),
            Self::DeviceTaintRules => one(
                "TimeAdded",
                at(DeviceTaintRule::deserialize(object)?.spec.taint.time_added),
            ),
            Self::ResourcePoolStatusRequests => {
                let status = ResourcePoolStatusRequest::deserialize(object)?.status;
                let completed = status.conditions.into_iter().find(|c| c.is("Complete"));
                one(
                    "Completed",
                    completed.and_then(|c| at(c.last_transition_time)),
                )
            }
        })
    }
}

fn at(text: Option<Text<'_>>) -> Option<i64> {
    text.and_then(|text| instant(&text))
}

#[derive(Default, Deserialize)]
struct Condition<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    status: Text<'a>,
    #[serde(borrow, default, rename = "lastTransitionTime")]
    last_transition_time: Option<Text<'a>>,
}

impl Condition<'_> {
    /// The condition holds.
    fn is(&self, kind: &str) -> bool {
        &*self.kind == kind && &*self.status == "True"
    }
}

#[derive(Deserialize)]
struct Pod<'a> {
    #[serde(borrow, default)]
    spec: PodSpec<'a>,
    #[serde(borrow, default)]
    status: PodStatus<'a>,
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

impl Pod<'_> {
    /// When a container ended the last time: init containers count while the pod is initializing, afterwards only
    /// those that restart (sidecars), together with the containers.
    fn last_restart(&self) -> Option<i64> {
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

/// Of either group: `events.k8s.io` calls the older fields deprecated.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(borrow, default, alias = "deprecatedFirstTimestamp")]
    first_timestamp: Option<Text<'a>>,
    #[serde(borrow, default, alias = "deprecatedLastTimestamp")]
    last_timestamp: Option<Text<'a>>,
    #[serde(borrow, default)]
    event_time: Option<Text<'a>>,
    #[serde(borrow, default)]
    series: Option<Series<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Series<'a> {
    #[serde(borrow, default)]
    last_observed_time: Option<Text<'a>>,
}

impl Event<'_> {
    fn seen(self) -> Instants {
        let first = at(self.first_timestamp).or(at(self.event_time));
        let last = match self.series {
            Some(series) => at(series.last_observed_time),
            None => at(self.last_timestamp).or(first),
        };
        // Older servers print `5m (x3 over 2h)`: last, then first.
        let last_and_first = last.into_iter().chain(first).collect();
        vec![
            ("Last Seen", last_and_first),
            ("First Seen", first.into_iter().collect()),
        ]
    }
}

#[derive(Deserialize)]
struct Job<'a> {
    #[serde(borrow, default)]
    status: JobStatus<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobStatus<'a> {
    #[serde(borrow, default)]
    start_time: Option<Text<'a>>,
    #[serde(borrow, default)]
    completion_time: Option<Text<'a>>,
}

impl Job<'_> {
    /// A job that is not complete counts on, a failed one too: so the printer does.
    fn running_since(self) -> Option<i64> {
        match self.status.completion_time {
            Some(_) => None,
            None => at(self.status.start_time),
        }
    }
}

#[derive(Deserialize)]
struct CronJob<'a> {
    #[serde(borrow, default)]
    status: CronJobStatus<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CronJobStatus<'a> {
    #[serde(borrow, default)]
    last_schedule_time: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct DeviceTaintRule<'a> {
    #[serde(borrow, default)]
    spec: DeviceTaintRuleSpec<'a>,
}

#[derive(Default, Deserialize)]
struct DeviceTaintRuleSpec<'a> {
    #[serde(borrow, default)]
    taint: DeviceTaint<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeviceTaint<'a> {
    #[serde(borrow, default)]
    time_added: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct ResourcePoolStatusRequest<'a> {
    #[serde(borrow, default)]
    status: Conditions<'a>,
}

#[derive(Default, Deserialize)]
struct Conditions<'a> {
    #[serde(borrow, default)]
    conditions: Vec<Condition<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(timed: Timed, json: &str) -> Instants {
        timed.read(serde_json::from_str(json).unwrap())
    }

    fn restarts(json: &str) -> Option<i64> {
        read(Timed::Pods, json)[0].1.first().copied()
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

    #[test]
    fn events_of_both_groups_and_of_both_kinds() {
        let t = |seconds: u32| format!("1970-01-01T00:00:{seconds:02}Z");
        let check = |json: String, last: Vec<i64>, first: Vec<i64>| {
            let expected = vec![("Last Seen", last), ("First Seen", first)];
            assert_eq!(read(Timed::Events, &json), expected, "{json}");
        };
        check(
            format!(
                r#"{{"firstTimestamp":"{}","lastTimestamp":"{}","eventTime":null}}"#,
                t(1),
                t(9)
            ),
            vec![9000, 1000],
            vec![1000],
        );
        check(
            format!(
                r#"{{"deprecatedFirstTimestamp":"{}","deprecatedLastTimestamp":"{}"}}"#,
                t(1),
                t(9)
            ),
            vec![9000, 1000],
            vec![1000],
        );
        check(
            format!(
                r#"{{"firstTimestamp":null,"lastTimestamp":null,"eventTime":"1970-01-01T00:00:03.500000Z","series":{{"count":2,"lastObservedTime":"{}"}}}}"#,
                t(7)
            ),
            vec![7000, 3500],
            vec![3500],
        );
        check(
            format!(r#"{{"eventTime":"{}"}}"#, t(3)),
            vec![3000, 3000],
            vec![3000],
        );
        check("{}".into(), vec![], vec![]);
    }

    #[test]
    fn jobs_count_until_they_are_complete() {
        let started = r#"{"status":{"startTime":"1970-01-01T00:00:05Z"}}"#;
        assert_eq!(read(Timed::Jobs, started), [("Duration", vec![5000])]);
        let complete = r#"{"status":{"startTime":"1970-01-01T00:00:05Z","completionTime":"1970-01-01T00:00:09Z"}}"#;
        assert_eq!(read(Timed::Jobs, complete), [("Duration", vec![])]);
        assert_eq!(read(Timed::Jobs, r#"{"status":7}"#), []);
    }

    #[test]
    fn the_others() {
        for (timed, json, column) in [
            (
                Timed::CronJobs,
                r#"{"status":{"lastScheduleTime":"1970-01-01T00:00:05Z"}}"#,
                "Last Schedule",
            ),
            (
                Timed::DeviceTaintRules,
                r#"{"spec":{"taint":{"timeAdded":"1970-01-01T00:00:05Z"}}}"#,
                "TimeAdded",
            ),
            (
                Timed::ResourcePoolStatusRequests,
                r#"{"status":{"conditions":[{"type":"Complete","status":"True","lastTransitionTime":"1970-01-01T00:00:05Z"}]}}"#,
                "Completed",
            ),
        ] {
            assert_eq!(read(timed, json), [(column, vec![5000])], "{json}");
        }
    }
}
