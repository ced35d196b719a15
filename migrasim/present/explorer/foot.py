"""What stands below a chart that leaves the page, so that its picture can be read alone."""

from __future__ import annotations

from migrasim.present.explorer.sources import published
from migrasim.present.explorer.view import Chart, View
from migrasim.present.explorer.words import key_of, say


def foot(view: View, chart: Chart) -> list[str]:
    """Lines of text: the scenario, what dashes, dots and shade mean on this chart, who published the dots."""
    ids = [str(one["id"]) for one in chart.option["series"] if one["type"] == "line"]
    marks = (("now", "current"), ("before", "before"), ("baseline", "baseline"), ("range", "band-"))
    seen = [name for name, start in marks if any(one.startswith(start) for one in ids)]
    draws = max(len(line.draws) for line in view.lines)
    found = [say("foot_scenario", view.lang, names=view.scenarios)]
    if seen and seen != ["now"]:
        over = say("foot_range", view.lang, of=view.range_of, count=draws) if "range" in seen else ""
        found.append(f"{key_of(seen, view.lang)} {over}".strip())
    named = say("published", view.lang)
    years = {each[0] for one in chart.option["series"] if one.get("name") == named for each in one["data"]}
    sources = "; ".join(f"{year}: {source}" for year, _, source in published() if year in years)
    return [*found, say("foot_published", view.lang, sources=sources)] if sources else found
