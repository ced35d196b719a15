"""Rules of considering, choosing and being refused a move. Terms of utility are in utils.

Every term of section 4 of the model description is one function here; the phase only gathers
numbers and adds the terms up. A planner who looks for "rent" finds it in ``housing_cost_yuan``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from migrasim.core.codes import Form, Nest
from migrasim.core.rule import rule


class MovingParams(NamedTuple):
    """Facts of this domain, by the names they have in its facts."""

    income_elasticity: float
    distance_income_ratio: float
    distance_scale_min: float
    network_utility: float
    schooling_utility_yr: float
    nest_dissimilarity: float
    staying_utility: float
    inside_cost_utility: float
    near_cost_utility: float
    far_cost_utility: float
    member_cost_utility: float
    young_leaves_utility: float
    home_utility: float
    school_access_utility: float
    health_access_utility: float
    security_access_utility: float
    registration_barrier_utility: float
    tenure_security_utility: float
    spouse_apart_utility: float
    child_left_utility: float
    elder_left_utility: float
    taste_sd_utility: float
    equivalence_exponent: float
    income_floor_yuan_yr_pers: float
    consider_rate_yr: float
    rogers_castro_a1: float
    rogers_castro_alpha1: float
    rogers_castro_a2: float
    rogers_castro_alpha2: float
    rogers_castro_mu2: float
    rogers_castro_lambda2: float
    rogers_castro_c: float
    consider_schooling_factor: float
    consider_youth_factor: float
    consider_seeking_factor: float
    consider_peer_factor: float
    consider_marriage_factor: float
    consider_news_factor: float
    consider_away_factor: float
    single_rent_share: float
    dormitory_share: float
    school_parent_work_share: float
    buy_share: float
    down_payment_share: float
    integration_utility: float
    community_utility: float
    returnee_utility: float
    rural_roads_time_share: float
    cluster_time_share: float
    settled_utility: float
    settling_years: float
    settling_gain_ratio: float
    interplay_exponent: float
    youth_until_yr: float
    young_until_yr: float


class Terms(NamedTuple):
    """Terms of the utility of one alternative, in utils; the utility is their sum."""

    income: float
    distance: float
    network: float
    schooling: float
    school: float
    health: float
    security: float
    amenity: float
    barrier: float
    land: float
    family: float
    cost: float
    home: float
    staying: float
    taste: float
    social: float


@rule
def rogers_castro(age, p):
    """Age profile of migration, a rate whose height is set by ``consider_rate_yr``.

    ``a1 exp(-alpha1 x) + a2 exp(-alpha2 (x - mu2) - exp(-lambda2 (x - mu2))) + c``
    (Rogers and Castro 1981, IIASA RR-81-30).
    """
    pulse = age - p.rogers_castro_mu2
    return (
        p.rogers_castro_a1 * math.exp(-p.rogers_castro_alpha1 * age)
        + p.rogers_castro_a2 * math.exp(-p.rogers_castro_alpha2 * pulse - math.exp(-p.rogers_castro_lambda2 * pulse))
        + p.rogers_castro_c
    )


@rule
def consider_prob(age, schooling_event, youth, seeking, wed, peer_share, away, news_share, p):
    """Chance that a household considers moving within the year.

    The Rogers-Castro rate at the ``age`` of the likeliest mover, relative to its rate at age 20,
    times the factors of life events: a child reaching 6, 12 or 15, an unmarried member who has left
    school, of 16 and until ``youth_until_yr``, a member seeking work, a marriage in the household,
    peers who moved last year (``peer_share`` of the community), members away already, and news of a
    measure that concerns the household (``news_share``, see `news_share`). A rate a year r becomes the
    probability 1 - exp(-r).
    """
    rate = p.consider_rate_yr * rogers_castro(age, p) / rogers_castro(p.rogers_castro_mu2, p)
    if schooling_event:
        rate *= p.consider_schooling_factor
    if youth:
        rate *= p.consider_youth_factor
    if seeking:
        rate *= p.consider_seeking_factor
    if away:
        rate *= p.consider_away_factor
    if wed:
        rate *= p.consider_marriage_factor
    rate *= 1.0 + p.consider_peer_factor * peer_share
    rate *= 1.0 + p.consider_news_factor * news_share
    return 1.0 - math.exp(-rate)


@rule
def news_share(change, way):
    """How much of the whole way of a lever was gone in a year, from 0 to 1; its news is as loud.

    ``change`` against last year and ``way`` from the status quo to the plan (to the farther bound
    where the plan leaves the lever), in the unit of the lever.
    """
    return min(1.0, abs(change) / way) if way > 0.0 else 0.0


@rule
def income_term(income_yuan, members, log_members, p):
    """``kappa ln(income per equivalent member)``; the elasticity keeps its published meaning.

    The equivalence scale is ``members ** exponent``, taken off as ``exponent * log_members``;
    incomes below the floor count as the floor.
    """
    counted = math.log(max(income_yuan, p.income_floor_yuan_yr_pers * members))
    return p.income_elasticity * (counted - p.equivalence_exponent * log_members)


@rule
def distance_term(minutes, p):
    """``-omega kappa ln(1 + t / t0)``: ten percent farther wants fifteen percent more income."""
    return -p.distance_income_ratio * p.income_elasticity * math.log(1.0 + minutes / p.distance_scale_min)


@rule
def network_term(share_there, p):
    """Pull of the share of the community's registered people who live there already."""
    return p.network_utility * share_there


@rule
def schooling_term(years, leaves_village, is_young, p):
    """Educated people gain more from leaving the village; the young leave to study or for a first job."""
    gain = p.schooling_utility_yr * years if leaves_village else 0.0
    return gain + p.young_leaves_utility if is_young else gain


@rule
def school_term(children, quality_share, p):
    """Schooling of the children of 6 to 14 years where they will live."""
    return p.school_access_utility * quality_share if children > 0 else 0.0


@rule
def health_term(elders, quality_share, p):
    """Health care of members of 60 and more where they will live."""
    return p.health_access_utility * quality_share if elders > 0 else 0.0


@rule
def security_term(elders, access_share, p):
    """Minimum living allowance and elderly care where members of 60 and more will live."""
    return p.security_access_utility * access_share if elders > 0 else 0.0


@rule
def barrier_term(barrier_share, is_registered, p):
    """What is left of the barrier of registration for those not registered there."""
    return 0.0 if is_registered else -p.registration_barrier_utility * barrier_share


@rule
def land_term(land_mu, kept_share, worker_stays, p):
    """Insecurity of contracted land, per ten mu, when no worker stays in the village."""
    return 0.0 if worker_stays else -p.tenure_security_utility * (1.0 - kept_share) * land_mu / 10.0


@rule
def family_term(spouses_apart, children_left, elders_left, p):
    """Cost of living apart: spouses, children without a parent, elders without a worker."""
    return -(
        p.spouse_apart_utility * spouses_apart
        + p.child_left_utility * children_left
        + p.elder_left_utility * elders_left
    )


@rule
def cost_term(nest, is_far, movers, p):
    """Fixed cost of a move inside the region, near or far outside, and of each further member who moves."""
    more = p.member_cost_utility * max(0.0, movers - 1.0)
    if nest == Nest.INSIDE:
        return -p.inside_cost_utility - more
    return -(p.far_cost_utility if is_far else p.near_cost_utility) - more


@rule
def housing_cost_yuan(rent_yuan, relief_yuan, persons, p):
    """Yearly rent of a part of ``persons`` net of expected relief; a lone person rents a share."""
    rent = rent_yuan * (p.single_rent_share if persons <= 1 else 1.0)
    return max(0.0, rent - relief_yuan)


@rule
def social_ease(integration_above, community_above, p):
    """Social cost of living among strangers that integration and community work take away, in utils.

    ``w_i (integration - its status quo) + w_c (community - its status quo)``; the fixed costs of a
    move contain the social cost of the base year.
    """
    return p.integration_utility * integration_above + p.community_utility * community_above


@rule
def social_term(unregistered_share, ease_utility):
    """Social ease for the share of the household that lives where it is not registered."""
    return unregistered_share * ease_utility


@rule
def settling_speed(integration_above, p):
    """How fast newcomers grow roots, over the status quo: ``1 + w (integration - its status quo)``."""
    return max(0.0, 1.0 + p.settling_gain_ratio * integration_above)


@rule
def settled_term(years, speed, p):
    """Attachment that grows where one lives without being registered there: ``u (1 - exp(-speed years / tau))``."""
    return p.settled_utility * (1.0 - math.exp(-speed * max(0.0, years) / p.settling_years))


@rule
def interplay_factor(permits, rights, housing, jobs, p):
    """Factor on what places offer when several groups of levers are set at once.

    ``(sum a^q)^(1/q) / sum a`` over how far each of four groups is set, from 0 to 1: 1 for one group
    alone whatever q; below 1 where q is above 1 (groups replace one another), above 1 where it is below.
    """
    together = permits + rights + housing + jobs
    q = p.interplay_exponent
    if q == 1.0 or together <= 0.0 or together == max(max(permits, rights), max(housing, jobs)):
        return 1.0
    return (permits**q + rights**q + housing**q + jobs**q) ** (1.0 / q) / together


@rule
def return_gain(support_above, p):
    """Pull of the home village that support of returnees adds, in utils."""
    return p.returnee_utility * support_above


@rule
def travel_factor(saved_share, base_share):
    """Travel time between counties and to the outside over that of the status quo."""
    return (1.0 - saved_share) / (1.0 - base_share) if base_share < 1.0 else 1.0


@rule
def rural_roads_factor(done_above, p):
    """Travel time from villages to their town and seat over that of the status quo."""
    return max(0.0, 1.0 - p.rural_roads_time_share * done_above)


@rule
def cluster_factor(integration_above, p):
    """Travel time to the outside over that of the status quo, as the region joins the cluster of cities."""
    return max(0.0, 1.0 - p.cluster_time_share * integration_above)


@rule
def taste(normal, p):
    """Persistent taste of a household for a place, the same in every year and scenario."""
    return p.taste_sd_utility * normal


@rule
def farm_worked_share(farmers, farmers_needed):
    """Share of a household's land that its farmers can work."""
    return min(1.0, farmers / farmers_needed) if farmers_needed > 0.0 else 0.0


@rule
def can_buy(savings_yuan, price_yuan, p):
    """Whether savings reach the down payment."""
    return savings_yuan >= p.down_payment_share * price_yuan


@rule
def takes_children(form):
    """Whether the children of school age move with this form."""
    return form == Form.SCHOOL or form == Form.WHOLE
