//! ureq's most verbose logs hold no secret. ureq-proto does log secrets, as the crate's
//! documentation says.

use std::sync::{Mutex, OnceLock, PoisonError};

use log::{LevelFilter, Log, Metadata, Record};
use point_auth_testkit::ConnectProxy;
use point_auth_transport::{ProxySettings, TransportSettings};
use point_auth_ureq::UreqTransport;

use crate::support::{PASSWORD, USER, emulator, plain, sign_in, transport, trusting};

/// Keeps the logs of everything but ureq-proto.
struct Kept(Mutex<Vec<String>>);

impl Log for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        !metadata.target().starts_with("ureq_proto")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = format!("{} {}: {}", record.level(), record.target(), record.args());
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }

    fn flush(&self) {}
}

fn logger() -> &'static Kept {
    static LOGGER: OnceLock<Kept> = OnceLock::new();
    let mut is_new = false;
    let logger = LOGGER.get_or_init(|| {
        is_new = true;
        Kept(Mutex::default())
    });
    if is_new {
        log::set_logger(logger).unwrap();
        log::set_max_level(LevelFilter::Trace);
    }
    logger
}

#[test]
fn no_password_no_token_and_no_proxy_credentials_are_logged_at_trace() {
    let logger = logger();
    let emulator = plain();
    let plain_tokens = sign_in(&transport(&emulator), &emulator.base_url());

    let emulator = self::emulator(|builder| builder.with_tls().host_name("api.example.test"));
    let proxy = ConnectProxy::builder()
        .map("api.example.test:443", emulator.addr())
        .credentials("proxy-user", "proxy-word")
        .start()
        .unwrap();
    let url = ProxySettings::url(&proxy.url_with_userinfo("proxy-user:proxy-word")).unwrap();
    let settings = TransportSettings::new().with_tls(trusting(&emulator)).with_proxy(url);
    let tls_tokens =
        sign_in(&UreqTransport::with_settings(&settings).unwrap(), "https://api.example.test");

    let lines = logger.0.lock().unwrap_or_else(PoisonError::into_inner).join("\n");
    assert!(
        lines.contains("TRACE ureq") && lines.contains("api.example.test"),
        "ureq logged nothing"
    );
    let mut secrets =
        vec![PASSWORD.to_owned(), USER.to_owned(), "proxy-word".to_owned(), "cHJveHktd".to_owned()];
    for tokens in [plain_tokens, tls_tokens] {
        secrets.push(tokens.access_token().expose().to_owned());
        secrets.extend(tokens.refresh_token().map(|token| token.expose().to_owned()));
    }
    for secret in secrets {
        assert!(!lines.contains(&secret), "{secret} is logged");
    }
}
