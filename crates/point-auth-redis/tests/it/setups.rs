//! Connections that the user brings: TLS, a cluster, a Unix socket.

use std::time::Duration;

use point_auth_redis::{RedisStore, blocking};
use point_auth_store::{StoreKey, TokenStore};
use point_auth_testkit::CertificateAuthority;
use redis::aio::ConnectionManagerConfig;
use redis::cluster::ClusterClient;
use redis::{Client, TlsCertificates};

use crate::server::{SecondPort, Server, connect, query, write};
use crate::store::{Either, RUNTIME, names, open, some_name};

fn works(store: &Either) {
    let name = some_name();
    assert_eq!(store.value(&name), None);
    assert!(store.swapped(&name, None, b"first"));
    assert!(!store.swapped(&name, None, b"second"));
    assert!(store.swapped(&name, Some(b"first"), b"second"));
    assert_eq!(store.value(&name).as_deref(), Some(&b"second"[..]));
}

#[test]
fn a_connection_with_tls_is_brought_by_the_user() {
    let Some(mut server) = Server::stopped(&[]) else { return };
    let authority = CertificateAuthority::new().unwrap();
    let issued = authority.issue(["localhost"]).unwrap();
    let port = SecondPort::free();
    let certificate = write(server.folder(), "certificate.pem", issued.certificate_pem());
    let key = write(server.folder(), "key.pem", issued.private_key_pem());
    let number = port.number().to_string();
    let tls = ["--tls-port", &number, "--tls-auth-clients", "no"];
    server.add(&tls);
    server.add(&["--tls-cert-file", &certificate, "--tls-key-file", &key]);
    server.add(&["--tls-ca-cert-file", &certificate]);
    server.run();

    let provider = rustls::crypto::aws_lc_rs::default_provider();
    // Another test of this process may have been first.
    let _is_set = provider.install_default();
    let root_cert = Some(authority.pem().as_bytes().to_vec());
    let certificates = TlsCertificates { client_tls: None, root_cert };
    let client = Client::build_with_tls(format!("rediss://localhost:{number}"), certificates);
    let client = client.unwrap();
    let config = ConnectionManagerConfig::new().set_response_timeout(Some(Duration::from_secs(5)));
    let connection = {
        let _runtime = RUNTIME.enter();
        client.get_connection_manager_lazy(config).unwrap()
    };
    let key = StoreKey::generate().unwrap();
    works(&Either::Async(RedisStore::new(connection, key.clone())));
    let connect = move || client.get_connection();
    works(&Either::Blocking(blocking::RedisStore::new(connect, key)));
}

#[test]
fn a_connection_to_a_cluster_is_brought_by_the_user() {
    let Some(server) = Server::with(&["--cluster-enabled", "yes"]) else { return };
    for store in Either::both(&server.url()) {
        let error = store.load(&some_name()).err().unwrap();
        assert_eq!(error.to_string(), "the redis cluster is down");
    }
    server.command::<()>(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    let mut admin = connect(&server.url());
    // The cluster is ready in a time of its own. The wait is for a replica, which there is none of.
    while !query::<String>(&mut admin, &["CLUSTER", "INFO"]).contains("state:ok") {
        query::<i64>(&mut admin, &["WAIT", "1", "20"]);
    }
    let client = ClusterClient::new(vec![server.url()]).unwrap();
    let connection = RUNTIME.block_on(client.get_async_connection()).unwrap();
    let key = StoreKey::generate().unwrap();
    works(&Either::Async(RedisStore::new(connection, key.clone())));
    let connect = move || client.get_connection();
    works(&Either::Blocking(blocking::RedisStore::new(connect, key)));
}

#[test]
fn the_names_of_a_login_share_a_hash_slot() {
    let Some(server) = Server::with(&["--cluster-enabled", "yes"]) else { return };
    let slots = names(&StoreKey::generate().unwrap())
        .map(|name| server.command::<i64>(&["CLUSTER", "KEYSLOT", &name.to_string()]));
    assert_eq!(slots[0], slots[1]);
}

#[test]
fn a_url_may_name_a_unix_socket() {
    let Some(mut server) = Server::stopped(&[]) else { return };
    let socket = server.folder().join("redis.sock");
    let socket = socket.to_str().unwrap().to_owned();
    server.add(&["--unixsocket", &socket]);
    server.run();
    for store in Either::both(&format!("unix://{socket}")) {
        works(&store);
    }
}

#[test]
fn a_call_may_come_from_a_thread_without_tokio() {
    let Some(server) = Server::start() else { return };
    let store = open(&server.url(), StoreKey::generate().unwrap());
    let name = some_name();
    assert!(pollster::block_on(store.swap(&name, None, b"first", None)).unwrap().done);
}

#[test]
fn a_runtime_that_has_ended_is_named() {
    let Some(server) = Server::start() else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = {
        let _runtime = runtime.enter();
        RedisStore::from_url(&server.url(), StoreKey::generate().unwrap()).unwrap()
    };
    drop(runtime);
    let error = pollster::block_on(store.load(&some_name())).err().unwrap();
    assert_eq!(error.to_string(), "the connection to redis cannot be used");
}
