"""Industrial chains: their jobs by place, farmers who take places in villages, and what the chains turn out."""

from __future__ import annotations

import numpy as np

from migrasim.core.chance import Decision, draw, stream
from migrasim.core.codes import N_SECTORS, N_TIERS, Activity, Sector, Tier
from migrasim.core.lottery import lowest
from migrasim.core.rule import kernel
from migrasim.core.share import tilted_share
from migrasim.domains.labour import rules
from migrasim.domains.labour.rules import LabourParams
from migrasim.world import World


def names(world: World) -> list[str]:
    """Lever names of the chains, in the order of the region."""
    return [name for name in world.levers if name.startswith("industry.") and name.endswith(".jobs")]


def jobs(world: World) -> tuple[np.ndarray, np.ndarray]:
    """(places, chains) jobs of the chains and those over the base year, at full scale."""
    geography = world.geography
    base = world.memory["jobs_base"][:, N_SECTORS:]
    new = np.zeros_like(base)
    parks = world.levers["industry.park_concentration"]
    seat_gain, town_gain = world.memory["seat_gain"], world.memory["town_gain"]
    for k, name in enumerate(names(world)):
        more = world.levers[name]
        for c in range(geography.counties):
            if more[c] >= 0:
                in_parks = tilted_share(float(parks[c]), float(seat_gain[c]), float(town_gain[c]))
                new[N_TIERS * c + Tier.SEAT, k] = more[c] * in_parks
                new[N_TIERS * c + Tier.TOWN, k] = more[c] * (1.0 - in_parks)
            else:  # a chain that sheds labour does so where its jobs are
                here = base[N_TIERS * c : N_TIERS * c + N_TIERS, k]
                if here.sum() > 0:
                    new[N_TIERS * c : N_TIERS * c + N_TIERS, k] = np.maximum(more[c], -here.sum()) * here / here.sum()
    return base + new, new


def fill_workshops(world: World, openings: np.ndarray) -> None:
    """Farmers of working age take the ``openings`` (places,) of new workshops in their villages, by keyed luck."""
    if (openings > 0).any():
        _take(world, _farmers(world, np.asarray(openings > 0)), openings, Sector.MANUFACTURING, 4)


def fill_farming(world: World, capacity: np.ndarray) -> None:
    """Farmers take the free places of farming chains in their villages, chain by chain, and go on farming.

    Without this a chain would shrink with the farmers who die or leave, and nobody would follow.
    """
    villages = np.arange(len(capacity)) % N_TIERS == Tier.VILLAGE
    villages[world.geography.inside :] = False
    farming = [k for k, sector in enumerate(world.memory["chain_sector"]) if sector == Sector.AGRICULTURE]
    free = np.where(villages[:, None], (capacity - world.filled)[:, N_SECTORS:], 0)
    with_room = np.asarray((free[:, farming] > 0).any(axis=1))
    if not with_room.any():
        return
    farmers = _farmers(world, with_room)
    for k in farming:  # places of one chain are filled from other jobs than those of another
        if (free[:, k] > 0).any():
            _take(world, farmers, free[:, k].copy(), N_SECTORS + k, 5 + k)


def _farmers(world: World, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of farmers of working age who live in ``places`` (places,), and where each lives."""
    persons, households = world.persons, world.households
    who, at = farmers_in(
        persons.household,
        persons.is_away,
        persons.birth_year,
        households.place,
        households.away_place,
        persons.activity,
        places,
        world.year,
    )
    return who, at


@kernel
def farmers_in(household, is_away, birth_year, place, away_place, activity, places, year):
    """Rows of farmers below the age of retiring who live in ``places`` (places,) bool, and the place of each."""
    who, at = np.empty(household.shape[0], np.int32), np.empty(household.shape[0], np.int64)
    count = 0
    for i in range(household.shape[0]):
        if activity[i] == Activity.FARMER and year - birth_year[i] < rules.RETIRING_AGE:
            h = household[i]
            here = away_place[h] if is_away[i] else place[h]
            if places[here]:
                who[count], at[count] = i, here
                count += 1
    return who[:count].copy(), at[:count].copy()


def _take(
    world: World, farmers: tuple[np.ndarray, np.ndarray], openings: np.ndarray, kind: int, draw_number: int
) -> None:
    persons = world.persons
    take_places(
        *farmers,
        persons.key,
        persons.activity,
        persons.sector,
        persons.chain,
        openings,
        int(kind),
        world.filled,
        np.uint64(stream(world.seed, int(Decision.JOB), world.year)),
        draw_number,
    )


@kernel
def take_places(
    farmers,
    at,
    key,
    activity,
    sector,
    chain,
    openings,
    kind,
    filled,
    stream_key,
    draw_number,
):
    """Give ``openings`` (places,) of a kind of job to the ``farmers`` who live ``at`` them, by a keyed lottery.

    Who takes a job of a sector is a worker from now on; who takes a place in a farming chain stays a farmer.
    """
    who, cell = np.empty(farmers.shape[0], np.int32), np.empty(farmers.shape[0], np.int64)
    count = 0
    for n in range(farmers.shape[0]):
        free = kind < N_SECTORS or chain[farmers[n]] == 0  # nobody changes from one farming chain to another
        if free and openings[at[n]] > 0:
            who[count], cell[count] = farmers[n], at[n]
            count += 1
    luck = np.empty(count, np.uint64)
    for n in range(count):
        luck[n] = draw(stream_key, key[who[n]], draw_number)
    for n in np.flatnonzero(lowest(cell[:count], luck, openings)):
        i, here = who[n], cell[n]
        openings[here] -= 1
        if sector[i] > 0:
            filled[here, sector[i] if chain[i] == 0 else N_SECTORS - 1 + chain[i]] -= 1
        filled[here, kind] += 1
        if kind < N_SECTORS:
            activity[i] = Activity.WORKER
            sector[i] = kind
            chain[i] = 0
        else:
            sector[i] = Sector.AGRICULTURE
            chain[i] = kind - N_SECTORS + 1


def output_yuan(world: World, p: LabourParams) -> np.ndarray:
    """(chains,) full-chain output of the year in yuan of 2020, from who works in each chain."""
    workers = world.filled[: world.geography.inside, N_SECTORS:].sum(axis=0) * world.weight
    growth = float(world.memory["growth_index"][0])
    return np.array(
        [
            rules.chain_output(float(each), float(per_job), growth)
            for each, per_job in zip(workers, p.chain_output_yuan_yr_job[1:], strict=True)
        ]
    )
