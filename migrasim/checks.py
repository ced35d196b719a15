"""Laws that must hold at the end of every year; a breach is a defect of the program and stops the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from migrasim.core.codes import N_PURSES, N_TIERS, Activity, Purse, Tier
from migrasim.core.errors import LawBroken as LawBroken
from migrasim.core.rule import APART, blocks_of, rows_of, threaded_kernel
from migrasim.domains.services.phase import CHILD_AGE, SCHOOL_AGE
from migrasim.survey import MOST_MEMBERS
from migrasim.world import World


@dataclass(frozen=True)
class Before:
    """What the year began with."""

    residents: np.ndarray
    land_mu: float
    money_yuan: int


def before(world: World) -> Before:
    """Take stock at the beginning of a year."""
    return Before(world.residents(), _land(world), _money(world))


def _land(world: World) -> float:
    return float(world.households.land_mu.sum(dtype=np.float64) + world.village_pool_mu.sum(dtype=np.float64))


def _money(world: World) -> int:
    """Savings of households and what left them with the dead and the departed."""
    return int(world.households.savings_yuan.sum()) + int(world.estates_yuan.sum())


def run(world: World, start: Before) -> None:
    """Check people, dwellings, jobs, school places, networks, land and money of a year.

    Raises
    ------
    LawBroken : names the law, the place and the numbers
    """
    flows = world.flows
    moved = flows.moves.sum(axis=2)
    net = moved.sum(axis=0) - moved.sum(axis=1)
    seats = flows.reclassified
    villages = np.zeros_like(seats)
    tier = np.arange(world.geography.inside) % N_TIERS
    villages[: world.geography.inside][tier == Tier.VILLAGE] = seats[: world.geography.inside][tier == Tier.SEAT]
    expected = (
        start.residents + flows.births - flows.deaths + flows.arrivals - flows.departures + net + seats - villages
    )
    expected += flows.relocated
    if (most := int(world.members.max(initial=0))) > MOST_MEMBERS:
        raise LawBroken(f"{world.year}: no household is larger than what is counted: {most} members")
    network, filled = world.people_and_jobs()
    _same(world, "people are conserved in every place", expected, network.sum(axis=0))
    _same(world, "networks are those of the columns", world.network, network)
    occupied = world.count_occupied()
    _same(world, "dwellings lived in are those of the columns", world.occupied, occupied)
    _least(world, "no more dwellings are lived in than stand", world.dwellings - occupied)
    _same(world, "jobs taken are those of the columns", world.filled, filled)
    land = _land(world)
    if abs(land - start.land_mu) > 1e-6 * max(1.0, start.land_mu):
        raise LawBroken(f"{world.year}: land is conserved: {start.land_mu:.3f} mu became {land:.3f}")
    savings = world.households.savings_yuan
    if len(savings) and int(savings.min()) < 0:
        raise LawBroken(f"{world.year}: savings are never negative: {int(savings.min())} yuan")
    balance = np.zeros(N_PURSES, np.int64)
    entered = np.array(list(world.ledger.values()), np.int64).sum(axis=1) if world.ledger else ()
    for (_, payer, payee), yuan in zip(world.ledger, entered, strict=True):
        balance[payer] -= yuan
        balance[payee] += yuan
    if balance.sum() != 0:
        raise LawBroken(f"{world.year}: every payment has two sides: {balance.tolist()}")
    saved = (_money(world) - start.money_yuan) * world.weight
    rounding = sum(yuan.size for yuan in world.ledger.values())  # each cell is brought to whole yuan
    if abs(saved - balance[Purse.HOUSEHOLD]) > rounding:
        paid = int(balance[Purse.HOUSEHOLD])
        raise LawBroken(f"{world.year}: savings change by what is paid: {saved:.0f} yuan, but {paid} in the accounts")


def after_waves(world: World) -> None:
    """Check what moves count on from wave to wave, inside; strangers who live outside again have left since.

    Raises
    ------
    LawBroken : as `run` does
    """
    inside, persons, households = world.geography.inside, world.persons, world.households
    counts = np.zeros((blocks_of(len(persons)), 2, world.geography.places + APART), np.int64)
    _count_seekers_and_pupils(
        len(persons),
        persons.household,
        persons.is_away,
        households.place,
        households.away_place,
        persons.activity,
        persons.birth_year,
        world.year,
        counts,
    )
    for name, counted in zip(("seekers", "pupils"), counts.sum(axis=0), strict=True):
        law = f"{name} counted on in the waves are those of the columns"
        _same(world, law, world.measures[name][:inside], counted[:inside])


@threaded_kernel
def _count_seekers_and_pupils(
    block: Any,
    household: np.ndarray,
    is_away: np.ndarray,
    place: np.ndarray,
    away_place: np.ndarray,
    activity: np.ndarray,
    birth_year: np.ndarray,
    year: int,
    counts_of: np.ndarray,
) -> None:
    """Count in ``counts_of`` (blocks, 2, places) what `market.seekers` and `services.pupils` count, in one pass."""
    counts = counts_of[block[2]]
    for i in rows_of(block):
        seeks, age = activity[i] == Activity.SEEKING, year - birth_year[i]
        learns = (age >= SCHOOL_AGE) & (age < CHILD_AGE)
        if seeks | learns:
            h = household[i]
            here = away_place[h] if is_away[i] else place[h]
            counts[0, here] += seeks
            counts[1, here] += learns


def _same(world: World, law: str, expected: np.ndarray, found: np.ndarray) -> None:
    if not np.array_equal(expected, found):
        wrong = np.argwhere(expected != found)
        at = tuple(wrong[0])
        raise LawBroken(
            f"{world.year}: {law}: at {at} {expected[at]} expected, {found[at]} found ({len(wrong)} places)"
        )


def _least(world: World, law: str, slack: np.ndarray) -> None:
    wrong = np.argwhere(slack < 0)
    if len(wrong):
        at = tuple(wrong[0])
        raise LawBroken(f"{world.year}: {law}: at {at} short by {-slack[at]} ({len(wrong)} places)")
