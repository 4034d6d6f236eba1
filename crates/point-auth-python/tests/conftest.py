"""What the tests have in common: sessions over the emulator, and processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import point_auth
import pytest
from point_auth.testing import PASSWORD, USERNAME, Emulator

LONG = 60.0
"""A generous bound for what takes milliseconds."""


@pytest.fixture
def emulator(point_auth_emulator: Emulator) -> Emulator:
    """An emulator with TLS and one user."""
    return point_auth_emulator


@pytest.fixture
def tls(emulator: Emulator) -> point_auth.Tls:
    """Trusts the emulator."""
    return point_auth.Tls(roots="extra", ca_pem=emulator.ca_pem)


@pytest.fixture
def ca_file(emulator: Emulator, tmp_path: Path) -> str:
    """The emulator's root in a file, as clients want it."""
    path = tmp_path / "ca.pem"
    path.write_text(emulator.ca_pem)
    return str(path)


@pytest.fixture
def new_session(emulator: Emulator, tls: point_auth.Tls) -> Callable[..., point_auth.Session]:
    """Builds a session of the emulator's user."""

    def build(**arguments: object) -> point_auth.Session:
        given: dict[str, object] = {
            "username": USERNAME,
            "password": PASSWORD,
            "base_url": emulator.base_url,
            "tls": tls,
        }
        given.update(arguments)
        return point_auth.Session(**given)  # type: ignore[arg-type]

    return build


@pytest.fixture
def session(new_session: Callable[..., point_auth.Session]) -> point_auth.Session:
    """A session of the emulator's user."""
    return new_session()


@pytest.fixture
def run(emulator: Emulator, ca_file: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a program in a process of its own, which has `session` and `point_auth`."""
    prelude = f"""
import os, sys, threading, time
import point_auth
with open({ca_file!r}) as file:
    tls = point_auth.Tls(roots="extra", ca_pem=file.read())
session = point_auth.Session(
    {USERNAME!r}, password={PASSWORD!r}, base_url={emulator.base_url!r}, tls=tls
)
"""

    def run_program(
        program: str, *, options: tuple[str, ...] = (), check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, *options, "-c", prelude + program],
            capture_output=True,
            text=True,
            timeout=LONG,
            check=False,
            env={**os.environ, "PYTHONFAULTHANDLER": "1"},
        )
        if check:
            assert done.returncode == 0, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run_program


@pytest.fixture
def in_child(request: pytest.FixtureRequest) -> Iterator[Callable[[Callable[[], str]], str]]:
    """Calls a function in a forked child, and returns what it returns."""
    if not hasattr(os, "fork"):
        pytest.skip("there is no fork here")

    def call(function: Callable[[], str]) -> str:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.write(writer, function().encode())
                status = 0
            except BaseException as error:  # noqa: BLE001
                os.write(writer, f"{type(error).__name__}: {error}".encode())
            finally:
                os._exit(status)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        assert status == 0, said
        return said

    yield call
