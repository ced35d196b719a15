"""Forecasts that ask for no model: what a forecast of towns and villages has to beat.

Each is fitted to the same change as the model, that of other places or of earlier years: no change;
linear (the mean change); the United Nations' constant difference between urban and rural growth; and
its convergent form, in which the difference depends on the rate from which a place starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
CONFIDENCE = 0.9


@dataclass(frozen=True)
class Towns:
    """Urban and rural residents of places, at the start and the end of some years."""

    urban: Array
    rural: Array
    urban_later: Array
    rural_later: Array

    @property
    def rate(self) -> Array:
        """Share in towns at the start."""
        return self.urban / (self.urban + self.rural)

    @property
    def rate_later(self) -> Array:
        """Share in towns at the end."""
        return self.urban_later / (self.urban_later + self.rural_later)

    @property
    def difference(self) -> Array:
        """Urban less rural growth over the years (the change of the log odds of living in town)."""
        return np.log(self.urban_later / self.rural_later) - np.log(self.urban / self.rural)

    def take(self, rows: Array | list[int]) -> Towns:
        """Some of the places."""
        return Towns(*(np.asarray(each)[rows] for each in (self.urban, self.rural, self.urban_later, self.rural_later)))


@dataclass(frozen=True)
class Forecast:
    """Urban and rural residents and the rate to come, each with what the places it was learned from leave open."""

    urban: float
    rural: float
    rate: float
    urban_sd: float = 0.0
    rural_sd: float = 0.0
    rate_sd: float = 0.0


def no_change(urban: float, rural: float, others: Towns) -> Forecast:
    """All stays; the width is what others changed by."""
    half = _spread(others, lambda one: (one.urban, one.rural, one.rate), urban, rural)
    return Forecast(urban, rural, urban / (urban + rural), *half)


def linear(urban: float, rural: float, others: Towns) -> Forecast:
    """The others' mean change: in points for the rate, in percent for residents."""
    grown = float((others.urban_later / others.urban).mean()), float((others.rural_later / others.rural).mean())
    rate = urban / (urban + rural) + float((others.rate_later - others.rate).mean())

    def again(one: Towns) -> tuple[Array, Array, Array]:
        points = float((one.rate_later - one.rate).mean())
        return one.urban * grown[0], one.rural * grown[1], one.rate + points

    return Forecast(urban * grown[0], rural * grown[1], rate, *_spread(others, again, urban, rural))


def growth_difference(urban: float, rural: float, others: Towns) -> Forecast:
    """The United Nations' method: the others' mean difference of growth, and their growth in all."""
    return _by_difference(urban, rural, others, lambda rate: np.full_like(rate, others.difference.mean()))


def convergent(urban: float, rural: float, others: Towns) -> Forecast:
    """The difference of growth that places with such a rate had: a line through the others."""
    if len(others.urban) < 3 or not np.ptp(others.rate):
        return growth_difference(urban, rural, others)
    slope, at_zero = np.polyfit(others.rate, others.difference, 1)
    return _by_difference(urban, rural, others, lambda rate: at_zero + slope * rate)


Benchmark = Callable[[float, float, Towns], Forecast]
BENCHMARKS: Mapping[str, Benchmark] = {
    "no change": no_change,
    "linear": linear,
    "UN growth difference": growth_difference,
    "convergent UN": convergent,
}


def _by_difference(urban: float, rural: float, others: Towns, rule: Callable[[Array], Array]) -> Forecast:
    growth = float((others.urban_later + others.rural_later).sum() / (others.urban + others.rural).sum())

    def later(town: Array, village: Array) -> tuple[Array, Array, Array]:
        odds = town / village * np.exp(rule(town / (town + village)))
        rate = odds / (1.0 + odds)
        return (town + village) * growth * rate, (town + village) * growth * (1.0 - rate), rate

    found = later(np.array([urban]), np.array([rural]))
    half = _spread(others, lambda one: later(one.urban, one.rural), urban, rural)
    town, village, rate = (float(each[0]) for each in found)
    return Forecast(town, village, rate, *half)


def _spread(
    others: Towns, rule: Callable[[Towns], tuple[Array, Array, Array]], urban: float, rural: float
) -> tuple[float, float, float]:
    """Standard deviations of the rule's errors among the others, residents relative to where they started."""
    town, village, rate = rule(others)
    count = len(others.urban)
    if count < 3:
        return 0.0, 0.0, 0.0
    worse = np.sqrt(1.0 + 1.0 / count)  # one more place, by a mean that is estimated
    errors = (
        (others.urban_later - town) / others.urban * urban,
        (others.rural_later - village) / others.rural * rural,
        others.rate_later - rate,
    )
    return tuple(float(np.sqrt((each**2).sum() / (count - 1)) * worse) for each in errors)  # type: ignore[return-value]


def interval(mean: float, sd: float, count: int) -> tuple[float, float]:
    """Ends of the interval at 90 percent by Student's t with the number of places it was learned from."""
    from scipy.stats import t

    half = float(t.ppf(0.5 + CONFIDENCE / 2.0, max(1, count - 1))) * sd
    return mean - half, mean + half


def interval_score(low: float, high: float, value: float, confidence: float = CONFIDENCE) -> float:
    """Width of an interval and the fine for missing (Gneiting and Raftery 2007); the smaller the better.

    Examples
    --------
    >>> interval_score(0.0, 2.0, 1.0)
    2.0
    >>> round(interval_score(0.0, 2.0, 3.0), 6)
    22.0
    """
    fine = 2.0 / (1.0 - confidence)
    return (high - low) + fine * max(0.0, low - value) + fine * max(0.0, value - high)
