//! The containers of a pod.

use super::list::List;
use super::pod::{self, Container};
use super::target::Target;
use crate::tui::event::{Age, FeedId};
use serde_json::Value;

/// See the module. It is live.
#[derive(Debug)]
pub struct ContainersView {
    /// The pod.
    pub target: Target,
    /// By what it is watched.
    pub feed: FeedId,
    /// What is on the screen.
    pub list: List,
    /// How fresh it is.
    pub age: Age,
    /// The pod is gone, or cannot be read, and why.
    pub gone: Option<String>,
    containers: Vec<Container>,
}

impl ContainersView {
    /// One whose pod has to come.
    pub fn new(target: Target, feed: FeedId) -> Self {
        Self {
            target,
            feed,
            list: List::new(&pod::HEADS),
            age: Age::default(),
            gone: None,
            containers: Vec::new(),
        }
    }

    /// The pod, as it is now.
    pub fn set_pod(&mut self, pod: &Value, now_ms: i64) {
        self.containers = pod::containers(pod);
        self.gone = None;
        self.refresh(now_ms);
    }

    /// Ages grow.
    pub fn refresh(&mut self, now_ms: i64) {
        let now_ms = now_ms.saturating_add(self.age.ahead_ms);
        self.list.set_lines(pod::lines(&self.containers, now_ms));
    }
}
