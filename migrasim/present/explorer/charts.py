"""The charts of a page, each a function of a view: rates and people, the decomposition, the map, flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from migrasim.present.explorer.view import (
    GREY,
    INK,
    Chart,
    Line,
    View,
    band,
    band_series,
    base_option,
    county_title,
    headed,
    line_series,
    numbers,
    table_of,
    title_for,
    top,
    unit_for,
    value_axis,
    values,
    years_axis,
)
from migrasim.present.explorer.words import say
from migrasim.present.figures import COLOURS
from migrasim.present.language import component, where
from migrasim.present.tables import ABSENT, RATE, REGISTERED_RATE, reference

_DASHES = ("solid", "dashed", "dotted")
_DIAMOND = "path://M1,0L2,1L1,2L0,1Z"  # the built-in one is stretched to the width of a legend's line
MAP = "counties"
_DEGREES = 0.82  # a degree of longitude is shorter than one of latitude by this, where the region lies


def _years(view: View) -> list[int]:
    return [int(year) for year in table_of(view.first, None).index]


def _name(view: View, line: Line, indicator: str, several: bool) -> str:
    """What a line is called: the indicator, the run, or both."""
    what = title_for(indicator, view.lang)
    if view.is_comparison:
        return f"{line.name.replace('：', ':').partition(':')[0]} · {what}" if several else line.name
    return what if line.role == "current" else f"{what} · {line.name}"


def lines(
    view: View,
    key: str,
    title: str,
    indicators: Sequence[str],
    *,
    axis: str,
    factor: float = 1.0,
    digits: int = 3,
    ends: tuple[float, float] | None = None,
    bands: bool = True,
    baseline: bool = True,
    note: str = "",
) -> Chart:
    """Indicators by year: a line for each run and indicator, with ranges where runs have draws."""
    years, several = _years(view), len(indicators) > 1
    option = base_option(view, title, axis)
    series: list[Any] = []
    heads, columns, highest = [say("year", view.lang)], [], 0.0
    for number, line in enumerate(view.lines):
        if line.role == "baseline" and (several and not baseline):
            continue
        for k, indicator in enumerate(indicators):
            data = numbers(values(line.result, view.place, indicator), factor, digits)
            data = [*data, *[None] * len(years)][: len(years)]
            highest = max([highest, *(value for value in data if value is not None)])
            name = _name(view, line, indicator, several)
            colour = line.colour if view.is_comparison else COLOURS[k]
            dash = _DASHES[k % 3] if view.is_comparison else "solid"
            if line.role == "before":
                colour, dash = (GREY if not several else colour), "dashed"
            elif line.role == "baseline":
                colour, dash = (COLOURS[1] if not several else colour), "dotted"
            width = 3.0 if line.role in ("current", "pin") else 1.6
            series.append(line_series(name, data, colour, dash, width))  # before its range: the legend draws the first
            series[-1]["id"] = f"{line.role}{number}:{indicator}"
            heads.append(headed(name, axis, view.lang))
            columns.append(data)
            found = band(line, view.place, indicator) if bands and view.bands else None
            if found is not None:
                low, high = (numbers(each, factor, digits) for each in found)
                highest = max([highest, *(value for value in high if value is not None)])
                series += band_series(name, low, high, colour)
                for end, numbers_of in (("low_end", low), ("high_end", high)):
                    heads.append(headed(say(end, view.lang, what=name), axis, view.lang))
                    columns.append([*numbers_of, *[None] * len(years)][: len(years)])
    if ends is None:
        frame = view.frame or view.first
        fixed = max(_most(frame, view.place, indicator) for indicator in indicators) * factor
        ends = (0.0, top(fixed, highest))
    option |= {"xAxis": years_axis(years), "yAxis": value_axis(*ends), "series": series}
    named = [one["name"] for one in series if str(one["id"]).startswith(("current", "pin"))]
    option["legend"]["data"] = list(dict.fromkeys(named))
    rows = [[year, *(column[i] for column in columns)] for i, year in enumerate(years)]
    return Chart(key, title, option, heads, rows, tuple(indicators), note=note)


def _most(result: Any, place: str | None, indicator: str) -> float:
    data = values(result, place, indicator).to_numpy(float)
    return float(np.nanmax(data)) if np.isfinite(data).any() else 0.0


def rates(view: View) -> Chart:
    """Resident and registered rate with the published record and the targets."""
    low = min(_least(view, RATE), _least(view, REGISTERED_RATE))
    targets = reference(view.first).targets if view.place is None else {}
    high = max([*targets.values(), *(_most(line.result, view.place, RATE) for line in view.lines)])
    ends = (max(0.0, 10 * np.floor(10 * (low - 0.02))), min(100.0, 10 * np.ceil(10 * (high + 0.02))))
    chart = lines(
        view,
        "rates",
        say("chart_rates", view.lang),
        (RATE, REGISTERED_RATE),
        axis="%",
        factor=100,
        digits=2,
        ends=(float(ends[0]), float(ends[1])),
        note=say("target_note", view.lang),
    )
    years = _years(view)
    if view.place is None:
        record = {year: rate for year, rate in reference(view.first).record.items() if year in years}
        chart.option["series"] += [
            _points(say("published", view.lang), record, "circle", 8),
            _points(say("target", view.lang), {y: r for y, r in targets.items() if y in years}, _DIAMOND, 13),
        ]
        more = [say("published", view.lang), say("target", view.lang)]
        chart.option["legend"]["data"] += more
        heads = [*chart.heads, *(headed(each, "%", view.lang) for each in more)]
        rows = [[*row, *(_percent(found, row[0]) for found in (record, targets))] for row in chart.rows]
        return replace(chart, heads=heads, rows=rows)
    return chart


def _percent(found: dict[int, float], year: int) -> float | None:
    return round(100 * found[year], 2) if year in found else None


def _least(view: View, indicator: str) -> float:
    found = [float(np.nanmin(values(line.result, view.place, indicator).to_numpy(float))) for line in view.lines]
    return min(found)


def _points(name: str, found: dict[int, float], symbol: str, size: int) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "type": "scatter",
        "data": [[str(year), round(100 * rate, 2)] for year, rate in found.items()],
        "symbol": symbol,
        "symbolSize": size,
        "itemStyle": {"color": "#000000"},
        "z": 5,
    }


def people(view: View) -> Chart:
    """Urban residents, and people away, beside the rate."""
    return lines(
        view,
        "people",
        say("chart_people", view.lang),
        ("urban_population", ABSENT),
        axis=say("thousand_people", view.lang),
        factor=1e-3,
        digits=1,
        note=say("people_note", view.lang),
    )


def decomposition(view: View) -> Chart:
    """What changed the resident rate from the base year to the year in focus, adding up exactly."""
    title = say("chart_decomposition", view.lang, first=view.first.base, last=view.year)
    option = base_option(view, title, say("points", view.lang))
    sums = []
    for line in view.lines:
        frame = line.result.decomposition
        level = "prefecture" if view.place is None else "county"
        frame = frame[(frame["level"] == level) & (frame["year"] <= view.year)]
        if view.place is not None:
            frame = frame[frame["place"] == view.place]
        sums.append(frame.groupby("component", sort=False)["points"].sum())
    order = dict.fromkeys(str(each) for one in sums for each in one.index)
    names = [name for name in order if any(abs(one.get(name, 0.0)) > 1e-12 for one in sums)]
    titles = [component(name, view.lang) for name in names] + [say("sum", view.lang)]
    series: list[Any] = []
    heads, columns = [say("component", view.lang)], []
    for line, one in zip(view.lines, sums, strict=True):
        data = [round(float(one.get(name, 0.0)), 3) for name in names]
        data.append(round(float(one.sum()), 3))
        columns.append(data)
        heads.append(headed(line.name, say("points", view.lang), view.lang))
        colour = {"before": GREY, "baseline": COLOURS[1]}.get(line.role, line.colour)
        series.append(
            {
                "id": f"{line.role}:{len(series)}",
                "name": line.name,
                "type": "bar",
                "data": data,
                "itemStyle": {"color": colour},
                "barGap": "0%",
            }
        )
    most = max([2.0, *(abs(value) for column in columns for value in column)])
    end = float(np.ceil(most / 5) * 5)
    option |= {
        "xAxis": {**value_axis(-end, end), "axisLabel": {"showMinLabel": False, "showMaxLabel": False}},
        "yAxis": {
            "type": "category",
            "data": titles,
            "inverse": True,
            "axisLabel": {"width": 170, "overflow": "break"},
        },
        "series": series,
    }
    rows = [[title, *(column[i] for column in columns)] for i, title in enumerate(titles)]
    return Chart("decomposition", title, option, heads, rows, (RATE,), height=440)


def county_map(view: View) -> Chart:
    """The resident rate of the counties on the schematic map, in the year in focus."""
    view = replace(view, place=None)
    title = say("chart_map", view.lang, year=view.year)
    option = base_option(view, title, f"% · {say('schematic', view.lang)}", legend=False)
    region, data, rows = view.region, [], []
    base = view.first.base
    for county in region.county_names:
        found = values(view.first, county, RATE)
        rate, change = 100 * float(found.loc[view.year]), 100 * float(found.loc[view.year] - found.loc[base])
        name = county_title(region, county, view.lang)
        data.append({"name": name, "value": round(rate, 1)})
        rows.append([name, round(rate, 2), round(change, 2)])
    option |= {
        "tooltip": {"trigger": "item", "confine": True},
        "visualMap": {
            "min": 20,
            "max": 90,
            "left": 8,
            "orient": "horizontal",
            "calculable": False,
            "itemHeight": 120,
            "text": ["90", "20"],
            "inRange": {"color": ["#f1eef6", "#a6bddb", "#2b8cbe", "#045a8d"]},
        },
        "series": [
            {
                "id": "map",
                "type": "map",
                "map": f"{MAP}-{view.lang}",
                "name": title_for(RATE, view.lang),
                "data": data,
                "aspectScale": _DEGREES,
                "showLegendSymbol": False,
                "label": {
                    "show": True,
                    "fontSize": 12,
                    "color": INK,
                    "textBorderColor": "#ffffff",
                    "textBorderWidth": 3,
                },
                "emphasis": {"itemStyle": {"areaColor": "#E69F00"}},
                "itemStyle": {"borderColor": "#ffffff", "borderWidth": 1.5},
                "selectedMode": False,
            }
        ],
    }
    heads = [say("county", view.lang), f"% {view.year}", say("change_since", view.lang, year=base)]
    return Chart("map", title, option, heads, rows, (RATE,), map_name=f"{MAP}-{view.lang}",
                 note=say("map_note", view.lang), whole_region=True)  # fmt: skip


def flows(view: View) -> Chart:
    """Who moved from where to where in the year in focus, by kind of place."""
    title = say("chart_flows", view.lang, year=view.year)
    option = base_option(view, title, say("persons_yr", view.lang), legend=False)
    frame = view.first.flows
    frame = frame[frame["year"] == view.year]
    if view.place is not None:
        frame = frame[
            frame["origin"].str.startswith(f"{view.place}/") | frame["destination"].str.startswith(f"{view.place}/")
        ]
    core = f"{view.region.county_names[view.region.core_county]}/seat"
    pairs = frame.assign(
        a=frame["origin"].map(lambda one: _tier(one, core)), b=frame["destination"].map(lambda one: _tier(one, core))
    )
    table = pairs.groupby(["a", "b"], sort=False)["persons"].sum()
    order = ("village", "town", "seat", "core", "near", "far")
    links: list[dict[str, Any]] = []
    rows: list[tuple[str, str, int]] = []
    for a, b, persons in table.reset_index().itertuples(index=False):
        if persons > 0:
            links.append(
                {
                    "source": f"{where(a, view.lang)} ",
                    "target": f" {where(b, view.lang)}",
                    "value": round(float(persons)),
                }
            )
            rows.append((where(a, view.lang), where(b, view.lang), round(float(persons))))
    used = {end for link in links for end in (link["source"], link["target"])}
    colours = dict(zip(order, COLOURS, strict=False))
    nodes = [
        {"name": name, "depth": depth, "itemStyle": {"color": colours[tier]}}
        for depth, pattern in ((0, "{} "), (1, " {}"))
        for tier in order
        if (name := pattern.format(where(tier, view.lang))) in used
    ]
    option |= {
        "tooltip": {"trigger": "item", "confine": True},
        "series": [
            {
                "id": "flows",
                "type": "sankey",
                "data": nodes,
                "links": links,
                "top": 60,
                "bottom": 30,
                "left": 80,
                "right": 110,
                "nodeAlign": "left",
                "layoutIterations": 0,
                "emphasis": {"focus": "adjacency"},
                "lineStyle": {"color": "source", "opacity": 0.35},
                "label": {"fontSize": 12},
            }
        ],
    }
    for node in nodes:
        node["label"] = {"position": "left" if node["depth"] == 0 else "right"}
    heads = [say("origin", view.lang), say("destination", view.lang), say("persons_yr", view.lang)]
    rows.sort(key=lambda row: -row[2])
    return Chart("flows", title, option, heads, rows, (), height=360, note=say("flows_note", view.lang))


def _tier(place: str, core: str) -> str:
    return "core" if place == core else place.rpartition("/")[2]


def chains(view: View) -> Chart:
    """People at work in each industrial chain."""
    if view.is_comparison:
        return lines(view, "chains", title_for("chain_workers", view.lang), ("chain_workers",),
                     axis=say("thousand_people", view.lang), factor=1e-3)  # fmt: skip
    title = title_for("chain_workers", view.lang)
    option = base_option(view, title, say("thousand_people", view.lang))
    years, frame = _years(view), table_of(view.first, view.place)
    series, heads, columns = [], [say("year", view.lang)], []
    for k, chain in enumerate(view.region.chains):
        data = numbers(frame[f"chain_workers_{chain.id}"], 1e-3, 2)
        name = chain.title["en"] if view.lang == "en" else say_title(chain.title, view.lang)
        colour = [*COLOURS[:6], "#F0E442", "#999999", "#882255"][k % 9]
        series.append(
            {
                **line_series(name, data, colour, width=0.5),
                "stack": "all",
                "areaStyle": {"opacity": 0.75, "color": colour},
            }
        )
        series[-1]["id"] = chain.id
        heads.append(headed(name, say("thousand_people", view.lang), view.lang))
        columns.append(data)
    before = view.line("before")
    if before is not None:
        data = numbers(values(before.result, view.place, "chain_workers"), 1e-3, 2)
        series.append(
            {**line_series(f"{say('sum', view.lang)} · {before.name}", data, "#000000", "dashed", 1.6), "id": "before"}
        )
        heads.append(headed(series[-1]["name"], say("thousand_people", view.lang), view.lang))
        columns.append(data)
    fixed = _most(view.frame or view.first, view.place, "chain_workers") * 1e-3
    shown = _most(view.first, view.place, "chain_workers") * 1e-3
    option |= {"xAxis": years_axis(years), "yAxis": value_axis(0, top(fixed, shown, 1.8)), "series": series}
    rows = [[year, *(column[i] for column in columns)] for i, year in enumerate(years)]
    return Chart("chains", title, option, heads, rows, ("chain_workers",))


def say_title(title: Any, lang: Any) -> str:
    """A bilingual title."""
    from migrasim.present.punctuation import title_in

    return title_in(title, lang)


def unit_of(view: View, indicator: str) -> str:
    """Unit of an indicator in the language of a view."""
    return unit_for(indicator, view.lang)
