//! What the unit tests cannot see: the layering, the programs as users run them, real clusters behind a real broker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod bad_input;
mod broker_role;
mod completion;
mod controlplane;
mod describe;
mod differential;
mod direct;
mod examples;
mod faults;
mod hub;
mod in_process;
mod layering;
mod library;
mod logs;
mod manifests;
mod masked;
mod parity;
mod past;
mod programs;
mod refusals;
mod scene;
mod secrecy;
mod serve;
mod serving;
mod store;
mod tap;
mod tui;
