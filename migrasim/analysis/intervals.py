"""Intervals at 90 percent of means and shares over runs that share luck or facts with one another.

Runs of one replication share their luck, runs of one parameter vector their facts: forty vectors under five lucks are
not two hundred draws. What varies between vectors and what varies between lucks are added up, each with as
many draws as there are. Futures are no draws: they are named, and a mean over them is taken first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

CONFIDENCE = 0.9
_UPPER = 0.5 + CONFIDENCE / 2

Array = np.ndarray[Any, np.dtype[np.float64]]
Labels = Sequence[Any] | np.ndarray[Any, np.dtype[Any]]


def interval(values: Array, vectors: Labels | None = None, lucks: Labels | None = None) -> tuple[float, float, float]:
    """Mean with its interval by Student's t; without one where there is a single draw.

    Parameters
    ----------
    values
        A number a run, or a pair of runs.
    vectors, lucks
        Parameter vector and luck of each; where not given each has a luck of its own.

    Examples
    --------
    >>> [round(float(each), 2) for each in interval(np.array([1.0, 2.0, 3.0]))]
    [2.0, 0.31, 3.69]
    >>> [round(float(each), 2) for each in interval(np.array([1.0, 1.0, 3.0, 3.0]), lucks=[0, 0, 1, 1])]
    [2.0, -4.31, 8.31]
    """
    variance, freedom = _variance(_table(values, vectors, lucks))
    mean = float(values.mean())
    half = float(stats.t.ppf(_UPPER, freedom) * np.sqrt(variance))
    return mean, mean - half, mean + half


def share(values: Array, vectors: Labels | None = None, lucks: Labels | None = None) -> tuple[float, float, float]:
    """Share of runs (0, 1, or a half for a tie) with its interval by Clopper and Pearson.

    Runs that share luck or facts count as the number of independent ones that would tell as much (Korn and Graubard),
    never as more than there are; where all say the same, as many as there are vectors or lucks, whichever are more.

    Examples
    --------
    >>> [round(float(each), 2) for each in share(np.array([1.0, 1.0, 0.0, 1.0]))]
    [0.75, 0.25, 0.99]
    >>> [round(float(each), 2) for each in share(np.array([1.0, 1.0, 0.0, 0.0]), lucks=[0, 0, 1, 1])]
    [0.5, 0.03, 0.97]
    """
    table, count = _table(values, vectors, lucks), len(values)
    found = float(values.mean())
    independent = float(max(table.shape))
    if 0 < found < 1:
        variance, freedom = _variance(table)
        independent = float(count)
        if variance > 0:
            wider = stats.t.ppf(_UPPER, freedom) / stats.t.ppf(_UPPER, np.count_nonzero(~np.isnan(table)) - 1)
            independent = min(independent, 1.0 + found * (1 - found) / (variance * wider**2))
    wins, losses = found * independent, (1 - found) * independent
    low = float(stats.beta.ppf(1 - _UPPER, wins, losses + 1)) if wins > 0 else 0.0
    high = float(stats.beta.ppf(_UPPER, wins + 1, losses)) if losses > 0 else 1.0
    return found, low, high


def reach(count: int) -> float:
    """How many standard deviations about the mean of so many draws hold a further draw (Student's t).

    Examples
    --------
    >>> round(reach(5), 2), round(reach(1000), 2)
    (2.34, 1.65)
    """
    return float(stats.t.ppf(_UPPER, count - 1) * np.sqrt(1.0 + 1.0 / count))


def _table(values: Array, vectors: Labels | None, lucks: Labels | None) -> Array:
    """(vectors, lucks) means of the values that share both; nan where there are none."""
    row = np.zeros(len(values), np.int64) if vectors is None else np.unique(vectors, return_inverse=True)[1]
    column = np.arange(len(values)) if lucks is None else np.unique(lucks, return_inverse=True)[1]
    summed, count = np.zeros((2, int(row.max()) + 1, int(column.max()) + 1))
    np.add.at(summed, (row, column), values)
    np.add.at(count, (row, column), 1.0)
    return np.divide(summed, count, out=np.full_like(summed, np.nan), where=count > 0)


def _variance(table: Array) -> tuple[float, float]:
    """Variance of the mean of a table, and its degrees of freedom (Satterthwaite); nan for a single draw."""
    rows, columns = table.shape
    if rows == 1 or columns == 1:
        each = table[~np.isnan(table)]
        return (float(each.var(ddof=1)) / len(each), len(each) - 1.0) if len(each) > 1 else (np.nan, np.nan)
    by_row, by_column = np.nanmean(table, axis=1), np.nanmean(table, axis=0)
    first, second = float(by_row.var(ddof=1)) / rows, float(by_column.var(ddof=1)) / columns
    rest = table - by_row[:, None] - by_column[None, :] + np.nanmean(table)
    both = float(np.nansum(rest**2)) / ((rows - 1) * (columns - 1)) / np.count_nonzero(~np.isnan(table))
    variance = max(first + second - both, first, second)
    part = first**2 / (rows - 1) + second**2 / (columns - 1)
    return variance, variance**2 / part if part > 0 else 1.0
