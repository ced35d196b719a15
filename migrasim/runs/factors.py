"""What an experiment varies: levers (its design) and, kept apart from them, uncertain facts (its parameters).

Factors of a design are levers or groups; a group's name stands for all its levers. A level is a name
(``status_quo``, ``plan``, ``double``), the value of a lever, or the strength of a group (0 the status quo, 1 the
plan, 2 double). Factors of the parameters are facts with a range.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, cast

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from migrasim.core.documents import is_number, kind
from migrasim.core.errors import InputError, nearest
from migrasim.facts import Fact, FactBook
from migrasim.runs import points as at
from migrasim.runs import tables
from migrasim.runs.levels import ENDS, levers_of, settings, strengths
from migrasim.scenario import NAMED, Scenario

Kind = Literal["factorial", "fraction", "latin_hypercube", "sobol", "morris", "table", "coalitions"]
SPREAD = ("latin_hypercube", "sobol", "morris")
ASSUMED = "assumed"  # instead of a range of a lever: the one of its assumed value in the plan
MOST_POINTS = 1_000_000
MOST_EXACT = 10  # players of whom all coalitions are run; above, orders are drawn
_ASSUMPTIONS = ("assumed", "estimated")
_READ = {  # keys that a kind looks at, beside levers or facts; `size` of an ensemble is how many of its vectors
    **dict.fromkeys(SPREAD, ("size", "seed")),
    "table": ("file", "sheet"),
    "coalitions": ("level", "orders", "seed"),
    "ensemble": ("size",),
}

Value = Literal["value", "strength", "assumed"]


class DesignFile(BaseModel):
    """Schema of ``design``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    levers: Any = None
    scenario: str = "status_quo"
    size: Annotated[StrictInt, Field(ge=1, le=MOST_POINTS)] | None = None
    seed: Annotated[StrictInt, Field(ge=0)] = 0
    level: Literal["plan", "double"] = "plan"
    orders: Annotated[StrictInt, Field(ge=4, le=10_000)] = 40
    file: str | None = None
    sheet: str | None = None


class ParametersFile(BaseModel):
    """Schema of ``parameters`` where it is a mapping."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["factorial", "latin_hypercube", "sobol", "morris", "table", "ensemble"]
    facts: Any = None
    size: Annotated[StrictInt, Field(ge=1, le=MOST_POINTS)] | None = None
    seed: Annotated[StrictInt, Field(ge=0)] = 0
    file: str | None = None
    sheet: str | None = None


@dataclass(frozen=True)
class Point:
    """One point: the level of each factor, and what it sets.

    Attributes
    ----------
    levels
        By name of the factor, as the design table shows them.
    settings
        Texts ``LEVER=VALUE`` on top of the scenario.
    values
        Values of facts by id.
    """

    levels: Mapping[str, str | float] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)


class Range(NamedTuple):
    """Between what a factor is varied, and whether it is a value, a strength or an assumed last value."""

    low: float
    high: float
    what: Value = "value"


@dataclass(frozen=True)
class Factors:
    """What is varied, and where.

    Attributes
    ----------
    kind
        Of the design; empty where nothing is varied.
    names
        Of the factors.
    points
        In order.
    ranges
        Low and high end by factor, where the design is spread over ranges.
    size, seed
        As in the file; `orders` drawn of coalitions are empty where all coalitions are run.
    scenario
        The one on which points of levers are put.
    """

    kind: str
    names: tuple[str, ...]
    points: tuple[Point, ...]
    ranges: Mapping[str, Range] = field(default_factory=dict)
    size: int = 0
    seed: int = 0
    orders: tuple[tuple[str, ...], ...] = ()
    scenario: Scenario | None = None


def of_design(given: DesignFile, on: Scenario, where: str, folder: Path, book: FactBook) -> Factors:
    """Factors of a design over levers.

    Raises
    ------
    InputError
        Naming file and key, what is wrong, what is allowed and the nearest known name.
    """
    _check_read(given, where)
    if given.kind == "table":
        return _of_table(given, on, where, folder, book)
    names = _lever_names(given, where, book)
    if given.kind == "coalitions":
        return _coalitions(given, on, names, where)
    assert isinstance(given.levers, dict)
    if given.kind in SPREAD:
        ranges: dict[str, Range] = {}
        for name in names:
            ranges |= _range(name, given.levers[name], f"{where}.levers.{name}", book)
        cube = _spread({name: (one.low, one.high) for name, one in ranges.items()}, given, where)
        points = [_point_in(dict(zip(ranges, map(float, row), strict=True)), ranges, book) for row in cube]
        _try(on, points[:1], where, book)
        return Factors(given.kind, tuple(ranges), tuple(points), ranges, given.size or 0, given.seed, scenario=on)
    levels = {name: _levels(name, given.levers[name], f"{where}.levers.{name}", book) for name in names}
    for name, each in levels.items():
        _try(on, [_point({name: level}, book) for level in each], where, book)
    if given.kind == "fraction":
        for name, each in levels.items():
            if len(each) != 2:
                raise InputError(f"{where}.levers.{name}: a fraction takes two levels, not {len(each)}")
        rows = at.fraction(list(levels.values()))
    else:
        _few(prod(map(len, levels.values())), where)
        rows = at.grid(list(levels.values()))
    points = [_point(dict(zip(levels, row, strict=True)), book) for row in rows]
    return Factors(given.kind, tuple(levels), tuple(points), scenario=on)


def of_parameters(given: str | ParametersFile, where: str, folder: Path, book: FactBook) -> Factors:
    """Parameter vectors: one empty vector for ``best``, the fitted ones for ``ensemble``, else a design over facts.

    Raises
    ------
    InputError
        As for `of_design`.
    """
    if given == "best":
        return Factors("", (), (Point(),))
    if isinstance(given, ParametersFile):
        _check_read(given, where)
    if given == "ensemble" or (isinstance(given, ParametersFile) and given.kind == "ensemble"):
        vectors = tables.ensemble(where)
        size = given.size if isinstance(given, ParametersFile) and given.size else len(vectors)
        if size > len(vectors):
            raise InputError(f"{where}.size: {size} is more than the {len(vectors)} vectors of the ensemble")
        return _vectors("ensemble", vectors[:size], where, book)
    assert isinstance(given, ParametersFile)
    if given.kind == "table":
        return _vectors("table", tables.rows(given.file, given.sheet, folder, where), where, book)
    if not given.facts or not isinstance(given.facts, dict | list):
        raise InputError(f"{where}.facts: a list of facts, or a mapping (fact: range), is expected")
    if given.kind == "factorial":
        return _fact_grid(given, where, book)
    ranges: dict[str, tuple[float, float]] = {}
    for name in given.facts:
        ends = given.facts[name] if isinstance(given.facts, dict) else None
        ranges |= _fact_range(name, ends, f"{where}.facts.{name}", book)
    rows = _spread(ranges, given, where)
    values = [dict(zip(ranges, map(float, row), strict=True)) for row in rows]
    told = {name: Range(*ends) for name, ends in ranges.items()}
    return Factors(
        given.kind, tuple(ranges), tuple(Point(values=each) for each in values), told, given.size or 0, given.seed
    )


def _check_read(given: DesignFile | ParametersFile, where: str) -> None:
    """Refuse keys that the kind does not look at: what they ask for would not be done."""
    read = {"kind", "scenario", *_READ.get(given.kind, ())}
    read |= set() if given.kind in ("table", "ensemble") else {"levers", "facts"}
    for key in type(given).model_fields:
        if key in given.model_fields_set - read and getattr(given, key) is not None:
            raise InputError(f"{where}.{key}: {given.kind} does not look at this key; leave it out")


def _lever_names(given: DesignFile, where: str, book: FactBook) -> list[str]:
    """Names of levers and groups, each known and none counted twice."""
    if not given.levers or not isinstance(given.levers, dict | list):
        form = "a list of levers or groups" if given.kind == "coalitions" else "a mapping (lever or group: levels)"
        raise InputError(f"{where}.levers: {form} is expected, not {kind(given.levers)}")
    if isinstance(given.levers, list) and given.kind != "coalitions":
        raise InputError(f"{where}.levers: a mapping (lever or group: levels) is expected for {given.kind}, not a list")
    names = list(given.levers)
    check_names(names, f"{where}.levers", book)
    return names


def check_names(names: Sequence[Any], where: str, book: FactBook) -> None:
    """Refuse names that are no levers or groups, and what would count twice.

    Raises
    ------
    InputError
        Naming the first of them, with the nearest known name.
    """
    known = [*book.groups, *book.levers]
    for name in names:
        if name not in known:
            raise InputError(
                f"{where}: unknown lever or group '{name}'; allowed: a lever or group of `migrasim levers`. "
                f"{nearest(name, known)}".rstrip()
            )
        group = book.levers[name].group if name in book.levers else name
        if names.count(name) > 1 or (name in book.levers and group in names):
            raise InputError(f"{where}: '{name}' would count twice; name it, or the group it belongs to, once")


def _levels(name: str, given: object, where: str, book: FactBook) -> list[Any]:
    if not isinstance(given, list) or not given:
        what = "an empty list" if given == [] else kind(given)
        raise InputError(f"{where}: a list of levels is expected, such as [status_quo, plan], not {what}")
    for level in given:
        if given.count(level) > 1:
            raise InputError(f"{where}: {level} stands twice")
        if name in book.groups and not (level in NAMED or (is_number(level) and 0 <= level <= ENDS["double"])):
            raise InputError(
                f"{where}: {kind(level)} is no level of a group; allowed: {', '.join(NAMED)}, or a strength from 0 "
                f"(status quo) over 1 (plan) to 2 (double). {nearest(level, NAMED)}".rstrip()
            )
    return given


def _range(name: str, given: object, where: str, book: FactBook) -> dict[str, Range]:
    """The range of a factor; of a group at assumed values one for each of its levers."""
    if given == ASSUMED:
        found = {
            lever.id: Range(*lever.plan.range, "assumed")
            for lever in levers_of(name, book)
            if lever.plan.status in _ASSUMPTIONS and lever.plan.range and lever.plan.range[0] < lever.plan.range[1]
        }
        if not found:
            raise InputError(f"{where}: its value in the plan is not assumed, so it has no range; give two ends")
        return found
    if not isinstance(given, list) or len(given) != 2:
        raise InputError(f"{where}: two ends [low, high] are expected, or '{ASSUMED}', not {kind(given)}")
    named = [isinstance(end, str) and end in ENDS for end in given]
    if any(named) and not all(named):
        raise InputError(f"{where}: {given[0]} and {given[1]}: give two names or two numbers")
    for end, is_name in zip(given, named, strict=True):
        if not is_name and not is_number(end):
            raise InputError(
                f"{where}: a number is expected, not {kind(end)}; or {', '.join(ENDS)}. {nearest(end, ENDS)}".rstrip()
            )
    low, high = (ENDS[end] if end in ENDS else float(end) for end in given)
    if not low < high:
        raise InputError(f"{where}: the range {given[0]} to {given[1]} is empty; the low end comes first")
    strength = all(named) or name in book.groups
    if not strength:
        least, most = book.levers[name].bounds
        if low < least or high > most:
            raise InputError(f"{where}: {low:g} to {high:g} is out of bounds; allowed: {least:g} to {most:g}")
    elif low < 0 or high > ENDS["double"]:
        raise InputError(f"{where}: {low:g} to {high:g} is out of bounds; allowed: strengths from 0 to 2")
    return {name: Range(low, high, "strength" if strength else "value")}


def _spread(ranges: at.Ranges, given: DesignFile | ParametersFile, where: str) -> at.Array:
    if given.size is None:
        raise InputError(f"{where}.size: this key is missing; {given.kind} needs it")
    chosen = cast(at.Kind, given.kind)
    _few(at.count(chosen, given.size, len(ranges)), where)
    if given.kind == "sobol" and (given.size < 2 or given.size & (given.size - 1)):
        raise InputError(f"{where}.size: {given.size} is not allowed for sobol; allowed: powers of 2 from 2 on")
    if given.kind == "morris" and given.size < 2:
        raise InputError(f"{where}.size: {given.size} is not allowed for morris; allowed: 2 trajectories or more")
    return at.spread(ranges, given.size, chosen, given.seed)


def _few(count: int, where: str) -> None:
    if count > MOST_POINTS:
        raise InputError(f"{where}: {count:,} points; allowed: up to {MOST_POINTS:,}")


def _point(levels: Mapping[str, Any], book: FactBook) -> Point:
    """A point of named levels and numbers; the number of a group is its strength."""
    groups = {name: float(level) for name, level in levels.items() if name in book.groups and level not in ENDS}
    texts = strengths(groups, book) + tuple(f"{name}={level}" for name, level in levels.items() if name not in groups)
    return Point(dict(levels), texts)


def _point_in(values: Mapping[str, float], ranges: Mapping[str, Range], book: FactBook) -> Point:
    """A point of numbers within ranges."""
    assumed = [name for name in values if ranges[name].what == "assumed"]
    strong = {name: values[name] for name in values if ranges[name].what == "strength"}
    texts = settings([book.lever(name) for name in assumed], [values[name] for name in assumed], book)
    texts += strengths(strong, book)
    texts += tuple(f"{name}={value:.12g}" for name, value in values.items() if ranges[name].what == "value")
    return Point(dict(values), texts)


def point_in(values: Mapping[str, float], factors: Factors, book: FactBook) -> Point:
    """A point anywhere within the ranges of a design that is spread."""
    return _point_in(values, factors.ranges, book)


def _try(on: Scenario, points: Iterable[Point], where: str, book: FactBook) -> None:
    """Refuse levels that no scenario takes, before anything runs."""
    for point in points:
        try:
            on.changed(point.settings, book)
        except InputError as error:
            raise InputError(f"{where}: {str(error).removeprefix('--set').strip()}") from None


def _coalitions(given: DesignFile, on: Scenario, names: list[str], where: str) -> Factors:
    if isinstance(given.levers, dict):
        raise InputError(f"{where}.levers: a list of levers or groups is expected for coalitions, not a mapping")
    drawn: list[tuple[str, ...]] = []
    if len(names) > MOST_EXACT:
        drawn = at.orders(names, given.orders, given.seed)
    members = at.along(drawn) if drawn else at.coalitions(names)
    chosen = [{name: given.level if name in each else "status_quo" for name in names} for each in members]
    points = [Point(each, tuple(f"{name}={level}" for name, level in each.items())) for each in chosen]
    return Factors("coalitions", tuple(names), tuple(points), seed=given.seed, orders=tuple(drawn), scenario=on)


def _of_table(given: DesignFile, on: Scenario, where: str, folder: Path, book: FactBook) -> Factors:
    """Points of a table: a column a lever or group, or a fact; an empty cell leaves what the scenario says."""
    rows = tables.rows(given.file, given.sheet, folder, where)
    _few(len(rows), where)
    names = list(rows[0])
    facts = [name for name in names if name in book.facts]
    levers = [name for name in names if name not in facts]
    check_names(levers, f"{where}.file: {given.file}", book) if levers else None
    for name in facts:
        _movable(name, f"{where}.file: {given.file}", book)
    points = []
    for number, row in enumerate(rows, 2):  # the first line holds the names
        inside = f"{where}.file: {given.file}, line {number}"
        levels = {name: row[name] for name in levers if row[name] is not None}
        for name, level in levels.items():
            _levels(name, [level], f"{inside}, {name}", book)
        point = _point(levels, book)
        _try(on, [point], inside, book)
        values = {name: _fact_value(name, row[name], inside, book) for name in facts if row[name] is not None}
        points.append(Point(point.levels, point.settings, values))
    return Factors("table", tuple(levers), tuple(points), scenario=on)


def _vectors(name: str, rows: Sequence[Mapping[str, Any]], where: str, book: FactBook) -> Factors:
    """Parameter vectors of a table."""
    for fact in rows[0]:
        _movable(fact, where, book)
    points = [
        Point(
            values={
                fact: _fact_value(fact, value, f"{where}, row {number}", book)
                for fact, value in row.items()
                if value is not None
            }
        )
        for number, row in enumerate(rows, 1)
    ]
    return Factors(name, tuple(rows[0]), tuple(points))


def _fact_grid(given: ParametersFile, where: str, book: FactBook) -> Factors:
    if not isinstance(given.facts, dict):
        raise InputError(f"{where}.facts: a mapping (fact: list of values) is expected for factorial, not a list")
    levels = {}
    for name, values in given.facts.items():
        inside = f"{where}.facts.{name}"
        _movable(name, inside, book)
        if not isinstance(values, list) or not values:
            raise InputError(f"{inside}: a list of values is expected, not {kind(values)}")
        levels[name] = [_fact_value(name, value, inside, book) for value in values]
    _few(prod(map(len, levels.values())), where)
    points = [Point(values=dict(zip(levels, row, strict=True))) for row in at.grid(list(levels.values()))]
    return Factors("factorial", tuple(levels), tuple(points))


def _movable(name: object, where: str, book: FactBook) -> Fact:
    if not isinstance(name, str) or name not in book.facts:
        hint = nearest(name, book.facts)
        raise InputError(f"{where}: unknown fact '{name}'; allowed: a fact of `migrasim facts`. {hint}".rstrip())
    fact = book[name]
    if not fact.used or fact.domain == "population":
        raise InputError(
            f"{where}: {name} cannot be moved in a run: no rule reads it, or the population is built on it"
        )
    return fact


def _fact_range(name: str, given: object, where: str, book: FactBook) -> dict[str, tuple[float, float]]:
    """Range of a fact, its own where none is given; of a domain the ranges of all its facts that can be moved."""
    domains = {fact.domain for fact in book.facts.values()}
    if isinstance(name, str) and name in domains and given is None:
        found = {
            fact.id: fact.range
            for fact in book.facts.values()
            if fact.domain == name and fact.used and fact.range and fact.range[0] < fact.range[1]
        }
        if found and name != "population":
            return found
    fact = _movable(name, where, book)
    if given is None:
        if fact.range is None or fact.range[0] == fact.range[1]:
            raise InputError(f"{where}: it has no range in the book; give two ends [low, high]")
        return {name: fact.range}
    if not isinstance(given, list) or len(given) != 2:
        raise InputError(f"{where}: two ends [low, high] are expected, not {kind(given)}")
    low, high = (_fact_value(name, end, where, book) for end in given)
    if not low < high:
        raise InputError(f"{where}: the range {low:g} to {high:g} is empty; the low end comes first")
    return {name: (low, high)}


def _fact_value(name: str, value: object, where: str, book: FactBook) -> float:
    if not is_number(value):
        raise InputError(f"{where}: {name}: a number is expected, not {kind(value)}")
    number = float(cast(float, value))
    fact = book[name]
    if fact.low is not None and fact.high is not None and not fact.low <= number <= fact.high:
        raise InputError(f"{where}: {name}: {number:g} is out of range; allowed: {fact.low:g} to {fact.high:g}")
    return number
