"""Terms of utility of given alternatives, to find what tipped a choice between two states.

The plain rules of ``terms`` are called as they are, so what is found here is what was decided.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from migrasim.core.chance import Decision, mix, stream
from migrasim.core.codes import N_OUTSIDE, Form, Nest
from migrasim.core.logit import alternative_error, nest_error
from migrasim.core.rule import kernel, rule
from migrasim.domains.moving.choice import FORM_STRIDE, STAY, STAY_LUCK
from migrasim.domains.moving.household import Families, People, can_form, gather, new_sums, sum_up
from migrasim.domains.moving.rules import Terms
from migrasim.domains.moving.terms import Places, fits, is_within_reach, terms_of

Array = np.ndarray[Any, np.dtype[Any]]

N_TERMS = len(Terms._fields)

# What expected income is made of: name of the part, columns of `terms.AT`, of `terms.LAND`, of `Families` and of
# `People`. Every column that enters the term of income stands in one part; columns that never do may stand in any.
INCOME_PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "wage": (("wage_yuan",), (), (), ()),
    "work_chance": (("work_chance",), (), (), ()),
    "rent": (("rent_yuan", "public_rent_yuan", "affordable_rent_yuan"), (), ("tenure", "away_tenure"), ()),
    "relief": (("relief_yuan", "tenant_relief_yuan"), (), (), ()),
    "living": (("living_yuan",), (), (), ()),
    "earnings": ((), (), ("other_income_yuan",), ("earning_factor", "income_yuan", "activity", "schooling")),
    "farm": ((), (), ("land_mu", "farm_full_yuan", "farmers_needed"), ()),
    "land_rights": ((), ("rent_yuan", "kept", "exit_income_yuan"), (), ()),
    "collective": ((), ("collective_kept",), ("dividend_yuan",), ()),
    "registration": ((), (), ("home_place", "community"), ()),
}


@rule
def is_open(one, form, d, grown_who_stay, inside, core):
    """Whether an alternative stands in the choice set of a household."""
    here = d == one.place
    if here != (form == Form.STAY or form == Form.RETURN):
        return False
    if not can_form(form, one) or not fits(form, d, one, inside):
        return False
    if Form.STAY < form < Form.WHOLE and grown_who_stay == 0.0:
        return False
    return here or is_within_reach(one, d, inside, core)


@kernel
def _weigh(codes, homes, crew, places, seed, year, p, sums, terms, luck, is_open_):
    inside = places.at.shape[0] - N_OUTSIDE
    gumbel_key, nest_key = stream(seed, Decision.GUMBEL, year), stream(seed, Decision.NEST, year)
    taste_key = stream(seed, Decision.TASTE, 0)
    for h in range(codes.shape[0]):
        one = homes[h]
        for k in range(codes.shape[1]):
            code = codes[h, k]
            form, d = (
                (np.int64(Form.STAY), np.int64(one.place))
                if code == STAY
                else (code % FORM_STRIDE, code // FORM_STRIDE)
            )
            sum_up(form, one, crew, sums[0])
            is_open_[h, k] = is_open(one, form, d, sums[0].grown0, inside, places.core)
            found = terms_of(one, form, d, sums[0], places, taste_key, p[0])
            for m in range(N_TERMS):
                terms[h, k, m] = found[m]
            if code == STAY:
                luck[h, k] = alternative_error(gumbel_key, one.key, STAY_LUCK, 1.0)
            else:
                nest = Nest.INSIDE if d < inside else Nest.OUTSIDE
                luck[h, k] = alternative_error(gumbel_key, one.key, code, p[0].nest_dissimilarity)
                luck[h, k] += nest_error(nest_key, one.key, nest, p[0].nest_dissimilarity)


def weigh(
    codes: Array, people: People, families: Families, places: Places, seed: int, year: int, p: Any
) -> tuple[Array, Array, Array]:
    """Weigh alternatives of households, a row of ``codes`` (households, alternatives) for each row of ``families``.

    Parameters
    ----------
    p : (1,) record of the parameters

    Returns
    -------
    (households, alternatives, N_TERMS) terms; (households, alternatives) luck, and whether they stand in the choice set
    """
    homes, crew = gather(np.arange(len(families.key)), people, families, places, year, p)
    terms = np.empty((*codes.shape, N_TERMS))
    luck, is_open_ = np.empty(codes.shape), np.empty(codes.shape, np.bool_)
    _weigh(codes, homes, crew, places, seed, year, p, new_sums(), terms, luck, is_open_)
    return terms, luck, is_open_


@kernel
def compositions(key, is_away, household, composition):
    """Fill ``composition`` (households,): equal where the same people live in the same two parts."""
    composition[:] = 0
    for i in range(key.shape[0]):
        composition[household[i]] += mix(key[i] * np.uint64(2) + np.uint64(is_away[i]))
