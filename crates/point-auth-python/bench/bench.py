"""What a token costs in Python, beside what people use today. Fails where it is over its budget.

Each figure is the best of several rounds, since everything that disturbs a round makes it slower.
"""

from __future__ import annotations

import subprocess
import sys
import time
import timeit
from collections.abc import Callable
from pathlib import Path

import google.oauth2.credentials
import requests
from authlib.integrations.requests_client import OAuth2Session

import point_auth
from point_auth.testing import PASSWORD, USERNAME, Emulator

MOST_READ = 300e-9
MOST_IMPORT = 15e-3
MOST_OF_AUTHLIB = 0.5
ROUNDS = 25


def best(function: Callable[[], object], number: int) -> float:
    """The time of one call in seconds."""
    return best_of(number, function)[0]


def best_of(number: int, *functions: Callable[[], object]) -> list[float]:
    """The time of one call of each, which take turns, so that a disturbance meets all of them."""
    times = [float("inf")] * len(functions)
    for _ in range(ROUNDS):
        for place, function in enumerate(functions):
            times[place] = min(times[place], timeit.timeit(function, number=number) / number)
    return times


def prepared() -> requests.PreparedRequest:
    """A request to the API."""
    return requests.Request("POST", "https://api.pointservices.com/a", json={"a": 1}).prepare()


def of_import() -> float:
    """What `import point_auth` adds to the processor time of an interpreter that starts."""
    import resource

    def start(program: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", program], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    bare = min(start("pass") for _ in range(ROUNDS))
    return min(start("import point_auth") for _ in range(ROUNDS)) - bare


def main() -> int:
    """Measures, prints a table, and returns 1 where something is over its budget."""
    rows: list[tuple[str, float, float | None]] = []
    with Emulator({USERNAME: PASSWORD}) as emulator:
        session = point_auth.Session(
            USERNAME,
            password=PASSWORD,
            base_url=emulator.base_url,
            allowed_origins=[point_auth.PRODUCTION_URL],
            tls=point_auth.Tls(roots="extra", ca_pem=emulator.ca_pem),
        )
        token = session.token()
        rows.append(("session.token()", best(session.token, 100_000), MOST_READ))

        own = requests.Request("POST", emulator.whoami_url, json={"a": 1}).prepare()

        def by_us() -> object:
            own.hooks["response"].clear()
            return session.requests_auth()(own)

        def clearing() -> object:
            return own.hooks["response"].clear()

        request = prepared()
        authlib = OAuth2Session(
            token={
                "access_token": str(token),
                "token_type": "Bearer",
                "expires_at": time.time() + 3600,
            }
        )
        whole, cleared, theirs = best_of(
            10_000, by_us, clearing, lambda: authlib.token_auth(request)
        )
        ours = whole - cleared

    rows.append(("requests_auth()(request)", ours, theirs * MOST_OF_AUTHLIB))
    rows.append(("authlib: token_auth(request)", theirs, None))

    credentials = google.oauth2.credentials.Credentials(token=str(token))
    transport = object()
    headers: dict[str, str] = {}

    def by_google() -> None:
        credentials.before_request(transport, "POST", "https://api.test/", headers)

    rows.append(("google-auth: before_request", best(by_google, 2_000), None))
    rows.append(("import point_auth", of_import(), MOST_IMPORT))

    failed = False
    for name, took, most in rows:
        over = most is not None and took > most
        failed = failed or over
        limit = "" if most is None else f"at most {most * 1e6:,.2f} µs"
        print(f"{name:<32} {took * 1e6:>10,.2f} µs  {limit}{'  OVER' if over else ''}")
    print(f"Python {sys.version.split()[0]}, {Path(sys.executable).resolve()}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
