"""The year of the people: deaths, births, schooling, marriages, new and dissolved households, arrivals.

Newborn children are kept aside until their mothers have settled and are then written beside them.
Persons are gathered once, at the end: columns change in place until then, and ``gone`` marks the dead.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from migrasim.core.chance import Decision, child_key, draw, stream, uniform, unit
from migrasim.core.codes import N_OUTSIDE, N_TIERS, NOWHERE, Activity, Kind, Schooling, Sector, Sex, Skill, Tenure, Tier
from migrasim.core.columns import Table
from migrasim.core.rule import kernel, rows_of, scalars, threaded_kernel
from migrasim.domains.demography import families, leaving, rules
from migrasim.domains.demography.families import Founded, Parts
from migrasim.domains.demography.rules import DemographyParams
from migrasim.world import World

_AGES = rules.AGES


def run(world: World) -> None:
    """Let the people of the world live through ``world.year``.

    Reads facts ``demography.*`` and the dwellings; writes persons and households, the flows of
    births, deaths, arrivals and moves (of the young who leave and of children who join the other part
    of their family), occupied, network, filled, village_pool_mu, estates_yuan, and the measures "orphans", "marriages",
    "new_households" and "newlywed_rows" (rows of the households of this year's couples).
    """
    p = scalars(world.inputs.params("demography", DemographyParams))[0]
    world.reindex()
    _size(world)
    lives = world.person_place()
    gone = _deaths(world, lives, p)
    mothers = _births(world, lives, gone, p)
    _activities(world, p)
    parts, young = _count_parts(world, gone, p)
    founded = _families(world, lives, gone, parts, p)
    if "no_independent_youth" not in world.inputs.alternatives:
        founded = _leave(world, gone, parts, young, founded, p)
    stays = _settle(world, parts, founded, p)
    newborn = _newborn(world, mothers, p)
    _gather(world, gone, stays, parts, founded, newborn, _strangers(world, p))
    world.network[:], world.filled[:] = world.people_and_jobs()


def _luck(world: World, decision: Decision) -> np.uint64:
    return np.uint64(stream(np.uint64(world.seed), int(decision), world.year))


def _size(world: World) -> None:
    geography = world.geography
    if not len(world.village_pool_mu):
        world.village_pool_mu = np.zeros(geography.communities)
    if not len(world.estates_yuan):
        world.estates_yuan = np.zeros(geography.counties + 1, np.int64)


# Deaths


@kernel
def death_table(year, p):
    """(sexes, ages) probability of death within a year."""
    table = np.empty((2, _AGES))
    for sex in range(2):
        ageing = rules.ageing_level(rules.life_expectancy(year, sex, p), sex, p)
        for age in range(_AGES):
            table[sex, age] = rules.death_prob(age, sex, ageing, p)
    return table


def _mortality(year: int, p: Any) -> np.ndarray:
    """`death_table` of a year; the runs of a process mostly have the same."""
    return _mortality_of(year, p.dtype, p.tobytes())


@lru_cache(maxsize=64)
def _mortality_of(year: int, fields: np.dtype[Any], facts: bytes) -> np.ndarray:
    return np.asarray(death_table(year, np.frombuffer(facts, fields).copy().view(np.recarray)[0]))


@threaded_kernel
def _die(block, key, birth_year, sex, year, table, luck, gone):
    for i in rows_of(block):
        age = min(max(year - birth_year[i], 0), _AGES - 1)
        gone[i] = uniform(luck, key[i], 0) < table[sex[i], age]


@kernel
def _widow(dead, household, couple, first_member, members):
    for k in range(dead.shape[0]):
        number = couple[dead[k]]
        if number > 0:
            h = household[dead[k]]
            for i in range(first_member[h], first_member[h] + members[h]):
                if couple[i] == number:
                    couple[i] = 0


def _deaths(world: World, lives: np.ndarray, p: DemographyParams) -> np.ndarray:
    people = world.persons
    table = _mortality(world.year, p)
    gone = np.zeros(len(people), np.bool_)
    _die(len(people), people.key, people.birth_year, people.sex, world.year, table, _luck(world, Decision.DEATH), gone)
    dead = np.flatnonzero(gone)
    world.flows.deaths += np.bincount(lives[dead], minlength=world.geography.places)
    _widow(dead, people.household, people.couple, world.first_member, world.members)
    return gone


# Births


@kernel
def birth_table(total, p):
    """(town or village, ages) probability that a woman in a couple bears a child within a year."""
    table = np.empty((2, _AGES))
    for rural in range(2):
        for age in range(_AGES):
            table[rural, age] = rules.birth_prob(age, rural == 1, total, p)
    return table


@threaded_kernel
def _bear(block, key, birth_year, sex, couple, gone, lives, inside, year, table, ages, luck, bears):
    youngest, oldest = ages
    for i in rows_of(block):
        age = year - birth_year[i]
        if (youngest <= age) & (age <= oldest) & (sex[i] == Sex.FEMALE) & (couple[i] > 0) & (not gone[i]):
            rural = lives[i] < inside and lives[i] % N_TIERS == Tier.VILLAGE
            bears[i] = uniform(luck, key[i], 0) < table[1 if rural else 0, age]


def _births(world: World, lives: np.ndarray, gone: np.ndarray, p: DemographyParams) -> np.ndarray:
    people = world.persons
    table = birth_table(rules.total_fertility(world.year, p), p)
    fertile = np.flatnonzero(table.any(axis=0))
    ages = (int(fertile.min(initial=_AGES)), int(fertile.max(initial=-1)))
    bears = np.zeros(len(people), np.bool_)
    _bear(
        len(people), people.key, people.birth_year, people.sex, people.couple, gone, lives, world.geography.inside,
        world.year, table, ages, _luck(world, Decision.BIRTH), bears,
    )  # fmt: skip
    mothers = np.flatnonzero(bears)
    world.flows.births += np.bincount(lives[mothers], minlength=world.geography.places)
    return mothers


@kernel
def _children(mothers, year, luck, p):
    key = np.empty(mothers.shape[0], np.uint64)
    sex = np.empty(mothers.shape[0], np.uint8)
    for i in range(mothers.shape[0]):
        key[i] = child_key(mothers[i], year, 0)
        sex[i] = rules.newborn_sex(uniform(luck, key[i], 0), p)
    return key, sex


def _newborn(world: World, mothers: np.ndarray, p: DemographyParams) -> dict[str, np.ndarray]:
    """Rows of the newborn, in the household and the part where their mothers live by now."""
    people = world.persons
    key, sex = _children(people.key[mothers], world.year, _luck(world, Decision.SEX), p)
    rows_of = _blank(people, len(mothers))
    rows_of |= {
        "key": key,
        "household": people.household[mothers],
        "birth_year": np.full(len(mothers), world.year),
        "sex": sex,
        "generation": people.generation[mothers] + 1,
        "parents": people.couple[mothers],
        "is_away": people.is_away[mothers],
        "since_year": np.full(len(mothers), world.year),
    }
    return rows_of


def _blank(table: Table, rows_of: int) -> dict[str, np.ndarray]:
    return {name: np.zeros(rows_of, getattr(table, name).dtype) for name in table.names}


# Schooling and activity


@threaded_kernel
def _grow(
    block, key, birth_year, sex, household, is_away, schooling, activity, sector, chain, skill, place, home_place,
    land_mu, inside, year, luck, p,
):  # fmt: skip
    college = rules.college_ratio(year, p)
    retiring = min(p.retirement_age_men_yr, p.retirement_age_women_yr, p.farmer_retirement_age_yr)
    for i in rows_of(block):
        age = year - birth_year[i]
        now = activity[i]
        ends_none = (age < retiring) | (now == Activity.HOME) | (now == Activity.RETIRED)
        if ends_none & (now != Activity.CHILD) & (now != Activity.PUPIL):
            continue
        ends = False
        if now == Activity.CHILD and age >= p.primary_age_yr:
            now = Activity.PUPIL.value
            activity[i] = now
        if now == Activity.PUPIL:
            attends = rules.schooling_of_pupil(age, schooling[i], college, uniform(luck, key[i], 0), p)
            if attends < 0:
                ends = True
                skill[i] = rules.skill_of(schooling[i])
            else:
                schooling[i] = attends
        elif rules.retires(age, sex[i], now, sector[i], p) and (
            now == Activity.FARMER or uniform(luck, key[i], 1) < p.retirement_prob
        ):
            ends = True
            sector[i] = Sector.NONE
            chain[i] = 0
        if ends:
            h = household[i]
            village = place[h] < inside and place[h] % N_TIERS == Tier.VILLAGE
            has_land = village and not is_away[i] and place[h] == home_place[h] and land_mu[h] > 0
            activity[i] = rules.activity_after(age, has_land, p)


def _activities(world: World, p: DemographyParams) -> None:
    people, homes = world.persons, world.households
    _grow(
        len(people), people.key, people.birth_year, people.sex, people.household, people.is_away, people.schooling,
        people.activity, people.sector, people.chain, people.skill, homes.place, homes.home_place, homes.land_mu,
        world.geography.inside, world.year, _luck(world, Decision.SCHOOL), p,
    )  # fmt: skip


# Marriages, new households and parts


def _count_parts(world: World, gone: np.ndarray, p: DemographyParams) -> tuple[Parts, np.ndarray]:
    """Parts of households before anybody marries or leaves, and rows of the young who may leave if they stay single."""
    people, rows = world.persons, len(world.households)
    adults, minors, brides = (np.zeros((rows, 2), np.int16) for _ in range(3))
    parts = Parts(adults, minors, brides, np.zeros(rows, np.int16))
    may_leave = np.empty(len(people), np.bool_)
    families.count_parts(
        rows, world.first_member, world.members, people.is_away, people.birth_year, people.couple, people.parents,
        people.activity, gone, world.year, p, parts, may_leave,
    )  # fmt: skip
    return parts, np.flatnonzero(may_leave)


def _families(world: World, lives: np.ndarray, gone: np.ndarray, parts: Parts, p: DemographyParams) -> Founded:
    """Marry, and split families; new households take the rows after the present ones."""
    people, homes, inside = world.persons, world.households, world.geography.inside
    touched = np.zeros(len(homes), np.bool_)
    seeks = np.zeros(len(people), np.bool_)
    families.seek_partner(
        len(people), people.key, people.birth_year, people.sex, people.couple, people.activity, gone, lives, inside,
        world.year, _luck(world, Decision.MARRY), families.marriage_table(p), seeks,
    )  # fmt: skip
    rows_of = np.flatnonzero(seeks)
    bits = families.draws(_luck(world, Decision.MATCH), people.key[rows_of], 0)
    men, women = families.pair(
        rows_of, lives[rows_of], people.sex[rows_of], people.birth_year[rows_of], bits, people.household
    )
    outcome, number, columns = families.marry(
        men, women, people.key, people.household, people.is_away,
        homes.key, homes.kind, homes.place, homes.away_place, homes.since_year, homes.away_since_year, homes.tenure,
        homes.away_tenure, homes.land_mu, homes.savings_yuan,
        parts, touched, world.dwellings, world.occupied, inside, world.year, _luck(world, Decision.NEW_HOUSEHOLD), p,
    )  # fmt: skip
    by_marriage = Founded(*columns)
    _wed(people, men, women, outcome, number, len(homes), by_marriage)
    married = outcome != families.NO_MARRIAGE
    places = world.geography.places
    world.measures["marriages"] = np.bincount(lives[men[married]], minlength=places)
    world.measures["newlywed_rows"] = people.household[men[married]].astype(np.int64)
    by_splitting = families.split(
        people.key, people.household, people.is_away, people.birth_year, people.sex, people.generation, people.couple,
        people.parents, gone, world.first_member, world.members,
        homes.key, homes.kind, homes.place, homes.since_year, homes.land_mu, homes.savings_yuan,
        parts, touched, world.occupied, inside, world.year, _luck(world, Decision.LEAVE_HOME),
        len(homes) + len(by_marriage.source), p,
    )  # fmt: skip
    founded = _together(by_marriage, Founded(*by_splitting))
    world.measures["new_households"] = np.bincount(founded.place, minlength=places)
    return founded


def _together(one: Founded, other: Founded) -> Founded:
    return Founded(*(np.concatenate(pair) for pair in zip(one, other, strict=True)))


def _leave(
    world: World, gone: np.ndarray, parts: Parts, young: np.ndarray, founded: Founded, p: DemographyParams
) -> Founded:
    """Add the households of the young who leave their family this year to those that were founded."""
    people, homes = world.persons, world.households
    left = leaving.leave(
        young, people.key, people.birth_year, people.couple, people.parents, people.activity,
        people.schooling, people.since_year, gone, people.household, people.is_away, world.first_member, world.members,
        homes.key, homes.place, homes.away_place, homes.away_since_year, homes.since_year, homes.tenure,
        homes.away_tenure, homes.permit, homes.waiting_yr, parts, world.occupied, world.flows.moves,
        world.geography.core, world.year, _luck(world, Decision.STUDY), len(homes) + len(founded.source), p,
    )  # fmt: skip
    return _together(founded, Founded(*left))


def _wed(
    people: Table,
    men: np.ndarray,
    women: np.ndarray,
    outcome: np.ndarray,
    number: np.ndarray,
    next_row: int,
    founded: Founded,
) -> None:
    """Write who lives in which household and couple after the marriages."""
    married = outcome != families.NO_MARRIAGE
    founds = outcome[married] == families.FOUNDS
    men, women = men[married], women[married]
    target = people.household[men]
    part = people.is_away[men]
    target[founds] = next_row + np.arange(len(founded.source))
    part[founds] = 0
    people.household[men] = target
    people.household[women] = target
    people.is_away[men] = part
    people.is_away[women] = part
    people.couple[men] = number[married]
    people.couple[women] = number[married]
    people.parents[women] = 0
    people.parents[men[founds]] = 0
    people.generation[women] = people.generation[men]


def _settle(world: World, parts: Parts, founded: Founded, p: DemographyParams) -> np.ndarray:
    """Bring the parts of households in order; False for those where nobody is left."""
    people, homes, geography = world.persons, world.households, world.geography
    change, dissolved, orphans = families.settle_parts(
        parts.adults, parts.minors, homes.kind, homes.place, homes.away_place, homes.since_year, homes.away_since_year,
        homes.tenure, homes.away_tenure, homes.land_mu, homes.savings_yuan, homes.permit, homes.waiting_yr,
        homes.community,
        geography.community_county, world.occupied, world.village_pool_mu, world.estates_yuan, world.flows.moves,
    )  # fmt: skip
    told = np.concatenate([change, np.zeros(len(founded.source), np.uint8)])
    families.tell_persons(
        len(people),
        people.household,
        people.is_away,
        people.birth_year,
        people.since_year,
        told,
        world.year,
        p.minor_age_yr,
    )
    world.measures["orphans"] = np.array([orphans])
    return np.asarray(dissolved == 0)


# Arrivals of strangers


@kernel
def _come(count, origin, year, weight, luck, sample_luck, cumulated, p):
    """Strangers of one origin: keys, ages, sexes, schooling, kinds and places of those in the sample."""
    key = np.empty(count, np.uint64)
    age = np.empty(count, np.int16)
    sex = np.empty(count, np.uint8)
    schooling = np.empty(count, np.uint8)
    kind = np.empty(count, np.uint8)
    place = np.empty(count, np.int8)
    made = 0
    for serial in range(count):
        who = draw(luck, serial, origin)
        if weight > 1.0 and uniform(sample_luck, who, 0) * weight >= 1.0:
            continue
        key[made] = who
        age[made] = rules.arrival_age(uniform(luck, who, 0), p)
        sex[made] = Sex.MALE if uniform(luck, who, 1) < p.arrival_male_share else Sex.FEMALE
        schooling[made] = rules.arrival_schooling(uniform(luck, who, 2), p)
        kind[made] = Kind.COLLECTIVE if uniform(luck, who, 3) < p.arrival_collective_share else Kind.FAMILY
        place[made] = np.searchsorted(cumulated, unit(draw(luck, who, 4)) * cumulated[-1], side="right")
        made += 1
    return key[:made], age[:made], sex[:made], schooling[:made], kind[:made], place[:made]


@kernel
def _household_keys(keys, year):
    made = np.empty(keys.shape[0], np.uint64)
    for i in range(keys.shape[0]):
        made[i] = child_key(keys[i], year, 0)
    return made


def _strangers(world: World, p: DemographyParams) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Rows of persons and households of the strangers who come this year; ``household`` counts from 0."""
    people, homes, geography = world.persons, world.households, world.geography
    urban = geography.urban
    stranger = homes.home_place >= geography.inside
    present = np.bincount(homes.place[stranger], minlength=geography.places) * urban
    if not present.any():
        present = np.bincount(homes.place, minlength=geography.places) * urban
    cumulated = np.cumsum(present)
    flows = (p.arrivals_near_persons_yr, p.arrivals_far_persons_yr)
    parts = []
    for origin in range(N_OUTSIDE):
        come = _come(
            int(flows[origin]), origin, world.year, world.weight, _luck(world, Decision.ARRIVAL),
            np.uint64(stream(np.uint64(world.seed), int(Decision.SAMPLE), 0)), cumulated, p,
        )  # fmt: skip
        parts.append((*come, np.full(len(come[0]), origin)))
    key, age, sex, schooling, kind, place, origin_of = (np.concatenate(part) for part in zip(*parts, strict=True))
    world.flows.arrivals += np.bincount(place, minlength=geography.places)
    persons = _blank(people, len(key))
    skill = np.where(
        schooling >= Schooling.COLLEGE, Skill.HIGH, np.where(schooling == Schooling.SENIOR, Skill.MIDDLE, Skill.LOW)
    )
    persons |= {
        "key": key,
        "household": np.arange(len(key)),
        "birth_year": world.year - age,
        "sex": sex,
        "schooling": schooling,
        "activity": np.full(len(key), Activity.SEEKING),
        "skill": skill,
        "since_year": np.full(len(key), world.year),
    }
    households = _blank(homes, len(key))
    households |= {
        "key": _household_keys(key, world.year),
        "kind": kind,
        "community": geography.villages + (N_TIERS - 1) * geography.counties + origin_of,
        "home_place": geography.inside + origin_of,
        "place": place,
        "away_place": np.full(len(key), NOWHERE),
        "since_year": np.full(len(key), world.year),
        "tenure": np.full(len(key), Tenure.DORMITORY),
    }
    world.occupied[:, Tenure.DORMITORY] += np.bincount(place, minlength=geography.places)
    return persons, households


# Gathering


@kernel
def _order(household, gone, joining, new_row, heads, households):
    """Rows of the living and of those who join, in the order of their households.

    ``heads`` (households before) counts the living.

    Returns
    -------
    order : (persons,) rows, the joining numbered on; members : (households,) how many each household has
    """
    members, cursor = np.zeros(households, np.int32), np.zeros(households, np.int32)
    for h in range(heads.shape[0]):
        if heads[h] > 0:
            members[new_row[h]] = heads[h]
    for n in range(joining.shape[0]):
        members[new_row[joining[n]]] += 1
    total = 0
    for h in range(households):
        cursor[h] = total
        total += members[h]
    order = np.empty(total, np.int32)
    for i in range(household.shape[0]):
        if not gone[i]:
            h = new_row[household[i]]
            order[cursor[h]] = i
            cursor[h] += 1
    for n in range(joining.shape[0]):
        h = new_row[joining[n]]
        order[cursor[h]] = household.shape[0] + n
        cursor[h] += 1
    return order, members


def _gather(
    world: World,
    gone: np.ndarray,
    stays: np.ndarray,
    parts: Parts,
    founded: Founded,
    newborn: dict[str, np.ndarray],
    strangers: tuple[dict[str, np.ndarray], dict[str, np.ndarray]],
) -> None:
    """Write new rows, drop the dead and the empty households, and put persons beside their families."""
    people, homes = world.persons, world.households
    persons, households = strangers
    old, new = len(homes), len(founded.source)
    joining = _concatenate(_founded_rows(world, founded), households)
    kept = np.concatenate([stays, np.ones(len(joining["key"]), np.bool_)])
    new_row = np.cumsum(kept, dtype=np.int32) - np.int32(1)
    persons["household"] = persons["household"] + old + new
    added = _concatenate(newborn, persons)
    living = parts.adults + parts.minors
    heads = np.concatenate([living[:, 0] + living[:, 1], founded.members])
    order, members = _order(people.household, gone, added["household"], new_row, heads, int(kept.sum()))
    people.take(order, added)
    world.settle_members(members)
    homes.take(kept, joining)
    wed = world.measures["newlywed_rows"]
    world.measures["newlywed_rows"] = np.unique(new_row[wed[kept[wed]]]).astype(np.int64)


def _concatenate(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([array, other[name]]) for name, array in one.items()}


def _founded_rows(world: World, founded: Founded) -> dict[str, np.ndarray]:
    """Rows of households that left a family: registered where it is, with their share of what it has."""
    homes = world.households
    source = founded.source
    home_place = homes.home_place[source]
    village = (home_place < world.geography.inside) & (home_place % N_TIERS == Tier.VILLAGE)
    count = len(source)
    made = _blank(homes, count)
    made |= {
        "key": founded.key,
        "kind": founded.kind,
        "community": homes.community[source],
        "home_place": home_place,
        "hukou_urban": homes.hukou_urban[source],
        "place": founded.place,
        "away_place": np.full(count, NOWHERE),
        "since_year": founded.since_year,
        "tenure": founded.tenure,
        "land_mu": founded.land_mu,
        "has_homestead": (founded.place == home_place) & village,
        "has_collective_share": homes.has_collective_share[source],
        "savings_yuan": founded.savings_yuan,
        "permit": np.where(founded.is_away, 0, homes.permit[source]),
    }
    return made
