"""An emulator of the API on loopback, for tests. It comes with `pip install point-auth[testing]`.

With it installed, pytest has the fixture `point_auth_emulator`: an emulator with TLS and one user.
"""

try:
    from point_auth_testing import (
        PASSWORD,
        USERNAME,
        Emulator,
        Fault,
        Operation,
        RecordedRequest,
    )
except ModuleNotFoundError as _error:  # pragma: no cover
    raise ModuleNotFoundError(
        "the emulator is in a wheel of its own: pip install point-auth[testing]",
        name=_error.name,
    ) from None

__all__ = ["PASSWORD", "USERNAME", "Emulator", "Fault", "Operation", "RecordedRequest"]
