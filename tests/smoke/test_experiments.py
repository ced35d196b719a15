"""A shipped experiment from the command line to what it tells, and what its commands refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pandas import read_csv

from migrasim import cli
from migrasim.analysis.finished import Finished, Measure

pytestmark = pytest.mark.model


def call(*arguments: object) -> int:
    """Exit code of a command."""
    with pytest.raises(SystemExit) as end:
        cli.main([str(each) for each in arguments])
    return int(end.value.code or 0)


@pytest.mark.slow
def test_the_small_experiment_runs_and_is_analysed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Batch, attribution as the file says, differences in Chinese, report; tables add up to what the batch holds."""
    folder = tmp_path / "small"
    assert call("experiment", "small", "--sample", 0.005, "--workers", 1, "--out", folder, "--keep", "indicators") == 0
    assert call("analyse", folder) == 0
    assert "Together the 2 levers or groups" in capsys.readouterr().out
    found = folder / "analysis" / "attribution-urbanization_rate-2025"
    shares = read_csv(found / "shares.csv")
    batch = Finished.open(folder)
    values = batch.design.assign(value=batch.values(Measure(year=2025))).pivot(
        index="replication", columns="point", values="value"
    )
    assert shares["share"].sum() == pytest.approx((values[3] - values[0]).mean())
    assert (found / "figure.png").stat().st_size > 10_000
    assert call("analyze", folder, "--method", "differences", "--place", "Kongtong", "--lang", "zh-Hans") == 0
    assert "与现状" in capsys.readouterr().out
    assert call("report", folder) == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Public housing at the plan, Industrial chains at the plan" in page, "a point is named by what it sets"
    assert call("analyse", folder, "--method", "sensitivity") == 2
    assert "spread over ranges" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("analyse", "nowhere"), "nowhere: no batch of an experiment lies here"),
        (("search", "small"), "search: this key is missing"),
        (("search", "cheapst"), "did you mean 'cheapest'"),
        (("search", "cheapest", "--trials", "1"), "trials"),
        (("search", "cheapest", "--sample", "7"), "sample: 7.0 is not allowed"),
    ],
)
def test_what_cannot_be_analysed_is_refused(arguments: tuple[Any, ...], message: str, capsys: Any, tmp_path: Path,
                                            monkeypatch: pytest.MonkeyPatch):  # fmt: skip
    """One line, exit code 2, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    assert call(*arguments) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
