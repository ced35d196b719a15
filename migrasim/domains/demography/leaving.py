"""The young leave their family: for vocational school and college, and for good once they live away by themselves.

Whoever leaves becomes a household of one: registered where the family is, without land and savings. So several
children of a family can go, wherever its other members live, and come back or settle by a choice of their own.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from migrasim.core.chance import child_key, uniform
from migrasim.core.codes import N_OUTSIDE, N_TIERS, NOWHERE, Activity, Form, Kind, Tenure, Tier
from migrasim.core.rule import kernel, members_of, rows_of, rule, threaded_kernel
from migrasim.domains.demography import rules

_LEAST_ROWS = 4096  # of the young; fewer are not worth a thread


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
def _school_at(age, sex, schooling, activity, here, inside, core, luck, p):
    """Place of the school that somebody enters this year and lives at; NOWHERE for who lives on as before."""
    if activity != Activity.PUPIL or here >= inside:
        return NOWHERE
    where = rules.study_place(age, schooling, sex, luck, p)
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
    block, key, birth_year, sex, couple, parents, schooling, activity, household, is_away, gone, first_member, members,
    place, away_place, inside, core, year, luck, p, young, found,
):  # fmt: skip
    """Keep in the list of the ``young`` who may leave if single: who enters a school, who is away without a parent."""
    p = p[0]
    asked, n = block[0] + found[block[2], 1], block[0]
    for k in range(block[0], asked):
        i = young[k]
        h, part, age = household[i], is_away[i], year - birth_year[i]
        here = away_place[h] if part else place[h]
        to = _school_at(age, sex[i], schooling[i], activity[i], here, inside, core, uniform(luck, key[i], 0), p)
        young[n] = i
        n += to != NOWHERE or (
            part > 0
            and not _has_parent_there(i, first_member[h], members[h], household, is_away, couple, parents, gone)
        )
    found[block[2], 1] = n - block[0]


# What becomes of one of the young; who leaves may keep the dwelling of the family in which nobody else lives
STAYS, MOVES, FOUNDS, KEEPS_DWELLING = range(4)


@partial(threaded_kernel, least_rows=_LEAST_ROWS)
def decide(
    block, young, person_key, birth_year, sex, couple, parents, activity, schooling, gone, household, is_away,
    first_member, members, place, away_place, parts, inside, core, year, luck, p, to, becomes,
):  # fmt: skip
    """Say what becomes of the ``young``, rows of those who may leave unless they marry, and where they enter a school.

    Everybody decides by the parts as they are before anybody leaves, so that nothing depends on the order of rows. One
    who is a household already moves as a whole. ``to`` (young,) is NOWHERE for those who enter no school elsewhere.
    """
    p = p[0]
    adults, minors, brides = parts.adults, parts.minors, parts.brides
    for n in rows_of(block):
        i = young[n]
        h, part = household[i], is_away[i]
        to[n], becomes[n] = NOWHERE, STAYS
        if h >= first_member.shape[0] or couple[i] > 0:
            continue  # this year's couples and new households, which have rows beyond
        here = away_place[h] if part else place[h]
        age = year - birth_year[i]
        to[n] = _school_at(
            age, sex[i], schooling[i], activity[i], here, inside, core, uniform(luck, person_key[i], 0), p
        )
        if to[n] == NOWHERE and not part:
            continue
        in_part = adults[h, part] + minors[h, part]
        if in_part + adults[h, 1 - part] + minors[h, 1 - part] == 1:
            if to[n] != NOWHERE:
                becomes[n] = MOVES
            continue
        elders, at_home = brides[h, 0] + brides[h, 1], np.int64(brides[h, 0])
        for j in members_of(first_member, members, h):
            if household[j] == h and not gone[j] and _is_elder(year - birth_year[j], couple[j], p):
                elders += 1
                at_home += is_away[j] == 0
        if elders == 0:
            continue  # nobody would keep the family's house and land
        if to[n] != NOWHERE:
            becomes[n] = FOUNDS
        elif at_home > 0 and not _has_parent_there(
            i, first_member[h], members[h], household, is_away, couple, parents, gone
        ):
            becomes[n] = KEEPS_DWELLING if in_part == 1 else FOUNDS


@partial(kernel, allocates=False)
def leave(
    young, to_place, becomes, person_key, birth_year, parents, since_year, household, is_away, key, place, away_place,
    away_since_year, home_since_year, tenure, away_tenure, permit, waiting_yr, parts, occupied, moves, year, next_row,
    p, founded, moved,
):  # fmt: skip
    """Let the ``young`` leave as they decided.

    Persons are given their new rows from ``next_row`` on. Fills ``founded`` (young,) records of
    `migrasim.domains.demography.families.FOUNDED` and ``moved`` (young,) rows of the persons who left; the households
    that they left are the sources of those founded. Returns how many.
    """
    p = p[0]
    inside = occupied.shape[0] - N_OUTSIDE
    made = 0
    for n in range(young.shape[0]):
        if becomes[n] == STAYS:
            continue
        i, to = young[n], to_place[n]
        h, part = household[i], is_away[i]
        here = away_place[h] if part else place[h]
        if to != NOWHERE:
            moves[here, to, Form.YOUNG] += 1
            since_year[i] = year
        if becomes[n] == MOVES:
            if part:  # the others have died
                occupied[here, away_tenure[h]] -= 1
                away_place[h], away_tenure[h], away_since_year[h] = to, _bed(to, inside), year
                occupied[to, away_tenure[h]] += 1
            else:
                occupied[here, tenure[h]] -= 1
                place[h], tenure[h], home_since_year[h] = to, _bed(to, inside), year
                occupied[to, tenure[h]] += 1
                permit[h] = waiting_yr[h] = 0
            continue
        where = here if to == NOWHERE else to
        held = _bed(where, inside)
        if becomes[n] == KEEPS_DWELLING:
            held = away_tenure[h]  # the family's dwelling there is theirs now
        elif where < inside and where % N_TIERS == Tier.VILLAGE:
            held = Tenure.SELF_BUILT.value
        occupied[where, held] += 1
        new = founded[made]
        new.source = h
        new.key = child_key(key[h], year, person_key[i])
        new.place = where
        new.since_year = away_since_year[h] if to == NOWHERE else year
        new.tenure = held
        new.land_mu = 0.0
        new.savings_yuan = 0
        new.is_away = 1
        alone = held == Tenure.DORMITORY or held == Tenure.NONE
        new.kind = Kind.COLLECTIVE.value if alone else Kind.FAMILY.value
        if year - birth_year[i] < p.minor_age_yr:
            parts.minors[h, part] -= 1
        else:
            parts.adults[h, part] -= 1
        household[i] = next_row + made
        moved[made] = i
        is_away[i] = 0
        parents[i] = 0
        made += 1
    return made
