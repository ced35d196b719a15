"""YAML documents and tables of text, read strictly: no key or column twice, every fault named with its line."""

from __future__ import annotations

import csv
import functools
import hashlib
import re
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import numpy as np
import yaml
from pydantic import BaseModel, ValidationError

from migrasim.core.errors import InputError, nearest
from migrasim.core.kept import kept

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # PyYAML built without libyaml: the same, slower
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

M = TypeVar("M", bound=BaseModel)


class _Duplicate(Exception):
    def __init__(self, key: object, line: int, first: int) -> None:
        super().__init__(f"key '{key}' stands twice (lines {first} and {line}); keep one")


class _Loader(_SafeLoader):
    """Safe loader that refuses a key given twice, which YAML would silently settle for the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue  # the parent reports keys that are no scalars
            key, line = self.construct_object(key_node), key_node.start_mark.line + 1
            if key in seen:
                raise _Duplicate(key, line, seen[key])
            seen[key] = line
        return super().construct_mapping(node, deep)


def parse(text: str, name: str) -> Any:
    """Value of a YAML text; `name` (a file or an option) stands in the message of an `InputError`."""
    try:
        return yaml.load(text, Loader=_Loader)  # a safe loader with one more check
    except _Duplicate as error:
        raise InputError(f"{name}: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        last = text.rstrip().count("\n")  # a fault at the end is reported a line below it
        line = f", line {min(mark.line, last) + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        if "alias" in (getattr(error, "context", None) or ""):
            problem = 'what begins with * or & needs quotes, such as "* 1.5"'
        raise InputError(f"{name}{line}: not valid YAML: {problem}") from None
    except (ValueError, RecursionError) as error:  # such as a date that does not exist
        raise InputError(f"{name}: not valid YAML: {error}") from None


@functools.cache
def _how() -> str:
    """What makes data of a text: this file, too, so that nothing outlives a rule that was made stricter."""
    return f"document {yaml.__version__} {hashlib.sha256(Path(__file__).read_bytes()).hexdigest()}"


def read_mapping(path: Path, name: str | None = None) -> dict[str, Any]:
    """Mapping at the top of a YAML file.

    Parameters
    ----------
    path
        The file.
    name
        What to call it in messages; its path if left out.

    Raises
    ------
    InputError
        Where the file is missing, unreadable, empty, binary, no YAML, or no mapping of names.
    """
    name = name or str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{name}: not a text file in UTF-8; a YAML file is expected") from None
    if "\0" in text:
        raise InputError(f"{name}: a binary file; a YAML file is expected")
    if not text.strip():
        raise InputError(f"{name}: the file is empty; a YAML mapping is expected")
    data = kept(_how(), text, lambda: parse(text, name))
    if data is None:
        raise InputError(f"{name}: the file holds nothing but comments; a YAML mapping is expected")
    if not isinstance(data, dict):
        raise InputError(f"{name}: a mapping (key: value) is expected at the top, not {kind(data)}")
    for key in data:
        if not isinstance(key, str):
            raise InputError(f"{name}: key '{key}' is no name; keys at the top are words")
    return data


_SEPARATORS = ";\t|，"


def read_cells(path: Path, name: str | None = None) -> list[tuple[int, list[str]]]:
    """Names and rows of a csv table, each with its line; blank rows are passed over.

    Parameters
    ----------
    path
        The file.
    name
        What to call it in messages; its path if left out.

    Raises
    ------
    InputError
        Where it is no text in UTF-8, separated by something else than commas, has a column twice, or a row has not as
        many cells as there are names.
    """
    name = name or str(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            read = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except UnicodeDecodeError:
        raise InputError(f"{name}: not a text file in UTF-8; a csv table is expected") from None
    except (OSError, csv.Error) as error:
        why = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(f"{name}: is no readable csv table ({why})") from None
    filled = [line for line in read if any(line[1])]
    if not filled:
        raise InputError(f"{name}: is no readable csv table (No columns to parse from file)")
    names = filled[0][1]
    check_columns(names, name)
    for number, cells in filled[1:]:
        if any(cells[len(names) :]):
            raise InputError(
                f"{name}: line {number}: has {len(cells)} cells, and the first line {len(names)} names; a text with a "
                "comma needs quotes"
            )
        if len(cells) < len(names):
            raise InputError(
                f"{name}: line {number}: has {len(cells)} cells, and the first line {len(names)} names; an empty cell "
                "needs its comma"
            )
    return filled


def check_columns(names: Sequence[str], name: str) -> None:
    """Refuse the first line of a table that is not separated by commas, or has a column twice."""
    for sign in _SEPARATORS:
        if len(names) == 1 and sign in names[0]:
            told = "a tab" if sign == "\t" else f"'{sign}'"
            raise InputError(f"{name}: its cells are separated by {told}; commas are expected")
    for column in filter(None, names):
        if list(names).count(column) > 1:
            raise InputError(f"{name}: column '{column}' stands twice; keep one")


def kind(value: object) -> str:
    """What a YAML value is, in words for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {value}" if is_number(value) else "a number without size"
    if isinstance(value, str):
        return f"the text '{value}'" if len(value) < 80 else f"the text '{value[:77]}...'"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return f"a {type(value).__name__}"


def plain(value: Any) -> Any:
    """Data with Python's own numbers in place of numpy's, as scripts give them; everything else stays as it is.

    Examples
    --------
    >>> plain({np.int64(2026): np.float32(0.1)})
    {2026: 0.1}
    """
    if isinstance(value, Mapping):
        return {plain(key): plain(each) for key, each in value.items()}
    if isinstance(value, np.floating):
        return float(str(value))  # the number that was written, not what 32 bits make of it
    return value.item() if isinstance(value, np.generic) else value


def is_number(value: object) -> bool:
    """True for a finite number; false for truth values, texts, infinities and whole numbers beyond all size."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e300


def _allowed(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """Names of the keys of the model at a path inside another."""
    for part in path:
        field = model.model_fields.get(str(part))
        if field is None:
            continue  # an index of a list, or a key of a mapping
        inner = [field.annotation, *get_args(field.annotation)]
        model = next((one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)), model)
    return list(model.model_fields)


def validated(model: type[M], data: object, name: str, key: str, **more: object) -> M:
    """An instance of a schema from plain data; the first fault becomes an `InputError`.

    Parameters
    ----------
    model
        The pydantic schema.
    data
        What stands in the file.
    name, key
        File and key for the message.
    **more
        Fields that the program adds and the file must not hold.
    """
    if not isinstance(data, dict):
        raise InputError(f"{name}: {key}: a mapping is expected, not {kind(data)}")
    for field in more:
        if field in data:
            raise InputError(f"{name}: {key}: key '{field}' is set by the program; leave it out")
    try:
        return model.model_validate({**data, **more})
    except ValidationError as error:
        raise InputError(_told(model, error, name, key, more)[0]) from None


def faults(model: type[BaseModel], data: object, name: str, key: str) -> list[str]:
    """All that a schema finds wrong with plain data, one message each; arguments as for `validated`."""
    try:
        validated(model, data, name, key)
    except InputError as error:
        if isinstance(data, dict):
            try:
                model.model_validate(data)
            except ValidationError as found:
                return _told(model, found, name, key, {})
        return [str(error)]
    return []


def _told(model: type[BaseModel], error: ValidationError, name: str, key: str, more: Mapping[str, object]) -> list[str]:
    """What a schema found, as messages; a misspelt key is also a missing one, so misspellings come first."""
    found = error.errors(include_url=False)
    found.sort(key=lambda fault: fault["type"] != "extra_forbidden")
    return [
        f"{name}: {'.'.join(filter(None, [key, *map(str, fault['loc'])]))}: {_fault(model, dict(fault), more)}"
        for fault in found
    ]


def _fault(model: type[BaseModel], fault: Mapping[str, Any], more: Mapping[str, object]) -> str:
    """One fault in plain words: what is wrong, what is allowed, the nearest name."""
    path, type_ = tuple(fault["loc"]), str(fault["type"])
    if type_ == "extra_forbidden":
        allowed = [field for field in _allowed(model, path[:-1]) if field not in more]
        return f"unknown key; allowed: {', '.join(allowed)}. {nearest(path[-1], allowed)}".rstrip()
    if type_ == "missing":
        return "this key is missing"
    given, about = kind(fault["input"]), fault.get("ctx", {})
    if type_ in ("model_type", "model_attributes_type"):
        inside = ", ".join(field for field in _allowed(model, path) if field not in more)
        return f"a mapping of {inside} is expected, not {given}"
    if type_ == "literal_error":
        names = re.findall(r"'([^']*)'", about["expected"])
        return f"{given} is not known; allowed: {', '.join(names)}. {nearest(fault['input'], names)}".rstrip()
    for what, words in _BOUNDS.items():
        if type_ == what:
            return f"{given} is not allowed; allowed: {words} {next(iter(about.values())):g}"
    for start, words in _EXPECTED.items():
        if type_.startswith(start):
            return f"{words} is expected, not {given}"
    message = str(fault["msg"]).removeprefix("Value error, ")
    return message if type_ == "value_error" else f"{message} (given: {given})"


_BOUNDS = {
    "greater_than": "above",
    "greater_than_equal": "at least",
    "less_than": "below",
    "less_than_equal": "at most",
}
_EXPECTED = {  # by the beginning of the type of a fault
    "int": "a whole number",
    "float": "a number",
    "finite_number": "a finite number",
    "string_type": "a text",
    "string_too_short": "a text",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a mapping",
    "mapping": "a mapping",
    "too_short": "a list or mapping that is not empty",
}
