"""Ranges over assumed values, levers moved one at a time, and many runs in bulk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MakeResult
from pandas import DataFrame

from migrasim import cli
from migrasim.analysis import band as bands
from migrasim.analysis import levers as study
from migrasim.facts import FactBook
from migrasim.inputs import SUMS_TO_ONE
from migrasim.present import figures, lever_page
from migrasim.runs import runner as batches
from migrasim.runs.levels import path_at, settings
from migrasim.runs.simulate import simulate
from migrasim.runs.spec import RunSpec
from migrasim.scenario import Scenario

BOOK = FactBook.load()
PLAN = Scenario.load("plan", BOOK)
SMALL: dict[str, Any] = {"sample": 0.005, "until": 2022}


def yearly(rate: float, urban: float, cost: float = 1e6) -> DataFrame:
    """A run of invented numbers."""
    years = [2020, 2025, 2035]
    return DataFrame(
        {
            "urbanization_rate": [0.4, rate, rate],
            "hukou_urbanization_rate": 0.3,
            "urban_population": [100.0, urban, urban],
            "resident_population": 1000.0,
            "public_cost_yuan": cost,
        },
        index=DataFrame({"year": years}).set_index("year").index,
    )


class Invented:
    """Stands for the runner: every run has a rate that depends on the lever that it sets."""

    def __init__(self, effect: dict[str, float]) -> None:
        self.effect = effect
        self.asked: list[RunSpec] = []

    def __call__(self, specs: list[RunSpec], folder: Path | None = None, **_: object) -> list[DataFrame]:
        """Invented numbers for each request."""
        self.asked = list(specs)
        return [self.frame(spec) for spec in specs]

    def frame(self, spec: RunSpec) -> DataFrame:
        """A rate that depends on the seed, the levers that are set and the facts."""
        known = {**dict.fromkeys(spec.overrides, 0.0), **spec.parameters}
        rate = 0.5 + 0.001 * spec.seed + sum(self.effect.get(name, 0.0) for name in known)
        rate += sum(self.effect.get(name, 0.0) * number for name, number in spec.parameters.items())
        return yearly(rate, 1000 * rate)


@pytest.mark.parametrize("last", [0.0, 1.0])
def test_every_path_of_a_draw_stays_within_the_bounds(last: float):
    """Whatever end of its range an assumed value takes, the path that leads there is one that a scenario may hold."""
    levers = bands.assumed(PLAN, BOOK)
    for lever in levers:
        assert lever.plan.range is not None
        low, high = lever.plan.range
        path = path_at(lever, low + last * (high - low))
        assert all(lever.bounds[0] <= number <= lever.bounds[1] for number in path.values())
        assert list(path.values())[-1] == pytest.approx(low + last * (high - low))
    lasts = [lever.plan.range[int(last)] for lever in levers if lever.plan.range]
    RunSpec("plan", overrides=settings(levers, lasts, BOOK)).inputs()


def test_a_path_drawn_at_its_central_value_is_the_plan():
    """The middle of nothing: a draw that hits every value of the book gives the very plan."""
    levers = bands.assumed(PLAN, BOOK)
    drawn = RunSpec("plan", overrides=settings(levers, [lever.plan.last for lever in levers], BOOK)).inputs()
    plan = RunSpec("plan").inputs()
    for lever in BOOK.levers:
        np.testing.assert_allclose(drawn.lever_path(lever), plan.lever_path(lever), rtol=1e-9)


def test_shares_of_one_whole_never_exceed_it():
    """Two shares that are drawn at their high ends are scaled down together."""
    levers = [BOOK.lever(name) for name in SUMS_TO_ONE[1]]
    chosen = settings(levers, [0.6, 0.5], BOOK)
    one, other = (RunSpec("plan", overrides=chosen).inputs().lever_path(lever.id)[-1, 0] for lever in levers)
    assert one + other == pytest.approx(1.0)
    assert one / other == pytest.approx(0.6 / 0.5)


def test_draws_fill_each_range_evenly():
    """A Latin hypercube: of ten draws, one lies in each tenth of the range of each lever."""
    levers = bands.assumed(PLAN, BOOK)
    drawn = bands.draw(levers, 10, 3)
    low, high = np.array([lever.plan.range for lever in levers]).T
    assert (np.sort(np.floor(10 * (drawn - low) / (high - low)), axis=0) == np.arange(10)[:, None]).all()
    assert (bands.draw(levers, 10, 3) == drawn).all()


def test_the_band_moves_assumed_values_only(monkeypatch):
    """What the plan or a target gives stays, and so do levers that the scenario sets by numbers of its own."""
    runner = Invented({})
    monkeypatch.setattr(bands, "yearly", runner)
    found = bands.band(PLAN.changed(["urban.smart=0.5"], BOOK), draws=3, **SMALL)
    named = [{text.split("=")[0] for text in spec.overrides} for spec in runner.asked]
    planned = {lever.id for lever in BOOK.levers.values() if lever.plan.status not in ("assumed", "estimated")}
    assert named[0] == named[1] == named[2] == set(BOOK.levers) - planned - {"urban.smart"}
    assert (found.assumed, found.taken, len(found.draws)) == (len(named[0]), len(BOOK.levers) - 1, 3)
    assert found.of("urbanization_rate").loc[2035, "median"] == pytest.approx(0.5)


def test_a_band_lies_about_the_run_that_it_is_drawn_for(monkeypatch, make_result: MakeResult):
    """Draws of few households are told by what they differ by from the plan among these few, not by their own level."""
    runner = Invented({})
    monkeypatch.setattr(runner, "frame", lambda spec: yearly(0.54 if spec.overrides else 0.5, 500.0))
    monkeypatch.setattr(bands, "yearly", runner)
    ran = make_result()
    own = yearly(0.7, 700.0)
    monkeypatch.setattr(type(ran), "prefecture", lambda _: own)
    found = bands.band(PLAN, draws=3, about=ran, **SMALL)
    assert found.moved and len(runner.asked) == 4 and not runner.asked[3].overrides
    for name, size in (("urbanization_rate", 0.7), ("urban_population", 700.0)):
        drawn = runner.frame(runner.asked[0]).loc[2035, name] - runner.frame(runner.asked[3]).loc[2035, name]
        assert found.of(name).loc[2035].tolist() == pytest.approx([size + drawn] * 3)
    assert found.of("urbanization_rate").loc[2035, "median"] == pytest.approx(0.74)
    same = bands.band(PLAN, draws=3, about=replace(ran, sample=SMALL["sample"]), **SMALL)
    assert not same.moved and len(runner.asked) == 3


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["run", "status_quo", "--band", "9"], "status_quo takes no assumed value"),
        (["run", "plan", "--band", "1"], "whole numbers from 2"),
        (["levers", "--effects", "--replications", "1"], "too few for an interval"),
        (["levers", "--effects", "--sample", "7"], "0.00001 to 1"),
        (["levers", "--effects", "--assumption-sample", "0"], "assumption-sample"),
        (["levers", "--effects", "--assumption-seeds", "-1"], "whole numbers from 0"),
        (["levers", "hukuo", "--effects"], "did you mean 'hukou'"),
        (["levers", "--effects", "--workers", "0"], "whole numbers from 1"),
    ],
)
def test_bad_requests_end_with_one_line(command: list[str], message: str, capsys, tmp_path, monkeypatch):
    """What cannot be run is refused before anything runs, with code 2."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        cli.main(command)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert message in error and error.count("error:") == 1


def test_a_plan_later_is_the_status_quo_first_and_the_plan_afterwards():
    """The path of the plan three years later stands in each year where the plan stood three years before."""
    for name in ("residence_permit.waiting_months", "public_housing.public_rental_units", "industry.red_cattle.jobs"):
        lever = BOOK.lever(name)
        quo, plan, late = (
            RunSpec("status_quo", overrides=(text,)).inputs().lever_path(name)
            for text in (f"{name}=status_quo", f"{name}=plan", study.later(lever))
        )
        np.testing.assert_allclose(late[:4], quo[:4])
        np.testing.assert_allclose(late[4:], plan[1:-3])


def test_every_move_of_every_lever_can_be_run():
    """Bounds of shares of one whole leave room for the other share; no move is out of bounds."""
    for lever in BOOK.levers.values():
        for scenario, text in study.moves(lever, BOOK).values():
            RunSpec(scenario, overrides=(text,)).inputs()


def test_effects_are_paired_by_seed(monkeypatch):
    """What the seeds share drops out: an effect that is the same in every pair has an interval of no width."""
    monkeypatch.setattr(study, "yearly", Invented({"urban.smart=plan": 0.02, "urban.smart=status_quo": -0.01}))
    effects, _ = study.lever_effects(study.Request(seeds=(0, 1, 2)), ["urban.smart"])
    rows = effects[(effects["measure"] == "urbanization_rate") & (effects["year"] == 2035)].set_index("effect")
    assert rows.loc["alone", ["difference", "low", "high"]].tolist() == pytest.approx([0.02] * 3)
    assert rows.loc["in_company", "difference"] == pytest.approx(0.01)
    assert rows.loc["bounds", "difference"] == 0.0


def test_costs_are_summed_and_divided_by_a_clear_gain_only():
    """Money counts from 2021 on; without a clear gain of residents there is no price of one."""
    assert study.measured(yearly(0.5, 10.0, cost=3.0), "cost_yuan", 2035) == 6.0
    gain, unclear = np.array([100.0, 102.0, 98.0]), np.array([-100.0, 100.0, 30.0])
    assert study.ratio(np.array([500.0, 510.0, 490.0]), gain)[0] == pytest.approx(5.0)
    assert np.isnan(study.ratio(np.array([500.0, 510.0, 490.0]), unclear)).all()


def test_fiellers_interval_holds_the_true_ratio_as_often_as_it_says():
    """Nine times in ten, on pairs whose two members go together."""
    rng = np.random.default_rng(5)
    common = rng.normal(size=(2000, 6))
    over, under = 30.0 + 3 * common + rng.normal(size=common.shape), 10.0 + common
    found = np.array([study.ratio(one, other) for one, other in zip(over, under, strict=True)])
    inside = (found[:, 1] <= 3.0) & (found[:, 2] >= 3.0)
    assert 0.88 < inside.mean() < 0.92


def test_assumptions_are_ranked_by_what_they_do(monkeypatch):
    """The widest swing stands first; what was observed or is built into the population is not asked."""
    chosen = [one.id for one in study.assumptions(BOOK) if one.kind == "fact"][:3]
    monkeypatch.setattr(study, "yearly", Invented({chosen[1]: 1.0}))
    found = study.assumption_effects(study.Request(fact_seeds=(0, 1)), chosen)
    assert found.iloc[0]["id"] == chosen[1]
    plan = found[(found["subject"] == "plan") & (found["measure"] == "urbanization_rate")]
    assert (plan["swing"].iloc[1:] == 0.0).all()
    groups = found[(found["subject"] == "four_groups") & (found["measure"] == "urbanization_rate")]
    assert groups["swing"].abs().max() == pytest.approx(0.0)  # it lifts both scenarios alike
    statuses = {BOOK[one.id].status for one in study.assumptions(BOOK) if one.kind == "fact"}
    assert statuses == {"assumed", "estimated"}
    assert not any(one.id.startswith("population.") for one in study.assumptions(BOOK))


def invented_effects(**values: float) -> DataFrame:
    """Effects of one lever in 2035, each clear unless it is 0, by effect and measure."""
    rows = [
        ("urban.smart", effect, measure, 2035, value, value * 0.9, value * 1.1, 4)
        for effect in ("alone", "bounds", "later", "in_company")
        for measure in study.MEASURES
        for value in [values.get(f"{effect}_{measure}", 0.0)]
    ]
    return DataFrame(rows, columns=["lever", "effect", "measure", "year", "difference", "low", "high", "pairs"])


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "a closed gate"),
        ({"bounds_urbanization_rate": 0.02}, "from bound to bound it moves the rate by +2.00 points"),
        ({"bounds_cost_yuan": 1e9, "alone_cost_yuan": 2e8}, "it moves money: +200 million yuan"),
        ({"in_company_urbanization_rate": -0.003}, "beside the whole plan it moves the rate by −0.30 points"),
        ({"alone_hukou_urbanization_rate": 0.002}, "it acts on registration: +0.20 points"),
    ],
)
def test_why_is_read_off_the_effects(values: dict[str, float], reason: str):
    """A gate, a small step, the company of others, registration, money: each is told where the runs show it."""
    assert reason in study.why(BOOK.lever("urban.smart"), invented_effects(**values))


def test_a_lever_that_does_much_needs_no_reason():
    """Reasons are for those that do little; where rate and residents pull apart, that is told instead."""
    effects = invented_effects(alone_urbanization_rate=0.01, alone_urban_population=-900.0)
    assert study.why(BOOK.lever("urban.smart"), effects) == ""
    assert study.pulls_apart(effects) == ["urban.smart"]
    assert study.pulls_apart(invented_effects(alone_urbanization_rate=0.01, alone_urban_population=900.0)) == []


@pytest.mark.parametrize("lever", ["hukou.openness", "three_rights.titling"])
def test_a_lever_that_is_nearly_used_up_says_so(lever: str, capsys):
    """The card of a lever near its bound names the room that is left."""
    with pytest.raises(SystemExit):
        cli.main(["levers", lever])
    assert "little:" in capsys.readouterr().out
    assert BOOK.lever(lever).room.is_little
    assert not BOOK.lever("industry.red_cattle.jobs").room_words()


def test_the_page_tells_why_a_lever_does_little(monkeypatch, tmp_path):
    """The page holds every lever asked for, its reasons, and the figure beside it."""
    monkeypatch.setattr(study, "yearly", Invented({"urban.smart=plan": 0.02}))
    request = study.Request(seeds=(0, 1))
    effects, scenarios = study.lever_effects(request, ["urban.smart", "hukou.openness"])
    assumptions = study.assumption_effects(request, [study.assumptions(BOOK)[0].id, "urban.smart"])
    made = lever_page.Study(effects, scenarios, assumptions, request, "migrasim levers --effects", "0123")
    text = lever_page.page(made, BOOK)
    assert "**+2.00** (+2.00 … +2.00)" in text
    little = text[text.index("## Levers that do little") :]
    assert "room: little: 0.95 in 2020" in little and "`urban.smart`" not in little.split("## Which")[0]
    assert all(line.count(" | ") == text.splitlines()[i - 1].count(" | ")
               for i, line in enumerate(text.splitlines()) if line.startswith("| ---"))  # fmt: skip
    assert lever_page.draw(made, BOOK, tmp_path / "figures" / "levers.png").stat().st_size > 10_000


def test_a_band_is_drawn_around_its_lines(make_result: MakeResult, tmp_path):
    """The figure takes a range over assumed values and says how it was made."""
    years = range(2020, 2027)
    sizes = {"urbanization_rate": 0.5, "urban_population": 900.0}
    table = DataFrame(
        [(year, name, size * 0.9, size, size * 1.1) for name, size in sizes.items() for year in years],
        columns=["year", "indicator", "low", "median", "high"],
    )
    drawn = bands.Band("plan", table, DataFrame({"urban.smart": [0.5, 0.6]}), 57, 67)
    path = figures.trajectory([make_result()], tmp_path / "one.png", bands={"plan": drawn})
    assert path.stat().st_size > 10_000


@pytest.mark.model
@pytest.mark.slow
def test_processes_make_the_runs_that_one_process_makes(tmp_path):
    """A run is known by its identity before it is made, and two processes give its very numbers."""
    specs = [RunSpec("plan", seed=seed, **SMALL) for seed in (0, 1)]
    alone = simulate("plan", seed=1, **SMALL)
    assert specs[1].run_id() == alone.run_id
    found = batches.yearly(specs, tmp_path, workers=2)
    for name in ("urbanization_rate", "public_cost_yuan"):
        assert found[1][name].tolist() == alone.prefecture()[name].tolist()
