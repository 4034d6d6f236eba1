//! One exchange over one adapter, and the blocks that it leaves.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use point_auth::transport::{AsyncTransport, ProxySettings, Roots, TlsSettings, TransportSettings};
use point_auth::{
    BaseUrl, Client, Credentials, Error, ErrorKind, HyperTransport, Operation, Refresh,
    RefreshToken, ReqwestTransport, Session, SignIn, TokenSet, UreqTransport, blocking,
};
use point_auth_testkit::ClosedPort;
use scanning_allocator::{ScanningAllocator, Watch};

use crate::server::{Server, Wire};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adapter {
    Reqwest,
    Hyper,
    Ureq,
}

/// The request, and how it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    SignIn,
    Refresh,
    /// A sign-in by a session.
    Session,
    /// Ten sign-ins, one after another, on as few connections as the client wants.
    TenTimes,
    Denied,
    /// 500, but with tokens.
    Error,
    Malformed,
    /// More than 64 KiB, all of it tokens.
    Large,
    /// Tokens, and then an early end.
    Cut,
    Reset,
    /// No response until the deadline.
    Silent,
    /// No process listens.
    Refused,
    /// The certificate is not trusted.
    Untrusted,
    /// The proxy requires another password.
    WrongProxy,
}

/// The number of freed blocks with a secret in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// The password, or the refresh token that was sent.
    pub(crate) sent: usize,
    /// The access token that came.
    pub(crate) access: usize,
    /// The refresh token that came.
    pub(crate) refresh: usize,
    /// The proxy's password, in base64 or not.
    pub(crate) proxy: usize,
}

impl Left {
    pub(crate) const fn is_within(&self, ceiling: &Self) -> bool {
        self.sent <= ceiling.sent
            && self.access <= ceiling.access
            && self.refresh <= ceiling.refresh
            && self.proxy <= ceiling.proxy
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "sent {} access {} refresh {} proxy {}",
            self.sent, self.access, self.refresh, self.proxy
        )
    }
}

/// Returns a unique secret, in memory that is never freed.
fn canary(what: &str) -> &'static str {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Box::leak(format!("{what}-canary-{number:04}").into_boxed_str())
}

pub(crate) fn measure(adapter: Adapter, wire: Wire, way: Way) -> Left {
    let (sent, access, refresh) = (canary("sent"), canary("access"), canary("refresh"));
    let proxy_password = canary("proxy");
    // As in `Basic cHJveHktdXNlcjpwcm94eS1jYW5hcnktMDAwMA==`. The complete base64 depends on the
    // user name, so this is of all of it.
    let basic: &'static str =
        Box::leak(base64(&format!("proxy-user:{proxy_password}")).into_boxed_str());

    let mut server =
        Server::start(wire, if way == Way::WrongProxy { "another" } else { proxy_password });
    let answer = match way {
        Way::Denied => "denied",
        Way::Error => "error",
        Way::Malformed => "malformed",
        Way::Large => "large",
        Way::Cut => "cut",
        Way::Reset => "reset",
        Way::Silent => "silent",
        _ => "good",
    };
    server.send(&[answer, access, refresh]);
    let untrusted = server.hear();
    let closed = ClosedPort::reserve().unwrap();
    let base_url = match way {
        Way::Untrusted => untrusted,
        Way::Refused => format!("http://{}", closed.addr()),
        _ => server.base_url.clone(),
    };
    let base_url = BaseUrl::parse(&base_url).unwrap();
    let proxy_url: &'static str = Box::leak(
        server.proxy.replacen("//", &format!("//proxy-user:{proxy_password}@"), 1).into_boxed_str(),
    );

    let watches = Watches {
        sent: ScanningAllocator::watch(sent),
        access: ScanningAllocator::watch(access),
        refresh: ScanningAllocator::watch(refresh),
        proxy: [ScanningAllocator::watch(proxy_password), ScanningAllocator::watch(basic)],
    };
    {
        let tls = TlsSettings::new().with_roots(Roots::ExtraOnly);
        let tls = tls.with_extra_roots_pem(server.ca_pem.as_bytes()).unwrap();
        let proxy = match wire {
            Wire::Proxy => ProxySettings::url(proxy_url).unwrap(),
            _ => ProxySettings::none(),
        };
        let settings = TransportSettings::new().with_tls(tls).with_proxy(proxy);
        let client = AnyClient::new(adapter, &settings, base_url, way);
        drop(settings);
        client.play(way, sent);
    }
    watches.left()
}

struct Watches {
    sent: Watch,
    access: Watch,
    refresh: Watch,
    proxy: [Watch; 2],
}

impl Watches {
    fn left(&self) -> Left {
        Left {
            sent: self.sent.freed_blocks(),
            access: self.access.freed_blocks(),
            refresh: self.refresh.freed_blocks(),
            proxy: self.proxy.iter().map(Watch::freed_blocks).sum(),
        }
    }
}

enum AnyClient {
    Async(tokio::runtime::Runtime, Client<Box<dyn AsyncTransport>>),
    Blocking(blocking::Client<UreqTransport>),
}

impl AnyClient {
    fn new(adapter: Adapter, settings: &TransportSettings, base_url: BaseUrl, way: Way) -> Self {
        let timeout = Duration::from_millis(if way == Way::Silent { 500 } else { 30_000 });
        let asynchronous = |transport: Box<dyn AsyncTransport>| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let client =
                Client::new(transport).with_base_url(base_url.clone()).with_total_timeout(timeout);
            Self::Async(runtime, client)
        };
        match adapter {
            Adapter::Reqwest => {
                asynchronous(Box::new(ReqwestTransport::with_settings(settings).unwrap()))
            }
            Adapter::Hyper => {
                asynchronous(Box::new(HyperTransport::with_settings(settings).unwrap()))
            }
            Adapter::Ureq => {
                let client = blocking::Client::new(UreqTransport::with_settings(settings).unwrap());
                Self::Blocking(client.with_base_url(base_url).with_total_timeout(timeout))
            }
        }
    }

    fn execute<O: Operation>(&self, operation: &O) -> Result<O::Output, Error> {
        match self {
            Self::Async(runtime, client) => runtime.block_on(client.execute(operation)),
            Self::Blocking(client) => client.execute(operation),
        }
    }

    fn play(self, way: Way, secret: &'static str) {
        if way == Way::Refresh {
            let outcome = self.execute(&Refresh::new(&RefreshToken::new(secret).unwrap()));
            ends_as_it_should(way, outcome);
            return;
        }
        let credentials = Credentials::new("user@example.com", secret).unwrap();
        if way == Way::Session {
            match self {
                Self::Async(runtime, client) => {
                    let session = Session::new(client, credentials);
                    drop(runtime.block_on(session.access_token()).unwrap());
                }
                Self::Blocking(client) => {
                    drop(blocking::Session::new(client, credentials).access_token().unwrap());
                }
            }
            return;
        }
        for _ in 0..if way == Way::TenTimes { 10 } else { 1 } {
            ends_as_it_should(way, self.execute(&SignIn::new(&credentials)));
        }
    }
}

fn ends_as_it_should(way: Way, outcome: Result<TokenSet, Error>) {
    let expected = match way {
        Way::SignIn | Way::Refresh | Way::Session | Way::TenTimes => {
            outcome.unwrap();
            return;
        }
        Way::Denied => ErrorKind::Denied,
        Way::Error => ErrorKind::Unexpected,
        Way::Malformed => ErrorKind::Malformed,
        Way::Large => ErrorKind::TooLarge,
        Way::Cut | Way::Reset => ErrorKind::Protocol,
        Way::Silent => ErrorKind::Timeout,
        Way::Refused | Way::WrongProxy => ErrorKind::Connect,
        Way::Untrusted => ErrorKind::Tls,
    };
    let error = outcome.map(drop).unwrap_err();
    assert_eq!(error.kind(), expected, "{error:?}");
}

/// Base64 of the complete text, so that no end depends on the bytes around it.
fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}
