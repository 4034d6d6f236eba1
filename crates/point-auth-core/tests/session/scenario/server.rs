//! The server, and the result of an exchange.

use http::{HeaderValue, Response, StatusCode};
use point_auth_core::session::{ExchangeId, Failure, Outcome};

use super::Scenario;

/// One exchange and its result.
#[must_use]
pub(crate) struct Server<'a> {
    pub(super) scenario: &'a mut Scenario,
    pub(super) id: ExchangeId,
}

impl<'a> Server<'a> {
    /// An access token and nothing else.
    #[track_caller]
    pub(crate) fn gives(self, token: &str, life: u32) -> &'a mut Scenario {
        self.renews(&format!(r#"{{"access_token":"{token}","expires_in":{life}}}"#))
    }

    /// An access token and a refresh token of one name.
    #[track_caller]
    pub(crate) fn gives_refreshable(self, token: &str, life: u32) -> &'a mut Scenario {
        self.gives_both(token, &format!("{token}-refresh"), life)
    }

    #[track_caller]
    pub(crate) fn gives_both(self, token: &str, refresh: &str, life: u32) -> &'a mut Scenario {
        self.renews(&format!(
            r#"{{"access_token":"{token}","refresh_token":"{refresh}","expires_in":{life}}}"#
        ))
    }

    #[track_caller]
    fn renews(self, body: &str) -> &'a mut Scenario {
        let scenario = self.answers(200, body);
        assert!(
            matches!(scenario.outcome, Some(Outcome::Renewed { .. })),
            "{:?}",
            scenario.outcome
        );
        scenario
    }

    pub(crate) fn answers(self, status: u16, body: &str) -> &'a mut Scenario {
        self.answers_with(status, body, None)
    }

    pub(crate) fn answers_with(
        self,
        status: u16,
        body: &str,
        retry_after: Option<&str>,
    ) -> &'a mut Scenario {
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        if let Some(value) = retry_after {
            response.headers_mut().insert("retry-after", HeaderValue::from_str(value).unwrap());
        }
        let outcome = self.scenario.session.handle_response(self.id, self.scenario.now, &response);
        self.scenario.outcome = Some(outcome);
        self.scenario
    }

    /// The response of the API reference to a wrong password.
    pub(crate) fn denies(self) -> &'a mut Scenario {
        self.answers(
            403,
            r#"{"error":"access_denied","error_description":"Invalid username / password combination"}"#,
        )
    }

    /// A gateway in front of the server is down.
    pub(crate) fn is_unavailable(self) -> &'a mut Scenario {
        self.answers(503, "<html>come back later</html>")
    }

    pub(crate) fn is_busy(self, retry_after: &str) -> &'a mut Scenario {
        self.answers_with(429, "", Some(retry_after))
    }

    /// The server never saw the request.
    pub(crate) fn is_not_reached(self) -> &'a mut Scenario {
        self.fails(&Failure::not_sent())
    }

    /// The server may have seen the request.
    pub(crate) fn falls_silent(self) -> &'a mut Scenario {
        self.fails(&Failure::maybe_sent())
    }

    pub(crate) fn fails(self, failure: &Failure) -> &'a mut Scenario {
        let outcome = self.scenario.session.handle_failure(self.id, self.scenario.now, failure);
        self.scenario.outcome = Some(outcome);
        self.scenario
    }
}
