"""What the model itself was off by in counties left out of its fit, said beside levels that it gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrasim.analysis.missed import left_out
from migrasim.core.language import Lang
from migrasim.present.language import phrase
from migrasim.region import Region


def region_of(provenance: Mapping[str, Any]) -> Region | None:
    """The region package of a run, where this version ships it; never a path that a file names."""
    name = str((provenance.get("region") or {}).get("name", ""))
    return Region.load(name) if name in Region.shipped() else None


def in_short(region: Region | None, base: int, year: int, lang: Lang, *, county: bool = False) -> str:
    """The same in a line, of the region or of one county; nothing where nothing was fitted."""
    found = None if region is None else left_out(region)
    if found is None or year <= base:
        return ""
    of_region, of_county = found.after(year - base)
    return phrase("model_error_short", lang, year=year, points=f"{100 * (of_county if county else of_region):.1f}")


def model_error(region: Region | None, base: int, until: int, lang: Lang) -> str:
    """What left-out counties were missed by, and how far that goes until a year; nothing where nothing was fitted.

    Parameters
    ----------
    region
        The region of the run, None where it is not known.
    base, until
        First and last year of the levels that are shown.
    lang
        Language of the sentence.
    """
    found = None if region is None else left_out(region)
    if found is None or until <= base:
        return ""
    errors = [abs(each) for each in found.counties.values()]
    whole, county = found.after(until - base)
    points = {
        "mean": sum(errors) / len(errors), "most": max(errors), "whole": abs(found.whole), "half": whole,
        "county": county,
    }  # fmt: skip
    told = {name: f"{100 * value:.1f}" for name, value in points.items()}
    too = phrase("too_low" if found.whole < 0 else "too_high", lang)
    return phrase("model_error", lang, years=found.years, until=until, too=too, **told)
