"""Scenarios in pairs: differences with their intervals, tables, files, and what the command prints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pandas import DataFrame
from rich.cells import cell_len
from worlds import tiny_inputs, tiny_world

import migrasim as ms
from migrasim import cli
from migrasim.analysis import compare as comparing
from migrasim.analysis import reasons
from migrasim.analysis.compare import Comparison, paired
from migrasim.analysis.reasons import groups_table, reasons_table, terms_table
from migrasim.core.codes import Form
from migrasim.core.errors import InputError
from migrasim.core.language import LANGS
from migrasim.domains.moving.choice import FORM_STRIDE, STAY
from migrasim.facts import FactBook
from migrasim.order import Simulation
from migrasim.present import comparison as tables
from migrasim.present.language import CHOICES, GROUPS, PARTS, REASONS
from migrasim.runs import choices
from migrasim.runs.choices import CHANGE, NOT_THERE
from migrasim.welfare import AGES, QUINTILES, SCHOOLINGS, STUDENTS, Groups

CHAIN_SECTORS = [2, 3, 1, 1, 3, 3, 3, 8, 14]
OPTIONS = ["--sample=0.005", "--until=2022"]


@pytest.fixture
def two() -> Comparison:
    """Two scenarios and three pairs with invented numbers."""
    rates = {"status_quo": (0.50, 0.52, 0.51), "plan": (0.53, 0.54, 0.55)}
    rows = [
        {"run_id": "0", "scenario": name, "seed": seed, "year": year, "level": "prefecture", "place": "Somewhere",
         "urbanization_rate": rate + 0.01 * (year - 2021), "public_cost_yuan": 2e8}
        for name, each in rates.items() for seed, rate in enumerate(each) for year in (2021, 2022)
    ]  # fmt: skip
    reasons = DataFrame(
        [
            ("plan", 2021, "village", "stay", "stay", "seat", "whole", True, True, "income", "relief", 40.0, 120.0),
            ("plan", 2022, "seat", "stay", "stay", "far", "worker", True, False, "earlier_change", "", 10.0, 30.0),
            ("plan", 2022, "village", "seat", "whole", "stay", "stay", True, True, "considers", "reference", 5.0, 9.0),
            ("plan", 2022, "village", "stay", "stay", "core", "whole", False, False, "school", "", 7.0, 21.0),
        ],
        columns=[
            "scenario", "year", "lives", "from", "from_form", "to", "to_form", "carried_out", "first", "reason", "part",
            "households", "persons",
        ],
    )  # fmt: skip
    levers = DataFrame(
        {"scenario": "plan", "lever": "three_rights.titling", "unit": "share", "year": [2021, 2022],
         "reference": 0.8, "value": [0.85, 0.9]}
    )  # fmt: skip
    groups = DataFrame(
        [("plan", "all", "all", 100.0, 20000.0, 21000.0, 60.0, 30.0, 2500.0, -1200.0)],
        columns=[
            "scenario", "dimension", "group", "households", "reference_welfare_yuan_yr", "welfare_yuan_yr", "winners",
            "losers", "gain_yuan_yr", "loss_yuan_yr",
        ],
    )  # fmt: skip
    by_group = DataFrame(
        [("plan", "age", "under 35", "stay", "seat", "school", "", 30.0, 90.0)],
        columns=["scenario", "dimension", "group", "from", "to", "reason", "part", "households", "persons"],
    )
    named = {
        "indicators": DataFrame(rows), "reasons": reasons, "reasons_by_group": by_group, "levers": levers,
        "groups": groups,
    }  # fmt: skip
    notes: list[str | dict[str, str]] = [{"en": "Mind this.", "zh_hant": "請留意。"}]
    return Comparison("0123456789ab", ("status_quo", "plan"), (0, 1, 2), 0.1, 2020, 2022, named, notes, {"targets": {}})


def printed(comparison: Comparison, lang: str = "en", width: int = 200) -> str:
    from rich.console import Console

    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(tables.summary(comparison, lang, reasons=True))  # type: ignore[arg-type]
    return console.export_text()


def test_the_interval_is_students_over_the_pairs() -> None:
    """Differences 1, 1 and 2: mean 4/3, and 90 percent of Student's t with two degrees of freedom."""
    found = paired([1.0, 2.0, 3.0], [2.0, 3.0, 5.0])
    width = 2.919986 * np.sqrt(1 / 3) / np.sqrt(3)  # t of 0.95 with 2 degrees; standard deviation sqrt(1/3)
    assert found["difference"] == pytest.approx(4 / 3)
    assert (found["low"], found["high"]) == pytest.approx((4 / 3 - width, 4 / 3 + width), abs=1e-5)


def test_chances_have_their_own_interval() -> None:
    """Three of three is no certainty: the exact interval begins at 0.05 ** (1/3); ties count half."""
    found = paired([1.0, 2.0, 3.0], [2.0, 3.0, 5.0])
    assert (found["chance"], found["chance_high"]) == (1.0, 1.0)
    assert found["chance_low"] == pytest.approx(0.05 ** (1 / 3))
    assert paired([1.0, 1.0], [1.0, 2.0])["chance"] == 0.75
    none = paired([2.0, 2.0], [1.0, 1.0])
    assert (none["chance"], none["chance_low"]) == (0.0, 0.0)


def test_one_pair_has_no_interval() -> None:
    """What luck adds cannot be told from one pair."""
    found = paired([1.0], [2.0])
    assert found["difference"] == 1.0 and np.isnan(found["low"]) and np.isnan(found["high"])


def test_differences_are_by_year_and_paired_by_seed(two: Comparison) -> None:
    """A row a year; the mean of the differences of runs of one seed."""
    frame = two.difference("urbanization_rate")
    assert frame["year"].tolist() == [2021, 2022]
    assert frame["difference"].tolist() == pytest.approx([0.03, 0.03])
    assert frame["pairs"].tolist() == [3, 3] and frame["chance"].tolist() == [1.0, 1.0]


def test_unknown_indicators_places_and_columns_are_refused(two: Comparison) -> None:
    """One line that names the nearest."""
    with pytest.raises(InputError, match="did you mean 'urbanization_rate'"):
        two.difference("urbanisation_rate")
    with pytest.raises(InputError, match="did you mean 'Somewhere'"):
        two.difference("urbanization_rate", "Somewher")
    with pytest.raises(InputError, match="did you mean 'reason'"):
        two.reasons("reasn")


def test_reasons_can_be_summed(two: Comparison) -> None:
    """By reason, most households first; wishes that were not carried out are left out unless they are asked for."""
    summed = two.reasons("reason")
    assert summed["reason"].tolist() == ["income", "earlier_change", "considers"]
    assert summed["households"].tolist() == [40.0, 10.0, 5.0]
    assert two.reasons("carried_out")["households"].sum() == 62.0
    assert len(two.reasons()) == 4


def test_a_comparison_comes_back_from_its_folder(two: Comparison, tmp_path: Path) -> None:
    """What is written is read again, by the same function as a run."""
    comparing.write(two, tmp_path)
    back = ms.read(tmp_path)
    assert isinstance(back, Comparison)
    assert (back.scenarios, back.seeds, back.notes) == (two.scenarios, two.seeds, two.notes)
    for name, table in two.tables.items():
        assert back.tables[name].equals(table), name


def test_the_tables_are_printed_in_both_languages(two: Comparison) -> None:
    """Levers, differences with chances in words, reasons with first and later differences, winners and losers."""
    english, chinese = printed(two), printed(two, "zh-Hant")
    for text in (
        "SAMPLE: 10%", "Mind this.", "Land and homestead titling", "3 of 3: higher in all", "relief of rent",
        "45 households chose otherwise", "55 times in all; 7 more times only the wish", "far outside", "+2,500",
        "-1,200", "schools for children 100%",
    ):  # fmt: skip
        assert text in english, text
    for text in ("請留意。", "房租減免", "不遷移", "受損戶"):
        assert text in chinese, text


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("lang", LANGS)
def test_no_number_is_cut_in_a_narrow_terminal(two: Comparison, lang: str, width: int) -> None:
    """From 80 columns on every number stands whole, no line is wider than the terminal, and none ends in dots."""
    large = {name: two.tables[name].copy() for name in ("groups", "reasons", "reasons_by_group")}
    large["groups"][list(large["groups"].columns[3:])] *= 1234.0
    for name in ("reasons", "reasons_by_group"):
        large[name]["households"] *= 1234.0
    rows = two.indicators.assign(urban_population=1_072_100.0, absent_population=575_700.0)
    wide = replace(two, tables={**two.tables, **large, "indicators": rows})
    text = printed(wide, lang, width)
    assert "…" not in text
    assert max(map(cell_len, text.splitlines())) <= width
    for number in ("123,400", "24,680,000", "+3,085,000", "-1,480,800", "1,072,100", "49,360", "37,020", "55,530"):
        assert number in text, number


def test_chinese_tables_are_chinese_throughout(two: Comparison) -> None:
    """Units, groups and scenarios have Chinese names."""
    titles = {"plan": {"en": "The plan", "zh_hant": "按規劃執行"}, "status_quo": {"en": "None", "zh_hant": "維持現狀"}}
    text = printed(replace(two, provenance=two.provenance | {"scenario_titles": titles}), "zh-Hans")
    assert [part for part in ("按规划执行", "维持现状", "比例", "年龄", "35岁以下") if part not in text] == []
    assert [word for word in ("plan", "status_quo", "share", "age") if word in text] == []


def test_decisions_are_headed_as_times(two: Comparison) -> None:
    """A household that decides otherwise in several years counts several times, so the column is no households."""
    text = printed(two)
    what, who = (text[text.index(title) :] for title in ("From what to what", "Who chose otherwise"))
    for table in (what[: what.index("Who chose")], who[: who.index("Who gains")]):
        assert "Times" in table and "Households" not in table


def test_groups_say_what_they_are(two: Comparison) -> None:
    """Fifths are those of the base year, and age and schooling are those of one member of the household."""
    text = printed(two)
    for title in ("Who chose otherwise", "Who gains and who loses"):
        told = " ".join(text[text.index(title) :].split())
        assert "fifths of income are those of 2020" in told
        assert "oldest member of working age" in told and "most schooled member" in told


def test_every_reason_has_a_title() -> None:
    """Whatever a table may hold has words in English and Chinese."""
    assert set(choices.REASONS) == set(REASONS)
    assert set(choices.ALL_PARTS) - {""} == set(PARTS)
    geography = tiny_world(50).geography
    assert set(reasons.tiers(geography)) | {reasons.STAYS, reasons.ABSENT} == set(CHOICES)
    assert {*QUINTILES, STUDENTS, *SCHOOLINGS, *AGES} < set(GROUPS)


def test_changes_are_counted_by_what_they_are() -> None:
    """Two of a kind make one row, weighted; a household that is not there chose nothing."""
    geography = tiny_world(50).geography
    changes = np.zeros(3, CHANGE)
    seat = 2  # of the first county, which is the core
    changes["year"], changes["persons"], changes["place"] = 2021, [2, 3, 4], [0, 0, 1]
    changes["a"], changes["b"] = [STAY, STAY, NOT_THERE], [seat * FORM_STRIDE + Form.WHOLE] * 3
    changes["carried_out"] = True
    changes["reason"] = [0, 0, choices.REASONS.index(choices.ONE_RUN)]
    changes["credit"][:2, 0], changes["credit"][:2, 1] = 0.75, 0.25
    table = reasons_table(changes, geography, 10.0)
    assert table["households"].tolist() == [10.0, 20.0] and table["persons"].tolist() == [40.0, 50.0]
    assert table["from"].tolist() == ["not_there", "stay"] and table["to"].tolist() == ["core", "core"]
    terms = terms_table(changes, 10.0)
    assert terms["households"].tolist() == [20.0, 0.0]
    assert terms["households_shared"].tolist() == [15.0, 5.0]


def test_who_wins_and_who_loses_can_be_counted() -> None:
    """The same world wins and loses nothing; with every dwelling of renters cheaper some win and nobody loses."""
    worlds = [Simulation.start(tiny_world(600, inputs=tiny_inputs()), CHAIN_SECTORS).world for _ in range(2)]
    groups = Groups.of(worlds[0], reasons.welfare(worlds[0]))
    same = groups_table(worlds[0], worlds[1], groups)
    assert (same["winners"] == 0).all() and (same["losers"] == 0).all()
    worlds[1].place.rent_yuan_yr *= 0.5
    cheaper = groups_table(worlds[0], worlds[1], groups).set_index(["dimension", "group"])
    assert cheaper.loc[("all", "all"), "winners"] > 10 and (cheaper["losers"] == 0).all()
    assert STUDENTS not in cheaper.index.get_level_values("group")
    for dimension in groups.names:
        assert cheaper.loc[dimension, "winners"].sum() == cheaper.loc[("all", "all"), "winners"]
    back = groups_table(worlds[1], worlds[0], groups).set_index(["dimension", "group"])
    assert back.loc[("all", "all"), "losers"] > 10 and (back["winners"] == 0).all()


def test_what_cannot_be_compared_is_refused() -> None:
    """One scenario, two of one name, no pairs: one line each."""
    one = ms.Scenario.load("plan", FactBook.load())
    for scenarios, replications, words in (
        ([one], 1, "two scenarios"), ([one, one], 1, "two scenarios are named 'plan'"),
        ([one, SimpleNamespace(name="other")], 0, "replications: 0"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            comparing.check_request(scenarios, replications)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a list of scenarios"):
        ms.compare("plan")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["compare", "plan"], "two scenarios"),
        (["compare", "plan", "plan"], "two scenarios are named"),
        (["compare", "plan", "status_qou"], "did you mean 'status_quo'"),
        (["compare", "status_quo", "plan", "--replications", "0"], "replications"),
        (["compare", "status_quo", "plan", "--sample", "2"], "--sample"),
    ],
)
def test_wrong_input_to_the_command_is_one_line(arguments, words, capsys, workdir) -> None:
    """Code 2, one line, nothing written."""
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    said = capsys.readouterr().err.splitlines()
    assert end.value.code == 2 and len(said) == 1 and words in said[0]
    assert list(workdir.iterdir()) == []


def test_a_comparison_is_kept_though_nobody_reads_its_table(two: Comparison, monkeypatch, workdir) -> None:
    """A closed pipe ends the printing, not the results."""

    def gone(*_: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("migrasim.analysis.compare.compare", lambda *_, **__: two)
    monkeypatch.setattr("migrasim.cli.compare.show", gone)
    with pytest.raises(SystemExit) as end:
        cli.main(["compare", "status_quo", "plan", "--out=both"])
    assert end.value.code == 0
    assert isinstance(ms.read("both"), Comparison)


@pytest.mark.model
def test_the_command_and_python_agree(capsys, workdir) -> None:
    """Two pairs on the region that ships: the tables of the command are those of Python, and the runs those of run."""
    with pytest.raises(SystemExit) as end:
        cli.main(["compare", "status_quo", "plan", "--replications=2", *OPTIONS, "--reasons", "--out=both"])
    assert end.value.code == 0
    assert "What tipped them" in capsys.readouterr().out
    stored = ms.read("both")
    fresh = ms.compare(["status_quo", "plan"], replications=2, sample=0.005, until=2022)
    assert isinstance(stored, Comparison) and stored.comparison_id == fresh.comparison_id
    for name, table in fresh.tables.items():
        assert stored.tables[name].equals(table), name
    alone = ms.run("plan", seed=1, sample=0.005, until=2022).prefecture()
    rows = fresh.indicators.query("scenario == 'plan' and seed == 1 and level == 'prefecture'")
    assert rows["urban_population"].tolist() == alone["urban_population"].tolist()
    assert {"residence_permit.education", "transport.intercounty"} < set(fresh.levers()["lever"])
