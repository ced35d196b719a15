"""What households have left to live on, and the groups by which it is told who gains and who loses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from migrasim.core.codes import N_TENURES
from migrasim.core.rule import blocks_of, kernel, record, rows_of, threaded_kernel, zeros
from migrasim.domains.moving.offers import renew
from migrasim.domains.moving.rules import MovingParams
from migrasim.domains.moving.terms import AT, rent_of
from migrasim.survey import STUDIES_ALONE, Survey, survey
from migrasim.world import World

STUDENTS = "students by themselves"
QUINTILES = ("poorest fifth", "second fifth", "middle fifth", "fourth fifth", "richest fifth")
SCHOOLINGS = ("primary or none", "junior", "senior", "college and more")
AGES = ("under 35", "35 to 49", "50 to 59", "60 and more")
OUTSIDE = "registered outside"
# of a household one word holds who lives in towns and seats, in its low bits, and outside
_COUNTED = 7  # of a group
_FIFTHS = len(QUINTILES)  # the group after them: students who live by themselves
_OUTSIDE_BITS, _TOWNS = 16, (1 << 16) - 1


@threaded_kernel
def _fill_welfare(
    block, incomes, members, away, place, away_place, tenure, away_tenure, living_yuan, rents, equivalent, welfare
):  # fmt: skip
    for h in rows_of(block):
        here, gone = np.uint8(place[h]), np.uint64(away[h])
        at_home = np.uint64(members[h]) - gone
        left = np.float64(incomes[h, 0] + incomes[h, 1])
        left -= rents[here, tenure[h], at_home]
        left -= living_yuan[here] * at_home
        if gone > 0:
            there = np.uint8(away_place[h])
            left -= rents[there, away_tenure[h], gone]
            left -= living_yuan[there] * gone
        welfare[h] = left / equivalent[members[h]] if members[h] > 0 else 0.0


@kernel
def _rents(most, at, p):
    """(places, tenures, most + 1) what a part of a household of so many pays; nobody pays nothing."""
    rents = zeros((at.shape[0], N_TENURES, most + 1), np.float64)
    for place in range(at.shape[0]):
        for tenure in range(N_TENURES):
            for persons in range(1, most + 1):
                rents[place, tenure, persons] = rent_of(place >= at.shape[0] - 2, at[place], tenure, persons, p[0])
    return rents


@kernel
def _equivalents(most, p):
    """(most + 1,) equivalent members of households of so many."""
    equivalent = np.empty(most + 1)
    for members in range(most + 1):
        equivalent[members] = members ** p[0].equivalence_exponent
    return equivalent


def welfare_yuan_yr(world: World, incomes: np.ndarray, found: Survey | None = None) -> np.ndarray:
    """(households,) income after rent net of relief and cost of living, per equivalent member.

    Parameters
    ----------
    incomes : (households, 2) int64 income of the year in yuan of 2020, of the main part and of those away
    found : the survey of this very world, taken where it is not given
    """
    households = world.households
    welfare = np.empty(len(households))
    moving = world.inputs.params("moving", MovingParams, year=world.year)
    at, p = np.zeros(world.geography.places, AT), record(moving)
    renew(world, moving, at)
    most = int(world.members.max(initial=0))
    _fill_welfare(
        len(households),
        incomes,
        world.members,
        (found or survey(world, incomes)).away,
        households.place,
        households.away_place,
        households.tenure,
        households.away_tenure,
        np.ascontiguousarray(at["living_yuan"]),
        _rents(most, at, p),
        _equivalents(most, p),
        welfare,
    )
    return welfare


_BINS = 4096


@threaded_kernel
def _fill_bins(block, values, low, scale, bins, counts_of):
    """Fill ``bins`` with the bin of each of ``values``, which no lower value is above; count them by block."""
    counts = counts_of[block[2]]
    for n in rows_of(block):
        found = np.uint16(min(max((values[n] - low) * scale, 0.0), _BINS - 1.0))
        bins[n] = found
        counts[found] += 1


def _quantiles(values: np.ndarray, parts: int) -> np.ndarray:
    """(parts - 1,) what divides ``values`` into equal parts: those of `np.quantile`.

    Bins, which a few of the values lay out, stand in the order of what they hold: only the bins in which a quantile
    lies are sorted.
    """
    rows = len(values)
    place = np.arange(1, parts) / parts * (rows - 1)
    below = place.astype(np.int64)
    ranks = np.stack([below, np.minimum(below + 1, rows - 1)])
    (left, right), share = _at_ranks(values, ranks), place - below
    # from the nearer side, as NumPy does it
    return np.asarray(np.where(share < 0.5, left + (right - left) * share, right - (right - left) * (1.0 - share)))


def _at_ranks(values: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """What stands at the ``ranks`` (of any shape) of the sorted ``values``, of which there are many."""
    rows = len(values)
    some = np.sort(values[:: 1 + rows // _BINS])
    if len(some) == rows:
        return np.asarray(some[ranks])
    low, high = some[len(some) // 10], some[len(some) - 1 - len(some) // 10]
    bins, counts = np.empty(rows, np.uint16), np.zeros((blocks_of(rows), _BINS), np.int64)
    _fill_bins(rows, values, low, _BINS / max(high - low, 1.0), bins, counts)
    up_to = np.cumsum(counts.sum(axis=0))
    found = np.empty(ranks.shape)
    bin_of = np.searchsorted(up_to, ranks, side="right").astype(bins.dtype)
    for one in np.unique(bin_of):
        inside = np.sort(values[bins == one])
        here = bin_of == one
        found[here] = inside[ranks[here] - up_to[one] + len(inside)]
    return found


@dataclass(frozen=True)
class Groups:
    """Groups of households by dimension; the fifths of income are those of the world they were made with.

    Students who live by themselves are in no fifth and in no mean of welfare: their families pay for them, which
    is not followed, and surveys of incomes count them with their families (students away whom a household pays for
    are its members: scheme of the household survey of the National Bureau of Statistics of China).

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
    def of(cls, world: World, welfare: np.ndarray, found: Survey | None = None) -> Groups:
        """Groups with the fifths of a world, in its base year; ``found`` is its survey, taken where it is not given."""
        names = {
            "income": (*QUINTILES, STUDENTS),
            "schooling": SCHOOLINGS,
            "age": AGES,
            "county": (*world.inputs.county_names, OUTSIDE),
        }
        in_fifth = (found or _survey(world)).traits < STUDIES_ALONE
        return cls(_quantiles(welfare[in_fifth], len(QUINTILES)), names)

    def codes(self, world: World, welfare: np.ndarray) -> np.ndarray:
        """(households, dimensions) int8 number of each household's group, in the order of ``names``.

        Schooling is that of the most schooled member; age that of the oldest of working age, or of the
        oldest where nobody is; the county is that of the registered address.
        """
        alone, traits = np.divmod(_survey(world).traits, STUDIES_ALONE)
        codes = np.empty((len(traits), len(self.names)), np.int8)
        codes[:, 0] = np.where(alone, len(QUINTILES), np.searchsorted(self.cuts_yuan, welfare, side="right"))
        codes[:, 1], codes[:, 2] = traits // len(AGES), traits % len(AGES)
        codes[:, 3] = _county_groups(world)[world.households.community]
        return codes


def _survey(world: World) -> Survey:
    """The survey of a world, of which incomes are not asked for."""
    return survey(world, np.zeros((len(world.households), 2), np.int64))


def _county_groups(world: World) -> np.ndarray:
    """(communities,) uint8 group of the households that are registered there: the county, or the last one outside."""
    county = world.geography.community_county
    return np.where(county >= 0, county, world.geography.counties).astype(np.uint8)


@threaded_kernel
def _fill_tally(
    block, members, away, moved, place, away_place, community, traits, welfare, county_of, cuts, where, counts_of,
):  # fmt: skip
    counts = counts_of[block[2]]
    for h in rows_of(block):
        fifth = np.uint8(0)
        for cut in cuts:
            fifth += np.uint8(welfare[h] >= cut)
        county, trait, gone = county_of[np.uint16(community[h])], traits[h], np.int64(away[h])
        alone = trait >= STUDIES_ALONE
        if alone:
            fifth, trait = np.uint8(_FIFTHS), trait - np.uint8(STUDIES_ALONE)
        living = (members[h] - gone) * where[np.uint8(place[h])]
        if gone > 0:
            living += gone * where[np.uint8(away_place[h])]
        cell = counts[county, fifth, trait]
        cell[0] += 1
        cell[1] += members[h]
        cell[2] += living & _TOWNS
        cell[3] += living >> _OUTSIDE_BITS
        cell[4] += moved[h]
        if not alone:
            cell[5] += np.int64(np.rint(welfare[h]))
            cell[6] += 1


def tally(world: World, found: Survey, welfare: np.ndarray, groups: Groups) -> np.ndarray:
    """Households and persons by group, in whole numbers so that no order of rows matters.

    Parameters
    ----------
    found : the survey of this very end of the year
    welfare : (households,) of `welfare_yuan_yr`
    groups : whose cuts divide the fifths of income

    Returns
    -------
    (groups of all dimensions one after the other, 7) int64 households, persons, persons in towns and seats, outside,
    moved within the year, in sample units, yuan of welfare summed over households but students who live by themselves,
    and the number of these households
    """
    households, rows = world.households, len(world.households)
    shape = (world.geography.counties + 1, len(QUINTILES) + 1, len(SCHOOLINGS) * len(AGES), _COUNTED)
    counts = np.zeros((blocks_of(rows), *shape), np.int64)
    where = world.geography.urban.astype(np.int64)
    where[world.geography.inside :] = 1 << _OUTSIDE_BITS
    _fill_tally(
        rows,
        world.members,
        found.away,
        found.moved,
        households.place,
        households.away_place,
        households.community,
        found.traits,
        welfare,
        _county_groups(world),
        tuple(groups.cuts_yuan),
        where,
        counts,
    )
    # a household is counted once, by all its groups at a time: those of a dimension are sums over the others
    cells = counts.sum(axis=0)
    by_traits = cells.sum(axis=0)
    by_schooling_and_age = by_traits.sum(axis=0).reshape(len(SCHOOLINGS), len(AGES), _COUNTED)
    income, county = by_traits.sum(axis=1), cells.sum(axis=(1, 2))
    return np.concatenate([income, by_schooling_and_age.sum(axis=1), by_schooling_and_age.sum(axis=0), county])
