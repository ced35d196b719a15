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
from migrasim.runs import again
from migrasim.variants import futures

PACKAGE = Path(chinese.__file__).parent.parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# for those who write regions, series to fit to or Python, who read English
_ENGLISH = ("analysis/calibration.py", "analysis/patterns.py", "analysis/shipping.py")
_ENGLISH_MESSAGES = {
    "overrides: LEVER=VALUE is expected, or a lever and its value, not a mapping",
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


def _messages(kind: str = "InputError") -> set[str]:
    """Every message about wrong input, or about what stopped a batch, that has words of its own, by its form."""
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
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == kind and node.args
    }
    return {text for text in raised if re.search(r"[a-z]{3,} [a-z]{2,}", text.partition("did you mean")[0])}


def test_every_message_about_wrong_input_is_said_in_chinese():
    """What was wrong with a scenario, an experiment, an option or on a page is told in Chinese, not only its ends."""
    found = _messages()
    assert len(found) > 150
    faults = {text: re.split("；(可用|組別|領域|是否指)", chinese.told(text, "zh-Hant"))[0] for text in found}
    assert {text for text, fault in faults.items() if not CHINESE.search(fault)} == _ENGLISH_MESSAGES


def test_what_stopped_a_batch_is_said_in_chinese():
    """Why no more runs are made, and that the same command goes on."""
    found = _messages("Stopped")
    assert len(found) >= 4
    assert [text for text in found if "保留" not in chinese.told(f"stopped: {text}", "zh-Hant")] == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1 process with one thread, about 0.5 GB of memory (cap 1.8 GB)", "1個單線程進程，約0.5 GB內存（上限1.8 GB）"),
        (
            "2 processes with one thread each, about 0.5 GB of memory each (cap 1.8 GB)",
            "2個單線程進程，各約0.5 GB內存（上限1.8 GB）",
        ),
        ("1 run, 0 of them failed; 0.1 min", "1次運行，失敗0次；0.1分鐘"),
        (
            "1 lever, 1 of them built; setting one that is not built is an error",
            "1項槓桿，其中1項已實現；設定未實現者即報錯",
        ),
        ("tiny: 0 of 1 run, 0.5 min", "tiny：1次運行已完成0次，已用0.5分鐘"),
        (
            "tiny: 4 of 9 runs, 1 failed, 0.5 min, 8.0 a minute, about 0.6 min left",
            "tiny：9次運行已完成4次，失敗1次，已用0.5分鐘，每分鐘8.0次，約餘0.6分鐘",
        ),
        (
            "1 process instead of 4: one a core, and as many as the memory holds",
            "使用1個進程而非4個：每核一個，並以內存為限",
        ),
        ("runs/a: 1 file missing or damaged (b); made again", "runs/a：1個文件缺失或損壞（b）；重新製作"),
        ("runs/a: holds 1 run; all that are asked for now are among them", "runs/a：已有1次運行，此次所求均在其中"),
        (
            "runs are kept in a: the same command goes on where it was interrupted; 1 process",
            "運行存於a；中斷後以同一命令繼續；1個進程",
        ),
    ],
)
def test_one_and_several_are_said_in_chinese(line, expected):
    """Lines that count say so in English for one and for several, and in Chinese for both."""
    assert chinese.told(line, "zh-Hant") == expected


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


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"0123abcd: {again.SAME}", "0123abcd：與所存完全相同，直至末位"),
        ("0123abcd: differs from what is stored, in flows, jobs", "0123abcd：與所存不同，見於flows, jobs"),
        ("the same run", "同一次運行"),
        ("seed: 0 and 3", "隨機種子（seed）：0與3"),
        (
            "lever employment.equal_pay: from 2021 on 0.8 and 0.3, mean of the counties",
            "槓桿employment.equal_pay：自2021年起為0.8與0.3（各縣（市、區）均值）",
        ),
        (
            "lever a.b: from 2021 on 0.8 and 0.3, over all counties",
            "槓桿a.b：自2021年起為0.8與0.3（各縣（市、區）合計）",
        ),
        ("and 3 levers more", "另有3項槓桿"),
        ("fact moving.consider_peer_factor: 2.0 and 0.0", "事實moving.consider_peer_factor：2.0與0.0"),
        ("and 2 facts more", "另有2項事實"),
        ("future: central and boom", "未來情形：central與boom"),
        ("alternatives: none and no_network", "模型結構（--without）：無與no_network"),
        ("they differ from the start, 2020:", "自起始的2020年已不同："),
        (
            "the same until 2021; they differ first after the phase 'labour' of 2021:",
            "2021年以前相同；最先在2021年的階段'labour'之後不同：",
        ),
        ("the same until 2022; one goes on", "至2022年相同；其中一次繼續"),
        ("no household and no place differs in any year to 2022", "至2022年，各家庭、各地點均無不同"),
        (
            "no household yet; place Kongtong/village: rent_yuan 12.5 and 13.0",
            "家庭尚無不同；地點崆峒區村：rent_yuan為12.5與13.0",
        ),
        ("no household yet; county Kongtong: budget 1.0 and 2.0", "家庭尚無不同；縣（市、區）崆峒區：budget為1.0與2.0"),
        ("household 12 is in the first run only (3 such)", "家庭12只在第一次運行中（此類共3個）"),
        ("person 12 is in the second run only (3 such)", "個人12只在第二次運行中（此類共3個）"),
        ("household 12 is the first of 3 that differ, by key", "按編號，家庭12是3個不同者中的第一個"),
        ("person 12 is the first of 3 that differ, by key", "按編號，個人12是3個不同者中的第一個"),
        ("  place: Huating/seat and none", "  place：華亭市縣城與無"),
    ],
)
def test_where_two_runs_part_is_said_in_chinese(line, expected):
    """Lines of `migrasim rerun` and `migrasim diff`, with their places; names of columns stay as tables have them."""
    assert chinese.told(titles.places_said(line, "zh-Hant"), "zh-Hant") == expected
    assert titles.places_said(line, "en") == line


def test_words_of_a_source_are_left_alone():
    """Only what is said as a whole is said in Chinese: a source that begins like a range with a unit stays as it is."""
    for source in ("30 to 50 yuan per mu in another county", "Bryan & Morten 2019, J. Political Economy"):
        assert chinese.said(source, "zh-Hant") == source
    assert titles.unit("yuan per month", "zh-Hant") == chinese.said("yuan per month", "zh-Hant") == "元/月"
