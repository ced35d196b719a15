"""Rules are monotone and bounded over the whole range of their inputs."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from worlds import fact_book

from migrasim.domains.housing import rules as housing
from migrasim.domains.labour import rules as labour
from migrasim.domains.moving import rules as moving
from migrasim.domains.services import rules as services

MOVING = fact_book().params("moving", moving.MovingParams)
LABOUR = fact_book().params("labour", labour.LabourParams)
HOUSING = fact_book().params("housing", housing.HousingParams)
SERVICES = fact_book().params("services", services.ServicesParams)

share = st.floats(0, 1)
yuan = st.floats(0, 1e6)
count = st.floats(0, 1e6)


@given(yuan, yuan, st.integers(1, 12))
def test_more_income_is_never_worse(less: float, more: float, members: int) -> None:
    """Utility of income rises with income."""
    low, high = sorted((less, more))
    assert moving.income_term(low, members, np.log(members), MOVING) <= moving.income_term(
        high, members, np.log(members), MOVING
    )


@given(st.floats(0, 3000), st.floats(0, 3000))
def test_farther_is_never_better(a: float, b: float) -> None:
    """The distance term falls with travel time and is never positive."""
    near, far = sorted((a, b))
    assert moving.distance_term(far, MOVING) <= moving.distance_term(near, MOVING) <= 0.0


@given(st.integers(0, 110), st.booleans(), st.booleans(), st.booleans(), st.booleans(), share, st.booleans(), share)
def test_considering_is_a_probability_and_events_raise_it(
    age: int, school: bool, youth: bool, seeking: bool, wed: bool, peers: float, away: bool, news: float
) -> None:
    """Chances of considering lie in 0..1; a life event or news never lowers them."""
    prob = moving.consider_prob(age, school, youth, seeking, wed, peers, away, news, MOVING)
    assert 0.0 <= prob <= 1.0
    for event in range(1, 5):
        given = [age, school, youth, seeking, wed, peers, away, news]
        given[event] = True
        assert moving.consider_prob(*given, MOVING) >= prob - 1e-12
    assert moving.consider_prob(age, school, youth, seeking, wed, peers, away, 1.0, MOVING) >= prob - 1e-12


@given(st.floats(0, 100), share, share)
def test_more_secure_land_is_never_worse(land: float, a: float, b: float) -> None:
    """The land term rises with the share that is kept and is never positive."""
    low, high = sorted((a, b))
    assert moving.land_term(land, low, False, MOVING) <= moving.land_term(land, high, False, MOVING) <= 0.0


@given(count, count, count, st.floats(1, 1e6))
def test_the_chance_of_work_is_a_probability_that_rises_with_vacancies(
    vacancies: float, more: float, turnover: float, seekers: float
) -> None:
    """0 <= chance <= 1; more vacancies never lower it, more seekers never raise it."""
    chance = labour.work_chance(vacancies, turnover, seekers, LABOUR)
    assert 0.0 <= chance <= 1.0
    assert labour.work_chance(vacancies + more, turnover, seekers, LABOUR) >= chance
    assert labour.work_chance(vacancies, turnover, seekers + more, LABOUR) <= chance


@given(st.integers(0, 110), st.integers(0, 1), st.integers(0, 6), st.integers(0, 6))
def test_earning_factors_are_bounded(age: int, sex: int, schooling: int, activity: int) -> None:
    """Nobody earns more than one and a half times the wage of a place, or less than nothing."""
    assert 0.0 <= labour.earning_factor(age, sex, schooling, activity, LABOUR) <= 1.5


@given(yuan, share, share, yuan, share)
def test_relief_is_never_more_than_the_rent(
    rent: float, public: float, affordable: float, money: float, reach: float
) -> None:
    """Expected relief lies between nothing and the rent."""
    relief = housing.expected_relief(rent, public, affordable, money, reach, HOUSING)
    assert 0.0 <= relief <= rent


@given(share, share, st.floats(0, 36), share)
def test_permits_open_services(permit: float, held: float, months: float, more: float) -> None:
    """Access is a share that rises with what permits open and falls with the waiting time."""
    access = services.newcomer_access(permit, held, months, SERVICES)
    assert 0.0 <= access <= 1.0
    assert services.newcomer_access(max(permit, more), held, months, SERVICES) >= access
    assert services.newcomer_access(permit, held, months / 2, SERVICES) >= access


@given(share, st.floats(1, 1e6), st.floats(1, 1e6), st.floats(1, 1e6))
def test_crowding_only_lowers_quality(quality: float, capacity: float, users: float, more: float) -> None:
    """Quality after crowding is at most the quality, and more users never raise it."""
    crowded = services.crowded_quality(quality, capacity, users, SERVICES)
    assert 0.0 <= crowded <= quality
    assert services.crowded_quality(quality, capacity, users + more, SERVICES) <= crowded + 1e-12
