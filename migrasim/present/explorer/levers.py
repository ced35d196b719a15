"""The panel of levers: the plan's groups, the four first, each lever with all that must be known of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import solara

from migrasim.core.errors import InputError
from migrasim.facts import FactBook, Lever, LeverValue
from migrasim.present.chinese import said, told
from migrasim.present.explorer.draft import SHAPES, Draft, inputs, path, path_of, region
from migrasim.present.explorer.session import LAST_YEAR, Session
from migrasim.present.explorer.view import county_title
from migrasim.present.explorer.widgets import LeverControl, Press, element
from migrasim.present.explorer.words import say, unit
from migrasim.present.language import Lang
from migrasim.present.punctuation import listed, punctuated, title_in

FIRST_GROUPS = 4
_WORDS = [
    "changed",
    "status_quo_mark",
    "plan_mark",
    "details",
    "set_quo",
    "set_plan",
    "set_start",
    "mode",
    "constant",
    "path",
    "by_county",
    "from_year",
    "from_value",
    "to_year",
    "to_value",
    "shape",
    "shape_linear",
    "shape_early",
    "shape_late",
    "shape_step",
    "apply",
    "empty_stays",
]
_ROOM = 3.0  # a slider goes to so many times what 2020 and the plan have, the number beside it to the bound


@solara.component
def LeverPanel(session: Session) -> None:
    """All groups; those behind the fold are opened with the page's own button."""
    lang, book = session.lang.value, FactBook.load()
    opened, set_opened = solara.use_state(frozenset(list(book.groups)[:1]))
    more, set_more = solara.use_state(False)
    groups = list(book.groups)

    def toggle(group: str) -> None:
        set_opened(opened ^ {group})

    with solara.v.Html(tag="section", class_="ms-levers", attributes={"aria-label": say("levers", lang)}):
        element("h2", say("levers", lang))
        element("p", say("levers_help", lang), classes="ms-note")
        for group in groups[:FIRST_GROUPS]:
            LeverGroup(session, group, group in opened, lambda group=group: toggle(group))
        Press(
            f"{'▾' if more else '▸'} {say('more_levers', lang)}",
            lambda: set_more(not more),
            classes="ms-fold",
            pressed=more,
        )
        if more:
            for group in groups[FIRST_GROUPS:]:
                LeverGroup(session, group, group in opened, lambda group=group: toggle(group))


@solara.component
def LeverGroup(session: Session, group: str, is_open: bool, on_toggle: Any) -> None:
    """A group of levers: its head with what was changed, and its levers where it is open."""
    lang, book, draft = session.lang.value, FactBook.load(), session.draft
    levers = [lever for lever in book.of_group(group) if lever.built]
    changed = sum(lever.id in draft.levers for lever in levers)

    def put_all(value: str) -> None:
        made = draft
        for lever in levers:
            made = made.with_lever(lever.id, value)
        session.put(made, "several_changed", count=len(levers))

    title = title_in(book.groups[group], lang)
    with solara.v.Html(tag="div", class_="ms-group", attributes={"data-group": group}):
        element(
            "button",
            element("span", f"{'▾' if is_open else '▸'} {title}"),
            element(
                "span",
                say("changed_count" if changed else "lever_count", lang, count=changed or len(levers)),
                classes="ms-count",
            ),
            classes="ms-group-head",
            on_click=on_toggle,
            type="button",
            aria_expanded=str(is_open).lower(),
        )
        if is_open:
            with solara.v.Html(tag="div", class_="ms-lever-buttons"):
                Press(say("group_quo", lang), lambda: put_all("status_quo"))
                Press(say("group_plan", lang), lambda: put_all("plan"))
            for lever in levers:
                OneLever(session, lever).key(f"{lever.id}")


@solara.component
def OneLever(session: Session, lever: Lever) -> None:
    """One lever, bound to the draft of the session."""
    draft, lang = session.draft, session.lang.value
    wrong, set_wrong = solara.use_state("")
    own = draft.levers.get(lever.id)
    shown = path_of(draft, lever)
    value = shown[LAST_YEAR]
    low, high = _slider_ends(lever, value)

    def put(new: Any) -> None:
        made = draft.with_lever(lever.id, new)
        try:
            inputs(made)
        except InputError as error:  # the browser holds values within their bounds: a sum of shares above one
            set_wrong(told(str(error), lang))
            return
        set_wrong("")
        if new is None:
            session.put(made, "taken_back", lever=lever.id)
        else:
            session.put(made, "changed_to", lever=lever.id, value=new if isinstance(new, int | float | str) else "")

    def bend(ends: Mapping[str, Any]) -> None:
        try:
            first, last = (min(max(float(ends[key]), lever.bounds[0]), lever.bounds[1]) for key in ("first", "last"))
            years = [min(max(int(ends[key]), 2021), LAST_YEAR) for key in ("start", "end")]
        except (KeyError, TypeError, ValueError):
            return
        shape = ends.get("shape")
        if years[1] <= years[0]:
            set_wrong(say("path_order", lang, start=years[0], end=years[1]))
        elif shape in SHAPES:
            put(path(lever, years[0], first, years[1], last, shape))

    def split(values: Mapping[str, Any]) -> None:
        known = region().county_names
        kept = {county: float(number) for county, number in values.items() if county in known}
        bounds = lever.bounds
        put({county: min(max(number, bounds[0]), bounds[1]) for county, number in kept.items()} or None)

    kind = _kind(own)
    years = [year for year in own if isinstance(year, int)] if isinstance(own, dict) and kind == "path" else []
    first, last = (min(years), max(years)) if years else (2021, LAST_YEAR)
    empty = Draft("status_quo", {}, draft.future)  # in a scenario file, too, counties that are not named stay there
    counties = [
        {"name": name, "title": county_title(region(), name, lang), "value": path_of(empty, lever, k)[LAST_YEAR]}
        for k, name in enumerate(region().county_names)
    ]
    LeverControl(
        id=lever.id,
        title=title_in(lever.title, lang),
        unit=unit(lever.unit, lang),
        word=_word(own, lever, shown, lang),
        value=float(f"{value:.6g}"),
        kind=kind,
        ends=[first, float(f"{shown[first]:.6g}"), last, float(f"{shown[last]:.6g}")],
        low=low,
        high=high,
        lower=lever.bounds[0],
        upper=lever.bounds[1],
        step=_step(low, high),
        quo=lever.status_quo.last,
        plan=lever.plan.last,
        changed=lever.id in draft.levers,
        counties=counties,
        own_counties={k: v for k, v in own.items() if isinstance(v, int | float)} if kind == "county" else {},  # type: ignore[union-attr]
        shapes=list(SHAPES),
        about=_about(lever, lang),
        wrong=wrong,
        bounds=say(
            "bounds", lang, low=f"{lever.bounds[0]:,g}", high=f"{lever.bounds[1]:,g}", unit=" " + unit(lever.unit, lang)
        ),
        words={key: say(key, lang) for key in _WORDS},
        locale="en" if lang == "en" else lang,
        event_set=lambda new: put(_given(new, lever)),
        event_bend=bend,
        event_split=split,
    )


def _given(new: Any, lever: Lever) -> Any:
    """What the browser sent, held within what is allowed."""
    if new is None or new in ("plan", "status_quo"):
        return new
    if isinstance(new, bool) or not isinstance(new, int | float) or not math.isfinite(new):
        return None
    return min(max(float(f"{new:.6g}"), lever.bounds[0]), lever.bounds[1])


def _kind(own: Any) -> str:
    if isinstance(own, dict):
        return "path" if all(isinstance(key, int) for key in own) else "county"
    return "constant"


def _word(own: Any, lever: Lever, shown: Mapping[int, float], lang: Lang) -> str:
    """What stands below the slider where one number does not say it all."""
    if isinstance(own, dict) and _kind(own) == "county":
        return say("counties_text", lang)
    first, last = shown[2021], shown[LAST_YEAR]
    if lever.kind == "jobs_2035":
        return say("jobs_text", lang, value=f"{last:,.6g}")
    if abs(first - last) > 1e-9:
        return say("path_text", lang, first=f"{first:,.4g}", start=2021, last=f"{last:,.4g}", end=LAST_YEAR)
    return ""


def _slider_ends(lever: Lever, value: float) -> tuple[float, float]:
    """Ends of the slider: the bounds of shares; of counts and prices what is near 2020 and the plan, and the value."""
    low, high = lever.bounds
    if lever.kind in ("share", "index"):
        return low, high
    near = (
        max(abs(each) for each in (lever.status_quo.last, *lever.plan.numbers(), *lever.status_quo.numbers())) * _ROOM
    )
    top = min(high, _round_up(near)) if near else high
    return (max(low, min(0.0, value)) if low >= 0 else max(low, -top)), max(top, min(high, value))


def _round_up(number: float) -> float:
    power = 10.0 ** math.floor(math.log10(number))
    return math.ceil(number / power) * power


def _step(low: float, high: float) -> float:
    return float(f"{10.0 ** math.floor(math.log10((high - low) / 100)):.3g}")


def _about(lever: Lever, lang: Lang) -> list[list[str]]:
    """What stands behind a lever: the plan's sentence, its channel, both values with their sources."""
    return [
        [
            punctuated(f"{say('plan_says', lang)} ({say('chapter', lang, chapter=lever.chapter)})", lang),
            f"「{title_in({'zh_hant': lever.quote}, lang)}」",
        ],
        [say("value_2020", lang), _value(lever.status_quo, lever, lang)],
        [say("value_plan", lang), _value(lever.plan, lever, lang)],
        [say("acts", lang), said(lever.acts_through, lang)],
    ]


def _value(value: LeverValue, lever: Lever, lang: Lang) -> str:
    years = (say("pair", lang, one=year, other=f"{number:,g}") for year, number in (value.values or {}).items())
    numbers = (", " if lang == "en" else "，").join(years) or f"{value.last:,g}"
    parts = [f"{numbers} {unit(lever.unit, lang)}"]
    if value.range is not None:
        parts.append(say("range_words", lang, low=f"{value.range[0]:,g}", high=f"{value.range[1]:,g}"))
    parts.append(say("why", lang, status=say(value.status, lang), source=said(value.source, lang)))
    return listed(parts, lang)
