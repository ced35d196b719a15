"""The cheapest mixes of levers that reach a target with a chance, within a budget.

Optuna proposes mixes within the ranges of the design (its tree-structured Parzen estimator, two goals: little
additional cost, much of the indicator); every proposal is run, in every future and with every seed, and so is what the
search starts from, with the same luck. What looks best is run again with luck that the search has not seen, and what
then is chosen among these a third time, with luck that had no part in choosing it: the best of many tries looks better
than it is, and so does the best of a few. Only the third is told of it. The same request proposes the same mixes, so
an interrupted search goes on from the runs it has kept.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pandas import DataFrame

from migrasim.analysis.intervals import Labels, interval, share
from migrasim.core.errors import InputError, nearest
from migrasim.facts import BASE_YEAR, FactBook
from migrasim.runs.design import Experiment, SearchFile
from migrasim.runs.factors import Factors, Point, point_in
from migrasim.runs.spec import RunSpec

PAYERS = {
    "public": ("county_cost_yuan", "higher_cost_yuan"),
    "county": ("county_cost_yuan",),
    "higher": ("higher_cost_yuan",),
    "enterprise": ("enterprise_cost_yuan",),
    "household": ("household_cost_yuan",),
}
_ROUNDS = 3  # of verification, each with further mixes, until one reaches the target

Array = np.ndarray[Any, np.dtype[np.float64]]
Runner = Callable[[Sequence[RunSpec], str], list[DataFrame]]
"""Makes runs and gives the yearly indicators of the whole region, in order; the text says what they are for."""


@dataclass(frozen=True)
class Tried:
    """A mix that was run.

    Attributes
    ----------
    number
        0 is what the search starts from.
    levels
        Value or strength by factor.
    results
        The indicator in the year of the target, a number a future and seed.
    costs
        Additional cost by payer in yuan, the same; beside `PAYERS` nothing.
    """

    number: int
    levels: dict[str, float]
    results: Array
    costs: dict[str, Array]

    def at_chance(self, chance: float) -> float:
        """What is reached or passed in that share of the runs."""
        ordered = np.sort(self.results)[::-1]
        return float(ordered[math.ceil(chance * len(ordered) - 1e-9) - 1])

    def cost(self, payer: str = "public") -> float:
        """Mean additional cost in yuan."""
        return float(self.costs[payer].mean())


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes
    ----------
    verified
        One row a mix that was run again, cheapest first: ``mix, reaches, chance, chance_low, chance_high, result, low,
        high, at_chance``, for each payer ``<payer>_yuan``, with ``public_low, public_high``, ``within_budget`` and a
        column for each factor. `chance` is the share of futures and seeds in which the target is reached. Intervals at
        90 percent, over seeds (and parameter vectors): see `migrasim.analysis.intervals`.
    tried
        One row a mix tried: ``mix, at_chance, result, public_yuan, within_budget, front`` and the factors.
    best
        The cheapest verified mix within the budget that reaches the target with the chance, or None: a row as in
        `verified`, of runs with luck that had no part in choosing it. In these it may not reach it.
    nearest
        The same of the mix that is told: the best, or the verified one within the budget (of all where none is) that
        comes nearest.
    start
        Mean of the indicator where the search starts from, with the luck of those runs.
    runs
        Number of runs made for trials, for the verification, and of the mix that was chosen.
    """

    experiment: Experiment
    verified: DataFrame
    tried: DataFrame
    best: dict[str, Any] | None
    nearest: dict[str, Any]
    start: float
    runs: tuple[int, int, int]


def search(experiment: Experiment, run: Runner) -> Found:
    """Look for the cheapest mixes of an experiment that has a ``search``.

    Parameters
    ----------
    experiment
        With a design spread over ranges of levers, and what is looked for.
    run
        Makes the runs.

    Raises
    ------
    InputError
        Where the experiment says nothing to look for, or names an indicator or year that the runs do not have.
    """
    wanted, design = check(experiment)
    trials = _Trials(experiment, run, _seeds(experiment, 0, experiment.replications))
    _propose(trials, design, wanted)
    new_seeds = _seeds(experiment, experiment.replications, wanted.verify_replications)
    verification = _Trials(experiment, run, new_seeds)
    seen: list[Tried] = []
    for _ in range(_ROUNDS):
        known = {each.number for each in seen}
        chosen = [each for each in finalists(trials.done, wanted) if each.number not in known][: wanted.finalists]
        if not chosen:
            break
        seen += verification.run([(each.number, each.levels) for each in chosen], "verification")
        if any(_reaches(each, wanted) and within(each, wanted) for each in seen):
            break
    table = _verified(seen, experiment, wanted)
    good = table[table["reaches"] & table["within_budget"]]
    inside = table[table["within_budget"]] if table["within_budget"].any() else table
    by_chance = inside.sort_values(["chance", "at_chance"], ascending=False, kind="stable")
    number = int((good if len(good) else by_chance)["mix"].iloc[0])
    levels = next(each.levels for each in seen if each.number == number)
    last_seeds = _seeds(experiment, experiment.replications + wanted.verify_replications, wanted.verify_replications)
    last = _Trials(experiment, run, last_seeds)
    told = _row(_verified(last.run([(number, levels)], "the mix that was chosen"), experiment, wanted).iloc[0])
    return Found(
        experiment,
        table,
        _tried(trials.done, wanted),
        told if len(good) else None,
        told,
        float(last.start.results.mean()),
        (trials.runs, verification.runs, last.runs),
    )


def check(experiment: Experiment) -> tuple[SearchFile, Factors]:
    """What is looked for, and within which ranges.

    Raises
    ------
    InputError
        Where the experiment has no search, no ranges of levers, named scenarios or other luck, or ends too early.
    """
    wanted, design = experiment.search, experiment.design
    if wanted is None:
        raise InputError(f"{experiment.file}: search: this key is missing (experiments/cheapest.yaml has an example)")
    if design is None or not design.ranges:
        raise InputError(f"{experiment.file}: design: a search needs levers with ranges (kind: latin_hypercube)")
    if experiment.scenarios or experiment.luck != "common":
        key = "scenarios" if experiment.scenarios else "luck"
        raise InputError(
            f"{experiment.file}: {key}: a search starts from design.scenario, with common luck; leave it out"
        )
    if not BASE_YEAR < wanted.target.year <= experiment.until:
        raise InputError(
            f"{experiment.file}: search.target.year: {wanted.target.year} is not run; "
            f"allowed: {BASE_YEAR + 1} to {experiment.until} (until)"
        )
    from migrasim.indicators import CATALOGUE

    if wanted.target.indicator not in CATALOGUE:
        hint = nearest(wanted.target.indicator, CATALOGUE)
        raise InputError(
            f"{experiment.file}: search.target.indicator: there is no indicator '{wanted.target.indicator}'; allowed: "
            f"one of `migrasim indicators`. {hint}".rstrip()
        )
    return wanted, design


def within(tried: Tried, wanted: SearchFile) -> bool:
    """Whether the mean additional cost stays within the budget of every payer."""
    return all(over <= 0 for over in _excess(tried, wanted).values())


def _excess(tried: Tried, wanted: SearchFile) -> dict[str, float]:
    """By how much the budget of each payer that has one is passed, as a share of it."""
    found = {}
    for payer in PAYERS:
        most = getattr(wanted.budget, f"{payer}_yuan")
        if most is not None:
            found[payer] = (tried.cost(payer) - most) / max(most, 1.0)
    return found


def finalists(done: Sequence[Tried], wanted: SearchFile) -> list[Tried]:
    """Mixes worth running again, in order: those that reach the target within the budget by cost, then the nearest."""
    inside = [each for each in done if within(each, wanted)] or list(done)
    target = wanted.target.at_least
    reach = sorted((each for each in inside if _reaches(each, wanted)), key=lambda each: each.cost())
    rest = sorted(
        (each for each in inside if not _reaches(each, wanted)), key=lambda each: target - _level(each, wanted)
    )
    if not reach:
        return rest
    # a mix just below may have had bad luck: the nearest of those that are cheaper comes in before the dearer ones
    cheaper = [each for each in rest if each.cost() < reach[0].cost()]
    return [reach[0], *cheaper[:1], *reach[1:], *cheaper[1:]]


def _level(tried: Tried, wanted: SearchFile) -> float:
    return tried.at_chance(wanted.target.chance)


def _reaches(tried: Tried, wanted: SearchFile) -> bool:
    return _level(tried, wanted) >= wanted.target.at_least


def front(done: Sequence[Tried], wanted: SearchFile) -> list[Tried]:
    """Mixes within the budget that no other one beats in cost and result at once, cheapest first."""
    found: list[Tried] = []
    for each in sorted(done, key=lambda one: (one.cost(), -_level(one, wanted))):
        if within(each, wanted) and (not found or _level(each, wanted) > _level(found[-1], wanted)):
            found.append(each)
    return found


class _Trials:
    """Mixes that were run with the same futures and seeds."""

    def __init__(self, experiment: Experiment, run: Runner, seeds: Sequence[int]) -> None:
        self._experiment, self._run = experiment, run
        self._seeds = seeds
        self._book = FactBook.load()
        self.done: list[Tried] = []
        self.runs = 0
        self._frames: list[DataFrame] = []
        self.start = self.run([(0, None)], "start")[0]

    def run(self, mixes: Iterable[tuple[int, dict[str, float] | None]], what: str) -> list[Tried]:
        """Run mixes by number and levels; no levels is what the search starts from."""
        mixes = list(mixes)
        specs = [spec for number, levels in mixes for spec in self._specs(number, levels)]
        frames = self._run(specs, what)
        self.runs += len(specs)
        each = len(specs) // len(mixes)
        found = []
        for k, (number, levels) in enumerate(mixes):
            mine = frames[k * each : (k + 1) * each]
            self._frames = self._frames or mine
            found.append(self._told(number, levels or {}, mine))
        self.done += [one for one in found if one.levels]
        return found

    def _specs(self, number: int, levels: dict[str, float] | None) -> list[RunSpec]:
        experiment = self._experiment
        design = experiment.design
        assert design is not None
        assert design.scenario is not None
        point = Point() if levels is None else point_in(levels, design, self._book)
        name = f"{experiment.name}-{number}"
        scenario = replace(design.scenario.changed(point.settings, self._book), name=name)
        return [
            RunSpec(
                scenario,
                label=f"{name}, {future or scenario.future}, seed {seed}",
                seed=seed,
                sample=experiment.sample,
                base=experiment.base,
                until=experiment.until,
                future=future,
                alternatives=experiment.alternatives,
                parameters=dict(vector.values),
            )
            for vector in experiment.parameters.points
            for future in experiment.futures
            for seed in self._seeds
        ]

    def _told(self, number: int, levels: dict[str, float], frames: Sequence[DataFrame]) -> Tried:
        wanted = self._experiment.search
        assert wanted is not None
        year = wanted.target.year
        results = np.array([float(frame.loc[year, wanted.target.indicator]) for frame in frames])  # type: ignore[arg-type]
        costs = {
            payer: np.array(
                [
                    _spent(one, names, year) - _spent(start, names, year)
                    for one, start in zip(frames, self._frames, strict=True)
                ]
            )
            for payer, names in PAYERS.items()
        }
        return Tried(number, levels, results, costs)


def _spent(frame: DataFrame, names: Sequence[str], year: int) -> float:
    years = (frame.index > BASE_YEAR) & (frame.index <= year)
    return float(frame.loc[years, list(names)].to_numpy().sum())


def _seeds(experiment: Experiment, after: int, count: int) -> list[int]:
    return [experiment.seed + after + k for k in range(count)]


def _propose(trials: _Trials, design: Factors, wanted: SearchFile) -> None:
    """Run mixes: the points of the design first, then what the sampler makes of them."""
    import warnings

    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(seed=design.seed, multivariate=True, n_startup_trials=len(design.points))
    study = optuna.create_study(directions=["minimize", "maximize"], sampler=sampler)
    for levels in first(design):
        study.enqueue_trial(levels)
    spaces: dict[str, Any] = {
        name: optuna.distributions.FloatDistribution(one.low, one.high) for name, one in design.ranges.items()
    }
    while len(trials.done) < wanted.trials:
        size = min(wanted.at_once, wanted.trials - len(trials.done))
        asked = [study.ask(spaces) for _ in range(size)]
        number = len(trials.done) + 1
        mixes = [(number + k, {name: float(one.params[name]) for name in spaces}) for k, one in enumerate(asked)]
        for one, told in zip(asked, trials.run(mixes, "search"), strict=True):
            for payer, over in _excess(told, wanted).items():
                one.set_constraint(payer, over)
            study.tell(one, [told.cost(), _level(told, wanted)])


def first(design: Factors) -> list[dict[str, float]]:
    """Mixes to begin with: both ends of all ranges, the plan where its strength is inside, then the design's points."""
    ends = [{name: (one.low, one.high)[k] for name, one in design.ranges.items()} for k in (0, 1)]
    if all(one.what == "strength" and one.low <= 1.0 <= one.high for one in design.ranges.values()):
        ends.append(dict.fromkeys(design.ranges, 1.0))
    drawn = [{name: float(point.levels[name]) for name in design.names} for point in design.points]
    return [*ends, *drawn]


def _verified(seen: Sequence[Tried], experiment: Experiment, wanted: SearchFile) -> DataFrame:
    rows = []
    vectors, lucks = _draws(experiment, wanted.verify_replications)
    for each in sorted(seen, key=lambda one: one.cost()):
        chance, chance_low, chance_high = share(
            (each.results >= wanted.target.at_least).astype(np.float64), vectors, lucks
        )
        mean, low, high = interval(each.results, vectors, lucks)
        public, public_low, public_high = interval(each.costs["public"], vectors, lucks)
        rows.append(
            {
                "mix": each.number,
                "reaches": _reaches(each, wanted),
                "chance": chance,
                "chance_low": chance_low,
                "chance_high": chance_high,
                "result": mean,
                "low": low,
                "high": high,
                "at_chance": _level(each, wanted),
                "public_yuan": public,
                "public_low": public_low,
                "public_high": public_high,
                **{f"{payer}_yuan": each.cost(payer) for payer in PAYERS if payer != "public"},
                "within_budget": within(each, wanted),
                "runs": len(each.results),
                **each.levels,
            }
        )
    return DataFrame(rows)


def _draws(experiment: Experiment, replications: int) -> tuple[Labels, Labels]:
    """Parameter vector and luck of each run of a mix, in the order of `_Trials`."""
    shape = (len(experiment.parameters.points), len(experiment.futures), replications)
    vectors, _, lucks = np.indices(shape)
    return vectors.ravel(), lucks.ravel()


def _tried(done: Sequence[Tried], wanted: SearchFile) -> DataFrame:
    best = {each.number for each in front(done, wanted)}
    rows = [
        {
            "mix": each.number,
            "at_chance": _level(each, wanted),
            "result": float(each.results.mean()),
            "public_yuan": each.cost(),
            "within_budget": within(each, wanted),
            "front": each.number in best,
            **each.levels,
        }
        for each in done
    ]
    return DataFrame(rows)


def _row(row: Any) -> dict[str, Any]:
    return {str(name): value for name, value in row.to_dict().items()}


def search_id(experiment: Experiment) -> str:
    """Name of the folder of a search: hash of what it asks for."""
    said = json.dumps([experiment.data, experiment.sample, experiment.seed, experiment.replications], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:12]
