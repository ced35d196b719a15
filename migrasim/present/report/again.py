"""How to make a run again: the command, and the scenario file where the run was of no shipped scenario."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml

from migrasim import __version__
from migrasim.core.language import Lang
from migrasim.facts import FactBook
from migrasim.inputs import Inputs
from migrasim.present.report.view import View
from migrasim.present.report.words import word
from migrasim.scenario import Scenario


@dataclass(frozen=True)
class Again:
    """The command, the files that it needs by name, and what to know about it."""

    command: str
    files: Mapping[str, str]
    notes: list[str]
    python: bool = False


def again(view: View, lang: Lang) -> Again:
    """How to make what a report is about once more."""
    files: dict[str, str] = {}
    notes: list[str] = []
    arguments = []
    if view.batch is not None:
        folder = shlex.quote(view.batch.folder.name)
        lines = [f"migrasim rerun {row['run_id']} --in {folder}  # {row['scenario']}" for row in _first_runs(view)]
        return Again("\n".join(lines), files, [word("again_batch", lang)])
    for number, scenario in enumerate(view.scenarios, 1):
        if _ships(view, scenario):
            arguments.append(scenario)
            continue
        name = f"{_plain(scenario) or 'scenario'}.yaml"
        name = name if name not in files else f"scenario_{number}.yaml"
        files[name] = scenario_file(view, scenario)
        arguments.append(name)
        if scenario in view.inputs:
            notes.append(word("again_other_model", lang, scenario=scenario))
    versions = view.provenance.get("versions") or {}
    old = str(versions.get("migrasim", ""))
    if old != __version__:
        notes.append(word("again_other_version", lang, old=old, new=__version__))
    given = _given_parameters(view)
    if given:
        return Again(_python(view, arguments, given), files, [word("again_parameters", lang), *notes], True)
    return Again(_command(view, arguments), files, notes)


def _first_runs(view: View) -> list[dict[str, Any]]:
    """The first run of each scenario of a batch; names on one line."""
    rows = view.runs.drop_duplicates("scenario")
    names = (" ".join(str(name).split()) for name in rows["scenario"])
    return [{"run_id": run_id, "scenario": name} for run_id, name in zip(rows["run_id"], names, strict=True)]


def _ships(view: View, scenario: str) -> bool:
    """Whether a scenario of this name ships and sets every lever as it was run."""
    inputs = view.inputs.get(scenario)
    if inputs is None:
        return False
    for lever in inputs.book.levers:
        path = view.path(lever, scenario)
        if path is None or not np.array_equal(path, inputs.lever_path(lever)):
            return False
    return True


def scenario_file(view: View, scenario: str) -> str:
    """A scenario file with every lever that was changed, by county and year where they differ.

    A total that was split over counties stays a total: the spatial split moves no number that is a county's own.
    """
    book, start = FactBook.load(), view.inputs.get("status_quo")
    counties = view.region.county_names if view.region is not None else view.counties
    paths = {name: path for name in view.lever_ids() if (path := view.path(name, scenario)) is not None}
    paths = {
        name: path
        for name, path in paths.items()
        if name in book.levers and (start is None or not np.array_equal(path, start.lever_path(name)))
    }
    totals = {name for name in paths if book.levers[name].aggregate == "total"}
    levers = {name: _setting(path, view.base, counties, name in totals) for name, path in paths.items()}
    if view.region is not None and totals:
        sums = {name: _sums(paths[name], view.base) for name in totals}
        whole = Scenario.from_mapping({"name": scenario, "levers": levers | sums}, book, scenario)
        split = Inputs.build(book, view.region, whole, view.base, view.until)
        levers |= {name: sums[name] for name in totals if _close(split.lever_path(name)[1:], paths[name][1:])}
    document = {"schema_version": 1, "name": scenario, "extends": "status_quo", "levers": levers}
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, default_flow_style=None, width=110)


def _sums(path: np.ndarray[Any, np.dtype[np.float64]], base: int) -> dict[int, float]:
    return {base + year: float(f"{row.sum():.12g}") for year, row in enumerate(path) if base + year >= 2020}


def _close(one: np.ndarray[Any, np.dtype[np.float64]], other: np.ndarray[Any, np.dtype[np.float64]]) -> bool:
    return bool(np.allclose(one, other, rtol=1e-9, atol=0.0))  # a sum is known but for its last digits


def _setting(path: np.ndarray[Any, np.dtype[np.float64]], base: int, counties: list[str], total: bool) -> Any:
    rows = {base + year: row for year, row in enumerate(path) if base + year >= 2020}
    if not total and bool((path == path[:, :1]).all()):
        return {year: float(row[0]) for year, row in rows.items()}
    return {county: {year: float(row[k]) for year, row in rows.items()} for k, county in enumerate(counties)}


def _given_parameters(view: View) -> dict[str, float]:
    """Facts that stand elsewhere than the fit of the region, the future and the alternatives of the run put them."""
    inputs = next(iter(view.inputs.values()), None)
    if inputs is None:
        return {}
    named = ((name, float(value)) for name, value in _numbers(view) if name in inputs.book)
    usual = {name: inputs.parameters.get(name, inputs.book[name].central) for name in inputs.book.facts}
    return {name: value for name, value in named if (base := usual[name]) is not None and not np.isclose(value, base)}


def _numbers(view: View) -> Iterator[tuple[str, float]]:
    """Facts of the first run that are one number."""
    row = view.runs.iloc[0]
    for column in view.runs.columns:
        name = str(column).removeprefix("parameter.")
        if name != column and isinstance(row[column], int | float):
            yield name, float(row[column])


def _plain(name: str) -> str:
    return "".join(each for each in name if each.isascii() and (each.isalnum() or each in "-_"))[:40]


def _options(view: View) -> dict[str, Any]:
    row = view.runs.iloc[0]
    options: dict[str, Any] = {"seed": view.seeds[0], "sample": view.sample, "until": view.until, "base": view.base}
    if str(row["future"]):
        options["future"] = str(row["future"])
    return options


def _command(view: View, scenarios: list[str]) -> str:
    row = view.runs.iloc[0]
    options = _options(view)
    words = ["migrasim", "run" if view.comparison is None else "compare", *scenarios]
    if len(view.seeds) > 1:
        words += ["--replications", str(len(view.seeds))]
    usual = {"sample": 1.0, "until": 2035, "base": 2020, "future": "central"}
    for name, value in options.items():
        if usual.get(name) != value:
            words += [f"--{name}", str(value)]
    for name in str(row["alternatives"]).split(", "):
        words += ["--without", name] if name else []
    return shlex.join(words)


def _python(view: View, scenarios: list[str], parameters: Mapping[str, float]) -> str:
    options = {**_options(view), "parameters": dict(parameters)}
    without = [name for name in str(view.runs.iloc[0]["alternatives"]).split(", ") if name]
    if without:
        options["alternatives"] = without
    if view.comparison is not None:
        options["replications"] = len(view.seeds)
    called = "run" if view.comparison is None else "compare"
    first = json.dumps(scenarios[0] if view.comparison is None else scenarios)
    said = ", ".join(f"{name}={json.dumps(value)}" for name, value in options.items())
    return f"import migrasim as ms\n\nms.{called}({first}, {said})"
