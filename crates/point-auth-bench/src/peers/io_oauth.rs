//! io-oauth's refresh: it has no password grant. Its coroutine also writes and reads the lines of
//! HTTP/1.1.

use io_http::rfc9110::request::HttpRequest;
use io_oauth::rfc6749::refresh_access_token::{
    Oauth20AccessTokenRefresh, Oauth20AccessTokenRefreshParams,
    Oauth20AccessTokenRefreshResult as Step,
};
use url::Url;

use crate::measure::Case;
use crate::sample;

/// Builds the request and reads the answer.
pub fn both() -> Case {
    let body = sample::oauth_success().into_body();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    let answer = [head.into_bytes(), body].concat();
    let url = Url::parse("https://api.pointservices.com/oauth2/token").unwrap();
    let refresh_token = sample::token(200);
    Case::new("io-oauth: refresh, with HTTP/1.1", move || {
        let request = HttpRequest {
            method: "POST".to_owned(),
            url: url.clone(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        let request = request.header("Host", "api.pointservices.com");
        let parameters = Oauth20AccessTokenRefreshParams::new("client", refresh_token.clone());
        let mut refresh = Oauth20AccessTokenRefresh::new(request, parameters);
        let mut read = None;
        loop {
            match refresh.resume(read.take()) {
                Step::Ok(tokens) => break tokens.unwrap(),
                Step::WantsWrite(bytes) => drop(std::hint::black_box(bytes)),
                Step::WantsRead => read = Some(answer.as_slice()),
                Step::Err(error) => unreachable!("{error}"),
            }
        }
    })
}
