"""What a session tells observers and the logger `point_auth`."""

from __future__ import annotations

from collections.abc import Sequence

from . import _native

# Known to type checkers. The module `typing` is not loaded for its names alone.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from ._native import StoredTokens
    from ._records import Event, ExchangeKind, Observer, Outcome


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
        if self._observers:
            from ._records import ExchangeBegan

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
        if self._observers:
            from ._records import ExchangeEnded

            self._tell(ExchangeEnded(user_alias, outcome, kind, error, took))

    def tokens(self, user_alias: str | None, tokens: StoredTokens | None) -> None:
        """Passes on tokens to store."""
        if self._observers:
            from ._records import TokensChanged

            self._tell(TokensChanged(user_alias, tokens))

    def store(
        self,
        user_alias: str | None,
        event: Literal["unavailable", "unreadable", "alone", "reset"],
        error: str | None,
    ) -> None:
        """Logs what the store does and passes it on."""
        self._log(event, error)
        if self._observers:
            from ._records import StoreChanged

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
