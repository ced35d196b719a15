"""Kernels of considering and choosing: gather the numbers of a household, call the rules, add up.

A household lives in one part (at ``place``) or two (the second at ``away_place``). Every
alternative is a destination and a form; after it, part 0 is who stays at ``place`` and part 1 who
lives at the destination. The sums over members that the rules need do not depend on the
destination, so they are taken once a form.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from migrasim.core.chance import Decision, draw, stream, uniform, unit
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
_MONTHS = 12


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
    tenure: np.ndarray
    away_tenure: np.ndarray
    land_mu: np.ndarray
    first_member: np.ndarray
    members: np.ndarray
    farm_full_yuan: np.ndarray
    farmers_needed: np.ndarray
    other_income_yuan: np.ndarray
    dividend_yuan: np.ndarray


class Places(NamedTuple):
    """(places,) what a newcomer finds, frozen within a wave; and the geography."""

    wage_yuan: np.ndarray
    work_chance: np.ndarray
    rent_yuan: np.ndarray
    relief_yuan: np.ndarray
    living_yuan: np.ndarray
    school: np.ndarray
    school_access: np.ndarray
    health: np.ndarray
    health_access: np.ndarray
    security_access: np.ndarray
    amenity: np.ndarray
    barrier: np.ndarray
    travel_min: np.ndarray  # (places, places)
    community_travel_min: np.ndarray  # (communities, places)
    community_county: np.ndarray
    origin_place: np.ndarray  # (communities,) place of the community itself, whatever the registered address
    network: np.ndarray  # (communities, places) persons
    registered: np.ndarray  # (communities,) persons
    land_rent_yuan: np.ndarray  # (counties,)
    land_kept: np.ndarray
    collective_kept: np.ndarray
    exit_income_yuan: np.ndarray
    core: int
    villages: int


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
def is_possible(h, form, d, who, people, families, year, places):
    """Whether this form to this destination can be done at all."""
    inside = places.travel_min.shape[0] - 2
    place, away_place, home = families.place[h], families.away_place[h], families.home_place[h]
    origin = places.origin_place[families.community[h]]
    members = families.members[h]
    if d == place or (who.split and form != Form.WHOLE and form != Form.WORKER and d != away_place):
        return False
    county = places.community_county[families.community[h]]
    if d < inside and d != home and d != origin and d % N_TIERS != Tier.SEAT:
        here = place // N_TIERS if place < inside else -1
        own = d // N_TIERS == county or (county < 0 and d // N_TIERS == here)
        if d % N_TIERS == Tier.VILLAGE or not own:
            return False
    if (
        place >= inside and d < inside and d != home and d != origin and county >= 0
    ):  # from outside: home, own town and seat, core
        if d // N_TIERS != county and d != places.core:
            return False
    if form == Form.WHOLE:
        return True
    if d < inside and d % N_TIERS == Tier.VILLAGE:
        return False
    if families.kind[h] == Kind.COLLECTIVE or members < 2:
        return False
    if who.split and form == Form.WORKER:
        return d != away_place
    if form == Form.WORKER:
        return who.chief >= 0
    if form == Form.COUPLE:
        return who.partner >= 0 and (who.chief >= 0 or who.split)
    if form == Form.YOUNG:
        return who.young >= 0
    if form == Form.SCHOOL:
        return who.parent >= 0 and d < inside
    return False


@rule
def rent_of(place, tenure, persons, places, p):
    """Rent that a part pays where it lives now."""
    if tenure == Tenure.MARKET_RENT or (tenure == Tenure.NONE and place >= places.travel_min.shape[0] - 2):
        return rules.housing_cost_yuan(places.rent_yuan[place], 0.0, persons, p)
    if tenure == Tenure.PUBLIC_RENT or tenure == Tenure.AFFORDABLE_RENT:
        return rules.housing_cost_yuan(places.rent_yuan[place], places.relief_yuan[place], persons, p)
    return 0.0


@rule
def quality(place, home_place, registered, access):
    """Quality of a service: in full where registered, by access elsewhere."""
    return registered[place] if place == home_place else access[place]


@rule
def taste_normal(seed, key, place):
    """A number near the standard normal (three uniforms), persistent for household and place."""
    stream_key = stream(seed, Decision.TASTE, 0)
    total = 0.0
    for n in range(3):
        total += unit(draw(stream_key, key, place * 4 + n))
    return 2.0 * (total - 1.5)


@rule
def terms_of(h, form, d, sums, total_income, who, people, families, year, places, seed, p):
    """Terms of utility of one alternative; ``form`` STAY stands for the present arrangement."""
    inside = places.travel_min.shape[0] - 2
    place, away_place, home = families.place[h], families.away_place[h], families.home_place[h]
    community = families.community[h]
    county = places.community_county[community]
    origin = places.origin_place[community]
    members = families.members[h]
    stays, gone = sums[_STAY_N], sums[_GO_N]
    away_to = away_place if form == Form.STAY else d  # where part 1 lives
    whole = stays == 0.0
    village_home = places.community_county[community] >= 0 and community < places.villages
    # income: what is not given up, what is found there, land, the collective, less rent and living cost
    income = total_income - sums[_LOST] + families.other_income_yuan[h]
    farmers = sums[_FARMERS] if place == origin and not whole else 0.0
    if form == Form.RETURN:
        if place == origin and village_home:
            farmers += sums[_ADULTS_GO]
        else:
            income += sums[_EARN] * places.wage_yuan[place] * places.work_chance[place]
    elif form != Form.STAY:
        earn = sums[_EARN] * (p.school_parent_work_share if form == Form.SCHOOL else 1.0)
        income += earn * places.wage_yuan[d] * places.work_chance[d]
        if whole and d == origin and village_home:
            farmers = sums[_ADULTS_GO]
    worker_stays = sums[_WORKERS0] > 0.0 and place == origin
    if whole and form == Form.WHOLE:
        worker_stays = d == origin
    if form == Form.RETURN and place == origin:
        worker_stays = True
    land_kept, collective_kept, lent_yuan, exit_yuan = 1.0, 1.0, 0.0, 0.0
    if village_home and county >= 0:
        lent_yuan = places.land_rent_yuan[county]
        if not worker_stays:
            land_kept = places.land_kept[county]
            collective_kept = places.collective_kept[county]
            exit_yuan = places.exit_income_yuan[county]
    worked = rules.farm_worked_share(farmers, families.farmers_needed[h])
    income += families.farm_full_yuan[h] * worked
    income += families.land_mu[h] * (1.0 - worked) * (lent_yuan * land_kept + exit_yuan)
    income += families.dividend_yuan[h] * collective_kept
    if not whole:
        income -= rent_of(place, families.tenure[h], stays, places, p) + places.living_yuan[place] * stays
    if gone > 0.0:
        joins = form == Form.STAY or (away_place >= 0 and d == away_place)
        if joins:
            income -= rent_of(away_to, families.away_tenure[h], gone, places, p)
        elif d >= inside or d % N_TIERS != Tier.VILLAGE:
            relief = 0.0 if d == home else places.relief_yuan[d]
            income -= rules.housing_cost_yuan(places.rent_yuan[d], relief, gone, p)
        income -= places.living_yuan[away_to] * gone
    # services where children and elders will live
    school, health, security, amenity = 0.0, 0.0, 0.0, 0.0
    kids, elders = sums[_KIDS0] + sums[_KIDS1], sums[_ELDERS0] + sums[_ELDERS1]
    if not whole:
        school += sums[_KIDS0] * quality(place, home, places.school, places.school_access)
        health += sums[_ELDERS0] * quality(place, home, places.health, places.health_access)
        security += sums[_ELDERS0] * (1.0 if place == home else places.security_access[place])
        amenity += stays * places.amenity[place]
    if gone > 0.0:
        school += sums[_KIDS1] * quality(away_to, home, places.school, places.school_access)
        health += sums[_ELDERS1] * quality(away_to, home, places.health, places.health_access)
        security += sums[_ELDERS1] * (1.0 if away_to == home else places.security_access[away_to])
        amenity += gone * places.amenity[away_to]
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
        start = away_place if (who.split and form == Form.WORKER) else place
        if start == origin and village_home:
            minutes = places.community_travel_min[community, d]
        elif d == origin and village_home:
            minutes = places.community_travel_min[community, start]
        else:
            minutes = places.travel_min[start, d]
        distance = rules.distance_term(minutes, p)
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
    share_unregistered = (stays if place != home else 0.0) * places.barrier[place]
    if gone > 0.0 and away_to != home:
        share_unregistered += gone * places.barrier[away_to]
    barrier = rules.barrier_term(share_unregistered / members, False, p)
    taste_place = place if form == Form.STAY or form == Form.RETURN else d
    return Terms(
        rules.income_term(income, members, p),
        distance,
        network,
        schooling,
        rules.school_term(kids, school, p),
        rules.health_term(elders, health, p),
        rules.security_term(elders, security, p),
        amenity,
        barrier,
        rules.land_term(families.land_mu[h], land_kept, worker_stays or not village_home, p),
        rules.family_term(sums[_APART], sums[_CHILD_LEFT], sums[_ELDER_LEFT], p),
        cost,
        p.home_utility * at_home / members,
        staying,
        rules.taste(taste_normal(seed, families.key[h], taste_place), p),
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
    )


@rule
def income_now(h, people, families):
    """What all members earn by work now, farming apart."""
    result = 0.0
    for i in range(families.first_member[h], families.first_member[h] + families.members[h]):
        result += people.income_yuan[i]
    return result


@kernel
def choose_one(h, people, families, places, seed, year, p, best_code, best_value):
    """Fill the ``ROUNDS`` best alternatives of household ``h``, best first; STAY ends the list."""
    inside = places.travel_min.shape[0] - 2
    who = who_is_who(h, people, families, year)
    key = families.key[h]
    gumbel_key, nest_key = stream(seed, Decision.GUMBEL, year), stream(seed, Decision.NEST, year)
    nested_in = nest_error(nest_key, key, Nest.INSIDE, p.nest_dissimilarity)
    nested_out = nest_error(nest_key, key, Nest.OUTSIDE, p.nest_dissimilarity)
    sums = np.empty(N_SUMS, np.float64)
    earned = income_now(h, people, families)
    sum_up(h, Form.STAY, who, people, families, year, sums)
    terms = terms_of(h, Form.STAY, families.place[h], sums, earned, who, people, families, year, places, seed, p)
    value = total(terms) + alternative_error(gumbel_key, key, STAY_LUCK, 1.0)
    for r in range(ROUNDS):
        best_code[r], best_value[r] = STAY, -np.inf
    best_value[0] = value
    for form in range(Form.WORKER, N_FORMS):
        if form == Form.RETURN and not who.split:
            continue
        ready = False
        for d in range(inside + 2):
            if form == Form.RETURN:
                if d != families.place[h]:
                    continue
            elif not is_possible(h, form, d, who, people, families, year, places):
                continue
            if not ready:
                sum_up(h, form, who, people, families, year, sums)
                ready = True
                if form != Form.WHOLE and form != Form.RETURN and sums[_GROWN0] == 0.0:
                    break  # nobody would stay, or children alone
            terms = terms_of(h, form, d, sums, earned, who, people, families, year, places, seed, p)
            error = alternative_error(gumbel_key, key, d * FORM_STRIDE + form, p.nest_dissimilarity)
            value = total(terms) + error + (nested_in if d < inside else nested_out)
            code = d * FORM_STRIDE + form
            for r in range(ROUNDS):
                if value > best_value[r]:
                    for s in range(ROUNDS - 1, r, -1):
                        best_code[s], best_value[s] = best_code[s - 1], best_value[s - 1]
                    best_code[r], best_value[r] = code, value
                    break


@parallel_kernel
def choose(chosen, people, families, places, seed, year, p, codes, values):
    """Fill ``codes`` and ``values`` (households who consider, ROUNDS) on the frozen state."""
    for n in rows(chosen.shape[0]):
        choose_one(chosen[n], people, families, places, seed, year, p, codes[n], values[n])


@parallel_kernel
def consider(people, families, places, peer_share, seed, year, p, month):
    """Fill ``month`` (households,): 1 to 12 where the household considers moving, else 0."""
    key = stream(seed, Decision.CONSIDER, year)
    month_key = stream(seed, Decision.MONTH, year)
    for h in rows(families.key.shape[0]):
        first = families.first_member[h]
        chief = -1
        event, youth, seeking = False, False, False
        for i in range(first, first + families.members[h]):
            age = age_of(i, people, year)
            if age in (SCHOOL_AGE, CHILD_AGE) or age == SCHOOL_AGE * 2:
                event = True
            if CHILD_AGE < age < YOUTH_AGE and people.couple[i] == 0 and people.is_away[i] == 0:
                youth = True
            if people.activity[i] == Activity.SEEKING:
                seeking = True
            if is_adult(i, people, year) and (
                chief < 0
                or people.earning_factor[i] > people.earning_factor[chief]
                or (people.earning_factor[i] == people.earning_factor[chief] and people.key[i] > people.key[chief])
            ):
                chief = i
        if chief < 0:
            chief = first
        away = families.away_place[h] >= 0 or families.place[h] >= places.travel_min.shape[0] - 2
        prob = rules.consider_prob(
            max(0, age_of(chief, people, year)), event, youth, seeking, peer_share[families.community[h]], away, p
        )
        month[h] = 0
        if uniform(key, families.key[h], 0) < prob:
            month[h] = 1 + int(uniform(month_key, families.key[h], 0) * _MONTHS)
