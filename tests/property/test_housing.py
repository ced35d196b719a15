"""Rules of dwellings and rents hold over the whole range of their inputs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import fact_book

from migrasim.domains.housing import rules

P = fact_book().params("housing", rules.HousingParams)
share = st.floats(0, 1)
yuan = st.floats(0, 1e6)
count = st.floats(0, 1e6)
filled = st.floats(0.01, 2)


@given(yuan, share, share, yuan, share)
def test_relief_is_never_more_than_the_rent(
    rent: float, public: float, affordable: float, money: float, reach: float
) -> None:
    """Expected relief lies between nothing and the rent."""
    relief = rules.expected_relief(rent, public, affordable, money, reach, P)
    assert 0.0 <= relief <= rent
    assert rules.expected_relief(rent, public, affordable, money + 10.0, reach, P) >= relief - 1e-9


@given(yuan, share, share)
def test_a_larger_discount_never_costs_more(rent: float, a: float, b: float) -> None:
    """A dwelling let below market costs between nothing and the market rent, and less at a larger discount."""
    low, high = sorted((a, b))
    assert 0.0 <= rules.let_below_market(rent, high) <= rules.let_below_market(rent, low) <= rent
    assert rules.let_below_market(rent, 0.0) == rent


@given(yuan, yuan, yuan)
def test_tenants_get_part_of_a_subsidy_that_is_no_larger_than_the_rent(rent: float, a: float, b: float) -> None:
    """A larger subsidy never means less relief; relief lies between nothing and the share reached of the rent."""
    low, high = sorted((a, b))
    assert (
        0.0 <= rules.tenant_relief(rent, low, P) <= rules.tenant_relief(rent, high, P) <= P.subsidy_reach_share * rent
    )
    assert rules.tenant_relief(rent, 0.0, P) == 0.0


@given(yuan, filled, filled, filled, st.floats(1, 5))
def test_rents_rise_with_occupancy(base: float, a: float, b: float, before: float, times: float) -> None:
    """Fuller dwellings never cost less; at the occupancy of the base year the rent is that of the base year."""
    low, high = sorted((a, b))
    assert 0.0 <= rules.market_rent(base, low, before, P) <= rules.market_rent(base, high, before, P) * (1 + 1e-12)
    assert rules.market_rent(base, before, before, P) == pytest.approx(base)
    assert rules.market_rent(times * base, low, before, P) == pytest.approx(
        times * rules.market_rent(base, low, before, P)
    )


@given(count, count, count, st.floats(0, 0.5), share, count)
def test_builders_follow_who_lives_there_and_who_was_refused(
    stock: float, occupied: float, unmet: float, vacant: float, speed: float, more: float
) -> None:
    """Never negative; more refused never means less building, more standing never more."""
    built = rules.completions(stock, occupied, unmet, vacant, speed, P)
    assert built >= 0.0
    assert rules.completions(stock, occupied, unmet + more, vacant, speed, P) >= built
    assert rules.completions(stock + more, occupied, unmet, vacant, speed, P) <= built


@given(yuan, yuan, st.integers(1, 12))
def test_the_poorer_of_two_is_eligible_if_the_richer_is(a: float, b: float, members: int) -> None:
    """Eligibility falls with income and rises with members."""
    low, high = sorted((a, b))
    assert rules.is_eligible(low, members, P) >= rules.is_eligible(high, members, P)
    assert rules.is_eligible(high, members + 1, P) >= rules.is_eligible(high, members, P)


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_land_used_better_carries_more_dwellings(a: float, b: float) -> None:
    """Rises with efficiency, 1 at the status quo, never negative."""
    low, high = sorted((a, b))
    assert 0.0 <= rules.building_factor(low, P) <= rules.building_factor(high, P)
    assert rules.building_factor(0.0, P) == 1.0


@given(st.floats(-1e6, 1e6), st.floats(0, 3), st.floats(1, 5))
def test_dwellings_on_quota_land(land: float, factor: float, times: float) -> None:
    """In proportion to the land, of its sign, and nothing without land."""
    built = rules.quota_dwellings(land, factor, P)
    assert rules.quota_dwellings(times * land, factor, P) == pytest.approx(times * built)
    assert built * land >= 0.0


@given(yuan, yuan, st.integers(1, 12), st.integers(0, 8), st.integers(0, 15))
def test_need_and_waiting_earn_points(a: float, b: float, members: int, dependents: int, waited: int) -> None:
    """Poorer, longer waiting and more children or elders never lower the place in the queue."""
    low, high = sorted((a, b))
    points = rules.queue_points(high, members, dependents, waited, P)
    assert rules.queue_points(low, members, dependents, waited, P) >= points
    assert rules.queue_points(high, members, dependents + 1, waited, P) >= points
    assert rules.queue_points(high, members, dependents, waited + 1, P) >= points
