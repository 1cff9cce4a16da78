//! What crosses the broker: names, topics, messages, their bytes.
//!
//! **Architecture invariant:** this module does no IO and knows no clock. Everything decoded here comes from outside
//! and is hostile until it has been checked; a decoder returns an error, it never panics and never allocates more than
//! its caller allowed.

pub mod compress;
pub mod entries;
pub mod frame;
pub mod logs;
pub mod message;
pub mod names;
pub mod rows;
pub mod selector;
pub mod stream;
pub mod topics;
mod wire;
mod zstandard;
