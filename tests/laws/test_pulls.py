"""With feedbacks off, a stronger pull loses no mover and touches nobody but those who gain by it.

One wave of choices on one frozen state, for every lever from its low to its high bound and for every
quality of a place. Levers that add stock (dwellings, jobs, school places) act on the state first;
``test_levers`` shows which quality they raise, and here that quality is shown to lose no mover.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from laws.test_levers import BOOK, CHAIN_SECTORS, CHANNELS
from worlds import tiny_inputs, tiny_world

from migrasim.core.codes import N_TIERS, Form, Tier
from migrasim.core.rule import record
from migrasim.domains.moving import choice, considering, offers
from migrasim.domains.moving import phase as moving
from migrasim.domains.moving.choice import FORM_STRIDE, ROUNDS, STAY
from migrasim.domains.moving.rules import MovingParams
from migrasim.order import Simulation
from migrasim.world import World

QUIET = {"moving.consider_news_factor": 0.0}
TOWNS, VILLAGES, OUTSIDE, MOVES = "towns", "villages", "outside", "moves"
# where a lever makes life better; roads and rights in land make a move cheaper, wherever it goes
GAINS = {"rural.": VILLAGES, "transport.": MOVES, "three_rights.": MOVES, "spatial.cluster": OUTSIDE}
# those whose lever itself is part of what newcomers compare, with nobody having moved, built or hired yet
AT_ONCE = {
    "employment.equal_pay", "employment.matching", "employment.wage_arrears_control", "governance.community",
    "integration.community", "public_housing.open_to_migrants", "public_housing.rent_subsidy",
    "residence_permit.education", "residence_permit.one_pass", "residence_permit.public_housing",
    "rural.infrastructure", "rural.public_services", "rural.returnee_support", "spatial.cluster_integration",
    "transport.intercounty", "transport.rural_roads", "urban.cultural", "urban.green", "urban.livable",
    "urban.municipal_utilities", "urban.resilient", "urban.smart",
}  # fmt: skip


# what concerns few households: only who comes to a school from beyond the county, only what is left of a barrier
FOR_FEW = {"residence_permit.education", "urban.smart", "employment.wage_arrears_control"}


class Wave(NamedTuple):
    """A world at the start of its year and what those who consider choose."""

    world: World
    rows: np.ndarray
    best: np.ndarray


def start(levers: dict[str, Any], households: int = 3000) -> World:
    """A world in 2021 whose qualities are brought up to date, before anybody moves."""
    inputs = tiny_inputs(QUIET, levers=levers)
    simulation = Simulation.start(tiny_world(households, inputs=inputs, seed=5), CHAIN_SECTORS)
    world = simulation.world
    world.year += 1
    world.levers = {name: world.inputs.lever(name, world.year) for name in world.inputs.book.levers}
    simulation._update()
    return world


def lives_in(world: World, rows: np.ndarray, best: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(n,) whether part of the household lives in one of ``places`` after its choice."""
    place, away = world.households.place[rows], world.households.away_place[rows]
    form, target = best % FORM_STRIDE, best // FORM_STRIDE
    at_place, at_target = np.isin(place, places), np.isin(target, places)
    stays = at_place | np.isin(away, places)
    moved = np.where(form == Form.WHOLE, at_target, np.where(form == Form.RETURN, at_place, at_place | at_target))
    moved = np.where(form == Form.FAMILY, np.isin(away, places) | at_target, moved)
    return np.asarray(np.where(best == STAY, stays, moved), bool)


def kind_of_place(world: World, kind: str) -> np.ndarray:
    geography = world.geography
    if kind == TOWNS:
        return np.flatnonzero(geography.urban)
    if kind == VILLAGES:
        return np.arange(geography.counties) * N_TIERS + Tier.VILLAGE
    return np.array([geography.near, geography.far])


@pytest.mark.parametrize("lever", sorted(BOOK.levers))
def test_a_stronger_lever_loses_no_mover_to_what_it_does_not_help(lever: str) -> None:
    """Whoever chooses otherwise at the high bound chooses what the lever makes better; all others are as before."""
    others = CHANNELS[lever][2] if lever in CHANNELS else {}
    waves = []
    for bound in BOOK.levers[lever].bounds:
        world = start({**others, lever: bound}, 20_000 if lever in FOR_FEW else 3000)
        rows, codes = moving.first_choices(world)
        waves.append(Wave(world, rows, codes[:, 0]))
    low, high = waves
    if CHANNELS.get(lever, (None, 1))[1] < 0 and lever not in ("residence_permit.one_pass", "urban.smart"):
        low, high = high, low  # months of waiting: fewer are better
    assert np.array_equal(low.rows, high.rows)
    changed = low.best != high.best
    assert changed.any() == (lever in AT_ONCE) or lever == "hukou.openness"
    gains = next((where for prefix, where in GAINS.items() if lever.startswith(prefix)), TOWNS)
    if gains == MOVES:
        assert np.all(high.best[changed] != STAY)
    else:
        chosen = lives_in(high.world, high.rows, high.best, kind_of_place(high.world, gains))
        assert np.all(chosen[changed])


@pytest.mark.parametrize(
    ("quality", "step"),
    [
        ("wage_yuan", 20000.0), ("work_chance", 0.1), ("rent_yuan", -2000.0), ("relief_yuan", 1500.0),
        ("living_yuan", -1500.0), ("school", 0.3), ("school_own", 0.3), ("school_access", 0.3), ("health", 0.3),
        ("health_access", 1.0),
        ("security_access", 1.0), ("amenity", 0.3), ("barrier", -1.0), ("social", 0.3), ("settling", 2.0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [TOWNS, VILLAGES, OUTSIDE])
def test_a_better_quality_loses_no_mover(quality: str, step: float, kind: str) -> None:
    """Raise one quality of all towns, all villages or the outside: who changes comes, or stays, there."""
    world = start({})
    people, families, places = offers.views(world)
    p = world.inputs.params("moving", MovingParams)
    rows = np.flatnonzero(considering.months(world, people, families, places, p))
    where = kind_of_place(world, kind)
    best = []
    for by in (0.0, step):
        at = places.at.copy()
        at[quality][where] = np.maximum(0.0, at[quality][where] + by)
        codes, values = np.full((len(rows), ROUNDS), STAY, np.int64), np.zeros((len(rows), ROUNDS))
        now = places._replace(at=np.rec.array(at))
        choice.choose(rows, people, families, now, world.seed, world.year, record(p), codes, values)
        best.append(codes[:, 0])
    changed = best[0] != best[1]
    assert np.all(lives_in(world, rows, best[1], where)[changed])
    if kind == TOWNS and quality in ("wage_yuan", "work_chance", "rent_yuan", "relief_yuan", "amenity", "social"):
        assert changed.any()


@pytest.mark.parametrize("lever", sorted(BOOK.levers))
def test_a_lever_at_its_value_of_2020_is_no_measure(lever: str) -> None:
    """Naming a lever with its own status quo, by word or by number, leaves every lever of every year as it was."""
    quo = tiny_inputs()
    number = quo.lever_path(lever)
    values: list[Any] = ["status_quo"]
    if np.all(number == number.flat[0]) and not BOOK.levers[lever].id.endswith("units"):
        values.append(float(number.flat[0]))
    for value in values:
        inputs = tiny_inputs(levers={lever: value})
        for name in BOOK.levers:
            assert np.array_equal(inputs.lever_path(name), quo.lever_path(name)), name
