"""Sessions: one sign-in for many, a wrong password once, and what callers get."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import point_auth
import pytest
from point_auth.testing import PASSWORD, USERNAME, Emulator, Fault

NewSession = Callable[..., point_auth.Session]


def test_a_token_is_one_object_as_long_as_it_is_good(
    session: point_auth.Session, emulator: Emulator
) -> None:
    assert session.current_token() is None
    token = session.token()
    assert token is session.token()
    assert token is session.current_token()
    assert token.expires_at is not None
    assert abs(token.expires_at - time.time() - 3600) < 60
    assert token.authorization == f"Bearer {token}"
    assert emulator.count("sign_in") == 1
    assert session.snapshot().state == "good"


def test_two_hundred_threads_cause_one_sign_in(
    session: point_auth.Session, emulator: Emulator
) -> None:
    emulator.push_fault(Fault.delayed(0.1))
    barrier = threading.Barrier(200)

    def get(_: int) -> str:
        barrier.wait()
        return str(session.token())

    with ThreadPoolExecutor(200) as threads:
        tokens = set(threads.map(get, range(200)))
    assert len(tokens) == 1
    assert emulator.count("sign_in") == 1


def test_a_thousand_tasks_cause_one_sign_in_and_wait_on_one_thread(
    session: point_auth.Session, emulator: Emulator
) -> None:
    emulator.push_fault(Fault.delayed(0.1))

    async def work() -> set[str]:
        before = threading.active_count()
        tasks = [asyncio.ensure_future(session.token_async()) for _ in range(1000)]
        await asyncio.sleep(0)
        assert threading.active_count() == before
        tokens = set(await asyncio.gather(*tasks))
        # With a good token there is nothing to wait for.
        assert await session.token_async() is session.token()
        return {str(token) for token in tokens}

    assert len(asyncio.run(work())) == 1
    assert emulator.count("sign_in") == 1


def test_the_event_loop_goes_on_while_a_task_waits(
    session: point_auth.Session, emulator: Emulator
) -> None:
    emulator.push_fault(Fault.delayed(0.2))

    async def work() -> int:
        task = asyncio.ensure_future(session.token_async())
        turns = 0
        while not task.done():
            turns += 1
            await asyncio.sleep(0)
        await task
        return turns

    assert asyncio.run(work()) > 10


def test_a_task_that_is_canceled_takes_none_of_the_others_with_it(
    session: point_auth.Session, emulator: Emulator
) -> None:
    emulator.push_fault(Fault.delayed(0.1))

    async def work() -> None:
        first = asyncio.ensure_future(session.token_async())
        second = asyncio.ensure_future(session.token_async())
        await asyncio.sleep(0)
        first.cancel()
        assert await second
        with pytest.raises(asyncio.CancelledError):
            await first

    asyncio.run(work())
    assert emulator.count("sign_in") == 1


def test_a_task_with_a_timeout_leaves_in_time(
    session: point_auth.Session, emulator: Emulator
) -> None:
    emulator.push_fault(Fault.silent())

    async def work() -> None:
        with pytest.raises(point_auth.TemporaryError) as caught:
            await session.token_async(timeout=0.05)
        assert caught.value.kind == "timeout"

    asyncio.run(work())


def test_trio_waits_on_a_worker_thread(
    session: point_auth.Session, emulator: Emulator
) -> None:
    trio = pytest.importorskip("trio")

    async def work() -> str:
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(session.token_async)
        return str(await session.token_async())

    assert trio.run(work) == session.token()
    assert emulator.count("sign_in") == 1


def test_a_caller_with_a_timeout_leaves_in_time(
    session: point_auth.Session, emulator: Emulator
) -> None:
    emulator.push_fault(Fault.silent())
    with pytest.raises(point_auth.TemporaryError) as caught:
        session.token(timeout=0.05)
    assert caught.value.kind == "timeout"
    for wrong in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError):
            session.token(timeout=wrong)


def test_a_wrong_password_is_sent_once(new_session: NewSession, emulator: Emulator) -> None:
    session = new_session(password="wrong")

    def get(_: int) -> point_auth.PointAuthError:
        with pytest.raises(point_auth.Denied) as caught:
            session.token()
        return caught.value

    with ThreadPoolExecutor(20) as threads:
        errors = list(threads.map(get, range(100)))
    assert emulator.count("sign_in") == 1
    error = errors[0]
    assert (error.kind, error.retryable) == ("denied", False)
    assert error.denial is not None
    assert (error.denial.status, error.denial.code) == (403, "access_denied")
    assert session.snapshot().denial == error.denial
    session.set_credentials(point_auth.Credentials(USERNAME, PASSWORD))
    assert session.token()
    assert emulator.count("sign_in") == 2


def test_each_task_gets_an_error_of_its_own(new_session: NewSession, emulator: Emulator) -> None:
    session = new_session(password="wrong")

    async def work() -> list[object]:
        tasks = [session.token_async() for _ in range(50)]
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    errors = asyncio.run(work())
    assert all(isinstance(error, point_auth.Denied) for error in errors)
    assert len({id(error) for error in errors}) == 50
    assert emulator.count("sign_in") == 1


def test_without_credentials_a_person_must_sign_in(new_session: NewSession) -> None:
    session = new_session(username=None, password=None)
    with pytest.raises(point_auth.SignInNeeded):
        session.token()


def test_a_server_that_is_busy_is_a_temporary_error(
    session: point_auth.Session, emulator: Emulator
) -> None:
    emulator.always(Fault.respond(429, headers={"retry-after": "30"}))
    with pytest.raises(point_auth.TemporaryError) as caught:
        session.token()
    assert caught.value.retry_after is not None
    assert 25 < caught.value.retry_after < 60
    assert caught.value.status == 429
    # Until then nothing is sent.
    with pytest.raises(point_auth.TemporaryError):
        session.token()
    assert emulator.count("sign_in") == 1


def test_a_rejected_token_is_refreshed_once(
    session: point_auth.Session, emulator: Emulator
) -> None:
    token = session.token()
    for _ in range(3):
        session.invalidate(token)
    # It is young, so a backoff of a second comes first.
    with pytest.raises(point_auth.TemporaryError) as caught:
        session.token()
    assert caught.value.kind == "useless_token"
    session.reset()
    assert session.token() != token
    assert (emulator.count("sign_in"), emulator.count("refresh")) == (1, 1)


def test_a_password_may_come_from_a_callable(new_session: NewSession) -> None:
    calls = 0

    def password() -> str:
        nonlocal calls
        calls += 1
        return PASSWORD

    session = new_session(password=password)
    assert session.token() is session.token()
    assert calls == 1


def test_credentials_may_come_from_a_callable(new_session: NewSession, emulator: Emulator) -> None:
    def credentials() -> point_auth.Credentials:
        return point_auth.Credentials(USERNAME, PASSWORD, user_alias="jane")

    session = new_session(username=None, password=None, credentials=credentials)
    assert session.token()
    assert session.user_alias == "jane"
    assert emulator.requests()[0].user_alias == "jane"


def test_what_a_callable_raises_is_named_and_not_quoted(new_session: NewSession) -> None:
    def password() -> str:
        raise RuntimeError("hunter2 is not the password")

    with pytest.raises(point_auth.PointAuthError) as caught:
        new_session(password=password).token()
    assert caught.value.kind == "credentials"
    assert "RuntimeError" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_stored_tokens_save_a_sign_in(new_session: NewSession, emulator: Emulator) -> None:
    first = new_session()
    token = first.token()
    stored = first.stored_tokens()
    assert stored is not None
    kept = stored.expose_json()
    second = new_session()
    second.restore(point_auth.StoredTokens.from_json(kept))
    assert second.token() == token
    assert emulator.count("sign_in") == 1
    with pytest.raises(ValueError):
        new_session(username="other").restore(stored)
    with pytest.raises(ValueError):
        point_auth.StoredTokens.from_json(b"{}")


def test_observers_are_told_in_order(new_session: NewSession) -> None:
    events: list[point_auth.Event] = []
    session = new_session(observers=[events.append], user_alias="jane")
    session.token()
    # The end of an exchange is told after the waiters were woken.
    deadline = time.monotonic() + 60
    while len(events) < 3 and time.monotonic() < deadline:
        threading.Event().wait(0.001)
    began, ended, changed = events
    assert began == point_auth.ExchangeBegan("jane", "sign_in", 1)
    assert isinstance(ended, point_auth.ExchangeEnded)
    assert (ended.outcome, ended.kind, ended.error) == ("renewed", "sign_in", None)
    assert isinstance(changed, point_auth.TokensChanged)
    assert changed.tokens is not None
    assert str(session.token()) not in repr(events)


def test_an_observer_that_raises_costs_nothing(
    new_session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", lambda what: raised.append(what.exc_value))
    told = threading.Event()

    def fails(event: point_auth.Event) -> None:
        raise ValueError("from an observer")

    def tells(event: point_auth.Event) -> None:
        if isinstance(event, point_auth.TokensChanged):
            told.set()

    assert new_session(observers=[fails, tells]).token()
    assert told.wait(60)
    assert [str(error) for error in raised] == ["from an observer"] * 3


def test_the_log_has_the_outcome_and_no_secret(
    new_session: NewSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="point_auth")
    denied, told = threading.Event(), threading.Event()

    def observer(event: point_auth.Event) -> None:
        if isinstance(event, point_auth.ExchangeEnded):
            (denied if event.outcome == "denied" else told).set()

    session = new_session(password="wrong", user_alias="jane", observers=[observer])
    with pytest.raises(point_auth.Denied):
        session.token()
    assert denied.wait(60)
    session.set_credentials(point_auth.Credentials(USERNAME, PASSWORD))
    token = session.token()
    assert told.wait(60)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    for secret in ("wrong", PASSWORD, str(token), "jane"):
        assert secret not in caplog.text


def test_aliases_share_what_is_known_of_a_password(
    tls: point_auth.Tls,
) -> None:
    with Emulator({USERNAME: PASSWORD}, aliases={USERNAME: ["jane", "joe"]}) as emulator:
        sessions = point_auth.Sessions(
            USERNAME,
            password=PASSWORD,
            base_url=emulator.base_url,
            tls=point_auth.Tls(roots="extra", ca_pem=emulator.ca_pem),
        )
        jane = sessions.session("jane")
        assert isinstance(jane, point_auth.Session)
        assert jane.token() == sessions.token("jane")
        assert sessions.token("joe") != jane.token()
        with pytest.raises(point_auth.Denied):
            sessions.token("eve")
        assert sorted(sessions.aliases()) == ["eve", "jane", "joe"]
        assert len(sessions) == 3
        assert sessions.snapshot().states["good"] == 2
        assert sessions.snapshot().worked == 2
        assert emulator.count("sign_in") == 3
        assert sessions.remove("eve")
        with pytest.raises(ValueError):
            sessions.session("")


def test_a_wrong_password_is_tried_with_three_of_a_hundred_aliases(
    emulator: Emulator, tls: point_auth.Tls
) -> None:
    sessions = point_auth.Sessions(
        USERNAME, password="wrong", base_url=emulator.base_url, tls=tls
    )
    kinds = []
    for number in range(100):
        with pytest.raises(point_auth.PointAuthError) as caught:
            sessions.token(f"alias {number}")
        kinds.append(caught.value.kind)
    assert kinds == ["denied"] * 3 + ["held"] * 97
    assert emulator.count("sign_in") == 3


def test_a_hundred_thousand_reads_take_no_memory(session: point_auth.Session) -> None:
    resource = pytest.importorskip("resource")
    import sys

    token = session.token()
    for _ in range(1000):
        session.token()
    references = sys.getrefcount(token)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(100_000):
        session.token()
    assert sys.getrefcount(token) == references
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1024


def test_a_background_refresh_needs_no_caller(emulator: Emulator, tls: point_auth.Tls) -> None:
    with Emulator({USERNAME: PASSWORD}, access_token_life=2.0) as short:
        session = point_auth.Session(
            USERNAME,
            password=PASSWORD,
            base_url=short.base_url,
            tls=point_auth.Tls(roots="extra", ca_pem=short.ca_pem),
            keep_fresh=True,
        )
        assert short.wait_for_requests(2, 60)
        assert session.token()


@pytest.mark.parametrize(
    "arguments",
    [
        {"base_url": "http://example.com"},
        {"base_url": "https://user@example.com"},
        {"password": ""},
        {"user_alias": ""},
        {"policy": point_auth.Policy(attempts=0)},
        {"policy": point_auth.Policy(acquire_timeout=-1)},
        {"user_agent": "\n"},
        {"proxy": ""},
        {"allowed_origins": ["http://example.com"]},
        {"connect_timeout": math.nan},
    ],
)
def test_arguments_that_are_not_valid_are_refused(
    new_session: NewSession, arguments: dict[str, object]
) -> None:
    with pytest.raises(ValueError):
        new_session(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"username": None},
        {"password": None},
        {"password": 5},
        {"credentials": lambda: None},
        {"store": "a directory"},
        {"allowed_origins": "https://example.com"},
    ],
)
def test_arguments_of_another_kind_are_refused(
    new_session: NewSession, arguments: dict[str, object]
) -> None:
    with pytest.raises(TypeError):
        new_session(**arguments)


def test_settings_that_cannot_be_used_say_why(new_session: NewSession) -> None:
    for arguments in (
        {"tls": point_auth.Tls(ca_pem="not a certificate")},
        {"proxy": "socks5://localhost:1"},
        {"proxy": "http://user:hunter2@[::1"},
    ):
        with pytest.raises(point_auth.PointAuthError) as caught:
            new_session(**arguments)
        assert caught.value.kind == "settings"
        assert "hunter2" not in str(caught.value)


def test_an_untrusted_server_gets_no_password(new_session: NewSession, emulator: Emulator) -> None:
    with pytest.raises(point_auth.PointAuthError) as caught:
        new_session(tls=point_auth.Tls()).token()
    assert (caught.value.kind, caught.value.retryable) == ("tls", False)
    assert emulator.requests() == []


def test_a_client_certificate_is_shown() -> None:
    with Emulator({USERNAME: PASSWORD}, require_client_certificate=True) as emulator:
        certificate, key = emulator.issue_client_certificate("client")
        tls = point_auth.Tls(
            roots="extra",
            ca_pem=emulator.ca_pem,
            client_cert_pem=certificate,
            client_key_pem=key,
        )
        assert key not in repr(tls)
        session = point_auth.Session(
            USERNAME, password=PASSWORD, base_url=emulator.base_url, tls=tls
        )
        assert session.token()
