//! An error in every way that it can be printed.

use std::sync::atomic::{AtomicUsize, Ordering};

use point_auth::Error;
use point_auth::transport::Chain;

use crate::canaries;

/// How many texts of errors were made to be searched. The tests take turns with it, as with what is
/// logged.
static TEXTS: AtomicUsize = AtomicUsize::new(0);

/// How many texts of errors there were since this was asked before.
pub(crate) fn texts_so_far() -> usize {
    TEXTS.swap(0, Ordering::Relaxed)
}

/// Plain, pretty, as text and for programmers, with all of its causes, those inside of an
/// `io::Error` included.
pub(crate) fn everything(error: &Error) -> String {
    let mut texts = vec![
        format!("{:?}", error.kind()),
        format!("{:?}", error.denial()),
        format!("{:?}", error.as_session()),
    ];
    for cause in Chain::new(error) {
        texts.extend(in_all_ways(cause));
    }
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        texts.extend(in_all_ways(error));
        cause = error.source();
    }
    TEXTS.fetch_add(texts.len(), Ordering::Relaxed);
    texts.join("\n")
}

fn in_all_ways(error: &(dyn std::error::Error + 'static)) -> [String; 4] {
    [format!("{error}"), format!("{error:#}"), format!("{error:?}"), format!("{error:#?}")]
}

#[track_caller]
pub(crate) fn shows_no_secret(what: &str, shown: &str) {
    let found = canaries::in_text(shown);
    assert!(found.is_empty(), "{what} shows {found:?}: {shown}");
}
