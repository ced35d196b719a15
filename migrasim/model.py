"""A thin mesa model around the order of a year; the only file that imports mesa."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import mesa
import numpy as np

from migrasim.core.documents import plain
from migrasim.core.errors import InputError
from migrasim.indicators import CATALOGUE, groups, values
from migrasim.inputs import Inputs
from migrasim.order import Simulation

_THEIRS = "overrides"  # what runs call levers with other values


class CountyAgent(mesa.Agent):
    """One county as mesa sees it: it reads the columns of the model and holds nothing."""

    def __init__(self, model: MigrationModel, county: int, name: str) -> None:
        super().__init__(model)
        self.county, self.name = county, name

    @property
    def resident_population(self) -> float:
        """Residents of the county at the end of the last year."""
        return self.value("resident_population")

    @property
    def urbanization_rate(self) -> float:
        """Resident urbanization rate of the county, a share."""
        return self.value("urbanization_rate")

    def value(self, indicator: str) -> float:
        """Any indicator of the county at the end of the last year."""
        model: Any = self.model
        return float(model.indicators("county", self.county)[indicator])


class MigrationModel(mesa.Model):
    """The households of a region as a ``mesa.Model``: ``step()`` is a year.

    Parameters
    ----------
    scenario : shipped name or path of a scenario
    sample : share of the households, 0.00001 to 1
    until : last year
    base : base year, 2020 or 2010
    levers : other values of levers, by id
    parameters : other values of facts, by id
    region : shipped name or folder of a region
    future : what the plan does not decide, by name; the scenario's where not given
    alternatives : parts of the model left out or put differently, by name
    rng : seed of all luck, a whole number, 0 where not given. Batches of mesa 3.5 vary it by
        ``batch_run(..., rng=range(5))``, those of 3.3 by ``{"rng": range(5)}`` among the parameters;
        ``iterations`` alone repeat one run
    """

    def __init__(
        self,
        scenario: str = "plan",
        sample: float = 1.0,
        until: int = 2035,
        base: int = 2020,
        levers: Mapping[str, Any] | None = None,
        parameters: Mapping[str, float] | None = None,
        region: str | None = None,
        rng: int | np.integer | None = 0,
        future: str | None = None,
        alternatives: Sequence[str] = (),
    ) -> None:
        from migrasim.runs.simulate import prepare

        seed = 0 if rng is None else plain(rng)
        try:
            ready = prepare(
                scenario,
                seed=seed,
                sample=sample,
                until=until,
                base=base,
                overrides=levers,
                parameters=parameters,
                region=region,
                future=future,
                alternatives=alternatives,
            )
        except InputError as error:
            said = str(error)
            if said.startswith(_THEIRS):  # they have another name here
                raise InputError(f"levers{said.removeprefix(_THEIRS)}") from None
            raise
        super().__init__(rng=seed)
        self.simulation: Simulation = ready.simulation
        for county, name in enumerate(self.inputs.county_names):
            CountyAgent(self, county, name)
        self.datacollector = mesa.DataCollector(
            model_reporters={name: partial(_report, name) for name in ("year", *CATALOGUE)}
        )
        self.datacollector.collect(self)

    @property
    def inputs(self) -> Inputs:
        """Resolved levers and facts of this run."""
        return self.simulation.world.inputs

    @property
    def year(self) -> int:
        """Last year that was run."""
        return self.simulation.world.year

    def indicators(self, level: str = "prefecture", number: int = 0) -> dict[str, float]:
        """Indicators of a level at the end of the last year."""
        geography = self.simulation.world.geography
        for name, n, places in groups(geography.counties, geography.inside):
            if name == level and n == number:
                return values(self.simulation.history[-1].sums, places)
        raise ValueError(f"no {level} {number}")

    def step(self) -> None:
        """Run one year; ``running`` becomes False once a year after the last is asked for.

        So mesa 3.3's ``batch_run``, which reads as many rows as there were steps, reads the last year beside the base.
        """
        if self.year >= self.inputs.until:
            self.running = False
            return
        self.simulation.step()
        self.datacollector.collect(self)


def _report(name: str, model: MigrationModel) -> float:
    """One indicator of a model; a function by name, so that models can be pickled."""
    return model.year if name == "year" else model.indicators()[name]
