//! What a placement's readers are told.

use super::Scheduling;
use crate::ocm::{PlacementDecision, name, namespace};

/// The longest note that an event takes, some characters spared.
const LONGEST_NOTE: usize = 1000;

/// An event about a placement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The decision that it is about.
    pub decision: String,
    /// Why, in one word.
    pub reason: &'static str,
    /// What was done.
    pub action: &'static str,
    /// The sentence.
    pub note: String,
}

/// What became of the decisions.
pub(super) fn events(
    world: &Scheduling<'_>,
    decisions: &[PlacementDecision],
    redundant: &[String],
) -> Vec<Event> {
    let mut all = Vec::new();
    for new in decisions {
        let old = world.own_decisions().find(|it| name(*it) == name(new));
        match old {
            None => all.push(event(
                world,
                name(new),
                "DecisionCreate",
                "DecisionCreated",
                "created",
            )),
            Some(old) if old.decisions() == new.decisions() => continue,
            Some(_) => all.push(event(
                world,
                name(new),
                "DecisionUpdate",
                "DecisionUpdated",
                "updated",
            )),
        }
        all.push(scores(new));
    }
    let gone = redundant.iter();
    all.extend(gone.map(|it| event(world, it, "DecisionDelete", "DecisionDeleted", "deleted")));
    all
}

fn event(
    world: &Scheduling<'_>,
    decision: &str,
    reason: &'static str,
    action: &'static str,
    done: &str,
) -> Event {
    let (placement, here) = (name(world.placement), namespace(world.placement));
    Event {
        decision: decision.to_owned(),
        reason,
        action,
        note: format!(
            "Decision {decision} is {done} with placement {placement} in namespace {here}"
        ),
    }
}

fn scores(decision: &PlacementDecision) -> Event {
    let mut note = String::new();
    for one in decision.decisions() {
        let text = format!("{}:{} ", one.cluster_name, one.score.unwrap_or_default());
        if note.len() + text.len() > LONGEST_NOTE {
            note.push_str("......");
            break;
        }
        note.push_str(&text);
    }
    Event {
        decision: name(decision).to_owned(),
        reason: "ScoreUpdate",
        action: "ScoreUpdated",
        note,
    }
}
