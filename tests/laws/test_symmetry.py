"""What is named or counted otherwise is the same: counties in another order, and a region twice as large."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from worlds import tiny_inputs, tiny_world

from migrasim.core.chance import child_key
from migrasim.core.codes import N_OUTSIDE, N_TIERS, Form
from migrasim.core.columns import Table
from migrasim.core.rule import record
from migrasim.domains.moving import household
from migrasim.domains.moving.offers import views
from migrasim.domains.moving.rules import MovingParams, Terms
from migrasim.domains.moving.terms import terms_of
from migrasim.facts import FactBook
from migrasim.inputs import Inputs
from migrasim.order import Simulation
from migrasim.population import margins
from migrasim.region import Region
from migrasim.world import COUNTY_COLUMNS, PLACE_COLUMNS, World

CHAIN_SECTORS = [2, 3, 1, 1, 3, 3, 3, 8, 14]
SPLIT = {"East": 3.0, "Middle": 1.0, "West": 2.0}
ORDER = ("West", "East", "Middle")
NUMBER = np.array([ORDER.index(name) for name in SPLIT])  # of each county in the other order
# nobody weighs a move and nobody comes from outside: what is left of luck hangs on no number of a place
QUIET = {
    "moving.consider_rate_yr": 0.0,
    "demography.arrivals_near_persons_yr": 0.0,
    "demography.arrivals_far_persons_yr": 0.0,
}


def places_of(number: np.ndarray = NUMBER) -> np.ndarray:
    """(places,) number of each place when counties have other numbers; the outside keeps its end."""
    inside = (N_TIERS * number[:, None] + np.arange(N_TIERS)).ravel()
    return np.concatenate([inside, len(inside) + np.arange(N_OUTSIDE)])


def moved(values: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Rows at other numbers."""
    found = np.empty_like(values)
    found[to] = values
    return found


def anew(world: World, **changed: Any) -> World:
    """A world that has not begun, with some things changed and nothing that is written to shared."""
    geography = changed.get("geography", world.geography)
    return replace(
        world,
        place=Table({name: np.zeros(geography.places) for name in PLACE_COLUMNS}),
        county=Table({name: np.zeros(geography.counties) for name in COUNTY_COLUMNS}),
        network=np.zeros_like(world.network),
        village_pool_mu=np.zeros_like(world.village_pool_mu),
        estates_yuan=np.zeros_like(world.estates_yuan),
        **{name: {} for name in ("memory", "levers", "last_levers", "measures", "ledger")},
        **changed,
    )


def listed_otherwise(world: World, inputs: Inputs) -> World:
    """The same world with its counties, and so its places and communities, in another order; rows as they were."""
    old = world.geography
    c, v, place = old.counties, old.villages, places_of()
    county = np.append(NUMBER, -1)[old.community_county]
    village = np.empty(v, np.int64)
    village[np.argsort(county[:v], kind="stable")] = np.arange(v)
    urban = v + (2 * NUMBER[:, None] + np.arange(2)).ravel()
    community = np.concatenate([village, urban, v + 2 * c + np.arange(N_OUTSIDE)])
    geography = replace(
        old,
        core_county=int(NUMBER[old.core_county]),
        community_county=moved(county, community),
        travel_min=moved(moved(old.travel_min, place).T.copy(), place).T.copy(),
        community_travel_min=moved(moved(old.community_travel_min, community).T.copy(), place).T.copy(),
    )
    named = np.append(place, -1)  # -1 stays nowhere
    households = {name: getattr(world.households, name).copy() for name in world.households.names}
    for name in ("place", "away_place", "home_place"):
        households[name][:] = named[households[name]]
    households["community"][:] = community[households["community"]]
    villages = {name: moved(getattr(world.villages, name), village) for name in world.villages.names}
    villages["county"][:] = NUMBER[villages["county"]]
    counts = {name: moved(getattr(world, name), place) for name in ("stock", "dwellings", "occupied", "jobs", "filled")}
    return anew(
        world, inputs=inputs, geography=geography, persons=world.persons.copy(), households=Table(households),
        villages=Table(villages), **counts,
    )  # fmt: skip


def two_orders(parameters: dict[str, float], levers: dict[str, Any] | None = None, seed: int = 7) -> list[Simulation]:
    """A world of three counties, and the same with the counties in another order."""
    there, here = (
        tiny_inputs(parameters, levers=levers, split={name: SPLIT[name] for name in names}) for names in (SPLIT, ORDER)
    )
    world = tiny_world(1500, inputs=there, seed=seed)
    other = listed_otherwise(world, here)
    return [Simulation.start(each, CHAIN_SECTORS) for each in (world, other)]


def differing(a: World, b: World, number: np.ndarray = NUMBER) -> list[str]:
    """What differs between a world and the same with its counties in another order.

    Households and persons to the last bit, what places and counties offer but for the order of sums.
    """
    place, found = places_of(number), []
    for name in set(a.households.names) - {"community"}:
        left = getattr(a.households, name)
        left = np.append(place, -1)[left] if name in ("place", "away_place", "home_place") else left
        if not np.array_equal(left, getattr(b.households, name)):
            found.append(f"household {name}")
    found += [
        f"person {name}"
        for name in a.persons.names
        if not np.array_equal(getattr(a.persons, name), getattr(b.persons, name))
    ]
    for what, names, to in (("place", PLACE_COLUMNS, place), ("county", COUNTY_COLUMNS, number)):
        for name in names:
            left, right = moved(getattr(getattr(a, what), name), to), getattr(getattr(b, what), name)
            if not np.allclose(left, right, rtol=1e-12, atol=0.0, equal_nan=True):
                found.append(f"{what} {name}")
    return found


def before_the_waves(simulation: Simulation) -> World:
    """The world of the next year when all but moves has happened."""
    for name, work in simulation.year():
        if name == "moving":
            break
        work()
    return simulation.world


def all_terms(world: World, rows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(rows, places, forms, terms) of utility of every alternative, tastes apart; nan where there is none.

    ``places`` are in the order in which they are wanted.
    """
    people, families, offers = views(world)
    p = world.inputs.params("moving", MovingParams)
    homes, crew = household.gather(rows, people, families, offers, world.year, record(p))
    found = np.full((len(rows), len(places), len(Form), len(Terms._fields)), np.nan)
    for n, one in enumerate(homes):
        for form in Form:
            if form in (Form.STAY, Form.RETURN) or not household.can_form(form, one):
                continue
            sums = household.new_sums()[0]
            household.sum_up(form, one, crew, sums)
            for m, d in enumerate(places):
                if d != one.place and d != one.away_place:
                    found[n, m, form] = terms_of(one, form, d, sums, offers, np.uint64(5), p)
    return np.delete(found, Terms._fields.index("taste"), axis=3)


LEVERS = {"industry": "double", "public_housing": "double", "spatial.core_share": 0.6, "residence_permit": "plan"}


@pytest.mark.parametrize("levers", [None, LEVERS])
def test_the_order_of_counties_changes_nothing_where_nobody_draws_a_place(levers: dict[str, Any] | None) -> None:
    """Years without moves are the same to the last bit, person by person, whichever county is listed first.

    Births, deaths, marriages, schools, jobs, permits, transfers of registration, land, danger zones and accounts go on.
    """
    a, b = two_orders(QUIET, levers)
    assert differing(a.world, b.world) == []
    for _ in range(4):
        a.step()
        b.step()
        assert differing(a.world, b.world) == []
    assert sum(record.flows.births.sum() for record in a.history[1:] if record.flows) > 0
    assert a.history[-1].flows is not None and a.history[-1].flows.household_moves.sum() == 0


def test_the_order_of_counties_changes_no_term_of_utility() -> None:
    """Each alternative of each household is worth the same whatever number its place has, but for tastes.

    Luck, tastes among it, is keyed by the number of the place: that is all that another order changes in choosing.
    """
    a, b = (before_the_waves(each) for each in two_orders(QUIET))
    rows = np.arange(0, 1500, 20)
    left = all_terms(a, rows, np.arange(a.geography.places))
    right = all_terms(b, rows, places_of())
    assert np.isfinite(left).sum() > 20_000
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9)


def test_the_order_of_counties_is_no_more_than_other_luck() -> None:
    """With moves, the means over ten seeds agree county by county within their errors, and all move about as often."""
    gaps, residents, moves = [], [], []
    for seed in range(10):
        a, b = two_orders({}, seed=seed)
        for _ in range(3):
            a.step()
            b.step()
        by_county = [each.world.residents()[: N_TIERS * 3].reshape(3, N_TIERS) for each in (a, b)]
        gaps.append(moved(by_county[0], NUMBER) - by_county[1])
        residents.append(by_county[1])
        moves.append([sum(r.flows.household_moves.sum() for r in each.history[1:] if r.flows) for each in (a, b)])
    gap, error = np.mean(gaps, axis=0), np.std(gaps, axis=0, ddof=1) / np.sqrt(len(gaps))
    assert np.all(np.abs(gap) < 4.0 * error + 1.0)
    assert np.all(error <= 0.04 * np.mean(residents, axis=0))  # else the law would hold of anything
    there, here = np.sum(moves, axis=0)
    assert there > 1000 and abs(there - here) < 0.05 * there


# A region twice as large

EXTENSIVE = (  # facts that count things of the whole region
    "policy.reclassified_persons_yr", "demography.arrivals_near_persons_yr", "demography.arrivals_far_persons_yr",
    "fiscal.budget_revenue_yuan_yr", "fiscal.budget_spending_yuan_yr", "fiscal.community_centres",
    "fiscal.expressway_km", "fiscal.railway_km", "fiscal.park_mu", "fiscal.rural_roads_km",
)  # fmt: skip
RELOCATED = "policy.relocated_households_yr"
# whole numbers of jobs and dwellings in every place, so that nothing is lost below one of them
WHOLE = {
    "labour.vacancy_share": 0.5, "housing.vacancy_share": 0.5, "housing.rental_vacancy_share": 0.5,
    "housing.public_units_base": 0.0, "housing.affordable_units_base": 0.0,
}  # fmt: skip
COUNTED = {"school_places", "health_beds", "urban_residents_base", "budget_yuan"}  # columns that double; others stay


def sized_inputs(size: float) -> Inputs:
    """Inputs of a region so many times as large: totals of levers and facts that count things, and nothing else."""
    book = FactBook.load()
    counted = {name: size * float(book.facts[name].value or 0.0) for name in EXTENSIVE}
    inputs = tiny_inputs(WHOLE | counted | {RELOCATED: 30.0 * size})
    factor = {name: size if lever.aggregate == "total" else 1.0 for name, lever in book.levers.items()}
    changed = {
        name: {lever: values * factor[lever] for lever, values in getattr(inputs, name).items()}
        for name in ("_levers", "_status_quo", "_way")
    }
    return replace(inputs, **changed)


def doubled(world: World) -> World:
    """Two copies of every household in one region, the second with keys of its own; dwellings and jobs doubled."""
    count, people = len(world.households), len(world.persons)
    tables = []
    for table, rows in ((world.households, count), (world.persons, people)):
        columns = {name: np.tile(getattr(table, name), 2) for name in table.names}
        columns["key"][rows:] ^= np.uint64(child_key(np.uint64(1), 0, 0))
        tables.append(columns)
    homes, persons = tables
    persons["household"][people:] += count
    counts = {name: 2 * getattr(world, name) for name in ("stock", "dwellings", "occupied", "jobs", "filled")}
    double = anew(
        world, inputs=sized_inputs(2.0), households=Table(homes), persons=Table(persons),
        villages=world.villages.copy(), **counts,
    )  # fmt: skip
    double.reindex()
    return double


def one_and_two(seed: int = 7) -> list[Simulation]:
    """A world, and one with two copies of it."""
    world = tiny_world(1500, inputs=sized_inputs(1.0), seed=seed)
    double = doubled(world)
    return [Simulation.start(each, CHAIN_SECTORS) for each in (world, double)]


def test_a_region_twice_as_large_offers_the_same() -> None:
    """As the base year begins, pay, chances, rents, services and amenity are those of one copy, and so is each move.

    School places, beds and budgets are twice as many.
    """
    a, b = (each.world for each in one_and_two())
    for what, names in (("place", PLACE_COLUMNS), ("county", COUNTY_COLUMNS)):
        for name in names:
            left, right = (getattr(getattr(world, what), name) for world in (a, b))
            np.testing.assert_allclose(right, left * (2.0 if name in COUNTED else 1.0), rtol=1e-9, err_msg=name)
    for each in (a, b):
        each.year += 1
    rows, every = np.arange(0, 1500, 20), np.arange(a.geography.places)
    left = all_terms(a, rows, every)
    assert np.isfinite(left).sum() > 10_000
    np.testing.assert_allclose(all_terms(b, rows, every), left, rtol=1e-9, atol=1e-9)  # of those with the same keys


def test_a_region_twice_as_large_moves_twice_as_often() -> None:
    """Two copies have twice the movers, births and townspeople of one, pay twice as much, and have the same rates.

    Their luck differs, so this holds of the means over ten seeds within their errors, which are small.
    """
    found = []
    for seed in range(10):
        pair = []
        for simulation in one_and_two(seed=seed):
            for _ in range(3):
                simulation.step()
            world, flows = simulation.world, [each.flows for each in simulation.history if each.flows]
            residents = world.residents()
            urban = float(residents[world.geography.urban].sum())
            pair.append(
                [
                    float(sum(each.household_moves.sum() for each in flows)),
                    float(sum(each.births.sum() for each in flows)),
                    urban,
                    float(simulation.history[-1].sums["public_cost_yuan"].sum()),
                    urban / residents[: world.geography.inside].sum(),
                    float(world.place.rent_yuan_yr.mean()),
                    float(world.place.wage_newcomer_yuan_yr.mean()),
                    float(world.place.work_chance_share.mean()),
                ]
            )
        found.append(np.divide(pair[1], pair[0]))
    mean, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    expected = np.array([2.0] * 4 + [1.0] * 4)
    assert np.all(np.abs(mean - expected) < 4.0 * error + 2e-3)
    assert np.all(error < 0.05)


# The region that ships, listed otherwise


def test_a_region_whose_counties_are_listed_otherwise_has_the_same_margins(tmp_path: Path) -> None:
    """Each county keeps its margins of both censuses, its villages, ways, chain jobs and part of totals.

    People who live in another county of the region are whole numbers of a table that is fitted: they may differ by few.
    """
    shipped = Region.only()
    folder = tmp_path / "region"
    shutil.copytree(shipped.folder, folder)
    about = yaml.safe_load((folder / "region.yaml").read_text("utf-8"))
    about["counties"] = about["counties"][::-1]
    (folder / "region.yaml").write_text(yaml.safe_dump(about, allow_unicode=True), "utf-8")
    other = Region(folder)
    back = slice(None, None, -1)
    assert other.county_names == shipped.county_names[back]
    assert other.place_names[other.core] == shipped.place_names[shipped.core]
    for name in ("split_weights", "seat_share", "area_km2", "chain_jobs"):
        np.testing.assert_allclose(getattr(other, name)[back], getattr(shipped, name), rtol=1e-12, err_msg=name)
    number = np.arange(shipped.n_counties)[back]
    place = places_of(number)
    np.testing.assert_allclose(other.travel_min[np.ix_(place, place)], shipped.travel_min, rtol=1e-6)
    for base in (2020, 2010):
        a, b = margins.read(shipped, base), margins.read(other, base)
        for name in ("age", "place", "forms", "in_family", "elsewhere", "registered", "old_share", "married"):
            np.testing.assert_allclose(getattr(b, name)[back], getattr(a, name), rtol=1e-12, err_msg=name)
        assert np.abs(b.inside[back, back] - a.inside).max() <= 2
        assert np.abs(b.absent[back] - a.absent).max() <= 5
        assert np.abs(b.absent_age[back] - a.absent_age).max() <= 5
