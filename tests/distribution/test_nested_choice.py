"""Frozen errors give exactly the nested logit, and raising one alternative moves choosers only to it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from scipy import stats

from migrasim.core.chance import Decision, mix, stream
from migrasim.core.logit import alternative_error, log_positive_stable, nest_error, nested_probabilities
from migrasim.core.rule import kernel

NESTS = np.array([0, 1, 1, 1, 2, 2])
UTILITY = np.array([1.0, 0.3, 0.5, -0.2, 0.4, 0.9])
SCALE = np.array([1.0, 0.5, 0.3])
CHOOSERS = 1_000_000


@kernel
def choose_all(count, utility, nests, dissimilarity, seed):
    gumbel_key, nest_key = stream(seed, Decision.GUMBEL, 2021), stream(seed, Decision.NEST, 2021)
    chosen = np.zeros(count, np.int64)
    for i in range(count):
        who = mix(np.uint64(i))
        best = -np.inf
        for j in range(utility.shape[0]):
            nest = nests[j]
            value = utility[j] + nest_error(nest_key, who, nest, dissimilarity[nest])
            value += alternative_error(gumbel_key, who, j, dissimilarity[nest])
            if value > best:
                best, chosen[i] = value, j
    return chosen


@pytest.mark.parametrize("dissimilarity", [(1.0, 0.6, 0.6), (1.0, 0.3, 0.9), (1.0, 1.0, 1.0)])
def test_shares_are_those_of_the_nested_logit(dissimilarity: tuple[float, ...]) -> None:
    """A million choosers split as the closed form says (chi-square, p > 0.001 at a fixed seed)."""
    scale = np.array(dissimilarity)
    counts = np.bincount(choose_all(CHOOSERS, UTILITY, NESTS, scale, 7), minlength=6)
    expected = nested_probabilities(UTILITY, NESTS, scale) * CHOOSERS
    assert stats.chisquare(counts, expected).pvalue > 0.001


@lru_cache(maxsize=1)
def chosen_before() -> np.ndarray:
    """What a million choose before anything is raised."""
    return np.asarray(choose_all(CHOOSERS, UTILITY, NESTS, SCALE, 11))


@pytest.mark.parametrize("better", range(6))
def test_no_stray_switches(better: int) -> None:
    """Of a million choosers, raising one alternative moves some to it and nobody elsewhere."""
    raised = UTILITY.copy()
    raised[better] += 0.4
    before, after = chosen_before(), choose_all(CHOOSERS, raised, NESTS, SCALE, 11)
    changed = before != after
    assert changed.any()
    assert np.count_nonzero(changed & (after != better)) == 0


@pytest.mark.parametrize("index", [0.3, 0.6, 0.9])
def test_stable_variates_have_the_laplace_transform(index: float) -> None:
    """The mean of exp(-t S) is exp(-t**index) within four standard errors."""
    bits = np.random.default_rng(5).integers(0, 2**64, size=(2, 200_000), dtype=np.uint64)
    stable = np.exp([log_positive_stable(a, b, index) for a, b in bits.T])
    for t in (0.5, 1.0, 2.0):
        values = np.exp(-t * stable)
        assert abs(values.mean() - np.exp(-(t**index))) < 4 * values.std() / np.sqrt(values.size)
