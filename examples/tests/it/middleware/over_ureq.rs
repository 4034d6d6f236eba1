//! The middleware of ureq: as it is by default, and with an agent that follows redirects.

use std::io::Read;
use std::time::Duration;

use point_auth::blocking::{Client, Session, Sessions};
use point_auth::session::Policy;
use point_auth::transport::authorize::BlockingTokenSource;
use point_auth::{Error, ThreadRuntime, UreqAuthorize, UreqTransport, UserAlias};
use point_auth_testkit::{Emulator, Fault, Operation, VirtualTime};
use point_auth_ureq::ureq::config::RedirectAuthHeaders;
use point_auth_ureq::ureq::{self, Agent, SendBody};

use super::subject::{Body, Call, Kind, Outcome, PATIENCE, Redirects, Setup, Subject, emulator};

pub(super) const UREQ: Kind =
    Kind { make: |setup| make(setup, false), repeats: false, redirects: Redirects::Never };

pub(super) const UREQ_WITH_REDIRECTS: Kind =
    Kind { make: |setup| make(setup, true), repeats: false, redirects: Redirects::WithoutToken };

struct Ureq {
    agent: Agent,
    session: Option<Session>,
    time: VirtualTime,
}

fn make(setup: &Setup, with_redirects: bool) -> Box<dyn Subject> {
    let time = VirtualTime::new(&setup.clock, ThreadRuntime::new());
    let client = Client::new(UreqTransport::new().unwrap());
    let client = client.with_base_url(setup.base_url.clone());
    let policy = Policy::builder().with_attempts(1).build().unwrap();
    let (agent, session) = if setup.has_many_aliases {
        let sessions = Sessions::builder(client)
            .with_credentials(setup.credentials.clone())
            .with_policy(policy)
            .with_runtime(time.clone())
            .build();
        (agent(sessions, setup, with_redirects), None)
    } else {
        let session = Session::builder(client)
            .with_credentials(setup.credentials.clone())
            .with_policy(policy)
            .with_runtime(time.clone())
            .build();
        (agent(session.clone(), setup, with_redirects), Some(session))
    };
    Box::new(Ureq { agent, session, time })
}

fn agent(tokens: impl BlockingTokenSource, setup: &Setup, with_redirects: bool) -> Agent {
    let mut authorize = UreqAuthorize::new(tokens);
    if let Some(origin) = &setup.extra_origin {
        authorize = authorize.with_origin(origin);
    }
    if setup.replaces {
        authorize = authorize.with_replaced_authorization();
    }
    let config = Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        // What the agent says of redirects must not matter to the token.
        .redirect_auth_headers(RedirectAuthHeaders::SameHost);
    if with_redirects {
        let authorize = authorize.with_redirects();
        config.http_status_as_error(false).middleware(authorize).build().into()
    } else {
        config.middleware(authorize).build().into()
    }
}

impl Subject for Ureq {
    fn ask(&self, call: &Call) -> Outcome {
        match self.agent.run(request(call)) {
            Ok(mut response) => {
                let status = response.status().as_u16();
                let body = response.body_mut().read_to_string().unwrap();
                Outcome::Response(status, if status == 200 { body } else { String::new() })
            }
            Err(ureq::Error::StatusCode(status)) => Outcome::Response(status, String::new()),
            Err(ureq::Error::Other(error)) => match error.downcast_ref::<Error>() {
                Some(error) => Outcome::of_error(error),
                None => Outcome::Failed(format!("{error:?}")),
            },
            Err(error) => Outcome::Failed(format!("{error:?}")),
        }
    }

    /// A blocking caller cannot be cancelled, but its request can time out.
    fn give_up(&self, call: &Call, emulator: &Emulator) {
        emulator.push_fault_for(Operation::Protected, Fault::silent());
        let request = self.agent.configure_request(request(call));
        let request = request.timeout_global(Some(Duration::from_millis(200))).build();
        let error = self.agent.run(request).unwrap_err();
        assert!(matches!(error, ureq::Error::Timeout(_)), "{error:?}");
    }

    fn time(&self) -> &VirtualTime {
        &self.time
    }

    fn has_token(&self) -> bool {
        self.session.as_ref().unwrap().current_token().is_some()
    }
}

fn request(call: &Call) -> http::Request<SendBody<'static>> {
    let method = if call.body == Body::None { "GET" } else { "POST" };
    let mut request = http::Request::builder().method(method).uri(&call.url);
    for (name, value) in [("authorization", call.authorization), ("host", call.host)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    if let Some(alias) = call.alias {
        request = request.extension(UserAlias::new(alias));
    }
    let body = match call.body {
        Body::None => SendBody::none(),
        Body::Whole(text) => {
            request = request.header("content-length", text.len());
            SendBody::from_owned_reader(text.as_bytes())
        }
        Body::Stream(text) => SendBody::from_owned_reader(Streaming(text.as_bytes())),
    };
    request.body(body).unwrap()
}

/// A reader that hands out a byte at a time.
struct Streaming(&'static [u8]);

impl Read for Streaming {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let most = into.len().min(1);
        self.0.read(&mut into[..most])
    }
}

fn with_old_token(setup: &Setup, agent_setup: fn(UreqAuthorize<Session>) -> Agent) -> Ureq {
    let time = VirtualTime::new(&setup.clock, ThreadRuntime::new());
    let client = Client::new(UreqTransport::new().unwrap()).with_base_url(setup.base_url.clone());
    let session = Session::builder(client)
        .with_credentials(setup.credentials.clone())
        .with_runtime(time.clone())
        .build();
    session.access_token().unwrap();
    time.advance(Duration::from_secs(31));
    let agent = agent_setup(UreqAuthorize::new(session.clone()));
    Ureq { agent, session: Some(session), time }
}

#[test]
fn a_401_counts_as_a_response_as_well_as_an_error() {
    let emulator = emulator();
    emulator.push_fault_for(Operation::Protected, Fault::respond(401));
    let subject = with_old_token(&Setup::of(&emulator), |authorize| {
        Agent::config_builder().http_status_as_error(false).middleware(authorize).build().into()
    });
    assert_eq!(subject.ask(&Call::to(&emulator)).status(), 401);
    assert!(!subject.has_token());
}

/// ureq's error does not say whether the 401 is that of another server.
#[test]
fn with_redirects_a_401_as_an_error_does_not_count() {
    let emulator = emulator();
    emulator.push_fault_for(Operation::Protected, Fault::respond(401));
    let subject = with_old_token(&Setup::of(&emulator), |authorize| {
        Agent::config_builder().middleware(authorize.with_redirects()).build().into()
    });
    assert_eq!(subject.ask(&Call::to(&emulator)).status(), 401);
    assert!(subject.has_token());
}
