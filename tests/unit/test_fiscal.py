"""Public accounts and savings of households."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rights_world import by_key, facts, rights_world

from migrasim.core.codes import Purse
from migrasim.domains.fiscal import phase
from migrasim.domains.fiscal.rules import FiscalParams, consumption_yuan, new_resident_cost_yuan, paid_share
from migrasim.domains.hukou import phase as hukou
from migrasim.domains.land import phase as land
from migrasim.survey import survey

P = FiscalParams(**{name: facts("fiscal")[name] for name in FiscalParams._fields})
yuan = st.floats(0, 1e10)
PLAN = {
    "residence_permit.education": 1.0,
    "residence_permit.healthcare": 1.0,
    "residence_permit.one_pass": 0.8,
    "public_housing.affordable_rental_units": 500.0,
    "public_housing.shared_ownership_units": 150.0,
    "public_housing.rent_subsidy": 300.0,
    "three_rights.titling": 0.95,
    "three_rights.exit_market": 0.4,
    "three_rights.exit_price": 27800.0,
    "industry.red_cattle.jobs": 3000.0,
}


def close(world):
    """Close the accounts of a world as the year does, by what is seen of everybody."""
    found = survey(world, np.zeros((len(world.households), 2), np.int64))
    phase.run(world, found.of("market_tenants"), found.of("workers_elsewhere"))


def closed(levers=None, growth=0, risen=False, **more):
    """A world whose year has been closed; ``growth`` urban residents more than at the base.

    ``risen``: all levers stood at their status quo last year.
    """
    world = rights_world(levers, **more)
    if risen:
        world.last_levers = {name: world.inputs.lever(name, world.inputs.base) for name in world.levers}
    phase.start(world)
    world.county.urban_residents_base[:] -= growth
    hukou.run(world)
    land.run(world)
    close(world)
    return world


@settings(deadline=None)
@given(st.floats(0, 1e6), st.floats(0, 1e7), st.integers(1, 9), st.floats(0.5, 1.0), st.floats(0, 1e5))
def test_consumption_is_bounded_by_what_there_is_and_rises_with_it(income, savings, members, share, more):
    """Nobody consumes less than nothing or more than income and savings; more income never lowers it."""
    spent = consumption_yuan(income, savings, members, share, P)
    assert 0.0 <= spent <= income + savings
    assert consumption_yuan(income + more, savings, members, share, P) >= spent


@settings(deadline=None)
@given(yuan, yuan, st.floats(-1e10, 1e10), yuan)
def test_share_paid_lies_between_none_and_all_and_rises_with_means(wanted, saved, free, more):
    """The share paid is a share, and more means never lower it."""
    paid = paid_share(wanted, saved, free)
    assert 0.0 <= paid <= 1.0
    assert paid_share(wanted, saved, free + more) >= paid


@given(st.floats(-1e5, 1e5), st.floats(-1e4, 1e4))
def test_cost_of_new_residents_is_by_the_year_or_once_and_never_both(since, this_year):
    """The code chooses one of the two figures; fewer residents cost nothing."""
    by_year = new_resident_cost_yuan(since, this_year, P._replace(citizenization_once=0.0))
    once = new_resident_cost_yuan(since, this_year, P._replace(citizenization_once=1.0))
    assert by_year == max(0.0, since) * P.service_cost_yuan_yr_pers
    assert once == max(0.0, this_year) * P.citizenization_cost_yuan


def test_levers_at_the_status_quo_cost_nothing():
    """The null policy pays for no lever: only budgets, awards at their rate and exits already usual."""
    world = closed()
    paid = {item for (item, _, _), each in world.ledger.items() if each.any()}
    assert paid <= {"budget.revenue", "budget.transfers", "budget.other_spending", phase.AWARD, land.EXIT}
    assert (world.county.unpaid_share == 0).all()


def test_every_payment_has_two_sides_and_counties_hold_no_money():
    """The purses sum to zero in every county, and what counties receive they spend."""
    world = closed(PLAN, growth=500)
    phase.update_savings(world, np.full((len(world.households), 2), 20000, np.int64))
    net = phase.balances(world)
    assert (net.sum(axis=0) == 0).all()
    assert (net[Purse.COUNTY] == 0).all()


def test_costs_are_those_of_units_above_the_status_quo():
    """Dwellings cost their unit price, shared between levels; buyers' and enterprises' parts stand apart."""
    world = closed({"public_housing.shared_ownership_units": 100.0, "industry.red_cattle.jobs": 10.0})
    lever = "public_housing.shared_ownership_units"
    county, higher = (world.ledger[(lever, int(who), int(Purse.ENTERPRISE))] for who in (Purse.COUNTY, Purse.HIGHER))
    np.testing.assert_allclose(county + higher, 100 * 99200)
    np.testing.assert_allclose(higher, 100 * 99200 * P.higher_share)
    np.testing.assert_allclose(world.measures["cost_by_payer_yuan"][Purse.HOUSEHOLD], 100 * 148800)
    # ten jobs were already there a year before: nothing was added this year
    assert ("industry.red_cattle.jobs", int(Purse.ENTERPRISE), int(Purse.ENTERPRISE)) not in world.ledger


def test_cost_by_group_adds_up_to_cost_by_payer():
    """Groups of levers and citizenization are all of what governments paid; awards are not counted twice."""
    world = closed(PLAN, growth=500)
    groups = [
        values for name, values in world.measures.items() if name.startswith("cost.") and "incentives" not in name
    ]
    assert len(groups) >= 4
    total = sum(groups)
    for purse in (Purse.COUNTY, Purse.HIGHER, Purse.ENTERPRISE):
        np.testing.assert_allclose(total[purse], world.measures["cost_by_payer_yuan"][purse])
    np.testing.assert_allclose(
        world.measures["public_cost_yuan"],
        world.measures["cost_by_payer_yuan"][[Purse.COUNTY, Purse.HIGHER]].sum(axis=0),
    )


def test_what_a_county_cannot_pay_is_reported_and_more_building_leaves_more_unpaid():
    """A programme beyond the budget leaves a share unpaid, which grows with the programme."""
    unpaid = [
        closed({"public_housing.affordable_rental_units": units}).county.unpaid_share.max()
        for units in (100.0, 10_000.0, 30_000.0)
    ]
    assert unpaid[0] == 0.0 < unpaid[1] < unpaid[2] < 1.0


def test_building_that_was_cut_is_paid_only_as_far_as_it_was_built():
    """With half unpaid last year, half of what is above the status quo is built and paid; usual building goes on."""
    world = rights_world({"public_housing.affordable_rental_units": 100.0, "public_services.school_places": 3040.0})
    phase.start(world)
    world.county.unpaid_share[:] = 0.5
    assert (world.built("public_housing.affordable_rental_units") == 50).all()
    assert (world.built("public_services.school_places") == 3020).all()
    assert (world.built("public_services.health_capacity") == 50).all()
    world.levers["public_services.school_places"][:] = 2000.0  # less than usual costs nothing
    assert (world.built("public_services.school_places") == 2000).all()
    close(world)
    lever = "public_housing.affordable_rental_units"
    paid = sum(each for (item, _, _), each in world.ledger.items() if item == lever)
    np.testing.assert_allclose(paid, 50 * 258000)


def test_new_residents_cost_services_shared_by_three():
    """A thousand more urban residents cost their services, in yuan of 2020, split as the levers say."""
    world = closed(growth=1000)
    cost = 1000 * P.service_cost_yuan_yr_pers * 1.025**8  # of 2012, with 2.5 percent a year since
    county = world.ledger[(phase.SERVICES, int(Purse.COUNTY), int(Purse.ENTERPRISE))]
    np.testing.assert_allclose(county, 0.45 * cost, rtol=1e-6)
    own = world.measures["cost_by_payer_yuan"][Purse.HOUSEHOLD]
    np.testing.assert_allclose(own, 0.35 * cost, rtol=1e-6)


def test_awards_follow_settlers_from_the_countryside():
    """Higher levels pay the award for each person whose registration became urban."""
    world = closed(rows=20000, weight=10.0)
    award = world.ledger[(phase.AWARD, int(Purse.HIGHER), int(Purse.COUNTY))]
    settlers = world.measures["transfers_rural_persons"]
    assert settlers.sum() > 0
    np.testing.assert_array_equal(award, settlers * 10 * 3000)


def test_savings_change_by_what_the_ledger_says():
    """Income less consumption, and exits, are the change of savings; none is ever negative."""
    world = rights_world(PLAN, {"land.exit_fund_share": 1.0}, rows=20000, weight=10.0)
    savings = world.households.savings_yuan.copy()
    phase.start(world)
    land.run(world)
    phase.update_savings(world, np.random.default_rng(1).integers(-2500, 45000, (len(savings), 2)))
    close(world)
    change = int((world.households.savings_yuan - savings).sum())
    assert int(phase.balances(world)[Purse.HOUSEHOLD].sum()) == 10 * change
    assert world.households.savings_yuan.min() >= 0


def test_order_of_rows_changes_nothing():
    """Shuffled households give the same accounts and savings, to the last bit."""
    plain, mixed = closed(PLAN), closed(PLAN, shuffle=3)
    for world in (plain, mixed):
        phase.update_savings(
            world, np.stack([world.households.savings_yuan // 2, np.full(len(world.households), 10000)], axis=1)
        )
    assert plain.ledger.keys() == mixed.ledger.keys()
    for key, each in plain.ledger.items():
        np.testing.assert_array_equal(each, mixed.ledger[key])
    np.testing.assert_array_equal(by_key(plain, "savings_yuan"), by_key(mixed, "savings_yuan"))


def test_bundle_reads_only_known_facts():
    """Every field of the bundle is a fact of the domain."""
    assert set(FiscalParams._fields) <= set(facts("fiscal"))
    with pytest.raises(TypeError):
        FiscalParams()


def test_works_are_paid_by_what_is_added_and_take_nothing_from_programmes():
    """The sponge-city programme costs once, by the index added; bonds pay the county, the state its roads."""
    quo, works = closed(), closed({"urban.resilient": 0.65, "transport.intercounty": 0.1}, risen=True)
    whole = sum(yuan.sum() for (item, _, _), yuan in works.ledger.items() if item == "urban.resilient")
    assert whole == pytest.approx(4_413_000_000 * 0.2 / P.sponge_programme_index, abs=5)
    payers = {
        payer for (item, payer, _), yuan in works.ledger.items() if item == "transport.intercounty" and yuan.any()
    }
    assert payers == {Purse.HIGHER}
    assert np.array_equal(works.county.unpaid_share, quo.county.unpaid_share)
    other = "budget.other_spending", int(Purse.COUNTY), int(Purse.ENTERPRISE)
    assert np.array_equal(works.ledger[other], quo.ledger[other])
    assert (works.measures["public_cost_yuan"] > quo.measures["public_cost_yuan"]).all()
    assert not phase.balances(works)[Purse.COUNTY].any()
