"""What the tables and sentences of a report say, as plain data for its page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from migrasim.core.language import Lang
from migrasim.facts import Fact, FactBook, Lever
from migrasim.indicators import CATALOGUE
from migrasim.present.chinese import said
from migrasim.present.explorer.words import unit as unit_in
from migrasim.present.language import component, group, phrase
from migrasim.present.punctuation import punctuated, title_in
from migrasim.present.report.headline import ASSUMED, percent
from migrasim.present.report.view import REAL_YUAN, Changed, View, price_index
from migrasim.present.report.words import word
from migrasim.present.tables import ABSENT, KEY_INDICATORS, RATE, REGISTERED_RATE, amount, number
from migrasim.variants import futures

if TYPE_CHECKING:
    pass

_COST_ITEMS, _MILLION = 15, 1e-6
_NO_LEVER = ("citizenization.services", "three_rights.exit")  # costs that follow from who moves and who gives up rights
_FEW_COLUMNS = 3  # scenarios that the table of levers shows at several years


class Table(NamedTuple):
    """A table of the page: heads, rows of cells, and the number of columns at the left that hold words."""

    heads: list[str]
    rows: list[list[str]]
    words: int = 1
    caption: str = ""


def title(view: View, lang: Lang) -> str:
    """Title of the page."""
    about: dict[str, object] = {"region": view.region_title(lang), "base": view.base, "until": view.until}
    names = [view.title(name, lang) for name in view.scenarios]
    if view.batch is not None:
        name = " ".join(title_in(view.batch.manifest.title or view.ident, lang).split())
        return word("title_batch", lang, name=name, **about)
    if view.comparison is None:
        return word("title_run", lang, scenario=names[0], **about)
    return word("title_comparison", lang, reference=names[0], others=_listed(names[1:], lang), **about)


def _listed(names: list[str], lang: Lang) -> str:
    between = ", " if lang == "en" else "、"
    return word("and", lang).join([between.join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def notes(view: View, lang: Lang) -> list[str]:
    """Everything a reader must know first: a sample, then the notes of the runs."""
    lines = []
    if view.sample < 1:
        share, weight = f"{100 * view.sample:g}%", f"{1 / view.sample:g}"
        lines.append(phrase("sample_note", lang, share=share, weight=weight))
    return lines + [title_in(note, lang) for note in view.notes]


# -- levers ------------------------------------------------------------------------------------


def levers(view: View, lang: Lang) -> list[dict[str, Any]]:
    """Changed levers by group: each with its values, status, bounds and the sentence of the plan."""
    book = FactBook.load()
    shown, years = _lever_columns(view)
    groups: dict[str, list[dict[str, Any]]] = {}
    for each in view.changed:
        name = each.lever.group if each.lever else ""
        groups.setdefault(name, []).append(_lever(each, shown, len(years), lang))
    order = [name for name in book.groups if name in groups] + [name for name in groups if name not in book.groups]
    return [
        {
            "title": title_in(book.groups[name], lang) if name in book.groups else word("unknown_lever", lang),
            "levers": groups[name],
        }
        for name in order
    ]


def _lever_columns(view: View) -> tuple[tuple[str, ...], list[int]]:
    """Scenarios and years that the table of levers has room for."""
    shown = view.scenarios if view.comparison is None else view.scenarios[1:]
    return shown, view.years[1:] if len(shown) <= _FEW_COLUMNS else view.years[-1:]


def lever_heads(view: View, lang: Lang) -> list[str]:
    """Heads of the table of levers."""
    shown, years = _lever_columns(view)
    columns = [f"{view.title(name, lang)} {year}" if len(shown) > 1 else str(year) for name in shown for year in years]
    start = word("status_quo", lang) if view.comparison is None else view.title(view.scenarios[0], lang)
    return [word("lever", lang), f"{start} {view.until}", *columns, word("status", lang)]


def _lever(changed: Changed, shown: Iterable[str], years: int, lang: Lang) -> dict[str, Any]:
    lever = changed.lever
    reference = next(iter(set(changed.values) - set(shown)), None)
    start = changed.status_quo if reference is None else changed.values[reference][-1]
    unit = lever.unit if lever else ""
    values = [each for name in shown for each in changed.values.get(name, (None,) * years)[-years:]]
    planned = [changed.planned[name] for name in shown if name in changed.planned]
    words = dict.fromkeys(word(lever.plan.status if each and lever else "own_value", lang) for each in planned)
    if changed.by_county:
        words[word("by_county", lang)] = None
    return {
        "id": changed.id,
        "title": title_in(lever.title, lang) if lever else changed.id,
        "unit": unit_in(unit, lang),
        "cells": [amount(each, unit) for each in (start, *values)],
        "status": punctuated("; ".join(words), lang),
        "assumed": lever is not None and lever.plan.status in ASSUMED,
        "bounds": f"{number(lever.bounds[0])} – {number(lever.bounds[1])}" if lever else "",
        "says": word("plan_says", lang, chapter=lever.chapter) if lever else "",
        "quote": title_in({"zh_hant": lever.quote}, lang) if lever else "",
    }


# -- tables ------------------------------------------------------------------------------------


def trajectory(view: View, lang: Lang) -> Table:
    """Rates and people at the years shown, the published record and the goals."""
    record = view.record(RATE)
    heads = [word("scenario", lang), word("year", lang)]
    heads += [phrase(each, lang) for each in ("resident_rate", "registered_rate", "urban_residents", "residents")]
    heads += [phrase("absent", lang), word("published", lang), word("target", lang)]
    columns = (RATE, REGISTERED_RATE, "urban_population", "resident_population", ABSENT)
    years = sorted({*view.years, *(year for year in record if view.base <= year <= view.until)})
    rows = []
    for name in view.scenarios:
        for year in years:
            cells = [view.title(name, lang) if year == years[0] else "", str(year)]
            for column in columns:
                value = view.at(column, name, year) if view.has(column) else float("nan")
                cells.append("" if value != value else f"{100 * value:.2f}" if value <= 1 else f"{value:,.0f}")
            cells += [f"{100 * each[year]:.2f}" if year in each else "" for each in (record, view.targets)]
            rows.append(cells)
    return Table(heads, rows, 2, word("chart_trajectory", lang))


def decomposition(view: View, lang: Lang) -> Table | None:
    """Percentage points by component over the whole span, and their sum; None where no table has them."""
    if not len(view.decomposition):
        return None
    parts = {name: view.points(name, view.base, view.until) for name in view.scenarios}
    names = dict.fromkeys(each for points in parts.values() for each, value in points.items() if value)
    names |= {each: None for points in parts.values() for each in points if each in names}
    rows = [[component(each, lang), *(f"{points.get(each, 0.0):+.2f}" for points in parts.values())] for each in names]
    rows.append([phrase("sum", lang), *(f"{sum(points.values()):+.2f}" for points in parts.values())])
    span = {"first": view.base, "last": view.until}
    caption = word(
        "unit_beside", lang, what=word("chart_decomposition_span", lang, **span), unit=phrase("points_axis", lang)
    )
    return Table(
        [phrase("component", lang), *(view.title(name, lang) for name in view.scenarios)], rows, caption=caption
    )


def counties(view: View, lang: Lang) -> Table:
    """Rate and urban residents of the counties at both ends."""
    shown = view.scenarios
    heads = [word("county", lang), word("rate_of", lang, year=view.base)]
    heads += [f"{word('rate_of', lang, year=view.until)} · {view.title(name, lang)}" for name in shown]
    heads += [word("urban_of", lang, year=view.base)]
    heads += [f"{word('urban_of', lang, year=view.until)} · {view.title(name, lang)}" for name in shown]
    rows = []
    for place in view.counties:
        cells = [view.place_title(place, lang)]
        for indicator, write in ((RATE, percent), ("urban_population", lambda value: f"{value:,.0f}")):
            cells.append(write(view.at(indicator, shown[0], view.base, place)))
            cells += [write(view.at(indicator, name, view.until, place)) for name in shown]
        rows.append(cells)
    return Table(heads, rows, caption=word("tab_counties", lang, first=view.base, last=view.until))


def cost_sentences(view: View, lang: Lang) -> list[str]:
    """Public cost per additional urban resident, and what counties could not pay."""
    said, prices = [], word("prices_nominal" if view.nominal else "prices_2020", lang)
    for name in view.scenarios:
        if view.has("cumulative_cost_yuan_per_new_resident"):
            yuan = view.at("cumulative_cost_yuan_per_new_resident", name, view.until)
            if yuan == yuan:
                said.append(
                    word(
                        "per_resident", lang, first=view.base + 1, last=view.until, yuan=f"{yuan:,.0f}",
                        scenario=view.title(name, lang), prices=prices,
                    )
                )  # fmt: skip
        if view.has("unpaid_yuan"):
            unpaid = float(view.series("unpaid_yuan", name)["mean"].sum()) * _MILLION
            if unpaid > 0:
                said.append(word("unpaid", lang, scenario=view.title(name, lang), yuan=f"{unpaid:,.0f}", prices=prices))
    return said


def cost_items(view: View, lang: Lang) -> Table | None:
    """The largest costs by measure and payer; of a single run only, whose payments are on record."""
    if view.run is None or not len(view.run.costs):
        return None
    book = FactBook.load()
    frame = view.run.costs
    frame = frame[frame["item"].isin([*book.levers, *_NO_LEVER])]
    if view.nominal:
        frame = frame.assign(yuan=frame["yuan"] * frame["year"].map(price_index(view)))
    sums = frame.pivot_table(index="item", columns="payer", values="yuan", aggfunc="sum").fillna(0.0)
    if not len(sums):
        return None
    sums = sums.loc[sums.sum(axis=1).sort_values(ascending=False, kind="stable").index[:_COST_ITEMS]]
    payers = [
        name
        for name in ("county", "higher", "enterprise", "household", "collective")
        if name in sums and sums[name].any()
    ]
    heads = [word("item", lang)]
    heads += [word(f"{name}_cost_yuan", lang) for name in payers]
    rows = []
    for item in sums.index:
        yuan = [*(float(sums.loc[item, name]) for name in payers), float(sums.loc[item].sum())]
        name = word(item, lang) if item in _NO_LEVER else title_in(book.lever(str(item)).title, lang)
        rows.append([name, *(f"{_MILLION * each:,.1f}" for each in yuan)])
    prices = word("prices_nominal" if view.nominal else "prices_2020", lang)
    caption = word("cost_items", lang, first=view.base + 1, last=view.until, prices=prices)
    return Table([*heads, word("payer_total", lang)], rows, caption=caption)


def winners(view: View, lang: Lang) -> list[Table]:
    """Of a comparison, for each scenario: households by group, who gains and who loses, and by how much."""
    if view.comparison is None:
        return []
    index = price_index(view)[view.until] if view.nominal else 1.0
    frame, tables = view.comparison.groups(), []
    names = {"reference": view.title(view.scenarios[0], lang), "year": view.until}
    heads = ["group", "households", "welfare_before", "welfare_change", "gainers", "mean_gain", "losers", "mean_loss"]
    for scenario in view.comparison.others:
        rows = []
        for row in frame[(frame["scenario"] == scenario) & (frame["households"] > 0)].to_dict("records"):
            before, after = (index * row[name] for name in ("reference_welfare_yuan_yr", "welfare_yuan_yr"))
            cells = [_group(view, row["group"], lang), f"{row['households']:,.0f}", f"{before:,.0f}"]
            cells += [f"{after - before:+,.0f}", f"{row['winners']:,.0f}", f"{index * row['gain_yuan_yr']:+,.0f}"]
            cells += [f"{row['losers']:,.0f}", f"{index * row['loss_yuan_yr']:+,.0f}"]
            rows.append(cells)
        caption = phrase("winners", lang, scenario=view.title(scenario, lang), **names)
        unit = word("welfare_unit_nominal" if view.nominal else "welfare_unit", lang)
        caption = word("unit_beside", lang, what=caption, unit=unit)
        tables.append(Table([phrase(head, lang) for head in heads], rows, caption=caption))
    return tables


def _group(view: View, name: str, lang: Lang) -> str:
    return view.place_title(name, lang) if name in view.counties else group(name, lang)


def indicators(view: View, lang: Lang) -> Table:
    """Other indicators of the whole region at the years shown."""
    shown = [view.scenarios[0], *view.scenarios[1:]]
    heads = [phrase("indicator", lang), word("unit", lang)]
    heads += [f"{view.title(name, lang)} {year}" if len(shown) > 1 else str(year)
              for name in shown for year in (view.years if len(shown) == 1 else view.years[-1:])]  # fmt: skip
    rows = []
    for name in KEY_INDICATORS:
        if not view.has(name):
            continue
        about = CATALOGUE[name]
        years = view.years if len(shown) == 1 else view.years[-1:]
        unit = unit_in(about.unit, lang)
        if view.nominal and about.unit.startswith(REAL_YUAN):
            english = f"{phrase('nominal_yuan', 'en')}{about.unit.removeprefix(REAL_YUAN)}"
            unit = title_in(
                {"en": english, "zh_hant": unit_in(about.unit, "zh-Hant").replace("2020年價", "當年價")}, lang
            )
        cells = [amount(view.at(name, scenario, year), about.unit) for scenario in shown for year in years]
        rows.append([title_in(about.title, lang), unit, *cells])
    return Table(heads, rows, 2, word("tab_indicators", lang))


# -- assumptions -------------------------------------------------------------------------------


def assumptions(view: View, lang: Lang) -> list[Table]:
    """Values and costs of the changed levers, other values of facts, all uncertain facts: with status and source."""
    book = FactBook.load()
    changed = [each for each in view.changed if each.lever is not None]
    taken = [each for each in changed if each.lever and any(each.planned.values())]
    heads = [word(key, lang) for key in ("value", "range", "unit", "status", "source")]
    values = [_value(each.lever, lang) for each in taken if each.lever]
    costs = [row for each in changed if each.lever for row in _costs(each.lever, lang)]
    run = {name: _ends(*ends) for name, ends in view.parameters()}
    moved = [
        [title_in(book[name].title, lang), value, number(book[name].central), unit_in(book[name].unit, lang)]
        for name, value in run.items()
    ]
    facts = [_fact(fact, run, lang) for fact in book.facts.values() if fact.used and fact.role == "uncertain"]
    other = [word(key, lang) for key in ("fact", "value", "usual", "unit")]
    found = [
        Table([word("lever", lang), *heads], values, 1, word("assumed_levers", lang)),
        Table([word("lever", lang), word("payer", lang), *heads], costs, 2, word("assumed_costs", lang)),
        Table(other, moved, 1, word("other_values", lang)),
        Table([word("fact", lang), *heads], facts, 1, word("assumed_facts", lang)),
    ]
    return [table for table in found if table.rows]


def _value(lever: Lever, lang: Lang) -> list[str]:
    plan = lever.plan
    value = number(plan.values if plan.values else plan.value)
    return [
        title_in(lever.title, lang),
        value,
        _range(plan.range),
        unit_in(lever.unit, lang),
        word(plan.status, lang),
        said(plan.source, lang),
    ]


def _pair(one: str, other: str, lang: Lang) -> str:
    return punctuated(f"{one}, {other}", lang)


def _costs(lever: Lever, lang: Lang) -> list[list[str]]:
    return [
        [title_in(lever.title, lang), _pair(word(cost.payer, lang), word(cost.recurrence, lang), lang),
         number(cost.value), _range(cost.range), _pair(unit_in(cost.unit, lang), str(cost.price_year), lang),
         word(cost.status, lang), said(cost.source, lang)]
        for cost in lever.cost
    ]  # fmt: skip


def _fact(fact: Fact, run: Mapping[str, str], lang: Lang) -> list[str]:
    plain = word("table_value", lang) if fact.by else number(fact.values if fact.values else fact.value)
    value = run[fact.id] if fact.id in run and not fact.by else plain
    return [
        title_in(fact.title, lang),
        value,
        _range(fact.range),
        unit_in(fact.unit, lang),
        word(fact.status, lang),
        said(fact.source, lang),
    ]


def _range(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f"{number(ends[0])} – {number(ends[1])}"


def _ends(low: float, high: float) -> str:
    """A value of all runs, or the lowest and the highest of them."""
    return number(low) if low == high else _range((low, high))


def _futures(view: View, lang: Lang) -> str:
    """Titles of all futures of the runs; the name of one that this version does not know."""
    known = futures()
    names = [str(name) for name in dict.fromkeys(view.runs["future"]) if str(name)]
    said_ = [title_in(known[name].title, lang) if name in known else name for name in names]
    return (", " if lang == "en" else "、").join(said_)


# -- identity ----------------------------------------------------------------------------------


def identity(view: View, lang: Lang) -> list[tuple[str, str]]:
    """What the numbers were made with, a line each."""
    row = view.runs.iloc[0]
    about = view.provenance.get("region") or {}
    versions = view.provenance.get("versions") or {}
    seeds = str(view.seeds[0]) if len(view.seeds) == 1 else f"{view.seeds[0]} – {view.seeds[-1]}"
    return [
        (word("run_id", lang), view.ident),
        (word("seeds", lang), seeds),
        (word("sample", lang), f"{100 * view.sample:g}%"),
        (word("future", lang), _futures(view, lang) or word("none", lang)),
        (word("alternatives", lang), str(row["alternatives"]) or word("none", lang)),
        (word("versions", lang), ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))),
        (word("region_data", lang), f"{about.get('name', '')} {about.get('hash', '')}".strip()),
    ]
