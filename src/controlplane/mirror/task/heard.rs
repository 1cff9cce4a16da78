//! What the hub says: of the kind, and of the copies that are there.

use super::super::copy::Kind;
use super::super::decide::{Known, Mirrored};
use super::super::inert;
use super::Task;
use super::clusters::known;
use crate::kubernetes::Heard;
use crate::source::{Event, Resolved};
use tokio::time::Instant;

impl Task {
    pub(super) fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Kind(kind) => self.learn(*kind),
            Heard::Trouble(why) => self.trouble(why),
            Heard::Event(event) => self.copied(event),
        }
    }

    fn trouble(&mut self, why: String) {
        if self.now.trouble.as_ref() != Some(&why) {
            tracing::warn!(resource = %self.now.word, "nothing is mirrored: {why}");
        }
        self.now.trouble = Some(why);
    }

    /// What the word means on the hub, and how that is treated.
    fn learn(&mut self, hub: Resolved) {
        let full = match hub.group.as_str() {
            "" => hub.plural.clone(),
            group => format!("{}.{group}", hub.plural),
        };
        let treatment = match self.as_is.contains(&full) {
            true => Ok(inert::as_is()),
            false => inert::treatment(&hub.group, &hub.plural),
        };
        let treatment = match treatment {
            Ok(treatment) => treatment,
            Err(why) => {
                return self.trouble(format!(
                    "{full} cannot be mirrored: {why}; --mirror-as-is={full} does it nevertheless"
                ));
            }
        };
        self.now.trouble = None;
        let kind = Kind {
            group: hub.group,
            version: hub.version,
            plural: hub.plural,
            kind: hub.kind,
            namespaced: hub.namespaced,
        };
        self.mirrored = Some(Mirrored { kind, treatment });
        let members: Vec<_> = self.watch.members().keys().cloned().collect();
        for cluster in members {
            self.look_at_header(&cluster);
            self.add_all_of(&cluster);
        }
    }

    fn copied(&mut self, event: Event) {
        let Some(namespaced) = self.mirrored.as_ref().map(|m| m.kind.namespaced) else {
            return;
        };
        let now = Instant::now();
        match event {
            Event::Listing => self.copies.listing(),
            Event::Part(part) => self.copies.part(part),
            Event::Listed(part, _) => {
                self.copies.part(part);
                self.now.listed = true;
                self.now.trouble = None;
                for origin in self.copies.listed(namespaced) {
                    self.queue.add(&origin, now);
                }
                let members: Vec<_> = self.watch.members().keys().cloned().collect();
                for cluster in members {
                    self.add_all_of(&cluster);
                }
            }
            Event::Put(key, value, _) => {
                for origin in self.copies.put(key, value, namespaced) {
                    self.queue.add_for_repair(&origin, now);
                }
            }
            Event::Delete(key, _) => {
                if let Some(origin) = self.copies.remove(&key) {
                    if let Known::Present(..) = known(&self.watch, &self.clusters, &origin) {
                        self.now.repaired += 1;
                        self.queue.repaired(&origin, now);
                    }
                    self.queue.add_for_repair(&origin, now);
                }
            }
            Event::Refused(refusal) => self.trouble(format!("the hub refuses: {refusal}")),
            Event::Down(message) if !self.now.listed => self.trouble(message),
            Event::Down(_) | Event::Watching | Event::Alive | Event::Bookmark(_) | Event::Ended => {
            }
        }
    }
}
