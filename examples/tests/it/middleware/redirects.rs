//! The rows about redirects, with two real servers.

use point_auth_testkit::{Emulator, Fault, Operation};

use super::subject::{Call, Kind, MOVED, Redirects, Setup, Subject, arrived, emulator};

fn redirect(emulator: &Emulator, location: &str) {
    emulator.push_fault_for(Operation::Protected, Fault::redirect(302, location));
}

fn api(kind: &Kind) -> (Emulator, Box<dyn Subject>) {
    let api = emulator();
    let subject = (kind.make)(&Setup::of(&api));
    (api, subject)
}

pub(super) fn a_redirect_within_the_api(kind: &Kind) {
    let (api, subject) = api(kind);
    redirect(&api, MOVED);
    let status = subject.ask(&Call::to(&api)).status();
    let expected = match kind.redirects {
        Redirects::Above | Redirects::Below => (200, (2, 2)),
        Redirects::WithoutToken => (401, (2, 1)),
        Redirects::Never => (302, (1, 1)),
    };
    assert_eq!((status, arrived(&api)), expected);
    assert!(subject.has_token());
}

pub(super) fn a_redirect_to_another_port(kind: &Kind) {
    let ((api, subject), other) = (api(kind), emulator());
    redirect(&api, &(other.base_url() + MOVED));
    let status = subject.ask(&Call::to(&api)).status();
    let expected = match kind.redirects {
        Redirects::Never => (302, (0, 0)),
        _ => (401, (1, 0)),
    };
    assert_eq!((status, arrived(&other)), expected);
    assert_eq!(arrived(&api), (1, 1));
}

pub(super) fn a_redirect_to_another_host(kind: &Kind) {
    let (api, subject) = api(kind);
    redirect(&api, &(api.base_url_for("localhost") + MOVED));
    let status = subject.ask(&Call::to(&api)).status();
    let expected = match kind.redirects {
        Redirects::Never => (302, (1, 1)),
        _ => (401, (2, 1)),
    };
    assert_eq!((status, arrived(&api)), expected);
}

pub(super) fn a_redirect_to_another_server_and_within_that(kind: &Kind) {
    let ((api, subject), other) = (api(kind), emulator());
    redirect(&api, &(other.base_url() + MOVED));
    redirect(&other, MOVED);
    let status = subject.ask(&Call::to(&api)).status();
    let expected = match kind.redirects {
        Redirects::Never => (302, (0, 0)),
        // reqwest would send the token on the second hop.
        Redirects::Below => (302, (1, 0)),
        Redirects::Above | Redirects::WithoutToken => (401, (2, 0)),
    };
    assert_eq!((status, arrived(&other)), expected);
}

pub(super) fn a_401_of_another_server_costs_no_token(kind: &Kind) {
    let ((api, subject), other) = (api(kind), emulator());
    for _ in 0..3 {
        redirect(&api, &(other.base_url() + MOVED));
        let expected = if kind.redirects == Redirects::Never { 302 } else { 401 };
        assert_eq!(subject.ask(&Call::to(&api)).status(), expected);
        assert!(subject.has_token());
    }
    assert_eq!(subject.ask(&Call::to(&api)).status(), 200);
    assert_eq!((api.count(Operation::SignIn), api.count(Operation::Refresh)), (1, 0));
    assert_eq!(arrived(&api), (4, 4));
}
