"""What stands below a chart that leaves the page, so that its picture can be read alone."""

from __future__ import annotations

from migrasim.present.explorer.sources import published
from migrasim.present.explorer.view import Chart, View
from migrasim.present.explorer.words import key_of, say
from migrasim.present.punctuation import punctuated


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
    return [*found, *_published(view, chart)]


def about(view: View, chart: Chart) -> list[tuple[str, str]]:
    """Columns of a table that leaves the page, the same in every row: scenario, place, runs, sources."""
    runs = punctuated("; ".join(f"{line.name} {line.result.run_id}" for line in view.lines), view.lang)
    return [
        (say("scenario", view.lang), view.scenarios),
        (say("place", view.lang), view.about),
        (say("run_codes", view.lang), runs),
        (say("source", view.lang), ". ".join([view.source, *_published(view, chart)])),
    ]


def _published(view: View, chart: Chart) -> list[str]:
    named = say("published", view.lang)
    years = {each[0] for one in chart.option["series"] if one.get("name") == named for each in one["data"]}
    sources = "; ".join(f"{year}: {source}" for year, _, source in published() if year in years)
    sources = punctuated(sources, view.lang)
    return [say("foot_published", view.lang, sources=sources)] if sources else []
