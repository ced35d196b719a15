"""A run that is asked for: told apart by its identity before it is made, and written down as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from migrasim import population
from migrasim.core.documents import plain
from migrasim.facts import FactBook, Title
from migrasim.inputs import Inputs
from migrasim.runs.result import Made, RunResult
from migrasim.runs.simulate import Prepared, arrow, collect, identity, only_region, prepare, provenance
from migrasim.scenario import Scenario, Setting, Step

Plain = dict[str, Any]


@dataclass(frozen=True)
class RunSpec:
    """One run to be made; see `migrasim.runs.simulate.simulate` for the fields."""

    scenario: str | Scenario
    label: str = ""
    seed: int = 0
    sample: float = 1.0
    base: int = 2020
    until: int = 2035
    future: str | None = None
    alternatives: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("seed", "sample", "base", "until"):  # identities are made of Python's own numbers
            object.__setattr__(self, name, plain(getattr(self, name)))

    def resolved(self) -> Scenario:
        """The scenario with its overrides."""
        book = FactBook.load()
        scenario = self.scenario if isinstance(self.scenario, Scenario) else Scenario.load(self.scenario, book)
        return scenario.changed(self.overrides, book)

    def inputs(self) -> Inputs:
        """What the run would read."""
        return Inputs.build(
            FactBook.load(),
            only_region(),
            self.resolved(),
            self.base,
            self.until,
            self.parameters,
            future=self.future,
            alternatives=self.alternatives,
        )

    def run_id(self, inputs_hash: str | None = None) -> str:
        """Identity of the run, the same that its result carries.

        Parameters
        ----------
        inputs_hash
            Of `inputs`, where it is known from another run with the same.
        """
        return identity(
            self.inputs().content_hash() if inputs_hash is None else inputs_hash,
            population_key(self.base),
            only_region().region_hash,
            seed=self.seed,
            sample=self.sample,
            base=self.base,
            until=self.until,
        )

    def provenance(self) -> Plain:
        """What the result of the run would say of itself; needs no run."""
        inputs, key = self.inputs(), population_key(self.base)
        inputs_hash = inputs.content_hash()
        return provenance(inputs, inputs_hash, only_region(), key, self.run_id(inputs_hash), self.seed, self.sample)

    def run(self) -> RunResult:
        """Make the run, on one thread: side by side, runs use more cores better than threads do."""
        return collect(self._finished())

    def make(self, tables: Sequence[str], levels: Sequence[str]) -> Made:
        """Make the run, and of its tables those that a batch keeps."""
        return arrow(self._finished(), tables, levels)

    def _finished(self) -> Prepared:
        ready = prepare(
            self.scenario,
            seed=self.seed,
            sample=self.sample,
            base=self.base,
            until=self.until,
            future=self.future,
            alternatives=self.alternatives,
            overrides=self.overrides,
            parameters=self.parameters,
            threads=1,
        )
        for _ in range(self.base, self.until):
            ready.simulation.step()
        return ready

    def request(self) -> Plain:
        """The run as plain data, with the scenario's settings written out, so that it can be made again anywhere."""
        scenario = (
            self.scenario if isinstance(self.scenario, Scenario) else Scenario.load(self.scenario, FactBook.load())
        )
        return request_of(
            scenario,
            label=self.label,
            seed=int(self.seed),
            sample=float(self.sample),
            base=int(self.base),
            until=int(self.until),
            future=scenario.future if self.future is None else self.future,
            alternatives=sorted(self.alternatives),
            overrides=list(self.overrides),
            parameters={name: float(number) for name, number in sorted(self.parameters.items())},
        )

    @staticmethod
    def from_request(request: Mapping[str, Any]) -> RunSpec:
        """The run that `request` wrote down."""
        data = dict(request)
        scenario = data.pop("scenario")
        title = Title(**scenario["title"])
        settings = tuple(_setting(each) for each in scenario["settings"])
        chosen = Scenario(scenario["name"], title, None, None, data["future"], settings, scenario["name"])
        for name in ("alternatives", "overrides"):
            data[name] = tuple(data[name])
        return RunSpec(chosen, **data)


def request_of(scenario: Scenario, **others: Any) -> Plain:
    """A scenario and the rest of a request as plain data."""
    settings = [
        {
            "lever": one.lever,
            "where": one.where,
            "named": one.named,
            "paths": [
                [county, [[year, step.number, step.operator] for year, step in steps.items()]]
                for county, steps in one.paths.items()
            ],
        }
        for one in scenario.settings
    ]
    title = {"en": scenario.title.en, "zh_hant": scenario.title.zh_hant, "zh_hans": scenario.title.zh_hans}
    return {"scenario": {"name": scenario.name, "title": title, "settings": settings}, **others}


def _setting(data: Mapping[str, Any]) -> Setting:
    paths = {
        county: {year: Step(number, operator) for year, number, operator in steps} for county, steps in data["paths"]
    }
    return Setting(data["lever"], data["where"], data["named"], paths)


@lru_cache(maxsize=4)
def population_key(base: int) -> str:
    """Hash of the population of a base year."""
    return population.cache_key(only_region(), base, 1)
