"""Whoever has the lowest lots gets what there is: a partial sort of those who compete."""

from __future__ import annotations

import numpy as np

from migrasim.core.rule import kernel


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
            order = np.argsort(lots)
            taken[rows[order[: room[c]]]] = True
    return taken
