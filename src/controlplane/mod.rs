//! The role on the hub's side: the fleet as one API, in one database.

pub mod announce;
pub mod client;
pub mod search;
pub mod serve;
