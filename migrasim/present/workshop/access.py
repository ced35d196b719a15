"""Who may come in: everybody on this machine, and on the local network whoever knows the code.

A layer around the server's application. It gives every browser a name of its own that outlives restarts,
tells the pages who sits at this machine (the facilitator) and who came over the network, and lets nobody
else through: neither a page nor a file nor a live connection.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import ipaddress
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from migrasim.core.errors import InputError
from migrasim.present.workshop.words import both

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is read as something else
CODE_LENGTH = 8
PER_ADDRESS, IN_ALL, WINDOW_S = 5, 60, 60.0
WHO, PASS = "migrasim_who", "migrasim_pass"
SEAT_HEADER, WHO_HEADER = "x-migrasim-seat", "x-migrasim-who"
FACILITATOR, PARTICIPANT = "facilitator", "participant"
ENTER, ALIVE = "/_workshop/enter", "/_workshop/alive"
_NEIGHBOURS = ("192.168.0.1", "10.0.0.1", "172.16.0.1", "169.254.0.1", "192.0.2.1")  # any of them leads to the network
_MOST_BODY, _MOST_ADDRESSES = 1_000, 5_000

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


def new_code() -> str:
    """A code that can be read out in a room."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def kept_code(path: Path) -> str:
    """The code of a workshop, the same after a restart; made where there is none yet.

    Raises
    ------
    InputError
        Where the file cannot be read or written.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, flags, 0o600), "r+", encoding="ascii", errors="replace") as file:
            text = file.read(100).strip()
            if len(text) != CODE_LENGTH or set(text) - set(ALPHABET):
                text = new_code()
                file.seek(0)
                file.truncate()
                file.write(text)
            return text
    except OSError as error:
        raise InputError(f"{path}: the code cannot be kept: {error.strerror or error}") from None


def network_address() -> str:
    """Address of this machine on the local network; nothing is sent to find it.

    Raises
    ------
    InputError
        Where the machine is on no network.
    """
    for neighbour in _NEIGHBOURS:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, suppress(OSError):
            one.connect((neighbour, 9))  # a datagram socket: this chooses a way out and sends nothing
            address = str(one.getsockname()[0])
            if not ipaddress.ip_address(address).is_loopback:
                return address
    raise InputError("--share: this machine is on no network; switch on Wi-Fi or a hotspot, or leave --share out")


@dataclass
class Attempts:
    """Wrong codes of late: few from one address, not many from all together."""

    now: Callable[[], float] = time.monotonic
    _wrong: dict[str, list[float]] = field(default_factory=dict)

    def must_wait(self, address: str) -> float:
        """Seconds until this address may try again; 0 for now."""
        now = self.now()
        self._wrong = {one: recent for one, times in self._wrong.items() if (recent := self._recent(times, now))}
        mine = self._wrong.get(address, [])
        everybody = sorted(each for times in self._wrong.values() for each in times)
        waits = [times[-most] + WINDOW_S - now for times, most in ((mine, PER_ADDRESS), (everybody, IN_ALL))
                 if len(times) >= most]  # fmt: skip
        return max([0.0, *waits])

    def wrong(self, address: str) -> None:
        """A wrong code came from this address."""
        if address in self._wrong or len(self._wrong) < _MOST_ADDRESSES:
            self._wrong.setdefault(address, []).append(self.now())

    @staticmethod
    def _recent(times: Iterable[float], now: float) -> list[float]:
        return [each for each in times if now - each < WINDOW_S]


class SameOrigin:
    """The layer around an application that only this machine reaches: no page of another site opens a connection."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on."""
        if scope["type"] == "websocket" and not _same_origin(scope):
            await send({"type": "websocket.close", "code": 1008})
            return
        await self.app(scope, receive, send)


class Gate(SameOrigin):
    """The layer around an application that others on the network reach, too.

    Parameters
    ----------
    app
        What is behind it.
    code
        What opens it to others on the network; None lets nobody in from there.
    """

    def __init__(self, app: App, code: str | None = None, attempts: Attempts | None = None) -> None:
        super().__init__(app)
        self.attempts = attempts or Attempts()
        self._code = code
        self._key = hashlib.sha256(b"migrasim workshop" + (code or secrets.token_hex()).encode()).digest()
        self._boot = secrets.token_hex(8)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        cookies = _cookies(scope)
        who = cookies.get(WHO, "")
        fresh = not _is_name(who)
        who = secrets.token_hex(16) if fresh else who
        local = _is_here(scope)
        if scope["type"] == "websocket" and (fresh or not _same_origin(scope)):
            await send({"type": "websocket.close", "code": 1008})
            return
        if not local and not hmac.compare_digest(cookies.get(PASS, "").encode(), self._pass(who).encode()):
            await self._outside(scope, receive, send, who)
            return
        if scope["type"] == "http" and scope["path"] == ALIVE:
            await _answer(send, 200, self._boot, kind="text/plain")
            return
        if scope["type"] == "http" and scope["path"] == ENTER:
            await _answer(send, 303, "", [(b"location", b"/")])
            return
        about = {SEAT_HEADER: FACILITATOR if local else PARTICIPANT, WHO_HEADER: public_name(who)}
        own = {name.encode() for name in about}
        kept = [(name, value) for name, value in scope["headers"] if name.lower() not in own]  # nobody names himself
        inner = {**scope, "headers": kept + [(name.encode(), value.encode()) for name, value in about.items()]}
        await self.app(inner, receive, _with_cookie(send, who) if fresh else send)

    def _pass(self, who: str) -> str:
        return hmac.new(self._key, who.encode(), hashlib.sha256).hexdigest()

    async def _outside(self, scope: Scope, receive: Receive, send: Send, who: str) -> None:
        """Somebody without a pass: the door, or nothing at all."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if self._code is None:
            await _answer(send, 403, _door("not_shared"))
            return
        if scope["path"] != ENTER or scope["method"] != "POST":
            wanted = scope["path"] == "/" and scope["method"] == "GET"
            await _answer(send, 401, _door("code_ask") if wanted else "", [_cookie(WHO, who)])
            return
        address = str((scope.get("client") or ("?",))[0])
        wait = self.attempts.must_wait(address)
        if wait > 0:
            await _answer(send, 429, _door("code_wait", seconds=int(wait) + 1), [(b"retry-after", b"%d" % (wait + 1))])
            return
        given = parse_qs((await _body(receive)).decode("utf-8", "replace")).get("code", [""])[0]
        plain = "".join(given.upper().split()).replace("-", "")
        # digests have one length, so that the time it takes tells nothing of the code
        same = hmac.compare_digest(
            hashlib.sha256(plain.encode()).digest(), hashlib.sha256(self._code.encode()).digest()
        )
        if not same:
            self.attempts.wrong(address)
            await _answer(send, 401, _door("code_wrong"), [_cookie(WHO, who)])
            return
        more = [(b"location", b"/"), _cookie(WHO, who), _cookie(PASS, self._pass(who))]
        await _answer(send, 303, "", more)


def public_name(who: str) -> str:
    """The name of a browser in the record: it tells one from another and opens nothing."""
    return hashlib.sha256(f"migrasim {who}".encode()).hexdigest()[:12]


def _is_name(who: str) -> bool:
    return len(who) == 32 and not set(who) - set("0123456789abcdef")


def _header(scope: Scope, wanted: bytes) -> str:
    found = [value for name, value in scope["headers"] if name.lower() == wanted]
    return found[0].decode("latin-1") if found else ""


def _cookies(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in _header(scope, b"cookie").split(";"):
        try:
            one = SimpleCookie(part.strip())
        except CookieError:
            continue  # of another page on the same name
        found |= {name: morsel.value for name, morsel in one.items()}
    return found


def _is_here(scope: Scope) -> bool:
    """Whether the other side is this machine."""
    client = scope.get("client")
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


def _same_origin(scope: Scope) -> bool:
    """Whether a live connection was opened by a page of this server, and not by another that a browser shows."""
    origin = _header(scope, b"origin")
    return not origin or urlsplit(origin).netloc.lower() == _header(scope, b"host").lower()


def _cookie(name: str, value: str) -> tuple[bytes, bytes]:
    return b"set-cookie", f"{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000".encode()


def _with_cookie(send: Send, who: str) -> Send:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), _cookie(WHO, who)]}
        await send(message)

    return sending


async def _body(receive: Receive) -> bytes:
    body = b""
    while len(body) <= _MOST_BODY:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body[:_MOST_BODY]


async def _answer(send: Send, status: int, text: str, more: Headers | None = None, kind: str = "text/html") -> None:
    body = text.encode()
    headers = [
        (b"content-type", f"{kind}; charset=utf-8".encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-frame-options", b"DENY"),
        (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers + (more or [])})
    await send({"type": "http.response.body", "body": body})


def _door(key: str, **values: object) -> str:
    """The page that asks for the code, in both languages at once: nobody has chosen one yet."""
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in both(key, **values))
    label, button = (html.escape(" / ".join(both(name))) for name in ("code", "enter"))
    form = (
        f'<form method="post" action="{ENTER}"><label>{label}<br>'
        '<input name="code" autofocus autocomplete="off" autocapitalize="characters" maxlength="20"></label> '
        f"<button>{button}</button></form>"
    )
    return (
        '<!DOCTYPE html><html lang="zh-Hant"><head><meta charset="utf-8"><title>migrasim</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><style>'
        "body{font:22px/1.5 sans-serif;margin:3rem auto;max-width:34rem;padding:0 1rem;color:#1b1b1b}"
        "input,button{font:inherit;padding:.3rem .6rem;letter-spacing:.1em}</style></head>"
        f"<body><h1>migrasim</h1>{lines}{'' if key == 'not_shared' else form}</body></html>"
    )
