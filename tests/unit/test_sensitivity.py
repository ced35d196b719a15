"""Sensitivity on a function whose indices are known, and on runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from invented_batch import finished

from migrasim.analysis import sensitivity
from migrasim.analysis.finished import About, Measure
from migrasim.core.errors import InputError
from migrasim.core.language import LANGS
from migrasim.present import findings
from migrasim.runs.points import MORRIS_LEVELS, spread

PI = float(np.pi)
RANGES = {"a": (-PI, PI), "b": (-PI, PI), "c": (-PI, PI), "nothing": (0.0, 1.0)}


def ishigami(x: np.ndarray) -> np.ndarray:
    """Ishigami's function; its fourth number does nothing."""
    return np.asarray(np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0]))


def test_sobol_finds_the_indices_of_ishigamis_function():
    """First and total indices are those of the formula, within the intervals that are told."""
    found = sensitivity.of_function(ishigami, RANGES, 1024, seed=2).set_index("name")
    variance = 7**2 / 8 + 0.1 * PI**4 / 5 + 0.1**2 * PI**8 / 18 + 0.5
    first = {"a": 0.5 * (1 + 0.1 * PI**4 / 5) ** 2, "b": 7**2 / 8, "c": 0.0}
    company = 0.1**2 * PI**8 * (1 / 18 - 1 / 50)
    for name, value in first.items():
        total = value + (company if name in "ac" else 0.0)
        assert found.loc[name, "first"] == pytest.approx(value / variance, abs=0.05)
        assert found.loc[name, "total"] == pytest.approx(total / variance, abs=0.05)
        assert found.loc[name, "total_low"] - 0.03 < total / variance < found.loc[name, "total_high"] + 0.03
    assert abs(found.loc["nothing", "total"]) < 1e-9


def _covered(tables: list[Any], names: list[str], kind: str, truth: dict[str, float]) -> np.ndarray:
    """Share of designs whose interval holds the truth, number by number."""
    low, high = ("low", "high") if kind == "effect" else (f"{kind}_low", f"{kind}_high")
    held = []
    for table in tables:
        rows = table.set_index("name").loc[names]
        worth = np.array([truth[name] for name in names])
        held.append((rows[low] - 1e-9 <= worth) & (worth <= rows[high] + 1e-9))
    return np.mean(held, axis=0)


WEIGHTS = np.array([0.0, 0.5, 3.0, 9.0])


def sobols_g(x: np.ndarray) -> np.ndarray:
    """Sobol's g-function: the first of its numbers matter, in company, the last hardly at all."""
    return np.asarray(np.prod((np.abs(4 * x - 2) + WEIGHTS) / (1 + WEIGHTS), axis=1))


def _truth(function: str) -> tuple[dict[str, tuple[float, float]], dict[str, dict[str, float]]]:
    """Ranges of a function, and its first and total indices by formula."""
    if function == "ishigami":
        variance = 7**2 / 8 + 0.1 * PI**4 / 5 + 0.1**2 * PI**8 / 18 + 0.5
        first = {"a": 0.5 * (1 + 0.1 * PI**4 / 5) ** 2 / variance, "b": 7**2 / 8 / variance, "c": 0.0}
        company = 0.1**2 * PI**8 * (1 / 18 - 1 / 50) / variance
        total = {name: value + company * (name != "b") for name, value in first.items()}
        return {name: RANGES[name] for name in "abc"}, {"first": first, "total": total}
    parts = 1 / (3 * (1 + WEIGHTS) ** 2)
    variance = float(np.prod(1 + parts)) - 1
    names = list("pqrs")
    first = {name: float(part) / variance for name, part in zip(names, parts, strict=True)}
    total = {name: first[name] * float(np.prod(1 + np.delete(parts, k))) for k, name in enumerate(names)}
    return dict.fromkeys(names, (0.0, 1.0)), {"first": first, "total": total}


@pytest.mark.parametrize("function", [ishigami, sobols_g])
@pytest.mark.parametrize(("size", "each", "mean"), [(64, 0.75, 0.88), (256, 0.82, 0.88), (16, 0.6, 0.8)])
def test_sobols_intervals_hold_the_truth_about_as_often_as_they_say(function, size: int, each: float, mean: float):
    """Nine of ten designs, on two functions whose indices are known.

    Of 100 designs the share that holds the truth has itself a standard error of 0.03: the mean over numbers may lie
    one below 0.9 and the worst of them, whose estimates are skewed, a few. From 16 base points they hold less often,
    which the page says: here only that they are not worse than it says.
    """
    ranges, truth = _truth(function.__name__)
    tables = [sensitivity.of_function(function, ranges, size, seed=seed) for seed in range(100)]
    for kind, values in truth.items():
        covered = _covered(tables, list(ranges), kind, values)
        assert covered.min() >= each and covered.mean() >= mean, (kind, covered)


@pytest.mark.parametrize("size", [8, 20])
@pytest.mark.parametrize("function", [ishigami, sobols_g])
def test_morris_intervals_hold_the_truth_about_as_often_as_they_say(function, size: int):
    """Nine of ten designs hold the mean size over the whole grid of Morris, which is counted out.

    A standard error of 0.03 below for the mean over numbers, two for each: without Student's t, and with an even
    reach to both sides, some held it in 74 of 100.
    """
    from itertools import product

    ranges, _ = _truth(function.__name__)
    low, high = np.array(list(ranges.values())).T
    steps = np.arange(MORRIS_LEVELS) / (MORRIS_LEVELS - 1)
    grid, jump = np.array(list(product(steps, repeat=len(ranges)))), MORRIS_LEVELS / (2 * (MORRIS_LEVELS - 1))
    truth = {}
    for k, name in enumerate(ranges):
        before = grid[grid[:, k] <= 1 - jump + 1e-9]
        moved = before + jump * (np.arange(len(ranges)) == k)
        ends = [function(low + points * (high - low)) for points in (before, moved)]
        truth[name] = float(np.abs((ends[1] - ends[0]) / jump).mean())
    tables = [sensitivity.of_function(function, ranges, size, "morris", seed) for seed in range(100)]
    covered = _covered(tables, list(ranges), "effect", truth)
    assert covered.min() >= 0.84 and covered.mean() >= 0.87, covered


def test_few_base_points_are_said_where_the_indices_are():
    """A page of Sobol's indices from fewer base points than their intervals need says so; one of enough does not."""
    for size in (16, 64):
        data = {"scenarios": ["plan"], "parameters": {"kind": "sobol", "size": size, "facts": FACTS}}
        batch = finished(data, acts)
        found = sensitivity.of_batch(batch, Measure())
        told = {lang: findings.of_sensitivity(found, batch, Measure(), None, "plan", lang).words for lang in LANGS}
        assert ("From 16 base points" in told["en"]) == ("16 個基點過少" in told["zh-Hant"]) == (size == 16)


def test_morris_tells_what_can_be_left_out():
    """A number that does nothing has no effect at all; one that bends has a spread."""
    found = sensitivity.of_function(ishigami, RANGES, 30, "morris", seed=2).set_index("name")
    assert found.loc["nothing", "effect"] == 0.0
    assert (found.loc[["a", "b", "c"], "effect"] > 1.0).all() and found.loc["c", "spread"] > 1.0


def test_what_never_changes_hangs_on_nothing():
    """A function without variance gives zeros and no division by zero."""
    found = sensitivity.of_function(lambda x: np.ones(len(x)), RANGES, 8)
    assert (found[["first", "total"]] == 0.0).all(axis=None)


FACTS = ["moving.income_elasticity", "moving.network_utility", "moving.settled_utility"]


def acts(row: Any) -> float:
    """The first fact moves both scenarios alike, the second the plan only; the third does nothing."""
    plan = row["scenario"] == "plan"
    return 3 * row[f"uncertain.{FACTS[0]}"] + plan * 0.01 * row[f"uncertain.{FACTS[1]}"] + 0.001 * row["replication"]


@pytest.mark.parametrize(("kind", "size"), [("morris", 8), ("sobol", 64), ("latin_hypercube", 200)])
def test_a_finished_batch_tells_what_its_effect_hangs_on(kind: str, size: int):
    """The status quo is taken off at the same points, so that what moves both scenarios alike drops out."""
    data = {
        "scenarios": ["status_quo", "plan"],
        "parameters": {"kind": kind, "size": size, "facts": FACTS},
        "replications": 2,
        "futures": ["central", "boom"],
    }
    batch = finished(data, acts)
    found = sensitivity.of_batch(batch, Measure(), "status_quo")
    assert found["name"].iloc[0] == FACTS[1]
    if kind == "morris":
        low, high = batch.about.parameters.ranges[FACTS[1]]
        assert found["effect"].iloc[0] == pytest.approx(0.01 * (high - low))
        assert found["effect"].iloc[1:].max() < 1e-12
    if kind == "sobol":
        assert found["total"].iloc[0] == pytest.approx(1.0, abs=0.02)
    if kind == "latin_hypercube":
        assert (found["distance"].iloc[1:] < found["low"].iloc[0]).all()
    words = findings.of_sensitivity(found, batch, Measure(), "status_quo", "plan", "en").words
    assert "the effect of “The plan as written” against" in words and "2 of 3" in words
    alone = sensitivity.of_batch(finished({**data, "scenarios": ["plan"]}, acts), Measure())
    assert alone["name"].iloc[0] == FACTS[0]


def test_levers_spread_over_ranges_are_screened_too():
    """A design over levers is read by its points."""
    data = {"design": {"kind": "morris", "size": 6, "levers": {"industry": [0, 2], "public_housing": [0, 2]}}}
    found = sensitivity.of_batch(finished(data, lambda row: row["design.industry"]), Measure())
    assert found.set_index("name")["effect"].to_dict() == pytest.approx({"industry": 2.0, "public_housing": 0.0})


def test_what_sensitivity_cannot_answer_is_refused():
    """Several scenarios without a reference, an unknown one, missing runs, nothing spread: each with its reason."""
    data = {"scenarios": ["status_quo", "plan"], "parameters": {"kind": "morris", "size": 4, "facts": FACTS}}
    batch = finished(data, acts)
    with pytest.raises(InputError, match="name the scenario to take off"):
        sensitivity.of_batch(batch, Measure())
    with pytest.raises(InputError, match="did you mean 'status_quo'"):
        sensitivity.of_batch(batch, Measure(), "status_qo")
    with pytest.raises(InputError, match="1 of 32 runs are missing"):
        sensitivity.of_batch(finished(data, lambda row: None if row["parameter_set"] == 3 and row["scenario"] == "plan"
                                      else acts(row)), Measure(), "status_quo")  # fmt: skip
    with pytest.raises(InputError, match="here none is"):
        sensitivity.of_batch(finished({"scenarios": ["plan"]}, lambda row: 1.0), Measure())


def test_base_points_of_sobol_are_powers_of_two():
    """Any other number would spoil the balance of the sequence."""
    with pytest.raises(InputError, match="powers of 2"):
        spread(RANGES, 100)


@pytest.mark.parametrize(("kind", "size"), [("sobol", 16), ("morris", 8), ("latin_hypercube", 60)])
def test_what_is_found_keeps_its_name_in_a_folder(kind: str, size: int, tmp_path: Path):
    """A batch read from its folder puts the effect beside the fact that has it, in whatever order facts are named."""
    names = ["moving.staying_utility", "moving.income_elasticity"]
    data = {"scenarios": ["plan"], "parameters": {"kind": kind, "size": size, "facts": names}}
    batch = finished(data, lambda row: float(row[f"uncertain.{names[0]}"]))
    batch.about.write(tmp_path)
    read = replace(batch, about=About.read(tmp_path))
    assert sensitivity.of_batch(read, Measure())["name"].iloc[0] == names[0]


@pytest.mark.parametrize("kind", ["morris", "sobol"])
def test_luck_is_not_taken_for_an_effect(kind: str):
    """Points over levers with luck of their own are refused; vectors of facts, which share it, are not."""
    luck = np.random.default_rng(0).normal
    design = {"kind": kind, "size": 8, "levers": {"industry": [0, 2], "public_housing": [0, 2]}}
    batch = finished({"design": design, "luck": "independent"}, lambda row: float(luck()))
    with pytest.raises(InputError, match=f"points of kind {kind} differ by their luck here"):
        sensitivity.of_batch(batch, Measure())
    facts = {"kind": kind, "size": 8, "facts": FACTS}
    batch = finished({"scenarios": ["plan"], "parameters": facts, "luck": "independent"}, acts)
    assert sensitivity.of_batch(batch, Measure())["name"].iloc[0] == FACTS[0]


def test_pawns_intervals_hold_what_designs_give_on_average():
    """Each holds its own distance, and nine of ten or more the mean over many designs; none leaves 0 to 1."""
    ranges = {"a": (0.0, 1.0), "nothing": (0.0, 1.0)}
    tables = []
    for seed in range(30):
        points = spread(ranges, 48, "latin_hypercube", seed)
        values = points[:, 0] + 0.3 * np.random.default_rng(seed).normal(size=len(points))
        tables.append(sensitivity.pawn_indices(ranges, points, values).set_index("name").loc[list(ranges)])
    distance, low, high = (np.array([table[name] for table in tables]) for name in ("distance", "low", "high"))
    assert (low <= distance).all() and (distance <= high).all()
    assert (low >= 0).all() and (high <= 1).all()
    mean = distance.mean(axis=0)
    assert (((low <= mean) & (mean <= high)).mean(axis=0) >= 0.85).all()
