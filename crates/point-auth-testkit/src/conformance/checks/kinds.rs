//! Rule 6: failures are classified alike, and say whether the request may have been sent.

use http::Uri;
use point_auth_transport::TransportErrorKind::{Connect, Protocol, Tls};

use crate::conformance::bench::{AMPLE, Bench, base, setup, sign_in_at};
use crate::conformance::canary;
use crate::conformance::check::Wire;
use crate::conformance::violation::{Outcome, Rule, Violation, ensure};
use crate::{ClosedPort, Emulator, Fault, HttpVersions, RawBehavior};

pub(in crate::conformance) const RULE: Rule = Rule::Kinds;

pub(in crate::conformance) fn a_refused_port_is_connect(bench: &Bench<'_>) -> Outcome {
    let emulator = bench.emulator()?;
    let transport = bench.transport_for(&emulator)?;
    let closed = ClosedPort::reserve()?;
    transport
        .send(sign_in_at(&bench.base_at(closed.addr())?)?, AMPLE)?
        .failed(&[Connect])?
        .not_sent()
}

pub(in crate::conformance) fn an_unknown_name_is_connect(bench: &Bench<'_>) -> Outcome {
    let emulator = bench.emulator()?;
    let transport = bench.transport_for(&emulator)?;
    // RFC 6761, section 6.4: no host ever has this name.
    let base = base("https://point-auth.invalid")?;
    transport.send(sign_in_at(&base)?, AMPLE)?.failed(&[Connect])?.not_sent()
}

pub(in crate::conformance) fn a_target_that_is_no_url_is_an_error_and_not_sent(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    for target in ["/no/host", "ftp://127.0.0.1/", "127.0.0.1:443"] {
        let mut request = sign_in_at(&scene.base)?;
        *request.uri_mut() =
            target.parse::<Uri>().map_err(|error| Violation::new(error.to_string()))?;
        let Err(error) = scene.transport.send(request, AMPLE)?.0 else {
            return Err(Violation::new(format!("`{target}` got a response")));
        };
        ensure!(
            !error.may_have_been_sent(),
            "`{target}` may have been sent: {}",
            canary::describe(&error)
        );
    }
    Ok(())
}

pub(in crate::conformance) fn an_answer_that_is_not_http_is_protocol(bench: &Bench<'_>) -> Outcome {
    let garbage: [&[u8]; 8] = [
        b"garbage\r\n\r\n",
        b"\r\n\r\n",
        b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\xff\xfe",
        b"220 mail.example ESMTP\r\n",
        b"<!doctype html><html></html>",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}x",
    ];
    let scene = bench.scene()?;
    for bytes in garbage {
        scene.emulator.push_fault(Fault::raw(bytes));
        let attempt = scene.sign_in()?;
        let failed = attempt
            .failed(&[Protocol])
            .map_err(|violation| violation.when(bytes.escape_ascii()))?;
        failed.may_have_been_sent()?;
    }
    Ok(())
}

pub(in crate::conformance) fn an_end_before_the_answer_is_protocol(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    for fault in [Fault::close_after_request(), Fault::reset(), Fault::pass().cut_after(0)] {
        scene.emulator.push_fault(fault);
        scene.sign_in()?.failed(&[Protocol])?.may_have_been_sent()?;
    }
    Ok(())
}

pub(in crate::conformance) fn a_cut_in_the_headers_is_protocol(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    for bytes in [1, 12, 17, 40] {
        scene.emulator.push_fault(Fault::pass().cut_after(bytes));
        let failed = scene
            .sign_in()?
            .failed(&[Protocol])
            .map_err(|violation| violation.when(format!("after {bytes}")))?;
        failed.may_have_been_sent()?;
    }
    Ok(())
}

pub(in crate::conformance) fn a_cut_in_the_body_is_protocol(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    for fault in [Fault::pass().cut_after(600), Fault::pass().chunked().cut_after(600)] {
        scene.emulator.push_fault(fault);
        scene.sign_in()?.failed(&[Protocol])?.may_have_been_sent()?;
    }
    Ok(())
}

pub(in crate::conformance) fn a_body_shorter_than_announced_is_protocol(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    scene.emulator.push_fault(Fault::respond(200).json("{}").content_length(100));
    scene.sign_in()?.failed(&[Protocol])?.may_have_been_sent()
}

pub(in crate::conformance) fn a_server_that_hangs_up_at_once_is_an_error(
    bench: &Bench<'_>,
) -> Outcome {
    let emulator = bench.emulator()?;
    let transport = bench.transport_for(&emulator)?;
    for behavior in [RawBehavior::Close, RawBehavior::Reset] {
        let server = bench.raw_server(behavior)?;
        let attempt = transport.send(sign_in_at(&bench.base_at(server.addr())?)?, AMPLE)?;
        // Whether the connection was lost before it stood depends on which side was faster, and with
        // TLS it never stood.
        let kinds: &[_] = if bench.wire() == Wire::Plain {
            &[Protocol, Connect]
        } else {
            &[Protocol, Connect, Tls]
        };
        attempt.failed(kinds)?;
    }
    Ok(())
}

pub(in crate::conformance) fn plain_http_to_a_tls_port_is_protocol(bench: &Bench<'_>) -> Outcome {
    let emulator = bench.emulator_with(|builder| builder.with_tls())?;
    let transport = bench.transport_for(&emulator)?;
    let base = base(&emulator.base_url().replacen("https", "http", 1))?;
    transport.send(sign_in_at(&base)?, AMPLE)?.failed(&[Protocol])?.may_have_been_sent()
}

pub(in crate::conformance) fn tls_to_a_plain_port_is_tls(bench: &Bench<'_>) -> Outcome {
    let plain = Emulator::builder().http(HttpVersions::Http1Only).start()?;
    let emulator = bench.emulator()?;
    let transport = bench.transport_for(&emulator)?;
    let base = base(&plain.base_url().replacen("http", "https", 1))?;
    transport.send(sign_in_at(&base)?, AMPLE)?.failed(&[Tls])?.not_sent()?;
    ensure!(plain.requests().is_empty(), "a request arrived in the clear");
    Ok(())
}

pub(in crate::conformance) fn a_handshake_that_breaks_off_was_not_sent(
    bench: &Bench<'_>,
) -> Outcome {
    let emulator = bench.emulator()?;
    let transport = bench.transport(&setup(&emulator)?)?;
    for behavior in [
        RawBehavior::Close,
        RawBehavior::Reset,
        RawBehavior::Answer("220 mail.example ESMTP\r\n".into()),
        // A fatal alert, handshake_failure.
        RawBehavior::Answer((&[21_u8, 3, 3, 0, 2, 2, 40][..]).into()),
    ] {
        let name = format!("{behavior:?}");
        let server = bench.raw_server(behavior)?;
        let attempt = transport.send(sign_in_at(&bench.base_at(server.addr())?)?, AMPLE)?;
        attempt.failed(&[Tls, Connect]).map_err(|violation| violation.when(&name))?.not_sent()?;
        let leaked =
            server.received().iter().any(|bytes| canary::is_in(&String::from_utf8_lossy(bytes)));
        ensure!(!leaked, "the server got a secret in the clear");
    }
    Ok(())
}
