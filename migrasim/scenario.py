"""Scenario files: which levers stand where, checked before anything runs.

A scenario names only what differs from the one that it extends; the root is the status quo of 2020.
What a setting means in numbers (`inputs.py`) needs a region; everything that can be found wrong
without one is found here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from pydantic import BaseModel, ConfigDict

from migrasim.core.documents import is_number, kind, parse, plain, read_mapping, validated
from migrasim.core.errors import InputError, nearest
from migrasim.facts import BASE_YEAR, FactBook, Lever, Title
from migrasim.variants import CENTRAL, future

SCHEMA_VERSION = 1
LAST_YEAR = 2060
EVERYTHING = "all"  # stands for every group of built levers
PACKAGE = Path(__file__).parent

Named = Literal["status_quo", "plan", "double"]
NAMED: tuple[Named, ...] = ("status_quo", "plan", "double")
_RELATIVE = re.compile(r"^([*+])\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)$")


class Step(NamedTuple):
    """A number of a path: absolute, or one that changes what is inherited (``*`` or ``+``)."""

    number: float
    operator: Literal["", "*", "+"] = ""


Steps = Mapping[int | None, Step]  # by year; None where a single number was given


@dataclass(frozen=True)
class Setting:
    """What a scenario says about one lever.

    Attributes
    ----------
    lever
        Its id.
    where
        File and key, for messages and provenance.
    named
        ``status_quo``, ``plan`` or ``double``, or None where numbers are given.
    paths
        Numbers by county; the key None stands for the whole region.
    """

    lever: str
    where: str
    named: Named | None
    paths: Mapping[str | None, Steps]

    @property
    def begins_anew(self) -> bool:
        """Whether what was said of the lever before counts no more; changes such as ``* 1.5`` go on from it."""
        given = self.paths.values()
        return self.named is not None or any(not any(step.operator for step in steps.values()) for steps in given)


@dataclass(frozen=True)
class Scenario:
    """A scenario with all that it inherits.

    Attributes
    ----------
    name, title, description, about, future
        As in the file; `about` is its page: what it stands for, what the plan says, what is assumed, how to read it.
    settings
        Oldest ancestor first: each acts on what those before it left.
    file
        Where it was read; a short name if it is shipped.
    """

    name: str
    title: Title
    description: Title | None
    about: Title | None
    future: str
    settings: tuple[Setting, ...]
    file: str

    @staticmethod
    def load(name: str | Path, book: FactBook, overrides: Iterable[str] = ()) -> Scenario:
        """Read a scenario by path or shipped name, with what it extends.

        Parameters
        ----------
        name
            A path that exists, else the name of a shipped scenario.
        book
            The fact book that knows the levers.
        overrides
            Texts ``LEVER=VALUE`` put on top, as from ``--set``.

        Raises
        ------
        InputError
            Naming file, key, what is wrong, what is allowed and the nearest known name.
        """
        if not isinstance(name, str | os.PathLike):
            raise InputError(f"scenario: a name or a path is expected, not {kind(name)}")
        return _load(locate("scenarios", name), book, ()).changed(overrides, book)

    @staticmethod
    def from_mapping(data: Mapping[str, Any], book: FactBook, name: str = "scenario") -> Scenario:
        """A scenario from plain data of the same form as a file; `name` stands in messages."""
        if not isinstance(data, Mapping):
            raise InputError(f"{name}: a mapping is expected, not {kind(data)}")
        return _scenario(plain(data), name, name, None, book, ())

    def changed(self, overrides: Iterable[str | tuple[str, Any]], book: FactBook) -> Scenario:
        """The same scenario with texts ``LEVER=VALUE``, or pairs of a lever and its value, put on top."""
        more: list[Setting] = []
        for one in overrides:
            if not isinstance(one, str) and not (isinstance(one, tuple) and len(one) == 2):
                raise InputError(f"overrides: LEVER=VALUE is expected, or a lever and its value, not {kind(one)}")
            where = "--set" if isinstance(one, str) else "overrides"
            key, value = override(one) if isinstance(one, str) else one
            more += _settings({key: plain(value)}, book, where)
        return replace(self, settings=self.settings + tuple(more)) if more else self

    def check_counties(self, counties: Iterable[str], called: Mapping[str, str] | None = None) -> None:
        """Refuse a county that the region does not have.

        Parameters
        ----------
        counties
            The names that a scenario may use.
        called
            Them by the names that they have elsewhere, such as Chinese ones, for the hint.
        """
        known, others = list(counties), called or {}
        for setting in self.settings:
            for county in setting.paths:
                if county is not None and county not in known:
                    meant = {name for other, name in others.items() if other.startswith(county.strip() or " ")}
                    hint = nearest(meant.pop() if len(meant) == 1 else county, known)
                    raise InputError(
                        f"{setting.where}: unknown county '{county}'; allowed: {', '.join(known)}. {hint}".rstrip()
                    )


class _File(BaseModel):
    """Schema of a scenario file."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    title: Title | None = None
    description: Title | None = None
    about: Title | None = None
    extends: str | None = None
    levers: dict[Any, Any] | None = None
    future: str | None = None
    schema_version: int | None = None


def shipped_folder(kind_: str) -> Path:
    """Folder of shipped files (``scenarios``, ``experiments``): inside a wheel, or beside the package in a checkout."""
    inside = PACKAGE / "_shipped" / kind_
    return inside if inside.is_dir() else PACKAGE.parent / kind_


def shipped(kind_: str) -> dict[str, Path]:
    """Shipped files by name."""
    return {path.stem: path for path in sorted(shipped_folder(kind_).glob("*.yaml"))}


def locate(kind_: str, name: str | Path, beside: Path | None = None) -> Path:
    """Path of a scenario or experiment given by path or shipped name.

    A file that exists comes first, then (for ``extends``) one in the folder `beside`, then the shipped ones.
    """
    given = Path(name)
    for path in (given, beside / given if beside else given):
        if os.path.exists(path) and not path.is_dir():  # noqa: PTH110 (pathlib raises on names too long)
            return path
    known = shipped(kind_)
    if str(name) in known:
        return known[str(name)]
    if str(name).strip() and os.path.isdir(given):  # noqa: PTH112
        raise InputError(f"{name}: is a folder; a file or one of {', '.join(known)} is expected")
    word = kind_.removesuffix("s")
    raise InputError(f"no {word} '{name}'; allowed: a path, or {', '.join(known)}. {nearest(name, known)}".rstrip())


def override(text: str) -> tuple[str, Any]:
    """Lever (or group) and value of a text ``LEVER=VALUE``, as given to ``--set``.

    VALUE is a number, ``plan``, ``status_quo``, ``double``, a change such as ``*1.5``, or a mapping in braces.

    Examples
    --------
    >>> override("industry.red_cattle.jobs={2026: 9000}")
    ('industry.red_cattle.jobs', {2026: 9000})
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip() or not value.strip():
        raise InputError(f"--set '{text}': LEVER=VALUE is expected, such as residence_permit.education=0.9")
    key, value = key.strip(), value.strip()
    if value[0] in "*+":  # a change of what is inherited; YAML would take * for an alias and drop the +
        return key, value
    return key, parse(value, f"--set {key}")


def _shown(path: Path) -> str:
    return f"scenarios/{path.name}" if path.parent == shipped_folder("scenarios") else str(path)


def _load(path: Path, book: FactBook, above: tuple[Path, ...]) -> Scenario:
    resolved = path.resolve()
    if resolved in above:
        chain = " -> ".join(one.stem for one in (*above[above.index(resolved) :], resolved))
        raise InputError(f"{_shown(path)}: extends: goes in a circle: {chain}")
    return _scenario(read_mapping(path, _shown(path)), path.stem, _shown(path), path, book, (*above, resolved))


def _scenario(
    data: dict[str, Any], stem: str, file: str, path: Path | None, book: FactBook, above: tuple[Path, ...]
) -> Scenario:
    version = data.get("schema_version", SCHEMA_VERSION)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise InputError(f"{file}: schema_version: a whole number from 1 to {SCHEMA_VERSION} is expected")
    if version > SCHEMA_VERSION:
        raise InputError(
            f"{file}: schema_version: {version} is newer than {SCHEMA_VERSION}, the newest that this version of "
            "migrasim reads; its meaning may have changed, so use a newer migrasim"
        )
    for key in ("description", "about"):
        if isinstance(data.get(key), str):
            data = {**data, key: {"en": data[key], "zh_hant": data[key]}}
    if isinstance(data.get("title"), dict) and "en" in data["title"]:
        data = {**data, "title": {"zh_hant": data["title"]["en"], **data["title"]}}
    for key, value in data.items():
        known = list(_File.model_fields)
        if key not in known:
            raise InputError(f"{file}: {key}: unknown key; allowed: {', '.join(known)}. {nearest(key, known)}".rstrip())
        if key in ("name", "extends", "future") and (not isinstance(value, str) or not value.strip()):
            raise InputError(f"{file}: {key}: a name is expected, not {kind(value)}")
        if key == "levers" and value is not None and not isinstance(value, dict):
            raise InputError(f"{file}: levers: a mapping (lever: value) is expected, not {kind(value)}")
    checked = validated(_File, data, file, "scenario")
    inherited: tuple[Setting, ...] = ()
    meets = CENTRAL
    if checked.extends is not None:
        try:
            parent = locate("scenarios", checked.extends, path.parent if path else None)
        except InputError as error:
            raise InputError(f"{file}: extends: {error}") from None
        extended = _load(parent, book, above)
        inherited, meets = extended.settings, extended.future
    meets = meets if checked.future is None else checked.future
    future(meets, f"{file}: future")
    name = checked.name or stem
    return Scenario(
        name=name,
        title=checked.title or Title(en=name, zh_hant=name),
        description=checked.description,
        about=checked.about,
        future=meets,
        settings=inherited + tuple(_settings(checked.levers or {}, book, f"{file}: levers")),
        file=file,
    )


def _settings(levers: Mapping[Any, Any], book: FactBook, where: str) -> Iterator[Setting]:
    """Settings of a mapping of levers; groups first, so that a lever named beside its group wins."""
    groups = [key for key in levers if key == EVERYTHING or key in book.groups]
    for group in groups:
        yield from _group(group, levers[group], book, where)
    for key, value in levers.items():
        if key in groups:
            continue
        if key not in book.levers:
            hint = nearest(key, [*book.levers, *book.groups])
            raise InputError(
                f"{where}: unknown lever '{key}'; allowed: a lever of `migrasim levers` or a group. {hint}".rstrip()
            )
        yield _setting(book.levers[key], value, f"{where}.{key}" if where != "--set" else f"--set {key}")


def _group(group: str, value: object, book: FactBook, where: str) -> Iterator[Setting]:
    if value not in NAMED:
        raise InputError(
            f"{where}: {group}: a group takes {', '.join(NAMED)}, not {kind(value)}; "
            f"name its levers one by one for numbers. {nearest(value, NAMED)}".rstrip()
        )
    built = [lever for lever in book.levers.values() if lever.built and group in (EVERYTHING, lever.group)]
    if not built:
        raise InputError(f"{where}: {group}: {_unbuilt(book)}")
    for lever in built:
        yield Setting(lever.id, f"{where}.{group}", value, {})


def _unbuilt(book: FactBook) -> str:
    built = dict.fromkeys(lever.group for lever in book.levers.values() if lever.built)
    return f"its channel is not built yet, so it would change nothing; built groups: {', '.join(built)}"


def _setting(lever: Lever, value: object, where: str) -> Setting:
    if not lever.built:
        raise InputError(
            f"{where}: its channel is not built yet, so it would change nothing (migrasim levers --unbuilt)"
        )
    if isinstance(value, str) and value in NAMED:
        return Setting(lever.id, where, value, {})
    if not isinstance(value, dict):
        return Setting(lever.id, where, None, {None: {None: _step(lever, value, where)}})
    if not value:
        raise InputError(f"{where}: the mapping is empty; years or counties are expected")
    counties = [key for key in value if isinstance(key, str) and not key.strip().isdigit()]
    if not counties:
        return Setting(lever.id, where, None, {None: _steps(lever, value, where)})
    if len(counties) < len(value):
        raise InputError(f"{where}: years and counties are mixed; give paths by year inside each county")
    paths: dict[str | None, Steps] = {}
    for county, inner in value.items():
        inside = f"{where}.{county}"
        paths[county] = _steps(lever, inner, inside) if isinstance(inner, dict) else {None: _step(lever, inner, inside)}
    return Setting(lever.id, where, None, paths)


def _steps(lever: Lever, value: Mapping[Any, Any], where: str) -> Steps:
    if not value:
        raise InputError(f"{where}: the mapping is empty; years are expected")
    steps: dict[int | None, Step] = {}
    for year, number in value.items():
        if isinstance(year, bool) or not isinstance(year, int):
            hint = "write years without quotes" if str(year).strip().isdigit() else "a year is expected"
            raise InputError(f"{where}: '{year}' is no year; {hint}, {BASE_YEAR} to {LAST_YEAR}")
        if not BASE_YEAR <= year <= LAST_YEAR:
            raise InputError(f"{where}: year {year} is outside; allowed: {BASE_YEAR} to {LAST_YEAR}")
        steps[year] = _step(lever, number, f"{where}.{year}")
    if len({step.operator == "" for step in steps.values()}) > 1:
        raise InputError(f'{where}: numbers and changes ("* 1.5", "+ 0.1") are mixed; use one of them in a path')
    return steps


def _step(lever: Lever, value: object, where: str) -> Step:
    low, high = lever.bounds
    allowed = f"allowed: {low:g} to {high:g} {lever.unit}"
    if isinstance(value, str):
        text = value.strip()
        change = _RELATIVE.match(text)
        if change and is_number(float(change[2])):
            return Step(float(change[2]), cast(Literal["*", "+"], change[1]))
        if text.endswith("%"):
            raise InputError(f"{where}: '{value}': shares are numbers from 0 to 1, without a percent sign; {allowed}")
        hint = nearest(text, NAMED)
        raise InputError(
            f"{where}: '{value}' is no number; {allowed}, or {', '.join(NAMED)}, "
            f'or a change such as "* 1.5". {hint}'.rstrip()
        )
    if not is_number(value):
        raise InputError(f"{where}: a number is expected, not {kind(value)}; {allowed}")
    number = cast(float, value)
    if not low <= number <= high:
        raise InputError(f"{where}: {value} is out of bounds; {allowed}")
    return Step(float(number))
