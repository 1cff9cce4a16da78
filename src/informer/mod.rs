//! Copies streams over a link into stores: the driver around [`crate::replica::Reflector`], and the library's face.
//!
//! | what | is |
//! |---|---|
//! | [`Informer`] | one connection to a broker: its clusters by their presence, copies of their streams |
//! | [`Store`] | one copy: [`Snapshot`]s of one state of the source, lookups, what changed, its age |
//! | [`Watch`] | one selection from many clusters that come and go, a [`Store`] each |
//! | [`Backing`] | a database that holds the values instead of the copies: memory stays flat as objects grow |
//! | [`Informer::log`] | one container's log, which is no stream |
//! | [`Informer::watcher`] | one cluster's objects as kube-rs's own watch events, for its `Controller` |
//!
//! Dropping a [`Subscription`] or a [`Watch`] leaves its streams; dropping the last handle of an [`Informer`] says
//! goodbye to the broker.
//!
//! ```
//! use mqtt_informer::informer::{Clusters, Freshness, Informer, Update};
//! use mqtt_informer::link::memory::MemoryBroker;
//! use mqtt_informer::playground::{Playground, Spec};
//! use mqtt_informer::protocol::message::{Selection, View};
//! use mqtt_informer::protocol::names::ClusterName;
//! use mqtt_informer::protocol::selector::LabelSelector;
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!
//! // A whole cluster in this process, and the broker between; `.broker(URL)` is for one on the network.
//! let broker = MemoryBroker::new();
//! let playground = Playground::start(Spec { pace: None, ..Spec::default() }).await?;
//! let _served = playground.serve(&broker, &ClusterName::new("prod-eu")?).await?;
//!
//! let informer = Informer::builder()
//!     .connection(broker.connect("me", "-", None))
//!     .clusters(Clusters::new(["prod-*"])?)
//!     .start()?;
//! let pods = Selection { resource: "pods".into(), view: View::Objects, ..Selection::default() };
//! let mut watch = informer.watch_all(pods);
//! while let Some(update) = watch.next().await {
//!     let Update::Changed(cluster, notices) = update else { continue };
//!     // The first notices are the whole copy.
//!     let (snapshot, age) = watch.members()[&cluster].store().read();
//!     assert_eq!(age.freshness, Freshness::Fresh);
//!     assert_eq!(snapshot.objects().count() + 1, notices.len(), "the header is a key, too");
//!     let selector = LabelSelector::parse("app.kubernetes.io/name")?;
//!     assert!(snapshot.labelled(&selector).count() > 0);
//!     break;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! **Architecture invariant:** never talks to Kubernetes, and prints nothing. What it knows of Kubernetes' objects is
//! where their labels and uid are, and in the watcher how kube-rs calls things.

mod backing;
mod builder;
mod clusters;
mod discovery;
mod driver;
mod fleet;
mod handle;
mod keeper;
pub mod log;
mod objects;
mod snapshot;
mod state;
mod store;
mod stream;
mod subscription;
mod watch;
#[cfg(feature = "watcher")]
mod watcher;

pub use backing::{Backing, Unsettled, Value};
pub use builder::{Builder, StartError};
pub use clusters::{Clusters, InvalidClusters};
pub use fleet::Cluster;
pub use handle::Informer;
pub use keeper::{Keeper, Kept};
pub use snapshot::{Notice, Snapshot, is_selected};
pub use state::{
    Age, ForgetError, Freshness, LinkState, Obstacle, Progress, StreamState, UpstreamDown,
};
pub use store::{Changes, Store};
pub use subscription::Subscription;
pub use watch::{Member, Update, Watch};
#[cfg(feature = "watcher")]
pub use watcher::{Scope, Unavailable};
