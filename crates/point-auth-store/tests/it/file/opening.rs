//! What an opening makes, and what it refuses.

use std::fs;
use std::os::unix::fs::symlink;

use point_auth_store::blocking::TokenStore;
use point_auth_store::{FileStore, FileStoreError, StoreKey};

use super::scratch::Scratch;
use super::{load, name};

#[test]
fn a_missing_directory_is_made_for_its_owner_alone() {
    let scratch = Scratch::new("made");
    let store = scratch.open();
    let name = name(&store, "jane");
    assert!(store.swap(&name, None, b"value", None).unwrap().done);
    assert_eq!(scratch.mode("store"), 0o700);
    let login = format!("store/logins/{}", name.login());
    for directory in ["store/holders", "store/logins", &login] {
        assert_eq!(scratch.mode(directory), 0o700, "{directory}");
    }
    let value = format!("{login}/{}", name.entry());
    for file in ["store/key", "store/format", "store/clock", "store/lock", &value] {
        assert_eq!(scratch.mode(file), 0o600, "{file}");
    }
    assert_eq!(scratch.names("store"), ["clock", "format", "holders", "key", "lock", "logins"]);
}

#[test]
fn a_second_opening_finds_the_key_and_the_values() {
    let scratch = Scratch::new("again");
    let store = scratch.open();
    let name_of_jane = name(&store, "jane");
    store.swap(&name_of_jane, None, b"value", None).unwrap();
    let again = FileStore::open(scratch.path("store/")).unwrap();
    assert_eq!(name(&again, "jane"), name_of_jane);
    assert_eq!(load(&again, &name_of_jane).unwrap(), b"value");
}

#[test]
fn a_key_that_was_put_there_is_taken() {
    let scratch = Scratch::new("own-key");
    fs::create_dir(scratch.path("store")).unwrap();
    scratch.set_mode("store", 0o700);
    let key = StoreKey::generate().unwrap();
    fs::write(scratch.path("store/key"), key.expose().as_bytes()).unwrap();
    scratch.set_mode("store/key", 0o600);
    scratch.open();
    let kept = fs::read_to_string(scratch.path("store/key")).unwrap();
    assert_eq!(kept, *key.expose());
}

#[test]
fn a_parent_that_is_missing_is_not_made() {
    let scratch = Scratch::new("parent");
    let error = FileStore::open(scratch.path("missing/store")).unwrap_err();
    assert!(matches!(error, FileStoreError::Io { action: "make", .. }), "{error:?}");
}

#[test]
fn a_directory_that_others_may_use_is_refused_and_left_alone() {
    for mode in [0o750, 0o705, 0o701, 0o720, 0o777] {
        let scratch = Scratch::new(&format!("exposed-{mode:o}"));
        fs::create_dir(scratch.path("store")).unwrap();
        scratch.set_mode("store", mode);
        let error = scratch.refusal("store");
        assert!(matches!(error, FileStoreError::Exposed { mode: found, .. } if found == mode));
        assert!(scratch.names("store").is_empty());
    }
}

#[test]
fn a_file_or_a_directory_in_it_that_others_may_use_is_refused() {
    let scratch = Scratch::new("exposed-parts");
    scratch.open();
    for (part, mode) in
        [("key", 0o644), ("key", 0o620), ("clock", 0o604), ("format", 0o640), ("logins", 0o755)]
    {
        let part = format!("store/{part}");
        let before = scratch.mode(&part);
        scratch.set_mode(&part, mode);
        assert!(matches!(scratch.refusal(&part), FileStoreError::Exposed { .. }), "{part}");
        scratch.set_mode(&part, before);
    }
    scratch.open();
}

#[test]
fn what_belongs_to_another_user_is_refused() {
    // Only root can give something away.
    let scratch = Scratch::new("owner");
    fs::create_dir(scratch.path("store")).unwrap();
    scratch.set_mode("store", 0o700);
    if std::os::unix::fs::chown(scratch.path("store"), Some(54_321), None).is_err() {
        return;
    }
    let error = scratch.refusal("store");
    assert!(matches!(error, FileStoreError::ForeignOwner { owner: 54_321, .. }), "{error:?}");
    std::os::unix::fs::chown(scratch.path("store"), Some(0), None).unwrap();
    scratch.open();
    std::os::unix::fs::chown(scratch.path("store/key"), Some(54_321), None).unwrap();
    let error = scratch.refusal("store/key");
    assert!(matches!(error, FileStoreError::ForeignOwner { .. }), "{error:?}");
}

#[test]
fn a_symbolic_link_is_refused_with_and_without_a_slash_at_its_end() {
    let scratch = Scratch::new("link");
    fs::create_dir(scratch.path("real")).unwrap();
    scratch.set_mode("real", 0o700);
    symlink(scratch.path("real"), scratch.path("store")).unwrap();
    for path in ["store", "store/", "store/."] {
        let error = FileStore::open(scratch.path(path)).unwrap_err();
        assert!(matches!(error, FileStoreError::Symlink { .. }), "{path}: {error:?}");
    }
    assert!(scratch.names("real").is_empty());
}

#[test]
fn links_in_place_of_its_files_and_directories_are_refused() {
    let scratch = Scratch::new("links");
    scratch.open();
    for part in ["key", "format", "clock", "logins", "holders"] {
        let (part, aside) = (format!("store/{part}"), scratch.path("aside"));
        fs::rename(scratch.path(&part), &aside).unwrap();
        symlink(&aside, scratch.path(&part)).unwrap();
        assert!(matches!(scratch.refusal(&part), FileStoreError::Symlink { .. }), "{part}");
        fs::remove_file(scratch.path(&part)).unwrap();
        fs::rename(&aside, scratch.path(&part)).unwrap();
    }
    scratch.open();
}

#[test]
fn a_file_in_place_of_the_directory_is_refused() {
    let scratch = Scratch::new("kind");
    fs::write(scratch.path("store"), "text").unwrap();
    let error = scratch.refusal("store");
    assert!(matches!(error, FileStoreError::WrongKind { expected: "directory", .. }), "{error:?}");
    assert_eq!(fs::read(scratch.path("store")).unwrap(), b"text");
}

#[test]
fn a_directory_in_place_of_the_key_is_refused() {
    let scratch = Scratch::new("key-kind");
    scratch.open();
    fs::remove_file(scratch.path("store/key")).unwrap();
    fs::create_dir(scratch.path("store/key")).unwrap();
    let error = scratch.refusal("store/key");
    assert!(matches!(error, FileStoreError::WrongKind { .. }), "{error:?}");
}

#[test]
fn a_directory_of_something_else_is_refused_and_left_alone() {
    let scratch = Scratch::new("home");
    fs::create_dir(scratch.path("store")).unwrap();
    scratch.set_mode("store", 0o700);
    fs::write(scratch.path("store/letter.txt"), "dear").unwrap();
    let error = scratch.refusal("store");
    assert!(
        matches!(&error, FileStoreError::NotAStore { name, .. } if name == "letter.txt"),
        "{error:?}"
    );
    assert_eq!(scratch.names("store"), ["letter.txt"]);
}

#[test]
fn a_key_file_without_a_key_is_refused_and_kept() {
    let scratch = Scratch::new("no-key");
    scratch.open();
    for content in [&b""[..], b"secret", &[0xff; 40], b"AAAA:BBBB"] {
        fs::write(scratch.path("store/key"), content).unwrap();
        let error = scratch.refusal("store/key");
        assert!(matches!(error, FileStoreError::Key { .. }), "{error:?}");
        assert!(!format!("{error:?} {error}").contains("secret"));
        assert_eq!(fs::read(scratch.path("store/key")).unwrap(), content);
    }
}

#[test]
fn a_key_that_was_removed_is_not_made_anew() {
    let scratch = Scratch::new("key-gone");
    scratch.open();
    fs::remove_file(scratch.path("store/key")).unwrap();
    let error = scratch.refusal("store/key");
    assert!(matches!(error, FileStoreError::Io { action: "read", .. }), "{error:?}");
    assert!(!scratch.path("store/key").exists());
}

#[test]
fn a_newer_format_is_refused_and_nothing_is_written() {
    let scratch = Scratch::new("newer");
    scratch.open();
    fs::write(scratch.path("store/format"), "point-auth-store 2\n").unwrap();
    fs::remove_file(scratch.path("store/clock")).unwrap();
    let before = scratch.content("store");
    assert!(matches!(scratch.refusal("store/format"), FileStoreError::Newer { .. }));
    assert_eq!(scratch.content("store"), before);
}

#[test]
fn a_format_that_makes_no_sense_is_refused() {
    let scratch = Scratch::new("format");
    scratch.open();
    for format in ["", "point-auth-store", "point-auth-store 0", "something 1"] {
        fs::write(scratch.path("store/format"), format).unwrap();
        let error = scratch.refusal("store/format");
        assert!(matches!(error, FileStoreError::Damaged { .. }), "{format}: {error:?}");
    }
}

#[test]
fn an_opening_that_was_killed_halfway_is_finished_by_the_next() {
    let scratch = Scratch::new("halfway");
    fs::create_dir(scratch.path("store")).unwrap();
    scratch.set_mode("store", 0o700);
    for left in ["lock", ".new"] {
        fs::write(scratch.path(&format!("store/{left}")), "half a k").unwrap();
        scratch.set_mode(&format!("store/{left}"), 0o600);
    }
    scratch.open();
    assert_eq!(scratch.names("store"), ["clock", "format", "holders", "key", "lock", "logins"]);
}
