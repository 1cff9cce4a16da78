//! What many lines have in common, kept once: labels, and the groups that lines stand in.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// As an object has them.
pub(super) type Labels = BTreeMap<String, String>;

/// Sets of labels by numbers: the pods of a replica set have the same. The set with no labels is 0, and always there.
#[derive(Debug, Default)]
pub(super) struct LabelSets {
    numbers: HashMap<Arc<Labels>, u32>,
    /// From 1 on: each with the number of lines that have it.
    sets: Vec<(Arc<Labels>, usize)>,
    free: Vec<u32>,
    none: Labels,
}

impl LabelSets {
    /// The number of a set that one more line has.
    pub(super) fn join(&mut self, labels: Labels) -> u32 {
        if labels.is_empty() {
            return 0;
        }
        if let Some(number) = self.numbers.get(&labels) {
            self.sets[*number as usize - 1].1 += 1;
            return *number;
        }
        let labels = Arc::new(labels);
        let set = (Arc::clone(&labels), 1);
        let number = match self.free.pop() {
            Some(number) => {
                self.sets[number as usize - 1] = set;
                number
            }
            None => {
                self.sets.push(set);
                u32::try_from(self.sets.len()).unwrap_or_default()
            }
        };
        self.numbers.insert(labels, number);
        number
    }

    /// A line has it no longer; with its last line it is forgotten.
    pub(super) fn leave(&mut self, number: u32) {
        let Some((labels, lines)) = self.of(number) else {
            return;
        };
        *lines -= 1;
        if *lines == 0 {
            let labels = std::mem::take(labels);
            self.numbers.remove(&labels);
            self.free.push(number);
        }
    }

    pub(super) fn get(&self, number: u32) -> &Labels {
        let at = (number as usize).checked_sub(1);
        let set = at.and_then(|at| self.sets.get(at));
        set.map_or(&self.none, |(labels, _)| labels)
    }

    fn of(&mut self, number: u32) -> Option<&mut (Arc<Labels>, usize)> {
        let at = (number as usize).checked_sub(1)?;
        self.sets.get_mut(at)
    }
}

/// The names of groups by numbers, and how they stand to each other. 0 is the group of lines that are in none.
#[derive(Debug)]
pub(super) struct Groups {
    numbers: HashMap<Arc<str>, u32>,
    /// Each with the number of lines that are in it.
    names: Vec<(Arc<str>, usize)>,
    free: Vec<u32>,
    ranks: Vec<u32>,
}

impl Default for Groups {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            names: vec![(Arc::default(), 0)],
            free: Vec::new(),
            ranks: vec![0],
        }
    }
}

impl Groups {
    /// The number of a group that one more line is in. A new one has no rank before [`Self::rank_all`].
    pub(super) fn join(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            self.names[*number as usize].1 += 1;
            return *number;
        }
        let name: Arc<str> = name.into();
        let group = (Arc::clone(&name), 1);
        let number = match self.free.pop() {
            Some(number) => {
                self.names[number as usize] = group;
                number
            }
            None => {
                self.names.push(group);
                u32::try_from(self.names.len() - 1).unwrap_or_default()
            }
        };
        self.numbers.insert(name, number);
        number
    }

    /// A line is in it no longer; with its last line its number is free.
    pub(super) fn leave(&mut self, number: u32) {
        let Some((name, lines)) = self.names.get_mut(number as usize).filter(|_| number > 0) else {
            return;
        };
        *lines -= 1;
        if *lines == 0 {
            self.numbers.remove(name);
            self.free.push(number);
        }
    }

    /// Ranks by name: where all lines are sorted at once, numbers are compared some times faster.
    pub(super) fn rank_all(&mut self) {
        let mut numbers: Vec<usize> = (0..self.names.len()).collect();
        numbers.sort_by_key(|number| &self.names[*number].0);
        self.ranks = vec![0; numbers.len()];
        for (number, rank) in numbers.into_iter().zip(0..) {
            self.ranks[number] = rank;
        }
    }

    /// As it was ranked last.
    pub(super) fn rank(&self, number: u32) -> u32 {
        self.ranks.get(number as usize).copied().unwrap_or_default()
    }

    /// How two stand to each other, whether they were ranked or not.
    pub(super) fn compare(&self, one: u32, other: u32) -> Ordering {
        match one == other {
            true => Ordering::Equal,
            false => self.name(one).cmp(self.name(other)),
        }
    }

    pub(super) fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", |(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(app: &str) -> Labels {
        BTreeMap::from([("app".to_owned(), app.to_owned())])
    }

    #[test]
    fn a_set_lives_as_long_as_lines_have_it() {
        let mut sets = LabelSets::default();
        let (web, db) = (sets.join(labels("web")), sets.join(labels("db")));
        assert_eq!(
            (sets.join(labels("web")), sets.join(Labels::new())),
            (web, 0)
        );
        assert_eq!(
            (sets.get(web), sets.get(0)),
            (&labels("web"), &Labels::new())
        );
        sets.leave(web);
        assert_eq!(sets.get(web), &labels("web"));
        sets.leave(web);
        sets.leave(0);
        assert_eq!(sets.numbers.len(), 1);
        assert_eq!(sets.join(labels("cache")), web, "its number is free");
        assert_eq!(
            (sets.get(web), sets.get(db)),
            (&labels("cache"), &labels("db"))
        );
    }

    #[test]
    fn groups_stand_by_name_whenever_they_came() {
        let mut groups = Groups::default();
        let (b, a) = (groups.join("b"), groups.join("a"));
        groups.rank_all();
        assert!(groups.rank(a) < groups.rank(b) && groups.rank(0) < groups.rank(a));
        let c = groups.join("aa");
        assert!(groups.compare(a, c).is_lt() && groups.compare(c, b).is_lt());
        assert_eq!((groups.join("b"), groups.name(c)), (b, "aa"));
    }

    #[test]
    fn a_group_lives_as_long_as_lines_are_in_it() {
        let mut groups = Groups::default();
        let b = groups.join("b");
        groups.join("b");
        groups.leave(b);
        assert_eq!(groups.join("c"), b + 1);
        groups.leave(b);
        groups.leave(0);
        assert_eq!((groups.join("d"), groups.name(b)), (b, "d"));
        assert_ne!(groups.join("b"), b);
    }
}
