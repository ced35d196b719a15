"""Tables of a year beside the indicators: jobs, dwellings, chains, public accounts, groups of households.

Each function gives the columns of one table for the end of the year; `runs/simulate.py` adds the
year and names places and chains.
"""

from __future__ import annotations

import numpy as np

from migrasim.core.codes import N_SECTORS, N_TIERS, Purse, Sector, Tenure
from migrasim.core.rule import blocks_of, rows_of, threaded_kernel
from migrasim.welfare import Groups, tally
from migrasim.world import World

Columns = dict[str, np.ndarray]

_COUNTED = tuple(t for t in Tenure if t not in (Tenure.NONE, Tenure.DORMITORY))
AGE_STEP, _OLDEST = 5, 85
_OWN = "own."  # measures of what households bear themselves, by lever


def jobs(world: World) -> Columns:
    """Jobs, workers, vacancies and pay by place and kind of job; farming takes all hands and has no places.

    Returns
    -------
    ``place`` and ``kind`` numbers (kinds from N_SECTORS on are chains), ``jobs``, ``filled``, ``vacancies`` at full
    scale, ``wage_yuan_yr`` of a local worker of schooling and skill factor 1
    """
    inside = world.geography.inside
    kinds = np.array([k for k in range(world.jobs.shape[1]) if k not in (Sector.NONE, Sector.AGRICULTURE)])
    place, kind = (each.ravel() for each in np.meshgrid(np.arange(inside), kinds, indexing="ij"))
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
    place, tenure = (each.ravel() for each in np.meshgrid(urban, [int(t) for t in _COUNTED], indexing="ij"))
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
    counties = world.geography.counties
    rows = [
        (item, payer, payee, c, float(yuan[c]), False)
        for (item, payer, payee), yuan in sorted(world.ledger.items())
        for c in range(counties)
        if yuan[c]
    ]
    for name in sorted(world.measures):
        if name.startswith(_OWN):
            own = world.measures[name]
            rows += [
                (name.removeprefix(_OWN), int(Purse.HOUSEHOLD), int(Purse.ENTERPRISE), c, float(own[c]), True)
                for c in range(counties)
                if own[c]
            ]
    item, payer, payee, county, yuan, consumed = zip(*rows, strict=True) if rows else ((),) * 6
    return {
        "county": np.array(county, np.int64),
        "item": np.array(item, object),
        "payer": np.array(payer, np.int64),
        "payee": np.array(payee, np.int64),
        "yuan": np.array(yuan, np.float64),
        "in_consumption": np.array(consumed, np.bool_),
    }


def ages(world: World) -> Columns:
    """Residents of each place by sex and age, in the groups of five years of the census (85 and more in the last)."""
    persons, households, inside = world.persons, world.households, world.geography.inside
    counts = np.zeros((blocks_of(len(persons)), inside, 2, _OLDEST // AGE_STEP + 1), np.int64)
    _count_ages(
        len(persons),
        persons.household,
        persons.is_away,
        households.place,
        households.away_place,
        persons.birth_year,
        persons.sex,
        world.year,
        counts,
    )
    place, sex, step = (each.ravel() for each in np.indices(counts.shape[1:]))
    return {
        "place": place,
        "sex": sex,
        "age": AGE_STEP * step,
        "persons": counts.sum(axis=0).ravel() * world.weight,
    }


@threaded_kernel
def _count_ages(block, household, is_away, place, away_place, birth_year, sex, year, counts):
    """Count in ``counts`` (blocks, places inside, sexes, groups of ages) who lives where."""
    count = counts[block[2]]
    for i in rows_of(block):
        here = away_place[household[i]] if is_away[i] else place[household[i]]
        if here < count.shape[0]:
            count[here, sex[i], min(year - birth_year[i], _OLDEST) // AGE_STEP] += 1


def homes(world: World) -> Columns:
    """Persons by the county of their registered address and the county where they live; the last one is outside.

    ``other_place_persons`` of them live in another tier (village, town, seat) than their address or in another county.
    """
    households, counties = world.households, world.geography.counties
    counts = np.zeros((blocks_of(len(households)), counties + 1, counties + 1, 2), np.int64)
    _count_homes(
        len(households),
        world.first_member,
        world.members,
        world.persons.is_away,
        households.home_place,
        households.place,
        households.away_place,
        counts,
    )
    start, end = (each.ravel() for each in np.indices((counties + 1, counties + 1)))
    persons, elsewhere = counts.sum(axis=0).reshape(-1, 2).T
    return {
        "origin_county": start,
        "county": end,
        "persons": persons * world.weight,
        "other_place_persons": elsewhere * world.weight,
    }


@threaded_kernel
def _count_homes(block, first, members, is_away, home_place, place, away_place, counts):
    """Count in ``counts`` (blocks, counties of home, of living, 2) persons, and those not at their address."""
    count, outside = counts[block[2]], counts.shape[1] - 1
    for h in rows_of(block):
        away = 0
        for i in range(first[h], first[h] + (members[h] if away_place[h] >= 0 else 0)):
            away += is_away[i] != 0
        home = home_place[h]
        origin = min(home // N_TIERS, outside)
        for here, persons in ((place[h], members[h] - away), (away_place[h], away)):
            if persons > 0:
                county = min(here // N_TIERS, outside)
                count[origin, county, 0] += persons
                if here != home:
                    count[origin, county, 1] += persons


def groups(world: World, welfare: np.ndarray, of: Groups) -> Columns:
    """Households, persons and their welfare by income, schooling, age and county.

    Returns
    -------
    ``dimension`` and ``group`` numbers in the order of ``of.names``, ``households``, ``persons``, those of them in
    towns and seats, outside, and moved within the year, all at full scale, and mean ``welfare_yuan_yr`` a household
    """
    counts, yuan = tally(world, welfare, of)
    dimension = np.repeat(np.arange(len(of.names)), [len(names) for names in of.names.values()])
    group = np.concatenate([np.arange(len(names)) for names in of.names.values()])
    found = counts[dimension, group]
    with np.errstate(divide="ignore", invalid="ignore"):
        welfare = np.where(found[:, 0] > 0, yuan[dimension, group] / found[:, 0], np.nan)
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
