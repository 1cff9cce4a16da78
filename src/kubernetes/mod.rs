//! The API server's side: what a source serves when its upstream is a Kubernetes cluster.
//!
//! ```text
//! server ── resolve ──> discovery ─> catalog     which resource a word means
//!    ├───── run ──────> list_watch                list, watch, resume, relist
//!    │                    │  client, lines        HTTP, one line at a time
//!    │                    │    └> connections ─> credentials       who we are to it
//!    │                    │         kubeconfig ─> proxy            where it is
//!    │                    └> view                 JSON to entries
//!    │                         table ─> cell, instants, duration     view `rows`
//!    │                         object ─> secret                      view `objects`
//!    │                  resources                                    view `resources`
//!    └────────────────> write                     apply, create, delete: for roles that keep something there
//! ```
//!
//! Bytes stay bytes: objects are copied member by member from the answer, never through a tree of values.
//!
//! **Architecture invariants:** knows nothing of brokers; only reads (`get`, `list`, `watch`) but for what is asked of
//! `write`, which no source does; Secrets leave through `secret` alone.

mod backoff;
mod catalog;
mod cell;
mod client;
mod clock;
mod configuration;
mod connections;
mod credentials;
mod discovery;
pub mod duration;
mod failure;
mod follow;
#[cfg(test)]
mod guards;
mod install;
mod instants;
pub(crate) mod json;
mod kubeconfig;
mod lines;
mod list_watch;
mod log;
mod number;
mod object;
mod patience;
mod proxy;
mod queue;
mod request;
mod resources;
mod secret;
mod server;
mod table;
mod transport;
mod view;
mod write;

pub use catalog::{Catalog, Resource};
pub use configuration::{Access, ConfigurationError};
pub use credentials::Login;
pub use follow::{Collector, Heard, News, follow};
pub use kubeconfig::Kubeconfig;
pub use queue::Queue;
pub use server::Kubernetes;
pub use write::{Manner, Place, WriteError};

#[cfg(test)]
pub(crate) use patience::Patience;
