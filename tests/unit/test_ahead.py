"""A first run: helpers that compile what it needs later, and processes that compile the same at once."""

from __future__ import annotations

import io
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


@pytest.mark.parametrize("ending", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", ["empty", "half", "one byte"])
def test_what_was_compiled_and_damaged_is_compiled_anew(tmp_path: Path, ending: str, damage: str) -> None:
    """An emptied, cut or changed file of the cache is neither run nor a defect, and is replaced."""
    script = tmp_path / "adds.py"
    script.write_text(ADDS, encoding="utf-8")
    environment = {**os.environ, "MIGRASIM_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, str(script), "0", "0"]
    subprocess.run(command, env=environment, check=True, timeout=120)
    files = [path for path in (tmp_path / "cache").rglob(f"*{ending}") if "twice" in path.name]
    whole = [path.read_bytes() for path in files]
    for path, data in zip(files, whole, strict=True):
        other = {"empty": b"", "half": data[: len(data) // 2], "one byte": data[:-200] + b"?" + data[-199:]}[damage]
        path.write_bytes(other)
        assert other != data
    subprocess.run(command, env=environment, check=True, timeout=120)
    assert files
    assert all(rule._is_sealed(path) for path in files)


def test_a_full_disk_keeps_nothing_compiled_and_stops_nobody(tmp_path: Path) -> None:
    """Where the cache takes no more, each process compiles for itself."""
    script = tmp_path / "adds.py"
    full = (
        "import contextlib, errno\nfrom numba.core.caching import IndexDataCacheFile\n\ndef write(self, path):\n"
        "    raise OSError(errno.ENOSPC, 'No space left on device')\n\nIndexDataCacheFile._open_for_write = write\n"
    )
    script.write_text(ADDS.replace("import sys, time\n", f"import sys, time\n{full}"), encoding="utf-8")
    environment = {**os.environ, "MIGRASIM_CACHE": str(tmp_path / "cache")}
    subprocess.run([sys.executable, str(script), "0", "0"], env=environment, check=True, timeout=120)
    assert not list((tmp_path / "cache").rglob("*.nb?"))


def test_nothing_compiled_is_kept_beside_the_sources(tmp_path: Path) -> None:
    """A cache that can only be read is not replaced by one by the file of the function, which outlives other files."""
    script = tmp_path / "adds.py"
    barred = (
        "from numba.core.caching import CompileResultCacheImpl\n\n"
        "def barred(self):\n    raise OSError(30, 'barred')\n\n"
        "CompileResultCacheImpl._locator_classes[0].ensure_cache_path = barred\n"
    )
    script.write_text(ADDS.replace("import sys, time\n", f"import sys, time\n{barred}"), encoding="utf-8")
    environment = {**os.environ, "MIGRASIM_CACHE": str(tmp_path / "cache")}
    subprocess.run([sys.executable, str(script), "0", "0"], env=environment, check=True, timeout=120)
    kept = [path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*.nb?")]
    assert set(kept) == {"cache"}


@pytest.mark.parametrize("phases", [each for shares in ahead.SHARES.values() for each in shares])
def test_every_helper_can_do_its_phases(phases: tuple[str, ...]) -> None:
    """The phases of each helper run on the base year without those that come before them in a run."""
    ahead.compile_phases(2020, None, phases)
    assert set(phases) <= {phase.name for phase in SCHEDULE} - {"policy", "demography"}


SIGNATURES = """
from migrasim.core.rule import set_threads
from migrasim.domains.moving import choice, considering, household
from migrasim.domains.moving.rehearsal import rehearse
from migrasim.runs.simulate import prepare

def dispatcher(kernel):
    cells = [cell.cell_contents for cell in getattr(kernel, "__closure__", None) or ()]
    return next((each for each in cells if hasattr(each, "signatures")), kernel)

kernels = [dispatcher(each) for each in (
    choice._choose, choice.fill_best, household._fill, considering._consider, considering.bounds, considering.by_age,
)]
set_threads(1)
rehearse()
before = [list(each.signatures) for each in kernels]
prepare("plan", sample=0.001, until=2021, threads=1).simulation.step()
assert all(len(each) == 1 for each in before), before
for kernel, signatures in zip(kernels, before):
    assert kernel.signatures == signatures, kernel
"""


def test_what_is_rehearsed_is_what_a_run_calls() -> None:
    """Kernels compiled on nobody have the types that they have with a world: nothing is compiled twice, or in vain."""
    subprocess.run([sys.executable, "-c", SIGNATURES], check=True, timeout=300)


def test_helpers_are_started_once_and_only_beside_a_run_of_several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as there are cores beside the run's own, none for one thread, none a second time; told once."""
    started: list[list[str]] = []
    told: list[io.BytesIO] = []

    class Told(io.BytesIO):
        def close(self) -> None:
            told.append(io.BytesIO(self.getvalue()))
            super().close()

    class Helper:
        def __init__(self, command: list[str], **_: Any) -> None:
            self.stdin = Told()
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
        told.clear()
        assert ahead.begin() == helpers
        assert [command[4:] for command in started] == [[str(helpers), str(number)] for number in range(helpers)]
        if helpers:
            assert ahead.begin() == 0
        for _ in range(2):
            ahead.go_on(2010, None)
        assert [each.read() for each in told] == [b"2010\n\n"] * helpers
    assert len(started) == 2


def test_a_helper_rehearses_and_waits_until_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of them begins without a world; a run that ends before its world stands asks for nothing more."""
    did: list[Any] = []
    monkeypatch.setattr(ahead, "rehearse", lambda: did.append("rehearsed"))
    monkeypatch.setattr(ahead, "compile_phases", lambda *told: did.append(told))
    for said in ("", "2020\n\n", "2010\nelsewhere\n"):
        for number in range(2):
            monkeypatch.setattr(sys, "stdin", io.StringIO(said))
            ahead.help_out(2, number)
    first, second = ahead.SHARES[2]
    assert did == [
        "rehearsed",
        "rehearsed",
        (2020, None, first),
        (2020, None, second),
        "rehearsed",
        (2010, "elsewhere", first),
        (2010, "elsewhere", second),
    ]


def test_a_run_that_finds_nothing_compiled_starts_helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the first run of a version asks for them, before its world stands, and tells them when it does."""
    from migrasim.runs import simulate

    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(ahead, "begin", lambda: asked.append(()))
    monkeypatch.setattr(ahead, "go_on", lambda base, region: asked.append((base, region)))
    simulate.prepare("plan", sample=0.001)
    assert not asked
    monkeypatch.setattr(simulate, "is_to_be_compiled", lambda: True)
    simulate.prepare("plan", sample=0.001)
    assert asked == [(), (2020, None)]


def test_nobody_compiles_for_others_what_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a place for it, or without compiling at all, a first run has no helpers."""
    monkeypatch.setattr(rule, "is_compiled", lambda: False)
    assert rule.is_to_be_compiled()
    monkeypatch.setattr(rule, "_CACHE", False)
    assert not rule.is_to_be_compiled()
    monkeypatch.setattr(rule, "_CACHE", True)
    monkeypatch.setattr(rule.numba.config, "DISABLE_JIT", True)
    assert not rule.is_to_be_compiled()
