"""The explore page: levers on one side, charts that answer on the other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import solara

from migrasim.facts import BASE_YEAR, FactBook
from migrasim.present.chinese import told
from migrasim.present.explorer.advice import warnings
from migrasim.present.explorer.charts_more import BUILDERS
from migrasim.present.explorer.draft import Draft, of_shipped, region
from migrasim.present.explorer.engine import FIRST_ANSWERS, Engine, Request
from migrasim.present.explorer.files import Share
from migrasim.present.explorer.foot import about, foot
from migrasim.present.explorer.levers import LeverPanel
from migrasim.present.explorer.maker import SAMPLE
from migrasim.present.explorer.runs import Standing, draws, request, use_runs
from migrasim.present.explorer.serving import county_map, current
from migrasim.present.explorer.session import FIRST_YEAR, LAST_YEAR, MOST_PINS, RANGES, Session, Step
from migrasim.present.explorer.sources import SourceBox
from migrasim.present.explorer.view import Chart, Line, View, county_title, table_of
from migrasim.present.explorer.widgets import ChartFrame, Choice, Press, YearSlider, element
from migrasim.present.explorer.words import key_of, name_of, say, shipped_name, unit
from migrasim.present.figures import COLOURS
from migrasim.present.language import Lang
from migrasim.present.model_error import in_short, model_error
from migrasim.present.punctuation import punctuated, title_in
from migrasim.present.tables import ABSENT, RATE, amount
from migrasim.runs.result import RunResult
from migrasim.scenario import shipped
from migrasim.variants import CENTRAL, futures

_TOOLS = ("where_from", "table")


@dataclass(frozen=True)
class Shown:
    """Which results the charts show, by key: all of one sample, so that they can be held against one another.

    ``step`` is what led to them. The session may be one step further, with its results still on the way.
    """

    current: str = ""
    before: str = ""
    baseline: str = ""
    around: str = ""
    draws: tuple[str, ...] = ()
    frame: str = ""
    step: Step | None = field(default=None, hash=False)


def step_text(step: Step, lang: Lang) -> str:
    """What a change was, in words."""
    filling = dict(step.filling)
    book = FactBook.load()
    if filling.get("lever") in book.levers:
        filling["lever_id"] = filling["lever"]
        filling["lever"] = title_in(book.levers[filling["lever"]].title, lang)
    if step.phrase == "start_changed" and filling.get("name") in shipped("scenarios"):
        filling["name"] = shipped_name(filling["name"], lang)
    if step.phrase == "future_changed" and filling.get("name") in futures():
        filling["name"] = title_in(futures()[filling["name"]].title, lang)
    words = {"plan": say("set_plan", lang), "status_quo": say("set_quo", lang)}
    value = filling.get("value")
    if isinstance(value, int | float) and filling.get("lever_id") in book.levers:
        which = book.levers[filling["lever_id"]].unit
        filling["value"] = f"{amount(value, which)} {unit(which, lang)}"
    else:
        filling["value"] = words.get(str(value), say("changed", lang))
    try:
        return say(step.phrase, lang, **filling)
    except (KeyError, IndexError):
        return ""


@solara.component
def ExplorePage(session: Session) -> None:
    """Levers, where the runs stand, and the charts."""
    engine, draft, before = current().engine, session.draft, session.before
    baseline = Draft("status_quo", {}, draft.future)
    quick = {"current": request(draft), "baseline": request(baseline)}
    full = {name: request(each, sample=1.0) for name, each in (("current", draft), ("baseline", baseline))}
    if before is not None:
        quick["before"], full["before"] = request(before), request(before, sample=1.0)
    ranges = session.ranges.value
    drawn = solara.use_memo(lambda: draws(draft, ranges), [draft.content, draft.future, ranges])
    wants = [(quick[name], k) for k, name in enumerate(quick)]
    wants += [(each, FIRST_ANSWERS + k) for k, each in enumerate(drawn)]
    if session.full.value:
        wants += [(full[name], FIRST_ANSWERS + k) for k, name in enumerate(full)]
    standing = use_runs(engine, wants)
    last = solara.use_ref(Shown())
    shown = _shown(engine, standing, quick, full, drawn, session.steps.value[-1], last.current)
    last.current = shown

    def tell() -> None:
        session.shown.value = shown.current

    solara.use_effect(tell, [shown.current])
    with solara.v.Html(tag="div", class_="ms-columns"):
        with solara.v.Html(tag="div", class_="ms-side"):
            element("a", f"↓ {say('charts', session.lang.value)}", href="#charts", classes="ms-jump")
            StartBox(session)
            LeverPanel(session)
        with solara.v.Html(tag="main", class_="ms-main", attributes={"id": "charts"}):
            Where(session, standing, quick, full, drawn, bool(shown.current))
            if shown.current:
                ChangeLine(session, shown)
                Warnings(session, shown)
                SourceBox(session)
                Focus(session)
                Charts(session, shown, _labels(session))


def _labels(session: Session) -> tuple[str, str, str]:
    lang = session.lang.value
    return say("now", lang), say("before", lang), say("baseline", lang)


def _shown(
    engine: Engine,
    standing: Standing,
    quick: Mapping[str, Request],
    full: Mapping[str, Request],
    drawn: list[Request],
    step: Step,
    last: Shown,
) -> Shown:
    """The fullest results that belong together; what was shown before while the first answer is on its way."""
    if not (standing.done(quick["current"]) and standing.done(quick["baseline"])):
        still = last.current and engine.result(last.current) is not None and engine.result(last.frame) is not None
        return last if still else Shown()
    chosen = full if standing.done(full["current"]) and standing.done(full["baseline"]) else quick
    keys = {name: one.key for name, one in chosen.items() if standing.done(one)}
    if keys.get("current") == keys.get("baseline"):
        keys.pop("baseline")
    return Shown(
        current=keys["current"],
        before=keys.get("before", ""),
        baseline=keys.get("baseline", ""),
        around=quick["current"].key,
        draws=_told([one.key for one in drawn if standing.done(one)], len(drawn)),
        frame=chosen["baseline"].key,
        step=step,
    )


def _told(done: list[str], wanted: int) -> tuple[str, ...]:
    """Draws that are shown: none, half of them, all; each change draws every chart anew."""
    half = wanted // 2
    return tuple(done if len(done) == wanted else done[:half] if len(done) >= half else ())


@solara.component
def StartBox(session: Session) -> None:
    """Where a draft starts from, and the future that it meets."""
    lang, draft = session.lang.value, session.draft

    def start(name: str) -> None:
        if name in shipped("scenarios"):
            session.put(of_shipped(name), "start_changed", name=name)

    def meet(name: str) -> None:
        if name in futures():
            session.put(replace(draft, future=name), "future_changed", name=name)

    with solara.v.Html(tag="div", class_="ms-start"):
        Choice(
            say("start_from", lang), draft.base, {name: shipped_name(name, lang) for name in _order()}, start, "start"
        )
        Choice(
            say("future", lang),
            draft.future,
            {name: title_in(each.title, lang) for name, each in futures().items()},
            meet,
            "future",
        )
        if draft.future != CENTRAL:
            element("p", title_in(futures()[draft.future].description, lang), classes="ms-note")
        with solara.v.Html(tag="div", class_="ms-lever-buttons"):
            Press(
                "↶",
                session.undo,
                punctuated(f"{say('undo', lang)} (Ctrl+Z)", lang),
                disabled=len(session.steps.value) < 2,
            )
            Press(
                "↷", session.redo, punctuated(f"{say('redo', lang)} (Ctrl+Y)", lang), disabled=not session.ahead.value
            )
            Press("⟳ " + say("replay", lang), lambda: session.replaying.set(True), disabled=session.before is None)
            Press(
                say("reset", lang),
                lambda: session.put(of_shipped(draft.base), "start_changed", name=draft.base),
                disabled=not draft.levers,
            )


def _order() -> list[str]:
    """Shipped scenarios, the status quo and the plan first."""
    names = list(shipped("scenarios"))
    return sorted(names, key=lambda name: (name != "status_quo", name != "plan", name))


@solara.component
def Where(
    session: Session,
    standing: Standing,
    quick: Mapping[str, Request],
    full: Mapping[str, Request],
    drawn: list[Request],
    anything: bool,
) -> None:
    """Where the runs stand: the sample, everybody, the range; with a way to stop and to go on."""
    lang, engine = session.lang.value, current().engine
    share = f"{100 * SAMPLE:g}%"
    now, whole = standing.of(quick["current"]), standing.of(full["current"])
    wrong = next((one.message for one in (now, whole) if one.state in ("refused", "failed")), "")
    with solara.v.Html(tag="div", class_="ms-status", attributes={"role": "status", "aria-live": "polite"}):
        if wrong:
            element("span", say("failed", lang, message=told(wrong, lang)), classes="ms-wrong")
        elif not engine.ready.is_set():
            element("span", say("preparing", lang))
        elif not now.is_over or not anything:
            element("span", say("quick_running", lang, share=share), classes="ms-busy")
        elif standing.done(full["current"]) and standing.done(full["baseline"]):
            element("span", say("full_done", lang))
        else:
            element("span", say("sample_shown", lang, share=share), classes="ms-sample")
        if session.full.value and not whole.is_over:
            percent = f"{100 * whole.share:.0f}"
            text = say("full_running", lang, percent=percent) if whole.state == "running" else say("full_waiting", lang)
            element("span", text)
            element("progress", max="100", value=percent, aria_label=text)
            Press(say("stop_full", lang), lambda: session.full.set(False))
        elif not session.full.value:
            Press(say("run_full", lang), lambda: session.full.set(True))
        if drawn:
            done = sum(standing.done(one) for one in drawn)
            key = "bands_done" if done == len(drawn) else "bands_running"
            of = say(f"range_of_{session.ranges.value}", lang)
            element("span", say(key, lang, done=done, total=len(drawn), of=of), classes="ms-quiet")


@solara.component
def ChangeLine(session: Session, shown: Shown) -> None:
    """What the last change did to the place in focus, in one sentence."""
    engine = current().engine
    now, before, base = (engine.result(key) if key else None for key in (shown.current, shown.before, shown.frame))
    if now is not None and shown.step is not None:
        text = change_text(
            shown.step, now, before, base, session.lang.value, place=session.place.value, year=session.year.value
        )
        element("p", text, classes="ms-change", aria_live="polite")


def change_text(
    step: Step,
    now: RunResult,
    before: RunResult | None,
    base: RunResult | None,
    lang: Lang,
    *,
    place: str | None,
    year: int,
) -> str:
    """What a step did to the region, or to a county, which is then named; what there is where nothing was before."""
    row = table_of(now, place).loc[year]
    if before is not None and step.phrase:
        old = table_of(before, place).loc[year]
        text = say(
            "change_line",
            lang,
            what=step_text(step, lang),
            year=year,
            before=f"{100 * old[RATE]:.1f}",
            after=f"{100 * row[RATE]:.1f}",
            points=f"{100 * (row[RATE] - old[RATE]):+.2f}",
            people=f"{(row['urban_population'] - old['urban_population']) / 1000:+.1f}",
            away=f"{(row[ABSENT] - old[ABSENT]) / 1000:+.1f}",
        )
    else:
        against = table_of(base or now, place).loc[year]
        text = say(
            "state_line",
            lang,
            name=name_of(step.draft, lang),
            year=year,
            rate=f"{100 * row[RATE]:.1f}",
            base=f"{100 * against[RATE]:.1f}",
            people=f"{row['urban_population'] / 1000:,.0f}",
        )
    if place is None:
        return text
    return say("line_where", lang, where=county_title(region(), place, lang), line=text)


@solara.component
def Warnings(session: Session, shown: Shown) -> None:
    """What is short, at its bound or not paid, with what can be done."""
    result = current().engine.result(shown.current)
    if result is None or shown.step is None:
        return
    found = warnings(shown.step.draft, result, session.lang.value)
    if found:
        head = say("warnings", session.lang.value, count=len(found))
        with solara.v.Html(tag="details", class_="ms-warnings"):
            element("summary", element("b", head), element("span", f" · {found[0]}"))
            with solara.v.Html(tag="ul"):
                for text in found:
                    element("li", text)


@solara.component
def Focus(session: Session, pinning: bool = True) -> None:
    """The place and the year in focus, and whether ranges are drawn."""
    lang = session.lang.value
    counties = {"": say("whole_region", lang)} | {
        name: county_title(region(), name, lang) for name in region().county_names
    }
    with solara.v.Html(tag="div", class_="ms-focus"):
        Choice(
            say("place", lang),
            session.place.value or "",
            counties,
            lambda name: session.place.set(name if name in region().county_names else None),
            "place",
        )
        YearSlider(
            label=say("year", lang),
            value=session.year.value,
            low=FIRST_YEAR,
            high=LAST_YEAR,
            event_moved=lambda year: session.year.set(min(max(int(year), FIRST_YEAR), LAST_YEAR)),
        )
        Choice(
            say("bands", lang),
            session.ranges.value,
            {
                name: say(f"ranges_{name}", lang)
                for name in RANGES
                if name != "parameters" or len(region().ensemble) > 1
            },
            lambda name: session.ranges.set(name) if name in RANGES else None,
            "ranges",
        )
        if pinning:
            PinButton(session)
            Share(lang)
            element("span", key_of(("now", "before", "baseline", "range"), lang), classes="ms-note")
        span = (region(), BASE_YEAR, session.year.value, lang)
        if error := in_short(*span, county=session.place.value is not None):
            element("span", error, classes="ms-note", title=model_error(*span))


@solara.component
def PinButton(session: Session) -> None:
    """Keeps the draft in hand for comparison, and says so where it is kept."""
    lang, count = session.lang.value, len(session.pins.value)
    if session.is_pinned(session.draft):
        element("b", say("pinned", lang, count=count, most=MOST_PINS), classes="ms-pinned", role="status")
        Press(f"{say('compare', lang)} →", lambda: session.tab.set("compare"))
    else:
        Press(say("pin", lang), lambda: session.pin(session.draft), classes="ms-strong")


@solara.component
def Charts(session: Session, shown: Shown, labels: tuple[str, str, str]) -> None:
    """All charts of the explore page."""
    engine, lang = current().engine, session.lang.value
    replay = session.replaying.value and bool(shown.before)

    def look() -> None:
        if session.replaying.value:
            import time

            time.sleep(1.2)
            session.replaying.set(False)

    solara.use_thread(look, dependencies=[session.replaying.value])
    now, before, baseline = (
        engine.result(key) if key else None for key in (shown.current, shown.before, shown.baseline)
    )
    if now is None:
        return
    drawn = tuple(result for key in shown.draws if (result := engine.result(key)) is not None)
    lines = []
    if replay and before is not None:
        lines.append(Line(labels[0], COLOURS[0], "current", before))
    else:
        lines.append(Line(labels[0], COLOURS[0], "current", now, drawn, engine.result(shown.around)))
        if before is not None:
            lines.append(Line(labels[1], "#767676", "before", before))
    if baseline is not None:
        lines.append(Line(labels[2], COLOURS[1], "baseline", baseline))
    view = View(
        tuple(lines),
        lang,
        region(),
        session.place.value,
        session.year.value,
        engine.result(shown.frame),
        session.ranges.value != "none",
        name_of(shown.step.draft, lang) if shown.step else "",
        range_of(session),
    )
    with solara.v.Html(tag="div", class_="ms-charts"):
        for build in BUILDERS:
            chart = build(view)
            if chart is not None:
                ShowChart(session, chart, view).key(chart.key)


def range_of(session: Session) -> str:
    """What the ranges are over, in words; nothing where none are drawn."""
    of = session.ranges.value
    return "" if of == "none" else say(f"range_of_{of}", session.lang.value)


def ShowChart(session: Session, chart: Chart, view: View) -> Any:
    """A chart in its frame, with what stands beside it when it leaves the page."""
    lang = session.lang.value
    return ChartFrame(
        name=chart.key,
        title=chart.title,
        label=chart.title,
        data_text=json.dumps(
            {
                "option": chart.option,
                "heads": list(chart.heads),
                "rows": [list(row) for row in chart.rows],
                "foot": foot(view, chart),
                "about": about(view, chart),
            },
            ensure_ascii=False,
            separators=(",", ":"),
            allow_nan=False,
        ),
        note=chart.note,
        height=chart.height,
        map_name=chart.map_name,
        map=county_map(lang) if chart.map_name else "",
        words={key: say(key, lang) for key in _TOOLS},
        locale="en" if lang == "en" else lang,
        event_ask=lambda *_: session.asked.set((chart.key, "")),
        event_pick=lambda found: session.asked.set((chart.key, str(found.get("name", ""))[:40])),
    )
