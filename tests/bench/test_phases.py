"""Seconds of each phase and of a year, warm: ``pytest tests/bench --benchmark-only``; nothing is asserted on time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
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


@pytest.mark.parametrize("command", [["--help"], ["run", "plan", "--sample", "0.02"]], ids=["help", "run"])
def test_a_command(benchmark: Any, command: list[str], tmp_path: Path) -> None:
    """A whole command from the shell, with everything compiled and cached."""
    out = ["--out", str(tmp_path / "out")] if command[0] == "run" else []
    whole = [sys.executable, "-m", "migrasim", *command, *out]
    done = benchmark.pedantic(subprocess.run, (whole,), {"capture_output": True}, rounds=1)
    assert done.returncode == 0
