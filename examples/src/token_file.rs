//! Tokens in a file of a form that you choose, by an observer. It is for what a
//! [`FileStore`](point_auth::FileStore) does not do.
#![expect(clippy::print_stderr, reason = "an example prints")]

// ANCHOR: file
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use point_auth::blocking::{Session, SessionBuilder};
use point_auth::session::StoredTokens;
use point_auth::{Observer, SecretBody};

/// Keeps the tokens of one session in a file.
#[derive(Clone, Debug)]
pub struct TokenFile(PathBuf);

impl TokenFile {
    /// Creates an observer that keeps the tokens in the file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Returns the stored tokens, if they can be read. Otherwise the session signs in.
    pub fn load(&self) -> Option<StoredTokens> {
        // Wiped on drop.
        let json = SecretBody::new(fs::read(&self.0).ok()?);
        StoredTokens::from_json(json.as_ref()).ok()
    }

    fn save(&self, tokens: Option<&StoredTokens>) -> io::Result<()> {
        let Some(tokens) = tokens else { return remove(&self.0) };
        // Written to another file first, so that a reader always finds a complete one, even after a
        // crash. One that a crash has left is removed, since it keeps its mode.
        let new = self.0.with_extension("new");
        remove(&new)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // The tokens are as secret as a password, whatever the umask is.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new)?;
        file.write_all(tokens.expose_json().as_ref())?;
        file.sync_all()?;
        fs::rename(&new, &self.0)
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Observer for TokenFile {
    fn tokens_changed(&self, _user_alias: Option<&str>, tokens: Option<&StoredTokens>) {
        if let Err(error) = self.save(tokens) {
            eprintln!("the tokens are not stored: {error}");
        }
    }
}
// ANCHOR_END: file

// ANCHOR: session
/// Builds a session that takes up the stored tokens and stores those that follow.
pub fn start(builder: SessionBuilder, file: &TokenFile) -> Session {
    let session = builder.with_observer(file.clone()).build();
    if let Some(tokens) = file.load()
        && let Err(error) = session.restore(tokens)
    {
        eprintln!("{error}, so that it signs in");
    }
    session
}
// ANCHOR_END: session
