"""The code of the README and of the book's page runs, and so do the examples."""

from __future__ import annotations

import functools
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import point_auth
import pytest
from point_auth.testing import PASSWORD, USERNAME, Emulator

HERE = Path(__file__).parents[1]
PAGES = [
    HERE / "README.md",
    HERE / "testing" / "README.md",
    HERE.parents[1] / "docs" / "src" / "how-to" / "python.md",
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_the_code_of_a_page_runs(
    page: Path,
    emulator: Emulator,
    ca_file: str,
    tls: point_auth.Tls,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PW", PASSWORD)
    monkeypatch.setenv("STATE", str(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file)
    # A page signs in to the real API, and the test to the emulator.
    session = point_auth.Session
    sessions = functools.partial(point_auth.Sessions, base_url=emulator.base_url, tls=tls)

    def here(*arguments: str, **settings: object) -> point_auth.Session:
        given: dict[str, object] = {"base_url": emulator.base_url, **settings, "tls": tls}
        if settings.get("base_url", emulator.base_url) != emulator.base_url:
            given["tls"] = settings["tls"]
        return session(*arguments, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(point_auth, "Session", here)
    monkeypatch.setattr(point_auth, "Sessions", sessions)
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.S | re.M)
    assert blocks
    for block in blocks:
        names: dict[str, object] = {}
        exec(compile(block, str(page), "exec"), names)  # noqa: S102
        for name, value in names.items():
            if name.startswith("test_") and callable(value):
                value(emulator)


@pytest.mark.parametrize("example", sorted((HERE / "examples").glob("*.py")), ids=lambda p: p.name)
def test_an_example_runs(
    example: Path, emulator: Emulator, ca_file: str, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "POINT_AUTH_BASE_URL": emulator.base_url,
        "POINT_AUTH_CA_PEM": emulator.ca_pem,
        "POINT_AUTH_KEPT": str(tmp_path / "tokens.json"),
        "POINT_AUTH_PASSWORD": PASSWORD,
        "POINT_AUTH_PATH": "/point-auth-emulator/whoami",
        "POINT_AUTH_USERNAME": USERNAME,
        "SSL_CERT_FILE": ca_file,
    }
    run: Callable[[], subprocess.CompletedProcess[str]] = lambda: subprocess.run(
        [sys.executable, str(example)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    done = run()
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert PASSWORD not in done.stdout
    if example.name == "observer.py":
        assert (tmp_path / "tokens.json").stat().st_mode & 0o077 == 0
        assert "sign-ins: 0" in run().stdout
    assert emulator.count("sign_in") == 1


def test_every_public_name_has_a_docstring() -> None:
    for name in point_auth.__all__:
        value = getattr(point_auth, name)
        if inspect.isclass(value) or inspect.isroutine(value):
            assert value.__doc__, name
    for cls in (point_auth.Session, point_auth.Sessions, point_auth.SignIn, point_auth.TokenSet):
        for name, value in vars(cls).items() | vars(cls.__mro__[1]).items():
            if not name.startswith("_"):
                assert value.__doc__, f"{cls.__name__}.{name}"
