//! [`Profile`]: what all commands start from, checked as a whole.

mod network;
mod place;

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use point_auth::{BaseUrl, Credentials};

pub(crate) use self::network::Network;
pub(crate) use self::place::{Store, StorePlace};
use crate::cli::options::{PasswordOptions, ProfileOptions};
use crate::config::{self, ConfigFile, Found, Settings, Table};
use crate::failure::{Failure, Result};
use crate::password::{self, PasswordFrom};

/// The profile that is meant where none is named.
const DEFAULT_NAME: &str = "default";

/// Variables with secrets, which no program that is started gets to see.
pub(crate) const SECRET_VARIABLES: &[&str] =
    &[password::VARIABLE, "POINT_AUTH_STORE_KEY", "POINT_AUTH_STORE_REDIS_PASSWORD"];

/// How long a command waits for a token where nothing else is set.
const DEFAULT_WAIT: Duration = Duration::from_secs(60);

/// The settings of a profile, of flags, environment and file together.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) name: String,
    /// The configuration file, if it was there.
    pub(crate) file: Option<PathBuf>,
    pub(crate) base_url: BaseUrl,
    username: Option<String>,
    pub(crate) user_alias: Option<String>,
    pub(crate) password: PasswordFrom,
    pub(crate) store: StorePlace,
    pub(crate) network: Network,
    /// How long a command waits for a token.
    pub(crate) wait: Duration,
}

impl Profile {
    /// Reads flags, environment and file. Opens nothing else.
    pub(crate) fn read(options: &ProfileOptions, password: &PasswordOptions) -> Result<Self> {
        let (name, file, table) = find_table(options)?;
        let mut settings = Settings::new(table);
        options.fill(&mut settings);
        let base_url = match settings.text("base_url")? {
            Some(found) => BaseUrl::parse(&found.value).map_err(|error| found.refused(error))?,
            None => BaseUrl::production(),
        };
        let part = |found: Option<Found<String>>| match found {
            Some(found) if found.value.len() > Credentials::MAX_PART_BYTES => {
                Err(found.refused("it is longer than 4,096 bytes"))
            }
            found => Ok(found.map(|found| found.value)),
        };
        Ok(Self {
            name,
            file,
            base_url,
            username: part(settings.text("username")?)?,
            user_alias: part(settings.text("alias")?)?,
            password: password_from(&settings, password)?,
            store: StorePlace::read(&settings)?,
            network: Network::read(&settings)?,
            wait: time(&settings, "wait")?.unwrap_or(DEFAULT_WAIT),
        })
    }

    /// The username, without which no command finds a token.
    pub(crate) fn username(&self) -> Result<&str> {
        self.username.as_deref().ok_or_else(|| {
            let message = "there is no username";
            Failure::usage(message)
                .with_hint("set `username` in the profile, POINT_AUTH_USERNAME, or --username")
        })
    }

    /// The source of the credentials, for a program that ends soon.
    pub(crate) fn credential_source(&self) -> Result<password::Source> {
        let username = self.username()?.to_owned();
        Ok(password::Source::once(username, self.user_alias.clone(), self.password.clone()))
    }
}

/// The name of the profile, the file if it was read, and the values in it.
fn find_table(options: &ProfileOptions) -> Result<(String, Option<PathBuf>, Table)> {
    let named = match &options.profile {
        Some(name) => Some(Found { value: name.clone(), origin: "--profile".to_owned() }),
        None => config::variable("POINT_AUTH_PROFILE")?,
    };
    let given = match &options.config {
        Some(path) => Some(Found { value: path.clone(), origin: "--config".to_owned() }),
        None => config::variable("POINT_AUTH_CONFIG")?
            .map(|found| Found { value: PathBuf::from(found.value), origin: found.origin }),
    };
    let path = match &given {
        Some(found) => Some(found.value.clone()),
        None => config::default_path(xdg("XDG_CONFIG_HOME", ".config")),
    };
    let file = match &path {
        Some(path) => ConfigFile::read(path)?,
        None => None,
    };
    if let (Some(given), None) = (&given, &file) {
        return Err(given.refused(format!("{} is missing", given.value.display())));
    }
    let name = named.as_ref().map_or(DEFAULT_NAME, |found| found.value.as_str());
    let is_read = file.is_some();
    let mut file = file.unwrap_or_default();
    let table = match (file.take(name), &named) {
        (Some(table), _) => table,
        (None, None) => Table::new(),
        (None, Some(named)) => {
            let others: Vec<&str> = file.names().collect();
            let known = match others.is_empty() {
                true => "no profile".to_owned(),
                false => others.join(", "),
            };
            return Err(named.refused(format!("no such profile; the configuration has {known}")));
        }
    };
    Ok((name.to_owned(), path.filter(|_| is_read), table))
}

/// A directory of the XDG base directory specification. A relative one is invalid there.
fn xdg(variable: &str, below_home: &str) -> Option<PathBuf> {
    let set = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    set.or_else(|| {
        env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(below_home))
    })
}

/// A time such as `90s` or `5m`.
fn time(settings: &Settings, key: &'static str) -> Result<Option<Duration>> {
    let Some(found) = settings.text(key)? else { return Ok(None) };
    match humantime::parse_duration(&found.value) {
        Ok(time) if !time.is_zero() => Ok(Some(time)),
        _ => Err(found.refused("it is no time such as 90s or 5m")),
    }
}

/// A flag, else the variable with the password, else a place of a password, else a person.
fn password_from(settings: &Settings, options: &PasswordOptions) -> Result<PasswordFrom> {
    if options.password_stdin {
        return Ok(PasswordFrom::Stdin);
    }
    if let Some(number) = options.password_fd {
        return Ok(PasswordFrom::Descriptor(number));
    }
    if let Some(path) = &options.password_file {
        let origin = "--password-file".to_owned();
        return Ok(PasswordFrom::File(Found { value: path.clone(), origin }));
    }
    if env::var_os(password::VARIABLE).is_some() {
        return Ok(PasswordFrom::Environment);
    }
    let mut places: Vec<(String, PasswordFrom)> = Vec::new();
    if let Some(file) = settings.path("password.file")? {
        places.push((file.origin.clone(), PasswordFrom::File(file)));
    }
    if let Some(command) = settings.list("password.command")? {
        places.push((command.origin.clone(), PasswordFrom::Command(command)));
    }
    let is_variable = |origin: &str| origin.starts_with("POINT_AUTH_");
    if places.iter().any(|(origin, _)| is_variable(origin)) {
        places.retain(|(origin, _)| is_variable(origin));
    }
    match (places.pop(), places.pop()) {
        (Some((first, _)), Some((second, _))) => {
            Err(Failure::usage(format!("{second} and {first} are both set: choose one")))
        }
        (Some((_, place)), None) => Ok(place),
        (None, _) if password::is_prompt_possible() => Ok(PasswordFrom::Prompt),
        (None, _) => Ok(PasswordFrom::Nowhere),
    }
}
