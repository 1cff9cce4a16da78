//! The whole program: clusters with their syncers, a broker, a controlplane with a database that it serves, and those who
//! read from it: kubectl, client-go, HTTP, the plugin.

mod fleet;
mod readers;
mod restarts;
