//! The read API of the controlplane beside the API server that it is a copy of: real kubectl, client-go's informers.

pub(crate) mod client_go;
mod feeder;
pub(crate) mod kubectl;
mod site;
