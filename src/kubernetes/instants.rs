//! Which instants a row's cells show: read from the fields that Kubernetes' own printers read.
//!
//! Follows `k8s.io/kubernetes/pkg/printers/internalversion/printers.go`. A cell like `12m` cannot be turned back into
//! the instant that it was made from; the object has it.

mod pod;

use super::json::{Members, Text, instant};
use pod::Pod;
use serde::Deserialize;

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
    pub(super) fn read(self, object: &Members<'_>) -> Instants {
        self.fields(object).unwrap_or_default()
    }

    fn fields(self, object: &Members<'_>) -> Result<Instants, serde_json::Error> {
        let one = |column, at: Option<i64>| vec![(column, at.into_iter().collect())];
        Ok(match self {
            Self::Pods => one("Restarts", Pod::of(object)?.last_restart()),
            Self::Events => object.read::<Event<'_>>(&Event::FIELDS)?.seen(),
            Self::Jobs => {
                let job: Job<'_> = object.read(&["status"])?;
                one("Duration", job.running_since())
            }
            Self::CronJobs => {
                let job: CronJob<'_> = object.read(&["status"])?;
                one("Last Schedule", at(job.status.last_schedule_time))
            }
            Self::DeviceTaintRules => {
                let rule: DeviceTaintRule<'_> = object.read(&["spec"])?;
                one("TimeAdded", at(rule.spec.taint.time_added))
            }
            Self::ResourcePoolStatusRequests => {
                let request: ResourcePoolStatusRequest<'_> = object.read(&["status"])?;
                let completed = request
                    .status
                    .conditions
                    .into_iter()
                    .find(|c| c.is("Complete"));
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
    const FIELDS: [&'static str; 6] = [
        "firstTimestamp",
        "deprecatedFirstTimestamp",
        "lastTimestamp",
        "deprecatedLastTimestamp",
        "eventTime",
        "series",
    ];

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
        timed.read(&serde_json::from_str(json).unwrap())
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
