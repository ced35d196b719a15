"""Rules of considering and choosing hold over the whole range of their inputs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import fact_book

from migrasim.core.codes import Activity, Form, Nest
from migrasim.core.rule import record
from migrasim.domains.moving import rules
from migrasim.domains.moving.considering import bounds, by_age
from migrasim.domains.moving.household import is_adult

MOVING = fact_book().params("moving", rules.MovingParams)

share = st.floats(0, 1)
yuan = st.floats(0, 1e6)
above = st.floats(-1, 1)
some = st.integers(0, 6)
years = st.integers(0, 60)


@given(yuan, yuan, st.integers(1, 12))
def test_more_income_is_never_worse(less: float, more: float, members: int) -> None:
    """Utility of income rises with income."""
    low, high = sorted((less, more))
    assert rules.income_term(low, members, np.log(members), MOVING) <= rules.income_term(
        high, members, np.log(members), MOVING
    )


@given(st.floats(0, 3000), st.floats(0, 3000))
def test_farther_is_never_better(a: float, b: float) -> None:
    """The distance term falls with travel time and is never positive."""
    near, far = sorted((a, b))
    assert rules.distance_term(far, MOVING) <= rules.distance_term(near, MOVING) <= 0.0


@given(st.integers(0, 110), st.booleans(), st.booleans(), st.booleans(), st.booleans(), share, st.booleans(), share)
def test_considering_is_a_probability_and_events_raise_it(
    age: int, school: bool, youth: bool, seeking: bool, wed: bool, peers: float, away: bool, news: float
) -> None:
    """Chances of considering lie in 0..1; a life event or news never lowers them."""
    prob = rules.consider_prob(age, school, youth, seeking, wed, peers, away, news, MOVING)
    assert 0.0 <= prob <= 1.0
    for event in range(1, 5):
        given = [age, school, youth, seeking, wed, peers, away, news]
        given[event] = True
        assert rules.consider_prob(*given, MOVING) >= prob - 1e-12
    assert rules.consider_prob(age, school, youth, seeking, wed, peers, away, 1.0, MOVING) >= prob - 1e-12


@given(st.lists(st.integers(0, 119), min_size=1, max_size=6), st.integers(0, 15), share, share, share)
def test_nobody_is_passed_over_who_considers(
    ages: list[int], events: int, peers: float, others: float, news: float
) -> None:
    """The chance of whoever may be the likeliest mover of a household lies within what is asked at first."""
    least, most = bounds(np.array([peers, others]), np.array([[news, 0.0]]), record(MOVING))
    _, rank = by_age(most, record(MOVING))
    event, youth, seeking, away = (events & bit > 0 for bit in (1, 2, 4, 8))
    asked = max(rank[1, age] for age in ages) & 0xFF
    for age in [age for age in ages if is_adult(age, Activity.WORKER)] or ages:
        prob = rules.consider_prob(age, event, youth, seeking, False, peers, away, news, MOVING)
        assert least[age, events] < prob < most[asked, events]


@given(st.floats(0, 100), share, share)
def test_more_secure_land_is_never_worse(land: float, a: float, b: float) -> None:
    """The land term rises with the share that is kept and is never positive."""
    low, high = sorted((a, b))
    assert rules.land_term(land, low, False, MOVING) <= rules.land_term(land, high, False, MOVING) <= 0.0


@given(st.integers(0, 110), st.integers(0, 110))
def test_the_age_profile_is_positive_and_falls_with_old_age(a: int, b: int) -> None:
    """A rate above 0 at every age; from thirty on the older never move more."""
    assert min(rules.rogers_castro(a, MOVING), rules.rogers_castro(b, MOVING)) > 0.0
    young, old = sorted((max(a, 30), max(b, 30)))
    assert rules.rogers_castro(old, MOVING) <= rules.rogers_castro(young, MOVING) + 1e-12


@given(st.floats(-1e4, 1e4), st.floats(0, 1e4), st.floats(1, 5))
def test_news_is_as_loud_as_the_step_of_a_lever(change: float, way: float, times: float) -> None:
    """A share; the direction does not count, and a longer step is never quieter."""
    news = rules.news_share(change, way)
    assert 0.0 <= news <= 1.0
    assert rules.news_share(-change, way) == news
    assert rules.news_share(times * change, way) >= news


@given(share, share)
def test_more_people_from_home_pull_more(a: float, b: float) -> None:
    """The network term rises from nothing with the share who live there."""
    low, high = sorted((a, b))
    assert 0.0 == rules.network_term(0.0, MOVING) <= rules.network_term(low, MOVING) <= rules.network_term(high, MOVING)


@given(st.integers(0, 16), st.integers(0, 16), st.booleans(), st.booleans())
def test_schooling_draws_out_of_villages(a: int, b: int, leaves: bool, young: bool) -> None:
    """More schooling never makes leaving a village less worth; elsewhere it does not count."""
    low, high = sorted((a, b))
    assert rules.schooling_term(high, leaves, young, MOVING) >= rules.schooling_term(low, leaves, young, MOVING)
    assert rules.schooling_term(high, False, young, MOVING) == rules.schooling_term(low, False, young, MOVING)


@given(some, share, share)
def test_services_count_for_those_who_need_them(members: int, a: float, b: float) -> None:
    """Better schools, clinics and security are never worse, and nothing to families without children or elders."""
    low, high = sorted((a, b))
    for better, worse, nobody in (
        (
            rules.school_term(members, high, MOVING),
            rules.school_term(members, low, MOVING),
            rules.school_term(0, high, MOVING),
        ),
        (
            rules.health_term(members, high, MOVING),
            rules.health_term(members, low, MOVING),
            rules.health_term(0, high, MOVING),
        ),
        (
            rules.security_term(members, high, MOVING),
            rules.security_term(members, low, MOVING),
            rules.security_term(0, high, MOVING),
        ),
    ):
        assert better >= worse >= nobody == 0.0


@given(share, share)
def test_a_barrier_only_keeps_out_who_is_not_registered(a: float, b: float) -> None:
    """A higher barrier is never better, and none for the registered."""
    low, high = sorted((a, b))
    assert rules.barrier_term(high, False, MOVING) <= rules.barrier_term(low, False, MOVING) <= 0.0
    assert rules.barrier_term(high, True, MOVING) == 0.0


@given(some, some, some)
def test_living_apart_costs_by_each_who_is_left(spouses: int, children: int, elders: int) -> None:
    """Each more spouse, child or elder apart costs, and in proportion."""
    cost = rules.family_term(spouses, children, elders, MOVING)
    assert cost <= 0.0
    assert rules.family_term(spouses + 1, children + 1, elders + 1, MOVING) <= cost
    assert rules.family_term(2 * spouses, 2 * children, 2 * elders, MOVING) == pytest.approx(2 * cost)


@given(st.sampled_from([Nest.INSIDE, Nest.OUTSIDE]), st.booleans(), st.integers(1, 12), st.integers(0, 6))
def test_moving_more_members_costs_no_less(nest: Nest, far: bool, movers: int, more: int) -> None:
    """Each further member adds to the cost, wherever they go.

    That far is dearer than near is no property: the value that meets the flows makes far cheaper (docs/limits.md).
    """
    assert rules.cost_term(nest, far, movers + more, MOVING) <= rules.cost_term(nest, far, movers, MOVING)


@given(yuan, yuan, yuan, st.integers(1, 12))
def test_relief_lowers_what_housing_costs(rent: float, a: float, b: float, persons: int) -> None:
    """Never negative, never above the rent, and more relief never costs more."""
    low, high = sorted((a, b))
    cost = rules.housing_cost_yuan(rent, low, persons, MOVING)
    assert 0.0 <= rules.housing_cost_yuan(rent, high, persons, MOVING) <= cost <= rent


@given(above, above, above)
def test_integration_and_community_work_ease(a: float, b: float, community: float) -> None:
    """Rising with both, nothing at the status quo."""
    low, high = sorted((a, b))
    assert rules.social_ease(low, community, MOVING) <= rules.social_ease(high, community, MOVING)
    assert rules.social_ease(community, low, MOVING) <= rules.social_ease(community, high, MOVING)
    assert rules.social_ease(0.0, 0.0, MOVING) == 0.0


@given(share, st.floats(-3, 3))
def test_ease_counts_for_the_unregistered_only(unregistered: float, ease: float) -> None:
    """In proportion to the unregistered share of the household."""
    assert rules.social_term(0.0, ease) == 0.0
    assert abs(rules.social_term(unregistered, ease)) <= abs(rules.social_term(1.0, ease))


@given(above, above)
def test_integration_speeds_settling(a: float, b: float) -> None:
    """Never negative, rising, 1 at the status quo."""
    low, high = sorted((a, b))
    assert 0.0 <= rules.settling_speed(low, MOVING) <= rules.settling_speed(high, MOVING)
    assert rules.settling_speed(0.0, MOVING) == 1.0


@given(years, years, st.floats(0, 3))
def test_roots_grow_with_years_up_to_a_bound(a: int, b: int, speed: float) -> None:
    """From nothing upwards, slower and slower, never above its fact."""
    low, high = sorted((a, b))
    assert 0.0 <= rules.settled_term(low, speed, MOVING) <= rules.settled_term(high, speed, MOVING)
    assert rules.settled_term(high, speed, MOVING) <= MOVING.settled_utility
    assert rules.settled_term(0, speed, MOVING) == 0.0


@given(share, share, share, share, st.floats(1.01, 3), st.floats(0.4, 0.99))
def test_groups_of_levers_replace_or_help_one_another(
    a: float, b: float, c: float, d: float, replacing: float, helping: float
) -> None:
    """1 for one group alone and without interplay; at most 1 above an exponent of 1, at least 1 below it."""
    factor = rules.interplay_factor
    assert factor(a, b, c, d, MOVING._replace(interplay_exponent=1.0)) == 1.0
    for exponent in (replacing, helping):
        assert factor(a, 0.0, 0.0, 0.0, MOVING._replace(interplay_exponent=exponent)) == 1.0
    assert factor(a, b, c, d, MOVING._replace(interplay_exponent=replacing)) <= 1.0 + 1e-9
    assert factor(a, b, c, d, MOVING._replace(interplay_exponent=helping)) >= 1.0 - 1e-9


@given(above, above)
def test_support_of_returnees_pulls_home(a: float, b: float) -> None:
    """Rising, and nothing at the status quo."""
    low, high = sorted((a, b))
    assert rules.return_gain(low, MOVING) <= rules.return_gain(high, MOVING)
    assert rules.return_gain(0.0, MOVING) == 0.0


@given(share, share, st.floats(0, 0.9))
def test_roads_and_the_cluster_shorten_ways(a: float, b: float, base: float) -> None:
    """Time saved never makes a way longer; at the status quo nothing changes."""
    low, high = sorted((a, b))
    assert 0.0 <= rules.travel_factor(high, base) <= rules.travel_factor(low, base)
    assert rules.travel_factor(base, base) == pytest.approx(1.0)
    for factor in (rules.rural_roads_factor, rules.cluster_factor):
        assert 0.0 <= factor(high, MOVING) <= factor(low, MOVING)
        assert factor(0.0, MOVING) == 1.0


@given(st.floats(-6, 6), st.floats(-6, 6))
def test_taste_is_symmetric(a: float, b: float) -> None:
    """In proportion to its draw, so that tastes of all households balance."""
    assert rules.taste(-a, MOVING) == -rules.taste(a, MOVING)
    assert rules.taste(a + b, MOVING) == pytest.approx(rules.taste(a, MOVING) + rules.taste(b, MOVING))


@given(st.floats(0, 20), st.floats(0, 20), st.floats(0, 20))
def test_hands_work_a_share_of_the_land(a: float, b: float, needed: float) -> None:
    """A share that rises with hands and ends at all the land."""
    few, many = sorted((a, b))
    assert 0.0 <= rules.farm_worked_share(few, needed) <= rules.farm_worked_share(many, needed) <= 1.0


@given(yuan, yuan, yuan)
def test_who_could_buy_with_less_can_buy_with_more(a: float, b: float, price: float) -> None:
    """More savings or a lower price never takes the home away."""
    low, high = sorted((a, b))
    assert rules.can_buy(low, price, MOVING) <= rules.can_buy(high, price, MOVING)
    assert rules.can_buy(low, price, MOVING) <= rules.can_buy(low, price / 2, MOVING)


@given(st.sampled_from(list(Form)))
def test_children_go_with_a_parent_or_everybody(form: Form) -> None:
    """Children of school age move in two forms only."""
    assert rules.takes_children(int(form)) == (form in (Form.SCHOOL, Form.WHOLE))
