//! A worker of a fleet: this program, started again, which does what its standard input says.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, Write};
use std::sync::Arc;
use std::time::Duration;
use std::{env, iter};

use http::{Request, Response, StatusCode};
use point_auth::operation::{json_get, success_body};
use point_auth::session::Policy;
use point_auth::token_store::AnyStore;
use point_auth::transport::{AsyncTransport, SendLimits, TransportError, async_trait};
use point_auth::{
    AccessToken, BaseUrl, Client, Credentials, Error, ErrorKind, FileStore, HyperTransport,
    Operation, RedisStore, RequestError, ResponseError, SecretBody, Session, Sessions, StoreKey,
};
use redis::TlsCertificates;
use redis::aio::ConnectionManagerConfig;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::time::Jumping;

/// Set in a worker: what it is, as JSON.
pub(crate) const SETUP: &str = "POINT_AUTH_TEST_WORKER";
/// Before what a worker says.
pub(crate) const SAYS: &str = "worker says ";

/// So many requests of a worker are in flight at once, as of a service of middling size.
const AT_ONCE: usize = 8;

/// What a worker does. In the parent, which is none, it does nothing.
#[test]
fn a_worker_does_what_it_is_told() {
    let Ok(setup) = env::var(SETUP) else { return };
    let setup: Value = serde_json::from_str(&setup).unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.unwrap();
    let worker = runtime.block_on(async { Arc::new(Worker::new(&setup)) });
    say("ready");
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("get", _) => say(&runtime.block_on(Arc::clone(&worker).get()).to_string()),
            ("jump", seconds) => {
                worker.time.jump(Duration::from_secs(seconds.parse().unwrap()));
                say("jumped");
            }
            // The caller is never polled again.
            ("ask-once", _) => {
                let _runtime = runtime.enter();
                worker.ask_once();
                runtime.block_on(worker.time.idle());
                say("asked");
            }
            (what, _) => panic!("there is no command {what}"),
        }
    }
}

fn say(what: &str) {
    // In one piece, since the test runner writes as well.
    io::stdout().write_all(format!("{SAYS}{what}\n").as_bytes()).unwrap();
    io::stdout().flush().unwrap();
}

struct Worker {
    time: Jumping,
    client: Client<Arc<dyn AsyncTransport>>,
    sessions: Vec<Session>,
    /// Of sessions with an alias each.
    _all: Option<Sessions>,
}

impl Worker {
    fn new(setup: &Value) -> Self {
        let time = Jumping::new();
        let text = |name: &str| setup[name].as_str();
        let base_url = BaseUrl::parse(text("base_url").unwrap()).unwrap();
        let client = |transport: Arc<dyn AsyncTransport>| {
            Client::new(transport).with_base_url(base_url.clone())
        };
        let hyper: Arc<dyn AsyncTransport> = Arc::new(HyperTransport::new().unwrap());
        let transport = match text("stops") {
            Some(stops) => {
                let stops_before = stops == "before";
                Arc::new(Stopping { inner: Arc::clone(&hyper), stops_before })
            }
            None => Arc::clone(&hyper),
        };
        let username = text("username").unwrap();
        let credentials = Credentials::new(username, text("password").unwrap()).unwrap();
        let exchange = Duration::from_secs(setup["exchange_timeout"].as_u64().unwrap());
        let policy = Policy::builder().with_exchange_timeout(exchange).build().unwrap();
        let store = store(&setup["store"]);
        let count = setup["sessions"].as_u64().unwrap();
        let Some(first) = setup["first_alias"].as_u64() else {
            let session = || {
                Session::builder(client(Arc::clone(&transport)))
                    .with_credentials(credentials.clone())
                    .with_policy(policy.clone())
                    .with_runtime(time.clone())
                    .with_store(store.clone())
                    .build()
            };
            let sessions = iter::repeat_with(session).take(usize::try_from(count).unwrap());
            return Self { sessions: sessions.collect(), time, client: client(hyper), _all: None };
        };
        let all = Sessions::builder(client(transport))
            .with_credentials(credentials)
            .with_policy(policy)
            .with_runtime(time.clone())
            .with_store(store)
            .build();
        let session = |number| all.session(&format!("alias-{number}")).unwrap();
        let sessions = (first..first + count).map(session).collect();
        Self { sessions, time, client: client(hyper), _all: Some(all) }
    }

    /// Each session gets a token and uses it. If that is a 401, it reports that, and uses the token
    /// that it gets then. Returns when nothing runs in the background any more.
    async fn get(self: Arc<Self>) -> Value {
        let at_once = Arc::new(Semaphore::new(AT_ONCE));
        let mut tasks = JoinSet::new();
        for number in 0..self.sessions.len() {
            let (this, at_once) = (Arc::clone(&self), Arc::clone(&at_once));
            tasks.spawn(async move {
                let session = this.sessions.get(number).unwrap();
                let token = session.access_token().await?;
                match this.uses(&token, &at_once).await {
                    Err(Failed::Rejected) => {}
                    used => return used.map(|()| (token, "served")),
                }
                session.invalidate(&token);
                let token = session.access_token().await?;
                this.uses(&token, &at_once).await.map(|()| (token, "served anew"))
            });
        }
        let (mut tokens, mut errors) = (Vec::new(), Vec::new());
        let mut said = json!({});
        for done in tasks.join_all().await {
            let what = match done {
                Ok((token, what)) => {
                    let mut hasher = DefaultHasher::new();
                    token.expose().hash(&mut hasher);
                    tokens.push(hasher.finish());
                    what
                }
                Err(Failed::Denied) => "denied",
                Err(Failed::Held) => "held",
                Err(Failed::TimedOut) => "timed out",
                Err(Failed::Rejected) => {
                    errors.push("a second 401".to_owned());
                    continue;
                }
                Err(Failed::Otherwise(error)) => {
                    errors.push(error);
                    continue;
                }
            };
            said[what] = json!(said[what].as_u64().unwrap_or_default() + 1);
        }
        tokens.sort_unstable();
        tokens.dedup();
        said["tokens"] = json!(tokens);
        said["errors"] = json!(errors);
        self.time.idle().await;
        said
    }

    /// Sends a request with this token.
    async fn uses(&self, token: &AccessToken, at_once: &Semaphore) -> Result<(), Failed> {
        let _one = at_once.acquire().await.unwrap();
        match self.client.execute(&WhoAmI(token)).await {
            Ok(()) => Ok(()),
            Err(error) if error.status() == Some(StatusCode::UNAUTHORIZED) => Err(Failed::Rejected),
            Err(error) => Err(Failed::Otherwise(error.to_string())),
        }
    }

    /// Lets a caller ask, which then never asks again.
    fn ask_once(&self) {
        let session = self.sessions.first().unwrap().clone();
        let mut asking = Box::pin(async move { session.access_token().await });
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(asking.as_mut().poll(&mut context).is_pending());
        // Kept, since nothing is sent where no caller waits.
        std::mem::forget(asking);
    }
}

enum Failed {
    Denied,
    Held,
    TimedOut,
    /// A 401.
    Rejected,
    Otherwise(String),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Denied => Self::Denied,
            ErrorKind::Held => Self::Held,
            ErrorKind::Timeout => Self::TimedOut,
            kind => Self::Otherwise(format!("{kind:?}: {error}")),
        }
    }
}

/// A request that wants a token.
struct WhoAmI<'a>(&'a AccessToken);

impl Operation for WhoAmI<'_> {
    type Output = ();

    fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
        let mut request = json_get(base, "/point-auth-emulator/whoami")?;
        self.0.authorize(request.headers_mut());
        Ok(request)
    }

    fn parse_response<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<(), ResponseError> {
        success_body(response, Self::MAX_RESPONSE_BYTES, &[]).map(|_| ())
    }
}

fn store(told: &Value) -> AnyStore {
    if let Some(directory) = told["directory"].as_str() {
        return AnyStore::blocking(FileStore::open(directory).unwrap());
    }
    let (url, key) = (told["url"].as_str().unwrap(), told["key"].as_str().unwrap());
    let key = StoreKey::parse(key).unwrap();
    let client = match told["authority"].as_str() {
        None => redis::Client::open(url),
        Some(authority) => {
            rustls::crypto::ring::default_provider().install_default().unwrap();
            let root_cert = Some(authority.as_bytes().to_vec());
            let certificates = TlsCertificates { client_tls: None, root_cert };
            redis::Client::build_with_tls(url, certificates)
        }
    };
    // Long, so that a busy machine is no outage.
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(Duration::from_secs(60)))
        .set_response_timeout(Some(Duration::from_secs(60)));
    let connection = client.unwrap().get_connection_manager_lazy(config).unwrap();
    AnyStore::new(RedisStore::new(connection, key))
}

/// A transport with which a process says where it is, and stops for good.
struct Stopping {
    inner: Arc<dyn AsyncTransport>,
    stops_before: bool,
}

#[async_trait]
impl AsyncTransport for Stopping {
    async fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        if !self.stops_before {
            let _answer = self.inner.send(request, limits).await?;
        }
        say("stopped");
        std::future::pending().await
    }
}
