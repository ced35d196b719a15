"""Relocation out of danger zones: families of villages are given homes in their town or seat."""

from __future__ import annotations

import numpy as np
from worlds import fact_book, tiny_inputs, tiny_world

from migrasim.core.codes import N_TIERS, Purse, Tenure, Tier
from migrasim.indicators import decompose
from migrasim.order import Simulation
from migrasim.scenario import Scenario

CHAIN_SECTORS = [2, 3, 1, 1, 3, 3, 3, 8, 14]


def run(years: int = 2, households_yr: float = 100.0, **options) -> Simulation:
    parameters = {"policy.relocated_households_yr": households_yr, "policy.reclassified_persons_yr": 0.0}
    simulation = Simulation.start(tiny_world(1500, inputs=tiny_inputs(parameters, **options)), CHAIN_SECTORS)
    for _ in range(years):
        simulation.step()
    return simulation


def test_families_move_within_their_county_and_nobody_is_lost() -> None:
    """What towns and seats gain their county's villages lose; the laws of the year hold (checks.py raises)."""
    simulation = run()
    relocated = simulation.world.flows.relocated
    inside = simulation.world.geography.inside
    by_county = relocated[:inside].reshape(-1, N_TIERS)
    assert (by_county.sum(axis=1) == 0).all()
    assert (by_county[:, Tier.VILLAGE] < 0).all()
    assert (relocated[inside:] == 0).all()
    assert (
        simulation.world.measures["relocated_households"].sum() == 28
    )  # 100 x 0.292 in whole families of each county; the rest waits


def test_they_own_the_home_that_was_built_for_them() -> None:
    """Every family gets one dwelling more in the stock, and the grant is paid by higher governments."""
    with_it, without = run(), run(households_yr=0.0)
    grant = with_it.world.ledger[("relocation.grant", int(Purse.HIGHER), int(Purse.ENTERPRISE))]
    assert grant.sum() == 28 * 100_000
    assert not any(item.startswith("relocation") for item, *_ in without.world.ledger)
    bought = with_it.world.count_occupied()[:, Tenure.PURCHASED].sum()
    assert bought > without.world.count_occupied()[:, Tenure.PURCHASED].sum()


def test_it_stands_apart_in_the_decomposition() -> None:
    """The change of the rate has a part of its own for it, and no lever's cost contains it."""
    simulation = run()
    record, world = simulation.history[-1], simulation.world
    points = decompose(
        record.flows, record.before, record.after, [np.arange(world.geography.inside)], world.geography.urban,
        world.geography.inside,
    )  # fmt: skip
    assert points["relocation"][0] > 0.0
    assert "cost.relocation_yuan" not in world.measures


def test_the_switch_leaves_it_out() -> None:
    """Without it nobody is relocated; before its first year nobody is either."""
    from types import SimpleNamespace

    from migrasim.inputs import Inputs

    region = SimpleNamespace(
        county_names=["East", "West"], split_weights=np.array([3.0, 1.0]), chain_weights={},
        cpi=dict.fromkeys(range(2000, 2036), 2.0),
    )  # fmt: skip
    book = fact_book()
    quiet = Inputs.build(book, region, Scenario.from_mapping({"name": "t"}, book), alternatives=["relocation"])
    simulation = Simulation.start(tiny_world(400, inputs=quiet), CHAIN_SECTORS)
    for _ in range(2):
        simulation.step()
    assert not simulation.world.flows.relocated.any()
    assert not run(years=1).world.flows.relocated.any()


def test_it_is_the_same_in_every_scenario() -> None:
    """Levers change neither how many are relocated nor, as long as they live at home, who."""
    plain, other = run(), run(levers={"residence_permit.education": 1.0, "industry.red_cattle.jobs": 2000})
    count = [each.world.measures["relocated_households"].sum() for each in (plain, other)]
    assert count[0] == count[1]
