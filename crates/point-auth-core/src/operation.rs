//! [`Operation`]: one request of the API and the reading of its response; and the pieces that operations are made of.

pub(crate) mod refresh;
pub(crate) mod sign_in;

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response};

use crate::answer;
use crate::{BaseUrl, RequestError, ResponseError, SecretBody, UserAgent};

/// One request of the API: how it is written and how its response is read. Two pure functions.
///
/// [`SignIn`](crate::SignIn) and [`Refresh`](crate::Refresh) are the two of this crate. A wrapper of another part of the
/// API adds its own: [`json_post`] writes what the API expects of every request, and [`success_body`] tells success from
/// denial.
pub trait Operation {
    /// What a successful response is read into.
    type Output;
    /// The most bytes that its response body may have.
    const MAX_RESPONSE_BYTES: usize = 64 * 1024;

    /// Writes the request.
    ///
    /// # Errors
    /// [`RequestError`] when there is no such request, which no operation of this crate says of a valid base URL.
    fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError>;

    /// Reads the response, which may be anything at all.
    ///
    /// # Errors
    /// [`ResponseError`], with nothing of the body in it but the text of a denial.
    fn parse_response<B: AsRef<[u8]>>(
        &self,
        response: &Response<B>,
    ) -> Result<Self::Output, ResponseError>;
}

/// The paths that a [`BaseUrl`] joins once and keeps.
pub(crate) const KEPT_PATHS: [&str; 2] = [crate::SignIn::PATH, crate::Refresh::PATH];

/// A POST of `body` to `path` below `base`, with the headers that the API wants of every request.
///
/// # Errors
/// [`RequestError::Path`] when `path` does not begin with `/` or is not a URL path.
pub fn json_post(
    base: &BaseUrl,
    path: &str,
    body: SecretBody,
) -> Result<Request<SecretBody>, RequestError> {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    let uri = base.join(path)?;
    // One for `Authorization` besides.
    let mut headers = HeaderMap::with_capacity(5);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(ACCEPT, JSON);
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, UserAgent::new().header_value());
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(request)
}

/// The JSON body, without a byte order mark, of a response that is neither an error by its status nor a denial: for
/// operations of your own.
///
/// `secrets` are those of the request: a text of the server that repeats one of them is withheld from the error.
///
/// # Errors
/// [`ResponseError`] for every status but 2xx, for a 2xx that carries an error object, and for a body that has more than
/// `max_bytes` or is not JSON. An empty body is a success.
pub fn success_body<'r, B: AsRef<[u8]>>(
    response: &'r Response<B>,
    max_bytes: usize,
    secrets: &[&str],
) -> Result<&'r [u8], ResponseError> {
    answer::read(response, max_bytes, secrets, &mut answer::Object::default())
        .map(|_| answer::without_byte_order_mark(response.body().as_ref()))
}
