//! Listeners on Unix sockets.
