//! SIGTERM and SIGINT, for commands that run until they are stopped.

use crate::failure::Result;

/// Calls `stop` at each of these signals, in place of ending at once.
#[cfg(unix)]
pub(crate) fn on_stop(stop: impl Fn() + Send + 'static) -> Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let signals = Signals::new([SIGINT, SIGTERM]);
    let mut signals = signals.map_err(|error| crate::failure::Failure::io("signals", &error))?;
    std::thread::spawn(move || {
        for _ in signals.forever() {
            stop();
        }
    });
    Ok(())
}

/// Elsewhere the system ends the program.
#[cfg(not(unix))]
pub(crate) fn on_stop(stop: impl Fn() + Send + 'static) -> Result<()> {
    // Dropped, it would end a channel that is waited on.
    std::mem::forget(stop);
    Ok(())
}
