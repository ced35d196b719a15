"""Words of the tables and figures, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterable

from migrasim.core.language import LANGS, Lang, simplified, title_in

__all__ = ["LANGS", "PHRASES", "Lang", "component", "phrase", "simplified", "title_in", "words"]

PHRASES: dict[str, tuple[str, str]] = {
    "trajectory": (
        "Trajectory {base}-{until}, scenario {scenario}, seed {seed}",
        "{base}-{until}年軌跡，情景 {scenario}，種子 {seed}",
    ),
    "figure": ("Urbanization of {region}, {base}-{until}", "{region}城鎮化軌跡，{base}-{until}年"),
    "year": ("Year", "年份"),
    "resident_rate": ("Resident rate %", "常住城鎮化率 %"),
    "registered_rate": ("Registered rate %", "戶籍城鎮化率 %"),
    "urban_residents": ("Urban residents", "城鎮常住人口"),
    "residents": ("Residents", "常住人口"),
    "absent": ("Absent people", "外出人口"),
    "published": ("Published %", "公佈值 %"),
    "target": ("Target %", "目標 %"),
    "distance": ("To target, points", "與目標之差（百分點）"),
    "target_note": (
        "Targets are goals to measure against, never data that were fitted.",
        "目標只作衡量之用，從不作為擬合數據。",
    ),
    "decomposition": ("What changed the resident rate, percentage points", "常住城鎮化率變化的來源，百分點"),
    "component": ("Component", "來源"),
    "sum": ("Sum", "合計"),
    "sample_note": (
        "SAMPLE: {share} of the households were run; each counts for {weight}.",
        "抽樣：只運行了 {share} 的家庭，每戶代表 {weight} 戶。",
    ),
    "note": ("Note", "注意"),
    "results_in": ("Results in {folder}", "結果存於 {folder}"),
    "rate_axis": ("share of people, %", "人口比例，%"),
    "people_axis": ("thousand people", "千人"),
    "points_axis": ("percentage points", "百分點"),
    "resident_line": ("resident rate", "常住城鎮化率"),
    "registered_line": ("registered rate", "戶籍城鎮化率"),
    "urban_line": ("urban residents", "城鎮常住人口"),
    "absent_line": ("absent people", "外出人口"),
    "record_line": ("published", "公佈值"),
    "target_line": ("target", "目標"),
    "decomposition_axis": ("change of the resident rate", "常住城鎮化率的變化"),
    "source": (
        "Source: migrasim {version}, run {run}, seed {seed}; sixth and seventh census and bulletins. "
        "Constants set by hand; not fitted.",
        "來源：migrasim {version}，運行 {run}，種子 {seed}；第六、七次人口普查及統計公報。常數由人工設定，尚未擬合。",
    ),
    "sampled": ("sample of {share}", "{share}抽樣"),
}

# components of the decomposition; a name that is not here is shown as it is
COMPONENTS: dict[str, tuple[str, str]] = {
    "moves_inside": ("Moves from villages to towns inside, net", "區內由村到鎮遷移（淨）"),
    "departures_rural": ("Departures to outside, rural", "離開本區（鄉村）"),
    "departures_urban": ("Departures to outside, urban", "離開本區（城鎮）"),
    "arrivals_and_returns_rural": ("Returns and arrivals, rural", "返回與遷入（鄉村）"),
    "arrivals_and_returns_urban": ("Returns and arrivals, urban", "返回與遷入（城鎮）"),
    "births_rural": ("Births, rural", "出生（鄉村）"),
    "births_urban": ("Births, urban", "出生（城鎮）"),
    "deaths_rural": ("Deaths, rural", "死亡（鄉村）"),
    "deaths_urban": ("Deaths, urban", "死亡（城鎮）"),
    "relocation": ("Relocation out of danger zones", "避險搬遷"),
    "reclassification": ("Villages that became towns", "村改為鎮（劃轉）"),
    "other_counties_rural": ("Moves between counties, rural", "縣際遷移（鄉村）"),
    "other_counties_urban": ("Moves between counties, urban", "縣際遷移（城鎮）"),
}


# heads of listings; a word that is not here is shown as it is
WORDS: dict[str, str] = {
    "scenario": "情景",
    "title": "名稱",
    "what it is": "說明",
    "lever": "槓桿",
    "unit": "單位",
    "bounds": "範圍",
    "2020": "2020年值",
    "plan": "規劃值",
    "status": "依據",
    "built": "已實現",
    "file": "文件",
    "group": "組別",
    "chapter of the plan": "規劃章節",
    "given for the region": "全區取值方式",
    "acts through": "作用途徑",
    "2020, range": "2020年值區間",
    "plan, range": "規劃值區間",
    "cost": "成本",
    "plan says": "規劃原文",
    "note": "備註",
    "fact": "事實",
    "value": "取值",
    "by": "分類",
    "range": "區間",
    "symbol": "符號",
    "role": "角色",
    "source": "來源",
    "read by a rule": "有規則讀取",
    "indicator": "指標",
    "how it is measured": "計量方法",
    "phase": "階段",
    "module": "模塊",
    "what happens": "內容",
    "seconds": "秒",
    "item": "項目",
    "number": "數量",
    "complete": "完整度",
    "year": "年份",
    "yes": "是",
    "no": "否",
}


def words(english: Iterable[str], lang: Lang) -> list[str]:
    """Heads of a listing in one language."""
    return [_in((word, WORDS[word]), lang) if word in WORDS else word for word in english]


def phrase(key: str, lang: Lang, **values: object) -> str:
    """A phrase in one language, filled."""
    return _in(PHRASES[key], lang).format(**values)


def component(name: str, lang: Lang) -> str:
    """Title of a component of the decomposition."""
    known = COMPONENTS.get(name)
    return _in(known, lang) if known else name.replace("_", " ")


def _in(pair: tuple[str, str], lang: Lang) -> str:
    return title_in({"en": pair[0], "zh_hant": pair[1]}, lang)
