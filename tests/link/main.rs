//! The link against real brokers: mosquitto as users run it, and the embedded one.
//!
//! No test sleeps: each waits for an event, with a deadline that only a hang reaches.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub
)]

mod access;
mod brokers;
mod bulk;
mod client;
mod failures;
mod mosquitto;
mod peer;
mod web_sockets;
