"""Rules of residence permits, transfer of registration and the three rights.

Registration is a second, separate decision of households that live in town already. Terms of the
pull are in utils of a logistic multiplier: 0 leaves the yearly rate as it is, much above doubles
it, much below takes it away.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from migrasim.core.rule import rule

MONTHS = 12.0  # months of a year


class HukouParams(NamedTuple):
    """Facts of this domain, by the names they have in its facts."""

    transfer_rate_yr: float
    service_substitution_share: float
    transfer_centre_utility: float
    duration_utility: float
    duration_reference_yr: float
    own_home_utility: float
    child_utility: float
    steady_job_utility: float
    land_lost_utility_mu: float
    homestead_lost_utility: float
    collective_lost_utility: float
    transfer_delay_rate_mo: float
    child_age_max_yr: float
    pupil_age_min_yr: float
    outside_transfer_rate_yr: float
    outside_settled_years: float


@rule
def stay_months(years: float, luck: float) -> float:
    """Months that a household has lived at its place at the end of a year.

    ``12 (years + luck)``: the month of arrival is not kept, so ``luck`` (uniform, persistent)
    stands for the part of the first year that was left.

    Parameters
    ----------
    years : calendar years since the year of arrival, 0 in the year itself
    luck : uniform draw in (0, 1), the same in every year

    Examples
    --------
    >>> stay_months(0, 0.5)
    6.0
    """
    return MONTHS * (years + luck)


@rule
def has_permit(months: float, waiting_months: float, luck: float, take_up_share: float) -> bool:
    """Whether a household that lives in a town without being registered there holds a permit.

    After the waiting time, with the share of take-up: ``months >= waiting and luck < take_up``.
    With persistent ``luck``, a higher share or a shorter wait only adds holders.

    Examples
    --------
    >>> has_permit(7.0, 6.0, 0.4, 0.5)
    True
    >>> has_permit(5.0, 6.0, 0.4, 0.5)
    False
    """
    return months >= waiting_months and luck < take_up_share


@rule
def transfer_pull(
    years: float,
    own_home: float,
    child: float,
    steady_job: float,
    land_lost_mu: float,
    homestead_lost: float,
    collective_lost: float,
    p: HukouParams,
) -> float:
    """Pull of local registration over keeping the old one, in utils.

    ``a_d ln((1 + years) / (1 + ref)) + a_o own + a_c child + a_j job - b_l mu - b_h homestead
    - b_c collective - centre``. Duration, own home, children and a steady job pull; rights that
    would be lost push (Chen and Fan 2016, China Review 16(3):9-39: rural registration is kept
    for land, homestead and collective income).

    Parameters
    ----------
    years : years at the place
    own_home, child, steady_job : 1 where the household has one there, else 0
    land_lost_mu : contracted land expected to be lost by the transfer
    homestead_lost, collective_lost : probability of losing the right, 0 where there is none

    Examples
    --------
    >>> from collections import namedtuple
    >>> p = namedtuple("P", HukouParams._fields)(
    ...     0.04, 0.5, 1.0, 0.5, 5.0, 1.0, 0.5, 0.5, 0.1, 1.0, 0.3, 0.03, 15, 6, 0.05, 3.0
    ... )
    >>> transfer_pull(5.0, 1.0, 1.0, 0.0, 10.0, 0.0, 0.0, p)
    -0.5
    """
    pull = p.duration_utility * math.log((1.0 + years) / (1.0 + p.duration_reference_yr))
    pull += p.own_home_utility * own_home + p.child_utility * child + p.steady_job_utility * steady_job
    push = p.land_lost_utility_mu * land_lost_mu
    push += p.homestead_lost_utility * homestead_lost + p.collective_lost_utility * collective_lost
    return pull - push - p.transfer_centre_utility


@rule
def transfer_prob(pull: float, open_services_share: float, transfer_months: float, p: HukouParams) -> float:
    """Chance that a household transfers its registration within the year.

    ``1 - exp(-rate)`` with ``rate = r 2 / (1 + exp(-pull)) (1 - psi open) exp(-d months)``.
    Services that the permit has opened take away up to ``psi`` of the reason; each month that
    the transfer takes, and the trouble it stands for, a further part.

    Parameters
    ----------
    pull : of ``transfer_pull``, utils
    open_services_share : share of services that the household's permit opens, 0 without a permit
    transfer_months : time that a transfer takes

    Examples
    --------
    >>> from collections import namedtuple
    >>> p = namedtuple("P", HukouParams._fields)(
    ...     0.04, 0.5, 1.0, 0.5, 5.0, 1.0, 0.5, 0.5, 0.1, 1.0, 0.3, 0.03, 15, 6, 0.05, 3.0
    ... )
    >>> round(transfer_prob(0.0, 0.0, 0.0, p), 4)
    0.0392
    >>> transfer_prob(0.0, 1.0, 0.0, p) < transfer_prob(0.0, 0.0, 0.0, p)
    True
    """
    rate = p.transfer_rate_yr * 2.0 / (1.0 + math.exp(-pull))
    rate *= 1.0 - p.service_substitution_share * open_services_share
    rate *= math.exp(-p.transfer_delay_rate_mo * transfer_months)
    return 1.0 - math.exp(-rate)


@rule
def keeps_right(luck: float, kept_prob: float) -> bool:
    """Whether a settler keeps one of the three rights: ``luck < kept_prob``.

    With persistent ``luck``, raising the probability never takes a right away.

    Examples
    --------
    >>> keeps_right(0.4, 0.9)
    True
    """
    return luck < kept_prob


@rule
def outside_transfer_prob(years: float, p: HukouParams) -> float:
    """Chance that a household wholly outside takes its registration there within the year.

    ``1 - exp(-rate)`` once it has lived there for the years that count as settled, 0 before.

    Parameters
    ----------
    years : calendar years since the household as a whole came to live there

    Examples
    --------
    >>> from collections import namedtuple
    >>> p = namedtuple("P", HukouParams._fields)(*[0.0] * 14, 0.05, 3.0)
    >>> outside_transfer_prob(2.0, p)
    0.0
    >>> round(outside_transfer_prob(3.0, p), 4)
    0.0488
    """
    return 1.0 - math.exp(-p.outside_transfer_rate_yr) if years >= p.outside_settled_years else 0.0
