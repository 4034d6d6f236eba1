//! The allow-list. A type of another crate in a public signature ties our major version to theirs,
//! so each one is here on purpose; HTTP clients show in their own adapter and nowhere else.

/// For each published crate, the other crates that may show in its public API, features and all.
pub(super) const ALLOWED: &[(&str, &[&str])] = &[
    (
        "point-auth-core",
        &[
            "bytes",
            "http",
            // `Credentials` take a `SecretString`, for who has one already.
            "secrecy",
            // The traits of serde live there: `SecretBody::json` takes anything that serializes.
            "serde_core",
        ],
    ),
    (
        "point-auth-transport",
        &[
            // Re-exported, since a transport of one's own needs the attribute.
            "async_trait",
            "bytes",
            "http",
            // With the feature `http-body`: `OnceBody` is one.
            "http_body",
            // With the feature `native-tls`.
            "native_tls",
            "point_auth_core",
            // With the feature `rustls`: a whole configuration of the user's own.
            "rustls",
        ],
    ),
    (
        "point-auth-store",
        &[
            "point_auth_core",
            // What a sealer opens is wiped when it is dropped.
            "zeroize",
        ],
    ),
    // The connection that the user brings is one of redis-rs.
    ("point-auth-redis", &["point_auth_store", "redis"]),
    ("point-auth-reqwest", &["http", "point_auth_core", "point_auth_transport", "reqwest"]),
    ("point-auth-ureq", &["http", "point_auth_core", "point_auth_transport", "ureq"]),
    (
        "point-auth-hyper",
        &[
            "http",
            // A client that the user brings has a body type of its own,
            "http_body",
            // and is hyper-util's, with a connector of any kind.
            "hyper_util",
            "point_auth_core",
            "point_auth_transport",
        ],
    ),
    (
        "point-auth",
        &[
            "http",
            // What a tower service's response body is.
            "http_body",
            "point_auth_core",
            // Each adapter's transport is re-exported; its client shows in the adapter alone.
            "point_auth_hyper",
            "point_auth_reqwest",
            "point_auth_transport",
            "point_auth_ureq",
            // Re-exported: `Credentials::password` is a `SecretString` of it.
            "secrecy",
            // `TokioRuntime::of` takes a handle of its runtime.
            "tokio",
            // The two traits of tower that do not change: a service becomes a transport, and a
            // layer is one.
            "tower_layer",
            "tower_service",
        ],
    ),
    (
        "point-auth-testkit",
        &[
            "bytes",
            "http",
            // The clocks of a session.
            "point_auth_core",
            // The conformance suite runs any transport.
            "point_auth_transport",
        ],
    ),
];
