"""The years of one household in words: where it lives, and what it weighed when it considered moving."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from migrasim.core.language import Lang
from migrasim.domains.moving.rules import Terms
from migrasim.present.language import FORMS, PHRASES_OF_LIFE, TENURES, filled, reason, where
from migrasim.region import County

_LEAST_UTILS = 0.005  # a term below it is not told


def life(rows: Iterable[Mapping[str, Any]], counties: Sequence[County], lang: Lang = "en") -> list[str]:
    """Lines to read from the rows of `trace_household`: a year, then its alternatives, best first."""
    lines: list[str] = []
    weighing = False
    for row in rows:
        if "in_all" in row:
            if not weighing:
                lines.append(_phrase("considers", lang, month=row["month"]))
            lines.append(_alternative(row, counties, lang))
        elif row["what"] != "lives":
            lines.append(_phrase("gone", lang, year=row["year"]))
        else:
            lines.append(_year(row, counties, lang))
        weighing = "in_all" in row
    return lines


def _year(row: Mapping[str, Any], counties: Sequence[County], lang: Lang) -> str:
    apart = _phrase("apart", lang, place=_place(row["away"], counties, lang)) if row["away"] else ""
    return _phrase(
        "lives",
        lang,
        year=row["year"],
        place=_place(row["where"], counties, lang),
        apart=apart,
        members=row["members"],
        tenure=filled(TENURES[row["tenure"]], lang),
        land=f"{row['land_mu']:g}",
        savings=f"{row['savings_yuan']:,}",
    )


def _alternative(row: Mapping[str, Any], counties: Sequence[County], lang: Lang) -> str:
    told = [name for name in Terms._fields if abs(row[name]) >= _LEAST_UTILS]
    comma = ", " if lang == "en" else "，"
    terms = comma.join(f"{reason(name, '', lang)} {row[name]:+.2f}" for name in told)
    stays = row["form"] in ("stay", "return")
    return _phrase(
        "stands" if stays else "moves",
        lang,
        value=f"{row['in_all']:6.2f}",
        form=filled(FORMS[row["form"]], lang),
        place=_place(row["where"], counties, lang),
        terms=terms,
        luck=f"{row['luck']:+.2f}",
    )


def _place(name: str, counties: Sequence[County], lang: Lang) -> str:
    """A place as people say it; ``<County>/seat`` is its name in tables."""
    if "/" not in name:
        return where(name, lang)
    county, tier = name.split("/")
    if lang == "en":
        return name
    found = next((one for one in counties if one.en == county), None)
    said = county if found is None else found.zh if lang == "zh-Hans" else found.zh_hant
    return said + where(tier, lang)


def _phrase(key: str, lang: Lang, **values: object) -> str:
    return filled(PHRASES_OF_LIFE[key], lang, **values)
