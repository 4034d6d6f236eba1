//! Tower services: any of them as a [transport](TowerTransport), and a [layer](AuthorizeLayer) that
//! sets the token on requests.

mod authorize;
mod transport;

pub use authorize::{AuthorizeLayer, Authorized};
pub use transport::TowerTransport;
