//! A job that is no task of its own: all who wait share it, and any of them drives it on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use point_auth_transport::Task;

use super::Driver;

/// How many of those who wait an event wakes at first: two, since the one may be alive without being polled.
const FEW: usize = 2;

/// How long they have to look. If none does, twice as many more are woken, and so on.
const ANSWER: Duration = Duration::from_millis(5);

pub(super) struct Together {
    driver: Weak<Driver>,
    job: Mutex<Option<Task>>,
    /// Whether the job was woken since its last poll began.
    is_woken: AtomicBool,
    /// Whether somebody is polling it, and looks at `is_woken` when that is done.
    is_driven: AtomicBool,
    /// Whether nobody wants the job any more.
    is_over: AtomicBool,
    /// How many more to wake if nobody has looked in time; 0 when somebody has.
    next: AtomicUsize,
    timer: Mutex<Option<Task>>,
}

impl Together {
    pub(super) fn new(driver: &Arc<Driver>, job: Task) -> Arc<Self> {
        Arc::new(Self {
            driver: Arc::downgrade(driver),
            job: Mutex::new(Some(job)),
            is_woken: AtomicBool::new(true),
            is_driven: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            next: AtomicUsize::new(0),
            timer: Mutex::new(None),
        })
    }

    /// Drives the job on, if there is news of it. Whether it has ended by that.
    pub(super) fn drive(self: &Arc<Self>) -> bool {
        self.next.store(0, Ordering::SeqCst);
        let mut job = match self.job.try_lock() {
            Ok(job) => job,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Whoever is at it sees to it that somebody looks again if there was an event meanwhile.
            Err(TryLockError::WouldBlock) => return false,
        };
        self.is_driven.store(true, Ordering::SeqCst);
        let mut has_ended = false;
        // Without an event there is nothing new, however many come to wait.
        if self.is_woken.swap(false, Ordering::SeqCst)
            && let Some(task) = job.as_mut()
        {
            let shared = Waker::from(Arc::clone(self));
            let mut cx = Context::from_waker(&shared);
            // A panic in it is not the fault of whoever happens to drive it. The job sees to the rest when it is dropped.
            match catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(&mut cx))) {
                Ok(Poll::Pending) => {}
                Ok(Poll::Ready(())) | Err(_) => {
                    *job = None;
                    has_ended = true;
                }
            }
        }
        drop(job);
        self.is_driven.store(false, Ordering::SeqCst);
        if self.is_over.load(Ordering::SeqCst) {
            self.end();
        } else if !has_ended && self.is_woken.load(Ordering::SeqCst) {
            // There was an event meanwhile; and whoever drives it here may not be polled again.
            self.wake_some(FEW);
        }
        has_ended
    }

    /// Drops the job. Its wakers, which it may hold itself, keep no more than the shell.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        let job = match self.job.try_lock() {
            Ok(mut job) => job.take(),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().take(),
            // Whoever is at it looks whether it is over.
            Err(TryLockError::WouldBlock) => None,
        };
        drop(job);
    }

    /// Wakes so many, and sees to it that more are woken if they do not look.
    fn wake_some(self: &Arc<Self>, mut count: usize) {
        let Some(driver) = self.driver.upgrade() else { return };
        loop {
            let more = count.saturating_mul(2);
            self.next.store(more, Ordering::SeqCst);
            driver.wake_some(count);
            if driver.waiters() <= count {
                return;
            }
            let until = driver.now().monotonic.saturating_add(ANSWER);
            let mut timer = driver.runtime().sleep_until(until);
            let escalation = Waker::from(Arc::new(Escalation(Arc::downgrade(self))));
            if timer.as_mut().poll(&mut Context::from_waker(&escalation)).is_pending() {
                let old = self.timer.lock().unwrap_or_else(PoisonError::into_inner).replace(timer);
                drop(old);
                return;
            }
            // Their time is over already, unless somebody has looked meanwhile.
            if self.next.load(Ordering::SeqCst) == 0 {
                return;
            }
            count = more;
        }
    }
}

impl Wake for Together {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Ordering::SeqCst);
        if !self.is_driven.load(Ordering::SeqCst) {
            self.wake_some(FEW);
        }
    }
}

/// Woken when those who were woken have had their time.
struct Escalation(Weak<Together>);

impl Wake for Escalation {
    fn wake(self: Arc<Self>) {
        let Some(together) = self.0.upgrade() else { return };
        let more = together.next.load(Ordering::SeqCst);
        if more > 0 {
            together.wake_some(more);
        }
    }
}
