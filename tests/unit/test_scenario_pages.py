"""Every scenario that ships has a page that can be read and that quotes the plan truthfully."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

import migrasim
from migrasim import cli
from migrasim.core.language import Lang, simplified
from migrasim.facts import FactBook
from migrasim.present.chinese import told
from migrasim.present.language import words
from migrasim.present.punctuation import title_in
from migrasim.scenario import Scenario, shipped

BOOK = FactBook.load()
HEADS = {
    "en": ("What it stands for.", "What the plan says.", "What is assumed.", "How to read it."),
    "zh_hant": ("代表什麼。", "規劃怎麼說。", "哪些是假設。", "怎樣讀結果。"),
}
SHORTEST = {"en": 700, "zh_hant": 300}  # characters


def quotes_of_the_plan() -> set[str]:
    """Sentences of the plan as levers and the table of its figures give them."""
    tables = Path(migrasim.__file__).parent.glob("regions/*/tables/plan_facts.csv")
    figures = [row["quote"] for path in tables for row in csv.DictReader(path.read_text("utf-8").splitlines())]
    return {lever.quote for lever in BOOK.levers.values()} | set(figures)


@pytest.mark.parametrize("lang", ["en", "zh_hant"])
@pytest.mark.parametrize("name", sorted(shipped("scenarios")))
def test_every_scenario_has_a_page(name: str, lang: str) -> None:
    """Four paragraphs in each language: what it stands for, what the plan says, what is assumed, how to read it."""
    about = Scenario.load(name, BOOK).about
    assert about is not None
    page = getattr(about, lang)
    assert len(page) >= SHORTEST[lang]
    paragraphs = page.split("\n\n")
    assert [part.startswith(head) for part, head in zip(paragraphs, HEADS[lang], strict=True)] == [True] * 4


@pytest.mark.parametrize("name", sorted(shipped("scenarios")))
def test_what_a_page_quotes_stands_in_the_plan(name: str) -> None:
    """Both pages of a scenario quote the same sentences, and each is one of the plan, word by word."""
    about = Scenario.load(name, BOOK).about
    assert about is not None
    english, chinese = (
        {quote for quote in re.findall("「(.+?)」", page) if len(quote) > 4} for page in (about.en, about.zh_hant)
    )
    assert english
    assert english <= chinese
    assert chinese <= quotes_of_the_plan()


@pytest.mark.parametrize("name", sorted(shipped("scenarios")))
def test_chinese_pages_are_in_traditional_characters(name: str) -> None:
    """No page was written in simplified characters by mistake."""
    about = Scenario.load(name, BOOK).about
    assert about is not None
    assert simplified(about.zh_hant) != about.zh_hant
    assert not set(about.zh_hant) & set("们这个为说进发实业乡镇产权户动务")


@pytest.mark.parametrize("lang", ["zh-Hant", "zh-Hans"])
def test_no_scenario_is_called_what_stands_before_a_sentence_of_the_plan(lang: Lang) -> None:
    """What heads a quotation of the plan (its original text) is not the title of a scenario, which is a run of it."""
    heads = {*words(["plan says"], lang), told("  the plan's sentence: x", lang).strip().partition("：")[0]}
    titles = {title_in(Scenario.load(name, BOOK).title, lang) for name in shipped("scenarios")}
    assert title_in(Scenario.load("plan", BOOK).title, "zh-Hans") == "按规划执行"
    assert not heads & titles


def test_the_page_of_a_file_shows_all_that_counts_and_refuses_a_county_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A change stands beside what it changes; numbers that begin anew stand alone; a misspelt county ends it."""
    file = tmp_path / "mine.yaml"
    text = """name: mine
title: {en: Mine}
extends: plan
levers:
  public_housing.public_rental_units: "* 1.5"
  residence_permit.education: {Kongtong: 0.8}
"""
    file.write_text(text, "utf-8")
    with pytest.raises(SystemExit) as end:
        cli.main(["scenarios", str(file)])
    assert end.value.code == 0
    said = capsys.readouterr().out  # where there is no terminal each begins with its name
    names = said.splitlines()
    assert names.count("public_housing.public_rental_units") == 2 and "value: *1.5" in said
    assert names.count("residence_permit.education") == 1 and "value: Kongtong: 0.8" in said
    file.write_text(text.replace("Kongtong", "Kongtung"), "utf-8")
    with pytest.raises(SystemExit) as end:
        cli.main(["scenarios", str(file)])
    assert end.value.code == 2
    assert "unknown county 'Kongtung'; allowed: Kongtong" in capsys.readouterr().err
