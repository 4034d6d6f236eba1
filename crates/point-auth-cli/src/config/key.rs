//! The table of all keys of a profile.

/// The form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    List,
}

/// A key of a profile.
#[derive(Debug)]
pub(crate) struct Key {
    /// As in the file, with a dot between a table and its key.
    pub(crate) name: &'static str,
    /// The environment variable that stands for it.
    pub(crate) variable: &'static str,
    pub(crate) kind: Kind,
}

impl Key {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// Whether it is the name of a table, such as `store`.
    pub(crate) fn is_table(name: &str) -> bool {
        KEYS.iter().any(|key| key.name.split_once('.').is_some_and(|(table, _)| table == name))
    }
}

const fn text(name: &'static str, variable: &'static str) -> Key {
    Key { name, variable, kind: Kind::Text }
}

/// All keys. The reference page of the book describes each.
pub(crate) const KEYS: &[Key] = &[
    text("base_url", "POINT_AUTH_BASE_URL"),
    text("username", "POINT_AUTH_USERNAME"),
    // As in the library.
    text("alias", "POINT_AUTH_USERALIAS"),
    text("wait", "POINT_AUTH_WAIT"),
    text("connect_timeout", "POINT_AUTH_CONNECT_TIMEOUT"),
    text("total_timeout", "POINT_AUTH_TOTAL_TIMEOUT"),
    text("proxy", "POINT_AUTH_PROXY"),
    text("tls.roots", "POINT_AUTH_TLS_ROOTS"),
    text("tls.ca_file", "POINT_AUTH_TLS_CA_FILE"),
    text("tls.certificate_file", "POINT_AUTH_TLS_CERTIFICATE_FILE"),
    text("tls.key_file", "POINT_AUTH_TLS_KEY_FILE"),
    text("password.file", "POINT_AUTH_PASSWORD_FILE"),
    Key { name: "password.command", variable: "POINT_AUTH_PASSWORD_COMMAND", kind: Kind::List },
    text("store.directory", "POINT_AUTH_STORE_DIRECTORY"),
    text("store.redis_url", "POINT_AUTH_STORE_REDIS_URL"),
    text("store.redis_password_file", "POINT_AUTH_STORE_REDIS_PASSWORD_FILE"),
    text("store.key_file", "POINT_AUTH_STORE_KEY_FILE"),
];
