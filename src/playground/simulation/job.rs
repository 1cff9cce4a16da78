//! Cron jobs, and the jobs that they start.

use super::MINUTE;
use super::fleet::Recurring;
use rand::RngExt;
use rand::rngs::StdRng;

/// A cron job.
#[derive(Debug)]
pub(super) struct CronJob {
    pub(super) blueprint: &'static Recurring,
    pub(super) created: i64,
    pub(super) last_schedule: Option<i64>,
}

impl CronJob {
    pub(super) fn new(blueprint: &'static Recurring, created: i64) -> Self {
        Self {
            blueprint,
            created,
            last_schedule: None,
        }
    }
}

/// One run of a cron job.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) namespace: &'static str,
    pub(super) cron_job: &'static str,
    pub(super) name: String,
    pub(super) image: &'static str,
    pub(super) started: i64,
    pub(super) completed: Option<i64>,
    /// How long it runs, in ms.
    pub(super) takes: i64,
}

impl Job {
    pub(super) fn of(blueprint: &'static Recurring, started: i64, random: &mut StdRng) -> Self {
        Self {
            namespace: blueprint.namespace,
            cron_job: blueprint.name,
            // As the cron job controller names them: by the minute of the schedule.
            name: format!("{}-{}", blueprint.name, started / MINUTE),
            image: blueprint.image,
            started,
            completed: None,
            takes: random.random_range(8_000..40_000),
        }
    }
}
