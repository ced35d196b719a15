"""Giving out dwellings and school places to those who chose, and carrying out the moves.

In the order of a keyed lottery, in integers, for up to three rounds; who fails one good releases the other
and takes the next best. What is given up is free in the next wave.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from migrasim.core.chance import Decision, draw, stream, uniform
from migrasim.core.codes import (
    N_SECTORS,
    N_TIERS,
    Activity,
    Answer,
    Form,
    Sector,
    Tenure,
    Tier,
)
from migrasim.core.lottery import put_by_lot
from migrasim.core.rule import inlined, kernel, rule
from migrasim.domains.moving import rules
from migrasim.domains.moving.choice import FORM_STRIDE, ROUNDS, STAY
from migrasim.domains.moving.household import (
    CHILD_AGE,
    SCHOOL_AGE,
)
from migrasim.world import World

_NO_CLAIM = 3  # beyond the three classes of claim to a school place


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
    own_share: float  # of the price, that the buyer of shared ownership pays
    paid_yuan: np.ndarray  # (counties,) down payments, counted up
    refused: np.ndarray  # (places, 2) by good, counted up
    network: np.ndarray  # (communities, places)
    moves: np.ndarray  # (places, places, forms) persons
    household_moves: np.ndarray  # (places, places, forms)


class Room(NamedTuple):
    """What matching works in, so that the kernel asks for no memory: by those who choose."""

    tenure: np.ndarray  # of what was found for them
    lottery: np.ndarray
    wanting: np.ndarray  # rows
    queue: np.ndarray
    rank: np.ndarray  # classes of claim to a school place
    cursor: np.ndarray  # (twice as many and 3,)

    @classmethod
    def of(cls, rows: int) -> Room:
        """Room for so many who choose."""
        tenure, rank = (np.zeros(rows, np.uint8) for _ in range(2))
        wanting, queue, cursor = (np.empty(size, np.int64) for size in (rows, rows, 2 * rows + 3))
        return cls(tenure, np.empty(rows, np.uint64), wanting, queue, rank, cursor)

    def part(self, first: int, end: int) -> Room:
        """Room for those from ``first`` to before ``end`` alone."""
        return Room._make([*(each[first:end] for each in self[:-1]), self.cursor[: 2 * (end - first) + 3]])


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
            if rules.can_buy(savings, goods.own_share * price, p):
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


@partial(kernel, allocates=False)
def _give_out(homes, crew, codes, year, month, seed, inside, savings_yuan, goods, answers, room, p):
    """Fill ``answers`` (homes, ROUNDS) to wishes and in ``room`` what was found; see `match`."""
    p = p[0]
    tenure, lottery, wanting, queue, rank, cursor = room
    occupied, pupils, school_places, refused = goods.occupied, goods.pupils, goods.school_places, goods.refused
    lottery_key, gate_key = stream(seed, Decision.LOTTERY, year), stream(seed, Decision.PERMIT, 0)
    keys = (
        stream(seed, Decision.DORMITORY, year), stream(seed, Decision.BUY, year), stream(seed, Decision.DWELLING, 0)
    )  # fmt: skip
    waiting = 0  # not served yet, in the order of the lottery
    for n in range(codes.shape[0]):
        if codes[n, 0] != STAY:
            wanting[waiting] = n
            lottery[waiting] = draw(lottery_key, homes[n].key, month)
            waiting += 1
    put_by_lot(lottery, waiting, cursor, queue)
    for o in range(waiting):
        queue[o] = wanting[queue[o]]
    for r in range(ROUNDS):
        count = 0
        for o in range(waiting):  # dwellings
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
                    part = 1.0 if tenure[n] == Tenure.PURCHASED else goods.own_share
                    paid = min(savings_yuan[one.row], np.int64(p.down_payment_share * part * goods.price_yuan[d]))
                    savings_yuan[one.row] -= paid
                    goods.paid_yuan[d // N_TIERS] += paid
                pupils[target] += arriving
                if form != Form.RETURN and not (one.split and d == one.away_place):
                    occupied[d, lives_by(form, d, one, tenure[n], inside)] += 1
                answers[n, r] = Answer.GRANTED
        waiting = 0
        for o in range(count):
            if answers[queue[o], r] != Answer.GRANTED:
                queue[waiting] = queue[o]
                waiting += 1


@partial(kernel, allocates=False)
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


def match(
    homes: Any, crew: Any, codes: np.ndarray, year: int, month: int, seed: int, inside: int, people_out: Any, out: Any,
    goods: Goods, room: Room, answers: np.ndarray, p: Any,
) -> None:  # fmt: skip
    """Give out goods and carry out moves.

    ``homes`` are those who consider, ``crew`` their members, ``codes`` (homes, ROUNDS) what they want; ``answers``
    (homes, ROUNDS) says what became of each alternative; ``p`` is (1,) a record. Rows are served by their lottery,
    never by their place in the table. What is given up is free in the next wave.
    """
    _give_out(homes, crew, codes, year, month, seed, inside, out.savings_yuan, goods, answers, room, p)
    _carry_out(homes, crew, codes, year, seed, inside, people_out, out, goods, answers, room.tenure)


def goods_of(world: World) -> Goods:
    """What there is to be given out in the waves of this year."""
    levers, places = world.levers, world.geography.places
    one_pass = levers["residence_permit.one_pass"]
    return Goods(
        world.dwellings,
        world.occupied,
        world.units(world.place.school_places, Decision.SCHOOL),
        world.measures["pupils"],
        world.measures["seekers"],
        world.filled,
        world.place.price_yuan,
        world.place.work_chance_share,
        np.stack([world.county.school_gate_share, world.county.school_gate_own_share], axis=1),
        levers["residence_permit.public_housing"] * one_pass,
        levers["public_housing.provident_fund"],
        1.0 - float(world.inputs.book.value("housing.shared_ownership_discount_share", world.inputs.parameters)),
        np.zeros(world.geography.counties, np.int64),
        np.zeros((places, 2), np.int64),
        world.network,
        world.flows.moves,
        world.flows.household_moves,
    )
