//! Rule 6 for certificates: a server without the right one gets no byte of the request.

use std::sync::Arc;

use point_auth_transport::TransportErrorKind::{Connect, Protocol, Tls};

use crate::conformance::bench::{AMPLE, Bench, Scene, setup, setup_with, sign_in_at};
use crate::conformance::canary;
use crate::conformance::candidate::ProxyChoice;
use crate::conformance::violation::{Outcome, Rule, Violation, ensure};
use crate::emulator::TlsVersion;
use crate::{Certificate, CertificateAuthority, Emulator, Fault};

pub(in crate::conformance) const RULE: Rule = Rule::Kinds;

pub(in crate::conformance) fn an_expired_certificate_is_refused(bench: &Bench<'_>) -> Outcome {
    is_refused(bench, Certificate::Expired)
}

pub(in crate::conformance) fn a_certificate_that_is_not_valid_yet_is_refused(
    bench: &Bench<'_>,
) -> Outcome {
    is_refused(bench, Certificate::NotYetValid)
}

pub(in crate::conformance) fn a_certificate_for_another_host_is_refused(
    bench: &Bench<'_>,
) -> Outcome {
    is_refused(bench, Certificate::WrongHost)
}

pub(in crate::conformance) fn a_self_signed_certificate_is_refused(bench: &Bench<'_>) -> Outcome {
    is_refused(bench, Certificate::SelfSigned)
}

pub(in crate::conformance) fn a_certificate_of_an_unknown_authority_is_refused(
    bench: &Bench<'_>,
) -> Outcome {
    is_refused(bench, Certificate::UnknownCa)
}

/// The chain is right, and the signature of the handshake is another key's. TLS 1.2 and 1.3 sign
/// different things, and clients check them in different places.
pub(in crate::conformance) fn a_certificate_without_its_key_is_refused(
    bench: &Bench<'_>,
) -> Outcome {
    for tls in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let emulator = bench.emulator_with(|b| b.tls(Certificate::OtherKey).tls_version(tls))?;
        refuses(bench, emulator).map_err(|violation| violation.when(format!("{tls:?}")))?;
    }
    Ok(())
}

fn is_refused(bench: &Bench<'_>, certificate: Certificate) -> Outcome {
    refuses(bench, bench.emulator_with(|builder| builder.tls(certificate))?)
}

fn refuses(bench: &Bench<'_>, emulator: Arc<Emulator>) -> Outcome {
    let transport = bench.transport_for(&emulator)?;
    let scene = Scene::new(emulator, transport)?;
    scene.sign_in()?.failed(&[Tls])?.not_sent()?;
    let bytes = scene.emulator.bytes_received();
    ensure!(bytes == 0, "the server got {bytes} bytes inside TLS");
    Ok(())
}

pub(in crate::conformance) fn an_end_without_the_goodbye_of_tls_is_protocol(
    bench: &Bench<'_>,
) -> Outcome {
    let scene = bench.scene()?;
    // An attacker that cuts the connection must not decide where the answer ends.
    let answer = r#"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{"access_token":"x"}"#
        .replace(r"\r\n", "\r\n");
    let length = answer.len() as u64;
    scene.emulator.push_fault(Fault::raw(answer + " and the rest of it").cut_after(length));
    scene.sign_in()?.failed(&[Protocol, Tls])?.may_have_been_sent()
}

pub(in crate::conformance) fn an_identity_is_shown_to_a_server_that_asks(
    bench: &Bench<'_>,
) -> Outcome {
    let emulator = bench.emulator_with(|builder| builder.require_client_certificate())?;
    let issued = emulator.authority().issue_client("point-auth client")?;
    let identity = (issued.certificate_pem(), issued.private_key_pem());
    let transport = bench.transport(&setup_with(
        Some(emulator.ca_pem()),
        Some(identity),
        ProxyChoice::None,
        None,
    )?)?;
    ensure!(
        canary::in_debug(transport.driver().transport()).is_none(),
        "the transport's Debug shows a canary"
    );
    let scene = Scene::new(emulator, transport)?;
    let response = scene.sign_in()?.response()?;
    ensure!(response.status() == 200, "it got {}", response.status());
    let requests = scene.emulator.requests();
    let shown = requests.first().and_then(|request| request.client_certificate());
    ensure!(
        shown == Some(issued.certificate_der()),
        "the server got no certificate, or another one"
    );
    Ok(())
}

/// In TLS 1.3 the server says so only after the client has sent its request, so it is open what was
/// sent, but never a response. With TLS 1.3 the server says so only after the handshake. For a
/// stack that cannot tell, the connection did not come about.
pub(in crate::conformance) fn no_identity_where_one_is_asked_for_is_an_error(
    bench: &Bench<'_>,
) -> Outcome {
    let emulator = bench.emulator_with(|builder| builder.require_client_certificate())?;
    let transport = bench.transport_for(&emulator)?;
    let scene = Scene::new(emulator, transport)?;
    scene.sign_in()?.failed(&[Tls, Protocol, Connect])?;
    ensure!(scene.posts() == 0, "the server took the request");
    Ok(())
}

pub(in crate::conformance) fn an_identity_of_another_authority_is_refused(
    bench: &Bench<'_>,
) -> Outcome {
    let emulator = bench.emulator_with(|builder| builder.require_client_certificate())?;
    let issued = CertificateAuthority::new()?.issue_client("point-auth client")?;
    let identity = (issued.certificate_pem(), issued.private_key_pem());
    let transport = bench.transport(&setup_with(
        Some(emulator.ca_pem()),
        Some(identity),
        ProxyChoice::None,
        None,
    )?)?;
    let scene = Scene::new(emulator, transport)?;
    scene.sign_in()?.failed(&[Tls, Protocol, Connect])?;
    ensure!(scene.posts() == 0, "the server took the request");
    Ok(())
}

pub(in crate::conformance) fn a_key_of_another_certificate_makes_no_transport(
    bench: &Bench<'_>,
) -> Outcome {
    let emulator = bench.emulator()?;
    let (one, other) =
        (emulator.authority().issue_client("one")?, emulator.authority().issue_client("other")?);
    let identity = (one.certificate_pem(), other.private_key_pem());
    let setup = setup_with(Some(emulator.ca_pem()), Some(identity), ProxyChoice::None, None)?;
    match bench.candidate().make(&setup) {
        Ok(_) => Err(Violation::new("a certificate and the key of another one make a transport")),
        Err(_) => Ok(()),
    }
}

pub(in crate::conformance) fn a_transport_that_was_refused_once_is_still_refused(
    bench: &Bench<'_>,
) -> Outcome {
    let good = bench.emulator()?;
    let transport = bench.transport(&setup(&good)?)?;
    let bad = bench.emulator_with(|builder| builder.tls(Certificate::UnknownCa))?;
    let good = Scene::new(good, transport)?;
    for _ in 0..2 {
        // TLS sessions of the one must be no ticket to the other.
        good.must_still_work()?;
        let base = crate::conformance::bench::base(&bad.base_url())?;
        good.transport.send(sign_in_at(&base)?, AMPLE)?.failed(&[Tls, Connect])?.not_sent()?;
    }
    ensure!(bad.bytes_received() == 0, "the server got {} bytes inside TLS", bad.bytes_received());
    Ok(())
}
