//! [`Operation`]: one request of the API and the reading of its response; and the pieces that
//! operations are made of.

pub(crate) mod refresh;
pub(crate) mod sign_in;

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};

use crate::{BaseUrl, RequestError, ResponseError, SecretBody, UserAgent, answer, server_text};

/// One request of the API: how it is written and how its response is read. Two pure functions.
///
/// [`SignIn`](crate::SignIn) and [`Refresh`](crate::Refresh) are the two of this crate. A wrapper
/// of another part of the API adds its own: [`json_post`] and [`json_get`] write what the API
/// expects of every request, and [`success_body`] tells success from denial.
///
/// A failure that the API describes and that a caller acts on, such as a 409, is output:
/// `type Output = Result<Created, Conflict>`, read with [`failure_body`]. All other failures are
/// the one [`ResponseError`], so that clients and sessions know what to make of them.
pub trait Operation {
    /// What a response is read into that is what the operation was sent for.
    type Output;
    /// The most bytes that its response body may have.
    const MAX_RESPONSE_BYTES: usize = 64 * 1024;

    /// Writes the request.
    ///
    /// # Errors
    /// [`RequestError`] when there is no such request, which no operation of this crate says of a
    /// valid base URL.
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
    let mut request = request(Method::POST, base.join(path)?, body);
    request.headers_mut().insert(CONTENT_TYPE, JSON);
    Ok(request)
}

/// A GET of `path` below `base`, with the headers of [`json_post`] but for the content type.
///
/// # Errors
/// [`RequestError::Path`] when `path` does not begin with `/` or is not a URL path.
pub fn json_get(base: &BaseUrl, path: &str) -> Result<Request<SecretBody>, RequestError> {
    Ok(request(Method::GET, base.join(path)?, SecretBody::default()))
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

fn request(method: Method, uri: Uri, body: SecretBody) -> Request<SecretBody> {
    // One for `Content-Type` and one for `Authorization` besides.
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

/// The JSON body, without a byte order mark, of a response that is neither an error by its status
/// nor a denial: for operations of your own.
///
/// `secrets` are those of the request: a text of the server that repeats one of them is withheld
/// from the error.
///
/// # Errors
/// [`ResponseError`] for every status but 2xx, for a 2xx that carries an error object, and for a
/// body that has more than `max_bytes` or is not JSON. An empty body is a success.
pub fn success_body<'r, B: AsRef<[u8]>>(
    response: &'r Response<B>,
    max_bytes: usize,
    secrets: &[&str],
) -> Result<&'r [u8], ResponseError> {
    answer::read(response, max_bytes, secrets, &mut answer::Object::default())
        .map(|_| answer::without_byte_order_mark(response.body().as_ref()))
}

/// The JSON body, without a byte order mark, of a failure that the API itself describes: for
/// operations of your own that know what it says with a status such as 409 or 422.
///
/// Whether the status is one of these is for the operation to look at first. An error object with
/// 400, 401 or 403, which is a denial to [`success_body`], is handed out as any other JSON.
///
/// # Errors
/// [`ResponseError`] for what is not the API's description: a body that is empty or not JSON, such
/// as the page of a gateway, or has more than `max_bytes`; and an `error` of `server_error` or
/// `temporarily_unavailable`. A 2xx is read as by [`success_body`].
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

/// Makes a text of the server fit to be shown, as the texts of a [`Denial`](crate::Denial) are: for
/// errors of your own that quote it.
///
/// No more than `max_chars` characters are kept, with `…` behind if there were more. Those that
/// could forge a line of a log are escaped. A text that repeats one of `secrets` is withheld as a
/// whole.
pub fn printable(text: &str, max_chars: usize, secrets: &[&str]) -> String {
    server_text::printable(text, max_chars, secrets)
}
