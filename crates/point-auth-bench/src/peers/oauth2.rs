//! oauth2's password grant, whose client is a closure.

use std::convert::Infallible;

use http::Response;
use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, ClientId, HttpRequest, ResourceOwnerPassword, ResourceOwnerUsername, TokenUrl,
};

use crate::measure::Case;
use crate::sample::{self, PASSWORD, USERNAME};

/// Builds the request and reads the answer.
pub fn both() -> Case {
    let body = sample::oauth_success().into_body();
    let url = TokenUrl::new("https://api.pointservices.com/oauth2/token".to_owned()).unwrap();
    let client = BasicClient::new(ClientId::new("client".to_owned()))
        .set_auth_type(AuthType::RequestBody)
        .set_token_uri(url);
    let username = ResourceOwnerUsername::new(USERNAME.to_owned());
    let password = ResourceOwnerPassword::new(PASSWORD.to_owned());
    Case::new("oauth2", move || {
        let send = |request: HttpRequest| {
            std::hint::black_box(request);
            Ok::<_, Infallible>(Response::new(body.clone()))
        };
        client.exchange_password(&username, &password).request(&send).unwrap()
    })
}
