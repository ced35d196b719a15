"""Parts of households: the loops that split families, settle who is left, and tell people who they live with now.

Numbers of couples are small integers inside a household. A bride takes the number above the highest
one in use; those who leave keep their numbers, which stay unique in the new household.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from migrasim.core.chance import child_key, uniform
from migrasim.core.codes import N_TIERS, NOWHERE, Form, Kind, Sex, Tenure, Tier
from migrasim.core.rule import inlined, kernel, rows_of, rule, span, threaded_kernel, zeros
from migrasim.domains.demography import rules

NUMBERS = 128  # int8 numbers of couples


# A new household: whence it comes, as a row, and what it takes along. Rows of them are handed to the kernels that found
# households, which take numba half as long to compile as if they made and gave back arrays
FOUNDED = np.dtype((np.record, [
    ("key", np.uint64), ("source", np.int64), ("savings_yuan", np.int64), ("land_mu", np.float32),
    ("since_year", np.int16), ("place", np.int8), ("tenure", np.uint8), ("kind", np.uint8),
    ("is_away", np.uint8),  # 1: the founders lived in the away part of their family, or leave it for elsewhere
]))  # fmt: skip


class Parts(NamedTuple):
    """Who lives in which part of a household, kept up to date while people marry, leave and settle."""

    adults: np.ndarray  # (households, 2)
    minors: np.ndarray  # (households, 2)
    brides: np.ndarray  # (households, 2) who came this year; their rows lie elsewhere
    top: np.ndarray  # (households,) highest number of a couple in use


@rule
def in_village(place, inside):
    """Whether a place is the villages of a county."""
    return place < inside and place % N_TIERS == Tier.VILLAGE


@threaded_kernel
def count_parts(
    block, first_member, members, household, is_away, birth_year, couple, parents, gone, kind, place, key, inside,
    year, luck, p, heads, top, splitting, found,
):  # fmt: skip
    """Count the living by household; list the households of several couples that may split.

    ``heads`` (households,) holds four numbers of 16 bits: adults and minors, those at home first (`Parts`). It and
    ``top`` are written with every member anew: a processor would wait for what it has just written if it read it back.
    """
    p = p[0]
    minor_age, least = p.minor_age_yr, p.split_least_members
    most = max(rules.split_prob(True, p), rules.split_prob(False, p))
    n = block[0]
    if block[0] < block[1]:
        last, count, number = np.uint32(0), np.int64(0), np.int64(0)
        start, end = first_member[block[0]], first_member[block[1] - 1] + members[block[1] - 1]
        for i in span(start, end - start):
            h, lives, minor = np.uint32(household[i]), np.int64(not gone[i]), np.int64(year - birth_year[i] < minor_age)
            if h != last:
                last, count, number = h, np.int64(0), np.int64(0)
            count += lives << 16 * (2 * minor + is_away[i])
            number = max(number, lives * max(couple[i], parents[i]))
            heads[h], top[h] = count, number
    for h in rows_of(block):
        splitting[np.uint64(n)] = h
        n += (kind[h] == Kind.FAMILY) & (top[h] > 1) & (members[h] >= least)
    asked, n = n, block[0]
    for k in range(block[0], asked):
        h = splitting[k]
        splitting[n] = h
        if in_village(place[h], inside):
            n += uniform(luck, key[h], 0) < most
    found[block[2], 0], found[block[2], 1] = block[0], n - block[0]


@rule
def _couple_to_leave(h, first, members, household, couple, parents, generation, sex, birth_year, key, gone):
    """Who of a family leaves it: of the couples with another one above or beside the one with the oldest husband.

    Returns the row of the husband (-1 if nobody can leave) and whether a couple of his generation stays.
    """
    best = -1
    beside = False
    for a in range(first, first + members):
        if gone[a] or household[a] != h or couple[a] == 0 or sex[a] != Sex.MALE:
            continue
        wife = False
        above = False
        sibling = False
        for b in range(first, first + members):
            if b == a or gone[b] or household[b] != h or couple[b] == 0:
                continue
            if couple[b] == couple[a]:
                wife = True
            elif couple[b] == parents[a]:
                above = True
            elif generation[b] == generation[a]:
                sibling = True
        if wife and (above or sibling):
            older = (
                best < 0
                or birth_year[a] < birth_year[best]
                or (birth_year[a] == birth_year[best] and key[a] < key[best])
            )
            if older:
                best = a
                beside = sibling
    return best, beside


@partial(kernel, allocates=False)
def split(
    candidates, person_key, household, is_away, birth_year, sex, generation, couple, parents, gone, first_member,
    members, key, place, since_year, land_mu, savings_yuan, parts, touched, occupied, year, luck, next_row, p,
    leaving, founded, moved, left,
):  # fmt: skip
    """Couples of villages who leave the family's household with their children (fen jia).

    Persons are given their new rows from ``next_row`` on; the goods are shared by heads. Of the ``candidates``, rows
    of households, those that a marriage has ``touched`` do not split. ``leaving`` (NUMBERS,) is worked in.

    Fills ``founded`` (candidates,) records of FOUNDED, and for their members rows of the persons who ``moved`` and of
    the households that they ``left``.

    Returns
    -------
    made : how many households were founded
    gone_along : how many persons moved
    """
    p = p[0]
    adults, minors = parts.adults, parts.minors
    made, gone_along = 0, 0
    for h in candidates:
        if touched[h]:
            continue
        first, count = first_member[h], members[h]
        head, beside = _couple_to_leave(
            h, first, count, household, couple, parents, generation, sex, birth_year, person_key, gone
        )
        if head < 0 or uniform(luck, key[h], 0) >= rules.split_prob(beside, p):
            continue
        for number in range(NUMBERS):
            leaving[number] = False
        leaving[couple[head]] = True
        grown = True
        while grown:  # children go with their parents, and their spouses and children with them
            grown = False
            for a in range(first, first + count):
                if not gone[a] and household[a] == h and couple[a] > 0 and parents[a] > 0:
                    if leaving[parents[a]] and not leaving[couple[a]]:
                        leaving[couple[a]] = True
                        grown = True
        going = 0
        children = 0
        together = True
        for a in range(first, first + count):
            if not gone[a] and household[a] == h and (leaving[couple[a]] or leaving[parents[a]]):
                going += 1
                together = together and not is_away[a]
        family = adults[h, 0] + adults[h, 1] + minors[h, 0] + minors[h, 1]
        for a in range(first, first + count):
            if not gone[a] and household[a] == h and (leaving[couple[a]] or leaving[parents[a]]):
                if year - birth_year[a] < p.minor_age_yr:
                    children += 1
        if not together or going >= family or adults[h, 0] - (going - children) < 1:
            continue
        for a in range(first, first + count):
            if not gone[a] and household[a] == h and (leaving[couple[a]] or leaving[parents[a]]):
                household[a] = next_row + made
                moved[gone_along], left[gone_along] = a, h
                gone_along += 1
                if not leaving[parents[a]]:
                    parents[a] = 0
        adults[h, 0] -= going - children
        minors[h, 0] -= children
        new = founded[made]
        new.source = h
        new.key = child_key(key[h], year, person_key[head])
        new.place = place[h]
        new.since_year = since_year[h]
        new.tenure = Tenure.SELF_BUILT.value
        new.kind = Kind.FAMILY.value
        new.is_away = 0
        occupied[place[h], Tenure.SELF_BUILT] += 1
        new.land_mu = land_mu[h] * np.float32(going / family)
        land_mu[h] -= new.land_mu
        new.savings_yuan = savings_yuan[h] * going // family
        savings_yuan[h] -= new.savings_yuan
        made += 1
    return made, gone_along


# What becomes of the parts of a household
AS_IT_IS, MINORS_GO, MINORS_RETURN, AWAY_IS_MAIN = 0, 1, 2, 4


@threaded_kernel
def unsettled(block, adults, away_place, rows, found):
    """List in ``rows`` the households that `settle_parts` may change: a part of theirs has no grown-ups."""
    n = block[0]
    for h in rows_of(block):
        rows[np.uint64(n)] = h
        away, none, none_away = away_place[h] >= 0, adults[h, 0] == 0, adults[h, 1] == 0
        n += (none & none_away) | (away & (none | none_away))
    found[block[2], 0], found[block[2], 1] = block[0], n - block[0]


@kernel
def settle_parts(
    rows, adults, minors, kind, place, away_place, since_year, away_since_year, tenure, away_tenure, land_mu,
    savings_yuan, permit, waiting_yr, community, community_county, occupied, pool_mu, estates_yuan, moves,
):  # fmt: skip
    """Join children to the part with grown-ups, make an away part the main one, dissolve empty households.

    Returns
    -------
    change : (rows,) what the persons of these households must be told
    dissolved : (rows,) whether nobody is left
    orphans : number of children who live in households without grown-ups anywhere
    """
    change = zeros(rows.shape[0], np.uint8)
    dissolved = zeros(rows.shape[0], np.bool_)
    orphans = 0
    for n in range(rows.shape[0]):
        h = rows[n]
        if kind[h] == Kind.FAMILY and adults[h, 0] + adults[h, 1] == 0:
            orphans += minors[h, 0] + minors[h, 1]
        elif away_place[h] >= 0:
            if adults[h, 0] == 0 and minors[h, 0] > 0:
                change[n] |= MINORS_GO
                moves[place[h], away_place[h], Form.WHOLE] += minors[h, 0]
                minors[h, 1] += minors[h, 0]
                minors[h, 0] = 0
            elif adults[h, 1] == 0 and minors[h, 1] > 0:
                change[n] |= MINORS_RETURN
                moves[away_place[h], place[h], Form.RETURN] += minors[h, 1]
                minors[h, 0] += minors[h, 1]
                minors[h, 1] = 0
        if away_place[h] >= 0:
            if adults[h, 1] + minors[h, 1] == 0:
                occupied[away_place[h], away_tenure[h]] -= 1
                away_place[h] = NOWHERE
                away_tenure[h] = Tenure.NONE
                away_since_year[h] = 0
            elif adults[h, 0] + minors[h, 0] == 0:
                occupied[place[h], tenure[h]] -= 1
                place[h] = away_place[h]
                tenure[h] = away_tenure[h]
                since_year[h] = away_since_year[h]
                away_place[h] = NOWHERE
                away_tenure[h] = Tenure.NONE
                away_since_year[h] = 0
                permit[h] = 0
                waiting_yr[h] = 0
                change[n] |= AWAY_IS_MAIN
        if adults[h, 0] + adults[h, 1] + minors[h, 0] + minors[h, 1] == 0:
            dissolved[n] = True
            occupied[place[h], tenure[h]] -= 1
            pool_mu[community[h]] += land_mu[h]
            county = community_county[community[h]]
            estates_yuan[county if county >= 0 else estates_yuan.shape[0] - 1] += savings_yuan[h]
    return change, dissolved, orphans


@kernel
def tell_persons(
    rows, change, moved, first_member, members, household, is_away, birth_year, since_year, year, minor_age
):  # fmt: skip
    """Carry what became of the parts of households to their members, of whom some have ``moved`` there this year."""
    told = zeros(first_member.shape[0], np.uint8)
    for n in range(rows.shape[0]):
        h = rows[n]
        told[h] = change[n]
        if change[n] != AS_IT_IS:
            for i in range(first_member[h], first_member[h] + members[h]):
                if household[i] == h:
                    _tell(i, change[n], is_away, birth_year, since_year, year, minor_age)
    for i in moved:
        if household[i] < told.shape[0] and told[household[i]] != AS_IT_IS:
            _tell(i, told[household[i]], is_away, birth_year, since_year, year, minor_age)


@inlined
def _tell(i, change, is_away, birth_year, since_year, year, minor_age):
    minor = year - birth_year[i] < minor_age
    if change & MINORS_GO and minor and not is_away[i]:
        is_away[i] = 1
        since_year[i] = year
    elif change & MINORS_RETURN and minor and is_away[i]:
        is_away[i] = 0
        since_year[i] = year
    if change & AWAY_IS_MAIN:
        is_away[i] = 0
