"""Stores: processes that share their tokens by files, or by a real Redis."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import point_auth
import pytest
from point_auth.testing import PASSWORD, USERNAME, Emulator

NewSession = Callable[..., point_auth.Session]


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A server of Redis on a socket of its own."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server here")
    path = tmp_path / "redis.sock"
    server = subprocess.Popen(
        [program, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        for line in server.stdout:
            if "eady to accept connections" in line:
                break
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
        yield f"unix://{path}"
    finally:
        server.kill()
        server.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="a store of files is for Unix")
def test_sessions_over_one_directory_sign_in_once(
    new_session: NewSession, emulator: Emulator, tmp_path: Path
) -> None:
    tokens = set()
    for _ in range(3):
        store = point_auth.FileStore(tmp_path / "store")
        assert store.path == tmp_path / "store"
        tokens.add(str(new_session(store=store).token()))
    assert len(tokens) == 1
    assert emulator.count("sign_in") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="a store of files is for Unix")
def test_a_password_that_was_denied_to_one_is_sent_by_no_other(
    new_session: NewSession, emulator: Emulator, tmp_path: Path
) -> None:
    for _ in range(3):
        session = new_session(password="wrong", store=point_auth.FileStore(tmp_path / "store"))
        with pytest.raises(point_auth.Denied):
            session.token()
    assert emulator.count("sign_in") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="a store of files is for Unix")
def test_a_directory_that_others_may_read_is_refused(tmp_path: Path) -> None:
    directory = tmp_path / "store"
    directory.mkdir(mode=0o755)
    with pytest.raises(point_auth.PointAuthError) as caught:
        point_auth.FileStore(directory)
    assert caught.value.kind == "store"


def test_sessions_over_one_redis_sign_in_once(
    new_session: NewSession, emulator: Emulator, redis_url: str
) -> None:
    key = point_auth.generate_store_key()
    tokens = {
        str(new_session(store=point_auth.RedisStore(redis_url, key=key)).token()) for _ in range(3)
    }
    assert len(tokens) == 1
    assert emulator.count("sign_in") == 1


def test_a_redis_that_is_not_there_is_told_and_a_new_password_waits(
    new_session: NewSession, emulator: Emulator
) -> None:
    with socket.socket() as taken:
        # Bound and not listening: it refuses connections, and no other program gets the port.
        taken.bind(("127.0.0.1", 0))
        url = f"redis://:hunter2@127.0.0.1:{taken.getsockname()[1]}"
        store = point_auth.RedisStore(url, key=point_auth.generate_store_key())
        events: list[point_auth.Event] = []
        with pytest.raises(point_auth.PointAuthError) as caught:
            new_session(store=store, observers=[events.append]).token()
        assert "hunter2" not in str(caught.value)
        assert emulator.requests() == []


def test_a_url_or_a_key_that_is_none_is_refused() -> None:
    key = point_auth.generate_store_key()
    for url in ("http://hunter2@localhost", "rediss://:hunter2@localhost", ""):
        with pytest.raises(ValueError) as caught:
            point_auth.RedisStore(url, key=key)
        assert "hunter2" not in str(caught.value)
    with pytest.raises(ValueError) as caught:
        point_auth.RedisStore("redis://localhost", key="hunter2")
    assert "hunter2" not in str(caught.value)


def test_the_environment_may_hold_the_credentials(
    new_session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.setenv("PW", PASSWORD)
    assert new_session(username=USERNAME, password=lambda: os.environ["PW"]).token()
