"""Results on disk: a folder of Parquet files that appears whole or not at all.

Every table but ``execution.parquet`` has the same bytes whenever the same run is written by the
same versions: no clock, no host, no order of a set goes into them.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrasim.core.errors import InputError
from migrasim.core.language import title_in
from migrasim.runs.result import TABLES as TABLES
from migrasim.runs.result import RunResult

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds
    from pandas import DataFrame

SCHEMA_VERSION = 1
_RECORD = b"migrasim"
HOW: dict[str, Any] = {"compression": "zstd", "write_page_checksum": True}  # a page that was damaged must not be read

# unit, English and Chinese title of the columns that are not indicators
KEYS: dict[str, tuple[str, str, str]] = {
    "run_id": ("id", "Run", "運行編號"),
    "scenario": ("name", "Scenario", "情景"),
    "seed": ("number", "Seed of the luck", "隨機種子"),
    "year": ("year", "Year (state at its end)", "年份（年末）"),
    "level": ("name", "Level: prefecture, county or place", "層級"),
    "place": ("name", "Place", "地點"),
    "origin": ("name", "Origin", "遷出地"),
    "destination": ("name", "Destination", "遷入地"),
    "form": ("name", "Form of the move", "遷移形式"),
    "persons": ("persons", "Persons", "人數"),
    "households": ("households", "Households", "戶數"),
    "component": ("name", "Component of the change", "變化來源"),
    "points": ("percentage points", "Contribution to the change of the urbanization rate", "對城鎮化率變化的貢獻"),
    "kind": ("name", "Sector or chain", "行業或產業鏈"),
    "jobs": ("jobs", "Jobs", "崗位"),
    "filled": ("jobs", "Jobs taken", "已就業崗位"),
    "wage_yuan_yr": ("yuan of 2020 per year", "Pay of a local worker of nine years of schooling", "本地勞動者工資"),
    "tenure": ("name", "Tenure", "住房類型"),
    "dwellings": ("dwellings", "Dwellings that stand", "住房存量"),
    "occupied": ("dwellings", "Dwellings lived in", "已居住住房"),
    "chain": ("name", "Industrial chain", "產業鏈"),
    "output_yuan": ("yuan of 2020 per year", "Full-chain output", "全產業鏈產值"),
    "county": ("name", "County", "縣（市、區）"),
    "item": ("name", "Lever or account", "槓桿或科目"),
    "payer": ("name", "Who pays", "支付方"),
    "payee": ("name", "Who receives", "收款方"),
    "yuan": ("yuan of 2020", "Payment of the year", "當年支付額"),
    "in_consumption": ("yes or no", "Own part of households, within their consumption", "居民自付（已含於消費）"),
    "urban_persons": ("persons", "Of them in towns and seats", "其中在城鎮"),
    "absent_persons": ("persons", "Of them outside", "其中在外"),
    "moved_persons": ("persons", "Of them moved within the year", "其中當年遷移"),
    "label": ("name", "Run in the batch", "批次中的運行"),
    "point": ("number", "Point of the design, counted from 0", "設計點（從0數起）"),
    "parameter_set": ("number", "Vector of fitted parameters, counted from 0", "擬合參數組（從0數起）"),
    "replication": ("number", "Replication, counted from 0", "重複（從0數起）"),
    "future": ("name", "Future", "未來情形"),
    "status": ("name", "Whether the run is done or failed", "運行狀態"),
    "error": ("name", "Why the run failed", "失敗原因"),
    "sample": ("share", "Share of the households that was run", "抽樣比例"),
    "base": ("year", "Base year", "基年"),
    "until": ("year", "Last year", "終年"),
    "lives": ("name", "Tier where the household lives when it chooses", "選擇時居住地層級"),
    "from": ("name", "Choice in the reference", "參照情景中的選擇"),
    "from_form": ("name", "Its form in the reference", "參照情景中的遷移形式"),
    "to": ("name", "Choice in the scenario", "本情景中的選擇"),
    "to_form": ("name", "Its form in the scenario", "本情景中的遷移形式"),
    "carried_out": (
        "yes or no",
        "Whether what was done differs, and not the wish alone",
        "實際行為是否不同（而非僅意願）",
    ),
    "first": ("yes or no", "Whether it is the household's first difference", "是否為該戶首次不同"),
    "reason": ("name", "What tipped the choice", "改變選擇的原因"),
    "part": ("name", "Part of the reason", "原因的組成"),
    "term": ("name", "Term of utility", "效用項"),
    "households_shared": ("households", "Share of the term in what spoke for the changes", "按貢獻分攤的戶數"),
    "dimension": ("name", "Dimension of the groups", "分組維度"),
    "group": ("name", "Group", "組別"),
    "sex": ("name", "Sex", "性別"),
    "age": ("years", "Youngest age of the group of five years", "年齡組下限"),
    "origin_county": ("name", "County of the registered address", "戶籍所在縣"),
    "other_place_persons": ("persons", "Of them away from their registered address", "其中離開戶籍地址"),
    "lever": ("name", "Lever", "槓桿"),
    "indicator": ("name", "Indicator", "指標"),
    "source": ("name", "What the band rests on: fitted parameters, or chance", "區間來源：參數或隨機性"),
    "low": ("its own", "Low end of the band (5 percent of the draws)", "區間下限（5%）"),
    "median": ("its own", "Median of the draws", "中位數"),
    "high": ("its own", "High end of the band (95 percent of the draws)", "區間上限（95%）"),
    "reference": ("its own", "Value in the reference", "參照情景取值"),
    "value": ("its own", "Value in the scenario", "本情景取值"),
    "occupancy_share": ("share", "Dwellings lived in over those that stand", "住房使用率"),
    "reference_welfare_yuan_yr": ("yuan of 2020 per year", "Mean welfare in the reference", "參照情景平均福利"),
    "welfare_yuan_yr": ("yuan of 2020 per year", "Mean welfare in the scenario", "本情景平均福利"),
    "winners": ("households", "More than one percent better off", "福利增加1%以上的家庭"),
    "losers": ("households", "More than one percent worse off", "福利減少1%以上的家庭"),
    "gain_yuan_yr": ("yuan of 2020 per year", "Mean gain of the winners", "獲益戶平均增加"),
    "loss_yuan_yr": ("yuan of 2020 per year", "Mean loss of the losers", "受損戶平均減少"),
}


def write(result: RunResult, folder: Path, *, wall_s: float | None = None) -> None:
    """Write the tables of a result into an existing folder.

    Parameters
    ----------
    result
        The run.
    folder
        Where to; use `staging` and `publish` to make it appear whole.
    wall_s
        Seconds that the run took, for ``execution.parquet``.

    Raises
    ------
    InputError
        Where the folder cannot be written or the disk is full.
    """
    record = _record(result)
    try:
        for name in TABLES:
            _write_frame(getattr(result, name), folder / f"{name}.parquet", record)
        if result.households is not None:
            _write_frame(result.households, folder / "households.parquet", record)
        _write_columns(run_row(result), folder / "runs.parquet", record)
        _write_columns(_execution_row(result, wall_s), folder / "execution.parquet", record)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror or error}") from None


def write_band(result: RunResult, table: DataFrame, folder: Path, name: str = "band") -> None:
    """Write a band of a run beside its tables: ``band.parquet`` (`migrasim.analysis.band`), or another name.

    Raises
    ------
    InputError
        Where the folder cannot be written or the disk is full.
    """
    try:
        _write_frame(table, folder / f"{name}.parquet", _record(result))
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror or error}") from None


def read(folder: str | os.PathLike[str]) -> RunResult:
    """A result from the folder that `write` filled.

    Raises
    ------
    InputError
        Where the folder is missing, is no result, is damaged or was written by a newer version.
    """
    import pandas as pd
    import pyarrow as pa

    path = Path(folder)
    record = recorded(path)
    if record is None:
        raise InputError(f"{path}: no finished run lies here (indicators.parquet is missing or not ours)")
    if record["schema_version"] > SCHEMA_VERSION:
        raise InputError(
            f"{path}: written with schema_version {record['schema_version']}; this version reads up to {SCHEMA_VERSION}"
        )
    try:
        frames = {name: _read_frame(path / f"{name}.parquet") for name in TABLES}
        optional = path / "households.parquet"
        households = _read_frame(optional) if optional.is_file() else None
        execution = _read_frame(path / "execution.parquet")
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None
    profile = json.loads(str(execution["profile"].iloc[0]))
    return RunResult(
        run_id=record["run_id"],
        scenario=record["scenario"],
        seed=record["seed"],
        sample=record["sample"],
        base=record["base"],
        until=record["until"],
        provenance=record["provenance"],
        notes=record["notes"],
        profile=None if profile is None else pd.DataFrame(profile),
        households=households,
        **frames,
    )


def write_tables(tables: Mapping[str, DataFrame], folder: Path, record: Mapping[str, Any]) -> None:
    """Write tables that are no single run, each saying in its metadata what it belongs to.

    Parameters
    ----------
    tables
        By name of the file, ``indicators`` among them.
    folder
        Where to; use `staging` and `publish` to make it appear whole.
    record
        Plain data; ``kind`` and ``run_id`` among it.

    Raises
    ------
    InputError
        Where the folder cannot be written or the disk is full.
    """
    said = _json({"schema_version": SCHEMA_VERSION, **record}).encode()
    try:
        for name, table in tables.items():
            _write_frame(table, folder / f"{name}.parquet", said)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror or error}") from None


def read_tables(folder: Path, names: Iterable[str]) -> dict[str, DataFrame]:
    """Tables that `write_tables` wrote.

    Raises
    ------
    InputError
        Where one is missing or damaged.
    """
    import pyarrow as pa

    try:
        return {name: _read_frame(folder / f"{name}.parquet") for name in names}
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{folder}: cannot be read: {str(error).splitlines()[0]}") from None


def dataset(files: Sequence[str]) -> ds.Dataset:
    """Tables in several files, whose pages are held against their checksums when they are read."""
    import pyarrow.dataset as ds

    scan = ds.ParquetFragmentScanOptions(page_checksum_verification=True)
    return ds.dataset(files, format=ds.ParquetFileFormat(default_fragment_scan_options=scan))


def recorded(folder: Path) -> dict[str, Any] | None:
    """What a finished run in a folder says of itself; None where there is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(folder / "indicators.parquet").metadata or {}
        record = json.loads(metadata[_RECORD])
    except (OSError, pa.ArrowInvalid, KeyError, ValueError):
        return None
    return record if isinstance(record, dict) and "run_id" in record else None


@contextmanager
def staging(parent: Path) -> Iterator[Path]:
    """A hidden folder beside the one to be, removed on the way out whatever happens.

    Making it before the run finds a folder that cannot be written before time is spent.

    Raises
    ------
    InputError
        Where the parent is a file or cannot be made or written.
    """
    made = _make(parent)
    try:
        staged = Path(tempfile.mkdtemp(prefix=".migrasim-", dir=parent))
    except OSError as error:
        _remove_empty(made)
        raise InputError(f"{parent}: cannot be written: {error.strerror or error}") from None
    try:
        inside = staged / "run"
        inside.mkdir()  # mkdtemp allows nobody else in; this one follows the user's mask
        yield inside
    finally:
        shutil.rmtree(staged, ignore_errors=True)
        _remove_empty(made)


def check_target(target: Path) -> None:
    """Refuse a place that holds something other than a finished run.

    Raises
    ------
    InputError
        Where a file, or a folder with other things in it, is in the way.
    """
    try:
        if target.is_dir():
            if any(target.iterdir()) and recorded(target) is None:
                raise InputError(f"{target}: the folder holds something other than a run; give an empty or a new one")
        elif target.exists() or target.is_symlink():
            raise InputError(f"{target}: a file is in the way; give a folder")
    except OSError as error:
        raise InputError(f"{target}: cannot be read: {error.strerror or error}") from None


def publish(staged: Path, target: Path, run_id: str) -> Path:
    """Give a staged folder its name in one step; the same run that lies there already is replaced.

    A different run is never overwritten: the new one is then kept beside it, as
    ``<name>-<run id>``, and an error says so.

    Raises
    ------
    InputError
        Where another run, or something else, lies there, or the folder cannot be renamed.
    """
    check_target(target)
    there = recorded(target) if target.is_dir() else None
    if there is not None and there["run_id"] != run_id:
        beside = target.with_name(f"{target.name}-{run_id}")
        publish(staged, beside, run_id)
        raise InputError(f"{target}: holds another run ({there['run_id']}) and was left alone; this one is in {beside}")
    old = staged.with_name("old")
    try:
        if target.is_dir():
            target.rename(old)
        try:
            staged.rename(target)
        except OSError:
            if old.is_dir():
                old.rename(target)
            raise
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror or error}") from None
    return target


def _make(folder: Path) -> list[Path]:
    """Make a folder and its parents; the ones that were made, innermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise InputError(f"{folder}: a file is in the way; give a folder") from None
    except OSError as error:
        raise InputError(f"{folder}: cannot be made: {error.strerror or error}") from None
    return missing


def _remove_empty(folders: list[Path]) -> None:
    for each in folders:
        try:
            each.rmdir()
        except OSError:
            return


def _record(result: RunResult) -> bytes:
    record = {
        "schema_version": SCHEMA_VERSION,
        "run_id": result.run_id,
        "scenario": result.scenario,
        "seed": int(result.seed),
        "sample": float(result.sample),
        "base": int(result.base),
        "until": int(result.until),
        "notes": result.notes,
        "provenance": result.provenance,
    }
    return _json(record).encode()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=_plain)


def _plain(value: Any) -> object:
    """What JSON does not know: numpy's numbers and arrays, paths."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} cannot stand in the provenance of a run")


def run_row(result: RunResult) -> dict[str, Any]:
    """What determines a run, as a row of ``runs.parquet``: every lever and parameter among it."""
    names = ("run_id", "scenario", "seed", "sample", "base", "until")
    return row_of({**result.provenance, **{name: getattr(result, name) for name in names}})


def row_of(provenance: Mapping[str, Any], status: str = "done") -> dict[str, Any]:
    """The row of a run from its provenance, whether it was made or not."""
    row: dict[str, Any] = {
        "run_id": provenance["run_id"],
        "scenario": provenance["scenario"],
        "seed": int(provenance["seed"]),
        "sample": float(provenance["sample"]),
        "base": int(provenance["base"]),
        "until": int(provenance["until"]),
        "status": status,
        "future": str(provenance.get("future", "")),
        "alternatives": ", ".join(provenance.get("alternatives", [])),
        "schema_version": SCHEMA_VERSION,
        "content_hash": str(provenance.get("inputs", provenance["run_id"])),
        "versions": _json(provenance.get("versions", {})),
    }
    inputs = str(provenance.get("inputs", ""))
    if inputs not in _SETTINGS:
        while len(_SETTINGS) >= _MOST_SETTINGS:
            _SETTINGS.pop(next(iter(_SETTINGS)))
        settings = _settings(provenance)
        if not inputs:
            return row | settings
        _SETTINGS[inputs] = settings
    return row | _SETTINGS[inputs]


_MOST_SETTINGS = 64
_SETTINGS: dict[str, dict[str, Any]] = {}  # by hash of the inputs: runs that differ in their luck only have the same


def _settings(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of levers and parameters."""
    # a lever may be a path by year and by county: JSON, so that the column has one type in a batch
    levers: Mapping[str, Mapping[str, list[float]]] = provenance.get("levers", {})
    row: dict[str, Any] = {f"lever.{name}": _json(_short(path)) for name, path in sorted(levers.items())}
    parameters: Mapping[str, object] = provenance.get("parameters", {})
    for name, value in sorted(parameters.items()):
        row[f"parameter.{name}"] = float(value) if isinstance(value, int | float) else _json(value)
    return row


def _short(path: Mapping[str, list[float]]) -> object:
    """A path by year and county without what repeats: one number where all counties, and all years, have the same."""
    years = {year: row[0] if len(set(row)) == 1 else row for year, row in path.items()}
    values = list(years.values())
    return values[0] if values and all(each == values[0] for each in values) else years


def _execution_row(result: RunResult, wall_s: float | None) -> dict[str, Any]:
    profile = None if result.profile is None else result.profile.to_dict("list")
    return {
        "run_id": result.run_id,
        "wall_s": wall_s,
        "host": socket.gethostname(),
        "cores": os.cpu_count() or 0,
        "attempts": 1,
        "traceback": "",
        "profile": _json(profile),
    }


def unit_of(column: str) -> str:
    """Unit of a column of any table; empty where it is not known."""
    return about(column).get("unit", "")


@lru_cache(maxsize=1024)
def about(name: str) -> dict[str, str]:
    """Unit and titles of a column of any table, by language; empty where it is not known."""
    from migrasim.facts import FactBook
    from migrasim.indicators import CATALOGUE

    if name in KEYS:
        unit, english, chinese = KEYS[name]
        title: object = {"en": english, "zh_hant": chinese}
    elif name in CATALOGUE:
        unit, title = CATALOGUE[name].unit, CATALOGUE[name].title
    elif name.startswith("chain_workers_"):  # one column a chain of the region, titled as the lever of its jobs
        chain = name.removeprefix("chain_workers_")
        lever = FactBook.load().levers.get(f"industry.{chain}.jobs")
        unit, title = "persons", lever.title if lever else chain
    else:
        return {}
    return {
        "unit": unit,
        "title_en": title_in(title, "en"),
        "title_zh_hant": title_in(title, "zh-Hant"),
        "title_zh_hans": title_in(title, "zh-Hans"),
    }


def _write_columns(row: Mapping[str, Any], path: Path, record: bytes) -> None:
    import pyarrow as pa

    nothing = {"wall_s": pa.float64()}
    table = pa.table({name: pa.array([value], nothing.get(name)) for name, value in row.items()})
    _write_table(table, path, record)


def _write_frame(frame: DataFrame, path: Path, record: bytes) -> None:
    import pyarrow as pa

    columns: dict[str, pa.Array] = {}
    for name in frame.columns:
        array = pa.Array.from_pandas(frame[name])
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if pa.types.is_large_string(array.type):
            array = array.cast(pa.string())
        columns[str(name)] = array
    _write_table(pa.table(columns), path, record)


def _write_table(table: pa.Table, path: Path, record: bytes) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table.cast(described(table.schema, record)), path, **HOW, store_schema=True)


def described(schema: pa.Schema, record: bytes) -> pa.Schema:
    """A schema whose columns carry unit and titles, and which says what its table belongs to."""
    import pyarrow as pa

    fields = [field.with_metadata(about(field.name)) for field in schema]
    return pa.schema(fields, metadata={_RECORD: record})


def _read_frame(path: Path) -> DataFrame:
    import pyarrow.parquet as pq

    frame: DataFrame = pq.read_table(path, partitioning=None, page_checksum_verification=True).to_pandas()
    return frame
