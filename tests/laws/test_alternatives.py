"""Alternatives of structure and feedbacks switched off: each changes what it should, on a tiny world."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from worlds import COUNTIES, tiny_world

from migrasim import checks, variants
from migrasim.core.codes import N_SECTORS, N_TIERS, Sector, Tier
from migrasim.core.rule import record
from migrasim.domains.moving import household
from migrasim.domains.moving.offers import views
from migrasim.domains.moving.rules import MovingParams, Terms
from migrasim.domains.moving.terms import terms_of
from migrasim.facts import FactBook
from migrasim.inputs import Inputs
from migrasim.order import Simulation
from migrasim.scenario import Scenario
from migrasim.world import World

CHAIN_SECTORS = [2, 3, 1, 1, 3, 3, 3, 8, 14]


def begin(*alternatives: str, levers: dict[str, Any] | None = None, future: str | None = None) -> Simulation:
    """A tiny world under alternatives or a future."""
    book = FactBook.load()
    region = SimpleNamespace(
        county_names=list(COUNTIES),
        split_weights=np.array([3.0, 1.0]),
        chain_weights={},
        cpi=dict.fromkeys(range(2000, 2036), 2.0),
    )
    scenario = Scenario.from_mapping({"name": "tiny", "levers": levers or {}}, book)
    still = {"policy.reclassified_persons_yr": 0.0}  # else all villages join their seat
    inputs = Inputs.build(book, region, scenario, parameters=still, alternatives=alternatives, future=future)
    return Simulation.start(tiny_world(500, inputs=inputs), CHAIN_SECTORS)


def run(*alternatives: str, years: int = 3, **options: Any) -> Simulation:
    simulation = begin(*alternatives, **options)
    for _ in range(years):
        simulation.step()
    return simulation


@lru_cache(maxsize=1)
def as_usual() -> Simulation:
    """Three years without any alternative; not to be changed."""
    return run()


def until_moves(simulation: Simulation) -> World:
    """The world of the next year just before its waves."""
    world = simulation.world
    world.year += 1
    world.flows = type(world.flows).zero(world.geography.places)
    world.measures, world.ledger = {}, {}
    for name, work in simulation._phases(checks.before(world)):
        if name == "moving":
            break
        work()
    return world


def moves(simulation: Simulation) -> np.ndarray:
    """(places, places) persons who moved in all years."""
    return np.sum([each.flows.moves.sum(axis=2) for each in simulation.history if each.flows is not None], axis=0)


def terms(world: World, h: int, form: int, destination: int) -> Terms:
    """Terms of one alternative of a household."""
    people, families, places = views(world)
    p = world.inputs.params("moving", MovingParams)
    homes, crew = household.gather(np.array([h]), people, families, places, world.year, record(p))
    one, sums = homes[0], household.new_sums()[0]
    household.sum_up(form, one, crew, sums)
    return Terms(*terms_of(one, form, destination, sums, places, np.uint64(5), p))


def differing(*alternatives: str, form: int = 5) -> set[str]:
    """Names of the terms of whole families' moves that an alternative changes, on one and the same state."""
    plain, other = until_moves(begin()), until_moves(begin())
    book = plain.inputs.book
    region = SimpleNamespace(county_names=list(COUNTIES), split_weights=np.array([3.0, 1.0]), chain_weights={})
    changed = Inputs.build(book, region, plain.inputs.scenario, alternatives=alternatives)
    other.inputs = changed
    found: set[str] = set()
    for h in range(40):
        for destination in range(plain.geography.places):
            if destination == plain.households.place[h]:
                continue
            a, b = (terms(each, h, form, destination) for each in (plain, other))
            found |= {name for name, x, y in zip(Terms._fields, a, b, strict=True) if x != y}
    return found


@pytest.mark.parametrize("name", list(variants.alternatives()))
def test_laws_hold(name: str) -> None:
    """Under each alternative two years break no law (checks.py raises), with many levers at twice the plan."""
    simulation = run(name, years=2, levers={"industry": "double", "public_housing": "double"})
    assert simulation.world.year == 2022
    assert moves(simulation).sum() > 0


def test_no_network_takes_away_one_term_only() -> None:
    """Without a network its term is nothing, and no other term of a move differs."""
    assert differing("no_network") == {"network"}
    world = until_moves(begin("no_network"))
    assert all(
        terms(world, h, 5, d).network == 0.0 for h in range(40) for d in range(3) if d != world.households.place[h]
    )


def test_no_outside_sends_nobody_out() -> None:
    """Nobody moves outside; moves inside and returns go on."""
    assert differing("no_outside") == {"cost"}
    simulation = run("no_outside")
    inside = simulation.world.geography.inside
    assert moves(as_usual())[:, inside:].sum() > 0
    assert moves(simulation)[:, inside:].sum() == 0
    assert moves(simulation)[:inside, :inside].sum() > 0
    assert moves(simulation)[inside:, :inside].sum() > 0


def test_myopic_income_reckons_with_the_wage_alone() -> None:
    """Only the income term differs; the chance of work itself and placements keep it."""
    assert differing("myopic_income") == {"income"}
    world = until_moves(begin("myopic_income"))
    _, _, places = views(world)
    tier = np.arange(world.geography.places) % N_TIERS
    village = (tier == Tier.VILLAGE) & (np.arange(world.geography.places) < world.geography.inside)
    assert np.all(places.at["work_chance"][~village] == 1.0)
    assert np.array_equal(places.at["work_chance"][village], world.place.work_chance_share[village])
    assert np.any(world.place.work_chance_share[~village] < 1.0)


def test_plain_logit_changes_luck_and_no_term() -> None:
    """Without nests utilities are the same; only the errors are drawn otherwise."""
    assert differing("plain_logit") == set()
    assert not np.array_equal(moves(run("plain_logit")), moves(as_usual()))


def test_wages_do_not_give_way() -> None:
    """With the feedback off pay of newcomers is that of the base year times growth, whoever comes."""
    world = run("wages").world
    plain = as_usual().world
    begun = begin("wages").world
    inside = world.geography.inside
    growth = float(world.memory["growth_index"][0])
    assert world.place.wage_newcomer_yuan_yr[:inside] == pytest.approx(
        growth * begun.place.wage_newcomer_yuan_yr[:inside]
    )
    assert not np.allclose(plain.place.wage_newcomer_yuan_yr[:inside], world.place.wage_newcomer_yuan_yr[:inside])


def test_rents_do_not_follow_occupancy() -> None:
    """With the feedback off rents and prices grow with incomes and with nothing else."""
    world, begun = run("rents").world, begin("rents").world
    inside, growth = world.geography.inside, float(world.memory["growth_index"][0])
    for name in ("rent_yuan_yr", "price_yuan"):
        assert getattr(world.place, name)[:inside] == pytest.approx(growth * getattr(begun.place, name)[:inside])
    assert not np.allclose(as_usual().world.place.rent_yuan_yr[:inside], world.place.rent_yuan_yr[:inside])


def test_crowding_lowers_no_quality() -> None:
    """With the feedback off crowded schools are as good as others; places still run out."""
    qualities = []
    for names in ((), ("crowding",)):
        simulation = begin(*names)
        simulation.world.place.school_places[:] = 1.0
        simulation._update()
        qualities.append(simulation.world.place.school_quality_share.copy())
    inside = simulation.world.geography.inside
    tier = np.arange(inside) % N_TIERS
    full = np.array([0.0, 0.0, 0.0])
    full[:] = [qualities[1][:inside][tier == t].max() for t in range(N_TIERS)]
    assert np.all(qualities[1][:inside] == full[tier])
    assert np.all(qualities[0][:inside] < qualities[1][:inside])


def test_networks_stand_still() -> None:
    """With the feedback off choices see the shares of the base year, while people move and are counted."""
    simulation = run("networks")
    _, _, places = views(simulation.world)
    first = simulation.world.memory["network_base"]
    assert np.array_equal(places.network, first)
    assert not np.array_equal(simulation.world.network, first)


def test_land_of_later_leavers_helps_nobody() -> None:
    """With the feedback off land leased in per farmer stays as after the first year; on, it changes."""
    held, free = begin("land"), begin()
    leased: dict[str, list[np.ndarray]] = {"held": [], "free": []}
    for _ in range(3):
        for name, simulation in (("held", held), ("free", free)):
            simulation.step()
            leased[name].append(simulation.world.memory["leased_in_mu_per_farmer"].copy())
    assert np.array_equal(leased["held"][0], leased["free"][0])
    assert np.array_equal(leased["held"][0], leased["held"][2])
    assert not np.array_equal(leased["free"][0], leased["free"][2])


def test_chain_jobs_bring_no_service_jobs() -> None:
    """With the feedback off, new chain jobs leave the service jobs that they bring at nothing."""
    levers = {"industry.smart_manufacturing.jobs": 2000}
    assert run(levers=levers).world.memory["service_jobs"].sum() > 0
    assert run("service_jobs", levers=levers).world.memory["service_jobs"].sum() == 0


def test_jobs_do_not_follow_residents() -> None:
    """With the feedback off, jobs of every sector grow alike in every place."""
    simulation = run("resident_jobs")
    world = simulation.world
    growth = 1.02**3
    urban = world.geography.urban
    sectors = slice(Sector.AGRICULTURE + 1, N_SECTORS)
    assert world.jobs[urban, sectors] == pytest.approx(world.memory["jobs_base"][urban, sectors] * growth)


def test_budgets_do_not_bind() -> None:
    """With the feedback off, nothing stays unpaid where counties could not pay."""
    levers = {"public_housing.public_rental_units": {2021: 10000}}
    bound, free = run(levers=levers), run("budget", levers=levers)
    assert bound.world.county.unpaid_share.max() > 0
    assert free.world.county.unpaid_share.max() == 0
    assert free.world.stock.sum() > bound.world.stock.sum()


def test_pay_outside_gains_in_a_boom_and_falls_behind_in_hard_times() -> None:
    """Pay outside over pay growth here is above, at and below 1 in the three futures; the base year is the same."""
    ahead = {}
    for name in ("boom", "central", "hard_times"):
        simulation = run(future=name, years=2)
        world = simulation.world
        begun = begin(future=name).world
        far = world.geography.far
        growth = float(world.memory["growth_index"][0])
        ahead[name] = world.place.wage_newcomer_yuan_yr[far] / begun.place.wage_newcomer_yuan_yr[far] / growth
    assert ahead["central"] == pytest.approx(1.0)
    assert ahead["boom"] == pytest.approx(1.005**2)
    assert ahead["hard_times"] == pytest.approx(0.995**2)


def test_central_is_the_same_run_to_the_last_bit() -> None:
    """The future central changes nobody and nothing."""
    a, b = as_usual(), run(future="central")
    assert np.array_equal(moves(a), moves(b))
    assert np.array_equal(a.world.households.key, b.world.households.key)
    assert np.array_equal(a.world.households.savings_yuan, b.world.households.savings_yuan)
