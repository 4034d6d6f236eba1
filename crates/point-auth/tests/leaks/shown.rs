//! An error in every way that it can be printed.

use point_auth::Error;
use point_auth::transport::Chain;

use crate::canaries;

/// Plain, pretty, as text and for programmers, with all of its causes, those inside of an `io::Error` included.
pub(crate) fn everything(error: &Error) -> String {
    let mut shown = format!("{:?} {:?} {:?}", error.kind(), error.denial(), error.as_session());
    for cause in Chain::new(error) {
        shown.push_str(&format!("\n{cause} | {cause:#} | {cause:?} | {cause:#?}"));
    }
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        shown.push_str(&format!("\n{error} | {error:#} | {error:?} | {error:#?}"));
        cause = error.source();
    }
    shown
}

#[track_caller]
pub(crate) fn shows_no_secret(what: &str, shown: &str) {
    let found = canaries::in_text(shown);
    assert!(found.is_empty(), "{what} shows {found:?}: {shown}");
}
