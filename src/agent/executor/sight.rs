//! What is known of one object, which is told by two: its watch, whose words come in order, and turns of works, whose
//! answers may come late.

use serde_json::Value;
use std::sync::Arc;

/// An object, as far as it is known; one of which nothing is known has to be asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum There {
    /// It is there.
    Yes(Arc<Value>),
    /// It is not.
    No,
}

/// What is known of one object, and by how many words of its watch.
#[derive(Debug, Default)]
pub(super) struct Sight {
    known: Option<There>,
    /// Which one of that name the watch shows: its uid.
    shown: Option<String>,
    words: u64,
}

impl Sight {
    /// What there is; none: it has to be asked for.
    pub(super) fn known(&self) -> Option<&There> {
        self.known.as_ref()
    }

    /// How often the watch has spoken of it.
    pub(super) fn words(&self) -> u64 {
        self.words
    }

    /// The watch shows it; whether that is news.
    pub(super) fn shows(&mut self, object: Arc<Value>) -> bool {
        self.words += 1;
        self.shown = uid(&object);
        self.take(object)
    }

    /// The watch does not show it (any more); whether that is news. One that a turn has seen, and the watch has not yet
    /// shown, may be there all the same.
    pub(super) fn is_gone(&mut self) -> bool {
        self.words += 1;
        let shown = self.shown.take();
        let now = match &self.known {
            Some(There::Yes(known)) if uid(known) != shown => None,
            _ => Some(There::No),
        };
        let is_news = self.known != now;
        self.known = now;
        is_news
    }

    /// The watch says nothing any more, or nothing that can be understood.
    pub(super) fn forget(&mut self) {
        self.words += 1;
        (self.known, self.shown) = (None, None);
    }

    /// What a turn saw that began after so many words. If there were more of them since, nobody knows which came first,
    /// but of two states of one object.
    pub(super) fn saw(&mut self, object: Arc<Value>, words: u64) {
        let is_known = |it: &There| matches!(it, There::Yes(known) if uid(known) == uid(&object));
        if self.words == words || self.known.as_ref().is_some_and(is_known) {
            self.take(object);
        } else {
            self.known = None;
        }
    }

    /// Whether that is news; what is older than what is known is none.
    fn take(&mut self, object: Arc<Value>) -> bool {
        if let Some(There::Yes(known)) = &self.known
            && (*known == object || is_older(&object, known))
        {
            return false;
        }
        self.known = Some(There::Yes(object));
        true
    }
}

fn uid(object: &Value) -> Option<String> {
    object["metadata"]["uid"].as_str().map(str::to_owned)
}

/// Whether one state is older than another one: of one collection, all versions are of one sequence.
fn is_older(new: &Value, known: &Value) -> bool {
    let version = |object: &Value| -> Option<u64> {
        object["metadata"]["resourceVersion"].as_str()?.parse().ok()
    };
    let both = version(new).zip(version(known));
    both.is_some_and(|(new, known)| new < known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(uid: &str, version: u64) -> Arc<Value> {
        let version = version.to_string();
        Arc::new(json!({"metadata": {"uid": uid, "resourceVersion": version}}))
    }

    fn there(uid: &str, version: u64) -> Option<There> {
        Some(There::Yes(object(uid, version)))
    }

    #[test]
    fn an_answer_that_comes_after_the_end_does_not_bring_it_back() {
        let mut sight = Sight::default();
        assert!(sight.shows(object("1", 5)));
        let began = sight.words();
        assert!(sight.is_gone() && sight.known == Some(There::No));
        sight.saw(object("1", 6), began);
        assert_eq!(sight.known, None, "it has to be asked for");
    }

    #[test]
    fn an_answer_about_one_before_does_not_hide_the_one_that_is_there() {
        let mut sight = Sight::default();
        sight.shows(object("1", 5));
        let began = sight.words();
        sight.is_gone();
        sight.shows(object("2", 9));
        sight.saw(object("1", 6), began);
        assert_eq!(sight.known, None);
        sight.saw(object("2", 9), sight.words());
        assert_eq!(sight.known, there("2", 9));
    }

    #[test]
    fn the_end_of_one_before_is_not_the_end_of_what_a_turn_made_since() {
        let mut sight = Sight::default();
        sight.shows(object("1", 5));
        sight.saw(object("2", 9), sight.words());
        assert_eq!(sight.known, there("2", 9));
        assert!(!sight.shows(object("1", 6)), "it is older");
        assert!(sight.is_gone());
        assert_eq!(sight.known, None, "it has to be asked for");
        assert!(sight.shows(object("2", 9)) && sight.is_gone());
        assert_eq!(sight.known, Some(There::No));
    }

    #[test]
    fn a_list_from_before_it_was_made_says_nothing_of_it() {
        let mut sight = Sight::default();
        sight.saw(object("1", 5), 0);
        assert!(sight.is_gone());
        assert_eq!(sight.known, None);
    }

    #[test]
    fn of_one_object_the_newer_state_counts() {
        let mut sight = Sight::default();
        sight.shows(object("1", 5));
        let began = sight.words();
        assert!(!sight.shows(object("1", 4)) && !sight.shows(object("1", 5)));
        sight.saw(object("1", 7), began);
        assert_eq!(sight.known, there("1", 7));
        sight.saw(object("1", 6), began);
        assert_eq!(sight.known, there("1", 7));
    }
}
