//! The middleware of reqwest-middleware, over a client that follows redirects with its guard.

use point_auth::Error;
use point_auth::transport::authorize::AsyncTokenSource;
use point_auth_reqwest_middleware::{Authorize, UserAlias};
use reqwest::redirect::Policy;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use super::asynchronous::{Sending, Sent, Stack, make};
use super::subject::{Body, Call, Kind, Outcome, Redirects, Setup};

pub(super) const REQWEST: Kind =
    Kind { make: make::<Reqwest>, repeats: true, redirects: Redirects::Below };

struct Reqwest;

impl Stack for Reqwest {
    fn over<T: AsyncTokenSource + Clone>(tokens: T, setup: &Setup) -> Box<dyn Fn(Call) -> Sending> {
        let mut authorize = Authorize::new(tokens);
        if let Some(origin) = &setup.extra_origin {
            authorize = authorize.with_origin(origin);
        }
        if setup.replaces {
            authorize = authorize.with_replaced_authorization();
        }
        let client = reqwest::Client::builder()
            .redirect(authorize.guard_redirects(Policy::default()))
            .build()
            .unwrap();
        let client = ClientBuilder::new(client).with(authorize).build();
        Box::new(move |call| Box::pin(send(client.clone(), call)))
    }
}

async fn send(client: ClientWithMiddleware, call: Call) -> Outcome {
    let mut request = match call.body {
        Body::None => client.get(&call.url),
        Body::Whole(text) => client.post(&call.url).body(text),
        Body::Stream(_) => client.post(&call.url).body(reqwest::Body::wrap(Sent::of(call.body))),
    };
    for (name, value) in [("authorization", call.authorization), ("host", call.host)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    if let Some(alias) = call.alias {
        request = request.with_extension(UserAlias::new(alias));
    }
    match request.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            let body = response.text().await.unwrap();
            Outcome::Response(status, if status == 200 { body } else { String::new() })
        }
        Err(reqwest_middleware::Error::Middleware(error)) => match error.downcast_ref::<Error>() {
            Some(error) => Outcome::of_error(error),
            None => Outcome::Failed(format!("{error:?}")),
        },
        Err(error) => Outcome::Failed(format!("{error:?}")),
    }
}
