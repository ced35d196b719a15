"""Each of the plan's figures is tied to what stands for it in the program, or is said to have nothing."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import migrasim as ms
from migrasim.facts import FactBook
from migrasim.indicators import CATALOGUE
from migrasim.region import Region

PAGE = Path(__file__).parents[2] / "docs" / "plan_figures.md"
BOOK = FactBook.load()
KINDS = {"start", "target", "set by levers", "start of a lever", "not produced"}


def figures() -> dict[str, dict[str, str]]:
    """Rows of the table of the plan's figures, by id."""
    text = (Region.only().folder / "tables" / "plan_facts.csv").read_text("utf-8")
    return {row["id"]: row for row in csv.DictReader(text.splitlines())}


FIGURES = figures()
VALUE = {name: float(row["value"]) for name, row in FIGURES.items()}


def page() -> dict[str, list[str]]:
    """Cells of the page, by the figure's id."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| F")]
    return {cells[0]: cells for cells in ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)}


def test_the_page_has_every_figure_with_its_sentence() -> None:
    """All 37 stand there once, in their order, with the plan's words, value and year, and with a kind and a remark."""
    cells = page()
    assert list(cells) == list(FIGURES)
    for name, row in FIGURES.items():
        _, section, quote, value, year, kind, where, remark = cells[name]
        assert (section, quote, year) == (row["chapter"], f"「{row['quote']}」", row["year"])
        assert float(value.split("%")[0].split()[0].replace(",", "")) == float(row["value"]), name
        assert kind in KINDS and remark
        assert (where == "–") == (kind == "not produced"), name


def test_names_on_the_page_are_names_of_the_program() -> None:
    """Indicators, levers and facts that the page names exist."""
    words = {word for cells in page().values() for text in cells[6:] for word in text.split("`")[1::2]}
    levers = {f"residence_permit{word}" if word.startswith(".") else word for word in words}
    known = {*BOOK.levers, *BOOK.facts, *CATALOGUE}
    others = {"county", "chains", "chain_workers_*", "<county>/town", "plan", "city_annual.csv"}
    assert levers - known == others


def test_the_region_starts_from_the_figures_of_the_plan() -> None:
    """Registered people, residents, their rates and the counties of the tables are F01 to F05, F07 and F21 to F25."""
    region = Region.only()
    people = region.record_yaml["population"]
    assert people["registered_total_2020"]["value"] == VALUE["F01"]
    assert people["urban_registered_2020"]["value"] == VALUE["F02"]
    assert round(100 * VALUE["F02"] / VALUE["F01"], 2) == VALUE["F03"]
    census = region.tables["county_2020"].set_index("name_en")
    whole = census.loc["Pingliang (prefecture)"]
    assert round(float(whole["resident_pop"]), -2) == VALUE["F04"]
    assert abs(float(whole["urban_pop"]) - VALUE["F05"]) < 50
    rate = 100 * census["urban_pop"].astype(float) / census["resident_pop"].astype(float)
    assert round(rate["Pingliang (prefecture)"], 2) == VALUE["F07"]
    assert rate["Kongtong"] > VALUE["F21"] and rate["Huating"] > VALUE["F22"]
    assert round(rate["Zhuanglang"], 2) == VALUE["F23"] and round(rate["Jingning"], 2) == VALUE["F24"]
    assert (rate[FIGURES["F25"]["scope"].split()] < VALUE["F25"]).all()


def test_counties_core_and_poles_are_those_of_the_plan() -> None:
    """One district, one city and five counties (F09); one core and six poles (F29, F30)."""
    region = Region.only()
    assert len(region.counties) == VALUE["F09"]
    assert "".join(sorted(county.zh[-1] for county in region.counties)) == "".join(sorted("区市县县县县县"))
    assert region.county_names[region.core_county] == FIGURES["F29"]["scope"]
    assert len(region.counties) - VALUE["F29"] == VALUE["F30"]


def test_targets_are_those_of_the_plan() -> None:
    """The rates of 2025 and 2035 (F26, F27) and the clusters of 2026 (F32, F33), and no others."""
    region = Region.only()
    assert region.targets == {int(FIGURES[name]["year"]): VALUE[name] / 100 for name in ("F26", "F27")}
    found = {(each["year"], each["yuan"], each["count"]) for each in region.clusters}
    assert found == {
        (int(FIGURES["F32"]["year"]), 1e10, VALUE["F32"]),
        (int(FIGURES["F33"]["year"]), 1e9, VALUE["F33"]),
    }


def test_chains_are_those_of_the_sentence_in_its_order() -> None:
    """The nine titles in Chinese, joined, are the sentence of F31."""
    titles = [chain.title["zh_hant"] for chain in Region.only().chains]
    assert len(titles) == VALUE["F31"]
    assert FIGURES["F31"]["quote"].startswith("、".join(titles))


def test_levers_that_the_plan_gives_a_figure_for_hold_it() -> None:
    """Services cover all in 2025 (F28), roads are done by 2025 (F34, F35), and indices begin near F14 and F16."""
    for name in ("education", "healthcare", "social_security"):
        lever = BOOK.levers[f"residence_permit.{name}"]
        assert lever.plan is not None and lever.plan.values == {2025: VALUE["F28"] / 100}
    roads = BOOK.levers["transport.rural_roads"]
    assert roads.plan is not None and roads.plan.values == {2025: 1.0}
    assert roads.quote == FIGURES["F34"]["quote"]
    for name in ("F34", "F35"):
        assert f"{VALUE[name]:,.0f}" in roads.plan.source
    assert BOOK.facts["fiscal.rural_roads_km"].value == VALUE["F35"]
    utilities = BOOK.levers["urban.municipal_utilities"].status_quo
    assert utilities.value == round(VALUE["F14"] / 100, 2)
    assert utilities.range is not None and utilities.range[1] == round(VALUE["F16"] / 100, 2)
    assert f"{VALUE['F15']:g} m2" in BOOK.levers["urban.green"].status_quo.source


def test_what_is_on_record_of_the_plan_agrees_with_it() -> None:
    """Facts that no rule reads hold the plan's figures as well: orchards (F17) and the rates to nation and province."""
    assert BOOK.facts["land.apple_area_10k_mu"].value == VALUE["F17"] / 1e4
    table = Region.only().tables["city_annual"]
    rates = table[(table["indicator"] == "urbanization_rate") & (table["year"] == 2020)].set_index("area")["value"]
    for place, gap in (("全国", "F19"), ("甘肃省", "F20")):
        assert round(float(rates[place]) - VALUE["F07"], 2) == VALUE[gap]


def test_the_plan_disagrees_with_itself_about_the_yearly_gain() -> None:
    """F06 and F07 give 1.72 points a year and not the 1.96 of F08; the page says so."""
    gain = (VALUE["F07"] - VALUE["F06"]) / (2020 - int(FIGURES["F06"]["year"]))
    assert round(gain, 2) == 1.72 != VALUE["F08"]
    assert "1.72" in page()["F08"][7]


@pytest.mark.model
def test_a_run_begins_where_the_plan_does() -> None:
    """The base year of a small sample has the plan's people and rates within what two percent of households allow."""
    first = ms.run("status_quo", sample=0.02, until=2021).prefecture().loc[2020]
    for name, figure in (
        ("registered_population", "F01"), ("urban_registered_population", "F02"), ("resident_population", "F04"),
        ("urban_population", "F05"),
    ):  # fmt: skip
        assert first[name] == pytest.approx(VALUE[figure], rel=2e-2)
    assert 100 * first["hukou_urbanization_rate"] == pytest.approx(VALUE["F03"], abs=1.0)
    assert 100 * first["urbanization_rate"] == pytest.approx(VALUE["F07"], abs=1.0)
