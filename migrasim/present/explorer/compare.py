"""The compare page: up to four scenarios side by side, what differs, how surely, and which lever did it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import solara

from migrasim.facts import FactBook
from migrasim.present.chinese import told
from migrasim.present.explorer import charts, charts_more
from migrasim.present.explorer.apart import differing_among, lever_rows, names_of
from migrasim.present.explorer.draft import Draft, differing, region
from migrasim.present.explorer.engine import Engine, Request
from migrasim.present.explorer.explore import Focus, ShowChart, range_of
from migrasim.present.explorer.maker import SAMPLE
from migrasim.present.explorer.runs import Standing, draws, request, use_runs
from migrasim.present.explorer.serving import current
from migrasim.present.explorer.session import MOST_PINS, Ranges, Session
from migrasim.present.explorer.sources import SourceBox
from migrasim.present.explorer.view import (
    Chart,
    Line,
    View,
    base_option,
    county_title,
    title_for,
    unit_for,
    value_axis,
)
from migrasim.present.explorer.widgets import Choice, Press, Rows, element
from migrasim.present.explorer.words import name_of, say
from migrasim.present.figures import COLOURS
from migrasim.present.language import Lang
from migrasim.present.punctuation import punctuated, title_in
from migrasim.variants import futures

PAIRS = 10  # draws in which scenarios are held against one another
MOST_PLAYERS = 5  # levers or groups that an effect is shared out among: two to the power of these runs
PIN_COLOURS = (COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[3])
MEASURES = (
    "urbanization_rate",
    "hukou_urbanization_rate",
    "urban_population",
    "absent_population",
    "split_households",
    "waiting_households",
    "school_pressure_share",
    "income_ratio",
    "cumulative_cost_yuan",
    "unpaid_yuan",
)
BUILDERS = (
    charts.rates,
    charts.people,
    charts.decomposition,
    charts.chains,
    charts_more.housing,
    charts_more.services,
    charts_more.families,
    charts_more.costs,
    charts_more.groups,
)
_SCALES = {"share": 100.0, "yuan of 2020": 1e-6, "yuan of 2020 a year": 1e-6}


@solara.component
def ComparePage(session: Session) -> None:
    """All that is pinned, under one future."""
    lang, pins = session.lang.value, session.pins.value
    with solara.v.Html(tag="main", class_="ms-main", attributes={"id": "compare"}):
        if not pins:
            element("p", say("nothing_pinned", lang, most=MOST_PINS), classes="ms-change")
            Press(f"← {say('explore', lang)}", lambda: session.tab.set("explore"), classes="ms-strong")
            return
        drafts = _compared(session)
        SourceBox(session)
        PinBar(session)
        Compared(session, drafts)


@solara.component
def PinBar(session: Session) -> None:
    """The pinned scenarios with their colours, each can be opened or dropped; and the future for all."""
    lang = session.lang.value

    def take(draft: Draft) -> None:
        session.put(draft, "start_changed", name=name_of(draft, lang))
        session.tab.set("explore")

    with solara.v.Html(tag="div", class_="ms-pins"):
        for k, (draft, name) in enumerate(zip(session.pins.value, called(session), strict=True)):
            with solara.v.Html(tag="div", class_="ms-pin", style_=f"border-color: {PIN_COLOURS[k]}"):
                element("b", name)
                element("span", title_in(futures()[session.meet.value or draft.future].title, lang), classes="ms-quiet")
                with solara.v.Html(tag="div", class_="ms-lever-buttons"):
                    Press(say("open_pin", lang), lambda draft=draft: take(draft))
                    Press(
                        say("unpin", lang),
                        lambda k=k: session.unpin(k),
                        punctuated(f"{say('unpin', lang)}: {letter(k)}", lang),
                    )
        Choice(
            say("future_all", lang),
            session.meet.value,
            {"": say("future_own", lang)} | {name: title_in(each.title, lang) for name, each in futures().items()},
            lambda name: session.meet.set(name if name in futures() else ""),
            "meet",
        )


def letter(index: int) -> str:
    """What a pinned scenario is called in sentences."""
    return "ABCD"[index]


def called(session: Session) -> list[str]:
    """Letter and name of all that is pinned; no two are called the same."""
    lang = session.lang.value
    return [punctuated(f"{letter(k)}: {name}", lang) for k, name in enumerate(names_of(_compared(session), lang))]


def _compared(session: Session) -> tuple[Draft, ...]:
    return tuple(replace(each, future=session.meet.value or each.future) for each in session.pins.value)


@solara.component
def Compared(session: Session, drafts: tuple[Draft, ...]) -> None:
    """Runs of all pinned scenarios and of the status quo in pairs, and what they say."""
    lang, engine = session.lang.value, current().engine
    bases = [Draft("status_quo", {}, future) for future in dict.fromkeys(draft.future for draft in drafts)]
    content = tuple((draft.content, draft.future) for draft in drafts)
    pairs: Ranges = "parameters" if session.ranges.value == "parameters" else "luck"

    def all_runs() -> dict[tuple[str, str], list[Request]]:
        every = (*drafts, *bases)
        return {(each.content, each.future): [request(each), *draws(each, pairs, PAIRS - 1)] for each in every}

    runs = solara.use_memo(all_runs, [content, pairs])
    standing = use_runs(engine, [(one, k) for each in runs.values() for k, one in enumerate(each)])
    done = sum(standing.done(one) for each in runs.values() for one in each)
    total = sum(len(each) for each in runs.values())
    failed = next((status.message for _, status in standing.by_key if status.state in ("failed", "refused")), "")
    with solara.v.Html(tag="div", class_="ms-status", attributes={"role": "status"}):
        element("span", say("sample_shown", lang, share=f"{100 * SAMPLE:g}%"), classes="ms-sample")
        element("span", say("pairs_running", lang, done=done, total=total))
        element(
            "progress", max=str(total), value=str(done), aria_label=say("pairs_running", lang, done=done, total=total)
        )
        if failed:
            element("span", say("failed", lang, message=told(failed, lang)), classes="ms-wrong")
    LeversThatDiffer(lang, drafts)
    found = _pairs(engine, standing, drafts, runs)
    Differences(session, drafts, found)
    WhichLever(session, drafts)
    Focus(session, pinning=False)
    ready = all(standing.done(runs[draft.content, draft.future][0]) for draft in drafts)
    if ready:
        PinnedCharts(
            session, drafts, tuple(tuple(one.key for one in runs[key] if standing.done(one)) for key in content)
        )


Found = tuple[tuple[tuple[str, str], ...], ...]


def _pairs(
    engine: Engine, standing: Standing, drafts: Sequence[Draft], runs: Mapping[tuple[str, str], list[Request]]
) -> Found:
    """For every pinned scenario the keys of its runs and of the status quo in the same draws, those that are done."""
    base = Draft("status_quo").content
    found = []
    for draft in drafts:
        mine, theirs = runs[draft.content, draft.future], runs[base, draft.future]
        found.append(
            tuple(
                (one.key, other.key) if standing.done(one) and standing.done(other) else ("", "")
                for one, other in zip(mine, theirs, strict=True)
            )
        )
    return tuple(found)


@solara.component
def LeversThatDiffer(lang: Lang, drafts: tuple[Draft, ...]) -> None:
    """Only the levers that are not the same in all of them, beside 2020 and the plan."""
    levers = differing_among(drafts) if len(drafts) > 1 else differing(Draft("status_quo"), drafts[0])
    heads = [say("lever", lang), say("unit", lang), say("status_quo_mark", lang), say("plan_mark", lang)]
    heads += [letter(k) for k in range(len(drafts))]
    rows = lever_rows(levers, drafts, lang)
    title = say("levers_differ", lang, count=len(levers))
    if rows:
        Rows(title, heads, rows, name="levers")
    else:
        element("h2", title)


@solara.component
def Differences(session: Session, drafts: tuple[Draft, ...], found: Found) -> None:
    """Differences from the status quo with their intervals, and in how many draws one is above another."""
    from migrasim.analysis.compare import paired

    lang, engine, year, place = session.lang.value, current().engine, session.year.value, session.place.value
    names = called(session)
    heads = [say("measure", lang), *names]
    rows = []
    worths = {name: [_worths(engine, pairs, name, place, year) for pairs in found] for name in MEASURES}
    for name in MEASURES:
        unit_name = unit_for(name, lang)
        factor, shown = _scale(name, lang, unit_name)
        cells = []
        for values in worths[name]:
            both = [(a, b) for a, b in values if a == a and b == b]
            if not both:
                cells.append("…")
                continue
            got = paired([b * factor for _, b in both], [a * factor for a, _ in both])
            low, high = _plain(got["low"]), _plain(got["high"])
            ends = say("ends", lang, low=low, high=high) if got["low"] == got["low"] else ""
            above = sum(a > b for a, b in both)
            higher = say("higher_in", lang, count=above, total=len(both))
            cells.append(f"{_plain(got['difference'])}{ends}{higher}")
        rows.append([punctuated(f"{title_for(name, lang)} ({shown})", lang), *cells])
    where = title_in(region().title, lang) if place is None else county_title(region(), place, lang)
    Rows(say("differences", lang, where=where, year=year), heads, rows, name="differences")
    of = say("range_of_parameters" if session.ranges.value == "parameters" else "range_of_luck", lang)
    element("p", say("differences_note", lang, pairs=PAIRS, of=of), classes="ms-note")
    for one, other in combinations(range(len(drafts)), 2):
        if drafts[one].future == drafts[other].future:
            pairs = [
                (a[0], b[0])
                for a, b in zip(worths["urban_population"][one], worths["urban_population"][other], strict=True)
                if a[0] == a[0] and b[0] == b[0]
            ]
            if pairs:
                above = sum(a > b for a, b in pairs)
                text = say("more_urban", lang, count=above, total=len(pairs), one=names[one], other=names[other])
                if place is not None:
                    text = say("line_where", lang, where=where, line=text)
                element("p", text, classes="ms-change")


def _plain(number: float) -> str:
    """A signed number in few characters.

    Examples
    --------
    >>> _plain(85130.2), _plain(-0.2981), _plain(9.2)
    ('+85,130', '-0.298', '+9.20')
    """
    size = abs(number)
    return f"{number:+,.{0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 1 else 3}f}"


def _scale(name: str, lang: Lang, unit_name: str) -> tuple[float, str]:
    """Factor and unit in which a difference is written."""
    from migrasim.indicators import CATALOGUE

    raw = CATALOGUE[name].unit
    if raw == "share":
        return 100.0, say("points", lang)
    if raw.startswith("yuan of 2020"):
        return 1e-6, say("million_yuan", lang)
    if raw in ("persons", "households"):
        return 1e-3, say("thousand_people" if raw == "persons" else "thousand_households", lang)
    return 1.0, unit_name


def _worths(
    engine: Engine, pairs: Sequence[tuple[str, str]], name: str, place: str | None, year: int
) -> list[tuple[float, float]]:
    """An indicator in the runs of a scenario and of the status quo, pair by pair; no number where one is not done."""
    from migrasim.present.explorer.view import values

    found: list[tuple[float, float]] = []
    for one, other in pairs:
        both = (engine.result(one), engine.result(other)) if one else (None, None)
        if both[0] is None or both[1] is None:
            found.append((np.nan, np.nan))
        else:
            first, second = (float(values(each, place, name).loc[year]) for each in both if each is not None)
            found.append((first, second))
    return found


@solara.component
def PinnedCharts(session: Session, drafts: tuple[Draft, ...], keys: tuple[tuple[str, ...], ...]) -> None:
    """Charts in which colours tell scenarios apart."""
    lang, engine = session.lang.value, current().engine
    lines = []
    for k, (name, mine) in enumerate(zip(called(session), keys, strict=True)):
        whole = engine.result(mine[0])
        if whole is None:
            return
        drawn = tuple(result for key in mine[1:] if (result := engine.result(key)) is not None)
        lines.append(Line(name, PIN_COLOURS[k], "pin", whole, drawn, whole))
    view = View(
        tuple(lines),
        lang,
        region(),
        session.place.value,
        session.year.value,
        None,
        session.ranges.value != "none",
        range_of=range_of(session),
    )
    with solara.v.Html(tag="div", class_="ms-charts"):
        for build in BUILDERS:
            chart = build(view)
            if chart is not None:
                ShowChart(session, chart, view).key(chart.key)


# -- which lever did it ------------------------------------------------------------------------------


def players(draft: Draft, lang: Lang) -> dict[str, tuple[str, ...]]:
    """Among whom the effect of a draft is shared out: its levers, or groups of them where they are many.

    Returns
    -------
    dict
        Title of each player, and the levers that it stands for.
    """
    book, levers = FactBook.load(), differing(Draft("status_quo", {}, draft.future), draft)
    if len(levers) <= MOST_PLAYERS:
        return {title_in(lever.title, lang): (lever.id,) for lever in levers}
    groups: dict[str, tuple[str, ...]] = {}
    for lever in levers:
        groups[lever.group] = (*groups.get(lever.group, ()), lever.id)
    order = list(groups)
    found = {title_in(book.groups[name], lang): groups[name] for name in order[: MOST_PLAYERS - 1]}
    rest = order[MOST_PLAYERS - 1 :]
    if len(rest) == 1:
        found[title_in(book.groups[rest[0]], lang)] = groups[rest[0]]
    elif rest:
        found[say("other_levers", lang)] = tuple(lever for name in rest for lever in groups[name])
    return found


def coalition(draft: Draft, members: Sequence[str], everybody: Sequence[str]) -> Draft:
    """A draft in which only some of its levers stand where it has them, all others as in 2020."""
    for lever in everybody:
        if lever not in members:
            draft = draft.with_lever(lever, "status_quo")
    return draft


@solara.component
def WhichLever(session: Session, drafts: tuple[Draft, ...]) -> None:
    """The effect of one pinned scenario on the rate, shared out among its levers; run when it is asked for."""
    lang = session.lang.value
    asked, set_asked = solara.use_state(-1)
    element("h2", say("which_lever", lang))
    element("p", say("which_note", lang), classes="ms-note")
    with solara.v.Html(tag="div", class_="ms-lever-buttons"):
        for k, _ in enumerate(drafts):
            Press(
                say("which_ask", lang, name=letter(k)),
                lambda k=k: set_asked(k if asked != k else -1),
                pressed=asked == k,
            )
    if 0 <= asked < len(drafts):
        Attributed(session, drafts[asked], asked).key(f"{asked}-{drafts[asked].content}-{drafts[asked].future}")


@solara.component
def Attributed(session: Session, draft: Draft, index: int) -> None:
    """Shapley values of the players of a draft, from runs of all their coalitions."""
    from migrasim.runs.points import coalitions

    lang, engine, year = session.lang.value, current().engine, session.year.value
    who = players(draft, "en")
    levers = [lever for each in who.values() for lever in each]
    wanted = solara.use_memo(
        lambda: {
            members: request(coalition(draft, [lever for name in members for lever in who[name]], levers), lean=True)
            for members in coalitions(list(who))
        },
        [draft.content, draft.future],
    )
    standing = use_runs(engine, [(one, 3) for one in wanted.values()])  # somebody waits: before most draws
    done = sum(standing.done(one) for one in wanted.values())
    if not who:
        element("p", say("which_none", lang))
        return
    if done < len(wanted):
        text = say("pairs_running", lang, done=done, total=len(wanted))
        with solara.v.Html(tag="div", class_="ms-status"):
            element("span", text)
            element("progress", max=str(len(wanted)), value=str(done), aria_label=text)
        return
    drawn = attribution_chart(session, draft, index, {m: engine.result(one.key) for m, one in wanted.items()}, year)
    if drawn is not None:
        ShowChart(session, *drawn)


def attribution_chart(
    session: Session, draft: Draft, index: int, results: Mapping[frozenset[str], Any], year: int
) -> tuple[Chart, View] | None:
    """Bars of what each player adds to the resident rate, and the view that they are of."""
    from migrasim.analysis.attribution import exact
    from migrasim.present.explorer.view import values

    if any(result is None for result in results.values()):
        return None
    lang, place = session.lang.value, session.place.value
    names = list(players(draft, "en"))
    titles = dict(zip(names, players(draft, lang), strict=True))
    worth = {
        members: np.array([100 * float(values(result, place, "urbanization_rate").loc[year])])
        for members, result in results.items()
    }
    shares = exact(worth, names).shares
    whole = next(result for members, result in results.items() if len(members) == len(names))
    line = Line(called(session)[index], PIN_COLOURS[index], "pin", whole)
    view = View((line,), lang, region(), place, year)
    title = say("chart_attribution", lang, name=line.name, year=year)
    option = base_option(view, title, say("points", lang), legend=False)
    labels = [*(titles[name] for name in shares["player"]), say("sum", lang)]
    data = [round(float(each), 3) for each in shares["share"]]
    data.append(round(sum(data), 3))
    end = float(np.ceil(max([2.0, *(1.2 * abs(each) for each in data)])))  # with room for the numbers
    option |= {
        "xAxis": {**value_axis(-end, end), "axisLabel": {"showMinLabel": False, "showMaxLabel": False}},
        "yAxis": {
            "type": "category",
            "data": labels,
            "inverse": True,
            "axisLabel": {"width": 190, "overflow": "break"},
        },
        "series": [
            {
                "id": "shares",
                "name": say("points", lang),
                "type": "bar",
                "data": [{"value": each, "label": {"position": "left" if each < 0 else "right"}} for each in data],
                "itemStyle": {"color": line.colour},
                "label": {"show": True},
            }
        ],
    }
    rows = [[label, value] for label, value in zip(labels, data, strict=True)]
    heads = [say("lever", lang), say("points", lang)]
    note = say("attribution_note", lang)
    return Chart("attribution", title, option, heads, rows, ("urbanization_rate",), note=note), view
