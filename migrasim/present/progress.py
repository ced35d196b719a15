"""A progress bar by year with the name of the phase; silent where the output is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

OnPhase = Callable[[int, str, int, int], None]


@contextmanager
def progress(console: Console) -> Iterator[OnPhase | None]:
    """What to hand to the model as `on_phase`; None where nobody would see it.

    Parameters
    ----------
    console
        Where the bar goes: the one of standard error, so that a table can be piped.
    """
    if not console.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[phase]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, phase="")

        def on_phase(year: int, phase: str, done: int, total: int) -> None:
            bar.update(task, description=str(year), phase=phase, completed=done, total=total)

        yield on_phase
