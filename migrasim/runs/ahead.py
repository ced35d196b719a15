"""Compile what a first run needs later in processes of their own, while it works at what it needs now.

numba compiles one function at a time in a process, and a first run spends most of its time on that. While the run
builds the world of the base year, the first helper compiles choosing, for which no world is needed. Then the phases of
a year are compiled by whoever comes to them first; helpers begin with others than the run does, on a world of their
own and for nothing but the compilation, and leave what they compiled where the run looks for it.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import multiprocessing
import subprocess
import sys

from migrasim.core.rule import threads
from migrasim.domains.moving.rehearsal import rehearse

# The phases of each helper, by how many there are, in an order in which each has what it needs of the others; the
# run itself begins with policy and demography. A run of one thread has no helper.
SHARES: dict[int, tuple[tuple[str, ...], ...]] = {
    0: (),
    1: (("labour", "services", "moving", "housing", "fiscal", "land", "hukou", "matching"),),
    2: (("labour", "services", "moving", "matching"), ("housing", "hukou", "land", "fiscal")),
}
_SHARE = 0.001  # of the households: types of columns are the same as of all
_helpers: list[subprocess.Popen[bytes]] = []


def begin() -> int:
    """Start helpers where there are cores for them; how many. Only once in a process, and in none that has a parent."""
    many = min(threads() - 1, max(SHARES))
    if _helpers or many < 1 or multiprocessing.parent_process() is not None or not sys.executable:
        return 0
    for number in range(many):
        command = [sys.executable, "-P", "-m", __name__, str(many), str(number)]
        nothing, no_window = (
            subprocess.DEVNULL,
            getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # there is one on Windows only
        try:
            _helpers.append(
                subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=nothing, stderr=nothing, creationflags=no_window
                )
            )
        except OSError:  # the run compiles everything itself
            break
    atexit.register(_end)
    return len(_helpers)


def go_on(base: int, region: str | None) -> None:
    """Tell the helpers that the world of the base year stands, so that what it needs is compiled.

    Parameters
    ----------
    base, region : of the run, whose population is there; helpers work on a small share of it
    """
    for helper in _helpers:
        if helper.stdin is not None and not helper.stdin.closed:
            with contextlib.suppress(OSError):  # it has ended
                helper.stdin.write(f"{base}\n{region or ''}\n".encode())
                helper.stdin.close()


def _end() -> None:
    for helper in _helpers:
        helper.kill()
        helper.wait()


def compile_phases(base: int, region: str | None, phases: tuple[str, ...]) -> None:
    """Do the phases of one year of the world of the base year, each for its own sake; nothing is kept of it."""
    from migrasim.runs.simulate import prepare

    simulation = prepare("plan", base=base, until=base + 1, sample=_SHARE, threads=1, region=region).simulation
    work = dict(simulation.year())
    for phase in phases:
        work[phase]()


def help_out(many: int, number: int) -> None:
    """What helper ``number`` of ``many`` does, told by lines of its input what the run is about."""
    if number == 0:
        rehearse()
    base, region = (sys.stdin.readline().strip() for _ in range(2))
    if base:  # else the run has ended before its world stood
        compile_phases(int(base), region or None, SHARES[many][number])


if __name__ == "__main__":
    gc.disable()  # a tenth of compiling is looking for what nothing holds, which goes with the process
    help_out(int(sys.argv[1]), int(sys.argv[2]))
