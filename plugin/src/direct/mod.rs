//! Direct mode: the clusters of kubeconfig contexts, without a broker, with nothing installed in them.
//!
//! ```text
//! contexts ──> upstream, one a context ──> source ─┐
//!                                                  ├─ link::memory, in this process ─ informer ─ commands
//!              upstream, one a context ──> source ─┘
//! ```
//!
//! What serves a context is what a syncer serves a cluster with; only the link is another one. So everything that works
//! through a broker works here, by the same code.
//!
//! Values of Secrets stay hidden as they do through a broker: what a person sees does not depend on the way to it.

mod contexts;
mod fleet;
mod probe;
mod upstream;

pub use contexts::{Contexts, Location, NoContext};
pub use fleet::{Direct, login};
pub use probe::Probed;
