"""The order of a year, in one place: ``SCHEDULE`` is printed by ``migrasim schedule`` and run by ``Simulation``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from migrasim import checks, detail, indicators
from migrasim.core.codes import N_TENURES, N_TIERS
from migrasim.core.columns import Table
from migrasim.core.errors import InputError
from migrasim.core.rule import set_threads
from migrasim.domains.demography import phase as demography
from migrasim.domains.fiscal import phase as fiscal
from migrasim.domains.housing import phase as housing
from migrasim.domains.hukou import phase as hukou
from migrasim.domains.labour import incomes as earnings
from migrasim.domains.labour import market, placement
from migrasim.domains.labour import phase as labour
from migrasim.domains.land import phase as land
from migrasim.domains.moving import household, offers
from migrasim.domains.moving import phase as moving
from migrasim.domains.policy import phase as policy
from migrasim.domains.services import phase as services
from migrasim.facts import BASE_YEAR
from migrasim.survey import MOST_MEMBERS, Survey, survey
from migrasim.welfare import Groups, welfare_yuan_yr
from migrasim.world import COUNTY_COLUMNS, PLACE_COLUMNS, Flows, Geography, Livelihood, World, job_kinds

if TYPE_CHECKING:
    from migrasim.inputs import Inputs
    from migrasim.population import Population
    from migrasim.region import Region


class Phase(NamedTuple):
    """One phase of the year: its name, the module that does it, and what it does in a sentence."""

    name: str
    module: str
    sentence: str


SCHEDULE: tuple[Phase, ...] = (
    Phase(
        "policy", "migrasim.domains.policy", "read this year's levers; villages that become part of a seat; relocation"
    ),
    Phase(
        "demography", "migrasim.domains.demography", "deaths, births, schooling, marriages, new households, arrivals"
    ),
    Phase("labour", "migrasim.domains.labour", "jobs by sector and chain, wages, farm incomes"),
    Phase("housing", "migrasim.domains.housing", "dwellings completed, the queue for public rental served, rents"),
    Phase("services", "migrasim.domains.services", "school places and health capacity completed, crowding"),
    Phase("moving", "migrasim.domains.moving", "twelve waves of consider, choose, be matched or refused, update"),
    Phase("matching", "migrasim.domains.labour", "seekers meet vacancies; training"),
    Phase("hukou", "migrasim.domains.hukou", "residence permits, transfer of registration, three rights at transfer"),
    Phase("land", "migrasim.domains.land", "voluntary exit, land of the absent"),
    Phase("fiscal", "migrasim.domains.fiscal", "incomes and savings, public accounts of every county"),
    Phase("measure", "migrasim.indicators", "indicators of the year and the decomposition of the rate"),
    Phase("check", "migrasim.checks", "laws: people, dwellings, jobs, land and money"),
)

OnPhase = Callable[[int, str, int, int], None]


@dataclass
class YearRecord:
    """What a year leaves behind: sums of indicators by place, flows, and residents at its two ends."""

    year: int
    sums: dict[str, np.ndarray]
    flows: Flows | None
    before: np.ndarray
    after: np.ndarray
    detail: dict[str, detail.Columns]


@dataclass
class Simulation:
    """A world and its history; ``step`` runs a year.

    ``watch`` is called before the waves of each year with the world, to trace a household;
    ``witness`` is told of every choice.
    """

    world: World
    checking: bool = True
    history: list[YearRecord] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    rows: dict[str, tuple[int, int]] = field(default_factory=dict)  # of each phase: rows and bytes of all years
    groups: Groups | None = None  # of the last year, with its own fifths of income
    watch: Callable[[World], None] | None = None
    witness: moving.Witness | None = None

    @classmethod
    def create(
        cls, inputs: Inputs, region: Region, population: Population, *, seed: int = 0, threads: int | None = None
    ) -> Simulation:
        """Build the world of the base year.

        Parameters
        ----------
        inputs : resolved levers and facts
        region : tables and geography
        population : persons and households of the base year; its columns are copied
        seed : of all luck
        threads : of parallel kernels; all cores where not given
        """
        if threads is not None:
            set_threads(threads)
        geography = Geography(
            counties=len(region.county_names),
            villages=region.n_villages,
            core_county=region.core_county,
            community_county=np.asarray(region.community_county, np.int64),
            travel_min=np.ascontiguousarray(region.travel_min, np.float64),
            community_travel_min=np.ascontiguousarray(region.community_travel_min, np.float64),
        )
        kinds = job_kinds(len(region.chains))
        places = geography.places
        world = World(
            seed=seed,
            base=inputs.base,
            year=inputs.base,
            weight=population.weight,
            inputs=inputs,
            geography=geography,
            persons=Table({name: column.copy() for name, column in population.persons.items()}),
            households=Table({name: column.copy() for name, column in population.households.items()}),
            villages=Table({name: column.copy() for name, column in region.villages.items()}),
            place=Table({name: np.zeros(places) for name in PLACE_COLUMNS}),
            county=Table({name: np.zeros(geography.counties) for name in COUNTY_COLUMNS}),
            stock=np.zeros((places, N_TENURES)),
            dwellings=np.zeros((places, N_TENURES), np.int64),
            occupied=np.zeros((places, N_TENURES), np.int64),
            jobs=np.zeros((places, kinds)),
            filled=np.zeros((places, kinds), np.int64),
            network=np.zeros((geography.communities, places), np.int32),
            flows=Flows.zero(places),
            livelihood=Livelihood(*(np.zeros(0, np.float32) for _ in range(6))),
            village_pool_mu=np.zeros(geography.communities),
            estates_yuan=np.zeros(geography.counties + 1, np.int64),
        )
        return cls.start(world, [int(chain.sectors[0]) for chain in region.chains])

    @classmethod
    def start(cls, world: World, chain_sectors: Sequence[int]) -> Simulation:
        """Bring jobs, dwellings and services of the base year into being and measure it.

        Parameters
        ----------
        world : persons, households and geography filled
        chain_sectors : the sector in which new workers of each chain stand

        Raises
        ------
        InputError : where a household has more members than are counted, or somebody lives nowhere
        """
        world.memory["chain_sector"] = np.array(chain_sectors, np.int64)
        world.memory["renovated_share"] = np.zeros(world.geography.counties)
        world.reindex()
        if world.members.max(initial=0) > MOST_MEMBERS:
            raise InputError(f"a household of {world.members.max()} persons; members are counted up to {MOST_MEMBERS}")
        lives = world.person_place()
        if lives.min(initial=0) < 0 or lives.max(initial=0) >= world.geography.places:
            raise InputError("somebody lives in no place: who is away needs the household's away_place")
        world.count_network()
        policy.read_levers(world)
        land.prospects(world)
        labour.start(world)
        housing.start(world)
        services.start(world)
        fiscal.start(world)
        simulation = cls(world)
        simulation._update()
        earnings.livelihood(world)
        offers.views(world)  # with which some alternatives compare what places offer later
        incomes = earnings.incomes(world)
        simulation._measure(None, world.residents(), incomes, survey(world, incomes))
        return simulation

    def _update(self) -> None:
        market.update(self.world)
        housing.update(self.world)
        services.update(self.world)

    def step(self, on_phase: OnPhase | None = None) -> None:
        """Run one year in the order of ``SCHEDULE``.

        Raises
        ------
        LawBroken : where a law of the model does not hold
        """
        for done, (name, work) in enumerate(self.year()):
            if on_phase is not None:
                on_phase(self.world.year, name, done, len(SCHEDULE))
            began = time.perf_counter()
            work()
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began
            self._count_rows(name)

    def year(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Begin a year: its phases with their work, to be done in their order."""
        world = self.world
        world.year += 1
        world.flows = Flows.zero(world.geography.places)
        world.measures, world.ledger = {}, {}
        yield from self._phases(checks.before(world))

    def _count_rows(self, name: str) -> None:
        """Count up the rows and bytes that a phase has before it: see `migrasim.runs.profile`."""
        world = self.world
        rows, size = len(world.persons), world.persons.nbytes + world.households.nbytes
        if name == "moving":
            rows = int(world.measures["considered"].sum())
            size += rows * household.HOME.itemsize
        before = self.rows.get(name, (0, 0))
        self.rows[name] = before[0] + rows, before[1] + size

    def _phases(self, start: checks.Before) -> Iterator[tuple[str, Callable[[], None]]]:
        world = self.world

        updates: list[Callable[[], None]] = []  # of labour, housing and services: for the rest of the year

        def begin() -> None:
            policy.run(world)
            fiscal.budget(world)
            land.prospects(world)

        def work_and_pay() -> None:
            updates.append(labour.run(world))

        def house() -> None:
            tenants = housing.may_queue(world)
            updates.append(housing.run(world, tenants, earnings.incomes(world, tenants).sum(axis=1)))

        def serve() -> None:
            updates.append(services.run(world))

        def move() -> None:
            if self.watch is not None:
                self.watch(world)
            moving.run(world, updates, witness=self.witness)
            if self.checking:
                checks.after_waves(world)

        def register() -> None:
            hukou.run(world)
            moving.drop_departed(world)  # of the waves, and who took the registration along

        def lend() -> None:
            land.run(world)
            leased = world.measures["leased_in_mu_per_farmer"]
            if "land" in world.inputs.alternatives:  # what leavers release after the first year raises no income
                leased = world.memory.setdefault("leased_in_first_year", leased)
            world.memory["leased_in_mu_per_farmer"] = leased

        ends: list[tuple[np.ndarray, Survey]] = []  # incomes and what is seen of everybody: accounts change neither

        def account() -> None:
            incomes = earnings.incomes(world)
            found = survey(world, incomes)
            ends.append((incomes, found))
            fiscal.update_savings(world, incomes)
            fiscal.run(world, found.of("market_tenants"), found.of("workers_elsewhere"))
            if "budget" in world.inputs.alternatives or world.year < BASE_YEAR:  # what was built before was paid for
                world.county.unpaid_share[:] = 0.0

        work: dict[str, Callable[[], None]] = {
            "policy": begin,
            "demography": lambda: demography.run(world),
            "labour": work_and_pay,
            "housing": house,
            "services": serve,
            "moving": move,
            "matching": lambda: placement.match(world, updates[0]),
            "hukou": register,
            "land": lend,
            "fiscal": account,
            "measure": lambda: self._measure(world.flows, start.residents, *ends[0]),
            "check": lambda: checks.run(world, start) if self.checking else None,
        }
        for phase in SCHEDULE:
            yield phase.name, work[phase.name]

    def _measure(self, flows: Flows | None, before: np.ndarray, incomes: np.ndarray, found: Survey) -> None:
        world = self.world
        sums = indicators.sums(world, found)
        welfare = welfare_yuan_yr(world, incomes, found)
        self.groups = Groups.of(world, welfare, found)
        tables = {
            "jobs": detail.jobs(world),
            "dwellings": detail.dwellings(world),
            "chains": detail.chains(world),
            "costs": detail.costs(world),
            "groups": detail.groups(world, found, welfare, self.groups),
            "ages": detail.ages(world, found),
            "homes": detail.homes(world, found),
        }
        self.history.append(YearRecord(world.year, sums, flows, before, world.residents(), tables))


def place_names(counties: list[str]) -> list[str]:
    """Names of places as tables show them: ``<County>/seat``, then near and far."""
    tiers = ("village", "town", "seat")
    return [f"{county}/{tiers[t]}" for county in counties for t in range(N_TIERS)] + ["near", "far"]
