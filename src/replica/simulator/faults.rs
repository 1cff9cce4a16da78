//! What goes wrong, and how it is put right.

use super::network::{Message, Weather};
use super::plan::{Lies, Plan};
use super::world::{Event, Phase, World};
use crate::protocol::message::{Epoch, Request, Selection, Sync, Term};
use crate::replica::copy::Copy;
use crate::replica::saved::Saved;
use std::time::Duration;

/// A kind of fault; with a number where it matters whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    SourceLink(usize),
    SourceRestart,
    ViewerLink(usize),
    ViewerRestart,
    Relist,
    Hang,
    Corrupt,
    Rival,
}

impl Fault {
    fn every(self, plan: &Plan) -> Duration {
        let faults = &plan.faults;
        match self {
            Self::SourceLink(_) => faults.source_link,
            Self::SourceRestart => faults.source_restart,
            Self::ViewerLink(_) => faults.viewer_link,
            Self::ViewerRestart => faults.viewer_restart,
            Self::Relist => faults.relist,
            Self::Hang => faults.hang,
            Self::Corrupt => faults.corrupt,
            Self::Rival => faults.rival,
        }
    }
}

impl World {
    pub(super) fn schedule_faults(&mut self) {
        for fault in [
            Fault::SourceLink(0),
            Fault::SourceRestart,
            Fault::ViewerLink(0),
            Fault::ViewerRestart,
            Fault::Relist,
            Fault::Hang,
            Fault::Corrupt,
            Fault::Rival,
        ] {
            self.schedule(fault);
        }
    }

    fn schedule(&mut self, fault: Fault) {
        let every = fault.every(&self.plan);
        if !every.is_zero() {
            let wait = self.rng.about(every);
            let first = if self.is_peaceful() {
                Duration::from_secs(3)
            } else {
                Duration::ZERO
            };
            let start = if self.now.as_micros() == 0 {
                first
            } else {
                Duration::ZERO
            };
            self.after(start + wait, Event::Fault(fault));
        }
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        if self.phase != Phase::Faults {
            return;
        }
        self.schedule(fault);
        match fault {
            Fault::SourceLink(_) => {
                if let Some(source) = self.some_source() {
                    self.cut_source(source);
                    let longest = if self.is_peaceful() { 1_000 } else { 9_000 };
                    let wait = self.rng.millis(50..=longest);
                    self.after(wait, Event::Heal(Fault::SourceLink(source)));
                }
            }
            Fault::SourceRestart => self.restart_source(),
            Fault::ViewerLink(_) => {
                let viewer = self.rng.below(self.viewers.len());
                self.cut_viewer(viewer);
                let wait = self.rng.millis(50..=9_000);
                self.after(wait, Event::Heal(Fault::ViewerLink(viewer)));
            }
            Fault::ViewerRestart => {
                let viewer = self.rng.below(self.viewers.len());
                if self.viewers[viewer].alive {
                    self.remember_caches(viewer);
                    self.kill_viewer(viewer);
                    let wait = self.rng.millis(10..=4_000);
                    self.after(wait, Event::StartViewer(viewer));
                }
            }
            Fault::Relist => {
                if let Some(source) = self.some_source() {
                    let stream = self.rng.below(self.plan.streams);
                    self.relist(source, stream);
                }
            }
            Fault::Hang => {
                self.api_hung = true;
                let wait = self.rng.millis(500..=9_000);
                self.after(wait, Event::Heal(Fault::Hang));
            }
            Fault::Corrupt => {
                let counted = self.rng.chance(0.5);
                self.corrupt(counted);
            }
            Fault::Rival => self.rival(),
        }
    }

    pub(super) fn heal(&mut self, fault: Fault) {
        match fault {
            Fault::SourceLink(source) => {
                let client = self.sources[source].client;
                self.after(Duration::ZERO, Event::Connect(client));
            }
            Fault::ViewerLink(viewer) => {
                let client = self.viewers[viewer].client;
                self.after(Duration::ZERO, Event::Connect(client));
            }
            Fault::Hang => {
                self.api_hung = false;
                for stream in 0..self.plan.streams {
                    self.changed(stream);
                }
            }
            _ => {}
        }
    }

    fn some_source(&mut self) -> Option<usize> {
        let alive: Vec<usize> = (0..self.sources.len())
            .filter(|index| self.sources[*index].alive)
            .collect();
        (!alive.is_empty()).then(|| self.rng.pick(&alive))
    }

    /// A process ends and another begins, perhaps with a worse clock, perhaps unable to hear of the one before.
    fn restart_source(&mut self) {
        let Some(source) = self.some_source() else {
            return;
        };
        self.kill_source(source);
        if self.rng.chance(self.plan.presence_lost) {
            self.net.retained = None;
            self.forget_wills();
        }
        let wait = self.rng.millis(10..=5_000);
        self.after(wait, Event::StartSource);
    }

    /// A second process of the name: a healthy one, one whose API server hangs, a deaf one, or another cluster's.
    fn rival(&mut self) {
        let alive = self.sources.iter().filter(|source| source.alive).count();
        if alive > 2 {
            return;
        }
        match self.rng.below(7) {
            0 | 1 => {
                self.start_source(false);
            }
            2 => {
                self.start_source(true);
            }
            // The writer gets stuck while a healthy one stands by.
            3 if alive == 2 => {
                if let Some(writer) = self.writer() {
                    self.sources[writer].stuck = true;
                }
            }
            // Somebody who is there already gets stuck, or deaf and stuck; a healthy one is there or comes.
            way => {
                if let Some(source) = self.some_source() {
                    // A deaf one that is not stuck goes on, and is ahead of one that lags.
                    let ahead = self.plan.lags_unevenly && way == 4;
                    self.sources[source].stuck |= !ahead;
                    let client = self.sources[source].client;
                    self.net.clients[client].deaf |= way == 4;
                    self.start_source(false);
                }
            }
        }
    }

    /// A byte of a copy changes: as if a wrong value had been put there, or behind everybody's back.
    pub(super) fn corrupt(&mut self, counted: bool) {
        let viewer = self.rng.below(self.viewers.len());
        let stream = self.rng.below(self.plan.streams);
        let pick = self.rng.next();
        let copied = &mut self.viewers[viewer].copies[stream];
        if copied.reflector.corrupt(pick as usize, counted) {
            copied.corrupt = true;
            copied.ever_corrupt = true;
            copied.shown = copied.reflector.copy().entries.clone();
        }
        self.drive_viewer(viewer);
    }

    fn remember_caches(&mut self, viewer: usize) {
        if self.is_thin(viewer) {
            let backings = self.backings[viewer].clone();
            return self.backups.push((viewer, backings));
        }
        let whole = self.viewers[viewer]
            .copies
            .iter()
            .all(|copied| !copied.corrupt);
        if whole {
            let copies = self.viewers[viewer].copies.iter();
            let caches = copies
                .map(|copied| saved(copied.reflector.copy()))
                .collect();
            self.caches.push((viewer, caches));
        }
    }

    /// Without a cache, with the last one, or with an old one.
    pub(super) fn restart_viewer(&mut self, viewer: usize) {
        if self.is_thin(viewer) {
            self.restore_backings(viewer);
            return self.start_viewer(viewer, None);
        }
        let own: Vec<usize> = (0..self.caches.len())
            .filter(|at| self.caches[*at].0 == viewer)
            .collect();
        let which = match self.rng.below(3) {
            0 => None,
            1 => own.last().copied(),
            _ if own.is_empty() => None,
            _ => Some(self.rng.pick(&own)),
        };
        let caches = which.map(|at| self.caches[at].1.clone());
        let caches = caches.map(|caches| self.read_back(caches));
        self.start_viewer(viewer, caches.as_deref());
    }

    /// A database is there as it was left, or gone, or as it was once.
    fn restore_backings(&mut self, viewer: usize) {
        let own = self.backups.iter().filter(|(of, _)| *of == viewer);
        let own: Vec<_> = own.map(|(_, backings)| backings.clone()).collect();
        match self.rng.below(8) {
            0 => self.backings[viewer] = vec![Default::default(); self.plan.streams],
            1 if !own.is_empty() => self.backings[viewer] = own[self.rng.below(own.len())].clone(),
            _ => {}
        }
    }

    /// What a cache kept, some of it with a changed byte: that has to be noticed.
    fn read_back(&mut self, caches: Vec<Vec<u8>>) -> Vec<Option<Copy>> {
        let mut read = Vec::new();
        for mut bytes in caches {
            if self.rng.below(4) == 0 {
                let at = self.rng.below(bytes.len());
                bytes[at] ^= 1 << self.rng.below(8);
            }
            let saved = Saved::from_bytes(bytes.into()).ok();
            read.push(saved.map(|saved| saved.copy));
        }
        read
    }

    /// A consumer claims to have heard of a term that never was.
    pub(super) fn lie(&mut self, liar: usize) {
        if self.phase >= Phase::Quiet {
            return;
        }
        let alive = self.sources.iter().filter(|source| source.alive);
        if let Some(term) = alive.map(|source| source.publisher.term()).max() {
            let clocks_right = !self.plan.clock_back && !self.plan.clock_coarse;
            // A clock that goes back goes below the bound, too; see the decision on claims.
            let margin = if clocks_right { 0 } else { 600_000 };
            let wall_ms = 1_700_000_000_000 + self.now.as_micros() / 1000;
            let bound = wall_ms + self.plan.settings.claim_bound_ms - margin;
            let kind = match self.plan.lies {
                Lies::OwnAndOne => 0,
                Lies::Bound => 1,
                Lies::Any => self.rng.below(3),
            };
            let number = match kind {
                0 => term.number + 1,
                1 => bound.max(term.number),
                _ => u64::MAX - self.rng.next() % 3,
            };
            let epoch = Epoch {
                term: Term {
                    number,
                    nonce: self.rng.next() as u32,
                },
                feed: 0,
            };
            let stream = self.rng.below(self.plan.streams);
            let sync = Sync {
                rid: self.now.as_micros(),
                epoch,
                digests: vec![0],
                max_messages: self.rng.below(2) as u32,
                lease_s: 1,
                selection: Selection {
                    resource: stream.to_string(),
                    ..Selection::default()
                },
                ..Sync::default()
            };
            let client = self.liars[liar];
            let from = self.net.clients[client].session.clone();
            let request = Request::Sync(sync);
            self.publish(client, Message::Ask { from, request }, 0);
        }
        let wait = self.rng.about(self.plan.lie_every);
        self.after(wait, Event::Lie(liar));
    }

    /// Faults cease: ways are short and safe, everybody is there, but for who is stuck and stays so.
    pub(super) fn heal_all(&mut self) {
        let (low, high) = self.plan.delay_ms;
        self.net.weather = Weather {
            loss: 0.0,
            duplicates: 0.0,
            ordered: self.plan.ordered,
            delay_ms: (low.min(20), high.min(40)),
        };
        self.plan.backing.heal();
        self.half_lists = 0.0;
        self.list_ms = (5, 200);
        self.page_every = self.page_every.min(Duration::from_millis(1));
        self.heal(Fault::Hang);
        for source in 0..self.sources.len() {
            let client = self.sources[source].client;
            if !(self.sources[source].stuck && self.plan.stuck_stays) {
                self.sources[source].stuck = false;
                self.net.clients[client].deaf = false;
            }
            self.after(Duration::ZERO, Event::Connect(client));
        }
        for viewer in 0..self.viewers.len() {
            let client = self.viewers[viewer].client;
            self.after(Duration::ZERO, Event::Connect(client));
        }
        let healthy = self
            .sources
            .iter()
            .any(|source| source.alive && !source.stuck && !source.foreign);
        if !healthy {
            self.start_source(false);
        }
    }
}

/// What a cache keeps of a copy.
fn saved(copy: &Copy) -> Vec<u8> {
    let saved = Saved {
        copy: copy.clone(),
        ..Saved::default()
    };
    saved.to_bytes()
}
