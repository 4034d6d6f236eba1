//! The API as a server of the tests' own: it streams, and says when a request is dropped. Its
//! answers to sign-ins are as the wire contract has them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use point_auth_proxy::{Proxy, ProxyBuilder};
use point_auth_testkit::{CertificateAuthority, Clock};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::{LONG, client, settings_for, with_old_token};

type AnyBody = UnsyncBoxBody<Bytes, hyper::Error>;

/// A server that runs until this drops.
pub(crate) struct Api {
    address: SocketAddr,
    authority: CertificateAuthority,
    server: JoinHandle<()>,
    state: Arc<State>,
    /// A message for each request to `/hang` that began (`true`) or was dropped (`false`).
    pub(crate) hanging: mpsc::UnboundedReceiver<bool>,
}

struct State {
    /// How many tokens were given out. The last one is good.
    tokens: AtomicUsize,
    /// How many good tokens are refused all the same.
    refusals: AtomicUsize,
    reads_before: AtomicBool,
    requests: watch::Sender<usize>,
    hanging: mpsc::UnboundedSender<bool>,
}

impl Api {
    /// Starts it with these protocols: `h2`, `http/1.1`.
    pub(crate) async fn start(protocols: &[&str]) -> Self {
        let authority = CertificateAuthority::new().unwrap();
        let issued = authority.issue(["127.0.0.1"]).unwrap();
        let chain = vec![CertificateDer::from(issued.certificate_der().to_vec())];
        let key = PrivateKeyDer::try_from(issued.private_key_der().to_vec()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, hanging) = mpsc::unbounded_channel();
        let state = Arc::new(State {
            tokens: AtomicUsize::new(0),
            refusals: AtomicUsize::new(0),
            reads_before: AtomicBool::new(false),
            requests: watch::Sender::new(0),
            hanging: sender,
        });
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let server = tokio::spawn(accept(listener, acceptor, Arc::clone(&state)));
        Self { address, authority, server, state, hanging }
    }

    /// Refuses the next requests, whatever their token.
    pub(crate) fn refuse(&self, requests: usize) {
        self.state.refusals.store(requests, Ordering::SeqCst);
    }

    /// Returns how many requests came, except those for tokens.
    pub(crate) fn requests(&self) -> usize {
        *self.state.requests.borrow()
    }

    /// Waits until so many requests have come, except those for tokens.
    pub(crate) async fn wait_for_requests(&self, count: usize) {
        let mut requests = self.state.requests.subscribe();
        let waiting = requests.wait_for(|requests| *requests >= count);
        assert!(timeout(LONG, waiting).await.unwrap().is_ok());
    }

    /// Returns how many tokens were given out.
    pub(crate) fn tokens(&self) -> usize {
        self.state.tokens.load(Ordering::SeqCst)
    }

    /// Reads the body before it refuses a request.
    pub(crate) fn refuse_after_the_body(&self) {
        self.state.reads_before.store(true, Ordering::SeqCst);
        self.refuse(1);
    }

    pub(crate) async fn proxy(&self) -> Proxy {
        self.builder().await.build().unwrap()
    }

    pub(crate) async fn builder(&self) -> ProxyBuilder {
        let settings = settings_for(self.authority.pem());
        let client = client(&format!("https://{}", self.address), &settings);
        let session = with_old_token(client, &Clock::running()).await;
        Proxy::builder(session).with_transport_settings(settings)
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, state: Arc<State>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (acceptor, state) = (acceptor.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(move |request| respond(Arc::clone(&state), request));
            let server = Builder::new(TokioExecutor::new());
            drop(server.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn respond(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<AnyBody>, Infallible> {
    let path = request.uri().path().to_owned();
    if path.starts_with("/user-management-services-ws/oauth2/") {
        let number = state.tokens.fetch_add(1, Ordering::SeqCst) + 1;
        let body = format!(r#"{{"access_token":"token-{number}","expires_in":3600}}"#);
        return Ok(Response::new(full(body)));
    }
    state.requests.send_modify(|requests| *requests += 1);
    let good = format!("Bearer token-{}", state.tokens.load(Ordering::SeqCst));
    let shown = request.headers().get("authorization").map(HeaderValue::as_bytes);
    let refuse = |left: usize| left.checked_sub(1);
    let is_refused =
        state.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, refuse).is_ok();
    let status = match shown == Some(good.as_bytes()) && !is_refused {
        true => StatusCode::OK,
        false => StatusCode::UNAUTHORIZED,
    };
    let version = format!("{:?}", request.version());
    let mut response = match path.as_str() {
        _ if status != StatusCode::OK => {
            if state.reads_before.load(Ordering::SeqCst) {
                drop(request.into_body().collect().await);
            }
            Response::new(full("who are you?"))
        }
        "/echo" => Response::new(request.into_body().boxed_unsync()),
        "/length" => {
            let length = request.into_body().collect().await.map(|body| body.to_bytes().len());
            Response::new(full(length.unwrap_or(0).to_string()))
        }
        "/trailers" => {
            Response::new(WithTrailers(Some(Frame::data(Bytes::from("data")))).boxed_unsync())
        }
        "/hang" => {
            state.hanging.send(true).unwrap();
            let _dropped = Dropped(state.hanging.clone());
            std::future::pending().await
        }
        _ => Response::new(full("from the API")),
    };
    *response.status_mut() = status;
    response.headers_mut().insert("x-was-spoken", HeaderValue::from_str(&version).unwrap());
    Ok(response)
}

fn full(body: impl Into<Bytes>) -> AnyBody {
    Full::new(body.into()).map_err(|never| match never {}).boxed_unsync()
}

struct Dropped(mpsc::UnboundedSender<bool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _heard = self.0.send(false);
    }
}

/// A body that ends with a trailer.
struct WithTrailers(Option<Frame<Bytes>>);

impl Body for WithTrailers {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = self.0.take();
        if frame.as_ref().is_some_and(Frame::is_data) {
            let mut trailers = HeaderMap::new();
            trailers.insert("set-cookie", HeaderValue::from_static("a=b"));
            self.0 = Some(Frame::trailers(trailers));
        }
        Poll::Ready(frame.map(Ok))
    }
}
