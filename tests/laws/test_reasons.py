"""Why households chose otherwise in another run: everyone has one reason, and the reason is the one that acted."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from worlds import tiny_inputs, tiny_world

from migrasim.core.codes import Answer, Form
from migrasim.core.rule import record
from migrasim.domains.moving import choice
from migrasim.order import Simulation
from migrasim.runs import choices
from migrasim.runs.choices import NOT_THERE, PARTS, REASONS, TERMS, Notes, pair

CHAIN_SECTORS = [2, 3, 1, 1, 3, 3, 3, 8, 14]
OPEN = {"residence_permit.public_housing": 1.0, "residence_permit.one_pass": 1.0}
YEARS = 3


def begin(levers: dict[str, Any], parameters: dict[str, float] | None = None) -> Simulation:
    inputs = tiny_inputs(levers=levers, parameters=parameters)
    return Simulation.start(tiny_world(4000, inputs=inputs, seed=5), CHAIN_SECTORS)


class Pair:
    """Two simulations side by side, with the changes of every year."""

    def __init__(self, a: Simulation, b: Simulation, years: int = YEARS) -> None:
        self.notes = [Notes.of(a), Notes.of(b)]
        self.changes, self.flows, self.outcomes = [], [], []
        before = np.zeros(0, np.uint64)
        for _ in range(years):
            a.step()
            b.step()
            found = pair(*self.notes, before)
            before = np.union1d(before, found["key"][found["carried_out"]])
            self.changes.append(found)
            self.flows.append(b.world.flows.household_moves.sum(axis=0) - a.world.flows.household_moves.sum(axis=0))
            self.outcomes.append([done_by_key(notes) for notes in self.notes])

    @property
    def all(self) -> np.ndarray:
        """The changes of all years."""
        return np.concatenate(self.changes)


def done_by_key(notes: Notes) -> dict[int, int]:
    """What every household that moved did, by key."""
    done = {}
    for wave in notes.waves:
        for key, codes, answers in zip(wave.state.families.key, wave.codes, wave.answers, strict=True):
            for code, answer in zip(codes, answers, strict=True):
                if answer == Answer.GRANTED:
                    done[int(key)] = int(code)
    return done


@lru_cache(maxsize=1)
def relief() -> Pair:
    """More rent relief and nothing else, of which nobody hears; not to be changed."""
    subsidy, quiet = "public_housing.rent_subsidy", {"moving.consider_news_factor": 0.0}
    return Pair(begin({**OPEN, subsidy: 0}, quiet), begin({**OPEN, subsidy: 600}, quiet))


@lru_cache(maxsize=1)
def mixed() -> Pair:
    """Several levers at once, with scarce dwellings and school places; not to be changed."""
    b = begin({**OPEN, "public_housing.rent_subsidy": 600, "rural.public_services": 0.9, "transport.intercounty": 0.3})
    return Pair(begin({}), b)


def reasons(changes: np.ndarray) -> set[str]:
    return {REASONS[each] for each in changes["reason"]}


def test_two_equal_runs_give_no_row() -> None:
    """With the same levers and the same luck nobody chooses otherwise, in any year."""
    assert [len(each) for each in Pair(begin(OPEN), begin(OPEN)).changes] == [0] * YEARS


def test_to_be_noted_changes_nothing() -> None:
    """A simulation that is watched does what it does unwatched, to the last bit."""
    watched, alone = begin(OPEN), begin(OPEN)
    Notes.of(watched)
    for simulation in (watched, alone):
        simulation.step()
    for name in alone.world.households.names:
        assert np.array_equal(getattr(watched.world.households, name), getattr(alone.world.households, name)), name


def test_relief_of_rent_tips_by_relief() -> None:
    """Where only relief of rent differs it tips the first who choose otherwise, and nearly all of the first year."""
    first = relief().changes[0]
    assert len(first) > 20
    is_relief = (first["reason"] == REASONS.index("income")) & (first["part"] == choices.ALL_PARTS.index("relief"))
    assert is_relief[first["month"] == first["month"].min()].all()
    assert is_relief.mean() > 0.9  # the others follow newcomers of earlier months: networks, rents, chances of work
    assert "distance" not in reasons(relief().all) and "school" not in reasons(first)


def test_every_change_has_one_reason_and_they_add_up() -> None:
    """By destination and form the changes are the difference between the two runs' moves, year by year."""
    for both in (relief(), mixed()):
        for changes, flows, (a, b) in zip(both.changes, both.flows, both.outcomes, strict=True):
            done = changes[changes["carried_out"]]
            assert len(np.unique(changes["key"])) == len(changes)
            assert {int(each) for each in done["key"]} == {key for key in a | b if a.get(key) != b.get(key)}
            net = np.zeros_like(flows)
            for name, sign in (("a", -1), ("b", 1)):
                moved = done[name][done[name] >= 0]
                np.add.at(net, (moved // choice.FORM_STRIDE, moved % choice.FORM_STRIDE), sign)
            assert np.array_equal(net, flows)


def test_many_kinds_of_reason_are_found() -> None:
    """Several levers at once: roads tip by distance, schools by school, and later years follow earlier changes."""
    found = reasons(mixed().all)
    assert {"income", "distance", "school", choices.EARLIER, choices.CONSIDERS, choices.ONE_RUN} <= found
    assert choices.EARLIER not in reasons(mixed().changes[0])


def test_news_of_measures_are_told_from_other_reasons_to_consider() -> None:
    """Who considers moving only because it heard of a measure is counted as such, and nobody where news are silent."""
    heard = choices.ALL_PARTS.index(choices.NEWS)
    first = mixed().changes[0]
    considers = first[first["reason"] == REASONS.index(choices.CONSIDERS)]
    assert len(considers) > 0 and (considers["part"] == heard).all()  # no peer has moved differently yet
    assert not (relief().all["part"] == heard).any()


def test_shares_of_terms_add_up_to_the_households() -> None:
    """Who was tipped by a term of utility is shared out among the terms that spoke for the change; nobody else is."""
    changes = mixed().all
    by_utility = changes["reason"] < len(TERMS)
    assert changes["credit"].sum(axis=1) == pytest.approx(by_utility.astype(float), abs=1e-5)
    tipping = changes["credit"][by_utility, changes["reason"][by_utility]]
    assert np.all(tipping == changes["credit"][by_utility].max(axis=1))


def test_what_is_weighed_is_what_was_chosen_by() -> None:
    """The utilities behind the reasons are those by which the households chose, and so are the best alternatives."""
    for notes in mixed().notes:
        world = notes.simulation.world
        for wave in notes.waves[:3]:
            state, count = wave.state, len(wave.codes)
            codes, values = np.full(wave.codes.shape, choice.STAY), np.zeros(wave.codes.shape)
            choice.choose(
                np.arange(count), state.people, state.families, state.places, world.seed, world.year,
                record(state.params), codes, values,
            )  # fmt: skip
            assert np.array_equal(codes, wave.codes)
            terms, luck, open_ = choices._terms(codes[:, :1], state, world.seed, world.year)
            assert terms.sum(axis=2) + luck == pytest.approx(values[:, :1], abs=1e-9)
            assert open_.all()


def test_parts_of_income_add_up_to_its_change() -> None:
    """Wage, chance of work, rent, relief, land and the others sum to the change of the term of income."""
    both = mixed()
    a, b = both.notes
    seed, year = a.simulation.world.seed, a.simulation.world.year
    seen = 0
    for mine, theirs in zip(a.waves, b.waves, strict=True):
        keys = np.intersect1d(mine.state.families.key, theirs.state.families.key)
        at = [np.flatnonzero(np.isin(wave.state.families.key, keys)) for wave in (mine, theirs)]
        rolls = [notes.roll.family[np.searchsorted(notes.roll.key, keys)] for notes in both.notes]
        same = mine.state.families.place[at[0]] == theirs.state.families.place[at[1]]
        same &= (mine.state.families.away_place[at[0]] == theirs.state.families.away_place[at[1]]) & (
            rolls[0] == rolls[1]
        )
        states = [choices._part_of(wave.state, rows[same]) for wave, rows in zip((mine, theirs), at, strict=True)]
        far = mine.state.places.distance.shape[0] - 1
        codes = np.array([[choice.STAY, far * choice.FORM_STRIDE + Form.WHOLE]] * int(same.sum()))
        parts = choices.income_parts(codes, *states, seed, year)
        change = choices._income_gap(codes, states[1], seed, year) - choices._income_gap(codes, states[0], seed, year)
        assert parts.sum(axis=1) == pytest.approx(change, abs=1e-9)
        assert np.abs(parts[:, PARTS.index(choices.OTHER)]).max(initial=0.0) < 1e-9  # nothing that has no name
        seen += int((change != 0).sum())
    assert seen > 50


def test_the_other_way_round_the_same_terms_tip() -> None:
    """With the runs exchanged the same households change, from what was to, by the same terms and parts."""
    levers = {**OPEN, "public_housing.rent_subsidy": 600}
    there = Pair(begin({}), begin(levers), years=2).all
    back = Pair(begin(levers), begin({}), years=2).all
    assert np.array_equal(there["key"], back["key"])
    assert np.array_equal(there["a"], back["b"]) and np.array_equal(there["b"], back["a"])
    by_utility = there["reason"] < len(TERMS)
    assert np.array_equal(there["reason"][by_utility], back["reason"][by_utility])
    assert np.array_equal(there["part"][by_utility], back["part"][by_utility])


def test_refusals_are_told_from_wishes() -> None:
    """With no dwelling to be had in one run, who moves only in the other was refused one, whatever it would like."""
    a, b = begin(OPEN), begin(OPEN)
    a.checking = False  # more dwellings are lived in than stand
    a.world.stock[a.world.geography.urban] = 0.0
    changes = Pair(a, b, years=1).changes[0]
    refused = changes[changes["reason"] == REASONS.index(choices.DWELLING)]
    assert len(refused) > 10
    in_town = (refused["b"] >= 0) & a.world.geography.urban[refused["b"] // choice.FORM_STRIDE]
    assert in_town.all()
    assert {choices.ALL_PARTS[each] for each in refused["part"]} == {choices.IN_REFERENCE}
    assert not (changes["a"] == NOT_THERE).any()
