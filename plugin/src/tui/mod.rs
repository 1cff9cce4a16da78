//! The terminal UI: every cluster's objects on one screen, live.
//!
//! ```text
//! keys, time, what clusters tell ──> update(&mut App, Event) ──> Effects ──> the driver (commands/tui)
//!                                          │
//!                                        App ──> draw(&App, &mut Frame)
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`app`] | all that the screen shows |
//! | [`standing`] | what may be shown as live |
//! | [`event`] | what happens, and what is to be done about it |
//! | [`update()`] | from one to the other |
//! | [`mod@draw`] | how it looks |
//! | [`view`] | what can be on the screen |
//! | [`grid`] | rows of one resource of all clusters, in order, filtered |
//! | [`query`] | filters |
//! | [`command`], [`prompt`] | what is typed |
//! | [`keys`] | what keys do |
//! | [`theme`] | colours by their meaning |
//! | [`health`], [`object`] | what is read of rows |
//! | [`usage`] | what pods and nodes use |
//!
//! **Architecture invariant:** no IO, no clock but the one that events bring; it shows, and changes nothing in any
//! cluster.

pub mod app;
pub mod command;
pub mod draw;
pub mod event;
pub mod grid;
pub mod health;
pub mod keys;
pub mod object;
pub mod prompt;
pub mod query;
pub mod standing;
pub mod theme;
pub mod update;
pub mod usage;
pub mod view;

#[cfg(test)]
mod testing;

pub use draw::draw;
pub use update::update;
