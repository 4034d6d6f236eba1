//! What the clients add to an operation, and which traits their types have.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use http::{Request, Response, Uri};
use point_auth::operation::{json_post, success_body};
use point_auth::transport::{AsyncTransport, BlockingTransport, SendLimits};
use point_auth::{
    AccessToken, BaseUrl, Client, Error, ErrorKind, HyperTransport, Operation, RequestError,
    ReqwestTransport, ResponseError, SecretBody, TokenSet, UreqTransport, UserAgent, blocking,
};

use crate::support::{
    Canned, USERNAME, all_clients, base_url, credentials, emulator, runtime, settings,
};

fn is_send_and_sync<T: Send + Sync + 'static>() {}
fn is_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn clients_and_errors_are_send_and_sync() {
    is_send_and_sync::<Client<ReqwestTransport>>();
    is_send_and_sync::<Client<HyperTransport>>();
    is_send_and_sync::<Client<Arc<dyn AsyncTransport>>>();
    is_send_and_sync::<blocking::Client<UreqTransport>>();
    is_send_and_sync::<blocking::Client<Box<dyn BlockingTransport>>>();
    is_send_and_sync::<Error>();
}

#[test]
fn the_futures_can_be_spawned() {
    let emulator = emulator();
    let transport = ReqwestTransport::with_settings(&settings(&emulator)).unwrap();
    let client = Client::new(transport).with_base_url(base_url(&emulator));
    let tokens: TokenSet = runtime().block_on(async {
        let task = tokio::spawn(is_send(async move { client.sign_in(&credentials()).await }));
        task.await.unwrap().unwrap()
    });
    assert_eq!(tokens.expires_in(), Duration::from_secs(3600));
}

#[test]
fn a_transport_that_needs_no_runtime_runs_under_any_executor() {
    let transport = Canned(|_: &Request<SecretBody>, _: &SendLimits| {
        Ok(Response::new(SecretBody::new(br#"{"access_token": "a"}"#.to_vec())))
    });
    let tokens =
        futures_executor::block_on(Client::new(transport).sign_in(&credentials())).unwrap();
    assert_eq!(tokens.access_token().expose(), "a");
}

#[test]
fn the_limits_of_a_client_and_the_size_of_the_operation_reach_the_transport() {
    struct Large;

    impl Operation for Large {
        type Output = ();
        const MAX_RESPONSE_BYTES: usize = 1 << 20;

        fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
            json_post(base, "/large", SecretBody::default())
        }

        fn parse_response<B: AsRef<[u8]>>(
            &self,
            response: &Response<B>,
        ) -> Result<(), ResponseError> {
            success_body(response, Self::MAX_RESPONSE_BYTES, &[]).map(drop)
        }
    }

    let seen = Mutex::new(None);
    let transport = Canned(|request: &Request<SecretBody>, limits: &SendLimits| {
        *seen.lock().unwrap() = Some((request.uri().clone(), *limits));
        Ok(Response::new(SecretBody::new(b"{}".to_vec())))
    });
    let client = blocking::Client::new(transport)
        .with_base_url(BaseUrl::parse("https://gateway.example/api/").unwrap())
        .with_connect_timeout(Duration::from_secs(2))
        .with_total_timeout(Duration::from_secs(3));
    client.execute(&Large).unwrap();

    let limits = SendLimits::new()
        .with_connect_timeout(Duration::from_secs(2))
        .with_total_timeout(Duration::from_secs(3))
        .with_max_response_bytes(1 << 20);
    let uri = Uri::from_static("https://gateway.example/api/large");
    assert_eq!(seen.into_inner().unwrap(), Some((uri, limits)));
}

#[test]
fn a_client_sends_its_name_and_that_of_its_user() {
    let emulator = emulator();
    let user_agent = UserAgent::new().with_product("lender/2.1 (underwriting)").unwrap();
    let transport = UreqTransport::with_settings(&settings(&emulator)).unwrap();
    let client = blocking::Client::new(transport)
        .with_base_url(base_url(&emulator))
        .with_user_agent(&user_agent);
    client.sign_in(&credentials()).unwrap();

    let sent = emulator.requests();
    let expected = concat!("lender/2.1 (underwriting) point-auth/", env!("CARGO_PKG_VERSION"));
    assert_eq!(sent.first().unwrap().header("user-agent"), Some(expected));
}

#[test]
fn an_operation_with_a_user_agent_keeps_it() {
    struct Named;

    impl Operation for Named {
        type Output = ();

        fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
            let mut request = json_post(base, "/named", SecretBody::default())?;
            request.headers_mut().insert("user-agent", http::HeaderValue::from_static("its-own/1"));
            Ok(request)
        }

        fn parse_response<B: AsRef<[u8]>>(&self, _: &Response<B>) -> Result<(), ResponseError> {
            Ok(())
        }
    }

    let seen = Mutex::new(None);
    let transport = Canned(|request: &Request<SecretBody>, _: &SendLimits| {
        *seen.lock().unwrap() = request.headers().get("user-agent").cloned();
        Ok(Response::new(SecretBody::default()))
    });
    let client = blocking::Client::new(transport);
    client
        .with_user_agent(&UserAgent::new().with_product("app/1").unwrap())
        .execute(&Named)
        .unwrap();
    assert_eq!(seen.into_inner().unwrap().unwrap(), "its-own/1");
}

#[test]
fn a_custom_operation_uses_the_token_and_gets_the_401() {
    struct WhoAmI(AccessToken);

    impl Operation for WhoAmI {
        type Output = String;

        fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
            let mut request =
                json_post(base, "/point-auth-emulator/whoami", SecretBody::json(&())?)?;
            self.0.authorize(request.headers_mut());
            Ok(request)
        }

        fn parse_response<B: AsRef<[u8]>>(
            &self,
            response: &Response<B>,
        ) -> Result<String, ResponseError> {
            let body = success_body(response, Self::MAX_RESPONSE_BYTES, &[self.0.expose()])?;
            Ok(serde_json::from_slice::<serde_json::Value>(body).unwrap()["username"]
                .as_str()
                .unwrap()
                .to_owned())
        }
    }

    let emulator = emulator();
    for (name, client) in all_clients(&settings(&emulator), &base_url(&emulator)) {
        let tokens = client.execute(&point_auth::SignIn::new(&credentials())).expect(name);
        let who_am_i = WhoAmI(tokens.access_token().clone());
        assert_eq!(client.execute(&who_am_i).expect(name), USERNAME);

        emulator.clock().advance(Duration::from_secs(3601));
        let error = client.execute(&who_am_i).expect_err(name);
        assert_eq!(error.status(), Some(http::StatusCode::UNAUTHORIZED), "{name}");
    }
}

#[test]
fn an_operation_that_cannot_be_built_is_not_sent() {
    struct Nowhere;

    impl Operation for Nowhere {
        type Output = ();

        fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
            json_post(base, "../elsewhere", SecretBody::default())
        }

        fn parse_response<B: AsRef<[u8]>>(&self, _: &Response<B>) -> Result<(), ResponseError> {
            Ok(())
        }
    }

    let transport =
        Canned(|_: &Request<SecretBody>, _: &SendLimits| -> Result<Response<SecretBody>, _> {
            panic!("it was sent")
        });
    let error = blocking::Client::new(transport).execute(&Nowhere).unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::Request, false));
}

#[test]
fn the_debug_of_a_client_shows_url_and_limits_and_no_transport() {
    let client = Client::new(ReqwestTransport::new().unwrap());
    let shown = format!("{client:?}");
    assert!(shown.contains("https://api.pointservices.com") && shown.contains("30s"), "{shown}");
    assert!(!shown.contains("Transport"), "{shown}");
}
