//! `get`, without broker and terminal: what to ask, whose answers are in, what to print.
//!
//! [`Collector`] is a state machine. Told of clusters, of what their streams do, and of the time, it answers with
//! text for stdout and stderr, and at last with an exit code. The command around it (`commands::get`) carries that
//! between an [`mqtt_informer::informer::Informer`] and the terminal, and does nothing else.
//!
//! | module | what it is |
//! |---|---|
//! | [`output`] | the words of `-o` |
//! | [`plan`] | words and flags, checked as kubectl checks them, in kubectl's words |
//! | [`catalog`] | what clusters have; categories such as `all` |
//! | [`api_resources`] | what `api-resources` prints of it |
//! | [`cluster_selector`] | `--cluster`, `--context`: names, globs, groups, exclusions |
//! | [`namespaces`] | one namespace, all, or each cluster's own |
//! | [`collector`] | whose answers are in, who is late, when to print, when to end |
//! | [`member`] | one cluster of a `get`: its streams, and what became of each |
//! | [`roll`] | who has answered, for commands that are no `get` |
//! | [`mod@block`] | the answers of one resource |
//! | [`printer`] | answers as tables, objects or names |
//! | `sorting` | rows in the order of a column |
//! | [`messages`] | the lines for stderr |
//!
//! **Architecture invariant:** pure. No IO, no clock but the one given, no async.

pub mod api_resources;
pub mod block;
pub mod catalog;
pub mod cluster_selector;
pub mod collector;
pub mod member;
pub mod messages;
pub mod namespaces;
pub mod output;
pub mod plan;
pub mod printer;
pub mod roll;
mod sorting;

pub use cluster_selector::{ClusterSelector, Groups};
pub use collector::{Collector, Output};
pub use member::StreamView;
pub use namespaces::Namespaces;
pub use plan::{Form, Plan, Target};
