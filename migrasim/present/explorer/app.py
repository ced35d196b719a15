"""The page that the server shows: its head, its tabs, and what a link brings back."""

from __future__ import annotations

import json
from pathlib import Path

import solara
from reacton.core import get_render_context

from migrasim.core.language import LANGS, Lang
from migrasim.present.explorer.compare import ComparePage
from migrasim.present.explorer.explore import ExplorePage
from migrasim.present.explorer.files import FilesBox
from migrasim.present.explorer.serving import current
from migrasim.present.explorer.session import Session
from migrasim.present.explorer.widgets import Browser, Choice, Press, element
from migrasim.present.explorer.words import name_of, say
from migrasim.present.punctuation import listed, punctuated
from migrasim.present.workshop.page import WorkshopPage, tabs_of
from migrasim.present.workshop.words import word

STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
_MOST_NAMED, _MOST_LETTERS = 3, 40  # of what an address holds and the page does not know
_NAMES = {"en": "English", "zh-Hant": "繁體中文", "zh-Hans": "简体中文"}


def new_session(search: str | None) -> Session:
    """A session that begins with what the server was started with, or with what a link says."""
    from urllib.parse import parse_qs

    serving = current()
    session = Session(serving.start, serving.lang)
    if serving.workshop is not None:
        session.tab.value = "workshop"
    given = parse_qs(search or "")
    link = given.pop("s", [""])[0]
    session.unknown = tuple(name[:_MOST_LETTERS] for name in given)[:_MOST_NAMED]
    session.is_link_broken = bool(link) and not session.restore(link)
    return session


def _tab_title(tab: str, lang: Lang) -> str:
    return word(tab, lang) if tab == "workshop" else say(tab, lang)


@solara.component
def Page() -> None:
    """Everything that a visitor sees."""
    search = solara.use_router().search
    session = solara.use_memo(lambda: new_session(search), [])
    session.drawing = get_render_context()
    lang = session.lang.value
    serving = current()
    lost = say("lost", lang) if serving.workshop is None else word("lost", lang)
    solara.Style(STYLE)  # apart from what the language changes: put in anew, it would override the style of a workshop
    solara.Style(f":root {{ --ms-lost: {json.dumps(lost, ensure_ascii=False)}; }}")
    Browser(
        link=session.link(),
        language=lang,
        title=f"{name_of(session.draft, lang)} · migrasim",
        over=session.asked.value[0],
        event_pressed=lambda key: {"undo": session.undo, "redo": session.redo, "close": session.close}[key](),
    )
    tabs = ("explore", "compare") if serving.workshop is None else tabs_of()
    guest = "explore" not in tabs  # over the network: no results before their time, no files of this machine
    shown = session.tab.value if session.tab.value in tabs else tabs[0]
    with solara.v.Html(tag="div", class_="ms-page ms-workshop" if serving.workshop is not None else "ms-page"):
        with solara.v.Html(tag="header", class_="ms-head"):
            element("h1", say("app", lang))
            with solara.v.Html(tag="nav", class_="ms-tabs"):
                for tab in tabs:
                    title = _tab_title(tab, lang) + (f" ({len(session.pins.value)})" if tab == "compare" else "")
                    Press(
                        punctuated(title, lang),
                        lambda tab=tab: session.tab.set(tab),
                        pressed=shown == tab,
                        classes="ms-tab",
                    )
            Press(say("files", lang), lambda: session.files.set(not session.files.value), pressed=session.files.value)
            Choice(
                say("language", lang),
                lang,
                {each: _NAMES[each] for each in LANGS},
                lambda value: session.lang.set(value) if value in LANGS else None,
                "language",
            )
        if session.unknown:
            names = listed(session.unknown, lang)
            element("p", say("address_unknown", lang, names=names), classes="ms-wrong", role="alert")
        if session.is_link_broken or session.is_link_cut:
            said = say("link_broken" if session.is_link_broken else "link_cut", lang)
            element("p", said, classes="ms-wrong", role="alert")
        with solara.v.Html(tag="div"):  # it stays, so that what follows is not made anew
            if session.files.value:
                FilesBox(session, guest)
        if shown == "workshop" and serving.workshop is not None:
            WorkshopPage(session, serving.workshop)
        elif shown == "explore":
            ExplorePage(session)
        else:
            ComparePage(session)
