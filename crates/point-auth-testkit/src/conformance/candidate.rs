//! [`Candidate`]: the transport that is held against the contract, as a recipe; and what it is to
//! be made with.

use std::error::Error;
use std::fmt;
use std::fmt::Debug;
use std::sync::Arc;
use std::thread;

use http::{Request, Response};
use point_auth_core::SecretBody;
use point_auth_transport::{
    AsyncTransport, BlockingTransport, SendLimits, TransportError, TransportSettings,
};
use tokio::runtime::{Builder, Runtime};

/// What a check wants its transport to be made with.
///
/// A transport that is built from our [`TransportSettings`] takes [`settings`](Self::settings). Any
/// other finds the same in parts: the one root certificate to trust, the proxy, the identity to
/// show.
#[derive(Clone)]
pub struct Setup {
    pub(super) settings: TransportSettings,
    pub(super) root: Option<String>,
    pub(super) identity: Option<(String, String)>,
    pub(super) proxy: ProxyChoice,
    pub(super) no_proxy: Option<String>,
}

/// Which proxy a check wants used.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyChoice {
    /// None, even if the environment names one.
    None,
    /// The one that the environment names.
    Environment,
    /// This one: `http://user:password@127.0.0.1:3128`, user name and password percent-encoded.
    Url(String),
}

impl Debug for ProxyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Environment => "Environment",
            Self::Url(_) => "Url(..)",
        })
    }
}

impl Setup {
    /// Everything, as our own adapters take it.
    pub const fn settings(&self) -> &TransportSettings {
        &self.settings
    }

    /// The root certificate to trust, in PEM, and no other. None where the check is not about a
    /// server that is reached.
    #[must_use]
    pub fn root_certificate_pem(&self) -> Option<&str> {
        self.root.as_deref()
    }

    /// The certificate (in PEM) to show, and its private key (PKCS#8 in PEM).
    #[must_use]
    pub fn identity_pem(&self) -> Option<(&str, &str)> {
        self.identity.as_ref().map(|(certificate, key)| (certificate.as_str(), key.as_str()))
    }

    /// The proxy to use.
    #[must_use]
    pub const fn proxy(&self) -> &ProxyChoice {
        &self.proxy
    }

    /// What is to be reached without the proxy, as in `NO_PROXY`.
    #[must_use]
    pub fn no_proxy(&self) -> Option<&str> {
        self.no_proxy.as_deref()
    }
}

impl Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("settings", &self.settings)
            .field("root_certificate_pem", &self.root.is_some())
            .field("identity_pem", &self.identity.is_some())
            .field("proxy", &self.proxy)
            .field("no_proxy", &self.no_proxy)
            .finish()
    }
}

type Failed = Box<dyn Error + Send + Sync>;
type Make = dyn Fn(&Setup) -> Result<Arc<dyn Driver>, Failed> + Send + Sync;

/// The transport that is held against the contract: how one is made, and what it does not do.
#[derive(Clone)]
pub struct Candidate {
    make: Arc<Make>,
    left_out: Vec<&'static str>,
}

impl Candidate {
    /// A transport that blocks; `make` makes one for each check.
    pub fn blocking<T, E>(make: impl Fn(&Setup) -> Result<T, E> + Send + Sync + 'static) -> Self
    where
        T: BlockingTransport + Debug + 'static,
        E: Into<Failed>,
    {
        Self::new(move |setup| Ok(Arc::new(BlockingDriver(make(setup).map_err(Into::into)?))))
    }

    /// An async transport; `make` makes one for each check, and each gets a tokio runtime of its
    /// own.
    pub fn r#async<T, E>(make: impl Fn(&Setup) -> Result<T, E> + Send + Sync + 'static) -> Self
    where
        T: AsyncTransport + Debug + 'static,
        E: Into<Failed>,
    {
        Self::new(move |setup| {
            // A worker of its own, so that what a client does in the background goes on between two
            // sends.
            let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
            // Some clients want to be made where they are used.
            let transport = {
                let _entered = runtime.enter();
                Arc::new(make(setup).map_err(Into::into)?)
            };
            Ok(Arc::new(AsyncDriver { transport, runtime: Some(runtime) }))
        })
    }

    /// Says that it does not take part in a group of checks, such as `tls`.
    #[must_use]
    pub fn without(mut self, group: &'static str) -> Self {
        self.left_out.push(group);
        self
    }

    pub(super) fn leaves_out(&self, group: &str) -> bool {
        self.left_out.contains(&group)
    }

    pub(super) fn make(&self, setup: &Setup) -> Result<Arc<dyn Driver>, Failed> {
        (self.make)(setup)
    }

    fn new(
        make: impl Fn(&Setup) -> Result<Arc<dyn Driver>, Failed> + Send + Sync + 'static,
    ) -> Self {
        Self { make: Arc::new(make), left_out: Vec::new() }
    }
}

impl Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate").field("left_out", &self.left_out).finish_non_exhaustive()
    }
}

pub(super) type Answer = Result<Response<SecretBody>, TransportError>;

/// One transport, blocking or async, as the checks use it.
pub(super) trait Driver: Send + Sync {
    /// Sends on the calling thread.
    fn send(&self, request: Request<SecretBody>, limits: &SendLimits) -> Answer;

    /// Sends all at once, from threads or from tasks.
    fn send_all(
        &self,
        requests: Vec<Request<SecretBody>>,
        limits: &SendLimits,
    ) -> Vec<Option<Answer>>;

    /// Begins to send, and gives up when `until` returns. False where there is no giving up.
    fn begin_and_drop(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
        until: &mut dyn FnMut(),
    ) -> bool;

    fn transport(&self) -> &dyn Debug;
}

struct BlockingDriver<T>(T);

impl<T: BlockingTransport + Debug> Driver for BlockingDriver<T> {
    fn send(&self, request: Request<SecretBody>, limits: &SendLimits) -> Answer {
        self.0.send(request, limits)
    }

    fn send_all(
        &self,
        requests: Vec<Request<SecretBody>>,
        limits: &SendLimits,
    ) -> Vec<Option<Answer>> {
        thread::scope(|scope| {
            let threads: Vec<_> = requests
                .into_iter()
                .map(|request| scope.spawn(|| self.0.send(request, limits)))
                .collect();
            threads.into_iter().map(|thread| thread.join().ok()).collect()
        })
    }

    fn begin_and_drop(&self, _: Request<SecretBody>, _: &SendLimits, _: &mut dyn FnMut()) -> bool {
        false
    }

    fn transport(&self) -> &dyn Debug {
        &self.0
    }
}

struct AsyncDriver<T> {
    transport: Arc<T>,
    /// Only empty while it is dropped.
    runtime: Option<Runtime>,
}

impl<T: AsyncTransport + 'static> AsyncDriver<T> {
    fn no_runtime() -> TransportError {
        TransportError::new(point_auth_transport::TransportErrorKind::Other)
    }
}

impl<T: AsyncTransport + Debug + 'static> Driver for AsyncDriver<T> {
    fn send(&self, request: Request<SecretBody>, limits: &SendLimits) -> Answer {
        let runtime = self.runtime.as_ref().ok_or_else(Self::no_runtime)?;
        runtime.block_on(self.transport.send(request, limits))
    }

    fn send_all(
        &self,
        requests: Vec<Request<SecretBody>>,
        limits: &SendLimits,
    ) -> Vec<Option<Answer>> {
        let Some(runtime) = &self.runtime else { return Vec::new() };
        let spawn = |request| {
            let (transport, limits) = (Arc::clone(&self.transport), *limits);
            runtime.spawn(async move { transport.send(request, &limits).await })
        };
        let tasks: Vec<_> = requests.into_iter().map(spawn).collect();
        tasks.into_iter().map(|task| runtime.block_on(task).ok()).collect()
    }

    fn begin_and_drop(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
        until: &mut dyn FnMut(),
    ) -> bool {
        let Some(runtime) = &self.runtime else { return false };
        let (transport, limits) = (Arc::clone(&self.transport), *limits);
        let task = runtime.spawn(async move { transport.send(request, &limits).await });
        until();
        task.abort();
        // Either way the future is gone now.
        let _ = runtime.block_on(task);
        true
    }

    fn transport(&self) -> &dyn Debug {
        &self.transport
    }
}

impl<T> Drop for AsyncDriver<T> {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A name that is still being looked up must not hold the check up.
            runtime.shutdown_background();
        }
    }
}
