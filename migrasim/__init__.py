"""migrasim: an open simulator of rural-urban migration for planners.

>>> import migrasim as ms
>>> run = ms.run("plan", seed=7)  # doctest: +SKIP
>>> run.indicators  # doctest: +SKIP

What stands here is imported when it is first used, so that ``import migrasim`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from migrasim.analysis.band import band as band
    from migrasim.analysis.compare import Comparison as Comparison
    from migrasim.analysis.compare import compare as compare
    from migrasim.analysis.compare import read as read
    from migrasim.core.errors import InputError as InputError
    from migrasim.facts import FactBook as FactBook
    from migrasim.model import MigrationModel as MigrationModel
    from migrasim.region import Region as Region
    from migrasim.runs.result import RunResult as RunResult
    from migrasim.runs.simulate import simulate as run
    from migrasim.scenario import Scenario as Scenario

_HOME = {
    "run": ("migrasim.runs.simulate", "simulate"),
    "band": ("migrasim.analysis.band", "band"),
    "compare": ("migrasim.analysis.compare", "compare"),
    "Comparison": ("migrasim.analysis.compare", "Comparison"),
    "MigrationModel": ("migrasim.model", "MigrationModel"),
    "Scenario": ("migrasim.scenario", "Scenario"),
    "FactBook": ("migrasim.facts", "FactBook"),
    "Region": ("migrasim.region", "Region"),
    "RunResult": ("migrasim.runs.result", "RunResult"),
    "read": ("migrasim.analysis.compare", "read"),
    "InputError": ("migrasim.core.errors", "InputError"),
}

__all__ = [
    "Comparison",
    "FactBook",
    "InputError",
    "MigrationModel",
    "Region",
    "RunResult",
    "Scenario",
    "band",
    "compare",
    "read",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'migrasim' has no attribute '{name}'")
    module, attribute = _HOME[name]
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
