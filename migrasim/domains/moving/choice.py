"""What alternatives are worth to a household, and the kernels of considering and choosing.

Every alternative is a destination and a form. The terms of its utility come from the plain rules, fed
with the records of `migrasim.domains.moving.household`.

Choosing looks at few alternatives in full. Nobody asks what stands behind staying, and luck is cheap to
bound: the upper bound of an alternative is the utility that this form would have at a place with the best
of everything, what household and destination add to it, and the luck that its first ten bits allow. Where
that cannot beat staying, nor the ``ROUNDS``-th best so far, the alternative is passed over; the others are
weighed by the rules. So choices are those of weighing all, to the last bit.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from migrasim.core.chance import Decision, chooser, draw, pick, stream, uniform
from migrasim.core.codes import N_FORMS, N_OUTSIDE, N_TIERS, Activity, Form, Nest, Outside, Tenure, Tier
from migrasim.core.logit import gumbel, nest_error
from migrasim.core.rule import inlined, kernel, rows_of, rule, threaded_kernel
from migrasim.domains.moving import rules
from migrasim.domains.moving.household import (
    CHILD_AGE,
    ELDER_AGE,
    SCHOOL_AGE,
    SUMS,
    YOUTH_AGE,
    Families,
    People,
    can_form,
    gather,
    is_adult,
    sum_up,
)
from migrasim.domains.moving.rules import Terms

ROUNDS = 3
STAY = -1  # code of staying, which ends a list; a move is destination * FORM_STRIDE + form
FORM_STRIDE = 8
STAY_LUCK = 1 << 16  # its alternative number for luck, beyond every destination
CONCERNS_DEPENDENTS, CONCERNS_LAND, CONCERNS_TENANTS, CONCERNS_WORKERS, CONCERNS_ABSENT = range(5)
N_CONCERNS = 5
_MONTHS = 12
_MASK21, _SHIFT21, _SHIFT42, _SCALE21 = np.uint64((1 << 21) - 1), np.uint64(21), np.uint64(42), float((1 << 21) - 1)
_BINS, _BIN_SHIFT = 1 << 10, np.uint64(54)  # luck is bounded by its first ten bits
_SLACK_UTILITY = 1e-8  # over any rounding; near ties are still weighed
_LEAST_ROWS = 512  # who choose; fewer are not worth a thread
_AGES = 120  # beyond them nobody is asked by the table of `most_considering`
_SLACK_PROB = 1e-9
_GOODS = (  # parameters below 0 of which would turn a good into a bad
    "income_elasticity", "network_utility", "school_access_utility", "health_access_utility",
    "security_access_utility", "registration_barrier_utility", "single_rent_share", "school_parent_work_share",
)  # fmt: skip

AT = np.dtype((np.record, [(name, np.float64) for name in (
    "wage_yuan", "work_chance", "rent_yuan", "relief_yuan", "living_yuan", "school", "school_own", "school_access",
    "health", "health_access", "security_access", "amenity", "barrier", "social", "settling",
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
    network_here: float  # persons of the community where the main part lives
    network_there: float  # where part 1 will live
    registered: float  # persons of the community
    taste: float  # utils


@rule
def is_within_reach(one, d, inside, core):
    """Whether a household would think of this destination, whatever the form.

    Own town and seat, the core city and the other seats, near and far outside, the village one comes
    from; from outside only what is one's own, the core city and the other outside.
    """
    if d == one.place:
        return False
    if d >= inside or d == one.home or d == one.origin:
        return True
    tier, county = d % N_TIERS, d // N_TIERS
    if tier == Tier.VILLAGE:
        return False
    own = one.county
    if own < 0 and one.place < inside:  # strangers have no county but the one they live in
        own = one.place // N_TIERS
    if tier == Tier.TOWN:
        return county == own
    return one.place < inside or one.county < 0 or county == own or d == core


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
    """Rent that a part pays where it lives now."""
    if tenure == Tenure.MARKET_RENT or (tenure == Tenure.NONE and is_outside):
        return rules.housing_cost_yuan(here.rent_yuan, 0.0, persons, p)
    if tenure == Tenure.PUBLIC_RENT or tenure == Tenure.AFFORDABLE_RENT:
        return rules.housing_cost_yuan(here.rent_yuan, here.relief_yuan, persons, p)
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


@rule
def terms_at(one, form, d, sums, way, here, there, land, inside, p):
    """Terms of utility of one alternative of a household; STAY stands for the present arrangement.

    Parameters
    ----------
    one, sums : records of HOME and SUMS, these filled for ``form``
    way : what lies between the household and the alternative
    here, there : records of AT of where part 0 and part 1 will live
    land : record of LAND of the county of its community, unread for strangers
    """
    place, away_place, home, origin = one.place, one.away_place, one.home, one.origin
    tenure, away_tenure, rooted, away_rooted = one.tenure, one.away_tenure, one.rooted, one.away_rooted
    family = form == Form.FAMILY
    if family:  # the others are part 0 and stay, those at home are part 1 and move
        place, away_place, tenure, away_tenure, rooted, away_rooted = (
            away_place, place, away_tenure, tenure, away_rooted, rooted
        )  # fmt: skip
    county, members = one.county, one.members
    stays, gone = sums.stay, sums.go
    away_to = away_place if form == Form.STAY else d  # where part 1 lives
    whole = stays == 0.0
    village_home = one.from_village
    # income: what is not given up, what is found there, land, the collective, less rent and living cost
    income = one.earned_yuan - sums.lost + one.other_income_yuan
    farmers = sums.farmers if place == origin and not whole else 0.0
    if form == Form.RETURN:
        if place == origin and village_home:
            farmers += sums.adults_go
        else:
            income += sums.earn * here.wage_yuan * here.work_chance
    elif form != Form.STAY:
        earn = sums.earn * (p.school_parent_work_share if form == Form.SCHOOL or family else 1.0)
        income += earn * there.wage_yuan * there.work_chance
        if (whole or family) and d == origin and village_home:
            farmers = sums.adults_go
    worker_stays = sums.workers0 > 0.0 and place == origin
    if (whole and form == Form.WHOLE) or (family and sums.adults_go > 0.0):
        worker_stays = d == origin
    if form == Form.RETURN and place == origin:
        worker_stays = True
    land_kept, collective_kept, lent_yuan, exit_yuan = 1.0, 1.0, 0.0, 0.0
    if village_home and county >= 0:
        lent_yuan = land.rent_yuan
        if not worker_stays:
            land_kept = land.kept
            collective_kept = land.collective_kept
            exit_yuan = land.exit_income_yuan
    worked = rules.farm_worked_share(farmers, one.farmers_needed)
    income += one.farm_full_yuan * worked
    income += one.land_mu * (1.0 - worked) * (lent_yuan * land_kept + exit_yuan)
    income += one.dividend_yuan * collective_kept
    if not whole:
        income -= rent_of(place >= inside, here, tenure, stays, p) + here.living_yuan * stays
    if gone > 0.0:
        joins = form == Form.STAY or (away_place >= 0 and d == away_place)
        if joins:
            income -= rent_of(away_to >= inside, there, away_tenure, gone, p)
        elif d >= inside or d % N_TIERS != Tier.VILLAGE:
            relief = 0.0 if d == home else there.relief_yuan
            income -= rules.housing_cost_yuan(there.rent_yuan, relief, gone, p)
        income -= there.living_yuan * gone
    # services where children and elders will live
    school, health, security, amenity = 0.0, 0.0, 0.0, 0.0
    kids, elders = sums.kids0 + sums.kids1, sums.elders0 + sums.elders1
    if not whole:
        school += sums.kids0 * school_quality(place, one, here)
        health += sums.elders0 * quality(place == home, here.health, here.health_access)
        security += sums.elders0 * (1.0 if place == home else here.security_access)
        amenity += stays * here.amenity
    if gone > 0.0:
        school += sums.kids1 * school_quality(away_to, one, there)
        health += sums.elders1 * quality(away_to == home, there.health, there.health_access)
        security += sums.elders1 * (1.0 if away_to == home else there.security_access)
        amenity += gone * there.amenity
    amenity /= members
    if kids > 0.0:
        school /= kids
    if elders > 0.0:
        health /= elders
        security /= elders
    at_home = (stays if place == origin else 0.0) + (gone if gone > 0.0 and away_to == origin else 0.0)
    # the move itself
    distance, network, schooling, cost, barrier, staying = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if form == Form.STAY:
        staying = p.staying_utility
    elif form != Form.RETURN:
        distance = way.distance
        cost = rules.cost_term(
            Nest.INSIDE if d < inside else Nest.OUTSIDE, (d - inside) % N_OUTSIDE == Outside.FAR, sums.movers, p
        )
        leaves = d >= inside or d % N_TIERS != Tier.VILLAGE
        schooling = rules.schooling_term(sums.schooling, leaves, form == Form.YOUNG, p)
    linked = 0.0  # pull of those from home, where the parts live
    if way.registered > 0.0:
        where = stays * way.network_here if place != origin else 0.0
        if gone > 0.0 and away_to != origin:
            where += gone * way.network_there
        linked = where / members / way.registered
    network = rules.network_term(linked, p)
    share_unregistered = (stays if place != home else 0.0) * here.barrier
    if gone > 0.0 and away_to != home:
        share_unregistered += gone * there.barrier
    barrier = rules.barrier_term(share_unregistered / members, False, p)
    eased = (stays if place != home else 0.0) * (here.social + rooted)
    if gone > 0.0 and away_to != home:
        eased += gone * there.social
        if away_to == away_place:  # those who are there already have grown roots
            eased += max(0.0, gone - sums.movers) * away_rooted
    back = 0.0  # support of those who come back to their village
    if village_home and county >= 0:
        if (form == Form.RETURN and place == origin) or ((form == Form.WHOLE or family) and d == origin):
            back = land.return_gain
    return Terms(
        rules.income_term(income, members, one.log_members, p),
        distance,
        network,
        schooling,
        rules.school_term(kids, school, p),
        rules.health_term(elders, health, p),
        rules.security_term(elders, security, p),
        amenity,
        barrier,
        rules.land_term(one.land_mu, land_kept, worker_stays or not village_home, p),
        rules.family_term(sums.apart, sums.child_left, sums.elder_left, p),
        cost,
        p.home_utility * at_home / members + back,
        staying,
        way.taste,
        rules.social_term(eased / members, 1.0),
    )


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
        float(places.network[one.community, base]),
        float(places.network[one.community, there]) if there >= 0 else 0.0,
        places.registered[one.community],
        rules.taste(taste_normal(taste_key, one.key, d), p),
    )
    at, land = places.at, places.land
    return terms_at(one, form, d, sums, way, at[base], at[there], land[max(0, one.county)], inside, p)


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


class Bounds(NamedTuple):
    """Upper bounds that let alternatives be passed over."""

    at: np.ndarray  # (2,) records of AT: the best of all towns and seats inside, and of the outside
    luck: np.ndarray  # (_BINS,) of a Gumbel by its first bits
    angle: np.ndarray  # (_BINS,) of the part of ln S that its angle gives; see `log_positive_stable`
    holds: bool  # False where a parameter turns a good into a bad


def bounds(at: Any, p: Any) -> Bounds:
    """Bounds of alternatives at places ``at`` with parameters ``p``, (1,) a record of them."""
    best = np.zeros(2, AT)
    _fill_best(at, best)
    scale = float(p["nest_dissimilarity"][0])
    luck, turn = _luck_bounds(scale)
    goods = min(float(p[name][0]) for name in _GOODS)
    return Bounds(best, luck, turn, bool(goods >= 0.0 and 0.0 < scale < 1.0))


@kernel
def _fill_best(at, best):
    """Fill ``best`` (2,) with the best of everything among towns and seats inside, and outside."""
    inside = at.shape[0] - N_OUTSIDE
    for k in range(2):
        one, empty = best[k], True
        for d in range(at.shape[0]):
            there = at[d]
            if (d >= inside) != (k == 1) or (d < inside and d % N_TIERS == Tier.VILLAGE):
                continue
            wage = there.wage_yuan * there.work_chance
            reached = max(there.school_access, there.school_own)
            one.school_own = one.school_access = reached if empty else max(one.school_access, reached)
            one.health_access = there.health_access if empty else max(one.health_access, there.health_access)
            one.security_access = there.security_access if empty else max(one.security_access, there.security_access)
            one.amenity = there.amenity if empty else max(one.amenity, there.amenity)
            one.social = there.social if empty else max(one.social, there.social)
            one.relief_yuan = there.relief_yuan if empty else max(one.relief_yuan, there.relief_yuan)
            one.rent_yuan = there.rent_yuan if empty else min(one.rent_yuan, there.rent_yuan)
            one.living_yuan = there.living_yuan if empty else min(one.living_yuan, there.living_yuan)
            one.barrier = there.barrier if empty else min(one.barrier, there.barrier)
            one.wage_yuan = wage if empty else max(one.wage_yuan, wage)
            empty = False
        one.work_chance = 1.0


@lru_cache(maxsize=4)
def _luck_bounds(scale: float) -> tuple[np.ndarray, np.ndarray]:
    """(_BINS,) ``luck`` and ``angle`` of `Bounds` for nests of one dissimilarity; the same in every wave."""
    edge = (np.arange(_BINS) + 1.0) / _BINS
    with np.errstate(divide="ignore", invalid="ignore"):
        luck = -np.log(-np.log(edge))
        angle = np.pi * edge
        turn = np.log(np.sin(scale * angle)) - np.log(np.sin(angle)) / scale
        turn += (1.0 - scale) / scale * np.log(np.sin((1.0 - scale) * angle))
    luck[-1] = turn[-1] = np.inf
    return luck, turn


@inlined
def nest_bound(word, nest, dissimilarity, luck, angle):
    """Upper bound of `nest_error` by its first bits; ``luck`` and ``angle`` are those of `Bounds`."""
    turn = angle[pick(word, 2 * nest) >> _BIN_SHIFT]
    return dissimilarity * turn + (1.0 - dissimilarity) * luck[pick(word, 2 * nest + 1) >> _BIN_SHIFT]


@inlined
def choose_one(one, crew, places, bound, keys, p, sums, room, best_code, best_value):
    """Fill the ``ROUNDS`` best alternatives of a household, best first; STAY ends the list.

    Parameters
    ----------
    keys : streams of luck: of alternatives, of nests, of tastes
    sums : one record of SUMS to work in
    room : four columns (places,) to work in: destinations within reach, and of each taste, network and way
    """
    at, place, community = places.at, one.place, one.community
    inside = at.shape[0] - N_OUTSIDE
    network, distance, community_distance = places.network, places.distance, places.community_distance
    luck, angle, best_at = bound.luck, bound.angle, bound.at
    land = places.land[max(0, one.county)]
    gumbel_key, nest_key, taste_key = keys
    word, nest_word, taste_word = chooser(gumbel_key, one.key), chooser(nest_key, one.key), chooser(taste_key, one.key)
    scale, holds = p.nest_dissimilarity, bound.holds
    for r in range(ROUNDS):
        best_code[r], best_value[r] = STAY, -np.inf
    registered = places.registered[community]
    linked = p.network_utility / registered if registered > 0.0 else 0.0
    reach, tastes, networks, ways = room
    reached, mine = 0, 0
    for d in range(inside + N_OUTSIDE):
        if d == place:
            mine = reached
        elif not is_within_reach(one, d, inside, places.core):
            continue
        reach[reached] = d
        tastes[reached] = rules.taste(taste_of(pick(taste_word, d)), p)
        networks[reached] = float(network[community, d])
        reached += 1
    nested_in = nested_out = np.nan  # of the nests, drawn when an alternative may be among the best
    most_in = nest_bound(nest_word, Nest.INSIDE, scale, luck, angle)
    most_out = nest_bound(nest_word, Nest.OUTSIDE, scale, luck, angle)
    start, least = -1, -np.inf  # what an alternative must beat
    is_far = Outside.FAR if p.far_cost_utility < p.near_cost_utility else Outside.NEAR
    for form in range(N_FORMS):
        if not can_form(form, one):
            continue
        sum_up(form, one, crew, sums)
        if Form.STAY < form < Form.WHOLE and sums.grown0 == 0.0:
            continue  # nobody would stay, or children alone
        remains = form == Form.STAY or form == Form.RETURN
        bound_in = bound_out = np.inf
        if not remains and leaves_from(one, form) != start:
            start = leaves_from(one, form)
            for n in range(reached):
                d = reach[n]
                ways[n] = distance_of(one, start, d, distance[start, d], community_distance[community, d])
        base = base_of(one, form)
        here, network_here = at[base], float(network[community, base])
        near = Way(0.0, network_here, 0.0, registered, 0.0)
        screens = holds and not remains
        if screens:  # the form at two places that are nobody's own and have the best of everything
            bound_in = most_in + total(
                terms_at(one, form, Tier.SEAT - 2 * N_TIERS, sums, near, here, best_at[0], land, inside, p)
            )
            bound_out = most_out + total(
                terms_at(one, form, inside + N_OUTSIDE + is_far, sums, near, here, best_at[1], land, inside, p)
            )
        for n in range(mine if remains else 0, mine + 1 if remains else reached):
            d = reach[n]
            if not fits(form, d, one, inside) or (d == place and not remains):
                continue
            code = d * FORM_STRIDE + form
            bits = pick(word, STAY_LUCK if form == Form.STAY else code)
            most_luck = scale * luck[bits >> _BIN_SHIFT]
            if screens and d != one.home and d != one.origin and d != one.away_place:
                most = bound_in if d < inside else bound_out
                if most + (ways[n] + linked * networks[n] + tastes[n] + most_luck) + _SLACK_UTILITY < least:
                    continue
            there, network_there = d, networks[n]
            if form == Form.STAY:
                there = np.int64(one.away_place)
                network_there = float(network[community, there]) if there >= 0 else 0.0
            way = Way(0.0 if remains else ways[n], network_here, network_there, registered, tastes[n])
            value = total(terms_at(one, form, d, sums, way, here, at[there], land, inside, p))
            if form == Form.STAY:
                best_value[0] = least = value + gumbel(bits)
                continue
            if holds and value + (most_in if d < inside else most_out) + most_luck + _SLACK_UTILITY < least:
                continue
            value += scale * gumbel(bits)
            if d < inside:
                if np.isnan(nested_in):
                    nested_in = nest_error(nest_key, one.key, Nest.INSIDE, scale)
                value += nested_in
            else:
                if np.isnan(nested_out):
                    nested_out = nest_error(nest_key, one.key, Nest.OUTSIDE, scale)
                value += nested_out
            for r in range(ROUNDS):
                if value > best_value[r]:
                    for s in range(ROUNDS - 1, r, -1):
                        best_code[s], best_value[s] = best_code[s - 1], best_value[s - 1]
                    best_code[r], best_value[r] = code, value
                    least = max(least, best_value[ROUNDS - 1])
                    break
    ended = False
    for r in range(ROUNDS):
        ended = ended or best_code[r] == STAY
        if ended:
            best_code[r] = STAY


@threaded_kernel
def distances(block, minutes, p, utility):
    """Fill ``utility`` with the distance term of ``minutes``, both of one shape (rows, places)."""
    for i in rows_of(block):
        for j in range(minutes.shape[1]):
            utility[i, j] = rules.distance_term(minutes[i, j], p)


@partial(threaded_kernel, least_rows=_LEAST_ROWS)
def _choose(block, homes, crew, places, bound, seed, year, p, codes, values):
    n_places = places.at.shape[0]
    keys = (
        stream(seed, Decision.GUMBEL, year),
        stream(seed, Decision.NEST, year),
        stream(seed, Decision.TASTE, 0),
    )
    room = (
        np.empty(n_places, np.int64), np.empty(n_places), np.empty(n_places), np.empty(n_places)
    )  # fmt: skip
    sums = np.zeros(1, SUMS)[0]
    best_code, best_value = np.empty(ROUNDS, np.int64), np.empty(ROUNDS, np.float64)
    for n in rows_of(block):
        choose_one(homes[n], crew, places, bound, keys, p[0], sums, room, best_code, best_value)
        for r in range(ROUNDS):
            codes[n, r], values[n, r] = best_code[r], best_value[r]


def choose_gathered(
    homes: Any, crew: Any, places: Places, seed: int, year: int, p: Any, codes: np.ndarray, values: np.ndarray
) -> None:
    """Fill ``codes`` and ``values`` (households, ROUNDS) on the frozen state of a wave.

    Parameters
    ----------
    homes, crew : see `migrasim.domains.moving.household.gather`
    p : (1,) record of the parameters
    """
    _choose(len(homes), homes, crew, places, bounds(places.at, p), seed, year, p, codes, values)


def choose(
    chosen: np.ndarray,
    people: People,
    families: Families,
    places: Places,
    seed: int,
    year: int,
    p: Any,
    codes: np.ndarray,
    values: np.ndarray,
) -> None:
    """Fill ``codes`` and ``values`` (households, ROUNDS) for the rows ``chosen``, best alternatives first."""
    homes, crew = gather(chosen, people, families, places, year, p)
    choose_gathered(homes, crew, places, seed, year, p, codes, values)


@kernel
def most_considering(peer_share, news, p):
    """(_AGES, 16) most that `rules.consider_prob` can be by age and four events, whoever moved and whatever is new."""
    peers, loudest = 0.0, 0.0
    for community in range(peer_share.shape[0]):
        peers = max(peers, peer_share[community])
    for county in range(news.shape[0]):
        for concern in range(news.shape[1]):
            loudest = max(loudest, news[county, concern])
    peers = peers if p[0].consider_peer_factor > 0.0 else 0.0
    loudest = loudest if p[0].consider_news_factor > 0.0 else 0.0
    most = np.empty((_AGES, 16))
    for age in range(_AGES):
        for events in range(16):
            event, youth, seeking, away = events & 1 > 0, events & 2 > 0, events & 4 > 0, events & 8 > 0
            prob = rules.consider_prob(age, event, youth, seeking, False, peers, away, loudest, p[0])
            most[age, events] = prob + _SLACK_PROB
    return most


@threaded_kernel
def consider(block, people, families, places, peer_share, most, wed, news, seed, year, p, month):
    """Fill ``month`` (households,): 1 to 12 where the household considers moving, else 0.

    ``wed`` (households,) marks marriages of the year; ``news`` (counties + 1, N_CONCERNS) how loud the
    news of measures are by whom they concern, in the county of the community (the last row: no county).
    ``most`` is that of `most_considering`: whose luck is above it need not be asked closely.
    Students who live by themselves do not consider.
    """
    key = stream(seed, Decision.CONSIDER, year)
    month_key = stream(seed, Decision.MONTH, year)
    inside = places.at.shape[0] - N_OUTSIDE
    community_county = places.community_county
    who, first_member, members = families.key, families.first_member, families.members
    away_place, place, home_community = families.away_place, families.place, families.community
    land_mu, tenure = families.land_mu, families.tenure
    persons, born, couple = people.key, people.birth_year, people.couple
    activity, is_away, earning = people.activity, people.is_away, people.earning_factor
    for h in rows_of(block):
        chief, youngest = -1, -1
        event, youth, seeking, dependent = False, False, False, False
        for i in range(first_member[h], first_member[h] + members[h]):
            age, single_here = np.int64(year) - born[i], (couple[i] == 0) & (is_away[i] == 0)
            event |= (age == SCHOOL_AGE) | (age == CHILD_AGE) | (age == SCHOOL_AGE * 2)
            youth |= (CHILD_AGE < age) & (age < YOUTH_AGE) & single_here & (activity[i] != Activity.PUPIL)
            seeking |= activity[i] == Activity.SEEKING
            dependent |= ((SCHOOL_AGE <= age) & (age < CHILD_AGE)) | (age >= ELDER_AGE)
            if is_adult(age, activity[i]):
                if (
                    chief < 0
                    or earning[i] > earning[chief]
                    or (earning[i] == earning[chief] and persons[i] > persons[chief])
                ):
                    chief = i
        adult = chief >= 0
        if not adult:  # nobody of working age: the youngest, never the first of the rows
            for i in range(first_member[h], first_member[h] + members[h]):
                if (
                    youngest < 0
                    or born[i] > born[youngest]
                    or (born[i] == born[youngest] and persons[i] > persons[youngest])
                ):
                    youngest = i
            chief = youngest
        away = away_place[h] >= 0 or place[h] >= inside
        age = max(0, np.int64(year) - born[chief])
        month[h] = 0
        luck = uniform(key, who[h], 0)
        if not wed[h] and age < _AGES and luck >= most[age, event + 2 * youth + 4 * seeking + 8 * away]:
            continue
        if members[h] == 1 and activity[first_member[h]] == Activity.PUPIL:
            continue  # whoever studies away from home stays until the end of the course
        community = home_community[h]
        county = community_county[community]
        loudest = 0.0
        if dependent:
            loudest = max(loudest, news[county, CONCERNS_DEPENDENTS])
        if land_mu[h] > 0.0:
            loudest = max(loudest, news[county, CONCERNS_LAND])
        if tenure[h] != Tenure.PURCHASED:
            loudest = max(loudest, news[county, CONCERNS_TENANTS])
        if adult:
            loudest = max(loudest, news[county, CONCERNS_WORKERS])
        if away:
            loudest = max(loudest, news[county, CONCERNS_ABSENT])
        if luck < rules.consider_prob(age, event, youth, seeking, wed[h], peer_share[community], away, loudest, p[0]):
            month[h] = 1 + int(uniform(month_key, who[h], 0) * _MONTHS)
