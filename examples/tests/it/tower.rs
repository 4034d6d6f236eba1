//! The stack of tower services as a transport, and the layer that authorizes requests.

mod conformance;
mod layer;
