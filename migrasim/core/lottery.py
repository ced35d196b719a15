"""Whoever has the lowest lots gets what there is: a partial sort of those who compete."""

from __future__ import annotations

import numpy as np

from migrasim.core.rule import empty, inlined, kernel, zeros

_ONE, _SIGN = np.uint64(1), np.uint64(63)
_BITS = 8  # first ones of a lot, by which those are found that are near a boundary
_BEHIND = np.uint64(64 - _BITS)


@kernel
def by_lot(lot):
    """(rows,) int64 numbers of the rows in the order of their lots, equal ones in their own order.

    Lots are even over all 64 bits: by their first bits they come nearly into order, the rest is done by insertion.
    """
    order = empty(lot.shape[0], np.int64)
    put_by_lot(lot, lot.shape[0], empty(2 * lot.shape[0] + 3, np.int64), order)
    return order


@inlined
def put_by_lot(lot, rows, cursor, order):
    """Fill ``order`` with what `by_lot` says of the first ``rows`` lots; ``cursor`` is room for twice as many and 3."""
    bits = 1
    while (1 << bits) < rows:
        bits += 1
    shift = np.uint64(64 - bits)
    cursor[: (1 << bits) + 1] = 0
    for n in range(rows):
        cursor[(lot[n] >> shift) + _ONE] += 1
    for b in range(1, (1 << bits) + 1):
        cursor[b] += cursor[b - 1]
    for n in range(rows):
        order[cursor[lot[n] >> shift]] = n
        cursor[lot[n] >> shift] += 1
    for n in range(1, rows):
        row = order[n]
        m = n
        while m > 0 and lot[order[m - 1]] > lot[row]:
            order[m] = order[m - 1]
            m -= 1
        order[m] = row


@kernel
def in_order(numbers):
    """(rows,) uint64 words in the order of the floating-point ``numbers``, so that lots of one type are compiled."""
    lots = empty(numbers.shape[0], np.uint64)
    for n in range(numbers.shape[0]):
        word = np.float64(numbers[n]).view(np.uint64)
        lots[n] = ~word if word >> _SIGN else word | (_ONE << _SIGN)
    return lots


@kernel
def _boundary(lot, room):
    """The ``room``-th lowest of the lots, by partition around a middle one; ``lot`` is put in another order."""
    low, high, wanted = 0, lot.shape[0] - 1, room - 1
    while low < high:
        middle = lot[(low + high) // 2]
        a, b = low, high
        while a <= b:
            while lot[a] < middle:
                a += 1
            while lot[b] > middle:
                b -= 1
            if a <= b:
                lot[a], lot[b] = lot[b], lot[a]
                a += 1
                b -= 1
        if wanted <= b:
            high = b
        elif wanted >= a:
            low = a
        else:
            break
    return lot[wanted]


@kernel
def lowest(cell, lot, room):
    """Whether each row is among the ``room`` lowest lots of its cell; of equal lots the first rows are.

    Parameters
    ----------
    cell : (rows,) int64 in which cell a row competes
    lot : (rows,) its lot
    room : (cells,) int64 how many a cell takes; below 1 nobody

    Returns
    -------
    (rows,) bool. Only cells that have room for some but not for all are looked into.
    """
    cells, rows = room.shape[0], cell.shape[0]
    counts = zeros((cells, 1 << _BITS), np.int64)  # of the lots of a cell by their first bits
    for n in range(rows):
        counts[cell[n], lot[n] >> _BEHIND] += 1
    some = zeros(cells, np.bool_)  # cells that have room for some but not for all
    left = room.copy()  # in the end, how many of those at the boundary there is room for
    bound, first = zeros(cells, np.uint64), zeros(cells + 1, np.int64)
    for c in range(cells):
        competing = 0
        for bits in range(counts.shape[1]):
            competing += counts[c, bits]
        some[c] = 0 < room[c] < competing
        first[c + 1] = first[c]
        if some[c]:
            while counts[c, bound[c]] < left[c]:
                left[c] -= counts[c, bound[c]]
                bound[c] += _ONE
            first[c + 1] += counts[c, bound[c]]
    cursor, lots = first.copy(), empty(first[cells], lot.dtype)
    for n in range(rows):
        c = cell[n]
        if some[c] and lot[n] >> _BEHIND == bound[c]:
            lots[cursor[c]] = lot[n]
            cursor[c] += 1
    boundary = empty(cells, lot.dtype)
    for c in range(cells):
        if some[c]:
            found = lots[first[c] : first[c + 1]]
            boundary[c] = _boundary(found, left[c])
            for n in range(found.shape[0]):
                left[c] -= found[n] < boundary[c]
    taken = zeros(rows, np.bool_)
    for n in range(rows):
        c = cell[n]
        if not some[c]:
            taken[n] = room[c] > 0
        elif lot[n] < boundary[c]:
            taken[n] = True
        elif lot[n] == boundary[c] and left[c] > 0:
            taken[n] = True
            left[c] -= 1
    return taken
