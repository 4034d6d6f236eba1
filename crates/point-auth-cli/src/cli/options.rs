//! Options that many commands have. A flag goes before the environment and the file.

use std::path::PathBuf;

use clap::Args;

use crate::config::Settings;

/// Which profile, and values in place of those in it.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Profile options")]
pub(crate) struct ProfileOptions {
    /// Profile in the configuration file [default: default]
    #[arg(long, short, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Configuration file [default: ~/.config/point-auth/config.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Base URL of the API
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Username of the login
    #[arg(long, short, value_name = "NAME")]
    username: Option<String>,
    /// Alias of the acting person, where a company shares one login
    #[arg(long, short, value_name = "NAME")]
    alias: Option<String>,
    /// How long to wait for a token [default: 60s]
    #[arg(long, value_name = "TIME")]
    wait: Option<String>,
    /// Limit for a connection, with TLS [default: 10s]
    #[arg(long, value_name = "TIME", hide_short_help = true)]
    connect_timeout: Option<String>,
    /// Limit for a whole request [default: 30s]
    #[arg(long, value_name = "TIME", hide_short_help = true)]
    total_timeout: Option<String>,
    /// Proxy URL without a password, or `none` [default: `https_proxy` and others]
    #[arg(long, value_name = "URL", hide_short_help = true)]
    proxy: Option<String>,
    /// Trusted roots: platform, bundled or ca-file [default: platform]
    #[arg(long, value_name = "ROOTS", hide_short_help = true)]
    tls_roots: Option<String>,
    /// Further trusted certificates, in PEM
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    tls_ca_file: Option<String>,
    /// Client certificate and its chain, in PEM
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    tls_certificate_file: Option<String>,
    /// Key of the client certificate, in PEM
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    tls_key_file: Option<String>,
    /// Directory of the token store [default: ~/.local/state/point-auth]
    #[arg(long, value_name = "DIR", hide_short_help = true)]
    store_directory: Option<String>,
    /// Redis as the token store, without a password
    #[arg(long, value_name = "URL", hide_short_help = true)]
    store_redis_url: Option<String>,
    /// File with the password of Redis
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    store_redis_password_file: Option<String>,
    /// File with the key that seals tokens in Redis
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    store_key_file: Option<String>,
}

impl ProfileOptions {
    /// Puts the flags that were given before all else.
    pub(crate) fn fill(&self, settings: &mut Settings) {
        for (key, flag, value) in [
            ("base_url", "--base-url", &self.base_url),
            ("username", "--username", &self.username),
            ("alias", "--alias", &self.alias),
            ("wait", "--wait", &self.wait),
            ("connect_timeout", "--connect-timeout", &self.connect_timeout),
            ("total_timeout", "--total-timeout", &self.total_timeout),
            ("proxy", "--proxy", &self.proxy),
            ("tls.roots", "--tls-roots", &self.tls_roots),
            ("tls.ca_file", "--tls-ca-file", &self.tls_ca_file),
            ("tls.certificate_file", "--tls-certificate-file", &self.tls_certificate_file),
            ("tls.key_file", "--tls-key-file", &self.tls_key_file),
            ("store.directory", "--store-directory", &self.store_directory),
            ("store.redis_url", "--store-redis-url", &self.store_redis_url),
            (
                "store.redis_password_file",
                "--store-redis-password-file",
                &self.store_redis_password_file,
            ),
            ("store.key_file", "--store-key-file", &self.store_key_file),
        ] {
            settings.flag(key, flag, value.as_deref());
        }
    }
}

/// Where the password comes from. It never stands on a command line, which others can read.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Password options")]
#[group(id = "password", multiple = false)]
pub(crate) struct PasswordOptions {
    /// Read the password from standard input, if a sign-in needs it
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Read the password from an open file descriptor
    #[arg(long, value_name = "N")]
    pub(crate) password_fd: Option<u32>,
    /// Read the password from a file that only its owner may read
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}
