//! Rule 1: no redirect is followed, ever.

use std::net::Ipv4Addr;

use http::header::LOCATION;

use crate::conformance::bench::{Bench, Scene};
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
        // The same, with the scheme left to the client.
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

fn is_handed_back(scene: &Scene, status: u16, location: &str) -> Outcome {
    let arrived = scene.emulator.requests().len();
    scene.emulator.push_fault(Fault::redirect(status, location).body("moved"));
    let response = scene
        .sign_in()?
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
    ensure!(response.body().as_ref() == b"moved", "the body of a {status} came back changed");
    let requests = scene.emulator.requests().len() - arrived;
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
