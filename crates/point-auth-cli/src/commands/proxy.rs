//! `point-auth proxy`: a reverse proxy on this machine that puts the token on requests.

mod listeners;
mod stop;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use point_auth_proxy::{Limits, Proxy, ProxyBuilder};
use tokio::task::JoinSet;

use self::stop::Stop;
use crate::cli::options::{PasswordOptions, ProfileOptions};
use crate::failure::{Failure, Result};
use crate::output;
use crate::profile::Profile;
use crate::session::for_tasks::{self, InFlight};

/// Put the token on requests of other programs
///
/// A reverse proxy on this machine: programs send requests without a token to a
/// Unix socket or to loopback, and the API gets them with the token, over TLS.
/// It stops on SIGTERM or SIGINT, once the requests in progress are finished.
#[derive(Debug, Args)]
#[command(after_help = "Without --unix and --listen it takes the sockets of systemd.")]
pub(crate) struct Arguments {
    /// Listen on a Unix socket, for programs of this user
    #[arg(long, value_name = "PATH")]
    #[cfg_attr(not(unix), arg(hide = true))]
    unix: Vec<PathBuf>,
    /// Listen on a loopback address, for programs that show the client key
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<SocketAddr>,
    /// File with the client key, which only its owner may read
    #[arg(long, value_name = "FILE", conflicts_with = "no_client_key")]
    client_key_file: Option<PathBuf>,
    /// Serve every program and user of this machine on loopback
    #[arg(long)]
    no_client_key: bool,
    /// Serve programs of this user, by number, on a Unix socket as well
    #[arg(long, value_name = "UID")]
    #[cfg_attr(not(unix), arg(hide = true))]
    allow_user: Vec<u32>,
    /// Serve only this path and those below it [default: all]
    #[arg(long, value_name = "PATH")]
    path: Vec<String>,
    /// Serve this alias, which requests name in Point-Auth-User-Alias
    #[arg(long, value_name = "NAME")]
    serve_alias: Vec<String>,
    /// Serve /healthz, /readyz and /metrics on this address
    #[arg(long, value_name = "ADDRESS")]
    status: Option<SocketAddr>,
    /// Connections of clients at one time
    #[arg(long, value_name = "N", default_value_t = 1024, hide_short_help = true)]
    max_connections: usize,
    /// How long the API may take to begin a response
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration, hide_short_help = true)]
    response_timeout: Duration,
    /// How long requests may take to finish at the end
    #[arg(long, value_name = "TIME", default_value = "25s", value_parser = humantime::parse_duration, hide_short_help = true)]
    drain_timeout: Duration,
    #[command(flatten)]
    profile: ProfileOptions,
    #[command(flatten)]
    password: PasswordOptions,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let profile = Profile::read(&arguments.profile, &arguments.password)?;
    listeners::allow_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::io("could not start", &error))?;
    runtime.block_on(serve(arguments, &profile))?;
    // A thread may still wait at a prompt.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

async fn serve(arguments: &Arguments, profile: &Profile) -> Result<()> {
    // First, so that no signal is missed.
    let stop = Stop::on_signals()?;
    let listeners = listeners::open(arguments)?;
    let status = arguments.status.map(open_status).transpose()?;
    let exchanges = InFlight::default();
    let proxy = build(arguments, profile, &exchanges)?;
    for listener in &listeners {
        match listener.local_addr() {
            Some(address) => output::note(&format!("listening on http://{address}")),
            None => output::note("listening on a Unix socket"),
        }
    }
    let status = status.map(|listener| {
        let proxy = proxy.clone();
        tokio::spawn(async move { proxy.serve_status(listener, std::future::pending()).await })
    });
    let mut serving = JoinSet::new();
    for listener in listeners {
        let (proxy, stop) = (proxy.clone(), stop.clone());
        serving.spawn(async move { proxy.serve(listener, stop.told_to()).await });
    }
    stop::tell_systemd_of_the_start();
    while serving.join_next().await.is_some() {}
    exchanges.finish().await;
    if let Some(status) = status {
        status.abort();
    }
    Ok(())
}

fn build(arguments: &Arguments, profile: &Profile, exchanges: &InFlight) -> Result<Proxy> {
    let (builder, session) = match arguments.serve_alias.is_empty() {
        true => {
            let session = for_tasks::open(profile, exchanges)?;
            (Proxy::builder(session.clone()), Some(session))
        }
        false => (by_alias(arguments, profile, exchanges)?, None),
    };
    let limits = Limits::new()
        .with_connections(arguments.max_connections)
        .with_response_timeout(arguments.response_timeout)
        .with_drain_timeout(arguments.drain_timeout);
    let builder =
        builder.with_limits(limits).with_transport_settings(profile.network.transport_settings()?);
    let paths = arguments.path.iter();
    let builder = paths.fold(builder, |builder, path| builder.with_path_prefix(path));
    let proxy = builder.build().map_err(|error| Failure::usage(crate::failure::chain(&error)))?;
    if let Some(session) = session {
        // So that no request waits for a refresh, and a wrong password shows at once.
        tokio::spawn(session.keep_fresh());
    }
    Ok(proxy)
}

/// The profile's own alias is the one of requests that name none.
fn by_alias(
    arguments: &Arguments,
    profile: &Profile,
    exchanges: &InFlight,
) -> Result<ProxyBuilder> {
    let sessions = for_tasks::open_by_alias(profile, exchanges)?;
    let mut aliases = arguments.serve_alias.clone();
    let default = profile.user_alias.clone();
    aliases.extend(default.iter().filter(|alias| !arguments.serve_alias.contains(alias)).cloned());
    let builder = Proxy::builder_by_alias(sessions, aliases);
    Ok(match default {
        Some(default) => builder.with_default_alias(default),
        None => builder,
    })
}

fn open_status(address: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address)
        .map_err(|error| Failure::io(format!("--status {address}"), &error))?;
    if let Ok(address) = listener.local_addr() {
        output::note(&format!("status on http://{address}"));
    }
    Ok(listener)
}
