//! What somebody asked for that we do not do: said in a condition, never passed over in silence.

use super::Condition;
use super::conditions::{condition, remove, set};
use k8s_openapi::jiff::Timestamp;

/// The condition that names the fields which are not honoured; it is there only if there are some.
pub const UNSUPPORTED: &str = "mqinformer.io/Unsupported";

/// A field that is not honoured.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unsupported {
    /// Where it is: `spec.predicates[0].requiredClusterSelector.celSelector`.
    pub field: String,
    /// What happens instead.
    pub instead: &'static str,
}

impl Unsupported {
    /// That field, and what happens instead.
    pub fn new(field: impl Into<String>, instead: &'static str) -> Self {
        Self {
            field: field.into(),
            instead,
        }
    }
}

/// All of them in one sentence.
pub fn message(fields: &[Unsupported]) -> String {
    let each = fields
        .iter()
        .map(|it| format!("{}: {}", it.field, it.instead));
    each.collect::<Vec<_>>().join("; ")
}

/// Says it in the conditions, or takes it back.
pub fn tell(conditions: &mut Vec<Condition>, fields: &[Unsupported], now: Timestamp) {
    if fields.is_empty() {
        return remove(conditions, UNSUPPORTED);
    }
    let text = message(fields);
    set(
        conditions,
        condition(UNSUPPORTED, true, "UnsupportedFields", text, now),
    );
}
