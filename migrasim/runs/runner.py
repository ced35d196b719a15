"""Many runs on several processes, and a ledger that keeps what is finished.

A run is a request (`RunSpec`); its identity is that of `migrasim.runs.simulate.run_id` and can be
told before it is run. So a command that was interrupted asks again for all its runs and only those
that are missing are made.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import traceback as tracebacks
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrasim import population
from migrasim.core.errors import InputError
from migrasim.core.rule import is_compiled
from migrasim.facts import FactBook
from migrasim.inputs import Inputs
from migrasim.region import Region
from migrasim.runs.result import RunResult
from migrasim.runs.simulate import identity, simulate
from migrasim.scenario import Scenario

if TYPE_CHECKING:
    from pandas import DataFrame

FILE = "runs.jsonl"
_PROCESS_BYTES = 300e6  # a process with everything imported
_HOUSEHOLDS_BYTES = 1.5e9  # the world of everybody and what one run adds
_LOSSES = 3  # times that the processes may die before the rest counts as failed

OnDone = Callable[[int, int], None]
"""Called with runs done and runs in all."""


@lru_cache(maxsize=1)
def _region() -> Region:
    return Region.only()


@lru_cache(maxsize=4)
def _population_key(base: int) -> str:
    return population.cache_key(_region(), base, 1)


@dataclass(frozen=True)
class RunSpec:
    """One run to be made; see `migrasim.runs.simulate.simulate` for the fields."""

    scenario: str | Scenario
    label: str = ""
    seed: int = 0
    sample: float = 1.0
    base: int = 2020
    until: int = 2035
    future: str | None = None
    alternatives: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    parameters: Mapping[str, float] = field(default_factory=dict)

    def inputs(self) -> Inputs:
        """What the run would read."""
        book = FactBook.load()
        scenario = self.scenario if isinstance(self.scenario, Scenario) else Scenario.load(self.scenario, book)
        return Inputs.build(
            book,
            _region(),
            scenario.changed(self.overrides, book),
            self.base,
            self.until,
            self.parameters,
            future=self.future,
            alternatives=self.alternatives,
        )

    def run_id(self) -> str:
        """Identity of the run, the same that its result carries."""
        return identity(self.inputs(), _population_key(self.base), _region().region_hash, self.seed, self.sample)

    def run(self) -> RunResult:
        """Make the run, on one thread: side by side, runs use more cores better than threads do."""
        return simulate(
            self.scenario,
            seed=self.seed,
            sample=self.sample,
            base=self.base,
            until=self.until,
            future=self.future,
            alternatives=self.alternatives,
            overrides=self.overrides,
            parameters=self.parameters,
            threads=1,
        )


@dataclass(frozen=True)
class Failure:
    """A run that did not end: what went wrong, in one line, and the traceback."""

    error: str
    traceback: str


def workers_for(sample: float, wanted: int | None = None) -> int:
    """Number of processes: as many as there are cores, less where memory is short.

    Raises
    ------
    InputError
        Where less than one is wanted.
    """
    if wanted is not None:
        if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
            raise InputError(f"workers: {wanted!r} is not allowed; allowed: whole numbers from 1 on")
        return wanted
    cores = os.cpu_count() or 1
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows and macOS do not tell
        return cores
    return max(1, min(cores, int(0.8 * free / (_PROCESS_BYTES + sample * _HOUSEHOLDS_BYTES))))


def execute(
    specs: Sequence[RunSpec], *, workers: int | None = None, on_done: OnDone | None = None
) -> Generator[tuple[int, RunResult | Failure], None, None]:
    """Make runs and hand them over as they finish, with their place in `specs`; a failure stops no other.

    Parameters
    ----------
    specs
        What to run.
    workers
        Processes, each with one thread; see `workers_for`. With one, the runs are made in this process.
    on_done
        Called after each run.
    """
    count = min(len(specs), workers_for(max((one.sample for one in specs), default=1.0), workers))
    finished = _serial(specs) if count <= 1 else _parallel(specs, count)
    for done, (number, result) in enumerate(finished, 1):
        if on_done is not None:
            on_done(done, len(specs))
        yield number, result


def _serial(specs: Sequence[RunSpec]) -> Iterator[tuple[int, RunResult | Failure]]:
    for number, spec in enumerate(specs):
        yield number, _make(spec)


def _parallel(specs: Sequence[RunSpec], count: int) -> Iterator[tuple[int, RunResult | Failure]]:
    missing = list(range(len(specs)))
    losses = 0
    while missing:
        # "spawn" everywhere: a process that was forked after kernels have run may hang
        pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_leave_ctrl_c_to_the_parent)
        try:
            # nothing compiled yet: the first run compiles for all, or each process would
            first = 1 if not is_compiled() else len(missing)
            futures: dict[Future[RunResult | Failure], int] = {}
            for batch in (missing[:first], missing[first:]):
                futures |= {pool.submit(_make, specs[number]): number for number in batch}
                while futures:
                    for future in wait(futures, return_when=FIRST_COMPLETED).done:
                        number = futures[future]
                        result = future.result()
                        del futures[future]
                        missing = [each for each in missing if each != number]
                        yield number, result
        except BrokenProcessPool:
            losses += 1
            if losses > _LOSSES:
                for number in missing:
                    yield number, Failure("the process that made it ended again and again", "")
                return
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _leave_ctrl_c_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _make(spec: RunSpec) -> RunResult | Failure:
    try:
        return spec.run()
    except Exception as error:
        return Failure(" ".join(f"{type(error).__name__}: {error}".split()), tracebacks.format_exc())


@dataclass
class Ledger:
    """Yearly indicators of the whole region, a line of JSON a run, in a folder; None keeps nothing on disk."""

    folder: Path | None
    found: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    @staticmethod
    def open(folder: Path | None) -> Ledger:
        """Read what lies in a folder; a line that an interruption cut off is left out.

        Raises
        ------
        InputError
            Where the folder cannot be made or read.
        """
        ledger = Ledger(folder)
        if folder is None:
            return ledger
        try:
            folder.mkdir(parents=True, exist_ok=True)
            text = (folder / FILE).read_text(encoding="utf-8") if (folder / FILE).exists() else ""
        except OSError as error:
            raise InputError(f"{folder}: cannot be used to keep runs: {error.strerror or error}") from None
        for line in text.splitlines():
            try:
                row: dict[str, Any] = json.loads(line)
                ledger.found[row["run_id"]] = row["indicators"]
            except (ValueError, KeyError, TypeError):
                continue
        return ledger

    def run(
        self, specs: Sequence[RunSpec], *, workers: int | None = None, on_done: OnDone | None = None
    ) -> list[DataFrame]:
        """Indicators of the whole region by year for each request; runs that are the same are made once.

        Raises
        ------
        InputError
            Where runs failed; what succeeded is kept.
        """
        import pandas as pd

        names = [one.run_id() for one in specs]
        first: dict[str, int] = {}
        for number, name in enumerate(names):
            if name not in self.found:
                first.setdefault(name, number)
        todo = list(first.values())
        failures: list[tuple[str, Failure]] = []
        with closing(execute([specs[number] for number in todo], workers=workers, on_done=on_done)) as finished:
            for number, result in finished:
                if isinstance(result, Failure):
                    failures.append((specs[todo[number]].label, result))
                else:
                    self._keep(result)
        if failures:
            label, failure = failures[0]
            raise InputError(f"{len(failures)} of {len(todo)} runs failed; the first ({label}): {failure.error}")
        return [pd.DataFrame(self.found[name]).set_index("year") for name in names]

    def _keep(self, result: RunResult) -> None:
        frame = result.prefecture().reset_index()
        numbers = frame.select_dtypes("number").drop(columns="seed")
        self.found[result.run_id] = {str(name): numbers[name].tolist() for name in numbers.columns}
        if self.folder is None:
            return
        row = json.dumps({"run_id": result.run_id, "indicators": self.found[result.run_id]})
        try:
            with (self.folder / FILE).open("a", encoding="utf-8") as file:
                file.write(f"\n{row}")  # on a line of its own, whatever an interruption left before it
        except OSError as error:
            raise InputError(f"{self.folder}: a run cannot be kept: {error.strerror or error}") from None
