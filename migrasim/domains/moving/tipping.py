"""Terms of utility of given alternatives, to find what tipped a choice between two states.

The plain rules of ``choice`` are called as they are, so what is found here is what was decided.
"""

from __future__ import annotations

import numpy as np

from migrasim.core.chance import Decision, mix, stream
from migrasim.core.codes import Form, Nest
from migrasim.core.logit import alternative_error, nest_error
from migrasim.core.rule import kernel, rule
from migrasim.domains.moving import choice
from migrasim.domains.moving.choice import FORM_STRIDE, STAY, STAY_LUCK
from migrasim.domains.moving.rules import Terms

N_TERMS = len(Terms._fields)

# What expected income is made of: name of the part, columns of `choice.AT`, of `choice.LAND`, of `Families` and of
# `People`. Every column that enters the term of income stands in one part; columns that never do may stand in any.
INCOME_PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "wage": (("wage_yuan",), (), (), ()),
    "work_chance": (("work_chance",), (), (), ()),
    "rent": (("rent_yuan",), (), ("tenure", "away_tenure"), ()),
    "relief": (("relief_yuan",), (), (), ()),
    "living": (("living_yuan",), (), (), ()),
    "earnings": ((), (), ("other_income_yuan",), ("earning_factor", "income_yuan", "activity", "schooling_yr")),
    "farm": ((), (), ("land_mu", "farm_full_yuan", "farmers_needed"), ()),
    "land_rights": ((), ("rent_yuan", "kept", "exit_income_yuan"), (), ()),
    "collective": ((), ("collective_kept",), ("dividend_yuan",), ()),
    "registration": ((), (), ("home_place", "community"), ()),
}


@rule
def is_open(one, form, d, who, kind, grown_who_stay, places):
    """Whether an alternative stands in the choice set of a household."""
    inside = places.distance.shape[0] - 2
    here = d == one.place
    if here != (form == Form.STAY or form == Form.RETURN):
        return False
    if not choice.can_form(form, who, kind, one.members) or not choice.fits(form, d, one, inside):
        return False
    if Form.STAY < form < Form.WHOLE and grown_who_stay == 0.0:
        return False
    return here or choice.is_within_reach(one, d, places)


@kernel
def weigh(codes, people, families, places, seed, year, p, terms, luck, is_open_):
    """Weigh alternatives of households, a row of ``codes`` (households, alternatives) for each row of ``families``.

    Fills ``terms`` (households, alternatives, N_TERMS), ``luck`` and ``is_open_`` (households,
    alternatives); ``p`` is one record.
    """
    inside = places.distance.shape[0] - 2
    gumbel_key, nest_key = stream(seed, Decision.GUMBEL, year), stream(seed, Decision.NEST, year)
    taste_key = stream(seed, Decision.TASTE, 0)
    sums = np.empty(choice.N_SUMS, np.float64)
    for h in range(codes.shape[0]):
        who = choice.who_is_who(h, people, families, year)
        one = choice.home_of(h, who.split, people, families, year, places, p[0])
        for k in range(codes.shape[1]):
            code = codes[h, k]
            form, d = (
                (np.int64(Form.STAY), np.int64(one.place))
                if code == STAY
                else (code % FORM_STRIDE, code // FORM_STRIDE)
            )
            choice.sum_up(h, form, who, people, families, year, sums)
            is_open_[h, k] = is_open(one, form, d, who, families.kind[h], sums[choice._GROWN0], places)
            found = choice.terms_of(one, form, d, sums, places, taste_key, p[0])
            for m in range(N_TERMS):
                terms[h, k, m] = found[m]
            if code == STAY:
                luck[h, k] = alternative_error(gumbel_key, one.key, STAY_LUCK, 1.0)
            else:
                nest = Nest.INSIDE if d < inside else Nest.OUTSIDE
                luck[h, k] = alternative_error(gumbel_key, one.key, code, p[0].nest_dissimilarity)
                luck[h, k] += nest_error(nest_key, one.key, nest, p[0].nest_dissimilarity)


@kernel
def compositions(key, is_away, household, composition):
    """Fill ``composition`` (households,): equal where the same people live in the same two parts."""
    composition[:] = 0
    for i in range(key.shape[0]):
        composition[household[i]] += mix(key[i] * np.uint64(2) + np.uint64(is_away[i]))
