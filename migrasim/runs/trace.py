"""Follow one household through the years, or one lever through the program."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from migrasim.core.chance import Decision, stream
from migrasim.core.codes import Form, Nest, Tenure
from migrasim.core.errors import InputError
from migrasim.core.logit import alternative_error, nest_error
from migrasim.core.rule import record
from migrasim.domains.moving import choice, household, terms
from migrasim.domains.moving.considering import months
from migrasim.domains.moving.offers import views
from migrasim.domains.moving.rules import MovingParams, Terms
from migrasim.domains.moving.tipping import is_open
from migrasim.facts import FactBook
from migrasim.order import SCHEDULE, place_names
from migrasim.runs.simulate import prepare
from migrasim.world import World


@dataclass
class _Watch:
    """Writes down the state and the alternatives of one household before the waves of each year."""

    key: int
    names: list[str]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, world: World) -> None:
        found = np.flatnonzero(world.households.key == np.uint64(self.key))
        if not len(found):
            self.rows.append({"year": world.year, "what": "no longer there"})
            return
        self.rows += self._state(world, int(found[0]))
        if world.year > world.base:
            self.rows += self._alternatives(world, int(found[0]))

    def _state(self, world: World, h: int) -> list[dict[str, Any]]:
        homes = world.households
        away = int(homes.away_place[h])
        return [
            {
                "year": world.year,
                "what": "lives",
                "where": self.names[homes.place[h]],
                "away": self.names[away] if away >= 0 else "",
                "members": int(world.members[h]),
                "tenure": Tenure(int(homes.tenure[h])).name.lower(),
                "land_mu": float(homes.land_mu[h]),
                "savings_yuan": int(homes.savings_yuan[h]),
            }
        ]

    def _alternatives(self, world: World, h: int) -> list[dict[str, Any]]:
        p = world.inputs.params("moving", MovingParams)
        people, families, places = views(world)
        month = months(world, people, families, places, p)
        if not month[h]:
            return []
        year, seed, key = world.year, world.seed, families.key[h]
        homes, crew = household.gather(np.array([h]), people, families, places, year, record(p))
        one, sums = homes[0], household.new_sums()[0]
        luck = np.uint64(stream(seed, Decision.GUMBEL, year))
        nest_key = np.uint64(stream(seed, Decision.NEST, year))
        nests = [nest_error(nest_key, key, n, p.nest_dissimilarity) for n in Nest]
        inside = world.geography.inside
        taste_key = np.uint64(stream(seed, Decision.TASTE, 0))
        rows = []
        for form in Form:
            for d in range(len(self.names)):
                stay = form == Form.STAY
                household.sum_up(int(form), one, crew, sums)
                if not is_open(one, int(form), d, sums.grown0, inside, places.core):
                    continue
                found = terms.terms_of(one, form, d, sums, places, taste_key, p)
                nest = Nest.STAY if stay else Nest.INSIDE if d < world.geography.inside else Nest.OUTSIDE
                if stay:
                    error = alternative_error(luck, key, choice.STAY_LUCK, 1.0)
                else:
                    code = d * choice.FORM_STRIDE + int(form)
                    error = alternative_error(luck, key, code, p.nest_dissimilarity) + nests[nest]
                rows.append(
                    {
                        "year": year,
                        "what": "considers",
                        "month": int(month[h]),
                        "where": self.names[d],
                        "form": form.name.lower(),
                        "utility": terms.total(found),
                        "luck": error,
                        "in_all": terms.total(found) + error,
                    }
                    | dict(zip(Terms._fields, found, strict=True))
                )
        return sorted(rows, key=lambda row: -row["in_all"])


def trace_household(scenario: str, identity: int, **options: Any) -> list[dict[str, Any]]:
    """The life of one household: a row a year, and every alternative with its terms when it considers moving.

    The alternatives are those of the beginning of the year; rents and vacancies move a little
    until the household's month.

    Parameters
    ----------
    scenario : shipped name or path
    identity : row in the population of the base year, or the key of the household
    options : as for `simulate` (seed, sample, until, base, overrides)

    Raises
    ------
    InputError : where there is no such household
    """
    ready = prepare(scenario, **options)
    keys = ready.simulation.world.households.key
    if identity < len(keys):
        key = int(keys[identity])
    elif np.any(keys == np.uint64(identity)):
        key = identity
    else:
        raise InputError(f"--household: there is no household {identity}; allowed: rows 0 to {len(keys) - 1}, or a key")
    watch = _Watch(key, place_names(list(ready.inputs.county_names)))
    watch(ready.simulation.world)
    ready.simulation.watch = watch
    for _ in range(ready.inputs.base, ready.inputs.until):
        ready.simulation.step()
    return watch.rows


def trace_lever(lever: str) -> list[str]:
    """Where a lever stands, what it acts through and which phases of the year read it."""
    import inspect
    import pkgutil
    from importlib import import_module

    book = FactBook.load()
    one = book.lever(lever)
    lines = [
        f"{one.id}: {one.title.en} ({one.title.zh_hant})",
        f"  written in {one.file}; unit: {one.unit}; bounds {one.bounds[0]:g} to {one.bounds[1]:g}",
        f"  the plan's sentence: {one.quote}",
        f"  acts through: {one.acts_through}",
        "  scenario.py checks what a scenario sets; inputs.py makes it an array by year and county",
    ]
    if not one.built:
        return [*lines, "  not built yet: no phase acts on it; it stands at its status quo"]
    for phase in dict.fromkeys(phase.module for phase in SCHEDULE):
        if not phase.startswith("migrasim.domains"):
            continue
        for file in sorted(info.name for info in pkgutil.iter_modules(import_module(phase).__path__)):
            module = import_module(f"{phase}.{file}")
            for number, text in enumerate(inspect.getsource(module).splitlines(), 1):
                in_chain = lever.endswith(".jobs") and '.endswith(".jobs")' in text
                in_group = 'f"' + lever.split(".", 1)[0] + ".{" in text  # the lever is one of several names
                if f'"{lever}"' in text or in_chain or in_group:
                    lines.append(f"  read in {phase}.{file}, line {number}: {text.strip()}")
    return [*lines, "  indicators.py measures the year; checks.py tests its laws; runs/store.py writes the tables"]
