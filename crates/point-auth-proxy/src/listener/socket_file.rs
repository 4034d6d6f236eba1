//! A Unix socket in the file system, in a folder that is for its user alone.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use super::ListenError;

/// The file of a socket, which is removed on drop.
pub(super) struct SocketFile {
    path: PathBuf,
    /// Another process may have put its own there since.
    inode: (u64, u64),
}

/// Listens on `path`, with a socket of mode 0600.
pub(super) fn listen(path: &Path) -> Result<(UnixListener, SocketFile), ListenError> {
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Err(ListenError::InUse { path: path.to_owned() }),
    };
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    let metadata = fs::symlink_metadata(folder)?;
    let is_private = metadata.is_dir() && is_own(&metadata) && metadata.mode() & 0o077 == 0;
    if !is_private {
        return Err(ListenError::Folder { folder: folder.to_owned() });
    }
    remove_left_behind(path)?;
    let listener = UnixListener::bind(path)?;
    // Until here the folder has kept others away.
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    let metadata = fs::symlink_metadata(path)?;
    let inode = (metadata.dev(), metadata.ino());
    Ok((listener, SocketFile { path: path.to_owned(), inode }))
}

/// Removes a socket of this user on which no process listens.
fn remove_left_behind(path: &Path) -> Result<(), ListenError> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let is_socket = metadata.file_type().is_socket() && is_own(&metadata);
    match UnixStream::connect(path) {
        Err(error) if is_socket && error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path)?;
            Ok(())
        }
        _ => Err(ListenError::InUse { path: path.to_owned() }),
    }
}

fn is_own(metadata: &Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw()
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.inode);
        if is_ours {
            let _is_removed = fs::remove_file(&self.path);
        }
    }
}
