"""A blocking program over httpx: each request has a good token."""

import os

import httpx

import point_auth

session = point_auth.Session(
    os.environ["POINT_AUTH_USERNAME"],
    # Read at each sign-in, so that it may rotate.
    password=lambda: os.environ["POINT_AUTH_PASSWORD"],
    base_url=os.environ.get("POINT_AUTH_BASE_URL", point_auth.PRODUCTION_URL),
    tls=point_auth.Tls(ca_pem=os.environ.get("POINT_AUTH_CA_PEM")),
)


def call(client: httpx.Client, path: str) -> str:
    """Calls the API, and says what to do when there is no token."""
    try:
        response = client.get(path)
    except point_auth.Denied as error:
        raise SystemExit(f"change the credentials: {error}") from None
    except point_auth.TemporaryError as error:
        raise SystemExit(f"try again in {error.retry_after or 1:.0f} s: {error}") from None
    response.raise_for_status()
    return response.text


if __name__ == "__main__":
    with httpx.Client(base_url=session.base_url, auth=session.httpx_auth()) as http:
        print(call(http, os.environ.get("POINT_AUTH_PATH", "/")))
