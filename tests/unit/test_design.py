"""Experiment files: what runs they ask for, in which order, and what is refused before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pandas import DataFrame

from migrasim.core.errors import InputError
from migrasim.facts import FactBook
from migrasim.runs import points as at
from migrasim.runs.design import Experiment
from migrasim.runs.levels import path_of_strength, setting
from migrasim.runs.runner import resolve
from migrasim.runs.spec import RunSpec
from migrasim.scenario import shipped

BOOK = FactBook.load()
GRID: dict[str, Any] = {
    "name": "grid",
    "design": {
        "kind": "factorial",
        "levers": {"industry": ["status_quo", "plan"], "public_housing.public_rental_units": [250, 1200]},
    },
}


def of(**more: Any) -> Experiment:
    """The grid with other keys."""
    return Experiment.from_mapping({**GRID, **more})


@pytest.mark.parametrize("name", sorted(shipped("experiments")))
def test_every_shipped_experiment_can_be_run(name: str):
    """Its runs are as many as it says, have a row each in the table, and every scenario resolves."""
    experiment = Experiment.load(name)
    specs, table = experiment.specs(), experiment.table()
    assert len(specs) == len(table) == len(experiment)
    assert [spec.seed for spec in specs] == table["seed"].tolist()
    for spec in specs[: len(experiment.points) + len(experiment.scenarios)]:
        spec.inputs()
    assert experiment.title.zh_hant != experiment.title.en


def test_the_mixes_of_the_four_groups_are_eighty_one():
    """Four groups at three levels each; the first is the status quo, the last doubles all."""
    experiment = Experiment.load("policy_mix")
    assert len(experiment.points) == 81
    specs = experiment.specs()
    quo = RunSpec("status_quo", seed=specs[0].seed, sample=specs[0].sample)
    assert specs[0].run_id() == quo.run_id()
    assert set(experiment.table().filter(like="design.").iloc[80]) == {"double"}


def test_points_futures_vectors_and_replications_are_crossed_in_a_fixed_order():
    """The replication changes slowest, the point fastest, so that more replications only add runs at the end."""
    crossed = of(
        scenarios=["plan"],
        futures=["central", "boom"],
        parameters={"kind": "factorial", "facts": {"moving.income_elasticity": [1.2, 1.5, 2.0]}},
        replications=2,
        seed=5,
    )
    table = crossed.table()
    assert len(table) == (1 + 4) * 2 * 3 * 2
    assert table["point"].tolist()[:6] == [0, 1, 2, 3, 4, 0]
    assert table["replication"].is_monotonic_increasing and set(table["seed"]) == {5, 6}
    assert table["future"].tolist()[:10] == ["central"] * 5 + ["boom"] * 5
    longer = crossed.changed(replications=3)
    assert longer.table().iloc[: len(table)].equals(table)
    assert [one.run_id() for one in longer.specs()[:10]] == [one.run_id() for one in crossed.specs()[:10]]


def test_luck_is_common_unless_it_is_asked_otherwise():
    """All points of a replication share a seed; with independent luck no two do."""
    assert len(set(of().table()["seed"])) == 1
    table = of(luck="independent", replications=3, futures=["central", "boom"]).table()
    assert len(table[["seed", "future"]].drop_duplicates()) == len(table)


def test_levers_and_uncertain_facts_stand_in_columns_of_their_own():
    """Levels of levers begin with `design.`, values of facts with `uncertain.`; named scenarios have no levels."""
    table = of(scenarios=["plan"], parameters={"kind": "morris", "size": 2, "facts": ["moving.home_utility"]}).table()
    assert {"design.industry", "uncertain.moving.home_utility"} <= set(table.columns)
    assert table.loc[table["point"] == 0, "design.industry"].isna().all()


def test_a_group_stands_for_its_levers_and_a_number_for_its_strength():
    """Half the strength is half of the plan's way, for every built lever, every year and county."""
    for lever in BOOK.levers.values():
        inside = {
            text: RunSpec("status_quo", overrides=(text,)).inputs().lever_path(lever.id)
            for text in (f"{lever.id}=status_quo", f"{lever.id}=plan", setting(lever, path_of_strength(lever, 0.5)))
        }
        quo, plan, half = inside.values()
        assert half == pytest.approx((quo + plan) / 2), lever.id
    mixed = {"kind": "factorial", "levers": {"public_housing": [0, 0.5, 1, 2]}}
    ids = [spec.run_id() for spec in of(design=mixed).specs()]
    named = {"kind": "factorial", "levers": {"public_housing": ["status_quo", "plan", "double"]}}
    assert [ids[0], *ids[2:]] == [spec.run_id() for spec in of(design=named).specs()]
    assert len(set(ids)) == 4


def test_assumed_values_are_spread_over_their_ranges():
    """A group at assumed values gives one factor a lever whose value in the plan is assumed."""
    design = {"kind": "latin_hypercube", "scenario": "plan", "size": 8, "levers": {"three_rights": "assumed"}}
    experiment = of(design=design)
    assert experiment.design is not None
    assert set(experiment.design.names) == {
        one.id for one in BOOK.levers.values() if one.group == "three_rights" and one.plan.status == "assumed"
    }
    for name, one in experiment.design.ranges.items():
        column = experiment.table()[f"design.{name}"]
        assert column.between(*BOOK.lever(name).plan.range).all() and column.nunique() == 8
        assert one.low == BOOK.lever(name).plan.range[0]
    experiment.specs()[0].inputs()


def test_a_fraction_keeps_main_effects_apart_from_pairs():
    """Every factor is balanced and no factor moves with a product of two others."""
    rows = np.array(at.fraction([[-1, 1]] * 7))
    assert len(rows) == 16
    assert (rows.sum(axis=0) == 0).all()
    for i in range(7):
        for j in range(i):
            for k in range(7):
                assert (rows[:, i] * rows[:, j] * rows[:, k]).sum() == 0


@pytest.mark.parametrize(("kind", "size", "points"), [("latin_hypercube", 10, 10), ("morris", 4, 12), ("sobol", 4, 16)])
def test_spread_designs_have_as_many_points_as_they_say(kind: Any, size: int, points: int):
    """And the same ones each time, all within the ranges."""
    design = {"kind": kind, "size": size, "levers": {"industry": ["status_quo", "double"], "transport": [0.5, 1.5]}}
    experiment = of(design=design)
    assert len(experiment.points) == points == at.count(kind, size, 2)
    assert of(design=design).points == experiment.points
    levels = experiment.table()["design.transport"]
    assert levels.between(0.5, 1.5).all()
    experiment.specs()[-1].inputs()


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".xlsx"])
def test_a_table_of_levers_and_facts_is_a_design(ending: str, tmp_path: Path):
    """A column a lever, group or fact; an empty cell leaves what the scenario says."""
    frame = DataFrame(
        {
            "industry": ["plan", "double", None],
            "public_housing.public_rental_units": [300.0, None, 900.0],
            "moving.income_elasticity": [1.2, 1.5, None],
        }
    )
    path = tmp_path / f"mixes{ending}"
    {".csv": frame.to_csv, ".parquet": frame.to_parquet, ".xlsx": frame.to_excel}[ending](path, index=False)
    (tmp_path / "mine.yaml").write_text(
        yaml.safe_dump({"name": "mine", "design": {"kind": "table", "file": path.name}}), encoding="utf-8"
    )
    experiment = Experiment.load(tmp_path / "mine.yaml")
    specs = experiment.specs()
    assert len(specs) == 3
    assert specs[1].parameters == {"moving.income_elasticity": 1.5} and not specs[2].parameters
    quo = RunSpec("status_quo").inputs()
    assert np.array_equal(
        specs[1].inputs().lever_path("public_housing.public_rental_units"),
        quo.lever_path("public_housing.public_rental_units"),
    )
    assert specs[2].inputs().lever_path("public_housing.public_rental_units")[-1].sum() == pytest.approx(900)
    assert experiment.table()["uncertain.moving.income_elasticity"].tolist()[:2] == [1.2, 1.5]


def test_who_is_no_member_of_a_coalition_stands_at_the_status_quo():
    """Also on top of a scenario that moves the lever: else the column said status_quo where the plan was run."""
    design = {"kind": "coalitions", "scenario": "plan", "levers": ["industry"]}
    nobody, member = Experiment.from_mapping({"design": design}).specs()
    path = "industry.red_cattle.jobs"
    assert np.array_equal(nobody.inputs().lever_path(path), RunSpec("status_quo").inputs().lever_path(path))
    assert np.array_equal(member.inputs().lever_path(path), RunSpec("plan").inputs().lever_path(path))


def test_an_empty_row_is_the_scenario_as_it_is(tmp_path: Path):
    """A row each: an empty one before the last is a point, those that a sheet ends in are none."""
    (tmp_path / "mixes.csv").write_text("industry,public_housing\n,\nplan,\n,\n,\n", encoding="utf-8")
    experiment = Experiment.from_mapping({"design": {"kind": "table", "file": "mixes.csv"}}, "mine.yaml", tmp_path)
    assert [point.levels for point in experiment.points] == [{}, {"industry": "plan"}]


def test_a_column_of_a_table_may_hold_names_and_strengths(tmp_path: Path):
    """In CSV a column with a word in it comes as texts; its numbers are numbers all the same."""
    (tmp_path / "mixes.csv").write_text("industry\nstatus_quo\n0.5\nplan\n", encoding="utf-8")
    experiment = Experiment.from_mapping({"design": {"kind": "table", "file": "mixes.csv"}}, "mine.yaml", tmp_path)
    half, whole = (spec.inputs().lever_path("industry.red_cattle.jobs")[-1] for spec in experiment.specs()[1:])
    assert half == pytest.approx(whole / 2)


def asking(**analyse: Any) -> dict[str, Any]:
    """An experiment whose batch is to be analysed so."""
    return {"scenarios": ["status_quo", "plan"], "analyse": {"method": "differences", **analyse}}


def wrong(**design: Any) -> dict[str, Any]:
    """A file whose design has something wrong."""
    return {"name": "x", "design": {"kind": "factorial", "levers": {"industry": ["status_quo", "plan"]}, **design}}


CUBE: dict[str, Any] = {"kind": "latin_hypercube", "size": 4}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "neither scenarios nor design"),
        ({"scenario": ["plan"]}, "scenario: unknown key.*did you mean 'scenarios'"),
        ({"scenarios": "plan"}, "scenarios: a list of names is expected, not the text 'plan'"),
        ({"scenarios": ["plna"]}, "no scenario 'plna'.*did you mean 'plan'"),
        ({"scenarios": ["plan", "plan"]}, "named twice"),
        ({"scenarios": ["plan"], "futures": ["hard_time"]}, "futures.*did you mean 'hard_times'"),
        ({"scenarios": ["plan"], "replications": 0}, "replications: the number 0 is not allowed; allowed: at least 1"),
        ({"scenarios": ["plan"], "replications": "20"}, "replications.*the text '20'"),
        ({"scenarios": ["plan"], "sample": 0}, "sample.*allowed: above 0"),
        ({"scenarios": ["plan"], "seed": 2**63 - 1, "replications": 2}, "seed: 9223372036854775807 is too large"),
        ({"scenarios": ["plan"], "seed": 2**63 - 9, "luck": "independent"}, "is too large for the seeds"),
        ({"scenarios": ["plan"], "sample": True}, "sample.*a number is expected, not the truth value true"),
        ({"scenarios": ["plan"], "analyse": {"method": "discovery", "at_least": float("nan")}}, "at_least.*finite"),
        (asking(indicator="urbanisation_rate"), "analyse.indicator.*did you mean 'urbanization_rate'"),
        (asking(year=2040), "analyse.year: 2040 is not run; allowed: 2020 to 2035"),
        (asking(at_least=0.5), "analyse.at_least: differences has no threshold"),
        (asking(against="plna"), "analyse.against: 'plna' is not in the batch.*did you mean 'plan'"),
        (asking(method="attribution", against="plan"), "analyse.against: attribution takes nothing off"),
        (asking(method="attribution"), "analyse.method.*kind: coalitions is needed"),
        (asking(method="discovery"), "analyse.at_least: discovery needs a threshold"),
        (asking(method="sensitivity"), "analyse.method: sensitivity needs levers or facts spread over ranges"),
        (asking() | {"luck": "independent"}, "analyse.method.*do not share their luck"),
        ({"name": "x", "luck": "independent", "analyse": {"method": "sensitivity"},
          "design": {"kind": "morris", "size": 4, "levers": {"industry": [0, 2]}}}, "points of kind morris differ by"),
        (asking() | {"scenarios": ["plan"]}, "analyse.method.*one scenario or point only"),
        (wrong(**CUBE) | {"search": {"target": {"at_least": float("inf")}}}, "search.target.at_least.*finite number"),
        ({"scenarios": ["plan"], "until": 1999}, "until: 1999 is not allowed; allowed: years from 2021"),
        ({"scenarios": ["plan"], "parameters": "ensembel"}, "parameters.*did you mean 'ensemble'"),
        ({"scenarios": ["plan"], "schema_version": 99}, "newer than"),
        ({"scenarios": ["plan"], "replications": 10_000, "futures": ["central"],
          "parameters": {"kind": "latin_hypercube", "size": 1000, "facts": ["moving"]}}, "10,000,000 runs are asked"),
        (wrong(kind="factoral"), "design.kind: .*'factorial'"),
        (wrong(levers={"industri": ["plan"]}), "unknown lever or group 'industri'.*did you mean 'industry'"),
        (wrong(levers={"industry": ["plan"], "industry.red_cattle.jobs": [1]}), "would count twice"),
        (wrong(levers={"industry": "plan"}), "a list of levels is expected"),
        (wrong(levers={"industry": ["plan", "plan"]}), "plan stands twice"),
        (wrong(levers={"industry": ["plan", "much"]}), "the text 'much' is no level of a group"),
        (wrong(levers={"industry": [0, 3]}), "the number 3 is no level of a group; allowed: .* to 2"),
        (wrong(levers={"industry": [-1]}), "the number -1 is no level of a group"),
        (wrong(levers={"residence_permit.education": [0.5, 7]}), "out of bounds; allowed: 0 to 1"),
        (wrong(levers={"residence_permit.education": [0.5, "high"]}), "'high' is no number"),
        (wrong(levers={name: [0, 0.5, 1, 1.5, 2] for name in BOOK.groups}), "6,103,515,625 points; allowed"),
        (wrong(size=20), "design.size: factorial does not look at this key"),
        (wrong(kind="table", file="mixes.csv"), "design.levers: table does not look at this key"),
        (wrong(kind="fraction", level="double"), "design.level: fraction does not look at this key"),
        ({"scenarios": ["plan"], "parameters": {"kind": "ensemble", "facts": ["moving"]}},
         "parameters.facts: ensemble does not look at this key"),
        (wrong(kind="fraction", levers={"industry": ["status_quo", "plan", "double"]}), "two levels, not 3"),
        (wrong(**CUBE, levers={"industry": [2, 1]}), "the range 2 to 1 is empty"),
        (wrong(**CUBE, levers={"industry": [1, 1]}), "is empty"),
        (wrong(**CUBE, levers={"industry": [0, 3]}), "strengths from 0 to 2"),
        (wrong(**CUBE, levers={"industry": [0, "plan"]}), "two names or two numbers"),
        (wrong(**CUBE, levers={"residence_permit.education": ["low", "high"]}), "expected, not the text 'low'"),
        (wrong(**CUBE, levers={"residence_permit.education": [0, 2]}), "out of bounds; allowed: 0 to 1"),
        (wrong(**CUBE, levers={"residence_permit.education": "assumed"}), "is not assumed, so it has no range"),
        (wrong(kind="latin_hypercube", levers={"industry": [0, 1]}), "design.size: this key is missing"),
        (wrong(kind="sobol", size=100, levers={"industry": [0, 1]}), "powers of 2"),
        (wrong(kind="coalitions"), "a list of levers or groups is expected for coalitions"),
        (wrong(kind="coalitions", levers=["industry", "industry"]), "would count twice"),
        (wrong(kind="table", levers=None), "design.file: this key is missing"),
        (wrong(kind="table", levers=None, file="nowhere.csv"), "there is no such file"),
        (wrong(scenario="plann"), "design.scenario: no scenario 'plann'"),
        (wrong(sizes=3), "unknown key.*did you mean 'size'"),
        ({"scenarios": ["plan"], "parameters": {"kind": "morris", "size": 4, "facts": ["moving.home_utilty"]}},
         "unknown fact.*did you mean 'moving.home_utility'"),
        ({"scenarios": ["plan"], "parameters": {"kind": "morris", "size": 4,
          "facts": {"moving.home_utility": [-5, 1]}}}, "-5 is out of range; allowed: 0 to 2"),
        ({"scenarios": ["plan"], "parameters": {"kind": "morris", "size": 4,
          "facts": {"moving.home_utility": ["a", 1]}}}, "a number is expected, not the text 'a'"),
        (wrong(**CUBE, levers={"industry": [0, {"plan": 1}]}), "a number is expected, not a mapping"),
        ({"scenarios": ["plan"], "parameters": {"kind": "morris", "size": 4, "facts": [["moving"]]}}, "unknown fact"),
    ],
)  # fmt: skip
def test_wrong_experiments_are_refused_before_anything_runs(data: dict[str, Any], message: str):
    """One message that says where, what and what is allowed, with the nearest name."""
    with pytest.raises(InputError, match=message) as error:
        Experiment.from_mapping(data, "mine.yaml")
    assert str(error.value).startswith("mine.yaml: ") and "\n" not in str(error.value)


def test_levels_that_do_not_go_together_are_named_with_their_point():
    """Each is allowed, both are not: the message has the point, and no option that was not given."""
    shares = {"incentives.government_share": [0.1, 0.9], "incentives.enterprise_share": [0.2]}
    asked = Experiment.from_mapping({"name": "mine", "design": {"kind": "factorial", "levers": shares}})
    with pytest.raises(InputError, match="^mine-1, seed 0: incentives.enterprise_share: .* allowed: at most 1 in sum"):
        resolve(asked.specs())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("industry,industri\nplan,plan\n", "unknown lever or group 'industri'"),
        ("industry\nmuch\n", "line 2, industry: the text 'much' is no level"),
        ("residence_permit.education\n0.5\n7\n", "line 3: .*out of bounds"),
        ("moving.income_elasticity\nlarge\n", "line 2: moving.income_elasticity: a number is expected"),
        ("industry\n", "the table has no rows"),
        ("", "is no readable csv table"),
        ("industry,industry\nplan,plan\n", "column 'industry' stands twice"),
        ("industry, industry\nplan,plan\n", "column 'industry' stands twice"),
        ("industry,public_housing\nplan,double,3\n", "line 2: has 3 cells, and the first line 2 names"),
        ("industry,public_housing\nplan\n", "line 2: has 1 cells.* an empty cell needs its comma"),
        ("industry;public_housing\nplan;double\n", "its cells are separated by ';'; commas are expected"),
    ],
)
def test_wrong_tables_are_refused_with_their_line(text: str, message: str, tmp_path: Path):
    """A table that people bring is checked as every other input."""
    (tmp_path / "mixes.csv").write_text(text, encoding="utf-8")
    data = {"design": {"kind": "table", "file": "mixes.csv"}}
    with pytest.raises(InputError, match=message):
        Experiment.from_mapping(data, "mine.yaml", tmp_path)


def test_tables_of_other_programs_are_read_as_they_are_meant(tmp_path: Path):
    """A mark at the beginning, Windows' line ends and a comma behind each row change nothing; another encoding does."""
    data = {"design": {"kind": "table", "file": "mixes.csv"}}
    for raw in (b"\xef\xbb\xbfindustry,urban.smart\r\nplan,0.5\r\n", b"industry,urban.smart\nplan,0.5,\n"):
        (tmp_path / "mixes.csv").write_bytes(raw)
        found = Experiment.from_mapping(data, "mine.yaml", tmp_path)
        assert [point.levels for point in found.points] == [{"industry": "plan", "urban.smart": 0.5}]
    (tmp_path / "mixes.csv").write_bytes("工業\n".encode("gbk"))
    with pytest.raises(InputError, match="mixes.csv: not a text file in UTF-8; a csv table is expected"):
        Experiment.from_mapping(data, "mine.yaml", tmp_path)


def test_an_ensemble_that_was_never_fitted_is_not_invented(monkeypatch: pytest.MonkeyPatch):
    """Without fitted vectors there is one answer; with them there is a run for each."""
    from migrasim.region import Region

    monkeypatch.setattr(Region, "ensemble", DataFrame())
    with pytest.raises(InputError, match="'ensemble' is not fitted for this region; allowed: best"):
        of(parameters="ensemble")
    vectors = DataFrame({"moving.income_elasticity": [1.2, 1.4], "moving.home_utility": [0.1, 0.3]})
    monkeypatch.setattr(Region, "ensemble", vectors)
    experiment = of(parameters="ensemble")
    assert len(experiment) == 8 and experiment.specs()[-1].parameters["moving.home_utility"] == 0.3
    assert len(of(parameters={"kind": "ensemble", "size": 1})) == 4
