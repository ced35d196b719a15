"""Runs for a page: what it needs, asked for and taken back as the page changes, and where they stand."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

import solara

from migrasim.facts import FactBook, Lever
from migrasim.present.explorer.draft import Draft, region
from migrasim.present.explorer.engine import SAMPLE, Engine, Request, Status
from migrasim.present.explorer.session import Ranges

DRAWS = 8  # runs of the range that stands around a line
_LOOK_EVERY_S = 0.05
_STEPS = 20  # in which progress is told: each draws the page anew

Want = tuple[Request, int]


@dataclass(frozen=True)
class Standing:
    """Where the runs of a page stand, by key."""

    by_key: tuple[tuple[str, Status], ...] = ()

    def of(self, request: Request | None) -> Status:
        """Where one stands."""
        key = "" if request is None else request.key
        return next((status for one, status in self.by_key if one == key), Status("waiting"))

    def done(self, request: Request | None) -> bool:
        """Whether its result is there."""
        return self.of(request).state == "done"


def use_runs(engine: Engine, wants: Sequence[Want]) -> Standing:
    """Ask for runs, follow them, and give them back when others are wanted or the page is closed.

    Parameters
    ----------
    engine
        Of the server.
    wants
        Requests with their priority within their lane.
    """
    keys = tuple(request.key for request, _ in wants)
    standing, set_standing = solara.use_state(Standing(tuple((key, engine.status(key)) for key in keys)))

    def follow() -> object:
        tickets = [(request.key, engine.submit(request, priority)) for request, priority in wants]
        stop = threading.Event()

        def look() -> None:
            last: Standing | None = None
            while not stop.is_set():
                found = Standing(tuple((key, _stepped(engine.status(key))) for key in keys))
                if found != last:
                    last = found
                    set_standing(found)
                if all(status.is_over for _, status in found.by_key):
                    return
                stop.wait(_LOOK_EVERY_S)

        threading.Thread(target=look, daemon=True, name="migrasim-page").start()

        def back() -> None:
            stop.set()
            for key, ticket in tickets:
                engine.release(key, ticket)

        return back

    solara.use_effect(follow, [keys])
    if {key for key, _ in standing.by_key} == set(keys):
        return standing
    return Standing(tuple((key, engine.status(key)) for key in keys))


def _stepped(status: Status) -> Status:
    return replace(status, share=int(_STEPS * status.share) / _STEPS)


def request(draft: Draft, *, sample: float = SAMPLE, seed: int = 0, overrides: tuple[str, ...] = ()) -> Request:
    """The run of a draft."""
    return Request(draft.scenario(), draft.content, draft.future, seed, sample, overrides=overrides)


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
    return [replace(request(draft), parameters=tuple(sorted(vectors[number].items()))) for number in chosen]


def _other_luck(draft: Draft, count: int) -> list[Request]:
    """Runs with other luck, the assumed values from the plan drawn within their ranges."""
    from migrasim.analysis import band
    from migrasim.runs.levels import settings

    book = FactBook.load()
    scenario = draft.scenario()
    levers = [lever for lever in book.levers.values() if _is_assumed(lever)]
    mine = {lever.id for lever in band.assumed(scenario, book)}
    chosen = [k for k, lever in enumerate(levers) if lever.id in mine]
    lasts = band.draw(levers, count, 0)  # of all levers, so that scenarios share what they assume alike
    drawn = [levers[k] for k in chosen]
    return [
        request(draft, seed=number + 1, overrides=settings(drawn, row[chosen], book))
        for number, row in enumerate(lasts)
    ]


def _is_assumed(lever: Lever) -> bool:
    return lever.plan.status in ("assumed", "estimated") and lever.plan.range is not None
