//! For stacks made of tower services: one as a [transport](TowerTransport), and a
//! [layer](AuthorizeLayer) that puts the token on the requests of others.

mod authorize;
mod transport;

pub use authorize::{AuthorizeLayer, Authorized, Copies, Never, Retry};
pub use transport::TowerTransport;
