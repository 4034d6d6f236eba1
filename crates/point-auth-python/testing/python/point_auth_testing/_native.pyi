from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Literal, final
from typing_extensions import Self

_Operation = Literal["sign_in", "refresh", "whoami", "other"]

@final
class Fault:
    """What the server does in place of an answer of the API, once or several times."""
    @staticmethod
    def respond(
        status: int,
        body: bytes = ...,
        *,
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
        times: int = 1,
    ) -> Fault:
        """An answer with this status."""
    @staticmethod
    def html(status: int, *, delay: float = 0.0, times: int = 1) -> Fault:
        """A page of HTML, as a gateway sends one."""
    @staticmethod
    def redirect(status: int, location: str, *, times: int = 1) -> Fault:
        """A redirect."""
    @staticmethod
    def delayed(seconds: float, *, times: int = 1) -> Fault:
        """The API's own answer, but late."""
    @staticmethod
    def silent(*, times: int = 1) -> Fault:
        """No answer, and a connection that stays open."""
    @staticmethod
    def close(*, times: int = 1) -> Fault:
        """The connection is closed after the request, without an answer."""
    @staticmethod
    def reset(*, times: int = 1) -> Fault:
        """The connection is reset after the request, without an answer."""

@final
class RecordedRequest:
    """One request that reached the emulator."""
    @property
    def operation(self) -> _Operation:
        """`sign_in`, `refresh`, `whoami` or `other`."""
    @property
    def method(self) -> str:
        """The method."""
    @property
    def path(self) -> str:
        """The path, without the emulator's prefix."""
    @property
    def username(self) -> str | None:
        """The username in its body, if there is one."""
    @property
    def user_alias(self) -> str | None:
        """The alias in its body, if there is one."""
    @property
    def headers(self) -> dict[str, str]:
        """The headers, whose names are in lower case."""
    @property
    def body(self) -> bytes:
        """The body."""

@final
class Emulator:
    """A running emulator of the API on 127.0.0.1. Use it in a `with` block, or call `stop()`.

    `users` are usernames with their passwords. `aliases` are those that a username may have; by
    default it may have any.
    """
    def __new__(
        cls,
        users: Mapping[str, str],
        *,
        tls: bool = True,
        aliases: Mapping[str, Sequence[str]] | None = None,
        access_token_life: float = 3600.0,
        path_prefix: str = "",
        port: int = 0,
        require_client_certificate: bool = False,
    ) -> Self: ...
    @property
    def base_url(self) -> str:
        """The base URL, without a slash at its end."""
    @property
    def ca_pem(self) -> str:
        """The root certificate that a client has to trust, in PEM."""
    @property
    def whoami_url(self) -> str:
        """The URL of a place that wants a valid access token: 200, or 401."""
    def count(self, operation: _Operation) -> int:
        """How many requests there were of this operation."""
    def requests(self) -> list[RecordedRequest]:
        """Every request so far, in order."""
    def wait_for_requests(self, count: int, timeout: float) -> bool:
        """Waits until so many requests have arrived. Returns whether they have, within `timeout`
        seconds.
        """
    def push_fault(self, fault: Fault, operation: _Operation | None = None) -> None:
        """Adds a fault for the next request, of this operation or of any."""
    def always(self, fault: Fault, operation: _Operation | None = None) -> None:
        """Applies a fault to every request, of this operation or of any."""
    def clear_faults(self) -> None:
        """Forgets all faults."""
    def advance_clock(self, seconds: float) -> None:
        """Lets time pass at the server: tokens expire."""
    def revoke(self, token: str) -> bool:
        """Makes a token worthless. Returns whether there was one."""
    def change_password(self, username: str, password: str) -> bool:
        """Gives a user another password. Returns whether there is such a user."""
    def issue_client_certificate(self, name: str) -> tuple[str, str]:
        """Issues a client certificate of the emulator's authority: the certificate and its key, in PEM."""
    def stop(self) -> None:
        """Stops it and closes its connections. A second call does nothing."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        *error: type[BaseException] | BaseException | TracebackType | None,
    ) -> None: ...
