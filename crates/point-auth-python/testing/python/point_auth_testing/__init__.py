"""An emulator of the PointServices sign-in API on loopback. Import it as `point_auth.testing`."""

from typing import Final, Literal

from ._native import Emulator, Fault, RecordedRequest

Operation = Literal["sign_in", "refresh", "whoami", "other"]
"""What a request asks for."""

USERNAME: Final = "user@example.com"
"""The user of the fixture `point_auth_emulator`."""

PASSWORD: Final = "correct-horse-battery-staple"
"""Its password."""

__all__ = ["PASSWORD", "USERNAME", "Emulator", "Fault", "Operation", "RecordedRequest"]
