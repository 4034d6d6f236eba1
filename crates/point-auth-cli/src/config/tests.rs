//! What a configuration file may and may not say.

use std::path::Path;

use proptest::prelude::*;

use super::*;

const CANARY: &str = "cAnArY-secret";

fn parse(text: &str) -> Result<ConfigFile> {
    ConfigFile::parse(text, Path::new("/etc/config.toml"))
}

#[track_caller]
fn is_refused(text: &str, line: usize, why: &str) {
    let said = parse(text).unwrap_err().to_string();
    assert!(said.starts_with(&format!("/etc/config.toml:{line}: ")), "{said}");
    assert!(said.contains(why), "{said}");
    assert!(!said.contains(CANARY), "{said}");
}

#[test]
fn each_key_is_read_in_a_table_or_with_a_dot() {
    let text = "[profiles.a]\nbase_url = 'https://x/'\nstore.directory = '/d'\n\
                [profiles.a.password]\ncommand = ['a', 'b']\n[profiles.b]\n";
    let mut file = parse(text).unwrap();
    assert_eq!(file.names().collect::<Vec<_>>(), ["a", "b"]);
    let table = file.take("a").unwrap();
    assert_eq!(table["base_url"].value, Value::Text("https://x/".to_owned()));
    assert_eq!(table["store.directory"].origin, "/etc/config.toml:3: store.directory");
    assert_eq!(table["password.command"].value, Value::List(vec!["a".into(), "b".into()]));
    assert!(file.take("c").is_none());
}

#[test]
fn what_is_not_understood_is_refused_with_its_line_and_without_its_value() {
    let literal = format!("[profiles.a]\nusername = 'u'\npassword = '{CANARY}'\n");
    is_refused(&literal, 3, "a password may not stand in this file");
    let in_table = format!("[profiles.a.password]\nvalue = '{CANARY}'\n");
    is_refused(&in_table, 2, "a password may not stand in this file");
    is_refused(&format!("[profiles.a]\nusrname = '{CANARY}'"), 2, "unknown key `usrname`");
    is_refused(&format!("[profiles.a]\n'{CANARY}' = 1"), 2, "unknown key `…`");
    is_refused(&format!("username = '{CANARY}'"), 1, "settings stand below [profiles.NAME]");
    is_refused(&format!("[profiles]\na = '{CANARY}'"), 2, "this is no profile");
    is_refused(&format!("[profiles.a]\npassword.command = '{CANARY}'"), 2, "wants a list");
    is_refused("[profiles.a]\npassword.command = []", 2, "wants a list");
    is_refused("[profiles.a]\nusername = ''", 2, "wants a text");
    is_refused(&format!("[profiles.a]\nusername = {CANARY}"), 2, "this is not TOML");
    is_refused(&format!("[profiles.a]\n\nusername = '{CANARY}"), 3, "this is not TOML");
    is_refused(&format!("[profiles.a]\nalias = '{CANARY}'\nalias = 'b'"), 3, "this is not TOML");
}

#[test]
fn no_two_keys_have_a_variable_in_common() {
    let mut variables: Vec<&str> = KEYS.iter().map(|key| key.variable).collect();
    variables.sort_unstable();
    variables.dedup();
    assert_eq!(variables.len(), KEYS.len());
    assert!(variables.iter().all(|variable| variable.starts_with("POINT_AUTH_")));
}

/// Lines that are almost right, each with a secret in the place of a value.
fn almost_a_line() -> impl Strategy<Value = String> {
    let key = prop::sample::select(
        KEYS.iter()
            .map(|key| key.name)
            .chain(["password", "store", "profiles", "password.value", "[profiles.a]", "x"])
            .collect::<Vec<_>>(),
    );
    let value = prop::sample::select(vec![
        format!("\"{CANARY}\""),
        format!("'{CANARY}"),
        format!("[\"{CANARY}\"]"),
        format!("[\"{CANARY}\", 1]"),
        format!("{{ {CANARY} = \"{CANARY}\" }}"),
        format!("{{ value = \"{CANARY}\" }}"),
        CANARY.to_owned(),
        format!("\"\\u{CANARY}\""),
        "1979-05-27".to_owned(),
        "true".to_owned(),
    ]);
    (key, value, any::<bool>()).prop_map(|(key, value, is_header)| match is_header {
        true => format!("[profiles.{key}]"),
        false => format!("{key} = {value}"),
    })
}

proptest! {
    #[test]
    fn no_error_repeats_a_value_of_the_file(lines in prop::collection::vec(almost_a_line(), 0..6)) {
        let text = format!("[profiles.default]\n{}", lines.join("\n"));
        if let Err(failure) = parse(&text) {
            let said = failure.to_string();
            prop_assert!(!said.contains("cAnArY"), "{said}");
            prop_assert!(said.starts_with("/etc/config.toml:"), "{said}");
            prop_assert!(!said.contains('\n'));
            prop_assert!(!failure.to_json().to_string().contains("cAnArY"));
        }
    }

    #[test]
    fn any_text_is_read_or_refused_with_a_line_that_is_there(text in "(?s).{0,200}") {
        if let Err(failure) = parse(&text) {
            let said = failure.to_string();
            let line: usize = said.split(':').nth(1).unwrap().parse().unwrap();
            prop_assert!(line >= 1 && line <= text.split('\n').count(), "{said}");
        }
    }
}
