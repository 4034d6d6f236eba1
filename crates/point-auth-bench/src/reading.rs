//! The cost of reading a good token, which a service does before every request.

mod hand_rolled;

use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use tokio::runtime::Runtime;

use crate::measure::Case;
use crate::ours::{self, Ours};
use crate::subject::{Source, Subject};

/// Returns all readers, with the reference first.
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

/// Creates a case that polls a caller's future once. It must be ready, because the token is there.
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
            // Behind a lock that another thread uses.
            Poll::Pending => pollster::block_on(reading).unwrap(),
        }
    });
    // Some of them create a timer each time, which needs a runtime.
    read.within(|| runtime().enter())
}

/// Returns the runtime of the readers' background tasks, if they have any.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    })
}
