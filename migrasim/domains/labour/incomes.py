"""What everybody and every household earns: pay, farm incomes, transfers, and what those away send home."""

from __future__ import annotations

import numpy as np

from migrasim.core.codes import N_SECTORS, N_TIERS, Activity, Schooling, Sector, Sex, Tier
from migrasim.core.rule import kernel, members_of, record, rows_of, rule, threaded_kernel
from migrasim.domains.labour import rules
from migrasim.domains.labour.market import MONTHS_A_YEAR, newcomer_pay, params
from migrasim.world import Livelihood, World

_AGES = 100  # beyond them pay hangs on age no more
_EIGHT = np.uint64(8)  # levels of schooling and activities are no more
_TRAITS = 128  # of an age
_SEXES, _SCHOOLINGS, _ACTIVITIES = len(Sex), len(Schooling), len(Activity)
_BEFORE_CHAINS = N_SECTORS - 1  # kinds of job before that of chain 1


@rule
def _trait(age, sex, schooling, activity):
    """Where in `fill_factors` somebody stands."""
    group = (np.uint64(age) * np.uint64(2) + np.uint64(sex)) * _EIGHT + np.uint64(schooling)
    return group * _EIGHT + np.uint64(activity)


@kernel
def fill_factors(p, factors):
    """Fill ``factors`` (_AGES * _TRAITS,), by `_trait`, with what `earning_factor` says."""
    p = p[0]
    for age in range(_AGES):
        for sex in range(_SEXES):
            for schooling in range(_SCHOOLINGS):
                for activity in range(_ACTIVITIES):
                    factor = rules.earning_factor(age, sex, schooling, activity, p)
                    factors[_trait(age, sex, schooling, activity)] = factor


@threaded_kernel
def fill_livelihood(
    block, first, members, place, away_place, home_place, community, community_county, villages, land_mu, has_share,
    birth_year, sex, schooling, activity, sector, chain, is_away, pay, newcomer, year, factors, leased,
    dividend_each, growth, farm_index, hands, transfers, pensions, p, factor, income, farm, needed, other, dividend,
):  # fmt: skip
    """Fill the columns of `Livelihood`, household by household, in one pass over the persons.

    ``pay`` (places * kinds,) by place and kind of job is for factor 1, 0 for who has a job of no kind inside, and 0 for
    the last kind, that of all who do not work; ``newcomer`` (places + 1,) a factor on it for who is registered
    elsewhere, and last the 1 of all others; ``factors`` what `fill_factors` fills. Nothing branches by person: numbers
    with a fraction are looked up, as to choose between two of them is a branch.
    """
    p = p[0]
    local, oldest = np.uint8(newcomer.shape[0] - 1), _AGES - 1
    kinds = np.uint64(pay.shape[0] // (newcomer.shape[0] - 1))
    no_work = np.uint8(kinds - np.uint64(1))
    for h in rows_of(block):
        # numbers without a sign are no rows from the end; who is away nowhere is nobody
        main_place, other_place = np.uint8(place[h]), min(np.uint8(away_place[h]), np.uint8(local - 1))
        home, village = np.uint8(home_place[h]), np.uint16(community[h])
        main_step = local if main_place == home else main_place
        other_step = local if other_place == home else other_place
        main_pay, other_pay = kinds * main_place, kinds * other_place
        farmers, pensioners, at_home = 0, 0, 0
        for i in members_of(first, members, h):
            away, does, branch, in_chain = np.uint8(is_away[i] > 0), activity[i], sector[i], chain[i]
            kind = np.uint8(branch if in_chain == 0 else in_chain + _BEFORE_CHAINS)
            paid = (other_pay if away else main_pay) + (kind if does == Activity.WORKER else no_work)
            age = min(max(0, np.int64(year) - birth_year[i]), oldest)
            skill = factors[_trait(age, sex[i], schooling[i], does)]
            factor[i] = skill
            income[i] = np.float32(skill * pay[paid]) * newcomer[other_step if away else main_step]
            at_home += 1 - away
            farmers += (does == Activity.FARMER) & (1 - away)
            pensioners += does == Activity.RETIRED
        leased_mu = leased[village] * farmers if village < villages else 0.0
        full = np.float32(rules.farm_full_yuan(land_mu[h], leased_mu, p) * growth)
        wanted = np.float32(rules.farmers_needed(land_mu[h], leased_mu, p))
        county = community_county[village]
        if county >= 0:
            full, wanted = np.float32(full * farm_index[county]), np.float32(wanted / hands[county])
        farm[h], needed[h] = full, wanted
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
    pay = np.zeros((geography.places, len(kinds) + 1))
    pay[:inside, Sector.NONE + 1 : -1] = wage[:, Sector.NONE + 1 :]
    pay[inside:, :-1] = world.place.wage_newcomer_yuan_yr[inside:, None]
    newcomer = np.ones(geography.places + 1)
    newcomer[:inside] = newcomer_pay(world, p)
    factors = np.zeros(_AGES * _TRAITS, np.float32)
    fill_factors(record(p), factors)
    hands = np.array([rules.hands_factor(float(each), p) for each in world.above("rural.scale_farming")])
    leased = world.memory.get("leased_in_mu_per_farmer", np.zeros(geography.communities))
    columns = [np.empty(len(table), np.float32) for table in 2 * (persons,) + 4 * (households,)]
    fill_livelihood(
        len(households),
        world.first_member,
        world.members,
        households.place,
        households.away_place,
        households.home_place,
        households.community,
        geography.community_county,
        geography.villages,
        households.land_mu,
        households.has_collective_share,
        persons.birth_year,
        persons.sex,
        persons.schooling,
        persons.activity,
        persons.sector,
        persons.chain,
        persons.is_away,
        pay.ravel(),
        newcomer,
        world.year,
        factors,
        leased,
        world.county.dividend_yuan_yr_pers,
        growth,
        world.memory["farm_index"],
        hands,
        p.transfer_income_yuan_yr_pers,
        p.pension_yuan_yr,
        record(p),
        *columns,
    )
    world.livelihood = Livelihood(*columns)


@threaded_kernel
def household_income(
    block, asked, first, members, activity, is_away, community, community_county, land_mu, land_rent, income, farm,
    needed, other, dividend, remitted, result, away_result,
):  # fmt: skip
    """Fill ``result`` (asked, int64 yuan) with what the main part has and ``away_result`` with the away part's.

    Those away keep what they earn but for the share that they send home. ``asked`` are the rows of the households;
    None asks for all.
    """
    for n in rows_of(block):
        h = n if asked is None else asked[n]
        main = np.float64(other[h]) + np.float64(dividend[h])  # float() would stay in 32 bits: sums hang on order
        away = 0.0
        farmers = 0
        for i in members_of(first, members, h):
            earned = np.float64(income[i])
            earned_away = earned * np.float64(is_away[i])  # all or nothing of it: to choose one of them is a branch
            away += earned_away
            main += earned - earned_away
            farmers += (activity[i] == Activity.FARMER) & (is_away[i] == 0)
        worked = rules.worked_share(farmers, needed[h])
        main += farm[h] * worked + remitted * away
        away -= remitted * away
        county = community_county[np.uint16(community[h])]
        if county >= 0:
            main += land_mu[h] * (1.0 - worked) * land_rent[county]
        result[n] = np.int64(main)
        away_result[n] = np.int64(away)


def incomes(world: World, asked: np.ndarray | None = None) -> np.ndarray:
    """(asked, 2) int64 income of the year in yuan of 2020: of the main part, of those who are away.

    Parameters
    ----------
    asked : rows of the households whose income is wanted; all where not given
    """
    live, persons, households = world.livelihood, world.persons, world.households
    result = np.empty((2, len(households) if asked is None else len(asked)), np.int64)
    household_income(
        result.shape[1],
        asked,
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
