"""Tables of a comparison for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from migrasim.analysis.compare import Comparison
from migrasim.analysis.reasons import CORE, STAYS
from migrasim.facts import FactBook
from migrasim.present.language import Lang, phrase, reason, where
from migrasim.present.punctuation import title_in
from migrasim.present.sheet import Prose, Sheet
from migrasim.present.tables import amount, notes, people, percent
from migrasim.present.titles import dimension, group, unit
from migrasim.present.titles import scenario as scenario_title

if TYPE_CHECKING:
    from pandas import DataFrame

_SHOWN_LEVERS, _SHOWN_MOVES, _SHOWN_REASONS = 20, 12, 3
_TOWNS = ("town", "seat", CORE)
_LIKELY = 0.5  # the chance lies above it with its whole interval: likely
_SHARE, _MILLION = 100.0, 1e-6
# indicator, phrase of its title, what it is multiplied with, decimals
_SHOWN = (
    ("urbanization_rate", "resident_rate", _SHARE, 2),
    ("hukou_urbanization_rate", "registered_rate", _SHARE, 2),
    ("urban_population", "urban_residents", 1.0, 0),
    ("absent_population", "absent", 1.0, 0),
    ("public_cost_yuan", "public_cost_million", _MILLION, 0),
)


def summary(comparison: Comparison, lang: Lang = "en", *, reasons: bool = False) -> RenderableType:
    """What `migrasim compare` prints: notes, levers, differences, reasons on request, winners and losers."""
    parts: list[RenderableType] = [*notes(comparison, lang)]
    for name in comparison.others:
        parts += [levers(comparison, name, lang), differences(comparison, name, lang)]
        if reasons:
            parts += reasons_of(comparison, name, lang)
        parts.append(winners(comparison, name, lang))
    return Group(*parts)


def shown_years(comparison: Comparison) -> list[int]:
    """The years of the targets inside the span, and the last."""
    targets = [int(year) for year in comparison.provenance.get("targets") or {}]
    return sorted({*(year for year in targets if comparison.base < year < comparison.until), comparison.until})


def _names(comparison: Comparison, scenario: str, lang: Lang) -> dict[str, str]:
    """What the scenario and the reference are called."""
    titles = comparison.provenance.get("scenario_titles") or {}
    pair = {"scenario": scenario, "reference": comparison.reference}
    return {role: scenario_title(name, titles.get(name), lang) for role, name in pair.items()}


def levers(comparison: Comparison, scenario: str, lang: Lang = "en") -> RenderableType:
    """Levers that differ from the reference, at the years of the targets."""
    names = _names(comparison, scenario, lang)
    frame = comparison.levers()
    frame = frame[frame["scenario"] == scenario]
    if not len(frame):
        return Text(phrase("no_levers_differ", lang, **names))
    sheet = Sheet(phrase("levers_differ", lang, **names))
    sheet.words("", key=True)
    sheet.words("")
    years = shown_years(comparison)
    for year in years:
        sheet.numbers(*(f"{names[role]} {year}" for role in ("reference", "scenario")))
    book = FactBook.load()
    ids = list(dict.fromkeys(frame["lever"]))
    for lever in ids[:_SHOWN_LEVERS]:
        rows = frame[frame["lever"] == lever].set_index("year")
        what = str(rows["unit"].iloc[0])
        cells = [amount(float(rows.loc[year, column]), what) for year in years for column in ("reference", "value")]
        title = title_in(book.levers[lever].title, lang) if lever in book.levers else lever
        sheet.row(title, unit(what, lang), *cells)
    if len(ids) > _SHOWN_LEVERS:
        sheet.caption = phrase("more_levers", lang, number=len(ids) - _SHOWN_LEVERS)
    return sheet


def differences(comparison: Comparison, scenario: str, lang: Lang = "en") -> Sheet:
    """The main indicators in both, their difference with its interval, and how sure its sign is."""
    pairs = len(comparison.seeds)
    names = _names(comparison, scenario, lang)
    sheet = Sheet(phrase("differences", lang, pairs=pairs, **names))
    sheet.words("", key=True)
    sheet.numbers(phrase("year", lang), key=True)
    sheet.numbers(names["reference"], names["scenario"], phrase("difference", lang))
    if pairs > 1:
        sheet.words(phrase("interval", lang), phrase("chance", lang))
    else:
        sheet.caption = phrase("one_pair", lang)
    years = shown_years(comparison)
    for indicator, head, factor, decimals in _SHOWN:
        if indicator not in comparison.indicators:
            continue
        frame = comparison.difference(indicator)
        rows = frame[frame["scenario"] == scenario].set_index("year")
        for year in years:
            row = {str(name): float(rows.loc[year, name]) for name in rows.columns if name != "scenario"}  # type: ignore[arg-type]
            values = [f"{factor * row[name]:,.{decimals}f}" for name in ("reference", "value")]
            apart, low, high = (factor * row[name] for name in ("difference", "low", "high"))
            cells = [phrase(head, lang) if year == years[0] else "", str(year), *values, f"{apart:+,.{decimals}f}"]
            if pairs > 1:
                ends = {"low": f"{low:+,.{decimals}f}", "high": f"{high:+,.{decimals}f}"}
                cells += [phrase("from_to", lang, **ends), chance(row, lang)]
            sheet.row(*cells)
    return sheet


def chance(row: dict[str, float], lang: Lang = "en") -> str:
    """In how many pairs the scenario is higher, in words and with the interval of the chance."""
    pairs = int(row["pairs"])
    low, high = row["chance_low"], row["chance_high"]
    if row["chance"] in (0.0, 1.0):
        words = "surely_higher" if row["chance"] else "surely_lower"
    else:
        words = "likely_higher" if low > _LIKELY else "likely_lower" if high < _LIKELY else "either"
    wins = f"{row['chance'] * pairs:g}"
    return phrase(
        "chance_pairs", lang, wins=wins, pairs=pairs, words=phrase(words, lang), low=f"{low:.2f}", high=f"{high:.2f}"
    )


def reasons_of(comparison: Comparison, scenario: str, lang: Lang = "en") -> list[RenderableType]:
    """Who chose otherwise, from what to what, and why."""
    names = _names(comparison, scenario, lang)
    frame = comparison.reasons()
    frame = frame[frame["scenario"] == scenario]
    if not len(frame):
        return [Text(phrase("reasons_none", lang, **names))]
    done, wished = frame[frame["carried_out"]], frame[~frame["carried_out"]]
    head = phrase(
        "reasons_head", lang, **names, seed=comparison.seeds[0], first=comparison.base + 1, last=comparison.until,
        households=people(done.loc[done["first"], "households"].sum()), times=people(done["households"].sum()),
        wished=people(wished["households"].sum()),
    )  # fmt: skip
    groups = comparison.reasons_by_group()
    mine = groups[groups["scenario"] == scenario]
    return [Prose(head), _why(done, lang), _what(done, lang), _by_group(mine, comparison.base, lang)]


def _why(done: DataFrame, lang: Lang) -> Sheet:
    sheet = Sheet(phrase("reasons_why", lang))
    sheet.words(phrase("reason", lang), key=True)
    sheet.numbers(*(phrase(head, lang) for head in ("first_time", "share", "again", "to_town", "from_town")))
    before, after = (
        done[column].isin(_TOWNS) | ((done[column] == STAYS) & done["lives"].isin(_TOWNS)) for column in ("from", "to")
    )
    counted = done.assign(
        new=done["households"] * done["first"],
        again=done["households"] * ~done["first"],
        into=done["households"] * (after & ~before),
        out=done["households"] * (before & ~after),
    )
    sums = ["households", "new", "again", "into", "out"]
    total = counted[sums].sum()
    rows = _largest(counted, ["reason", "part"], sums)
    for row in sorted(rows, key=lambda row: -float(row["new"])):
        sheet.row(reason(row["reason"], row["part"], lang), *_counts(row, total["new"]))
    sheet.part()
    sheet.row(phrase("sum", lang), *_counts(dict(total), total["new"]), style="bold")
    return sheet


def _counts(row: dict[str, Any], total: float) -> list[str]:
    share = row["new"] / total if total else 0.0
    return [people(row["new"]), percent(share), *(people(row[name]) for name in ("again", "into", "out"))]


def _largest(frame: DataFrame, by: list[str], sums: list[str]) -> list[dict[str, Any]]:
    """Sums by some columns, most households first."""
    summed = frame.groupby(by, as_index=False)[sums].sum()
    rows = summed.sort_values("households", ascending=False, kind="stable").to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _what(done: DataFrame, lang: Lang) -> Sheet:
    """Moves by how often they were chosen: a household that chooses otherwise in several years counts each time."""
    sheet = Sheet(phrase("reasons_what", lang))
    sheet.words(phrase("from", lang), phrase("to", lang), key=True)
    sheet.numbers(phrase("times", lang))
    sheet.words(phrase("mostly", lang))
    for row in _largest(done, ["from", "to"], ["households"])[:_SHOWN_MOVES]:
        these = done[(done["from"] == row["from"]) & (done["to"] == row["to"])]
        why = _mostly(these, float(row["households"]), lang)
        sheet.row(where(row["from"], lang), where(row["to"], lang), people(row["households"]), why)
    return sheet


def _by_group(frame: DataFrame, base: int, lang: Lang) -> Sheet:
    """Who chose otherwise, counted each time as above."""
    sheet = Sheet(phrase("reasons_groups", lang), _said(("groups_note", "fifths_note"), base, lang))
    sheet.words(phrase("group", lang), key=True)
    sheet.numbers(phrase("times", lang))
    sheet.words(phrase("mostly", lang))
    for by, rows in frame.groupby("dimension", sort=False):
        sheet.part(dimension(str(by), lang))
        for name, these in rows.groupby("group", sort=False):
            total = float(these["households"].sum())
            sheet.row(group(str(name), lang), people(total), _mostly(these, total, lang))
    return sheet


def _mostly(these: DataFrame, total: float, lang: Lang) -> str:
    """The main reasons, each with its share."""
    why = _largest(these, ["reason", "part"], ["households"])[:_SHOWN_REASONS]
    parts = (f"{reason(each['reason'], each['part'], lang)} {each['households'] / total:.0%}" for each in why)
    return ("; " if lang == "en" else "；").join(parts)


def _said(notes: tuple[str, ...], base: int, lang: Lang) -> str:
    """Notes one after another, as the language sets its sentences."""
    return (" " if lang == "en" else "").join(phrase(note, lang, base=base) for note in notes)


def winners(comparison: Comparison, scenario: str, lang: Lang = "en") -> Sheet:
    """Winners and losers at the end, by group."""
    title = phrase("winners", lang, year=comparison.until, **_names(comparison, scenario, lang))
    sheet = Sheet(title, _said(("winners_note", "groups_note", "fifths_note"), comparison.base, lang))
    sheet.words(phrase("group", lang), key=True)
    heads = ("households", "welfare_before", "welfare_change", "gainers", "mean_gain", "losers", "mean_loss")
    sheet.numbers(*(phrase(head, lang) for head in heads))
    frame = comparison.groups()
    last = "all"
    for row in frame[(frame["scenario"] == scenario) & (frame["households"] > 0)].to_dict("records"):
        if row["dimension"] != last:
            last = row["dimension"]
            sheet.part(dimension(last, lang))
        before = row["reference_welfare_yuan_yr"]
        cells = [people(row["households"]), people(before), f"{row['welfare_yuan_yr'] - before:+,.0f}"]
        cells += [people(row["winners"]), f"{row['gain_yuan_yr']:+,.0f}"]
        cells += [people(row["losers"]), f"{row['loss_yuan_yr']:+,.0f}"]
        sheet.row(group(row["group"], lang), *cells)
    return sheet


__all__ = ["chance", "differences", "levers", "reasons_of", "shown_years", "summary", "winners"]
