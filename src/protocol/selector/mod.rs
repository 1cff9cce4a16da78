//! Selectors in kubectl's language, brought into one form, so that selections that mean the same are one stream.
//!
//! The grammar, what is valid, and the words of each error are those of Kubernetes' apimachinery (`pkg/labels` and
//! `pkg/fields`, v0.36): a user reads what kubectl would have said.

mod fields;
mod labels;
mod lexer;
mod validation;

pub use fields::FieldSelector;
pub use labels::LabelSelector;

/// Why a text is no selector, in apimachinery's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSelector(String);
