//! The code that the book prints is compiled.

use std::fs;
use std::path::{Path, PathBuf};

/// The path below `docs/src` and the text of each page.
fn pages() -> Vec<(String, String)> {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src");
    let (mut folders, mut pages) = (vec![book.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let (inner, files): (Vec<PathBuf>, Vec<_>) = paths.partition(|path| path.is_dir());
        folders.extend(inner);
        pages.extend(files.into_iter().filter(|path| path.extension() == Some("md".as_ref())));
    }
    let name = |path: &Path| path.strip_prefix(&book).unwrap().display().to_string();
    pages.iter().map(|page| (name(page), fs::read_to_string(page).unwrap())).collect()
}

/// The blocks of Rust of a page: the line before, the fence and the code.
fn blocks(text: &str) -> Vec<(&str, &str, Vec<&str>)> {
    let mut lines = text.lines();
    let (mut before, mut blocks) = ("", Vec::new());
    while let Some(line) = lines.next() {
        if line.starts_with("```rust") {
            blocks.push((before, line, lines.by_ref().take_while(|line| *line != "```").collect()));
        }
        before = line;
    }
    blocks
}

#[test]
fn every_page_whose_code_is_no_example_is_a_doc_test() {
    let library = include_str!("../../src/lib.rs");
    let mut compiled = 0;
    for (page, text) in pages() {
        if blocks(&text).iter().any(|(_, fence, _)| !fence.contains("ignore")) {
            assert!(library.contains(&format!("docs/src/{page}\")")), "{page}");
            compiled += 1;
        }
    }
    assert!(compiled > 5, "{compiled} pages");
}

#[test]
fn only_a_part_of_an_example_is_not_compiled_with_its_page() {
    // The suite's macro makes a module of tests, for a transport that the reader has.
    let may_not = |code: &[&str]| code.iter().any(|line| line.contains("conformance!"));
    for (page, text) in pages() {
        for (before, fence, code) in blocks(&text) {
            let is_example = before.starts_with("<!-- example: ");
            assert!(is_example || !fence.contains("ignore") || may_not(&code), "{page}: {code:?}");
        }
    }
}

#[test]
fn a_page_shows_all_of_its_code() {
    for (page, text) in pages() {
        for (_, _, code) in blocks(&text) {
            let hidden = |line: &&str| line.trim() == "#" || line.trim_start().starts_with("# ");
            assert!(!code.iter().any(hidden), "{page} has hidden lines");
            assert!(!code.iter().any(|line| line.contains("{{#")), "{page} includes code");
        }
    }
}
