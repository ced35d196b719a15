"""Batches whose processes are killed for real, at random moments, many times."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from quick_runs import final, quick

from migrasim.runs.batch import Batch
from migrasim.runs.runner import run_batch

psutil: Any = pytest.importorskip("psutil")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals and locks of POSIX"),
]

TESTS = Path(__file__).parents[1]
PATHS = os.pathsep.join(each for each in (str(TESTS), os.environ.get("PYTHONPATH")) if each)
COUNT = 400
LIMIT_S = 240


def start(folder: Path, *options: object, count: int = COUNT) -> subprocess.Popen[str]:
    """A process that makes a batch, as leader of a group of its own."""
    command = [sys.executable, str(TESTS / "quick_runs.py"), str(folder), str(count), *map(str, options)]
    environment = {**os.environ, "PYTHONPATH": PATHS}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code and what was said; a batch that hangs fails the test."""
    try:
        out, err = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, out, err


def makers(process: subprocess.Popen[str]) -> list[Any]:
    """Processes that make runs for another."""
    with_spawn = []
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            if "spawn_main" in " ".join(child.cmdline()):
                with_spawn.append(child)
        except psutil.Error:
            continue
    return with_spawn


def wait_until_at_work(folder: Path, process: subprocess.Popen[str]) -> None:
    """Wait until the first part of this call is there, or the process has ended."""
    begun = time.monotonic()
    known = len(list(folder.glob(".work/parts/*.part")))
    while process.poll() is None and len(list(folder.glob(".work/parts/*.part"))) <= known:
        assert time.monotonic() - begun < LIMIT_S, "no run ended"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Tables of a batch that nothing disturbed, made in one process."""
    folder = tmp_path_factory.mktemp("whole") / "b"
    run_batch(quick(COUNT), folder, workers=0)
    return final(folder)


def test_killed_at_random_again_and_again(tmp_path, whole):
    """Workers, the process that began it, and all at once; the same command ends with the tables of a quiet batch."""
    chance = random.Random(int(os.environ.get("MIGRASIM_KILL_SEED", "4")))
    folder = tmp_path / "b"
    deeds = ["driver", "everything", "ctrl-c"] * 2
    chance.shuffle(deeds)
    done: list[str] = []
    for deed in [*deeds, "workers"]:
        process = start(folder)
        wait_until_at_work(folder, process)
        time.sleep(chance.uniform(0.0, 0.5))
        try:
            for _ in range(4 if deed == "workers" else chance.randrange(2)):
                chance.choice(makers(process)).kill()
                time.sleep(chance.uniform(0.0, 0.6))
            if deed == "driver":
                process.kill()
            elif deed != "workers":
                os.killpg(process.pid, signal.SIGKILL if deed == "everything" else signal.SIGINT)
        except (IndexError, ProcessLookupError, psutil.Error):
            pass  # it had ended before
        code, _, err = finished(process)
        if code:
            done.append(deed)
            assert deed != "workers", err
            assert deed != "ctrl-c" or "the same command goes on" in err
        elif deed != "workers":  # the machine was faster; the next deed gets a batch that has something left to do
            shutil.rmtree(folder)
    assert len(done) >= 3 and Batch.open(folder).missing() == 0
    assert final(folder) == whole
    ids = pq.read_table(folder / "indicators" / "part-00000.parquet")["run_id"].to_pylist()
    assert len(ids) == 100 * 12 and len(set(ids)) == 100


@pytest.mark.parametrize("delay_s", [0.0, 0.3, 0.8])
def test_ctrl_c_while_processes_start_shows_no_traceback_of_theirs(tmp_path, delay_s):
    """A terminal sends it to all processes of the group: one line says what is kept, and nothing is left running."""
    process = start(tmp_path / "b")
    begun = time.monotonic()
    while not makers(process):
        assert process.poll() is None and time.monotonic() - begun < LIMIT_S, "no process was started"
        time.sleep(0.01)
    time.sleep(delay_s)
    started = makers(process)
    os.killpg(process.pid, signal.SIGINT)
    code, _, err = finished(process)
    assert code and "the same command goes on" in err
    assert err.count("Traceback") == 1 and "Error:" not in err, err  # that of the script, which lets it through
    _, left = psutil.wait_procs(started, timeout=10)
    assert not left


def test_one_worker_that_dies_over_and_over_is_replaced(tmp_path, whole):
    """Twelve deaths, some within seconds of each other, and the batch ends by itself."""
    process = start(tmp_path / "b")
    chance = random.Random(1)
    wait_until_at_work(tmp_path / "b", process)
    deaths = 0
    while deaths < 12 and process.poll() is None:
        victims = makers(process)
        if victims:
            victims[0].kill()
            deaths += 1
        time.sleep(chance.uniform(0.1, 1.0))
    code, _, err = finished(process)
    assert code == 0, err
    assert deaths >= 2 and final(tmp_path / "b") == whole


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that are started find the quick runs."""
    monkeypatch.setenv("PYTHONPATH", PATHS)


def test_a_run_that_kills_its_process_is_named_and_stops_no_other(tmp_path, importable):
    """It alone is a failure, with the number of times that it was tried."""
    specs = quick(12)
    specs[5] = type(specs[5])(seed=5, mood="kills")
    batch = run_batch(specs, tmp_path / "b", workers=2, patience_s=LIMIT_S)
    assert batch.failed["seed"].tolist() == [5] and "was ended each time" in batch.failed["error"].iloc[0]
    execution = pq.read_table(tmp_path / "b" / "execution.parquet").to_pandas()
    assert execution["attempts"][5] >= 2 and len(batch.table("flows")) == 11


@pytest.mark.parametrize(("workers", "patience_s"), [(1, 30), (2, 5)])
def test_a_run_that_hangs_is_a_failure_and_the_rest_go_on(tmp_path, importable, workers, patience_s):
    """Its process is ended, its row says where it stood, and the same command tries it again."""
    specs = quick(12)
    specs[5] = type(specs[5])(seed=5, mood="hangs")
    batch = run_batch(specs, tmp_path / "b", workers=workers, patience_s=patience_s)
    assert (
        batch.failed["seed"].tolist() == [5] and f"did not end within {patience_s} s" in batch.failed["error"].iloc[0]
    )
    execution = pq.read_table(tmp_path / "b" / "execution.parquet").to_pandas()
    assert "quick_runs.py" in execution["traceback"][5] and len(batch.table("flows")) == 11
    assert not len(run_batch(quick(12), tmp_path / "b", workers=0).failed)


def test_a_run_that_takes_too_much_memory_is_a_failure_and_stops_no_other(tmp_path, importable):
    """At one percent a process is ended at 1.6 GB: one that wants 2.4 GB does not get it, and the others are made."""
    said: list[str] = []
    specs = quick(6, sample=0.01)
    specs[2] = type(specs[2])(seed=2, sample=0.01, mood="eats")
    batch = run_batch(specs, tmp_path / "b", workers=2, patience_s=LIMIT_S, say=said.append)
    assert "(cap 1.6 GB)" in said[0]
    assert batch.failed["seed"].tolist() == [2] and "enough memory" in batch.failed["error"].iloc[0]
    assert len(batch.table("flows")) == 5


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A scheduler and two workers of its own, as on a cluster."""
    file = folder / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": PATHS, "NUMBA_NUM_THREADS": "1"}
    dask = [sys.executable, "-m", "dask"]
    quiet: dict[str, Any] = {
        "env": environment,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "cwd": folder,
    }
    local = ["--host", "127.0.0.1", "--scheduler-file", str(file), "--no-dashboard"]
    scheduler = subprocess.Popen([*dask, "scheduler", *local, "--port", "0"], **quiet)
    worker = [*dask, "worker", "--scheduler-file", str(file), "--nthreads", "1", "--nworkers", "2", "--no-dashboard"]
    workers = subprocess.Popen([*worker, "--death-timeout", "30"], start_new_session=True, **quiet)
    try:
        begun = time.monotonic()
        while not file.exists() or not file.read_text(encoding="utf-8"):
            assert time.monotonic() - begun < LIMIT_S and scheduler.poll() is None
            time.sleep(0.1)
        import json

        yield scheduler, json.loads(file.read_text(encoding="utf-8"))["address"]
    finally:
        scheduler.kill()
        os.killpg(workers.pid, signal.SIGKILL)
        scheduler.wait()
        workers.wait()


def test_a_scheduler_that_is_killed_stops_the_batch_and_another_ends_it(tmp_path, whole):
    """A plain word and exit code 1, never a wait for ever; the same command with another scheduler goes on."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with cluster(tmp_path / "one") as (scheduler, address):
        process = start(tmp_path / "b", 2, address)
        wait_until_at_work(tmp_path / "b", process)
        scheduler.kill()
        code, _, err = finished(process)
        assert code == 1 and "stopped: the scheduler is gone" in err
    with cluster(tmp_path / "two") as (_, address):
        code, _, err = finished(start(tmp_path / "b", 2, address))
        assert code == 0, err
    assert final(tmp_path / "b") == whole


def test_a_script_without_a_guard_does_not_hang(tmp_path):
    """Processes are spawned, and leave the script that started them alone; the same from standard input."""
    body = (
        "import quick_runs\n"
        "print('begun')\n"
        f"b = quick_runs.run_batch(quick_runs.quick(6), {str(tmp_path / 'b')!r}, workers=2)\n"
        "print(len(b.runs))\n"
    )
    (tmp_path / "script.py").write_text(body, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": PATHS}
    for number, given in enumerate(([str(tmp_path / "script.py")], ["-c", body], ["-"])):
        done = subprocess.run(
            [sys.executable, *given], env=environment, input=body, text=True, capture_output=True, timeout=LIMIT_S
        )
        assert done.stdout.split() == ["begun", "6"], done.stderr
        shutil.move(tmp_path / "b", tmp_path / f"b{number}")


def test_a_disk_that_is_really_full(tmp_path):
    """Filled by others in the middle of a batch, the disk stops it with a word; with room again it ends."""
    small = tmp_path / "small"
    small.mkdir()
    mount = shutil.which("mount")
    if (
        mount is None
        or os.geteuid()
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=2g", "tmpfs", small]).returncode
    ):
        pytest.skip("a file system can be mounted by root only")
    try:
        process = start(small / "b", 2)
        wait_until_at_work(small / "b", process)
        for _ in range(20):  # what is written between the two looks may exceed the new size
            size = shutil.disk_usage(small).used + 60_000
            if not subprocess.run([mount, "-o", f"remount,size={size}", small]).returncode:
                break
        code, _, err = finished(process)
        assert code == 1 and "No space left" in err and "the same command" in err
        subprocess.run([mount, "-o", "remount,size=2g", small], check=True)
        code, _, err = finished(start(small / "b", 2))
        assert code == 0, err
        assert len(Batch.open(small / "b").runs) == COUNT
    finally:
        subprocess.run(["umount", small], check=False)
