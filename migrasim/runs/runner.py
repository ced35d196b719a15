"""Batches of runs: made side by side by Dask, kept as they end, and gone on with by the same call.

For those who make runs (analyses, calibration, search)::

    from migrasim.runs.runner import run_batch, yearly
    from migrasim.runs.spec import RunSpec

    batch = run_batch(specs, folder, name="mine", columns=[{"point": 0}, ...])
    batch.table("indicators", level="prefecture", years=[2035])   # pandas; `run_id` leads to batch.runs
    frames = yearly(specs, folder)         # indicators of the whole region by year, one frame a spec

`run_batch` writes the folder that `migrasim.runs.batch` describes. Called again with the same specs it
makes what is missing; with more of them it extends the batch; ``grow=True`` adds whatever is asked for to
what is there (for searches that ask in rounds). ``tables=("indicators",), levels=("prefecture",
"county")`` keeps little. A run that fails is a row with its error and stops no other (`Batch.failed`);
`Stopped` is raised where nothing can go on: no room on the disk, no scheduler, no workers.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from migrasim import __version__
from migrasim.core.errors import InputError, standing
from migrasim.core.rule import is_compiled
from migrasim.runs import batch as batches
from migrasim.runs import compaction, store
from migrasim.runs.batch import LEVELS, Batch, Design, Manifest
from migrasim.runs.counted import counted
from migrasim.runs.spec import RunSpec as RunSpec
from migrasim.runs.worker import ATTEMPTS, PARTS, SUFFIX, Report, Task, atomic, failed_row, write_part

if TYPE_CHECKING:
    from pandas import DataFrame

    from migrasim.runs.cluster import Pool

CHUNK_S = 10.0  # seconds that a task should take: what a process that is killed loses
MOST_IN_CHUNK = 20
PATIENCE_S = 1800.0  # for a run to end, or for workers to come
_PROCESS_BYTES = 400e6  # a process with everything imported
_HOUSEHOLDS_BYTES = 1.5e9  # the world of everybody and what one run adds

OnDone = Callable[[int, int, int], None]
"""Called with runs done, runs in all and runs failed."""
Say = Callable[[str], None]


class Stopped(Exception):
    """A batch that cannot go on now; what is done is kept, and the same command goes on."""


def workers_for(sample: float, wanted: int | None = None, prefix: str = "") -> int:
    """Number of processes, each with one thread: as many as there are cores, fewer where memory is short.

    Raises
    ------
    InputError
        Where less than one is wanted.
    """
    if wanted is not None and (isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1):
        raise InputError(f"{prefix}workers: {wanted!r} is not allowed; allowed: whole numbers from 1 on")
    return max(1, min(cores(wanted), int(0.8 * free_bytes() / memory_bytes(sample))))


def cores(wanted: int | None = None) -> int:
    """Cores of this machine that this process may use, and of those not more than are wanted."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return there if wanted is None else max(1, min(wanted, there))


def free_bytes() -> float:
    """Memory that new processes can have: copies of files count as free, and a container's limit holds."""
    from distributed.system import MEMORY_LIMIT

    return float(min(psutil.virtual_memory().available, MEMORY_LIMIT))


def memory_bytes(sample: float) -> float:
    """Memory of one process that runs a share of the households."""
    return _PROCESS_BYTES + sample * _HOUSEHOLDS_BYTES


def run_batch(
    specs: Sequence[RunSpec],
    folder: str | os.PathLike[str],
    *,
    name: str = "batch",
    title: Mapping[str, str] | None = None,
    columns: Sequence[Mapping[str, Any]] | None = None,
    tables: Sequence[str] = store.TABLES,
    levels: Sequence[str] = LEVELS,
    workers: int | None = None,
    scheduler: str | None = None,
    shard: tuple[int, int] | None = None,
    grow: bool = False,
    on_done: OnDone | None = None,
    say: Say | None = None,
    patience_s: float = PATIENCE_S,
) -> Batch:
    """Make the runs of a batch that are missing in a folder, and its tables when all are made.

    Parameters
    ----------
    specs : runs in order; two that come to the same run are made once
    folder : new, empty, or one that holds this batch or the beginning of it
    name, title : of the batch
    columns : of ``design.parquet``, ``runs.parquet`` and the summary: one mapping per spec; names that every run
        has (``scenario``, ``seed`` and so on) are left out
    tables, levels : what is kept of each run; see `Batch.table`
    workers : processes on this machine, at most one a core; with 0 the runs are made in this process, which nothing
        watches: one that hangs, or takes its process along, ends the call
    scheduler : address of a Dask scheduler instead; its workers need this version and see the folder
    shard : (i, N): only every Nth run from the ith on (1 to N), and no tables; a call without it ends the batch
    grow : add the specs to whatever batch lies there
    on_done : called after each task
    say : prints a line of news
    patience_s : seconds after which a run that has not ended is a failure and its process is ended, and seconds
        without workers after which it stops

    Raises
    ------
    InputError
        For wrong specs, and a folder that holds another batch or one of another version of the model.
    Stopped
        Where it cannot go on now.
    KeyboardInterrupt
        With words that say what is kept.
    """
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 0):
        raise InputError(f"workers: {workers!r} is not allowed; allowed: whole numbers from 0 on")
    target = Path(folder)
    tell: Say = say or (lambda _: None)
    manifest = manifest_for(name, title, tables, levels)
    design, by_id = resolve(specs, columns, _known(target))
    plan = _Plan(target, manifest, design, by_id, workers, scheduler, shard, on_done, tell, patience_s)
    check_folder(target, manifest, design, grow=grow)
    check_room(target, by_id, manifest)
    try:
        _make_folder(target)
        with batches.locked(target, shared=shard is not None):
            return plan.carry_on(grow)
    except KeyboardInterrupt as stop:  # also while workers start and while the tables are put together
        raise KeyboardInterrupt(
            str(stop) or f"interrupted: what is done is kept in {target}; the same command goes on"
        ) from None
    except OSError as error:
        raise Stopped(f"{target}: {error.strerror or error}; what is done is kept: give the command again") from None


def manifest_for(name: str, title: Mapping[str, str] | None, tables: Sequence[str], levels: Sequence[str]) -> Manifest:
    """What a new batch would say of itself.

    Raises
    ------
    InputError
        For tables and levels that cannot be kept.
    """
    for what, given, allowed in (("tables", tables, store.TABLES), ("levels", levels, LEVELS)):
        wrong = [each for each in given if each not in allowed]
        if wrong or not given:
            raise InputError(
                f"{what}: {wrong[0] if wrong else 'nothing'!r} cannot be kept; allowed: {', '.join(allowed)}"
            )
    kept, rows = [each for each in store.TABLES if each in tables], [each for each in LEVELS if each in levels]
    words = dict(title or {"en": name, "zh_hant": name})
    block = compaction.BLOCK * (10 if _kb_year(kept, rows) < _LITTLE_KB_YEAR else 1)
    return Manifest(name, words, kept, rows, batches.model_version(), __version__, block=block)


def resolve(
    specs: Sequence[RunSpec],
    columns: Sequence[Mapping[str, Any]] | None = None,
    known: Mapping[tuple[str, str], str] | None = None,
) -> tuple[Design, dict[str, RunSpec]]:
    """Requests with their identities, and the specs by run; a wrong request is found here, before anything runs.

    Parameters
    ----------
    specs, columns
        See `run_batch`.
    known
        Identities that were found out before, by request.
    """
    from migrasim.facts import FactBook
    from migrasim.scenario import Scenario

    if not specs or not all(isinstance(one, RunSpec) for one in specs):
        raise InputError("batch: at least one run is needed")
    if columns is not None and len(columns) != len(specs):
        raise InputError(f"batch: {len(columns)} rows of columns for {len(specs)} runs; give one for each")
    own = [name for name in dict.fromkeys(name for row in columns or () for name in row) if not batches.is_common(name)]
    book = FactBook.load()
    loaded: dict[str, Scenario] = {}
    texts: dict[int, str] = {}
    hashes: dict[str, str] = {}
    design = Design([], [], [], [], {name: [row.get(name) for row in columns or ()] for name in own})
    by_id: dict[str, RunSpec] = {}
    for spec in specs:
        if not isinstance(spec.scenario, Scenario):
            if spec.scenario not in loaded:
                loaded[spec.scenario] = Scenario.load(spec.scenario, book)
            spec = replace(spec, scenario=loaded[spec.scenario])
        request = spec.request()
        del request["label"]
        scenario = request.pop("scenario")
        text = texts.setdefault(id(spec.scenario), json.dumps(scenario, sort_keys=True))
        asked = json.dumps(request, sort_keys=True)
        run_id = (known or {}).get((text, asked))
        if run_id is None:  # runs that differ in seed and sample only read the same
            same = json.dumps({**request, "seed": 0, "sample": 0, "scenario": text}, sort_keys=True)
            if same not in hashes:
                try:
                    hashes[same] = spec.inputs().content_hash()
                except InputError as error:  # levels of a design are put on top as --set does, but nobody gave that
                    if spec.overrides or not str(error).startswith("--set "):
                        raise
                    raise InputError(f"{spec.label}: {str(error).removeprefix('--set ')}") from None
            run_id = spec.run_id(hashes[same])
        by_id.setdefault(run_id, spec)
        for column, value in (
            (design.run_ids, run_id),
            (design.labels, spec.label),
            (design.requests, asked),
            (design.scenarios, text),
        ):
            column.append(value)
    return design, by_id


def _known(folder: Path) -> dict[tuple[str, str], str]:
    """Identities by request that an earlier call found out, where the model is the same."""
    manifest = batches.manifest_of(folder)
    if manifest is None or manifest.model != batches.model_version():
        return {}
    design = Design.read(folder)
    return {} if design is None else design.known


def check_place(folder: Path) -> Manifest | None:
    """What a batch that lies in a folder says of itself; None where a new one can be begun there.

    Raises
    ------
    InputError
        Where a file, or a folder with other things in it, is in the way.
    """
    if not standing(folder).is_dir():
        raise InputError(f"{standing(folder)}: a file is in the way; give a folder")
    there = batches.manifest_of(folder)
    if there is None and folder.is_dir():
        if any(each.name not in (batches.LOCK, batches.WORK) for each in folder.iterdir()):
            raise InputError(f"{folder}: the folder holds something other than a batch; give an empty or a new one")
    return there


def check_folder(folder: Path, manifest: Manifest, design: Design, *, grow: bool = False) -> None:
    """Refuse a folder that holds something else, another batch, or one of another version of the model.

    Raises
    ------
    InputError
        Saying what lies there; nothing is changed.
    """
    there = check_place(folder)
    if there is None:
        return
    if there.model != manifest.model:
        raise InputError(
            f"{folder}: its runs were made by another version of the model or its data ({there.version}, "
            f"{there.model}; this one is {manifest.version}, {manifest.model}); give a new folder, or that version"
        )
    missing = [each for each in manifest.tables if each not in there.tables]
    missing += [each for each in manifest.levels if each not in there.levels]
    if missing:
        raise InputError(f"{folder}: this batch was begun without '{missing[0]}'; give a new folder")
    before, new = Design.read(folder), set(design.run_ids)
    old = batches.run_ids(folder / batches.RUNS) if before is None else set(before.run_ids)
    if before is None and not old <= new:
        raise InputError(
            f"{folder / batches.DESIGN}: is missing or damaged, and {len(old - new)} runs of the tables are not asked "
            "for now; ask for all of them, or give a new folder"
        )
    if grow:
        return
    if there.name != manifest.name or not (old <= new or new <= old):
        raise InputError(
            f"{folder}: holds another batch ('{there.name}', {len(old)} runs, {len(old & new)} of them also asked for "
            f"now); give a new folder. A batch can be extended by more replications or points, under the same name"
        )


_KB_YEAR = {  # what a year of a run takes, measured on the region that ships
    "indicators": 8.0, "flows": 2.5, "decomposition": 1.2, "jobs": 10.0, "dwellings": 3.2, "chains": 1.0, "costs": 7.5,
    "groups": 2.1, "homes": 2.0, "ages": 2.0,
}  # fmt: skip
_SHARE = {"prefecture": 0.05, "county": 0.25, "place": 0.7}  # of the rows of the indicators
DRAFTS = 4.5  # tables, their drafts and the parts, which are packed less, stand beside one another for a while
_LITTLE_KB_YEAR = 2.0


def disk_bytes(specs: Iterable[RunSpec], tables: Sequence[str], levels: Sequence[str]) -> float:
    """Room that the tables of runs take, about."""
    a_year = 1e3 * _kb_year(tables, levels)
    return sum(2e3 + a_year * (spec.until - spec.base) for spec in specs)


def _kb_year(tables: Sequence[str], levels: Sequence[str]) -> float:
    """What a year of a run takes, in 1,000 bytes."""
    of_levels = sum(_SHARE[each] for each in levels)
    return sum(size * (of_levels if name == "indicators" else 1.0) for name, size in _KB_YEAR.items() if name in tables)


def check_room(folder: Path, specs: Mapping[str, RunSpec], manifest: Manifest) -> None:
    """Refuse a batch for which the disk has no room.

    Raises
    ------
    InputError
        With what is needed and what there is.
    """
    known = batches.run_ids(folder / batches.RUNS)
    missing = [spec for run_id, spec in specs.items() if run_id not in known]
    need = DRAFTS * disk_bytes(missing, manifest.tables, manifest.levels)
    free = shutil.disk_usage(standing(folder)).free
    if need > free:
        raise InputError(
            f"{folder}: {len(missing):,} runs need about {need / 1e9:,.1f} GB while they are made, and the disk has "
            f"{free / 1e9:,.1f} GB left; ask for fewer runs, keep fewer tables, or give a folder on another disk"
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise InputError(f"{folder}: a file is in the way; give a folder") from None
    except OSError as error:
        raise InputError(f"{folder}: cannot be made: {error.strerror or error}") from None


@dataclass
class _Plan:
    """One call of `run_batch` at work."""

    folder: Path
    manifest: Manifest
    design: Design
    specs: dict[str, RunSpec]
    workers: int | None
    scheduler: str | None
    shard: tuple[int, int] | None
    on_done: OnDone | None
    say: Say
    patience_s: float
    seconds: list[float] = field(default_factory=list)  # of the last runs
    failed: set[str] = field(default_factory=set)

    def carry_on(self, grow: bool) -> Batch:
        """Make what is missing until nothing is."""
        self._take_up(grow)
        rounds = 0
        while True:
            todo = compaction.undone(self.folder, self.manifest, self.design)
            if self.shard is not None:
                first, of = self.shard
                mine = set(self.design.distinct[first - 1 :: of])
                todo = [run_id for run_id in todo if run_id in mine]
            if rounds:  # what failed just now would fail again
                todo = [run_id for run_id in todo if run_id not in self.failed]
            if todo:
                self._make(todo)
            if self.shard is not None:
                return Batch(self.folder, self.manifest)
            rounds += 1
            try:
                used = cores(self.workers)
                self.manifest = compaction.finish(self.folder, self.manifest, self.design, self.specs, used)
            except compaction.Damaged as damaged:
                self.say(f"{self.folder}: part {damaged} is damaged; its runs are made again")
                continue
            return Batch(self.folder, self.manifest)

    def _take_up(self, grow: bool) -> None:
        batches.prepare(self.folder)
        there = batches.manifest_of(self.folder)
        if there is not None:
            sound = batches.sound_files(self.folder, there)
            lost = sorted(set(there.files) - set(sound))
            if lost:
                these = counted(len(lost), "file")
                self.say(f"{self.folder}: {these} missing or damaged ({lost[0]}); made again")
            self.manifest = replace(there, files=sound)
        else:
            self._write_manifest()
        old = Design.read(self.folder)
        if old is None and (self.folder / batches.DESIGN).exists():
            self.say(f"{self.folder / batches.DESIGN}: is damaged; it is written again")
            batches.set_aside(self.folder, self.folder / batches.DESIGN)
        if old is not None:
            if grow:
                self.design = old.followed_by(self.design)
            elif not set(old.run_ids) <= set(self.design.run_ids):
                these = counted(len(old.distinct), "run")
                self.say(f"{self.folder}: holds {these}; all that are asked for now are among them")
                self.design = old
            more = [run_id for run_id in self.design.distinct if run_id not in self.specs]
            if more:
                self.specs |= self.design.specs(more)
        self.design.write(self.folder, self.manifest.record())

    def _write_manifest(self) -> None:
        with atomic(self.folder / batches.MANIFEST) as draft:
            draft.write_text(self.manifest.text(), encoding="utf-8")

    def _make(self, todo: Sequence[str]) -> None:
        """Make runs and leave them in parts."""
        total = len(self.design.distinct)
        done = total - len(todo) if self.shard is None else 0
        total = total if self.shard is None else len(todo)
        queue, suspects = deque(todo), deque[str]()
        begun = done
        try:
            with ExitStack() as stack:
                pool = stack.enter_context(self._pool(len(todo)))
                while queue or suspects:
                    alone = not queue
                    tasks = self._tasks(queue if queue else suspects, pool, alone=alone)
                    for task, report in closing_all(pool.results(tasks, alone=alone)):
                        if report is None:  # its process died again and again
                            if alone or (len(task.jobs) == 1 and len(todo) == 1):
                                report = self._give_up(task)
                            else:
                                suspects.extend(run_id for run_id, _ in task.jobs)
                                continue
                        done += self._note(report)
                        if self.on_done is not None:
                            self.on_done(done, total, len(self.failed))
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"interrupted: {done - begun} runs of this call are kept in {self.folder}, {total - done} are missing; "
                "the same command goes on"
            ) from None

    def _note(self, report: Report) -> int:
        if report.no_room:
            raise Stopped(
                f"{self.folder}: {report.no_room}; what is done is kept: make room and give the same command again"
            )
        count = len(report.done) + len(report.failed)
        self.failed.update(run_id for run_id, _ in report.failed)
        if count and report.seconds:
            self.seconds = [*self.seconds[-20:], report.seconds / count]
        return count

    def _tasks(self, queue: deque[str], pool: Pool, *, alone: bool) -> Iterator[Task]:
        """Tasks cut off a queue as they are asked for, as large as suits the seconds of the runs before."""
        while queue:
            mean = sum(self.seconds) / len(self.seconds) if self.seconds else CHUNK_S
            size = max(1, min(MOST_IN_CHUNK, int(CHUNK_S / max(mean, 1e-6)), len(queue) // (4 * pool.workers())))
            if alone:
                size = 1
            taken = [queue.popleft() for _ in range(min(size, len(queue)))]
            yield self._task(taken, pool)

    def _task(self, run_ids: Sequence[str], pool: Pool) -> Task:
        jobs = tuple((run_id, self.specs[run_id]) for run_id in run_ids)
        where = str((self.folder / batches.WORK).absolute())
        deadline_s = self.patience_s if pool.may_end else 0.0
        return Task(where, jobs, tuple(self.manifest.tables), tuple(self.manifest.levels), deadline_s)

    def _give_up(self, task: Task) -> Report:
        """A run whose process died whenever it was tried, as a failure."""
        error = "the process that made it was ended each time it was tried (is there enough memory?)"
        path = self.folder / batches.WORK / PARTS / f"{task.name}{SUFFIX}"
        attempts = self.folder / batches.WORK / ATTEMPTS / task.name
        tried = attempts.stat().st_size if attempts.exists() else 0
        rows = [failed_row(run_id, spec, error, tried) for run_id, spec in task.jobs]
        write_part(rows, path, task.tables)
        return Report(failed=[(run_id, error) for run_id, _ in task.jobs])

    def _pool(self, runs: int) -> AbstractContextManager[Pool]:
        from migrasim.runs import cluster

        sample = max(spec.sample for spec in self.specs.values())
        if self.scheduler is not None:
            return cluster.remote(self.scheduler, self.patience_s, self.say)
        if self.workers == 0 or runs == 1:
            return cluster.here()
        count = min(runs, workers_for(sample, self.workers))
        if self.workers is not None and count < min(runs, self.workers):
            these = counted(count, "process", "processes")
            self.say(f"{these} instead of {self.workers}: one a core, and as many as the memory holds")
        self._warm_up()
        return cluster.local(count, memory_bytes(sample), self.patience_s, self.say)

    def _warm_up(self) -> None:
        """Build populations, and compile, once for all processes."""
        from migrasim import population
        from migrasim.runs.simulate import only_region, simulate

        one = next(iter(self.specs.values()))
        if not is_compiled():
            self.say("first run of this version: compiling, up to some minutes; later runs skip it")
            simulate(one.scenario, sample=0.001, base=one.base, until=one.base + 2)
        for base, sample in sorted({(spec.base, spec.sample) for spec in self.specs.values()}):
            population.load(only_region(), base=base, sample=sample)


def closing_all(results: Iterator[tuple[Task, Report | None]]) -> Iterator[tuple[Task, Report | None]]:
    """The same results; whoever makes them is told when nobody listens any more."""
    with closing(results) as open_results:  # type: ignore[type-var]
        yield from open_results


def yearly(
    specs: Sequence[RunSpec],
    folder: Path | None = None,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    on_done: OnDone | None = None,
    name: str = "batch",
) -> list[DataFrame]:
    """Indicators of the whole region, indexed by year, for each request; finished runs are kept in the folder.

    Raises
    ------
    InputError
        Where runs failed; what succeeded is kept.
    """
    with ExitStack() as stack:
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="migrasim-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        done = run_batch(
            specs,
            folder,
            name=name,
            tables=("indicators",),
            levels=("prefecture",),
            workers=workers,
            scheduler=scheduler,
            grow=True,
            on_done=on_done,
        )
        design, _ = resolve(specs, known=_known(folder))
        failed: dict[str, str] = dict(done.failed[["run_id", "error"]].itertuples(index=False, name=None))
        bad = [(spec, run_id) for spec, run_id in zip(specs, design.run_ids, strict=True) if run_id in failed]
        if bad:
            spec, run_id = bad[0]
            raise InputError(f"{len(bad)} of {len(specs)} runs failed; the first ({spec.label}): {failed[run_id]}")
        rows = done.table("indicators", level="prefecture")
        numbers = rows.drop(columns=["scenario", "seed", "level", "place"])
        frames = {
            str(run_id): frame.drop(columns="run_id").set_index("year") for run_id, frame in numbers.groupby("run_id")
        }
        return [frames[run_id] for run_id in design.run_ids]
