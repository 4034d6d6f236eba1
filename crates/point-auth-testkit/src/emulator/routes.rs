//! The routes that a test adds: paths that want a valid access token.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use bytes::Bytes;

use super::{Operation, path_prefix};
use crate::Error;

/// What each route answers to a good token, by its path without the prefix; `None` says whose token
/// it is.
#[derive(Default)]
pub(super) struct Routes(HashMap<String, Option<Bytes>>);

impl Routes {
    /// # Errors
    /// [`Error::ProtectedRoute`] if a path cannot be one, or is taken.
    pub(super) fn new(
        routes: impl IntoIterator<Item = (String, Option<Bytes>)>,
    ) -> Result<Self, Error> {
        let mut by_path = HashMap::new();
        for (path, body) in routes {
            let is_plain = path_prefix::normal(&path).is_ok_and(|normal| normal == path);
            let is_operation = [Operation::SignIn, Operation::Refresh, Operation::WhoAmI]
                .iter()
                .any(|operation| operation.path() == path);
            match by_path.entry(path) {
                Entry::Vacant(free) if is_plain && !is_operation && !free.key().is_empty() => {
                    free.insert(body);
                }
                _ => return Err(Error::ProtectedRoute),
            }
        }
        Ok(Self(by_path))
    }

    pub(super) fn contains(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    pub(super) fn body(&self, path: &str) -> Option<&Bytes> {
        self.0.get(path)?.as_ref()
    }
}
