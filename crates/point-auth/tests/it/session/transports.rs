//! Transports for these tests: one that is held back and observed, one over smol's sockets, one on
//! its own thread.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use http::{Request, Response};
use point_auth::SecretBody;
use point_auth::transport::{
    AsyncTransport, BlockingTransport, SendLimits, TransportError, TransportErrorKind, async_trait,
};
use smol::io::{AsyncReadExt, AsyncWriteExt};

/// Real time within which any awaited event must happen.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// Another transport behind a valve.
pub(crate) struct Steered<T> {
    pub(crate) inner: T,
    pub(crate) control: Arc<Control>,
}

/// Holds exchanges back, and counts them.
#[derive(Default)]
pub(crate) struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_held: bool,
    in_flight: usize,
    most: usize,
    begun: usize,
    /// The actions for the next exchanges before they are sent.
    tricks: VecDeque<Trick>,
    wakers: BTreeMap<usize, Waker>,
}

/// An action on an exchange before it is sent.
#[derive(Clone, Copy)]
pub(crate) enum Trick {
    Panic,
    /// This many await points, each of which suspends once.
    Suspend(usize),
}

impl Control {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Holds exchanges back from now on.
    pub(crate) fn hold(&self) {
        self.lock().is_held = true;
    }

    /// Releases all exchanges.
    pub(crate) fn release(&self) {
        let mut state = self.lock();
        state.is_held = false;
        let woken = std::mem::take(&mut state.wakers);
        drop(state);
        self.changed.notify_all();
        woken.into_values().for_each(Waker::wake);
    }

    /// Wakes the senders without a release: a spurious event.
    pub(crate) fn disturb(&self) {
        let woken = std::mem::take(&mut self.lock().wakers);
        woken.into_values().for_each(Waker::wake);
    }

    pub(crate) fn play(&self, trick: Trick) {
        self.lock().tricks.push_back(trick);
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.lock().in_flight
    }

    /// Returns the maximum number of concurrent exchanges.
    pub(crate) fn most(&self) -> usize {
        self.lock().most
    }

    pub(crate) fn begun(&self) -> usize {
        self.lock().begun
    }

    /// Waits until this many are in flight.
    pub(crate) fn wait_for_in_flight(&self, count: usize) {
        let waits = |state: &mut State| state.in_flight != count;
        let (_state, timeout) = self.changed.wait_timeout_while(self.lock(), LONG, waits).unwrap();
        assert!(!timeout.timed_out(), "there never were {count} exchanges in flight");
    }

    /// Gives other threads a moment.
    pub(crate) fn rest(&self) {
        let _state = self.changed.wait_timeout(self.lock(), Duration::from_millis(1)).unwrap();
    }

    fn begin(&self) -> (InFlight<'_>, usize, usize) {
        let mut state = self.lock();
        state.in_flight += 1;
        state.begun += 1;
        state.most = state.most.max(state.in_flight);
        let number = state.begun;
        let trick = state.tricks.pop_front();
        drop(state);
        self.changed.notify_all();
        let guard = InFlight(self);
        match trick {
            Some(Trick::Panic) => panic!("as the test wants it"),
            Some(Trick::Suspend(times)) => (guard, number, times),
            None => (guard, number, 0),
        }
    }

    async fn is_open(&self, number: usize, mut times: usize) {
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.is_held {
                state.wakers.insert(number, cx.waker().clone());
                return Poll::Pending;
            }
            drop(state);
            if times == 0 {
                return Poll::Ready(());
            }
            times -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

struct InFlight<'a>(&'a Control);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.lock().in_flight -= 1;
        self.0.changed.notify_all();
    }
}

#[async_trait]
impl<T: AsyncTransport> AsyncTransport for Steered<T> {
    async fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        let (_flight, number, times) = self.control.begin();
        self.control.is_open(number, times).await;
        self.inner.send(request, limits).await
    }
}

impl<T: BlockingTransport> BlockingTransport for Steered<T> {
    fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        let (_flight, ..) = self.control.begin();
        let held =
            self.control.changed.wait_while(self.control.lock(), |state| state.is_held).unwrap();
        drop(held);
        self.inner.send(request, limits)
    }
}

/// HTTP/1.1 over smol's sockets, one connection per exchange. Its reactor is independent of tokio.
pub(crate) struct SmolTransport;

#[async_trait]
impl AsyncTransport for SmolTransport {
    async fn send(
        &self,
        request: Request<SecretBody>,
        _: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        let connect =
            |error| TransportError::new(TransportErrorKind::Connect).not_sent().with_source(error);
        let broken = |error| TransportError::new(TransportErrorKind::Protocol).with_source(error);
        let authority = request.uri().authority().unwrap().clone();
        let mut socket = smol::net::TcpStream::connect(authority.as_str())
            .await
            .map_err(|error: std::io::Error| connect(error))?;
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: {authority}\r\n",
            request.method(),
            request.uri().path()
        );
        for (name, value) in request.headers() {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        let length = request.body().as_ref().len();
        head.push_str(&format!("content-length: {length}\r\nconnection: close\r\n\r\n"));
        socket.write_all(head.as_bytes()).await.map_err(|error: std::io::Error| broken(error))?;
        socket
            .write_all(request.body().as_ref())
            .await
            .map_err(|error: std::io::Error| broken(error))?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.map_err(|error: std::io::Error| broken(error))?;
        parse(&answer).ok_or_else(|| TransportError::new(TransportErrorKind::Protocol))
    }
}

fn parse(answer: &[u8]) -> Option<Response<SecretBody>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(answer).ok()? else { return None };
    let mut response = Response::builder().status(head.code?);
    for header in head.headers.iter() {
        response = response.header(header.name, header.value);
    }
    response.body(SecretBody::new(answer.get(length..)?.to_vec())).ok()
}

/// A blocking transport behind an async interface: it needs no reactor.
pub(crate) struct OnThread<T>(pub(crate) Arc<T>);

#[async_trait]
impl<T: BlockingTransport + 'static> AsyncTransport for OnThread<T> {
    async fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        type Slot = (Option<Result<Response<SecretBody>, TransportError>>, Option<Waker>);
        let slot = Arc::new(Mutex::<Slot>::default());
        let (transport, limits, answers) = (Arc::clone(&self.0), *limits, Arc::clone(&slot));
        std::thread::spawn(move || {
            let result = transport.send(request, &limits);
            let mut slot = answers.lock().unwrap();
            slot.0 = Some(result);
            let waker = slot.1.take();
            drop(slot);
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        poll_fn(|cx| {
            let mut slot = slot.lock().unwrap();
            match slot.0.take() {
                Some(result) => Poll::Ready(result),
                None => {
                    slot.1 = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// Waits until `is_so`, and yields to other threads.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    // Nothing announces all of these conditions, so they are looked at every millisecond.
    const MOMENT: Duration = Duration::from_millis(1);
    let (never, lock) = (Condvar::new(), Mutex::new(()));
    let limit = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < limit, "{what} did not come");
        drop(never.wait_timeout(lock.lock().unwrap(), MOMENT).unwrap());
    }
}
