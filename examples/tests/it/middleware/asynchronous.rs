//! What the async clients of the table have in common: a tokio runtime, and a session in it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use point_auth::session::Policy;
use point_auth::transport::authorize::AsyncTokenSource;
use point_auth::{Client, ReqwestTransport, Session, Sessions, TokioRuntime};
use point_auth_testkit::{Emulator, Fault, Operation, VirtualTime};
use tokio::runtime::Runtime;

use super::subject::{Body, Call, Outcome, PATIENCE, Setup, Subject};

pub(super) type Sending = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// An async client with its middleware.
pub(super) trait Stack {
    /// Returns how the client sends a call with these tokens.
    fn over<T: AsyncTokenSource + Clone>(tokens: T, setup: &Setup) -> Box<dyn Fn(Call) -> Sending>;
}

pub(super) struct Asynchronous {
    send: Box<dyn Fn(Call) -> Sending>,
    session: Option<Session>,
    time: VirtualTime,
    tokio: Runtime,
}

pub(super) fn make<S: Stack>(setup: &Setup) -> Box<dyn Subject> {
    let tokio =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let entered = tokio.enter();
    let time = VirtualTime::new(&setup.clock, TokioRuntime::new());
    let client = Client::new(ReqwestTransport::new().unwrap());
    let client = client.with_base_url(setup.base_url.clone());
    let policy = Policy::builder().with_attempts(1).build().unwrap();
    let (send, session) = if setup.has_many_aliases {
        let sessions = Sessions::builder(client)
            .with_credentials(setup.credentials.clone())
            .with_policy(policy)
            .with_runtime(time.clone())
            .build();
        (S::over(sessions, setup), None)
    } else {
        let session = Session::builder(client)
            .with_credentials(setup.credentials.clone())
            .with_policy(policy)
            .with_runtime(time.clone())
            .build();
        (S::over(session.clone(), setup), Some(session))
    };
    drop(entered);
    Box::new(Asynchronous { send, session, time, tokio })
}

impl Subject for Asynchronous {
    fn ask(&self, call: &Call) -> Outcome {
        let sending = (self.send)(call.clone());
        self.tokio.block_on(async { tokio::time::timeout(PATIENCE, sending).await.unwrap() })
    }

    /// The task is cancelled while it waits for the token.
    fn give_up(&self, call: &Call, emulator: &Emulator) {
        let slow = Fault::pass().delay(Duration::from_millis(500));
        emulator.push_fault_for(Operation::SignIn, slow);
        let waiting = self.tokio.spawn((self.send)(call.clone()));
        assert!(emulator.wait_for_requests(1, PATIENCE));
        waiting.abort();
        let ended = self.tokio.block_on(waiting);
        assert!(ended.unwrap_err().is_cancelled());
    }

    fn time(&self) -> &VirtualTime {
        &self.time
    }

    fn has_token(&self) -> bool {
        self.session.as_ref().unwrap().current_token().is_some()
    }
}

/// A request body that can be copied, or a stream that cannot.
#[derive(Default)]
pub(super) enum Sent {
    #[default]
    Empty,
    Whole(Option<&'static str>),
    Stream(Option<&'static str>),
}

impl Sent {
    pub(super) fn of(body: Body) -> Self {
        match body {
            Body::None => Self::Empty,
            Body::Whole(text) => Self::Whole(Some(text)),
            Body::Stream(text) => Self::Stream(Some(text)),
        }
    }

    pub(super) fn copy(&self) -> Option<Self> {
        match self {
            Self::Empty => Some(Self::Empty),
            Self::Whole(text) => Some(Self::Whole(*text)),
            Self::Stream(_) => None,
        }
    }
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let text = match &mut *self {
            Self::Empty => None,
            Self::Whole(text) | Self::Stream(text) => text.take(),
        };
        Poll::Ready(text.map(|text| Ok(Frame::data(Bytes::from_static(text.as_bytes())))))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self {
            Self::Stream(_) => http_body::SizeHint::new(),
            Self::Empty | Self::Whole(None) => http_body::SizeHint::with_exact(0),
            Self::Whole(Some(text)) => http_body::SizeHint::with_exact(text.len() as u64),
        }
    }
}
