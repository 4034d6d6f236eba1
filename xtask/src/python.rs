//! `cargo xtask python`: the wheels of the wrapper for Python, in a fresh environment, with their
//! tests, their types and their examples.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{self, Failure, Report, cargo};
use crate::workspace::Workspace;

const WRAPPER: &str = "crates/point-auth-python";

/// The manifests of both wheels, from the wrapper.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "testing/Cargo.toml"];

const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// An interpreter that can make an environment, with pip in it.
const IS_FIT: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";

/// The task: as the step, but a machine without Python is a failure.
pub(crate) fn python() -> Report {
    let workspace = Workspace::load()?;
    let python = interpreter().ok_or_else(|| Failure::new(NO_PYTHON))?;
    let python = Python::new(&workspace, &python)?;
    python.install("test.txt")?;
    python.check()
}

/// The step of `cargo xtask ci`.
pub(crate) fn step(workspace: &Workspace) -> Report {
    let Some(interpreter) = interpreter() else { return Ok(vec![NO_PYTHON.to_owned()]) };
    let python = Python::new(workspace, &interpreter)?;
    // A machine may have Python and no way to its packages.
    match python.install("test.txt") {
        Ok(()) => python.check(),
        Err(_) => Ok(vec!["the wrapper for Python: its test packages cannot be fetched".into()]),
    }
}

/// `cargo xtask bench python`: holds the wrapper against its budget, beside its peers.
pub(crate) fn bench() -> Report {
    let workspace = Workspace::load()?;
    let interpreter = interpreter().ok_or_else(|| Failure::new(NO_PYTHON))?;
    let python = Python::new(&workspace, &interpreter)?;
    python.install("bench.txt")?;
    python.build()?;
    run::run(&mut python.command(&["bench/bench.py"]))?;
    Ok(Vec::new())
}

const NO_PYTHON: &str = "the wrapper for Python: no CPython 3.10 or later with venv and pip \
                         (Debian: python3-venv)";

/// The first that is fit: `$PYTHON`, or what the path has.
fn interpreter() -> Option<String> {
    let chosen = env::var("PYTHON").ok().filter(|python| !python.is_empty());
    let candidates = chosen.into_iter().chain(["python3".to_owned(), "python".to_owned()]);
    candidates.into_iter().find(|python| run::succeeds(python, &["-c", IS_FIT]))
}

/// The wrapper, and an environment of its own below the target folder.
struct Python {
    wrapper: PathBuf,
    target: PathBuf,
    program: PathBuf,
}

impl Python {
    fn new(workspace: &Workspace, interpreter: &str) -> Result<Self, Failure> {
        let target = workspace.target.join("python");
        let environment = target.join("environment");
        let make = &mut Command::new(interpreter);
        run::run(make.args(["-m", "venv", "--clear"]).arg(&environment))?;
        let program = match cfg!(windows) {
            true => environment.join("Scripts").join("python.exe"),
            false => environment.join("bin").join("python"),
        };
        Ok(Self { wrapper: workspace.root.join(WRAPPER), target, program })
    }

    fn check(&self) -> Report {
        let mut left_out = self.check_rust()?;
        self.build()?;
        // From the folder of the wrapper, whose `python` is not on the path: it is what was built
        // that is tested.
        run::run(&mut self.command(&["-X", "faulthandler", "-m", "pytest", "-q"]))?;
        let stubs = ["point_auth", "point_auth_testing", "--allowlist", "tests/stubtest.allow"];
        run::run(self.command(&["-m", "mypy.stubtest"]).args(stubs))?;
        run::run(&mut self.command(&["-m", "mypy"]))?;
        // It fetches itself at its first start, by way of npm.
        match run::succeeds(&self.program.to_string_lossy(), &["-m", "pyright", "--version"]) {
            true => {
                let mut pyright = self.command(&["-m", "pyright", "--pythonpath"]);
                run::run(pyright.arg(&self.program))?;
            }
            false => left_out.push("pyright, which cannot be fetched here".to_owned()),
        }
        Ok(left_out)
    }

    /// What the other steps check in the library's own workspace.
    fn check_rust(&self) -> Report {
        run::run(&mut self.cargo(&["fmt", "--all", "--check"]))?;
        let clippy = ["clippy", "--release", "--locked", "--workspace", "--", "-D", "warnings"];
        run::run(&mut self.cargo(&clippy))?;
        if !run::has_tool("deny", "0.20.2")? {
            return Ok(vec!["no cargo-deny (`cargo install --locked cargo-deny@0.20.2`)".into()]);
        }
        let mut deny = cargo(["deny", "--offline", "--all-features", "--manifest-path"]);
        deny.arg(self.wrapper.join("Cargo.toml")).arg("--config").arg("../../deny.toml");
        // What the list says of other workspaces is met by none of this one's crates.
        deny.args(["check", "--hide-inclusion-graph", "--allow", "unmatched-skip"]);
        deny.args(["--allow", "unused-wrapper", "bans", "licenses", "sources"]);
        run::run(deny.current_dir(&self.wrapper))?;
        Ok(Vec::new())
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = cargo(arguments);
        command.current_dir(&self.wrapper).env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// In the folder of the wrapper.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.wrapper);
        command
    }

    fn install(&self, requirements: &str) -> Result<(), Failure> {
        let mut pip = self.command(&["-m", "pip", "install", "--quiet", "--requirement"]);
        run::run(pip.arg(Path::new("requirements").join(requirements)))
    }

    /// Builds both wheels, as they are released, and installs them.
    fn build(&self) -> Result<(), Failure> {
        let wheels = self.target.join("wheels");
        // What an earlier version left would be installed, too.
        let _nothing_there = fs::remove_dir_all(&wheels);
        for manifest in MANIFESTS {
            let build = ["-m", "maturin", "build", "--release", "--locked", "--manifest-path"];
            let mut build = self.command(&build);
            build.arg(manifest).arg("--out").arg(&wheels).env("CARGO_TARGET_DIR", &self.target);
            run::run(build.arg("--interpreter").arg(&self.program))?;
        }
        let mut install = self.command(&["-m", "pip", "install", "--quiet", "--no-index"]);
        for wheel in wheels_in(&wheels)? {
            install.arg(wheel);
        }
        run::run(install.args(["--no-deps", "--force-reinstall"]))
    }
}

/// The wheels, none of which is larger than it may be.
fn wheels_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error| Failure::new(format!("{}: {error}", folder.display()));
    let mut wheels = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)?.flatten() {
        let (path, bytes) = (entry.path(), entry.metadata().map_err(failed)?.len());
        println!("{}: {} KiB", path.display(), bytes / 1024);
        if bytes > MOST_BYTES {
            return Err(Failure::new(format!("{}: larger than 4 MiB", path.display())));
        }
        wheels.push(path);
    }
    Ok(wheels)
}
