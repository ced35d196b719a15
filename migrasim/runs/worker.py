"""What a process of a batch does: make some runs one after the other and leave one part file that appears whole.

A part holds the runs of a task: how each went, what determines it, and each table over all of them, as Arrow
streams behind a head with a digest of its own and in front of them the digest of the rest. So no byte of it can
turn without being seen.
"""

from __future__ import annotations

import contextlib
import errno
import faulthandler
import hashlib
import io
import json
import os
import signal
import socket
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from migrasim.runs.result import HEAD, encoded
from migrasim.runs.spec import RunSpec

if TYPE_CHECKING:
    import pyarrow as pa

DONE, FAILED = "done", "failed"
PARTS, ATTEMPTS = "parts", "attempts"
SUFFIX = ".part"
_DIGEST = 32  # bytes of a SHA-256
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
    deadline_s
        Seconds after which a run is taken to hang, and its process ends itself; 0 for never.
    """

    folder: str
    jobs: tuple[tuple[str, RunSpec], ...]
    tables: tuple[str, ...]
    levels: tuple[str, ...]
    deadline_s: float = 0.0

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
    path = folder / PARTS / f"{task.name}{SUFFIX}"
    report = Report()
    if path.exists():  # asked for again, because the answer was lost
        with contextlib.suppress(OSError, ValueError):
            for made in Part.read(path, whole=False).made:
                if made["status"] == DONE:
                    report.done.append(made["run_id"])
                else:
                    report.failed.append((made["run_id"], made["error"]))
            return report
    begun = time.perf_counter()
    rows: list[dict[str, Any]] = []
    try:
        attempts = _count_attempt(folder / ATTEMPTS / task.name)
        try:
            for run_id, spec in task.jobs:
                watch = folder / ATTEMPTS / f"watch-{run_id}"
                rows.append(_hung(run_id, spec, task, watch, attempts) or _watched(run_id, spec, task, watch, attempts))
        finally:
            if rows:
                whole = len(rows) == len(task.jobs)
                write_part(rows, path if whole else path.with_name(f"{task.name}-{len(rows)}{SUFFIX}"), task.tables)
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


def _watched(run_id: str, spec: RunSpec, task: Task, watch: Path, attempts: int) -> dict[str, Any]:
    """Make a run; where it does not end in time, say where it stood, and end this process.

    The watch is a thread of the interpreter's that needs no turn of it, so that kernels that hang are ended, too.
    """
    if not task.deadline_s:
        return _make(run_id, spec, task, attempts)
    with watch.open("w", encoding="utf-8") as file:
        faulthandler.dump_traceback_later(task.deadline_s, exit=True, file=file)
        try:
            return _make(run_id, spec, task, attempts)
        finally:
            faulthandler.cancel_dump_traceback_later()
            watch.unlink(missing_ok=True)


def _hung(run_id: str, spec: RunSpec, task: Task, watch: Path, attempts: int) -> dict[str, Any] | None:
    """The row of a run that hung in a process before this one; None where it did not."""
    if not watch.exists() or not (stood := watch.read_text(encoding="utf-8", errors="replace")):
        return None
    watch.unlink(missing_ok=True)
    after = f"{task.deadline_s / 60:.0f} minutes" if task.deadline_s >= 60 else f"{task.deadline_s:g} s"
    error = f"did not end within {after}; its process was ended, and where it stood is in execution.parquet"
    return {**failed_row(run_id, spec, error, attempts), "traceback": stood, "host": socket.gethostname()}


def _make(run_id: str, spec: RunSpec, task: Task, attempts: int) -> dict[str, Any]:
    from migrasim.runs.store import row_of

    begun = time.perf_counter()
    tables: Mapping[str, pa.Table] = {}
    said = {"status": DONE, "error": "", "traceback": ""}
    try:
        made = spec.make(task.tables, task.levels)
        if made.run_id != run_id:
            raise RuntimeError(
                f"it made the run {made.run_id}: the process has another version of the model or its data"
            )
        found, tables = made.provenance, made.tables
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())
        said = {"status": FAILED, "error": what, "traceback": traceback.format_exc()}
        found, tables = {**spec.provenance(), "run_id": run_id}, {}
    return {
        "run_id": run_id,
        **said,
        "wall_s": time.perf_counter() - begun,
        "host": socket.gethostname(),
        "attempts": attempts,
        "row": row_of(found, said["status"]),
        "tables": tables,
    }


def failed_row(run_id: str, spec: RunSpec, error: str, attempts: int) -> dict[str, Any]:
    """The row of a run that took its process with it."""
    from migrasim.runs.store import row_of

    return {
        "run_id": run_id,
        "status": FAILED,
        "error": error,
        "traceback": "",
        "wall_s": None,
        "host": "",
        "attempts": attempts,
        "row": row_of({**spec.provenance(), "run_id": run_id}, FAILED),
        "tables": {},
    }


def columns_of(rows: Sequence[Mapping[str, Any]], types: Mapping[str, str] | None = None) -> pa.Table:
    """Rows as a table; columns in the order in which they come."""
    import pyarrow as pa

    kinds = types and pa.struct([pa.field(name, kind) for name, kind in types.items()])
    table = pa.Table.from_struct_array(pa.array(rows, kinds))  # at once: one by one, hundreds of columns take long
    return table.select(list(types or dict.fromkeys(name for row in rows for name in row)))


_MADE = {
    "run_id": "string", "status": "string", "error": "string", "traceback": "string", "wall_s": "float64",
    "host": "string", "attempts": "int64",
}  # fmt: skip


def write_part(rows: Sequence[dict[str, Any]], path: Path, tables: Sequence[str]) -> None:
    """Write a part beside its place and give it its name in one step."""
    import pyarrow as pa

    body = io.BytesIO()
    where: dict[str, list[int]] = {}
    for name in tables:
        found = [row["tables"][name] for row in rows if row["tables"]]
        if found:
            begun = body.tell()
            _stream(encoded(pa.concat_tables(found, promote_options="permissive")), body)
            where[name] = [begun, body.tell() - begun]
    made, settled = io.BytesIO(), io.BytesIO()
    _stream(columns_of(rows, _MADE), made)
    _stream(columns_of([row["row"] for row in rows]), settled)
    counts = {name: [len(row["tables"][name]) if row["tables"] else 0 for row in rows] for name in tables}
    index = json.dumps({"streams": where, "rows": counts}).encode()
    head = b"".join(len(each).to_bytes(8, "little") + each for each in (index, made.getvalue(), settled.getvalue()))
    head = len(head).to_bytes(8, "little") + head
    with atomic(path) as draft, draft.open("wb") as file:
        file.write(hashlib.sha256(head).digest() + head)
        file.write(hashlib.sha256(body.getbuffer()).digest())
        file.write(body.getbuffer())


def _stream(table: pa.Table, sink: io.BytesIO) -> None:
    import pyarrow as pa

    options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
        stream.write_table(table)


def _table(blob: Any) -> pa.Table:
    import pyarrow as pa

    return pa.ipc.open_stream(blob, options=pa.ipc.IpcReadOptions(use_threads=False)).read_all()


@dataclass(frozen=True)
class Part:
    """A part that was read, and found sound as far as it was read.

    Attributes
    ----------
    made
        How each run went.
    """

    made: list[dict[str, Any]]
    _settled: bytes
    _index: dict[str, Any]
    _body: memoryview

    @staticmethod
    def read(path: Path, *, whole: bool = True) -> Part:
        """A part from its file; without its tables where it is not wanted `whole`.

        Raises
        ------
        OSError, ValueError
            Where it cannot be read, or any byte of what was read has turned.
        """
        with path.open("rb") as file:
            digest, size = file.read(_DIGEST), file.read(8)
            length = int.from_bytes(size, "little")
            if length > path.stat().st_size:
                raise ValueError(f"{path}: damaged")
            head = file.read(length)
            if hashlib.sha256(size + head).digest() != digest:
                raise ValueError(f"{path}: damaged")
            body = b""
            if whole:
                digest, body = file.read(_DIGEST), file.read()
                if hashlib.sha256(body).digest() != digest:
                    raise ValueError(f"{path}: damaged")
        pieces, at = [], 0
        while at < len(head):
            size_of = int.from_bytes(head[at : at + 8], "little")
            pieces.append(head[at + 8 : at + 8 + size_of])
            at += 8 + size_of
        index, made, settled = pieces
        return Part(_table(made).to_pylist(), settled, json.loads(index), memoryview(body))

    @cached_property
    def settled(self) -> pa.Table:
        """What determines each run: the columns of ``runs.parquet``, unpacked where they are asked for."""
        return _table(self._settled)

    def table(self, name: str) -> tuple[pa.Table, dict[str, tuple[int, int]]]:
        """A table over all its runs, headed by what tells the run; of each run its first row and the one after it.

        Runs that failed are not among them. Texts are encoded.
        """
        import pyarrow as pa

        counts = np.array(self._index["rows"][name])
        done = [made["status"] == DONE for made in self.made]
        if name not in self._index["streams"]:
            return pa.table({}), {}
        begun, size = self._index["streams"][name]
        found = _table(pa.py_buffer(self._body[begun : begun + size]))
        which = pa.array(np.repeat(np.arange(len(counts), dtype=np.int32), counts))
        head = {}
        for each in HEAD:
            told = self.settled[each].combine_chunks()
            is_text = pa.types.is_string(told.type)
            head[each] = pa.DictionaryArray.from_arrays(which, told) if is_text else told.take(which)
        found = pa.table(head | dict(zip(found.schema.names, found.columns, strict=True)))
        ends = np.cumsum(counts).tolist()
        rows = {
            made["run_id"]: (end - count, end)
            for made, is_done, count, end in zip(self.made, done, counts.tolist(), ends, strict=True)
            if is_done
        }
        return found, rows


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


def dask_setup(worker: object) -> None:
    """Leave Ctrl-C to the process that started the batch; Dask calls this in each of its processes."""
    del worker
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)
