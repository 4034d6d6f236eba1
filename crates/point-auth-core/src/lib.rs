//! stub
mod error;
mod secret_body;
pub use error::RequestError;
pub use secret_body::SecretBody;
