"""Bands over the fitted vectors, and beside them the bands of chance: two sources that are never mixed.

Every scenario is run with every vector of the region's ensemble under one luck, which shows what the
record leaves open about the parameters, and with the best vector under several lucks, which shows
what one draw may differ by from another. Scenarios share luck and vectors, so differences between
them are taken pair by pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from migrasim.analysis.band import INDICATORS, QUANTILES
from migrasim.analysis.intervals import reach
from migrasim.analysis.shipping import held
from migrasim.core.errors import InputError
from migrasim.region import Region
from migrasim.runs.result import check_request
from migrasim.runs.runner import OnDone, yearly
from migrasim.runs.spec import RunSpec
from migrasim.scenario import Scenario

if TYPE_CHECKING:
    from pandas import DataFrame

SOURCES = ("parameters", "chance")
LUCKS = 5  # runs of the best vector


@dataclass(frozen=True)
class Spread:
    """Bands of scenarios by source.

    Attributes
    ----------
    levels
        ``scenario, year, indicator, source, low, median, high`` and of how many ``draws``: 5, 50 and 95 percent of the
        vectors; of chance the mean of the runs, and what holds nine of ten runs under other luck (Student's t).
    differences
        The same of every scenario less the first one; empty where there is only one.
    vectors, lucks
        How many runs a band rests on.
    held
        How many published series such bands held, and of how many; see `migrasim.analysis.shipping.held`.
    titles
        Of scenarios, by name and language.
    """

    levels: DataFrame
    differences: DataFrame
    vectors: int
    lucks: int
    held: tuple[int, int] | None = None
    titles: Mapping[str, dict[str, str]] = field(default_factory=dict)

    def of(self, indicator: str, source: str, scenario: str | None = None) -> DataFrame:
        """``low, median, high`` by year of one scenario, the first where none is named."""
        table = self.levels
        name = table["scenario"].iloc[0] if scenario is None else scenario
        rows = table[(table["scenario"] == name) & (table["indicator"] == indicator) & (table["source"] == source)]
        return rows.set_index("year")[list(QUANTILES)]


def vectors_of(region: Region, where: str = "--parameters") -> list[dict[str, float]]:
    """The fitted vectors of a region, the best first.

    Raises
    ------
    InputError
        Where nothing was fitted.
    """
    if region.ensemble.empty:
        raise InputError(f"{where}: 'ensemble' is not fitted for {region.name}; allowed: best (see migrasim calibrate)")
    return [{str(name): float(number) for name, number in row.items()} for _, row in region.ensemble.iterrows()]


def spread(
    scenarios: Sequence[Scenario],
    *,
    seed: int = 0,
    sample: float = 1.0,
    until: int = 2035,
    base: int = 2020,
    future: str | None = None,
    alternatives: Iterable[str] = (),
    lucks: int = LUCKS,
    workers: int | None = None,
    keep: Path | None = None,
    on_done: OnDone | None = None,
) -> Spread:
    """Run scenarios over the ensemble and over luck.

    Parameters
    ----------
    scenarios : what to run; the first is what the others are compared with
    seed : luck of the runs over the ensemble, and the first of the runs over luck
    sample, until, base, future, alternatives : as for a run
    lucks : runs of the best vector
    workers, keep, on_done : as for `migrasim.analysis.band.band`

    Raises
    ------
    InputError : where nothing was fitted to the region
    """
    import pandas as pd

    seed, sample, base, until, _ = check_request(seed=seed, sample=sample, base=base, until=until)
    vectors = vectors_of(Region.only())
    asked = [("parameters", seed, vector) for vector in vectors]
    asked += [("chance", seed + number, vectors[0]) for number in range(lucks)]
    specs = [
        RunSpec(
            scenario,
            label=f"{scenario.name}, {source} {number}",
            seed=luck,
            sample=sample,
            base=base,
            until=until,
            future=future,
            alternatives=tuple(alternatives),
            parameters=vector,
        )
        for scenario in scenarios
        for number, (source, luck, vector) in enumerate(asked)
    ]
    runs = yearly(specs, keep, workers=workers, on_done=on_done)
    levels, differences = [], []
    sources = np.array([source for source, _, _ in asked])
    years = [int(year) for year in runs[0].index]
    for indicator in INDICATORS:
        cube = np.array([run[indicator].to_numpy(np.float64) for run in runs])
        cube = cube.reshape(len(scenarios), len(asked), len(years))
        for number, scenario in enumerate(scenarios):
            for source in SOURCES:
                mine = cube[number, sources == source]
                levels += _rows(scenario.name, indicator, source, years, mine)
                if number:
                    differences += _rows(scenario.name, indicator, source, years, mine - cube[0, sources == source])
    columns = ["scenario", "year", "indicator", "source", *QUANTILES, "draws"]
    return Spread(
        pd.DataFrame(levels, columns=columns),
        pd.DataFrame(differences, columns=columns),
        len(vectors),
        lucks,
        held(Region.only()),
        {one.name: one.title.model_dump(exclude_none=True) for one in scenarios},
    )


def _rows(
    scenario: str,
    indicator: str,
    source: str,
    years: Sequence[int],
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> list[tuple[str, int, str, str, float, float, float, int]]:
    if source == "chance":  # quantiles of a few runs lie too near to one another
        median, half = values.mean(axis=0), reach(len(values)) * values.std(axis=0, ddof=1)
        low, high = median - half, median + half
    else:
        low, median, high = (np.quantile(values, share, axis=0) for share in QUANTILES.values())
    return [
        (scenario, year, indicator, source, float(low[i]), float(median[i]), float(high[i]), len(values))
        for i, year in enumerate(years)
    ]
