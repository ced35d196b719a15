"""A table is a struct of arrays: one numpy array a column, all of one length."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from migrasim.core.rule import blocks_of, copy_run, kernel, share_out


class Table:
    """Columns of one length, read and written as attributes (``households.place``).

    Parameters
    ----------
    data : columns by name; they are kept, not copied
    """

    __slots__ = ("_data",)

    _data: dict[str, np.ndarray]

    def __init__(self, data: Mapping[str, np.ndarray]) -> None:
        lengths = {len(array) for array in data.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")
        object.__setattr__(self, "_data", dict(data))

    def __getattr__(self, name: str) -> np.ndarray:
        try:
            return self._data[name]
        except KeyError:
            raise AttributeError(f"no column {name!r}; there are {', '.join(self._data)}") from None

    def __setattr__(self, name: str, array: np.ndarray) -> None:
        if name in self._data and self._data[name].dtype != array.dtype:
            raise TypeError(f"column {name!r} is {self._data[name].dtype}, not {array.dtype}")
        if self._data and len(array) != len(self):
            raise ValueError(f"column {name!r}: {len(array)} rows instead of {len(self)}")
        self._data[name] = array

    def __len__(self) -> int:
        return len(next(iter(self._data.values()))) if self._data else 0

    def __getstate__(self) -> dict[str, np.ndarray]:
        return self._data

    def __setstate__(self, state: dict[str, np.ndarray]) -> None:
        object.__setattr__(self, "_data", state)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self._data)

    @property
    def nbytes(self) -> int:
        """Bytes held by all columns."""
        return sum(array.nbytes for array in self._data.values())

    def take(self, rows: np.ndarray, added: Mapping[str, np.ndarray] | None = None) -> None:
        """Keep ``rows`` (numbers from 0, or a mask), in that order, in every column.

        Parameters
        ----------
        rows : of the table and of those added, which are numbered on
        added : rows that join at the end before rows are taken; every column must be given

        Raises
        ------
        IndexError : where a row is asked for that there is not
        """
        if added is not None:
            self._check(added)
        here, joining = len(self), len(next(iter(added.values()))) if added else 0
        if rows.dtype == np.bool_:
            wrong, rows = len(rows) != here + joining, np.flatnonzero(rows)
        else:
            wrong = len(rows) > 0 and bool(rows.min() < 0 or rows.max() >= here + joining)
        if wrong:
            raise IndexError(f"rows beyond the {here + joining} of the table")
        first, place = _runs(np.ascontiguousarray(rows, np.int32), here)

        def one(name: str) -> None:
            array = self._data[name]
            more = np.ascontiguousarray(array[:0] if added is None else added[name], array.dtype)
            taken = np.empty(len(rows), array.dtype)
            word = f"u{array.itemsize}"  # whatever a column holds, it is copied as words of its width
            _copy(first, place, array.view(word), more.view(word), taken.view(word))
            self._data[name] = taken

        if blocks_of(here) > 1:
            share_out(one, self._data)
        else:
            for name in self._data:
                one(name)

    def append(self, data: Mapping[str, np.ndarray]) -> None:
        """Add rows at the end; every column must be given."""
        self._check(data)
        for name, array in self._data.items():
            self._data[name] = np.concatenate([array, data[name].astype(array.dtype, copy=False)])

    def _check(self, data: Mapping[str, np.ndarray]) -> None:
        if set(data) != set(self._data):
            raise ValueError(f"columns differ: {sorted(set(data) ^ set(self._data))}")

    def copy(self) -> Table:
        """A deep copy."""
        return Table({name: array.copy() for name, array in self._data.items()})


@kernel
def _runs(order, here):
    """Runs of rows that follow one another in ``order``; none goes over from the ``here`` rows of a table to others.

    Returns
    -------
    (runs,) row that each begins with; (runs + 1,) where it stands in ``order``, until the next one
    """
    first, place = np.empty(order.shape[0], np.int32), np.empty(order.shape[0] + 1, np.int32)
    runs, last = 0, -2
    for n in range(order.shape[0]):
        row = order[n]
        if row != last + 1 or row == here:
            first[runs], place[runs] = row, n
            runs += 1
        last = row
    place[runs] = order.shape[0]
    return first[:runs].copy(), place[: runs + 1].copy()


@kernel
def _copy(first, place, column, added, taken):
    """Fill ``taken`` with `_runs` of rows from a column and from the rows that join it."""
    here = column.shape[0]
    for r in range(first.shape[0]):
        length = place[r + 1] - place[r]
        if first[r] < here:
            copy_run(taken, place[r], column, first[r], length)
        else:
            copy_run(taken, place[r], added, first[r] - here, length)
