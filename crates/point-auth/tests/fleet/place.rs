//! [`Place`]: where a fleet keeps its tokens.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs};

use point_auth::StoreKey;
use serde_json::{Value, json};

use crate::redis_server::Server;

/// A store that all workers of a fleet are given.
pub(crate) enum Place {
    Files(Folder),
    Redis(Server, StoreKey),
}

impl Place {
    pub(crate) fn files() -> Self {
        Self::Files(Folder::new("fleet"))
    }

    /// `None` where there is no `redis-server`.
    pub(crate) fn redis() -> Option<Self> {
        Some(Self::Redis(Server::start()?, StoreKey::generate().unwrap()))
    }

    pub(crate) fn redis_with_tls_and_password() -> Option<Self> {
        Some(Self::Redis(Server::with_tls_and_password()?, StoreKey::generate().unwrap()))
    }

    /// What a worker is told of it.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Files(folder) => json!({ "directory": folder.path().join("store") }),
            Self::Redis(server, key) => json!({
                "url": server.url(),
                "authority": server.authority,
                "key": key.expose().as_str(),
            }),
        }
    }
}

/// A folder that goes when it is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("point-auth-{name}-{}-{number}", std::process::id());
        let path = env::temp_dir().join(name);
        // Left by another process of this number, long ago.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
