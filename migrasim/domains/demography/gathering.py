"""The end of the year's demography: new rows are written, the dead dropped, and persons put beside their families."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from migrasim.core.codes import N_TIERS, NOWHERE, Tier
from migrasim.core.columns import Runs, Table
from migrasim.core.errors import LawBroken
from migrasim.core.rule import blocks_of, copy_run, empty, kernel, threaded_kernel
from migrasim.domains.demography.living import Lived
from migrasim.world import World

Rows = dict[str, Any]  # columns that are not 0: one value a row, or one for all


class Moved(NamedTuple):
    """Rows of persons who join another household, in no order, and the rows of the households that they left."""

    rows: np.ndarray
    left: np.ndarray


def _rows(table: Table, parts: Sequence[Rows]) -> dict[str, np.ndarray]:
    """Rows that join a table, part after part; what a part does not say is 0."""
    counts = [len(part["key"]) for part in parts]
    rows = {name: np.zeros(sum(counts), getattr(table, name).dtype) for name in table.names}
    end = 0
    for part, count in zip(parts, counts, strict=True):
        first, end = end, end + count
        for name, values in part.items():
            rows[name][first:end] = values
    return rows


@kernel
def _comers(household, before, dead, left, moved, joining, households):
    """Households that change, and who comes to each: by chains in the order of rows.

    Parameters
    ----------
    household : (persons,) where each lives now; ``before`` is the number of households before this year's
    dead, moved : rows of the dead, and of persons who joined another household
    left : rows of the households that these left, and of those where nobody is left
    joining : (joining,) household of those who join the table, numbered on
    households : number of households, the new ones among them

    Returns
    -------
    changed : (households,) whether others live there than before
    newest : (households,) who comes first by rows, a number of the following, or -1
    row, after : (comers,) rows of persons, and who comes next to the same household
    """
    here, come = household.shape[0], moved.shape[0] + joining.shape[0]
    changed, newest = empty(households, np.bool_), empty(households, np.int32)
    for h in range(households):
        changed[h], newest[h] = h >= before, -1
    for h in left:
        changed[h] = True
    for i in dead:
        changed[household[i]] = True
    row, after = empty(come, np.int32), empty(come, np.int32)
    for n in range(come):
        row[n] = moved[n] if n < moved.shape[0] else here + n - moved.shape[0]
        h = household[row[n]] if row[n] < here else joining[row[n] - here]
        changed[h] = True
        if newest[h] < 0 or row[newest[h]] > row[n]:
            after[n] = newest[h]
            newest[h] = n
        else:
            beside = newest[h]
            while after[beside] >= 0 and row[after[beside]] < row[n]:
                beside = after[beside]
            after[n] = after[beside]
            after[beside] = n
    return changed, newest, row, after


@threaded_kernel
def _in_order(block, household, gone, first_member, members, changed, newest, row, after, first, place, heads, found):
    """Rows of the living and of those who join, in the order of their households and rows: `Runs` of each block.

    Almost every household keeps its members as they are; those of the others are looked for, beside `_comers`.

    Parameters
    ----------
    household, gone : (persons,) where each lives now, and the dead
    first_member, members : (households before,) the persons of each as they stand in the table
    first, place, heads : room for the runs, counted from the first person of the block on, and for how many members
        each household has that has any; each block writes them from a place of its own on
    found : (3, blocks, 2) these places and how many: of runs, of heads, and how many persons
    """
    here, before, kept = household.shape[0], first_member.shape[0], block[0]
    begins = (first_member[block[0]] if block[0] < before else here) + block[2] * row.shape[0]
    runs, total, begun, follows = begins, 0, block[0], -1
    for h in range(block[0], block[1] + 1):
        if h < block[1] and not changed[h]:
            continue
        if begun < h:  # those from ``begun`` on are as they were
            start, end = first_member[begun], first_member[h] if h < before else here
            if start != follows:
                first[runs], place[runs] = start, total
                runs += 1
            copy_run(heads, kept, members, begun, h - begun)
            kept += h - begun
            total += end - start
            follows = end
        begun = h + 1
        if h == block[1]:
            break
        began, n = total, newest[h]
        own = first_member[h] if h < before else here
        end = own + members[h] if h < before else here
        while own < end or n >= 0:
            if n >= 0 and (own >= end or row[n] < own):
                i = row[n]
                n = after[n]
            else:
                i = own
                own += 1
                if gone[i] or household[i] != h:
                    continue
            if i != follows or i == here:
                first[runs], place[runs] = i, total
                runs += 1
            total += 1
            follows = i + 1
        heads[kept] = total - began
        kept += total > began
    found[0, block[2], 0], found[0, block[2], 1] = begins, runs - begins
    found[1, block[2], 0], found[1, block[2], 1] = block[0], kept - block[0]
    found[2, block[2], 1] = total


def _order(
    world: World, lived: Lived, left: np.ndarray, moved: np.ndarray, joining: np.ndarray, households: int
) -> tuple[Runs, np.ndarray]:
    """Persons in the order of their ``households``, as `_comers` and `_in_order` say; how many live in each (int32)."""
    household, before = world.persons.household, len(world.members)
    changed, newest, row, after = _comers(household, before, lived.dead, left, moved, joining, households)
    blocks = blocks_of(households)
    first, place = (np.empty(len(household) + blocks * len(row), np.int32) for _ in range(2))
    heads, found = np.empty(households, np.int32), np.zeros((3, blocks, 2), np.int64)
    _in_order(
        households, household, lived.gone, world.first_member, world.members, changed, newest, row, after, first, place,
        heads, found,
    )  # fmt: skip
    end = np.cumsum(found[2, :, 1])
    pieces = [slice(begins, begins + runs) for begins, runs in found[0].tolist()]
    places = [place[piece] + np.int32(begins) for piece, begins in zip(pieces, end - found[2, :, 1], strict=True)]
    members = np.concatenate([heads[begins : begins + kept] for begins, kept in found[1].tolist()])
    order = np.concatenate([first[piece] for piece in pieces])
    return Runs(order, np.concatenate([*places, end[-1:].astype(np.int32)])), members


def gather(
    world: World,
    lived: Lived,
    dissolved: np.ndarray,
    founded: np.ndarray,
    moved: Moved,
    newborn: Rows,
    strangers: tuple[Rows, Rows],
) -> None:
    """Write new rows, drop the dead and the empty households, and put persons beside their families."""
    people, homes = world.persons, world.households
    persons, households = strangers
    old, new = len(homes), len(founded)
    joining = _rows(homes, [_founded_rows(world, founded), households])
    persons["household"] += old + new
    added = _rows(people, [newborn, persons])
    order, members = _order(
        world, lived, np.concatenate([moved.left, dissolved]), moved.rows, added["household"], old + len(joining["key"])
    )
    world.take_persons(order, members, added)
    homes.take(Runs.without(dissolved, 1, old, len(joining["key"])), joining)
    if len(homes) != len(members):  # kernels would look beyond the end of columns
        raise LawBroken(
            f"{world.year}: every household has somebody: {len(homes)} households, {len(members)} with people"
        )
    wed = world.measures["newlywed_rows"]
    before = np.searchsorted(dissolved, wed)
    world.measures["newlywed_rows"] = (wed - before)[before == np.searchsorted(dissolved, wed, side="right")]


def _founded_rows(world: World, founded: np.ndarray) -> Rows:
    """Rows of households that left a family: registered where it is, with their share of what it has."""
    homes = world.households
    source = founded["source"]
    home_place = homes.home_place[source]
    village = (home_place < world.geography.inside) & (home_place % N_TIERS == Tier.VILLAGE)
    return {
        "key": founded["key"],
        "kind": founded["kind"],
        "community": homes.community[source],
        "home_place": home_place,
        "hukou_urban": homes.hukou_urban[source],
        "place": founded["place"],
        "away_place": NOWHERE,
        "since_year": founded["since_year"],
        "tenure": founded["tenure"],
        "land_mu": founded["land_mu"],
        "has_homestead": (founded["place"] == home_place) & village,
        "has_collective_share": homes.has_collective_share[source],
        "savings_yuan": founded["savings_yuan"],
        "permit": np.where(founded["is_away"], 0, homes.permit[source]),
    }
