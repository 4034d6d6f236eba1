//! How much memory the proxy takes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;

use point_auth_testkit::{Fault, Operation};

use crate::clients::{get_unix, head};
use crate::running::{LONG, Program, World};

const MIB: u64 = 1024 * 1024;

/// The memory that a process holds, in bytes; `None` where the system does not say.
fn held(proxy: &Program) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", proxy.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes * 1024)
}

/// The promise is about the program that people install. Without optimization the same futures and
/// calls take more.
const MOST: u64 = if cfg!(debug_assertions) { 64 * MIB } else { 50 * MIB };

#[test]
fn a_thousand_slow_clients_hold_at_most_50_mib() {
    let world = World::new("slow");
    let socket = world.path("run/proxy.sock");
    let proxy = world.start(&["--unix", &socket, "--max-connections", "1100"]);
    world.emulator.always_for(Operation::Other, Fault::respond(200).body_of(MIB));
    assert!(get_unix(&proxy, &socket, "/loans").contains(" 200 "));
    let Some(before) = held(&proxy) else { return };
    // A third has not sent its head, a third not its body, and a third reads no response.
    let slow: Vec<UnixStream> = (0..999)
        .map(|number| {
            let mut stream = UnixStream::connect(&socket).unwrap();
            let begin = match number % 3 {
                0 => head("/loans", &"X: y\r\n".repeat(80))[..500].to_owned(),
                1 => format!(
                    "POST /loans HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{}",
                    "x".repeat(8 * 1024)
                ),
                _ => head("/loans", ""),
            };
            stream.write_all(begin.as_bytes()).unwrap();
            stream
        })
        .collect();
    // Those of the last third have the beginning of their response, and all others have been read.
    for stream in slow.iter().skip(2).step_by(3) {
        stream.set_read_timeout(Some(LONG)).unwrap();
        let mut first = [0; 1];
        (&mut &*stream).read_exact(&mut first).unwrap();
    }
    assert!(world.emulator.wait_for_connections(666, LONG));
    let during = held(&proxy).unwrap();
    let taken = during.saturating_sub(before) / MIB;
    println!("{} MiB before, {taken} MiB more with slow clients", before / MIB);
    assert!(during < before + MOST, "{taken} MiB");
    // Others are served.
    drop(slow);
    let answer = get_unix(&proxy, &socket, "/loans");
    assert!(answer.contains(" 200 "), "{answer:.300}");
    proxy.ends_on_sigterm();
}

#[test]
fn memory_is_flat_over_many_requests() {
    let world = World::new("flat");
    let socket = world.path("run/proxy.sock");
    let proxy = world.start(&["--unix", &socket]);
    let stream = UnixStream::connect(&socket).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    let mut reading = BufReader::new(stream.try_clone().unwrap());
    let mut writing = &stream;
    let mut ask = |count: usize| {
        for _ in 0..count {
            writing.write_all(b"GET /loans HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                assert!(reading.read_line(&mut line).unwrap() > 0);
            }
            let mut body = [0; "from the API".len()];
            reading.read_exact(&mut body).unwrap();
        }
    };
    ask(1_000);
    let Some(before) = held(&proxy) else { return };
    ask(5_000);
    let after = held(&proxy).unwrap();
    assert!(after < before + 2 * MIB, "{} KiB more", (after - before) / 1024);
    proxy.ends_on_sigterm();
}
