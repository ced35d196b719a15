"""Rules of work and farm income hold over the whole range of their inputs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import fact_book

from migrasim.core.codes import Activity
from migrasim.domains.labour import rules

P = fact_book().params("labour", rules.LabourParams)
share = st.floats(0, 1)
count = st.floats(0, 1e6)
some = st.floats(1, 1e6)
above = st.floats(-1, 1)
mu = st.floats(0, 200)
times = st.floats(1, 5)


@given(count, count, count, some)
def test_the_chance_of_work_is_a_probability_that_rises_with_vacancies(
    vacancies: float, more: float, turnover: float, seekers: float
) -> None:
    """0 <= chance <= 1; more vacancies never lower it, more seekers never raise it."""
    chance = rules.work_chance(vacancies, turnover, seekers, P)
    assert 0.0 <= chance <= 1.0
    assert rules.work_chance(vacancies + more, turnover, seekers, P) >= chance
    assert rules.work_chance(vacancies, turnover, seekers + more, P) <= chance


@given(st.integers(0, 110), st.integers(0, 1), st.integers(0, 6), st.integers(0, 6))
def test_earning_factors_are_bounded(age: int, sex: int, schooling: int, activity: int) -> None:
    """Nobody earns more than one and a half times the wage of a place, or less than nothing."""
    assert 0.0 <= rules.earning_factor(age, sex, schooling, activity, P) <= 1.5
    assert rules.earning_factor(age, sex, schooling, int(Activity.RETIRED), P) == 0.0


@given(st.integers(16, 59), st.integers(0, 1), st.integers(0, 6), st.floats(16, 40), st.floats(40, 60))
def test_pay_is_full_between_its_two_ages(age: int, sex: int, schooling: int, prime: float, older: float) -> None:
    """Outside them the factor for the young and the older is the one difference, wherever the ages lie."""
    p = P._replace(pay_prime_age_yr=prime, pay_older_age_yr=older)
    full = rules.earning_factor(age, sex, schooling, int(Activity.WORKER), p._replace(older_pay_share=1.0))
    expected = full if prime <= age < older else full * p.older_pay_share
    assert rules.earning_factor(age, sex, schooling, int(Activity.WORKER), p) == pytest.approx(expected)


@given(some, some, st.floats(0.01, 10), times)
def test_wages_give_way(workers: float, jobs: float, ratio: float, more: float) -> None:
    """More workers for the same jobs never raise wages; only their ratio counts."""
    pressure = rules.wage_pressure(workers, jobs, ratio, P)
    assert rules.wage_pressure(workers * more, jobs, ratio, P) <= pressure * (1 + 1e-12)
    assert rules.wage_pressure(workers * more, jobs * more, ratio, P) == pytest.approx(pressure)
    assert rules.wage_pressure(workers, jobs, workers / jobs, P) == pytest.approx(1.0)


@given(st.floats(0.1, 10), st.floats(-0.05, 0.1), times)
def test_indices_grow_by_their_rate(index: float, rate: float, more: float) -> None:
    """In proportion to the index; the same without growth."""
    assert rules.growth_index(more * index, rate) == pytest.approx(more * rules.growth_index(index, rate))
    assert rules.growth_index(index, 0.0) == index


@given(st.integers(2000, 2020), st.integers(2000, 2035), st.floats(0, 0.1), st.floats(0, 0.1))
def test_jobs_grow_by_the_rate_of_their_decade(base: int, year: int, early: float, late: float) -> None:
    """1 in the base year, never fewer a year later; the years until 2020 and those after multiply."""
    assert rules.jobs_index(base, base, early, late) == 1.0
    assert rules.jobs_index(base, year, early, late) <= rules.jobs_index(base, year + 1, early, late)
    whole = rules.jobs_index(base, 2020, early, late) * rules.jobs_index(2020, year, early, late)
    if year >= 2020:
        assert rules.jobs_index(base, year, early, late) == pytest.approx(whole)


@given(st.integers(2000, 2020), st.integers(2000, 2035), st.floats(0.1, 5), st.floats(-1, 0))
def test_counties_with_few_jobs_catch_up_until_2020(base: int, year: int, ratio: float, elasticity: float) -> None:
    """1 in the base year and for the mean; above 1 where jobs are few, and no further after 2020."""
    factor = rules.convergence_factor(base, year, ratio, elasticity)
    assert rules.convergence_factor(base, base, ratio, elasticity) == 1.0
    assert rules.convergence_factor(base, year, 1.0, elasticity) == 1.0
    assert (factor >= 1.0) if ratio <= 1.0 else (factor <= 1.0)
    assert rules.convergence_factor(base, max(year, 2020), ratio, elasticity) == rules.convergence_factor(
        base, 2020, ratio, elasticity
    )


@given(mu, mu, mu)
def test_more_land_earns_and_asks_more(own: float, leased: float, more: float) -> None:
    """Farm income and hands needed rise with land, and own and leased land count alike."""
    for of_land in (rules.farm_full_yuan, rules.farmers_needed):
        assert of_land(own + more, leased, P) >= of_land(own, leased, P) >= 0.0
        assert of_land(own + more, leased, P) == pytest.approx(of_land(own, leased + more, P))


@given(st.floats(0, 20), st.floats(0, 20), st.floats(0, 20))
def test_farmers_work_no_more_land_than_there_is(a: float, b: float, needed: float) -> None:
    """A share that rises with farmers; all of it where there are enough."""
    few, many = sorted((a, b))
    assert 0.0 <= rules.worked_share(few, needed) <= rules.worked_share(many, needed) <= 1.0


@given(above, above)
def test_public_employment_services_match_better(a: float, b: float) -> None:
    """A probability that rises with matching."""
    low, high = sorted((a, b))
    assert 0.0 <= rules.match_chance(low, P) <= rules.match_chance(high, P) <= 1.0
    assert rules.match_chance(0.0, P) == P.match_prob


@given(share, share, st.floats(0, 0.99))
def test_pay_rises_with_rights(a: float, b: float, base: float) -> None:
    """Equal pay and control of arrears never lower newcomers' pay nor turn it negative; none at the status quo."""
    low, high = sorted((a, b))
    for factor in (rules.equal_pay_factor, rules.arrears_factor):
        assert 0.0 <= factor(low, base, P) <= factor(high, base, P) * (1 + 1e-12)
        assert factor(base, base, P) == pytest.approx(1.0)


@given(above, above, st.floats(0, 3))
def test_jobs_follow_their_lever(a: float, b: float, ratio: float) -> None:
    """Never negative, rising, 1 at the status quo."""
    low, high = sorted((a, b))
    assert 0.0 <= rules.jobs_factor(low, ratio) <= rules.jobs_factor(high, ratio)
    assert rules.jobs_factor(0.0, ratio) == 1.0


@given(st.floats(-5, 15), st.floats(-5, 15), st.floats(-5, 15))
def test_farm_incomes_grow_as_set(a: float, b: float, base: float) -> None:
    """Rising with the growth set, 1 where it is that of the status quo."""
    low, high = sorted((a, b))
    assert 0.0 < rules.farm_growth(low, base) <= rules.farm_growth(high, base)
    assert rules.farm_growth(base, base) == pytest.approx(1.0)


@given(above, above)
def test_larger_farms_need_fewer_hands(a: float, b: float) -> None:
    """A farmer works more land the more of it is in larger farms, always some."""
    low, high = sorted((a, b))
    assert 0.0 < rules.hands_factor(low, P) <= rules.hands_factor(high, P)
    assert rules.hands_factor(0.0, P) == 1.0
    assert rules.hands_factor(-1.0, P._replace(scale_farming_hands_ratio=5.0)) == P.hands_ratio_least


@given(above, above)
def test_roads_bring_work_to_villages(a: float, b: float) -> None:
    """A probability that rises with hardened roads."""
    low, high = sorted((a, b))
    assert 0.0 <= rules.village_work_chance(low, P) <= rules.village_work_chance(high, P) <= 1.0


@given(count, st.floats(0, 1e6), st.floats(0.5, 3), times)
def test_output_is_in_proportion_to_workers(workers: float, yuan: float, growth: float, more: float) -> None:
    """Twice the workers make twice the output."""
    output = rules.chain_output(workers, yuan, growth)
    assert output >= 0.0
    assert rules.chain_output(more * workers, yuan, growth) == pytest.approx(more * output)
