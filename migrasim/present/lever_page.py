"""The page and the figure of what each lever does, from the tables of `migrasim.analysis.levers`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrasim.analysis.levers import (
    COST,
    DELAY_YR,
    FOUR_GROUPS,
    LITTLE_POINTS,
    RATE,
    REGISTERED,
    URBAN,
    Request,
    bounds_of,
    pulls_apart,
    why,
)
from migrasim.core.errors import InputError
from migrasim.facts import FactBook, Lever, LeverValue
from migrasim.present.figures import COLOURS, fonts
from migrasim.present.tables import number

if TYPE_CHECKING:
    from pandas import DataFrame

TITLE = "# What each lever does"  # what the page begins with
_SHOWN_BARS = 20
_SHOWN_ASSUMPTIONS = 30
PER_RESIDENT = "yuan_per_resident"


@dataclass(frozen=True)
class Study:
    """What stands on the page.

    Attributes
    ----------
    effects, scenarios
        Of `migrasim.analysis.levers.lever_effects`.
    assumptions
        Of `migrasim.analysis.levers.assumption_effects`, or None where they were left out.
    request, command, study_hash
        How it was made.
    """

    effects: DataFrame
    scenarios: DataFrame
    assumptions: DataFrame | None
    request: Request
    command: str
    study_hash: str

    @property
    def pairs(self) -> int:
        """Number of seeds."""
        return len(self.request.seeds)

    @property
    def last(self) -> int:
        return int(self.effects["year"].max())


Cells = Mapping[tuple[str, str, str, int], Any]


def _cells(frame: DataFrame) -> Cells:
    return {(str(r.lever), str(r.effect), str(r.measure), int(str(r.year))): r for r in frame.itertuples()}


def _clear(row: Any) -> bool:
    return bool(row.low * row.high > 0)


def _cell(row: Any, factor: float, decimals: int, *, sign: bool = True) -> str:
    """A difference with its interval, bold where the interval leaves out 0; empty where there is none."""
    values = [factor * float(each) for each in (row.difference, row.low, row.high)]
    if values[0] != values[0]:
        return ""
    if not any(values):
        return "0"
    style = f"{'+' if sign else ''},.{decimals}f"
    middle, low, high = (f"{each:{style}}".replace("-", "−") for each in values)
    return f"**{middle}** ({low} … {high})" if _clear(row) else f"{middle} ({low} … {high})"


def _points(row: Any) -> str:
    return _cell(row, 100, 2)


def _persons(row: Any) -> str:
    return _cell(row, 1, 0)


def _millions(row: Any) -> str:
    return _cell(row, 1e-6, 0)


def _per_resident(row: Any) -> str:
    return _cell(row, 1e-3, 0, sign=False)


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [" | ".join(heads), " | ".join(["---"] + ["---:"] * (len(heads) - 1))]
    lines += [" | ".join(row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _title(lever: Lever) -> str:
    return f"{lever.title.en} {lever.title.zh_hant} `{lever.id}`"


def _value(value: LeverValue) -> str:
    return number(value.values or value.value)


def _size(cells: Cells, lever: str, last: int, effect: str = "alone") -> float:
    return abs(float(cells[lever, effect, RATE, last].difference))


def page(study: Study, book: FactBook, figure: str = "figures/levers.png") -> str:
    """The whole page in Markdown.

    Parameters
    ----------
    study
        Tables and how they were made.
    book
        Levers and facts.
    figure
        Where the figure lies, seen from the page.
    """
    cells, last = _cells(study.effects), study.last
    first = int(study.effects["year"].min())
    levers = [book.lever(str(name)) for name in dict.fromkeys(study.effects["lever"])]
    parts = [_head(study, levers, last), f"![The levers that move the resident rate most]({figure})\n"]
    parts.append(_scenarios(study, last, first))
    parts.append("## From the status quo to the plan, one lever at a time\n")
    for group, title in book.groups.items():
        mine = sorted((lever for lever in levers if lever.group == group), key=lambda one: -_size(cells, one.id, last))
        if mine:
            parts.append(f"### {title.en} {title.zh_hant}\n")
            parts.append(_alone(mine, cells, first, last) + "\n")
    parts.append(_apart(study, book))
    parts.append(_bounds(levers, cells, book, last))
    parts.append(_little(levers, study))
    if study.assumptions is not None:
        parts.append(_assumptions(study, book, last))
    return "\n".join(parts)


def _head(study: Study, levers: list[Lever], last: int) -> str:
    told = study.assumptions is not None
    where = "what they do stands at the end" if told else "`--assumption-seeds` adds what they do"
    return f"""{TITLE}

{len(levers)} levers, each moved alone, and what that changes by {last}. This page is made by one command, not by hand:

```
{study.command}
```

Sample {100 * study.request.sample:g} percent of the households, {study.pairs} pairs of runs with the same luck for each
number, inputs and model `{study.study_hash}`.

## How to read it

Each number is a difference between two runs of the same seed, in which everybody has the same luck, averaged over
{study.pairs} seeds. Behind it stands its interval at 90 percent (Student's t over the seeds); it is **bold** where the
interval leaves out 0. The interval is about luck only: strengths of channels and constants of the model are assumed and
stay fixed here ({where}). Of ten levers that did nothing, about one would come out bold.

- **Resident rate, registered rate**: percentage points. A rate also rises when people leave the countryside for good;
  therefore **urban residents** stand beside it.
- **Public cost**: what governments pay from 2021 on beyond the status quo, in million yuan of 2020, not discounted,
  services of the new residents included. A negative number is money that is not spent.
- **Thousand yuan per additional urban resident**: the cost over the urban residents gained, with Fieller's interval,
  only where the interval of the gain leaves out 0. It is the mean of what the lever does alone, not the price of one
  more person, and it leaves out what enterprises and households pay.
- **{DELAY_YR} years later**: the whole path of the plan shifted by {DELAY_YR} years, the status quo until then; what
  the plan reaches in 2035 is then reached in 2038.
- **Last of the plan**: the plan with the lever less the plan without it. Where this differs from its effect alone,
  levers help or hinder one another. Neither column can be added up over levers.
- Whatever changes is news, and news bring the households that a lever concerns to weigh a move, whether or not it
  makes the move better (`moving.consider_news_factor`, assumed). From bound to bound both runs have their news, so the
  channel shows without them.

It must not be read as a forecast, as evidence that a lever reaches a target, or as a ranking where intervals overlap.
Most values in the plan are assumed, so a lever may be small because what was assumed is a small step.
"""


def _scenarios(study: Study, last: int, first: int) -> str:
    cells = _cells(study.scenarios)
    titles = {"plan": "The plan, all levers", FOUR_GROUPS: "Four groups: permit, three rights, housing, industry"}
    rows = [
        [titles.get(name, name), *_columns(cells, name, first, last)]
        for name in dict.fromkeys(str(each) for each in study.scenarios["lever"])
    ]
    return "## Whole scenarios, to compare with\n\n" + _table(["scenario", *_heads(first, last)], rows) + "\n"


def _heads(first: int, last: int) -> list[str]:
    heads = [f"resident rate {first}"] if first != last else []
    heads += [f"resident rate {last}", f"urban residents {last}", f"registered rate {last}"]
    return [*heads, f"public cost to {last}, million yuan", "thousand yuan per additional urban resident"]


def _columns(cells: Cells, name: str, first: int, last: int) -> list[str]:
    columns = [_points(cells[name, "alone", RATE, first])] if first != last else []
    gain, price = cells[name, "alone", URBAN, last], cells[name, "alone", PER_RESIDENT, last]
    columns += [_points(cells[name, "alone", RATE, last]), _persons(gain)]
    columns += [_points(cells[name, "alone", REGISTERED, last]), _millions(cells[name, "alone", COST, last])]
    if float(gain.difference) < 0 and _clear(gain):
        return [*columns, "fewer residents"]
    return [*columns, _per_resident(price)]


def _alone(levers: list[Lever], cells: Cells, first: int, last: int) -> str:
    rows = [
        [_title(lever), f"{_value(lever.status_quo)} → {_value(lever.plan)}", *_columns(cells, lever.id, first, last)]
        for lever in levers
    ]
    return _table(["lever", "2020 → plan", *_heads(first, last)], rows)


def _apart(study: Study, book: FactBook) -> str:
    names = pulls_apart(study.effects)
    if not names:
        return ""
    titles = ", ".join(_title(book.lever(name)) for name in names)
    return f"""### Rate and residents pull apart

With these levers the resident rate and the number of urban residents go opposite ways, since more people leave the
region, or fewer, and most of them come from the villages: {titles}.
"""


def _bounds(levers: list[Lever], cells: Cells, book: FactBook, last: int) -> str:
    rows = []
    for lever in levers:
        low, high = bounds_of(lever, book)
        rows.append(
            [
                f"`{lever.id}`",
                f"{number(low)} → {number(high)} {lever.unit}",
                _points(cells[lever.id, "bounds", RATE, last]),
                _persons(cells[lever.id, "bounds", URBAN, last]),
                _points(cells[lever.id, "alone", RATE, last]),
                _points(cells[lever.id, "later", RATE, last]),
                _persons(cells[lever.id, "later", URBAN, last]),
                _points(cells[lever.id, "in_company", RATE, last]),
            ]
        )
    heads = ["lever", "low → high bound", "resident rate, low → high", "urban residents, low → high"]
    heads += ["resident rate, plan", f"resident rate, {DELAY_YR} years later"]
    heads += [f"urban residents, {DELAY_YR} years later", "resident rate, last of the plan"]
    return f"## From bound to bound, later, and last of the plan ({last})\n\n{_table(heads, rows)}\n"


def _little(levers: list[Lever], study: Study) -> str:
    rows = [[_title(lever), words] for lever in levers if (words := why(lever, study.effects))]
    head = f"""## Levers that do little to the resident rate, and why

Their effect alone is below {LITTLE_POINTS:g} points in {study.last}, or its interval holds 0. The reasons are read off
the book and the runs above: the room between 2020 and the bound, the step that the plan takes, and what the lever does
from bound to bound and in the company of the others.
"""
    if not rows:
        return f"{head}\nNone.\n"
    lines = "\n".join(f"| {title} | {words} |" for title, words in rows)
    return f"{head}\n| lever | why |\n| --- | --- |\n{lines}\n"


def _assumptions(study: Study, book: FactBook, last: int) -> str:
    frame = study.assumptions
    assert frame is not None
    cells = {(str(r.id), str(r.kind), str(r.subject), str(r.measure)): r for r in frame.itertuples()}
    order = frame[(frame["subject"] == "plan") & (frame["measure"] == RATE)].sort_values("rank")
    seeds = int(frame["seeds"].max())
    noise = {
        subject: 100 * float(frame[(frame["subject"] == subject) & (frame["measure"] == RATE)]["noise"].max())
        for subject in ("plan", FOUR_GROUPS)
    }
    told = "One luck, which does not tell how much of a small difference is luck"
    if seeds > 1:
        told = f"{seeds} seeds; differences below about {noise['plan']:.2f} points (plan) and {noise[FOUR_GROUPS]:.2f}"
        told += " points (four groups) cannot be told from luck"
    by_effect = frame[(frame["subject"] == FOUR_GROUPS) & (frame["measure"] == RATE)]
    ranks = {
        (str(r.kind), str(r.id)): rank
        for rank, r in enumerate(by_effect.sort_values("swing", ascending=False, kind="stable").itertuples(), 1)
    }
    rows = []
    for rank, row in enumerate(order.head(_SHOWN_ASSUMPTIONS).itertuples(), 1):
        name, kind = str(row.id), str(row.kind)
        plan, urban, groups = (
            cells[name, kind, subject, measure]
            for subject, measure in (("plan", RATE), ("plan", URBAN), (FOUR_GROUPS, RATE))
        )
        rows.append(
            [
                str(rank),
                *_assumption(name, kind, book),
                _ends(plan, 100, 2),
                _ends(urban, 1, 0),
                _ends(groups, 100, 2),
                str(ranks[kind, name]),
            ]
        )
    shown = {(str(row.kind), str(row.id)) for row in order.head(_SHOWN_ASSUMPTIONS).itertuples()}
    others = [name for name, rank in ranks.items() if rank <= 10 and name not in shown]
    heads = ["", "assumption", "range", "plan: resident rate", "plan: urban residents"]
    heads += ["four groups: what they add to the resident rate", "rank by that"]
    lines = [" | ".join(heads), " | ".join(["---:", "---", "---"] + ["---:"] * 4)]
    lines += [" | ".join(row) for row in rows]
    table = "\n".join(f"| {line} |" for line in lines)
    more = ""
    if others:
        named = ", ".join(f"`{name}` ({_ends(cells[name, kind, FOUR_GROUPS, RATE], 100, 2)})" for kind, name in others)
        more = f"\nAmong the ten that change most what the four groups add, and not in the table: {named}.\n"
    return f"""## Which assumptions matter most

Every fact that is assumed or estimated and has a range, and every assumed value of the plan with a range, {len(order)}
in all, moved alone to the low and to the high end of the range, all else at its central value. The table shows what
that changes in {last}, at the low end / at the high end: of the level under the plan, and of what the four groups add
to the status quo. These are the gaps in the data that would change the results most if they were closed; the largest
{len(rows)} are shown, made with {100 * study.request.fact_sample:g} percent of the households. {told}. Facts that
are built into the synthetic population cannot be moved in a run and are left out, as are those that come from the
literature or were observed.

{table}
{more}"""


def _assumption(name: str, kind: str, book: FactBook) -> tuple[str, str]:
    if kind == "lever":
        lever = book.lever(name)
        assert lever.plan.range is not None
        low, high = lever.plan.range
        words = f"{number(low)} to {number(high)} {lever.unit} in the plan, {lever.plan.status}"
        return _title(lever), words
    fact = book[name]
    assert fact.range is not None
    low, high = fact.range
    words = f"{number(low)} to {number(high)} {'times its values' if fact.by else fact.unit}, {fact.status}"
    return f"{fact.title.en} {fact.title.zh_hant} `{name}`", words


def _ends(row: Any, factor: float, decimals: int) -> str:
    ends = [f"{factor * float(each):+,.{decimals}f}".replace("-", "−") for each in (row.at_low, row.at_high)]
    return " / ".join(ends)


def draw(study: Study, book: FactBook, path: Path) -> Path:
    """Bars of the largest effects on the resident rate in the last year, with their intervals.

    Raises
    ------
    InputError
        Where the file cannot be written.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    frame = study.effects
    last = study.last
    rows = frame[(frame["effect"] == "alone") & (frame["measure"] == RATE) & (frame["year"] == last)]
    rows = rows.reindex(rows["difference"].abs().sort_values(ascending=False, kind="stable").index)
    rows = rows.head(_SHOWN_BARS)
    groups = list(dict.fromkeys(book.lever(str(name)).group for name in rows["lever"]))
    tints = {group: COLOURS[k % len(COLOURS)] for k, group in enumerate(groups)}
    hatches = {group: "//" if k >= len(COLOURS) else "" for k, group in enumerate(groups)}
    style: Any = {"font.family": "sans-serif", "font.sans-serif": fonts(), "axes.unicode_minus": False}
    with rc_context(style):
        figure = Figure(figsize=(10, 0.34 * len(rows) + 2.2), layout="constrained")
        axes = figure.add_subplot()
        for place, row in enumerate(rows.itertuples()):
            group = book.lever(str(row.lever)).group
            middle, low, high = (100 * float(str(each)) for each in (row.difference, row.low, row.high))
            axes.barh(place, middle, color=tints[group], hatch=hatches[group], edgecolor="white", height=0.7)
            axes.plot([low, high], [place, place], color="#222222", linewidth=1.4)
        axes.set_yticks(range(len(rows)), [book.lever(str(name)).title.en for name in rows["lever"]], fontsize=8.5)
        axes.invert_yaxis()
        axes.axvline(0, color="#444444", linewidth=0.8)
        axes.grid(axis="x", alpha=0.3)
        axes.set_xlabel(f"change of the resident rate in {last}, percentage points")
        patches = [
            Patch(facecolor=tints[group], hatch=hatches[group], edgecolor="white", label=book.groups[group].en)
            for group in groups
        ]
        axes.legend(handles=patches, fontsize=8, loc="best")
        figure.suptitle(
            f"One lever at a time, from the status quo to the plan: the {len(rows)} largest effects", fontweight="bold"
        )
        figure.supxlabel(
            f"Lines: 90% interval over {study.pairs} pairs of runs with the same luck; sample "
            f"{100 * study.request.sample:g}%; most values of the plan are assumed. migrasim, {study.study_hash}",
            fontsize=7.5,
            color="#444444",
        )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, dpi=150)
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: the figure cannot be written: {error}") from None
    return path


__all__ = ["Study", "draw", "page"]
