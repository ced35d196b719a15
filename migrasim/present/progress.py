"""A progress bar by year with the name of the phase; silent where the output is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

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
