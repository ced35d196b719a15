"""Rules of births, deaths, schooling and families hold over the whole range of their inputs."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import fact_book

from migrasim.core.codes import Activity, Schooling, Sector, Sex, Skill
from migrasim.domains.demography import rules

P = fact_book().params("demography", rules.DemographyParams)
share = st.floats(0, 1)
age = st.integers(0, 110)
sex = st.sampled_from([int(Sex.MALE), int(Sex.FEMALE)])
year = st.integers(2000, 2060)
ageing = st.floats(1e-6, 1e-3)
rural = st.booleans()
schooling = st.integers(1, 6)


@given(st.floats(0, 20), st.floats(0, 20))
def test_rates_become_probabilities(a: float, b: float) -> None:
    """In 0..1 and rising; two years in a row leave what both leave."""
    low, high = sorted((a, b))
    assert 0.0 <= rules.yearly_prob(low) <= rules.yearly_prob(high) <= 1.0
    assert 1.0 - rules.yearly_prob(a + b) == pytest.approx((1.0 - rules.yearly_prob(a)) * (1.0 - rules.yearly_prob(b)))


@given(year, year)
def test_lives_grow_longer_and_women_live_longer(a: int, b: int) -> None:
    """Life expectancy never falls with the years, and lies higher for women by the gap."""
    early, late = sorted((a, b))
    assert rules.life_expectancy(early, Sex.MALE, P) <= rules.life_expectancy(late, Sex.MALE, P)
    gap = rules.life_expectancy(a, Sex.FEMALE, P) - rules.life_expectancy(a, Sex.MALE, P)
    assert gap == pytest.approx(P.life_expectancy_gap_yr)


@given(age, age, sex, ageing, ageing)
def test_death_comes_to_the_old(a: int, b: int, who: int, low: float, high: float) -> None:
    """Rates are above 0, probabilities in 0..1; a higher level of ageing never lowers either, nor does age past 50."""
    less, more = sorted((low, high))
    assert 0.0 < rules.death_rate(a, who, less, P) <= rules.death_rate(a, who, more, P)
    assert 0.0 <= rules.death_prob(a, who, less, P) <= rules.death_prob(a, who, more, P) <= 1.0
    younger, older = sorted((max(a, 50), max(b, 50)))
    assert rules.death_rate(younger, who, less, P) <= rules.death_rate(older, who, less, P)


@given(st.floats(60, 90), sex)
def test_the_level_of_ageing_gives_the_life_expectancy_asked_for(expectancy: float, who: int) -> None:
    """What is solved for is met, and longer lives need a lower level."""
    level = rules.ageing_level(expectancy, who, P)
    assert rules.expected_lifetime(who, level, P) == pytest.approx(expectancy, abs=0.05)
    assert rules.ageing_level(expectancy + 1.0, who, P) < level


@given(year)
def test_fertility_lies_between_its_dated_values(when: int) -> None:
    """Total fertility is the start value times a factor between the smallest and largest given."""
    factors = (P.fertility_factor_2010s, P.fertility_factor_2021, P.fertility_factor_2022, P.fertility_factor_2035)
    total = rules.total_fertility(when, P)
    assert P.total_fertility * min(factors) - 1e-9 <= total <= P.total_fertility * max(factors) + 1e-9


@given(age, st.floats(0, 3), rural)
def test_births_follow_fertility(years: int, total: float, village: bool) -> None:
    """Rate and probability are nothing outside the fertile ages, rise with fertility and stay below their bound."""
    rate, prob = rules.fertility_rate(years, total, P), rules.birth_prob(years, village, total, P)
    assert 0.0 <= prob <= P.birth_prob_max
    assert rules.fertility_rate(years, 2.0 * total, P) == pytest.approx(2.0 * rate)
    assert rules.birth_prob(years, village, 2.0 * total, P) >= prob
    if not P.fertile_from_yr <= years <= P.fertile_until_yr:
        assert rate == prob == 0.0
    assert rules.birth_prob_outside(years, total, P) <= rules.birth_prob(years, False, total, P)


@given(st.floats(1, 10))
def test_factors_of_the_sexes_in_the_core_city_have_the_mean_1(ratio: float) -> None:
    """Women are ``ratio`` times as many as men, and both together as many as the share says."""
    men, women = (rules.core_factor(who, P._replace(core_women_ratio=ratio)) for who in (Sex.MALE, Sex.FEMALE))
    assert men + women == pytest.approx(2.0) and women == pytest.approx(ratio * men)


@given(st.floats(0.5, 3))
def test_births_over_all_ages_sum_to_total_fertility(total: float) -> None:
    """A woman who lives through all ages at these rates bears that many children."""
    assert math.fsum(rules.fertility_rate(each, total, P) for each in range(121)) == pytest.approx(total, rel=0.02)


@given(age, age)
def test_more_women_live_in_couples_as_they_grow_older(a: int, b: int) -> None:
    """A share that rises with age up to its top."""
    younger, older = sorted((a, b))
    assert 0.0 <= rules.couple_share(younger, P) <= rules.couple_share(older, P) <= P.couple_share_top


@given(share)
def test_a_newborn_is_a_boy_or_a_girl(luck: float) -> None:
    """By the share of boys and nothing else."""
    assert (rules.newborn_sex(luck, P) == Sex.MALE) == (luck < P.male_birth_share)


@given(st.integers(0, 40), schooling, share, share)
def test_pupils_never_lose_schooling(years: int, level: int, ratio: float, luck: float) -> None:
    """Who goes on is at the same level or above; everybody leaves in the end; more places never end a schooling."""
    after = rules.schooling_of_pupil(years, level, ratio, luck, P)
    assert after == -1 or level <= after <= Schooling.BACHELOR
    assert after <= rules.schooling_of_pupil(years, level, 1.0, luck, P)
    assert rules.schooling_of_pupil(40, level, ratio, luck, P) == -1


@given(year, year)
def test_college_never_takes_fewer_later(a: int, b: int) -> None:
    """The share lies between that of 2010 and 1 and never falls with the years."""
    early, late = sorted((a, b))
    assert P.college_2010_ratio <= rules.college_ratio(early, P) <= rules.college_ratio(late, P) <= 1.0


@given(st.integers(0, 40), schooling, sex, share)
def test_students_live_where_a_school_of_their_level_stands(years: int, level: int, sex: int, luck: float) -> None:
    """Who enters vocational school or college leaves home; no college stands in a small seat, none far at 15."""
    where = rules.study_place(years, level, sex, luck, P)
    enters_senior = years == P.senior_age_yr and level == Schooling.SENIOR
    enters_college = years == P.college_age_yr and level >= Schooling.COLLEGE
    if not enters_senior and not enters_college:
        assert where == rules.STUDY_AT_HOME
    elif enters_senior:
        assert where != rules.STUDY_FAR
        assert (where == rules.STUDY_AT_HOME) == (luck >= P.vocational_share)
    else:
        assert where in (rules.STUDY_IN_CORE, rules.STUDY_NEAR, rules.STUDY_FAR)


@given(age, st.integers(0, 5))
def test_only_the_unmarried_of_some_ages_are_the_young(years: int, couple: int) -> None:
    """Nobody who is married, below the first age or past the last one."""
    young = rules.is_young(years, couple, P)
    assert young == (couple == 0 and P.independent_from_yr <= years < P.independent_until_yr)


@given(schooling, schooling)
def test_skill_rises_with_schooling(a: int, b: int) -> None:
    """More schooling never means less skill."""
    low, high = sorted((a, b))
    assert Skill.LOW <= rules.skill_of(low) <= rules.skill_of(high) <= Skill.HIGH


@given(age, age, sex, st.sampled_from(list(Activity)), st.sampled_from(list(Sector)))
def test_who_may_retire_may_later(a: int, b: int, who: int, activity: Activity, sector: Sector) -> None:
    """Age never takes retirement away; farmers do not retire before others."""
    younger, older = sorted((a, b))
    assert rules.retires(younger, who, int(activity), int(sector), P) <= rules.retires(
        older, who, int(activity), int(sector), P
    )
    assert rules.retires(a, who, int(Activity.FARMER), 0, P) <= rules.retires(a, who, int(Activity.SEEKING), 0, P)


@given(st.integers(15, 110), st.booleans())
def test_nobody_farms_without_land(years: int, land: bool) -> None:
    """After school or a job: the land, seeking, or rest, and the old rest."""
    after = rules.activity_after(years, land, P)
    assert after in (Activity.FARMER, Activity.SEEKING, Activity.RETIRED)
    assert land or after != Activity.FARMER
    assert years < P.farmer_retirement_age_yr or after == Activity.RETIRED


@given(age, sex, rural)
def test_marriage_has_its_ages(years: int, who: int, village: bool) -> None:
    """A probability, and none outside the bounds of age."""
    prob = rules.marriage_prob(years, who, village, P)
    assert 0.0 <= prob < 1.0
    low, high = (
        (P.marriage_from_women_yr, P.marriage_until_women_yr)
        if who == Sex.FEMALE
        else (P.marriage_from_men_yr, P.marriage_until_men_yr)
    )
    assert low <= years <= high or prob == 0.0


@given(rural, st.booleans())
def test_new_households_are_founded_by_chance(village: bool, siblings: bool) -> None:
    """Own households and divisions are probabilities; a brother's couple in the house never keeps one in it."""
    assert 0.0 <= rules.own_household_share(village, P) <= 1.0
    assert 0.0 <= rules.split_prob(siblings, P) < 1.0
    assert rules.split_prob(True, P) >= rules.split_prob(siblings, P)


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_savings_pay_the_first_payment(a: float, b: float) -> None:
    """Who can pay with less can pay with more."""
    low, high = sorted((a, b))
    assert rules.can_pay_down(low, P) <= rules.can_pay_down(high, P)


@given(share, share)
def test_arrivals_are_of_the_ages_given(a: float, b: float) -> None:
    """Ages lie between low and high and rise with luck."""
    low, high = sorted((a, b))
    assert P.arrival_age_low_yr - 1 <= rules.arrival_age(low, P) <= rules.arrival_age(high, P) <= P.arrival_age_high_yr


@given(share)
def test_arrivals_have_some_schooling(luck: float) -> None:
    """One of four levels, primary for the first share of luck."""
    level = rules.arrival_schooling(luck, P)
    assert level in (Schooling.PRIMARY, Schooling.JUNIOR, Schooling.SENIOR, Schooling.COLLEGE)
    assert (level == Schooling.PRIMARY) == (luck < P.arrival_primary_share)
