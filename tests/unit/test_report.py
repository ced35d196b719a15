"""The report: one file that holds everything, in every language, whatever stands in the results."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from quick_runs import made_of

from migrasim import __version__, cli
from migrasim.analysis import compare
from migrasim.analysis.missed import left_out
from migrasim.analysis.shipping import held
from migrasim.core.errors import InputError
from migrasim.core.language import LANGS
from migrasim.facts import FactBook
from migrasim.inputs import Inputs
from migrasim.present import report
from migrasim.present.language import COMMON
from migrasim.present.model_error import model_error
from migrasim.present.report import charts, sections
from migrasim.present.report.again import again as make_again
from migrasim.present.report.charts import inline
from migrasim.present.report.headline import headline
from migrasim.present.report.view import view
from migrasim.present.report.words import LIMITS, WORDS
from migrasim.region import Region
from migrasim.runs import store
from migrasim.runs.batch import Batch
from migrasim.runs.result import Made, RunResult
from migrasim.runs.runner import run_batch
from migrasim.runs.spec import RunSpec
from migrasim.scenario import Scenario

SECTIONS = (
    "headline", "trajectory", "decomposition", "counties", "costs", "groups", "levers", "indicators", "limits", "again",
    "assumptions",
)  # fmt: skip
HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(1)>$\\frac{a}$"
VOID = {"meta", "br", "img", "link", "hr", "input"}


class Page(HTMLParser):
    """What a page holds: tags that were opened, ids, attributes, text; tags that were never closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def _note(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_starttag(self, tag, attrs):
        """A tag that is open until it is closed."""
        self._note(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """`<path/>` and its like."""
        self._note(tag, attrs)

    def handle_endtag(self, tag):
        """Tags are closed in the order in which they were opened."""
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Words between tags."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """All words, a blank between them."""
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def plan_inputs():
    """The shipped plan, resolved until 2026."""
    return Inputs.build(FactBook.load(), Region.only(), Scenario.load("plan", FactBook.load()), until=2026)


@pytest.fixture
def run(make_result, plan_inputs):
    """A small run that says it is the plan, with the plan's levers and the counties of the region that ships."""
    result = make_result()
    region = Region.only()
    county = result.indicators[result.indicators["level"] == "county"]
    rows = [result.indicators[result.indicators["level"] == "prefecture"]]
    rows += [county.assign(place=name) for name in region.county_names]
    levers = {
        name: {
            str(year): [float(x) for x in row]
            for year, row in zip(plan_inputs.years, plan_inputs.lever_path(name), strict=True)
        }
        for name in FactBook.load().levers
    }
    about = {"name": region.name, "title": dict(region.title), "hash": region.region_hash}
    frame = pd.concat(rows, ignore_index=True)
    for number, name in enumerate(("county", "higher", "enterprise", "household")):
        frame[f"{name}_cost_yuan"] = 1e8 * (number + 1)
    parameters = {"moving.income_elasticity": plan_inputs.parameters.get("moving.income_elasticity", 1.5)}
    provenance = {**result.provenance, "levers": levers, "region": about, "future": "central", "alternatives": []}
    provenance["parameters"] = parameters
    return replace(result, indicators=frame, provenance=provenance)


@pytest.fixture
def comparison(run, plan_inputs):
    """Two scenarios in two pairs, of invented numbers; the second has more people in town."""
    status_quo = {
        name: {str(year): [float(x) for x in plan_inputs.status_quo(name)] for year in plan_inputs.years}
        for name in FactBook.load().levers
    }
    frames, runs, splits = [], [], []
    for scenario, more in (("status_quo", 0.0), ("plan", 30.0)):
        for seed in (0, 1):
            marks = {"scenario": scenario, "seed": seed}
            frame = run.indicators.assign(**marks)
            frame["urban_population"] += more * (frame["year"] - 2020) + seed
            frame["urbanization_rate"] = frame["urban_population"] / frame["resident_population"]
            frames.append(frame)
            splits.append(run.decomposition.assign(**marks))
            levers = run.provenance["levers"] if scenario == "plan" else status_quo
            one = replace(run, seed=seed, scenario=scenario, provenance={**run.provenance, "levers": levers})
            runs.append(store.run_row(one))
    gains = {"winners": 60.0, "losers": 10.0, "gain_yuan_yr": 900.0, "loss_yuan_yr": -300.0}
    groups = [
        {"scenario": "plan", "dimension": dimension, "group": name, "households": 100.0,
         "reference_welfare_yuan_yr": 9000.0, "welfare_yuan_yr": 9600.0, **gains}
        for dimension, name in (("all", "all"), ("income", "poorest fifth"), ("county", "Kongtong"))
    ]  # fmt: skip
    tables = {
        "runs": pd.DataFrame(runs),
        "indicators": pd.concat(frames, ignore_index=True),
        "decomposition": pd.concat(splits, ignore_index=True),
        "groups": pd.DataFrame(groups),
    }
    names = ("status_quo", "plan")
    return compare.Comparison("abcdefabcdef", names, (0, 1), 1.0, 2020, 2026, tables, [], run.provenance)


@pytest.fixture(scope="module")
def written() -> dict[tuple[str, str], str]:
    """Reports that were written before: charts take their time."""
    return {}


@pytest.fixture
def page_of(written, request) -> Callable[..., str]:
    """The report of the small run, or of the comparison, as it stands above."""

    def page(kind: str, lang: str = "en") -> str:
        if (kind, lang) not in written:
            written[kind, lang] = report.page(request.getfixturevalue(kind), lang)
        return written[kind, lang]

    return page


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("kind", ["run", "comparison"])
def test_a_report_is_whole_in_every_language(kind, lang, page_of):
    """All sections are there, every tag is closed, ids are unique, links inside lead somewhere."""
    page = Page(page_of(kind, lang))
    assert not page.open
    assert set(SECTIONS) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    links = {value[1:] for _, name, value in page.attributes if name == "href"}
    assert links <= set(page.ids)
    assert {
        "chart-trajectory",
        "chart-people",
        "chart-decomposition",
        "chart-map",
        "chart-costs",
        "chart-groups",
    } <= set(page.ids)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("kind", ["run", "comparison"])
def test_each_chart_is_drawn_for_paper_and_for_a_phone(kind, lang, page_of):
    """Beside each wide chart stands a narrow one whose letters are large enough, with its source in words below."""
    _, *drawn = page_of(kind, lang).split('<div class="wide">')
    assert len(drawn) >= 6
    for svg in drawn:
        wide, narrow = svg.split('<div class="narrow">')
        widths = [float(re.search(r'viewBox="0 0 ([\d.]+)', each)[1]) for each in (wide, narrow)]
        assert widths == pytest.approx([576.0, 244.8])
        assert "migrasim" in re.search(r"</svg>\s*<small>(.*?)</small></div>", narrow, re.DOTALL)[1]


def test_no_file_but_a_page_is_written_over(tmp_path):
    """A scenario or table that was named by mistake stays; an empty file and a page of before are replaced."""
    from migrasim.core.errors import InputError
    from migrasim.present.places import check_file

    other, page, empty = tmp_path / "plan.yaml", tmp_path / "page.html", tmp_path / "empty"
    other.write_text("name: plan", encoding="utf-8")
    page.write_text("<!DOCTYPE html>\n<html>", encoding="utf-8")
    empty.touch()
    for fine in (page, empty, tmp_path / "new.html"):
        check_file(fine)
    with pytest.raises(InputError, match="plan.yaml: the file holds something other than such a page"):
        check_file(other)
    with pytest.raises(InputError, match="a folder is in the way"):
        check_file(tmp_path)


def test_the_folder_of_a_report_is_made(run, tmp_path, workdir, capsys):
    """As for results: `--out` may lie in folders that are not there; a file in the place of one is wrong input."""
    (tmp_path / "run").mkdir()
    store.write(run, tmp_path / "run")
    code, out, _ = _command(capsys, "report", tmp_path / "run", "--out", "new/folder/page.html")
    assert (code, "new/folder/page.html" in out) == (0, True)
    assert "</html>" in (workdir / "new/folder/page.html").read_text(encoding="utf-8")
    (workdir / "file").touch()
    code, _, err = _command(capsys, "report", tmp_path / "run", "--out", "file/page.html")
    assert code == 2 and err.endswith("file is a file; a folder is expected\n") and "file/page.html: cannot be" in err
    code, _, err = _command(capsys, "report", tmp_path / "run", "--out=~nobody-here/page.html")
    assert code == 2 and "there is no folder of such a user" in err


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("folder", "folder: a folder is in the way; give a file"),
        ("file/page.md", "file is a file; a folder is expected"),
        ("other.md", "the marks '<!-- made by the command: from here -->' and"),
        ("picture.md", "not a text file in UTF-8; give a new file"),
    ],
)
def test_a_page_that_could_not_be_written_is_refused_before_the_runs(workdir, capsys, monkeypatch, name, says):
    """`validate --page`, `levers --effects --out` and a page of monitoring: hours of runs come after the check."""
    from migrasim.analysis import validation
    from migrasim.runs import runner

    for module, made in ((validation, "validate"), (runner, "run_batch")):
        monkeypatch.setattr(module, made, lambda *_, **__: pytest.fail("runs were made"))
    (workdir / "folder").mkdir()
    (workdir / "file").touch()
    (workdir / "other.md").write_text("# Mine\n", encoding="utf-8")
    (workdir / "picture.md").write_bytes(b"\x89PNG\xff\xfe")
    code, _, err = _command(capsys, "validate", "--page", name)
    assert code == 2 and err.count("\n") == 1 and says in err
    (workdir / "seen.csv").write_text(
        "year,place,indicator,value,unit,basis\n2021,Pingliang,residents,182.47,10k persons,census 2020\n",
        encoding="utf-8",
    )
    monitored = ("report", "runs", "--monitoring", "2021", "--observations", "seen.csv", "--out", name)
    for words in (("levers", "--effects", "--out", name), monitored):
        code, _, err = _command(capsys, *words)
        assert code == 2 and err.count("\n") == 1
        assert says in err or "the file holds something other than such a page" in err
    with pytest.raises(pytest.fail.Exception):  # nothing is wrong with a folder that will be made
        _command(capsys, "validate", "--page", "new/page.md")


def test_letters_and_chinese_signs_are_folded_where_a_line_may_end():
    """Numbers stay whole, no line begins with a closing sign, and a wide chart keeps its lines."""
    narrow, wide = Figure(figsize=(3.4, 2)), Figure(figsize=(8, 2))
    assert (
        charts._folded(narrow, "常住城鎮化率變化的來源，2020至2035年", 27) == "常住城鎮化率變化的來源，\n2020至2035年"
    )
    assert charts._folded(narrow, "Moves to towns inside, net", 18) == "Moves to towns\ninside, net"
    assert charts._folded(wide, "Moves to towns inside, net", 18) == "Moves to towns inside, net"


@pytest.mark.parametrize("kind", ["run", "comparison"])
def test_a_report_points_to_nothing_outside_itself(kind, page_of):
    """No script, no address, no source: the file opens offline and asks nobody."""
    text = page_of(kind)
    page = Page(text)
    assert not {"script", "link", "iframe", "object", "embed", "img", "base", "form"} & set(page.tags)
    assert not [each for each in page.attributes if each[1] == "src"]
    assert all(value.startswith("#") for _, name, value in page.attributes if name.endswith("href"))
    assert not re.findall(r"(?:https?:)?//[\w.]+", re.sub(r"<pre.*?</pre>|<td.*?</td>", "", text, flags=re.DOTALL))
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)


@pytest.mark.parametrize("lang", LANGS)
def test_commands_stand_out_from_words(page_of, lang):
    """What one types is set as such: no backtick is left on the page."""
    text = page_of("run", lang)
    assert "<code>" in text
    assert "`" not in Page(text).text


def test_hostile_names_are_words_on_the_page(run):
    """Names and notes from a file are shown as they are written, and are never markup or formulas."""
    provenance = {**run.provenance, "scenario_title": {"en": HOSTILE, "zh_hant": HOSTILE}}
    provenance["levers"] = {**run.provenance["levers"], HOSTILE: {"2020": [0.0], "2026": [1.0]}}
    provenance["region"] = {"name": "../../etc", "title": {"en": HOSTILE}, "hash": HOSTILE}
    indicators = run.indicators.replace({"place": {"Kongtong": HOSTILE}})
    found = replace(
        run, scenario=HOSTILE, run_id=HOSTILE, notes=[HOSTILE], provenance=provenance, indicators=indicators,
        groups=run.groups.assign(group=HOSTILE), costs=run.costs.assign(item=HOSTILE, payer=HOSTILE),
    )  # fmt: skip
    for lang in LANGS:
        page = Page(report.page(found, lang))
        assert not {"script", "img"} & set(page.tags)
        assert not [name for _, name, _ in page.attributes if name.startswith("on")]
        assert HOSTILE in page.text
        assert not page.open


def test_only_levers_that_differ_are_listed(run, plan_inputs):
    """A lever at the status quo is not in the table; one that was changed stands there with value and sentence."""
    book = FactBook.load()
    levers = {
        name: {str(year): [float(x) for x in plan_inputs.status_quo(name)] for year in plan_inputs.years}
        for name in book.levers
    }
    page = Page(report.page(replace(run, provenance={**run.provenance, "levers": levers})))
    assert "No lever differs" in page.text
    changed = "residence_permit.education"
    levers[changed] = {str(year): [0.93] * 7 for year in plan_inputs.years}
    text = report.page(replace(run, provenance={**run.provenance, "levers": levers}))
    section = Page(re.search(r'<section id="levers">.*?</section>', text, re.DOTALL)[0])
    lever = book.lever(changed)
    assert lever.title.en in section.text
    assert lever.quote in section.text
    assert "0.93" in section.text
    assert "set by the scenario" in section.text
    assert book.lever("residence_permit.healthcare").title.en not in section.text


def test_the_headline_states_rate_people_and_distance_to_the_goal(page_of):
    """The numbers of the first sentences are those of the tables."""
    text = Page(page_of("run")).text
    rate = 480 / 940
    assert f"in 2026, {100 * rate:.1f}% of the residents" in text
    assert "Goal of 2025: 55%. The run stands at 50.0%, -5.0 points from it." in text
    assert "no interval can be given" in text


@pytest.mark.parametrize("lang", LANGS)
def test_the_headline_tells_what_the_model_missed(run, lang):
    """Levels come with what forecasts of left-out counties were off by, where the region of the run was fitted."""
    found = left_out(Region.only())
    assert found is not None
    half, county = (f"{100 * each:.1f}" for each in found.after(run.until - run.base))
    known = replace(run, provenance={**run.provenance, "region": {"name": "pingliang"}})
    unknown = replace(run, provenance={**run.provenance, "region": {"name": "elsewhere"}})
    said = model_error(Region.only(), run.base, run.until, lang)
    assert said in headline(view(known), lang) and half in said and county in said
    assert lang != "en" or ("too low" in said) == (found.whole < 0)
    assert said not in headline(view(unknown), lang)
    assert model_error(None, 2020, 2035, lang) == model_error(Region.only(), 2020, 2020, lang) == ""


def test_a_group_that_pays_more_than_it_has_is_drawn(run):
    """The axis of welfare reaches to the lowest group, below 0 too."""
    low = run.groups["welfare_yuan_yr"].min()
    poorer = replace(run, groups=run.groups.assign(welfare_yuan_yr=run.groups["welfare_yuan_yr"] - low - 2_000.0))
    figure = Figure()
    charts._groups(figure, view(poorer), "en")
    assert figure.axes[0].get_xlim()[0] < -2.0


def test_a_band_is_told_in_the_headline(run):
    """Where assumed values were drawn, the range stands where the doubt stood."""
    years = range(2020, 2027)
    band = pd.DataFrame(
        [
            {"year": year, "indicator": name, "low": low, "median": low, "high": high}
            for year in years
            for name, low, high in (("urbanization_rate", 0.48, 0.53), ("urban_population", 900.0, 1000.0))
        ]
    )
    text = Page(report.page(run, band=band)).text
    assert "lies between 48.0% and 53.0%" in text
    assert "no interval can be given" not in text


@pytest.mark.parametrize(
    ("high", "said"),
    [(0.99, None), (0.0, "In 6 of the 6 years this run itself lies outside that range: its ends are those of 3 draws")],
)
def test_a_band_says_of_how_many_draws_it_is_and_that_the_run_lies_outside(run, high, said):
    """The number of draws stands beside the ends, in the chart too; a run outside its band is told so, with the why."""
    band = pd.DataFrame(
        [
            {"year": year, "indicator": name, "low": 0.0, "median": 0.0, "high": top}
            for year in range(2020, 2027)
            for name, top in (("urbanization_rate", high), ("urban_population", 1e9))
        ]
    ).assign(draws=3, sample=0.02)
    text = Page(report.page(run, band=band)).text
    assert "5 to 95 percent of 3 draws" in text
    shown = view(run, band=band)
    figure = Figure()
    charts._trajectory(figure, shown, "en")
    assert "3 draws" in figure.axes[0].get_legend().get_title().get_text()
    assert ("lies outside that range" in text) == (said is not None)
    assert said is None or said in text


def test_the_cost_of_a_new_resident_is_that_of_all_runs_together(comparison):
    """Mean outlay over the mean number of new residents, not the mean of the quotients; empty where there are none."""
    shown = view(comparison)
    frame = shown.indicators.assign(cumulative_cost_yuan=100.0)
    for scenario, new in (("status_quo", (-9.0, 1.0)), ("plan", (1.0, 9.0))):
        for seed, count in zip((0, 1), new, strict=True):
            frame.loc[(frame["scenario"] == scenario) & (frame["seed"] == seed), "new_urban_residents"] = count
    some = frame["new_urban_residents"] > 0
    frame["cumulative_cost_yuan_per_new_resident"] = (100.0 / frame["new_urban_residents"]).where(some)
    shown = replace(shown, indicators=frame)
    assert shown.at("cumulative_cost_yuan_per_new_resident", "plan", 2026) == 20.0
    assert np.isnan(shown.at("cumulative_cost_yuan_per_new_resident", "status_quo", 2026))


def test_every_table_has_a_title_and_its_unit(comparison):
    """Tables can be read alone: what they show, and in which unit."""
    shown = view(comparison, nominal=False)
    assert "percentage points" in sections.decomposition(shown, "en").caption
    for table in (sections.trajectory(shown, "en"), sections.counties(shown, "en"), sections.indicators(shown, "en")):
        assert table.caption
    assert all("yuan of 2020 a year" in table.caption for table in sections.winners(shown, "en"))
    assert all("prices of 2020" in text for text in sections.cost_sentences(shown, "en"))


def test_the_range_over_fitted_facts_stands_apart(run, page_of, tmp_path):
    """What `--parameters ensemble` left beside a run is told in a sentence of its own, and drawn."""
    rows = [
        {
            "scenario": run.scenario,
            "year": year,
            "indicator": name,
            "source": source,
            "low": low,
            "median": low,
            "high": high,
        }
        for year in range(2020, 2027)
        for name, low, high in (("urbanization_rate", 0.47, 0.52), ("urban_population", 900.0, 1000.0))
        for source in ("parameters", "chance")
    ]
    store.write(run, tmp_path)
    store.write_band(run, pd.DataFrame(rows), tmp_path, "parameters")
    told = report.write(tmp_path).read_text(encoding="utf-8")
    assert "lies between 47.0% and 52.0%" in told and "they are not added up" in told
    assert "no interval can be given" not in told
    inside, of = held(Region.only()) or (0, 0)
    assert f"hold {inside} of {of} published figures" in told
    assert told != page_of("run")


def test_a_comparison_tells_differences_with_their_intervals(page_of):
    """The difference, its interval over the pairs and in how many pairs it is higher stand in words."""
    text = Page(page_of("comparison")).text
    assert "+0.2 thousand urban residents (90% interval" in text  # 30 more a year in six years
    assert "More urban residents than" in text
    assert "2 of 2" in text
    assert "60" in text


def test_a_run_of_a_shipped_scenario_is_made_again_by_its_name(page_of):
    """The command needs no file where the scenario that ships sets the same levers, and repeats the options."""
    text = page_of("run")
    assert "<code>migrasim run plan --seed 7 --until 2026</code>" in text
    assert "extends: status_quo" not in text


def test_another_scenario_comes_with_its_file(run, tmp_path):
    """The file in the report, read again, sets every lever as it was run."""
    name = "three_rights.titling"
    levers = {**run.provenance["levers"], name: {str(year): [0.87] * 7 for year in range(2020, 2027)}}
    found = replace(run, scenario="my own", provenance={**run.provenance, "levers": levers})
    again = make_again(view(found), "en")
    ((file, text),) = again.files.items()
    assert again.command == "migrasim run myown.yaml --seed 7 --until 2026"
    path = tmp_path / file
    path.write_text(text, encoding="utf-8")
    book = FactBook.load()
    read = Inputs.build(book, Region.only(), Scenario.load(path, book), until=2026)
    for lever in book.levers:
        there = [levers[lever][str(year)] for year in range(2021, 2027)]
        assert np.allclose(read.lever_path(lever)[1:], there, rtol=1e-9, atol=0.0), lever
        assert not read.is_by_county(lever), lever  # totals that were split are split again, as the plan has them
    assert len(text.splitlines()) < 500  # a path is a line or two


def test_costs_of_no_lever_stand_among_the_largest(run):
    """Services for new residents and payments for rights are part of the public costs, so the table lists them."""
    year = run.costs["year"].iloc[0]
    more = [
        {"year": year, "county": "Kongtong", "item": item, "payer": payer, "payee": "household", "yuan": 3e8}
        for item, payer in (("citizenization.services", "county"), ("three_rights.exit", "collective"))
    ]
    found = view(replace(run, costs=pd.concat([run.costs, pd.DataFrame(more)], ignore_index=True)))
    table = sections.cost_items(found, "zh-Hant")
    assert table.heads[-2:] == ["集體經濟組織", "合計"]
    assert {row[0]: row[-1] for row in table.rows[:2]} == {"新市民公共服務": "300.0", "退出三權補償": "300.0"}


def test_nominal_money_rises_with_prices(run):
    """In prices of each year the costs are those of 2020 times the index, and the page says so."""
    provenance = {**run.provenance, "price_index": {str(year): 2.0 for year in range(2020, 2027)}}
    found = replace(run, provenance=provenance)
    plain, nominal = Page(report.page(found)).text, Page(report.page(found, nominal=True)).text
    assert "million yuan (prices of 2020)" in plain
    assert "million yuan (prices of each year)" in nominal
    assert " 1.0 1.0 " in plain
    assert " 2.0 2.0 " in nominal


def test_light_bars_have_a_dark_edge(run):
    """Payers in light colours can be told from the paper: their edge has more than three times its contrast."""
    figure = Figure()
    charts._costs(figure, view(run), "en")
    assert figure.axes[0].patches
    assert {tuple(round(255 * part) for part in bar.get_edgecolor()[:3]) for bar in figure.axes[0].patches} == {
        (0x44, 0x44, 0x44)
    }


def test_nominal_units_keep_what_they_are_per_in_chinese(run):
    """Yuan a year stay yuan a year, in prices of each year."""
    name = "public_cost_yuan"
    priced = replace(run, indicators=run.indicators.assign(**{name: 1e9}))
    units = {row[1] for row in sections.indicators(view(priced, nominal=True), "zh-Hant").rows}
    assert "元/年（當年價）" in units and not any(unit.startswith("現價元") for unit in units)


def test_an_svg_keeps_its_own_ids():
    """Two charts on one page never share an id, and the prologue of a file is left out."""
    svg = '<?xml version="1.0"?><!DOCTYPE svg><svg viewBox="0 0 1 1" width="9"><g id="a" clip-path="url(#a)"/></svg>'
    assert inline(svg, "one", 'a "b"') == (
        '<svg viewBox="0 0 1 1" role="img" aria-label="a &quot;b&quot;"><g id="one-a" clip-path="url(#one-a)"/></svg>'
    )


@pytest.mark.parametrize("key", WORDS)
def test_words_of_the_report_take_the_same_values_in_both_languages(key):
    """A phrase never asks for a value in one language that it drops in the other."""
    english, chinese = (set(re.findall(r"{(\w+)}", text)) for text in WORDS[key])
    assert english == chinese


def test_every_word_of_the_report_is_used():
    """What is said nowhere has no translation to keep."""
    folder = Path(report.__file__).parent
    said = "".join(
        path.read_text(encoding="utf-8")
        for path in folder.iterdir()
        if path.suffix in (".py", ".html") and path.name != "words.py"
    )
    made = {*(f"sec_{name}" for name in SECTIONS)}
    made |= {
        f"chart_{name}"
        for name in ("map", "costs", "groups", "people", "decomposition", "trajectory", "urban_line", "absent_line")
    }
    made |= {"observed", "planned", "literature", "estimated", "assumed", "government", "enterprise", "household"}
    made |= {"once", "yearly", "collective_cost_yuan"}
    unused = [key for key in WORDS if key not in made and key not in COMMON and f'"{key}"' not in said]
    assert not unused
    assert all(english and chinese for english, chinese in LIMITS)


def _command(capsys, *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main([str(each) for each in arguments])
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out, said.err


def test_the_command_writes_the_report_into_the_folder(run, workdir, capsys):
    """`migrasim report DIR` leaves report.html beside the tables and says where."""
    folder = workdir / "mine"
    folder.mkdir()
    store.write(run, folder)
    code, out, _ = _command(capsys, "report", folder, "--lang", "zh-Hant")
    assert code == 0
    assert "mine/report.html" in out
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert '<html lang="zh-Hant">' in text
    assert f"migrasim {__version__}" in text
    assert not [path for path in folder.iterdir() if path.name.endswith(".part")]
    assert compare.read(folder).run_id == run.run_id  # the folder is still what it was


def test_a_report_of_nothing_is_refused(workdir, capsys):
    """A folder without results, and a file name that is a folder, are wrong input."""
    code, out, err = _command(capsys, "report", workdir)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert "no finished run" in err


def test_a_folder_in_the_way_of_the_report_is_left_alone(run, workdir):
    """The report never replaces a folder."""
    store.write(run, workdir)
    (workdir / "there").mkdir()
    with pytest.raises(InputError, match="a folder is in the way"):
        report.write(workdir, workdir / "there")


@dataclass(frozen=True)
class Told(RunSpec):
    """A run of a shipped scenario whose numbers are invented: more urban residents with every seed."""

    def make(self, tables: Sequence[str], levels: Sequence[str]) -> Made:
        """What `run` makes, as a batch keeps it."""
        return made_of(self.run(), tables, levels)

    def run(self) -> RunResult:
        """Tables with the identity of the request."""
        rows = [
            {
                "run_id": self.run_id(), "scenario": self.resolved().name, "seed": self.seed, "year": year,
                "level": level, "place": place, "resident_population": 1000.0, "urban_population": 450.0 + self.seed,
                "urbanization_rate": 0.45 + self.seed / 1000, "absent_population": 300.0,
            }
            for year in range(2020, 2027)
            for level, place in (("prefecture", "All"), ("county", "Kongtong"))
        ]  # fmt: skip
        part = {"level": "prefecture", "place": "All", "component": "moves_inside", "points": 0.5}
        split = pd.DataFrame([{"year": year, **part} for year in range(2021, 2027)])
        empty = pd.DataFrame([{"year": 2021, "place": "x"}])
        about: dict[str, Any] = {each.name: empty for each in fields(RunResult) if each.default is MISSING}
        about |= {name: getattr(self, name) for name in ("seed", "sample", "base", "until")}
        about |= {"run_id": self.run_id(), "scenario": self.resolved().name, "provenance": self.provenance()}
        about |= {"indicators": pd.DataFrame(rows), "decomposition": split}
        return RunResult(**{**about, "notes": []})


@pytest.fixture(scope="module")
def batch_folder(tmp_path_factory) -> Path:
    """A finished batch of two scenarios with three seeds each."""
    folder = tmp_path_factory.mktemp("batches") / "mine"
    specs = [
        Told(name, f"{name} {seed}", seed=seed, until=2026)
        for name in ("status_quo", "industry")
        for seed in (0, 5, 10)
    ]
    run_batch(specs, folder, name="mine", title={"en": "Two ways", "zh_hant": "兩條路"}, workers=0)
    return folder


def test_a_batch_is_reported_with_the_range_of_its_runs(batch_folder, capsys):
    """Every scenario stands with its mean and its lowest and highest run, and how to make one again."""
    code, _, _ = _command(capsys, "report", batch_folder)
    assert code == 0
    page = Page((batch_folder / "report.html").read_text(encoding="utf-8"))
    assert "Two ways" in page.text
    assert "in 2026 45.5% of the residents" in page.text
    assert "(over its runs 45.0% to 46.0%" in page.text
    assert "mean; shaded: lowest to highest of 3 runs" not in page.text  # it is drawn, not written
    assert "in 3 pairs of runs with the same luck, future and facts" in page.text
    assert page.text.count("migrasim rerun ") == 2
    assert FactBook.load().lever("industry.red_cattle.jobs").title.en in page.text
    assert "groups" not in page.ids
    assert not page.open


def test_a_report_shows_the_scenarios_that_were_chosen(batch_folder, capsys, tmp_path):
    """`--scenario` leaves the others out; one that is not there is named with its nearest."""
    out = tmp_path / "one.html"
    code, _, _ = _command(capsys, "report", batch_folder, "--scenario", "industry", "--out", out)
    assert code == 0
    assert out.read_text(encoding="utf-8").count("migrasim rerun ") == 1
    code, _, err = _command(capsys, "report", batch_folder, "--scenario", "industri")
    assert code == 2
    assert "did you mean 'industry'?" in err


def test_a_batch_over_futures_and_facts_says_so(tmp_path):
    """Futures and values of facts are those of all runs, not of the first one."""
    name = "moving.income_elasticity"
    specs = [
        Told("status_quo", f"{future} {value}", until=2026, future=future, parameters={name: value})
        for future, value in (("central", 0.9), ("hard_times", 2.5))
    ]
    run_batch(specs, tmp_path / "mine", name="mine", workers=0)
    shown = view(Batch.open(tmp_path / "mine"))
    assert "Central, Hard times" in dict(sections.identity(shown, "en")).values()
    values = [row for table in sections.assumptions(shown, "en") for row in table.rows if "0.9 – 2.5" in row]
    assert len(values) == 2  # among those that stand elsewhere, and among those that are uncertain


def test_mixes_of_a_search_are_not_called_alike(tmp_path):
    """Scenarios that have the same title have their own names beside it."""
    lever = "public_housing.public_rental_units"
    specs = [Told("status_quo", "start", until=2026)]
    start = Scenario.load("status_quo", FactBook.load())
    for n in (1, 2):
        mix = replace(start.changed((f"{lever}={n}",), FactBook.load()), name=f"mix-{n}")
        specs.append(Told(mix, f"mix {n}", until=2026))
    run_batch(specs, tmp_path / "mine", name="mine", workers=0)
    shown = view(Batch.open(tmp_path / "mine"))
    titles = [shown.title(name, "en") for name in shown.scenarios]
    assert len(set(titles)) == len(shown.scenarios) == 3, titles


def test_too_many_scenarios_are_refused(batch_folder, monkeypatch):
    """More than can be told apart on a chart need a choice, and the message says how to make it."""
    monkeypatch.setattr("migrasim.present.report.view.MOST_SCENARIOS", 1)
    with pytest.raises(InputError, match="too many for one report.*--scenario"):
        report.write(batch_folder)
