//! What lines are searched by, all of it in one piece of memory.
//!
//! A letter of a filter waits until every line was asked. Of texts that lie each somewhere else most of that is waiting
//! for memory; of texts that lie one behind the other the next is there when the one before has been looked through.

use std::ops::Range;

/// Texts get at least so many bytes more than they need: `Running` may become `CrashLoopBackOff` where it is. Those that
/// had to move are not read in the order in which they lie.
const SPARE: usize = 16;
/// So many bytes may be unused, beside half of all.
const SLACK: usize = 1 << 16;

/// Texts by the numbers of their lines.
#[derive(Debug, Default)]
pub(super) struct Haystacks {
    texts: String,
    rooms: Vec<Room>,
    /// How many bytes of the texts are no line's.
    unused: usize,
}

/// Where a line's text is; what is left of its room has no meaning.
#[derive(Clone, Copy, Debug, Default)]
struct Room {
    begin: usize,
    len: usize,
    size: usize,
}

impl Room {
    fn text(self) -> Range<usize> {
        self.begin..self.begin + self.len
    }

    fn all(self) -> Range<usize> {
        self.begin..self.begin + self.size
    }
}

impl Haystacks {
    /// A line's text; empty if it has none.
    pub(super) fn of(&self, number: u32) -> &str {
        let room = self.rooms.get(number as usize);
        room.map_or("", |room| &self.texts[room.text()])
    }

    /// Gives a line another text.
    pub(super) fn set(&mut self, number: u32, text: String) {
        let at = number as usize;
        if self.rooms.len() <= at {
            self.rooms.resize(at + 1, Room::default());
        }
        match text.len() <= self.rooms[at].size {
            true => self.put_there(at, text),
            false => self.put_behind(at, text),
        }
    }

    /// A line has none any more.
    pub(super) fn clear(&mut self, number: u32) {
        if let Some(room) = self.rooms.get_mut(number as usize) {
            self.unused += std::mem::take(room).size;
            self.close_up();
        }
    }

    fn put_there(&mut self, at: usize, mut text: String) {
        let room = &mut self.rooms[at];
        room.len = text.len();
        fill_up(&mut text, room.size);
        self.texts.replace_range(room.all(), &text);
    }

    fn put_behind(&mut self, at: usize, mut text: String) {
        let len = text.len();
        fill_up(&mut text, len + SPARE);
        let room = Room {
            begin: self.texts.len(),
            len,
            size: text.len(),
        };
        self.texts.push_str(&text);
        self.unused += std::mem::replace(&mut self.rooms[at], room).size;
        self.close_up();
    }

    /// Once much is unused: moves the texts together, in the order in which they are looked through.
    fn close_up(&mut self) {
        if self.unused <= self.texts.len() / 2 + SLACK {
            return;
        }
        let mut texts = String::with_capacity(self.texts.len() - self.unused);
        for room in &mut self.rooms {
            let begin = texts.len();
            texts.push_str(&self.texts[room.all()]);
            room.begin = begin;
        }
        (self.texts, self.unused) = (texts, 0);
    }
}

fn fill_up(text: &mut String, size: usize) {
    text.extend(std::iter::repeat_n('\t', size.saturating_sub(text.len())));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn each_line_has_the_text_that_it_was_given_last(
            deeds in prop::collection::vec((0_u32..8, "[aä€]{0,40}", 0..4), 0..50),
            long in 0_usize..3,
        ) {
            let (mut haystacks, mut model) = (Haystacks::default(), HashMap::new());
            for (number, text, deed) in deeds {
                // Long ones, so that much is unused soon.
                let text = text.repeat(1 + long * 200);
                if deed == 0 {
                    haystacks.clear(number);
                    model.remove(&number);
                } else {
                    haystacks.set(number, text.clone());
                    model.insert(number, text);
                }
                for number in 0..9 {
                    prop_assert_eq!(haystacks.of(number), model.get(&number).map_or("", String::as_str));
                }
                let used: usize = haystacks.rooms.iter().map(|room| room.size).sum();
                prop_assert_eq!(used + haystacks.unused, haystacks.texts.len());
                prop_assert!(haystacks.unused <= haystacks.texts.len() / 2 + SLACK);
            }
        }
    }
}
