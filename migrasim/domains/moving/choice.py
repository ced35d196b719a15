"""Kernels of considering and choosing: gather the numbers of a household, call the rules, add up.

A household lives in one part (at ``place``) or two (the second at ``away_place``). Every
alternative is a destination and a form; after it, part 0 is who stays at ``place`` and part 1 who
lives at the destination. The sums over members that the rules need do not depend on the
destination, so they are taken once a form.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from migrasim.core.chance import Decision, draw, stream, uniform
from migrasim.core.codes import N_FORMS, N_TIERS, Activity, Form, Kind, Nest, Tenure, Tier
from migrasim.core.logit import alternative_error, nest_error
from migrasim.core.rule import kernel, parallel_kernel, rows, rule
from migrasim.domains.moving import rules
from migrasim.domains.moving.rules import Terms

ROUNDS = 3
STAY = -1  # code of staying; a move is destination * FORM_STRIDE + form
FORM_STRIDE = 8
STAY_LUCK = 1 << 16  # its alternative number for luck, beyond every destination
WORKING_AGE, RETIRING_AGE, ELDER_AGE = 16, 60, 60
SCHOOL_AGE, CHILD_AGE, YOUTH_AGE, YOUNG_AGE = 6, 15, 23, 30
CONCERNS_DEPENDENTS, CONCERNS_LAND, CONCERNS_TENANTS, CONCERNS_WORKERS, CONCERNS_ABSENT = range(5)
N_CONCERNS = 5
_MONTHS = 12
_MASK21, _SHIFT21, _SHIFT42, _SCALE21 = np.uint64((1 << 21) - 1), np.uint64(21), np.uint64(42), float((1 << 21) - 1)


class People(NamedTuple):
    """Columns of persons that the choice reads."""

    key: np.ndarray
    birth_year: np.ndarray
    couple: np.ndarray
    parents: np.ndarray
    schooling_yr: np.ndarray
    activity: np.ndarray
    is_away: np.ndarray
    earning_factor: np.ndarray
    income_yuan: np.ndarray


class Families(NamedTuple):
    """Columns of households that the choice reads."""

    key: np.ndarray
    kind: np.ndarray
    community: np.ndarray
    home_place: np.ndarray
    place: np.ndarray
    away_place: np.ndarray
    since_year: np.ndarray
    away_since_year: np.ndarray
    tenure: np.ndarray
    away_tenure: np.ndarray
    land_mu: np.ndarray
    first_member: np.ndarray
    members: np.ndarray
    farm_full_yuan: np.ndarray
    farmers_needed: np.ndarray
    other_income_yuan: np.ndarray
    dividend_yuan: np.ndarray


AT = np.dtype([(name, np.float64) for name in (
    "wage_yuan", "work_chance", "rent_yuan", "relief_yuan", "living_yuan", "school", "school_access", "health",
    "health_access", "security_access", "amenity", "barrier", "social", "settling",
)])  # fmt: skip
LAND = np.dtype(
    [(name, np.float64) for name in ("rent_yuan", "kept", "collective_kept", "exit_income_yuan", "return_gain")]
)


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


class Home(NamedTuple):
    """One household's numbers, read once."""

    key: int
    community: int
    county: int  # of the community; -1 for strangers
    origin: int  # place of the community
    home: int  # place of the registered address
    place: int
    away_place: int
    tenure: int
    away_tenure: int
    members: int
    log_members: float
    land_mu: float
    farm_full_yuan: float
    farmers_needed: float
    other_income_yuan: float
    dividend_yuan: float
    earned_yuan: float  # by work of all members now
    from_village: bool
    split: bool
    rooted: float  # attachment that has grown where its main part is not registered
    away_rooted: float


class Who(NamedTuple):
    """Rows of the members that forms are about; -1 where there is none."""

    chief: int
    partner: int
    young: int
    parent: int
    split: bool


# Sums over members after a form (columns of the sums array).
_STAY_N, _GO_N, _EARN, _LOST, _FARMERS, _ADULTS_GO = 0, 1, 2, 3, 4, 5
_KIDS0, _KIDS1, _ELDERS0, _ELDERS1, _WORKERS0 = 6, 7, 8, 9, 10
_APART, _CHILD_LEFT, _ELDER_LEFT, _SCHOOLING, _GROWN0, _MOVERS = 11, 12, 13, 14, 15, 16
N_SUMS = 17


@rule
def age_of(i, people, year):
    """Age at the end of the year."""
    return year - people.birth_year[i]


@rule
def is_adult(i, people, year):
    """Of working age and not at school."""
    age = age_of(i, people, year)
    return (
        WORKING_AGE <= age < RETIRING_AGE
        and people.activity[i] != Activity.PUPIL
        and people.activity[i] != Activity.CHILD
    )


@rule
def who_is_who(h, people, families, year):
    """Find chief, partner, young member and the parent who would go with children to school."""
    first = families.first_member[h]
    last = first + families.members[h]
    split = families.away_place[h] >= 0
    chief, partner, young, parent = -1, -1, -1, -1
    for i in range(first, last):
        if people.is_away[i] == 0 and is_adult(i, people, year):
            if (
                chief < 0
                or people.earning_factor[i] > people.earning_factor[chief]
                or (people.earning_factor[i] == people.earning_factor[chief] and people.key[i] > people.key[chief])
            ):
                chief = i
    for i in range(first, last):
        if people.is_away[i]:
            continue
        age = age_of(i, people, year)
        if (
            not split
            and chief >= 0
            and i != chief
            and people.couple[i] > 0
            and people.couple[i] == people.couple[chief]
        ):
            partner = i
        if people.couple[i] == 0 and CHILD_AGE <= age < YOUNG_AGE and i != chief:
            if (
                young < 0
                or people.birth_year[i] < people.birth_year[young]
                or (people.birth_year[i] == people.birth_year[young] and people.key[i] > people.key[young])
            ):
                young = i
    if split:  # the partner who may join is the one whose spouse is away
        for i in range(first, last):
            if people.is_away[i] or people.couple[i] == 0:
                continue
            for j in range(first, last):
                if people.is_away[j] and people.couple[j] == people.couple[i]:
                    if partner < 0 or people.key[i] > people.key[partner]:
                        partner = i
    for i in range(first, last):  # the parent of the children at school: not the chief where there are two
        if people.is_away[i] or SCHOOL_AGE > age_of(i, people, year) or age_of(i, people, year) >= CHILD_AGE:
            continue
        for j in range(first, last):
            if people.is_away[j] == 0 and people.couple[j] > 0 and people.couple[j] == people.parents[i]:
                if parent < 0 or parent == chief or (j != chief and people.key[j] > people.key[parent]):
                    parent = j
    return Who(chief, partner, young, parent, split)


@rule
def goes(i, form, who, people, year):
    """Whether member ``i`` is one of those who go in this form."""
    if form == Form.WHOLE:
        return True
    if form == Form.RETURN:
        return people.is_away[i] == 1
    if form == Form.WORKER:
        return people.is_away[i] == 1 if who.split else i == who.chief
    if form == Form.COUPLE:
        return i == who.partner or (i == who.chief and not who.split)
    if form == Form.YOUNG:
        return i == who.young
    if form == Form.SCHOOL:
        return i == who.parent or (
            people.is_away[i] == 0
            and age_of(i, people, year) < CHILD_AGE
            and who.parent >= 0
            and people.parents[i] == people.couple[who.parent]
        )
    return False


@rule
def in_part_one(i, form, who, people, year):
    """Whether member ``i`` lives away from ``place`` after this form."""
    if form == Form.RETURN:
        return False
    if goes(i, form, who, people, year):
        return True
    return people.is_away[i] == 1


@kernel
def sum_up(h, form, who, people, families, year, sums):
    """Fill ``sums`` (N_SUMS,) for one form."""
    sums[:] = 0.0
    first = families.first_member[h]
    last = first + families.members[h]
    for i in range(first, last):
        age = age_of(i, people, year)
        adult = is_adult(i, people, year)
        away = in_part_one(i, form, who, people, year)
        if away:
            sums[_GO_N] += 1.0
        else:
            sums[_STAY_N] += 1.0
            if age >= CHILD_AGE:
                sums[_GROWN0] += 1.0
        if form != Form.STAY and goes(i, form, who, people, year):
            sums[_MOVERS] += 1.0
            sums[_EARN] += people.earning_factor[i]
            sums[_LOST] += people.income_yuan[i]
            if adult:
                sums[_ADULTS_GO] += 1.0
            sums[_SCHOOLING] = max(sums[_SCHOOLING], people.schooling_yr[i])
        elif people.activity[i] == Activity.FARMER and not away:
            sums[_FARMERS] += 1.0
        if not away and adult:
            sums[_WORKERS0] += 1.0
        if SCHOOL_AGE <= age < CHILD_AGE:
            sums[_KIDS1 if away else _KIDS0] += 1.0
        if age >= ELDER_AGE:
            sums[_ELDERS1 if away else _ELDERS0] += 1.0
    for i in range(first, last):
        age = age_of(i, people, year)
        away = in_part_one(i, form, who, people, year)
        if people.couple[i] > 0:
            for j in range(i + 1, last):
                if people.couple[j] == people.couple[i] and in_part_one(j, form, who, people, year) != away:
                    sums[_APART] += 1.0
        if age < CHILD_AGE and people.parents[i] > 0:
            has_parent, with_parent = False, False
            for j in range(first, last):
                if people.couple[j] == people.parents[i]:
                    has_parent = True
                    if in_part_one(j, form, who, people, year) == away:
                        with_parent = True
            if has_parent and not with_parent:
                sums[_CHILD_LEFT] += 1.0
        if age >= ELDER_AGE:
            has_adult, with_adult = False, False
            for j in range(first, last):
                if is_adult(j, people, year):
                    has_adult = True
                    if in_part_one(j, form, who, people, year) == away:
                        with_adult = True
            if has_adult and not with_adult:
                sums[_ELDER_LEFT] += 1.0


@rule
def is_within_reach(one, d, places):
    """Whether a household would think of this destination, whatever the form.

    Own town and seat, the core city and the other seats, near and far outside, the village one comes
    from; from outside only what is one's own, the core city and the other outside.
    """
    inside = places.distance.shape[0] - 2
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
    return one.place < inside or one.county < 0 or county == own or d == places.core


@rule
def can_form(form, who, kind, members):
    """Whether there is anybody to move in this form."""
    if form == Form.STAY or form == Form.WHOLE:
        return True
    if form == Form.RETURN:
        return who.split
    if kind == Kind.COLLECTIVE or members < 2:
        return False
    if form == Form.WORKER:
        return who.split or who.chief >= 0
    if form == Form.COUPLE:
        return who.partner >= 0 and (who.split or who.chief >= 0)
    if form == Form.YOUNG:
        return who.young >= 0
    return who.parent >= 0


@rule
def fits(form, d, one, inside):
    """Whether this form goes with this destination."""
    if form == Form.STAY or form == Form.RETURN:
        return d == one.place
    if form == Form.WHOLE:
        return True
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
def taste_normal(taste_key, key, place):
    """A number near the standard normal, persistent for household and place.

    The sum of three uniforms of 21 bits each has the mean and the variance, and tails cut at three.
    """
    bits = draw(taste_key, key, place)
    total = (bits & _MASK21) + ((bits >> _SHIFT21) & _MASK21) + ((bits >> _SHIFT42) & _MASK21)
    return 2.0 * (np.float64(total) / _SCALE21 - 1.5)


@rule
def home_of(h, split, people, families, year, places, p):
    """Read one household's numbers."""
    inside = places.distance.shape[0] - 2
    home, place, away = families.home_place[h], families.place[h], families.away_place[h]
    rooted, away_rooted = 0.0, 0.0
    if place != home and place < inside:
        rooted = rules.settled_term(year - families.since_year[h], places.at[place].settling, p)
    if away >= 0 and away != home and away < inside:
        away_rooted = rules.settled_term(year - families.away_since_year[h], places.at[away].settling, p)
    community = families.community[h]
    county = places.community_county[community]
    earned = 0.0
    for i in range(families.first_member[h], families.first_member[h] + families.members[h]):
        earned += people.income_yuan[i]
    return Home(
        families.key[h],
        community,
        county,
        places.origin_place[community],
        home,
        place,
        away,
        families.tenure[h],
        families.away_tenure[h],
        families.members[h],
        math.log(families.members[h]),
        families.land_mu[h],
        families.farm_full_yuan[h],
        families.farmers_needed[h],
        families.other_income_yuan[h],
        families.dividend_yuan[h],
        earned,
        county >= 0 and community < places.villages,
        split,
        rooted,
        away_rooted,
    )


@rule
def terms_of(one, form, d, sums, places, taste_key, p):
    """Terms of utility of one alternative of a household; STAY stands for the present arrangement."""
    inside = places.distance.shape[0] - 2
    place, away_place, home, origin = one.place, one.away_place, one.home, one.origin
    community, county, members = one.community, one.county, one.members
    stays, gone = sums[_STAY_N], sums[_GO_N]
    away_to = away_place if form == Form.STAY else d  # where part 1 lives
    whole = stays == 0.0
    village_home = one.from_village
    here, there = places.at[place], places.at[away_to]
    # income: what is not given up, what is found there, land, the collective, less rent and living cost
    income = one.earned_yuan - sums[_LOST] + one.other_income_yuan
    farmers = sums[_FARMERS] if place == origin and not whole else 0.0
    if form == Form.RETURN:
        if place == origin and village_home:
            farmers += sums[_ADULTS_GO]
        else:
            income += sums[_EARN] * here.wage_yuan * here.work_chance
    elif form != Form.STAY:
        earn = sums[_EARN] * (p.school_parent_work_share if form == Form.SCHOOL else 1.0)
        income += earn * there.wage_yuan * there.work_chance
        if whole and d == origin and village_home:
            farmers = sums[_ADULTS_GO]
    worker_stays = sums[_WORKERS0] > 0.0 and place == origin
    if whole and form == Form.WHOLE:
        worker_stays = d == origin
    if form == Form.RETURN and place == origin:
        worker_stays = True
    land_kept, collective_kept, lent_yuan, exit_yuan = 1.0, 1.0, 0.0, 0.0
    if village_home and county >= 0:
        lent_yuan = places.land[county].rent_yuan
        if not worker_stays:
            land_kept = places.land[county].kept
            collective_kept = places.land[county].collective_kept
            exit_yuan = places.land[county].exit_income_yuan
    worked = rules.farm_worked_share(farmers, one.farmers_needed)
    income += one.farm_full_yuan * worked
    income += one.land_mu * (1.0 - worked) * (lent_yuan * land_kept + exit_yuan)
    income += one.dividend_yuan * collective_kept
    if not whole:
        income -= rent_of(place >= inside, here, one.tenure, stays, p) + here.living_yuan * stays
    if gone > 0.0:
        joins = form == Form.STAY or (away_place >= 0 and d == away_place)
        if joins:
            income -= rent_of(away_to >= inside, there, one.away_tenure, gone, p)
        elif d >= inside or d % N_TIERS != Tier.VILLAGE:
            relief = 0.0 if d == home else there.relief_yuan
            income -= rules.housing_cost_yuan(there.rent_yuan, relief, gone, p)
        income -= there.living_yuan * gone
    # services where children and elders will live
    school, health, security, amenity = 0.0, 0.0, 0.0, 0.0
    kids, elders = sums[_KIDS0] + sums[_KIDS1], sums[_ELDERS0] + sums[_ELDERS1]
    if not whole:
        school += sums[_KIDS0] * quality(place == home, here.school, here.school_access)
        health += sums[_ELDERS0] * quality(place == home, here.health, here.health_access)
        security += sums[_ELDERS0] * (1.0 if place == home else here.security_access)
        amenity += stays * here.amenity
    if gone > 0.0:
        school += sums[_KIDS1] * quality(away_to == home, there.school, there.school_access)
        health += sums[_ELDERS1] * quality(away_to == home, there.health, there.health_access)
        security += sums[_ELDERS1] * (1.0 if away_to == home else there.security_access)
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
        start = away_place if (one.split and form == Form.WORKER) else place
        if start == origin and village_home:
            distance = places.community_distance[community, d]
        elif d == origin and village_home:
            distance = places.community_distance[community, start]
        else:
            distance = places.distance[start, d]
        cost = rules.cost_term(Nest.INSIDE if d < inside else Nest.OUTSIDE, d == inside + 1, sums[_MOVERS], p)
        leaves = d >= inside or d % N_TIERS != Tier.VILLAGE
        schooling = rules.schooling_term(sums[_SCHOOLING], leaves, form == Form.YOUNG, p)
    linked = 0.0  # pull of those from home, where the parts live
    if places.registered[community] > 0.0:
        where = stays * places.network[community, place] if place != origin else 0.0
        if gone > 0.0 and away_to != origin:
            where += gone * places.network[community, away_to]
        linked = where / members / places.registered[community]
    network = rules.network_term(linked, p)
    share_unregistered = (stays if place != home else 0.0) * here.barrier
    if gone > 0.0 and away_to != home:
        share_unregistered += gone * there.barrier
    barrier = rules.barrier_term(share_unregistered / members, False, p)
    eased = (stays if place != home else 0.0) * (here.social + one.rooted)
    if gone > 0.0 and away_to != home:
        eased += gone * there.social
        if away_to == away_place:  # those who are there already have grown roots
            eased += max(0.0, gone - sums[_MOVERS]) * one.away_rooted
    back = 0.0  # support of those who come back to their village
    if village_home and county >= 0:
        if (form == Form.RETURN and place == origin) or (form == Form.WHOLE and d == origin):
            back = places.land[county].return_gain
    taste_place = place if form == Form.STAY or form == Form.RETURN else d
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
        rules.family_term(sums[_APART], sums[_CHILD_LEFT], sums[_ELDER_LEFT], p),
        cost,
        p.home_utility * at_home / members + back,
        staying,
        rules.taste(taste_normal(taste_key, one.key, taste_place), p),
        rules.social_term(eased / members, 1.0),
    )


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


@kernel
def choose_one(h, people, families, places, seed, year, p, best_code, best_value):
    """Fill the ``ROUNDS`` best alternatives of household ``h``, best first; STAY ends the list."""
    inside = places.distance.shape[0] - 2
    who = who_is_who(h, people, families, year)
    one = home_of(h, who.split, people, families, year, places, p)
    gumbel_key, nest_key = stream(seed, Decision.GUMBEL, year), stream(seed, Decision.NEST, year)
    taste_key = stream(seed, Decision.TASTE, 0)
    nested_in = nest_error(nest_key, one.key, Nest.INSIDE, p.nest_dissimilarity)
    nested_out = nest_error(nest_key, one.key, Nest.OUTSIDE, p.nest_dissimilarity)
    sums = np.empty(N_SUMS, np.float64)
    for r in range(ROUNDS):
        best_code[r], best_value[r] = STAY, -np.inf
    reach = np.empty(inside + 2, np.int64)
    reached = 0
    for d in range(inside + 2):
        if d == one.place or is_within_reach(one, d, places):
            reach[reached] = d
            reached += 1
    for form in range(N_FORMS):
        if not can_form(form, who, families.kind[h], one.members):
            continue
        sum_up(h, form, who, people, families, year, sums)
        if Form.STAY < form < Form.WHOLE and sums[_GROWN0] == 0.0:
            continue  # nobody would stay, or children alone
        for n in range(reached):
            d = reach[n]
            if not fits(form, d, one, inside) or (d == one.place and form != Form.STAY and form != Form.RETURN):
                continue
            value = total(terms_of(one, form, d, sums, places, taste_key, p))
            if form == Form.STAY:
                code = STAY
                value += alternative_error(gumbel_key, one.key, STAY_LUCK, 1.0)
            else:
                code = d * FORM_STRIDE + form
                value += alternative_error(gumbel_key, one.key, code, p.nest_dissimilarity)
                value += nested_in if d < inside else nested_out
            for r in range(ROUNDS):
                if value > best_value[r]:
                    for s in range(ROUNDS - 1, r, -1):
                        best_code[s], best_value[s] = best_code[s - 1], best_value[s - 1]
                    best_code[r], best_value[r] = code, value
                    break


@parallel_kernel
def distances(minutes, p, utility):
    """Fill ``utility`` with the distance term of ``minutes``, both of one shape (rows, places)."""
    for i in rows(minutes.shape[0]):
        for j in range(minutes.shape[1]):
            utility[i, j] = rules.distance_term(minutes[i, j], p)


@parallel_kernel
def choose(chosen, people, families, places, seed, year, p, codes, values):
    """Fill ``codes`` and ``values`` (households who consider, ROUNDS) on the frozen state; ``p`` is one record."""
    for n in rows(chosen.shape[0]):
        choose_one(chosen[n], people, families, places, seed, year, p[0], codes[n], values[n])


@parallel_kernel
def consider(people, families, places, peer_share, wed, news, seed, year, p, month):
    """Fill ``month`` (households,): 1 to 12 where the household considers moving, else 0.

    ``wed`` (households,) marks marriages of the year; ``news`` (counties + 1, N_CONCERNS) how loud the
    news of measures are by whom they concern, in the county of the community (the last row: no county).
    """
    key = stream(seed, Decision.CONSIDER, year)
    month_key = stream(seed, Decision.MONTH, year)
    for h in rows(families.key.shape[0]):
        first = families.first_member[h]
        chief = -1
        event, youth, seeking, adult, dependent = False, False, False, False, False
        for i in range(first, first + families.members[h]):
            age = age_of(i, people, year)
            if age in (SCHOOL_AGE, CHILD_AGE) or age == SCHOOL_AGE * 2:
                event = True
            if CHILD_AGE < age < YOUTH_AGE and people.couple[i] == 0 and people.is_away[i] == 0:
                youth = True
            if people.activity[i] == Activity.SEEKING:
                seeking = True
            dependent = dependent or SCHOOL_AGE <= age < CHILD_AGE or age >= ELDER_AGE
            adult = adult or is_adult(i, people, year)
            if is_adult(i, people, year) and (
                chief < 0
                or people.earning_factor[i] > people.earning_factor[chief]
                or (people.earning_factor[i] == people.earning_factor[chief] and people.key[i] > people.key[chief])
            ):
                chief = i
        if chief < 0:  # nobody of working age: the youngest, never the first of the rows
            chief = first
            for i in range(first + 1, first + families.members[h]):
                if people.birth_year[i] > people.birth_year[chief] or (
                    people.birth_year[i] == people.birth_year[chief] and people.key[i] > people.key[chief]
                ):
                    chief = i
        away = families.away_place[h] >= 0 or families.place[h] >= places.distance.shape[0] - 2
        heard = news[places.community_county[families.community[h]]]
        loudest = 0.0
        if dependent:
            loudest = max(loudest, heard[CONCERNS_DEPENDENTS])
        if families.land_mu[h] > 0.0:
            loudest = max(loudest, heard[CONCERNS_LAND])
        if families.tenure[h] != Tenure.PURCHASED:
            loudest = max(loudest, heard[CONCERNS_TENANTS])
        if adult:
            loudest = max(loudest, heard[CONCERNS_WORKERS])
        if away:
            loudest = max(loudest, heard[CONCERNS_ABSENT])
        prob = rules.consider_prob(
            max(0, age_of(chief, people, year)),
            event,
            youth,
            seeking,
            wed[h],
            peer_share[families.community[h]],
            away,
            loudest,
            p[0],
        )
        month[h] = 0
        if uniform(key, families.key[h], 0) < prob:
            month[h] = 1 + int(uniform(month_key, families.key[h], 0) * _MONTHS)
