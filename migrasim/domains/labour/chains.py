"""Industrial chains: their jobs by place, farmers who take places in villages, and what the chains turn out."""

from __future__ import annotations

import numpy as np

from migrasim.core.chance import Decision, chooser, pick, stream
from migrasim.core.codes import N_SECTORS, N_TIERS, Activity, Sector, Tier
from migrasim.core.lottery import lowest
from migrasim.core.rule import blocks_of, empty, kernel, rows_of, rule, threaded_kernel
from migrasim.core.share import tilted_share
from migrasim.domains.labour import rules
from migrasim.domains.labour.market import people_found
from migrasim.domains.labour.rules import LabourParams
from migrasim.world import World

_BITS = 8  # first ones of a lot, by which nearly all are told who come too late
_BEHIND = np.uint64(64 - _BITS)


def names(world: World) -> list[str]:
    """Lever names of the chains, in the order of the region."""
    return [name for name in world.levers if name.startswith("industry.") and name.endswith(".jobs")]


def jobs(world: World) -> tuple[np.ndarray, np.ndarray]:
    """(places, chains) jobs of the chains and those over the base year, at full scale."""
    base = world.memory["jobs_base"][:, N_SECTORS:]
    new = np.zeros_like(base)
    fill_new_jobs(
        base,
        np.array([world.levers[name] for name in names(world)]),
        world.levers["industry.park_concentration"],
        world.memory["seat_gain"],
        world.memory["town_gain"],
        new,
    )
    return base + new, new


@kernel
def fill_new_jobs(base, more, parks, seat_gain, town_gain, new):
    """Fill ``new`` jobs over the ``base`` (places, chains) with what levers add: ``more`` (chains, counties)."""
    for k in range(more.shape[0]):
        for c in range(more.shape[1]):
            first = N_TIERS * c
            if more[k, c] >= 0:
                in_parks = tilted_share(parks[c], seat_gain[c], town_gain[c])
                new[first + Tier.SEAT, k] = more[k, c] * in_parks
                new[first + Tier.TOWN, k] = more[k, c] * (1.0 - in_parks)
                continue
            here = 0.0  # a chain that sheds labour does so where its jobs are
            for d in range(first, first + N_TIERS):
                here += base[d, k]
            if here > 0:
                for d in range(first, first + N_TIERS):
                    new[d, k] = max(more[k, c], -here) * base[d, k] / here


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
    farming = np.flatnonzero(world.memory["chain_sector"] == int(Sector.AGRICULTURE)).tolist()
    free = np.where(villages[:, None], (capacity - world.filled)[:, N_SECTORS:], 0)
    with_room = np.asarray((free[:, farming] > 0).any(axis=1))
    if not with_room.any():
        return
    farmers = _farmers(world, with_room)
    for k in farming:  # places of one chain are filled from other jobs than those of another
        if (free[:, k] > 0).any():
            _take(world, farmers, free[:, k].copy(), N_SECTORS + k, 5 + k)


def _farmers(world: World, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of farmers of working age who live in ``places`` (places,), where each lives, and the word of its luck."""
    persons, households = world.persons, world.households
    who, at = people_found(
        farmers_in,
        len(persons),
        persons.household,
        persons.is_away,
        persons.birth_year,
        households.place,
        households.away_place,
        persons.activity,
        places,
        world.year,
    )
    words = np.empty(len(who), np.uint64)
    fill_words(len(who), who, persons.key, np.uint64(stream(world.seed, int(Decision.JOB), world.year)), words)
    return who, at, words


@threaded_kernel
def fill_words(block, who, key, stream_key, words):
    """Fill ``words`` of the choosers in rows ``who``, from which every chain draws: keys lie far apart in memory."""
    for n in rows_of(block):
        words[n] = chooser(stream_key, key[who[n]])


@threaded_kernel
def farmers_in(block, who, at, ends, household, is_away, birth_year, place, away_place, activity, places, year):
    """List (see `people_found`) farmers below the age of retiring who live in ``places`` (places,) bool."""
    farmers = block[0]
    for i in rows_of(block):  # without branches: the few of many
        who[np.uint64(farmers)] = i
        farmers += (activity[i] == Activity.FARMER) & (year - birth_year[i] < rules.RETIRING_AGE)
    count = block[0]
    for k in range(block[0], farmers):
        i = np.uint32(who[k])
        h = np.uint32(household[i])
        home, away = place[h], away_place[h]
        here = away if is_away[i] else home
        who[count], at[count] = i, here
        count += places[here]
    ends[block[2], 0], ends[block[2], 1] = block[0], count


def _take(
    world: World, farmers: tuple[np.ndarray, np.ndarray, np.ndarray], openings: np.ndarray, kind: int, draw_number: int
) -> None:
    persons = world.persons
    who, at, words = farmers
    lots = np.empty(len(who), np.uint64)
    counts = np.zeros((blocks_of(len(who)), len(openings), 1 << _BITS), np.int32)
    draw_lots(len(who), who, at, words, persons.chain, openings, int(kind), draw_number, lots, counts)
    take_places(
        who,
        at,
        lots,
        counts.sum(axis=0),
        persons.activity,
        persons.sector,
        persons.chain,
        openings,
        int(kind),
        world.filled,
    )


@threaded_kernel
def draw_lots(block, farmers, at, words, chain, openings, kind, draw_number, lots, counts_of):
    """Fill ``lots`` (farmers,); those of farmers who may take a job are counted by place and first bits.

    ``counts_of`` is (blocks, places, first bits).
    """
    counts = counts_of[block[2]]
    for n in rows_of(block):
        lots[n] = pick(words[n], draw_number)
        if openings[at[n]] > 0 and _may_take(kind, chain[farmers[n]]):
            counts[at[n], lots[n] >> _BEHIND] += 1


@rule
def _may_take(kind, chain):
    return kind < N_SECTORS or chain == 0  # nobody changes from one farming chain to another


@kernel
def take_places(farmers, at, lots, counts, activity, sector, chain, openings, kind, filled):
    """Give ``openings`` (places,) of a kind of job to the ``farmers`` who live ``at`` them, by their ``lots``.

    Only those are looked at whose first bits, by their ``counts`` (places, first bits), are low enough. Who takes a
    job of a sector is a worker from now on; who takes a place in a farming chain stays a farmer.
    """
    bound = empty(openings.shape[0], np.int64)  # first bits up to which all openings go
    for d in range(openings.shape[0]):
        left, bound[d] = openings[d], -1
        while left > 0 and bound[d] + 1 < counts.shape[1]:
            bound[d] += 1
            left -= counts[d, bound[d]]
    near = empty(farmers.shape[0], np.int32)
    count = 0
    for n in range(farmers.shape[0]):
        near[count] = n
        count += np.int64(lots[n] >> _BEHIND) <= bound[at[n]]
    who, cell, luck = empty(count, np.int32), empty(count, np.int64), empty(count, np.uint64)
    found = 0
    for n in near[:count]:
        if _may_take(kind, chain[farmers[n]]):
            who[found], cell[found], luck[found] = farmers[n], at[n], lots[n]
            found += 1
    taken = lowest(cell[:found], luck[:found], openings)
    for n in range(found):
        if not taken[n]:
            continue
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
