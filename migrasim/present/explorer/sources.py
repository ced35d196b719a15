"""Where a number comes from: how it is measured, which run made it, and the assumptions that it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import solara

from migrasim.facts import FactBook
from migrasim.indicators import CATALOGUE
from migrasim.present.chinese import said
from migrasim.present.explorer import charts_more
from migrasim.present.explorer.draft import inputs, region
from migrasim.present.explorer.serving import current
from migrasim.present.explorer.session import Session
from migrasim.present.explorer.view import title_for, unit_for
from migrasim.present.explorer.widgets import Press, Rows, element
from migrasim.present.explorer.words import say, unit
from migrasim.present.language import Lang
from migrasim.present.punctuation import title_in
from migrasim.variants import futures

if TYPE_CHECKING:
    from migrasim.runs.result import RunResult

# what each chart rests on: its indicators, and the domains whose facts and levers it hangs on most
BEHIND: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "rates": (("urbanization_rate", "hukou_urbanization_rate"), ("moving", "hukou")),
    "people": (("urban_population", "absent_population"), ("moving", "demography")),
    "decomposition": (("urbanization_rate",), ("moving", "demography", "policy")),
    "map": (("urbanization_rate",), ("moving",)),
    "flows": (("moves_in_from_villages", "moves_out", "moves_back"), ("moving",)),
    "chains": (("chain_workers",), ("labour",)),
    "housing": (charts_more.HOUSING, ("housing",)),
    "rent": (("rent_yuan_mo",), ("housing",)),
    "services": (charts_more.SERVICES, ("services",)),
    "rights": (charts_more.RIGHTS, ("land", "hukou")),
    "families": (charts_more.FAMILIES, ("moving", "demography")),
    "costs": (charts_more.COSTS, ("fiscal",)),
    "groups": ((), ("labour", "land", "housing")),
    "attribution": (("urbanization_rate",), ("moving",)),
}
_MOST_FACTS = 40


@solara.component
def SourceBox(session: Session) -> None:
    """What stands behind the chart that was asked about; always on the page, so that what follows is not made anew."""
    lang, book = session.lang.value, FactBook.load()
    chart, point = session.asked.value
    if chart not in BEHIND:
        return
    indicators, domains = BEHIND[chart]
    with solara.v.Html(
        tag="section",
        class_="ms-box ms-overlay",
        attributes={"role": "dialog", "aria-label": say("where_from", lang), "data-box": "source"},
    ):
        with solara.v.Html(tag="div", class_="ms-lever-buttons"):
            Press(say("close", lang), session.close, classes="ms-strong")
        element("h2", say("where_head", lang, what=_heading(chart, lang)) + (f" · {point}" if point else ""))
        element("p", _run_text(session, lang))
        if indicators:
            rows = [
                [title_for(name, lang), unit_for(name, lang), said(CATALOGUE[name].how, lang)] for name in indicators
            ]
            Rows(say("measured", lang), [say("measure", lang), say("unit", lang), say("how", lang)], rows, "measured")
        if chart in ("rates", "people", "decomposition"):
            heads = [say("year", lang), "%", say("source", lang)]
            Rows(say("published_head", lang), heads, published(lang), "published")
        _levers(session, domains, lang)
        facts = [
            fact for fact in book.facts.values() if fact.domain in domains and fact.used and fact.status != "observed"
        ]
        facts.sort(key=lambda fact: (fact.role != "uncertain", fact.status != "assumed"))
        rows = [
            [
                title_in(fact.title, lang),
                "" if fact.central is None else f"{fact.central:,.4g}",
                unit(fact.unit, lang),
                "" if fact.range is None else f"{fact.range[0]:,.4g} … {fact.range[1]:,.4g}",
                say(fact.status, lang),
                said(fact.source, lang),
            ]
            for fact in facts[:_MOST_FACTS]
        ]
        heads = [say(key, lang) for key in ("fact", "value", "unit", "range_row", "status", "source")]
        Rows(say("facts_head", lang, count=len(rows), total=len(facts)), heads, rows, "facts")


def _heading(chart: str, lang: Lang) -> str:
    indicators = BEHIND[chart][0]
    return title_for(indicators[0], lang) if indicators else say("group", lang)


def _run_text(session: Session, lang: Lang) -> str:
    """Which run, with what luck, of how many, under which future."""
    result = current().engine.result(session.shown.value) if session.shown.value else None
    return "" if result is None else run_text(result, lang)


def run_text(result: RunResult, lang: Lang) -> str:
    """That the model made it, and in which run."""
    return say(
        "run_text",
        lang,
        run=result.run_id,
        seed=result.seed,
        share=f"{100 * result.sample:g}%",
        version=result.provenance["versions"]["migrasim"],
        future=title_in(futures()[result.provenance["future"]].title, lang),
    )


def published(lang: Lang) -> list[list[str]]:
    """The published series of the rate with its source, row by row."""
    place = region()
    table = place.tables["city_annual"]
    name = place.record_yaml["record"]["urbanization_rate"]["indicator"]
    rows = table[(table["indicator"] == name) & (table["area"] == place.record_yaml["prefecture"]["zh"])]
    rows = rows[rows["year"] >= 2020]
    return [[str(row.year), f"{row.value:g}", said(str(row.source), lang)] for row in rows.itertuples()]


@solara.component
def _levers(session: Session, domains: Sequence[str], lang: Lang) -> None:
    """Levers of these domains that do not stand where they stood in 2020, with the status of their values."""
    found = inputs(session.draft)
    rows = []
    for one in found.provenance:
        if one.kind != "lever" or one.set_by in ("status quo", "status_quo"):
            continue
        lever = FactBook.load().levers[one.id]
        if lever.domain in domains:
            rows.append(
                [
                    title_in(lever.title, lang),
                    one.value.replace("->", "→"),
                    unit(one.unit, lang),
                    *(
                        (say("set_here", lang), "")
                        if one.status == "scenario"
                        else (say(one.status, lang), said(one.source, lang))
                    ),
                ]
            )
    heads = [say(key, lang) for key in ("lever", "value", "unit", "status", "source")]
    Rows(say("set_levers", lang, count=len(rows)), heads, rows, "levers-set")
