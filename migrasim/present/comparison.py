"""Tables of a comparison for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from migrasim.analysis.compare import Comparison
from migrasim.analysis.reasons import CORE, STAYS
from migrasim.core.language import title_in
from migrasim.facts import FactBook
from migrasim.present.language import Lang, group, phrase, reason, where
from migrasim.present.tables import number, people, percent

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
    parts: list[RenderableType] = _notes(comparison, lang)
    for name in comparison.others:
        parts += [levers(comparison, name, lang), differences(comparison, name, lang)]
        if reasons:
            parts += reasons_of(comparison, name, lang)
        parts.append(winners(comparison, name, lang))
    return Group(*parts)


def _notes(comparison: Comparison, lang: Lang) -> list[RenderableType]:
    lines: list[RenderableType] = []
    if comparison.sample < 1:
        share, weight = f"{100 * comparison.sample:g}%", f"{1 / comparison.sample:g}"
        lines.append(Text(phrase("sample_note", lang, share=share, weight=weight), style="bold yellow"))
    head = phrase("note", lang)
    return lines + [Text(f"{head}: {title_in(note, lang)}", style="yellow") for note in comparison.notes]


def shown_years(comparison: Comparison) -> list[int]:
    """The years of the targets inside the span, and the last."""
    targets = [int(year) for year in comparison.provenance.get("targets") or {}]
    return sorted({*(year for year in targets if comparison.base < year < comparison.until), comparison.until})


def levers(comparison: Comparison, scenario: str, lang: Lang = "en") -> RenderableType:
    """Levers that differ from the reference, at the years of the targets."""
    names = {"scenario": scenario, "reference": comparison.reference}
    frame = comparison.levers()
    frame = frame[frame["scenario"] == scenario]
    if not len(frame):
        return Text(phrase("no_levers_differ", lang, **names))
    table = Table(title=phrase("levers_differ", lang, **names), title_style="bold", caption_justify="left")
    table.add_column("")
    table.add_column("")
    years = shown_years(comparison)
    for year in years:
        for name in (comparison.reference, scenario):
            table.add_column(f"{name} {year}", justify="right")
    book = FactBook.load()
    ids = list(dict.fromkeys(frame["lever"]))
    for lever in ids[:_SHOWN_LEVERS]:
        rows = frame[frame["lever"] == lever].set_index("year")
        cells = [number(float(rows.loc[year, column])) for year in years for column in ("reference", "value")]
        title = title_in(book.levers[lever].title, lang) if lever in book.levers else lever
        table.add_row(title, str(rows["unit"].iloc[0]), *cells)
    if len(ids) > _SHOWN_LEVERS:
        table.caption = phrase("more_levers", lang, number=len(ids) - _SHOWN_LEVERS)
    return table


def differences(comparison: Comparison, scenario: str, lang: Lang = "en") -> Table:
    """The main indicators in both, their difference with its interval, and how sure its sign is."""
    pairs = len(comparison.seeds)
    title = phrase("differences", lang, scenario=scenario, reference=comparison.reference, pairs=pairs)
    table = Table(title=title, title_style="bold")
    table.add_column("")
    heads = [phrase("year", lang), comparison.reference, scenario, phrase("difference", lang)]
    if pairs > 1:
        heads += [phrase("interval", lang), phrase("chance", lang)]
    else:
        table.caption, table.caption_justify = phrase("one_pair", lang), "left"
    for head in heads:
        table.add_column(head, justify="right")
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
                cells += [f"{low:+,.{decimals}f} … {high:+,.{decimals}f}", chance(row, lang)]
            table.add_row(*cells)
    return table


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
    names = {"scenario": scenario, "reference": comparison.reference}
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
    return [Text(head), _why(done, lang), _what(done, lang), _by_group(groups[groups["scenario"] == scenario], lang)]


def _why(done: DataFrame, lang: Lang) -> Table:
    table = Table(title=phrase("reasons_why", lang), title_style="bold")
    table.add_column(phrase("reason", lang))
    for head in ("first_time", "share", "again", "to_town", "from_town"):
        table.add_column(phrase(head, lang), justify="right")
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
        table.add_row(reason(row["reason"], row["part"], lang), *_counts(row, total["new"]))
    table.add_section()
    table.add_row(phrase("sum", lang), *_counts(dict(total), total["new"]), style="bold")
    return table


def _counts(row: dict[str, Any], total: float) -> list[str]:
    share = row["new"] / total if total else 0.0
    return [people(row["new"]), percent(share), *(people(row[name]) for name in ("again", "into", "out"))]


def _largest(frame: DataFrame, by: list[str], sums: list[str]) -> list[dict[str, Any]]:
    """Sums by some columns, most households first."""
    summed = frame.groupby(by, as_index=False)[sums].sum()
    rows = summed.sort_values("households", ascending=False, kind="stable").to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _what(done: DataFrame, lang: Lang) -> Table:
    table = Table(title=phrase("reasons_what", lang), title_style="bold")
    table.add_column(phrase("from", lang))
    table.add_column(phrase("to", lang))
    table.add_column(phrase("households", lang), justify="right")
    table.add_column(phrase("mostly", lang))
    for row in _largest(done, ["from", "to"], ["households"])[:_SHOWN_MOVES]:
        these = done[(done["from"] == row["from"]) & (done["to"] == row["to"])]
        why = _largest(these, ["reason", "part"], ["households"])[:_SHOWN_REASONS]
        words = [
            f"{reason(each['reason'], each['part'], lang)} {each['households'] / row['households']:.0%}" for each in why
        ]
        table.add_row(where(row["from"], lang), where(row["to"], lang), people(row["households"]), "; ".join(words))
    return table


def _by_group(frame: DataFrame, lang: Lang) -> Table:
    table = Table(title=phrase("reasons_groups", lang), title_style="bold")
    table.add_column(phrase("group", lang))
    table.add_column(phrase("households", lang), justify="right")
    table.add_column(phrase("mostly", lang))
    last = ""
    for dimension, name in dict.fromkeys(zip(frame["dimension"], frame["group"], strict=True)):
        if dimension != last and last:
            table.add_section()
        last = dimension
        these = frame[(frame["dimension"] == dimension) & (frame["group"] == name)]
        total = float(these["households"].sum())
        why = _largest(these, ["reason", "part"], ["households"])[:_SHOWN_REASONS]
        words = [f"{reason(each['reason'], each['part'], lang)} {each['households'] / total:.0%}" for each in why]
        table.add_row(group(name, lang), people(total), "; ".join(words))
    return table


def winners(comparison: Comparison, scenario: str, lang: Lang = "en") -> Table:
    """Winners and losers at the end, by group."""
    names = {"scenario": scenario, "reference": comparison.reference}
    title = phrase("winners", lang, year=comparison.until, **names)
    table = Table(title=title, title_style="bold", caption=phrase("winners_note", lang), caption_justify="left")
    table.add_column(phrase("group", lang))
    for head in ("households", "welfare_before", "welfare_change", "gainers", "mean_gain", "losers", "mean_loss"):
        table.add_column(phrase(head, lang), justify="right")
    frame = comparison.groups()
    last = ""
    for row in frame[frame["scenario"] == scenario].to_dict("records"):
        if row["dimension"] != last:
            table.add_section()
            last = row["dimension"]
        if not row["households"]:
            continue
        before = row["reference_welfare_yuan_yr"]
        cells = [people(row["households"]), people(before), f"{row['welfare_yuan_yr'] - before:+,.0f}"]
        cells += [people(row["winners"]), f"{row['gain_yuan_yr']:+,.0f}"]
        cells += [people(row["losers"]), f"{row['loss_yuan_yr']:+,.0f}"]
        table.add_row(group(row["group"], lang), *cells)
    return table


__all__ = ["chance", "differences", "levers", "reasons_of", "shown_years", "summary", "winners"]
