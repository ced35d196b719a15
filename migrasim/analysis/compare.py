"""Scenarios side by side under the same luck: differences, chances, reasons, winners and losers.

The first scenario is the reference; every other one is held against it, run by run with the same
seed. So what differs between two runs of a pair is the effect of what the scenarios set.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame

from migrasim.analysis.intervals import Labels, interval, share
from migrasim.analysis.reasons import group_reasons_table, groups_table, reasons_table, terms_table, welfare
from migrasim.core.documents import kind, plain
from migrasim.core.errors import InputError, nearest
from migrasim.facts import FactBook
from migrasim.runs import result as request
from migrasim.runs import store
from migrasim.runs.choices import Notes, pair
from migrasim.runs.result import RunResult
from migrasim.runs.simulate import Prepared, collect, listed, prepare, settings_asked
from migrasim.scenario import Scenario
from migrasim.welfare import Groups

MOST_PAIRS = 10_000
KIND = "comparison"

Array = np.ndarray[Any, np.dtype[Any]]
OnProgress = Callable[[str, int, int], None]
"""Called with what is being done, steps done and steps in all."""


@dataclass(frozen=True)
class Comparison:
    """Scenarios that were run in pairs.

    Attributes
    ----------
    comparison_id
        First 12 hexadecimal digits of the hash of the identities of its runs.
    scenarios
        Names; the first is the reference.
    seeds
        One for each pair.
    sample, base, until
        Of every run.
    tables
        By name: ``runs, indicators, flows, decomposition`` of all runs, ``levers`` (those that differ), and of the
        pairs with the first seed ``reasons, reasons_by_group, terms, groups``.
    notes
        Warnings in plain words, shown wherever the result is shown.
    provenance
        Plain data: the region, targets, versions.
    """

    comparison_id: str
    scenarios: tuple[str, ...]
    seeds: tuple[int, ...]
    sample: float
    base: int
    until: int
    tables: Mapping[str, DataFrame]
    notes: list[str | dict[str, str]]
    provenance: dict[str, Any]

    @property
    def reference(self) -> str:
        """Name of the scenario that the others are held against."""
        return self.scenarios[0]

    @property
    def others(self) -> tuple[str, ...]:
        """Names of the scenarios that are held against the reference."""
        return self.scenarios[1:]

    @property
    def indicators(self) -> DataFrame:
        """Indicators of all runs."""
        return self.tables["indicators"]

    def difference(self, indicator: str, place: str | None = None) -> DataFrame:
        """A scenario less the reference, year by year.

        Parameters
        ----------
        indicator
            Its name.
        place
            A county or place by its name in the tables; the whole region where not given.

        Returns
        -------
        DataFrame
            One row a scenario and year: means of the ``reference`` and of the scenario (``value``), mean
            ``difference`` with its interval at 90 percent over the pairs (``low, high``; Student's t, empty for one
            pair), ``chance`` that the scenario is higher (share of the pairs, ties count half) with its interval
            (``chance_low, chance_high``; Clopper and Pearson), and the numbers of ``ties`` and of ``pairs``.

        Raises
        ------
        InputError
            For an indicator or a place that is not in the tables.
        """
        rows = self._rows(indicator, place)
        table = rows.pivot_table(index=["year", "seed"], columns="scenario", values=indicator, aggfunc="first")
        found = []
        for name in self.others:
            for year, pairs in table[[self.reference, name]].groupby(level="year"):
                found.append({"scenario": name, "year": int(str(year)), **paired(pairs[self.reference], pairs[name])})
        return DataFrame(found)

    def levers(self) -> DataFrame:
        """Levers whose values differ from the reference: a row a scenario, lever and year."""
        return self.tables["levers"]

    def reasons(self, *by: str) -> DataFrame:
        """Households whose choice differs from the reference, in the pairs with the first seed.

        Parameters
        ----------
        by
            Columns to sum over, after the scenario: ``reason``, or ``from``, ``to`` and so on. All where none is given.
        """
        table = self.tables["reasons"]
        if not by:
            return table
        allowed = [name for name in table.columns if name not in ("scenario", "households", "persons")]
        for name in by:
            if name not in allowed:
                raise InputError(
                    f"reasons: '{name}' is not a column; allowed: {', '.join(allowed)}. "
                    f"{nearest(name, allowed)}".rstrip()
                )
        done = table[table["carried_out"]] if "carried_out" not in by else table
        summed = done.groupby(["scenario", *by], sort=False, as_index=False)[["households", "persons"]].sum()
        return summed.sort_values(["scenario", "households"], ascending=[True, False], ignore_index=True, kind="stable")

    def reasons_by_group(self) -> DataFrame:
        """Choices that differ by income, schooling, age and county of the household, from what to what, and reason."""
        return self.tables["reasons_by_group"]

    def groups(self) -> DataFrame:
        """Welfare at the end by group, and who gains and who loses, in the pairs with the first seed.

        Households that are in both runs with the same members count, by key. A winner is more than one percent
        better off than in the reference, a loser more than one percent worse.
        """
        return self.tables["groups"]

    def _rows(self, indicator: str, place: str | None) -> DataFrame:
        table = self.indicators
        keys = ("run_id", "scenario", "seed", "year", "level", "place")
        allowed = [str(name) for name in table.columns if name not in keys]
        if indicator not in allowed:
            raise InputError(
                f"difference: '{indicator}' is no indicator; `migrasim indicators` lists them. "
                f"{nearest(indicator, allowed)}".rstrip()
            )
        if place is None:
            return table[table["level"] == "prefecture"]
        places = sorted(set(table["place"]))
        if place not in places:
            raise InputError(
                f"difference: '{place}' is no place; allowed: {', '.join(places)}. {nearest(place, places)}"
            )
        return table[table["place"] == place]

    def __repr__(self) -> str:
        share = "" if self.sample == 1 else f", sample={self.sample:g}"
        pairs = f"{len(self.seeds)} pair{'s' if len(self.seeds) > 1 else ''}"
        return f"<comparison {self.comparison_id}: {' | '.join(self.scenarios)}, {pairs}{share}>"


def compare(
    scenarios: Sequence[str | Scenario],
    *,
    replications: int = 1,
    seed: int = 0,
    sample: float = 1.0,
    until: int = 2035,
    base: int = 2020,
    threads: int | None = None,
    overrides: Mapping[str, Any] | Iterable[str] | None = None,
    parameters: Mapping[str, float] | None = None,
    region: str | None = None,
    future: str | None = None,
    alternatives: Iterable[str] = (),
    on_progress: OnProgress | None = None,
) -> Comparison:
    """Run scenarios with the same luck and hold them against the first.

    Parameters
    ----------
    scenarios : two or more; shipped names, paths or objects
    replications : number of seeds, from `seed` on; each is run for every scenario
    overrides, parameters, future, alternatives : the same for all scenarios, see `migrasim.run`
    on_progress : called with what is being done, steps done and steps in all

    Raises
    ------
    InputError : for anything wrong in the request or the files it names
    """
    asked = request.check_request(seed=seed, sample=sample, base=base, until=until, threads=threads)
    seed, sample, base, until, threads = asked
    replications = plain(replications)
    options: dict[str, Any] = {
        "sample": sample,
        "until": until,
        "base": base,
        "threads": threads,
        "overrides": settings_asked(overrides),
        "parameters": parameters,
        "region": region,
        "future": future,
        "alternatives": listed("alternatives", "a list of names", alternatives),
    }
    if isinstance(scenarios, Scenario):
        scenarios = (scenarios,)
    asked_for = listed("compare", "a list of scenarios, the first being the reference,", scenarios)
    chosen = [one if isinstance(one, Scenario) else Scenario.load(one, FactBook.load()) for one in asked_for]
    check_request(chosen, replications)
    names = [one.name for one in chosen]
    steps = len(chosen) * replications * (until - base)
    progress = _Progress(on_progress, steps)
    ready = [prepare(one, seed=seed, **options) for one in chosen]
    tables = _side_by_side(ready, names, progress)
    results = [collect(one) for one in ready]
    tables["levers"] = _levers(ready, names)
    del ready
    seeds = tuple(range(seed, seed + replications))
    for further in seeds[1:]:
        results += _further(chosen, further, options, progress)
    tables |= _of_all_runs(results)
    identity = hashlib.sha256(json.dumps([result.run_id for result in results]).encode()).hexdigest()[:12]
    said = ("region", "targets", "record", "versions")
    provenance: dict[str, Any] = {name: results[0].provenance[name] for name in said}
    provenance["scenario_titles"] = {result.scenario: result.provenance["scenario_title"] for result in results}
    notes = _notes(results, len(chosen))
    return Comparison(identity, tuple(names), seeds, sample, base, until, tables, notes, provenance)


def paired(
    reference: Iterable[float],
    value: Iterable[float],
    vectors: Labels | None = None,
    lucks: Labels | None = None,
) -> dict[str, float]:
    """Mean difference of pairs with its interval, and the chance that the second is higher (ties count half).

    Parameters
    ----------
    reference, value
        Of each pair.
    vectors, lucks
        Parameter vector and luck of each pair; where not given each has a luck of its own. See
        `migrasim.analysis.intervals`.

    Examples
    --------
    >>> found = paired([1.0, 2.0, 3.0], [2.0, 3.0, 5.0])
    >>> round(found["difference"], 2), round(found["low"], 2), found["chance"]
    (1.33, 0.36, 1.0)
    """
    first, second = np.array(list(reference), np.float64), np.array(list(value), np.float64)
    apart = second - first
    difference, low, high = interval(apart, vectors, lucks)
    chance, chance_low, chance_high = share((apart > 0) + 0.5 * (apart == 0), vectors, lucks)
    return {
        "reference": float(first.mean()),
        "value": float(second.mean()),
        "difference": difference,
        "low": low,
        "high": high,
        "chance": chance,
        "chance_low": chance_low,
        "chance_high": chance_high,
        "ties": int((apart == 0).sum()),
        "pairs": len(apart),
    }


def check_request(scenarios: Sequence[Scenario], replications: object, prefix: str = "") -> None:
    """Refuse what cannot be compared.

    Raises
    ------
    InputError
        For less than two scenarios, two of one name, and a number of replications that is none.
    """
    if len(scenarios) < 2:
        raise InputError("compare: two scenarios or more are needed, the first being the reference")
    names = [one.name for one in scenarios]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"compare: two scenarios are named '{name}'; give one of them another name")
    if isinstance(replications, bool) or not isinstance(replications, int) or not 1 <= replications <= MOST_PAIRS:
        raise InputError(
            f"{prefix}replications: {replications!r} is not allowed; allowed: whole numbers from 1 to {MOST_PAIRS}"
        )


@dataclass
class _Progress:
    """Counts simulated years."""

    tell: OnProgress | None
    total: int
    done: int = 0

    def step(self, what: str) -> None:
        self.done += 1
        if self.tell is not None:
            self.tell(what, self.done, self.total)


def _further(chosen: Sequence[Scenario], seed: int, options: dict[str, Any], progress: _Progress) -> list[RunResult]:
    """The runs of one more seed."""
    results = []
    for one in chosen:
        ready = prepare(one, seed=seed, **options)
        for year in range(ready.inputs.base + 1, ready.inputs.until + 1):
            ready.simulation.step()
            progress.step(f"{one.name} {seed} {year}")
        results.append(collect(ready))
    return results


def _side_by_side(ready: Sequence[Prepared], names: Sequence[str], progress: _Progress) -> dict[str, DataFrame]:
    """Step all scenarios year by year and note who chooses otherwise than in the first, and why."""
    groups = Groups.of(ready[0].simulation.world, welfare(ready[0].simulation.world))
    notes = [Notes.of(one.simulation, lambda world: groups.codes(world, welfare(world))) for one in ready]
    changes: list[list[Array]] = [[] for _ in ready]
    moved = [np.zeros(0, np.uint64) for _ in ready]
    inputs = ready[0].inputs
    for year in range(inputs.base + 1, inputs.until + 1):
        for number, one in enumerate(ready):
            one.simulation.step()
            progress.step(f"{names[number]} {year}")
            if number:
                found = pair(notes[0], notes[number], moved[number])
                moved[number] = np.union1d(moved[number], found["key"][found["carried_out"]])
                changes[number].append(found)
    world = ready[0].simulation.world
    tables: dict[str, list[DataFrame]] = {}
    for number in range(1, len(ready)):
        found = np.concatenate(changes[number])
        for table, frame in (
            ("reasons", reasons_table(found, world.geography, world.weight)),
            ("reasons_by_group", group_reasons_table(found, groups, world.geography, world.weight)),
            ("terms", terms_table(found, world.weight)),
            ("groups", groups_table(world, ready[number].simulation.world, groups)),
        ):
            frame.insert(0, "scenario", names[number])
            tables.setdefault(table, []).append(frame)
    return {name: pd.concat(frames, ignore_index=True) for name, frames in tables.items()}


def _levers(ready: Sequence[Prepared], names: Sequence[str]) -> DataFrame:
    """Paths of the levers that differ from the reference: totals of counts, means over counties of all others."""
    rows = []
    reference = ready[0].inputs
    for number in range(1, len(ready)):
        inputs = ready[number].inputs
        for lever in inputs.book.levers.values():
            first, second = reference.lever_path(lever.id), inputs.lever_path(lever.id)
            if np.array_equal(first, second):
                continue
            one, other = ((path.sum if lever.aggregate == "total" else path.mean)(axis=1) for path in (first, second))
            rows += [
                (names[number], lever.id, lever.unit, int(year), float(x), float(y))
                for year, x, y in zip(inputs.years, one, other, strict=True)
            ]
    return DataFrame(rows, columns=["scenario", "lever", "unit", "year", "reference", "value"])


def _of_all_runs(results: Sequence[RunResult]) -> dict[str, DataFrame]:
    """The tables of all runs, one under the other, and a row a run."""
    tables = {"indicators": pd.concat([result.indicators for result in results], ignore_index=True)}
    for name in ("flows", "decomposition"):
        frames = []
        for result in results:
            head = {"run_id": result.run_id, "scenario": result.scenario, "seed": result.seed}
            frame = getattr(result, name)
            frames.append(pd.concat([DataFrame(head, index=frame.index), frame], axis=1))
        tables[name] = pd.concat(frames, ignore_index=True)
    return {"runs": DataFrame([store.run_row(result) for result in results]), **tables}


def _notes(results: Sequence[RunResult], scenarios: int) -> list[str | dict[str, str]]:
    """Notes of the first run of each of the ``scenarios``, once; one that does not hold for all names its scenario.

    Where other runs of the scenario say otherwise, it says that it is of the first: it differs from means beside it.
    """
    firsts = results[:scenarios]
    common = [note for note in firsts[0].notes if all(note in each.notes for each in firsts)]
    own: list[str | dict[str, str]] = []
    for result in firsts:
        title = result.provenance.get("scenario_title") or {}
        for note in result.notes:
            if note in common:
                continue
            always = all(note in each.notes for each in results if each.scenario == result.scenario)
            which = {} if always else {"en": ", first pair of runs", "zh_hant": "（第一對運行）"}
            parts = {"en": note} if isinstance(note, str) else note
            names = {"en": result.scenario, **{key: title[key] for key in parts if key != "en" and title.get(key)}}
            own.append(
                {key: f"{names.get(key, result.scenario)}{which.get(key, '')}: {text}" for key, text in parts.items()}
            )
    return own + common


def write(comparison: Comparison, folder: Path) -> None:
    """Write all tables into an existing folder; see `migrasim.runs.store.staging`."""
    record = {
        "kind": KIND,
        "run_id": comparison.comparison_id,
        "scenarios": list(comparison.scenarios),
        "seeds": list(comparison.seeds),
        "sample": comparison.sample,
        "base": comparison.base,
        "until": comparison.until,
        "notes": comparison.notes,
        "provenance": comparison.provenance,
        "tables": list(comparison.tables),
    }
    store.write_tables(comparison.tables, folder, record)


def read(folder: str | os.PathLike[str]) -> RunResult | Comparison:
    """A run or a comparison from the folder that holds it.

    Raises
    ------
    InputError
        Where the folder is missing, holds neither, is damaged or was written by a newer version.
    """
    if not isinstance(folder, str | os.PathLike):
        raise InputError(f"read: the path of a folder is expected, not {kind(folder)}")
    path = Path(folder)
    record = store.recorded(path)
    if record is None or record.get("kind") != KIND:
        return store.read(path)
    if record["schema_version"] > store.SCHEMA_VERSION:
        raise InputError(
            f"{path}: written with schema_version {record['schema_version']}; "
            f"this version reads up to {store.SCHEMA_VERSION}"
        )
    return Comparison(
        comparison_id=record["run_id"],
        scenarios=tuple(record["scenarios"]),
        seeds=tuple(record["seeds"]),
        sample=record["sample"],
        base=record["base"],
        until=record["until"],
        tables=store.read_tables(path, record["tables"]),
        notes=record["notes"],
        provenance=record["provenance"],
    )
