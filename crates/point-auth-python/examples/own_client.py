"""A program with a client of its own: the operations are pure functions."""

import os
import urllib.error
import urllib.request
from http.client import HTTPMessage
from typing import IO

import point_auth


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A password goes to one host: no redirect is followed."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        """Follows nothing."""


def send(request: point_auth.Request) -> tuple[int, list[tuple[str, str]], bytes]:
    """Sends a request once, and reads at most 64 KiB of the answer."""
    outgoing = urllib.request.Request(
        request.url, data=request.body, headers=request.headers, method=request.method
    )
    opener = urllib.request.build_opener(NoRedirect)
    try:
        with opener.open(outgoing, timeout=30) as answer:
            return answer.status, answer.headers.items(), answer.read(65_537)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.headers.items(), answer.read(65_537)


def main(base_url: str, username: str, password: str) -> None:
    """Signs in, and refreshes once."""
    sign_in = point_auth.SignIn(username, password)
    tokens = sign_in.parse(*send(sign_in.to_request(base_url)))
    print(f"signed in for {tokens.expires_in} s")
    if tokens.refresh_token is not None:
        refresh = point_auth.Refresh(tokens.refresh_token)
        tokens = refresh.parse(*send(refresh.to_request(base_url)))
        print(f"refreshed for {tokens.expires_in} s")


if __name__ == "__main__":
    main(
        os.environ.get("POINT_AUTH_BASE_URL", point_auth.PRODUCTION_URL),
        os.environ["POINT_AUTH_USERNAME"],
        os.environ["POINT_AUTH_PASSWORD"],
    )
