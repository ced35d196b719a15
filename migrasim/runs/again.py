"""Runs of batches made again, and where two of them part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from migrasim.core.columns import Table
from migrasim.core.errors import InputError, nearest
from migrasim.order import Simulation, place_names
from migrasim.runs import batch as batches
from migrasim.runs.batch import Batch
from migrasim.runs.result import RunResult
from migrasim.runs.simulate import Prepared, collect, prepare
from migrasim.runs.spec import RunSpec

_SHORTEST = 4
_SHOWN = 6


@dataclass(frozen=True)
class Found:
    """A run of a batch, and its request."""

    run_id: str
    batch: Batch
    spec: RunSpec

    def prepared(self, threads: int | None) -> Prepared:
        """The run before its first year."""
        one = self.spec
        return prepare(
            one.scenario,
            seed=one.seed,
            sample=one.sample,
            base=one.base,
            until=one.until,
            future=one.future,
            alternatives=one.alternatives,
            overrides=one.overrides,
            parameters=one.parameters,
            threads=threads,
        )


def find(run_id: str, folder: Path | None = None) -> Found:
    """A run by its identity, or by the beginning of it.

    Parameters
    ----------
    run_id
        At least four digits of it.
    folder
        Batch that holds it; where not given, all batches in ``runs`` and in the current folder.

    Raises
    ------
    InputError
        Where no batch, several runs or none are found, or its batch was made by another version of the model.
    """
    if folder is not None:
        places = [folder]
    else:
        here = [Path(), *sorted(Path().glob("*/")), *sorted(Path("runs").glob("*/"))]
        places = [each for each in here if (each / batches.MANIFEST).is_file()]
    if not places:
        raise InputError(f"{run_id}: no batch lies in runs/ or here; name its folder with --in")
    known: dict[str, Batch] = {}
    for place in places:
        batch = Batch.open(place, unfinished=True)
        known |= dict.fromkeys(batch.design["run_id"], batch)
    if run_id in known:
        matches = [run_id]
    else:
        matches = [each for each in known if each.startswith(run_id)] if len(run_id) >= _SHORTEST else []
    if len(matches) != 1:
        said = ", ".join(str(place) for place in places[:3])
        what = "is the beginning of several runs" if matches else "is no run"
        raise InputError(f"{run_id}: {what} in {said}. {nearest(run_id, known)}".rstrip())
    batch = known[matches[0]]
    if batch.manifest.model != batches.model_version():
        raise InputError(
            f"{matches[0]}: {batch.folder} was made by another version of the model or its data "
            f"({batch.manifest.version}, {batch.manifest.model}); this one, {batches.model_version()}, makes other runs"
        )
    return Found(matches[0], batch, batch.requests(matches)[matches[0]])


def make(found: Found, *, threads: int | None = None, households: bool = False) -> RunResult:
    """Make a run again.

    Raises
    ------
    InputError
        Where it comes out as another run, since a file that it hangs on has changed.
    """
    ready = found.prepared(threads)
    for _ in range(ready.inputs.base, ready.inputs.until):
        ready.simulation.step()
    result = collect(ready, households=households)
    if result.run_id != found.run_id:
        raise InputError(f"{found.run_id}: comes out as {result.run_id}: the model or its data have changed since")
    return result


def differences(found: Found, result: RunResult) -> list[str]:
    """Tables in which a run that was made again differs from what its batch holds."""
    import pyarrow.dataset as ds

    different = []
    for name in found.batch.manifest.tables:
        files = sorted(str(path) for path in (found.batch.folder / name).glob("part-*.parquet"))
        if not files:
            continue
        stored = ds.dataset(files, format="parquet").to_table(filter=ds.field("run_id") == found.run_id).to_pandas()
        made = getattr(result, name)
        if "level" in made:
            levels = {level: number for number, level in enumerate(batches.LEVELS)}
            made = made[made["level"].isin(found.batch.manifest.levels)]
            made = made.sort_values("level", key=lambda each: each.map(levels), kind="stable")
        if not all(_same(stored[column].to_numpy(), made[column].to_numpy()) for column in made.columns):
            different.append(name)
    return different


def _same(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    if one.shape != other.shape:
        return False
    if one.dtype.kind == "f":
        return bool(np.array_equal(one, other.astype(np.float64), equal_nan=True))
    return bool(np.array_equal(one.astype(object), other.astype(object)))


def diff(one: Found, other: Found, *, threads: int | None = None) -> list[str]:
    """What two runs read differently, and the first year, phase and household in which they differ.

    Both are made again, side by side, and compared after every phase.

    Raises
    ------
    InputError
        Where they cannot be held against each other.
    """
    lines = [f"{one.run_id}: {one.spec.label}", f"{other.run_id}: {other.spec.label}"]
    if one.run_id == other.run_id:
        return [*lines, "the same run"]
    for name in ("base", "sample"):
        a, b = getattr(one.spec, name), getattr(other.spec, name)
        if a != b:
            raise InputError(
                f"diff: {name} is {a} in one and {b} in the other: they have no households in common to compare"
            )
    first, second = one.prepared(threads), other.prepared(threads)
    lines += _inputs(first, second)
    where = _world(first.simulation, second.simulation)
    if where:
        return [*lines, f"they differ from the start, {first.inputs.base}:", *where]
    last = min(first.inputs.until, second.inputs.until)
    for year in range(first.inputs.base + 1, last + 1):
        found = _year(first, second)
        if found:
            phase, what = found
            return [*lines, f"the same until {year}; they differ first after the phase '{phase}' of {year}:", *what]
    if first.inputs.until != second.inputs.until:
        return [*lines, f"the same until {last}; one goes on"]
    return [*lines, f"no household and no place differs in any year to {last}"]


def _inputs(first: Prepared, second: Prepared) -> list[str]:
    """What they read differently, in lines."""
    a, b = first.inputs, second.inputs
    lines = []
    if first.simulation.world.seed != second.simulation.world.seed:
        lines.append(f"seed: {first.simulation.world.seed} and {second.simulation.world.seed}")
    levers = [name for name in a.book.levers if not _paths_equal(a.lever_path(name), b.lever_path(name))]
    for name in levers[:_SHOWN]:
        one, other = a.lever_path(name), b.lever_path(name)
        years = min(len(one), len(other))
        year = int(np.flatnonzero((one[:years] != other[:years]).any(axis=1))[0])
        lines.append(
            f"lever {name}: from {a.base + year} on {_number(one[year])} and {_number(other[year])}, over all counties"
        )
    if len(levers) > _SHOWN:
        lines.append(f"and {len(levers) - _SHOWN} levers more")
    facts = [name for name, fact in a.book.facts.items() if fact.used and _fact(a, name) != _fact(b, name)]
    lines += [f"fact {name}: {_fact(a, name)} and {_fact(b, name)}" for name in facts[:_SHOWN]]
    if len(facts) > _SHOWN:
        lines.append(f"and {len(facts) - _SHOWN} facts more")
    for name in ("future", "alternatives"):
        if getattr(a, name) != getattr(b, name):
            lines.append(f"{name}: {getattr(a, name) or 'none'} and {getattr(b, name) or 'none'}")
    return lines


def _fact(inputs: Any, name: str) -> Any:
    return np.asarray(inputs.book.value(name, inputs.parameters)).tolist()


def _number(row: np.ndarray[Any, Any]) -> str:
    return f"{float(row.sum()):g}"


def _paths_equal(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    years = min(len(one), len(other))
    return bool(np.array_equal(one[:years], other[:years]))


def _year(first: Prepared, second: Prepared) -> tuple[str, list[str]] | None:
    """Live a year in both worlds, phase by phase; the first phase after which they differ, and how."""
    steps = zip(first.simulation.year(), second.simulation.year(), strict=True)
    for (name, work), (_, other_work) in steps:
        work()
        other_work()
        where = _world(first.simulation, second.simulation)
        if where:
            return name, where
    return None


def _world(first: Simulation, second: Simulation) -> list[str]:
    """How two worlds differ: the first household or person by key, and its columns; empty where they do not."""
    a, b = first.world, second.world
    names = place_names(list(a.inputs.county_names))
    for what, one, other in (("household", a.households, b.households), ("person", a.persons, b.persons)):
        lines = _table(what, one, other, names)
        if lines:
            return lines
    for what, place_a, place_b in (("place", a.place, b.place), ("county", a.county, b.county)):
        for column in place_a.names:
            unequal = getattr(place_a, column) != getattr(place_b, column)
            unequal &= ~(np.isnan(getattr(place_a, column)) & np.isnan(getattr(place_b, column)))
            if unequal.any():
                number = int(np.flatnonzero(unequal)[0])
                label = names[number] if what == "place" else a.inputs.county_names[number]
                values = f"{float(getattr(place_a, column)[number])!r} and {float(getattr(place_b, column)[number])!r}"
                return [f"no household yet; {what} {label}: {column} {values}"]
    return []


def _table(what: str, one: Table, other: Table, names: list[str]) -> list[str]:
    a, b = np.argsort(one.key, kind="stable"), np.argsort(other.key, kind="stable")
    keys_a, keys_b = one.key[a], other.key[b]
    if not np.array_equal(keys_a, keys_b):
        alone = np.setxor1d(keys_a, keys_b)
        where = "the first" if alone[0] in keys_a else "the second"
        return [f"{what} {alone[0]} is in {where} run only ({len(alone)} such)"]
    changed = np.zeros(len(keys_a), np.bool_)
    columns = [name for name in one.names if name not in ("key", "household")]
    for name in columns:
        changed |= getattr(one, name)[a] != getattr(other, name)[b]
    if not changed.any():
        return []
    row = int(np.flatnonzero(changed)[0])
    lines = [f"{what} {keys_a[row]} is the first of {int(changed.sum())} that differ, by key"]
    for name in columns:
        x, y = getattr(one, name)[a][row], getattr(other, name)[b][row]
        if x != y:
            shown = [_shown(name, each, names) for each in (x, y)]
            lines.append(f"  {name}: {shown[0]} and {shown[1]}")
    return lines


def _shown(column: str, value: Any, names: list[str]) -> str:
    if column in ("place", "away_place", "home_place"):
        return names[int(value)] if int(value) >= 0 else "none"
    return str(value.item() if hasattr(value, "item") else value)
