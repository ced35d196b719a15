"""The first section of a report: the result in sentences, with how sure it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from migrasim.analysis.shipping import held
from migrasim.core.language import Lang
from migrasim.facts import FactBook
from migrasim.present.comparison import chance
from migrasim.present.language import phrase
from migrasim.present.model_error import model_error
from migrasim.present.punctuation import title_in
from migrasim.present.report.view import Changed, View
from migrasim.present.report.words import word
from migrasim.present.tables import ABSENT, RATE

if TYPE_CHECKING:
    from pandas import DataFrame

_MOVES = ("moves_inside", "other_counties_rural", "other_counties_urban")
_AWAY = ("departures_rural", "departures_urban", "arrivals_and_returns_rural", "arrivals_and_returns_urban")
_FEW = 6  # levers that a sentence can name
ASSUMED = ("assumed", "estimated")


def headline(view: View, lang: Lang) -> list[str]:
    """The result in sentences, with how sure it is."""
    write = _headline_batch if view.batch else _headline_comparison if view.comparison else _headline_run
    said = write(view, lang)
    changed = view.changed
    if not changed:
        return [*said, word("no_levers", lang)]
    assumed = sum(bool(_statuses(each) & set(ASSUMED)) for each in changed)
    between, stop = (", ", ".") if lang == "en" else ("、", "。")
    named = between.join(_changed_words(changed, lang))
    head = word("head_changed", lang, changed=len(changed), named=named) + stop
    return [*said, head, word("head_assumed", lang, assumed=assumed, changed=len(changed))]


def _changed_words(changed: list[Changed], lang: Lang) -> list[str]:
    """The levers by title where they are few, else how many of each group."""
    if len(changed) <= _FEW:
        return [title_in(each.lever.title, lang) if each.lever else each.id for each in changed]
    book = FactBook.load()
    counts = Counter(each.lever.group if each.lever else "" for each in changed)
    return [f"{title_in(book.groups[name], lang)} {counts[name]}" for name in book.groups if counts[name]]


def _headline_run(view: View, lang: Lang) -> list[str]:
    name, base, until = view.main, view.base, view.until

    def at(indicator: str, year: int) -> float:
        return view.at(indicator, name, year)

    def since(indicator: str) -> float:
        return at(indicator, until) - at(indicator, base)

    said = [
        word(
            "head_rate", lang, scenario=view.title(name, lang), base=base, until=until,
            rate=percent(at(RATE, until)), start=percent(at(RATE, base)),
        ),
        word(
            "head_people", lang, base=base, urban=people(at("urban_population", until), lang),
            change=people(since("urban_population"), lang, signed=True),
            rural=people(since("resident_population") - since("urban_population"), lang, signed=True),
            absent=people(at(ABSENT, until), lang), absent_change=people(since(ABSENT), lang, signed=True),
        ),
    ]  # fmt: skip
    points = view.points(name, base, until)
    parts = {"points": points.values(), "moves": _of(points, _MOVES), "away": _of(points, _AWAY)}
    said.append(word("head_denominator", lang, **{key: f"{sum(each):+.1f}" for key, each in parts.items()}))
    said += _targets(view, lang)
    rate, urban = (_at(view, each, name) for each in (RATE, "urban_population"))
    low, high = rate["low"], rate["high"]
    drawn = view.band is not None and low == low
    fitted = [view.over_vectors(each) for each in (RATE, "urban_population")]
    if drawn:
        said.append(
            _sure("sure_band", until, (low, high), (urban["low"], urban["high"]), drawn_words(view, lang), lang)
        )
        said += _outside_band(view, lang)
    if fitted[0] is not None and fitted[1] is not None:
        ends = [(float(each["low"].loc[until]), float(each["high"].loc[until])) for each in fitted if each is not None]
        said.append(_sure("sure_fitted", until, ends[0], ends[1], fitted_words(view, lang), lang))
        if view.region is not None and (found := held(view.region)) is not None:
            said.append(phrase("spread_held", lang, held=found[0], all=found[1]))
        if years := view.outside(view.fitted, (RATE, "urban_population")):
            said.append(word("outside_fitted", lang, count=len(years), all=until - base))
    elif not drawn:
        said.append(word("sure_none", lang))
    return [*said, *filter(None, [model_error(view.region, base, until, lang)])]


def drawn_words(view: View, lang: Lang) -> str:
    """Of how many draws the range over assumed values is, where the tables say."""
    count = _draws(view.band)
    return word("the_draws", lang) if count is None else word("of_draws", lang, count=count)


def fitted_words(view: View, lang: Lang) -> str:
    """Of how many vectors the range over fitted facts is, where the tables say."""
    count = _draws(view.fitted)
    return word("the_vectors", lang) if count is None else word("of_vectors", lang, count=count)


def _draws(band: DataFrame | None) -> int | None:
    return int(band["draws"].iloc[0]) if band is not None and "draws" in band else None


def _outside_band(view: View, lang: Lang) -> list[str]:
    """That the run lies outside its range, and why it may; nothing where it does not."""
    years = view.outside(view.band, (RATE, "urban_population"))
    if not years or view.band is None:
        return []
    return [word("outside_band", lang, count=len(years), all=view.until - view.base, drawn=drawn_words(view, lang))]


def _sure(key: str, until: int, rate: tuple[float, float], urban: tuple[float, float], drawn: str, lang: Lang) -> str:
    """A range in a sentence."""
    ends = dict(zip(("urban_low", "urban_high"), (people(each, lang) for each in urban), strict=True))
    return word(key, lang, until=until, drawn=drawn, low=percent(rate[0]), high=percent(rate[1]), **ends)


def _of(points: Mapping[str, float], names: Iterable[str]) -> list[float]:
    return [points.get(name, 0.0) for name in names]


def _targets(view: View, lang: Lang) -> list[str]:
    said = []
    for year, target in view.targets.items():
        if view.base <= year <= view.until:
            rate = view.at(RATE, view.main, year)
            gap = f"{100 * (rate - target):+.1f}"
            said.append(
                word("head_target", lang, year=year, target=f"{100 * target:g}", rate=percent(rate), distance=gap)
            )
    return [*said, word("head_target_note", lang)] if said else []


def _headline_comparison(view: View, lang: Lang) -> list[str]:
    comparison, until = view.comparison, view.until
    assert comparison is not None
    reference = view.title(view.scenarios[0], lang)
    said = []
    for name in comparison.others:
        values: dict[str, str] = {}
        for key, indicator in (("urban", "urban_population"), ("rate", RATE), ("absent", ABSENT)):
            row = _difference(comparison.difference(indicator), name, until)
            write = _points if indicator == RATE else lambda value: people(value, lang, signed=True)
            values[key] = write(row["difference"])
            values[f"{key}_interval"] = (
                word("interval_words", lang, low=write(row["low"]), high=write(row["high"])) if row["pairs"] > 1 else ""
            )
        scenario = view.title(name, lang)
        said.append(word("head_difference", lang, scenario=scenario, reference=reference, until=until, **values))
        urban = _difference(comparison.difference("urban_population"), name, until)
        if urban["pairs"] > 1:
            said.append(word("head_chance", lang, reference=reference, chance=chance(urban, lang)))
    rates = [f"{view.title(name, lang)} {percent(view.at(RATE, name, until))}%" for name in view.scenarios]
    start = percent(view.at(RATE, view.main, view.base))
    between = ", " if lang == "en" else "，"
    said.append(word("head_paths", lang, until=until, base=view.base, start=start, rates=between.join(rates)))
    if view.targets:
        said.append(word("head_target_note", lang))
    pairs = len(view.seeds)
    return [*said, word("sure_pairs", lang, pairs=pairs) if pairs > 1 else word("sure_one_pair", lang)]


def _headline_batch(view: View, lang: Lang) -> list[str]:
    said = []
    for name in view.scenarios:
        rate, urban = (_at(view, each, name) for each in (RATE, "urban_population"))
        ends = {"rate": percent(rate["mean"]), "urban": people(urban["mean"], lang)}
        text = word("head_batch", lang, scenario=view.title(name, lang), until=view.until, **ends)
        if rate["low"] == rate["low"]:
            low, high = (f"{percent(rate[end])}%" for end in ("low", "high"))
            people_low, people_high = (people(urban[end], lang) for end in ("low", "high"))
            text += word("head_batch_range", lang, low=low, high=high, urban_low=people_low, urban_high=people_high)
        said.append(text + ("." if lang == "en" else "。"))
    said += [text for name in view.scenarios[1:] if (text := _against_first(view, name, lang))]
    start = percent(view.at(RATE, view.main, view.base))
    said.append(word("head_batch_start", lang, base=view.base, start=start))
    if view.targets:
        said.append(word("head_target_note", lang))
    return [*said, word("sure_batch", lang, runs=len(view.runs))]


def _against_first(view: View, name: str, lang: Lang) -> str:
    """A scenario of a batch against the first one, pair by pair; nothing where no runs are pairs."""
    values: dict[str, str] = {}
    pairs = 0
    for key, indicator in (("urban", "urban_population"), ("rate", RATE)):
        found = view.pairs(name, indicator, view.until)
        if not found:
            return ""
        pairs = int(found["pairs"])
        write = _points if indicator == RATE else lambda value: people(value, lang, signed=True)
        ends = {"low": write(found["low"]), "high": write(found["high"])} if pairs > 1 else {}
        values |= {
            key: write(found["difference"]),
            f"{key}_interval": word("interval_words", lang, **ends) if ends else "",
        }
    about = {"scenario": view.title(name, lang), "reference": view.title(view.scenarios[0], lang)}
    return word("batch_difference", lang, until=view.until, pairs=pairs, **about, **values)


def _at(view: View, indicator: str, scenario: str) -> dict[str, float]:
    """Mean, low and high of the last year."""
    series = view.series(indicator, scenario)
    return {name: float(series[name].loc[view.until]) for name in ("mean", "low", "high")}


def _points(share: float) -> str:
    return f"{100 * share:+.2f}"


def _difference(frame: DataFrame, scenario: str, year: int) -> dict[str, float]:
    row = frame[(frame["scenario"] == scenario) & (frame["year"] == year)].iloc[0]
    return {str(name): float(row[name]) for name in frame.columns if name not in ("scenario", "year")}


def _statuses(changed: Changed) -> set[str]:
    """Status of the values that a lever took: the plan's where the path is the plan's."""
    found: set[str] = set()
    for planned in changed.planned.values():
        found.add(changed.lever.plan.status if planned and changed.lever else "own_value")
    return found


def people(number_: float, lang: Lang, *, signed: bool = False) -> str:
    """A number of people in thousands, or in units of ten thousand in Chinese."""
    scaled, digits = (number_ / 1e3, 1) if lang == "en" else (number_ / 1e4, 2)
    digits = digits if abs(scaled) < 1000 else 0
    return word("thousand" if lang == "en" else "wan", lang, number=f"{scaled:{'+' if signed else ''},.{digits}f}")


def percent(share: float) -> str:
    """A share as percent, one decimal."""
    return f"{100 * share:.1f}"
