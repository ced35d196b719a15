"""In which futures a scenario falls short: a small tree over all that was varied, read as boxes.

Cases are points of the design with their parameter vector and future, the mean taken over replications.
The tree (scikit-learn) parts them by what tells those that fall short from the others; each of its leaves is
a box of simple conditions with its density (how many cases inside fall short) and its coverage (how many of all
that fall short are inside). How far such a tree can be trusted is told by cases that it has not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pandas import DataFrame, Series

from migrasim.analysis.finished import BLOCK, Finished, Measure
from migrasim.analysis.intervals import share
from migrasim.core.errors import InputError
from migrasim.runs.design import LEVEL, UNCERTAIN

DEEPEST = 3
FEWEST_CASES = 20
_LEAF_SHARE = 0.05  # of the cases a box must hold at least
_FOLDS = 5
GROUP = "group"
_TREES = 50  # grown on cases drawn again, to see which conditions stay

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Discovery:
    """Where cases fall short.

    Attributes
    ----------
    boxes
        ``box, condition, cases, short, density, low, high, coverage``, by coverage and density: conditions in
        words joined by `and`; the interval of the density at 90 percent, cases of a group being one draw
        (`migrasim.analysis.intervals.share`).
    limits
        ``box, name, low, high`` (numbers; empty is no limit) or ``value`` (names) of each condition.
    importance
        ``name, importance, stays``: share of the tree's work, and share of trees grown on drawn cases that use it.
    cases, short
        Number of cases and of those that fall short.
    skill
        Balanced accuracy on groups of cases not seen (0.5 is guessing), 5 folds; empty where there are too few.
    threshold
        Below it a case falls short.
    """

    boxes: DataFrame
    limits: DataFrame
    importance: DataFrame
    cases: int
    short: int
    skill: float
    threshold: float


def of_batch(batch: Finished, measure: Measure, threshold: float) -> Discovery:
    """Boxes of a finished batch in which the measure stays below a threshold.

    Raises
    ------
    InputError
        Where less than 20 cases or nothing that varies is there, and where all cases or none fall short.
    """
    frame = cases(batch, measure)
    names = [name for name in frame.columns if name not in ("value", GROUP) and frame[name].nunique() > 1]
    if len(frame) < FEWEST_CASES or not names:
        raise InputError(
            f"discovery: {len(frame)} cases with {len(names)} things that differ; at least {FEWEST_CASES} "
            f"cases and one "
            "thing that differs are needed (a design spread over ranges, such as latin_hypercube)"
        )
    return discover(frame[names], frame["value"], threshold, frame[GROUP].to_numpy())


def cases(batch: Finished, measure: Measure) -> DataFrame:
    """One row a case: what was varied, ``value`` (the mean over replications) and the ``group`` that it belongs to.

    Cases of a group share their parameter vector, or their point where there is one vector only.
    """
    design = batch.design.assign(value=batch.values(measure)).dropna(subset=["value"])
    varied = [name for name in design.columns if name.startswith((LEVEL, UNCERTAIN))]
    named = design.assign(scenario=design["scenario"].where(design["point"] < batch.named, "design"))
    keys = ["point", *BLOCK[:-1]]
    columns = dict.fromkeys(("scenario", *varied), "first") | {"value": "mean"}
    found = named.groupby(keys, sort=False, as_index=False).agg(columns)
    found[GROUP] = found["parameter_set" if found["parameter_set"].nunique() > 1 else "point"]
    found = found.drop(columns=["point", "parameter_set"]).dropna(axis=1, how="all")
    return found.rename(columns={name: name.removeprefix(LEVEL).removeprefix(UNCERTAIN) for name in varied})


def discover(inputs: DataFrame, values: Series[float], threshold: float, groups: Array | None = None) -> Discovery:
    """Boxes of any table of cases.

    Parameters
    ----------
    inputs
        A row a case, a column a thing that was varied: numbers or names.
    values
        Result of each case.
    threshold
        Below it a case falls short.
    groups
        (cases,) what each belongs to: cases of a group are kept together when it is tested on cases not seen.

    Raises
    ------
    InputError
        Where all cases or none fall short.
    """
    groups = np.arange(len(inputs)) if groups is None else groups
    short = (values.to_numpy() < threshold).astype(int)
    if short.all() or not short.any():
        which = "every case" if short.all() else "no case"
        low, high = float(values.min()), float(values.max())
        raise InputError(
            f"discovery: {which} falls short of {threshold:g} (they lie between {low:.4g} and {high:.4g}), so "
            f"there is "
            "nothing to tell apart; a threshold between these would"
        )
    coded, origin = _coded(inputs)
    tree = _tree().fit(coded.to_numpy(np.float64), short)
    leaves = tree.apply(coded.to_numpy(np.float64))
    rows, limits = [], []
    for leaf in np.unique(leaves):
        inside = leaves == leaf
        count, bad = int(inside.sum()), int(short[inside].sum())
        if bad / count <= short.mean():
            continue
        conditions = _conditions(tree.tree_, int(leaf), list(coded.columns), origin)
        rows.append((conditions, count, bad, inside))
    rows.sort(key=lambda row: (-row[2], -row[2] / row[1]))
    table = []
    for number, (conditions, count, bad, inside) in enumerate(rows, 1):
        words = " and ".join(_words(each) for each in conditions)
        density = share(short[inside].astype(np.float64), lucks=groups[inside])
        table.append((number, words, count, bad, *density, bad / int(short.sum())))
        limits += [(number, *each) for each in conditions]
    importance = _importance(tree, coded, origin, short, groups)
    return Discovery(
        DataFrame(table, columns=["box", "condition", "cases", "short", "density", "low", "high", "coverage"]),
        DataFrame(limits, columns=["box", "name", "low", "high", "value", "is"]),
        importance,
        len(short),
        int(short.sum()),
        _skill(coded, short, groups),
        threshold,
    )


def _tree() -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(
        max_depth=DEEPEST, min_samples_leaf=_LEAF_SHARE, class_weight="balanced", random_state=0
    )


def _coded(inputs: DataFrame) -> tuple[DataFrame, dict[str, tuple[str, str | None]]]:
    """Numbers as they are, names as columns of 0 and 1; and where each column comes from."""
    columns: dict[str, Any] = {}
    origin: dict[str, tuple[str, str | None]] = {}
    for name in map(str, inputs.columns):
        column = inputs[name]
        if column.dtype.kind in "fiub":
            columns[name] = column.astype(float)
            origin[name] = (name, None)
            continue
        for value in dict.fromkeys(column.astype(str)):
            columns[f"{name}={value}"] = (column.astype(str) == value).astype(float)
            origin[f"{name}={value}"] = (name, value)
    return DataFrame(columns), origin


Condition = tuple[str, float, float, str | None, bool]  # name, low, high, value, whether it is this value


def _conditions(tree: Any, leaf: int, columns: list[str], origin: dict[str, tuple[str, str | None]]) -> list[Condition]:
    """What holds in a leaf, one condition a name."""
    parents = {int(child): (node, sign) for node in range(tree.node_count) for child, sign in _children(tree, node)}
    found: dict[str, Condition] = {}
    node = leaf
    while node in parents:
        node, sign = parents[node]
        column = columns[int(tree.feature[node])]
        name, value = origin[column]
        cut = float(tree.threshold[node])
        if value is not None:
            found[column] = (name, np.nan, np.nan, value, sign > 0)
            continue
        _, low, high, _, _ = found.get(name, (name, np.nan, np.nan, None, True))
        if sign > 0:
            low = cut if low != low else max(low, cut)
        else:
            high = cut if high != high else min(high, cut)
        found[name] = (name, low, high, None, True)
    plain = {each[0] for each in found.values() if each[3] is not None and each[4]}
    return [each for each in reversed(found.values()) if each[4] or each[0] not in plain]


def _children(tree: Any, node: int) -> list[tuple[int, int]]:
    left, right = tree.children_left[node], tree.children_right[node]
    return [] if left < 0 else [(left, -1), (right, 1)]


def _words(condition: Condition) -> str:
    name, low, high, value, same = condition
    if value is not None:
        return f"{name} {'is' if same else 'is not'} {value}"
    if low == low and high == high:
        return f"{name} between {low:.3g} and {high:.3g}"
    return f"{name} above {low:.3g}" if low == low else f"{name} below {high:.3g}"


def _importance(
    tree: Any, coded: DataFrame, origin: dict[str, tuple[str, str | None]], short: Array, groups: Array
) -> DataFrame:
    names = dict.fromkeys(name for name, _ in origin.values())
    work = dict.fromkeys(names, 0.0)
    for column, part in zip(coded.columns, tree.feature_importances_, strict=True):
        work[origin[column][0]] += float(part)
    used = dict.fromkeys(names, 0)
    rng = np.random.default_rng(0)
    numbers = coded.to_numpy(np.float64)
    members = [np.flatnonzero(groups == each) for each in np.unique(groups)]
    for _ in range(_TREES):
        drawn = np.concatenate([members[k] for k in rng.integers(0, len(members), len(members))])
        if short[drawn].all() or not short[drawn].any():
            continue
        again = _tree().fit(numbers[drawn], short[drawn]).tree_
        for name in {origin[coded.columns[int(each)]][0] for each in again.feature if each >= 0}:
            used[name] += 1
    frame = DataFrame(
        [(name, work[name], used[name] / _TREES) for name in names], columns=["name", "importance", "stays"]
    )
    return frame.sort_values(["importance", "stays"], ascending=False, kind="stable", ignore_index=True)


def _skill(coded: DataFrame, short: Array, groups: Array) -> float:
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import GroupKFold, cross_val_predict

    if min(int(short.sum()), int((1 - short).sum())) < 5 or len(np.unique(groups)) < _FOLDS:
        return float("nan")
    folds = GroupKFold(_FOLDS, shuffle=True, random_state=0)
    told = cross_val_predict(_tree(), coded.to_numpy(np.float64), short, cv=folds, groups=groups)
    return float(balanced_accuracy_score(short, told))
