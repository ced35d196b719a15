"""The jobs of a year, by sector and chain, and the wages and farm incomes that go with them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from migrasim.core.chance import Decision
from migrasim.core.codes import N_SECTORS, N_TIERS, Sector, Tier
from migrasim.core.rule import kernel, record
from migrasim.domains.labour import chains, rules
from migrasim.domains.labour.incomes import livelihood
from migrasim.domains.labour.market import free, params, seekers, update
from migrasim.domains.labour.placement import end_jobs
from migrasim.domains.labour.rules import LabourParams
from migrasim.facts import BASE_YEAR
from migrasim.world import World

_HIGH_SKILL = (Sector.IT, Sector.FINANCE, Sector.LEASING_BUSINESS, Sector.SCIENCE_TECHNICAL)
_TOURISM = (Sector.LODGING_CATERING, Sector.CULTURE_SPORT)
_TRADED = (Sector.MANUFACTURING, Sector.WHOLESALE_RETAIL, Sector.TRANSPORT_POST)
_SERVED = (Sector.WHOLESALE_RETAIL, Sector.LODGING_CATERING, Sector.RESIDENT_SERVICES)


def start(world: World) -> None:
    """Jobs of the base year: those taken and a share of vacancies; farming has as many as it has hands."""
    p = params(world)
    world.filled[:] = world.count_filled()
    world.jobs[:] = world.filled * world.weight / (1.0 - p.vacancy_share)
    world.memory["jobs_base"] = world.jobs.copy()
    world.memory["urban_base"] = _by_place_urban(world)
    world.memory["growth_index"] = np.full(1, _growth_index(world))
    world.measures["chain_output_yuan"] = chains.output_yuan(world, p)
    world.memory["service_jobs"] = np.zeros(world.geography.places)
    world.memory["farm_index"] = np.ones(world.geography.counties)
    seeking = seekers(world)
    taken = world.filled[:, Sector.AGRICULTURE + 1 :].sum(axis=1)
    jobs = world.jobs[:, Sector.AGRICULTURE + 1 :].sum(axis=1) / world.weight
    world.memory["pressure_base"] = (taken + seeking) / np.maximum(jobs, 1.0)


def _growth_index(world: World) -> float:
    """Index of real incomes in the base year: 1 in 2020, whose pay the facts hold."""
    index = 1.0
    for year in range(world.base + 1, BASE_YEAR + 1):
        index /= 1.0 + world.inputs.params("labour", LabourParams, year=year).growth_rate_yr
    return index


def _by_place_urban(world: World) -> np.ndarray:
    return np.maximum(1.0, world.residents().astype(np.float64))


def run(world: World) -> Callable[[], None]:
    """Create and end jobs, set wages and farm incomes, and write down what everybody earns.

    Returns what brings chances and wages up to date for the rest of the year.
    """
    p = params(world)
    memory, geography = world.memory, world.geography
    memory["growth_index"] = memory["growth_index"] * (1.0 + p.growth_rate_yr)
    growth = rules.jobs_index(world.base, world.year, p.job_growth_2010s_rate_yr, p.job_growth_rate_yr) * _convergence(
        world, p
    )
    residents = _by_place_urban(world)
    served = p.resident_served_sector[None, :] > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        following = np.where(memory["urban_base"] > 0, residents / memory["urban_base"], 1.0)
    base = memory["jobs_base"]
    sectors = base[:, :N_SECTORS] * growth[:, None] * np.where(served, following[:, None], 1.0)
    sectors[:, Sector.AGRICULTURE] = np.inf  # own land takes all hands
    chain_jobs, new_jobs = chains.jobs(world)
    target = memory["service_jobs_target"] if "service_jobs_target" in memory else np.zeros(geography.places)
    memory["service_jobs"] += (target - memory["service_jobs"]) / max(1.0, p.service_lag_yr)
    scale = world.levers["industry.service_multiplier"]
    brought = new_jobs @ p.service_chain_share[1:] * p.service_multiplier
    county = np.arange(geography.places) // N_TIERS
    inside = geography.inside
    brought[:inside] *= scale[county[:inside]]
    memory["service_jobs_target"] = brought
    for sector in _SERVED:
        sectors[:inside, sector] += memory["service_jobs"][:inside] / len(_SERVED)
    local = _lever_jobs(world, sectors, p)
    world.jobs[:, :N_SECTORS] = sectors
    world.jobs[:, N_SECTORS:] = chain_jobs
    end_jobs(world)
    chains.fill_workshops(world, np.minimum(world.units(local, Decision.TRAIN), free(world, Sector.MANUFACTURING)))
    lever = "rural.farm_income_growth"
    changes = zip(world.levers[lever].tolist(), world.inputs.status_quo(lever).tolist(), strict=True)
    memory["farm_index"] *= [rules.farm_growth(now, quo) for now, quo in changes]
    bring_up_to_date = update(world)
    livelihood(world)
    return bring_up_to_date


def _convergence(world: World, p: LabourParams) -> np.ndarray:
    """(places,) `rules.convergence_factor` of towns and seats by their county; 1 elsewhere, and in runs from 2020."""
    factor = np.ones(world.geography.places)
    if world.base >= BASE_YEAR:
        return factor
    jobs = world.memory["jobs_base"][: world.geography.inside, Sector.AGRICULTURE + 1 : N_SECTORS].sum(axis=1)
    towns = np.stack([jobs, world.memory["urban_base"][: world.geography.inside] * world.weight], axis=1)
    towns = towns.reshape(world.geography.counties, N_TIERS, 2)[:, Tier.TOWN :].sum(axis=1)
    ratio = towns[:, 0] / np.maximum(1.0, towns[:, 1]) / (towns[:, 0].sum() / towns[:, 1].sum())
    for c in range(world.geography.counties):
        factor[N_TIERS * c + Tier.TOWN : N_TIERS * (c + 1)] = rules.convergence_factor(
            world.base, world.year, float(ratio[c]), p.job_convergence_2010s_elasticity
        )
    return factor


def _lever_jobs(world: World, sectors: np.ndarray, p: LabourParams) -> np.ndarray:
    """Change ``sectors`` (places, sectors) by levers other than the chains, all over their status quo.

    Returns (places,) jobs of workshops in villages, at full scale.
    """
    local = np.zeros(world.geography.places)
    fill_lever_jobs(
        world.above("governance.land_efficiency"),
        world.above("urban.innovative"),
        world.above("urban.cultural"),
        world.above("spatial.cluster_integration"),
        world.above("rural.local_jobs"),
        world.memory.get("quota_land_m2", np.zeros(world.geography.counties)),
        record(p),
        sectors,
        local,
    )
    return local


@kernel
def fill_lever_jobs(efficiency, innovative, cultural, cluster, workshops, land_m2, p, sectors, local):
    """Change ``sectors`` (places, sectors) and ``local`` (places,) of the places inside; levers are (counties,)."""
    p = p[0]
    for c in range(efficiency.shape[0]):
        village = N_TIERS * c + Tier.VILLAGE
        local[village] = p.local_jobs_village_share * workshops[c]
        sectors[village, Sector.MANUFACTURING] += local[village]
        denser = rules.jobs_factor(efficiency[c], p.land_efficiency_jobs_ratio)
        for d in range(village + 1, village + N_TIERS):
            for sector in range(Sector.AGRICULTURE + 1, sectors.shape[1]):
                sectors[d, sector] *= denser
            for sector in _HIGH_SKILL:
                sectors[d, sector] *= rules.jobs_factor(innovative[c], p.innovative_jobs_ratio)
            for sector in _TOURISM:
                sectors[d, sector] *= rules.jobs_factor(cultural[c], p.cultural_jobs_ratio)
            for sector in _TRADED:
                sectors[d, sector] *= rules.jobs_factor(cluster[c], p.cluster_jobs_ratio)
        town, seat = village + Tier.TOWN, village + Tier.SEAT
        sectors[town, Sector.MANUFACTURING] += (1.0 - p.local_jobs_village_share) * workshops[c]
        more = p.quota_jobs_m2 * land_m2[c] * denser
        sectors[seat, Sector.MANUFACTURING] = max(0.0, sectors[seat, Sector.MANUFACTURING] + more)
