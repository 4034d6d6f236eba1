//! The contract that every point-auth transport keeps, and what the adapters share.
mod capped;
mod chain;
#[cfg(feature = "tokio")]
mod deadline;
mod error;
mod limits;
#[cfg(feature = "http-body")]
mod once;
mod sent;
mod transport;

pub use async_trait::async_trait;
pub use capped::CappedBody;
pub use chain::{Chain, ScrubbedError};
#[cfg(feature = "tokio")]
pub use deadline::with_deadlines;
pub use error::{TransportError, TransportErrorKind};
pub use limits::SendLimits;
#[cfg(feature = "http-body")]
pub use once::{OnceBody, read_capped};
pub use sent::SentFlag;
pub use transport::{AsyncTransport, BlockingTransport};
