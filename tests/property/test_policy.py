"""Rules of policy hold over the whole range of their inputs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrasim.domains.policy import rules

share = st.floats(0, 1)
count = st.floats(0, 1e6)


@given(st.sampled_from([2010, 2020]), st.integers(0, 40), count, count, share)
def test_reclassified_people_add_up_over_counties(
    base: int, years: int, before: float, later: float, part: float
) -> None:
    """What two counties get together is what the whole gets; each year adds the pace of its decade."""

    def by(year: int, part: float) -> float:
        return float(rules.reclassified_by(base, year, before, later, part))

    year = base + years
    assert by(year, part) + by(year, 1.0 - part) == pytest.approx(by(year, 1.0))
    more = before if year < 2020 else later
    assert by(year + 1, 1.0) - by(year, 1.0) == pytest.approx(more, rel=1e-6, abs=1e-6)
    assert by(base, part) == 0.0


@given(st.floats(-1, 1e3), st.floats(0, 1e3, allow_subnormal=False))
def test_a_share_over_its_base(value: float, base: float) -> None:
    """Never negative; 1 at the base itself, and where the base is nothing."""
    assert rules.over(value, base) >= 0.0
    assert rules.over(base, base) == 1.0
    assert rules.over(value, 0.0) == 1.0


@given(count, share, share, share)
def test_relocated_families_are_a_part_of_the_programme(families: float, town: float, a: float, b: float) -> None:
    """No county gets more than the programme has; more of its people in villages never means fewer families."""
    low, high = sorted((a, b))
    few, many = (rules.relocated_to_towns(families, town, each) for each in (low, high))
    assert 0.0 <= few <= many <= families
