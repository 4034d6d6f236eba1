"""The exceptions."""

from __future__ import annotations

# Known to type checkers. The module `typing` is not loaded for its names alone.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._records import Denial, ErrorKind


class PointAuthError(Exception):
    """There is no token, or no valid response.

    Its text says in one line what happened, at which host and port, and when a session sends again.
    No text of it has a secret in it, so that it may be logged. It can be pickled.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: ErrorKind,
        retryable: bool = False,
        retry_after: float | None = None,
        denial: Denial | None = None,
        status: int | None = None,
        may_have_been_sent: bool = False,
    ) -> None:
        """Creates an exception."""
        super().__init__(message)
        self.kind: ErrorKind = kind
        """What went wrong."""
        self.retryable = retryable
        """Whether the same call may succeed later without a change on this side."""
        self.retry_after = retry_after
        """The delay before the next attempt in seconds, from when the error came, if it is known."""
        self.denial = denial
        """The server's denial, if it denied the request."""
        self.status = status
        """The status of the response, if there was one with a meaningful status."""
        self.may_have_been_sent = may_have_been_sent
        """Whether the request may have reached the server."""

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles the exception with all its fields."""
        return (
            make,
            (
                str(self),
                self.kind,
                self.retryable,
                self.retry_after,
                self.denial,
                self.status,
                self.may_have_been_sent,
            ),
        )


class Denied(PointAuthError):
    """The server denied the sign-in.

    It is not sent again before the credentials change. To send it by hand may lock the account.
    """


class SignInNeeded(PointAuthError):
    """There are no credentials and no good refresh token: a person must sign in."""


class TemporaryError(PointAuthError):
    """The same call may succeed later: wait at least for `retry_after`."""


def make(
    message: str,
    kind: ErrorKind,
    retryable: bool,
    retry_after: float | None,
    denial: tuple[int, str, str | None] | None,
    status: int | None,
    may_have_been_sent: bool,
) -> PointAuthError:
    """Creates the exception of the class that fits the kind."""
    cls: type[PointAuthError]
    if kind == "denied":
        cls = Denied
    elif kind == "sign_in_needed":
        cls = SignInNeeded
    elif retryable:
        cls = TemporaryError
    else:
        cls = PointAuthError
    return cls(
        message,
        kind=kind,
        retryable=retryable,
        retry_after=retry_after,
        denial=None if denial is None else _denial(denial),
        status=status,
        may_have_been_sent=may_have_been_sent,
    )


def _denial(denial: tuple[int, str, str | None]) -> Denial:
    from ._records import Denial

    return Denial(*denial)


def again(error: PointAuthError) -> PointAuthError:
    """Returns an equal exception for another caller: a traceback grows with each raise."""
    return make(
        str(error),
        error.kind,
        error.retryable,
        error.retry_after,
        error.denial,
        error.status,
        error.may_have_been_sent,
    )


for _cls in (PointAuthError, Denied, SignInNeeded, TemporaryError):
    _cls.__module__ = "point_auth"
del _cls
