"""What a process of a batch does: make some runs one after the other and leave one part file that appears whole.

A part is a Parquet file with a row a run: its status, what determines it, how it went, and each of its
tables as an Arrow stream. The columns ``run_id`` and ``status`` tell what is done; page checksums tell
whether the rest is sound.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import signal
import socket
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from migrasim.runs.spec import RunSpec

if TYPE_CHECKING:
    import pyarrow as pa
    from pandas import DataFrame

DONE, FAILED = "done", "failed"
PARTS, ATTEMPTS = "parts", "attempts"
HEAD = ("run_id", "scenario", "seed")
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Task:
    """Some runs for one process.

    Attributes
    ----------
    folder
        Where the part goes, with the subfolders `PARTS` and `ATTEMPTS`.
    jobs
        Identity and request of each run.
    tables, levels
        What is kept.
    """

    folder: str
    jobs: tuple[tuple[str, RunSpec], ...]
    tables: tuple[str, ...]
    levels: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of its part, the same whenever the same runs are asked for."""
        return hashlib.sha256(" ".join(run_id for run_id, _ in self.jobs).encode()).hexdigest()[:20]


@dataclass
class Report:
    """What a process tells of a task: a few bytes; the results are in the part."""

    done: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    no_room: str = ""


def work(task: Task) -> Report:
    """Make the runs of a task and write its part; what is done when something interrupts it is written, too."""
    folder = Path(task.folder)
    path = folder / PARTS / f"{task.name}.parquet"
    report = Report()
    if path.exists():  # asked for again, because the answer was lost
        with contextlib.suppress(OSError, ValueError):
            for run_id, status, error in read_states(path):
                if status == DONE:
                    report.done.append(run_id)
                else:
                    report.failed.append((run_id, error))
            return report
    begun = time.perf_counter()
    rows: list[dict[str, Any]] = []
    try:
        attempts = _count_attempt(folder / ATTEMPTS / task.name)
        try:
            for run_id, spec in task.jobs:
                rows.append(_make(run_id, spec, task, attempts))
        finally:
            if rows:
                whole = len(rows) == len(task.jobs)
                write_part(rows, path if whole else path.with_name(f"{task.name}-{len(rows)}.parquet"), task.tables)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        report.no_room = f"{error.strerror or error}"
        return report
    report.done = [row["run_id"] for row in rows if row["status"] == DONE]
    report.failed = [(row["run_id"], row["error"]) for row in rows if row["status"] == FAILED]
    report.seconds = time.perf_counter() - begun
    return report


def _count_attempt(path: Path) -> int:
    """Note that a task is begun; how often it has been."""
    with path.open("ab") as file:
        file.write(b"x")
        return file.tell()


def _make(run_id: str, spec: RunSpec, task: Task, attempts: int) -> dict[str, Any]:
    from migrasim.runs.store import row_of

    begun = time.perf_counter()
    blobs: dict[str, bytes] = {}
    said = {"status": DONE, "error": "", "traceback": ""}
    try:
        result = spec.run()
        if result.run_id != run_id:
            raise RuntimeError(
                f"it made the run {result.run_id}: the process has another version of the model or its data"
            )
        found = result.provenance
        for name in task.tables:
            blobs[name] = packed(getattr(result, name), result.run_id, result.scenario, result.seed, task.levels)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())
        said = {"status": FAILED, "error": what, "traceback": traceback.format_exc()}
        found, blobs = {**spec.provenance(), "run_id": run_id}, {}
    return {
        "run_id": run_id,
        **said,
        "wall_s": time.perf_counter() - begun,
        "host": socket.gethostname(),
        "attempts": attempts,
        "row": json.dumps(row_of(found, said["status"]), ensure_ascii=False),
        **{name: blobs.get(name, b"") for name in task.tables},
    }


def failed_row(run_id: str, spec: RunSpec, tables: Sequence[str], error: str, attempts: int) -> dict[str, Any]:
    """The row of a run that took its process with it."""
    from migrasim.runs.store import row_of

    row = row_of({**spec.provenance(), "run_id": run_id}, FAILED)
    return {
        "run_id": run_id,
        "status": FAILED,
        "error": error,
        "traceback": "",
        "wall_s": None,
        "host": "",
        "attempts": attempts,
        "row": json.dumps(row, ensure_ascii=False),
        **dict.fromkeys(tables, b""),
    }


def packed(frame: DataFrame, run_id: str, scenario: str, seed: int, levels: Sequence[str]) -> bytes:
    """A table of a run as a compressed Arrow stream, headed by what tells the run."""
    import pyarrow as pa

    if "level" in frame and len(levels) < 3:
        frame = frame[frame["level"].isin(list(levels))]
    rows = len(frame)
    columns: dict[str, Any] = {
        "run_id": pa.repeat(pa.scalar(run_id), rows),
        "scenario": pa.repeat(pa.scalar(scenario), rows),
        "seed": pa.repeat(pa.scalar(int(seed), pa.int64()), rows),
    }
    numbers = frame.select_dtypes("float64")  # most columns: taken out at once, not one by one
    floats = dict(zip(numbers.columns, np.ascontiguousarray(numbers.to_numpy().T), strict=True))
    for name in frame.columns:
        if name in floats:
            columns[str(name)] = pa.array(floats[name], from_pandas=True)
        elif name not in HEAD:
            array = pa.array(frame[name])
            array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
            plain = not pa.types.is_large_string(array.type) and not pa.types.is_null(array.type)
            columns[str(name)] = array if plain else array.cast(pa.string())
    table = pa.table(columns)
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)
    with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
        stream.write_table(table)
    return sink.getvalue()


def unpacked(blob: bytes) -> pa.Table:
    """The table that `packed` made."""
    import pyarrow as pa

    return pa.ipc.open_stream(blob, options=pa.ipc.IpcReadOptions(use_threads=False)).read_all()


def write_part(rows: Sequence[dict[str, Any]], path: Path, tables: Sequence[str]) -> None:
    """Write a part beside its place and give it its name in one step."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = ("run_id", "status", "error", "traceback", "host", "row")
    types = {**dict.fromkeys(text, pa.string()), "wall_s": pa.float64(), "attempts": pa.int64()}
    types |= dict.fromkeys(tables, pa.binary())
    table = pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in types.items()})
    squeeze = {name: "none" if name in tables else "zstd" for name in types}
    with atomic(path) as draft:
        pq.write_table(table, draft, compression=squeeze, use_dictionary=False, write_page_checksum=True)


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A name to write to; when all went well, the file has its own name, and is on the disk."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield draft
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def read_states(path: Path) -> list[tuple[str, str, str]]:
    """Run id, status and error of each run in a part; a damaged part raises OSError or ValueError."""
    found = read_part(path, ["run_id", "status", "error"])
    return [(row["run_id"], row["status"], row["error"]) for row in found.to_pylist()]


def read_part(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A part, its checksums tested; a damaged one raises OSError or ValueError."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        return file.read(columns)


def dask_setup(worker: object) -> None:
    """Leave Ctrl-C to the process that started the batch; Dask calls this in each of its processes."""
    del worker
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)
