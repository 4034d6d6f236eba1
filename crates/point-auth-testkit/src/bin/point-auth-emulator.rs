//! The emulator as a program: serves until it is interrupted.

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::task::Poll;
use std::time::Duration;

use lexopt::prelude::*;
use point_auth_testkit::{Emulator, EmulatorBuilder};

const HELP: &str = "\
An emulator of the PointServices sign-in API on 127.0.0.1.

Usage: point-auth-emulator [OPTIONS]

Options:
      --port N                     Port to listen on [default: 0, a free one]
      --tls                        Speak TLS with a certificate of a throw-away authority
      --ca-file PATH               Where to write the authority's certificate in PEM, to be trusted by clients;
                                   replaces a regular file and nothing else
                                   [default: with --tls, a new private file in the directory for temporary
                                   files, which an interrupt removes]
      --user NAME:PASSWORD         A user that may sign in, with any alias; may be repeated
                                   [default: user@example.com:password]
      --access-token-life SECONDS  How long an access token lives [default: 3600]
      --path-prefix PATH           Serve the API below this path, for instance /gateway
      --protect PATH               Answer this path for a good access token alone, and say whose it is; may be
                                   repeated
  -h, --help                       Print this help
  -V, --version                    Print the version

Prints its base URL, and with TLS where the authority's certificate is, then serves until it is interrupted.
A password on a command line can be read by others on the machine: use made-up ones.
";

struct Options {
    port: u16,
    tls: bool,
    ca_file: Option<PathBuf>,
    users: Vec<(String, String)>,
    access_token_life: Option<Duration>,
    path_prefix: String,
    protected: Vec<String>,
}

enum Request {
    Run(Options),
    Print(String),
}

fn main() -> ExitCode {
    match parse() {
        Ok(Request::Print(text)) => finish(print(&text)),
        Ok(Request::Run(options)) => finish(run(options)),
        Err(error) => {
            complain(&format!("{error}\nTry --help."));
            ExitCode::from(2)
        }
    }
}

fn parse() -> Result<Request, lexopt::Error> {
    let mut options = Options {
        port: 0,
        tls: false,
        ca_file: None,
        users: Vec::new(),
        access_token_life: None,
        path_prefix: String::new(),
        protected: Vec::new(),
    };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Request::Print(HELP.to_owned())),
            Short('V') | Long("version") => {
                let version = env!("CARGO_PKG_VERSION");
                return Ok(Request::Print(format!("point-auth-emulator {version}\n")));
            }
            Long("port") => options.port = arguments.value()?.parse()?,
            Long("tls") => options.tls = true,
            Long("ca-file") => options.ca_file = Some(arguments.value()?.into()),
            Long("user") => {
                // Messages of ours: those of the parser would repeat the password.
                let user = arguments.value()?.string().map_err(|_| "--user wants Unicode")?;
                let (name, password) = user
                    .split_once(':')
                    .filter(|(name, password)| !name.is_empty() && !password.is_empty())
                    .ok_or("--user wants NAME:PASSWORD, neither of them empty")?;
                options.users.push((name.to_owned(), password.to_owned()));
            }
            Long("access-token-life") => {
                options.access_token_life = Some(Duration::from_secs(arguments.value()?.parse()?));
            }
            Long("path-prefix") => options.path_prefix = arguments.value()?.string()?,
            Long("protect") => options.protected.push(arguments.value()?.string()?),
            _ => return Err(argument.unexpected()),
        }
    }
    if options.ca_file.is_some() && !options.tls {
        return Err("--ca-file makes sense only with --tls".into());
    }
    if options.users.is_empty() {
        options.users.push(("user@example.com".to_owned(), "password".to_owned()));
    }
    Ok(Request::Run(options))
}

fn run(options: Options) -> Result<(), Failure> {
    let mut builder: EmulatorBuilder = Emulator::builder()
        .port(options.port)
        .path_prefix(options.path_prefix)
        .record_requests(false);
    for (name, password) in options.users {
        builder = builder.user(name, password);
    }
    for path in options.protected {
        builder = builder.protected_route(path);
    }
    if let Some(life) = options.access_token_life {
        builder = builder.access_token_life(life);
    }
    if options.tls {
        builder = builder.with_tls();
    }
    let emulator = builder.start()?;

    let mut announcement = format!("{}\n", emulator.base_url());
    // Until the end of this function, which removes a file of its own.
    let _file = match options.tls {
        true => {
            let file = CertificateFile::write(options.ca_file, emulator.ca_pem())?;
            announcement += &format!("{}\n", file.path.display());
            Some(file)
        }
        false => None,
    };
    print_and_serve(&announcement)?;
    Ok(())
}

/// The authority's certificate in a file.
struct CertificateFile {
    path: PathBuf,
    is_temporary: bool,
}

impl CertificateFile {
    /// Writes the certificate to `path`, or to a new private file that is removed in the end.
    fn write(path: Option<PathBuf>, pem: &str) -> Result<Self, Failure> {
        let is_temporary = path.is_none();
        let path = path.unwrap_or_else(|| std::env::temp_dir().join(fresh_name("pem")));
        let write = if is_temporary { create_private } else { create_or_replace };
        match write(&path, pem) {
            Ok(()) => Ok(Self { path, is_temporary }),
            Err(error) => Err(format!("could not write {}: {error}", path.display()).into()),
        }
    }
}

impl Drop for CertificateFile {
    fn drop(&mut self) {
        if self.is_temporary {
            // Its certificate is worth nothing any more, so that a file which stays does no harm.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Creates the file, or replaces a regular one in one step.
///
/// No link is followed: in a folder that others may write to, it can lead to any file of this user.
fn create_or_replace(path: &Path, text: &str) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => return Err(io::Error::other("it is a symbolic link")),
        Ok(found) if !found.is_file() => return Err(io::Error::other("it is not a regular file")),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(_) | Err(_) => {}
    }
    let new = path.with_file_name(fresh_name("new"));
    let file = File::create_new(&new)?;
    // A link that has come in between is replaced, too, and still not followed.
    let written = write_whole(file, text).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // What matters is why it could not be written.
        let _ = fs::remove_file(&new);
    }
    written
}

/// Creates a file that no other user can read or write; what is there already is not opened.
fn create_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    write_whole(options.open(path)?, text)
}

fn write_whole(mut file: File, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes())
}

/// A name that is not taken and cannot be foretold: the keys of a `RandomState` are random.
fn fresh_name(extension: &str) -> String {
    format!("point-auth-emulator-{:016x}.{extension}", RandomState::new().hash_one(()))
}

fn print_and_serve(announcement: &str) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let mut interrupt = pin!(tokio::signal::ctrl_c());
        // The first poll sets the handler, so that a reader of the announcement can interrupt
        // in good order.
        if let Poll::Ready(interrupted) =
            poll_fn(|cx| Poll::Ready(interrupt.as_mut().poll(cx))).await
        {
            return interrupted;
        }
        print(announcement)?;
        interrupt.await
    })
}

type Failure = Box<dyn std::error::Error>;

fn finish(result: Result<(), impl Into<Failure>>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    let error = error.into();
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        message += &format!(": {error}");
        source = error.source();
    }
    complain(&message);
    ExitCode::FAILURE
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

fn complain(message: &(impl Display + ?Sized)) {
    // Without standard error there is no place to report it.
    let _ = writeln!(io::stderr(), "point-auth-emulator: {message}");
}
