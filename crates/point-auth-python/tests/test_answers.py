"""The table of answers that every client of the API can be held against."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import point_auth
import pytest

TABLE = Path(__file__).parents[2] / "point-auth-core" / "tests" / "answers.json"
ENTRIES: list[dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))["answers"]


def _body(entry: dict[str, Any]) -> bytes:
    if "body" in entry:
        return entry["body"].encode()
    if "body_base64" in entry:
        return base64.b64decode(entry["body_base64"])
    parts = entry["body_parts"]
    texts = (part if isinstance(part, str) else part["repeat"] * part["times"] for part in parts)
    return "".join(texts).encode()


def _operation(entry: dict[str, Any]) -> point_auth.SignIn | point_auth.Refresh:
    request = entry["request"]
    if entry["operation"] == "refresh":
        return point_auth.Refresh(request["refresh_token"])
    return point_auth.SignIn(
        request["username"], request["password"], user_alias=request.get("user_alias")
    )


def _outcome(entry: dict[str, Any]) -> dict[str, Any]:
    """What comes of an answer, in the words of the table, as far as a caller sees it."""
    headers = [(name, value.encode()) for name, value in entry["headers"]]
    try:
        tokens = _operation(entry).parse(entry["status"], headers, _body(entry))
    except point_auth.PointAuthError as error:
        if error.denial is not None:
            assert isinstance(error, point_auth.Denied)
            return {"denied": error.denial._asdict()}
        said = {"text": str(error), "status": error.status, "retry_after": error.retry_after}
        return {error.kind: said}
    return {
        "tokens": {
            "access_token": str(tokens.access_token),
            "refresh_token": tokens.refresh_token and str(tokens.refresh_token),
            "scope": tokens.scope,
            "token_type": tokens.token_type,
            "expires_in": tokens.expires_in,
        }
    }


def _expected(entry: dict[str, Any]) -> dict[str, Any]:
    """The outcome of the table, where an error is its text."""
    ((name, outcome),) = entry["outcome"].items()
    if name in ("tokens", "denied"):
        return {name: outcome}
    if name == "unexpected":
        text = f"unexpected answer: status {outcome['status']}"
        if not outcome["is_json"]:
            content_type = outcome["content_type"]
            text += ", not JSON" if content_type is None else f", not JSON ({content_type})"
        after = outcome["retry_after"]
        if after is not None:
            after = after.get("seconds", max(0, after.get("at", 0) - time.time()))
        return {name: {"text": text, "status": outcome["status"], "retry_after": after}}
    reasons = {
        "empty": "the body is empty",
        "too large": "the body is too large",
        "syntax": "the body is not valid JSON",
        "not an object": "the body is not a JSON object",
    }
    verbs = {
        "missing": "is missing",
        "duplicate": "is given twice",
        "invalid": "has a value that it cannot have",
    }
    reason = outcome["reason"]
    if reason not in reasons:
        verb, field = reason.split()
        reasons[reason] = f"`{field}` {verbs[verb]}"
    text = f"malformed answer: {reasons[reason]}"
    if outcome["line"]:
        text += f" at line {outcome['line']}, column {outcome['column']}"
    return {name: {"text": text, "status": None, "retry_after": None}}


def test_every_answer_of_the_table_has_its_outcome() -> None:
    assert len(ENTRIES) > 1000
    wrong = []
    for entry in ENTRIES:
        outcome, expected = _outcome(entry), _expected(entry)
        for said in (*outcome.values(), *expected.values()):
            if said.get("retry_after") is not None:
                # A date counts from when it is read.
                said["retry_after"] = pytest.approx(said["retry_after"], abs=60)
        if outcome != expected and expected != outcome:
            wrong.append((entry["name"], expected, outcome))
    assert wrong == []


def test_a_request_is_what_the_api_documents() -> None:
    request = point_auth.SignIn("me", "secret", user_alias="jane").to_request("https://api.test/v1")
    assert request.method == "POST"
    assert request.url == (
        "https://api.test/v1/user-management-services-ws/oauth2/002/signInWithPassword"
    )
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == {
        "username": "me",
        "password": "secret",
        "useralias": "jane",
    }
    refresh = point_auth.Refresh("token").to_request()
    assert refresh.url.startswith(point_auth.PRODUCTION_URL)
    assert json.loads(refresh.body) == {"refresh_token": "token"}


def test_headers_may_be_a_mapping_of_a_client() -> None:
    httpx = pytest.importorskip("httpx")
    sign_in = point_auth.SignIn("me", "secret")
    for headers in ({"Retry-After": "7"}, httpx.Headers({"retry-after": "7"}), [("retry-after", b"7")]):
        with pytest.raises(point_auth.TemporaryError) as caught:
            sign_in.parse(503, headers, b"")
        assert caught.value.retry_after == 7
    for status in (0, 99, 1000):
        with pytest.raises(ValueError):
            sign_in.parse(status, {}, b"")
