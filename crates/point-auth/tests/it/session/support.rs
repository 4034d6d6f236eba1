//! An emulator, a virtual time that passes only when the test lets it, and sessions on both.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use point_auth::transport::AsyncTransport;
use point_auth::{
    AccessToken, BaseUrl, Client, Error, HyperTransport, Runtime, Session, SessionBuilder,
    Sessions, SessionsBuilder, ThreadRuntime, TokioRuntime, UreqTransport, blocking,
};
use point_auth_testkit::{Emulator, Operation, VirtualTime};

use super::transports::{Control, LONG, OnThread, SmolTransport, Steered};
use crate::support::{PASSWORD, USERNAME, credentials};

pub(crate) type Got = Result<AccessToken, Error>;
pub(crate) type Getting = Pin<Box<dyn Future<Output = Got> + Send>>;
pub(crate) type Maybe = Pin<Box<dyn Future<Output = Option<Got>> + Send>>;

/// A server, a virtual time and the transport between them.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) time: VirtualTime,
    pub(crate) control: Arc<Control>,
    has_tokio: bool,
}

impl World {
    /// Exchanges are tasks of tokio.
    pub(crate) fn new() -> Self {
        Self::with(TokioRuntime::new())
    }

    /// Exchanges run on threads, over a transport that needs no tokio.
    pub(crate) fn threads() -> Self {
        Self { has_tokio: false, ..Self::with(ThreadRuntime::new()) }
    }

    fn with(tasks: impl Runtime) -> Self {
        Self::of(Emulator::builder().user(USERNAME, PASSWORD).start().unwrap(), tasks)
    }

    pub(crate) fn of(emulator: Emulator, tasks: impl Runtime) -> Self {
        let time = VirtualTime::new(emulator.clock(), tasks);
        Self { emulator, time, control: Arc::default(), has_tokio: true }
    }

    pub(crate) fn base_url(&self) -> BaseUrl {
        BaseUrl::parse(&self.emulator.base_url()).unwrap()
    }

    pub(crate) fn client_over<T: AsyncTransport>(&self, inner: T) -> Client<Steered<T>> {
        let control = Arc::clone(&self.control);
        Client::new(Steered { inner, control }).with_base_url(self.base_url())
    }

    /// A transport that works in the runtime of the exchanges.
    pub(crate) fn transport(&self) -> Arc<dyn AsyncTransport> {
        match self.has_tokio {
            true => Arc::new(HyperTransport::new().unwrap()),
            false => Arc::new(SmolTransport),
        }
    }

    pub(crate) fn client(&self) -> Client<Steered<Arc<dyn AsyncTransport>>> {
        self.client_over(self.transport())
    }

    pub(crate) fn builder(&self) -> SessionBuilder {
        self.builder_over(self.transport())
    }

    pub(crate) fn builder_over<T: AsyncTransport + 'static>(&self, inner: T) -> SessionBuilder {
        Session::builder(self.client_over(inner)).with_runtime(self.time.clone())
    }

    pub(crate) fn session(&self) -> Session {
        self.builder().with_credentials(credentials()).build()
    }

    pub(crate) fn session_over<T: AsyncTransport + 'static>(&self, inner: T) -> Session {
        self.builder_over(inner).with_credentials(credentials()).build()
    }

    pub(crate) fn sessions_builder(&self) -> SessionsBuilder {
        Sessions::builder(self.client()).with_runtime(self.time.clone())
    }

    pub(crate) fn blocking_client(&self) -> blocking::Client<Steered<UreqTransport>> {
        let (inner, control) = (UreqTransport::new().unwrap(), Arc::clone(&self.control));
        blocking::Client::new(Steered { inner, control }).with_base_url(self.base_url())
    }

    pub(crate) fn blocking_builder(&self) -> blocking::SessionBuilder {
        blocking::Session::builder(self.blocking_client()).with_runtime(self.time.clone())
    }

    pub(crate) fn blocking_session(&self) -> blocking::Session {
        self.blocking_builder().with_credentials(credentials()).build()
    }

    pub(crate) fn sign_ins(&self) -> usize {
        self.emulator.count(Operation::SignIn)
    }

    pub(crate) fn refreshes(&self) -> usize {
        self.emulator.count(Operation::Refresh)
    }

    /// Lets time pass in steps of 10 ms, but none while an exchange is in flight, until `is_so`.
    /// Returns how much has passed.
    pub(crate) fn pass_until(&self, mut is_so: impl FnMut() -> bool) -> Duration {
        const STEP: Duration = Duration::from_millis(10);
        let limit = Instant::now() + LONG;
        let mut passed = Duration::ZERO;
        while !is_so() {
            assert!(Instant::now() < limit, "did not come in {passed:?}");
            self.control.rest();
            if self.control.in_flight() == 0 && !is_so() {
                self.time.advance(STEP);
                passed += STEP;
            }
        }
        passed
    }

    /// Lets this much time pass in steps of 10 ms, but none while an exchange is in flight.
    pub(crate) fn pass(&self, span: Duration) {
        let mut steps = span.as_millis() / 10;
        self.pass_until(|| {
            steps = steps.saturating_sub(1);
            steps == 0
        });
    }
}

/// Gets a token, in any executor.
pub(crate) fn getting(session: &Session) -> Getting {
    let session = session.clone();
    Box::pin(async move { session.access_token().await })
}

/// Returns the text of an error, and of its causes.
pub(crate) fn texts(error: &Error) -> Vec<String> {
    let mut texts = Vec::new();
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = next {
        texts.push(error.to_string());
        next = error.source();
    }
    texts
}

pub(crate) fn many(session: &Session, count: usize) -> Vec<Getting> {
    (0..count).map(|_| getting(session)).collect()
}

/// An executor, and a transport that works in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Executor {
    /// tokio's, with two workers.
    Tokio,
    /// tokio's on one thread.
    TokioOne,
    /// smol's, and its sockets.
    Smol,
    /// Only `block_on`, and a transport without a reactor.
    Bare,
}

pub(crate) const EXECUTORS: [Executor; 4] =
    [Executor::Tokio, Executor::TokioOne, Executor::Smol, Executor::Bare];

impl Executor {
    /// Returns a world whose exchanges run next to this executor.
    pub(crate) fn world(self) -> World {
        self.world_of(Emulator::builder().user(USERNAME, PASSWORD).start().unwrap())
    }

    pub(crate) fn world_of(self, emulator: Emulator) -> World {
        match self {
            Self::Tokio | Self::TokioOne => World::of(emulator, TokioRuntime::new()),
            Self::Smol | Self::Bare => {
                World { has_tokio: false, ..World::of(emulator, ThreadRuntime::new()) }
            }
        }
    }

    pub(crate) fn transport(self) -> Arc<dyn AsyncTransport> {
        match self {
            Self::Tokio | Self::TokioOne => Arc::new(HyperTransport::new().unwrap()),
            Self::Smol => Arc::new(SmolTransport),
            Self::Bare => Arc::new(OnThread(Arc::new(UreqTransport::new().unwrap()))),
        }
    }

    /// Runs all of them, each as its own task.
    pub(crate) fn run<T: Send + 'static>(
        self,
        futures: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
    ) -> Vec<T> {
        match self {
            Self::Tokio => on_tokio(&crate::support::runtime(), futures),
            Self::TokioOne => on_tokio(&single_thread(), futures),
            Self::Smol => {
                let tasks: Vec<_> = futures.into_iter().map(smol::spawn).collect();
                smol::block_on(join(tasks))
            }
            Self::Bare => {
                let executor = smol::LocalExecutor::new();
                let tasks: Vec<_> =
                    futures.into_iter().map(|future| executor.spawn(future)).collect();
                pollster::block_on(executor.run(join(tasks)))
            }
        }
    }
}

pub(crate) fn single_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn join<T>(tasks: Vec<smol::Task<T>>) -> Vec<T> {
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(task.await);
    }
    results
}

pub(crate) fn on_tokio<T: Send + 'static>(
    runtime: &tokio::runtime::Runtime,
    futures: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = futures.into_iter().map(|future| runtime.spawn(future)).collect();
    runtime.block_on(async {
        let mut results = Vec::with_capacity(tasks.len());
        for task in tasks {
            results.push(task.await.unwrap());
        }
        results
    })
}

/// Runs blocking calls, each on its own thread.
pub(crate) fn on_threads<T: Send + 'static>(
    count: usize,
    session: &blocking::Session,
    call: impl Fn(&blocking::Session) -> T + Clone + Send + 'static,
) -> Vec<std::thread::JoinHandle<T>> {
    (0..count)
        .map(|_| {
            let (session, call) = (session.clone(), call.clone());
            std::thread::spawn(move || call(&session))
        })
        .collect()
}

/// A future that a test polls by hand, and the number of its wake-ups.
pub(crate) struct ByHand<F> {
    future: Pin<Box<F>>,
    wakes: Arc<Wakes>,
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl<F: Future> ByHand<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future: Box::pin(future), wakes: Arc::default() }
    }

    pub(crate) fn poll(&mut self) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(&self.wakes));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// Returns whether it was woken since the last call.
    pub(crate) fn was_woken(&self) -> bool {
        self.wakes.0.swap(0, Ordering::SeqCst) > 0
    }
}
