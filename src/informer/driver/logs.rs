//! Logs: chunks to the readers that asked for them, and what those want next to their sources.

use super::Driver;
use crate::informer::log::{Ask, LogEvent, LogRequest, Reading};
use crate::protocol::message::{LogChunk, Request};
use crate::protocol::names::ClusterName;
use crate::protocol::topics::Segment;
use crate::replica::Moment;
use tokio::sync::mpsc;

/// Chunks that may be under way over all logs, and for one.
const UNDER_WAY: (u64, u64) = (64, 8);

/// A log that somebody reads.
pub(super) struct Log {
    cluster: ClusterName,
    segment: Segment,
    reading: Reading,
    events: mpsc::UnboundedSender<LogEvent>,
}

impl Driver {
    pub(super) fn open_log(
        &mut self,
        number: u64,
        cluster: &ClusterName,
        request: LogRequest,
        events: mpsc::UnboundedSender<LogEvent>,
    ) {
        let now = self.now();
        let reading = Reading::new(request, self.settings.clone(), self.up, now);
        let log = Log {
            cluster: cluster.clone(),
            segment: cluster.into(),
            reading,
            events,
        };
        self.logs.insert(number, log);
        self.settle_log(number);
    }

    pub(super) fn log_taken(&mut self, number: u64) {
        self.touch_log(number, Reading::taken);
    }

    pub(super) fn close_log(&mut self, number: u64) {
        self.touch_log(number, Reading::leave);
        self.logs.remove(&number);
    }

    /// A chunk counts for the log that was opened by its number, if that cluster was asked (promise P9).
    pub(super) fn log_chunk(&mut self, cluster: &Segment, chunk: &LogChunk) {
        let asked = |log: &Log| log.segment == *cluster && log.reading.rid() == Some(chunk.rid);
        let found = self.logs.iter().find(|(_, log)| asked(log));
        if let Some(number) = found.map(|(number, _)| *number) {
            let now = self.now();
            self.touch_log(number, |reading| reading.chunk(now, chunk));
        }
    }

    pub(super) fn logs_up(&mut self) {
        let now = self.now();
        for number in self.log_numbers() {
            self.touch_log(number, |reading| reading.link_up(now));
        }
    }

    pub(super) fn logs_down(&mut self) {
        for number in self.log_numbers() {
            self.touch_log(number, Reading::link_down);
        }
    }

    /// Does what is due of all logs.
    pub(super) fn wake_logs(&mut self, now: Moment) {
        for number in self.log_numbers() {
            let due = |log: &Log| log.reading.deadline().is_some_and(|at| at <= now);
            if self.logs.get(&number).is_some_and(due) {
                self.settle_log(number);
            }
        }
    }

    pub(super) fn log_deadline(&self) -> Option<Moment> {
        self.logs
            .values()
            .filter_map(|log| log.reading.deadline())
            .min()
    }

    /// The sources need not wait for the leases to end.
    pub(super) fn leave_logs(&mut self) {
        for number in self.log_numbers() {
            self.close_log(number);
        }
    }

    fn log_numbers(&self) -> Vec<u64> {
        self.logs.keys().copied().collect()
    }

    fn touch_log(&mut self, number: u64, take: impl FnOnce(&mut Reading)) {
        if let Some(log) = self.logs.get_mut(&number) {
            take(&mut log.reading);
            self.settle_log(number);
        }
    }

    /// Tells the source what the log wants, and the reader what happened.
    fn settle_log(&mut self, number: u64) {
        let now = self.now();
        let open = u64::try_from(self.logs.len()).unwrap_or(u64::MAX).max(1);
        let window = (UNDER_WAY.0 / open).clamp(1, UNDER_WAY.1);
        let Some(log) = self.logs.get_mut(&number) else {
            return;
        };
        let mut requests = Vec::new();
        while let Some(ask) = log.reading.poll(now, &mut self.rids, window) {
            requests.push(match ask {
                Ask::Open(open) => Request::LogOpen(open),
                Ask::Credit(credit) => Request::LogCredit(credit),
                Ask::Close(rid) => Request::LogClose(rid),
            });
        }
        while let Some(event) = log.reading.next_event() {
            // A reader that is gone says so by itself.
            let _ = log.events.send(event);
        }
        let topic = self.topics.signal(&log.cluster, &self.me);
        for request in &requests {
            self.send(topic.clone(), request);
        }
    }
}
