"""Public accounts of the counties, two-sided, and the savings of households.

Every payment has a payer and a payee among the purses. *Enterprise* stands for all who produce goods
and services, schools and hospitals among them. What households pay themselves for new homes and
services is part of their consumption; it is measured, and not entered a second time.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from migrasim.core.codes import N_PURSES, N_TIERS, Activity, Kind, Purse, Tenure, Tier
from migrasim.core.rule import blocks_of, kernel, members_of, rows_of, scalars, threaded_kernel
from migrasim.domains.fiscal.rules import (
    FiscalParams,
    budget_yuan,
    consumption_yuan,
    new_resident_cost_yuan,
    paid_share,
)
from migrasim.facts import BASE_YEAR

if TYPE_CHECKING:
    from migrasim.world import World

SERVICES = "citizenization.services"
AWARD = "incentives.settlement_award"
BONDS = "budget.bonds"
AWARD_SPENT = "public_services.award"
LINKED = "public_services.resident_linked_supply"
TITLING = "three_rights.titling"
SUBSIDY = "public_housing.rent_subsidy"
_ACCOUNTS = ("budget", "household", "relocation")  # prefixes of items that are no cost of a lever or of new residents
_BUILT = (  # yearly flows that are cut where a county cannot pay
    "public_housing.public_rental_units",
    "public_housing.affordable_rental_units",
    "public_housing.shared_ownership_units",
    "public_housing.renovation_units",
    "public_services.school_places",
    "public_services.health_capacity",
)
_OF_HIGHER = ("transport.intercounty", "spatial.cluster_integration")  # networks of province and state
_BONDED = (  # works paid from land sales and special bonds, which the general budget does not contain
    *_OF_HIGHER,
    "transport.rural_roads",
    "urban.municipal_utilities",
    "urban.resilient",
    "urban.livable",
)
_PER_URBAN_RESIDENT = (  # programmes for towns: once while the index rises, or yearly while it stands above 2020
    "employment.matching",
    "employment.wage_arrears_control",
    "public_services.remote_settlement",
    "urban.innovative",
    "urban.smart",
    "urban.green",
    "urban.cultural",
    "governance.land_efficiency",
    "governance.community",
)
_PER_VILLAGE_RESIDENT = ("rural.public_services", "rural.infrastructure")
_PER_PERSON = (("healthcare", "permit_persons"), ("social_security", "permit_persons"), ("education", "permit_pupils"))
_PAYERS = {"government": Purse.COUNTY, "enterprise": Purse.ENTERPRISE, "household": Purse.HOUSEHOLD}


def start(world: World) -> None:
    """Columns of counties in the base year: urban residents to compare with, budget, nothing unpaid."""
    world.county.urban_residents_base[:] = _urban_residents(world)
    world.county.unpaid_share[:] = 0.0
    budget(world)


def budget(world: World) -> None:
    """Fill ``county.budget_yuan``, the year's revenue and transfers; called as a year begins."""
    p = world.inputs.params("fiscal", FiscalParams, year=world.year)
    world.county.budget_yuan[:] = _budget(world, p.budget_spending_yuan_yr, p)


def _budget(world: World, total_yuan: float, p: FiscalParams) -> np.ndarray:
    residents = world.residents()[: world.geography.inside].reshape(-1, N_TIERS).sum(axis=1)
    years = max(0, world.year - max(world.base, BASE_YEAR))  # the facts hold the budget of 2020
    budgets = np.empty(world.geography.counties)
    _fill_budgets(total_yuan, residents / max(1, residents.sum()), years, scalars(p)[0], budgets)
    return budgets


@kernel
def _fill_budgets(total_yuan, residents_share, years, p, budgets):
    for c in range(budgets.shape[0]):
        budgets[c] = budget_yuan(total_yuan, residents_share[c], years, p)


def _urban_residents(world: World) -> np.ndarray:
    """(counties,) people of towns and seats at full scale."""
    residents = world.residents()[: world.geography.inside].reshape(-1, N_TIERS)
    return np.asarray((residents[:, Tier.TOWN] + residents[:, Tier.SEAT]) * world.weight)


def run(world: World) -> None:
    """Close the year's public accounts.

    Reads what the other phases counted (``permit_persons``, ``permit_pupils``,
    ``permit_eligible_persons``, ``transfers_rural_persons``, ``subsidised_households`` where given)
    and the ledger of paid exit. Writes the ledger, ``county.budget_yuan`` and
    ``county.unpaid_share``. Measures, in yuan at full scale by county: ``public_cost_yuan`` (county
    and higher governments), ``cost_by_payer_yuan`` (purses, counties), ``cost.<group>_yuan``
    (purses, counties) for each group of levers and for citizenization (awards, which counties spend
    on, stand in their group only), ``wanted_yuan`` (outlay on
    building), ``overspent_yuan`` (outlay beyond what counties can decide on).
    """
    p = world.inputs.params("fiscal", FiscalParams, year=world.year)
    counties = world.geography.counties
    budget(world)
    total = world.county.budget_yuan
    revenue = np.rint(_budget(world, p.budget_revenue_yuan_yr, p))
    world.pay("budget.revenue", Purse.ENTERPRISE, Purse.COUNTY, revenue)
    world.measures["budget_revenue_yuan"] = revenue
    world.pay("budget.transfers", Purse.HIGHER, Purse.COUNTY, np.rint(total) - revenue)
    award = world.levers[AWARD] * _measure(world, "transfers_rural_persons") * world.weight
    world.pay(AWARD, Purse.HIGHER, Purse.COUNTY, award)
    own = np.zeros((N_PURSES, counties))  # what households bear themselves
    _pay_services(world, p, own)
    land = _land_mu(world) * world.weight
    for lever, units in (_running(world, p, land) | _works(world, p, land)).items():
        _pay_lever(world, lever, units, p, own)
    extra = np.maximum(0.0, world.above(AWARD)) * _measure(world, "transfers_rural_persons") * world.weight
    # land beyond the usual quota is open to builders and employers from next year on
    land_m2 = world.above("incentives.land_quota") * _measure(world, "transfers_rural_persons") * world.weight
    world.memory["quota_land_m2_yr"] = land_m2
    world.memory["quota_land_m2"] = world.memory.get("quota_land_m2", np.zeros(counties)) + land_m2
    # an award beyond the usual one is spent on places and beds of next year (services reads it)
    world.memory["award_capacity_yuan"] = extra
    world.pay(AWARD_SPENT, Purse.COUNTY, Purse.ENTERPRISE, extra)
    free = total * p.discretionary_share + award - _paid_by_county(world)
    built = 1.0 - world.county.unpaid_share
    wanted, saved = np.zeros(counties), np.zeros(counties)
    for lever in _BUILT:
        planned = world.above(lever)
        share = 1.0 - p.higher_share
        yuan = planned * world.inputs.cost_by_payer(lever).get("government", (0.0, 0.0))[0] * share
        wanted += np.maximum(0.0, yuan)
        saved += np.maximum(0.0, -yuan)
        _pay_lever(world, lever, (np.where(planned > 0, planned * built, planned), np.zeros(counties)), p, own)
    for lever in world.levers:
        if lever.startswith("industry.") and lever.endswith(".jobs"):
            _pay_lever(world, lever, (np.maximum(0.0, _added(world, lever)), np.zeros(counties)), p, own)
    for c in range(counties):
        world.county.unpaid_share[c] = 1.0 - paid_share(wanted[c], saved[c], free[c])
    outlay = _paid_by_county(world)
    world.measures["overspent_yuan"] = np.maximum(0.0, outlay - award - total * p.discretionary_share)
    world.measures["wanted_yuan"] = wanted
    # counties hold no stock of money: what is left, or missing, is met by their other spending
    rest = balances(world)[Purse.COUNTY]
    world.pay("budget.other_spending", Purse.COUNTY, Purse.ENTERPRISE, rest)
    _measure_costs(world, own)


def _measure(world: World, name: str) -> np.ndarray:
    return np.asarray(world.measures.get(name, np.zeros(world.geography.counties)), np.float64)


def _added(world: World, lever: str) -> np.ndarray:
    """(counties,) what a lever has risen over the year."""
    before = world.last_levers.get(lever)
    if before is None:
        before = world.inputs.lever(lever, max(world.inputs.base, world.year - 1))
    return np.asarray(world.levers[lever] - before, np.float64)


def _running(world: World, p: FiscalParams, land_mu: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Units of each lever that is not building, as (once, yearly) at full scale by county."""
    nothing = np.zeros(world.geography.counties)
    units = {}
    for service, who in _PER_PERSON:
        lever = f"residence_permit.{service}"
        units[lever] = (nothing, world.above(lever) * _measure(world, who) * world.weight)
    eligible = _measure(world, "permit_eligible_persons") * world.weight
    units["residence_permit.one_pass"] = (
        np.maximum(0.0, _added(world, "residence_permit.one_pass")) * eligible,
        nothing,
    )
    units[TITLING] = (np.maximum(0.0, _added(world, TITLING)) * land_mu, nothing)
    if "subsidised_households" in world.measures:
        tenants = _measure(world, "subsidised_households")
    else:
        tenants = _tenants(world) * p.subsidy_reach_share
    units[SUBSIDY] = (nothing, world.above(SUBSIDY) * tenants * world.weight)
    if "linked_places" in world.memory:  # places that the link to residents has added over its status quo
        units[LINKED] = (nothing, world.memory["linked_places"])
    units["employment.training_places"] = (world.above("employment.training_places"), nothing)
    return units


def _works(world: World, p: FiscalParams, land_mu: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Units of works and village programmes of the year, as (once, yearly) at full scale by county.

    Works for the region are shared among counties by their urban residents; an index that falls
    gives no money back.
    """
    nothing = np.zeros(world.geography.counties)
    residents = _urban_residents(world)
    share = residents / max(1.0, float(residents.sum()))
    in_all = {
        "integration.community": share * p.community_centres,
        "transport.intercounty": share * p.expressway_km,
        "spatial.cluster_integration": share * p.railway_km,
        "transport.rural_roads": share * p.rural_roads_km,
        "urban.municipal_utilities": residents / p.utilities_programme_index,
        "urban.resilient": share / p.sponge_programme_index,
        "urban.livable": share * p.park_mu,
        "rural.local_jobs": np.ones(world.geography.counties),
    }
    units = {}
    for lever, whole in in_all.items():
        if lever in world.levers:
            units[lever] = (np.maximum(0.0, _added(world, lever)) * whole, nothing)
    in_villages = world.residents()[: world.geography.inside : N_TIERS] * world.weight
    for levers, persons in ((_PER_URBAN_RESIDENT, residents), (_PER_VILLAGE_RESIDENT, in_villages)):
        for lever in (each for each in levers if each in world.levers):
            units[lever] = (np.maximum(0.0, _added(world, lever)) * persons, world.above(lever) * persons)
    if "public_housing.provident_fund" not in world.levers:
        return units
    migrants = _unregistered_workers(world) * world.weight
    units["public_housing.provident_fund"] = (nothing, world.above("public_housing.provident_fund") * migrants)
    units["industry.park_concentration"] = (_halls_m2(world, p), nothing)
    if "rural.returnee_support" in world.levers:
        inside = world.geography.inside
        returned = world.flows.moves[:, :inside:N_TIERS].sum(axis=(0, 2)) * world.weight
        units["rural.returnee_support"] = (world.above("rural.returnee_support") * returned, nothing)
    if "rural.farm_income_growth" in world.levers:
        improved = np.maximum(0.0, world.above("rural.farm_income_growth")) * (land_mu * p.improved_land_share_pp)
        units["rural.farm_income_growth"] = (improved, nothing)
    return units


def _halls_m2(world: World, p: FiscalParams) -> np.ndarray:
    """(counties,) floor of new halls in parks: for chain jobs of the year that are placed there and were not before."""
    jobs = np.zeros(world.geography.counties)
    for lever in world.levers:
        if lever.startswith("industry.") and lever.endswith(".jobs"):
            jobs += np.maximum(0.0, _added(world, lever))
    more = np.maximum(0.0, world.above("industry.park_concentration"))
    return np.asarray(jobs * more * p.hall_m2_job)


def _pay_lever(
    world: World, lever: str, units: tuple[np.ndarray, np.ndarray], p: FiscalParams, own: np.ndarray
) -> None:
    """Enter the cost of units of a lever; the government's part is shared with higher levels."""
    for payer, (once, yearly) in world.inputs.cost_by_payer(lever).items():
        yuan = units[0] * once + units[1] * yearly
        if not yuan.any():
            continue
        purse = _PAYERS[payer]
        if purse == Purse.HOUSEHOLD:
            own[purse] += yuan
            world.measures[f"own.{lever}"] = yuan
        elif purse == Purse.ENTERPRISE:
            world.pay(lever, purse, Purse.ENTERPRISE, yuan)
        else:
            higher = np.rint(yuan * (1.0 if lever in _OF_HIGHER else p.higher_share))
            world.pay(lever, Purse.HIGHER, Purse.ENTERPRISE, higher)
            world.pay(lever, Purse.COUNTY, Purse.ENTERPRISE, np.rint(yuan) - higher)
            if lever in _BONDED:
                world.pay(BONDS, Purse.HIGHER, Purse.COUNTY, np.rint(yuan) - higher)


def _pay_services(world: World, p: FiscalParams, own: np.ndarray) -> None:
    """Services for new urban residents, shared by government, enterprises and households."""
    since_base = _urban_residents(world) - world.county.urban_residents_base
    flows, inside, urban = world.flows, world.geography.inside, world.geography.urban
    moves = flows.moves.sum(axis=2)
    net = flows.births - flows.deaths + flows.arrivals - flows.departures + flows.reclassified
    net = net + flows.relocated
    net = (net + moves.sum(axis=0) - moves.sum(axis=1)) * urban
    this_year = net[:inside].reshape(-1, N_TIERS).sum(axis=1) * world.weight
    cost = np.array([new_resident_cost_yuan(s, y, p) for s, y in zip(since_base, this_year, strict=True)])
    government = np.rint(cost * world.levers["incentives.government_share"])
    enterprise = np.rint(cost * world.levers["incentives.enterprise_share"])
    world.pay(SERVICES, Purse.COUNTY, Purse.ENTERPRISE, government)
    world.pay(SERVICES, Purse.ENTERPRISE, Purse.ENTERPRISE, enterprise)
    rest = np.maximum(0.0, cost - government - enterprise)
    own[Purse.HOUSEHOLD] += rest
    world.measures[f"own.{SERVICES}"] = rest
    world.measures["new_urban_residents"] = since_base


def _paid_by_county(world: World) -> np.ndarray:
    """(counties,) what counties have paid this year for levers and new residents from their general budget."""
    paid = np.zeros(world.geography.counties)
    for (item, payer, _), yuan in world.ledger.items():
        if payer == Purse.COUNTY and _group(item) not in _ACCOUNTS and item not in _BONDED:
            paid += yuan
    return paid


@functools.cache
def _group(item: str) -> str:
    return item.split(".", maxsplit=1)[0]


def _measure_costs(world: World, own: np.ndarray) -> None:
    """Who paid for levers and new residents, by group of levers."""
    counties = world.geography.counties
    by_payer = own.copy()
    groups: dict[str, np.ndarray] = {}
    for (item, payer, payee), yuan in world.ledger.items():
        group = _group(item)
        if group in _ACCOUNTS:
            continue
        if payee != Purse.COUNTY:  # money between governments is spent by the one that receives it
            by_payer[payer] += yuan
        groups.setdefault(group, np.zeros((N_PURSES, counties)))[payer] += yuan
    world.measures["cost_by_payer_yuan"] = by_payer
    public = by_payer[Purse.COUNTY] + by_payer[Purse.HIGHER]
    world.measures["public_cost_yuan"] = public
    world.memory["cumulative_cost_yuan"] = world.memory.get("cumulative_cost_yuan", np.zeros(counties)) + public
    for group, yuan in groups.items():
        world.measures[f"cost.{group}_yuan"] = yuan


def balances(world: World) -> np.ndarray:
    """(purses, counties) int64 receipts less payments of the year; zero in sum over the purses."""
    net = np.zeros((N_PURSES, world.geography.counties), np.int64)
    for (_, payer, payee), yuan in world.ledger.items():
        net[payer] -= yuan
        net[payee] += yuan
    return net


def update_savings(world: World, income_yuan: np.ndarray) -> None:
    """Add a year's income to savings and take consumption away; both go into the ledger.

    Parameters
    ----------
    income_yuan : (households, 2) int64 income of the year of those at home and away; a negative sum counts as none
    """
    p = world.inputs.params("fiscal", FiscalParams, year=world.year)
    households, geography = world.households, world.geography
    flows = np.zeros((blocks_of(len(households)), 2, geography.counties), np.int64)
    _save(
        len(households),
        households.home_place,
        households.place,
        households.savings_yuan,
        world.members,
        income_yuan,
        geography.inside,
        geography.core // N_TIERS,
        scalars(p)[0],
        flows,
    )
    earned, spent = flows.sum(axis=0)
    world.pay("household.income", Purse.ENTERPRISE, Purse.HOUSEHOLD, earned * world.weight)
    world.pay("household.consumption", Purse.HOUSEHOLD, Purse.ENTERPRISE, spent * world.weight)


@threaded_kernel
def _save(block, home_place, place, savings_yuan, members, income_yuan, inside, core_county, p, flows_of):
    # Every household belongs to the county of its registered address; strangers to where they live.
    flows = flows_of[block[2]]
    for h in rows_of(block):
        if home_place[h] < inside:
            county = home_place[h] // N_TIERS
        elif place[h] < inside:
            county = place[h] // N_TIERS
        else:
            county = core_county
        if place[h] >= inside:
            share = p.consumption_outside_share
        elif place[h] % N_TIERS == Tier.VILLAGE:
            share = p.consumption_village_share
        else:
            share = p.consumption_urban_share
        income = max(np.int64(0), income_yuan[h, 0] + income_yuan[h, 1])
        spent = np.int64(consumption_yuan(float(income), float(savings_yuan[h]), members[h], share, p))
        savings_yuan[h] += income - spent
        flows[0, county] += income
        flows[1, county] += spent


def _tenants(world: World) -> np.ndarray:
    """(counties,) families that rent on the market in a town where they are registered or hold a permit."""
    households, geography = world.households, world.geography
    counts = np.zeros((blocks_of(len(households)), geography.counties), np.int64)
    _count_tenants(
        len(households),
        households.kind,
        households.tenure,
        households.place,
        households.home_place,
        households.permit,
        geography.inside,
        counts,
    )
    return np.asarray(counts.sum(axis=0), np.float64)


@threaded_kernel
def _count_tenants(block, kind, tenure, place, home_place, permit, inside, counts_of):
    counts = counts_of[block[2]]
    for h in rows_of(block):
        if kind[h] != Kind.FAMILY or tenure[h] != Tenure.MARKET_RENT:
            continue
        if place[h] >= inside or place[h] % N_TIERS == Tier.VILLAGE:
            continue
        if permit[h] or place[h] == home_place[h]:
            counts[place[h] // N_TIERS] += 1


def _unregistered_workers(world: World) -> np.ndarray:
    """(counties,) workers of towns and seats who are registered at another place."""
    households, persons, geography = world.households, world.persons, world.geography
    counts = np.zeros((blocks_of(len(households)), geography.counties), np.int64)
    _count_unregistered(
        len(households),
        world.first_member,
        world.members,
        persons.is_away,
        persons.activity,
        households.place,
        households.away_place,
        households.home_place,
        geography.inside,
        counts,
    )
    return np.asarray(counts.sum(axis=0))


@threaded_kernel
def _count_unregistered(block, first, members, is_away, activity, place, away_place, home_place, inside, counts_of):
    counts = counts_of[block[2]]
    for h in rows_of(block):
        for part, here in enumerate((place[h], away_place[h])):
            if 0 <= here < inside and here % N_TIERS != Tier.VILLAGE and here != home_place[h]:
                for i in members_of(first, members, h):
                    counts[here // N_TIERS] += (is_away[i] == part) & (activity[i] == Activity.WORKER)


def _land_mu(world: World) -> np.ndarray:
    """(counties,) contracted land of households and pools by county of the village, sample units."""
    villages = world.geography.villages
    area = np.zeros(world.geography.communities)
    _add_land(world.households.community, world.households.land_mu, area)
    area += world.village_pool_mu
    result = np.zeros(world.geography.counties)
    np.add.at(result, np.asarray(world.geography.community_county[:villages], np.int64), area[:villages])
    return result


@kernel
def _add_land(community, land_mu, area):
    for h in range(community.shape[0]):
        area[community[h]] += land_mu[h]
