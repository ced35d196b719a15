"""An analysis of a batch by name: from the finished runs to what is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

from migrasim.analysis import attribution, differences, discovery, sensitivity
from migrasim.analysis.finished import Finished, Measure
from migrasim.core.errors import InputError, nearest
from migrasim.core.language import Lang
from migrasim.present import findings
from migrasim.present.findings import Finding

METHODS = ("differences", "attribution", "sensitivity", "discovery")


@dataclass(frozen=True)
class Request:
    """What is asked of a batch.

    Attributes
    ----------
    method
        One of `METHODS`.
    measure
        Indicator, year and place.
    against
        Scenario or point that is taken off.
    at_least
        Below it a case falls short (discovery).
    """

    method: str
    measure: Measure
    against: str | None = None
    at_least: float | None = None

    @property
    def folder(self) -> str:
        """Name of the folder of the results inside the batch."""
        least = None if self.at_least is None else f"{self.at_least:g}"
        parts = [self.method, self.measure.indicator, self.measure.place, str(self.measure.year), self.against, least]
        return "-".join(part.replace("/", "_") for part in parts if part)


def request(
    batch: Finished,
    method: str | None = None,
    indicator: str | None = None,
    year: int | None = None,
    place: str | None = None,
    against: str | None = None,
    at_least: float | None = None,
) -> Request:
    """What is asked, with what the experiment of the batch says where nothing is given.

    Raises
    ------
    InputError
        Where no method is given or known, and for what the method would not look at.
    """
    said = dict(batch.about.analyse or {})
    chosen = method or said.get("method")
    if chosen is None:
        raise InputError(f"--method: this batch does not say how it is analysed; allowed: {', '.join(METHODS)}")
    if chosen not in METHODS:
        hint = nearest(chosen, METHODS)
        raise InputError(f"--method: '{chosen}' is not known; allowed: {', '.join(METHODS)}. {hint}".rstrip())
    if against is not None and chosen not in ("differences", "sensitivity"):
        raise InputError(f"--against: {chosen} takes nothing off; leave it out, or ask for differences or sensitivity")
    if at_least is not None and chosen != "discovery":
        raise InputError(f"--at-least: {chosen} has no threshold; leave it out, or ask for discovery")
    if at_least is not None and not isfinite(at_least):
        raise InputError(f"--at-least: {at_least} is not allowed; allowed: finite numbers")
    if chosen != said.get("method"):
        said = {name: value for name, value in said.items() if name in ("indicator", "year")}
    last = batch.years[-1]
    measure = Measure(
        said.get("indicator", Measure.indicator) if indicator is None else indicator,
        year if year is not None else min(int(said.get("year", last)), last),
        place,
    )
    least = at_least if at_least is not None else said.get("at_least")
    taken = said.get("against") if against is None else against
    return Request(chosen, measure, taken, least)


def analyse(batch: Finished, asked: Request, lang: Lang = "en") -> Finding:
    """Analyse a batch.

    Raises
    ------
    InputError
        Where the batch cannot answer it, saying what would.
    """
    by_name: dict[str, Callable[[Finished, Request, Lang], Finding]] = {
        "differences": _differences,
        "attribution": _attribution,
        "sensitivity": _sensitivity,
        "discovery": _discovery,
    }
    return by_name[asked.method](batch, asked, lang)


def _differences(batch: Finished, asked: Request, lang: Lang) -> Finding:
    found = differences.of_batch(batch, asked.measure, asked.against)
    return findings.of_differences(found, batch, asked.measure, lang)


def _attribution(batch: Finished, asked: Request, lang: Lang) -> Finding:
    return findings.of_attribution(attribution.of_batch(batch, asked.measure), batch, asked.measure, lang)


def _sensitivity(batch: Finished, asked: Request, lang: Lang) -> Finding:
    table = sensitivity.of_batch(batch, asked.measure, asked.against)
    names = [name for name in dict.fromkeys(batch.design["scenario"]) if name != asked.against]
    return findings.of_sensitivity(table, batch, asked.measure, asked.against, names[0], lang)


def _discovery(batch: Finished, asked: Request, lang: Lang) -> Finding:
    if asked.at_least is None:
        raise InputError("--at-least: discovery needs a threshold below which a case falls short, such as 0.7")
    table = discovery.cases(batch, asked.measure)
    found = discovery.of_batch(batch, asked.measure, asked.at_least)
    return findings.of_discovery(found, table, batch, asked.measure, lang)
