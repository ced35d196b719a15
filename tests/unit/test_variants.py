"""Futures, alternatives and the path before 2020: what they say and how they reach the inputs."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from migrasim import variants
from migrasim.core.errors import InputError
from migrasim.facts import FactBook
from migrasim.inputs import Inputs
from migrasim.scenario import Scenario

REGION = SimpleNamespace(county_names=["East", "West"], split_weights=np.array([3.0, 1.0]), chain_weights={})


def build(scenario: dict[str, Any] | None = None, **options: Any) -> Inputs:
    book = FactBook.load()
    resolved = Scenario.from_mapping({"name": "test", **(scenario or {})}, book)
    return Inputs.build(book, REGION, resolved, **options)


def test_shipped_futures_are_the_three_and_within_ranges() -> None:
    """central, boom and hard_times ship; every change lies in the range of its fact and says why."""
    book = FactBook.load()
    assert list(variants.futures()) == ["central", "boom", "hard_times"]
    for name, future in variants.futures().items():
        values = variants.future_parameters(name, book)
        assert set(values) == set(future.facts)
        assert all(change.status == "assumed" for change in future.facts.values())
        assert all(values[fact] != book[fact].central for fact in values)


def test_boom_and_hard_times_lie_on_both_sides_of_central() -> None:
    """The two futures change the same facts in opposite directions."""
    book = FactBook.load()
    boom, hard = (variants.future_parameters(name, book) for name in ("boom", "hard_times"))
    assert set(boom) == set(hard)
    for fact, high in boom.items():
        central = book[fact].central
        assert central is not None
        assert hard[fact] < central < high


def test_central_changes_nothing() -> None:
    """The future central, asked for or not, gives the same values and the same content."""
    plain, central = build(), build(future="central")
    assert central.parameters == plain.parameters == {}
    assert central.content_hash() == plain.content_hash()


def test_a_future_scales_a_path_by_year() -> None:
    """`times` holds for every year of a dated fact."""
    from migrasim.domains.labour.rules import LabourParams

    hard, central = build(future="hard_times"), build()
    for year in (2021, 2028, 2035):
        rate = hard.params("labour", LabourParams, year).growth_rate_yr
        assert rate == pytest.approx(0.5 * central.params("labour", LabourParams, year).growth_rate_yr)


def test_the_future_asked_for_wins_over_the_scenarios() -> None:
    """A scenario names a future; another one given for the run takes its place."""
    mine = {"future": "boom"}
    assert build(mine).future == "boom"
    assert build(mine).content_hash() == build(future="boom").content_hash()
    assert build(mine, future="central").content_hash() == build().content_hash()


def test_parameters_win_over_the_future() -> None:
    """A value given by the user stays, and the provenance says who set what."""
    inputs = build(future="boom", parameters={"labour.job_growth_rate_yr": 0.01})
    assert inputs.parameters["labour.job_growth_rate_yr"] == 0.01
    set_by = {row.id: row.set_by for row in inputs.provenance if row.kind == "fact"}
    assert set_by["labour.job_growth_rate_yr"] == "parameters"
    assert set_by["labour.growth_rate_yr"] == "future boom"
    assert set_by["moving.income_elasticity"] == "facts"


def test_alternatives_win_over_parameters() -> None:
    """What is left out stays out, whatever an ensemble gives for it."""
    inputs = build(parameters={"moving.network_utility": 2.0}, alternatives=["network"])
    assert inputs.parameters["moving.network_utility"] == 0.0
    assert inputs.alternatives == ("no_network",)
    row = next(row for row in inputs.provenance if row.id == "moving.network_utility")
    assert row.set_by == "alternatives no_network"


def test_unknown_names_are_told_with_the_nearest() -> None:
    """A misspelt future or alternative is an input error that names the nearest."""
    with pytest.raises(InputError, match="no future 'hard_time'.*did you mean 'hard_times'"):
        build(future="hard_time")
    with pytest.raises(InputError, match="nothing is called 'rent'.*did you mean 'rents'"):
        build(alternatives=["rent"])
    with pytest.raises(InputError, match="a list of names is expected, not the text 'rents'"):
        build(alternatives="rents")


def test_names_and_words_mean_the_same_and_count_once() -> None:
    """`network` is `no_network`; order and repetition do not matter."""
    assert variants.chosen_alternatives(["rents", "network", "no_network"]) == ("no_network", "rents")
    assert (
        build(alternatives=["rents", "network"]).content_hash()
        == build(alternatives=["no_network", "rents", "rents"]).content_hash()
    )


@pytest.mark.parametrize("name", list(variants.alternatives()))
def test_an_alternative_sets_facts_that_rules_read_or_names_its_reader(name: str) -> None:
    """Facts of an alternative are read by rules; a switch stands in the files that it names."""
    book = FactBook.load()
    one = variants.alternatives()[name]
    assert all(book[fact].used for fact in one.facts)
    for file in one.read_by:
        text = (variants.FOLDER.parent / file).read_text(encoding="utf-8")
        assert re.search(rf'"{name}" (not )?in\b', text)
    assert build(alternatives=[name]).content_hash() != build().content_hash()


def test_a_change_that_leaves_the_range_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A future may not put a fact where its range does not reach."""
    far = {"value": 0.5, "status": "assumed", "source": "a test"}
    title = {"en": "x", "zh_hant": "x"}
    future = variants.Future.model_validate(
        {"id": "far", "title": title, "description": title, "facts": {"labour.growth_rate_yr": far}}
    )
    monkeypatch.setattr(variants, "futures", lambda: {"far": future})
    with pytest.raises(InputError, match=r"futures.far.labour.growth_rate_yr: 0.5 lies outside"):
        variants.future_parameters("far", FactBook.load())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("futures: {boom: {}}", "futures.boom.title: this key is missing"),
        ("futures: {central: {title: {en: a, zh_hant: b}, description: {en: a, zh_hant: b}, facts: {a.b: {}}}}", "a.b"),
        ("future: {}", "'futures:' and nothing else"),
    ],
)
def test_a_broken_file_is_told(tmp_path: Any, text: str, message: str) -> None:
    """File and key are named for a file that does not fit the schema."""
    (tmp_path / "futures.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=f"futures.yaml: .*{message}"):
        variants.futures(tmp_path)


def test_before_2020_levers_follow_their_own_path() -> None:
    """From 2010 titling rises to the status quo of 2020, where the scenario begins; silent levers stand still."""
    scenario = {"levers": {"three_rights.titling": {2025: 1.0}}}
    late, early = build(scenario), build(scenario, base=2010)
    path = early.lever_path("three_rights.titling")[:, 0]
    assert path[0] == pytest.approx(0.05)
    assert np.all(np.diff(path[:11]) > 0)
    assert np.array_equal(path[10:], late.lever_path("three_rights.titling")[:, 0])
    silent = early.lever_path("public_housing.renovation_units")
    assert np.array_equal(silent[:10], np.repeat(silent[10:11], 10, axis=0))


def test_the_path_before_2020_is_assumed_and_no_scenario() -> None:
    """Every lever of the path is built or marked, stays in bounds, and nobody can choose it as a scenario."""
    from migrasim.scenario import shipped

    book = FactBook.load()
    assert set(variants.history(book)) <= set(book.levers)
    assert all(value.status == "assumed" and value.range for value in variants._history().values())
    assert "history_2010_2020" not in shipped("scenarios")


def test_the_status_quo_is_that_of_2020_whatever_the_base() -> None:
    """Levers are compared with 2020 in runs from 2010, too, and in those that end before."""
    for options in ({}, {"base": 2010}, {"base": 2010, "until": 2015}):
        inputs = build({"levers": {"three_rights.titling": 1.0}}, **options)
        assert inputs.status_quo("three_rights.titling") == pytest.approx([0.8, 0.8])
        assert inputs.status_quo("public_housing.renovation_units") == pytest.approx([3750.0, 1250.0])


@pytest.mark.model
def test_a_run_says_under_what_it_ran() -> None:
    """Future and alternatives stand in provenance, notes and run id; central is no other run."""
    import migrasim as ms

    options: dict[str, Any] = {"sample": 0.01, "until": 2021}
    plain, central = ms.run("plan", **options), ms.run("plan", future="central", **options)
    other = ms.run("plan", future="boom", alternatives=["rents"], **options)
    assert plain.run_id == central.run_id
    assert plain.indicators.equals(central.indicators)
    assert other.run_id != plain.run_id
    assert (other.provenance["future"], other.provenance["alternatives"]) == ("boom", ["rents"])
    assert other.provenance["parameters"]["housing.rent_inflow_elasticity"] == 0
    assert any("Boom" in str(note) for note in other.notes)
    assert any("Rents follow occupancy" in str(note) for note in other.notes)


@pytest.mark.model
def test_a_run_from_2010_breaks_no_law_and_says_that_levers_are_assumed() -> None:
    """From the census of 2010 two years run with all laws checked, beginning at its published figures."""
    import migrasim as ms

    result = ms.run("status_quo", base=2010, until=2012, sample=0.02)
    assert list(result.prefecture().index) == [2010, 2011, 2012]
    assert result.prefecture()["urbanization_rate"][2010] == pytest.approx(0.2887, abs=0.005)
    assert any("Before 2020 levers" in str(note) for note in result.notes)
