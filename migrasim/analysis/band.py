"""The band of a scenario over its assumed values: one path is one draw of many that the plan leaves open.

Most values of levers in the plan are assumptions with a range. Each is drawn within its range, evenly
and independently (a Latin hypercube), those that the plan or a published target gives stay, and the
luck stays: the width of the band is what the assumptions about the plan's values leave open, and
nothing else of what is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pandas import DataFrame
from scipy.stats import qmc

from migrasim.core.errors import InputError
from migrasim.facts import BASE_YEAR, FactBook, Lever
from migrasim.inputs import SUMS_TO_ONE
from migrasim.runs.runner import OnDone, yearly
from migrasim.runs.spec import RunSpec
from migrasim.scenario import Scenario

if TYPE_CHECKING:
    from pathlib import Path

QUANTILES = {"low": 0.05, "median": 0.5, "high": 0.95}
INDICATORS = ("urbanization_rate", "hukou_urbanization_rate", "urban_population", "resident_population")
FEWEST, MOST = 2, 10_000


@dataclass(frozen=True)
class Band:
    """Indicators of the whole region over draws of the assumed values.

    Attributes
    ----------
    scenario
        Its name.
    table
        ``year, indicator, low, median, high`` (5, 50 and 95 percent of the draws).
    draws
        A row a draw, a column a lever: the last value of its path.
    assumed, taken
        Numbers of levers that the scenario takes from the plan at assumed values, and of all that it takes from there.
    """

    scenario: str
    table: DataFrame
    draws: DataFrame
    assumed: int
    taken: int

    def of(self, indicator: str) -> DataFrame:
        """``low, median, high`` of an indicator by year."""
        rows = self.table[self.table["indicator"] == indicator]
        return rows.set_index("year")[list(QUANTILES)]


def path_at(lever: Lever, last: float) -> dict[int | None, float]:
    """The plan's path of a lever, bent so that it ends at another value.

    The range in the book is about the last value of the path. What is added there is added to earlier values in
    proportion to the years since 2020, and nothing leaves the bounds.

    Examples
    --------
    >>> path_at(FactBook.load().lever("public_housing.public_rental_units"), 200.0)
    {2022: 400.0, 2026: 200.0}
    """
    low, high = lever.bounds
    if not lever.plan.values:
        return {None: min(max(last, low), high)}
    end = max(lever.plan.values)
    span = max(1, end - BASE_YEAR)
    return {
        year: min(max(number + (last - lever.plan.last) * min(1.0, (year - BASE_YEAR) / span), low), high)
        for year, number in sorted(lever.plan.values.items())
    }


def moved(lever: Lever, last: float) -> str:
    """The path of `path_at` as a setting."""
    return setting(lever, path_at(lever, last))


def setting(lever: Lever, path: Mapping[int | None, float]) -> str:
    """A path by year, or a number under the key None, as a text ``LEVER=VALUE``."""
    short = {year: float(f"{number:.12g}") for year, number in path.items()}  # as people write numbers
    return f"{lever.id}={json.dumps(short.get(None, short))}".replace('"', "")


def from_plan(scenario: Scenario, book: FactBook) -> list[Lever]:
    """Levers that a scenario takes from the plan by name (`plan`, not numbers of its own)."""
    last = {one.lever: one for one in scenario.settings}
    return [lever for lever in book.levers.values() if lever.id in last and last[lever.id].named == "plan"]


def assumed(scenario: Scenario, book: FactBook) -> list[Lever]:
    """Of these, the levers whose value in the plan is assumed or estimated."""
    return [lever for lever in from_plan(scenario, book) if lever.plan.status in ("assumed", "estimated")]


def settings(levers: Iterable[Lever], lasts: Iterable[float], book: FactBook) -> tuple[str, ...]:
    """Settings for values drawn; shares of one whole that would exceed it are scaled down to it together."""
    paths = {lever.id: path_at(lever, last) for lever, last in zip(levers, lasts, strict=True)}
    for first, second in SUMS_TO_ONE:
        if first not in paths or second not in paths:
            continue
        one, other = paths[first], paths[second]
        for year in one.keys() & other.keys():
            total = one[year] + other[year]
            if total > 1.0:
                one[year], other[year] = one[year] / total, other[year] / total
    return tuple(setting(book.lever(name), path) for name, path in paths.items())


def draw(levers: list[Lever], draws: int, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(draws, levers) last values of the paths, each evenly within its range: a Latin hypercube."""
    cube = qmc.LatinHypercube(len(levers), rng=np.random.default_rng(seed)).random(draws)
    low, high = np.array([lever.plan.range for lever in levers], np.float64).T
    return np.asarray(low + cube * (high - low))


def band(
    scenario: str | Scenario = "plan",
    *,
    draws: int = 40,
    seed: int = 0,
    sample: float = 1.0,
    until: int = 2035,
    base: int = 2020,
    future: str | None = None,
    alternatives: Iterable[str] = (),
    workers: int | None = None,
    keep: Path | None = None,
    on_done: OnDone | None = None,
) -> Band:
    """Run a scenario with its assumed values drawn within their ranges.

    Parameters
    ----------
    scenario : shipped name, path or object
    draws : number of draws
    seed : of the luck, the same in every draw, and of the draws
    sample, until, base, future, alternatives : as for a run
    workers : processes; as many as there are cores and memory where not given
    keep : folder that keeps finished runs
    on_done : called after each run with runs done and in all

    Raises
    ------
    InputError : for a scenario that takes no assumed value from the plan, and a number of draws that is none
    """
    check_draws(draws)
    book = FactBook.load()
    chosen = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario, book)
    levers = [lever for lever in assumed(chosen, book) if lever.plan.range is not None]
    check_assumed(chosen, book, "band")
    lasts = draw(levers, draws, seed)
    plain = RunSpec(chosen, chosen.name, seed, sample, base, until, future, tuple(alternatives))
    specs = [
        replace(plain, label=f"{chosen.name}, draw {number}", overrides=settings(levers, row, book))
        for number, row in enumerate(lasts)
    ]
    runs = yearly(specs, keep, workers=workers, on_done=on_done)
    rows = []
    for indicator in INDICATORS:
        values = np.array([run[indicator].to_numpy() for run in runs])
        ends = {name: np.quantile(values, share, axis=0) for name, share in QUANTILES.items()}
        rows += [
            (int(year), indicator, *(float(ends[name][i]) for name in QUANTILES))
            for i, year in enumerate(runs[0].index)
        ]
    return Band(
        chosen.name,
        DataFrame(rows, columns=["year", "indicator", *QUANTILES]),
        DataFrame(lasts, columns=[lever.id for lever in levers]),
        len(levers),
        len(from_plan(chosen, book)),
    )


def check_assumed(scenario: Scenario, book: FactBook, name: str) -> None:
    """Refuse a scenario that takes no assumed value from the plan.

    Raises
    ------
    InputError
        Naming the scenario.
    """
    if not assumed(scenario, book):
        raise InputError(
            f"{name}: {scenario.name} takes no assumed value from the plan, so there is nothing to draw; "
            "allowed: scenarios that set levers to 'plan'"
        )


def check_draws(draws: object, name: str = "draws") -> None:
    """Refuse a number of draws that is none.

    Raises
    ------
    InputError
        Naming the option and what is allowed.
    """
    if isinstance(draws, bool) or not isinstance(draws, int) or not FEWEST <= draws <= MOST:
        raise InputError(f"{name}: {draws!r} is not allowed; allowed: whole numbers from {FEWEST} to {MOST}")
