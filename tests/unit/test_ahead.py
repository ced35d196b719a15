"""A first run: helpers that compile what it needs later, and processes that compile the same at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from migrasim.core import rule
from migrasim.order import SCHEDULE
from migrasim.runs import ahead

ADDS = """
import sys, time
from pathlib import Path
import numpy as np
from migrasim.core.rule import kernel

@kernel
def twice(numbers):
    total = numbers[0]
    for n in range(1, numbers.shape[0]):
        total += numbers[n]
    return 2 * total

TYPES = (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.float32, np.float64)
if __name__ == "__main__":
    if sys.argv[1] == "all":
        for each in TYPES:
            assert twice(np.array([3, 4], each)) == 14, each
        assert sum(twice.stats.cache_hits.values()) == len(TYPES), twice.stats
    else:
        while time.time() < float(sys.argv[2]):
            pass
        for each in TYPES[int(sys.argv[1]) :: 4]:
            assert twice(np.array([3, 4], each)) == 14
"""


def test_processes_that_compile_at_once_keep_all_that_they_compiled(tmp_path: Path) -> None:
    """Four processes compile ten variants of one kernel in the same moment; a fifth finds all of them."""
    script = tmp_path / "adds.py"
    script.write_text(ADDS, encoding="utf-8")
    environment = {**os.environ, "MIGRASIM_CACHE": str(tmp_path / "cache")}
    begin = time.time() + 6.0
    command = [sys.executable, str(script)]
    at_once = [subprocess.Popen([*command, str(k), str(begin)], env=environment) for k in range(4)]
    assert [each.wait(timeout=120) for each in at_once] == [0] * 4
    subprocess.run([*command, "all"], env=environment, check=True, timeout=120)


def test_a_kernel_is_compiled_where_nothing_can_be_locked(tmp_path: Path) -> None:
    """A disk without locks keeps nothing compiled, and stops nobody."""
    script = tmp_path / "adds.py"
    unlocked = "import filelock\n\ndef acquire(self):\n    raise OSError\n\nfilelock.FileLock.acquire = acquire\n"
    script.write_text(ADDS.replace("import sys, time\n", f"import sys, time\n{unlocked}"), encoding="utf-8")
    environment = {**os.environ, "MIGRASIM_CACHE": str(tmp_path / "cache")}
    subprocess.run([sys.executable, str(script), "0", "0"], env=environment, check=True, timeout=120)
    assert not list((tmp_path / "cache").rglob("*.nbc"))


@pytest.mark.parametrize("phases", [each for shares in ahead.SHARES.values() for each in shares])
def test_every_helper_can_do_its_phases(phases: tuple[str, ...]) -> None:
    """The phases of each helper run on the base year without those that come before them in a run."""
    ahead.compile_phases(2020, None, phases)
    assert set(phases) <= {phase.name for phase in SCHEDULE} - {"policy", "demography"}


def test_helpers_are_started_once_and_only_beside_a_run_of_several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as there are cores beside the run's own, none for one thread, none a second time."""
    started: list[list[str]] = []

    class Helper:
        def __init__(self, command: list[str], **_: Any) -> None:
            started.append(command)

        def kill(self) -> None:
            """Nothing runs."""

        def wait(self) -> None:
            """Nothing runs."""

    monkeypatch.setattr(ahead.subprocess, "Popen", Helper)
    for threads, helpers in ((1, 0), (2, 1), (3, 2), (64, 2)):
        monkeypatch.setattr(ahead, "threads", lambda threads=threads: threads)
        monkeypatch.setattr(ahead, "_helpers", [])
        started.clear()
        assert ahead.begin(2020, None) == helpers
        assert [tuple(command[6:]) for command in started] == list(ahead.SHARES[helpers])
        if helpers:
            assert ahead.begin(2020, None) == 0
    assert len(started) == 2


def test_a_run_that_finds_nothing_compiled_starts_helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the first run of a version asks for them."""
    from migrasim.runs import simulate

    asked: list[tuple[int, str | None]] = []
    monkeypatch.setattr(ahead, "begin", lambda base, region: asked.append((base, region)))
    simulate.prepare("plan", sample=0.001)
    assert not asked
    monkeypatch.setattr(simulate, "is_to_be_compiled", lambda: True)
    simulate.prepare("plan", sample=0.001)
    assert asked == [(2020, None)]


def test_nobody_compiles_for_others_what_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a place for it, or without compiling at all, a first run has no helpers."""
    monkeypatch.setattr(rule, "is_compiled", lambda: False)
    assert rule.is_to_be_compiled()
    monkeypatch.setattr(rule, "_CACHE", False)
    assert not rule.is_to_be_compiled()
    monkeypatch.setattr(rule, "_CACHE", True)
    monkeypatch.setattr(rule.numba.config, "DISABLE_JIT", True)
    assert not rule.is_to_be_compiled()
