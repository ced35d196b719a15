"""One pass over everybody at the end of a year, on which indicators, tables of people and groups of households rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from migrasim.core.codes import Activity, Kind, Schooling, Tenure
from migrasim.core.rule import blocks_of, rows_of, threaded_kernel
from migrasim.domains.moving import household
from migrasim.world import World

CHILD_AGE, ELDER_AGE, OLDEST = 15, 60, 85
SCHOOLING_STEPS = (int(Schooling.JUNIOR), int(Schooling.SENIOR), int(Schooling.COLLEGE))
AGE_STEPS = (35, 50, 60)
COUNTS = (
    "employed",
    "off_farm",
    "chain_workers",
    "seeking",
    "children_left",
    "elders_left",
    "income",  # of families, yuan
    "members",  # of families
    "split",  # households by registered home, a part of which is away
    "workers_elsewhere",  # workers by where they live, which is not where they are registered
    "market_tenants",  # families that rent on the market where they are registered or hold a permit
)
_LEFT_CHILDREN, _LEFT_ELDERS, _INCOME, _MEMBERS, _SPLIT, _ELSEWHERE, _TENANTS = range(4, 11)  # the first four are works
_FIELD_BITS, _FIELD = 12, (1 << 12) - 1
MOST_MEMBERS = _FIELD  # of a household


def _words(*fields: np.ndarray) -> np.ndarray:
    """int64 words with a bit for each of the ``fields`` that holds; 12 bits a field, so that words can be added up."""
    return np.asarray(sum(field.astype(np.int64) << (_FIELD_BITS * k) for k, field in enumerate(fields)))


_age, _does, _in_chain = np.arange(OLDEST + 1), np.arange(len(Activity))[:, None], np.array([False, True])
_hand = (_does == Activity.WORKER) | (_does == Activity.FARMER)
# people, those of 16 to 59, children, elders
_BY_AGE = _words(_age >= 0, (_age >= 16) & (_age < ELDER_AGE), _age < CHILD_AGE, _age >= ELDER_AGE)
# workers and farmers, workers, those of both in chains, seekers
_BY_WORK = _words(
    _hand, _does == Activity.WORKER, _hand & _in_chain, _does == Activity.SEEKING,
)  # fmt: skip
# ages by their rank: all at which one works come after all others
_works = (_age >= household.WORKING_AGE) & (_age < household.RETIRING_AGE)
_RANK = np.where(_works, _age + OLDEST + 1, _age)
# traits of a household by the highest rank and by the highest schooling of its members
_TRAIT_OF_AGE = np.searchsorted(AGE_STEPS, np.concatenate([_age, _age]), side="right")
STUDIES_ALONE = (len(AGE_STEPS) + 1) * (len(SCHOOLING_STEPS) + 1)  # added to the trait of who lives alone and studies
_TRAIT_OF_SCHOOLING = (len(AGE_STEPS) + 1) * np.searchsorted(SCHOOLING_STEPS, np.arange(len(Schooling)), side="right")


@dataclass(frozen=True)
class Survey:
    """Whole numbers in sample units, so that no order of rows matters.

    Attributes
    ----------
    people
        (2, 2, places, places) persons by whether the household has a permit and lives there as its main part, by
        whether its registration is urban, by registered home and by place where they live.
    ages
        (places, sexes, ages) persons by where they live; the last age is ``OLDEST`` and more.
    counts
        (places, ``COUNTS``) by where they live.
    traits
        (households,) uint8 ``len(AGE_STEPS) + 1`` times the group of schooling of the most schooled member, and the
        group of age of the oldest of working age, or of the oldest where nobody is; ``STUDIES_ALONE`` more where a
        student lives alone.
    away, moved
        (households,) int16 members who are away, and who moved within the year.
    """

    people: np.ndarray
    ages: np.ndarray
    counts: np.ndarray
    traits: np.ndarray
    away: np.ndarray
    moved: np.ndarray

    def of(self, name: str) -> np.ndarray:
        """(places,) one of the ``COUNTS``."""
        return self.counts[:, COUNTS.index(name)]


def survey(world: World, incomes: np.ndarray) -> Survey:
    """Look at everybody once.

    Parameters
    ----------
    incomes : (households, 2) int64 income of the year, of the main part and of those away
    """
    persons, households, places = world.persons, world.households, world.geography.places
    rows = len(households)
    people = np.zeros((blocks_of(rows), 2, 2, places, places), np.int64)
    ages = np.zeros((blocks_of(rows), places, 2, OLDEST + 1), np.int64)
    counts = np.zeros((blocks_of(rows), places, len(COUNTS)), np.int64)
    traits, (away, moved) = np.empty(rows, np.uint8), np.empty((2, rows), np.int16)
    _fill(
        rows,
        world.first_member,
        world.members,
        households.kind,
        households.home_place,
        households.hukou_urban,
        households.place,
        households.away_place,
        households.permit,
        households.tenure,
        persons.birth_year,
        persons.sex,
        persons.couple,
        persons.is_away,
        persons.activity,
        persons.chain,
        persons.schooling,
        persons.since_year,
        incomes,
        world.year,
        people,
        ages,
        counts,
        traits,
        away,
        moved,
    )
    return Survey(people.sum(axis=0), ages.sum(axis=0), counts.sum(axis=0), traits, away, moved)


@threaded_kernel
def _fill(
    block, first, members, kind, home_place, hukou_urban, place, away_place, permit, tenure, birth_year, sex, couple,
    is_away, activity, chain, schooling, since_year, income, year, people_of, ages_of, counts_of, traits, away_of,
    moved_of,
):  # fmt: skip
    """Fill a `Survey`: all members as if they lived in the main part, then those who are away are taken out of it."""
    people, ages, counts = people_of[block[2]], ages_of[block[2]], counts_of[block[2]]
    for h in rows_of(block):
        # numbers without a sign are no rows from the end: that need not be asked at every look into an array
        home, here = np.uint8(home_place[h]), np.uint8(place[h])
        urban, family = np.uint8(hukou_urban[h] > 0), np.int64(kind[h] == Kind.FAMILY)
        by_age, by_work, oldest, most, moved = 0, 0, 0, 0, 0
        for i in range(np.uint64(first[h]), np.uint64(first[h] + members[h])):
            age = np.uint8(min(max(year - birth_year[i], 0), OLDEST))
            ages[here, sex[i], age] += 1
            by_age += _BY_AGE[age]
            by_work += _BY_WORK[activity[i], np.uint8(chain[i] > 0)]
            oldest = max(oldest, _RANK[age])
            most = max(most, schooling[i])
            moved += since_year[i] == year
        away = 0
        if away_place[h] >= 0:
            there = np.uint8(away_place[h])
            away_by_age, away_by_work, couples = 0, 0, 0
            for i in range(np.uint64(first[h]), np.uint64(first[h] + members[h])):
                if is_away[i]:
                    age = np.uint8(min(max(year - birth_year[i], 0), OLDEST))
                    ages[here, sex[i], age] -= 1
                    ages[there, sex[i], age] += 1
                    away_by_age += _BY_AGE[age]
                    away_by_work += _BY_WORK[activity[i], np.uint8(chain[i] > 0)]
                    couples += couple[i] > 0
            by_age -= away_by_age
            by_work -= away_by_work
            away = away_by_age & _FIELD
            people[0, urban, home, there] += away
            for k in range(4):
                counts[there, k] += (away_by_work >> k * _FIELD_BITS) & _FIELD
            counts[there, _ELSEWHERE] += ((away_by_work >> _FIELD_BITS) & _FIELD) * (there != home)
            if here == home and couples > 0:
                counts[here, _LEFT_CHILDREN] += (by_age >> 2 * _FIELD_BITS) & _FIELD
            if there == home and (away_by_age >> _FIELD_BITS) & _FIELD == 0:
                counts[there, _LEFT_ELDERS] += (away_by_age >> 3 * _FIELD_BITS) & _FIELD
            counts[there, _INCOME] += family * income[h, 1]
            counts[there, _MEMBERS] += family * away
            counts[home, _SPLIT] += 1
        at_home = by_age & _FIELD
        permitted = np.uint8(permit[h] > 0)
        people[permitted, urban, home, here] += at_home
        counts[here, _ELSEWHERE] += ((by_work >> _FIELD_BITS) & _FIELD) * (here != home)
        counts[here, _TENANTS] += family & (tenure[h] == Tenure.MARKET_RENT) & ((permitted > 0) | (here == home))
        for k in range(4):
            counts[here, k] += (by_work >> k * _FIELD_BITS) & _FIELD
        nobody_works = (here == home) & ((by_age >> _FIELD_BITS) & _FIELD == 0)
        counts[here, _LEFT_ELDERS] += ((by_age >> 3 * _FIELD_BITS) & _FIELD) * nobody_works
        counts[here, _INCOME] += family * income[h, 0]
        counts[here, _MEMBERS] += family * at_home
        alone = (members[h] == 1) & (activity[np.uint64(first[h])] == Activity.PUPIL)
        traits[h] = _TRAIT_OF_SCHOOLING[most] + _TRAIT_OF_AGE[oldest] + STUDIES_ALONE * alone
        away_of[h], moved_of[h] = away, moved
