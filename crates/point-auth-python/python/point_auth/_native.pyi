from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Final, NoReturn, SupportsIndex, final
from typing_extensions import Self, disjoint_base

from ._errors import PointAuthError
from ._events import Dispatcher
from ._tokens import RefreshToken, Token

PRODUCTION_URL: Final[str]
__version__: Final[str]

_Headers = Mapping[str, str] | Mapping[str, bytes] | Iterable[tuple[str | bytes, str | bytes]]

@final
class Credentials:
    """A username, its password and an optional alias of the acting person.

    A callable of a session's `credentials` returns one. `repr` shows none of them.
    """
    def __new__(cls, username: str, password: str, *, user_alias: str | None = None) -> Self: ...
    @property
    def username(self) -> str:
        """The username."""
    @property
    def password(self) -> str:
        """The password."""
    @property
    def user_alias(self) -> str | None:
        """The alias, if there is one."""
    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn: ...

@final
class StoredTokens:
    """The tokens of a session, to be kept across a restart.

    They are as secret as a password. `repr` shows neither of them.
    """
    def expose_json(self) -> bytes:
        """Returns JSON with both tokens in it. Store it as securely as a password."""
    @staticmethod
    def from_json(json: bytes) -> StoredTokens:
        """Parses what `expose_json` returned."""
    @property
    def username(self) -> str | None:
        """The username of the tokens, if it is known."""
    @property
    def user_alias(self) -> str | None:
        """The alias of the tokens, if they have one."""
    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn: ...

@final
class FileStore:
    """A directory that the processes of one machine and one user share (Unix).

    The directory and a key in it are made if they are missing. Its parent has to exist.
    """
    def __new__(cls, path: str | PathLike[str]) -> Self: ...
    @property
    def path(self) -> Path:
        """The path of the directory."""
    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn: ...

@final
class RedisStore:
    """A server of Redis 6.2 or later that the processes of many machines share.

    `key` seals and names what is in Redis: it is the same for all processes, and a text that
    `generate_store_key()` returned. It connects at its first use.
    """
    def __new__(cls, url: str, *, key: str) -> Self: ...
    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn: ...

def generate_store_key() -> str:
    """Returns a new random key for a `RedisStore`. It is as secret as the tokens."""
@final
class Request:
    """A request, to be sent once to this URL and to no other. Its body has a secret in it."""
    @property
    def method(self) -> str:
        """The method."""
    @property
    def url(self) -> str:
        """The whole URL."""
    @property
    def headers(self) -> dict[str, str]:
        """The headers."""
    @property
    def body(self) -> bytes:
        """The body."""
    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn: ...

@final
class TokenSet:
    """The tokens of a sign-in or a refresh. `repr` shows neither of them."""
    @property
    def access_token(self) -> Token:
        """The access token. It has no time of its end: that counts from when the request was sent."""
    @property
    def refresh_token(self) -> RefreshToken | None:
        """The refresh token to use from now on, if there is one."""
    @property
    def scope(self) -> str | None:
        """The scope, if the server sent one."""
    @property
    def token_type(self) -> str:
        """How the access token is used: `"Bearer"`."""
    @property
    def expires_in(self) -> int:
        """The lifetime of the access token in seconds, from when the request was sent."""
    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn: ...

@final
class SignIn:
    """Signs in with a username and a password: builds the request, and reads the response.

    A denied sign-in counts against the account. Send each request once, and follow no redirect.
    """
    def __new__(cls, username: str, password: str, *, user_alias: str | None = None) -> Self: ...
    def to_request(self, base_url: str | None = None) -> Request:
        """Builds the request."""
    def parse(self, status: int, headers: _Headers, body: bytes) -> TokenSet:
        """Reads the response, whose headers are a mapping or pairs."""
    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn: ...

@final
class Refresh:
    """Obtains a new access token with a refresh token: builds the request, and reads the response."""
    def __new__(cls, refresh_token: str) -> Self: ...
    def to_request(self, base_url: str | None = None) -> Request:
        """Builds the request."""
    def parse(self, status: int, headers: _Headers, body: bytes) -> TokenSet:
        """Reads the response, whose headers are a mapping or pairs."""
    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn: ...

@final
class Settings:
    """The settings of a session."""
    def __new__(
        cls,
        base_url: str,
        *,
        roots: str = "platform",
        ca_pem: bytes | None = None,
        client_cert_pem: bytes | None = None,
        client_key_pem: bytes | None = None,
        proxy: str | None = None,
        no_proxy: str | None = None,
        policy: Sequence[tuple[str, float]] = ...,
        user_agent: str | None = None,
        connect_timeout: float | None = None,
        total_timeout: float | None = None,
    ) -> Self: ...
    @property
    def base_url(self) -> str:
        """The base URL, as it is used."""
    @property
    def acquire_timeout(self) -> float:
        """How long a caller waits for a token, in seconds."""

@final
class Opened:
    """The session of an alias, for the constructor of a subclass of [`Session`]."""

@disjoint_base
class Session:
    """The base of `point_auth.Session`."""
    def __new__(
        cls,
        source: Settings | Opened,
        *,
        username: str | None = None,
        password: str | Callable[[], str] | None = None,
        user_alias: str | None = None,
        credentials: Callable[[], Credentials] | None = None,
        store: FileStore | RedisStore | None = None,
        signs_in_without_store: bool = False,
        dispatcher: Dispatcher | None = None,
        has_observers: bool = False,
        keep_fresh: bool = False,
    ) -> Self: ...
    def token(self, timeout: float | None = None) -> Token:
        """Returns a valid access token, and waits for one if necessary.

        It waits for at most `timeout` seconds; by default for as long as the policy says, 15 seconds.
        A wait lets other threads run, and Ctrl-C ends it. While there is a good token it does not
        wait.

        Raises:
            PointAuthError: There is no token.
        """
    def current_token(self) -> Token | None:
        """Returns the current access token without waiting, or `None`."""
    def invalidate(self, token: str) -> None:
        """Reports that the API answered 401 to a request with this token.

        Any number of reports for one token lead to one exchange. The rejection of a token younger
        than 30 seconds starts a backoff.
        """
    def set_credentials(self, credentials: Credentials) -> None:
        """Replaces the credentials.

        Another username or alias drops the tokens; another password keeps them. A password that was
        denied is not sent again before a `reset`.
        """
    def reset(self) -> None:
        """Clears the denial and all backoff. Call it once an operator has confirmed the credentials."""
    def restore(self, stored: StoredTokens) -> None:
        """Restores tokens that were stored before a restart.

        Raises:
            ValueError: They belong to another base URL, username or alias.
        """
    def stored_tokens(self) -> StoredTokens | None:
        """Returns the tokens to keep across a restart, or `None`."""
    @property
    def user_alias(self) -> str | None:
        """The alias of the session's tokens, if they have one."""
    @property
    def base_url(self) -> str:
        """The base URL of the API."""
    def _wait(
        self, callback: Callable[[Token | None, PointAuthError | None], object]
    ) -> None:
        """Waits for a token on a thread, and calls `callback(token, error)` there."""
    def _snapshot(self) -> dict[str, Any]:
        """Returns the state of the session, as a dictionary."""
    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn: ...

@disjoint_base
class Sessions:
    """The base of `point_auth.Sessions`."""
    def __new__(
        cls,
        settings: Settings,
        *,
        username: str | None = None,
        password: str | Callable[[], str] | None = None,
        credentials: Callable[[], Credentials] | None = None,
        store: FileStore | RedisStore | None = None,
        signs_in_without_store: bool = False,
        dispatcher: Dispatcher,
        has_observers: bool = False,
        max_concurrent_sign_ins: int | None = None,
    ) -> Self: ...
    def set_credentials(self, credentials: Credentials) -> None:
        """Replaces the credentials of all sessions."""
    def reset(self) -> None:
        """Clears all denials, holds and backoff."""
    def restore(self, stored: StoredTokens) -> None:
        """Restores the tokens of one alias."""
    def remove(self, user_alias: str) -> bool:
        """Removes the session of one alias. Returns whether there was one."""
    def drop_idle(self) -> None:
        """Drops the sessions that have not been used for an hour."""
    def aliases(self) -> list[str]:
        """Returns the aliases that have a session."""
    @property
    def base_url(self) -> str:
        """The base URL of the API."""
    def __len__(self) -> int: ...
    def _session(self, user_alias: str) -> Opened:
        """Returns the session of this alias for the constructor of a `Session`."""
    def _snapshot(self) -> dict[str, Any]:
        """Returns the state of all sessions, as a dictionary."""
    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn: ...

def write_unraisable(error: BaseException, where: object) -> None:
    """Tells `sys.unraisablehook` of an exception of a callable of the user's."""
def close() -> None:
    """Closes the gate. Called once, at the exit of the interpreter."""
def before_fork() -> None:
    """Called by `os.register_at_fork`, before."""
def after_fork_in_parent() -> None:
    """Called by `os.register_at_fork`, after, in the parent."""
def after_fork_in_child() -> None:
    """Called by `os.register_at_fork`, after, in the child."""
