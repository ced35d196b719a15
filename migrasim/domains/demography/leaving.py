"""The young leave their family: for vocational school and college, and for good once they live away by themselves.

Whoever leaves becomes a household of one: registered where the family is, without land and savings. So several
children of a family can go, wherever its other members live, and come back or settle by a choice of their own.
"""

from __future__ import annotations

import numpy as np

from migrasim.core.chance import child_key, uniform
from migrasim.core.codes import N_OUTSIDE, N_TIERS, NOWHERE, Activity, Form, Kind, Tenure, Tier
from migrasim.core.rule import kernel, rows_of, rule, threaded_kernel
from migrasim.domains.demography import rules


@rule
def _is_elder(age, couple, p):
    """Whether somebody is too old, or married, to leave as the young do."""
    return couple > 0 or (age >= p.minor_age_yr and not rules.is_young(age, couple, p))


@rule
def _has_parent_there(i, first, members, household, is_away, couple, parents, gone):
    """Whether a parent lives in the same part of the family."""
    if parents[i] == 0:
        return False
    for j in range(first, first + members):
        if household[j] == household[i] and not gone[j] and is_away[j] == is_away[i] and couple[j] == parents[i]:
            return True
    return False


@rule
def _school_at(age, schooling, activity, here, inside, core, luck, p):
    """Place of the school that somebody enters this year and lives at; NOWHERE for who lives on as before."""
    if activity != Activity.PUPIL or here >= inside:
        return NOWHERE
    where = rules.study_place(age, schooling, luck, p)
    if where == rules.STUDY_AT_HOME:
        return NOWHERE
    if where == rules.STUDY_IN_SEAT:
        place = here - here % N_TIERS + Tier.SEAT
    elif where == rules.STUDY_IN_CORE:
        place = core
    else:
        place = inside + where - rules.STUDY_NEAR
    return NOWHERE if place == here else place


@rule
def _bed(place, inside):
    """Tenure of one who lives in a town or seat without a dwelling of the family."""
    return Tenure.NONE.value if place >= inside else Tenure.DORMITORY.value


@threaded_kernel
def may_leave(
    block, key, birth_year, couple, parents, schooling, activity, household, is_away, gone, first_member, members,
    place, away_place, inside, core, year, luck, p, young, found,
):  # fmt: skip
    """List the young who may leave their family if they stay single: who enters a school, and who is away already."""
    youngest, oldest = p.independent_from_yr, p.independent_until_yr
    n = block[0]
    for i in rows_of(block):
        age = year - birth_year[i]
        beside = (activity[i] == Activity.PUPIL) | (is_away[i] > 0)
        young[n] = i
        n += (couple[i] <= 0) & (not gone[i]) & beside & (youngest <= age) & (age < oldest)
    asked, n = n, block[0]
    for k in range(block[0], asked):
        i = young[k]
        h, part, age = household[i], is_away[i], year - birth_year[i]
        here = away_place[h] if part else place[h]
        to = _school_at(age, schooling[i], activity[i], here, inside, core, uniform(luck, key[i], 0), p)
        young[n] = i
        if rules.is_young(age, couple[i], p):
            n += to != NOWHERE or (
                part > 0
                and not _has_parent_there(i, first_member[h], members[h], household, is_away, couple, parents, gone)
            )
    found[block[2], 0], found[block[2], 1] = block[0], n - block[0]


@kernel
def leave(
    young, person_key, birth_year, couple, parents, activity, schooling, since_year, gone, household, is_away,
    first_member, members, key, place, away_place, away_since_year, home_since_year, tenure, away_tenure, permit,
    waiting_yr, parts, occupied, moves, core, year, luck, next_row, p,
):  # fmt: skip
    """Let the ``young``, rows of those who may unless they marry, leave.

    Persons are given their new rows from ``next_row`` on.
    Who goes is decided by the parts as they were before anybody left, so that it does not depend on the order of
    rows. One who is a household already moves as a whole.

    Returns
    -------
    founded : the columns of `migrasim.domains.demography.families.Founded`
    moved : rows of the persons who left; the households that they left are the sources of those founded
    """
    inside = occupied.shape[0] - N_OUTSIDE
    most = young.shape[0]
    in_family, in_part = np.zeros(most, np.int64), np.zeros(most, np.int64)
    for n in range(most):
        h = household[young[n]]
        if h < first_member.shape[0]:
            heads = parts.adults[h, 0] + parts.minors[h, 0], parts.adults[h, 1] + parts.minors[h, 1]
            in_family[n], in_part[n] = heads[0] + heads[1], heads[is_away[young[n]]]
    moved = np.empty(most, np.int64)
    source = np.zeros(most, np.int64)
    new_key = np.zeros(most, np.uint64)
    new_place = np.zeros(most, np.int8)
    new_since = np.zeros(most, np.int16)
    new_tenure = np.zeros(most, np.uint8)
    new_away = np.zeros(most, np.uint8)
    new_kind = np.zeros(most, np.uint8)
    made = 0
    for n in range(most):
        i = young[n]
        h = household[i]
        age = year - birth_year[i]
        if h >= first_member.shape[0] or couple[i] > 0:
            continue  # this year's couples and new households, which have rows beyond
        part = is_away[i]
        here = away_place[h] if part else place[h]
        to = _school_at(age, schooling[i], activity[i], here, inside, core, uniform(luck, person_key[i], 0), p)
        if to == NOWHERE and not part:
            continue
        family = in_family[n]
        elders, at_home = parts.brides[h, 0] + parts.brides[h, 1], np.int64(parts.brides[h, 0])
        for j in range(first_member[h], first_member[h] + members[h]):
            if household[j] == h and not gone[j] and _is_elder(year - birth_year[j], couple[j], p):
                elders += 1
                at_home += is_away[j] == 0
        if family > 1 and elders == 0:
            continue  # nobody would keep the family's house and land
        if to != NOWHERE:
            moves[here, to, Form.YOUNG] += 1
            since_year[i] = year
        if family == 1:
            if to != NOWHERE and part:  # the others have died
                occupied[here, away_tenure[h]] -= 1
                away_place[h], away_tenure[h], away_since_year[h] = to, _bed(to, inside), year
                occupied[to, away_tenure[h]] += 1
            elif to != NOWHERE:
                occupied[here, tenure[h]] -= 1
                place[h], tenure[h], home_since_year[h] = to, _bed(to, inside), year
                occupied[to, tenure[h]] += 1
                permit[h] = waiting_yr[h] = 0
            continue
        by_itself = in_part[n] == 1
        if to == NOWHERE:
            if at_home == 0:
                continue
            if _has_parent_there(i, first_member[h], members[h], household, is_away, couple, parents, gone):
                continue
        where = here if to == NOWHERE else to
        held = _bed(where, inside)
        if to == NOWHERE and by_itself:
            held = away_tenure[h]  # the family's dwelling there is theirs now
        elif where < inside and where % N_TIERS == Tier.VILLAGE:
            held = Tenure.SELF_BUILT.value
        occupied[where, held] += 1
        source[made] = h
        new_key[made] = child_key(key[h], year, person_key[i])
        new_place[made] = where
        new_since[made] = away_since_year[h] if to == NOWHERE else year
        new_tenure[made] = held
        new_away[made] = 1
        alone = held == Tenure.DORMITORY or held == Tenure.NONE
        new_kind[made] = Kind.COLLECTIVE if alone else Kind.FAMILY
        if age < p.minor_age_yr:
            parts.minors[h, part] -= 1
        else:
            parts.adults[h, part] -= 1
        household[i] = next_row + made
        moved[made] = i
        is_away[i] = 0
        parents[i] = 0
        made += 1
    founded = (
        source[:made], new_key[:made], new_place[:made], new_since[:made], new_tenure[:made],
        np.zeros(made, np.float32), np.zeros(made, np.int64), new_away[:made], new_kind[:made],
    )  # fmt: skip
    return founded, moved[:made]
