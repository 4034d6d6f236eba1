//! The target `stored_tokens`: any bytes read as stored tokens, and taken up by a session.
//!
//! An input is what the clock says, in seconds since 1970, and behind a line feed the JSON.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use point_auth_core::session::{Action, Call, Now, Policy, SessionMachine, StoredTokens};
use point_auth_core::{AccessToken, BaseUrl, RefreshToken};
use serde_json::Value;

use crate::saying::all_it_says;

/// Reads stored tokens, writes them again and restores them.
///
/// # Panics
/// When they are read as anything but what stands there, or a token that is over is handed out.
pub fn stored_tokens(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (now, json) = data.split_at(end);
    let now =
        std::str::from_utf8(now).ok().and_then(|now| now.parse().ok()).unwrap_or(1_767_225_600);
    let wall = UNIX_EPOCH.checked_add(Duration::from_secs(now)).unwrap_or(UNIX_EPOCH);

    let stored = match StoredTokens::from_json(json) {
        Ok(stored) => stored,
        Err(error) => {
            let said = all_it_says(&error);
            assert_eq!(said, "these are not stored tokens\nMalformed\nMalformed\n");
            return;
        }
    };
    let written = stored.expose_json();
    let again = StoredTokens::from_json(written.as_ref()).map(|stored| stored.expose_json());
    assert_eq!(again.unwrap().as_ref(), written.as_ref(), "not what was written");
    let fields: Value = serde_json::from_slice(written.as_ref()).unwrap();
    // Numbers beyond those of `Value` may stand in an unknown field.
    if let Ok(given) = serde_json::from_slice::<Value>(json) {
        for field in ["base", "username", "user_alias", "access_token", "refresh_token"] {
            assert_eq!(fields[field], given[field], "{field}");
        }
    }
    assert_eq!(stored.username(), fields["username"].as_str());
    assert_eq!(stored.user_alias(), fields["user_alias"].as_str());
    let shown = format!(
        "StoredTokens {{ base: {:?}, access_token: {}, refresh_token: {}, .. }}",
        fields["base"].as_str().unwrap_or_default(),
        !fields["access_token"].is_null(),
        !fields["refresh_token"].is_null(),
    );
    assert_eq!(format!("{stored:?}"), shown);
    restore(stored, &fields, wall);
}

fn restore(stored: StoredTokens, fields: &Value, wall: SystemTime) {
    let now = Now::new(Duration::from_secs(1000), wall);
    let mut session =
        SessionMachine::without_credentials(BaseUrl::production(), Policy::default(), 7);
    let is_ours = fields["base"] == BaseUrl::production().as_str();
    let taken_up = session.restore(stored.clone(), now);
    assert_eq!(taken_up.is_ok(), is_ours);

    let life = Duration::from_secs(fields["expires_in"].as_u64().unwrap());
    let usable = life - Duration::from_secs(5).min(life / 10);
    let age = |field: &str| {
        let since = UNIX_EPOCH + Duration::from_secs(fields[field].as_u64()?);
        wall.duration_since(since).ok()
    };
    let token = fields["access_token"].as_str().filter(|_| is_ours);
    let token = token.filter(|_| age("asked_at").is_some_and(|age| age < usable));
    let refresh_token = fields["refresh_token"].as_str().filter(|_| is_ours);
    let dead = Duration::from_secs(49 * 3600);
    let refresh_token =
        refresh_token.filter(|_| age("refresh_token_came_at").is_some_and(|age| age < dead));

    let lease = session.lease(now);
    assert_eq!(lease.as_ref().map(|lease| lease.token.expose()), token);
    assert_eq!(session.snapshot(now).has_refresh_token, refresh_token.is_some());
    match session.poll(now, &mut Call::new()) {
        Ok(Action::Ready(lease)) => assert_eq!(Some(lease.token.expose()), token),
        Ok(Action::Send(exchange)) => assert!(refresh_token.is_some(), "{exchange:?}"),
        Ok(other) => panic!("{other:?}"),
        Err(_) => assert_eq!((token, refresh_token), (None, None)),
    }
    // A second time changes nothing.
    let version = session.stored_version();
    assert_eq!(session.restore(stored, now).is_ok(), is_ours);
    assert_eq!(session.stored_version(), version);
    token.into_iter().for_each(|token| assert!(AccessToken::new(token).is_ok()));
    refresh_token.into_iter().for_each(|token| assert!(RefreshToken::new(token).is_ok()));
}
