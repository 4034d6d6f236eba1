//! The repository's own conventions, as far as a program can see them and no other program does.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use crate::run::{Failure, Report, verdict};
use crate::workspace::Workspace;

/// The text files by path from the root, with `/` on every system.
type Tree = BTreeMap<String, String>;

const MOST_LINES: usize = 400;

/// Clippy sees macros; this holds for comments and attributes.
const LEFT_OPEN: &[&str] = &["#[ignore", "FIXME", "TODO"];

/// Integration binaries beside `tests/it`: an allocator or a logger is for a whole process, and a
/// machine may lack the servers of others.
const OTHER_TEST_BINARIES: &[&str] = &[
    "crates/point-auth-cli/tests/proxy/main.rs",
    "crates/point-auth-core/tests/residue.rs",
    "crates/point-auth-core/tests/session/main.rs",
    "crates/point-auth/tests/fleet/main.rs",
    "crates/point-auth/tests/leaks/main.rs",
    "crates/point-auth/tests/memory/main.rs",
    "crates/point-auth/tests/peers/main.rs",
    "crates/point-auth/tests/residue/main.rs",
    "crates/point-auth/tests/tracing/main.rs",
];

/// Where the oldest supported Rust is said, besides the root's Cargo.toml.
const SAY_THE_OLDEST_RUST: &[&str] =
    &["README.md", "CONTRIBUTING.md", "UPGRADING.md", ".github/workflows/ci.yml"];

/// A global allocator is unsafe to write.
const OWN_LINTS: &str = "crates/scanning-allocator/Cargo.toml";

/// In pieces, so that this file names none.
const REGISTRIES: &[&str] = &[
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("npmjs", ".org"),
    concat!("deb.debian", ".org"),
    concat!("static.rust-lang", ".org"),
];

pub(crate) fn check(workspace: &Workspace) -> Report {
    let mut tree = Tree::new();
    read_folder(&mut tree, &workspace.root, "")?;
    let mut complaints = oldest_rust(&tree);
    complaints.extend(tree.iter().flat_map(|(path, text)| check_file(path, text, &tree)));
    verdict(complaints)
}

fn read_folder(tree: &mut Tree, folder: &Path, prefix: &str) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("{}: {error}", folder.display()));
    for entry in fs::read_dir(folder).map_err(failed)?.flatten() {
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if is_generated(&entry.file_name()) {
        } else if entry.path().is_dir() {
            read_folder(tree, &entry.path(), &format!("{path}/"))?;
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            tree.insert(path, text);
        }
    }
    Ok(())
}

/// Folders that builds make.
pub(crate) fn is_generated(name: &OsStr) -> bool {
    name == "target" || name == ".git" || name == "book"
}

fn check_file(path: &str, text: &str, tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut complain = |what: &str| complaints.push(format!("{path}: {what}"));
    let (_, name) = path.rsplit_once('/').unwrap_or(("", path));
    if name != "Cargo.lock" && REGISTRIES.iter().any(|registry| text.contains(registry)) {
        complain("names the host of a package registry");
    }
    if let ["crates", _, "Cargo.toml"] = path.split('/').collect::<Vec<_>>().as_slice() {
        check_manifest(path, text, tree).iter().for_each(|what| complain(what));
    }
    if !name.ends_with(".rs") {
        return complaints;
    }
    let is_source = path.starts_with("crates/") && path.contains("/src/");
    if is_source && text.lines().count() > MOST_LINES {
        complain("has more than 400 lines");
    }
    if !text.starts_with("//! ") {
        complain("does not open with `//!`");
    }
    if path == "xtask/src/tidy.rs" {
        return complaints;
    }
    for word in LEFT_OPEN.iter().filter(|word| text.contains(*word)) {
        complain(&format!("`{word}` leaves something open"));
    }
    if text.contains("]\nfn test_")
        || text.contains("]\n    fn test_")
        || text.contains("async fn test_")
    {
        complain("the name of a test is a sentence, without `test_`");
    }
    // Where tokio's clock is paused, a sleep takes no time.
    let words: &[&str] = match text.contains("start_paused = true") {
        true => &["thread::sleep("],
        false => &["::sleep(", " sleep("],
    };
    let sleeps = |line: &str| {
        let line = line.trim_start();
        !line.starts_with("//") && words.iter().any(|word| line.contains(word))
    };
    if path.starts_with("crates/") && path.contains("/tests/") && text.lines().any(sleeps) {
        complain("a test does not sleep to wait for something");
    }
    if is_second_test_binary(path) {
        complain("integration tests go under tests/it");
    }
    complaints
}

fn is_second_test_binary(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let is_binary = match parts.as_slice() {
        ["crates", _, "tests", file] => file.ends_with(".rs"),
        ["crates", _, "tests", folder, "main.rs"] => *folder != "it",
        _ => false,
    };
    is_binary && !OTHER_TEST_BINARIES.contains(&path)
}

/// The lints, and that each feature has a comment above it and a place in the crate's docs.
fn check_manifest(path: &str, text: &str, tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    let is_workspace = text.lines().any(|line| line == "[workspace]");
    if !is_workspace && path != OWN_LINTS && !text.contains("[lints]\nworkspace = true") {
        complaints.push("does not take the lints of the workspace".to_owned());
    }
    let file = |name: &str| tree.get(&path.replace("Cargo.toml", name)).map_or("", String::as_str);
    let library = file("src/lib.rs");
    // A program has no crate docs but its README.
    let is_program = library.is_empty();
    let readme =
        if is_program || library.contains("README.md\")") { file("README.md") } else { "" };
    let features = text.lines().skip_while(|line| *line != "[features]").skip(1);
    let mut above = "";
    for line in features.take_while(|line| !line.starts_with('[')) {
        if let Some((feature, _)) = line.split_once(" = [").filter(|(name, _)| *name != "default") {
            let in_docs = format!("`{feature}`");
            if !above.starts_with('#') {
                complaints.push(format!("no comment stands above the feature `{feature}`"));
            }
            if !is_workspace && !library.contains(&in_docs) && !readme.contains(&in_docs) {
                complaints.push(format!("the crate's docs do not name the feature `{feature}`"));
            }
        }
        above = line;
    }
    complaints
}

fn oldest_rust(tree: &Tree) -> Vec<String> {
    let root = tree.get("Cargo.toml").map_or("", String::as_str);
    let version = root.split_once("\nrust-version = \"").and_then(|(_, rest)| rest.split_once('"'));
    let Some((version, _)) = version else { return vec!["Cargo.toml: no rust-version".into()] };
    let is_silent = |file: &&&str| tree.get(**file).is_none_or(|text| !text.contains(version));
    let complaint = |file: &&str| format!("{file}: does not say that Rust {version} is the oldest");
    SAY_THE_OLDEST_RUST.iter().filter(is_silent).map(complaint).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(path: &str, text: &str) -> usize {
        check_file(path, text, &Tree::new()).len()
    }

    #[test]
    fn each_broken_convention_of_a_rust_file_is_found() {
        let (source, test) = ("crates/a/src/b.rs", "crates/a/tests/it/b.rs");
        let long = format!("//! B.\n{}", "//\n".repeat(399));
        let paused = "//! B.\n#[tokio::test(start_paused = true)]\n";
        for (path, text, expected) in [
            (source, long.as_str(), 0),
            (source, &format!("{long}//\n"), 1),
            (test, &format!("{long}//\n"), 0),
            (source, "use std::fmt;\n", 1),
            (source, "//! B.\n// TODO: more\n", 1),
            (source, "//! B.\n#[test]\n#[ignore]\nfn a() {}", 1),
            (source, "//! B.\nmod tests {\n    #[test]\n    fn test_it() {}\n}", 1),
            (test, "//! B.\n#[test]\nfn test_it() {}", 1),
            (test, "//! B.\n#[test]\nfn it_holds() {}\n\nfn test_server() {}", 0),
            (test, "//! B.\n    thread::sleep(A_MOMENT);", 1),
            (test, "//! B.\n    // never sleep(A_MOMENT)", 0),
            (test, &format!("{paused}time::sleep(A_MOMENT).await;"), 0),
            (test, &format!("{paused}thread::sleep(A_MOMENT);"), 1),
            ("crates/a/tests/more.rs", "//! B.\n", 1),
            ("crates/a/tests/more/main.rs", "//! B.\n", 1),
            ("crates/a/tests/it/main.rs", "//! B.\n", 0),
            (OTHER_TEST_BINARIES[0], "//! B.\n", 0),
        ] {
            assert_eq!(complaints(path, text), expected, "{path}: {text}");
        }
    }

    #[test]
    fn each_registry_is_found_but_not_in_a_lock_file() {
        for registry in REGISTRIES {
            assert_eq!(complaints("docs/a.md", &format!("https://{registry}/")), 1, "{registry}");
            assert_eq!(complaints("Cargo.lock", registry), 0);
        }
    }

    #[test]
    fn a_feature_needs_a_comment_and_a_place_in_the_docs_and_a_crate_the_lints() {
        let manifest = "[features]\ndefault = []\n# B.\nb = []\n\n[lints]\nworkspace = true\n";
        let check = |manifest: &str, docs: &str| {
            let tree = Tree::from([("crates/a/src/lib.rs".to_owned(), docs.to_owned())]);
            check_file("crates/a/Cargo.toml", manifest, &tree).len()
        };
        assert_eq!(check(manifest, "//! `b`\n"), 0);
        assert_eq!(check(manifest, "//! b\n"), 1);
        assert_eq!(check(&manifest.replace("# B.\n", ""), "//! `b`\n"), 1);
        assert_eq!(check(&manifest.replace("workspace = true", ""), "//! `b`\n"), 1);
    }

    #[test]
    fn another_oldest_rust_is_found_wherever_it_is_said() {
        let manifest = "[workspace.package]\nrust-version = \"1.88\"\n";
        let tree = |said: &str| -> Tree {
            let files = SAY_THE_OLDEST_RUST.iter().map(|file| (*file, said));
            files
                .chain([("Cargo.toml", manifest)])
                .map(|(p, t)| (p.to_owned(), t.to_owned()))
                .collect()
        };
        assert_eq!(oldest_rust(&tree("Rust 1.88")), [""; 0]);
        assert_eq!(oldest_rust(&tree("Rust 1.85")).len(), SAY_THE_OLDEST_RUST.len());
        assert_eq!(oldest_rust(&Tree::new()).len(), 1);
    }
}
