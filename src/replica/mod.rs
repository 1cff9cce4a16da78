//! A consistent, self-healing copy of a keyed collection: both sides of the protocol, as pure state machines.
//!
//! **Architecture invariant:** this module does no IO and reads no clock; whoever drives it brings the time.

mod digest;
mod publisher;
mod reflector;
mod settings;
mod time;

pub use publisher::{
    Counters, Notice, Opening, Output, Publisher, Report, Role, Session, Target, Upstream,
};
pub use reflector::{Ask, Copy, KeyChange, Received, Reflector, Rids, ServerClock, Tally};
pub use settings::Settings;
pub use time::Moment;
