"""Permits, transfer of registration and the three rights."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rights_world import YEAR, by_key, facts, land_total_mu, rights_world

from migrasim.core.chance import Decision, stream, uniform
from migrasim.core.codes import N_TIERS, NOWHERE, Kind, Tier
from migrasim.core.rule import set_threads
from migrasim.domains.hukou import phase
from migrasim.domains.hukou.rules import HukouParams, has_permit, stay_months, transfer_prob, transfer_pull

P = HukouParams(**{name: facts("hukou")[name] for name in HukouParams._fields})
shares = st.floats(0, 1)
utils = st.floats(-20, 20)


@settings(deadline=None)
@given(utils, shares, st.floats(0, 24), shares)
def test_chance_of_transfer_is_bounded_and_falls_with_open_services_and_time(pull, opened, months, more):
    """The chance lies in [0, 1]; services by permit and slow paperwork never raise it."""
    chance = transfer_prob(pull, opened, months, P)
    assert 0.0 <= chance <= 1.0
    assert transfer_prob(pull, min(1.0, opened + more), months, P) <= chance
    assert transfer_prob(pull, opened, months + more, P) <= chance
    assert transfer_prob(pull + more, opened, months, P) >= chance


@settings(deadline=None)
@given(st.floats(0, 40), st.floats(0, 50), shares, shares, st.floats(0.01, 10))
def test_what_would_be_lost_pushes_and_what_is_there_pulls(years, land, homestead, collective, more):
    """More land at risk lowers the pull; years, a home, children and a job raise it."""
    pull = transfer_pull(years, 0.0, 0.0, 0.0, land, homestead, collective, P)
    assert transfer_pull(years, 0.0, 0.0, 0.0, land + more, homestead, collective, P) < pull
    assert transfer_pull(years + more, 0.0, 0.0, 0.0, land, homestead, collective, P) > pull
    for ties in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)):
        assert transfer_pull(years, *ties, land, homestead, collective, P) > pull


@settings(deadline=None)
@given(st.integers(0, 30), shares, st.floats(0, 36), shares, shares)
def test_take_up_and_short_waits_only_add_holders(years, luck, waiting, take_up, more):
    """Who holds a permit still holds it with more take-up or a shorter wait."""
    months = stay_months(years, luck)
    if has_permit(months, waiting, luck, take_up):
        assert has_permit(months, waiting, luck, min(1.0, take_up + more))
        assert has_permit(months, waiting * more, luck, take_up)


def test_permits_only_for_residents_of_towns_registered_elsewhere():
    """Every holder lives in a town or seat inside where it is not registered."""
    world = rights_world()
    phase.run(world)
    holders = world.households.permit == 1
    place = world.households.place[holders]
    assert holders.sum() > 100
    assert (place < world.geography.inside).all() and (place % N_TIERS != Tier.VILLAGE).all()
    assert (world.households.home_place[holders] != place).all()
    assert holders.sum() == world.measures["permit_households"].sum()


def test_the_month_of_arrival_says_nothing_of_the_school_gate():
    """Each has luck of its own: who has been there long enough for a permit passes the gate as often as who has not."""
    world = rights_world(rows=20000)
    homes = world.households
    homes.since_year[:] = YEAR
    phase.run(world)
    gate = stream(world.seed, Decision.PERMIT, 0)
    luck = np.array([uniform(gate, key, 1) for key in homes.key])
    held = homes.permit == 1
    assert 1000 < held.sum() < len(homes) - 1000
    assert abs(luck[held].mean() - luck[~held].mean()) < 0.03


def test_more_permits_add_holders_and_take_away_transfers():
    """Better permits raise coverage and lower transfers: the two indicators pull against each other."""
    base, better = (
        rights_world(rows=20000),
        rights_world({f"residence_permit.{name}": 1.0 for name in (*phase.SERVICES, "one_pass")}, rows=20000),
    )
    before = by_key(base, "home_place").copy()
    phase.run(base)
    phase.run(better)
    moved_base, moved_better = by_key(base, "home_place") != before, by_key(better, "home_place") != before
    assert not (moved_better & ~moved_base).any()
    assert moved_better.sum() < moved_base.sum()
    stays = ~moved_base
    assert (by_key(better, "permit")[stays] >= by_key(base, "permit")[stays]).all()
    assert by_key(better, "permit").sum() > by_key(base, "permit").sum()


@pytest.mark.parametrize(
    ("lever", "value"),
    [("hukou.openness", 0.3), ("hukou.transfer_months", 24.0), ("three_rights.contract_land_kept", 0.0)],
)
def test_obstacles_take_transfers_away_and_add_none(lever, value):
    """Limits, slow paperwork and land to be given up leave a subset of the transfers."""
    base, hard = rights_world(rows=20000), rights_world({lever: value}, rows=20000)
    before = by_key(base, "home_place").copy()
    phase.run(base)
    phase.run(hard)
    moved_base, moved_hard = by_key(base, "home_place") != before, by_key(hard, "home_place") != before
    assert not (moved_hard & ~moved_base).any()
    assert moved_hard.sum() < moved_base.sum()


def test_transfer_changes_address_and_permit_but_not_community():
    """Those who transfer are registered in town, hold no permit, and keep their home village."""
    world = rights_world(rows=20000)
    households = world.households
    before, community = households.home_place.copy(), households.community.copy()
    families = (households.kind == Kind.FAMILY) & (households.away_place != households.home_place)
    phase.run(world)
    moved = (households.home_place != before) & (households.home_place < world.geography.inside)
    assert 0 < moved.sum() == world.measures["transfers_households"].sum()
    assert families[moved].all()
    assert (households.home_place[moved] == households.place[moved]).all()
    assert (households.hukou_urban[moved] == 1).all() and (households.permit[moved] == 0).all()
    assert (households.community == community).all()
    assert world.measures["transfers_persons"].sum() == world.members[moved].sum()
    assert world.measures["transfers_rural_persons"].sum() <= world.measures["transfers_persons"].sum()


def test_raising_the_chance_of_keeping_never_loses_a_right_of_a_settler():
    """With the same settlers, a higher probability leaves every right that a lower one leaves."""
    kept = []
    for prob in (0.3, 0.6, 1.0):
        world = rights_world(
            {f"three_rights.{right}": prob for right in phase.RIGHTS},
            {
                f"hukou.{name}": 0.0
                for name in ("land_lost_utility_mu", "homestead_lost_utility", "collective_lost_utility")
            },
            rows=20000,
        )
        phase.run(world)
        kept.append([by_key(world, name) for name in ("land_mu", "has_homestead", "has_collective_share")])
    for low, high in itertools.pairwise(kept):
        for few, many in zip(low, high, strict=True):
            assert (many >= few).all() and many.sum() > few.sum()


def test_rights_that_must_be_given_up_go_to_the_village():
    """With nothing kept, all settlers lose their land to the pool of their village; no land vanishes."""
    world = rights_world({"three_rights.contract_land_kept": 0.0}, rows=20000)
    before, total, land = world.households.home_place.copy(), land_total_mu(world), world.households.land_mu.copy()
    phase.run(world)
    outside = (world.households.home_place != before) & (world.households.home_place >= world.geography.inside)
    moved = (world.households.home_place != before) & (world.households.community < world.geography.villages)
    assert moved.any() and (world.households.land_mu[moved] == 0).all()
    assert land_total_mu(world) == total
    assert world.village_pool_mu.sum() == pytest.approx(
        world.measures["land_lost_mu"].sum() + land[outside].sum(dtype=np.float64)
    )


def test_order_of_rows_changes_nothing():
    """Shuffled households get the same permits, addresses, land and pools, to the last bit."""
    plain, mixed = rights_world(), rights_world(shuffle=3)
    phase.run(plain)
    phase.run(mixed)
    for column in ("permit", "home_place", "hukou_urban", "land_mu", "has_homestead"):
        np.testing.assert_array_equal(by_key(plain, column), by_key(mixed, column))
    np.testing.assert_array_equal(plain.village_pool_mu, mixed.village_pool_mu)
    for name, values in plain.measures.items():
        np.testing.assert_array_equal(values, mixed.measures[name])


def test_nobody_transfers_whose_family_is_still_at_the_registered_address():
    """A family with members at its registered address keeps its registration."""
    world = rights_world(rows=20000)
    households = world.households
    half = (households.away_place == households.home_place) & (households.away_place != NOWHERE)
    before = households.home_place.copy()
    phase.run(world)
    assert half.any() and (households.home_place[half] == before[half]).all()
    assert world.year == YEAR


def test_number_of_threads_changes_nothing():
    """One thread and all of them give the same permits, addresses and land."""
    results = []
    for threads in (1, 64):
        set_threads(threads)
        world = rights_world()
        phase.run(world)
        results.append([getattr(world.households, name).copy() for name in ("permit", "home_place", "land_mu")])
    for one, many in zip(*results, strict=True):
        np.testing.assert_array_equal(one, many)


def test_families_settled_outside_take_their_registration_along():
    """Only those wholly outside for long enough, in the share of the rate; their land goes to the village."""
    world = rights_world(rows=20000)
    homes, inside = world.households, world.geography.inside
    outside = (homes.home_place < inside) & (homes.place >= inside) & (homes.away_place < 0)
    settled = outside & (world.year - homes.since_year >= P.outside_settled_years)
    land, home = land_total_mu(world), homes.home_place.copy()
    phase.run(world)
    left = (home < inside) & (homes.home_place >= inside)
    assert settled.any()
    assert not (left & ~settled).any()
    expected = settled.sum() * (1.0 - np.exp(-P.outside_transfer_rate_yr))
    assert abs(left.sum() - expected) < 4.0 * np.sqrt(expected) + 1.0
    assert (homes.home_place[left] == homes.place[left]).all()
    assert not homes.land_mu[left].any() and not homes.has_homestead[left].any()
    assert land_total_mu(world) == pytest.approx(land)
    assert world.measures["outside_transfers_persons"].sum() == world.members[left].sum()
