"""Rules of land hold over the whole range of their inputs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import fact_book

from migrasim.domains.land import rules

P = fact_book().params("land", rules.LandParams)
share = st.floats(0, 1)
yuan = st.floats(0, 1e5)
QUANTILE = -1.2815515655


@given(share, share, st.floats(0.01, 1))
def test_titles_make_land_safer(a: float, b: float, base: float) -> None:
    """Security is a share that rises with titling and stands at its fact at the status quo."""
    low, high = sorted((a, b))
    assert -1e-12 <= rules.security_share(low, base, P) <= rules.security_share(high, base, P) + 1e-12 <= 1.0 + 1e-9
    assert rules.security_share(base, base, P) == pytest.approx(P.tenure_security_share)


@given(share, share)
def test_safer_land_is_lent_rather_than_left(a: float, b: float) -> None:
    """The share lent out lies in 0..1 and rises with security."""
    low, high = sorted((a, b))
    assert 0.0 <= rules.lend_share(low, P) <= rules.lend_share(high, P) <= 1.0 + 1e-12


@given(st.floats(0, 100), st.booleans(), st.booleans(), yuan, st.floats(1, 5))
def test_the_price_of_all_rights(mu: float, homestead: bool, part: bool, price: float, times: float) -> None:
    """In proportion to the price of a mu; each right held adds and none takes away."""
    paid = rules.exit_price_yuan(mu, homestead, part, price, P)
    assert rules.exit_price_yuan(mu, homestead, part, times * price, P) == pytest.approx(times * paid)
    assert rules.exit_price_yuan(mu + 1.0, True, True, price, P) >= paid >= 0.0


@given(yuan, yuan)
def test_a_better_price_finds_more_sellers(a: float, b: float) -> None:
    """The share that sells is a probability that rises with the price; nobody gives land away."""
    low, high = sorted((a, b))
    assert 0.0 <= rules.sell_prob(low, QUANTILE, P) <= rules.sell_prob(high, QUANTILE, P) <= 1.0
    assert rules.sell_prob(0.0, QUANTILE, P) == 0.0


@given(yuan, yuan, share, share, share)
def test_the_worth_of_a_paid_exit(a: float, b: float, chance: float, kept: float, less: float) -> None:
    """Never negative; more with the price and the chance, less the safer the land is without a sale."""
    low, high = sorted((a, b))
    worth = rules.exit_income_yuan_yr_mu(low, chance, kept, P)
    assert 0.0 <= worth <= rules.exit_income_yuan_yr_mu(high, chance, kept, P)
    assert worth <= rules.exit_income_yuan_yr_mu(low, 1.0, kept, P)
    assert worth <= rules.exit_income_yuan_yr_mu(low, chance, kept * less, P)


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 3))
def test_larger_farms_raise_what_they_take(a: float, b: float, ratio: float) -> None:
    """1 at the status quo, rising with the share of larger farms, never negative."""
    low, high = sorted((a, b))
    assert 0.0 <= rules.scale_factor(low, ratio) <= rules.scale_factor(high, ratio)
    assert rules.scale_factor(0.0, ratio) == 1.0
