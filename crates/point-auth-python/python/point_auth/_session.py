"""`Session` and `Sessions`: what users build."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from . import _native
from ._events import Dispatcher
from ._native import PRODUCTION_URL, Credentials
from ._origins import Origins
from ._tokens import Token

# Known to type checkers. The module `typing` is not loaded for its names alone.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from ._httpx import HttpxAuth
    from ._records import Observer, Policy, SessionsSnapshot, Snapshot, Store, Tls
    from ._requests import RequestsAuth
    from ._waiting import Waits


def _bytes(pem: bytes | str | None) -> bytes | None:
    return pem.encode() if isinstance(pem, str) else pem


def _settings(
    base_url: str,
    tls: Tls | None,
    proxy: str | Literal[False] | None,
    no_proxy: str | None,
    policy: Policy | None,
    user_agent: str | None,
    connect_timeout: float | None,
    total_timeout: float | None,
) -> _native.Settings:
    values: list[tuple[str, float]] = []
    if policy is not None:
        given = policy._asdict().items()
        values.extend((name, float(value)) for name, value in given if value is not None)
    if proxy == "":
        raise ValueError("the proxy is empty: False is for none")
    return _native.Settings(
        base_url,
        roots="platform" if tls is None else tls.roots,
        ca_pem=None if tls is None else _bytes(tls.ca_pem),
        client_cert_pem=None if tls is None else _bytes(tls.client_cert_pem),
        client_key_pem=None if tls is None else _bytes(tls.client_key_pem),
        proxy="" if proxy is False else proxy,
        no_proxy=no_proxy,
        policy=values,
        user_agent=user_agent,
        connect_timeout=connect_timeout,
        total_timeout=total_timeout,
    )


def _check_login(
    username: str | None,
    password: str | Callable[[], str] | None,
    credentials: Callable[[], Credentials] | None,
) -> None:
    if credentials is not None and (username is not None or password is not None):
        raise TypeError("credentials come from the callable, or from username and password")
    if (username is None) != (password is None):
        raise TypeError("username and password belong together")
    if password is not None and not isinstance(password, str) and not callable(password):
        raise TypeError("a password is a str, or a callable that returns one")
    if credentials is not None and not callable(credentials):
        raise TypeError("credentials are a callable that returns a point_auth.Credentials")


class Session(_native.Session):
    """Keeps a valid access token available, for any number of threads and tasks.

    It signs in on the first request for a token, refreshes it in time and once for all callers, and
    never sends a rejected password again. It may be used after `os.fork`.

    Args:
        username: The username.
        password: The password, or a callable that returns it at each sign-in.
        user_alias: The alias of the acting person, where a company shares one login.
        credentials: In place of the three, a callable that returns `Credentials` at each sign-in.
            Without any of them a session depends on `restore`.
        base_url: The base URL of the API, such as that of a test system.
        store: Where processes share their tokens.
        sign_in_during_store_outage: Sends a password that this process has not seen accepted while
            the store cannot be asked.
        observers: Callables that are told what the session does.
        keep_fresh: Refreshes in the background, without callers.
        allowed_origins: Further origins that get the token by `httpx_auth` and `requests_auth`.
        tls: Trusted roots and the client's certificate.
        proxy: The URL of a proxy, or `False` for none. By default the environment names it.
        no_proxy: The hosts to reach without the proxy.
        policy: Times and counts.
        user_agent: The product in front of the library's own `User-Agent`.
        connect_timeout: The limit for a connection, in seconds (10).
        total_timeout: The limit for a whole request, in seconds (30).

    Raises:
        ValueError: An argument is not valid.
        PointAuthError: The trust store, the proxy or the store cannot be used.
    """

    _waits: Waits | None = None
    _acquire_timeout: float
    _origins: Origins
    # Made once: each leads back to the session.
    _httpx_auth: HttpxAuth | None = None
    _requests_auth: RequestsAuth | None = None

    def __new__(
        cls,
        username: str | None = None,
        *,
        password: str | Callable[[], str] | None = None,
        user_alias: str | None = None,
        credentials: Callable[[], Credentials] | None = None,
        base_url: str = PRODUCTION_URL,
        store: Store | None = None,
        sign_in_during_store_outage: bool = False,
        observers: Sequence[Observer] = (),
        keep_fresh: bool = False,
        allowed_origins: Iterable[str] = (),
        tls: Tls | None = None,
        proxy: str | Literal[False] | None = None,
        no_proxy: str | None = None,
        policy: Policy | None = None,
        user_agent: str | None = None,
        connect_timeout: float | None = None,
        total_timeout: float | None = None,
    ) -> Session:
        """Creates a session. Nothing is sent until the first request for a token."""
        _check_login(username, password, credentials)
        if credentials is not None and user_alias is not None:
            raise TypeError("the callable returns the alias, too")
        settings = _settings(
            base_url, tls, proxy, no_proxy, policy, user_agent, connect_timeout, total_timeout
        )
        session = super().__new__(
            cls,
            settings,
            username=username,
            password=password,
            user_alias=user_alias,
            credentials=credentials,
            store=store,
            signs_in_without_store=sign_in_during_store_outage,
            dispatcher=Dispatcher(observers),
            has_observers=bool(observers),
            keep_fresh=keep_fresh,
        )
        session._acquire_timeout = settings.acquire_timeout
        session._origins = Origins(settings.base_url, allowed_origins)
        return session

    @classmethod
    def _of(cls, opened: _native.Opened, acquire_timeout: float, origins: Origins) -> Session:
        session = _native.Session.__new__(cls, opened)
        session._acquire_timeout = acquire_timeout
        session._origins = origins
        return session

    async def token_async(self, timeout: float | None = None) -> Token:
        """Returns a valid access token, and lets the event loop go on meanwhile.

        While there is a good token it does not wait. Otherwise one thread waits for all tasks of
        the loop. Where anyio runs on trio, each task has a worker thread.

        Raises:
            PointAuthError: There is no token.
        """
        token = self.current_token()
        if token is not None:
            return token
        from ._waiting import Waits, token_async

        if self._waits is None:
            self._waits = Waits()
        return await token_async(self, self._waits, self._acquire_timeout, timeout)

    def httpx_auth(self) -> HttpxAuth:
        """Returns the authentication for `httpx.Client` and `httpx.AsyncClient`."""
        auth = self._httpx_auth
        if auth is None:
            from ._httpx import HttpxAuth

            auth = self._httpx_auth = HttpxAuth(self, self._origins)
        return auth

    def requests_auth(self) -> RequestsAuth:
        """Returns the authentication for requests."""
        auth = self._requests_auth
        if auth is None:
            from ._requests import RequestsAuth

            auth = self._requests_auth = RequestsAuth(self, self._origins)
        return auth

    def snapshot(self) -> Snapshot:
        """Returns the state of the session."""
        from ._records import Denial, Snapshot

        snapshot = self._snapshot()
        denial = snapshot["denial"]
        snapshot["denial"] = None if denial is None else Denial(*denial)
        return Snapshot(**snapshot)

    def __repr__(self) -> str:
        """Returns a text without a secret."""
        return f"<point_auth.Session {self.base_url}>"


class Sessions(_native.Sessions):
    """One login, and a session for each of many aliases.

    They share what is known of the password: one that was denied is not tried with a thousand
    aliases. Its arguments are those of `Session`, and how many aliases sign in at once.
    """

    _acquire_timeout: float
    _origins: Origins

    def __new__(
        cls,
        username: str | None = None,
        *,
        password: str | Callable[[], str] | None = None,
        credentials: Callable[[], Credentials] | None = None,
        base_url: str = PRODUCTION_URL,
        store: Store | None = None,
        sign_in_during_store_outage: bool = False,
        max_concurrent_sign_ins: int | None = None,
        observers: Sequence[Observer] = (),
        allowed_origins: Iterable[str] = (),
        tls: Tls | None = None,
        proxy: str | Literal[False] | None = None,
        no_proxy: str | None = None,
        policy: Policy | None = None,
        user_agent: str | None = None,
        connect_timeout: float | None = None,
        total_timeout: float | None = None,
    ) -> Sessions:
        """Creates the container. Each session is created at its first use."""
        _check_login(username, password, credentials)
        settings = _settings(
            base_url, tls, proxy, no_proxy, policy, user_agent, connect_timeout, total_timeout
        )
        sessions = super().__new__(
            cls,
            settings,
            username=username,
            password=password,
            credentials=credentials,
            store=store,
            signs_in_without_store=sign_in_during_store_outage,
            dispatcher=Dispatcher(observers),
            has_observers=bool(observers),
            max_concurrent_sign_ins=max_concurrent_sign_ins,
        )
        sessions._acquire_timeout = settings.acquire_timeout
        sessions._origins = Origins(settings.base_url, allowed_origins)
        return sessions

    def session(self, user_alias: str) -> Session:
        """Returns the session of this alias, a new one if there is none.

        Hold it while it is in use: one that is idle for an hour and not held is dropped.

        Raises:
            ValueError: The alias is empty or too long.
        """
        opened = self._session(user_alias)
        return Session._of(opened, self._acquire_timeout, self._origins)  # pyright: ignore

    def token(self, user_alias: str, timeout: float | None = None) -> Token:
        """Returns a valid access token of this alias, and waits for one if necessary.

        Raises:
            PointAuthError: There is no token.
        """
        return self.session(user_alias).token(timeout)

    def snapshot(self) -> SessionsSnapshot:
        """Returns the state of all sessions."""
        from ._records import SessionsSnapshot

        return SessionsSnapshot(**self._snapshot())

    def __repr__(self) -> str:
        """Returns a text without a secret."""
        return f"<point_auth.Sessions {self.base_url}>"


for _cls in (Session, Sessions):
    _cls.__module__ = "point_auth"
del _cls
