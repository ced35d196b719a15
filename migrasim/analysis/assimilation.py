"""Take in newly published years: reweight the fitted vectors, narrow the fan, say where the record leaves it.

Every vector of the ensemble is run once under the first luck; its weight is its prior share times the
likelihood of what was published, with the error of publication and the luck of one run as its width. What
the first luck differs by from the mean of several is taken off. Levels are read as growth since the base
year times the published base, so that the draw of a sample does not enter.

The fitted vectors have even prior shares. A vector that is added near one of them takes part of its share, so
that adding vectors moves nothing towards the record by itself: what was published counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

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
_STEPS = 40  # of the distribution of luck
FEW = 8.0  # effective members below which new vectors are offered
RATE = "urbanization_rate"
_COUNTS = ("resident_population", "urban_population")
SHOWN = (RATE, "urban_population", "resident_population")


@dataclass(frozen=True)
class Update:
    """What observations did to the ensemble.

    Attributes
    ----------
    record
        Observations with ``projected`` (median before), ``low, high`` (90 percent before, luck in it), ``outside``, and
        whether they are ``weighed`` (see `weighed`).
    weights
        By vector, summing to 1.
    fan
        ``year, indicator, before_low, before_median, before_high, after_low, after_median, after_high``. What was
        projected before is that of the fitted vectors alone.
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
        return self.effective < min(FEW, max(2.0, 0.2 * len(self.weights)))

    @property
    def narrowing(self) -> float:
        """Width of the fan of the rate in the last year, after over before."""
        last = self.fan[self.fan["indicator"] == RATE].iloc[-1]
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
    prior = np.full(len(vectors), 1.0 / len(vectors))
    weights = _weights(observed, prior, cube, luck, runs)
    before = prior
    if more:
        added, parents = _near(vectors, weights, more)
        prior = shared(prior, parents)
        vectors = [*vectors, *added]
        cube, luck = runs.of(vectors, LUCKS)
        weights = _weights(observed, prior, cube, luck, runs)
    fan = _fan(cube, before, weights, luck, runs)
    return Update(_record(observed, cube, before, luck, runs), weights, fan, float(1.0 / (weights**2).sum()), vectors)


def weighed(observed: DataFrame) -> Array:
    """Which observations enter the likelihood: not urban residents of a year that has residents and a rate, too.

    They are the product of these two, and would count what was published again.
    """
    known = set(zip(observed["place"], observed["year"], observed["indicator"], strict=True))
    return np.array(
        [
            indicator != _COUNTS[1] or not {(place, year, _COUNTS[0]), (place, year, RATE)} <= known
            for place, year, indicator in zip(observed["place"], observed["year"], observed["indicator"], strict=True)
        ],
        bool,
    )


def shared(prior: Array, parents: Sequence[int] | Array) -> Array:
    """Prior shares once vectors were added: each is shared evenly by a vector and those drawn near it.

    Examples
    --------
    >>> shared(np.array([0.5, 0.5]), [1, 1, 1]).tolist()
    [0.5, 0.125, 0.125, 0.125, 0.125]
    """
    each = prior / (1.0 + np.bincount(parents, minlength=len(prior)))
    return np.concatenate([each, each[parents]])


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

        if indicator == RATE:
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


def _weights(observed: DataFrame, prior: Array, cube: DataFrame, luck: DataFrame, runs: _Runs) -> Array:
    """Weights of the vectors: prior shares times the likelihood of what is weighed."""
    logs = np.log(prior)
    for row in observed[weighed(observed)].to_dict("records"):
        found, lucks = _levels(row, cube, luck, runs)
        shift, scale = _other_luck(lucks)
        width = float(np.hypot(row["tolerance"], scale))
        logs = logs - 0.5 * ((found + shift - float(row["value"])) / width) ** 2
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def _record(observed: DataFrame, cube: DataFrame, before: Array, luck: DataFrame, runs: _Runs) -> DataFrame:
    """Every observation beside what the fitted vectors projected."""
    import pandas as pd

    rows = []
    for row in observed.to_dict("records"):
        low, median, high = _ends(*_levels(row, cube, luck, runs), before)
        outside = not low <= float(row["value"]) <= high
        rows.append({**row, "projected": median, "low": low, "high": high, "outside": outside})
    return pd.DataFrame(rows).assign(weighed=weighed(observed))


def _levels(row: Mapping[Any, Any], cube: DataFrame, luck: DataFrame, runs: _Runs) -> tuple[Array, Array]:
    """What is observed in a row by vector under the first luck, and of the first vector by luck."""
    at = (str(row["place"]), str(row["indicator"]), int(row["year"]))
    return runs.level(cube, *at), runs.level(luck, *at)


def _fan(cube: DataFrame, before: Array, weights: Array, luck: DataFrame, runs: _Runs) -> DataFrame:
    """Bands of the whole region by year, before and after; luck is in both, so that neither claims too much."""
    import pandas as pd

    place = runs.region.title["en"]
    rows = []
    for indicator in SHOWN:
        for year in range(BASE_YEAR + 1, runs.until + 1):
            ends: dict[str, float] = {}
            levels = _levels({"place": place, "indicator": indicator, "year": year}, cube, luck, runs)
            for word, each in (("before", before), ("after", weights)):
                ends |= {f"{word}_{name}": end for name, end in zip(QUANTILES, _ends(*levels, each), strict=True)}
            rows.append({"year": year, "indicator": indicator, **ends})
    return pd.DataFrame(rows)


def _other_luck(lucks: Array) -> tuple[float, float]:
    """What another luck differs by from the first, which the vectors were run under: its mean, and its scale.

    The scale holds that the mean is known from a few lucks only.
    """
    return float(lucks.mean() - lucks[0]), float(lucks.std(ddof=1) * np.sqrt(1.0 + 1.0 / len(lucks)))


def _ends(found: Array, lucks: Array, weights: Array) -> list[float]:
    """Low, median and high of vectors by weight, with luck (Student's t); vectors without a weight were added later."""
    shift, scale = _other_luck(lucks)
    shifts = shift + scale * stats.t.ppf((np.arange(_STEPS) + 0.5) / _STEPS, len(lucks) - 1)
    every = (found[: len(weights), None] + shifts[None, :]).ravel()
    shares = np.repeat(weights / _STEPS, _STEPS)
    return [_quantile(every, shares, at) for at in QUANTILES.values()]


def _quantile(values: Array, weights: Array, share: float) -> float:
    order = np.argsort(values, kind="stable")
    summed = np.cumsum(weights[order]) - 0.5 * weights[order]
    return float(np.interp(share, summed / weights.sum(), values[order]))


def _near(
    vectors: Sequence[dict[str, float]], weights: Array, count: int
) -> tuple[list[dict[str, float]], np.ndarray[Any, Any]]:
    """New vectors: drawn by weight, moved by a third of the spread of all, within the ranges; near which each lies."""
    book = FactBook.load()
    names = list(vectors[0])
    table = np.array([[vector[name] for name in names] for vector in vectors])
    rng = np.random.default_rng([count, len(vectors)])
    parents = rng.choice(len(table), count, p=weights)
    drawn = table[parents]
    moved = drawn + rng.normal(0.0, 1.0, drawn.shape) * table.std(axis=0) / 3.0
    low = np.array([float(book[name].low or 0.0) for name in names])
    high = np.array([float(book[name].high or 0.0) for name in names])
    return [dict(zip(names, map(float, row), strict=True)) for row in np.clip(moved, low, high)], parents
