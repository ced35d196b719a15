"""The world: the only mutable object. Phases read inputs and write its columns.

Counts (people, dwellings, jobs, school places) are kept in sample units: one row is one unit and
stands for ``weight`` people or dwellings. Capacities are given at full scale and brought to sample
units by ``units`` (a remainder below one weight stays empty). Money of households is theirs;
public accounts are per household or person and multiplied by the weight where they are reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from migrasim.core.chance import Decision, draw, evenly, stream, unit
from migrasim.core.codes import N_FORMS, N_OUTSIDE, N_SECTORS, N_TENURES, N_TIERS, Outside, Sector, Tier
from migrasim.core.columns import Runs, Table
from migrasim.core.rule import blocks_of, empty, kernel, members_of, rows_of, threaded_kernel, zeros

if TYPE_CHECKING:
    from migrasim.inputs import Inputs


@dataclass(frozen=True)
class Geography:
    """Numbers of places and communities of a region, and who lies where.

    ``travel_min`` is (places, places); ``community_travel_min`` is (communities, places), from a
    village to every place by its own town and seat.
    """

    counties: int
    villages: int
    core_county: int
    community_county: np.ndarray
    travel_min: np.ndarray
    community_travel_min: np.ndarray

    @property
    def inside(self) -> int:
        """Number of places inside; also the number of the near outside."""
        return N_TIERS * self.counties

    @property
    def places(self) -> int:
        return self.inside + N_OUTSIDE

    @property
    def near(self) -> int:
        return self.inside + Outside.NEAR

    @property
    def far(self) -> int:
        return self.inside + Outside.FAR

    @property
    def core(self) -> int:
        """The core city: the seat of the core county."""
        return N_TIERS * self.core_county + Tier.SEAT

    @property
    def communities(self) -> int:
        return self.villages + 2 * self.counties + N_OUTSIDE

    @cached_property
    def urban(self) -> np.ndarray:
        """(places,) True for the towns and seats inside."""
        place = np.arange(self.places)
        return np.asarray((place < self.inside) & (place % N_TIERS != Tier.VILLAGE))


@dataclass
class Flows:
    """What happened to people within a year, in persons (rows) by place.

    ``moves`` (places, places, forms) counts persons; ``household_moves`` households.
    """

    births: np.ndarray
    deaths: np.ndarray
    arrivals: np.ndarray  # strangers who came in from outside the registered population
    departures: np.ndarray  # strangers who live outside again and left the world
    reclassified: np.ndarray  # persons by seat, who became its residents without moving
    relocated: np.ndarray  # net change of residents by relocation out of danger zones
    moves: np.ndarray
    household_moves: np.ndarray

    @classmethod
    def zero(cls, places: int) -> Flows:
        counts = [np.zeros(places, np.int64) for _ in range(6)]
        return cls(*counts, *(np.zeros((places, places, N_FORMS), np.int64) for _ in range(2)))

    @classmethod
    def stacked(cls, several: Sequence[Flows], places: int) -> Flows:
        """Flows of several years, or of none, in arrays whose first axis is the year."""
        empty = cls.zero(places)
        shapes = {one.name: getattr(empty, one.name).shape for one in fields(cls)}
        return cls(
            **{
                name: np.array([getattr(each, name) for each in several], np.int64).reshape(-1, *shape)
                for name, shape in shapes.items()
            }
        )


@dataclass
class Livelihood:
    """What people and households earn as the year begins, in yuan of 2020 a year.

    ``earning_factor`` (persons) multiplies a place's wage for a newcomer; 0 for who does not work.
    ``income_yuan`` (persons) is earned by work now, farming apart. ``farm_full_yuan`` and
    ``farmers_needed`` (households) are the income of all the land and the farmers it asks for;
    ``other_income_yuan`` transfers and property; ``dividend_yuan`` from the village collective.
    """

    earning_factor: np.ndarray
    income_yuan: np.ndarray
    farm_full_yuan: np.ndarray
    farmers_needed: np.ndarray
    other_income_yuan: np.ndarray
    dividend_yuan: np.ndarray


@dataclass
class World:
    """All state of a run.

    ``place`` holds one row a place (wages, rents, capacities), ``county`` one a county;
    ``stock`` is (places, tenures) dwellings at full scale, ``dwellings`` the same in sample units,
    ``occupied`` those lived in; ``jobs`` is (places, sectors + chains) at full scale and ``filled``
    those taken, in sample units; ``network`` is (communities, places): of the registered people of
    a community, how many live where. ``levers`` holds this year's value of every lever by county,
    ``last_levers`` last year's, ``measures`` what phases counted this year, ``memory`` what they
    carry to the next, ``ledger`` this year's payments by (item, payer, payee).
    """

    seed: int
    base: int
    year: int
    weight: float
    inputs: Inputs
    geography: Geography
    persons: Table
    households: Table
    villages: Table
    place: Table
    county: Table
    stock: np.ndarray
    dwellings: np.ndarray
    occupied: np.ndarray
    jobs: np.ndarray
    filled: np.ndarray
    network: np.ndarray
    flows: Flows
    livelihood: Livelihood
    first_member: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    members: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    village_pool_mu: np.ndarray = field(default_factory=lambda: np.zeros(0))
    estates_yuan: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    levers: dict[str, np.ndarray] = field(default_factory=dict)
    last_levers: dict[str, np.ndarray] = field(default_factory=dict)
    measures: dict[str, np.ndarray] = field(default_factory=dict)
    memory: dict[str, np.ndarray] = field(default_factory=dict)
    ledger: dict[tuple[str, int, int], np.ndarray] = field(default_factory=dict)

    def units(self, full_scale: np.ndarray, of: Decision) -> np.ndarray:
        """Full-scale capacities, of which there are whole ones only, in sample units: whole rows.

        What is left over a whole row is one in as many cells as make up its sum, by luck that stays all run; so
        a capacity that grows never shrinks, and small ones are as large in a sample, taken together, as with
        everybody, where this changes nothing. ``of`` names what is counted, for luck of its own.
        """
        luck = np.uint64(draw(np.uint64(stream(np.uint64(self.seed), int(Decision.ROUND), 0)), int(of), 0))
        rows = np.empty(full_scale.shape, np.int64)
        _fill_rows(full_scale.ravel(), self.weight, luck, rows.ravel())
        return rows

    def above(self, lever: str) -> np.ndarray:
        """(counties,) this year's value of a lever over its value of 2020, which the base year contains already."""
        return np.asarray(self.levers[lever] - self.inputs.status_quo(lever), np.float64)

    def built(self, lever: str) -> np.ndarray:
        """(counties,) units of a yearly programme that are built: above its value of 2020 as far as last year paid."""
        return np.asarray(self.levers[lever] - np.maximum(0.0, self.above(lever)) * self.county.unpaid_share)

    def pay(self, item: str, payer: int, payee: int, yuan: np.ndarray) -> None:
        """Enter a payment of this year into the public accounts: (counties,) whole yuan at full scale."""
        amount = yuan if yuan.dtype == np.int64 else np.asarray(np.rint(yuan), np.int64)
        key = (item, int(payer), int(payee))
        self.ledger[key] = self.ledger[key] + amount if key in self.ledger else amount

    def reindex(self) -> None:
        """Bring persons into the order of their households and find each household's members."""
        self.first_member, self.members, order = _index(self.persons.household, len(self.households))
        if order.size:
            self.persons.take(order)

    def take_persons(self, rows: Runs, members: np.ndarray, added: Mapping[str, np.ndarray] | None = None) -> None:
        """Keep persons, and those added, in the order of their households, of which each has so many ``members``."""
        self.members, self.first_member = members, _first_rows(members)
        household = np.empty(len(rows), np.int32)
        _fill_household(len(members), self.first_member, members, household)
        self.persons.take(rows, added, {"household": household})

    def living_at(self, rows: np.ndarray) -> np.ndarray:
        """(rows,) int8 place where each of these persons lives."""
        persons, homes = self.persons, self.households
        lives: np.ndarray = _living_at(rows, persons.household, persons.is_away, homes.place, homes.away_place)
        return lives

    def person_place(self) -> np.ndarray:
        """(persons,) int8 place where each person lives."""
        return self.living_at(np.arange(len(self.persons)))

    def residents(self) -> np.ndarray:
        """(places,) persons living in each place, in sample units, by the networks that are kept up to date."""
        counted: np.ndarray = _sum_of_rows(self.network)
        return counted

    def count_network(self) -> None:
        """Count anew where the registered people of each community live."""
        self.network[:] = self.networks()

    def networks(self) -> np.ndarray:
        """(communities, places) int32 persons by home community and place of living, counted from the columns."""
        return self.people_and_jobs()[0]

    def count_filled(self) -> np.ndarray:
        """(places, job kinds) jobs taken, counted anew from the columns."""
        return self.people_and_jobs()[1]

    def people_and_jobs(self) -> tuple[np.ndarray, np.ndarray]:
        """What `networks` and `count_filled` give, in one pass over the persons."""
        persons, households = self.persons, self.households
        blocks, (places, kinds) = blocks_of(len(persons)), self.jobs.shape
        network = np.zeros((blocks, *self.network.shape), np.int32)
        workers = np.zeros((blocks, places, kinds - N_SECTORS + 1, N_SECTORS), np.int32)
        count_people_and_jobs(
            len(persons),
            persons.household,
            persons.is_away,
            households.place,
            households.away_place,
            households.community,
            persons.sector,
            persons.chain,
            network,
            workers,
        )
        worked = workers.sum(axis=0, dtype=np.int64)
        worked[:, :, Sector.NONE] = 0
        filled = np.concatenate([worked[:, 0], worked[:, 1:].sum(axis=2)], axis=1)  # whatever the sector of a chain
        return network[0] if blocks == 1 else network.sum(axis=0, dtype=np.int32), filled

    def count_occupied(self) -> np.ndarray:
        """(places, tenures) parts of households by dwelling, counted anew from the columns."""
        households = self.households
        counts = np.zeros((blocks_of(len(households)), self.geography.places, N_TENURES), np.int64)
        count_occupied(
            len(households),
            households.place,
            households.tenure,
            households.away_place,
            households.away_tenure,
            counts,
        )
        return np.asarray(counts.sum(axis=0))


@kernel
def _living_at(rows, household, is_away, place, away_place):
    lives = empty(rows.shape[0], np.int8)
    for n in range(rows.shape[0]):
        h = household[rows[n]]
        here, there = place[h], away_place[h]  # both, so that nothing is to be guessed
        lives[n] = there if is_away[rows[n]] else here
    return lives


@kernel
def _fill_rows(full_scale, weight, luck, rows):
    for cell in range(rows.shape[0]):
        whole = np.floor(full_scale[cell] + 1e-9)
        rows[cell] = np.int64(np.floor(whole / weight + unit(evenly(luck, cell))))


@kernel
def _sum_of_rows(counts):
    """(columns,) int64 sums over the rows: NumPy begins anew with every row."""
    total = zeros(counts.shape[1], np.int64)
    for row in range(counts.shape[0]):
        for column in range(counts.shape[1]):
            total[column] += counts[row, column]
    return total


@kernel
def _index(household, rows):
    members = zeros(rows, np.int32)
    for i in range(household.shape[0]):
        members[household[i]] += 1
    first = zeros(rows, np.int32)
    total = 0
    for h in range(rows):
        first[h] = total
        total += members[h]
    ordered = True
    for i in range(1, household.shape[0]):
        if household[i] < household[i - 1]:
            ordered = False
            break
    if ordered:
        return first, members, zeros(0, np.int32)
    cursor = first.copy()
    order = empty(household.shape[0], np.int32)
    for i in range(household.shape[0]):
        order[cursor[household[i]]] = i
        cursor[household[i]] += 1
    return first, members, order


@kernel
def _first_rows(members):
    """(households,) int32 first row of each household's persons."""
    first = empty(members.shape[0], np.int32)
    total = np.int32(0)
    for h in range(members.shape[0]):
        first[h] = total
        total += members[h]
    return first


_FEW = 8


@threaded_kernel
def _fill_household(block, first, members, household):
    """Write into ``household`` (persons,) the row of each one's household.

    Most have few members: `_FEW` are written at once, and what is too much is written anew by the next. At the end of a
    block, beyond which another one writes, and in large households members are counted.
    """
    if block[0] == block[1]:
        return
    end = first[block[1] - 1] + members[block[1] - 1]
    for h in rows_of(block):
        row, start = np.int32(h), np.uint32(first[h])
        if members[h] <= _FEW and start + _FEW <= end:
            for n in range(_FEW):
                household[start + n] = row
        else:
            for n in members_of(first, members, h):
                household[n] = row


@threaded_kernel
def count_people_and_jobs(
    block, household, is_away, place, away_place, community, sector, chain, network_of, workers_of
):  # fmt: skip
    """Count persons by home community and place of living, and by place of living, chain and sector.

    ``network_of`` is (blocks, communities, places) and ``workers_of`` (blocks, places, chains and none, sectors).
    """
    network, workers = network_of[block[2]], workers_of[block[2]]
    last = np.uint8(network.shape[1] - 1)
    for i in rows_of(block):
        # numbers without a sign: an array is not asked for rows counted from its end
        h = np.uint32(household[i])
        here = min(np.uint8(away_place[h] if is_away[i] else place[h]), last)  # nowhere breaks a law, not the memory
        network[np.uint16(community[h]), here] += 1
        workers[here, chain[i], sector[i]] += 1


@threaded_kernel
def count_occupied(block, place, tenure, away_place, away_tenure, count_of):
    """Count parts of households in ``count_of`` (blocks, places, tenures)."""
    count = count_of[block[2]]
    for h in rows_of(block):
        count[place[h], tenure[h]] += 1
        if away_place[h] >= 0:
            count[away_place[h], away_tenure[h]] += 1


PLACE_COLUMNS = (
    "wage_newcomer_yuan_yr",  # expected wage of a newcomer of skill factor 1
    "work_chance_share",  # chance of a newcomer to find work
    "rent_yuan_yr",  # market rent of a family's dwelling
    "price_yuan",  # price of a family's dwelling
    "rent_relief_yuan_yr",  # expected public relief of a newcomer's rent
    "tenant_relief_yuan_yr",  # money subsidy that a tenant on the market gets, on average
    "public_rent_yuan_yr",  # rent of a family in public rental
    "affordable_rent_yuan_yr",  # rent of a family in affordable rental
    "living_cost_yuan_yr_pers",  # cost of living over a village's
    "school_quality_share",  # quality of schools after crowding, for the registered
    "school_own_share",  # of it, what those reach who are registered elsewhere in the county
    "school_access_share",  # of it, what newcomers from beyond the county reach
    "health_quality_share",
    "health_access_share",
    "security_access_share",  # minimum living allowance and elderly care open to newcomers
    "amenity_utility",
    "barrier_share",  # what is left of the barrier of registration
    "school_places",  # compulsory schooling, full scale
    "health_beds",  # full scale
    "newcomer_pay_share",  # pay of newcomers over pay of local workers
)

COUNTY_COLUMNS = (
    "farm_income_yuan_yr_mu",  # net income of cultivated land
    "land_rent_yuan_yr_mu",  # rent of lent land, where it is paid
    "land_kept_share",  # security with which a leaver keeps contracted land
    "collective_kept_share",
    "dividend_yuan_yr_pers",  # of the village collective
    "exit_income_yuan_yr_mu",  # annuity a leaver may expect from selling land, per mu
    "school_gate_share",  # newcomers from beyond the county whose claim to a school place counts
    "school_gate_own_share",  # families registered elsewhere in the county whose claim counts
    "urban_residents_base",
    "budget_yuan",
    "unpaid_share",  # of last year's public outlay on levers, what could not be paid
)


def job_kinds(chains: int) -> int:
    """Number of kinds of job: the sectors net of chains (0 unused), then the chains."""
    return N_SECTORS + chains
