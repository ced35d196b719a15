"""The one door to numba: ``rule`` for scalar rules, ``kernel`` and ``threaded_kernel`` for loops.

numba's own cache looks only at the file of the cached function: after a rule in another file
changed, the old result would come back silently. So the compile cache lies in a folder named by
a hash of every source file of the model, and numba is imported nowhere else.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import hashlib
import io
import itertools
import os
import platform
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from filelock import FileLock
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile
from numba.core.typing.npydecl import parse_dtype
from numba.extending import intrinsic, overload

from migrasim.core.interrupts import held_back
from migrasim.core.kept import cache_root as cache_root

F = TypeVar("F", bound=Callable[..., Any])

PACKAGE = Path(__file__).resolve().parents[1]
# What no number of a run can hang on: screens, commands, analyses, and of the runs all but the one
# file that makes them. A change there neither compiles anew nor gives a run another identity.
BESIDE_THE_MODEL = ("analysis", "cli", "present", "runs")
_MAKES_RUNS = "runs/simulate.py"
_KEPT, _DIGEST_BYTES = 3, 32


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
            folder.mkdir(parents=True, exist_ok=True)  # another process may just have made it
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


def is_to_be_compiled() -> bool:
    """True where what one process compiles now is of use to others: it is kept, and does not lie there yet."""
    return _CACHE and os.access(_FOLDER, os.W_OK) and not numba.config.DISABLE_JIT and not is_compiled()


class _SealedFiles(IndexDataCacheFile):  # type: ignore[misc]
    """numba's files, each with its digest at the end: of one that was damaged nothing is loaded, let alone run."""

    def _load_index(self) -> Any:
        return super()._load_index() if _is_sealed(Path(self._index_path)) else {}

    def _load_data(self, name: str) -> Any:
        if not _is_sealed(Path(self._data_path(name))):
            raise OSError(f"{name}: damaged")  # which numba takes for a file that is not there
        return super()._load_data(name)

    @contextlib.contextmanager
    def _open_for_write(self, path: str) -> Iterator[io.BytesIO]:
        held = io.BytesIO()
        yield held
        with super()._open_for_write(path) as file:
            file.write(held.getvalue() + hashlib.sha256(held.getvalue()).digest())


def _is_sealed(path: Path) -> bool:
    try:
        data = path.read_bytes()
    except OSError:
        return False
    return data[-_DIGEST_BYTES:] == hashlib.sha256(data[:-_DIGEST_BYTES]).digest()


class _Place(CompileResultCacheImpl._locator_classes[0]):  # type: ignore[misc]
    """The folder of these sources and no other.

    Where it cannot be written numba would keep things beside the sources, by the file of the function alone.
    """

    def ensure_cache_path(self) -> None:
        with contextlib.suppress(OSError):
            super().ensure_cache_path()


class _InPlace(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Place,)


class _SharedCache(FunctionCache):  # type: ignore[misc]
    """numba's cache on disk, in which two processes that compile at once would mix up what they compiled.

    To write, each reads which types of arguments there are, adds its own under the next number, and writes that.
    Where nothing can be locked or written nothing is kept, and every process compiles.
    """

    _impl_class = _InPlace

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        stamp = self._impl.locator.get_source_stamp()
        self._cache_file: Any = _SealedFiles(self.cache_path, self._impl.filename_base, stamp)

    def save_overload(self, sig: Any, data: Any) -> None:
        lock = FileLock(Path(self.cache_path) / "lock")
        try:
            lock.acquire()
        except (OSError, NotImplementedError):
            return
        try:
            with contextlib.suppress(OSError):
                super().save_overload(sig, data)
        finally:
            lock.release()


def _njit(function: F, **options: Any) -> Any:
    """Compile for Python and kernels, and keep the result on disk where there is a place."""
    compiled: Any = numba.njit(nogil=True, **options)(function)
    if _CACHE:
        compiled._cache = _SharedCache(function)
    if not numba.config.DISABLE_JIT:
        # what loads or compiles a kernel at its first call; an interrupt in it would leave its lock taken
        compiled._compile_for_args = held_back()(compiled._compile_for_args)
    return compiled


def _load() -> None:
    """Load what kernels need of numba without the linear algebra of SciPy, which it would load, too: none uses any."""
    hidden = "scipy.linalg"
    if hidden in sys.modules or "numba.np.arraymath" in sys.modules:
        return
    sys.modules[hidden] = None  # type: ignore[assignment]
    try:
        import numba.np.arraymath  # noqa: F401
    finally:
        del sys.modules[hidden]


_load()


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

    def __call__(self, *arguments: Any) -> Any:
        return self.py_func(*arguments)

    @functools.cached_property
    def _inside(self) -> Any:
        # neither kept on disk nor callable from Python or C: a kernel holds all that it needs
        return numba.njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)(self.py_func)

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


def kernel(function: F, allocates: bool = True) -> F:
    """Compile a serial loop over rows; ``allocates`` as in `threaded_kernel`."""
    return cast(F, _njit(function, no_cfunc_wrapper=True, _nrt=allocates))


def inlined(function: F) -> F:
    """Write a rule or a part of a kernel into its callers: arrays handed to it are not counted at every call."""
    return cast(F, _njit(function, inline="always"))


BLOCKS = 16  # enough that threads end at about the same time
APART = (
    16  # numbers of eight bytes between what two blocks write often: in one line of a cache threads would wait in turns
)
_LEAST_ROWS = 16_384  # fewer are not worth a thread
_ROWS = (1 << 31) - 1  # told by it that no row is below 0, the compiler leaves out what counts such rows from the end
_threads = numba.config.NUMBA_NUM_THREADS


def set_threads(count: int) -> None:
    """Number of threads for `threaded_kernel`, capped at what the machine has."""
    global _threads
    _threads = max(1, min(count, numba.config.NUMBA_NUM_THREADS))


def threads() -> int:
    """Number of threads of `threaded_kernel`."""
    return int(_threads)


@intrinsic
def _pause(_typing):
    """A breath of the processor between two looks at a word; the other thread of its core goes on meanwhile."""

    def generate(context, builder, _signature, _given):
        name, arguments = _PAUSES.get(platform.machine().lower(), ("", ()))
        if name:
            kind = ir.FunctionType(ir.VoidType(), [each.type for each in arguments])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)
        return context.get_dummy_value()

    return types.void(), generate


_X86, _ARM = ("llvm.x86.sse2.pause", ()), ("llvm.aarch64.hint", (ir.Constant(ir.IntType(32), 1),))
_PAUSES: dict[str, tuple[str, tuple[Any, ...]]] = {"x86_64": _X86, "amd64": _X86, "aarch64": _ARM, "arm64": _ARM}


@intrinsic
def _look(_typing, words, place):
    def generate(context, builder, signature, given):
        data = context.make_array(signature.args[0])(context, builder, given[0]).data
        return builder.load_atomic(builder.gep(data, [given[1]]), "acquire", 8)

    return types.int64(words, types.int64), generate


@intrinsic
def _tell(_typing, words, place, number):
    def generate(context, builder, signature, given):
        data = context.make_array(signature.args[0])(context, builder, given[0]).data
        builder.store_atomic(given[2], builder.gep(data, [given[1]]), "release", 8)
        return context.get_dummy_value()

    return types.void(words, types.int64, types.int64), generate


_ASKED, _DONE, _WORDS = 0, APART, 2 * APART  # places of the numbers of the last work asked for and done
_LOOKS = 40_000  # a millisecond; from one kernel to the next it is less, as a rule
_NAP_S = 0.0002


def _await_work(words, done, looks):
    """Tell what is done, and look out for work for a while."""
    _tell(words, _DONE, done)
    for _ in range(looks):
        if _look(words, _ASKED) != done:
            return True
        _pause()
    return False


def _await_end(words, number, looks):
    """Look for a while whether work is done."""
    for _ in range(looks):
        if _look(words, _DONE) == number:
            return True
        _pause()
    return False


class _Helper:
    """A thread that waits for work: awake for a while, as waking takes longer than many a kernel, then asleep.

    Everything but ``words`` is read and written in the turn of the interpreter's lock. While it looks out, it does not
    hold that.
    """

    def __init__(self) -> None:
        self.words = np.zeros(_WORDS, np.int64)
        self.work: tuple[int, Callable[[], None]] = (0, lambda: None)
        self.begun = 0
        self.is_asleep = False
        self.wake = threading.Event()
        self.failed: BaseException | None = None
        threading.Thread(target=self._serve, name="kernel", daemon=True).start()

    def ask(self, work: Callable[[], None]) -> None:
        """Have it work alongside; what it is asked for ends by itself when nothing is left."""
        number = self.work[0] + 1
        self.work, self.failed = (number, work), None
        self.words[_ASKED] = number
        if self.is_asleep:
            self.wake.set()

    def end(self) -> BaseException | None:
        """Wait until it does nothing any more; nothing must be left for it. What failed in it, if anything did."""
        number, _ = self.work
        self.work = number, lambda: None
        if self.begun == number:
            while not _loops()[1](self.words, number, _LOOKS):
                time.sleep(_NAP_S)
        return self.failed

    def _serve(self) -> None:
        await_work, number = _loops()[0], 0
        while True:
            if not await_work(self.words, number, _LOOKS):
                self.wake.clear()
                self.is_asleep = True
                if self.words[_ASKED] == number:
                    self.wake.wait()
                self.is_asleep = False
            number, work = self.work
            self.begun = number
            try:
                work()
            except BaseException as error:
                self.failed = error


@functools.lru_cache(maxsize=1)
def _loops() -> tuple[Any, Any]:
    return tuple(_njit(each, no_cfunc_wrapper=True, _nrt=False) for each in (_await_work, _await_end))


@functools.lru_cache(maxsize=1)
def _crew(process: int) -> tuple[threading.Lock, list[_Helper]]:
    """Helpers of this process, and whose turn with them it is; a forked process has none of those before."""
    return threading.Lock(), []


def share_out(work: Callable[[Any], None], pieces: Iterable[Any]) -> None:
    """Do ``work`` on every piece; threads take the next piece as they come free, the calling one among them.

    Where another thread of Python is being helped in this moment, the calling one does all by itself.
    """
    all_pieces = list(pieces)
    left = iter(all_pieces)

    def take() -> None:
        for piece in left:
            work(piece)

    turn, crew = _crew(os.getpid())
    many = min(_threads, len(all_pieces)) - 1
    if many < 1 or numba.config.DISABLE_JIT or not turn.acquire(blocking=False):
        take()
        return
    try:
        while len(crew) < many:
            crew.append(_Helper())
        for helper in crew[:many]:
            helper.ask(take)
        try:
            take()
        finally:  # nobody may work on columns that the caller goes on with
            collections.deque(left, maxlen=0)
            failed = [helper.end() for helper in crew[:many]]
    finally:
        turn.release()
    for error in failed:
        if error is not None:
            raise error


def blocks_of(count: int) -> int:
    """Number of blocks into which a `threaded_kernel` divides so many rows."""
    return _blocks(count, _LEAST_ROWS)


def _blocks(count: int, least_rows: int) -> int:
    return 1 if _threads < 2 else max(1, min(BLOCKS, count // least_rows))


def threaded_kernel(function: F, least_rows: int = _LEAST_ROWS, allocates: bool = False) -> F:
    """Compile a loop over rows that several threads share.

    The first argument of the kernel is a block of rows: the first one, the one after the last, and the number of
    the block; it runs over them by ``rows_of(block)``. Whoever calls it gives the number of rows instead. It fills
    columns, or adds whole numbers to what is its block's alone (`blocks_of`), so that nothing hangs on the number
    of threads. Every thread runs the same serial code: numba's own parallel loops take three times as long to
    compile.

    Parameters
    ----------
    least_rows : fewer are not worth a thread
    allocates : whether it makes arrays of its own. One that does not counts no references to those it is handed; two
        threads that count the same ones wait for each other
    """
    compiled = _njit(function, no_cfunc_wrapper=True, _nrt=allocates)

    @functools.wraps(function)
    def share(count: int, *arguments: Any) -> None:
        many = _blocks(count, least_rows)
        if many == 1:
            compiled((0, count, 0), *arguments)
            return
        edges = [count * n // many for n in range(many + 1)]
        blocks = [(first, last, n) for n, (first, last) in enumerate(itertools.pairwise(edges))]
        share_out(lambda block: compiled(block, *arguments), blocks)

    return cast(F, share)


@numba.njit(inline="always")
def rows_of(block):
    """Numbers of the rows of a block, for the loop of a `threaded_kernel`."""
    return range(block[0] & _ROWS, block[1] & _ROWS)


@numba.njit(inline="always")
def span(first, count):
    """Numbers of ``count`` rows from ``first`` on, for a loop in a kernel."""
    begin = np.int64(first) & _ROWS
    return range(begin, begin + (np.int64(count) & _ROWS))


@numba.njit(inline="always")
def members_of(first, members, h):
    """Numbers of the rows of the members of household ``h``, for a loop in a kernel."""
    return span(first[h], members[h])


def _new(fill: bool) -> Any:
    """An array, made within the kernel that asks for it; of NumPy's in a plain run."""
    if numba.config.DISABLE_JIT:
        return np.zeros if fill else np.empty

    @intrinsic
    def new(_typing, shape, dtype):
        lengths = shape.types if isinstance(shape, types.BaseTuple) else (shape,)
        array = types.Array(parse_dtype(dtype), len(lengths), "C")

        def generate(context, builder, signature, given):
            from numba.np.arrayobj import _empty_nd_impl

            asked = signature.args[0]
            each = cgutils.unpack_tuple(builder, given[0]) if isinstance(asked, types.BaseTuple) else [given[0]]
            kinds = asked.types if isinstance(asked, types.BaseTuple) else (asked,)
            size = [context.cast(builder, one, kind, types.intp) for one, kind in zip(each, kinds, strict=True)]
            made = _empty_nd_impl(context, builder, array, size)
            if fill:
                cgutils.memset(builder, made.data, builder.mul(made.itemsize, made.nitems), 0)
            return made._getvalue()

        return array(shape, dtype), generate

    return new


# ``empty(shape, dtype)`` and ``zeros(shape, dtype)`` for kernels: for NumPy's, numba compiles a function a type
empty, zeros = _new(fill=False), _new(fill=True)


def copy_run(to: np.ndarray, place: int, column: np.ndarray, first: int, length: int) -> None:
    """Copy ``length`` elements of ``column`` from ``first`` on to where ``place`` says in ``to``, both of one type.

    Kernels do it by one call; a loop over short runs spends its time before and after its wide steps.
    """
    to[place : place + length] = column[first : first + length]


@intrinsic
def _copy_memory(_typing, to, place, column, first, length):
    def generate(context, builder, signature, given):
        into, out_of = (context.make_array(signature.args[k])(context, builder, given[k]).data for k in (0, 2))
        size = context.get_abi_sizeof(context.get_data_type(signature.args[0].dtype))
        cgutils.raw_memcpy(builder, builder.gep(into, [given[1]]), builder.gep(out_of, [given[3]]), given[4], size)
        return context.get_dummy_value()

    return types.void(to, types.int64, column, types.int64, types.int64), generate


@overload(copy_run)
def _copy_run(to, place, column, first, length):
    return lambda to, place, column, first, length: _copy_memory(to, place, column, first, length)


def record(bundle: Any) -> Any:
    """(1,) record of the numbers and arrays of a bundle of parameters; kernels take it as ``p`` and read ``p[0]``.

    It is a pointer. A bundle handed to a kernel is unpacked at every call, and every rule that is handed it has as many
    arguments as it has fields, which takes numba longer to compile than the rule.
    """
    kept = _records.get(id(bundle))
    if kept is None or kept[0] is not bundle:
        shapes = tuple((name, np.shape(value)) for name, value in zip(bundle._fields, bundle, strict=True))
        made = np.array([tuple(bundle)], _record_of(shapes))
        if len(_records) >= _MOST_RECORDS:
            _records.clear()
        kept = _records[id(bundle)] = bundle, made
    return kept[1]


_MOST_RECORDS = 256
_records: dict[int, tuple[Any, Any]] = {}  # by the identity of their bundles, which nothing changes and which are kept


@functools.lru_cache(maxsize=64)
def _record_of(shapes: tuple[tuple[str, tuple[int, ...]], ...]) -> np.dtype[Any]:
    return np.dtype((np.record, [(name, np.float64, shape) for name, shape in shapes]))
