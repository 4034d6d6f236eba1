//! The size of a program that signs in, with point-auth and by hand: crates, CPU time of a clean
//! build, stripped size.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use nix::sys::resource::UsageWho;

use crate::machine::cpu_time;

pub use crate::budget::crates;

/// The measurements of one program.
#[derive(Clone, Copy, Debug)]
pub struct Weight {
    /// Crates that are built into it, including itself.
    pub crates: usize,
    /// CPU seconds of a clean release build. They depend less on other load than elapsed time.
    pub build: f64,
    /// The size in bytes.
    pub size: u64,
}

/// Measures the program of `package` for a client, in a scratch folder that is emptied first.
///
/// # Errors
/// When it does not build.
pub fn weigh(workspace: &Path, package: &str, client: &str) -> io::Result<Weight> {
    let crates = crates(workspace, &format!("weight-{package}"), client)?.len();
    let target = scratch();
    match fs::remove_dir_all(&target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let name = format!("{package}-{client}");
    let start = cpu_time(UsageWho::RUSAGE_CHILDREN);
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--release", "--locked", "--jobs", "1"])
        .args(["--package", &format!("weight-{package}"), "--features", client, "--bin", &name])
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_PROFILE_RELEASE_STRIP", "symbols")
        .current_dir(workspace)
        .status()?;
    if !status.success() {
        return Err(io::Error::other(format!("{name}: {status}")));
    }
    let build = (cpu_time(UsageWho::RUSAGE_CHILDREN) - start).as_secs_f64();
    let size = fs::metadata(target.join("release").join(name))?.len();
    Ok(Weight { crates, build, size })
}

fn scratch() -> PathBuf {
    env::temp_dir().join(format!("point-auth-bench-weight-{}", std::process::id()))
}

/// Removes the scratch folder.
pub fn tidy_up() {
    drop(fs::remove_dir_all(scratch()));
}
