"""Seekers meet vacancies at the end of a year, and who loses a job when there are too many in one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from migrasim.core.chance import Decision, chooser, draw, pick, stream, uniform, unit
from migrasim.core.codes import N_SECTORS, N_TIERS, Activity, Sector, Skill, Tier
from migrasim.core.lottery import by_lot, lowest
from migrasim.core.rule import empty, kernel, rows_of, threaded_kernel, zeros
from migrasim.domains.labour import chains
from migrasim.domains.labour.market import capacities, match_chances_of, params, people_found
from migrasim.world import World, job_kinds

_SKILLS = len(Skill)


@threaded_kernel
def in_excess(
    block, who, cell, luck, ends, key, household, is_away, place, away_place, sector, chain, number, some, stream_key
):  # fmt: skip
    """List (see `people_found`) who has a job of which there are too many, ``number`` of place and kind, and luck.

    ``number`` (places, kinds) is below 0 where there are not too many; ``some`` (kinds,) are too many anywhere.
    """
    count = block[0]
    for i in rows_of(block):
        kind = sector[i] if chain[i] == 0 else N_SECTORS - 1 + chain[i]
        if some[kind] and sector[i] > 0:
            h = household[i]
            here = number[away_place[h] if is_away[i] else place[h], kind]
            if here >= 0:
                who[count], cell[count] = i, here
                count += 1
    for n in range(block[0], count):
        luck[n] = draw(stream_key, key[who[n]], 0)
    ends[block[2], 0], ends[block[2], 1] = block[0], count


def end_jobs(world: World) -> None:
    """Where a kind of job has fewer places than people, the excess loses it, by keyed luck."""
    excess = np.maximum(0, world.filled - capacities(world))
    excess[:, Sector.AGRICULTURE] = 0
    excess[world.geography.inside :] = 0
    if not excess.any():
        return
    persons, households = world.persons, world.households
    cells = np.argwhere(excess > 0)
    place, kind = cells.T
    number = np.full(excess.shape, -1, np.int32)
    number[place, kind] = np.arange(len(cells))
    who, cell, luck = people_found(
        in_excess,
        len(persons),
        persons.key,
        persons.household,
        persons.is_away,
        households.place,
        households.away_place,
        persons.sector,
        persons.chain,
        number,
        (number >= 0).any(axis=0),
        np.uint64(stream(world.seed, int(Decision.JOB_LOSS), world.year)),
        types=(np.int32, np.int64, np.uint64),
    )
    world.filled[place, kind] -= lose_jobs(
        who, cell, luck, persons.activity, persons.sector, persons.chain, excess[place, kind]
    )


@kernel
def lose_jobs(who, cell, luck, activity, sector, chain, excess):
    """Take ``excess`` (cells,) jobs from those in rows ``who``, each in a ``cell``, by their lowest ``luck``.

    Returns (cells,) how many lost one.
    """
    lost = zeros(excess.shape[0], np.int64)
    taken = lowest(cell, luck, excess)
    for n in range(who.shape[0]):
        if taken[n]:
            i = who[n]
            lost[cell[n]] += 1
            activity[i] = Activity.SEEKING
            sector[i] = Sector.NONE
            chain[i] = 0
    return lost


@threaded_kernel
def seeking(block, who, at, ends, household, is_away, place, away_place, activity):
    """List (see `people_found`) who seeks work."""
    count = block[0]
    for i in rows_of(block):
        if activity[i] == Activity.SEEKING:
            h = household[i]
            who[count], at[count] = i, away_place[h] if is_away[i] else place[h]
            count += 1
    ends[block[2], 0], ends[block[2], 1] = block[0], count


@kernel
def match_seekers(
    who,
    at,
    key,
    household,
    home_place,
    land_mu,
    activity,
    sector,
    chain,
    skill,
    vacancies,
    filled,
    kinds_by_wage,
    skill_asked,
    prob,
    prob_outside,
    gate,
    train_share,
    train_gate,
    inside,
    seed,
    year,
):
    """Seekers, in rows ``who``, take the best-paid vacancy that asks no more skill, in the order of a keyed lottery.

    A share is trained up one level first (``train_share`` by county; those registered in another one need a permit for
    it, ``train_gate`` by county). In villages, seekers of households with land farm it. Counts of placements are
    returned by place, and of who goes on seeking.
    """
    stream_key = stream(seed, Decision.JOB, year)
    train_key = stream(seed, Decision.TRAIN, year)
    # in the order of rows, which the memory likes better than that of the lottery: who meets an employer inside
    meets, luck = empty(who.shape[0], np.int64), empty(who.shape[0], np.uint64)
    count = 0
    for n in range(who.shape[0]):
        i = who[n]
        word = chooser(stream_key, key[i])
        if at[n] >= inside:
            activity[i] = Activity.WORKER if unit(pick(word, 2)) < prob_outside else Activity.SEEKING
            continue
        county = at[n] // N_TIERS
        is_own = home_place[household[i]] // N_TIERS == county
        offered = train_share[county] * (1.0 if is_own else train_gate[county])
        if skill[i] < 2 and uniform(train_key, key[i], 0) < offered:
            skill[i] += 1
        if unit(pick(word, 3)) < prob[county]:
            meets[count], luck[count] = n, pick(word, 1)
            count += 1
    level = empty(who.shape[0], np.uint8)
    for n in range(who.shape[0]):
        level[n] = skill[who[n]]
    kinds = kinds_by_wage.shape[0]
    # by place and skill, the first kind of job that may be free: no vacancy opens while they are given out
    best = zeros((filled.shape[0], _SKILLS), np.int64)
    found = zeros(who.shape[0], np.int64)  # kind of job
    for o in by_lot(luck[:count]):
        here, skilled = at[meets[o]], level[meets[o]]
        n = best[here, skilled]
        while n < kinds and (vacancies[here, kinds_by_wage[n]] <= 0 or skilled < skill_asked[kinds_by_wage[n]]):
            n += 1
        best[here, skilled] = n
        if n < kinds:
            vacancies[here, kinds_by_wage[n]] -= 1
            found[meets[o]] = kinds_by_wage[n]
    placed, seekers = zeros(filled.shape[0], np.int64), zeros(filled.shape[0], np.int64)
    for n in range(who.shape[0]):
        i, here, k = who[n], at[n], found[n]
        if k > 0:
            filled[here, k] += 1
            activity[i] = Activity.WORKER
            if k < N_SECTORS:
                sector[i] = k
            else:
                chain[i] = k - N_SECTORS + 1
                sector[i] = gate[k - N_SECTORS]
            placed[here] += 1
        elif here < inside and here % N_TIERS == Tier.VILLAGE and land_mu[household[i]] > 0.0:
            activity[i] = Activity.FARMER
            sector[i] = Sector.AGRICULTURE
            filled[here, Sector.AGRICULTURE] += 1
        seekers[here] += activity[i] == Activity.SEEKING
    return placed, seekers


def match(world: World, update: Callable[[], None]) -> None:
    """Seekers meet vacancies; training lifts skills; who finds none goes on seeking.

    Parameters
    ----------
    update : brings chances and wages up to date, see `migrasim.domains.labour.market.updates`
    """
    p = params(world)
    persons, households = world.persons, world.households
    kinds = job_kinds(len(world.memory["chain_sector"]))
    wage = np.concatenate([p.wage_sector_ratio, p.wage_chain_ratio[1:]])
    asked = np.concatenate([p.skill_asked_sector, p.skill_asked_chain[1:]])
    order = np.argsort(-wage, kind="stable")
    order = order[order > int(Sector.AGRICULTURE)].astype(np.int64)
    vacancies = np.maximum(0, capacities(world) - world.filled)
    gate = world.levers["residence_permit.training"] * world.levers["residence_permit.one_pass"]
    places = world.levers["employment.training_places"]
    seekers = world.measures["seekers"][: world.geography.inside].reshape(-1, N_TIERS).sum(axis=1) * world.weight
    share = np.minimum(1.0, places / np.maximum(seekers, 1.0))
    who, at = people_found(
        seeking,
        len(persons),
        persons.household,
        persons.is_away,
        households.place,
        households.away_place,
        persons.activity,
    )
    world.measures["placed"], world.measures["seekers"] = match_seekers(
        who,
        at,
        persons.key,
        persons.household,
        households.home_place,
        households.land_mu,
        persons.activity,
        persons.sector,
        persons.chain,
        persons.skill,
        vacancies,
        world.filled,
        order,
        asked,
        match_chances_of(world, p),
        p.match_prob,
        world.memory["chain_sector"],
        share,
        gate,
        world.geography.inside,
        world.seed,
        world.year,
    )
    assert kinds == world.jobs.shape[1]
    chains.fill_farming(world, capacities(world))
    world.measures["chain_output_yuan"] = chains.output_yuan(world, p)
    update()
