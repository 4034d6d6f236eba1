//! What reached the emulator: every request, and how many connections, handshakes and bytes.

use std::fmt;

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, Method, Uri, Version};

use super::Operation;
use crate::watched::Watched;

/// A request as it arrived, complete with its body. `Debug` shows neither the body nor credentials.
#[derive(Clone)]
pub struct RecordedRequest {
    pub(super) operation: Operation,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) version: Version,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) username: Option<String>,
    pub(super) user_alias: Option<String>,
    pub(super) connection: usize,
    pub(super) reused: bool,
    pub(super) server_name: Option<String>,
    pub(super) client_certificate: Option<Bytes>,
}

impl RecordedRequest {
    /// Which operation the path names.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path with the prefix and without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// The request target as it arrived: over HTTP/2 it names scheme and authority, too.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The version of HTTP.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// All headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The first header of this name, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The user that the request is about: the username of a sign-in (right password or not), or the owner
    /// of the token.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// The alias of a sign-in, or of the token.
    #[must_use]
    pub fn user_alias(&self) -> Option<&str> {
        self.user_alias.as_deref()
    }

    /// The number of the connection, from 0 in the order in which they were accepted.
    #[must_use]
    pub fn connection(&self) -> usize {
        self.connection
    }

    /// Whether the connection had carried a request before this one.
    #[must_use]
    pub fn on_reused_connection(&self) -> bool {
        self.reused
    }

    /// The host name the client asked TLS for; none for plain HTTP and for IP addresses.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// The client certificate, in DER.
    #[must_use]
    pub fn client_certificate(&self) -> Option<&[u8]> {
        self.client_certificate.as_deref()
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut headers = self.headers.clone();
        for (name, value) in headers.iter_mut() {
            if [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name) {
                value.set_sensitive(true);
            }
        }
        f.debug_struct("RecordedRequest")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("path", &self.path())
            .field("version", &self.version)
            .field("headers", &headers)
            .field("body", &format_args!("[{} bytes]", self.body.len()))
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

pub(super) type Record = Watched<Tallies>;

#[derive(Default)]
pub(super) struct Tallies {
    pub(super) requests: Vec<RecordedRequest>,
    pub(super) accepted: usize,
    pub(super) closed: usize,
    pub(super) handshakes: usize,
    pub(super) failed_handshakes: usize,
    pub(super) bytes: u64,
    pub(super) early_bytes: u64,
}
