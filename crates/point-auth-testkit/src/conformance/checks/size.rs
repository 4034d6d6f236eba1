//! Rule 3: the response is read up to the limit, nothing is decoded, and nothing is allocated on
//! the server's word.

use std::fs;
use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::{DeflateEncoder, ZlibEncoder};
use http::header::CONTENT_ENCODING;
use point_auth_transport::TransportErrorKind::{Protocol, TooLarge};

use crate::Fault;
use crate::conformance::bench::{AMPLE, Bench, Scene};
use crate::conformance::requests::Kind;
use crate::conformance::violation::{Outcome, Rule, Violation, ensure};

pub(in crate::conformance) const RULE: Rule = Rule::Capped;

const LIMIT: usize = 2000;
const GIBIBYTE: u64 = 1 << 30;
const TEBIBYTE: u64 = 1 << 40;

pub(in crate::conformance) fn a_gibibyte_is_too_large(bench: &Bench<'_>) -> Outcome {
    is_too_large(&bench.scene()?, Fault::respond(200).body_of(GIBIBYTE))
}

pub(in crate::conformance) fn a_gibibyte_without_a_length_is_too_large(
    bench: &Bench<'_>,
) -> Outcome {
    is_too_large(&bench.scene()?, Fault::respond(200).body_of(GIBIBYTE).chunked())
}

pub(in crate::conformance) fn an_endless_body_is_too_large(bench: &Bench<'_>) -> Outcome {
    is_too_large(&bench.scene()?, Fault::respond(200).endless_body())
}

pub(in crate::conformance) fn an_endless_body_up_to_the_end_of_the_connection_is_too_large(
    bench: &Bench<'_>,
) -> Outcome {
    is_too_large(&bench.scene()?, Fault::raw("HTTP/1.1 200 OK\r\n\r\n").endless_body())
}

pub(in crate::conformance) fn an_endless_error_page_is_too_large(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    for status in [302, 403, 502] {
        is_too_large(&scene, Fault::respond(status).endless_body())?;
    }
    Ok(())
}

fn is_too_large(scene: &Scene, fault: Fault) -> Outcome {
    scene.emulator.push_fault(fault);
    // Long before so much could have been read.
    let limits = AMPLE.with_max_response_bytes(LIMIT).with_total_timeout(Duration::from_secs(10));
    scene.sign_in_within(limits)?.failed(&[TooLarge])?.may_have_been_sent()
}

pub(in crate::conformance) fn an_endless_answer_to_a_get_is_too_large(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    scene.emulator.push_fault(Fault::respond(200).endless_body());
    let limits = AMPLE.with_max_response_bytes(LIMIT).with_total_timeout(Duration::from_secs(10));
    let request = Kind::GET.request(&scene.base)?;
    scene.transport.send(request, limits)?.failed(&[TooLarge])?.may_have_been_sent()
}

pub(in crate::conformance) fn a_tebibyte_that_is_only_announced_costs_nothing(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    scene.emulator.push_fault(Fault::respond(200).content_length(TEBIBYTE).body("{}"));
    scene.sign_in()?.failed(&[TooLarge, Protocol])?.may_have_been_sent()?;
    scene.emulator.push_fault(Fault::respond(200).content_length(TEBIBYTE).body("{}"));
    // No limit at all, so that nothing but the server's word decides.
    let limits = AMPLE.with_max_response_bytes(usize::MAX);
    scene.sign_in_within(limits)?.failed(&[Protocol])?.may_have_been_sent()
}

pub(in crate::conformance) fn a_body_of_exactly_the_limit_is_a_response(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    for fault in [Fault::respond(200), Fault::respond(200).chunked()] {
        scene.emulator.push_fault(fault.body_of(LIMIT as u64));
        let response = scene.sign_in_within(AMPLE.with_max_response_bytes(LIMIT))?.response()?;
        ensure!(response.body().len() == LIMIT, "{} bytes came of {LIMIT}", response.body().len());
    }
    Ok(())
}

pub(in crate::conformance) fn one_byte_more_than_the_limit_is_too_large(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    is_too_large(&scene, Fault::respond(200).body_of(LIMIT as u64 + 1))?;
    is_too_large(&scene, Fault::respond(200).body_of(LIMIT as u64 + 1).chunked())?;
    // One byte at a time there is no large read that gives it away.
    is_too_large(
        &scene,
        Fault::respond(200).body_of(LIMIT as u64 + 1).drip_body(100, Duration::ZERO),
    )
}

pub(in crate::conformance) fn a_limit_of_nothing_lets_an_empty_body_pass(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    let limits = AMPLE.with_max_response_bytes(0);
    scene.emulator.push_fault(Fault::respond(200));
    let response = scene.sign_in_within(limits)?.response()?;
    ensure!(response.body().is_empty(), "there is a body");
    scene.emulator.push_fault(Fault::respond(200).body("x"));
    scene.sign_in_within(limits)?.failed(&[TooLarge])?.may_have_been_sent()
}

pub(in crate::conformance) fn no_limit_is_a_limit_like_any_other(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    let limits = AMPLE.with_max_response_bytes(usize::MAX);
    scene.emulator.push_fault(Fault::respond(200).body_of(300_000));
    let response = scene.sign_in_within(limits)?.response()?;
    ensure!(response.body().len() == 300_000, "{} bytes came of 300,000", response.body().len());
    Ok(())
}

pub(in crate::conformance) fn gzip_is_not_decoded(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    scene.emulator.push_fault(Fault::respond(200).json(r#"{"access_token":"x"}"#).gzip());
    let Ok(response) = scene.sign_in()?.0 else { return Ok(()) };
    let encoding = response.headers().get(CONTENT_ENCODING);
    ensure!(
        encoding.is_some_and(|encoding| encoding == "gzip"),
        "Content-Encoding is {encoding:?}"
    );
    ensure!(response.body().as_ref().starts_with(&[0x1f, 0x8b]), "the body was decoded");
    Ok(())
}

/// The contents of a body that says it is encoded, each in another way.
fn encoded(body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
    // Writing into memory does not fail.
    let _ = (zlib.write_all(body), raw.write_all(body));
    let length = u8::try_from(body.len()).unwrap_or_default();
    // RFC 7932, section 9.2: one block of up to 64 KiB that is not compressed, and an empty last
    // one.
    let brotli = ((u32::from(length) - 1) << 4 | 1 << 20).to_le_bytes();
    let brotli = [brotli.get(..3).unwrap_or_default(), body, &[3]].concat();
    // RFC 8878, section 3.1.1: one segment, its size in a byte, and one raw block, which is the
    // last.
    let block = (u32::from(length) << 3 | 1).to_le_bytes();
    let head = [0x28, 0xb5, 0x2f, 0xfd, 0x20, length];
    let zstd = [&head[..], block.get(..3).unwrap_or_default(), body].concat();
    vec![
        ("deflate", zlib.finish().unwrap_or_default()),
        ("deflate", raw.finish().unwrap_or_default()),
        ("br", brotli),
        ("zstd", zstd),
    ]
}

pub(in crate::conformance) fn no_other_encoding_is_decoded(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    for (name, bytes) in encoded(br#"{"access_token":"x"}"#) {
        let fault = Fault::respond(200).header("content-encoding", name).json(bytes.clone());
        scene.emulator.push_fault(fault);
        let Ok(response) = scene.sign_in()?.0 else { continue };
        let encoding = response.headers().get(CONTENT_ENCODING);
        ensure!(
            encoding.is_some_and(|encoding| encoding == name),
            "Content-Encoding is {encoding:?} instead of {name}"
        );
        ensure!(response.body().as_ref() == bytes, "the body was decoded from {name}");
    }
    Ok(())
}

/// Nothing comes after the first byte over the limit, so a client that wants more to know that the
/// body is too large meets the deadline instead.
pub(in crate::conformance) fn the_first_byte_over_the_limit_is_enough(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    let limits = AMPLE.with_max_response_bytes(LIMIT).with_total_timeout(Duration::from_secs(5));
    let answer = Fault::respond(200).body(vec![b' '; 100_000]);
    for fault in [answer.clone(), answer.chunked()] {
        scene.emulator.push_fault(fault.drip_body(LIMIT + 1, AMPLE.total_timeout()));
        scene.sign_in_within(limits)?.failed(&[TooLarge])?.may_have_been_sent()?;
    }
    Ok(())
}

/// Passes on a system that does not tell how much memory a process has asked for.
pub(in crate::conformance) fn a_length_that_is_only_announced_reserves_nothing(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    let limits = AMPLE.with_max_response_bytes(usize::MAX);
    let mut reserved = 0;
    // What other threads ask for meanwhile counts, too, so one measurement alone says nothing.
    for announced in [4 * GIBIBYTE, 8 * GIBIBYTE] {
        // So that memory for an exchange as such is there, and the next has a connection of its own.
        scene.emulator.push_fault(Fault::pass().connection_close());
        scene.must_still_work()?;
        let Some((before, most_before)) = address_space() else { return Ok(()) };
        scene.emulator.push_fault(Fault::respond(200).content_length(announced).body("{}"));
        scene.sign_in_within(limits)?.failed(&[Protocol, TooLarge])?.may_have_been_sent()?;
        let Some((_, most)) = address_space() else { return Ok(()) };
        reserved = if most > most_before { most.saturating_sub(before) } else { 0 };
        if reserved < announced / 4 * 3 {
            return Ok(());
        }
    }
    Err(Violation::new(format!("{reserved} bytes were reserved for a body that did not come")))
}

/// The bytes of address space that this process has, and the most that it has ever had (proc(5)).
fn address_space() -> Option<(u64, u64)> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
    };
    Some((bytes("VmSize:")?, bytes("VmPeak:")?))
}

/// The rest of the body takes for ever, so a client that wants to see its end meets the deadline
/// instead.
pub(in crate::conformance) fn reading_stops_at_the_limit(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    for fault in
        [Fault::respond(200).body_of(GIBIBYTE), Fault::respond(200).body_of(GIBIBYTE).chunked()]
    {
        scene.emulator.push_fault(fault.drip_body(LIMIT, Duration::from_millis(100)));
        let limits =
            AMPLE.with_max_response_bytes(LIMIT).with_total_timeout(Duration::from_secs(5));
        scene.sign_in_within(limits)?.failed(&[TooLarge])?.may_have_been_sent()?;
    }
    Ok(())
}

/// What is decoded counts with its decoded size.
pub(in crate::conformance) fn a_bomb_does_not_go_off(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    // Three kilobytes, more or less.
    is_too_large(&scene, Fault::respond(200).body_of(3_000_000).gzip())?;
    scene.emulator.push_fault(Fault::respond(200).body_of(500_000).gzip());
    match scene.sign_in_within(AMPLE.with_max_response_bytes(LIMIT))?.0 {
        Ok(response) => {
            let bytes = response.body().len();
            ensure!(bytes <= LIMIT, "{bytes} bytes came where the limit is {LIMIT}");
        }
        Err(error) => ensure!(error.kind() == TooLarge, "the kind is {:?}", error.kind()),
    }
    Ok(())
}

pub(in crate::conformance) fn headers_without_end_are_an_error(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    for head in ["HTTP/1.1 200 OK\r\nx: ", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 ", ""] {
        scene.emulator.push_fault(Fault::raw(head).endless_body());
        scene.sign_in()?.failed(&[TooLarge, Protocol])?.may_have_been_sent()?;
    }
    Ok(())
}
