"""Take in newly published years: reweight the fitted vectors, narrow the fan, say where the record leaves it.

Every vector of the ensemble is run once; its weight is the likelihood of what was published, with
the error of publication and the luck of one run as its width. Levels are read as growth since the
base year times the published base, so that the draw of a sample does not enter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from migrasim.analysis.band import QUANTILES
from migrasim.analysis.ensemble import LUCKS, vectors_of
from migrasim.core.errors import InputError
from migrasim.facts import BASE_YEAR, FactBook
from migrasim.region import Region
from migrasim.runs.runner import OnDone, run_batch
from migrasim.runs.spec import RunSpec

if TYPE_CHECKING:
    from pandas import DataFrame

Array = np.ndarray[Any, np.dtype[np.float64]]
FEW = 8.0  # effective members below which new vectors are offered
_NORMAL = 1.645
SHOWN = ("urbanization_rate", "urban_population", "resident_population")
_COUNTS = ("resident_population", "urban_population")


@dataclass(frozen=True)
class Update:
    """What observations did to the ensemble.

    Attributes
    ----------
    record
        Observations with ``projected`` (median before), ``low, high`` (90 percent before, luck in it), ``outside``.
    weights
        By vector, summing to 1.
    fan
        ``year, indicator, before_low, before_median, before_high, after_low, after_median, after_high``.
    effective
        Effective members left: one over the sum of squared weights.
    vectors
        The vectors, those added last.
    """

    record: DataFrame
    weights: Array
    fan: DataFrame
    effective: float
    vectors: list[dict[str, float]]

    @property
    def too_few(self) -> bool:
        """Whether new vectors should be run."""
        return self.effective < min(FEW, 0.2 * len(self.weights))

    @property
    def narrowing(self) -> float:
        """Width of the fan of the rate in the last year, after over before."""
        last = self.fan[self.fan["indicator"] == "urbanization_rate"].iloc[-1]
        before = float(last["before_high"] - last["before_low"])
        return float(last["after_high"] - last["after_low"]) / before if before else 1.0


def assimilate(
    observed: DataFrame,
    folder: Path,
    *,
    scenario: str = "plan",
    sample: float = 0.1,
    until: int = 2035,
    more: int = 0,
    workers: int | None = None,
    on_done: OnDone | None = None,
) -> Update:
    """Reweight the ensemble by observations.

    Parameters
    ----------
    observed
        See `migrasim.analysis.observations.read`.
    folder
        Keeps the runs: the same command with more observations makes none anew.
    scenario
        What is taken to have been done since the base year.
    sample, until
        As for a run.
    more
        New vectors to be drawn near those that carry weight, and run.
    workers, on_done
        As for `migrasim.runs.runner.run_batch`.

    Raises
    ------
    InputError
        Where nothing was fitted, or the observations lie beyond `until`.
    """
    if int(observed["year"].max()) > until:
        raise InputError(f"--until: {until} lies before the last observation, {int(observed['year'].max())}")
    region = Region.only()
    vectors = vectors_of(region, "assimilate")
    runs = _Runs(region, folder, scenario, sample, until, workers, on_done)
    cube, luck = runs.of(vectors, LUCKS)
    weights, gaps = _weights(observed, cube, luck, runs)
    if more:
        vectors = [*vectors, *_near(vectors, weights, more)]
        cube, luck = runs.of(vectors, LUCKS)
        weights, gaps = _weights(observed, cube, luck, runs)
    return Update(gaps, weights, _fan(cube, weights, luck, runs), float(1.0 / (weights**2).sum()), vectors)


@dataclass(frozen=True)
class _Runs:
    region: Region
    folder: Path
    scenario: str
    sample: float
    until: int
    workers: int | None
    on_done: OnDone | None

    def of(self, vectors: Sequence[dict[str, float]], lucks: int) -> tuple[DataFrame, DataFrame]:
        """Indicators of every vector under one luck, and of the first under several: place, year, then columns."""
        asked = [(0, vector) for vector in vectors] + [(luck, vectors[0]) for luck in range(1, lucks)]
        specs = [
            RunSpec(self.scenario, seed=luck, sample=self.sample, until=self.until, parameters=vector)
            for luck, vector in asked
        ]
        batch = run_batch(
            specs, self.folder, name="assimilate", tables=("indicators",), levels=("prefecture", "county"),
            workers=self.workers, on_done=self.on_done, grow=True,
        )  # fmt: skip
        if len(batch.failed):
            raise InputError(f"{self.folder}: {len(batch.failed)} runs failed; runs.parquet says why")
        table = batch.table("indicators").set_index("run_id")
        ids = [spec.run_id() for spec in specs]
        table = table[table["level"] != "place"]
        import pandas as pd

        def chosen(names: Sequence[str]) -> DataFrame:
            parts = [table.loc[name].assign(member=number) for number, name in enumerate(names)]
            found: DataFrame = pd.concat(parts).set_index(["place", "year", "member"]).sort_index()
            return found

        return chosen(ids[: len(vectors)]), chosen([ids[0], *ids[len(vectors) :]])

    def level(self, frame: DataFrame, place: str, indicator: str, year: int) -> Array:
        """(members,) an indicator; counts are the published base times simulated growth."""

        def raw(name: str, when: int) -> Array:
            column: Array = frame[name].loc[(place, when)].to_numpy(np.float64)
            return column

        if indicator == "urbanization_rate":
            return self.level(frame, place, _COUNTS[1], year) / self.level(frame, place, _COUNTS[0], year)
        if indicator in _COUNTS:
            return self._base(place)[_COUNTS.index(indicator)] * raw(indicator, year) / raw(indicator, BASE_YEAR)
        return raw(indicator, year)

    def _base(self, place: str) -> tuple[float, float]:
        urban, rural = (self.region.census(BASE_YEAR, name).astype(float) for name in ("urban_pop", "rural_pop"))
        if place in self.region.county_names:
            i = self.region.county_names.index(place)
            return float(urban[i] + rural[i]), float(urban[i])
        return float(urban.sum() + rural.sum()), float(urban.sum())


def _weights(observed: DataFrame, cube: DataFrame, luck: DataFrame, runs: _Runs) -> tuple[Array, DataFrame]:
    """Weights of the vectors, and every observation beside what was projected."""
    logs: Array | None = None
    rows = []
    for row in observed.to_dict("records"):
        place, indicator, year = str(row["place"]), str(row["indicator"]), int(row["year"])
        found = runs.level(cube, place, indicator, year)
        spread = float(runs.level(luck, place, indicator, year).std(ddof=1))
        width = float(np.hypot(row["tolerance"], spread))
        log = -0.5 * ((found - float(row["value"])) / width) ** 2
        logs = log if logs is None else logs + log
        half = _NORMAL * float(np.hypot(found.std(ddof=1), spread))
        low, high = float(found.mean()) - half, float(found.mean()) + half
        outside = not low <= float(row["value"]) <= high
        rows.append({**row, "projected": float(np.median(found)), "low": low, "high": high, "outside": outside})
    import pandas as pd

    assert logs is not None
    weights = np.exp(logs - logs.max())
    return weights / weights.sum(), pd.DataFrame(rows)


def _fan(cube: DataFrame, weights: Array, luck: DataFrame, runs: _Runs) -> DataFrame:
    """Bands of the whole region by year, before and after; luck is in both, so that neither claims too much."""
    import pandas as pd

    place = runs.region.title["en"]
    even = np.full(len(weights), 1.0 / len(weights))
    rows = []
    for indicator in SHOWN:
        for year in range(BASE_YEAR + 1, runs.until + 1):
            found = runs.level(cube, place, indicator, year)
            lucks = runs.level(luck, place, indicator, year)
            shifts = lucks - lucks.mean()
            every = (found[:, None] + shifts[None, :]).ravel()
            ends: dict[str, float] = {}
            for word, each in (("before", even), ("after", weights)):
                shares = np.repeat(each / len(shifts), len(shifts))
                ends |= {f"{word}_{name}": _quantile(every, shares, at) for name, at in QUANTILES.items()}
            rows.append({"year": year, "indicator": indicator, **ends})
    return pd.DataFrame(rows)


def _quantile(values: Array, weights: Array, share: float) -> float:
    order = np.argsort(values, kind="stable")
    summed = np.cumsum(weights[order]) - 0.5 * weights[order]
    return float(np.interp(share, summed / weights.sum(), values[order]))


def _near(vectors: Sequence[dict[str, float]], weights: Array, count: int) -> list[dict[str, float]]:
    """New vectors: drawn by weight, moved by a third of the spread of all, within the ranges of the facts."""
    book = FactBook.load()
    names = list(vectors[0])
    table = np.array([[vector[name] for name in names] for vector in vectors])
    rng = np.random.default_rng([count, len(vectors)])
    drawn = table[rng.choice(len(table), count, p=weights)]
    moved = drawn + rng.normal(0.0, 1.0, drawn.shape) * table.std(axis=0) / 3.0
    low = np.array([float(book[name].low or 0.0) for name in names])
    high = np.array([float(book[name].high or 0.0) for name in names])
    return [dict(zip(names, map(float, row), strict=True)) for row in np.clip(moved, low, high)]
