//! How much of a stream the servers keep for a test to look at.

/// Of each stream, in each direction.
pub(crate) const KEPT_BYTES: usize = 64 * 1024;

/// Appends what there is room for.
pub(crate) fn keep(kept: &mut Vec<u8>, new: &[u8]) {
    let room = KEPT_BYTES.saturating_sub(kept.len());
    kept.extend(new.iter().take(room));
}
