"""The parts of the papers that are made from the model: ``python -m migrasim.present.papers``.

The description of the model and the glossary are prose written by hand with parts between markers;
this writes the parts anew, and a test compares them with the code.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from migrasim import variants
from migrasim.core.errors import InputError, nearest
from migrasim.facts import FactBook
from migrasim.indicators import CATALOGUE, SECTIONS
from migrasim.order import SCHEDULE
from migrasim.present.tables import number
from migrasim.rules import rules

DOCUMENTS = (Path("docs/odd.md"), Path("docs/glossary.md"))
COMMAND = "python -m migrasim.present.papers"
_PART = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(text: str) -> str:
    """The document with every part between ``<!-- made: NAME -->`` and ``<!-- end -->`` made anew.

    Raises
    ------
    InputError : for a part of which the model knows nothing
    """
    book = FactBook.load()

    def part(found: re.Match[str]) -> str:
        name = found[2]
        if name not in PARTS:
            raise InputError(
                f"no part '{name}' of a paper; allowed: {', '.join(PARTS)}. {nearest(name, PARTS)}".rstrip()
            )
        return f"{found[1]}\n{PARTS[name](book)}\n\n{found[3]}"

    return _PART.sub(part, text)


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_cell(each) for each in line) + " |" for line in lines)


def _cell(value: object) -> str:
    text = " ".join(str(value).split()).replace("|", "\\|")
    return text if "`" in text else text.replace("<", "&lt;").replace("*", "\\*")  # code stands as it is


def _schedule(_: FactBook) -> str:
    rows = [(i, phase.name, f"`{phase.module}`", phase.sentence) for i, phase in enumerate(SCHEDULE, start=1)]
    return _table(["", "phase", "module", "what happens"], rows)


def _levers(book: FactBook) -> str:
    parts = []
    for group, title in book.groups.items():
        rows = [
            (
                f"`{each.id}`",
                f"{each.title.en} {each.title.zh_hant}",
                each.chapter,
                f"{each.unit}, {number(each.bounds[0])} to {number(each.bounds[1])}",
                f"{number(each.status_quo.values or each.status_quo.value)} ({each.status_quo.status})",
                f"{number(each.plan.values or each.plan.value)} ({each.plan.status})",
                each.acts_through,
            )
            for each in book.of_group(group)
        ]
        heads = ["lever", "title", "chapter", "unit and bounds", "2020", "plan", "acts through"]
        parts.append(f"**{title.en} {title.zh_hant}**\n\n{_table(heads, rows)}")
    return "\n\n".join(parts)


def _facts(book: FactBook) -> str:
    parts = []
    for domain in dict.fromkeys(each.domain for each in book.facts.values()):
        rows = [
            (
                f"`{each.id}`",
                each.title.en,
                number(each.values or each.value),
                number(each.range),
                each.unit,
                each.status if each.used else f"{each.status}, on record only",
                each.source,
            )
            for each in book.facts.values()
            if each.domain == domain
        ]
        heads = ["fact", "title", "value", "range", "unit", "status", "source"]
        parts.append(f"**{domain}**\n\n{_table(heads, rows)}")
    return "\n\n".join(parts)


def _rules(_: FactBook) -> str:
    parts = []
    known = rules().values()
    for domain in dict.fromkeys(each.domain for each in known):
        rows = [
            (f"`{each.name}`", each.summary, _code(each.formula), ", ".join(each.arguments))
            for each in known
            if each.domain == domain
        ]
        parts.append(
            f"**{domain}** (`migrasim/domains/{domain}/rules.py`)\n\n"
            + _table(["rule", "what it says", "formula and remarks", "given"], rows)
        )
    return "\n\n".join(parts)


def _code(text: str) -> str:
    return text.replace("``", "`")


def _indicators(_: FactBook) -> str:
    parts = []
    for section, title in SECTIONS.items():
        rows = [
            (f"`{name}`", f"{each.title['en']} {each.title['zh_hant']}", each.unit, each.how)
            for name, each in CATALOGUE.items()
            if each.section == section
        ]
        heads = ["indicator", "title", "unit", "how it is measured"]
        parts.append(f"**{title['en']} {title['zh_hant']}**\n\n{_table(heads, rows)}")
    return "\n\n".join(parts)


def _futures(book: FactBook) -> str:
    rows = [
        (
            f"`{each.id}`",
            each.description.en,
            "; ".join(f"`{fact}`: {number(change.of(book[fact]))}" for fact, change in each.facts.items()),
        )
        for each in variants.futures().values()
    ]
    return _table(["future", "what it is", "facts in it"], rows)


def _alternatives(_: FactBook) -> str:
    rows = [(f"`{each.word}`", each.kind, each.meaning.en) for each in variants.alternatives().values()]
    return _table(["`--without`", "kind", "what it means"], rows)


def _words_of_levers(book: FactBook) -> str:
    rows = [(title.en, title.zh_hant, f"`{group}`") for group, title in book.groups.items()]
    rows += [(each.title.en, each.title.zh_hant, f"`{each.id}`, {each.unit}") for each in book.levers.values()]
    return _table(["English", "中文", "name"], rows)


def _words_of_indicators(_: FactBook) -> str:
    rows = [
        (each.title["en"], each.title["zh_hant"], f"{each.how} (`{name}`, {each.unit})")
        for name, each in CATALOGUE.items()
    ]
    return _table(["English", "中文", "what is meant"], rows)


PARTS = {
    "schedule": _schedule,
    "levers": _levers,
    "facts": _facts,
    "rules": _rules,
    "indicators": _indicators,
    "futures": _futures,
    "alternatives": _alternatives,
    "words_of_levers": _words_of_levers,
    "words_of_indicators": _words_of_indicators,
}


def main(root: Path) -> None:
    """Write the parts of the papers of a checkout anew."""
    for document in DOCUMENTS:
        path = root / document
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
