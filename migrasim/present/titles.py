"""What units, groups, counties and scenarios are called in each language, for the terminal and the pages alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from migrasim.core.language import Lang
from migrasim.present.language import GROUPS, filled, where
from migrasim.present.punctuation import title_in
from migrasim.region import Region

UNITS: dict[str, str] = {
    "% per % inflow": "%（人口流入每增1%）",
    "-": "無量綱",
    "0-1": "0至1",
    "10k mu (apple)": "萬畝（蘋果）",
    "10k persons": "萬人",
    "10k persons/year": "萬人/年",
    "beds per 1000 residents": "張床位/千人",
    "beds per year": "張床位/年",
    "centres": "個中心",
    "children/woman": "個孩子/婦女",
    "code": "代碼",
    "dimensionless": "無量綱",
    "dwellings": "套",
    "dwellings per m2": "套/平方米",
    "elasticity over ten years": "十年彈性",
    "exponent": "指數（冪）",
    "factor": "倍數",
    "flag": "開關",
    "homesteads": "處宅基地",
    "households": "戶",
    "households a year": "戶/年",
    "households per year": "戶/年",
    "income factor": "收入倍數",
    "index": "指數",
    "jobs": "個崗位",
    "jobs by 2035": "個崗位（到2035年）",
    "jobs per job": "個崗位/個崗位",
    "jobs per m2": "個崗位/平方米",
    "km": "公里",
    "level": "級",
    "log points": "對數點",
    "m2 per job": "平方米/個崗位",
    "m2 per settler": "平方米/落戶人口",
    "minutes": "分鐘",
    "months": "個月",
    "moves a year": "次/年",
    "mu": "畝",
    "mu a year": "畝/年",
    "mu per farmer": "畝/務農者",
    "mu per homestead": "畝/處宅基地",
    "mu per household": "畝/戶",
    "mu per household share": "畝/戶集體份額",
    "multiple of the estimated multiplier": "倍（相對估計乘數）",
    "nominal yuan": "元（現價）",
    "nominal yuan a month": "元/月（現價）",
    "nominal yuan a year": "元/年（現價）",
    "nominal yuan per person": "元/人（現價）",
    "per 1000": "‰",
    "per log income": "每單位對數收入",
    "per month": "每月",
    "per year": "每年",
    "percent": "%",
    "percent per year": "%/年",
    "persons": "人",
    "persons a year": "人/年",
    "persons per year": "人/年",
    "persons/year": "人/年",
    "places": "個學位",
    "places per year": "個學位/年",
    "plots": "塊",
    "points": "分",
    "points per year": "分/年",
    "pp": "百分點",
    "pp of rural-origin labour": "百分點（農村出身勞動力）",
    "pp per 10 pp of co-villagers": "百分點/同鄉比例10個百分點",
    "probability": "概率",
    "ratio": "比",
    "ratio of within-province migration": "省內遷移之比",
    "relative risk": "相對風險",
    "runs": "次運行",
    "share": "比例",
    "share (60+)": "比例（60歲及以上）",
    "share (government)": "比例（政府）",
    "share (rent shown)": "比例（租房）",
    "share a year": "比例/年",
    "share of farmland": "耕地比例",
    "share of jobs": "崗位比例",
    "share of planned works done": "規劃工程完成比例",
    "share of real wage gain": "實際工資增幅之比例",
    "share of the yearly budget": "年度預算之比例",
    "share of these jobs": "所指崗位之比例",
    "share of transfer incentive removed at full parity": "完全均等時消除的落戶激勵比例",
    "share of travel time saved": "節省行程時間比例",
    "share of utility": "效用之比例",
    "share per percentage point": "比例/百分點",
    "share/year (rural)": "比例/年（農村）",
    "sign": "正負號",
    "standard deviation of the log price": "對數價格的標準差",
    "units per year": "套/年",
    "utils": "效用單位",
    "utils per homestead expected to be lost": "效用單位/預期失去的宅基地",
    "utils per log km": "效用單位/對數公里",
    "utils per log of residents": "效用單位/對數常住人口",
    "utils per log price": "效用單位/對數價格",
    "utils per log year": "效用單位/對數年",
    "utils per mu expected to be lost": "效用單位/預期失去的承包地（畝）",
    "utils per share expected to be lost": "效用單位/預期失去的集體份額",
    "utils per unit share": "效用單位/單位比例",
    "utils per year of schooling": "效用單位/受教育年",
    "year": "年份",
    "years": "年",
    "years/year": "年/年",
    "yuan": "元",
    "yuan for the sponge-city programme": "元（海綿城市項目）",
    "yuan of 2020": "元（2020年價）",
    "yuan of 2020 a month": "元/月（2020年價）",
    "yuan of 2020 a year": "元/年（2020年價）",
    "yuan of 2020 per job and year": "元/個崗位·年（2020年價）",
    "yuan of 2020 per person": "元/人（2020年價）",
    "yuan per bed": "元/張床位",
    "yuan per centre": "元/個中心",
    "yuan per dwelling": "元/套",
    "yuan per employee": "元/職工",
    "yuan per household": "元/戶",
    "yuan per insured person": "元/參保人",
    "yuan per job": "元/個崗位",
    "yuan per km": "元/公里",
    "yuan per km of railway": "元/公里鐵路",
    "yuan per m2 of hall": "元/平方米廠房",
    "yuan per month": "元/月",
    "yuan per mu": "元/畝",
    "yuan per mu and year": "元/畝·年",
    "yuan per mu of improved farmland": "元/畝改良耕地",
    "yuan per mu of park": "元/畝園區",
    "yuan per permit": "元/證",
    "yuan per person": "元/人",
    "yuan per person and year": "元/人·年",
    "yuan per place": "元/個學位",
    "yuan per pupil": "元/學生",
    "yuan per settler": "元/落戶人口",
    "yuan per starter": "元/創業者",
    "yuan per trained person": "元/受訓者",
    "yuan per urban resident and year for the whole index": "元/城鎮居民·年（指數由0至1）",
    "yuan per urban resident for the whole index": "元/城鎮居民（指數由0至1）",
    "yuan per urban resident over five years": "元/城鎮居民（五年合計）",
    "yuan per village resident for the whole index": "元/村居民（指數由0至1）",
    "yuan per year": "元/年",
    "yuan per year and person": "元/人·年",
    "yuan per year for each yuan per month, per household": "元/年·戶（每月每補貼1元）",
    "yuan per yuan of award": "元/元獎勵",
    "yuan per yuan of compensation": "元/元補償",
    "yuan, one-off equivalent": "元（折合一次性）",
    "yuan/month": "元/月",
    "yuan/mu": "元/畝",
    "yuan/mu/year": "元/畝·年",
    "yuan/person": "元/人",
    "yuan/year": "元/年",
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
    """Title of a group of households: of its own, or of a county or the region."""
    return filled(GROUPS[name], lang) if name in GROUPS else title_in(_places().get(name, name), lang)


def place(name: str, lang: Lang) -> str:
    """Title of a county or the region, or of a place inside a county: ``<County>/seat`` is its name in tables."""
    county, _, tier = name.partition("/")
    return name if lang == "en" else group(county, lang) + (where(tier, lang) if tier else "")


def places_said(line: str, lang: Lang) -> str:
    """A line in which the names of places, as tables have them, are said in one language."""
    if lang == "en":
        return line
    counties = "|".join(re.escape(one.en) for one in Region.only().counties)
    return re.sub(rf"\b(?:{counties})(?:/(?:village|town|seat))?(?!\w)", lambda found: place(found[0], lang), line)


def scenario(name: str, title: Mapping[str, Any] | None, lang: Lang) -> str:
    """What a scenario is called: in English its name, as it is typed; in Chinese its title."""
    return name if lang == "en" or not title else " ".join(title_in(title, lang).split())


@lru_cache(maxsize=1)
def _places() -> dict[str, dict[str, str]]:
    region = Region.only()
    found = {one.en: {"en": one.en, "zh_hant": one.zh_hant, "zh_hans": one.zh} for one in region.counties}
    return found | {region.title["en"]: region.title}
