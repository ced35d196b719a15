"""The year of the people: deaths, births, schooling, marriages, new and dissolved households, arrivals.

Newborn children are kept aside until their mothers have settled and are then written beside them.
Persons are gathered once, at the end: columns change in place until then, and ``gone`` marks the dead.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeVar

import numpy as np

from migrasim.core.chance import Decision, child_key, draw, stream, uniform, unit
from migrasim.core.codes import N_OUTSIDE, N_TIERS, NOWHERE, Activity, Kind, Schooling, Sector, Sex, Skill, Tenure, Tier
from migrasim.core.columns import Runs, Table, listed
from migrasim.core.rule import blocks_of, copy_run, kernel, rows_of, scalars, threaded_kernel
from migrasim.domains.demography import families, leaving, rules
from migrasim.domains.demography.families import Founded, Parts
from migrasim.domains.demography.rules import DemographyParams
from migrasim.world import World

_AGES = rules.AGES
_DRAWN = 1024  # persons whose luck is drawn before it is used
Columns = TypeVar("Columns", bound=tuple[np.ndarray, ...])


class Lived(NamedTuple):
    """What a year brings to people where they live, before anybody marries or leaves: rows in order."""

    parts: Parts
    gone: np.ndarray  # (persons,) True for the dead
    dead: np.ndarray  # rows of persons
    mothers: np.ndarray  # of children born this year
    seekers: np.ndarray  # single people who look for a marriage
    young: np.ndarray  # who may leave their family if they stay single
    splitting: np.ndarray  # rows of households of several couples that may split


class Moved(NamedTuple):
    """Rows of persons who join another household, in no order, and the rows of the households that they left."""

    rows: np.ndarray
    left: np.ndarray


def run(world: World) -> None:
    """Let the people of the world live through ``world.year``; persons stand in the order of their households.

    Reads facts ``demography.*`` and the dwellings; writes persons and households, the flows of
    births, deaths, arrivals and moves (of the young who leave and of children who join the other part
    of their family), occupied, network, filled, village_pool_mu, estates_yuan, and the measures "orphans", "marriages",
    "new_households" and "newlywed_rows" (rows of the households of this year's couples).
    """
    p = scalars(world.inputs.params("demography", DemographyParams))[0]
    _size(world)
    lived = _live(world, p)
    founded, moved = _families(world, lived, p)
    if "no_independent_youth" not in world.inputs.alternatives:
        founded, moved = _leave(world, lived, founded, moved, p)
    dissolved = _settle(world, lived.parts, moved, p)
    newborn = _newborn(world, lived.mothers, p)
    _gather(world, lived, dissolved, founded, moved, newborn, _strangers(world, p))
    world.network[:], world.filled[:] = world.people_and_jobs()


def _luck(world: World, decision: Decision) -> np.uint64:
    return np.uint64(stream(np.uint64(world.seed), int(decision), world.year))


def _size(world: World) -> None:
    geography = world.geography
    if not len(world.village_pool_mu):
        world.village_pool_mu = np.zeros(geography.communities)
    if not len(world.estates_yuan):
        world.estates_yuan = np.zeros(geography.counties + 1, np.int64)


# Tables by age


@kernel
def death_table(year, p):
    """(sexes, ages) probability of death within a year."""
    table = np.empty((2, _AGES))
    for sex in range(2):
        ageing = rules.ageing_level(rules.life_expectancy(year, sex, p), sex, p)
        for age in range(_AGES):
            table[sex, age] = rules.death_prob(age, sex, ageing, p)
    return table


@kernel
def birth_table(total, p):
    """(town or village, ages) probability that a woman in a couple bears a child within a year."""
    table = np.empty((2, _AGES))
    for rural in range(2):
        for age in range(_AGES):
            table[rural, age] = rules.birth_prob(age, rural == 1, total, p)
    return table


class Tables(NamedTuple):
    """Chances of a year by age."""

    death: np.ndarray  # (sexes, ages)
    birth: np.ndarray  # (town or village, ages)
    marriage: np.ndarray  # (sexes, town or village, ages)
    fertile: tuple[int, int]  # the first and the last age at which a child may be born
    marrying: tuple[int, int]  # and at which somebody may look for a marriage


@lru_cache(maxsize=64)
def _tables(year: int, fields: np.dtype[Any], facts: bytes) -> Tables:
    """`Tables` of a year; the runs of a process mostly have the same."""
    p = np.frombuffer(facts, fields).copy().view(np.recarray)[0]
    birth, marriage = birth_table(rules.total_fertility(year, p), p), families.marriage_table(p)
    fertile, marrying = _ages(birth.any(axis=0)), _ages(marriage.any(axis=(0, 1)))
    return Tables(death_table(year, p), birth, marriage, fertile, marrying)


def _ages(possible: np.ndarray) -> tuple[int, int]:
    """The first and the last age at which something is possible; none lies between them where it never is."""
    ages = np.flatnonzero(possible)
    return int(ages.min(initial=_AGES)), int(ages.max(initial=-1))


# The year of all people where they live
#
# Most people are out of question for most that may happen, in no order that a processor could foresee. So a loop
# without branches lists those in question (every row is written, and the place of the next one goes on or not), and
# luck is drawn for the listed. Each block lists from its first row on.


@partial(threaded_kernel, allocates=True)
def die(block, key, birth_year, sex, year, table, luck, gone, dead, found):
    """Mark in ``gone`` (persons,) who dies, and list them.

    Everybody draws luck: apart from what is done with it, so that a processor mixes the bits of several at once.
    """
    bits = np.empty(_DRAWN, np.uint64)
    n = block[0]
    for start in range(block[0], block[1], _DRAWN):
        end = min(start + _DRAWN, block[1])
        for i in range(start, end):
            bits[i - start] = draw(luck, key[i], 0)
        for i in range(start, end):
            age = min(max(year - birth_year[i], 0), _AGES - 1)
            gone[i] = unit(bits[i - start]) < table[sex[i], age]
            dead[n] = i
            n += gone[i]
    found[block[2], 0], found[block[2], 1] = block[0], n - block[0]


@kernel
def _widow(dead, household, couple, first_member, members):
    for k in range(dead.shape[0]):
        number = couple[dead[k]]
        if number > 0:
            h = household[dead[k]]
            for i in range(first_member[h], first_member[h] + members[h]):
                if couple[i] == number:
                    couple[i] = 0


@threaded_kernel
def grow(
    block, key, birth_year, sex, household, is_away, schooling, activity, sector, chain, skill, place, home_place,
    land_mu, inside, year, luck, p, rows,
):  # fmt: skip
    """Schooling, and the ends of school and of work."""
    college = rules.college_ratio(year, p)
    retiring = min(p.retirement_age_men_yr, p.retirement_age_women_yr, p.farmer_retirement_age_yr)
    n = block[0]
    for i in rows_of(block):
        now = activity[i]
        ends_none = (year - birth_year[i] < retiring) | (now == Activity.HOME) | (now == Activity.RETIRED)
        rows[n] = i
        n += not (ends_none & (now != Activity.CHILD) & (now != Activity.PUPIL))
    for k in range(block[0], n):
        i = rows[k]
        age = year - birth_year[i]
        now = activity[i]
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
            has_land = (
                families.in_village(place[h], inside)
                and not is_away[i]
                and place[h] == home_place[h]
                and land_mu[h] > 0
            )
            activity[i] = rules.activity_after(age, has_land, p)


@threaded_kernel
def bear(
    block, key, birth_year, sex, couple, household, is_away, gone, place, away_place, inside, year, luck, ages, table,
    mothers, found,
):  # fmt: skip
    """List the women who bear a child this year, by `birth_table` and its ages."""
    youngest, oldest = ages
    n = block[0]
    for i in rows_of(block):
        age = year - birth_year[i]
        mothers[n] = i
        n += (couple[i] > 0) & (not gone[i]) & (sex[i] == Sex.FEMALE) & (youngest <= age) & (age <= oldest)
    asked, n = n, block[0]
    for k in range(block[0], asked):
        i = mothers[k]
        h = household[i]
        rural = families.in_village(away_place[h] if is_away[i] else place[h], inside)
        mothers[n] = i
        n += uniform(luck, key[i], 0) < table[1 if rural else 0, year - birth_year[i]]
    found[block[2], 0], found[block[2], 1] = block[0], n - block[0]


def _live(world: World, p: Any) -> Lived:
    """Deaths, births, schooling and the ends of work, and lists of who may marry, leave or split later."""
    people, homes, geography = world.persons, world.households, world.geography
    year, inside, first, members = world.year, geography.inside, world.first_member, world.members
    household, is_away, place, away_place = people.household, people.is_away, homes.place, homes.away_place
    key, birth_year, sex, couple, activity = people.key, people.birth_year, people.sex, people.couple, people.activity
    tables = _tables(year, p.dtype, p.tobytes())
    rows, gone = len(people), np.empty(len(people), np.bool_)
    room, found = np.empty(rows, np.int32), np.zeros((blocks_of(rows), 2), np.int64)

    die(rows, key, birth_year, sex, year, tables.death, _luck(world, Decision.DEATH), gone, room, found)
    dead = listed(room, found)
    _widow(dead, household, couple, first, members)
    grow(
        rows, key, birth_year, sex, household, is_away, people.schooling, activity, people.sector, people.chain,
        people.skill, place, homes.home_place, homes.land_mu, inside, year, _luck(world, Decision.SCHOOL), p, room,
    )  # fmt: skip
    bear(
        rows, key, birth_year, sex, couple, household, is_away, gone, place, away_place, inside, year,
        _luck(world, Decision.BIRTH), tables.fertile, tables.birth, room, found,
    )  # fmt: skip
    mothers = listed(room, found)
    families.seek_partner(
        rows, key, birth_year, sex, couple, activity, household, is_away, gone, place, away_place, inside, year,
        _luck(world, Decision.MARRY), tables.marrying, tables.marriage, room, found,
    )  # fmt: skip
    seekers = listed(room, found)
    leaving.may_leave(
        rows, key, birth_year, couple, people.parents, people.schooling, activity, household, is_away, gone, first,
        members, place, away_place, inside, geography.core, year, _luck(world, Decision.STUDY), p, room, found,
    )  # fmt: skip
    young = listed(room, found)
    world.flows.deaths += np.bincount(world.living_at(dead), minlength=geography.places)
    world.flows.births += np.bincount(world.living_at(mothers), minlength=geography.places)
    parts, splitting = _count_parts(world, gone, p)
    return Lived(parts, gone, dead, mothers, seekers, young, splitting)


def _count_parts(world: World, gone: np.ndarray, p: Any) -> tuple[Parts, np.ndarray]:
    """Parts of households before anybody marries or leaves, and rows of the households that may split."""
    people, homes = world.persons, world.households
    rows = len(homes)
    adults, minors, brides = (np.zeros((rows, 2), np.int16) for _ in range(3))
    parts = Parts(adults, minors, brides, np.zeros(rows, np.int16))
    splitting, found = np.empty(rows, np.int32), np.zeros((blocks_of(rows), 2), np.int64)
    families.count_parts(
        rows, world.first_member, world.members, people.household, people.is_away, people.birth_year, people.couple,
        people.parents, gone, homes.kind, homes.place, homes.key, world.geography.inside, world.year,
        _luck(world, Decision.LEAVE_HOME), p, parts, splitting, found,
    )  # fmt: skip
    return parts, listed(splitting, found)


# Births


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


# Marriages, new households and parts


def _families(world: World, lived: Lived, p: DemographyParams) -> tuple[Founded, Moved]:
    """Marry, and split families; new households take the rows after the present ones."""
    people, homes, inside = world.persons, world.households, world.geography.inside
    touched = np.zeros(len(homes), np.bool_)
    seekers = lived.seekers
    bits = families.draws(_luck(world, Decision.MATCH), people.key[seekers], 0)
    men, women = families.pair(
        seekers, world.living_at(seekers), people.sex[seekers], people.birth_year[seekers], bits, people.household
    )
    lives = world.living_at(men)
    outcome, number, columns = families.marry(
        men, women, people.key, people.household, people.is_away,
        homes.key, homes.kind, homes.place, homes.away_place, homes.since_year, homes.away_since_year, homes.tenure,
        homes.away_tenure, homes.land_mu, homes.savings_yuan,
        lived.parts, touched, world.dwellings, world.occupied, inside, world.year,
        _luck(world, Decision.NEW_HOUSEHOLD), p,
    )  # fmt: skip
    by_marriage = Founded(*columns)
    married = outcome != families.NO_MARRIAGE
    men, women, lives = men[married], women[married], lives[married]
    by_wedding = _wed(people, men, women, outcome[married] == families.FOUNDS, number[married], len(homes))
    places = world.geography.places
    world.measures["marriages"] = np.bincount(lives, minlength=places)
    world.measures["newlywed_rows"] = people.household[men].astype(np.int64)
    by_splitting, rows, left = families.split(
        lived.splitting, people.key, people.household, people.is_away, people.birth_year, people.sex,
        people.generation, people.couple, people.parents, lived.gone, world.first_member, world.members,
        homes.key, homes.place, homes.since_year, homes.land_mu, homes.savings_yuan,
        lived.parts, touched, world.occupied, world.year, _luck(world, Decision.LEAVE_HOME),
        len(homes) + len(by_marriage.source), p,
    )  # fmt: skip
    founded = _together(by_marriage, Founded(*by_splitting))
    world.measures["new_households"] = np.bincount(founded.place, minlength=places)
    return founded, _together(by_wedding, Moved(rows, left))


def _together(one: Columns, other: Columns) -> Columns:
    return type(one)(*(np.concatenate(pair) for pair in zip(one, other, strict=True)))


def _leave(world: World, lived: Lived, founded: Founded, moved: Moved, p: DemographyParams) -> tuple[Founded, Moved]:
    """Add the households of the young who leave their family this year to those that were founded."""
    people, homes = world.persons, world.households
    columns, rows = leaving.leave(
        lived.young, people.key, people.birth_year, people.couple, people.parents, people.activity,
        people.schooling, people.since_year, lived.gone, people.household, people.is_away, world.first_member,
        world.members, homes.key, homes.place, homes.away_place, homes.away_since_year, homes.since_year, homes.tenure,
        homes.away_tenure, homes.permit, homes.waiting_yr, lived.parts, world.occupied, world.flows.moves,
        world.geography.core, world.year, _luck(world, Decision.STUDY), len(homes) + len(founded.source), p,
    )  # fmt: skip
    by_leaving = Founded(*columns)
    return _together(founded, by_leaving), _together(moved, Moved(rows, by_leaving.source))


def _wed(
    people: Table, men: np.ndarray, women: np.ndarray, founds: np.ndarray, number: np.ndarray, next_row: int
) -> Moved:
    """Write who lives in which household and couple after the marriages: tell who moved."""
    target, part = people.household[men], people.is_away[men]
    moved = Moved(
        np.concatenate([women, men[founds]]), np.concatenate([people.household[women], target[founds]]).astype(np.int64)
    )
    target[founds] = next_row + np.arange(np.count_nonzero(founds))
    part[founds] = 0
    for each in (men, women):
        people.household[each] = target
        people.is_away[each] = part
        people.couple[each] = number
    people.parents[women] = 0
    people.parents[men[founds]] = 0
    people.generation[women] = people.generation[men]
    return moved


def _settle(world: World, parts: Parts, moved: Moved, p: DemographyParams) -> np.ndarray:
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
        people.birth_year, people.since_year, world.year, p.minor_age_yr,
    )  # fmt: skip
    world.measures["orphans"] = np.array([orphans])
    return np.asarray(rows[dissolved])


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
def _count_strangers(home_place, place, inside, places):
    """(places,) households of strangers by place."""
    count = np.zeros(places, np.int64)
    for h in range(place.shape[0]):
        if home_place[h] >= inside:
            count[place[h]] += 1
    return count


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
    present = _count_strangers(homes.home_place, homes.place, geography.inside, geography.places) * urban
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
def _order(household, gone, first_member, members, dead, left, moved, joining, households):
    """Rows of the living and of those who join, in the order of their households and rows: as `Runs`.

    Almost every household keeps its members as they are; those of the others are looked for.

    Parameters
    ----------
    household, gone : (persons,) where each lives now, and the dead
    first_member, members : (households before,) the persons of each as they stand in the table
    dead, moved : rows of the dead, and of persons who joined another household
    left : rows of the households that these left, and of those where nobody is left
    joining : (joining,) household of those who join the table, numbered on
    households : number of households, the new ones among them

    Returns
    -------
    first, place : `Runs`; members : (households with members,) int32 how many each has
    """
    here, before, come = household.shape[0], first_member.shape[0], moved.shape[0] + joining.shape[0]
    changed, newest = np.zeros(households, np.bool_), np.full(households, np.int32(-1))
    changed[before:] = True
    for h in left:
        changed[h] = True
    for i in dead:
        changed[household[i]] = True
    # who comes to a household, by chains in the order of rows
    row, after = np.empty(come, np.int32), np.empty(come, np.int32)
    for n in range(come):
        row[n] = moved[n] if n < moved.shape[0] else here + n - moved.shape[0]
        h = household[row[n]] if row[n] < here else joining[row[n] - here]
        changed[h] = True
        if newest[h] < 0 or row[newest[h]] > row[n]:
            after[n] = newest[h]
            newest[h] = n
        else:
            beside = newest[h]
            while after[beside] >= 0 and row[after[beside]] < row[n]:
                beside = after[beside]
            after[n] = after[beside]
            after[beside] = n
    first, place = np.empty(here + come, np.int32), np.empty(here + come + 1, np.int32)
    heads = np.empty(households, np.int32)
    runs = kept = total = begun = 0
    follows = -1
    for h in range(households + 1):
        if h < households and not changed[h]:
            continue
        if begun < h:  # those from ``begun`` on are as they were
            start, end = first_member[begun], first_member[h] if h < before else here
            if start != follows:
                first[runs], place[runs] = start, total
                runs += 1
            copy_run(heads, kept, members, begun, h - begun)
            kept += h - begun
            total += end - start
            follows = end
        begun = h + 1
        if h == households:
            break
        began, n = total, newest[h]
        own = first_member[h] if h < before else here
        end = own + members[h] if h < before else here
        while own < end or n >= 0:
            if n >= 0 and (own >= end or row[n] < own):
                i = row[n]
                n = after[n]
            else:
                i = own
                own += 1
                if gone[i] or household[i] != h:
                    continue
            if i != follows or i == here:
                first[runs], place[runs] = i, total
                runs += 1
            total += 1
            follows = i + 1
        heads[kept] = total - began
        kept += total > began
    place[runs] = total
    return first[:runs].copy(), place[: runs + 1].copy(), heads[:kept].copy()


def _gather(
    world: World,
    lived: Lived,
    dissolved: np.ndarray,
    founded: Founded,
    moved: Moved,
    newborn: dict[str, np.ndarray],
    strangers: tuple[dict[str, np.ndarray], dict[str, np.ndarray]],
) -> None:
    """Write new rows, drop the dead and the empty households, and put persons beside their families."""
    people, homes = world.persons, world.households
    persons, households = strangers
    old, new = len(homes), len(founded.source)
    joining = _concatenate(_founded_rows(world, founded), households)
    persons["household"] = persons["household"] + old + new
    added = _concatenate(newborn, persons)
    first, place, members = _order(
        people.household, lived.gone, world.first_member, world.members, lived.dead,
        np.concatenate([moved.left, dissolved]), moved.rows, added["household"], old + len(joining["key"]),
    )  # fmt: skip
    world.take_persons(Runs(first, place), members, added)
    homes.take(Runs.without(dissolved, 1, old, len(joining["key"])), joining)
    wed = np.setdiff1d(world.measures["newlywed_rows"], dissolved)
    world.measures["newlywed_rows"] = wed - np.searchsorted(dissolved, wed)


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
