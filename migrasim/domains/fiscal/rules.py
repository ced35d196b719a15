"""Rules of public accounts and of households' savings. Money is in constant yuan of 2020."""

from __future__ import annotations

from typing import NamedTuple

from migrasim.core.rule import rule


class FiscalParams(NamedTuple):
    """Facts of this domain, by the names they have in its facts."""

    service_cost_yuan_yr_pers: float
    citizenization_cost_yuan: float
    citizenization_once: float
    new_resident_price_year: float
    budget_revenue_yuan_yr: float
    budget_spending_yuan_yr: float
    budget_growth_rate_yr: float
    discretionary_share: float
    higher_share: float
    consumption_village_share: float
    consumption_urban_share: float
    consumption_outside_share: float
    subsistence_yuan_yr_pers: float
    community_centres: float
    expressway_km: float
    railway_km: float
    rural_roads_km: float
    utilities_programme_index: float
    sponge_programme_index: float
    park_mu: float
    improved_land_share_pp: float
    hall_m2_job: float
    inflation_rate_yr: float


@rule
def budget_yuan(total_yuan: float, residents_share: float, years: float, p: FiscalParams) -> float:
    """Yearly budget of a county: its share by residents of the region's, growing at a real rate.

    ``total s (1 + g)^years``.

    Examples
    --------
    >>> from collections import namedtuple
    >>> p = namedtuple("P", ["budget_growth_rate_yr"])(0.0)
    >>> budget_yuan(24.0e9, 0.25, 5, p)
    6000000000.0
    """
    return float(total_yuan * residents_share * (1.0 + p.budget_growth_rate_yr) ** years)


@rule
def new_resident_cost_yuan(new_since_base: float, new_this_year: float, p: FiscalParams) -> float:
    """Cost of services for new urban residents in a year, over all who bear it.

    Either ``k_srv`` a year for everybody who is new since the base year, or ``K_cit`` once for
    everybody who is new this year (``citizenization_once``); the two measure the same and are
    never added. Fewer urban residents than at the base cost nothing and save nothing.

    Parameters
    ----------
    new_since_base, new_this_year : growth of urban residents, persons at full scale

    Examples
    --------
    >>> from collections import namedtuple
    >>> P = namedtuple("P", ["service_cost_yuan_yr_pers", "citizenization_cost_yuan", "citizenization_once"])
    >>> new_resident_cost_yuan(1000.0, 100.0, P(11511.0, 80000.0, 0.0))
    11511000.0
    >>> new_resident_cost_yuan(1000.0, 100.0, P(11511.0, 80000.0, 1.0))
    8000000.0
    """
    if p.citizenization_once >= 1.0:
        return p.citizenization_cost_yuan * max(0.0, new_this_year)
    return p.service_cost_yuan_yr_pers * max(0.0, new_since_base)


@rule
def paid_share(wanted_yuan: float, saved_yuan: float, free_yuan: float) -> float:
    """Share of the outlay wanted that a county can pay.

    ``(free + saved) / wanted`` between 0 and 1; 1 where nothing is wanted.

    Parameters
    ----------
    wanted_yuan : outlay above the status quo
    saved_yuan : what levers below the status quo save
    free_yuan : what the county can decide on, after its services

    Examples
    --------
    >>> paid_share(200.0, 20.0, 80.0)
    0.5
    >>> paid_share(0.0, 0.0, -5.0)
    1.0
    """
    if wanted_yuan <= 0.0:
        return 1.0
    return min(1.0, max(0.0, (free_yuan + saved_yuan) / wanted_yuan))


@rule
def consumption_yuan(income_yuan: float, savings_yuan: float, members: float, share: float, p: FiscalParams) -> float:
    """What a household consumes in a year.

    ``min(income + savings, max(share income, floor members))``: a share of income by where it
    lives, at least subsistence, at most what there is, so savings are never negative.

    Parameters
    ----------
    share : consumption share of the place

    Examples
    --------
    >>> from collections import namedtuple
    >>> p = namedtuple("P", ["subsistence_yuan_yr_pers"])(3000.0)
    >>> consumption_yuan(50000.0, 0.0, 3, 0.6, p), consumption_yuan(1000.0, 500.0, 3, 0.6, p)
    (30000.0, 1500.0)
    """
    wanted = max(share * income_yuan, p.subsistence_yuan_yr_pers * members)
    return max(0.0, min(income_yuan + savings_yuan, wanted))
