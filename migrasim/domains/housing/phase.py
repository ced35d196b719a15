"""Dwellings completed, the public queue served, rents and relief brought up to date."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from migrasim.core.chance import Decision, stream, uniform
from migrasim.core.codes import N_TENURES, N_TIERS, Kind, Tenure, Tier
from migrasim.core.lottery import in_order, lowest
from migrasim.core.rule import kernel, scalars
from migrasim.domains.housing import rules
from migrasim.domains.housing.rules import HousingParams
from migrasim.world import World

MONTHS_A_YEAR = 12.0
CHILD_AGE, ELDER_AGE = 15, 60
_PROGRAMMES = (
    (Tenure.PUBLIC_RENT, "public_housing.public_rental_units"),
    (Tenure.AFFORDABLE_RENT, "public_housing.affordable_rental_units"),
    (Tenure.SHARED_OWNERSHIP, "public_housing.shared_ownership_units"),
)
_MARKET = (Tenure.SELF_BUILT, Tenure.PURCHASED, Tenure.MARKET_RENT, Tenure.OTHER)
_UNCOUNTED = (Tenure.NONE, Tenure.DORMITORY)


def params(world: World) -> HousingParams:
    """Facts of this domain for the world's year."""
    return world.inputs.params("housing", HousingParams, year=world.year)


def start(world: World) -> None:
    """Stock of the base year: what is lived in and the usual share of vacancies."""
    p = params(world)
    geography = world.geography
    world.occupied[:] = world.count_occupied()
    world.stock[:] = world.occupied * world.weight / (1.0 - p.vacancy_share)
    lived_in = world.occupied[:, Tenure.MARKET_RENT] * world.weight
    world.stock[:, Tenure.MARKET_RENT] = lived_in / (1.0 - p.rental_vacancy_share)
    urban = geography.urban
    residents = world.residents() * urban
    share = residents / max(1, residents.sum())
    world.stock[:, Tenure.PUBLIC_RENT] += share * p.public_units_base
    world.stock[:, Tenure.AFFORDABLE_RENT] += share * p.affordable_units_base
    _refresh_units(world)
    world.memory["occupancy_base"] = _occupancy(world)


def _refresh_units(world: World) -> None:
    """Dwellings in sample units; villages, dormitories and outside have as many as are asked for."""
    world.dwellings[:] = world.units(world.stock)
    plenty = np.iinfo(np.int32).max
    inside = world.geography.inside
    for tenure in _UNCOUNTED:
        world.dwellings[:, tenure] = plenty
    world.dwellings[:inside:N_TIERS] = plenty
    world.dwellings[inside:] = plenty


def _occupancy(world: World) -> np.ndarray:
    """(places,) market dwellings lived in over those that stand."""
    return np.asarray(occupancies(world.stock, world.occupied, world.weight))


@kernel
def occupancies(stock, occupied, weight):
    """(places,) of dwellings on the market: those ``occupied``, in sample units of ``weight``, over the ``stock``."""
    shares = np.ones(stock.shape[0])
    for d in range(stock.shape[0]):
        standing, lived_in = 0.0, 0
        for tenure in _MARKET:
            standing += stock[d, tenure]
            lived_in += occupied[d, tenure]
        if standing > 0.0:
            shares[d] = lived_in * weight / max(standing, 1.0)
    return shares


def run(world: World, incomes: np.ndarray) -> None:
    """Complete dwellings of the year and serve the queue for public rental housing.

    Parameters
    ----------
    incomes : (households,) int64 income of the year in yuan of 2020, unread but for those of `may_queue`
    """
    p = params(world)
    geography = world.geography
    inside = geography.inside
    county = np.arange(inside) // N_TIERS
    tier = np.arange(inside) % N_TIERS
    paid = 1.0 - world.county.unpaid_share
    built = np.zeros((geography.counties, N_TENURES))
    denser = [rules.building_factor(float(each), p) for each in world.above("governance.land_efficiency")]
    land_m2 = world.memory.get("quota_land_m2_yr", np.zeros(geography.counties))
    unmet = world.memory.get("refused_dwelling", np.zeros(geography.places)) * world.weight
    for tenure in _MARKET:
        for d in np.flatnonzero(tier != Tier.VILLAGE):
            more = rules.completions(
                world.stock[d, tenure],
                world.occupied[d, tenure] * world.weight,
                unmet[d] if tenure == Tenure.MARKET_RENT else 0.0,
                p.rental_vacancy_share if tenure == Tenure.MARKET_RENT else p.vacancy_share,
                min(1.0, p.building_speed_share * denser[county[d]]),
                p,
            )
            if tenure == Tenure.PURCHASED and tier[d] == Tier.SEAT:
                more = max(0.0, more + rules.quota_dwellings(float(land_m2[county[d]]), denser[county[d]], p))
            world.stock[d, tenure] += more
            built[county[d], tenure] += more
    for tenure, lever in _PROGRAMMES:
        units = world.levers[lever] * paid
        for c in range(geography.counties):
            seat = N_TIERS * c + Tier.SEAT
            world.stock[seat, tenure] += units[c]
            built[c, tenure] += units[c]
    renovated = world.levers["public_housing.renovation_units"] * paid * p.renovation_supply_share
    for c in range(geography.counties):
        seat = N_TIERS * c + Tier.SEAT
        world.stock[seat, Tenure.MARKET_RENT] += renovated[c]
    world.measures["built_units"] = built
    _refresh_units(world)
    _serve_queue(world, incomes, p)
    update(world)


def may_queue(world: World) -> np.ndarray:
    """(households,) bool families that rent on the market; in towns and seats they may queue for public rental."""
    households = world.households
    return np.asarray((households.tenure == Tenure.MARKET_RENT) & (households.kind == Kind.FAMILY))


def _serve_queue(world: World, incomes: np.ndarray, p: HousingParams) -> None:
    """Tenants of low income move into vacant public rental dwellings of their place, by points."""
    households, geography = world.households, world.geography
    gate = (
        world.levers["residence_permit.public_housing"]
        * world.levers["residence_permit.one_pass"]
        * world.levers["public_housing.open_to_migrants"]
    )
    free = np.maximum(0, world.dwellings[:, Tenure.PUBLIC_RENT] - world.occupied[:, Tenure.PUBLIC_RENT])
    free[geography.inside :] = 0
    free[: geography.inside : N_TIERS] = 0
    waiting = serve_queue(
        may_queue(world),
        households.key,
        households.home_place,
        households.place,
        households.tenure,
        households.waiting_yr,
        world.first_member,
        world.members,
        world.persons.birth_year,
        incomes,
        gate,
        free,
        world.occupied,
        geography.inside,
        world.seed,
        world.year,
        scalars(p),
    )
    world.measures["waiting_public"] = waiting


@kernel
def serve_queue(
    may_queue,
    key,
    home_place,
    place,
    tenure,
    waiting_yr,
    first_member,
    members,
    birth_year,
    income,
    gate,
    free,
    occupied,
    inside,
    seed,
    year,
    p,
):
    """Give ``free`` (places,) public dwellings to eligible tenants by points, and by lottery among equals.

    Strangers and the registered of other places are let in as far as ``gate`` (counties,) opens.
    Returns (places,) how many households stay in the queue; ``p`` is one record.
    """
    gate_key = stream(seed, Decision.QUEUE, 0)
    tie_key = stream(seed, Decision.QUEUE, year)
    who, at = np.empty(key.shape[0], np.int32), np.empty(key.shape[0], np.int64)
    count = 0
    for h in range(key.shape[0]):
        d = place[h]
        if may_queue[h] and d < inside and d % N_TIERS != Tier.VILLAGE:
            if rules.is_eligible(income[h], members[h], p[0]):
                if d == home_place[h] or uniform(gate_key, key[h], 0) < gate[d // N_TIERS]:
                    who[count], at[count] = h, d
                    count += 1
                    continue
        waiting_yr[h] = 0
    rank = np.empty(count, np.float64)
    for n in range(count):
        h = who[n]
        dependents = 0
        for i in range(first_member[h], first_member[h] + members[h]):
            age = year - birth_year[i]
            if age < CHILD_AGE or age >= ELDER_AGE:
                dependents += 1
        points = rules.queue_points(income[h], members[h], dependents, waiting_yr[h], p[0])
        rank[n] = -points + 1e-6 * uniform(tie_key, key[h], 0)
    waiting = np.zeros(occupied.shape[0], np.int64)
    served = lowest(at[:count], in_order(rank), free)
    for n in range(count):
        h, d = who[n], at[n]
        if served[n]:
            free[d] -= 1
            occupied[d, tenure[h]] -= 1
            tenure[h] = Tenure.PUBLIC_RENT
            occupied[d, Tenure.PUBLIC_RENT] += 1
            waiting_yr[h] = 0
        else:
            waiting[d] += 1
            waiting_yr[h] = min(255, waiting_yr[h] + 1)
    return waiting


def update(world: World) -> None:
    """Rents after the moves of a wave, prices with them, and the relief a newcomer may expect."""
    updates(world)()


def updates(world: World) -> Callable[[], None]:
    """What does the same wave after wave; what no wave changes is worked out once."""
    p = params(world)
    geography, place = world.geography, world.place
    growth = float(world.memory["growth_index"][0])
    outside = p.outside_rent_yuan_mo * MONTHS_A_YEAR * growth
    place.rent_yuan_yr[geography.near] = outside * p.near_rent_share
    place.rent_yuan_yr[geography.far] = outside
    place.living_cost_yuan_yr_pers[geography.near] = p.outside_living_cost_yuan_yr_pers * p.near_rent_share * growth
    place.living_cost_yuan_yr_pers[geography.far] = p.outside_living_cost_yuan_yr_pers * growth
    permit = world.levers["residence_permit.one_pass"] * world.levers["residence_permit.public_housing"]
    public_gate = permit * world.levers["public_housing.open_to_migrants"]
    waiting = world.measures.get("waiting_public", np.zeros(geography.places, np.int64))
    base, subsidy = world.memory["occupancy_base"], world.levers["public_housing.rent_subsidy"]

    def bring_up_to_date() -> None:
        fill_rents(
            _occupancy(world),
            base,
            world.dwellings,
            world.occupied,
            waiting,
            public_gate,
            permit,
            subsidy,
            growth,
            geography.core,
            p,
            place.rent_yuan_yr,
            place.price_yuan,
            place.living_cost_yuan_yr_pers,
            place.rent_relief_yuan_yr,
        )

    return bring_up_to_date


@kernel
def fill_rents(
    occupancy, base, dwellings, occupied, waiting, public_gate, permit, subsidy, growth, core, p,
    rents, prices, living, reliefs,
):  # fmt: skip
    """Fill ``rents``, ``prices``, cost of ``living`` and ``reliefs`` (places,) of the places inside.

    ``public_gate``, ``permit`` and ``subsidy`` (yuan a month) are (counties,): see `rules.expected_relief`.
    """
    for c in range(permit.shape[0]):
        for tier in range(N_TIERS):
            d = N_TIERS * c + tier
            dearer = p.core_price_ratio if d == core else 1.0
            relative = rules.market_rent(1.0, occupancy[d], base[d], p)
            rent = p.rent_yuan_mo[tier] * MONTHS_A_YEAR * dearer * growth * relative
            rents[d] = rent
            prices[d] = p.price_yuan[tier] * dearer * growth * relative
            living[d] = p.living_cost_yuan_yr_pers[tier] * growth
            if tier == Tier.VILLAGE:
                reliefs[d] = 0.0
                continue
            free_public = max(0, dwellings[d, Tenure.PUBLIC_RENT] - occupied[d, Tenure.PUBLIC_RENT])
            free_affordable = max(0, dwellings[d, Tenure.AFFORDABLE_RENT] - occupied[d, Tenure.AFFORDABLE_RENT])
            tenants = max(1.0, float(occupied[d, Tenure.MARKET_RENT]))
            reliefs[d] = rules.expected_relief(
                rent,
                min(1.0, free_public / (1.0 + float(waiting[d]))) * public_gate[c],
                min(1.0, free_affordable / tenants) * permit[c],
                subsidy[c] * MONTHS_A_YEAR,
                p.subsidy_eligible_share * permit[c],
                p,
            )
