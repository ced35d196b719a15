"""Tables of a fit and of a judgement, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from migrasim.core.language import Lang
from migrasim.indicators import CATALOGUE
from migrasim.present.chinese import said
from migrasim.present.language import phrase
from migrasim.present.model_error import model_error
from migrasim.present.punctuation import punctuated, title_in
from migrasim.present.sheet import Prose
from migrasim.present.tables import listing
from migrasim.present.titles import group as group_in
from migrasim.present.titles import scenario as scenario_title
from migrasim.region import Region

if TYPE_CHECKING:
    from pandas import DataFrame
    from rich.console import RenderableType

    from migrasim.analysis.assimilation import Update
    from migrasim.analysis.calibration import Fit
    from migrasim.analysis.ensemble import Spread
    from migrasim.analysis.experiments import Check
    from migrasim.analysis.validation import Judgement

SAME_STUDY = ("P14", "P15", "P16", "P17")  # checks whose priors come from the study that is checked
_SHOWN = ("urbanization_rate", "hukou_urbanization_rate", "urban_population", "resident_population")


@dataclass(frozen=True)
class Sheet:
    """A table of words: key of its title, heads and cells."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def number(value: float, unit: str = "") -> str:
    """A number as people read it: shares in percent, rates per thousand, people in whole."""
    if value != value:
        return "–"
    if unit.startswith("share"):
        return f"{100 * value:.2f} %"
    if unit.startswith("per person"):
        return f"{1000 * value:.2f} ‰"
    if unit.startswith(("persons", "yuan")):
        return f"{value:,.0f}"
    return f"{value:.3f}"


def change(value: float, unit: str, lang: Lang) -> str:
    """A difference as people read it: that of shares in points."""
    return phrase("monitoring_points", lang, points=f"{100 * value:+.2f}") if unit == "share" else number(value, unit)


def pattern_sheet(found: Judgement, *, county_cohorts: bool) -> Sheet:
    """Published against simulated, series by series; cohorts of counties on request (there are many)."""
    rows = []
    for row in found.patterns.to_dict("records"):
        if not county_cohorts and row["measure"] == "cohort_ratio" and row["level"] == "county":
            continue
        unit = row["unit"]
        place = row["place"] + (f", {row['detail']}" if row["detail"] else "")
        rows.append(
            (
                row["pattern"],
                row["use"],
                row["measure"],
                place,
                f"{row['base']}–{row['year']}" if row["base"] != row["year"] else str(row["year"]),
                number(row["published"], unit),
                f"{number(row['low'], unit)} … {number(row['high'], unit)}",
                number(row["simulated"], unit),
                f"{number(row['chance_low'], unit)} … {number(row['chance_high'], unit)}",
                f"{number(row['low_parameters'], unit)} … {number(row['high_parameters'], unit)}",
                "inside" if row["inside"] else "OUTSIDE",
            )
        )
    heads = ("pattern", "use", "measure", "place", "years", "published", "near enough", "simulated")
    return Sheet("judge_patterns", (*heads, "chance", "parameters", "verdict"), rows)


def summary_sheet(found: Judgement) -> Sheet:
    """How many series of each pattern are near enough, and whether counties keep their order."""
    ranks = found.ranks.groupby("pattern")["rank_correlation"].mean()
    rows = []
    for (pattern, use), group in found.patterns.groupby(["pattern", "use"], sort=False):
        inside = int(group["inside"].sum())
        rank = ranks.get(pattern)
        rows.append(
            (
                str(pattern),
                str(use),
                f"{inside} of {len(group)}",
                f"{inside / len(group):.0%}",
                "" if rank is None else f"{rank:.2f}",
            )
        )
    return Sheet("judge_summary", ("pattern", "use", "inside", "share", "rank correlation"), rows)


def backtest_sheet(found: Judgement) -> Sheet:
    """Errors, bias, interval scores and coverage of the model and of the benchmarks."""
    rows = []
    for row in found.backtests.to_dict("records"):
        unit = "share" if row["what"] == "rate" else "persons"
        rows.append(
            (
                row["test"],
                row["what"],
                row["method"],
                str(row["cases"]),
                number(row["error"], unit),
                number(row["bias"], unit),
                number(row["interval_score"], unit),
                "–" if row["covered"] != row["covered"] else f"{row['covered']:.0%}",
            )
        )
    heads = ("test", "of", "method", "cases", "mean error", "bias", "interval score", "covered")
    return Sheet("judge_backtests", heads, rows)


def coverage_sheet(found: Judgement) -> Sheet:
    """How many published series lie in the bands."""
    rows = [
        (
            row["use"],
            f"{row['covered']} of {row['series']}",
            f"{row['share']:.0%}",
            f"{row['low']:.0%} … {row['high']:.0%}",
        )
        for row in found.coverage.to_dict("records")
    ]
    return Sheet("judge_coverage", ("use", "covered", "share", "binomial interval"), rows)


def aim_sheet(found: Judgement) -> Sheet:
    """The aims and what was reached."""
    from migrasim.analysis.validation import aims

    rows = [(row["aim"], row["reached"], "met" if row["met"] else "MISSED") for row in aims(found).to_dict("records")]
    return Sheet("judge_aims", ("aim", "reached", "verdict"), rows)


def check_sheet(found: Sequence[Check]) -> Sheet:
    """P14 to P18 as they were performed."""
    rows = [
        (
            one.pattern,
            one.what,
            one.unit,
            one.published,
            f"{one.low:g} … {one.high:g}",
            f"{one.found:.2f}",
            "inside" if one.inside else "OUTSIDE",
            "consistency: the prior comes from this study" if one.pattern in SAME_STUDY else "test",
        )
        for one in found
    ]
    heads = ("pattern", "what was compared", "unit", "published", "near enough", "simulated", "verdict", "kind")
    return Sheet("judge_checks", heads, rows)


def ablation_sheet(found: DataFrame) -> Sheet:
    """What parts of the model and the share of households do to fit and effect."""
    rows = [
        (
            row["variant"],
            f"{row['sample']:g}",
            f"{row['near_enough']:.0%}",
            f"{row['implausibility']:.2f}",
            f"{100 * row['rate_effect']:+.2f}",
            f"{row['urban_effect']:+,.0f}",
        )
        for row in found.to_dict("records")
    ]
    heads = ("variant", "sample", "fitted series inside", "implausibility", "effect on the rate, points")
    return Sheet("judge_ablations", (*heads, "effect on urban residents"), rows)


def sheets(found: Judgement, *, county_cohorts: bool = False) -> Iterator[Sheet]:
    """All tables of a judgement, in the order in which they are read."""
    yield aim_sheet(found)
    yield summary_sheet(found)
    yield pattern_sheet(found, county_cohorts=county_cohorts)
    yield backtest_sheet(found)
    yield coverage_sheet(found)
    if found.checks:
        yield check_sheet(found.checks)
    if found.ablations is not None:
        yield ablation_sheet(found.ablations)


def tables(found: Judgement, lang: Lang) -> list[RenderableType]:
    """All tables of a judgement for the terminal."""
    shown: list[RenderableType] = [_listing(one, lang) for one in sheets(found)]
    rows = found.patterns
    outside = (rows["simulated"] < rows["low_parameters"]) | (rows["simulated"] > rows["high_parameters"])
    if outside.any():
        told = {"count": int(outside.sum()), "all": len(rows), "lucks": found.request.lucks, "vectors": found.vectors}
        shown.append(Prose(phrase("judge_outside", lang, share=f"{100 * found.request.sample:g}", **told)))
    return shown


def _listing(one: Sheet, lang: Lang) -> RenderableType:
    """A table of words in one language, its first column, which holds no names to copy, among them."""
    known = {"place": _place, "measure": _indicator, "indicator": _indicator}
    rows = [
        [known.get(head, said)(cell, lang) for head, cell in zip(one.heads, cells, strict=True)] for cells in one.rows
    ]
    return listing(one.heads, rows, lang, phrase(one.title, lang))


def _place(name: str, lang: Lang) -> str:
    """A county or the region, with the sex and age that are looked at."""
    place, *detail = name.split(", ")
    return punctuated(", ".join([group_in(place, lang), *(said(each, lang) for each in detail)]), lang)


def _indicator(name: str, lang: Lang) -> str:
    return title_in(CATALOGUE[name].title, lang) if name in CATALOGUE else said(name, lang)


def spread_tables(spread: Spread, lang: Lang) -> list[RenderableType]:
    """Bands over the fitted vectors beside those of chance, by scenario; then the differences from the first."""
    found: list[RenderableType] = []
    for title, table in (("spread_levels", spread.levels), ("spread_differences", spread.differences)):
        if table.empty:
            continue
        rows, outside = [], 0
        last = int(table["year"].max())
        for keys, group in table.groupby(["scenario", "year", "indicator"], sort=False):
            scenario, year, indicator = str(keys[0]), int(str(keys[1])), str(keys[2])
            if indicator not in _SHOWN or (year % 5 and year != last):
                continue
            unit = "share" if indicator.endswith("rate") else "persons"
            ends = group.set_index("source")
            told = partial(change, lang=lang) if title == "spread_differences" else number
            cells = [
                f"{told(ends['low'][source], unit)} … {told(ends['high'][source], unit)}"
                for source in ("parameters", "chance")
            ]
            median = ends["median"]["parameters"]
            outside += not ends["low"]["chance"] <= median <= ends["high"]["chance"]
            called = scenario_title(scenario, spread.titles.get(scenario), lang)
            rows.append((called, str(year), _indicator(indicator, lang), told(median, unit), *cells))
        heads = ("scenario", "year", "indicator", "median", "parameters", "chance")
        made = {"vectors": spread.vectors, "lucks": spread.lucks}
        found.append(listing(heads, rows, lang, phrase(title, lang, **made)))
        if outside:
            found.append(Prose(phrase("spread_outside", lang, count=outside, all=len(rows), **made), "dim"))
    if spread.held is not None:
        found.append(Prose(phrase("spread_held", lang, held=spread.held[0], all=spread.held[1]), "dim"))
        years = spread.levels["year"]
        if error := model_error(Region.only(), int(years.min()), int(years.max()), lang):
            found.append(Prose(error, "dim"))
    return found


def record_sheet(found: Update) -> Sheet:
    """Every observation beside what was projected before it was known."""
    rows = []
    for row in found.record.to_dict("records"):
        unit = "share" if row["indicator"].endswith("rate") else "persons"
        rows.append(
            (
                str(row["year"]),
                row["place"],
                row["indicator"],
                number(row["value"], unit),
                number(row["projected"], unit),
                f"{number(row['low'], unit)} … {number(row['high'], unit)}",
                "OUTSIDE" if row["outside"] else "inside",
            )
        )
    heads = ("year", "place", "indicator", "published", "projected", "band", "verdict")
    return Sheet("assimilate_record", heads, rows)


def fan_sheet(found: Update) -> Sheet:
    """The fan of the region before and after, every fifth year and the last."""
    rows = []
    last = int(found.fan["year"].max())
    for row in found.fan.to_dict("records"):
        if row["year"] % 5 and row["year"] != last:
            continue
        unit = "share" if row["indicator"].endswith("rate") else "persons"
        ends = [
            f"{number(row[f'{word}_median'], unit)} ({number(row[f'{word}_low'], unit)} … "
            f"{number(row[f'{word}_high'], unit)})"
            for word in ("before", "after")
        ]
        rows.append((str(row["year"]), row["indicator"], *ends))
    return Sheet("assimilate_fan", ("year", "indicator", "before", "after"), rows)


def update_tables(found: Update, lang: Lang) -> list[RenderableType]:
    """What observations did to the ensemble, for the terminal."""
    shown: list[RenderableType] = [_listing(one, lang) for one in (record_sheet(found), fan_sheet(found))]
    shown.append(members(found, lang))
    shown += unweighed(found.record, lang)
    left = int(found.record["outside"].sum())
    if left:
        shown.append(phrase("assimilate_outside", lang, count=left, all=len(found.record)))
    return shown


def members(found: Update, lang: Lang) -> str:
    """How many vectors are left, and what became of the fan, in words."""
    narrowing = round(100 * (1 - found.narrowing))
    left = {"effective": f"{found.effective:.1f}", "all": len(found.weights)}
    if narrowing < 1:
        return phrase("assimilate_members_wide", lang, **left)
    return phrase("assimilate_members", lang, narrowing=narrowing, **left)


def unweighed(record: DataFrame, lang: Lang) -> list[str]:
    """Which observations are shown and carry no weight, in words; nothing where all do."""
    count = int((~record["weighed"]).sum())
    return [phrase("assimilate_unweighed", lang, count=count)] if count else []


def fit_tables(found: Fit, lang: Lang) -> list[RenderableType]:
    """Screening and the vectors that are kept, for the terminal."""
    screening = [
        (row["name"], f"{row['effect']:.3f}", "yes" if row["name"] in found.kept else "no")
        for row in found.screening.to_dict("records")
    ]
    kept = found.vectors.loc[found.ensemble]
    rows = [
        (
            str(name),
            f"{kept[name].iloc[0]:.4g}",
            f"{kept[name].quantile(0.05):.4g} … {kept[name].quantile(0.95):.4g}",
            "{:g} … {:g}".format(*found.plan.parameters[str(name)]),
        )
        for name in kept.columns
    ]
    return [
        listing(("fact", "effect", "varied later"), screening, lang, phrase("fit_screening", lang)),
        listing(("fact", "best", "kept", "range"), rows, lang, phrase("fit_vectors", lang, count=len(kept))),
    ]
