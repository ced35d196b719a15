"""Rules of work and farm income. Money is yuan of 2020 before the growth of the chosen future."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from migrasim.core.codes import Activity, Schooling, Sex
from migrasim.core.rule import rule


class LabourParams(NamedTuple):
    """Facts of this domain, by the names they have in its facts."""

    wage_local_yuan_mo: float
    wage_outside_yuan_mo: float
    wage_near_share: float
    wage_tier_ratio: np.ndarray  # by tier
    wage_sector_ratio: np.ndarray  # by sector, of the local migrant worker's wage
    wage_chain_ratio: np.ndarray  # by chain
    wage_supply_elasticity: float
    newcomer_pay_share: float
    schooling_return_share: float
    female_pay_share: float
    older_pay_share: float
    pupil_work_share: float
    outside_work_share: float
    vacancy_share: float
    turnover_rate_yr: float
    open_jobs_share: float
    village_work_chance_share: float
    match_prob: float
    skill_asked_sector: np.ndarray
    skill_asked_chain: np.ndarray
    job_growth_rate_yr: float
    job_growth_2010s_rate_yr: float
    job_convergence_2010s_elasticity: float
    resident_served_sector: np.ndarray  # 1 where jobs follow residents
    service_multiplier: float
    service_chain_share: np.ndarray  # by chain: 1 brings service jobs, 0 low-tech brings none
    service_lag_yr: float
    growth_rate_yr: float
    outside_growth_difference_yr: float
    remittance_share: float
    farm_income_yuan_yr_mu: float
    land_mu_per_farmer: float
    transfer_income_yuan_yr_pers: np.ndarray  # by tier of the registered address
    pension_yuan_yr: np.ndarray  # by tier of the registered address
    matching_gain_prob: float
    equal_pay_gap_share: float
    arrears_risk_share: float
    innovative_jobs_ratio: float
    cultural_jobs_ratio: float
    cluster_jobs_ratio: float
    land_efficiency_jobs_ratio: float
    quota_jobs_m2: float
    local_jobs_village_share: float
    scale_farming_hands_ratio: float
    commuting_gain_share: float
    chain_output_yuan_yr_job: np.ndarray  # by chain
    pay_prime_age_yr: float
    pay_older_age_yr: float
    hands_ratio_least: float


# Working age of China's statistics, 16 to 59: nobody may be hired below 16 (Labour Law, article 15)
WORKING_AGE, RETIRING_AGE = 16, 60


@rule
def earning_factor(age, sex, schooling, activity, p):
    """Multiple of a place's wage that a person of 16 and more would earn there; 0 for who does not work.

    ``exp(g (years of schooling - 9))`` with a factor for women and for those below the age of full pay
    or beyond that at which it falls; pupils of 16 and more partly work when they leave. Years are those
    of the schools: six of primary and three of junior school are compulsory and the measure; then three
    of senior school, three of college or four of a bachelor's course.
    """
    if age < WORKING_AGE or activity == Activity.HOME or activity == Activity.RETIRED or activity == Activity.CHILD:
        return 0.0
    if age >= RETIRING_AGE and activity != Activity.WORKER:
        return 0.0
    years = 0.0
    if schooling == Schooling.PRIMARY:
        years = 6.0
    elif schooling == Schooling.JUNIOR:
        years = 9.0
    elif schooling == Schooling.SENIOR:
        years = 12.0
    elif schooling == Schooling.COLLEGE:
        years = 15.0
    elif schooling == Schooling.BACHELOR:
        years = 16.0
    factor = math.exp(p.schooling_return_share * (years - 9.0))
    if sex == Sex.FEMALE:
        factor *= p.female_pay_share
    if age >= p.pay_older_age_yr or age < p.pay_prime_age_yr:
        factor *= p.older_pay_share
    if activity == Activity.PUPIL:
        factor *= p.pupil_work_share
    return factor


@rule
def work_chance(vacancies, turnover, seekers, p):
    """Chance that a newcomer finds work within the year (Harris and Todaro 1970).

    ``1 - exp(-open (vacancies + turnover) / seekers)``: near the ratio where jobs are few, never
    above one; ``open`` is the share of openings that newcomers can get.
    """
    return 1.0 - math.exp(-p.open_jobs_share * (vacancies + turnover) / max(seekers, 1.0))


@rule
def wage_pressure(workforce, jobs, base_ratio, p):
    """Factor on wages when more people seek the same jobs than in the base year."""
    if jobs <= 0.0 or workforce <= 0.0 or base_ratio <= 0.0:
        return 1.0
    return (workforce / jobs / base_ratio) ** (-p.wage_supply_elasticity)


@rule
def jobs_index(base, year, until_2020, after):
    """Off-farm jobs that do not follow residents over those of the base year.

    Parameters
    ----------
    base, year : years
    until_2020, after : growth per year until 2020 and from then on

    Examples
    --------
    >>> round(jobs_index(2010, 2022, 0.05, 0.02), 4)
    1.6947
    """
    early = max(0, min(year, 2020) - base)
    return (1.0 + until_2020) ** early * (1.0 + after) ** max(0, year - max(base, 2020))


@rule
def convergence_factor(base, year, jobs_ratio, elasticity):
    """Off-farm jobs of a county over what one rate for all would have made them, until 2020.

    ``ratio ** (e years / 10)``: where a resident of towns and seats had fewer jobs than elsewhere in the base year they
    grew faster.

    Parameters
    ----------
    jobs_ratio : jobs per resident of the county's towns and seats over those of all, in the base year
    elasticity : of ten years' growth
    """
    years = max(0, min(year, 2020) - base)
    return max(jobs_ratio, 1e-3) ** (elasticity * years / 10.0)


@rule
def growth_index(index, rate):
    """Index of real incomes a year later."""
    return index * (1.0 + rate)


@rule
def farm_full_yuan(land_mu, leased_mu, p):
    """Net income of all the land a household works, own and leased in."""
    return (land_mu + leased_mu) * p.farm_income_yuan_yr_mu


@rule
def worked_share(farmers, needed):
    """Share of a household's land that its farmers can work."""
    return min(1.0, farmers / needed) if needed > 0.0 else 0.0


@rule
def farmers_needed(land_mu, leased_mu, p):
    """Farmers that the land asks for."""
    return (land_mu + leased_mu) / p.land_mu_per_farmer


@rule
def match_chance(matching_above, p):
    """Chance that a seeker meets a fitting vacancy within the year, between 0 and 1.

    ``match_prob + w (matching - matching at the status quo)``.
    """
    return min(1.0, max(0.0, p.match_prob + p.matching_gain_prob * matching_above))


@rule
def equal_pay_factor(equal_share, base_share, p):
    """Factor on newcomers' pay as their gap to local workers closes, 1 at the status quo.

    ``1 + gap (s - s0) / (1 - s0)``, at least 0: the base wage contains the gap of the base year.
    """
    if base_share >= 1.0:
        return 1.0
    return max(0.0, 1.0 + p.equal_pay_gap_share * ((equal_share - base_share) / (1.0 - base_share)))


@rule
def arrears_factor(control_share, base_share, p):
    """Factor on newcomers' pay as wages go unpaid less or more often, 1 at the status quo.

    ``(1 - u) / (1 - u0)`` with ``u = u0 (1 - control) / (1 - control0)``: the expected share of
    wages that is never paid falls to 0 under full control.
    """
    if base_share >= 1.0:
        return 1.0
    unpaid = min(1.0, p.arrears_risk_share * ((1.0 - control_share) / (1.0 - base_share)))
    return (1.0 - unpaid) / (1.0 - p.arrears_risk_share)


@rule
def jobs_factor(above, ratio):
    """Factor on jobs of a place when a lever stands ``above`` its status quo: ``1 + ratio above``."""
    return max(0.0, 1.0 + ratio * above)


@rule
def farm_growth(percent, base_percent):
    """Factor on farm incomes of a year that grow otherwise than at the status quo."""
    return (1.0 + percent / 100.0) / (1.0 + base_percent / 100.0)


@rule
def hands_factor(scale_above, p):
    """Land that a farmer can work over that of the status quo, as land comes to larger farms; never below a floor."""
    return max(p.hands_ratio_least, 1.0 + p.scale_farming_hands_ratio * scale_above)


@rule
def village_work_chance(roads_above, p):
    """Chance of off-farm work for who lives in a village, in it or by going to town and back."""
    return min(1.0, max(0.0, p.village_work_chance_share + p.commuting_gain_share * roads_above))


@rule
def chain_output(workers, yuan_job, growth):
    """Full-chain output of a year: workers times output a job in 2020 times the growth of real incomes since."""
    return workers * yuan_job * growth
