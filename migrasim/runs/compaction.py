"""From parts, which come as runs end, to tables, which hang on nothing but the runs and their order."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrasim.runs import batch, store
from migrasim.runs.batch import Design, Manifest
from migrasim.runs.result import encoded
from migrasim.runs.worker import DONE, Part, atomic, columns_of

if TYPE_CHECKING:
    import pyarrow as pa
    from pandas import DataFrame

    from migrasim.runs.spec import RunSpec

_MOST_WRITERS = 4  # tables of a block that are in memory at once
BLOCK = 100  # runs a file, and ten times as many where little is kept of each
EXECUTION, SUMMARY = "execution.parquet", "summary.csv"
SUMMARY_INDICATORS = (
    "urbanization_rate",
    "hukou_urbanization_rate",
    "urban_population",
    "resident_population",
    "absent_population",
)
SUMMED = "public_cost_yuan"


class Damaged(Exception):
    """A part that was taken for sound is not; it was moved aside, and its runs are missing."""


@dataclass(eq=False)
class _Sources:
    """Where the tables of each run lie: in parts, or in files of an earlier finish."""

    folder: Path
    manifest: Manifest  # its files are sound
    in_parts: dict[str, tuple[Path, int]] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    old_order: list[str] = field(default_factory=list)
    in_files: dict[str, int] = field(default_factory=dict)  # number of the block

    @staticmethod
    def find(folder: Path, manifest: Manifest, *, whole: bool = False) -> _Sources:
        """Look through the folder; parts that are damaged, as far as is looked, are moved aside."""
        found = _Sources(folder, manifest)
        for path in batch.parts(folder):
            part = batch.read_sound_part(folder, path, whole=whole)
            for number, made in enumerate(part.made if part else ()):
                if made["status"] == DONE or made["run_id"] not in found.in_parts:
                    found.in_parts[made["run_id"]] = (path, number)
                    found.status[made["run_id"]] = made["status"]
        for block, ids in enumerate(found._old_blocks()):
            if all(block_name(name, block) in manifest.files for name in manifest.tables):
                found.in_files |= dict.fromkeys(ids, block)
        return found

    def _old_blocks(self) -> Iterator[list[str]]:
        """Runs of each block of an earlier finish, in order."""
        size = self.manifest.block
        if batch.RUNS in self.manifest.files:
            old = batch._read(self.folder / batch.RUNS, ["run_id", "status"])
            self.old_order = old["run_id"].to_pylist()
            for run_id, status in zip(self.old_order, old["status"].to_pylist(), strict=True):
                self.status.setdefault(run_id, status)
            yield from (self.old_order[start : start + size] for start in range(0, len(self.old_order), size))
            return
        name, block = self.manifest.tables[0], 0  # the table of runs is damaged: others tell of those that are done
        last = max((int(each[-13:-8]) for each in self.manifest.files if each.startswith(f"{name}/")), default=-1)
        for block in range(last + 1):
            path = self.folder / block_name(name, block)
            sound = block_name(name, block) in self.manifest.files
            ids = batch._read(path, ["run_id"])["run_id"].unique().to_pylist() if sound else []
            for run_id in ids:
                self.status.setdefault(run_id, DONE)
            yield ids

    def has(self, run_id: str) -> bool:
        return run_id in self.in_parts or run_id in self.in_files

    def part(self, path: Path, *, whole: bool) -> Part:
        found = batch.read_sound_part(self.folder, path, whole=whole)
        if found is None:
            raise Damaged(path.name)
        return found

    def parts(self, run_ids: Sequence[str]) -> dict[Path, Part]:
        """Parts in which some runs lie, each read once, still packed."""
        paths = dict.fromkeys(self.in_parts[run_id][0] for run_id in run_ids if run_id in self.in_parts)
        return {path: self.part(path, whole=True) for path in paths}

    def tables(self, name: str, run_ids: Sequence[str], parts: dict[Path, Part]) -> list[pa.Table]:
        """A table over some runs, in their order, in pieces; those that failed have no rows."""
        packed = {path: part.table(name) for path, part in parts.items()}
        pieces: list[tuple[pa.Table, int, int]] = []
        for run_id in run_ids:
            if run_id in self.in_parts:
                whole, rows = packed[self.in_parts[run_id][0]]
                if run_id not in rows:
                    continue
                first, end = rows[run_id]
                if pieces and pieces[-1][0] is whole and pieces[-1][2] == first:  # many small pieces take long
                    first = pieces.pop()[1]
                pieces.append((whole, first, end))
            elif self.status[run_id] == DONE:
                old = self._old(name, self.in_files[run_id], run_id)
                pieces.append((old, 0, len(old)))
        return [table.slice(first, end - first) for table, first, end in pieces]

    def _old(self, name: str, block: int, run_id: str) -> pa.Table:
        import pyarrow.compute as pc

        table = self._old_file(name, block)
        return table.filter(pc.equal(table["run_id"], run_id))

    @lru_cache(maxsize=2 * _MOST_WRITERS)  # noqa: B019
    def _old_file(self, name: str, block: int) -> pa.Table:
        return encoded(batch._read(self.folder / block_name(name, block)).replace_schema_metadata(None))


def block_name(table: str, block: int) -> str:
    """File of the runs of a block."""
    return f"{table}/part-{block:05d}.parquet"


def undone(folder: Path, manifest: Manifest, design: Design) -> list[str]:
    """Runs that are neither in the tables nor in parts, or that failed, in order."""
    sources = _Sources.find(folder, manifest, whole=True)
    return [run_id for run_id in design.distinct if not sources.has(run_id) or sources.status[run_id] != DONE]


def finish(folder: Path, manifest: Manifest, design: Design, specs: Mapping[str, RunSpec], cores: int = 1) -> Manifest:
    """Write the tables anew as far as they change, and give up the parts.

    Parameters
    ----------
    folder, manifest, design
        The batch; the manifest lists files that are sound.
    specs
        Requests by run, to write rows anew that were lost.
    cores
        Of this machine that may be used: so many tables are written at once, up to a few.

    Raises
    ------
    Damaged
        Where a part turns out to be damaged.
    OSError
        Where the disk is full; the folder is then as before.
    """
    sources = _Sources.find(folder, manifest)
    order = [run_id for run_id in design.distinct if sources.has(run_id)]
    if not sources.in_parts and order == sources.old_order and _complete(manifest, len(order)):
        batch.tidy(folder)
        return manifest
    drafts = folder / batch.WORK / batch.NEXT
    shutil.rmtree(drafts, ignore_errors=True)
    drafts.mkdir(parents=True)
    try:
        files = _write_blocks(sources, order, drafts, manifest, min(_MOST_WRITERS, cores))
        rows, execution = _rows(sources, order, specs)
        record = manifest.record()
        runs = _with_own(rows, design)
        own = json.dumps({**json.loads(record), "own": ["label", *design.columns]}, ensure_ascii=False, sort_keys=True)
        _write(runs, drafts / batch.RUNS, own.encode())
        _write(execution, drafts / EXECUTION, record)
        changed = replace(manifest, files=files)
        _write_summary(folder, drafts, changed, runs, design)
        for name in (batch.RUNS, EXECUTION, SUMMARY):
            if (drafts / name).exists():
                files[name] = {"sha256": batch.file_digest(drafts / name), "runs": ""}
        (drafts / batch.MANIFEST).write_text(changed.text(), encoding="utf-8")
        written = sorted(path.relative_to(drafts).as_posix() for path in drafts.rglob("*") if path.is_file())
        written.remove(batch.MANIFEST)
        decided = {
            "write": [*written, batch.MANIFEST],
            "remove": sorted(set(manifest.files) - set(files)),
            "parts": [path.name for path in batch.parts(folder)],
        }
        with atomic(folder / batch.WORK / batch.COMMIT) as draft:
            draft.write_text(json.dumps(decided), encoding="utf-8")
    except BaseException:
        if not (folder / batch.WORK / batch.COMMIT).exists():
            shutil.rmtree(drafts, ignore_errors=True)
        raise
    batch.carry_out(folder)
    return changed


def _complete(manifest: Manifest, runs: int) -> bool:
    blocks = range((runs + manifest.block - 1) // manifest.block)
    wanted = {block_name(name, block) for name in manifest.tables for block in blocks}
    return set(manifest.files) >= wanted | {batch.RUNS, EXECUTION, SUMMARY}


def _write_blocks(
    sources: _Sources, order: Sequence[str], drafts: Path, manifest: Manifest, count: int
) -> dict[str, dict[str, str]]:
    """Write the files whose runs changed, those of a block side by side; digests and runs of all."""
    files: dict[str, dict[str, str]] = {}
    with ThreadPoolExecutor(count) as writers:
        for block, start in enumerate(range(0, len(order), manifest.block)):
            ids = order[start : start + manifest.block]
            told = " ".join(f"{run_id}:{sources.status[run_id]}" for run_id in ids)
            key = hashlib.sha256(told.encode()).hexdigest()[:20]
            names = {block_name(name, block): name for name in manifest.tables}
            kept = {file: manifest.files[file] for file in names if manifest.files.get(file, {}).get("runs") == key}
            files |= kept
            stale = [file for file in names if file not in kept]
            parts = sources.parts(ids) if stale else {}
            begun = [
                writers.submit(_write_file, sources, names[file], ids, parts, drafts / file, manifest.record())
                for file in stale
            ]
            for file, written in zip(stale, begun, strict=True):
                if digest := written.result():
                    files[file] = {"sha256": digest, "runs": key}
    return files


def _write_file(
    sources: _Sources, name: str, ids: Sequence[str], parts: dict[Path, Part], path: Path, record: bytes
) -> str:
    """Write a table over some runs; the digest of its file, empty where all of them failed."""
    path.parent.mkdir(exist_ok=True)
    _write_groups(sources.tables(name, ids, parts), path, record)
    return batch.file_digest(path) if path.exists() else ""


def _write_groups(tables: Sequence[pa.Table], path: Path, record: bytes) -> None:
    """Write the rows of some runs; where they have levels, a row group a level, so that one can be read alone.

    Texts go to the file as they are encoded, and whoever reads it is told that they are texts: that spares looking up
    the text of every row.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not tables:  # every run of the block failed: a file without rows would have no columns
        return
    whole = encoded(pa.concat_tables(tables, promote_options="permissive"))
    texts = {field.name for field in whole.schema if pa.types.is_dictionary(field.type)}
    read = store.described(_with_type(whole.schema, texts, pa.string()), record)
    written = _with_type(read, texts, pa.dictionary(pa.int32(), pa.string()))
    keys = [field.name for field in read if not pa.types.is_floating(field.type)]  # numbers hardly ever repeat
    told = [name for name in ("level",) if name in texts]  # a group of rows holds all runs, years and places
    said = {**read.metadata, b"ARROW:schema": base64.b64encode(read.serialize())}
    with pq.ParquetWriter(
        path, written, **store.HOW, use_dictionary=keys, write_statistics=told, store_schema=False
    ) as writer:
        for group in _by_level(whole):
            columns = {name: _by_appearance(group[name]) if name in texts else group[name] for name in written.names}
            writer.write_table(pa.table(columns, schema=written), row_group_size=max(1, len(group)))
        writer.add_key_value_metadata(said)


def _with_type(schema: pa.Schema, names: Collection[str], type_: pa.DataType) -> pa.Schema:
    import pyarrow as pa

    fields = [field.with_type(type_) if field.name in names else field for field in schema]
    return pa.schema(fields, metadata=schema.metadata)


def _by_appearance(texts: pa.ChunkedArray) -> pa.Array:
    """Encoded texts, numbered as they come: a file hangs on its rows alone, not on where they were before."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = texts.combine_chunks()
    labels = array.dictionary.dictionary_encode()  # a text may have several numbers
    order = labels.indices.take(array.indices.unique()).unique().drop_null()
    numbers = pc.index_in(labels.indices, value_set=order).take(array.indices)
    return pa.DictionaryArray.from_arrays(numbers, labels.dictionary.take(order))


def _by_level(table: pa.Table) -> Iterator[pa.Table]:
    import pyarrow.compute as pc

    if "level" not in table.schema.names:
        yield table
        return
    for level in batch.LEVELS:
        rows = table.filter(pc.equal(table["level"], level))
        if len(rows):
            yield rows


def _rows(sources: _Sources, order: Sequence[str], specs: Mapping[str, RunSpec]) -> tuple[pa.Table, pa.Table]:
    """Rows of ``runs`` (without the columns of the design) and of ``execution``, in order."""
    import pyarrow as pa

    old_rows, old_execution = _old_rows(sources)
    rows: list[pa.Table] = []
    execution: list[dict[str, Any]] = []
    for path in dict.fromkeys(path for path, _ in sources.in_parts.values()):
        part = sources.part(path, whole=False)
        mine = [number for number, made in enumerate(part.made) if sources.in_parts[made["run_id"]] == (path, number)]
        errors = pa.array([made["error"] for made in part.made], pa.string())
        rows.append(part.settled.append_column("error", errors).take(mine))
        execution += [part.made[number] for number in mine]
    kept = [run_id for run_id in order if run_id not in sources.in_parts]
    execution += [{"run_id": run_id} for run_id in kept if run_id not in old_execution]  # that table was damaged
    lost = [run_id for run_id in kept if run_id not in old_rows]  # that of the runs was
    made = [{**store.row_of({**specs[each].provenance(), "run_id": each}), "error": ""} for each in lost]
    return (
        _ordered(
            [_take(old_rows, sources, batch.RUNS, kept), *rows, columns_of(made) if made else None], order, runs=True
        ),
        _ordered([_take(old_execution, sources, EXECUTION, kept), columns_of(execution, _EXECUTION)], order),
    )


_EXECUTION = {"run_id": "string", "wall_s": "float64", "host": "string", "attempts": "int64", "traceback": "string"}


def _old_rows(sources: _Sources) -> tuple[dict[str, int], dict[str, int]]:
    """Row numbers by run of the tables of the earlier finish, as far as they are sound."""
    found = []
    for name in (batch.RUNS, EXECUTION):
        ids = (
            batch._read(sources.folder / name, ["run_id"])["run_id"].to_pylist()
            if name in sources.manifest.files
            else []
        )
        found.append({run_id: number for number, run_id in enumerate(ids)})
    return found[0], found[1]


def _take(rows: dict[str, int], sources: _Sources, name: str, wanted: Sequence[str]) -> pa.Table | None:
    import pyarrow as pa

    chosen = [rows[run_id] for run_id in wanted if run_id in rows]
    if not chosen:
        return None
    table = batch._read(sources.folder / name).replace_schema_metadata(None)
    fields = [
        field.with_type(pa.string()).remove_metadata()
        if pa.types.is_dictionary(field.type)
        else field.remove_metadata()
        for field in table.schema
    ]
    own = json.loads(_recorded(sources.folder / name)).get("own", [])
    return table.cast(pa.schema(fields)).take(chosen).drop_columns([each for each in own if each in table.schema.names])


def _recorded(path: Path) -> bytes:
    import pyarrow.parquet as pq

    metadata = pq.read_schema(path).metadata or {}
    return bytes(metadata.get(b"migrasim", b"{}"))


def _ordered(tables: Sequence[pa.Table | None], order: Sequence[str], *, runs: bool = False) -> pa.Table:
    """Tables one under the other, in the order of the runs; of runs, levers and parameters follow by name."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = pa.concat_tables([one for one in tables if one is not None], promote_options="permissive")
    place = {run_id: number for number, run_id in enumerate(whole["run_id"].to_pylist())}
    whole = whole.take([place[run_id] for run_id in order]).combine_chunks()
    if not runs:
        return whole
    names = whole.schema.names
    settings = sorted(name for name in names if name.startswith(("lever.", "parameter.")))
    columns = {}
    for name in [*(each for each in names if each not in set(settings)), *settings]:
        column = whole[name].combine_chunks()
        if name.startswith("lever."):
            column = pc.dictionary_encode(column)
        columns[name] = column
    return pa.table(columns)


def _with_own(rows: pa.Table, design: Design) -> pa.Table:
    """Rows of runs with label and columns of the design after the run id, of the first request of each run."""
    import pyarrow as pa

    first: dict[str, int] = {}
    for number, run_id in enumerate(design.run_ids):
        first.setdefault(run_id, number)
    picked = [first[run_id] for run_id in rows["run_id"].to_pylist()]
    asked = design.table()
    columns = {"run_id": rows["run_id"]}
    for name in ("label", *design.columns):
        columns[name] = asked[name].take(picked)
    names = [name for name in rows.schema.names if name not in columns]
    names.remove("error")
    names.insert(names.index("status") + 1, "error")
    return pa.table(columns | {name: rows[name] for name in names})


def _write(table: pa.Table, path: Path, record: bytes) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table.cast(store.described(table.schema, record)), path, **store.HOW)


def _write_summary(folder: Path, drafts: Path, manifest: Manifest, runs: pa.Table, design: Design) -> None:
    """One row per run: what tells it apart, and the main indicators of the years with targets and of the last."""
    names = ["run_id", "label", *design.columns, "scenario", "seed", "sample", "base", "until", "future", "status"]
    frame: DataFrame = runs.select(names).to_pandas()
    if "indicators" in manifest.tables and "prefecture" in manifest.levels:
        frame = frame.merge(_indicators(folder, drafts, manifest), on="run_id", how="left")
    frame.to_csv(drafts / SUMMARY, index=False)


def _indicators(folder: Path, drafts: Path, manifest: Manifest) -> DataFrame:
    """Main indicators of the whole region by run, a column an indicator and year."""
    import pandas as pd
    import pyarrow.dataset as ds

    from migrasim.runs.simulate import only_region

    files = [name for name in sorted(manifest.files) if name.startswith("indicators/")]
    if not files:
        return pd.DataFrame({"run_id": pd.Series([], dtype="str")})
    paths = [str(drafts / name if (drafts / name).exists() else folder / name) for name in files]
    data = store.dataset(paths)
    names = [name for name in (*SUMMARY_INDICATORS, SUMMED) if name in data.schema.names]
    rows: DataFrame = data.to_table(
        columns=["run_id", "year", *names], filter=ds.field("level") == "prefecture"
    ).to_pandas()
    years = sorted({*only_region().targets, int(rows["year"].max())} & set(rows["year"]))
    wide = []
    for year in years:
        at = rows[rows["year"] == year].set_index("run_id")
        wide.append(at[[name for name in names if name != SUMMED]].add_suffix(f"_{year}"))
        if SUMMED in names:
            until = rows[(rows["year"] <= year) & (rows["year"] > rows["year"].min())]
            wide.append(until.groupby("run_id")[SUMMED].sum().rename(f"{SUMMED}_to_{year}").to_frame())
    return pd.concat(wide, axis=1).reset_index()
