"""What households have left to live on, and the groups by which it is told who gains and who loses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from migrasim.core.codes import N_TIERS, Schooling, Tier
from migrasim.core.rule import blocks_of, kernel, rows_of, threaded_kernel
from migrasim.domains.moving import household
from migrasim.domains.moving.offers import record, views
from migrasim.domains.moving.rules import MovingParams
from migrasim.domains.moving.terms import rent_of
from migrasim.world import World

QUINTILES = ("poorest fifth", "second fifth", "middle fifth", "fourth fifth", "richest fifth")
SCHOOLINGS = ("primary or none", "junior", "senior", "college and more")
AGES = ("under 35", "35 to 49", "50 to 59", "60 and more")
OUTSIDE = "registered outside"
_AGE_STEPS = (35, 50, 60)
_SCHOOLING_STEPS = (int(Schooling.JUNIOR), int(Schooling.SENIOR), int(Schooling.COLLEGE))


@threaded_kernel
def _fill_welfare(block, incomes, people, families, places, equivalent, p, welfare):
    inside = places.distance.shape[0] - 2
    for h in rows_of(block):
        first, members = families.first_member[h], families.members[h]
        gone = 0
        place, away_place = families.place[h], families.away_place[h]
        for i in range(first, first + (members if away_place >= 0 else 0)):
            gone += people.is_away[i]
        left = np.float64(incomes[h, 0] + incomes[h, 1])
        if members > gone:
            here = places.at[place]
            left -= rent_of(place >= inside, here, families.tenure[h], members - gone, p[0])
            left -= here.living_yuan * (members - gone)
        if gone > 0:
            there = places.at[away_place]
            left -= rent_of(away_place >= inside, there, families.away_tenure[h], gone, p[0])
            left -= there.living_yuan * gone
        welfare[h] = left / equivalent[members] if members > 0 else 0.0


@kernel
def _equivalents(most, p):
    """(most + 1,) equivalent members of households of so many."""
    equivalent = np.empty(most + 1)
    for members in range(most + 1):
        equivalent[members] = members ** p[0].equivalence_exponent
    return equivalent


@threaded_kernel
def _fill_codes(
    block, first_member, members, birth_year, schooling, community, community_county, counties, year, welfare, cuts,
    codes,
):  # fmt: skip
    for h in rows_of(block):
        most, working, oldest = 0, -1, 0
        for i in range(first_member[h], first_member[h] + members[h]):
            years = year - birth_year[i]
            most = max(most, schooling[i])
            oldest = max(oldest, years)
            if household.WORKING_AGE <= years < household.RETIRING_AGE:
                working = max(working, years)
        age = working if working >= 0 else oldest
        county = community_county[community[h]]
        codes[h, :] = 0
        for cut in cuts:
            codes[h, 0] += welfare[h] >= cut
        for step in _SCHOOLING_STEPS:
            codes[h, 1] += most >= step
        for step in _AGE_STEPS:
            codes[h, 2] += age >= step
        codes[h, 3] = county if county >= 0 else counties


def welfare_yuan_yr(world: World, incomes: np.ndarray) -> np.ndarray:
    """(households,) income after rent net of relief and cost of living, per equivalent member.

    Parameters
    ----------
    incomes : (households, 2) int64 income of the year in yuan of 2020, of the main part and of those away
    """
    people, families, places = views(world)
    welfare = np.empty(len(world.households))
    p = record(world.inputs.params("moving", MovingParams, year=world.year))
    equivalent = _equivalents(int(world.members.max(initial=0)), p)
    _fill_welfare(len(welfare), incomes, people, families, places, equivalent, p, welfare)
    return welfare


def _quantiles(values: np.ndarray, parts: int) -> np.ndarray:
    """(parts - 1,) what divides ``values`` into equal parts: those of `np.quantile`, of what lies beside each only.

    Sorting all at once takes a third of the time of putting those few in their place.
    """
    ordered, last = np.sort(values), len(values) - 1
    shares = [k / parts for k in range(1, parts)]
    low = [int(last * share) for share in shares]
    found = [np.quantile(ordered[k : k + 2], last * share - k) for k, share in zip(low, shares, strict=True)]
    return np.array(found)


@dataclass(frozen=True)
class Groups:
    """Groups of households by dimension; the fifths of income are those of the world they were made with.

    Attributes
    ----------
    cuts_yuan
        Welfare that divides the fifths.
    names
        Names of the groups by dimension.
    """

    cuts_yuan: np.ndarray
    names: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, world: World, welfare: np.ndarray) -> Groups:
        """Groups with the fifths of a world, in its base year."""
        names = {
            "income": QUINTILES,
            "schooling": SCHOOLINGS,
            "age": AGES,
            "county": (*world.inputs.county_names, OUTSIDE),
        }
        return cls(_quantiles(welfare, len(QUINTILES)), names)

    def codes(self, world: World, welfare: np.ndarray) -> np.ndarray:
        """(households, dimensions) int8 number of each household's group, in the order of ``names``.

        Schooling is that of the most schooled member; age that of the oldest of working age, or of the
        oldest where nobody is; the county is that of the registered address.
        """
        codes = np.empty((len(world.households), len(self.names)), np.int8)
        _fill_codes(
            len(codes),
            world.first_member,
            world.members,
            world.persons.birth_year,
            world.persons.schooling,
            world.households.community,
            world.geography.community_county,
            world.geography.counties,
            world.year,
            welfare,
            self.cuts_yuan,
            codes,
        )
        return codes


@threaded_kernel
def _fill_tally(
    block, first_member, members, is_away, since_year, place, away_place, codes, welfare, inside, year, counts_of,
    yuan_of,
):  # fmt: skip
    counts, yuan = counts_of[block[2]], yuan_of[block[2]]
    for h in rows_of(block):
        away, moved, urban, absent = 0, 0, 0, 0
        for i in range(first_member[h], first_member[h] + members[h]):
            away += is_away[i] != 0
            moved += since_year[i] == year
        for here, persons in ((place[h], members[h] - away), (away_place[h], away)):
            absent += persons if here >= inside else 0
            urban += persons if here < inside and here % N_TIERS != Tier.VILLAGE else 0
        for k in range(codes.shape[1]):
            group = codes[h, k]
            counts[k, group, 0] += 1
            counts[k, group, 1] += members[h]
            counts[k, group, 2] += urban
            counts[k, group, 3] += absent
            counts[k, group, 4] += moved
            yuan[k, group] += np.int64(np.rint(welfare[h]))


def tally(world: World, welfare: np.ndarray, groups: Groups) -> tuple[np.ndarray, np.ndarray]:
    """Households and persons by group, in whole numbers so that no order of rows matters.

    Parameters
    ----------
    welfare : (households,) of `welfare_yuan_yr`
    groups : whose cuts divide the fifths of income

    Returns
    -------
    (dimensions, groups, 5) int64 households, persons, persons in towns and seats, outside, moved within the year,
    in sample units; (dimensions, groups) int64 yuan of welfare summed over households
    """
    most = max(len(names) for names in groups.names.values())
    counts = np.zeros((blocks_of(len(world.households)), len(groups.names), most, 5), np.int64)
    yuan = np.zeros((blocks_of(len(world.households)), len(groups.names), most), np.int64)
    _fill_tally(
        len(world.households),
        world.first_member,
        world.members,
        world.persons.is_away,
        world.persons.since_year,
        world.households.place,
        world.households.away_place,
        groups.codes(world, welfare),
        welfare,
        world.geography.inside,
        world.year,
        counts,
        yuan,
    )
    return counts.sum(axis=0), yuan.sum(axis=0)
