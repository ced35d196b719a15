"""One view of what a report can be about: a run, scenarios that were compared, a batch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from migrasim.analysis.compare import Comparison
from migrasim.core.errors import InputError, nearest
from migrasim.core.language import Lang
from migrasim.facts import FactBook, Lever
from migrasim.indicators import CATALOGUE
from migrasim.inputs import Inputs
from migrasim.present.model_error import region_of
from migrasim.present.punctuation import title_in
from migrasim.region import Region
from migrasim.runs import store
from migrasim.runs.batch import Batch, manifest_of
from migrasim.runs.result import RunResult, in_prices
from migrasim.scenario import Scenario, shipped

if TYPE_CHECKING:
    from pandas import DataFrame

REAL_YUAN = "yuan of 2020"
MOST_SCENARIOS = 8
_TONGUES: dict[str, Lang] = {"en": "en", "zh_hant": "zh-Hant", "zh_hans": "zh-Hans"}
_LONGEST = 60  # characters of a name in a chart


@dataclass(frozen=True)
class Changed:
    """A lever that does not stand at the status quo.

    Attributes
    ----------
    id, lever
        Its id, and its entry in the fact book where this version has one.
    status_quo
        Value of the last year if nothing is changed; None where it is not known.
    values
        By scenario: values at the years shown, totals of counts, means over counties of everything else.
    planned
        By scenario that moves it: whether the path is the one of the plan; None where that is not known.
    by_county
        Whether shares or prices differ between counties.
    """

    id: str
    lever: Lever | None
    status_quo: float | None
    values: Mapping[str, tuple[float, ...]]
    planned: Mapping[str, bool | None]
    by_county: bool


@dataclass(frozen=True)
class View:
    """What the sections and charts of a report read.

    Attributes
    ----------
    source
        The run or comparison itself.
    ident
        Its id.
    scenarios
        Names; for a comparison the first is the reference.
    indicators, decomposition
        Rows of all runs, with columns ``scenario, seed``.
    runs
        A row a run: every lever and parameter.
    band
        ``year, indicator, low, median, high`` over assumed values, where it was drawn, and of how many ``draws``.
    fitted
        The same over the fitted vectors of facts, where they were run.
    nominal
        Whether money stands in prices of each year.
    titles
        Of scenarios by name, where they are known.
    """

    source: RunResult | Comparison | Batch
    ident: str
    scenarios: tuple[str, ...]
    seeds: tuple[int, ...]
    base: int
    until: int
    sample: float
    indicators: DataFrame
    decomposition: DataFrame
    runs: DataFrame
    provenance: Mapping[str, Any]
    notes: list[str | dict[str, str]]
    band: DataFrame | None = None
    fitted: DataFrame | None = None
    nominal: bool = False
    titles: Mapping[str, Any] = field(default_factory=dict)

    @property
    def comparison(self) -> Comparison | None:
        """The comparison, where it is one."""
        return self.source if isinstance(self.source, Comparison) else None

    @property
    def run(self) -> RunResult | None:
        """The run, where it is one."""
        return self.source if isinstance(self.source, RunResult) else None

    @property
    def batch(self) -> Batch | None:
        """The batch, where it is one."""
        return self.source if isinstance(self.source, Batch) else None

    @cached_property
    def draws(self) -> int:
        """Runs of the scenario that has most."""
        return int(self.runs["scenario"].value_counts().max())

    @property
    def main(self) -> str:
        """The scenario that a chart with room for one shows."""
        return self.scenarios[-1] if len(self.scenarios) < 3 else self.scenarios[1]

    @property
    def years(self) -> list[int]:
        """Base year, the years of the targets inside the span, and the last."""
        inner = [year for year in self.targets if self.base < year < self.until]
        return [self.base, *inner, self.until]

    @cached_property
    def targets(self) -> dict[int, float]:
        """Goals of the plan for the resident rate, by year."""
        return _by_year(self.provenance.get("targets") or {})

    def record(self, indicator: str) -> dict[int, float]:
        """Published values of an indicator, by year."""
        return _by_year((self.provenance.get("record") or {}).get(indicator) or {})

    def title(self, scenario: str, lang: Lang) -> str:
        """Title of a scenario, short enough for a chart."""
        title: object = self.titles.get(scenario)
        if title is None and scenario in shipped("scenarios"):
            title = Scenario.load(scenario, FactBook.load()).title
        words = " ".join(title_in(title or scenario, lang).split())
        return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"

    def region_title(self, lang: Lang) -> str:
        """Title of the region."""
        about = self.provenance.get("region") or {}
        return title_in(about.get("title") or self._whole, lang)

    @cached_property
    def region(self) -> Region | None:
        """The region package of the run, where this version ships it."""
        return region_of(self.provenance)

    def place_title(self, name: str, lang: Lang) -> str:
        """Title of a county."""
        if self.region is None or lang == "en":
            return name
        for county in self.region.counties:
            if county.en == name:
                return title_in({"en": county.en, "zh_hant": county.zh_hant, "zh_hans": county.zh}, lang)
        return name

    def has(self, indicator: str) -> bool:
        """Whether the tables hold an indicator."""
        return indicator in self.indicators

    def series(self, indicator: str, scenario: str, place: str | None = None) -> DataFrame:
        """Mean over the runs of a scenario, ``mean, low, high`` by year.

        The ends are the band over assumed values where one was drawn, else the lowest and highest of the runs;
        empty where there is one run only.
        """
        key = (scenario, self._whole if place is None else place)
        found = pd.DataFrame({name: self._over_runs[name].loc[key, indicator] for name in ("mean", "low", "high")})
        if self.band is not None and place is None and (self.band["indicator"] == indicator).any():
            drawn = self.band[self.band["indicator"] == indicator].set_index("year")
            found["low"], found["high"] = drawn["low"], drawn["high"]
        elif self.draws < 2:
            found[["low", "high"]] = np.nan
        return found

    def outside(self, band: DataFrame | None, indicators: Sequence[str]) -> list[int]:
        """Years after the base in which the run itself lies outside a band of it."""
        rows = band[band["indicator"].isin(indicators) & (band["year"] > self.base)] if band is not None else None
        if rows is None:
            return []
        ran = [self.at(name, self.main, int(year)) for name, year in zip(rows["indicator"], rows["year"], strict=True)]
        return sorted({int(year) for year in rows["year"][(rows["low"] > ran) | (rows["high"] < ran)]})

    @cached_property
    def _over_runs(self) -> dict[str, DataFrame]:
        """Mean, lowest and highest over the runs, by scenario, place and year; of the region and its counties.

        What a new resident costs is the mean cost over the mean number of new residents: quotients of runs in which
        they are few are beyond all measure, and those in which they are none are empty.
        """
        rows = self.indicators[self.indicators["level"].isin(["prefecture", "county"])]
        by = rows.groupby(["scenario", "place", "year"])[list(rows.select_dtypes("number").columns.drop("year"))]
        mean = by.mean()
        for one in CATALOGUE.values():
            if one.over == "new_urban_residents" and {one.name, one.sum, one.over} <= {*mean.columns}:
                mean[one.name] = (mean[one.sum] / mean[one.over]).where(mean[one.over] > 0)
        return {"mean": mean, "low": by.min(), "high": by.max()}

    @cached_property
    def _whole(self) -> str:
        rows = self.indicators["level"] == "prefecture"
        return str(self.indicators.loc[rows, "place"].iloc[0])

    def over_vectors(self, indicator: str) -> DataFrame | None:
        """``low, high`` by year over the fitted vectors; None where they were not run for it."""
        rows = None if self.fitted is None else self.fitted[self.fitted["indicator"] == indicator]
        return None if rows is None or rows.empty else rows.set_index("year")[["low", "high"]]

    def pairs(self, scenario: str, indicator: str, year: int) -> dict[str, float]:
        """A scenario of a batch against the first, over the runs that share luck, future and facts.

        Returns
        -------
        dict
            See `migrasim.analysis.compare.paired`; empty where no runs are pairs.
        """
        from migrasim.analysis.compare import paired

        rows = self.indicators[(self.indicators["level"] == "prefecture") & (self.indicators["year"] == year)]
        shared = [name for name in ("seed", "future", "parameter_set") if name in self.runs]
        worth = self.runs[["run_id", "scenario", *shared]].merge(rows[["run_id", indicator]], on="run_id")
        wide = worth.pivot_table(index=shared, columns="scenario", values=indicator, dropna=False)
        if scenario not in wide or self.scenarios[0] not in wide:
            return {}
        both = wide[[self.scenarios[0], scenario]].dropna()
        draws = [
            both.index.get_level_values(name).to_numpy() if name in shared else None
            for name in ("parameter_set", "seed")
        ]
        return paired(both[self.scenarios[0]], both[scenario], *draws) if len(both) else {}

    def at(self, indicator: str, scenario: str, year: int, place: str | None = None) -> float:
        """Mean of an indicator in a year."""
        key = (scenario, self._whole if place is None else place, year)
        return float(self._over_runs["mean"].at[key, indicator])  # type: ignore[arg-type]

    @property
    def counties(self) -> list[str]:
        """Names of the counties in the tables."""
        rows = self.indicators[self.indicators["level"] == "county"]
        return [str(name) for name in dict.fromkeys(rows["place"])]

    def points(self, scenario: str, first: int, last: int) -> dict[str, float]:
        """Decomposition of the rate between two years: percentage points by component, the mean over the runs."""
        rows = self.decomposition[self.decomposition["scenario"] == scenario]
        if "level" in rows:
            rows = rows[rows["level"] == "prefecture"]
        runs = max(1, rows["run_id"].nunique() if "run_id" in rows else 1)
        rows = rows[(rows["year"] > first) & (rows["year"] <= last)]
        sums = rows.groupby("component", sort=False)["points"].sum() / runs
        return {str(name): float(value) for name, value in sums.items()}

    @cached_property
    def inputs(self) -> dict[str, Inputs]:
        """Inputs of the status quo, of the plan and of each scenario that ships, as this version resolves them."""
        if self.region is None:
            return {}
        first, book = self.runs.iloc[0], FactBook.load()
        names = {"status_quo", "plan", *self.scenarios} & set(shipped("scenarios"))
        without = [name for name in str(first["alternatives"]).split(", ") if name]
        try:
            return {
                name: Inputs.build(
                    book, self.region, Scenario.load(name, book), self.base, self.until,
                    future=str(first["future"]) or None, alternatives=without,
                )
                for name in sorted(names)
            }  # fmt: skip
        except InputError:  # a future or an alternative that this version does not know
            return {}

    def path(self, lever: str, scenario: str) -> np.ndarray[Any, np.dtype[np.float64]] | None:
        """(years, counties) values of a lever as they were run; None where the tables do not say."""
        row = self.runs[self.runs["scenario"] == scenario].iloc[0]
        count = self.region.n_counties if self.region is not None else max(1, len(self.counties))
        try:
            given = json.loads(row[f"lever.{lever}"])
            by_year = {int(year): each for year, each in given.items()} if isinstance(given, dict) else {0: given}
            rows = [by_year[max(known for known in by_year if known <= year)] for year in self.span]
            return np.array([np.broadcast_to(np.asarray(each, np.float64), count) for each in rows])
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    @property
    def span(self) -> range:
        """Every year from the base to the last."""
        return range(self.base, self.until + 1)

    def lever_ids(self) -> list[str]:
        """Levers that the runs name, in the order of the fact book."""
        named = [str(name).removeprefix("lever.") for name in self.runs.columns if str(name).startswith("lever.")]
        known = [name for name in FactBook.load().levers if name in named]
        return known + [name for name in named if name not in known]

    @cached_property
    def changed(self) -> list[Changed]:
        """Levers that stand elsewhere than at the status quo in some scenario, and only these."""
        return [found for name in self.lever_ids() if (found := self._changed(name)) is not None]

    def _changed(self, name: str) -> Changed | None:
        lever = FactBook.load().levers.get(name)
        total = lever is not None and lever.aggregate == "total"
        start, plan = (self._resolved(each, name) for each in ("status_quo", "plan"))
        values: dict[str, tuple[float, ...]] = {}
        planned: dict[str, bool | None] = {}
        differs = by_county = False
        for scenario in self.scenarios:
            path = self.path(name, scenario)
            if path is None:
                continue
            before = start if start is not None else path[:1].repeat(len(path), axis=0)
            if not np.array_equal(path, before):
                differs = True
                planned[scenario] = None if plan is None else np.array_equal(path, plan)
            one = path.sum(axis=1) if total else path.mean(axis=1)
            values[scenario] = tuple(float(one[year - self.base]) for year in self.years[1:])
            by_county |= not total and bool((path != path[:, :1]).any())
        if not differs:
            return None
        last = None if start is None else float(start[-1].sum() if total else start[-1].mean())
        return Changed(name, lever, last, values, planned, by_county)

    def _resolved(self, scenario: str, lever: str) -> np.ndarray[Any, np.dtype[np.float64]] | None:
        inputs = self.inputs.get(scenario)
        return inputs.lever_path(lever) if inputs is not None and lever in inputs.book.levers else None

    def parameters(self) -> Iterator[tuple[str, tuple[float, float]]]:
        """Facts whose value in the runs differs from the fact book's: the lowest and the highest of all runs."""
        row, book = self.runs.iloc[0], FactBook.load()
        for column in self.runs.columns:
            name = str(column).removeprefix("parameter.")
            if name == column or name not in book or not isinstance(row[column], int | float):
                continue
            central, values = book[name].central, self.runs[column].astype(float)
            if central is not None and not np.isclose(values, central).all():
                yield name, (float(values.min()), float(values.max()))


def _by_year(values: Mapping[Any, Any]) -> dict[int, float]:
    return {int(year): float(values[year]) for year in sorted(values, key=int)}


def view(
    source: RunResult | Comparison | Batch,
    *,
    nominal: bool = False,
    band: DataFrame | None = None,
    fitted: DataFrame | None = None,
    scenarios: Sequence[str] = (),
) -> View:
    """The view of a run, a comparison or a batch.

    Parameters
    ----------
    source
        What the report is about.
    nominal
        Money in prices of each year instead of yuan of 2020.
    band
        Range over assumed values that was drawn beside a run.
    fitted
        Range over the fitted vectors of facts that was drawn beside it.
    scenarios
        Of a batch: those to show; all where none is given.

    Raises
    ------
    InputError
        Where there is nothing in it to report, or too much of it.
    """
    if isinstance(source, Batch):
        found = _of_batch(source, scenarios)
    elif scenarios:
        raise InputError("--scenario: chooses among the scenarios of a batch; this folder holds none")
    elif isinstance(source, RunResult):
        found = replace(_of_run(source, band), fitted=fitted)
    else:
        found = View(
            source, source.comparison_id, source.scenarios, source.seeds, source.base, source.until, source.sample,
            source.indicators, source.tables["decomposition"], source.tables["runs"], source.provenance, source.notes,
        )  # fmt: skip
    if not len(found.indicators):
        raise InputError("report: the tables hold no year")
    return _priced(found) if nominal else found


def _of_run(source: RunResult, band: DataFrame | None) -> View:
    mark: dict[str, Any] = {"scenario": source.scenario, "seed": source.seed}
    title = source.provenance.get("scenario_title")
    return View(
        source, source.run_id, (source.scenario,), (int(source.seed),), source.base, source.until, source.sample,
        source.indicators.assign(**mark), source.decomposition.assign(**mark),
        pd.DataFrame([store.run_row(source)]), source.provenance, source.notes, band,
        titles={source.scenario: title} if title else {},
    )  # fmt: skip


_NAMED = 12  # scenarios in a message


def _of_batch(batch: Batch, wanted: Sequence[str]) -> View:
    """Scenarios of a batch, each with the range over its runs: other luck, futures, values of facts."""
    runs = batch.runs
    failed = len(runs) - int((runs["status"] == "done").sum())
    runs = runs[runs["status"] == "done"]
    known = [str(name) for name in dict.fromkeys(runs["scenario"])]
    for name in wanted:
        if name not in known:
            allowed = ", ".join([*known[:_NAMED], *(["..."] if len(known) > _NAMED else [])])
            hint = nearest(name, known)
            raise InputError(f"--scenario: '{name}' is not in {batch.folder}; allowed: {allowed}. {hint}".rstrip())
    chosen = tuple(name for name in known if name in wanted or not wanted)
    if not 0 < len(chosen) <= MOST_SCENARIOS:
        raise InputError(
            f"{batch.folder}: {len(chosen)} scenarios are too many for one report (or none was made); choose up to "
            f"{MOST_SCENARIOS} with --scenario, such as {', '.join(known[:3])}; `migrasim analyse` reads all of them"
        )
    runs = runs[runs["scenario"].isin(chosen)].reset_index(drop=True)
    if len(runs[["base", "until", "sample"]].drop_duplicates()) > 1:
        raise InputError(f"{batch.folder}: runs differ in base, last year or sample; no report can hold them together")
    first = runs.iloc[0]
    requests = batch.requests(runs.drop_duplicates("scenario")["run_id"])
    notes: list[str | dict[str, str]] = []
    if failed:
        notes.append({"en": f"{failed} runs failed and are left out.", "zh_hant": f"有{failed}次運行失敗，未計入。"})
    marks = runs[["run_id", "scenario", "seed"]]
    return View(
        batch, batch.manifest.name, chosen, tuple(sorted({int(seed) for seed in runs["seed"]})),
        int(first["base"]), int(first["until"]), float(first["sample"]),
        _marked(batch, "indicators", marks), _marked(batch, "decomposition", marks), runs,
        requests[first["run_id"]].provenance(), notes,
        titles=_named(batch, [one.resolved() for one in requests.values()]),
    )  # fmt: skip


def _named(batch: Batch, scenarios: Sequence[Scenario]) -> dict[str, Any]:
    """Titles of scenarios: of points of a design what they set, where the batch says of which experiment it is.

    Where scenarios have the same title their names stand beside it.
    """
    from migrasim.analysis.finished import Finished
    from migrasim.present.findings import point_labels

    titles: dict[str, Any] = {one.name: one.title for one in scenarios}
    said = [title_in(title, "en") for title in titles.values()]
    for name, english in zip(tuple(titles), said, strict=True):
        if said.count(english) > 1:  # mixes of a search have the title of what they stand on
            chinese = title_in(titles[name], "zh-Hant")
            titles[name] = {"en": f"{english} ({name})", "zh_hant": f"{chinese}（{name}）"}
    try:
        finished = Finished.open(batch.folder)
    except InputError:  # runs asked for one by one
        return titles
    labels = {key: point_labels(finished, lang) for key, lang in _TONGUES.items()}
    return {name: {key: found.get(name) for key, found in labels.items()} if name in labels["en"] else title
            for name, title in titles.items()}  # fmt: skip


def _marked(batch: Batch, table: str, marks: DataFrame) -> DataFrame:
    """A table of a batch for the whole region and its counties, with scenario and seed; empty where it is not kept."""
    if table not in batch.manifest.tables:
        return pd.DataFrame(columns=["run_id", "scenario", "seed", "year", "level", "place", "component", "points"])
    levels = [level for level in ("prefecture", "county") if level in batch.manifest.levels]
    frame = pd.concat([batch.table(table, level=level) for level in levels], ignore_index=True)
    return frame.drop(columns=["scenario", "seed"], errors="ignore").merge(marks, on="run_id")


def read(folder: Path) -> RunResult | Comparison | Batch:
    """What lies in a folder.

    Raises
    ------
    InputError
        Where it is none of the three, damaged, unfinished, or of a newer version.
    """
    from migrasim.analysis import compare

    return Batch.open(folder) if manifest_of(folder) is not None else compare.read(folder)


def price_index(found: View) -> dict[int, float]:
    """Consumer prices of each year over those of 2020.

    Raises
    ------
    InputError
        Where neither the run nor its region says.
    """
    index = found.provenance.get("price_index")
    if index:
        return _by_year(index)
    if not found.inputs:
        raise InputError("--nominal: the run does not say how prices rise, and its region does not ship")
    inputs = next(iter(found.inputs.values()))
    return {year: inputs.price_index(year) for year in range(found.base, found.until + 1)}


def _priced(found: View) -> View:
    index = price_index(found)
    money = [str(name) for name in found.indicators.columns if store.unit_of(str(name)).startswith(REAL_YUAN)]
    return replace(found, indicators=in_prices(found.indicators, money, index), nominal=True)


def read_bands(folder: Path) -> dict[str, DataFrame]:
    """What lies beside a stored run: its band over assumed values, and that over the fitted vectors.

    Raises
    ------
    InputError
        Where a file is damaged.
    """
    found = {}
    for key, name in (("band", "band"), ("fitted", "parameters")):
        if (folder / f"{name}.parquet").is_file():
            table = store.read_tables(folder, [name])[name]
            found[key] = table[table["source"] == "parameters"] if "source" in table else table
    return found
