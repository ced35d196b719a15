"""What an alternative is worth to a household: its terms of utility, fed with the records of `gather`.

An alternative is a destination and a form. The plain rules are in `migrasim.domains.moving.rules`; here it
is worked out what they are told: who lives where afterwards, what is earned, paid and reached there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from migrasim.core.chance import draw
from migrasim.core.codes import (
    N_OUTSIDE,
    N_TIERS,
    Form,
    Nest,
    Outside,
    Tenure,
    Tier,
)
from migrasim.core.rule import rule
from migrasim.domains.moving import rules
from migrasim.domains.moving.rules import Terms

AT = np.dtype((np.record, [(name, np.float64) for name in (
    "wage_yuan", "work_chance", "rent_yuan", "relief_yuan", "tenant_relief_yuan", "public_rent_yuan",
    "affordable_rent_yuan", "living_yuan", "school", "school_own", "school_access", "health", "health_access",
    "security_access", "amenity", "barrier", "social", "settling",
)]))  # fmt: skip
LAND = np.dtype((np.record, [(name, np.float64) for name in (
    "rent_yuan", "kept", "collective_kept", "exit_income_yuan", "return_gain",
)]))  # fmt: skip


class Places(NamedTuple):
    """What a newcomer finds, frozen within a wave, and the geography.

    Records instead of a column each: kernels are handed few arrays, and a place lies in one line of memory.
    """

    at: np.ndarray  # (places,) records of AT
    land: np.ndarray  # (counties,) records of LAND: what a leaver may expect of land and collective
    distance: np.ndarray  # (places, places) distance term, utils
    community_distance: np.ndarray  # (communities, places)
    community_county: np.ndarray
    origin_place: np.ndarray  # (communities,) place of the community itself, whatever the registered address
    network: np.ndarray  # (communities, places) persons
    registered: np.ndarray  # (communities,) persons
    core: int
    villages: int


class Way(NamedTuple):
    """What lies between a household and an alternative: numbers of its community and of the way."""

    distance: float  # utils
    network_there: float  # where part 1 will live
    registered: float  # persons of the community
    taste: float  # utils


@rule
def county_of(one, inside):
    """The county a household counts as its own; strangers have none but the one they live in, -1 outside."""
    return one.place // N_TIERS if one.county < 0 and one.place < inside else one.county


@rule
def looks_far(one, inside):
    """Whether a household would think of seats of other counties: from outside only of what is one's own."""
    return one.place < inside or one.county < 0


@rule
def is_known(d, own, far, inside, core):
    """Whether a destination is one of those that all households of county ``own`` would think of.

    Towns and seat of the own county, the core city, near and far outside; of those who look ``far`` all seats.
    """
    if d >= inside:
        return True
    tier, county = d % N_TIERS, d // N_TIERS
    if tier == Tier.VILLAGE:
        return False
    return county == own or (tier != Tier.TOWN and (far or d == core))


@rule
def is_within_reach(one, d, inside, core):
    """Whether a household would think of this destination, whatever the form.

    Own town and seat, the core city and the other seats, near and far outside, the village one comes
    from; from outside only what is one's own, the core city and the other outside.
    """
    if d == one.place:
        return False
    own = d == one.home or d == one.origin
    return own or is_known(d, county_of(one, inside), looks_far(one, inside), inside, core)


@rule
def fits(form, d, one, inside):
    """Whether this form goes with this destination."""
    if form == Form.STAY or form == Form.RETURN:
        return d == one.place
    if form == Form.WHOLE:
        return True
    if form == Form.FAMILY:  # to a school in town, or home; whoever goes where the others are is the whole family
        return (
            d < inside and d != one.away_place and (d == one.origin or (one.child_home and d % N_TIERS != Tier.VILLAGE))
        )
    if d < inside and d % N_TIERS == Tier.VILLAGE:
        return False
    if one.split:  # the away part moves on, or somebody joins it
        return (d != one.away_place) == (form == Form.WORKER) and (form != Form.SCHOOL or d < inside)
    return form != Form.SCHOOL or d < inside


@rule
def rent_of(is_outside, here, tenure, persons, p):
    """Rent that a part pays where it lives now, net of the money subsidy of tenants on the market."""
    if tenure == Tenure.MARKET_RENT or (tenure == Tenure.NONE and is_outside):
        return rules.housing_cost_yuan(here.rent_yuan, here.tenant_relief_yuan, persons, p)
    if tenure == Tenure.PUBLIC_RENT:
        return rules.housing_cost_yuan(here.public_rent_yuan, 0.0, persons, p)
    if tenure == Tenure.AFFORDABLE_RENT:
        return rules.housing_cost_yuan(here.affordable_rent_yuan, 0.0, persons, p)
    return 0.0


@rule
def quality(is_registered, registered, access):
    """Quality of a service: in full where registered, by access elsewhere."""
    return registered if is_registered else access


@rule
def school_quality(d, one, there):
    """Quality of the schools that a household's children reach at ``d``.

    In full where they are registered; elsewhere in the county of their registration as its own children do, and as
    newcomers beyond.
    """
    if d == one.home:
        return there.school
    return there.school_own if d // N_TIERS == one.home // N_TIERS else there.school_access


_MASK21, _SHIFT21, _SHIFT42, _SCALE21 = np.uint64((1 << 21) - 1), np.uint64(21), np.uint64(42), float((1 << 21) - 1)


@rule
def taste_of(bits):
    """A number near the standard normal of 64 random bits.

    The sum of three uniforms of 21 bits each has the mean and the variance, and tails cut at three.
    """
    total = (bits & _MASK21) + ((bits >> _SHIFT21) & _MASK21) + ((bits >> _SHIFT42) & _MASK21)
    return 2.0 * (np.float64(total) / _SCALE21 - 1.5)


@rule
def taste_normal(taste_key, key, place):
    """A number near the standard normal, persistent for household and place."""
    return taste_of(draw(taste_key, key, place))


@rule
def base_of(one, form):
    """Where part 0 lives: those who stay at home, or away when those at home move."""
    return one.away_place if form == Form.FAMILY else one.place


class Rest(NamedTuple):
    """What an alternative comes to but for where part 1 will live: the same for all places that are nobody's own."""

    income: float  # yuan, before part 1 earns and pays anything
    earn: float  # pay factors of those who earn where part 1 will live
    school: float  # of part 0, summed over its members
    health: float
    security: float
    amenity: float
    linked: float  # members of part 0 times persons of their community around them
    unregistered: float  # members of part 0 times what is left of the barrier
    eased: float
    at_home: float  # members of part 0 in the place of origin
    land: float  # term, utils
    family: float  # term, utils
    back: float  # support of those who come back to their village, utils
    joins: bool  # whether part 1 is there already


@rule
def rest_of(one, form, d, sums, network_here, here, land, inside, p):
    """`Rest` of an alternative; ``d`` below 0 is any place that is none of the household's own.

    Parameters
    ----------
    one, sums : records of HOME and SUMS, these filled for ``form``
    network_here : persons of the community where part 0 lives
    here : record of AT of where part 0 lives
    land : record of LAND of the county of its community, unread for strangers
    """
    place, away_place, home, origin = one.place, one.away_place, one.home, one.origin
    tenure, rooted = one.tenure, one.rooted
    family = form == Form.FAMILY
    if family:  # the others are part 0 and stay, those at home are part 1 and move
        place, away_place, tenure, rooted = away_place, place, one.away_tenure, one.away_rooted
    stays = sums.stay
    whole = stays == 0.0
    village_home = one.from_village
    # income: what is not given up, land, the collective, less rent and living cost
    income = one.earned_yuan - sums.lost + one.other_income_yuan
    farmers = sums.farmers if place == origin and not whole else 0.0
    earn = 0.0
    if form == Form.RETURN:
        if place == origin and village_home:
            farmers += sums.adults_go
        else:
            income += sums.earn * here.wage_yuan * here.work_chance
    elif form != Form.STAY:
        earn = sums.earn * (p.school_parent_work_share if form == Form.SCHOOL or family else 1.0)
        if (whole or family) and d == origin and village_home:
            farmers = sums.adults_go
    worker_stays = sums.workers0 > 0.0 and place == origin
    if (whole and form == Form.WHOLE) or (family and sums.adults_go > 0.0):
        worker_stays = d == origin
    if form == Form.RETURN and place == origin:
        worker_stays = True
    land_kept, collective_kept, lent_yuan, exit_yuan = 1.0, 1.0, 0.0, 0.0
    if village_home and one.county >= 0:
        lent_yuan = land.rent_yuan
        if not worker_stays:
            land_kept = land.kept
            collective_kept = land.collective_kept
            exit_yuan = land.exit_income_yuan
    worked = rules.farm_worked_share(farmers, one.farmers_needed)
    income += one.farm_full_yuan * worked
    income += one.land_mu * (1.0 - worked) * (lent_yuan * land_kept + exit_yuan)
    income += one.dividend_yuan * collective_kept
    # services where the children and elders of part 0 live, and what stands against living where one is not registered
    school, health, security, amenity, linked, unregistered, eased = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if not whole:
        income -= rent_of(place >= inside, here, tenure, stays, p) + here.living_yuan * stays
        if sums.kids0 > 0.0:
            school = sums.kids0 * school_quality(place, one, here)
        if sums.elders0 > 0.0:
            health = sums.elders0 * quality(place == home, here.health, here.health_access)
            security = sums.elders0 * (1.0 if place == home else here.security_access)
        amenity = stays * here.amenity
        if place != origin:
            linked = stays * network_here
        if place != home:
            unregistered = stays * here.barrier
            eased = stays * (here.social + rooted)
    back = 0.0
    if village_home and one.county >= 0:
        if (form == Form.RETURN and place == origin) or ((form == Form.WHOLE or family) and d == origin):
            back = land.return_gain
    return Rest(
        income,
        earn,
        school,
        health,
        security,
        amenity,
        linked,
        unregistered,
        eased,
        stays if place == origin else 0.0,
        rules.land_term(one.land_mu, land_kept, worker_stays or not village_home, p),
        rules.family_term(sums.apart, sums.child_left, sums.elder_left, p),
        back,
        form == Form.STAY or (away_place >= 0 and d == away_place),
    )


@rule
def terms_at(one, form, d, sums, rest, way, there, inside, p):
    """Terms of utility of one alternative of a household; STAY stands for the present arrangement.

    Parameters
    ----------
    one, sums : records of HOME and SUMS, these filled for ``form``
    rest : `Rest` of the form, at ``d`` where that is one of the household's own places
    way : what lies between the household and the alternative
    there : record of AT of where part 1 will live
    """
    home, origin, members, gone = one.home, one.origin, one.members, sums.go
    income, school, health, security, amenity = rest.income, rest.school, rest.health, rest.security, rest.amenity
    linked, unregistered, eased, at_home = rest.linked, rest.unregistered, rest.eased, rest.at_home
    if gone > 0.0:
        family = form == Form.FAMILY
        away_to = d  # where part 1 lives
        away_tenure, away_rooted = one.away_tenure, one.away_rooted
        if form == Form.STAY:
            away_to = one.away_place
        if family:
            away_tenure, away_rooted = one.tenure, one.rooted
        income += rest.earn * there.wage_yuan * there.work_chance
        if rest.joins:
            income -= rent_of(away_to >= inside, there, away_tenure, gone, p)
        elif d >= inside or d % N_TIERS != Tier.VILLAGE:
            relief = 0.0 if d == home else there.relief_yuan
            income -= rules.housing_cost_yuan(there.rent_yuan, relief, gone, p)
        income -= there.living_yuan * gone
        if sums.kids1 > 0.0:
            school += sums.kids1 * school_quality(away_to, one, there)
        if sums.elders1 > 0.0:
            health += sums.elders1 * quality(away_to == home, there.health, there.health_access)
            security += sums.elders1 * (1.0 if away_to == home else there.security_access)
        amenity += gone * there.amenity
        if away_to == origin:
            at_home += gone
        else:
            linked += gone * way.network_there
        if away_to != home:
            unregistered += gone * there.barrier
            eased += gone * there.social
            if away_to == (one.place if family else one.away_place):  # those who are there already have grown roots
                eased += max(0.0, gone - sums.movers) * away_rooted
    kids, elders = sums.kids0 + sums.kids1, sums.elders0 + sums.elders1
    if kids > 0.0:
        school /= kids
    if elders > 0.0:
        health /= elders
        security /= elders
    # the move itself
    distance, schooling, cost, staying = 0.0, 0.0, 0.0, 0.0
    if form == Form.STAY:
        staying = p.staying_utility
    elif form != Form.RETURN:
        distance = way.distance
        cost = rules.cost_term(
            Nest.INSIDE if d < inside else Nest.OUTSIDE, (d - inside) % N_OUTSIDE == Outside.FAR, sums.movers, p
        )
        leaves = d >= inside or d % N_TIERS != Tier.VILLAGE
        schooling = rules.schooling_term(sums.schooling, leaves, form == Form.YOUNG, p)
    linked = linked / members / way.registered if way.registered > 0.0 else 0.0  # pull of those from home
    return Terms(
        rules.income_term(income, members, one.log_members, p),
        distance,
        rules.network_term(linked, p),
        schooling,
        rules.school_term(kids, school, p),
        rules.health_term(elders, health, p),
        rules.security_term(elders, security, p),
        amenity / members,
        rules.barrier_term(unregistered / members, False, p),
        rest.land,
        rest.family,
        cost,
        p.home_utility * at_home / members + rest.back,
        staying,
        way.taste,
        rules.social_term(eased / members, 1.0),
    )


@rule
def utility_at(one, form, d, sums, rest, way, there, inside, p):
    """The sum of `terms_at`."""
    return total(terms_at(one, form, d, sums, rest, way, there, inside, p))


# The best of all towns and seats inside, or of the outside, to a household that is a stranger there: yuan a year, and
# utils of all children and elders of a household or a member of it, of a move there.
BEST = np.dtype((np.record, [(name, np.float64) for name in (
    "wage_yuan", "living_yuan", "rent_alone_yuan", "rent_yuan", "school", "care", "member", "move",
)]))  # fmt: skip


@rule
def log_at_most(number, edges):
    """Upper bound of the logarithm by the first bits of a number; ``edges`` is `log_edges`."""
    step = (np.float64(number).view(np.int64) >> _LOG_SHIFT) - _LOG_FIRST
    return edges[min(max(step, 0), _LOG_STEPS)]


_LOG_BITS, _LOG_OCTAVES = 5, 40
_LOG_SHIFT, _LOG_FIRST, _LOG_STEPS = 52 - _LOG_BITS, 1023 << _LOG_BITS, _LOG_OCTAVES << _LOG_BITS


def log_edges() -> np.ndarray:
    """(steps,) logarithms of the upper edges of the steps of `log_at_most`, from 1 on; the last is for all beyond."""
    octave, part = np.divmod(np.arange(_LOG_STEPS), 1 << _LOG_BITS)
    return np.append(np.log(1.0 + (part + 1.0) / (1 << _LOG_BITS)) + octave * np.log(2.0), np.inf)


@rule
def settled_at_most(one, form, sums, rest, registered, p):
    """What `at_most` adds up that does not hang on the place, utils."""
    members = one.members
    value = rest.land + rest.family + rest.back - p.income_elasticity * p.equivalence_exponent * one.log_members
    value += rules.schooling_term(sums.schooling, True, form == Form.YOUNG, p)
    value -= p.member_cost_utility * max(0.0, sums.movers - 1.0)
    kids, elders = sums.kids0 + sums.kids1, sums.elders0 + sums.elders1
    if rest.school > 0.0:
        value += p.school_access_utility * rest.school / kids
    if sums.elders0 > 0.0:
        value += (p.health_access_utility * rest.health + p.security_access_utility * rest.security) / elders
    summed = rest.amenity + rest.eased + p.home_utility * rest.at_home
    summed += rules.barrier_term(rest.unregistered, False, p)
    if registered > 0.0:
        summed += p.network_utility * rest.linked / registered
    return value + summed / members


@rule
def at_most(one, sums, rest, settled, best, edges, p):
    """Upper bound of the utility at places that are none of the household's own and no villages, but for way and taste.

    Parameters
    ----------
    settled : `settled_at_most` of the form
    best : record of BEST
    edges : `log_edges`
    """
    gone, floor = sums.go, p.income_floor_yuan_yr_pers * one.members
    rent = best.rent_alone_yuan if gone <= 1.0 else best.rent_yuan
    income = rest.income + rest.earn * best.wage_yuan - gone * best.living_yuan - rent
    value = settled + best.move + p.income_elasticity * log_at_most(max(income, floor), edges)
    if sums.kids1 > 0.0:
        value += best.school * sums.kids1 / (sums.kids0 + sums.kids1)
    if sums.elders1 > 0.0:
        value += best.care * sums.elders1 / (sums.elders0 + sums.elders1)
    return value + best.member * gone / one.members


@rule
def leaves_from(one, form):
    """Where those who move in this form live now."""
    return one.away_place if one.split and form == Form.WORKER else one.place


@rule
def distance_of(one, start, d, between, own):
    """Distance term from ``start`` to ``d``: from the own village by its own roads.

    Those who live elsewhere know where they come from: what lies nearer to it than to where they live counts
    from there, and coming back counts nothing, as it does when a part of a family returns.

    Parameters
    ----------
    between, own : terms from ``start`` to ``d``, and from the own community to ``d``
    """
    if start == one.origin or one.county < 0:
        return own if one.from_village else between
    if d == one.origin:
        return 0.0
    return max(between, own)


@rule
def terms_of(one, form, d, sums, places, taste_key, p):
    """Terms of utility of one alternative at places as they are; see `terms_at`."""
    inside = places.at.shape[0] - N_OUTSIDE
    distance, there = 0.0, one.away_place if form == Form.STAY else d
    if form != Form.STAY and form != Form.RETURN:
        start = leaves_from(one, form)
        distance = distance_of(one, start, d, places.distance[start, d], places.community_distance[one.community, d])
    base = base_of(one, form)
    way = Way(
        distance,
        float(places.network[one.community, there]) if there >= 0 else 0.0,
        places.registered[one.community],
        rules.taste(taste_normal(taste_key, one.key, d), p),
    )
    network_here, land = float(places.network[one.community, base]), places.land[max(0, one.county)]
    rest = rest_of(one, form, d, sums, network_here, places.at[base], land, inside, p)
    return terms_at(one, form, d, sums, rest, way, places.at[there], inside, p)


@rule
def total(terms):
    """Utility: the sum of the terms."""
    return (
        terms.income
        + terms.distance
        + terms.network
        + terms.schooling
        + terms.school
        + terms.health
        + terms.security
        + terms.amenity
        + terms.barrier
        + terms.land
        + terms.family
        + terms.cost
        + terms.home
        + terms.staying
        + terms.taste
        + terms.social
    )
