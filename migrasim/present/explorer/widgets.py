"""Pieces of pages that live in the browser, and plain elements with a role and a name for everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import solara

Event = Callable[[Any], None]


@solara.component_vue("chart.vue")
def ChartFrame(
    name: str = "",
    title: str = "",
    label: str = "",
    data_text: str = "",
    note: str = "",
    height: int = 320,
    map_name: str = "",
    map: str = "",  # noqa: A002 (its name in the browser)
    words: Mapping[str, str] | None = None,
    locale: str = "en",
    event_ask: Event | None = None,
    event_pick: Event | None = None,
) -> None:
    """A chart with its table, its pictures and the way to its sources.

    What it shows (option, heads, rows) and the map come as JSON: of nested data every drawing of the page would look
    at every number once more.
    """


@solara.component_vue("lever.vue")
def LeverControl(
    id: str = "",  # noqa: A002 (its name in the browser)
    title: str = "",
    unit: str = "",
    word: str = "",
    value: float = 0.0,
    kind: str = "constant",
    ends: Sequence[float] = (2021, 0.0, 2035, 0.0),
    low: float = 0.0,
    high: float = 1.0,
    lower: float = 0.0,
    upper: float = 1.0,
    step: float = 0.01,
    quo: float = 0.0,
    plan: float = 0.0,
    changed: bool = False,
    counties: Sequence[Mapping[str, Any]] = (),
    own_counties: Mapping[str, float] | None = None,
    shapes: Sequence[str] = (),
    about: Sequence[Sequence[str]] = (),
    bounds: str = "",
    wrong: str = "",
    words: Mapping[str, str] | None = None,
    locale: str = "en",
    event_set: Event | None = None,
    event_bend: Event | None = None,
    event_split: Event | None = None,
) -> None:
    """A lever: a slider with its marks, a path over years, values by county, and what stands behind it."""


@solara.component_vue("browser.vue")
def Browser(
    link: str = "", language: str = "en", title: str = "", over: str = "", event_pressed: Event | None = None
) -> None:
    """What the browser knows of a page: link, language, title, the box that lies over it, keys that were pressed."""


def element(
    tag: str, *children: Any, classes: str = "", on_click: Callable[[], None] | None = None, **attributes: Any
) -> Any:
    """An HTML element; attributes are written ``aria_label``, and None leaves one out."""
    named = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    made = solara.v.Html(tag=tag, children=list(children), class_=classes, attributes=named)
    if on_click is not None:
        solara.v.use_event(made, "click", lambda *_: on_click())
    return made


@solara.component
def Press(
    text: str,
    on_click: Callable[[], None],
    label: str = "",
    disabled: bool = False,
    classes: str = "",
    pressed: bool | None = None,
) -> None:
    """A button: its text, a longer name for screen readers and the mouse, whether it is pressed."""
    element(
        "button",
        text,
        classes=f"ms-button {classes}",
        on_click=on_click,
        type="button",
        title=label or None,
        aria_label=label or None,
        disabled=True if disabled else None,
        aria_pressed=None if pressed is None else str(pressed).lower(),
    )


@solara.component
def Choice(label: str, value: str, options: Mapping[str, str], on_value: Callable[[str], None], name: str = "") -> None:
    """A drop-down list with its label; options by value, in their order."""
    ChoiceBox(
        label=label,
        value=value,
        options=[[key, text] for key, text in options.items()],
        name=name,
        event_chosen=on_value,
    )


@solara.component
def Rows(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], name: str = "") -> None:
    """A table under a heading; texts only, whatever they hold."""
    element("h2", title)
    head = element("thead", element("tr", *(element("th", each, scope="col") for each in heads)))
    body = element(
        "tbody",
        *(
            element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:]))
            for row in rows
        ),
    )
    element("div", element("table", head, body), classes="ms-table ms-wide", tabindex="0", data_table=name)


@solara.component_vue("choice.vue")
def ChoiceBox(
    label: str = "",
    value: str = "",
    options: Sequence[Sequence[str]] = (),
    name: str = "",
    event_chosen: Event | None = None,
) -> None:
    """A native drop-down list."""


@solara.component_vue("slider.vue")
def YearSlider(
    label: str = "", value: int = 2035, low: int = 2021, high: int = 2035, event_moved: Event | None = None
) -> None:
    """A native slider of years."""


def lasting(made: Callable[[], Any], renewed: int = 0) -> Callable[[], Any]:
    """Hook: a function that calls what was given last, and stays the same one while a page is drawn anew.

    solara's downloads forget that a file was asked for when they are given another function. Where one has failed,
    another number ``renewed`` gives another function, so that it may be asked for once more.
    """
    latest = solara.use_ref(made)
    latest.current = made
    lasts: Callable[[], Any] = solara.use_memo(lambda: lambda: latest.current(), [renewed])
    return lasts
