"""No secret in any text or pickle."""

from __future__ import annotations

import copy
import pickle
import traceback
from collections.abc import Callable

import point_auth
import pytest
from point_auth.testing import PASSWORD, USERNAME, Emulator


def test_a_token_is_a_text_and_its_repr_is_redacted(session: point_auth.Session) -> None:
    token = session.token()
    assert isinstance(token, str)
    assert type(str(token)) is str
    assert f"{token}" == str(token)
    assert repr(token) == "Token([redacted])"
    assert str(token) not in repr({"token": token})
    assert copy.copy(token) is token
    assert copy.deepcopy([token])[0] is token


def test_what_has_a_secret_is_shown_by_no_repr(session: point_auth.Session) -> None:
    sign_in = point_auth.SignIn(USERNAME, PASSWORD)
    refresh = point_auth.Refresh("a-refresh-token")
    token, stored = session.token(), session.stored_tokens()
    key = point_auth.generate_store_key()
    shown = repr(
        [
            session,
            sign_in,
            sign_in.to_request(),
            refresh,
            refresh.to_request(),
            stored,
            point_auth.Credentials(USERNAME, PASSWORD),
            point_auth.RedisStore("redis://:hunter2@127.0.0.1", key=key),
            point_auth.Tls(client_key_pem="hunter2"),
            session.snapshot(),
            point_auth.RefreshToken("a-refresh-token"),
        ]
    )
    for secret in (PASSWORD, str(token), "hunter2", "a-refresh-token", key):
        assert secret not in shown


def test_what_has_a_secret_is_not_pickled(session: point_auth.Session, emulator: Emulator) -> None:
    sign_in = point_auth.SignIn(USERNAME, PASSWORD)
    sessions = point_auth.Sessions(USERNAME, password=PASSWORD)
    for value in (
        session,
        sessions,
        session.token(),
        session.stored_tokens(),
        sign_in,
        sign_in.to_request(),
        point_auth.Refresh("a-refresh-token"),
        point_auth.RefreshToken("a-refresh-token"),
        point_auth.Credentials(USERNAME, PASSWORD),
        point_auth.RedisStore("redis://localhost", key=point_auth.generate_store_key()),
    ):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="not pickled"):
                pickle.dumps(value, protocol)


def test_an_exception_is_pickled_with_its_fields(
    new_session: Callable[..., point_auth.Session],
) -> None:
    wrong = "hunter" + "2"
    with pytest.raises(point_auth.Denied) as caught:
        new_session(password=wrong).token()
    error = caught.value
    pickled = pickle.dumps(error)
    other = pickle.loads(pickled)
    assert type(other) is point_auth.Denied
    assert str(other) == str(error)
    assert vars(other) == vars(error)
    assert b"hunter2" not in pickled
    text = "".join(traceback.format_exception(error)) + repr(error)
    assert "hunter2" not in text


def test_a_server_that_repeats_the_password_is_not_quoted(
    new_session: Callable[..., point_auth.Session], emulator: Emulator
) -> None:
    from point_auth.testing import Fault

    body = b'{"error": "no", "error_description": "hunter2 is wrong"}'
    emulator.push_fault(Fault.respond(403, body, headers={"content-type": "application/json"}))
    with pytest.raises(point_auth.Denied) as caught:
        new_session(password="hunter2").token()
    assert "hunter2" not in str(caught.value)
    assert "withheld" in str(caught.value)
