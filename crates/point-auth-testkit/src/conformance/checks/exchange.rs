//! What all rules stand on: the request arrives as it was built, the response is handed back as it
//! came, and what went wrong before does no harm afterwards.

use std::net::{Ipv6Addr, TcpListener};
use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{Method, Request, Response, Version};
use point_auth_core::{
    AccessToken, Credentials, Operation as _, Refresh, SecretBody, SignIn, TokenSet,
};

use crate::conformance::bench::{AMPLE, Bench, SHORT, SOON, Scene, base, sign_in_at};
use crate::conformance::canary;
use crate::conformance::check::Wire;
use crate::conformance::requests::Kind;
use crate::conformance::violation::{Outcome, Rule, Violation, ensure};
use crate::{Fault, HttpVersions, Operation, RecordedRequest};

mod next;

pub(in crate::conformance) use next::nothing_of_an_exchange_is_in_the_next;

pub(in crate::conformance) const RULE: Rule = Rule::Exchange;

pub(in crate::conformance) fn a_sign_in_a_refresh_and_a_request_with_the_token_work(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    let signed_in = sign_in(&scene)?;
    let refresh_token =
        signed_in.refresh_token().ok_or_else(|| Violation::new("there is no refresh token"))?;
    let refresh = Refresh::new(refresh_token);
    let request =
        refresh.to_request(&scene.base).map_err(|error| Violation::new(error.to_string()))?;
    let response = scene.transport.send(request, AMPLE)?.response()?;
    let refreshed = refresh.parse_response(&response);
    let refreshed =
        refreshed.map_err(|error| Violation::new(format!("the refresh failed: {error}")))?;
    ensure!(
        refreshed.access_token() != signed_in.access_token(),
        "the refresh gave the old access token"
    );

    let response = who_am_i(&scene, refreshed.access_token())?;
    ensure!(response.status() == 200, "the new access token got {}", response.status());
    let stranger =
        AccessToken::new(canary::TOKEN).map_err(|error| Violation::new(error.to_string()))?;
    let response = who_am_i(&scene, &stranger)?;
    ensure!(response.status() == 401, "a token that is no good got {}", response.status());
    Ok(())
}

fn sign_in(scene: &Scene) -> Result<TokenSet, Violation> {
    let response = scene.sign_in()?.response()?;
    let credentials = Credentials::new(canary::USERNAME, canary::PASSWORD);
    let credentials = credentials.map_err(|error| Violation::new(error.to_string()))?;
    let tokens = SignIn::new(&credentials).parse_response(&response);
    tokens.map_err(|error| Violation::new(format!("the sign-in failed: {error}")))
}

/// A request without a body.
fn who_am_i(scene: &Scene, token: &AccessToken) -> Result<Response<SecretBody>, Violation> {
    let mut request = Request::new(SecretBody::default());
    *request.method_mut() = Method::GET;
    let uri = scene.base.join(Operation::WhoAmI.path());
    *request.uri_mut() = uri.map_err(|error| Violation::new(error.to_string()))?;
    token.authorize(request.headers_mut());
    let response = scene.transport.send(request, AMPLE)?.response()?;
    let requests = scene.emulator.requests();
    let arrived = requests
        .last()
        .ok_or_else(|| Violation::new("the request without a body did not arrive"))?;
    let is_bare = arrived.body().is_empty() && !arrived.headers().contains_key(TRANSFER_ENCODING);
    ensure!(is_bare, "a request without a body arrived with one, or with the announcement of one");
    Ok(response)
}

pub(in crate::conformance) fn a_request_arrives_exactly_as_it_was_built(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    let built = sign_in_at(&scene.base)?;
    scene.sign_in()?.response()?;
    let requests = scene.emulator.requests();
    let [arrived] = requests.as_slice() else {
        return Err(Violation::new(format!("{} requests arrived instead of one", requests.len())));
    };
    compare(&built, arrived)?;
    let version = if bench.wire() == Wire::Http2 { Version::HTTP_2 } else { Version::HTTP_11 };
    ensure!(arrived.version() == version, "it arrived as {:?}", arrived.version());
    Ok(())
}

pub(in crate::conformance) fn requests_of_other_kinds_arrive_exactly_as_they_were_built(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    scene.emulator.always(Fault::respond(200).body("{}"));
    for kind in Kind::all() {
        arrives_as_built(&scene, &kind).map_err(|violation| violation.when(&kind))?;
    }
    Ok(())
}

pub(in crate::conformance) fn a_body_of_several_mib_arrives_whole(bench: &Bench<'_>) -> Outcome {
    const BYTES: usize = 3 * 1024 * 1024;
    let emulator = bench.emulator_with(|builder| builder.max_request_bytes(2 * BYTES))?;
    let transport = bench.transport_for(&emulator)?;
    emulator.always(Fault::respond(200).body("{}"));
    arrives_as_built(&Scene::new(emulator, transport)?, &Kind::post(BYTES))
}

fn arrives_as_built(scene: &Scene, kind: &Kind) -> Outcome {
    let before = scene.arrived();
    let response = scene.send(kind)?.response()?;
    ensure!(response.status() == 200, "it got {}", response.status());
    let expected: &[u8] = if kind.method == Method::HEAD { b"" } else { b"{}" };
    ensure!(response.body().as_ref() == expected, "the body of the answer came back changed");
    let requests = scene.emulator.requests();
    let Some([arrived]) = requests.get(before..) else {
        return Err(Violation::new(format!("{} requests arrived", requests.len() - before)));
    };
    compare(&kind.request(&scene.base)?, arrived)
}

/// Passes on a machine without IPv6.
pub(in crate::conformance) fn an_ipv6_literal_is_a_host_like_any_other(
    bench: &Bench<'_>,
) -> Outcome {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return Ok(());
    }
    let emulator = bench.emulator_with(|builder| builder.address(Ipv6Addr::LOCALHOST))?;
    let transport = bench.transport_for(&emulator)?;
    let scene = Scene::new(emulator, transport)?;
    sign_in(&scene)?;
    scene.emulator.always(Fault::respond(200).body("{}"));
    arrives_as_built(&scene, &Kind::GET)
}

pub(super) fn compare(built: &Request<SecretBody>, arrived: &RecordedRequest) -> Outcome {
    ensure!(arrived.method() == built.method(), "the method is {}", arrived.method());
    let target = arrived.uri().path_and_query();
    ensure!(target == built.uri().path_and_query(), "the request target is {target:?}");
    ensure!(arrived.body().as_ref() == built.body().as_ref(), "the body is not the same");
    for (name, value) in built.headers() {
        let values: Vec<_> = arrived.headers().get_all(name).iter().collect();
        ensure!(
            values == [value],
            "of the header {name} there are {} values, or not ours",
            values.len()
        );
    }
    let added = arrived.headers().keys().find(|name| {
        !built.headers().contains_key(*name)
            && ![&HOST, &CONTENT_LENGTH, &CONNECTION].contains(name)
    });
    ensure!(added.is_none(), "a header was added: {added:?}");

    let lengths: Vec<_> = arrived.headers().get_all(CONTENT_LENGTH).iter().collect();
    let length = built.body().len().to_string();
    let may_be_missing = built.body().is_empty() && lengths.is_empty();
    ensure!(
        may_be_missing || lengths == [length.as_str()],
        "Content-Length is {lengths:?} instead of {length}"
    );
    let authority = built.uri().authority().map(http::uri::Authority::as_str);
    let host = arrived
        .header(HOST.as_str())
        .or_else(|| arrived.uri().authority().map(http::uri::Authority::as_str));
    ensure!(host == authority, "the host is {host:?} instead of {authority:?}");
    Ok(())
}

pub(in crate::conformance) fn a_path_prefix_is_kept(bench: &Bench<'_>) -> Outcome {
    let emulator = bench.emulator_with(|builder| builder.path_prefix("/gateway/v1.0~x"))?;
    let transport = bench.transport_for(&emulator)?;
    let scene = Scene::new(emulator, transport)?;
    sign_in(&scene)?;
    ensure!(scene.posts() == 1, "the sign-in did not arrive below the prefix");
    Ok(())
}

pub(in crate::conformance) fn localhost_is_a_host_like_any_other(bench: &Bench<'_>) -> Outcome {
    let emulator = bench.emulator()?;
    let transport = bench.transport_for(&emulator)?;
    let base = base(&emulator.base_url_for("localhost"))?;
    let response = transport.send(sign_in_at(&base)?, AMPLE)?.response()?;
    ensure!(response.status() == 200, "it got {}", response.status());
    Ok(())
}

pub(in crate::conformance) fn a_server_of_both_versions_is_spoken_to(bench: &Bench<'_>) -> Outcome {
    let emulator = bench.emulator_with(|builder| builder.http(HttpVersions::Both))?;
    let transport = bench.transport_for(&emulator)?;
    sign_in(&Scene::new(emulator, transport)?)?;
    Ok(())
}

pub(in crate::conformance) fn headers_and_body_of_the_response_are_handed_back_as_they_came(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    let body: Vec<u8> = (0..=255).cycle().take(5000).collect();
    let fault =
        Fault::respond(200).header("content-type", "application/octet-stream").header("x-one", "1");
    let fault = fault.header("x-two", "a").header("x-two", "b").header("retry-after", "17");
    scene.emulator.push_fault(fault.body(body.clone()));
    scene.emulator.push_fault(Fault::respond(200).body(body.clone()).chunked());
    let response = scene.sign_in()?.response()?;
    ensure!(
        response.body().as_ref() == body,
        "the body is not the same: {} bytes",
        response.body().len()
    );
    for (name, expected) in
        [("x-one", &["1"][..]), ("x-two", &["a", "b"]), ("retry-after", &["17"])]
    {
        let values: Vec<_> = response.headers().get_all(name).iter().collect();
        ensure!(values == expected, "{name} is {values:?} instead of {expected:?}");
    }
    let response = scene.sign_in()?.response()?;
    ensure!(response.body().as_ref() == body, "without a Content-Length the body is not the same");
    Ok(())
}

pub(in crate::conformance) fn thirty_two_requests_at_once_are_all_answered(
    bench: &Bench<'_>,
) -> Outcome {
    const COUNT: usize = 32;
    let scene = bench.scene()?;
    let requests = (0..COUNT).map(|_| sign_in_at(&scene.base)).collect::<Result<Vec<_>, _>>()?;
    let attempts = scene.transport.send_all(requests, AMPLE)?;
    ensure!(attempts.len() == COUNT, "there are {} outcomes for {COUNT} requests", attempts.len());
    for attempt in attempts {
        let response = attempt.response()?;
        ensure!(response.status() == 200, "one of them got {}", response.status());
    }
    ensure!(scene.posts() == COUNT, "{} requests arrived instead of {COUNT}", scene.posts());
    Ok(())
}

pub(in crate::conformance) fn a_failed_exchange_does_not_poison_the_next(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    let faults = [
        ("cut", Fault::pass().cut_after(300)),
        ("too large", Fault::respond(200).endless_body()),
        ("silent", Fault::silent()),
        ("garbage", Fault::raw("garbage\r\n\r\n")),
        ("drip", Fault::pass().drip_body(1, SHORT)),
    ];
    for (name, fault) in faults {
        scene.must_still_work()?;
        scene.emulator.push_fault(fault);
        // What comes of it is another check's.
        drop(scene.sign_in_within(AMPLE.with_total_timeout(SHORT))?);
        scene.must_still_work().map_err(|violation| violation.when(name))?;
    }
    Ok(())
}

pub(in crate::conformance) fn interim_responses_are_passed_over(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    scene.emulator.push_fault(Fault::raw(interim.to_owned() + answer));
    let response = scene.sign_in()?.response()?;
    ensure!(response.status() == 200, "the response after interim ones is {}", response.status());
    ensure!(
        response.body().as_ref() == b"{}",
        "the body after interim responses came back changed"
    );
    Ok(())
}

pub(in crate::conformance) fn what_follows_an_answer_is_not_the_next_answer(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    let smuggled = "HTTP/1.1 418 Smuggled\r\ncontent-length: 2\r\n\r\n{}";
    for _ in 0..3 {
        scene.emulator.push_fault(Fault::raw(answer.to_owned() + smuggled));
        // An error would do as well.
        drop(scene.sign_in()?);
        let before = scene.posts();
        if let Ok(response) = scene.sign_in()?.0 {
            ensure!(
                response.status() == 200,
                "the next request got the {} that was not asked for",
                response.status()
            );
            ensure!(
                scene.posts() == before + 1,
                "the next request was answered without being sent"
            );
        }
    }
    Ok(())
}

pub(in crate::conformance) fn an_exchange_that_is_given_up_does_not_poison_the_next(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    for (name, fault) in
        [("waiting", Fault::silent()), ("reading", Fault::pass().drip_body(1, SHORT))]
    {
        let arrived = scene.posts();
        scene.emulator.push_fault(fault);
        let mut did_arrive = false;
        let emulator = Arc::clone(&scene.emulator);
        let was_dropped =
            scene.transport.driver().begin_and_drop(sign_in_at(&scene.base)?, &AMPLE, &mut || {
                did_arrive = emulator.wait_for_requests(arrived + 1, SOON);
            });
        ensure!(was_dropped, "an exchange of this transport cannot be given up");
        ensure!(did_arrive, "the request never arrived");
        scene.must_still_work().map_err(|violation| violation.when(name))?;
        ensure!(
            scene.posts() == arrived + 2,
            "{} requests arrived instead of 2",
            scene.posts() - arrived
        );
    }
    Ok(())
}

pub(in crate::conformance) fn two_quick_requests_share_a_connection(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    // A client may be a moment late to put its connection back.
    for _ in 0..20 {
        scene.must_still_work()?;
        if scene.emulator.requests().iter().any(RecordedRequest::on_reused_connection) {
            return Ok(());
        }
    }
    Err(Violation::new("each of 20 requests in a row had a connection of its own"))
}
