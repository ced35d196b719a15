"""Published series and their counterparts in runs.

The published side is a table of the region, ``fit/series.csv``: one row per number, with the
interval that counts as near enough and its use (``start``, ``fit``, ``qualitative``). The simulated
side is a measure named in the row, taken from the tables of a run from the row's base year.
Levels of later years are read as growth since the base year times the published base, so that the
draw of a sample does not enter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from migrasim.core.errors import InputError, nearest
from migrasim.region import FIT, Region

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from migrasim.runs.runner import OnDone
    from migrasim.runs.spec import RunSpec

SPANS: Mapping[int, int] = {2010: 2020, 2020: 2022}
"""Runs of the fit: from a base year to the last year that it is compared with."""
_CHILD, _ELDER = 15, 65
_TABLES = ("indicators", "flows", "ages", "homes")  # that the measures read


def series(region: Region) -> DataFrame:
    """Published series of a region, checked.

    Returns
    -------
    DataFrame
        ``pattern, measure, detail, base, year, level, place, published, low, high, unit, use, source``, a row per
        number.

    Raises
    ------
    InputError
        For an unknown measure or pattern, a year of a target, or an interval that does not hold its number.
    """
    import pandas as pd

    path = region.folder / FIT / "series.csv"
    if not path.is_file():
        raise InputError(f"{path}: no such file; it holds the published series that a run is compared with")
    table = pd.read_csv(path, dtype={"detail": str}).fillna({"detail": ""})
    missing = [name for name in Row._fields if name not in table.columns]
    if missing:
        raise InputError(f"{path}: column '{missing[0]}' is missing; needed: {', '.join(Row._fields)}")
    known = set(region.tables["patterns"]["id"])
    for number, row in enumerate(_rows(table), 2):
        where = f"{path}: line {number}"
        if row.measure not in MEASURES:
            hint = nearest(str(row.measure), MEASURES)
            raise InputError(f"{where}: measure: nothing is called '{row.measure}'. {hint}".rstrip())
        if row.pattern not in known:
            raise InputError(f"{where}: pattern: '{row.pattern}' is not in patterns.csv")
        if row.base not in SPANS or not row.base <= row.year <= SPANS[row.base]:
            raise InputError(f"{where}: year: {row.year} from {row.base} is outside of what is compared: {dict(SPANS)}")
        if row.year in region.targets:
            raise InputError(f"{where}: year: {row.year} is a year of a target, and targets are never data")
        if not row.low <= row.published <= row.high:
            raise InputError(f"{where}: published: {row.published} lies outside [{row.low}, {row.high}]")
    return table


def simulated(table: DataFrame, run: Run) -> Series[float]:
    """Simulated counterparts of all rows that belong to the run's base year, by the index of `table`."""
    import pandas as pd

    rows = table[(table["base"] == run.base) & (table["year"] <= run.until)]
    reader = _Reader(run)
    return pd.Series([MEASURES[row.measure](reader, row) for row in _rows(rows)], index=rows.index, dtype=float)


class Row(NamedTuple):
    """One published number; the columns of ``fit/series.csv``."""

    pattern: str
    measure: str
    detail: str
    base: int
    year: int
    level: str
    place: str
    published: float
    low: float
    high: float
    unit: str
    use: str
    source: str


def _rows(table: DataFrame) -> list[Row]:
    return [Row(*each) for each in table[list(Row._fields)].itertuples(index=False, name=None)]


class Run(Protocol):
    """What measures need of a run; `migrasim.runs.result.RunResult` is one."""

    @property
    def base(self) -> int: ...
    @property
    def until(self) -> int: ...
    @property
    def provenance(self) -> dict[str, Any]: ...
    @property
    def indicators(self) -> DataFrame: ...
    @property
    def flows(self) -> DataFrame: ...
    @property
    def ages(self) -> DataFrame: ...
    @property
    def homes(self) -> DataFrame: ...


class Made(NamedTuple):
    """One run of a batch."""

    base: int
    until: int
    provenance: dict[str, Any]
    indicators: DataFrame
    flows: DataFrame
    ages: DataFrame
    homes: DataFrame


class _Reader:
    """What measures read of one run, each table looked up once."""

    def __init__(self, run: Run) -> None:
        self.run = run
        rows = run.indicators[run.indicators["level"] != "place"]
        self.rows = {(str(p), int(y)): i for i, (p, y) in enumerate(zip(rows["place"], rows["year"], strict=True))}
        self.indicators = rows

    def value(self, name: str, place: str, year: int) -> float:
        """An indicator of the region or a county."""
        column: Series[float] = self.indicators[name]
        return float(column.iloc[self.rows[place, year]])

    def growth(self, name: str, place: str, year: int) -> float:
        return self.value(name, place, year) / self.value(name, place, self.run.base)

    @cached_property
    def ages(self) -> dict[tuple[int, str, str, str, int], float]:
        """Residents by year, county, tier, sex and youngest age of the group."""
        table = self.run.ages
        ends = [int(year) for year in (table["year"].min(), table["year"].max())]
        table = table[table["year"].isin({*ends, self.run.base, SPANS[self.run.base]})]
        split = {name: str(name).split("/") for name in table["place"].unique()}
        columns = (table[name].tolist() for name in ("year", "place", "sex", "age", "persons"))
        return {
            (int(year), split[place][0], split[place][1], sex, int(age)): float(count)
            for year, place, sex, age, count in zip(*columns, strict=True)
        }

    def persons(self, year: int, place: str, sex: str | None, first: int, last: int, tier: str | None = None) -> float:
        """Residents of an age range; of one county and sex, or of all."""
        everywhere = place not in self.counties
        return sum(
            count
            for (when, county, there, of, age), count in self.ages.items()
            if when == year
            and first <= age < last
            and (sex is None or of == sex)
            and (everywhere or county == place)
            and (tier is None or there == tier)
        )

    @cached_property
    def counties(self) -> frozenset[str]:
        """Names of the counties."""
        return frozenset(county for _, county, *_ in self.ages)


def _level(reader: _Reader, row: Row) -> float:
    """A count: published at the base year, where it is known, times simulated growth."""
    now = reader.value(row.measure, row.place, row.year)
    base = reader.run.provenance["record"].get(_RECORD.get(row.measure, ""), {}).get(str(reader.run.base))
    if row.year == reader.run.base or base is None:
        return now
    return float(base) * reader.growth(row.measure, row.place, row.year)


def _rate(reader: _Reader, row: Row) -> float:
    if row.year == reader.run.base:
        return reader.value("urbanization_rate", row.place, row.year)
    record = reader.run.provenance["record"]
    first = str(reader.run.base)
    urban, residents = record["urban_residents"][first], record["residents"][first]
    urban *= reader.growth("urban_population", row.place, row.year)
    residents *= reader.growth("resident_population", row.place, row.year)
    return float(urban / residents)


def _as_is(reader: _Reader, row: Row) -> float:
    return reader.value(row.measure, row.place, row.year)


def _change(of: str) -> Callable[[_Reader, Row], float]:
    def change(reader: _Reader, row: Row) -> float:
        return reader.value(of, row.place, row.year) - reader.value(of, row.place, reader.run.base)

    return change


def _cohort(reader: _Reader, row: Row) -> float:
    """Residents ten years older over those of the base year: survival and migration together."""
    sex, first = row.detail.split()
    later = row.year - reader.run.base
    then = reader.persons(reader.run.base, row.place, sex, int(first), int(first) + 5)
    now = reader.persons(row.year, row.place, sex, int(first) + later, int(first) + later + 5)
    return now / then if then else np.nan


def _not_resident(reader: _Reader, row: Row) -> float:
    return reader.value("registered_population", row.place, row.year) - reader.value(
        "resident_population", row.place, row.year
    )


def _own_county(reader: _Reader, row: Row) -> float:
    """Of residents who live away from their registered address, those who stay in their county."""
    homes = reader.run.homes
    there = homes[(homes["year"] == row.year) & (homes["county"] != "outside")]
    own = there.loc[there["origin_county"] == there["county"], "other_place_persons"].sum()
    return float(own / there["other_place_persons"].sum())


def _returns(reader: _Reader, row: Row) -> float:
    """Moves back to the prefecture over all who were away at the start or left since."""
    flows, outside = reader.run.flows, ["near", "far"]
    away = flows["origin"].isin(outside)
    back = flows.loc[away & ~flows["destination"].isin(outside), "persons"].sum()
    left = flows.loc[~away & flows["destination"].isin(outside), "persons"].sum()
    return float(back / (left + reader.value("absent_population", row.place, reader.run.base)))


def _lent_free(reader: _Reader, row: Row) -> float:
    lent = reader.value("land_lent_mu", row.place, row.year)
    return reader.value("land_lent_free_mu", row.place, row.year) / lent if lent else np.nan


def _pay(reader: _Reader, row: Row) -> float:
    parameters = reader.run.provenance["parameters"]
    return float(parameters["labour.wage_local_yuan_mo"] / parameters["labour.wage_outside_yuan_mo"])


def _tier_gap(first: int, last: int, sign: int) -> Callable[[_Reader, Row], float]:
    """Share of an age range in seats less that in villages, times `sign`."""

    def gap(reader: _Reader, row: Row) -> float:
        share = {}
        for tier in ("seat", "village"):
            some = reader.persons(row.year, row.place, None, first, last, tier)
            share[tier] = some / reader.persons(row.year, row.place, None, 0, 200, tier)
        return sign * (share["seat"] - share["village"])

    return gap


_RECORD = {"resident_population": "residents", "urban_population": "urban_residents"}

MEASURES: Mapping[str, Callable[[_Reader, Row], float]] = {
    "urbanization_rate": _rate,
    "resident_population": _level,
    "urban_population": _level,
    "registered_population": _as_is,
    "urban_registered_population": _as_is,
    "urban_change": _change("urban_population"),
    "rural_change": _change("rural_population"),
    "birth_rate": _as_is,
    "death_rate": _as_is,
    "income_ratio": _as_is,
    "wage_newcomer_yuan_yr": _as_is,
    "registered_less_resident": _not_resident,
    "own_county_share": _own_county,
    "return_share": _returns,
    "land_lent_free_share": _lent_free,
    "local_over_outside_pay": _pay,
    "cohort_ratio": _cohort,
    "child_share_gap": _tier_gap(0, _CHILD, 1),
    "elder_share_gap": _tier_gap(_ELDER, 200, -1),
}
"""How each measure of ``fit/series.csv`` is taken from a run."""


def judged(table: DataFrame, values: DataFrame) -> DataFrame:
    """Published against simulated, row by row.

    Parameters
    ----------
    table
        Published series; see `series`.
    values
        Simulated counterparts: a row per row of `table`, a column per run.

    Returns
    -------
    DataFrame
        `table` with ``simulated`` (mean), ``simulated_low``, ``simulated_high`` (5 and 95 percent of the runs) and
        ``inside``: whether the mean lies in the published interval.
    """
    found = values.reindex(table.index)
    mean = found.mean(axis=1)
    return table.assign(
        simulated=mean,
        simulated_low=found.quantile(0.05, axis=1),
        simulated_high=found.quantile(0.95, axis=1),
        inside=(mean >= table["low"]) & (mean <= table["high"]),
    )


def ranks_kept(judgement: DataFrame) -> DataFrame:
    """Order of the counties, published against simulated, for every series that is given by county.

    Returns
    -------
    DataFrame
        ``pattern, measure, detail, counties, rank_correlation`` (Spearman; 1 where all ranks are kept).
    """
    import pandas as pd

    rows = []
    counties = judgement[judgement["level"] == "county"]
    for (pattern, measure, detail), group in counties.groupby(["pattern", "measure", "detail"], sort=False):
        rank = group[["published", "simulated"]].rank()
        rows.append(
            {
                "pattern": pattern,
                "measure": measure,
                "detail": detail,
                "counties": len(group),
                "rank_correlation": float(rank["published"].corr(rank["simulated"])),
            }
        )
    return pd.DataFrame(rows)


def of_batch(
    table: DataFrame,
    asked: Sequence[RunSpec],
    folder: Path,
    *,
    workers: int | None = None,
    on_done: OnDone | None = None,
) -> list[Series[float]]:
    """Simulated counterparts of runs that are made through a batch, in the order in which they are asked for.

    Parameters
    ----------
    table
        Published series.
    asked
        Runs; their base years are those of `SPANS`.
    folder
        Of the batch; what it holds already is not made again.
    workers, on_done
        As for `migrasim.runs.runner.run_batch`.

    Raises
    ------
    InputError
        Where runs failed.
    """
    from migrasim.runs.runner import run_batch

    batch = run_batch(
        asked, folder, name="fit", tables=_TABLES, levels=("prefecture", "county"), workers=workers, on_done=on_done
    )
    failed = batch.failed
    if len(failed):
        raise InputError(f"{folder}: {len(failed)} of {len(batch.runs)} runs failed; runs.parquet says why")
    tables_of = {name: batch.table(name) for name in _TABLES}
    parts = {name: dict(list(whole.groupby("run_id"))) for name, whole in tables_of.items()}
    found: dict[str, Series[float]] = {}
    for spec, run_id in zip(asked, batch.design["run_id"], strict=True):
        if run_id not in found:
            tables = {name: parts[name].get(run_id, whole.iloc[:0]) for name, whole in tables_of.items()}
            found[run_id] = simulated(table, Made(spec.base, spec.until, spec.provenance(), **tables))
    return [found[run_id] for run_id in batch.design["run_id"]]
