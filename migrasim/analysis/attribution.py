"""How much of an effect each lever brings, without an order of levers: Shapley values.

Levers or groups of levers are players; a coalition is a scenario in which its members stand at the
plan and all others at the status quo. The share of a player is what it adds to a coalition, averaged
over all orders in which players may join; shares add up to the whole effect. Up to ten players it is
exact from all coalitions; above, orders are drawn, and the error of the draw is told beside the luck.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
from pandas import DataFrame

from migrasim.analysis.finished import BLOCK, Finished, Measure
from migrasim.analysis.intervals import Labels, interval
from migrasim.core.errors import InputError
from migrasim.runs.points import Coalition, coalitions

Array = np.ndarray[Any, np.dtype[np.float64]]
_Draws = tuple[Labels | None, Labels | None]


@dataclass(frozen=True)
class Attribution:
    """An effect shared out among players.

    Attributes
    ----------
    shares
        ``player, share, low, high, alone, last, order_error``: mean over seeds with its interval at 90 percent; what
        the player does alone and as the last to join; standard error of drawn orders (0 where exact).
    interactions
        ``first, second, interaction, low, high``: Shapley interaction of each pair; above 0 they help each other. Empty
        where orders were drawn.
    effect
        ``difference, low, high`` of the whole: all players against none.
    seeds
        Number of seeds.
    """

    shares: DataFrame
    interactions: DataFrame
    effect: tuple[float, float, float]
    seeds: int


def exact(
    values: Mapping[Coalition, Array],
    players: Sequence[str],
    vectors: Labels | None = None,
    lucks: Labels | None = None,
) -> Attribution:
    """Shapley values and interactions from the worth of every coalition, by seed.

    Parameters
    ----------
    values
        (seeds,) worth of each coalition of `players`.
    players
        Their names.
    vectors, lucks
        Parameter vector and luck of each seed; where not given each has a luck of its own.
    """
    draws = (vectors, lucks)
    count = len(players)
    weight = [factorial(size) * factorial(count - size - 1) / factorial(count) for size in range(count)]
    rows = []
    for player in players:
        others = coalitions([each for each in players if each != player])
        share = sum((weight[len(c)] * (values[c | {player}] - values[c]) for c in others), np.zeros(1))
        rows.append(_row(player, share, values, players, 0.0, draws))
    pair_rows = []
    for one, other in combinations(players, 2):
        rest = coalitions([each for each in players if each not in (one, other)])
        both = sum(
            (
                factorial(len(c))
                * factorial(count - len(c) - 2)
                / factorial(count - 1)
                * (values[c | {one, other}] - values[c | {one}] - values[c | {other}] + values[c])
                for c in rest
            ),
            np.zeros(1),
        )
        pair_rows.append((one, other, *interval(both, *draws)))
    return _attribution(rows, pair_rows, values, players, draws)


def sampled(
    values: Mapping[Coalition, Array],
    drawn: Sequence[tuple[str, ...]],
    vectors: Labels | None = None,
    lucks: Labels | None = None,
) -> Attribution:
    """Shapley values from the coalitions that drawn orders pass through.

    Parameters
    ----------
    values
        (seeds,) worth of each coalition along the orders, of each player alone and of all but each.
    drawn
        Of `orders`.
    vectors, lucks
        As for `exact`.
    """
    draws = (vectors, lucks)
    players = sorted(drawn[0])
    gains: dict[str, list[Array]] = {player: [] for player in players}
    for order in drawn:
        before: Coalition = frozenset()
        for player in order:
            gains[player].append(values[before | {player}] - values[before])
            before |= {player}
    rows = []
    for player in players:
        each = np.array(gains[player])
        pairs = each.mean(axis=1).reshape(-1, 2).mean(axis=1)  # an order and its reverse are not independent
        error = float(pairs.std(ddof=1) / np.sqrt(len(pairs))) if len(pairs) > 1 else np.nan
        rows.append(_row(player, each.mean(axis=0), values, players, error, draws))
    return _attribution(rows, [], values, players, draws)


def _row(
    player: str, share: Array, values: Mapping[Coalition, Array], players: Sequence[str], error: float, draws: _Draws
) -> tuple[Any, ...]:
    alone = values[frozenset({player})] - values[frozenset()]
    last = values[frozenset(players)] - values[frozenset(players) - {player}]
    return (player, *interval(share, *draws), float(alone.mean()), float(last.mean()), error)


def _attribution(
    rows: list[tuple[Any, ...]],
    pairs: list[tuple[Any, ...]],
    values: Mapping[Coalition, Array],
    players: Sequence[str],
    draws: _Draws,
) -> Attribution:
    whole = values[frozenset(players)] - values[frozenset()]
    return Attribution(
        DataFrame(rows, columns=["player", "share", "low", "high", "alone", "last", "order_error"]),
        DataFrame(pairs, columns=["first", "second", "interaction", "low", "high"]),
        interval(whole, *draws),
        len(whole),
    )


def of_batch(batch: Finished, measure: Measure) -> dict[str, Attribution]:
    """Share out the effect of a finished batch of coalitions, one attribution a future.

    Seeds and parameter vectors make the interval.

    Raises
    ------
    InputError
        Where the design of the batch is not one of coalitions, or no replication is whole.
    """
    design = batch.about.design
    if design is None or design.kind != "coalitions":
        raise InputError(
            "attribution: a batch whose design has kind: coalitions is needed (experiments/attribution.yaml); "
            f"this one has {design.kind if design else 'named scenarios'}"
        )
    values = batch.values(measure)
    rows = batch.design.assign(value=values)[batch.design["point"] >= batch.named]
    found, points = {}, batch.points()
    for future, part in rows.groupby("future", sort=False):
        wide = part.pivot(index=list(BLOCK[1:]), columns="point", values="value").dropna()
        if wide.empty:
            raise InputError(
                f"attribution: no replication of future {future} has all its coalitions; run the batch again"
            )
        worth = {
            frozenset(name for name, level in levels.items() if level != "status_quo"): wide[point].to_numpy()
            for point, levels in points.items()
        }
        draws = [wide.index.get_level_values(name).to_numpy() for name in BLOCK[1:]]
        exactly = not design.orders
        found[str(future)] = exact(worth, design.names, *draws) if exactly else sampled(worth, design.orders, *draws)
    return found


def of_function(worth: Callable[[Coalition], float], players: Sequence[str]) -> Attribution:
    """Exact attribution of any function of coalitions.

    Examples
    --------
    >>> of_function(lambda c: float("left" in c and "right" in c), ["left", "right"]).shares["share"].tolist()
    [0.5, 0.5]
    """
    return exact({each: np.array([worth(each)]) for each in coalitions(players)}, players)
