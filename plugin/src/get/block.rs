//! Answers that are printed together.

use super::member::Answer;
use crate::table::Resource;
use mqtt_informer::protocol::names::ClusterName;

/// The answers of one resource, in the order in which they are printed.
#[derive(Debug)]
pub struct Block {
    /// The resource as the first answer has it.
    pub resource: Resource,
    /// Whose answers.
    pub answers: Vec<(ClusterName, Answer)>,
}

/// Which value of which answer of which block.
pub(super) type Place = (usize, usize, usize);
