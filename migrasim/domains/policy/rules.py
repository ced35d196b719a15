"""Rules of what policy does without anybody's choice: villages that become part of a seat."""

from __future__ import annotations

from typing import NamedTuple

from migrasim.core.rule import rule


class PolicyParams(NamedTuple):
    """Facts of this domain, by the names they have in its facts."""

    reclassified_persons_yr: float
    reclassified_persons_2010s_yr: float
    relocated_households_yr: float
    relocation_first_year: float
    relocated_to_town_share: float
    relocated_to_seat_share: float
    relocation_grant_yuan: float


@rule
def reclassified_by(base, year, persons_2010s_yr, persons_yr, county_share):
    """Persons of a county who have become townspeople without moving, from the base year of a run until ``year``.

    The towns of the 2010s grew faster than those of later years, and so did what they took in.
    """
    earlier = max(0, min(year, 2020) - base)
    return (persons_2010s_yr * earlier + persons_yr * (year - base - earlier)) * county_share


@rule
def over(value, base):
    """A share over its status quo; 1 where that is 0."""
    return max(0.0, value) / base if base > 0.0 else 1.0


@rule
def relocated_to_towns(households_yr, town_share, county_share):
    """Families of a county who are moved out of danger zones to a town or seat within the year."""
    return households_yr * town_share * county_share
