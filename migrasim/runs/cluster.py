"""Where the tasks of a batch are worked on: here, in processes of this machine, or wherever a scheduler says.

Dask holds no truth here: tasks write their own parts, and a task that is asked for twice finds its part.
Dask's settings and the watch over it are those without which batches were seen to hang.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Protocol, cast

import psutil

from migrasim.core.errors import InputError
from migrasim.runs.counted import counted
from migrasim.runs.worker import Report, Task, work

if TYPE_CHECKING:
    from distributed import Client, LocalCluster
    from distributed.utils import LoopRunner

_POLL_S = 2.0
_KILLS, _KILL_EVERY_S = 5, 0.05
_AHEAD = 2  # tasks a worker that are handed over
_HANGS = 4  # runs that hang, one after another, before nothing is awaited any more
_LATER, _LOST = object(), object()
_ALIVE = ("running", "connecting")  # a connection that was lost may come back
_DEATHS = 3  # of processes with a task, before it is taken for the cause
_SETTINGS = {
    "distributed.deploy.lost-worker-timeout": "24h",  # or a worker that dies twice within 15 s is given up for ever
    "distributed.scheduler.allowed-failures": _DEATHS,
    "distributed.worker.multiprocessing-method": "spawn",  # a process that was forked after kernels have run may hang
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.comm.timeouts.connect": "60s",
    "distributed.worker.preload": ["migrasim.runs.worker"],
    # Dask would have memory given back after every run, and taken anew by the next one, page by page; older systems
    # refuse more than 32 MB for the second
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 2**30,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 2**25,
    "distributed.nanny.pre-spawn-environ.OMP_NUM_THREADS": 1,
    "distributed.nanny.pre-spawn-environ.MKL_NUM_THREADS": 1,
    "distributed.nanny.pre-spawn-environ.OPENBLAS_NUM_THREADS": 1,
    # set in the worker, never in this process: numba reads it anew at every compilation and refuses a change
    "distributed.nanny.environ.NUMBA_NUM_THREADS": 1,
}


class Pool(Protocol):
    """Something that works on tasks; `may_end` says whether a process of it may be ended with a run that hangs."""

    may_end: bool

    def workers(self) -> int: ...

    def results(self, tasks: Iterator[Task], *, alone: bool) -> Iterator[tuple[Task, Report | None]]:
        """Each task with its report, as they end; None where its process died every time.

        ``alone`` works on one task at a time, so that the cause of a death is known.
        """


class _Here:
    """This very process."""

    may_end = False

    def workers(self) -> int:
        return 1

    def results(self, tasks: Iterator[Task], *, alone: bool) -> Iterator[tuple[Task, Report | None]]:
        del alone
        for task in tasks:
            yield task, work(task)


@contextlib.contextmanager
def here() -> Iterator[Pool]:
    """Work in this process; nothing is started."""
    yield _Here()


@contextlib.contextmanager
def local(count: int, memory: float, patience_s: float, say: Callable[[str], None]) -> Iterator[Pool]:
    """Processes of this machine, each with one thread and a cap on its memory."""
    import dask
    from distributed import Client, LocalCluster

    limit = int(1.5 * memory + 1e9)  # compiling, where that is needed, takes most of the second part
    each = "" if count == 1 else " each"
    say(
        f"{counted(count, 'process', 'processes')} with one thread{each}, about {memory / 1e9:.1f} GB of memory{each} "
        f"(cap {limit / 1e9:.1f} GB)"
    )
    with (
        without_main(),
        dask.config.set(_SETTINGS),
        _deaf() as runner,
        _started(
            LocalCluster,
            loop=runner.loop,
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            memory_limit=limit,
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},  # any port: 8787 may be taken
            silence_logs=60,
        ) as cluster,
        Client(cluster, timeout="60s", set_as_default=False) as client,
    ):
        yield _Dask(client, patience_s, say, cluster)


@contextlib.contextmanager
def _deaf() -> Iterator[LoopRunner]:
    """A loop whose processes do not hear Ctrl-C, which goes to all that a terminal began: this one ends them.

    What a thread blocks is blocked in the threads and processes that it starts.
    """
    from distributed.utils import LoopRunner

    runner = LoopRunner()
    if hasattr(signal, "pthread_sigmask"):
        resource_tracker.ensure_running()  # started later, by the loop, it would unblock there what is blocked here
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            runner.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    else:
        runner.start()
    try:
        yield runner
    finally:
        runner.stop()


def _started(kind: type[LocalCluster], **options: Any) -> LocalCluster:
    """A cluster with its processes; an interrupt meanwhile ends those, and Dask forgets it.

    Dask would close the half-made cluster when the process ends, and fail with a traceback over workers not yet begun.
    """
    clusters, children = set(kind._instances), set(psutil.Process().children())
    try:
        return kind(**options)
    except KeyboardInterrupt:
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # of workers that could not start
        for cluster in set(kind._instances) - clusters:
            kind._instances.discard(cluster)
        for _ in range(_KILLS):  # another thread may be starting one, which would tell that nobody speaks to it
            for child in set(psutil.Process().children()) - children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            time.sleep(_KILL_EVERY_S)
        raise


@contextlib.contextmanager
def remote(address: str, patience_s: float, say: Callable[[str], None]) -> Iterator[Pool]:
    """The workers of a scheduler that runs already.

    Raises
    ------
    InputError
        Where nothing answers at the address.
    """
    import dask
    from distributed import Client

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is said below
    with dask.config.set(_SETTINGS):
        try:
            client = Client(address, timeout="10s", set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"--scheduler: no Dask scheduler answers at '{address}' ({type(error).__name__}); "
                "allowed: an address such as tcp://host:8786"
            ) from None
        with client:
            yield _Dask(client, patience_s, say)


class _Dask:
    """Workers of a Dask scheduler, with a bounded window of tasks and a watch that never waits silently."""

    may_end = True

    def __init__(self, client: Client, patience_s: float, say: Callable[[str], None], cluster: Any = None) -> None:
        self.client, self.patience_s, self.say, self.cluster = client, patience_s, say, cluster
        self.seen = time.monotonic()  # when there were workers last

    def workers(self) -> int:
        with contextlib.suppress(Exception):
            return max(1, sum(int(each) for each in self.client.nthreads().values()))
        return 1

    def results(self, tasks: Iterator[Task], *, alone: bool) -> Iterator[tuple[Task, Report | None]]:
        from distributed.comm.core import CommClosedError

        try:
            yield from self._results(tasks, alone=alone)
        except Exception as error:  # whatever it is that Dask raises then
            if self.client.status in _ALIVE and not isinstance(error, CommClosedError):  # the status may lag behind
                raise
            raise _gone() from error

    def _results(self, tasks: Iterator[Task], *, alone: bool) -> Iterator[tuple[Task, Report | None]]:
        from distributed import wait

        running: dict[Any, Task] = {}
        last = time.monotonic()
        try:
            while True:
                room = 1 if alone else _AHEAD * self.workers()
                while len(running) < room and (task := next(tasks, None)) is not None:
                    running[self._ask(task)] = task
                if not running:
                    return
                with contextlib.suppress(TimeoutError, CancelledError), self.client.as_current():
                    wait(list(running), timeout=_POLL_S, return_when="FIRST_COMPLETED")
                for future in [each for each in running if each.done()]:
                    answer = self._answer(future)
                    if answer is _LATER:
                        continue
                    task = running.pop(future)
                    if answer is _LOST:  # its part, if it was written, is found by the next process
                        self._watch(time.monotonic() - last)
                        running[self._ask(task)] = task
                        continue
                    last = time.monotonic()
                    yield task, cast("Report | None", answer)
                self._watch(time.monotonic() - last)
        finally:
            with contextlib.suppress(Exception):
                self.client.cancel(list(running), force=True)

    def _ask(self, task: Task) -> Any:
        return self.client.submit(work, task, key=f"{task.name}-{time.monotonic_ns()}", pure=False)

    def _answer(self, future: Any) -> object:
        """What came of a task: its report, None where its process died each time, or that there is no answer (yet).

        An answer waits in the process that gave it. When that process dies before it was fetched, the future, just
        done, is pending again, and Dask has the task made anew.
        """
        from distributed import KilledWorker

        try:
            found: Report = future.result(timeout=_POLL_S)
            return found
        except TimeoutError:
            if future.status == "error":  # it is what went wrong in the task
                raise
            return _LATER
        except KilledWorker:
            return None
        except CancelledError:
            return _LOST

    def _watch(self, waited: float) -> None:
        """End where nothing comes any more."""
        from migrasim.runs.runner import Stopped

        if self.client.status not in _ALIVE:
            raise _gone()
        workers = self.client.nthreads() if self.client.status == "running" else {}
        now = time.monotonic()
        if workers:
            self.seen = now
        if waited > self.patience_s * _HANGS or min(waited, now - self.seen) > self.patience_s:
            raise Stopped(
                f"no run ended for {waited / 60:.0f} minutes ({counted(len(workers), 'worker')}); what is done is "
                "kept, and the same command goes on"
            )


def _gone() -> Exception:
    from migrasim.runs.runner import Stopped

    return Stopped("the scheduler is gone; what is done is kept, and the same command goes on")


@contextlib.contextmanager
def without_main() -> Iterator[None]:
    """Let new processes leave the script alone that started them: nothing of it is needed there.

    So a script needs no ``if __name__ == "__main__"``, on systems that spawn processes, too.
    """
    main = sys.modules["__main__"]
    hidden = {name: getattr(main, name) for name in ("__file__", "__spec__") if getattr(main, name, None) is not None}
    for name in hidden:
        setattr(main, name, None)
    try:
        yield
    finally:
        for name, value in hidden.items():
            setattr(main, name, value)
