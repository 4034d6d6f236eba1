//! The proxy that makes the way to a server slow, narrow or short.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use point_auth_testkit::{
    ClosedPort, Cut, Direction, Emulator, FaultProxy, Flow, LinkFaults, Operation, RawBehavior,
    RawServer,
};

use crate::client::{Client, PASSWORD, PATIENCE, USER, emulator, tcp, tls, trusting};

const BRIEF: Duration = Duration::from_millis(50);

fn to_server(flow: Flow) -> LinkFaults {
    LinkFaults::new().with(Direction::ToServer, flow)
}

fn to_client(flow: Flow) -> LinkFaults {
    LinkFaults::new().with(Direction::ToClient, flow)
}

fn proxy_to(server: &RawServer) -> FaultProxy {
    FaultProxy::start(server.addr()).unwrap()
}

/// What could be read before the end, and whether the end was a proper one.
fn rest(stream: &mut TcpStream) -> (Vec<u8>, io::Result<()>) {
    let mut read = Vec::new();
    let end = stream.read_to_end(&mut read).map(drop);
    (read, end)
}

/// One side of a connection through a proxy, and the other: client and server.
fn both_ends(faults: LinkFaults) -> (FaultProxy, TcpStream, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let proxy = FaultProxy::start(listener.local_addr().unwrap()).unwrap();
    proxy.push_faults(faults);
    let client = tcp(proxy.addr());
    let server = listener.accept().unwrap().0;
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    (proxy, client, server)
}

#[test]
fn without_faults_all_passes_as_it_came() {
    let emulator = emulator();
    let proxy = FaultProxy::start(emulator.addr()).unwrap();
    assert_eq!(proxy.target(), emulator.addr());
    let mut client = Client::tcp(proxy.addr());
    assert_eq!(client.sign_in().status, 200);
    assert_eq!(client.sign_in().status, 200);
    assert_eq!((proxy.connections(), proxy.open_connections(), proxy.cuts()), (1, 1, 0));
    assert_eq!(proxy.bytes_passed(Direction::ToServer), emulator.bytes_received());
    drop(client);
    assert!(proxy.wait_for_closed_connections(1, PATIENCE));
    assert!(emulator.wait_until_no_connection_is_open(PATIENCE));
}

#[test]
fn what_passes_is_recorded_for_each_connection_and_each_direction() {
    let server = RawServer::start(RawBehavior::Answer("an answer".into())).unwrap();
    let proxy = proxy_to(&server);
    for request in ["one", "another"] {
        let mut client = Client::tcp(proxy.addr());
        client.write(request);
        assert_eq!(client.read_to_end().unwrap(), b"an answer");
    }
    let links = proxy.links();
    assert_eq!(links.len(), 2);
    assert_eq!(links[0].passed(Direction::ToServer), b"one");
    assert_eq!(links[1].passed(Direction::ToServer), b"another");
    assert_eq!(links[1].passed(Direction::ToClient), b"an answer");
    assert_eq!(proxy.links_since(1)[0].bytes_passed(Direction::ToServer), 7);
    assert_eq!(proxy.bytes_passed(Direction::ToServer), 10);
    assert_eq!(proxy.bytes_passed(Direction::ToClient), 18);
    let shown = format!("{proxy:?} {links:?}");
    assert!(!shown.contains("answer") && !shown.contains("another"), "{shown}");
}

#[test]
fn tls_passes_with_the_certificate_of_the_server() {
    let emulator = Emulator::builder().user(USER, PASSWORD).with_tls().start().unwrap();
    let proxy = FaultProxy::start(emulator.addr()).unwrap();
    let mut client = Client::over(tls(proxy.addr(), trusting(emulator.ca_der()), "localhost"));
    let answer = client.sign_in();
    assert_eq!(answer.status, 200);
    let token = answer.text("access_token");
    let back = proxy.links()[0].passed(Direction::ToClient).to_vec();
    assert!(
        back.len() > token.len()
            && !back.windows(token.len()).any(|bytes| bytes == token.as_bytes())
    );
}

#[test]
fn a_close_ends_both_sides_after_exactly_so_many_bytes() {
    for count in [0, 1, 5, 9] {
        let (proxy, mut client, mut server) =
            both_ends(to_server(Flow::new().cut_after(count as u64, Cut::Close)));
        if count > 0 {
            client.write_all(b"123456789").unwrap();
        }
        let (received, end) = rest(&mut server);
        end.unwrap();
        assert_eq!(received, &b"123456789"[..count]);
        let (received, end) = rest(&mut client);
        end.unwrap();
        assert_eq!(received, b"");
        assert!(proxy.wait_for_cuts(1, PATIENCE));
        assert_eq!(proxy.bytes_passed(Direction::ToServer), count as u64);
        if count > 0 {
            assert_eq!(proxy.bytes_arrived(Direction::ToServer), 9);
        }
    }
}

#[test]
fn a_reset_ends_both_sides_after_exactly_so_many_bytes() {
    for count in [0, 1, 5, 9] {
        let (proxy, mut client, mut server) =
            both_ends(to_client(Flow::new().cut_after(count as u64, Cut::Reset)));
        // Into a connection that is gone already, perhaps. The system tells of a reset once.
        let written = server.write_all(b"123456789");
        assert!(proxy.wait_for_cuts(1, PATIENCE));
        assert_eq!(proxy.bytes_passed(Direction::ToClient), count as u64);
        let (received, end) = rest(&mut client);
        assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert!(b"123456789"[..count].starts_with(&received));
        let (_, end) = rest(&mut server);
        let kind = written.and(end).unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{kind}");
        assert!(proxy.wait_for_closed_connections(1, PATIENCE));
    }
}

#[test]
fn silence_swallows_one_direction_and_ends_no_connection() {
    let (proxy, mut client, mut server) =
        both_ends(to_server(Flow::new().cut_after(3, Cut::Silence)));
    client.write_all(b"123456").unwrap();
    let mut received = [0; 3];
    server.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"123");

    // The other direction goes on.
    server.write_all(b"still there?").unwrap();
    let mut received = [0; 12];
    client.read_exact(&mut received).unwrap();
    client.write_all(b"yes").unwrap();
    server.set_read_timeout(Some(BRIEF)).unwrap();
    let error = server.read(&mut [0; 16]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    assert_eq!((proxy.bytes_passed(Direction::ToServer), proxy.cuts()), (3, 0));

    // And when the client leaves, so does the connection.
    drop(client);
    assert!(proxy.wait_for_closed_connections(1, PATIENCE));
}

#[test]
fn silence_swallows_the_end_too() {
    let silent =
        LinkFaults::new().with(Direction::ToClient, Flow::new().cut_after(0, Cut::Silence));
    let (proxy, mut client, server) = both_ends(silent);
    drop(server);
    client.set_read_timeout(Some(BRIEF)).unwrap();
    let error = client.read(&mut [0; 16]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");

    drop(client);
    assert!(proxy.wait_for_closed_connections(1, PATIENCE));
}

#[test]
fn an_end_in_one_direction_leaves_the_other_open() {
    let (_proxy, mut client, mut server) = both_ends(LinkFaults::new());
    client.write_all(b"request").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let (received, end) = rest(&mut server);
    end.unwrap();
    assert_eq!(received, b"request");
    server.write_all(b"answer").unwrap();
    drop(server);
    assert_eq!(rest(&mut client).0, b"answer");
}

#[test]
fn a_reset_by_one_side_reaches_the_other_as_one() {
    let server = RawServer::start(RawBehavior::Reset).unwrap();
    let proxy = proxy_to(&server);
    let error = Client::tcp(proxy.addr()).read_to_end().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(proxy.cuts(), 0);
}

#[test]
fn slices_arrive_one_by_one() {
    let slices = Flow::new().slices_of(2).pause(Duration::from_millis(5));
    let (_proxy, mut client, mut server) = both_ends(to_client(slices));
    server.write_all(b"123456789").unwrap();
    drop(server);
    let mut pieces = Vec::new();
    let mut buffer = [0; 16];
    while let count @ 1.. = client.read(&mut buffer).unwrap() {
        pieces.push(buffer[..count].to_vec());
    }
    assert_eq!(pieces.concat(), b"123456789");
    // On a busy machine some of them come together.
    assert!(pieces.len() > 1, "{pieces:?}");
}

#[test]
fn a_stall_lets_the_senders_buffers_fill_up_and_loses_nothing() {
    const MUCH: usize = 32 * 1024 * 1024;
    let (proxy, client, mut server) = both_ends(to_server(Flow::new().cut_after(5, Cut::Stall)));
    let mut received = [0; 5];
    client.set_write_timeout(Some(BRIEF)).unwrap();
    let mut sent = 0;
    let error = loop {
        match (&client).write(&[7; 64 * 1024]) {
            Ok(count) => sent += count,
            Err(error) => break error,
        }
        assert!(sent < MUCH, "it is all read");
    };
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error:?}");
    server.read_exact(&mut received).unwrap();
    assert_eq!(proxy.bytes_passed(Direction::ToServer), 5);

    // The other direction goes on.
    server.write_all(b"answer").unwrap();
    (&client).read_exact(&mut [0; 6]).unwrap();

    proxy.clear_faults();
    drop(client);
    assert_eq!(rest(&mut server).0.len(), sent - 5);
}

#[test]
fn one_byte_a_write_loses_nothing() {
    let emulator = emulator();
    let proxy = FaultProxy::start(emulator.addr()).unwrap();
    let slices = Flow::new().slices_of(1);
    proxy.set_faults(to_server(slices).with(Direction::ToClient, slices));
    assert_eq!(Client::tcp(proxy.addr()).sign_in().status, 200);
    assert_eq!(emulator.count(Operation::SignIn), 1);
}

#[test]
fn latency_holds_back_what_passes() {
    let (_proxy, mut client, mut server) = both_ends(to_server(Flow::new().latency(BRIEF)));
    let started = Instant::now();
    client.write_all(b"x").unwrap();
    server.read_exact(&mut [0]).unwrap();
    assert!(started.elapsed() >= BRIEF);
}

#[test]
fn bandwidth_holds_back_what_is_much() {
    let (_proxy, mut client, server) = both_ends(to_client(Flow::new().bandwidth(100_000)));
    let started = Instant::now();
    let sending = thread::spawn(move || (&server).write_all(&[7; 20_000]));
    client.read_exact(&mut [0; 20_000]).unwrap();
    sending.join().unwrap().unwrap();
    // The last portion is there before its time is over.
    assert!(started.elapsed() >= Duration::from_millis(140));
}

#[test]
fn a_slow_close_is_a_close_after_all() {
    let (_proxy, mut client, mut server) = both_ends(to_client(Flow::new().slow_close(BRIEF)));
    server.write_all(b"answer").unwrap();
    drop(server);
    let mut received = [0; 6];
    client.read_exact(&mut received).unwrap();
    let started = Instant::now();
    rest(&mut client).1.unwrap();
    // Some of it may have gone by before the first read returned.
    assert!(started.elapsed() >= BRIEF / 5);
}

#[test]
fn pushed_faults_are_for_one_connection_each() {
    let server = RawServer::start(RawBehavior::Send("greetings".into())).unwrap();
    let proxy = proxy_to(&server);
    for count in [2, 4] {
        proxy.push_faults(to_client(Flow::new().cut_after(count, Cut::Close)));
    }
    assert_eq!(proxy.pending_faults(), 2);
    assert_eq!(Client::tcp(proxy.addr()).read_to_end().unwrap(), b"gr");
    assert_eq!(Client::tcp(proxy.addr()).read_to_end().unwrap(), b"gree");
    assert_eq!(proxy.pending_faults(), 0);
    assert_eq!(Client::tcp(proxy.addr()).take(9).unwrap(), b"greetings");
}

#[test]
fn faults_can_be_set_for_all_and_lifted_again() {
    let server = RawServer::start(RawBehavior::Send("greetings".into())).unwrap();
    let proxy = proxy_to(&server);
    proxy.set_faults(to_client(Flow::new().cut_after(1, Cut::Close)));
    proxy.push_faults(to_client(Flow::new().cut_after(2, Cut::Close)));
    for expected in ["gr", "g", "g"] {
        assert_eq!(Client::tcp(proxy.addr()).read_to_end().unwrap(), expected.as_bytes());
    }
    proxy.push_faults(to_client(Flow::new().cut_after(2, Cut::Close)));
    proxy.clear_faults();
    assert_eq!(proxy.pending_faults(), 0);
    assert_eq!(Client::tcp(proxy.addr()).take(9).unwrap(), b"greetings");
}

#[test]
fn an_open_connection_can_be_given_faults_and_its_bytes_count_from_then() {
    let emulator = emulator();
    let proxy = FaultProxy::start(emulator.addr()).unwrap();
    let mut client = Client::tcp(proxy.addr());
    client.sign_in();
    proxy.set_faults_of_open_connections(to_client(Flow::new().cut_after(12, Cut::Close)));
    client.send_sign_in();
    assert_eq!(client.read_to_end().unwrap(), b"HTTP/1.1 200");
    assert_eq!(emulator.count(Operation::SignIn), 2);

    // Others have none.
    let mut client = Client::tcp(proxy.addr());
    assert_eq!(client.sign_in().status, 200);
    // With none to wait for the connection ends at once.
    proxy.set_faults_of_open_connections(to_client(Flow::new().cut_after(0, Cut::Reset)));
    assert_eq!(client.read_to_end().unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_target_that_is_not_there_is_a_reset() {
    let gone = ClosedPort::reserve().unwrap();
    let proxy = FaultProxy::start(gone.addr()).unwrap();
    let error = Client::tcp(proxy.addr()).read_to_end().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn it_leads_to_loopback_and_nowhere_else() {
    let error = FaultProxy::start(([192, 0, 2, 1], 443).into()).unwrap_err();
    assert_eq!(error.to_string(), "192.0.2.1 is not a loopback address");
}

#[test]
fn a_dropped_proxy_takes_its_connections_with_it() {
    let (proxy, mut client, mut server) = both_ends(LinkFaults::new());
    let address = proxy.addr();
    assert!(proxy.wait_for_connections(1, PATIENCE));
    drop(proxy);
    rest(&mut client).1.unwrap();
    rest(&mut server).1.unwrap();
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn what_passes_can_be_waited_for() {
    let (proxy, mut client, _server) = both_ends(LinkFaults::new());
    assert!(!proxy.wait_for_bytes(Direction::ToServer, 1, BRIEF));
    client.write_all(b"123").unwrap();
    assert!(proxy.wait_for_bytes(Direction::ToServer, 3, PATIENCE));
}
