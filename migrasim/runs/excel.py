"""A batch as a workbook: a sheet of results, one of the levers that differ (a row a run), and what columns are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrasim.core.errors import InputError
from migrasim.core.language import LANGS, title_in
from migrasim.facts import BASE_YEAR, FactBook
from migrasim.runs import store
from migrasim.runs.batch import RUNS, Batch
from migrasim.runs.compaction import SUMMARY
from migrasim.runs.simulate import only_region
from migrasim.runs.worker import atomic

if TYPE_CHECKING:
    from pandas import DataFrame

FILE = "results.xlsx"
MOST_ROWS = 20_000  # more is slow to write and slower to open


def levers(batch: Batch) -> DataFrame:
    """Levers that differ between runs, at their last year: totals of counts, means over counties of all others.

    One row a run: ``run_id, label``, then a column a lever.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    path = batch.folder / RUNS
    names = [name for name in pq.read_schema(path).names if name.startswith("lever.")]
    table = pq.read_table(path, columns=["run_id", "label", *names], partitioning=None, page_checksum_verification=True)
    columns: dict[str, Any] = {name: table[name].to_pylist() for name in ("run_id", "label")}
    book, counties = FactBook.load(), len(only_region().county_names)
    for name in names:
        texts = table[name].to_pylist()
        if len(set(texts)) > 1:
            lever = name.removeprefix("lever.")
            total = lever in book.levers and book.lever(lever).aggregate == "total"
            known = {text: _last(json.loads(text), counties if total else 0) for text in set(texts)}
            columns[lever] = [known[text] for text in texts]
    return pd.DataFrame(columns)


def _last(path: Any, counties: int) -> float:
    """Last year of a lever as ``runs.parquet`` has it: the sum over `counties`, or the mean where they are 0."""
    value = path[max(path)] if isinstance(path, dict) else path
    if isinstance(value, list):
        return float(sum(value)) if counties else float(sum(value) / len(value))
    return float(value * counties if counties else value)  # one number: all counties have it


def columns(sheets: Mapping[str, DataFrame]) -> DataFrame:
    """Unit and titles of all columns of the other sheets: their heads are names, as in the tables.

    One row a column: ``sheet, column, unit``, then a title a language; empty where nothing is known of it.
    """
    import pandas as pd

    rows = [
        {"sheet": sheet, "column": name, **_about(str(name))}
        for sheet, frame in sheets.items()
        for name in frame.columns
    ]
    return pd.DataFrame(rows, columns=["sheet", "column", "unit", *(_title_key(lang) for lang in LANGS)])


def _about(column: str) -> dict[str, str]:
    """Unit and titles of a lever, a fact, a column of the tables, or one of these in a year."""
    book = FactBook.load()
    known = book.levers.get(column) or book.facts.get(column)
    if known is not None:
        return {"unit": known.unit, **{_title_key(lang): title_in(known.title, lang) for lang in LANGS}}
    parts = re.fullmatch(r"(.+?)(_to)?_(\d{4})", column)
    if parts is None:
        return store.about(column)
    name, to, year = parts.groups()
    when = f"{BASE_YEAR + 1}-{year}" if to else year
    found = {
        key: f"{text}{', ' if key == 'title_en' else '，'}{when}"
        for key, text in store.about(name).items()
        if key != "unit"
    }
    unit = store.unit_of(name)
    return {"unit": unit.removesuffix(" a year") if to else unit, **found}  # a sum over the years is not of a year


def _title_key(lang: str) -> str:
    return f"title_{lang.lower().replace('-', '_')}"


def write(batch: Batch) -> Path | None:
    """Write ``results.xlsx`` into the folder of a batch; nothing where it would be too long.

    Raises
    ------
    InputError
        Where it cannot be written.
    """
    import pandas as pd
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    results, path = pd.read_csv(batch.folder / SUMMARY), batch.folder / FILE
    if len(results) > MOST_ROWS:
        path.unlink(missing_ok=True)  # of the batch when it was smaller
        return None
    book = Workbook(write_only=True)
    sheets = {"results": results, "levers": levers(batch)}
    for title, frame in {**sheets, "columns": columns(sheets)}.items():
        sheet = book.create_sheet(title)
        sheet.freeze_panes = "C2"
        sheet.append([str(name) for name in frame.columns])
        for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None):
            cells = [WriteOnlyCell(sheet, value) for value in row]
            for cell in cells:
                if cell.data_type == "f":  # a name that begins like a formula is a name
                    cell.data_type = "s"
            sheet.append(cells)
    try:
        with atomic(path) as draft:
            book.save(draft)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None
    return path
