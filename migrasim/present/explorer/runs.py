"""Runs for a page: what it needs, asked for and taken back as the page changes, and where they stand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import solara

from migrasim.facts import FactBook, Lever
from migrasim.present.explorer.draft import Draft, numbers_of, region
from migrasim.present.explorer.engine import FIRST_ANSWERS, Engine, Request, Status
from migrasim.present.explorer.maker import SAMPLE
from migrasim.present.explorer.session import Ranges

DRAWS = 8  # runs of the range that stands around a line
_LOOK_EVERY_S = 1.0  # at what nobody waits for; a first answer is told at once
_STEPS = 20  # in which progress is told

Want = tuple[Request, int]


@dataclass(frozen=True)
class Standing:
    """Where the runs of a page stand, by key."""

    by_key: tuple[tuple[str, Status], ...] = ()

    def of(self, request: Request | None) -> Status:
        """Where one stands."""
        key = "" if request is None else request.key
        return next((status for one, status in self.by_key if one == key), Status("waiting"))

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return all(status.is_over for _, status in self.by_key)

    def done(self, request: Request | None) -> bool:
        """Whether its result is there."""
        return self.of(request).state == "done"


class _Asked:
    """Runs that a page has asked for: what it goes on wanting is kept while what it wants changes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.news = threading.Event()
        self.is_closed = False
        self._tickets: dict[str, int] = {}
        self._lock = threading.Lock()

    def want(self, wants: Sequence[Want]) -> None:
        """Ask for what is new, then give back what is not wanted any more."""
        with self._lock:
            if self.is_closed:
                return
            for request, priority in wants:
                if request.key not in self._tickets:
                    news = self.news if priority < FIRST_ANSWERS else None
                    self._tickets[request.key] = self.engine.submit(request, priority, news)
            wanted = {request.key for request, _ in wants}
            for key in [key for key in self._tickets if key not in wanted]:
                self.engine.release(key, self._tickets.pop(key))

    def close(self) -> None:
        """Give everything back: the page is gone."""
        with self._lock:
            self.is_closed = True
            for key, ticket in self._tickets.items():
                self.engine.release(key, ticket)
        self.news.set()


def use_runs(engine: Engine, wants: Sequence[Want]) -> Standing:
    """Ask for runs, follow them, and give them back when others are wanted or the page is closed.

    They are asked for while the page is being drawn, not after it: a first answer is on its way before the levers
    have been drawn anew.

    Parameters
    ----------
    engine
        Of the server.
    wants
        Requests with their priority within their lane.
    """
    keys = tuple(request.key for request, _ in wants)
    asked = solara.use_memo(lambda: _Asked(engine), [])
    solara.use_memo(lambda: asked.want(wants), [keys])
    wanted = solara.use_ref(keys)
    wanted.current = keys
    _, set_seen = solara.use_state(Standing())

    def follow() -> Callable[[], None]:
        def look() -> None:
            while not asked.is_closed:
                asked.news.clear()
                found = _standing(engine, wanted.current)
                set_seen(found)
                asked.news.wait(None if found.is_over else _LOOK_EVERY_S)

        threading.Thread(target=look, daemon=True, name="migrasim-page").start()
        return asked.close

    solara.use_effect(follow, [])
    found = _standing(engine, keys)
    if not found.is_over:
        asked.news.set()
    return found


def _standing(engine: Engine, keys: Sequence[str]) -> Standing:
    return Standing(tuple((key, _stepped(engine.status(key))) for key in keys))


def _stepped(status: Status) -> Status:
    return replace(status, share=int(_STEPS * status.share) / _STEPS)


def request(
    draft: Draft, *, sample: float = SAMPLE, seed: int = 0, overrides: tuple[str, ...] = (), lean: bool = False
) -> Request:
    """The run of a draft; a lean one has what ranges and pairs need and nothing else."""
    return Request(numbers_of(draft), draft.content, draft.future, seed, sample, overrides=overrides, lean=lean)


def draws(draft: Draft, ranges: Ranges, count: int = DRAWS) -> list[Request]:
    """Runs of a draft for its range: over what it assumes and luck, or over the fitted facts; none where it is off.

    Draws of one number go together: two drafts have the same luck in it, the same value where both assume one, and
    the same facts.
    """
    if ranges == "luck":
        return _other_luck(draft, count)
    return _other_facts(draft, count) if ranges == "parameters" else []


def _other_facts(draft: Draft, count: int) -> list[Request]:
    """Runs with vectors that the record does not rule out, evenly from the best to the last, and the same luck."""
    from migrasim.analysis.ensemble import vectors_of

    vectors = vectors_of(region())[1:]  # the best is that of the line
    chosen = sorted({round(number * (len(vectors) - 1) / max(1, count - 1)) for number in range(count)})
    mine = request(draft, lean=True)
    return [replace(mine, parameters=tuple(sorted(vectors[number].items()))) for number in chosen]


def _other_luck(draft: Draft, count: int) -> list[Request]:
    """Runs with other luck, the assumed values from the plan drawn within their ranges."""
    from migrasim.analysis import band
    from migrasim.runs.levels import settings

    book = FactBook.load()
    plain = request(draft, lean=True)
    levers = [lever for lever in book.levers.values() if _is_assumed(lever)]
    mine = {lever.id for lever in band.assumed(plain.scenario, book)}
    chosen = [k for k, lever in enumerate(levers) if lever.id in mine]
    lasts = band.draw(levers, count, 0)  # of all levers, so that scenarios share what they assume alike
    drawn = [levers[k] for k in chosen]
    return [
        replace(plain, seed=number + 1, overrides=settings(drawn, row[chosen], book))
        for number, row in enumerate(lasts)
    ]


def _is_assumed(lever: Lever) -> bool:
    return lever.plan.status in ("assumed", "estimated") and lever.plan.range is not None
