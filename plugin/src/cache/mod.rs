//! Copies on this machine's disk, from one command to the next.
//!
//! ```text
//! $XDG_CACHE_HOME/mqinformer/      (~/.cache), readable by its owner only
//!   broker.example.com-<hash>/     one for each broker, its topics and user
//!     c-cluster1/
//!       pods-rows-<hash>.copy      one for each stream: [`mqtt_informer::replica::Saved`], and a [`label::Label`]
//! ```
//!
//! A command begins its streams with what is there, so that sources send only what has changed since; what is shown
//! is what the source has proven, as if nothing had been there. With `--offline` what is there is all that is shown,
//! with its age.
//!
//! - **Whole or not at all.** A file is written beside the old one and renamed; a checksum covers all of it. What does
//!   not fit is discarded, with one warning a command, and never believed. Commands that run at once need no lock: the
//!   last one to be done wins, and each file is whole.
//! - **No Secrets.** Nothing whose resource is called `secrets`, in whichever group, and no stream that asked for values.
//! - **Bounded.** The longest unused files go when all together are larger than `--cache-size`, and what is older than
//!   `--cache-age` goes anyway.
//!
//! | module | what it is | what it never does |
//! |---|---|---|
//! | [`label`] | what a file says of itself, which stream it is for, and what may be kept at all | IO, clocks |
//! | [`folder`] | files: read, written, discarded, pruned | knows what is in them |
//! | `shelf` | one broker's files: whether they are what they say | |
//! | [`keeper`] | all together, as an informer wants them | |

pub mod folder;
pub mod keeper;
pub mod label;
mod shelf;

pub use keeper::{Cache, Limits};
