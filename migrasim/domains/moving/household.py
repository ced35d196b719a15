"""A household that considers moving, as its choice sees it: its members, who of them is who, sums over a form.

What a choice reads of a household stands in many columns of two tables. ``gather`` copies it once into
records that lie together, and the rules take these records: a rule handed dozens of columns spends its
time counting references. A household lives in one part (at ``place``) or two (the second at
``away_place``); after an alternative, part 0 is who stays at ``place`` and part 1 who lives at the
destination. The sums over members that the terms need do not depend on the destination.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from migrasim.core.codes import Activity, Form, Kind, Schooling
from migrasim.core.rule import parallel_kernel, rows, rule
from migrasim.domains.moving import rules

WORKING_AGE, RETIRING_AGE, ELDER_AGE = 16, 60, 60
SCHOOL_AGE, CHILD_AGE, YOUTH_AGE, YOUNG_AGE = 6, 15, 23, 30
SCHOOLING_YR = np.zeros(len(Schooling), np.int8)  # years of schooling by level
for _level, _years in (("PRIMARY", 6), ("JUNIOR", 9), ("SENIOR", 12), ("COLLEGE", 15), ("BACHELOR", 16)):
    SCHOOLING_YR[Schooling[_level]] = _years


class People(NamedTuple):
    """Columns of persons that the choice reads."""

    key: np.ndarray
    birth_year: np.ndarray
    couple: np.ndarray
    parents: np.ndarray
    schooling: np.ndarray
    activity: np.ndarray
    is_away: np.ndarray
    earning_factor: np.ndarray
    income_yuan: np.ndarray


class Families(NamedTuple):
    """Columns of households that the choice reads."""

    key: np.ndarray
    kind: np.ndarray
    community: np.ndarray
    home_place: np.ndarray
    place: np.ndarray
    away_place: np.ndarray
    since_year: np.ndarray
    away_since_year: np.ndarray
    tenure: np.ndarray
    away_tenure: np.ndarray
    land_mu: np.ndarray
    first_member: np.ndarray
    members: np.ndarray
    farm_full_yuan: np.ndarray
    farmers_needed: np.ndarray
    other_income_yuan: np.ndarray
    dividend_yuan: np.ndarray


MEMBER = np.dtype(
    [
        ("key", np.uint64),
        ("row", np.int64),  # in the table of persons
        ("age", np.int64),  # at the end of the year
        ("couple", np.int64),
        ("parents", np.int64),
        ("schooling_yr", np.int64),
        ("activity", np.int64),
        ("earning_factor", np.float32),
        ("income_yuan", np.float32),
        ("is_away", np.bool_),
        ("is_adult", np.bool_),  # of working age and not at school
    ]
)
# One household's numbers, read once. ``community`` to ``origin``: see `Places`; ``county`` is -1 for strangers.
# ``earned_yuan`` is by work of all members now; ``rooted`` the attachment that has grown where a part is not
# registered. Chief, partner, young member and the parent who would go with children to school are numbers of
# members, -1 where there is none; ``parent_couple`` is the parent's couple.
HOME = np.dtype(
    [("key", np.uint64)]
    + [
        (name, np.int64)
        for name in (
            "row", "kind", "community", "county", "origin", "home", "place", "away_place", "tenure", "away_tenure",
            "members", "first", "chief", "partner", "young", "parent", "parent_couple",
        )
    ]
    + [
        (name, np.float64)
        for name in (
            "log_members", "land_mu", "farm_full_yuan", "farmers_needed", "other_income_yuan", "dividend_yuan",
            "earned_yuan", "rooted", "away_rooted",
        )
    ]
    + [("from_village", np.bool_), ("split", np.bool_)]
)  # fmt: skip
# Sums over members after a form: by part (0 stays, 1 lives at the destination) and over those who move.
SUMS = np.dtype(
    [
        (name, np.float64)
        for name in (
            "stay", "go", "earn", "lost", "farmers", "adults_go", "kids0", "kids1", "elders0", "elders1", "workers0",
            "apart", "child_left", "elder_left", "schooling", "grown0", "movers",
        )
    ]
)  # fmt: skip


def new_sums() -> Any:
    """(1,) record of SUMS, to be filled by ``sum_up``."""
    return np.rec.array(np.zeros(1, SUMS))


@rule
def is_adult(age, activity):
    """Of working age and not at school."""
    return WORKING_AGE <= age < RETIRING_AGE and activity != Activity.PUPIL and activity != Activity.CHILD


@rule
def find_chief(crew, first, last):
    """The best earner of working age at home; -1 where there is none."""
    chief = -1
    for i in range(first, last):
        if not crew[i].is_away and crew[i].is_adult:
            if (
                chief < 0
                or crew[i].earning_factor > crew[chief].earning_factor
                or (crew[i].earning_factor == crew[chief].earning_factor and crew[i].key > crew[chief].key)
            ):
                chief = i
    return chief


@rule
def find_partner(crew, first, last, chief, split):
    """The chief's spouse; in a household that is split, the one whose spouse is away and who may join."""
    partner = -1
    for i in range(first, last):
        if crew[i].is_away or crew[i].couple == 0:
            continue
        if not split:
            if chief >= 0 and i != chief and crew[i].couple == crew[chief].couple:
                partner = i
            continue
        for j in range(first, last):
            if crew[j].is_away and crew[j].couple == crew[i].couple:
                if partner < 0 or crew[i].key > crew[partner].key:
                    partner = i
    return partner


@rule
def find_young(crew, first, last, chief):
    """The eldest unmarried member of 15 to 29 at home, not at school and not the chief; -1 where there is none."""
    young = -1
    for i in range(first, last):
        grown = CHILD_AGE <= crew[i].age < YOUNG_AGE and crew[i].activity != Activity.PUPIL
        if not crew[i].is_away and crew[i].couple == 0 and grown and i != chief:
            if (
                young < 0
                or crew[i].age > crew[young].age
                or (crew[i].age == crew[young].age and crew[i].key > crew[young].key)
            ):
                young = i
    return young


@rule
def find_parent(crew, first, last, chief):
    """The parent of children at school who would go with them: not the chief where there are two."""
    parent = -1
    for i in range(first, last):
        if crew[i].is_away or crew[i].age < SCHOOL_AGE or crew[i].age >= CHILD_AGE:
            continue
        for j in range(first, last):
            if not crew[j].is_away and crew[j].couple > 0 and crew[j].couple == crew[i].parents:
                if parent < 0 or parent == chief or (j != chief and crew[j].key > crew[parent].key):
                    parent = j
    return parent


@rule
def goes(i, member, form, one):
    """Whether ``member``, number ``i``, is one of those who go in this form."""
    if form == Form.WHOLE:
        return True
    if form == Form.RETURN:
        return bool(member.is_away)
    if form == Form.WORKER:
        return bool(member.is_away) if one.split else i == one.chief
    if form == Form.COUPLE:
        return i == one.partner or (i == one.chief and not one.split)
    if form == Form.YOUNG:
        return i == one.young
    if form == Form.SCHOOL:
        with_parent = one.parent >= 0 and member.parents == one.parent_couple
        return i == one.parent or (not member.is_away and member.age < CHILD_AGE and with_parent)
    return False


@rule
def in_part_one(i, member, form, one):
    """Whether ``member``, number ``i``, lives away from ``place`` after this form."""
    if form == Form.RETURN:
        return False
    return goes(i, member, form, one) or bool(member.is_away)


@rule
def sum_up(form, one, crew, sums):
    """Fill ``sums``, one record of SUMS, for one form."""
    sums.stay = sums.go = sums.earn = sums.lost = sums.farmers = sums.adults_go = 0.0
    sums.kids0 = sums.kids1 = sums.elders0 = sums.elders1 = sums.workers0 = 0.0
    sums.apart = sums.child_left = sums.elder_left = sums.schooling = sums.grown0 = sums.movers = 0.0
    first, last = one.first, one.first + one.members
    for i in range(first, last):
        away = in_part_one(i, crew[i], form, one)
        if away:
            sums.go += 1.0
        else:
            sums.stay += 1.0
            if crew[i].age >= CHILD_AGE:
                sums.grown0 += 1.0
            if crew[i].is_adult:
                sums.workers0 += 1.0
        if form != Form.STAY and goes(i, crew[i], form, one):
            sums.movers += 1.0
            sums.earn += crew[i].earning_factor
            sums.lost += crew[i].income_yuan
            if crew[i].is_adult:
                sums.adults_go += 1.0
            sums.schooling = max(sums.schooling, float(crew[i].schooling_yr))
        elif crew[i].activity == Activity.FARMER and not away:
            sums.farmers += 1.0
        if SCHOOL_AGE <= crew[i].age < CHILD_AGE:
            if away:
                sums.kids1 += 1.0
            else:
                sums.kids0 += 1.0
        if crew[i].age >= ELDER_AGE:
            if away:
                sums.elders1 += 1.0
            else:
                sums.elders0 += 1.0
    if (form == Form.WHOLE or form == Form.RETURN) or (form == Form.STAY and not one.split):
        return  # all in one part: nobody is left
    for i in range(first, last):
        away = in_part_one(i, crew[i], form, one)
        if crew[i].couple > 0:
            for j in range(i + 1, last):
                if crew[j].couple == crew[i].couple and in_part_one(j, crew[j], form, one) != away:
                    sums.apart += 1.0
        if crew[i].age < CHILD_AGE and crew[i].parents > 0:
            has_parent, with_parent = False, False
            for j in range(first, last):
                if crew[j].couple == crew[i].parents:
                    has_parent = True
                    with_parent = with_parent or in_part_one(j, crew[j], form, one) == away
            if has_parent and not with_parent:
                sums.child_left += 1.0
        if crew[i].age >= ELDER_AGE:
            has_adult, with_adult = False, False
            for j in range(first, last):
                if crew[j].is_adult:
                    has_adult = True
                    with_adult = with_adult or in_part_one(j, crew[j], form, one) == away
            if has_adult and not with_adult:
                sums.elder_left += 1.0


@rule
def can_form(form, one):
    """Whether there is anybody to move in this form."""
    if form == Form.STAY or form == Form.WHOLE:
        return True
    if form == Form.RETURN:
        return bool(one.split)
    if one.kind == Kind.COLLECTIVE or one.members < 2:
        return False
    if form == Form.WORKER:
        return one.split or one.chief >= 0
    if form == Form.COUPLE:
        return one.partner >= 0 and (one.split or one.chief >= 0)
    if form == Form.YOUNG:
        return one.young >= 0
    return one.parent >= 0


@parallel_kernel
def _fill(chosen, first, people, families, at, community_county, origin_place, villages, year, p, homes, crew):
    """Fill ``homes`` (households,) and ``crew`` (their members,) from the rows ``chosen``; ``p`` is one record."""
    inside = at.shape[0] - 2
    for n in rows(chosen.shape[0]):
        h = chosen[n]
        one = homes[n]
        count = families.members[h]
        one.row, one.first, one.members = h, first[n], count
        earned = 0.0
        for k in range(count):
            i = families.first_member[h] + k
            member = crew[first[n] + k]
            age = np.int64(year) - people.birth_year[i]
            activity = people.activity[i]
            member.key, member.row, member.age = people.key[i], i, age
            member.couple, member.parents = people.couple[i], people.parents[i]
            member.schooling_yr = SCHOOLING_YR[people.schooling[i]]
            member.activity, member.is_away = activity, people.is_away[i] != 0
            member.earning_factor, member.income_yuan = people.earning_factor[i], people.income_yuan[i]
            member.is_adult = is_adult(age, activity)
            earned += np.float64(people.income_yuan[i])
        home, place, away = families.home_place[h], families.place[h], families.away_place[h]
        one.key, one.kind, one.home, one.place, one.away_place = families.key[h], families.kind[h], home, place, away
        one.rooted = one.away_rooted = 0.0
        if place != home and place < inside:
            one.rooted = rules.settled_term(year - families.since_year[h], at[place].settling, p[0])
        if away >= 0 and away != home and away < inside:
            one.away_rooted = rules.settled_term(year - families.away_since_year[h], at[away].settling, p[0])
        community = families.community[h]
        one.community, one.county, one.origin = community, community_county[community], origin_place[community]
        one.tenure, one.away_tenure = families.tenure[h], families.away_tenure[h]
        one.log_members, one.land_mu = math.log(count), families.land_mu[h]
        one.farm_full_yuan, one.farmers_needed = families.farm_full_yuan[h], families.farmers_needed[h]
        one.other_income_yuan, one.dividend_yuan = families.other_income_yuan[h], families.dividend_yuan[h]
        one.earned_yuan = earned
        one.from_village = community_county[community] >= 0 and community < villages
        one.split = away >= 0
        last = first[n] + count
        one.chief = find_chief(crew, first[n], last)
        one.partner = find_partner(crew, first[n], last, one.chief, one.split)
        one.young = find_young(crew, first[n], last, one.chief)
        one.parent = find_parent(crew, first[n], last, one.chief)
        one.parent_couple = crew[one.parent].couple if one.parent >= 0 else 0


def gather(chosen: np.ndarray, people: People, families: Families, places: Any, year: int, p: Any) -> tuple[Any, Any]:
    """Copy what choices read of the households in rows ``chosen``.

    Parameters
    ----------
    places : see `migrasim.domains.moving.choice.Places`
    p : (1,) record of the parameters

    Returns
    -------
    (households,) records of HOME and (members,) records of MEMBER, which ``first`` and ``members`` of a home find
    """
    members = families.members[chosen].astype(np.int64)
    last = np.cumsum(members)
    homes = np.rec.array(np.empty(len(chosen), HOME))
    crew = np.rec.array(np.empty(int(last[-1]) if len(last) else 0, MEMBER))
    _fill(
        chosen,
        last - members,
        people,
        families,
        places.at,
        places.community_county,
        places.origin_place,
        places.villages,
        year,
        p,
        homes,
        crew,
    )
    return homes, crew
