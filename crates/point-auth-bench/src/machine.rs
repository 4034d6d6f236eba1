//! The machine and the tools of a measurement.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use serde::Deserialize;

/// Returns the processor, the system and the compiler, in one line.
pub fn describe() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unknown processor", |(_, model)| model.trim());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let valgrind =
        first_line("valgrind", &["--version"]).unwrap_or_else(|| "no valgrind".to_owned());
    let rustc =
        first_line("rustc", &["--version"]).unwrap_or_else(|| "an unknown rustc".to_owned());
    let system = first_line("uname", &["-sr"]).unwrap_or_else(|| std::env::consts::OS.to_owned());
    format!("{model}, {cores} cores, {system}, {rustc}, {valgrind}")
}

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

/// Returns the versions of the peers and of the clients, from the lock file of this workspace.
pub fn versions(workspace: &Path) -> Vec<(&'static str, String)> {
    const NAMED: [&str; 15] = [
        "arc-swap",
        "aws-smithy-runtime",
        "azure_identity",
        "google-cloud-auth",
        "http",
        "huskarl",
        "hyper",
        "hyper-util",
        "io-oauth",
        "oauth2",
        "reqwest",
        "serde_json",
        "tokio",
        "ureq",
        "yup-oauth2",
    ];
    let text = fs::read_to_string(workspace.join("Cargo.lock")).unwrap_or_default();
    let lock: Lock = toml::from_str(&text).unwrap_or(Lock { package: Vec::new() });
    let versions: BTreeMap<String, String> =
        lock.package.into_iter().map(|package| (package.name, package.version)).collect();
    NAMED.iter().filter_map(|&name| Some((name, versions.get(name)?.clone()))).collect()
}

/// Returns the CPU time used so far by this process, or by its finished children, in the kernel and
/// in user code.
pub fn cpu_time(of_whom: UsageWho) -> Duration {
    let usage = getrusage(of_whom).unwrap();
    [usage.user_time(), usage.system_time()]
        .map(|time| {
            Duration::from_secs(time.tv_sec().try_into().unwrap())
                + Duration::from_micros(time.tv_usec().try_into().unwrap())
        })
        .into_iter()
        .sum()
}
