//! The API in this process, over a store of made-up objects.

mod documents;
mod lists;
mod sockets;
mod watches;
mod world;
