//! Where reqwest takes a token by redirects, with the guard and without.

use point_auth::{BaseUrl, Client, Credentials, ReqwestTransport, Session};
use point_auth_reqwest_middleware::Authorize;
use point_auth_testkit::{Emulator, Fault, Operation};
use reqwest_middleware::reqwest::{self, redirect};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

const USER: &str = "user@example.com";
const PASSWORD: &str = "correct horse";

fn emulator() -> Emulator {
    let builder = Emulator::builder().user(USER, PASSWORD);
    builder.protected_route("/policies").protected_route("/moved").start().unwrap()
}

fn authorize(emulator: &Emulator) -> Authorize<Session> {
    let base_url = BaseUrl::parse(&emulator.base_url()).unwrap();
    let client = Client::new(ReqwestTransport::new().unwrap()).with_base_url(base_url);
    Authorize::new(Session::new(client, Credentials::new(USER, PASSWORD).unwrap()))
}

fn client(authorize: Authorize<Session>, policy: redirect::Policy) -> ClientWithMiddleware {
    let client = reqwest::Client::builder().redirect(policy).build().unwrap();
    ClientBuilder::new(client).with(authorize).build()
}

fn redirect_to(emulator: &Emulator, url: &str) {
    emulator.push_fault_for(Operation::Protected, Fault::redirect(302, url));
}

/// Returns how many requests reached the protected routes, and how many of them had a token.
fn arrived(emulator: &Emulator) -> (usize, usize) {
    let protected =
        |request: &point_auth_testkit::RecordedRequest| request.operation() == Operation::Protected;
    let with_token = emulator
        .count_where(|request| protected(request) && request.header("authorization").is_some());
    (emulator.count_where(protected), with_token)
}

/// The API redirects to another server, and that one to itself.
async fn to_another_and_within_it(guarded: bool) -> (u16, (usize, usize)) {
    let (api, other) = (emulator(), emulator());
    redirect_to(&api, &format!("{}/policies", other.base_url()));
    redirect_to(&other, &format!("{}/moved", other.base_url()));
    let authorize = authorize(&api);
    let policy = redirect::Policy::default();
    let policy = if guarded { authorize.guard_redirects(policy) } else { policy };
    let client = client(authorize, policy);
    let response = client.get(format!("{}/policies", api.base_url())).send().await.unwrap();
    (response.status().as_u16(), arrived(&other))
}

#[tokio::test]
async fn a_guarded_client_takes_the_token_to_no_other_server() {
    assert_eq!(to_another_and_within_it(true).await, (302, (1, 0)));
}

/// This is why there is a guard. Once reqwest leaves the token off here, the guard can go.
#[tokio::test]
async fn reqwest_alone_sends_the_token_on_the_second_hop_within_another_server() {
    assert_eq!(to_another_and_within_it(false).await, (401, (2, 1)));
}

#[tokio::test]
async fn a_guarded_client_follows_what_takes_no_token_elsewhere() {
    let (api, other) = (emulator(), emulator());
    let authorize = authorize(&api);
    let client = client(authorize.clone(), authorize.guard_redirects(redirect::Policy::default()));

    // Within the API, with the token.
    let api_url = format!("{}/policies", api.base_url());
    redirect_to(&api, "/moved");
    assert_eq!(client.get(&api_url).send().await.unwrap().status(), 200);

    // Once to another server, without it.
    redirect_to(&api, &format!("{}/policies", other.base_url()));
    assert_eq!(client.get(&api_url).send().await.unwrap().status(), 401);
    assert_eq!(arrived(&other), (1, 0));

    // To another server and back, without it until the API redirects once more.
    redirect_to(&api, &format!("{}/policies", other.base_url()));
    redirect_to(&other, &format!("{}/moved", api.base_url()));
    redirect_to(&api, "/policies");
    assert_eq!(client.get(&api_url).send().await.unwrap().status(), 200);
    assert_eq!(arrived(&other), (2, 0));

    // Of a request that had no token, also within another server.
    redirect_to(&other, "/moved");
    let response = client.get(format!("{}/policies", other.base_url())).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.url().path()), (401, "/moved"));
}

#[tokio::test]
async fn the_guarded_policy_still_has_its_limit() {
    let api = emulator();
    api.always_for(Operation::Protected, Fault::redirect(302, "/moved"));
    let authorize = authorize(&api);
    let client = client(authorize.clone(), authorize.guard_redirects(redirect::Policy::limited(3)));
    let error = client.get(format!("{}/policies", api.base_url())).send().await.unwrap_err();
    assert!(error.is_redirect());
    assert_eq!(arrived(&api), (4, 4));
}
