"""Permits, transfer of registration, and the three rights at a transfer."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from migrasim.core.chance import Decision, stream, uniform
from migrasim.core.codes import N_TIERS, NOWHERE, Activity, Kind, Tenure, Tier
from migrasim.core.columns import listed
from migrasim.core.rule import blocks_of, empty, kernel, members_of, record, rows_of, threaded_kernel
from migrasim.domains.hukou.rules import (
    HukouParams,
    has_permit,
    keeps_right,
    outside_transfer_prob,
    stay_months,
    transfer_prob,
    transfer_pull,
)

if TYPE_CHECKING:
    from migrasim.world import World

SERVICES = ("education", "healthcare", "social_security", "public_housing")
RIGHTS = ("contract_land_kept", "homestead_kept", "collective_income_kept")
_OUTSIDE_LUCK = 2  # alternative of Decision.TRANSFER
LAND, HOMESTEAD, COLLECTIVE = range(len(RIGHTS))  # alternatives of Decision.KEEP_RIGHT
N_RIGHTS = len(RIGHTS)


class _Count(IntEnum):
    """Rows of the counts by county of residence; their names in lower case are measures."""

    PERMIT_ELIGIBLE_HOUSEHOLDS = 0
    PERMIT_ELIGIBLE_PERSONS = 1
    PERMIT_HOUSEHOLDS = 2
    PERMIT_PERSONS = 3
    PERMIT_PUPILS = 4
    TRANSFERS_HOUSEHOLDS = 5
    TRANSFERS_PERSONS = 6
    TRANSFERS_RURAL_PERSONS = 7


def run(world: World) -> None:
    """Give permits, let households transfer their registration, and settle their three rights.

    Writes ``permit``, ``home_place``, ``hukou_urban`` and, where a right is lost, ``land_mu``,
    ``has_homestead``, ``has_collective_share``; lost land goes to ``village_pool_mu``. Measures, in
    sample units by county of residence: ``permit_eligible_households``, ``permit_eligible_persons``,
    ``permit_households``, ``permit_persons``, ``permit_pupils``, ``transfers_households``,
    ``transfers_persons``, ``transfers_rural_persons`` (whose registration was rural); by county of the
    home village: ``rights_kept_households`` and ``rights_lost_households`` (rights, counties),
    ``land_lost_mu`` (counties); by place of origin: ``outside_transfers_persons``.
    """
    p = record(world.inputs.params("hukou", HukouParams))
    levers, geography, households, persons = world.levers, world.geography, world.households, world.persons
    open_share = sum(levers[f"residence_permit.{service}"] for service in SERVICES) / len(SERVICES)
    kept_prob = np.stack([levers[f"three_rights.{right}"] for right in RIGHTS])
    rows, blocks = len(households), blocks_of(len(households))
    transfers, outward = np.empty(rows, np.int32), np.empty(rows, np.int32)
    lost = np.empty((rows, N_RIGHTS), np.bool_)
    found = np.zeros((2, blocks, 2), np.int64)
    counts_of = np.zeros((blocks, len(_Count), geography.counties), np.int64)
    home_county = _home_county(world)
    _decide(
        rows,
        world.seed,
        world.year,
        geography.inside,
        households.key,
        households.kind,
        households.community,
        households.home_place,
        households.place,
        households.away_place,
        households.since_year,
        households.tenure,
        households.land_mu,
        households.has_homestead,
        households.has_collective_share,
        world.first_member,
        world.members,
        persons.birth_year,
        persons.activity,
        persons.is_away,
        home_county,
        levers["residence_permit.waiting_months"],
        levers["residence_permit.one_pass"],
        open_share,
        levers["hukou.openness"],
        levers["hukou.transfer_months"],
        kept_prob,
        _most_prob(open_share, levers["hukou.transfer_months"], p),
        p,
        households.permit,
        transfers,
        lost,
        outward,
        found,
        counts_of,
    )
    counts = counts_of.sum(axis=0)
    kept_rights, lost_rights = (np.zeros((N_RIGHTS, geography.counties), np.int64) for _ in range(2))
    land_lost_mu = np.zeros(geography.counties)
    _transfer(
        listed(transfers, found[0]),
        households.community,
        households.home_place,
        households.place,
        households.hukou_urban,
        households.permit,
        households.land_mu,
        households.has_homestead,
        households.has_collective_share,
        world.members,
        home_county,
        lost,
        world.village_pool_mu,
        counts,
        kept_rights,
        lost_rights,
        land_lost_mu,
    )
    world.measures.update({count.name.lower(): counts[count] for count in _Count})
    world.measures["rights_kept_households"] = kept_rights
    world.measures["rights_lost_households"] = lost_rights
    world.measures["land_lost_mu"] = land_lost_mu
    origins = np.zeros(geography.places, np.int64)
    _register_outside(
        listed(outward, found[1]),
        households.community,
        households.place,
        world.members,
        households.home_place,
        households.land_mu,
        households.has_homestead,
        households.has_collective_share,
        households.permit,
        world.village_pool_mu,
        origins,
    )
    world.measures["outside_transfers_persons"] = origins


@kernel
def _register_outside(
    leaving,
    community,
    place,
    members,
    home_place,
    land_mu,
    has_homestead,
    has_collective_share,
    permit,
    pool_mu,
    origins,
):
    """Households settled outside for good take their registration along; they leave the world after this phase.

    Their land goes back to the village, as that of families that died out; homestead and share end. ``origins``
    (places,) counts persons.
    """
    for h in leaving:
        pool_mu[community[h]] += land_mu[h]
        origins[home_place[h]] += members[h]
        home_place[h] = place[h]
        land_mu[h] = has_homestead[h] = has_collective_share[h] = permit[h] = 0


def _home_county(world: World) -> np.ndarray:
    """(communities,) county of each community, -1 for those outside."""
    county = np.asarray(world.geography.community_county, np.int64).copy()
    county[world.geography.villages + 2 * world.geography.counties :] = NOWHERE
    return county


@kernel
def _most_prob(open_share, transfer_months, p):
    """(counties,) chance of a transfer where nothing holds a household back, with a permit or without."""
    p = p[0]
    most = empty(open_share.shape[0], np.float64)
    for c in range(open_share.shape[0]):
        most[c] = max(
            transfer_prob(np.inf, 0.0, transfer_months[c], p),
            transfer_prob(np.inf, open_share[c], transfer_months[c], p),
        )
    return most


@threaded_kernel
def _decide(
    block,
    seed,
    year,
    inside,
    key,
    kind,
    community,
    home_place,
    place,
    away_place,
    since_year,
    tenure,
    land_mu,
    has_homestead,
    has_collective_share,
    first_member,
    members,
    birth_year,
    activity,
    is_away,
    community_county,
    waiting_months,
    take_up_share,
    open_share,
    openness_share,
    transfer_months,
    kept_prob,
    most_prob,
    p,
    permit,
    transfers,
    lost,
    outward,
    found,
    counts_of,
):
    """Say in ``permit`` who holds one; list the households that transfer, and those that do so to the outside.

    Who draws luck of ``most_prob`` (counties,) or above does not transfer, whatever the pull. ``lost`` (households,
    rights) is filled for those that transfer; ``counts_of`` (blocks, counts, counties) counts who may have a permit,
    and holds one, of the others. ``found`` is (lists, blocks, 2), for `listed`.
    """
    p = p[0]
    permit_luck = stream(seed, Decision.PERMIT, 0)
    transfer_luck = stream(seed, Decision.TRANSFER, year)
    gate_luck = stream(seed, Decision.TRANSFER, 0)
    right_luck = stream(seed, Decision.KEEP_RIGHT, 0)
    counts = counts_of[block[2]]
    in_town = settled = block[0]  # without branches: who is registered elsewhere, in towns and wholly outside
    for h in rows_of(block):
        at, home = np.int64(place[h]), np.int64(home_place[h])
        permit[h] = 0
        transfers[np.uint64(in_town)] = outward[np.uint64(settled)] = h
        in_town += (at < inside) & (at % N_TIERS != Tier.VILLAGE) & (home != at)
        settled += (at >= inside) & (home < inside) & (away_place[h] < 0)
    moving = going = block[0]
    most = outside_transfer_prob(np.inf, p)
    for k in range(block[0], settled):
        h = outward[k]
        luck = uniform(transfer_luck, key[h], _OUTSIDE_LUCK)
        outward[going] = h
        going += luck < most and luck < outside_transfer_prob(year - since_year[h], p)
    for k in range(block[0], in_town):
        h = transfers[k]
        county = np.int64(place[h]) // N_TIERS
        years = max(year - since_year[h], 0)
        months = stay_months(years, uniform(permit_luck, key[h], 2))  # 1 is the school gate's
        eligible = months >= waiting_months[county]
        held = has_permit(months, waiting_months[county], uniform(permit_luck, key[h], 0), take_up_share[county])
        permit[h] = held
        asks = (kind[h] == Kind.FAMILY) & (away_place[h] != home_place[h])
        asks &= uniform(transfer_luck, key[h], 0) < most_prob[county]
        asks = asks and uniform(gate_luck, key[h], 1) < openness_share[county]
        if not (eligible or asks):
            continue
        present = pupils = 0
        children = works = False
        for i in members_of(first_member, members, h):
            age, here = year - birth_year[i], is_away[i] == 0
            present += here
            pupils += here & (p.pupil_age_min_yr <= age) & (age < p.child_age_max_yr)
            children |= here & (age <= p.child_age_max_yr)
            works |= here & (activity[i] == Activity.WORKER)
        prob = 0.0
        if asks:
            own_home = 0.0
            if tenure[h] == Tenure.PURCHASED or tenure[h] == Tenure.SHARED_OWNERSHIP or tenure[h] == Tenure.SELF_BUILT:
                own_home = 1.0
            village_county = community_county[community[h]]
            if village_county < 0:
                village_county = county
            pull = transfer_pull(
                years,
                own_home,
                1.0 if children else 0.0,
                1.0 if works else 0.0,
                land_mu[h] * (1.0 - kept_prob[LAND, village_county]),
                has_homestead[h] * (1.0 - kept_prob[HOMESTEAD, village_county]),
                has_collective_share[h] * (1.0 - kept_prob[COLLECTIVE, village_county]),
                p,
            )
            prob = transfer_prob(pull, open_share[county] if held else 0.0, transfer_months[county], p)
        if asks and uniform(transfer_luck, key[h], 0) < prob:
            transfers[moving] = h
            moving += 1
            for right in range(N_RIGHTS):
                lost[h, right] = not keeps_right(uniform(right_luck, key[h], right), kept_prob[right, village_county])
        elif eligible:
            counts[_Count.PERMIT_ELIGIBLE_HOUSEHOLDS, county] += 1
            counts[_Count.PERMIT_ELIGIBLE_PERSONS, county] += present
            counts[_Count.PERMIT_HOUSEHOLDS, county] += held
            counts[_Count.PERMIT_PERSONS, county] += held * present
            counts[_Count.PERMIT_PUPILS, county] += held * pupils
    for each, end in enumerate((moving, going)):
        found[each, block[2], 0], found[each, block[2], 1] = block[0], end - block[0]


@kernel
def _transfer(
    transfers,
    community,
    home_place,
    place,
    hukou_urban,
    permit,
    land_mu,
    has_homestead,
    has_collective_share,
    members,
    community_county,
    lost,
    pool_mu,
    counts,
    kept_rights,
    lost_rights,
    land_lost_mu,
):
    # Land is float32, so its float64 sums are exact and do not depend on the order of rows.
    for h in transfers:
        county = place[h] // N_TIERS
        counts[_Count.TRANSFERS_HOUSEHOLDS, county] += 1
        counts[_Count.TRANSFERS_PERSONS, county] += members[h]
        if hukou_urban[h] == 0:
            counts[_Count.TRANSFERS_RURAL_PERSONS, county] += members[h]
        home_place[h] = place[h]
        hukou_urban[h] = 1
        permit[h] = 0
        village_county = community_county[community[h]]
        if village_county < 0:
            continue
        if land_mu[h] > 0:
            if lost[h, LAND]:
                lost_rights[LAND, village_county] += 1
                land_lost_mu[village_county] += land_mu[h]
                pool_mu[community[h]] += land_mu[h]
                land_mu[h] = 0
            else:
                kept_rights[LAND, village_county] += 1
        if has_homestead[h]:
            if lost[h, HOMESTEAD]:
                lost_rights[HOMESTEAD, village_county] += 1
                has_homestead[h] = 0
            else:
                kept_rights[HOMESTEAD, village_county] += 1
        if has_collective_share[h]:
            if lost[h, COLLECTIVE]:
                lost_rights[COLLECTIVE, village_county] += 1
                has_collective_share[h] = 0
            else:
                kept_rights[COLLECTIVE, village_county] += 1
