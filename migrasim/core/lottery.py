"""Whoever has the lowest lots gets what there is: a partial sort of those who compete."""

from __future__ import annotations

import numpy as np

from migrasim.core.rule import kernel


@kernel
def by_lot(lot):
    """(rows,) int64 numbers of the rows in the order of their lots, equal ones in their own order: a merge sort.

    NumPy's sort takes numba seconds to compile, for every loop that uses it.
    """
    rows = lot.shape[0]
    order, merged = np.arange(rows), np.empty(rows, np.int64)
    width = 1
    while width < rows:
        for left in range(0, rows, 2 * width):
            middle, end = min(left + width, rows), min(left + 2 * width, rows)
            a, b = left, middle
            for n in range(left, end):
                if a < middle and (b >= end or lot[order[a]] <= lot[order[b]]):
                    merged[n] = order[a]
                    a += 1
                else:
                    merged[n] = order[b]
                    b += 1
        order, merged = merged, order
        width *= 2
    return order


@kernel
def lowest(cell, lot, room):
    """Whether each row is among the ``room`` lowest lots of its cell.

    Parameters
    ----------
    cell : (rows,) int64 in which cell a row competes
    lot : (rows,) its lot
    room : (cells,) how many a cell takes; below 1 nobody

    Returns
    -------
    (rows,) bool. Only cells that have room for some but not for all are sorted.
    """
    first = np.zeros(room.shape[0] + 1, np.int64)
    for n in range(cell.shape[0]):
        first[cell[n] + 1] += 1
    for c in range(room.shape[0]):
        first[c + 1] += first[c]
    cursor = first[:-1].copy()
    row = np.empty(cell.shape[0], np.int64)
    for n in range(cell.shape[0]):
        row[cursor[cell[n]]] = n
        cursor[cell[n]] += 1
    taken = np.zeros(cell.shape[0], np.bool_)
    for c in range(room.shape[0]):
        rows = row[first[c] : first[c + 1]]
        if room[c] >= rows.shape[0]:
            taken[rows] = True
        elif room[c] > 0:
            lots = lot[rows]
            order = by_lot(lots)
            taken[rows[order[: room[c]]]] = True
    return taken
