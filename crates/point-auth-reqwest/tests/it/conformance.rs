//! The nine rules of the contract, each check a test of its own.

mod wrong;
mod with_rustls {
    use point_auth_reqwest::ReqwestTransport;

    point_auth_testkit::conformance! {
        async: |setup| ReqwestTransport::with_settings(setup.settings()),
    }
}

#[cfg(feature = "native-tls")]
mod with_native_tls {
    use point_auth_reqwest::ReqwestTransport;
    use point_auth_testkit::conformance::Setup;
    use point_auth_transport::{TlsBackend, TransportSettings};

    fn settings(setup: &Setup) -> TransportSettings {
        let tls = setup.settings().tls().clone().with_backend(TlsBackend::NativeTls);
        setup.settings().clone().with_tls(tls)
    }

    point_auth_testkit::conformance! {
        async: |setup| ReqwestTransport::with_settings(&settings(setup)),
        without plain: "it has nothing to do with TLS",
        without truncation: "native-tls takes a connection that is cut for one that ended",
        without environment: "it has nothing to do with TLS",
        without keep_alive: "it has nothing to do with TLS",
        without idle: "it has nothing to do with TLS",
        without cancellation: "it has nothing to do with TLS",
    }
}
