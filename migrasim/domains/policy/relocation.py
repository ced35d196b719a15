"""Relocation out of danger zones: a public programme that is not in the plan and no lever sets.

Whole families move from their village to a home bought or built for them in the town or the seat of
their county. It is a flow of its own, reported apart, so that no lever is credited with it. Families
who are moved from one village site to another stay in the tier of villages and are not drawn here.
"""

from __future__ import annotations

import numpy as np

from migrasim.core.chance import Decision, draw, stream, uniform
from migrasim.core.codes import N_SECTORS, N_TIERS, Activity, Kind, Purse, Sector, Tenure, Tier
from migrasim.core.lottery import lowest
from migrasim.core.rule import blocks_of, empty, kernel, rows_of, threaded_kernel
from migrasim.domains.policy import rules
from migrasim.domains.policy.rules import PolicyParams
from migrasim.world import World

GRANT = "relocation.grant"
_BITS = 10  # first ones of a draw
_NOBODY = 1 << _BITS  # more than they can be
_BEHIND = np.uint64(64 - _BITS)


def run(world: World) -> None:
    """Move this year's families; ``flows.relocated`` holds the net change of residents by place."""
    p = world.inputs.params("policy", PolicyParams, year=world.year)
    if "relocation" in world.inputs.alternatives or world.year < p.relocation_first_year:
        return
    geography, households, persons = world.geography, world.households, world.persons
    in_villages = world.residents()[: geography.inside : N_TIERS].astype(np.float64)
    share = in_villages / max(1.0, float(in_villages.sum()))
    due = world.memory.setdefault("relocation_due_households", np.zeros(geography.counties))
    due += [rules.relocated_to_towns(p.relocated_households_yr, p.relocated_to_town_share, each) for each in share]
    wanted = np.maximum(0, world.units(due, Decision.RELOCATION))
    due -= wanted * world.weight
    moved = np.zeros(geography.counties, np.int64)
    rows = _candidates(world, wanted)
    relocate(
        rows,
        households.place[rows] // np.int64(N_TIERS),
        wanted,
        households.key,
        households.community,
        households.place,
        households.tenure,
        households.since_year,
        households.waiting_yr,
        world.first_member,
        world.members,
        persons.is_away,
        persons.since_year,
        persons.activity,
        persons.sector,
        persons.chain,
        world.seed,
        world.year,
        p.relocated_to_seat_share,
        world.stock,
        world.weight,
        world.occupied,
        world.filled,
        world.network,
        world.flows.relocated,
        moved,
    )
    world.measures["relocated_households"] = moved
    grant = moved * world.weight * p.relocation_grant_yuan
    world.measures["relocation_cost_yuan"] = grant
    if moved.any():
        world.pay(GRANT, Purse.HIGHER, Purse.ENTERPRISE, grant)


def _candidates(world: World, wanted: np.ndarray) -> np.ndarray:
    """Rows of the families at home in a village whose draws are as low, or nearly, as those ``wanted`` (counties,).

    Nearly: by their first bits, by county. So all threads draw, and few draws are put in order.
    """
    households, villages = world.households, world.geography.villages
    rows = len(households)
    first_bits = np.empty(rows, np.int16)
    counts = np.zeros((blocks_of(rows), len(wanted), _NOBODY), np.int64)
    draw_lots(
        rows,
        households.key,
        households.kind,
        households.community,
        households.home_place,
        households.place,
        villages,
        world.seed,
        world.year,
        first_bits,
        counts,
    )
    lower = np.cumsum(counts.sum(axis=0), axis=1)
    bound = (lower < wanted[:, None]).sum(axis=1)  # the first bits of the last one wanted
    bound[wanted <= 0] = -1
    near = np.flatnonzero(first_bits <= min(int(bound.max()), _NOBODY - 1))
    return np.asarray(near[first_bits[near] <= bound[households.place[near] // N_TIERS]])


@threaded_kernel
def draw_lots(block, key, kind, community, home_place, place, villages, seed, year, first_bits, counts_of):
    """Fill ``first_bits`` of the draws of families at home in a village, and count them (blocks, counties, bits)."""
    counts, lottery = counts_of[block[2]], stream(seed, Decision.RELOCATION, year)
    for h in rows_of(block):
        here = np.uint8(place[h])
        at_home = (community[h] < villages) & (place[h] == home_place[h]) & (here % N_TIERS == Tier.VILLAGE)
        first_bits[h] = _NOBODY
        if at_home & (kind[h] == Kind.FAMILY):
            bits = draw(lottery, key[h], 0) >> _BEHIND
            first_bits[h] = bits
            counts[np.uint8(here // N_TIERS), bits] += 1


@kernel
def relocate(
    who,
    cell,
    wanted,
    key,
    community,
    place,
    tenure,
    since_year,
    waiting_yr,
    first_member,
    members,
    is_away,
    person_since_year,
    activity,
    sector,
    chain,
    seed,
    year,
    seat_share,
    stock,
    weight,
    occupied,
    filled,
    network,
    relocated,
    moved,
):
    """Move ``wanted`` (counties,) families of those who ask, lowest draws first; who is away stays there.

    Parameters
    ----------
    who, cell : row and county of those who ask, at home in a village
    """
    lottery = stream(seed, Decision.RELOCATION, year)
    where = stream(seed, Decision.RELOCATION, 0)
    luck = empty(who.shape[0], np.uint64)
    for n in range(who.shape[0]):
        luck[n] = draw(lottery, key[who[n]], 0)
    taken = lowest(cell, luck, wanted)
    for n in range(who.shape[0]):
        if not taken[n]:
            continue
        h, c = who[n], cell[n]
        old = place[h]
        moved[c] += 1
        new = c * N_TIERS + (Tier.SEAT if uniform(where, key[h], 1) < seat_share else Tier.TOWN)
        occupied[old, tenure[h]] -= 1
        occupied[new, Tenure.PURCHASED] += 1
        stock[new, Tenure.PURCHASED] += weight  # a home bought or built for them
        place[h] = new
        tenure[h] = Tenure.PURCHASED
        since_year[h] = year
        waiting_yr[h] = 0
        for i in range(first_member[h], first_member[h] + members[h]):
            if is_away[i]:
                continue
            network[community[h], old] -= 1
            network[community[h], new] += 1
            relocated[old] -= 1
            relocated[new] += 1
            person_since_year[i] = year
            if sector[i] > 0:
                filled[old, sector[i] if chain[i] == 0 else N_SECTORS - 1 + chain[i]] -= 1
                if activity[i] == Activity.FARMER:  # they go on working their land
                    filled[new, sector[i] if chain[i] == 0 else N_SECTORS - 1 + chain[i]] += 1
                else:
                    activity[i], sector[i], chain[i] = Activity.SEEKING, Sector.NONE, 0
