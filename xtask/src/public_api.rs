//! The external crates whose items appear in the public API of each published crate, as rustdoc's
//! JSON tells them, held against a list. A new major of a crate in that list is a new major of
//! ours.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use serde_json::{Map, Value};

use crate::run::{self, Failure, Report, cargo, verdict};
use crate::workspace::Workspace;

/// For each published crate, the other crates that may show in its public API, features and all. A
/// type of another crate in a public signature ties our major version to theirs.
const ALLOWED: &[(&str, &[&str])] = &[
    // `serde_core`: `SecretBody::json` takes anything that serializes.
    ("point-auth-core", &["bytes", "http", "secrecy", "serde_core"]),
    (
        "point-auth-transport",
        // `rustls`: a whole configuration of the user's own.
        &["async_trait", "bytes", "http", "http_body", "native_tls", "point_auth_core", "rustls"],
    ),
    // `zeroize`: a key is handed out so that it is wiped.
    ("point-auth-store", &["point_auth_core", "zeroize"]),
    // The connection that the user brings is one of redis-rs.
    ("point-auth-redis", &["point_auth_store", "redis"]),
    ("point-auth-reqwest", &["http", "point_auth_core", "point_auth_transport", "reqwest"]),
    (
        "point-auth-reqwest-middleware",
        &["http", "point_auth_core", "point_auth_transport", "reqwest", "reqwest_middleware"],
    ),
    ("point-auth-ureq", &["http", "point_auth_core", "point_auth_transport", "ureq"]),
    (
        "point-auth-hyper",
        // A client that the user brings is hyper-util's, with a body type and a connector of its
        // own.
        &["http", "http_body", "hyper_util", "point_auth_core", "point_auth_transport"],
    ),
    (
        "point-auth",
        &[
            "http",
            "http_body",
            "point_auth_core",
            // Each adapter's transport is re-exported; its client shows in the adapter alone.
            "point_auth_hyper",
            "point_auth_redis",
            "point_auth_reqwest",
            "point_auth_store",
            "point_auth_transport",
            "point_auth_ureq",
            "secrecy",
            // `TokioRuntime::of` takes a handle of its runtime.
            "tokio",
            // The two traits of tower that do not change.
            "tower_layer",
            "tower_service",
        ],
    ),
    // `Session` goes in, `BaseUrl` comes out, and the settings are those of the adapters.
    ("point-auth-proxy", &["point_auth", "point_auth_core", "point_auth_transport"]),
    (
        "point-auth-testkit",
        // The suites run any transport and any store.
        &["bytes", "http", "point_auth_core", "point_auth_store", "point_auth_transport"],
    ),
];

/// Crates that come with the compiler.
const OF_THE_LANGUAGE: &[&str] = &["std", "core", "alloc"];

/// What cargo is told to run as rustdoc is this program, with this variable set. Only rustdoc may
/// see `RUSTC_BOOTSTRAP`: build scripts react to it, so that all dependencies would be built anew,
/// and differently.
const STANDS_IN: &str = "XTASK_STANDS_IN_FOR_RUSTDOC";

pub(crate) fn check(workspace: &Workspace) -> Report {
    let program = env::current_exe()
        .map_err(|error| Failure::new(format!("this program's own path: {error}")))?;
    run::run(
        cargo(["doc", "--workspace", "--no-deps", "--lib"])
            .args(workspace.all_features())
            .env("RUSTDOCFLAGS", "--cfg docsrs -Z unstable-options --output-format json")
            .env("RUSTDOC", program)
            .env(STANDS_IN, "1"),
    )?;
    let mut complaints = Vec::new();
    for package in workspace.published().filter(|package| package.has_library) {
        let file = format!("{}.json", package.name.replace('-', "_"));
        let documented = read(&workspace.target.join("doc").join(file))?;
        let found = external_crates(&documented)?;
        for (name, places) in &found {
            println!("{:<22} {name:<26} {}", package.name, in_short(places));
        }
        let allowed = ALLOWED.iter().find(|(name, _)| *name == package.name);
        let allowed: Vec<&str> = allowed.map(|(_, crates)| *crates).unwrap_or_default().to_vec();
        complaints.extend(compare(&package.name, &found, &allowed, workspace.has_openssl));
    }
    verdict(complaints)?;
    Ok(workspace.left_out())
}

/// A crate that is not in its list is refused, and so is an entry of the list that nothing needs
/// any more, unless features were left out that might need it.
fn compare(
    package: &str,
    found: &BTreeMap<String, Vec<String>>,
    allowed: &[&str],
    all_features: bool,
) -> Vec<String> {
    let surprising =
        found.iter().filter(|(name, _)| !allowed.contains(&name.as_str())).map(|(name, places)| {
            format!(
                "{package}: `{name}` shows in the public API and is not in its list: {}",
                in_short(places)
            )
        });
    let stale =
        allowed.iter().filter(|name| all_features && !found.contains_key(**name)).map(|name| {
            format!("{package}: `{name}` is in the list and shows nowhere in the public API")
        });
    surprising.chain(stale).collect()
}

/// Each external crate, and the items of ours in which it appears.
fn external_crates(documented: &Value) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    let part = |key: &str| {
        documented.get(key).and_then(Value::as_object).ok_or_else(|| {
            Failure::new(format!("rustdoc's JSON has no `{key}`; has its format changed?"))
        })
    };
    let (index, paths, crates) = (part("index")?, part("paths")?, part("external_crates")?);
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for item in index.values().filter(|item| is_ours(item)) {
        let mut ids = Vec::new();
        collect_ids(item.get("inner").unwrap_or(&Value::Null), &mut ids);
        for id in ids {
            if let Some((name, path)) = owner(&id, paths, crates)
                && !OF_THE_LANGUAGE.contains(&name)
            {
                let place = format!("{path} in {}", place(item));
                let places = found.entry(name.to_owned()).or_default();
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
    }
    Ok(found)
}

/// Written in the crate at hand and visible, and not one of the impls that the compiler finds for
/// every type.
fn is_ours(item: &Value) -> bool {
    let implementation = item.get("inner").and_then(|inner| inner.get("impl"));
    let for_every_type = implementation.is_some_and(|implementation| {
        implementation.get("is_synthetic") == Some(&Value::Bool(true))
            || implementation.get("blanket_impl").is_some_and(|blanket| !blanket.is_null())
    });
    let visible = item
        .get("visibility")
        .is_none_or(|visibility| visibility == "public" || visibility == "default");
    item.get("crate_id").and_then(Value::as_u64) == Some(0) && visible && !for_every_type
}

/// Every reference to an item: paths of types and traits, and re-exports.
fn collect_ids(value: &Value, ids: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            let refers = object.contains_key("path") || object.contains_key("source");
            if let (true, Some(id)) = (refers, object.get("id").filter(|id| !id.is_null())) {
                ids.push(id.as_str().map_or_else(|| id.to_string(), str::to_owned));
            }
            object.values().for_each(|value| collect_ids(value, ids));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_ids(value, ids)),
        _ => {}
    }
}

fn owner<'v>(
    id: &str,
    paths: &'v Map<String, Value>,
    crates: &'v Map<String, Value>,
) -> Option<(&'v str, String)> {
    let item = paths.get(id)?;
    let number = item.get("crate_id")?.as_u64().filter(|number| *number != 0)?;
    let name = crates.get(&number.to_string())?.get("name")?.as_str()?;
    let path: Vec<&str> = item.get("path")?.as_array()?.iter().filter_map(Value::as_str).collect();
    Some((name, path.join("::")))
}

fn place(item: &Value) -> String {
    let line = item.pointer("/span/begin/0").map_or_else(String::new, Value::to_string);
    let file = item.pointer("/span/filename").and_then(Value::as_str).unwrap_or("?");
    format!("{file}:{line}")
}

fn in_short(places: &[String]) -> String {
    match places {
        [] => String::new(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}

fn read(path: &Path) -> Result<Value, Failure> {
    let bytes =
        fs::read(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

pub(crate) fn stands_in_for_rustdoc() -> bool {
    env::var_os(STANDS_IN).is_some()
}

/// The real rustdoc, allowed to print JSON.
pub(crate) fn run_rustdoc() -> ExitCode {
    let status =
        Command::new("rustdoc").args(env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1").status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: rustdoc did not start: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn documented(item: Value) -> Value {
        json!({
            "index": { "1": item },
            "paths": {
                "7": { "crate_id": 3, "path": ["http", "request", "Request"] },
                "8": { "crate_id": 1, "path": ["std", "vec", "Vec"] },
                "9": { "crate_id": 0, "path": ["ours", "Token"] },
            },
            "external_crates": { "1": { "name": "std" }, "3": { "name": "http" } },
        })
    }

    fn function(visibility: &str, id: u64) -> Value {
        let argument = json!({ "resolved_path": { "path": "Vec", "id": 8, "args": { "angle_bracketed": { "args": [
            { "type": { "resolved_path": { "path": "It", "id": id, "args": null } } }
        ] } } } });
        json!({
            "crate_id": 0, "name": "send", "visibility": visibility,
            "span": { "filename": "src/lib.rs", "begin": [4, 1] },
            "inner": { "function": { "sig": { "inputs": [["request", argument]] } } },
        })
    }

    fn names(item: Value) -> Vec<String> {
        external_crates(&documented(item)).unwrap().into_keys().collect()
    }

    #[test]
    fn a_foreign_type_deep_in_a_signature_is_found() {
        assert_eq!(names(function("public", 7)), ["http"]);
    }

    #[test]
    fn our_own_types_and_the_language_are_no_external_crates() {
        assert_eq!(names(function("public", 9)), [""; 0]);
    }

    #[test]
    fn what_is_not_public_does_not_count() {
        assert_eq!(names(function("crate", 7)), [""; 0]);
    }

    #[test]
    fn a_re_export_of_a_foreign_item_counts() {
        let item = json!({
            "crate_id": 0, "visibility": "public",
            "inner": { "use": { "source": "http::Request", "name": "Request", "id": 7, "is_glob": false } },
        });
        assert_eq!(names(item), ["http"]);
    }

    #[test]
    fn an_impl_of_a_foreign_trait_counts_but_not_the_ones_every_type_has() {
        let item = |blanket: Value| {
            json!({
                "crate_id": 0, "visibility": "default",
                "inner": { "impl": {
                    "trait": { "path": "Request", "id": 7, "args": null },
                    "is_synthetic": false, "blanket_impl": blanket,
                } },
            })
        };
        assert_eq!(names(item(Value::Null)), ["http"]);
        assert_eq!(names(item(json!({ "generic": "T" }))), [""; 0]);
    }

    #[test]
    fn a_change_of_the_json_is_an_error_rather_than_an_empty_answer() {
        assert!(external_crates(&json!({ "items": {} })).is_err());
    }

    #[test]
    fn a_crate_outside_the_list_is_refused_and_so_is_a_stale_entry() {
        let found = BTreeMap::from([(
            "http".to_owned(),
            vec!["http::Request in function send".to_owned()],
        )]);
        assert_eq!(compare("ours", &found, &["http"], true), [""; 0]);
        assert_eq!(compare("ours", &found, &[], true).len(), 1);
        assert_eq!(compare("ours", &found, &["http", "bytes"], true).len(), 1);
        assert_eq!(compare("ours", &found, &["http", "bytes"], false), [""; 0]);
    }
}
