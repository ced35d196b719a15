"""The parts of the model's description that are made from the code, so that they cannot fall behind it.

``python -m migrasim.present.odd docs/odd.md`` writes them between their markers; a test compares.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from migrasim.core.errors import InputError
from migrasim.facts import FactBook
from migrasim.present.tables import number

COMMAND = "python -m migrasim.present.odd docs/odd.md"
_MARK = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    def line(cells: Iterable[object]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return "\n".join([line(heads), line("---" for _ in heads), *(line(row) for row in rows)])


def schedule() -> str:
    """The order of a year."""
    from migrasim.order import SCHEDULE

    rows = ((n, phase.name, phase.sentence, f"`{phase.module}`") for n, phase in enumerate(SCHEDULE, 1))
    return _table(["", "phase", "what happens", "module"], rows)


def state() -> str:
    """Columns of persons, households and villages."""
    from migrasim.population.tables import HOUSEHOLDS, PERSONS, VILLAGES

    parts = []
    for title, columns in (("persons", PERSONS), ("households", HOUSEHOLDS), ("villages", VILLAGES)):
        rows = ((f"`{one.name}`", one.unit, one.meaning) for one in columns)
        parts.append(f"Columns of {title}:\n\n" + _table(["column", "unit", "meaning"], rows))
    return "\n\n".join(parts)


def levers() -> str:
    """All levers with their values."""
    book = FactBook.load()
    parts = []
    for group, title in book.groups.items():
        rows = (
            (
                f"`{one.id}`",
                one.title.zh_hant,
                one.unit,
                f"{number(one.bounds[0])} to {number(one.bounds[1])}",
                number(one.status_quo.values or one.status_quo.value),
                number(one.plan.values or one.plan.value),
                one.plan.status,
                one.acts_through,
            )
            for one in book.levers.values()
            if one.group == group
        )
        heads = ["lever", "中文", "unit", "bounds", "2020", "plan", "status", "acts through"]
        parts.append(f"**{title.en} {title.zh_hant}**\n\n" + _table(heads, rows))
    return "\n\n".join(parts)


def facts() -> str:
    """All facts that a rule reads."""
    book = FactBook.load()
    parts = []
    for domain in dict.fromkeys(fact.domain for fact in book.facts.values()):
        rows = [
            (
                f"`{one.id}`",
                one.title.en,
                f"by {one.by}" if one.by else number(one.values or one.value),
                number(one.range),
                one.unit,
                one.status,
            )
            for one in book.facts.values()
            if one.domain == domain and one.used
        ]
        if rows:
            parts.append(f"**{domain}**\n\n" + _table(["fact", "title", "value", "range", "unit", "status"], rows))
    return "\n\n".join(parts)


def indicators() -> str:
    """All indicators by section."""
    from migrasim.indicators import CATALOGUE, SECTIONS

    parts = []
    for section, title in SECTIONS.items():
        rows = (
            (f"`{one.name}`", one.title["en"], one.title["zh_hant"], one.unit, one.how)
            for one in CATALOGUE.values()
            if one.section == section
        )
        heads = ["indicator", "title", "中文", "unit", "how it is measured"]
        parts.append(f"**{title['en']} {title['zh_hant']}**\n\n" + _table(heads, rows))
    return "\n\n".join(parts)


def rules() -> str:
    """All rules by domain."""
    from migrasim.rules import rules as known

    parts = []
    for domain in dict.fromkeys(one.domain for one in known().values()):
        rows = (
            (f"`{one.name}`", one.summary, ", ".join(name for name in one.arguments if name != "p"))
            for one in known().values()
            if one.domain == domain
        )
        parts.append(f"**{domain}**\n\n" + _table(["rule", "what it says", "of"], rows))
    return "\n\n".join(parts)


def futures() -> str:
    """Futures and the facts that they change."""
    from migrasim import variants

    book = FactBook.load()
    rows = (
        (f"`{one.id}`", one.description.en, "; ".join(f"`{fact}` {number(change.of(book[fact]))}" for fact, change in one.facts.items()))
        for one in variants.futures().values()
    )  # fmt: skip
    return _table(["future", "what it is", "facts that differ"], rows)


def alternatives() -> str:
    """What ``--without`` leaves out or puts differently."""
    from migrasim import variants

    rows = ((f"`{one.word}`", one.kind, one.meaning.en) for one in variants.alternatives().values())
    return _table(["--without", "kind", "what it means"], rows)


PARTS: dict[str, Callable[[], str]] = {
    part.__name__: part for part in (schedule, state, levers, facts, indicators, rules, futures, alternatives)
}


def filled(text: str) -> str:
    """A document with every marked part made anew.

    Raises
    ------
    InputError
        For a marker that names no part, and where a part has no marker.
    """
    named = [found[2] for found in _MARK.finditer(text)]
    for name in named:
        if name not in PARTS:
            raise InputError(f"odd: there is no part '{name}'; allowed: {', '.join(PARTS)}")
    missing = [name for name in PARTS if name not in named]
    if missing:
        raise InputError(f"odd: no marker for {', '.join(missing)}")
    return _MARK.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n\n{found[3]}", text)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        path = Path(argument)
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
