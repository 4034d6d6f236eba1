//! Credentials: which are refused before anything is sent.

use point_auth_core::{AccessToken, CredentialPart::*};
use point_auth_core::{CredentialPart, Credentials, CredentialsError, RefreshToken, TokenError};
use secrecy::{ExposeSecret, SecretString};

#[test]
fn an_empty_part_is_refused_by_its_name() {
    let refused = |part| Some(CredentialsError::Empty(part));
    assert_eq!(Credentials::new("", "s3cret").err(), refused(Username));
    assert_eq!(Credentials::new("jane", "").err(), refused(Password));
    assert_eq!(
        Credentials::new("jane", "s3cret").unwrap().with_user_alias("").err(),
        refused(UserAlias)
    );
    assert_eq!(refused(UserAlias).unwrap().to_string(), "the user alias is empty");
}

#[test]
fn a_part_of_more_than_4096_bytes_is_refused_by_its_name() {
    let refused = |part| Some(CredentialsError::TooLong(part));
    // The limit counts bytes, not characters.
    for long in ["x".repeat(4097), "é".repeat(2049)] {
        assert_eq!(Credentials::new(&long, "s3cret").err(), refused(Username));
        assert_eq!(Credentials::new("jane", long.clone()).err(), refused(Password));
        assert_eq!(
            Credentials::new("jane", "s3cret").unwrap().with_user_alias(&long).err(),
            refused(UserAlias)
        );
    }
    for longest in ["x".repeat(4096), "é".repeat(2048)] {
        let credentials =
            Credentials::new(&longest, longest.clone()).unwrap().with_user_alias(&longest).unwrap();
        assert_eq!(credentials.username(), longest);
        assert_eq!(credentials.password().expose_secret(), longest);
        assert_eq!(credentials.user_alias(), Some(longest.as_str()));
    }
}

#[test]
fn white_space_and_any_unicode_are_kept_as_they_are() {
    let credentials = Credentials::new(" jane ", SecretString::from("\u{0} é😀\n")).unwrap();
    let credentials = credentials.with_user_alias("\t").unwrap();
    assert_eq!(credentials.username(), " jane ");
    assert_eq!(credentials.password().expose_secret(), "\u{0} é😀\n");
    assert_eq!(credentials.user_alias(), Some("\t"));
}

#[test]
fn an_alias_set_twice_is_the_second_one() {
    let credentials = Credentials::new("jane", "s3cret").unwrap();
    let credentials = credentials.with_user_alias("one").unwrap().with_user_alias("two").unwrap();
    assert_eq!(credentials.user_alias(), Some("two"));
}

#[test]
fn a_refusal_does_not_repeat_the_part() {
    let long = "canary".repeat(1000);
    for refused in [Credentials::new(&long, "s3cret"), Credentials::new("jane", long.clone())] {
        assert!(!crate::support::all_it_says(&refused.unwrap_err()).contains("canary"));
    }
}

#[test]
fn each_part_has_its_name() {
    let names: Vec<String> =
        [Username, Password, UserAlias].iter().map(CredentialPart::to_string).collect();
    assert_eq!(names, ["username", "password", "user alias"]);
}

#[test]
fn a_token_that_is_invalid_in_a_header_is_refused() {
    for text in ["", " ", "a b", "a\tb", "a\r\nX: y", "é", "a\0", "a\u{7f}", "\u{feff}a", "a\u{a0}"]
    {
        assert!(matches!(AccessToken::new(text), Err(TokenError { .. })), "{text:?}");
        assert!(matches!(RefreshToken::new(text), Err(TokenError { .. })), "{text:?}");
    }
    for byte in b'!'..=b'~' {
        let text = char::from(byte).to_string();
        assert_eq!(AccessToken::new(&text).unwrap().expose(), text);
        assert_eq!(RefreshToken::new(&text).unwrap().expose(), text);
    }
}
