"""Finished batches of invented numbers: the design is real, the results are what a function says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pandas import DataFrame

from migrasim.analysis.finished import About, Finished
from migrasim.core.errors import InputError
from migrasim.runs.design import Experiment

YEARS = (2034, 2035)
Worth = Callable[[Mapping[str, Any]], float | None]
"""The result of a row of the design table; None for a run that failed."""


@dataclass
class Invented:
    """The table of indicators of a batch."""

    frame: DataFrame

    def table(
        self, name: str, columns: Sequence[str] | None = None, *, level: str | None = None,
        years: Sequence[int] | None = None,
    ) -> DataFrame:  # fmt: skip
        """As a batch hands it over."""
        assert name == "indicators"
        for each in columns or ():
            if each not in self.frame:
                raise InputError(f"no column '{each}'")
        rows = self.frame[self.frame["level"] == level] if level else self.frame
        rows = rows[rows["year"].isin(list(years))] if years is not None else rows
        return rows[list(columns)] if columns else rows


def finished(data: dict[str, Any], worth: Worth) -> Finished:
    """The batch of an experiment whose resident rate is what `worth` says."""
    experiment = Experiment.from_mapping(data)
    design = experiment.table()
    design["run_id"] = [f"run {number}" for number in range(len(design))]
    rows = []
    for row in design.to_dict("records"):
        value = worth({str(name): each for name, each in row.items()})
        if value is not None:
            head = (row["run_id"], "prefecture", "Pingliang")
            rows += [(*head, year, value - (2035 - year)) for year in YEARS]
    columns = ["run_id", "level", "place", "year", "urbanization_rate"]
    return Finished(About.of(experiment), design, Invented(DataFrame(rows, columns=columns)))
