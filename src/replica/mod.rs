//! A consistent, self-healing copy of a keyed collection: both sides of the protocol, as pure state machines.
//!
//! **Architecture invariant:** this module does no IO and reads no clock; whoever drives it brings the time.

mod answer;
mod buffer;
mod collection;
mod copy;
mod cursor;
mod delta;
mod digest;
mod election;
mod feed;
mod mutants;
mod publisher;
mod reflector;
mod request;
mod settings;
#[cfg(test)]
mod simulator;
mod staging;
mod stream;
mod time;
mod turns;

pub use copy::{Copy, KeyChange};
pub use publisher::{
    Counters, Notice, Opening, Output, Publisher, Report, Role, Session, Target, Upstream,
};
pub use reflector::{Ask, Received, Reflector, Rids, ServerClock, Tally};
pub use settings::Settings;
pub use time::Moment;
