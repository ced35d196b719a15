"""Runs made again, of batches or alone in their folders, and where two of them part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from migrasim import __version__
from migrasim.core.columns import Table
from migrasim.core.errors import InputError, nearest
from migrasim.facts import FactBook, Title
from migrasim.order import Simulation, place_names
from migrasim.runs import batch as batches
from migrasim.runs import store
from migrasim.runs.batch import Batch
from migrasim.runs.result import RunResult
from migrasim.runs.simulate import Prepared, collect, model_hash, only_region, prepare
from migrasim.runs.spec import RunSpec
from migrasim.scenario import Scenario, Setting, Step

if TYPE_CHECKING:
    from pandas import DataFrame

SAME = "as it is stored, to the last digit"
_SHORTEST = 4
_SHOWN = 6


@dataclass(frozen=True)
class Found:
    """A run that lies in a batch, or in a folder of its own, and its request."""

    run_id: str
    stored: Batch | Path
    spec: RunSpec

    def table(self, name: str) -> DataFrame | None:
        """One of its tables as it is stored; None where it is not."""
        import pyarrow.dataset as ds

        if isinstance(self.stored, Path):
            return store.read_tables(self.stored, [name])[name]
        files = sorted(str(path) for path in (self.stored.folder / name).glob("part-*.parquet"))
        if not files:
            return None
        with batches.sound(self.stored.folder / name):
            rows = store.dataset(files).to_table(filter=ds.field("run_id") == self.run_id)
        found: DataFrame = rows.to_pandas()
        return found

    @property
    def tables(self) -> Sequence[str]:
        """Names of the tables that are kept."""
        return store.TABLES if isinstance(self.stored, Path) else self.stored.manifest.tables

    @property
    def levels(self) -> Sequence[str]:
        """Levels that are kept."""
        return batches.LEVELS if isinstance(self.stored, Path) else self.stored.manifest.levels

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
        Batch that holds it, or folder of the run; where not given, all of them in ``runs`` and in the current folder.

    Raises
    ------
    InputError
        Where no batch, several runs or none are found, or it was made by another version of the model.
    """
    if not run_id:
        raise InputError("an empty name is no run; give the identity of one, or its first four digits or more")
    places = [folder] if folder is not None else [Path(), *sorted(Path().glob("*/")), *sorted(Path("runs").glob("*/"))]
    known: dict[str, Batch | Path] = {}
    looked, damaged = [], []
    for place in places:
        if (record := store.recorded(place)) is not None and record.get("kind") is None:
            known.setdefault(record["run_id"], place)
        elif folder is not None or (place / batches.MANIFEST).is_file():
            try:
                batch = Batch.open(place, unfinished=True)
            except InputError:
                if folder is not None:
                    raise
                damaged.append(str(place))  # the run may well lie in another
                continue
            known |= dict.fromkeys(batch.design["run_id"], batch)
        else:
            continue
        looked.append(str(place))
    if not looked and not damaged:
        raise InputError(f"{run_id}: no batch and no run lies in runs/ or here; name its folder with --in")
    if run_id in known:
        matches = [run_id]
    else:
        matches = [each for each in known if each.startswith(run_id)] if len(run_id) >= _SHORTEST else []
    if not matches and damaged:
        raise InputError(f"{run_id}: is no run in a batch that can be read; {', '.join(damaged[:3])} cannot be read")
    if len(matches) != 1:
        what = "is the beginning of several runs" if matches else "is no run"
        raise InputError(f"{run_id}: {what} in {', '.join(looked[:3])}. {nearest(run_id, known)}".rstrip())
    stored = known[matches[0]]
    spec = _alone(stored) if isinstance(stored, Path) else _in_batch(matches[0], stored)
    return Found(matches[0], stored, spec)


def _in_batch(run_id: str, batch: Batch) -> RunSpec:
    if batch.manifest.model != batches.model_version():
        raise InputError(
            f"{run_id}: {batch.folder} was made by another version of the model or its data "
            f"({batch.manifest.version}, {batch.manifest.model}); this one, {batches.model_version()}, makes other runs"
        )
    return batch.requests([run_id])[run_id]


def _alone(folder: Path) -> RunSpec:
    """The request of a run in a folder of its own, from what the run says of itself."""
    record: dict[str, Any] = store.recorded(folder) or {}
    said = record["provenance"]
    if said["model"] != model_hash() or said["region"]["hash"] != only_region().region_hash:
        version = said.get("versions", {}).get("migrasim", "?")
        raise InputError(
            f"{record['run_id']}: {folder} was made by another version of the model or its data ({version}); "
            f"this one, {__version__}, makes other runs"
        )
    levers = {name: {int(year): np.array(row) for year, row in path.items()} for name, path in said["levers"].items()}
    settings = {name: Setting(name, str(folder), None, {None: _whole(name, path)}) for name, path in levers.items()}
    title = Title(**said["scenario_title"])
    scenario = Scenario(said["scenario"], title, None, None, said["future"], tuple(settings.values()), said["scenario"])
    spec = RunSpec(
        scenario,
        seed=record["seed"],
        sample=record["sample"],
        base=record["base"],
        until=record["until"],
        future=said["future"],
        alternatives=tuple(said["alternatives"]),
        label=said["scenario"],
    )
    for nudge in _NUDGES:  # a total that was split over counties is known but for the last digits of its sum
        resolved = replace(spec, scenario=replace(scenario, settings=tuple(settings.values()))).inputs()
        other = [name for name in levers if not np.array_equal(resolved.lever_path(name), _rows(levers[name]))]
        if not other:
            break
        for name in other:
            settings[name] = replace(settings[name], paths={None: _whole(name, levers[name], nudge)})
    else:
        for name in other:  # counties have numbers of their own
            settings[name] = replace(settings[name], paths=_by_county(levers[name]))
    spec = replace(spec, scenario=replace(scenario, settings=tuple(settings.values())))
    usual = spec.provenance()["parameters"]
    given = {name: value for name, value in said["parameters"].items() if value != usual.get(name)}
    spec = replace(spec, parameters=given)
    if spec.run_id() != record["run_id"]:
        raise InputError(f"{record['run_id']}: what {folder} says of the run comes out as another one, {spec.run_id()}")
    return spec


_NUDGES = (0, 1, -1, 2, -2, 3, -3, None)


def _rows(path: Mapping[int, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    return np.array(list(path.values()))


def _whole(name: str, path: Mapping[int, np.ndarray[Any, Any]], nudge: int | None = None) -> dict[int | None, Step]:
    """A path as one number a year for the whole region, which is split over counties as it was."""
    total = FactBook.load().lever(name).aggregate == "total"
    found: dict[int | None, Step] = {}
    for year, row in path.items():
        value = float(row.sum()) if total else float(row[0])
        value = value + nudge * float(np.spacing(value)) if nudge is not None else float(f"{value:.12g}")
        found[year] = Step(value)
    return found


def _by_county(path: Mapping[int, np.ndarray[Any, Any]]) -> dict[str | None, Mapping[int | None, Step]]:
    counties = enumerate(only_region().county_names)
    return {county: {year: Step(float(row[number])) for year, row in path.items()} for number, county in counties}


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
    """Tables in which a run that was made again differs from what is stored."""
    different = []
    for name in found.tables:
        stored = found.table(name)
        if stored is None:
            continue
        made = getattr(result, name)
        if "level" in made:
            levels = {level: number for number, level in enumerate(batches.LEVELS)}
            made = made[made["level"].isin(list(found.levels))]
            made, stored = (
                each.sort_values("level", key=lambda level: level.map(levels), kind="stable") for each in (made, stored)
            )
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
        total = a.book.lever(name).aggregate == "total"
        values = f"{_number(one[year], total=total)} and {_number(other[year], total=total)}"
        lines.append(
            f"lever {name}: from {a.base + year} on {values}, {'over all' if total else 'mean of the'} counties"
        )
    if len(levers) > _SHOWN:
        lines.append(f"and {len(levers) - _SHOWN} levers more")
    facts = [name for name, fact in a.book.facts.items() if fact.used and _fact(a, name) != _fact(b, name)]
    lines += [f"fact {name}: {_fact(a, name)} and {_fact(b, name)}" for name in facts[:_SHOWN]]
    if len(facts) > _SHOWN:
        lines.append(f"and {len(facts) - _SHOWN} facts more")
    if a.future != b.future:
        lines.append(f"future: {a.future} and {b.future}")
    if a.alternatives != b.alternatives:
        lines.append(f"alternatives: {', '.join(a.alternatives) or 'none'} and {', '.join(b.alternatives) or 'none'}")
    return lines


def _fact(inputs: Any, name: str) -> Any:
    return np.asarray(inputs.book.value(name, inputs.parameters)).tolist()


def _number(row: np.ndarray[Any, Any], *, total: bool) -> str:
    return f"{float(row.sum() if total else row.mean()):g}"


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
