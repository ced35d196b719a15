"""What everybody and every household earns: pay, farm incomes, transfers, and what those away send home."""

from __future__ import annotations

import numpy as np

from migrasim.core.codes import N_SECTORS, N_TIERS, Activity, Schooling, Sex, Tier
from migrasim.core.rule import kernel, rows_of, scalars, threaded_kernel
from migrasim.domains.labour import rules
from migrasim.domains.labour.market import MONTHS_A_YEAR, newcomer_pay, params
from migrasim.world import Livelihood, World

_AGES = 100  # beyond them pay hangs on age no more


@kernel
def fill_factors(p, factors):
    """Fill ``factors`` (ages, sexes, levels of schooling, activities) with what `earning_factor` says."""
    for age in range(factors.shape[0]):
        for sex in range(factors.shape[1]):
            for schooling in range(factors.shape[2]):
                for activity in range(factors.shape[3]):
                    factors[age, sex, schooling, activity] = rules.earning_factor(age, sex, schooling, activity, p[0])


@threaded_kernel
def _persons(
    block,
    household,
    is_away,
    home_place,
    place,
    away_place,
    birth_year,
    sex,
    schooling,
    activity,
    sector,
    chain,
    wage,
    newcomer,
    outside,
    year,
    factors,
    factor,
    income,
):
    for i in rows_of(block):
        h = household[i]
        here = away_place[h] if is_away[i] else place[h]
        age = min(max(0, np.int64(year) - birth_year[i]), factors.shape[0] - 1)
        factor[i] = factors[age, sex[i], schooling[i], activity[i]]
        income[i] = 0.0
        if activity[i] == Activity.WORKER:
            if here >= wage.shape[0]:
                income[i] = factor[i] * outside[here - wage.shape[0]]
            elif sector[i] > 0:
                income[i] = factor[i] * wage[here, sector[i] if chain[i] == 0 else N_SECTORS - 1 + chain[i]]
                if here != home_place[h]:
                    income[i] *= newcomer[here]


@threaded_kernel
def _households(
    block,
    first,
    members,
    community,
    community_county,
    villages,
    home_place,
    land_mu,
    has_share,
    birth_year,
    activity,
    is_away,
    leased,
    dividend_each,
    growth,
    farm_index,
    hands,
    transfers,
    pensions,
    p,
    farm,
    needed,
    other,
    dividend,
):
    for h in rows_of(block):
        farmers, pensioners, at_home = 0, 0, 0
        for i in range(first[h], first[h] + members[h]):
            if is_away[i] == 0:
                at_home += 1
                if activity[i] == Activity.FARMER:
                    farmers += 1
            if activity[i] == Activity.RETIRED:
                pensioners += 1
        leased_mu = leased[community[h]] * farmers if community[h] < villages else 0.0
        farm[h] = rules.farm_full_yuan(land_mu[h], leased_mu, p) * growth
        needed[h] = rules.farmers_needed(land_mu[h], leased_mu, p)
        county = community_county[community[h]]
        if county >= 0:
            farm[h] *= farm_index[county]
            needed[h] /= hands[county]
        tier = home_place[h] % N_TIERS if county >= 0 else Tier.TOWN
        other[h] = growth * (transfers[tier] * at_home + pensions[tier] * pensioners)
        dividend[h] = dividend_each[county] * members[h] if has_share[h] and county >= 0 else 0.0


def livelihood(world: World) -> None:
    """Write down what everybody and every household earns as the year begins."""
    p = params(world)
    persons, households, geography = world.persons, world.households, world.geography
    growth = float(world.memory["growth_index"][0])
    inside = geography.inside
    tier = np.arange(inside) % N_TIERS
    kinds = np.concatenate([p.wage_sector_ratio, p.wage_chain_ratio[1:]])
    wage = p.wage_local_yuan_mo * MONTHS_A_YEAR * growth * p.wage_tier_ratio[tier][:, None] * kinds[None, :]
    world.memory["wage_yuan_yr"] = wage
    outside = world.place.wage_newcomer_yuan_yr[inside:].copy()
    factor, income = np.zeros(len(persons), np.float32), np.zeros(len(persons), np.float32)
    factors = np.zeros((_AGES, len(Sex), len(Schooling), len(Activity)))
    fill_factors(scalars(p), factors)
    _persons(
        len(persons),
        persons.household,
        persons.is_away,
        households.home_place,
        households.place,
        households.away_place,
        persons.birth_year,
        persons.sex,
        persons.schooling,
        persons.activity,
        persons.sector,
        persons.chain,
        wage,
        newcomer_pay(world, p),
        outside,
        world.year,
        factors,
        factor,
        income,
    )
    farm, needed, other, dividend = (np.zeros(len(households), np.float32) for _ in range(4))
    hands = np.array([rules.hands_factor(float(each), p) for each in world.above("rural.scale_farming")])
    leased = world.memory.get("leased_in_mu_per_farmer", np.zeros(geography.communities))
    _households(
        len(households),
        world.first_member,
        world.members,
        households.community,
        geography.community_county,
        geography.villages,
        households.home_place,
        households.land_mu,
        households.has_collective_share,
        persons.birth_year,
        persons.activity,
        persons.is_away,
        leased,
        world.county.dividend_yuan_yr_pers,
        growth,
        world.memory["farm_index"],
        hands,
        p.transfer_income_yuan_yr_pers,
        p.pension_yuan_yr,
        scalars(p)[0],
        farm,
        needed,
        other,
        dividend,
    )
    world.livelihood = Livelihood(factor, income, farm, needed, other, dividend)


@threaded_kernel
def household_income(
    block, asked, first, members, activity, is_away, community, community_county, land_mu, land_rent, income, farm,
    needed, other, dividend, remitted, result, away_result,
):  # fmt: skip
    """Fill ``result`` (households, int64 yuan) with what the main part has and ``away_result`` with the away part's.

    Those away keep what they earn but for the share that they send home. Households that are not ``asked``
    (households,) are passed over.
    """
    for h in rows_of(block):
        if not asked[h]:
            continue
        main = np.float64(other[h]) + np.float64(dividend[h])  # float() would stay in 32 bits: sums hang on order
        away = 0.0
        farmers = 0
        for i in range(first[h], first[h] + members[h]):
            if is_away[i]:
                away += income[i]
            else:
                main += income[i]
                if activity[i] == Activity.FARMER:
                    farmers += 1
        worked = rules.worked_share(farmers, needed[h])
        main += farm[h] * worked + remitted * away
        away -= remitted * away
        county = community_county[community[h]]
        if county >= 0:
            main += land_mu[h] * (1.0 - worked) * land_rent[county]
        result[h] = np.int64(main)
        away_result[h] = np.int64(away)


def incomes(world: World, asked: np.ndarray | None = None) -> np.ndarray:
    """(households, 2) int64 income of the year in yuan of 2020: of the main part, of those who are away.

    Parameters
    ----------
    asked : (households,) bool whose income is wanted, 0 for the others; all where not given
    """
    result = np.zeros((2, len(world.households)), np.int64)
    live, persons, households = world.livelihood, world.persons, world.households
    household_income(
        len(households),
        np.ones(len(households), np.bool_) if asked is None else asked,
        world.first_member,
        world.members,
        persons.activity,
        persons.is_away,
        households.community,
        world.geography.community_county,
        households.land_mu,
        world.county.land_rent_yuan_yr_mu,
        live.income_yuan,
        live.farm_full_yuan,
        live.farmers_needed,
        live.other_income_yuan,
        live.dividend_yuan,
        params(world).remittance_share,
        result[0],
        result[1],
    )
    return result.T
