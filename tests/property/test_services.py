"""Rules of schools and health care hold over the whole range of their inputs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import fact_book

from migrasim.domains.services import rules

P = fact_book().params("services", rules.ServicesParams)
share = st.floats(0, 1)
count = st.floats(1, 1e6)
above = st.floats(-1, 1)


@given(share, share, st.floats(0, 120), share)
def test_permits_open_services(permit: float, held: float, months: float, more: float) -> None:
    """Access is a share that rises with what permits open and falls with the waiting time, to none after years."""
    access = rules.newcomer_access(permit, held, months, P)
    assert 0.0 <= access <= 1.0
    assert rules.newcomer_access(max(permit, more), held, months, P) >= access
    assert rules.newcomer_access(permit, held, months / 2, P) >= access
    if months >= P.newcomer_first_years_mo:
        assert access == 0.0


@given(share, count, count, count, st.floats(0.1, 10))
def test_crowding_only_lowers_quality(quality: float, room: float, users: float, more: float, times: float) -> None:
    """Quality after crowding is at most the quality, more users never raise it, and only the ratio counts."""
    crowded = rules.crowded_quality(quality, room, users, P)
    assert 0.0 <= crowded <= quality
    assert rules.crowded_quality(quality, room, users + more, P) <= crowded + 1e-12
    assert rules.crowded_quality(quality, times * room, times * users, P) == pytest.approx(crowded)


@given(share, share, share)
def test_a_county_takes_its_own_children(access: float, own: float, more: float) -> None:
    """At least what newcomers reach, a share, rising with both; all where all are taken."""
    reached = rules.own_county_access(access, own)
    assert access - 1e-12 <= reached <= 1.0 + 1e-12
    assert rules.own_county_access(max(access, more), own) >= reached - 1e-12
    assert rules.own_county_access(access, max(own, more)) >= reached - 1e-12
    assert rules.own_county_access(access, 1.0) == pytest.approx(1.0)


@given(share, share, share, share)
def test_tenants_gain_by_equal_rights(access: float, a: float, b: float, tenants: float) -> None:
    """Access lies between nothing and that of owners, and rises with the rights of tenants."""
    low, high = sorted((a, b))
    assert 0.0 <= rules.tenant_access(access, low, tenants) <= rules.tenant_access(access, high, tenants) <= access
    assert rules.tenant_access(access, 1.0, tenants) == pytest.approx(access)


@given(share, above, above)
def test_bills_settled_away_from_home(access: float, a: float, b: float) -> None:
    """A share that rises with settlement; the same at the status quo."""
    low, high = sorted((a, b))
    assert 0.0 <= rules.settled_outside(access, low, P) <= rules.settled_outside(access, high, P) <= 1.0
    assert rules.settled_outside(access, 0.0, P) == pytest.approx(access)


@given(st.floats(0, 1e9), st.floats(0.001, 1), st.one_of(st.just(0.0), st.floats(0.01, 1e6)), st.floats(1, 5))
def test_awards_buy_capacity(award: float, part: float, unit: float, times: float) -> None:
    """In proportion to the award; nothing where a unit has no price."""
    bought = rules.capacity_bought(award, part, unit)
    assert bought >= 0.0
    assert rules.capacity_bought(times * award, part, unit) == pytest.approx(times * bought)
    assert rules.capacity_bought(award, part, 0.0) == 0.0


@given(above, above, st.floats(0, 3))
def test_amenity_follows_its_index(a: float, b: float, utility: float) -> None:
    """Rises with the index, and is nothing at the status quo."""
    low, high = sorted((a, b))
    assert rules.amenity_gain(low, utility) <= rules.amenity_gain(high, utility)
    assert rules.amenity_gain(0.0, utility) == 0.0


@given(share, above, above, st.floats(0, 3))
def test_quality_follows_its_index(quality: float, a: float, b: float, ratio: float) -> None:
    """Rises with the index, never below nothing, and unchanged at the status quo."""
    low, high = sorted((a, b))
    assert 0.0 <= rules.improved_quality(quality, low, ratio) <= rules.improved_quality(quality, high, ratio)
    assert rules.improved_quality(quality, 0.0, ratio) == quality


@given(count, count, st.floats(1.01, 10), st.floats(0, 1.5))
def test_larger_seats_pull_more(residents: float, usual: float, times: float, weight: float) -> None:
    """A seat of the usual size gains nothing, a larger one more, and only the ratio of sizes counts."""
    p = P._replace(size_amenity_utility=weight)
    here = rules.size_amenity(residents, usual, p)
    assert rules.size_amenity(usual, usual, p) == 0.0
    assert rules.size_amenity(times * residents, usual, p) >= here
    assert rules.size_amenity(times * residents, times * usual, p) == pytest.approx(here, abs=1e-9)
