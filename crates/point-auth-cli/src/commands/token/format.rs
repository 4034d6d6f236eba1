//! The forms in which a token is printed.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::ValueEnum;
use point_auth::session::Lease;
use zeroize::Zeroizing;

/// The variable that programs find the token in.
pub(crate) const VARIABLE: &str = "POINT_AUTH_ACCESS_TOKEN";

/// A form to print a token in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The token alone
    Token,
    /// A line `Authorization: Bearer …`
    Header,
    /// An object with the token and its end
    Json,
    /// A line for `eval` in a POSIX shell
    Env,
    /// A line for Invoke-Expression in PowerShell
    Powershell,
}

impl Format {
    /// The text to print, with a line end.
    pub(crate) fn write(self, lease: &Lease, user_alias: Option<&str>) -> Zeroizing<String> {
        let token = lease.token.expose();
        Zeroizing::new(match self {
            Self::Token => format!("{token}\n"),
            Self::Header => format!("Authorization: Bearer {token}\n"),
            Self::Env => format!("export {VARIABLE}='{}'\n", token.replace('\'', r"'\''")),
            Self::Powershell => format!("$env:{VARIABLE} = '{}'\n", token.replace('\'', "''")),
            Self::Json => json(lease, user_alias),
        })
    }
}

fn json(lease: &Lease, user_alias: Option<&str>) -> String {
    let object = serde_json::json!({
        "version": 1,
        "access_token": lease.token.expose(),
        "token_type": "Bearer",
        "expires_on": epoch(lease.expires_at),
        "expires_at": rfc3339(lease.expires_at),
        "user_alias": user_alias,
    });
    format!("{object}\n")
}

/// Whole seconds since 1970, rounded down, so that no program uses the token for too long.
pub(crate) fn epoch(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Such as `2026-11-25T01:02:03Z`.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let whole = UNIX_EPOCH.checked_add(std::time::Duration::from_secs(epoch(time)));
    humantime::format_rfc3339_seconds(whole.unwrap_or(UNIX_EPOCH)).to_string()
}
