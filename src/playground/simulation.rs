//! A company's cluster that lives: deployments roll out and scale, pods crash and come back, nodes fail, jobs run.
//!
//! The world is a few lists of plain values, moved by [`Simulation::step`] and rendered as Kubernetes objects. Two
//! simulations of one seed that are stepped at the same times are equal.

mod event;
mod fleet;
mod job;
mod node;
mod pod;
mod render;
mod workload;

use super::store::Store;
use event::Events;
use fleet::{CRON_JOBS, NAMESPACES, WORKLOADS};
use job::{CronJob, Job};
use node::Node;
use pod::{Owner, Phase, Pod};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use workload::{Controller, Workload};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// The simulated world of one cluster.
pub(super) struct Simulation {
    random: StdRng,
    now: i64,
    scale: u32,
    founded: i64,
    nodes: Vec<Node>,
    workloads: Vec<Workload>,
    pods: Vec<Pod>,
    cron_jobs: Vec<CronJob>,
    jobs: Vec<Job>,
    events: Events,
    addresses: u32,
}

impl Simulation {
    /// A world of about a hundred pods times `scale`; none at all for 0.
    pub(super) fn new(seed: u64, scale: u32, now: i64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let founded = now - random.random_range(200..500) * DAY;
        let mut simulation = Self {
            random,
            now,
            scale,
            founded,
            nodes: Vec::new(),
            workloads: Vec::new(),
            pods: Vec::new(),
            cron_jobs: Vec::new(),
            jobs: Vec::new(),
            events: Events::default(),
            addresses: 0,
        };
        if scale > 0 {
            simulation.found();
        }
        simulation
    }

    /// Puts the first state into the store: everything has been running for a while.
    pub(super) fn settle(&mut self, store: &mut Store) {
        if self.scale == 0 {
            for name in ["default", "kube-system"] {
                let created = self.founded;
                store.put("namespaces", render::namespace(name, created), "");
            }
            return;
        }
        for (index, name) in NAMESPACES.iter().enumerate() {
            let age = (index as i64 % 5) * 11 * DAY;
            store.put(
                "namespaces",
                render::namespace(name, self.founded + age),
                "",
            );
        }
        for workload in &self.workloads {
            for (resource, object) in render::surroundings(workload) {
                store.put(resource, object, "");
            }
        }
        self.render(store);
    }

    /// Moves the world on to `now` and puts what changed into the store.
    pub(super) fn step(&mut self, store: &mut Store, now: i64) {
        self.now = now;
        if self.scale == 0 {
            return;
        }
        self.disturb();
        self.move_nodes();
        self.move_pods(store);
        self.move_jobs(store);
        self.reconcile();
        self.render(store);
    }

    fn found(&mut self) {
        let workers = 4 + self.scale.min(96);
        self.nodes = (0..workers + 1)
            .map(|index| Node::new(index, self.founded, &mut self.random))
            .collect();
        for blueprint in WORKLOADS {
            let age = self.random.random_range(3..90) * DAY;
            let mut workload =
                Workload::new(blueprint, self.scale, self.now - age, &mut self.random);
            if blueprint.controller == Controller::DaemonSet {
                workload.replicas = self.nodes.len() as u32;
            }
            self.workloads.push(workload);
        }
        self.cron_jobs = CRON_JOBS
            .iter()
            .map(|blueprint| CronJob::new(blueprint, self.founded))
            .collect();
        for workload in 0..self.workloads.len() {
            for ordinal in 0..self.workloads[workload].replicas {
                let age = self.random.random_range(5..20_000) * MINUTE;
                let created = (self.now - age).max(self.workloads[workload].created);
                self.create_pod(workload, ordinal, created);
            }
        }
        for pod in &mut self.pods {
            pod.settle(self.now, &mut self.random);
        }
        for cron_job in 0..self.cron_jobs.len() {
            let ago = self.random.random_range(10..50) * MINUTE;
            self.start_job(cron_job, self.now - ago);
        }
        for job in &mut self.jobs {
            job.completed = Some(job.started + job.takes);
        }
        for pod in self
            .pods
            .iter_mut()
            .filter(|pod| matches!(pod.owner, Owner::Job(_)))
        {
            pod.finish();
        }
    }

    /// What happens to a cluster from outside: now and then.
    fn disturb(&mut self) {
        let happens = |random: &mut StdRng, probability: f64| random.random_bool(probability);
        if happens(&mut self.random, 0.04) {
            let workload = self.random.random_range(0..self.workloads.len());
            self.workloads[workload].roll_out(&mut self.events, self.now);
        }
        if happens(&mut self.random, 0.04) {
            let workload = self.random.random_range(0..self.workloads.len());
            let by = if self.random.random_bool(0.5) { 1 } else { -1 };
            self.workloads[workload].scale(by, &mut self.events, self.now);
        }
        if happens(&mut self.random, 0.06) {
            let flaky = |pod: &&mut Pod| pod.flaky && pod.phase == Phase::Running;
            let flaky: Vec<&mut Pod> = self.pods.iter_mut().filter(flaky).collect();
            let count = flaky.len();
            if count > 0 {
                let chosen = self.random.random_range(0..count);
                if let Some(pod) = flaky.into_iter().nth(chosen) {
                    pod.crash(self.now, &mut self.random, &mut self.events);
                }
            }
        }
        if happens(&mut self.random, 0.02) {
            let cron_job = self.random.random_range(0..self.cron_jobs.len());
            self.start_job(cron_job, self.now);
        }
        if happens(&mut self.random, 0.005) {
            let node = self.random.random_range(1..self.nodes.len());
            self.nodes[node].fail(self.now, &mut self.random, &mut self.events);
        }
    }

    fn move_nodes(&mut self) {
        for node in &mut self.nodes {
            node.step(self.now, &mut self.events);
        }
    }

    fn move_pods(&mut self, store: &mut Store) {
        for pod in &mut self.pods {
            let node = &self.nodes[pod.node];
            if node.ready {
                pod.step(self.now, &node.name, &mut self.random, &mut self.events);
            }
        }
        let pods = std::mem::take(&mut self.pods).into_iter();
        let (gone, kept): (Vec<Pod>, Vec<Pod>) = pods.partition(|pod| pod.phase == Phase::Gone);
        self.pods = kept;
        for pod in gone {
            store.delete("pods", pod.namespace, &pod.name);
        }
    }

    fn move_jobs(&mut self, store: &mut Store) {
        for job in &mut self.jobs {
            let pod = self
                .pods
                .iter_mut()
                .find(|pod| pod.owner == Owner::Job(job.name.clone()));
            if let Some(pod) = pod
                && job.completed.is_none()
                && pod.phase == Phase::Running
                && self.now >= job.started + job.takes
            {
                pod.finish();
                job.completed = Some(self.now);
                self.events.add(
                    self.now,
                    ("Job", job.namespace, &job.name),
                    "Completed",
                    "Job completed",
                    "job-controller",
                );
            }
        }
        // As cron jobs do: the last three of each are kept.
        for cron_job in &self.cron_jobs {
            let of_it = |job: &&Job| job.cron_job == cron_job.blueprint.name;
            let finished = self
                .jobs
                .iter()
                .filter(of_it)
                .filter(|job| job.completed.is_some());
            let excess = finished.clone().count().saturating_sub(3);
            for old in finished
                .take(excess)
                .map(|job| job.name.clone())
                .collect::<Vec<_>>()
            {
                self.jobs.retain(|job| job.name != old);
                store.delete("jobs.batch", cron_job.blueprint.namespace, &old);
                for pod in self
                    .pods
                    .iter_mut()
                    .filter(|pod| pod.owner == Owner::Job(old.clone()))
                {
                    pod.phase = Phase::Gone;
                }
            }
        }
    }

    /// Makes pods where some are missing, ends those that are too many: one of each a step, as a rollout does.
    fn reconcile(&mut self) {
        for index in 0..self.workloads.len() {
            let Workload {
                revision,
                replicas: wanted,
                blueprint,
                ..
            } = self.workloads[index];
            let mine = |pod: &&mut Pod| pod.owner == Owner::Workload(index);
            let pods: Vec<&mut Pod> = self.pods.iter_mut().filter(mine).collect();
            let taken: Vec<u32> = pods.iter().map(|pod| pod.ordinal).collect();
            let pods: Vec<&mut Pod> = pods.into_iter().filter(|pod| pod.is_wanted()).collect();
            let (all, ready) = (
                pods.len() as u32,
                pods.iter().filter(|pod| pod.is_ready()).count() as u32,
            );
            let current = pods.iter().filter(|pod| pod.revision == revision).count() as u32;
            // Old ones go when enough are ready, the newest when there are too many.
            let surplus = pods
                .into_iter()
                .rev()
                .find(|pod| pod.revision != revision || current > wanted);
            if let Some(pod) = surplus
                && (all > wanted || (current < wanted && ready >= wanted))
            {
                pod.terminate(&mut self.events, self.now);
            }
            // A Deployment's pods are all new; others take the place, and the name, of one that is gone.
            let free = match blueprint.controller {
                Controller::Deployment => Some(0),
                _ => (0..wanted).find(|ordinal| !taken.contains(ordinal)),
            };
            if let Some(ordinal) = free
                && current < wanted
                && all <= wanted
            {
                self.create_pod(index, ordinal, self.now);
            }
        }
    }

    fn create_pod(&mut self, workload: usize, ordinal: u32, created: i64) {
        let of = &self.workloads[workload];
        let node = match of.blueprint.controller {
            Controller::DaemonSet => ordinal as usize % self.nodes.len(),
            _ => self.random.random_range(1..self.nodes.len()),
        };
        self.addresses += 1;
        let pod = Pod::of_workload(
            workload,
            of,
            (ordinal, node, self.addresses),
            created,
            &mut self.random,
        );
        self.pods.push(pod);
    }

    fn start_job(&mut self, cron_job: usize, at: i64) {
        let of = &mut self.cron_jobs[cron_job];
        of.last_schedule = Some(at);
        let job = Job::of(of.blueprint, at, &mut self.random);
        self.addresses += 1;
        let node = self.random.random_range(1..self.nodes.len());
        self.pods
            .push(Pod::of_job(&job, node, self.addresses, &mut self.random));
        if self.jobs.iter().all(|other| other.name != job.name) {
            self.jobs.push(job);
        }
    }

    fn render(&mut self, store: &mut Store) {
        for node in &self.nodes {
            store.put("nodes", render::node(node), "");
        }
        for pod in self.pods.iter_mut().filter(|pod| pod.changed) {
            pod.changed = false;
            store.put("pods", render::pod(pod, &self.nodes[pod.node]), "");
        }
        for (index, workload) in self.workloads.iter_mut().enumerate() {
            let pods: Vec<&Pod> = self
                .pods
                .iter()
                .filter(|pod| pod.owner == Owner::Workload(index))
                .collect();
            for (resource, object) in render::workload(workload, &pods) {
                store.put(resource, object, "");
            }
            for gone in workload.forgotten_revisions() {
                store.delete("replicasets.apps", workload.blueprint.namespace, &gone);
            }
        }
        for cron_job in &self.cron_jobs {
            store.put("cronjobs.batch", render::cron_job(cron_job, &self.jobs), "");
        }
        for job in &self.jobs {
            store.put("jobs.batch", render::job(job), "");
        }
        self.events.render(store);
    }
}
