"""A household that considers moving, as its choice sees it: its members, who of them is who, sums over a form.

What a choice reads of a household stands in many columns of two tables. ``gather`` copies it once into
records that lie together, and the rules take these records: a rule handed dozens of columns spends its
time counting references. A household lives in one part (at ``place``) or two (the second at
``away_place``); after an alternative, part 0 is who stays at ``place`` and part 1 who lives at the
destination. Where those at home move and the others
stay away, the others are part 0. The sums over members that the terms need do not depend on the destination.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from migrasim.core.codes import N_FORMS, N_OUTSIDE, Activity, Form, Kind, Schooling
from migrasim.core.rule import inlined, rows_of, rule, span, threaded_kernel
from migrasim.domains.moving import rules

# Ages that laws and statistics set: work from 16 (Labour Law, article 15), working age until 59 (China's statistics),
# old people from 60 (law on the rights of the elderly, article 2); school from 6 for nine years, six of primary and
# three of junior school (Compulsory Education Law, articles 2 and 11), so children are below 15.
WORKING_AGE, RETIRING_AGE, ELDER_AGE = 16, 60, 60
SCHOOL_AGE, JUNIOR_AGE, CHILD_AGE = 6, 12, 15
_LEAST_ROWS = 4096  # households; fewer are not worth a thread
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


# A member. ``moves`` to ``left`` hold a bit for each form: whether the member is one of those who go, whether the
# member lives away from ``place`` afterwards, whether a spouse further down the list then lives in the other part,
# whether a child's parents do, all that there are.
MEMBER = np.dtype(
    (
        np.record,
        [
            ("key", np.uint64),
            ("earning_factor", np.float32),
            ("income_yuan", np.float32),
            ("row", np.int32),  # in the table of persons
            ("couple", np.int32),
            ("parents", np.int32),
            ("age", np.int16),  # at the end of the year
            ("moves", np.uint8),
            ("apart", np.uint8),
            ("parted", np.uint8),
            ("left", np.uint8),
            ("schooling_yr", np.int8),
            ("activity", np.int8),
            ("is_away", np.bool_),
            ("is_adult", np.bool_),  # of working age and not at school
        ],
    )
)
# One household's numbers, read once. ``community`` to ``origin``: see `Places`; ``county`` is -1 for strangers.
# ``earned_yuan`` is by work of all members now; ``rooted`` the attachment that has grown where a part is not
# registered. Chief, partner, young member and the parent who would go with children to school are numbers of
# members, -1 where there is none; ``parent_couple`` is the parent's couple. Whether a child and somebody grown up are
# at home decides whether those whom others left can move by themselves.
HOME = np.dtype((np.record,
    [("key", np.uint64)]
    + [
        (name, np.float64)
        for name in (
            "log_members", "land_mu", "farm_full_yuan", "farmers_needed", "other_income_yuan", "dividend_yuan",
            "earned_yuan", "rooted", "away_rooted",
        )
    ]
    + [
        (name, np.int32)
        for name in (
            "row", "kind", "community", "county", "origin", "home", "place", "away_place", "tenure", "away_tenure",
            "members", "first", "chief", "partner", "young", "parent", "parent_couple",
        )
    ]
    + [("from_village", np.bool_), ("split", np.bool_), ("child_home", np.bool_), ("grown_home", np.bool_)]
))  # fmt: skip
# Sums over members after a form: by part (0 stays, 1 lives at the destination) and over those who move.
SUMS = np.dtype((np.record,
    [
        (name, np.float64)
        for name in (
            "stay", "go", "earn", "lost", "farmers", "adults_go", "kids0", "kids1", "elders0", "elders1", "workers0",
            "apart", "child_left", "elder_left", "schooling", "grown0", "movers",
        )
    ]
))  # fmt: skip


def new_sums() -> Any:
    """(1,) record of SUMS, to be filled by ``sum_up``."""
    return np.zeros(1, SUMS)


@rule
def is_adult(age, activity):
    """Of working age and not at school."""
    return WORKING_AGE <= age < RETIRING_AGE and activity != Activity.PUPIL and activity != Activity.CHILD


@inlined
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


@inlined
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


@inlined
def find_young(crew, first, last, chief, until_yr):
    """The eldest unmarried member of 15 and below ``until_yr`` at home, no pupil and not the chief; -1 for none."""
    young = -1
    for i in range(first, last):
        grown = CHILD_AGE <= crew[i].age < until_yr and crew[i].activity != Activity.PUPIL
        if not crew[i].is_away and crew[i].couple == 0 and grown and i != chief:
            if (
                young < 0
                or crew[i].age > crew[young].age
                or (crew[i].age == crew[young].age and crew[i].key > crew[young].key)
            ):
                young = i
    return young


@inlined
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
def forms_of_going(i, member, one):
    """Bits of the forms in which ``member``, number ``i``, is one of those who go."""
    away, split = np.int64(member.is_away), np.int64(one.split)
    chief, partner, young = np.int64(i == one.chief), np.int64(i == one.partner), np.int64(i == one.young)
    child = (away == 0) & (member.age < CHILD_AGE) & (one.parent >= 0) & (member.parents == one.parent_couple)
    return (
        (away if split else chief) << Form.WORKER
        | (partner | (chief & (1 - split))) << Form.COUPLE
        | young << Form.YOUNG
        | np.int64((i == one.parent) | child) << Form.SCHOOL
        | 1 << Form.WHOLE
        | away << Form.RETURN
        | (split & (1 - away)) << Form.FAMILY
    )


@rule
def forms_apart(going, away):
    """Bits of the forms after which a member is in part 1; those of part 0 stay where they live.

    Parameters
    ----------
    going : `forms_of_going`
    away : whether the member is away now
    """
    remain, family = 1 << Form.RETURN, 1 << Form.FAMILY  # after those all or the others are in part 0
    apart = ((1 << N_FORMS) - 1 if away else going) & ~(remain | family)
    return apart if away else apart | family


@inlined
def find_parted(crew, first, last):
    """Fill ``parted`` and ``left`` of the members ``first`` to ``last`` from their bits ``apart``."""
    for i in range(first, last):
        couple, parents, parted, left, has_parent = crew[i].couple, crew[i].parents, 0, 255, False
        if couple > 0:
            for j in range(i + 1, last):
                if crew[j].couple == couple:
                    parted |= crew[i].apart ^ crew[j].apart
        if parents > 0 and crew[i].age < CHILD_AGE:
            for j in range(first, last):
                if crew[j].couple == parents:
                    has_parent = True
                    left &= crew[i].apart ^ crew[j].apart
        crew[i].parted, crew[i].left = parted, left if has_parent else 0


@inlined
def sum_up(form, one, crew, sums):
    """Fill ``sums``, one record of SUMS, for one form."""
    go, movers, grown0, farmers, adults0, adults1, adults_go = 0, 0, 0, 0, 0, 0, 0
    kids0, kids1, elders0, elders1 = 0, 0, 0, 0
    apart, child_left = 0, 0
    earn, lost, schooling = 0.0, 0.0, 0.0
    for i in span(one.first, one.members):
        member = crew[i]
        age = member.age
        away = (member.apart >> form) & 1
        kid, elder, adult = (SCHOOL_AGE <= age) & (age < CHILD_AGE), age >= ELDER_AGE, np.int64(member.is_adult)
        stays = 1 - away  # sums without branches, which nobody could foretell
        go += away
        adults0 += stays & adult
        adults1 += away & adult
        kids0 += stays & kid
        kids1 += away & kid
        elders0 += stays & elder
        elders1 += away & elder
        grown0 += stays & (age >= CHILD_AGE)
        apart += (member.parted >> form) & 1
        child_left += (member.left >> form) & 1
        moves = (member.moves >> form) & 1
        movers += moves
        adults_go += moves & adult
        earn += moves * member.earning_factor
        lost += moves * member.income_yuan
        schooling = max(schooling, moves * float(member.schooling_yr))
        farmers += (moves == 0) & (away == 0) & (member.activity == Activity.FARMER)
    sums.stay, sums.go, sums.movers, sums.grown0 = float(one.members - go), float(go), float(movers), float(grown0)
    sums.earn, sums.lost, sums.schooling = earn, lost, schooling
    sums.farmers, sums.adults_go, sums.workers0 = float(farmers), float(adults_go), float(adults0)
    sums.kids0, sums.kids1 = float(kids0), float(kids1)
    sums.elders0, sums.elders1 = float(elders0), float(elders1)
    sums.apart, sums.child_left, sums.elder_left = float(apart), float(child_left), 0.0
    if go == 0 or go == one.members:
        return  # all in one part: nobody is left
    if adults0 == 0 and adults1 > 0:
        sums.elder_left = float(elders0)
    elif adults1 == 0 and adults0 > 0:
        sums.elder_left = float(elders1)


@rule
def can_form(form, one):
    """Whether there is anybody to move in this form."""
    if form == Form.STAY or form == Form.WHOLE:
        return True
    if form == Form.RETURN:
        return bool(one.split)
    if form == Form.FAMILY:
        return bool(one.split and one.grown_home)
    if one.kind == Kind.COLLECTIVE or one.members < 2:
        return False
    if form == Form.WORKER:
        return one.split or one.chief >= 0
    if form == Form.COUPLE:
        return one.partner >= 0 and (one.split or one.chief >= 0)
    if form == Form.YOUNG:
        return one.young >= 0
    return one.parent >= 0


@partial(threaded_kernel, least_rows=_LEAST_ROWS)
def _fill(
    block, chosen, slot, first, people, families, at, community_county, origin_place, villages, year, p, homes, crew
):
    """Fill ``homes`` (households,) and ``crew`` (their members,) from the rows ``chosen``; ``p`` is one record.

    The household of row ``chosen[n]`` gets the place ``slot[n]``, its members those from ``first`` of that place on.
    """
    inside, young_until = at.shape[0] - N_OUTSIDE, p[0].young_until_yr
    (
        who, kind, home_community, home_place, lives_in, away_place, since_year, away_since_year, tenure, away_tenure,
        land_mu, first_member, members, farm_full, farmers_needed, other_income, dividend,
    ) = families  # fmt: skip
    persons, born, couple, parents, schooling, activity, is_away, earning, income = people
    for n in rows_of(block):
        h, to = chosen[n], slot[n]
        one = homes[to]
        begin, count = first[to], members[h]
        one.row, one.first, one.members = h, begin, count
        earned, child_home, grown_home, pupil, single = 0.0, False, False, False, False
        for k in range(count):
            i = first_member[h] + k
            member = crew[begin + k]
            age = np.int64(year) - born[i]
            member.key, member.row, member.age = persons[i], i, age
            member.couple, member.parents = couple[i], parents[i]
            member.schooling_yr = SCHOOLING_YR[schooling[i]]
            member.activity, member.is_away = activity[i], is_away[i] != 0
            member.earning_factor, member.income_yuan = earning[i], income[i]
            member.is_adult = is_adult(age, activity[i])
            earned += np.float64(income[i])
            child_home |= (not member.is_away) & (age < CHILD_AGE)
            grown_home |= (not member.is_away) & (age >= CHILD_AGE)
            pupil |= (SCHOOL_AGE <= age) & (age < CHILD_AGE) & (parents[i] > 0)
            single |= (CHILD_AGE <= age) & (age < young_until) & (couple[i] == 0)
        home, place, away = home_place[h], lives_in[h], away_place[h]
        one.key, one.kind, one.home, one.place, one.away_place = who[h], kind[h], home, place, away
        one.rooted = one.away_rooted = 0.0
        if place != home and place < inside:
            one.rooted = rules.settled_term(year - since_year[h], at[place].settling, p[0])
        if away >= 0 and away != home and away < inside:
            one.away_rooted = rules.settled_term(year - away_since_year[h], at[away].settling, p[0])
        community = home_community[h]
        one.community, one.county, one.origin = community, community_county[community], origin_place[community]
        one.tenure, one.away_tenure = tenure[h], away_tenure[h]
        one.log_members, one.land_mu = math.log(count), land_mu[h]
        one.farm_full_yuan, one.farmers_needed = farm_full[h], farmers_needed[h]
        one.other_income_yuan, one.dividend_yuan = other_income[h], dividend[h]
        one.earned_yuan = earned
        one.from_village = community_county[community] >= 0 and community < villages
        one.split, one.child_home, one.grown_home = away >= 0, child_home, grown_home
        last = begin + count
        one.chief = find_chief(crew, begin, last)
        one.partner = one.young = one.parent = -1  # looked for only where there may be one
        if one.split or (one.chief >= 0 and crew[one.chief].couple > 0):
            one.partner = find_partner(crew, begin, last, one.chief, one.split)
        if single:
            one.young = find_young(crew, begin, last, one.chief, young_until)
        if pupil:
            one.parent = find_parent(crew, begin, last, one.chief)
        one.parent_couple = crew[one.parent].couple if one.parent >= 0 else 0
        for i in range(begin, last):
            going = forms_of_going(i, crew[i], one)
            crew[i].moves, crew[i].apart = going, forms_apart(going, crew[i].is_away)
        find_parted(crew, begin, last)


def gather(
    chosen: np.ndarray,
    people: People,
    families: Families,
    places: Any,
    year: int,
    p: Any,
    slot: np.ndarray | None = None,
) -> tuple[Any, Any]:
    """Copy what choices read of the households in rows ``chosen``.

    Parameters
    ----------
    places : see `migrasim.domains.moving.terms.Places`
    p : (1,) record of the parameters
    slot : where each of them shall stand; in the order of ``chosen`` where not given

    Returns
    -------
    (households,) records of HOME and (members,) records of MEMBER, which ``first`` and ``members`` of a home find
    """
    slot = np.arange(len(chosen)) if slot is None else slot
    members = np.empty(len(chosen), np.int64)
    members[slot] = families.members[chosen]
    last = np.cumsum(members)
    homes = np.empty(len(chosen), HOME)
    crew = np.empty(int(last[-1]) if len(last) else 0, MEMBER)
    _fill(
        len(chosen),
        chosen,
        slot,
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
