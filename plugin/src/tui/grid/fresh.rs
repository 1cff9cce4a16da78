//! What a value tells of a line: read first, and put in once the line is where it belongs.

use super::line::{self, Cells, Placed, names};
use super::sets::Labels;
use super::{Grid, Health, Now};
use bytes::Bytes;

/// What a line is told by another value.
pub(super) struct Fresh {
    pub(super) value: Bytes,
    pub(super) cells: Cells,
    health: Health,
    labels: Labels,
    namespace_width: u16,
}

impl Grid {
    /// Gives a line its value. It is in no order meanwhile, or the order is made anew afterwards.
    pub(super) fn fill(&mut self, number: u32, value: Bytes, now: Now) {
        if let Some(fresh) = self.read(number, value, now) {
            self.put_in(number, fresh);
        }
    }

    /// Reads a value of a line.
    pub(super) fn read(&self, number: u32, value: Bytes, now: Now) -> Option<Fresh> {
        let line = self.line(number)?;
        let slot = &self.slots[line.cluster as usize];
        let row = self.decode(&value).unwrap_or_default();
        let placed = Placed {
            row: &row,
            places: &slot.places,
        };
        let namespace = names(&line.key).0;
        let now_ms = now.wall_ms.saturating_add(slot.ahead_ms);
        let whose = (slot.name.as_str(), namespace.as_str());
        let resource = self.resource.as_ref();
        let plural = resource.map_or("", |resource| &resource.plural);
        Some(Fresh {
            cells: Cells::read(whose, placed, self.columns().len(), now_ms),
            health: line::health(plural, &self.signs, placed),
            namespace_width: line::text_width(&namespace),
            labels: row.metadata.labels,
            value,
        })
    }

    pub(super) fn put_in(&mut self, number: u32, fresh: Fresh) {
        for (known, width) in self.widths.iter_mut().zip(&fresh.cells.widths) {
            *known = (*width).max(*known);
        }
        self.namespace_width = self.namespace_width.max(fresh.namespace_width);
        let labels = self.labels.join(fresh.labels);
        self.haystacks.set(number, fresh.cells.haystack);
        self.instants.set(number, &fresh.cells.instants);
        let at = number as usize;
        self.labels
            .leave(std::mem::replace(&mut self.label_sets[at], labels));
        self.read_again(number);
        self.kept.changed(number, self.lines.len());
        if let Some(line) = self.line_mut(number) {
            let (cluster, before) = (line.cluster, line.health);
            (line.value, line.health) = (fresh.value, fresh.health);
            self.count(cluster, before, -1);
            self.count(cluster, fresh.health, 1);
        }
        self.note_group(number);
    }

    /// Reads anew what a line is sorted by, which counts for what the column is.
    pub(super) fn read_again(&mut self, number: u32) {
        let cell = self.sort.by.map(|field| self.sort_cell(field, number));
        let reading = cell.map(|cell| cell.reading()).unwrap_or_default();
        let before = std::mem::replace(&mut self.readings[number as usize], reading);
        self.tally.remove(before);
        self.tally.add(reading);
    }
}
