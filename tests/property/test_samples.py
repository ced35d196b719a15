"""Samples of households, and capacities in their rows, stand for everybody whatever the share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import tiny_world

from migrasim.core.chance import Decision, evenly, unit
from migrasim.population.sampling import sample_mask
from migrasim.population.tables import HOUSEHOLDS, PERSONS, empty

WORD = st.integers(0, 2**64 - 1)
SHARE = st.floats(0.001, 1.0)
BOUND = 3.0  # of households that a stretch of the line, of some thousands, has too many or too few
CAPACITIES = st.lists(st.floats(0, 1e5), min_size=1, max_size=200)


def people(seed: int, rows: int = 3000) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Households of one to five persons in six places, some with an away part."""
    rng = np.random.default_rng(seed)
    households = empty(HOUSEHOLDS, rows)
    households["key"][:] = rng.permutation(rows)
    households["place"][:] = rng.integers(0, 6, rows)
    households["away_place"][:] = rng.integers(-1, 3, rows)
    members = rng.integers(1, 6, rows)
    persons = empty(PERSONS, int(members.sum()))
    persons["household"][:] = np.repeat(np.arange(rows), members)
    persons["birth_year"][:] = rng.integers(1930, 2020, members.sum())
    return persons, households


@given(WORD, st.integers(0, 10**6), st.integers(1, 5000), st.floats(0.001, 1.0))
def test_every_stretch_of_an_even_sequence_gives_its_share(start: int, first: int, length: int, share: float) -> None:
    """Points below a share in a stretch of the sequence differ from the share of its length by few, not by its root."""
    points = [unit(np.uint64(evenly(np.uint64(start), number))) for number in range(first, first + length)]
    assert 0.0 < min(points) and max(points) < 1.0
    assert abs(sum(point < share for point in points) - share * length) <= BOUND


@given(st.integers(0, 20), st.integers(0, 2**63 - 1), SHARE, SHARE)
def test_samples_are_nested_and_have_their_part_of_every_place(drawn: int, seed: int, a: float, b: float) -> None:
    """A smaller sample is a subset of a larger one; each place has its share of households to within two or three."""
    persons, households = people(drawn)
    small, large = (sample_mask(persons, households, seed, share) for share in sorted((a, b)))
    assert not (small & ~large).any()
    for mask, share in ((small, min(a, b)), (large, max(a, b))):
        kept = np.bincount(households["place"], mask, 6)
        assert np.abs(kept - share * np.bincount(households["place"])).max() <= BOUND
    assert sample_mask(persons, households, seed, 1.0).all()


@given(st.integers(0, 20), st.integers(0, 2**63 - 1), SHARE)
def test_a_sample_does_not_hang_on_the_order_of_the_table(drawn: int, seed: int, share: float) -> None:
    """The same households, whatever rows they stand in."""
    persons, households = people(drawn, 500)
    taken = households["key"][sample_mask(persons, households, seed, share)]
    order = np.random.default_rng(drawn).permutation(500)
    turned = {name: column[order] for name, column in households.items()}
    row = np.argsort(order)[persons["household"]]
    by_row = np.argsort(row, kind="stable")
    people_turned = {name: column[by_row] for name, column in persons.items()} | {"household": row[by_row]}
    assert set(turned["key"][sample_mask(people_turned, turned, seed, share)].tolist()) == set(taken.tolist())


@given(CAPACITIES, st.floats(1.0, 1000.0), st.integers(0, 2**31), st.floats(0, 1e4))
def test_capacities_in_rows_add_up_to_those_of_everybody(
    full: list[float], weight: float, seed: int, more: float
) -> None:
    """Each cell is off by less than a row, all together by few; one that grows never shrinks; nothing stays nothing."""
    world = tiny_world(20, weight=weight)
    world.seed = seed
    capacity = np.array(full)
    rows = world.units(capacity, Decision.JOB)
    whole = np.floor(capacity + 1e-9)
    assert np.abs(rows - whole / weight).max() < 1.0
    assert (rows[whole == 0] == 0).all()
    assert (world.units(capacity + more, Decision.JOB) >= rows).all()
    assert (rows * weight).sum() == pytest.approx(whole.sum(), abs=weight * np.sqrt(len(full)) * 2)
    world.weight = 1.0
    assert (world.units(capacity, Decision.JOB) == whole).all()
