"""Keeps a valid access token of the PointServices API available.

A session signs in, refreshes in time and once for all callers, and never sends a rejected password
again. Its token goes onto the requests of httpx and requests, or to any other client:

    session = point_auth.Session("user@example.com", password=password)
    client = httpx.Client(base_url=session.base_url, auth=session.httpx_auth())
    requests.post(url, auth=session.requests_auth())
    session.token()
    await session.token_async()
"""

import atexit as _atexit
import os as _os

from . import _native
from ._errors import (
    Denied,
    PointAuthError,
    SignInNeeded,
    TemporaryError,
)
from ._native import (
    PRODUCTION_URL,
    Credentials,
    FileStore,
    RedisStore,
    Refresh,
    Request,
    SignIn,
    StoredTokens,
    TokenSet,
    __version__,
    generate_store_key,
)
from ._session import Session, Sessions
from ._tokens import RefreshToken, Token

# Known to type checkers. At run time these are loaded when the first one is used.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._records import (
        Denial,
        ErrorKind,
        Event,
        ExchangeBegan,
        ExchangeEnded,
        Observer,
        Policy,
        SessionsSnapshot,
        Snapshot,
        Store,
        StoreChanged,
        Tls,
        TokensChanged,
    )

__all__ = [
    "PRODUCTION_URL",
    "Credentials",
    "Denial",
    "Denied",
    "ErrorKind",
    "Event",
    "ExchangeBegan",
    "ExchangeEnded",
    "FileStore",
    "Observer",
    "PointAuthError",
    "Policy",
    "RedisStore",
    "Refresh",
    "RefreshToken",
    "Request",
    "Session",
    "Sessions",
    "SessionsSnapshot",
    "SignIn",
    "SignInNeeded",
    "Snapshot",
    "Store",
    "StoreChanged",
    "StoredTokens",
    "TemporaryError",
    "Tls",
    "Token",
    "TokenSet",
    "TokensChanged",
    "__version__",
    "generate_store_key",
]


def __getattr__(name: str) -> object:
    """Loads the records and the names of types."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import _records

    globals()[name] = value = getattr(_records, name)
    return value


def __dir__() -> list[str]:
    """Lists what is public."""
    return sorted(__all__)


_atexit.register(_native.close)
if hasattr(_os, "register_at_fork"):
    _os.register_at_fork(
        before=_native.before_fork,
        after_in_parent=_native.after_fork_in_parent,
        after_in_child=_native.after_fork_in_child,
    )
