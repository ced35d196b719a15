"""This year's value of every lever, and villages that become part of their county's seat.

Reclassification is exogenous: no published flow identifies it, so it is carried as a range and
reported apart. The villages nearest to their county seat come first
and become part of it.
"""

from __future__ import annotations

import numpy as np

from migrasim.core.codes import N_SECTORS, N_TIERS, Tier
from migrasim.core.rule import blocks_of, kernel, rows_of, threaded_kernel
from migrasim.core.share import tilted_share
from migrasim.domains.policy import relocation, rules
from migrasim.domains.policy.rules import PolicyParams
from migrasim.world import World

_INVESTED = ("industry.", "public_housing.", "public_services.")  # levers whose totals the spatial levers split
_NOT_SPLIT = ("renovation_units",)  # old dwellings are renovated where they stand


def run(world: World) -> None:
    """Read the levers of the year, reclassify villages, move families out of danger zones."""
    read_levers(world)
    renovated = world.memory.setdefault("renovated_units", np.zeros(world.geography.counties))
    renovated += world.built("public_housing.renovation_units")
    seats = np.arange(world.geography.counties) * N_TIERS + Tier.SEAT
    standing = world.stock[seats].sum(axis=1)
    world.memory["renovated_share"] = np.minimum(1.0, renovated / np.maximum(standing, 1.0))
    _reclassify(world)
    relocation.run(world)


def read_levers(world: World) -> None:
    """This year's value of every lever, by county."""
    world.last_levers = world.levers
    world.levers = world.inputs.levers(world.year)
    _split_investment(world)


def _split_investment(world: World) -> None:
    """Shift new jobs of chains, public dwellings, school places and beds between counties and tiers.

    Numbers that a scenario gives by county stay there. Relative to the split of the base year, the
    core county's part of a total weighs as its lever over its status quo, the others' as what is
    left. ``memory["seat_gain"]`` and ``memory["town_gain"]`` (counties,) tell the phases how seats
    and key towns of a county weigh.
    """
    core, core_base = _spatial(world, "spatial.core_share")
    poles, poles_base = _spatial(world, "spatial.poles_share")
    seat = rules.over(poles, poles_base)
    world.memory["seat_gain"] = np.full(world.geography.counties, seat)
    world.memory["seat_gain"][world.geography.core_county] = rules.over(core, core_base)
    town = rules.over(1.0 - core - poles, 1.0 - core_base - poles_base)
    world.memory["town_gain"] = np.full(world.geography.counties, town)
    gain, rest_gain = rules.over(core, core_base), rules.over(1.0 - core, 1.0 - core_base)
    if gain == rest_gain:
        return
    levers = world.inputs.book.levers
    split = [
        name
        for name in world.levers
        if name.startswith(_INVESTED)
        and not name.endswith(_NOT_SPLIT)
        and levers[name].aggregate == "total"
        and not world.inputs.is_by_county(name)
    ]
    if split:
        values = np.stack([world.levers[name] for name in split])
        shift(values, values.sum(axis=1), world.geography.core_county, gain, rest_gain)
        world.levers.update(zip(split, values, strict=True))


@kernel
def shift(values, total, own, gain, rest_gain):
    """Shift parts of the ``total`` (levers,) of ``values`` (levers, counties) to the county ``own`` or away from it."""
    for k in range(values.shape[0]):
        least = 0.0
        for c in range(values.shape[1]):
            least = min(least, values[k, c])
        if total[k] <= 0.0 or least < 0.0:
            continue
        share = values[k, own] / total[k]
        if share >= 1.0:
            continue
        shifted = tilted_share(share, gain, rest_gain)
        for c in range(values.shape[1]):
            values[k, c] = values[k, c] * (1.0 - shifted) / (1.0 - share)
        values[k, own] = total[k] * shifted


def _spatial(world: World, lever: str) -> tuple[float, float]:
    """A share of the region this year and at the status quo: the value of the core county."""
    own = world.geography.core_county
    return float(world.levers[lever][own]), float(world.inputs.status_quo(lever)[own])


def _reclassify(world: World) -> None:
    """Villages nearest to a seat become part of it as it grows, at the pace of the decade."""
    p = world.inputs.params("policy", PolicyParams, year=world.year)
    geography, villages = world.geography, world.villages
    counts = np.zeros((blocks_of(len(world.households)), geography.villages), np.int64)
    people_at_home(
        len(world.households),
        world.first_member,
        world.members,
        world.persons.is_away,
        world.households.place,
        world.households.away_place,
        world.households.community,
        world.households.home_place,
        counts,
    )
    here = counts.sum(axis=0)
    base = world.memory.setdefault("village_residents_base", here.copy())
    county_total = np.bincount(villages.county, weights=base, minlength=geography.counties)
    share = county_total / max(1.0, county_total.sum())
    done = world.memory.setdefault("reclassified_persons", np.zeros(geography.counties))
    chosen = np.zeros(geography.villages, np.bool_)
    nearest = world.memory.get("villages_nearest_first")
    if nearest is None:  # the same in every year
        nearest = np.argsort(villages.travel_seat_min, kind="stable")
        world.memory["villages_nearest_first"] = nearest
    nearest = nearest[villages.urban_since_year[nearest] == 0]
    counties = villages.county[nearest]
    for c in range(geography.counties):
        due = rules.reclassified_by(
            world.base, world.year, p.reclassified_persons_2010s_yr, p.reclassified_persons_yr, share[c]
        )
        for v in nearest[counties == c]:
            persons = here[v] * world.weight
            if done[c] + persons > due:
                break
            chosen[v] = True
            done[c] += persons
    if not chosen.any():
        return
    villages.urban_since_year[chosen] = world.year
    before, lived_in = world.residents(), world.occupied.copy()
    worked_in = world.filled.copy()
    become_town(
        world.first_member,
        world.members,
        world.persons.is_away,
        world.persons.sector,
        world.persons.chain,
        world.households.community,
        world.households.home_place,
        world.households.hukou_urban,
        world.households.place,
        world.households.tenure,
        world.occupied,
        world.network,
        world.filled,
        np.concatenate([chosen, np.zeros(geography.communities - geography.villages, np.bool_)]),
    )
    after = world.residents()
    moved = (world.filled - worked_in) * world.weight  # their jobs come with them
    world.memory["jobs_base"] = np.maximum(0.0, world.memory["jobs_base"] + moved)
    gained = after - before
    _bring_services(world, before, gained)
    seat = np.arange(geography.places) % N_TIERS == Tier.SEAT
    seat[geography.inside :] = False
    world.flows.reclassified[:] = np.where(seat, gained, 0)
    # their houses come with them
    world.stock += np.where(seat[:, None], world.occupied - lived_in, 0) * world.weight


def _bring_services(world: World, before: np.ndarray, gained: np.ndarray) -> None:
    """School places and beds of reclassified villages come with their people; nobody counts as growth."""
    for c in range(world.geography.counties):
        village, seat = N_TIERS * c + Tier.VILLAGE, N_TIERS * c + Tier.SEAT
        share = gained[seat] / before[village] if before[village] else 0.0
        for column in (world.place.school_places, world.place.health_beds):
            column[seat] += column[village] * share
            column[village] -= column[village] * share
    for name in ("urban_base", "residents_before"):
        world.memory[name] = np.maximum(1.0, world.memory[name] + gained)


@threaded_kernel
def people_at_home(block, first, members, is_away, place, away_place, community, home_place, counts):
    """Count in ``counts`` (blocks, villages) the people who live in their home village."""
    count = counts[block[2]]
    for h in rows_of(block):
        if (place[h] == home_place[h]) & (community[h] < count.shape[0]):
            at_home = members[h]
            if away_place[h] >= 0:
                for i in range(first[h], first[h] + members[h]):
                    at_home -= is_away[i] != 0
            count[community[h]] += at_home


@kernel
def become_town(
    first, members, is_away, sector, chain, community, home_place, hukou_urban, place, tenure, occupied, network,
    filled, chosen,
):  # fmt: skip
    """Addresses of the ``chosen`` (communities,) villages become addresses of their county's seat; nobody moves."""
    for h in range(community.shape[0]):
        if not chosen[np.uint16(community[h])] or home_place[h] % N_TIERS != Tier.VILLAGE:
            continue
        village, seat = home_place[h], home_place[h] - Tier.VILLAGE + Tier.SEAT
        if place[h] == village:
            occupied[village, tenure[h]] -= 1
            occupied[seat, tenure[h]] += 1
            for i in range(first[h], first[h] + members[h]):
                if is_away[i]:
                    continue
                network[community[h], village] -= 1
                network[community[h], seat] += 1
                if sector[i] > 0:
                    kind = sector[i] if chain[i] == 0 else N_SECTORS - 1 + chain[i]
                    filled[village, kind] -= 1
                    filled[seat, kind] += 1
            place[h] = seat
        home_place[h] = seat
        hukou_urban[h] = 1
