//! What the sources really had under each (epoch, seq), written down as it happens.

use crate::protocol::message::Epoch;
use crate::replica::time::Moment;
use std::collections::HashMap;

/// One state of one feed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) seq: u64,
    pub(super) digest: u64,
    /// The API server's revisions between which this was its state.
    pub(super) revisions: (usize, usize),
    pub(super) at: Moment,
}

/// What one feed had and sent.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// In order of seq.
    records: Vec<Record>,
    /// Where flushes led to, and when they left.
    pub(super) flushes: Vec<(u64, Moment)>,
}

impl Account {
    pub(super) fn state(&self, seq: u64) -> Option<&Record> {
        let at = self.records.partition_point(|record| record.seq < seq);
        self.records.get(at).filter(|record| record.seq == seq)
    }

    /// When it had its first list.
    pub(super) fn began(&self) -> Moment {
        self.records
            .first()
            .map_or(Moment::default(), |record| record.at)
    }

    /// The seq at a moment.
    pub(super) fn seq_at(&self, at: Moment) -> u64 {
        let until = self.records.partition_point(|record| record.at <= at);
        self.records[..until].last().map_or(0, |record| record.seq)
    }

    /// The seq that was flushed before a moment.
    pub(super) fn flushed_before(&self, at: Moment) -> u64 {
        let until = self.flushes.partition_point(|(_, left)| *left < at);
        self.flushes[..until].last().map_or(0, |(to, _)| *to)
    }
}

/// All feeds that there ever were, by stream and epoch.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    accounts: HashMap<(usize, Epoch), Account>,
}

impl Ledger {
    pub(super) fn account(&self, stream: usize, epoch: Epoch) -> Option<&Account> {
        self.accounts.get(&(stream, epoch))
    }

    pub(super) fn state(&self, stream: usize, epoch: Epoch, seq: u64) -> Option<&Record> {
        self.account(stream, epoch)?.state(seq)
    }

    /// A feed has this state now. An error if the same number named another one, or a later one.
    pub(super) fn note(&mut self, stream: usize, epoch: Epoch, new: Record) -> Result<(), String> {
        let account = self.accounts.entry((stream, epoch)).or_default();
        match account.records.last_mut() {
            Some(last) if last.seq == new.seq && last.digest == new.digest => {
                last.revisions.1 = last.revisions.1.max(new.revisions.1);
                Ok(())
            }
            Some(last) if last.seq >= new.seq => Err(format!(
                "stream {stream} {epoch:?}: seq {} names two states",
                new.seq
            )),
            _ => {
                account.records.push(new);
                Ok(())
            }
        }
    }

    pub(super) fn flushed(&mut self, stream: usize, epoch: Epoch, to: u64, at: Moment) {
        let account = self.accounts.entry((stream, epoch)).or_default();
        account.flushes.push((to, at));
    }
}
