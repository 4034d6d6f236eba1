//! [`Bench`]: where a check works. It starts servers and transports, watches over each exchange,
//! and remembers what the servers saw.

use std::net::SocketAddr;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use http::{HeaderValue, Request, Uri};
use point_auth_core::{BaseUrl, Credentials, Operation as _, SecretBody, SignIn};
use point_auth_transport::{ProxySettings, Roots, SendLimits, TlsSettings, TransportSettings};

use super::attempt::Attempt;
use super::canary;
use super::candidate::{Answer, Candidate, Driver, ProxyChoice, Setup};
use super::check::Wire;
use super::requests::Kind;
use super::violation::{Rule, Violation, ensure};
use crate::server_thread::lock;
use crate::{
    ConnectProxy, ConnectProxyBuilder, Emulator, EmulatorBuilder, HttpVersions, Operation,
    RawBehavior, RawServer,
};

/// Limits that no check wants to meet.
pub(super) const AMPLE: SendLimits = SendLimits::new()
    .with_connect_timeout(Duration::from_secs(20))
    .with_total_timeout(Duration::from_secs(30));
/// What a check that wants to see a limit in time reached sets it to.
pub(super) const SHORT: Duration = Duration::from_millis(400);
/// How late an exchange may end on a machine that is busy with other things.
const SLACK: Duration = Duration::from_secs(5);
/// For what is bound to happen on loopback.
pub(super) const SOON: Duration = Duration::from_secs(20);

type Witness = Box<dyn Fn() -> String + Send>;

pub(super) struct Bench<'a> {
    candidate: &'a Candidate,
    wire: Wire,
    test: Option<&'a str>,
    witnesses: Mutex<Vec<Witness>>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(candidate: &'a Candidate, wire: Wire, test: Option<&'a str>) -> Self {
        Self { candidate, wire, test, witnesses: Mutex::default() }
    }

    pub(super) const fn wire(&self) -> Wire {
        self.wire
    }

    /// The path of the test that runs the check, as the test binary takes it.
    pub(super) const fn test(&self) -> Option<&'a str> {
        self.test
    }

    pub(super) const fn candidate(&self) -> &'a Candidate {
        self.candidate
    }

    pub(super) fn saw(&self) -> Vec<String> {
        lock(&self.witnesses).iter().map(|witness| witness()).collect()
    }

    /// An emulator that speaks what this check is about.
    pub(super) fn emulator(&self) -> Result<Arc<Emulator>, Violation> {
        self.emulator_with(|builder| builder)
    }

    pub(super) fn emulator_with(
        &self,
        set_up: impl FnOnce(EmulatorBuilder) -> EmulatorBuilder,
    ) -> Result<Arc<Emulator>, Violation> {
        let emulator = Arc::new(set_up(self.emulator_builder()).start()?);
        let witness = Arc::clone(&emulator);
        lock(&self.witnesses).push(Box::new(move || describe(&witness)));
        Ok(emulator)
    }

    /// An emulator of which a violation tells nothing: it sees thousands of requests.
    pub(super) fn unwitnessed_emulator(&self) -> Result<Arc<Emulator>, Violation> {
        Ok(Arc::new(self.emulator_builder().start()?))
    }

    fn emulator_builder(&self) -> EmulatorBuilder {
        let builder = Emulator::builder().user(canary::USERNAME, canary::PASSWORD);
        match self.wire {
            Wire::Plain => builder.http(HttpVersions::Http1Only),
            Wire::Tls => builder.http(HttpVersions::Http1Only).with_tls(),
            Wire::Http2 => builder.http(HttpVersions::Http2Only).with_tls(),
        }
    }

    pub(super) fn raw_server(&self, behavior: RawBehavior) -> Result<Arc<RawServer>, Violation> {
        let server = Arc::new(RawServer::start(behavior)?);
        let witness = Arc::clone(&server);
        lock(&self.witnesses).push(Box::new(move || {
            let (connections, bytes) = (witness.connections(), witness.bytes_received());
            format!(
                "the raw server on {} saw {connections} connections and {bytes} bytes",
                witness.addr()
            )
        }));
        Ok(server)
    }

    pub(super) fn proxy(
        &self,
        builder: ConnectProxyBuilder,
    ) -> Result<Arc<ConnectProxy>, Violation> {
        let proxy = Arc::new(builder.start()?);
        let witness = Arc::clone(&proxy);
        lock(&self.witnesses).push(Box::new(move || {
            let (connections, others) = (witness.connections(), witness.other_requests());
            let connects = witness.connects();
            format!("the proxy saw {connections} connections, {others} requests other than CONNECT, and {connects:?}")
        }));
        Ok(proxy)
    }

    /// The base URL of something at `address`, with the scheme that this check is about.
    pub(super) fn base_at(&self, address: SocketAddr) -> Result<BaseUrl, Violation> {
        let scheme = if self.wire == Wire::Plain { "http" } else { "https" };
        base(&format!("{scheme}://{address}"))
    }

    /// A transport that trusts `emulator` and uses no proxy.
    pub(super) fn transport_for(&self, emulator: &Emulator) -> Result<Transport, Violation> {
        self.transport(&setup(emulator)?)
    }

    pub(super) fn transport(&self, setup: &Setup) -> Result<Transport, Violation> {
        match self.candidate.make(setup) {
            Ok(driver) => Ok(Transport(driver)),
            Err(error) => Err(Violation::new(format!("the transport could not be made: {error}"))),
        }
    }

    /// An emulator and a transport for it.
    pub(super) fn scene(&self) -> Result<Scene, Violation> {
        let emulator = self.emulator()?;
        let transport = self.transport_for(&emulator)?;
        Scene::new(emulator, transport)
    }
}

/// What a transport for `emulator` is made with.
pub(super) fn setup(emulator: &Emulator) -> Result<Setup, Violation> {
    setup_with(Some(emulator.ca_pem()), None, ProxyChoice::None, None)
}

pub(super) fn setup_with(
    root: Option<&str>,
    identity: Option<(&str, &str)>,
    proxy: ProxyChoice,
    no_proxy: Option<&str>,
) -> Result<Setup, Violation> {
    let settings_error =
        |error| Violation::new(format!("the settings of the check were refused: {error}"));
    let mut tls = TlsSettings::new();
    if let Some(root) = root {
        tls = tls
            .with_roots(Roots::ExtraOnly)
            .with_extra_roots_pem(root.as_bytes())
            .map_err(settings_error)?;
    }
    if let Some((certificate, key)) = identity {
        tls = tls
            .with_identity_pem(certificate.as_bytes(), key.as_bytes())
            .map_err(settings_error)?;
    }
    let mut proxies = match &proxy {
        ProxyChoice::None => ProxySettings::none(),
        ProxyChoice::Environment => ProxySettings::from_environment(),
        ProxyChoice::Url(url) => ProxySettings::url(url).map_err(settings_error)?,
    };
    if let Some(list) = no_proxy {
        proxies = proxies.with_no_proxy(list);
    }
    Ok(Setup {
        settings: TransportSettings::new().with_tls(tls).with_proxy(proxies),
        root: root.map(str::to_owned),
        identity: identity.map(|(certificate, key)| (certificate.to_owned(), key.to_owned())),
        proxy,
        no_proxy: no_proxy.map(str::to_owned),
    })
}

pub(super) fn base(url: &str) -> Result<BaseUrl, Violation> {
    BaseUrl::parse(url)
        .map_err(|error| Violation::new(format!("the base URL of the check was refused: {error}")))
}

/// A sign-in with the canaries, and one more header.
pub(super) fn sign_in_at(base: &BaseUrl) -> Result<Request<SecretBody>, Violation> {
    let credentials = Credentials::new(canary::USERNAME, canary::PASSWORD);
    let credentials = credentials.map_err(|error| Violation::new(error.to_string()))?;
    let request = SignIn::new(&credentials).to_request(base);
    let mut request = request.map_err(|error| Violation::new(error.to_string()))?;
    request.headers_mut().insert("x-tracking", HeaderValue::from_static(canary::HEADER));
    Ok(request)
}

/// The transport under test, watched over: nothing may hang, and no error may show a canary,
/// whatever the check is about.
pub(super) struct Transport(Arc<dyn Driver>);

impl Transport {
    pub(super) fn driver(&self) -> &dyn Driver {
        &*self.0
    }

    pub(super) fn send(
        &self,
        request: Request<SecretBody>,
        limits: SendLimits,
    ) -> Result<Attempt, Violation> {
        let driver = Arc::clone(&self.0);
        let answer = within(limits, move || driver.send(request, &limits))?;
        look_for_leaks(&answer)?;
        Ok(Attempt(answer))
    }

    pub(super) fn send_all(
        &self,
        requests: Vec<Request<SecretBody>>,
        limits: SendLimits,
    ) -> Result<Vec<Attempt>, Violation> {
        let driver = Arc::clone(&self.0);
        let answers = within(limits, move || driver.send_all(requests, &limits))?;
        let attempt = |answer: Option<Answer>| {
            let answer =
                answer.ok_or_else(|| Violation::new("one of the requests at once panicked"))?;
            look_for_leaks(&answer)?;
            Ok(Attempt(answer))
        };
        answers.into_iter().map(attempt).collect()
    }
}

/// Runs `exchange` on a thread of its own, and gives it up when it goes on long after its limits.
fn within<T: Send + 'static>(
    limits: SendLimits,
    exchange: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Violation> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        // Once it is too late, the receiver is gone.
        let _ = sender.send(exchange());
    });
    // A limit that is no limit does not mean that a check may take for ever.
    let timeout = limits.total_timeout().min(AMPLE.total_timeout()).saturating_add(SLACK);
    receiver.recv_timeout(timeout).map_err(|error| match error {
        RecvTimeoutError::Timeout => Violation::of(
            Rule::Deadline,
            format!(
                "the exchange went on for {SLACK:?} after its limit of {:?} and was given up",
                limits.total_timeout()
            ),
        ),
        RecvTimeoutError::Disconnected => Violation::new("the transport panicked"),
    })
}

fn look_for_leaks(answer: &Answer) -> Result<(), Violation> {
    let leak = match answer {
        Ok(response) => canary::in_debug(response.body())
            .map(|how| format!("in `{how}` of the response's body")),
        Err(error) => canary::in_error(error),
    };
    match leak {
        Some(place) => Err(Violation::of(Rule::NoLeaks, format!("a secret is shown {place}"))),
        None => Ok(()),
    }
}

/// An emulator, and a transport for it.
pub(super) struct Scene {
    pub(super) emulator: Arc<Emulator>,
    pub(super) transport: Transport,
    pub(super) base: BaseUrl,
}

impl Scene {
    pub(super) fn new(emulator: Arc<Emulator>, transport: Transport) -> Result<Self, Violation> {
        let base = base(&emulator.base_url())?;
        Ok(Self { emulator, transport, base })
    }

    pub(super) fn sign_in(&self) -> Result<Attempt, Violation> {
        self.sign_in_within(AMPLE)
    }

    pub(super) fn sign_in_within(&self, limits: SendLimits) -> Result<Attempt, Violation> {
        self.transport.send(sign_in_at(&self.base)?, limits)
    }

    /// How many sign-ins arrived.
    pub(super) fn posts(&self) -> usize {
        self.emulator.count(Operation::SignIn)
    }

    /// How many requests of any kind arrived.
    pub(super) fn arrived(&self) -> usize {
        self.emulator.count_where(|_| true)
    }

    /// Sends a request of another kind than a sign-in.
    pub(super) fn send(&self, kind: &Kind) -> Result<Attempt, Violation> {
        self.transport.send(kind.request(&self.base)?, AMPLE)
    }

    /// Signs in with the emulator's own answer, and looks that it arrived as that.
    pub(super) fn must_still_work(&self) -> Result<(), Violation> {
        let response = self
            .sign_in()?
            .response()
            .map_err(|violation| violation.when("the request after it"))?;
        ensure!(response.status() == 200, "the request after it got {}", response.status());
        Ok(())
    }
}

fn describe(emulator: &Emulator) -> String {
    let requests: Vec<String> = emulator
        .requests()
        .iter()
        .map(|request| {
            format!(
                "{} {} on connection {}",
                request.method(),
                path(request.uri()),
                request.connection()
            )
        })
        .collect();
    format!(
        "the emulator on {} saw {} connections, {} TLS handshakes ({} failed), {} bytes and {} requests: [{}]",
        emulator.addr(),
        emulator.connections(),
        emulator.tls_handshakes(),
        emulator.failed_tls_handshakes(),
        emulator.bytes_received(),
        requests.len(),
        requests.join(", "),
    )
}

fn path(uri: &Uri) -> &str {
    uri.path()
}
