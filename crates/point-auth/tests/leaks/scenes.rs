//! The servers, their responses, and every way in which an exchange fails.

use std::time::Duration;

use http::StatusCode;
use point_auth::transport::{ProxySettings, Roots, TlsSettings, TransportSettings};
use point_auth::{BaseUrl, Credentials};
use point_auth_testkit::{
    Certificate, ClosedPort, ConnectProxy, Emulator, Fault, HttpVersions, Operation, ProxyBehavior,
};

use crate::canaries::{ACCESS, Canary, ECHOED, PASSWORD, PROXY_PASSWORD, REFRESH};
use crate::drivers::Driver;
use crate::shown::{everything, shows_no_secret};

/// For exchanges that end by themselves.
const AMPLE: Duration = Duration::from_secs(30);
/// For exchanges that do not.
const SHORT: Duration = Duration::from_millis(150);

pub(crate) const USERNAME: &str = "user@example.com";
const HOST: &str = "api.example.test";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Plain,
    Tls(HttpVersions),
}

/// The base URL, and the way to it.
pub(crate) struct Site {
    pub(crate) settings: TransportSettings,
    pub(crate) base_url: BaseUrl,
    pub(crate) timeout: Duration,
}

pub(crate) struct Scene {
    wire: Wire,
    emulator: Emulator,
}

impl Scene {
    pub(crate) fn new(wire: Wire) -> Self {
        let builder = Emulator::builder().host_name(HOST);
        let builder = match wire {
            Wire::Plain => builder,
            Wire::Tls(versions) => builder.http(versions).with_tls(),
        };
        let scene = Self { wire, emulator: builder.start().unwrap() };
        scene.answer_well();
        scene
    }

    /// From now on every sign-in and every refresh gets the tokens to search for.
    fn answer_well(&self) {
        self.emulator.clear_faults();
        let (access, refresh) = (ACCESS.text(), REFRESH.text());
        let answer = format!(
            r#"{{"access_token":"{access}","refresh_token":"{refresh}","expires_in":3600}}"#
        );
        for operation in [Operation::SignIn, Operation::Refresh] {
            self.emulator.always_for(operation, Fault::respond(200).json(answer.clone()));
        }
    }

    /// Runs everything that works and everything that fails. Returns the number of failures.
    pub(crate) fn play(&self, driver: &Driver) -> usize {
        driver.works(&self.site(), &self.emulator, &credentials(&PASSWORD));
        let mut ways = self.by_answers(driver, AMPLE, &PASSWORD, answers());
        ways += self.by_answers(driver, AMPLE, &ECHOED, answers_that_repeat(&ECHOED.text()));
        ways += self.by_answers(driver, SHORT, &PASSWORD, slow_answers());
        self.answer_well();
        ways += self.without_a_server(driver);
        if self.wire != Wire::Plain {
            ways += self.by_certificates(driver);
            ways += self.by_proxies(driver);
        }
        ways
    }

    fn site(&self) -> Site {
        let tls = TlsSettings::new().with_roots(Roots::ExtraOnly);
        let tls = tls.with_extra_roots_pem(self.emulator.ca_pem().as_bytes()).unwrap();
        Site {
            settings: TransportSettings::new().with_tls(tls).with_proxy(ProxySettings::none()),
            base_url: BaseUrl::parse(&self.emulator.base_url()).unwrap(),
            timeout: AMPLE,
        }
    }

    fn by_answers(
        &self,
        driver: &Driver,
        timeout: Duration,
        password: &Canary,
        answers: Vec<Fault>,
    ) -> usize {
        let site = Site { timeout, ..self.site() };
        answers
            .into_iter()
            .map(|answer| {
                self.emulator.clear_faults();
                let what = format!("{:?} {answer:?}", self.wire);
                self.emulator.always(answer);
                self.fails(driver, &site, password, &what)
            })
            .sum()
    }

    /// Lets a sign-in and a refresh fail, and searches their errors.
    fn fails(&self, driver: &Driver, site: &Site, password: &Canary, what: &str) -> usize {
        let credentials = credentials(password);
        let sign_in = driver.sign_in_fails(site, &self.emulator, &credentials);
        shows_no_secret(&format!("{what}, a sign-in"), &everything(&sign_in));
        // A server that repeats a secret repeats the one that was sent to it.
        let refresh_token =
            if password.name == ECHOED.name { ECHOED.text() } else { REFRESH.text() };
        let refresh = driver.refresh_fails(site, &self.emulator, &credentials, &refresh_token);
        shows_no_secret(&format!("{what}, a refresh"), &everything(&refresh));
        2
    }

    fn without_a_server(&self, driver: &Driver) -> usize {
        let port = ClosedPort::reserve().unwrap();
        let scheme = if self.wire == Wire::Plain { "http" } else { "https" };
        let base_url = BaseUrl::parse(&format!("{scheme}://{}", port.addr())).unwrap();
        self.fails(driver, &Site { base_url, ..self.site() }, &PASSWORD, "no server")
    }

    fn by_certificates(&self, driver: &Driver) -> usize {
        let certificates = [
            Certificate::UnknownCa,
            Certificate::SelfSigned,
            Certificate::Expired,
            Certificate::WrongHost,
        ];
        certificates
            .into_iter()
            .map(|certificate| {
                let other = Emulator::builder().tls(certificate).start().unwrap();
                let site =
                    Site { base_url: BaseUrl::parse(&other.base_url()).unwrap(), ..self.site() };
                let ways = self.fails(driver, &site, &PASSWORD, &format!("{certificate:?}"));
                assert_eq!(other.bytes_received(), 0);
                ways
            })
            .sum()
    }

    /// Runs through a proxy that requires credentials, with right and wrong ones, and through a
    /// proxy with faults.
    fn by_proxies(&self, driver: &Driver) -> usize {
        let proxy = |behavior| {
            ConnectProxy::builder()
                .map(format!("{HOST}:443"), self.emulator.addr())
                .credentials("proxy-user", PROXY_PASSWORD.text())
                .behavior(behavior)
                .start()
                .unwrap()
        };
        let through = |proxy: &ConnectProxy, userinfo: String, timeout| {
            let site = self.site();
            let proxy = ProxySettings::url(&proxy.url_with_userinfo(&userinfo)).unwrap();
            let base_url = BaseUrl::parse(&format!("https://{HOST}")).unwrap();
            Site { settings: site.settings.with_proxy(proxy), base_url, timeout }
        };
        let right = format!("proxy-user:{}", PROXY_PASSWORD.text());
        let tunnel = proxy(ProxyBehavior::Tunnel);
        driver.works(
            &through(&tunnel, right.clone(), AMPLE),
            &self.emulator,
            &credentials(&PASSWORD),
        );
        assert!(tunnel.saw("proxy-authorization") || tunnel.saw("Proxy-Authorization"));

        let wrong = format!("proxy-user:wrong-{}", PROXY_PASSWORD.text());
        let mut ways =
            self.fails(driver, &through(&tunnel, wrong, AMPLE), &PASSWORD, "a proxy's 407");
        let echo = format!("HTTP/1.1 407 {right}\r\nx: {right}\r\n\r\n{right}");
        let behaviors = [
            (ProxyBehavior::Refuse(502), AMPLE),
            (ProxyBehavior::Garbage(echo.into()), AMPLE),
            (ProxyBehavior::Close, AMPLE),
            (ProxyBehavior::Silent, SHORT),
        ];
        for (behavior, timeout) in behaviors {
            let what = format!("a proxy, {behavior:?}");
            let proxy = proxy(behavior);
            ways += self.fails(driver, &through(&proxy, right.clone(), timeout), &PASSWORD, &what);
        }
        ways
    }
}

fn credentials(password: &Canary) -> Credentials {
    Credentials::new(USERNAME, password.text()).unwrap()
}

/// Responses that are wrong by themselves, most with tokens in them.
fn answers() -> Vec<Fault> {
    let (access, refresh) = (ACCESS.text(), REFRESH.text());
    let json = |status: StatusCode, body: String| Fault::respond(status.as_u16()).json(body);
    let tokens = format!(r#""access_token":"{access}","refresh_token":"{refresh}""#);
    vec![
        json(
            StatusCode::FORBIDDEN,
            r#"{"error":"access_denied","error_description":"no"}"#.to_owned(),
        ),
        json(StatusCode::OK, r#"{"error":"access_denied","error_description":"no"}"#.to_owned()),
        json(StatusCode::INTERNAL_SERVER_ERROR, format!("{{{tokens}}}")),
        json(StatusCode::TOO_MANY_REQUESTS, format!("{{{tokens}}}")).header("retry-after", &access),
        // Malformed in every manner.
        json(StatusCode::OK, format!("{{{tokens},{tokens}}}")),
        json(StatusCode::OK, format!(r#"{{{tokens},"token_type":"{access}"}}"#)),
        json(StatusCode::OK, format!(r#"{{{tokens},"expires_in":"{access}"}}"#)),
        json(StatusCode::OK, format!(r#"{{"access_token":"{access} {access}"}}"#)),
        json(StatusCode::OK, format!(r#"{{"access_token":["{access}"]}}"#)),
        json(StatusCode::OK, format!("{{{tokens}")),
        json(StatusCode::OK, format!(r#""{access}""#)),
        json(StatusCode::OK, access.clone()),
        json(StatusCode::OK, String::new()),
        Fault::respond(200)
            .header("content-type", "text/html")
            .header("x", &access)
            .body(access.clone()),
        // Too large, and cut off in the middle.
        json(StatusCode::OK, format!(r#"{{{tokens},"x":"{}"}}"#, access.repeat(80))),
        json(StatusCode::OK, format!("{{{tokens}}}")).content_length(100_000),
        json(StatusCode::OK, format!("{{{tokens}}}")).cut_after(700),
        json(StatusCode::OK, format!("{{{tokens}}}")).gzip(),
        // No response at all.
        Fault::reset(),
        Fault::close_after_request(),
        Fault::goaway(0),
        Fault::reset_stream(Fault::ENHANCE_YOUR_CALM),
        Fault::redirect(307, "https://example.invalid/elsewhere"),
    ]
}

/// Responses that repeat the password, where a client might quote them.
fn answers_that_repeat(password: &str) -> Vec<Fault> {
    vec![
        Fault::respond(403)
            .json(format!(r#"{{"error":"access_denied","error_description":"{password}?"}}"#)),
        Fault::respond(403)
            .json(format!(r#"{{"error":"{password}","error_description":"{password}"}}"#)),
        Fault::respond(500)
            .header("content-type", format!("text/{password}"))
            .body(password.to_owned()),
        Fault::respond(200)
            .json(format!(r#"{{"access_token":"{password}"}}"#))
            .header("x", password)
            .gzip(),
        Fault::redirect(307, &format!("https://{password}.example.invalid/?{password}")),
        Fault::raw(goaway_that_says(password)),
        Fault::raw(format!("{password}\r\n\r\n")),
        Fault::raw(format!("HTTP/1.1 {password}\r\n\r\n")),
        Fault::raw(format!("HTTP/1.1 200 OK\r\n{password}: {password}\r\n x\r\n\r\n")),
        Fault::raw(format!("HTTP/1.1 200 OK\r\ncontent-length: {password}\r\n\r\n")),
        Fault::raw(format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{password}\r\n")),
    ]
}

/// HTTP/2's GOAWAY with debug data (RFC 9113, section 6.8): last stream 0, `INTERNAL_ERROR`. It is
/// not valid HTTP/1.1.
fn goaway_that_says(debug_data: &str) -> Vec<u8> {
    let length = u32::try_from(debug_data.len() + 8).unwrap().to_be_bytes();
    [&length[1..], &[7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2], debug_data.as_bytes()].concat()
}

/// Responses that do not end within the time limit.
fn slow_answers() -> Vec<Fault> {
    let body = format!(r#"{{"access_token":"{}"}}"#, ACCESS.text());
    vec![
        Fault::silent(),
        Fault::respond(200).json(body.clone()).drip_body(100, Duration::from_millis(200)),
        Fault::respond(200).json(body).delay(AMPLE),
    ]
}
