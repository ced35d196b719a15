"""What loops over rows share: threads, lotteries, and tables that lose and gain rows."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrasim.core import rule
from migrasim.core.columns import Runs, Table
from migrasim.core.lottery import by_lot, in_order, lowest
from migrasim.core.rule import blocks_of, empty, kernel, rows_of, set_threads, share_out, threaded_kernel, zeros
from migrasim.domains.moving.considering import by_month
from migrasim.world import _fill_household, _first_rows

ROWS = 50_000  # enough for several blocks
LOTS = st.integers(0, 20) | st.integers(0, 2**64 - 1)  # equal ones among them, and such as are drawn


@pytest.fixture
def threads() -> Iterator[None]:
    """Whatever a test sets is set back."""
    before = rule._threads
    yield
    set_threads(before)


@threaded_kernel
def _square_and_count(block, number, square, counts):
    for i in rows_of(block):
        square[i] = number[i] * number[i]
        counts[block[2], number[i] % 3] += 1


@kernel
def _made_within(rows):
    line, plane, block = zeros(rows, np.uint8), zeros((rows, 3), np.int32), empty((2, rows, 5), np.float64)
    for i in range(2):
        for j in range(rows):
            for k in range(5):
                block[i, j, k] = 100 * i + 10 * j + k
    return line, plane, block


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_kernels_make_arrays_of_any_shape(rows: int) -> None:
    """An array made in a kernel has the shape and the type asked for and is laid out as NumPy lays it out."""
    line, plane, block = _made_within(rows)
    assert (line.shape, plane.shape, block.shape) == ((rows,), (rows, 3), (2, rows, 5))
    assert (line.dtype, plane.dtype, block.dtype) == (np.uint8, np.int32, np.float64)
    assert not line.any() and not plane.any()
    i, j, k = np.meshgrid(range(2), range(rows), range(5), indexing="ij")
    np.testing.assert_array_equal(block, 100 * i + 10 * j + k)
    assert all(each.flags.c_contiguous and each.flags.writeable for each in (line, plane, block))


@pytest.mark.parametrize("count", [0, 1, ROWS])
def test_threads_fill_and_count_the_same(count: int, threads: None) -> None:
    """Columns and whole-number sums do not hang on the number of threads."""
    number = np.arange(count)
    found = []
    for each in (1, 2):
        set_threads(each)
        square, counts = np.zeros(count, np.int64), np.zeros((blocks_of(count), 3), np.int64)
        _square_and_count(count, number, square, counts)
        found.append((square, counts.sum(axis=0)))
    for square, counts in found:
        np.testing.assert_array_equal(square, number**2)
        np.testing.assert_array_equal(counts, np.bincount(number % 3, minlength=3))


def test_what_fails_in_a_thread_is_told(threads: None) -> None:
    """An error in one piece of work reaches whoever asked for it."""
    set_threads(2)

    def work(piece: int) -> None:
        if piece == 7:
            raise ValueError("piece 7")

    with pytest.raises(ValueError, match="piece 7"):
        share_out(work, range(20))


def test_nobody_works_on_when_sharing_out_has_ended(threads: None) -> None:
    """Many small shares one after another: every piece is done once, by whichever thread, before the call returns."""
    set_threads(2)
    for _ in range(200):
        done = np.zeros(3, np.int64)

        def work(piece: int, done: np.ndarray = done) -> None:
            done[piece] += 1

        share_out(work, range(3))
        assert done.tolist() == [1, 1, 1]


def _meet(times: int) -> None:
    """Two pieces that end only when two threads are in them at once."""
    for _ in range(times):
        both = threading.Barrier(2)
        share_out(lambda _, both=both: both.wait(timeout=20), range(2))  # type: ignore[misc]


def test_a_helper_that_sleeps_is_woken(threads: None) -> None:
    """Helpers work alongside at once, and after a pause long enough to fall asleep."""
    set_threads(2)
    _meet(3)
    time.sleep(0.1)
    (helper,) = rule._crew(os.getpid())[1][:1]
    assert helper.is_asleep
    _meet(3)


def test_two_that_share_out_at_once_do_not_wait_for_each_other(threads: None) -> None:
    """While one is being helped the other does all by itself; every piece is done once."""
    set_threads(2)
    inside, done = threading.Barrier(2), np.zeros((2, 50), np.int64)

    def share(number: int) -> None:
        def work(piece: int) -> None:
            done[number, piece] += 1
            if piece == 0:
                inside.wait(timeout=20)

        share_out(work, range(50))

    others = [threading.Thread(target=share, args=(number,)) for number in range(2)]
    for each in others:
        each.start()
    for each in others:
        each.join()
    assert (done == 1).all()


_FORKS = """
import os
import sys
from migrasim.core.rule import set_threads, share_out

def work(piece):
    done.append(piece)

set_threads(2)
done = []
share_out(work, range(30))
child = os.fork()
if child == 0:
    done.clear()
    share_out(work, range(30))
    os._exit(0 if sorted(done) == list(range(30)) else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_has_helpers_of_its_own() -> None:
    """A process forked after threads were at work does not wait for those, which it has not."""
    subprocess.run([sys.executable, "-W", "ignore", "-c", _FORKS], check=True, timeout=120)


def test_who_considers_stands_month_by_month() -> None:
    """Rows in their order, and the same ones by month, within a month in their order."""
    month, place = np.array([3, 0, 1, 12, 1, 0, 3], np.uint8), np.array([0, 1, 2, 0, 2, 1, 1], np.int8)
    rows, slot, ordered, ends, considered = by_month(month, place, 3)
    assert rows.tolist() == [0, 2, 3, 4, 6]
    assert ordered.tolist() == [2, 4, 0, 6, 3]
    assert ordered[slot].tolist() == rows.tolist()
    assert np.diff(ends).tolist() == [2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert considered.tolist() == [2, 1, 2]


@settings(deadline=None)  # the first example compiles
@given(
    st.lists(st.tuples(st.integers(0, 3), LOTS), max_size=60),
    st.lists(st.integers(-1, 12), min_size=4, max_size=4),
)
def test_the_lowest_lots_of_a_cell_are_taken(rows: list[tuple[int, int]], room: list[int]) -> None:
    """Of every cell as many rows are taken as there is room for, the lowest lots, of equal ones the first."""
    cell = np.array([c for c, _ in rows], np.int64)
    lot = np.array([each for _, each in rows], np.uint64)
    wanted = np.zeros(len(rows), bool)
    for c in range(4):
        here = np.flatnonzero(cell == c)
        wanted[here[np.argsort(lot[here], kind="stable")][: max(0, room[c])]] = True
    np.testing.assert_array_equal(lowest(cell, lot, np.array(room, np.int64)), wanted)


@settings(deadline=None)  # the first example compiles
@given(st.lists(LOTS, max_size=70))
def test_rows_come_in_the_order_of_their_lots(lots: list[int]) -> None:
    """The sort is the stable one."""
    lot = np.array(lots, np.uint64)
    np.testing.assert_array_equal(by_lot(lot), np.argsort(lot, kind="stable"))


@settings(deadline=None)  # the first example compiles
@given(st.lists(st.floats(allow_nan=False), max_size=40))
def test_words_stand_in_the_order_of_their_numbers(numbers: list[float]) -> None:
    """A smaller number has a smaller word."""
    values = np.array(numbers, np.float64) + 0.0  # no negative zero
    words = in_order(values)
    np.testing.assert_array_equal(words[:, None] < words[None, :], values[:, None] < values[None, :])


@pytest.mark.parametrize("count", [10, ROWS])
def test_a_table_loses_and_gains_rows_at_once(count: int) -> None:
    """Rows that join are numbered on after those of the table; a mask keeps the order."""
    table = Table({"a": np.arange(count), "b": np.arange(count, dtype=np.uint8)})
    table.take(np.array([count, 0, count + 1]), {"a": np.array([-1, -2]), "b": np.array([7, 8])})
    assert table.a.tolist() == [-1, 0, -2]
    assert table.b.tolist() == [7, 0, 8]
    assert table.b.dtype == np.uint8
    table.take(np.array([True, False, True]))
    assert table.a.tolist() == [-1, -2]
    with pytest.raises(ValueError, match="columns differ"):
        table.take(np.array([0]), {"a": np.array([1])})
    for beyond in (np.array([0, 2]), np.array([-1]), np.array([True])):
        with pytest.raises(IndexError, match="beyond the 2 of the table"):
            table.take(beyond)


@pytest.mark.parametrize("count", [10, ROWS])
def test_pieces_of_a_table_are_left_out(count: int) -> None:
    """Runs of all lengths, and rows that join, come out as NumPy has them; columns given are not copied."""
    rng = np.random.default_rng(count)
    kept = rng.random(count) < np.repeat([0.2, 0.9, 0.999, 0.5], -(-count // 4))[:count]
    dropped = np.flatnonzero(~kept)
    columns = {"a": np.arange(count), "b": rng.integers(0, 99, count).astype(np.uint8), "c": np.arange(count) * 0.5}
    table = Table({**columns, "d": np.zeros(count, np.int16)})
    added = {"a": np.array([-1, -2]), "b": np.array([7, 8]), "c": np.array([0.1, 0.2]), "d": np.array([1, 1])}
    runs = Runs.without(dropped, 1, count, 2)
    known = np.arange(len(runs), dtype=np.int16)
    table.take(runs, added, {"d": known})
    assert table.names == ("a", "b", "c", "d")
    assert table.d is known
    for name, column in columns.items():
        np.testing.assert_array_equal(getattr(table, name), np.concatenate([column[kept], added[name]]))


@pytest.mark.parametrize("count", [12, ROWS])
def test_persons_know_their_household(count: int) -> None:
    """Households without members are passed over, the first and the last among them."""
    members = np.random.default_rng(count).integers(0, 4, count).astype(np.int32)
    members[[0, 1, -1]] = 0
    first = (np.cumsum(members) - members).astype(np.int32)
    household = np.empty(members.sum(), np.int32)
    _fill_household(count, first, members, household)
    np.testing.assert_array_equal(household, np.repeat(np.arange(count), members))
    np.testing.assert_array_equal(_first_rows(members), first)


_AROUND = """
import sys
from migrasim.core.rule import kernel

@kernel
def inner(number):
    return number + 1.0

@kernel
def outer(number):
    return 2.0 * inner(number)

print(inner(1.0), outer(1.0) if "outer" in sys.argv else "")
"""


def test_a_kernel_compiles_around_one_that_was_loaded(tmp_path: Path) -> None:
    """A kernel of another process is called by one that is compiled here, and both are kept."""
    script = tmp_path / "kernels.py"
    script.write_text(_AROUND, encoding="utf-8")
    env = {**os.environ, "MIGRASIM_CACHE": str(tmp_path / "cache")}
    said = [
        subprocess.run([sys.executable, script, *more], env=env, capture_output=True, text=True, check=True).stdout
        for more in ((), ("outer",), ("outer",))
    ]
    assert [each.split() for each in said] == [["2.0"], ["2.0", "4.0"], ["2.0", "4.0"]]
    assert len(list((tmp_path / "cache").rglob("*.nbc"))) == 2
