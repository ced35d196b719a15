"""The runner and the store of batches, with runs that take no time."""

from __future__ import annotations

import errno
import json
import random
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from quick_runs import Quick, final, quick

from migrasim.core.errors import InputError
from migrasim.runs import batch as batches
from migrasim.runs import compaction, runner, store, worker
from migrasim.runs.batch import Batch
from migrasim.runs.runner import Stopped, run_batch, workers_for, yearly
from migrasim.runs.spec import RunSpec


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Seeds of the runs that are really made, in order."""
    seeds: list[int] = []
    plain = Quick.run

    def run(self: Quick) -> Any:
        seeds.append(self.seed)
        return plain(self)

    monkeypatch.setattr(Quick, "run", run)
    return seeds


def test_a_batch_is_a_folder_of_tables(tmp_path, made):
    """One row a run, in the order asked for, with its own columns; a table is read by level and year."""
    batch = run_batch(quick(5), tmp_path / "b", workers=0, columns=[{"point": k % 2} for k in range(5)])
    runs = batch.runs
    assert runs["seed"].tolist() == [0, 1, 2, 3, 4] and runs["point"].tolist() == [0, 1, 0, 1, 0]
    assert set(runs["status"]) == {"done"} and runs["lever.three_rights.titling"][0] == '{"2020": 0.9, "2021": 1.0}'
    rows = batch.table("indicators", ["run_id", "urbanization_rate"], level="prefecture", years=[2023])
    assert rows["run_id"].tolist() == runs["run_id"].tolist()
    summary = (tmp_path / "b" / "summary.csv").read_text(encoding="utf-8").splitlines()
    assert len(summary) == 6 and summary[0].endswith("urbanization_rate_2023,public_cost_yuan_to_2023")
    assert not (tmp_path / "b" / ".work").exists()


def test_the_same_call_makes_nothing_twice(tmp_path, made):
    """A finished batch is left as it is, byte for byte; a longer one makes only what is missing."""
    run_batch(quick(3), tmp_path / "b", workers=0)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "b").rglob("part-*")}
    run_batch(quick(3), tmp_path / "b", workers=0)
    assert made == [0, 1, 2]
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "b").rglob("part-*")}
    run_batch(quick(5), tmp_path / "b", workers=0)
    assert made == [0, 1, 2, 3, 4]
    run_batch(quick(5), tmp_path / "whole", workers=0)
    assert final(tmp_path / "b") == final(tmp_path / "whole")


def test_a_batch_that_is_extended_in_its_middle_equals_one_made_at_once(tmp_path, made, monkeypatch):
    """Runs move between files, and no row is lost or doubled."""
    monkeypatch.setattr(compaction, "BLOCK", 3)
    some = [each for each in quick(11) if each.seed % 2]
    run_batch(some, tmp_path / "b", workers=0)
    batch = run_batch(quick(11), tmp_path / "b", workers=0)
    assert sorted(made) == list(range(11))
    run_batch(quick(11), tmp_path / "whole", workers=0)
    assert final(tmp_path / "b") == final(tmp_path / "whole")
    assert len(list((tmp_path / "b" / "indicators").iterdir())) == 4
    assert len(batch.table("indicators")) == 11 * 12


def test_fewer_runs_than_there_are_change_nothing(tmp_path, made):
    """The folder keeps all its runs."""
    run_batch(quick(4), tmp_path / "b", workers=0)
    before = final(tmp_path / "b")
    batch = run_batch(quick(2), tmp_path / "b", workers=0)
    assert len(batch.runs) == 4 and final(tmp_path / "b") == before


def test_a_failed_run_is_a_row_and_stops_no_other(tmp_path, made):
    """Its error stands in the runs, its traceback in the execution; once it succeeds nothing tells of it."""
    specs = quick(4)
    bad = [*specs[:1], replace(specs[1], mood="fails"), *specs[2:]]
    batch = run_batch(bad, tmp_path / "b", workers=0)
    assert batch.failed["error"].tolist() == ["ValueError: no such world"]
    assert len(batch.table("flows")) == 3
    execution = pq.read_table(tmp_path / "b" / "execution.parquet").to_pandas()
    assert "Traceback" in execution["traceback"][1] and execution["attempts"].tolist() == [1, 1, 1, 1]
    with pytest.raises(InputError, match=r"1 of 4 runs failed; the first \(seed 1\): ValueError: no such world"):
        yearly(bad, tmp_path / "y", workers=0)
    run_batch(specs, tmp_path / "b", workers=0)
    run_batch(specs, tmp_path / "whole", workers=0)
    assert final(tmp_path / "b") == final(tmp_path / "whole")


def test_requests_for_the_same_run_are_made_once(tmp_path, made):
    """The design keeps both rows, all other tables have one."""
    specs = [*quick(2), *quick(2)]
    batch = run_batch(specs, tmp_path / "b", workers=0)
    assert made == [0, 1] and len(batch.design) == 4 and len(batch.runs) == 2
    frames = yearly(specs, tmp_path / "y", workers=0)
    assert frames[0].equals(frames[2]) and frames[0].index.tolist() == [2020, 2021, 2022, 2023]


def test_searches_add_to_what_is_there(tmp_path, made):
    """Each round makes what it asks for anew and reads the rest."""
    run_batch(quick(2), tmp_path / "b", workers=0, grow=True)
    batch = run_batch(quick(4)[1:], tmp_path / "b", workers=0, grow=True)
    assert made == [0, 1, 2, 3] and batch.runs["seed"].tolist() == [0, 1, 2, 3]


def test_little_is_kept_where_little_is_asked_for(tmp_path, made):
    """Only the tables and levels that are named, and a clear word where another is wanted."""
    batch = run_batch(quick(2), tmp_path / "b", workers=0, tables=("indicators",), levels=("prefecture",))
    assert set(batch.table("indicators")["level"]) == {"prefecture"} and not (tmp_path / "b" / "flows").exists()
    with pytest.raises(InputError, match="'flows' is not kept"):
        batch.table("flows")
    with pytest.raises(InputError, match="begun without 'flows'"):
        run_batch(quick(2), tmp_path / "b", workers=0)


@pytest.mark.parametrize("file", ["indicators/part-00000.parquet", "runs.parquet", "execution.parquet", "summary.csv"])
def test_a_damaged_table_is_made_again(tmp_path, made, file):
    """It is moved aside, not deleted, and what cannot be told from the rest is run again."""
    run_batch(quick(3), tmp_path / "b", workers=0)
    whole = final(tmp_path / "b")
    path = tmp_path / "b" / file
    path.write_bytes(path.read_bytes()[:-100] + b"?" * 100)
    news: list[str] = []
    made.clear()
    run_batch(quick(3), tmp_path / "b", workers=0, say=news.append)
    assert final(tmp_path / "b") == whole
    assert file in news[0] and len(list((tmp_path / "b" / ".work" / "damaged").iterdir())) == 1
    assert made == ([0, 1, 2] if "/" in file else [])


@pytest.mark.parametrize("file", ["indicators/part-00000.parquet", "runs.parquet", "design.parquet"])
def test_a_turned_byte_is_not_read_as_a_number(tmp_path, file):
    """Pages carry checksums: whichever byte has turned, what is read is what was written, or it is refused."""
    batch = run_batch(quick(3), tmp_path / "b", workers=0)
    path = tmp_path / "b" / file
    sound, refused = path.read_bytes(), 0
    pages = len(sound) - 8 - int.from_bytes(sound[-8:-4], "little")  # what comes before the footer

    def read() -> list[pd.DataFrame]:
        return [batch.table("indicators"), batch.runs, batch.design]

    whole = read()
    for place in range(4, pages, max(1, pages // 30)):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 0x10]) + sound[place + 1 :])
        try:
            for one, other in zip(read(), whole, strict=True):
                pd.testing.assert_frame_equal(one, other)
        except InputError as error:
            refused += file.split("/")[0] in str(error)
    assert refused > 0


def test_a_damaged_table_of_runs_is_written_again_from_the_others(tmp_path, made):
    """No run that is done is made again, only those that failed; rows and order come out as they were."""
    bad = [*quick(2), replace(quick(3)[2], mood="fails"), *quick(5)[3:]]
    run_batch(bad, tmp_path / "b", workers=0)
    (tmp_path / "b" / "runs.parquet").write_bytes(b"nothing")
    made.clear()
    run_batch(quick(6), tmp_path / "b", workers=0)
    run_batch(quick(6), tmp_path / "whole", workers=0)
    assert made == [2, 5, 0, 1, 2, 3, 4, 5]
    assert final(tmp_path / "b") == final(tmp_path / "whole")


def test_a_damaged_design_is_written_again(tmp_path, made):
    """Where all its runs are asked for; where some are not, the tables are left alone and nothing is lost."""
    run_batch(quick(3), tmp_path / "b", workers=0)
    whole, path = final(tmp_path / "b"), tmp_path / "b" / "design.parquet"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="1 runs of the tables are not asked for now"):
        run_batch(quick(2), tmp_path / "b", workers=0)
    run_batch(quick(3), tmp_path / "b", workers=0)
    assert final(tmp_path / "b") == whole and made == [0, 1, 2]


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_part_is_made_again(tmp_path, made, monkeypatch, seed):
    """Whichever byte of it has turned, and where it is cut short; the others are used."""

    def no_finish(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(compaction, "finish", no_finish)
        with pytest.raises(KeyboardInterrupt):
            run_batch(quick(4), tmp_path / "b", workers=0)
    parts = list(batches.parts(tmp_path / "b"))
    assert len(parts) == 4
    chance = random.Random(seed)
    for path in parts[:2]:
        data = bytearray(path.read_bytes())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
    parts[2].write_bytes(parts[2].read_bytes()[: chance.randrange(1000)])
    made.clear()
    run_batch(quick(4), tmp_path / "b", workers=0)
    assert len(made) == 3
    run_batch(quick(4), tmp_path / "whole", workers=0)
    assert final(tmp_path / "b") == final(tmp_path / "whole")


def test_a_part_that_is_damaged_while_the_tables_are_written_is_made_again(tmp_path, made, monkeypatch):
    """What was sound when the batch was taken up is tested again when it is used."""
    plain = compaction.finish

    def finish(*arguments: Any) -> Any:
        if len(made) == 3:
            path = next(iter(batches.parts(tmp_path / "b")))
            data = path.read_bytes()
            path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        return plain(*arguments)

    monkeypatch.setattr(compaction, "finish", finish)
    batch = run_batch(quick(3), tmp_path / "b", workers=0)
    assert len(made) == 4 and len(batch.table("flows")) == 3


def test_an_interruption_keeps_what_is_done(tmp_path, monkeypatch):
    """Ctrl-C says what is kept; the same call makes the rest only, and the tables are the same."""
    plain, seeds = Quick.run, []

    def run(self: Quick) -> Any:
        seeds.append(self.seed)
        if len(seeds) == 4:
            raise KeyboardInterrupt
        return plain(self)

    monkeypatch.setattr(Quick, "run", run)
    with pytest.raises(KeyboardInterrupt, match="the same command goes on"):
        run_batch(quick(8), tmp_path / "b", workers=0)
    with pytest.raises(InputError, match="8 of its runs are not made yet"):
        Batch.open(tmp_path / "b")
    run_batch(quick(8), tmp_path / "b", workers=0)
    assert len(seeds) == 9
    run_batch(quick(8), tmp_path / "whole", workers=0)
    assert final(tmp_path / "b") == final(tmp_path / "whole")


@pytest.mark.parametrize("step", range(14))
def test_a_finish_may_be_cut_off_anywhere(tmp_path, made, monkeypatch, step):
    """Whichever file was the last to reach its place, the same call brings all of them there."""
    run_batch(quick(3), tmp_path / "b", workers=0)
    plain, count = Path.replace, [0]

    def replaced(self: Path, target: Any) -> Any:
        if ".work/next" in self.as_posix() or self.name.startswith(".commit"):
            count[0] += 1
            if count[0] > step:
                raise SystemExit("the power is gone")
        return plain(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replaced)
        with pytest.raises(SystemExit):
            run_batch(quick(6), tmp_path / "b", workers=0)
    made.clear()
    run_batch(quick(6), tmp_path / "b", workers=0)
    assert made == []
    run_batch(quick(6), tmp_path / "whole", workers=0)
    assert final(tmp_path / "b") == final(tmp_path / "whole")
    assert not (tmp_path / "b" / ".work").exists()


def test_a_full_disk_stops_the_batch_and_loses_nothing(tmp_path, made, monkeypatch):
    """The message says so, and the same call goes on where there is room again."""
    plain, count = worker.write_part, [0]

    def full(*arguments: Any) -> None:
        count[0] += 1
        if count[0] > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        plain(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(worker, "write_part", full)
        with pytest.raises(Stopped, match="No space left on device; what is done is kept"):
            run_batch(quick(6), tmp_path / "b", workers=0)
    run_batch(quick(6), tmp_path / "b", workers=0)
    assert sorted(made) == [0, 1, 2, 3, 3, 4, 5]


def test_folders_that_hold_something_else_are_left_alone(tmp_path, made):
    """Another batch, another version of the model, other files: refused with the reason, nothing changed."""
    run_batch(quick(3), tmp_path / "b", workers=0, name="one")
    before = {path: path.read_bytes() for path in (tmp_path / "b").rglob("*") if path.is_file()}

    def refused(match: str, folder: Path, specs: list[RunSpec], **options: Any) -> None:
        with pytest.raises(InputError, match=match):
            run_batch(specs, folder, workers=0, **options)

    refused("holds another batch", tmp_path / "b", quick(5)[2:], name="one")
    refused("holds another batch", tmp_path / "b", quick(3), name="two")
    manifest = json.loads((tmp_path / "b" / "manifest.json").read_text(encoding="utf-8"))
    other = {**manifest, "model": "0"}
    (tmp_path / "b" / "manifest.json").write_text(json.dumps(other), encoding="utf-8")
    refused("another version of the model", tmp_path / "b", quick(3), name="one")
    (tmp_path / "b" / "manifest.json").write_text(json.dumps({**manifest, "schema_version": 99}), encoding="utf-8")
    refused("schema_version 99", tmp_path / "b", quick(3), name="one")
    (tmp_path / "b" / "manifest.json").write_bytes(before[tmp_path / "b" / "manifest.json"])
    assert before == {path: path.read_bytes() for path in (tmp_path / "b").rglob("*") if path.is_file()}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear", encoding="utf-8")
    refused("something other than a batch", tmp_path / "mine", quick(1))
    refused("a file is in the way", tmp_path / "mine" / "letter.txt", quick(1))
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]
    with pytest.raises(InputError, match="no batch lies here"):
        Batch.open(tmp_path / "mine")


def test_two_at_once_are_kept_apart(tmp_path):
    """A second process that makes the same batch is refused; shards may work side by side."""
    pytest.importorskip("fcntl")
    (tmp_path / "b").mkdir()
    with batches.locked(tmp_path / "b"), pytest.raises(InputError, match="another process is making this batch"):
        run_batch(quick(1), tmp_path / "b", workers=0)
    with batches.locked(tmp_path / "b", shared=True):
        run_batch(quick(2), tmp_path / "b", workers=0, shard=(1, 2))


def test_shards_make_parts_and_the_last_call_the_tables(tmp_path, made):
    """Together they make every run once."""
    for number in (1, 2, 3):
        run_batch(quick(7), tmp_path / "b", workers=0, shard=(number, 3))
    assert sorted(made) == list(range(7)) and not (tmp_path / "b" / "runs.parquet").exists()
    run_batch(quick(7), tmp_path / "b", workers=0)
    assert len(made) == 7
    run_batch(quick(7), tmp_path / "whole", workers=0)
    assert final(tmp_path / "b") == final(tmp_path / "whole")


def test_processes_are_no_more_than_cores_and_memory_allow(monkeypatch):
    """Each has one thread, and the largest samples get fewer processes."""
    monkeypatch.setattr(runner.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(runner, "free_bytes", lambda: 6e9)
    assert workers_for(0.01) == 8 and workers_for(0.01, 3) == 3 and workers_for(0.01, 20) == 8
    assert workers_for(1.0) == 2
    for wrong in (0, -1, True, "2"):
        with pytest.raises(InputError, match="whole numbers from 1 on"):
            workers_for(0.1, wrong)  # type: ignore[arg-type]


def test_tables_are_written_by_no_more_threads_than_cores_are_allowed(tmp_path, made, monkeypatch):
    """Who asks for one process keeps the other cores free, too; of many cores only a few are used."""
    monkeypatch.setattr(runner.os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    counts: list[int] = []
    plain = compaction.ThreadPoolExecutor

    def pool(count: int) -> Any:
        counts.append(count)
        return plain(count)

    monkeypatch.setattr(compaction, "ThreadPoolExecutor", pool)
    run_batch(quick(1), tmp_path / "alone", workers=0)
    run_batch(quick(1), tmp_path / "few", workers=3)
    run_batch(quick(1), tmp_path / "all")
    assert counts == [1, 3, 4]


def test_wrong_numbers_of_processes_are_refused_before_anything_is_written(tmp_path):
    """Also where one run would need no other process."""
    for wrong in (-1, True, False, "2"):
        with pytest.raises(InputError, match="whole numbers from 0 on"):
            run_batch(quick(1), tmp_path / "b", workers=wrong)  # type: ignore[arg-type]
    assert not (tmp_path / "b").exists()


def test_memory_that_holds_copies_of_files_counts_as_free(monkeypatch):
    """Else a machine that has just read much would get one process; a container's limit holds all the same."""
    from distributed import system

    told = SimpleNamespace(free=1e8, available=6e9)
    monkeypatch.setattr(runner.psutil, "virtual_memory", lambda: told)
    monkeypatch.setattr(system, "MEMORY_LIMIT", 24e9)
    assert runner.free_bytes() == 6e9
    monkeypatch.setattr(system, "MEMORY_LIMIT", 2e9)
    assert runner.free_bytes() == 2e9


def test_where_memory_allows_one_process_it_is_still_another_than_this(tmp_path, monkeypatch):
    """A run that kills its process does not end the command."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    monkeypatch.setattr(runner, "free_bytes", lambda: 0.0)
    specs = quick(3)
    specs[1] = type(specs[1])(seed=1, mood="kills")
    batch = run_batch(specs, tmp_path / "b")
    assert batch.failed["seed"].tolist() == [1] and len(batch.table("flows")) == 2


def test_a_request_survives_as_plain_data():
    """A run that was written down and read again has the same identity."""
    spec = RunSpec(
        "four_groups", seed=3, sample=0.05, future="boom", alternatives=("network",),
        overrides=("residence_permit.education=0.9",), parameters={"moving.income_elasticity": 1.4},
    )  # fmt: skip
    again = RunSpec.from_request(json.loads(json.dumps(spec.request())))
    assert again.run_id() == spec.run_id() and again.request() == spec.request()


def test_a_file_hangs_on_its_rows_alone(tmp_path):
    """Texts written out, numbered in another order, named twice or not at all, in one piece or many: the same bytes."""
    runs = [f"run {number:03}" for number in range(300) for _ in range(100)]  # several pages, each with new names
    places = np.random.default_rng(0).integers(0, 3, len(runs))
    names = [None if number % 7 == 0 else ("seat", "town", "village")[place] for number, place in enumerate(places)]
    plain = pa.table({"run_id": runs, "place": names, "persons": np.arange(len(runs)) / 3})
    gaps = np.arange(len(runs)) % 7 == 0
    labels = pa.array(["nowhere", "village", "seat", "town", "seat"])  # a run names a text for each row of its areas
    turned = pa.DictionaryArray.from_arrays(pa.array(np.array([4, 3, 1])[places].astype(np.int16), mask=gaps), labels)
    held = plain.set_column(1, "place", turned)
    other = plain.set_column(1, "place", plain["place"].dictionary_encode())
    pieces = [held.slice(0, 7), other.slice(7, 20_000), held.slice(20_007)]
    written = []
    for number, tables in enumerate(([plain], [held], [other], pieces)):
        path = tmp_path / f"{number}.parquet"
        compaction._write_groups(tables, path, b"{}")
        written.append(path.read_bytes())
    assert len(set(written)) == 1
    back = pq.read_table(tmp_path / "1.parquet")
    assert back.replace_schema_metadata(None).cast(plain.schema).equals(plain)
    assert back.schema.field("place").type == pa.string() and back.schema.metadata == {b"migrasim": b"{}"}
    assert back.schema.field("persons").metadata == store.described(plain.schema, b"").field("persons").metadata
    assert (back.to_pandas().dtypes == plain.to_pandas().dtypes).all()


def test_other_programs_open_the_tables(tmp_path, made):
    """The examples of docs/batches.md run as they stand there."""
    folder = tmp_path / "runs" / "policy_mix"
    run_batch(quick(4), folder, workers=0, columns=[{"point": k} for k in range(4)])
    page = (Path(__file__).parents[2] / "docs" / "batches.md").read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in page.split("```python\n")[1:]]
    examples = [block for block in blocks if "runs/policy_mix" in block]
    assert len(examples) >= 3
    for example in examples:
        scope: dict[str, Any] = {}
        exec(
            example.replace("runs/policy_mix", folder.as_posix())
            .replace("year = 2035", "year = 2023")
            .replace("[2035]", "[2023]")
            .replace("== 2035", "== 2023"),
            scope,
        )
        assert len(scope["table"]) == 4


@pytest.mark.parametrize("content", [None, b"", b"no table"])
def test_reading_a_damaged_batch_names_the_file(tmp_path, made, content):
    """Tables and design that are missing, empty or something else are a fault of the folder, not of the program."""
    batch = run_batch(quick(2), tmp_path / "b", workers=0)
    for file in (*(tmp_path / "b" / "indicators").glob("part-*"), tmp_path / "b" / "design.parquet"):
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content)
    with pytest.raises(InputError, match=r"b/indicators: (cannot be read|is missing or damaged)"):
        batch.table("indicators")
    with pytest.raises(InputError, match=r"b/design.parquet: cannot be read"):
        _ = batch.design


def test_words_do_not_make_another_version_of_the_model(monkeypatch):
    """What is said in Chinese may change without shutting batches that were made before; facts may not."""
    read = Path.read_bytes

    def version(changed: str) -> str:
        monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + (b"#" if path.name == changed else b""))
        batches.model_version.cache_clear()
        return batches.model_version()

    before = version("")
    assert version("chinese.yaml") == before != version("futures.yaml")
    assert version("") == before
