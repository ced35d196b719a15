"""What each lever does, and which assumptions the results hang on.

Every lever is moved alone: from the status quo to the plan, from its low to its high bound, to the
plan three years later, and, in the company of all others, from the plan back to the status quo. Every
assumption with a range is moved alone to both of its ends. All runs of a seed share their luck, so a
difference within a seed is an effect, and its spread over the seeds is the interval.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pandas import DataFrame, Series, concat
from scipy import stats

from migrasim.analysis.intervals import CONFIDENCE, interval
from migrasim.core.errors import InputError
from migrasim.facts import BASE_YEAR, Fact, FactBook, Lever
from migrasim.inputs import SUMS_TO_ONE
from migrasim.runs.levels import moved, setting
from migrasim.runs.result import check_share
from migrasim.runs.runner import OnDone, yearly
from migrasim.runs.spec import RunSpec

DELAY_YR = 3
YEARS = (2025, 2035)
RATE, REGISTERED, URBAN, COST = "urbanization_rate", "hukou_urbanization_rate", "urban_population", "cost_yuan"
MEASURES = (RATE, URBAN, REGISTERED, COST)
ASSUMPTIONS = ("assumed", "estimated")
FOUR_GROUPS = "four_groups"
LITTLE_POINTS = 0.1  # an effect on the resident rate below this, in percentage points, is called little
_COMPANY = 1.5  # times its effect alone is what a lever that waits for others does beside the plan
_SMALL_STEP = 0.2  # of the span between the bounds is what the plan does: a small step

Array = np.ndarray[Any, np.dtype[np.float64]]


def bounds_of(lever: Lever, book: FactBook) -> tuple[float, float]:
    """Low and high bound; of shares of one whole the high one is what the other share leaves in 2020."""
    low, high = lever.bounds
    for pair in SUMS_TO_ONE:
        if lever.id in pair:
            other = book.lever(pair[1 - pair.index(lever.id)])
            high = min(high, 1.0 - other.status_quo.last)
    return low, high


def later(lever: Lever, delay_yr: int = DELAY_YR) -> str:
    """The plan's path of a lever some years later, as a setting: until then the status quo, then the plan's own steps.

    The whole path moves, so what the plan reaches in 2035 is reached in 2038 and is not seen; jobs by 2035 grow from
    the year of the delay on, at the plan's pace, and stand at less than their number in 2035.
    """
    inside = {
        name: RunSpec("status_quo", overrides=(f"{lever.id}={name}",)).inputs() for name in ("status_quo", "plan")
    }
    quo, plan = (
        path.sum(axis=1) if lever.aggregate == "total" else path[:, 0]
        for path in (inside[name].lever_path(lever.id) for name in ("status_quo", "plan"))
    )
    years = [int(year) for year in inside["plan"].years]
    low, high = lever.bounds
    path: dict[int | None, float] = {
        year: min(max(float(plan[i - delay_yr] if i > delay_yr else quo[i]), low), high)
        for i, year in enumerate(years)
        if year > BASE_YEAR
    }
    return setting(lever, path)


@dataclass(frozen=True)
class Request:
    """Samples, seeds and processes of a study; `fact_seeds` and `fact_sample` are for the assumptions."""

    sample: float = 0.1
    seeds: tuple[int, ...] = tuple(range(8))
    fact_seeds: tuple[int, ...] = (0, 1)
    fact_sample: float = 0.1
    until: int = 2035
    workers: int | None = None
    keep: Path | None = None


def moves(lever: Lever, book: FactBook) -> dict[str, tuple[str, str]]:
    """Scenario and setting of the runs of one lever, by the name of the move."""
    low, high = bounds_of(lever, book)
    return {
        "plan": ("status_quo", f"{lever.id}=plan"),
        "low": ("status_quo", f"{lever.id}={low}"),
        "high": ("status_quo", f"{lever.id}={high}"),
        "later": ("status_quo", later(lever)),
        "without": ("plan", f"{lever.id}=status_quo"),
    }


# effect: the run that it starts from and the one that it goes to; None is the status quo, "" the plan
_EFFECTS: dict[str, tuple[str | None, str]] = {
    "alone": (None, "plan"),
    "bounds": ("low", "high"),
    "later": (None, "later"),
    "in_company": ("without", ""),
}


def lever_effects(
    request: Request, levers: Iterable[str] | None = None, on_done: OnDone | None = None
) -> tuple[DataFrame, DataFrame]:
    """Effects of levers moved alone, and whole scenarios to hold them against.

    Parameters
    ----------
    request
        Sample, seeds, processes.
    levers
        Their ids; all where not given.
    on_done
        Called after each run.

    Returns
    -------
    DataFrame
        ``lever, effect, measure, year, difference, low, high, pairs``; effect is one of ``alone`` (status quo to plan),
        ``bounds`` (low to high bound), ``later`` (to the plan three years later), ``in_company`` (the last lever of the
        plan to be put in place). Rates are shares, money is constant yuan summed from 2021 on.
    DataFrame
        The same for scenarios against the status quo; ``lever`` is the name of the scenario.
    """
    book = FactBook.load()
    chosen = [book.lever(name) for name in (book.levers if levers is None else levers)]
    scenarios = ("plan", FOUR_GROUPS)
    specs: dict[tuple[str, str, int], RunSpec] = {}
    for seed in request.seeds:
        for name in ("status_quo", *scenarios):
            specs["", name, seed] = _spec(request, name, seed)
        for lever in chosen:
            for move, (scenario, text) in moves(lever, book).items():
                specs[lever.id, move, seed] = _spec(request, scenario, seed, (text,))
    found = _run(specs, request, on_done)
    frames, wholes = [], []
    for lever in chosen:
        for effect, (start, end) in _EFFECTS.items():
            pairs = [
                (
                    found["", "status_quo", seed] if start is None else found[lever.id, start, seed],
                    found[lever.id, end, seed] if end else found["", "plan", seed],
                )
                for seed in request.seeds
            ]
            frames.append(_effect(lever.id, effect, pairs, request.until))
    for name in scenarios:
        pairs = [(found["", "status_quo", seed], found["", name, seed]) for seed in request.seeds]
        wholes.append(_effect(name, "alone", pairs, request.until))
    return concat(frames, ignore_index=True), concat(wholes, ignore_index=True)


def _spec(
    request: Request,
    scenario: str,
    seed: int,
    overrides: tuple[str, ...] = (),
    parameters: dict[str, float] | None = None,
) -> RunSpec:
    label = " ".join([scenario, *overrides, *(f"{name}={number:g}" for name, number in (parameters or {}).items())])
    return RunSpec(
        scenario,
        label=f"{label}, seed {seed}",
        seed=seed,
        sample=request.sample,
        until=request.until,
        overrides=overrides,
        parameters=parameters or {},
    )


def _run(
    specs: dict[tuple[str, str, int], RunSpec], request: Request, on_done: OnDone | None
) -> dict[tuple[str, str, int], DataFrame]:
    frames = yearly(list(specs.values()), request.keep, workers=request.workers, on_done=on_done)
    return dict(zip(specs, frames, strict=True))


def measured(run: DataFrame, measure: str, year: int) -> float:
    """A measure of a run in a year; money is summed from the year after the base on."""
    if measure == COST:
        yearly: Series[float] = run["public_cost_yuan"]
        return float(yearly[(yearly.index > BASE_YEAR) & (yearly.index <= year)].sum())
    return float(run.loc[year, measure])  # type: ignore[arg-type]


def _effect(lever: str, effect: str, pairs: Sequence[tuple[DataFrame, DataFrame]], until: int) -> DataFrame:
    rows = []
    for year in (year for year in YEARS if year <= until):
        apart = {
            measure: np.array([measured(b, measure, year) - measured(a, measure, year) for a, b in pairs])
            for measure in MEASURES
        }
        rows += [(lever, effect, measure, year, *interval(apart[measure]), len(pairs)) for measure in MEASURES]
        rows.append((lever, effect, "yuan_per_resident", year, *ratio(apart[COST], apart[URBAN]), len(pairs)))
    return DataFrame(rows, columns=["lever", "effect", "measure", "year", "difference", "low", "high", "pairs"])


def _t(count: int) -> float:
    return float(stats.t.ppf(0.5 + CONFIDENCE / 2, count - 1))


def ratio(over: Array, under: Array) -> tuple[float, float, float]:
    """Ratio of two paired means with Fieller's interval; nothing where the interval of `under` holds 0.

    Examples
    --------
    >>> [round(float(each), 2) for each in ratio(np.array([9.0, 10.0, 11.0]), np.array([5.0, 5.1, 4.9]))]
    [2.0, 1.63, 2.38]
    >>> ratio(np.array([9.0, 11.0]), np.array([-5.0, 5.0]))
    (nan, nan, nan)
    """
    mean, low, high = interval(under)
    if not low * high > 0:  # an interval around 0, or none
        return np.nan, np.nan, np.nan
    count = len(under)
    a, b = float(over.mean()), mean
    spread = np.cov(over, under) / count * _t(count) ** 2
    square, linear, constant = b * b - spread[1, 1], a * b - spread[0, 1], a * a - spread[0, 0]
    root = np.sqrt(max(0.0, linear * linear - square * constant))
    ends = sorted([(linear - root) / square, (linear + root) / square])
    return a / b, float(ends[0]), float(ends[1])


def why(lever: Lever, effects: DataFrame) -> str:
    """Why a lever that does little to the resident rate in the last year does little; empty where it does much.

    Parameters
    ----------
    lever
        The lever.
    effects
        Of `lever_effects`.
    """
    mine = effects[effects["lever"] == lever.id]
    mine = mine[mine["year"] == mine["year"].max()]
    at = {(str(row.effect), str(row.measure)): row for row in mine.itertuples()}
    if _much(at["alone", RATE]):
        return ""
    reasons = []
    if words := lever.room_words():
        reasons.append(f"room: {words}")
    elif lever.room.step <= _SMALL_STEP:
        reasons.append(f"a small step: the plan goes {100 * lever.room.step:.2g}% of the way between the bounds")
    bounds, company = at["bounds", RATE], at["in_company", RATE]
    if not mine.loc[(mine["effect"] == "bounds") & mine["measure"].isin(MEASURES), "difference"].any():
        reasons.append("a closed gate: alone it changes nothing at all, even from bound to bound")
    elif _much(bounds):
        reasons.append(f"from bound to bound it moves the rate by {_points(bounds)} points")
    else:
        reasons.append("even from bound to bound it does little to the rate: few are concerned, or its channel is weak")
    if _much(company) and abs(_number(company)) > _COMPANY * abs(_number(at["alone", RATE])):
        reasons.append(f"it waits for others: beside the whole plan it moves the rate by {_points(company)} points")
    if _much(at["alone", REGISTERED]):
        reasons.append(f"it acts on registration: {_points(at['alone', REGISTERED])} points of the registered rate")
    if not _number(at["alone", RATE]) and _clear(at["alone", COST]):
        reasons.append(f"it moves money: {_number(at['alone', COST]) / 1e6:+,.0f} million yuan of public cost")
    return "; ".join(reasons).replace(" -", " −")


def _number(row: Any) -> float:
    return float(row.difference)


def _points(row: Any) -> str:
    return f"{100 * _number(row):+.2f}"


def _much(row: Any) -> bool:
    """Whether an effect on a rate is clear and not little."""
    return _clear(row) and abs(_number(row)) * 100 >= LITTLE_POINTS


def pulls_apart(effects: DataFrame) -> list[str]:
    """Levers whose effects alone on the resident rate and on urban residents are both clear, with opposite signs."""
    last = effects[(effects["effect"] == "alone") & (effects["year"] == effects["year"].max())]
    clear = last[last["low"] * last["high"] > 0].pivot_table(index="lever", columns="measure", values="difference")
    found = clear.reindex(columns=[RATE, URBAN]).dropna()
    return [str(name) for name in found.index[found[RATE] * found[URBAN] < 0]]


def _clear(row: Any) -> bool:
    """Whether an interval leaves out 0."""
    return bool(row.low * row.high > 0)


@dataclass(frozen=True)
class Assumption:
    """A number that was assumed or estimated, with its range: a fact, or what a lever is in the plan."""

    kind: str  # fact or lever
    id: str
    low: float
    high: float


def assumptions(book: FactBook) -> list[Assumption]:
    """Facts that a phase reads and the plan's values, where they are assumed or estimated and have a range.

    Facts of the synthetic population are left out: they are built into it and cannot be moved in a run.
    """
    facts = [one for one in book.facts.values() if one.used and one.status in ASSUMPTIONS and _movable(one)]
    found = [Assumption("fact", one.id, *one.range) for one in facts if one.range is not None]
    for lever in book.levers.values():
        if lever.plan.status in ASSUMPTIONS and lever.plan.range is not None:
            low, high = lever.plan.range
            if low < high:
                found.append(Assumption("lever", lever.id, low, high))
    return found


def _movable(fact: Fact) -> bool:
    fixed = fact.domain == "population" or fact.range is None or fact.range[0] == fact.range[1]
    return not fixed and not (fact.values is not None and fact.central == 0)


def assumption_effects(request: Request, only: Iterable[str] | None = None, on_done: OnDone | None = None) -> DataFrame:
    """What moving each assumption to the ends of its range does in the last year.

    Returns
    -------
    DataFrame
        One row an assumption and measure: ``kind, id, subject, measure, at_low, at_high, swing, noise, seeds``.
        `subject` is ``plan`` (level under the plan) or ``four_groups`` (what these add to the status quo); ``at_low``
        and ``at_high`` are differences from the central run, ``swing`` the widest distance between low, centre and
        high, ``noise`` half the width of the interval of the larger of the two differences (90 percent, with the
        spread pooled over all assumptions). Largest swing of the resident rate under the plan first.
    """
    book = FactBook.load()
    request = replace(request, sample=request.fact_sample)
    chosen = [one for one in assumptions(book) if only is None or one.id in set(only)]
    subjects = {"plan": ("plan",), FOUR_GROUPS: ("status_quo", FOUR_GROUPS)}
    scenarios = ("plan", "status_quo", FOUR_GROUPS)
    specs: dict[tuple[str, str, int], RunSpec] = {}
    groups = _levers_of(FOUR_GROUPS)
    for seed in request.fact_seeds:
        for scenario in scenarios:
            specs[scenario, "", seed] = _spec(request, scenario, seed)
            for one in chosen:
                for end, number in (("low", one.low), ("high", one.high)):
                    key = (scenario, f"{one.kind} {one.id} {end}", seed)
                    if one.kind == "fact":
                        specs[key] = _spec(request, scenario, seed, parameters={one.id: number})
                    elif scenario == "plan" or (scenario == FOUR_GROUPS and one.id in groups):
                        specs[key] = _spec(request, scenario, seed, (moved(book.lever(one.id), number),))
                    else:  # a lever that stands at the status quo there
                        specs[key] = specs[scenario, "", seed]
    found = _run(specs, request, on_done)
    rows = []
    for one in chosen:
        for subject, runs in subjects.items():
            for measure in (RATE, URBAN):
                apart = {
                    end: np.array(
                        [
                            _subject(found, runs, f"{one.kind} {one.id} {end}", measure, seed, request.until)
                            - _subject(found, runs, "", measure, seed, request.until)
                            for seed in request.fact_seeds
                        ]
                    )
                    for end in ("low", "high")
                }
                means = [float(each.mean()) for each in apart.values()]
                spread = (
                    max(apart.values(), key=lambda each: abs(float(each.mean()))).var(ddof=1)
                    if len(request.fact_seeds) > 1
                    else np.nan
                )
                rows.append(
                    (one.kind, one.id, subject, measure, *means, max(*means, 0.0) - min(*means, 0.0), float(spread))
                )
    columns = ["kind", "id", "subject", "measure", "at_low", "at_high", "swing", "variance"]
    frame = DataFrame(rows, columns=columns)
    count = len(request.fact_seeds)
    frame["seeds"] = count
    frame["noise"] = np.nan
    if count > 1:
        for _, part in frame.groupby(["subject", "measure"]):
            pooled = float(part["variance"].mean())
            half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, len(part) * (count - 1))) * np.sqrt(pooled / count)
            frame.loc[part.index, "noise"] = half
    order = frame[(frame["subject"] == "plan") & (frame["measure"] == RATE)].sort_values(
        "swing", ascending=False, kind="stable"
    )
    rank = {name: number for number, name in enumerate(zip(order["kind"], order["id"], strict=True))}
    frame["rank"] = [rank[kind, name] for kind, name in zip(frame["kind"], frame["id"], strict=True)]
    return frame.drop(columns="variance").sort_values(["rank", "subject"], ascending=[True, False], kind="stable")


def _levers_of(scenario: str) -> set[str]:
    """Levers that a scenario moves away from the status quo."""
    inputs, quo = RunSpec(scenario).inputs(), RunSpec("status_quo").inputs()
    return {one for one in inputs.book.levers if not np.array_equal(inputs.lever_path(one), quo.lever_path(one))}


def _subject(
    found: dict[tuple[str, str, int], DataFrame], runs: tuple[str, ...], key: str, measure: str, seed: int, year: int
) -> float:
    """Level of the last scenario named, less that of the one before it where there are two."""
    last = measured(found[runs[-1], key, seed], measure, year)
    return last - measured(found[runs[0], key, seed], measure, year) if len(runs) > 1 else last


def study_hash(request: Request) -> str:
    """Hash of what the study reads: model, facts, levers, region, population, sample, seeds and horizon."""
    ids = [_spec(request, name, request.seeds[0]).run_id() for name in ("status_quo", "plan", FOUR_GROUPS)]
    head = [ids, list(request.seeds), list(request.fact_seeds), request.fact_sample]
    return hashlib.sha256(json.dumps(head).encode()).hexdigest()[:12]


def check_request(request: Request) -> None:
    """Refuse a sample or seeds that cannot be.

    Raises
    ------
    InputError
        Naming the option.
    """
    for name, share in (("--sample", request.sample), ("--assumption-sample", request.fact_sample)):
        check_share(share, name)
    if len(request.seeds) < 2:
        raise InputError(
            f"--replications: {len(request.seeds)} is too few for an interval; allowed: whole numbers from 2 on"
        )
