//! `POST /user-management-services-ws/oauth2/002/refreshIdToken`
//!
//! Documentation, "Refresh Id Token". Body: `refresh_token`. The response is that of a sign-in, but
//! without the promise of a new refresh token. Refresh tokens live 24 hours, rounded up to midnight
//! US Eastern time, and are reused until then.

use http::{Request, Response};
use serde::Serialize;

use crate::operation::{Operation, json_post};
use crate::{BaseUrl, RefreshToken, RequestError, ResponseError, SecretBody, TokenSet, answer};

/// Obtains a new access token with a refresh token, without the password.
///
/// If the response has no new refresh token, the token set has the old one, which remains valid.
#[derive(Clone, Copy, Debug)]
pub struct Refresh<'a> {
    refresh_token: &'a RefreshToken,
}

impl<'a> Refresh<'a> {
    /// The path below the base URL.
    pub const PATH: &'static str = "/user-management-services-ws/oauth2/002/refreshIdToken";

    /// Creates a refresh with `refresh_token`.
    pub const fn new(refresh_token: &'a RefreshToken) -> Self {
        Self { refresh_token }
    }

    /// Parses the response for a caller that knows more secrets than the request holds.
    pub(crate) fn parse_beside<B: AsRef<[u8]>>(
        &self,
        response: &Response<B>,
        [access_token, password]: [&str; 2],
    ) -> Result<TokenSet, ResponseError> {
        let secrets = [self.refresh_token.expose(), access_token, password];
        let tokens = answer::token_set(response, Self::MAX_RESPONSE_BYTES, &secrets)?;
        Ok(match tokens.refresh_token() {
            Some(_) => tokens,
            None => tokens.with_refresh_token(self.refresh_token.clone()),
        })
    }
}

#[derive(Serialize)]
struct Body<'a> {
    refresh_token: &'a str,
}

impl Operation for Refresh<'_> {
    type Output = TokenSet;

    fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
        let body = SecretBody::json(&Body { refresh_token: self.refresh_token.expose() })?;
        json_post(base, Self::PATH, body)
    }

    fn parse_response<B: AsRef<[u8]>>(
        &self,
        response: &Response<B>,
    ) -> Result<TokenSet, ResponseError> {
        self.parse_beside(response, [""; 2])
    }
}
