//! When have all clusters said who they are? When it was quiet for long enough. Pure: the driver brings the time.

use crate::replica::Moment;
use std::time::Duration;
use tokio::sync::oneshot;

/// Quiet for so long after the last presence, or three round trips if that is more, ends a discovery.
const QUIET: Duration = Duration::from_millis(150);

/// It ends after so long, or twenty round trips if that is more, however many there are and whatever they do.
const LONGEST: Duration = Duration::from_secs(3);

/// Who waits for the end of a discovery, and when that is.
#[derive(Debug, Default)]
pub(super) struct Discovery {
    waiting: Vec<oneshot::Sender<()>>,
    /// When the subscription was asked for; the round trip is what it took.
    asked: Option<Moment>,
    round_trip: Duration,
    /// The presences' subscription is confirmed.
    subscribed: bool,
    /// When the question that somebody waits for was sent.
    began: Moment,
    last_heard: Option<Moment>,
}

impl Discovery {
    /// Somebody waits.
    pub(super) fn ask(&mut self, now: Moment, done: oneshot::Sender<()>) {
        if self.subscribed {
            // Who comes later makes nobody wait longer than was said.
            if self.waiting.is_empty() {
                self.began = now;
            }
            self.last_heard = Some(now);
        }
        self.waiting.push(done);
    }

    /// Whether anybody waits.
    pub(super) fn wanted(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn link_up(&mut self, now: Moment) {
        self.asked = Some(now);
    }

    pub(super) fn link_down(&mut self) {
        self.subscribed = false;
        self.last_heard = None;
    }

    pub(super) fn subscribed(&mut self, now: Moment) {
        self.round_trip = self.asked.map(|asked| now.since(asked)).unwrap_or_default();
        self.subscribed = true;
        (self.began, self.last_heard) = (now, Some(now));
    }

    /// A presence brought news.
    pub(super) fn heard(&mut self, now: Moment) {
        if self.subscribed {
            self.last_heard = Some(now);
        }
    }

    /// When the discovery ends if nothing more is heard.
    pub(super) fn deadline(&self) -> Option<Moment> {
        let heard = self.last_heard.filter(|_| self.wanted())?;
        let quiet = heard + QUIET.max(self.round_trip * 3);
        Some(quiet.min(self.began + LONGEST.max(self.round_trip * 20)))
    }

    pub(super) fn wake(&mut self, now: Moment) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            for done in self.waiting.drain(..) {
                // Whoever waited may have gone.
                let _ = done.send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_presence_puts_the_end_off_and_quiet_brings_it() {
        let (done, mut end) = oneshot::channel();
        let at = Moment::from_millis;
        let mut discovery = Discovery::default();
        discovery.ask(at(0), done);
        assert_eq!(
            discovery.deadline(),
            None,
            "nothing can be heard before the subscription"
        );
        discovery.link_up(at(0));
        discovery.subscribed(at(10));
        discovery.heard(at(100));
        discovery.wake(at(249));
        assert!(end.try_recv().is_err());
        discovery.wake(at(250));
        assert_eq!(end.try_recv(), Ok(()));
    }

    #[test]
    fn who_comes_and_goes_all_the_time_does_not_put_the_end_off_for_ever() {
        let (done, mut end) = oneshot::channel();
        let at = Moment::from_millis;
        let mut discovery = Discovery::default();
        discovery.link_up(at(0));
        discovery.ask(at(0), done);
        discovery.subscribed(at(10));
        for ms in (100..=3_000).step_by(100) {
            discovery.heard(at(ms));
            discovery.wake(at(ms));
            assert!(end.try_recv().is_err(), "{ms}");
        }
        discovery.wake(at(3_010));
        assert_eq!(end.try_recv(), Ok(()));
    }

    #[test]
    fn those_who_ask_again_and_again_make_nobody_wait_longer() {
        let (done, mut end) = oneshot::channel();
        let at = Moment::from_millis;
        let mut discovery = Discovery::default();
        discovery.link_up(at(0));
        discovery.subscribed(at(10));
        discovery.ask(at(20), done);
        for ms in (100..=3_000).step_by(100) {
            discovery.ask(at(ms), oneshot::channel().0);
            discovery.wake(at(ms));
        }
        discovery.wake(at(3_020));
        assert_eq!(end.try_recv(), Ok(()));
    }

    #[test]
    fn a_slow_link_is_given_three_round_trips() {
        let (done, _end) = oneshot::channel();
        let mut discovery = Discovery::default();
        discovery.link_up(Moment::from_millis(0));
        discovery.ask(Moment::from_millis(0), done);
        discovery.subscribed(Moment::from_millis(200));
        assert_eq!(discovery.deadline(), Some(Moment::from_millis(800)));
    }
}
