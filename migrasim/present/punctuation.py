"""Punctuation as Chinese sets it: full-width beside Chinese characters, whatever the data were typed with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from migrasim.core import language
from migrasim.core.language import Lang

_HAN = r"\u3400-\u9fff"
_MARKS = r"\u3001-\u3011\uff01-\uff60"
_WIDE = {",": "，", ";": "；", ":": "：", "!": "！", "?": "？", "(": "（", ")": "）"}
# brackets that hold or touch Chinese, unless they are those of a formula such as ln(x)
_PAIR = re.compile(rf"(?<![A-Za-z0-9_]) ?\(([^()]*)\)|(?<=[A-Za-z0-9_]) ?\(([^()]*[{_HAN}][^()]*)\)")
_MARK = re.compile(rf"(?<=[{_HAN}{_MARKS}]) ?[,;:!?] ?|[,;:!?] ?(?=[{_HAN}])")


@lru_cache(maxsize=4096)
def full_width(text: str) -> str:
    """A Chinese text with its punctuation full-width; numbers, paths, names in code and formulas stay as they are.

    Examples
    --------
    >>> full_width("自2026年起無力支付1,234.5億元,未建成(分縣見unpaid_yuan)。")
    '自2026年起無力支付1,234.5億元，未建成（分縣見unpaid_yuan）。'
    >>> full_width("plain (English), as it is: 1:2")
    'plain (English), as it is: 1:2'
    """
    if text.isascii():
        return text
    while (found := _MARK.sub(_wide, _PAIR.sub(_bracketed, text))) != text:  # a mark that was set may touch another
        text = found
    return text


def _wide(mark: re.Match[str]) -> str:
    return _WIDE[mark[0].strip()]


def _bracketed(found: re.Match[str]) -> str:
    inner = found[1] if found[1] is not None else found[2]
    near = found.string[max(0, found.start() - 1) : found.start()] + inner + found.string[found.end() : found.end() + 1]
    formula = found[2] is not None and re.search(r" [-+*/=^] |=", inner)
    return f"（{inner}）" if re.search(rf"[{_HAN}{_MARKS}]", near) and not formula else found[0]


def title_in(title: object, lang: Lang) -> str:
    """A title in one language, as `migrasim.core.language.title_in`, with the punctuation of that language."""
    text = language.title_in(title, lang)
    return text if lang == "en" else full_width(text)


def listed(parts: Iterable[str], lang: Lang) -> str:
    """Parts in one line with semicolons between them, whatever they end in.

    Examples
    --------
    >>> listed(["A: 0.2", "B: 0.6"], "en"), listed(["甲 0.2", "B"], "zh-Hant")
    ('A: 0.2; B: 0.6', '甲 0.2；B')
    """
    return ("; " if lang == "en" else "；").join(parts)


def punctuated(text: str, lang: Lang) -> str:
    """A line that was put together of parts, with the punctuation of its language."""
    return text if lang == "en" else full_width(text)
