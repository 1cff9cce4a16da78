//! The plugin as people run it: its help, its words about what is wrong, and a `get` through a real broker on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod broker;
mod cache;
mod cli;
mod config;
mod diff;
mod krew;
mod screen;
mod wire;
