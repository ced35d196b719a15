"""Twelve monthly waves: who considers chooses on a frozen state, is matched or refused, moves.

In each wave all who consider choose in parallel. Then, for up to three rounds, dwellings are
given out in the order of a keyed lottery and school places by class of claim and the same lottery,
in integers; who fails one good releases the other and takes the next best. Dwellings and places
given up in a wave are free in the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from migrasim.core.codes import (
    Purse,
)
from migrasim.core.columns import Runs
from migrasim.core.columns import gather as gather_columns
from migrasim.core.rule import empty, kernel, record
from migrasim.domains.moving import choice
from migrasim.domains.moving.choice import ROUNDS, STAY
from migrasim.domains.moving.considering import MONTHS, by_month, months
from migrasim.domains.moving.household import (
    Families,
    People,
    gather,
)
from migrasim.domains.moving.matching import MutableFamilies, MutablePeople, Room, goods_of, match
from migrasim.domains.moving.offers import renew, views
from migrasim.domains.moving.rules import MovingParams
from migrasim.domains.moving.terms import (
    Places,
)
from migrasim.world import World

_OF_PERSONS = ("earning_factor", "income_yuan")  # columns of `migrasim.world.Livelihood`
_OF_HOUSEHOLDS = ("farm_full_yuan", "farmers_needed", "other_income_yuan", "dividend_yuan")


class Witness(Protocol):
    """Who is told what households choose and what becomes of it, wave by wave; it changes nothing."""

    def choosing(
        self,
        world: World,
        wave: int,
        chosen: np.ndarray,
        codes: np.ndarray,
        people: People,
        families: Families,
        places: Places,
    ) -> None:
        """Called on the frozen state of the wave: rows who consider, and their best alternatives (rows, ROUNDS)."""

    def matched(self, world: World, answers: np.ndarray) -> None:
        """Called when the wave is carried out, with the `Answer` to each alternative (rows, ROUNDS)."""


def run(
    world: World,
    updates: Sequence[Callable[[], None]],
    on_wave: Callable[[int], None] | None = None,
    witness: Witness | None = None,
) -> None:
    """Run the waves of a year.

    Parameters
    ----------
    updates : bring vacancies, rents and crowding up to date between waves
    on_wave : called with the number of the wave, for progress
    witness : told of every choice and what became of it
    """
    p = world.inputs.params("moving", MovingParams)
    geography, year = world.geography, world.year
    people, families, places = views(world)
    month = months(world, people, families, places, p)
    bundle = record(p)
    rows, slot, considering, ends, considered = by_month(month, world.households.place, geography.places)
    world.measures["considered"] = considered
    # Nobody but a household itself changes what stands in its records, and it considers once a year.
    homes, crew = gather(rows, people, families, places, year, bundle, slot)
    persons, households = world.persons, world.households
    people_out = MutablePeople(persons.is_away, persons.since_year, persons.activity, persons.sector, persons.chain)
    out = MutableFamilies(
        households.place,
        households.away_place,
        households.since_year,
        households.away_since_year,
        households.tenure,
        households.away_tenure,
        households.permit,
        households.waiting_yr,
        households.savings_yuan,
    )
    before = world.network.copy()
    goods = goods_of(world)
    all_codes, all_values = np.empty((len(rows), ROUNDS), np.int64), np.empty((len(rows), ROUNDS))
    all_answers = np.zeros((len(rows), ROUNDS), np.uint8)
    bound = choice.bounds(places.at, bundle, places.core)
    room, matching_room = choice.Room.of(geography.places), Room.of(len(rows))
    for wave in range(1, MONTHS + 1):
        first, end = int(ends[wave - 1]), int(ends[wave])
        these = slice(first, end)
        chosen, wave_homes = considering[these], homes[these]
        codes, values, answers = all_codes[these], all_values[these], all_answers[these]
        if wave > 1:
            renew(world, p, places.at)
            choice.fill_best(places.at, bundle, bound.best)
        choice.choose_gathered(wave_homes, crew, places, world.seed, year, bundle, codes, values, bound, room)
        if witness is not None:
            witness.choosing(world, wave, chosen, codes, people, families, places)
        match(
            wave_homes,
            crew,
            codes,
            year,
            wave,
            world.seed,
            geography.inside,
            people_out,
            out,
            goods,
            matching_room.part(first, end),
            answers,
            bundle,
        )
        if witness is not None:
            witness.matched(world, answers)
        for update in updates:
            update()
        if on_wave is not None:
            on_wave(wave)
    world.measures["refused"] = goods.refused
    world.memory["refused_dwelling"] = goods.refused[:, 0].astype(np.float64)
    world.pay("household.down_payment", Purse.HOUSEHOLD, Purse.ENTERPRISE, goods.paid_yuan * world.weight)
    world.memory["peer_moves_share"] = peer_moves(before, world.network)


@kernel
def peer_moves(before, now):
    """(communities,) share of the registered people of each who moved, by networks (communities, places)."""
    share = empty(now.shape[0], np.float64)
    for community in range(now.shape[0]):
        moved, registered = 0, 0
        for d in range(now.shape[1]):
            moved += abs(now[community, d] - before[community, d])
            registered += now[community, d]
        share[community] = moved / 2.0 / max(1, registered)
    return share


def first_choices(world: World, with_values: bool = False) -> tuple[np.ndarray, ...]:
    """What all who consider this year would choose on the state of its beginning.

    Returns
    -------
    (n,) rows of households, (n, ROUNDS) codes best first, and with_values (n, ROUNDS) utilities
    """
    p = world.inputs.params("moving", MovingParams)
    people, families, places = views(world)
    chosen = np.flatnonzero(months(world, people, families, places, p))
    codes = np.full((len(chosen), ROUNDS), STAY, np.int64)
    values = np.zeros((len(chosen), ROUNDS))
    choice.choose(chosen, people, families, places, world.seed, world.year, record(p), codes, values)
    return (chosen, codes, values) if with_values else (chosen, codes)


def drop_departed(world: World) -> None:
    """People registered outside who live outside again leave the world."""
    households, persons, inside = world.households, world.persons, world.geography.inside
    outside = np.flatnonzero(households.place >= inside)
    gone = outside[(households.home_place[outside] >= inside) & (households.away_place[outside] < 0)]
    if not len(gone):
        return
    savings_yuan = _take_out(
        gone,
        households.community,
        households.place,
        households.tenure,
        households.savings_yuan,
        world.members,
        world.network,
        world.flows.departures,
        world.occupied,
    )
    if len(world.estates_yuan):
        world.estates_yuan[-1] += savings_yuan  # they take their savings along
    people, homes = (
        Runs.without(world.first_member[gone], world.members[gone], len(persons)),
        Runs.without(gone, 1, len(households)),
    )
    live = vars(world.livelihood)
    gather_columns(people, live, _OF_PERSONS)
    gather_columns(homes, live, _OF_HOUSEHOLDS)
    gather_columns(homes, vars(world), ["members"])
    households.take(homes)
    world.take_persons(people, world.members)


@kernel
def _take_out(gone, community, place, tenure, savings_yuan, members, network, departures, occupied):
    """Take households that leave the world out of the counts; what they have saved together."""
    saved = np.int64(0)
    for h in gone:
        network[community[h], place[h]] -= members[h]
        departures[place[h]] += members[h]
        occupied[place[h], tenure[h]] -= 1
        saved += savings_yuan[h]
    return saved
