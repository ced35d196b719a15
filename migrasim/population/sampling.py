"""Samples of whole households that look like everybody: systematic, in strata, nested.

Households stand in line by where they live, who is away, how many they are, how they live and how old
they are; each gets the fractional part of its rank times the golden ratio, from a start drawn once, and
a sample takes those below its share. Whatever the share, every stretch of the line then gives its part
to within a household or two (the sequence of Weyl with the smallest discrepancy; Niederreiter 1992,
"Random Number Generation and Quasi-Monte Carlo Methods", chapter 3), and a smaller sample is a subset of
a larger one. Decision 016 says what a simple random draw was off by.
"""

from __future__ import annotations

import numpy as np

from migrasim.core.chance import Decision, draw, evenly, stream, unit
from migrasim.core.rule import kernel


def sample_mask(
    persons: dict[str, np.ndarray], households: dict[str, np.ndarray], seed: int, share: float
) -> np.ndarray:
    """True for the households of a sample.

    Parameters
    ----------
    persons, households : columns of a base year at full scale, persons sorted by household (`tables`)
    seed : of the population; where the draw starts
    share : of the households, above 0 and at most 1
    """
    rows = households["key"].size
    members = np.bincount(persons["household"], minlength=rows)
    away = np.bincount(persons["household"], persons["is_away"], minlength=rows)
    oldest = np.full(rows, np.iinfo(np.int16).max, np.int16)
    np.minimum.at(oldest, persons["household"], persons["birth_year"])
    strata = [households["place"], households["away_place"], away, members, households["tenure"]]
    line = np.lexsort([households["key"], oldest, households["home_place"], *reversed(strata)])
    kept = np.empty(rows, np.bool_)
    _take(line, np.uint64(stream(seed, int(Decision.SAMPLE), 0)), share, kept)
    return kept


@kernel
def _take(line: np.ndarray, luck: np.uint64, share: float, kept: np.ndarray) -> None:
    """Mark in ``kept`` (households,) those of the ``line`` of rows that are in the sample."""
    start = draw(luck, 0, 0)
    for rank in range(line.shape[0]):
        kept[line[rank]] = unit(evenly(start, rank)) < share
