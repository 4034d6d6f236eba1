//! When the proxy stops, and what the service manager hears of it.

use tokio::sync::watch;

use crate::failure::{Failure, Result};
use crate::output;

/// Ready once a signal has told the program to stop.
#[derive(Clone)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens for SIGTERM and SIGINT from now on. A second signal ends the program at once.
    pub(super) fn on_signals() -> Result<Self> {
        let mut signals = Signals::new()?;
        let (tell, told) = watch::channel(false);
        tokio::spawn(async move {
            signals.next().await;
            output::note("stopping; requests in progress are finished");
            tell_systemd_of_the_end();
            tell.send_replace(true);
            signals.next().await;
            std::process::exit(1);
        });
        Ok(Self(told))
    }

    /// Waits until the program is told to stop.
    pub(super) async fn told_to(mut self) {
        // The sender lives as long as the runtime.
        let _told = self.0.wait_for(|told| *told).await;
    }
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |error| Failure::io("could not listen for signals", &error);
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
    fn new() -> Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without signals it runs until it is killed.
            std::future::pending::<()>().await;
        }
    }
}

/// Tells systemd, if it has started this program, that clients can connect.
pub(super) fn tell_systemd_of_the_start() {
    #[cfg(unix)]
    notify(sd_notify::NotifyState::Ready);
}

fn tell_systemd_of_the_end() {
    #[cfg(unix)]
    notify(sd_notify::NotifyState::Stopping);
}

/// Without `NOTIFY_SOCKET` it does nothing.
#[cfg(unix)]
fn notify(state: sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        output::note(&format!("systemd could not be notified: {error}"));
    }
}
