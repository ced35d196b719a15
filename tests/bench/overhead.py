"""What the runner costs beside the model: a batch whose runs are one real result under other names.

    python tests/bench/overhead.py COUNT [WORKERS]

Prints processor time a run, of this process and of those that it starts; what starting them takes is not in it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from migrasim.runs.result import LEVELS, TABLES, Made
from migrasim.runs.runner import run_batch
from migrasim.runs.spec import RunSpec

FEW = 20  # runs of the first batch


@lru_cache(maxsize=1)
def real() -> Made:
    """A run of one percent to 2035."""
    return RunSpec("plan", sample=0.01).make(TABLES, LEVELS)


@dataclass(frozen=True)
class Stored(RunSpec):
    """A request that is answered by a result made before."""

    def make(self, tables: Sequence[str], levels: Sequence[str]) -> Made:
        """The result under the name of this run."""
        said = {"run_id": self.run_id(real().provenance["inputs"]), "seed": self.seed}
        return replace(real(), run_id=said["run_id"], provenance={**real().provenance, **said})


def spent() -> float:
    """Processor seconds of this process and of those it started that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def batch(specs: list[Stored], workers: int) -> tuple[float, float, int]:
    """Processor seconds, seconds of the clock and bytes of a batch."""
    with tempfile.TemporaryDirectory() as folder:
        begun, cpu = time.perf_counter(), spent()
        run_batch(specs, Path(folder) / "b", workers=workers)
        wall, cpu = time.perf_counter() - begun, spent() - cpu
        return cpu, wall, sum(path.stat().st_size for path in (Path(folder) / "b").rglob("*") if path.is_file())


if __name__ == "__main__":
    import overhead

    count, workers = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    specs = [overhead.Stored("plan", seed=seed, sample=0.01) for seed in range(FEW + count)]
    # what a few more runs cost less: starting processes, loading kernels and the one real run are in both
    few, more = (overhead.batch(each, workers) for each in (specs[:FEW], specs))
    cpu, wall, size = ((b - a) / count for a, b in zip(few, more, strict=True))
    print(
        f"{count} runs: {1000 * cpu:.1f} ms of processors, {1000 * wall:.1f} ms of the clock a run "
        f"(load {os.getloadavg()[0]:.0f}); {size / 1e3:.0f} kB a run"
    )
