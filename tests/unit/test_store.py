"""Results on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from migrasim.core.errors import InputError
from migrasim.runs import store
from migrasim.runs.result import HEAD, LEVELS, decoded
from migrasim.runs.spec import RunSpec


def _publish(result, target: Path) -> Path:
    with store.staging(target.parent) as staged:
        store.write(result, staged, wall_s=1.5)
        return store.publish(staged, target, result.run_id)


def test_a_result_comes_back_as_it_was(make_result, tmp_path):
    """What is written is read again: tables, numbers, provenance and notes."""
    result = make_result(notes=("one", "二"))
    back = store.read(_publish(result, tmp_path / "r"))
    for table in store.TABLES:
        pd.testing.assert_frame_equal(getattr(back, table), getattr(result, table))
    for name in ("run_id", "scenario", "seed", "sample", "base", "until", "provenance", "notes"):
        assert getattr(back, name) == getattr(result, name)
    assert back.profile is None
    assert back.households is None


def test_a_batch_keeps_what_a_run_says():
    """Some tables of a run, at some levels, are those of the whole run: rows, numbers and what is not a number."""
    spec = RunSpec("plan", seed=3, sample=0.001, until=2022)
    whole, lean = spec.run(), spec.make(("groups", "decomposition", "indicators"), ("county",))
    assert (lean.run_id, lean.provenance) == (whole.run_id, whole.provenance)
    assert list(lean.tables) == ["groups", "decomposition", "indicators"]
    for name, table in lean.tables.items():
        frame = getattr(whole, name)
        if "level" in frame:
            frame = frame[frame["level"] == "county"].reset_index(drop=True)
            assert len(frame) > 0
        pd.testing.assert_frame_equal(
            decoded(table).to_pandas(), frame.drop(columns=[each for each in HEAD if each in frame])
        )
    assert whole.groups["welfare_yuan_yr"].isna().sum() == lean.tables["groups"]["welfare_yuan_yr"].null_count
    everything = spec.make(store.TABLES, LEVELS)
    assert everything.tables["indicators"].num_rows == len(whole.indicators)


def test_optional_tables_come_back_too(make_result, tmp_path):
    """Seconds by phase and household rows are kept where they were asked for."""
    profile = pd.DataFrame({"phase": ["moving"], "seconds": [0.25]})
    households = pd.DataFrame({"key": pd.array([2**63 + 1], dtype="uint64"), "place": ["First/seat"]})
    plain = make_result()
    result = type(plain)(**{**vars(plain), "profile": profile, "households": households})
    back = store.read(_publish(result, tmp_path / "r"))
    pd.testing.assert_frame_equal(back.profile, profile)
    pd.testing.assert_frame_equal(back.households, households, check_dtype=False)
    assert back.households["key"].iloc[0] == 2**63 + 1


def test_the_same_run_has_the_same_bytes(make_result, tmp_path):
    """Every table but execution.parquet is equal byte for byte when the same run is written twice."""
    first, second = (_publish(make_result(), tmp_path / name) for name in ("a", "b"))
    names = sorted(path.name for path in first.iterdir())
    tables = [
        "ages",
        "chains",
        "costs",
        "decomposition",
        "dwellings",
        "execution",
        "flows",
        "groups",
        "homes",
        "indicators",
        "jobs",
        "runs",
    ]
    assert names == [f"{name}.parquet" for name in tables]
    for name in names:
        if name != "execution.parquet":
            assert (first / name).read_bytes() == (second / name).read_bytes()


def test_columns_carry_units_and_titles_in_three_languages(make_result, tmp_path):
    """The schema says what a column is, so that a table can be read without the program."""
    schema = pq.read_schema(_publish(make_result(), tmp_path / "r") / "indicators.parquet")
    about = {key.decode(): value.decode() for key, value in schema.field("urbanization_rate").metadata.items()}
    assert about["unit"] == "share"
    assert about["title_en"] == "Resident urbanization rate"
    assert about["title_zh_hant"] == "常住人口城鎮化率"
    assert about["title_zh_hans"] == "常住人口城镇化率"
    assert json.loads(schema.metadata[b"migrasim"])["schema_version"] == store.SCHEMA_VERSION


def test_the_row_of_the_run_holds_every_lever_and_parameter(make_result, tmp_path):
    """runs.parquet has one row with what was asked for and every value that was used."""
    row = pq.read_table(_publish(make_result(), tmp_path / "r") / "runs.parquet").to_pylist()
    assert len(row) == 1
    assert row[0]["status"] == "done"
    assert row[0]["seed"] == 7
    assert row[0]["parameter.moving.income_elasticity"] == 1.5
    assert json.loads(row[0]["lever.three_rights.titling"]) == {"2020": 0.9, "2021": 1.0}


def test_only_the_execution_table_knows_the_clock(make_result, tmp_path):
    """Wall time and host stand in execution.parquet and nowhere else."""
    folder = _publish(make_result(), tmp_path / "r")
    assert pq.read_table(folder / "execution.parquet").to_pylist()[0]["wall_s"] == 1.5
    assert "wall_s" not in pq.read_schema(folder / "runs.parquet").names


def test_the_same_run_replaces_itself(make_result, tmp_path):
    """Writing the finished run again into its folder works and leaves one whole folder."""
    target = tmp_path / "r"
    _publish(make_result(), target)
    (target / "flows.parquet").write_bytes(b"damaged")
    _publish(make_result(), target)
    assert len(store.read(target).flows) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_another_run_is_never_overwritten(make_result, tmp_path):
    """A different run in the way stays as it is; the new one is kept beside it and the message says where."""
    target = tmp_path / "r"
    _publish(make_result(), target)
    with pytest.raises(InputError, match=r"holds another run .0123456789ab.*r-ffffffffffff"):
        _publish(make_result(run_id="ffffffffffff"), target)
    assert store.read(target).run_id == "0123456789ab"
    assert store.read(tmp_path / "r-ffffffffffff").run_id == "ffffffffffff"


@pytest.mark.parametrize("way", ["file", "folder"])
def test_what_is_not_a_run_is_not_replaced(make_result, tmp_path, way):
    """A file, or a folder with other things in it, in the way is an error and stays."""
    target = tmp_path / "r"
    if way == "file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match=r"file is in the way|something other than a run"):
        _publish(make_result(), target)
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_a_failure_leaves_nothing_behind(tmp_path):
    """Whatever happens while a folder is staged, neither it nor the parents made for it remain."""
    with pytest.raises(RuntimeError), store.staging(tmp_path / "new" / "deep"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_of_the_input(make_result, tmp_path, monkeypatch):
    """No space left is told in one line that names the folder."""

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(InputError, match="No space left on device"):
        _publish(make_result(), tmp_path / "r")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [None, b"", b"PAR1 but not really"])
def test_a_folder_without_a_run_is_refused(tmp_path, content):
    """A missing, empty or damaged table is told, not shown as a traceback."""
    if content is not None:
        (tmp_path / "indicators.parquet").write_bytes(content)
    with pytest.raises(InputError, match="no finished run"):
        store.read(tmp_path)


def test_a_damaged_table_is_refused(make_result, tmp_path):
    """A run that lost one of its tables is an error that names the folder."""
    target = _publish(make_result(), tmp_path / "r")
    (target / "flows.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="cannot be read"):
        store.read(target)


def test_a_newer_schema_is_refused(make_result, tmp_path, monkeypatch):
    """Tables of a newer version are refused with the reason."""
    target = _publish(make_result(), tmp_path / "r")
    monkeypatch.setattr(store, "SCHEMA_VERSION", 0)
    with pytest.raises(InputError, match="schema_version 1"):
        store.read(target)
