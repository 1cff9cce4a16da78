//! Changes taken in: from an informer's notices to lines.

use super::line::{self, Change, Line, Mark, Placed};
use super::{BULK, FLASH, Grid, Health, Now, Only, SIFT, Slot, TOGETHER};
use crate::filter::compare::Reading;
use crate::table::Resource;
use crate::tui::object;
use bytes::Bytes;
use mqtt_informer::informer::Notice;
use mqtt_informer::protocol::names::ClusterName;
use std::time::Duration;

/// How changes are taken in.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Lines are marked, at this time.
    marks: Option<Duration>,
    /// There are many: the order is made anew afterwards, and what went is still in it until then.
    is_bulk: bool,
}

/// Whether changes are shown as such: the first copy of all is no news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// Each row that comes, goes or changes is marked for a while.
    News,
    /// It was so before anybody looked.
    Known,
}

/// Marks that are over one after the other go together, so that they are not one frame each.
fn together(at: Duration) -> Duration {
    let millis = at.as_millis().div_ceil(TOGETHER.as_millis()) * TOGETHER.as_millis();
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

impl Grid {
    /// Takes what changed in a cluster's copy; answers whether any of it is among the lines on the screen.
    pub fn apply(
        &mut self,
        cluster: &ClusterName,
        notices: &[Notice],
        novelty: Novelty,
        now: Now,
    ) -> bool {
        let before = self.window().to_vec();
        let number = self.slot(cluster);
        self.sifted.wall_ms = now.wall_ms;
        let pace = Pace {
            marks: (novelty == Novelty::News && notices.len() <= BULK).then_some(now.at),
            is_bulk: notices.len() > BULK,
        };
        if novelty == Novelty::News && self.selected.is_none() {
            // What has the cursor is what a person looks at: it is followed from now on.
            self.selected = self.shown.get(self.cursor).copied();
        }
        // Of very many nobody has to be asked: some are.
        let mut is_seen = novelty == Novelty::Known || pace.is_bulk;
        let mut sifts_all = pace.is_bulk;
        for notice in notices {
            if notice.key.is_empty() {
                sifts_all |= self.header(number, notice.new.as_deref(), now);
                is_seen = true;
            } else {
                self.take(number, notice, pace, now);
                is_seen = is_seen || self.is_in_window(number, &notice.key);
            }
        }
        if pace.is_bulk {
            self.bury();
        }
        if pace.is_bulk {
            self.sort_base();
        }
        if !self.recognise() && pace.is_bulk {
            self.sort_all();
        }
        if sifts_all {
            self.sift_all();
        }
        self.follow();
        is_seen || self.window() != before
    }

    fn is_in_window(&self, cluster: u32, key: &Bytes) -> bool {
        let number = self.index.get(&(cluster, key.clone()));
        number.is_some_and(|number| self.window().contains(number))
    }

    /// Tells how far a cluster's clock is ahead of this machine's.
    pub fn set_clock(&mut self, cluster: &ClusterName, ahead_ms: i64) {
        let number = self.slot(cluster);
        self.slots[number as usize].ahead_ms = ahead_ms;
    }

    /// A cluster is gone, and its rows with it.
    pub fn forget(&mut self, cluster: &ClusterName) {
        let Some(slot) = self.slots.iter().position(|slot| slot.name == *cluster) else {
            return;
        };
        self.slots[slot].has_header = false;
        self.measures
            .forget(u32::try_from(slot).unwrap_or(u32::MAX));
        let is_its = |number: &u32| {
            let line = self.line(*number);
            line.is_some_and(|line| line.cluster as usize == slot)
        };
        let its: Vec<u32> = self.base.iter().copied().filter(is_its).collect();
        for number in its {
            self.kill(number);
        }
        self.bury();
        if !self.recognise() {
            self.sort_all();
        }
    }

    /// Ends the marks that are over; answers whether anything on the screen is different now.
    pub fn tick(&mut self, now: Now) -> bool {
        let at = now.at;
        let mut changed = false;
        if at >= self.sifted.at + SIFT && self.sifts_by_age() {
            self.sifted = now;
            self.sift_all();
            changed = true;
        }
        while let Some((since, number)) = self.lit.front().copied()
            && since + FLASH <= at
        {
            self.lit.pop_front();
            let mark = self.marks.get(&number).filter(|mark| mark.at == since);
            match mark.map(|mark| mark.change) {
                Some(Change::Gone) => self.remove(number),
                Some(_) => drop(self.marks.remove(&number)),
                // Another change came after that one.
                None => continue,
            }
            changed = true;
        }
        if changed && !self.recognise() {
            self.follow();
        }
        changed
    }

    /// When the next mark may be over, or another line may pass by its age; none if time changes nothing.
    pub fn next_tick(&self) -> Option<Duration> {
        let lit = self.lit.front().map(|(since, _)| together(*since + FLASH));
        let sift = self.sifts_by_age().then_some(self.sifted.at + SIFT);
        lit.into_iter().chain(sift).min()
    }

    pub(super) fn slot(&mut self, cluster: &ClusterName) -> u32 {
        if let Some(at) = self.slots.iter().position(|slot| slot.name == *cluster) {
            return u32::try_from(at).unwrap_or(u32::MAX);
        }
        self.slots.push(Slot {
            name: cluster.clone(),
            rank: 0,
            places: Vec::new(),
            has_header: false,
            counts: [0; 4],
            ahead_ms: 0,
        });
        let mut names: Vec<_> = self.slots.iter().map(|slot| slot.name.clone()).collect();
        names.sort();
        // One that comes between others does not change how those stand to each other: lines stay where they are.
        for slot in &mut self.slots {
            let rank = names.binary_search(&slot.name).unwrap_or_default();
            slot.rank = u32::try_from(rank).unwrap_or(u32::MAX);
        }
        u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
    }

    /// Takes a cluster's columns; answers whether lines have to be asked anew whether they pass.
    fn header(&mut self, number: u32, header: Option<&[u8]>, now: Now) -> bool {
        let Some(resource) = header.and_then(|bytes| Resource::from_header(bytes).ok()) else {
            return false;
        };
        let known = self.columns().len();
        let places = self.columns.add(&resource.columns);
        self.widths.resize(self.columns().len(), 0);
        let slot = &mut self.slots[number as usize];
        let moved = slot.has_header && slot.places != places;
        (slot.places, slot.has_header) = (places, true);
        let columns = self.columns.as_slice().iter().enumerate();
        let signs = columns.filter(|(_, column)| {
            let name = column.name.to_ascii_uppercase();
            matches!(name.as_str(), "STATUS" | "READY" | "DESIRED" | "TYPE")
        });
        self.signs = signs
            .map(|(at, column)| (at, column.name.clone()))
            .collect();
        self.resource.get_or_insert(resource);
        if moved {
            self.read_anew(number, now);
        }
        moved || self.columns().len() != known
    }

    /// A cluster's columns are others than they were (a new version of a CRD): so is what its lines are searched by.
    fn read_anew(&mut self, cluster: u32, now: Now) {
        let is_its = |line: &Line| line.cluster == cluster;
        let its: Vec<u32> = (0..self.lines.len())
            .filter(|at| self.lines[*at].as_ref().is_some_and(is_its))
            .filter_map(|at| u32::try_from(at).ok())
            .collect();
        for number in its {
            let Some(value) = self.line(number).map(|line| line.value.clone()) else {
                continue;
            };
            self.fill(number, value, now);
        }
        // By what they are sorted may be in another cell, too.
        self.sort_all();
    }

    fn take(&mut self, cluster: u32, notice: &Notice, pace: Pace, now: Now) {
        let known = self.index.get(&(cluster, notice.key.clone())).copied();
        let new = notice.new.as_ref().filter(|value| self.admits(value));
        match (known, new) {
            (None, None) => {}
            (Some(number), None) => match pace {
                Pace { is_bulk: true, .. } => self.kill(number),
                Pace { marks: None, .. } => self.remove(number),
                Pace { marks, .. } => self.light(number, marks, Change::Gone),
            },
            (None, Some(value)) => {
                let number = self.add(cluster, &notice.key);
                self.fill(number, value.clone(), now);
                match pace.is_bulk {
                    true => self.base.push(number),
                    false => {
                        self.sift(number);
                        self.put_new(number);
                    }
                }
                self.light(number, pace.marks, Change::New);
            }
            (Some(number), Some(value)) => {
                // Where nothing is marked, what was marked before no longer is: a line that was going is back.
                let change = match pace.marks {
                    Some(_) => self.change(number, value, notice),
                    None => Some(Change::New),
                };
                match pace.is_bulk {
                    true => self.fill(number, value.clone(), now),
                    false => self.refill(number, value.clone(), now),
                }
                if let Some(change) = change {
                    self.light(number, pace.marks, change);
                }
            }
        }
    }

    /// Gives a line another value, and puts the line where it belongs now; mostly it stays.
    fn refill(&mut self, number: u32, value: Bytes, now: Now) {
        let Some(fresh) = self.read(number, value, now) else {
            return;
        };
        let before = self.probe(number);
        let stays = before.as_ref() == self.probe_of(number, &fresh).as_ref();
        let passed = self.passes(number);
        if !stays {
            self.pull(number);
        }
        self.put_in(number, fresh);
        self.sift(number);
        match stays {
            true => self.show_or_hide(number, passed),
            false => self.put(number),
        }
    }

    /// What became of a line that is there; none if nothing that is shown did.
    fn change(&self, number: u32, value: &Bytes, notice: &Notice) -> Option<Change> {
        let line = self.line(number)?;
        if self.is_gone(number) || notice.is_another_object() {
            return Some(Change::New);
        }
        let (old, new) = (self.decode(&line.value)?, self.decode(value)?);
        let places = &self.slots[line.cluster as usize].places;
        let placed = |row| Placed { row, places };
        let cells = line::differing(placed(&old), placed(&new), self.columns().len());
        (cells != 0).then_some(Change::Cells(cells))
    }

    fn light(&mut self, number: u32, marks: Option<Duration>, change: Change) {
        match marks {
            Some(at) => {
                self.marks.insert(number, Mark { at, change });
                self.lit.push_back((at, number));
            }
            None => drop(self.marks.remove(&number)),
        }
    }

    /// Makes a line, which is in no order yet.
    fn add(&mut self, cluster: u32, key: &Bytes) -> u32 {
        let line = Line {
            cluster,
            key: key.clone(),
            ..Line::default()
        };
        self.count(cluster, line.health, 1);
        let number = match self.free.pop() {
            Some(number) => {
                self.lines[number as usize] = Some(line);
                number
            }
            None => {
                self.passes.push(false);
                self.label_sets.push(0);
                self.readings.push(Reading::default());
                self.lines.push(Some(line));
                u32::try_from(self.lines.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.index.insert((cluster, key.clone()), number);
        number
    }

    pub(super) fn count(&mut self, cluster: u32, health: Health, by: isize) {
        let count = &mut self.slots[cluster as usize].counts[health as usize];
        *count = count.saturating_add_signed(by);
    }

    fn remove(&mut self, number: u32) {
        let place = self.place_of(number);
        let was_selected = self.selected == Some(number);
        self.pull_for_good(number);
        self.kill(number);
        self.free.push(number);
        if was_selected {
            // The one that takes its place is selected next.
            self.cursor = place.unwrap_or(self.cursor);
            self.selected = self.shown.get(self.cursor).copied();
        }
    }

    /// Ends a line, which stays in the order until that is made anew.
    fn kill(&mut self, number: u32) {
        let Some(line) = self.lines.get_mut(number as usize).and_then(Option::take) else {
            return;
        };
        self.count(line.cluster, line.health, -1);
        self.tally
            .remove(std::mem::take(&mut self.readings[number as usize]));
        self.kept.changed(number, self.lines.len());
        self.haystacks.clear(number);
        self.index.remove(&(line.cluster, line.key));
        self.labels
            .leave(std::mem::take(&mut self.label_sets[number as usize]));
        self.groups.leave(line.group);
        self.marks.remove(&number);
        self.marked.remove(&number);
        self.selected = self.selected.filter(|selected| *selected != number);
    }

    /// Takes lines that have ended out of the order; their numbers are free only then.
    fn bury(&mut self) {
        let base = std::mem::take(&mut self.base);
        let is_alive = |number: &u32| self.line(*number).is_some();
        let (alive, dead): (Vec<u32>, Vec<u32>) = base.into_iter().partition(is_alive);
        self.base = alive;
        self.free.extend(dead);
    }

    fn admits(&self, value: &Bytes) -> bool {
        match &self.only {
            Only::All => true,
            Only::MadeBy(maker) => object::is_made_by(value, maker),
        }
    }
}
