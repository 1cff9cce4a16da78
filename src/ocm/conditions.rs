//! Conditions, set and found as apimachinery's `meta.SetStatusCondition` and its like do.

use super::{Condition, Time};
use k8s_openapi::jiff::Timestamp;

/// The longest message that the API server takes; longer ones are cut.
const LONGEST_MESSAGE: usize = 32768;

/// What a condition says of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It holds.
    True,
    /// It does not.
    False,
    /// Nobody knows.
    Unknown,
}

impl State {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<bool> for State {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// A condition that begins now.
pub fn condition(
    kind: &str,
    state: impl Into<State>,
    reason: &str,
    message: impl Into<String>,
    now: Timestamp,
) -> Condition {
    Condition {
        type_: kind.to_owned(),
        status: state.into().as_str().to_owned(),
        reason: reason.to_owned(),
        message: cut(message.into()),
        last_transition_time: Time(now),
        observed_generation: None,
    }
}

/// The same, said of that generation.
pub fn observed(condition: Condition, generation: Option<i64>) -> Condition {
    Condition {
        observed_generation: generation,
        ..condition
    }
}

/// The condition of that type.
pub fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|it| it.type_ == kind)
}

/// Whether the condition of that type holds.
pub fn is_true(conditions: &[Condition], kind: &str) -> bool {
    find(conditions, kind).is_some_and(|it| it.status == "True")
}

/// Puts a condition where the one of its type is; since when it holds is kept as long as its status does not change.
pub fn set(conditions: &mut Vec<Condition>, new: Condition) {
    match conditions.iter_mut().find(|it| it.type_ == new.type_) {
        Some(old) if old.status == new.status => {
            let since = old.last_transition_time.clone();
            *old = Condition {
                last_transition_time: since,
                ..new
            };
        }
        Some(old) => *old = new,
        None => conditions.push(new),
    }
}

/// As [`set`], of a type that OCM's controllers write as well, without a generation: one that says the same is left as it
/// is, or the two would write it in turns for ever.
pub fn set_beside(conditions: &mut Vec<Condition>, new: Condition) {
    let says_the_same = find(conditions, &new.type_).is_some_and(|old| {
        let words = |it: &Condition| (it.status.clone(), it.reason.clone(), it.message.clone());
        old.observed_generation.is_none() && words(old) == words(&new)
    });
    if !says_the_same {
        set(conditions, new);
    }
}

/// Removes the condition of that type.
pub fn remove(conditions: &mut Vec<Condition>, kind: &str) {
    conditions.retain(|it| it.type_ != kind);
}

fn cut(mut message: String) -> String {
    if message.chars().count() > LONGEST_MESSAGE {
        message = message.chars().take(LONGEST_MESSAGE - 1).collect();
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn since_when_is_kept_while_the_status_is() {
        let mut all = Vec::new();
        set(&mut all, condition("A", true, "First", "", at(1)));
        set(&mut all, condition("A", true, "Second", "", at(2)));
        assert_eq!(
            (all[0].reason.as_str(), all[0].last_transition_time.0),
            ("Second", at(1))
        );
        set(&mut all, condition("A", false, "Third", "", at(3)));
        assert_eq!(all[0].last_transition_time.0, at(3));
        assert!(!is_true(&all, "A"));
        remove(&mut all, "A");
        assert!(all.is_empty());
    }

    #[test]
    fn what_another_controller_says_without_a_generation_is_left_to_it() {
        let said = |reason, generation| {
            observed(condition("A", true, reason, "", at(1)), Some(generation))
        };
        let mut all = vec![condition("A", true, "Same", "", at(1))];
        set_beside(&mut all, said("Same", 1));
        assert_eq!(all[0].observed_generation, None);
        set_beside(&mut all, said("Other", 1));
        assert_eq!(all[0].observed_generation, Some(1));
        set_beside(&mut all, said("Other", 2));
        assert_eq!(all[0].observed_generation, Some(2), "ours is kept up");
    }

    #[test]
    fn a_message_is_no_longer_than_an_api_server_takes() {
        let long = condition("A", true, "R", "ä".repeat(40_000), at(1));
        assert_eq!(long.message.chars().count(), LONGEST_MESSAGE);
    }
}
