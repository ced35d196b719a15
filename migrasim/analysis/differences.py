"""Points and scenarios of a finished batch against one of them, run by run with the same luck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pandas import DataFrame

from migrasim.analysis.compare import paired
from migrasim.analysis.finished import BLOCK, Finished, Measure
from migrasim.analysis.intervals import Labels
from migrasim.core.errors import InputError, nearest
from migrasim.runs.design import LEVEL


@dataclass(frozen=True)
class Differences:
    """What sets points and scenarios apart.

    Attributes
    ----------
    table
        One row a point and future: ``future, point, scenario, reference, value, difference, low, high, chance,
        chance_low, chance_high, ties, pairs`` and its levels; see `migrasim.analysis.compare.paired`. `chance` is the
        share of pairs in which it is higher than the reference, ties counting half.
    main
        What each level of a factor does against its first one, the other factors the same, over all their levels:
        ``future, factor, level, difference, low, high, pairs``; empty where the design is no factorial or fraction.
    against
        Name of the reference.
    """

    table: DataFrame
    main: DataFrame
    against: str


def of_batch(batch: Finished, measure: Measure, against: str | None = None) -> Differences:
    """Hold every point and scenario of a batch against one of them.

    Parameters
    ----------
    batch, measure
        What is looked at.
    against
        Name of a scenario, or number of a point; the first where not given.

    Raises
    ------
    InputError
        For a reference that is not there, and a batch of one point.
    """
    values = batch.values(measure)
    if batch.about.luck != "common":
        raise InputError("differences: the runs of this batch do not share their luck (luck: independent), so no pairs")
    rows = batch.design.assign(value=values).dropna(subset=["value"])
    names: dict[int, str] = dict(zip(rows["point"], rows["scenario"], strict=True))
    reference = _reference(names, against)
    if len(names) < 2:
        raise InputError("differences: the batch has one scenario or point only; two are needed")
    found = []
    for future, part in rows.groupby("future", sort=False):
        wide = part.pivot(index=["parameter_set", "replication"], columns="point", values="value")
        for point in sorted(set(names) & set(wide.columns) - {reference}):
            if reference not in wide.columns:
                continue
            pairs = wide[[reference, point]].dropna()
            if len(pairs):
                head = {"future": future, "point": point, "scenario": names[point]}
                found.append(head | paired(pairs[reference], pairs[point], *_draws(pairs)))
    levels = [f"{LEVEL}{name}" for name in batch.levels]
    table = DataFrame(found)
    if levels and len(table):
        table = table.merge(rows.drop_duplicates("point")[["point", *levels]], on="point", how="left")
    return Differences(table, _main(batch, rows, levels), names[reference])


def _reference(names: dict[int, str], against: str | None) -> int:
    if against is None:
        return min(names)
    for point, name in names.items():
        if against in (name, str(point)):
            return point
    known = list(names.values())
    raise InputError(
        f"against: '{against}' is not in the batch; allowed: {', '.join(known[:20])}, or the number of a point. "
        f"{nearest(against, known)}".rstrip()
    )


def _draws(wide: DataFrame) -> tuple[Labels, Labels]:
    """Parameter vector and replication of each row."""
    vectors, lucks = (wide.index.get_level_values(name).to_numpy() for name in BLOCK[1:])
    return vectors, lucks


def _main(batch: Finished, rows: DataFrame, levels: Sequence[str]) -> DataFrame:
    columns = ["future", "factor", "level", "difference", "low", "high", "pairs"]
    design = batch.about.design
    if design is None or design.kind not in ("factorial", "fraction"):
        return DataFrame(columns=columns)
    found = []
    inside = rows[rows["point"] >= batch.named]
    for future, part in inside.groupby("future", sort=False):
        there = part.groupby(list(BLOCK[1:]))["point"].transform("size")
        part = part[there == len(batch.points())]  # where a run failed, levels would stand beside other company
        for name in levels if len(part) else ():
            # a replication is one number: the mean over all levels of the other factors
            wide = part.pivot_table(index=list(BLOCK[1:]), columns=name, values="value", aggfunc="mean", sort=False)
            first = part[name].iloc[0]
            for level in (each for each in wide.columns if each != first):
                told = paired(wide[first], wide[level], *_draws(wide))
                head = (future, name.removeprefix(LEVEL), level)
                found.append((*head, told["difference"], told["low"], told["high"], told["pairs"]))
    return DataFrame(found, columns=columns)
