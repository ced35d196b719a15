"""Boxes in which cases fall short, and differences of points, on batches whose answer is known."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from invented_batch import finished
from matplotlib.figure import Figure
from pandas import DataFrame, Series

from migrasim.analysis import differences, discovery
from migrasim.analysis.finished import Measure
from migrasim.core.errors import InputError
from migrasim.present import analyses, findings

FACTS = ["moving.income_elasticity", "moving.network_utility", "moving.settled_utility"]
FUTURES: dict[str, Any] = {
    "scenarios": ["plan"],
    "futures": ["central", "hard_times"],
    "parameters": {"kind": "latin_hypercube", "size": 120, "facts": FACTS},
    "replications": 2,
    "analyse": {"method": "discovery", "at_least": 0.5},
}


def falls_short(row: Any) -> float:
    """Below the threshold in hard times where the network matters little."""
    return 0.4 if row["future"] == "hard_times" and row["uncertain.moving.network_utility"] < 3.0 else 0.6


def test_the_box_that_was_put_in_is_found():
    """Hard times and a weak network, with its limit, all cases inside and none outside; replications are no cases."""
    batch = finished(FUTURES, falls_short)
    found = discovery.of_batch(batch, Measure(), 0.5)
    assert found.cases == 240
    box = found.boxes.iloc[0]
    assert box["density"] == 1.0 and box["coverage"] == 1.0 and box["low"] > 0.9
    limits = found.limits[found.limits["box"] == 1].set_index("name")
    assert limits.loc["moving.network_utility", "high"] == pytest.approx(3.0, abs=0.05)
    assert limits.loc["future", "value"] in ("hard_times", "central")
    assert found.skill > 0.95
    asked = analyses.request(batch)
    words = analyses.analyse(batch, asked).words
    assert re.search(r"below (2\.9|3)", words) and "100% of the cases fall short" in words
    assert "達不到" in analyses.analyse(batch, asked, "zh-Hant").words


def test_noise_is_not_told_as_a_finding():
    """Where nothing decides, the tree does no better than guessing on cases not seen, and the paragraph says so."""
    rng = np.random.default_rng(1)
    inputs = DataFrame(rng.random((200, 3)), columns=FACTS)
    found = discovery.discover(inputs, Series(rng.random(200)), 0.5)
    assert found.skill < 0.6
    batch = finished(FUTURES, falls_short)
    assert (
        "hardly better than guessing"
        in findings.of_discovery(found, inputs.assign(value=1.0), batch, Measure(), "en").words
    )


@pytest.mark.parametrize(("threshold", "which"), [(0.3, "no case falls short"), (0.9, "every case falls short")])
def test_a_threshold_that_parts_nothing_is_refused(threshold: float, which: str):
    """With the span in which one would part them."""
    with pytest.raises(InputError, match=f"{which}.*between 0.4 and 0.6"):
        discovery.of_batch(finished(FUTURES, falls_short), Measure(), threshold)


def test_too_few_cases_are_refused():
    """A tree over a handful of cases would find what is not there."""
    data = {**FUTURES, "parameters": "best"}
    with pytest.raises(InputError, match="at least 20 cases"):
        discovery.of_batch(finished(data, lambda row: 0.1), Measure(), 0.5)


def test_discovery_without_a_threshold_is_refused():
    """What falls short of nothing cannot be found."""
    batch = finished({name: each for name, each in FUTURES.items() if name != "analyse"}, falls_short)
    asked = analyses.request(batch, "discovery")
    with pytest.raises(InputError, match="needs a threshold"):
        analyses.analyse(batch, asked)


MIXES: dict[str, Any] = {
    "name": "mix",
    "design": {
        "kind": "factorial",
        "levers": {"industry": ["status_quo", "plan", "double"], "public_housing": ["status_quo", "plan"]},
    },
    "replications": 4,
}


def adds(row: Any) -> float:
    """Two points a step of industry, one of housing, beside luck that all points share."""
    step = {"status_quo": 0, "plan": 1, "double": 2}
    more = 0.02 * step[row["design.industry"]] + 0.01 * step[row["design.public_housing"]]
    return 0.5 + more + 0.1 * row["replication"]


def test_points_are_held_against_the_first_under_the_same_luck():
    """Luck that all share drops out of the differences; levels have their effects, the others at all of theirs."""
    batch = finished(MIXES, adds)
    found = differences.of_batch(batch, Measure())
    assert len(found.table) == 5 and found.against == "mix-0"
    top = found.table.set_index("scenario").loc["mix-5"]
    assert top["difference"] == pytest.approx(0.05) and top["low"] == pytest.approx(0.05) and top["chance"] == 1.0
    main = found.main.set_index(["factor", "level"])["difference"]
    assert main["industry", "double"] == pytest.approx(0.04) and main["public_housing", "plan"] == pytest.approx(0.01)
    words = findings.of_differences(found, batch, Measure(), "en").words
    assert "highest under Public housing at the plan, Industrial chains at double" in words.replace(
        "Industrial chains at double, Public housing at the plan",
        "Public housing at the plan, Industrial chains at double",
    )
    assert "Points clearly higher: 5 of 5, clearly lower: 0." in words


@pytest.mark.parametrize(("lang", "title"), [("en", "Hard times"), ("zh-Hant", "艱難時期")])
def test_one_scenario_is_told_once_and_futures_by_their_titles(lang, title):
    """Where only one is held against the reference it is not highest and lowest; legends have titles, not names."""
    plan = {"name": "two", "scenarios": ["status_quo", "plan"], "futures": ["central", "hard_times"], "replications": 3}
    batch = finished(plan, lambda row: 0.5 + 0.01 * (row["scenario"] == "plan") + 0.001 * row["replication"])
    said = findings.of_differences(differences.of_batch(batch, Measure()), batch, Measure(), lang)
    assert "lowest" not in said.words and "最低" not in said.words
    assert f"{100 * batch.about.sample:g}%" in said.source
    figure = Figure()
    said.draw(figure)
    assert title in [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_any_point_can_be_the_reference():
    """By its name or its number; one that is not there is named with its neighbour."""
    batch = finished(MIXES, adds)
    assert differences.of_batch(batch, Measure(), "5").table["difference"].max() < 0
    with pytest.raises(InputError, match="against: 'mix-9'"):
        differences.of_batch(batch, Measure(), "mix-9")


def test_runs_without_common_luck_make_no_pairs():
    """A difference between two lucks is no effect."""
    with pytest.raises(InputError, match="do not share their luck"):
        differences.of_batch(finished({**MIXES, "luck": "independent"}, adds), Measure())


@pytest.mark.parametrize("lang", ["en", "zh-Hant"])
@pytest.mark.parametrize("method", ["differences", "attribution", "sensitivity", "discovery"])
def test_every_finding_is_written_with_words_tables_and_a_figure(method: str, lang: Any, tmp_path: Any):
    """A folder with a page, CSV tables and a picture."""
    four = {"kind": "coalitions", "levers": ["industry", "public_housing"]}
    data, worth = {
        "differences": (MIXES, adds),
        "attribution": ({"design": four, "replications": 2}, lambda row: float(row["point"] + row["replication"] / 9)),
        "sensitivity": ({**FUTURES, "futures": ["central"]}, lambda row: row["uncertain.moving.network_utility"]),
        "discovery": (FUTURES, falls_short),
    }[method]
    batch = finished(data, worth)
    found = analyses.analyse(batch, analyses.request(batch, method), lang)
    paths = found.write(tmp_path / "found", lang)
    assert {path.suffix for path in paths} == {".md", ".csv", ".png"}
    assert all(path.stat().st_size > 50 for path in paths)
    assert found.words in (tmp_path / "found" / "words.md").read_text(encoding="utf-8")


def test_a_method_that_is_not_known_is_named_with_its_neighbour():
    """As every other name."""
    batch = finished(MIXES, adds)
    with pytest.raises(InputError, match="did you mean 'attribution'"):
        analyses.request(batch, "atribution")
    with pytest.raises(InputError, match="does not say how it is analysed"):
        analyses.request(batch)


@pytest.mark.parametrize(
    ("method", "given", "message"),
    [
        ("attribution", {"against": "plan"}, "--against: attribution takes nothing off"),
        ("differences", {"at_least": 0.5}, "--at-least: differences has no threshold"),
        ("discovery", {"at_least": float("nan")}, "--at-least: nan is not allowed; allowed: finite numbers"),
        ("differences", {"indicator": "place"}, "indicator: 'place' is not in the batch"),
        ("differences", {"indicator": ""}, "indicator: '' is not in the batch"),
        ("differences", {"against": ""}, "against: '' is not in the batch"),
    ],
)
def test_what_a_method_does_not_look_at_is_refused(method: str, given: dict[str, Any], message: str):
    """Nothing that is asked is left aside without a word."""
    batch = finished(MIXES, adds)
    with pytest.raises(InputError, match=message):
        analyses.analyse(batch, analyses.request(batch, method, **given))


def test_what_lies_in_a_folder_is_not_written_over(tmp_path: Path):
    """Figures and words of somebody else stay; those of an earlier analysis are replaced; a file is told as one."""
    batch = finished(MIXES, adds)
    found = analyses.analyse(batch, analyses.request(batch, "differences"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "figure.png").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="mine: the folder holds something other than an analysis"):
        found.write(tmp_path / "mine", "en")
    assert (tmp_path / "mine" / "figure.png").read_text(encoding="utf-8") == "mine"
    for _ in range(2):
        assert all(path.is_file() for path in found.write(tmp_path / "new" / "found", "en"))
    with pytest.raises(InputError, match="words.md: a file is in the way; give a folder"):
        found.write(tmp_path / "new" / "found" / "words.md", "en")
    with pytest.raises(InputError, match="words.md is a file; a folder is expected"):
        found.write(tmp_path / "new" / "found" / "words.md" / "x", "en")


def test_each_threshold_has_a_folder():
    """A discovery is not written over another one."""
    batch = finished(FUTURES, falls_short)
    names = {analyses.request(batch, "discovery", at_least=each).folder for each in (0.5, 0.55)}
    assert names == {"discovery-urbanization_rate-2035-0.5", "discovery-urbanization_rate-2035-0.55"}


def test_large_levels_are_written_out():
    """1,200 dwellings, not 1.2e+03; small ones keep their digits."""
    assert [findings.level_name(each, "en") for each in (1200, "12000.0", 0.5, -2)] == ["1,200", "12,000", "0.5", "-2"]


def test_points_on_another_scenario_are_not_called_the_status_quo():
    """The plan without one group is no status quo: its level is named."""
    data = {"name": "mix", "design": {**MIXES["design"], "scenario": "plan", "levers": {"industry": ["status_quo"]}}}
    assert findings.point_labels(finished(data, lambda row: 0.5), "en") == {"mix-0": "Industrial chains at status quo"}


def test_a_failed_run_moves_no_effect_of_a_level():
    """Only replications in which no run failed are averaged, and all levels are held against the first one."""
    design = {"kind": "factorial", "levers": {"industry": ["status_quo", "plan"], "transport": ["status_quo", "plan"]}}
    effect = {"status_quo": 0.0, "plan": 1.0}

    def worth(row: Any) -> float | None:
        if (row["replication"], row["point"]) in ((0, 0), (1, 3)):
            return None
        return 10 * effect[row["design.industry"]] + effect[row["design.transport"]] + row["replication"]

    main = differences.of_batch(finished({"design": design, "replications": 4}, worth), Measure()).main
    assert main[["factor", "level", "difference", "pairs"]].to_numpy().tolist() == [
        ["industry", "plan", 10.0, 2],
        ["transport", "plan", 1.0, 2],
    ]


def test_one_replication_tells_of_nothing_clear_and_equals_are_told() -> None:
    """Without an interval nothing is said to be clear or not; that a pair of equals counts half is."""

    def told(data: dict[str, Any], worth: Any) -> str:
        batch = finished(data, worth)
        return analyses.analyse(batch, analyses.request(batch, "differences")).words

    data: dict[str, Any] = {"scenarios": ["status_quo", "plan"]}
    words = told(data, lambda _: 0.5)
    assert "0.5 of 1 pairs" in words
    assert "A pair of equals counts half." in words
    assert "clearly" not in words
    data = {"scenarios": ["status_quo", "plan", "villages_first"], "replications": 3}
    more = told(data, lambda row: float(row["point"] > 0))
    assert "Points clearly higher: 2 of 2, clearly lower: 0." in more
    assert "equals" not in more


def test_cases_of_one_vector_are_one_draw_of_a_density() -> None:
    """Each vector in three futures: the interval of a box is that of its vectors."""
    facts = {"kind": "latin_hypercube", "size": 20, "facts": ["moving.network_utility"]}
    data = {"scenarios": ["plan"], "parameters": facts, "futures": ["central", "boom", "hard_times"]}
    batch = finished(data, lambda row: float(row["parameter_set"] % 2 + 0.01 * row["uncertain.moving.network_utility"]))
    found = discovery.of_batch(batch, Measure(), 0.5).boxes
    one = finished({**data, "futures": ["central"]}, lambda row: float(row["parameter_set"] % 2))
    alone = discovery.of_batch(one, Measure(), 0.5).boxes
    assert (found[["low", "high"]] - alone[["low", "high"]]).abs().to_numpy().max() < 1e-9
