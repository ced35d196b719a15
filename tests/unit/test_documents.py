"""Documents say what the code does: generated parts are fresh, and every term is explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrasim.core.errors import InputError
from migrasim.facts import FactBook
from migrasim.indicators import CATALOGUE
from migrasim.present import odd
from migrasim.rules import rules

DOCS = Path(__file__).parents[2] / "docs"


def test_the_description_of_the_model_is_fresh() -> None:
    """Every generated part of docs/odd.md is what the code says today; the message names the command."""
    text = (DOCS / "odd.md").read_text(encoding="utf-8")
    assert odd.filled(text) == text, f"docs/odd.md is stale; make it anew: {odd.COMMAND}"


def test_a_marker_must_name_a_part() -> None:
    """A document with an unknown marker, or without one of the parts, is refused with the names allowed."""
    with pytest.raises(InputError, match="no part 'levrs'"):
        odd.filled("<!-- made: levrs -->\n<!-- end -->")
    with pytest.raises(InputError, match="no marker for"):
        odd.filled("nothing")


def test_every_lever_rule_fact_and_indicator_is_in_it() -> None:
    """The description holds all that can be set, all that behaves and all that is measured."""
    text = (DOCS / "odd.md").read_text(encoding="utf-8")
    book = FactBook.load()
    for name in [*book.levers, *CATALOGUE, *(one.name for one in rules().values())]:
        assert f"`{name}`" in text, name
    for fact in book.facts.values():
        assert (f"`{fact.id}`" in text) == fact.used, fact.id


def test_the_glossary_knows_every_group_of_levers() -> None:
    """English and Chinese titles of the groups of levers stand in the glossary."""
    text = (DOCS / "glossary.md").read_text(encoding="utf-8").casefold()
    for name, title in FactBook.load().groups.items():
        assert title.zh_hant in text, name
        assert title.en.casefold() in text, name


def test_the_page_of_levers_has_every_lever() -> None:
    """docs/levers.md was made for all levers, and says by which command."""
    text = (DOCS / "levers.md").read_text(encoding="utf-8")
    assert "migrasim levers --effects" in text
    for name in FactBook.load().levers:
        assert f"`{name}`" in text, name
