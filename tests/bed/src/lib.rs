//! The bed: real API servers and a real broker, built and started on this machine, for tests and for people.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use bed::{Bed, BrokerSetup, User};
//!
//! let bed = Bed::shared()?; //                         one for all tests of a binary, started when first asked for
//! let cluster = bed.cluster("cluster1")?; //           etcd + API server, 2 s
//! cluster.controllers()?; //                           and controllers, scheduler, nodes on which pods run
//! let namespace = cluster.namespace("rollout")?; //    tests share a cluster and have a namespace of their own
//! cluster.kubectl_ok(&["-n", &namespace, "create", "deployment", "web", "--image=nginx"])?;
//!
//! let mine = bed.private_cluster("victim")?; //        for a test that kills things: nobody else's, ended on drop
//! mine.apiserver().kill_9()?;
//! mine.apiserver().restart()?;
//!
//! let broker = bed.broker(&BrokerSetup::plain())?; //  10 ms: a test has its own, ended on drop
//! let kubeconfig = cluster.kubeconfig(User::ViewerWithoutSecrets);
//! # Ok(()) }
//! ```
//!
//! Layers, each knowing only those before it: `ports`, `state` (who was started), `spawner` (so that nobody outlives
//! us), `component` (one program's life), `pki`, `api`, `access` (who may do what), `binaries` (what is started),
//! [`Cluster`], [`Broker`] and [`Postgres`], [`Bed`].
//!
//! **Architecture Invariants.** Nothing that the bed starts outlives its owner, however the owner ends (`spawner`).
//! Nothing is ended that the bed has not started (`state`). Nobody sleeps to wait for something that can be asked.
//! Nothing is written outside of the bed's own directory and the cache of built programs.
//!
//! Linux only: it reads `/proc`, and starts programs through util-linux.

mod access;
mod api;
mod binaries;
mod broker;
mod cluster;
mod component;
mod fixtures;
mod packages;
mod picture;
mod pki;
mod ports;
mod postgres;
mod site;
mod spawner;
mod standing;
mod state;
mod terminal;

pub use access::User;
pub use api::{Answer, Api};
pub use binaries::{Binaries, KUBERNETES};
pub use broker::{Broker, BrokerSetup, Tls, mosquitto};
pub use cluster::{Cluster, Controllers, wait_for};
pub use component::Component;
pub use fixtures::CANARY;
pub use picture::svg;
pub use pki::{Authority, Identity};
pub use ports::choose as choose_ports;
pub use postgres::Postgres;
pub use site::Bed;
pub use spawner::{owned, spawn};
pub use standing::Standing;
pub use state::{ClusterEntry, Process, State};
pub use terminal::{Signal, Size, Terminal, Written};
pub use vt100;
