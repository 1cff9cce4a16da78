//! The terminal UI: every cluster's objects on one screen, live.

pub mod grid;
pub mod health;
pub mod object;
pub mod query;
