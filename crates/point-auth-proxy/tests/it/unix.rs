//! Listeners on Unix sockets, and files that are for their user alone.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use point_auth_proxy::{ClientKey, ClientKeyError, ListenError, Listener};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::support::{KEY, Served, World};

/// A folder that is removed on drop.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("point-auth-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn with_mode(self, mode: u32) -> Self {
        set_mode(&self.0, mode);
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

async fn get(path: &Path, more: &str) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    let head = format!("GET /loans HTTP/1.1\r\nConnection: close\r\n{more}\r\n");
    drop(stream.write_all(head.as_bytes()).await);
    let mut text = String::new();
    drop(stream.read_to_string(&mut text).await);
    text
}

#[tokio::test]
async fn programs_of_the_same_user_need_no_client_key_and_any_host_will_do() {
    let folder = Folder::new("same-user").with_mode(0o700);
    let mut world = World::new();
    let path = folder.path("proxy.sock");
    world.served = Served::on(world.served.proxy.clone(), Listener::unix(&path).unwrap());
    assert!(get(&path, "Host: anything\r\n").await.starts_with("HTTP/1.1 200 "));
    // HTTP/1.1 asks for one host.
    assert!(get(&path, "").await.starts_with("HTTP/1.1 400 "));
    assert!(get(&path, "Host: a\r\nHost: b\r\n").await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn the_socket_and_its_folder_are_for_their_user_alone() {
    let folder = Folder::new("modes");
    let path = folder.path("made/proxy.sock");
    let listener = Listener::unix(&path).unwrap();
    let metadata = fs::metadata(&path).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(folder.path("made")).unwrap().mode() & 0o777, 0o700);
    drop(listener);
    assert!(!path.exists());
    for mode in [0o755, 0o750, 0o701, 0o770] {
        set_mode(&folder.path("made"), mode);
        let error = Listener::unix(&path).unwrap_err();
        assert!(matches!(error, ListenError::Folder { .. }), "{mode:o}: {error}");
    }
    set_mode(&folder.path("made"), 0o700);
    std::os::unix::fs::symlink(folder.path("made"), folder.path("link")).unwrap();
    let error = Listener::unix(folder.path("link/proxy.sock")).unwrap_err();
    assert!(matches!(error, ListenError::Folder { .. }), "{error}");
}

#[tokio::test]
async fn a_socket_that_was_left_behind_is_replaced_and_one_in_use_is_not() {
    let folder = Folder::new("left-behind").with_mode(0o700);
    let path = folder.path("proxy.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let listener = Listener::unix(&path).unwrap();
    let error = Listener::unix(&path).unwrap_err();
    assert!(matches!(error, ListenError::InUse { .. }), "{error}");
    drop(listener);
    fs::write(&path, "a file").unwrap();
    let error = Listener::unix(&path).unwrap_err();
    assert!(matches!(error, ListenError::InUse { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "a file");
}

#[tokio::test]
async fn a_listener_does_not_remove_the_socket_of_its_successor() {
    let folder = Folder::new("successor").with_mode(0o700);
    let path = folder.path("proxy.sock");
    let listener = Listener::unix(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let successor = UnixListener::bind(&path).unwrap();
    drop(listener);
    assert!(path.exists());
    drop(successor);
}

/// curl as another user, which only root can start.
async fn curl_as(user: u32, path: &Path) -> Option<String> {
    let mut command = Command::new("curl");
    command.args(["-s", "-m", "60", "--unix-socket"]).arg(path).arg("http://localhost/loans");
    command.uid(user);
    let running = tokio::task::spawn_blocking(move || command.output());
    let output = running.await.unwrap().ok()?;
    Some(String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn a_program_of_another_user_is_refused_even_where_modes_let_it_connect() {
    const OTHER: u32 = 65534;
    let folder = Folder::new("other-user").with_mode(0o755);
    let path = folder.path("proxy.sock");
    // As socket activation may hand it over.
    let listener = || {
        drop(fs::remove_file(&path));
        let listener = UnixListener::bind(&path).unwrap();
        set_mode(&path, 0o666);
        Listener::from_unix(listener).unwrap()
    };
    let mut world = World::new();
    world.served = Served::on(world.served.proxy.clone(), listener());
    assert!(get(&path, "Host: x\r\n").await.contains("from the API"));
    let Some(text) = curl_as(OTHER, &path).await else {
        eprintln!("skipped: no curl, or no right to start it as another user");
        return;
    };
    assert_eq!(text, "");
    world.served = Served::on(world.served.proxy.clone(), listener().with_user(OTHER));
    assert_eq!(curl_as(OTHER, &path).await.unwrap(), "from the API");
}

#[test]
fn a_client_key_comes_from_a_file_for_its_user_alone() {
    let folder = Folder::new("client-key");
    let path = folder.path("key");
    for text in [KEY.to_owned(), format!("{KEY}\n"), format!("{KEY}\r\n")] {
        fs::write(&path, text).unwrap();
        for mode in [0o600, 0o400] {
            set_mode(&path, mode);
            ClientKey::from_file(&path).unwrap();
        }
        set_mode(&path, 0o600);
    }
    for mode in [0o640, 0o604, 0o620, 0o777] {
        set_mode(&path, mode);
        let error = ClientKey::from_file(&path).unwrap_err();
        assert!(matches!(error, ClientKeyError::NotPrivate { .. }), "{mode:o}: {error}");
    }
    set_mode(&path, 0o600);
    for text in [format!("{KEY}\n\n"), format!(" {KEY}"), "a".repeat(10_000), String::new()] {
        fs::write(&path, text).unwrap();
        let error = ClientKey::from_file(&path).unwrap_err();
        assert!(!error.to_string().contains(KEY));
    }
    assert!(ClientKey::from_file(folder.path("missing")).is_err());
    assert!(ClientKey::from_file(&folder.0).is_err());
}
