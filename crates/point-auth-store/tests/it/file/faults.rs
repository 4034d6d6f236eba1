//! Faults while the store is open: an error that names the path, and the old content stays.

use std::error::Error;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use point_auth_store::blocking::TokenStore;
use point_auth_store::{EntryName, FileStore, StoreError};

use super::scratch::Scratch;
use super::{load, name};

/// The path of a value below the scratch directory.
fn file_of(name: &EntryName) -> String {
    format!("store/logins/{}/{}", name.login(), name.entry())
}

fn store_with_a_value(scratch: &Scratch) -> (FileStore, EntryName) {
    let store = scratch.open();
    let name = name(&store, "jane");
    assert!(store.swap(&name, None, b"old", None).unwrap().done);
    (store, name)
}

/// The error names this path in its causes, and the store in itself.
#[track_caller]
fn names_the_path(error: &StoreError, scratch: &Scratch, name: &str) {
    let (path, store) = (scratch.path(name), scratch.path("store"));
    assert!(error.to_string().contains(store.to_str().unwrap()), "{error}");
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains(path.to_str().unwrap()), "{cause}");
}

#[test]
fn a_leftover_of_a_killed_process_is_removed_by_the_next_change() {
    let scratch = Scratch::new("leftover");
    let (store, name) = store_with_a_value(&scratch);
    let login = format!("store/logins/{}", name.login());
    let leftover = scratch.path(&format!("{login}/.new"));
    fs::write(&leftover, "half").unwrap();
    assert_eq!(load(&store, &name).unwrap(), b"old");
    assert!(store.swap(&name, Some(b"old"), b"new", None).unwrap().done);
    assert_eq!(load(&store, &name).unwrap(), b"new");
    assert_eq!(scratch.names(&login), [".lock", name.entry()]);
}

#[test]
fn a_link_that_waits_for_the_next_change_is_not_written_through() {
    let scratch = Scratch::new("trap");
    let (store, name) = store_with_a_value(&scratch);
    fs::write(scratch.path("victim"), "precious").unwrap();
    let trap = scratch.path(&format!("store/logins/{}/.new", name.login()));
    symlink(scratch.path("victim"), trap).unwrap();
    assert!(store.swap(&name, Some(b"old"), b"new", None).unwrap().done);
    assert_eq!(fs::read(scratch.path("victim")).unwrap(), b"precious");
}

#[test]
fn a_link_in_place_of_a_value_is_refused() {
    let scratch = Scratch::new("value-link");
    let (store, name) = store_with_a_value(&scratch);
    let file = file_of(&name);
    fs::rename(scratch.path(&file), scratch.path("aside")).unwrap();
    symlink(scratch.path("aside"), scratch.path(&file)).unwrap();
    names_the_path(&store.load(&name).err().unwrap(), &scratch, &file);
    let swapped = store.swap(&name, Some(b"old"), b"new", None);
    names_the_path(&swapped.err().unwrap(), &scratch, &file);
    assert!(fs::read(scratch.path("aside")).unwrap().ends_with(b"old"));
}

#[test]
fn a_value_that_others_may_read_is_refused() {
    let scratch = Scratch::new("value-mode");
    let (store, name) = store_with_a_value(&scratch);
    let file = file_of(&name);
    scratch.set_mode(&file, 0o640);
    names_the_path(&store.load(&name).err().unwrap(), &scratch, &file);
    scratch.set_mode(&file, 0o600);
    assert_eq!(load(&store, &name).unwrap(), b"old");
}

#[test]
fn a_directory_in_place_of_a_value_is_refused() {
    let scratch = Scratch::new("value-kind");
    let (store, name) = store_with_a_value(&scratch);
    let file = file_of(&name);
    fs::remove_file(scratch.path(&file)).unwrap();
    fs::create_dir(scratch.path(&file)).unwrap();
    names_the_path(&store.load(&name).err().unwrap(), &scratch, &file);
}

#[test]
fn a_file_in_place_of_the_directory_of_a_login_is_an_error() {
    let scratch = Scratch::new("login-kind");
    let store = scratch.open();
    let name = name(&store, "jane");
    let login = format!("store/logins/{}", name.login());
    fs::write(scratch.path(&login), "").unwrap();
    names_the_path(&store.load(&name).err().unwrap(), &scratch, &login);
    let swapped = store.swap(&name, None, b"new", None);
    names_the_path(&swapped.err().unwrap(), &scratch, &login);
}

/// As on a read-only disk: nothing can be created. (To root, modes forbid nothing.)
#[test]
fn a_change_that_cannot_be_written_leaves_the_old_value() {
    let scratch = Scratch::new("no-room");
    let (store, name) = store_with_a_value(&scratch);
    let new = format!("store/logins/{}/.new", name.login());
    fs::create_dir(scratch.path(&new)).unwrap();
    let swapped = store.swap(&name, Some(b"old"), b"new", None);
    names_the_path(&swapped.err().unwrap(), &scratch, &new);
    assert_eq!(load(&store, &name).unwrap(), b"old");
    fs::remove_dir(scratch.path(&new)).unwrap();
    assert!(store.swap(&name, Some(b"old"), b"new", None).unwrap().done);
}

#[test]
fn a_directory_that_was_removed_is_an_error_and_not_made_anew() {
    let scratch = Scratch::new("removed");
    let (store, name) = store_with_a_value(&scratch);
    fs::remove_dir_all(scratch.path("store")).unwrap();
    assert!(load(&store, &name).is_none());
    let swapped = store.swap(&name, None, b"new", None);
    names_the_path(&swapped.err().unwrap(), &scratch, "store");
    assert!(!scratch.path("store").exists());
}

#[test]
fn a_value_that_is_shorter_than_its_head_is_a_value_that_can_be_replaced() {
    let scratch = Scratch::new("short");
    let (store, name) = store_with_a_value(&scratch);
    for length in 0..16 {
        let bytes = vec![b'x'; length];
        fs::write(scratch.path(&file_of(&name)), &bytes).unwrap();
        assert_eq!(load(&store, &name).unwrap(), bytes);
        assert!(store.swap(&name, Some(&bytes), b"new", None).unwrap().done);
    }
}

#[test]
fn what_has_expired_counts_as_missing_and_is_removed_a_day_later() {
    let scratch = Scratch::new("expired");
    let (store, name) = store_with_a_value(&scratch);
    let other = store.seals().alias_name(
        &point_auth_core::BaseUrl::production(),
        "jane",
        Some("kept for good"),
    );
    store.swap(&other, None, b"kept", None).unwrap();
    let hour = Duration::from_secs(3600);
    assert!(store.swap(&name, Some(b"old"), b"short", Some(hour)).unwrap().done);
    super::clock::passes(&scratch, hour - Duration::from_secs(60));
    assert_eq!(load(&scratch.open(), &name).unwrap(), b"short");
    super::clock::passes(&scratch, Duration::from_secs(60));
    let later = scratch.open();
    assert!(load(&later, &name).is_none());
    assert!(!later.swap(&name, Some(b"short"), b"new", None).unwrap().done);
    assert!(scratch.path(&file_of(&name)).exists());
    super::clock::a_day_ago(&scratch);
    scratch.open();
    assert!(!scratch.path(&file_of(&name)).exists());
    assert_eq!(load(&later, &other).unwrap(), b"kept");
    assert!(later.swap(&name, None, b"new", None).unwrap().done);
}

#[test]
fn files_of_holders_that_are_gone_are_removed_a_day_later() {
    let scratch = Scratch::new("old-holders");
    let store = scratch.open();
    let super::Verdict::Granted(grant) = super::sign_in(&store) else { panic!("not granted") };
    let alive = scratch.names("store/holders");
    let gone = scratch.path("store/holders/00000000000000000000000000000001");
    fs::write(&gone, "").unwrap();
    fs::set_permissions(&gone, fs::Permissions::from_mode(0o600)).unwrap();
    super::clock::a_day_ago(&scratch);
    scratch.open();
    assert_eq!(scratch.names("store/holders"), alive);
    drop(grant);
}
