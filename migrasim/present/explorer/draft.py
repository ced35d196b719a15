"""What a page edits: a scenario as plain data, its file, its place in a link, and files from strangers.

A draft says what a scenario file says, in the same schema: what it extends, the levers that differ, the
future. Whatever comes from outside (a file, a link) passes `opened` first: small, plain, of known names,
and built on nothing but what ships.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from migrasim.core.documents import kind, parse
from migrasim.core.errors import InputError, nearest
from migrasim.facts import FactBook, Lever, Title
from migrasim.inputs import Inputs
from migrasim.region import Region
from migrasim.scenario import EVERYTHING, SCHEMA_VERSION, Scenario, shipped
from migrasim.variants import CENTRAL

LAST_YEAR = 2035
MOST_BYTES = 200_000  # of a file that somebody opens
MOST_NAME = 80
_MOST_NODES, _MOST_DEPTH = 5_000, 12
_MOST_FILES = 200

Shape = Literal["linear", "early", "late", "step"]
SHAPES: tuple[Shape, ...] = ("linear", "early", "late", "step")


@dataclass(frozen=True)
class Draft:
    """A scenario under edit.

    Attributes
    ----------
    base
        Name of the shipped scenario that it extends.
    levers
        What differs, as in a scenario file: lever to number, name, path by year or values by county.
    future
        What the plan does not decide.
    name
        What its maker calls it; empty for none.
    title, description
        What an opened file says of itself, by language; kept when it is saved.
    """

    base: str = "status_quo"
    levers: Mapping[str, Any] = field(default_factory=dict)
    future: str = CENTRAL
    name: str = ""
    title: Mapping[str, str] = field(default_factory=dict)
    description: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> str:
        """What determines its numbers, as text that is the same for the same draft."""
        return json.dumps([self.base, {key: self.levers[key] for key in sorted(self.levers)}], sort_keys=True)

    def with_lever(self, lever: str, value: Any) -> Draft:
        """The same draft with another value of a lever; None takes its own value away."""
        others = {key: each for key, each in self.levers.items() if key != lever}
        return replace(self, levers=others if value is None else {**others, lever: value})

    def mapping(self) -> dict[str, Any]:
        """What stands in its file."""
        name = self.name or "my_scenario"
        return {
            "schema_version": SCHEMA_VERSION,
            "name": name,
            "title": dict(self.title) or {"en": name, "zh_hant": name},
            **({"description": dict(self.description)} if self.description else {}),
            "extends": self.base,
            "levers": dict(self.levers),
            "future": self.future,
        }

    def yaml(self) -> str:
        """Its file, which every command takes."""
        return yaml.safe_dump(self.mapping(), allow_unicode=True, sort_keys=False, default_flow_style=None, width=100)

    def scenario(self) -> Scenario:
        """The scenario, checked.

        Raises
        ------
        InputError
            For a lever, value, county or future that is not allowed.
        """
        book = FactBook.load()
        above = _shipped(self.base)
        own = {key: value for key, value in self.mapping().items() if key != "extends"}
        made = Scenario.from_mapping(own, book, self.name or "scenario")
        found = replace(made, settings=above.settings + made.settings)
        found.check_counties(region().county_names, region().county_called)
        return found


@lru_cache(maxsize=1)
def region() -> Region:
    """The region that ships."""
    return Region.only()


@lru_cache(maxsize=32)
def _shipped(name: str) -> Scenario:
    known = shipped("scenarios")
    if name not in known:
        raise InputError(f"extends: no scenario '{name}'; allowed: {', '.join(known)}. {nearest(name, known)}".rstrip())
    return Scenario.load(known[name], FactBook.load())


def of_shipped(name: str) -> Draft:
    """A draft that is a shipped scenario and nothing else."""
    found = _shipped(name)
    return Draft(base=name, future=found.future)


def title_of(draft: Draft) -> Any:
    """Title of a draft: its own name, or the title of the scenario that it is."""
    return draft.name if draft.name else _shipped(draft.base).title


@lru_cache(maxsize=64)
def _inputs(content: str, future: str, draft: _Keyed) -> Inputs:
    return Inputs.build(FactBook.load(), region(), numbers_of(draft.draft), until=LAST_YEAR, future=future)


@dataclass(frozen=True)
class _Keyed:
    """A draft that counts as the same wherever its numbers are the same."""

    draft: Draft = field(compare=False)


@lru_cache(maxsize=256)
def _numbers(content: str, future: str, draft: _Keyed) -> Scenario:
    return replace(draft.draft, name="", title={}, description={}).scenario()


def numbers_of(draft: Draft) -> Scenario:
    """The scenario of a draft without what its maker calls it: runs are shared with whoever has the same numbers."""
    return _numbers(draft.content, draft.future, _Keyed(draft))


def inputs(draft: Draft) -> Inputs:
    """All that a run of the draft would read, kept for the last drafts.

    Raises
    ------
    InputError
        For values that no run can have.
    """
    return _inputs(draft.content, draft.future, _Keyed(draft))


def path_of(draft: Draft, lever: Lever, county: int | None = None) -> dict[int, float]:
    """A lever of a draft year by year: totals of counts, means over counties of all others, or one county's."""
    found = inputs(draft)
    table = found.lever_path(lever.id)
    if county is not None:
        row = table[:, county]
    else:
        row = table.sum(axis=1) if lever.aggregate == "total" else table.mean(axis=1)
    return {int(year): float(value) for year, value in zip(found.years, row, strict=True)}


def differing(one: Draft, other: Draft) -> list[Lever]:
    """Levers whose values differ between two drafts in any year or county."""
    first, second = inputs(one), inputs(other)
    book = FactBook.load()
    return [
        lever
        for lever in book.levers.values()
        if not np.array_equal(first.lever_path(lever.id), second.lever_path(lever.id))
    ]


def path(lever: Lever, start: int, first: float, end: int, last: float, shape: Shape) -> dict[int, float]:
    """A path by year, as a scenario file has it.

    Parameters
    ----------
    lever
        Yearly flows get a number for every year, since they hold from each given year to the next.
    start, first, end, last
        Years and values of its ends.
    shape
        ``linear``, ``early`` (most of the way in the first third), ``late`` (in the last) or ``step`` (at the end).

    Examples
    --------
    >>> path(FactBook.load().lever("residence_permit.education"), 2022, 0.6, 2028, 0.9, "early")
    {2022: 0.6, 2024: 0.8, 2028: 0.9}
    """
    if end <= start:
        return {start: last}
    third = max(1, round((end - start) / 3))
    knots = {start: first, end: last}
    if shape == "early" and start + third < end:
        knots[start + third] = first + (last - first) * 2 / 3
    elif shape == "late" and end - third > start:
        knots[end - third] = first + (last - first) / 3
    elif shape == "step" and end - 1 > start:
        knots[end - 1] = first
    years = sorted(knots)
    if lever.kind == "flow":
        numbers = np.interp(range(start, end + 1), years, [knots[year] for year in years])
        return {year: _short(number) for year, number in zip(range(start, end + 1), numbers, strict=True)}
    return {year: _short(knots[year]) for year in years}


def _short(number: float) -> float:
    return float(f"{number:.6g}")


# -- what comes from outside -----------------------------------------------------------------------


def opened(text: str, name: str = "file") -> Draft:
    """A draft from the text of a scenario file that anybody may have written.

    Parameters
    ----------
    text
        YAML; refused unless it is small, shallow and plain (no anchors, no tags).
    name
        What to call it in messages.

    Raises
    ------
    InputError
        Naming what is wrong and what is allowed; nothing outside the text has been read then or otherwise.
    """
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise InputError(f"{name}: larger than {MOST_BYTES:,} bytes; a scenario file is a few lines")
    _plain(text, name)
    data = parse(text, name)
    if not isinstance(data, dict):
        raise InputError(f"{name}: a mapping (key: value) is expected at the top, not {kind(data)}")
    return of_mapping(data, name)


def of_mapping(data: Mapping[Any, Any], name: str) -> Draft:
    """A draft from plain data of the form of a scenario file, checked in every value."""
    book = FactBook.load()
    base = data.get("extends", "status_quo")
    if not isinstance(base, str) or base not in shipped("scenarios"):
        known = shipped("scenarios")
        raise InputError(
            f"{name}: extends: {kind(base)} is not allowed here; allowed: {', '.join(known)}. "
            f"{nearest(base, known)}".rstrip()
        )
    own = {key: value for key, value in data.items() if key != "extends"}
    checked = Scenario.from_mapping(own, book, name)
    levers: dict[str, Any] = {}
    given = data.get("levers") or {}
    groups = [key for key in given if key == EVERYTHING or key in book.groups]
    for group in groups:
        levers |= {each.id: given[group] for each in book.levers.values() if group in (EVERYTHING, each.group)}
    levers |= {key: value for key, value in given.items() if key not in groups}
    called = tidy(checked.name)
    named = "" if called in (name, "my_scenario", "link") else called
    title, about = _said(checked.title), _said(checked.description)
    title = {} if set(title.values()) <= {checked.name} else title
    draft = Draft(base, levers, checked.future, named, title, about)
    try:
        inputs(draft)  # counties and sums are checked against the region
    except InputError as error:
        raise InputError(f"{name}: {str(error).removeprefix('scenario: ')}") from None
    return draft


def _said(title: Title | None) -> dict[str, str]:
    """Words by language, as a scenario file has them."""
    found = {} if title is None else {name: getattr(title, name) for name in ("en", "zh_hant", "zh_hans")}
    return {name: text for name, text in found.items() if text}


def _plain(text: str, name: str) -> None:
    """Refuse what a small plain file has no need of, before anything is made of it."""
    depth = nodes = 0
    if "\ufffd" in text:  # what a browser puts in place of bytes that are not UTF-8
        raise InputError(f"{name}: not a text file in UTF-8; a scenario file is expected")
    if "\0" in text:
        raise InputError(f"{name}: a binary file; a scenario file is text")
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise InputError(f"{name}: anchors and aliases (& and *) are not allowed; write values out")
            if getattr(event, "tag", None) and not getattr(event, "implicit", (True,)):
                raise InputError(f"{name}: tags (!) are not allowed; plain values are expected")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            nodes += isinstance(event, yaml.NodeEvent)
            if depth > _MOST_DEPTH or nodes > _MOST_NODES:
                raise InputError(f"{name}: too deep or too long; a scenario has levers, counties, years and numbers")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise InputError(f"{name}{line}: not valid YAML: {getattr(error, 'problem', None) or error}") from None
    except RecursionError:
        raise InputError(f"{name}: too deep for a scenario file") from None


def to_link(value: Any) -> str:
    """Plain data as a short text for a link."""
    packed = zlib.compress(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def from_link(text: str) -> Any:
    """Plain data of a link; None for anything that `to_link` did not make, or that unpacks to more than a file may."""
    try:
        packed = base64.urlsafe_b64decode(text[:MOST_BYTES] + "=" * (-len(text) % 4))
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(packed, MOST_BYTES)
        return json.loads(raw, object_pairs_hook=_years) if not unpacker.unconsumed_tail else None
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        return None


def _years(pairs: Sequence[tuple[str, Any]]) -> dict[Any, Any]:
    """JSON has only texts for keys; years are numbers in a scenario."""
    return {int(key) if key.isdigit() and len(key) == 4 else key: value for key, value in pairs}


def compact(draft: Draft) -> list[Any]:
    """A draft as short plain data, for a link."""
    words = [dict(draft.title), dict(draft.description)] if draft.title or draft.description else []
    return [draft.base, dict(draft.levers), draft.future, draft.name, *words]


def of_compact(data: Any) -> Draft | None:
    """A draft of `compact`, checked; None where it is none."""
    if not isinstance(data, list) or len(data) not in (4, 6):
        return None
    base, levers, future, name, *words = data
    said = {key: value for key, value in zip(("title", "description"), words, strict=False) if value}
    try:
        return of_mapping({"extends": base, "levers": levers, "future": future, "name": name or "link", **said}, "link")
    except (InputError, AttributeError, TypeError):
        return None


def files(folder: Path) -> list[Path]:
    """Scenario files of a folder: plain files right inside it, nothing that a link leads to."""
    try:
        found = [each for each in folder.glob("*.yaml") if each.is_file() and not each.is_symlink()]
    except OSError:
        return []
    return sorted(found)[:_MOST_FILES]


def read_file(folder: Path, name: str) -> Draft:
    """A draft from a file of the folder, by its name.

    Raises
    ------
    InputError
        Where no such file is in the folder, or what it holds is not allowed.
    """
    known = {each.name: each for each in files(folder)}
    if name not in known:
        raise InputError(f"{name}: no scenario file in {folder}. {nearest(name, known)}".rstrip())
    try:
        with known[name].open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        return opened(raw.decode("utf-8-sig"), name)
    except UnicodeDecodeError:
        raise InputError(f"{name}: not a text file in UTF-8; a scenario file is expected") from None
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror}") from None


def write_file(folder: Path, draft: Draft) -> Path:
    """Write a draft into the folder under its own name, never over a file that says something else.

    Raises
    ------
    InputError
        Where it has no name, or the folder cannot be written.
    """
    stem = file_stem(draft.name)
    if not stem:
        raise InputError("name: a name is needed to save a scenario")
    text = draft.yaml()
    for number in range(1, 1000):
        target = folder / f"{stem}{'' if number == 1 else f'-{number}'}.yaml"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with target.open("x", encoding="utf-8") as file:
                file.write(text)
            return target
        except FileExistsError:
            try:
                if not target.is_symlink() and target.read_text(encoding="utf-8") == text:
                    return target
            except (OSError, UnicodeDecodeError):
                continue
        except OSError as error:
            raise InputError(f"{folder}: cannot be written: {error.strerror}") from None
    raise InputError(f"{folder}: too many files of the name {stem}")


def tidy(name: str) -> str:
    """A name as people give it: one line, not too long, and nothing that a spreadsheet takes for a formula.

    Examples
    --------
    >>> tidy("  =SUM(A1)  of jobs "), tidy("就業")
    ('SUM(A1) of jobs', '就業')
    """
    return " ".join("".join(each if each.isprintable() else " " for each in name).split()).lstrip("=+-@ ")[:MOST_NAME]


def file_stem(name: str) -> str:
    """A name as that of a file in a folder: letters, digits, ``-`` and ``_``, no path, no option of a command.

    Examples
    --------
    >>> file_stem("../../etc/passwd <b>"), file_stem("就業 加住房"), file_stem(".."), file_stem("-2% less")
    ('etc_passwd_b', '就業_加住房', '', '2_less')
    """
    words = "".join(each if each.isalnum() or each in "-_" else " " for each in name[:MOST_NAME]).split()
    return "_".join(words).lstrip("-")
