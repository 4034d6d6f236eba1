//! Rule 7: nothing secret is shown. Every error of every check is searched; here are those that a
//! server provokes by repeating what it was sent, and what shows itself without an error.

use http::HeaderValue;
use point_auth_core::{AccessToken, Operation as _, Refresh, RefreshToken};
use point_auth_transport::{ProxySettings, SettingsError};

use crate::conformance::bench::{AMPLE, Bench, SHORT, setup_with, sign_in_at};
use crate::conformance::canary;
use crate::conformance::candidate::ProxyChoice;
use crate::conformance::check::Wire;
use crate::conformance::violation::{Outcome, Rule, Violation, ensure};
use crate::{Fault, RawBehavior};

pub(in crate::conformance) const RULE: Rule = Rule::NoLeaks;

pub(in crate::conformance) fn a_server_that_repeats_the_password_in_garbage_is_not_quoted(
    bench: &Bench<'_>,
) -> Outcome {
    let echo = canary::PASSWORD;
    let answers = [
        format!("{echo}\r\n\r\n"),
        format!("HTTP/1.1 {echo}\r\n\r\n"),
        format!("HTTP/1.1 200 {echo}\r\n{echo}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\n{echo}: {echo}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\nx: {echo}\r\n broken\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\ncontent-length: {echo}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{echo}\r\n"),
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: {echo}\r\n\r\n"),
        format!("HTTP/1.1 301 Moved\r\nlocation: http://{echo}/\r\ncontent-length: 9\r\n\r\n"),
        format!("HTTP/1.1 100 {echo}\r\n\r\n{echo}"),
    ];
    let scene = bench.scene()?;
    for answer in answers {
        scene.emulator.push_fault(Fault::raw(answer));
        // Each outcome is searched.
        drop(scene.sign_in()?);
    }
    Ok(())
}

pub(in crate::conformance) fn a_server_that_repeats_the_password_over_http_2_is_not_quoted(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    scene.emulator.push_fault(Fault::raw(goaway_with(canary::PASSWORD)));
    drop(scene.sign_in()?);
    Ok(())
}

/// A GOAWAY with debug data (RFC 9113, section 6.8): last stream 0, `INTERNAL_ERROR`.
fn goaway_with(debug_data: &str) -> Vec<u8> {
    let length = u32::try_from(debug_data.len()).unwrap_or_default() + 8;
    let length = length.to_be_bytes();
    [
        length.get(1..).unwrap_or_default(),
        &[7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
        debug_data.as_bytes(),
    ]
    .concat()
}

pub(in crate::conformance) fn a_body_that_repeats_the_password_is_not_shown(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    for status in [200, 400, 502] {
        scene.emulator.push_fault(Fault::respond(status).body(canary::PASSWORD));
        let response = scene.sign_in()?.response()?;
        ensure!(
            response.body().as_ref() == canary::PASSWORD.as_bytes(),
            "the body came back changed"
        );
    }
    scene.emulator.push_fault(Fault::respond(200).body(canary::PASSWORD.repeat(100)));
    drop(scene.sign_in_within(AMPLE.with_max_response_bytes(100))?);
    scene.emulator.push_fault(Fault::respond(200).body(canary::PASSWORD).content_length(1000));
    drop(scene.sign_in()?);
    Ok(())
}

pub(in crate::conformance) fn a_failed_request_with_tokens_shows_none(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    let said = |error: &dyn std::error::Error| Violation::new(error.to_string());
    let refresh_token = RefreshToken::new(canary::TOKEN).map_err(|error| said(&error))?;
    let token = AccessToken::new(canary::TOKEN).map_err(|error| said(&error))?;
    for fault in [
        Fault::close_after_request(),
        Fault::silent(),
        Fault::raw("garbage"),
        Fault::pass().cut_after(100),
    ] {
        let mut request =
            Refresh::new(&refresh_token).to_request(&scene.base).map_err(|error| said(&error))?;
        token.authorize(request.headers_mut());
        scene.emulator.push_fault(fault);
        drop(scene.transport.send(request, AMPLE.with_total_timeout(SHORT))?);
    }
    Ok(())
}

pub(in crate::conformance) fn a_request_that_cannot_be_sent_shows_nothing(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    let server = bench.raw_server(RawBehavior::Close)?;
    for authority in [format!("canary:canary@{}", server.addr()), "canary@127.0.0.1:1".to_owned()] {
        let scheme = if bench.wire() == Wire::Plain { "http" } else { "https" };
        let mut request = sign_in_at(&scene.base)?;
        request.headers_mut().insert("x-other", HeaderValue::from_static(canary::HEADER));
        let target = format!("{scheme}://{authority}/canary?canary=canary");
        *request.uri_mut() =
            target.parse().map_err(|_| Violation::new("the target of the check is no URI"))?;
        drop(scene.transport.send(request, AMPLE)?);
    }
    Ok(())
}

pub(in crate::conformance) fn the_transport_shows_nothing(bench: &Bench<'_>) -> Outcome {
    let emulator = bench.emulator()?;
    let proxy = format!("http://{}@127.0.0.1:9", canary::PROXY_USERINFO);
    let setup = setup_with(Some(emulator.ca_pem()), None, ProxyChoice::Url(proxy), None)?;
    let transport = bench.transport(&setup)?;
    let scene = crate::conformance::bench::Scene::new(emulator, transport)?;
    scene.must_still_work()?;
    let shown = canary::in_debug(scene.transport.driver().transport());
    ensure!(shown.is_none(), "the transport shows a canary in `{}`", shown.unwrap_or_default());
    let shown = canary::in_debug(setup.settings());
    ensure!(shown.is_none(), "the settings show a canary in `{}`", shown.unwrap_or_default());
    let shown = canary::in_debug(&sign_in_at(&scene.base)?.body());
    ensure!(
        shown.is_none(),
        "the request's body shows a canary in `{}`",
        shown.unwrap_or_default()
    );
    Ok(())
}

pub(in crate::conformance) fn a_proxy_url_that_is_refused_is_not_quoted(_: &Bench<'_>) -> Outcome {
    let userinfo = canary::PROXY_USERINFO;
    for url in [
        format!("socks5://{userinfo}@127.0.0.1:1080"),
        format!("https://{userinfo}@127.0.0.1:3128"),
        format!("http://{userinfo}@"),
        format!("http://{userinfo}@127.0.0.1:port"),
        format!("http://{userinfo}@127.0.0.1:99999"),
        format!("http://{userinfo}@[::1"),
        format!("http://{userinfo}@127.0.0.1:1/canary"),
        format!("{userinfo}://127.0.0.1"),
        format!("http://canary/canary:{userinfo}@127.0.0.1:1"),
    ] {
        match ProxySettings::url(&url) {
            Err(error) => shows_nothing(&error)?,
            Ok(_) => return Err(Violation::new("a proxy URL that cannot be used is not refused")),
        }
    }
    Ok(())
}

pub(in crate::conformance) fn shows_nothing(error: &SettingsError) -> Outcome {
    match canary::in_error(error) {
        Some(place) => Err(Violation::of(Rule::NoLeaks, format!("a secret is shown {place}"))),
        None => Ok(()),
    }
}
