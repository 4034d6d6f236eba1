"""Records and names of types.

They are loaded when the first one is used, since the module `typing` takes longer to load than all
the rest of this package.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, Union

from ._native import FileStore, RedisStore, StoredTokens

ErrorKind = Literal[
    "denied",
    "refused",
    "unexpected",
    "malformed",
    "connect",
    "tls",
    "timeout",
    "too_large",
    "protocol",
    "transport",
    "request",
    "sign_in_needed",
    "credentials",
    "useless_token",
    "outcome_unknown",
    "held",
    "settings",
    "store",
]
"""What went wrong. The kinds are those of the Rust library, and two for settings and stores."""


class Denial(NamedTuple):
    """A denial by the server. Its texts are capped, and repeat no secret."""

    status: int
    """The status: 400, 401 or 403, or a 2xx from a server that sends its errors with it."""
    code: str
    """A code such as `access_denied`."""
    description: str | None
    """A sentence for people, if the server sent one."""

    def __str__(self) -> str:
        """Returns the denial in one line."""
        text = f"denied by the server (status {self.status}): {self.code}"
        return text if self.description is None else f"{text}: {self.description}"


ExchangeKind = Literal["sign_in", "refresh"]
Outcome = Literal["renewed", "adopted", "denied", "refresh_refused", "retrying", "failed"]


class ExchangeBegan(NamedTuple):
    """An exchange begins: its request is about to be sent, and waits for the observer."""

    user_alias: str | None
    """The alias of the exchange, if it has one."""
    kind: ExchangeKind
    """What is sent."""
    attempt: int
    """Counts from 1 after a success or a backoff."""


class ExchangeEnded(NamedTuple):
    """An exchange has ended, or none began because it must not."""

    user_alias: str | None
    """The alias of the exchange, if it has one."""
    outcome: Outcome
    """What came of it."""
    kind: ExchangeKind | None
    """What was sent, where the outcome says so."""
    error: str | None
    """Why it gave no tokens, without any secret."""
    took: float
    """How long it took, in seconds."""


class TokensChanged(NamedTuple):
    """The tokens to store have changed, or there are none any more."""

    user_alias: str | None
    """The alias of the tokens, if they have one."""
    tokens: StoredTokens | None
    """What to keep across a restart. It is as secret as a password; its `repr` is redacted."""


class StoreChanged(NamedTuple):
    """The session has found out something about its store."""

    user_alias: str | None
    """The alias of the session, if it has one."""
    event: Literal["unavailable", "unreadable", "alone", "reset"]
    """What it is."""
    error: str | None
    """Why, without any secret."""


Event = Union[ExchangeBegan, ExchangeEnded, TokensChanged, StoreChanged]
"""What an observer is called with."""

Observer = Callable[[Event], object]
"""A callable that is told what a session does, on the thread that does it.

It must not wait for a token of the same session. What it raises goes to `sys.unraisablehook`.
"""

Store = Union[FileStore, RedisStore]
"""Where processes share their tokens."""


class Tls(NamedTuple):
    """TLS: which roots are trusted, and the client's own certificate.

    `repr` shows neither the certificates nor the key.
    """

    roots: Literal["platform", "bundled", "extra"] = "platform"
    """The roots of the system, Mozilla's roots of the build, or those of `ca_pem` alone."""
    ca_pem: bytes | str | None = None
    """Further roots, in PEM."""
    client_cert_pem: bytes | str | None = None
    """The client's certificate and its intermediate ones, in PEM, for servers that ask for one."""
    client_key_pem: bytes | str | None = None
    """Its private key, in PEM."""

    def __repr__(self) -> str:
        """Returns a text without certificates and without the key."""
        return f"Tls(roots={self.roots!r}, …)"


class Policy(NamedTuple):
    """The times and counts of a session. `None` is the default, which suits most programs."""

    advisory_window: float | None = None
    """How long before its end a token is first refreshed, in seconds (300)."""
    mandatory_window: float | None = None
    """How long before its end callers wait for a refresh, in seconds (60)."""
    acquire_timeout: float | None = None
    """How long a caller waits for a token, in seconds (15)."""
    exchange_timeout: float | None = None
    """How long one exchange may take, in seconds (30)."""
    attempts: int | None = None
    """How many exchanges there are in a round while there is no good token (3)."""
    longest_backoff: float | None = None
    """The longest backoff after failures, in seconds (60)."""


class Snapshot(NamedTuple):
    """The state of a session, for people and dashboards. It has no secret in it."""

    state: Literal["good", "renewing", "waiting", "backing_off", "denied", "sign_in_needed"]
    """The state."""
    token_age: float | None
    """The age of the access token in seconds."""
    token_left: float | None
    """How long the access token will still be handed out, in seconds."""
    has_refresh_token: bool
    """Whether there is a refresh token that may be valid."""
    in_flight: Literal["sign_in", "refresh"] | None
    """The exchange in flight."""
    backoff_left: float | None
    """How long nothing is sent, in seconds; infinite until the credentials change or a reset."""
    last_failure: str | None
    """Why the last attempt failed, if none has succeeded since."""
    denial: Denial | None
    """The denial that stops sign-ins."""
    counts: dict[str, int]
    """How many exchanges were started in this process, and what came of them."""


class SessionsSnapshot(NamedTuple):
    """The state of all sessions of a login. It has no secret in it."""

    states: dict[str, int]
    """How many sessions are in each state."""
    counts: dict[str, int]
    """How many exchanges were started in this process, and what came of them."""
    is_proven: bool
    """Whether the password has given a token."""
    worked: int
    """How many aliases have worked with the password."""
    denied: int
    """How many aliases were denied with the password."""


for _cls in (
    Denial,
    ExchangeBegan,
    ExchangeEnded,
    TokensChanged,
    StoreChanged,
    Tls,
    Policy,
    Snapshot,
    SessionsSnapshot,
):
    _cls.__module__ = "point_auth"
del _cls
