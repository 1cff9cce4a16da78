//! Selectors in kubectl's language, brought into one form, so that selections that mean the same are one stream.
//!
//! The grammar, what is valid, and the words of each error are those of Kubernetes' apimachinery (`pkg/labels` and
//! `pkg/fields`, v0.36): a user reads what kubectl would have said.

mod fields;
mod labels;
mod lexer;
mod validation;

pub use fields::FieldSelector;
pub use labels::{LabelCondition, LabelSelector};

/// Checks a label as Kubernetes checks one.
///
/// # Errors
/// What is wrong with its key, or with its value, in apimachinery's words.
pub fn check_label(key: &str, value: &str) -> Result<(), InvalidSelector> {
    let key_is = validation::key_errors(key).map(|why| format!("key {key:?}: {why}"));
    let value_is = || validation::value_errors(value).map(|why| format!("value {value:?}: {why}"));
    match key_is.or_else(value_is) {
        Some(why) => Err(InvalidSelector(format!("invalid label {why}"))),
        None => Ok(()),
    }
}

/// Why a text is no selector, in apimachinery's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSelector(String);
