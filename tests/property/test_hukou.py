"""Rules of permits, registration and rights hold over the whole range of their inputs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from worlds import fact_book

from migrasim.domains.hukou import rules

P = fact_book().params("hukou", rules.HukouParams)
share = st.floats(0, 1)
years = st.integers(0, 60)
months = st.floats(0, 48)
flag = st.booleans()


@given(years, share, share)
def test_months_grow_with_years(past: int, luck: float, other: float) -> None:
    """A year more is twelve months more, and luck moves no more than those twelve."""
    stay = rules.stay_months(past, luck)
    assert 0.0 <= stay <= rules.stay_months(past + 1, other)
    assert abs(rules.stay_months(past, other) - stay) <= 12.0


@given(months, months, months, share, share, share)
def test_permits_are_never_taken_away_by_better_rules(
    stay: float, wait: float, other: float, luck: float, a: float, b: float
) -> None:
    """With one luck, a shorter wait or a higher take-up keeps every holder."""
    (few, many), (short, long) = sorted((a, b)), sorted((wait, other))
    if rules.has_permit(stay, long, luck, few):
        assert rules.has_permit(stay, short, luck, many)
        assert stay >= long


@given(years, flag, flag, flag, st.floats(0, 50), share, share)
def test_what_pulls_and_what_holds(
    past: int, home: bool, child: bool, job: bool, land: float, homestead: float, part: float
) -> None:
    """Years, an own home, children and a steady job never lower the pull; rights to lose never raise it."""
    pull = rules.transfer_pull(past, home, child, job, land, homestead, part, P)
    assert rules.transfer_pull(past + 1, True, True, True, land, homestead, part, P) >= pull
    assert rules.transfer_pull(past, home, child, job, land + 1.0, 1.0, 1.0, P) <= pull
    assert rules.transfer_pull(past, home, child, job, 0.0, 0.0, 0.0, P) >= pull


@given(st.floats(-30, 30), st.floats(-30, 30), share, share, months)
def test_transfers_against_permits(a: float, b: float, opened: float, more: float, delay: float) -> None:
    """A probability that rises with the pull, and falls with what permits open already and with the time it takes."""
    low, high = sorted((a, b))
    few, many = sorted((opened, more))
    prob = rules.transfer_prob(low, few, delay, P)
    assert 0.0 <= prob <= 1.0
    assert rules.transfer_prob(high, few, delay, P) >= prob
    assert rules.transfer_prob(low, many, delay, P) <= prob
    assert rules.transfer_prob(low, few, delay + 1.0, P) <= prob


@given(share, share, share)
def test_a_right_that_is_kept_stays_kept(luck: float, a: float, b: float) -> None:
    """With one luck, a higher chance of keeping a right never takes it away; who surely keeps it does."""
    low, high = sorted((a, b))
    assert rules.keeps_right(luck, low) <= rules.keeps_right(luck, high)
    assert not rules.keeps_right(luck, 0.0)


@given(st.floats(0, 60), st.floats(0, 60), st.floats(0, 0.12), st.floats(0, 0.12))
def test_registration_goes_along_after_some_years(past: float, later: float, a: float, b: float) -> None:
    """A probability, nothing before a household counts as settled, rising with the rate and never falling with time."""
    (slow, fast), (early, late) = sorted((a, b)), sorted((past, later))
    few, many = (P._replace(outside_transfer_rate_yr=rate) for rate in (slow, fast))
    assert 0.0 <= rules.outside_transfer_prob(early, few) <= rules.outside_transfer_prob(late, few) < 1.0
    assert rules.outside_transfer_prob(late, few) <= rules.outside_transfer_prob(late, many)
    assert rules.outside_transfer_prob(min(early, P.outside_settled_years - 1), many) == 0.0
