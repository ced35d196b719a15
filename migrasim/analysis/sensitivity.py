"""Which uncertain numbers a result hangs on, over their whole ranges at once: Morris first, then Sobol.

Morris' screening moves one number after another from many starting points and is cheap: it tells what
can be left out. Sobol's indices then say which share of the variance each of the rest explains alone
(`first`) and with all others (`total`). Both by SALib, with intervals at 90 percent: what its bootstrap tells, made
wider as few draws ask for (Student's t), and for what is never negative reaching up on the scale of the logarithm.
A test holds them against functions whose indices are known; from fewer than `ENOUGH` base points Sobol's hold less
often, which is said wherever they are shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from pandas import DataFrame
from scipy import stats

from migrasim.analysis.finished import Finished, Measure, Varied
from migrasim.core.errors import InputError, nearest
from migrasim.runs.design import LEVEL, NO_SHARED_LUCK, UNCERTAIN, shares_no_luck
from migrasim.runs.points import MORRIS_LEVELS, Ranges, problem, spread

CONFIDENCE = 0.9
ENOUGH = 64  # base points of Sobol from which intervals hold as often as they say
_DRAWS = 60
_IN_SLICE = 12  # points that a slice of PAWN should hold
Method = Literal["morris", "sobol"]
Array = np.ndarray[Any, np.dtype[np.float64]]


def morris_effects(ranges: Ranges, points: Array, values: Array) -> DataFrame:
    """Elementary effects: ``name, effect, low, high, mean, spread``, largest first.

    ``effect`` is the mean size of what moving the number through its range does, ``mean`` the same with its sign, and a
    ``spread`` as large as the effect tells of bends or company.
    """
    from SALib.analyze import morris

    found = morris.analyze(problem(ranges), points, values, conf_level=CONFIDENCE, num_levels=MORRIS_LEVELS, seed=0)
    effect = np.asarray(found["mu_star"])
    half = np.asarray(found["mu_star_conf"]) * _wider(len(points) // (len(ranges) + 1))
    frame = DataFrame(
        {
            "name": list(ranges),
            "effect": effect,
            "low": np.maximum(0.0, effect - half),
            "high": _above(effect, half),
            "mean": np.asarray(found["mu"]),
            "spread": np.asarray(found["sigma"]),
        }
    )
    return frame.sort_values("effect", ascending=False, kind="stable", ignore_index=True)


def sobol_indices(ranges: Ranges, values: Array) -> DataFrame:
    """Shares of the variance: ``name, first, first_low, first_high, total, total_low, total_high``, by total.

    ``draws`` is the number of base points.
    """
    from SALib.analyze import sobol

    draws = len(values) // (len(ranges) + 2)
    if not np.ptp(values):
        zero = dict.fromkeys(
            ("first", "first_low", "first_high", "total", "total_low", "total_high"), np.zeros(len(ranges))
        )
        return DataFrame({"name": list(ranges), **zero, "draws": draws})
    found = sobol.analyze(problem(ranges), values, calc_second_order=False, conf_level=CONFIDENCE, seed=0)
    columns: dict[str, Any] = {"name": list(ranges)}
    for name, key in (("first", "S1"), ("total", "ST")):
        index = np.asarray(found[key])
        half = np.asarray(found[f"{key}_conf"]) * _wider(draws)
        high = index + half if name == "first" else np.minimum(_above(index, half), np.maximum(1.0, index + half))
        columns |= {name: index, f"{name}_low": index - half, f"{name}_high": high}
    return DataFrame({**columns, "draws": draws}).sort_values(
        "total", ascending=False, kind="stable", ignore_index=True
    )


def _wider(count: int) -> float:
    """What a half width by a normal distribution and as many draws again is multiplied by: there are few draws.

    Examples
    --------
    >>> round(_wider(8), 2), round(_wider(1000), 2)
    (1.23, 1.0)
    """
    upper, count = 0.5 + CONFIDENCE / 2, max(count, 2)
    return float(stats.t.ppf(upper, count - 1) / stats.norm.ppf(upper) * np.sqrt(count / (count - 1)))


def _above(found: Array, half: Array) -> Array:
    """Upper end of what is never negative, on the scale of its logarithm: few draws miss the large ones."""
    return np.asarray(found * np.exp(np.divide(half, found, out=np.zeros_like(half), where=found > 0)))


def of_function(
    function: Callable[[Array], Array], ranges: Ranges, size: int, method: Method = "sobol", seed: int = 0
) -> DataFrame:
    """Sensitivity of any function of an array of points."""
    points = spread(ranges, size, method, seed)
    values = np.asarray(function(points), np.float64)
    return morris_effects(ranges, points, values) if method == "morris" else sobol_indices(ranges, values)


def of_batch(batch: Finished, measure: Measure, against: str | None = None) -> DataFrame:
    """Sensitivity from a finished batch whose levers or parameters are spread over ranges.

    A point is the mean over its replications and futures. From a Latin hypercube or a table PAWN's index is told
    (`pawn_indices`); from Morris' and Sobol's designs their own.

    Parameters
    ----------
    batch, measure
        What is looked at: of the only scenario, or of the last that is named.
    against
        Scenario that is taken off, run at the same points with the same luck.

    Raises
    ------
    InputError
        Where nothing is spread over ranges, or runs are missing.
    """
    values = batch.values(measure)
    if values.isna().any():
        raise InputError(
            f"sensitivity: {int(values.isna().sum())} of {len(values)} runs are missing; run the batch again"
        )
    varied = spread_factors(batch)
    rows = batch.design.assign(value=values)
    if shares_no_luck(varied.kind, varied is batch.about.design, batch.about.luck):
        raise InputError(f"sensitivity: {NO_SHARED_LUCK.format(kind=varied.kind)}")
    if varied is batch.about.parameters:
        result = _by_vector(rows, against)
        key, column = "parameter_set", UNCERTAIN
    else:
        if against is not None:
            raise InputError("against: a design over levers is held against nothing; leave it out")
        rows = rows[rows["point"] >= batch.named]
        result = rows.groupby("point", sort=True)["value"].mean().to_numpy()
        key, column = "point", LEVEL
    one_each = rows.drop_duplicates(key).sort_values(key)
    points = one_each[[f"{column}{name}" for name in varied.names]].to_numpy(np.float64)
    ranges = varied.ranges
    if varied.kind == "morris":
        return morris_effects(ranges, points, result)
    return sobol_indices(ranges, result) if varied.kind == "sobol" else pawn_indices(ranges, points, result)


def spread_factors(batch: Finished) -> Varied:
    """The parameters or the design of a batch, whichever is spread over ranges.

    Raises
    ------
    InputError
        Where neither is, or both are.
    """
    both = [each for each in (batch.about.parameters, batch.about.design) if each is not None and each.ranges]
    if len(both) != 1:
        found = "none is" if not both else "both levers and facts are"
        raise InputError(
            "sensitivity: levers or facts spread over ranges (kind: morris, sobol or latin_hypercube) are "
            "needed, one of "
            f"the two; here {found}"
        )
    return both[0]


def _by_vector(rows: DataFrame, against: str | None) -> Array:
    """Mean of the looked-at scenario by parameter vector, less that of the other one."""
    means = rows.groupby(["scenario", "parameter_set"], sort=False)["value"].mean().unstack("parameter_set")
    names = [str(name) for name in means.index]
    if against is not None and against not in names:
        raise InputError(
            f"against: '{against}' is not in the batch; allowed: {', '.join(names)}. {nearest(against, names)}".rstrip()
        )
    others = [name for name in names if name != against]
    if len(others) != 1:
        more = "" if against is not None else "; name the scenario to take off with --against"
        raise InputError(f"sensitivity: one scenario is looked at, here are {', '.join(others) or 'none'}{more}")
    looked = means.loc[others[0]].sort_index().to_numpy()
    return np.asarray(looked if against is None else looked - means.loc[against].sort_index().to_numpy())


def pawn_indices(ranges: Ranges, points: Array, values: Array) -> DataFrame:
    """How far fixing a number moves the distribution: ``name, distance, low, high``, largest first.

    Median over slices of Kolmogorov and Smirnov's distance (PAWN). The interval is what designs of as many points
    scatter by: points are drawn again, and since a point that is drawn twice moves all distances up, what was drawn
    is shifted so that its median is the distance. `noise` is the distance that a number which does nothing passes in
    one of twenty designs of as many points.
    """
    from SALib.analyze import pawn

    def distances(x: Array, y: Array) -> Array:
        return np.asarray(pawn.analyze(problem(ranges), x, y, S=slices, seed=0)["median"], np.float64)

    # SALib's own steps pass 1 for most numbers of slices; for these they do not
    slices = max(number for number in (2, 4, 8) if number == 2 or number * _IN_SLICE <= len(values))
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(_DRAWS):
        rows = rng.integers(0, len(values), len(values))
        drawn.append(distances(points[rows], values[rows]))
    noise = np.quantile([distances(points, rng.permutation(values)) for _ in range(_DRAWS)], 0.5 + CONFIDENCE / 2)
    found = distances(points, values)
    apart = np.quantile(drawn, [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2], axis=0) - np.median(drawn, axis=0)
    low, high = np.clip(found + apart, 0.0, 1.0)
    columns = {"name": list(ranges), "distance": found, "low": low, "high": high, "noise": noise}
    return DataFrame(columns).sort_values("distance", ascending=False, kind="stable", ignore_index=True)


def quiet(table: DataFrame) -> int:
    """Of how many numbers nothing could be told, in a table of any of the three methods."""
    if "noise" in table:
        return int((table["distance"] <= table["noise"]).sum())
    least = table["low" if "effect" in table else "total_low"]
    return int((least <= 1e-9 * float(table["effect" if "effect" in table else "total"].max())).sum())
