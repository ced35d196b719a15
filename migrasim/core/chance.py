"""Keyed luck: every draw is a function of (seed, decision, year, who, alternative).

No generator is stored and nothing is consumed, so a draw does not depend on threads, chunks or
the order of rows, and two scenarios with one seed share all their luck. *Frozen* draws are keyed
without the wave; *persistent* ones without the year (give ``year=0``).

The mixing is the 64-bit finalizer of MurmurHash3 in Stafford's variant 13, applied once a word
(Stafford 2011, "Better bit mixing"; Steele, Lea and Flood 2014, SplitMix). All words are uint64:
numba would turn a mixture of int64 and uint64 into floating point, and NumPy would complain where a
word runs over: so these functions are compiled for Python, too.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from migrasim.core.rule import kernel

_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_S30, _S27, _S31, _S12 = (np.uint64(n) for n in (30, 27, 31, 12))
_UNIT = 1.0 / (1 << 52)  # 53 bits and a half would round up to 1
_HALF = 0.5


class Decision(IntEnum):
    """What is drawn; one number for each, so that no two decisions share luck."""

    SAMPLE = 1
    CONSIDER = 2
    MONTH = 3
    GUMBEL = 4
    NEST = 5
    TASTE = 6
    LOTTERY = 7
    DEATH = 10
    BIRTH = 11
    SEX = 12
    MARRY = 13
    MATCH = 14
    LEAVE_HOME = 15
    SCHOOL = 16
    NEWBORN = 17
    NEW_HOUSEHOLD = 18
    ARRIVAL = 19
    JOB = 20
    JOB_LOSS = 21
    TRAIN = 22
    RETURN = 23
    STUDY = 24
    PERMIT = 30
    TRANSFER = 31
    EXIT_LAND = 32
    KEEP_RIGHT = 33
    LEND_FREE = 34
    DORMITORY = 40
    DWELLING = 41
    QUEUE = 42
    BUY = 43
    RELOCATION = 50
    RELOCATE = 51
    ROUND = 52
    SYNTHESIS = 60


@kernel
def mix(word):
    """Finalizer of one 64-bit word: every bit of the input moves every bit of the output."""
    word = np.uint64(word)
    word = (word ^ (word >> _S30)) * _M1
    word = (word ^ (word >> _S27)) * _M2
    return word ^ (word >> _S31)


@kernel
def stream(seed, decision, year):
    """Key of one decision in one year; fold in who and which alternative with ``draw``."""
    word = mix(np.uint64(seed) + _GOLDEN)
    word = mix(word ^ (np.uint64(decision) * _GOLDEN))
    return mix(word + np.uint64(year) * _GOLDEN)


@kernel
def chooser(key, who):
    """The word of one chooser of a stream, from which each alternative takes its bits by ``pick``."""
    return mix(np.uint64(key) ^ np.uint64(who))


@kernel
def pick(word, alternative):
    """64 random bits for one alternative of a chooser."""
    return mix(word + (np.uint64(alternative) + np.uint64(1)) * _GOLDEN)


@kernel
def draw(key, who, alternative):
    """64 random bits for one chooser and one alternative of a stream."""
    return pick(chooser(key, who), np.uint64(alternative))  # else compiled anew for every number that a caller writes


@kernel
def unit(bits):
    """A number in the open interval (0, 1) of 64 random bits; never 0, never 1."""
    return (np.float64(np.uint64(bits) >> _S12) + _HALF) * _UNIT


@kernel
def evenly(start, number):
    """64 bits of the ``number``-th point of a sequence that fills (0, 1) evenly from its first points on.

    The start plus ``number`` times the golden ratio, modulo 1 (Weyl's sequence): for counts that are to be
    shared out or rounded, where luck would only add noise. ``unit`` makes numbers of them.
    """
    return np.uint64(start) + np.uint64(number) * _GOLDEN


@kernel
def uniform(key, who, alternative):
    """A uniform draw in (0, 1)."""
    return unit(draw(key, who, np.uint64(alternative)))


@kernel
def child_key(parent, year, order):
    """Identity of a newborn or a new household: from its parent, never from a counter."""
    return mix(mix(np.uint64(parent) + np.uint64(year) * _GOLDEN) ^ ((np.uint64(order) + np.uint64(1)) * _M1))
