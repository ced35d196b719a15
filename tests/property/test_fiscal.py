"""Rules of public accounts hold over the whole range of their inputs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import fact_book

from migrasim.domains.fiscal import rules

P = fact_book().params("fiscal", rules.FiscalParams)
share = st.floats(0, 1)
yuan = st.floats(0, 1e10)
change = st.floats(-1e6, 1e6)


@given(yuan, share, st.floats(0, 15))
def test_budgets_of_counties_add_up(total: float, part: float, years: float) -> None:
    """Two counties together have what the whole has."""
    whole = rules.budget_yuan(total, 1.0, years, P)
    assert rules.budget_yuan(total, part, years, P) + rules.budget_yuan(total, 1.0 - part, years, P) == pytest.approx(
        whole
    )


@given(change, change, st.booleans())
def test_new_residents_never_save_money(since_base: float, this_year: float, once: bool) -> None:
    """The cost is never negative, and reads either those new since the base or those of the year, never both."""
    p = P._replace(citizenization_once=float(once))
    cost = rules.new_resident_cost_yuan(since_base, this_year, p)
    assert cost >= 0.0
    other = (since_base + 1e3, this_year) if once else (since_base, this_year + 1e3)
    assert rules.new_resident_cost_yuan(*other, p) == cost


@given(yuan, yuan, st.floats(-1e10, 1e10), yuan)
def test_counties_pay_a_share_of_what_is_wanted(wanted: float, saved: float, free: float, more: float) -> None:
    """A share between 0 and 1 that more free money never lowers and more wishes never raise."""
    paid = rules.paid_share(wanted, saved, free)
    assert 0.0 <= paid <= 1.0
    assert rules.paid_share(wanted, saved, free + more) >= paid
    assert rules.paid_share(wanted + more, saved, free) <= paid or wanted <= 0.0


@given(yuan, yuan, st.integers(1, 12), share)
def test_nobody_consumes_more_than_there_is(income: float, savings: float, members: int, part: float) -> None:
    """Consumption lies between nothing and income with savings, and more income never lowers it."""
    eaten = rules.consumption_yuan(income, savings, members, part, P)
    assert 0.0 <= eaten <= income + savings
    assert rules.consumption_yuan(income + 1e3, savings, members, part, P) >= eaten
