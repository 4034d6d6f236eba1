//! The bearer token on requests of a tower stack: only to the API, and once more after a 401.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use point_auth::tower::{AuthorizeLayer, TowerTransport};
use point_auth::transport::TlsSettings;
use point_auth::{BaseUrl, Client, Credentials, Error, ErrorKind, Session, TokioRuntime};
use point_auth_examples::tower_stack::{Bottom, stack};
use point_auth_testkit::{Emulator, Fault, Operation, VirtualTime};
use tower::limit::ConcurrencyLimit;
use tower::{BoxError, Layer, Service, ServiceExt};

const WHO_AM_I: &str = "/point-auth-emulator/whoami";

struct World {
    emulator: Emulator,
    session: Session,
}

impl World {
    fn new() -> Self {
        Self::with_password("correct horse")
    }

    fn with_password(password: &str) -> Self {
        let emulator =
            Emulator::builder().user("user@example.com", "correct horse").start().unwrap();
        let transport = TowerTransport::new(stack(&TlsSettings::new()).unwrap());
        let client =
            Client::new(transport).with_base_url(BaseUrl::parse(&emulator.base_url()).unwrap());
        let session = Session::new(client, Credentials::new("user@example.com", password).unwrap());
        Self { emulator, session }
    }

    fn url(&self) -> String {
        format!("{}{WHO_AM_I}", self.emulator.base_url())
    }

    /// Returns how many requests came with a token, and how many without.
    fn seen(&self) -> (usize, usize) {
        let is_asked = |request: &point_auth_testkit::RecordedRequest| {
            request.operation() == Operation::WhoAmI
        };
        let with =
            self.emulator.count_where(|one| is_asked(one) && one.header("authorization").is_some());
        (with, self.emulator.count_where(is_asked) - with)
    }
}

fn inner() -> ConcurrencyLimit<Bottom<Full<Bytes>>> {
    stack(&TlsSettings::new()).unwrap()
}

fn request(url: &str) -> Request<Full<Bytes>> {
    let request = Request::post(url).header("content-type", "application/json");
    request.body(Full::from(Bytes::from_static(b"{}"))).unwrap()
}

async fn ask(
    layer: AuthorizeLayer<Session, Full<Bytes>>,
    url: &str,
) -> Result<StatusCode, BoxError> {
    let response = layer.layer(inner()).oneshot(request(url)).await?;
    let status = response.status();
    response.into_body().collect().await?;
    Ok(status)
}

#[tokio::test]
async fn a_request_to_the_api_gets_the_token() {
    let world = World::new();
    let layer = AuthorizeLayer::new(world.session.clone());
    assert_eq!(ask(layer.clone(), &world.url()).await.unwrap(), StatusCode::OK);
    assert_eq!(ask(layer, &world.url()).await.unwrap(), StatusCode::OK);
    assert_eq!((world.seen(), world.emulator.count(Operation::SignIn)), ((2, 0), 1));
}

#[tokio::test]
async fn a_401_is_tried_once_more_with_another_token() {
    let world = World::new();
    let old = world.session.access_token().await.unwrap();
    world.emulator.clock().advance(std::time::Duration::from_secs(1));
    assert!(world.emulator.revoke(old.expose()));
    // Rejecting a young token starts a backoff, so there is no other token yet.
    let layer = AuthorizeLayer::new(world.session.clone());
    assert_eq!(ask(layer.clone(), &world.url()).await.unwrap(), StatusCode::UNAUTHORIZED);
    world.session.reset();
    assert_eq!(ask(layer, &world.url()).await.unwrap(), StatusCode::OK);
    assert!(world.session.access_token().await.unwrap() != old);
}

#[tokio::test]
async fn another_place_is_not_shown_the_token() {
    let (world, other) = (World::new(), World::new());
    let layer = AuthorizeLayer::new(world.session.clone());
    assert_eq!(ask(layer.clone(), &other.url()).await.unwrap(), StatusCode::UNAUTHORIZED);
    assert_eq!((other.seen(), world.emulator.count(Operation::SignIn)), ((0, 1), 0));
    assert_eq!(
        ask(layer.for_every_request(), &other.url()).await.unwrap(),
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(other.seen(), (1, 1));
}

/// A request that waits for a token holds no concurrency slot that the sign-in needs.
#[tokio::test]
async fn a_limit_that_requests_and_sign_ins_share_is_enough_for_both() {
    let world = World::new();
    let one = tower::limit::GlobalConcurrencyLimitLayer::new(1);
    let transport = TowerTransport::new(one.layer(stack(&TlsSettings::new()).unwrap()));
    let client =
        Client::new(transport).with_base_url(BaseUrl::parse(&world.emulator.base_url()).unwrap());
    let session =
        Session::new(client, Credentials::new("user@example.com", "correct horse").unwrap());
    let service = AuthorizeLayer::new(session).layer(one.layer(inner()));
    let (first, second) = tokio::join!(
        service.clone().oneshot(request(&world.url())),
        service.oneshot(request(&world.url()))
    );
    assert_eq!(
        (first.unwrap().status(), second.unwrap().status()),
        (StatusCode::OK, StatusCode::OK)
    );
    assert_eq!((world.seen(), world.emulator.count(Operation::SignIn)), ((2, 0), 1));
}

#[tokio::test]
async fn the_same_place_is_known_however_it_is_written() {
    let world = World::new();
    let layer = AuthorizeLayer::new(world.session.clone());
    assert_eq!(
        ask(layer, &world.url().replace("http://", "HTTP://")).await.unwrap(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let world = World::with_password("wrong");
    let error = ask(AuthorizeLayer::new(world.session.clone()), &world.url()).await.unwrap_err();
    let error = error.downcast_ref::<Error>().unwrap();
    assert_eq!((error.kind(), world.seen()), (ErrorKind::Denied, (0, 0)));
}

/// Counts requests, and answers 401 to the first ones.
#[derive(Clone)]
struct Rejects {
    first: usize,
    seen: Arc<AtomicUsize>,
}

impl Service<Request<Full<Bytes>>> for Rejects {
    type Response = Response<()>;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Response<()>, BoxError>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), BoxError>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        let seen = self.seen.fetch_add(1, Ordering::Relaxed);
        let mut response = Response::new(());
        if seen < self.first {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        }
        std::future::ready(Ok(response))
    }
}

/// Returns the final status and the number of requests, if the first ones are answered 401.
async fn rejected(
    world: &World,
    layer: AuthorizeLayer<Session, Full<Bytes>>,
    first: usize,
) -> (u16, usize) {
    // Old enough for a rejection to start an exchange at once.
    let seen = Arc::new(AtomicUsize::new(0));
    let service = layer.layer(Rejects { first, seen: Arc::clone(&seen) });
    let response = service.oneshot(request(&world.url())).await.unwrap();
    (response.status().as_u16(), seen.load(Ordering::Relaxed))
}

/// Creates a session whose token is old enough for a 401 to start a refresh at once.
async fn with_old_token(world: &World) -> Session {
    with_old_token_and_time(world).await.0
}

async fn with_old_token_and_time(world: &World) -> (Session, VirtualTime) {
    let time = VirtualTime::new(world.emulator.clock(), TokioRuntime::new());
    let transport = TowerTransport::new(stack(&TlsSettings::new()).unwrap());
    let client =
        Client::new(transport).with_base_url(BaseUrl::parse(&world.emulator.base_url()).unwrap());
    let credentials = Credentials::new("user@example.com", "correct horse").unwrap();
    let session =
        Session::builder(client).with_credentials(credentials).with_runtime(time.clone()).build();
    session.access_token().await.unwrap();
    time.advance(std::time::Duration::from_secs(31));
    (session, time)
}

#[tokio::test]
async fn it_is_tried_twice_and_no_more() {
    let world = World::new();
    for (first, status, asked) in [(0, 200, 1), (1, 200, 2), (2, 401, 2)] {
        let layer = AuthorizeLayer::new(with_old_token(&world).await);
        assert_eq!(rejected(&world, layer, first).await, (status, asked));
    }
    let once = AuthorizeLayer::once(with_old_token(&world).await);
    assert_eq!(rejected(&world, once, 1).await, (401, 1));
}

#[tokio::test]
async fn the_second_token_is_given_up_as_well_when_that_is_rejected() {
    let world = World::new();
    let (session, time) = with_old_token_and_time(&world).await;
    assert_eq!(rejected(&world, AuthorizeLayer::new(session.clone()), 2).await, (401, 2));
    assert_eq!(session.current_token(), None);
    // After the backoff there is another token, which grows old in turn.
    time.advance(std::time::Duration::from_secs(31));
    session.access_token().await.unwrap();
    time.advance(std::time::Duration::from_secs(31));
    assert_eq!(rejected(&world, AuthorizeLayer::new(session.clone()), 1).await, (200, 2));
    assert!(session.current_token().is_some());
}

#[tokio::test]
async fn if_there_is_no_other_token_the_401_is_handed_back() {
    let world = World::new();
    let session = with_old_token(&world).await;
    session.access_token().await.unwrap();
    world.emulator.always(Fault::respond(404));
    assert_eq!(rejected(&world, AuthorizeLayer::new(session), 1).await, (401, 1));
}

#[test]
fn debug_shows_no_token() {
    let world = World::new();
    let layer: AuthorizeLayer<_, ()> = AuthorizeLayer::new(world.session.clone());
    let shown = format!("{layer:?} {:?} {:?}", layer.layer(()), TowerTransport::new(()));
    assert!(shown.contains("AuthorizeLayer") && !shown.contains("correct horse"), "{shown}");
}
