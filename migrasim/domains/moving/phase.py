"""Twelve monthly waves: who considers chooses on a frozen state, is matched or refused, moves.

In each wave all who consider choose in parallel. Then, for up to three rounds, dwellings are
given out in the order of a keyed lottery and school places by class of claim and the same lottery,
in integers; who fails one good releases the other and takes the next best. Dwellings and places
given up in a wave are free in the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple, Protocol

import numpy as np

from migrasim.core.chance import Decision, draw, stream, uniform
from migrasim.core.codes import N_SECTORS, N_TIERS, Activity, Answer, Form, Purse, Sector, Tenure, Tier
from migrasim.core.columns import Table
from migrasim.core.lottery import by_lot
from migrasim.core.rule import inlined, kernel, rule
from migrasim.domains.moving import choice, rules
from migrasim.domains.moving.choice import FORM_STRIDE, ROUNDS, STAY, Places
from migrasim.domains.moving.household import CHILD_AGE, SCHOOL_AGE, Families, People, gather
from migrasim.domains.moving.rules import MovingParams
from migrasim.facts import BASE_YEAR
from migrasim.world import Flows, Geography, World

MONTHS = 12
_RECORD = np.dtype((np.record, [(name, np.float64) for name in MovingParams._fields]))
_NO_CLAIM = 3  # beyond the three classes of claim to a school place
_INTERPLAY = ("residence_permit.", "three_rights.", "public_housing.", "industry.")
_OFFERS = ("relief_yuan", "school_own", "school_access", "health_access", "security_access", "barrier")
_RIGHTS = ("kept", "collective_kept", "exit_income_yuan")
_OF_PERSONS = ("earning_factor", "income_yuan")  # columns of `migrasim.world.Livelihood`
_OF_HOUSEHOLDS = ("farm_full_yuan", "farmers_needed", "other_income_yuan", "dividend_yuan")
_CONCERNS = (  # whom news of a lever concern, by the beginning of its name
    ("residence_permit.", choice.CONCERNS_DEPENDENTS),
    ("hukou.", choice.CONCERNS_DEPENDENTS),
    ("public_services.", choice.CONCERNS_DEPENDENTS),
    ("three_rights.", choice.CONCERNS_LAND),
    ("public_housing.", choice.CONCERNS_TENANTS),
    ("industry.", choice.CONCERNS_WORKERS),
    ("employment.", choice.CONCERNS_WORKERS),
    ("rural.", choice.CONCERNS_ABSENT),
)


class MutablePeople(NamedTuple):
    """Columns of persons that a move writes."""

    is_away: np.ndarray
    since_year: np.ndarray
    activity: np.ndarray
    sector: np.ndarray
    chain: np.ndarray


class MutableFamilies(NamedTuple):
    """Columns of households that a move writes."""

    place: np.ndarray
    away_place: np.ndarray
    since_year: np.ndarray
    away_since_year: np.ndarray
    tenure: np.ndarray
    away_tenure: np.ndarray
    permit: np.ndarray
    waiting_yr: np.ndarray
    savings_yuan: np.ndarray


class Goods(NamedTuple):
    """What is given out, and all who are counted while it is, in sample units."""

    dwellings: np.ndarray  # (places, tenures)
    occupied: np.ndarray
    school_places: np.ndarray  # (places,)
    pupils: np.ndarray
    seekers: np.ndarray
    filled: np.ndarray  # (places, job kinds)
    price_yuan: np.ndarray  # (places,)
    work_chance: np.ndarray  # (places,)
    school_gate: np.ndarray  # (counties, 2) share whose school is open: newcomers by permit, those of the same county
    affordable_gate: np.ndarray  # (counties,) share of newcomers eligible for affordable rental
    subsidised_loan: np.ndarray  # (counties,) share covered by the provident fund
    paid_yuan: np.ndarray  # (counties,) down payments, counted up
    refused: np.ndarray  # (places, 2) by good, counted up
    network: np.ndarray  # (communities, places)
    moves: np.ndarray  # (places, places, forms) persons
    household_moves: np.ndarray  # (places, places, forms)


class Witness(Protocol):
    """Who is told what households choose and what becomes of it, wave by wave; it changes nothing."""

    def choosing(
        self,
        world: World,
        wave: int,
        chosen: np.ndarray,
        codes: np.ndarray,
        people: People,
        families: Families,
        places: Places,
    ) -> None:
        """Called on the frozen state of the wave: rows who consider, and their best alternatives (rows, ROUNDS)."""

    def matched(self, world: World, answers: np.ndarray) -> None:
        """Called when the wave is carried out, with the `Answer` to each alternative (rows, ROUNDS)."""


def record(p: MovingParams) -> np.ndarray:
    """(1,) the bundle as a record: kernels that call many rules are handed one pointer instead of all numbers."""
    return np.array([tuple(p)], _RECORD)


def origin_places(world: World) -> np.ndarray:
    """(communities,) place of each community; a village that became a town is part of it."""
    geography = world.geography
    place = np.empty(geography.communities, np.int64)
    villages = np.arange(geography.villages)
    town = np.where(world.villages.urban_since_year > 0, int(Tier.TOWN), int(Tier.VILLAGE))
    place[villages] = N_TIERS * geography.community_county[villages] + town
    for c in range(geography.counties):
        for tier in (Tier.TOWN, Tier.SEAT):
            place[geography.villages + 2 * c + tier - Tier.TOWN] = N_TIERS * c + tier
    place[-2:] = geography.near, geography.far
    return place


def places_of_villages(geography: Geography) -> np.ndarray:
    """(places,) True for the village places inside."""
    place = np.arange(geography.places)
    return np.asarray((place < geography.inside) & (place % N_TIERS == Tier.VILLAGE))


def _distances(world: World) -> tuple[np.ndarray, np.ndarray]:
    """Distance terms between places and from communities to places; the same in every wave of a year."""
    memory, p = world.memory, world.inputs.params("moving", MovingParams, year=world.year)
    factors = _travel_factors(world, p)
    now = np.concatenate(
        [[world.year, p.distance_scale_min, p.distance_income_ratio, p.income_elasticity], factors.ravel()]
    )
    if not np.array_equal(memory.get("distance_of", np.zeros(0))[1:], now[1:]):
        places, communities = travel_min(world, factors)
        for name, minutes in (("distance", places), ("community_distance", communities)):
            memory[name] = np.empty_like(minutes)
            choice.distances(len(minutes), minutes, p, memory[name])
        memory["distance_of"] = now
    return memory["distance"], memory["community_distance"]


def _travel_factors(world: World, p: MovingParams) -> np.ndarray:
    """(3, counties) travel time over that of the base: between counties, to the outside, village to town and seat."""
    factors = np.empty((3, world.geography.counties))
    fill_travel_factors(
        world.levers["transport.intercounty"],
        world.inputs.status_quo("transport.intercounty"),
        world.above("spatial.cluster_integration"),
        world.above("transport.rural_roads"),
        p,
        factors,
    )
    return factors


@kernel
def fill_travel_factors(saved, saved_base, cluster, roads, p, factors):
    """Fill ``factors`` (3, counties) of `_travel_factors` from levers (counties,)."""
    for c in range(factors.shape[1]):
        factors[0, c] = rules.travel_factor(saved[c], saved_base[c])
        factors[1, c] = factors[0, c] * rules.cluster_factor(cluster[c], p)
        factors[2, c] = rules.rural_roads_factor(roads[c], p)


def travel_min(world: World, factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Minutes between places and from communities to places with this year's roads.

    Parameters
    ----------
    factors : (3, counties) of the year, see ``_travel_factors``; a road between two counties takes
        the mean of both
    """
    geography = world.geography
    inside, villages = geography.inside, geography.villages
    county, tier = np.arange(inside) // N_TIERS, np.arange(inside) % N_TIERS
    between, outward, roads = factors[:, county]
    same = county[:, None] == county[None, :]
    village = tier == Tier.VILLAGE
    factor = np.ones((geography.places, geography.places))
    factor[:inside, :inside] = np.where(same, 1.0, (between[:, None] + between[None, :]) / 2.0)
    factor[:inside, :inside] *= np.where(same & (village[:, None] != village[None, :]), roads[:, None], 1.0)
    factor[:inside, inside:] = outward[:, None]
    factor[inside:, :inside] = outward[None, :]
    home = origin_places(world)
    home[:villages] = N_TIERS * geography.community_county[:villages] + Tier.VILLAGE
    return geography.travel_min * factor, geography.community_travel_min * factor[home]


@kernel
def fill_welcome(integration, community, support, p, social, settling, return_gain):
    """Fill what places offer newcomers beside goods, from levers over their status quo (counties,).

    ``social`` (places,) cost that newcomers of towns and seats are spared, ``settling`` (places,) speed at which
    they grow roots, ``return_gain`` (counties,) pull of the home village.
    """
    for c in range(integration.shape[0]):
        for tier in range(N_TIERS):
            d = N_TIERS * c + tier
            social[d] = 0.0 if tier == Tier.VILLAGE else rules.social_ease(integration[c], community[c], p)
            settling[d] = rules.settling_speed(integration[c], p)
        return_gain[c] = rules.return_gain(support[c], p)


def _interplay(world: World, p: MovingParams, at: np.ndarray, land: np.ndarray | None) -> None:
    """Let the pulls of several groups of levers help or replace one another, where a run asks for it.

    What a place offers over the base year weighs more or less when other groups are set as well; with
    one group alone, or none, nothing changes. ``land`` is not given where it has been done already this year.
    """
    if p.interplay_exponent == 1.0:
        return
    base = world.memory.setdefault("offers_base", np.stack([at[name] for name in _OFFERS]).astype(np.float64))
    counties, inside = world.geography.counties, world.geography.inside
    set_levers = np.zeros((len(_INTERPLAY), counties))
    for g, group in enumerate(_INTERPLAY):
        names = [name for name in world.levers if name.startswith(group)]
        for name in names:
            for c, (above, way) in enumerate(zip(world.above(name), world.inputs.way(name), strict=True)):
                set_levers[g, c] += rules.news_share(float(above), float(way)) / len(names)
    factor = np.array(
        [rules.interplay_factor(float(one[0]), float(one[1]), float(one[2]), float(one[3]), p) for one in set_levers.T]
    )
    by_place = np.ones(len(at))
    by_place[:inside] = factor[np.arange(inside) // N_TIERS]
    for name, was in zip(_OFFERS, base, strict=True):
        at[name] = np.where(by_place == 1.0, at[name], was + by_place * (at[name] - was))
    at["barrier"] = np.maximum(0.0, at["barrier"])
    if land is None:
        return
    rights = world.memory.setdefault("rights_base", np.stack([land[name] for name in _RIGHTS]).astype(np.float64))
    for name, was in zip(_RIGHTS, rights, strict=True):
        land[name] = np.where(factor == 1.0, land[name], was + factor * (land[name] - was))
    for name in ("kept", "collective_kept"):
        land[name] = np.minimum(1.0, land[name])


def _offer(world: World, at: np.ndarray) -> None:
    """Write into the records ``at`` what places offer now: what goods cost and are worth changes from wave to wave."""
    place = world.place
    chance = place.work_chance_share
    if "myopic_income" in world.inputs.alternatives:  # a village's chance says how much work there is, not how sure
        chance = np.where(places_of_villages(world.geography), chance, 1.0)
    at["wage_yuan"] = place.wage_newcomer_yuan_yr
    at["work_chance"] = chance
    at["rent_yuan"] = place.rent_yuan_yr
    at["relief_yuan"] = place.rent_relief_yuan_yr
    at["living_yuan"] = place.living_cost_yuan_yr_pers
    at["school"] = place.school_quality_share
    at["school_own"] = place.school_own_share
    at["school_access"] = place.school_access_share
    at["health"] = place.health_quality_share
    at["health_access"] = place.health_access_share
    at["security_access"] = place.security_access_share
    at["amenity"] = place.amenity_utility
    at["barrier"] = place.barrier_share


def views(world: World) -> tuple[People, Families, Places]:
    """The columns that the choice reads, as bundles for the kernels."""
    persons, households, county = world.persons, world.households, world.county
    live = world.livelihood
    people = People(
        persons.key,
        persons.birth_year,
        persons.couple,
        persons.parents,
        persons.schooling,
        persons.activity,
        persons.is_away,
        live.earning_factor,
        live.income_yuan,
    )
    families = Families(
        households.key,
        households.kind,
        households.community,
        households.home_place,
        households.place,
        households.away_place,
        households.since_year,
        households.away_since_year,
        households.tenure,
        households.away_tenure,
        households.land_mu,
        world.first_member,
        world.members,
        live.farm_full_yuan,
        live.farmers_needed,
        live.other_income_yuan,
        live.dividend_yuan,
    )
    geography = world.geography
    network = world.network
    if "networks" in world.inputs.alternatives:
        network = world.memory.setdefault("network_base", network.copy())
    at, land = np.empty(geography.places, choice.AT), np.empty(geography.counties, choice.LAND)
    land["rent_yuan"] = county.land_rent_yuan_yr_mu
    land["kept"] = county.land_kept_share
    land["collective_kept"] = county.collective_kept_share
    land["exit_income_yuan"] = county.exit_income_yuan_yr_mu
    social, settling = np.zeros(geography.places), np.ones(geography.places)
    return_gain = np.empty(geography.counties)
    p = world.inputs.params("moving", MovingParams, year=world.year)
    fill_welcome(
        world.above("integration.community"),
        world.above("governance.community"),
        world.above("rural.returnee_support"),
        p,
        social,
        settling,
        return_gain,
    )
    at["social"], at["settling"], land["return_gain"] = social, settling, return_gain
    _offer(world, at)
    _interplay(world, p, at, land)
    places = Places(
        at,
        land,
        *_distances(world),
        geography.community_county,
        origin_places(world),
        network,
        network.sum(axis=1).astype(np.float64),
        geography.core,
        geography.villages,
    )
    return people, families, places


@inlined
def _kids_who_go(form, one, crew, target):
    """Pupils who go in this form, and those of them who do not live at ``target`` yet."""
    going, arriving = 0, 0
    for k in range(one.first, one.first + one.members):
        if (crew[k].moves >> form) & 1 and SCHOOL_AGE <= crew[k].age < CHILD_AGE:
            going += 1
            arriving += (one.away_place if crew[k].is_away else one.place) != target
    return going, arriving


@rule
def needs_dwelling(form, d, one, inside):
    """Towns and seats need a dwelling, but who joins an away part shares its."""
    if d >= inside or d % N_TIERS == Tier.VILLAGE or form == Form.RETURN:
        return False
    return not (one.split and d == one.away_place)


@inlined
def _find_dwelling(one, form, d, keys, savings_yuan, goods, p):
    """Tenure of a vacant dwelling that the household takes, NONE where there is none for it."""
    dormitory_key, buy_key, dwelling_key = keys
    key, c = one.key, d // N_TIERS
    stands, lived_in = goods.dwellings, goods.occupied
    alone = form == Form.WORKER or form == Form.COUPLE or form == Form.YOUNG or one.members == 1
    if alone and uniform(dormitory_key, key, 0) < p.dormitory_share:
        return Tenure.DORMITORY
    for_sale = stands[d, Tenure.PURCHASED] > lived_in[d, Tenure.PURCHASED]
    settles = form == Form.WHOLE or form == Form.FAMILY
    if settles and uniform(buy_key, key, 0) < p.buy_share:
        price = goods.price_yuan[d] * (1.0 - p.down_payment_share * goods.subsidised_loan[c])
        savings = savings_yuan[one.row]
        if for_sale and rules.can_buy(savings, price, p):
            return Tenure.PURCHASED
        if stands[d, Tenure.SHARED_OWNERSHIP] > lived_in[d, Tenure.SHARED_OWNERSHIP]:
            if rules.can_buy(2 * savings, price, p):
                return Tenure.SHARED_OWNERSHIP
    if stands[d, Tenure.AFFORDABLE_RENT] > lived_in[d, Tenure.AFFORDABLE_RENT] and d != one.home:
        if uniform(dwelling_key, key, c) < goods.affordable_gate[c]:
            return Tenure.AFFORDABLE_RENT
    if stands[d, Tenure.MARKET_RENT] > lived_in[d, Tenure.MARKET_RENT]:
        return Tenure.MARKET_RENT
    if settles and for_sale and rules.can_buy(savings_yuan[one.row], goods.price_yuan[d], p):
        return Tenure.PURCHASED
    return Tenure.NONE


@rule
def lives_by(form, d, one, tenure, inside):
    """Tenure of those who move, by what was found for them: who joins an away part has its, villages are built."""
    if form == Form.WHOLE and one.split and d == one.away_place:
        return np.int64(one.away_tenure)
    if (form == Form.WHOLE or form == Form.FAMILY) and d < inside and d % N_TIERS == Tier.VILLAGE:
        return np.int64(Tenure.SELF_BUILT)
    return np.int64(tenure)


@inlined
def _give_out(homes, crew, codes, year, month, seed, inside, savings_yuan, goods, answers, tenure, p):
    """Fill ``answers`` (homes, ROUNDS) to wishes and ``tenure`` (homes,), what was found; see `match`."""
    occupied, pupils, school_places, refused = goods.occupied, goods.pupils, goods.school_places, goods.refused
    count = 0
    for n in range(codes.shape[0]):
        count += codes[n, 0] != STAY
    lottery_key, gate_key = stream(seed, Decision.LOTTERY, year), stream(seed, Decision.PERMIT, 0)
    keys = (
        stream(seed, Decision.DORMITORY, year), stream(seed, Decision.BUY, year), stream(seed, Decision.DWELLING, 0)
    )  # fmt: skip
    lottery, wanting = np.empty(count, np.uint64), np.empty(count, np.int64)
    count = 0
    for n in range(codes.shape[0]):
        if codes[n, 0] != STAY:
            wanting[count] = n
            lottery[count] = draw(lottery_key, homes[n].key, month)
            count += 1
    queue = wanting[by_lot(lottery)]  # those who are not served yet, in the order of the lottery
    rank = np.empty(count, np.uint8)
    for r in range(ROUNDS):
        count = 0
        for o in range(queue.shape[0]):  # dwellings
            n = queue[o]
            code = codes[n, r]
            if code == STAY:
                continue
            one = homes[n]
            d, form = code // FORM_STRIDE, code % FORM_STRIDE
            queue[count], rank[count] = n, 0
            tenure[n] = Tenure.NONE
            if needs_dwelling(form, d, one, inside):
                found = np.int64(_find_dwelling(one, form, d, keys, savings_yuan, goods, p))
                if found == Tenure.NONE:
                    answers[n, r] = Answer.NO_DWELLING
                    refused[d, 0] += r == 0  # its wish; what it would take next is not asked for here
                    rank[count] = _NO_CLAIM
                else:
                    tenure[n] = found
                    occupied[d, found] += 1  # held until the school place is known
            if rank[count] == 0 and d < inside and d != one.home:
                c = d // N_TIERS
                open_share = goods.school_gate[c, np.int64(one.home // N_TIERS == c)]
                rank[count] = 1 if uniform(gate_key, one.key, 1) < open_share else 2
            count += 1
        for claim in range(_NO_CLAIM):  # school places: registered there, opened by the permit, the others
            for o in range(count):
                if rank[o] != claim:
                    continue
                n = queue[o]
                one = homes[n]
                d, form = codes[n, r] // FORM_STRIDE, codes[n, r] % FORM_STRIDE
                target = one.place if form == Form.RETURN else d
                if needs_dwelling(form, d, one, inside):
                    occupied[d, tenure[n]] -= 1
                going, arriving = _kids_who_go(form, one, crew, target)
                if going > 0 and d < inside and d % N_TIERS != Tier.VILLAGE and form != Form.RETURN:
                    if pupils[d] + going > school_places[d]:
                        refused[d, 1] += r == 0
                        answers[n, r] = Answer.NO_SCHOOL_PLACE
                        continue
                if tenure[n] == Tenure.PURCHASED or tenure[n] == Tenure.SHARED_OWNERSHIP:
                    part = 1.0 if tenure[n] == Tenure.PURCHASED else 0.5
                    paid = min(savings_yuan[one.row], np.int64(p.down_payment_share * part * goods.price_yuan[d]))
                    savings_yuan[one.row] -= paid
                    goods.paid_yuan[d // N_TIERS] += paid
                pupils[target] += arriving
                if form != Form.RETURN and not (one.split and d == one.away_place):
                    occupied[d, lives_by(form, d, one, tenure[n], inside)] += 1
                answers[n, r] = Answer.GRANTED
        left = 0
        for o in range(count):
            if answers[queue[o], r] != Answer.GRANTED:
                queue[left] = queue[o]
                left += 1
        queue = queue[:left]


@inlined
def _carry_out(homes, crew, codes, year, seed, inside, people_out, out, goods, answers, tenure):
    """Carry out what was granted: persons, dwellings and school places given up, jobs, network and flows."""
    is_away, person_since, activity, sector, chain = people_out
    occupied, pupils, seekers, filled = goods.occupied, goods.pupils, goods.seekers, goods.filled
    network, moves, household_moves = goods.network, goods.moves, goods.household_moves
    work_key = stream(seed, Decision.JOB, year)
    for n in range(codes.shape[0]):
        r = 0
        while r < ROUNDS and answers[n, r] != Answer.GRANTED:
            r += 1
        if r == ROUNDS:
            continue
        one = homes[n]
        d, form = codes[n, r] // FORM_STRIDE, codes[n, r] % FORM_STRIDE
        h, place, away_place, community = one.row, one.place, one.away_place, one.community
        target = place if form == Form.RETURN else np.int32(d)
        together = form == Form.WHOLE or form == Form.RETURN
        for k in range(one.first, one.first + one.members):
            member = crew[k]
            i = member.row
            if together:
                is_away[i] = 0
            if not (member.moves >> form) & 1:
                continue
            if not together and form != Form.FAMILY:
                is_away[i] = 1
            here = away_place if member.is_away else place
            if here == target:  # the away part whom the family joins
                continue
            moves[here, target, form] += 1
            network[community, here] -= 1
            network[community, target] += 1
            person_since[i] = year
            if SCHOOL_AGE <= member.age < CHILD_AGE:
                pupils[here] -= 1
            if sector[i] > 0 and here < inside:
                filled[here, sector[i] if chain[i] == 0 else N_SECTORS - 1 + chain[i]] -= 1
            sector[i] = Sector.NONE
            chain[i] = 0
            does = member.activity
            if does == Activity.WORKER or does == Activity.FARMER or does == Activity.SEEKING:
                seekers[here] -= does == Activity.SEEKING
                if target >= inside:
                    works = uniform(work_key, member.key, 0) < goods.work_chance[target]
                    activity[i] = Activity.WORKER if works else Activity.SEEKING
                elif target % N_TIERS == Tier.VILLAGE and one.land_mu > 0.0:
                    activity[i] = Activity.FARMER
                    sector[i] = Sector.AGRICULTURE
                    filled[target, Sector.AGRICULTURE] += 1
                else:
                    activity[i] = Activity.SEEKING
                seekers[target] += activity[i] == Activity.SEEKING
        leaves_away = form == Form.RETURN or (one.split and form == Form.WORKER)
        household_moves[away_place if leaves_away else place, target, form] += 1
        joins = one.split and d == away_place
        if form == Form.WHOLE or form == Form.FAMILY:
            occupied[place, one.tenure] -= 1
            out.place[h] = d
            out.tenure[h] = lives_by(form, d, one, tenure[n], inside)
            out.since_year[h] = year
            out.permit[h] = 0
            out.waiting_yr[h] = 0
        if form == Form.FAMILY:
            continue  # whoever is away stays there
        if one.split and (form == Form.RETURN or not joins):
            occupied[away_place, one.away_tenure] -= 1
        if together:
            out.away_place[h] = -1
            out.away_tenure[h] = Tenure.NONE
            out.away_since_year[h] = 0
        elif not joins:
            out.away_place[h] = d
            out.away_tenure[h] = tenure[n]
            out.away_since_year[h] = year


@kernel
def match(homes, crew, codes, year, month, seed, inside, people_out, out, goods, answers, p):
    """Give out goods and carry out moves.

    ``homes`` are those who consider, ``crew`` their members, ``codes`` (homes, ROUNDS) what they want; ``answers``
    (homes, ROUNDS) says what became of each alternative; ``p`` is one record. Rows are served by their lottery,
    never by their place in the table. What is given up is free in the next wave.
    """
    tenure = np.zeros(codes.shape[0], np.uint8)
    _give_out(homes, crew, codes, year, month, seed, inside, out.savings_yuan, goods, answers, tenure, p[0])
    _carry_out(homes, crew, codes, year, seed, inside, people_out, out, goods, answers, tenure)


def run(
    world: World,
    updates: Sequence[Callable[[], None]],
    on_wave: Callable[[int], None] | None = None,
    witness: Witness | None = None,
) -> None:
    """Run the waves of a year.

    Parameters
    ----------
    updates : bring vacancies, rents and crowding up to date between waves
    on_wave : called with the number of the wave, for progress
    witness : told of every choice and what became of it
    """
    p = world.inputs.params("moving", MovingParams)
    geography, year = world.geography, world.year
    people, families, places = views(world)
    month = months(world, people, families, places, p)
    bundle = record(p)
    considering = np.flatnonzero(month > 0)
    world.measures["considered"] = np.bincount(world.households.place[considering], minlength=geography.places)
    order = np.argsort(month[considering], kind="stable")
    slot = np.empty_like(order)
    slot[order] = np.arange(len(order))
    # Nobody but a household itself changes what stands in its records, and it considers once a year.
    homes, crew = gather(considering, people, families, places, year, bundle, slot)
    considering = considering[order]
    ends = np.searchsorted(month[considering], np.arange(MONTHS + 1), side="right")
    persons, households = world.persons, world.households
    people_out = MutablePeople(persons.is_away, persons.since_year, persons.activity, persons.sector, persons.chain)
    out = MutableFamilies(
        households.place,
        households.away_place,
        households.since_year,
        households.away_since_year,
        households.tenure,
        households.away_tenure,
        households.permit,
        households.waiting_yr,
        households.savings_yuan,
    )
    before = world.network.copy()
    goods = _goods(world)
    for wave in range(1, MONTHS + 1):
        these = slice(ends[wave - 1], ends[wave])
        chosen, wave_homes = considering[these], homes[these]
        if wave > 1:
            _offer(world, places.at)
            _interplay(world, p, places.at, None)
        codes = np.full((len(chosen), ROUNDS), STAY, np.int64)
        values = np.zeros((len(chosen), ROUNDS))
        choice.choose_gathered(wave_homes, crew, places, world.seed, year, bundle, codes, values)
        answers = np.zeros(codes.shape, np.uint8)
        if witness is not None:
            witness.choosing(world, wave, chosen, codes, people, families, places)
        match(
            wave_homes, crew, codes, year, wave, world.seed, geography.inside, people_out, out, goods, answers, bundle
        )
        if witness is not None:
            witness.matched(world, answers)
        for update in updates:
            update()
        if on_wave is not None:
            on_wave(wave)
    world.measures["refused"] = goods.refused
    world.memory["refused_dwelling"] = goods.refused[:, 0].astype(np.float64)
    world.pay("household.down_payment", Purse.HOUSEHOLD, Purse.ENTERPRISE, goods.paid_yuan * world.weight)
    moved = np.abs(world.network - before).sum(axis=1) / 2.0
    world.memory["peer_moves_share"] = moved / np.maximum(1, world.network.sum(axis=1))


def first_choices(world: World, with_values: bool = False) -> tuple[np.ndarray, ...]:
    """What all who consider this year would choose on the state of its beginning.

    Returns
    -------
    (n,) rows of households, (n, ROUNDS) codes best first, and with_values (n, ROUNDS) utilities
    """
    p = world.inputs.params("moving", MovingParams)
    people, families, places = views(world)
    chosen = np.flatnonzero(months(world, people, families, places, p))
    codes = np.full((len(chosen), ROUNDS), STAY, np.int64)
    values = np.zeros((len(chosen), ROUNDS))
    choice.choose(chosen, people, families, places, world.seed, world.year, record(p), codes, values)
    return (chosen, codes, values) if with_values else (chosen, codes)


def months(
    world: World, people: People, families: Families, places: Places, p: MovingParams, with_news: bool = True
) -> np.ndarray:
    """(households,) uint8 month in which a household considers moving this year; 0 where it does not.

    Parameters
    ----------
    with_news : False for who would consider moving had nobody heard of this year's changes of levers
    """
    month = np.zeros(len(world.households), np.uint8)
    peers = world.memory.get("peer_moves_share", np.zeros(world.geography.communities))
    wed = np.zeros(len(world.households), np.bool_)
    wed[world.measures.get("newlywed_rows", np.zeros(0, np.int64))] = True
    news = _news(world) if with_news else np.zeros((world.geography.counties + 1, choice.N_CONCERNS))
    bundle = record(p)
    most = choice.most_considering(peers, news, bundle)
    choice.consider(len(month), people, families, places, peers, most, wed, news, world.seed, world.year, bundle, month)
    return month


def _news(world: World) -> np.ndarray:
    """(counties + 1, N_CONCERNS) how loud this year's changes of levers are, the loudest lever of each kind."""
    news = np.zeros((world.geography.counties + 1, choice.N_CONCERNS))
    if world.year <= BASE_YEAR:  # the path before 2020 is no plan that anybody could have heard of
        return news
    for name, before in world.last_levers.items():
        concern, now = _concern(name), world.levers[name]
        if concern is not None and not np.array_equal(before, now):
            hear(now - before, world.inputs.way(name), news, concern)
    return news


@cache
def _concern(lever: str) -> int | None:
    """Whom news of a lever concern; None where nobody."""
    return next((number for start, number in _CONCERNS if lever.startswith(start)), None)


@kernel
def hear(change, way, news, concern):
    """Raise ``news`` (counties + 1, N_CONCERNS) of one concern to those of a lever's ``change`` (counties,)."""
    for c in range(change.shape[0]):
        news[c, concern] = max(news[c, concern], rules.news_share(change[c], way[c]))


def _goods(world: World) -> Goods:
    levers, places = world.levers, world.geography.places
    one_pass = levers["residence_permit.one_pass"]
    return Goods(
        world.dwellings,
        world.occupied,
        world.units(world.place.school_places),
        world.measures["pupils"],
        world.measures["seekers"],
        world.filled,
        world.place.price_yuan,
        world.place.work_chance_share,
        np.stack([world.county.school_gate_share, world.county.school_gate_own_share], axis=1),
        levers["residence_permit.public_housing"] * one_pass,
        levers["public_housing.provident_fund"],
        np.zeros(world.geography.counties, np.int64),
        np.zeros((places, 2), np.int64),
        world.network,
        world.flows.moves,
        world.flows.household_moves,
    )


def drop_departed(world: World) -> None:
    """People registered outside who live outside again leave the world."""
    households, persons, inside = world.households, world.persons, world.geography.inside
    strangers = households.home_place >= inside
    gone = np.flatnonzero(strangers & (households.place >= inside) & (households.away_place < 0))
    if not len(gone):
        return
    place, members = households.place[gone], world.members[gone]
    np.subtract.at(world.network, (households.community[gone], place), members)
    np.add.at(world.flows.departures, place, members)
    np.subtract.at(world.occupied, (place, households.tenure[gone]), 1)
    if len(world.estates_yuan):
        world.estates_yuan[-1] += int(households.savings_yuan[gone].sum())  # they take their savings along
    stays, remain = np.ones(len(households), np.bool_), np.ones(len(persons), np.bool_)
    stays[gone] = False
    numbered = np.arange(int(members.sum())) - np.repeat(np.cumsum(members) - members, members)
    remain[np.repeat(world.first_member[gone], members) + numbered] = False
    live = vars(world.livelihood)
    for table, names, mask in ((persons, _OF_PERSONS, remain), (households, _OF_HOUSEHOLDS, stays)):
        kept = np.flatnonzero(mask).astype(np.int32)
        beside = Table({name: live[name] for name in names})
        for each in (table, beside):
            each.take(kept)
        live.update({name: getattr(beside, name) for name in names})
    world.settle_members(world.members[stays])


__all__ = ["Flows", "run", "views"]
