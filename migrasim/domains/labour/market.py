"""Jobs that are free, people who seek work, and what a newcomer may expect of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from migrasim.core.chance import Decision
from migrasim.core.codes import N_TIERS, Activity, Sector, Tier
from migrasim.core.rule import APART, blocks_of, empty, kernel, record, rows_of, threaded_kernel
from migrasim.domains.labour import rules
from migrasim.domains.labour.rules import LabourParams
from migrasim.facts import BASE_YEAR
from migrasim.world import World

MONTHS_A_YEAR = 12.0
_ENDLESS = np.iinfo(np.int32).max


def params(world: World) -> LabourParams:
    """Facts of this domain for the world's year."""
    return world.inputs.params("labour", LabourParams, year=world.year)


@threaded_kernel
def count_seekers(block, household, is_away, place, away_place, activity, seekers_of):
    """Count in ``seekers_of`` (blocks, places and more) people who seek work."""
    seekers = seekers_of[block[2]]
    for i in rows_of(block):
        if activity[i] == Activity.SEEKING:
            h = household[i]
            seekers[away_place[h] if is_away[i] else place[h]] += 1


def seekers(world: World) -> np.ndarray:
    """(places,) people who seek work, counted anew from the columns, in sample units."""
    persons, households = world.persons, world.households
    counts = np.zeros((blocks_of(len(persons)), world.geography.places + APART), np.int64)
    count_seekers(
        len(persons),
        persons.household,
        persons.is_away,
        households.place,
        households.away_place,
        persons.activity,
        counts,
    )
    return np.asarray(counts.sum(axis=0)[: world.geography.places])


def people_found(
    fill: Callable[..., None], rows: int, *arguments: Any, types: tuple[Any, ...] = (np.int32, np.int8)
) -> list[np.ndarray]:
    """What a threaded kernel says of the persons that it finds, in their order.

    Parameters
    ----------
    fill : is given a column (persons,) of each of the types, which each block fills from its own first row on, and
        ``ends`` (blocks, 2), where it says from where to where, before its other arguments
    rows : of persons
    types : of the columns: of the row and of the place where each lives, where not given
    """
    columns = [np.empty(rows, each) for each in types]
    ends = np.zeros((blocks_of(rows), 2), np.int64)
    fill(rows, *columns, ends, *arguments)
    parts = [slice(*each) for each in ends.tolist()]
    return [np.concatenate([column[part] for part in parts]) for column in columns]


def capacities(world: World) -> np.ndarray:
    """(places, job kinds) int64 jobs in sample units; of farming as many as there are hands."""
    endless = ~np.isfinite(world.jobs)
    capacity = world.units(np.where(endless, 0.0, world.jobs), Decision.JOB)
    capacity[endless] = _ENDLESS
    return capacity


def free(world: World, kind: int) -> np.ndarray:
    """(places,) vacancies of a kind of job, in sample units; below 0 where there are too many workers."""
    return np.asarray(capacities(world)[:, kind] - world.filled[:, kind])


def newcomer_pay(world: World, p: LabourParams) -> np.ndarray:
    """(inside,) factor on the pay of those registered elsewhere, 1 at the status quo."""
    equal, arrears = "employment.equal_pay", "employment.wage_arrears_control"
    factor = np.ones(world.geography.counties)
    fill_newcomer_pay(
        world.levers[equal],
        world.inputs.status_quo(equal),
        world.levers[arrears],
        world.inputs.status_quo(arrears),
        record(p),
        factor,
    )
    return np.repeat(factor, N_TIERS)


@kernel
def fill_newcomer_pay(equal, equal_base, arrears, arrears_base, p, factor):
    """Multiply ``factor`` (counties,) with what equal pay and control of arrears change."""
    p = p[0]
    for c in range(factor.shape[0]):
        factor[c] *= rules.equal_pay_factor(equal[c], equal_base[c], p)
        factor[c] *= rules.arrears_factor(arrears[c], arrears_base[c], p)


def match_chances_of(world: World, p: LabourParams) -> np.ndarray:
    """(counties,) chance that a seeker meets a fitting vacancy within the year."""
    return np.asarray(match_chances(world.above("employment.matching"), record(p)))


@kernel
def match_chances(matching_above, p):
    """(counties,) what `rules.match_chance` says of each county."""
    p = p[0]
    chances = empty(matching_above.shape[0], np.float64)
    for c in range(matching_above.shape[0]):
        chances[c] = rules.match_chance(matching_above[c], p)
    return chances


def update(world: World) -> Callable[[], None]:
    """Vacancies, seekers and so the newcomer's chance and wage, brought up to date; seekers are counted anew.

    Returns what does the same for the rest of the year, see `updates`.
    """
    world.measures["seekers"] = seekers(world)
    bring_up_to_date = updates(world)
    bring_up_to_date()
    return bring_up_to_date


def updates(world: World) -> Callable[[], None]:
    """What does the same between waves, where moves count the seekers on; what no wave changes is worked out once."""
    p = params(world)
    geography, place = world.geography, world.place
    growth = world.memory["growth_index"][0]
    ahead = (1.0 + p.outside_growth_difference_yr) ** max(0, world.year - max(world.base, BASE_YEAR))
    outside = p.wage_outside_yuan_mo * MONTHS_A_YEAR * growth * ahead
    place.wage_newcomer_yuan_yr[geography.near] = outside * p.wage_near_share
    place.wage_newcomer_yuan_yr[geography.far] = outside
    place.work_chance_share[geography.inside :] = p.outside_work_share
    chance = p.match_prob if p.match_prob > 0.0 else 1.0  # nobody is ever matched: nothing to compare with
    efficiency, roads = match_chances_of(world, p) / chance, world.above("transport.rural_roads")
    capacity = capacities(world)[:, Sector.AGRICULTURE + 1 :].sum(axis=1)
    pressure_base, pay = world.memory["pressure_base"], newcomer_pay(world, p)
    vacancies = np.zeros(geography.places, np.int64)

    def bring_up_to_date() -> None:
        fill_chances(
            efficiency,
            roads,
            world.filled,
            world.measures["seekers"],
            capacity,
            pressure_base,
            pay,
            growth,
            record(p),
            vacancies,
            place.work_chance_share,
            place.wage_newcomer_yuan_yr,
            place.newcomer_pay_share,
        )
        world.measures["vacancies"] = vacancies

    return bring_up_to_date


@kernel
def fill_chances(
    efficiency, roads, filled, seekers, capacity, pressure_base, pay, growth, p, vacancies, chances, wages, pay_shares
):
    """Fill ``vacancies`` (places,); chance of work, expected wage and share of local pay of a newcomer to those inside.

    ``efficiency`` of matching over that of the status quo and ``roads`` over the status quo are (counties,),
    ``filled`` (places, kinds), the other counts and ``pay``, the factor of `newcomer_pay`, by place.
    """
    p = p[0]
    for d in range(vacancies.shape[0]):
        taken = 0
        for kind in range(Sector.AGRICULTURE + 1, filled.shape[1]):
            taken += filled[d, kind]
        vacancies[d] = max(0, capacity[d] - taken)
        if d >= pay.shape[0]:
            continue
        c, tier = d // N_TIERS, d % N_TIERS
        if tier == Tier.VILLAGE:
            chances[d] = rules.village_work_chance(roads[c], p)
        else:
            chances[d] = rules.work_chance(
                efficiency[c] * vacancies[d], efficiency[c] * p.turnover_rate_yr * taken, float(seekers[d]), p
            )
        pressure = rules.wage_pressure(float(taken + seekers[d]), float(capacity[d]), pressure_base[d], p)
        wage = p.wage_local_yuan_mo * MONTHS_A_YEAR * p.wage_tier_ratio[tier] * p.newcomer_pay_share
        wages[d] = wage * pressure * growth * pay[d]
        pay_shares[d] = p.newcomer_pay_share * pay[d]
