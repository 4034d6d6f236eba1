//! What a transport must not remember of an exchange: cookies, credentials, copies of answers, other
//! places.

use http::Request;
use http::header::AUTHORIZATION;
use point_auth_core::SecretBody;

use super::compare;
use crate::Fault;
use crate::conformance::bench::{AMPLE, Bench, Scene, sign_in_at};
use crate::conformance::requests::Kind;
use crate::conformance::violation::{Outcome, Violation, ensure};

/// What it is called, the status, and the headers.
type Memorable = (&'static str, u16, &'static [(&'static str, &'static str)]);

/// What an answer can say for the next request: cookies, challenges, copies to keep, other places.
const MEMORABLE: [Memorable; 6] = [
    ("a cookie", 200, &[("set-cookie", "canary=canary-cookie; Path=/; Max-Age=3600")]),
    ("a cookie for the host", 404, &[("set-cookie", "__Host-canary=canary; Path=/; Secure")]),
    ("a challenge", 401, &[("www-authenticate", "Basic realm=\"x\", Bearer realm=\"x\"")]),
    ("a challenge", 401, &[("www-authenticate", "Digest realm=\"x\", nonce=\"y\", qop=\"auth\"")]),
    (
        "an answer to keep",
        200,
        &[
            ("cache-control", "public, max-age=3600"),
            ("etag", "\"1\""),
            ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("accept-ch", "Sec-CH-UA, Width"),
        ],
    ),
    ("a redirect for good", 308, &[("location", "/elsewhere"), ("cache-control", "max-age=3600")]),
];

/// One transport serves all users of a program.
pub(in crate::conformance) fn nothing_of_an_exchange_is_in_the_next(bench: &Bench<'_>) -> Outcome {
    let scene = bench.scene()?;
    let other = bench.emulator()?;
    let alternative = format!("h2=\":{0}\", http/1.1=\":{0}\"; ma=3600", other.addr().port());
    for (name, status, headers) in MEMORABLE {
        let mut fault = Fault::respond(status).body("{}").header("alt-svc", &alternative);
        for (header, value) in headers {
            fault = fault.header(header, value);
        }
        // The first of each pair is answered so. The second must not be another for that.
        let pairs = [
            [Kind::GET.request(&scene.base)?, Kind::GET.request(&scene.base)?],
            [Kind::GET.request(&scene.base)?, sign_in_at(&scene.base)?],
            [sign_in_at(&scene.base)?, without_token(&scene)?],
        ];
        for [first, second] in pairs {
            scene.emulator.push_fault(fault.clone());
            scene.emulator.push_fault(Fault::respond(200).body("another"));
            let when = |violation: Violation| violation.when(format!("after {name}"));
            let before = scene.arrived();
            scene.transport.send(first, AMPLE)?.response().map_err(when)?;
            let response = scene.transport.send(second.clone(), AMPLE)?.response().map_err(when)?;
            let requests = scene.emulator.requests();
            let Some([_, arrived]) = requests.get(before..) else {
                let arrived = requests.len() - before;
                return Err(Violation::new(format!(
                    "after {name}, {arrived} requests arrived of 2"
                )));
            };
            compare(&second, arrived).map_err(when)?;
            ensure!(
                response.body().as_ref() == b"another",
                "the answer is not the server's own, after {name}"
            );
        }
    }
    ensure!(other.connections() == 0, "another server was connected to, which Alt-Svc named");
    Ok(())
}

/// A GET for a user that is not signed in.
fn without_token(scene: &Scene) -> Result<Request<SecretBody>, Violation> {
    let mut request = Kind::GET.request(&scene.base)?;
    request.headers_mut().remove(AUTHORIZATION);
    Ok(request)
}
