"""Runs that take no time, so that batches can be tested by the hundred; also a script that makes a batch of them.

    python quick_runs.py FOLDER COUNT [WORKERS] [SCHEDULER]

has no ``if __name__`` guard around what it does as a script, on purpose: nothing may hang on it.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from migrasim.runs import store
from migrasim.runs.result import HEAD, Made, RunResult
from migrasim.runs.runner import Stopped, run_batch
from migrasim.runs.spec import RunSpec

EATS_BYTES = 2_400_000_000
YEARS = range(2020, 2024)


def made_of(result: RunResult, tables: Sequence[str], levels: Sequence[str]) -> Made:
    """A result as a batch keeps it."""
    kept = {}
    for name in tables:
        frame = getattr(result, name)
        if "level" in frame:
            frame = frame[frame["level"].isin(list(levels))]
        frame = frame.drop(columns=[each for each in HEAD if each in frame])
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
        text = [pa.types.is_large_string(each.type) or pa.types.is_null(each.type) for each in table.schema]
        types = [each.with_type(pa.string()) if plain else each for each, plain in zip(table.schema, text, strict=True)]
        kept[name] = table.cast(pa.schema(types))
    return Made(result.run_id, result.provenance, kept)


@dataclass(frozen=True)
class Quick(RunSpec):
    """A run of invented numbers; ``mood`` says what goes wrong with it."""

    scenario: str = "plan"
    mood: str = ""
    pause_s: float = 0.0

    def run_id(self, inputs_hash: str | None = None) -> str:
        """A number made of seed and scenario."""
        return hashlib.sha256(f"{self.scenario} {self.seed}".encode()).hexdigest()[:12]

    def provenance(self) -> dict[str, Any]:
        """A little of what a run says of itself."""
        return {
            "run_id": self.run_id(),
            "scenario": "plan",
            "seed": self.seed,
            "sample": self.sample,
            "base": self.base,
            "until": self.until,
            "versions": {"migrasim": "0"},
            "levers": {"three_rights.titling": {"2020": [0.9], "2021": [1.0]}},
            "parameters": {"moving.income_elasticity": 1.5},
        }

    def make(self, tables: Sequence[str], levels: Sequence[str]) -> Made:
        """What `run` makes, as a batch keeps it."""
        return made_of(self.run(), tables, levels)

    def run(self) -> RunResult:
        """Sleep, fail, hang, take too much memory, or kill the process."""
        time.sleep(self.pause_s)
        if self.mood == "fails":
            raise ValueError("no such world")
        if self.mood == "kills":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.mood == "eats":
            held = bytearray(EATS_BYTES)
            held[::4096] = b"x" * len(held[::4096])
            time.sleep(60)
        if self.mood == "hangs":
            time.sleep(10_000)
        return self.result()

    def result(self) -> RunResult:
        """Tables of invented numbers."""
        rows = [
            {"run_id": self.run_id(), "scenario": "plan", "seed": self.seed, "year": year,
             "level": level, "place": place, "urbanization_rate": 0.4 + self.seed / 1000 + year / 1e6,
             "public_cost_yuan": 10.0}
            for year in YEARS
            for level, place in (("prefecture", "All"), ("county", "First"), ("place", "First/seat"))
        ]  # fmt: skip
        small = pd.DataFrame([{"year": 2021, "place": "First/seat", "number": float(self.seed)}])
        tables: dict[str, Any] = {**dict.fromkeys(store.TABLES, small), "indicators": pd.DataFrame(rows)}
        head = (self.run_id(), "plan", self.seed, self.sample, self.base, self.until)
        return RunResult(*head, **tables, provenance=self.provenance())


def quick(count: int, **options: Any) -> list[RunSpec]:
    """Some of them, told apart by their seeds."""
    return [Quick(seed=seed, label=f"seed {seed}", **options) for seed in range(count)]


def final(folder: Path) -> dict[str, bytes]:
    """Bytes of the tables that two makings of one batch may not differ in."""
    beside = ("manifest.json", "execution.parquet", "results.xlsx")
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in beside and not path.relative_to(folder).as_posix().startswith(".")
    }


if __name__ == "__main__":
    import quick_runs

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background ignores it
    try:
        run_batch(
            quick_runs.quick(int(sys.argv[2]), pause_s=0.02),
            sys.argv[1],
            workers=int(sys.argv[3]) if len(sys.argv) > 3 else 2,
            scheduler=sys.argv[4] if len(sys.argv) > 4 else None,
            on_done=lambda *done: print(*done, flush=True),
            patience_s=90,
        )
    except Stopped as stop:
        sys.exit(f"stopped: {stop}")
