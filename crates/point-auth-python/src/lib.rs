//! The extension module `point_auth._native`: sessions over ureq and threads, for Python.
//!
//! What is here needs Rust. What Python does as well is in `python/point_auth`: exceptions, the
//! classes for httpx and requests, waiting in asyncio. The rules are those of the crate `point-auth`;
//! this one adds what an interpreter asks for: its lock, its signals, its forks and its end.

mod callables;
mod errors;
mod fork;
mod gate;
mod operations;
mod process;
mod recipe;
mod runtime;
mod secrets;
mod session;
mod sessions;
mod settings;
mod stores;
mod transport;
mod waiting;

use pyo3::prelude::*;

/// Sessions over ureq and threads. Private: import `point_auth`.
#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use crate::errors::write_unraisable;
    #[pymodule_export]
    use crate::fork::{after_fork_in_child, after_fork_in_parent, before_fork};
    #[pymodule_export]
    use crate::gate::close;
    #[pymodule_export]
    use crate::operations::{Refresh, Request, SignIn, TokenSet};
    #[pymodule_export]
    use crate::secrets::{Credentials, StoredTokens};
    #[pymodule_export]
    use crate::session::{Opened, Session};
    #[pymodule_export]
    use crate::sessions::Sessions;
    #[pymodule_export]
    use crate::settings::Settings;
    #[pymodule_export]
    use crate::stores::{FileStore, RedisStore, generate_store_key};

    use super::{Bound, PyModule, PyModuleMethods, PyResult};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("PRODUCTION_URL", point_auth::BaseUrl::production().as_str())
    }
}
