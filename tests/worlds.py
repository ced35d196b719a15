"""Small synthetic worlds for tests of the domains: all columns filled, dwellings and occupied agreeing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from migrasim.core.codes import N_TENURES, N_TIERS, Activity, Kind, Schooling, Sector, Sex, Skill, Tenure, Tier
from migrasim.core.columns import Table
from migrasim.facts import FactBook
from migrasim.inputs import Inputs
from migrasim.population.tables import HOUSEHOLDS, PERSONS, VILLAGES, empty
from migrasim.scenario import Scenario
from migrasim.world import COUNTY_COLUMNS, PLACE_COLUMNS, Flows, Geography, Livelihood, World, job_kinds

CHAINS = 9
COUNTIES = ("East", "West")
SPLIT = {"East": 3.0, "West": 1.0}  # how totals are split among the counties

# A family by who is in it: (sex, generation, couple, parents, youngest age, oldest age); sex 2 is drawn
_MAN, _WOMAN, _ANY = 0, 1, 2
FAMILIES: tuple[tuple[float, tuple[tuple[int, int, int, int, int, int], ...]], ...] = (
    (0.08, ((_ANY, 2, 0, 0, 60, 90),)),
    (0.10, ((_ANY, 2, 0, 0, 20, 40),)),
    (0.16, ((_MAN, 2, 1, 0, 35, 80), (_WOMAN, 2, 1, 0, 35, 80))),
    (0.18, ((_MAN, 2, 1, 0, 27, 45), (_WOMAN, 2, 1, 0, 25, 43), (_ANY, 3, 0, 1, 0, 17))),
    (0.16, ((_MAN, 2, 1, 0, 27, 45), (_WOMAN, 2, 1, 0, 25, 43), (_ANY, 3, 0, 1, 0, 15), (_ANY, 3, 0, 1, 0, 15))),
    (0.10, ((_MAN, 2, 1, 0, 45, 58), (_WOMAN, 2, 1, 0, 45, 58), (_ANY, 3, 0, 1, 18, 30), (_ANY, 3, 0, 1, 15, 28))),
    (0.12, (
        (_MAN, 1, 1, 0, 55, 75), (_WOMAN, 1, 1, 0, 53, 75), (_MAN, 2, 2, 1, 25, 42), (_WOMAN, 2, 2, 0, 24, 40),
        (_ANY, 3, 0, 2, 0, 14),
    )),
    (0.05, (
        (_MAN, 1, 1, 0, 60, 80), (_WOMAN, 1, 1, 0, 58, 80), (_MAN, 2, 2, 1, 34, 50), (_WOMAN, 2, 2, 0, 30, 48),
        (_MAN, 2, 3, 1, 25, 33), (_WOMAN, 2, 3, 0, 23, 32), (_ANY, 3, 0, 2, 5, 20), (_ANY, 3, 0, 3, 0, 8),
    )),
    (0.05, ((_WOMAN, 1, 0, 0, 50, 80), (_ANY, 2, 0, 1, 20, 40))),
)  # fmt: skip


def fact_book() -> FactBook:
    """The fact book of the package."""
    return FactBook.load()


def tiny_inputs(
    parameters: dict[str, float] | None = None,
    until: int = 2035,
    levers: dict[str, Any] | None = None,
    split: dict[str, float] = SPLIT,
) -> Inputs:
    """A region at the status quo, or with other values of levers and facts by id; ``split`` names its counties."""
    book = fact_book()
    region = SimpleNamespace(
        county_names=list(split),
        split_weights=np.array(list(split.values())),
        chain_weights={},
        cpi=dict.fromkeys(range(2000, 2036), 2.0),
    )
    scenario = Scenario.from_mapping({"name": "tiny", "levers": levers or {}}, book)
    few = {"policy.relocated_households_yr": 30.0}  # the programme of the whole region would empty these villages
    return Inputs.build(book, region, scenario, until=until, parameters=few | (parameters or {}))


def tiny_geography(villages_per_county: int = 4, counties: int = len(COUNTIES)) -> Geography:
    """Two counties, or more, with a few villages each; villages of a county follow one another."""
    villages = counties * villages_per_county
    county = np.concatenate(
        [np.repeat(np.arange(counties), villages_per_county), np.repeat(np.arange(counties), 2), [-1, -1]]
    )
    places = N_TIERS * counties + 2
    where = np.arange(places)
    travel = (
        30.0
        + 40.0 * np.abs(where[:, None] // N_TIERS - where[None, :] // N_TIERS)
        + 10.0 * (where[:, None] != where[None, :])
    )
    np.fill_diagonal(travel, 0.0)
    travel[-2:, :] += 240.0
    travel[:, -2:] += 240.0
    np.fill_diagonal(travel, 0.0)
    home = _place_of(np.arange(len(county)), villages, counties, county)
    return Geography(counties, villages, 0, county.astype(np.int64), travel, np.ascontiguousarray(travel[home] + 5.0))


def _place_of(community: np.ndarray, villages: int, counties: int, county: np.ndarray) -> np.ndarray:
    """(communities,) place of the registered address of a community."""
    beyond = community - villages
    urban = N_TIERS * county[community] + 1 + beyond % 2
    outside = N_TIERS * counties + beyond - 2 * counties
    place = np.where(community < villages, N_TIERS * county[community], np.where(beyond < 2 * counties, urban, outside))
    return np.asarray(place, np.int64)


def tiny_world(
    households: int = 300,
    seed: int = 7,
    year: int = 2020,
    weight: float = 1.0,
    inputs: Any = None,
    villages_per_county: int = 4,
    vacancy_share: float = 0.1,
) -> World:
    """A world with families at home, split and wholly away, strangers and collective persons, in the inputs' counties.

    Parameters
    ----------
    households : number of households
    seed : of the synthesis and of the world's luck
    year : year of the world; a phase is to be run after ``world.year += 1``
    weight : of a row
    inputs : what the world reads; the status quo where not given
    villages_per_county : number of villages of a county
    vacancy_share : share of dwellings of each tenure in towns and seats that stand empty
    """
    rng = np.random.default_rng(seed)
    inputs = inputs or tiny_inputs()
    geography = tiny_geography(villages_per_county, len(inputs.county_names))
    homes, people = _people(households, rng, geography, year)
    world = World(
        seed=seed, base=year, year=year, weight=weight, inputs=inputs, geography=geography,
        persons=Table(people), households=Table(homes), villages=_villages(geography),
        place=Table({name: np.zeros(geography.places) for name in PLACE_COLUMNS}),
        county=Table({name: np.zeros(geography.counties) for name in COUNTY_COLUMNS}),
        stock=np.zeros((geography.places, N_TENURES)),
        dwellings=np.zeros((geography.places, N_TENURES), np.int64),
        occupied=np.zeros((geography.places, N_TENURES), np.int64),
        jobs=np.zeros((geography.places, job_kinds(CHAINS))),
        filled=np.zeros((geography.places, job_kinds(CHAINS)), np.int64),
        network=np.zeros((geography.communities, geography.places), np.int32),
        flows=Flows.zero(geography.places),
        livelihood=Livelihood(*(np.zeros(0, np.float32) for _ in range(6))),
        village_pool_mu=np.zeros(geography.communities),
        estates_yuan=np.zeros(geography.counties + 1, np.int64),
    )  # fmt: skip
    world.reindex()
    world.count_network()
    world.occupied[:] = world.count_occupied()
    world.dwellings[:] = np.ceil(world.occupied * (1.0 + vacancy_share)).astype(np.int64) + 1
    world.dwellings[~geography.urban] = world.occupied[~geography.urban]
    world.stock[:] = world.dwellings * weight
    in_job = people["sector"] > 0
    kind = np.where(people["chain"] > 0, 19 + people["chain"].astype(np.int64), people["sector"])
    np.add.at(world.filled, (world.person_place()[in_job], kind[in_job]), 1)
    world.jobs[:] = np.ceil(world.filled * weight * 1.1)
    return world


def _villages(geography: Geography) -> Table:
    villages = empty(VILLAGES, geography.villages)
    villages["county"] = geography.community_county[: geography.villages].astype(np.int8)
    villages["travel_town_min"][:] = 20.0
    villages["travel_seat_min"][:] = 45.0
    return Table(villages)


def _keys(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.integers(1, 2**63, size=count, dtype=np.uint64) * np.uint64(2) + rng.integers(
        0, 2, size=count, dtype=np.uint64
    )


def _people(
    count: int, rng: np.random.Generator, geography: Geography, year: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    inside, villages, counties = geography.inside, geography.villages, geography.counties
    homes = empty(HOUSEHOLDS, count)
    homes["key"] = _keys(rng, count)
    kind_of_home = rng.random(count)
    stranger = kind_of_home < 0.05
    collective = rng.random(count) < np.where(stranger, 0.4, 0.03)
    community = np.where(
        kind_of_home < 0.30, villages + rng.integers(0, 2 * counties, count), rng.integers(0, villages, count)
    )
    community = np.where(stranger, villages + 2 * counties + rng.integers(0, 2, count), community)
    home = _place_of(community, villages, counties, geography.community_county)
    urban_places = np.flatnonzero(geography.urban)
    place = home.copy()
    wholly_away = rng.random(count) < 0.15
    place[wholly_away] = rng.choice(np.concatenate([urban_places, [geography.near, geography.far]]), wholly_away.sum())
    place[stranger | (collective & (home < inside))] = rng.choice(
        urban_places, (stranger | (collective & (home < inside))).sum()
    )
    village_home = community < villages
    homes["kind"][collective] = Kind.COLLECTIVE
    homes["community"][:] = community
    homes["home_place"][:] = home
    homes["hukou_urban"][:] = (home < inside) & (home % N_TIERS != Tier.VILLAGE)
    homes["place"][:] = place
    homes["since_year"][:] = np.where(place == home, 1990, rng.integers(2005, year + 1, count))
    in_town = rng.choice(
        [Tenure.SELF_BUILT, Tenure.PURCHASED, Tenure.MARKET_RENT, Tenure.PUBLIC_RENT], count, p=[0.3, 0.4, 0.25, 0.05]
    )
    tier = np.where(place < inside, place % N_TIERS, -1)
    tenure = np.where(tier == Tier.VILLAGE, int(Tenure.SELF_BUILT), np.where(tier > 0, in_town, int(Tenure.NONE)))
    homes["tenure"][:] = np.where(collective & (tier > 0), int(Tenure.DORMITORY), tenure)
    homes["land_mu"][:] = np.where(village_home & ~collective, rng.uniform(2, 24, count), 0.0)
    homes["has_homestead"][:] = village_home & ~collective
    homes["has_collective_share"][:] = village_home & ~collective
    homes["savings_yuan"][:] = np.where(rng.random(count) < 0.1, 0, rng.lognormal(10.5, 1.0, count)).astype(np.int64)
    homes["permit"][:] = (place != home) & (place < inside) & (rng.random(count) < 0.5)

    drawn = rng.choice(
        len(FAMILIES), count, p=np.array([weight for weight, _ in FAMILIES]) / sum(w for w, _ in FAMILIES)
    )
    drawn[collective] = 1
    parts: list[dict[str, np.ndarray]] = []
    for number, (_, members) in enumerate(FAMILIES):
        these = np.flatnonzero(drawn == number)
        for role, (sex, generation, couple, parents, youngest, oldest) in enumerate(members):
            parts.append(
                {
                    "household": these,
                    "role": np.full(len(these), role),
                    "sex": rng.integers(0, 2, len(these)) if sex == _ANY else np.full(len(these), sex),
                    "generation": np.full(len(these), generation),
                    "couple": np.full(len(these), couple),
                    "parents": np.full(len(these), parents),
                    "birth_year": year - rng.integers(youngest, oldest + 1, len(these)),
                }
            )
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((joined["role"], joined["household"]))
    people = empty(PERSONS, len(order))
    for name in ("household", "sex", "generation", "couple", "parents", "birth_year"):
        people[name][:] = joined[name][order]
    people["key"] = _keys(rng, len(order))
    _away(people, homes, rng, geography, year)
    _occupy(people, homes, rng, geography, year)
    return homes, people


def _away(
    people: dict[str, np.ndarray],
    homes: dict[str, np.ndarray],
    rng: np.random.Generator,
    geography: Geography,
    year: int,
) -> None:
    """In a third of the larger families at home the grown-ups of one couple, or an unmarried one, live elsewhere."""
    household = people["household"]
    size = np.bincount(household, minlength=len(homes["key"]))
    split = (size > 2) & (homes["place"] == homes["home_place"]) & (homes["home_place"] < geography.inside)
    split &= rng.random(len(size)) < 0.33
    age = year - people["birth_year"]
    top = np.zeros(len(size), np.int64)
    np.maximum.at(top, household, people["couple"])
    who = split[household] & (people["couple"] == top[household]) & (age >= 20) & (age < 60)
    who &= (people["sex"] == Sex.MALE) | (top[household] > 1)
    people["is_away"][:] = who
    left = np.bincount(household[who], minlength=len(size))
    away = (left > 0) & (left < size)
    people["is_away"][:] = who & away[household]
    targets = np.concatenate([np.flatnonzero(geography.urban), [geography.near, geography.far, geography.far]])
    target = rng.choice(targets, len(size))
    target = np.where(target == homes["place"], geography.far, target)
    homes["away_place"][:] = np.where(away, target, -1)
    homes["away_since_year"][:] = np.where(away, rng.integers(2008, year + 1, len(size)), 0)
    renting = away & (target < geography.inside)
    homes["away_tenure"][:] = np.where(renting, int(Tenure.MARKET_RENT), int(Tenure.NONE))
    since = np.where(people["is_away"] > 0, homes["away_since_year"][household], homes["since_year"][household])
    people["since_year"][:] = np.maximum(since, people["birth_year"])


def _occupy(
    people: dict[str, np.ndarray],
    homes: dict[str, np.ndarray],
    rng: np.random.Generator,
    geography: Geography,
    year: int,
) -> None:
    """Schooling, activity, job and skill by age and by where a person lives."""
    count = len(people["key"])
    household = people["household"]
    age = year - people["birth_year"]
    lives = np.where(people["is_away"] > 0, homes["away_place"][household], homes["place"][household])
    grown = rng.choice(
        [Schooling.NONE, Schooling.PRIMARY, Schooling.JUNIOR, Schooling.SENIOR, Schooling.COLLEGE, Schooling.BACHELOR],
        count, p=[0.06, 0.26, 0.36, 0.18, 0.09, 0.05],
    )  # fmt: skip
    steps = [age < 6, age < 12, age < 15, age < 19]
    at_school = [Schooling.UNDER_AGE, Schooling.PRIMARY, Schooling.JUNIOR, Schooling.SENIOR]
    people["schooling"][:] = np.select(steps, [int(each) for each in at_school], grown)
    land = (homes["land_mu"] > 0)[household] & (lives == homes["home_place"][household]) & (lives < geography.inside)
    luck = rng.random(count)
    activity = np.select(
        [age < 6, age < 19, land & (age < 70), age < 55, age < 60],
        [
            int(Activity.CHILD),
            int(Activity.PUPIL),
            np.where(luck < 0.7, int(Activity.FARMER), int(Activity.WORKER)),
            np.where(luck < 0.85, int(Activity.WORKER), int(Activity.SEEKING)),
            np.where((people["sex"] == Sex.MALE) & (luck < 0.7), int(Activity.WORKER), int(Activity.HOME)),
        ],
        int(Activity.RETIRED),
    )
    people["activity"][:] = activity
    working = (activity == Activity.WORKER) & (lives < geography.inside)
    sector = rng.integers(int(Sector.MINING), int(Sector.PUBLIC_ADMIN) + 1, count)
    people["sector"][:] = np.where(working, sector, 0)
    people["chain"][:] = np.where(working & (rng.random(count) < 0.2), rng.integers(1, CHAINS + 1, count), 0)
    people["sector"][people["chain"] > 0] = Sector.MANUFACTURING
    schooling = people["schooling"]
    people["skill"][:] = np.where(
        schooling >= Schooling.COLLEGE,
        int(Skill.HIGH),
        np.where(schooling == Schooling.SENIOR, int(Skill.MIDDLE), int(Skill.LOW)),
    )
