"""Newly published figures: read, and refused where they may not be what they seem.

A table has the columns ``year, place, indicator, value, unit, basis``, and ``source`` if there is one.
A year that was not published stands there with an empty value, so that a gap is never an oversight.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from migrasim.core.documents import read_cells
from migrasim.core.errors import InputError, nearest
from migrasim.facts import BASE_YEAR
from migrasim.region import Region

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = ("year", "place", "indicator", "value", "unit", "basis")
BASIS = "census 2020"
_LAST = 2100
_OLD = ("census 2010", "pre-census")
_FARTHEST = 1.6  # times of a count of the base year, beyond which a unit or a basis is likely wrong
_LEAP = 0.1  # by which a rate changes in a year at most before it is taken for a slip
_APART = 0.02  # share by which urban residents differ from residents times rate at most: rounding explains no more
_STEP = 0.06  # share by which a count changes in a year at most before it is taken for another basis


class Kind(NamedTuple):
    """What can be observed: the indicator of a run, units with their factors, what a year may be at most."""

    indicator: str
    units: dict[str, float]
    is_count: bool
    tolerance: float  # error of what is published: a share of a count, or of a rate in its own unit


_PERSONS = {"persons": 1.0, "10k persons": 10_000.0}
KINDS: dict[str, Kind] = {
    "residents": Kind("resident_population", _PERSONS, True, 0.004),
    "urban_residents": Kind("urban_population", _PERSONS, True, 0.004),
    "urbanization_rate": Kind("urbanization_rate", {"share": 1.0, "percent": 0.01}, False, 0.003),
    "births": Kind("births", _PERSONS, False, 0.08),
    "deaths": Kind("deaths", _PERSONS, False, 0.08),
}


def read(path: Path, region: Region) -> DataFrame:
    """Observations of a file, in persons and shares.

    Returns
    -------
    DataFrame
        ``year, place, indicator, value, tolerance, source``: `indicator` as runs name it, `tolerance` the error that
        published figures are taken to have.

    Raises
    ------
    InputError
        One message: line, what is wrong, what is allowed; nothing is taken in then.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    seen: dict[tuple[str, str, int], int] = {}
    for number, row in _lines(path):
        where = f"{path}: line {number}"
        one = _row(row, where, region)
        key = (one["place"], one["indicator"], one["year"])
        if key in seen:
            raise InputError(
                f"{where}: {key[1]} of {key[0]} in {key[2]} stands also in line {seen[key]}; keep the one that holds"
            )
        seen[key] = number
        rows.append(one)
    table = pd.DataFrame(rows)
    _check_years(table, path)
    table = table.dropna(subset=["value"]).reset_index(drop=True)
    if table.empty:
        raise InputError(f"{path}: every value is empty")
    _check_sizes(table, region, path)
    _check_products(table, path)
    return table


def _lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Rows of a table by their names, each with its line; those that are blank or hold nothing are passed over."""
    if not path.exists():
        raise InputError(f"{path}: no such file; a table with the columns {', '.join(COLUMNS)} is expected")
    (_, names), *lines = read_cells(path)
    for column in COLUMNS:
        if column not in names:
            hint = nearest(column, names)
            raise InputError(f"{path}: column '{column}' is missing; needed: {', '.join(COLUMNS)}. {hint}".rstrip())
    if not lines:
        raise InputError(f"{path}: holds a header and no rows")
    return [(number, dict(zip(names, cells, strict=False))) for number, cells in lines]


def _row(row: dict[str, str], where: str, region: Region) -> dict[str, Any]:
    year = row["year"]
    if not year.isdecimal() or not BASE_YEAR < int(year) <= _LAST:
        raise InputError(f"{where}: year: '{year}' is not allowed; allowed: years from {BASE_YEAR + 1} to {_LAST}")
    places = [region.title["en"], *region.county_names]
    known = {**{name: name for name in places}, **{one.zh: one.en for one in region.counties}}
    known[region.title["zh_hant"]] = region.title["en"]
    if row["place"] not in known:
        hint = nearest(row["place"], known)
        raise InputError(
            f"{where}: place: '{row['place']}' is not known; allowed: {', '.join(places)}. {hint}".rstrip()
        )
    if row["indicator"] not in KINDS:
        hint = nearest(row["indicator"], KINDS)
        raise InputError(
            f"{where}: indicator: '{row['indicator']}' is not known; allowed: {', '.join(KINDS)}. {hint}".rstrip()
        )
    kind = KINDS[row["indicator"]]
    if row["unit"] not in kind.units:
        hint = nearest(row["unit"], kind.units)
        raise InputError(
            f"{where}: unit: '{row['unit']}' is not allowed; allowed: {', '.join(kind.units)}. {hint}".rstrip()
        )
    if row["basis"] in _OLD:
        raise InputError(
            f"{where}: basis: '{row['basis']}' is another basis than the runs', which start from the census of 2020: "
            "figures before it was applied run up to 15 percent higher; give the revised series"
        )
    if row["basis"] != BASIS:
        raise InputError(f"{where}: basis: '{row['basis']}' is not known; allowed: {BASIS}")
    value = _value(row["value"], where, kind.units[row["unit"]], row["unit"])
    return {
        "year": int(year),
        "place": known[row["place"]],
        "indicator": kind.indicator,
        "value": value,
        "unit": row["unit"],
        "tolerance": kind.tolerance if row["indicator"] == "urbanization_rate" else kind.tolerance * (value or 0.0),
        "source": row.get("source", ""),
        "line": int(where.rsplit(" ", 1)[1]),
    }


def _value(text: str, where: str, factor: float, unit: str) -> float | None:
    if not text:
        return None
    try:
        number = float(text.replace("_", "no number"))  # 1_824 would be taken for 1824
    except ValueError:
        raise InputError(
            f"{where}: value: '{text}' is no number; an empty value says that nothing was published"
        ) from None
    if not 0 < number < float("inf"):
        raise InputError(f"{where}: value: {text} is not allowed; allowed: numbers above 0")
    if unit == "share" and number > 1:
        raise InputError(f"{where}: value: {text} is no share, which is at most 1; is the unit 'percent'?")
    if unit == "percent" and number > 100:
        raise InputError(f"{where}: value: {text} percent is more than 100")
    if unit == "percent" and number <= 1:
        raise InputError(f"{where}: value: {text} percent is next to nobody; is the unit 'share'?")
    return number * factor


def _check_years(table: DataFrame, path: Path) -> None:
    """Every series runs from the first year after the base without a gap."""
    for (place, indicator), group in table.groupby(["place", "indicator"], sort=False):
        years = set(group["year"])
        for year in range(BASE_YEAR + 1, max(years)):
            if year not in years:
                raise InputError(
                    f"{path}: {indicator} of {place}: {year} is missing before {max(years)}; give it, or a row with an "
                    "empty value where nothing was published"
                )


def _check_sizes(table: DataFrame, region: Region, path: Path) -> None:
    """Counts stand near those of the base year, and do not jump: units and bases betray themselves so."""
    urban, rural = region.census(BASE_YEAR, "urban_pop"), region.census(BASE_YEAR, "rural_pop")
    by_place = {name: (urban[i] + rural[i], urban[i]) for i, name in enumerate(region.county_names)}
    by_place[region.title["en"]] = (urban.sum() + rural.sum(), urban.sum())
    for (place, indicator), group in table.groupby(["place", "indicator"], sort=False):
        residents, in_town = (float(each) for each in by_place[str(place)])
        base = {"resident_population": residents, "urban_population": in_town}.get(str(indicator))
        before, rate, last = base, in_town / residents, BASE_YEAR
        for row in group.sort_values("year").to_dict("records"):
            where, value = f"{path}: line {row['line']}", float(row["value"])
            years, last = row["year"] - last, row["year"]
            if base is None:
                if indicator == "urbanization_rate":
                    if abs(value - rate) > _LEAP * years:
                        raise InputError(
                            f"{where}: {indicator} of {place}: {100 * value:.2f} percent after {100 * rate:.2f} is a "
                            f"leap of {100 * (value - rate):+.1f} points, which nobody has seen; is a digit wrong?"
                        )
                    rate = value
                if indicator in ("births", "deaths") and not 0.002 < value / residents < 0.03:
                    raise InputError(
                        f"{where}: {indicator} of {place}: {value:,.0f} persons are {1000 * value / residents:.2f} per "
                        f"1000 residents, which nobody has seen; are they given in {_other(row['unit'])}?"
                    )
                continue
            assert before is not None
            if not 1 / _FARTHEST < value / base < _FARTHEST:
                raise InputError(
                    f"{where}: {indicator} of {place}: {value:,.0f} persons against {base:,.0f} in {BASE_YEAR}; are "
                    f"they given in {_other(row['unit'])}?"
                )
            if abs(value / before - 1.0) > _STEP * years:
                raise InputError(
                    f"{where}: {indicator} of {place}: {value:,.0f} after {before:,.0f} is a step of "
                    f"{100 * (value / before - 1.0):+.1f} percent; it looks like another basis than {BASIS}"
                )
            before = value


def _check_products(table: DataFrame, path: Path) -> None:
    """Residents, urban residents and rate of a year go together."""
    for (place, year), group in table.groupby(["place", "year"], sort=False):
        values = group.set_index("indicator")["value"].to_dict()
        if {"resident_population", "urban_population", "urbanization_rate"} <= set(values):
            urban, line = values["urban_population"], group.set_index("indicator")["line"]["urban_population"]
            product = values["resident_population"] * values["urbanization_rate"]
            if abs(urban / product - 1.0) > _APART:
                raise InputError(
                    f"{path}: line {line}: urban_population of {place}: {urban:,.0f} in {year}, but residents times "
                    f"rate are {product:,.0f}; one of the three is wrong"
                )


def _other(unit: str) -> str:
    return "persons" if unit == "10k persons" else "10k persons"
