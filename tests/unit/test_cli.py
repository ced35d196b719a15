"""The command line: what it prints, and what it says of wrong input."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from pandas import DataFrame

from migrasim import cli
from migrasim.analysis.band import Band
from migrasim.core.errors import InputError
from migrasim.runs import store


class Outcome(NamedTuple):
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def migrasim(capsys, workdir) -> Command:
    """The command in this process, in an empty folder."""

    def command(*arguments: object) -> Outcome:
        with pytest.raises(SystemExit) as end:
            cli.main([str(each) for each in arguments])
        captured = capsys.readouterr()
        return Outcome(int(end.value.code or 0), captured.out, captured.err)

    return command


@pytest.fixture
def quick_model(monkeypatch, make_result):
    """A model that answers at once, and remembers what it was asked."""
    asked: dict[str, object] = {}

    def simulate(scenario, **options):
        asked.update(options, scenario=scenario)
        return make_result(scenario=scenario.name, sample=options["sample"], seed=options["seed"])

    def band(scenario, draws, **_):
        rows = [
            {"year": year, "indicator": name, "low": 0.4, "median": 0.45, "high": 0.5}
            for year in range(2020, 2027)
            for name in ("urbanization_rate", "urban_population")
        ]
        return Band(scenario.name, DataFrame(rows), DataFrame({"urban.smart": [0.5] * draws}), 57, 67, 0.02)

    monkeypatch.setattr("migrasim.cli.run._simulate", simulate)
    monkeypatch.setattr("migrasim.cli.run._band", band)
    return asked


def _is_one_line(outcome: Outcome, *parts: str) -> None:
    """A wrong input: code 2, one line on standard error, no traceback, nothing on standard output."""
    assert outcome.code == 2
    lines = outcome.err.splitlines()
    assert len(lines) == 1, outcome.err
    assert lines[0].startswith("error: ")
    assert "Traceback" not in outcome.err
    for part in parts:
        assert part in lines[0]


# -- wrong input ---------------------------------------------------------------------------------

WRONG: list[tuple[list[str], tuple[str, ...]]] = [
    (["rnu"], ("rnu", "run")),
    (["--nonsense"], ("--nonsense",)),
    (["run"], ("scenario",)),
    (["run", "plan", "extra"], ("extra",)),
    (["run", "plan", "--sampel", "0.1"], ("--sampel", "--sample")),
    (["run", "plan", "--seed"], ("--seed",)),
    (["run", "plan", "--seed", "abc"], ("--seed", "whole number")),
    (["run", "plan", "--seed", "1.5"], ("--seed",)),
    (["run", "plan", "--seed", "-1"], ("--seed", "-1", "from 0")),
    (["run", "plan", "--seed", "9223372036854775808"], ("--seed",)),
    (["run", "plan", "--sample", "0"], ("--sample", "0.00001 to 1")),
    (["run", "plan", "--sample", "2"], ("--sample", "0.00001 to 1")),
    (["run", "plan", "--sample", "nan"], ("--sample",)),
    (["run", "plan", "--sample", "ten"], ("--sample", "number")),
    (["run", "plan", "--until", "1999"], ("--until", "1999", "2021")),
    (["run", "plan", "--until", "2020"], ("--until", "2021")),
    (["run", "plan", "--until", "3000"], ("--until", "2060")),
    (["run", "plan", "--base", "2015"], ("--base", "2010 or 2020")),
    (["run", "plan", "--threads", "0"], ("--threads", "from 1")),
    (["run", "plan", "--lang", "zh-Hand"], ("--lang", "zh-Hans")),
    (["run", "plan", "--future", "centrall"], ("--future", "did you mean 'central'")),
    (["run", "plan", "--without", "rent"], ("--without", "did you mean 'rents'")),
    (["trace", "--household", "1", "--future", "bom"], ("--future", "did you mean 'boom'")),
    (["run", "plan", "--parameters", "ensembel"], ("--parameters", "ensemble", "best")),
    (["run", "plan", "--parameters", "bset"], ("--parameters", "did you mean 'best'")),
    (["run", "plam"], ("plam", "did you mean 'plan'")),
    (["run", "missing.yaml"], ("missing.yaml",)),
    (["run", "plan", "--set", "residence_permit.education"], ("--set", "LEVER=VALUE")),
    (["run", "plan", "--set", "residence_permit.eduction=1"], ("did you mean 'residence_permit.education'",)),
    (["run", "plan", "--set", "residence_permit.education=2"], ("residence_permit.education", "0 to 1")),
    (["run", "plan", "--set", "residence_permit.education={1990: 1}"], ("1990", "2020")),
    (["levers", "public_hosing"], ("public_hosing", "did you mean 'public_housing'")),
    (["facts", "moving.income_elasticty"], ("did you mean 'moving.income_elasticity'",)),
    (["trace"], ("--household",)),
    (["trace", "three_rights.titling", "--household", "1"], ("either",)),
    (["trace", "three_rights.tilting"], ("did you mean 'three_rights.titling'",)),
    (["trace", "nonsense"], ("trace", "nonsense", "migrasim levers")),
    (["compare", "status_quo", "plan", "--replications", "0"], ("--replications", "from 1")),
    (["trace", "--household", "first"], ("--household", "first")),
    (["trace", "--household", "1", "--sample", "0"], ("--sample",)),
    (["run", "plan", "--band", "1"], ("--band", "allowed: 0, or whole numbers from 2 to 10000")),
    (["run", "plan", "--seed", "1", "--seed=2"], ("--seed: given 2 times", "once is allowed")),
    (["run", "plan", "--set", "urban.smart=0.5", "--set=urban.smart=0.6"], ("--set urban.smart: given twice",)),
    (["validate", "--workers", "0"], ("--workers: 0 is not allowed", "whole numbers from 1 on")),
    (["calibrate", "--workers", "0"], ("--workers: 0 is not allowed",)),
    (["search", "cheapest", "--workers", "-1"], ("--workers: -1 is not allowed",)),
    *(
        ([*command.split(), "--sample", share], (f"--sample: {float(share)} is not allowed", "0.00001 to 1"))
        for command in ("run plan", "compare status_quo plan", "experiment small", "search cheapest", "validate")
        for share in ("1e-09", "nan", "inf", "-0.5")
    ),
    (["levers", "--sample", "0.5"], ("--sample: goes with --effects only",)),
    (["levers", "hukou", "--out", "x.md"], ("--out: goes with --effects only",)),
    (["levers", "--effects", "--replications", "1"], ("error: --replications: 1 is too few for an interval",)),
    (["trace", "hukou.openness", "--without", "rents"], ("--without: goes with --household only",)),
    (["region", "--base", "2010"], ("--base: goes with --fit only",)),
    (["report", "r", "--sample", "0.5"], ("--sample: goes with --monitoring only",)),
    (["report", "r", "--monitoring", "2021", "--observations", "o", "--nominal"], ("--nominal", "leave it out")),
    (["run", "plan", "--seed", f"{2**63}"], ("--seed: 9223372036854775808 is not allowed", f"up to {2**63 - 1}")),
    (["validate", "--ablations", "nan"], ("--ablations: nan is not allowed", "0.00001 to 1")),
    (["levers", "--effects", "--sample", "1e-09"], ("sample: 1e-09 is not allowed", "0.00001 to 1")),
    (["search", "cheapest", "--trials", "3"], ("error: --trials: 3 is not allowed", "from 4 to 10000")),
    (["search", "cheapest", "--trials", "many"], ("--trials", "a whole number is expected")),
    (["search", "small"], ("small.yaml: search: this key is missing", "cheapest.yaml has an example")),
    *((["explore", "--port", port], ("--port", "allowed: 1 to 65535")) for port in ("0", "-1", "99999")),
    *((["explore", "--port", port], ("--port", "a whole number is expected")) for port in ("text", "87.5", "nan")),
    (["region", "nowhere"], ("nowhere",)),
    (["region", "--validate", "nowhere"], ("nowhere",)),
    (["region", "--fit", "--base", "2000"], ("--base", "2010 or 2020")),
    (["region", "--validate", "a", "--template", "b"], ("not several",)),
]


@pytest.mark.parametrize(("arguments", "parts"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_wrong_input_gets_one_line_and_code_2(migrasim, workdir, arguments, parts):
    """One message names what is wrong and what is allowed; nothing is written."""
    _is_one_line(migrasim(*arguments), *parts)
    assert list(workdir.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02\xff", b"levers: [", b"- a\n- b\n", b"levers: {a: 1, a: 2}\n"])
def test_a_broken_scenario_file_gets_one_line(migrasim, workdir, content):
    """Empty, binary, unfinished, listed and doubled YAML are told with the file's name."""
    (workdir / "mine.yaml").write_bytes(content)
    _is_one_line(migrasim("run", "mine.yaml"), "mine.yaml")
    assert [path.name for path in workdir.iterdir()] == ["mine.yaml"]


def test_a_port_that_cannot_be_had_says_why(migrasim, monkeypatch):
    """One that another program has, and one that is kept for the administrator, are two things."""
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        _is_one_line(migrasim("explore", "--port", other.getsockname()[1]), "--port", "is in use by another program")

    def kept(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", kept)
    _is_one_line(migrasim("explore", "--port", 80), "--port: 80 is kept for the administrator", "1024 to 65535")


def test_out_that_is_a_file_is_refused_before_the_run(migrasim, workdir, quick_model):
    """A file in the way, or above, costs no time: the model is not started."""
    (workdir / "taken").write_text("mine")
    _is_one_line(migrasim("run", "plan", "--out", "taken"), "taken", "file is in the way")
    _is_one_line(migrasim("run", "plan", "--out", "taken/inside"), "taken")
    assert quick_model == {}
    assert (workdir / "taken").read_text() == "mine"


def test_out_with_other_things_in_it_is_refused_before_the_run(migrasim, workdir, quick_model):
    """A folder that is no result of a run is never touched."""
    (workdir / "thesis").mkdir()
    (workdir / "thesis" / "chapter.txt").write_text("mine")
    _is_one_line(migrasim("run", "plan", "--out", "thesis"), "thesis", "something other than a run")
    assert quick_model == {}


def test_out_that_cannot_be_written_is_refused(migrasim, workdir, quick_model, monkeypatch):
    """A closed folder is told before the run."""

    def closed(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(store.tempfile, "mkdtemp", closed)
    _is_one_line(migrasim("run", "plan", "--out", "closed/r"), "closed", "Permission denied")
    assert quick_model == {}
    assert list(workdir.iterdir()) == []


def test_a_full_disk_leaves_nothing_half_written(migrasim, workdir, quick_model, monkeypatch):
    """Where the disk fills up while tables are written, no part of them stays."""

    def full(*_, **__):
        raise InputError("r: cannot be written: No space left on device")

    monkeypatch.setattr(store, "write", full)
    _is_one_line(migrasim("run", "plan", "--out", "r"), "No space left")
    assert list(workdir.iterdir()) == []


def test_a_defect_is_no_fault_of_the_input(migrasim, workdir, monkeypatch):
    """An unforeseen error ends with code 1, no traceback, and a word on where to report it."""

    def broken(*_, **__):
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr("migrasim.cli.run._simulate", broken)
    monkeypatch.delenv("MIGRASIM_DEBUG", raising=False)
    outcome = migrasim("run", "plan")
    assert outcome.code == 1
    assert "defect: ZeroDivisionError: of ours" in outcome.err
    assert "MIGRASIM_DEBUG" in outcome.err
    assert "Traceback" not in outcome.err
    assert list(workdir.iterdir()) == []


@pytest.mark.parametrize("threads", ["0", "-1", "two", ""])
def test_threads_of_the_environment_are_checked(migrasim, monkeypatch, threads):
    """A number of threads that is none is wrong input; numba made a warning or an error of it."""
    monkeypatch.setenv("NUMBA_NUM_THREADS", threads)
    _is_one_line(migrasim("run", "plan"), "NUMBA_NUM_THREADS", f"'{threads}'", "from 1")


@pytest.mark.parametrize(("columns", "widest"), [("0", 160), ("5", 20), ("-3", 160), ("wide", 160), ("40", 40)])
def test_a_width_that_is_none_hides_nothing(migrasim, monkeypatch, columns, widest):
    """Tables are printed whatever the environment says of columns, none narrower than can be read."""
    monkeypatch.setenv("COLUMNS", columns)
    lines = migrasim("futures").out.splitlines()
    assert "hard_times" in "".join(lines)
    assert max(map(len, lines)) <= widest


def test_a_folder_that_is_gone_is_no_defect(migrasim, workdir, quick_model):
    """In a folder that was removed a command says so, and writes where it was told to be elsewhere."""
    gone, there = workdir / "gone", workdir / "there"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    outcomes = migrasim("run", "plan"), migrasim("run", "plan", "--out", there)
    os.chdir(workdir)
    _is_one_line(Outcome(outcomes[0].code, "", outcomes[0].err), "current folder is not there")
    assert outcomes[1].code == 0
    assert store.recorded(there) is not None


def test_out_that_is_a_link_to_a_folder_leads_there(migrasim, workdir, quick_model):
    """Results go where the link leads; the link stays."""
    (workdir / "disk").mkdir()
    (workdir / "link").symlink_to("disk")
    assert migrasim("run", "plan", "--out", "link").code == 0
    assert (workdir / "link").is_symlink()
    assert store.recorded(workdir / "disk") is not None


@pytest.mark.parametrize("command", ["run plan", "compare status_quo plan", "levers --effects"])
def test_out_of_a_user_that_is_none_is_refused(migrasim, workdir, quick_model, command):
    """A folder of somebody whom the machine does not know is wrong input."""
    _is_one_line(
        migrasim(*command.split(), "--out", "~nobody_at_all/r"), "~nobody_at_all/r", "no folder of such a user"
    )


def test_the_end_of_a_file_is_no_interrupt(migrasim, workdir, monkeypatch):
    """The parser takes the end of a file for somebody who closes the input; no command asks for any."""

    def torn(*_, **__):
        raise EOFError("No data left in file")

    monkeypatch.setattr("migrasim.cli.run._simulate", torn)
    outcome = migrasim("run", "plan")
    assert outcome.code == 1
    assert "defect: EOFError: No data left in file" in outcome.err


def test_a_defect_shows_its_traceback_to_those_who_ask(migrasim, monkeypatch):
    """With MIGRASIM_DEBUG the traceback is there to be reported."""

    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("migrasim.cli.run._simulate", broken)
    monkeypatch.setenv("MIGRASIM_DEBUG", "1")
    assert "Traceback" in migrasim("run", "plan").err


def test_an_interrupt_leaves_nothing_half_written(migrasim, workdir, monkeypatch):
    """Ctrl-C in the middle of a run ends with code 130, and no folder is left."""

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("migrasim.cli.run._simulate", interrupted)
    outcome = migrasim("run", "plan")
    assert outcome.code == 130
    assert "nothing was written" in outcome.err
    assert list(workdir.iterdir()) == []


# -- what it does --------------------------------------------------------------------------------


def test_run_prints_the_trajectory_and_writes_the_tables(migrasim, workdir, quick_model):
    """The default folder is runs/<name>-<run id>; it holds the tables, and the table is printed."""
    outcome = migrasim("run", "plan", "--seed", "3")
    assert outcome.code == 0
    assert "Trajectory" in outcome.out
    assert "runs/plan-0123456789ab" in outcome.out
    assert [path.name for path in (workdir / "runs").iterdir()] == ["plan-0123456789ab"]
    assert store.read(workdir / "runs" / "plan-0123456789ab").seed == 3


def test_the_headline_of_the_plan_is_a_range_over_its_assumed_values(migrasim, workdir, quick_model):
    """Unasked, with the number of assumed values beside it; with --band 0, and where nothing is assumed, not."""
    told = migrasim("run", "plan").out
    assert "12 draws of the assumed values: 57 of the 67 levers" in " ".join(told.split())
    assert told.index("assumed values") < told.index("Trajectory")
    assert (workdir / "runs" / "plan-0123456789ab" / "band.parquet").is_file()
    for arguments in (("plan", "--band", 0), ("status_quo",)):
        assert "draws of the assumed values" not in " ".join(migrasim("run", *arguments).out.split())


def test_run_hands_its_options_to_the_model(migrasim, quick_model):
    """Every option reaches the model as it was given."""
    options = [
        "--seed",
        5,
        "--sample",
        0.1,
        "--until",
        2030,
        "--base",
        2010,
        "--threads",
        2,
        "--future",
        "hard_times",
        "--without",
        "rents",
        "--without",
        "network",
        "--households",
        "--profile",
    ]
    assert migrasim("run", "status_quo", *options, "--set", "residence_permit.education=0.9").code == 0
    scenario = quick_model.pop("scenario")
    expected = {
        "seed": 5,
        "sample": 0.1,
        "until": 2030,
        "base": 2010,
        "threads": 2,
        "households": True,
        "profile": True,
        "future": "hard_times",
        "alternatives": ["rents", "network"],
    }
    assert quick_model == expected
    assert scenario.name == "status_quo"
    assert [setting.lever for setting in scenario.settings][-1] == "residence_permit.education"


def test_run_takes_a_path_and_an_out_folder(migrasim, workdir, quick_model):
    """A scenario file of one's own runs, and --out says where the tables go."""
    (workdir / "mine.yaml").write_text("name: mine\nextends: status_quo\nlevers: {residence_permit.education: 0.9}\n")
    assert migrasim("run", "mine.yaml", "--out", "deep/down").code == 0
    assert store.read(workdir / "deep" / "down").scenario == "mine"


def test_run_speaks_chinese(migrasim, quick_model):
    """With --lang the whole table is in that language."""
    assert "户籍城镇化率" in migrasim("run", "plan", "--lang", "zh-hans").out


def test_help_is_code_0_and_names_every_command(migrasim):
    """--help and no argument at all show the same overview."""
    for arguments in (["--help"], []):
        outcome = migrasim(*arguments)
        assert outcome.code == 0
        for command in (
            "run",
            "compare",
            "scenarios",
            "futures",
            "alternatives",
            "levers",
            "facts",
            "indicators",
            "schedule",
            "trace",
            "region",
        ):
            assert f" {command} " in outcome.out


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "compare",
        "scenarios",
        "futures",
        "alternatives",
        "levers",
        "facts",
        "indicators",
        "schedule",
        "trace",
        "region",
    ],
)
def test_each_command_explains_itself_with_an_example(migrasim, command):
    """The help of a command ends in something to copy."""
    outcome = migrasim(command, "--help")
    assert outcome.code == 0
    assert f"Example: migrasim {command}" in outcome.out


def test_version_is_printed(migrasim):
    """--version prints the name and the version."""
    from migrasim import __version__

    assert migrasim("--version") == (0, f"migrasim {__version__}\n", "")


def test_scenarios_are_listed(migrasim):
    """Every shipped scenario stands there with its title."""
    out = migrasim("scenarios").out
    for name in ("status_quo", "plan", "residence_permit", "three_rights", "public_housing", "industry", "four_groups"):
        assert name in out
    assert (
        "現狀" in migrasim("scenarios", "--lang", "zh-Hant").out
        or "維持" in migrasim("scenarios", "--lang", "zh-Hant").out
    )


def test_levers_are_listed_by_group_and_one_by_one(migrasim):
    """A lever is listed with its bounds, alone with its sources; unbuilt ones can be asked for."""
    out = migrasim("levers", "three_rights").out
    assert "three_rights.exit_price" in out
    assert "0 to 60,000" in out
    card = migrasim("levers", "three_rights.exit_price").out
    assert "yuan per mu" in card
    assert "assumed" in card or "planned" in card
    unbuilt = migrasim("levers", "--unbuilt").out
    assert "three_rights.titling" not in unbuilt


@pytest.mark.parametrize(
    "command",
    [
        ["levers", "hukou"],
        ["levers", "hukou.openness"],
        ["facts", "moving"],
        ["facts", "moving.income_elasticity"],
        ["rules", "land"],
        ["rules", "moving.income_term"],
        ["schedule"],
        ["indicators"],
        ["scenarios"],
        ["scenarios", "core_first"],
        ["futures"],
        ["alternatives"],
        ["region"],
    ],
)
def test_what_is_looked_up_has_chinese_heads(migrasim, monkeypatch, command):
    """No head of a listing or a card stays English."""
    from migrasim.present import language, tables

    heads: list[str] = []

    def words(english, lang):
        heads.extend(english)
        return language.words(english, lang)

    monkeypatch.setattr(tables, "words", words)
    assert migrasim(*command, "--lang", "zh-Hans").code == 0
    assert heads
    assert set(heads) <= {"", *language.WORDS}


@pytest.mark.parametrize("lang", [("--lang", "zh-Hant"), ("--lang=zh_hant",), ("--lang", "ZH-HANT")])
@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["run", "plam"], "錯誤：沒有情景'plam'；可用：路徑，或"),
        (["run", "plan", "--sampel", "1"], "錯誤：沒有選項--sampel；"),
        (["levers", "hukou.opennes"], "是否指'hukou.openness'？"),
    ],
)
def test_wrong_input_is_told_in_the_language_that_was_asked_for(migrasim, lang, command, expected):
    """One line in Chinese and code 2, also where the arguments themselves cannot be read."""
    outcome = migrasim(*command, *lang)
    assert outcome.code == 2
    assert expected in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert migrasim(*command).err.startswith("error: ")


def test_facts_are_listed_by_domain_and_one_by_one(migrasim):
    """A fact is listed with range, status and source."""
    assert "moving.income_elasticity" in migrasim("facts", "moving").out
    card = migrasim("facts", "moving.income_elasticity").out
    for part in ("1.5", "[0.8, 3.2]", "literature", "domains/moving/facts.yaml"):
        assert part in card


def test_indicators_are_listed(migrasim):
    """An indicator is listed with unit and way of counting."""
    out = migrasim("indicators").out
    assert "hukou_urbanization_rate" in out
    assert "share" in out


def test_the_order_of_a_year_is_printed(migrasim):
    """The schedule is the one that runs."""
    from migrasim.order import SCHEDULE

    out = migrasim("schedule").out
    places = [out.index(f" {phase.name} ") for phase in SCHEDULE]
    assert places == sorted(places)


def test_a_region_is_described_checked_and_begun(migrasim, workdir):
    """A template is written, and the check of it names what is missing, with code 2."""
    assert "counties" in migrasim("region").out
    assert migrasim("region", "--template", "mine").code == 0
    outcome = migrasim("region", "--validate", "mine")
    assert outcome.code == 2
    assert all(line.startswith("error: ") for line in outcome.err.splitlines())
    _is_one_line(migrasim("region", "--template", "mine"), "not empty")


# -- as a program --------------------------------------------------------------------------------


def _program(*arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "migrasim", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **more)  # type: ignore[call-overload]


def test_help_comes_at_once():
    """The overview loads none of the heavy libraries."""
    code = (
        "import sys, migrasim.cli\n"
        "heavy = {'numpy', 'pandas', 'pyarrow', 'numba', 'mesa', 'matplotlib', 'solara', 'scipy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
    best = min(_seconds(lambda: _program("--help")) for _ in range(3))
    assert best < 1.0  # 0.2 s here; the bound leaves room for a slow machine


def _seconds(work: Callable[[], object]) -> float:
    """Of the processor, in processes that are started: other tests run at the same time."""
    began = os.times()
    work()
    ended = os.times()
    return ended.children_user + ended.children_system - began.children_user - began.children_system


def test_importing_the_package_is_quick():
    """`import migrasim` imports nothing that it may not need."""
    code = "import sys, migrasim; print(len([m for m in sys.modules if m.startswith(('numpy', 'pandas', 'typer'))]))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "0"
    )


def test_the_program_ends_with_its_codes(workdir):
    """Exit codes reach the shell, and errors go to standard error only."""
    good, bad = _program("levers", "three_rights"), _program("levers", "nonsense")
    assert (good.returncode, bad.returncode, bad.stdout) == (0, 2, "")
    assert bad.stderr.count("\n") == 1


def test_a_reader_that_leaves_early_is_no_error():
    """`migrasim facts | head -1` is quiet."""
    for reader in ("head -n 1", "true"):  # the second has gone before anything is written
        command = f"set -o pipefail; '{sys.executable}' -m migrasim facts | {reader}"
        found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
        assert (found.returncode, found.stderr) == (0, "")


def test_results_are_kept_though_nobody_reads_the_table(migrasim, quick_model, monkeypatch, workdir):
    """A closed pipe ends the printing, not the results, which took long to make."""

    def gone(*_):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("migrasim.cli.run.show", gone)
    outcome = migrasim("run", "plan", "--out", "r")
    assert outcome.code == 0 and "defect" not in outcome.err
    assert store.recorded(workdir / "r") is not None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_behind_the_output_is_no_defect(unbuffered):
    """One line says so; with a full disk behind standard error the exit code is that of the command."""
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    command = [sys.executable, "-m", "migrasim"]
    with Path("/dev/full").open("w") as full:
        found = subprocess.run([*command, "futures"], stdout=full, stderr=-1, text=True, check=False, env=env)
        assert found.returncode == 2
        assert found.stderr == "error: standard output: cannot be written: No space left on device\n"
        assert subprocess.run([*command, "run", "none"], stderr=full, check=False, env=env).returncode == 2


def test_a_full_disk_behind_the_output_says_where_the_results_are(migrasim, quick_model, monkeypatch, workdir):
    """Results are kept, and their folder is named in the one line that is left, in Chinese, too."""
    monkeypatch.setattr("migrasim.cli._is_stuck", lambda: True)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("migrasim.cli.run.show", full)
    first = "error: standard output: cannot be written: No space left on device; the results are in r\n"
    assert migrasim("run", "plan", "--out", "r") == (2, "", first)
    assert store.recorded(workdir / "r") is not None
    again = migrasim("run", "plan", "--out", "r", "--lang", "zh-Hant")
    assert again == (2, "", "錯誤：標準輸出：無法寫入：磁盤空間不足；結果在r\n")


def test_a_terminal_without_chinese_is_no_error():
    """Where the terminal cannot write a character, a question mark stands for it."""
    found = _program("scenarios", "--lang", "zh-Hans", env={**os.environ, "PYTHONIOENCODING": "latin-1"})
    assert found.returncode == 0
    assert "?" in found.stdout


# -- with the model ------------------------------------------------------------------------------


@pytest.mark.model
def test_a_small_run_writes_tables_that_agree_with_python(workdir):
    """Command line and Python give the same numbers."""
    import migrasim as ms

    done = _program("run", "plan", "--sample", "0.01", "--until", "2022", "--seed", "5", "--out", "r")
    assert done.returncode == 0, done.stderr
    assert "SAMPLE: 1%" in done.stdout
    stored = ms.read("r")
    fresh = ms.run("plan", sample=0.01, until=2022, seed=5)
    assert stored.run_id == fresh.run_id
    assert stored.indicators.equals(fresh.indicators)
    assert set(stored.prefecture().index) == {2020, 2021, 2022}


@pytest.mark.model
def test_ctrl_c_in_a_real_run_leaves_nothing(workdir):
    """A signal in the middle of a run ends the program with 130 and an empty folder."""
    running = subprocess.Popen(
        [sys.executable, "-m", "migrasim", "run", "plan", "--sample", "0.05", "--out", "r"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 60
    while not any(workdir.glob(".migrasim-*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=120)
    # `python -m` ends by the signal itself where it came while a module was imported; a shell calls that 130, too
    assert running.returncode in (130, -signal.SIGINT), err
    assert list(workdir.iterdir()) == []


@pytest.mark.model
def test_a_household_can_be_followed(migrasim):
    """The trace of a household has a row for each year."""
    considered = False
    for row in (0, 7):
        outcome = migrasim("trace", "--household", row, "--sample", "0.01", "--until", "2026")
        assert outcome.code == 0, outcome.err
        lines = outcome.out.splitlines()
        assert [line[:4] for line in lines if line[:1] == "2"] == [str(year) for year in range(2020, 2027)]
        considered = considered or any("considers in month" in line and "utils" in line for line in lines)
    assert considered
    in_chinese = migrasim("trace", "--household", "0", "--sample", "0.01", "--until", "2021", "--lang", "zh-Hans").out
    assert "2020" in in_chinese and "积蓄" in in_chinese and "lives" not in in_chinese


def test_every_form_and_tenure_has_a_word():
    """A household's years are told in words for whatever it does."""
    from migrasim.core.codes import Form, Tenure
    from migrasim.present.language import FORMS, TENURES

    assert set(FORMS) == {form.name.lower() for form in Form}
    assert set(TENURES) == {tenure.name.lower() for tenure in Tenure}


@pytest.mark.model
def test_a_lever_can_be_followed(migrasim):
    """The trace of a lever names its file and the phase that reads it."""
    out = migrasim("trace", "residence_permit.education").out
    assert "levers.yaml" in out
    assert "read in migrasim.domains.services" in out


def test_every_lever_is_seen_to_be_read():
    """The trace of each lever finds at least one line of a domain that reads it."""
    from migrasim.facts import FactBook
    from migrasim.runs.trace import trace_lever

    unread = [lever for lever in FactBook.load().levers if not any("read in" in line for line in trace_lever(lever))]
    assert not unread


@pytest.mark.model
def test_the_fit_of_the_population_is_printed(migrasim):
    """Published and synthetic margins stand side by side."""
    outcome = migrasim("region", "--fit")
    assert outcome.code == 0
    assert "Kongtong" in outcome.out


@pytest.mark.model
def test_the_tables_are_json_free_of_surprises(workdir):
    """What a stored run says of itself is plain JSON with its levers, targets and record."""
    assert _program("run", "status_quo", "--sample", "0.01", "--until", "2021", "--out", "r").returncode == 0
    record = store.recorded(Path("r"))
    assert record is not None
    provenance = json.loads(json.dumps(record["provenance"]))
    assert {"levers", "parameters", "targets", "record", "versions", "region"} <= set(provenance)


def test_rules_are_listed_with_their_formula(migrasim):
    """Every rule has a sentence and a place; one alone shows its formula and the facts that it reads."""
    listed = migrasim("rules")
    assert listed.code == 0
    assert "moving.income_term" in listed.out and "migrasim/domains/fiscal/rules.py:" in listed.out
    shown = migrasim("rules", "housing.market_rent")
    assert "xi ln(occupancy / base occupancy)" in shown.out and "housing.rent_inflow_elasticity" in shown.out
    _is_one_line(migrasim("rules", "houssing"), "unknown rule or domain", "housing")


def test_the_page_of_a_scenario_is_printed(migrasim):
    """A scenario alone prints its page and the levers that it sets, in the language asked for."""
    out = migrasim("scenarios", "core_first").out
    assert "What is assumed." in out
    assert "spatial.core_share" in out and "2022: 0.7" in out
    assert "怎樣讀結果" in migrasim("scenarios", "plan", "--lang", "zh-Hant").out
    assert "怎样读结果" in migrasim("scenarios", "plan", "--lang", "zh-Hans").out
    assert "What it stands for." in migrasim("scenarios", "status_quo").out
    code, _, err = migrasim("scenarios", "core_frist")
    assert code == 2
    assert "core_first" in err


def test_no_switch_asks_for_a_value_in_its_help(migrasim):
    """An option that is given or not stands alone in the help; a newcomer would type a value behind it."""
    text = "\n".join(migrasim(command, "--help").out for command in ("run", "levers", "explore", "experiment"))
    lines = {line for line in text.splitlines() if "bool" in line}
    assert {word for line in lines for word in line.split() if word.startswith("--")} == {"--help"}


@pytest.mark.parametrize(
    ("command", "quotes"),
    [
        (("facts", "fiscal"), True),
        (("rules", "policy"), True),
        (("rules", "moving.income_term"), True),
        (("levers", "hukou"), False),
        (("schedule",), False),
    ],
)
def test_listings_in_chinese_say_why_some_of_it_is_english(migrasim, command, quotes):
    """Notes, sources and rules are quoted as they are written, which is said below, and only where there are some."""
    assert "quoted in the language" not in migrasim(*command).err
    assert ("按其书写语言引用" in migrasim(*command, "--lang", "zh-Hans").err) is quotes


BROKEN = {
    "low.yaml": "name: e\nscenarios: [plan]\nreplications: 0\n",
    "high.yaml": "name: e\nscenarios: [plan]\nsample: 3\n",
    "kind.yaml": "name: e\ndesign: {kind: factorail}\n",
    "luck.yaml": "name: e\nscenarios: [plan]\nluck: comon\n",
    "none.yaml": "name: e\nscenarios: []\n",
    "three.yaml": "name: e\nscenarios: [plan, 3]\n",
    "levels.yaml": "name: e\ndesign: {kind: factorial, levers: {hukou.openness: []}}\n",
    "table.yaml": "name: e\ndesign: {kind: table, file: nothere.csv}\n",
    "a_file": "x",
    "empty.csv": "",
    "seen.csv": "year,place,indicator,value,unit,basis\n2021,Pingliang,residents,182.47,10k persons,census 2020\n",
}


@pytest.mark.parametrize("lang", ["en", "zh-Hant", "zh-Hans"])
@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("experiment low.yaml", "low.yaml: experiment.replications: the number 0 is not allowed; allowed: at least 1"),
        ("experiment high.yaml", "high.yaml: experiment.sample: the number 3 is not allowed; allowed: at most 1"),
        ("experiment kind.yaml", "the text 'factorail' is not known; allowed: factorial, fraction"),
        ("experiment luck.yaml", "the text 'comon' is not known; allowed: common, independent. did you mean 'common'?"),
        ("experiment none.yaml", "none.yaml: scenarios: a list of names is expected, not an empty list"),
        ("experiment three.yaml", "three.yaml: scenarios: a list of names is expected, not the number 3"),
        ("experiment levels.yaml", "such as [status_quo, plan], not an empty list"),
        ("experiment table.yaml", "table.yaml: design.file: nothere.csv: there is no such file in ."),
        ("experiment small --dry-run --out a_file/x", "a_file: a file is in the way; give a folder"),
        ("analyse a_file", "a_file: a file is in the way; give a folder"),
        ("report done --out a_file/x.html", "a_file is a file; a folder is expected"),
        ("assimilate nothere.csv", "nothere.csv: no such file; a table with the columns year, place"),
        ("assimilate empty.csv", "empty.csv: is no readable csv table"),
        ("assimilate done", "done: is no readable csv table (Is a directory)"),
        ("assimilate seen.csv --folder a_file", "a_file: a file is in the way; give a folder"),
        ("assimilate seen.csv --folder=~nobody-here/x", "there is no folder of such a user; write the folder out"),
        ("assimilate seen.csv --scenario plam", "no scenario 'plam'; allowed: a path, or core_first"),
        ("assimilate seen.csv --sample 1e-9", "--sample: 1e-09 is not allowed; allowed: a share of the households, 0."),
        ("report new --monitoring 2022 --observations seen.csv", "nothing was observed in 2022; allowed: 2021"),
        ("search cheapest --out a_file/x", "a_file: a file is in the way; give a folder"),
        ("search cheapest --out done", "done: the folder holds something other than a batch; give an empty or a new"),
        ("calibrate --out a_file", "a_file is a file; a folder is expected"),
        ("calibrate --folder a_file/x", "a_file is a file; a folder is expected"),
        ("validate --folder a_file", "a_file is a file; a folder is expected"),
        ("explore --folder a_file/x", "a_file/x: cannot be written: "),
        ("rerun ''", "an empty name is no run"),
        ("region --validate done", "done/region.yaml: no such file"),
        ("region --template done", "done: exists and is not empty"),
        ("trace --household -1", "'-1' is no row and no key; allowed: whole numbers from 0, or 0x and a key"),
    ],
)
def test_what_a_newcomer_gets_wrong_is_told_in_one_line(migrasim, workdir, make_result, command, expected, lang):
    """Files, folders and numbers that are wrong: where, what, what is allowed, the nearest name; in Chinese, too."""
    for name, text in BROKEN.items():
        (workdir / name).write_text(text, encoding="utf-8")
    (workdir / "done").mkdir()
    store.write(make_result(), workdir / "done")
    found = migrasim(*shlex.split(command), "--lang", lang)
    assert found.code == 2 and len(found.err.splitlines()) == 1 and not found.out
    if lang == "en":
        assert expected in found.err
    else:
        assert re.match("(error: |錯誤：|错误：)", found.err)
        assert re.search("[\u4e00-\u9fff]", found.err.split("：", 1)[1])
        assert not re.search("[a-z]{2,} (is|be|or|and|a|of) ", found.err)
