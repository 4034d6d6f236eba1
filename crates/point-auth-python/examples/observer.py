"""Keeps tokens across a restart, and counts what a session does."""

import os
from collections import Counter
from pathlib import Path

import point_auth

KEPT = Path(os.environ.get("POINT_AUTH_KEPT", "tokens.json"))
counts: Counter[str] = Counter()


def observe(event: point_auth.Event) -> None:
    """Is called on the thread of the exchange."""
    if isinstance(event, point_auth.ExchangeEnded):
        counts[event.outcome] += 1
    elif isinstance(event, point_auth.TokensChanged) and event.tokens is not None:
        # The tokens are as secret as a password: no other user may read the file.
        new = KEPT.with_suffix(".new")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(event.tokens.expose_json())
        new.replace(KEPT)


def main() -> None:
    """Gets a token, with a sign-in only where none was kept."""
    session = point_auth.Session(
        os.environ["POINT_AUTH_USERNAME"],
        password=os.environ["POINT_AUTH_PASSWORD"],
        base_url=os.environ.get("POINT_AUTH_BASE_URL", point_auth.PRODUCTION_URL),
        tls=point_auth.Tls(ca_pem=os.environ.get("POINT_AUTH_CA_PEM")),
        observers=[observe],
    )
    if KEPT.exists():
        session.restore(point_auth.StoredTokens.from_json(KEPT.read_bytes()))
    token = session.token()
    print(f"a token of {len(token)} characters, good until {token.expires_at:.0f}")
    print("sign-ins:", session.snapshot().counts["sign_ins"])


if __name__ == "__main__":
    main()
