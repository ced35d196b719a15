"""What a level of a lever or of a group means, as settings that a scenario takes.

A level is a name (``status_quo``, ``plan``, ``double``), a value of a lever, a strength of a group
(0 is the status quo, 1 the plan, 2 double, anything between), or the last value of the plan's path
where that is assumed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from migrasim.facts import BASE_YEAR, FactBook, Lever
from migrasim.inputs import SUMS_TO_ONE

ENDS = {"status_quo": 0.0, "plan": 1.0, "double": 2.0}
Path = dict[int | None, float]


def path_at(lever: Lever, last: float) -> Path:
    """The plan's path of a lever, bent so that it ends at another value.

    The range in the book is about the last value of the path. What is added there is added to earlier values in
    proportion to the years since 2020, and nothing leaves the bounds.

    Examples
    --------
    >>> path_at(FactBook.load().lever("public_housing.public_rental_units"), 200.0)
    {2022: 400.0, 2026: 200.0}
    """
    low, high = lever.bounds
    if not lever.plan.values:
        return {None: min(max(last, low), high)}
    end = max(lever.plan.values)
    span = max(1, end - BASE_YEAR)
    return {
        year: min(max(number + (last - lever.plan.last) * min(1.0, (year - BASE_YEAR) / span), low), high)
        for year, number in sorted(lever.plan.values.items())
    }


def path_of_strength(lever: Lever, strength: float) -> Path:
    """The plan's path of a lever, its distance from the status quo times a strength, within the bounds.

    Examples
    --------
    >>> path_of_strength(FactBook.load().lever("public_housing.public_rental_units"), 0.5)
    {2022: 425.0, 2026: 525.0}
    """
    low, high = lever.bounds
    start = lever.status_quo.last

    def at(number: float) -> float:
        return min(max(start + strength * (number - start), low), high)

    return {year: at(number) for year, number in sorted((lever.plan.values or {}).items())} or {
        None: at(lever.plan.last)
    }


def setting(lever: Lever, path: Mapping[int | None, float]) -> str:
    """A path by year, or a number under the key None, as a text ``LEVER=VALUE``."""
    short = {year: float(f"{number:.12g}") for year, number in path.items()}  # as people write numbers
    return f"{lever.id}={json.dumps(short.get(None, short))}".replace('"', "")


def moved(lever: Lever, last: float) -> str:
    """The path of `path_at` as a setting."""
    return setting(lever, path_at(lever, last))


def settings(levers: Iterable[Lever], lasts: Iterable[float], book: FactBook) -> tuple[str, ...]:
    """Settings for values drawn; shares of one whole that would exceed it are scaled down to it together."""
    return _within(
        {lever.id: path_at(lever, last) for lever, last in zip(levers, lasts, strict=True)},
        book,
    )


def strengths(chosen: Mapping[str, float], book: FactBook) -> tuple[str, ...]:
    """Settings of levers and groups by strength: names where it is 0, 1 or 2, else paths of each lever."""
    names = {strength: name for name, strength in ENDS.items()}
    texts: list[str] = []
    paths: dict[str, Path] = {}
    for name, strength in chosen.items():
        if strength in names:
            texts.append(f"{name}={names[strength]}")
        else:
            paths |= {one.id: path_of_strength(one, strength) for one in levers_of(name, book)}
    return (*texts, *_within(paths, book))


def levers_of(name: str, book: FactBook) -> list[Lever]:
    """Levers that a name of a lever or group stands for."""
    if name in book.levers:
        return [book.levers[name]]
    return [lever for lever in book.levers.values() if lever.group == name and lever.built]


def _within(paths: dict[str, Path], book: FactBook) -> tuple[str, ...]:
    for first, second in SUMS_TO_ONE:
        if first not in paths or second not in paths:
            continue
        one, other = paths[first], paths[second]
        for year in one.keys() & other.keys():
            total = one[year] + other[year]
            if total > 1.0:
                one[year], other[year] = one[year] / total, other[year] / total
    return tuple(setting(book.lever(name), path) for name, path in paths.items())
