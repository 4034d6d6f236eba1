//! Files that are written as a whole, and put in place in one step.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Puts a file with this content in the place of `path`. A reader sees the old content or the new.
///
/// The file is for its owner alone if `is_private`. No symbolic link is followed: one in the place
/// of the file is replaced.
pub(crate) fn replace(path: &Path, content: &[u8], is_private: bool) -> io::Result<()> {
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it names no file"));
    };
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_dir()) {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
    }
    let mut new_name = OsString::from(".");
    new_name.push(name);
    new_name.push(".point-auth-new");
    let new = path.with_file_name(new_name);
    // That of a program that was killed.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = create(&new, is_private)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // Why it could not be written is what matters.
        let _is_removed = fs::remove_file(&new);
    }
    written
}

fn create(path: &Path, is_private: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if is_private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = is_private;
    options.open(path)
}
