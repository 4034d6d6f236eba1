//! Rule 5: every status is a response, with its headers and its body.

use crate::Fault;
use crate::conformance::bench::Bench;
use crate::conformance::violation::{Outcome, Rule, ensure};

pub(in crate::conformance) const RULE: Rule = Rule::EveryStatus;

const WITH_BODY: [u16; 42] = [
    200, 201, 202, 203, 206, 226, 299, 300, 305, 306, 400, 401, 402, 403, 404, 405, 406, 407, 408,
    409, 410, 411, 412, 413, 415, 417, 418, 421, 422, 425, 426, 428, 429, 431, 451, 500, 501, 502,
    503, 504, 599, 999,
];
const BODY: &str =
    r#"{"error":"access_denied","error_description":"Invalid username / password combination"}"#;

pub(in crate::conformance) fn every_status_is_a_response(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    for status in WITH_BODY {
        scene.emulator.push_fault(Fault::respond(status).json(BODY).header("retry-after", "120"));
        let response = scene.sign_in()?.response().map_err(|violation| violation.when(status))?;
        ensure!(response.status() == status, "a {status} came back as {}", response.status());
        ensure!(
            response.body().as_ref() == BODY.as_bytes(),
            "the body of a {status} came back changed"
        );
        let retry_after = response.headers().get("retry-after");
        ensure!(
            retry_after.is_some_and(|value| value == "120"),
            "the Retry-After of a {status} is {retry_after:?}"
        );
    }
    Ok(())
}

pub(in crate::conformance) fn a_status_without_a_body_is_a_response(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    for status in [200, 204, 304, 400, 403, 500] {
        scene.emulator.push_fault(Fault::respond(status).header("x-kept", "yes"));
        let response = scene.sign_in()?.response().map_err(|violation| violation.when(status))?;
        ensure!(response.status() == status, "a {status} came back as {}", response.status());
        ensure!(response.body().is_empty(), "an empty {status} came back with a body");
        ensure!(response.headers().contains_key("x-kept"), "the headers of a {status} are lost");
    }
    Ok(())
}

pub(in crate::conformance) fn a_denial_is_a_response(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    ensure!(
        scene.emulator.change_password(crate::conformance::canary::USERNAME, "another"),
        "there is no such user"
    );
    let response = scene.sign_in()?.response()?;
    ensure!(response.status() == 403, "a wrong password got {}", response.status());
    ensure!(response.body().as_ref().starts_with(b"{"), "the error object is lost");
    Ok(())
}

pub(in crate::conformance) fn a_page_of_a_gateway_is_a_response(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    for status in [200, 403, 502, 503] {
        scene.emulator.push_fault(Fault::html(status));
        let response = scene.sign_in()?.response().map_err(|violation| violation.when(status))?;
        ensure!(response.status() == status, "a {status} came back as {}", response.status());
        ensure!(
            response.body().as_ref().starts_with(b"<!doctype html>"),
            "the page of a {status} came back changed"
        );
    }
    Ok(())
}
