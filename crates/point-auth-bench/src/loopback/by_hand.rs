//! The three clients driven by hand: no redirects, equal time limits and TLS settings, the complete
//! body read, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::{SignIns, Target, runtime};
use crate::by_hand::{build, read};
use crate::sample::{PASSWORD, USERNAME};

const TOTAL: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);

pub(super) fn reqwest(uri: &Uri, target: &Target) -> SignIns {
    let (runtime, uri) = (runtime(), uri.clone());
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TOTAL)
        .connect_timeout(CONNECT)
        .no_proxy()
        .tls_backend_preconfigured(tls(target))
        .build()
        .unwrap();
    Box::new(move |times| {
        runtime.block_on(async {
            for _ in 0..times {
                let request = build(&uri, USERNAME, PASSWORD).try_into().unwrap();
                let response = client.execute(request).await.unwrap();
                let status = response.status();
                let mut response = Response::new(response.bytes().await.unwrap());
                *response.status_mut() = status;
                drop(read(&response).ok().unwrap());
            }
        });
    })
}

pub(super) fn hyper(uri: &Uri, target: &Target) -> SignIns {
    let (runtime, uri) = (runtime(), uri.clone());
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT));
    connector.enforce_http(false);
    let tls = tls(target);
    let connector = hyper_rustls::HttpsConnector::from((connector, Arc::new(tls)));
    let client = Client::builder(TokioExecutor::new()).build::<_, Full<Bytes>>(connector);
    Box::new(move |times| {
        runtime.block_on(async {
            for _ in 0..times {
                let request =
                    build(&uri, USERNAME, PASSWORD).map(|body| Full::new(Bytes::from(body)));
                let exchange = async {
                    let (head, body) = client.request(request).await.unwrap().into_parts();
                    Response::from_parts(head, body.collect().await.unwrap().to_bytes())
                };
                let response = tokio::time::timeout(TOTAL, exchange).await.unwrap();
                drop(read(&response).ok().unwrap());
            }
        });
    })
}

/// Both clients speak HTTP/2 too, and offer it.
fn tls(target: &Target) -> rustls::ClientConfig {
    let mut config = target.tls().rustls_client_config().unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

pub(super) fn ureq(uri: &Uri, target: &Target) -> SignIns {
    let uri = uri.clone();
    let authority =
        target.authority.iter().map(|pem| Certificate::from_pem(pem.as_bytes()).unwrap());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&authority.collect::<Vec<_>>()))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let agent = ureq::Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(TOTAL))
        .timeout_connect(Some(CONNECT))
        .proxy(None)
        .build()
        .new_agent();
    Box::new(move |times| {
        for _ in 0..times {
            let response = agent.run(build(&uri, USERNAME, PASSWORD)).unwrap();
            let (head, mut body) = response.into_parts();
            let response = Response::from_parts(head, body.read_to_vec().unwrap());
            drop(read(&response).ok().unwrap());
        }
    })
}
