"""Schooling, activity, jobs, dwellings, land and means of the synthetic people.

No published table crosses these with one another, so each is given by a margin that is exact by
county and an order of likelihood (age, place, sex, schooling) that is assumed; the orders below are
shapes, their levels come from the margins.
"""

from __future__ import annotations

import numpy as np

from migrasim.core.codes import Activity, Kind, Schooling, Sector, Sex, Skill, Tenure, Tier
from migrasim.population.margins import Margins, assumed, by_age, of_demography
from migrasim.population.raking import proportional_fit, whole, whole_table
from migrasim.region import Region

Columns = dict[str, np.ndarray]
_LEVELS = (
    "edu_none",
    "edu_primary",
    "edu_junior_middle",
    "edu_senior_middle",
    "edu_junior_college",
    "edu_bachelor_plus",
)
# Ages that laws set stand as numbers here: school from 6, junior school from 12, the end of compulsory school at 15
# (Compulsory Education Law), work from 16 (Labour Law), of age at 18 (Civil Code); censuses count adults from 15.
YEARS = np.array([0.0, 0.0, 6.0, 9.0, 12.0, 15.0, 16.0])  # of the schools, by level
SECTOR_NAMES = (
    "",
    *("agriculture", "mining", "manufacturing", "power_heat_gas_water", "construction", "wholesale_retail"),
    *("transport_post", "lodging_catering", "IT", "finance", "real_estate", "leasing_business", "science_technical"),
    *("water_environment_public", "resident_services", "education", "health_social", "culture_sport", "public_admin"),
)
SECONDARY = (Sector.MINING, Sector.MANUFACTURING, Sector.POWER_HEAT_GAS_WATER, Sector.CONSTRUCTION)
# households' parts by where they live and whether they are registered there, in the order of their groups
_PARTS = ("village_home", "village_elsewhere", "town_home", "town_elsewhere", "seat_home", "seat_elsewhere")


def give(
    region: Region, base: int, m: Margins, persons: Columns, households: Columns, rng: np.random.Generator
) -> None:
    """Fill schooling, activity, sector, chain, skill, tenure, land, savings, permit and years of stay."""
    h = persons["household"]
    place = np.where(persons["is_away"] == 1, households["away_place"][h], households["place"][h]).astype(np.int64)
    age = base - persons["birth_year"].astype(np.int64)
    single = households["kind"][h] == Kind.COLLECTIVE
    studies = studying(base, place < region.inside, age, single, rng)
    school(region, base, persons, place, age, single, studies, households["home_place"][h].astype(int), rng)
    _activity(region, base, persons, place, age, studies, rng)
    persons["skill"][:] = np.select(
        [persons["schooling"] >= Schooling.COLLEGE, persons["schooling"] == Schooling.SENIOR],
        [Skill.HIGH, Skill.MIDDLE],
        Skill.LOW,
    )
    persons["skill"][age < 15] = Skill.LOW
    _tenure(region, base, m, persons, households, rng)
    _means(region, base, persons, households, rng)
    _stays(base, persons, households, place, age, rng)


# -- schooling -------------------------------------------------------------------------------


def studying(
    base: int, resident: np.ndarray, age: np.ndarray, single: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(persons,) who is at school: everybody below 15 but small children, of the others by age and where they live.

    Most who go on after senior school do so outside, so few study at the ages of college inside and many outside.
    """
    a = assumed()
    in_college = age >= of_demography("college_age_yr")
    in_dormitory = single & (age < of_demography("college_leave_age_yr"))
    inside = np.where(in_dormitory, a.studying_collective_share, by_age(a.studying_share, age))
    entered = of_demography("college_2010_ratio") if base == 2010 else 1.0
    outside = by_age(a.studying_absent_share, age) * np.where(in_college, entered, 1.0)
    studies = (age >= 15) & (rng.random(age.size) < np.where(resident, inside, outside))
    return np.asarray(studies | ((age >= 6) & (age < 15)))


def school(
    region: Region,
    base: int,
    persons: Columns,
    place: np.ndarray,
    age: np.ndarray,
    single: np.ndarray,
    studies: np.ndarray,
    home_place: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Schooling: children and those at school by age, other adults by rank along the county's published counts.

    In 2020 the six levels are counts; who is in none of them is UNDER_AGE (the youngest). 2010
    publishes mean years at 15 and over only: the shape of 2020, tilted to that mean. Nobody has finished a school
    before the age at which the rules of the year let anybody leave it, and pupils are at a school of their age, so
    that the first year finds nobody to send away.
    """
    a = assumed()
    level = np.zeros(age.size, np.int64)
    luck = rng.random(age.size)
    level[(age >= 6) & (age < 18)] = Schooling.PRIMARY
    level[(age >= 13) | ((age == 12) & (luck < a.junior_at_12_share))] = Schooling.JUNIOR
    level[(age >= 15) & studies] = Schooling.SENIOR
    left_college = of_demography("college_leave_age_yr")
    student = studies & (age >= of_demography("college_age_yr"))
    to_bachelor = of_demography("bachelor_prob")
    share = to_bachelor / (to_bachelor + of_demography("college_prob"))
    bachelor = (place >= region.inside) & ((luck < share) | (age >= left_college))
    level[student] = np.where(bachelor, Schooling.BACHELOR, Schooling.COLLEGE)[student]
    grown = (age >= 18) & ~studies
    level[grown] = Schooling.UNDER_AGE
    capped = grown & (age < left_college)
    urban = (place < region.inside) & (place % 3 > 0)
    score = (
        a.schooling_age_gain * age
        + a.schooling_urban_gain * urban
        + a.schooling_men_gain * ((persons["sex"] == Sex.MALE) & (age > a.schooling_men_yr))
        + a.schooling_absent_gain * (place >= region.inside)
        + rng.normal(0.0, 1.0, age.size)
    )
    # the absent are judged by the thresholds of their own county
    county = np.where(place < region.inside, place // 3, np.minimum(home_place, region.inside - 1) // 3)
    resident = place < region.inside
    published = np.stack([region.census(2020, name) for name in _LEVELS], axis=1).astype(np.int64)
    for c in range(region.n_counties):
        here = np.flatnonzero(resident & (county == c))
        adults = here[grown[here]]
        known = here[~grown[here]]
        if base == 2020:
            under = here.size - int(published[c].sum())
            children = known[age[known] < 18]
            youngest = children[np.lexsort((luck[children], age[children]))][:under]
            level[youngest] = Schooling.UNDER_AGE
            rest = known[~np.isin(known, youngest)]
            level[rest] = np.maximum(level[rest], Schooling.PRIMARY)
            left = _rest(published[c], level[rest])
        else:
            left = _tilted(
                published.sum(axis=0) / published.sum(),
                age[here],
                level[here],
                region.census(2010, "avg_years_schooling_15plus")[c],
                adults.size,
            )
        order = adults[np.argsort(score[adults], kind="stable")]
        high = int(left[Schooling.COLLEGE - 1 :].sum())
        able = order[~capped[order]]
        able = able[max(able.size - high, 0) :]
        order = np.concatenate([order[~np.isin(order, able)], able])
        level[order] = np.repeat(np.arange(1, 7), left)
        edges = score[order][np.minimum(np.cumsum(left)[:-1], order.size - 1)]
        absent = np.flatnonzero(~resident & (county == c) & grown)
        level[absent] = 1 + np.searchsorted(edges, score[absent])
        level[absent] = np.where(capped[absent], np.minimum(level[absent], Schooling.SENIOR), level[absent])
    persons["schooling"][:] = level


def _rest(published: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(6,) how many of the published have a schooling that is not known yet; none where more are known."""
    left: np.ndarray = published - np.bincount(known, minlength=7)[1:]
    short = np.minimum(left, 0)
    if short.any():  # more pupils than the table: the rest of them stand a level lower
        left = np.maximum(left, 0)
        left[np.argmax(left)] += int(short.sum())
    return left


def _tilted(shape: np.ndarray, age: np.ndarray, level: np.ndarray, mean: float, adults: int) -> np.ndarray:
    """Adults by schooling whose mean years, with those of whom it is known, meet a published mean at 15 and over."""
    young = (age >= 15) & (level != Schooling.UNDER_AGE)
    wanted = (mean * (adults + young.sum()) - YEARS[level[young]].sum()) / adults
    low, high = -1.0, 1.0
    for _ in range(60):
        tilt = 0.5 * (low + high)
        share = shape * np.exp(tilt * YEARS[1:])
        share /= share.sum()
        if share @ YEARS[1:] < wanted:
            low = tilt
        else:
            high = tilt
    return whole(share * adults, adults)


# -- work ------------------------------------------------------------------------------------


def employment(region: Region, base: int, adults_16plus: np.ndarray) -> np.ndarray:
    """(counties, 20) employed residents by sector; column 0 is empty.

    2020: the long form's counts scaled to residents. 2010: the employment rate, the three published
    sectors, the shares printed for a few of the nineteen, and the shape of 2020 for the others.
    """
    table = np.zeros((region.n_counties, 20), np.int64)
    names = SECTOR_NAMES[1:]
    if base == 2020:
        table[:, 1:] = np.stack([region.long(f"emp_estimate_{name}", 2020) for name in names], axis=1)
        return table
    later = np.stack([region.long(f"emp_estimate_{name}", 2020) for name in names], axis=1)
    employed = region.long("employment_rate_16plus", 2010) / 100 * adults_16plus
    secondary = np.array([int(s) - 1 for s in SECONDARY])
    tertiary = np.setdiff1d(np.arange(1, 19), secondary)
    printed = np.stack([region.long(f"emp_share_{name}", 2010, missing=np.nan) / 100 for name in names], axis=1)
    for c in range(region.n_counties):
        share = np.zeros(19)
        share[0] = region.census(2010, "emp_primary_pct")[c] / 100
        for group, column in ((secondary, "emp_secondary_pct"), (tertiary, "emp_tertiary_pct")):
            total = region.census(2010, column)[c] / 100
            known = np.where(np.isnan(printed[c, group]), 0.0, printed[c, group])
            known *= min(1.0, total / max(known.sum(), 1e-9))
            open_ = np.isnan(printed[c, group]) * later[c, group]
            if open_.sum() > 0:
                known = known + open_ / open_.sum() * max(total - known.sum(), 0.0)
            share[group] = known * (total / known.sum())
        table[c, 1:] = whole(share / share.sum() * employed[c], round(float(employed[c])))
    return table


def _pick(rows: np.ndarray, weight: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` rows without replacement, likelier with more weight."""
    able = rows[weight > 0]
    luck = rng.exponential(size=able.size) / weight[weight > 0]
    return able[np.argsort(luck, kind="stable")[:count]]


def _activity(
    region: Region,
    base: int,
    persons: Columns,
    place: np.ndarray,
    age: np.ndarray,
    studies: np.ndarray,
    rng: np.random.Generator,
) -> None:
    a = assumed()
    n = age.size
    man = persons["sex"] == Sex.MALE
    resident = place < region.inside
    activity = np.full(n, int(Activity.HOME))
    activity[studies] = Activity.PUPIL
    activity[age < 6] = Activity.CHILD
    free = (age >= 16) & (activity != Activity.PUPIL)
    old = age >= of_demography("retirement_age_men_yr")
    old |= (age >= of_demography("retirement_age_women_yr")) & ~man & (place % 3 > 0)
    activity[free & old] = Activity.RETIRED

    farm = by_age(a.farm_ratio, age) * free
    town = by_age(a.job_age_ratio, age) * free
    town *= np.where(man, 1.0, a.job_women_ratio)
    jobs = employment(region, base, np.bincount(place[resident & (age >= 16)] // 3, minlength=region.n_counties))
    sector = np.zeros(n, np.int64)
    for c in range(region.n_counties):
        rows = [np.flatnonzero(place == 3 * c + t) for t in range(3)]
        likely = [(np.maximum(farm[r], town[r]) > a.job_least_ratio).sum() for r in rows]
        room = a.job_room_share * np.array(likely, float)
        table = _by_tier(jobs[c], room)
        for t in range(3):
            r = rows[t]
            count = int(table[2:, t].sum())
            hired = _pick(r, town[r], count, rng)
            spread = rng.normal(0, a.sector_schooling_spread, hired.size)
            ladder = persons["schooling"][hired] / 6 + spread - a.sector_men_rank * man[hired]
            ranks = np.argsort(a.sector_schooling_rank, kind="stable")
            ranks = ranks[ranks >= 2]
            sector[hired[np.argsort(ladder, kind="stable")]] = np.repeat(ranks, table[ranks, t])[: hired.size]
            left = r[sector[r] == 0]
            sector[_pick(left, farm[left], int(table[1, t]), rng)] = Sector.AGRICULTURE
            if t > 0:
                idle = r[(sector[r] == 0) & free[r] & (age[r] < a.seeking_oldest_yr)]
                employed = int((sector[r] > 0).sum())
                seekers = round(a.seeking_share / (1 - a.seeking_share) * employed)
                activity[_pick(idle, town[idle], seekers, rng)] = Activity.SEEKING
    activity[sector > 0] = Activity.WORKER
    activity[sector == Sector.AGRICULTURE] = Activity.FARMER
    works = by_age(a.absent_work_share, age) * np.where(man, 1, a.absent_work_women_ratio)
    activity[~resident & free & (rng.random(n) < works)] = Activity.WORKER

    chain = np.zeros(n, np.int64)
    wanted = chain_jobs(region, base, jobs)
    for c in range(region.n_counties):
        for about in region.chains:
            able = np.flatnonzero(
                (place // 3 == c) & resident & (chain == 0) & np.isin(sector, [int(s) for s in about.sectors])
            )
            chosen = rng.permutation(able)[: wanted[c, about.number]]
            chain[chosen] = about.number
    activity[chain > 0] = Activity.WORKER
    persons["activity"][:], persons["sector"][:], persons["chain"][:] = activity, sector, chain


def chain_jobs(region: Region, base: int, jobs: np.ndarray) -> np.ndarray:
    """(counties, chains + 1) jobs of the chains; in 2010 the shares of 2020 in their sectors (assumed)."""
    now = region.chain_jobs.astype(float)
    if base == 2020:
        return now.astype(np.int64)
    later = employment(region, 2020, np.zeros(region.n_counties))
    for about in region.chains:
        sectors = [int(s) for s in about.sectors]
        growth = jobs[:, sectors].sum(axis=1) / np.maximum(later[:, sectors].sum(axis=1), 1)
        now[:, about.number] *= np.minimum(growth, 1.0)
    return now.astype(np.int64)


def _by_tier(jobs: np.ndarray, room: np.ndarray) -> np.ndarray:
    """(20, 3) jobs by sector and tier of the worker's living place; no tier beyond its people."""
    a = assumed()
    likely = np.stack([a.job_village_ratio, a.job_town_ratio, a.job_seat_ratio], axis=1)
    table = likely * jobs[:, None] * (room / room.sum())
    for _ in range(40):
        sums = table.sum(axis=1, keepdims=True)
        table *= np.divide(jobs[:, None], sums, out=np.zeros_like(sums), where=sums > 0)
        over = room / np.maximum(table.sum(axis=0), 1e-9)
        if (over >= 0.999).all():
            break
        table *= np.minimum(over, 1.0)
    return np.stack([whole(row, int(total)) for row, total in zip(table, jobs, strict=True)])


# -- dwellings, land, means --------------------------------------------------------------------


def tenure_counts(region: Region, base: int, households: np.ndarray) -> np.ndarray:
    """(counties, 4) family households self-built, purchased, rented, other, from the published shares."""
    columns = ("tenure_selfbuilt_pct_calc", "tenure_purchased_pct_calc", "tenure_rent_pct_calc")
    share = np.stack([region.census(base, name) / 100 for name in columns], axis=1)
    share = np.column_stack([share, np.maximum(1 - share.sum(axis=1), 0)])
    return np.stack([whole(row * n, int(n)) for row, n in zip(share, households, strict=True)])


def _tenure(
    region: Region, base: int, m: Margins, persons: Columns, households: Columns, rng: np.random.Generator
) -> None:
    a = assumed()
    rows = households["place"].size
    wanted = tenure_counts(region, base, m.forms.sum(axis=1))
    size = np.bincount(persons["household"][persons["is_away"] == 0], minlength=rows)
    away = np.bincount(persons["household"][persons["is_away"] == 1], minlength=rows)
    place = np.concatenate([households["place"], households["away_place"]]).astype(np.int64)
    people = np.concatenate([size, away])
    home = np.tile(households["home_place"].astype(np.int64), 2)
    family = np.tile(households["kind"] == Kind.FAMILY, 2)
    inside = family & (place >= 0) & (place < region.inside)
    group = 2 * (place % 3) + (place != home) + 6 * (people == 1)
    ratios = (a.dwelling_self_built_ratio, a.dwelling_purchased_ratio, a.dwelling_rented_ratio, a.dwelling_other_ratio)
    shape = np.array([[ratio[part] for ratio in ratios] for part in _PARTS])
    shape = np.concatenate([shape, shape * np.array([1, 1, a.alone_rent_ratio, 1])])
    held = np.zeros(2 * rows, np.int64)
    codes = np.array([Tenure.SELF_BUILT, Tenure.PURCHASED, Tenure.MARKET_RENT, Tenure.OTHER])
    for c in range(region.n_counties):
        here = np.flatnonzero(inside & (place // 3 == c))
        counts = np.bincount(group[here], minlength=12)
        fitted = proportional_fit(shape * counts[:, None], counts.astype(float), wanted[c].astype(float))
        table = whole_table(fitted, counts, wanted[c])
        for g in np.flatnonzero(counts):
            held[rng.permutation(here[group[here] == g])] = np.repeat(codes, table[g])
    public = (held == Tenure.MARKET_RENT) & (place % 3 != Tier.VILLAGE) & (rng.random(held.size) < a.public_rent_share)
    held[public] = Tenure.PUBLIC_RENT
    held[~family & (place >= 0) & (place < region.inside)] = Tenure.DORMITORY
    households["tenure"][:], households["away_tenure"][:] = held[:rows], held[rows:]


def _means(region: Region, base: int, persons: Columns, households: Columns, rng: np.random.Generator) -> None:
    """Land, homestead, collective share, savings and permit; all levels assumed."""
    a = assumed()
    rows = households["place"].size
    home, place = households["home_place"].astype(int), households["place"].astype(int)
    family = households["kind"] == Kind.FAMILY
    village = (home < region.inside) & (home % 3 == Tier.VILLAGE) & family
    size = np.bincount(persons["household"], minlength=rows)
    land = (
        np.exp(rng.normal(-0.5 * a.land_spread**2, a.land_spread, rows))
        * (size / size[village].mean()) ** a.land_members_exponent
        * village
    )
    total, given = a.land_mu * village.sum(), np.zeros(rows, bool)
    for name, about in region.record_yaml.get("population", {}).get("land_mu_per_rural_person", {}).items():
        own = village & (home // 3 == region.county(name))
        land[own] *= float(about["value"]) * size[own].sum() / land[own].sum()
        given |= own
    rest = village & ~given  # the mean of the whole region holds where a county has its own figure
    land[rest] *= max(total - land[given].sum(), 0.0) / land[rest].sum()
    households["land_mu"][:] = np.maximum(np.round(land, 1), 0.1) * village
    households["has_homestead"][:] = village
    households["has_collective_share"][:] = village
    town = np.where((place < region.inside) & (place % 3 == Tier.VILLAGE), a.savings_village_yuan, a.savings_town_yuan)
    savings = (
        town * np.exp(a.savings_spread * rng.normal(size=rows)) * np.where(family, 1.0, a.savings_collective_ratio)
    )
    households["savings_yuan"][:] = np.rint(np.minimum(savings, a.savings_most_yuan))
    lives_elsewhere = (place < region.inside) & (place != home) & (place % 3 > 0)
    households["permit"][:] = lives_elsewhere & (rng.random(rows) < a.permit_share)


def _stays(
    base: int, persons: Columns, households: Columns, place: np.ndarray, age: np.ndarray, rng: np.random.Generator
) -> None:
    """Years of coming: drawn for those who moved (assumed), the year of birth for those who never did."""
    a = assumed()
    rows = households["place"].size
    h = persons["household"]
    oldest = np.full(rows, base, np.int64)
    main = persons["is_away"] == 0
    np.minimum.at(oldest, h[main], persons["birth_year"][main])
    moved = households["place"] != households["home_place"]
    young = (households["kind"] == Kind.COLLECTIVE) & (base - oldest < a.student_stay_oldest_yr)
    years = np.where(
        young,
        np.floor(a.student_stay_most_yr * rng.random(rows)),
        np.minimum(np.floor(rng.exponential(a.stay_mean_yr, rows)), a.stay_most_yr),
    )
    households["since_year"][:] = np.where(moved, np.maximum(base - years, oldest), oldest)
    away = households["away_place"] >= 0
    years = np.minimum(np.floor(rng.exponential(a.stay_mean_yr, rows)), a.away_stay_most_yr)
    households["away_since_year"][:] = np.where(away, base - years, 0)
    since = np.where(main, np.where(moved[h], households["since_year"][h], 0), households["away_since_year"][h])
    persons["since_year"][:] = np.maximum(since, persons["birth_year"])
    late = np.full(rows, 0, np.int64)  # an away part came no earlier than its first member was born
    np.maximum.at(late, h[~main], 0)
    first = np.full(rows, base, np.int64)
    np.minimum.at(first, h[~main], persons["since_year"][~main])
    households["away_since_year"][away] = first[away]
