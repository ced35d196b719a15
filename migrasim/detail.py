"""Tables of a year beside the indicators: jobs, dwellings, chains, public accounts, groups of households.

Each function gives the columns of one table for the end of the year; `runs/simulate.py` adds the
year and names places and chains.
"""

from __future__ import annotations

import functools

import numpy as np

from migrasim.core.codes import N_SECTORS, N_TIERS, Purse, Sector, Tenure
from migrasim.survey import OLDEST, Survey
from migrasim.welfare import Groups, tally
from migrasim.world import World

Columns = dict[str, np.ndarray]

_COUNTED = np.array([t for t in Tenure if t not in (Tenure.NONE, Tenure.DORMITORY)])
AGE_STEP = 5
_OWN = "own."  # measures of what households bear themselves, by lever


@functools.lru_cache(maxsize=16)
def _numbers(*shape: int) -> tuple[np.ndarray, ...]:
    """(cells,) number of each cell of an array along each of its dimensions."""
    numbers = tuple(each.ravel() for each in np.indices(shape))
    for each in numbers:
        each.setflags(write=False)
    return numbers


def jobs(world: World) -> Columns:
    """Jobs, workers, vacancies and pay by place and kind of job; farming takes all hands and has no places.

    Returns
    -------
    ``place`` and ``kind`` numbers (kinds from N_SECTORS on are chains), ``jobs``, ``filled``, ``vacancies`` at full
    scale, ``wage_yuan_yr`` of a local worker of schooling and skill factor 1
    """
    inside = world.geography.inside
    first = max(Sector.NONE, Sector.AGRICULTURE) + 1
    place, kind = _numbers(inside, world.jobs.shape[1] - first)
    kind = kind + first
    filled = world.filled[place, kind] * world.weight
    there = world.jobs[place, kind]
    return {
        "place": place,
        "kind": kind,
        "jobs": there,
        "filled": filled,
        "vacancies": np.maximum(0.0, there - filled),
        "wage_yuan_yr": world.memory["wage_yuan_yr"][place, kind],
    }


def dwellings(world: World) -> Columns:
    """Dwellings of towns and seats by tenure: those that stand, those lived in, who waits, the market rent."""
    urban = np.flatnonzero(world.geography.urban)
    place, tenure = (of[k] for of, k in zip((urban, _COUNTED), _numbers(len(urban), len(_COUNTED)), strict=True))
    waiting = world.measures.get("waiting_public", np.zeros(world.geography.places))
    stock, occupied = world.stock[place, tenure], world.occupied[place, tenure] * world.weight
    with np.errstate(divide="ignore", invalid="ignore"):
        occupancy = np.where(stock > 0, occupied / stock, np.nan)
    rent = world.place.rent_yuan_yr[place] / 12.0
    return {
        "place": place,
        "tenure": tenure,
        "dwellings": stock,
        "occupied": occupied,
        "occupancy_share": occupancy,
        "waiting_households": np.where(tenure == Tenure.PUBLIC_RENT, waiting[place] * world.weight, 0.0),
        "rent_yuan_mo": np.where(tenure == Tenure.MARKET_RENT, rent, np.nan),
    }


def chains(world: World) -> Columns:
    """Jobs, workers and full-chain output of every industrial chain."""
    inside = world.geography.inside
    nothing = np.full(world.jobs.shape[1] - N_SECTORS, np.nan)
    return {
        "chain": np.arange(len(nothing)),
        "jobs": world.jobs[:inside, N_SECTORS:].sum(axis=0),
        "filled": world.filled[:inside, N_SECTORS:].sum(axis=0) * world.weight,
        "output_yuan": world.measures.get("chain_output_yuan", nothing),
    }


def costs(world: World) -> Columns:
    """Every payment of the public accounts of the year by county, and what households bear themselves.

    ``item`` is a lever, or an account such as ``budget.revenue``; ``in_consumption`` marks the households' own
    parts of costs, which their consumption contains and no account pays a second time.
    """
    own = sorted(name for name in world.measures if name.startswith(_OWN))
    entries = [(*entry, False) for entry in sorted(world.ledger)] + [
        (name.removeprefix(_OWN), int(Purse.HOUSEHOLD), int(Purse.ENTERPRISE), True) for name in own
    ]
    yuan = np.array(
        [world.ledger[item, payer, payee] for item, payer, payee, consumed in entries if not consumed]
        + [world.measures[name] for name in own],
        np.float64,
    ).reshape(len(entries), world.geography.counties)
    entry, county = np.nonzero(yuan)
    item, payer, payee, consumed = zip(*entries, strict=True) if entries else ((),) * 4
    return {
        "county": county,
        "item": np.array(item, object)[entry],
        "payer": np.array(payer, np.int64)[entry],
        "payee": np.array(payee, np.int64)[entry],
        "yuan": yuan[entry, county],
        "in_consumption": np.array(consumed, np.bool_)[entry],
    }


def ages(world: World, survey: Survey) -> Columns:
    """Residents of each place by sex and age, in the groups of five years of the census (85 and more in the last)."""
    counts = survey.ages[: world.geography.inside]
    counts = np.add.reduceat(counts, np.arange(0, OLDEST + 1, AGE_STEP), axis=2)
    place, sex, step = _numbers(*counts.shape)
    return {"place": place, "sex": sex, "age": AGE_STEP * step, "persons": counts.ravel() * world.weight}


def homes(world: World, survey: Survey) -> Columns:
    """Persons by the county of their registered address and the county where they live; the last one is outside.

    ``other_place_persons`` of them live in another tier (village, town, seat) than their address or in another county.
    """
    lives = survey.people.sum(axis=(0, 1))
    elsewhere = lives.copy()
    np.fill_diagonal(elsewhere, 0)
    counties = np.arange(0, len(lives), N_TIERS)  # first place of each, and of what is outside
    persons, others = (
        np.add.reduceat(np.add.reduceat(each, counties, axis=0), counties, axis=1) for each in (lives, elsewhere)
    )
    start, end = _numbers(*persons.shape)
    return {
        "origin_county": start,
        "county": end,
        "persons": persons.ravel() * world.weight,
        "other_place_persons": others.ravel() * world.weight,
    }


def groups(world: World, survey: Survey, welfare: np.ndarray, of: Groups) -> Columns:
    """Households, persons and their welfare by income, schooling, age and county.

    Returns
    -------
    ``dimension`` and ``group`` numbers in the order of ``of.names``, ``households``, ``persons``, those of them in
    towns and seats, outside, and moved within the year, all at full scale, and mean ``welfare_yuan_yr`` a household,
    but for students who live by themselves
    """
    found = tally(world, survey, welfare, of)
    dimension = np.repeat(np.arange(len(of.names)), [len(names) for names in of.names.values()])
    group = np.concatenate([np.arange(len(names)) for names in of.names.values()])
    with np.errstate(divide="ignore", invalid="ignore"):
        welfare = np.where(found[:, 6] > 0, found[:, 5] / found[:, 6], np.nan)
    return {
        "dimension": dimension,
        "group": group,
        "households": found[:, 0] * world.weight,
        "persons": found[:, 1] * world.weight,
        "urban_persons": found[:, 2] * world.weight,
        "absent_persons": found[:, 3] * world.weight,
        "moved_persons": found[:, 4] * world.weight,
        "welfare_yuan_yr": welfare,
    }
