"""Where the time of a run goes: seconds, rows and bytes of each phase beside what the machine's memory allows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pandas import DataFrame

    from migrasim.order import Simulation

_MB = 1 << 20
_BANDWIDTH_MB = 256  # beyond any cache that belongs to one core


def bandwidth_bytes_s() -> float:
    """Bytes a second that one thread reads from memory, the best of a few passes over 256 MB."""
    column = np.ones(_BANDWIDTH_MB * _MB // 8)
    seconds = []
    for _ in range(4):
        began = time.perf_counter()
        column.max()
        seconds.append(time.perf_counter() - began)
    return column.nbytes / min(seconds)


def profile(simulation: Simulation) -> DataFrame:
    """One row a phase: ``phase, seconds, rows, mb, ns_row, floor_s``.

    ``rows`` are persons, in the moving phase the households that considered; ``mb`` what all columns of
    persons and households hold, once a year, and in the moving phase the records of those who considered;
    ``floor_s`` the seconds of reading that once at the bandwidth measured now, by one thread. A phase
    that reads few columns can lie below its floor; far above it, it computes or waits.
    """
    import pandas as pd

    speed = bandwidth_bytes_s()
    return pd.DataFrame(
        [
            {
                "phase": phase,
                "seconds": seconds,
                "rows": simulation.rows[phase][0],
                "mb": simulation.rows[phase][1] / _MB,
                "ns_row": seconds / max(1, simulation.rows[phase][0]) * 1e9,
                "floor_s": simulation.rows[phase][1] / speed,
            }
            for phase, seconds in simulation.seconds.items()
        ]
    )
