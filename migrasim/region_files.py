"""Tables of a region package: which there are, how they are read, and a blank set of them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from migrasim.core.documents import check_columns
from migrasim.core.errors import InputError, nearest
from migrasim.core.interrupts import held_back

if TYPE_CHECKING:
    import pandas as pd

_LONG = ("topic", "area", "year", "indicator", "value", "unit", "status", "source", "note")
HOUSEHOLDS = (
    "family_households",
    "pop_in_family_households",
    "hh_1_person",
    "hh_1_generation",
    "hh_2_generation",
    "hh_3_generation",
    "hh_4plus_generation",
    "hukou_elsewhere_same_county",
    "hukou_elsewhere_other_county_in_gansu",
    "hukou_elsewhere_other_province",
    "tenure_rent_pct_calc",
    "tenure_selfbuilt_pct_calc",
    "tenure_purchased_pct_calc",
)
_CENSUS = ("adcode", "name_zh", "name_en", "resident_pop", "male", "female", "urban_pop", "rural_pop", *HOUSEHOLDS)
COLUMNS: dict[str, tuple[str, ...]] = {
    "county_2020": (
        *_CENSUS,
        *("edu_none", "edu_primary", "edu_junior_middle", "edu_senior_middle", "edu_junior_college"),
        *("edu_bachelor_plus", "longform_employed_sample", "longform_households_sample", "source"),
    ),
    "county_2010": (
        *_CENSUS,
        *("hukou_pop", "nonagri_hukou_pct", "avg_years_schooling_15plus"),
        *("emp_primary_pct", "emp_secondary_pct", "emp_tertiary_pct", "source"),
    ),
    "county_change_2010_2020": ("adcode", "name_zh", "resident_change", "urban_change", "rural_change", "source"),
    "county_seats": ("adcode", "name_zh", "name_en", "seat_lon", "seat_lat", "area_km2", "area_source"),
    "distance_great_circle_km": ("from",),
    "labour_demography": _LONG,
    "city_annual": ("year", "area", "indicator", "value", "unit", "status", "note", "source"),
    "chains": ("chain", "area", "year", "indicator", "value", "unit", "kind", "note", "source"),
    "chain_jobs_2020": ("county", "chain", "jobs", "status", "source"),
    "cpi": ("year", "consumer_price_change_percent", "status", "note"),
    "patterns": ("id", "pattern", "published", "tolerance", "use", "source"),
}
"""Tables that every region needs, and the columns that the program reads."""
AGES = (*(f"{a}-{a + 4}" for a in range(0, 85, 5)), "85+")
AGE_ROWS = tuple(f"pop_age_{group}_{sex}" for group in AGES for sex in ("male", "female"))


def read_table(folder: Path, name: str) -> pd.DataFrame:
    """One table of a region with the columns that the program reads; else an `InputError`."""
    import pandas as pd

    path = folder / "tables" / f"{name}.csv"
    try:
        kinds = {"year": str} if name == "labour_demography" else None
        with held_back():
            frame = pd.read_csv(path, encoding="utf-8-sig", dtype=kinds)
    except FileNotFoundError:
        known = [found.stem for found in (folder / "tables").glob("*.csv")]
        hint = nearest(name, known)
        raise InputError(f"{path}: table {name!r} is missing; {hint or 'put it into tables/'}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file in UTF-8; a csv table is expected") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(f"{path}: is no readable csv table ({why})") from None
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes what is too many for names of the rows
        raise InputError(f"{path}: its rows have more cells than its first line has names")
    with path.open(encoding="utf-8-sig", newline="") as file:  # pandas would call the second of two `name.1`
        check_columns([cell.strip() for cell in next(filter(None, csv.reader(file)), [])], str(path))
    frame.columns = frame.columns.str.strip()
    for column in COLUMNS.get(name, ()):
        if column not in frame.columns:
            hint = nearest(column, frame.columns)
            raise InputError(f"{path}: column {column!r} is missing" + (f"; {hint}" if hint else ""))
    if frame.empty:
        raise InputError(f"{path}: holds a header and no rows")
    return frame


def write_template(path: str | Path) -> Path:
    """Write a blank region folder: ``region.yaml`` to fill in and tables with headers only.

    Raises
    ------
    InputError
        Where the folder exists and is not empty, or cannot be written.
    """
    folder = Path(path)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(f"{folder}: exists and is not empty; give a new folder")
        (folder / "tables").mkdir(parents=True, exist_ok=True)
        (folder / "region.yaml").write_text(
            _TEMPLATE + "".join(f"  {name}: {{source: }}\n" for name in COLUMNS), encoding="utf-8"
        )
        for name, columns in COLUMNS.items():
            (folder / "tables" / f"{name}.csv").write_text(",".join(columns) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror})") from None
    return folder


_TEMPLATE = """\
schema_version: 1
name: my_region
title: {en: My region, zh_hant: 我的地區}
prefecture: {code: 0, zh: 市}   # names in the tables are those of zh
core_county: First
counties:
  - {code: 1, en: First, zh: 县, zh_hant: 縣}
chains: []   # - {id: , title: {en: , zh_hant: }, sectors: [MANUFACTURING]}
outside:
  near: {title: {en: Near outside, zh_hant: 鄰近外地}, definition: , cities: [City]}
  far: {title: {en: Far outside, zh_hant: 遠方外地}, definition: , travel_min: 1000, status: assumed, source: }
targets: {2025: 0.0, 2035: 0.0}
travel:
  {road_factor: 1.25, village_km_h: 30, between_seats_km_h: 60, outside_km_h: 80, access_min: 5, status: assumed}
population:
  registered_total_2020: {value: 1, source: }
  urban_registered_2020: {value: 1, source: }
record: {}   # residents: {indicator: resident_pop, factor: 10000}, of the prefecture in city_annual.csv
tables:
"""
