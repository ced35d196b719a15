"""What households chose in two runs that share all luck, and what tipped each that chose otherwise.

Two simulations are stepped side by side. In each wave the households that consider are copied with
what they find (`Notes`); when both have lived a year, those that did something else, or wished for
something else, are weighed in both states (`pair`). Every one of them gets exactly one reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from migrasim.core.codes import Answer
from migrasim.core.rule import record
from migrasim.domains.moving.choice import STAY
from migrasim.domains.moving.considering import months
from migrasim.domains.moving.household import Families, People
from migrasim.domains.moving.rules import MovingParams, Terms
from migrasim.domains.moving.terms import AT, LAND, Places
from migrasim.domains.moving.tipping import INCOME_PARTS, N_TERMS, compositions, weigh
from migrasim.order import Simulation
from migrasim.world import World

Array = np.ndarray[Any, np.dtype[Any]]

NOT_THERE = STAY - 1  # what a household chose in a run that it is not in
OTHER = "other"  # what is left of the change of income: levels of parameters, columns of no part
PARTS = (*INCOME_PARTS, OTHER)
TERMS = Terms._fields
# Reasons beside the terms of utility, in the order in which they are asked.
ONE_RUN, EARLIER, MEMBERS, CONSIDERS, REACH, DWELLING, SCHOOL_PLACE = (
    "one_run_only", "earlier_change", "other_members", "considers", "out_of_reach",
    "refused_dwelling", "refused_school",
)  # fmt: skip
REASONS = (*TERMS, ONE_RUN, EARLIER, MEMBERS, CONSIDERS, REACH, DWELLING, SCHOOL_PLACE)
NO_PART, IN_REFERENCE, IN_OTHER, NEWS = "", "reference", "other_run", "news"
ALL_PARTS = (NO_PART, *PARTS, IN_REFERENCE, IN_OTHER, NEWS)
_REFUSED = {int(Answer.NO_DWELLING): DWELLING, int(Answer.NO_SCHOOL_PLACE): SCHOOL_PLACE}

N_DIMENSIONS = 4  # income, schooling, age, county: see `migrasim.welfare.Groups`

CHANGE = np.dtype(
    [
        ("year", np.int16),
        ("month", np.int8),
        ("key", np.uint64),
        ("group", np.int8, (N_DIMENSIONS,)),  # of the reference, else of the run that it is in
        ("persons", np.int16),
        ("place", np.int16),  # where it lives when it chooses
        ("a", np.int32),  # what it chose in the reference, as a code
        ("b", np.int32),  # and in the other run
        ("carried_out", np.bool_),  # False where only the wishes differ
        ("first", np.bool_),  # whether it did nothing else before
        ("reason", np.uint8),  # number in REASONS
        ("part", np.uint8),  # number in ALL_PARTS
        ("credit", np.float32, (N_TERMS,)),  # share of each term in what spoke for the change; 0 for other reasons
    ]
)


class State(NamedTuple):
    """Households that consider in a wave with all that their choice reads, sorted by key."""

    people: People
    families: Families
    places: Places
    params: MovingParams


@dataclass
class Wave:
    """One wave of one run."""

    state: State
    order: Array  # of the rows that were told
    codes: Array  # (households, ROUNDS)
    answers: Array  # (households, ROUNDS)

    @property
    def outcome(self) -> Array:
        """(households,) code of what happened."""
        granted = self.answers == Answer.GRANTED
        taken = np.take_along_axis(self.codes, granted.argmax(axis=1)[:, None], axis=1)[:, 0]
        return np.asarray(np.where(granted.any(axis=1), taken, STAY))


class Roll(NamedTuple):
    """All households of a run before the waves of a year, sorted by key."""

    key: Array
    place: Array
    away_place: Array
    family: Array  # a number that is the same where the same people live in the same parts
    members: Array
    quiet: Array  # whether it would consider moving without news of measures
    group: Array  # (households, N_DIMENSIONS)


@dataclass
class Notes:
    """What a simulation lets be seen of its choices in the current year; it changes nothing there.

    ``classify`` gives the groups (households, N_DIMENSIONS) of a world; all are in group 0 without it.
    """

    simulation: Simulation
    classify: Callable[[World], Array] | None = None
    roll: Roll | None = None
    waves: list[Wave] = field(default_factory=list)

    @classmethod
    def of(cls, simulation: Simulation, classify: Callable[[World], Array] | None = None) -> Notes:
        """Notes on a simulation, from its next year on."""
        notes = cls(simulation, classify)
        simulation.witness = notes
        return notes

    def choosing(
        self,
        world: World,
        wave: int,
        chosen: Array,
        codes: Array,
        people: People,
        families: Families,
        places: Places,
    ) -> None:
        """Copy what those who consider see, before anything is given out."""
        params = world.inputs.params("moving", MovingParams)
        if wave == 1:
            quiet = months(world, people, families, places, params, with_news=False) > 0
            self.roll, self.waves = _roll(world, quiet, self.classify), []
        order = np.argsort(families.key[chosen])
        frozen = places._replace(at=places.at.copy(), land=places.land.copy(), network=places.network.copy())
        state = State(*_households(chosen[order], people, families), frozen, params)
        self.waves.append(Wave(state, order, codes[order], np.zeros(codes.shape, np.uint8)))

    def matched(self, world: World, answers: Array) -> None:
        """Note what became of the wishes."""
        wave = self.waves[-1]
        wave.answers[:] = answers[wave.order]


def _roll(world: World, quiet: Array, classify: Callable[[World], Array] | None) -> Roll:
    households, persons = world.households, world.persons
    group = np.zeros((len(households), N_DIMENSIONS), np.int8) if classify is None else classify(world)
    family = np.zeros(len(households), np.uint64)
    compositions(persons.key, persons.is_away, persons.household, family)
    order = np.argsort(households.key)
    columns = (households.key, households.place, households.away_place, family, world.members, quiet, group)
    return Roll(*(column[order] for column in columns))


def _households(rows: Array, people: People, families: Families) -> tuple[People, Families]:
    """The columns of some households and their members, these in the order of their keys."""
    members = families.members[rows].astype(np.int64)
    first = np.cumsum(members) - members
    household = np.repeat(np.arange(len(rows)), members)
    member = np.arange(int(members.sum())) - first[household] + families.first_member[rows][household]
    member = member[np.lexsort((people.key[member], household))]
    chosen = Families(*(column[rows] for column in families))
    chosen = chosen._replace(first_member=first.astype(families.first_member.dtype))
    return People(*(column[member] for column in people)), chosen


def pair(reference: Notes, other: Notes, changed_before: Array) -> Array:
    """Everybody whose choice of the year differs between two runs, each with one reason.

    Parameters
    ----------
    reference, other : notes on the same year
    changed_before : keys of the households that did something else in an earlier year

    Returns
    -------
    records of CHANGE, sorted by key
    """
    if reference.roll is None or other.roll is None:
        return np.zeros(0, CHANGE)
    sides = (_Side(reference), _Side(other))
    keys = np.union1d(sides[0].key, sides[1].key)
    a, b = (side.look_up(keys) for side in sides)
    there = a.there & b.there
    done = a.outcome != b.outcome
    wished = ~done & (a.wish != b.wish)
    kept = np.flatnonzero(done | wished)
    keys, a, b, done, there = keys[kept], a.take(kept), b.take(kept), done[kept], there[kept]
    changes = np.zeros(len(keys), CHANGE)
    changes["year"], changes["key"], changes["carried_out"] = reference.simulation.world.year, keys, done
    changes["month"] = 1 + np.where(a.considers, a.wave, b.wave)
    changes["persons"], changes["place"] = np.where(a.there, (a.members, a.place), (b.members, b.place))
    changes["group"] = np.where(a.there[:, None], a.group, b.group)
    for name, one in (("a", a), ("b", b)):
        changes[name] = np.where(one.there, np.where(done, one.outcome, one.wish), NOT_THERE)
    again = np.isin(keys, changed_before)
    changes["first"] = done & ~again
    moved = (a.place != b.place) | (a.away_place != b.away_place)
    otherwise = a.family != b.family
    earlier = moved | (otherwise & again)
    reason = np.full(len(keys), -1)
    part = np.zeros(len(keys), np.int64)
    only_in = np.where(a.considers & ~b.considers, ALL_PARTS.index(IN_REFERENCE), ALL_PARTS.index(IN_OTHER))
    for name, holds in (
        (ONE_RUN, ~there),
        (EARLIER, earlier),
        (MEMBERS, otherwise),
        (CONSIDERS, ~(a.considers & b.considers)),
    ):
        here = (reason < 0) & holds
        reason[here] = REASONS.index(name)
        if name in (ONE_RUN, CONSIDERS):
            part[here] = only_in[here]
        if name == CONSIDERS:
            part[here & (np.where(a.considers, a.quiet, b.quiet) == 0)] = ALL_PARTS.index(NEWS)
    changes["reason"], changes["part"] = np.maximum(reason, 0), part
    open_ = reason < 0
    for wave in np.unique(a.wave[open_]):
        here = np.flatnonzero(open_ & (a.wave == wave))
        _weigh_wave(changes, here, reference.waves[wave], other.waves[wave], a.at[here], b.at[here], sides[0].seed)
    return changes


class _Found(NamedTuple):
    """What one run says of some households; zeros and STAY where it says nothing."""

    there: Array
    considers: Array
    wave: Array  # number from 0; -1 for those who do not consider
    at: Array  # row in the wave
    wish: Array
    outcome: Array
    place: Array
    away_place: Array
    family: Array
    members: Array
    quiet: Array
    group: Array

    def take(self, rows: Array) -> _Found:
        return _Found(*(column[rows] for column in self))


class _Side:
    """One run's year as columns over those who consider, sorted by key."""

    def __init__(self, notes: Notes) -> None:
        assert notes.roll is not None
        self.roll = notes.roll
        self.seed = notes.simulation.world.seed
        waves = notes.waves
        counts = [len(wave.codes) for wave in waves]
        key = np.concatenate([wave.state.families.key for wave in waves])
        order = np.argsort(key)
        self.key = key[order]
        self.wave = np.repeat(np.arange(len(waves)), counts)[order]
        self.at = np.concatenate([np.arange(count) for count in counts])[order]
        self.wish = np.concatenate([wave.codes[:, 0] for wave in waves])[order]
        self.outcome = np.concatenate([wave.outcome for wave in waves])[order]

    def look_up(self, keys: Array) -> _Found:
        seen, considers = _find(self.key, keys)
        known, there = _find(self.roll.key, keys)

        def of_those(column: Array, rows: Array, hold: Array, nothing: int) -> Array:
            if not len(column):
                return np.full((len(keys), *column.shape[1:]), nothing)
            return np.where(hold if column.ndim == 1 else hold[:, None], column[rows], nothing)

        return _Found(
            there,
            considers,
            *(
                of_those(column, seen, considers, nothing)
                for column, nothing in ((self.wave, -1), (self.at, -1), (self.wish, STAY), (self.outcome, STAY))
            ),
            *(
                of_those(column, known, there, 0)
                for column in (
                    self.roll.place,
                    self.roll.away_place,
                    self.roll.family,
                    self.roll.members,
                    self.roll.quiet,
                    self.roll.group,
                )
            ),
        )


def _find(among: Array, keys: Array) -> tuple[Array, Array]:
    """Where keys stand in a sorted column, and whether they do."""
    if not len(among):
        return np.zeros(len(keys), np.int64), np.zeros(len(keys), np.bool_)
    rows = np.minimum(np.searchsorted(among, keys), len(among) - 1)
    return rows, among[rows] == keys


def _weigh_wave(changes: Array, here: Array, wave_a: Wave, wave_b: Wave, at_a: Array, at_b: Array, seed: int) -> None:
    """Give a reason to those who consider in both runs, in the same state: utility, reach or a refusal."""
    year = int(changes["year"][here[0]])
    first, second = _part_of(wave_a.state, at_a), _part_of(wave_b.state, at_b)
    codes = np.stack([changes["a"][here], changes["b"][here]], axis=1).astype(np.int64)
    terms_a, luck, open_a = _terms(codes, first, seed, year)
    terms_b, _, open_b = _terms(codes, second, seed, year)
    gap_a, gap_b = ((each.sum(axis=2) + luck) @ np.array([-1.0, 1.0]) for each in (terms_a, terms_b))
    speaks = (terms_b[:, 1] - terms_b[:, 0]) - (terms_a[:, 1] - terms_a[:, 0])  # for b, by term
    tipping = speaks.argmax(axis=1)
    reason = tipping.copy()
    part = np.zeros(len(here), np.int64)
    income = np.flatnonzero(tipping == TERMS.index("income"))
    if len(income):
        shares = income_parts(codes[income], _part_of(first, income), _part_of(second, income), seed, year)
        part[income] = ALL_PARTS.index(PARTS[0]) + shares.argmax(axis=1)
    reachable = open_a.all(axis=1) & open_b.all(axis=1)
    # asked last to first: what stands first wins
    for wanted, wave, at, code, where in (
        (gap_b < 0.0, wave_b, at_b, codes[:, 0], IN_OTHER),  # a is better in the other run: it was refused there
        (gap_a > 0.0, wave_a, at_a, codes[:, 1], IN_REFERENCE),
    ):
        rows = np.flatnonzero(wanted & reachable & _is_refused(wave.answers[at]).any(axis=1))
        good = _refused_good(wave, at[rows], code[rows])
        reason[rows] = [REASONS.index(_REFUSED[int(each)]) for each in good]
        part[rows] = ALL_PARTS.index(where)
    reason[~reachable] = REASONS.index(REACH)
    in_reference, in_other = ALL_PARTS.index(IN_REFERENCE), ALL_PARTS.index(IN_OTHER)
    part[~reachable] = np.where(open_a.all(axis=1), in_reference, in_other)[~reachable]
    by_utility = reason < N_TERMS
    favour = np.maximum(speaks, 0.0)
    favour /= np.maximum(favour.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    changes["reason"][here], changes["part"][here] = reason, part
    changes["credit"][here] = np.where(by_utility[:, None], favour, 0.0)


def _is_refused(answers: Array) -> Array:
    return np.asarray((answers == Answer.NO_DWELLING) | (answers == Answer.NO_SCHOOL_PLACE))


def _refused_good(wave: Wave, at: Array, code: Array) -> Array:
    """The answer to an alternative that a household wanted and did not get.

    Where it stands beyond the alternatives that were asked for, the first of these decides: all were refused.
    """
    answers, codes = wave.answers[at], wave.codes[at]
    refused = _is_refused(answers)
    this = refused & (codes == code[:, None])
    column = np.where(this.any(axis=1), this.argmax(axis=1), refused.argmax(axis=1))
    return np.asarray(np.take_along_axis(answers, column[:, None], axis=1)[:, 0])


def _part_of(state: State, rows: Array) -> State:
    people, families = _households(rows, state.people, state.families)
    return state._replace(people=people, families=families)


def _terms(codes: Array, state: State, seed: int, year: int) -> tuple[Array, Array, Array]:
    return weigh(codes, state.people, state.families, state.places, seed, year, record(state.params))


def income_parts(codes: Array, a: State, b: State, seed: int, year: int) -> Array:
    """What of the change of the term of income, second alternative over first, comes from which part of income.

    The state of the reference is turned into that of the other run part by part, once in the order
    of PARTS and once backwards; the mean of both is taken. The parts add up to the change.

    Parameters
    ----------
    codes : (households, 2) alternatives
    a, b : the same households in the two runs

    Returns
    -------
    (households, parts) utils
    """
    shares = np.zeros((len(codes), len(PARTS)))
    for order in (PARTS, PARTS[::-1]):
        state, before = a, _income_gap(codes, a, seed, year)
        for name in order:
            state = _turned(state, b, name)
            after = _income_gap(codes, state, seed, year)
            shares[:, PARTS.index(name)] += 0.5 * (after - before)
            before = after
    return shares


def _income_gap(codes: Array, state: State, seed: int, year: int) -> Array:
    income = _terms(codes, state, seed, year)[0][:, :, TERMS.index("income")]
    return np.asarray(income[:, 1] - income[:, 0])


def _turned(state: State, target: State, part: str) -> State:
    """A state in which one part of income stands as in another."""
    places, params = state.places, state.params
    if part == OTHER:
        at, land, families, people = _UNLISTED
        places, params = target.places._replace(at=places.at, land=places.land), target.params
    else:
        at, land, families, people = INCOME_PARTS[part]
    places = places._replace(
        at=_with(places.at, target.places.at, at), land=_with(places.land, target.places.land, land)
    )
    return State(
        state.people._replace(**{name: getattr(target.people, name) for name in people}),
        state.families._replace(**{name: getattr(target.families, name) for name in families}),
        places,
        params,
    )


def _with(records: Array, target: Array, columns: tuple[str, ...]) -> Array:
    if not columns:
        return records
    turned = records.copy()
    for name in columns:
        turned[name] = target[name]
    return turned


def _unlisted(kind: int, names: tuple[str, ...] | None) -> tuple[str, ...]:
    listed = {name for columns in INCOME_PARTS.values() for name in columns[kind]}
    return tuple(name for name in names or () if name not in listed)


# columns of no part of income, which turn last
_UNLISTED = tuple(
    _unlisted(kind, names) for kind, names in enumerate((AT.names, LAND.names, Families._fields, People._fields))
)
