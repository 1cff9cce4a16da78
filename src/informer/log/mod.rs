//! Logs of containers, read through their cluster's source.
//!
//! [`super::Informer::log`] reads one; what comes are [`LogEvent`]s, in order. Only as much is asked for as the reader
//! takes. Whatever breaks on the way (a message, the broker, the source, the connection to the API server), the log is
//! opened anew where it was, and a line that could not be had is never hidden: [`LogEvent::Gap`].

mod lines;
mod reading;

pub use lines::LogPosition;
pub(super) use reading::{Ask, Reading};

use super::Informer;
use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::mpsc;

pub use crate::protocol::message::{LogEnd, LogSelection};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written, as its node's clock has it; none if the line did not say so.
    pub time: Option<Timestamp>,
    /// The same as it was written: `2026-11-25T10:00:00.123456789Z`; empty for none.
    pub stamp: Bytes,
    /// Its text, without its end: whatever the container wrote.
    pub text: Bytes,
    /// It was longer, and was cut.
    pub cut: bool,
}

/// Lines may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Behind what was written then.
    pub after: Timestamp,
    /// And before what was written then; none if nothing came after.
    pub before: Option<Timestamp>,
}

/// What a reader of a log is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEvent {
    /// Lines, in the order of the log.
    Lines(Vec<LogLine>),
    /// Lines may be missing here.
    Gap(Gap),
    /// The API server, or the connection to it, broke off; it is tried again.
    Broken(String),
    /// The source was not heard for as long as the reader is patient; it is asked again and again.
    Silent,
    /// It was heard again.
    Heard,
    /// The end: nothing follows.
    Ended(LogEnd, Option<LogPosition>),
}

/// Which log a reader wants.
#[derive(Clone, Debug, Default)]
pub struct LogRequest {
    /// Which part of which log.
    pub log: LogSelection,
    /// What an earlier instance of the container had written last: only what is newer is wanted.
    pub after: Option<LogPosition>,
    /// For how long its source may be silent before the reader is told.
    pub patience: std::time::Duration,
}

/// A log that is read. Dropping it ends that.
pub struct LogReader {
    number: u64,
    events: mpsc::UnboundedReceiver<LogEvent>,
    informer: Informer,
    ended: bool,
}

impl LogReader {
    pub(super) fn new(
        number: u64,
        events: mpsc::UnboundedReceiver<LogEvent>,
        informer: Informer,
    ) -> Self {
        Self {
            number,
            events,
            informer,
            ended: false,
        }
    }

    /// What happens next; none after the end. Cancel safe.
    pub async fn next(&mut self) -> Option<LogEvent> {
        if self.ended {
            return None;
        }
        let event = self.events.recv().await?;
        match event {
            LogEvent::Lines(_) => self.informer.log_taken(self.number),
            LogEvent::Ended(..) => self.ended = true,
            _ => {}
        }
        Some(event)
    }
}

impl Drop for LogReader {
    fn drop(&mut self) {
        self.informer.close_log(self.number);
    }
}
