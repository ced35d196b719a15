"""The engine behind the pages: worker processes that make runs, and one bounded cache that all sessions share.

A page asks for a run (`Request`) and gets a ticket. Requests that are the same are made once; a run that
nobody waits for any more is stopped. Runs are made by `migrasim.runs.simulate.simulate`, the function of
the command line, in processes of their own, so that no page ever waits for a computation.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import pickle
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields
from multiprocessing.connection import Client, Listener
from queue import PriorityQueue
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from pandas import DataFrame

    from migrasim.runs.result import RunResult
    from migrasim.scenario import Scenario

SAMPLE = 0.01  # share of the households in the first answer
CACHE_BYTES = 256_000_000
_SAY_EVERY_S = 0.1
_QUICK_AT_MOST = 4

Lane = Literal["quick", "full"]
State = Literal["waiting", "running", "done", "refused", "failed"]


@dataclass(frozen=True)
class Request:
    """A run that a page wants; see `migrasim.runs.simulate.simulate` for the fields.

    Attributes
    ----------
    content
        What the scenario is made of, as text: with the other fields the identity of the request.
    """

    scenario: Scenario = field(compare=False, repr=False)
    content: str
    future: str
    seed: int = 0
    sample: float = SAMPLE
    until: int = 2035
    overrides: tuple[str, ...] = ()
    parameters: tuple[tuple[str, float], ...] = ()

    @property
    def key(self) -> str:
        """Identity, the same for requests that give the same numbers."""
        parts = [getattr(self, each.name) for each in fields(self) if each.name != "scenario"]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    @property
    def lane(self) -> Lane:
        """Whether the first answer waits for it, or whether it may take its time."""
        return "quick" if self.sample <= SAMPLE else "full"


@dataclass(frozen=True)
class Status:
    """Where a request stands: its state, the share done, and what is wrong where something is."""

    state: State
    share: float = 0.0
    message: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("done", "refused", "failed")


@dataclass
class _Job:
    request: Request
    tickets: set[int]
    status: Status = field(default_factory=lambda: Status("waiting"))
    stop: threading.Event = field(default_factory=threading.Event)


class Cancelled(Exception):
    """Raised inside a run that nobody waits for any more."""


class Cache:
    """Results by key, the one that was used longest ago dropped first when they get too large."""

    def __init__(self, most_bytes: int = CACHE_BYTES) -> None:
        self.most_bytes = most_bytes
        self._kept: OrderedDict[str, tuple[RunResult, int]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def held_bytes(self) -> int:
        """Size of what is kept."""
        with self._lock:
            return sum(size for _, size in self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> RunResult | None:
        """The result of that key, which then counts as just used."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: str, result: RunResult) -> None:
        """Keep a result; one that is larger than everything allowed is kept until the next one comes."""
        size = _size(result)
        with self._lock:
            self._kept[key] = (result, size)
            self._kept.move_to_end(key)
            held = sum(each for _, each in self._kept.values())
            while held > self.most_bytes and len(self._kept) > 1:
                held -= self._kept.popitem(last=False)[1][1]


def _size(result: RunResult) -> int:
    tables: list[DataFrame] = [value for value in vars(result).values() if hasattr(value, "memory_usage")]
    return sum(int(table.memory_usage(deep=True).sum()) for table in tables)


class Engine:
    """Processes that make runs, for all pages of one server.

    Parameters
    ----------
    quick : processes for first answers; one less than there are cores where not given, from 1 to 4
    cache : of results
    """

    def __init__(self, quick: int | None = None, cache: Cache | None = None) -> None:
        self.cache = cache or Cache()
        self.ready = threading.Event()
        self.workers: list[_Worker] = []
        self._jobs: dict[str, _Job] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._queues: dict[Lane, PriorityQueue[tuple[int, int, str]]] = {
            "quick": PriorityQueue(),
            "full": PriorityQueue(),
        }
        cores = os.cpu_count() or 1
        count = quick or min(_QUICK_AT_MOST, max(1, cores - 1))
        lanes: list[Lane] = ["full"]
        lanes += ["quick"] * count
        for lane in lanes:
            threading.Thread(target=self._serve, args=(lane,), daemon=True, name=f"migrasim-{lane}").start()

    def submit(self, request: Request, priority: int = 0) -> int:
        """Ask for a run; the number of a ticket that `release` takes back.

        Parameters
        ----------
        request : what to run
        priority : lower numbers go first within their lane
        """
        key, ticket = request.key, next(self._numbers)
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and not job.stop.is_set() and not (job.status.is_over and self.cache.get(key) is None):
                job.tickets.add(ticket)
                return ticket
            if self.cache.get(key) is not None:
                self._jobs[key] = _Job(request, {ticket}, Status("done", 1.0))
                return ticket
            self._jobs[key] = _Job(request, {ticket})
        self._queues[request.lane].put((priority, ticket, key))
        return ticket

    def release(self, key: str, ticket: int) -> None:
        """Give a ticket back; a run without tickets is not begun, or stopped within a second or two."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None or ticket not in job.tickets:
                return
            job.tickets.discard(ticket)
            if not job.tickets:
                job.stop.set()
                del self._jobs[key]

    def status(self, key: str) -> Status:
        """Where a request stands; done where its result is in the cache."""
        with self._lock:
            job = self._jobs.get(key)
        if job is not None and job.status.state != "done":
            return job.status
        return Status("done", 1.0) if self.cache.get(key) is not None else Status("waiting")

    def result(self, key: str) -> RunResult | None:
        """The result, where it is there."""
        return self.cache.get(key)

    def wait(self, request: Request, timeout_s: float = 600.0) -> RunResult:
        """Make a run and wait for it: for tests and for what needs no page.

        Raises
        ------
        TimeoutError
            Where it takes longer.
        RuntimeError
            Where the run ends with an error.
        """
        ticket, until = self.submit(request), time.monotonic() + timeout_s
        try:
            while time.monotonic() < until:
                found = self.status(request.key)
                result = self.result(request.key)
                if result is not None:
                    return result
                if found.is_over:
                    raise RuntimeError(found.message)
                time.sleep(0.02)
        finally:
            self.release(request.key, ticket)
        raise TimeoutError(f"no result within {timeout_s:g} s")

    def load(self) -> dict[str, int]:
        """How much is at work: jobs that are known, results and bytes that are kept."""
        return {"jobs": len(self._jobs), "results": len(self.cache), "bytes": self.cache.held_bytes}

    def _serve(self, lane: Lane) -> None:
        """Hand the jobs of a lane to one process, and start another where it died."""
        if lane == "full":
            self.ready.wait()  # what the first process compiles, this one then finds on disk
        worker = self._worker(lane)
        self.ready.set()
        while True:
            _, _, key = self._queues[lane].get()
            with self._lock:
                job = self._jobs.get(key)
            if job is None or job.status.state != "waiting" or job.stop.is_set():
                continue
            job.status = Status("running")
            try:
                self._finish(job, worker.run(job))
            except (EOFError, OSError):
                job.status = Status("failed", message="the process that made this run has died (out of memory?)")
                worker.end()
                self.workers.remove(worker)
                worker = self._worker(lane)

    def _worker(self, lane: Lane) -> _Worker:
        worker = _Worker(lane)
        self.workers.append(worker)
        return worker

    def _finish(self, job: _Job, answer: tuple[str, Any]) -> None:
        kind, value = answer
        if kind == "done":
            self.cache.put(job.request.key, value)
            job.status = Status("done", 1.0)
        elif kind in ("refused", "failed"):
            job.status = Status("refused" if kind == "refused" else "failed", message=str(value))


class _Worker:
    """One process, warm: the libraries are loaded and the kernels compiled before the first request.

    It is a plain child that calls back: the modules of `multiprocessing` that start processes look at the main
    module, which the server of pages replaces.
    """

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        key = secrets.token_bytes(32)
        with Listener(authkey=key) as listener:
            command = [sys.executable, "-c", "from migrasim.present.explorer.engine import work; work()"]
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

    def run(self, job: _Job) -> tuple[str, Any]:
        """Make a run; what came of it."""
        self._here.send(job.request)
        told = False
        while True:
            if job.stop.is_set() and not told:
                told = True
                self._here.send(None)
            if not self._here.poll(0.05):
                continue
            kind, value = self._here.recv()
            if kind == "progress":
                job.status = Status("running", value)
                continue
            return kind, value


def work() -> None:
    """Make runs until the server ends: the whole life of a worker process, which reads from its input whom to call."""
    address, key, lane = pickle.loads(sys.stdin.buffer.read())
    with suppress(EOFError, OSError), Client(address, authkey=key) as pipe:
        _work(pipe, lane)


def _work(pipe: Connection[Any, Any], lane: Lane) -> None:
    """Answer requests; a request of None takes back the one before."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides when to end
    if lane == "full" and hasattr(os, "nice"):
        os.nice(10)  # first answers go first
    from migrasim.core.errors import InputError
    from migrasim.runs.simulate import simulate

    with suppress(Exception):  # what fails here fails again below, where somebody is told
        simulate("status_quo", sample=SAMPLE, until=2021)
    pipe.send(("warm", None))
    while True:
        request: Request | None = pipe.recv()
        if request is None:
            continue  # taken back after it was done
        try:
            result = simulate(
                request.scenario,
                seed=request.seed,
                sample=request.sample,
                until=request.until,
                future=request.future,
                overrides=request.overrides,
                parameters=dict(request.parameters),
                on_phase=_watch(pipe, request.until),
            )
            pipe.send(("done", result))
        except Cancelled:
            pipe.send(("cancelled", None))
        except InputError as error:
            pipe.send(("refused", str(error)))
        except (EOFError, OSError):
            raise
        except Exception as error:
            pipe.send(("failed", f"{type(error).__name__}: {error}"))


def _watch(pipe: Connection[Any, Any], until: int) -> Callable[[int, str, int, int], None]:
    """What a run calls at every phase: it ends a run that is not wanted, and says how far it is."""
    from migrasim.facts import BASE_YEAR

    said = 0.0

    def on_phase(year: int, _: str, done: int, phases: int) -> None:
        nonlocal said
        if pipe.poll(0):
            pipe.recv()
            raise Cancelled
        now = time.monotonic()
        if now - said >= _SAY_EVERY_S:
            said = now
            pipe.send(("progress", round((year - BASE_YEAR - 1 + done / phases) / (until - BASE_YEAR), 2)))

    return on_phase
