"""What the runner costs beside the model: a batch whose runs are one real result under other names.

    python tests/bench/overhead.py COUNT [WORKERS]

Prints processor time a run (of this process and those it started), which other work on the machine changes little.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from migrasim.runs.result import RunResult
from migrasim.runs.runner import run_batch
from migrasim.runs.simulate import simulate
from migrasim.runs.spec import RunSpec


@lru_cache(maxsize=1)
def real() -> RunResult:
    """A run of one percent to 2035."""
    return simulate("plan", sample=0.01, threads=1)


@dataclass(frozen=True)
class Stored(RunSpec):
    """A request that is answered by a result made before."""

    def run(self) -> RunResult:
        """The result under the name of this run."""
        said = {"run_id": self.run_id(real().provenance["inputs"]), "seed": self.seed}
        return replace(real(), **said, provenance={**real().provenance, **said})


if __name__ == "__main__":
    import overhead

    count, workers = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    overhead.real()
    specs = [overhead.Stored("plan", seed=seed, sample=0.01) for seed in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        begun, cpu = time.perf_counter(), time.process_time()
        run_batch(specs[:1], Path(folder) / "first", workers=0)
        begun, cpu = time.perf_counter(), time.process_time()
        run_batch(specs, Path(folder) / "b", workers=workers)
        wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
        size = sum(path.stat().st_size for path in (Path(folder) / "b").rglob("*") if path.is_file())
    print(
        f"{count} runs: {1000 * cpu / count:.1f} ms of this processor, {1000 * wall / count:.1f} ms of the clock a run "
        f"(load {os.getloadavg()[0]:.0f}); {size / count / 1e3:.0f} kB a run"
    )
