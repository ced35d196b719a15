"""What leavers may expect of their land, the market for paid exit, and the land of the absent.

Areas are summed exactly: land is float32, so float64 sums of it do not depend on the order of rows;
what is lent is counted in whole tenths of a mu.
"""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from migrasim.core.chance import Decision, draw, stream, uniform
from migrasim.core.codes import N_TIERS, Activity, Purse, Tier
from migrasim.core.rule import blocks_of, inlined, kernel, record, rows_of, threaded_kernel, zeros
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
_PAID_MU, _FREE_MU, _IDLE_MU, _FARMERS, _HOMESTEADS = range(5)  # columns of what is counted by village


def run(world: World) -> None:
    """Serve the market for paid exit, count the land of the absent, and bring prospects up to date.

    Writes ``land_mu``, ``has_homestead``, ``has_collective_share``, ``savings_yuan`` and
    ``village_pool_mu``; ``memory["leased_in_mu_per_farmer"]`` (communities,) and
    ``memory["exit_served_share"]`` (counties,) for the next year. Measures by county of the village,
    in sample units: ``land_sold_mu``, ``exit_households``, ``exit_wanting_households``,
    ``land_lent_mu``, ``land_lent_free_mu``, ``land_idle_mu``, ``idle_homesteads``.
    """
    p = world.inputs.params("land", LandParams, year=world.year)
    homes = _homes(world)
    _exit(world, p, homes)
    _lend(world, p, homes)
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
    kept = levers["three_rights.contract_land_kept"] * security
    price = levers["three_rights.exit_price"]
    accept = np.array([sell_prob(each, quantile, p) for each in price.tolist()])
    chance = levers["three_rights.exit_market"] * accept * served
    lent = np.array([lend_share(each, p) for each in security.tolist()])
    larger = np.array([scale_factor(each, p.scale_farming_rent_ratio) for each in scale.tolist()])
    county.land_kept_share[:] = kept
    county.dividend_yuan_yr_pers[:] = growth * p.collective_dividend_yuan_yr_pers
    county.collective_kept_share[:] = levers["three_rights.collective_income_kept"]
    county.land_rent_yuan_yr_mu[:] = (growth * p.rent_yuan_yr_mu * (1.0 - p.rent_free_share) * lent) * larger
    county.exit_income_yuan_yr_mu[:] = [
        exit_income_yuan_yr_mu(*each, p) for each in zip(price.tolist(), chance.tolist(), kept.tolist(), strict=True)
    ]


def _quantile(p: LandParams) -> float:
    """Standard normal quantile of the share that trades at the reference price."""
    return _normal_quantile(p.exit_share)


@cache
def _normal_quantile(share: float) -> float:
    return NormalDist().inv_cdf(share)


def _security(world: World, p: LandParams) -> np.ndarray:
    """(counties,) perceived security of land rights."""
    base = world.inputs.status_quo("three_rights.titling")
    titling = world.levers["three_rights.titling"]
    return np.array([security_share(t, b, p) for t, b in zip(titling.tolist(), base.tolist(), strict=True)])


def _village_county(world: World) -> np.ndarray:
    """(villages,) county of each village."""
    return np.asarray(world.geography.community_county[: world.geography.villages], np.int64)


def _exit(world: World, p: LandParams, homes: np.ndarray) -> None:
    households, geography, levers = world.households, world.geography, world.levers
    county = _village_county(world)
    price_yuan_mu = np.asarray(levers["three_rights.exit_price"], np.float64)
    quantile = _quantile(p)
    accept = np.array([sell_prob(each, quantile, p) for each in price_yuan_mu.tolist()])
    sells = np.zeros(len(households), np.bool_)
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
        homes,
        county,
        np.asarray(levers["three_rights.exit_market"], np.float64),
        accept,
        float(p.exit_years_yr),
        sells,
    )
    sellers = np.flatnonzero(sells)
    price, luck = np.empty(len(sellers), np.int64), np.empty(len(sellers), np.uint64)
    _price(
        sellers,
        world.seed,
        world.year,
        households.key,
        households.community,
        households.land_mu,
        households.has_homestead,
        households.has_collective_share,
        county,
        price_yuan_mu,
        record(p),
        price,
        luck,
    )
    offered = np.flatnonzero(price > 0)
    offered = offered[np.lexsort((households.key[sellers[offered]], luck[offered]))]
    fund = np.floor(world.county.budget_yuan * p.exit_fund_share)
    counts = np.zeros((2, geography.counties), np.int64)  # wanting, served
    paid = np.zeros(geography.counties, np.int64)
    sold = np.zeros(geography.counties)
    _buy(
        sellers[offered],
        price[offered],
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


def _homes(world: World) -> np.ndarray:
    """(villages, 2) int8 places where people live in their village: its own, and its town once it is part of it."""
    village = N_TIERS * _village_county(world) + Tier.VILLAGE
    town = village - Tier.VILLAGE + Tier.TOWN
    also = np.where(world.villages.urban_since_year > 0, town, village)
    return np.stack([village, also], axis=1).astype(np.int8)


@inlined
def _at_home(homes, village, place):
    """Whether people of a village who live at ``place`` live in their village."""
    return (place == homes[village, 0]) | (place == homes[village, 1])


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
    homes,
    county,
    open_share,
    accept_share,
    years_yr,
    sells,
):
    """Mark in ``sells`` who has left the village for long and would take the price."""
    persistent = stream(seed, Decision.EXIT_LAND, 0)
    for h in rows_of(block):
        v = np.uint16(community[h])
        if (v >= county.shape[0]) | (land_mu[h] <= 0.0) | (year - since_year[h] < years_yr):
            continue
        # who has nobody away has them live NOWHERE, which is no village either
        if _at_home(homes, v, place[h]) | _at_home(homes, v, away_place[h]):
            continue
        sells[h] = (
            uniform(persistent, key[h], _OPEN) < open_share[county[v]]
            and uniform(persistent, key[h], _ACCEPT) < accept_share[county[v]]
        )


@kernel
def _price(
    sellers,
    seed,
    year,
    key,
    community,
    land_mu,
    has_homestead,
    has_collective_share,
    county,
    price_yuan_mu,
    p,
    price,
    luck,
):
    """Fill the ``price`` that each of the ``sellers`` (rows) would get, and the ``luck`` by which they are served."""
    p = p[0]
    this_year = stream(seed, Decision.EXIT_LAND, year)
    for n in range(sellers.shape[0]):
        h = sellers[n]
        mu_yuan = price_yuan_mu[county[community[h]]]
        price[n] = np.int64(np.rint(exit_price_yuan(land_mu[h], has_homestead[h], has_collective_share[h], mu_yuan, p)))
        luck[n] = draw(this_year, key[h], _QUEUE)


@kernel
def _buy(
    order,
    price_of,
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
    closed = zeros(fund.shape[0], np.bool_)
    for n in range(order.shape[0]):
        h, price = order[n], price_of[n]
        c = county[community[h]]
        counts[0, c] += 1
        if closed[c] or (paid[c] + price) * weight * county_share > fund[c]:
            closed[c] = True  # first come, first served: nobody overtakes
            continue
        counts[1, c] += 1
        paid[c] += price
        savings_yuan[h] += price
        sold[c] += land_mu[h]
        pool_mu[community[h]] += land_mu[h]
        land_mu[h] = 0
        has_homestead[h] = 0
        has_collective_share[h] = 0


def _lend(world: World, p: LandParams, homes: np.ndarray) -> None:
    households, persons, geography = world.households, world.persons, world.geography
    villages = geography.villages
    county = _village_county(world)
    lends = np.array([lend_share(each, p) for each in _security(world, p).tolist()])
    rows = len(households)
    counts = np.zeros((blocks_of(rows), villages, 5), np.int64)
    _uses(
        rows,
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
        homes,
        lends,
        record(p),
        counts,
    )
    counts = counts.sum(axis=0)
    tenths, farmers, homesteads = counts[:, : _IDLE_MU + 1], counts[:, _FARMERS], counts[:, _HOMESTEADS]
    # the pool of the collective is let for rent like other land
    pool = np.rint(world.village_pool_mu[:villages] * TENTHS).astype(np.int64)
    pool_free = np.rint(pool * p.rent_free_share).astype(np.int64)
    tenths[:, _FREE_MU] += pool_free
    tenths[:, _PAID_MU] += pool - pool_free
    # stayers take no more than they can work; paid land is left first
    scale = world.above("rural.scale_farming")
    larger = np.array([scale_factor(each, p.scale_farming_capacity_ratio) for each in scale.tolist()])
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
    return np.bincount(county, values, counties).astype(np.int64)  # whole numbers: exact


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
    homes,
    lends_share,
    p,
    counts_of,
):
    """Add up in ``counts_of`` (blocks, villages, 5) tenths of a mu by use, farmers at home and empty homesteads."""
    p = p[0]
    counts = counts_of[block[2]]
    luck = stream(seed, Decision.LEND_FREE, 0)
    first_year, last_year = math.ceil(year - p.working_age_max_yr), math.floor(year - p.working_age_min_yr)  # of birth
    free_share = p.rent_free_share
    for h in rows_of(block):
        v = np.uint16(community[h])
        if v >= county.shape[0]:
            continue
        main_home, away_home = _at_home(homes, v, place[h]), _at_home(homes, v, away_place[h])
        hands, working = 0, 0
        if main_home | away_home:
            for i in range(np.uint64(first_member[h]), np.uint64(first_member[h] + members[h])):
                at_home = away_home if is_away[i] else main_home
                hands += at_home & (first_year <= birth_year[i]) & (birth_year[i] <= last_year)
                working += at_home & (activity[i] == Activity.FARMER)
            counts[v, _FARMERS] += working
        else:
            counts[v, _HOMESTEADS] += has_homestead[h]
        if (land_mu[h] <= 0.0) | (hands + working > 0):
            continue
        lends, free = uniform(luck, key[h], _LENDS) < lends_share[county[v]], uniform(luck, key[h], _FREE) < free_share
        use = (_FREE_MU if free else _PAID_MU) if lends else _IDLE_MU
        counts[v, use] += np.int64(np.rint(land_mu[h] * TENTHS))
