//! What the rows of the table see of a middleware.

use std::time::Duration;

use point_auth::{BaseUrl, Credentials, ErrorKind};
use point_auth_testkit::{Clock, Emulator, Operation, RecordedRequest, VirtualTime};

pub(super) const USER: &str = "user@example.com";
pub(super) const PASSWORD: &str = "correct horse";
pub(super) const ROUTE: &str = "/policies";
pub(super) const MOVED: &str = "/moved";

/// Longer than anything here takes, so that a test which would hang fails instead.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// A middleware of the table.
pub(super) struct Kind {
    pub(super) make: fn(&Setup) -> Box<dyn Subject>,
    /// Whether a request goes once more after a 401. ureq lets a middleware send a request once.
    pub(super) repeats: bool,
    pub(super) redirects: Redirects,
}

/// Who follows redirects.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Redirects {
    /// A layer above the middleware, which sees each hop.
    Above,
    /// reqwest, below the middleware, with its guard.
    Below,
    /// ureq, below the middleware, without a token.
    WithoutToken,
    Never,
}

/// How the client and its session are set up.
pub(super) struct Setup {
    pub(super) clock: Clock,
    pub(super) base_url: BaseUrl,
    pub(super) credentials: Credentials,
    pub(super) has_many_aliases: bool,
    pub(super) extra_origin: Option<BaseUrl>,
    pub(super) replaces: bool,
}

impl Setup {
    pub(super) fn of(emulator: &Emulator) -> Self {
        Self {
            clock: emulator.clock().clone(),
            base_url: BaseUrl::parse(&emulator.base_url()).unwrap(),
            credentials: Credentials::new(USER, PASSWORD).unwrap(),
            has_many_aliases: false,
            extra_origin: None,
            replaces: false,
        }
    }
}

/// A client with the middleware.
pub(super) trait Subject {
    /// Sends the call and reads the whole response.
    fn ask(&self, call: &Call) -> Outcome;

    /// Starts the call, and gives it up while it waits: for the token, or for its response where a
    /// caller cannot be cancelled.
    fn give_up(&self, call: &Call, emulator: &Emulator);

    fn time(&self) -> &VirtualTime;

    /// Whether the one session has a token at hand.
    fn has_token(&self) -> bool;
}

/// A request of the program's own.
#[derive(Clone, Default)]
pub(super) struct Call {
    pub(super) url: String,
    pub(super) alias: Option<&'static str>,
    pub(super) authorization: Option<&'static str>,
    pub(super) host: Option<&'static str>,
    pub(super) body: Body,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Body {
    #[default]
    None,
    Whole(&'static str),
    Stream(&'static str),
}

impl Call {
    pub(super) fn to(emulator: &Emulator) -> Self {
        Self { url: emulator.base_url() + ROUTE, ..Self::default() }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The status, and the body of a 200.
    Response(u16, String),
    NoToken(ErrorKind),
    Failed(String),
}

impl Outcome {
    pub(super) fn of_error(error: &point_auth::Error) -> Self {
        Self::NoToken(error.kind())
    }

    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Response(status, _) => *status,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn kind(&self) -> ErrorKind {
        match self {
            Self::NoToken(kind) => *kind,
            other => panic!("{other:?}"),
        }
    }
}

pub(super) fn emulator() -> Emulator {
    let builder = Emulator::builder().user(USER, PASSWORD);
    builder.protected_route(ROUTE).protected_route(MOVED).start().unwrap()
}

/// Returns how many requests reached the protected routes, and how many of them had a token that
/// this or another emulator might take.
pub(super) fn arrived(emulator: &Emulator) -> (usize, usize) {
    let is_protected = |request: &RecordedRequest| request.operation() == Operation::Protected;
    let has_token =
        |request: &RecordedRequest| request.header("authorization").is_some_and(is_bearer);
    let with_token = |request: &RecordedRequest| is_protected(request) && has_token(request);
    (emulator.count_where(is_protected), emulator.count_where(with_token))
}

fn is_bearer(value: &str) -> bool {
    value.starts_with("Bearer ")
}

pub(super) fn last(emulator: &Emulator) -> RecordedRequest {
    let mut requests = emulator.requests().into_iter();
    requests.rfind(|request| request.operation() == Operation::Protected).unwrap()
}
