"""Prospects of leavers, paid exit, and the land of the absent."""

from __future__ import annotations

import itertools
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rights_world import YEAR, by_key, facts, land_total_mu, rights_world

from migrasim.core.codes import N_TIERS, Purse
from migrasim.domains.land import phase
from migrasim.domains.land.rules import (
    LandParams,
    exit_income_yuan_yr_mu,
    exit_price_yuan,
    lend_share,
    security_share,
    sell_prob,
)

P = LandParams(**{name: facts("land")[name] for name in LandParams._fields})
Q = NormalDist().inv_cdf(P.exit_share)
shares = st.floats(0, 1)
OPEN = {"three_rights.exit_market": 1.0, "three_rights.exit_price": 27800.0}


def exit_world(fund_yuan=1e12, levers=None, **more):
    """A world with a market open to all and a fund of this many yuan a county."""
    world = rights_world({**OPEN, **(levers or {})}, {"land.exit_fund_share": 1.0}, **more)
    world.county.budget_yuan[:] = fund_yuan
    return world


@settings(deadline=None)
@given(shares, shares, shares)
def test_security_is_a_share_that_rises_with_titling(titling, base, more):
    """Security lies in [0, 1], is as assumed at the status quo and never falls with more titles."""
    security = security_share(titling, base, P)
    assert 0.0 <= security <= 1.0
    assert security_share(min(1.0, titling + more), base, P) >= security - 1e-12
    assert security_share(base, base, P) == P.tenure_security_share
    assert 0.0 <= lend_share(security, P) <= 1.0


@settings(deadline=None)
@given(st.floats(0, 60000), st.floats(1, 60000))
def test_supply_of_land_rises_with_price_through_the_surveyed_point(price, more):
    """One in ten sells at the surveyed price; a higher price never has fewer sellers; no price, no sale."""
    assert 0.0 <= sell_prob(price, Q, P) <= sell_prob(price + more, Q, P) <= 1.0
    assert sell_prob(P.exit_price_yuan_mu, Q, P) == pytest.approx(P.exit_share)
    assert sell_prob(0.0, Q, P) == 0.0


@settings(deadline=None)
@given(st.floats(0, 100), st.integers(0, 1), st.integers(0, 1), st.floats(0, 60000), shares, shares)
def test_price_is_homogeneous_and_exit_is_never_a_loss(land, homestead, share, price, chance, kept):
    """Twice the price per mu is twice the payment; the option of selling is never worth less than nothing."""
    one = exit_price_yuan(land, homestead, share, price, P)
    assert exit_price_yuan(land, homestead, share, 2 * price, P) == pytest.approx(2 * one)
    assert 0.0 <= exit_income_yuan_yr_mu(price, chance, kept, P) <= price


def test_titling_and_kept_rights_improve_prospects():
    """More titles or a surer right raise what a leaver may expect to keep."""
    worlds = [
        rights_world(levers)
        for levers in (
            {},
            {"three_rights.titling": 1.0},
            {"three_rights.titling": 1.0, "three_rights.contract_land_kept": 1.0},
        )
    ]
    for world in worlds:
        phase.prospects(world)
    kept = [world.county.land_kept_share[0] for world in worlds]
    assert kept == pytest.approx([0.9 * P.tenure_security_share, 0.9, 1.0])
    assert worlds[1].county.land_rent_yuan_yr_mu[0] > worlds[0].county.land_rent_yuan_yr_mu[0]
    assert worlds[0].county.exit_income_yuan_yr_mu[0] == 0.0


def test_a_tenth_of_those_away_sells_at_the_surveyed_price():
    """With money enough, the share of sellers is that of the survey, and they hold no right any more."""
    world = exit_world(rows=30000)
    households, land = world.households, world.households.land_mu.copy()
    phase.run(world)
    sold = households.land_mu < land
    village = N_TIERS * world.geography.community_county[households.community]
    away = (land > 0) & (households.place != village) & (households.away_place != village)
    away &= YEAR - households.since_year >= P.exit_years_yr
    assert not (sold & ~away).any()
    spread = np.sqrt(P.exit_share * (1 - P.exit_share) / away.sum())
    assert sold.sum() / away.sum() == pytest.approx(P.exit_share, abs=4 * spread)
    assert (households.has_homestead[sold] == 0).all() and (households.has_collective_share[sold] == 0).all()
    assert sold.sum() == world.measures["exit_households"].sum() == world.measures["exit_wanting_households"].sum()


def test_land_is_conserved_and_sellers_receive_what_buyers_pay():
    """Sold land lies in the pools; the ledger pays out the very yuan that savings gained."""
    world = exit_world(rows=20000, weight=10.0)
    total, savings = land_total_mu(world), world.households.savings_yuan.copy()
    phase.run(world)
    assert land_total_mu(world) == total
    assert world.village_pool_mu.sum() == pytest.approx(world.measures["land_sold_mu"].sum())
    gained = int((world.households.savings_yuan - savings).sum())
    paid = sum(int(yuan.sum()) for (_, _, payee), yuan in world.ledger.items() if payee == Purse.HOUSEHOLD)
    assert gained > 0 and paid == 10 * gained


def test_fund_is_never_overspent_and_more_money_only_adds_sellers():
    """A small fund serves the first in a keyed queue; a larger one serves them and more."""
    sold = []
    for fund in (0.0, 2e6, 5e6, 1e12):
        world = exit_world(fund, rows=20000)
        before = by_key(world, "land_mu")
        phase.run(world)
        spent = world.ledger[(phase.EXIT, int(Purse.COUNTY), int(Purse.HOUSEHOLD))]
        assert (spent <= fund + 1).all()
        sold.append(by_key(world, "land_mu") < before)
    assert sold[0].sum() == 0
    for few, many in itertools.pairwise(sold):
        assert not (few & ~many).any() and few.sum() < many.sum()


def test_land_of_the_absent_goes_to_stayers_or_lies_idle():
    """Lent and idle land is all the land nobody works; stayers take no more than they can."""
    world = rights_world(rows=20000)
    phase.run(world)
    measures, villages = world.measures, world.geography.villages
    leased = world.memory["leased_in_mu_per_farmer"]
    assert leased.shape == (world.geography.communities,)
    assert (leased[:villages] > 0).all() and (leased[villages:] == 0).all()
    assert leased.max() <= P.lend_capacity_mu_pers
    assert (measures["land_lent_free_mu"] <= measures["land_lent_mu"]).all()
    free = measures["land_lent_free_mu"].sum() / measures["land_lent_mu"].sum()
    assert free == pytest.approx(P.rent_free_share, abs=0.05)
    assert measures["idle_homesteads"].sum() > 0


def test_titling_brings_idle_land_to_stayers():
    """With more titles, more of the land of the absent is lent and less lies idle."""
    plain, titled = rights_world(rows=20000), rights_world({"three_rights.titling": 1.0}, rows=20000)
    phase.run(plain)
    phase.run(titled)
    both = [w.measures["land_lent_mu"] + w.measures["land_idle_mu"] for w in (plain, titled)]
    np.testing.assert_allclose(both[0], both[1])
    assert (titled.measures["land_lent_mu"] > plain.measures["land_lent_mu"]).all()


def test_people_of_a_village_that_became_a_town_are_not_absent():
    """Reclassification empties no village: those who live in its town count as at home."""
    world = exit_world(rows=20000)
    world.villages.urban_since_year[:] = YEAR - 1
    households = world.households
    at_home = (households.community < world.geography.villages) & (households.place == households.home_place)
    households.place[at_home] += 1
    households.home_place[at_home] += 1
    land = households.land_mu.copy()
    phase.run(world)
    assert at_home.any() and (households.land_mu[at_home] == land[at_home]).all()


def test_order_of_rows_changes_nothing():
    """Shuffled households sell, lend and earn the same, to the last bit, under a short fund too."""
    plain, mixed = exit_world(2e6), exit_world(2e6, shuffle=3)
    phase.run(plain)
    phase.run(mixed)
    for column in ("land_mu", "savings_yuan", "has_homestead"):
        np.testing.assert_array_equal(by_key(plain, column), by_key(mixed, column))
    np.testing.assert_array_equal(plain.village_pool_mu, mixed.village_pool_mu)
    np.testing.assert_array_equal(plain.memory["leased_in_mu_per_farmer"], mixed.memory["leased_in_mu_per_farmer"])
    for name, values in plain.measures.items():
        np.testing.assert_array_equal(values, mixed.measures[name])
