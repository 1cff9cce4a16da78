//! What `wait --for` waits for, without broker and terminal: conditions, read and looked for in an object.
//!
//! kubectl's wait.go, condition.go and json.go. How it goes on in time is `get::collector`'s, since the clusters, their
//! streams and what can go wrong with them are the same.
//!
//! **Architecture invariant:** pure.

mod condition;

pub use condition::{Condition, Met};

use crate::print::jsonpath::SyntaxError;
use std::time::Duration;

/// What to wait for, and for how long.
#[derive(Clone, Debug)]
pub struct Wait {
    /// All of these, one after the other.
    pub conditions: Vec<Condition>,
    /// For how long; zero looks once.
    pub timeout: Duration,
    /// Objects that do not exist yet are waited for.
    pub for_creation: bool,
    /// Objects that do not exist are what is wanted.
    pub for_deletion: bool,
    /// Print the objects instead of a line each.
    pub prints_objects: bool,
}

impl Wait {
    /// Reads the words of `--for`.
    ///
    /// # Errors
    /// In kubectl's words.
    pub fn parse(
        words: &[String],
        timeout: Duration,
        prints_objects: bool,
    ) -> Result<Self, InvalidWait> {
        if words.is_empty() {
            return Err(InvalidWait::Nothing);
        }
        let conditions = words.iter().map(|word| Condition::parse(word));
        let is = |wanted: &str| words.iter().any(|word| word.to_lowercase() == wanted);
        Ok(Self {
            conditions: conditions.collect::<Result<_, _>>()?,
            timeout,
            for_creation: is("create"),
            for_deletion: is("delete"),
            prints_objects,
        })
    }
}

/// Why nothing can be waited for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWait {
    /// No `--for`.
    #[error("unrecognized condition: []")]
    Nothing,
    /// A word that means nothing.
    #[error("unrecognized condition: {0}")]
    Unknown(String),
    /// Too many `=`.
    #[error(
        "jsonpath wait format must be --for=jsonpath='{{.status.readyReplicas}}'=3 or \
         --for=jsonpath='{{.status.readyReplicas}}'"
    )]
    Format,
    /// Nothing behind the `=`.
    #[error(
        "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{{.status.readyReplicas}}'=3"
    )]
    NoValue,
    /// `--for=jsonpath=`
    #[error("jsonpath expression cannot be empty")]
    NoPath,
    /// A mistake in the JSONPath, and the path.
    #[error("{0}")]
    Path(SyntaxError, String),
}
