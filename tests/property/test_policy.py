"""Rules of policy hold over the whole range of their inputs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrasim.domains.policy import rules

share = st.floats(0, 1)
count = st.floats(0, 1e6)


@given(count, st.floats(0, 40), share)
def test_reclassified_people_add_up_over_counties(persons: float, years: float, part: float) -> None:
    """What two counties get together is what the whole gets, and it grows with the years."""
    whole = rules.reclassified_by(persons, years, 1.0)
    parts = rules.reclassified_by(persons, years, part) + rules.reclassified_by(persons, years, 1.0 - part)
    assert parts == pytest.approx(whole)
    assert rules.reclassified_by(persons, years + 1.0, part) >= rules.reclassified_by(persons, years, part) >= 0.0


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
