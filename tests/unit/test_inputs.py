"""Inputs: what a setting means in numbers, by year and county."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from migrasim.core.errors import InputError
from migrasim.facts import FactBook
from migrasim.inputs import PAYERS, Inputs, to_2020_yuan
from migrasim.runs.simulate import inputs_of, only_region
from migrasim.scenario import Scenario

BOOK = FactBook.load()
CPI = dict.fromkeys(range(2012, 2026), 2.0)
REGION = SimpleNamespace(county_names=["East", "West"], split_weights=np.array([3.0, 1.0]), chain_weights={}, cpi=CPI)
EDUCATION = "residence_permit.education"
DWELLINGS = "public_housing.public_rental_units"
CATTLE = "industry.red_cattle.jobs"


def build(levers: dict[str, Any] | None = None, **options: Any) -> Inputs:
    scenario = Scenario.from_mapping({"name": "mine", "levers": levers or {}}, BOOK)
    return Inputs.build(BOOK, REGION, scenario, **options)


def total(inputs: Inputs, lever: str, *years: int) -> list[float]:
    return [float(inputs.lever(lever, year).sum()) for year in years]


def first(inputs: Inputs, lever: str, *years: int) -> list[float]:
    return [float(inputs.lever(lever, year)[0]) for year in years]


def test_the_status_quo_stays() -> None:
    """Without settings each lever holds its value of 2020: shares copied, counts split by the weights."""
    inputs = build()
    assert inputs.lever_path(EDUCATION).shape == (16, 2)
    assert (inputs.lever_path(EDUCATION) == 0.6).all()
    assert (inputs.lever_path(DWELLINGS) == [187.5, 62.5]).all()
    assert (inputs.lever_path(CATTLE) == 0).all()
    assert inputs.lever("transport.intercounty", 2030).tolist() == [0.0, 0.0]


def test_a_share_runs_in_a_line_from_2020() -> None:
    """The status quo of 2020 is the first knot; the last number is held; a single number holds from 2021."""
    inputs = build({EDUCATION: {2024: 1.0}, "residence_permit.healthcare": 0.9})
    assert first(inputs, EDUCATION, 2020, 2022, 2024, 2035) == pytest.approx([0.6, 0.8, 1.0, 1.0], abs=1e-15)
    assert first(inputs, "residence_permit.healthcare", 2020, 2021, 2035) == [0.6, 0.9, 0.9]


def test_a_yearly_flow_steps() -> None:
    """A flow holds from the year given to the next, after the status quo before; totals are split."""
    inputs = build({DWELLINGS: {2022: 800, 2025: 400}})
    assert total(inputs, DWELLINGS, 2020, 2021, 2022, 2024, 2025, 2035) == [250, 250, 800, 800, 400, 400]
    assert inputs.lever(DWELLINGS, 2022).tolist() == [600.0, 200.0]


def test_jobs_grow_from_nothing_to_2035() -> None:
    """One number is the stock of 2035, a path is linear from 0 in 2020; both are held afterwards."""
    inputs = build({CATTLE: 15000, "industry.jingning_apple.jobs": {2025: 1000}}, until=2037)
    assert total(inputs, CATTLE, 2020, 2023, 2035, 2037) == [0, 3000, 15000, 15000]
    assert total(inputs, "industry.jingning_apple.jobs", 2021, 2025, 2035) == [200, 1000, 1000]


def test_a_county_alone_leaves_the_others() -> None:
    """Numbers by county are that county's own; the others stay at their part of the status quo."""
    inputs = build({DWELLINGS: {"West": {2022: 500}}, EDUCATION: {"East": 1.0}})
    assert inputs.lever(DWELLINGS, 2021).tolist() == [187.5, 62.5]
    assert inputs.lever(DWELLINGS, 2030).tolist() == [187.5, 500.0]
    assert inputs.lever(EDUCATION, 2030).tolist() == [1.0, 0.6]


def test_changes_act_on_what_is_inherited() -> None:
    """Changes multiply or add to the inherited path from their year on, everywhere or in a county."""
    plan = Scenario.load("plan", BOOK)  # 600 dwellings from 2022, 800 from 2026
    every = Inputs.build(BOOK, REGION, plan.changed([DWELLINGS + "={2023: '* 1.5', 2026: '+ 100'}"], BOOK))
    assert total(every, DWELLINGS, 2021, 2022, 2023, 2025, 2026) == [250, 600, 900, 900, 900]
    west = Inputs.build(BOOK, REGION, plan.changed([DWELLINGS + "={West: '+ 50'}"], BOOK))
    assert west.lever(DWELLINGS, 2022).tolist() == [450.0, 200.0]
    jobs = Inputs.build(BOOK, REGION, plan.changed([CATTLE + "=+3000"], BOOK))
    assert total(jobs, CATTLE, 2020, 2025, 2035) == [0, 5000, 15000]


def test_double_is_twice_the_way_and_clipped_with_a_word() -> None:
    """Status quo plus twice the way to the plan; beyond the bounds it is clipped, and that is reported."""
    inputs = build({CATTLE: "double", EDUCATION: "double", "residence_permit.waiting_months": "double"})
    assert total(inputs, CATTLE, 2035) == [24000]
    assert first(inputs, EDUCATION, 2035) == [1.0]
    assert first(inputs, "residence_permit.waiting_months", 2035) == [0.0]
    assert [text.split(":")[0] for text in inputs.clipped] == [EDUCATION, "residence_permit.waiting_months"]
    assert "clipped to 1 share" in inputs.clipped[0]
    assert build({CATTLE: "plan"}).clipped == ()


def test_numbers_by_county_are_another_run_than_the_same_total() -> None:
    """The spatial split moves parts of a total and leaves a county's own number alone, so their hashes differ."""
    whole = build({DWELLINGS: {2021: 400}})
    by_county = build({DWELLINGS: {"East": {2021: 300}, "West": {2021: 100}}})
    assert (whole.lever_path(DWELLINGS) == by_county.lever_path(DWELLINGS)).all()
    assert whole.content_hash() != by_county.content_hash()


def test_before_2020_levers_lead_up_to_the_status_quo() -> None:
    """A run from 2010 comes to the status quo of 2020, whatever the scenario sets afterwards."""
    inputs = build({EDUCATION: {2024: 1.0}}, base=2010)
    assert len(inputs.years) == 26
    assert first(inputs, EDUCATION, 2010, 2015, 2020, 2022) == pytest.approx([0.4, 0.5, 0.6, 0.8], abs=1e-15)


def test_the_null_policy_is_the_status_quo() -> None:
    """A scenario whose levers equal the status quo has equal bits and an equal hash; another lever has not."""
    null = {lever.id: lever.status_quo.last for lever in BOOK.levers.values() if lever.built}
    named = dict.fromkeys(list(BOOK.groups)[:4], "status_quo")
    quo = Inputs.build(BOOK, REGION, Scenario.load("status_quo", BOOK))
    for levers in (null, named, {EDUCATION: "* 1"}, {CATTLE: "* -1"}):
        inputs = build(levers)
        assert inputs.content_hash() == quo.content_hash()
        assert all((inputs.lever_path(lever) == quo.lever_path(lever)).all() for lever in BOOK.levers)
    assert build({EDUCATION: 0.61}).content_hash() != quo.content_hash()
    assert build(parameters={"moving.income_elasticity": 1.6}).content_hash() != quo.content_hash()
    assert build(until=2030).content_hash() != quo.content_hash()


def test_plan_and_four_groups_differ_only_outside_the_four_groups() -> None:
    """Both set the levers of the four groups to their values in the plan; the plan sets the others, too."""
    plan, four = (Inputs.build(BOOK, REGION, Scenario.load(name, BOOK)) for name in ("plan", "four_groups"))
    first = list(BOOK.groups)[:4]
    differ = {name for name in BOOK.levers if not np.array_equal(plan.lever_path(name), four.lever_path(name))}
    assert differ
    assert not {name for name in differ if BOOK.levers[name].group in first}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("incentives.government_share", "incentives.enterprise_share"),
        ("spatial.core_share", "spatial.poles_share"),
    ],
)
def test_shares_of_one_whole_sum_to_one_at_most(first: str, second: str) -> None:
    """What two share leaves nothing below zero for the third; the message names both levers and the year."""
    build({first: 0.7, second: 0.3})
    with pytest.raises(InputError, match=rf"{first} \+ {second} becomes 1.1 in 2021; allowed: at most 1"):
        build({first: 0.8, second: 0.3})


@pytest.mark.parametrize("lever", ["incentives.government_share", "incentives.enterprise_share"])
def test_shares_beyond_one_are_told_of_what_was_set_last(lever: str) -> None:
    """Whichever of the two is set over a scenario that has both, the message names the setting, not the scenario."""
    with pytest.raises(InputError, match=f"^--set {lever}: "):
        Inputs.build(BOOK, only_region(), Scenario.load("plan", BOOK, [f"{lever}=0.9"]))


def test_arrays_are_frozen() -> None:
    """Nobody can change inputs during a run."""
    with pytest.raises(ValueError, match="read-only"):
        build().lever_path(EDUCATION)[0, 0] = 1.0


def test_parameters_reach_the_bundles() -> None:
    """Another value of a fact is what the rules get, and the provenance says so."""

    class Moving(NamedTuple):
        income_elasticity: float
        network_utility: float

    inputs = build(parameters={"moving.income_elasticity": 2.0})
    assert inputs.params("moving", Moving) == (2.0, 3.5)
    row = next(row for row in inputs.provenance if row.id == "moving.income_elasticity")
    assert (row.set_by, row.value, row.status) == ("parameters", "2", "literature")


def test_provenance_tells_who_set_what() -> None:
    """Each lever and each fact in use has a row with source and status; plan values carry those of the plan."""
    inputs = build({EDUCATION: "plan", DWELLINGS: {2022: 800}})
    rows = {row.id: row for row in inputs.provenance}
    assert set(BOOK.levers) <= set(rows)
    assert rows[EDUCATION].status == "planned" and rows[EDUCATION].value == "0.6 -> 1"
    assert rows[DWELLINGS].status == "scenario" and rows[DWELLINGS].value == "250 -> 800"
    assert rows["three_rights.titling"].set_by == "status quo"
    assert all(row.source and row.status for row in inputs.provenance)


def test_money_is_brought_to_2020() -> None:
    """Later prices are divided by the price changes in between, earlier ones multiplied."""
    cpi = {2019: 10.0, 2020: 20.0, 2021: 25.0, 2022: 60.0}
    assert to_2020_yuan(100, 2020, {}) == 100
    assert to_2020_yuan(100, 2022, cpi) == pytest.approx(50)
    assert to_2020_yuan(100, 2018, cpi) == pytest.approx(132)
    with pytest.raises(InputError, match="no consumer price change for 2018; years known: 2019 to 2022"):
        to_2020_yuan(100, 2017, cpi)


def test_costs_come_in_yuan_of_2020_by_payer() -> None:
    """Costs are summed over payers, once and yearly apart."""
    inputs = build()
    assert inputs.cost(DWELLINGS) == (pytest.approx(248322 / 1.02), 0.0)
    assert inputs.cost("public_housing.rent_subsidy") == (0.0, 12.0)
    assert set(inputs.cost_by_payer("public_housing.shared_ownership_units")) == {"household", "government"}
    assert inputs.cost("three_rights.homestead_kept") == (0, 0)
    assert all(np.isfinite(inputs.cost(lever)).all() for lever in BOOK.levers)


def test_costs_of_all_levers_at_once_are_those_of_each() -> None:
    """Arrays of levers and payers hold what each lever costs each payer, once and yearly."""
    inputs, levers = build(), tuple(BOOK.levers)
    once, yearly = inputs.unit_costs(levers)
    for n, lever in enumerate(levers):
        costs = inputs.cost_by_payer(lever)
        assert list(zip(once[n], yearly[n], strict=True)) == [costs.get(payer, (0.0, 0.0)) for payer in PAYERS]
        assert set(costs) <= set(PAYERS)
    assert yearly.sum() > 0 and once.sum() > 0


def test_replications_share_their_inputs_and_nothing_else_does() -> None:
    """The same request twice is resolved once; whatever differs in it is resolved anew, and a wrong one is refused."""
    scenario = Scenario.load("plan", BOOK)
    parameters = {"moving.network_utility": 1.0}
    made = reused(scenario, parameters)
    assert reused(Scenario.load("plan", BOOK), dict(parameters)) is made
    assert reused(scenario, {"moving.network_utility": 2.0}).parameters["moving.network_utility"] == 2.0
    assert reused(Scenario.load("status_quo", BOOK), parameters).content_hash() != made.content_hash()
    assert reused(scenario, parameters).content_hash() == made.content_hash()
    with pytest.raises(InputError, match="a finite number is expected"):
        reused(scenario, {"moving.network_utility": True})


def reused(scenario: Scenario, parameters: dict[str, float]) -> Inputs:
    return inputs_of(BOOK, only_region(), scenario, 2020, 2035, parameters, None, ())


@pytest.mark.parametrize(
    ("levers", "options", "says"),
    [
        ({EDUCATION: {"Esat": 1}}, {}, f"{EDUCATION}: unknown county 'Esat'; allowed: East, West. did you mean 'East'"),
        ({EDUCATION: "* 2"}, {}, f"{EDUCATION} becomes 1.2 in 2021, out of bounds; allowed: 0 to 1 share"),
        (
            {DWELLINGS: {"East": 9000, "West": 9000}},
            {},
            "in sum over the counties becomes 18000 in 2021, out of bounds",
        ),
        ({}, {"base": 2015}, "base: 2015 is no base year; allowed: 2010, 2020"),
        ({}, {"until": 2020}, "until: 2020 is outside; allowed: 2021 to 2060"),
        ({}, {"parameters": {"moving.income_elastic": 1}}, "did you mean 'moving.income_elasticity'"),
        ({}, {"parameters": {"moving.income_elasticity": "big"}}, "a finite number is expected, not the text 'big'"),
        ({}, {"parameters": {"moving.distance_utility": -1}}, "on record only: no rule reads it"),
    ],
)
def test_wrong_inputs_are_refused(levers: dict[str, Any], options: dict[str, Any], says: str) -> None:
    """What can only be found with a region in hand is found here, by name."""
    with pytest.raises(InputError, match=says):
        build(levers, **options)


@pytest.mark.parametrize("name", ["崆峒区", "崆峒區", "崆峒", "kongtong"])
def test_a_county_by_its_chinese_name_is_told_by_which_it_is_known(name: str) -> None:
    """Whoever writes a county in Chinese, short or in full, simplified or traditional, reads the name to write."""
    scenario = Scenario.load("status_quo", BOOK, [f"{EDUCATION}={{{name}: 0.5}}"])
    with pytest.raises(InputError, match=f"unknown county '{name}'; allowed: .*did you mean 'Kongtong'"):
        Inputs.build(BOOK, only_region(), scenario)


def test_a_year_outside_the_run_is_refused() -> None:
    """Reading a lever outside the years of the run is an error, never a wrong row."""
    with pytest.raises(InputError, match="year 2019 is outside; allowed: 2020 to 2035"):
        build().lever(EDUCATION, 2019)
