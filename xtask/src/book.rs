//! The book under `docs/`, built by mdbook where it is installed. Everywhere else: each link of a
//! Markdown file leads to a file and a heading, and each printed example equals its source.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{self, Failure, Report, verdict};
use crate::workspace::Workspace;

/// Begins the line before a fenced block that prints a part of a file below `examples/`.
const EXAMPLE: &str = "\n<!-- example: ";

pub(crate) fn check(workspace: &Workspace) -> Report {
    let mut complaints = pages_without_a_place(&workspace.root.join("docs").join("src"))?;
    for page in markdown_files(&workspace.root)? {
        let text = read(&page)?;
        let of_page = broken_links(&page, &text).into_iter();
        let examples = match with_examples(&text, &workspace.root.join("examples")) {
            Ok(expected) if expected == text => None,
            Ok(_) => Some("an example is outdated; `cargo xtask book --write`".to_owned()),
            Err(complaint) => Some(complaint),
        };
        let named = |complaint| format!("{}: {complaint}", page.display());
        complaints.extend(of_page.chain(examples).map(named));
    }
    verdict(complaints)?;
    if !run::succeeds("mdbook", &["--version"]) {
        return Ok(vec!["mdbook build: mdbook is not installed".into()]);
    }
    run::run(Command::new("mdbook").arg("build").arg(workspace.root.join("docs")))?;
    Ok(Vec::new())
}

/// Writes each example anew into the pages that print it.
pub(crate) fn write() -> Report {
    let root = Workspace::load()?.root;
    for page in markdown_files(&root)? {
        let text = read(&page)?;
        let failed = |why: String| Failure::new(format!("{}: {why}", page.display()));
        let written = with_examples(&text, &root.join("examples")).map_err(failed)?;
        if written != text {
            fs::write(&page, written).map_err(|error| failed(error.to_string()))?;
            println!("{}", page.display());
        }
    }
    Ok(Vec::new())
}

/// The page as its examples have it now. After the line `<!-- example: file.rs:anchor -->` comes a
/// fenced block.
fn with_examples(page: &str, examples: &Path) -> Result<String, String> {
    let mut written = String::new();
    let mut rest = page;
    while let Some(start) = rest.find(EXAMPLE) {
        let (before, after) = rest.split_at(start);
        let (marker, after) = after.split_once("-->\n").unwrap_or((after, ""));
        let name = marker.trim_start_matches(EXAMPLE).trim_end();
        let block = after.trim_start().strip_prefix("```").and_then(|block| {
            let (language, block) = block.split_once('\n')?;
            Some((
                language,
                block.strip_prefix("```").or_else(|| Some(block.split_once("\n```")?.1))?,
            ))
        });
        let (language, after) = block.ok_or(format!("no fenced block follows example {name}"))?;
        let (file, anchor) = name.split_once(':').ok_or(format!("{name}: has no anchor"))?;
        let source = fs::read_to_string(examples.join(file))
            .map_err(|error| format!("example {file}: {error}"))?;
        let part = part_of(&source, anchor).ok_or(format!("{file} has no anchor `{anchor}`"))?;
        written.push_str(&format!("{before}{marker}-->\n```{language}\n{part}```"));
        rest = after;
    }
    Ok(written + rest)
}

/// The lines between `// ANCHOR: name` and `// ANCHOR_END: name`, without their common indentation
/// and the markers of other anchors.
fn part_of(source: &str, anchor: &str) -> Option<String> {
    let is = |line: &str, kind: &str| line.trim() == format!("// {kind}: {anchor}");
    let mut lines = source.lines().skip_while(|line| !is(line, "ANCHOR"));
    lines.next()?;
    let mut part = Vec::new();
    let mut end = None;
    for line in lines {
        if is(line, "ANCHOR_END") {
            end = Some(());
            break;
        }
        if !line.trim_start().starts_with("// ANCHOR") {
            part.push(line);
        }
    }
    end?;
    let indentation = |line: &&str| line.len() - line.trim_start().len();
    let common = part.iter().filter(|line| !line.is_empty()).map(indentation).min().unwrap_or(0);
    Some(part.iter().map(|line| format!("{}\n", line.get(common..).unwrap_or(""))).collect())
}

/// A page that SUMMARY.md does not name is not in the book.
fn pages_without_a_place(source: &Path) -> Result<Vec<String>, Failure> {
    let summary = read(&source.join("SUMMARY.md"))?;
    let named: Vec<PathBuf> = links(&summary).into_iter().map(|link| source.join(link)).collect();
    let mut pages = markdown_files(source)?;
    pages.retain(|page| !page.ends_with("SUMMARY.md") && !named.contains(page));
    let complaint = |page: &PathBuf| format!("{}: SUMMARY.md does not name it", page.display());
    Ok(pages.iter().map(complaint).collect())
}

fn broken_links(page: &Path, text: &str) -> Vec<String> {
    let leads_nowhere = |link: &&str| {
        let (file, heading) = link.split_once('#').unwrap_or((link, ""));
        let target = page.with_file_name(file);
        let target = if file.is_empty() { page } else { &target };
        !target.exists() || (!heading.is_empty() && !heading_is_there(target, heading))
    };
    let inside = links(text).into_iter().filter(|link| !link.contains(':'));
    inside.filter(leads_nowhere).map(|link| format!("the link to {link} leads nowhere")).collect()
}

/// Headings are named as mdBook and GitHub both name them. Only Markdown has headings.
fn heading_is_there(page: &Path, heading: &str) -> bool {
    let name_of = |title: &str| -> String {
        let kept = title.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
    };
    let Ok(text) = fs::read_to_string(page) else { return true };
    page.extension().is_none_or(|extension| extension != "md")
        || text
            .lines()
            .any(|line| line.starts_with('#') && name_of(line.trim_start_matches('#')) == heading)
}

/// The targets of `[text](target)` and of `[name]: target` outside of code.
fn links(text: &str) -> Vec<&str> {
    let (mut found, mut in_code) = (Vec::new(), false);
    for line in text.lines() {
        in_code ^= line.trim_start().starts_with("```");
        if in_code {
            continue;
        }
        for prose in line.split('`').step_by(2) {
            let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
            found.extend(targets.map(|(target, _)| target.split(' ').next().unwrap_or_default()));
        }
        if let Some((name, target)) = line.split_once("]: ")
            && name.starts_with('[')
            && !name.starts_with("[^")
        {
            found.push(target.trim());
        }
    }
    found
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

fn markdown_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder)
            .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() && !crate::tidy::is_generated(&name) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::{env, process, thread};

    use super::*;

    /// Runs the test in a folder that goes away with it. Tests run at once, each on a thread.
    fn with_files<T>(files: &[(&str, &str)], test: impl FnOnce(&Path) -> T) -> T {
        let name = format!("point-auth-xtask-{}-{:?}", process::id(), thread::current().id());
        let folder = env::temp_dir().join(name);
        for (file, text) in files {
            let file = folder.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let result = test(&folder);
        fs::remove_dir_all(folder).unwrap();
        result
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found_and_the_others_are_not() {
        let text = "[a](there.md#the-part-of-it) [b](gone.md) [c](#here) [d](https://example.com)\n\
                    # Here\n`[e](code.md)`\n```text\n[f](fenced.md)\n```\n[`g`](also-gone.md)\n\
                    [h]: there.md#gone\n";
        let files = [("page.md", text), ("there.md", "## The `part` of it\n")];
        let complaints = with_files(&files, |folder| broken_links(&folder.join("page.md"), text));
        assert_eq!(complaints.len(), 3, "{complaints:?}");
    }

    #[test]
    fn a_page_outside_the_summary_is_found() {
        let files = [
            ("SUMMARY.md", "- [One](one.md)\n  - [Two](part/two.md)\n"),
            ("one.md", ""),
            ("part/two.md", ""),
            ("forgotten.md", ""),
        ];
        let complaints = with_files(&files, pages_without_a_place).unwrap();
        assert_eq!(complaints.len(), 1, "{complaints:?}");
        assert!(complaints[0].contains("forgotten.md"));
    }

    const CODE: &str = "fn main() {\n    // ANCHOR: all\n    let a = 1;\n\n    // ANCHOR: b\n    if a {\n        \
                        b();\n    }\n    // ANCHOR_END: b\n    // ANCHOR_END: all\n}\n// ANCHOR: open\n";

    fn printed(page: &str) -> Result<String, String> {
        with_files(&[("code.rs", CODE)], |folder| with_examples(page, folder))
    }

    #[test]
    fn an_example_is_printed_without_its_indentation_and_markers() {
        let page = |all: &str, b: &str| {
            format!(
                "Before.\n\n<!-- example: code.rs:all -->\n```rust\n{all}```\n\
                 Between.\n<!-- example: code.rs:b -->\n```rust,ignore\n{b}```\nAfter.\n"
            )
        };
        let current = page("let a = 1;\n\nif a {\n    b();\n}\n", "if a {\n    b();\n}\n");
        assert_eq!(printed(&page("old();\n", "")).as_ref(), Ok(&current));
        assert_eq!(printed(&current).as_ref(), Ok(&current));
        let none = "No example: `<!-- example: code.rs:b -->`.\n";
        assert_eq!(printed(none).unwrap(), none);
    }

    #[test]
    fn an_example_needs_its_file_its_anchor_and_a_block() {
        for name in ["code.rs:none", "code.rs:open", "gone.rs:all", "code.rs"] {
            let page = format!("# Page\n<!-- example: {name} -->\n```rust\n```\n");
            assert!(printed(&page).is_err(), "{name}");
        }
        assert!(printed("\n<!-- example: code.rs:b -->\nlet a = 1;\n").is_err());
        assert!(printed("\n<!-- example: code.rs:b -->\n```rust\nlet a = 1;\n").is_err());
    }
}
