"""Marriages: who looks for one, who is paired with whom, and where the couple keeps house.

A bride takes the number above the highest one in use in her new household; see `migrasim.domains.demography.families`.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from migrasim.core.chance import child_key, draw, uniform
from migrasim.core.codes import N_TIERS, NOWHERE, Kind, Sex, Tenure, Tier
from migrasim.core.lottery import by_lot
from migrasim.core.rule import empty, kernel, rule, zeros
from migrasim.domains.demography import rules
from migrasim.domains.demography.families import NUMBERS

# What becomes of a pair
NO_MARRIAGE, JOINS, FOUNDS = 0, 1, 2


@kernel
def marriage_table(p):
    """(sexes, town, village or outside, ages) probability that a single person looks for a marriage within a year.

    No minor does: brides and grooms are counted among the grown-up.
    """
    p = p[0]
    table = empty((2, 3, rules.AGES), np.float64)
    for sex in range(2):
        for where in range(3):
            for age in range(rules.AGES):
                grown = age >= p.minor_age_yr
                table[sex, where, age] = rules.marriage_prob(age, sex, where == 1, p) if grown else 0.0
    return table


@kernel
def draws(luck, key, alternative):
    """(rows,) 64 random bits for each key."""
    bits = empty(key.shape[0], np.uint64)
    for i in range(key.shape[0]):
        bits[i] = draw(luck, key[i], alternative)
    return bits


@kernel
def _part_kin(men, women, household):
    """Exchange brides between neighbours in the list where bride and groom share a household."""
    n = men.shape[0]
    for i in range(n):
        j = (i + 1) % n
        if household[men[i]] == household[women[i]]:
            if household[men[i]] != household[women[j]] and household[men[j]] != household[women[i]]:
                women[i], women[j] = women[j], women[i]


@kernel
def _youngest_first(rows, birth_year):
    """The ``rows`` of one place and sex, the youngest first; those of a year in their own order."""
    newest = birth_year[rows[0]]
    oldest = newest
    for n in rows:
        newest, oldest = max(newest, birth_year[n]), min(oldest, birth_year[n])
    cursor = zeros(newest - oldest + 2, np.int64)
    for n in rows:
        cursor[newest - birth_year[n] + 1] += 1
    for year in range(1, cursor.shape[0]):
        cursor[year] += cursor[year - 1]
    order = empty(rows.shape[0], np.int64)
    for n in rows:
        order[cursor[newest - birth_year[n]]] = n
        cursor[newest - birth_year[n]] += 1
    return order


@kernel
def pair(candidates, place, sex, birth_year, bits, household):
    """Pair men and women of a place by age: rows of the men and of their brides.

    Of the larger side those with the smallest bits are taken; then both sides are put in order of
    age and bits. The pairs come in order of the men's bits, so that whatever is scarce is given out
    by keys.

    Parameters
    ----------
    candidates : (candidates,) rows of persons
    place, sex, birth_year, bits : (candidates,) of the candidates
    household : (persons,) rows of households
    """
    sides = 0  # two for each place: men, then women
    for n in range(place.shape[0]):
        sides = max(sides, 2 * (place[n] + 1))
    first = zeros(sides + 1, np.int64)
    for n in range(place.shape[0]):
        first[2 * place[n] + (sex[n] == Sex.FEMALE) + 1] += 1
    for side in range(sides):
        first[side + 1] += first[side]
    cursor, waiting = first.copy(), empty(place.shape[0], np.int64)
    for n in by_lot(bits):
        side = 2 * place[n] + (sex[n] == Sex.FEMALE)
        waiting[cursor[side]] = n
        cursor[side] += 1
    # rows are copied one by one: numba compiles seconds for what copies lists of them
    rows = place.shape[0]
    lots, men, women = empty(rows, np.uint64), empty(rows, np.int64), empty(rows, np.int64)
    made = 0
    for side in range(0, sides, 2):
        pairs = min(first[side + 1] - first[side], first[side + 2] - first[side + 1])
        if pairs > 0:
            grooms = _youngest_first(waiting[first[side] : first[side] + pairs], birth_year)
            brides = _youngest_first(waiting[first[side + 1] : first[side + 1] + pairs], birth_year)
            end = made + pairs
            for n in range(pairs):
                lots[made + n], men[made + n] = bits[grooms[n]], candidates[grooms[n]]
                women[made + n] = candidates[brides[n]]
            _part_kin(men[made:end], women[made:end], household)
            made = end
    husbands, wives = empty(made, np.int64), empty(made, np.int64)
    order = by_lot(lots[:made])
    for n in range(made):
        husbands[n], wives[n] = men[order[n]], women[order[n]]
    return husbands, wives


@rule
def _vacant(dwellings, occupied, place, tenure):
    return dwellings[place, tenure] > occupied[place, tenure]


@rule
def _new_tenure(place, inside, savings, dwellings, occupied, p):
    """Tenure of a new household at a place, and -1 where no dwelling is vacant."""
    if place >= inside:
        return Tenure.NONE.value
    if place % N_TIERS == Tier.VILLAGE:
        return Tenure.SELF_BUILT.value
    if rules.can_pay_down(savings, p) and _vacant(dwellings, occupied, place, Tenure.PURCHASED.value):
        return Tenure.PURCHASED.value
    if _vacant(dwellings, occupied, place, Tenure.MARKET_RENT.value):
        return Tenure.MARKET_RENT.value
    return NOWHERE


@partial(kernel, allocates=False)
def marry(
    men, women, person_key, household, person_away,
    key, kind, place, away_place, since_year, away_since_year, tenure, away_tenure, land_mu, savings_yuan,
    parts, touched, dwellings, occupied, inside, year, luck, p, outcome, number, founded,
):  # fmt: skip
    """Decide, pair after pair, whether they marry and where they keep house; the goods change hands here.

    Fills ``outcome`` (pairs,), where no marriage stands, with what becomes of the pair, ``number`` (pairs,) with the
    number of the new couple in its household, and ``founded`` with a record of FOUNDED for each pair that founds a
    household, in order of the pairs; returns how many do.
    """
    p = p[0]
    adults, minors, top = parts.adults, parts.minors, parts.top
    made = 0
    for i in range(men.shape[0]):
        man, woman = men[i], women[i]
        his, hers = household[man], household[woman]
        part, side = person_away[man], person_away[woman]
        if his == hers or top[his] + 1 >= NUMBERS:
            continue
        if minors[hers, side] > 0 and adults[hers, side] == 1:
            continue  # she would leave children without a grown-up
        where = away_place[his] if part else place[his]
        rural = where < inside and where % N_TIERS == Tier.VILLAGE
        held = away_tenure[his] if part else tenure[his]
        in_part = adults[his, part] + minors[his, part]
        family = adults[his, 0] + adults[his, 1] + minors[his, 0] + minors[his, 1]
        if kind[his] == Kind.COLLECTIVE:
            own = _new_tenure(where, inside, savings_yuan[his], dwellings, occupied, p)
            if own == NOWHERE:
                continue
            occupied[where, tenure[his]] -= 1
            occupied[where, own] += 1
            tenure[his] = own
            kind[his] = Kind.FAMILY
            outcome[i] = JOINS
        elif (
            family > 1
            and not (minors[his, part] > 0 and adults[his, part] == 1)
            and uniform(luck, person_key[man], 0) < rules.own_household_share(rural, p)
        ):
            if in_part == 1 and held != Tenure.DORMITORY and held != Tenure.OTHER:
                own = held  # he lives by himself there: the dwelling is his
            else:
                own = _new_tenure(where, inside, savings_yuan[his], dwellings, occupied, p)
            outcome[i] = JOINS if own == NOWHERE else FOUNDS
        else:
            own = NOWHERE
            outcome[i] = JOINS
        touched[his] = 1
        touched[hers] = 1
        adults[hers, side] -= 1
        dowry = np.int64(0)
        if adults[hers, 0] + adults[hers, 1] + minors[hers, 0] + minors[hers, 1] == 0:
            dowry = savings_yuan[hers]  # she was the last of her family: what it saved goes with her
            savings_yuan[hers] = 0
        if outcome[i] == FOUNDS:
            adults[his, part] -= 1
            number[i] = 1
            new = founded[made]
            new.source = his
            new.key = child_key(key[his], year, person_key[man])
            new.place = where
            new.since_year = away_since_year[his] if part else since_year[his]
            new.tenure = own
            new.kind = Kind.FAMILY.value
            occupied[where, own] += 1
            # equal shares a head, the bride counted: those of two of the family and her
            new.land_mu = land_mu[his] * np.float32(2.0 / (family + 1))
            land_mu[his] -= new.land_mu
            share = savings_yuan[his] * 2 // (family + 1)
            savings_yuan[his] -= share
            new.savings_yuan = share + dowry
            new.is_away = part
            made += 1
        else:
            adults[his, part] += 1
            parts.brides[his, part] += 1
            top[his] += 1
            number[i] = top[his]
            savings_yuan[his] += dowry
    return made


@kernel
def wed(
    men, women, outcome, number, household, is_away, couple, parents, generation, place, away_place, marriages, next_row
):  # fmt: skip
    """Write who lives in which household and couple after the marriages, which are counted by place.

    Returns
    -------
    homes : (marriages,) rows of the households of the couples
    moved, left : rows of the persons who moved and of the households that they left
    """
    pairs = men.shape[0]
    homes, moved, left = empty(pairs, np.int64), empty(2 * pairs, np.int64), empty(2 * pairs, np.int64)
    made = movers = founded = 0
    for n in range(pairs):
        if outcome[n] == NO_MARRIAGE:
            continue
        man, woman = men[n], women[n]
        home, part = np.int64(household[man]), np.int64(is_away[man])
        marriages[away_place[home] if part else place[home]] += 1
        moved[movers], left[movers] = woman, household[woman]
        movers += 1
        if outcome[n] == FOUNDS:
            moved[movers], left[movers] = man, home
            movers += 1
            home, part = next_row + founded, 0
            founded += 1
            parents[man] = 0
        household[man] = household[woman] = homes[made] = home
        is_away[man] = is_away[woman] = part
        couple[man] = couple[woman] = number[n]
        parents[woman] = 0
        generation[woman] = generation[man]
        made += 1
    return homes[:made], moved[:movers], left[:movers]
