"""Facts, region and scenario as frozen arrays by year and county, with the provenance of each number."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol, TypeVar, cast

import numpy as np

from migrasim.core.errors import InputError
from migrasim.facts import BASE_YEAR, Cost, FactBook, Lever, LeverValue
from migrasim.scenario import LAST_YEAR, Scenario, Setting, Step, Steps
from migrasim.variants import alternative_parameters, chosen_alternatives, future_parameters, history

P = TypeVar("P")
Floats = np.ndarray[Any, np.dtype[np.float64]]

BASES = (2010, 2020)
FITTED = "fit of the region"  # where a fact's value comes from, in the provenance
PAYERS = ("government", "enterprise", "household")  # of the cost of levers
JOBS_YEAR = 2035
SUMS_TO_ONE = (  # pairs of shares of one whole; what is left of it is somebody else's
    ("incentives.government_share", "incentives.enterprise_share"),
    ("spatial.core_share", "spatial.poles_share"),
)


class Places(Protocol):
    """What inputs need to know of a region."""

    @property
    def county_names(self) -> Sequence[str]: ...

    @property
    def split_weights(self) -> Floats:
        """(C,) how totals of the region are split over counties, such as urban residents of the base year."""

    @property
    def chain_weights(self) -> Mapping[str, Floats]:
        """(C,) by chain: how its jobs are split; chains that are not named follow ``split_weights``."""


class Provenance(NamedTuple):
    """Where a number that a run reads comes from."""

    kind: str  # lever or fact
    id: str
    set_by: str  # status quo, plan, double, a file and key, parameters, a future, an alternative, or facts
    value: str
    unit: str
    status: str
    source: str
    file: str


@dataclass(frozen=True)
class Inputs:
    """All that a run reads besides its population.

    Attributes
    ----------
    years
        (Y,) years from the base to the last.
    future
        What the plan does not decide: the one asked for, else the scenario's.
    alternatives
        Parts of the model that are left out or put differently, sorted.
    parameters
        Values of facts that differ from the book's: those fitted to the region, over them those of the future,
        over them those given, over them those of the alternatives.
    clipped
        One sentence per lever that ``double`` would have carried beyond its bounds.
    """

    book: FactBook
    scenario: Scenario
    county_names: tuple[str, ...]
    base: int
    until: int
    years: np.ndarray[Any, np.dtype[np.int64]]
    parameters: Mapping[str, float]
    future: str
    alternatives: tuple[str, ...]
    cpi: Mapping[int, float]
    clipped: tuple[str, ...]
    _levers: Mapping[str, Floats] = field(repr=False)
    _status_quo: Mapping[str, Floats] = field(repr=False)
    _way: Mapping[str, Floats] = field(repr=False)
    _set_by: Mapping[str, str] = field(repr=False)  # facts whose value is another than that on record
    _params: dict[tuple[str, str, int], Any] = field(default_factory=dict, repr=False, compare=False)
    _costs: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict, repr=False, compare=False)
    _unit_costs: dict[tuple[str, ...], tuple[Floats, Floats]] = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    def build(
        book: FactBook,
        region: Places,
        scenario: Scenario,
        base: int = BASE_YEAR,
        until: int = JOBS_YEAR,
        parameters: Mapping[str, float] | None = None,
        cpi: Mapping[int, float] | None = None,
        future: str | None = None,
        alternatives: Iterable[str] = (),
    ) -> Inputs:
        """Resolve a scenario for a region.

        Before 2020 levers follow `history_2010_2020.yaml`, and the status quo of 2020 where it is silent.

        Parameters
        ----------
        book, region, scenario
            What to resolve; of the region only the names of counties and the weights of the split.
        base, until
            First and last year.
        parameters
            Other values of facts by id, over those fitted to the region (`region.fitted`); see `FactBook.params`.
        cpi
            Change of consumer prices over the year before, percent by year; needed for costs. The region's
            own (`region.cpi`) if left out.
        future
            What the plan does not decide; the scenario's if left out. Values given in `parameters` win over it.
        alternatives
            Names of structural alternatives and of feedbacks switched off; they win over everything else.

        Raises
        ------
        InputError
            For years outside, unknown facts or counties, and values that leave their bounds.
        """
        if base not in BASES:
            raise InputError(f"base: {base} is no base year; allowed: {', '.join(map(str, BASES))}")
        if not base < until <= LAST_YEAR:
            raise InputError(f"until: {until} is outside; allowed: {base + 1} to {LAST_YEAR}")
        scenario.check_counties(region.county_names, getattr(region, "county_called", None))
        given = book.check_overrides(parameters or {})
        chosen = scenario.future if future is None else future
        assumed = future_parameters(chosen, book)
        without = chosen_alternatives(alternatives)
        switched = alternative_parameters(without, book)
        fitted = book.check_overrides(getattr(region, "fitted", None) or {}, FITTED)
        overrides = {**fitted, **assumed, **given, **switched}
        set_by = {
            **dict.fromkeys(fitted, FITTED),
            **dict.fromkeys(assumed, f"future {chosen}"),
            **dict.fromkeys(given, "parameters"),
            **dict.fromkeys(switched, f"alternatives {', '.join(without)}"),
        }
        weights = np.asarray(region.split_weights, dtype=np.float64)
        if weights.shape != (len(region.county_names),) or not np.all(weights >= 0) or not weights.sum() > 0:
            raise InputError("region: the weights of the split must be one number >= 0 per county, not all 0")
        if cpi is None:
            cpi = getattr(region, "cpi", None) or {}
        years = np.arange(base, until + 1)
        by_chain = {f"industry.{chain}.jobs": each for chain, each in region.chain_weights.items()}
        counties, weights = list(region.county_names), weights / weights.sum()
        resolver = _Resolver(np.maximum(years, BASE_YEAR), counties, weights, by_chain)
        # how loud news are hangs on the whole way of the plan, however long a run lasts
        whole = _Resolver(np.arange(BASE_YEAR, _last_of_plan(book) + 1), counties, weights, by_chain)
        by_lever: dict[str, list[Setting]] = {}
        for setting in scenario.settings:
            by_lever.setdefault(setting.lever, []).append(setting)
        early = history(book) if base < BASE_YEAR else {}
        levers: dict[str, Floats] = {}
        for lever in book.levers.values():
            path = resolver.resolve(lever, by_lever.get(lever.id, []))
            if lever.id in early:
                resolver.lead_up(lever, early[lever.id], path, years)
            path.setflags(write=False)
            levers[lever.id] = path
        _check_sums(levers, scenario.settings, years)
        years.setflags(write=False)
        return Inputs(
            book=book,
            scenario=scenario,
            county_names=tuple(region.county_names),
            base=base,
            until=until,
            years=years,
            parameters=overrides,
            future=chosen,
            alternatives=without,
            cpi=dict(cpi),
            clipped=tuple(resolver.clipped),
            _levers=levers,
            _status_quo={lever.id: resolver.at_2020(lever) for lever in book.levers.values()},
            _way={lever.id: whole.way(lever) for lever in book.levers.values()},
            _set_by=set_by,
        )

    @cached_property
    def provenance(self) -> tuple[Provenance, ...]:
        """Where every number that a run reads comes from: levers, then facts; worked out when it is asked for."""
        book = self.book
        settings: dict[str, list[Setting]] = {}
        for setting in self.scenario.settings:
            settings.setdefault(setting.lever, []).append(setting)
        rows = [_lever_row(one, self._levers[one.id], settings.get(one.id, [])) for one in book.levers.values()]
        rows += [_fact_row(book, name, self.parameters, self._set_by) for name in book.facts if book.facts[name].used]
        return tuple(rows)

    def lever_path(self, lever: str) -> Floats:
        """(Y, C) values of a lever; counts are those of each county, shares and prices are the same everywhere."""
        return self._levers[self.book.lever(lever).id]

    def lever(self, lever: str, year: int) -> Floats:
        """(C,) values of a lever in a year."""
        if not self.base <= year <= self.until:
            raise InputError(f"{lever}: year {year} is outside; allowed: {self.base} to {self.until}")
        row: Floats = self.lever_path(lever)[year - self.base]
        return row

    def levers(self, year: int) -> dict[str, Floats]:
        """(C,) values of every lever in a year."""
        if not self.base <= year <= self.until:
            raise InputError(f"year {year} is outside; allowed: {self.base} to {self.until}")
        return {name: path[year - self.base] for name, path in self._levers.items()}

    def status_quo(self, lever: str) -> Floats:
        """(C,) values of a lever in 2020, whatever the base year; yearly flows at their rate of 2020."""
        row: Floats = self._status_quo[self.book.lever(lever).id]
        return row

    def way(self, lever: str) -> Floats:
        """(C,) how far a lever goes: from the status quo to the plan, or to the farther bound where the plan stays."""
        row: Floats = self._way[self.book.lever(lever).id]
        return row

    def price_index(self, year: int) -> float:
        """Consumer prices of a year over those of 2020; after the last published year they rise as assumed."""
        last = max(self.cpi, default=BASE_YEAR)
        rate = 100.0 * float(self.book.value("fiscal.inflation_rate_yr", self.parameters))
        changes = {one: self.cpi.get(one, rate) for one in range(min([*self.cpi, year]), max(last, year) + 1)}
        return 1.0 / to_2020_yuan(1.0, year, changes)

    def is_by_county(self, lever: str) -> bool:
        """Whether the scenario gives the lever a county's own number, which no split of a total may move."""
        return lever in self._by_county

    @cached_property
    def _by_county(self) -> frozenset[str]:
        return frozenset(one.lever for one in self.scenario.settings if any(each is not None for each in one.paths))

    def params(self, domain: str, cls: type[P], year: int = BASE_YEAR) -> P:
        """A parameter bundle of a domain, filled; see `FactBook.params`."""
        key = (domain, cls.__name__, year)  # read in every wave of a year
        if key not in self._params:
            read = year if self.book.is_dated(domain, cls) else BASE_YEAR
            same = (domain, cls.__name__, read)
            if same not in self._params:
                dimensions = {"county": self.county_names}
                self._params[same] = self.book.params(domain, cls, self.parameters, read, dimensions)
            self._params[key] = self._params[same]
        return cast(P, self._params[key])

    def cost_by_payer(self, lever: str) -> dict[str, tuple[float, float]]:
        """Cost of one unit of a lever by who pays: (once, yearly) in yuan of 2020."""
        if lever in self._costs:  # asked for in every year
            return self._costs[lever]
        costs: dict[str, tuple[float, float]] = {}
        for cost in self.book.lever(lever).cost:
            once, yearly = costs.get(cost.payer, (0.0, 0.0))
            yuan = self._real(lever, cost)
            costs[cost.payer] = (once + yuan, yearly) if cost.recurrence == "once" else (once, yearly + yuan)
        self._costs[lever] = costs
        return costs

    def unit_costs(self, levers: tuple[str, ...]) -> tuple[Floats, Floats]:
        """Twice (levers, ``PAYERS``) what `cost_by_payer` gives, once and yearly."""
        if levers not in self._unit_costs:  # asked for in every year
            costs = [self.cost_by_payer(lever) for lever in levers]
            each = np.array([[cost.get(payer, (0.0, 0.0)) for payer in PAYERS] for cost in costs])
            self._unit_costs[levers] = each[:, :, 0], each[:, :, 1]
        return self._unit_costs[levers]

    def cost(self, lever: str) -> tuple[float, float]:
        """Cost of one unit of a lever over all payers: (once, yearly) in yuan of 2020."""
        costs = self.cost_by_payer(lever).values()
        return sum(once for once, _ in costs), sum(yearly for _, yearly in costs)

    def _real(self, lever: str, cost: Cost) -> float:
        try:
            return to_2020_yuan(cost.value, cost.price_year, self.cpi)
        except InputError as error:
            raise InputError(f"{self.book.lever(lever).file}: {lever}: cost: {error}") from None

    def content_hash(self) -> str:
        """Hash of all that a run reads from here; names of scenarios and files do not enter."""
        return self._content_hash

    @cached_property
    def _content_hash(self) -> str:
        facts = {
            fact.id: np.asarray(self.book.value(fact.id, self.parameters)).tolist()
            for fact in self.book.facts.values()
            if fact.used
        }
        dated = {one.id: one.values for one in self.book.facts.values() if one.used and one.values}
        costs = {
            lever.id: [(cost.value, cost.payer, cost.recurrence, cost.price_year) for cost in lever.cost]
            for lever in self.book.levers.values()
        }
        head = [self.base, self.until, list(self.county_names), list(self.alternatives), sorted(self.cpi.items())]
        digest = hashlib.sha256(json.dumps([head, facts, dated, costs], sort_keys=True).encode())
        for lever in sorted(self._levers):
            digest.update(lever.encode())
            digest.update(self._levers[lever].tobytes())
            if self.book.levers[lever].aggregate == "total" and self.is_by_county(lever):
                digest.update(b"by county")  # equal values, but the spatial split leaves them where they are
        return digest.hexdigest()


def to_2020_yuan(value: float, price_year: int, cpi: Mapping[int, float]) -> float:
    """Nominal yuan of a year in constant yuan of 2020.

    Parameters
    ----------
    value
        Yuan of `price_year`.
    price_year
        Year of the prices.
    cpi
        Change of consumer prices over the year before, in percent, by year.

    Examples
    --------
    >>> to_2020_yuan(102.0, 2021, {2021: 2.0})
    100.0
    """
    later = price_year > BASE_YEAR
    span = range(BASE_YEAR + 1, price_year + 1) if later else range(price_year + 1, BASE_YEAR + 1)
    missing = [year for year in span if year not in cpi]
    if missing:
        known = f"{min(cpi)} to {max(cpi)}" if cpi else "none"
        raise InputError(f"prices of {price_year}: no consumer price change for {missing[0]}; years known: {known}")
    factor = float(np.prod([1 + cpi[year] / 100 for year in span]))
    return value / factor if later else value * factor


def _last_of_plan(book: FactBook) -> int:
    """The last year that the plan, or the status quo, gives a lever a number for."""
    named = (one.values for lever in book.levers.values() for one in (lever.plan, lever.status_quo))
    return max(JOBS_YEAR, *(year for values in named for year in values or ()))


class _Resolver:
    """Turns settings into arrays for one region and one span of years."""

    def __init__(
        self,
        years: np.ndarray[Any, np.dtype[np.int64]],
        counties: list[str],
        weights: Floats,
        by_lever: Mapping[str, Floats],
    ) -> None:
        self.years = years
        self.counties = counties
        self.weights = weights
        self.by_lever = by_lever
        self.clipped: list[str] = []
        self._quos: dict[str, Floats] = {}
        self._alike = np.ones(len(counties))  # of what is the same in all counties

    def resolve(self, lever: Lever, settings: Sequence[Setting]) -> Floats:
        quo = self._quo(lever)
        path = self._split(lever, quo)
        for setting in settings:
            path = self._apply(lever, setting, quo, path)
            self._check(lever, setting, path)
        clean: Floats = path + 0.0  # no negative zero, which would look like another number to a hash
        return clean

    def at_2020(self, lever: Lever) -> Floats:
        """(C,) status quo in 2020."""
        row: Floats = self._split(lever, self._quo(lever))[0] + 0.0
        return row

    def way(self, lever: Lever) -> Floats:
        """(C,) from the status quo to the plan, or to the farther bound where the plan stays there."""
        quo = self._quo(lever)
        far = float(np.abs(self._path(lever, _lever_numbers(lever.plan), quo) - quo).max())
        low, high = lever.bounds
        row: Floats = self._split(lever, np.array([far or max(high - float(quo[0]), float(quo[0]) - low)]))[0]
        return row

    def lead_up(self, lever: Lever, early: Mapping[int, float], path: Floats, years: np.ndarray[Any, Any]) -> None:
        """Replace the rows of `path` before 2020 by a line through the years given and on to the status quo."""
        knots = {**early, BASE_YEAR: float(self._quo(lever)[0])}
        line = np.interp(years, sorted(knots), [knots[year] for year in sorted(knots)])
        before = years < BASE_YEAR
        path[before] = self._split(lever, line)[before]

    def _quo(self, lever: Lever) -> Floats:
        """(Y,) status quo of the whole region; the same array for all who ask."""
        if lever.id not in self._quos:
            self._quos[lever.id] = self._status_quo(lever)
        return self._quos[lever.id]

    def _status_quo(self, lever: Lever) -> Floats:
        quo = lever.status_quo
        if lever.kind == "jobs_2035" or quo.values is None:
            start = 0.0 if lever.kind == "jobs_2035" else quo.last
            return self._path(lever, {None: quo.last}, np.full(len(self.years), start))
        knots = sorted(quo.values)
        numbers = [quo.values[year] for year in knots]
        if lever.kind == "flow":
            return np.array([numbers[max(0, np.searchsorted(knots, year, "right") - 1)] for year in self.years])
        path: Floats = np.interp(self.years, knots, numbers)
        return path

    def _path(self, lever: Lever, numbers: Mapping[int | None, float], quo: Floats) -> Floats:
        """(Y,) path from given numbers, beginning at the status quo of 2020.

        Shares, prices and stocks are linear between years and held afterwards; yearly flows hold from each
        given year to the next; jobs grow from 0 in 2020, a single number being the stock of 2035.
        """
        single = JOBS_YEAR if lever.kind == "jobs_2035" else BASE_YEAR + 1
        knots = {single if year is None else year: number for year, number in numbers.items()}
        years = sorted(knots)
        if lever.kind == "flow":
            path = quo.copy()
            for year in years:
                path[self.years >= year] = knots[year]
            return path
        if lever.kind == "jobs_2035":
            knots = {**knots, BASE_YEAR: 0.0}
        else:
            knots.setdefault(BASE_YEAR, float(quo[0]))
        years = sorted(knots)
        line: Floats = np.interp(self.years, years, [knots[year] for year in years])
        return line

    def _split(self, lever: Lever, path: Floats) -> Floats:
        """(Y, C) counts of the region split over counties; shares and prices copied."""
        share = self.by_lever.get(lever.id, self.weights) if lever.aggregate == "total" else self._alike
        split: Floats = path[:, None] * share[None, :]
        return split

    def _apply(self, lever: Lever, setting: Setting, quo: Floats, inherited: Floats) -> Floats:
        if setting.named is not None:
            return self._split(lever, self._named(lever, setting, quo))
        absolute = {name for name, steps in setting.paths.items() if not _relative(steps)}
        path = self._split(lever, quo) if absolute else inherited.copy()
        for county, steps in setting.paths.items():
            if county is None:
                if not absolute:
                    return self._change(lever, steps, inherited, self._split(lever, np.ones(len(self.years))))
                return self._split(lever, self._path(lever, _numbers(steps), quo))
            i = self.counties.index(county)
            if county in absolute:
                start = self._split(lever, quo)[:, i]
                path[:, i] = self._path(lever, _numbers(steps), start)
            else:
                path[:, i] = self._change(lever, steps, inherited[:, i], np.ones(len(self.years)))
        return path

    def _change(self, lever: Lever, steps: Steps, inherited: Floats, unit: Floats) -> Floats:
        """Inherited values changed from each given year to the next; `unit` is what an added 1 amounts to."""
        path = inherited.copy()
        given = sorted((BASE_YEAR + 1 if year is None else year, step) for year, step in steps.items())
        growing = lever.kind == "jobs_2035" and None in steps  # jobs added by 2035, not at once
        for year, step in given:
            since = self.years >= year
            if step.operator == "*":
                path[since] = inherited[since] * step.number
            else:
                added = self._path(lever, {None: step.number}, np.zeros(len(self.years))) if growing else step.number
                more = (np.full(len(self.years), added) * unit.T).T
                path[since] = inherited[since] + more[since]
        return path

    def _named(self, lever: Lever, setting: Setting, quo: Floats) -> Floats:
        if setting.named == "status_quo":
            return quo
        plan = self._path(lever, _lever_numbers(lever.plan), quo)
        if setting.named == "plan":
            return plan
        low, high = lever.bounds
        double = quo + 2 * (plan - quo)
        clipped = np.clip(double, low, high)
        far = int(np.argmax(np.abs(double - clipped)))
        if clipped[far] != double[far]:
            self.clipped.append(
                f"{lever.id}: double would be {double[far]:g} in {self.years[far]}; "
                f"clipped to {clipped[far]:g} {lever.unit}"
            )
        return clipped

    def _check(self, lever: Lever, setting: Setting, path: Floats) -> None:
        low, high = lever.bounds
        slack = 1e-9 * max(1.0, abs(low), abs(high))
        what = {"": path}
        if lever.aggregate == "total":
            what = {"in sum over the counties ": path.sum(axis=1, keepdims=True), **what}
        for words, values in what.items():
            out = (values < low - slack) | (values > high + slack)
            if out.any():
                row, column = np.argwhere(out)[0]
                raise InputError(
                    f"{setting.where}: {lever.id} {words}becomes {values[row, column]:g} in {self.years[row]}, out of "
                    f"bounds; allowed: {low:g} to {high:g} {lever.unit}"
                )


def _check_sums(
    levers: Mapping[str, Floats], settings: Sequence[Setting], years: np.ndarray[Any, np.dtype[np.int64]]
) -> None:
    """Shares of one whole must not sum to more than one."""
    for first, second in SUMS_TO_ONE:
        if first not in levers or second not in levers:
            continue
        total = levers[first] + levers[second]
        if (total > 1.0 + 1e-9).any():
            row, column = np.argwhere(total > 1.0 + 1e-9)[0]
            set_by = [setting for setting in settings if setting.lever in (first, second)]
            where = f"{set_by[-1].where}: " if set_by else ""
            raise InputError(
                f"{where}{first} + {second} becomes {total[row, column]:g} in {years[row]}; allowed: at most 1 in sum"
            )


def _relative(steps: Steps) -> bool:
    return any(step.operator for step in steps.values())


def _numbers(steps: Mapping[int | None, Step]) -> dict[int | None, float]:
    return {year: step.number for year, step in steps.items()}


def _lever_numbers(value: LeverValue) -> dict[int | None, float]:
    given: dict[int | None, float] = {None: value.last}
    return {year: value.values[year] for year in value.values} if value.values else given


def _lever_row(lever: Lever, path: Floats, settings: Sequence[Setting]) -> Provenance:
    setting = settings[-1] if settings else None
    set_by: str
    status: str
    if setting is None or setting.named == "status_quo":
        set_by, status, source = "status quo", lever.status_quo.status, lever.status_quo.source
    elif setting.named is not None:
        set_by, status, source = f"{setting.named} ({setting.where})", lever.plan.status, lever.plan.source
    else:
        set_by, status, source = setting.where, "scenario", setting.where
    ends = path[[0, -1]]
    if lever.aggregate == "total":
        ends = ends.sum(axis=1, keepdims=True)
    words = [f"{row.min():g}" if row.min() == row.max() else f"{row.min():g}..{row.max():g}" for row in ends]
    value = words[0] if words[0] == words[1] else " -> ".join(words)
    return Provenance("lever", lever.id, set_by, value, lever.unit, status, source, lever.file)


def _fact_row(book: FactBook, name: str, overrides: Mapping[str, float], set_by: Mapping[str, str]) -> Provenance:
    fact = book.facts[name]
    value = f"{overrides[name]:g}" if name in overrides else "by " + fact.by if fact.by else f"{fact.central:g}"
    by = set_by.get(name, "facts")
    status, source = ("estimated", f"{FITTED}; prior: {fact.source}") if by == FITTED else (fact.status, fact.source)
    return Provenance("fact", name, by, value, fact.unit, status, source, fact.file)
