//! What an operator asks a store.

use std::time::{Duration, SystemTime};

use point_auth_core::http::StatusCode;
use point_auth_core::session::{Policy, SignInResult, StoredTokens};
use point_auth_core::{BaseUrl, Credentials, Denial};
use point_auth_store::{
    AnyStore, Inspection, Intent, Known, MemoryStore, Owner, Refusal, Settled, Settlement,
    SharedTokens, Verdict,
};
use pollster::block_on;

const JANE: Owner<'_> = Owner { username: "jane@example.com", user_alias: None };

fn shared() -> SharedTokens {
    let store = AnyStore::blocking(MemoryStore::new().unwrap());
    SharedTokens::new(store, &BaseUrl::production(), Policy::default())
}

fn password(password: &str) -> Credentials {
    Credentials::new(JANE.username, password).unwrap()
}

fn tokens() -> StoredTokens {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let json = format!(
        r#"{{"base":"","username":null,"user_alias":null,"access_token":"a","asked_at":{now},
            "expires_in":3600,"refresh_token":null,"refresh_token_came_at":null}}"#
    );
    StoredTokens::from_json(json.as_bytes()).unwrap()
}

fn grant(shared: &SharedTokens, credentials: &Credentials) -> point_auth_store::Grant {
    let intent = Intent::SignIn(credentials);
    let consulting = shared.consult(JANE, intent, Known::default(), SystemTime::now());
    match block_on(consulting).unwrap().verdict {
        Verdict::Granted(grant) => grant,
        other => panic!("{other:?}"),
    }
}

fn settle(
    shared: &SharedTokens,
    grant: point_auth_store::Grant,
    tokens: Option<&StoredTokens>,
    sign_in: SignInResult<'_>,
) -> Settled {
    let settlement = Settlement { tokens, sign_in, wall: SystemTime::now() };
    block_on(shared.settle(grant, settlement)).unwrap()
}

fn inspect(shared: &SharedTokens, credentials: Option<&Credentials>) -> Inspection {
    block_on(shared.inspect(JANE, credentials, SystemTime::now())).unwrap()
}

#[test]
fn an_inspection_shows_tokens_and_an_exchange_in_flight_and_takes_no_permit() {
    let shared = shared();
    let credentials = password("right");
    let empty = inspect(&shared, Some(&credentials));
    assert!(empty.tokens.is_none() && empty.in_use.is_none() && empty.refusal.is_none());
    let grant = grant(&shared, &credentials);
    assert!(inspect(&shared, None).in_use.is_some_and(|left| left > Duration::from_secs(30)));
    let settled = settle(&shared, grant, Some(&tokens()), SignInResult::Accepted);
    assert!(matches!(settled, Settled::InTime(_)));
    let after = inspect(&shared, Some(&credentials));
    assert_eq!(after.tokens.unwrap().username(), Some("jane@example.com"));
    assert!(after.in_use.is_none() && after.refusal.is_none());
}

#[test]
fn an_inspection_says_whether_a_password_was_denied() {
    let shared = shared();
    let wrong = password("wrong");
    let denial = Denial::from_kept(StatusCode::FORBIDDEN, "access_denied".to_owned(), None);
    let grant = grant(&shared, &wrong);
    settle(&shared, grant, None, SignInResult::Denied(&denial));
    let of_the_wrong = inspect(&shared, Some(&wrong));
    assert!(matches!(of_the_wrong.refusal, Some(Refusal::Denied(_))), "{of_the_wrong:?}");
    let of_another = inspect(&shared, Some(&password("right")));
    assert!(of_another.refusal.is_none() && of_another.last_denial.is_some(), "{of_another:?}");
    block_on(shared.reset(JANE)).unwrap();
    let after = inspect(&shared, Some(&wrong));
    assert!(after.refusal.is_none() && after.last_denial.is_none(), "{after:?}");
}

#[test]
fn forgotten_tokens_do_not_come_back_with_an_exchange_in_flight() {
    let shared = shared();
    let credentials = password("right");
    let first = grant(&shared, &credentials);
    settle(&shared, first, Some(&tokens()), SignInResult::Accepted);
    block_on(shared.forget(JANE)).unwrap();
    assert!(inspect(&shared, None).tokens.is_none());
    let in_flight = grant(&shared, &credentials);
    block_on(shared.forget(JANE)).unwrap();
    let settled = settle(&shared, in_flight, Some(&tokens()), SignInResult::Accepted);
    assert_eq!(settled, Settled::Late);
    assert!(inspect(&shared, None).tokens.is_none());
}
