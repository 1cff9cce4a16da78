//! Kubernetes informers over MQTT: see clusters that nobody can reach.
//!
//! Clusters dial out to an MQTT broker; nobody needs a kubeconfig for them, a VPN, or an open port. Everything that
//! crosses the broker is the same thing: a *stream*, a keyed collection of small byte values, owned by one source and
//! copied by any number of consumers.
//!
//! # Layers
//! Arrows point one way; `tests/suite/layering.rs` proves it.
//!
//! ```text
//! protocol  <-  replica  <-  source, informer  <-  syncer, controlplane, playground
//!                              link  <--'            kubernetes <--'
//! golang    <-  jsonpath  <-  agent  ->  syncer
//! ocm       <-  hub, agent
//! ```
//!
//! | module | what it is | what it never does |
//! |---|---|---|
//! | [`protocol`] | names, topics, messages, compression | any IO, any clock |
//! | [`replica`] | [`replica::Publisher`] and [`replica::Reflector`]: the rules that keep a copy true | any IO, any clock |
//! | [`link`] | a broker: MQTT 5, in process, embedded | knows what the messages mean |
//! | [`source`] | serves feeds over a link | talks to Kubernetes |
//! | [`informer`] | copies streams over a link into stores | talks to Kubernetes, prints |
//! | [`store`] | a database of the fleet's objects, with all their history | talks to a broker or to Kubernetes |
//! | [`kubernetes`] | the API server's side: discovery, list, watch, tables | knows that brokers exist |
//! | [`golang`], [`jsonpath`] | values as Go prints them, kubectl's JSONPath | any IO |
//! | [`ocm`] | Open Cluster Management's API: types, definitions, words | any IO, any clock |
//! | [`hub`] | the role that has work for clusters: places, rollouts, the life of clusters | writes while another has its name |
//! | [`agent`] | the role in a cluster that does what a hub wants: a syncer, too | writes while another has its name |
//! | [`syncer`] | the role in each cluster: `kubernetes` served by `source` | |
//! | [`controlplane`] | the role on the other side: all clusters' objects, kept in an API server and a database | writes to a cluster but the hub |
//! | [`broker`] | a broker for a trial: `link::embedded` as a program | knows what it carries |
//! | [`playground`] | an API server in this process, for the demo and for faults a real one cannot be made to show | |
//! | [`cli`] | options, signals and the log that all programs share | |
//!
//! # Words
//! *Source*: who owns streams, a cluster's syncer. *Consumer*: who copies them. *Selection*: which objects, in which
//! view (rows, objects, resources, source). *Feed*: the source's side of one stream. *Reflector*: keeps a copy true.
//! *Store*: a copy as its readers see it. *Term*: the number and nonce with which one process writes; *epoch*: a term,
//! and which incarnation of a feed in it. *Session*: one consumer process, as topics name it. *Lease*: how long a
//! source serves a session unasked. *Presence*: a source's retained birth, and its last will. *Synced*: whole at least
//! once. *Fresh*, *stale*, *offline*: what a copy is.
//!
//! # One change's journey
//! API server watch → raw JSON → row or object bytes → `Feed` → flush on the live topic → broker → `Reflector` →
//! `Store` → dirty keys → a line on a screen. One direction, no detours, no lock held across it.
//!
//! Logs of containers are no keyed collections: they have messages of their own ([`protocol::logs`]), beside all this.

pub mod agent;
pub mod broker;
pub mod cli;
mod clock;
pub mod controlplane;
pub mod golang;
#[cfg(test)]
mod guarded;
pub mod hub;
pub mod informer;
pub mod jsonpath;
pub mod kubernetes;
pub mod link;
pub mod ocm;
pub mod playground;
pub mod protocol;
pub mod replica;
pub mod source;
pub mod store;
pub mod syncer;
