//! One log as a state machine: chunks in, asks and events out; no IO, and no clock but the one given.

use super::lines::{Cut, Lines};
use super::{LogEvent, LogRequest};
use crate::protocol::message::{LogChunk, LogCredit, LogEnd, LogOpen, LogSelection};
use crate::replica::{Moment, Rids, Settings};
use std::collections::VecDeque;
use std::time::Duration;

/// Time until a log is opened anew that broke off: the first, and the longest.
const AGAIN: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));
/// A log without lines that has to be opened anew is read from so long before it was first opened: clocks and messages
/// take their time, and nothing was shown that could be shown twice.
const MARGIN: Duration = Duration::from_secs(5);

/// What the source is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::informer) enum Ask {
    Open(LogOpen),
    Credit(LogCredit),
    Close(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The broker is away.
    Away,
    /// Opened anew at that moment.
    Waiting(Moment),
    /// Asked for, not answered.
    Opening,
    /// Answered.
    Open,
    Ended,
}

/// A log that is read.
#[derive(Debug)]
pub(in crate::informer) struct Reading {
    settings: Settings,
    log: LogSelection,
    patience: Duration,
    lines: Lines,
    phase: Phase,
    rid: Option<u64>,
    /// One that is not to be read any more.
    to_close: Option<u64>,
    /// The number of the next chunk.
    expected: u64,
    /// Chunks that were allowed.
    granted: u64,
    /// Slices whose lines nobody took yet.
    pending: u64,
    /// When something was last heard, or the log was opened; and when something was last sent.
    heard: Moment,
    sent: Moment,
    /// When the log was first known to be open.
    opened: Option<Moment>,
    tries: u32,
    failures: u32,
    silent: bool,
    told_broken: bool,
    events: VecDeque<LogEvent>,
}

impl Reading {
    pub(in crate::informer) fn new(
        request: LogRequest,
        settings: Settings,
        up: bool,
        now: Moment,
    ) -> Self {
        let mut log = request.log;
        if let Some(position) = &request.after {
            log.from_s = Some(position.second());
            log.tail = None;
        }
        Self {
            settings,
            log,
            patience: request.patience,
            lines: Lines::after(request.after),
            phase: if up { Phase::Waiting(now) } else { Phase::Away },
            rid: None,
            to_close: None,
            expected: 0,
            granted: 0,
            pending: 0,
            heard: now,
            sent: now,
            opened: None,
            tries: 0,
            failures: 0,
            silent: false,
            told_broken: false,
            events: VecDeque::new(),
        }
    }

    /// The request that is out.
    pub(in crate::informer) fn rid(&self) -> Option<u64> {
        self.rid
    }

    pub(in crate::informer) fn next_event(&mut self) -> Option<LogEvent> {
        self.events.pop_front()
    }

    pub(in crate::informer) fn link_up(&mut self, now: Moment) {
        if self.phase != Phase::Ended {
            self.begin_again(now);
        }
    }

    pub(in crate::informer) fn link_down(&mut self) {
        if self.phase != Phase::Ended {
            self.phase = Phase::Away;
        }
    }

    /// The reader took the lines of one slice.
    pub(in crate::informer) fn taken(&mut self) {
        self.pending = self.pending.saturating_sub(1);
    }

    /// The reader is gone.
    pub(in crate::informer) fn leave(&mut self) {
        self.to_close = self.rid.take().or(self.to_close);
        self.phase = Phase::Ended;
    }

    /// A chunk of the request that is out.
    pub(in crate::informer) fn chunk(&mut self, now: Moment, chunk: &LogChunk) {
        if !matches!(self.phase, Phase::Opening | Phase::Open) {
            return;
        }
        self.heard = now;
        if std::mem::take(&mut self.silent) {
            self.events.push_back(LogEvent::Heard);
        }
        let whole = chunk.index == self.expected;
        if !chunk.lines.is_empty() {
            // Twice, or more than was allowed: nothing of it counts.
            if chunk.index < self.expected || chunk.index >= self.granted {
                return;
            }
            if !whole {
                return self.begin_again(now);
            }
            self.open(now);
            self.expected += 1;
            (self.failures, self.told_broken) = (0, false);
            let cut = self.lines.push(&chunk.lines);
            self.tell(cut);
        }
        match &chunk.end {
            None | Some(LogEnd::Finished) if chunk.lines.is_empty() && !whole => {
                // Chunks are missing, and these are the last words. Fewer than came are old words.
                if chunk.index > self.expected {
                    self.begin_again(now);
                }
            }
            None => self.open(now),
            Some(end) => self.end(now, end),
        }
    }

    fn open(&mut self, now: Moment) {
        self.phase = Phase::Open;
        self.opened.get_or_insert(now);
    }

    fn tell(&mut self, cut: Cut) {
        self.events.extend(cut.gap.map(LogEvent::Gap));
        if !cut.lines.is_empty() {
            self.pending += 1;
            self.events.push_back(LogEvent::Lines(cut.lines));
        }
    }

    fn end(&mut self, now: Moment, end: &LogEnd) {
        match end {
            LogEnd::Finished => {
                let cut = self.lines.finish();
                self.tell(cut);
                self.over(end);
            }
            LogEnd::Refused { .. } => self.over(end),
            LogEnd::NotOpen => self.fail(now),
            LogEnd::Broken(message) => {
                if !std::mem::replace(&mut self.told_broken, true) {
                    self.events.push_back(LogEvent::Broken(message.clone()));
                }
                self.fail(now);
            }
        }
    }

    fn over(&mut self, end: &LogEnd) {
        self.leave();
        let position = self.lines.position().cloned();
        self.events
            .push_back(LogEvent::Ended(end.clone(), position));
    }

    /// Opens the log anew after a while.
    fn fail(&mut self, now: Moment) {
        let wait = AGAIN.0 * 2_u32.saturating_pow(self.failures.min(10));
        self.failures += 1;
        self.begin_again(now + wait.min(AGAIN.1));
    }

    /// Opens the log anew, where it is, at a moment.
    fn begin_again(&mut self, at: Moment) {
        self.to_close = self.rid.take().or(self.to_close);
        self.phase = Phase::Waiting(at);
    }

    /// What to tell the source next. `window` chunks may be under way.
    pub(in crate::informer) fn poll(
        &mut self,
        now: Moment,
        rids: &mut Rids,
        window: u64,
    ) -> Option<Ask> {
        if self.phase != Phase::Away
            && let Some(rid) = self.to_close.take()
        {
            return Some(Ask::Close(rid));
        }
        self.notice_silence(now);
        let most = window;
        let window = window.saturating_sub(self.pending);
        match self.phase {
            Phase::Away | Phase::Ended => None,
            Phase::Waiting(at) if now < at => None,
            Phase::Waiting(_) => {
                self.lines.again();
                self.rid = Some(rids.draw());
                (self.expected, self.tries) = (0, 0);
                self.phase = Phase::Opening;
                Some(self.ask_to_open(now, window))
            }
            Phase::Opening if now >= self.deadline_of_opening() => {
                self.tries += 1;
                Some(self.ask_to_open(now, window))
            }
            Phase::Opening => None,
            Phase::Open if now >= self.heard + self.settings.stale_after() => {
                self.begin_again(now);
                self.poll(now, rids, most)
            }
            Phase::Open => self.go_on(now, window),
        }
    }

    /// When to poll again at the latest.
    pub(in crate::informer) fn deadline(&self) -> Option<Moment> {
        let next = match self.phase {
            Phase::Away | Phase::Ended => None,
            Phase::Waiting(at) => Some(at),
            Phase::Opening => Some(self.deadline_of_opening()),
            Phase::Open => Some(self.heard.max(self.sent) + self.settings.heartbeat),
        };
        let silence =
            (!self.silent && self.phase != Phase::Ended).then(|| self.heard + self.patience);
        next.into_iter().chain(silence).min()
    }

    fn deadline_of_opening(&self) -> Moment {
        let wait = self.settings.first_timeout * 2_u32.saturating_pow(self.tries.min(8));
        self.sent + wait.min(self.settings.timeout.1)
    }

    fn notice_silence(&mut self, now: Moment) {
        let over = now >= self.heard + self.patience;
        if over && !self.silent && self.phase != Phase::Ended {
            self.silent = true;
            self.events.push_back(LogEvent::Silent);
        }
    }

    fn ask_to_open(&mut self, now: Moment, window: u64) -> Ask {
        self.sent = now;
        self.granted = window;
        Ask::Open(LogOpen {
            rid: self.rid.unwrap_or_default(),
            log: self.rest(now),
            credit: self.granted,
            lease_s: self.lease_s(),
        })
    }

    /// What is still to be read.
    fn rest(&self, now: Moment) -> LogSelection {
        let mut log = self.log.clone();
        match (self.lines.position(), self.opened) {
            (Some(position), _) => {
                (log.tail, log.since_s) = (None, None);
                log.from_s = Some(position.second());
            }
            // There was nothing: all that was written since is wanted. From a moment on that is the same as before,
            // unless it was to be the end of that only. (An API server takes one of the two times.)
            (None, Some(opened)) if log.follow && (log.from_s.is_none() || log.tail.is_some()) => {
                (log.tail, log.from_s) = (None, None);
                let since = (now.since(opened) + MARGIN).as_secs();
                log.since_s = Some(log.since_s.map_or(since, |asked| asked.min(since)));
            }
            (None, _) => {}
        }
        log
    }

    fn go_on(&mut self, now: Moment, window: u64) -> Option<Ask> {
        let allowed = self.expected + window;
        let more = allowed.saturating_sub(self.granted);
        // Half a window at once, or whatever is there when nothing is under way.
        let worth_it = more > 0 && (more >= window.div_ceil(2) || self.granted <= self.expected);
        let quiet = now >= self.heard.max(self.sent) + self.settings.heartbeat;
        if !worth_it && !quiet {
            return None;
        }
        self.sent = now;
        if worth_it {
            self.granted = allowed;
        }
        Some(Ask::Credit(LogCredit {
            rid: self.rid.unwrap_or_default(),
            credit: self.granted,
            lease_s: self.lease_s(),
        }))
    }

    fn lease_s(&self) -> u32 {
        u32::try_from(self.settings.lease.as_secs().max(1)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
