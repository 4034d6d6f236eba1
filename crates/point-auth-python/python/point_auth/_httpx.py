"""Authentication for httpx, sync and async."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from ._errors import PointAuthError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from ._origins import Origins
    from ._session import Session


class HttpxAuth(httpx.Auth):
    """Puts a session's token on requests, with one more attempt after a 401.

    A request to another origin than the base URL's goes out without a token, unless that origin was
    allowed by name. An async client waits for a token without blocking its event loop.
    """

    def __init__(self, session: Session, origins: Origins) -> None:
        """Creates the authentication of a session."""
        self._session = session
        self._origins = origins

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Authenticates a request of `httpx.Client`."""
        if not self._origins.allow(str(request.url)):
            yield request
            return
        token = self._session.token()
        request.headers["Authorization"] = token.authorization
        response = yield request
        if not self._was_rejected(response):
            return
        self._session.invalidate(token)
        if not _can_be_sent_again(request):
            return
        try:
            other = self._session.token()
        except PointAuthError:
            # The API's own response says more.
            return
        request.headers["Authorization"] = other.authorization
        response = yield request
        if self._was_rejected(response):
            self._session.invalidate(other)

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Authenticates a request of `httpx.AsyncClient`."""
        if not self._origins.allow(str(request.url)):
            yield request
            return
        token = await self._session.token_async()
        request.headers["Authorization"] = token.authorization
        response = yield request
        if not self._was_rejected(response):
            return
        self._session.invalidate(token)
        if not _can_be_sent_again(request):
            return
        try:
            other = await self._session.token_async()
        except PointAuthError:
            return
        request.headers["Authorization"] = other.authorization
        response = yield request
        if self._was_rejected(response):
            self._session.invalidate(other)

    def _was_rejected(self, response: httpx.Response) -> bool:
        # httpx drops the token on the way to another host, and a 401 from there says nothing.
        return response.status_code == 401 and self._origins.allow(str(response.url))


def _can_be_sent_again(request: httpx.Request) -> bool:
    """Returns whether the body is still there. One that was streamed is not."""
    return isinstance(request.stream, httpx.ByteStream)
