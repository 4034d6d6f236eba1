//! What it costs to read a token that is good, which is what happens before every request of a
//! service.

mod hand_rolled;

use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use tokio::runtime::Runtime;

use crate::measure::Case;
use crate::ours::{self, Ours};
use crate::subject::{Source, Subject};

/// All readers, first the reference.
pub fn cases() -> Vec<Case> {
    #[cfg_attr(not(feature = "peers"), expect(unused_mut, reason = "the peers come last"))]
    let mut cases = ours_and_hand_rolled();
    #[cfg(feature = "peers")]
    cases.extend(crate::peers::readers());
    cases
}

fn ours_and_hand_rolled() -> Vec<Case> {
    let (swap, lock) = (hand_rolled::Swapped::new(), hand_rolled::Locked::new());
    let session = runtime().block_on(async {
        let ours = Ours::start(Source::at_once()).await;
        ours.token().await.unwrap();
        ours.session().clone()
    });
    let blocking = ours::blocking_session();
    vec![
        Case::new("hand-rolled ArcSwap", move || swap.token().unwrap()),
        Case::new("hand-rolled RwLock", move || lock.token().unwrap()),
        Case::new("point-auth: current_token", move || session.current_token().unwrap()),
        of_subject::<Ours>("point-auth: access_token().await"),
        Case::new("point-auth, blocking", move || blocking.access_token().unwrap()),
    ]
}

/// A case that polls once a caller's future, which must be ready: the token is there.
pub fn of_subject<S: Subject>(name: &'static str) -> Case {
    let subject = runtime().block_on(async {
        let subject = S::start(Source::at_once()).await;
        assert!(subject.token().await.is_some(), "{name} gets no token");
        subject
    });
    let read = Case::new(name, move || {
        let mut reading = pin!(subject.token());
        match reading.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(token) => token.unwrap(),
            // Behind a lock that another thread has in hand.
            Poll::Pending => pollster::block_on(reading).unwrap(),
        }
    });
    // Some of them make a timer each time, which belongs to a runtime.
    read.within(|| runtime().enter())
}

/// The runtime in which the readers' background tasks live, if they have any.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    })
}
