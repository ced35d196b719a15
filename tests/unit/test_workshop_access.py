"""Who comes into a workshop over the network, and who does not."""

from __future__ import annotations

import asyncio
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest

from migrasim.present.workshop import access
from migrasim.present.workshop.access import (
    ALIVE,
    ENTER,
    PASS,
    SEAT_HEADER,
    WHO,
    WHO_HEADER,
    Attempts,
    Gate,
    SameOrigin,
)

CODE = "ABCD2345"
HERE, THERE = "127.0.0.1", "192.0.2.77"


class Inside:
    """An application that remembers what reached it."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Say yes to everything."""
        self.seen.append(dict(scope))
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"inside"})

    def header(self, name: str) -> list[str]:
        """Values of a header of the last request."""
        return [value.decode() for key, value in self.seen[-1]["headers"] if key == name.encode()]


class Visitor:
    """A browser at an address, with its cookies."""

    def __init__(self, gate: Gate, address: str) -> None:
        self.gate, self.address, self.cookies = gate, address, {}

    def ask(self, path: str = "/", method: str = "GET", body: bytes = b"", kind: str = "http", **headers: str) -> Any:
        """Status and body of an answer; for a live connection the code with which it was closed, None if it was not."""
        sent: list[Any] = []
        given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        scope = {
            "type": kind, "path": path, "method": method, "client": (self.address, 5),
            "headers": [(b"host", b"192.0.2.2:8765"), (b"cookie", jar.encode()), *given],
        }  # fmt: skip

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.gate(scope, receive, send))
        if kind == "websocket":
            return sent[0]["code"] if sent else None
        for name, value in sent[0]["headers"]:
            if name == b"set-cookie":
                self.cookies |= {key: one.value for key, one in SimpleCookie(value.decode()).items()}
                assert "HttpOnly" in value.decode() and "SameSite=Strict" in value.decode()
        return sent[0]["status"], sent[1]["body"].decode()

    def enter(self, code: str) -> int:
        """The answer to a code."""
        return self.ask(ENTER, "POST", f"code={code}".encode())[0]


@pytest.fixture
def inside() -> Inside:
    """What lies behind the gate."""
    return Inside()


@pytest.fixture
def gate(inside: Inside) -> Gate:
    """A gate with a code."""
    return Gate(inside, CODE)


def test_this_machine_comes_in_as_the_facilitator(gate, inside):
    """No code is asked at the machine itself, and it keeps one name over its visits."""
    here = Visitor(gate, HERE)
    assert here.ask() == (200, "inside")
    assert inside.header(SEAT_HEADER) == ["facilitator"]
    first = inside.header(WHO_HEADER)
    here.ask()
    assert inside.header(WHO_HEADER) == first
    assert Visitor(gate, "::1").ask()[0] == 200


def test_others_come_in_with_the_code_alone(gate, inside):
    """Without the code there is no page, no file and no live connection; with it there is all of it."""
    there = Visitor(gate, THERE)
    status, text = there.ask()
    assert status == 401 and "<form" in text and "代碼" in text
    assert there.ask("/static/anything.js") == (401, "")
    assert there.ask(ALIVE)[0] == 401
    assert there.ask(kind="websocket") == 1008
    assert there.enter("WRONG234") == 401
    assert there.ask()[0] == 401
    assert not inside.seen
    assert there.enter("abcd-2345 ") == 303  # as people write it
    assert there.ask() == (200, "inside")
    assert inside.header(SEAT_HEADER) == ["participant"]
    assert there.ask(kind="websocket") is None
    assert there.ask(ALIVE)[0] == 200


def test_no_page_of_another_site_opens_a_connection_without_a_workshop(inside):
    """What a browser shows beside the explorer cannot listen to it; its own pages and other programs can."""
    here = Visitor(SameOrigin(inside), HERE)  # type: ignore[arg-type]
    assert here.ask(kind="websocket", origin="http://evil.example") == 1008
    assert not inside.seen
    assert here.ask(kind="websocket", origin="http://192.0.2.2:8765") is None
    assert here.ask(kind="websocket") is None
    assert here.ask() == (200, "inside")


def test_nobody_is_let_in_who_was_not_invited(inside):
    """Without a code the network gets nothing, whatever it says."""
    closed = Visitor(Gate(inside, None), THERE)
    assert closed.ask()[0] == 403
    assert closed.enter("") == 403
    assert closed.enter("None") == 403
    assert not inside.seen


def test_a_pass_belongs_to_one_browser_and_one_code(gate, inside):
    """A pass cannot be made up, moved to another browser, or used after the code has changed."""
    there = Visitor(gate, THERE)
    there.enter(CODE)
    thief = Visitor(gate, "192.0.2.78")
    thief.ask()
    thief.cookies[PASS] = there.cookies[PASS]
    assert thief.ask()[0] == 401
    for made_up in ("", "0" * 64, "é"):
        there2 = Visitor(gate, THERE)
        there2.cookies = {WHO: "0" * 32, PASS: made_up}
        assert there2.ask()[0] == 401
    assert Visitor(Gate(inside, "ZZZZ9999"), THERE).ask()[0] == 401
    later = Visitor(Gate(inside, CODE), THERE)  # a restart with the same code
    later.cookies = there.cookies
    assert later.ask()[0] == 200


def test_nobody_names_himself(gate, inside):
    """Seat and name in a request's own headers are dropped."""
    there = Visitor(gate, THERE)
    there.enter(CODE)
    there.ask(**{SEAT_HEADER.replace("-", "_"): "facilitator", WHO_HEADER.replace("-", "_"): "somebody"})
    assert inside.header(SEAT_HEADER) == ["participant"]
    assert inside.header(WHO_HEADER) == [access.public_name(there.cookies[WHO])]
    there.ask(X_Migrasim_Seat="facilitator")
    assert [name for name, _ in inside.seen[-1]["headers"]].count(SEAT_HEADER.encode()) == 1


def test_another_page_in_the_same_browser_opens_no_live_connection(gate, inside):
    """A live connection from a page of somebody else is refused, even at this machine."""
    here = Visitor(gate, HERE)
    here.ask()
    assert here.ask(kind="websocket", origin="http://evil.example") == 1008
    assert here.ask(kind="websocket", origin="null") == 1008
    assert here.ask(kind="websocket", origin="http://192.0.2.2:8765") is None


def test_guessing_is_slow(inside):
    """After five wrong codes an address waits a minute, though the right one comes; others go on meanwhile."""
    clock = [0.0]
    gate = Gate(inside, CODE, Attempts(lambda: clock[0]))
    guesser = Visitor(gate, THERE)
    assert [guesser.enter(f"WRONG22{k}") for k in range(2, 9)] == [401] * 5 + [429] * 2
    assert guesser.enter(CODE) == 429
    assert Visitor(gate, "192.0.2.99").enter(CODE) == 303
    clock[0] = 59.0
    assert guesser.enter(CODE) == 429
    clock[0] = 61.0
    assert guesser.enter(CODE) == 303


def test_many_addresses_together_are_slow_as_well(inside):
    """Guessing from many addresses ends at sixty a minute."""
    clock = [0.0]
    gate = Gate(inside, CODE, Attempts(lambda: clock[0]))
    answers = [Visitor(gate, f"198.51.100.{k}").enter("WRONG222") for k in range(70)]
    assert answers == [401] * 60 + [429] * 10


def test_codes_are_compared_in_constant_time(gate, monkeypatch):
    """The comparison sees two digests of one length, whatever was typed."""
    seen = []
    compare = access.hmac.compare_digest
    monkeypatch.setattr(
        access.hmac, "compare_digest", lambda one, other: seen.append((len(one), len(other))) or compare(one, other)
    )
    there = Visitor(gate, THERE)
    for code in ("A", CODE, "X" * 500):
        there.cookies.clear()
        there.enter(code)
    assert seen.count((32, 32)) == 3


def test_hostile_requests_are_answered(gate, inside):
    """Broken cookies, huge bodies and bytes that are no text get an answer like any wrong code."""
    there = Visitor(gate, THERE)
    assert there.ask(ENTER, "POST", b"code=" + b"A" * 100_000)[0] == 401
    assert there.ask(ENTER, "POST", b"\xff\xfe=\x00")[0] == 401
    there.cookies = {"a[b]": "1", WHO: "<script>"}
    assert there.ask()[0] == 401
    assert not inside.seen


def test_the_code_outlives_a_restart(tmp_path: Path):
    """The code of a folder stays the same; what is no code is replaced."""
    path = tmp_path / "deep" / "code"
    code = access.kept_code(path)
    assert len(code) == 8
    assert access.kept_code(path) == code
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("nonsense!", encoding="utf-8")
    fresh = access.kept_code(path)
    assert fresh != "nonsense!" and access.kept_code(path) == fresh
