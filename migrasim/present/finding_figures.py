"""Figures of what analyses of a batch find; each has a title, units, a legend and a source line."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from migrasim.core.errors import InputError
from migrasim.core.language import Lang
from migrasim.present.figures import COLOURS, fonts
from migrasim.present.finding_words import say
from migrasim.present.punctuation import punctuated

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from migrasim.analysis.attribution import Attribution
    from migrasim.analysis.differences import Differences
    from migrasim.analysis.discovery import Discovery
    from migrasim.analysis.search import Found
    from migrasim.present.findings import Scale

Named = Callable[[str], str]
MOST_ROWS = 24
_WIDTH = 34  # characters of a label before it is broken


def save(draw: Callable[[Figure], None], path: Path, title: str, source: str, lang: Lang) -> Path:
    """Draw a figure into a file.

    Raises
    ------
    InputError
        Where the file cannot be written.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style: Any = {"font.family": "sans-serif", "font.sans-serif": fonts(), "axes.unicode_minus": False}
    with rc_context(style):
        figure = Figure(figsize=(10.5, 6.4), layout="constrained")
        draw(figure)
        figure.suptitle("\n".join(_broken(title, 95)), fontweight="bold", fontsize=12)
        figure.supxlabel("\n".join(_broken(source, 150)), fontsize=7.5, color="#444444")
        try:
            figure.savefig(path, dpi=150)
        except OSError as error:
            raise InputError(f"{path}: the figure cannot be written: {error.strerror or error}") from None
    return path


def _broken(text: str, width: int) -> list[str]:
    """Lines of a text; a Chinese character is as wide as two letters."""
    if text.isascii():
        return textwrap.wrap(text, width) or [text]
    lines, line, size = [], "", 0
    for each in text:
        size += 1 + (ord(each) > 0x2E7F)
        line += each
        if size >= width and (ord(each) > 0x2E7F or each == " "):
            lines.append(line)
            line, size = "", 0
    return [*lines, line] if line else lines


def _rows(axes: Axes, labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), ["\n".join(_broken(each, _WIDTH)) for each in labels], fontsize=8)
    spare = max(0.0, (4 - len(labels)) / 2)  # few bars are not to fill the page
    axes.set_ylim(len(labels) - 0.4 + spare, -0.6 - spare)
    axes.grid(axis="x", alpha=0.3)


def _bars(
    axes: Axes, rows: Any, values: Any, low: Any, high: Any, colour: str, label: str | None, height: float = 0.6
) -> None:
    values = np.asarray(values, np.float64)
    axes.barh(rows, values, height=height, color=colour, alpha=0.85, label=label)
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    if np.isfinite(low).all():
        errors = np.abs(np.vstack([values - low, high - values]))
        axes.errorbar(values, rows, xerr=errors, fmt="none", ecolor="black", elinewidth=1, capsize=3)


def attribution(figure: Figure, found: Mapping[str, Attribution], scale: Scale, name: Named, lang: Lang) -> None:
    """Shares with their intervals, beside what each does alone and as the last; then the interactions of pairs."""
    pairs = any(len(one.interactions) for one in found.values())
    grid = figure.add_gridspec(len(found), 2 if pairs else 1, width_ratios=[1.3, 1] if pairs else [1])
    for k, (future, one) in enumerate(found.items()):
        axes = figure.add_subplot(grid[k, 0])
        rows = np.arange(len(one.shares))
        f = scale.factor
        shares = one.shares
        _bars(axes, rows, f * shares["share"], f * shares["low"], f * shares["high"], COLOURS[0], say("share", lang))
        axes.plot(f * shares["alone"], rows, "o", color=COLOURS[1], markersize=6, label=say("alone", lang))
        axes.plot(f * shares["last"], rows, "D", color=COLOURS[2], markersize=5, label=say("last", lang))
        _rows(axes, [name(each) for each in shares["player"]])
        axes.axvline(0, color="#444444", linewidth=0.8)
        axes.set_xlabel(scale.difference_unit)
        axes.legend(fontsize=8)
        if len(found) > 1:
            axes.set_title(future, fontsize=10)
        if not len(one.interactions):
            continue
        beside = figure.add_subplot(grid[k, 1])
        table = one.interactions.sort_values("interaction", key=abs, ascending=False, kind="stable").head(10)
        spots = np.arange(len(table))
        _bars(
            beside,
            spots,
            f * table["interaction"],
            f * table["low"],
            f * table["high"],
            COLOURS[3],
            say("interaction", lang),
        )
        _rows(beside, [f"{name(a)} × {name(b)}" for a, b in zip(table["first"], table["second"], strict=True)])
        beside.axvline(0, color="#444444", linewidth=0.8)
        beside.set_xlabel(scale.difference_unit)
        beside.legend(fontsize=8)


def sensitivity(figure: Figure, table: DataFrame, kind: str, scale: Scale, name: Named, lang: Lang) -> None:
    """What matters most, with intervals; for Morris beside how even the effect is."""
    table = table.head(MOST_ROWS)
    rows = np.arange(len(table))
    axes = figure.add_subplot()
    if kind == "sobol":
        _bars(
            axes,
            rows - 0.2,
            table["total"],
            table["total_low"],
            table["total_high"],
            COLOURS[0],
            say("total_index", lang),
            0.38,
        )
        _bars(
            axes,
            rows + 0.2,
            table["first"],
            table["first_low"],
            table["first_high"],
            COLOURS[4],
            say("first_index", lang),
            0.38,
        )
        axes.set_xlabel(say("sobol_axis", lang))
        axes.legend(fontsize=8)
    elif kind == "morris":
        f = scale.factor
        _bars(axes, rows, f * table["effect"], f * table["low"], f * table["high"], COLOURS[0], None)
        axes.set_xlabel(say("morris_axis", lang, unit=scale.difference_unit))
    else:
        _bars(axes, rows, table["distance"], table["low"], table["high"], COLOURS[0], None)
        axes.axvline(float(table["noise"].iloc[0]), color=COLOURS[1], linestyle="--", label=say("noise_line", lang))
        axes.set_xlabel(say("pawn_axis", lang))
        axes.legend(fontsize=8)
    _rows(axes, [name(each) for each in table["name"]])


def differences(figure: Figure, found: Differences, labels: Mapping[str, str], scale: Scale, lang: Lang) -> None:
    """Points against the reference with intervals, the extremes where there are many; and main effects."""
    from migrasim.present.findings import name_of

    with_main = len(found.main) > 0
    grid = figure.add_gridspec(1, 2 if with_main else 1, width_ratios=[1.2, 1] if with_main else [1])
    axes = figure.add_subplot(grid[0, 0])
    futures = list(dict.fromkeys(found.table["future"]))
    means = found.table.groupby("scenario", sort=False)["difference"].mean().sort_values(ascending=False)
    half = MOST_ROWS // 2
    shown = list(means.index) if len(means) <= MOST_ROWS else [*means.index[:half], *means.index[-half:]]
    place = {scenario: row for row, scenario in enumerate(shown)}
    for k, future in enumerate(futures):
        part = found.table[(found.table["future"] == future) & found.table["scenario"].isin(shown)]
        rows = np.array([place[each] for each in part["scenario"]]) + (k - (len(futures) - 1) / 2) * 0.2
        values = scale.factor * part["difference"].to_numpy()
        errors = np.nan_to_num(
            scale.factor * np.vstack([part["difference"] - part["low"], part["high"] - part["difference"]])
        )
        axes.errorbar(
            values,
            rows,
            xerr=errors,
            fmt="o",
            color=COLOURS[k % len(COLOURS)],
            markersize=4,
            capsize=2,
            label=name_of(future, lang) if len(futures) > 1 else None,
        )
    _rows(axes, [labels[each] for each in shown])
    axes.tick_params(axis="y", labelsize=6 if len(shown) > 12 else 8)
    axes.axvline(0, color="#444444", linewidth=0.8)
    axes.set_xlabel(say("difference_axis", lang, reference=labels[found.against], unit=scale.difference_unit))
    if len(futures) > 1:
        axes.legend(fontsize=8)
    if with_main:
        _main_effects(figure.add_subplot(grid[0, 1]), found.main, futures, scale, lang)


def _main_effects(axes: Axes, main: DataFrame, futures: Sequence[str], scale: Scale, lang: Lang) -> None:
    from migrasim.present.findings import level_name, name_of

    heads = list(dict.fromkeys(zip(main["factor"], main["level"], strict=True)))
    height = 0.7 / len(futures)
    for k, future in enumerate(futures):
        part = main[main["future"] == future]
        f = scale.factor
        rows = np.arange(len(part)) + (k - (len(futures) - 1) / 2) * height
        _bars(
            axes,
            rows,
            f * part["difference"],
            f * part["low"],
            f * part["high"],
            COLOURS[k % len(COLOURS)],
            name_of(future, lang) if len(futures) > 1 else None,
            height,
        )
    _rows(axes, [punctuated(f"{name_of(factor, lang)}, {level_name(level, lang)}", lang) for factor, level in heads])
    axes.axvline(0, color="#444444", linewidth=0.8)
    axes.set_xlabel(say("main_axis", lang, unit=scale.difference_unit))
    if len(futures) > 1:
        axes.legend(fontsize=8)


def discovery(figure: Figure, found: Discovery, cases: DataFrame, scale: Scale, name: Named, lang: Lang) -> None:
    """Cases over the two numbers that the tree uses most, a panel a future; the first box around where it holds."""
    numbers = [each for each in found.importance["name"] if each in cases and cases[each].dtype.kind in "fi"]
    if len(numbers) < 2:
        _histogram(figure.add_subplot(), found, cases, scale, lang)
        return
    x, y = numbers[:2]
    futures = list(dict.fromkeys(cases["future"])) if "future" in cases else [None]
    grid = figure.add_gridspec(1, len(futures))
    first = None
    for k, future in enumerate(futures):
        part = cases if future is None else cases[cases["future"] == future]
        axes = figure.add_subplot(grid[0, k], sharex=first, sharey=first)
        first = first or axes
        short = part["value"] < found.threshold
        for mask, colour, marker, key in (
            (~short, COLOURS[0], "o", "reach_dot"),
            (short, COLOURS[1], "x", "short_dot"),
        ):
            axes.scatter(part[x][mask], part[y][mask], s=26, c=colour, marker=marker, alpha=0.8, label=say(key, lang))
        if future is None or _holds(found, future):
            _box(axes, found, x, y, lang)
        if len(futures) > 1:
            axes.set_title(
                punctuated(f"{name(str(future))}: {int(short.sum())}/{len(short)} {say('short_dot', lang)}", lang),
                fontsize=10,
            )
        axes.set_xlabel("\n".join(_broken(name(x), 90 // len(futures))), fontsize=9)
        axes.grid(alpha=0.3)
        if k == 0:
            axes.set_ylabel("\n".join(_broken(name(y), 50)), fontsize=9)
    handles: dict[str, Any] = {}
    for axes in figure.axes:
        handles |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    figure.axes[0].legend(list(handles.values()), list(handles), fontsize=8)


def _histogram(axes: Axes, found: Discovery, cases: DataFrame, scale: Scale, lang: Lang) -> None:
    short = cases["value"] < found.threshold
    parts = [scale.factor * cases["value"][short], scale.factor * cases["value"][~short]]
    labels = [say("short_dot", lang), say("reach_dot", lang)]
    axes.hist(parts, bins=20, stacked=True, color=[COLOURS[1], COLOURS[0]], label=labels)
    axes.set_xlabel(f"{scale.what}, {scale.unit}")
    axes.set_ylabel(say("cases_axis", lang))
    axes.legend(fontsize=8)


def _holds(found: Discovery, future: str) -> bool:
    """Whether the first box has this future in it."""
    limits = found.limits[(found.limits["box"] == 1) & (found.limits["name"] == "future")]
    return all((value == future) == same for value, same in zip(limits["value"], limits["is"], strict=True))


def _box(axes: Axes, found: Discovery, x: str, y: str, lang: Lang) -> None:
    from matplotlib.patches import Rectangle

    limits = found.limits[(found.limits["box"] == 1) & found.limits["name"].isin([x, y])].set_index("name")
    if not {x, y} & set(limits.index):
        return
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()

    def ends(name: str, low: float, high: float) -> tuple[float, float]:
        if name not in limits.index:
            return low, high
        first, last = (float(limits.at[name, end]) for end in ("low", "high"))  # type: ignore[arg-type]
        return (first if first == first else low, last if last == last else high)

    (x0, x1), (y0, y1) = ends(x, left, right), ends(y, bottom, top)
    axes.add_patch(
        Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor="black", linewidth=1.5, label=say("box_line", lang))
    )
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)


def search(figure: Figure, found: Found, scale: Scale, lang: Lang) -> None:
    """Cost against result: everything tried, the front, and what was run again, with its intervals."""
    wanted = found.experiment.search
    assert wanted is not None
    axes = figure.add_subplot()
    f, tried, verified = scale.factor, found.tried, found.verified
    for mask, colour, marker, key in (
        (tried["within_budget"], COLOURS[5], "o", "tried_dot"),
        (~tried["within_budget"], "#999999", "x", "outside_dot"),
    ):
        if mask.any():
            axes.scatter(
                tried["public_yuan"][mask] / 1e6,
                f * tried["at_chance"][mask],
                s=20,
                c=colour,
                marker=marker,
                label=say(key, lang),
            )
    front = tried[tried["front"]].sort_values("public_yuan")
    axes.plot(
        front["public_yuan"] / 1e6,
        f * front["at_chance"],
        color=COLOURS[5],
        linewidth=1,
        drawstyle="steps-post",
        label=say("front_line", lang),
    )
    x, y = verified["public_yuan"].to_numpy() / 1e6, f * verified["at_chance"].to_numpy()
    errors = np.abs(np.vstack([x - verified["public_low"] / 1e6, verified["public_high"] / 1e6 - x]))
    axes.errorbar(
        x, y, xerr=errors, fmt="D", color=COLOURS[1], markersize=6, capsize=3, label=say("verified_dot", lang)
    )
    for number, one, other in zip(verified["mix"], x, y, strict=True):
        axes.annotate(str(number), (one, other), textcoords="offset points", xytext=(6, 5), fontsize=8)
    axes.axhline(f * wanted.target.at_least, color="black", linestyle="--", linewidth=1, label=say("target_line", lang))
    axes.set_xlabel(say("cost_axis", lang, year=wanted.target.year))
    result = say("result_axis", lang, what=scale.what, chance=f"{100 * wanted.target.chance:g}%")
    axes.set_ylabel("\n".join(_broken(punctuated(f"{result}, {scale.unit}", lang), 60)))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
