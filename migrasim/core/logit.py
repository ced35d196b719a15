"""Nested logit by frozen errors.

The error of alternative j in nest n is ``e = lambda * (G + ln S)`` with G standard Gumbel keyed
by the alternative and S positive stable with index lambda keyed by the nest, drawn before any
utility is known. Then ``argmax(V + e)`` has exactly the probabilities of the nested logit with
dissimilarity lambda (S has the Laplace transform exp(-t**lambda)), and raising V of one
alternative can move choosers only to it.
"""

from __future__ import annotations

import math

import numpy as np

from migrasim.core.chance import draw, unit
from migrasim.core.rule import rule


@rule
def gumbel(bits):
    """Standard Gumbel of 64 random bits."""
    return -math.log(-math.log(unit(np.uint64(bits))))  # called from Python, bits may be a plain integer


@rule
def log_positive_stable(bits_angle, bits_exponential, index):
    """ln S of a positive stable S with ``index`` in (0, 1] (Chambers, Mallows and Stuck 1976).

    Parameters
    ----------
    bits_angle, bits_exponential : two independent words of random bits
    index : the index of stability, here the dissimilarity of a nest; 1 gives S = 1
    """
    if index >= 1.0:
        return 0.0
    angle = math.pi * unit(np.uint64(bits_angle))
    exponential = -math.log(unit(np.uint64(bits_exponential)))
    return (
        math.log(math.sin(index * angle))
        - math.log(math.sin(angle)) / index
        + (1.0 - index) / index * (math.log(math.sin((1.0 - index) * angle)) - math.log(exponential))
    )


@rule
def nest_error(key, who, nest, dissimilarity):
    """``lambda * ln S`` of a nest for one chooser."""
    return dissimilarity * log_positive_stable(draw(key, who, 2 * nest), draw(key, who, 2 * nest + 1), dissimilarity)


@rule
def alternative_error(key, who, alternative, dissimilarity):
    """``lambda * G`` of an alternative for one chooser."""
    return dissimilarity * gumbel(draw(key, who, alternative))


def nested_probabilities(utilities: np.ndarray, nests: np.ndarray, dissimilarity: np.ndarray) -> np.ndarray:
    """Probabilities of the nested logit in closed form, to test the draws against.

    Parameters
    ----------
    utilities : (alternatives,) systematic utilities V
    nests : (alternatives,) number of the nest of each alternative
    dissimilarity : (nests,) lambda of each nest
    """
    scaled = utilities / dissimilarity[nests]
    shift = scaled.max()
    inclusive = np.array([np.exp(scaled[nests == n] - shift).sum() for n in range(len(dissimilarity))])
    log_nest = np.where(
        inclusive > 0, dissimilarity * (np.log(np.where(inclusive > 0, inclusive, 1.0)) + shift), -np.inf
    )
    nest_share = np.exp(log_nest - log_nest.max())
    nest_share /= nest_share.sum()
    within = np.exp(scaled - shift) / inclusive[nests]
    return np.asarray(within * nest_share[nests])
