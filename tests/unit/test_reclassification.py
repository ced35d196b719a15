"""Villages that become part of their county's seat while nobody moves."""

from __future__ import annotations

import numpy as np
from worlds import tiny_inputs, tiny_world

from migrasim.core.codes import N_TIERS, Tier
from migrasim.domains.policy import phase
from migrasim.order import Simulation
from migrasim.world import World

CHAIN_SECTORS = [2, 3, 1, 1, 3, 3, 3, 8, 14]


def started(persons_yr: float) -> World:
    """A world in its first year, before its policy is carried out."""
    parameters = {"policy.reclassified_persons_yr": persons_yr, "policy.relocated_households_yr": 0.0}
    world = Simulation.start(tiny_world(1500, inputs=tiny_inputs(parameters)), CHAIN_SECTORS).world
    world.year += 1
    return world


def test_people_of_a_village_become_people_of_the_seat() -> None:
    """Addresses, homes and houses of the villages nearest to a seat become the seat's; towns gain nobody."""
    world = started(1500.0)
    homes = world.households
    before, lived_in, standing = world.residents(), world.count_occupied(), world.stock.copy()
    whose, address = homes.community.copy(), homes.home_place.copy()
    phase._reclassify(world)
    joined = np.flatnonzero(world.villages.urban_since_year == world.year)
    assert len(joined)
    for county in np.unique(world.villages.county[joined]):
        own = np.flatnonzero(world.villages.county == county)
        away = world.villages.travel_seat_min[own]
        chosen = np.isin(own, joined)
        assert away[chosen].max() <= away[~chosen].min()
    theirs = np.isin(whose, joined) & (address % N_TIERS == Tier.VILLAGE)
    assert theirs.any()
    assert (homes.home_place[theirs] == address[theirs] - Tier.VILLAGE + Tier.SEAT).all()
    assert (homes.home_place[~theirs] == address[~theirs]).all() and (homes.hukou_urban[theirs] == 1).all()
    gained = (world.residents() - before)[: world.geography.inside].reshape(-1, N_TIERS)
    assert (gained[:, Tier.TOWN] == 0).all() and (gained.sum(axis=1) == 0).all() and gained[:, Tier.SEAT].sum() > 0
    assert (world.flows.reclassified[: world.geography.inside].reshape(-1, N_TIERS)[:, Tier.SEAT] == gained[:, 2]).all()
    seats = np.arange(Tier.SEAT, world.geography.inside, N_TIERS)
    built = (world.stock - standing)[seats]
    assert np.allclose(built, (world.count_occupied() - lived_in)[seats] * world.weight)


def test_no_village_joins_before_it_is_due() -> None:
    """Fewer people a year than the smallest village has take in none, and none a year takes in none."""
    for persons_yr in (0.0, 1.0):
        world = started(persons_yr)
        phase._reclassify(world)
        assert (world.villages.urban_since_year == 0).all()
