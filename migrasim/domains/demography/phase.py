"""The year of the people: deaths, births, schooling, marriages, new and dissolved households, arrivals.

Newborn children are kept aside until their mothers have settled and are then written beside them.
Persons are gathered once, at the end: columns change in place until then, and ``gone`` marks the dead.
"""

from __future__ import annotations

import numpy as np

from migrasim.core.chance import Decision, child_key, draw, evenly, uniform, unit
from migrasim.core.codes import N_TIERS, NOWHERE, Activity, Kind, Schooling, Sex, Skill, Tenure
from migrasim.core.columns import listed
from migrasim.core.rule import blocks_of, empty, kernel, record, zeros
from migrasim.domains.demography import families, leaving, marriages, rules
from migrasim.domains.demography.families import FOUNDED, Parts
from migrasim.domains.demography.gathering import Moved, Rows, gather
from migrasim.domains.demography.living import Lived, live, luck_of
from migrasim.domains.demography.rules import DemographyParams
from migrasim.world import World


def run(world: World) -> None:
    """Let the people of the world live through ``world.year``; persons stand in the order of their households.

    Reads facts ``demography.*`` and the dwellings; writes persons and households, the flows of
    births, deaths, arrivals and moves (of the young who leave and of children who join the other part
    of their family), occupied, network, filled, village_pool_mu, estates_yuan, and the measures "orphans", "marriages",
    "new_households" and "newlywed_rows" (rows of the households of this year's couples).
    """
    p = record(world.inputs.params("demography", DemographyParams))
    _size(world)
    lived = live(world, p)
    founded, moved = _families(world, lived, p)
    if "no_independent_youth" not in world.inputs.alternatives:
        founded, moved = _leave(world, lived, founded, moved, p)
    dissolved = _settle(world, lived.parts, moved, p)
    newborn = _newborn(world, lived.mothers, p)
    gather(world, lived, dissolved, founded, moved, newborn, _strangers(world, p))
    world.network[:], world.filled[:] = world.people_and_jobs()


def _size(world: World) -> None:
    geography = world.geography
    if not len(world.village_pool_mu):
        world.village_pool_mu = np.zeros(geography.communities)
    if not len(world.estates_yuan):
        world.estates_yuan = np.zeros(geography.counties + 1, np.int64)


# Births


@kernel
def _children(mothers, year, luck, p):
    p = p[0]
    key = empty(mothers.shape[0], np.uint64)
    sex = empty(mothers.shape[0], np.uint8)
    for i in range(mothers.shape[0]):
        key[i] = child_key(mothers[i], year, 0)
        sex[i] = rules.newborn_sex(uniform(luck, key[i], 0), p)
    return key, sex


def _newborn(world: World, mothers: np.ndarray, p: np.ndarray) -> Rows:
    """Rows of the newborn, in the household and the part where their mothers live by now."""
    people = world.persons
    key, sex = _children(people.key[mothers], world.year, luck_of(world, Decision.SEX), p)
    return {
        "key": key,
        "household": people.household[mothers],
        "birth_year": world.year,
        "sex": sex,
        "generation": people.generation[mothers] + 1,
        "parents": people.couple[mothers],
        "is_away": people.is_away[mothers],
        "since_year": world.year,
    }


# Marriages, new households and parts


def _families(world: World, lived: Lived, p: np.ndarray) -> tuple[np.ndarray, Moved]:
    """Marry, and split families; new households take the rows after the present ones."""
    people, homes, inside = world.persons, world.households, world.geography.inside
    touched = np.zeros(len(homes), np.bool_)
    seekers = lived.seekers
    bits = marriages.draws(luck_of(world, Decision.MATCH), people.key[seekers], 0)
    men, women = marriages.pair(
        seekers, world.living_at(seekers), people.sex[seekers], people.birth_year[seekers], bits, people.household
    )
    (outcome, number), by_marriage = np.zeros((2, len(men)), np.int8), np.empty(len(men), FOUNDED)
    made = marriages.marry(
        men, women, people.key, people.household, people.is_away,
        homes.key, homes.kind, homes.place, homes.away_place, homes.since_year, homes.away_since_year, homes.tenure,
        homes.away_tenure, homes.land_mu, homes.savings_yuan,
        lived.parts, touched, world.dwellings, world.occupied, inside, world.year,
        luck_of(world, Decision.NEW_HOUSEHOLD), p, outcome, number, by_marriage,
    )  # fmt: skip
    by_marriage = by_marriage[:made]
    places = world.geography.places
    wedded = np.zeros(places, np.int64)
    newlywed, *by_wedding = marriages.wed(
        men, women, outcome, number, people.household, people.is_away, people.couple, people.parents, people.generation,
        homes.place, homes.away_place, wedded, len(homes),
    )  # fmt: skip
    world.measures["marriages"], world.measures["newlywed_rows"] = wedded, newlywed
    by_splitting = np.empty(len(lived.splitting), FOUNDED)
    rows, left = np.empty((2, int(world.members[lived.splitting].sum())), np.int64)
    made, movers = families.split(
        lived.splitting, people.key, people.household, people.is_away, people.birth_year, people.sex,
        people.generation, people.couple, people.parents, lived.gone, world.first_member, world.members,
        homes.key, homes.place, homes.since_year, homes.land_mu, homes.savings_yuan,
        lived.parts, touched, world.occupied, world.year, luck_of(world, Decision.LEAVE_HOME),
        len(homes) + len(by_marriage), p, np.empty(families.NUMBERS, np.bool_), by_splitting, rows, left,
    )  # fmt: skip
    founded = np.concatenate([by_marriage, by_splitting[:made]])
    world.measures["new_households"] = np.bincount(founded["place"], minlength=places)
    return founded, _together(Moved(*by_wedding), Moved(rows[:movers], left[:movers]))


def _together(one: Moved, other: Moved) -> Moved:
    return Moved(*(np.concatenate(pair) for pair in zip(one, other, strict=True)))


def _leave(world: World, lived: Lived, founded: np.ndarray, moved: Moved, p: np.ndarray) -> tuple[np.ndarray, Moved]:
    """Add the households of the young who leave their family this year to those that were founded."""
    people, homes = world.persons, world.households
    count = len(lived.young)
    to, becomes = np.empty(count, np.int8), np.empty(count, np.uint8)
    leaving.decide(
        count, lived.young, people.key, people.birth_year, people.sex, people.couple, people.parents, people.activity,
        people.schooling, lived.gone, people.household, people.is_away, world.first_member, world.members, homes.place,
        homes.away_place, lived.parts, world.geography.inside, world.geography.core, world.year,
        luck_of(world, Decision.STUDY), p, to, becomes,
    )  # fmt: skip
    by_leaving, rows = np.empty(count, FOUNDED), np.empty(count, np.int64)
    made = leaving.leave(
        lived.young, to, becomes, people.key, people.birth_year, people.parents, people.since_year, people.household,
        people.is_away, homes.key, homes.place, homes.away_place, homes.away_since_year, homes.since_year,
        homes.tenure, homes.away_tenure, homes.permit, homes.waiting_yr, lived.parts, world.occupied,
        world.flows.moves, world.year, len(homes) + len(founded), p, by_leaving, rows,
    )  # fmt: skip
    by_leaving = by_leaving[:made]
    return np.concatenate([founded, by_leaving]), _together(moved, Moved(rows[:made], by_leaving["source"]))


def _settle(world: World, parts: Parts, moved: Moved, p: np.ndarray) -> np.ndarray:
    """Bring the parts of households in order; rows of those where nobody is left."""
    people, homes, geography = world.persons, world.households, world.geography
    rows, found = np.empty(len(homes), np.int32), np.zeros((blocks_of(len(homes)), 2), np.int64)
    families.unsettled(len(homes), parts.adults, homes.away_place, rows, found)
    rows = listed(rows, found)
    change, dissolved, orphans = families.settle_parts(
        rows, parts.adults, parts.minors, homes.kind, homes.place, homes.away_place, homes.since_year,
        homes.away_since_year, homes.tenure, homes.away_tenure, homes.land_mu, homes.savings_yuan, homes.permit,
        homes.waiting_yr, homes.community, geography.community_county, world.occupied, world.village_pool_mu,
        world.estates_yuan, world.flows.moves,
    )  # fmt: skip
    families.tell_persons(
        rows, change, moved.rows, world.first_member, world.members, people.household, people.is_away,
        people.birth_year, people.since_year, world.year, p[0].minor_age_yr,
    )  # fmt: skip
    world.measures["orphans"] = np.array([orphans])
    return np.asarray(rows[dissolved])


# Arrivals of strangers


@kernel
def _come(flows, year, weight, luck, sample_luck, cumulated, p):
    """Strangers in the sample, of ``flows`` (origins,): keys, ages, sexes, schooling, kinds, places and origins."""
    p = p[0]
    most = 0
    for origin in range(flows.shape[0]):
        most += flows[origin]
    key = empty(most, np.uint64)
    age = empty(most, np.int16)
    sex = empty(most, np.uint8)
    schooling = empty(most, np.uint8)
    kind = empty(most, np.uint8)
    place = empty(most, np.int8)
    origin_of = empty(most, np.int64)
    made = 0
    for origin in range(flows.shape[0]):
        start = draw(sample_luck, origin, 0)
        for serial in range(flows[origin]):
            if unit(evenly(start, serial)) * weight >= 1.0:
                continue
            who = draw(luck, serial, origin)
            key[made] = who
            age[made] = rules.arrival_age(uniform(luck, who, 0), p)
            sex[made] = Sex.MALE if uniform(luck, who, 1) < p.arrival_male_share else Sex.FEMALE
            schooling[made] = rules.arrival_schooling(uniform(luck, who, 2), p)
            kind[made] = Kind.COLLECTIVE if uniform(luck, who, 3) < p.arrival_collective_share else Kind.FAMILY
            drawn, here = unit(draw(luck, who, 4)) * cumulated[-1], 0
            while here < cumulated.shape[0] - 1 and cumulated[here] <= drawn:
                here += 1
            place[made] = here
            origin_of[made] = origin
            made += 1
    return key[:made], age[:made], sex[:made], schooling[:made], kind[:made], place[:made], origin_of[:made]


@kernel
def _count_strangers(home_place, place, inside, places):
    """(places,) households of strangers by place."""
    count = zeros(places, np.int64)
    for h in range(place.shape[0]):
        if home_place[h] >= inside:
            count[place[h]] += 1
    return count


@kernel
def _household_keys(keys, year):
    made = empty(keys.shape[0], np.uint64)
    for i in range(keys.shape[0]):
        made[i] = child_key(keys[i], year, 0)
    return made


def _strangers(world: World, p: np.ndarray) -> tuple[Rows, Rows]:
    """Rows of persons and households of the strangers who come this year; ``household`` counts from 0."""
    homes, geography = world.households, world.geography
    urban = geography.urban
    present = _count_strangers(homes.home_place, homes.place, geography.inside, geography.places) * urban
    if not present.any():
        present = np.bincount(homes.place, minlength=geography.places) * urban
    flows = np.maximum(0, np.array([p[0].arrivals_near_persons_yr, p[0].arrivals_far_persons_yr]).astype(np.int64))
    key, age, sex, schooling, kind, place, origin_of = _come(
        flows, world.year, world.weight, luck_of(world, Decision.ARRIVAL),
        luck_of(world, Decision.SAMPLE), np.cumsum(present), p,
    )  # fmt: skip
    come = np.bincount(place, minlength=geography.places)
    world.flows.arrivals += come
    world.occupied[:, Tenure.DORMITORY] += come
    skill = np.where(
        schooling >= Schooling.COLLEGE, Skill.HIGH, np.where(schooling == Schooling.SENIOR, Skill.MIDDLE, Skill.LOW)
    )
    persons = {
        "key": key,
        "household": np.arange(len(key)),
        "birth_year": world.year - age,
        "sex": sex,
        "schooling": schooling,
        "activity": int(Activity.SEEKING),
        "skill": skill,
        "since_year": world.year,
    }
    households = {
        "key": _household_keys(key, world.year),
        "kind": kind,
        "community": geography.villages + (N_TIERS - 1) * geography.counties + origin_of,
        "home_place": geography.inside + origin_of,
        "place": place,
        "away_place": NOWHERE,
        "since_year": world.year,
        "tenure": int(Tenure.DORMITORY),
    }
    return persons, households
