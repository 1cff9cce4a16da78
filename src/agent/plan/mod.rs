//! What an agent does with a `ManifestWork`: in which order, how, what it removes, and what it reports.
//!
//! | module | what it decides |
//! |---|---|
//! | [`manifest`] | which object a manifest is |
//! | [`order`] | in which order they are written and removed |
//! | [`strategy`] | how one is written, if at all; [`ignore`]: without which fields |
//! | [`prune`] | what is removed, and what is only let go; [`elsewhere`]: since another work wants it |
//! | [`evict`] | what becomes of a work that its hub does not list any more |
//! | [`feedback`] | what of an object's status goes back |
//! | [`rules`] | conditions made of an object |
//! | [`report`] | the status of the work |
//! | [`throttle`] | when that is sent |
//! | [`unsupported`] | what of a work is not honoured |
//!
//! # Rules
//! - Nothing is removed unless the stream of works is whole, and says so: a hub that is empty, new or restored removes
//!   nothing by being so.
//! - Only what the inventory lists is removed, only the very object (by its uid) that was put there, and only if no other
//!   work wants it. While one that may want it cannot be read, it waits.
//! - An object belongs to one work. A second one that wants it is told which, and waits until the first lets go.
//!
//! **Architecture invariant:** pure.

pub mod elsewhere;
pub mod evict;
pub mod feedback;
pub mod ignore;
pub mod manifest;
pub mod order;
pub mod prune;
pub mod report;
pub mod rules;
pub mod strategy;
#[cfg(test)]
mod tests;
pub mod throttle;
pub mod unsupported;
