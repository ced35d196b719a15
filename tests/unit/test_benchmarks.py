"""Benchmarks that a forecast has to beat."""

from __future__ import annotations

import numpy as np
import pytest

from migrasim.analysis import benchmarks
from migrasim.analysis.backtests import backtest_benchmarks
from migrasim.region import Region


def test_errors_of_the_rate_are_those_known_for_the_region() -> None:
    """From the other counties' change the rate is missed by 1.2 points on average, by the UN method by 2.6."""
    found = backtest_benchmarks(Region.only())
    error = found[found["what"] == "rate"].set_index("method")["error"]
    assert 100 * error["linear"] == pytest.approx(1.2, abs=0.05)
    assert 100 * error["UN growth difference"] == pytest.approx(2.6, abs=0.05)
    assert error["no change"] > error["convergent UN"]


def test_growth_differences_keep_what_they_say() -> None:
    """Places that all had one difference of growth are forecast without error by the UN methods."""
    urban, rural = np.array([10.0, 20.0, 30.0, 25.0]), np.array([90.0, 80.0, 70.0, 75.0])
    odds = urban / rural * np.exp(0.5)
    later = 0.9 * (urban + rural) * odds / (1 + odds)
    towns = benchmarks.Towns(urban, rural, later, 0.9 * (urban + rural) - later)
    for method in (benchmarks.growth_difference, benchmarks.convergent):
        found = method(urban[0], rural[0], towns.take([1, 2, 3]))
        assert found.urban == pytest.approx(later[0])
        assert found.rate == pytest.approx(towns.rate_later[0])
        assert found.urban_sd == pytest.approx(0.0, abs=1e-9)


def test_intervals_cover_nine_places_in_ten() -> None:
    """Intervals learned from seven places hold nine of ten further ones when errors are normal."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        growth = 1.0 + rng.normal(0.2, 0.1, 8)
        same = np.full(8, 100.0)
        towns = benchmarks.Towns(same, same, same * growth, same)
        found = benchmarks.linear(100.0, 100.0, towns.take(list(range(7))))
        low, high = benchmarks.interval(found.urban, found.urban_sd, 7)
        held += low <= 100.0 * growth[7] <= high
    assert 0.85 < held / 400 < 0.95
