"""Fit the parameters of moving to the record: waves of runs, emulators between them, a set of vectors that is kept.

The first wave is spread over all parameters. Morris' screening of its emulators tells which of them
matter; the later waves vary these, where the emulators do not rule them out (history matching:
`migrasim.analysis.emulator`). All runs go through a batch, which a second call of the same command
takes up where the first one ended. Targets of the plan are no data: `patterns.series` refuses them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from migrasim.analysis import patterns
from migrasim.analysis.emulator import Array, Emulators, implausibility, scaled
from migrasim.analysis.sensitivity import morris_effects
from migrasim.core.documents import read_mapping, validated
from migrasim.core.errors import InputError, standing
from migrasim.facts import FactBook, Pair
from migrasim.region import FIT, Region
from migrasim.runs.points import spread
from migrasim.runs.spec import RunSpec

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from migrasim.runs.runner import OnDone

FILE = "calibration.yaml"
_SHARE_TRIED = 0.02  # of the candidates, the least implausible, from which a wave is drawn
_NEAR = 0.75  # of the candidates are drawn around the best vectors, the others over the whole ranges
_STEPS = (0.02, 0.25)  # how far from them, in ranges: from least to most, even on a log scale
_CHANGED = (0.1, 1.0)  # share of the parameters that a step changes, from least to most
_BEST = 0.5  # of a wave are the vectors of which least is expected, the others spread over what is not ruled out


class Screening(BaseModel):
    """How many trajectories Morris' screening takes, and how many parameters stay."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    trajectories: Annotated[int, Field(ge=2)]
    keep: Annotated[int, Field(ge=1)]


class Plan(BaseModel):
    """What a fit does; the keys of ``fit/calibration.yaml`` of a region."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    schema_version: int
    scenario: str
    sample: Annotated[float, Field(gt=0, le=1)]
    luck: Annotated[int, Field(ge=0)]
    seed: Annotated[int, Field(ge=0)]
    parameters: dict[str, Pair]
    start: dict[str, float] = Field(default_factory=dict)
    never: tuple[str, ...]
    first_wave: Annotated[int, Field(ge=8)]
    screening: Screening
    waves: Annotated[int, Field(ge=0)]
    vectors: Annotated[int, Field(ge=1)]
    candidates: Annotated[int, Field(ge=100)]
    ensemble: Annotated[int, Field(ge=1)]
    not_implausible: Annotated[float, Field(ge=1)]

    @staticmethod
    def load(region: Region) -> Plan:
        """The plan of a region's fit.

        Raises
        ------
        InputError
            For wrong keys, facts that may not be fitted, and ranges that leave those of the facts.
        """
        path = region.folder / FIT / FILE
        file = f"{region.name}/{FIT}/{FILE}"
        data = read_mapping(path, file)
        plan = validated(Plan, data, file, FILE)
        book = FactBook.load()
        book.check_overrides({name: low for name, (low, _) in plan.parameters.items()}, file)
        for name, (low, high) in plan.parameters.items():
            fact = book[name]
            if any(fnmatch(name, each) for each in plan.never):
                raise InputError(f"{file}: parameters.{name}: stands on the list of what is never fitted")
            if fact.low is None or fact.high is None or not fact.low <= low < high <= fact.high:
                raise InputError(
                    f"{file}: parameters.{name}: [{low:g}, {high:g}] is not within the fact's range "
                    f"[{fact.low}, {fact.high}]"
                )
        for name, number in plan.start.items():
            low, high = plan.parameters.get(name, (math.nan, math.nan))
            if not low <= number <= high:
                said = f"not within [{low:g}, {high:g}]" if name in plan.parameters else "not among the parameters"
                raise InputError(f"{file}: start.{name}: {number:g} is {said}")
        return plan


def specs(plan: Plan, vectors: DataFrame) -> list[RunSpec]:
    """Two runs a vector: from each base year to the last year that it is compared with."""
    return [
        RunSpec(
            plan.scenario,
            label=f"vector {number}, from {base}",
            seed=plan.luck,
            sample=plan.sample,
            base=base,
            until=until,
            parameters={str(name): float(number) for name, number in vector.items()},
        )
        for number, vector in vectors.iterrows()
        for base, until in patterns.SPANS.items()
    ]


@dataclass
class Fit:
    """What a fit found.

    Attributes
    ----------
    plan, table
        What was asked for, and the published series with ``use == "fit"``.
    vectors, values
        All vectors that were run (a row a vector) and their series (a row per row of `table`, a column a vector).
    wave
        Wave of every vector.
    screening
        Morris' effects on implausibility by parameter, largest first.
    implausibility
        Of every vector by pattern, with the luck of its run.
    kept
        Parameters that the later waves varied.
    ensemble
        Numbers of the vectors that are kept, the best first; see `keep`.
    """

    plan: Plan
    table: DataFrame
    vectors: DataFrame
    values: DataFrame
    wave: Series[int]
    screening: DataFrame
    implausibility: DataFrame
    kept: tuple[str, ...]
    ensemble: list[int]

    @property
    def cutoff(self) -> float:
        """The largest overall implausibility of a vector that is kept."""
        return float(overall(self.implausibility).loc[self.ensemble].max())


def overall(by_pattern: DataFrame) -> Series[float]:
    """One number a vector: the root of the mean square over the patterns."""
    squares = by_pattern**2
    mean: Series[float] = squares.mean(axis=1) ** 0.5
    return mean


Evaluate = Callable[["DataFrame", int], "DataFrame"]
"""From vectors and the number of their wave to their series: a row per row of the table, a column a vector."""


def fit(plan: Plan, table: DataFrame, evaluate: Evaluate) -> Fit:
    """Run the waves, screen, emulate, and choose the vectors that are kept.

    Parameters
    ----------
    plan
        What to do.
    table
        Published series; rows with another use than ``fit`` are not looked at.
    evaluate
        Makes the runs; see `by_batch`.
    """
    import pandas as pd

    table = table[table["use"] == "fit"]
    vectors = first_vectors(plan)
    values = evaluate(vectors, 1).loc[table.index]
    wave = pd.Series(1, index=vectors.index)
    emulators = Emulators.fit(vectors, values, table, plan.parameters)
    screening = screen(plan, emulators)
    kept = {name: plan.parameters[name] for name in screening["name"].head(plan.screening.keep)}
    for number in range(2, plan.waves + 2):
        emulators = Emulators.fit(vectors, values, table, kept)
        best = ranking(values, table, emulators.luck())
        more = next_vectors(plan, emulators, vectors.loc[best.index], number)
        values = pd.concat([values, evaluate(more, number).loc[table.index]], axis=1)
        vectors = pd.concat([vectors, more])
        wave = pd.concat([wave, pd.Series(number, index=more.index)])
    luck = Emulators.fit(vectors, values, table, kept).luck()
    best = ranking(values, table, luck)
    chosen = keep(plan, vectors, best)
    found = implausibility(values, table, luck)
    return Fit(plan, table, vectors, values, wave, screening, found, tuple(kept), chosen)


def keep(plan: Plan, vectors: DataFrame, best: Series[float]) -> list[int]:
    """Numbers of the vectors that ship: the best, and others far from one another that are not implausible.

    Not implausible is what is no worse than so many times the best (`Plan.not_implausible`). The forty best would lie
    beside one another and say little of what the record leaves open.
    """
    open_ = best.index[best <= plan.not_implausible * best.iloc[0]]
    if len(open_) < plan.ensemble:
        open_ = best.index[: plan.ensemble]
    rows = _spread(scaled(vectors.loc[open_], plan.parameters), plan.ensemble)
    return [int(open_[row]) for row in rows]


def ranking(values: DataFrame, table: DataFrame, luck: Series[float]) -> Series[float]:
    """Overall implausibility of vectors, the best first."""
    return overall(implausibility(values, table, luck)).sort_values(kind="stable")


def first_vectors(plan: Plan) -> DataFrame:
    """The first wave: a Latin hypercube over all ranges, and the vector to start from where the plan names one."""
    import pandas as pd

    cube = spread(plan.parameters, plan.first_wave, "latin_hypercube", plan.seed)
    if plan.start:  # parameters that it does not name stand in the middle
        one = [plan.start.get(name, (low + high) / 2.0) for name, (low, high) in plan.parameters.items()]
        cube = np.vstack([cube, [one]])
    return pd.DataFrame(cube, columns=list(plan.parameters))


def screen(plan: Plan, emulators: Emulators) -> DataFrame:
    """Morris' effects of the parameters on overall implausibility, by the emulators of the first wave."""
    points = spread(plan.parameters, plan.screening.trajectories, "morris", plan.seed)
    import pandas as pd

    frame = pd.DataFrame(points, columns=list(plan.parameters))
    found: Array = np.asarray(overall(emulators.implausibility(frame)), np.float64)
    return morris_effects(plan.parameters, points, found)


def next_vectors(plan: Plan, emulators: Emulators, ranked: DataFrame, wave: int) -> DataFrame:
    """Vectors of a later wave, from many candidates that the emulators judge.

    A quarter of the candidates lie anywhere in the ranges, the others a shorter or longer step from one of the best
    vectors so far; parameters that were screened out stay at the best vector's. Half of the wave are those from which
    the least implausibility is expected, and half are spread over those that are least ruled out, which counts what
    the emulators do not know in their favour: the first finds better vectors, the second what else there may be.
    """
    rng = np.random.default_rng([plan.seed, wave])
    names = list(emulators.names)
    size = int(plan.candidates * _NEAR)
    anywhere = _cube(len(names), plan.candidates - size, rng)
    leaders = scaled(ranked.head(max(4, len(ranked) // 10)), emulators.ranges)
    shortest, longest = _STEPS
    step = shortest * (longest / shortest) ** rng.random((size, 1)) * rng.normal(0.0, 1.0, (size, len(names)))
    changed = rng.random((size, len(names))) < rng.uniform(*_CHANGED, (size, 1))
    near = leaders[rng.integers(0, len(leaders), size)] + np.where(changed, step, 0.0)
    unit = np.vstack([anywhere, np.clip(near, 0.0, 1.0)])
    low, high = np.array(list(emulators.ranges.values()), np.float64).T
    import pandas as pd

    frame = pd.DataFrame(np.tile(ranked.iloc[0].to_numpy(np.float64), (len(unit), 1)), columns=ranked.columns)
    frame[names] = low + unit * (high - low)
    ruled_out, expected = (overall(each).to_numpy() for each in emulators.judge(frame))
    few = int(_SHARE_TRIED * len(unit))
    best = int(plan.vectors * _BEST)
    promising = np.argsort(expected, kind="stable")[: max(best, few // 4)]
    likely = promising[_spread(unit[promising], best)]
    open_ = np.argsort(ruled_out, kind="stable")[: max(plan.vectors, few)]
    others = open_[_spread(unit[open_], plan.vectors)]
    rows = np.concatenate([likely, others[~np.isin(others, likely)]])[: plan.vectors]
    chosen = frame.iloc[rows]
    start = int(ranked.index.max()) + 1
    return chosen.set_axis(range(start, start + len(chosen)), axis=0)


def _spread(points: Array, count: int) -> list[int]:
    """Rows that lie far from one another, the first one first (greedy maximin)."""
    chosen = [0]
    distance = np.linalg.norm(points - points[0], axis=1)
    while len(chosen) < min(count, len(points)):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return chosen


def _cube(dimensions: int, count: int, rng: np.random.Generator) -> Array:
    from scipy.stats import qmc

    return np.asarray(qmc.LatinHypercube(dimensions, rng=rng).random(count))


def by_batch(
    plan: Plan, table: DataFrame, folder: Path, *, workers: int | None = None, on_done: OnDone | None = None
) -> Evaluate:
    """Make the runs of each wave through a batch that grows in `folder`; what is there is not made again."""

    def evaluate(vectors: DataFrame, wave: int) -> DataFrame:
        return values_of(plan, table, vectors, folder / f"wave-{wave}", workers=workers, on_done=on_done)

    return evaluate


def check_folder(folder: Path, named: Callable[[str], bool]) -> None:
    """Refuse a folder that holds anything but the batches of a fit or a judgement.

    Parameters
    ----------
    folder
        Where runs would be kept, each batch in a folder of its own.
    named
        Whether a folder inside is called as one of them.

    Raises
    ------
    InputError
        Naming what lies there; nothing is changed.
    """
    if not standing(folder).is_dir():
        raise InputError(f"--folder: {standing(folder)} is a file; a folder is expected")
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    for one in there:
        if not (one.is_dir() and named(one.name)):
            raise InputError(
                f"--folder: {folder} holds something other than runs of this command ({one.name}); give an empty or a "
                "new one"
            )


def values_of(
    plan: Plan,
    table: DataFrame,
    vectors: DataFrame,
    folder: Path,
    *,
    workers: int | None = None,
    on_done: OnDone | None = None,
) -> DataFrame:
    """Series of vectors, run through a batch in a folder: a row per row of `table`, a column a vector."""
    import pandas as pd

    asked = specs(plan, vectors)
    found = patterns.of_batch(table, asked, folder, workers=workers, on_done=on_done)
    each = len(patterns.SPANS)
    columns = {
        number: pd.concat(found[each * i : each * (i + 1)]).reindex(table.index)
        for i, number in enumerate(vectors.index)
    }
    return pd.DataFrame(columns)
