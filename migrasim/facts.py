"""The fact book: every number of the model with its unit, source and status.

Numbers live in ``facts.yaml`` of the domains and of the population, what the plan can change in
``levers.yaml`` of the domains.
Both are checked here, so that a wrong key, unit or source is found before a run and not after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from migrasim.core.codes import Schooling, Sector, Tenure, Tier
from migrasim.core.documents import is_number, kind, plain, read_mapping, validated
from migrasim.core.errors import InputError, nearest

FOLDER = Path(__file__).parent / "domains"
DOMAINS = ("policy", "demography", "labour", "housing", "services", "moving", "hukou", "land", "fiscal")
BASE_YEAR = 2020
_LITTLE_ROOM = 0.2  # of the span between the bounds of a lever
AGES = 101  # an array by age runs from 0 to 100

Status = Literal["observed", "planned", "literature", "estimated", "assumed"]
Role = Literal["fixed", "uncertain"]
By = Literal[
    "sector", "chain", "tier", "county", "schooling", "tenure", "place", "age", "family", "form", "pattern", "part"
]  # fmt: skip
Kind = Literal["share", "price", "stock", "flow", "jobs_2035", "index", "rate", "time"]
P = TypeVar("P")


def _number(value: object) -> object:
    if not is_number(value):
        raise ValueError(f"a number is expected, not {kind(value)}")
    return float(value)  # type: ignore[arg-type]


def _number_or_table(value: object) -> object:
    if isinstance(value, dict):
        return {key: _number(each) for key, each in value.items()}
    return None if value is None else _number(value)


def _year(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int) or not 1900 <= value <= 2200:
        raise ValueError(f"a year is expected, not {kind(value)}")
    return value


def _pair(value: object) -> object:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError("two numbers are expected: [low, high]")
    low, high = (_number(part) for part in value)
    if low > high:  # type: ignore[operator]
        raise ValueError(f"the low end {low} is above the high end {high}")
    return low, high


Number = Annotated[float, BeforeValidator(_number)]
Year = Annotated[int, BeforeValidator(_year)]
Pair = Annotated[tuple[float, float], BeforeValidator(_pair)]
Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Title(_Strict):
    """A title in the languages of those who read it; `zh_hans` is made from `zh_hant` where it is left out."""

    en: Text
    zh_hant: Text
    zh_hans: str | None = None


def at(path: Mapping[int, float], year: float) -> float:
    """Value of a dated path: linear between its years, held before the first and after the last.

    Examples
    --------
    >>> at({2020: 1.0, 2030: 2.0}, 2025)
    1.5
    """
    years = sorted(path)
    return float(np.interp(year, years, [path[each] for each in years]))


class Fact(_Strict):
    """A number of the model, or one number per category of a dimension (`by`).

    `value` is a number, or a mapping by category; `values` is a path by year instead. A number may
    be missing only from a fact that no rule reads. `range` is the range of the number, for a dated
    fact of its first value (the path is scaled with it), for a fact by category of a common factor.
    """

    id: str
    domain: str
    file: str
    title: Title
    unit: Text
    role: Role
    value: Annotated[float | dict[str | int, float] | None, BeforeValidator(_number_or_table)] = None
    values: dict[Year, Number] | None = None
    range: Pair | None = None
    by: By | None = None
    status: Status
    source: Text
    note: str = ""
    symbol: str | None = None
    used: bool = True

    @model_validator(mode="after")
    def _whole(self) -> Fact:
        if self.value is not None and self.values is not None:
            raise ValueError("give value or values, not both")
        if self.values is not None and not self.values:
            raise ValueError("values needs at least one year")
        if self.value is None and self.values is None and self.used:
            raise ValueError("value is missing; only a fact with used: false may have none")
        if isinstance(self.value, dict) != (self.by is not None):
            raise ValueError("by and a value by category go together")
        if self.role == "uncertain" and self.range is None and (self.value is not None or self.values is not None):
            raise ValueError("range is missing; an uncertain fact needs one")
        if self.range is not None and self.central is not None:
            low, high = self.range
            if not low <= self.central <= high:
                what = "the common factor 1" if self.by else f"the value {self.central}"
                raise ValueError(f"{what} lies outside its range [{low}, {high}]")
        return self

    @property
    def low(self) -> float | None:
        return self.range[0] if self.range else None

    @property
    def high(self) -> float | None:
        return self.range[1] if self.range else None

    @property
    def central(self) -> float | None:
        """The number that `range` is about; 1 for a fact by category."""
        if self.values is not None:
            return self.values[min(self.values)]
        return 1.0 if isinstance(self.value, dict) else self.value


class LeverValue(_Strict):
    """What a lever is in the status quo or in the plan: a number, or a path by year."""

    value: Number | None = None
    values: dict[Year, Number] | None = None
    range: Pair | None = None
    status: Status
    source: Text

    @model_validator(mode="after")
    def _whole(self) -> LeverValue:
        if (self.value is None) == (not self.values):
            raise ValueError("give either value or values")
        if self.status in ("assumed", "estimated") and self.range is None:
            raise ValueError("range is missing; what is assumed or estimated needs one")
        if self.range is not None and not self.range[0] <= self.last <= self.range[1]:
            raise ValueError(f"the value {self.last} lies outside its range [{self.range[0]}, {self.range[1]}]")
        return self

    @property
    def last(self) -> float:
        """The number, or the last one of the path; `range` is about this one."""
        if self.values:
            return self.values[max(self.values)]
        assert self.value is not None
        return self.value

    def numbers(self) -> list[float]:
        """All numbers given."""
        return list(self.values.values()) if self.values else [self.last]


class Cost(_Strict):
    """Cost of one unit of a lever, as published: nominal yuan of `price_year`."""

    value: Number
    unit: Text
    payer: Literal["government", "enterprise", "household"]
    recurrence: Literal["once", "yearly"]
    price_year: Year
    range: Pair | None = None
    status: Status
    source: Text


class Room(NamedTuple):
    """How far a lever can go, and how far the plan takes it.

    Attributes
    ----------
    left
        Share of the span between the bounds that is left between 2020 and the bound towards which the plan moves.
    step
        Share of that span which the plan takes; 0 where it leaves the lever where it is.
    bound
        The bound towards which the plan moves.
    """

    left: float
    step: float
    bound: float

    @property
    def is_little(self) -> bool:
        """Whether a fifth of the span or less is left."""
        return self.left <= _LITTLE_ROOM


class Lever(_Strict):
    """Something that the plan can change, with its bounds, its 2020 value, its value in the plan and its cost."""

    id: str
    domain: str
    file: str
    title: Title
    group: Text
    chapter: Text
    unit: Text
    bounds: Pair
    kind: Kind
    aggregate: Literal["total", "copied"]
    built: bool
    acts_through: Text
    quote: Text
    status_quo: LeverValue
    plan: LeverValue
    cost: tuple[Cost, ...] = ()
    note: str = ""

    @model_validator(mode="after")
    def _within(self) -> Lever:
        low, high = self.bounds
        for name in ("status_quo", "plan"):
            for number in getattr(self, name).numbers():
                if not low <= number <= high:
                    raise ValueError(f"{name} {number} lies outside the bounds [{low}, {high}]")
        if self.kind == "jobs_2035" and self.status_quo.values:
            raise ValueError("status_quo of jobs by 2035 is one number")
        return self

    @property
    def aim(self) -> float:
        """The value in the plan that is farthest from 2020."""
        return max(self.plan.numbers(), key=lambda number: abs(number - self.status_quo.last))

    @property
    def room(self) -> Room:
        """How far it can go and how far the plan takes it, by its bounds.

        Examples
        --------
        >>> [round(each, 2) for each in FactBook.load().lever("hukou.openness").room]
        [0.05, 0.05, 1.0]
        """
        low, high = self.bounds
        start = self.status_quo.last
        bound = high if self.aim >= start else low
        return Room(abs(bound - start) / (high - low), abs(self.aim - start) / (high - low), bound)

    def room_words(self) -> str:
        """What stands in its way by its bounds; empty where there is plenty of room.

        Examples
        --------
        >>> FactBook.load().lever("hukou.openness").room_words()
        'little: 0.95 in 2020, the plan goes to 1, the bound is 1'
        """
        start, found = self.status_quo.last, self.room
        if not found.step:
            return f"none used: the plan leaves it at {start:g}, where it stood in 2020"
        if found.is_little:
            return f"little: {start:g} in 2020, the plan goes to {self.aim:g}, the bound is {found.bound:g}"
        return ""


_MOST_BUNDLES = 1024


@dataclass(frozen=True)
class FactBook:
    """All facts and levers, checked.

    Attributes
    ----------
    facts
        By id, ``<domain>.<name>``.
    levers
        By id, in the order of the groups.
    groups
        Titles of the groups of levers by name, those that users ask for first at the front.
    """

    facts: Mapping[str, Fact]
    levers: Mapping[str, Lever]
    groups: Mapping[str, Title]
    _chains: tuple[str, ...] = field(default=(), repr=False)
    _bundles: dict[tuple[object, ...], Any] = field(default_factory=dict, repr=False, compare=False)
    _dated: dict[tuple[str, type], bool] = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    def load(folder: Path | None = None) -> FactBook:
        """Read and check ``*/facts.yaml`` and ``*/levers.yaml``; kept for the process.

        Parameters
        ----------
        folder
            Folder of the domains; the one of the package if left out.

        Raises
        ------
        InputError
            Naming file, key, what is wrong and what is allowed.
        """
        return _load(folder or FOLDER)

    def __getitem__(self, fact: str) -> Fact:
        try:
            return self.facts[fact]
        except KeyError:
            raise InputError(f"unknown fact '{fact}'. {nearest(fact, self.facts)}".rstrip()) from None

    def __contains__(self, fact: object) -> bool:
        return fact in self.facts

    def __iter__(self) -> Iterator[str]:
        return iter(self.facts)

    def __len__(self) -> int:
        return len(self.facts)

    def lever(self, lever: str) -> Lever:
        """The lever of that name, or an `InputError` with the nearest name."""
        try:
            return self.levers[lever]
        except KeyError:
            raise InputError(f"unknown lever '{lever}'. {nearest(lever, self.levers)}".rstrip()) from None

    def of_group(self, group: str) -> list[Lever]:
        """Levers of a group, built or not."""
        return [lever for lever in self.levers.values() if lever.group == group]

    @property
    def chains(self) -> tuple[str, ...]:
        """Names of the chains, in the order of their levers ``industry.<chain>.jobs``."""
        return self._chains

    def params(
        self,
        domain: str,
        cls: type[P],
        overrides: Mapping[str, float] | None = None,
        year: int = BASE_YEAR,
        dimensions: Mapping[str, Sequence[str]] | None = None,
    ) -> P:
        """A parameter bundle, filled from the facts of a domain.

        Parameters
        ----------
        domain
            Name of the domain.
        cls
            NamedTuple; its field ``f`` is the fact ``<domain>.f``.
        overrides
            Other values by id: the number itself, the first value of a dated fact (its path is scaled), or a
            common factor for a fact by category.
        year
            Year for which dated facts are read.
        dimensions
            Names along the dimensions that only a region knows (county, place).

        Returns
        -------
        P
            Floats, and float64 arrays for facts by category: sectors by code 0..19, chains 1..9 after a 0,
            tiers, schooling and tenure by code, ages 0..100 (linear between the ages given), counties and
            places in the order of `dimensions`.

        Raises
        ------
        InputError
            For a field without a fact, or one whose fact says that no rule reads it.
        """
        changed = tuple(sorted(each for each in (overrides or {}).items() if each[0].startswith(f"{domain}.")))
        names = tuple((name, tuple(each)) for name, each in sorted((dimensions or {}).items()))
        key = (domain, cls, year, changed, names)  # the runs of a process mostly read the same
        if key not in self._bundles:
            values: dict[str, Any] = {}
            for name in fields(cls):
                fact = self[f"{domain}.{name}"]
                if not fact.used:
                    raise InputError(f"{fact.file}: {fact.id}: read by {cls.__name__}, so it must not say used: false")
                values[name] = self.value(fact.id, overrides, year, dimensions)
            if len(self._bundles) >= _MOST_BUNDLES:
                self._bundles.clear()
            self._bundles[key] = cls(**values)
        found: P = self._bundles[key]
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what was filled before: it can be made again, with whatever classes were asked for."""
        return {**self.__dict__, "_bundles": {}, "_dated": {}}

    def is_dated(self, domain: str, cls: type) -> bool:
        """Whether a parameter bundle of a domain holds facts that change with the years."""
        key = (domain, cls)
        if key not in self._dated:  # asked for every year of a run
            self._dated[key] = any(self[f"{domain}.{name}"].values is not None for name in fields(cls))
        return self._dated[key]

    def value(
        self,
        fact: str,
        overrides: Mapping[str, float] | None = None,
        year: int = BASE_YEAR,
        dimensions: Mapping[str, Sequence[str]] | None = None,
    ) -> float | np.ndarray[Any, np.dtype[np.float64]]:
        """Value of one fact in a year; see `params`."""
        one = self[fact]
        other = None if overrides is None else overrides.get(fact)
        if isinstance(one.value, dict):
            array = self._array(one, one.value, dimensions or {})
            return array if other is None else array * other
        if one.values is not None:
            dated = at(one.values, year)
            return dated if other is None else dated * (other / one.values[min(one.values)])
        if one.value is None:
            raise InputError(f"{one.file}: {fact} has no number: {one.note}")
        return one.value if other is None else float(other)

    def check_overrides(self, overrides: Mapping[str, float], name: str = "parameters") -> dict[str, float]:
        """Overrides with known ids, finite numbers and facts that a rule reads; else an `InputError`."""
        checked: dict[str, float] = {}
        if not isinstance(overrides, Mapping):
            raise InputError(f"{name}: a mapping from facts to numbers is expected, not {kind(overrides)}")
        for fact, number in overrides.items():
            if fact not in self.facts:
                raise InputError(f"{name}: unknown fact '{fact}'. {nearest(fact, self.facts)}".rstrip())
            if not self.facts[fact].used:
                raise InputError(f"{name}: {fact} is on record only: no rule reads it, so setting it changes nothing")
            if not is_number(value := plain(number)):
                raise InputError(f"{name}: {fact}: a finite number is expected, not {kind(number)}")
            if self.facts[fact].values is not None and self.facts[fact].central == 0:
                raise InputError(f"{name}: {fact} starts at 0, so its path cannot be scaled")
            checked[fact] = float(value)
        return checked

    def unread(self, domain: str, *classes: type) -> list[str]:
        """Facts of a domain that say that they are used, but are no field of the parameter bundles given."""
        read = {name for cls in classes for name in fields(cls)}
        mine = [fact for fact in self.facts.values() if fact.domain == domain and fact.used]
        return [fact.id for fact in mine if fact.id.removeprefix(f"{domain}.") not in read]

    def _array(
        self, fact: Fact, value: Mapping[str | int, float], dimensions: Mapping[str, Sequence[str]]
    ) -> np.ndarray[Any, np.dtype[np.float64]]:
        assert fact.by is not None
        if fact.by == "age":
            return _ages(fact, value)
        names = self._names(fact.by, value, dimensions)
        for key in value:
            if key not in names:
                raise InputError(
                    f"{fact.file}: {fact.id}: unknown {fact.by} '{key}'; allowed: {', '.join(names)}. "
                    f"{nearest(key, names)}".rstrip()
                )
        missing = [name for i, name in enumerate(names) if name not in value and not (i == 0 and name == "none")]
        if missing:
            raise InputError(f"{fact.file}: {fact.id}: no value for {fact.by} {', '.join(missing)}")
        return np.array([value.get(name, 0.0) for name in names], dtype=np.float64)

    def _names(
        self, by: By, value: Mapping[str | int, float], dimensions: Mapping[str, Sequence[str]]
    ) -> Sequence[str]:
        """Names along a dimension; those of a region in the order of the file where no region is given."""
        if by == "chain":
            return ("none", *self.chains)
        if by in _CODES:
            return [code.name.lower() for code in _CODES[by]]
        return dimensions[by] if by in dimensions else [str(key) for key in value]


_CODES: dict[str, type[IntEnum]] = {"sector": Sector, "tier": Tier, "schooling": Schooling, "tenure": Tenure}


def fields(cls: type) -> tuple[str, ...]:
    """Names of the fields of a NamedTuple class."""
    names: tuple[str, ...] = cls._fields  # type: ignore[attr-defined]
    return names


def _ages(fact: Fact, value: Mapping[str | int, float]) -> np.ndarray[Any, np.dtype[np.float64]]:
    for key in value:
        if not isinstance(key, int) or not 0 <= key < AGES:
            raise InputError(f"{fact.file}: {fact.id}: '{key}' is no age; allowed: whole years 0..{AGES - 1}")
    knots = sorted(key for key in value if isinstance(key, int))
    return np.interp(np.arange(AGES, dtype=np.float64), knots, [value[key] for key in knots])


class _Entry(NamedTuple):
    """One entry of a YAML file before it is checked."""

    file: str
    domain: str
    key: str
    data: object


def _entries(folder: Path, file: str, tops: tuple[str, ...]) -> dict[str, list[_Entry]]:
    """Entries below each key at the top of the files of all domains, in the order of the domains."""
    entries: dict[str, list[_Entry]] = {top: [] for top in tops}
    beside = folder.parent.glob(f"population/{file}")  # the population is built on facts, too
    found = {path.parent.name: path for path in (*folder.glob(f"*/{file}"), *beside)}
    for domain in sorted(found, key=lambda name: (DOMAINS.index(name) if name in DOMAINS else len(DOMAINS), name)):
        name = found[domain].relative_to(folder.parent).as_posix()
        for top, inside in read_mapping(found[domain], name).items():
            if top not in tops:
                raise InputError(
                    f"{name}: unknown key '{top}'; allowed: {', '.join(tops)}. {nearest(top, tops)}".rstrip()
                )
            if not isinstance(inside, dict):
                raise InputError(f"{name}: {top}: a mapping is expected, not {kind(inside)}")
            entries[top] += [_Entry(name, domain, str(key), data) for key, data in inside.items()]
    return entries


@lru_cache(maxsize=4)
def _load(folder: Path) -> FactBook:
    facts: dict[str, Fact] = {}
    for file, domain, key, data in _entries(folder, "facts.yaml", ("facts",))["facts"]:
        if not key.isidentifier():
            raise InputError(f"{file}: facts.{key}: a name of letters, digits and underscores is expected")
        fact = validated(Fact, data, file, f"facts.{key}", id=f"{domain}.{key}", domain=domain, file=file)
        facts[fact.id] = fact
    entries = _entries(folder, "levers.yaml", ("groups", "levers"))
    groups = {one.key: validated(Title, one.data, one.file, f"groups.{one.key}") for one in entries["groups"]}
    levers: dict[str, Lever] = {}
    for file, domain, key, data in entries["levers"]:
        lever = validated(Lever, data, file, f"levers.{key}", id=key, domain=domain, file=file)
        if key in levers:
            raise InputError(f"{file}: lever '{key}' stands also in {levers[key].file}; keep one")
        if lever.group not in groups:
            known = f"allowed: {', '.join(groups)}. {nearest(lever.group, groups)}".rstrip()
            raise InputError(f"{file}: levers.{key}.group: unknown group '{lever.group}'; {known}")
        levers[key] = lever
    order = list(groups)
    levers = dict(sorted(levers.items(), key=lambda pair: order.index(pair[1].group)))
    jobs = [lever.id.split(".") for lever in levers.values() if lever.kind == "jobs_2035"]
    chains = tuple(parts[1] for parts in jobs if parts[0] == "industry" and parts[-1] == "jobs" and len(parts) == 3)
    return FactBook(facts, levers, groups, chains)
