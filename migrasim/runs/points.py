"""Where a design looks: grids, fractions, Latin hypercubes, the points of Morris and Sobol, coalitions.

Pure numbers: what a point means is said by `migrasim.runs.design`, what its runs tell by
`migrasim.analysis`. The same arguments give the same points in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import Any, Literal

import numpy as np

from migrasim.core.errors import InputError

MORRIS_LEVELS = 4  # of Morris' grid
Kind = Literal["latin_hypercube", "sobol", "morris"]
Ranges = Mapping[str, tuple[float, float]]
Array = np.ndarray[Any, np.dtype[np.float64]]
Coalition = frozenset[str]


def problem(ranges: Ranges) -> dict[str, Any]:
    """Ranges as SALib wants them."""
    return {"num_vars": len(ranges), "names": list(ranges), "bounds": [list(each) for each in ranges.values()]}


def spread(ranges: Ranges, size: int, kind: Kind = "sobol", seed: int = 0) -> Array:
    """(points, numbers) spread over ranges.

    Parameters
    ----------
    ranges
        Low and high end of each number.
    size
        Points (latin_hypercube), trajectories (morris: ``size * (numbers + 1)`` points), or base points (sobol:
        ``size * (numbers + 2)`` points, a power of 2).
    kind, seed
        Of the design.

    Raises
    ------
    InputError
        Where the base points of Sobol are no power of 2.
    """
    if kind == "latin_hypercube":
        from scipy.stats import qmc

        cube = qmc.LatinHypercube(len(ranges), rng=np.random.default_rng(seed)).random(size)
        low, high = np.array(list(ranges.values()), np.float64).T
        return np.asarray(low + cube * (high - low))
    from SALib.sample import morris, sobol

    if kind == "morris":
        return np.asarray(morris.sample(problem(ranges), size, num_levels=MORRIS_LEVELS, seed=seed))
    if size < 2 or size & (size - 1):
        raise InputError(f"sensitivity: {size} base points are not allowed; allowed: powers of 2 from 2 on")
    return np.asarray(sobol.sample(problem(ranges), size, calc_second_order=False, seed=seed))


def count(kind: Kind, size: int, numbers: int) -> int:
    """How many points `spread` gives.

    Examples
    --------
    >>> count("morris", 8, 4), count("sobol", 8, 4), count("latin_hypercube", 8, 4)
    (40, 48, 8)
    """
    return size * {"latin_hypercube": 1, "morris": numbers + 1, "sobol": numbers + 2}[kind]


def grid(levels: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Every combination of levels, the last factor changing fastest.

    Examples
    --------
    >>> grid([["low", "high"], [1, 2]])
    [('low', 1), ('low', 2), ('high', 1), ('high', 2)]
    """
    return list(product(*levels))


def fraction(levels: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """A fraction of the combinations of two levels each, in which no effect of one factor is mixed with one of a pair.

    A Hadamard matrix and its mirror image (resolution IV): 8 points for up to four factors, 16 for up to eight.

    Examples
    --------
    >>> len(fraction([["low", "high"]] * 4)), len(fraction([["low", "high"]] * 5))
    (8, 16)
    """
    from scipy.linalg import hadamard

    order = 1
    while order < len(levels):
        order *= 2
    half = np.asarray(hadamard(order))[:, : len(levels)]
    signs = np.vstack([-half, half])
    return [tuple(pair[int(sign > 0)] for pair, sign in zip(levels, row, strict=True)) for row in signs]


def coalitions(players: Sequence[str]) -> list[Coalition]:
    """All coalitions, none first.

    Examples
    --------
    >>> len(coalitions(["a", "b", "c"]))
    8
    """
    return [frozenset(each) for size in range(len(players) + 1) for each in combinations(players, size)]


def orders(players: Sequence[str], number: int, seed: int) -> list[tuple[str, ...]]:
    """Orders drawn, each with its reverse, which takes much of the error away."""
    rng = np.random.default_rng(seed)
    drawn = [tuple(players[k] for k in rng.permutation(len(players))) for _ in range((number + 1) // 2)]
    return [order for one in drawn for order in (one, one[::-1])]


def along(drawn: Sequence[tuple[str, ...]]) -> list[Coalition]:
    """Coalitions that orders pass through, those of one player and of all but one among them, each once."""
    players = sorted(drawn[0])
    passed = [frozenset(order[:size]) for order in drawn for size in range(len(order) + 1)]
    ends = [frozenset({player}) for player in players] + [frozenset(players) - {player} for player in players]
    return list(dict.fromkeys(passed + ends))
