//! The repository's own conventions, as far as a program can see them. The rules read files and
//! nothing else, so that each has a test with a file that breaks it.

mod manifests;
mod repository;
mod sources;
mod tree;

use std::ffi::OsStr;

use crate::run::{Report, verdict};
use crate::workspace::Workspace;
use tree::Tree;

pub(crate) fn check(workspace: &Workspace) -> Report {
    let tree = Tree::read(&workspace.root)?;
    let complaints: Vec<String> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    println!("{} rules over {} files", RULES.len(), tree.len());
    verdict(complaints)
}

/// Folders that builds make.
pub(crate) fn is_generated(name: &OsStr) -> bool {
    name == "target" || name == ".git" || name == "book" || name == "node_modules"
}

type Rule = fn(&Tree) -> Vec<String>;

const RULES: &[Rule] = &[
    sources::modules_stand_beside_their_folder,
    sources::every_module_says_what_it_is,
    sources::no_file_is_too_long,
    sources::nothing_is_left_open,
    sources::libraries_do_not_print,
    sources::core_stays_pure,
    sources::test_names_are_sentences,
    sources::tests_do_not_sleep,
    sources::one_integration_binary_per_crate,
    manifests::every_crate_introduces_itself,
    manifests::every_feature_is_explained,
    manifests::versions_live_in_the_workspace,
    manifests::every_member_has_a_purpose,
    repository::the_usual_files_are_there,
    repository::the_oldest_rust_is_the_same_everywhere,
    repository::no_registry_is_named,
];
