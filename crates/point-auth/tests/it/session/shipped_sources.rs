//! The sources of the crate: a password file, and environment variables.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use point_auth::secrecy::ExposeSecret;
use point_auth::{
    CredentialReadError, EnvironmentCredentials, Error, ErrorKind, PasswordFile, ValueProblem,
};
use point_auth_testkit::Emulator;

use super::support::{World, texts};
use crate::support::{PASSWORD, USERNAME, runtime};

/// A temporary file of one test, removed on drop.
struct Temporary(PathBuf);

impl Temporary {
    fn none() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("point-auth-password-{}-{number}", process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn with(content: impl AsRef<[u8]>) -> Self {
        let file = Self::none();
        file.write(content);
        file
    }

    fn write(&self, content: impl AsRef<[u8]>) {
        fs::write(&self.0, content).unwrap();
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn source(&self) -> PasswordFile {
        PasswordFile::new(USERNAME, &self.0).unwrap()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_password_file_is_read_without_its_one_line_end() {
    for (content, password) in [
        ("pass word", "pass word"),
        ("pass word\n", "pass word"),
        ("pass word\r\n", "pass word"),
        ("pass word\n\n", "pass word\n"),
        ("pass word\r\n\r\n", "pass word\r\n"),
        ("pass word\r", "pass word\r"),
        (" pass\nword \n", " pass\nword "),
        ("pässwörd", "pässwörd"),
    ] {
        let credentials = Temporary::with(content).source().read().unwrap();
        assert_eq!(credentials.password().expose_secret(), password, "{content:?}");
        assert_eq!((credentials.username(), credentials.user_alias()), (USERNAME, None));
    }
    let longest = "x".repeat(4096);
    for end in ["", "\n", "\r\n"] {
        let credentials = Temporary::with(format!("{longest}{end}")).source().read().unwrap();
        assert_eq!(credentials.password().expose_secret(), longest);
    }
}

#[test]
fn a_password_file_may_have_an_alias() {
    let file = Temporary::with("password");
    let source = file.source().with_user_alias("jane.doe").unwrap();
    assert_eq!(source.read().unwrap().user_alias(), Some("jane.doe"));
    assert!(PasswordFile::new("", file.path()).is_err());
    assert!(file.source().with_user_alias("").is_err());
}

#[test]
fn a_file_without_a_password_is_named_and_not_quoted() {
    let too_long = format!("cAnArY{}", "x".repeat(4091));
    let longest_line = format!("cAnArY{}\r\n", "x".repeat(4090));
    for (content, expected) in [
        (None, ValueProblem::Missing),
        (Some(b"".as_slice()), ValueProblem::Empty),
        (Some(b"\n"), ValueProblem::Empty),
        (Some(b"\r\n"), ValueProblem::Empty),
        (Some(b"cAnArY\xFF\n"), ValueProblem::NotUnicode),
        (Some(too_long.as_bytes()), ValueProblem::TooLong),
        (Some(format!("{longest_line}cAnArY").as_bytes()), ValueProblem::TooLong),
        (Some(format!("{longest_line}\n").as_bytes()), ValueProblem::TooLong),
    ] {
        let file = content.map_or_else(Temporary::none, Temporary::with);
        let error = file.source().read().unwrap_err();
        let said = format!("{error} {error:?}");
        let name = file.path().file_name().unwrap().to_str().unwrap();
        assert!(said.contains(name) && !said.contains("cAnArY"), "{said}");
        match error {
            CredentialReadError::File { path, problem, .. } => {
                assert_eq!((&*path, problem), (file.path(), expected));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_file_of_a_tebibyte_is_refused_and_not_read() {
    let file = Temporary::none();
    // No file system has to store what was never written.
    let is_made = File::create(file.path()).unwrap().set_len(1 << 40).is_ok();
    if !is_made {
        file.write([0; 1 << 20]);
    }
    let error = file.source().read().unwrap_err();
    let is_too_long =
        matches!(error, CredentialReadError::File { problem: ValueProblem::TooLong, .. });
    assert!(is_too_long, "{error:?}");
}

#[test]
fn a_folder_is_not_read() {
    let source = PasswordFile::new(USERNAME, std::env::temp_dir()).unwrap();
    let error = source.read().unwrap_err();
    assert!(matches!(error, CredentialReadError::Unreadable { .. }), "{error:?}");
    assert!(std::error::Error::source(&error).is_some());
}

/// Opening a pipe without a writer would block the executor.
#[cfg(unix)]
#[test]
fn a_pipe_is_not_waited_for() {
    let pipe = Temporary::none();
    let made = process::Command::new("mkfifo").arg(pipe.path()).status().unwrap();
    assert!(made.success());
    let error = pipe.source().read().unwrap_err();
    assert!(matches!(error, CredentialReadError::Unreadable { .. }), "{error:?}");
}

#[test]
fn a_session_signs_in_with_a_password_file() {
    for content in [format!("{PASSWORD}\r\n"), format!("{PASSWORD}\n")] {
        let (world, file) = (World::new(), Temporary::with(&content));
        let session = world.builder().with_credential_source(file.source()).build();
        runtime().block_on(session.access_token()).unwrap();
        assert_eq!(world.sign_ins(), 1);

        let world = World::threads();
        let session = world.blocking_builder().with_credential_source(file.source()).build();
        session.access_token().unwrap();
        assert_eq!(world.sign_ins(), 1);
    }
}

#[test]
fn a_password_file_that_is_replaced_is_found_after_a_denial() {
    let (world, file, runtime) = (World::new(), Temporary::with("of last month\n"), runtime());
    let session = world.builder().with_credential_source(file.source()).build();
    let denied = runtime.block_on(session.access_token()).unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Denied);
    file.write(format!("{PASSWORD}\n"));
    world.time.advance(Duration::from_secs(60));
    runtime.block_on(session.access_token()).unwrap();
    assert_eq!(world.sign_ins(), 2);
}

/// Returns the typed error among the causes of `error`.
#[track_caller]
fn cause(error: &Error) -> &CredentialReadError {
    assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::Credentials, false));
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.into_iter().find_map(|cause| cause.downcast_ref()).expect("no typed error")
}

#[test]
fn the_error_names_the_missing_file() {
    let file = Temporary::none();
    let expected = format!("the password file {:?} is missing", file.path());

    let (world, runtime) = (World::new(), runtime());
    let session = world.builder().with_credential_source(file.source()).build();
    let waiting = runtime.spawn(async move { session.access_token().await });
    world.pass_until(|| waiting.is_finished());
    let error = runtime.block_on(waiting).unwrap().unwrap_err();
    assert_eq!(cause(&error).to_string(), expected);
    assert!(texts(&error).contains(&expected));

    let world = World::threads();
    let session = world.blocking_builder().with_credential_source(file.source()).build();
    let waiting = std::thread::spawn(move || session.access_token());
    world.pass_until(|| waiting.is_finished());
    assert_eq!(cause(&waiting.join().unwrap().unwrap_err()).to_string(), expected);
}

/// Cargo sets these for every test. Setting others would take unsafe code.
fn from_cargo() -> EnvironmentCredentials {
    EnvironmentCredentials::new()
        .with_username_variable("CARGO_PKG_NAME")
        .with_password_variable("CARGO_PKG_VERSION")
        .with_user_alias_variable("CARGO_PKG_RUST_VERSION")
}

fn knows_cargo() -> Emulator {
    let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    Emulator::builder().user(name, version).start().unwrap()
}

#[test]
fn a_session_signs_in_with_the_variables_that_are_named() {
    let world = World::of(knows_cargo(), point_auth::TokioRuntime::new());
    let session = world.builder().with_credential_source(from_cargo()).build();
    runtime().block_on(session.access_token()).unwrap();
    let sent = world.emulator.requests();
    let alias = sent.first().unwrap().user_alias();
    assert_eq!((sent.len(), alias), (1, Some(env!("CARGO_PKG_RUST_VERSION"))));

    let world = World::of(knows_cargo(), point_auth::ThreadRuntime::new());
    let session = world.blocking_builder().with_credential_source(from_cargo()).build();
    session.access_token().unwrap();
    assert_eq!(world.sign_ins(), 1);
}

#[test]
fn the_error_names_the_missing_variable() {
    let source = from_cargo().with_password_variable("POINT_AUTH_NO_SUCH_VARIABLE");
    let expected = "the environment variable POINT_AUTH_NO_SUCH_VARIABLE is missing";
    assert_eq!(source.read().unwrap_err().to_string(), expected);

    let (world, runtime) = (World::new(), runtime());
    let session = world.builder().with_credential_source(source).build();
    let waiting = runtime.spawn(async move { session.access_token().await });
    world.pass_until(|| waiting.is_finished());
    let error = runtime.block_on(waiting).unwrap().unwrap_err();
    assert_eq!(cause(&error).to_string(), expected);
}
