"""Jobs, wages and farm incomes of a year; chances between waves; matching at the end."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from migrasim.core.chance import Decision, draw, stream, uniform
from migrasim.core.codes import N_SECTORS, N_TIERS, Activity, Schooling, Sector, Sex, Skill, Tier
from migrasim.core.lottery import by_lot, lowest
from migrasim.core.rule import kernel, rows_of, scalars, threaded_kernel
from migrasim.domains.labour import chains, rules
from migrasim.domains.labour.rules import LabourParams
from migrasim.facts import BASE_YEAR
from migrasim.world import Livelihood, World, job_kinds

MONTHS_A_YEAR = 12.0
_SKILLS = len(Skill)
_AGES = 100  # beyond them pay hangs on age no more
_HIGH_SKILL = (Sector.IT, Sector.FINANCE, Sector.LEASING_BUSINESS, Sector.SCIENCE_TECHNICAL)
_TOURISM = (Sector.LODGING_CATERING, Sector.CULTURE_SPORT)
_TRADED = (Sector.MANUFACTURING, Sector.WHOLESALE_RETAIL, Sector.TRANSPORT_POST)
_SERVED = (Sector.WHOLESALE_RETAIL, Sector.LODGING_CATERING, Sector.RESIDENT_SERVICES)


def params(world: World) -> LabourParams:
    """Facts of this domain for the world's year."""
    return world.inputs.params("labour", LabourParams, year=world.year)


@kernel
def count_seekers(household, is_away, place, away_place, activity, places):
    """(places,) int64 people who seek work."""
    seekers = np.zeros(places, np.int64)
    for i in range(household.shape[0]):
        if activity[i] == Activity.SEEKING:
            h = household[i]
            seekers[away_place[h] if is_away[i] else place[h]] += 1
    return seekers


def start(world: World) -> None:
    """Jobs of the base year: those taken and a share of vacancies; farming has as many as it has hands."""
    p = params(world)
    world.filled[:] = world.count_filled()
    world.jobs[:] = world.filled * world.weight / (1.0 - p.vacancy_share)
    world.memory["jobs_base"] = world.jobs.copy()
    world.memory["urban_base"] = _by_place_urban(world)
    world.memory["growth_index"] = np.full(1, _growth_index(world))
    world.measures["chain_output_yuan"] = chains.output_yuan(world, p)
    world.memory["service_jobs"] = np.zeros(world.geography.places)
    world.memory["farm_index"] = np.ones(world.geography.counties)
    seeking = seekers(world)
    taken = world.filled[:, Sector.AGRICULTURE + 1 :].sum(axis=1)
    jobs = world.jobs[:, Sector.AGRICULTURE + 1 :].sum(axis=1) / world.weight
    world.memory["pressure_base"] = (taken + seeking) / np.maximum(jobs, 1.0)


def _growth_index(world: World) -> float:
    """Index of real incomes in the base year: 1 in 2020, whose pay the facts hold."""
    index = 1.0
    for year in range(world.base + 1, BASE_YEAR + 1):
        index /= 1.0 + world.inputs.params("labour", LabourParams, year=year).growth_rate_yr
    return index


def _by_place_urban(world: World) -> np.ndarray:
    return np.maximum(1.0, world.residents().astype(np.float64))


def seekers(world: World) -> np.ndarray:
    """(places,) people who seek work, counted anew from the columns, in sample units."""
    persons, households = world.persons, world.households
    return np.asarray(
        count_seekers(
            persons.household,
            persons.is_away,
            households.place,
            households.away_place,
            persons.activity,
            world.geography.places,
        )
    )


def run(world: World) -> None:
    """Create and end jobs, set wages and farm incomes, and write down what everybody earns."""
    p = params(world)
    memory, geography = world.memory, world.geography
    memory["growth_index"] = memory["growth_index"] * (1.0 + p.growth_rate_yr)
    growth = rules.jobs_index(world.base, world.year, p.job_growth_2010s_rate_yr, p.job_growth_rate_yr) * _convergence(
        world, p
    )
    residents = _by_place_urban(world)
    served = p.resident_served_sector[None, :] > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        following = np.where(memory["urban_base"] > 0, residents / memory["urban_base"], 1.0)
    base = memory["jobs_base"]
    sectors = base[:, :N_SECTORS] * growth[:, None] * np.where(served, following[:, None], 1.0)
    sectors[:, Sector.AGRICULTURE] = np.inf  # own land takes all hands
    chain_jobs, new_jobs = chains.jobs(world)
    target = memory["service_jobs_target"] if "service_jobs_target" in memory else np.zeros(geography.places)
    memory["service_jobs"] += (target - memory["service_jobs"]) / max(1.0, p.service_lag_yr)
    scale = world.levers["industry.service_multiplier"]
    brought = new_jobs @ p.service_chain_share[1:] * p.service_multiplier
    county = np.arange(geography.places) // N_TIERS
    inside = geography.inside
    brought[:inside] *= scale[county[:inside]]
    memory["service_jobs_target"] = brought
    for sector in _SERVED:
        sectors[:inside, sector] += memory["service_jobs"][:inside] / len(_SERVED)
    local = _lever_jobs(world, sectors, p)
    world.jobs[:, :N_SECTORS] = sectors
    world.jobs[:, N_SECTORS:] = chain_jobs
    _end_jobs(world)
    chains.fill_workshops(world, np.minimum(world.units(local), _free(world, Sector.MANUFACTURING)))
    lever = "rural.farm_income_growth"
    for c, (now, quo) in enumerate(zip(world.levers[lever], world.inputs.status_quo(lever), strict=True)):
        memory["farm_index"][c] *= rules.farm_growth(float(now), float(quo))
    update(world)
    livelihood(world)


def _convergence(world: World, p: LabourParams) -> np.ndarray:
    """(places,) `rules.convergence_factor` of towns and seats by their county; 1 elsewhere, and in runs from 2020."""
    factor = np.ones(world.geography.places)
    if world.base >= BASE_YEAR:
        return factor
    jobs = world.memory["jobs_base"][: world.geography.inside, Sector.AGRICULTURE + 1 : N_SECTORS].sum(axis=1)
    towns = np.stack([jobs, world.memory["urban_base"][: world.geography.inside] * world.weight], axis=1)
    towns = towns.reshape(world.geography.counties, N_TIERS, 2)[:, Tier.TOWN :].sum(axis=1)
    ratio = towns[:, 0] / np.maximum(1.0, towns[:, 1]) / (towns[:, 0].sum() / towns[:, 1].sum())
    for c in range(world.geography.counties):
        factor[N_TIERS * c + Tier.TOWN : N_TIERS * (c + 1)] = rules.convergence_factor(
            world.base, world.year, float(ratio[c]), p.job_convergence_2010s_elasticity
        )
    return factor


def _lever_jobs(world: World, sectors: np.ndarray, p: LabourParams) -> np.ndarray:
    """Change ``sectors`` (places, sectors) by levers other than the chains, all over their status quo.

    Returns (places,) jobs of workshops in villages, at full scale.
    """
    geography = world.geography
    efficiency = world.above("governance.land_efficiency")
    by_sector = (
        (_HIGH_SKILL, world.above("urban.innovative"), p.innovative_jobs_ratio),
        (_TOURISM, world.above("urban.cultural"), p.cultural_jobs_ratio),
        (_TRADED, world.above("spatial.cluster_integration"), p.cluster_jobs_ratio),
    )
    land_m2 = world.memory.get("quota_land_m2", np.zeros(geography.counties))
    workshops = world.above("rural.local_jobs")
    local = np.zeros(geography.places)
    for d in range(geography.inside):
        c, tier = d // N_TIERS, d % N_TIERS
        if tier == Tier.VILLAGE:
            local[d] = p.local_jobs_village_share * workshops[c]
            sectors[d, Sector.MANUFACTURING] += local[d]
            continue
        denser = rules.jobs_factor(float(efficiency[c]), p.land_efficiency_jobs_ratio)
        sectors[d, Sector.AGRICULTURE + 1 :] *= denser
        for chosen, above, ratio in by_sector:
            for sector in chosen:
                sectors[d, sector] *= rules.jobs_factor(float(above[c]), ratio)
        if tier == Tier.TOWN:
            sectors[d, Sector.MANUFACTURING] += (1.0 - p.local_jobs_village_share) * workshops[c]
        else:
            more = p.quota_jobs_m2 * land_m2[c] * denser
            sectors[d, Sector.MANUFACTURING] = max(0.0, sectors[d, Sector.MANUFACTURING] + more)
    return local


def _newcomer_pay(world: World, p: LabourParams) -> np.ndarray:
    """(inside,) factor on the pay of those registered elsewhere, 1 at the status quo."""
    equal, arrears = "employment.equal_pay", "employment.wage_arrears_control"
    factor = np.ones(world.geography.counties)
    fill_newcomer_pay(
        world.levers[equal],
        world.inputs.status_quo(equal),
        world.levers[arrears],
        world.inputs.status_quo(arrears),
        p,
        factor,
    )
    return np.repeat(factor, N_TIERS)


@kernel
def fill_newcomer_pay(equal, equal_base, arrears, arrears_base, p, factor):
    """Multiply ``factor`` (counties,) with what equal pay and control of arrears change."""
    for c in range(factor.shape[0]):
        factor[c] *= rules.equal_pay_factor(equal[c], equal_base[c], p)
        factor[c] *= rules.arrears_factor(arrears[c], arrears_base[c], p)


def _match_chances(world: World, p: LabourParams) -> np.ndarray:
    """(counties,) chance that a seeker meets a fitting vacancy within the year."""
    return np.asarray(match_chances(world.above("employment.matching"), p))


@kernel
def match_chances(matching_above, p):
    """(counties,) what `rules.match_chance` says of each county."""
    chances = np.empty(matching_above.shape[0])
    for c in range(matching_above.shape[0]):
        chances[c] = rules.match_chance(matching_above[c], p)
    return chances


def _end_jobs(world: World) -> None:
    """Where a kind of job has fewer places than people, the excess loses it, by keyed luck."""
    excess = np.maximum(0, world.filled - _capacity(world))
    excess[:, Sector.AGRICULTURE] = 0
    excess[world.geography.inside :] = 0
    if not excess.any():
        return
    persons, households = world.persons, world.households
    in_excess = np.zeros(len(persons), np.bool_)
    _mark_excess(
        len(persons), persons.household, persons.is_away, households.place, households.away_place, persons.sector,
        persons.chain, excess, in_excess,
    )  # fmt: skip
    lose_jobs(
        np.flatnonzero(in_excess),
        persons.key,
        persons.household,
        persons.is_away,
        households.place,
        households.away_place,
        persons.activity,
        persons.sector,
        persons.chain,
        excess,
        world.filled,
        np.uint64(stream(world.seed, int(Decision.JOB_LOSS), world.year)),
    )


def _free(world: World, kind: int) -> np.ndarray:
    """(places,) vacancies of a kind of job, in sample units; below 0 where there are too many workers."""
    return np.asarray(_capacity(world)[:, kind] - world.filled[:, kind])


def _capacity(world: World) -> np.ndarray:
    finite = np.where(np.isfinite(world.jobs), world.jobs, 0.0)
    capacity = world.units(finite)
    capacity[~np.isfinite(world.jobs)] = np.iinfo(np.int32).max
    return capacity


@threaded_kernel
def _mark_excess(block, household, is_away, place, away_place, sector, chain, excess, in_excess):
    """Mark in ``in_excess`` (persons,) who has a job of which there are too many where they live."""
    for i in rows_of(block):
        h = household[i]
        here = away_place[h] if is_away[i] else place[h]
        kind = sector[i] if chain[i] == 0 else N_SECTORS - 1 + chain[i]
        in_excess[i] = (sector[i] > 0) & (excess[here, kind] > 0)


@kernel
def lose_jobs(who, key, household, is_away, place, away_place, activity, sector, chain, excess, filled, stream_key):
    """Take ``excess`` (places, kinds) jobs from those in rows ``who``, who have one of them, with the lowest draws."""
    kinds = excess.shape[1]
    cell, luck = np.empty(who.shape[0], np.int64), np.empty(who.shape[0], np.uint64)
    for n in range(who.shape[0]):
        i = who[n]
        here = away_place[household[i]] if is_away[i] else place[household[i]]
        cell[n] = here * kinds + (sector[i] if chain[i] == 0 else N_SECTORS - 1 + chain[i])
        luck[n] = draw(stream_key, key[i], 0)
    for n in np.flatnonzero(lowest(cell, luck, excess.ravel())):
        i = who[n]
        filled[cell[n] // kinds, cell[n] % kinds] -= 1
        activity[i] = Activity.SEEKING
        sector[i] = Sector.NONE
        chain[i] = 0


def update(world: World) -> None:
    """Vacancies, seekers and so the newcomer's chance and wage, brought up to date; seekers are counted anew."""
    world.measures["seekers"] = seekers(world)
    updates(world)()


def updates(world: World) -> Callable[[], None]:
    """What does the same between waves, where moves count the seekers on; what no wave changes is worked out once."""
    p = params(world)
    geography, place = world.geography, world.place
    growth = world.memory["growth_index"][0]
    ahead = (1.0 + p.outside_growth_difference_yr) ** max(0, world.year - max(world.base, BASE_YEAR))
    outside = p.wage_outside_yuan_mo * MONTHS_A_YEAR * growth * ahead
    place.wage_newcomer_yuan_yr[geography.near] = outside * p.wage_near_share
    place.wage_newcomer_yuan_yr[geography.far] = outside
    place.work_chance_share[geography.inside :] = p.outside_work_share
    efficiency, roads = _match_chances(world, p) / p.match_prob, world.above("transport.rural_roads")
    capacity = _capacity(world)[:, Sector.AGRICULTURE + 1 :].sum(axis=1)
    pressure_base, pay = world.memory["pressure_base"], _newcomer_pay(world, p)
    vacancies = np.zeros(geography.places, np.int64)

    def bring_up_to_date() -> None:
        fill_chances(
            efficiency,
            roads,
            world.filled,
            world.measures["seekers"],
            capacity,
            pressure_base,
            pay,
            growth,
            p,
            vacancies,
            place.work_chance_share,
            place.wage_newcomer_yuan_yr,
            place.newcomer_pay_share,
        )
        world.measures["vacancies"] = vacancies

    return bring_up_to_date


@kernel
def fill_chances(
    efficiency, roads, filled, seekers, capacity, pressure_base, pay, growth, p, vacancies, chances, wages, pay_shares
):
    """Fill ``vacancies`` (places,); chance of work, expected wage and share of local pay of a newcomer to those inside.

    ``efficiency`` of matching over that of the status quo and ``roads`` over the status quo are (counties,),
    ``filled`` (places, kinds), the other counts and ``pay``, the factor of `_newcomer_pay`, by place.
    """
    for d in range(vacancies.shape[0]):
        taken = 0
        for kind in range(Sector.AGRICULTURE + 1, filled.shape[1]):
            taken += filled[d, kind]
        vacancies[d] = max(0, capacity[d] - taken)
        if d >= pay.shape[0]:
            continue
        c, tier = d // N_TIERS, d % N_TIERS
        if tier == Tier.VILLAGE:
            chances[d] = rules.village_work_chance(roads[c], p)
        else:
            chances[d] = rules.work_chance(
                efficiency[c] * vacancies[d], efficiency[c] * p.turnover_rate_yr * taken, float(seekers[d]), p
            )
        pressure = rules.wage_pressure(float(taken + seekers[d]), float(capacity[d]), pressure_base[d], p)
        wage = p.wage_local_yuan_mo * MONTHS_A_YEAR * p.wage_tier_ratio[tier] * p.newcomer_pay_share
        wages[d] = wage * pressure * growth * pay[d]
        pay_shares[d] = p.newcomer_pay_share * pay[d]


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
        _newcomer_pay(world, p),
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


@kernel
def match_seekers(
    who,
    key,
    household,
    is_away,
    place,
    away_place,
    home_place,
    land_mu,
    activity,
    sector,
    chain,
    skill,
    vacancies,
    filled,
    kinds_by_wage,
    skill_asked,
    prob,
    prob_outside,
    gate,
    train_share,
    inside,
    seed,
    year,
):
    """Seekers, in rows ``who``, take the best-paid vacancy that asks no more skill, in the order of a keyed lottery.

    A share is trained up one level first (``train_share`` by county). In villages, seekers of
    households with land farm it. Counts of placements are returned by place.
    """
    stream_key = stream(seed, Decision.JOB, year)
    train_key = stream(seed, Decision.TRAIN, year)
    placed = np.zeros(filled.shape[0], np.int64)
    luck = np.empty(who.shape[0], np.uint64)
    for n in range(who.shape[0]):
        luck[n] = draw(stream_key, key[who[n]], 1)
    kinds = kinds_by_wage.shape[0]
    # by place and skill, the first kind of job that may be free: no vacancy opens while they are given out
    best = np.zeros((filled.shape[0], _SKILLS), np.int64)
    for o in by_lot(luck):
        i = who[o]
        h = household[i]
        here = away_place[h] if is_away[i] else place[h]
        if here >= inside:
            activity[i] = Activity.WORKER if uniform(stream_key, key[i], 2) < prob_outside else Activity.SEEKING
            continue
        county = here // N_TIERS
        if skill[i] < 2 and uniform(train_key, key[i], 0) < train_share[county]:
            skill[i] += 1
        if uniform(stream_key, key[i], 3) < prob[county]:
            n = best[here, skill[i]]
            while n < kinds and (vacancies[here, kinds_by_wage[n]] <= 0 or skill[i] < skill_asked[kinds_by_wage[n]]):
                n += 1
            best[here, skill[i]] = n
            if n < kinds:
                k = kinds_by_wage[n]
                vacancies[here, k] -= 1
                filled[here, k] += 1
                activity[i] = Activity.WORKER
                if k < N_SECTORS:
                    sector[i] = k
                else:
                    chain[i] = k - N_SECTORS + 1
                    sector[i] = gate[k - N_SECTORS]
                placed[here] += 1
        if activity[i] == Activity.SEEKING and here % N_TIERS == Tier.VILLAGE and land_mu[h] > 0.0:
            activity[i] = Activity.FARMER
            sector[i] = Sector.AGRICULTURE
            filled[here, Sector.AGRICULTURE] += 1
    return placed


def match(world: World) -> None:
    """Seekers meet vacancies; training lifts skills; who finds none goes on seeking."""
    p = params(world)
    persons, households = world.persons, world.households
    kinds = job_kinds(len(world.memory["chain_sector"]))
    wage = np.concatenate([p.wage_sector_ratio, p.wage_chain_ratio[1:]])
    asked = np.concatenate([p.skill_asked_sector, p.skill_asked_chain[1:]])
    order = np.argsort(-wage, kind="stable")
    order = order[order > int(Sector.AGRICULTURE)].astype(np.int64)
    vacancies = np.maximum(0, _capacity(world) - world.filled)
    training = world.levers["residence_permit.training"] * world.levers["residence_permit.one_pass"]
    places = world.levers["employment.training_places"]
    seekers = world.measures["seekers"][: world.geography.inside].reshape(-1, N_TIERS).sum(axis=1) * world.weight
    share = np.minimum(1.0, places / np.maximum(seekers, 1.0)) * training
    world.measures["placed"] = match_seekers(
        np.flatnonzero(persons.activity == Activity.SEEKING),
        persons.key,
        persons.household,
        persons.is_away,
        households.place,
        households.away_place,
        households.home_place,
        households.land_mu,
        persons.activity,
        persons.sector,
        persons.chain,
        persons.skill,
        vacancies,
        world.filled,
        order,
        asked,
        _match_chances(world, p),
        p.match_prob,
        world.memory["chain_sector"],
        share,
        world.geography.inside,
        world.seed,
        world.year,
    )
    assert kinds == world.jobs.shape[1]
    chains.fill_farming(world, _capacity(world))
    world.measures["chain_output_yuan"] = chains.output_yuan(world, p)
    update(world)
