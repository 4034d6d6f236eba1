//! Rule 1: no redirect is followed, ever.

use std::net::Ipv4Addr;

use http::header::LOCATION;
use http::{Method, Request};
use point_auth_core::SecretBody;

use crate::conformance::bench::{AMPLE, Bench, Scene, sign_in_at};
use crate::conformance::requests::Kind;
use crate::conformance::violation::{Outcome, Rule, ensure};
use crate::{Emulator, Fault, Operation, RawBehavior};

pub(in crate::conformance) const RULE: Rule = Rule::NoRedirect;

const REDIRECTS: [u16; 6] = [300, 301, 302, 303, 307, 308];

pub(in crate::conformance) fn a_redirect_to_the_same_host_is_handed_back(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    let elsewhere = scene.base.as_str().to_owned() + "/elsewhere";
    for location in [elsewhere.as_str(), "/elsewhere", "elsewhere", "?again", scene.base.as_str()] {
        for status in REDIRECTS {
            is_handed_back(&scene, status, location)?;
        }
    }
    Ok(())
}

pub(in crate::conformance) fn a_redirect_to_the_same_url_is_handed_back(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    let location = scene.emulator.url(Operation::SignIn);
    REDIRECTS.iter().try_for_each(|status| is_handed_back(&scene, *status, &location))
}

pub(in crate::conformance) fn a_redirect_to_another_port_is_handed_back(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    // With the same certificate authority unknown to the client, even a handshake shows as a
    // connection.
    let other = bench.emulator()?;
    for status in REDIRECTS {
        is_handed_back(&scene, status, &other.url(Operation::SignIn))?;
        saw_nothing(&other, status)?;
    }
    Ok(())
}

pub(in crate::conformance) fn a_redirect_to_another_host_is_handed_back(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    let other = bench.emulator_with(|builder| builder.address(Ipv4Addr::new(127, 0, 0, 2)))?;
    for status in REDIRECTS {
        is_handed_back(&scene, status, &other.url(Operation::SignIn))?;
        // Once more, with the scheme left to the client.
        let location = other.url(Operation::SignIn);
        let (_, without_scheme) = location.split_once(':').unwrap_or_default();
        is_handed_back(&scene, status, without_scheme)?;
        saw_nothing(&other, status)?;
    }
    Ok(())
}

pub(in crate::conformance) fn a_redirect_to_the_other_scheme_is_handed_back(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    let plain = bench.raw_server(RawBehavior::Close)?;
    for status in REDIRECTS {
        is_handed_back(&scene, status, &format!("http://{}/elsewhere", plain.addr()))?;
        let (connections, bytes) = (plain.connections(), plain.bytes_received());
        ensure!(
            connections == 0,
            "after a {status} to plain http it got {connections} connections, {bytes} bytes"
        );
    }
    Ok(())
}

pub(in crate::conformance) fn a_redirect_to_no_url_is_handed_back(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    for location in [
        "",
        ":",
        "//",
        "\\\\",
        "http://",
        "http://[::1",
        "http://[::g]/",
        "http://a:b/",
        "http://a%20b/",
        "http://999.999.999.999/",
        "ftp://127.0.0.1/",
        "https://%zz/",
        "\u{fc}",
        "javascript:0",
    ] {
        for status in [301, 302, 307] {
            is_handed_back(&scene, status, location)?;
        }
    }
    Ok(())
}

/// A client may follow a redirect only where that sends no body, or changes no method.
pub(in crate::conformance) fn a_redirect_of_a_request_of_another_kind_is_handed_back(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    let other = bench.emulator()?;
    let elsewhere = other.base_url() + "/elsewhere";
    for kind in Kind::distinct() {
        for status in REDIRECTS {
            for location in ["/elsewhere", elsewhere.as_str()] {
                comes_back(&scene, &kind.request(&scene.base)?, status, location)
                    .map_err(|violation| violation.when(&kind))?;
            }
            saw_nothing(&other, status).map_err(|violation| violation.when(&kind))?;
        }
    }
    Ok(())
}

fn is_handed_back(scene: &Scene, status: u16, location: &str) -> Outcome {
    comes_back(scene, &sign_in_at(&scene.base)?, status, location)
}

fn comes_back(
    scene: &Scene,
    request: &Request<SecretBody>,
    status: u16,
    location: &str,
) -> Outcome {
    let arrived = scene.arrived();
    scene.emulator.push_fault(Fault::redirect(status, location).body("moved"));
    let response = scene
        .transport
        .send(request.clone(), AMPLE)?
        .response()
        .map_err(|violation| violation.when(format!("{status} to `{location}`")))?;
    ensure!(
        response.status() == status,
        "a {status} to `{location}` came back as {}",
        response.status()
    );
    let given = response.headers().get(LOCATION).map(|value| value.as_bytes());
    ensure!(
        given == Some(location.as_bytes()),
        "the Location `{location}` of a {status} came back as {given:?}"
    );
    let body: &[u8] = if request.method() == Method::HEAD { b"" } else { b"moved" };
    ensure!(response.body().as_ref() == body, "the body of a {status} came back changed");
    let requests = scene.arrived() - arrived;
    ensure!(requests == 1, "after a {status} to `{location}` there were {requests} requests");
    Ok(())
}

fn saw_nothing(other: &Emulator, status: u16) -> Outcome {
    let (connections, bytes) = (other.connections(), other.bytes_received());
    ensure!(
        connections == 0,
        "after a {status} the other server got {connections} connections and {bytes} bytes"
    );
    Ok(())
}
