"""What a batch would cost, before it is made: runs, time and disk, from one run that is timed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from migrasim.runs import batch as batches
from migrasim.runs import compaction, store
from migrasim.runs.counted import counted
from migrasim.runs.runner import DRAFTS, check_folder, disk_bytes, manifest_for, memory_bytes, resolve, workers_for
from migrasim.runs.spec import RunSpec


@dataclass(frozen=True)
class Estimate:
    """Cost of a batch.

    Attributes
    ----------
    runs, missing
        Distinct runs, and those that are not in the folder yet.
    seconds, memory
        Of one run and of one process, in bytes.
    workers
        Processes.
    bytes
        Of the tables on disk; while they are made it takes `DRAFTS` times that for a while.
    free
        Bytes that the disk has left.
    """

    runs: int
    missing: int
    seconds: float
    memory: float
    workers: int
    bytes: float
    free: float

    @property
    def fits(self) -> bool:
        """Whether the disk has room, drafts and parts among it."""
        return DRAFTS * self.bytes * self.missing / max(self.runs, 1) <= self.free

    def words(self) -> str:
        """The estimate as people read it."""
        total = self.missing * self.seconds / self.workers
        text = (
            f"{counted(self.runs, 'run')}, {self.missing} of them still to be made; {self.seconds:.1f} s each on one "
            f"core, {counted(self.workers, 'process', 'processes')} of {self.memory / 1e9:.1f} GB: about "
            f"{_time(total)}; "
            f"disk {_size(self.bytes)} ({_size(self.free)} free)"
        )
        return text if self.fits else f"{text}\nthere is not enough room on the disk"


def estimate(
    specs: Sequence[RunSpec],
    folder: Path,
    *,
    name: str = "batch",
    workers: int | None = None,
    tables: Sequence[str] = store.TABLES,
) -> Estimate:
    """What a batch would cost; one of its runs is made to know.

    Raises
    ------
    InputError
        For wrong specs, and a folder that the batch could not be made in.
    """
    design, by_id = resolve(specs)
    check_folder(folder, manifest_for(name, None, tables, batches.LEVELS), design)
    order = design.distinct
    there = batches.manifest_of(folder)
    missing = order if there is None else compaction.undone(folder, there, design)
    one = by_id[max(order, key=lambda run_id: by_id[run_id].sample)]
    one.make(tables, batches.LEVELS)  # compiles, and loads what is loaded once
    begun = time.perf_counter()
    one.make(tables, batches.LEVELS)
    seconds = time.perf_counter() - begun
    sample = max(spec.sample for spec in specs)
    count = min(max(len(missing), 1), workers_for(sample, workers))
    where = next(each for each in (folder, *folder.parents) if each.exists())
    size = disk_bytes((by_id[run_id] for run_id in order), tables, batches.LEVELS)
    free = shutil.disk_usage(where).free
    return Estimate(len(order), len(missing), seconds, memory_bytes(sample), count, size, float(free))


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _size(number: float) -> str:
    for unit in ("kB", "MB", "GB"):
        number /= 1000
        if number < 1000:
            return f"{number:.3g} {unit}"
    return f"{number / 1000:.3g} TB"
