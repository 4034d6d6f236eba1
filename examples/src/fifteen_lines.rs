//! The shortest transport of the book, over a stack that keeps most of the rules.

use http::{Request, Response};
use point_auth::SecretBody;
use point_auth::transport::{
    BlockingTransport, CappedBody, SendLimits, TransportError, TransportErrorKind::*, check_head,
};

use crate::my_stack;

#[expect(clippy::exhaustive_structs, reason = "there is nothing to set")]
// The README and the docs of point-auth-transport print this too; a test holds them to it.
// ANCHOR: transport
/// Sends over the HTTP stack of this program.
#[derive(Debug)]
pub struct Mine;

impl BlockingTransport for Mine {
    fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        let (mut head, body) = request.into_parts();
        check_head(&mut head, my_stack::HAS_TLS)?;
        let connection =
            my_stack::connect(&head.uri, limits.connect_timeout(), limits.total_timeout())
                .map_err(|error| TransportError::classify(&error, Connect).not_sent())?;
        // From here on the server may have seen the password, whatever happens.
        let failed = |error| TransportError::classify(&error, Protocol);
        let mut answer = connection.send(&head, body.as_ref()).map_err(failed)?;
        let body =
            CappedBody::new(limits.max_response_bytes()).read_from(&mut answer.body, failed)?;
        let mut response = Response::new(body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}
// ANCHOR_END: transport
