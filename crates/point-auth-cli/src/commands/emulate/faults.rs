//! Faults of the emulator as options.

use std::time::Duration;

use point_auth_testkit::{Emulator, Fault, Operation};

/// A fault, and whether it is for every request.
#[derive(Clone, Debug)]
pub(super) struct FaultOption {
    kind: Kind,
    is_always: bool,
}

#[derive(Clone, Debug)]
enum Kind {
    Status { status: u16, retry_after: Option<u64> },
    Slow(Duration),
    Silent,
    Reset,
    Close,
    Html,
}

impl FaultOption {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (text, is_always) = match text.strip_suffix('*') {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (word, rest) = match text.split_once(':') {
            Some((word, rest)) => (word, Some(rest)),
            None => (text, None),
        };
        let kind = match (word, rest) {
            ("silent", None) => Kind::Silent,
            ("reset", None) => Kind::Reset,
            ("close", None) => Kind::Close,
            ("html", None) => Kind::Html,
            ("slow", Some(time)) => {
                Kind::Slow(humantime::parse_duration(time).map_err(|error| error.to_string())?)
            }
            (status, rest) => {
                let status = status.parse().ok().filter(|status| (200..600).contains(status));
                let retry_after = rest.map(str::parse).transpose();
                match (status, retry_after) {
                    (Some(status), Ok(retry_after)) => Kind::Status { status, retry_after },
                    _ => return Err("it is no fault".to_owned()),
                }
            }
        };
        Ok(Self { kind, is_always })
    }

    pub(super) fn apply(&self, emulator: &Emulator, operation: Option<Operation>) {
        let fault = self.fault();
        match (self.is_always, operation) {
            (true, None) => emulator.always(fault),
            (true, Some(operation)) => emulator.always_for(operation, fault),
            (false, None) => emulator.push_fault(fault),
            (false, Some(operation)) => emulator.push_fault_for(operation, fault),
        }
    }

    fn fault(&self) -> Fault {
        match self.kind {
            Kind::Status { status, retry_after } => {
                let fault = Fault::respond(status);
                match retry_after {
                    Some(seconds) => fault.header("retry-after", seconds.to_string()),
                    None => fault,
                }
            }
            Kind::Slow(delay) => Fault::pass().delay(delay),
            Kind::Silent => Fault::silent(),
            Kind::Reset => Fault::reset(),
            Kind::Close => Fault::close_after_request(),
            Kind::Html => Fault::html(502),
        }
    }
}
