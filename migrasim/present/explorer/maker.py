"""The processes that make runs for pages: the server's side of one, and all that such a process does."""

from __future__ import annotations

import os
import pickle
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, replace
from multiprocessing.connection import Client, Listener
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from migrasim.present.explorer.engine import Request
    from migrasim.runs.result import RunResult

Lane = Literal["quick", "full"]
SAMPLE = 0.01  # share of the households in the first answer
_SAY_EVERY_S = 0.1
_LEAN_LEVELS = ("prefecture", "county")


class Cancelled(Exception):
    """Raised inside a run that nobody waits for any more."""


class Maker:
    """One process, warm: the libraries are loaded and the kernels compiled before the first request.

    It is a plain child that calls back: the modules of `multiprocessing` that start processes look at the main
    module, which the server of pages replaces.
    """

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        key = secrets.token_bytes(32)
        with Listener(authkey=key) as listener:
            command = [sys.executable, "-c", "from migrasim.present.explorer.maker import work; work()"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            assert self._process.stdin is not None
            self._process.stdin.write(pickle.dumps((listener.address, key, lane)))
            self._process.stdin.close()
            self._here = listener.accept()
        self._here.recv()  # it is warm

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def end(self) -> None:
        """End the process."""
        self._here.close()
        self._process.kill()
        self._process.wait()

    def begin(self, request: Request) -> None:
        """Make a run; `follow` tells what comes of it."""
        with suppress(OSError):  # a dead process is found by who follows
            self._here.send(request)

    def follow(self, on_progress: Callable[[float], None]) -> tuple[str, Any, int]:
        """Wait for the run that was begun: done, cancelled, refused or failed; its result or a message; bytes."""
        while True:
            raw = self._here.recv_bytes()
            kind, value = pickle.loads(raw)
            if kind != "progress":
                return kind, value, len(raw)
            on_progress(value)

    def stop(self, key: str) -> None:
        """Take a request back; nothing happens where another one is at work by now."""
        with suppress(OSError):
            self._here.send(key)


def work() -> None:
    """Make runs until the server ends: the whole life of such a process, which reads from its input whom to call."""
    address, key, lane = pickle.loads(sys.stdin.buffer.read())
    with suppress(EOFError, OSError), Client(address, authkey=key) as pipe:
        _work(pipe, lane)


def _work(pipe: Connection[Any, Any], lane: Lane) -> None:
    """Answer requests; the key of a request takes it back."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides when to end
    if lane == "full" and hasattr(os, "nice"):
        os.nice(10)  # first answers go first
    from migrasim.core.errors import InputError
    from migrasim.runs.simulate import simulate

    threads = 1 if lane == "quick" else None  # a sample is too small to share out
    with suppress(Exception):  # what fails here fails again below, where somebody is told
        simulate("status_quo", sample=SAMPLE, until=2021, threads=threads)
    pipe.send(("warm", None))
    while True:
        request: Request | str = pipe.recv()
        if isinstance(request, str):
            continue  # taken back after it was done
        try:
            result = simulate(
                request.scenario,
                seed=request.seed,
                sample=request.sample,
                until=request.until,
                threads=threads,
                future=request.future,
                overrides=request.overrides,
                parameters=dict(request.parameters),
                on_phase=_watch(pipe, request),
            )
            pipe.send(("done", leaned(result) if request.lean else result))
        except Cancelled:
            pipe.send(("cancelled", None))
        except InputError as error:
            pipe.send(("refused", str(error)))
        except (EOFError, OSError):
            raise
        except Exception as error:
            pipe.send(("failed", f"{type(error).__name__}: {error}"))


def leaned(result: RunResult) -> RunResult:
    """A result with the indicators of the region and its counties alone, for ranges and pairs."""
    table = result.indicators
    kept: dict[str, Any] = {
        each.name: value.iloc[:0] for each in fields(result) if hasattr(value := getattr(result, each.name), "iloc")
    }
    kept["indicators"] = table[table["level"].isin(_LEAN_LEVELS)].reset_index(drop=True)
    return replace(result, **kept, provenance={"versions": result.provenance["versions"]})


def _watch(pipe: Connection[Any, Any], request: Request) -> Callable[[int, str, int, int], None]:
    """What a run calls at every phase: it ends a run that is not wanted, and says how far it is."""
    from migrasim.facts import BASE_YEAR

    said, key, years = time.monotonic(), request.key, request.until - BASE_YEAR

    def on_phase(year: int, _: str, done: int, phases: int) -> None:
        nonlocal said
        while pipe.poll(0):
            if pipe.recv() == key:
                raise Cancelled
        now = time.monotonic()
        if now - said >= _SAY_EVERY_S and request.lane == "full":
            said = now
            pipe.send(("progress", round((year - BASE_YEAR - 1 + done / phases) / years, 2)))

    return on_phase
