"""A progress bar by year with the name of the phase; silent where the output is no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from migrasim.runs.counted import counted

_SAY_EVERY_S = 30.0

OnPhase = Callable[[int, str, int, int], None]


@contextmanager
def progress(console: Console, base: int, until: int) -> Iterator[OnPhase | None]:
    """What to hand to the model as `on_phase`; None where nobody would see it.

    Parameters
    ----------
    console
        Where the bar goes: the one of standard error, so that a table can be piped.
    base, until
        Years between which the bar runs; it moves by phases, of which each year has the same number.
    """
    if not console.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[phase]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(str(base), total=None, phase="population")

        def on_phase(year: int, phase: str, done: int, total: int) -> None:
            past = (year - base - 1) * total
            bar.update(task, description=str(year), phase=phase, completed=past + done, total=(until - base) * total)

        yield on_phase


OnSteps = Callable[[str, int, int], None]


@contextmanager
def steps(console: Console) -> Iterator[OnSteps | None]:
    """What to hand to work that counts its steps; None where nobody would see it.

    Parameters
    ----------
    console
        Where the bar goes.
    """
    if not console.is_terminal:
        yield None
        return
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)


OnRuns = Callable[[int, int, int], None]


@contextmanager
def runs(console: Console, what: str, say: Callable[[str], None]) -> Iterator[OnRuns]:
    """What to hand to a batch: a bar with rate, failures and time left, or a line now and then without a terminal.

    Parameters
    ----------
    console
        Where the bar goes.
    what
        What is run, in a word.
    say
        Prints a line.
    """
    if not console.is_terminal:
        yield _lines(what, say)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None, rate="")
        rate = _Rate()

        def on_bar(done: int, total: int, failed: int = 0) -> None:
            said = f"{rate.after(done):.1f} a minute" + (f", {failed} failed" if failed else "")
            bar.update(task, completed=done, total=total, rate=said)

        yield on_bar


class _Rate:
    """Runs a minute since the first report, which may have compiled, and have found earlier runs done."""

    def __init__(self) -> None:
        self.since = self.first = 0.0

    def after(self, done: int) -> float:
        now = time.monotonic()
        if not self.since:
            self.since, self.first = now, done
        return 60.0 * (done - self.first) / max(now - self.since, 1e-9)


def _lines(what: str, say: Callable[[str], None]) -> OnRuns:
    begun = last = time.monotonic()
    rate = _Rate()

    def on_line(done: int, total: int, failed: int = 0) -> None:
        nonlocal last
        now = time.monotonic()
        speed = rate.after(done)
        if done == total or now - last >= _SAY_EVERY_S:
            last = now
            left = f", {speed:.1f} a minute, about {(total - done) / speed:.1f} min left" if speed > 0.0 else ""
            bad = f", {failed} failed" if failed else ""
            say(f"{what}: {done} of {counted(total, 'run')}{bad}, {(now - begun) / 60:.1f} min{left}")

    return on_line
