//! Files that hold a secret or decide where one is sent: who may read and write them.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use crate::failure::{Failure, Result};

/// What other users may do with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Others {
    /// They may read it, but not write it.
    MayRead,
    /// They may do neither.
    MayNothing,
}

/// Checks that the file belongs to this user or to root, and that others may do no more with it
/// than `others`. Systems without such modes are not checked.
///
/// `what` names the file in errors, for instance by the option that it came from.
pub(crate) fn check(path: &Path, metadata: &Metadata, what: &str, others: Others) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;

        let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
        let user = rustix::process::geteuid().as_raw();
        if let Some(why) = refusal(owner, mode, user, others) {
            let message = format!("{what}: {} {why}", path.display());
            return Err(Failure::new(crate::failure::Exit::Usage, "exposed_file", message));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, metadata, what, others);
    Ok(())
}

/// Why a file of `owner` is none that `user` should trust.
#[cfg(unix)]
fn refusal(owner: u32, mode: u32, user: u32, others: Others) -> Option<String> {
    const ROOT: u32 = 0;
    if owner != ROOT && owner != user {
        return Some(format!("belongs to another user (number {owner})"));
    }
    if mode & 0o022 != 0 {
        return Some(format!("has mode {mode:04o}, so that other users may write it"));
    }
    // Root gives a file to one service by a group or an access list, as systemd does.
    let exposed = if owner == ROOT && user != ROOT { 0o007 } else { 0o077 };
    if others == Others::MayNothing && mode & exposed != 0 {
        return Some(format!("has mode {mode:04o}, so that other users may read it"));
    }
    None
}

/// Reads a regular file of at most `most` bytes into memory that is wiped, after [`check`]ing it.
/// Returns `None` if there is no such file.
pub(crate) fn read(
    path: &Path,
    what: &str,
    others: Others,
    most: usize,
) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let failed = |error: &io::Error| {
        Failure::io(format!("{what}: could not read {}", path.display()), error)
    };
    // Opening a pipe would wait for a writer.
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => {
            return Err(Failure::usage(format!("{what}: {} is not a file", path.display())));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
        Ok(_) => {}
    }
    let file = File::open(path).map_err(|error| failed(&error))?;
    // Of what was opened, which may have been replaced since.
    let metadata = file.metadata().map_err(|error| failed(&error))?;
    check(path, &metadata, what, others)?;
    let bytes = read_bounded(file, most).map_err(|error| failed(&error))?;
    match bytes {
        Some(bytes) => Ok(Some(bytes)),
        None => {
            Err(Failure::usage(format!("{what}: {} has more than {most} bytes", path.display())))
        }
    }
}

/// Reads to the end into memory that is wiped. Returns `None` if there are more than `most` bytes.
pub(crate) fn read_bounded(
    mut from: impl Read,
    most: usize,
) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    // All the room from the start: growth would leave copies behind.
    let mut bytes = Zeroizing::new(vec![0; most.saturating_add(1)]);
    let mut length = 0;
    while let Some(room) = bytes.get_mut(length..).filter(|room| !room.is_empty()) {
        match from.read(room) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if length > most {
        return Ok(None);
    }
    bytes.truncate(length);
    Ok(Some(bytes))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_for_its_owner_and_one_of_root_for_a_group_as_well() {
        let refused = |owner, mode, user| refusal(owner, mode, user, Others::MayNothing).is_some();
        for (mode, is_refused) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
            assert_eq!(refused(1000, mode, 1000), is_refused, "{mode:o}");
            assert_eq!(refused(0, mode, 0), is_refused, "{mode:o}");
        }
        for (mode, is_refused) in [(0o440, false), (0o640, false), (0o660, true), (0o444, true)] {
            assert_eq!(refused(0, mode, 1000), is_refused, "{mode:o}");
        }
        assert!(refused(1001, 0o600, 1000));
        assert!(refused(1000, 0o600, 0));
    }

    #[test]
    fn what_is_no_secret_may_be_read_and_not_written_by_others() {
        let refused = |owner, mode, user| refusal(owner, mode, user, Others::MayRead).is_some();
        assert!(!refused(1000, 0o644, 1000) && !refused(0, 0o644, 1000));
        assert!(refused(1000, 0o664, 1000) && refused(0, 0o646, 1000));
        assert!(refused(1001, 0o644, 1000));
    }
}
