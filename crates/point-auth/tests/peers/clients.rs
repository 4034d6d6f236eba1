//! A client of each adapter and TLS library, and the checks for all of them.

use std::sync::Arc;

use point_auth::transport::{
    AsyncTransport, BlockingTransport, ProxySettings, Roots, TlsBackend, TlsSettings,
    TransportSettings,
};
use point_auth::{
    BaseUrl, Client, Credentials, Error, ErrorKind, HyperTransport, Operation, Refresh,
    ReqwestTransport, SignIn, TokenSet, UreqTransport, blocking,
};
use point_auth_testkit::Emulator;
use tokio::runtime::Runtime;

pub(crate) const USERNAME: &str = "user@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Without TLS, as behind a gateway.
pub(crate) fn upstream() -> Emulator {
    Emulator::builder().user(USERNAME, PASSWORD).start().unwrap()
}

/// The TLS libraries that are compiled into the adapters.
pub(crate) const BACKENDS: &[TlsBackend] = &[
    TlsBackend::Rustls,
    #[cfg(feature = "native-tls")]
    TlsBackend::NativeTls,
];

/// The base URL, the trusted roots, and the proxy.
pub(crate) struct Site {
    pub(crate) base_url: String,
    pub(crate) ca_pem: String,
    pub(crate) proxy: Option<String>,
}

impl Site {
    pub(crate) fn new(base_url: impl Into<String>, ca_pem: &str) -> Self {
        Self { base_url: base_url.into(), ca_pem: ca_pem.to_owned(), proxy: None }
    }

    pub(crate) fn through(mut self, proxy: impl Into<String>) -> Self {
        self.proxy = Some(proxy.into());
        self
    }

    /// Returns one client of each adapter with each TLS library.
    pub(crate) fn clients(&self) -> Vec<AnyClient> {
        self.clients_with(|tls| tls)
    }

    /// Returns such clients with changed TLS settings.
    pub(crate) fn clients_with(&self, more: impl Fn(TlsSettings) -> TlsSettings) -> Vec<AnyClient> {
        BACKENDS.iter().flat_map(|&backend| self.clients_of(backend, &more)).collect()
    }

    pub(crate) fn clients_of(
        &self,
        backend: TlsBackend,
        more: impl Fn(TlsSettings) -> TlsSettings,
    ) -> Vec<AnyClient> {
        let tls = TlsSettings::new().with_backend(backend).with_roots(Roots::ExtraOnly);
        let tls = more(tls.with_extra_roots_pem(self.ca_pem.as_bytes()).unwrap());
        let proxy = self
            .proxy
            .as_deref()
            .map_or_else(ProxySettings::none, |url| ProxySettings::url(url).unwrap());
        let settings = TransportSettings::new().with_tls(tls).with_proxy(proxy);
        let base_url = BaseUrl::parse(&self.base_url).unwrap();
        let asynchronous = |name: &str, transport: Arc<dyn AsyncTransport>| {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            let client = Client::new(transport).with_base_url(base_url.clone());
            AnyClient {
                name: format!("{name} with {backend:?}"),
                kind: Kind::Async(runtime, client),
            }
        };
        let blocking = |name: &str, transport: Arc<dyn BlockingTransport>| {
            let client = blocking::Client::new(transport).with_base_url(base_url.clone());
            AnyClient { name: format!("{name} with {backend:?}"), kind: Kind::Blocking(client) }
        };
        vec![
            asynchronous("reqwest", Arc::new(ReqwestTransport::with_settings(&settings).unwrap())),
            asynchronous("hyper", Arc::new(HyperTransport::with_settings(&settings).unwrap())),
            blocking("ureq", Arc::new(UreqTransport::with_settings(&settings).unwrap())),
        ]
    }
}

/// A client of any kind, driven from plain threads.
pub(crate) struct AnyClient {
    pub(crate) name: String,
    kind: Kind,
}

enum Kind {
    Async(Runtime, Client<Arc<dyn AsyncTransport>>),
    Blocking(blocking::Client<Arc<dyn BlockingTransport>>),
}

impl AnyClient {
    pub(crate) fn execute<O: Operation>(&self, operation: &O) -> Result<O::Output, Error> {
        match &self.kind {
            Kind::Async(runtime, client) => runtime.block_on(client.execute(operation)),
            Kind::Blocking(client) => client.execute(operation),
        }
    }

    pub(crate) const fn is_blocking(&self) -> bool {
        matches!(self.kind, Kind::Blocking(_))
    }

    pub(crate) fn sign_in(&self) -> Result<TokenSet, Error> {
        self.execute(&SignIn::new(&Credentials::new(USERNAME, PASSWORD).unwrap()))
    }

    /// By the alias, the emulator distinguishes sign-ins.
    pub(crate) fn sign_in_as(&self, alias: &str) -> Result<TokenSet, Error> {
        let credentials =
            Credentials::new(USERNAME, PASSWORD).unwrap().with_user_alias(alias).unwrap();
        self.execute(&SignIn::new(&credentials))
    }

    /// A sign-in and a refresh that both work.
    #[track_caller]
    pub(crate) fn must_work(&self) {
        let tokens = self.sign_in().unwrap_or_else(|error| panic!("{}: {error:?}", self.name));
        let refresh = self.execute(&Refresh::new(tokens.refresh_token().unwrap()));
        let again = refresh.unwrap_or_else(|error| panic!("{}: {error:?}", self.name));
        assert_ne!(again.access_token(), tokens.access_token(), "{}", self.name);
    }

    /// A sign-in that fails with this kind.
    #[track_caller]
    pub(crate) fn must_fail(&self, kind: ErrorKind) -> Error {
        let error = self.sign_in().map(drop).expect_err(&self.name);
        assert_eq!(error.kind(), kind, "{}: {error:?}", self.name);
        assert!(!format!("{error} {error:?}").contains(PASSWORD), "{}", self.name);
        error
    }
}

/// Many sign-ins, of which any may fail and none may arrive twice.
pub(crate) struct Tally {
    name: String,
    pub(crate) signed_in: usize,
    pub(crate) failed: usize,
}

impl Tally {
    /// Signs in `count` times, `at_once` of them at a time, each with a different alias, and
    /// compares each with the record of `emulator`.
    #[track_caller]
    pub(crate) fn of(
        client: &AnyClient,
        emulator: &Emulator,
        count: usize,
        at_once: usize,
    ) -> Self {
        let mut tally = Self { name: client.name.clone(), signed_in: 0, failed: 0 };
        let alias = |number: usize| format!("{}, {number}", client.name);
        let numbers: Vec<usize> = (0..count).collect();
        for numbers in numbers.chunks(at_once) {
            let outcomes: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = numbers
                    .iter()
                    .map(|&number| (number, scope.spawn(move || client.sign_in_as(&alias(number)))))
                    .collect();
                threads
                    .into_iter()
                    .map(|(number, thread)| (number, thread.join().unwrap()))
                    .collect()
            });
            for (number, outcome) in outcomes {
                tally.count(&alias(number), outcome, emulator);
            }
        }
        tally
    }

    fn count(&mut self, alias: &str, outcome: Result<TokenSet, Error>, emulator: &Emulator) {
        let arrived = emulator.count_where(|request| request.user_alias() == Some(alias));
        match outcome {
            Ok(_) => {
                assert_eq!(arrived, 1, "{alias}");
                self.signed_in += 1;
            }
            Err(error) => {
                assert!(error.is_retryable(), "{alias}: {error:?}");
                assert!(
                    arrived <= usize::from(error.may_have_been_sent()),
                    "{alias}: {arrived}, {error:?}"
                );
                self.failed += 1;
            }
        }
    }

    /// Checks that all of them worked.
    #[track_caller]
    pub(crate) fn all_worked(&self) {
        assert_eq!(self.failed, 0, "{}: of {} sign-ins", self.name, self.signed_in + self.failed);
        assert!(self.signed_in > 0, "{}", self.name);
    }

    /// Checks that some of them worked, and prints how many.
    #[track_caller]
    pub(crate) fn some_worked(&self) {
        println!("{}: {} signed in, {} failed", self.name, self.signed_in, self.failed);
        assert!(self.signed_in > 0, "{}: all {} failed", self.name, self.failed);
    }
}
