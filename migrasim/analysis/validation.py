"""Judge the model: patterns, forecasts against benchmarks, and whether bands cover what they say.

The fit's own runs (`shipping.TRIED`) hold every county's series for every vector that was tried, so a
county can be left out and the vectors be ranked without it: forecasts for it are then made without
its data, and no run is needed. The same runs show what the parameters leave open. The runs of this
module are those of the best vector under several lucks (chance), and one of the fit made again: whether
the model is still the one that was fitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from migrasim.analysis import experiments, patterns
from migrasim.analysis.benchmarks import BENCHMARKS, CONFIDENCE, Towns, interval, interval_score
from migrasim.analysis.calibration import Plan, ranking
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
_MODEL = "migrasim"
FOLDERS = ("patterns", "again", "checks", "ablations")  # of the runs, in the folder of a request
_FORECASTERS = 10  # vectors, the least implausible without what is to be forecast


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
            backtest_counties(table, values, chance, region, half),
            backtest_years(table, values, chance, region, half),
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


def towns_of(region: Region) -> tuple[list[str], Towns]:
    """Names of the counties, and their residents in towns and villages at the first base year and the second."""
    first, second = sorted(patterns.SPANS)
    counts = [
        region.census(base, name).astype(float) for base in (first, second) for name in ("urban_pop", "rural_pop")
    ]
    return list(region.county_names), Towns(*counts)


def backtest_benchmarks(region: Region) -> DataFrame:
    """Benchmarks' forecasts of every county from the change of the others, 2010 to 2020."""
    names, towns = towns_of(region)
    rows = []
    for method, forecast in BENCHMARKS.items():
        for i in range(len(names)):
            others = towns.take([j for j in range(len(names)) if j != i])
            found = forecast(float(towns.urban[i]), float(towns.rural[i]), others)
            for what, mean, sd in (
                ("urban residents", found.urban, found.urban_sd),
                ("rural residents", found.rural, found.rural_sd),
                ("rate", found.rate, found.rate_sd),
            ):
                rows.append((method, what, mean, *interval(mean, sd, len(names) - 1), _later(towns, what, i)))
    return _scores(rows, "a county left out, 2010 to 2020")


def _later(towns: Towns, what: str, i: int) -> float:
    column = {"urban residents": towns.urban_later, "rural residents": towns.rural_later, "rate": towns.rate_later}
    return float(column[what][i])


def backtest_counties(
    table: DataFrame, values: DataFrame, chance: Series[float], region: Region, half: Series[float]
) -> DataFrame:
    """The model's forecasts of every county by the vectors that are best without that county's series.

    `chance` is the standard deviation of luck, `half` what a run under another luck differs by from the mean (90
    percent).
    """
    names, towns = towns_of(region)
    fitted = table[table["use"] == "fit"]
    rows = []
    for i, name in enumerate(names):
        seen = fitted[(fitted["place"] != name) & (fitted["level"] != "prefecture") | (fitted["base"] == 2020)]
        chosen = ranking(values, seen, chance**2).index[:_FORECASTERS]
        ends = {}
        for what, measure, start in (
            ("urban residents", "urban_change", towns.urban[i]),
            ("rural residents", "rural_change", towns.rural[i]),
        ):
            row = fitted.index[(fitted["measure"] == measure) & (fitted["place"] == name)][0]
            ends[what] = start + values.loc[row, chosen].to_numpy(np.float64), float(half[row])
        (urban, urban_half), (rural, rural_half) = ends["urban residents"], ends["rural residents"]
        rate = urban / (urban + rural)
        total = float((urban + rural).mean())
        rate_half = float(np.hypot(urban_half * (1 - rate.mean()), rural_half * rate.mean()) / total)
        for what, found, luck in (
            ("urban residents", urban, urban_half), ("rural residents", rural, rural_half), ("rate", rate, rate_half),
        ):  # fmt: skip
            rows.append((_MODEL, what, float(found.mean()), *_band(found, luck), _later(towns, what, i)))
    return _scores(rows, "a county left out, 2010 to 2020")


def backtest_years(
    table: DataFrame, values: DataFrame, chance: Series[float], region: Region, half: Series[float]
) -> DataFrame:
    """Forecasts of 2021 and 2022 by what was known in 2020: the model's vectors that are best in 2010 to 2020."""
    fitted = table[table["use"] == "fit"]
    chosen = ranking(values, fitted[fitted["base"] == 2010], chance**2).index[:_FORECASTERS]
    _, towns = towns_of(region)
    total = Towns(
        *(np.array([each.sum()]) for each in (towns.urban, towns.rural, towns.urban_later, towns.rural_later))
    )
    rows = []
    for measure, what in (
        ("urban_population", "urban residents"), ("resident_population", "residents"), ("urbanization_rate", "rate"),
    ):  # fmt: skip
        mine = fitted[(fitted["measure"] == measure) & (fitted["base"] == 2020)]
        for index, year, came in zip(mine.index, mine["year"].tolist(), mine["published"].tolist(), strict=True):
            found = np.asarray(values.loc[index, chosen], np.float64)
            rows.append((_MODEL, what, float(found.mean()), *_band(found, float(half[index])), came))
            for method, mean in _decade_on(total, int(year) - 2020, what).items():
                rows.append((method, what, mean, np.nan, np.nan, came))
    return _scores(rows, "the prefecture, 2020 to 2022")


def _decade_on(total: Towns, years: int, what: str) -> dict[str, float]:
    """Benchmarks that carry the change of ten years on, a tenth of it a year."""
    urban, rural = float(total.urban_later[0]), float(total.rural_later[0])
    part = years / 10.0
    grown = {
        "no change": (urban, rural, urban / (urban + rural)),
        "linear": (
            urban + part * (urban - float(total.urban[0])),
            rural + part * (rural - float(total.rural[0])),
            float(total.rate_later[0] + part * (total.rate_later[0] - total.rate[0])),
        ),
    }
    growth = ((urban + rural) / float(total.urban[0] + total.rural[0])) ** part
    for method, slowing in (("UN growth difference", 1.0), ("convergent UN", 1.0 - years / 25.0)):
        odds = urban / rural * np.exp(part * slowing * float(total.difference[0]))
        rate = float(odds / (1.0 + odds))
        grown[method] = ((urban + rural) * growth * rate, (urban + rural) * growth * (1.0 - rate), rate)
    parts = {"urban residents": (0,), "residents": (0, 1), "rate": (2,)}[what]
    return {method: float(sum(each[i] for i in parts)) for method, each in grown.items()}


def _band(found: np.ndarray[Any, Any], luck: float) -> tuple[float, float]:
    """Ends at 90 percent: what parameters leave open, and `luck`, the half of the band of chance."""
    half = float(np.hypot(reach(len(found)) * found.std(ddof=1), luck))
    return float(found.mean()) - half, float(found.mean()) + half


def _scores(rows: list[tuple[str, str, float, float, float, float]], test: str) -> DataFrame:
    """Mean absolute error, mean interval score and how many intervals hold what came, by method."""
    import pandas as pd

    frame = pd.DataFrame(rows, columns=["method", "what", "mean", "low", "high", "came"])
    frame["error"] = (frame["mean"] - frame["came"]).abs()
    frame["bias"] = frame["mean"] - frame["came"]
    frame["interval_score"] = [
        interval_score(low, high, came) for low, high, came in frame[["low", "high", "came"]].to_numpy(np.float64)
    ]
    frame["covered"] = ((frame["came"] >= frame["low"]) & (frame["came"] <= frame["high"])).astype(float)
    frame.loc[frame["low"].isna(), ["interval_score", "covered"]] = np.nan
    grouped = frame.groupby(["what", "method"], sort=False)
    found = grouped[["error", "bias", "interval_score", "covered"]].mean().assign(cases=grouped.size()).reset_index()
    return found.assign(test=test)[["test", "what", "method", "cases", "error", "bias", "interval_score", "covered"]]


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
        if _MODEL in error:
            rest = error.drop(_MODEL)
            ratio = float(error[_MODEL] / rest.min())
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
