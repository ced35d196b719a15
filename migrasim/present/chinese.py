"""What the program says in English in many places, in Chinese: cells of tables, and messages by their form.

Titles and phrases are bilingual where they stand. What is not (levers' ways of acting, measures of indicators, errors
of whatever file) is said in ``chinese.yaml``, by its English; what is not there stays English.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from migrasim.core.documents import read_mapping
from migrasim.core.language import Lang, simplified
from migrasim.present.titles import UNITS

_TAILS = {
    "allowed": "可用",
    "built groups": "已實現的組別",
    "domains": "領域",
    "groups": "組別",
    "known": "已知",
    "needed": "需要",
}
_HELP = re.compile(r"(?P<rest>.+) \(see (?P<command>.+) --help\)")
_HINT = re.compile(r"(?P<rest>.+?)[.;]? did you mean '(?P<name>[^']+)'\?")
_TAIL = re.compile(rf"(?P<rest>.+?); (?P<head>{'|'.join(_TAILS)}): (?P<list>.+)")


def said(text: str, lang: Lang) -> str:
    """A word, unit, range or sentence in one language; as it stands where nobody has said it in Chinese.

    Examples
    --------
    >>> said("copied to every county", "zh-Hans"), said("0 to 2000 yuan per month", "zh-Hant")
    ('各县（市、区）相同', '0至2000（元/月）')
    """
    return text if lang == "en" else _script(_part(text), lang)


def told(message: str, lang: Lang) -> str:
    """A message in one language: what is wrong, where, what is allowed, the nearest name.

    Examples
    --------
    >>> told("--set industry: the mapping is empty; years are expected", "zh-Hant")
    '--set industry：映射為空；應有年份'
    >>> told("unknown lever 'hukou.opennes'. did you mean 'hukou.openness'?", "zh-Hans")
    "未知的杠杆'hukou.opennes'；是否指'hukou.openness'？"
    """
    return message if lang == "en" else _script(_message(message), lang)


def _script(text: str, lang: Lang) -> str:
    return simplified(text) if lang == "zh-Hans" else text


@lru_cache(maxsize=1)
def _book() -> tuple[dict[str, str], list[tuple[re.Pattern[str], str, list[str]]], list[tuple[re.Pattern[str], str]]]:
    """Words, and forms of parts and of lines; before a line may stand where it holds, in parts with colons."""
    found = read_mapping(Path(__file__).with_name("chinese.yaml"), "chinese.yaml")
    parts = [
        (re.compile(_form(english)), chinese, re.findall(r"{(\w+)!}", english))
        for english, chinese in found["parts"].items()
    ]
    where = r"(?P<where>(?:[^:]*: )*)"
    lines = [(re.compile(where + _form(english)), chinese) for english, chinese in found["lines"].items()]
    return {**UNITS, **found["words"]}, parts, lines


def _form(english: str) -> str:
    """Pattern of a text with places: {name} for anything, {name#} for what has a digit, {name!} for a known word."""
    numbers = re.sub(r"\\\{(\w+)\\#\\\}", r"(?P<\1>\\S*\\d\\S*)", re.escape(english))
    return re.sub(r"\\\{(\w+)!?\\\}", r"(?P<\1>.+?)", numbers)


def _part(text: str) -> str:
    words, parts, _ = _book()
    if text in words:
        return words[text]
    for form, chinese, known in parts:
        if (fits := form.fullmatch(text)) and all(fits[name] in words for name in known):
            return chinese.format(**{name: _part(value) for name, value in fits.groupdict().items()})
    return text


def _message(text: str) -> str:
    text = text.removesuffix(".")
    if fits := _HELP.fullmatch(text):
        return f"{_message(fits['rest'])}（見{fits['command']} --help）"
    if fits := _HINT.fullmatch(text):
        return f"{_message(fits['rest'])}；是否指'{fits['name']}'？"
    if fits := _TAIL.fullmatch(text):
        return f"{_message(fits['rest'])}；{_TAILS[fits['head']]}：{_part(fits['list'])}"
    for form, chinese in _book()[2]:
        if fits := form.fullmatch(text):
            filled = {name: _part(value) for name, value in fits.groupdict().items()}
            return filled.pop("where").replace(": ", "：") + chinese.format(**filled)
    return text
