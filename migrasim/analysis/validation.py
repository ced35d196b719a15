"""Judge the model: patterns, forecasts against benchmarks, and whether bands cover what they say.

The fit's own runs (`shipping.TRIED`) show what the parameters leave open, and how counties are forecast without their
data (`backtests`). The runs of this module are those of the best vector under several lucks (chance), and one of the
fit made again: whether the model is still the one that was fitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from migrasim.analysis import experiments, patterns
from migrasim.analysis.backtests import MODEL, backtest_benchmarks, backtest_counties, backtest_years
from migrasim.analysis.benchmarks import CONFIDENCE
from migrasim.analysis.calibration import Plan
from migrasim.analysis.calibration import specs as vector_specs
from migrasim.analysis.intervals import reach
from migrasim.analysis.shipping import Tried, read_tried
from migrasim.core.errors import InputError
from migrasim.region import Region
from migrasim.runs.result import check_share
from migrasim.runs.simulate import collect, prepare
from migrasim.runs.spec import RunSpec

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from migrasim.analysis.experiments import Check
    from migrasim.runs.runner import OnDone

SCENARIO = "status_quo"
FOLDERS = ("patterns", "again", "checks", "ablations")  # of the runs, in the folder of a request


@dataclass(frozen=True)
class Request:
    """What to judge, and on how much.

    Attributes
    ----------
    folder
        Keeps the runs.
    sample
        Share of the households.
    lucks
        Runs of the best vector.
    workers
        Processes.
    experiments
        Whether P14 to P18 are performed.
    ablations
        Shares of the households for the ablations, the first for those that leave a part out; none where empty.
    """

    folder: Path
    sample: float = 0.1
    lucks: int = 5
    workers: int | None = None
    experiments: bool = False
    ablations: tuple[float, ...] = ()


def check_request(request: Request) -> None:
    """Refuse what cannot be judged.

    Raises
    ------
    InputError
        Naming the option.
    """
    check_share(request.sample, "--sample")
    for share in request.ablations:
        check_share(share, "--ablations")
    if request.lucks < 2:
        raise InputError(f"--lucks: {request.lucks} is not allowed; allowed: 2 and more, or nothing tells of chance")


class Judgement(NamedTuple):
    """What was found.

    Attributes
    ----------
    patterns
        Published series with ``simulated`` (best vector, mean of its lucks), ``chance_low, chance_high`` (90 percent
        of the luck of one run) and ``low_parameters, high_parameters`` (5 to 95 percent of the ensemble), ``inside``.
    ranks
        See `patterns.ranks_kept`.
    backtests
        See `backtest_counties`, `backtest_years`: ``test, what, method, cases, error, interval_score, covered``.
    coverage
        See `coverage`.
    drift
        See `still_the_same`; None where nothing was fitted.
    checks, ablations
        See `migrasim.analysis.experiments`; empty and None where not asked for.
    request, vectors
        What was asked for; how many vectors the ensemble has (0 where nothing was fitted).
    """

    patterns: DataFrame
    ranks: DataFrame
    backtests: DataFrame
    coverage: DataFrame
    request: Request
    vectors: int
    checks: list[Check]
    ablations: DataFrame | None
    drift: float | None


def validate(request: Request, on_done: OnDone | None = None) -> Judgement:
    """Make the runs that are missing and judge them.

    Raises
    ------
    InputError
        Where runs failed or the folder holds others.
    """
    import pandas as pd

    check_request(request)
    region = Region.only()
    table = patterns.series(region)
    tried = read_tried(region, table)
    best = _lucks(request, table, region, on_done)
    begun = start_values(table)
    best.loc[begun.index] = np.repeat(begun.to_numpy()[:, None], best.shape[1], axis=1)
    members = best.copy()
    if tried is not None:  # series of the start hang on no parameter, and the fit does not look at them
        members = tried.values[tried.kept].reindex(table.index).apply(lambda one: one.fillna(best.mean(axis=1)))
    found = patterns.judged(table, best)
    chance = best.std(axis=1, ddof=1)
    half = reach(request.lucks) * chance  # of a run under another luck
    found = found.assign(
        chance_low=found["simulated"] - half,
        chance_high=found["simulated"] + half,
        low_parameters=members.quantile(0.05, axis=1),
        high_parameters=members.quantile(0.95, axis=1),
    ).drop(columns=["simulated_low", "simulated_high"])
    tests = [backtest_benchmarks(region)]
    if tried is not None:
        values = tried.values
        tests += [
            backtest_counties(table, values, region, half),
            backtest_years(table, values, region, half),
        ]
    performed, ablated = [], None
    if request.experiments:
        performed = experiments.checks(request.folder / "checks", sample=request.sample, workers=request.workers)
    if request.ablations:
        first, *others = request.ablations
        ablated = experiments.ablations(
            request.folder / "ablations", sample=first, samples=tuple(others), workers=request.workers, on_done=on_done
        )
    return Judgement(
        found,
        patterns.ranks_kept(found),
        pd.concat(tests, ignore_index=True),
        coverage(found, members, half),
        request,
        len(region.ensemble),
        performed,
        ablated,
        None if tried is None else still_the_same(request, table, region, tried, on_done),
    )


def _lucks(request: Request, table: DataFrame, region: Region, on_done: OnDone | None) -> DataFrame:
    """Series of the best vector (the priors where nothing was fitted), a column a luck."""
    specs = [
        RunSpec(SCENARIO, label=f"luck {luck}", seed=luck, sample=request.sample, base=base, until=until)
        for luck in range(request.lucks)
        for base, until in patterns.SPANS.items()
    ]
    return _values(table, specs, request, "patterns", on_done)


def start_values(table: DataFrame) -> Series[float]:
    """Series of the base year 2020: those of the whole population, which no sample blurs and no parameter moves."""
    base = max(patterns.SPANS)
    ready = prepare(SCENARIO, base=base, until=base + 1, sample=1.0)
    return patterns.simulated(table[(table["base"] == base) & (table["year"] == base)], collect(ready))


def still_the_same(
    request: Request, table: DataFrame, region: Region, tried: Tried, on_done: OnDone | None = None
) -> float:
    """Largest difference, in half tolerances, between a run of the fit and the same run made by this version.

    0 where the model is the one that was fitted.
    """
    plan = Plan.load(region)
    best = tried.kept[0]
    specs = vector_specs(plan, tried.vectors.loc[[best]])
    again = _values(table, specs, request, "again", on_done)[0]
    rows = tried.values.index
    half = (table["high"] - table["low"]).loc[rows] / 2.0
    return float(((again.loc[rows] - tried.values[best]).abs() / half).max())


def _values(table: DataFrame, specs: list[RunSpec], request: Request, name: str, on_done: OnDone | None) -> DataFrame:
    """Series of runs that come in pairs, one from each base year: a column a pair."""
    import pandas as pd

    parts = patterns.of_batch(table, specs, request.folder / name, workers=request.workers, on_done=on_done)
    each = len(patterns.SPANS)
    columns = [pd.concat(parts[i : i + each]).reindex(table.index) for i in range(0, len(parts), each)]
    return pd.DataFrame(dict(enumerate(columns)))


def coverage(judged: DataFrame, members: DataFrame, luck: Series[float]) -> DataFrame:
    """How many published series lie in the model's bands of 90 percent, with the binomial interval.

    `luck` is the half of the band of chance.

    Returns
    -------
    DataFrame
        ``use, series, covered, share, low, high`` (95 percent, Clopper and Pearson) by use. Series of the base year are
        left out: no parameter and no luck moves them.
    """
    import pandas as pd
    from scipy.stats import binomtest

    half = np.hypot(reach(members.shape[1]) * members.std(axis=1, ddof=1).fillna(0.0), luck)
    centre = members.mean(axis=1)
    covered = (judged["published"] >= centre - half) & (judged["published"] <= centre + half)
    moves = judged["year"] > judged["base"]
    groups: Mapping[str, Series[bool]] = {
        str(use): covered[moves & (judged["use"] == use)] for use in judged["use"][moves].unique()
    }
    rows = []
    for use, each in groups.items():
        test = binomtest(int(each.sum()), len(each)).proportion_ci(0.95, "exact")
        rows.append((use, len(each), int(each.sum()), float(each.mean()), float(test.low), float(test.high)))
    return pd.DataFrame(rows, columns=["use", "series", "covered", "share", "low", "high"])


def aims(found: Judgement) -> DataFrame:
    """The aims, what was reached, and whether that is enough: ``aim, reached, met``."""
    import pandas as pd

    rows: list[tuple[str, str, bool]] = []
    start = found.patterns[found.patterns["use"] == "start"]
    rows.append(
        ("every start series near enough", f"{int(start['inside'].sum())} of {len(start)}", bool(start["inside"].all()))
    )
    fitted = found.patterns[found.patterns["use"] == "fit"]
    by_pattern = fitted.groupby("pattern")["inside"].mean()
    series, share = float(fitted["inside"].mean()), float((by_pattern >= 0.8).mean())
    rows.append(("80 percent of the fitted series near enough", f"{series:.0%}", series >= 0.8))
    rows.append(("80 percent of the fitted patterns near enough", f"{share:.0%} (of {len(by_pattern)})", share >= 0.8))
    left_out = found.backtests[found.backtests["test"].str.startswith("a county")]
    for what, group in left_out.groupby("what", sort=False):
        error = group.set_index("method")["error"]
        if MODEL in error:
            rest = error.drop(MODEL)
            ratio = float(error[MODEL] / rest.min())
            rows.append(
                (
                    f"county error of {what} half of the best benchmark's",
                    f"{ratio:.2f} of {rest.idxmin()}",
                    ratio <= 0.5,
                )
            )
    band = found.coverage.set_index("use").loc["fit"]
    rows.append((
        "bands of 90 percent cover 90 percent of the fitted series",
        f"{band['share']:.0%} ({band['low']:.0%} to {band['high']:.0%})",
        bool(band["low"] <= CONFIDENCE <= band["high"]),
    ))  # fmt: skip
    return pd.DataFrame(rows, columns=["aim", "reached", "met"])
