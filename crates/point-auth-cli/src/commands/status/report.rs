//! The report of `status`, for a person and for a script.

use std::time::{Duration, SystemTime};

use point_auth::session::Snapshot;
use point_auth::token_store::{Inspection, Refusal};
use serde_json::json;

use super::Way;
use crate::commands::token::{epoch, rfc3339};
use crate::failure::{Failure, one_line, whole_seconds};
use crate::output::{self, Color};
use crate::profile::Profile;

/// All that is known.
pub(super) struct Report<'a> {
    pub(super) profile: &'a Profile,
    pub(super) username: &'a str,
    pub(super) inspection: Option<&'a Inspection>,
    pub(super) tokens: &'a Snapshot,
    /// Why the password at hand cannot be used.
    pub(super) problem: Option<&'a Failure>,
    pub(super) way: Way,
}

impl Report<'_> {
    pub(super) fn to_json(&self) -> String {
        let expires = self.tokens.token_left.map(|left| SystemTime::now() + left);
        let denial = self.inspection.and_then(|inspection| inspection.last_denial.as_ref());
        let in_use = self.inspection.and_then(|inspection| inspection.in_use);
        let report = json!({
            "version": 1,
            "profile": self.profile.name,
            "config_file": self.profile.file,
            "base_url": self.profile.base_url.as_str(),
            "username": self.username,
            "user_alias": self.profile.user_alias,
            "store": self.profile.store.describe(),
            "password": self.profile.password.describe(),
            "password_problem": self.problem.map(ToString::to_string),
            "access_token": expires.map(|expires| json!({
                "expires_on": epoch(expires),
                "expires_at": rfc3339(expires),
            })),
            "refresh_token": self.tokens.has_refresh_token,
            "in_use": in_use.map(whole_seconds),
            "last_denial": denial.map(|denial| json!({
                "status": denial.status().as_u16(),
                "code": denial.code(),
                "description": denial.description(),
            })),
            "sign_in": self.refusal().map_or("allowed", |(word, _)| word),
            "retry_after": match self.way {
                Way::Later(left) => Some(whole_seconds(left)),
                _ => None,
            },
            "way_to_a_token": self.way == Way::Open,
        });
        format!("{report}\n")
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            let value = one_line(&value);
            text.push_str(&format!("{name:<14} {value}\n"));
        };
        let file = self.profile.file.as_ref();
        let file = file.map_or("no file".to_owned(), |file| file.display().to_string());
        line("profile", format!("{} ({file})", self.profile.name));
        line("API", self.profile.base_url.as_str().to_owned());
        line("username", self.username.to_owned());
        if let Some(alias) = &self.profile.user_alias {
            line("alias", alias.clone());
        }
        line("store", self.profile.store.describe());
        line("password from", self.profile.password.describe());
        if let Some(problem) = self.problem {
            line("", problem.to_string());
        }
        let good = |left: Duration| format!("good for {}", output::duration(left));
        line("access token", self.tokens.token_left.map_or("none".to_owned(), good));
        let refresh_token = if self.tokens.has_refresh_token { "there" } else { "none" };
        line("refresh token", refresh_token.to_owned());
        if let Some(left) = self.inspection.and_then(|inspection| inspection.in_use) {
            let left = output::duration(left);
            line("in flight", format!("another process exchanges tokens, for {left} at most"));
        }
        if let Some(denial) = self.inspection.and_then(|one| one.last_denial.as_ref()) {
            line("last denial", denial.to_string());
        }
        if let Some((_, why)) = self.refusal() {
            line("sign-in", why);
        }
        let (color, way) = match self.way {
            Way::Open => (Color::Green, "there is a way to a token".to_owned()),
            Way::Later(left) => (Color::Yellow, format!("try again in {}", output::duration(left))),
            Way::Closed => (Color::Red, self.advice().to_owned()),
        };
        text.push_str(&output::paint(color, &way));
        text.push('\n');
        text
    }

    /// Why the password at hand would not be sent, as a word and as a sentence.
    fn refusal(&self) -> Option<(&'static str, String)> {
        let after = |left: &Duration| format!("for {}", output::duration(*left));
        Some(match self.inspection?.refusal.as_ref()? {
            Refusal::Denied(_) => ("denied", "this password was denied".to_owned()),
            Refusal::Held(left) => {
                let until = left.as_ref().map_or("until a reset".to_owned(), after);
                ("held", format!("held {until}, after denials of other aliases"))
            }
            Refusal::TooManyUnknown(left) => {
                ("held", format!("held {}, after sign-ins without an answer", after(left)))
            }
        })
    }

    fn advice(&self) -> &'static str {
        match self.refusal() {
            Some(_) => "no way to a token: correct the password, or run `point-auth reset`",
            None if self.problem.is_some() => "no way to a token: the password cannot be read",
            None => "no way to a token: run `point-auth login`",
        }
    }
}
