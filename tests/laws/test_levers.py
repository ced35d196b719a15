"""Every built lever acts through the channel its row names, in the direction the row implies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from worlds import fact_book, tiny_inputs, tiny_world

from migrasim.core.chance import Decision
from migrasim.core.codes import N_SECTORS, N_TIERS, Activity, Purse, Sector, Tenure, Tier
from migrasim.domains.labour import chains, placement
from migrasim.domains.moving import offers
from migrasim.domains.moving.rules import MovingParams
from migrasim.domains.moving.terms import rent_of
from migrasim.facts import FactBook
from migrasim.order import Simulation
from migrasim.runs.simulate import prepare
from migrasim.world import World

CHAIN_SECTORS = [2, 3, 1, 1, 3, 3, 3, 8, 14]
BOOK: FactBook = fact_book()


def seats(world: World) -> np.ndarray:
    return np.arange(world.geography.counties) * N_TIERS + Tier.SEAT


def villages(world: World) -> np.ndarray:
    return np.arange(world.geography.counties) * N_TIERS + Tier.VILLAGE


def village_mean(column: str) -> Callable[[World], float]:
    return lambda world: float(getattr(world.place, column)[villages(world)].mean())


def social_ease(world: World) -> float:
    return float(offers.views(world)[2].at["social"].sum())


def distance(between: Callable[[World], tuple[int, int]]) -> Callable[[World], float]:
    """Distance term, which is the nearer to 0 the shorter the way."""
    return lambda world: float(offers.views(world)[2].distance[between(world)])


def county_to_county(world: World) -> tuple[int, int]:
    return int(seats(world)[0]), int(seats(world)[1])


def village_to_seat(world: World) -> tuple[int, int]:
    return int(villages(world)[0]), int(seats(world)[0])


def seat_to_outside(world: World) -> tuple[int, int]:
    return int(seats(world)[0]), world.geography.far


def jobs_in_seats(*sectors: Sector) -> Callable[[World], float]:
    return lambda world: float(world.jobs[seats(world)][:, [int(each) for each in sectors]].sum())


def farm_income_per_mu(world: World) -> float:
    """Of the own land of those who lease none in."""
    return float(world.livelihood.farm_full_yuan.sum() / max(1.0, world.livelihood.farmers_needed.sum()))


def stock(tenure: Tenure) -> Callable[[World], float]:
    return lambda world: float(world.stock[seats(world), tenure].sum())


def seat_mean(column: str) -> Callable[[World], float]:
    return lambda world: float(getattr(world.place, column)[seats(world)].mean())


def county_mean(column: str) -> Callable[[World], float]:
    return lambda world: float(getattr(world.county, column).mean())


def total(measure: str) -> Callable[[World], float]:
    """Of the last year."""
    return lambda world: float(np.sum(world.measures[measure]))


def paid_by(purse: Purse) -> Callable[[World], float]:
    return lambda world: float(world.measures["cost_by_payer_yuan"][purse].sum())


def chain_jobs_in_seats(world: World) -> float:
    return float((world.jobs - world.memory["jobs_base"])[seats(world), N_SECTORS:].sum())


# lever: what it acts through, the sign of the effect of its high bound, other levers that must be open for it
CHANNELS: dict[str, tuple[Callable[[World], float], int, dict[str, Any]]] = {
    "residence_permit.education": (seat_mean("school_access_share"), 1, {}),
    "residence_permit.healthcare": (seat_mean("health_access_share"), 1, {}),
    "residence_permit.social_security": (seat_mean("security_access_share"), 1, {}),
    "residence_permit.training": (
        lambda w: float(w.persons.skill.sum()),
        1,
        {"residence_permit.one_pass": 1.0},
    ),
    "residence_permit.public_housing": (
        seat_mean("rent_relief_yuan_yr"),
        1,
        {"public_housing.rent_subsidy": 500, "residence_permit.one_pass": 1.0},
    ),
    "residence_permit.one_pass": (seat_mean("barrier_share"), -1, {}),
    "residence_permit.waiting_months": (seat_mean("school_access_share"), -1, {}),
    "three_rights.contract_land_kept": (county_mean("land_kept_share"), 1, {}),
    "three_rights.homestead_kept": (lambda w: float(w.households.has_homestead.sum()), 1, {}),
    "three_rights.collective_income_kept": (county_mean("collective_kept_share"), 1, {}),
    "three_rights.titling": (county_mean("land_kept_share"), 1, {}),
    "three_rights.exit_market": (lambda w: float(w.village_pool_mu.sum()), 1, {"three_rights.exit_price": 60000}),
    "three_rights.exit_price": (lambda w: float(w.village_pool_mu.sum()), 1, {"three_rights.exit_market": 1.0}),
    "public_housing.public_rental_units": (stock(Tenure.PUBLIC_RENT), 1, {}),
    "public_housing.affordable_rental_units": (stock(Tenure.AFFORDABLE_RENT), 1, {}),
    "public_housing.shared_ownership_units": (stock(Tenure.SHARED_OWNERSHIP), 1, {}),
    "public_housing.open_to_migrants": (
        lambda w: float(w.occupied[:, Tenure.PUBLIC_RENT].sum()),
        1,
        {
            "public_housing.public_rental_units": 400,
            "residence_permit.public_housing": 1.0,
            "residence_permit.one_pass": 1.0,
        },
    ),
    "public_housing.rent_subsidy": (
        seat_mean("rent_relief_yuan_yr"),
        1,
        {"residence_permit.public_housing": 1.0, "residence_permit.one_pass": 1.0},
    ),
    "public_housing.tenant_equal_rights": (seat_mean("school_access_share"), 1, {}),
    "public_housing.renovation_units": (seat_mean("amenity_utility"), 1, {}),
    "industry.park_concentration": (chain_jobs_in_seats, 1, {"industry.smart_manufacturing.jobs": 3000}),
    "industry.service_multiplier": (
        lambda w: float(w.memory["service_jobs"].sum()),
        1,
        {"industry.smart_manufacturing.jobs": 3000},
    ),
    "hukou.openness": (total("transfers_households"), 1, {}),
    "hukou.transfer_months": (total("transfers_households"), -1, {}),
    "incentives.settlement_award": (seat_mean("school_places"), 1, {}),
    "incentives.government_share": (paid_by(Purse.COUNTY), 1, {"incentives.enterprise_share": 0.0}),
    "incentives.enterprise_share": (paid_by(Purse.ENTERPRISE), 1, {"incentives.government_share": 0.0}),
    "public_services.resident_linked_supply": (seat_mean("school_places"), 1, {}),
    "public_services.school_places": (seat_mean("school_places"), 1, {}),
    "public_services.health_capacity": (seat_mean("health_beds"), 1, {}),
    "public_services.remote_settlement": (seat_mean("health_access_share"), 1, {}),
    "employment.training_places": (
        lambda w: float(w.persons.skill.sum()),
        1,
        {"residence_permit.one_pass": 1.0, "residence_permit.training": 1.0},
    ),
    "incentives.land_quota": (stock(Tenure.PURCHASED), 1, {}),
    "employment.matching": (seat_mean("work_chance_share"), 1, {}),
    "employment.equal_pay": (seat_mean("newcomer_pay_share"), 1, {}),
    "employment.wage_arrears_control": (seat_mean("newcomer_pay_share"), 1, {}),
    "urban.municipal_utilities": (seat_mean("amenity_utility"), 1, {}),
    "urban.livable": (seat_mean("amenity_utility"), 1, {}),
    "urban.resilient": (seat_mean("amenity_utility"), 1, {}),
    "urban.innovative": (jobs_in_seats(Sector.IT, Sector.FINANCE, Sector.SCIENCE_TECHNICAL), 1, {}),
    "urban.smart": (seat_mean("barrier_share"), -1, {}),
    "urban.green": (seat_mean("amenity_utility"), 1, {}),
    "urban.cultural": (seat_mean("amenity_utility"), 1, {}),
    "governance.land_efficiency": (jobs_in_seats(Sector.MANUFACTURING, Sector.CONSTRUCTION), 1, {}),
    "rural.infrastructure": (village_mean("amenity_utility"), 1, {}),
    "rural.public_services": (village_mean("school_quality_share"), 1, {}),
    "rural.farm_income_growth": (farm_income_per_mu, 1, {}),
    "rural.local_jobs": (lambda w: float(w.filled[villages(w), Sector.MANUFACTURING].sum()), 1, {}),
    "integration.community": (social_ease, 1, {}),
    "governance.community": (social_ease, 1, {}),
    "transport.intercounty": (distance(county_to_county), 1, {}),
    "transport.rural_roads": (distance(village_to_seat), 1, {}),
    "spatial.core_share": (
        lambda w: float(w.stock[seats(w)[0], Tenure.PUBLIC_RENT]),
        1,
        {"spatial.poles_share": 0.0},
    ),
    "spatial.poles_share": (
        lambda w: float((w.jobs - w.memory["jobs_base"])[seats(w)[1:], N_SECTORS:].sum()),
        1,
        {"spatial.core_share": 0.0, "industry.smart_manufacturing.jobs": 3000},
    ),
    "spatial.cluster_integration": (distance(seat_to_outside), 1, {}),
    "rural.returnee_support": (lambda w: float(offers.views(w)[2].land["return_gain"].mean()), 1, {}),
    "rural.scale_farming": (county_mean("land_rent_yuan_yr_mu"), 1, {}),
} | {f"industry.{chain}.jobs": (chain_jobs_in_seats, 1, {}) for chain in BOOK.chains}


def run(levers: dict[str, Any], years: int = 3, parameters: dict[str, float] | None = None) -> World:
    inputs = tiny_inputs(parameters, levers=levers)
    simulation = Simulation.start(tiny_world(1500, inputs=inputs, seed=5), CHAIN_SECTORS)
    for _ in range(years):
        simulation.step()
    return simulation.world


@pytest.mark.parametrize("lever", sorted(CHANNELS))
def test_a_lever_acts_through_its_channel(lever: str) -> None:
    """From its low to its high bound a lever moves the quantity that its row names, in the direction implied."""
    measure, sign, others = CHANNELS[lever]
    low, high = BOOK.levers[lever].bounds
    if lever.endswith(".jobs"):
        low, high = 0, 3000
    # villages of a tiny world would all join their seat at once
    parameters = {"policy.reclassified_persons_yr": 0.0} if lever.startswith("rural.") else None
    few, many = (measure(run({**others, lever: value}, parameters=parameters)) for value in (low, high))
    assert sign * (many - few) > 0, f"{lever}: {few} at {low}, {many} at {high}"


@pytest.mark.parametrize("lever", sorted(lever.id for lever in BOOK.levers.values() if lever.cost))
def test_a_cost_that_is_shown_is_charged(lever: str) -> None:
    """Set to its high bound, a lever with a cost is paid for: by governments, enterprises or households themselves."""
    others = CHANNELS[lever][2] if lever in CHANNELS else {}
    jobs = {"industry.smart_manufacturing.jobs": 3000} if lever == "industry.park_concentration" else {}
    set_to = {"three_rights.exit_market": 1.0} | others | jobs | {lever: BOOK.levers[lever].bounds[1]}
    inputs = tiny_inputs({"policy.reclassified_persons_yr": 0.0}, levers=set_to)  # else all villages join their seat
    simulation = Simulation.start(tiny_world(1500, inputs=inputs, seed=5), CHAIN_SECTORS)
    world, item, paid = simulation.world, {"three_rights.exit_price": "three_rights.exit"}.get(lever, lever), 0.0
    for _ in range(6 if lever == "three_rights.exit_price" else 3):
        simulation.step()
        paid += sum(float(np.abs(yuan).sum()) for (name, _, _), yuan in world.ledger.items() if name == item)
        paid += float(np.sum(world.measures.get(f"own.{item}", 0.0)))
    assert paid > 0


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("lever", ["incentives.government_share", "incentives.enterprise_share"])
def test_who_pays_for_services_moves_nobody(lever: str, value: float) -> None:
    """A lever that says only who pays leaves every person and household as they are, to the last bit."""
    one, other = "incentives.government_share", "incentives.enterprise_share"
    quo, changed = run({}), run({lever: value, (other if lever == one else one): 0.0})
    for before, after in ((quo.persons, changed.persons), (quo.households, changed.households)):
        assert all(np.array_equal(getattr(before, name), getattr(after, name)) for name in before.names)


def test_every_built_lever_is_tested() -> None:
    """No lever is built without a test of its channel."""
    built = {lever.id for lever in BOOK.levers.values() if lever.built}
    assert built - set(CHANNELS) == {"public_housing.provident_fund"}  # tested below


@pytest.mark.model
def test_a_larger_discount_lets_more_families_share_ownership() -> None:
    """The buyer's part of the price is what the discount leaves: more can buy for a tenth of it."""
    living = []
    for discount in (0.05, 0.9):
        simulation = prepare(
            "status_quo", sample=0.02, until=2022, overrides={"public_housing.shared_ownership_units": 10_000},
            parameters={"housing.shared_ownership_discount_share": discount},
        ).simulation  # fmt: skip
        for _ in range(2):
            simulation.step()
        living.append(int(simulation.world.occupied[:, Tenure.SHARED_OWNERSHIP].sum()))
    assert living[0] < living[1]


@pytest.mark.parametrize(
    ("tenure", "fact"),
    [
        (Tenure.PUBLIC_RENT, "housing.public_rent_discount_share"),
        (Tenure.AFFORDABLE_RENT, "housing.affordable_rent_discount_share"),
    ],
)
def test_who_lives_in_a_dwelling_let_below_market_pays_its_rent(tenure: Tenure, fact: str) -> None:
    """Tenants pay the market rent less the discount, however little newcomers may expect of relief."""
    world = run({}, years=1)
    at = offers.views(world)[2].at
    p = world.inputs.params("moving", MovingParams, year=world.year)
    for seat in seats(world):
        paid = rent_of(False, at[seat], tenure, 3.0, p)
        assert paid == pytest.approx(at[seat].rent_yuan * (1.0 - BOOK.value(fact)), rel=1e-12)


def test_tenants_on_the_market_get_what_governments_pay() -> None:
    """The subsidy of a month, twelve times, for the share that governments pay for, off the rent of every tenant."""
    for subsidy in (0.0, 100.0):
        world = run({"public_housing.rent_subsidy": subsidy}, years=1)
        at = offers.views(world)[2].at
        p = world.inputs.params("moving", MovingParams, year=world.year)
        relief = 12 * subsidy * BOOK.value("housing.subsidy_reach_share")
        assert world.memory["subsidy_reach_share"] == BOOK.value("housing.subsidy_reach_share")
        for seat in seats(world):
            paid = rent_of(False, at[seat], Tenure.MARKET_RENT, 3.0, p)
            assert paid == pytest.approx(at[seat].rent_yuan - relief, rel=1e-12)


def test_only_who_is_registered_elsewhere_needs_a_permit_to_be_trained() -> None:
    """With the gate shut, seekers of the county are trained and those registered elsewhere are not."""
    world = run({"residence_permit.training": 0.0, "employment.training_places": 50_000.0}, years=1)
    people, homes, before = world.persons, world.households, world.persons.skill.copy()
    here = world.person_place()
    seeks = (people.activity == Activity.SEEKING) & (here < world.geography.inside) & (before < 2)
    own = homes.home_place[people.household] // N_TIERS == here // N_TIERS
    placement.match(world, lambda: None)
    raised = world.persons.skill > before
    assert raised[seeks & own].any() and (seeks & ~own).sum() > 10 and not raised[seeks & ~own].any()


def test_the_provident_fund_lets_more_families_buy() -> None:
    """The fund lowers the price that counts for the down payment: nobody who could buy can no longer."""
    from migrasim.domains.moving.rules import can_buy

    p = tiny_inputs().params("moving", MovingParams)
    price = 400_000.0
    for savings in range(0, 200_000, 5_000):
        without, covered = (can_buy(savings, price * (1 - p.down_payment_share * s), p) for s in (0.0, 1.0))
        assert covered >= without
    assert can_buy(100_000, price * (1 - p.down_payment_share), p) and not can_buy(100_000, price, p)


def test_more_families_buy_where_the_provident_fund_covers_them() -> None:
    """From none to all covered, more whole families that move in a run take a dwelling of their own."""
    bought = []
    for covered in (0.0, 1.0):
        still = {"policy.reclassified_persons_yr": 0.0}  # else all villages join their seat
        inputs = tiny_inputs(still, levers={"public_housing.provident_fund": covered})
        simulation = Simulation.start(tiny_world(12_000, inputs=inputs, seed=6), CHAIN_SECTORS)
        homes = 0
        for _ in range(3):
            simulation.step()
            households = simulation.world.households
            moved = (households.since_year == simulation.world.year) & (households.away_place < 0)
            homes += int(np.count_nonzero(moved & (households.tenure == Tenure.PURCHASED)))
        bought.append(homes)
    assert bought[0] < bought[1]


@pytest.mark.parametrize(
    ("lever", "value"),
    [("industry.smart_manufacturing.jobs", {"East": 3000}), ("public_housing.public_rental_units", {"West": 200})],
)
def test_a_lever_of_one_county_stays_there(lever: str, value: dict[str, float]) -> None:
    """A lever set for one county changes no lever value of another."""
    inputs, quo = tiny_inputs(levers={lever: value}), tiny_inputs()
    county = list(inputs.county_names).index(next(iter(value)))
    for name in inputs.book.levers:
        changed = np.any(inputs.lever_path(name) != quo.lever_path(name), axis=0)
        assert not changed[1 - county]
        assert changed[county] == (name == lever)


def test_investment_that_is_shifted_is_neither_more_nor_less() -> None:
    """The spatial levers move dwellings, places and jobs between counties and leave their sums; a county's own stay."""
    own = {"industry.red_cattle.jobs": {"East": 300, "West": 100}}
    quo, shifted = (
        run({**own, **spatial}, years=1) for spatial in ({}, {"spatial.core_share": 0.6, "spatial.poles_share": 0.3})
    )
    for lever in ("public_housing.public_rental_units", "public_services.school_places"):
        assert shifted.levers[lever].sum() == pytest.approx(quo.levers[lever].sum(), rel=1e-12)
        assert shifted.levers[lever][0] > quo.levers[lever][0]
    for lever in ("industry.red_cattle.jobs", "public_housing.renovation_units"):
        assert np.array_equal(shifted.levers[lever], quo.levers[lever])


def test_workshops_take_farmers_and_nobody_else() -> None:
    """Jobs of village workshops go to farmers of working age who live there, no more than there are jobs."""
    world = Simulation.start(tiny_world(1500, inputs=tiny_inputs(), seed=5), CHAIN_SECTORS).world
    village = int(villages(world)[0])
    before, local = world.persons.activity.copy(), np.zeros(world.geography.places)
    local[village] = 7.0
    world.jobs[village, Sector.MANUFACTURING] = world.filled[village, Sector.MANUFACTURING] + 7.0
    chains.fill_workshops(world, world.units(local, Decision.TRAIN))
    changed = before != world.persons.activity
    assert changed.sum() == 7
    assert np.all(before[changed] == Activity.FARMER)
    assert np.all(world.persons.sector[changed] == Sector.MANUFACTURING)
    assert np.all(world.person_place()[changed] == village)
    assert (world.year - world.persons.birth_year[changed]).max() < 60
    assert np.array_equal(world.filled, world.count_filled())
