"""What leavers may expect of their land, the market for paid exit, and the land of the absent.

Areas are summed exactly: land is float32, so float64 sums of it do not depend on the order of rows;
what is lent is counted in whole tenths of a mu.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from migrasim.core.chance import Decision, draw, stream, uniform
from migrasim.core.codes import N_TIERS, NOWHERE, Activity, Purse, Tier
from migrasim.core.rule import kernel, rows_of, scalars, threaded_kernel
from migrasim.domains.land.rules import (
    LandParams,
    exit_income_yuan_yr_mu,
    exit_price_yuan,
    lend_share,
    scale_factor,
    security_share,
    sell_prob,
)

if TYPE_CHECKING:
    from migrasim.world import World

TENTHS = 10.0  # tenths of a mu
EXIT = "three_rights.exit"
_OPEN, _ACCEPT, _QUEUE = range(3)  # alternatives of Decision.EXIT_LAND
_LENDS, _FREE = range(2)  # alternatives of Decision.LEND_FREE
_NOTHING, _LENT, _LENT_FREE, _LEFT_IDLE = range(4)  # what becomes of a household's land
_PAID_MU, _FREE_MU, _IDLE_MU = range(3)  # columns of areas by village


def run(world: World) -> None:
    """Serve the market for paid exit, count the land of the absent, and bring prospects up to date.

    Writes ``land_mu``, ``has_homestead``, ``has_collective_share``, ``savings_yuan`` and
    ``village_pool_mu``; ``memory["leased_in_mu_per_farmer"]`` (communities,) and
    ``memory["exit_served_share"]`` (counties,) for the next year. Measures by county of the village,
    in sample units: ``land_sold_mu``, ``exit_households``, ``exit_wanting_households``,
    ``land_lent_mu``, ``land_lent_free_mu``, ``land_idle_mu``, ``idle_homesteads``.
    """
    p = world.inputs.params("land", LandParams, year=world.year)
    _exit(world, p)
    _lend(world, p)
    prospects(world)


def prospects(world: World) -> None:
    """Fill the columns of counties that tell a leaver what to expect of land and collective.

    ``land_kept_share``: the probability of keeping contracted land times perceived security.
    ``land_rent_yuan_yr_mu``: expected rent of a mu not worked, over paid, free and idle land.
    ``exit_income_yuan_yr_mu``: yearly worth of a paid exit, by the chance seen last year.
    """
    p = world.inputs.params("land", LandParams, year=world.year)
    levers, county = world.levers, world.county
    quantile = _quantile(p)
    served = world.memory.get("exit_served_share", np.zeros(world.geography.counties))
    growth = float(world.memory["growth_index"][0]) if "growth_index" in world.memory else 1.0
    security = _security(world, p)
    scale = world.above("rural.scale_farming")
    for c in range(world.geography.counties):
        kept = levers["three_rights.contract_land_kept"][c] * security[c]
        price = levers["three_rights.exit_price"][c]
        chance = levers["three_rights.exit_market"][c] * sell_prob(price, quantile, p) * served[c]
        county.land_kept_share[c] = kept
        county.dividend_yuan_yr_pers[c] = growth * p.collective_dividend_yuan_yr_pers
        county.collective_kept_share[c] = levers["three_rights.collective_income_kept"][c]
        county.land_rent_yuan_yr_mu[c] = (
            growth * p.rent_yuan_yr_mu * (1.0 - p.rent_free_share) * lend_share(security[c], p)
        ) * scale_factor(float(scale[c]), p.scale_farming_rent_ratio)
        county.exit_income_yuan_yr_mu[c] = exit_income_yuan_yr_mu(price, chance, kept, p)


def _quantile(p: LandParams) -> float:
    """Standard normal quantile of the share that trades at the reference price."""
    return NormalDist().inv_cdf(p.exit_share)


def _security(world: World, p: LandParams) -> np.ndarray:
    """(counties,) perceived security of land rights."""
    base = world.inputs.status_quo("three_rights.titling")
    titling = world.levers["three_rights.titling"]
    return np.array([security_share(float(t), float(b), p) for t, b in zip(titling, base, strict=True)])


def _village_county(world: World) -> np.ndarray:
    """(villages,) county of each village."""
    return np.asarray(world.geography.community_county[: world.geography.villages], np.int64)


def _exit(world: World, p: LandParams) -> None:
    households, geography, levers = world.households, world.geography, world.levers
    county = _village_county(world)
    price = np.zeros(len(households), np.int64)
    luck = np.zeros(len(households), np.uint64)
    price_yuan_mu = np.asarray(levers["three_rights.exit_price"], np.float64)
    quantile = _quantile(p)
    accept = np.array([sell_prob(float(each), quantile, p) for each in price_yuan_mu])
    _offers(
        len(households),
        world.seed,
        world.year,
        households.key,
        households.community,
        households.place,
        households.away_place,
        households.since_year,
        households.land_mu,
        households.has_homestead,
        households.has_collective_share,
        county,
        world.villages.urban_since_year,
        np.asarray(levers["three_rights.exit_market"], np.float64),
        price_yuan_mu,
        accept,
        scalars(p)[0],
        price,
        luck,
    )
    sellers = np.flatnonzero(price > 0)
    order = sellers[np.lexsort((households.key[sellers], luck[sellers]))]
    fund = np.floor(world.county.budget_yuan * p.exit_fund_share)
    counts = np.zeros((2, geography.counties), np.int64)  # wanting, served
    paid = np.zeros(geography.counties, np.int64)
    sold = np.zeros(geography.counties)
    _buy(
        order,
        price,
        world.weight,
        households.community,
        county,
        households.land_mu,
        households.has_homestead,
        households.has_collective_share,
        households.savings_yuan,
        1.0 - p.exit_collective_share,
        fund,
        world.village_pool_mu,
        counts,
        paid,
        sold,
    )
    total = np.rint(paid * world.weight)
    collective = np.rint(total * p.exit_collective_share)
    world.pay(EXIT, Purse.COUNTY, Purse.HOUSEHOLD, total - collective)
    world.pay(EXIT, Purse.COLLECTIVE, Purse.HOUSEHOLD, collective)
    wanting, served = counts
    world.measures["exit_wanting_households"] = wanting
    world.measures["exit_households"] = served
    world.measures["land_sold_mu"] = sold
    world.memory["exit_served_share"] = np.where(wanting > 0, served / np.maximum(1, wanting), fund > 0)


@kernel
def _at_home(community, place, county, urban_since_year):
    """Whether people of a village who live at ``place`` live in their village."""
    village = N_TIERS * county[community] + Tier.VILLAGE
    if urban_since_year[community] > 0:  # the village has become part of its town
        return place == village or place == N_TIERS * county[community] + Tier.TOWN
    return place == village


@threaded_kernel
def _offers(
    block,
    seed,
    year,
    key,
    community,
    place,
    away_place,
    since_year,
    land_mu,
    has_homestead,
    has_collective_share,
    county,
    urban_since_year,
    open_share,
    price_yuan_mu,
    accept_share,
    p,
    price,
    luck,
):
    persistent = stream(seed, Decision.EXIT_LAND, 0)
    this_year = stream(seed, Decision.EXIT_LAND, year)
    for h in rows_of(block):
        v = community[h]
        if v >= county.shape[0] or land_mu[h] <= 0.0 or year - since_year[h] < p.exit_years_yr:
            continue
        if _at_home(v, place[h], county, urban_since_year):
            continue
        if away_place[h] != NOWHERE and _at_home(v, away_place[h], county, urban_since_year):
            continue
        c = county[v]
        if (
            uniform(persistent, key[h], _OPEN) >= open_share[c]
            or uniform(persistent, key[h], _ACCEPT) >= accept_share[c]
        ):
            continue
        price[h] = np.int64(
            np.rint(exit_price_yuan(land_mu[h], has_homestead[h], has_collective_share[h], price_yuan_mu[c], p))
        )
        luck[h] = draw(this_year, key[h], _QUEUE)


@kernel
def _buy(
    order,
    price,
    weight,
    community,
    county,
    land_mu,
    has_homestead,
    has_collective_share,
    savings_yuan,
    county_share,
    fund,
    pool_mu,
    counts,
    paid,
    sold,
):
    closed = np.zeros(fund.shape[0], np.bool_)
    for h in order:
        c = county[community[h]]
        counts[0, c] += 1
        if closed[c] or (paid[c] + price[h]) * weight * county_share > fund[c]:
            closed[c] = True  # first come, first served: nobody overtakes
            continue
        counts[1, c] += 1
        paid[c] += price[h]
        savings_yuan[h] += price[h]
        sold[c] += land_mu[h]
        pool_mu[community[h]] += land_mu[h]
        land_mu[h] = 0
        has_homestead[h] = 0
        has_collective_share[h] = 0


def _lend(world: World, p: LandParams) -> None:
    households, persons, geography = world.households, world.persons, world.geography
    villages = geography.villages
    county = _village_county(world)
    lends = np.array([lend_share(each, p) for each in _security(world, p)])
    use, farmers_each, empty = (np.zeros(len(households), np.uint8) for _ in range(3))
    _uses(
        len(households),
        world.seed,
        world.year,
        households.key,
        households.community,
        households.place,
        households.away_place,
        households.land_mu,
        households.has_homestead,
        world.first_member,
        world.members,
        persons.birth_year,
        persons.activity,
        persons.is_away,
        county,
        world.villages.urban_since_year,
        lends,
        scalars(p)[0],
        use,
        farmers_each,
        empty,
    )
    tenths = np.zeros((villages, 3), np.int64)
    farmers, homesteads = (np.zeros(villages, np.int64) for _ in range(2))
    _add_up(households.community, households.land_mu, use, farmers_each, empty, tenths, farmers, homesteads)
    # the pool of the collective is let for rent like other land
    pool = np.rint(world.village_pool_mu[:villages] * TENTHS).astype(np.int64)
    pool_free = np.rint(pool * p.rent_free_share).astype(np.int64)
    tenths[:, _FREE_MU] += pool_free
    tenths[:, _PAID_MU] += pool - pool_free
    # stayers take no more than they can work; paid land is left first
    scale = world.above("rural.scale_farming")
    larger = np.array([scale_factor(float(each), p.scale_farming_capacity_ratio) for each in scale])
    room = np.floor(farmers * p.lend_capacity_mu_pers * larger[county] * TENTHS).astype(np.int64)
    free = np.minimum(tenths[:, _FREE_MU], room)
    lent = np.minimum(tenths[:, _PAID_MU], room - free) + free
    idle = tenths.sum(axis=1) - lent
    leased = np.zeros(geography.communities)
    leased[:villages] = lent / TENTHS / np.maximum(1, farmers)
    world.measures["leased_in_mu_per_farmer"] = world.memory["leased_in_mu_per_farmer"] = leased
    for name, values in (("land_lent_mu", lent), ("land_lent_free_mu", free), ("land_idle_mu", idle)):
        world.measures[name] = _by_county(values, county, geography.counties) / TENTHS
    world.measures["idle_homesteads"] = _by_county(homesteads, county, geography.counties)


def _by_county(values: np.ndarray, county: np.ndarray, counties: int) -> np.ndarray:
    total = np.zeros(counties, np.int64)
    np.add.at(total, county, values)
    return total


@threaded_kernel
def _uses(
    block,
    seed,
    year,
    key,
    community,
    place,
    away_place,
    land_mu,
    has_homestead,
    first_member,
    members,
    birth_year,
    activity,
    is_away,
    county,
    urban_since_year,
    lends_share,
    p,
    use,
    farmers,
    empty,
):
    luck = stream(seed, Decision.LEND_FREE, 0)
    for h in rows_of(block):
        v = community[h]
        if v >= county.shape[0]:
            continue
        main_home = _at_home(v, place[h], county, urban_since_year)
        away_home = away_place[h] != NOWHERE and _at_home(v, away_place[h], county, urban_since_year)
        if not (main_home or away_home):
            empty[h] = has_homestead[h]
        hands = 0
        working = 0
        at_hand = members[h] if main_home or away_home else 0
        for i in range(first_member[h], first_member[h] + at_hand):
            at_home = away_home if is_away[i] else main_home
            if not at_home:
                continue
            if p.working_age_min_yr <= year - birth_year[i] <= p.working_age_max_yr:
                hands += 1
            if activity[i] == Activity.FARMER:
                working += 1
        farmers[h] = min(working, 255)
        if land_mu[h] <= 0.0 or hands > 0 or working > 0:
            continue
        if uniform(luck, key[h], _LENDS) >= lends_share[county[v]]:
            use[h] = _LEFT_IDLE
        elif uniform(luck, key[h], _FREE) < p.rent_free_share:
            use[h] = _LENT_FREE
        else:
            use[h] = _LENT


@kernel
def _add_up(community, land_mu, use, farmers_each, empty, tenths, farmers, homesteads):
    for h in range(community.shape[0]):
        v = community[h]
        if v >= farmers.shape[0]:
            continue
        farmers[v] += farmers_each[h]
        homesteads[v] += empty[h]
        if use[h] == _NOTHING:
            continue
        area = np.int64(np.rint(land_mu[h] * TENTHS))
        if use[h] == _LENT:
            tenths[v, _PAID_MU] += area
        elif use[h] == _LENT_FREE:
            tenths[v, _FREE_MU] += area
        else:
            tenths[v, _IDLE_MU] += area
