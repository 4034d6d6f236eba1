"""httpx, requests and aiohttp over real TLS: token on, one retry, and to no other host."""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import Callable, Iterator

import point_auth
import pytest
from point_auth.testing import PASSWORD, USERNAME, Emulator, Fault

httpx = pytest.importorskip("httpx")
requests = pytest.importorskip("requests")

Send = Callable[..., tuple[int, str]]


@pytest.fixture
def other() -> Iterator[Emulator]:
    """A server of another origin, which the token is not for."""
    with Emulator({USERNAME: PASSWORD}) as emulator:
        yield emulator


@pytest.fixture(params=["httpx", "httpx async", "requests"])
def send(
    request: pytest.FixtureRequest,
    session: point_auth.Session,
    emulator: Emulator,
    other: Emulator,
    tmp_path: object,
) -> Send:
    """Sends a request with one of the clients. Returns its status and its text."""
    from pathlib import Path

    roots = emulator.ca_pem + other.ca_pem
    context = ssl.create_default_context(cadata=roots)
    path = Path(str(tmp_path)) / "roots.pem"
    path.write_text(roots)

    def by_httpx(url: str, content: object = None, *, auth: object = None) -> tuple[int, str]:
        with httpx.Client(
            auth=auth or session.httpx_auth(), verify=context, follow_redirects=True
        ) as client:
            answer = client.post(url, content=content)
            return answer.status_code, answer.text

    def by_httpx_async(url: str, content: object = None, *, auth: object = None) -> tuple[int, str]:
        async def work() -> tuple[int, str]:
            async with httpx.AsyncClient(
                auth=auth or session.httpx_auth(), verify=context, follow_redirects=True
            ) as client:
                answer = await client.post(url, content=content)
                return answer.status_code, answer.text

        return asyncio.run(work())

    def by_requests(url: str, content: object = None, *, auth: object = None) -> tuple[int, str]:
        with requests.Session() as client:
            client.auth = auth or session.requests_auth()
            answer = client.post(url, data=content, verify=str(path))
            return answer.status_code, answer.text

    return {"httpx": by_httpx, "httpx async": by_httpx_async, "requests": by_requests}[
        request.param
    ]


def test_a_request_has_the_token(send: Send, emulator: Emulator) -> None:
    for _ in range(3):
        status, text = send(emulator.whoami_url, b"a body")
        assert status == 200
        assert USERNAME in text
    assert emulator.count("sign_in") == 1
    assert emulator.requests()[-1].body == b"a body"


def test_a_token_that_was_revoked_is_replaced_and_the_request_sent_again(
    send: Send, session: point_auth.Session, emulator: Emulator
) -> None:
    old = session.token()
    emulator.revoke(str(old))
    # It is young: the session would wait a second before it believes that.
    emulator.push_fault(Fault.respond(401), "whoami")
    session.invalidate(old)
    session.reset()
    status, text = send(emulator.whoami_url, b"a body")
    assert status == 401
    session.reset()
    status, text = send(emulator.whoami_url, b"a body")
    assert status == 200


def test_an_old_token_is_refreshed_after_a_401(
    send: Send, new_session: Callable[..., point_auth.Session], emulator: Emulator
) -> None:
    session = new_session()
    session.restore(_ten_minutes_ago(session, emulator))
    old = session.token()
    emulator.revoke(str(old))
    auth = session.requests_auth() if "by_requests" in repr(send) else session.httpx_auth()
    status, text = send(emulator.whoami_url, b"a body", auth=auth)
    assert (status, emulator.count("whoami"), emulator.count("refresh")) == (200, 2, 1)
    bodies = [one.body for one in emulator.requests() if one.operation == "whoami"]
    assert bodies == [b"a body"] * 2
    assert session.token() != old


def test_a_second_401_is_the_answer(
    send: Send, new_session: Callable[..., point_auth.Session], emulator: Emulator
) -> None:
    session = new_session()
    session.restore(_ten_minutes_ago(session, emulator))
    emulator.always(Fault.respond(401), "whoami")
    auth = session.requests_auth() if "by_requests" in repr(send) else session.httpx_auth()
    status, _ = send(emulator.whoami_url, b"a body", auth=auth)
    assert (status, emulator.count("whoami"), emulator.count("refresh")) == (401, 2, 1)
    # An API that rejects each token causes no storm.
    with pytest.raises(point_auth.TemporaryError):
        session.token()


def test_another_origin_gets_no_token(
    send: Send, session: point_auth.Session, other: Emulator, emulator: Emulator
) -> None:
    status, _ = send(other.whoami_url)
    assert status == 401
    assert "authorization" not in other.requests()[0].headers
    # Not even a sign-in was necessary, and the 401 says nothing of the token.
    assert emulator.requests() == []


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_to_another_origin_drops_the_token(
    send: Send, session: point_auth.Session, emulator: Emulator, other: Emulator, status: int
) -> None:
    token = session.token()
    emulator.push_fault(Fault.redirect(status, other.whoami_url), "whoami")
    answer, _ = send(emulator.whoami_url, b"a body")
    assert answer == 401
    (reached,) = other.requests()
    assert "authorization" not in reached.headers
    assert session.current_token() is token


def test_a_redirect_within_the_origin_keeps_the_token(
    send: Send, emulator: Emulator
) -> None:
    emulator.push_fault(Fault.redirect(307, "/point-auth-emulator/whoami?again"), "whoami")
    status, text = send(emulator.whoami_url, b"a body")
    assert (status, emulator.count("whoami")) == (200, 2)
    assert USERNAME in text


def test_an_origin_that_is_allowed_by_name_gets_the_token(
    send: Send, new_session: Callable[..., point_auth.Session], other: Emulator
) -> None:
    session = new_session(allowed_origins=[other.base_url])
    auth = session.requests_auth() if "by_requests" in repr(send) else session.httpx_auth()
    other.push_fault(Fault.respond(200), "whoami")
    assert send(other.whoami_url, auth=auth)[0] == 200
    assert other.requests()[0].headers["authorization"] == session.token().authorization


def test_a_stream_that_was_sent_is_not_sent_again(
    send: Send, new_session: Callable[..., point_auth.Session], emulator: Emulator
) -> None:
    session = new_session()
    session.restore(_ten_minutes_ago(session, emulator))
    old = session.token()
    emulator.revoke(str(old))
    is_async = "by_httpx_async" in repr(send)

    def chunks() -> Iterator[bytes]:
        yield b"a "
        yield b"body"

    async def async_chunks():  # type: ignore[no-untyped-def]
        yield b"a "
        yield b"body"

    auth = session.requests_auth() if "by_requests" in repr(send) else session.httpx_auth()
    content = async_chunks() if is_async else chunks()
    status, _ = send(emulator.whoami_url, content, auth=auth)
    assert (status, emulator.count("whoami")) == (401, 1)
    # The next request has another token.
    assert session.token() != old


def test_requests_rewinds_a_file(
    new_session: Callable[..., point_auth.Session], emulator: Emulator, ca_file: str
) -> None:
    session = new_session()
    session.restore(_ten_minutes_ago(session, emulator))
    emulator.revoke(str(session.token()))
    answer = requests.post(
        emulator.whoami_url,
        data=io.BytesIO(b"a file"),
        auth=session.requests_auth(),
        verify=ca_file,
        timeout=60,
    )
    bodies = [one.body for one in emulator.requests() if one.operation == "whoami"]
    assert (answer.status_code, bodies) == (200, [b"a file"] * 2)
    assert [one.status_code for one in answer.history] == [401]


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://api.test/", True),
        ("https://api.test/a?b#c", True),
        ("https://api.test", True),
        ("https://api.test:443/a", True),
        ("HTTPS://API.TEST/a", True),
        ("http://api.test/", False),
        ("https://api.test:444/", False),
        ("https://api.test.evil/", False),
        ("https://evil/api.test/", False),
        ("https://api.test@evil/", False),
        ("https://evil@api.test/", False),
        ("https://api.test\\@evil/", False),
        ("https://evil\\.api.test/", False),
        ("//api.test/", False),
        ("", False),
        ("https://[::1", False),
        ("https://api.test:99999/", False),
        ("https://files.test:8443/x", True),
        ("https://files.test/x", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, is_allowed: bool) -> None:
    session = point_auth.Session(
        "me",
        password="secret",
        base_url="https://api.test/v1",
        allowed_origins=["https://files.test:8443"],
    )
    assert session._origins.allow(url) is is_allowed  # noqa: SLF001


def test_aiohttp_takes_the_token(session: point_auth.Session, emulator: Emulator) -> None:
    aiohttp = pytest.importorskip("aiohttp")
    context = ssl.create_default_context(cadata=emulator.ca_pem)

    async def work() -> str:
        async with aiohttp.ClientSession() as client:
            token = await session.token_async()
            headers = {"authorization": token.authorization}
            async with client.get(emulator.whoami_url, headers=headers, ssl=context) as answer:
                assert answer.status == 200
                return await answer.text()

    assert USERNAME in asyncio.run(work())


def _ten_minutes_ago(session: point_auth.Session, emulator: Emulator) -> point_auth.StoredTokens:
    """The session's tokens, as if they had been obtained ten minutes ago."""
    import json

    session.token()
    stored = session.stored_tokens()
    assert stored is not None
    fields = json.loads(stored.expose_json())
    for name in ("asked_at", "refresh_token_came_at"):
        fields[name] -= 600
    return _take(session, json.dumps(fields).encode())


def _take(session: point_auth.Session, kept: bytes) -> point_auth.StoredTokens:
    # Another user's credentials drop the tokens that the session has.
    session.set_credentials(point_auth.Credentials("another", "password"))
    session.set_credentials(point_auth.Credentials(USERNAME, PASSWORD))
    return point_auth.StoredTokens.from_json(kept)
