//! What can be made to go wrong.

use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::watch;

/// The faults in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Nothing is answered, nothing is closed: a stopped process.
    pub(super) hung: bool,
    /// Watches say nothing, everything else works: a connection that a device in between forgot.
    pub(super) silent_watches: bool,
    /// Each further page of a list says that it is followed by itself.
    pub(super) endless_lists: bool,
    /// Everything is answered with 503.
    pub(super) unavailable: bool,
    /// Every answer takes so much longer.
    pub(super) delay: Duration,
    /// Resources that may not be read.
    pub(super) refused: BTreeSet<String>,
    /// Grows when all watches are to be broken off.
    pub(super) breaks: u64,
}

/// Makes a playground misbehave. Each fault stays until it is taken back.
#[derive(Clone, Debug)]
pub struct Faults {
    state: watch::Sender<State>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            state: watch::Sender::new(State::default()),
        }
    }
}

impl Faults {
    /// Answers nothing and closes nothing, as a process stopped by SIGSTOP.
    pub fn hang(&self) {
        self.state.send_modify(|state| state.hung = true);
    }
    /// Ends [`Faults::hang`]: what waited is answered.
    pub fn resume(&self) {
        self.state.send_modify(|state| state.hung = false);
    }
    /// Lets watches say nothing while all else works.
    pub fn silence_watches(&self, silent: bool) {
        self.state
            .send_modify(|state| state.silent_watches = silent);
    }
    /// Lets each further page of a list say that it is followed by itself.
    pub fn endless_lists(&self, endless: bool) {
        self.state
            .send_modify(|state| state.endless_lists = endless);
    }
    /// Answers everything with 503.
    pub fn unavailable(&self, unavailable: bool) {
        self.state
            .send_modify(|state| state.unavailable = unavailable);
    }
    /// Lets every answer take so much longer.
    pub fn slow(&self, delay: Duration) {
        self.state.send_modify(|state| state.delay = delay);
    }
    /// Refuses a resource, `pods` or `deployments.apps`, with 403, as RBAC does; watches of it are broken off.
    pub fn refuse(&self, resource: &str) {
        self.state.send_modify(|state| {
            state.refused.insert(resource.into());
            state.breaks += 1;
        });
    }
    /// Ends [`Faults::refuse`].
    pub fn allow(&self, resource: &str) {
        self.state.send_modify(|state| {
            state.refused.remove(resource);
        });
    }
    /// Breaks off all watches, in the middle of a line.
    pub fn close_watches(&self) {
        self.state.send_modify(|state| state.breaks += 1);
    }
    pub(super) fn state(&self) -> State {
        self.state.borrow().clone()
    }
    pub(super) fn subscribe(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }
    /// Waits while the server hangs, then as long as it is slow.
    pub(super) async fn pass(&self) {
        let mut state = self.subscribe();
        // The sender lives as long as `self`.
        let delay = state
            .wait_for(|state| !state.hung)
            .await
            .map(|state| state.delay);
        tokio::time::sleep(delay.unwrap_or_default()).await;
    }
}
