"""The data dictionary: every column of persons, households and villages.

One line a column: name, dtype, unit, meaning and who may write it. The population is built with
these columns, the world carries them, and a test runs each phase and fails where a column is
changed by a phase that is not named here as its writer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Column:
    """One column: ``name``, numpy ``dtype``, ``unit``, ``meaning``, ``writers`` (phases)."""

    name: str
    dtype: str
    unit: str
    meaning: str
    writers: tuple[str, ...] = ()


PERSONS: tuple[Column, ...] = (
    Column("key", "uint64", "key", "identity for keyed luck; a child's comes from its mother's", ("demography",)),
    Column("household", "int32", "row", "row of the household in the table of households", ("demography",)),
    Column("birth_year", "int16", "year", "year of birth; age at the end of year Y is Y - birth_year", ("demography",)),
    Column("sex", "uint8", "Sex", "sex", ("demography",)),
    Column(
        "generation",
        "int8",
        "count",
        "generation inside the household, 0 the oldest a family can have, 4 the youngest",
        ("demography",),
    ),
    Column(
        "couple",
        "int8",
        "count",
        "number of the couple inside the household; 0 none (never married, widowed, divorced)",
        ("demography",),
    ),
    Column(
        "parents",
        "int8",
        "count",
        "number of the parents' couple inside the household; 0 unknown or elsewhere",
        ("demography",),
    ),
    Column("schooling", "uint8", "Schooling", "highest schooling", ("demography",)),
    Column("activity", "uint8", "Activity", "what the person does", ("demography", "labour", "moving")),
    Column(
        "sector",
        "uint8",
        "Sector",
        "census sector of the job, 0 none; jobs outside the region are kept as 0",
        ("demography", "labour", "moving"),
    ),
    Column(
        "chain",
        "uint8",
        "chain",
        "industrial chain of the job, 1.. in the order of the region; 0 none",
        ("demography", "labour", "moving"),
    ),
    Column("skill", "uint8", "Skill", "skill level", ("demography", "labour")),
    Column(
        "is_away", "uint8", "flag", "1: lives at the household's away_place, 0: at its place", ("demography", "moving")
    ),
    Column(
        "since_year",
        "int16",
        "year",
        "year in which the person came to where it lives; the year of birth where it never moved",
        ("demography", "moving"),
    ),
)

HOUSEHOLDS: tuple[Column, ...] = (
    Column("key", "uint64", "key", "identity for keyed luck", ("demography",)),
    Column("kind", "uint8", "Kind", "family or collective (one person)", ("demography",)),
    Column(
        "community",
        "int16",
        "row",
        "home community: village 0..V-1, then the towns and seats by county, then near and far outside",
        ("demography",),
    ),
    Column(
        "home_place",
        "int8",
        "place",
        "place of the registered address (changes when registration is transferred or the village becomes a town)",
        ("demography", "policy", "hukou"),
    ),
    Column(
        "hukou_urban", "uint8", "flag", "1: the registered address counts as urban", ("demography", "hukou", "policy")
    ),
    Column("place", "int8", "place", "where the main part of the household lives", ("demography", "moving", "policy")),
    Column("away_place", "int8", "place", "where its away members live; -1 nobody is away", ("demography", "moving")),
    Column("since_year", "int16", "year", "year in which the main part came to its place", ("demography", "moving")),
    Column(
        "away_since_year",
        "int16",
        "year",
        "year in which the present away part came to its place; 0 none",
        ("demography", "moving"),
    ),
    Column(
        "tenure",
        "uint8",
        "Tenure",
        "how the main part holds its dwelling",
        ("demography", "housing", "moving", "hukou"),
    ),
    Column(
        "away_tenure",
        "uint8",
        "Tenure",
        "how the away part holds its dwelling; NONE where nobody is away or it is outside",
        ("demography", "housing", "moving"),
    ),
    Column("land_mu", "float32", "mu", "contracted land", ("demography", "land", "hukou")),
    Column(
        "has_homestead", "uint8", "flag", "1: holds a homestead in the home village", ("demography", "land", "hukou")
    ),
    Column(
        "has_collective_share",
        "uint8",
        "flag",
        "1: holds a share in the village collective's income",
        ("demography", "land", "hukou"),
    ),
    Column("savings_yuan", "int64", "yuan", "savings, constant 2020 yuan", ("demography", "fiscal", "moving", "land")),
    Column(
        "permit",
        "uint8",
        "flag",
        "1: holds a residence permit where the main part lives",
        ("hukou", "moving", "demography"),
    ),
    Column(
        "waiting_yr",
        "uint8",
        "years",
        "years in the queue for public rental housing; 0 not in it",
        ("housing", "demography", "moving"),
    ),
)

VILLAGES: tuple[Column, ...] = (
    Column("county", "int8", "county", "county of the village"),
    Column("township", "int16", "township", "number of the township in the region's list"),
    Column("travel_town_min", "float32", "minutes", "travel time to the town of its township"),
    Column("travel_seat_min", "float32", "minutes", "travel time to the county seat"),
    Column("urban_since_year", "int16", "year", "year in which it was reclassified as a town; 0 never", ("policy",)),
)


def empty(columns: tuple[Column, ...], rows: int) -> dict[str, np.ndarray]:
    """Columns of zeros, by name, in the order and with the dtypes of the dictionary."""
    return {column.name: np.zeros(rows, dtype=column.dtype) for column in columns}
