"""Where a token may go: to the base URL's origin, and to others that are named."""

from __future__ import annotations

from collections.abc import Iterable

from . import _native

_PORTS = {"http": 80, "https": 443}


class Origins:
    """The origins that get a token."""

    __slots__ = ("_origins", "prefix")

    def __init__(self, base_url: str, allowed: Iterable[str]) -> None:
        """Allows the origin of the base URL, and those of `allowed`, which are base URLs too."""
        if isinstance(allowed, str):
            raise TypeError("allowed_origins are several texts, and not one")
        urls = [base_url]
        # A base URL is read strictly, and is https or on this machine.
        urls.extend(_native.Settings(url).base_url for url in allowed)
        origins = [_origin(url) for url in urls]
        if None in origins:
            raise ValueError("an allowed origin is not valid")
        self._origins = frozenset(origins)
        scheme, host, port = origins[0] or ("", "", 0)
        host = f"[{host}]" if ":" in host else host
        authority = host if port == _PORTS.get(scheme) else f"{host}:{port}"
        self.prefix = f"{scheme}://{authority}/"

    def allow(self, url: str) -> bool:
        """Returns whether a request to this URL gets a token."""
        # The slash ends the authority, so that nothing behind it can change the host.
        return url.startswith(self.prefix) or _origin(url) in self._origins


def _origin(url: str) -> tuple[str, str, int] | None:
    """Returns scheme, host and port, or `None` for a URL that clients may read differently."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname
    if not host or "@" in parts.netloc or "\\" in url or parts.scheme not in _PORTS:
        return None
    return parts.scheme, host, _PORTS[parts.scheme] if port is None else port
