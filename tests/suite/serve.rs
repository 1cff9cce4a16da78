//! The read API of the controlplane beside the API server that it is a copy of: real kubectl, client-go's informers.

mod client_go;
mod feeder;
mod kubectl;
mod site;
