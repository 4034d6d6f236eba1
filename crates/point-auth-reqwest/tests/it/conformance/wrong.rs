//! The suite can fail where it takes TLS, HTTP/2 or a proxy to: clients and settings that are wrong
//! in one way.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::{Request, Response};
use point_auth_core::SecretBody;
use point_auth_reqwest::ReqwestTransport;
use point_auth_testkit::conformance::{
    Candidate, ProxyChoice, Rule, Setup, SweepExtent, SweptConnection, Wire, checks, sweep,
    sweep_silence,
};
use point_auth_transport::{
    AsyncTransport, ProxySettings, Roots, SendLimits, SettingsError, TlsSettings, TransportError,
    TransportErrorKind, TransportSettings, async_trait,
};
use reqwest::{Client, ClientBuilder, Proxy, redirect};
use rustls::ProtocolVersion;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::verifiers::{ChecksNothing, TrustsAnySignature};

/// The checks of this rule in this group that a transport fails, and the rules by which it does.
fn failed(
    group: &str,
    rule: Rule,
    make: impl Fn(&Setup) -> Result<ReqwestTransport, SettingsError> + Send + Sync + 'static,
) -> (BTreeSet<&'static str>, BTreeSet<Rule>) {
    failed_by(group, rule, &Candidate::r#async(make))
}

fn failed_by(
    group: &str,
    rule: Rule,
    candidate: &Candidate,
) -> (BTreeSet<&'static str>, BTreeSet<Rule>) {
    let checks =
        checks().into_iter().filter(|check| check.group() == group && check.rule() == rule);
    checks
        .filter_map(|check| {
            check.run(candidate).err().map(|violation| (check.name(), violation.rule()))
        })
        .unzip()
}

/// A client that knows nothing of the rules, but trusts the emulator and follows no redirect.
fn builder(setup: &Setup) -> ClientBuilder {
    let rustls = setup.settings().tls().rustls_client_config().unwrap();
    Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .tls_backend_preconfigured(rustls)
}

fn brought(builder: ClientBuilder) -> ReqwestTransport {
    ReqwestTransport::from_client(builder.build().unwrap())
}

#[test]
fn a_client_that_redirects_is_found_over_tls() {
    let (names, rules) = failed("tls", Rule::NoRedirect, |setup| {
        Ok(brought(builder(setup).redirect(redirect::Policy::limited(5))))
    });
    assert!(names.contains("a_redirect_to_the_other_scheme_is_handed_back"), "{names:?}");
    assert!(names.contains("a_redirect_to_another_host_is_handed_back"), "{names:?}");
    assert_eq!(rules, BTreeSet::from([Rule::NoRedirect]), "{names:?}");
}

#[test]
fn a_client_that_checks_no_certificate_is_found() {
    let (names, rules) = failed("tls", Rule::Kinds, |setup| {
        let mut config = setup.settings().tls().rustls_client_config()?;
        config.dangerous().set_certificate_verifier(Arc::new(ChecksNothing));
        Ok(brought(builder(setup).tls_backend_preconfigured(config)))
    });
    for name in [
        "an_expired_certificate_is_refused",
        "a_certificate_that_is_not_valid_yet_is_refused",
        "a_certificate_for_another_host_is_refused",
        "a_self_signed_certificate_is_refused",
        "a_certificate_of_an_unknown_authority_is_refused",
        "a_certificate_without_its_key_is_refused",
        "a_transport_that_was_refused_once_is_still_refused",
    ] {
        assert!(names.contains(name), "{name} is not among {names:?}");
    }
    assert_eq!(rules, BTreeSet::from([Rule::Kinds]), "{names:?}");
}

#[test]
fn a_transport_that_ignores_the_proxy_is_found() {
    let (names, _) = failed("proxy", Rule::Proxies, |setup| {
        let settings = setup.settings().clone().with_proxy(ProxySettings::none());
        ReqwestTransport::with_settings(&settings)
    });
    assert!(names.contains("a_proxy_tunnels_and_alone_knows_the_host"), "{names:?}");
    assert!(names.contains("a_proxy_that_wants_credentials_gets_them"), "{names:?}");
}

#[test]
fn a_transport_that_proxies_loopback_is_found() {
    let (names, rules) = failed("proxy", Rule::Proxies, |setup| {
        Ok(match setup.proxy() {
            ProxyChoice::Url(url) => brought(builder(setup).proxy(Proxy::all(url).unwrap())),
            _ => brought(builder(setup)),
        })
    });
    assert!(names.contains("loopback_is_never_proxied"), "{names:?}");
    assert!(names.contains("what_no_proxy_lists_is_reached_without"), "{names:?}");
    assert!(rules.contains(&Rule::Proxies), "{rules:?}");
}

/// Has another transport for some of the requests, or for another try.
#[derive(Debug)]
struct Two {
    one: ReqwestTransport,
    other: ReqwestTransport,
    takes_the_other: fn(&Request<SecretBody>) -> bool,
    falls_back: bool,
}

#[async_trait]
impl AsyncTransport for Two {
    async fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        if (self.takes_the_other)(&request) {
            return self.other.send(request, limits).await;
        }
        match self.one.send(request.clone(), limits).await {
            Err(error) if self.falls_back && error.kind() == TransportErrorKind::Connect => {
                self.other.send(request, limits).await
            }
            outcome => outcome,
        }
    }
}

/// Keeps to the settings, and has another one that knows no proxy.
fn two(setup: &Setup) -> Result<(ReqwestTransport, ReqwestTransport), SettingsError> {
    let settings = setup.settings();
    let direct = settings.clone().with_proxy(ProxySettings::none());
    Ok((ReqwestTransport::with_settings(settings)?, ReqwestTransport::with_settings(&direct)?))
}

#[test]
fn a_transport_that_leaves_the_proxy_out_for_a_get_is_found() {
    let candidate = Candidate::r#async(|setup| {
        two(setup).map(|(one, other)| Two {
            one,
            other,
            takes_the_other: |request| request.method() == http::Method::GET,
            falls_back: false,
        })
    });
    let (names, _) = failed_by("proxy", Rule::Proxies, &candidate);
    let expected =
        ["requests_of_other_kinds_go_through_the_proxy", "no_failure_of_the_proxy_leads_around_it"];
    assert_eq!(names, BTreeSet::from(expected));
}

#[test]
fn a_transport_that_goes_around_a_proxy_that_fails_is_found() {
    let candidate = Candidate::r#async(|setup| {
        two(setup).map(|(one, other)| Two {
            one,
            other,
            takes_the_other: |_| false,
            falls_back: true,
        })
    });
    let (names, _) = failed_by("proxy", Rule::Proxies, &candidate);
    assert_eq!(names, BTreeSet::from(["no_failure_of_the_proxy_leads_around_it"]));
}

#[test]
fn a_client_that_does_not_check_who_has_the_key_is_found() {
    for version in [ProtocolVersion::TLSv1_2, ProtocolVersion::TLSv1_3] {
        let (names, _) = failed("tls", Rule::Kinds, move |setup| {
            let mut roots = rustls::RootCertStore::empty();
            let pem = setup.root_certificate_pem().unwrap().as_bytes();
            roots.add(CertificateDer::from_pem_slice(pem).unwrap()).unwrap();
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let chain = WebPkiServerVerifier::builder_with_provider(roots.into(), provider);
            let verifier = TrustsAnySignature { chain: chain.build().unwrap(), of: version };
            let mut config = setup.settings().tls().rustls_client_config()?;
            config.dangerous().set_certificate_verifier(Arc::new(verifier));
            Ok(brought(builder(setup).tls_backend_preconfigured(config)))
        });
        assert_eq!(names, BTreeSet::from(["a_certificate_without_its_key_is_refused"]));
    }
}

#[test]
fn a_transport_that_shows_no_identity_is_found() {
    let (names, _) = failed("mutual_tls", Rule::Kinds, |setup| {
        let pem = setup.root_certificate_pem().unwrap().as_bytes();
        let tls = TlsSettings::new().with_roots(Roots::ExtraOnly);
        let settings = TransportSettings::new().with_tls(tls.with_extra_roots_pem(pem)?);
        ReqwestTransport::with_settings(&settings)
    });
    assert!(names.contains("an_identity_is_shown_to_a_server_that_asks"), "{names:?}");
    assert!(names.contains("a_key_of_another_certificate_makes_no_transport"), "{names:?}");
}

/// Tries again whatever the protocol would let it.
#[derive(Debug)]
struct TriesAgain(ReqwestTransport);

#[async_trait]
impl AsyncTransport for TriesAgain {
    async fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        match self.0.send(request.clone(), limits).await {
            Err(error) if error.kind() == TransportErrorKind::Protocol => {
                self.0.send(request, limits).await
            }
            outcome => outcome,
        }
    }
}

#[test]
fn a_transport_that_tries_again_is_found_over_http_2() {
    let candidate = Candidate::r#async(|setup| {
        ReqwestTransport::with_settings(setup.settings()).map(TriesAgain)
    });
    let (names, _) = failed_by("http2", Rule::SentOnce, &candidate);
    for name in [
        "a_goaway_that_says_nothing_was_processed_is_not_believed",
        "a_refused_stream_is_not_tried_again",
        "a_stream_that_wants_http_1_is_not_tried_again",
        "a_pooled_connection_that_closes_under_the_request_ends_it",
        "a_request_without_an_answer_is_sent_once",
    ] {
        assert!(names.contains(name), "{name} is not among {names:?}");
    }
}

#[test]
fn a_transport_that_tries_again_is_found_by_the_sweep_over_tls() {
    let candidate = Candidate::r#async(|setup| {
        ReqwestTransport::with_settings(setup.settings()).map(TriesAgain)
    });
    for (wire, connection) in
        [(Wire::Tls, SweptConnection::New), (Wire::Http2, SweptConnection::Kept)]
    {
        let violation = sweep(&candidate, wire, connection, SweepExtent::Most).unwrap_err();
        assert_eq!(violation.rule(), Rule::SentOnce, "{violation}");
    }
}

/// Knows no limit but the deadline, or goes on when the connect limit is over.
#[derive(Debug)]
struct ConnectsForLong {
    transport: ReqwestTransport,
    goes_on: bool,
}

#[async_trait]
impl AsyncTransport for ConnectsForLong {
    async fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        let transport = self.transport.clone();
        let long = limits.with_connect_timeout(limits.total_timeout());
        let exchange = tokio::spawn(async move { transport.send(request, &long).await });
        if !self.goes_on {
            return exchange.await.unwrap();
        }
        match tokio::time::timeout(limits.connect_timeout(), exchange).await {
            Ok(answer) => answer.unwrap(),
            Err(_) => Err(TransportError::new(TransportErrorKind::Timeout).not_sent()),
        }
    }
}

#[test]
fn a_transport_without_a_connect_limit_for_tls_is_found() {
    for (goes_on, check) in [
        (false, "a_tls_handshake_that_hangs_meets_the_connect_limit"),
        (true, "what_was_not_sent_is_not_sent_later"),
    ] {
        let candidate = Candidate::r#async(move |setup| {
            ReqwestTransport::with_settings(setup.settings())
                .map(|transport| ConnectsForLong { transport, goes_on })
        });
        let check = checks().into_iter().find(|it| it.group() == "tls" && it.name() == check);
        let violation = check.unwrap().run(&candidate).unwrap_err();
        assert_eq!(violation.rule(), Rule::Deadline, "{violation}");
    }
}

/// Knows no more of a request that nothing came of than that nothing came of it.
#[derive(Debug)]
struct TakesSilenceForNothing(ReqwestTransport);

#[async_trait]
impl AsyncTransport for TakesSilenceForNothing {
    async fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        self.0.send(request, limits).await.map_err(|error| match error.kind() {
            TransportErrorKind::Timeout => error.not_sent(),
            _ => error,
        })
    }
}

#[test]
fn a_transport_that_takes_silence_for_nothing_sent_is_found_over_tls() {
    let candidate = Candidate::r#async(|setup| {
        ReqwestTransport::with_settings(setup.settings()).map(TakesSilenceForNothing)
    });
    for wire in [Wire::Tls, Wire::Http2] {
        let violation =
            sweep_silence(&candidate, wire, SweptConnection::Kept, SweepExtent::Most).unwrap_err();
        assert_eq!(violation.rule(), Rule::Kinds, "{violation}");
        assert!(violation.to_string().contains("cut by silence after "), "{violation}");
    }
}
