//! The parts of stories: numbers, credentials, responses.

use http::{HeaderValue, Response, StatusCode};
use point_auth_core::Credentials;

/// The bits of a step, consumed one after the other.
pub(super) struct Bits(pub(super) u64);

impl Bits {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        let limit = limit as u64;
        let taken = self.0 % limit;
        self.0 /= limit;
        usize::try_from(taken).unwrap()
    }

    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// Username, alias and password by number.
pub(super) fn credentials([username, alias, password]: [u8; 3]) -> Credentials {
    let credentials =
        Credentials::new(format!("user-{username}"), format!("password-{password}").as_str())
            .unwrap();
    match alias {
        0 => credentials,
        alias => credentials.with_user_alias(format!("alias-{alias}")).unwrap(),
    }
}

pub(super) fn response(status: u16, body: &str, retry_after: Option<u32>) -> Response<&str> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert("retry-after", HeaderValue::from(seconds));
    }
    response
}
