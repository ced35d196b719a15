"""The year of the people: deaths, births, schooling, marriages, new and dissolved households, arrivals.

Newborn children are kept aside until their mothers have settled and are then written beside them.
Persons are gathered once, at the end: columns change in place until then, and ``gone`` marks the dead.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeVar

import numpy as np

from migrasim.core.chance import Decision, child_key, draw, stream, uniform, unit
from migrasim.core.codes import N_TIERS, NOWHERE, Activity, Kind, Schooling, Sector, Sex, Skill, Tenure, Tier
from migrasim.core.columns import Runs, Table, listed
from migrasim.core.rule import blocks_of, copy_run, kernel, rows_of, rule, scalars, span, threaded_kernel
from migrasim.domains.demography import families, leaving, rules
from migrasim.domains.demography.families import Founded, Parts
from migrasim.domains.demography.rules import DemographyParams
from migrasim.world import World

_AGES = rules.AGES
_ACTIVITIES, _SCHOOLINGS = len(Activity), len(Schooling)
_DRAWN = 1024  # persons whose luck is drawn before it is used
BEARS, SEEKS, LEAVES, ENTERS = 1, 2, 4, 8  # what people are asked: a child, a marriage, to leave, to enter a school
Rows = dict[str, Any]  # columns that are not 0: one value a row, or one for all
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


@kernel
def change_table(year, p):
    """(activities, schoolings, ages) whether a year may change the schooling or the activity of somebody alive."""
    table = np.zeros((_ACTIVITIES, _SCHOOLINGS, _AGES), np.bool_)
    college = rules.college_ratio(year, p)
    for age in range(_AGES):
        for schooling in range(_SCHOOLINGS):
            table[Activity.CHILD, schooling, age] = age >= p.primary_age_yr
            for luck in range(2):  # by thresholds: what neither the best luck nor the worst changes stays
                if rules.schooling_of_pupil(age, schooling, college, np.float64(luck), p) != schooling:
                    table[Activity.PUPIL, schooling, age] = True
        for activity in range(Activity.PUPIL + 1, _ACTIVITIES):
            for sex in range(2):
                for sector in (Sector.NONE.value, Sector.AGRICULTURE.value):
                    if rules.retires(age, sex, activity, sector, p):
                        table[activity, :, age] = True
    return table


@kernel
def youth_table(p):
    """(ages,) who of the single may leave the family: `LEAVES` of those away already, `ENTERS` of those at school."""
    table = np.zeros(_AGES, np.uint8)
    for age in range(_AGES):
        if rules.is_young(age, 0, p):
            table[age] = LEAVES
            for schooling in range(_SCHOOLINGS):
                if rules.study_place(age, schooling, 0.0, p) != rules.STUDY_AT_HOME:
                    table[age] = LEAVES | ENTERS
    return table


class Tables(NamedTuple):
    """Chances of a year by age."""

    death: np.ndarray  # (sexes, ages)
    birth: np.ndarray  # (sexes, town or village, ages)
    marriage: np.ndarray  # (sexes, town or village, ages)
    change: np.ndarray  # (activities, schoolings, ages) whether schooling or activity may change
    asked: (
        np.ndarray
    )  # (sexes, single or in a couple, ages) what somebody is asked: `BEARS`, `SEEKS`, `LEAVES`, `ENTERS`


@lru_cache(maxsize=64)
def _tables(year: int, fields: np.dtype[Any], facts: bytes) -> Tables:
    """`Tables` of a year; the runs of a process mostly have the same."""
    p = np.frombuffer(facts, fields).copy().view(np.recarray)[0]
    marriage = families.marriage_table(p)
    birth = np.zeros_like(marriage)
    birth[Sex.FEMALE] = birth_table(rules.total_fertility(year, p), p)
    asked = np.empty((2, 2, _AGES), np.uint8)
    asked[:, 0] = SEEKS * marriage.any(axis=1) + youth_table(p)
    asked[:, 1] = BEARS * birth.any(axis=1)
    return Tables(death_table(year, p), birth, marriage, change_table(year, p), asked)


# The year of all people where they live
#
# Most people are out of question for most that may happen, in no order that a processor could foresee. So a loop
# without branches lists those in question (every row is written, and the place of the next one goes on or not), and
# luck is drawn for the listed. Each block lists from its first row on. Places in lists have no sign: they are not asked
# whether they count from the end.


@rule
def _age(year, birth_year):
    """Age by which tables are asked."""
    return np.uint64(min(max(year - birth_year, 0), _AGES - 1))


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
            age = _age(year, birth_year[i])
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
    land_mu, inside, year, luck, p, table, rows,
):  # fmt: skip
    """Schooling, and the ends of school and of work, of those for whom `change_table` allows any."""
    college = rules.college_ratio(year, p)
    n = block[0]
    for i in rows_of(block):
        rows[np.uint64(n)] = i
        n += table[activity[i], schooling[i], _age(year, birth_year[i])]
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
def ask(
    block, birth_year, sex, couple, activity, is_away, gone, year, asked, mothers, seekers, young, found
):  # fmt: skip
    """List who of the living may, by ``asked`` of `Tables`, bear a child, look for a marriage, and leave the family.

    ``found`` is (lists, blocks, 2), for `listed`. Pupils look for no marriage.
    """
    bearing = seeking = leaving = block[0]
    for i in rows_of(block):
        questions = np.int64(asked[sex[i], np.uint8(couple[i] > 0), _age(year, birth_year[i])])
        lives, away, pupil = np.int64(not gone[i]), np.int64(is_away[i] > 0), np.int64(activity[i] == Activity.PUPIL)
        mothers[np.uint64(bearing)] = seekers[np.uint64(seeking)] = young[np.uint64(leaving)] = i
        bearing += questions & lives  # `BEARS` is 1
        seeking += (questions >> 1) & lives & (pupil ^ 1)
        leaving += ((questions >> 2) & away | (questions >> 3) & pupil) & lives
    for each, end in enumerate((bearing, seeking, leaving)):
        found[each, block[2], 0], found[each, block[2], 1] = block[0], end - block[0]


@threaded_kernel
def by_chance(
    block, key, birth_year, sex, household, is_away, place, away_place, inside, year, luck, table, most, rows, found
):  # fmt: skip
    """Keep in the list of ``rows`` those whose luck is below the ``table`` (sexes, town or village, ages).

    Where they live is looked up only of those whose luck is below ``most`` (sexes, ages), the higher chance of the two.
    """
    n = block[0]
    for k in span(block[0], found[block[2], 1]):
        i = np.uint32(rows[k])
        rows[np.uint64(n)] = i
        n += uniform(luck, key[i], 0) < most[sex[i], _age(year, birth_year[i])]
    asked, n = n, block[0]
    for k in range(block[0], asked):
        i = rows[k]
        h = household[i]
        rural = families.in_village(away_place[h] if is_away[i] else place[h], inside)
        rows[n] = i
        n += uniform(luck, key[i], 0) < table[sex[i], 1 if rural else 0, _age(year, birth_year[i])]
    found[block[2], 1] = n - block[0]


def _live(world: World, p: Any) -> Lived:
    """Deaths, births, schooling and the ends of work, and lists of who may marry, leave or split later."""
    people, homes, geography = world.persons, world.households, world.geography
    year, inside, first, members = world.year, geography.inside, world.first_member, world.members
    household, is_away, place, away_place = people.household, people.is_away, homes.place, homes.away_place
    key, birth_year, sex, couple, activity = people.key, people.birth_year, people.sex, people.couple, people.activity
    tables = _tables(year, p.dtype, p.tobytes())
    rows, gone = len(people), np.empty(len(people), np.bool_)
    room, found = np.empty((3, rows), np.int32), np.zeros((3, blocks_of(rows), 2), np.int64)

    die(rows, key, birth_year, sex, year, tables.death, _luck(world, Decision.DEATH), gone, room[0], found[0])
    dead = listed(room[0], found[0])
    _widow(dead, household, couple, first, members)
    grow(
        rows, key, birth_year, sex, household, is_away, people.schooling, activity, people.sector, people.chain,
        people.skill, place, homes.home_place, homes.land_mu, inside, year, _luck(world, Decision.SCHOOL), p,
        tables.change, room[0],
    )  # fmt: skip
    ask(rows, birth_year, sex, couple, activity, is_away, gone, year, tables.asked, room[0], room[1], room[2], found)
    for n, decision, table in ((0, Decision.BIRTH, tables.birth), (1, Decision.MARRY, tables.marriage)):
        by_chance(
            rows, key, birth_year, sex, household, is_away, place, away_place, inside, year, _luck(world, decision),
            table, table.max(axis=1), room[n], found[n],
        )  # fmt: skip
    leaving.may_leave(
        rows, key, birth_year, couple, people.parents, people.schooling, activity, household, is_away, gone, first,
        members, place, away_place, inside, geography.core, year, _luck(world, Decision.STUDY), p, room[2], found[2],
    )  # fmt: skip
    mothers, seekers, young = (listed(room[n], found[n]) for n in range(3))
    world.flows.deaths += np.bincount(world.living_at(dead), minlength=geography.places)
    world.flows.births += np.bincount(world.living_at(mothers), minlength=geography.places)
    parts, splitting = _count_parts(world, gone, p)
    return Lived(parts, gone, dead, mothers, seekers, young, splitting)


def _count_parts(world: World, gone: np.ndarray, p: Any) -> tuple[Parts, np.ndarray]:
    """Parts of households before anybody marries or leaves, and rows of the households that may split."""
    people, homes = world.persons, world.households
    rows = len(homes)
    heads = np.zeros(rows, np.int64)
    adults_and_minors = heads.view(np.int16).reshape(rows, 4)
    brides, top = np.zeros((rows, 2), np.int16), np.zeros(rows, np.int16)
    parts = Parts(adults_and_minors[:, :2], adults_and_minors[:, 2:], brides, top)
    splitting, found = np.empty(rows, np.int32), np.zeros((blocks_of(rows), 2), np.int64)
    families.count_parts(
        rows, world.first_member, world.members, people.household, people.is_away, people.birth_year, people.couple,
        people.parents, gone, homes.kind, homes.place, homes.key, world.geography.inside, world.year,
        _luck(world, Decision.LEAVE_HOME), p, heads, top, splitting, found,
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


def _newborn(world: World, mothers: np.ndarray, p: DemographyParams) -> Rows:
    """Rows of the newborn, in the household and the part where their mothers live by now."""
    people = world.persons
    key, sex = _children(people.key[mothers], world.year, _luck(world, Decision.SEX), p)
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


def _rows(table: Table, parts: Sequence[Rows]) -> dict[str, np.ndarray]:
    """Rows that join a table, part after part; what a part does not say is 0."""
    counts = [len(part["key"]) for part in parts]
    rows = {name: np.zeros(sum(counts), getattr(table, name).dtype) for name in table.names}
    end = 0
    for part, count in zip(parts, counts, strict=True):
        first, end = end, end + count
        for name, values in part.items():
            rows[name][first:end] = values
    return rows


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
    outcome, number, columns = families.marry(
        men, women, people.key, people.household, people.is_away,
        homes.key, homes.kind, homes.place, homes.away_place, homes.since_year, homes.away_since_year, homes.tenure,
        homes.away_tenure, homes.land_mu, homes.savings_yuan,
        lived.parts, touched, world.dwellings, world.occupied, inside, world.year,
        _luck(world, Decision.NEW_HOUSEHOLD), p,
    )  # fmt: skip
    by_marriage = Founded(*columns)
    places = world.geography.places
    marriages = np.zeros(places, np.int64)
    newlywed, *by_wedding = families.wed(
        men, women, outcome, number, people.household, people.is_away, people.couple, people.parents, people.generation,
        homes.place, homes.away_place, marriages, len(homes),
    )  # fmt: skip
    world.measures["marriages"], world.measures["newlywed_rows"] = marriages, newlywed
    by_splitting, rows, left = families.split(
        lived.splitting, people.key, people.household, people.is_away, people.birth_year, people.sex,
        people.generation, people.couple, people.parents, lived.gone, world.first_member, world.members,
        homes.key, homes.place, homes.since_year, homes.land_mu, homes.savings_yuan,
        lived.parts, touched, world.occupied, world.year, _luck(world, Decision.LEAVE_HOME),
        len(homes) + len(by_marriage.source), p,
    )  # fmt: skip
    founded = _together(by_marriage, Founded(*by_splitting))
    world.measures["new_households"] = np.bincount(founded.place, minlength=places)
    return founded, _together(Moved(*by_wedding), Moved(rows, left))


def _together(one: Columns, other: Columns) -> Columns:
    return type(one)(*(np.concatenate(pair) for pair in zip(one, other, strict=True)))


def _leave(world: World, lived: Lived, founded: Founded, moved: Moved, p: DemographyParams) -> tuple[Founded, Moved]:
    """Add the households of the young who leave their family this year to those that were founded."""
    people, homes = world.persons, world.households
    count = len(lived.young)
    to, becomes = np.empty(count, np.int8), np.empty(count, np.uint8)
    leaving.decide(
        count, lived.young, people.key, people.birth_year, people.couple, people.parents, people.activity,
        people.schooling, lived.gone, people.household, people.is_away, world.first_member, world.members, homes.place,
        homes.away_place, lived.parts, world.geography.inside, world.geography.core, world.year,
        _luck(world, Decision.STUDY), p, to, becomes,
    )  # fmt: skip
    columns, rows = leaving.leave(
        lived.young, to, becomes, people.key, people.birth_year, people.parents, people.since_year, people.household,
        people.is_away, homes.key, homes.place, homes.away_place, homes.away_since_year, homes.since_year,
        homes.tenure, homes.away_tenure, homes.permit, homes.waiting_yr, lived.parts, world.occupied,
        world.flows.moves, world.year, len(homes) + len(founded.source), p,
    )  # fmt: skip
    by_leaving = Founded(*columns)
    return _together(founded, by_leaving), _together(moved, Moved(rows, by_leaving.source))


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
def _come(flows, year, weight, luck, sample_luck, cumulated, p):
    """Strangers in the sample, of ``flows`` (origins,): keys, ages, sexes, schooling, kinds, places and origins."""
    most = flows.sum()
    key = np.empty(most, np.uint64)
    age = np.empty(most, np.int16)
    sex = np.empty(most, np.uint8)
    schooling = np.empty(most, np.uint8)
    kind = np.empty(most, np.uint8)
    place = np.empty(most, np.int8)
    origin_of = np.empty(most, np.int64)
    made = 0
    for origin in range(flows.shape[0]):
        for serial in range(flows[origin]):
            who = draw(luck, serial, origin)
            if weight > 1.0 and uniform(sample_luck, who, 0) * weight >= 1.0:
                continue
            key[made] = who
            age[made] = rules.arrival_age(uniform(luck, who, 0), p)
            sex[made] = Sex.MALE if uniform(luck, who, 1) < p.arrival_male_share else Sex.FEMALE
            schooling[made] = rules.arrival_schooling(uniform(luck, who, 2), p)
            kind[made] = Kind.COLLECTIVE if uniform(luck, who, 3) < p.arrival_collective_share else Kind.FAMILY
            place[made] = np.searchsorted(cumulated, unit(draw(luck, who, 4)) * cumulated[-1], side="right")
            origin_of[made] = origin
            made += 1
    return key[:made], age[:made], sex[:made], schooling[:made], kind[:made], place[:made], origin_of[:made]


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


def _strangers(world: World, p: DemographyParams) -> tuple[Rows, Rows]:
    """Rows of persons and households of the strangers who come this year; ``household`` counts from 0."""
    homes, geography = world.households, world.geography
    urban = geography.urban
    present = _count_strangers(homes.home_place, homes.place, geography.inside, geography.places) * urban
    if not present.any():
        present = np.bincount(homes.place, minlength=geography.places) * urban
    flows = np.array([p.arrivals_near_persons_yr, p.arrivals_far_persons_yr]).astype(np.int64)
    key, age, sex, schooling, kind, place, origin_of = _come(
        flows, world.year, world.weight, _luck(world, Decision.ARRIVAL),
        np.uint64(stream(np.uint64(world.seed), int(Decision.SAMPLE), 0)), np.cumsum(present), p,
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


# Gathering


@kernel
def _comers(household, before, dead, left, moved, joining, households):
    """Households that change, and who comes to each: by chains in the order of rows.

    Parameters
    ----------
    household : (persons,) where each lives now; ``before`` is the number of households before this year's
    dead, moved : rows of the dead, and of persons who joined another household
    left : rows of the households that these left, and of those where nobody is left
    joining : (joining,) household of those who join the table, numbered on
    households : number of households, the new ones among them

    Returns
    -------
    changed : (households,) whether others live there than before
    newest : (households,) who comes first by rows, a number of the following, or -1
    row, after : (comers,) rows of persons, and who comes next to the same household
    """
    here, come = household.shape[0], moved.shape[0] + joining.shape[0]
    changed, newest = np.zeros(households, np.bool_), np.full(households, np.int32(-1))
    changed[before:] = True
    for h in left:
        changed[h] = True
    for i in dead:
        changed[household[i]] = True
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
    return changed, newest, row, after


@threaded_kernel
def _in_order(block, household, gone, first_member, members, changed, newest, row, after, first, place, heads, found):
    """Rows of the living and of those who join, in the order of their households and rows: `Runs` of each block.

    Almost every household keeps its members as they are; those of the others are looked for, beside `_comers`.

    Parameters
    ----------
    household, gone : (persons,) where each lives now, and the dead
    first_member, members : (households before,) the persons of each as they stand in the table
    first, place, heads : room for the runs, counted from the first person of the block on, and for how many members
        each household has that has any; each block writes them from a place of its own on
    found : (3, blocks, 2) these places and how many: of runs, of heads, and how many persons
    """
    here, before, kept = household.shape[0], first_member.shape[0], block[0]
    begins = (first_member[block[0]] if block[0] < before else here) + block[2] * row.shape[0]
    runs, total, begun, follows = begins, 0, block[0], -1
    for h in range(block[0], block[1] + 1):
        if h < block[1] and not changed[h]:
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
        if h == block[1]:
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
    found[0, block[2], 0], found[0, block[2], 1] = begins, runs - begins
    found[1, block[2], 0], found[1, block[2], 1] = block[0], kept - block[0]
    found[2, block[2], 1] = total


def _order(
    world: World, lived: Lived, left: np.ndarray, moved: np.ndarray, joining: np.ndarray, households: int
) -> tuple[Runs, np.ndarray]:
    """Persons in the order of their ``households``, as `_comers` and `_in_order` say; how many live in each (int32)."""
    household, before = world.persons.household, len(world.members)
    changed, newest, row, after = _comers(household, before, lived.dead, left, moved, joining, households)
    blocks = blocks_of(households)
    first, place = (np.empty(len(household) + blocks * len(row), np.int32) for _ in range(2))
    heads, found = np.empty(households, np.int32), np.zeros((3, blocks, 2), np.int64)
    _in_order(
        households, household, lived.gone, world.first_member, world.members, changed, newest, row, after, first, place,
        heads, found,
    )  # fmt: skip
    end = np.cumsum(found[2, :, 1])
    pieces = [slice(begins, begins + runs) for begins, runs in found[0].tolist()]
    places = [place[piece] + np.int32(begins) for piece, begins in zip(pieces, end - found[2, :, 1], strict=True)]
    members = np.concatenate([heads[begins : begins + kept] for begins, kept in found[1].tolist()])
    order = np.concatenate([first[piece] for piece in pieces])
    return Runs(order, np.concatenate([*places, end[-1:].astype(np.int32)])), members


def _gather(
    world: World,
    lived: Lived,
    dissolved: np.ndarray,
    founded: Founded,
    moved: Moved,
    newborn: Rows,
    strangers: tuple[Rows, Rows],
) -> None:
    """Write new rows, drop the dead and the empty households, and put persons beside their families."""
    people, homes = world.persons, world.households
    persons, households = strangers
    old, new = len(homes), len(founded.source)
    joining = _rows(homes, [_founded_rows(world, founded), households])
    persons["household"] += old + new
    added = _rows(people, [newborn, persons])
    order, members = _order(
        world, lived, np.concatenate([moved.left, dissolved]), moved.rows, added["household"], old + len(joining["key"])
    )
    world.take_persons(order, members, added)
    homes.take(Runs.without(dissolved, 1, old, len(joining["key"])), joining)
    wed = world.measures["newlywed_rows"]
    before = np.searchsorted(dissolved, wed)
    world.measures["newlywed_rows"] = (wed - before)[before == np.searchsorted(dissolved, wed, side="right")]


def _founded_rows(world: World, founded: Founded) -> Rows:
    """Rows of households that left a family: registered where it is, with their share of what it has."""
    homes = world.households
    source = founded.source
    home_place = homes.home_place[source]
    village = (home_place < world.geography.inside) & (home_place % N_TIERS == Tier.VILLAGE)
    return {
        "key": founded.key,
        "kind": founded.kind,
        "community": homes.community[source],
        "home_place": home_place,
        "hukou_urban": homes.hukou_urban[source],
        "place": founded.place,
        "away_place": NOWHERE,
        "since_year": founded.since_year,
        "tenure": founded.tenure,
        "land_mu": founded.land_mu,
        "has_homestead": (founded.place == home_place) & village,
        "has_collective_share": homes.has_collective_share[source],
        "savings_yuan": founded.savings_yuan,
        "permit": np.where(founded.is_away, 0, homes.permit[source]),
    }
