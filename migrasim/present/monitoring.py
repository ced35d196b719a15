"""The page of a year for those who follow the plan: published against projected, with the targets.

The plan demands yearly monitoring and evaluation. The page is one HTML file that opens offline; what
it projects comes from the fitted vectors as they stood before the figures were known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from migrasim.core.errors import InputError
from migrasim.core.language import Lang
from migrasim.indicators import CATALOGUE
from migrasim.present.judgement import change, members, number, unweighed
from migrasim.present.language import phrase, words
from migrasim.present.punctuation import title_in
from migrasim.present.titles import place as place_in
from migrasim.region import Region

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from migrasim.analysis.assimilation import Update

RATE = "urbanization_rate"


def page(found: Update, region: Region, year: int, lang: Lang, command: str) -> str:
    """The page as one HTML text.

    Parameters
    ----------
    found
        What the observations did to the ensemble.
    region
        With its targets.
    year
        Of the page; observations of later years are left out of its table.
    lang
        Language of the words.
    command
        That makes it again.

    Raises
    ------
    InputError
        Where nothing was observed in that year.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    from migrasim import __version__

    record = found.record[found.record["year"] <= year]
    now = record[record["year"] == year]
    if now.empty:
        years = ", ".join(str(each) for each in sorted(set(found.record["year"])))
        raise InputError(f"--monitoring: nothing was observed in {year}; allowed: {years}")
    environment = Environment(
        loader=PackageLoader("migrasim.present.report", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    place = title_in(region.title, lang)
    values: dict[str, Any] = {
        "lang": lang,
        "version": __version__,
        "title": phrase("monitoring_title", lang, place=place, year=year),
        "subtitle": phrase("monitoring_subtitle", lang, version=__version__),
        "notes": [phrase("monitoring_note", lang), phrase("monitoring_scope", lang)],
        "heads": {"headline": phrase("monitoring_headline", lang), "again": phrase("monitoring_again", lang)},
        "headline": _sentences(found, now, region, year, lang),
        "charts": {"fan": Markup(_chart(found, record, region, lang))},
        "tables": [
            ("record", phrase("assimilate_record", lang), _record(record, lang)),
            ("targets", phrase("monitoring_targets", lang), _targets(found, now, region, lang)),
            ("fan", phrase("assimilate_fan", lang), _fan(found, lang)),
        ],
        "command": command,
    }
    return environment.get_template("monitoring.html").render(values)


Table = tuple[list[str], list[tuple[str, ...]]]


def _unit(indicator: str) -> str:
    return "share" if indicator.endswith("rate") else "persons"


def _title(indicator: str, lang: Lang) -> str:
    return title_in(CATALOGUE[indicator].title, lang)


def _record(record: DataFrame, lang: Lang) -> Table:
    heads = words(("year", "place", "indicator", "published", "projected", "band", "difference", "verdict"), lang)
    rows: list[tuple[str, ...]] = []
    for row in record.to_dict("records"):
        unit = _unit(row["indicator"])
        rows.append(
            (
                str(row["year"]),
                place_in(row["place"], lang),
                _title(row["indicator"], lang),
                number(row["value"], unit),
                number(row["projected"], unit),
                f"{number(row['low'], unit)} … {number(row['high'], unit)}",
                change(row["value"] - row["projected"], unit, lang),
                phrase("monitoring_outside" if row["outside"] else "monitoring_inside", lang),
            )
        )
    return heads, rows


def _targets(found: Update, now: DataFrame, region: Region, lang: Lang) -> Table:
    """Targets beside the record, the change a year that is left, and the chance that the fan gives them."""
    heads = words(("year", "target", "published", "needed a year", "projected", "band"), lang)
    rate = now[(now["indicator"] == RATE) & (now["place"] == region.title["en"])]
    fan = {int(row["year"]): row for row in found.fan[found.fan["indicator"] == RATE].to_dict("records")}
    rows: list[tuple[str, ...]] = []
    for year, target in sorted(region.targets.items()):
        ends = fan.get(year)
        known = None if rate.empty else (int(rate["year"].iloc[0]), float(rate["value"].iloc[0]))
        needed = "–"
        if known is not None and year > known[0]:
            needed = phrase("monitoring_points", lang, points=f"{100 * (target - known[1]) / (year - known[0]):+.2f}")
        rows.append(
            (
                str(year),
                number(target, "share"),
                "–" if known is None else f"{number(known[1], 'share')} ({known[0]})",
                needed,
                "–" if ends is None else number(float(ends["after_median"]), "share"),
                "–" if ends is None
                else f"{number(float(ends['after_low']), 'share')} … {number(float(ends['after_high']), 'share')}",
            )
        )  # fmt: skip
    return heads, rows


def _fan(found: Update, lang: Lang) -> Table:
    from migrasim.present.judgement import fan_sheet

    sheet = fan_sheet(found)
    return words(sheet.heads, lang), [(row[0], _title(row[1], lang), *row[2:]) for row in sheet.rows]


def _sentences(found: Update, now: DataFrame, region: Region, year: int, lang: Lang) -> list[str]:
    outside = int(now["outside"].sum())
    said = [phrase("monitoring_lead", lang, count=len(now), inside=len(now) - outside, year=year)]
    rate = now[(now["indicator"] == RATE) & (now["place"] == region.title["en"])]
    if not rate.empty:
        row: Mapping[Any, Any] = rate.to_dict("records")[0]
        said.append(
            phrase(
                "monitoring_rate", lang, published=number(row["value"], "share"),
                projected=number(row["projected"], "share"), low=number(row["low"], "share"),
                high=number(row["high"], "share"),
            )
        )  # fmt: skip
    said.append(members(found, lang))
    said += unweighed(found.record, lang)
    if outside:
        said.append(phrase("assimilate_outside", lang, count=outside, all=len(now)))
    return said


def _chart(found: Update, record: DataFrame, region: Region, lang: Lang) -> str:
    """The fan of the rate before and after, what was published, and the targets; wide and for a phone."""
    from matplotlib import rc_context

    from migrasim.present.figures import fonts
    from migrasim.present.report.charts import style, wide_and_narrow

    family = fonts()
    tongue: Lang = lang if len(family) > 1 else "en"
    title = phrase("monitoring_chart", tongue, place=title_in(region.title, tongue))
    source = phrase("monitoring_source", tongue)

    def draw(figure: Figure) -> None:
        _draw(figure, found, record, region, tongue, title)

    with rc_context({**style(family), "svg.hashsalt": "monitoring"}):
        return wide_and_narrow("fan", title, draw, (3.8, 4.4), source)


def _draw(figure: Figure, found: Update, record: DataFrame, region: Region, lang: Lang, title: str) -> None:
    from matplotlib.ticker import MaxNLocator

    from migrasim.present.figures import COLOURS
    from migrasim.present.report.charts import is_narrow, named, titled

    axes = figure.subplots()
    axes.xaxis.set_major_locator(MaxNLocator(4 if is_narrow(figure) else 8, integer=True))
    fan = found.fan[found.fan["indicator"] == RATE]
    for key, colour, alpha in (("before", COLOURS[0], 0.15), ("after", COLOURS[1], 0.3)):
        axes.fill_between(
            fan["year"], 100 * fan[f"{key}_low"], 100 * fan[f"{key}_high"], color=colour, alpha=alpha, linewidth=0,
            label=words([key], lang)[0],
        )  # fmt: skip
        axes.plot(fan["year"], 100 * fan[f"{key}_median"], color=colour)
    seen = record[(record["indicator"] == RATE) & (record["place"] == region.title["en"])]
    axes.plot(seen["year"], 100 * seen["value"], "o", color="black", label=words(["published"], lang)[0])
    axes.plot(
        list(region.targets), [100 * share for share in region.targets.values()], "D", color=COLOURS[2],
        label=words(["target"], lang)[0],
    )  # fmt: skip
    titled(axes, title)
    axes.set_ylabel(phrase("rate_axis", lang))
    named(axes, loc="upper left", fontsize=8)
