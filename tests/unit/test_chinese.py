"""What is said in Chinese though it stands in English: cells of tables, and messages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from migrasim.core.documents import read_mapping
from migrasim.facts import FactBook
from migrasim.indicators import CATALOGUE
from migrasim.order import SCHEDULE
from migrasim.present import chinese, titles
from migrasim.variants import futures

PACKAGE = Path(chinese.__file__).parent.parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# for those who write regions, series to fit to or Python, who read English
_ENGLISH = ("analysis/calibration.py", "analysis/patterns.py", "analysis/shipping.py")
_ENGLISH_MESSAGES = {
    "compare: a list of scenarios is expected, the first being the reference",
    "batch: 7x rows of columns for 7x runs; give one for each",
}


def _template(node: ast.expr) -> str:
    """The text of a message; 7x stands for what is filled in."""
    match node:
        case ast.Constant():
            return str(node.value)
        case ast.JoinedStr():
            return "".join(map(_template, node.values))
        case ast.FormattedValue():
            code = ast.unparse(node.value)
            if code == "hint" or code.startswith("nearest("):
                return "did you mean 'x'?"
            return "a mapping" if "kind(" in code else "allowed: 7x" if code in ("allowed", "known") else "7x"
        case ast.Call(func=ast.Attribute(value=inner, attr="rstrip")):
            return _template(inner)
    return ""


def _messages() -> set[str]:
    """Every message about wrong input that has words of its own, by its form."""
    folders = [file for name in ("analysis", "cli", "present", "runs") for file in (PACKAGE / name).rglob("*.py")]
    trees = [
        ast.parse(file.read_text(encoding="utf-8"))
        for file in (PACKAGE / "scenario.py", *folders)
        if file.relative_to(PACKAGE).as_posix() not in _ENGLISH
    ]
    raised = {
        _template(node.args[0])
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "InputError" and node.args
    }
    return {text for text in raised if re.search(r"[a-z]{3,} [a-z]{2,}", text.partition("did you mean")[0])}


def test_every_message_about_wrong_input_is_said_in_chinese():
    """What was wrong with a scenario, an experiment, an option or on a page is told in Chinese, not only its ends."""
    found = _messages()
    assert len(found) > 150
    faults = {text: re.split("；(可用|組別|領域|是否指)", chinese.told(text, "zh-Hant"))[0] for text in found}
    assert {text for text, fault in faults.items() if not CHINESE.search(fault)} == _ENGLISH_MESSAGES


def test_what_levers_indicators_futures_and_phases_say_is_said_in_chinese():
    """No lever, indicator, future, phase or assumed fact shows an English sentence or unit between Chinese heads."""
    book = FactBook.load()
    words = {one.acts_through for one in book.levers.values()} | {one.how for one in CATALOGUE.values()}
    words |= {phase.sentence for phase in SCHEDULE} | {one.room_words() for one in book.levers.values()} - {""}
    words |= {word for one in book.facts.values() for word in (one.status, one.role)}
    words |= {
        word for lever in book.levers.values() for one in lever.cost for word in (one.unit, one.payer, one.recurrence)
    }
    words |= {one.unit for each in (book.levers, book.facts, CATALOGUE) for one in each.values()}
    words |= {one.source for lever in book.levers.values() for one in (lever.status_quo, lever.plan, *lever.cost)}
    words |= {lever.note for lever in book.levers.values() if lever.note}
    uncertain = [fact for fact in book.facts.values() if fact.used and fact.role == "uncertain"]
    words |= {fact.source for fact in uncertain if fact.status == "assumed"}
    words |= {change.source for future in futures().values() for change in future.facts.values()}
    plain = {word for word in words if not CHINESE.search(chinese.said(word, "zh-Hant"))}
    assert plain == {"per 1000", "percent"}  # ‰ and %


def test_forms_fill_the_same_places_in_both_languages():
    """No place of an English form is dropped or made up in Chinese."""
    book = read_mapping(Path(chinese.__file__).with_name("chinese.yaml"))
    for english, said in {**book["parts"], **book["lines"]}.items():
        assert set(re.findall(r"{(\w+)[#!]?}", english)) == set(re.findall(r"{(\w+)}", said)), english


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "--set industry: residence_permit.education: 2 is out of bounds; allowed: 0 to 1 share",
            "--set industry：residence_permit.education：2超出範圍；可用：0至1（比例）",
        ),
        (
            "mine.yaml: levers: a mapping (lever: value) is expected, not the text 'x'",
            "mine.yaml：levers：應為映射（槓桿：取值），而非文字'x'",
        ),
        (
            "--future: there is no future 'bom'; allowed: central, boom. did you mean 'boom'?",
            "--future：沒有未來情形'bom'；可用：central, boom；是否指'boom'？",
        ),
        (
            "no such command 'rn'. Did you mean 'run'? (see migrasim --help)",
            "沒有命令'rn'；是否指'run'？（見migrasim --help）",
        ),
        ("nobody has said this", "nobody has said this"),
    ],
)
def test_a_message_keeps_where_what_is_allowed_and_the_nearest_name(message, expected):
    """File and key, allowed values and the hint are the same in Chinese; what nobody has said stays English."""
    assert chinese.told(message, "zh-Hant") == expected
    assert chinese.told(message, "en") == message


def test_words_of_a_source_are_left_alone():
    """Only what is said as a whole is said in Chinese: a source that begins like a range with a unit stays as it is."""
    for source in ("30 to 50 yuan per mu in another county", "Bryan & Morten 2019, J. Political Economy"):
        assert chinese.said(source, "zh-Hant") == source
    assert titles.unit("yuan per month", "zh-Hant") == chinese.said("yuan per month", "zh-Hant") == "元/月"
