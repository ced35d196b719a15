"""Sensitivity on a function whose indices are known, and on runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from migrasim.analysis import sensitivity
from migrasim.core.errors import InputError
from migrasim.runs.points import spread

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


def test_morris_tells_what_can_be_left_out():
    """A number that does nothing has no effect at all; one that bends has a spread."""
    found = sensitivity.of_function(ishigami, RANGES, 30, "morris", seed=2).set_index("name")
    assert found.loc["nothing", "effect"] == 0.0
    assert (found.loc[["a", "b", "c"], "effect"] > 1.0).all() and found.loc["c", "spread"] > 1.0
    assert "hangs most on" in sensitivity.words(found.reset_index(), "The rate")


def test_what_never_changes_hangs_on_nothing():
    """A function without variance gives zeros and no division by zero."""
    found = sensitivity.of_function(lambda x: np.ones(len(x)), RANGES, 8)
    assert (found[["first", "total"]] == 0.0).all(axis=None)


def test_runs_are_made_at_the_points_and_the_reference_is_taken_off(monkeypatch):
    """Both scenarios are run with the same facts, so what moves both alike drops out."""
    facts = ["moving.income_elasticity"]
    asked: list[Any] = []

    def yearly(specs: list[Any], *_: object, **__: object) -> list[Any]:
        """The first fact acts under the plan only, more the larger it is."""
        from pandas import DataFrame

        asked.extend(specs)
        sizes = [sum(one.parameters.values()) * (1 + (one.scenario == "plan")) for one in specs]
        return [DataFrame({"urbanization_rate": size}, index=[2035]) for size in sizes]

    monkeypatch.setattr(sensitivity, "yearly", yearly)
    found = sensitivity.sensitivity(facts, reference="status_quo", size=4)
    low, high = sensitivity.ranges_of(facts)[facts[0]]
    assert found.set_index("name").loc[facts[0], "effect"] == pytest.approx(high - low)
    assert {one.scenario for one in asked} == {"plan", "status_quo"}


@pytest.mark.parametrize(("facts", "message"), [(["moving.income_elastic"], "did you mean"), ([], "at least one fact")])
def test_facts_that_cannot_be_moved_are_refused(facts: list[str], message: str):
    """A misspelt fact is named with its neighbour."""
    with pytest.raises(InputError, match=message):
        sensitivity.sensitivity(facts)


def test_base_points_of_sobol_are_powers_of_two():
    """Any other number would spoil the balance of the sequence."""
    with pytest.raises(InputError, match="powers of 2"):
        spread(RANGES, 100)
