"""Public accounts of the counties, two-sided, and the savings of households.

Every payment has a payer and a payee among the purses. *Enterprise* stands for all who produce goods
and services, schools and hospitals among them. What households pay themselves for new homes and
services is part of their consumption; it is measured, and not entered a second time.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from migrasim.core.codes import N_PURSES, N_TIERS, Purse, Tier
from migrasim.core.rule import APART, blocks_of, kernel, record, rows_of, threaded_kernel
from migrasim.domains.fiscal.rules import (
    FiscalParams,
    budget_yuan,
    consumption_yuan,
    new_resident_cost_yuan,
    paid_share,
)
from migrasim.facts import BASE_YEAR
from migrasim.inputs import PAYERS, to_2020_yuan

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
_GOVERNMENT, _ENTERPRISE, _HOUSEHOLD = range(len(PAYERS))
Units = dict[str, tuple[np.ndarray, np.ndarray]]  # by lever, (once, yearly), each (counties,) at full scale


def start(world: World) -> None:
    """Columns of counties in the base year: urban residents to compare with, budget, nothing unpaid."""
    world.county.urban_residents_base[:] = _urban_residents(world, _residents(world))
    world.county.unpaid_share[:] = 0.0
    budget(world)


def budget(world: World) -> None:
    """Fill ``county.budget_yuan``, the year's revenue and transfers; called as a year begins."""
    p = world.inputs.params("fiscal", FiscalParams, year=world.year)
    world.county.budget_yuan[:] = _budget(world, _residents(world), p.budget_spending_yuan_yr, p)


def _residents(world: World) -> np.ndarray:
    """(counties, tiers) people in sample units."""
    return world.residents()[: world.geography.inside].reshape(-1, N_TIERS)


def _budget(world: World, living: np.ndarray, total_yuan: float, p: FiscalParams) -> np.ndarray:
    residents = living.sum(axis=1)
    years = max(0, world.year - max(world.base, BASE_YEAR))  # the facts hold the budget of 2020
    budgets = np.empty(world.geography.counties)
    _fill_budgets(total_yuan, residents / max(1, residents.sum()), years, record(p), budgets)
    return budgets


@kernel
def _fill_budgets(total_yuan, residents_share, years, p, budgets):
    p = p[0]
    for c in range(budgets.shape[0]):
        budgets[c] = budget_yuan(total_yuan, residents_share[c], years, p)


def _urban_residents(world: World, living: np.ndarray) -> np.ndarray:
    """(counties,) people of towns and seats at full scale, of those ``living`` (counties, tiers) there."""
    return np.asarray((living[:, Tier.TOWN] + living[:, Tier.SEAT]) * world.weight)


def run(world: World, market_tenants: np.ndarray, workers_elsewhere: np.ndarray) -> None:
    """Close the year's public accounts.

    Reads what the other phases counted (``permit_persons``, ``permit_pupils``,
    ``permit_eligible_persons``, ``transfers_rural_persons``) and the ledger of paid exit. Writes the
    ledger, ``county.budget_yuan`` and ``county.unpaid_share``. Measures, in yuan at full scale by county:
    ``public_cost_yuan`` (county and higher governments), ``cost_by_payer_yuan`` (purses, counties),
    ``cost.<group>_yuan`` (purses, counties) for each group of levers and for citizenization (awards, which
    counties spend on, stand in their group only), ``wanted_yuan`` (outlay on building),
    ``overspent_yuan`` (outlay beyond what counties can decide on).

    Parameters
    ----------
    market_tenants, workers_elsewhere : (places,) of the year's end, see `migrasim.survey.COUNTS`
    """
    p = world.inputs.params("fiscal", FiscalParams, year=world.year)
    counties = world.geography.counties
    living = _residents(world)
    total = world.county.budget_yuan
    total[:] = _budget(world, living, p.budget_spending_yuan_yr, p)
    revenue = np.rint(_budget(world, living, p.budget_revenue_yuan_yr, p))
    world.pay("budget.revenue", Purse.ENTERPRISE, Purse.COUNTY, revenue)
    world.measures["budget_revenue_yuan"] = revenue
    world.pay("budget.transfers", Purse.HIGHER, Purse.COUNTY, np.rint(total) - revenue)
    transfers = _measure(world, "transfers_rural_persons")
    award = world.levers[AWARD] * transfers * world.weight
    world.pay(AWARD, Purse.HIGHER, Purse.COUNTY, award)
    own = np.zeros((N_PURSES, counties))  # what households bear themselves
    _pay_services(world, living, p, own)
    land = _land_mu(world) * world.weight
    above, added = _changes(world)
    tenants, migrants = (_in_towns(world, counted) for counted in (market_tenants, workers_elsewhere))
    running = _running(world, above, added, tenants, p, land)
    _pay_levers(world, running | _works(world, above, added, living, migrants, p, land), p, own)
    extra = np.maximum(0.0, above[AWARD]) * transfers * world.weight
    # land beyond the usual quota is open to builders and employers from next year on
    land_m2 = above["incentives.land_quota"] * transfers * world.weight
    world.memory["quota_land_m2_yr"] = land_m2
    world.memory["quota_land_m2"] = world.memory.get("quota_land_m2", np.zeros(counties)) + land_m2
    # an award beyond the usual one is spent on places and beds of next year (services reads it)
    world.memory["award_capacity_yuan"] = extra
    world.pay(AWARD_SPENT, Purse.COUNTY, Purse.ENTERPRISE, extra)
    free = total * p.discretionary_share + award - _paid_by_county(world)
    built = 1.0 - world.county.unpaid_share
    wanted, saved, nothing = np.zeros((3, counties))
    units: Units = {}
    for lever in _BUILT:
        planned = above[lever]
        share = 1.0 - p.higher_share
        yuan = planned * world.inputs.cost_by_payer(lever).get("government", (0.0, 0.0))[0] * share
        wanted += np.maximum(0.0, yuan)
        saved += np.maximum(0.0, -yuan)
        units[lever] = (np.where(planned > 0, planned * built, planned), nothing)
    _pay_levers(world, units | {lever: (added[lever], nothing) for lever in _chains(world)}, p, own)
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


def _changes(world: World) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """(counties,) by lever: its value over that of 2020, as `World.above`, and what it has risen over the year."""
    inputs, names, before = world.inputs, list(world.levers), world.last_levers
    if before.keys() != world.levers.keys():
        before = {name: inputs.lever(name, max(inputs.base, world.year - 1)) for name in names} | before
    if "status_quo" not in world.memory:  # the same in every year
        world.memory["status_quo"] = np.concatenate([inputs.status_quo(name) for name in names])
    now = np.concatenate(list(world.levers.values()))
    shape = len(names), world.geography.counties
    above = np.reshape(now - world.memory["status_quo"], shape)
    risen = np.reshape(np.maximum(0.0, now - np.concatenate([before[name] for name in names])), shape)
    return dict(zip(names, above, strict=True)), dict(zip(names, risen, strict=True))


def _chains(world: World) -> list[str]:
    """Levers of the chains' jobs."""
    return [lever for lever in world.levers if lever.startswith("industry.") and lever.endswith(".jobs")]


def _in_towns(world: World, counted: np.ndarray) -> np.ndarray:
    """(counties,) what is counted by place, of towns and seats."""
    by_tier = counted[: world.geography.inside].reshape(-1, N_TIERS)
    return np.asarray(by_tier[:, Tier.TOWN] + by_tier[:, Tier.SEAT], np.float64)


def _running(
    world: World,
    above: dict[str, np.ndarray],
    added: dict[str, np.ndarray],
    tenants: np.ndarray,
    p: FiscalParams,
    land_mu: np.ndarray,
) -> Units:
    """Units of each lever that is not building; see `_changes` for what is ``above`` and ``added``."""
    nothing = np.zeros(world.geography.counties)
    units = {}
    for service, who in _PER_PERSON:
        lever = f"residence_permit.{service}"
        units[lever] = (nothing, above[lever] * _measure(world, who) * world.weight)
    eligible = _measure(world, "permit_eligible_persons") * world.weight
    units["residence_permit.one_pass"] = (added["residence_permit.one_pass"] * eligible, nothing)
    units[TITLING] = (added[TITLING] * land_mu, nothing)
    units[SUBSIDY] = (nothing, above[SUBSIDY] * (tenants * world.memory["subsidy_reach_share"][0]) * world.weight)
    if "linked_places" in world.memory:  # places that the link to residents has added over its status quo
        units[LINKED] = (nothing, world.memory["linked_places"])
    units["employment.training_places"] = (above["employment.training_places"], nothing)
    return units


def _works(
    world: World,
    above: dict[str, np.ndarray],
    added: dict[str, np.ndarray],
    living: np.ndarray,
    migrants: np.ndarray,
    p: FiscalParams,
    land_mu: np.ndarray,
) -> Units:
    """Units of works and village programmes of the year; ``above`` and ``added`` are those of `_changes`.

    Works for the region are shared among counties by their urban residents; an index that falls
    gives no money back.
    """
    nothing = np.zeros(world.geography.counties)
    residents = _urban_residents(world, living)
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
            units[lever] = (added[lever] * whole, nothing)
    in_villages = living[:, Tier.VILLAGE] * world.weight
    for levers, persons in ((_PER_URBAN_RESIDENT, residents), (_PER_VILLAGE_RESIDENT, in_villages)):
        for lever in (each for each in levers if each in world.levers):
            units[lever] = (added[lever] * persons, above[lever] * persons)
    if "public_housing.provident_fund" not in world.levers:
        return units
    settled = migrants * world.weight
    units["public_housing.provident_fund"] = (nothing, above["public_housing.provident_fund"] * settled)
    # new halls in parks: for chain jobs of the year that are placed there and were not before
    jobs = np.zeros(world.geography.counties)
    for lever in _chains(world):
        jobs += added[lever]
    more = np.maximum(0.0, above["industry.park_concentration"])
    units["industry.park_concentration"] = (jobs * more * p.hall_m2_job, nothing)
    if "rural.returnee_support" in world.levers:
        inside = world.geography.inside
        returned = world.flows.moves[:, :inside:N_TIERS].sum(axis=(0, 2)) * world.weight
        units["rural.returnee_support"] = (above["rural.returnee_support"] * returned, nothing)
    if "rural.farm_income_growth" in world.levers:
        improved = np.maximum(0.0, above["rural.farm_income_growth"]) * (land_mu * p.improved_land_share_pp)
        units["rural.farm_income_growth"] = (improved, nothing)
    return units


def _pay_levers(world: World, units: Units, p: FiscalParams, own: np.ndarray) -> None:
    """Enter the cost of units of levers; the government's part is shared with higher levels."""
    once_each, yearly_each = world.inputs.unit_costs(tuple(units))
    counted = np.concatenate([each for pair in units.values() for each in pair]).reshape(len(units), 2, -1)
    once, yearly = counted[:, :1], counted[:, 1:]
    yuan: np.ndarray = once * once_each[:, :, None] + yearly * yearly_each[:, :, None]  # (levers, payers, counties)
    public = yuan[:, _GOVERNMENT]
    shares = np.array([1.0 if lever in _OF_HIGHER else p.higher_share for lever in units])
    higher = np.rint(public * shares[:, None])
    county = (np.rint(public) - higher).astype(np.int64)
    higher = higher.astype(np.int64)
    for n, (lever, pays) in enumerate(zip(units, np.asarray(yuan.any(axis=2)).tolist(), strict=True)):
        if pays[_GOVERNMENT]:
            world.pay(lever, Purse.HIGHER, Purse.ENTERPRISE, higher[n])
            world.pay(lever, Purse.COUNTY, Purse.ENTERPRISE, county[n])
            if lever in _BONDED:
                world.pay(BONDS, Purse.HIGHER, Purse.COUNTY, county[n])
        if pays[_ENTERPRISE]:
            world.pay(lever, Purse.ENTERPRISE, Purse.ENTERPRISE, yuan[n, _ENTERPRISE])
        if pays[_HOUSEHOLD]:
            own[Purse.HOUSEHOLD] += yuan[n, _HOUSEHOLD]
            world.measures[f"own.{lever}"] = yuan[n, _HOUSEHOLD]


def _pay_services(world: World, living: np.ndarray, p: FiscalParams, own: np.ndarray) -> None:
    """Services for new urban residents, shared by government, enterprises and households."""
    since_base = _urban_residents(world, living) - world.county.urban_residents_base
    flows, inside, urban = world.flows, world.geography.inside, world.geography.urban
    moves = flows.moves.sum(axis=2)
    net = flows.births - flows.deaths + flows.arrivals - flows.departures + flows.reclassified
    net = net + flows.relocated
    net = (net + moves.sum(axis=0) - moves.sum(axis=1)) * urban
    this_year = net[:inside].reshape(-1, N_TIERS).sum(axis=1) * world.weight
    cost = np.array([new_resident_cost_yuan(s, y, p) for s, y in zip(since_base, this_year, strict=True)])
    cost *= to_2020_yuan(1.0, int(p.new_resident_price_year), world.inputs.cpi)
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
    paid = [
        yuan
        for (item, payer, _), yuan in world.ledger.items()
        if payer == Purse.COUNTY and _group(item) not in _ACCOUNTS and item not in _BONDED
    ]
    return np.asarray(_added_up(paid, [0] * len(paid), 1, world.geography.counties)[0])


@functools.cache
def _group(item: str) -> str:
    return item.split(".", maxsplit=1)[0]


def _added_up(entries: list[np.ndarray], number: list[int], groups: int, counties: int) -> np.ndarray:
    """(groups, counties) whole yuan of the ``entries``, each (counties,), by the ``number`` of the group of each."""
    cells = np.array(number, np.int64)[:, None] * counties + np.arange(counties)
    yuan = np.concatenate([np.zeros(0), *entries])
    return np.reshape(np.bincount(cells.ravel(), yuan, groups * counties), (groups, counties))  # exact up to 9e15


def _measure_costs(world: World, own: np.ndarray) -> None:
    """Who paid for levers and new residents, by group of levers."""
    counties = world.geography.counties
    # money between governments is spent by the one that receives it
    entries = [
        (_group(item), payer, payee != Purse.COUNTY, yuan)
        for (item, payer, payee), yuan in world.ledger.items()
        if _group(item) not in _ACCOUNTS
    ]
    spent = [(payer, yuan) for _, payer, is_spent, yuan in entries if is_spent]
    by_payer = own + _added_up([yuan for _, yuan in spent], [payer for payer, _ in spent], N_PURSES, counties)
    groups = {group: n for n, group in enumerate(dict.fromkeys(entry[0] for entry in entries))}
    cells = [groups[group] * N_PURSES + payer for group, payer, _, _ in entries]
    by_group = _added_up([entry[3] for entry in entries], cells, len(groups) * N_PURSES, counties)
    world.measures["cost_by_payer_yuan"] = by_payer
    public = by_payer[Purse.COUNTY] + by_payer[Purse.HIGHER]
    world.measures["public_cost_yuan"] = public
    world.memory["cumulative_cost_yuan"] = world.memory.get("cumulative_cost_yuan", np.zeros(counties)) + public
    for group, yuan in zip(groups, by_group.reshape(len(groups), N_PURSES, counties), strict=True):
        world.measures[f"cost.{group}_yuan"] = yuan


def balances(world: World) -> np.ndarray:
    """(purses, counties) int64 receipts less payments of the year; zero in sum over the purses."""
    yuan, counties = list(world.ledger.values()), world.geography.counties
    received = _added_up(yuan, [payee for _, _, payee in world.ledger], N_PURSES, counties)
    paid = _added_up(yuan, [payer for _, payer, _ in world.ledger], N_PURSES, counties)
    return np.asarray((received - paid).astype(np.int64))


def update_savings(world: World, income_yuan: np.ndarray) -> None:
    """Add a year's income to savings and take consumption away; both go into the ledger.

    Parameters
    ----------
    income_yuan : (households, 2) int64 income of the year of those at home and away; a negative sum counts as none
    """
    p = world.inputs.params("fiscal", FiscalParams, year=world.year)
    households, geography = world.households, world.geography
    inside = geography.inside
    # Every household belongs to the county of its registered address; strangers to where they live.
    county = np.full(geography.places, geography.core // N_TIERS)
    county[:inside] = np.arange(inside) // N_TIERS
    share = np.full(geography.places, p.consumption_urban_share)
    share[Tier.VILLAGE : inside : N_TIERS] = p.consumption_village_share
    share[inside:] = p.consumption_outside_share
    flows = np.zeros((blocks_of(len(households)), 2, geography.counties + APART), np.int64)
    _save(
        len(households),
        households.home_place,
        households.place,
        households.savings_yuan,
        world.members,
        income_yuan,
        inside,
        county,
        share,
        record(p),
        flows,
    )
    earned, spent = flows.sum(axis=0)[:, : geography.counties]
    world.pay("household.income", Purse.ENTERPRISE, Purse.HOUSEHOLD, earned * world.weight)
    world.pay("household.consumption", Purse.HOUSEHOLD, Purse.ENTERPRISE, spent * world.weight)


@threaded_kernel
def _save(block, home_place, place, savings_yuan, members, income_yuan, inside, county_of, share_of, p, flows_of):
    """Change savings and add up in ``flows_of`` (blocks, 2, counties) what is earned and spent.

    ``county_of`` and ``share_of`` (places,) are the county of a place and the share of income that is consumed there.
    """
    p = p[0]
    flows = flows_of[block[2]]
    for h in rows_of(block):
        here, home = np.uint8(place[h]), np.uint8(home_place[h])
        county, share = np.uint16(county_of[home if home < inside else here]), share_of[here]
        income = max(np.int64(0), income_yuan[h, 0] + income_yuan[h, 1])
        spent = np.int64(consumption_yuan(float(income), float(savings_yuan[h]), members[h], share, p))
        savings_yuan[h] += income - spent
        flows[0, county] += income
        flows[1, county] += spent


def _land_mu(world: World) -> np.ndarray:
    """(counties,) contracted land of households and pools by county of the village, sample units."""
    villages = world.geography.villages
    rows = len(world.households)
    areas = np.zeros((blocks_of(rows), world.geography.communities))
    _add_land(rows, world.households.community, world.households.land_mu, areas)
    area = areas.sum(axis=0) + world.village_pool_mu
    county, counties = world.geography.community_county[:villages], world.geography.counties
    return np.asarray(np.bincount(county, area[:villages], counties))  # adds in the order of villages


@threaded_kernel
def _add_land(block, community, land_mu, area_of):
    # areas are float32: their sums in float64 are exact in any order
    area = area_of[block[2]]
    for h in rows_of(block):
        area[np.uint16(community[h])] += land_mu[h]
