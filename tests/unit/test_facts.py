"""The fact book: everything published is there, and everything wrong is refused by name."""

from __future__ import annotations

import csv
import pickle
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from migrasim.core.errors import InputError, nearest
from migrasim.facts import FactBook, at

TABLES = Path(__file__).parents[2] / "migrasim" / "regions" / "pingliang" / "tables"
BOOK = FactBook.load()
FIRST_GROUPS = {"residence_permit": 7, "three_rights": 6, "public_housing": 8, "industry": 11}

FACT = """facts:
  speed_km_h:
    title: {en: Speed, zh_hant: 速度}
    unit: km per hour
    role: uncertain
    value: 40
    range: [30, 50]
    status: assumed
    source: A judgement
"""
LEVER = """groups:
  roads: {en: Roads, zh_hant: 道路}
levers:
  roads.width:
    title: {en: Width, zh_hant: 寬度}
    group: roads
    chapter: "1"
    unit: share
    bounds: [0, 1]
    kind: share
    aggregate: copied
    built: true
    acts_through: speed
    quote: 道路
    status_quo: {value: 0.5, range: [0, 1], status: assumed, source: A judgement}
    plan: {values: {2025: 0.8}, range: [0, 1], status: assumed, source: A judgement}
"""


def rows(table: str) -> list[dict[str, str]]:
    with (TABLES / table).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def load(folder: Path, facts: str = FACT, levers: str = LEVER) -> FactBook:
    domain = folder / "domains" / "moving"
    domain.mkdir(parents=True)
    (domain / "facts.yaml").write_text(facts, encoding="utf-8")
    (domain / "levers.yaml").write_text(levers, encoding="utf-8")
    return FactBook.load(folder / "domains")


def test_every_published_parameter_is_a_fact() -> None:
    """Each row of the parameter table is one fact, with its central value, its range, its unit and its source."""
    by_symbol = {fact.symbol: fact for fact in BOOK.facts.values() if fact.symbol}
    table = rows("parameters.csv")
    assert len(table) == 102
    for row in table:
        fact = by_symbol[row["symbol"]]
        if row["central"] == "+":
            assert fact.value is None and not fact.used and "sign" in fact.note
        else:
            assert fact.value == float(row["central"]), row["symbol"]
        if row["low"]:
            assert fact.range == (float(row["low"]), float(row["high"])), row["symbol"]
        assert fact.source.startswith(row["source"].strip()), row["symbol"]
        assert fact.title.en == row["name"].strip()
        assert fact.unit == row["unit"] or (fact.unit, row["unit"]) == ("dimensionless", "-")
        assert row["note"].strip() in fact.note


def test_what_is_assumed_says_so() -> None:
    """A source that calls itself an assumption or a memory never carries a better status."""
    for fact in BOOK.facts.values():
        if fact.source.startswith("own assumption") or "from memory" in fact.source:
            assert fact.status == "assumed", fact.id
        if fact.source.startswith("derived"):
            assert fact.status == "estimated", fact.id


def test_every_lever_of_the_plan_is_there() -> None:
    """The levers are those of the plan's table, with its bounds, channel, sentence and Chinese titles."""
    table = rows("levers.csv")
    assert len(table) == 67
    assert set(BOOK.levers) == {row["lever"] for row in table}
    for row in table:
        lever = BOOK.levers[row["lever"]]
        assert lever.bounds == (float(row["low"]), float(row["high"]))
        assert (lever.group, lever.chapter, lever.unit) == (row["group"], row["chapter"], row["unit"])
        assert (lever.acts_through, lever.quote) == (row["acts_through"].strip(), row["quote"].strip())
        assert (lever.title.zh_hant, lever.title.zh_hans) == (row["zh_hant"], row["zh_hans"])
        assert lever.aggregate == ("total" if lever.kind in ("flow", "jobs_2035") else "copied"), lever.id


def test_the_four_groups_come_first_and_are_built() -> None:
    """The groups that users ask for first lead every list, and all of their levers are built."""
    assert list(BOOK.groups)[:4] == list(FIRST_GROUPS)
    first = list(BOOK.levers.values())[: sum(FIRST_GROUPS.values())]
    assert {group: sum(lever.group == group for lever in first) for group in FIRST_GROUPS} == FIRST_GROUPS
    assert all(lever.built for lever in BOOK.levers.values() if lever.group in FIRST_GROUPS)


def test_every_number_has_source_and_status() -> None:
    """No value, plan value or cost stands without a source; what a lever costs, or why not, is said."""
    for fact in BOOK.facts.values():
        assert fact.source and fact.status
    for lever in BOOK.levers.values():
        for value in (lever.status_quo, lever.plan, *lever.cost):
            assert len(value.source) > 10 and value.status
        assert lever.cost or lever.note, lever.id


def test_jobs_of_the_chains_add_up_to_a_plausible_sum() -> None:
    """Plan jobs of the nine chains lie between 45 and 70 thousand, in a range that admits how little is known."""
    chains = [BOOK.levers[f"industry.{chain}.jobs"].plan for chain in BOOK.chains]
    assert len(chains) == 9
    assert 45_000 <= sum(plan.last for plan in chains) <= 70_000
    assert sum(plan.range[0] for plan in chains if plan.range) < 30_000
    assert sum(plan.range[1] for plan in chains if plan.range) > 100_000


def test_names_of_facts_that_rules_read_tell_their_unit() -> None:
    """A share is within 0 and 1."""
    for fact in BOOK.facts.values():
        if fact.used and fact.id.endswith("_share") and isinstance(fact.value, float):
            assert 0 <= fact.value <= 1, fact.id


def test_params_fill_a_bundle(tmp_path: Path) -> None:
    """Fields are filled from facts of their names; overrides and years count; codes give the order of arrays."""

    class Rules(NamedTuple):
        speed_km_h: float
        fare_yuan: float
        pay_yuan: np.ndarray
        risk_rate_yr: np.ndarray

    entry = "\n  {0}:\n    title: {{en: A, zh_hant: 甲}}\n    unit: yuan\n"
    entry += "    role: fixed\n    status: assumed\n    source: A"
    facts = FACT.rstrip() + entry.format("fare_yuan") + "\n    values: {2020: 2, 2030: 4}"
    facts += entry.format("pay_yuan") + "\n    by: tier\n    value: {seat: 3, village: 1, town: 2}"
    facts += entry.format("risk_rate_yr") + "\n    by: age\n    value: {0: 0, 50: 1, 60: 3}\n"
    book = load(tmp_path, facts)
    filled = book.params("moving", Rules, year=2025)
    assert filled[:2] == (40.0, 3.0)
    assert filled.pay_yuan.tolist() == [1.0, 2.0, 3.0]
    assert (filled.risk_rate_yr[25], filled.risk_rate_yr[55], filled.risk_rate_yr[100]) == (0.5, 2.0, 3.0)
    changed = book.params("moving", Rules, {"moving.fare_yuan": 4.0, "moving.pay_yuan": 2.0}, 2025)
    assert changed.fare_yuan == 6.0
    assert changed.pay_yuan.tolist() == [2.0, 4.0, 6.0]


def test_facts_that_nothing_reads_are_found(tmp_path: Path) -> None:
    """A fact said to be used which no bundle has is listed; a field without a fact is refused with the nearest name."""

    class Empty(NamedTuple):
        pass

    class Wrong(NamedTuple):
        sped_km_h: float

    book = load(tmp_path)
    assert book.unread("moving", Empty) == ["moving.speed_km_h"]
    with pytest.raises(InputError, match="unknown fact 'moving.sped_km_h'. did you mean 'moving.speed_km_h'"):
        book.params("moving", Wrong)


def test_dated_values_are_linear_and_held() -> None:
    """Between the years linear, before the first and after the last held."""
    path = {2020: 1.0, 2030: 2.0}
    assert [at(path, year) for year in (2010, 2020, 2025, 2040)] == [1.0, 1.0, 1.5, 2.0]


def test_nearest_finds_the_last_part_of_a_name() -> None:
    """What is remembered of a dotted name is often its end."""
    assert nearest("rent_subsidy", ["public_housing.rent_subsidy"]) == "did you mean 'public_housing.rent_subsidy'?"
    assert nearest("education", ["a_very_long_group_of_levers.education"]).endswith(".education'?")
    assert nearest("zzz", ["education"]) == ""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("    source: A judgement\n", "", "facts.speed_km_h.source: this key is missing"),
        ("source: A judgement", "source: ''", "facts.speed_km_h.source"),
        ("range: [30, 50]", "rang: [30, 50]", "unknown key; allowed: .*did you mean 'range'"),
        ("range: [30, 50]", "range: [50, 30]", "low end 50.0 is above the high end 30.0"),
        ("    range: [30, 50]\n", "", "an uncertain fact needs one"),
        ("value: 40", "value: 60", "60.0 lies outside its range"),
        ("value: 40", "value: forty", "a number is expected, not the text 'forty'"),
        ("value: 40", "value: yes", "a number is expected, not the truth value true"),
        ("value: 40", "value: null", "only a fact with used: false may have none"),
        ("value: 40", "value: {seat: 1}", "by and a value by category go together"),
        ("value: 40", "values: {soon: 40}", "a year is expected, not the text 'soon'"),
        ("status: assumed", "status: guessed", "'guessed' is not known; allowed: observed, planned"),
        ("    unit:", "    unit: a\n    unit:", r"key 'unit' stands twice \(lines 4 and 5\)"),
        ("zh_hant", "zh_hent", "title.zh_hent: unknown key; allowed: en, zh_hant, zh_hans. did you mean 'zh_hant'"),
        ("facts:", "fact:", "unknown key 'fact'; allowed: facts. did you mean 'facts'"),
    ],
)
def test_a_wrong_fact_is_refused_by_name(tmp_path: Path, old: str, new: str, says: str) -> None:
    """The message names file and key, what is wrong and what is allowed."""
    assert old in FACT
    with pytest.raises(InputError, match=says) as caught:
        load(tmp_path, FACT.replace(old, new, 1))
    assert "domains/moving/facts.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("group: roads", "group: rods", "unknown group 'rods'; allowed: roads. did you mean 'roads'"),
        ("value: 0.5, range: [0, 1]", "value: 1.5, range: [0, 2]", "status_quo 1.5 lies outside the bounds"),
        ("{2025: 0.8}, range: [0, 1]", "{2025: 0.8}", "plan: range is missing"),
        ("kind: share", "kind: part", "levers.roads.width.kind"),
        (
            "status_quo: {value",
            "status_quo: {valu",
            "status_quo.valu: unknown key; allowed: value,.*did you mean 'value'",
        ),
        ("    built: true\n", "    built: true\n    id: x\n", "key 'id' is set by the program"),
        ("    quote: 道路\n", "    quote: 道路\n    cost: [{value: 1}]\n", "cost.0.unit: this key is missing"),
    ],
)
def test_a_wrong_lever_is_refused_by_name(tmp_path: Path, old: str, new: str, says: str) -> None:
    """The message names file and key, what is wrong and what is allowed."""
    text = LEVER if old in LEVER else ""
    assert text
    with pytest.raises(InputError, match=says) as caught:
        load(tmp_path, levers=text.replace(old, new, 1))
    assert "domains/moving/levers.yaml" in str(caught.value)


def test_a_book_is_pickled_without_what_was_filled_from_it():
    """A class that nobody else can import does not stand in the way, and the copy fills bundles anew."""

    class Moving(NamedTuple):
        income_elasticity: float

    book = FactBook.load()
    assert book.params("moving", Moving) == (book["moving.income_elasticity"].value,)
    copy = pickle.loads(pickle.dumps(book))
    assert copy.params("moving", Moving) == book.params("moving", Moving)
