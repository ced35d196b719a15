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


OnRuns = Callable[[int, int], None]


@contextmanager
def runs(console: Console, what: str, say: Callable[[str], None]) -> Iterator[OnRuns]:
    """What to hand to a batch: a bar with the time left, or a line now and then where there is no terminal.

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
        begun = last = time.monotonic()
        started = 0.0  # the clock of the estimate: from the first run on, which may have compiled

        def on_line(done: int, total: int) -> None:
            nonlocal last, started
            now = time.monotonic()
            started = started or now
            if done == total or now - last >= _SAY_EVERY_S:
                last = now
                left = f", about {(now - started) / (done - 1) * (total - done) / 60:.1f} min left" if done > 1 else ""
                say(f"{what}: {done} of {total} runs, {(now - begun) / 60:.1f} min{left}")

        yield on_line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
