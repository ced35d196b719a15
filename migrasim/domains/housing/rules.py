"""Rules of dwellings, rents and public relief. Money is yuan of 2020."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from migrasim.core.rule import rule


class HousingParams(NamedTuple):
    """Facts of this domain, by the names they have in its facts."""

    rent_yuan_mo: np.ndarray  # by tier, a family's dwelling
    price_yuan: np.ndarray  # by tier
    core_price_ratio: float  # core city over other seats
    outside_rent_yuan_mo: float
    near_rent_share: float
    rent_inflow_elasticity: float
    vacancy_share: float
    rental_vacancy_share: float
    public_rent_discount_share: float
    affordable_rent_discount_share: float
    shared_ownership_discount_share: float
    eligible_income_yuan_yr_pers: float
    subsidy_eligible_share: float
    subsidy_reach_share: float
    building_speed_share: float
    renovation_supply_share: float
    public_units_base: float
    affordable_units_base: float
    living_cost_yuan_yr_pers: np.ndarray  # by tier, over a village's
    outside_living_cost_yuan_yr_pers: float
    land_efficiency_building_ratio: float
    quota_dwellings_m2: float
    points_income: float
    points_waiting_yr: float
    points_dependent: float


@rule
def market_rent(base_yuan, occupancy, base_occupancy, p):
    """Rent after households have grown on a given stock.

    ``ln R = ln R0 + xi ln(occupancy / base occupancy)``; xi is the published elasticity of rents
    to the inflow of people.
    """
    if base_occupancy <= 0.0 or occupancy <= 0.0:
        return base_yuan
    return base_yuan * math.exp(p.rent_inflow_elasticity * math.log(occupancy / base_occupancy))


@rule
def expected_relief(rent_yuan, public_chance, affordable_chance, subsidy_yuan, subsidy_share, p):
    """What a newcomer may expect to be relieved of its rent in a year.

    The chance of a public rental dwelling times its discount, else the chance of an affordable one
    times its discount, else the money subsidy for the share who are eligible.
    """
    public = public_chance * p.public_rent_discount_share * rent_yuan
    affordable = (1.0 - public_chance) * affordable_chance * p.affordable_rent_discount_share * rent_yuan
    money = (1.0 - public_chance) * subsidy_share * min(subsidy_yuan, rent_yuan)
    return min(rent_yuan, public + affordable + money)


@rule
def tenant_relief(rent_yuan, subsidy_yuan, p):
    """Money subsidy that tenants on the market of towns get in a year, spread over all of them."""
    return p.subsidy_reach_share * min(subsidy_yuan, rent_yuan)


@rule
def let_below_market(rent_yuan, discount_share):
    """Rent of a dwelling that is let at a discount on what the market asks."""
    return rent_yuan * (1.0 - discount_share)


@rule
def completions(stock, occupied, unmet, vacancy_share, speed, p):
    """Market dwellings built towards the usual share of vacancies and for those refused last year."""
    wanted = (occupied + unmet) / (1.0 - vacancy_share)
    return max(0.0, (wanted - stock) * speed)


@rule
def is_eligible(income_yuan, members, p):
    """Whether a household's income per head is low enough for public rental housing."""
    return income_yuan < p.eligible_income_yuan_yr_pers * members


@rule
def building_factor(efficiency_above, p):
    """Factor on dwellings built on given urban land, 1 at the status quo of its use."""
    return max(0.0, 1.0 + p.land_efficiency_building_ratio * efficiency_above)


@rule
def quota_dwellings(land_m2, efficiency_factor, p):
    """Dwellings on urban land given for settlers beyond the usual quota; fewer where it is below."""
    return p.quota_dwellings_m2 * land_m2 * efficiency_factor


@rule
def queue_points(income_yuan, members, dependents, waiting_yr, p):
    """Points of an eligible household in the queue for public rental housing; the most points are served first.

    ``a (1 - income a head / ceiling) + b years waited + c children and elders``: need counts, and who
    has waited long overtakes who is a little poorer.
    """
    ceiling = p.eligible_income_yuan_yr_pers * members
    poorer = 1.0 - max(0.0, income_yuan) / ceiling if ceiling > 0.0 else 0.0
    return p.points_income * poorer + p.points_waiting_yr * waiting_yr + p.points_dependent * dependents
