"""From parts, which come as runs end, to tables, which hang on nothing but the runs and their order."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrasim.runs import batch, store
from migrasim.runs.batch import Design, Manifest
from migrasim.runs.worker import DONE, atomic, read_states, unpacked

if TYPE_CHECKING:
    import pyarrow as pa
    from pandas import DataFrame

BLOCK = 100  # runs a file
EXECUTION, SUMMARY = "execution.parquet", "summary.csv"
SUMMARY_INDICATORS = (
    "urbanization_rate",
    "hukou_urbanization_rate",
    "urban_population",
    "resident_population",
    "absent_population",
)
SUMMED = "public_cost_yuan"
_PARTS_IN_MEMORY = 6


class Damaged(Exception):
    """A part that was taken for sound is not; it was moved aside, and its runs are missing."""


@dataclass(eq=False)
class _Sources:
    """Where the tables of each run lie: in parts, or in files of an earlier finish."""

    folder: Path
    manifest: Manifest  # its files are sound
    in_parts: dict[str, tuple[Path, int]] = field(default_factory=dict)
    old_order: list[str] = field(default_factory=list)
    old_status: dict[str, str] = field(default_factory=dict)
    in_files: dict[str, int] = field(default_factory=dict)  # number of the block

    @staticmethod
    def find(folder: Path, manifest: Manifest) -> _Sources:
        found = _Sources(folder, manifest)
        for path in batch.parts(folder):
            for number, (run_id, status, _) in enumerate(read_states(path)):
                if status == DONE or run_id not in found.in_parts:
                    found.in_parts[run_id] = (path, number)
        path = folder / batch.RUNS
        if batch.RUNS in manifest.files:
            old = batch._read(path, ["run_id", "status"])
            found.old_order = old["run_id"].to_pylist()
            found.old_status = dict(zip(found.old_order, old["status"].to_pylist(), strict=True))
            for number, run_id in enumerate(found.old_order):
                block = number // BLOCK
                if all(block_name(name, block) in manifest.files for name in manifest.tables):
                    found.in_files[run_id] = block
        return found

    def has(self, run_id: str) -> bool:
        return run_id in self.in_parts or run_id in self.in_files

    @lru_cache(maxsize=_PARTS_IN_MEMORY)  # noqa: B019 (lives as long as one finish)
    def part(self, path: Path) -> pa.Table:
        found = batch.read_sound_part(self.folder, path)
        if found is None:
            raise Damaged(path.name)
        return found

    def cell(self, run_id: str, column: str) -> Any:
        path, number = self.in_parts[run_id]
        return self.part(path)[column][number].as_py()

    def blobs(self, run_ids: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, bytes]]:
        """Tables of runs that lie in parts, still packed: each part is read once for a block."""
        return {
            run_id: {name: self.cell(run_id, name) for name in names}
            for run_id in run_ids
            if run_id in self.in_parts and self.cell(run_id, "status") == DONE
        }

    def table(self, name: str, run_id: str, blobs: dict[str, dict[str, bytes]]) -> pa.Table | None:
        """A table of a run; None where the run failed."""
        if run_id in self.in_parts:
            return unpacked(blobs[run_id][name]) if run_id in blobs else None
        if self.old_status[run_id] != DONE:
            return None
        return self._old(name, self.in_files[run_id], run_id)

    def _old(self, name: str, block: int, run_id: str) -> pa.Table:
        import pyarrow.compute as pc

        table = self._old_file(name, block)
        return table.filter(pc.equal(table["run_id"], run_id))

    @lru_cache(maxsize=2)  # noqa: B019
    def _old_file(self, name: str, block: int) -> pa.Table:
        return batch._read(self.folder / block_name(name, block)).replace_schema_metadata(None)


def block_name(table: str, block: int) -> str:
    """File of the runs of a block."""
    return f"{table}/part-{block:05d}.parquet"


def undone(folder: Path, manifest: Manifest, design: Design) -> list[str]:
    """Runs that are neither in the tables nor in parts, or that failed, in order."""
    states = batch.states_in_parts(folder)
    sources = _Sources.find(folder, manifest)
    for run_id in sources.in_files:
        states.setdefault(run_id, sources.old_status[run_id])
    return [run_id for run_id in design.distinct if states.get(run_id) != DONE]


def finish(folder: Path, manifest: Manifest, design: Design) -> Manifest:
    """Write the tables anew as far as they change, and give up the parts.

    Parameters
    ----------
    folder, manifest, design
        The batch; the manifest lists files that are sound.

    Raises
    ------
    Damaged
        Where a part turns out to be damaged.
    OSError
        Where the disk is full; the folder is then as before.
    """
    sources = _Sources.find(folder, manifest)
    order = [run_id for run_id in design.distinct if sources.has(run_id)]
    if not sources.in_parts and order == sources.old_order and _complete(folder, manifest, len(order)):
        batch.tidy(folder)
        return manifest
    drafts = folder / batch.WORK / batch.NEXT
    shutil.rmtree(drafts, ignore_errors=True)
    drafts.mkdir(parents=True)
    try:
        files = _write_blocks(sources, order, drafts, manifest)
        rows, execution = _rows(sources, order)
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


def _complete(folder: Path, manifest: Manifest, runs: int) -> bool:
    blocks = range((runs + BLOCK - 1) // BLOCK)
    wanted = {block_name(name, block) for name in manifest.tables for block in blocks}
    return set(manifest.files) >= wanted | {batch.RUNS, EXECUTION, SUMMARY}


def _write_blocks(
    sources: _Sources, order: Sequence[str], drafts: Path, manifest: Manifest
) -> dict[str, dict[str, str]]:
    """Write the files whose runs changed; digests and runs of all."""
    files: dict[str, dict[str, str]] = {}
    states = {run_id: sources.old_status.get(run_id, "") for run_id in order}
    states |= {run_id: sources.cell(run_id, "status") for run_id in order if run_id in sources.in_parts}
    for block, start in enumerate(range(0, len(order), BLOCK)):
        ids = order[start : start + BLOCK]
        key = hashlib.sha256(" ".join(f"{run_id}:{states[run_id]}" for run_id in ids).encode()).hexdigest()[:20]
        names = [block_name(name, block) for name in manifest.tables]
        kept = {name: manifest.files[name] for name in names if manifest.files.get(name, {}).get("runs") == key}
        files |= kept
        stale = [name for name, file in zip(manifest.tables, names, strict=True) if file not in kept]
        blobs = sources.blobs(ids, stale) if stale else {}
        for name in stale:
            file = block_name(name, block)
            (drafts / name).mkdir(exist_ok=True)
            found = [table for run_id in ids if (table := sources.table(name, run_id, blobs)) is not None]
            _write_groups(found, drafts / file, manifest.record())
            if (drafts / file).exists():
                files[file] = {"sha256": batch.file_digest(drafts / file), "runs": key}
    return files


def _write_groups(tables: Sequence[pa.Table], path: Path, record: bytes) -> None:
    """Write the rows of some runs; where they have levels, a row group a level, so that one can be read alone."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not tables:  # every run of the block failed: a file without rows would have no columns
        return
    whole = pa.concat_tables(tables, promote_options="permissive")
    schema = store.described(whole.schema, record)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _by_level(whole.cast(schema)):
            writer.write_table(group, row_group_size=max(1, len(group)))


def _by_level(table: pa.Table) -> Iterator[pa.Table]:
    import pyarrow.compute as pc

    if "level" not in table.schema.names:
        yield table.combine_chunks()
        return
    for level in batch.LEVELS:
        rows = table.filter(pc.equal(table["level"], level))
        if len(rows):
            yield rows.combine_chunks()


def _rows(sources: _Sources, order: Sequence[str]) -> tuple[pa.Table, pa.Table]:
    """Rows of ``runs`` (without the columns of the design) and of ``execution``, in order."""
    old_rows, old_execution = _old_rows(sources)
    rows: list[dict[str, Any]] = []
    execution: list[dict[str, Any]] = []
    kept: list[str] = []
    for run_id in order:
        if run_id in sources.in_parts:
            path, number = sources.in_parts[run_id]
            part = sources.part(path)
            rows.append({**json.loads(part["row"][number].as_py()), "error": part["error"][number].as_py()})
            names = ("run_id", "wall_s", "host", "attempts", "traceback")
            execution.append({name: part[name][number].as_py() for name in names})
        else:
            kept.append(run_id)
            if run_id not in old_execution:  # that table was damaged
                execution.append({"run_id": run_id})
    return (
        _ordered([_take(old_rows, sources, batch.RUNS, kept), _columns(rows)], order, dictionaries=True),
        _ordered([_take(old_execution, sources, EXECUTION, kept), _columns(execution, _EXECUTION)], order),
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


def _columns(rows: Sequence[dict[str, Any]], types: dict[str, str] | None = None) -> pa.Table | None:
    import pyarrow as pa

    if not rows:
        return None
    names = types or dict.fromkeys(name for row in rows for name in row)
    kinds: dict[str, Any] = types or {}
    return pa.table({name: pa.array([row.get(name) for row in rows], kinds.get(name)) for name in names})


def _ordered(tables: Sequence[pa.Table | None], order: Sequence[str], *, dictionaries: bool = False) -> pa.Table:
    """Tables one under the other, in the order of the runs; columns in the order of their names after the first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = pa.concat_tables([one for one in tables if one is not None], promote_options="permissive")
    place = {run_id: number for number, run_id in enumerate(whole["run_id"].to_pylist())}
    whole = whole.take([place[run_id] for run_id in order]).combine_chunks()
    if not dictionaries:
        return whole
    columns = {}
    for name in whole.schema.names:
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

    pq.write_table(table.cast(store.described(table.schema, record)), path, compression="zstd")


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
    data = ds.dataset(paths, format="parquet")
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
