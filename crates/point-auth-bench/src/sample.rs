//! Sample requests and responses of realistic sizes.

use http::Response;

/// The username.
pub const USERNAME: &str = "company@example.com";
/// The password.
pub const PASSWORD: &str = "correct horse battery staple";

/// A 200 with an access token of 900 bytes and a refresh token of 200, as the API writes it.
pub fn success() -> Response<Vec<u8>> {
    let (access_token, refresh_token) = (token(900), token(200));
    let body = format!(
        r#"{{"access_token":"{access_token}","refresh_token":"{refresh_token}","scope":"user-management policy","token_type":"Bearer","expires_in":3600}}"#
    );
    answer(200, body)
}

/// A 200 with such tokens that OAuth libraries accept too: they need `token_type` in lower case.
pub fn oauth_success() -> Response<Vec<u8>> {
    let response = success();
    let (head, body) = response.into_parts();
    let body = String::from_utf8(body).unwrap().replace("\"Bearer\"", "\"bearer\"");
    Response::from_parts(head, body.into_bytes())
}

/// A 403 of a wrong password.
pub fn denial() -> Response<Vec<u8>> {
    let body = r#"{"error":"access_denied","error_description":"Invalid username / password combination"}"#;
    answer(403, body.to_owned())
}

/// Text that looks like a token.
pub fn token(length: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let draw = |_| {
        // Marsaglia's xorshift: reproducible text without a pattern.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(ALPHABET[usize::try_from(state % 64).unwrap()])
    };
    (0..length).map(draw).collect()
}

fn answer(status: u16, body: String) -> Response<Vec<u8>> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(body.into_bytes())
        .unwrap()
}
