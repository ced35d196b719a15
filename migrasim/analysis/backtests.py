"""Forecasts of what is known by now, made without it: the model's and the benchmarks', and what they missed.

The fit's own runs (`shipping.TRIED`) hold every county's series for every vector that was tried, so a county
can be left out, the vectors be ranked without it, and its change be forecast without its data and without a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from migrasim.analysis import patterns
from migrasim.analysis.benchmarks import BENCHMARKS, Towns, interval, interval_score
from migrasim.analysis.calibration import ranking
from migrasim.analysis.intervals import reach
from migrasim.analysis.missed import Missed
from migrasim.region import Region

if TYPE_CHECKING:
    from pandas import DataFrame, Series

MODEL = "migrasim"
_MEASURES = ("urban_change", "rural_change")
_FORECASTERS = 10  # vectors, the least implausible without what is to be forecast

Array = np.ndarray[Any, np.dtype[np.float64]]


def missed(table: DataFrame, values: DataFrame, region: Region) -> Missed | None:
    """What left-out counties were missed by; see `left_out` for the parameters.

    None where there is no other county to learn from, or the series of one are not fitted.
    """
    names, towns = towns_of(region)
    fitted = table[table["use"] == "fit"]
    known = [set(fitted.loc[fitted["measure"] == measure, "place"]) for measure in _MEASURES]
    if len(names) < 2 or not all(set(names) <= each for each in known):
        return None
    found = left_out(table, values, region)
    urban = np.array([float(found[name].urban.mean()) for name in names])
    rural = np.array([float(found[name].rural.mean()) for name in names])
    errors = urban / (urban + rural) - towns.rate_later
    came = float(towns.urban_later.sum() / (towns.urban_later + towns.rural_later).sum())
    first, second = sorted(patterns.SPANS)
    whole = float(urban.sum() / (urban + rural).sum()) - came
    county = reach(len(names)) * float(np.sqrt((errors**2).mean()))
    return Missed(second - first, dict(zip(names, errors.tolist(), strict=True)), whole, county)


class LeftOut(NamedTuple):
    """Residents of a county in towns and in villages at the second census, a number a vector; rows of their series."""

    urban: Array
    rural: Array
    rows: tuple[int, int]


def left_out(table: DataFrame, values: DataFrame, region: Region) -> dict[str, LeftOut]:
    """Forecasts of each county by the vectors that are best without its series.

    Parameters
    ----------
    table
        Published series (`patterns.series`).
    values
        What each vector gave: a row a series, a column a vector.
    region
        Whose counties.
    """
    names, towns = towns_of(region)
    fitted = table[table["use"] == "fit"]
    forecasts = {}
    for i, name in enumerate(names):
        seen = fitted[(fitted["place"] != name) & (fitted["level"] != "prefecture") | (fitted["base"] == 2020)]
        chosen = _best(values, seen)
        ends, rows = [], []
        for measure, start in zip(_MEASURES, (towns.urban[i], towns.rural[i]), strict=True):
            rows.append(int(fitted.index[(fitted["measure"] == measure) & (fitted["place"] == name)][0]))
            ends.append(start + np.asarray(values.loc[rows[-1], chosen], np.float64))
        forecasts[name] = LeftOut(ends[0], ends[1], (rows[0], rows[1]))
    return forecasts


def towns_of(region: Region) -> tuple[list[str], Towns]:
    """Names of the counties, and their residents in towns and villages at the first base year and the second."""
    first, second = sorted(patterns.SPANS)
    counts = [
        region.census(base, name).astype(float) for base in (first, second) for name in ("urban_pop", "rural_pop")
    ]
    return list(region.county_names), Towns(*counts)


def _best(values: DataFrame, seen: DataFrame) -> list[int]:
    """Vectors that forecast: the least implausible by series ``seen``; luck, the same for all, is not allowed for."""
    return [int(number) for number in ranking(values, seen, seen["published"] * 0.0).index[:_FORECASTERS]]


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


def backtest_counties(table: DataFrame, values: DataFrame, region: Region, half: Series[float]) -> DataFrame:
    """The model's forecasts of every county by the vectors that are best without that county's series.

    `half` is what a run under another luck differs by from the mean (90 percent).
    """
    names, towns = towns_of(region)
    rows = []
    for name, one in left_out(table, values, region).items():
        urban_half, rural_half = (float(half[row]) for row in one.rows)
        rate, total = one.urban / (one.urban + one.rural), float((one.urban + one.rural).mean())
        rate_half = float(np.hypot(urban_half * (1 - rate.mean()), rural_half * rate.mean()) / total)
        for what, found, luck in (
            ("urban residents", one.urban, urban_half), ("rural residents", one.rural, rural_half),
            ("rate", rate, rate_half),
        ):  # fmt: skip
            came = _later(towns, what, names.index(name))
            rows.append((MODEL, what, float(found.mean()), *_band(found, luck), came))
    return _scores(rows, "a county left out, 2010 to 2020")


def backtest_years(table: DataFrame, values: DataFrame, region: Region, half: Series[float]) -> DataFrame:
    """Forecasts of 2021 and 2022 by what was known in 2020: the model's vectors that are best in 2010 to 2020."""
    fitted = table[table["use"] == "fit"]
    chosen = _best(values, fitted[fitted["base"] == 2010])
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
            rows.append((MODEL, what, float(found.mean()), *_band(found, float(half[index])), came))
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
