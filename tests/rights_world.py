"""A small made-up world for the tests of rights, land and public accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

import migrasim
from migrasim.core.codes import N_SECTORS, N_TENURES, N_TIERS, Activity, Kind, Tenure, Tier
from migrasim.core.columns import Table
from migrasim.inputs import PAYERS
from migrasim.population.tables import HOUSEHOLDS, PERSONS, VILLAGES, empty
from migrasim.world import COUNTY_COLUMNS, PLACE_COLUMNS, Flows, Geography, Livelihood, World

COUNTIES, VILLAGES_EACH = 2, 3
BASE, YEAR = 2020, 2025

TABLES = {  # facts that come from the tables of literature
    "hukou": {"transfer_rate_yr": 0.04, "service_substitution_share": 0.5},
    "land": {
        "rent_yuan_yr_mu": 350.0,
        "exit_price_yuan_mu": 27800.0,
        "exit_share": 0.1,
        "rent_free_share": 0.6,
        "tenure_security_share": 0.8,
    },
    "fiscal": {"citizenization_cost_yuan": 80000.0, "service_cost_yuan_yr_pers": 11511.0},
}

STATUS_QUO = {
    "residence_permit.education": 0.6,
    "residence_permit.healthcare": 0.6,
    "residence_permit.social_security": 0.6,
    "residence_permit.public_housing": 0.5,
    "residence_permit.training": 0.5,
    "residence_permit.one_pass": 0.5,
    "residence_permit.waiting_months": 6.0,
    "hukou.openness": 0.95,
    "hukou.transfer_months": 1.0,
    "three_rights.contract_land_kept": 0.9,
    "three_rights.homestead_kept": 0.85,
    "three_rights.collective_income_kept": 0.8,
    "three_rights.titling": 0.8,
    "three_rights.exit_market": 0.02,
    "three_rights.exit_price": 7000.0,
    "public_housing.public_rental_units": 125.0,
    "public_housing.affordable_rental_units": 0.0,
    "public_housing.shared_ownership_units": 0.0,
    "public_housing.renovation_units": 2500.0,
    "public_housing.rent_subsidy": 100.0,
    "public_services.resident_linked_supply": 0.4,
    "public_services.school_places": 3000.0,
    "public_services.health_capacity": 50.0,
    "employment.training_places": 12500.0,
    "industry.red_cattle.jobs": 0.0,
    "incentives.settlement_award": 3000.0,
    "rural.scale_farming": 0.2,
    "urban.resilient": 0.45,
    "transport.intercounty": 0.0,
    "rural.returnee_support": 0.3,
    "incentives.land_quota": 80.0,
    "incentives.government_share": 0.45,
    "incentives.enterprise_share": 0.2,
}

COSTS: dict[str, dict[str, tuple[float, float]]] = {
    "residence_permit.education": {"government": (0.0, 700.0)},
    "residence_permit.healthcare": {"government": (0.0, 580.0)},
    "residence_permit.one_pass": {"government": (50.0, 0.0)},
    "three_rights.titling": {"government": (40.0, 0.0)},
    "public_housing.public_rental_units": {"government": (248322.0, 0.0)},
    "public_housing.affordable_rental_units": {"government": (258000.0, 0.0)},
    "public_housing.shared_ownership_units": {"government": (99200.0, 0.0), "household": (148800.0, 0.0)},
    "public_housing.renovation_units": {"government": (30000.0, 0.0)},
    "public_housing.rent_subsidy": {"government": (0.0, 12.0)},
    "public_services.school_places": {"government": (64005.0, 0.0)},
    "public_services.health_capacity": {"government": (600000.0, 0.0)},
    "urban.resilient": {"government": (4_413_000_000.0, 0.0)},
    "transport.intercounty": {"government": (130_000_000.0, 0.0)},
    "employment.training_places": {"government": (1005.0, 0.0)},
    "industry.red_cattle.jobs": {"enterprise": (250000.0, 0.0)},
}


def facts(domain: str) -> dict[str, float]:
    """Numbers of a domain's fact files, and those of the tables where no file has them."""
    values = dict(TABLES[domain])
    for path in sorted((Path(migrasim.__file__).parent / "domains" / domain).glob("facts*.yaml")):
        for name, fact in yaml.safe_load(path.read_text(encoding="utf-8"))["facts"].items():
            if isinstance(fact.get("value"), int | float):
                values[name] = float(fact["value"])
    return values


class FakeInputs:
    """Inputs of a world: status quo in the base year, ``levers`` from 2021 on."""

    def __init__(self, levers: Mapping[str, float], overrides: Mapping[str, float]) -> None:
        self.levers = {**STATUS_QUO, **levers}
        self.overrides = overrides
        self.base = BASE

    cpi = dict.fromkeys(range(2012, BASE + 1), 2.5)

    def params(self, domain: str, cls: Any, year: int = BASE) -> Any:
        """Bundle of a domain."""
        values = {**facts(domain), **{k.split(".")[1]: v for k, v in self.overrides.items() if k.startswith(domain)}}
        return cls(**{name: values[name] for name in cls._fields})

    def lever(self, lever: str, year: int) -> np.ndarray:
        """Value by county."""
        return np.full(COUNTIES, STATUS_QUO[lever] if year <= BASE else self.levers[lever])

    def status_quo(self, lever: str) -> np.ndarray:
        """Value of 2020 by county."""
        return np.full(COUNTIES, STATUS_QUO[lever])

    def cost_by_payer(self, lever: str) -> dict[str, tuple[float, float]]:
        """Cost of a unit by payer."""
        return COSTS.get(lever, {})

    def unit_costs(self, levers: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Costs of units (levers, payers), once and yearly."""
        each = np.array([[self.cost_by_payer(lever).get(payer, (0.0, 0.0)) for payer in PAYERS] for lever in levers])
        return each[:, :, 0], each[:, :, 1]


def rights_world(
    levers: Mapping[str, float] | None = None,
    overrides: Mapping[str, float] | None = None,
    rows: int = 4000,
    shuffle: int | None = None,
    weight: float = 1.0,
    seed: int = 5,
) -> World:
    """A world of two counties with villagers at home, split, and settled in towns or outside.

    Parameters
    ----------
    levers : values from 2021 on, other than the status quo
    overrides : facts by id, other than in the files
    shuffle : seed of another order of the same households, none if left out
    """
    rng = np.random.default_rng(7)
    villages = COUNTIES * VILLAGES_EACH
    inside = N_TIERS * COUNTIES
    places = inside + 2
    community_county = np.concatenate(
        [np.repeat(np.arange(COUNTIES), VILLAGES_EACH), np.repeat(np.arange(COUNTIES), 2), [-1, -1]]
    )
    geography = Geography(
        counties=COUNTIES,
        villages=villages,
        core_county=0,
        community_county=community_county,
        travel_min=np.zeros((places, places)),
        community_travel_min=np.zeros((len(community_county), places)),
    )
    h = empty(HOUSEHOLDS, rows)
    h["key"] = np.arange(1, rows + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    h["kind"][:] = np.where(rng.random(rows) < 0.05, Kind.COLLECTIVE, Kind.FAMILY)
    h["community"][:] = rng.integers(0, villages, rows)
    h["community"][:: rows // 20] = rng.integers(villages, len(community_county), len(h["community"][:: rows // 20]))
    county = community_county[h["community"]]
    tier = np.where(h["community"] < villages, Tier.VILLAGE, 1 + (h["community"] - villages) % 2)
    h["home_place"][:] = np.where(
        county >= 0, N_TIERS * county + tier, inside + h["community"] - (len(community_county) - 2)
    )
    h["hukou_urban"][:] = (tier > 0) & (county >= 0)
    away = rng.random(rows)
    h["place"][:] = np.where(away < 0.4, h["home_place"], rng.integers(0, places, rows))
    stranger = county < 0
    h["place"][stranger] = rng.integers(1, 3, stranger.sum())
    split = (rng.random(rows) < 0.2) & (h["kind"] == Kind.FAMILY)
    h["away_place"][:] = np.where(split, rng.integers(0, places, rows), -1)
    h["away_place"][h["away_place"] == h["place"]] = -1
    h["since_year"][:] = rng.integers(2008, YEAR + 1, rows)
    h["tenure"][:] = rng.choice([Tenure.MARKET_RENT, Tenure.PURCHASED, Tenure.SELF_BUILT], rows)
    h["land_mu"][:] = np.where(tier == Tier.VILLAGE, rng.gamma(4.0, 3.0, rows), 0.0)
    h["has_homestead"][:] = tier == Tier.VILLAGE
    h["has_collective_share"][:] = tier == Tier.VILLAGE
    h["savings_yuan"][:] = rng.integers(0, 100_000, rows)
    sizes = np.where(h["kind"] == Kind.FAMILY, rng.integers(1, 6, rows), 1)
    new_order = np.random.default_rng(shuffle).permutation(rows) if shuffle is not None else np.arange(rows)
    total = int(sizes.sum())
    p = empty(PERSONS, total)
    p["key"] = np.arange(1, total + 1, dtype=np.uint64) * np.uint64(0xBF58476D1CE4E5B9)
    place_of = np.empty(rows, np.int64)
    place_of[new_order] = np.arange(rows)
    owner = np.repeat(np.arange(rows), sizes)
    p["household"][:] = place_of[owner]
    p["birth_year"][:] = rng.integers(YEAR - 85, YEAR + 1, total)
    age = YEAR - p["birth_year"]
    working = (age >= 16) & (age < 65)
    farms = (h["place"] == h["home_place"])[owner] & (tier == Tier.VILLAGE)[owner] & (rng.random(total) < 0.6)
    p["activity"][:] = np.where(working, np.where(farms, Activity.FARMER, Activity.WORKER), Activity.HOME)
    p["is_away"][:] = (h["away_place"] >= 0)[owner] & (rng.random(total) < 0.4)
    households = Table(h)
    households.take(new_order)
    persons = Table(p)
    county_table = Table({name: np.zeros(COUNTIES) for name in COUNTY_COLUMNS})
    village_table = empty(VILLAGES, villages)
    village_table["county"][:] = community_county[:villages]
    blank = np.zeros(0, np.float32)
    inputs = FakeInputs(levers or {}, overrides or {})
    world = World(
        seed=seed,
        base=BASE,
        year=YEAR,
        weight=weight,
        inputs=inputs,  # type: ignore[arg-type]
        geography=geography,
        persons=persons,
        households=households,
        villages=Table(village_table),
        place=Table({name: np.zeros(places) for name in PLACE_COLUMNS}),
        county=county_table,
        stock=np.zeros((places, N_TENURES)),
        dwellings=np.zeros((places, N_TENURES), np.int64),
        occupied=np.zeros((places, N_TENURES), np.int64),
        jobs=np.zeros((places, N_SECTORS)),
        filled=np.zeros((places, N_SECTORS), np.int64),
        network=np.zeros((len(community_county), places), np.int32),
        flows=Flows.zero(places),
        livelihood=Livelihood(blank, blank, blank, blank, blank, blank),
        village_pool_mu=np.zeros(len(community_county)),
    )
    world.memory["subsidy_reach_share"] = np.array([0.3])  # of `housing`, which is not run
    world.reindex()
    world.count_network()
    world.levers = {name: inputs.lever(name, YEAR) for name in STATUS_QUO}
    return world


def by_key(world: World, column: str) -> np.ndarray:
    """A column of households in the order of their keys."""
    return np.asarray(getattr(world.households, column)[np.argsort(world.households.key)])


def land_total_mu(world: World) -> float:
    """Contracted land of households and pools."""
    return float(world.households.land_mu.sum(dtype=np.float64) + world.village_pool_mu.sum())
