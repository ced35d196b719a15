"""What the charts of a page show: runs with their colours, the place and year in focus, the language."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from migrasim.indicators import CATALOGUE
from migrasim.present.explorer.words import say, unit
from migrasim.present.figures import COLOURS
from migrasim.present.language import Lang
from migrasim.present.punctuation import listed, title_in

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from migrasim.region import Region
    from migrasim.runs.result import RunResult

Role = Literal["current", "before", "baseline", "pin"]
GREY = "#767676"
INK = "#333333"
_QUANTILES_FROM = 20  # draws; below, the range goes from the lowest to the highest
_ENDS = (0.05, 0.95)
_TABLES_KEPT = 200  # of some ten kilobytes
_tables: OrderedDict[tuple[int, str, str | None], DataFrame] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True)
class Line:
    """A run on a chart.

    Attributes
    ----------
    name, colour, role
        How it is drawn and called.
    result
        The run.
    draws, around
        Other runs of the same scenario, with other luck and other assumed values, and the run of the same
        sample that they are held against: their distance to it is the range around `result`.
    """

    name: str
    colour: str
    role: Role
    result: RunResult
    draws: tuple[RunResult, ...] = ()
    around: RunResult | None = None


@dataclass(frozen=True)
class View:
    """A page of charts.

    Attributes
    ----------
    lines
        Runs; the first is the one that charts of a single run show.
    place
        English name of a county, or None for the whole region.
    year
        Year in focus.
    frame
        Run that fixes the axes, so that they stay where they are while levers move.
    scenario
        What the page calls the run in front.
    range_of
        What the ranges are over, in words.
    """

    lines: tuple[Line, ...]
    lang: Lang
    region: Region
    place: str | None = None
    year: int = 2035
    frame: RunResult | None = None
    bands: bool = True
    scenario: str = ""
    range_of: str = ""

    @property
    def scenarios(self) -> str:
        """Names of what is shown: the scenario in front, or all that are compared."""
        return listed((line.name for line in self.lines), self.lang) if self.is_comparison else self.scenario

    @property
    def first(self) -> RunResult:
        """The run in front."""
        return self.lines[0].result

    @property
    def is_comparison(self) -> bool:
        """Whether colours tell scenarios apart, and not indicators."""
        return self.lines[0].role == "pin"

    def line(self, role: Role) -> Line | None:
        """The line of a role, where there is one."""
        return next((line for line in self.lines if line.role == role), None)

    @property
    def where(self) -> str:
        """Name of the place in the language of the page."""
        if self.place is None:
            return title_in(self.region.title, self.lang)
        return county_title(self.region, self.place, self.lang)

    @property
    def about(self) -> str:
        """Place and, where it is one, the sample: what stands under every title."""
        share = self.first.sample
        return self.where if share == 1 else f"{self.where} · {say('sample_of', self.lang, share=f'{100 * share:g}%')}"

    @property
    def source(self) -> str:
        """The line under every chart."""
        version = self.first.provenance.get("versions", {}).get("migrasim", "")
        kept = [line for line in self.lines if line.role in ("current", "pin")]
        runs = ", ".join(dict.fromkeys(line.result.run_id[:8] for line in kept))
        return say("source_line", self.lang, version=version, runs=runs, seed=self.first.seed)


@dataclass(frozen=True)
class Chart:
    """A chart with everything that stands around it.

    Attributes
    ----------
    key
        Its name in the page.
    title
        In the language of the page.
    option
        For ECharts.
    heads, rows
        The same numbers as a table.
    indicators
        Names of those that it shows.
    map_name
        Name of the map that it draws, empty for none.
    note
        A sentence below the chart.
    height
        Pixels.
    whole_region
        Whether its numbers are of the whole region, whatever place is in focus.
    """

    key: str
    title: str
    option: dict[str, Any]
    heads: Sequence[str]
    rows: Sequence[Sequence[Any]]
    indicators: Sequence[str] = ()
    map_name: str = ""
    note: str = ""
    height: int = 320
    whole_region: bool = False


def county_title(region: Region, county: str, lang: Lang) -> str:
    """Name of a county in a language."""
    for one in region.counties:
        if one.en == county:
            return {"en": one.en, "zh-Hant": one.zh_hant, "zh-Hans": one.zh}[lang]
    return county


def table_of(result: RunResult, place: str | None) -> DataFrame:
    """Indicators of a place by year; those of the runs that were looked at last are kept, as every chart asks."""
    key = (id(result), result.run_id, place)
    with _lock:
        if key in _tables:
            _tables.move_to_end(key)
            return _tables[key]
    if place is None:
        found = result.prefecture()
    else:
        rows = result.indicators
        found = rows[(rows["level"] == "county") & (rows["place"] == place)].set_index("year").sort_index()
    with _lock:
        _tables[key] = found
        while len(_tables) > _TABLES_KEPT:
            _tables.popitem(last=False)
    return found


def values(result: RunResult, place: str | None, indicator: str) -> Series[float]:
    """An indicator of a place by year; nothing where the run has no such indicator."""
    frame = table_of(result, place)
    return frame[indicator] if indicator in frame else frame.iloc[:, 0] * np.nan


def band(line: Line, place: str | None, indicator: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Lowest and highest value by year over the draws of a line, around the line; None where there are no draws."""
    if not line.draws or line.around is None:
        return None
    middle = values(line.around, place, indicator).to_numpy(float)
    offsets = np.array([values(draw, place, indicator).to_numpy(float) - middle for draw in line.draws])
    offsets = np.vstack([offsets, np.zeros(len(middle))])
    low, high = _ends(offsets)
    shown = values(line.result, place, indicator).to_numpy(float)
    return shown + np.minimum(low, 0.0), shown + np.maximum(high, 0.0)


def ends(view: View) -> str:
    """What the ends of ranges are: of few draws the lowest and highest, of many quantiles."""
    few = max(len(line.draws) for line in view.lines) + 1 <= _QUANTILES_FROM
    return "extremes" if few else "quantiles"


def _ends(offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(offsets) <= _QUANTILES_FROM:
        return offsets.min(axis=0), offsets.max(axis=0)
    low, high = np.quantile(offsets, _ENDS, axis=0)
    return low, high


def numbers(sequence: Any, factor: float = 1.0, digits: int = 3) -> list[float | None]:
    """Numbers for JSON: scaled, short, None where there is none."""
    return [None if value != value else round(float(value) * factor, digits) for value in np.asarray(sequence, float)]


def nice(value: float) -> float:
    """The next round number: 1, 1.5, 2, 3, 5 or 8 times a power of ten.

    Examples
    --------
    >>> nice(4.2), nice(0.07), nice(1100)
    (5.0, 0.08, 1500.0)
    """
    if not value > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return float(f"{next(step * power for step in (1, 1.5, 2, 3, 5, 8, 10) if step * power >= value * 0.999999):.6g}")


def top(frame: float, shown: float, room: float = 1.4) -> float:
    """Upper end of an axis: room above what fixes it, and a step more only where a line would leave it."""
    fixed = nice(frame * room)
    return fixed if shown <= fixed else nice(shown)


def title_for(indicator: str, lang: Lang) -> str:
    """Title of an indicator."""
    return title_in(CATALOGUE[indicator].title, lang)


def headed(name: str, unit_name: str, lang: Lang) -> str:
    """Head of a column: what it is, and its unit in brackets."""
    return say("headed", lang, what=name, unit=unit_name)


def unit_for(indicator: str, lang: Lang) -> str:
    """Unit of an indicator."""
    return unit(CATALOGUE[indicator].unit, lang)


def base_option(view: View, title: str, axis: str, *, legend: bool = True, bottom: int = 82) -> dict[str, Any]:
    """What every chart has: title, place and sample, legend, room, the source line, colours that all can tell apart."""
    return {
        "animationDurationUpdate": 600,
        "color": list(COLOURS),
        "aria": {"enabled": True},
        "title": {
            "text": title,
            "subtext": f"{view.about}{' · ' if axis else ''}{axis}",
            "left": 8,
            "top": 4,
            "textStyle": {"fontSize": 15, "color": INK},
            "subtextStyle": {"fontSize": 12, "color": "#555555"},
        },
        "legend": {
            "show": legend,
            "bottom": 24,
            "left": 8,
            "right": 8,
            "type": "plain",
            "padding": 0,
            "itemHeight": 8,
            "symbolKeepAspect": True,
            "itemGap": 14,
        },
        "grid": {"left": 12, "right": 24, "top": 76, "bottom": bottom, "containLabel": True},
        "tooltip": {"trigger": "axis", "confine": True},
        "graphic": [
            {
                "type": "text",
                "left": 10,
                "bottom": 4,
                "silent": True,
                "style": {"text": view.source, "fontSize": 10, "fill": "#666666"},
            }
        ],
    }


def years_axis(years: Sequence[int]) -> dict[str, Any]:
    """Axis of years."""
    return {"type": "category", "data": [str(year) for year in years], "boundaryGap": False}


def value_axis(low: float, high: float) -> dict[str, Any]:
    """Axis of values with fixed ends."""
    return {"type": "value", "min": low, "max": high}


def line_series(name: str, data: Sequence[Any], colour: str, dash: str = "solid", width: float = 2.5) -> dict[str, Any]:
    """A line."""
    return {
        "id": name,
        "name": name,
        "type": "line",
        "data": list(data),
        "showSymbol": False,
        "symbolSize": 7,
        "lineStyle": {"color": colour, "type": dash, "width": width},
        "itemStyle": {"color": colour},
        "z": 3,
    }


def band_series(name: str, low: Sequence[float | None], high: Sequence[float | None], colour: str) -> list[Any]:
    """A range around a line: what lies below it, unseen, and its width upon that."""
    width = [None if a is None or b is None else round(b - a, 3) for a, b in zip(low, high, strict=True)]
    plain = {"type": "line", "showSymbol": False, "silent": True, "stack": f"band {name}", "z": 1}
    unseen = {"opacity": 0}
    return [
        {
            "id": f"band-low:{name}",
            "name": name,
            "data": list(low),
            "lineStyle": unseen,
            "stackStrategy": "all",
            **plain,
        },
        {
            "id": f"band-width:{name}",
            "name": name,
            "data": width,
            "lineStyle": unseen,
            "areaStyle": {"color": colour, "opacity": 0.18},
            "stackStrategy": "all",
            **plain,
        },
    ]
