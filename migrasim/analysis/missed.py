"""What the model missed the rate of towns by in counties left out of its fit, as the evidence of the fit tells it.

Apart from what makes it (`backtests`), so that a run can say it without loading statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from migrasim.core.documents import read_mapping
from migrasim.region import FIT, Region

EVIDENCE = "evidence.yaml"


@dataclass(frozen=True)
class Missed:
    """Forecasts less what came, all of the rate of towns (shares).

    Attributes
    ----------
    years
        From the first census to the second.
    counties
        By county, each forecast by vectors that were ranked without it.
    whole
        The same of the region: residents of all counties as they were forecast, added up.
    county
        What the error of a further county lies within in 90 of 100 cases (Student's t).
    """

    years: int
    counties: Mapping[str, float]
    whole: float
    county: float

    def after(self, years: int) -> tuple[float, float]:
        """Error of the region's rate after so many years at the same pace, and what a county's lies within.

        Examples
        --------
        >>> Missed(10, {"East": -0.02}, -0.01, 0.04).after(15)
        (0.015, 0.06)
        """
        return abs(self.whole) * years / self.years, self.county * years / self.years

    def told(self) -> dict[str, Any]:
        """As the evidence has it."""
        return {
            "meaning": "forecast less published rate of towns, of a county by vectors that were ranked without it",
            "years": self.years,
            "rate_error": {name: round(error, 5) for name, error in self.counties.items()},
            "rate_error_added_up": round(self.whole, 5),
            "rate_error_90_of_100": round(self.county, 5),
        }


@lru_cache(maxsize=4)
def left_out(region: Region) -> Missed | None:
    """What forecasts of counties that the fit left out missed; None where nothing was fitted or left out."""
    path = region.folder / FIT / EVIDENCE
    found = read_mapping(path).get("left_out") if path.is_file() else None
    if not found:
        return None
    return Missed(found["years"], found["rate_error"], found["rate_error_added_up"], found["rate_error_90_of_100"])
