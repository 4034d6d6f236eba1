//! An error in all its printed forms.

use std::sync::atomic::{AtomicUsize, Ordering};

use point_auth::Error;
use point_auth::transport::Chain;

use crate::canaries;

/// The number of error texts that were searched. Only one test counts at a time, as with the logs.
static TEXTS: AtomicUsize = AtomicUsize::new(0);

/// Returns the number of error texts since the last call.
pub(crate) fn texts_so_far() -> usize {
    TEXTS.swap(0, Ordering::Relaxed)
}

/// Returns an error as plain and pretty text, by `Display` and `Debug`, with all its causes,
/// including those inside an `io::Error`.
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
