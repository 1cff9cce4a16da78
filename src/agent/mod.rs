//! The agent of a cluster: it puts there what its hub wants, keeps it so, and says what became of it.
//!
//! [`plan`] decides; it is pure. What asks it, and does what it says, stands around it.

pub mod plan;
