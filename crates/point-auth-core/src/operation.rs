//! [`Operation`]: one request of the API and the parsing of its response; and the functions that
//! operations are built from.

pub(crate) mod refresh;
pub(crate) mod sign_in;

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};

use crate::{BaseUrl, RequestError, ResponseError, SecretBody, UserAgent, answer, server_text};

/// One request of the API, as two pure functions: one builds it, one parses its response.
///
/// This crate has two operations, [`SignIn`](crate::SignIn) and [`Refresh`](crate::Refresh). A
/// wrapper of another part of the API adds its own. [`json_post`] and [`json_get`] build the
/// request that the API expects, and [`success_body`] distinguishes success from a denial.
///
/// A failure that the API documents and that a caller handles, such as a 409, is output: `type
/// Output = Result<Created, Conflict>`, read with [`failure_body`]. All other failures are a
/// [`ResponseError`], so that clients and sessions can handle them.
pub trait Operation {
    /// The result of a successful response.
    type Output;
    /// The maximum size of a response body in bytes.
    const MAX_RESPONSE_BYTES: usize = 64 * 1024;

    /// Builds the request.
    ///
    /// # Errors
    /// [`RequestError`] when the request cannot be built. The operations of this crate can always
    /// be built on a valid base URL.
    fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError>;

    /// Parses the response, which may be of any form.
    ///
    /// # Errors
    /// [`ResponseError`], which holds no part of the body but the text of a denial.
    fn parse_response<B: AsRef<[u8]>>(
        &self,
        response: &Response<B>,
    ) -> Result<Self::Output, ResponseError>;
}

/// The paths that a [`BaseUrl`] joins once and keeps.
pub(crate) const KEPT_PATHS: [&str; 2] = [crate::SignIn::PATH, crate::Refresh::PATH];

/// Builds a POST of `body` to `path` below `base`, with the headers that the API requires.
///
/// # Errors
/// [`RequestError::Path`] when `path` does not begin with `/` or is not a URL path.
pub fn json_post(
    base: &BaseUrl,
    path: &str,
    body: SecretBody,
) -> Result<Request<SecretBody>, RequestError> {
    let mut request = request(Method::POST, base.join(path)?, body);
    request.headers_mut().insert(CONTENT_TYPE, JSON);
    Ok(request)
}

/// Builds a GET of `path` below `base`, with the headers of [`json_post`] except the content type.
///
/// # Errors
/// [`RequestError::Path`] when `path` does not begin with `/` or is not a URL path.
pub fn json_get(base: &BaseUrl, path: &str) -> Result<Request<SecretBody>, RequestError> {
    Ok(request(Method::GET, base.join(path)?, SecretBody::default()))
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

fn request(method: Method, uri: Uri, body: SecretBody) -> Request<SecretBody> {
    // Room for `Content-Type` and `Authorization` too.
    let mut headers = HeaderMap::with_capacity(5);
    headers.insert(ACCEPT, JSON);
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, UserAgent::new().header_value());
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request
}

/// Returns the JSON body of a success, for operations of your own.
///
/// The body comes without a byte order mark. `secrets` are those of the request: server text that
/// repeats one of them is withheld from the error.
///
/// # Errors
/// [`ResponseError`] for any status but 2xx, for a 2xx with an error object, and for a body that
/// has more than `max_bytes` or is not JSON. An empty body is a success.
pub fn success_body<'r, B: AsRef<[u8]>>(
    response: &'r Response<B>,
    max_bytes: usize,
    secrets: &[&str],
) -> Result<&'r [u8], ResponseError> {
    answer::read(response, max_bytes, secrets, &mut answer::Object::default())
        .map(|_| answer::without_byte_order_mark(response.body().as_ref()))
}

/// Returns the JSON body of a documented failure, such as a 409 or 422, for operations of your own.
///
/// The operation checks first whether it knows the status. The body comes without a byte order
/// mark. An error object with 400, 401 or 403, which [`success_body`] treats as a denial, is
/// returned like any other JSON.
///
/// # Errors
/// [`ResponseError`] for a body that is empty, not JSON (such as the page of a gateway), or larger
/// than `max_bytes`; and for an `error` of `server_error` or `temporarily_unavailable`. A 2xx is
/// handled as by [`success_body`].
pub fn failure_body<'r, B: AsRef<[u8]>>(
    response: &'r Response<B>,
    max_bytes: usize,
    secrets: &[&str],
) -> Result<&'r [u8], ResponseError> {
    match success_body(response, max_bytes, secrets) {
        Err(
            ResponseError::Denied(_)
            | ResponseError::Unexpected { is_json: true, is_temporary: false, .. },
        ) if !response.status().is_success() => {
            Ok(answer::without_byte_order_mark(response.body().as_ref()))
        }
        read => read,
    }
}

/// Makes server text printable, like the texts of a [`Denial`](crate::Denial).
///
/// Use it for errors of your own that quote such text. At most `max_chars` characters are kept,
/// followed by `…` if there were more. Characters that could forge a log line are escaped. A text
/// that repeats one of `secrets` is withheld completely.
pub fn printable(text: &str, max_chars: usize, secrets: &[&str]) -> String {
    server_text::printable(text, max_chars, secrets)
}
