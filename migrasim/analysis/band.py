"""The band of a scenario over its assumed values: one path is one draw of many that the plan leaves open.

Most values of levers in the plan are assumptions with a range. Each is drawn within its range, evenly
and independently (a Latin hypercube), those that the plan or a published target gives stay, and the
luck stays: the width of the band is what the assumptions about the plan's values leave open, and
nothing else of what is unknown. Draws with fewer households than the run that they are drawn for are
told by what they differ in from the plan's own values among these few: else the draw of the few
would move the band.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pandas import DataFrame

from migrasim.core.documents import plain
from migrasim.core.errors import InputError
from migrasim.facts import FactBook, Lever
from migrasim.runs.levels import settings
from migrasim.runs.points import spread
from migrasim.runs.result import RunResult, check_request
from migrasim.runs.runner import OnDone, yearly
from migrasim.runs.spec import RunSpec
from migrasim.scenario import Scenario

if TYPE_CHECKING:
    from pathlib import Path

QUANTILES = {"low": 0.05, "median": 0.5, "high": 0.95}
INDICATORS = ("urbanization_rate", "hukou_urbanization_rate", "urban_population", "resident_population")
FEWEST, MOST = 2, 10_000
DRAWS, SAMPLE = 12, 0.02  # of the band that stands in the headline of every run with assumed values


@dataclass(frozen=True)
class Band:
    """Indicators of the whole region over draws of the assumed values.

    Attributes
    ----------
    scenario
        Its name.
    table
        ``year, indicator, low, median, high`` (5, 50 and 95 percent of the draws), and in every row the number of
        ``draws`` and the ``sample`` they were run with.
    draws
        A row a draw, a column a lever: the last value of its path.
    assumed, taken
        Numbers of levers that the scenario takes from the plan at assumed values, and of all that it takes from there.
    sample
        Share of the households that the draws were run with.
    moved
        Whether what the draws differ by from the plan's own values was added to a run with another share.
    """

    scenario: str
    table: DataFrame
    draws: DataFrame
    assumed: int
    taken: int
    sample: float = 1.0
    moved: bool = False

    def of(self, indicator: str) -> DataFrame:
        """``low, median, high`` of an indicator by year."""
        rows = self.table[self.table["indicator"] == indicator]
        return rows.set_index("year")[list(QUANTILES)]


def from_plan(scenario: Scenario, book: FactBook) -> list[Lever]:
    """Levers that a scenario takes from the plan by name (`plan`, not numbers of its own)."""
    last = {one.lever: one for one in scenario.settings}
    return [lever for lever in book.levers.values() if lever.id in last and last[lever.id].named == "plan"]


def assumed(scenario: Scenario, book: FactBook) -> list[Lever]:
    """Of these, the levers whose value in the plan is assumed or estimated."""
    return [lever for lever in from_plan(scenario, book) if lever.plan.status in ("assumed", "estimated")]


def draw(levers: list[Lever], draws: int, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(draws, levers) last values of the paths, each evenly within its range: a Latin hypercube."""
    ranges = {lever.id: lever.plan.range for lever in levers if lever.plan.range is not None}
    return spread(ranges, draws, "latin_hypercube", seed)


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
    about: RunResult | None = None,
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
    about : the run of the scenario that the band shall lie about, where it holds another share of the households
    workers : processes; as many as there are cores and memory where not given
    keep : folder that keeps finished runs
    on_done : called after each run with runs done and in all

    Raises
    ------
    InputError : for a scenario that takes no assumed value from the plan, and a number of draws that is none
    """
    draws = plain(draws)
    check_draws(draws)
    seed, sample, base, until, _ = check_request(seed=seed, sample=sample, base=base, until=until)
    book = FactBook.load()
    chosen = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario, book)
    levers = [lever for lever in assumed(chosen, book) if lever.plan.range is not None]
    check_assumed(chosen, book, "band")
    lasts = draw(levers, draws, seed)
    undrawn = RunSpec(chosen, chosen.name, seed, sample, base, until, future, tuple(alternatives))
    specs = [
        replace(undrawn, label=f"{chosen.name}, draw {number}", overrides=settings(levers, row, book))
        for number, row in enumerate(lasts)
    ]
    moved = about is not None and about.sample != sample
    runs = yearly([*specs, undrawn] if moved else specs, keep, workers=workers, on_done=on_done)
    rows = []
    for indicator in INDICATORS:
        values = np.array([run[indicator].to_numpy() for run in runs[:draws]])
        if about is not None and moved:
            values += about.prefecture()[indicator].to_numpy() - runs[draws][indicator].to_numpy()
        ends = {name: np.quantile(values, share, axis=0) for name, share in QUANTILES.items()}
        rows += [
            (int(year), indicator, *(float(ends[name][i]) for name in QUANTILES), draws, sample)
            for i, year in enumerate(runs[0].index)
        ]
    return Band(
        chosen.name,
        DataFrame(rows, columns=["year", "indicator", *QUANTILES, "draws", "sample"]),
        DataFrame(lasts, columns=[lever.id for lever in levers]),
        len(levers),
        len(from_plan(chosen, book)),
        sample,
        moved,
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


def check_draws(draws: object, name: str = "draws", also: str = "") -> None:
    """Refuse a number of draws that is none; ``also`` names what else its option takes.

    Raises
    ------
    InputError
        Naming the option and what is allowed.
    """
    if isinstance(draws, bool) or not isinstance(draws, int) or not FEWEST <= draws <= MOST:
        raise InputError(f"{name}: {draws!r} is not allowed; allowed: {also}whole numbers from {FEWEST} to {MOST}")
