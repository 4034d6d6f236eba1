"""Tokens: texts whose `repr` is redacted."""

from __future__ import annotations

# Known to type checkers. The module `typing` is not loaded for its names alone.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, SupportsIndex


class _Secret(str):
    """A text that is shown by no `repr` and that is not pickled."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Returns a text without the secret."""
        return f"{type(self).__name__}([redacted])"

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn:
        """Refuses to be pickled."""
        name = type(self).__name__
        raise TypeError(f"a {name} is not pickled: str(token) is its text")

    def __copy__(self) -> _Secret:
        """Returns the token itself, which does not change."""
        return self

    def __deepcopy__(self, memo: object, /) -> _Secret:
        """Returns the token itself, which does not change."""
        return self


class Token(_Secret):
    """An access token: a `str` for `Authorization: Bearer …`, whose `repr` is redacted.

    `str(token)` is its plain text. It is one object as long as a session hands it out.
    """

    __slots__ = ("_bearer", "expires_at")

    expires_at: float | None
    """When the server stops accepting it, in seconds since 1970 by this machine's clock.

    `None` for a token that was read from a response by hand.
    """

    def __new__(cls, text: str, expires_at: float | None = None) -> Token:
        """Creates a token from its text."""
        token = super().__new__(cls, text)
        token.expires_at = expires_at
        token._bearer = f"Bearer {text}"
        return token

    @property
    def authorization(self) -> str:
        """The value of an `Authorization` header. It has the token in it."""
        return self._bearer

    _bearer: str


class RefreshToken(_Secret):
    """A refresh token: a `str` whose `repr` is redacted."""

    __slots__ = ()


for _cls in (Token, RefreshToken):
    _cls.__module__ = "point_auth"
del _cls
