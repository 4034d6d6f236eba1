//! Requests contain exactly the given values, in any Unicode.

use point_auth_core::{BaseUrl, Credentials, Operation, Refresh, RefreshToken, SecretBody, SignIn};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::generated::any_json;

fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{1,20}".prop_map(|text| text),
        any::<String>().prop_filter("empty", |text| !text.is_empty()),
        proptest::collection::vec(any::<char>(), 1..200).prop_map(String::from_iter),
    ]
}

proptest! {
    #![proptest_config(super::config())]

    #[test]
    fn credentials_are_read_back_as_they_were(
        username in part(),
        password in part(),
        user_alias in proptest::option::of(part()),
    ) {
        let mut credentials = Credentials::new(&username, password.clone()).unwrap();
        let mut expected = json!({ "username": username, "password": password });
        if let Some(user_alias) = user_alias {
            credentials = credentials.with_user_alias(&user_alias).unwrap();
            expected["useralias"] = Value::String(user_alias);
        }
        let request = SignIn::new(&credentials).to_request(&BaseUrl::production()).unwrap();
        prop_assert_eq!(serde_json::from_slice::<Value>(request.body().as_ref()).unwrap(), expected);
    }

    #[test]
    fn a_refresh_token_is_read_back_as_it_was(token in "[!-~]{1,300}") {
        let refresh_token = RefreshToken::new(&token).unwrap();
        let request = Refresh::new(&refresh_token).to_request(&BaseUrl::production()).unwrap();
        let expected = json!({ "refresh_token": token });
        prop_assert_eq!(serde_json::from_slice::<Value>(request.body().as_ref()).unwrap(), expected);
    }

    #[test]
    fn a_text_is_a_token_when_it_is_visible_ascii(text in prop_oneof![any::<String>(), "[!-~]{0,9}", "[ -~é]{1,9}"]) {
        let is_token = !text.is_empty() && text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
        prop_assert_eq!(RefreshToken::new(&text).is_ok(), is_token);
        let access_token = point_auth_core::AccessToken::new(&text);
        prop_assert_eq!(access_token.is_ok(), is_token);
        if let Ok(access_token) = access_token {
            prop_assert_eq!(access_token.expose(), text.as_str());
            prop_assert_eq!(access_token.header_value().to_str().unwrap().to_owned(), format!("Bearer {text}"));
        }
    }

    #[test]
    fn a_json_body_equals_that_of_serde_json(text in any_json()) {
        if let Ok(value) = serde_json::from_str::<Value>(&text) {
            let written = serde_json::to_vec(&value).unwrap();
            let body = SecretBody::json(&value).unwrap();
            prop_assert_eq!(body.as_ref(), written.as_slice());
        }
    }
}
