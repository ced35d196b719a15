"""Compile the kernels of choosing before there is a world: on no rows, of the types that a world has.

They take longer than any others, and of a first run the processes that compile ahead have nothing else to do until
the world of the base year stands (`migrasim.runs.ahead`).
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from migrasim.core.codes import N_OUTSIDE, N_TIERS
from migrasim.core.rule import record
from migrasim.domains.moving import choice, considering, household
from migrasim.domains.moving.household import Families, People
from migrasim.domains.moving.rules import MovingParams
from migrasim.domains.moving.terms import AT, LAND, Places
from migrasim.population.tables import HOUSEHOLDS, PERSONS

_LIVELIHOOD = (
    "farm_full_yuan",
    "farmers_needed",
    "other_income_yuan",
    "dividend_yuan",
    "earning_factor",
    "income_yuan",
)


def rehearse() -> None:
    """Compile choosing, gathering and considering."""
    people, families, places, bundle = _nobody()
    homes, crew = household.gather(np.empty(0, np.int64), people, families, places, 0, bundle)
    codes, values = np.empty((0, choice.ROUNDS), np.int64), np.empty((0, choice.ROUNDS))
    choice.choose_gathered(homes, crew, places, 0, 0, bundle, codes, values)
    news = np.zeros((len(places.land) + 1, considering.N_CONCERNS))
    least, most = considering.bounds(places.registered, news, bundle)
    wed, month = np.empty(0, np.bool_), np.empty(0, np.uint8)
    events, rank = considering.by_age(most, bundle)
    considering._consider(
        0, people, families, places, places.registered, least, most, events, rank, wed, news, 0, 0, bundle, month
    )


def _nobody() -> tuple[People, Families, Places, Any]:
    """What `migrasim.domains.moving.offers.views` gives of a world of one county without anybody, and parameters."""
    columns = {column.name: np.empty(0, column.dtype) for column in (*PERSONS, *HOUSEHOLDS)}
    columns |= {name: np.empty(0, np.float32) for name in _LIVELIHOOD}
    columns |= {name: np.empty(0, np.int32) for name in ("first_member", "members")}
    every = SimpleNamespace(**columns)
    people = People(*(getattr(every, name) for name in People._fields))
    families = Families(*(getattr(every, name) for name in Families._fields))
    many = N_TIERS + N_OUTSIDE
    places = Places(
        np.zeros(many, AT),
        np.zeros(1, LAND),
        np.zeros((many, many)),
        np.zeros((1, many)),
        np.zeros(1, np.int64),
        np.zeros(1, np.int64),
        np.zeros((1, many), np.int32),
        np.zeros(1),
        0,
        0,
    )
    return people, families, places, record(MovingParams(*(0.5 for _ in MovingParams._fields)))
