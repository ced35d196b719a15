"""Tables that people bring: designs and parameter vectors from CSV, Parquet and Excel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrasim.core.documents import read_cells
from migrasim.core.errors import InputError, nearest
from migrasim.core.interrupts import held_back
from migrasim.region import Region

if TYPE_CHECKING:
    from pandas import DataFrame

FORMATS = (".csv", ".parquet", ".xlsx")


def rows(file: str | None, sheet: str | None, folder: Path, where: str) -> list[dict[str, Any]]:
    """Rows of a table by column; None where a cell is empty.

    Parameters
    ----------
    file
        Path, looked for in `folder` first.
    sheet
        Of an Excel file; its first where not given.
    folder
        Of the file that names the table.
    where
        File and key, for messages.

    Raises
    ------
    InputError
        Where the table is missing, empty, of another kind, or has a column without a name or twice.
    """
    if not file:
        raise InputError(f"{where}.file: this key is missing; a table needs one ({', '.join(FORMATS)})")
    path = folder / file if (folder / file).is_file() else Path(file)
    inside = f"{where}.file: {file}"
    if not path.is_file():
        raise InputError(f"{inside}: there is no such file in {folder} or in this folder")
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{inside}: '{path.suffix}' is not read; allowed: {', '.join(FORMATS)}")
    return _rows(_frame(path, sheet, inside), inside)


def _frame(path: Path, sheet: str | None, where: str) -> DataFrame:
    import pandas as pd

    try:
        if path.suffix.lower() == ".csv":
            read_cells(path, where)
            with held_back():
                return pd.read_csv(path, encoding="utf-8-sig", index_col=False)
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        with pd.ExcelFile(path) as book:
            names = [str(name) for name in book.sheet_names]
            if sheet is not None and sheet not in names:
                hint = nearest(sheet, names)
                raise InputError(f"{where}: there is no sheet '{sheet}'; allowed: {', '.join(names)}. {hint}".rstrip())
            return pd.read_excel(book, sheet_name=sheet or names[0])
    except InputError:
        raise
    except Exception as error:  # whatever a broken file makes its reader raise
        raise InputError(f"{where}: cannot be read as a table: {' '.join(str(error).split())[:200]}") from None


def _rows(frame: DataFrame, where: str) -> list[dict[str, Any]]:
    names = [str(name).strip() for name in frame.columns]
    filled = frame.notna().any(axis=1).to_numpy().nonzero()[0]
    frame = frame.set_axis(names, axis=1).head(filled[-1] + 1 if len(filled) else 0)  # sheets end in empty rows
    for name in names:
        if not name or name.startswith("Unnamed:"):
            raise InputError(f"{where}: a column has no name")
        twice = name.removesuffix(".1")
        if names.count(name) > 1 or (twice != name and twice in names):
            raise InputError(f"{where}: column '{twice}' stands twice")
    if frame.empty:
        raise InputError(f"{where}: the table has no rows")
    return [
        {str(name): None if value != value or value is None else _plain(value) for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    if not isinstance(value, str):
        return value
    try:
        return float(value)  # a column with words in it has its numbers as texts
    except ValueError:
        return value.strip()


def ensemble(where: str) -> list[dict[str, Any]]:
    """The fitted parameter vectors that ship with the region.

    Raises
    ------
    InputError
        Where the region has none.
    """
    fitted = Region.only().ensemble
    if fitted.empty:
        raise InputError(f"{where}: 'ensemble' is not fitted for this region; allowed: best")
    return _rows(fitted, f"{where}: ensemble")
