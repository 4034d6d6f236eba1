//! What an error, or anything else, can be made to say.

use std::error::Error;
use std::fmt::Debug;

/// An error and its sources, for people and for programmers.
pub(crate) fn all_it_says(error: &dyn Error) -> String {
    let mut said = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        said.push_str(&format!("{error}\n{}", shown(&error)));
        next = error.source();
    }
    said
}

/// Both forms of `Debug`.
pub(crate) fn shown(value: &dyn Debug) -> String {
    format!("{value:?}\n{value:#?}\n")
}

/// `secret` in the forms in which one could meet it: as it is, as `Debug` escapes it, and as JSON
/// does.
pub(crate) fn forms(secret: &str) -> [String; 3] {
    let inner = |quoted: String| quoted[1..quoted.len() - 1].to_owned();
    [
        secret.to_owned(),
        inner(format!("{secret:?}")),
        inner(serde_json::Value::from(secret).to_string()),
    ]
}

#[track_caller]
pub(crate) fn assert_silent(said: &str, secret: &str) {
    for form in forms(secret) {
        assert!(!said.contains(&form), "{form} in {said}");
    }
}
