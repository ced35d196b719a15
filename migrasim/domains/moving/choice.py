"""The kernels of choosing: the best alternatives of a household, found without weighing all of them.

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

from migrasim.core.chance import Decision, chooser, pick, stream
from migrasim.core.codes import (
    N_FORMS,
    N_OUTSIDE,
    N_TIERS,
    NOWHERE,
    Form,
    Nest,
    Outside,
    Tier,
)
from migrasim.core.logit import gumbel, nest_error
from migrasim.core.rule import APART, BLOCKS, inlined, kernel, rows_of, threaded_kernel
from migrasim.domains.moving import rules
from migrasim.domains.moving.household import (
    SUMS,
    Families,
    People,
    can_form,
    gather,
    sum_up,
)
from migrasim.domains.moving.terms import (
    BEST,
    Places,
    Way,
    at_most,
    base_of,
    county_of,
    distance_of,
    fits,
    is_known,
    is_within_reach,
    leaves_from,
    log_edges,
    looks_far,
    rest_of,
    settled_at_most,
    taste_of,
    utility_at,
)

ROUNDS = 3
STAY = -1  # code of staying, which ends a list; a move is destination * FORM_STRIDE + form
FORM_STRIDE = 8
STAY_LUCK = 1 << 16  # its alternative number for luck, beyond every destination
_BINS, _BIN_SHIFT = 1 << 10, np.uint64(54)  # luck is bounded by its first ten bits
_SLACK_UTILITY = 1e-8  # over any rounding; near ties are still weighed
_LOGS = log_edges()
_LEAST_ROWS = 512  # who choose; fewer are not worth a thread
_GOODS = (  # parameters below 0 of which would turn a good into a bad
    "income_elasticity", "network_utility", "school_access_utility", "health_access_utility",
    "security_access_utility", "registration_barrier_utility", "single_rent_share", "school_parent_work_share",
)  # fmt: skip


class Room(NamedTuple):
    """What the blocks of households work in, so that the kernel asks for no memory: (blocks, places), but for sums."""

    reach: np.ndarray  # destinations within reach of a household; of each of them
    tastes: np.ndarray
    networks: np.ndarray
    ways: np.ndarray
    most: np.ndarray  # what it can add at most to the best of a form, with luck
    weighed: np.ndarray  # numbers of those that are weighed in full
    sums: np.ndarray  # (blocks, 2) records of SUMS, the first of each used

    @classmethod
    def of(cls, places: int) -> Room:
        """Room for the most blocks that there are."""
        reach, weighed = (
            np.empty((BLOCKS, places + 4 * APART), np.uint16) for _ in range(2)
        )  # no sign: none from the end
        tastes, networks, ways, most = (np.empty((BLOCKS, places + APART)) for _ in range(4))
        return cls(reach, tastes, networks, ways, most, weighed, np.zeros((BLOCKS, 2), SUMS))


class Bounds(NamedTuple):
    """Upper bounds that let alternatives be passed over."""

    best: np.ndarray  # (2,) records of BEST: inside and outside
    logs: np.ndarray  # see `log_edges`
    luck: np.ndarray  # (_BINS,) of a Gumbel by its first bits
    angle: np.ndarray  # (_BINS,) of the part of ln S that its angle gives; see `log_positive_stable`
    known: np.ndarray  # (2, counties + 1, places + 1) how many destinations those of a county know, and then which
    holds: bool  # False where a parameter turns a good into a bad


def bounds(at: Any, p: Any, core: int) -> Bounds:
    """Bounds of alternatives at places ``at`` with parameters ``p``, (1,) a record of them."""
    best = np.zeros(2, BEST)
    fill_best(at, p, best)
    scale = float(p["nest_dissimilarity"][0])
    luck, turn = _luck_bounds(scale)
    goods = min(float(p[name][0]) for name in _GOODS)
    return Bounds(best, _LOGS, luck, turn, _known(len(at) - N_OUTSIDE, core), bool(goods >= 0.0 and 0.0 < scale < 1.0))


@kernel
def fill_best(at, p, best):
    """Fill ``best`` (2,) with the best of everything among towns and seats inside, and outside."""
    p = p[0]
    inside = at.shape[0] - N_OUTSIDE
    for k in range(2):
        one, empty = best[k], True
        for d in range(at.shape[0]):
            there = at[d]
            if (d >= inside) != (k == 1) or (d < inside and d % N_TIERS == Tier.VILLAGE):
                continue
            wage = there.wage_yuan * there.work_chance
            school = rules.school_term(1.0, max(there.school_access, there.school_own), p)
            care = rules.health_term(1.0, there.health_access, p) + rules.security_term(1.0, there.security_access, p)
            member = there.amenity + there.social + rules.barrier_term(there.barrier, False, p)
            alone = rules.housing_cost_yuan(there.rent_yuan, there.relief_yuan, 1.0, p)
            rent = rules.housing_cost_yuan(there.rent_yuan, there.relief_yuan, 2.0, p)
            nest, is_far = Nest.INSIDE if k == 0 else Nest.OUTSIDE, (d - inside) % N_OUTSIDE == Outside.FAR
            move = rules.cost_term(nest, is_far, 1.0, p)
            one.wage_yuan = wage if empty else max(one.wage_yuan, wage)
            one.living_yuan = there.living_yuan if empty else min(one.living_yuan, there.living_yuan)
            one.rent_alone_yuan = alone if empty else min(one.rent_alone_yuan, alone)
            one.rent_yuan = rent if empty else min(one.rent_yuan, rent)
            one.school = school if empty else max(one.school, school)
            one.care = care if empty else max(one.care, care)
            one.member = member if empty else max(one.member, member)
            one.move = move if empty else max(one.move, move)
            empty = False


@lru_cache(maxsize=4)
def _known(inside: int, core: int) -> np.ndarray:
    """``known`` of `Bounds`: by whether they look far and by their county, the last for those who have none."""
    counties, places = inside // N_TIERS, inside + N_OUTSIDE
    known = np.zeros((2, counties + 1, places + 1), np.uint16)
    for far in range(2):
        for county in range(-1, counties):
            found = [d for d in range(places) if is_known(d, county, far == 1, inside, core)]
            known[far, county, : len(found) + 1] = [len(found), *found]
    return known


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
def is_among(d, reach, first, last):
    """Whether ``d`` is one of ``reach[first:last]``."""
    found = False
    for n in range(first, last):
        found = found or reach[n] == d
    return found


@partial(threaded_kernel, least_rows=_LEAST_ROWS)
def _choose(block, homes, crew, places, bound, seed, year, p, room, codes, values):
    """Fill ``codes`` and ``values`` with the ``ROUNDS`` best alternatives of each household, best first, ended by STAY.

    All in one loop, as a long part of a kernel that is written into it takes seconds to compile.
    """
    gumbel_key = stream(seed, Decision.GUMBEL, year)
    nest_key, taste_key = stream(seed, Decision.NEST, year), stream(seed, Decision.TASTE, 0)
    k = block[2]
    reach, tastes, networks, ways = room.reach[k], room.tastes[k], room.networks[k], room.ways[k]
    most, weighed, sums = room.most[k], room.weighed[k], room.sums[k, 0]
    p, at = p[0], places.at
    inside = at.shape[0] - N_OUTSIDE
    network, distance, community_distance = places.network, places.distance, places.community_distance
    luck, angle, scale, holds = bound.luck, bound.angle, p.nest_dissimilarity, bound.holds
    for h in rows_of(block):
        one, best_code, best_value = homes[h], codes[h], values[h]
        place, community = one.place, one.community
        land = places.land[max(0, one.county)]
        word, nest_word = chooser(gumbel_key, one.key), chooser(nest_key, one.key)
        taste_word = chooser(taste_key, one.key)
        for r in range(ROUNDS):
            best_code[r], best_value[r] = STAY, -np.inf
        registered = places.registered[community]
        linked = p.network_utility / registered if registered > 0.0 else 0.0
        reached = 0  # first places that are none of its own, inside and then outside; its own; last where it lives
        known = bound.known[np.int64(looks_far(one, inside)), county_of(one, inside)]
        for n in range(known[0]):
            d = known[n + 1]
            reach[reached] = d
            reached += (d != place) & (d != one.home) & (d != one.origin) & (d != one.away_place)
        strange = reached
        for d in (one.home, one.origin, one.away_place):
            if d >= 0 and is_within_reach(one, d, inside, places.core) and not is_among(d, reach, strange, reached):
                reach[reached] = d
                reached += 1
        reach[reached] = place
        for n in range(reached + 1):
            tastes[n] = rules.taste(taste_of(pick(taste_word, reach[n])), p)
            networks[n] = float(network[community, reach[n]])
        nested_in = nested_out = np.nan  # of the nests, drawn when an alternative may be among the best
        most_in = nest_bound(nest_word, Nest.INSIDE, scale, luck, angle)
        most_out = nest_bound(nest_word, Nest.OUTSIDE, scale, luck, angle)
        start, least = -1, -np.inf  # what an alternative must beat
        for form in range(N_FORMS):
            if not can_form(form, one):
                continue
            sum_up(form, one, crew, sums)
            if Form.STAY < form < Form.WHOLE and sums.grown0 == 0.0:
                continue  # nobody would stay, or children alone
            remains = form == Form.STAY or form == Form.RETURN
            base = base_of(one, form)
            here, network_here = at[base], float(network[community, base])
            rest = rest_of(one, form, place if remains else NOWHERE, sums, network_here, here, land, inside, p)
            weigh = 0  # how many are weighed in full
            if remains:
                weighed[0], weigh = reached, 1
            else:
                if leaves_from(one, form) != start:
                    start = leaves_from(one, form)
                    for n in range(reached):
                        d = reach[n]
                        ways[n] = distance_of(one, start, d, distance[start, d], community_distance[community, d])
                bound_in = bound_out = np.inf
                if holds:  # the form at two places that are nobody's own and have the best of everything
                    settled = settled_at_most(one, form, sums, rest, registered, p)
                    bound_in = most_in + at_most(one, sums, rest, settled, bound.best[0], bound.logs, p)
                    bound_out = most_out + at_most(one, sums, rest, settled, bound.best[1], bound.logs, p)
                for n in range(strange):
                    most_luck = luck[pick(word, reach[n] * FORM_STRIDE + form) >> _BIN_SHIFT]
                    most[n] = ways[n] + linked * networks[n] + tastes[n] + scale * most_luck + _SLACK_UTILITY
                for n in range(reached):
                    d = reach[n]
                    bound_of = bound_in if d < inside else bound_out
                    if n >= strange or not bound_of + most[n] < least:  # no number: weighed
                        if fits(form, d, one, inside):
                            weighed[weigh] = n
                            weigh += 1
            for k in range(weigh):
                n = weighed[k]
                d = reach[n]
                code = d * FORM_STRIDE + form
                bits = pick(word, STAY_LUCK if form == Form.STAY else code)
                there, network_there, at_own = d, networks[n], rest
                if form == Form.STAY:
                    there = np.int64(one.away_place)
                    network_there = float(network[community, there]) if there >= 0 else 0.0
                elif not remains and (d == one.origin or d == one.away_place):
                    at_own = rest_of(one, form, d, sums, network_here, here, land, inside, p)
                way = Way(0.0 if remains else ways[n], network_there, registered, tastes[n])
                value = utility_at(one, form, d, sums, at_own, way, at[there], inside, p)
                if form == Form.STAY:
                    best_value[0] = least = value + gumbel(bits)
                    continue
                most_nest = (most_in if d < inside else most_out) + _SLACK_UTILITY
                if holds and value + scale * luck[bits >> _BIN_SHIFT] + most_nest < least:
                    continue
                value += scale * gumbel(bits)
                if holds and value + most_nest < least:
                    continue
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


def choose_gathered(
    homes: Any, crew: Any, places: Places, seed: int, year: int, p: Any, codes: np.ndarray, values: np.ndarray,
    bound: Bounds | None = None, room: Room | None = None,
) -> None:  # fmt: skip
    """Fill ``codes`` and ``values`` (households, ROUNDS) on the frozen state of a wave.

    Parameters
    ----------
    homes, crew : see `migrasim.domains.moving.household.gather`
    p : (1,) record of the parameters
    bound, room : what `bounds` gave for these places, and what is worked in; made anew where not given
    """
    bound = bounds(places.at, p, places.core) if bound is None else bound
    room = Room.of(len(places.at)) if room is None else room
    _choose(len(homes), homes, crew, places, bound, seed, year, p, room, codes, values)


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
