"""Shares of a whole that shift when one part weighs more."""

from __future__ import annotations

from migrasim.core.rule import rule


@rule
def tilted_share(share: float, gain: float, rest_gain: float) -> float:
    """Share of a part after its weight has changed by one factor and that of the rest by another.

    ``s g / (s g + (1 - s) r)``; the share itself where both factors are equal or nothing is left.

    Examples
    --------
    >>> round(tilted_share(0.5, 1.5, 0.5), 6), tilted_share(0.6, 1.0, 1.0)
    (0.75, 0.6)
    """
    weight = share * gain + (1.0 - share) * rest_gain
    if gain == rest_gain or weight <= 0.0:
        return share
    return share * gain / weight
