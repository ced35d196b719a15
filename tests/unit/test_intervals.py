"""Intervals hold the truth as often as they say, whatever runs share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from invented_batch import finished
from scipy import stats

from migrasim.analysis import attribution, differences, ensemble
from migrasim.analysis.finished import Measure
from migrasim.analysis.intervals import interval, reach, share
from migrasim.analysis.search import Tried, _draws, _verified
from migrasim.runs.design import Experiment

TIMES = 500


@pytest.mark.parametrize(
    ("vectors", "lucks", "between"),
    [(1, 10, (0.0, 0.5, 1.0)), (40, 5, (1.0, 0.3, 0.3)), (40, 20, (1.0, 0.0, 0.1)), (20, 20, (0.1, 1.0, 0.5)),
     (12, 12, (0.3, 0.3, 1.0))],
)  # fmt: skip
def test_intervals_of_vectors_under_shared_lucks_cover_nine_in_ten(vectors: int, lucks: int, between: Any) -> None:
    """Mean and share: forty vectors under five lucks are not two hundred draws."""
    rng = np.random.default_rng(3)
    row, column = (each.ravel() for each in np.indices((vectors, lucks)))
    truth = 1.0 - float(stats.norm.cdf(-0.5 / np.linalg.norm(between)))
    held = np.zeros(2)
    for _ in range(TIMES):
        of_vector, of_luck, rest = (
            scale * rng.normal(0.0, 1.0, size) for scale, size in zip(between, (vectors, lucks, len(row)), strict=True)
        )
        drawn = 0.5 + of_vector[row] + of_luck[column] + rest
        _, low, high = interval(drawn, row, column)
        _, least, most = share((drawn > 0).astype(float), row, column)
        held += (low <= 0.5 <= high, least <= truth <= most)
    assert 0.86 <= held[0] / TIMES <= 0.97
    assert 0.86 <= held[1] / TIMES


def test_futures_of_one_luck_are_one_draw() -> None:
    """Two futures that luck moves alike tell no more than one, and a mean over them has no other interval."""
    one = np.array([1.0, 2.0, 4.0])
    assert interval(np.tile(one, 2), lucks=[0, 1, 2, 0, 1, 2]) == interval(one)
    assert share(np.tile(one > 1.5, 2).astype(float), lucks=[0, 1, 2, 0, 1, 2])[1:] == pytest.approx(
        share((one > 1.5).astype(float))[1:]
    )


def test_what_all_runs_say_is_as_sure_as_there_are_draws() -> None:
    """Ten lucks in two futures that all reach a target are ten draws, not twenty; a single draw has no interval."""
    lucks = np.tile(np.arange(10), 2)
    assert share(np.ones(20), lucks=lucks)[1] == pytest.approx(0.05 ** (1 / 10))
    assert share(np.zeros(20), lucks=lucks)[2] == pytest.approx(1 - 0.05 ** (1 / 10))
    assert np.isnan(interval(np.array([2.0]))[1:]).all()
    assert np.isnan(interval(np.array([2.0, 3.0]), lucks=[0, 0])[1:]).all()


def test_a_mean_of_few_draws_has_a_wide_interval() -> None:
    """Two draws are Student's t of one degree of freedom; pairs that fell out leave the rest as they are."""
    assert interval(np.array([1.0, 3.0]))[2] == pytest.approx(2.0 + 6.3138, abs=1e-3)
    mean, low, high = interval(np.array([1.0, 2.0, 4.0]), vectors=[0, 0, 1], lucks=[0, 1, 1])
    assert mean == pytest.approx(7 / 3)
    assert low < mean < high


FACTS = ["moving.network_utility", "moving.home_utility"]


def test_differences_and_shares_of_effects_count_vectors_and_lucks() -> None:
    """An effect that hangs on the vector alone is known no better for many replications of each."""
    parameters = {"kind": "latin_hypercube", "size": 8, "facts": FACTS}

    def effect(row: Any) -> float:
        return float(row["parameter_set"] - 0.5 + 0.001 * row["replication"])

    expected = interval(np.arange(8.0))
    named = {"scenarios": ["status_quo", "plan"], "parameters": parameters, "replications": 6}
    batch = finished(named, lambda row: effect(row) if row["scenario"] == "plan" else 0.0)
    row = differences.of_batch(batch, Measure()).table.iloc[0]
    assert row["high"] - row["low"] == pytest.approx(expected[2] - expected[1], rel=1e-2)
    assert row["chance_low"] < 0.8  # 42 of 48 pairs, but of 8 vectors
    design = {"kind": "coalitions", "levers": ["industry", "transport"]}
    shared = finished(
        {"design": design, "parameters": parameters, "replications": 6},
        lambda row: effect(row) if row["design.industry"] == "plan" else 0.0,
    )
    shares = attribution.of_batch(shared, Measure())["central"].shares.set_index("player")
    width = shares.loc["industry", "high"] - shares.loc["industry", "low"]
    assert width == pytest.approx(expected[2] - expected[1], rel=1e-2)


def test_a_verified_mix_counts_seeds_not_futures() -> None:
    """Two futures under the same seeds: the interval of the result is that of the seeds' means."""
    data = {
        "name": "x",
        "design": {"kind": "latin_hypercube", "size": 4, "levers": {"industry": [0, 2]}},
        "futures": ["central", "hard_times"],
        "search": {"target": {"at_least": 0.5}, "verify_replications": 10},
    }
    experiment = Experiment.from_mapping(data)
    assert experiment.search is not None
    seeds = np.random.default_rng(1).normal(0.5, 0.1, 10)
    results = np.concatenate([seeds, seeds])  # futures one after the other, as `_Trials` asks for them
    costs = dict.fromkeys(("public", "county", "higher", "enterprise", "household"), results)
    row = _verified([Tried(1, {"industry": 1.0}, results, costs)], experiment, experiment.search).iloc[0]
    assert (row["low"], row["high"]) == pytest.approx(interval(seeds)[1:])
    wins = share((seeds >= 0.5).astype(float))
    assert (row["chance_low"], row["chance_high"]) == pytest.approx(wins[1:])
    assert [list(each) for each in _draws(experiment, 2)] == [[0, 0, 0, 0], [0, 1, 0, 1]]
    assert row["runs"] == 20


@pytest.mark.parametrize("count", [2, 5])
def test_a_band_of_few_lucks_holds_nine_of_ten_others(count: int) -> None:
    """Another draw lies within the reach of a few in 90 of 100, however few they are."""
    rng = np.random.default_rng(count)
    drawn, other = rng.normal(size=(20_000, count)), rng.normal(size=20_000)
    inside = np.abs(other - drawn.mean(axis=1)) <= reach(count) * drawn.std(axis=1, ddof=1)
    assert inside.mean() == pytest.approx(0.9, abs=0.01)


def test_bands_of_chance_reach_as_far_as_another_luck() -> None:
    """Those of an ensemble's best vector are by Student's t, those over its vectors are quantiles."""
    values = np.arange(5.0)[:, None]
    chance, parameters = (
        ensemble._rows("plan", "rate", source, [2035], values)[0] for source in ("chance", "parameters")
    )
    half = reach(5) * float(values.std(ddof=1))
    assert chance[4:7] == pytest.approx((2 - half, 2.0, 2 + half))
    assert parameters[4:7] == pytest.approx((0.2, 2.0, 3.8))
