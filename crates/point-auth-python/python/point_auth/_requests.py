"""Authentication for requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requests.auth import AuthBase
from requests.cookies import extract_cookies_to_jar

from ._errors import PointAuthError

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

    from ._origins import Origins
    from ._session import Session


class RequestsAuth(AuthBase):
    """Puts a session's token on requests, with one more attempt after a 401.

    A request to another origin than the base URL's goes out without a token, unless that origin was
    allowed by name.
    """

    def __init__(self, session: Session, origins: Origins) -> None:
        """Creates the authentication of a session."""
        self._session = session
        self._current_token = session.current_token
        self._allow = origins.allow
        self._prefix = origins.prefix
        # One object: requests compares hooks nowhere, and a bound method is made at each access.
        self._hook = self._after

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Puts the token on a request."""
        url = request.url or ""
        # The first is quicker, and is so for nearly all requests.
        if url.startswith(self._prefix) or self._allow(url):
            token = self._current_token() or self._session.token()
            request.headers["Authorization"] = token._bearer  # pyright: ignore[reportPrivateUsage]
            request.hooks["response"].append(self._hook)
        return request

    def _after(self, response: Response, **kwargs: Any) -> Response:
        """Handles each response, also those on the way of a redirect."""
        if response.status_code != 401:
            return response
        request = response.request
        sent = request.headers.get("Authorization")
        # requests drops the token on the way to another host, and a 401 from there says nothing.
        if not sent or not self._allow(response.url):
            return response
        self._session.invalidate(str(sent)[len("Bearer ") :])
        body = request.body
        rewound = body is None or isinstance(body, (bytes, str))
        if not rewound:
            position = getattr(request, "_body_position", None)
            seek = getattr(body, "seek", None)
            if not isinstance(position, int) or seek is None:
                return response
            seek(position)
        try:
            token = self._session.token()
        except PointAuthError:
            # The API's own response says more.
            return response
        # What is left of the body, so that the connection can be used again.
        response.content  # noqa: B018
        response.close()
        again = request.copy()
        hooks = again.hooks["response"]
        again.hooks = {**again.hooks, "response": [hook for hook in hooks if hook != self._hook]}
        jar: Any = getattr(again, "_cookies")
        extract: Any = extract_cookies_to_jar
        extract(jar, request, response.raw)
        again.prepare_cookies(jar)
        again.headers["Authorization"] = token.authorization
        connection: Any = getattr(response, "connection")
        answer: Response = connection.send(again, **kwargs)
        answer.history.append(response)
        answer.request = again
        if answer.status_code == 401:
            self._session.invalidate(str(token))
        return answer
