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


PRIME_AGE, OLDER_AGE, RETIRING_AGE = 25, 50, 60


@rule
def earning_factor(age, sex, schooling, activity, p):
    """Multiple of a place's wage that a person of 16 and more would earn there; 0 for who does not work.

    ``exp(g (years of schooling - 9))`` with a factor for women, for the young and for those of 50
    and more; pupils of 16 and more partly work when they leave.
    """
    if age < 16 or activity == Activity.HOME or activity == Activity.RETIRED or activity == Activity.CHILD:
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
    if age >= OLDER_AGE or age < PRIME_AGE:
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
