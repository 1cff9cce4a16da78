//! The plugin as people run it: its help, its words about what is wrong, and a `get` through a real broker on loopback.
#![expect(missing_docs, reason = "tests")]

mod broker;
mod cli;
mod krew;
