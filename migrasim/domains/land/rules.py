"""Rules of land: what a leaver may expect of it, paid exit, and lending it out.

The three rights are contracted land, the homestead and the share in collective income.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from migrasim.core.rule import rule


class LandParams(NamedTuple):
    """Facts of this domain, by the names they have in its facts."""

    rent_yuan_yr_mu: float
    rent_free_share: float
    tenure_security_share: float
    exit_price_yuan_mu: float
    collective_dividend_yuan_yr_pers: float
    exit_share: float
    exit_spread: float
    exit_years_yr: float
    exit_fund_share: float
    exit_collective_share: float
    homestead_price_mu: float
    collective_price_mu: float
    annuity_rate_yr: float
    lend_share: float
    lend_capacity_mu_pers: float
    working_age_min_yr: float
    working_age_max_yr: float
    scale_farming_rent_ratio: float
    scale_farming_capacity_ratio: float


@rule
def security_share(titling_share: float, titling_base_share: float, p: LandParams) -> float:
    """Perceived security of land rights while away.

    ``tau0`` at the status quo of titling, rising in a straight line to 1 with full titling and
    falling to 0 without any (parameter tau_0; certificates raise the chance of having a migrant
    member by 28 percent in Mexico, de Janvry et al. 2015, AER).

    Parameters
    ----------
    titling_share : share of parcels and homesteads titled
    titling_base_share : the same at the status quo

    Examples
    --------
    >>> from collections import namedtuple
    >>> p = namedtuple("P", ["tenure_security_share"])(0.8)
    >>> security_share(0.8, 0.8, p), security_share(1.0, 0.8, p), round(security_share(0.4, 0.8, p), 6)
    (0.8, 1.0, 0.4)
    """
    if titling_share >= titling_base_share:
        if titling_base_share >= 1.0:
            return p.tenure_security_share
        gained = (titling_share - titling_base_share) / (1.0 - titling_base_share)
        return p.tenure_security_share + (1.0 - p.tenure_security_share) * gained
    return p.tenure_security_share * titling_share / titling_base_share


@rule
def lend_share(security: float, p: LandParams) -> float:
    """Share of the land of the absent that is lent out rather than left idle.

    ``lend_share`` at the perceived security of the base year; what is left idle falls in
    proportion to insecurity: ``1 - (1 - l0) (1 - security) / (1 - tau0)``, never below 0.

    Examples
    --------
    >>> from collections import namedtuple
    >>> p = namedtuple("P", ["lend_share", "tenure_security_share"])(0.75, 0.8)
    >>> lend_share(0.8, p), lend_share(1.0, p)
    (0.75, 1.0)
    """
    if p.tenure_security_share >= 1.0:
        return p.lend_share
    return max(0.0, 1.0 - (1.0 - p.lend_share) * (1.0 - security) / (1.0 - p.tenure_security_share))


@rule
def exit_price_yuan(
    land_mu: float, has_homestead: float, has_collective_share: float, price_yuan_mu: float, p: LandParams
) -> float:
    """Price of all the rights that a household still holds, in yuan.

    ``price (mu + h homestead + c share)``: a homestead and a collective share are priced at so
    many mu of land each.

    Examples
    --------
    >>> from collections import namedtuple
    >>> p = namedtuple("P", ["homestead_price_mu", "collective_price_mu"])(2.0, 0.25)
    >>> exit_price_yuan(10.0, 1, 1, 10000.0, p)
    122500.0
    """
    return price_yuan_mu * (
        land_mu + p.homestead_price_mu * has_homestead + p.collective_price_mu * has_collective_share
    )


@rule
def sell_prob(price_yuan_mu: float, quantile: float, p: LandParams) -> float:
    """Share of households whose reservation price lies below the price offered.

    ``Phi(q + ln(price / P0) / sigma)``: reservation prices per mu are lognormal with spread
    ``sigma``, placed so that the share ``exit_share = Phi(q)`` trades at ``P0`` (one in ten at
    27,800 yuan, Wang and Ye 2020, Land 9(3):80).

    Parameters
    ----------
    price_yuan_mu : price offered
    quantile : ``q``, standard normal quantile of ``exit_share``

    Examples
    --------
    >>> from collections import namedtuple
    >>> p = namedtuple("P", ["exit_price_yuan_mu", "exit_spread"])(27800.0, 1.0)
    >>> round(sell_prob(27800.0, -1.2815515655, p), 6)
    0.1
    """
    if price_yuan_mu <= 0.0:
        return 0.0
    ratio = price_yuan_mu / p.exit_price_yuan_mu
    if ratio <= 0.0:  # too small a price for a number
        return 0.0
    score = quantile + math.log(ratio) / p.exit_spread
    return 0.5 * math.erfc(-score / math.sqrt(2.0))


@rule
def exit_income_yuan_yr_mu(price_yuan_mu: float, chance: float, kept_share: float, p: LandParams) -> float:
    """Yearly worth of a paid exit to a leaver, per mu, over going on to lend the land.

    ``chance max(0, price i - rent (1 - free) kept)``: the annuity of the price less the rent
    given up, times the chance that the market is open, the price is acceptable and the fund
    has served (as it was last year: nobody sees the future).

    Examples
    --------
    >>> from collections import namedtuple
    >>> p = namedtuple("P", ["annuity_rate_yr", "rent_yuan_yr_mu", "rent_free_share"])(0.05, 350.0, 0.6)
    >>> exit_income_yuan_yr_mu(10000.0, 0.5, 1.0, p)
    180.0
    """
    rent = p.rent_yuan_yr_mu * (1.0 - p.rent_free_share) * kept_share
    return chance * max(0.0, price_yuan_mu * p.annuity_rate_yr - rent)


@rule
def scale_factor(scale_above: float, ratio: float) -> float:
    """Factor on rents, or on the land that stayers can take, as land comes to larger farms.

    ``1 + ratio (share - share at the status quo)``, never below 0.

    Examples
    --------
    >>> scale_factor(0.3, 1.0)
    1.3
    """
    return max(0.0, 1.0 + ratio * scale_above)
