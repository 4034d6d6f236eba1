//! [`FileStore`] and [`RedisStore`]: tokens that many processes share.

use std::path::{Path, PathBuf};

use point_auth::blocking::{SessionBuilder, SessionsBuilder};
use point_auth::{FileStore as Files, StoreKey, blocking};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use zeroize::Zeroizing;

use crate::errors::{invalid, plain, unpicklable, with_causes};

/// A directory that the processes of one machine and one user share (Unix).
///
/// The directory and a key in it are made if they are missing. Its parent has to exist.
#[pyclass(frozen, module = "point_auth")]
pub(crate) struct FileStore {
    path: PathBuf,
    files: Files,
}

#[pymethods]
impl FileStore {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let files = py.detach(|| Files::open(&path));
        let files = files.map_err(|error| plain(py, with_causes(&error), "store"))?;
        Ok(Self { path, files })
    }

    /// The path of the directory.
    #[getter]
    fn path(&self) -> &Path {
        &self.path
    }

    fn __repr__(&self) -> String {
        format!("FileStore({:?})", self.path.display().to_string())
    }

    fn __reduce_ex__(&self, _protocol: Bound<'_, PyAny>) -> PyResult<()> {
        Err(unpicklable("a FileStore"))
    }
}

/// A server of Redis 6.2 or later that the processes of many machines share.
///
/// `key` seals and names what is in Redis: it is the same for all processes, and a text that
/// `generate_store_key()` returned. It connects at its first use.
#[pyclass(frozen, module = "point_auth")]
pub(crate) struct RedisStore {
    url: Zeroizing<String>,
    key: StoreKey,
}

#[pymethods]
impl RedisStore {
    #[new]
    #[pyo3(signature = (url, *, key))]
    fn new(url: String, key: String) -> PyResult<Self> {
        let (url, key) = (Zeroizing::new(url), Zeroizing::new(key));
        let key = StoreKey::parse(&key).map_err(invalid)?;
        // It connects to nothing yet.
        blocking::RedisStore::from_url(&url, key.clone()).map_err(|error| match error {
            point_auth::RedisUrlError::Tls => {
                invalid("a url of redis with tls is not supported here: use a tunnel on this host")
            }
            error => invalid(error),
        })?;
        Ok(Self { url, key })
    }

    fn __repr__(&self) -> &'static str {
        "RedisStore([redacted])"
    }

    fn __reduce_ex__(&self, _protocol: Bound<'_, PyAny>) -> PyResult<()> {
        Err(unpicklable("a RedisStore"))
    }
}

/// Returns a new random key for a `RedisStore`. It is as secret as the tokens.
#[pyfunction]
pub(crate) fn generate_store_key() -> PyResult<String> {
    let key = StoreKey::generate().map_err(invalid)?;
    Ok((*key.expose()).clone())
}

/// A store that each process opens for itself: neither connections nor locks outlive a fork.
pub(crate) enum Store {
    Files { path: PathBuf, files: Files },
    Redis { url: Zeroizing<String>, key: StoreKey },
}

impl Store {
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(store) = object.cast::<FileStore>() {
            let store = store.get();
            return Ok(Self::Files { path: store.path.clone(), files: store.files.clone() });
        }
        match object.cast::<RedisStore>() {
            Ok(store) => {
                let store = store.get();
                Ok(Self::Redis { url: store.url.clone(), key: store.key.clone() })
            }
            Err(_) => Err(PyTypeError::new_err("a store is a FileStore or a RedisStore")),
        }
    }

    /// Opens it for this process. `is_child`: after a fork.
    fn open(&self, is_child: bool) -> Opened {
        match self {
            // A directory that cannot be opened again is used as it was, and its errors are told.
            Self::Files { path, files } if is_child => {
                Opened::Files(Files::open(path).unwrap_or_else(|_| files.clone()))
            }
            Self::Files { files, .. } => Opened::Files(files.clone()),
            Self::Redis { url, key } => {
                Opened::Redis(blocking::RedisStore::from_url(url, key.clone()).ok())
            }
        }
    }

    pub(crate) fn on_session(&self, builder: SessionBuilder, is_child: bool) -> SessionBuilder {
        match self.open(is_child) {
            Opened::Files(store) => builder.with_store(store),
            Opened::Redis(Some(store)) => builder.with_store(store),
            // The URL was read when the store was made.
            Opened::Redis(None) => builder,
        }
    }

    pub(crate) fn on_sessions(&self, builder: SessionsBuilder, is_child: bool) -> SessionsBuilder {
        match self.open(is_child) {
            Opened::Files(store) => builder.with_store(store),
            Opened::Redis(Some(store)) => builder.with_store(store),
            Opened::Redis(None) => builder,
        }
    }
}

enum Opened {
    Files(Files),
    Redis(Option<blocking::RedisStore>),
}
