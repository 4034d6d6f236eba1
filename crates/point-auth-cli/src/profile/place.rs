//! Where tokens are kept: files of this machine, or Redis for a fleet.

use std::fs::DirBuilder;
use std::path::{Path, PathBuf};

use point_auth::token_store::AnyStore;
use point_auth::{FileStore, FileStoreError};

use super::xdg;
use crate::config::{Found, Settings};
use crate::failure::{Exit, Failure, Result, chain};

#[cfg(feature = "redis")]
mod redis;

/// The place of the store.
#[derive(Clone, Debug)]
pub(crate) enum StorePlace {
    Directory(PathBuf),
    #[cfg(feature = "redis")]
    Redis(redis::Place),
}

/// An open store.
pub(crate) enum Store {
    Files(FileStore),
    #[cfg(feature = "redis")]
    Redis(point_auth::blocking::RedisStore),
}

impl StorePlace {
    pub(super) fn read(settings: &Settings) -> Result<Self> {
        let directory = settings.path("store.directory")?;
        if let Some(url) = settings.text("store.redis_url")? {
            if let Some(directory) = directory {
                let why = format!("{} is set as well: choose one", directory.origin);
                return Err(url.refused(why));
            }
            #[cfg(feature = "redis")]
            return redis::Place::read(settings, url).map(Self::Redis);
            #[cfg(not(feature = "redis"))]
            return Err(url.refused("this program was built without Redis"));
        }
        let of_xdg = || {
            let state = std::env::var_os("XDG_STATE_HOME").is_some();
            let data = std::env::var_os("XDG_DATA_HOME").is_some();
            let variable = if data && !state { "XDG_DATA_HOME" } else { "XDG_STATE_HOME" };
            xdg(variable, ".local/state").map(|directory| directory.join("point-auth"))
        };
        let directory = directory.map(|found: Found<PathBuf>| found.value).or_else(of_xdg);
        directory.map(Self::Directory).ok_or_else(|| {
            let message = "there is no home directory to keep tokens in";
            Failure::usage(message).with_hint("set store.directory")
        })
    }

    /// What `status` calls it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Directory(directory) => format!("files in {}", directory.display()),
            #[cfg(feature = "redis")]
            Self::Redis(place) => place.url().to_owned(),
        }
    }

    /// Opens the store, and makes its directory if that is missing.
    pub(crate) fn open(&self) -> Result<Store> {
        match self {
            Self::Directory(directory) => open_files(directory).map(Store::Files),
            #[cfg(feature = "redis")]
            Self::Redis(place) => place.open().map(Store::Redis),
        }
    }

    /// Opens the store for a program that is async, in its tokio runtime.
    #[cfg(feature = "proxy")]
    pub(crate) fn open_async(&self) -> Result<AnyStore> {
        match self {
            Self::Directory(directory) => open_files(directory).map(AnyStore::new),
            #[cfg(feature = "redis")]
            Self::Redis(place) => place.open_async().map(AnyStore::new),
        }
    }

    /// Opens the store if it is there already, for a command that changes nothing.
    pub(crate) fn open_existing(&self) -> Result<Option<Store>> {
        match self {
            Self::Directory(directory) if !directory.exists() => Ok(None),
            _ => self.open().map(Some),
        }
    }
}

impl From<Store> for AnyStore {
    fn from(store: Store) -> Self {
        match store {
            Store::Files(store) => Self::blocking(store),
            #[cfg(feature = "redis")]
            Store::Redis(store) => Self::blocking(store),
        }
    }
}

fn open_files(directory: &Path) -> Result<FileStore> {
    let failed = |error: &FileStoreError| {
        let exit = match error {
            FileStoreError::Locked { .. } => Exit::Temporary,
            _ => Exit::Other,
        };
        Failure::new(exit, "store", format!("the token store cannot be used: {}", chain(error)))
    };
    match FileStore::open(directory) {
        // Most often the directory is there, so that its parents are not looked at.
        Err(FileStoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            if let Some(parent) = directory.parent() {
                make_private(parent).map_err(|error| {
                    Failure::io(format!("could not make {}", parent.display()), &error)
                })?;
            }
            FileStore::open(directory).map_err(|error| failed(&error))
        }
        opened => opened.map_err(|error| failed(&error)),
    }
}

fn make_private(directory: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
