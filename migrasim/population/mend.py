"""Making families whole: exact persons by cell, exact sexes and ages by rank, impossible ages traded."""

from __future__ import annotations

import numpy as np

from migrasim.core.codes import Sex
from migrasim.population.margins import GROUPS, assumed
from migrasim.population.seed import CHILD, CHILDREN, HUSBAND, OUT, Families

# cells of (living place, home) of people in families: persons are exact in each
CELLS = ((0, 3), (0, 0), (1, 0), (1, 3), (1, 1), (2, 0), (2, 1), (2, 3), (2, 2), (3, 1), (3, 2), (3, 0))
_FEW = 2000


def mend(f: Families, homes: np.ndarray, rng: np.random.Generator) -> Families:
    """Families with exactly the wanted number of persons in every cell of living place and home.

    Inside, brothers and sisters join or leave, and the forms of households stay as they are: a part
    keeps at least two people and never loses its last child; where that is not enough, lone people
    of the place trade their homes. Outside, families that are wholly away
    come and go.
    """
    a = assumed()
    for cell, (spot, home) in enumerate(CELLS):
        if spot == OUT:
            f = _mend_outside(f, home, int(homes[spot, home]), rng)
        for _ in range(200):
            where = f.where()
            here = f.present[:, CHILDREN] & (where[:, CHILDREN] == spot) & (f.home == home)[:, None]
            gap = int(homes[spot, home] - ((where == spot) & (f.home == home)[:, None]).sum())
            if gap == 0:
                break
            count, people = here.sum(axis=1), (where == spot).sum(axis=1)
            if gap < 0:
                rows = rng.permutation(np.flatnonzero((count >= 2) & (people >= 3)))[:-gap]
                slot = here[rows].argmax(axis=1) + CHILD
                f.present[rows, slot] = False
            else:
                free = ~f.present[:, CHILDREN]
                rows = rng.permutation(np.flatnonzero((count >= 1) & (people >= 2) & free.any(axis=1)))[:gap]
                slot = free[rows].argmax(axis=1) + CHILD
                twin = here[rows].argmax(axis=1) + CHILD
                age = f.age[rows, twin]
                f.present[rows, slot] = True
                other = age + rng.uniform(-a.sibling_spread_yr, a.sibling_spread_yr, rows.size)
                f.age[rows, slot] = np.maximum(other, np.where(age >= 16, 17.0, 0.0))
                f.sex[rows, slot] = rng.random(rows.size) < a.sibling_woman_share
                f.away[rows, slot] = f.away[rows, twin]
            if rows.size == 0:
                rows = _relabel(f, spot, home, gap, rng)
            if rows.size == 0:
                raise RuntimeError(f"the synthesis cannot reach the persons of cell {CELLS[cell]}: {gap} are missing")
    return f


def _relabel(f: Families, spot: int, home: int, gap: int, rng: np.random.Generator) -> np.ndarray:
    """Let lone people of a place trade their home with those at home there, whose cell is mended last."""
    giver, taker = (home, spot) if gap < 0 else (spot, home)
    able = (f.home == giver) & (f.main == spot) & (f.present.sum(axis=1) == 1) & (home != spot)
    rows = rng.permutation(np.flatnonzero(able))[: abs(gap)]
    f.home[rows] = taker
    return rows


def _mend_outside(f: Families, home: int, wanted: int, rng: np.random.Generator) -> Families:
    """Add or leave out families that are wholly outside, as far as their sizes fit the gap."""
    gap = wanted - int(((f.where() == OUT) & (f.home == home)[:, None]).sum())
    rows = rng.permutation(np.flatnonzero((f.main == OUT) & (f.home == home)))
    size = f.present[rows].sum(axis=1)
    rows = rows[np.argsort(-np.minimum(size, 2), kind="stable")]
    chosen = []
    for row in rows:
        people = int(f.present[row].sum())
        if people <= abs(gap):
            chosen.append(row)
            gap -= int(np.sign(gap)) * people
        if gap == 0:
            break
    if not chosen:
        return f
    if wanted > int(((f.where() == OUT) & (f.home == home)[:, None]).sum()):
        return Families.join([f, f.take(np.array(chosen))])
    return f.take(np.setdiff1d(np.arange(len(f)), chosen))


def swap_ages(f: Families) -> None:
    """Trade ages where ranks left a child below 16 without an adult, or a husband or wife below 18.

    The other side of the trade is a son or daughter just old enough, of the same sex and living
    place, whose parent lives with it; so all tables stay as they are.
    """
    where = f.where()
    couple, _ = f.couples()
    for away in (False, True):
        part = f.present & (f.away == away)
        grown = (part & (f.age >= 16)).any(axis=1)
        lone = np.asarray(part & ~grown[:, None])
        lone &= (f.age == np.where(part, f.age, -1).max(axis=1)[:, None]) & (lone.cumsum(axis=1) == 1)
        wed = np.asarray(part & (couple > 0))
        trades = ((lone, 16, 4), (lone, 16, 40), (wed, 18, 4), (wed, 18, 40))
        for bad, least, reach in trades:
            for spot in range(4):
                for sex in range(2):
                    rows, slots = np.nonzero(np.asarray(bad & (where == spot) & (f.sex == sex) & (f.age < least)))
                    if rows.size == 0:
                        continue
                    able = f.present[:, CHILDREN] & (where[:, CHILDREN] == spot) & (f.sex[:, CHILDREN] == sex)
                    able &= (f.age[:, CHILDREN] >= least) & (f.age[:, CHILDREN] < least + reach)
                    able &= f.present[:, HUSBAND : HUSBAND + 1] & (
                        f.away[:, CHILDREN] == f.away[:, HUSBAND : HUSBAND + 1]
                    )
                    donors, donor_slots = np.nonzero(able)
                    youngest = np.argsort(f.age[donors, donor_slots + CHILD], kind="stable")
                    donors, donor_slots = donors[youngest], donor_slots[youngest]
                    count = min(rows.size, donors.size)
                    own = (rows[:count], slots[:count])
                    other = (donors[:count], donor_slots[:count] + CHILD)
                    f.age[own], f.age[other] = f.age[other].copy(), f.age[own].copy()


def single_years(table: np.ndarray, infant_share: float) -> np.ndarray:
    """Ages in whole years of the people of one place and sex, sorted: even inside five-year groups.

    The age 0 has its own published share of the first group; from 85 on the ages die out.
    """
    a, ages = assumed(), []
    for group, count in enumerate(table):
        step = (np.arange(count) + 0.5) / max(int(count), 1)
        if group == 0:
            first = round(infant_share * float(count))
            rest = (np.arange(count - first) + 0.5) / max(int(count) - first, 1)
            ages.append(np.concatenate([np.zeros(first), 1 + np.floor(4 * rest)]))
        elif group == GROUPS - 1:
            ages.append(np.minimum(85 + np.floor(-np.log(1 - step) / a.oldest_fall_rate_yr), 101))
        else:
            ages.append(5 * group + np.floor(5 * step))
    return np.concatenate(ages).astype(np.int16)


def give_ages(f: Families, tables: np.ndarray, infant_share: float, rng: np.random.Generator) -> None:
    """Exact sexes and ages by rank in each of the four living places; tables (4, 18, 2)."""
    where = f.where()
    couple, _ = f.couples()
    for spot in range(4):
        here = where == spot
        if spot == OUT and here.sum() < _FEW:
            # ranks would tear so few families apart; their ages are no published figure
            f.age[here] = np.maximum(np.floor(f.age[here]), 0)
            continue
        men = int(tables[spot, :, Sex.MALE].sum())
        gap = men - int((here & (f.sex == Sex.MALE)).sum())
        turn = Sex.FEMALE if gap > 0 else Sex.MALE
        childless = np.asarray(~f.present[:, CHILDREN].any(axis=1))
        free = here & (couple == 0) & (f.sex == turn)
        free[:, :2] &= childless[:, None]
        rows, slots = np.nonzero(free)
        if spot == OUT and rows.size < abs(gap):  # the sexes of the absent are no published figure
            tables = tables.copy()
            group = int(tables[OUT].sum(axis=1).argmax())
            tables[OUT, group, turn] += abs(gap) - rows.size
            tables[OUT, group, 1 - turn] -= abs(gap) - rows.size
            gap = int(np.sign(gap)) * rows.size
        if rows.size < abs(gap):
            raise RuntimeError("the synthesis cannot reach the sexes of a place")
        chosen = rng.permutation(rows.size)[: abs(gap)]
        f.sex[rows[chosen], slots[chosen]] = 1 - turn
        for sex in range(2):
            rows, slots = np.nonzero(here & (f.sex == sex))
            order = np.argsort(f.age[rows, slots], kind="stable")
            f.age[rows[order], slots[order]] = single_years(tables[spot, :, sex], infant_share)
