"""The papers of the model say what the model is: its description, its glossary and its limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrasim.core.errors import InputError
from migrasim.facts import FactBook
from migrasim.indicators import CATALOGUE
from migrasim.order import SCHEDULE
from migrasim.present import papers

DOCS = Path(__file__).parents[2] / "docs"
BOOK = FactBook.load()


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [path.name for path in papers.DOCUMENTS])
def test_the_papers_agree_with_the_code(name: str) -> None:
    """Levers, facts, rules, indicators, schedule and other made parts of the papers are those of the model."""
    text = read(name)
    assert papers.filled(text) == text, f"docs/{name} is behind the code; run: {papers.COMMAND}"


def test_the_papers_have_every_part() -> None:
    """Every part that can be made stands in a paper, and every lever, fact and indicator in the description."""
    text = read("odd.md")
    for part in papers.PARTS:
        assert f"<!-- made: {part} -->" in text + read("glossary.md")
    for name in (*BOOK.levers, *BOOK.facts, *CATALOGUE):
        assert f"`{name}`" in text


def test_the_description_follows_the_protocol() -> None:
    """The headings of ODD+D stand in their order."""
    heads = [line.split(" ", 1)[1] for line in read("odd.md").splitlines() if line.startswith("##")]
    overview = ["I Overview", "Purpose", "Entities, state variables and scales", "Process overview and scheduling"]
    concepts = [
        "II Design concepts", "Theoretical and empirical background", "Individual decision making", "Learning",
        "Individual sensing", "Individual prediction", "Interaction", "Collectives", "Heterogeneity", "Stochasticity",
        "Observation",
    ]  # fmt: skip
    details = ["III Details", "Implementation details", "Initialization", "Input data", "Submodels"]
    wanted = overview + concepts + details
    assert len(heads) == len(wanted)
    assert all(head.endswith(want) for head, want in zip(heads, wanted, strict=True))


def test_an_unknown_part_is_refused() -> None:
    """A marker that nothing fills is an error that names the parts there are."""
    with pytest.raises(InputError, match="levers"):
        papers.filled("<!-- made: leevers -->\n<!-- end -->")


@pytest.mark.parametrize("lang", ["en", "zh_hant"])
def test_the_glossary_knows_every_word(lang: str) -> None:
    """Every group of levers, indicator and lever of the model stands in the glossary in both languages."""
    text = read("glossary.md")
    titles = [getattr(title, lang) for title in BOOK.groups.values()]
    titles += [each.title[lang] for each in CATALOGUE.values()]
    assert [title for title in titles if title not in text] == []


def test_the_glossary_knows_every_phase() -> None:
    """Every phase of the year is explained."""
    text = read("glossary.md")
    assert [phase.name for phase in SCHEDULE if f"| {phase.name} |" not in text] == []


def test_limits_are_told_where_scenarios_are_listed() -> None:
    """Who lists scenarios is told where it stands what the model cannot answer."""
    assert read("limits.md").startswith("# What the model cannot answer")
    lookup = (DOCS.parent / "migrasim" / "cli" / "lookup.py").read_text(encoding="utf-8")
    assert "docs/limits.md" in lookup


def test_the_page_of_levers_has_every_lever() -> None:
    """docs/levers.md was made for all levers, and says by which command."""
    text = read("levers.md")
    assert "migrasim levers --effects" in text
    assert [name for name in BOOK.levers if f"`{name}`" not in text] == []
