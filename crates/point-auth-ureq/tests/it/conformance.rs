//! The nine rules of the contract, each check as a separate test.

mod with_rustls {
    use point_auth_ureq::UreqTransport;

    point_auth_testkit::conformance! {
        blocking: |setup| UreqTransport::with_settings(setup.settings()),
        without http2: "ureq speaks HTTP/1.1 alone",
    }
}

#[cfg(feature = "native-tls")]
mod with_native_tls {
    use point_auth_testkit::conformance::Setup;
    use point_auth_transport::{TlsBackend, TransportSettings};
    use point_auth_ureq::UreqTransport;

    fn settings(setup: &Setup) -> TransportSettings {
        let tls = setup.settings().tls().clone().with_backend(TlsBackend::NativeTls);
        setup.settings().clone().with_tls(tls)
    }

    point_auth_testkit::conformance! {
        blocking: |setup| UreqTransport::with_settings(&settings(setup)),
        without http2: "ureq speaks HTTP/1.1 alone",
        without plain: "it has nothing to do with TLS",
        without large_request: "it has nothing to do with TLS",
        without truncation: "native-tls takes a connection that is cut for one that ended",
        without environment: "it has nothing to do with TLS",
        without keep_alive: "it has nothing to do with TLS",
        without idle: "it has nothing to do with TLS",
    }
}

/// ureq's default agent. All its settings would break a rule if the transport did not override
/// them.
mod with_a_brought_agent {
    use std::convert::Infallible;

    use point_auth_ureq::UreqTransport;
    use point_auth_ureq::ureq::Agent;

    point_auth_testkit::conformance! {
        blocking: |_| Ok::<_, Infallible>(UreqTransport::from_client(Agent::config_builder().proxy(None).build().into())),
        without http2: "ureq speaks HTTP/1.1 alone",
        without tls: "TLS is the agent's",
        without large_request: "ureq's own connector gives each part of a write the time that is left",
        without truncation: "TLS is the agent's",
        without mutual_tls: "TLS is the agent's",
        without proxy: "a brought agent has its own idea of proxies",
        without environment: "a brought agent has its own idea of proxies",
    }
}
