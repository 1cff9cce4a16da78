//! Pods, from Pending to their end.

use super::MINUTE;
use super::event::Events;
use super::job::Job;
use super::workload::{Controller, Workload, safe_name};
use rand::RngExt;
use rand::rngs::StdRng;

/// Who made a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The workload of that index.
    Workload(usize),
    /// The job of that name.
    Job(String),
}

/// Where a pod is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Pending,
    Creating,
    Running,
    /// Its container ended and is not started again yet.
    CrashLoop,
    Succeeded,
    Terminating,
    /// To be deleted.
    Gone,
}

/// How a container ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) at: i64,
    pub(super) reason: &'static str,
    pub(super) code: i32,
}

/// One pod.
#[derive(Debug)]
pub(super) struct Pod {
    pub(super) namespace: &'static str,
    pub(super) name: String,
    pub(super) app: &'static str,
    /// Name of the ReplicaSet, StatefulSet, DaemonSet or Job.
    pub(super) controller: (&'static str, String),
    pub(super) owner: Owner,
    pub(super) revision: u32,
    pub(super) hash: String,
    pub(super) ordinal: u32,
    pub(super) image: String,
    pub(super) node: usize,
    pub(super) address: u32,
    pub(super) created: i64,
    pub(super) started: i64,
    pub(super) ended: Option<i64>,
    pub(super) phase: Phase,
    pub(super) restarts: u32,
    pub(super) last_end: Option<End>,
    pub(super) flaky: bool,
    pub(super) changed: bool,
    steps_left: u32,
}

impl Pod {
    pub(super) fn of_workload(
        index: usize,
        of: &Workload,
        (ordinal, node, address): (u32, usize, u32),
        created: i64,
        random: &mut StdRng,
    ) -> Self {
        let blueprint = of.blueprint;
        let hash = of.hash(of.revision);
        let suffix = safe_name(random.random(), 5);
        let (controller, name) = match blueprint.controller {
            Controller::Deployment => (
                ("ReplicaSet", of.replica_set(of.revision)),
                format!("{}-{hash}-{suffix}", blueprint.name),
            ),
            Controller::StatefulSet => (
                ("StatefulSet", blueprint.name.into()),
                format!("{}-{ordinal}", blueprint.name),
            ),
            Controller::DaemonSet => (
                ("DaemonSet", blueprint.name.into()),
                format!("{}-{suffix}", blueprint.name),
            ),
        };
        Self {
            app: blueprint.name,
            controller,
            owner: Owner::Workload(index),
            revision: of.revision,
            hash,
            ordinal,
            image: of.image(),
            flaky: blueprint.flaky,
            ..Self::pending(blueprint.namespace, name, (node, address), created, random)
        }
    }

    pub(super) fn of_job(job: &Job, node: usize, address: u32, random: &mut StdRng) -> Self {
        let suffix = safe_name(random.random(), 5);
        let name = format!("{}-{suffix}", job.name);
        Self {
            app: job.cron_job,
            controller: ("Job", job.name.clone()),
            owner: Owner::Job(job.name.clone()),
            image: job.image.into(),
            ..Self::pending(job.namespace, name, (node, address), job.started, random)
        }
    }

    fn pending(
        namespace: &'static str,
        name: String,
        (node, address): (usize, u32),
        created: i64,
        random: &mut StdRng,
    ) -> Self {
        Self {
            namespace,
            name,
            app: "",
            controller: ("", String::new()),
            owner: Owner::Workload(usize::MAX),
            revision: 0,
            hash: String::new(),
            ordinal: 0,
            image: String::new(),
            node,
            address,
            created,
            started: created,
            ended: None,
            phase: Phase::Pending,
            restarts: 0,
            last_end: None,
            flaky: false,
            changed: true,
            steps_left: random.random_range(1..3),
        }
    }

    /// The pod has been running for long; some were restarted meanwhile.
    pub(super) fn settle(&mut self, now: i64, random: &mut StdRng) {
        self.phase = Phase::Running;
        self.started = self.created + 8_000;
        let age = (now - self.created) / MINUTE;
        if (self.flaky || random.random_bool(0.04)) && age > 10 {
            self.restarts = random.random_range(1..9);
            let at = now - random.random_range(2..age) * MINUTE;
            self.last_end = Some(End {
                at,
                reason: "Error",
                code: 1,
            });
            self.started = at + 10_000;
        }
    }

    /// Whether its controller still counts on it.
    pub(super) fn is_wanted(&self) -> bool {
        !matches!(self.phase, Phase::Terminating | Phase::Gone)
    }

    pub(super) fn is_ready(&self) -> bool {
        self.phase == Phase::Running
    }

    /// One step of its life.
    pub(super) fn step(&mut self, now: i64, node: &str, random: &mut StdRng, events: &mut Events) {
        let moving = matches!(
            self.phase,
            Phase::Pending | Phase::Creating | Phase::CrashLoop | Phase::Terminating
        );
        if !moving {
            return;
        }
        self.steps_left = self.steps_left.saturating_sub(1);
        if self.steps_left > 0 {
            return;
        }
        self.changed = true;
        let about = ("Pod", self.namespace, self.name.as_str());
        match self.phase {
            Phase::Pending => {
                let message = format!(
                    "Successfully assigned {}/{} to {node}",
                    self.namespace, self.name
                );
                events.add(now, about, "Scheduled", &message, "default-scheduler");
                self.phase = Phase::Creating;
                self.steps_left = random.random_range(2..8);
            }
            Phase::Creating => {
                let message = format!("Successfully pulled image \"{}\" in 1.73s", self.image);
                events.add(now, about, "Pulled", &message, "kubelet");
                events.add(
                    now,
                    about,
                    "Started",
                    &format!("Started container {}", self.app),
                    "kubelet",
                );
                self.phase = Phase::Running;
                self.started = now;
            }
            Phase::CrashLoop => {
                events.add(
                    now,
                    about,
                    "Started",
                    &format!("Started container {}", self.app),
                    "kubelet",
                );
                self.phase = Phase::Running;
                self.started = now;
                self.restarts += 1;
            }
            _ => self.phase = Phase::Gone,
        }
    }

    /// Its container ends badly.
    pub(super) fn crash(&mut self, now: i64, random: &mut StdRng, events: &mut Events) {
        let (reason, code) = if random.random_bool(0.3) {
            ("OOMKilled", 137)
        } else {
            ("Error", 1)
        };
        self.last_end = Some(End {
            at: now,
            reason,
            code,
        });
        self.phase = Phase::CrashLoop;
        self.steps_left = random.random_range(10..50);
        self.changed = true;
        let message = format!(
            "Back-off restarting failed container {} in pod {}",
            self.app, self.name
        );
        events.warn(
            now,
            ("Pod", self.namespace, &self.name),
            "BackOff",
            &message,
            "kubelet",
        );
    }

    pub(super) fn terminate(&mut self, events: &mut Events, now: i64) {
        let message = format!("Stopping container {}", self.app);
        events.add(
            now,
            ("Pod", self.namespace, &self.name),
            "Killing",
            &message,
            "kubelet",
        );
        self.phase = Phase::Terminating;
        self.ended = Some(now);
        self.steps_left = 3;
        self.changed = true;
    }

    /// Its work is done.
    pub(super) fn finish(&mut self) {
        self.phase = Phase::Succeeded;
        self.changed = true;
    }
}
