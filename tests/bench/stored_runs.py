"""A generator of stored rows: a batch of as many runs as wanted, none of which was made, to time the opening of it.

    python tests/bench/stored_runs.py FOLDER 100000     # writes the folder, then opens and summarises it

Rows of ``runs.parquet`` are those of a real request with other seeds; indicators are random numbers in the
columns of the real ones, of the whole region only.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from migrasim.indicators import CATALOGUE
from migrasim.runs import compaction, store
from migrasim.runs.batch import DESIGN, MANIFEST, RUNS, Batch, Design
from migrasim.runs.runner import manifest_for
from migrasim.runs.spec import RunSpec

YEARS = np.arange(2020, 2036)


def generate(folder: Path, count: int) -> None:
    """Write the folder of a batch of invented results."""
    folder.mkdir(parents=True)
    manifest = manifest_for("stored", None, ("indicators",), ("prefecture",))
    spec = RunSpec("plan", sample=0.01)
    request = spec.request()
    scenario = json.dumps(request.pop("scenario"), sort_keys=True)
    ids = [f"{number:012x}" for number in range(count)]
    requests = [json.dumps({**request, "seed": number}, sort_keys=True) for number in range(count)]
    labels = [f"seed {number}" for number in range(count)]
    design = Design(ids, labels, requests, [scenario] * count, {"point": [number % 81 for number in range(count)]})
    design.write(folder, manifest.record())
    row = {**store.row_of({**spec.provenance()}), "error": ""}
    columns = {name: pa.repeat(pa.scalar(value), count) for name, value in row.items()}
    columns |= {"run_id": pa.array(ids), "seed": pa.array(range(count))}
    rows = compaction._ordered([pa.table(columns)], ids, runs=True)
    compaction._write(compaction._with_own(rows, design), folder / RUNS, manifest.record())
    rng = np.random.default_rng(0)
    (folder / "indicators").mkdir()
    for block in range(0, count, manifest.block):
        some = ids[block : block + manifest.block]
        size = len(some) * len(YEARS)
        table = {
            "run_id": np.repeat(some, len(YEARS)),
            "scenario": ["plan"] * size,
            "seed": np.repeat(np.arange(block, block + len(some)), len(YEARS)),
            "year": np.tile(YEARS, len(some)),
            "level": ["prefecture"] * size,
            "place": ["Pingliang"] * size,
            **{name: rng.random(size) for name in CATALOGUE},
        }
        path = folder / compaction.block_name("indicators", block // manifest.block)
        compaction._write_groups([pa.table(table)], path, manifest.record())
    (folder / MANIFEST).write_text(manifest.text(), encoding="utf-8")


def timed(folder: Path) -> None:
    """Open and summarise it, with what migrasim has, and with DuckDB."""
    begun, cpu = time.perf_counter(), time.process_time()
    batch = Batch.open(folder)
    opened = time.perf_counter()
    points = pq.read_table(folder / DESIGN, columns=["run_id", "point"]).to_pandas()
    rows = batch.table("indicators", ["run_id", "year", "urbanization_rate"], level="prefecture")
    found = (
        rows.merge(points, on="run_id")
        .groupby(["point", "year"])["urbanization_rate"]
        .agg(["mean", "std", "min", "max"])
    )
    done = time.perf_counter()
    print(
        f"{len(rows)} rows, {len(found)} groups: opened {opened - begun:.2f} s, summarised {done - opened:.2f} s, "
        f"{time.process_time() - cpu:.2f} s of processor time (load {os.getloadavg()[0]:.0f})"
    )
    import duckdb

    begun = time.perf_counter()
    found = duckdb.sql(
        f"""select point, year, avg(urbanization_rate), quantile_cont(urbanization_rate, [0.05, 0.5, 0.95])
        from '{folder}/indicators/*.parquet' join '{folder}/runs.parquet' using (run_id) group by all"""
    ).df()
    print(f"DuckDB: {len(found)} groups in {time.perf_counter() - begun:.2f} s")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    if not target.exists():
        generate(target, int(sys.argv[2]))
    timed(target)
