//! A sign-in over each kind of connection, and the request that the server sees.

use std::time::Duration;

use http::Method;
#[cfg(any(feature = "rustls", feature = "native-tls"))]
use http::Version;

use crate::support::{PASSWORD, USERNAME, assert_tokens, emulator, sign_in, transport};

#[tokio::test]
async fn the_server_sees_our_headers_and_none_of_the_clients_own() {
    let emulator = emulator().start().unwrap();
    sign_in(&transport(&emulator), &emulator.base_url()).await.unwrap();

    let requests = emulator.requests();
    let request = requests.first().unwrap();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(
        request.headers().get_all("accept").iter().collect::<Vec<_>>(),
        ["application/json"]
    );
    assert_eq!(request.header("accept-encoding"), Some("identity"));
    assert_eq!(request.header("content-length"), Some(request.body().len().to_string().as_str()));
    assert!(request.header("user-agent").unwrap().starts_with("point-auth"));
    let mut names: Vec<_> = request.headers().keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["accept", "accept-encoding", "content-length", "content-type", "host", "user-agent"]
    );
    let body = std::str::from_utf8(request.body()).unwrap();
    assert!(body.contains(USERNAME) && body.contains(PASSWORD));
}

#[tokio::test]
async fn an_idle_connection_is_used_for_five_seconds_and_not_after_that() {
    let emulator = emulator().start().unwrap();
    let transport = transport(&emulator);
    for (idle, connections) in [(0, 1), (4, 1), (6, 2)] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(idle)).await;
        tokio::time::resume();
        assert_tokens(&sign_in(&transport, &emulator.base_url()).await.unwrap());
        assert_eq!(emulator.connections(), connections, "after {idle} s");
    }
}

#[cfg(feature = "rustls")]
mod over_rustls {
    use point_auth_testkit::Operation;
    use point_auth_transport::{TlsSettings, TransportSettings};

    use super::*;
    use crate::support::{settings, tls};

    #[tokio::test]
    async fn alpn_chooses_http2_where_the_server_has_it() {
        let emulator = emulator().with_tls().start().unwrap();
        let response = sign_in(&transport(&emulator), &emulator.base_url()).await.unwrap();
        assert_tokens(&response);
        assert_version_of_the_only_request(&emulator, Version::HTTP_2);
    }

    #[tokio::test]
    async fn a_configuration_with_alpn_of_its_own_gets_ours() {
        let emulator = emulator().with_tls().start().unwrap();
        let mut config = tls(&emulator).rustls_client_config().unwrap();
        config.alpn_protocols = vec![b"spdy/1".to_vec()];
        let tls = TlsSettings::new().with_rustls_config(config.into());
        let settings: TransportSettings = settings(&emulator).with_tls(tls);
        let transport = crate::Adapter::with_settings(&settings).unwrap();
        assert_tokens(&sign_in(&transport, &emulator.base_url()).await.unwrap());
        assert_version_of_the_only_request(&emulator, Version::HTTP_2);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn many_at_once_on_a_new_transport_all_succeed() {
        let emulator = emulator().with_tls().start().unwrap();
        let transport = transport(&emulator);
        let running: Vec<_> = (0..20)
            .map(|_| {
                let (transport, base) = (transport.clone(), emulator.base_url());
                tokio::spawn(async move { sign_in(&transport, &base).await })
            })
            .collect();
        for one in running {
            assert_tokens(&one.await.unwrap().unwrap());
        }
        assert_eq!(emulator.count(Operation::SignIn), 20);
    }
}

#[cfg(feature = "native-tls")]
mod over_native_tls {
    use crate::Adapter;
    use point_auth_transport::TlsBackend;

    use super::*;
    use crate::support::{settings, tls};

    #[tokio::test]
    async fn alpn_chooses_http2_with_native_tls_too() {
        let emulator = emulator().with_tls().start().unwrap();
        let settings =
            settings(&emulator).with_tls(tls(&emulator).with_backend(TlsBackend::NativeTls));
        let transport = Adapter::with_settings(&settings).unwrap();
        assert_tokens(&sign_in(&transport, &emulator.base_url()).await.unwrap());
        assert_version_of_the_only_request(&emulator, Version::HTTP_2);
    }
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn assert_version_of_the_only_request(emulator: &point_auth_testkit::Emulator, version: Version) {
    let requests = emulator.requests();
    assert_eq!(requests.iter().map(|request| request.version()).collect::<Vec<_>>(), [version]);
}
