"""Dwellings completed, the public queue served, rents and relief brought up to date."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from migrasim.core.chance import Decision, stream, uniform
from migrasim.core.codes import N_TENURES, N_TIERS, Kind, Tenure, Tier
from migrasim.core.lottery import in_order, lowest
from migrasim.core.rule import empty, kernel, members_of, record, zeros
from migrasim.domains.housing import rules
from migrasim.domains.housing.rules import HousingParams
from migrasim.world import World

MONTHS_A_YEAR = 12.0
CHILD_AGE, ELDER_AGE = 15, 60  # below compulsory school's end; old by the law on the rights of the elderly
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
    world.dwellings[:] = world.units(world.stock, Decision.DWELLING)
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
    shares = empty(stock.shape[0], np.float64)
    for d in range(stock.shape[0]):
        standing, lived_in = 0.0, 0
        for tenure in _MARKET:
            standing += stock[d, tenure]
            lived_in += occupied[d, tenure]
        shares[d] = lived_in * weight / max(standing, 1.0) if standing > 0.0 else 1.0
    return shares


def run(world: World, tenants: np.ndarray, incomes: np.ndarray) -> Callable[[], None]:
    """Complete dwellings of the year and serve the queue for public rental housing; returns `updates`.

    Parameters
    ----------
    tenants : rows of the households that `may_queue`
    incomes : (tenants,) int64 income of the year in yuan of 2020
    """
    p = params(world)
    geography = world.geography
    built = np.zeros((geography.counties, N_TENURES))
    complete(
        world.above("governance.land_efficiency"),
        world.memory.get("quota_land_m2_yr", np.zeros(geography.counties)),
        world.memory.get("refused_dwelling", np.zeros(geography.places)) * world.weight,
        world.occupied,
        world.weight,
        record(p),
        world.stock,
        built,
    )
    seats = world.stock[Tier.SEAT : geography.inside : N_TIERS]
    for tenure, lever in _PROGRAMMES:
        units = world.built(lever)
        seats[:, tenure] += units
        built[:, tenure] += units
    seats[:, Tenure.MARKET_RENT] += world.built("public_housing.renovation_units") * p.renovation_supply_share
    world.measures["built_units"] = built
    _refresh_units(world)
    _serve_queue(world, tenants, incomes, p)
    return update(world)


@kernel
def complete(efficiency, land_m2, unmet, occupied, weight, p, stock, built):
    """Complete market dwellings of towns and seats.

    They are added to ``stock`` (places, tenures) and ``built`` (counties, tenures). ``efficiency`` of land over the
    status quo and ``land_m2`` for settlers are (counties,); ``unmet`` (places,) was refused last year, ``occupied``
    (places, tenures) is in sample units of ``weight``.
    """
    p = p[0]
    for tenure in _MARKET:
        to_let = tenure == Tenure.MARKET_RENT
        vacancy_share = p.rental_vacancy_share if to_let else p.vacancy_share
        for c in range(built.shape[0]):
            denser = rules.building_factor(efficiency[c], p)
            speed = min(1.0, p.building_speed_share * denser)
            for tier in range(Tier.TOWN, N_TIERS):
                d = N_TIERS * c + tier
                lived_in, refused = occupied[d, tenure] * weight, unmet[d] if to_let else 0.0
                more = rules.completions(stock[d, tenure], lived_in, refused, vacancy_share, speed, p)
                if tenure == Tenure.PURCHASED and tier == Tier.SEAT:
                    more = max(0.0, more + rules.quota_dwellings(land_m2[c], denser, p))
                stock[d, tenure] += more
                built[c, tenure] += more


def may_queue(world: World) -> np.ndarray:
    """Rows of families that rent on the market; in towns and seats they may queue for public rental."""
    households = world.households  # NumPy compares bytes with codes, unlike with int, in words of eight
    return np.flatnonzero((households.tenure == int(Tenure.MARKET_RENT)) & (households.kind == int(Kind.FAMILY)))


def _serve_queue(world: World, tenants: np.ndarray, incomes: np.ndarray, p: HousingParams) -> None:
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
        tenants,
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
        record(p),
    )
    world.measures["waiting_public"] = waiting


@kernel
def serve_queue(
    tenants,
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

    ``tenants`` are rows of households, ``income`` (tenants,) is theirs; years of waiting of all others end.
    Strangers and the registered of other places are let in as far as ``gate`` (counties,) opens.
    Returns (places,) how many households stay in the queue; ``p`` is one record.
    """
    p = p[0]
    gate_key = stream(seed, Decision.QUEUE, 0)
    tie_key = stream(seed, Decision.QUEUE, year)
    rows = tenants.shape[0]
    who, at, waited = empty(rows, np.int32), empty(rows, np.int64), empty(rows, np.int64)
    rank = empty(rows, np.float64)
    count = 0
    for n in range(rows):
        h = tenants[n]
        d = place[h]
        if d >= inside or d % N_TIERS == Tier.VILLAGE or not rules.is_eligible(income[n], members[h], p):
            continue
        if d != home_place[h] and uniform(gate_key, key[h], 0) >= gate[d // N_TIERS]:
            continue
        dependents = 0
        for i in members_of(first_member, members, h):
            age = year - birth_year[i]
            if age < CHILD_AGE or age >= ELDER_AGE:
                dependents += 1
        points = rules.queue_points(income[n], members[h], dependents, waiting_yr[h], p)
        rank[count] = -points + 1e-6 * uniform(tie_key, key[h], 0)
        who[count], at[count], waited[count] = h, d, waiting_yr[h]
        count += 1
    waiting_yr[:] = 0
    waiting = zeros(occupied.shape[0], np.int64)
    served = lowest(at[:count], in_order(rank[:count]), free)
    for n in range(count):
        h, d = who[n], at[n]
        if served[n]:
            free[d] -= 1
            occupied[d, tenure[h]] -= 1
            tenure[h] = Tenure.PUBLIC_RENT
            occupied[d, Tenure.PUBLIC_RENT] += 1
        else:
            waiting[d] += 1
            waiting_yr[h] = min(255, waited[n] + 1)
    return waiting


def update(world: World) -> Callable[[], None]:
    """Rents after the moves of a wave, prices with them, and the relief of newcomers and tenants; returns `updates`."""
    bring_up_to_date = updates(world)
    bring_up_to_date()
    return bring_up_to_date


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
    world.memory["subsidy_reach_share"] = np.array([p.subsidy_reach_share])
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
            record(p),
            place.rent_yuan_yr,
            place.price_yuan,
            place.living_cost_yuan_yr_pers,
            place.rent_relief_yuan_yr,
            place.tenant_relief_yuan_yr,
            place.public_rent_yuan_yr,
            place.affordable_rent_yuan_yr,
        )

    return bring_up_to_date


@kernel
def fill_rents(
    occupancy, base, dwellings, occupied, waiting, public_gate, permit, subsidy, growth, core, p,
    rents, prices, living, reliefs, tenant_reliefs, public_rents, affordable_rents,
):  # fmt: skip
    """Fill ``rents``, ``prices``, cost of ``living``, ``reliefs`` and rents below market (places,), inside.

    ``public_gate``, ``permit`` and ``subsidy`` (yuan a month) are (counties,): see `rules.expected_relief`.
    """
    p = p[0]
    for c in range(permit.shape[0]):
        for tier in range(N_TIERS):
            d = N_TIERS * c + tier
            dearer = p.core_price_ratio if d == core else 1.0
            relative = rules.market_rent(1.0, occupancy[d], base[d], p)
            rent = p.rent_yuan_mo[tier] * MONTHS_A_YEAR * dearer * growth * relative
            rents[d] = rent
            public_rents[d] = rules.let_below_market(rent, p.public_rent_discount_share)
            affordable_rents[d] = rules.let_below_market(rent, p.affordable_rent_discount_share)
            prices[d] = p.price_yuan[tier] * dearer * growth * relative
            living[d] = p.living_cost_yuan_yr_pers[tier] * growth
            if tier == Tier.VILLAGE:
                reliefs[d] = tenant_reliefs[d] = 0.0
                continue
            tenant_reliefs[d] = rules.tenant_relief(rent, subsidy[c] * MONTHS_A_YEAR, p)
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
