"""Run a tiny world and print a hash of its state and the number of near ties; started by test_laws."""

import hashlib
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from worlds import tiny_inputs, tiny_world

from migrasim.core import rule
from migrasim.domains.moving import phase as moving
from migrasim.order import Simulation

if blocks := int(os.environ.get("BLOCKS", 0)):  # a tiny world would be one block in most loops
    rule._blocks = lambda count, least_rows: blocks
simulation = Simulation.start(tiny_world(200, inputs=tiny_inputs(), seed=3), [2, 3, 1, 1, 3, 3, 3, 8, 14])
ties = 0


def watch(world: object) -> None:
    global ties
    _, _codes, values = moving.first_choices(world, with_values=True)
    ties += int(np.count_nonzero(values[:, 0] - values[:, 1] < 1e-9))


simulation.watch = watch
found = hashlib.sha256()
for _ in range(int(sys.argv[1])):
    simulation.step()
    world = simulation.world
    for table in (world.persons, world.households):
        for name in table.names:
            found.update(np.ascontiguousarray(getattr(table, name)).tobytes())
    for flows in (world.flows.moves, world.flows.births, world.flows.deaths):
        found.update(flows.tobytes())
print(found.hexdigest(), ties)
