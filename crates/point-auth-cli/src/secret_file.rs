//! Files that hold a secret or decide where one is sent: who may read and write them.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use crate::failure::{Exit, Failure, Result};

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

        let refused = |why: String| {
            let message = format!("{what}: {} {why}", path.display());
            Err(Failure::new(Exit::Usage, "exposed_file", message))
        };
        let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
        if owner != 0 && owner != rustix::process::geteuid().as_raw() {
            return refused(format!("belongs to another user (number {owner})"));
        }
        if mode & 0o022 != 0 {
            return refused(format!("has mode {mode:04o}, so that other users may write it"));
        }
        if others == Others::MayNothing && mode & 0o077 != 0 {
            return refused(format!("has mode {mode:04o}, so that other users may read it"));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, metadata, what, others);
    Ok(())
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
