"""What sets drafts apart, in words: values of their levers beside 2020 and the plan, and names that tell them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from migrasim.core.language import Lang
from migrasim.facts import FactBook, Lever
from migrasim.present.explorer.draft import LAST_YEAR, Draft, differing, path_of, region
from migrasim.present.explorer.view import county_title
from migrasim.present.explorer.words import name_of, say, shipped_name, unit
from migrasim.present.punctuation import punctuated, title_in
from migrasim.present.tables import amount
from migrasim.variants import futures

_NAMED = 2  # levers in a name


def differing_among(drafts: Sequence[Draft]) -> list[Lever]:
    """Levers that any two of several drafts do not share, in the order of the book."""
    found = {lever.id for one, other in combinations(drafts, 2) for lever in differing(one, other)}
    return [lever for lever in FactBook.load().levers.values() if lever.id in found]


def lever_rows(levers: Sequence[Lever], drafts: Sequence[Draft], lang: Lang) -> list[list[str]]:
    """Title and unit of levers, their values in 2020 and the plan, and in each draft."""
    quo, plan = Draft("status_quo"), Draft("plan")
    return [
        [title_in(one.title, lang), unit(one.unit, lang), *(setting(each, one, lang) for each in (quo, plan, *drafts))]
        for one in levers
    ]


def setting(draft: Draft, lever: Lever, lang: Lang) -> str:
    """A lever of a draft in few characters, with the counties that were set one by one."""
    given = draft.levers.get(lever.id)
    names = region().county_names
    own = [name for name in names if isinstance(given, Mapping) and name in given]
    parts = (f"{county_title(region(), name, lang)} {_short(draft, lever, names.index(name))}" for name in own)
    both = "; " if lang == "en" else "；"
    return _short(draft, lever) + (say("in_brackets", lang, what=both.join(parts)) if own else "")


def _short(draft: Draft, lever: Lever, county: int | None = None) -> str:
    return short_path(path_of(draft, lever, county), lever.unit)


def short_path(values: Mapping[int, float], unit: str = "") -> str:
    """A lever in few characters: one number, or the first and the last.

    Examples
    --------
    >>> short_path({2021: 0.5, 2035: 0.5}), short_path({2021: 0.5, 2035: 1.0}), short_path({2021: 0.0, 2035: 14250.0})
    ('0.5', '0.5 → 1', '0 → 14,250')
    """
    first, last = values[2021], values[LAST_YEAR]
    ends = [amount(each, unit) for each in (first, last)]
    return ends[1] if ends[0] == ends[1] else " → ".join(ends)


def names_of(drafts: Sequence[Draft], lang: Lang) -> list[str]:
    """Names that tell drafts apart: where two are called the same, what differs between them, then their future."""
    names = [name_of(draft, lang) for draft in drafts]
    between = "; " if lang == "en" else "；"
    for name in {each for each in names if names.count(each) > 1}:
        same = [k for k, each in enumerate(names) if each == name]
        alike = [drafts[k] for k in same]
        levers = differing_among(alike)
        for k in same:
            parts = [f"{title_in(each.title, lang)} {setting(drafts[k], each, lang)}" for each in levers[:_NAMED]]
            if len(levers) > _NAMED:
                parts.append(say("and_more_levers", lang, count=len(levers) - _NAMED))
            if len({each.future for each in alike}) > 1:
                parts.append(title_in(futures()[drafts[k].future].title, lang))
            names[k] = between.join([drafts[k].name or shipped_name(drafts[k].base, lang), *parts])
    numbered = [punctuated(f"{name} ({names[:k].count(name) + 1})", lang) for k, name in enumerate(names)]
    return [longer if names.count(name) > 1 else name for name, longer in zip(names, numbered, strict=True)]
