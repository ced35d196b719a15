"""Tables for the terminal.

Results come with their own targets and published record (`RunResult.provenance`), so that a
stored run shows the same table as a fresh one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType

from migrasim.present.chinese import said
from migrasim.present.language import Lang, component, phrase, words
from migrasim.present.model_error import model_error, region_of
from migrasim.present.punctuation import punctuated, title_in
from migrasim.present.sheet import Listing, Prose, Sheet
from migrasim.present.titles import dimension, group, unit
from migrasim.present.titles import scenario as scenario_title
from migrasim.runs.result import RunResult

if TYPE_CHECKING:
    from pandas import DataFrame

    from migrasim.analysis.band import Band
    from migrasim.analysis.compare import Comparison

RATE = "urbanization_rate"
REGISTERED_RATE = "hukou_urbanization_rate"
ABSENT = "absent_population"


@dataclass(frozen=True)
class Reference:
    """What a trajectory is held against.

    Attributes
    ----------
    targets
        Year: share; goals of the plan.
    record
        Year: share, as published.
    """

    targets: dict[int, float]
    record: dict[int, float]


def reference(result: RunResult, indicator: str = RATE) -> Reference:
    """Targets and published record that a result carries."""
    provenance = result.provenance
    record = provenance.get("record") or {}
    targets = (provenance.get("targets") or {}) if indicator == RATE else {}
    return Reference(_by_year(targets), _by_year(record.get(indicator) or {}))


def _by_year(values: Mapping[Any, Any]) -> dict[int, float]:
    return {int(year): float(values[year]) for year in sorted(values, key=int)}


def percent(share: float) -> str:
    """A share as percent, two decimals.

    Examples
    --------
    >>> percent(0.4477)
    '44.77'
    """
    return f"{100 * share:.2f}"


def people(number: float) -> str:
    """A number of people with separators."""
    return f"{number:,.0f}"


def notes(found: RunResult | Comparison, lang: Lang) -> list[Prose]:
    """Everything a reader must know first: a sample, then the notes of the run or comparison."""
    lines: list[Prose] = []
    if found.sample < 1:
        share, weight = f"{100 * found.sample:g}%", f"{1 / found.sample:g}"
        lines.append(Prose(phrase("sample_note", lang, share=share, weight=weight), "bold yellow"))
    head = phrase("note", lang)
    return lines + [Prose(punctuated(f"{head}: {title_in(note, lang)}", lang), "yellow") for note in found.notes]


def trajectory(result: RunResult, lang: Lang = "en") -> Sheet:
    """The region year by year, with the published record and the distance to the targets."""
    name = scenario_title(result.scenario, result.provenance.get("scenario_title"), lang)
    about = {"base": result.base, "until": result.until, "scenario": name, "seed": result.seed}
    sheet = Sheet(phrase("trajectory", lang, **about))
    frame, against = result.prefecture(), reference(result)
    heads = ["resident_rate", "registered_rate", "urban_residents", "residents", "absent"]
    heads += ["published", "target", "distance"]
    sheet.numbers(phrase("year", lang), key=True)
    sheet.numbers(*(phrase(head, lang) for head in heads))
    for row, year in enumerate(int(each) for each in frame.index):
        rate = float(frame[RATE].iloc[row])
        target = against.targets.get(year)
        cells = [str(year), percent(rate), percent(float(frame[REGISTERED_RATE].iloc[row]))]
        cells += [people(float(frame[name].iloc[row])) for name in ("urban_population", "resident_population", ABSENT)]
        cells.append(percent(against.record[year]) if year in against.record else "")
        cells.append("" if target is None else percent(target))
        cells.append("" if target is None else f"{100 * (rate - target):+.2f}")
        sheet.row(*cells, style="" if target is None else "bold")
    return sheet


def decomposition(result: RunResult, lang: Lang = "en") -> Sheet:
    """Sources of the change of the resident rate, summed over spans of years between targets."""
    frame = whole_region(result.decomposition)
    spans = _spans(result)
    sheet = Sheet(phrase("decomposition", lang))
    sheet.words(phrase("component", lang), key=True)
    sheet.numbers(*(f"{first}-{last}" for first, last in spans))
    totals = [0.0] * len(spans)
    for name in components(frame):
        rows = frame[frame["component"] == name]
        points = [
            float(rows.loc[(rows["year"] > first) & (rows["year"] <= last), "points"].sum()) for first, last in spans
        ]
        totals = [total + point for total, point in zip(totals, points, strict=True)]
        sheet.row(component(name, lang), *(f"{point:+.2f}" for point in points))
    sheet.part()
    sheet.row(phrase("sum", lang), *(f"{total:+.2f}" for total in totals), style="bold")
    return sheet


def whole_region(decomposition: DataFrame) -> DataFrame:
    """Rows of the whole region where a decomposition holds the counties, too."""
    return decomposition[decomposition["level"] == "prefecture"] if "level" in decomposition else decomposition


def components(decomposition: DataFrame) -> list[str]:
    """Names of the components that ever contribute, in their order."""
    active = decomposition.loc[decomposition["points"] != 0, "component"]
    return [str(name) for name in dict.fromkeys(decomposition["component"]) if (active == name).any()]


def _spans(result: RunResult) -> list[tuple[int, int]]:
    """Spans between base, the targets' years and the end, and the whole."""
    inner = [year for year in reference(result).targets if result.base < year < result.until]
    knots = [result.base, *inner, result.until]
    spans = [(first, last) for first, last in pairwise(knots) if first < last]
    return spans if len(spans) < 2 else [*spans, (result.base, result.until)]


KEY_INDICATORS = (
    "absent_near_population",
    "absent_far_population",
    "split_households",
    "children_left_behind",
    "elderly_left_behind",
    "income_ratio",
    "unemployment_share",
    "rent_yuan_mo",
    "waiting_households",
    "school_pressure_share",
    "health_pressure_share",
    "permit_coverage_share",
    "registration_transfers",
    "land_sold_mu",
    "public_cost_yuan",
    "enterprise_cost_yuan",
    "household_cost_yuan",
    "unpaid_yuan",
    "cumulative_cost_yuan_per_new_resident",
)


def key_indicators(result: RunResult, lang: Lang = "en") -> Sheet:
    """Other indicators of the whole region at the base year, the years of targets and the end."""
    from migrasim.indicators import CATALOGUE

    frame = result.prefecture()
    years = [result.base, *(last for _, last in _spans(result)[:-1]), result.until]
    years = [year for year in dict.fromkeys(years) if year in frame.index]
    sheet = Sheet(phrase("key_indicators", lang))
    sheet.words(phrase("indicator", lang), key=True)
    sheet.numbers(*map(str, years))
    sheet.words(phrase("unit", lang))
    for name in KEY_INDICATORS:
        column = name if name in frame else f"{name}_nominal"
        if column not in frame:
            continue
        about = CATALOGUE[name]
        cells = [amount(float(value), about.unit) for value in frame.loc[years, column]]
        sheet.row(title_in(about.title, lang), *cells, _unit(about.unit, lang, nominal=column != name))
    return sheet


def _unit(english: str, lang: Lang, *, nominal: bool) -> str:
    """A unit, with the prices of each year in place of those of 2020 where money is nominal."""
    return unit(english.replace("yuan of 2020", "nominal yuan") if nominal else english, lang)


_COUNTED = ("beds", "dwellings", "homesteads", "households", "jobs", "moves", "persons", "places", "units")


def amount(value: float | None, unit: str = "") -> str:
    """A result in few characters: whole where it is large or counts things, else three digits; empty for none.

    Examples
    --------
    >>> amount(1333.333, "jobs by 2035"), amount(66.67, "jobs"), amount(0.66667, "share"), amount(0.25, "months")
    ('1,333', '67', '0.667', '0.25')
    """
    if value is None or value != value:
        return ""
    return f"{round(value):,}" if abs(value) >= 100 or unit.startswith(_COUNTED) else f"{value:.3g}"


def groups(result: RunResult, lang: Lang = "en") -> Sheet:
    """Welfare of groups of households at the base year and the end, and where their people live."""
    frame = result.groups
    welfare = "welfare_yuan_yr" if "welfare_yuan_yr" in frame else "welfare_yuan_yr_nominal"
    money = _unit("yuan of 2020 a year", lang, nominal=welfare != "welfare_yuan_yr")
    sheet = Sheet(phrase("groups", lang, unit=money), phrase("groups_note", lang))
    sheet.words(phrase("group", lang), key=True)
    for head in ("persons", "urban_percent", "away_percent", "welfare"):
        sheet.numbers(*(f"{phrase(head, lang)} {year}" for year in (result.base, result.until)))
    first, last = (
        frame[frame["year"] == year].set_index(["dimension", "group"]) for year in (result.base, result.until)
    )
    for by in dict.fromkeys(frame["dimension"]):
        sheet.part(dimension(str(by), lang))
        for name in dict.fromkeys(frame.loc[frame["dimension"] == by, "group"]):
            cells: list[str] = []
            ends = [each.loc[(by, name)] for each in (first, last) if (by, name) in each.index]
            if len(ends) < 2:
                continue
            cells += [people(float(each["persons"])) for each in ends]
            for part in ("urban_persons", "absent_persons"):
                cells += [f"{100 * each[part] / each['persons']:.1f}" if each["persons"] else "" for each in ends]
            cells += [people(float(each[welfare])) if each[welfare] == each[welfare] else "" for each in ends]
            sheet.row(group(str(name), lang), *cells)
    return sheet


def chains(result: RunResult, lang: Lang = "en") -> RenderableType:
    """Jobs and output of the industrial chains, and the clusters that the plan aims at."""
    from migrasim.facts import FactBook

    frame, levers = result.chains, FactBook.load().levers
    output = "output_yuan" if "output_yuan" in frame else "output_yuan_nominal"
    clusters = result.provenance.get("clusters") or []
    years = [result.base, *(int(each["year"]) for each in clusters), result.until]
    years = sorted({year for year in years if result.base <= year <= result.until})
    sheet = Sheet(phrase("chains", lang))
    sheet.words(phrase("chain", lang), key=True)
    for head in ("workers", "output"):
        sheet.numbers(*(f"{phrase(head, lang)} {year}" for year in years))
    at = frame.set_index(["chain", "year"])
    for chain in dict.fromkeys(frame["chain"]):
        lever = levers.get(f"industry.{chain}.jobs")
        cells = [people(float(at.loc[(chain, year), "filled"])) if (chain, year) in at.index else "" for year in years]
        cells += [f"{at.loc[(chain, year), output] / 1e8:,.1f}" if (chain, year) in at.index else "" for year in years]
        sheet.row(title_in(lever.title, lang) if lever else str(chain), *cells)
    lines: list[RenderableType] = [sheet]
    ceiling = float("inf")
    for each in sorted(clusters, key=lambda one: -float(one["yuan"])):
        year, least = int(each["year"]), float(each["yuan"])
        if year <= result.until:
            here = frame.loc[frame["year"] == year, "output_yuan" if "output_yuan" in frame else output]
            reached = int(((here >= least) & (here < ceiling)).sum())
            yuan = f"{least / (1e9 if lang == 'en' else 1e8):g}"  # Chinese counts in 100 million
            said = phrase("cluster", lang, year=year, yuan=yuan, reached=reached, wanted=int(each["count"]))
            lines.append(Prose(said, "dim"))
        ceiling = least
    return Group(*lines)


def summary(result: RunResult, lang: Lang = "en") -> RenderableType:
    """What `migrasim run` prints: notes, trajectory, decomposition, other indicators, groups, chains."""
    parts: list[RenderableType] = [*notes(result, lang), trajectory(result, lang)]
    if reference(result).targets:
        parts.append(Prose(phrase("target_note", lang), "dim"))
    if error := model_error(region_of(result.provenance), result.base, result.until, lang):
        parts.append(Prose(error, "dim"))
    more = [key_indicators(result, lang), groups(result, lang), chains(result, lang)]
    return Group(*parts, decomposition(result, lang), *more)


def band(drawn: Band, result: RunResult, lang: Lang = "en") -> list[RenderableType]:
    """The headline of a scenario with assumed values: its range over them, and how many of its values are assumed."""
    frame = result.prefecture()
    years = [year for year in (*reference(result).targets, result.until) if year in frame.index]
    sheet = Sheet(phrase("band", lang, draws=len(drawn.draws), assumed=drawn.assumed, taken=drawn.taken))
    sheet.numbers(phrase("year", lang), key=True)
    names = {RATE: ("resident_rate", percent), "urban_population": ("urban_residents", people)}
    for head, _ in names.values():
        title = phrase(head, lang)
        ranges, *others = (
            punctuated(f"{title}, {phrase(part, lang)}", lang) for part in ("band_range", "band_median", "one_run")
        )
        sheet.words(ranges)  # a range may be broken between its numbers
        sheet.numbers(*others)
    outside: list[str] = []
    for year in dict.fromkeys(years):
        cells = [str(year)]
        for name, (_, write) in names.items():
            numbers = [*drawn.of(name).loc[year], frame[name].loc[year]]
            low, median, high, ran = (float(each) for each in numbers)
            if not low <= ran <= high and str(year) not in outside:
                outside.append(str(year))
            cells += [f"{write(low)} - {write(high)}", write(median), write(ran)]
        sheet.row(*cells)
    note = phrase("band_note", lang)
    if drawn.sample < 1:
        note += phrase("band_moved" if drawn.moved else "band_sample", lang, share=f"{100 * drawn.sample:g}")
    if outside:
        note += phrase("band_outside", lang, years=", ".join(outside), draws=len(drawn.draws))
    return [sheet, Prose(note, "dim")]


def listing(heads: Sequence[str], rows: Iterable[Sequence[object]], lang: Lang = "en", title: str = "") -> Listing:
    """A plain listing; no name and no number is broken, whatever the width.

    Parameters
    ----------
    heads
        English heads of the columns.
    rows
        Cells; anything that can be printed.
    lang
        Language of the heads, and of the cells but the first.
    title
        Title of the table.
    """
    sheet = Listing(title, align="left")
    sheet.words(*words(heads, lang))
    for name, *cells in rows:
        sheet.row(str(name), *(said(str(cell), lang) for cell in cells))
    return sheet


def card(title: str, rows: Iterable[tuple[str, object]], lang: Lang = "en") -> Sheet:
    """One thing in full, a line an attribute; what is empty is left out."""
    sheet = Sheet(title, align="left")
    sheet.words("", "")
    for head, value in rows:
        if value not in (None, ""):
            sheet.row(*words([head], lang), said(str(value), lang))
    return sheet


def number(value: object, lang: Lang = "en") -> str:
    """A value of a fact or lever in few characters: a number, or a path or mapping in short.

    Examples
    --------
    >>> number(0.5), number({2025: 1.0, 2035: 2.0}), number(None)
    ('0.5', '2025: 1, 2035: 2', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:,.10g}" if abs(value) >= 10_000 else f"{value:.6g}"
    if isinstance(value, Mapping):
        return punctuated(", ".join(f"{said(str(key), lang)}: {number(each)}" for key, each in value.items()), lang)
    if isinstance(value, list | tuple):
        return f"[{', '.join(number(each) for each in value)}]"
    return str(value)
