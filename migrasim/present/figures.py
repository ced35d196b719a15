"""Figures of results, by Matplotlib; each has title, units, legend and a source line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrasim.core.errors import InputError
from migrasim.present.language import Lang, component, phrase, title_in
from migrasim.present.model_error import in_short, region_of
from migrasim.present.punctuation import punctuated
from migrasim.present.tables import ABSENT, RATE, REGISTERED_RATE, components, reference, whole_region
from migrasim.runs.result import RunResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from migrasim.analysis.band import Band

# the first of these that the machine has writes Chinese
CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK TC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "SimHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Arial Unicode MS",
)
# Okabe and Ito: told apart by colour-blind readers too
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def fonts() -> list[str]:
    """Fonts to write with: a Chinese one where the machine has one, then Matplotlib's own."""
    from matplotlib import font_manager

    there = {font.name for font in font_manager.fontManager.ttflist}
    return [*[name for name in CHINESE_FONTS if name in there][:1], "DejaVu Sans"]


def trajectory(
    results: Sequence[RunResult], path: str | Path, lang: Lang = "en", bands: Mapping[str, Band] | None = None
) -> Path:
    """Draw one or more runs: rates, people, and what changed the rate.

    Parameters
    ----------
    results
        Runs, the first of them the one whose decomposition is drawn if there is room for one only.
    path
        File to write; its ending says the format (png, svg, pdf).
    lang
        Language of the words; English where Chinese is asked for and no font has it.
    bands
        Ranges over assumed values by the name of the scenario, drawn around its lines.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        Where there is no result, or the file cannot be written.
    """
    if not results:
        raise InputError("a figure needs at least one run")
    from matplotlib import rc_context

    family = fonts()
    if lang != "en" and len(family) == 1:
        lang = "en"  # boxes instead of characters help nobody
    style: Any = {
        "font.family": "sans-serif",
        "font.sans-serif": family,
        "axes.unicode_minus": False,
        "text.parse_math": False,  # a name with dollars in it is a name
        "svg.hashsalt": "migrasim",
    }
    with rc_context(style):
        return _draw(list(results), Path(path), lang, bands or {})


def _draw(results: list[RunResult], path: Path, lang: Lang, bands: Mapping[str, Band]) -> Path:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7.6), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=[1.0, 0.8])
    _rates(figure.add_subplot(grid[0, 0]), results, lang, bands)
    _people(figure.add_subplot(grid[0, 1]), results, lang, bands)
    _components(figure.add_subplot(grid[1, :]), results, lang)
    first = results[0]
    region = title_in(first.provenance["region"].get("title") or str(first.prefecture()["place"].iloc[0]), lang)
    head = phrase("figure", lang, region=region, base=first.base, until=max(each.until for each in results))
    samples = {each.sample for each in results if each.sample < 1}
    if samples:
        shares = ", ".join(f"{100 * each:g}%" for each in sorted(samples))
        head = punctuated(f"{head} ({phrase('sampled', lang, share=shares)})", lang)
    figure.suptitle(" ".join(head.split()), fontweight="bold")
    error = in_short(region_of(first.provenance), first.base, max(each.until for each in results), lang)
    foot = [_source(results, lang), *_about(bands, lang), *filter(None, [error])]
    figure.supxlabel("\n".join(foot), fontsize=7.5, color="#444444")
    try:
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the figure cannot be written: {error}") from None
    return path


def _source(results: list[RunResult], lang: Lang) -> str:
    versions = results[0].provenance.get("versions", {})
    runs = ", ".join(each.run_id for each in results)
    seeds = ", ".join(str(each) for each in sorted({each.seed for each in results}))
    return phrase("source", lang, version=versions.get("migrasim", ""), run=runs, seed=seeds)


def _about(bands: Mapping[str, Band], lang: Lang) -> list[str]:
    """A line for each band: over how many draws, and how much of the scenario is assumed."""
    return [
        phrase("band", lang, draws=len(band.draws), assumed=band.assumed, taken=band.taken) for band in bands.values()
    ]


def _shade(axes: Axes, band: Band | None, indicator: str, factor: float, colour: str, label: str) -> None:
    if band is None:
        return
    ends = band.of(indicator) * factor
    axes.fill_between(ends.index, ends["low"], ends["high"], color=colour, alpha=0.18, linewidth=0, label=label)


def _name(result: RunResult, lang: Lang) -> str:
    return title_in(result.provenance.get("scenario_title") or result.scenario, lang)


def _rates(axes: Axes, results: list[RunResult], lang: Lang, bands: Mapping[str, Band]) -> None:
    for result, colour in zip(results, _colours(len(results)), strict=True):
        frame = result.prefecture()
        name = _name(result, lang)
        shade = punctuated(f"{name}, {phrase('band_area', lang)}", lang)
        _shade(axes, bands.get(result.scenario), RATE, 100, colour, shade)
        axes.plot(
            frame.index,
            100 * frame[RATE],
            color=colour,
            label=punctuated(f"{name}, {phrase('resident_line', lang)}", lang),
        )
        registered = punctuated(f"{name}, {phrase('registered_line', lang)}", lang)
        axes.plot(frame.index, 100 * frame[REGISTERED_RATE], color=colour, linestyle="--", label=registered)
    against = reference(results[0])
    record = {year: rate for year, rate in against.record.items() if year >= results[0].base}
    if record:
        label = phrase("record_line", lang)
        axes.plot([*record], [100 * each for each in record.values()], "ko", markersize=4, label=label)
    until = max(each.until for each in results)
    targets = {year: rate for year, rate in against.targets.items() if year <= until}
    if targets:
        label = phrase("target_line", lang)
        axes.plot([*targets], [100 * each for each in targets.values()], "k*", markersize=10, label=label)
    _finish(axes, phrase("rate_axis", lang))


def _people(axes: Axes, results: list[RunResult], lang: Lang, bands: Mapping[str, Band]) -> None:
    for result, colour in zip(results, _colours(len(results)), strict=True):
        frame = result.prefecture()
        _shade(axes, bands.get(result.scenario), "urban_population", 1e-3, colour, "")
        label = punctuated(f"{_name(result, lang)}, {phrase('urban_line', lang)}", lang)
        axes.plot(frame.index, frame["urban_population"] / 1000, color=colour, label=label)
        label = punctuated(f"{_name(result, lang)}, {phrase('absent_line', lang)}", lang)
        axes.plot(frame.index, frame[ABSENT] / 1000, color=colour, linestyle=":", label=label)
    _finish(axes, phrase("people_axis", lang))


def _components(axes: Axes, results: list[RunResult], lang: Lang) -> None:
    names = list(dict.fromkeys(name for result in results for name in components(whole_region(result.decomposition))))
    height = 0.8 / len(results)
    for number, (result, colour) in enumerate(zip(results, _colours(len(results)), strict=True)):
        sums: dict[Any, float] = whole_region(result.decomposition).groupby("component")["points"].sum().to_dict()
        places = [row + (number - (len(results) - 1) / 2) * height for row in range(len(names))]
        label = punctuated(f"{_name(result, lang)}, {result.base}-{result.until}", lang)
        axes.barh(places, [sums.get(name, 0.0) for name in names], height=height, color=colour, label=label)
    axes.set_yticks(range(len(names)), [component(name, lang) for name in names], fontsize=8)
    axes.invert_yaxis()
    axes.axvline(0, color="#444444", linewidth=0.8)
    axes.set_title(phrase("decomposition_axis", lang), fontsize=10)
    axes.set_xlabel(phrase("points_axis", lang))
    axes.grid(axis="x", alpha=0.3)
    axes.legend(fontsize=8)


def _colours(count: int) -> list[str]:
    return [COLOURS[each % len(COLOURS)] for each in range(count)]


def _finish(axes: Axes, unit: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_ylabel(unit)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 5, 10]))
    axes.set_ylim(bottom=0)
