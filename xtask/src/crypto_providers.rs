//! One crypto provider in a build: programs as a user would write them, built and run. They stand
//! outside of the workspace, since features of its other members would count for them too.

use std::fs;
use std::path::Path;

use crate::run::{self, Failure, Report, cargo, verdict};
use crate::workspace::Workspace;

struct Program {
    name: &'static str,
    /// The file below `xtask/programs`.
    source: &'static str,
    /// As a user writes them; `{crates}` is where ours are.
    dependencies: &'static str,
    /// What it prints: how rustls calls the provider that the process ends up with.
    provider: &'static str,
}

const PROGRAMS: &[Program] = &[
    Program {
        name: "plain-rustls",
        source: "sign_in.rs",
        dependencies: r#"
            point-auth = { path = "{crates}/point-auth", features = ["hyper", "reqwest", "ureq"] }
            point-auth-hyper = { path = "{crates}/point-auth-hyper" }
            point-auth-reqwest = { path = "{crates}/point-auth-reqwest" }
            point-auth-ureq = { path = "{crates}/point-auth-ureq" }
            point-auth-testkit = { path = "{crates}/point-auth-testkit" }
            rustls = "0.23"
        "#,
        provider: "AwsLcRs",
    },
    Program {
        name: "ring",
        source: "sign_in.rs",
        dependencies: r#"
            point-auth = { path = "{crates}/point-auth", default-features = false, features = ["hyper", "reqwest", "ring", "ureq"] }
            point-auth-hyper = { path = "{crates}/point-auth-hyper", default-features = false, features = ["ring"] }
            point-auth-reqwest = { path = "{crates}/point-auth-reqwest", default-features = false, features = ["ring"] }
            point-auth-ureq = { path = "{crates}/point-auth-ureq", default-features = false, features = ["ring"] }
            point-auth-testkit = { path = "{crates}/point-auth-testkit", default-features = false, features = ["ring"] }
            rustls = { version = "0.23", default-features = false, features = ["std"] }
        "#,
        provider: "Ring",
    },
    Program {
        name: "own-provider",
        source: "own_provider.rs",
        dependencies: r#"
            point-auth = { path = "{crates}/point-auth", default-features = false, features = ["hyper", "reqwest", "ureq"] }
            point-auth-testkit = { path = "{crates}/point-auth-testkit", default-features = false, features = ["ring"] }
            rustls = { version = "0.23", default-features = false, features = ["ring", "std"] }
        "#,
        provider: "Ring",
    },
];

pub(crate) fn check(workspace: &Workspace) -> Report {
    // The programs are resolved by the lock file of the workspace, which has all they need.
    run::run(&mut cargo(["fetch", "--quiet"]))?;
    let mut complaints = Vec::new();
    for program in PROGRAMS {
        match run_program(workspace, program) {
            Ok(provider) if provider == program.provider => {
                println!("{:<14} {provider}", program.name);
            }
            Ok(provider) => complaints.push(format!(
                "{}: the provider is {provider} and not {}",
                program.name, program.provider
            )),
            Err(failure) => complaints.extend(failure.complaints),
        }
    }
    verdict(complaints)
}

fn run_program(workspace: &Workspace, program: &Program) -> Result<String, Failure> {
    let folder = workspace.target.join("crypto-providers").join(program.name);
    let manifest = folder.join("Cargo.toml");
    let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", folder.display()));
    fs::create_dir_all(&folder).map_err(failed)?;
    fs::write(&manifest, manifest_of(program, &workspace.root)).map_err(failed)?;
    fs::copy(workspace.root.join("Cargo.lock"), folder.join("Cargo.lock")).map_err(failed)?;
    let run = &mut cargo(["run", "--quiet", "--offline", "--manifest-path"]);
    let printed = run::output(run.arg(&manifest).arg("--target-dir").arg(&workspace.target))?;
    Ok(printed.trim().to_owned())
}

fn manifest_of(program: &Program, root: &Path) -> String {
    // TOML takes a slash on Windows too, but no backslash in a string.
    let root = root.display().to_string().replace('\\', "/");
    format!(
        "[workspace]\n\n[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[[bin]]\nname = \"{name}\"\n\
         path = \"{root}/xtask/programs/{source}\"\n\n[dependencies]\n{dependencies}\n\
         tokio = {{ version = \"1\", features = [\"rt\"] }}\n\n\
         [profile.dev]\ndebug = \"line-tables-only\"\n",
        name = program.name,
        source = program.source,
        dependencies = program.dependencies.replace("{crates}", &format!("{root}/crates")),
    )
}
