"""A table is a struct of arrays: one numpy array a column, all of one length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from migrasim.core.rule import blocks_of, copy_run, empty, kernel, share_out


class Runs(NamedTuple):
    """Rows in an order, as runs of rows that follow one another: copied as memory.

    No run goes over from the rows of a table to those that join it, which are numbered on.
    """

    first: np.ndarray  # (runs,) int32 row that each begins with
    place: np.ndarray  # (runs + 1,) int32 where it stands in the order, until the next one

    def __len__(self) -> int:
        return int(self.place[-1])

    @classmethod
    def without(cls, dropped: np.ndarray, lengths: np.ndarray | int, here: int, joining: int = 0) -> Runs:
        """All rows of a table of ``here`` and those that join, but pieces that begin at ``dropped``, ascending."""
        first = np.concatenate([[0], dropped + lengths, [here]])
        length = np.concatenate([dropped, [here, here + joining]]) - first
        kept = length > 0
        place = np.concatenate([[0], np.cumsum(length[kept])])
        return cls(first[kept].astype(np.int32), place.astype(np.int32))


class Table:
    """Columns of one length, read and written as attributes (``households.place``).

    Parameters
    ----------
    data : columns by name; they are kept, not copied
    """

    def __init__(self, data: Mapping[str, np.ndarray]) -> None:
        lengths = {len(array) for array in data.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")
        self.__dict__.update(data)  # read thousands of times a year, so as plain attributes

    def __getattr__(self, name: str) -> np.ndarray:
        raise AttributeError(f"no column {name!r}; there are {', '.join(self.__dict__)}")

    def __setattr__(self, name: str, array: np.ndarray) -> None:
        columns = self.__dict__
        if name in columns and columns[name].dtype != array.dtype:
            raise TypeError(f"column {name!r} is {columns[name].dtype}, not {array.dtype}")
        if columns and len(array) != len(self):
            raise ValueError(f"column {name!r}: {len(array)} rows instead of {len(self)}")
        columns[name] = array

    def __len__(self) -> int:
        return len(next(iter(self.__dict__.values()))) if self.__dict__ else 0

    def __getstate__(self) -> dict[str, np.ndarray]:
        return self.__dict__

    def __setstate__(self, state: dict[str, np.ndarray]) -> None:
        self.__dict__.update(state)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.__dict__)

    @property
    def nbytes(self) -> int:
        """Bytes held by all columns."""
        return sum(array.nbytes for array in self.__dict__.values())

    def take(
        self,
        rows: np.ndarray | Runs,
        added: Mapping[str, np.ndarray] | None = None,
        given: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Keep ``rows`` (numbers from 0, a mask, or runs, which are not checked), in that order, in every column.

        Parameters
        ----------
        rows : of the table and of those added, which are numbered on
        added : rows that join at the end before rows are taken; every column must be given
        given : columns as they are to be afterwards, which need not be copied

        Raises
        ------
        IndexError : where a row is asked for that there is not
        """
        if added is not None:
            self._check(added)
        here, joining = len(self), len(next(iter(added.values()))) if added else 0
        if not isinstance(rows, Runs):
            if rows.dtype == np.bool_:
                wrong, rows = len(rows) != here + joining, np.flatnonzero(rows)
            else:
                wrong = len(rows) > 0 and bool(rows.min() < 0 or rows.max() >= here + joining)
            if wrong:
                raise IndexError(f"rows beyond the {here + joining} of the table")
            rows = Runs(*_runs(np.ascontiguousarray(rows, np.int32), here))
        known = dict(given or {})
        gather(rows, self.__dict__, [name for name in self.__dict__ if name not in known], added)
        self.__dict__.update(known)

    def append(self, data: Mapping[str, np.ndarray]) -> None:
        """Add rows at the end; every column must be given."""
        self._check(data)
        for name, array in self.__dict__.items():
            self.__dict__[name] = np.concatenate([array, data[name].astype(array.dtype, copy=False)])

    def _check(self, data: Mapping[str, np.ndarray]) -> None:
        if set(data) != set(self.__dict__):
            raise ValueError(f"columns differ: {sorted(set(data) ^ set(self.__dict__))}")

    def copy(self) -> Table:
        """A deep copy."""
        return Table({name: array.copy() for name, array in self.__dict__.items()})


def gather(
    rows: Runs, columns: dict[str, np.ndarray], names: Sequence[str], added: Mapping[str, np.ndarray] | None = None
) -> None:
    """Put the ``rows`` of the columns of these names, and of those added, which are numbered on, in their place.

    Each is replaced as soon as it is copied, so that the next one is written where memory is at hand.
    """
    first, place, count = *rows, len(rows)
    nothing = np.empty(0, np.uint8)

    def one(name: str) -> None:
        array = columns[name]
        more = nothing if added is None else np.ascontiguousarray(added[name], array.dtype).view(np.uint8)
        taken = np.empty(count, array.dtype)
        _copy(first, place, array.view(np.uint8), more, taken.view(np.uint8), array.itemsize)
        columns[name] = taken

    if blocks_of(count) > 1:  # the widest first, so that threads end at about the same time
        share_out(one, sorted(names, key=lambda name: -columns[name].itemsize))
    else:
        for name in names:
            one(name)


def listed(rows: np.ndarray, found: np.ndarray) -> np.ndarray:
    """(rows,) int64 rows that the blocks of a threaded kernel have listed.

    Parameters
    ----------
    rows : what each block has listed, from a place of its own on
    found : (blocks, 2) that place, and how many
    """
    return np.concatenate([rows[first : first + count] for first, count in found.tolist()]).astype(np.int64)


@kernel
def _runs(order, here):
    """`Runs` of ``order``, rows of a table of ``here`` and of those that join it."""
    first, place = empty(order.shape[0], np.int32), empty(order.shape[0] + 1, np.int32)
    runs, last = 0, -2
    for n in range(order.shape[0]):
        row = order[n]
        if row != last + 1 or row == here:
            first[runs], place[runs] = row, n
            runs += 1
        last = row
    place[runs] = order.shape[0]
    return first[:runs].copy(), place[: runs + 1].copy()


_STEP, _SHORT = 64, 256  # bytes


@kernel
def _copy(first, place, column, added, taken, width):
    """Fill ``taken`` with `Runs` of rows, of so many bytes each, from a column and from the rows that join it.

    Most runs are short. They are copied in steps of one width, which saves asking how many bytes are left; what is
    written beyond the end of a run is written anew by those that follow.
    """
    here = column.shape[0]
    last, last_place = here - _SHORT - _STEP, taken.shape[0] - _SHORT - _STEP
    for r in range(first.shape[0]):
        start, to = np.int64(first[r]) * width, np.int64(place[r]) * width
        length = np.int64(place[r + 1]) * width - to
        if length <= _SHORT and start <= last and to <= last_place:
            copy_run(taken, to, column, start, _STEP)
            for done in range(_STEP, length, _STEP):
                copy_run(taken, to + done, column, start + done, _STEP)
        elif start < here:
            copy_run(taken, to, column, start, length)
        else:
            copy_run(taken, to, added, start - here, length)
