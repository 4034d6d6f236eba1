//! The nine rules of the contract, each check as a separate test.

mod verifiers;
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

/// A client of a typical program, with the settings that the table in the crate's documentation
/// asks for.
#[cfg(feature = "rustls")]
mod with_a_brought_client {
    use std::time::Duration;

    use point_auth_reqwest::ReqwestTransport;
    use point_auth_testkit::conformance::Setup;
    use point_auth_transport::{LONGEST_IDLE, SettingsError};

    fn brought(setup: &Setup) -> Result<ReqwestTransport, SettingsError> {
        let mut config = setup.settings().tls().rustls_client_config()?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_idle_timeout(LONGEST_IDLE)
            .http2_keep_alive_interval(Duration::from_secs(2))
            .http2_keep_alive_timeout(Duration::from_secs(3))
            .tls_backend_preconfigured(config)
            .build()
            .map_err(|error| SettingsError::client(&error))?;
        Ok(ReqwestTransport::from_client(client))
    }

    point_auth_testkit::conformance! {
        async: brought,
        without proxy: "a brought client has its own idea of proxies",
        without environment: "a brought client has its own idea of proxies",
    }
}
