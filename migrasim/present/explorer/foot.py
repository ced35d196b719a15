"""What stands below a chart that leaves the page, so that its picture can be read alone."""

from __future__ import annotations

from dataclasses import replace

from migrasim.present.explorer.sources import published
from migrasim.present.explorer.view import Chart, View, ends
from migrasim.present.explorer.words import key_of, say
from migrasim.present.punctuation import listed


def foot(view: View, chart: Chart) -> list[str]:
    """Lines of text: the scenario, what dashes, dots and shade mean on this chart, who published the dots."""
    ids = [str(one["id"]) for one in chart.option["series"] if one["type"] == "line"]
    marks = (("now", "current"), ("before", "before"), ("baseline", "baseline"), ("range", "band-"))
    seen = [name for name, start in marks if any(one.startswith(start) for one in ids)]
    found = [say("foot_scenario", view.lang, names=view.scenarios)]
    if seen and seen != ["now"]:
        over = _range(view) if "range" in seen else ""
        found.append((" " if view.lang == "en" else "").join(each for each in (key_of(seen, view.lang), over) if each))
    return [*found, *_published(view, chart)]


def about(view: View, chart: Chart) -> list[tuple[str, str]]:
    """Columns of a table that leaves the page, the same in every row: chart, scenario, place, runs, sources."""
    runs = listed((f"{line.name} {line.result.run_id}" for line in view.lines), view.lang)
    sources = [view.source, *_published(view, chart)]
    shaded = any(str(one["id"]).startswith("band-") for one in chart.option["series"])
    ranges = [(say("bands", view.lang), f"{_range(view)} {say(f'ends_{ends(view)}', view.lang)}".strip())]
    return [
        (say("chart", view.lang), chart.title),
        (say("scenario", view.lang), view.scenarios),
        (say("place", view.lang), (replace(view, place=None) if chart.whole_region else view).about),
        (say("run_codes", view.lang), runs),
        *(ranges if shaded else []),
        (say("source", view.lang), (". " if view.lang == "en" else "。").join(sources)),
    ]


def _range(view: View) -> str:
    """What ranges are over, and of how many runs."""
    count = max(len(line.draws) for line in view.lines)
    return say("foot_range", view.lang, of=view.range_of, count=count)


def _published(view: View, chart: Chart) -> list[str]:
    named = say("published", view.lang)
    years = {each[0] for one in chart.option["series"] if one.get("name") == named for each in one["data"]}
    found = (say("pair", view.lang, one=year, other=text) for year, _, text in published(view.lang) if year in years)
    sources = listed(found, view.lang)
    return [say("foot_published", view.lang, sources=sources)] if sources else []
