"""`migrasim experiment`, `rerun` and `diff`: what they say, make and refuse."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from quick_runs import made_of

from migrasim import cli
from migrasim.analysis.finished import run
from migrasim.present.findings import point_labels
from migrasim.runs import cluster, estimate, excel, runner
from migrasim.runs.batch import Batch
from migrasim.runs.design import Experiment

TINY = """
name: tiny
scenarios: [status_quo, plan]
replications: {replications}
sample: {sample}
until: 2022
"""


class Outcome(NamedTuple):
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


@pytest.fixture
def migrasim(capsys, workdir) -> Callable[..., Outcome]:
    """The command in this process, in an empty folder that holds ``tiny.yaml``."""
    (workdir / "tiny.yaml").write_text(TINY.format(replications=1, sample=0.002), encoding="utf-8")

    def command(*arguments: object) -> Outcome:
        with pytest.raises(SystemExit) as end:
            cli.main([str(each) for each in arguments])
        captured = capsys.readouterr()
        return Outcome(int(end.value.code or 0), captured.out, captured.err)

    return command


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--shard", "5/4"], "--shard: '5/4' is not allowed"),
        (["--shard", "first"], "such as 1/4"),
        (["--keep", "flow"], "did you mean 'flows'?"),
        (["--replications", "0"], "allowed: whole numbers from 1"),
        (
            ["--sample", "2"],
            "error: --sample: 2.0 is not allowed; allowed: a share of the households, 0.00001 to 1",
        ),
        (["--workers", "0"], "error: --workers: 0 is not allowed"),
        (["--scheduler", "nonsense"], "no Dask scheduler answers at 'nonsense'"),
    ],
)
def test_wrong_options_are_refused_in_a_line(migrasim, workdir, arguments, words):
    """Exit code 2, what is wrong and what is allowed."""
    found = migrasim("experiment", "tiny.yaml", *arguments)
    assert found.code == 2 and words in found.err and found.err.splitlines()[-1].startswith("error: ")
    assert not (workdir / "runs" / "tiny" / "runs.parquet").exists()


def test_too_many_runs_for_the_disk_are_refused(migrasim, workdir, monkeypatch):
    """Before anything is made, with what is needed and what there is."""
    monkeypatch.setattr(runner.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1000))
    found = migrasim("experiment", "tiny.yaml")
    assert found.code == 2 and "2 runs need about" in found.err and "fewer runs" in found.err
    assert not (workdir / "runs").exists()


def test_a_dry_run_says_what_it_would_cost(migrasim, workdir, monkeypatch, make_result):
    """Runs, seconds, memory and disk; nothing is written."""
    monkeypatch.setattr(runner.RunSpec, "run", lambda spec: make_result())
    found = migrasim("experiment", "tiny.yaml", "--replications", 50, "--dry-run", "--workers", 1)
    assert found.code == 0 and found.out.startswith("100 runs, 100 of them still to be made;")
    assert "GB free" in found.out and not (workdir / "runs").exists()
    assert not estimate.Estimate(10, 10, 1.0, 1e9, 1, 1e12, 1e9).fits
    assert not estimate.Estimate(10, 10, 1.0, 1e9, 1, 1e12, 4e12).fits  # the batch would be refused


@pytest.fixture
def invented(monkeypatch, make_result):
    """Runs take no time: their numbers are invented."""

    def make(spec, tables, levels):
        said = {**spec.provenance(), "scenario": spec.scenario.name}
        return replace(made_of(make_result(), tables, levels), run_id=spec.run_id(), provenance=said)

    monkeypatch.setattr(runner.RunSpec, "make", make)


def test_scenarios_of_a_batch_keep_their_names(workdir, invented):
    """In the order of the file, which is not that of the alphabet."""
    names = ["status_quo", "plan", "core_first"]
    experiment = Experiment.from_mapping({"scenarios": names, "sample": 0.001, "until": 2022})
    batch = run(experiment, workdir / "mine", workers=0, tables=["indicators"])
    assert batch.design["scenario"].tolist() == names
    assert set(point_labels(batch, "en")) == set(names)


def test_asking_for_a_part_of_a_batch_changes_nothing(migrasim, workdir, invented):
    """What is said of the whole stays, from Python and on the command line; asking for the whole says it again."""
    whole = {"name": "tiny", "scenarios": ["status_quo", "plan", "core_first"], "sample": 0.002, "until": 2022}
    run(Experiment.from_mapping(whole), workdir / "mine", workers=0)
    before = (workdir / "mine" / "experiment.json").read_bytes()
    run(Experiment.from_mapping({**whole, "scenarios": ["core_first", "plan"]}), workdir / "mine", workers=0)
    assert (workdir / "mine" / "experiment.json").read_bytes() == before
    assert migrasim("experiment", "tiny.yaml", "--out", "mine").code == 0
    assert (workdir / "mine" / "experiment.json").read_bytes() == before
    run(Experiment.from_mapping({**whole, "analyse": {"method": "differences"}}), workdir / "mine", workers=0)
    assert b'"method": "differences"' in (workdir / "mine" / "experiment.json").read_bytes()


def test_an_interrupt_says_what_is_kept(migrasim, monkeypatch, invented):
    """Not that nothing was written: what is done lies in the folder, and the same command goes on."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner.RunSpec, "make", interrupted)
    monkeypatch.setattr(runner._Plan, "_pool", lambda *_: cluster.here())
    found = migrasim("experiment", "tiny.yaml")
    assert found.code == 130 and "nothing was written" not in found.err
    assert "0 runs of this call are kept in" in found.err and "2 are missing; the same command goes on" in found.err
    assert migrasim("experiment", "tiny.yaml", "--lang", "zh-Hant").err.endswith("尚缺2次；以同一命令繼續\n")


def damage(workdir):
    """A batch that cannot be read, beside the others."""
    folder = workdir / "runs" / "damaged"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{", encoding="utf-8")


def test_a_run_that_may_lie_in_a_damaged_batch(migrasim, workdir):
    """What could not be looked into is named, in one line."""
    damage(workdir)
    found = migrasim("rerun", "0123456789ab")
    assert found.code == 2 and found.err == (
        "error: 0123456789ab: is no run in a batch that can be read; runs/damaged cannot be read\n"
    )
    found = migrasim("rerun", "0123456789ab", "--lang", "zh-Hans")
    assert found.code == 2 and found.err == "错误：0123456789ab：不是可读批次中的运行；runs/damaged无法读取\n"
    found = migrasim("rerun", "0123456789ab", "--in", "runs/damaged")
    assert found.code == 2 and "manifest.json" in found.err


def test_runs_that_nobody_knows(migrasim):
    """No batch at all, and how to name one."""
    found = migrasim("rerun", "0123456789ab")
    assert found.code == 2 and "no batch and no run lies in runs/ or here; name its folder with --in" in found.err
    found = migrasim("diff", "0123456789ab", "0123", "--in", "nowhere")
    assert found.code == 2 and "no batch lies here" in found.err
    for command in (("rerun", "0123456789ab"), ("diff", "0123456789ab", "0123")):
        found = migrasim(*command, "--lang", "zh-Hans")
        assert found.code == 2 and found.err.startswith("错误：0123456789ab：runs/与此处均无批次或运行")
        assert migrasim(*command, "--lang", "fr").code == 2


@pytest.mark.model
@pytest.mark.slow
def test_the_workbook_says_what_its_columns_are(migrasim, workdir):
    """Every column has unit and titles, a sum over years is not of a year, and no name is taken for a formula."""
    from openpyxl import load_workbook

    mine = "name: '=1+1'\nextends: status_quo\nlevers: {residence_permit.education: 0.9}\n"
    (workdir / "mine.yaml").write_text(mine, encoding="utf-8")
    text = (workdir / "tiny.yaml").read_text(encoding="utf-8")
    (workdir / "tiny.yaml").write_text(text.replace("[status_quo, plan]", "[status_quo, mine.yaml]"), encoding="utf-8")
    assert migrasim("experiment", "tiny.yaml", "--workers", 1).code == 0
    book = load_workbook("runs/tiny/results.xlsx")
    assert [cell.data_type for row in book["results"].iter_rows() for cell in row].count("f") == 0
    label = [cell.value for cell in book["results"][1]].index("label")
    assert book["results"][3][label].value.startswith("=1+1")
    heads, *rows = book["columns"].iter_rows(values_only=True)
    assert heads == ("sheet", "column", "unit", "title_en", "title_zh_hant", "title_zh_hans")
    assert [row[1] for row in rows if row[0] == "levers"] == ["run_id", "label", "residence_permit.education"]
    assert all(all(row) for row in rows), rows
    about = {row[1]: row[2:] for row in rows}
    assert about["urbanization_rate_2022"][:2] == ("share", "Resident urbanization rate, 2022")
    assert about["public_cost_yuan_to_2022"][0] == "yuan of 2020"
    assert about["public_cost_yuan_to_2022"][2].endswith("，2021-2022")


@pytest.mark.model
@pytest.mark.slow
def test_a_batch_from_file_to_difference(migrasim, workdir, monkeypatch):
    """Made, extended, one run made again to the last digit, and where two runs part."""
    found = migrasim("experiment", "tiny.yaml", "--workers", 1)
    assert found.code == 0 and "2 runs, 0 of them failed" in found.err and found.out == "Results in runs/tiny\n"
    assert "1 process with one thread, about" in found.err
    assert set(pd.read_excel("runs/tiny/results.xlsx", sheet_name=None)) == {"results", "levers", "columns"}
    before = Batch.open("runs/tiny").table("indicators")
    assert migrasim("experiment", "tiny.yaml", "--workers", 1, "--replications", 2).code == 0
    batch = Batch.open("runs/tiny")
    runs = batch.runs
    assert runs["seed"].tolist() == [0, 0, 1, 1] and runs["scenario"].tolist() == ["status_quo", "plan"] * 2
    monkeypatch.setattr(excel, "MOST_ROWS", 3)  # a batch that has grown too long for it leaves no old one
    assert excel.write(batch) is None and not (workdir / "runs/tiny/results.xlsx").exists()
    after = batch.table("indicators")
    kept = after[after["run_id"].isin(set(before["run_id"]))].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, before)
    quo, plan, other = runs["run_id"][:3]
    damage(workdir)  # no reason to stop where the run lies elsewhere
    found = migrasim("rerun", plan, "--threads", 1)
    assert found.out.splitlines()[0] == f"{plan}: as it is stored, to the last digit"
    assert (workdir / "runs" / f"plan-{plan}" / "indicators.parquet").exists()
    found = migrasim("diff", quo[:6], plan, "--in", "runs/tiny")
    assert "lever " in found.out and "they differ first after the phase" in found.out and "household " in found.out
    assert "seed: 0 and 1" in migrasim("diff", quo, other).out
    for lang in ("zh-Hant", "zh-Hans"):
        found = migrasim("diff", quo[:6], plan, "--in", "runs/tiny", "--lang", lang)
        assert found.code == 0 and all(re.search("[\u4e00-\u9fff]", line) for line in found.out.splitlines()[2:])
    assert migrasim("diff", quo, quo).out.endswith("the same run\n")
    assert migrasim("rerun", plan, "--in", f"runs/plan-{plan}").out.startswith(f"{plan}: as it is stored")
    found = migrasim("rerun", plan, "--in", "runs/tiny", "--lang", "zh-Hans", "--out", "again")
    assert found.out == f"{plan}：与所存完全相同，直至末位\n结果存于 again\n"
    (workdir / "tiny.yaml").write_text(TINY.format(replications=1, sample=0.003), encoding="utf-8")
    found = migrasim("experiment", "tiny.yaml", "--dry-run")
    assert found.code == 2 and "holds another batch ('tiny', 4 runs, 0 of them also asked for now)" in found.err


@pytest.mark.model
@pytest.mark.slow
def test_a_run_in_a_folder_of_its_own_is_made_again(migrasim, workdir):
    """What `migrasim run` wrote is enough: levers for the region and by county, parameters, and where two part."""
    options = ("--sample", 0.002, "--until", 2021, "--threads", 1)
    changed = ("--set", "public_housing.public_rental_units=2000", "--set", "employment.equal_pay=0.8")
    assert migrasim("run", "status_quo", *options).code == migrasim("run", "status_quo", *options, *changed).code == 0
    one, other = (path.name.rpartition("-")[2] for path in sorted((workdir / "runs").glob("status_quo-*")))
    for run_id in (one, other):
        assert migrasim("rerun", run_id[:8]).out.startswith(f"{run_id}: as it is stored, to the last digit")
    assert "lever " in migrasim("diff", one, other).out


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="the example is a shell script")
def test_the_example_for_slurm_makes_a_batch(workdir):
    """With a stand-in for `srun` that starts one worker, it runs from scheduler to tables."""
    (workdir / "tiny.yaml").write_text(TINY.format(replications=2, sample=0.002), encoding="utf-8")
    (workdir / "bin").mkdir()
    (workdir / "bin" / "srun").write_text('#!/bin/bash\nshift\nexec "$@"\n', encoding="utf-8")
    (workdir / "bin" / "srun").chmod(0o755)
    script = Path(__file__).parents[2] / "docs" / "slurm.sh"
    path = f"{workdir / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHON": sys.executable, "SLURM_NTASKS": "1"}
    done = subprocess.run(
        ["bash", str(script), "tiny.yaml", "out"], env=environment, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stderr
    assert len(Batch.open(workdir / "out").runs) == 4
