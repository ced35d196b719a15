"""More charts of a page: housing, schools and health, rights, families, costs, groups that gain and lose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from migrasim.present.explorer import charts
from migrasim.present.explorer.view import (
    GREY,
    Chart,
    View,
    base_option,
    headed,
    line_series,
    numbers,
    table_of,
    title_for,
    top,
    value_axis,
    values,
    years_axis,
)
from migrasim.present.explorer.words import say
from migrasim.present.figures import COLOURS
from migrasim.present.language import group

HOUSING = ("waiting_households", "public_rental_households", "affordable_rental_households")
SERVICES = ("school_pressure_share", "health_pressure_share")
FAMILIES = ("split_households", "children_left_behind", "elderly_left_behind")
RIGHTS = ("contract_land_kept_households", "exit_households", "contract_land_lost_households")
COSTS = ("county_cost_yuan", "higher_cost_yuan", "enterprise_cost_yuan", "household_cost_yuan")


def housing(view: View) -> Chart:
    """Households in public and affordable rental, and those in the queue."""
    return charts.lines(view, "housing", say("chart_housing", view.lang), HOUSING,
                        axis=say("thousand_households", view.lang), factor=1e-3, digits=2,
                        baseline=False)  # fmt: skip


def rent(view: View) -> Chart:
    """The market rent."""
    return charts.lines(view, "rent", title_for("rent_yuan_mo", view.lang), ("rent_yuan_mo",),
                        axis=charts.unit_of(view, "rent_yuan_mo"), digits=0)  # fmt: skip


def services(view: View) -> Chart:
    """How full schools and clinics of towns are."""
    return charts.lines(view, "services", say("chart_services", view.lang), SERVICES,
                        axis=say("percent_of_places", view.lang), factor=100, digits=1,
                        baseline=False,
                        note=say("services_note", view.lang))  # fmt: skip


def families(view: View) -> Chart:
    """Families living apart, children and elders left behind."""
    return charts.lines(view, "families", say("chart_families", view.lang), FAMILIES,
                        axis=say("thousand_each", view.lang), factor=1e-3, digits=1, baseline=False)  # fmt: skip


def rights(view: View) -> Chart:
    """What becomes of the three rights of those who settle in town."""
    return _stack(view, "rights", say("chart_rights", view.lang), RIGHTS, say("households_yr", view.lang), 1.0, 0)


def costs(view: View) -> Chart:
    """Outlay of the year by who pays."""
    return _stack(view, "costs", say("chart_costs", view.lang), COSTS, say("million_yuan_yr", view.lang), 1e-6, 1,
                  say("costs_note", view.lang))  # fmt: skip


def _stack(
    view: View,
    key: str,
    title: str,
    indicators: Sequence[str],
    axis: str,
    factor: float,
    digits: int,
    note: str = "",
) -> Chart:
    """Indicators that add up, stacked by year; in a comparison their sum for each scenario."""
    option = base_option(view, title, axis)
    years = [int(year) for year in table_of(view.first, None).index][1:]
    series: list[Any] = []
    heads: list[str] = [say("year", view.lang)]
    columns: list[list[float | None]] = []

    def total(result: Any) -> list[float]:
        parts = [values(result, view.place, each).fillna(0.0).to_numpy()[1:] for each in indicators]
        return [round(float(each) * factor, digits) for each in np.sum(parts, axis=0)]

    if not view.is_comparison:
        for k, indicator in enumerate(indicators):
            data = numbers(values(view.first, view.place, indicator).to_numpy()[1:], factor, digits)
            name = title_for(indicator, view.lang)
            series.append({"id": indicator, "name": name, "type": "bar", "stack": "all", "data": data,
                           "itemStyle": {"color": COLOURS[k]}})  # fmt: skip
            heads.append(headed(name, axis, view.lang))
            columns.append(data)
    for number, line in enumerate(view.lines):
        if line.role in ("before", "pin"):
            colour = line.colour if line.role == "pin" else GREY
            name = line.name if line.role == "pin" else f"{say('sum', view.lang)} · {line.name}"
            sums = total(line.result)
            series.append(line_series(name, sums, colour, "solid" if line.role == "pin" else "dashed", 2.5))
            series[-1]["id"] = f"{line.role}{number}"
            heads.append(headed(name, axis, view.lang))
            columns.append([*sums])
    fixed = max(total(view.frame or view.first))
    option |= {
        "xAxis": {**years_axis(years), "boundaryGap": True},
        "yAxis": value_axis(0, top(fixed, max(max(total(line.result)) for line in view.lines), 2.0)),
        "series": series,
    }
    rows = [[year, *(column[i] for column in columns)] for i, year in enumerate(years)]
    return Chart(key, title, option, heads, rows, tuple(indicators), note=note)


def groups(view: View) -> Chart | None:
    """Who gains and who loses against the status quo in the year in focus; None where there is nothing to hold against.

    Means of groups with the same luck: the change of income after rent and living cost, in yuan, since what the
    poorest have left may be below nothing.
    """
    view = replace(view, place=None)  # groups are followed in the whole region only
    reference = view.line("baseline") or (view.lines[0] if view.is_comparison else None)
    others = [line for line in view.lines if line is not reference and line.role in ("current", "before", "pin")]
    if reference is None or not others:
        return None
    title = say("chart_groups", view.lang, reference=reference.name, year=view.year)
    option = base_option(view, title, say("change_of_income", view.lang))
    keys = ["dimension", "group"]

    def means(line: Any) -> Any:
        frame = line.result.groups
        return frame[frame["year"] == view.year].set_index(keys)["welfare_yuan_yr"]

    before = means(reference)
    order = [key for key in before.dropna().index if key[0] in ("income", "schooling", "age")]
    titles = [say("pair", view.lang, one=say(f"by_{a}", view.lang), other=group(str(b), view.lang)) for a, b in order]
    series, heads, columns = [], [say("group", view.lang)], []
    for number, line in enumerate(others):
        after = means(line).reindex(before.index)
        data = numbers([after[key] - before[key] for key in order], 1e-3, 2)
        colour = GREY if line.role == "before" else line.colour
        series.append({"id": f"{line.role}{number}", "name": line.name, "type": "bar", "data": data, "barGap": "0%",
                       "itemStyle": {"color": colour}})  # fmt: skip
        heads.append(headed(line.name, say("change_of_income", view.lang), view.lang))
        columns.append(data)
    most = max([2.0, *(abs(value) for column in columns for value in column if value is not None)])
    end = top(2.0, most, 1.0)
    option |= {
        "xAxis": {**value_axis(-end, end), "axisLabel": {"showMinLabel": False, "showMaxLabel": False}},
        "yAxis": {
            "type": "category",
            "data": titles,
            "inverse": True,
            "axisLabel": {"width": 190, "overflow": "break"},
        },
        "series": series,
    }
    rows = [[name, *(column[i] for column in columns)] for i, name in enumerate(titles)]
    return Chart("groups", title, option, heads, rows, (), height=440, note=say("groups_note", view.lang),
                 whole_region=True)  # fmt: skip


BUILDERS: tuple[Callable[[View], Chart | None], ...] = (
    charts.rates,
    charts.people,
    charts.decomposition,
    charts.county_map,
    charts.flows,
    charts.chains,
    housing,
    rent,
    services,
    rights,
    families,
    costs,
    groups,
)
"""Charts of the explore page, in their order."""
