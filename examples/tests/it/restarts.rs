//! The book's ways to survive a restart.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use point_auth::blocking::{Client, Session, SessionBuilder};
use point_auth::{BaseUrl, Credentials, UreqTransport};
use point_auth_examples::token_file::{TokenFile, start};
use point_auth_testkit::{Emulator, Operation};

/// A folder that is removed with this value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("point-auth-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _removed = fs::remove_dir_all(&self.0);
    }
}

fn builder(emulator: &Emulator) -> SessionBuilder {
    let base_url = BaseUrl::parse(&emulator.base_url()).unwrap();
    let client = Client::new(UreqTransport::new().unwrap()).with_base_url(base_url);
    let credentials = Credentials::new("user@example.com", "correct horse").unwrap();
    Session::builder(client).with_credentials(credentials)
}

/// Gets a token, and waits until it is stored, which is after the caller has it.
fn token_is_stored(session: &Session, path: &Path) {
    session.access_token().unwrap();
    let limit = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !path.exists() {
        assert!(std::time::Instant::now() < limit, "nothing is stored");
        std::thread::yield_now();
    }
}

#[test]
fn a_restart_finds_the_tokens_that_only_this_user_can_read() {
    let emulator = Emulator::builder().user("user@example.com", "correct horse").start().unwrap();
    let folder = Folder::new("token-file");
    let path = folder.0.join("tokens.json");
    let file = TokenFile::new(&path);
    // What a crash has left, for all to read.
    fs::write(folder.0.join("tokens.new"), "half of").unwrap();

    token_is_stored(&start(builder(&emulator), &file), &path);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    start(builder(&emulator), &file).access_token().unwrap();
    assert_eq!(emulator.count(Operation::SignIn), 1);
}

#[cfg(unix)]
#[test]
fn a_store_in_a_folder_survives_restarts_of_programs_that_end_with_their_first_token() {
    use point_auth::FileStore;

    let emulator = Emulator::builder().user("user@example.com", "correct horse").start().unwrap();
    let folder = Folder::new("store");
    for _ in 0..5 {
        let store = FileStore::open(folder.0.join("tokens")).unwrap();
        builder(&emulator).with_store(store).build().access_token().unwrap();
    }
    assert_eq!(emulator.count(Operation::SignIn), 1);
}

#[test]
fn a_file_of_something_else_leads_to_a_sign_in() {
    let emulator = Emulator::builder().user("user@example.com", "correct horse").start().unwrap();
    let folder = Folder::new("other-file");
    let path = folder.0.join("tokens.json");
    fs::write(&path, "{}").unwrap();
    start(builder(&emulator), &TokenFile::new(&path)).access_token().unwrap();
    assert_eq!(emulator.count(Operation::SignIn), 1);
}
