//! [`Authorize`]: puts point-auth's access token on the requests of a reqwest client.
//!
//! It is a middleware of [`reqwest_middleware`]. It sends no sign-in and keeps no token: the
//! session of `point-auth` does that.
//!
//! ```no_run
//! use point_auth::{Client, Credentials, ReqwestTransport, Session};
//! use point_auth_reqwest_middleware::Authorize;
//! use reqwest_middleware::ClientBuilder;
//! use reqwest_middleware::reqwest::{self, redirect};
//!
//! # async fn example(password: String) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(ReqwestTransport::new()?);
//! let session = Session::new(client, Credentials::new("user@example.com", password)?);
//!
//! let authorize = Authorize::new(session);
//! let client = reqwest::Client::builder()
//!     .redirect(authorize.guard_redirects(redirect::Policy::default()))
//!     .build()?;
//! let client = ClientBuilder::new(client).with(authorize).build();
//!
//! let response = client.get("https://api.pointservices.com/…").send().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Redirects
//!
//! reqwest follows redirects below all middleware, by the policy of its client. It removes
//! `Authorization` at a hop to another scheme, host or port. But it compares each hop with the one
//! before it alone: if that other server redirects to itself, reqwest sends the token along again.
//! [`Authorize::guard_redirects`] ends the redirects there. A client whose policy is
//! [`none`](reqwest_middleware::reqwest::redirect::Policy::none) needs no guard.
//!
//! # Features
//!
//! There are none. TLS is that of the reqwest client.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod authorize;

pub use authorize::Authorize;
pub use point_auth_transport::authorize::UserAlias;
pub use reqwest_middleware;
