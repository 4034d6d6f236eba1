//! The book under `docs/`, built by mdbook where it is installed; and everywhere, whether each link
//! and each include of the Markdown files leads to a file, and each anchor of an include to its
//! marker.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{self, Failure, Report, verdict};
use crate::workspace::Workspace;

pub(crate) fn check(workspace: &Workspace) -> Report {
    let book = workspace.root.join("docs");
    let mut complaints = check_book(&book);
    let pages = markdown_files(&workspace.root)?;
    complaints.extend(pages.iter().flat_map(|page| check_page(page)));
    verdict(complaints)?;
    if !run::succeeds("mdbook", &["--version"]) {
        return Ok(vec![
            "mdbook build: mdbook is not installed; links, includes and anchors were checked"
                .into(),
        ]);
    }
    run::run(Command::new("mdbook").arg("build").arg(book))?;
    Ok(Vec::new())
}

/// A page that SUMMARY.md does not name is not in the book.
fn check_book(book: &Path) -> Vec<String> {
    let source = book.join("src");
    let Ok(summary) = fs::read_to_string(source.join("SUMMARY.md")) else {
        return vec![format!("{}: there is no SUMMARY.md", source.display())];
    };
    let mut complaints = Vec::new();
    if !book.join("book.toml").is_file() {
        complaints.push(format!("{}: there is no book.toml", book.display()));
    }
    let named: Vec<PathBuf> = links(&summary)
        .into_iter()
        .map(|link| source.join(link.trim_start_matches("./")))
        .collect();
    for page in markdown_files(&source).into_iter().flatten() {
        if page.file_name().is_some_and(|name| name != "SUMMARY.md") && !named.contains(&page) {
            complaints.push(format!("{}: SUMMARY.md does not name it", page.display()));
        }
    }
    complaints
}

fn check_page(page: &Path) -> Vec<String> {
    let (Ok(text), Some(folder)) = (fs::read_to_string(page), page.parent()) else {
        return vec![format!("{}: cannot be read", page.display())];
    };
    let mut complaints = Vec::new();
    for link in links(&text) {
        if link.contains("://") || link.starts_with("mailto:") {
            continue;
        }
        let (file, heading) = link.split_once('#').unwrap_or((link, ""));
        let target = if file.is_empty() { page.to_owned() } else { folder.join(file) };
        if !target.exists() {
            complaints.push(format!("{}: the link to {link} leads nowhere", page.display()));
        } else if !heading.is_empty() && !heading_is_there(&target, heading) {
            complaints
                .push(format!("{}: the link to {link} finds no such heading", page.display()));
        }
    }
    for include in includes(&text) {
        let (file, anchor) =
            include.split_once(':').map_or((include, ""), |(file, anchor)| (file, anchor));
        match fs::read_to_string(folder.join(file)) {
            Err(error) => {
                complaints.push(format!("{}: include of {file}: {error}", page.display()));
            }
            Ok(included) if !anchor_is_there(&included, anchor) => {
                complaints.push(format!("{}: {file} has no anchor `{anchor}`", page.display()));
            }
            Ok(_) => {}
        }
    }
    complaints
}

/// Headings are named as mdBook and GitHub both name them. What is not Markdown has no headings
/// that we could see.
fn heading_is_there(page: &Path, heading: &str) -> bool {
    let name_of = |title: &str| -> String {
        let kept =
            title.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
    };
    let Ok(text) = fs::read_to_string(page) else { return true };
    let mut titles =
        text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#'));
    page.extension().is_none_or(|extension| extension != "md")
        || titles.any(|title| name_of(title) == heading)
}

/// An anchor needs both of its markers; line numbers need nothing.
fn anchor_is_there(included: &str, anchor: &str) -> bool {
    let marker = |kind: &str| {
        let marker = format!("{kind}: {anchor}");
        included.lines().any(|line| line.trim_end().ends_with(&marker))
    };
    let line_numbers = anchor.chars().all(|c| c.is_ascii_digit() || c == ':');
    line_numbers || (marker("ANCHOR") && marker("ANCHOR_END"))
}

/// `{{#include path:anchor}}` and its kin, wherever they are: they work in code blocks too.
fn includes(text: &str) -> Vec<&str> {
    let directives = text.split("{{#").skip(1).filter_map(|rest| rest.split_once("}}"));
    directives
        .filter_map(|(directive, _)| directive.split_once(' '))
        .filter(|(name, _)| matches!(*name, "include" | "rustdoc_include" | "playground"))
        .map(|(_, path)| path.trim())
        .collect()
}

/// The targets of `[text](target)` and of `[name]: target` outside of code.
fn links(text: &str) -> Vec<&str> {
    let (mut found, mut in_code) = (Vec::new(), false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
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

fn markdown_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
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
    use std::{env, process};

    use super::*;

    /// A folder that goes away with the test.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let folder = env::temp_dir().join(format!("point-auth-xtask-{}-{name}", process::id()));
            for (file, text) in files {
                let file = folder.join(file);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, text).unwrap();
            }
            Self(folder)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found_and_the_others_are_not() {
        let text = "[a](there.md#the-part-of-it) [b](gone.md) [c](#here) [d](https://example.com)\n# Here\n`[e](code.md)`\n\
                    ```text\n[f](fenced.md)\n```\n[`g`](also-gone.md)\n[h]: there.md#gone\n";
        let scratch =
            Scratch::new("links", &[("page.md", text), ("there.md", "## The `part` of it\n")]);
        let complaints = check_page(&scratch.0.join("page.md"));
        assert_eq!(complaints.len(), 3, "{complaints:?}");
    }

    #[test]
    fn an_include_needs_its_file_and_both_markers_of_its_anchor() {
        let code = "// ANCHOR: whole\nlet a = 1;\n// ANCHOR_END: whole\n// ANCHOR: open\n";
        let page = "{{#include code.rs}} {{#include code.rs:2:3}} {{#rustdoc_include code.rs:whole}}\n\
                    {{#include code.rs:open}} {{#include code.rs:none}} {{#include gone.rs:whole}}\n";
        let scratch = Scratch::new("includes", &[("page.md", page), ("code.rs", code)]);
        let complaints = check_page(&scratch.0.join("page.md"));
        assert_eq!(complaints.len(), 3, "{complaints:?}");
    }

    #[test]
    fn a_page_outside_the_summary_is_found() {
        let files = [
            ("book.toml", ""),
            ("src/SUMMARY.md", "# Summary\n\n- [One](one.md)\n  - [Two](part/two.md)\n"),
            ("src/one.md", ""),
            ("src/part/two.md", ""),
            ("src/forgotten.md", ""),
        ];
        let scratch = Scratch::new("summary", &files);
        let complaints = check_book(&scratch.0);
        assert_eq!(complaints.len(), 1, "{complaints:?}");
        assert!(complaints[0].contains("forgotten.md"));
    }
}
