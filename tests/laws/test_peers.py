"""The kernels of choice against the same choice written as plain Mesa objects and as vectorised NumPy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from worlds import tiny_inputs, tiny_world

from migrasim.domains.moving import choice
from migrasim.order import Simulation

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
import peers

CHAIN_SECTORS = [2, 3, 1, 1, 3, 3, 3, 8, 14]


def state(households: int, most: int | None = None) -> dict[str, Any]:
    """What the choices of a second year read, in a tiny world with families of every kind."""
    simulation = Simulation.start(tiny_world(households, inputs=tiny_inputs(), seed=3), CHAIN_SECTORS)
    simulation.step()
    simulation.world.year += 1
    return peers.frozen(simulation.world, most)


def fast(given: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Codes and utilities of the kernels."""
    codes, values = np.full((len(given["homes"]), choice.ROUNDS), choice.STAY), np.zeros((len(given["homes"]), 3))
    args = (given["places"], given["seed"], given["year"], given["p"])
    choice.choose_gathered(given["homes"], given["crew"], *args, codes, values)
    return codes, values


def near_ties(values: np.ndarray) -> int:
    """Households with two of their best alternatives nearer than 1e-9."""
    with np.errstate(invalid="ignore"):
        return int(np.count_nonzero((values[:, :-1] - values[:, 1:] < 1e-9).any(axis=1)))


def test_numpy_chooses_the_same() -> None:
    """Formulas written anew over whole columns, every alternative weighed, give every household the same list."""
    given = state(8000)
    codes, values = peers.choose_numpy(given)
    found, worth = fast(given)
    assert near_ties(values) == 0
    assert len(found) > 500
    assert set(np.unique(found[:, 0] % choice.FORM_STRIDE)) >= {1, 2, 3, 5, 6}  # nearly every form is somebody's best
    assert np.array_equal(found, peers.cut(codes))
    moves = found != choice.STAY
    assert worth[moves] == pytest.approx(values[moves], abs=1e-9)


@pytest.mark.slow
def test_mesa_objects_choose_the_same() -> None:
    """Households as Mesa agents, which call the plain rules for every alternative, choose as the kernels do."""
    given = state(4000, 150)
    codes, values, _ = peers.choose_mesa(given)
    found, worth = fast(given)
    assert near_ties(values) == 0
    assert np.array_equal(found, peers.cut(codes))
    assert worth[:, 0] == pytest.approx(values[:, 0], abs=1e-9)
