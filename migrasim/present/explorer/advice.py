"""Warnings in plain words, each with something that can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrasim.facts import BASE_YEAR, FactBook
from migrasim.present.explorer.draft import Draft, path_of
from migrasim.present.explorer.session import LAST_YEAR
from migrasim.present.explorer.view import table_of
from migrasim.present.explorer.words import say
from migrasim.present.language import Lang
from migrasim.present.punctuation import punctuated, title_in

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from migrasim.runs.result import RunResult

_MANY_REFUSED = 0.05  # of those who moved to town in the year
_FULL = 1.1  # pupils per school place in town
_LONG_QUEUE = 0.25  # of the households in public rental dwellings
_UNPAID_YUAN = 1e6
_MOST_NAMED = 3


def warnings(draft: Draft, result: RunResult, lang: Lang) -> list[str]:
    """What a planner should know of a run: what is short, what is at its bound, what a budget does not carry."""
    frame = table_of(result, None)
    found = [
        _dwellings(frame, lang),
        _queue(frame, lang),
        _schools(frame, lang),
        _budget(frame, lang),
        _emptying(frame, lang),
        _bounds(draft, lang),
    ]
    return [each for each in found if each]


def _when(mask: Series[bool], lang: Lang) -> str:
    """Years in words, from the first to the last; empty where there is none."""
    years = [int(str(year)) for year in mask.index[mask]]
    if not years:
        return ""
    first, last = years[0], years[-1]
    key = "in_year" if first == last else "from_on" if last == LAST_YEAR else "from_to"
    return say(key, lang, first=first, last=last)


def _dwellings(frame: DataFrame, lang: Lang) -> str:
    moves = frame["moves_in_from_villages"].clip(lower=1.0)
    when = _when((frame["refused_dwelling"] / moves > _MANY_REFUSED) & (frame.index > BASE_YEAR), lang)
    return say("warn_dwellings", lang, when=when) if when else ""


def _queue(frame: DataFrame, lang: Lang) -> str:
    waiting, housed = frame["waiting_households"], frame["public_rental_households"]
    when = _when((waiting > _LONG_QUEUE * housed.clip(lower=1.0)) & (frame.index > BASE_YEAR), lang)
    return say("warn_queue", lang, when=when, count=f"{float(waiting.max()):,.0f}") if when else ""


def _schools(frame: DataFrame, lang: Lang) -> str:
    when = _when((frame["school_pressure_share"] > _FULL) & (frame.index > BASE_YEAR), lang)
    return say("warn_schools", lang, when=when) if when else ""


def _budget(frame: DataFrame, lang: Lang) -> str:
    when = _when(frame["unpaid_yuan"] > _UNPAID_YUAN, lang)
    return say("warn_budget", lang, when=when, yuan=f"{float(frame['unpaid_yuan'].sum()) / 1e6:,.0f}") if when else ""


def _emptying(frame: DataFrame, lang: Lang) -> str:
    """A rate that rises while towns do not fill."""
    first, last = frame.iloc[0], frame.iloc[-1]
    risen = last["urbanization_rate"] > first["urbanization_rate"] + 0.02
    gone = first["rural_population"] - last["rural_population"]
    filled = last["urban_population"] - first["urban_population"]
    if risen and filled < 0.5 * gone:
        return say("warn_emptying", lang, gone=f"{gone / 1000:,.0f}", filled=f"{filled / 1000:,.0f}")
    return ""


def _bounds(draft: Draft, lang: Lang) -> str:
    """Levers that were set to a bound, where moving on is not possible."""
    book, titles = FactBook.load(), []
    for name in draft.levers:
        lever = book.levers.get(name)
        if lever is None or draft.levers[name] in ("plan", "status_quo"):
            continue
        value = path_of(draft, lever)[LAST_YEAR]
        if min(abs(value - bound) for bound in lever.bounds) < 1e-9:
            titles.append(title_in(lever.title, lang))
    return say("warn_bounds", lang, levers=punctuated(", ".join(titles[:_MOST_NAMED]), lang)) if titles else ""
