//! Errors of redis-rs in words of our own: theirs may quote the server, and so a secret.

use point_auth_store::StoreError;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// What a reply may begin with, or hold where a script of Redis 6 passes an error on.
const CODES: &[(&str, &str)] = &[
    ("OOM", "redis is full and evicts nothing"),
    ("READONLY", "redis is a replica here, which takes no writes"),
    ("NOREPLICAS", "redis has too few replicas to take a write"),
    ("MISCONF", "redis takes no writes because it cannot save"),
    ("NOAUTH", "redis asks for a password, and the connection has none"),
    ("WRONGPASS", "redis refuses the username or the password of the connection"),
    ("NOPERM", "the user of the connection lacks a permission in redis"),
    ("user executing the script", "the user of the connection lacks a permission in redis"),
    ("WRONGTYPE", "redis has a value of another program under the name"),
    ("LOADING", "redis loads its data and is not ready yet"),
    ("MASTERDOWN", "redis is a replica here, and its primary is down"),
    ("CLUSTERDOWN", "the redis cluster is down"),
    ("MOVED", "redis has the value on another node: the connection is not one to a cluster"),
    ("TRYAGAIN", "the redis cluster moves the value right now"),
    ("BUSY", "redis is busy with a script"),
];

pub(crate) fn store_error(error: &RedisError) -> StoreError {
    match error.kind() {
        ErrorKind::Io => io_error(error),
        ErrorKind::AuthenticationFailed => {
            StoreError::new("redis refuses the username or the password of the connection")
        }
        ErrorKind::Server(kind) => StoreError::new(by_code(error).unwrap_or(match kind {
            ServerErrorKind::NoScript => "redis does not keep scripts",
            _ => "redis replied with an error",
        })),
        ErrorKind::Extension => {
            StoreError::new(by_code(error).unwrap_or("redis replied with an error"))
        }
        ErrorKind::Parse => StoreError::new("the reply broke off, or is none of redis"),
        ErrorKind::UnexpectedReturnType => unexpected(),
        ErrorKind::ClusterConnectionNotFound
        | ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::NoValidReplicasFoundBySentinel => {
            StoreError::new("no node of redis can be reached that has the value")
        }
        _ => StoreError::new("the connection to redis cannot be used"),
    }
}

/// Returns whether the server has replied, so that the connection can be used on.
pub(crate) fn has_replied(error: &RedisError) -> bool {
    error.code().is_some()
}

pub(crate) fn unexpected() -> StoreError {
    StoreError::new("redis replied with something that is no reply to the script")
}

fn by_code(error: &RedisError) -> Option<&'static str> {
    let (code, detail) = (error.code()?, error.detail().unwrap_or_default());
    // Only a general error has another one in its text.
    let is_in_text = |word: &str| code == "ERR" && detail.contains(word);
    let found = CODES.iter().find(|(word, _)| *word == code || is_in_text(word));
    found.map(|(_, message)| *message)
}

fn io_error(error: &RedisError) -> StoreError {
    StoreError::new(if error.is_timeout() {
        "redis did not reply in time"
    } else if error.is_connection_refusal() {
        "redis cannot be reached"
    } else {
        "the connection to redis broke"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Redis 6.2, Redis 7 and others reply.
    #[test]
    fn each_refusal_is_named_whatever_redis_wraps_around_it() {
        let cases = [
            ("OOM command not allowed when used memory > 'maxmemory'.", "redis is full"),
            (
                "ERR Error running script (call to f_1): @user_script:5: @user_script: 5: -OOM \
                 command not allowed when used memory > 'maxmemory'.",
                "redis is full",
            ),
            (
                "ERR Error running script (call to f_1): @user_script:5: @user_script: 5: -READONLY \
                 You can't write against a read only replica.",
                "redis is a replica",
            ),
            ("NOREPLICAS Not enough good replicas to write.", "redis has too few replicas"),
            ("MISCONF Redis is configured to save RDB snapshots", "redis takes no writes because"),
            ("LOADING Redis is loading the dataset in memory", "redis loads its data"),
            ("MOVED 3999 127.0.0.1:6381", "redis has the value on another node"),
            ("BUSY Redis is busy running a script.", "redis is busy"),
            ("ERR unknown command 'secret', with args beginning with:", "redis replied with an"),
            ("SOMETHING secret", "redis replied with an error"),
        ];
        for (reply, expected) in cases {
            let reply = redis::parse_redis_value(format!("-{reply}\r\n").as_bytes()).unwrap();
            let error = store_error(&reply.extract_error().unwrap_err());
            assert!(error.to_string().starts_with(expected), "{error}");
            assert!(!format!("{error:?}").contains("secret"));
        }
    }
}
