"""Keyed luck: equal to a plain reference, uniform, and without traces between neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from migrasim.core.chance import Decision, child_key, draw, mix, stream, unit
from migrasim.core.rule import kernel

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
M1, M2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
COUNT = 1 << 20


def plain_mix(word: int) -> int:
    word = ((word ^ (word >> 30)) * M1) & MASK
    word = ((word ^ (word >> 27)) * M2) & MASK
    return word ^ (word >> 31)


def plain_stream(seed: int, decision: int, year: int) -> int:
    word = plain_mix((seed + GOLDEN) & MASK)
    word = plain_mix(word ^ ((decision * GOLDEN) & MASK))
    return plain_mix((word + year * GOLDEN) & MASK)


def plain_draw(key: int, who: int, alternative: int) -> int:
    word = plain_mix(key ^ who)
    return plain_mix((word + (alternative + 1) * GOLDEN) & MASK)


@kernel
def draws(key, count, alternatives):
    result = np.empty((count, alternatives))
    for i in range(count):
        for j in range(alternatives):
            result[i, j] = unit(draw(key, np.uint64(i), j))
    return result


def test_every_decision_has_a_number_of_its_own() -> None:
    """A name that stood for the number of another would share its luck without a word."""
    assert len(Decision.__members__) == len(Decision)


@pytest.mark.parametrize("seed", [0, 1, 2**62 + 3])
@pytest.mark.parametrize("who", [0, 1, 2**63 + 5, MASK])
def test_compiled_luck_equals_the_plain_reference(seed: int, who: int) -> None:
    """No word is widened, cut or turned into a float on the way (numba against unlimited integers)."""
    assert int(mix(np.uint64(who))) == plain_mix(who)
    for year in (0, 2021, 2035):
        key = np.uint64(stream(seed, Decision.GUMBEL, year))
        assert int(key) == plain_stream(seed, Decision.GUMBEL, year)
        for alternative in (0, 7, 1 << 16):
            assert int(draw(key, np.uint64(who), alternative)) == plain_draw(int(key), who, alternative)


def test_draws_are_uniform_in_the_open_interval() -> None:
    """Counters in a row give a uniform distribution (Kolmogorov-Smirnov) that never touches 0 or 1."""
    values = draws(np.uint64(stream(3, Decision.CONSIDER, 2021)), COUNT, 1).ravel()
    assert 0.0 < values.min() and values.max() < 1.0
    assert stats.kstest(values, "uniform").pvalue > 0.001
    assert unit(np.uint64(0)) > 0.0 and unit(np.uint64(MASK)) < 1.0


def test_neighbours_do_not_know_of_each_other() -> None:
    """Neighbouring choosers, alternatives, years, seeds and decisions are uncorrelated and fill the square."""
    base = draws(np.uint64(stream(1, Decision.GUMBEL, 2021)), COUNT, 2)
    pairs = {
        "choosers": (base[:-1, 0], base[1:, 0]),
        "alternatives": (base[:, 0], base[:, 1]),
        "years": (base[:, 0], draws(np.uint64(stream(1, Decision.GUMBEL, 2022)), COUNT, 1)[:, 0]),
        "seeds": (base[:, 0], draws(np.uint64(stream(2, Decision.GUMBEL, 2021)), COUNT, 1)[:, 0]),
        "decisions": (base[:, 0], draws(np.uint64(stream(1, Decision.NEST, 2021)), COUNT, 1)[:, 0]),
    }
    for name, (a, b) in pairs.items():
        assert abs(np.corrcoef(a, b)[0, 1]) < 4.5 / np.sqrt(len(a)), name
        cells = np.histogram2d(a, b, bins=32, range=[[0, 1], [0, 1]])[0].ravel()
        assert stats.chisquare(cells).pvalue > 0.0001, name


def test_every_bit_flips_every_bit() -> None:
    """Changing one bit of who flips each of the 64 bits of the draw about half the time."""
    key = np.uint64(stream(9, Decision.LOTTERY, 2030))
    trials = 2000
    for bit in range(0, 64, 7):
        flips = np.zeros(64)
        for i in range(trials):
            difference = int(draw(key, np.uint64(i), 0)) ^ int(draw(key, np.uint64(i ^ (1 << bit)), 0))
            flips += [(difference >> k) & 1 for k in range(64)]
        assert np.all(np.abs(flips / trials - 0.5) < 0.07)


def test_children_of_one_mother_differ() -> None:
    """Identities from (parent, year, order) do not collide among a million of them."""
    keys = {
        int(child_key(np.uint64(mother), year, order))
        for mother in range(20_000)
        for year in range(2021, 2046)
        for order in (0, 1)
    }
    assert len(keys) == 20_000 * 25 * 2
