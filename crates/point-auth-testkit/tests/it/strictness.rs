//! Requests that are not exactly right, each refused with 400.

use point_auth_testkit::Operation;

use crate::client::{Client, PASSWORD, USER, emulator, sign_in_body};

const JSON: &str = "content-type: application/json\r\n";

#[track_caller]
fn refused(method: &str, headers: &str, body: &[u8], description: &str) {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    client.send(method, Operation::SignIn.path(), headers, body);
    let answer = client.response();
    assert_eq!(answer.status, 400);
    assert_eq!(answer.text("error"), "invalid_request");
    assert_eq!(answer.text("error_description"), description);
}

fn good() -> Vec<u8> {
    sign_in_body(USER, PASSWORD)
}

#[test]
fn a_method_other_than_post() {
    refused("GET", JSON, b"", "The method is not POST");
    refused("PUT", JSON, &good(), "The method is not POST");
    refused("DELETE", JSON, &good(), "The method is not POST");
}

#[test]
fn a_content_type_that_is_not_json() {
    for headers in [
        "",
        "content-type: text/plain\r\n",
        "content-type: application/x-www-form-urlencoded\r\n",
        "content-type: application/json-patch+json\r\n",
        "content-type: application/json; charset=latin-1\r\n",
        "content-type: application/json\r\ncontent-type: application/json\r\n",
    ] {
        refused("POST", headers, &good(), "The content type is not application/json");
    }
}

#[test]
fn a_charset_of_utf_8_changes_nothing() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    let headers = "Content-Type: Application/JSON; charset=UTF-8\r\n";
    client.send("POST", Operation::SignIn.path(), headers, &good());
    assert_eq!(client.response().status, 200);
}

#[test]
fn an_encoded_body() {
    refused("POST", &format!("{JSON}content-encoding: gzip\r\n"), &good(), "The body is encoded");
}

#[test]
fn a_query() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    client.send("POST", &format!("{}?a=b", Operation::SignIn.path()), JSON, &good());
    assert_eq!(client.response().text("error_description"), "The request has a query");
}

#[test]
fn bodies_that_are_no_object() {
    for body in
        ["", "not json", "{\"username\":", "{\"username\":\"a\"} trailing", "{'username':'a'}"]
    {
        refused("POST", JSON, body.as_bytes(), "The request is not JSON");
    }
    for body in ["[]", "null", "\"text\"", "7"] {
        refused("POST", JSON, body.as_bytes(), "The request is not a JSON object");
    }
}

#[test]
fn fields_that_are_missing() {
    refused("POST", JSON, b"{}", "The field username is missing");
    refused("POST", JSON, br#"{"username":"a"}"#, "The field password is missing");
    refused("POST", JSON, br#"{"password":"a"}"#, "The field username is missing");
}

#[test]
fn fields_that_are_unknown() {
    let body = br#"{"username":"a","password":"b","userAlias":"c"}"#;
    refused("POST", JSON, body, "The request has an unknown field");
}

#[test]
fn fields_given_twice() {
    let body = br#"{"username":"a","password":"b","username":"a"}"#;
    refused("POST", JSON, body, "The field username is given twice");
}

#[test]
fn fields_that_are_empty() {
    refused("POST", JSON, br#"{"username":"","password":"b"}"#, "The field username is empty");
    let body = br#"{"username":"a","password":"b","useralias":""}"#;
    refused("POST", JSON, body, "The field useralias is empty");
}

#[test]
fn fields_that_are_no_strings() {
    for value in ["null", "7", "true", "[\"b\"]", "{}"] {
        let body = format!(r#"{{"username":"a","password":{value}}}"#);
        refused("POST", JSON, body.as_bytes(), "The field password is not a string");
        let body = format!(r#"{{"username":"a","password":"b","useralias":{value}}}"#);
        refused("POST", JSON, body.as_bytes(), "The field useralias is not a string");
    }
}

#[test]
fn a_refresh_is_read_as_strictly() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    for body in ["{}", "[]", r#"{"refresh_token":null}"#, r#"{"refresh_token":"a","username":"b"}"#]
    {
        client.post(Operation::Refresh, body.as_bytes());
        let answer = client.response();
        assert_eq!(
            (answer.status, answer.text("error").as_str()),
            (400, "invalid_request"),
            "{body}"
        );
    }
}

#[test]
fn a_refusal_repeats_nothing_of_the_request() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    for body in
        [r#"{"canary":"canary"}"#, "canary", r#"{"username":"canary","password":["canary"]}"#]
    {
        client.post(Operation::SignIn, body.as_bytes());
        let answer = client.response();
        assert_eq!(answer.status, 400);
        assert!(!String::from_utf8(answer.body).unwrap().contains("canary"), "{body}");
    }
}

#[test]
fn escapes_and_any_unicode_are_read_as_json_reads_them() {
    let emulator =
        point_auth_testkit::Emulator::builder().user("ünï", "p\"\\\u{1F511}").start().unwrap();
    let mut client = Client::of(&emulator);
    client.post(
        Operation::SignIn,
        br#"{ "password" : "p\"\\\ud83d\udd11" , "username" : "\u00fcn\u00ef" }"#,
    );
    assert_eq!(client.response().status, 200);
}

#[test]
fn an_unknown_path_is_not_found() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    client.send(
        "POST",
        "/user-management-services-ws/oauth2/002/signInWithPassword/",
        JSON,
        &good(),
    );
    assert_eq!(client.response().status, 404);
    assert_eq!(emulator.count(Operation::Other), 1);
}
