"""What the tables publish about a base year, brought to whole numbers by county and place.

Everything here is a margin that the synthetic population must meet; what is assumed on the way
(no table has it) comes from ``facts.yaml`` beside this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from migrasim.core.codes import Tier
from migrasim.facts import FactBook
from migrasim.population.raking import proportional_fit, whole, whole_table
from migrasim.region import Region

GROUPS = 18
_FIRST_AGES = list(range(0, 5 * GROUPS, 5))


@cache
def assumed() -> Any:
    """Central values of ``facts.yaml`` as attributes: numbers, mappings by name, arrays by sector and by age.

    Arrays by age are of the 18 groups where a fact names these, else of the years of age from 0 to 100.
    """
    book = FactBook.load()
    found: dict[str, Any] = {}
    for fact in book.facts.values():
        if fact.domain != "population":
            continue
        if fact.by == "age" and isinstance(fact.value, dict) and list(fact.value) == _FIRST_AGES:
            value: Any = np.array(list(fact.value.values()), float)
        else:
            value = book.value(fact.id) if fact.by in (None, "age", "sector") else fact.value
        found[fact.id.removeprefix("population.")] = value
    return SimpleNamespace(**found)


def of_demography(name: str) -> float:
    """Central value of a fact that the rules of the year read, too, which the base year is to agree with."""
    return float(FactBook.load().value(f"demography.{name}"))


def by_age(table: np.ndarray, age: np.ndarray) -> np.ndarray:
    """Values at ages of a table by year of age, linear between whole years and held beyond its ends."""
    return np.asarray(np.interp(age, np.arange(table.size), table))


@dataclass(frozen=True)
class Margins:
    """Margins of a base year; C counties, 18 age groups, 2 sexes, 3 tiers.

    ``forms`` (C, 5) family households: one person, then 1 to 4 generations without them;
    ``elsewhere`` (C, 3) residents registered elsewhere: same county, other county of the province,
    other province; ``inside`` (C, C) people of county o who live in county d; ``collective``
    (C, 3, 18, 2) people outside family households by place; ``family_age`` the others;
    ``old_share`` households with people of 65 and over; ``married`` (C, 2) residents of 15 and over.
    """

    base: int
    age: np.ndarray
    place: np.ndarray
    forms: np.ndarray
    in_family: np.ndarray
    elsewhere: np.ndarray
    inside: np.ndarray
    registered: np.ndarray
    absent: np.ndarray
    absent_age: np.ndarray
    infant_share: np.ndarray
    old_share: np.ndarray
    married: np.ndarray
    family_age: np.ndarray
    collective: np.ndarray


def read(region: Region, base: int) -> Margins:
    """Margins of 2020 or 2010 from a region's tables."""
    a = assumed()

    def count(column: str) -> np.ndarray:
        return region.census(base, column).astype(np.int64)

    age = region.age_by_sex(base)
    seat = np.rint(count("urban_pop") * region.seat_share).astype(np.int64)
    place = np.stack([count("rural_pop"), count("urban_pop") - seat, seat], axis=1)
    forms = np.stack([count(f"hh_{g}_generation") for g in ("1", "2", "3", "4plus")], axis=1)
    alone = count("hh_1_person")
    forms = np.column_stack([alone, forms[:, 0] - alone, forms[:, 1:]])
    names = ("same_county", "other_county_in_gansu", "other_province")
    elsewhere = np.stack([count(f"hukou_elsewhere_{name}") for name in names], axis=1)
    registered = region.long("registered_pop_estimate", 2020).astype(np.int64) if base == 2020 else count("hukou_pop")
    own = count("resident_pop") - elsewhere[:, 1] - elsewhere[:, 2]
    inside = _inside_flows(region, registered, np.rint(a.own_prefecture_share * elsewhere[:, 1]), registered - own)
    absent = registered - own - inside.sum(axis=1)
    infants = region.long("age0_per_1000_women_15_49", base) * region.long("women_15_49", base) / 1000.0
    family_age, collective = _by_place(age, place, count("resident_pop") - count("pop_in_family_households"))
    old = region.long("households_with_65plus_share", base, missing=np.nan) / 100.0
    married = np.stack([region.long(f"marital_married_{sex}_15plus", base) for sex in ("male", "female")], axis=1) / 100
    return Margins(
        base=base,
        age=age,
        place=place,
        forms=forms,
        in_family=count("pop_in_family_households"),
        elsewhere=elsewhere,
        inside=inside,
        registered=registered,
        absent=absent,
        absent_age=_absent_ages(region, base, absent),
        infant_share=infants / age[:, 0].sum(axis=1),
        old_share=old,
        married=age[:, 3:].sum(axis=1) * married,
        family_age=family_age,
        collective=collective,
    )


def _inside_flows(region: Region, registered: np.ndarray, arrived: np.ndarray, room: np.ndarray) -> np.ndarray:
    """(C, C) people of each county living in each other county: a gravity table with the arrivals published.

    No origin is published, so it is the table nearest to gravity with the arrivals as column sums;
    a county sends no more than a share of its people who are not at home.
    """
    a, c_all = assumed(), region.n_counties
    minutes = region.seat_min[:, :c_all]
    seed = registered[:, None] / (a.gravity_offset_min + minutes) ** a.gravity_exponent
    np.fill_diagonal(seed, 0.0)
    table = seed * (arrived / seed.sum(axis=0))
    cap = a.elsewhere_most_share * np.maximum(room, 0)
    for _ in range(50):
        table *= np.minimum(1.0, cap / np.maximum(table.sum(axis=1), 1e-9))[:, None]
        if np.abs(table.sum(axis=0) - arrived).max() < 0.1:
            break
        table *= arrived / table.sum(axis=0)
    return np.stack([whole(table[:, d], int(arrived[d])) for d in range(c_all)], axis=1)


def survival_10yr(group: np.ndarray, sex: int) -> np.ndarray:
    """Share of a five-year age group alive ten years on (Gompertz hazard, assumed)."""
    a = assumed()
    level, slope = (a.old_hazard_women_rate_yr if sex else a.old_hazard_men_rate_yr), a.old_hazard_growth_yr
    start = 5.0 * group + 2.5
    return np.asarray(np.exp(-level / slope * (np.exp(slope * (start + 10)) - np.exp(slope * start))))


def _absent_ages(region: Region, base: int, absent: np.ndarray) -> np.ndarray:
    """(C, 18, 2) the absent by age and sex, in whole numbers that add up to `absent`.

    2020: residents of 2010 survived by ten years less the residents of 2020, in part by county and
    in part as in the prefecture, plus the absent of 2010 grown ten years older; below 15 an assumed
    share of the resident children, from an age on of the resident old. 2010: an assumed profile.
    """
    a = assumed()
    sexes = np.array([a.absent_male_2010_share, 1 - a.absent_male_2010_share])
    profile = a.absent_profile_2010_share[:, None] / a.absent_profile_2010_share.sum() * sexes
    if base == 2010:
        return np.stack([whole(profile, int(n)) for n in absent])
    before, now = region.age_by_sex(2010).astype(float), region.age_by_sex(2020).astype(float)
    earlier, old_group = a.absent_2010_ratio * before.sum(axis=(1, 2)), int(a.absent_old_from_yr) // 5
    found = np.zeros_like(now)
    for sex in range(2):
        alive = survival_10yr(np.arange(GROUPS), sex)
        old = before[:, :, sex] * alive
        away = earlier[:, None] * profile[:, sex] * alive
        lost = np.zeros_like(old)
        lost[:, 2:] = old[:, :-2] - now[:, 2:, sex]
        lost[:, -1] += old[:, -2:].sum(axis=1)
        mean = np.maximum(lost.sum(axis=0), 0) * (absent / absent.sum())[:, None]
        own = a.absent_own_county_weight
        found[:, :, sex] = own * np.maximum(lost, 0) + (1.0 - own) * mean
        found[:, 2:, sex] += away[:, :-2]
        found[:, old_group:, sex] = a.absent_old_ratio * now[:, old_group:, sex]
    found[:, :3] = 0
    found *= ((absent / absent.sum()) / (found.sum(axis=(1, 2)) / found.sum()))[:, None, None]
    children = now[:, :3] * np.array([a.absent_under_10_ratio] * 2 + [a.absent_10_14_ratio])[:, None]
    children *= (absent / absent.sum() / (children.sum(axis=(1, 2)) / children.sum()))[:, None, None]
    scale = (absent - children.sum(axis=(1, 2))) / found.sum(axis=(1, 2))
    found *= scale[:, None, None]
    found[:, :3] = children
    return np.stack([whole(found[c], int(absent[c])) for c in range(absent.size)])


def _by_place(age: np.ndarray, place: np.ndarray, outside_family: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(C, 3, 18, 2) residents in family households and outside them, by tier, age and sex."""
    a = assumed()
    families, others = [], []
    for c in range(age.shape[0]):
        town = a.urban_age_odds
        odds = np.stack([np.ones(GROUPS), town, town * (1 + a.urban_age_seat_gain * (town - 1))])
        seed = odds[:, :, None] * age[c] * place[c][:, None, None]
        fitted = proportional_fit(seed.reshape(3, -1), place[c].astype(float), age[c].ravel().astype(float))
        table = whole_table(fitted, place[c], age[c].ravel()).reshape(3, GROUPS, 2)
        shares = np.array([a.collective_village_share, 0.0, a.collective_seat_share])
        shares[Tier.TOWN] = 1 - shares.sum()
        urban = place[c, 1:] * np.array([a.collective_town_ratio, 1.0])
        shares[1:] = shares[1:].sum() * urban / urban.sum()
        sexes = np.array([a.collective_male_share, 1 - a.collective_male_share])
        profile = shares[:, None, None] * (a.collective_age_share / a.collective_age_share.sum())[:, None] * sexes
        wanted = profile * outside_family[c]
        for _ in range(20):  # no more than a share of a cell live outside families
            wanted = np.minimum(wanted, a.collective_most_share * table)
            wanted *= outside_family[c] / wanted.sum()
        single = np.minimum(whole(wanted, int(outside_family[c])), table)
        left = int(outside_family[c] - single.sum())
        for cell in np.argsort(-(table - single).ravel(), kind="stable"):  # a last few, where there is room
            if left == 0:
                break
            single.reshape(-1)[cell] += 1
            left -= 1
        others.append(single)
        families.append(table - single)
    return np.stack(families), np.stack(others)
