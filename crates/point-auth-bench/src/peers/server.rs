//! An HTTP server over a source, for the peers that need one.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::answer;
use crate::subject::Source;

/// Serves one connection.
pub(super) async fn serve(connection: impl Read + Write + Unpin, source: Source) {
    let service = service_fn(|request: Request<Incoming>| {
        let source = source.clone();
        async move {
            request.into_body().collect().await?;
            let (status, body) = answer(source.answers().await);
            let mut response = Response::new(Full::new(Bytes::from(body)));
            *response.status_mut() = status.try_into().unwrap();
            Ok::<_, hyper::Error>(response)
        }
    });
    // A canceled caller closes the connection.
    drop(http1::Builder::new().serve_connection(connection, service).await);
}

/// Serves a free port of 127.0.0.1 as long as the runtime lives. Returns its URL.
pub(super) async fn on_loopback(source: Source) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(serve(TokioIo::new(connection), source.clone()));
        }
    });
    url
}
