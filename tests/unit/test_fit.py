"""Fitting: what it may look at, what it refuses, and that it finds what is there to be found."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from migrasim import cli
from migrasim.analysis import backtests, calibration, missed, patterns, shipping, validation
from migrasim.analysis.calibration import Plan
from migrasim.core.errors import InputError
from migrasim.facts import FactBook
from migrasim.region import Region


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the folder of the shipped region."""
    folder = tmp_path / "region"
    shutil.copytree(Region.only().folder, folder)
    return folder


def _plan(**changes: Any) -> Plan:
    plan = Plan.load(Region.only())
    small = {"first_wave": 30, "waves": 2, "vectors": 10, "candidates": 400, "ensemble": 8}
    names = ["moving.near_cost_utility", "moving.far_cost_utility", "moving.home_utility"]
    few = {name: plan.parameters[name] for name in names}
    screening = calibration.Screening(trajectories=6, keep=2)
    return plan.model_copy(update=small | {"parameters": few, "screening": screening} | changes)


def _toy(plan: Plan, table: pd.DataFrame, truth: pd.Series) -> calibration.Evaluate:
    """A model in a line: series move with the first two parameters and are at the record where those are the truth."""
    low = pd.Series({name: ends[0] for name, ends in plan.parameters.items()})
    high = pd.Series({name: ends[1] for name, ends in plan.parameters.items()})
    half = ((table["high"] - table["low"]) / 2.0).to_numpy()
    slope = np.random.default_rng(1).normal(0.0, 6.0, (len(table), 2))

    def evaluate(vectors: pd.DataFrame, wave: int) -> pd.DataFrame:
        gap = ((vectors - truth) / (high - low)).iloc[:, :2].to_numpy()
        values = table["published"].to_numpy()[:, None] + half[:, None] * (slope @ gap.T)
        return pd.DataFrame(values, index=table.index, columns=vectors.index)

    return evaluate


def test_a_fit_finds_the_parameters_behind_the_record_and_what_does_not_matter() -> None:
    """The best vector lies near those that made the series, later waves come nearer, idle parameters are dropped."""
    plan, table = _plan(), patterns.series(Region.only())
    fitted = table[table["use"] == "fit"]
    truth = pd.Series({name: low + 0.3 * (high - low) for name, (low, high) in plan.parameters.items()})
    found = calibration.fit(plan, table, _toy(plan, fitted, truth))
    best = found.vectors.loc[found.ensemble[0]]
    for name in found.kept:
        low, high = plan.parameters[name]
        assert abs(best[name] - truth[name]) < 0.1 * (high - low)
    assert set(found.kept) == set(list(plan.parameters)[:2])
    by_wave = calibration.overall(found.implausibility).groupby(found.wave).min()
    assert by_wave.loc[3] <= by_wave.loc[1]
    assert len(found.ensemble) == plan.ensemble
    again = calibration.fit(plan, table, _toy(plan, fitted, truth))
    assert again.vectors.equals(found.vectors)


def test_targets_of_the_plan_are_never_used(copied: Path) -> None:
    """Other targets change neither the data of the fit nor what it finds; a series of a year of a target is refused."""
    plan = _plan(waves=1)
    text = (copied / "region.yaml").read_text(encoding="utf-8")
    assert "targets: {2025: 0.55, 2035: 0.70}" in text
    (copied / "region.yaml").write_text(text.replace("{2025: 0.55, 2035: 0.70}", "{2025: 0.10, 2035: 0.99}"))
    shipped, other = Region.only(), Region.load(copied)
    assert other.targets != shipped.targets
    pd.testing.assert_frame_equal(patterns.series(shipped), patterns.series(other))
    truth = pd.Series({name: sum(ends) / 2 for name, ends in plan.parameters.items()})
    found = []
    for region in (shipped, other):
        table = patterns.series(region)
        found.append(calibration.fit(plan, table, _toy(plan, table[table["use"] == "fit"], truth)))
    assert found[0].vectors.equals(found[1].vectors) and found[0].ensemble == found[1].ensemble
    assert not patterns.series(shipped)["year"].isin(shipped.targets).any()
    path = copied / "fit" / "series.csv"
    target = path.read_text(encoding="utf-8") + (
        "P05,urbanization_rate,,2020,2025,prefecture,Pingliang,0.55,0.54,0.56,share,fit,the plan\n"
    )
    path.write_text(target, encoding="utf-8")
    with pytest.raises(InputError, match="2025"):
        patterns.series(Region.load(copied))


def test_rows_with_another_use_than_fit_are_not_looked_at() -> None:
    """Changing the published start figures changes nothing of what a fit finds."""
    plan, table = _plan(waves=1), patterns.series(Region.only())
    truth = pd.Series({name: sum(ends) / 2 for name, ends in plan.parameters.items()})
    evaluate = _toy(plan, table[table["use"] == "fit"], truth)

    def padded(vectors: pd.DataFrame, wave: int) -> pd.DataFrame:
        return evaluate(vectors, wave).reindex(table.index)

    changed = table.copy()
    changed.loc[changed["use"] != "fit", "published"] *= 2
    one, other = (calibration.fit(plan, each, padded) for each in (table, changed))
    assert one.vectors.equals(other.vectors) and one.ensemble == other.ensemble


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("moving.home_utility: [0.0, 1.2]", "hukou.transfer_rate_yr: [0.01, 0.1]", "never fitted"),
        ("moving.home_utility: [0.0, 1.2]", "demography.reclassified_growth_share: [0.2, 0.45]", "never fitted"),
        ("moving.home_utility: [0.0, 1.2]", "moving.home_utilty: [0.0, 0.6]", "moving.home_utility"),
        ("moving.home_utility: [0.0, 1.2]", "moving.home_utility: [0.0, 60]", "range"),
        ("first_wave:", "first_wve:", "first_wave"),
        ("  moving.home_utility: 0.0", "  moving.home_utility: 13", "not within"),
        ("  moving.home_utility: 0.0", "  moving.home_utilty: 0.1", "not among the parameters"),
    ],
)
def test_a_plan_of_a_fit_is_checked(copied: Path, old: str, new: str, says: str) -> None:
    """What no flow identifies, unknown facts, ranges beyond the facts' and unknown keys are refused by name."""
    path = copied / "fit" / "calibration.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=says):
        Plan.load(Region.load(copied))


def test_published_series_are_those_of_the_tables() -> None:
    """Changes by county and cohort ratios in the series are the numbers of the census tables, none left out."""
    region = Region.only()
    table = patterns.series(region)
    change = region.tables["county_change_2010_2020"].set_index("adcode")
    for county in region.counties:
        mine = table[(table["place"] == county.en) & (table["pattern"] == "P04")].set_index("measure")
        for name in ("urban_change", "rural_change"):
            assert mine.at[name, "published"] == change.at[county.code, name]
            assert mine.at[name, "high"] - mine.at[name, "published"] == pytest.approx(
                0.15 * abs(change.at[county.code, name]), abs=1
            )
    long = region.tables["labour_demography"]
    ratios = long[long["indicator"].str.startswith("cohort_ratio_")].set_index(["area", "indicator"])["value"]
    cohorts = table[table["pattern"] == "P26"]
    names = {county.en: county.zh for county in region.counties} | {region.title["en"]: region.title["zh_hans"]}
    for row in cohorts.to_dict("records"):
        sex, first = row["detail"].split()
        label = f"cohort_ratio_{first}-{int(first) + 4}_to_{int(first) + 10}-{int(first) + 14}_{sex}"
        assert float(ratios[names[row["place"]], label]) == pytest.approx(row["published"])
        assert (row["low"], row["high"]) == pytest.approx((row["published"] - 0.08, row["published"] + 0.08))
    assert len(cohorts) == 2 * 8 * (len(region.counties) + 1)


def test_every_pattern_that_asks_for_a_fit_has_series() -> None:
    """No pattern marked for fitting is dropped."""
    region = Region.only()
    about = region.tables["patterns"].set_index("id")["use"]
    asked = {name for name, use in about.items() if "fit" in use}
    table = patterns.series(region)
    assert asked <= set(table[table["use"] == "fit"]["pattern"])
    assert set(table[table["use"] == "start"]["pattern"]) >= {"P01", "P02", "P03", "P12", "P13", "P27"}


def _run() -> Any:
    """Two years of two counties, small enough to count."""
    indicators = pd.DataFrame(
        [
            (year, level, place, urban + rural, urban, rural, registered, 10.0, 100.0, 40.0)
            for year, level, place, urban, rural, registered in (
                (2010, "prefecture", "All", 30, 70, 110), (2010, "county", "East", 20, 30, 55),
                (2020, "prefecture", "All", 45, 45, 120), (2020, "county", "East", 25, 20, 60),
            )
        ],
        columns=[
            *("year", "level", "place", "resident_population", "urban_population", "rural_population"),
            *("registered_population", "absent_population", "land_lent_mu", "land_lent_free_mu"),
        ],
    )  # fmt: skip
    ages = pd.DataFrame(
        [(2010, "East/seat", "male", 10, 40.0), (2010, "East/village", "male", 10, 60.0),
         (2020, "East/seat", "male", 20, 30.0), (2020, "East/village", "male", 20, 15.0),
         (2020, "West/seat", "male", 20, 99.0)],
        columns=["year", "place", "sex", "age", "persons"],
    )  # fmt: skip
    homes = pd.DataFrame(
        [(2020, "East", "East", 30.0), (2020, "West", "East", 6.0), (2020, "outside", "East", 4.0),
         (2020, "East", "outside", 50.0)],
        columns=["year", "origin_county", "county", "other_place_persons"],
    )  # fmt: skip
    flows = pd.DataFrame(
        [("near", "East/seat", 4.0), ("East/village", "far", 10.0), ("East/village", "East/seat", 9.0)],
        columns=["origin", "destination", "persons"],
    )
    return SimpleNamespace(
        base=2010, until=2020, indicators=indicators, ages=ages, homes=homes, flows=flows,
        provenance={"record": {"residents": {"2010": 200.0}, "urban_residents": {"2010": 50.0}}, "parameters": {}},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("measure", "place", "detail", "expected"),
    [
        ("urban_change", "East", "", 5.0),
        ("rural_change", "All", "", -25.0),
        ("cohort_ratio", "East", "male 10", 0.45),
        ("cohort_ratio", "All", "male 10", 1.44),
        ("registered_less_resident", "All", "", 30.0),
        ("own_county_share", "All", "", 0.75),  # 30 of 40 who live inside and away from home
        ("return_share", "All", "", 0.2),  # 4 back of 10 at the start and 10 who left
        ("land_lent_free_share", "All", "", 0.4),
        ("resident_population", "All", "", 180.0),  # 200 published, times 90 / 100
        ("urbanization_rate", "All", "", 75.0 / 180.0),
    ],
)
def test_measures_are_what_one_counts(measure: str, place: str, detail: str, expected: float) -> None:
    """Each measure of a run of a hundred people is the number that one counts by hand."""
    row = {
        "pattern": "P", "measure": measure, "detail": detail, "base": 2010, "year": 2020, "level": "", "place": place,
        "published": 1.0, "low": 0.0, "high": 2.0, "unit": "", "use": "fit", "source": "",
    }  # fmt: skip
    found = patterns.simulated(pd.DataFrame([row]), _run())
    assert found.iloc[0] == pytest.approx(expected)


def test_what_a_fit_ships_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vectors, evidence and the runs that were made come back as they were written, the best vector first."""
    region = Region.only()
    plan, table = _plan(waves=1), patterns.series(region)
    truth = pd.Series({name: sum(ends) / 2 for name, ends in plan.parameters.items()})
    found = calibration.fit(plan, table, _toy(plan, table[table["use"] == "fit"], truth))
    shipping.ship(found, region, tmp_path / "fit")
    vectors = pd.read_csv(tmp_path / "fit" / shipping.ENSEMBLE, index_col="vector")
    assert len(vectors) == plan.ensemble
    assert vectors.iloc[0].to_numpy() == pytest.approx(found.vectors.loc[found.ensemble[0]].to_numpy(), rel=1e-4)
    tried = shipping.read_tried(SimpleNamespace(folder=tmp_path), table)  # type: ignore[arg-type]
    assert tried is not None
    pd.testing.assert_frame_equal(tried[1], found.values, check_names=False)
    kept = tried.values[tried.kept]
    fitted = [row for row in table.index if table.loc[row, "use"] == "fit"]
    inside = sum(
        kept.loc[row].quantile(0.05) <= table.loc[row, "published"] <= kept.loc[row].quantile(0.95) for row in fitted
    )
    monkeypatch.setattr(patterns, "series", lambda _: table)
    assert shipping.held(SimpleNamespace(folder=tmp_path)) == (inside, len(fitted))  # type: ignore[arg-type]
    evidence = shipping.evidence(found, region)
    assert evidence["runs"] == 2 * len(found.vectors) and evidence["seed"] == plan.seed
    assert set(evidence["left_out"]["rate_error"]) == set(region.county_names)


def test_what_left_out_counties_were_missed_by_is_that_of_the_runs_that_ship() -> None:
    """The evidence tells the errors that the kept runs give; a county's forecast does not see its data."""
    region = Region.only()
    table = patterns.series(region)
    tried = shipping.read_tried(region, table)
    assert tried is not None
    found, said = backtests.missed(table, tried.values, region), missed.left_out(region)
    assert found is not None and said is not None
    assert dict(said.counties) == pytest.approx(dict(found.counties), abs=1e-4)
    assert (said.whole, said.county) == pytest.approx((found.whole, found.county), abs=1e-4)
    assert said.county > max(map(abs, said.counties.values())) > abs(said.whole)
    assert said.after(20) == pytest.approx((2 * abs(said.whole), 2 * said.county))
    name = region.county_names[0]
    blind = table.copy()
    mine = (blind["place"] == name) & (blind["use"] == "fit") & (blind["base"] == 2010)
    blind.loc[mine, ["published", "low", "high"]] *= 3.0
    again = backtests.left_out(blind, tried.values, region)[name]
    before = backtests.left_out(table, tried.values, region)[name]
    assert again.urban.tolist() == before.urban.tolist()
    few = table[~((table["place"] == name) & (table["measure"] == "urban_change"))]
    assert backtests.missed(few, tried.values, region) is None


def test_the_shipped_vectors_keep_to_the_rules() -> None:
    """They lie within the ranges of their facts and hold nothing that may not be fitted."""
    region, book = Region.only(), FactBook.load()
    plan = Plan.load(region)
    assert len(region.ensemble) >= 20
    assert set(region.ensemble.columns) == set(plan.parameters)
    for name in region.ensemble.columns:
        low, high = book[str(name)].range or (0.0, 0.0)
        assert region.ensemble[name].between(low, high).all()
    assert region.fitted == {str(name): number for name, number in region.ensemble.iloc[0].items()}


def test_what_no_parameter_moves_has_no_band(monkeypatch, tmp_path):
    """Series of the base year are those of the whole population in every column, whatever sample was run."""
    monkeypatch.setattr(validation, "read_tried", lambda *_: None)
    monkeypatch.setattr(
        validation,
        "_lucks",
        lambda _, table, *__: pd.DataFrame(
            np.random.default_rng(1).normal(table["published"].to_numpy()[:, None], 0.1, (len(table), 5)), table.index
        ),
    )
    start = patterns.series(Region.only()).query("base == 2020 and year == 2020")["published"]
    monkeypatch.setattr(validation, "start_values", lambda _: start)
    every = validation.validate(validation.Request(folder=tmp_path, sample=0.01)).patterns
    found = every.loc[start.index]
    luck = np.random.default_rng(1).normal(every["published"].to_numpy()[:, None], 0.1, (len(every), 5)).std(1, ddof=1)
    wide = (every["chance_high"] - every["chance_low"]).drop(index=start.index)
    assert wide.to_numpy() == pytest.approx(2 * 2.335 * pd.Series(luck, every.index)[wide.index].to_numpy(), rel=1e-3)
    for column in ("simulated", "chance_low", "chance_high", "low_parameters", "high_parameters"):
        assert found[column].to_numpy() == pytest.approx(start.to_numpy())


@pytest.mark.parametrize("command", ["calibrate", "validate"])
def test_a_folder_of_something_else_is_left_alone(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder of a run, or of anything, is refused before a run is made, and nothing is written into it."""
    (tmp_path / "indicators.parquet").write_bytes(b"mine")
    with pytest.raises(SystemExit) as end:
        cli.main([command, "--folder", str(tmp_path)])
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert "holds something other than runs of this command (indicators.parquet)" in said
    assert [each.name for each in tmp_path.iterdir()] == ["indicators.parquet"]
    calibration.check_folder(tmp_path / "new", lambda name: name.startswith("wave-"))
    (tmp_path / "fit" / "wave-1").mkdir(parents=True)
    calibration.check_folder(tmp_path / "fit", lambda name: name.startswith("wave-"))


def test_the_start_of_the_record_is_known_before_any_year_is_run() -> None:
    """A judgement reads the base year of the whole population from tables that hold no flow and no change yet."""
    table = patterns.series(Region.only())
    found = validation.start_values(table)
    wanted = table.query("base == 2020 and year == 2020")
    assert len(found) == len(wanted) > 5
    published = wanted["published"].reindex(found.index)
    counts = published > 1000  # residents of counties, which the synthesis meets
    assert found[counts].to_numpy() == pytest.approx(published[counts].to_numpy(), rel=0.2)
