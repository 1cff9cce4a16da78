//! `kubectl mqinformer`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod get;
pub mod print;
pub mod table;
