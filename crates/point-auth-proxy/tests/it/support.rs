//! A proxy between clients on raw sockets and the API over TLS.

mod api;
mod raw;

use std::net::SocketAddr;
use std::time::Duration;

use point_auth::transport::{Roots, TlsSettings, TransportSettings};
use point_auth::{BaseUrl, Client, Credentials, HyperTransport, Session, Sessions, TokioRuntime};
use point_auth_proxy::{ClientKey, Limits, Listener, Proxy, ProxyBuilder};
use point_auth_testkit::{Clock, Emulator, EmulatorBuilder, Fault, Operation, VirtualTime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) use api::Api;
pub(crate) use raw::{Answer, Raw};

pub(crate) const USERNAME: &str = "user@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";
/// More than any step takes on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A proxy that is served on a free port until this drops.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) proxy: Proxy,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl Served {
    /// Serves on TCP, for clients that show [`KEY`].
    pub(crate) fn on_tcp(proxy: Proxy) -> Self {
        let key = ClientKey::new(KEY).unwrap();
        Self::on(proxy, Listener::tcp("127.0.0.1:0".parse().unwrap(), key).unwrap())
    }

    /// Serves on a listener; the address is meaningless for a Unix socket.
    pub(crate) fn on(proxy: Proxy, listener: Listener) -> Self {
        let address = listener.local_addr().unwrap_or_else(|| "127.0.0.1:9".parse().unwrap());
        let (stop, stopped) = oneshot::channel();
        let serving = proxy.clone();
        let serving = tokio::spawn(async move {
            // Ready too when this is dropped.
            serving.serve(listener, async { drop(stopped.await) }).await;
        });
        Self { address, proxy, stop: Some(stop), serving }
    }

    /// Tells it to stop, and returns at once.
    pub(crate) fn begin_to_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has stopped.
    pub(crate) async fn stopped(&mut self) {
        tokio::time::timeout(LONG, &mut self.serving).await.unwrap().unwrap();
    }

    pub(crate) async fn connect(&self) -> Raw {
        Raw::connect(self.address).await
    }

    /// Sends a request with all that the proxy asks for, and `more` headers.
    pub(crate) async fn request(&self, method: &str, path: &str, more: &str) -> Answer {
        let mut raw = self.connect().await;
        raw.write(&self.head(method, path, more)).await;
        raw.answer().await
    }

    pub(crate) fn head(&self, method: &str, path: &str, more: &str) -> String {
        let address = self.address;
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nPoint-Auth-Client-Key: {KEY}\r\n{more}\r\n"
        )
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "").await
    }
}

/// The emulator over TLS, a session with it, and a proxy.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) session: Session,
    pub(crate) served: Served,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|proxy| proxy)
    }

    pub(crate) fn with(set: impl FnOnce(ProxyBuilder) -> ProxyBuilder) -> Self {
        Self::of(emulator(), set)
    }

    pub(crate) fn of(
        emulator: EmulatorBuilder,
        set: impl FnOnce(ProxyBuilder) -> ProxyBuilder,
    ) -> Self {
        let emulator = emulator.start().unwrap();
        let session = session(&emulator, PASSWORD);
        Self::around(emulator, session, set)
    }

    /// Its session has a token that is old enough for a 401 to lead to another one at once.
    pub(crate) async fn with_old_token(emulator: EmulatorBuilder) -> Self {
        let emulator = emulator.start().unwrap();
        let client = client(&emulator.base_url(), &settings(&emulator));
        let session = with_old_token(client, emulator.clock()).await;
        Self::around(emulator, session, |proxy| proxy)
    }

    fn around(
        emulator: Emulator,
        session: Session,
        set: impl FnOnce(ProxyBuilder) -> ProxyBuilder,
    ) -> Self {
        emulator.always_for(Operation::Other, Fault::respond(200).body("from the API"));
        let builder = Proxy::builder(session.clone()).with_transport_settings(settings(&emulator));
        let served = Served::on_tcp(set(builder).build().unwrap());
        Self { emulator, session, served }
    }

    /// Returns how many requests the API has had, except those for tokens.
    pub(crate) fn forwarded(&self) -> usize {
        self.emulator.count(Operation::Other) + self.emulator.count(Operation::WhoAmI)
    }
}

pub(crate) fn emulator() -> EmulatorBuilder {
    Emulator::builder().user(USERNAME, PASSWORD).with_tls()
}

pub(crate) fn settings(emulator: &Emulator) -> TransportSettings {
    settings_for(emulator.ca_pem())
}

pub(crate) fn settings_for(pem: &str) -> TransportSettings {
    let tls = TlsSettings::new().with_roots(Roots::ExtraOnly);
    TransportSettings::new().with_tls(tls.with_extra_roots_pem(pem.as_bytes()).unwrap())
}

pub(crate) fn client(base_url: &str, settings: &TransportSettings) -> Client<HyperTransport> {
    let transport = HyperTransport::with_settings(settings).unwrap();
    Client::new(transport).with_base_url(BaseUrl::parse(base_url).unwrap())
}

pub(crate) fn session(emulator: &Emulator, password: &str) -> Session {
    let client = client(&emulator.base_url(), &settings(emulator));
    Session::new(client, Credentials::new(USERNAME, password).unwrap())
}

/// Returns a session whose token is 31 seconds old.
async fn with_old_token(client: Client<HyperTransport>, clock: &Clock) -> Session {
    let time = VirtualTime::new(clock, TokioRuntime::new());
    let session = Session::builder(client)
        .with_credentials(Credentials::new(USERNAME, PASSWORD).unwrap())
        .with_runtime(time.clone())
        .build();
    session.access_token().await.unwrap();
    time.advance(Duration::from_secs(31));
    session
}

pub(crate) fn sessions(emulator: &Emulator) -> Sessions {
    let client = client(&emulator.base_url(), &settings(emulator));
    Sessions::new(client, Credentials::new(USERNAME, PASSWORD).unwrap())
}

/// Short times for clients, for tests of them.
pub(crate) fn hasty() -> Limits {
    let short = Duration::from_millis(300);
    Limits::new().with_head_timeout(short).with_idle_timeout(short)
}

/// A short time for the API to begin a response, and long enough for one that does.
pub(crate) fn impatient() -> Limits {
    Limits::new().with_response_timeout(Duration::from_secs(3))
}
