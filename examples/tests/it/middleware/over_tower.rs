//! The layer, in a stack of tower services that follows redirects above it.

use http::Request;
use http_body_util::BodyExt;
use point_auth::tower::AuthorizeLayer;
use point_auth::transport::TlsSettings;
use point_auth::transport::authorize::AsyncTokenSource;
use point_auth::{Error, UserAlias};
use point_auth_examples::tower_stack::stack;
use tower::{BoxError, Layer, ServiceExt};
use tower_http::follow_redirect::FollowRedirectLayer;

use super::asynchronous::{Sending, Sent, Stack, make};
use super::subject::{Body, Call, Kind, Outcome, Redirects, Setup};

pub(super) const TOWER: Kind =
    Kind { make: make::<Tower>, repeats: true, redirects: Redirects::Above };

struct Tower;

impl Stack for Tower {
    fn over<T: AsyncTokenSource + Clone>(tokens: T, setup: &Setup) -> Box<dyn Fn(Call) -> Sending> {
        let mut layer = AuthorizeLayer::with_copy(tokens, copy);
        if let Some(origin) = &setup.extra_origin {
            layer = layer.with_origin(origin);
        }
        if setup.replaces {
            layer = layer.with_replaced_authorization();
        }
        let service = layer.layer(stack::<Sent>(&TlsSettings::new()).unwrap());
        let service = FollowRedirectLayer::new().layer(service);
        Box::new(move |call| {
            let service = service.clone();
            Box::pin(async move {
                match service.oneshot(request(&call)).await {
                    Ok(response) => {
                        let status = response.status().as_u16();
                        let body = response.into_body().collect().await.unwrap().to_bytes();
                        let body = if status == 200 { &body[..] } else { b"" };
                        Outcome::Response(status, String::from_utf8(body.to_vec()).unwrap())
                    }
                    Err(error) => failed(&error),
                }
            })
        })
    }
}

fn copy(request: &Request<Sent>) -> Option<Request<Sent>> {
    let mut copy = Request::new(request.body().copy()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

fn request(call: &Call) -> Request<Sent> {
    let method = if call.body == Body::None { "GET" } else { "POST" };
    let mut request = Request::builder().method(method).uri(&call.url);
    for (name, value) in [("authorization", call.authorization), ("host", call.host)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    if let Some(alias) = call.alias {
        request = request.extension(UserAlias::new(alias));
    }
    request.body(Sent::of(call.body)).unwrap()
}

fn failed(error: &BoxError) -> Outcome {
    match error.downcast_ref::<Error>() {
        Some(error) => Outcome::of_error(error),
        None => Outcome::Failed(format!("{error:?}")),
    }
}
