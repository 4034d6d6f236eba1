//! The cost of the core: building the request of a sign-in and parsing its response.

use std::hint::black_box;

use http::{Response, Uri};
use point_auth_core::{BaseUrl, Operation, SignIn};

use crate::by_hand;
use crate::measure::Case;
use crate::ours::credentials;
use crate::sample::{self, PASSWORD, USERNAME};

/// Returns the four tables. The first row of each is the reference.
pub fn tables() -> Vec<(&'static str, Vec<Case>)> {
    #[cfg_attr(not(feature = "peers"), expect(unused_mut, reason = "the peers come last"))]
    let mut tables = vec![
        ("build", build()),
        ("read a 200", read_success()),
        ("read a 403", read_denial()),
        ("both", both()),
    ];
    #[cfg(feature = "peers")]
    if let Some((_, both)) = tables.last_mut() {
        both.push(crate::peers::oauth2::both());
        both.push(crate::peers::io_oauth::both());
    }
    tables
}

fn uri() -> Uri {
    Uri::from_static(
        "https://api.pointservices.com/user-management-services-ws/oauth2/002/signInWithPassword",
    )
}

fn build() -> Vec<Case> {
    let (uri, base, credentials) = (uri(), BaseUrl::production(), credentials());
    vec![
        Case::new("by hand", move || by_hand::build(&uri, USERNAME, PASSWORD)),
        Case::new("point-auth", move || SignIn::new(&credentials).to_request(&base).unwrap()),
    ]
}

fn read_success() -> Vec<Case> {
    let (theirs, response, credentials) = (sample::success(), sample::success(), credentials());
    vec![
        Case::new("by hand", move || by_hand::read(&theirs).ok().unwrap()),
        Case::new("point-auth", move || {
            SignIn::new(&credentials).parse_response(&response).unwrap()
        }),
    ]
}

fn read_denial() -> Vec<Case> {
    let (theirs, response, credentials) = (sample::denial(), sample::denial(), credentials());
    vec![
        Case::new("by hand", move || by_hand::read(&theirs).err().unwrap()),
        Case::new("point-auth", move || {
            SignIn::new(&credentials).parse_response(&response).unwrap_err()
        }),
    ]
}

fn both() -> Vec<Case> {
    // A new copy of the response each time, because some of the peers take ownership.
    let (theirs, body) = (sample::success().into_body(), sample::success().into_body());
    let (uri, base, credentials) = (uri(), BaseUrl::production(), credentials());
    let by_hand = move || {
        black_box(by_hand::build(&uri, USERNAME, PASSWORD));
        by_hand::read(&Response::new(theirs.clone())).ok().unwrap()
    };
    let ours = move || {
        let sign_in = SignIn::new(&credentials);
        black_box(sign_in.to_request(&base).unwrap());
        sign_in.parse_response(&Response::new(body.clone())).unwrap()
    };
    vec![Case::new("by hand", by_hand), Case::new("point-auth", ours)]
}
