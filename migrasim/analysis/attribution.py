"""How much of an effect each lever brings, without an order of levers: Shapley values.

Levers or groups of levers are players; a coalition is a scenario in which its members stand at the
plan and all others at the status quo. The share of a player is what it adds to a coalition, averaged
over all orders in which players may join; shares add up to the whole effect. Up to ten players it is
exact from all coalitions; above, orders are drawn, and the error of the draw is told beside the luck.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
from pandas import DataFrame

from migrasim.analysis.levers import interval, measured
from migrasim.core.errors import InputError, nearest
from migrasim.facts import FactBook
from migrasim.runs.points import Coalition, along, coalitions, orders
from migrasim.runs.runner import OnDone, yearly
from migrasim.runs.spec import RunSpec

MOST_EXACT = 10
Array = np.ndarray[Any, np.dtype[np.float64]]


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

    def words(self, what: str, unit: str = "", factor: float = 1.0, decimals: int = 2) -> str:
        """The result in a paragraph.

        Parameters
        ----------
        what
            Name of what is shared out.
        unit, factor, decimals
            How its numbers are written.
        """

        def said(value: float) -> str:
            return f"{factor * value:+,.{decimals}f}"

        def ends(low: float, high: float) -> str:
            return f" ({said(low)} to {said(high)})" if low == low else ""

        rows = self.shares.sort_values("share", key=abs, ascending=False, kind="stable").to_dict("records")
        each = ", ".join(f"{row['player']} {said(row['share'])}{ends(row['low'], row['high'])}" for row in rows)
        text = f"Together {said(self.effect[0])}{ends(*self.effect[1:])} {unit} of {what}; of it {each}."
        clear = [row for row in self.interactions.to_dict("records") if row["low"] * row["high"] > 0]
        clear = sorted(clear, key=lambda row: -abs(row["interaction"]))[:3]
        for row in clear:
            verb = "help" if row["interaction"] > 0 else "hinder"
            text += f" {row['first']} and {row['second']} {verb} each other ({said(row['interaction'])})."
        if self.shares["order_error"].max() > 0:
            text += f" Orders were drawn; their standard error is up to {said(self.shares['order_error'].max())[1:]}."
        if self.seeds > 1:
            text += f" Intervals: 90 percent over {self.seeds} seeds."
        return " ".join(text.split())


def exact(values: Mapping[Coalition, Array], players: Sequence[str]) -> Attribution:
    """Shapley values and interactions from the worth of every coalition, by seed.

    Parameters
    ----------
    values
        (seeds,) worth of each coalition of `players`.
    players
        Their names.
    """
    count = len(players)
    weight = [factorial(size) * factorial(count - size - 1) / factorial(count) for size in range(count)]
    rows = []
    for player in players:
        others = coalitions([each for each in players if each != player])
        share = sum((weight[len(c)] * (values[c | {player}] - values[c]) for c in others), np.zeros(1))
        rows.append(_row(player, share, values, players, 0.0))
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
        pair_rows.append((one, other, *interval(both)))
    return _attribution(rows, pair_rows, values, players)


def sampled(values: Mapping[Coalition, Array], drawn: Sequence[tuple[str, ...]]) -> Attribution:
    """Shapley values from the coalitions that drawn orders pass through.

    Parameters
    ----------
    values
        (seeds,) worth of each coalition along the orders, of each player alone and of all but each.
    drawn
        Of `orders`.
    """
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
        rows.append(_row(player, each.mean(axis=0), values, players, error))
    return _attribution(rows, [], values, players)


def _row(
    player: str, share: Array, values: Mapping[Coalition, Array], players: Sequence[str], error: float
) -> tuple[Any, ...]:
    alone = values[frozenset({player})] - values[frozenset()]
    last = values[frozenset(players)] - values[frozenset(players) - {player}]
    return (player, *interval(share), float(alone.mean()), float(last.mean()), error)


def _attribution(
    rows: list[tuple[Any, ...]],
    pairs: list[tuple[Any, ...]],
    values: Mapping[Coalition, Array],
    players: Sequence[str],
) -> Attribution:
    whole = values[frozenset(players)] - values[frozenset()]
    return Attribution(
        DataFrame(rows, columns=["player", "share", "low", "high", "alone", "last", "order_error"]),
        DataFrame(pairs, columns=["first", "second", "interaction", "low", "high"]),
        interval(whole),
        len(whole),
    )


def attribute(
    players: Iterable[str],
    indicator: str = "urbanization_rate",
    *,
    year: int = 2035,
    seeds: Sequence[int] = tuple(range(8)),
    sample: float = 0.1,
    drawn_orders: int = 40,
    workers: int | None = None,
    keep: Path | None = None,
    on_done: OnDone | None = None,
) -> Attribution:
    """Run coalitions of levers or groups and share out the effect of all of them on an indicator.

    Parameters
    ----------
    players : levers or groups of `migrasim levers`
    indicator : name of the indicator, of the whole region; ``cost_yuan`` is public cost summed from 2021 on
    year : year in which it is read
    seeds : of the luck, the same in every coalition
    sample : share of the households
    drawn_orders : number of orders where there are more than ten players
    workers, keep, on_done : as for `migrasim.analysis.band.band`

    Raises
    ------
    InputError : for an unknown player, one named twice, and an indicator that is none
    """
    book = FactBook.load()
    chosen = list(players)
    known = [*book.groups, *book.levers]
    for player in chosen:
        if player not in known:
            raise InputError(f"unknown lever or group '{player}'. {nearest(player, known)}".rstrip())
        group = book.levers[player].group if player in book.levers else player
        if chosen.count(player) > 1 or (player in book.levers and group in chosen):
            raise InputError(f"'{player}' would count twice; name it, or the group it belongs to, once")
    if not chosen or not seeds:
        raise InputError("attribution: at least one player and one seed are needed")

    def worth(wanted: Iterable[Coalition]) -> dict[Coalition, Array]:
        return _worth(list(wanted), indicator, year, seeds, sample, workers, keep, on_done)

    if len(chosen) <= MOST_EXACT:
        return exact(worth(coalitions(chosen)), chosen)
    drawn = orders(chosen, drawn_orders, seeds[0])
    return sampled(worth(along(drawn)), drawn)


def _worth(
    wanted: list[Coalition],
    indicator: str,
    year: int,
    seeds: Sequence[int],
    sample: float,
    workers: int | None,
    keep: Path | None,
    on_done: OnDone | None,
) -> dict[Coalition, Array]:
    specs = [
        RunSpec(
            "status_quo",
            label=" + ".join(sorted(members)) or "nothing",
            seed=seed,
            sample=sample,
            until=year,
            overrides=tuple(f"{player}=plan" for player in sorted(members)),
        )
        for members in wanted
        for seed in seeds
    ]
    frames = yearly(specs, keep, workers=workers, on_done=on_done)
    if indicator not in ("cost_yuan", *frames[0].columns):
        allowed = [str(name) for name in frames[0].columns]
        raise InputError(f"attribution: '{indicator}' is no indicator. {nearest(indicator, allowed)}".rstrip())
    numbers = np.array([measured(frame, indicator, year) for frame in frames]).reshape(len(wanted), len(seeds))
    return dict(zip(wanted, numbers, strict=True))


def of_function(worth: Callable[[Coalition], float], players: Sequence[str]) -> Attribution:
    """Exact attribution of any function of coalitions.

    Examples
    --------
    >>> of_function(lambda c: float("left" in c and "right" in c), ["left", "right"]).shares["share"].tolist()
    [0.5, 0.5]
    """
    return exact({each: np.array([worth(each)]) for each in coalitions(players)}, players)
