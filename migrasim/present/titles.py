"""What units, groups, counties and scenarios are called in each language, for the terminal and the pages alike."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from migrasim.core.language import Lang, title_in
from migrasim.present.language import GROUPS, filled
from migrasim.region import Region

UNITS: dict[str, str] = {
    "beds per year": "張床位/年",
    "dwellings": "套",
    "homesteads": "處宅基地",
    "households": "戶",
    "households a year": "戶/年",
    "index": "指數",
    "jobs": "個崗位",
    "jobs by 2035": "個崗位（到2035年）",
    "m2 per settler": "平方米/落戶人口",
    "months": "個月",
    "moves a year": "次/年",
    "mu": "畝",
    "mu a year": "畝/年",
    "multiple of the estimated multiplier": "倍（相對估計乘數）",
    "nominal yuan": "元（現價）",
    "nominal yuan a month": "元/月（現價）",
    "nominal yuan a year": "元/年（現價）",
    "nominal yuan per person": "元/人（現價）",
    "percent per year": "%/年",
    "persons": "人",
    "persons a year": "人/年",
    "persons per year": "人/年",
    "places": "個學位",
    "places per year": "個學位/年",
    "probability": "概率",
    "ratio": "比",
    "share": "比例",
    "share a year": "比例/年",
    "share of planned works done": "規劃工程完成比例",
    "share of travel time saved": "節省行程時間比例",
    "units per year": "套/年",
    "yuan of 2020": "元（2020年價）",
    "yuan of 2020 a month": "元/月（2020年價）",
    "yuan of 2020 a year": "元/年（2020年價）",
    "yuan of 2020 per person": "元/人（2020年價）",
    "yuan per month": "元/月",
    "yuan per mu": "元/畝",
    "yuan per settler": "元/落戶人口",
}

# what households are grouped by, see `migrasim.welfare`
DIMENSIONS: dict[str, tuple[str, str]] = {
    "all": ("all", "全部"),
    "income": ("income", "收入"),
    "schooling": ("schooling", "學歷"),
    "age": ("age", "年齡"),
    "county": ("county", "縣（市、區）"),
}


def unit(english: str, lang: Lang) -> str:
    """A unit in one language; in English where nobody has said it in Chinese."""
    return title_in({"en": english, "zh_hant": UNITS.get(english, english)}, lang)


def dimension(name: str, lang: Lang) -> str:
    """Title of what households are grouped by."""
    return filled(DIMENSIONS[name], lang) if name in DIMENSIONS else name


def group(name: str, lang: Lang) -> str:
    """Title of a group of households: of its own, or of a county."""
    return filled(GROUPS[name], lang) if name in GROUPS else title_in(_counties().get(name, name), lang)


def scenario(name: str, title: Mapping[str, Any] | None, lang: Lang) -> str:
    """What a scenario is called: in English its name, as it is typed; in Chinese its title."""
    return name if lang == "en" or not title else " ".join(title_in(title, lang).split())


@lru_cache(maxsize=1)
def _counties() -> dict[str, dict[str, str]]:
    return {one.en: {"en": one.en, "zh_hant": one.zh_hant, "zh_hans": one.zh} for one in Region.only().counties}
