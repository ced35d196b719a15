"""Which uncertain numbers a result hangs on, over their whole ranges at once: Morris first, then Sobol.

Morris' screening moves one number after another from many starting points and is cheap: it tells what
can be left out. Sobol's indices then say which share of the variance each of the rest explains alone
(`first`) and with all others (`total`). Both by SALib, with intervals at 90 percent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pandas import DataFrame

from migrasim.analysis.levers import measured
from migrasim.core.errors import InputError, nearest
from migrasim.facts import FactBook
from migrasim.runs.points import MORRIS_LEVELS, Ranges, problem, spread
from migrasim.runs.runner import OnDone, yearly
from migrasim.runs.spec import RunSpec

CONFIDENCE = 0.9
Method = Literal["morris", "sobol"]
Array = np.ndarray[Any, np.dtype[np.float64]]


def morris_effects(ranges: Ranges, points: Array, values: Array) -> DataFrame:
    """Elementary effects: ``name, effect, low, high, mean, spread``, largest first.

    ``effect`` is the mean size of what moving the number through its range does, ``mean`` the same with its sign, and a
    ``spread`` as large as the effect tells of bends or company.
    """
    from SALib.analyze import morris

    found = morris.analyze(problem(ranges), points, values, conf_level=CONFIDENCE, num_levels=MORRIS_LEVELS, seed=0)
    effect, half = np.asarray(found["mu_star"]), np.asarray(found["mu_star_conf"])
    frame = DataFrame(
        {
            "name": list(ranges),
            "effect": effect,
            "low": np.maximum(0.0, effect - half),
            "high": effect + half,
            "mean": np.asarray(found["mu"]),
            "spread": np.asarray(found["sigma"]),
        }
    )
    return frame.sort_values("effect", ascending=False, kind="stable", ignore_index=True)


def sobol_indices(ranges: Ranges, values: Array) -> DataFrame:
    """Shares of the variance: ``name, first, first_low, first_high, total, total_low, total_high``, by total."""
    from SALib.analyze import sobol

    if not np.ptp(values):
        zero = dict.fromkeys(
            ("first", "first_low", "first_high", "total", "total_low", "total_high"), np.zeros(len(ranges))
        )
        return DataFrame({"name": list(ranges), **zero})
    found = sobol.analyze(problem(ranges), values, calc_second_order=False, conf_level=CONFIDENCE, seed=0)
    columns: dict[str, Any] = {"name": list(ranges)}
    for name, key in (("first", "S1"), ("total", "ST")):
        index, half = np.asarray(found[key]), np.asarray(found[f"{key}_conf"])
        columns |= {name: index, f"{name}_low": index - half, f"{name}_high": index + half}
    return DataFrame(columns).sort_values("total", ascending=False, kind="stable", ignore_index=True)


def of_function(
    function: Callable[[Array], Array], ranges: Ranges, size: int, method: Method = "sobol", seed: int = 0
) -> DataFrame:
    """Sensitivity of any function of an array of points."""
    points = spread(ranges, size, method, seed)
    values = np.asarray(function(points), np.float64)
    return morris_effects(ranges, points, values) if method == "morris" else sobol_indices(ranges, values)


def ranges_of(facts: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Ranges of facts by id.

    Raises
    ------
    InputError
        For an unknown fact, one without a range, and one that no rule reads.
    """
    book = FactBook.load()
    found = {}
    for name in facts:
        fact = book[name]
        if fact.range is None or fact.range[0] == fact.range[1]:
            raise InputError(f"sensitivity: {name} has no range")
        if not fact.used or fact.domain == "population":
            raise InputError(f"sensitivity: {name} cannot be moved in a run")
        found[name] = fact.range
    if not found:
        raise InputError("sensitivity: at least one fact is needed")
    return found


def sensitivity(
    facts: Iterable[str],
    scenario: str = "plan",
    indicator: str = "urbanization_rate",
    *,
    reference: str | None = None,
    method: Method = "morris",
    size: int = 8,
    year: int = 2035,
    seed: int = 0,
    share: float = 0.1,
    workers: int | None = None,
    keep: Path | None = None,
    on_done: OnDone | None = None,
) -> DataFrame:
    """Run a scenario over the ranges of facts and tell which of them matter; see `morris_effects`, `sobol_indices`.

    Parameters
    ----------
    facts : ids of uncertain facts
    scenario, indicator, year : what is looked at; ``cost_yuan`` is public cost summed from 2021 on
    reference : scenario that is taken off, run with the same facts and luck, so that an effect is looked at
    method, size, seed : of the design; all runs share the luck of `seed`
    share : of the households
    workers, keep, on_done : as for `migrasim.analysis.band.band`

    Raises
    ------
    InputError : for facts that cannot be moved, and an indicator that is none
    """
    ranges = ranges_of(facts)
    points = spread(ranges, size, method, seed)
    scenarios = [scenario] if reference is None else [scenario, reference]
    specs = [
        RunSpec(
            name,
            label=f"{name}, point {number}",
            seed=seed,
            sample=share,
            until=year,
            parameters=dict(zip(ranges, map(float, point), strict=True)),
        )
        for name in scenarios
        for number, point in enumerate(points)
    ]
    frames = yearly(specs, keep, workers=workers, on_done=on_done)
    if indicator not in ("cost_yuan", *frames[0].columns):
        allowed = [str(name) for name in frames[0].columns]
        raise InputError(f"sensitivity: '{indicator}' is no indicator. {nearest(indicator, allowed)}".rstrip())
    values = np.array([measured(frame, indicator, year) for frame in frames]).reshape(len(scenarios), -1)
    result = values[0] if reference is None else values[0] - values[1]
    return morris_effects(ranges, points, result) if method == "morris" else sobol_indices(ranges, result)


def words(frame: DataFrame, what: str, shown: int = 5) -> str:
    """The result in a paragraph: what matters most, and what does not matter."""
    screening = "effect" in frame
    name, low = ("effect", "low") if screening else ("total", "total_low")
    rows: Sequence[dict[Any, Any]] = frame.head(shown).to_dict("records")
    high = "high" if screening else "total_high"
    each = ", ".join(f"{row['name']} {row[name]:.3g} ({row[low]:.3g} to {row[high]:.3g})" for row in rows)
    quiet = int((frame[low] <= 0).sum())
    how = "mean size of the effect over the range" if screening else "share of the variance, with all company"
    return f"{what} hangs most on {each} ({how}, 90 percent); for {quiet} of {len(frame)} numbers nothing was found."
