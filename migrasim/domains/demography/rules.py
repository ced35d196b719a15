"""Rules of demography: who dies, bears, learns, marries, leaves the family, retires, arrives.

Ages are completed years at the end of the year, so the year's events fall on average on the exact
age of that number. Rates per year become probabilities in ``yearly_prob`` only.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from migrasim.core.codes import Activity, Schooling, Sector, Sex, Skill
from migrasim.core.rule import rule

AGES = 121  # tables by age run from 0 to 120
STUDY_AT_HOME, STUDY_IN_SEAT, STUDY_IN_CORE, STUDY_NEAR, STUDY_FAR = range(5)  # `study_place`


class DemographyParams(NamedTuple):
    """Facts of demography; each field is the fact of that name."""

    # parameters.csv
    total_fertility: float
    life_expectancy_yr: float
    first_marriage_age_yr: float
    # mortality
    life_expectancy_gain_yr: float
    life_expectancy_gap_yr: float
    death_level: float
    infant_death_rate_yr: float
    infant_decline: float
    background_death_rate_yr: float
    ageing_slope_men: float
    ageing_slope_women: float
    # fertility
    birth_level: float
    fertility_factor_2010s: float
    fertility_factor_2021: float
    fertility_factor_2022: float
    fertility_factor_2035: float
    fertile_from_yr: float
    fertile_until_yr: float
    childbearing_age_yr: float
    childbearing_spread_yr: float
    rural_fertility_ratio: float
    outside_fertility_ratio: float
    couple_share_top: float
    couple_share_spread_yr: float
    couple_share_lead_yr: float
    birth_prob_max: float
    male_birth_share: float
    # schooling and activity
    minor_age_yr: float
    primary_age_yr: float
    junior_age_yr: float
    senior_age_yr: float
    college_age_yr: float
    college_leave_age_yr: float
    bachelor_leave_age_yr: float
    senior_prob: float
    college_prob: float
    bachelor_prob: float
    college_2010_ratio: float
    vocational_share: float
    vocational_seat_share: float
    vocational_core_share: float
    college_core_share: float
    core_women_ratio: float
    college_near_share: float
    retirement_age_men_yr: float
    retirement_age_women_yr: float
    farmer_retirement_age_yr: float
    retirement_prob: float
    # marriages and new households
    first_marriage_gap_yr: float
    first_marriage_rural_yr: float
    marriage_rate_top_yr: float
    marriage_spread_yr: float
    marriage_late_rate_yr: float
    marriage_from_men_yr: float
    marriage_until_men_yr: float
    marriage_from_women_yr: float
    marriage_until_women_yr: float
    own_household_share_rural: float
    own_household_share_urban: float
    down_payment_yuan: float
    split_rate_siblings_yr: float
    split_rate_parents_yr: float
    split_least_members: float
    independent_from_yr: float
    independent_until_yr: float
    # arrivals of strangers
    arrivals_near_persons_yr: float
    arrivals_far_persons_yr: float
    arrival_collective_share: float
    arrival_male_share: float
    arrival_age_low_yr: float
    arrival_age_mode_yr: float
    arrival_age_high_yr: float
    arrival_primary_share: float
    arrival_senior_share: float
    arrival_college_share: float


@rule
def yearly_prob(rate_yr):
    """Probability within a year of a constant rate per year: ``1 - exp(-rate)``.

    Examples
    --------
    >>> round(yearly_prob(0.1), 4)
    0.0952
    """
    return 1.0 - math.exp(-rate_yr)


# Mortality


@rule
def life_expectancy(year, sex, p):
    """Life expectancy at birth of a sex in a year, in years.

    The level of 2020 rises by a constant gain; men lie half the gap below, women half above.
    """
    both = p.life_expectancy_yr + p.life_expectancy_gain_yr * (year - 2020)
    half = p.life_expectancy_gap_yr / 2
    return both + half if sex == Sex.FEMALE else both - half


@rule
def death_rate(age, sex, ageing, p):
    """Rate of death per year at an exact age (Siler 1979, "A competing-risk model for animal mortality").

    ``h(x) = a1 exp(-b1 x) + c + a3 exp(b3 x)``: infancy, background, ageing.

    Parameters
    ----------
    age : exact age in years
    sex : Sex
    ageing : level a3 of the ageing term, from ``ageing_level``
    p : DemographyParams
    """
    slope = p.ageing_slope_women if sex == Sex.FEMALE else p.ageing_slope_men
    return (
        p.infant_death_rate_yr * math.exp(-p.infant_decline * age)
        + p.background_death_rate_yr
        + ageing * math.exp(slope * age)
    )


@rule
def expected_lifetime(sex, ageing, p):
    """Life expectancy at birth of a level of the ageing term: the area under the survivors, by half years."""
    step = 0.5
    total = 0.0
    cumulated = 0.0
    survivors = 1.0
    for i in range(2 * AGES):
        cumulated += step * death_rate((i + 0.5) * step, sex, ageing, p)
        after = math.exp(-cumulated)
        total += step * 0.5 * (survivors + after)
        survivors = after
    return total


@rule
def ageing_level(expectancy_yr, sex, p):
    """Level of the ageing term that gives a life expectancy, by bisection of its logarithm."""
    low, high = -25.0, -2.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if expected_lifetime(sex, math.exp(middle), p) > expectancy_yr:
            low = middle
        else:
            high = middle
    return math.exp(0.5 * (low + high))


@rule
def death_prob(age, sex, ageing, p):
    """Probability that somebody who would complete ``age`` within this year dies in it.

    ``death_level`` multiplies all rates: it brings the deaths to the registered level.
    """
    return yearly_prob(p.death_level * death_rate(age, sex, ageing, p))


# Fertility


@rule
def total_fertility(year, p):
    """Children per woman at the rates of a year: the start value times a dated factor.

    The factor is held until 2020, given for 2021 and 2022, and linear from there to 2035.
    """
    if year <= 2020:
        factor = p.fertility_factor_2010s
    elif year <= 2021:
        factor = p.fertility_factor_2021
    elif year >= 2035:
        factor = p.fertility_factor_2035
    else:
        share = (year - 2022) / (2035 - 2022)
        factor = p.fertility_factor_2022 + share * (p.fertility_factor_2035 - p.fertility_factor_2022)
    return p.total_fertility * factor


@rule
def fertility_rate(age, total, p):
    """Births per woman and year at an age: total fertility times a normal density."""
    if age < p.fertile_from_yr or age > p.fertile_until_yr:
        return 0.0
    z = (age - p.childbearing_age_yr) / p.childbearing_spread_yr
    return total * math.exp(-0.5 * z * z) / (p.childbearing_spread_yr * math.sqrt(2.0 * math.pi))


@rule
def couple_share(age, p):
    """Share of women of an age who live in a couple, whatever they are in a given world.

    Logistic; half of the top is reached some years before the mean age at first marriage.
    """
    middle = p.first_marriage_age_yr - p.first_marriage_gap_yr / 2 - p.couple_share_lead_yr
    return p.couple_share_top / (1.0 + math.exp(-(age - middle) / p.couple_share_spread_yr))


@rule
def birth_prob(age, is_rural, total, p):
    """Probability that a woman in a couple bears a child within the year.

    The rate of all women is divided by the share in a couple, since births outside couples are not
    modelled. The ratio of rural to urban fertility is spread so that their plain mean stays the total.

    Parameters
    ----------
    age : age at the end of the year
    is_rural : True where she lives in a village
    total : total fertility of the year
    p : DemographyParams
    """
    rate = fertility_rate(age, total, p)
    if rate <= 0.0:
        return 0.0
    ratio = p.rural_fertility_ratio
    side = 2.0 * ratio / (1.0 + ratio) if is_rural else 2.0 / (1.0 + ratio)
    return min(p.birth_level * side * rate / couple_share(age, p), p.birth_prob_max)


@rule
def birth_prob_outside(age, total, p):
    """Probability that a woman in a couple who lives outside bears a child within the year, and keeps it with her.

    Fewer than in towns: many go home for it, or leave the child with its grandparents. A household that is wholly
    outside has none at home in the model, so these children are born to the women inside.
    """
    return p.outside_fertility_ratio * birth_prob(age, False, total, p)


@rule
def newborn_sex(luck, p):
    """Sex of a newborn of a uniform draw."""
    return Sex.MALE.value if luck < p.male_birth_share else Sex.FEMALE.value


# Schooling and activity


@rule
def schooling_of_pupil(age, schooling, college_ratio, luck, p):
    """Schooling that a pupil attends at an age, and -1 where the pupil leaves school.

    Compulsory school takes everybody up by age; senior school (vocational too), college and
    bachelor's courses follow with probabilities at their ages.

    Parameters
    ----------
    age : age at the end of the year
    schooling : Schooling attended so far
    college_ratio : factor on the probabilities of college and bachelor's courses, from `college_ratio`
    luck : a uniform draw of this year
    p : DemographyParams
    """
    if age < p.junior_age_yr:
        return max(schooling, Schooling.PRIMARY.value) if age >= p.primary_age_yr else schooling
    if age < p.senior_age_yr:
        return max(schooling, Schooling.JUNIOR.value)
    if schooling <= Schooling.JUNIOR:
        if age == p.senior_age_yr and luck < p.senior_prob:
            return Schooling.SENIOR.value
        return -1
    if schooling == Schooling.SENIOR:
        if age < p.college_age_yr:
            return schooling
        if age == p.college_age_yr and luck < college_ratio * p.bachelor_prob:
            return Schooling.BACHELOR.value
        if age == p.college_age_yr and luck < college_ratio * (p.bachelor_prob + p.college_prob):
            return Schooling.COLLEGE.value
        return -1
    if schooling == Schooling.COLLEGE:
        return schooling if age < p.college_leave_age_yr else -1
    return schooling if age < p.bachelor_leave_age_yr else -1


@rule
def college_ratio(year, p):
    """Share of an age group that goes on to college over that of 2020: linear from 2010 to 2020, 1 from then on."""
    share = min(1.0, max(0.0, (year - 2010) / 10))
    return p.college_2010_ratio + share * (1.0 - p.college_2010_ratio)


@rule
def core_factor(sex, p):
    """Factor on the share of students who study in the core city, by sex; its mean over the sexes is 1."""
    ratio = p.core_women_ratio
    return 2.0 * (ratio if sex == Sex.FEMALE else 1.0) / (1.0 + ratio)


@rule
def study_place(age, schooling, sex, luck, p):
    """Where somebody lives who is at a school of this level, in the year of entering it; at home in other years.

    The census counts students of vocational schools and colleges where they study, and boarders of general
    senior schools at home. Vocational schools stand in every county's seat, in the core city and outside;
    colleges in the core city (few), near and far outside.

    Parameters
    ----------
    age : age at the end of the year
    schooling : Schooling attended
    sex : Sex; the core city trains nurses and teachers, who mostly are women
    luck : a uniform draw of this year
    p : DemographyParams

    Returns
    -------
    STUDY_AT_HOME, STUDY_IN_SEAT (of the own county), STUDY_IN_CORE, STUDY_NEAR or STUDY_FAR
    """
    if age == p.senior_age_yr and schooling == Schooling.SENIOR:
        if luck >= p.vocational_share:
            return STUDY_AT_HOME
        if luck < p.vocational_share * p.vocational_seat_share:
            return STUDY_IN_SEAT
        if luck < p.vocational_share * (p.vocational_seat_share + core_factor(sex, p) * p.vocational_core_share):
            return STUDY_IN_CORE
        return STUDY_NEAR
    if age == p.college_age_yr and schooling >= Schooling.COLLEGE:
        core_share = core_factor(sex, p) * p.college_core_share
        if luck < core_share:
            return STUDY_IN_CORE
        return STUDY_NEAR if luck < core_share + (1.0 - core_share) * p.college_near_share else STUDY_FAR
    return STUDY_AT_HOME


@rule
def skill_of(schooling):
    """Skill that goes with a schooling: low below senior school, high from college on."""
    if schooling >= Schooling.COLLEGE:
        return Skill.HIGH.value
    return Skill.MIDDLE.value if schooling == Schooling.SENIOR else Skill.LOW.value


@rule
def retires(age, sex, activity, sector, p):
    """True where somebody at work or seeking has reached the age at which that ends.

    Employees and seekers may end at the statutory ages (each year a share of them does, since most
    work without a contract); those on the land go on for longer.
    """
    if activity == Activity.FARMER or (activity == Activity.WORKER and sector == Sector.AGRICULTURE):
        return age >= p.farmer_retirement_age_yr
    if activity == Activity.WORKER or activity == Activity.SEEKING:
        return age >= (p.retirement_age_women_yr if sex == Sex.FEMALE else p.retirement_age_men_yr)
    return False


@rule
def activity_after(age, has_land, p):
    """Activity after school or after the last job: the household's land where there is some.

    Parameters
    ----------
    age : age at the end of the year
    has_land : True where the person lives in the home village of a household with land
    p : DemographyParams
    """
    if has_land and age < p.farmer_retirement_age_yr:
        return Activity.FARMER.value
    return Activity.SEEKING.value if age < p.retirement_age_women_yr else Activity.RETIRED.value


# Marriages and new households


@rule
def marriage_prob(age, sex, is_rural, p):
    """Probability that a single person looks for a marriage within the year.

    The rate is a normal bell around the age at first marriage of the sex (earlier in villages) and
    never below a low late rate, zero outside the bounds of age.
    """
    half = p.first_marriage_gap_yr / 2
    middle = p.first_marriage_age_yr + (p.first_marriage_rural_yr if is_rural else 0.0)
    if sex == Sex.FEMALE:
        middle -= half
        inside = p.marriage_from_women_yr <= age <= p.marriage_until_women_yr
    else:
        middle += half
        inside = p.marriage_from_men_yr <= age <= p.marriage_until_men_yr
    if not inside:
        return 0.0
    z = (age - middle) / p.marriage_spread_yr
    bell = p.marriage_rate_top_yr * math.exp(-0.5 * z * z)
    return yearly_prob(max(bell, p.marriage_late_rate_yr) if z > 0 else bell)


@rule
def own_household_share(is_rural, p):
    """Probability that a new couple keeps house on its own at once."""
    return p.own_household_share_rural if is_rural else p.own_household_share_urban


@rule
def split_prob(has_sibling_couple, p):
    """Probability within a year that a couple leaves the family's household (fen jia).

    Higher where a brother's couple shares the household than where it is the only one beside the parents.
    """
    return yearly_prob(p.split_rate_siblings_yr if has_sibling_couple else p.split_rate_parents_yr)


@rule
def is_young(age, couple, p):
    """True for unmarried people of an age at which they live by themselves where they are not with their parents.

    Parameters
    ----------
    age : age at the end of the year
    couple : number of the couple in the household, 0 for the unmarried
    p : DemographyParams
    """
    return couple == 0 and p.independent_from_yr <= age < p.independent_until_yr


@rule
def can_pay_down(savings_yuan, p):
    """True where a family's savings reach the first payment on a flat."""
    return savings_yuan >= p.down_payment_yuan


# Arrivals of strangers


@rule
def arrival_age(luck, p):
    """Age of a stranger who arrives: triangular between low and high with a mode."""
    low, mode, high = p.arrival_age_low_yr, p.arrival_age_mode_yr, p.arrival_age_high_yr
    turn = (mode - low) / (high - low)
    if luck < turn:
        return int(low + math.sqrt(luck * (high - low) * (mode - low)))
    return int(high - math.sqrt((1.0 - luck) * (high - low) * (high - mode)))


@rule
def arrival_schooling(luck, p):
    """Schooling of a stranger who arrives; who is in none of the shares given has junior school."""
    if luck < p.arrival_primary_share:
        return Schooling.PRIMARY.value
    if luck < p.arrival_primary_share + p.arrival_senior_share:
        return Schooling.SENIOR.value
    if luck < p.arrival_primary_share + p.arrival_senior_share + p.arrival_college_share:
        return Schooling.COLLEGE.value
    return Schooling.JUNIOR.value
