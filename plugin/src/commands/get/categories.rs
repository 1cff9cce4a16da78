//! Words that stand for several types: `all`, and what else the clusters' resources call themselves.

use super::session::Session;
use crate::error::Failure;
use crate::get::api_resources::Choice;
use crate::get::plan::InvalidPlan;
use crate::get::{ClusterSelector, Output, Plan};
use crate::scope::Attached;
use crate::terminal::Terminal;

/// What came of words that may be categories.
pub(in crate::commands) enum Expanded {
    /// Those that are, are replaced by their types.
    Words(Vec<String>),
    /// No cluster has said what it has; this is why.
    Unheard(Vec<Output>),
}

/// Whether the word that everybody knows is among them.
pub(in crate::commands) fn says_all(words: &[String]) -> bool {
    let types = words.first();
    types.is_some_and(|types| types.split(',').any(|word| word == "all"))
}

/// The words with categories replaced by their types, as the clusters have them. How long is waited, and for whom, says
/// the plan.
///
/// # Errors
/// When a name stands behind what turns out to be several types.
pub(in crate::commands) async fn expanded(
    plan: Plan,
    words: &[String],
    selector: &ClusterSelector,
    attached: &Attached,
) -> Result<Expanded, Failure> {
    let mut session = Session::new(attached, plan.of_catalogs(Choice::default()), selector);
    let mut silent = Terminal::new();
    // What is wrong with a cluster is told when it is asked for the objects; a slow one is not waited for.
    let mut outputs = Vec::new();
    loop {
        outputs.extend(session.step());
        let is_done = outputs.iter().any(|it| matches!(it, Output::Done(_)));
        if session.collector.catalogs().iter().next().is_some() {
            break;
        }
        if is_done {
            return Ok(Expanded::Unheard(outputs));
        }
        session.wait(&mut silent).await?;
    }
    let types = words
        .first()
        .and_then(|types| session.collector.catalogs().expanded(types));
    match types {
        Some(types) if words.len() > 1 && types.contains(',') => {
            Err(Failure::because(InvalidPlan::SeveralTypes))
        }
        Some(types) => {
            let rest = words.iter().skip(1).cloned();
            Ok(Expanded::Words(
                std::iter::once(types).chain(rest).collect(),
            ))
        }
        None => Ok(Expanded::Words(words.to_vec())),
    }
}
