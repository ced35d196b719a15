"""Chinese is printed with full-width punctuation, whatever the data were typed with."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrasim import cli
from migrasim.core.documents import read_mapping
from migrasim.facts import FactBook
from migrasim.indicators import CATALOGUE
from migrasim.present import chinese, punctuation
from migrasim.present.punctuation import full_width, punctuated, title_in
from migrasim.scenario import Scenario, shipped
from migrasim.variants import alternatives, futures

PACKAGE = Path(chinese.__file__).parent.parent
HAN = r"\u3400-\u9fff"
MARKS = "、。，；：？！）】」』”"
HALF = re.compile(rf"[{HAN}{MARKS}] ?[,;:!?()]|[,;:!?()] ?[{HAN}「『“（【]")
# a formula, what stands for a key of a file, and names of journals in English sources
CODE = re.compile(rf"ln\(1 \+ d/20(公里)\)|\[低, 高\]|（!）|(?<=[a-z] )\([{HAN} ]+(?: 20\d\d)?(?: no\.\d)?\)")
PIECES = st.sampled_from(
    [*"甲乙丙（），。：；「」", *"ab1,;:!?().' \n", "levers.all", "1,234.5", "2025: 0.9", "(甲)", "x(1)"]
)
TEXTS = st.lists(PIECES).map("".join)


def _half(text: str) -> list[str]:
    """Pieces of a text with half-width punctuation beside Chinese."""
    return [text[max(0, found.start() - 9) : found.end() + 9] for found in HALF.finditer(CODE.sub("x", text))]


@given(TEXTS)
def test_what_is_set_is_set_once_and_loses_no_word(text):
    """Setting punctuation twice is setting it once; only marks and the spaces beside them change."""
    found = full_width(text)
    assert full_width(found) == found
    marks = str.maketrans("，；：！？（）", ",;:!?()", " ")
    assert found.translate(marks) == text.translate(marks)


@given(st.text(st.characters(max_codepoint=0x2FF)))
def test_what_is_not_chinese_stays_as_it_is(text):
    """English, numbers and code are not touched, nor is anything in English."""
    assert full_width(text) == text == punctuated(text, "en")


@given(st.text(st.sampled_from("甲乙1,;:!?a "), min_size=3))
def test_no_half_width_mark_is_left_beside_chinese(text):
    """Whatever a mark stands between, where one side is Chinese it is full-width."""
    assert _half(full_width(text)) == []


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("未建成(分縣見指標unpaid_yuan)。", "未建成（分縣見指標unpaid_yuan）。"),
        ("未來情形:景氣;增長為假設。", "未來情形：景氣；增長為假設。"),
        ("plan: 規劃 (scenarios/plan.yaml, central)", "plan：規劃（scenarios/plan.yaml, central）"),
        ("一次性計(1)或按年計(0)", "一次性計（1）或按年計（0）"),
        ("2025: 0.9, 2035: 1 (假設)", "2025: 0.9, 2035: 1（假設）"),
        ("限制（反事實） (x)", "限制（反事實）（x）"),
        ("設定為ln(1 + d/20公里)", "設定為ln(1 + d/20公里)"),
    ],
)
def test_brackets_commas_and_colons_are_set_as_chinese_has_them(typed, expected):
    """Brackets that hold or touch Chinese, and no space beside them; numbers and formulas stay."""
    assert full_width(typed) == expected


def _strings(file: Path) -> list[str]:
    """Texts of a file that are shown: no docstring and no pattern."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re."):
            silent |= {id(part) for each in node.args for part in ast.walk(each)}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in silent)
    return [node.value for node in texts if isinstance(node.value, str)]


def test_words_of_pages_tables_and_messages_are_written_full_width():
    """Every Chinese text of present, cli and chinese.yaml, as it is written."""
    files = [file for name in ("present", "cli") for file in (PACKAGE / name).rglob("*.py")]
    texts = [text for file in files if file.stem != Path(punctuation.__file__).stem for text in _strings(file)]
    book = read_mapping(Path(chinese.__file__).with_name("chinese.yaml"))
    texts += [str(said) for part in book.values() for said in part.values()]
    chinese_texts = [text for text in texts if re.search(f"[{HAN}]", text)]
    assert len(chinese_texts) > 2000
    assert [half for text in chinese_texts for half in _half(text)] == []


def test_pages_and_commands_take_titles_with_their_punctuation():
    """No file of present or cli takes `title_in` from the core, which gives them as they were typed."""
    files = [file for name in ("present", "cli") for file in (PACKAGE / name).rglob("*.py")]
    plain = re.compile(r"core\.language import .*title_in")
    assert [file.name for file in files if plain.search(file.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("lang", ["zh-Hant", "zh-Hans"])
def test_titles_are_shown_full_width(lang):
    """Levers, facts, indicators, futures, alternatives and scenarios, their pages among them."""
    book = FactBook.load()
    loaded = [Scenario.load(path, book) for path in shipped("scenarios").values()]
    titles = [one.title for each in (book.levers, book.facts, CATALOGUE) for one in each.values()]
    titles += [one for each in (futures(), alternatives()) for one in each.values()]
    titles += [one for each in loaded for one in (each.title, each.description, each.about) if one]
    titles += [{"zh_hant": lever.quote} for lever in book.levers.values()]
    shown = [getattr(one, "title", one) for one in titles]
    shown += [one.description for one in futures().values()] + [one.meaning for one in alternatives().values()]
    assert [half for one in shown for half in _half(title_in(one, lang))] == []


@pytest.mark.parametrize(
    "command",
    [
        *("scenarios", "futures", "alternatives", "levers", "facts", "indicators", "schedule", "region"),
        *("scenarios plan", "scenarios restricted", "levers hukou.openness", "levers public_housing.rent_subsidy"),
        *("facts moving.income_elasticity", "trace public_housing.rent_subsidy"),
    ],
)
def test_commands_that_look_up_print_full_width(command, capsys, monkeypatch):
    """Lines that are put together of names, numbers and titles, too."""
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit):
        cli.main([*command.split(), "--lang", "zh-Hans"])
    found = capsys.readouterr()
    lines = [re.sub("[│┃]", "\n", line) for line in (found.out + found.err).splitlines()]
    assert len(lines) > 2 or command.startswith("trace")
    assert [half for line in lines for half in _half(line)] == []
