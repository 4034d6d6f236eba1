//! Custom operations: one whose failures are output, and one that is a GET.

use http::{Method, Request, Response, StatusCode};
use point_auth::operation::{failure_body, json_get, json_post, printable, success_body};
use point_auth::{
    BaseUrl, Client, Error, ErrorKind, MalformedReason, Operation, RequestError, ReqwestTransport,
    ResponseError, SecretBody, Session, UreqTransport, blocking,
};
use point_auth_testkit::{Emulator, Fault, Operation as Route};
use serde_json::{Value, json};

use crate::support::{USERNAME, all_clients, base_url, credentials, emulator, runtime, settings};

/// `POST /loans`, an example of a request with documented failures.
struct CreateLoan {
    number: &'static str,
}

#[derive(Debug, PartialEq)]
enum Refusal {
    /// 409: this number exists already.
    Exists { id: u64 },
    /// 422: what is wrong, in the text of the API.
    Invalid { message: String },
}

impl Refusal {
    fn read(status: StatusCode, body: &Value) -> Option<Self> {
        match status {
            StatusCode::CONFLICT => body.get("id")?.as_u64().map(|id| Self::Exists { id }),
            _ => {
                let message = printable(body.get("message")?.as_str()?, 20, &[]);
                Some(Self::Invalid { message })
            }
        }
    }
}

fn json_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

impl Operation for CreateLoan {
    type Output = Result<u64, Refusal>;

    fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
        json_post(base, "/loans", SecretBody::json(&json!({"number": self.number}))?)
    }

    fn parse_response<B: AsRef<[u8]>>(
        &self,
        response: &Response<B>,
    ) -> Result<Self::Output, ResponseError> {
        let (status, max_bytes) = (response.status(), Self::MAX_RESPONSE_BYTES);
        if matches!(status, StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY) {
            let body = failure_body(response, max_bytes, &[])?;
            if let Some(refusal) = Refusal::read(status, &json_of(body)) {
                return Ok(Err(refusal));
            }
        }
        let body = json_of(success_body(response, max_bytes, &[])?);
        let id = body.get("id").and_then(Value::as_u64).map(Ok);
        id.ok_or(ResponseError::malformed(MalformedReason::Other("there is no id")))
    }
}

/// `GET /point-auth-emulator/whoami`
struct WhoAmI;

impl Operation for WhoAmI {
    type Output = String;

    fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
        json_get(base, "/point-auth-emulator/whoami")
    }

    fn parse_response<B: AsRef<[u8]>>(
        &self,
        response: &Response<B>,
    ) -> Result<String, ResponseError> {
        let body = json_of(success_body(response, Self::MAX_RESPONSE_BYTES, &[])?);
        let name = body.get("username").and_then(Value::as_str).map(str::to_owned);
        name.ok_or(ResponseError::malformed(MalformedReason::Other("there is no username")))
    }
}

const LOAN: CreateLoan = CreateLoan { number: "0815" };

/// Checks the result of the operation with each of these responses, over each kind of client and
/// session.
#[track_caller]
fn comes_to(answer: &Fault, expected: impl Fn(Result<Result<u64, Refusal>, Error>)) {
    let emulator = emulator();
    let answering = || emulator.push_fault(answer.clone());
    for (_, client) in all_clients(&settings(&emulator), &base_url(&emulator)) {
        answering();
        expected(client.execute(&LOAN));
    }
    let (runtime, session) = (runtime(), session(&emulator));
    runtime.block_on(session.access_token()).unwrap();
    answering();
    expected(runtime.block_on(session.execute(&LOAN)));
    let session = blocking_session(&emulator);
    session.access_token().unwrap();
    answering();
    expected(session.execute(&LOAN));
    assert_eq!(emulator.count(Route::Other), 5, "it is sent once each time");
}

fn session(emulator: &Emulator) -> Session {
    let transport = ReqwestTransport::with_settings(&settings(emulator)).unwrap();
    Session::new(Client::new(transport).with_base_url(base_url(emulator)), credentials())
}

fn blocking_session(emulator: &Emulator) -> blocking::Session {
    let transport = UreqTransport::with_settings(&settings(emulator)).unwrap();
    let client = blocking::Client::new(transport).with_base_url(base_url(emulator));
    blocking::Session::new(client, credentials())
}

#[test]
fn a_success_is_output() {
    comes_to(&Fault::respond(201).json(r#"{"id": 7}"#), |outcome| {
        assert_eq!(outcome.unwrap(), Ok(7));
    });
}

#[test]
fn a_409_and_a_422_are_output_with_the_text_of_the_api() {
    comes_to(&Fault::respond(409).json(r#"{"error": "exists", "id": 4}"#), |outcome| {
        assert_eq!(outcome.unwrap(), Err(Refusal::Exists { id: 4 }));
    });
    comes_to(
        &Fault::respond(422).json(r#"{"message": "no such\nstate: NX, try NY"}"#),
        |outcome| {
            let message = r"no such\u{a}state: NX, t…".to_owned();
            assert_eq!(outcome.unwrap(), Err(Refusal::Invalid { message }));
        },
    );
}

#[test]
fn a_409_of_a_gateway_is_unexpected() {
    for page in [Fault::html(409), Fault::respond(409)] {
        comes_to(&page, |outcome| {
            let error = outcome.unwrap_err();
            assert_eq!(
                (error.kind(), error.status()),
                (ErrorKind::Unexpected, Some(StatusCode::CONFLICT))
            );
            assert!(error.to_string().contains("not JSON"), "{error}");
        });
    }
}

#[test]
fn a_409_of_another_shape_is_unexpected() {
    comes_to(&Fault::respond(409).json(r#"{"why": "none of your business"}"#), |outcome| {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unexpected);
        assert!(!format!("{error} {error:?}").contains("business"));
    });
}

#[test]
fn a_get_is_sent_without_a_body_and_with_the_token() {
    let emulator = emulator();
    assert_eq!(runtime().block_on(session(&emulator).execute(&WhoAmI)).unwrap(), USERNAME);
    assert_eq!(blocking_session(&emulator).execute(&WhoAmI).unwrap(), USERNAME);
    let gets = emulator.requests();
    let gets: Vec<_> = gets.iter().filter(|request| request.operation() == Route::WhoAmI).collect();
    assert_eq!(gets.len(), 2);
    for get in gets {
        assert_eq!((get.method(), get.body().len()), (&Method::GET, 0));
        let headers = ["accept", "content-type", "content-length", "transfer-encoding"];
        assert_eq!(
            headers.map(|name| get.header(name)),
            [Some("application/json"), None, None, None]
        );
    }
}

#[test]
fn every_adapter_sends_a_get() {
    let emulator = emulator();
    for (name, client) in all_clients(&settings(&emulator), &base_url(&emulator)) {
        let error = client.execute(&WhoAmI).expect_err(name);
        assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED), "{name}: {error}");
    }
    assert!(emulator.requests().iter().all(|get| get.method() == Method::GET));
    assert_eq!(emulator.count(Route::WhoAmI), 3);
}
