//! Rule 8, as the environment says it. The environment of a process cannot be changed safely while
//! others read it, so each check runs its own test again, in a process of its own with another
//! environment.

use std::env;
use std::process::Command;
use std::sync::Arc;

use point_auth_transport::TransportErrorKind::Connect;

use super::leaks::shows_nothing;
use super::proxies::{AUTHORITY, HOST};
use crate::conformance::bench::{AMPLE, Bench, base, setup_with, sign_in_at};
use crate::conformance::canary;
use crate::conformance::candidate::ProxyChoice;
use crate::conformance::violation::{Outcome, Rule, Violation, ensure};
use crate::{ConnectProxy, Emulator};

pub(in crate::conformance) const RULE: Rule = Rule::Proxies;

/// What the second process is to find out; its presence is how it knows that it is one.
const EXPECT: &str = "POINT_AUTH_CONFORMANCE_EXPECT";
const BASE: &str = "POINT_AUTH_CONFORMANCE_BASE";
const ROOT: &str = "POINT_AUTH_CONFORMANCE_ROOT";
const VARIABLES: [&str; 8] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
];

struct Outside {
    emulator: Arc<Emulator>,
    proxy: Arc<ConnectProxy>,
}

impl Outside {
    fn new(bench: &Bench<'_>) -> Result<Self, Violation> {
        let emulator = bench.emulator_with(|builder| builder.host_name(HOST))?;
        let proxy = bench.proxy(
            ConnectProxy::builder()
                .map(AUTHORITY, emulator.addr())
                .credentials(canary::PROXY_USERNAME, canary::PROXY_PASSWORD),
        )?;
        Ok(Self { emulator, proxy })
    }

    fn url(&self) -> String {
        self.proxy.url_with_userinfo(canary::PROXY_USERINFO)
    }

    /// Runs the test of this check again, with these variables, and looks whether it came to
    /// `expected`.
    fn run(
        &self,
        bench: &Bench<'_>,
        expected: &str,
        base: &str,
        variables: &[(&str, &str)],
    ) -> Outcome {
        let test = bench.test().ok_or_else(|| Violation::new("this check runs as a test only"))?;
        let program = env::current_exe().map_err(|error| Violation::new(error.to_string()))?;
        let mut command = Command::new(program);
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        command.args(["--exact", test, "--nocapture"]).envs(variables.iter().copied());
        command.env(EXPECT, expected).env(BASE, base).env(ROOT, self.emulator.ca_pem());
        let output = command.output().map_err(|error| Violation::new(error.to_string()))?;
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        let names: Vec<_> = variables.iter().map(|(name, _)| name).collect();
        ensure!(
            said.contains("1 passed") || !output.status.success(),
            "there is no test `{test}` to run again"
        );
        ensure!(
            output.status.success(),
            "with {names:?} set it did not come to a {expected}:\n{said}"
        );
        Ok(())
    }
}

/// The second process: comes to what is expected, or fails.
fn inside(bench: &Bench<'_>, expected: &str) -> Outcome {
    let (Ok(base_url), Ok(root)) = (env::var(BASE), env::var(ROOT)) else {
        return Err(Violation::new("the environment of the check is not complete"));
    };
    let setup = setup_with(Some(&root), None, ProxyChoice::Environment, None)?;
    if expected == "refusal" {
        let refused = setup.settings().proxy().resolve().err();
        let refused =
            refused.ok_or_else(|| Violation::new("the proxy of the environment is not refused"))?;
        shows_nothing(&refused)?;
        return match bench.candidate().make(&setup) {
            Ok(_) => Err(Violation::new("a transport is made although the proxy cannot be used")),
            Err(error) => {
                ensure!(canary::in_error(&*error).is_none(), "a secret is shown in the refusal");
                Ok(())
            }
        };
    }
    let transport = bench.transport(&setup)?;
    let attempt = transport.send(sign_in_at(&base(&base_url)?)?, AMPLE)?;
    match expected {
        "response" => attempt.response().map(drop),
        _ => attempt.failed(&[Connect])?.not_sent(),
    }
}

pub(in crate::conformance) fn the_environment_names_the_proxy(bench: &Bench<'_>) -> Outcome {
    if let Ok(expected) = env::var(EXPECT) {
        return inside(bench, &expected);
    }
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let outside = Outside::new(bench)?;
        outside.run(
            bench,
            "response",
            &format!("https://{HOST}"),
            &[(variable, &outside.url())],
        )?;
        ensure!(
            outside.proxy.count(AUTHORITY) == 1,
            "the proxy that {variable} names was not asked"
        );
        ensure!(outside.emulator.requests().len() == 1, "the request did not arrive once");
        ensure!(!outside.proxy.saw(canary::PASSWORD), "the proxy saw the password");
    }
    Ok(())
}

pub(in crate::conformance) fn the_environment_names_what_is_reached_without(
    bench: &Bench<'_>,
) -> Outcome {
    if let Ok(expected) = env::var(EXPECT) {
        return inside(bench, &expected);
    }
    for (variable, list) in [("NO_PROXY", HOST), ("no_proxy", "example.test"), ("NO_PROXY", "*")] {
        let outside = Outside::new(bench)?;
        let variables = [("HTTPS_PROXY", outside.url()), (variable, list.to_owned())];
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        outside.run(bench, "failure", &format!("https://{HOST}"), &variables)?;
        ensure!(
            outside.proxy.connections() == 0,
            "with {variable}={list} the proxy was connected to"
        );
    }
    Ok(())
}

pub(in crate::conformance) fn the_environment_has_no_say_in_loopback(bench: &Bench<'_>) -> Outcome {
    if let Ok(expected) = env::var(EXPECT) {
        return inside(bench, &expected);
    }
    let outside = Outside::new(bench)?;
    let url = outside.url();
    let plain = Emulator::builder().user(canary::USERNAME, canary::PASSWORD).start()?;
    for base in
        [outside.emulator.base_url(), outside.emulator.base_url_for("localhost"), plain.base_url()]
    {
        outside.run(
            bench,
            "response",
            &base,
            &[("HTTPS_PROXY", &url), ("http_proxy", &url), ("ALL_PROXY", &url)],
        )?;
    }
    ensure!(outside.proxy.connections() == 0, "the proxy was connected to");
    Ok(())
}

pub(in crate::conformance) fn a_proxy_in_the_environment_that_cannot_be_used_is_refused(
    bench: &Bench<'_>,
) -> Outcome {
    if let Ok(expected) = env::var(EXPECT) {
        return inside(bench, &expected);
    }
    let outside = Outside::new(bench)?;
    for scheme in ["socks5", "socks5h", "https", "ftp"] {
        let url = outside.url().replacen("http", scheme, 1);
        outside.run(bench, "refusal", &format!("https://{HOST}"), &[("HTTPS_PROXY", &url)])?;
    }
    Ok(())
}
