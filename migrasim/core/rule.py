"""The one door to numba: ``rule`` for scalar rules, ``kernel`` and ``threaded_kernel`` for loops.

numba's own cache looks only at the file of the cached function: after a rule in another file
changed, the old result would come back silently. So the compile cache lies in a folder named by
a hash of every source file of the model, and numba is imported nowhere else.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from platformdirs import user_cache_dir

F = TypeVar("F", bound=Callable[..., Any])

PACKAGE = Path(__file__).resolve().parents[1]
# What no number of a run can hang on: screens, commands, analyses, and of the runs all but the one
# file that makes them. A change there neither compiles anew nor gives a run another identity.
BESIDE_THE_MODEL = ("analysis", "cli", "present", "runs")
_MAKES_RUNS = "runs/simulate.py"
_KEPT = 3


def cache_root() -> Path:
    """Folder for everything that can be made again: ``$MIGRASIM_CACHE`` or the user's cache."""
    return Path(os.environ.get("MIGRASIM_CACHE") or user_cache_dir("migrasim"))


def model_sources() -> list[Path]:
    """Python files that the numbers of a run hang on, in a fixed order."""
    named = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
    return [named[name] for name in sorted(named) if name.split("/")[0] not in BESIDE_THE_MODEL or name == _MAKES_RUNS]


def sources_hash() -> str:
    """Hash of every Python file of the model, numba's version among it."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in model_sources():
        digest.update(path.relative_to(PACKAGE).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _compile_cache() -> Path:
    root = cache_root() / "compiled"
    folder = root / sources_hash()
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True)
            aged = sorted(root.iterdir(), key=lambda path: path.stat().st_mtime)
            for old in aged[:-_KEPT]:
                shutil.rmtree(old, ignore_errors=True)
    except OSError:  # no place to keep it: compile in each process
        return Path()
    return folder


_FOLDER = _compile_cache()
_CACHE = _FOLDER != Path()
if _CACHE:
    numba.config.CACHE_DIR = str(_FOLDER)


def is_compiled() -> bool:
    """True where kernels of these very sources lie compiled on disk."""
    return _CACHE and any(_FOLDER.rglob("*.nbi"))


class Rule:
    """A rule: from Python the plain function; a kernel that calls it compiles it into itself.

    Attributes
    ----------
    py_func
        The plain function.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.py_func = function
        # neither kept on disk nor callable from Python or C: a kernel holds all that it needs
        self._inside = numba.njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)

    def __call__(self, *arguments: Any) -> Any:
        return self.py_func(*arguments)

    @property
    def _numba_type_(self) -> Any:
        return self._inside._numba_type_

    @functools.cached_property
    def compiled(self) -> Callable[..., Any]:
        """The rule as kernels know it, made callable from Python, to be held against the plain one."""
        return cast(Callable[..., Any], numba.njit(nogil=True)(self.py_func))


def rule(function: F) -> F:
    """Compile a scalar, pure function into the kernels that call it; from Python it is the plain function."""
    return cast(F, Rule(function))


def kernel(function: F) -> F:
    """Compile a serial loop over rows."""
    return cast(F, numba.njit(cache=_CACHE, nogil=True, no_cfunc_wrapper=True)(function))


def inlined(function: F) -> F:
    """Write a rule or a part of a kernel into its callers: arrays handed to it are not counted at every call."""
    return cast(F, numba.njit(cache=_CACHE, nogil=True, inline="always")(function))


_LEAST_ROWS = 16_384


def threaded_kernel(function: F, least_rows: int = _LEAST_ROWS) -> F:
    """Compile a loop over rows that several threads share; it must fill columns and never sum.

    The first argument of the kernel is a block of rows, over which it runs by ``rows_of(block)``; whoever calls
    it gives the number of rows instead. Every thread runs the same serial code on blocks of its own: numba's own
    parallel loops take three times as long to compile.

    Parameters
    ----------
    least_rows : fewer are not worth a thread
    """
    compiled = numba.njit(cache=_CACHE, nogil=True, no_cfunc_wrapper=True)(function)

    @functools.wraps(function)
    def share(count: int, *arguments: Any) -> None:
        threads = min(numba.get_num_threads(), count // least_rows)
        if threads < 2:
            compiled((0, count), *arguments)
            return
        edges = np.linspace(0, count, 4 * threads + 1).astype(np.int64).tolist()
        blocks = iter(list(itertools.pairwise(edges)))
        failed: list[BaseException] = []

        def work() -> None:
            try:
                for block in blocks:
                    compiled(block, *arguments)
            except BaseException as error:  # told by the thread that called
                failed.append(error)

        helpers = [threading.Thread(target=work) for _ in range(threads - 1)]
        for helper in helpers:
            helper.start()
        work()
        for helper in helpers:
            helper.join()
        if failed:
            raise failed[0]

    return cast(F, share)


@numba.njit(inline="always")
def rows_of(block):
    """Numbers of the rows of a block, for the loop of a `threaded_kernel`."""
    return range(block[0], block[1])


def scalars(bundle: Any) -> Any:
    """(1,) record of the numbers of a bundle, its arrays left out.

    A kernel that calls rules once a row hands them ``record[0]``, a pointer; handed the bundle itself it
    would count the references of every array in it at every call.
    """
    numbers = {name: value for name, value in zip(bundle._fields, bundle, strict=True) if np.ndim(value) == 0}
    return np.rec.array([tuple(numbers.values())], dtype=[(name, np.float64) for name in numbers])


def set_threads(threads: int) -> None:
    """Number of threads for parallel kernels, capped at what the machine has."""
    numba.set_num_threads(max(1, min(threads, numba.config.NUMBA_NUM_THREADS)))
