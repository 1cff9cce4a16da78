//! Nodes.

use super::event::Events;
use rand::RngExt;
use rand::rngs::StdRng;

/// One node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) zone: char,
    pub(super) control_plane: bool,
    pub(super) created: i64,
    pub(super) ready: bool,
    pub(super) changed_at: i64,
    steps_left: u32,
}

impl Node {
    /// The first one is the control plane.
    pub(super) fn new(index: u32, founded: i64, random: &mut StdRng) -> Self {
        let (third, fourth) = (random.random_range(0..64), 10 + index % 200);
        let created = founded + i64::from(index) * 97_000;
        Self {
            name: format!("ip-10-0-{third}-{fourth}.eu-central-1.compute.internal"),
            address: format!("10.0.{third}.{fourth}"),
            zone: ['a', 'b', 'c'][index as usize % 3],
            control_plane: index == 0,
            created,
            ready: true,
            changed_at: created,
            steps_left: 0,
        }
    }

    /// It is not heard of for a while.
    pub(super) fn fail(&mut self, now: i64, random: &mut StdRng, events: &mut Events) {
        self.turn(false, now);
        self.steps_left = random.random_range(20..80);
        let message = format!("Node {} status is now: NodeNotReady", self.name);
        events.warn(
            now,
            ("Node", "", &self.name),
            "NodeNotReady",
            &message,
            "node-controller",
        );
    }

    pub(super) fn step(&mut self, now: i64, events: &mut Events) {
        if self.ready {
            return;
        }
        self.steps_left = self.steps_left.saturating_sub(1);
        if self.steps_left == 0 {
            self.turn(true, now);
            let message = format!("Node {} status is now: NodeReady", self.name);
            events.add(
                now,
                ("Node", "", &self.name),
                "NodeReady",
                &message,
                "kubelet",
            );
        }
    }

    fn turn(&mut self, ready: bool, now: i64) {
        self.ready = ready;
        self.changed_at = now;
    }
}
