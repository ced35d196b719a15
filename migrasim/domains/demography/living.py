"""The year of all people where they live: deaths, births, schooling, ends of work; who may marry, leave or split.

Most people are out of question for most that may happen, in no order that a processor could foresee. So a loop
without branches lists those in question (every row is written, and the place of the next one goes on or not), and
luck is drawn for the listed. Each block lists from its first row on. Places in lists have no sign: they are not asked
whether they count from the end.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from migrasim.core.chance import Decision, stream, uniform
from migrasim.core.codes import Activity, Schooling, Sector, Sex
from migrasim.core.columns import listed
from migrasim.core.rule import blocks_of, empty, kernel, rows_of, rule, span, threaded_kernel, zeros
from migrasim.domains.demography import families, leaving, marriages, rules
from migrasim.domains.demography.families import Parts
from migrasim.world import World

_AGES = rules.AGES
_ACTIVITIES, _SCHOOLINGS = len(Activity), len(Schooling)
BEARS, SEEKS, LEAVES, ENTERS = 1, 2, 4, 8  # what people are asked: a child, a marriage, to leave, to enter a school


class Lived(NamedTuple):
    """What a year brings to people where they live, before anybody marries or leaves: rows in order."""

    parts: Parts
    gone: np.ndarray  # (persons,) True for the dead
    dead: np.ndarray  # rows of persons
    mothers: np.ndarray  # of children born this year
    seekers: np.ndarray  # single people who look for a marriage
    young: np.ndarray  # who may leave their family if they stay single
    splitting: np.ndarray  # rows of households of several couples that may split


def luck_of(world: World, decision: Decision) -> np.uint64:
    """Stream of one decision in this year."""
    return np.uint64(stream(np.uint64(world.seed), int(decision), world.year))


# Tables by age


@kernel
def death_table(year, p):
    """(sexes, ages) probability of death within a year."""
    p = p[0]
    table = empty((2, _AGES), np.float64)
    for sex in range(2):
        ageing = rules.ageing_level(rules.life_expectancy(year, sex, p), sex, p)
        for age in range(_AGES):
            table[sex, age] = rules.death_prob(age, sex, ageing, p)
    return table


@kernel
def birth_table(total, p):
    """(town, village or outside, ages) probability that a woman in a couple bears a child within a year."""
    p = p[0]
    table = empty((3, _AGES), np.float64)
    for age in range(_AGES):
        table[2, age] = rules.birth_prob_outside(age, total, p)
    for rural in range(2):
        for age in range(_AGES):
            table[rural, age] = rules.birth_prob(age, rural == 1, total, p)
    return table


@kernel
def change_table(year, p):
    """(activities, schoolings, ages) whether a year may change the schooling or the activity of somebody alive."""
    p = p[0]
    table = zeros((_ACTIVITIES, _SCHOOLINGS, _AGES), np.bool_)
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
    p = p[0]
    table = zeros(_AGES, np.uint8)
    for age in range(_AGES):
        if rules.is_young(age, 0, p):
            table[age] = LEAVES
            for schooling in range(_SCHOOLINGS):
                if rules.study_place(age, schooling, Sex.FEMALE.value, 0.0, p) != rules.STUDY_AT_HOME:
                    table[age] = LEAVES | ENTERS
    return table


class Tables(NamedTuple):
    """Chances of a year by age."""

    death: np.ndarray  # (sexes, ages)
    birth: np.ndarray  # (sexes, town, village or outside, ages)
    marriage: np.ndarray  # (sexes, town, village or outside, ages)
    change: np.ndarray  # (activities, schoolings, ages) whether schooling or activity may change
    asked: (
        np.ndarray
    )  # (sexes, single or in a couple, ages) what somebody is asked: `BEARS`, `SEEKS`, `LEAVES`, `ENTERS`


@lru_cache(maxsize=64)
def _tables(year: int, fields: np.dtype[Any], facts: bytes) -> Tables:
    """`Tables` of a year; the runs of a process mostly have the same."""
    p = np.frombuffer(facts, fields).copy()
    marriage = marriages.marriage_table(p)
    birth = np.zeros_like(marriage)
    birth[Sex.FEMALE] = birth_table(rules.total_fertility(year, p[0]), p)
    asked = np.empty((2, 2, _AGES), np.uint8)
    asked[:, 0] = SEEKS * marriage.any(axis=1) + youth_table(p)
    asked[:, 1] = BEARS * birth.any(axis=1)
    return Tables(death_table(year, p), birth, marriage, change_table(year, p), asked)


# All people


@rule
def _age(year, birth_year):
    """Age by which tables are asked."""
    return np.uint64(min(max(year - birth_year, 0), _AGES - 1))


@threaded_kernel
def die(block, key, birth_year, sex, year, table, luck, gone, dead, found):
    """Mark in ``gone`` (persons,) who dies, and list them. Everybody draws luck."""
    n = block[0]
    for i in rows_of(block):
        dies = uniform(luck, key[i], 0) < table[sex[i], _age(year, birth_year[i])]
        gone[i] = dies
        dead[np.uint64(n)] = i
        n += dies
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
    p = p[0]
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
    """Keep in the list of ``rows`` those whose luck is below the ``table`` (sexes, town, village or outside, ages).

    Where they live is looked up only of those whose luck is below ``most`` (sexes, ages), the highest of the three.
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
        here = away_place[h] if is_away[i] else place[h]
        where = 2 if here >= inside else 1 if families.in_village(here, inside) else 0
        rows[n] = i
        n += uniform(luck, key[i], 0) < table[sex[i], where, _age(year, birth_year[i])]
    found[block[2], 1] = n - block[0]


def live(world: World, p: np.ndarray) -> Lived:
    """Deaths, births, schooling and the ends of work, and lists of who may marry, leave or split later."""
    people, homes, geography = world.persons, world.households, world.geography
    year, inside, first, members = world.year, geography.inside, world.first_member, world.members
    household, is_away, place, away_place = people.household, people.is_away, homes.place, homes.away_place
    key, birth_year, sex, couple, activity = people.key, people.birth_year, people.sex, people.couple, people.activity
    tables = _tables(year, p.dtype, p.tobytes())
    rows, gone = len(people), np.empty(len(people), np.bool_)
    room, found = np.empty((3, rows), np.int32), np.zeros((3, blocks_of(rows), 2), np.int64)

    die(rows, key, birth_year, sex, year, tables.death, luck_of(world, Decision.DEATH), gone, room[0], found[0])
    dead = listed(room[0], found[0])
    _widow(dead, household, couple, first, members)
    grow(
        rows, key, birth_year, sex, household, is_away, people.schooling, activity, people.sector, people.chain,
        people.skill, place, homes.home_place, homes.land_mu, inside, year, luck_of(world, Decision.SCHOOL), p,
        tables.change, room[0],
    )  # fmt: skip
    ask(rows, birth_year, sex, couple, activity, is_away, gone, year, tables.asked, room[0], room[1], room[2], found)
    for n, decision, table in ((0, Decision.BIRTH, tables.birth), (1, Decision.MARRY, tables.marriage)):
        by_chance(
            rows, key, birth_year, sex, household, is_away, place, away_place, inside, year, luck_of(world, decision),
            table, table.max(axis=1), room[n], found[n],
        )  # fmt: skip
    leaving.may_leave(
        rows, key, birth_year, sex, couple, people.parents, people.schooling, activity, household, is_away, gone, first,
        members, place, away_place, inside, geography.core, year, luck_of(world, Decision.STUDY), p, room[2], found[2],
    )  # fmt: skip
    mothers, seekers, young = (listed(room[n], found[n]) for n in range(3))
    world.flows.deaths += np.bincount(world.living_at(dead), minlength=geography.places)
    world.flows.births += np.bincount(world.living_at(mothers), minlength=geography.places)
    parts, splitting = _count_parts(world, gone, p)
    return Lived(parts, gone, dead, mothers, seekers, young, splitting)


def _count_parts(world: World, gone: np.ndarray, p: np.ndarray) -> tuple[Parts, np.ndarray]:
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
        luck_of(world, Decision.LEAVE_HOME), p, heads, top, splitting, found,
    )  # fmt: skip
    return parts, listed(splitting, found)
