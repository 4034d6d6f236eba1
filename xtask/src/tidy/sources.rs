//! Rules about Rust files.

use super::tree::{Tree, parts};

const MOST_LINES: usize = 400;

/// Files that may be longer, each with the reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Integration binaries beside `tests/it`, each with the reason.
const OTHER_TEST_BINARIES: &[(&str, &str)] = &[
    (
        "crates/point-auth-core/tests/residue.rs",
        "an allocator that searches freed memory is for the whole process",
    ),
    (
        "crates/point-auth-core/tests/session/main.rs",
        "an allocator that searches freed memory is for the whole process",
    ),
    ("crates/point-auth/tests/leaks/main.rs", "a logger is for the whole process"),
    ("crates/point-auth/tests/memory/main.rs", "an allocator that counts is for the whole process"),
    ("crates/point-auth/tests/peers/main.rs", "servers of others, which a machine may not have"),
    (
        "crates/point-auth/tests/residue/main.rs",
        "an allocator that searches freed memory is for the whole process",
    ),
];

/// Clippy catches the macros where it looks; this also holds in doc comments, macros and code
/// behind a `cfg`.
const LEFT_OPEN: &[&str] =
    &["todo!(", "unimplemented!(", "dbg!(", "#[ignore", "FIXME", "TODO", "XXX"];

const PRINTS: &[&str] = &["println!(", "print!(", "eprintln!(", "eprint!("];

/// Core never does I/O, never reads a clock, never draws a random number, never spawns.
const IMPURE: &[&str] = &[
    "Instant::now",
    "SystemTime::now",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "std::fs",
    "std::env",
    "std::thread",
    "std::process",
    "std::io::std",
    "RandomState",
    "getrandom",
    "rand::",
    "tokio::",
];

pub(crate) fn modules_stand_beside_their_folder(tree: &Tree) -> Vec<String> {
    let bad = tree.rust().filter(|(path, _)| parts(path).last() == Some(&"mod.rs"));
    bad.map(|(path, _)| format!("{path}: `foo.rs` stands beside `foo/`; there is no mod.rs"))
        .collect()
}

pub(crate) fn every_module_says_what_it_is(tree: &Tree) -> Vec<String> {
    let bad = tree.rust().filter(|(_, text)| !text.starts_with("//! "));
    bad.map(|(path, _)| format!("{path}: does not open with `//!`")).collect()
}

pub(crate) fn no_file_is_too_long(tree: &Tree) -> Vec<String> {
    let long = |text: &str| text.lines().count() > MOST_LINES;
    let excepted = |path: &str| LONG_FILES.iter().any(|(file, _)| *file == path);
    let bad = tree.rust_of_crates("src").filter(|(path, text)| long(text) && !excepted(path));
    let stale = LONG_FILES.iter().filter(|(file, _)| !tree.get(file).is_some_and(long));
    bad.map(|(path, text)| {
        format!("{path}: {} lines, more than {MOST_LINES}", text.lines().count())
    })
    .chain(stale.map(|(file, _)| format!("{file}: is listed as a long file and is none")))
    .collect()
}

pub(crate) fn nothing_is_left_open(tree: &Tree) -> Vec<String> {
    let ours = tree.rust().filter(|(path, _)| !path.starts_with("xtask/"));
    ours.flat_map(|(path, text)| lines_with(path, text, LEFT_OPEN, |_| true)).collect()
}

/// Programs may, and so may examples in doc comments.
pub(crate) fn libraries_do_not_print(tree: &Tree) -> Vec<String> {
    let program = |path: &str| path.contains("/src/bin/") || path.ends_with("/src/main.rs");
    let ours = tree.rust_of_crates("src").filter(|(path, _)| !program(path));
    ours.flat_map(|(path, text)| lines_with(path, text, PRINTS, is_code)).collect()
}

pub(crate) fn core_stays_pure(tree: &Tree) -> Vec<String> {
    let ours =
        tree.rust_of_crates("src").filter(|(path, _)| path.starts_with("crates/point-auth-core/"));
    ours.flat_map(|(path, text)| lines_with(path, text, IMPURE, is_code)).collect()
}

pub(crate) fn test_names_are_sentences(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in tree.rust() {
        let mut after_attribute = false;
        for (number, line) in numbered(text) {
            if is_test_attribute(line) {
                after_attribute = true;
            } else if let Some((_, name)) = line.split_once("fn ") {
                if after_attribute && name.starts_with("test_") {
                    complaints.push(format!(
                        "{path}:{number}: a test's name is a sentence, without `test_`"
                    ));
                }
                after_attribute = false;
            }
        }
    }
    complaints
}

/// A test that sleeps to wait for something fails on a slow machine, and is slow on a fast one.
/// Where tokio's clock is paused, a sleep takes no time.
pub(crate) fn tests_do_not_sleep(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in tree.rust_of_crates("tests") {
        let words: &[&str] =
            if text.contains("start_paused = true") { &["thread::sleep"] } else { &["sleep("] };
        complaints.extend(lines_with(path, text, words, is_code));
    }
    complaints
}

/// Each one is linked by itself; ten of them take ten times as long.
pub(crate) fn one_integration_binary_per_crate(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, _) in tree.rust() {
        let is_binary = match parts(path).as_slice() {
            ["crates", _, "tests", file] => file.ends_with(".rs"),
            ["crates", _, "tests", folder, "main.rs"] => *folder != "it",
            _ => false,
        };
        if is_binary && !OTHER_TEST_BINARIES.iter().any(|(file, _)| *file == path) {
            complaints.push(format!("{path}: integration tests go under tests/it"));
        }
    }
    let stale = OTHER_TEST_BINARIES.iter().filter(|(file, _)| tree.get(file).is_none());
    complaints.extend(
        stale.map(|(file, _)| format!("{file}: is listed as a test binary and is not there")),
    );
    complaints
}

/// `#[test]`, `#[tokio::test]`, `#[tokio::test(…)]` and the like.
fn is_test_attribute(line: &str) -> bool {
    let Some(attribute) = line.trim_start().strip_prefix("#[") else { return false };
    let path = attribute.split(['(', ']']).next().unwrap_or_default();
    path.rsplit("::").next() == Some("test")
}

fn is_code(line: &str) -> bool {
    !line.trim_start().starts_with("//")
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().zip(1..).map(|(line, number)| (number, line))
}

fn lines_with(path: &str, text: &str, words: &[&str], counts: fn(&str) -> bool) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, line) in numbered(text).filter(|(_, line)| counts(line)) {
        for word in words.iter().filter(|word| contains_word(line, word)) {
            complaints.push(format!("{path}:{number}: `{word}` has no place here"));
        }
    }
    complaints
}

/// Not as the tail of a longer word, so that `print!(` is not seen in `eprint!(`.
fn contains_word(line: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(start, _)| !line[..start].ends_with(joins) || !word.starts_with(joins))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: &str = "crates/point-auth-core/src/token.rs";

    fn complaints(rule: fn(&Tree) -> Vec<String>, path: &str, text: &str) -> usize {
        rule(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn a_mod_rs_is_found() {
        let rule = modules_stand_beside_their_folder;
        assert_eq!(complaints(rule, "crates/a/src/token/mod.rs", ""), 1);
        assert_eq!(complaints(rule, "crates/a/src/token/amod.rs", ""), 0);
    }

    #[test]
    fn a_file_without_a_header_is_found() {
        assert_eq!(complaints(every_module_says_what_it_is, CORE, "use std::fmt;\n//! Late.\n"), 1);
        assert_eq!(complaints(every_module_says_what_it_is, CORE, "//! Tokens.\n"), 0);
    }

    #[test]
    fn a_file_of_401_lines_is_found() {
        assert_eq!(complaints(no_file_is_too_long, CORE, &"//\n".repeat(401)), 1);
        assert_eq!(complaints(no_file_is_too_long, CORE, &"//\n".repeat(400)), 0);
    }

    #[test]
    fn each_thing_left_open_is_found() {
        for word in LEFT_OPEN {
            assert_eq!(complaints(nothing_is_left_open, CORE, &format!("// {word}")), 1, "{word}");
        }
        assert_eq!(complaints(nothing_is_left_open, CORE, "let to_do = 1;"), 0);
    }

    #[test]
    fn a_library_that_prints_is_found_but_not_a_program_or_an_example() {
        let rule = libraries_do_not_print;
        assert_eq!(complaints(rule, CORE, "    println!(\"{token}\");"), 1);
        assert_eq!(complaints(rule, CORE, "    eprint!(\"{token}\");"), 1);
        assert_eq!(complaints(rule, CORE, "/// println!(\"{token}\");"), 0);
        assert_eq!(complaints(rule, "crates/a/src/bin/a.rs", "println!(\"{token}\");"), 0);
    }

    #[test]
    fn a_clock_a_socket_and_chance_are_found_in_core_alone() {
        for word in IMPURE {
            assert_eq!(complaints(core_stays_pure, CORE, &format!("let a = {word};")), 1, "{word}");
        }
        assert_eq!(
            complaints(core_stays_pure, "crates/point-auth/src/lib.rs", "Instant::now()"),
            0
        );
        assert_eq!(complaints(core_stays_pure, CORE, "let operand::Left = side;"), 0);
    }

    #[test]
    fn a_test_prefix_is_found_below_any_kind_of_test_attribute() {
        let rule = test_names_are_sentences;
        assert_eq!(complaints(rule, CORE, "#[test]\nfn test_it() {}"), 1);
        assert_eq!(
            complaints(
                rule,
                CORE,
                "#[tokio::test(start_paused = true)]\n#[cfg(unix)]\nasync fn test_it() {}"
            ),
            1
        );
        assert_eq!(complaints(rule, CORE, "#[test]\nfn it_holds() {}\nfn test_server() {}"), 0);
        assert_eq!(complaints(rule, CORE, "#[cfg(test)]\nfn test_server() {}"), 0);
    }

    #[test]
    fn a_sleeping_test_is_found() {
        let path = "crates/a/tests/it/main.rs";
        assert_eq!(complaints(tests_do_not_sleep, path, "    thread::sleep(A_MOMENT);"), 1);
        assert_eq!(complaints(tests_do_not_sleep, path, "    time::sleep(A_MOMENT).await;"), 1);
        assert_eq!(complaints(tests_do_not_sleep, path, "    // never sleep(A_MOMENT)"), 0);
        let paused = "#[tokio::test(start_paused = true)]\n";
        assert_eq!(
            complaints(tests_do_not_sleep, path, &format!("{paused}time::sleep(A_MOMENT).await;")),
            0
        );
        assert_eq!(
            complaints(tests_do_not_sleep, path, &format!("{paused}thread::sleep(A_MOMENT);")),
            1
        );
    }

    #[test]
    fn a_second_integration_binary_is_found() {
        let complaints = |path: &str| {
            let mut files: Vec<_> =
                OTHER_TEST_BINARIES.iter().map(|&(file, _)| (file, "")).collect();
            files.push((path, ""));
            one_integration_binary_per_crate(&Tree::of(&files)).len()
        };
        assert_eq!(complaints("crates/a/tests/more.rs"), 1);
        assert_eq!(complaints("crates/a/tests/more/main.rs"), 1);
        assert_eq!(complaints("crates/a/tests/it/main.rs"), 0);
        assert_eq!(complaints("crates/a/tests/it/more.rs"), 0);
        assert_eq!(
            one_integration_binary_per_crate(&Tree::of(&[])).len(),
            OTHER_TEST_BINARIES.len()
        );
    }
}
