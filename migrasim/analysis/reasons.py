"""Tables of two runs of a pair: who chose otherwise and what tipped it, who wins and who loses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame

from migrasim.core.codes import N_TIERS, Form, Tier
from migrasim.domains.labour.incomes import incomes
from migrasim.domains.moving.choice import FORM_STRIDE, STAY
from migrasim.domains.moving.tipping import compositions
from migrasim.runs.choices import ALL_PARTS, NOT_THERE, REASONS, TERMS
from migrasim.welfare import QUINTILES, STUDENTS, Groups, welfare_yuan_yr
from migrasim.world import Geography, World

NOTICED = 0.01  # a change of welfare that makes a winner or a loser
CORE, STAYS, ABSENT = "core", "stay", "not_there"

Array = np.ndarray[Any, np.dtype[Any]]


def welfare(world: World) -> Array:
    """(households,) yuan a year, as it is now."""
    return welfare_yuan_yr(world, incomes(world))


def tiers(geography: Geography) -> Array:
    """(places,) names of the tiers; the seat of the core county is the core."""
    tier = [Tier(d % N_TIERS).name.lower() for d in range(geography.inside)]
    tier[geography.core] = CORE
    return np.array([*tier, "near", "far"], dtype=object)


def reasons_table(changes: Array, geography: Geography, weight: float) -> DataFrame:
    """Changes counted by year, where the household lives, what it chose in both runs, and the reason.

    ``from`` and ``to`` are the tier of the destination in the reference and in the other run, or
    ``stay``, or ``not_there``; ``carried_out`` is False where the wishes differ and what happened does not;
    ``first`` is True where the household does something else for the first time.
    """
    tier = tiers(geography)
    frame = DataFrame({"year": changes["year"].astype(np.int64), "lives": tier[changes["place"]]})
    for column, name in (("from", "a"), ("to", "b")):
        frame[column], frame[f"{column}_form"] = _words(changes[name], tier)
    frame["carried_out"], frame["first"] = changes["carried_out"], changes["first"]
    frame["reason"] = np.array(REASONS, dtype=object)[changes["reason"]]
    frame["part"] = np.array(ALL_PARTS, dtype=object)[changes["part"]]
    keys = list(frame.columns)
    frame["households"], frame["persons"] = weight, weight * changes["persons"]
    return frame.groupby(keys, as_index=False)[["households", "persons"]].sum()


def group_reasons_table(changes: Array, groups: Groups, geography: Geography, weight: float) -> DataFrame:
    """Carried out changes of all years counted by group, from what to what, and reason."""
    done = changes[changes["carried_out"]]
    tier = tiers(geography)
    frames = []
    for number, (dimension, names) in enumerate(groups.names.items()):
        frame = DataFrame({"dimension": dimension, "group": done["group"][:, number].astype(np.int64)})
        frame["from"], frame["to"] = _words(done["a"], tier)[0], _words(done["b"], tier)[0]
        frame["reason"] = np.array(REASONS, dtype=object)[done["reason"]]
        frame["part"] = np.array(ALL_PARTS, dtype=object)[done["part"]]
        keys = list(frame.columns)
        frame["households"], frame["persons"] = weight, weight * done["persons"]
        summed = frame.groupby(keys, as_index=False)[["households", "persons"]].sum()
        summed["group"] = np.array(names, dtype=object)[summed["group"]]
        frames.append(summed)
    return pd.concat(frames, ignore_index=True)


def groups_table(reference: World, other: World, groups: Groups) -> DataFrame:
    """Welfare in two worlds of the households that are in both with the same members, and who is better and worse off.

    The groups are those of the reference; ``gain_yuan_yr`` and ``loss_yuan_yr`` are means over the
    winners and over the losers, 0 where there are none. Who married or left home in one world only
    would look like a change of welfare and is left out, and so are students who live by themselves.
    """
    keys, here, there = np.intersect1d(
        reference.households.key, other.households.key, assume_unique=True, return_indices=True
    )
    same = _members(reference)[here] == _members(other)[there]
    keys, here, there = keys[same], here[same], there[same]
    before, after = welfare(reference), welfare(other)
    code, then = groups.codes(reference, before)[here], groups.codes(other, after)[there]
    followed = np.maximum(code[:, 0], then[:, 0]) < len(QUINTILES)
    keys, here, there, code = keys[followed], here[followed], there[followed], code[followed]
    before, after = before[here], after[there]
    change = after - before
    wins, loses = (sign * change > NOTICED * np.abs(before) for sign in (1.0, -1.0))
    rows = [("all", "all", np.ones(len(keys), np.bool_))]
    for number, (dimension, names) in enumerate(groups.names.items()):
        rows += [(dimension, name, code[:, number] == k) for k, name in enumerate(names) if name != STUDENTS]
    return DataFrame(
        {
            "dimension": dimension,
            "group": name,
            "households": reference.weight * float(these.sum()),
            "reference_welfare_yuan_yr": _mean(before[these]),
            "welfare_yuan_yr": _mean(after[these]),
            "winners": reference.weight * float((these & wins).sum()),
            "losers": reference.weight * float((these & loses).sum()),
            "gain_yuan_yr": _mean(change[these & wins]),
            "loss_yuan_yr": _mean(change[these & loses]),
        }
        for dimension, name, these in rows
    )


def _members(world: World) -> Array:
    """(households,) numbers that are the same where the same people are members, wherever they live."""
    persons, members = world.persons, np.empty(len(world.households), np.uint64)
    compositions(persons.key, np.zeros(len(persons), np.uint8), persons.household, members)
    return members


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else 0.0


def _words(codes: Array, tier: Array) -> tuple[Array, Array]:
    """Tier of the destination and form of each code."""
    forms = np.array([form.name.lower() for form in Form], dtype=object)
    moves = codes >= 0
    nothing = np.where(codes == NOT_THERE, ABSENT, STAYS).astype(object)
    where = np.where(moves, tier[np.where(moves, codes // FORM_STRIDE, 0)], nothing)
    form = np.where(moves, forms[np.where(moves, codes % FORM_STRIDE, 0)], np.where(codes == STAY, STAYS, ""))
    return where, form


def terms_table(changes: Array, weight: float) -> DataFrame:
    """Of those whom utility tipped, by year and term: how many it tipped, and its share in what spoke for the change.

    Both columns add up to the same number of households.
    """
    rows = []
    for year in np.unique(changes["year"]):
        for carried_out in (True, False):
            these = changes[(changes["year"] == year) & (changes["carried_out"] == carried_out)]
            tipped = np.bincount(these["reason"], minlength=len(REASONS))
            shared = these["credit"].sum(axis=0, dtype=np.float64)
            rows += [
                (int(year), carried_out, term, weight * float(tipped[k]), weight * float(shared[k]))
                for k, term in enumerate(TERMS)
                if tipped[k] or shared[k] > 0
            ]
    return DataFrame(rows, columns=["year", "carried_out", "term", "households", "households_shared"])
