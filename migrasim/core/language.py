"""Languages of titles: English, Chinese in traditional and in simplified characters.

Titles are data: each has ``en`` and ``zh_hant``; ``zh_hans`` is made of ``zh_hant`` where it is
not given, by OpenCC's tables (imported where first needed).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, get_args

Lang = Literal["en", "zh-Hant", "zh-Hans"]
LANGS: tuple[Lang, ...] = get_args(Lang)


@lru_cache(maxsize=1)
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")


@lru_cache(maxsize=4096)
def simplified(text: str) -> str:
    """Text in simplified characters; what is not Chinese stays as it is.

    Examples
    --------
    >>> simplified("城鎮化率 2035")
    '城镇化率 2035'
    """
    return text if text.isascii() else str(_converter().convert(text))


def _part(title: object, key: str) -> str:
    value = title.get(key) if isinstance(title, Mapping) else getattr(title, key, None)
    return str(value) if value else ""


def title_in(title: object, lang: Lang) -> str:
    """A title in one language; English where the Chinese is missing.

    Parameters
    ----------
    title
        A mapping or an object with ``en``, ``zh_hant`` and perhaps ``zh_hans``; a bare string is
        the same in every language.
    lang
        ``en``, ``zh-Hant`` or ``zh-Hans``.

    Examples
    --------
    >>> title_in({"en": "rent", "zh_hant": "租金"}, "zh-Hant")
    '租金'
    """
    if isinstance(title, str):
        return title
    english, traditional = _part(title, "en"), _part(title, "zh_hant")
    if lang == "en":
        return english or traditional
    if lang == "zh-Hant":
        return traditional or english
    return _part(title, "zh_hans") or simplified(traditional) or english
