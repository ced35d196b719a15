"""Seconds of each phase and of a year, warm: ``pytest tests/bench --benchmark-only``; nothing is asserted on time."""

from __future__ import annotations

from typing import Any

import pytest

from migrasim.domains.moving import phase as moving
from migrasim.order import SCHEDULE, Simulation
from migrasim.runs.simulate import prepare

pytestmark = pytest.mark.model


@pytest.fixture(scope="module", params=[0.01, 0.1, 1.0], ids=["1 percent", "10 percent", "all"])
def simulation(request: pytest.FixtureRequest) -> Simulation:
    """A simulation that has run a year, so that everything is compiled."""
    ready = prepare("plan", sample=request.param).simulation
    ready.step()
    return ready


def test_a_year(benchmark: Any, simulation: Simulation) -> None:
    """One year in all, and the seconds of its phases."""
    simulation.seconds.clear()
    benchmark.pedantic(simulation.step, rounds=3, iterations=1)
    benchmark.extra_info |= {name: seconds / 3 for name, seconds in simulation.seconds.items()}
    assert set(simulation.seconds) == {phase.name for phase in SCHEDULE}


def test_choosing(benchmark: Any, simulation: Simulation) -> None:
    """All who consider in a year choose once on one state."""
    chosen = benchmark(moving.first_choices, simulation.world)
    benchmark.extra_info["households"] = len(chosen[0])
    assert len(chosen[0]) > 0
