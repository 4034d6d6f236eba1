"""What a session tells observers and the logger `point_auth`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Union

from . import _native
from ._native import StoredTokens

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

# `logging.WARNING`, `INFO` and `DEBUG`. The module is imported when there is something to log, since
# that takes longer than all of this package.
_LEVELS: dict[str, int] = {
    "renewed": 20,
    "adopted": 20,
    "denied": 30,
    "refresh_refused": 10,
    "retrying": 10,
    "failed": 30,
    "unavailable": 30,
    "unreadable": 30,
    "alone": 30,
    "reset": 20,
}

_TEXTS: dict[str, str] = {
    "renewed": "tokens renewed",
    "adopted": "tokens of another process adopted",
    "denied": "sign-in denied",
    "refresh_refused": "refresh refused",
    "retrying": "no tokens, trying again",
    "failed": "no tokens, backing off",
    "unavailable": "the token store is unavailable",
    "unreadable": "a value in the token store is unreadable",
    "alone": "going on without the token store",
    "reset": "the login was reset",
}


class Dispatcher:
    """Logs, and calls the observers. Rust calls its methods."""

    __slots__ = ("_observers",)

    def __init__(self, observers: Sequence[Observer]) -> None:
        """Creates a dispatcher for these observers, which are called in their order."""
        self._observers = tuple(observers)

    def began(self, user_alias: str | None, kind: ExchangeKind, attempt: int) -> None:
        """Passes on the begin of an exchange."""
        self._tell(ExchangeBegan(user_alias, kind, attempt))

    def ended(
        self,
        user_alias: str | None,
        outcome: Outcome,
        kind: ExchangeKind | None,
        error: str | None,
        took: float,
    ) -> None:
        """Logs the end of an exchange and passes it on. The alias is personal data: no log has it."""
        self._log(outcome, error)
        self._tell(ExchangeEnded(user_alias, outcome, kind, error, took))

    def tokens(self, user_alias: str | None, tokens: StoredTokens | None) -> None:
        """Passes on tokens to store."""
        self._tell(TokensChanged(user_alias, tokens))

    def store(
        self,
        user_alias: str | None,
        event: Literal["unavailable", "unreadable", "alone", "reset"],
        error: str | None,
    ) -> None:
        """Logs what the store does and passes it on."""
        self._log(event, error)
        self._tell(StoreChanged(user_alias, event, error))

    def _log(self, name: str, error: str | None) -> None:
        import logging

        level, text, logger = _LEVELS[name], _TEXTS[name], logging.getLogger("point_auth")
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
        if error is None:
            logger.log(level, "%s", text)
        else:
            logger.log(level, "%s: %s", text, error)

    def _tell(self, event: Event) -> None:
        for observer in self._observers:
            try:
                observer(event)
            # One observer does not keep the others from being told.
            except BaseException as error:
                _native.write_unraisable(error, observer)


for _cls in (ExchangeBegan, ExchangeEnded, TokensChanged, StoreChanged):
    _cls.__module__ = "point_auth"
del _cls
