"""A page of the explorer without a browser: it speaks the protocol of the server and keeps what would be shown."""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.request
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

TIMEOUT_S = 180.0
AFTER_S = 10.0


@dataclass(frozen=True)
class Seen:
    """What a page shows after a change: the sentence, and the rates chart's first and last line."""

    sentence: str
    before: float
    after: float
    last_row: tuple[Any, ...]
    is_sample: bool
    wait_s: float


@dataclass
class LightPage:
    """One page: its connection, and the state of every widget that the server has sent.

    Parameters
    ----------
    address
        Of the server, with a slash at its end.
    """

    address: str
    kernel: str = field(default_factory=lambda: str(uuid.uuid4()))
    client: str = field(default_factory=lambda: str(uuid.uuid4()))
    widgets: dict[str, dict[str, Any]] = field(default_factory=dict)
    received: int = 0
    _cookie: str = ""
    _socket: ClientConnection | None = None

    async def open(self) -> float:
        """Fetch the page, connect, run the application; seconds until its charts are there."""
        began = time.monotonic()
        self._cookie = await asyncio.to_thread(self._fetch)
        await self.connect()
        control = str(uuid.uuid4())
        await self._send("comm_open", comm_id=control, target_name="solara.control", data={})
        arguments = {"path": "/", "appName": None, "themes": {"light": {}, "dark": {}}, "dark": False}
        await self._send("comm_msg", comm_id=control, data={"method": "run", "args": arguments})
        await self._until(lambda: self.chart("rates") is not None and bool(self.sentence()))
        return time.monotonic() - began

    def _fetch(self) -> str:
        with urllib.request.urlopen(self.address, timeout=TIMEOUT_S) as answer:
            answer.read()
            given = answer.headers.get_all("set-cookie") or []
        return "; ".join(each.partition(";")[0] for each in given)

    async def connect(self) -> None:
        """Connect, or connect again after the connection was dropped."""
        url = f"{self.address.replace('http', 'ws')}jupyter/api/kernels/{self.kernel}/channels?session_id={self.client}"
        origin = self.address.rstrip("/")
        headers = {"Cookie": self._cookie}
        self._socket = await connect(
            url, origin=origin, additional_headers=headers, max_size=None, open_timeout=TIMEOUT_S, ping_timeout=None
        )  # type: ignore[arg-type]

    async def drop(self) -> None:
        """Lose the connection without a word, as a laptop that is shut."""
        if self._socket is not None:
            self._socket.transport.abort()
            self._socket = None

    async def close(self) -> None:
        """Leave as a browser does: say so, then disconnect."""
        url = f"{self.address}_solara/api/close/{self.kernel}?session_id={self.client}"
        await asyncio.to_thread(lambda: urllib.request.urlopen(urllib.request.Request(url, method="POST")).close())
        await self.drop()

    async def move(self, lever: str, value: float) -> Seen:
        """Move the slider of a lever and wait until the sentence and the chart have answered."""
        began, earlier = time.monotonic(), self._run()
        model = next(key for key, state in self.widgets.items() if state.get("id") == lever)
        event = {"event": "set", "data": value}
        await self._send("comm_msg", comm_id=model, data={"method": "custom", "content": event})
        named = re.compile(rf": {value:g} [^\d.]+\. .*→")  # the value, and its unit
        await self._until(lambda: bool(named.search(self.sentence())))
        before, after = (float(each) for each in re.findall(r"([\d.]+)%", self.sentence())[:2])
        with suppress(TimeoutError):  # the chart comes right after the sentence; whoever asked finds out if it does not
            await self._until(lambda: self._run() != earlier, AFTER_S)
        shown = self.chart("rates")
        assert shown is not None
        sample = "sample of" in shown["option"]["title"]["subtext"]
        return Seen(self.sentence(), before, after, tuple(shown["rows"][-1]), sample, time.monotonic() - began)

    def _run(self) -> str:
        """Which run the rates chart shows, as it says below its axis."""
        shown = self.chart("rates")
        return str(shown["option"]["graphic"][0]["style"]["text"]) if shown else ""

    def lever(self, lever: str) -> float | None:
        """Where a lever stands on the page."""
        return next((state["value"] for state in self.widgets.values() if state.get("id") == lever), None)

    def sentence(self) -> str:
        """What the last change did, as the page says it."""
        for state in self.widgets.values():
            if "ms-change" in str(state.get("class_", "")):
                return " ".join(str(each) for each in state.get("children") or ())
        return ""

    def chart(self, name: str) -> dict[str, Any] | None:
        """A chart with its option, heads and rows."""
        text = self.widgets.get(self._chart_id(name), {}).get("data_text")
        return json.loads(text) if text else None

    def _chart_id(self, name: str) -> str:
        return next((k for k, state in self.widgets.items() if state.get("name") == name and "data_text" in state), "")

    async def rest(self, seconds: float) -> None:
        """Go on receiving for so many seconds."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(self._receive(), left)
            except TimeoutError:
                return

    async def _until(self, there: Any, seconds: float = TIMEOUT_S) -> None:
        end = time.monotonic() + seconds
        while not there():
            await asyncio.wait_for(self._receive(), max(0.01, end - time.monotonic()))

    async def _receive(self) -> None:
        assert self._socket is not None
        raw = await self._socket.recv()
        self.received += len(raw)
        if isinstance(raw, bytes):  # with buffers, which no widget of these pages has anything to say in
            first = int.from_bytes(raw[4:8], "big")
            raw = raw[first:].decode("utf-8", "replace")
            message = json.JSONDecoder().raw_decode(raw)[0]
        else:
            message = json.loads(raw)
        kind, content = message["header"]["msg_type"], message["content"]
        if kind == "comm_open":
            self.widgets[content["comm_id"]] = dict(content["data"].get("state") or {})
        elif kind == "comm_close":
            self.widgets.pop(content["comm_id"], None)
        elif kind == "comm_msg" and content["data"].get("method") == "update":
            model = content["comm_id"]
            self.widgets.setdefault(model, {}).update(content["data"]["state"])

    async def _send(self, kind: str, **content: Any) -> None:
        assert self._socket is not None
        header = {
            "msg_id": str(uuid.uuid4()),
            "msg_type": kind,
            "session": self.client,
            "username": "",
            "version": "5.2",
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        await self._socket.send(json.dumps({**message, "buffers": []}))
