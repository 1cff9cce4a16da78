//! `logs`, without broker and terminal: which logs to read, and how their lines are printed.
//!
//! | module | what it is |
//! |---|---|
//! | [`request`] | words and flags, checked |
//! | [`pods`] | what of a pod's JSON matters: its containers, and which of them are meant |
//! | [`tracker`] | which logs to open now, as pods and containers come, restart and go |
//! | [`text`] | lines as text or JSON, with a prefix and colours |
//!
//! **Architecture invariant:** pure. No IO, no clock but the one given, no async.

pub mod pods;
pub mod request;
pub mod text;
pub mod tracker;
