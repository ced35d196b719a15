"""What the tables of a region must say to be used: numbers where they belong, parts that do not exceed their whole."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from migrasim.core.codes import Sector
from migrasim.core.errors import InputError, nearest
from migrasim.facts import BASE_YEAR, FactBook
from migrasim.region_files import AGE_ROWS, COLUMNS, HOUSEHOLDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pandas import DataFrame

    from migrasim.region import Region

BASES = (2010, 2020)
_NO_NUMBERS = ("adcode", "name_zh", "name_en", "source", "area_source")
_MAY_BE_NEGATIVE = ("resident_change", "urban_change", "rural_change", "seat_lon", "seat_lat")
_GENERATIONS = tuple(name for name in HOUSEHOLDS if name.endswith("_generation"))
_ELSEWHERE = tuple(name for name in HOUSEHOLDS if name.startswith("hukou_elsewhere_"))
_TENURES = tuple(name for name in HOUSEHOLDS if name.startswith("tenure_"))
_SCHOOLING = tuple(name for name in COLUMNS["county_2020"] if name.startswith("edu_"))
_EMPLOYED = ("emp_primary_pct", "emp_secondary_pct", "emp_tertiary_pct")
_SECTORS = tuple(s.name if s == Sector.IT else s.name.lower() for s in Sector if s != Sector.NONE)
_SLACK = 0.06  # of percentages that were rounded
_PRICES = (-20.0, 50.0)  # percent a year; an index (102.6 instead of 2.6) lies outside
LONG = {  # indicators of labour_demography.csv by county that the population is made of, beside ages
    2010: (
        *("age0_per_1000_women_15_49", "women_15_49", "employment_rate_16plus"),
        *("marital_married_male_15plus", "marital_married_female_15plus"),
    ),
    2020: (
        *("registered_pop_estimate", "age0_per_1000_women_15_49", "women_15_49"),
        *("marital_married_male_15plus", "marital_married_female_15plus"),
        *(f"emp_estimate_{name}" for name in _SECTORS),
    ),
}
_PERCENT = ("employment_rate_16plus", "marital_married_male_15plus", "marital_married_female_15plus")


def problems(region: Region) -> Iterator[str]:
    """All that is wrong with the tables, the map and the fitted parameters of a region, one message each."""
    checks: tuple[Callable[[Region], Iterator[str]], ...] = (
        _counties,
        _sums,
        _distances,
        _prices,
        _long,
        _townships,
        _chain_jobs,
        _record,
        _people,
        _map,
        _fitted,
    )
    seen = set()  # a word where a number belongs is met by more than one of them
    for check in checks:
        try:
            for problem in check(region):
                if problem not in seen:
                    yield problem
                seen.add(problem)
        except InputError as error:
            if str(error) not in seen:
                yield str(error)
            seen.add(str(error))


def _table(region: Region, name: str) -> Path:
    return region.folder / "tables" / f"{name}.csv"


def _rows(table: DataFrame) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of a table with the line of its file."""
    for line, row in zip(table.index, table.to_dict("records"), strict=True):
        yield f"line {int(line) + 2}", {str(name): value for name, value in row.items()}


def _counties(region: Region) -> Iterator[str]:
    """Every county has its row, once, with numbers that can be."""
    for table in ("county_2010", "county_2020", "county_change_2010_2020", "county_seats"):
        for column in COLUMNS[table]:
            if column in _NO_NUMBERS:
                continue
            try:
                values = region._by_county(table, column)
            except InputError as error:
                yield str(error)
                if "adcode" in str(error):
                    break  # the same holds for every column
                continue
            most = 100.0 if "_pct" in column else np.inf
            least = -np.inf if column in _MAY_BE_NEGATIVE else 0.0
            for county, value in zip(region.county_names, values, strict=True):
                where = f"{_table(region, table)}: {column} of {county}"
                if np.isnan(value):
                    yield f"{where}: is empty; a number is expected"
                elif not np.isfinite(value) or not least <= value <= most:
                    yield f"{where}: {value:g} is not allowed; allowed: {_between(least, most)}"
                elif column in ("area_km2", "resident_pop", "family_households") and value == 0:
                    yield f"{where}: 0 is not allowed; allowed: numbers above 0"


def _shown(value: object) -> str:
    return "an empty cell" if value != value else repr(value)  # an empty cell is read as nan, which differs from itself


def _between(least: float, most: float) -> str:
    return "numbers" if least < 0 else "numbers from 0" if np.isinf(most) else f"{least:g} to {most:g}"


def _sums(region: Region) -> Iterator[str]:
    """Parts add up to their whole, or stay within it."""
    exact = [
        ("resident_pop", ("urban_pop", "rural_pop"), BASES),
        ("resident_pop", ("male", "female"), BASES),
        ("family_households", _GENERATIONS, BASES),
    ]
    within = [
        ("resident_pop", ("pop_in_family_households",), BASES),
        ("resident_pop", _ELSEWHERE, BASES),
        ("resident_pop", _SCHOOLING, (2020,)),
        ("hh_1_generation", ("hh_1_person",), BASES),
        ("100 percent", _TENURES, BASES),
        ("100 percent", _EMPLOYED, (2010,)),
    ]
    for rules, words in ((exact, "do not add up to"), (within, "come to more than")):
        for whole, parts, bases in rules:
            for base in bases:
                percent = whole.endswith("percent")
                total = np.full(region.n_counties, 100.0) if percent else region.census(base, whole)
                found = np.sum([region.census(base, part) for part in parts], axis=0)
                off = np.abs(found - total) if rules is exact else found - total
                for n in np.flatnonzero(off > (_SLACK if percent else 0.5)):
                    where, county = _table(region, f"county_{base}"), region.county_names[n]
                    yield f"{where}: {', '.join(parts)} of {county} {words} {whole} ({found[n]:g}, {total[n]:g})"
    for base in BASES:
        ages, residents = region.age_by_sex(base), region.census(base, "resident_pop")
        for n in np.flatnonzero(np.abs(ages.sum(axis=(1, 2)) - residents) > 0.5):
            yield (
                f"{_table(region, 'labour_demography')}: pop_age_... of {region.counties[n].zh} in {base} do not add "
                f"up to resident_pop ({ages[n].sum():g}, {residents[n]:g})"
            )


def _distances(region: Region) -> Iterator[str]:
    """Kilometres between seats and to cities: each county has its row; no distance but the one to itself is 0."""
    import pandas as pd

    where = _table(region, "distance_great_circle_km")
    table = region.tables["distance_great_circle_km"]
    names, cities = region.county_names, list(region.record_yaml["outside"]["near"]["cities"])
    rows = Counter(str(name) for name in table["from"])
    wrong = [f"{where}: no row {name!r}; {nearest(name, rows)}".rstrip("; ") for name in names if name not in rows]
    wrong += [f"{where}: row {name!r} stands twice; keep one" for name in names if rows[name] > 1]
    for name in [*names, *cities]:
        if name not in table.columns:
            wrong.append(f"{where}: column {name!r} is missing; {nearest(name, table.columns)}".rstrip("; "))
    yield from wrong
    if wrong:
        return
    given = table.set_index("from").loc[names, [*names, *cities]]
    km = given.apply(pd.to_numeric, errors="coerce").to_numpy(float)
    for i, one in enumerate(names):
        for j, other in enumerate([*names, *cities]):
            pair = f"{where}: from {one} to {other}"
            if not np.isfinite(km[i, j]):
                yield f"{pair}: {_shown(given.iloc[i, j])} is no number; kilometres are expected"
            elif i == j and km[i, j] != 0:
                yield f"{pair}: {km[i, j]:g} is not allowed; allowed: 0, it is the same place"
            elif i != j and km[i, j] <= 0:
                yield f"{pair}: {km[i, j]:g} is not allowed; allowed: kilometres above 0"
            elif i < j < len(names) and abs(km[i, j] - km[j, i]) > 0.11:
                yield f"{pair}: {km[i, j]:g} one way and {km[j, i]:g} the other; a straight line has one length"


def _prices(region: Region) -> Iterator[str]:
    """Price changes by year without a gap, none of them an index."""
    where = _table(region, "cpi")
    years = region.tables["cpi"]["year"].tolist()
    for year in years:
        if not isinstance(year, int):
            yield f"{where}: year: {year!r} is no year; whole numbers are expected, a row a year"
            return
    for year, count in Counter(years).items():
        if count > 1:
            yield f"{where}: {year} stands twice; keep one row"
    for year in range(min(years), max(*years, BASE_YEAR)):
        if year not in years:
            yield f"{where}: {year} is missing; prices need every year from {min(years)} on"
    low, high = _PRICES
    for year, change in region.cpi.items():
        if not low <= change <= high:
            yield (
                f"{where}: {year}: {_shown(change)} is not allowed; allowed: {low:g} to {high:g} percent over the year "
                "before (2.6, not an index of 102.6)"
            )


def _long(region: Region) -> Iterator[str]:
    """Indicators by county that the population is made of are there, once, with numbers that can be."""
    import pandas as pd

    where = _table(region, "labour_demography")
    table = region.tables["labour_demography"]
    needed = {base: (*LONG[base], *AGE_ROWS) for base in BASES}
    keys = {(name, str(base)) for base in BASES for name in needed[base]}
    keys |= {("seat_share_of_urban_residents", "2020"), ("city_proper_share_of_urban", "2020")}
    keys |= {("households_with_65plus_share", str(base)) for base in BASES}
    own = table[table["area"].isin([county.zh for county in region.counties])]
    own = own[[key in keys for key in zip(own["indicator"], own["year"], strict=True)]]
    for (line, row), value in zip(_rows(own), pd.to_numeric(own["value"], errors="coerce"), strict=True):
        indicator = row["indicator"]
        pair = f"{where}: {line}: {indicator} of {row['area']} in {row['year']}"
        share = indicator in (*_PERCENT, "city_proper_share_of_urban", "households_with_65plus_share")
        most = 100.0 if share else 1.0 if indicator == "seat_share_of_urban_residents" else np.inf
        if not np.isfinite(value):
            yield f"{pair}: {_shown(row['value'])} is no number"
        elif not 0 <= value <= most:
            yield f"{pair}: {value:g} is not allowed; allowed: {_between(0.0, most)}"
    for (indicator, year, area), count in Counter(zip(own["indicator"], own["year"], own["area"], strict=True)).items():
        if count > 1:
            yield f"{where}: {indicator} of {area} in {year} stands {count} times; keep one row"
    for base in BASES:
        for indicator in needed[base]:
            try:
                region.long(indicator, base)
            except InputError as error:
                yield str(error)
    _ = region.seat_share


def _townships(region: Region) -> Iterator[str]:
    """Villages are counted township by township, and every county has some."""
    where = _table(region, "labour_demography")
    table = region.tables["labour_demography"]
    rows = table[table["indicator"].isin(["village_committees", "residents_committees"])]
    rows = rows[(rows["note"] == "township level") & rows["area"].str.contains("/", regex=False)]
    known = [county.zh for county in region.counties]
    wrong = False
    for line, row in _rows(rows):
        county = str(row["area"]).partition("/")[0]
        if county not in known:
            hint = nearest(county, known)
            yield f"{where}: {line}: area: {county!r} is no county; allowed: {', '.join(known)}. {hint}"
            wrong = True
        elif not _is_count(row["value"]):
            yield f"{where}: {line}: {row['indicator']} of {row['area']}: {_shown(row['value'])} is no number of them"
            wrong = True
    if wrong:
        return
    villages: Counter[int] = Counter()
    for township in region.townships:
        villages[township.county] += township.villages
    for n, one in enumerate(region.counties):
        if not villages[n]:
            yield f"{where}: no village_committees of a township of {one.zh}; every county needs some (township level)"


def _is_count(value: object) -> bool:
    try:
        number = float(str(value))
    except ValueError:
        return False
    return number >= 0 and number.is_integer()


def _chain_jobs(region: Region) -> Iterator[str]:
    """Jobs of chains in whole numbers, of counties and chains that are known, each pair once."""
    where = _table(region, "chain_jobs_2020")
    seen: dict[tuple[int, int], str] = {}
    for line, row in _rows(region.tables["chain_jobs_2020"]):
        try:
            pair = region.county(row["county"]), region.chain(str(row["chain"]))
        except InputError as error:
            yield f"{where}: {line}: {error}"
            continue
        if pair in seen:
            yield f"{where}: {line}: {row['chain']} of {row['county']} stands also in {seen[pair]}; keep one row"
        seen[pair] = line
        if not _is_count(row["jobs"]):
            yield f"{where}: {line}: jobs: {_shown(row['jobs'])} is not allowed; allowed: whole numbers from 0"


def _record(region: Region) -> Iterator[str]:
    """Every series of region.yaml has rows of the prefecture, with years and numbers that can be."""
    import pandas as pd

    where, form = _table(region, "city_annual"), region.folder / "region.yaml"
    table, area = region.tables["city_annual"], region.record_yaml["prefecture"]["zh"]
    areas = table["area"].unique()
    if region.record_yaml.get("record") and area not in areas:
        yield f"{form}: prefecture.zh: no row of {area!r} in {where.name}; {nearest(area, areas)}".rstrip("; ")
        return
    wrong = False
    own = table[table["area"] == area]
    for name, about in region.record_yaml.get("record", {}).items():
        rows = own[own["indicator"] == about["indicator"]]
        if rows.empty:
            hint = nearest(about["indicator"], own["indicator"].unique())
            yield f"{form}: record.{name}: no indicator {about['indicator']!r} in {where.name}; {hint}".rstrip("; ")
        years, values = (pd.to_numeric(rows[column], errors="coerce") for column in ("year", "value"))
        for (line, row), year, value in zip(_rows(rows), years, values, strict=True):
            if not 1900 <= year <= 2200 or year % 1:
                yield f"{where}: {line}: year: {row['year']!r} is no year"
                wrong = True
            elif not np.isfinite(value) or value < 0:
                given = f"{row['indicator']}: {_shown(row['value'])}"
                yield f"{where}: {line}: {given} is not allowed; allowed: numbers from 0"
                wrong = True
    if not wrong:
        for year, rate in region.record.get("urbanization_rate", {}).items():
            if rate > 1:
                yield f"{form}: record.urbanization_rate: {rate:g} in {year} is no share; is the factor 0.01?"


def _people(region: Region) -> Iterator[str]:
    """Those with an urban registration are some of the registered."""
    about = region.record_yaml["population"]
    everybody, urban = (about[key]["value"] for key in ("registered_total_2020", "urban_registered_2020"))
    if urban > everybody:
        where = region.folder / "region.yaml"
        yield f"{where}: population.urban_registered_2020: {urban:g} is more than registered_total_2020 ({everybody:g})"


def _map(region: Region) -> Iterator[str]:
    """The map is GeoJSON with one outline a county, by its code and English name."""
    where = region.map
    try:
        text = where.read_text(encoding="utf-8-sig")
        shapes: Any = json.loads(text)
    except OSError as error:
        yield f"{where}: cannot be read: {error.strerror}; a map (GeoJSON) is expected"
        return
    except (ValueError, RecursionError) as error:
        yield f"{where}: is no valid GeoJSON: {str(error).splitlines()[0]}"
        return
    features = shapes.get("features") if isinstance(shapes, dict) else None
    if not isinstance(features, list):
        yield f"{where}: is no valid GeoJSON: a FeatureCollection with features is expected"
        return
    codes: Counter[str] = Counter()
    names = {str(county.code): county.en for county in region.counties}
    for number, each in enumerate(features):
        at = f"{where}: features.{number}"
        about = each.get("properties") if isinstance(each, dict) else None
        if not isinstance(about, dict) or "adcode" not in about:
            yield f"{at}: properties.adcode is missing; the code of a county is expected"
            continue
        code = str(about["adcode"])
        codes[code] += 1
        if code not in names:
            yield f"{at}: properties.adcode: {code!r} is no county; allowed: {', '.join(names)}"
        elif about.get("name_en") != names[code]:
            given = about.get("name_en")
            yield f"{at}: properties.name_en: {given!r} is not the name of {code}; allowed: {names[code]}"
        if not _is_outline(each.get("geometry")):
            yield f"{at}: geometry: a Polygon or MultiPolygon with rings of [longitude, latitude] is expected"
    for code, name in names.items():
        if not codes[code]:
            yield f"{where}: no outline of {name} ({code})"
        elif codes[code] > 1:
            yield f"{where}: {name} ({code}) stands {codes[code]} times; keep one"


def _is_outline(geometry: Any) -> bool:
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        return False
    given: Any = geometry.get("coordinates")
    parts = [given] if geometry["type"] == "Polygon" else given
    try:
        rings = [np.asarray(ring, float) for part in parts for ring in part]
    except (TypeError, ValueError):
        return False
    return bool(rings) and all(
        ring.ndim == 2 and len(ring) >= 4 and ring.shape[1] >= 2 and np.isfinite(ring).all() for ring in rings
    )


def _fitted(region: Region) -> Iterator[str]:
    """Fitted vectors set facts that are known and read, in numbers."""
    where, book = region.folder / "fit" / "ensemble.csv", FactBook.load()
    wrong = False
    for name in region.ensemble.columns:
        try:
            book.check_overrides({str(name): 0.0}, str(where))
        except InputError as error:
            yield str(error)
            wrong = True
    if wrong:
        return
    for name in region.ensemble.columns:
        fact = book[str(name)]
        for vector, value in region.ensemble[name].items():
            low = -np.inf if fact.low is None else fact.low
            high = np.inf if fact.high is None else fact.high
            if not low <= value <= high or not np.isfinite(value):
                yield f"{where}: vector {vector}: {name}: {value:g} is not allowed; allowed: {low:g} to {high:g}"
