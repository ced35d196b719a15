"""Tables and figures that people read."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pandas as pd
import pytest
from rich.cells import cell_len
from rich.console import Console

from migrasim.analysis.band import Band
from migrasim.analysis.ensemble import Spread
from migrasim.core.errors import InputError
from migrasim.core.language import LANGS, simplified, title_in
from migrasim.facts import FactBook
from migrasim.indicators import COMPONENTS
from migrasim.present import figures, judgement, language, sheet, tables
from migrasim.present.chinese import said
from migrasim.present.progress import progress

_HEADLINE = ("urbanization_rate", "urban_population")


def _text(thing, width: int = 200) -> str:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(thing)
    return capture.get()


@pytest.mark.parametrize(
    ("traditional", "expected"),
    [
        ("城鎮化率", "城镇化率"),
        ("公佈值", "公布值"),
        ("戶籍人口", "户籍人口"),
        ("就業加住房", "就业加住房"),
        ("乾隆與乾旱", "乾隆与干旱"),  # one character, two readings: a table of characters would fail
        ("rent 2035", "rent 2035"),
    ],
)
def test_simplified_is_made_from_traditional(traditional, expected):
    """Simplified Chinese follows words, not single characters, and leaves the rest alone."""
    assert simplified(traditional) == expected


def test_a_title_given_in_simplified_wins():
    """A title's own zh_hans is used where there is one; English stands in where Chinese is missing."""
    assert title_in({"en": "a", "zh_hant": "後", "zh_hans": "自己的"}, "zh-Hans") == "自己的"
    assert title_in({"en": "a", "zh_hant": "後面"}, "zh-Hans") == "后面"
    assert title_in({"en": "a"}, "zh-Hant") == "a"


def test_every_component_of_the_decomposition_has_a_title():
    """No component is shown by its bare name."""
    assert set(COMPONENTS) == set(language.COMPONENTS)


@pytest.mark.parametrize("key", language.PHRASES)
def test_phrases_take_the_same_values_in_both_languages(key):
    """A phrase never asks for a value in one language that it drops in the other."""
    english, chinese = (set(re.findall(r"{(\w+)}", text)) for text in language.PHRASES[key])
    assert english == chinese


def test_the_trajectory_shows_rates_people_record_and_distance(make_result):
    """A row holds the rate in percent, the published figure and the distance to the target of its year."""
    lines = _text(tables.trajectory(make_result())).splitlines()
    row = {year: next(line for line in lines if f" {year} " in line) for year in (2021, 2025)}
    assert "45.96" in row[2021]  # 455 / 990
    assert "46.02" in row[2021]
    assert "910" in row[2021]
    assert "600" in row[2021]
    assert "50.00" in row[2025]  # 475 / 950
    assert "55.00" in row[2025]
    assert "-5.00" in row[2025]


def test_the_record_before_the_base_year_is_not_shown(make_result):
    """Years that were not run have no row."""
    assert "34.47" not in _text(tables.trajectory(make_result()))


def test_the_decomposition_adds_up_over_its_spans(make_result):
    """Spans end at the targets' years, the last one is the whole, and components add up to their sum."""
    text = _text(tables.decomposition(make_result()))
    assert "2020-2025" in text
    assert "2025-2026" in text
    assert "2020-2026" in text
    assert re.search(r"Moves from villages.*\+3\.75.*\+0\.75.*\+4\.50", text)
    assert re.search(r"Sum.*\+5\.00.*\+1\.00.*\+6\.00", text)


def test_components_that_never_contribute_are_left_out(make_result):
    """A source that is 0 in every year has no row."""
    result = make_result()
    result.decomposition.loc[result.decomposition["component"] == "departures_rural", "points"] = 0.0
    assert "Departures" not in _text(tables.decomposition(result))


def test_a_sample_is_said_first(make_result):
    """A sampled run says so before any number, in the reader's language."""
    assert _text(tables.summary(make_result(sample=0.02))).startswith("SAMPLE: 2% of the households")
    assert "抽样" in _text(tables.summary(make_result(sample=0.02), "zh-Hans"))
    assert "SAMPLE" not in _text(tables.summary(make_result()))


def test_notes_of_a_run_are_shown(make_result):
    """Warnings of a run stand above its numbers."""
    text = _text(tables.summary(make_result(notes=("jobs were clipped [to] the bounds",))))
    assert text.index("jobs were clipped [to] the bounds") < text.index("Trajectory")


@pytest.mark.parametrize("lang", LANGS)
def test_the_summary_is_written_in_each_language(make_result, lang):
    """Heads and components are in the language that was asked for."""
    expected = {"en": "Registered rate", "zh-Hant": "戶籍城鎮化率", "zh-Hans": "户籍城镇化率"}[lang]
    assert expected in _text(tables.summary(make_result(), lang))


def _large(result):
    """The same result for a region of millions, with money and counties."""
    frame = result.indicators
    sizes = ["resident_population", "urban_population", "absent_population"]
    frame = frame.assign(**{name: 1_234.0 * frame[name] for name in sizes}, public_cost_yuan=5_744_548_590.0)
    groups = result.groups.assign(persons=932_800.0, urban_persons=932_800.0, welfare_yuan_yr=-162_757.0)
    named = {"registered outside": "county", "Zhuanglang": "county", "primary or none": "schooling"}
    more = [groups.assign(dimension=by, group=name) for name, by in named.items()]
    return replace(result, indicators=frame, groups=pd.concat([groups, *more], ignore_index=True))


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("lang", LANGS)
def test_no_number_is_cut_in_a_narrow_terminal(make_result, lang, width):
    """From 80 columns on every number stands whole, no line is wider than the terminal, and none ends in dots."""
    table = pd.DataFrame(
        [(year, name, *each)
         for year in (2025, 2026)
         for name, each in {"urbanization_rate": (0.5, 0.6, 0.7), "urban_population": (1e6, 2e6, 3e6)}.items()],
        columns=["year", "indicator", "low", "median", "high"],
    )  # fmt: skip
    drawn = Band("plan", table, pd.DataFrame(index=range(12)), 57, 67)
    large = _large(make_result())
    parts = [*tables.band(drawn, large, lang), tables.summary(large, lang)]
    text = "".join(_text(part, width) for part in parts)
    assert "…" not in text
    assert max(map(cell_len, text.splitlines())) <= width
    for number in ("2,468,000", "740,400", "5,744,548,590", "932,800", "-162,757", "1,000,000", "3,000,000"):
        assert number in text, number


@pytest.mark.parametrize(("high", "told"), [(0.9, False), (0.2, True)])
def test_a_run_outside_its_own_range_says_so(make_result, high, told):
    """A range that leaves out the run beside it is explained; how the draws were brought to the run is told."""
    ends = [(2026, name, 0.0, high / 2, 1e9 if name == "urban_population" else high) for name in _HEADLINE]
    table = pd.DataFrame(ends, columns=["year", "indicator", "low", "median", "high"])
    drawn = Band("plan", pd.concat([table, table.assign(year=2025)]), pd.DataFrame(index=range(12)), 57, 67, 0.02)
    text = " ".join("".join(_text(part) for part in tables.band(drawn, make_result())).split())
    assert ("this run lies outside the range: its ends are those of 12 draws only" in text) == told
    moved = " ".join("".join(_text(part) for part in tables.band(replace(drawn, moved=True), make_result())).split())
    assert "run with 2% of the households" in text and "added to this run" not in text
    assert "run with 2% of the households, and so were the plan's own values" in moved and "added to this run" in moved


def test_a_median_outside_the_band_beside_it_is_explained():
    """A band of few lucks need not hold the median of the vectors: the note counts such rows."""
    columns = ["scenario", "year", "indicator", "source", "low", "median", "high"]
    rows = [("plan", 2035, "urban_population", "parameters", 5.0, 6.0, 7.0)]
    inside, outside = [("plan", 2035, "urban_population", "chance", low, 8.0, 9.0) for low in (5.5, 7.5)]
    for chance, count in ((inside, 0), (outside, 1)):
        levels = pd.DataFrame([*rows, chance], columns=columns)
        found = judgement.spread_tables(Spread(levels, levels.iloc[:0], 40, 2), "en")
        notes = [one.text for one in found if isinstance(one, sheet.Prose)]
        assert len(notes) == count
        assert all(note.startswith("In 1 of 1 rows the median lies outside") for note in notes)
    found = judgement.spread_tables(Spread(levels, levels.iloc[:0], 40, 2, (53, 158)), "en")
    told = [one.text for one in found if isinstance(one, sheet.Prose)][-1]
    assert "a lower end of what is unknown" in told and "53 of 158 published figures" in told


def test_bands_of_scenarios_are_called_by_their_titles_in_chinese():
    """In English the name that is typed; in Chinese the title, and the name where a scenario has none."""
    columns = ["scenario", "year", "indicator", "source", "low", "median", "high"]
    levels = pd.DataFrame(
        [
            (name, 2035, "urban_population", source, 5.0, 6.0, 7.0)
            for name in ("plan", "mine")
            for source in ("parameters", "chance")
        ],
        columns=columns,
    )
    titles = {"plan": {"en": "The plan as written", "zh_hant": "按規劃執行"}}
    for lang, called in (("en", "plan"), ("zh-Hant", "按規劃執行"), ("zh-Hans", "按规划执行")):
        found = judgement.spread_tables(Spread(levels, levels, 40, 2, None, titles), lang)
        for one in found:
            text = _text(one)
            assert called in text and "mine" in text and ("plan" in text) == (lang == "en")


def test_chinese_tables_are_chinese_throughout(make_result):
    """Units, groups, counties and the scenario have Chinese names, in both kinds of characters."""
    large = _large(make_result())
    large = replace(large, provenance=large.provenance | {"scenario_title": {"en": "x", "zh_hant": "按規劃執行"}})
    for lang, parts in {
        "zh-Hant": ("按規劃執行", "元/年（2020年價）", "莊浪縣", "收入", "學歷", "戶籍在外地"),
        "zh-Hans": ("按规划执行", "元/年（2020年价）", "庄浪县", "收入", "学历", "户籍在外地"),
    }.items():
        text = _text(tables.summary(large, lang))
        assert [part for part in parts if part not in text] == []
        assert [word for word in ("yuan", "Zhuanglang", "income", "county", "plan") if word in text] == []


def test_chinese_breaks_between_characters_and_never_within_a_number():
    """Marks cling to what they belong to; each language breaks where its readers expect it."""
    assert sheet.broken("另有1,700戶次（僅意願）", 6).split("\n") == ["另有", "1,700", "戶次", "（僅意", "願）"]
    assert sheet.broken("Urban residents", 9).split("\n") == ["Urban", "residents"]


def test_a_table_that_is_too_wide_is_parted():
    """Each part has the first columns again, and every number stands whole somewhere."""
    one = sheet.Sheet("Title", "Caption")
    one.words("Name", key=True)
    one.numbers(*(f"Number {k}" for k in range(12)))
    one.row("label", *(f"{10**9 + k:,}" for k in range(12)))
    text = _text(one, 80)
    assert text.count("label") == text.count("Name") > 1
    assert all(f"{10**9 + k:,}" in text for k in range(12))
    assert text.count("Title") == text.count("Caption") == 1


def test_clusters_are_told_in_the_units_of_each_language(make_result):
    """10 billion yuan in English are 100億 in Chinese."""
    clusters = [{"year": 2026, "yuan": 1e10, "count": 3}]
    result = replace(make_result(), provenance=make_result().provenance | {"clusters": clusters})
    assert "chains of 10 billion yuan and more" in _text(tables.chains(result))
    assert "100億元級" in _text(tables.chains(result, "zh-Hant"))


def test_the_groups_say_whose_age_and_schooling_they_go_by(make_result):
    """A group of households by age is not the people of that age."""
    text = " ".join(_text(tables.groups(make_result())).split())
    assert "oldest member of working age" in text and "most schooled member" in text


def test_a_listing_keeps_names_whole_and_brackets_as_they_are():
    """The first column is never broken, and text such as [a] is not taken for markup."""
    name = "public_housing.affordable_rental_units"
    text = _text(tables.listing(["lever", "source"], [(name, "[a] " + "word " * 40)]), width=80)
    assert name in text
    assert "[a]" in text


@pytest.mark.parametrize("width", [80, 100, 120, 160])
@pytest.mark.parametrize("lang", LANGS)
def test_a_listing_breaks_no_number_at_any_width(width, lang):
    """Where columns would be too narrow, each row is a paragraph, and every number and name stands whole."""
    rows = [
        (each.id, *map(tables.number, (each.bounds, each.plan.values or each.plan.value)), each.plan.source, each.file)
        for each in FactBook.load().levers.values()
    ]
    text = _text(tables.listing(["lever", "bounds", "plan", "source", "file"], rows, lang), width)
    number = r"\d[\d.,]*(?<=\d)"
    wanted = Counter(re.findall(number, " ".join(said(cell, lang) for row in rows for cell in row)))
    assert wanted - Counter(re.findall(number, text)) == Counter()
    assert [name for row in rows for name in (row[0], row[-1]) if name not in text] == []
    assert max(map(cell_len, text.splitlines())) <= width


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (0.1, "0.1"),
        (27800.0, "27,800"),
        (1234567.891, "1,234,567.891"),
        ({2025: 1.0, 2035: 0.5}, "2025: 1, 2035: 0.5"),
        ((0.8, 3.2), "[0.8, 3.2]"),
        ("text", "text"),
    ],
)
def test_numbers_are_short_and_exact(value, expected):
    """A number of a fact is shown with all its digits and no more."""
    assert tables.number(value) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (4000 / 3, "jobs by 2035", "1,333"),
        (-0.4, "persons", "0"),
        (2 / 3, "share", "0.667"),
        (12.5, "yuan per month", "12.5"),
        (7000.0, "yuan per mu", "7,000"),
        (0.25, "months", "0.25"),
        (float("nan"), "jobs", ""),
    ],
)
def test_results_are_rounded_by_their_unit(value, unit, expected):
    """Nobody reads a third of a job: things are counted whole, the rest has three digits."""
    assert tables.amount(value, unit) == expected


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_figure_of_a_trajectory_is_drawn(make_result, tmp_path, lang, ending):
    """Two runs fit one figure in each language, with or without a Chinese font, and no warning is raised."""
    path = tmp_path / f"trajectory.{ending}"
    results = [make_result(scenario="status_quo"), make_result(sample=0.1)]
    assert figures.trajectory(results, path, lang) == path
    assert path.stat().st_size > 10_000


def test_dollars_in_a_name_are_dollars(make_result, tmp_path):
    """A name is drawn as it stands, whatever it would mean as a formula."""
    import matplotlib as mpl

    result = make_result()
    name = {"en": r"from $5 to $\frac{", "zh_hant": r"$5 到 $\frac{"}
    named = replace(result, provenance={**result.provenance, "scenario_title": name})
    with mpl.rc_context({"svg.fonttype": "none"}):
        text = figures.trajectory([named], tmp_path / "f.svg").read_text(encoding="utf-8")
    assert name["en"] in text


def test_the_figure_has_title_units_legend_and_source(make_result, tmp_path):
    """A figure can be read alone: it names region, units, runs, seed, and says how far it was fitted."""
    import matplotlib as mpl

    with mpl.rc_context({"svg.fonttype": "none"}):
        text = figures.trajectory([make_result()], tmp_path / "f.svg").read_text(encoding="utf-8")
    for part in (
        "Somewhere",
        "share of people, %",
        "thousand people",
        "published",
        "target",
        "0123456789ab",
        "fitted, and roughly",
    ):
        assert part in text


def test_a_figure_that_cannot_be_written_is_an_error_of_the_input(make_result, tmp_path):
    """A missing folder or an unknown ending is told in one line."""
    with pytest.raises(InputError, match="cannot be written"):
        figures.trajectory([make_result()], tmp_path / "no" / "f.png")
    with pytest.raises(InputError, match="cannot be written"):
        figures.trajectory([make_result()], tmp_path / "f.nonsense")
    with pytest.raises(InputError, match="at least one run"):
        figures.trajectory([], tmp_path / "f.png")


def test_there_is_no_progress_bar_without_a_terminal(capsys):
    """Output that is piped holds no bar."""
    with progress(Console(stderr=True), 2020, 2035) as on_phase:
        assert on_phase is None
    assert capsys.readouterr().err == ""


def test_the_progress_bar_names_year_and_phase():
    """On a terminal the bar shows the year and the phase that runs."""
    console = Console(force_terminal=True, width=100, color_system=None)
    with console.capture() as capture, progress(console, 2020, 2035) as on_phase:
        assert on_phase is not None
        on_phase(2027, "moving", 5, 12)
    assert "2027" in capture.get()
    assert "moving" in capture.get()
    assert "43%" in capture.get()  # 6 years and 5 of 12 phases, of 15 years
