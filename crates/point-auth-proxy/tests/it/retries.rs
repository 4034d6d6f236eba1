//! What a 401 leads to.

use point_auth_testkit::{Fault, Operation};

use crate::support::{Api, Served, World, emulator};

const WHO_AM_I: &str = "/point-auth-emulator/whoami";

#[tokio::test]
async fn a_401_is_answered_by_another_token_and_the_same_request() {
    let world = World::with_old_token(emulator()).await;
    let old = world.session.current_token().unwrap();
    assert!(world.emulator.revoke(old.expose()));
    let mut raw = world.served.connect().await;
    let more = "Content-Length: 4\r\nX-Kept: kept\r\n";
    raw.write(world.served.head("POST", WHO_AM_I, more) + "data").await;
    assert_eq!(raw.answer().await.status, 200);
    let requests = world.emulator.requests();
    let sent: Vec<_> = requests.iter().filter(|one| one.operation() == Operation::WhoAmI).collect();
    assert_eq!(sent.len(), 2);
    for one in &sent {
        assert_eq!(one.body().as_ref(), b"data");
        assert_eq!(one.header("x-kept"), Some("kept"));
        assert_eq!(one.headers().get_all("authorization").iter().count(), 1);
    }
    assert_ne!(sent[0].header("authorization"), sent[1].header("authorization"));
}

#[tokio::test]
async fn a_second_401_is_the_response_and_starts_no_storm() {
    let world = World::with_old_token(emulator()).await;
    world.emulator.always_for(Operation::Other, Fault::respond(401).body("who are you?"));
    let answer = world.served.get("/loans").await;
    assert_eq!((answer.status, answer.body.as_str(), answer.code()), (401, "who are you?", ""));
    assert_eq!(world.emulator.count(Operation::Other), 2);
    // Both tokens were young, so nothing is sent for a while.
    let answer = world.served.get("/loans").await;
    assert_eq!((answer.status, answer.code()), (503, "no_token"));
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(world.emulator.count(Operation::Other), 2);
}

#[tokio::test]
async fn a_body_of_a_mebibyte_is_sent_again_and_a_larger_one_is_not() {
    for (size, status) in [(1024 * 1024, 200), (1024 * 1024 + 1, 401)] {
        let api = Api::start(&["h2", "http/1.1"]).await;
        let served = Served::on_tcp(api.proxy().await);
        api.refuse_after_the_body();
        let mut raw = served.connect().await;
        let more = format!("Content-Length: {size}\r\n");
        raw.write(served.head("POST", "/length", &more)).await;
        raw.try_write(vec![b'a'; size]).await;
        let answer = raw.answer().await;
        assert_eq!(answer.status, status, "{size}");
        let sent_twice = status == 200;
        assert_eq!(api.requests(), if sent_twice { 2 } else { 1 });
        if sent_twice {
            assert_eq!(answer.body, size.to_string());
        }
        // A 401 says that the token is bad, whether the request can be sent again or not.
        assert_eq!(served.get("/").await.status, 200);
        assert_eq!(api.tokens(), 2);
    }
}

#[tokio::test]
async fn a_401_before_the_body_has_come_leads_to_one_whole_body() {
    let api = Api::start(&["h2", "http/1.1"]).await;
    let served = Served::on_tcp(api.proxy().await);
    api.refuse(1);
    let mut raw = served.connect().await;
    raw.write(served.head("POST", "/echo", "Content-Length: 8\r\n") + "half").await;
    // The second attempt streams back what has come.
    api.wait_for_requests(2).await;
    raw.write("half").await;
    let answer = raw.answer().await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "halfhalf"));
}

#[tokio::test]
async fn one_401_for_many_requests_leads_to_one_exchange() {
    let world = World::with_old_token(emulator()).await;
    let old = world.session.current_token().unwrap();
    assert!(world.emulator.revoke(old.expose()));
    let before = world.emulator.count(Operation::SignIn) + world.emulator.count(Operation::Refresh);
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (address, head) = (world.served.address, world.served.head("GET", WHO_AM_I, ""));
        asking.spawn(async move {
            let mut raw = crate::support::Raw::connect(address).await;
            raw.write(head).await;
            raw.answer().await.status
        });
    }
    while let Some(status) = asking.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    let after = world.emulator.count(Operation::SignIn) + world.emulator.count(Operation::Refresh);
    assert_eq!(after, before + 1);
}
