//! An operation whose documented failures are part of its output.

use http::{Request, Response, StatusCode};
use point_auth::operation::{failure_body, json_post, printable, success_body};
use point_auth::{BaseUrl, MalformedReason, Operation, RequestError, ResponseError, SecretBody};
use serde_json::{Value, json};

// ANCHOR: operation
/// `POST /loans`, an example of a request with documented failures.
#[derive(Debug)]
pub struct CreateLoan {
    number: String,
}

/// Why there is no new loan.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// 409: a loan of this number exists.
    Exists {
        /// Its id.
        id: u64,
    },
    /// 422: what is wrong, in the text of the API.
    Invalid {
        /// Capped and escaped.
        message: String,
    },
}

impl Operation for CreateLoan {
    type Output = Result<u64, Refusal>;

    fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
        json_post(base, "/loans", SecretBody::json(&json!({ "number": self.number }))?)
    }

    fn parse_response<B: AsRef<[u8]>>(
        &self,
        response: &Response<B>,
    ) -> Result<Self::Output, ResponseError> {
        let status = response.status();
        if matches!(status, StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY) {
            let body = failure_body(response, Self::MAX_RESPONSE_BYTES, &[])?;
            if let Some(refusal) = Refusal::read(status, body) {
                return Ok(Err(refusal));
            }
        }
        let body = success_body(response, Self::MAX_RESPONSE_BYTES, &[])?;
        let created: Option<Value> = serde_json::from_slice(body).ok();
        let id = created.and_then(|created| created.get("id")?.as_u64()).map(Ok);
        id.ok_or(ResponseError::malformed(MalformedReason::Other("there is no id")))
    }
}

impl Refusal {
    fn read(status: StatusCode, body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        match status {
            StatusCode::CONFLICT => Some(Self::Exists { id: body.get("id")?.as_u64()? }),
            _ => {
                let message = printable(body.get("message")?.as_str()?, 200, &[]);
                Some(Self::Invalid { message })
            }
        }
    }
}
// ANCHOR_END: operation

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<Result<u64, Refusal>, ResponseError> {
        let loan = CreateLoan { number: "1".into() };
        loan.parse_response(&Response::builder().status(status).body(body).unwrap())
    }

    #[test]
    fn a_failure_that_the_api_describes_is_output() {
        assert_eq!(read(200, r#"{"id": 7}"#), Ok(Ok(7)));
        assert_eq!(read(409, r#"{"id": 7}"#), Ok(Err(Refusal::Exists { id: 7 })));
        let message = "no such state".to_owned();
        let answer = read(422, r#"{"message": "no such state"}"#);
        assert_eq!(answer, Ok(Err(Refusal::Invalid { message })));
    }

    #[test]
    fn a_page_of_a_gateway_is_an_error_at_any_status() {
        for status in [200, 409, 422] {
            let answer = read(status, "<html>");
            assert!(matches!(answer, Err(ResponseError::Unexpected { .. })), "{status}");
        }
    }
}
