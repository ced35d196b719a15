"""Shares of an effect among levers, on games whose answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from migrasim.analysis import attribution
from migrasim.analysis.attribution import exact, of_function, sampled
from migrasim.core.errors import InputError
from migrasim.runs.points import Coalition, coalitions, orders


def gloves(members: Coalition) -> float:
    """A left glove is worth something with a right one; there are one left and two right ones."""
    return float("left" in members and len(members) > 1)


def test_the_glove_game_is_shared_out_as_its_answer_says():
    """Whoever has the scarce glove gets two thirds, the others a sixth each."""
    found = of_function(gloves, ["left", "right 1", "right 2"])
    assert found.shares["share"].tolist() == pytest.approx([2 / 3, 1 / 6, 1 / 6])
    assert found.shares["share"].sum() == pytest.approx(found.effect[0])
    assert found.shares["alone"].tolist() == [0.0, 0.0, 0.0]
    assert found.shares["last"].tolist() == [1.0, 0.0, 0.0]
    pairs = found.interactions.set_index(["first", "second"])["interaction"]
    assert pairs["left", "right 1"] == pytest.approx(0.5)  # a complement: worth 1 alone, 0 beside the other right glove
    assert pairs["right 1", "right 2"] == pytest.approx(-0.5)  # each other's substitutes


def test_players_that_do_not_touch_each_other_get_what_they_do_alone():
    """Where worths add up there is nothing to share, and no interaction."""
    worth = {"a": 1.0, "b": 2.0, "c": -4.0, "d": 0.0}
    found = of_function(lambda members: sum(worth[each] for each in members), list(worth))
    assert dict(zip(found.shares["player"], found.shares["share"], strict=True)) == pytest.approx(worth)
    assert np.abs(found.interactions["interaction"]).max() < 1e-12


def test_seeds_give_the_interval():
    """What differs between seeds is the interval; what does not has none."""
    players = ["a", "b"]
    luck = np.array([-0.1, 0.0, 0.1])
    values = {each: len(each) + luck * ("a" in each) for each in coalitions(players)}
    found = exact(values, players).shares.set_index("player")
    assert found.loc["b", "low"] == pytest.approx(1.0) and found.loc["b", "high"] == pytest.approx(1.0)
    assert found.loc["a", "low"] < 0.9 and found.loc["a", "high"] > 1.1


def test_drawn_orders_come_near_the_exact_shares():
    """Within three standard errors of the draw, for twelve players of whom some wait for others."""
    players = [f"p{k:02}" for k in range(12)]

    def worth(members: Coalition) -> float:
        return len(members) ** 0.5 + 2.0 * ({"p00", "p01"} <= members) - 1.0 * ("p05" in members)

    drawn = orders(players, 200, 3)
    ends = [frozenset({one}) for one in players] + [frozenset(players) - {one} for one in players]
    passed = {frozenset(order[:size]) for order in drawn for size in range(13)} | set(ends)
    found = sampled({each: np.array([worth(each)]) for each in passed}, drawn).shares.set_index("player")
    plain = 12**0.5 / 12
    true = dict.fromkeys(players, plain) | {"p00": plain + 1, "p01": plain + 1, "p05": plain - 1}
    for player, share in true.items():
        assert abs(found.loc[player, "share"] - share) <= 3 * found.loc[player, "order_error"] + 1e-9
    assert found["share"].sum() == pytest.approx(worth(frozenset(players)))


def test_the_paragraph_names_the_largest_share_first():
    """Words for a reader: the whole, the shares, who helps whom, and how sure that is."""
    values = {each: gloves(each) + np.array([0.0, 0.001]) * len(each) for each in coalitions(["left", "right"])}
    text = exact(values, ["left", "right"]).words("the rate", "points", factor=100)
    assert text.startswith("Together +100.10")
    assert "left and right help each other (+100.00)" in text and "90 percent over 2 seeds" in text


@pytest.mark.parametrize(
    ("players", "message"),
    [
        (["industri"], "did you mean 'industry'"),
        (["industry", "industry"], "count twice"),
        (["industry", "industry.red_cattle.jobs"], "count twice"),
        ([], "at least one player"),
    ],
)
def test_players_that_cannot_be_are_refused(players: list[str], message: str):
    """An unknown or double player would give shares of nothing."""
    with pytest.raises(InputError, match=message):
        attribution.attribute(players)


def test_coalitions_of_groups_are_scenarios(monkeypatch):
    """Members stand at the plan, all others at the status quo, and every coalition is run with every seed."""
    asked: list[Any] = []

    def yearly(specs: list[Any], *_: object, **__: object) -> list[Any]:
        """Invented worths: the number of groups at the plan."""
        from pandas import DataFrame

        asked.extend(specs)
        return [DataFrame({"urbanization_rate": float(len(one.overrides))}, index=[2035]) for one in specs]

    monkeypatch.setattr(attribution, "yearly", yearly)
    found = attribution.attribute(["industry", "public_housing", "three_rights"], seeds=(0, 1))
    assert len(asked) == 16 and len({one.overrides for one in asked}) == 8
    assert asked[-1].overrides == ("industry=plan", "public_housing=plan", "three_rights=plan")
    assert found.shares["share"].tolist() == pytest.approx([1.0, 1.0, 1.0])
    asked[-1].inputs()
