"""The engine behind the pages: what is run when, and one bounded cache that all sessions share.

A page asks for a run (`Request`) and gets a ticket. Requests that are the same are made once; a run that
nobody waits for any more is stopped. Runs are made by `migrasim.runs.simulate.simulate`, the function of
the command line, in processes of their own, so that no page ever waits for a computation.

First answers go before all else: a range that is being drawn makes room for them, and whatever takes longer
begins when none is waiting and the pages have had time to draw what came.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import json
import os
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from migrasim.present.explorer.maker import SAMPLE, Lane, Maker

if TYPE_CHECKING:
    from migrasim.runs.result import RunResult
    from migrasim.scenario import Scenario

CACHE_BYTES = 256_000_000
FIRST_ANSWERS = 5  # priorities below it: somebody looks at the page and waits
_QUICK_AT_MOST = 4
_REST_S = 0.3  # after a first answer, in which pages draw it and nothing else is begun
_PATIENCE_S = 20.0  # after which something else begins although first answers keep coming

State = Literal["waiting", "running", "done", "refused", "failed"]


@dataclass(frozen=True)
class Request:
    """A run that a page wants; see `migrasim.runs.simulate.simulate` for the fields.

    Attributes
    ----------
    content
        What the scenario is made of, as text: with the other fields the identity of the request.
    lean
        Whether the indicators of the region and its counties are enough, as for ranges: a tenth of the memory.
    """

    scenario: Scenario = field(compare=False, repr=False)
    content: str
    future: str
    seed: int = 0
    sample: float = SAMPLE
    until: int = 2035
    overrides: tuple[str, ...] = ()
    parameters: tuple[tuple[str, float], ...] = ()
    lean: bool = False

    @cached_property
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
    priority: int
    asked_at: float
    tickets: dict[int, threading.Event | None]
    status: Status = field(default_factory=lambda: Status("waiting"))
    maker: Maker | None = None

    @property
    def is_first(self) -> bool:
        """Whether somebody waits for it with nothing else to look at."""
        return self.priority < FIRST_ANSWERS and self.request.lane == "quick"

    def on_progress(self, share: float) -> None:
        """Take what the process says of how far it is."""
        self.tell(Status("running", share))

    def tell(self, status: Status) -> None:
        """Take a new standing, and wake who follows it."""
        self.status = status
        for news in list(self.tickets.values()):
            if news is not None:
                news.set()


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

    def put(self, key: str, result: RunResult, size: int) -> None:
        """Keep a result of so many bytes; one larger than everything allowed is kept until the next one comes."""
        with self._lock:
            self._kept[key] = (result, size)
            self._kept.move_to_end(key)
            held = sum(each for _, each in self._kept.values())
            while held > self.most_bytes and len(self._kept) > 1:
                held -= self._kept.popitem(last=False)[1][1]

    def drop(self, key: str) -> None:
        """Forget a result."""
        with self._lock:
            self._kept.pop(key, None)


class Engine:
    """Processes that make runs, for all pages of one server.

    Parameters
    ----------
    quick : processes for first answers; as many as there are cores where not given, at most 4
    cache : of results
    """

    def __init__(self, quick: int | None = None, cache: Cache | None = None) -> None:
        self.cache = cache or Cache()
        self.ready = threading.Event()
        self.makers: list[Maker] = []
        self._jobs: dict[str, _Job] = {}
        self._numbers = itertools.count()
        self._lock = threading.RLock()
        self._wake = threading.Condition(self._lock)
        self._rest_until = 0.0
        self._queues: dict[Lane, list[tuple[int, int, _Job]]] = {"quick": [], "full": []}
        cores = os.cpu_count() or 1
        count = quick or min(_QUICK_AT_MOST, cores)
        lanes: list[Lane] = ["full"]
        lanes += ["quick"] * count
        for lane in lanes:
            threading.Thread(target=self._serve, args=(lane,), daemon=True, name=f"migrasim-{lane}").start()

    def submit(self, request: Request, priority: int = 0, news: threading.Event | None = None) -> int:
        """Ask for a run; the number of a ticket that `release` takes back.

        Parameters
        ----------
        request : what to run
        priority : lower numbers go first within their lane; those below `FIRST_ANSWERS` before everything else
        news : set whenever the run stands somewhere else
        """
        key, ticket = request.key, next(self._numbers)
        with self._lock:
            job = self._jobs.get(key)
            if job is not None:
                job.tickets[ticket] = news
                if job.status.state == "failed" or (job.status.state == "done" and self.cache.get(key) is None):
                    self._put(job)
                elif priority < job.priority and job.status.state == "waiting":
                    job.priority = priority
                    self._put(job)
                return ticket
            self._jobs[key] = job = _Job(request, priority, time.monotonic(), {ticket: news})
            if self.cache.get(key) is not None:
                job.status = Status("done", 1.0)
            else:
                self._put(job)
        return ticket

    def _put(self, job: _Job) -> None:
        """Queue a job; a first answer takes the place of something that can wait."""
        job.tell(Status("waiting"))
        lane = job.request.lane
        heapq.heappush(self._queues[lane], (job.priority, next(self._numbers), job))
        if job.is_first:
            busy = [each for each in self._jobs.values() if each.maker is not None and each.maker.lane == lane]
            later = [each for each in busy if not each.is_first]
            if later and len(busy) == sum(maker.lane == lane for maker in self.makers):
                self._stop(max(later, key=lambda each: each.priority))
        self._wake.notify_all()

    def _stop(self, job: _Job) -> None:
        if job.maker is not None:
            job.maker.stop(job.request.key)

    def release(self, key: str, ticket: int) -> None:
        """Give a ticket back; a run without tickets is not begun, or stopped at its next phase."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None or ticket not in job.tickets:
                return
            del job.tickets[ticket]
            if not job.tickets:
                del self._jobs[key]
                self._stop(job)
                self._wake.notify_all()

    def status(self, key: str) -> Status:
        """Where a request stands; a result that the cache has dropped is made again where somebody waits for it."""
        with self._lock:
            job, is_there = self._jobs.get(key), self.cache.get(key) is not None
            if job is not None and job.status.state == "done" and not is_there:
                self._put(job)
            if job is not None:
                return job.status
        return Status("done", 1.0) if is_there else Status("waiting")

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
        news, until = threading.Event(), time.monotonic() + timeout_s
        ticket = self.submit(request, news=news)
        try:
            while time.monotonic() < until:
                news.clear()
                found, result = self.status(request.key), self.result(request.key)
                if result is not None:
                    return result
                if found.is_over:
                    raise RuntimeError(found.message)
                news.wait(until - time.monotonic())
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
        maker = self._maker(lane)
        self.ready.set()
        while True:
            job = self._next(lane, maker)
            try:
                kind, value, size = maker.follow(job.on_progress)
            except (EOFError, OSError):
                kind, value, size = "failed", "the process that made this run has died (out of memory?)", 0
                maker.end()
                self.makers.remove(maker)
            self._finish(job, kind, value, size)
            if kind == "failed" and maker not in self.makers:
                maker = self._maker(lane)

    def _maker(self, lane: Lane) -> Maker:
        maker = Maker(lane)
        self.makers.append(maker)
        return maker

    def _next(self, lane: Lane, maker: Maker) -> _Job:
        """The next job of a lane, when its time has come."""
        queue = self._queues[lane]
        with self._wake:
            while True:
                while queue and not self._is_wanted(queue[0][2]):
                    heapq.heappop(queue)
                pause = self._pause(queue[0][2]) if queue else None
                if pause == 0.0:
                    job = heapq.heappop(queue)[2]
                    job.maker = maker
                    job.tell(Status("running"))
                    maker.begin(job.request)
                    return job
                self._wake.wait(pause)

    def _is_wanted(self, job: _Job) -> bool:
        return self._jobs.get(job.request.key) is job and job.status.state == "waiting"

    def _pause(self, job: _Job) -> float:
        """Seconds for which a job has to wait for those that somebody looks at."""
        if job.is_first:
            return 0.0
        now = time.monotonic()
        if now - job.asked_at < _PATIENCE_S and any(
            each.is_first and not each.status.is_over for each in self._jobs.values()
        ):
            return _REST_S
        return max(0.0, self._rest_until - now)

    def _finish(self, job: _Job, kind: str, value: Any, size: int) -> None:
        key = job.request.key
        with self._wake:
            job.maker = None
            if kind == "done":
                self.cache.put(key, value, size)
                if job.is_first:
                    self._rest_until = time.monotonic() + _REST_S
                job.tell(Status("done", 1.0))
            elif kind == "cancelled":
                if self._jobs.get(key) is job:  # it made room for a first answer
                    self._put(job)
            else:
                job.tell(Status("refused" if kind == "refused" else "failed", message=str(value)))
            self._wake.notify_all()
