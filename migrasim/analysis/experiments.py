"""Checks performed as experiments, and what conclusions owe to parts of the model.

P14 to P18 compare runs that differ in the one thing that a published study compared. Where the prior
of a parameter comes from the same study (P14 to P17) this is consistency, not evidence, and the page says so.
Ablations leave one part of the model out, or take another share of the households, and tell what
becomes of the fit and of the effect of a package of levers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from migrasim.analysis import patterns
from migrasim.analysis.calibration import overall
from migrasim.analysis.emulator import implausibility
from migrasim.domains.moving import rules
from migrasim.domains.moving.rules import MovingParams
from migrasim.facts import FactBook
from migrasim.region import Region
from migrasim.runs.runner import OnDone, yearly
from migrasim.runs.simulate import prepare
from migrasim.runs.spec import RunSpec

if TYPE_CHECKING:
    from pandas import DataFrame

_SHIFT = 0.1  # of the community that is put outside in the eyes of those who choose
_YEARS = 5
PACKAGE, REFERENCE = "four_groups", "status_quo"
ALTERNATIVES = ("no_network", "no_outside", "myopic_income", "plain_logit", "no_independent_youth")


@dataclass(frozen=True)
class Check:
    """One published effect and what the model gives.

    Attributes
    ----------
    found
        In the unit of the pattern.
    low, high
        What counts as near enough.
    """

    pattern: str
    what: str
    unit: str
    published: str
    low: float
    high: float
    found: float

    @property
    def inside(self) -> bool:
        """Whether it is near enough."""
        return bool(self.low <= self.found <= self.high)


def checks(folder: Path, *, sample: float = 0.05, seed: int = 0, workers: int | None = None) -> list[Check]:
    """Perform P14 to P18.

    Parameters
    ----------
    folder
        Keeps the runs.
    sample, seed, workers
        As for a run.
    """
    runs = _Runs(folder, sample, seed, workers)
    opened = _opening(runs)
    return [
        Check("P14", "peer response of being a migrant", "points per 10 points", "7.3 to 9.2", 4, 10,
              peer_response(sample, seed)),
        Check("P15", "income for ten percent more distance", "percent", "15", 10, 20, distance_tradeoff()),
        Check("P16", "departures from villages, land certified over insecure", "ratio", "1.28", 1.05, 1.5,
              _certified(runs)),
        Check("P17", "residence in towns by opening registration", "points of rural-registered people", "1.5", 0.75,
              2.55, opened["residence"]),
        Check("P17", "urban registration by opening registration", "points of rural-registered people", "1.9", 0.95,
              3.23, opened["registration"]),
        Check("P18", "pay of newcomers by opening registration", "percent", "-2.6 to -7.9", -10, 0, opened["pay"]),
    ]  # fmt: skip


@dataclass(frozen=True)
class _Runs:
    folder: Path
    sample: float
    seed: int
    workers: int | None

    def of(self, scenario: str, *overrides: str, until: int = 2020 + _YEARS) -> DataFrame:
        """Indicators of the region by year."""
        spec = RunSpec(scenario, seed=self.seed, sample=self.sample, until=until, overrides=overrides)
        name = "-".join([scenario, *overrides]).replace("=", "_").replace(".", "_")
        return yearly([spec], self.folder / name, workers=self.workers)[0]


def peer_response(sample: float, seed: int = 0, years: int = _YEARS) -> float:
    """Points more people away, per ten points more of the village who are seen to be away.

    Two runs whose networks stay as they were, but for a tenth of every community that in the second one is seen
    outside instead of at home: what follows is choice, not the tenth itself.
    """
    found = []
    for shift in (0.0, _SHIFT):
        ready = prepare(
            REFERENCE, base=2020, until=2020 + years, sample=sample, seed=seed, alternatives=("networks",), threads=1
        )
        world = ready.simulation.world
        network = world.network.astype(np.float64)
        moved = shift * network.sum(axis=1)
        home = np.minimum(network[:, : world.geography.inside].sum(axis=1), moved)
        inside = network[:, : world.geography.inside]
        left = inside * (1.0 - home / np.maximum(inside.sum(axis=1), 1.0))[:, None]
        network[:, : world.geography.inside] = left
        network[:, world.geography.near] += home / 2.0
        network[:, world.geography.far] += home / 2.0
        world.memory["network_base"] = np.rint(network).astype(world.network.dtype)
        for _ in range(years):
            ready.simulation.step()
        away = np.asarray(world.person_place() >= world.geography.inside)
        registered = world.households.home_place[world.persons.household] < world.geography.inside
        found.append(100.0 * float((away & registered).sum()) / float(registered.sum()))
    return (found[1] - found[0]) * 0.1 / _SHIFT


def distance_tradeoff() -> float:
    """Percent of income that makes up for ten percent more distance, at the mean way between seats and outside.

    Solved from the rules that runs use, with the fitted facts.
    """
    region = Region.only()
    p = FactBook.load().params("moving", MovingParams, region.fitted)
    minutes = float(np.asarray(region.travel_min)[: region.inside, region.inside :].mean())
    lost = rules.distance_term(minutes, p) - rules.distance_term(1.1 * minutes, p)
    return 100.0 * (float(np.exp(lost / p.income_elasticity)) - 1.0)


def _certified(runs: _Runs) -> float:
    low, high = FactBook.load().lever("three_rights.contract_land_kept").bounds
    gone = [
        float(runs.of(REFERENCE, f"three_rights.contract_land_kept={kept:g}")["moves_out"].iloc[1:].sum())
        for kept in (low, high)
    ]
    return gone[1] / gone[0]


def _opening(runs: _Runs) -> dict[str, float]:
    """Opening registration from a restricted start, five years later."""
    closed, opened = runs.of("restricted"), runs.of("restricted", "hukou.openness=1")
    first, last = closed.iloc[0], closed.iloc[-1]
    rural = float(first["registered_population"] - first["urban_registered_population"])
    gain = opened.iloc[-1] - last
    return {
        "residence": 100.0 * float(gain["urban_population"]) / rural,
        "registration": 100.0 * float(gain["urban_registered_population"]) / rural,
        "pay": 100.0 * float(gain["wage_newcomer_yuan_yr"] / last["wage_newcomer_yuan_yr"]),
    }


def ablations(
    folder: Path,
    *,
    sample: float = 0.05,
    samples: tuple[float, ...] = (),
    seed: int = 0,
    workers: int | None = None,
    on_done: OnDone | None = None,
) -> DataFrame:
    """What parts of the model, and the share of households run, do to the fit and to the effect of a package.

    Parameters
    ----------
    folder
        Keeps the runs.
    sample
        Share of the households in the runs without a part.
    samples
        Other shares that the whole model is run with.
    seed, workers, on_done
        As for a batch.

    Returns
    -------
    DataFrame
        ``variant, sample, near_enough`` (share of the fitted series), ``implausibility``, ``rate_effect`` (of the
        package on the rate of 2035, a share) and ``urban_effect`` (persons).
    """
    import pandas as pd

    table = patterns.series(Region.only())
    fitted = table[table["use"] == "fit"]
    variants: list[tuple[str, float, tuple[str, ...]]] = [("whole model", sample, ())]
    variants += [(name, sample, (name,)) for name in ALTERNATIVES]
    variants += [("whole model", share, ()) for share in samples if share != sample]
    rows = []
    for name, share, without in variants:
        where = folder / f"{name.replace(' ', '_')}-{share:g}"
        past = [
            RunSpec(REFERENCE, seed=seed, sample=share, base=base, until=until, alternatives=without)
            for base, until in patterns.SPANS.items()
        ]
        parts = patterns.of_batch(table, past, where / "past", workers=workers, on_done=on_done)
        values = pd.concat(parts).reindex(fitted.index).to_frame()
        coming = [RunSpec(each, seed=seed, sample=share, alternatives=without) for each in (REFERENCE, PACKAGE)]
        ends = [run.iloc[-1] for run in yearly(coming, where / "coming", workers=workers, on_done=on_done)]
        near = (values[0] >= fitted["low"]) & (values[0] <= fitted["high"])
        unlikely = overall(implausibility(values, fitted, pd.Series(0.0, index=fitted.index)))
        gain: Mapping[Any, Any] = (ends[1] - ends[0]).to_dict()
        rows.append(
            {
                "variant": name,
                "sample": share,
                "near_enough": float(near.mean()),
                "implausibility": float(unlikely.iloc[0]),
                "rate_effect": float(gain["urbanization_rate"]),
                "urban_effect": float(gain["urban_population"]),
            }
        )
    return pd.DataFrame(rows)
