"""What one open page remembers: its draft with what came before and after, its pins, what it shows.

A session holds drafts and settings, never results: those lie in the cache of the engine. All of it fits
into a link, so that a page comes back after a reload, on another machine, or out of a bookmark.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any, Literal, TypeVar

import solara

from migrasim.core.language import LANGS, Lang
from migrasim.present.explorer.draft import Draft, compact, from_link, of_compact, region, to_link
from migrasim.variants import futures

T = TypeVar("T")
Ranges = Literal["luck", "parameters", "none"]
RANGES: tuple[Ranges, ...] = ("luck", "parameters", "none")
MOST_PINS = 4
MOST_STEPS = 100  # that can be undone
FIRST_YEAR, LAST_YEAR = 2021, 2035


@dataclass(frozen=True)
class Step:
    """A draft and what led to it: a phrase of the pages with what fills it, in no language yet."""

    draft: Draft
    phrase: str = ""
    filling: Mapping[str, Any] = field(default_factory=dict)


class Field(solara.Reactive[T]):
    """A value that a page remembers: where it changes, the page is drawn once, not once for each piece that reads it.

    Parameters
    ----------
    default
        What it begins with.
    session
        Whose it is.
    """

    def __init__(self, default: T, session: Session) -> None:
        super().__init__(default)
        self._session = session

    def set(self, value: T) -> None:
        """Take a value and draw the page."""
        with self._session.drawing:
            super().set(value)


class Session:
    """State of one page; every field is reactive.

    Parameters
    ----------
    start
        What it begins with.
    lang
        Language of the page.
    """

    def __init__(self, start: Draft, lang: Lang = "en") -> None:
        self.drawing: AbstractContextManager[object] = nullcontext()
        self.is_link_broken = self.is_link_cut = False
        self.unknown: tuple[str, ...] = ()  # what the address holds beside the link
        self.lang: Field[Lang] = Field(lang, self)
        self.tab = Field("explore", self)
        self.steps: Field[tuple[Step, ...]] = Field((Step(start),), self)
        self.ahead: Field[tuple[Step, ...]] = Field((), self)
        self.pins: Field[tuple[Draft, ...]] = Field((), self)
        self.place: Field[str | None] = Field(None, self)
        self.year = Field(LAST_YEAR, self)
        self.ranges: Field[Ranges] = Field("luck", self)
        self.full = Field(True, self)
        self.meet = Field("", self)
        self.replaying = Field(False, self)
        self.files = Field(False, self)
        self.shown = Field("", self)
        self.asked: Field[tuple[str, str]] = Field(("", ""), self)

    @property
    def draft(self) -> Draft:
        """The draft in hand."""
        return self.steps.value[-1].draft

    @property
    def before(self) -> Draft | None:
        """The draft before the last change."""
        return self.steps.value[-2].draft if len(self.steps.value) > 1 else None

    def put(self, draft: Draft, phrase: str, **filling: Any) -> None:
        """Take a changed draft into hand; what was undone before is forgotten."""
        if draft == self.draft:
            return
        with self.drawing:
            self.ahead.value = ()
            self.steps.value = (*self.steps.value, Step(draft, phrase, filling))[-MOST_STEPS:]

    def rename(self, name: str) -> None:
        """Call the draft in hand something else; its numbers stay what they are."""
        last = self.steps.value[-1]
        if name != last.draft.name:
            self.steps.value = (*self.steps.value[:-1], replace(last, draft=replace(last.draft, name=name, title={})))

    def undo(self) -> None:
        """Back to the draft before."""
        if len(self.steps.value) > 1:
            with self.drawing:
                self.ahead.value = (self.steps.value[-1], *self.ahead.value)
                self.steps.value = self.steps.value[:-1]

    def redo(self) -> None:
        """Forth to the draft that was undone."""
        if self.ahead.value:
            step, *rest = self.ahead.value
            with self.drawing:
                self.steps.value = (*self.steps.value, step)
                self.ahead.value = tuple(rest)

    def close(self) -> None:
        """Put away the box that says where a number comes from."""
        self.asked.value = ("", "")

    def is_pinned(self, draft: Draft) -> bool:
        """Whether a draft is kept for comparison, under whatever name."""
        return any((each.content, each.future) == (draft.content, draft.future) for each in self.pins.value)

    def pin(self, draft: Draft) -> None:
        """Keep a draft for comparison, the oldest of too many dropped; the same one is kept once."""
        others = tuple(each for each in self.pins.value if (each.content, each.future) != (draft.content, draft.future))
        self.pins.value = (*others, draft)[-MOST_PINS:]

    def unpin(self, index: int) -> None:
        """Drop a pinned draft."""
        self.pins.value = tuple(each for k, each in enumerate(self.pins.value) if k != index)

    def link(self) -> str:
        """All of it but what can be undone, as a short text for a link."""
        steps = self.steps.value[-2:]
        return to_link(
            {
                "l": self.lang.value,
                "t": self.tab.value,
                "d": [compact(step.draft) for step in steps],
                "w": [steps[-1].phrase, dict(steps[-1].filling)],
                "p": [compact(draft) for draft in self.pins.value],
                "c": self.place.value,
                "y": self.year.value,
                "b": self.ranges.value,
                "f": self.full.value,
                "m": self.meet.value,
            }
        )

    def restore(self, link: str) -> bool:
        """Take over what a link says, part by part; whatever is not allowed is left out, and `is_link_cut` tells so.

        Returns
        -------
        bool
            Whether there was a draft in it that is allowed: never the one before in its place.
        """
        data = from_link(link)
        if not isinstance(data, dict):
            return False
        chosen: tuple[tuple[str, Field[Any], list[Any]], ...] = (
            ("l", self.lang, list(LANGS)),
            ("t", self.tab, ["explore", "compare", "workshop"]),
            ("c", self.place, [None, *region().county_names]),
            ("y", self.year, list(range(FIRST_YEAR, LAST_YEAR + 1))),
            ("m", self.meet, ["", *futures()]),
        )
        for key, one, allowed in chosen:
            if key in data and data[key] in allowed:
                one.value = data[key]
            elif key in data:
                self.is_link_cut = True
        self.ranges.value = data["b"] if data.get("b") in RANGES else "luck" if data.get("b") is True else "none"
        self.full.value = data.get("f") is not False
        pins, drafts = _drafts(data.get("p")), _drafts(data.get("d"))[-2:]
        self.pins.value = tuple(each for each in pins if each is not None)[:MOST_PINS]
        if not drafts or drafts[-1] is None:
            return False
        self.is_link_cut |= None in (*pins, *drafts) or len(pins) > MOST_PINS
        steps = [Step(draft) for draft in drafts if draft is not None]
        steps[-1] = replace(steps[-1], **_words(data.get("w")))
        self.steps.value = tuple(steps)
        return True


def _drafts(data: Any) -> tuple[Draft | None, ...]:
    """Drafts of a link, at most one more than may be pinned; None for those that are not allowed."""
    return tuple(of_compact(each) for each in data[: MOST_PINS + 1]) if isinstance(data, list) else ()


def _words(data: Any) -> dict[str, Any]:
    """What led to the last draft, if it is one of the phrases."""
    from migrasim.present.explorer.words import PHRASES

    if not isinstance(data, list) or len(data) != 2 or data[0] not in list(PHRASES) or not isinstance(data[1], dict):
        return {}
    filling = {key: data[1][key] for key in ("lever", "value", "name", "count") if key in data[1]}
    plain = all(
        isinstance(each, str | int) or (isinstance(each, float) and isfinite(each)) for each in filling.values()
    )
    return {"phrase": data[0], "filling": filling} if plain else {}
