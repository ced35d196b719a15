"""Rules of schools and health care: quality after crowding and access of newcomers."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from migrasim.core.rule import rule


class ServicesParams(NamedTuple):
    """Facts of this domain, by the names they have in its facts."""

    school_quality_tier_share: np.ndarray  # by tier
    health_quality_tier_share: np.ndarray  # by tier
    outside_quality_ratio: float
    outside_access_share: float
    school_slack_share: float
    congestion_exponent: float
    beds_per_1000: float
    attrition_rate_yr: float
    tenant_share: float
    amenity_tier_utility: np.ndarray  # by tier
    renovation_amenity_utility: float
    one_pass_weight: float
    remote_outside_share: float
    award_school_share: float
    utilities_amenity_utility: float
    livable_amenity_utility: float
    resilient_amenity_utility: float
    green_amenity_utility: float
    cultural_amenity_utility: float
    rural_infrastructure_amenity_utility: float
    smart_barrier_share: float
    smart_quality_ratio: float
    rural_services_quality_ratio: float
    size_amenity_utility: float
    own_county_school_share: float
    newcomer_first_years_mo: float


@rule
def crowded_quality(quality, capacity, users, p):
    """Quality of a service when more use it than it has room for.

    ``q min(1, capacity / users) ** phi``, the congestion form of Ma and Tang (2020).
    """
    if users <= capacity or users <= 0.0:
        return quality
    return quality * (capacity / users) ** p.congestion_exponent


@rule
def newcomer_access(permit_share, one_pass_share, waiting_months, p):
    """Share of a service that a newcomer without local registration reaches in its first years.

    What permits open, times the share of newcomers who hold and can use one, times the share of
    the first years (``newcomer_first_years_mo``) that is left after the waiting time; never below 0.
    """
    return permit_share * one_pass_share * max(0.0, 1.0 - waiting_months / p.newcomer_first_years_mo)


@rule
def own_county_access(access_share, own_county_share):
    """Share of a seat's schools that families registered elsewhere in its county reach.

    ``own + (1 - own) access``: a county runs the schools of all its children; whom it does not seat by
    that comes in as a newcomer does.
    """
    return own_county_share + (1.0 - own_county_share) * access_share


@rule
def tenant_access(access_share, equal_rights_share, tenant_share):
    """Access of newcomers of whom ``tenant_share`` rent and reach owners' rights only in part."""
    return access_share * (1.0 - tenant_share * (1.0 - equal_rights_share))


@rule
def settled_outside(access_share, settlement_above, p):
    """Access of newcomers outside to health care, when more or fewer bills are settled away from home.

    ``access + w (settled - settled at the status quo)``, between 0 and 1.
    """
    return min(1.0, max(0.0, access_share + p.remote_outside_share * settlement_above))


@rule
def capacity_bought(award_yuan, part_share, unit_yuan):
    """School places or beds that a part of the award for settlers pays for."""
    return award_yuan * part_share / unit_yuan if unit_yuan > 0.0 else 0.0


@rule
def amenity_gain(index_above, utility):
    """Amenity that a place gains when an index of its quality stands above its status quo."""
    return utility * index_above


@rule
def size_amenity(residents, usual_residents, p):
    """What a larger seat offers beyond its wages, schools and dwellings, over a seat of the usual size.

    ``u ln(residents / usual residents)``: a seat of a quarter million stands for many more employers,
    shops and quarters than one of thirty thousand, and a choice among places must say so (McFadden 1978,
    the size term of aggregated alternatives).
    """
    return p.size_amenity_utility * math.log(max(1.0, residents) / max(1.0, usual_residents))


@rule
def improved_quality(quality, index_above, ratio):
    """Quality of a service when an index stands above its status quo: ``q (1 + ratio above)``."""
    return quality * max(0.0, 1.0 + ratio * index_above)
