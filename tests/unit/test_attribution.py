"""Shares of an effect among levers, on games whose answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from invented_batch import finished

from migrasim.analysis import attribution
from migrasim.analysis.attribution import exact, of_function, sampled
from migrasim.analysis.finished import Measure
from migrasim.core.errors import InputError
from migrasim.facts import FactBook
from migrasim.present import findings
from migrasim.present.language import LANGS
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


FOUR = ["residence_permit", "three_rights", "public_housing", "industry"]
COALITIONS = {"name": "x", "design": {"kind": "coalitions", "levers": FOUR}, "replications": 3, "seed": 7}


def gains(row: Any) -> float:
    """A number by group, one that two groups bring together, and a little luck that goes with the first."""
    own = {"residence_permit": 0.1, "three_rights": 0.0, "public_housing": 0.02, "industry": 0.3}
    at = {name: row[f"design.{name}"] == "plan" for name in own}
    luck = 0.01 * row["replication"] * at["residence_permit"]
    return sum(own[name] for name in own if at[name]) + 0.2 * (at["public_housing"] and at["industry"]) + luck


def test_a_finished_batch_is_shared_out():
    """Each group gets its own and half of what it brings with another; the pair is found; luck makes the interval."""
    found = attribution.of_batch(finished(COALITIONS, gains), Measure())["central"]
    shares = found.shares.set_index("player")
    assert shares.loc["industry", "share"] == pytest.approx(0.4)
    assert shares.loc["public_housing", "share"] == pytest.approx(0.12)
    assert shares.loc["three_rights", "share"] == pytest.approx(0.0)
    assert shares.loc["residence_permit", "low"] < 0.11 < shares.loc["residence_permit", "high"]
    assert shares["share"].sum() == pytest.approx(found.effect[0])
    pairs = found.interactions.set_index(["first", "second"])["interaction"]
    assert pairs["public_housing", "industry"] == pytest.approx(0.2)
    assert found.seeds == 3


def test_another_year_is_another_question():
    """The year that is asked for is the one that is read."""
    batch = finished(COALITIONS, lambda row: gains(row) * 2)
    found = attribution.of_batch(batch, Measure(year=2034))["central"]
    assert found.shares.set_index("player").loc["industry", "share"] == pytest.approx(0.8)
    with pytest.raises(InputError, match="year: 2050 is not in the batch; allowed: 2034 to 2035"):
        attribution.of_batch(batch, Measure(year=2050))
    with pytest.raises(InputError, match="did you mean 'urbanization_rate'"):
        attribution.of_batch(batch, Measure("urbanisation_rate"))


def test_replications_with_a_failed_run_are_left_out():
    """One coalition of one replication is missing, so that replication does not count, and the paragraph says so."""
    batch = finished(COALITIONS, lambda row: None if row["replication"] == 1 and row["point"] == 5 else gains(row))
    found = attribution.of_batch(batch, Measure())
    assert found["central"].seeds == 2
    assert "1 of 48 runs are missing" in findings.of_attribution(found, batch, Measure(), "en").words


def test_futures_are_shared_out_apart():
    """What a lever does in hard times is not mixed with what it does in the central future."""
    data = {**COALITIONS, "futures": ["central", "hard_times"]}
    batch = finished(data, lambda row: gains(row) * (1 if row["future"] == "central" else 0.5))
    found = attribution.of_batch(batch, Measure())
    assert found["hard_times"].effect[0] == pytest.approx(found["central"].effect[0] / 2)


def test_more_than_ten_players_are_shared_out_along_drawn_orders():
    """Single levers: coalitions along orders are run, and the error of the draw is told."""
    levers = [one.id for one in FactBook.load().levers.values() if one.group in ("public_housing", "three_rights")][:12]
    data = {"design": {"kind": "coalitions", "levers": levers, "orders": 20}, "replications": 2}
    batch = finished(data, lambda row: sum(row[f"design.{name}"] == "plan" for name in levers) ** 0.5)
    found = attribution.of_batch(batch, Measure())["central"]
    assert found.shares["share"].sum() == pytest.approx(12**0.5)
    assert found.shares["order_error"].max() > 0


def test_the_paragraph_names_the_largest_share_first_in_three_languages():
    """Words for a reader: the whole, the shares, who helps whom, and how sure that is."""
    batch = finished(COALITIONS, gains)
    found = attribution.of_batch(batch, Measure())
    words = {lang: findings.of_attribution(found, batch, Measure(), lang).words for lang in LANGS}
    assert "+63.00" in words["en"] and words["en"].index("Industrial chains") < words["en"].index("Public housing")
    assert "Public housing and Industrial chains help each other (+20.00)" in words["en"]
    assert "Not to be told from zero: Three rights" in words["en"]
    assert "互相加強（+20.00）" in words["zh-Hant"] and "互相加强" in words["zh-Hans"]


def test_a_batch_of_another_design_is_refused():
    """A factorial has no coalitions of its own kind, and the message says which design has."""
    data = {"design": {"kind": "factorial", "levers": {"industry": ["status_quo", "plan"]}}}
    with pytest.raises(InputError, match="kind: coalitions is needed"):
        attribution.of_batch(finished(data, lambda row: 1.0), Measure())
