//! How the proxy stops.

use std::time::Duration;

use point_auth_proxy::Limits;
use tokio::net::TcpStream;

use crate::support::{Api, Served};

#[tokio::test]
async fn requests_in_progress_are_finished_and_idle_connections_closed() {
    let api = Api::start(&["http/1.1"]).await;
    let mut served = Served::on_tcp(api.proxy().await);
    let mut idle = served.connect().await;
    idle.write(served.head("GET", "/loans", "")).await;
    assert_eq!(idle.answer().await.status, 200);
    let mut busy = served.connect().await;
    busy.write(served.head("POST", "/echo", "Content-Length: 8\r\n") + "half").await;
    api.wait_for_requests(2).await;
    served.begin_to_stop();
    assert_eq!(idle.rest().await, "");
    busy.write("half").await;
    let answer = busy.answer().await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "halfhalf"));
    assert_eq!(busy.rest().await, "");
    served.stopped().await;
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut_off() {
    let limits = Limits::new().with_drain_timeout(Duration::from_millis(200));
    let mut api = Api::start(&["http/1.1"]).await;
    let proxy = api.builder().await.with_limits(limits).build().unwrap();
    let mut served = Served::on_tcp(proxy);
    let mut busy = served.connect().await;
    busy.write(served.head("GET", "/hang", "")).await;
    assert_eq!(api.hanging.recv().await, Some(true));
    served.begin_to_stop();
    served.stopped().await;
    assert_eq!(busy.rest().await, "");
    assert_eq!(api.hanging.recv().await, Some(false));
}
