//! When the proxy stops, and what the service manager hears of it.

use tokio::sync::watch;

use crate::failure::Result;
use crate::{output, signals};

/// Ready once a signal has told the program to stop.
#[derive(Clone)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens for SIGTERM and SIGINT from now on. A second signal ends the program at once.
    pub(super) fn on_signals() -> Result<Self> {
        let (tell, told) = watch::channel(false);
        signals::on_stop(move || {
            if *tell.borrow() {
                std::process::exit(1);
            }
            output::note("stopping; requests in progress are finished");
            // Before the program can end.
            tell_systemd_of_the_end();
            tell.send_replace(true);
        })?;
        Ok(Self(told))
    }

    /// Waits until the program is told to stop.
    pub(super) async fn told_to(mut self) {
        // The sender lives as long as the program.
        let _told = self.0.wait_for(|told| *told).await;
    }
}

/// Tells systemd, if it has started this program, that clients can connect.
pub(super) fn tell_systemd_of_the_start() {
    #[cfg(target_os = "linux")]
    notify(sd_notify::NotifyState::Ready);
}

fn tell_systemd_of_the_end() {
    #[cfg(target_os = "linux")]
    notify(sd_notify::NotifyState::Stopping);
}

/// Without `NOTIFY_SOCKET` it does nothing.
#[cfg(target_os = "linux")]
fn notify(state: sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        output::note(&format!("systemd could not be told: {error}"));
    }
}
