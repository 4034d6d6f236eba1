//! A directory that is for its owner alone, and the files in it: opened by descriptor, never
//! through a symbolic link, and replaced as a whole.

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, Dir, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::error::FileStoreError;

/// A file that is being written. There is one at a time in a directory, under the directory's lock.
pub(super) const NEW: &str = ".new";

/// So long a lock is waited for. It is held while one small file is written.
const MOST_WAITING: Duration = Duration::from_secs(5);

const PRIVATE_FILE: Mode = Mode::from_bits_retain(0o600);
const PRIVATE_DIRECTORY: Mode = Mode::from_bits_retain(0o700);

type Result<T> = std::result::Result<T, FileStoreError>;

/// An open directory.
pub(super) struct Directory {
    file: File,
    /// For errors.
    path: PathBuf,
}

/// A lock, until it is dropped.
pub(super) struct Lock {
    _file: File,
}

impl Directory {
    /// Opens a directory by its path, and makes it if it is missing.
    pub(super) fn open_or_make(path: &Path) -> Result<Self> {
        // Without a slash at the end, which would follow a link.
        let path: PathBuf = path.components().collect();
        match rustix::fs::mkdirat(CWD, &path, PRIVATE_DIRECTORY) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(io_error("make", path, error)),
        }
        let missing = || io_error("open", path.clone(), Errno::NOENT);
        open_directory(CWD, &path, path.clone())?.ok_or_else(missing)
    }

    /// Opens a directory in this one, if it is there.
    pub(super) fn directory(&self, name: &str) -> Result<Option<Self>> {
        open_directory(&self.file, Path::new(name), self.path_of(name))
    }

    /// Opens a directory in this one, and makes it if it is missing.
    pub(super) fn directory_or_make(&self, name: &str) -> Result<Self> {
        if let Some(directory) = self.directory(name)? {
            return Ok(directory);
        }
        match rustix::fs::mkdirat(&self.file, name, PRIVATE_DIRECTORY) {
            Ok(()) => self.flush()?,
            Err(Errno::EXIST) => {}
            Err(error) => return Err(io_error("make", self.path_of(name), error)),
        }
        let missing = || io_error("open", self.path_of(name), Errno::NOENT);
        self.directory(name)?.ok_or_else(missing)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The names of what is in it.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let failed = |error| io_error("list", self.path.clone(), error);
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.file).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Reads a file, if it is there.
    pub(super) fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let Some((mut file, metadata)) = self.open(name, OFlags::RDONLY)? else { return Ok(None) };
        // With room for all of it, since what is moved by growth is not wiped.
        let length = usize::try_from(metadata.len()).unwrap_or_default();
        let mut bytes = Zeroizing::new(Vec::with_capacity(length.saturating_add(1)));
        let read = file.read_to_end(&mut bytes);
        read.map_err(|source| self.failed("read", name, source))?;
        Ok(Some(bytes))
    }

    /// Puts a file with these bytes in place of what has the name. Wants the directory's lock.
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.write_new(bytes)?;
        let renamed = rustix::fs::renameat(&self.file, NEW, &self.file, name);
        if let Err(error) = renamed {
            let _is_removed = self.remove(NEW);
            return Err(io_error("replace", self.path_of(name), error));
        }
        self.flush()
    }

    /// Puts a file with these bytes there, unless something has the name. Wants the directory's
    /// lock.
    pub(super) fn add(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.write_new(bytes)?;
        let linked = rustix::fs::linkat(&self.file, NEW, &self.file, name, AtFlags::empty());
        self.remove(NEW)?;
        match linked {
            Ok(()) | Err(Errno::EXIST) => self.flush(),
            Err(error) => Err(io_error("write", self.path_of(name), error)),
        }
    }

    /// Removes a file. One that is missing is no error.
    pub(super) fn remove(&self, name: &str) -> Result<()> {
        match rustix::fs::unlinkat(&self.file, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(io_error("remove", self.path_of(name), error)),
        }
    }

    /// Takes the lock of a file, which is made if it is missing, and never removed.
    pub(super) fn lock(&self, name: &str) -> Result<Lock> {
        let flags = OFlags::RDWR | OFlags::CREATE;
        let missing = || io_error("open", self.path_of(name), Errno::NOENT);
        let (file, _) = self.open(name, flags)?.ok_or_else(missing)?;
        self.wait_for_lock(&file, name)?;
        Ok(Lock { _file: file })
    }

    /// Makes a new file and takes its lock.
    pub(super) fn create_locked(&self, name: &str) -> Result<File> {
        let file = self.create(name)?;
        self.wait_for_lock(&file, name)?;
        Ok(file)
    }

    /// Removes a file that is locked by no process. Returns whether it is gone now, or was before.
    pub(super) fn remove_unlocked(&self, name: &str) -> Result<bool> {
        let Some((file, _)) = self.open(name, OFlags::RDONLY)? else { return Ok(true) };
        // Several may look at once. The lock is held until the file is removed.
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => self.remove(name).map(|()| true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(io_error("lock", self.path_of(name), error)),
        }
    }

    fn open(&self, name: &str, flags: OFlags) -> Result<Option<(File, Metadata)>> {
        // A pipe in place of a file is not waited for.
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let opened = rustix::fs::openat(&self.file, name, flags, PRIVATE_FILE);
        let file = match opened {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(FileStoreError::Symlink { path: self.path_of(name) }),
            Err(Errno::ISDIR) => {
                let path = self.path_of(name);
                return Err(FileStoreError::WrongKind { path, expected: "regular file" });
            }
            Err(error) => return Err(io_error("open", self.path_of(name), error)),
        };
        let metadata = file.metadata().map_err(|source| self.failed("open", name, source))?;
        if !metadata.is_file() {
            let path = self.path_of(name);
            return Err(FileStoreError::WrongKind { path, expected: "regular file" });
        }
        check_owner(&metadata, || self.path_of(name))?;
        Ok(Some((file, metadata)))
    }

    fn create(&self, name: &str) -> Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let created = rustix::fs::openat(&self.file, name, flags, PRIVATE_FILE);
        created.map(File::from).map_err(|error| io_error("create", self.path_of(name), error))
    }

    /// Writes [`NEW`] and flushes it. What a killed process has left there is removed.
    fn write_new(&self, bytes: &[u8]) -> Result<()> {
        self.remove(NEW)?;
        let mut file = self.create(NEW)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        written.map_err(|source| {
            let _is_removed = self.remove(NEW);
            self.failed("write", NEW, source)
        })
    }

    /// Makes what was renamed, added or removed outlive a power failure.
    fn flush(&self) -> Result<()> {
        let flushed = self.file.sync_all();
        let path = || self.path.clone();
        flushed.map_err(|source| FileStoreError::Io { action: "flush", path: path(), source })
    }

    /// `flock` has no limit of time, so it is asked again at growing distances.
    fn wait_for_lock(&self, file: &File, name: &str) -> Result<()> {
        let started = Instant::now();
        let mut pause = Duration::from_micros(100);
        loop {
            match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(()),
                Err(Errno::WOULDBLOCK | Errno::INTR) if started.elapsed() < MOST_WAITING => {}
                Err(Errno::WOULDBLOCK | Errno::INTR) => {
                    return Err(FileStoreError::Locked { path: self.path_of(name) });
                }
                Err(error) => return Err(io_error("lock", self.path_of(name), error)),
            }
            thread::sleep(pause);
            pause = pause.saturating_mul(2).min(Duration::from_millis(5));
        }
    }

    fn failed(&self, action: &'static str, name: &str, source: io::Error) -> FileStoreError {
        FileStoreError::Io { action, path: self.path_of(name), source }
    }
}

fn open_directory(
    parent: impl rustix::fd::AsFd,
    name: &Path,
    path: PathBuf,
) -> Result<Option<Directory>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(&parent, name, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(error @ (Errno::LOOP | Errno::NOTDIR)) => {
            // Which of the two it says of a link differs from system to system.
            let found = rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW);
            let found = found.map_err(|_| io_error("open", path.clone(), error))?;
            return Err(match rustix::fs::FileType::from_raw_mode(found.st_mode) {
                rustix::fs::FileType::Symlink => FileStoreError::Symlink { path },
                _ => FileStoreError::WrongKind { path, expected: "directory" },
            });
        }
        Err(error) => return Err(io_error("open", path, error)),
    };
    let metadata = file.metadata();
    let metadata = metadata.map_err(|source| {
        let path = path.clone();
        FileStoreError::Io { action: "open", path, source }
    })?;
    check_owner(&metadata, || path.clone())?;
    Ok(Some(Directory { file, path }))
}

/// Refuses what is not for this user alone.
fn check_owner(metadata: &Metadata, path: impl Fn() -> PathBuf) -> Result<()> {
    let owner = metadata.uid();
    if owner != rustix::process::geteuid().as_raw() {
        return Err(FileStoreError::ForeignOwner { path: path(), owner });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(FileStoreError::Exposed { path: path(), mode });
    }
    Ok(())
}

fn io_error(action: &'static str, path: PathBuf, error: Errno) -> FileStoreError {
    FileStoreError::Io { action, path, source: error.into() }
}
