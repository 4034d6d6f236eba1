//! Sign-in for the PointServices API, without I/O: this crate builds [`http::Request`] values, reads [`http::Response`]
//! values, and leaves the sending to you.
mod answer;
mod base_url;
mod credentials;
mod denial;
mod error;
pub mod operation;
mod retry_after;
mod secret_body;
mod server_text;
mod tokens;
mod user_agent;

pub use answer::Field;
pub use base_url::{BaseUrl, BaseUrlError};
pub use credentials::{CredentialPart, Credentials, CredentialsError};
pub use denial::Denial;
pub use error::{MalformedReason, RequestError, ResponseError};
pub use operation::Operation;
pub use operation::refresh::Refresh;
pub use operation::sign_in::SignIn;
pub use retry_after::RetryAfter;
pub use secret_body::SecretBody;
pub use tokens::{AccessToken, RefreshToken, Scope, TokenError, TokenSet, TokenType};
pub use user_agent::{UserAgent, UserAgentError};
