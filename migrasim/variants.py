"""What a run may assume beside a scenario: futures, parts of the model left out, and the levers before 2020.

All three are short lists in YAML beside this file. A future says what the plan does not decide, as
other values of facts. An alternative is another structure of the model, or a feedback switched off:
other values of facts where these are exactly its meaning, a switch read by a phase where they are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field, model_validator

from migrasim.core.documents import read_mapping, validated
from migrasim.core.errors import InputError, nearest
from migrasim.facts import BASE_YEAR, Fact, FactBook, LeverValue, Number, Status, Text, Title, _Strict

FOLDER = Path(__file__).parent
CENTRAL = "central"


class Change(_Strict):
    """Another value of a fact: `value` instead of it, or `times` it (a path by year or category as a whole)."""

    value: Number | None = None
    times: Number | None = None
    status: Status
    source: Text

    @model_validator(mode="after")
    def _one(self) -> Change:
        if (self.value is None) == (self.times is None):
            raise ValueError("give either value or times")
        return self

    def of(self, fact: Fact) -> float:
        """The number that `FactBook.params` takes for this fact."""
        if self.value is not None:
            return self.value
        assert fact.central is not None
        assert self.times is not None
        return fact.central * self.times


class Future(_Strict):
    """What the plan does not decide, by name: growth here and outside, fertility, arrivals."""

    id: str
    title: Title
    description: Title
    facts: dict[str, Change] = Field(default_factory=dict)


class Alternative(_Strict):
    """A part of the model that can be left out or put differently.

    Attributes
    ----------
    kind
        ``structure`` (how people decide) or ``feedback`` (what their moves bring about).
    word
        What stands after ``--without``; the name itself is taken, too.
    facts
        Values of facts that are exactly its meaning.
    read_by
        Where else the switch is read.
    """

    id: str
    title: Title
    meaning: Title
    kind: Literal["structure", "feedback", "programme"]
    word: Text
    facts: dict[str, Number] = Field(default_factory=dict)
    read_by: Annotated[tuple[str, ...], BeforeValidator(lambda given: tuple(given or ()))] = ()

    @model_validator(mode="after")
    def _does_something(self) -> Alternative:
        if not self.facts and not self.read_by:
            raise ValueError("neither facts nor read_by: it would change nothing")
        return self


M = TypeVar("M", Future, Alternative)


def _all(file: str, key: str, model: type[M], folder: Path) -> dict[str, M]:
    data = read_mapping(folder / file, file)
    entries = data.get(key)
    if list(data) != [key] or not isinstance(entries, dict):
        raise InputError(f"{file}: a mapping '{key}:' and nothing else is expected")
    return {name: validated(model, entry, file, f"{key}.{name}", id=str(name)) for name, entry in entries.items()}


@lru_cache(maxsize=4)
def futures(folder: Path = FOLDER) -> Mapping[str, Future]:
    """Futures by name, checked against the schema; `central` is the one that changes nothing."""
    found = _all("futures.yaml", "futures", Future, folder)
    if CENTRAL not in found or found[CENTRAL].facts:
        raise InputError(f"futures.yaml: futures.{CENTRAL}: must be there and change nothing")
    return found


@lru_cache(maxsize=4)
def alternatives(folder: Path = FOLDER) -> Mapping[str, Alternative]:
    """Structural alternatives and feedbacks by name."""
    found = _all("alternatives.yaml", "alternatives", Alternative, folder)
    words = [one.word for one in found.values()]
    for one in found.values():
        if words.count(one.word) > 1 or (one.word in found and one.word != one.id):
            raise InputError(f"alternatives.yaml: alternatives.{one.id}: word '{one.word}' stands also elsewhere")
    return found


def future(name: str, where: str = "future") -> Future:
    """A future by name.

    Parameters
    ----------
    name
        As in ``futures.yaml``.
    where
        Option or file and key, for the message.

    Raises
    ------
    InputError
        Where there is none of that name.
    """
    known = futures()
    if name not in known:
        hint = nearest(name, known)
        raise InputError(f"{where}: there is no future '{name}'; allowed: {', '.join(known)}. {hint}".rstrip())
    return known[name]


def future_parameters(name: str, book: FactBook) -> dict[str, float]:
    """Values of facts that a future sets, by id.

    Raises
    ------
    InputError
        For an unknown future, and for a change that leaves the range of its fact.
    """
    values = {}
    for fact, change in future(name).facts.items():
        one = book[fact]
        values[fact] = change.of(one)
        if one.low is not None and one.high is not None and not one.low <= values[fact] <= one.high:
            raise InputError(
                f"futures.yaml: futures.{name}.{fact}: {values[fact]:g} lies outside the range of the fact "
                f"[{one.low:g}, {one.high:g}]"
            )
    return values


def chosen_alternatives(names: Iterable[str], where: str = "alternatives") -> tuple[str, ...]:
    """Names of alternatives, each once and sorted, from names or from the words after ``--without``.

    Raises
    ------
    InputError
        Where there is none of that name.
    """
    if isinstance(names, str):
        raise InputError(f"{where}: a list of names is expected, not the text '{names}'")
    known = alternatives()
    by_word = {one.word: one.id for one in known.values()} | {name: name for name in known}
    found = set()
    for name in names:
        if name not in by_word:
            allowed = ", ".join(one.word for one in known.values())
            raise InputError(
                f"{where}: nothing is called '{name}'; allowed: {allowed}. {nearest(name, by_word)}".rstrip()
            )
        found.add(by_word[name])
    return tuple(sorted(found))


def alternative_parameters(names: Iterable[str], book: FactBook) -> dict[str, float]:
    """Values of facts that alternatives set, by id; they stand above all other values."""
    values: dict[str, float] = {}
    for name in names:
        for fact, number in alternatives()[name].facts.items():
            assert book[fact].used
            values[fact] = number
    return values


@lru_cache(maxsize=4)
def _history(folder: Path = FOLDER) -> Mapping[str, LeverValue]:
    file = "history_2010_2020.yaml"
    data = read_mapping(folder / file, file)
    entries = data.get("levers")
    if not isinstance(entries, dict):
        raise InputError(f"{file}: levers: a mapping (lever: values by year) is expected")
    return {name: validated(LeverValue, entry, file, f"levers.{name}") for name, entry in entries.items()}


def history(book: FactBook) -> dict[str, dict[int, float]]:
    """Values of levers before 2020 by lever and year, for runs from the census of 2010.

    Raises
    ------
    InputError
        For an unknown lever, a year from 2020 on and a value out of bounds.
    """
    paths = {}
    for name, value in _history().items():
        lever = book.lever(name)
        path = dict(value.values or {})
        low, high = lever.bounds
        for year, number in path.items():
            if year >= BASE_YEAR or not low <= number <= high:
                raise InputError(
                    f"history_2010_2020.yaml: levers.{name}.{year}: {number:g}; allowed: years before {BASE_YEAR}, "
                    f"{low:g} to {high:g} {lever.unit}"
                )
        paths[lever.id] = path
    return paths
