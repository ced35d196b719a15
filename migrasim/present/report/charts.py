"""Charts of the report as SVG texts that stand inside a page; nothing in them points outside it."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from migrasim.core.language import Lang
from migrasim.present.figures import COLOURS, fonts
from migrasim.present.language import component, group, phrase
from migrasim.present.punctuation import punctuated
from migrasim.present.report.headline import drawn_words, fitted_words
from migrasim.present.report.view import View
from migrasim.present.report.words import word
from migrasim.present.tables import ABSENT, RATE, REGISTERED_RATE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

PAYERS = ("county_cost_yuan", "higher_cost_yuan", "enterprise_cost_yuan", "household_cost_yuan")
_PAYER_COLOURS = ("#0072B2", "#56B4E9", "#E69F00", "#009E73")
_GREY = "#444444"
_EDGE: Any = {"edgecolor": _GREY, "linewidth": 0.5}  # light colours are to be told from the paper, too
_BESIDE = 3  # scenarios whose legend fits into a chart
_WIDE_IN, _NARROW_IN = 8.0, 3.4  # a chart is drawn for a sheet of paper, and once more for a phone
_PARTS = re.compile(
    r"[（「]?[\u2e80-\uffef][、，。；：）」]*|[^\s\u2e80-\uffef]+\s*|\s+"
)  # between which a line may end
_BESIDE_NAMES = 27  # letters of a title on a narrow chart whose rows have names

Draw = Callable[["Figure", View, Lang], None]


def charts(view: View, lang: Lang) -> dict[str, str]:
    """SVG of every chart by name, wide and narrow: the page shows the one that fits.

    A chart that the tables have nothing for is left out.
    """
    from matplotlib import rc_context

    family = fonts()
    if lang != "en" and len(family) == 1:
        lang = "en"  # boxes instead of characters help nobody
    with rc_context(style(family)):
        source = source_line(view, lang)
        return {
            name: wide_and_narrow(name, word(f"chart_{name}", lang), partial(_drawn, draw, view, lang), heights, source)
            for name, (draw, *heights) in _wanted(view).items()
        }


def _drawn(draw: Draw, view: View, lang: Lang, figure: Figure) -> None:
    draw(figure, view, lang)


def style(family: Sequence[str]) -> Any:
    """Letters and frames of every chart."""
    return {
        "font.family": "sans-serif",
        "font.sans-serif": family,
        "font.size": 9,
        "axes.unicode_minus": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "svg.hashsalt": "migrasim",
        "text.parse_math": False,  # names in files are no formulas
    }


def wide_and_narrow(
    name: str, label: str, draw: Callable[[Figure], None], heights: Sequence[float], source: str
) -> str:
    """A chart for a sheet of paper and once more for a phone, of which the page shows the one that fits.

    Parameters
    ----------
    name, label
        Of the chart: for its ids, and for readers of screens.
    draw
        Draws into an empty figure; `is_narrow` tells which.
    heights
        Inches, wide and narrow.
    source
        Where the numbers come from; below a narrow chart it stands in a size that can be read.
    """
    wide, narrow = heights
    return (
        f'<div class="wide">{_svg(name, label, draw, (_WIDE_IN, wide), source)}</div>'
        f'<div class="narrow">{_svg(f"{name}-narrow", label, draw, (_NARROW_IN, narrow), "")}'
        f"<small>{html.escape(source)}</small></div>"
    )


def _wanted(view: View) -> dict[str, tuple[Draw, float, float]]:
    """How each chart is drawn, and how high it is in inches, wide and narrow."""
    rows, count = len(_component_names(view)), len(view.scenarios)
    named = 0.17 * count  # of a legend that stands below
    bars = rows * (0.15 + 0.1 * count)
    found: dict[str, tuple[Draw, float, float]] = {
        "trajectory": (_trajectory, 4.0, 3.6 + 2 * named),
        "people": (_people, 3.4, 4.6 + named),
        "decomposition": (_decomposition, 1.2 + bars, 1.7 + max(bars, 0.34 * rows) + named),
    }
    if not rows:
        del found["decomposition"]
    if view.region is not None and view.counties:
        found["map"] = (_map, 2.6, 4.2)
    if all(view.has(name) for name in PAYERS):
        height = 3.2 if view.run else 1.5 + 0.45 * count
        found["costs"] = (_costs, height, height + 0.9)
    if groups := len(group_rows(view)):
        found["groups"] = (_groups, 1.4 + 0.2 * groups, 2.0 + 0.23 * groups)
    return found


def _svg(name: str, label: str, draw: Callable[[Figure], None], size: tuple[float, float], source: str) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    draw(figure)
    if source:
        figure.supxlabel(source, fontsize=6.5, color=_GREY, x=0.01, ha="left")
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return inline(written.getvalue(), name, label)


def is_narrow(figure: Figure | SubFigure) -> bool:
    """Whether a chart is drawn for a phone."""
    return figure.bbox.width / figure.dpi < _WIDE_IN / 2


def _folded(figure: Figure | SubFigure, text: str, most: int) -> str:
    """A text in lines of so many letters on a narrow chart, where a Chinese sign counts as two; else as it is."""
    if not is_narrow(figure):
        return text
    lines = [""]
    for part in _PARTS.findall(text):
        if lines[-1] and cell_len(lines[-1] + part.rstrip()) > most:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def _panels(figure: Figure) -> Sequence[Axes]:
    """Two of them: side by side, or on a narrow chart one below the other."""
    panels: Sequence[Axes] = figure.subplots(2, 1) if is_narrow(figure) else figure.subplots(1, 2)
    return panels


def titled(axes: Axes, title: str, size: float = 9.5, most: int = 36) -> None:
    """A title above, in lines of so many letters on a narrow chart."""
    axes.set_title(_folded(axes.figure, title, most), fontsize=size, loc="left", fontweight="bold")


def _rows(axes: Axes, labels: Sequence[str], size: float = 7.5) -> None:
    """Names of rows, the first on top; they take room from the title."""
    axes.set_yticks(range(len(labels)), [_folded(axes.figure, each, 18) for each in labels], fontsize=size)
    axes.invert_yaxis()


def named(axes: Axes, **options: Any) -> None:
    """A legend where it hides least, or on a narrow chart below it."""
    if is_narrow(axes.figure):
        handles, labels = axes.get_legend_handles_labels()
        place = {"loc": "outside lower left", "frameon": False, "ncols": 1}
        axes.figure.legend(handles, labels, **{"fontsize": 7, **options, **place})
    else:
        axes.legend(**{"fontsize": 7, "loc": "best", **options})


def inline(svg: str, name: str, label: str) -> str:
    """An SVG document as a part of a page: no prologue, ids of its own, a label for readers of screens."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'\bd="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), body)  # nobody sees the rest
    body = body.replace('xlink:href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    head, rest = body.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    return f'<svg {box[0] if box else ""} role="img" aria-label="{html.escape(label)}">{rest}'


def source_line(view: View, lang: Lang) -> str:
    """Where the numbers of a chart come from."""
    version = (view.provenance.get("versions") or {}).get("migrasim", "")
    seeds = f"{view.seeds[0]}" if len(view.seeds) == 1 else f"{view.seeds[0]}-{view.seeds[-1]}"
    line = word("source_line", lang, version=version, run=view.ident, seeds=seeds)
    if view.sample < 1:
        line += (" " if lang == "en" else "") + word("sample_short", lang, share=f"{100 * view.sample:g}%")
    return line


def _colours(view: View) -> dict[str, str]:
    return {name: COLOURS[each % len(COLOURS)] for each, name in enumerate(view.scenarios)}


def _line(axes: Axes, view: View, indicator: str, factor: float, lang: Lang, style: str, label: str) -> None:
    for scenario, colour in _colours(view).items():
        found = view.series(indicator, scenario)
        name = punctuated(f"{view.title(scenario, lang)}: {label}", lang)
        axes.plot(found.index, factor * found["mean"], style, color=colour, label=name, linewidth=1.6)
        if found["low"].notna().any():
            low, high = factor * found["low"], factor * found["high"]
            axes.fill_between(found.index, low, high, color=colour, alpha=0.18, linewidth=0)
        fitted = view.over_vectors(indicator)
        if fitted is not None:
            for end in ("low", "high"):
                axes.plot(fitted.index, factor * fitted[end], ":", color=colour, linewidth=0.9)


def _trajectory(figure: Figure, view: View, lang: Lang) -> None:
    axes = figure.subplots()
    _line(axes, view, RATE, 100, lang, "-", phrase("resident_line", lang))
    if view.has(REGISTERED_RATE):
        _line(axes, view, REGISTERED_RATE, 100, lang, "--", phrase("registered_line", lang))
    record = {year: rate for year, rate in view.record(RATE).items() if year >= view.base}
    targets = {year: rate for year, rate in view.targets.items() if view.base <= year <= view.until}
    for points, mark, size, label in ((record, "o", 4, "record_line"), (targets, "*", 11, "target_line")):
        if points:
            heights = [100 * each for each in points.values()]
            axes.plot([*points], heights, mark, color="black", markersize=size, label=phrase(label, lang))
    _finish(axes, word("chart_trajectory", lang), phrase("rate_axis", lang))
    _legend(axes, view, lang)


def _people(figure: Figure, view: View, lang: Lang) -> None:
    first, second = _panels(figure)
    thousand = 1e-3 if lang == "en" else 1e-4
    for axes, indicator, label in ((first, "urban_population", "urban_line"), (second, ABSENT, "absent_line")):
        if not view.has(indicator):
            axes.set_visible(False)
            continue
        _line(axes, view, indicator, thousand, lang, "-", phrase(label, lang))
        axes.set_ylim(bottom=0)
        _finish(axes, word(f"chart_{label}", lang), word("people_axis", lang))
    _legend(second if len(view.scenarios) > _BESIDE else first, view, lang)


def _legend(axes: Axes, view: View, lang: Lang) -> None:
    title = None
    if view.band is not None:
        title = word("shade_band", lang, drawn=drawn_words(view, lang))
    elif view.draws > 1:
        title = word("shade_runs", lang, runs=view.draws)
    if view.fitted is not None:
        title = "\n".join(each for each in (title, word("dots_fitted", lang, drawn=fitted_words(view, lang))) if each)
    if len(view.scenarios) > _BESIDE and not is_narrow(axes.figure):
        axes.legend(fontsize=6.5, title=title, title_fontsize=6.5, loc="upper left", bbox_to_anchor=(1.01, 1))
    else:
        named(axes, title=title, title_fontsize=6.5, framealpha=0.85)


def _finish(axes: Axes, title: str, unit: str) -> None:
    from matplotlib.ticker import MaxNLocator

    titled(axes, title)
    axes.set_ylabel(unit, fontsize=8)
    axes.grid(alpha=0.3)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 5, 10]))


def _component_names(view: View) -> list[str]:
    names: dict[str, None] = {}
    for scenario in view.scenarios:
        names |= {name: None for name, value in view.points(scenario, view.base, view.until).items() if value}
    return list(names)


def _decomposition(figure: Figure, view: View, lang: Lang) -> None:
    axes = figure.subplots()
    names = _component_names(view)
    height = 0.8 / len(view.scenarios)
    for number, (scenario, colour) in enumerate(_colours(view).items()):
        points = view.points(scenario, view.base, view.until)
        places = [row + (number - (len(view.scenarios) - 1) / 2) * height for row in range(len(names))]
        bars = axes.barh(places, [points.get(name, 0.0) for name in names], height=height, color=colour)
        bars.set_label(punctuated(f"{view.title(scenario, lang)}: {sum(points.values()):+.2f}", lang))
        axes.bar_label(bars, fmt="{:+.1f}", fontsize=6.5, padding=2)
    _rows(axes, [component(name, lang) for name in names])
    axes.axvline(0, color=_GREY, linewidth=0.8)
    axes.margins(x=0.12)
    axes.set_xlabel(phrase("points_axis", lang), fontsize=8)
    axes.grid(axis="x", alpha=0.3)
    titled(axes, word("chart_decomposition_span", lang, first=view.base, last=view.until), most=_BESIDE_NAMES)
    named(axes, title=phrase("sum", lang), title_fontsize=7)


def _map(figure: Figure, view: View, lang: Lang) -> None:
    first, second = _panels(figure)
    year, main = view.until, view.main
    rates = {name: 100 * view.at(RATE, main, year, name) for name in view.counties}
    title = word("map_rate", lang, scenario=view.title(main, lang), year=year)
    _fill(figure, first, view, lang, rates, title, "{:.0f}%", "YlGnBu")
    if view.comparison is not None:
        before = {name: view.at("urban_population", view.scenarios[0], year, name) for name in view.counties}
        title = word("map_difference", lang, reference=view.title(view.scenarios[0], lang), year=year)
    else:
        before = {name: view.at("urban_population", main, view.base, name) for name in view.counties}
        title = word("map_change", lang, first=view.base, last=year)
    factor = 1e-3 if lang == "en" else 1e-4
    change = {name: factor * (view.at("urban_population", main, year, name) - before[name]) for name in view.counties}
    _fill(figure, second, view, lang, change, title, "{:+.1f}", "PuOr")


def _fill(
    figure: Figure, axes: Axes, view: View, lang: Lang, values: Mapping[str, float], title: str, form: str, colours: str
) -> None:
    from matplotlib import colormaps, patheffects
    from matplotlib.colors import Normalize
    from matplotlib.patches import Polygon

    assert view.region is not None
    shapes = json.loads(view.region.map.read_text(encoding="utf-8"))["features"]
    low, high = min(values.values()), max(values.values())
    if colours == "PuOr":
        high = max(abs(low), abs(high), 1e-9)
        low = -high
    scale = Normalize(low, high if high > low else low + 1)
    halo = [patheffects.withStroke(linewidth=2.2, foreground="white")]
    for shape in shapes:
        name, rings = shape["properties"]["name_en"], _rings(shape["geometry"])
        value = values.get(name)
        face = "#dddddd" if value is None else colormaps[colours](scale(value))
        for ring in rings:
            axes.add_patch(Polygon(ring, closed=True, facecolor=face, edgecolor="white", linewidth=1.2))
        if value is not None:
            said = f"{view.place_title(name, lang)}\n{form.format(value)}"
            middle = _middle(max(rings, key=len))
            axes.text(*middle, said, ha="center", va="center", fontsize=7, path_effects=halo)
    axes.autoscale_view()
    axes.set_aspect(1.22)  # a degree of longitude is shorter at this latitude
    axes.set_axis_off()
    titled(axes, title, 8.5, 42)


def _middle(ring: list[Sequence[float]]) -> tuple[float, float]:
    """Centre of the area of a ring."""
    area = x = y = 0.0
    for (x0, y0), (x1, y1) in pairwise([*ring, ring[0]]):
        cross = x0 * y1 - x1 * y0
        area, x, y = area + cross, x + (x0 + x1) * cross, y + (y0 + y1) * cross
    return x / (3 * area), y / (3 * area)


def _rings(geometry: Mapping[str, Any]) -> list[list[Sequence[float]]]:
    parts = geometry["coordinates"]
    return [parts[0]] if geometry["type"] == "Polygon" else [part[0] for part in parts]


def _costs(figure: Figure, view: View, lang: Lang) -> None:
    axes = figure.subplots()
    unit = word("nominal_axis" if view.nominal else "real_axis", lang)
    if view.run is not None:
        _costs_by_year(axes, view, lang)
        axes.set_ylabel(unit, fontsize=8)
    else:
        _costs_by_scenario(axes, view, lang)
        axes.set_xlabel(unit, fontsize=8)
    head = "chart_costs_years" if view.run is not None else "chart_costs_sum"
    most = 36 if view.run is not None else _BESIDE_NAMES
    titled(axes, word(head, lang, first=view.base + 1, last=view.until), most=most)
    axes.grid(axis="y" if view.run is not None else "x", alpha=0.3)
    axes.set_axisbelow(True)
    named(axes, ncols=2)


def _costs_by_year(axes: Axes, view: View, lang: Lang) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    years = list(range(view.base + 1, view.until + 1))
    under = [0.0] * len(years)
    for payer, colour in zip(PAYERS, _PAYER_COLOURS, strict=True):
        series = view.series(payer, view.main)["mean"]
        heights = [1e-8 * float(series.loc[year]) for year in years]
        axes.bar(years, heights, bottom=under, color=colour, label=word(payer, lang), **_EDGE)
        under = [low + high for low, high in zip(under, heights, strict=True)]


def _costs_by_scenario(axes: Axes, view: View, lang: Lang) -> None:
    left = [0.0] * len(view.scenarios)
    for payer, colour in zip(PAYERS, _PAYER_COLOURS, strict=True):
        widths = [1e-8 * float(view.series(payer, name)["mean"].sum()) for name in view.scenarios]
        axes.barh(range(len(left)), widths, left=left, color=colour, label=word(payer, lang), height=0.6, **_EDGE)
        left = [low + high for low, high in zip(left, widths, strict=True)]
    _rows(axes, [view.title(name, lang) for name in view.scenarios], 8)


def group_rows(view: View) -> list[dict[str, Any]]:
    """Groups of the chart: of a comparison the shares who gain and lose, of a run welfare at both ends."""
    if view.comparison is not None:
        frame = view.comparison.groups()
        frame = frame[(frame["scenario"] == view.main) & (frame["households"] > 0)]
        return [
            {
                "dimension": row["dimension"],
                "group": row["group"],
                "gain": 100 * row["winners"] / row["households"],
                "lose": 100 * row["losers"] / row["households"],
            }
            for row in frame.to_dict("records")
        ]
    if view.run is None:
        return []
    table = view.run.groups
    columns = (table[name] for name in ("dimension", "group", "year", "welfare_yuan_yr"))
    welfare = {(one, name, int(year)): float(yuan) for one, name, year, yuan in zip(*columns, strict=True)}
    index, rows = _index(view), []
    for dimension, name in dict.fromkeys(zip(table["dimension"], table["group"], strict=True)):
        ends = [(dimension, name, year) for year in (view.base, view.until)]
        if all(end in welfare for end in ends):
            first, last = (welfare[end] * index[end[2]] for end in ends)
            if first == first:  # students by themselves have none
                rows.append({"dimension": dimension, "group": name, "first": first, "last": last})
    return rows


def _index(view: View) -> Mapping[int, float]:
    from migrasim.present.report.view import price_index

    return price_index(view) if view.nominal else dict.fromkeys((view.base, view.until), 1.0)


def _groups(figure: Figure, view: View, lang: Lang) -> None:
    axes = figure.subplots()
    rows = group_rows(view)
    places = range(len(rows))
    if view.comparison is not None:
        gain = axes.barh(places, [row["gain"] for row in rows], color="#0072B2", label=word("gain_share", lang))
        lose = axes.barh(places, [-row["lose"] for row in rows], color="#D55E00", label=word("lose_share", lang))
        axes.bar_label(gain, fmt="{:.0f}", fontsize=6.5, padding=2)
        axes.bar_label(lose, labels=[f"{row['lose']:.0f}" for row in rows], fontsize=6.5, padding=2)
        axes.axvline(0, color=_GREY, linewidth=0.8)
        axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
        axes.set_xlabel(word("households_axis", lang), fontsize=8)
        names = {"scenario": view.title(view.main, lang), "reference": view.title(view.scenarios[0], lang)}
        title = word("chart_groups_pair", lang, year=view.until, **names)
    else:
        for row, place in zip(rows, places, strict=True):
            axes.plot([row["first"] / 1e3, row["last"] / 1e3], [place, place], color="#bbbbbb", linewidth=2, zorder=1)
        for end, colour, year in (("first", "#56B4E9", view.base), ("last", "#0072B2", view.until)):
            axes.scatter(
                [row[end] / 1e3 for row in rows], places, color=colour, s=22, label=str(year), zorder=2, **_EDGE
            )
        axis = word("welfare_nominal_axis" if view.nominal else "welfare_axis", lang)
        axes.set_xlabel(_folded(figure, axis, 30), fontsize=8)
        axes.axvline(0, color=_GREY, linewidth=0.8)  # a group may have less than it pays
        title = word("chart_groups_run", lang, first=view.base, last=view.until)
    labels = [view.place_title(row["group"], lang) if row["group"] in view.counties else group(row["group"], lang)
              for row in rows]  # fmt: skip
    _rows(axes, labels)
    axes.margins(x=0.1)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    titled(axes, title, most=_BESIDE_NAMES)
    named(axes)
