"""The fixtures of pytest."""

from collections.abc import Iterator

import pytest

from . import PASSWORD, USERNAME, Emulator


@pytest.fixture
def point_auth_emulator() -> Iterator[Emulator]:
    """An emulator of the API with TLS and one user, for one test."""
    with Emulator({USERNAME: PASSWORD}) as emulator:
        yield emulator
