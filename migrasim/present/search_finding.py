"""What a search for cheap mixes came to, in words, tables and a figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pandas import DataFrame

from migrasim.analysis.finished import Measure
from migrasim.analysis.search import Found
from migrasim.core.language import Lang
from migrasim.facts import FactBook
from migrasim.present import finding_figures as figures
from migrasim.present.finding_words import say
from migrasim.present.findings import NAMED, Finding, Scale, joined, name_of, sentences
from migrasim.present.punctuation import title_in
from migrasim.present.tables import amount
from migrasim.runs.design import Experiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def of_search(found: Found, lang: Lang) -> Finding:
    """The cheapest mixes that reach a target, or that none does."""
    experiment = found.experiment
    wanted = experiment.search
    assert wanted is not None
    assert experiment.design is not None
    assert experiment.design.scenario is not None
    target = wanted.target
    scale = Scale.of(Measure(target.indicator, target.year), lang)
    start = title_in(experiment.design.scenario.title, lang)
    row = found.best or found.nearest
    common: dict[str, Any] = {
        "target": say("target_of", lang, what=scale.what, number=scale.level(target.at_least)),
        "chance": f"{100 * target.chance:g}%",
        "mix": int(row["mix"]),
        "levels": mix_words(row, experiment, lang),
        "cost": _million(row["public_yuan"]),
        "cost_low": _million(row["public_low"]),
        "cost_high": _million(row["public_high"]),
        "payers": _payers(row, lang),
        "start": start,
        "year": target.year,
        "wins": round(row["chance"] * row["runs"]),
        "count": int(row["runs"]),
        "chance_low": f"{100 * row['chance_low']:.0f}%",
        "chance_high": f"{100 * row['chance_high']:.0f}%",
        "result": scale.level(row["result"]),
        "at_chance": scale.level(row["at_chance"]),
    }
    parts = [say("search_found" if found.best else "search_none", lang, **common)]
    if found.best:
        if not (row["reaches"] and row["within_budget"]):
            parts.append(say("search_fell" if not row["reaches"] else "search_dearer", lang, chance=common["chance"]))
        elif row["chance_low"] < target.chance:
            parts.append(say("search_unsure", lang, chance=common["chance"]))
        others = found.verified[found.verified["within_budget"] & (found.verified["mix"] != row["mix"])]
        others = others[others["reaches"]].head(NAMED)
        each = [
            say(
                "search_runner",
                lang,
                mix=int(one["mix"]),
                cost=_million(one["public_yuan"]),
                chance=f"{100 * one['chance']:.0f}%",
            )
            for one in others.to_dict("records")
        ]
        if each:
            parts.append(say("search_runners", lang, each=joined(each, lang)))
    else:
        beyond = found.tried[~found.tried["within_budget"]].nlargest(1, "at_chance")
        for one in beyond[beyond["at_chance"] > row["at_chance"]].to_dict("records"):
            told = {"mix": int(one["mix"]), "at_chance": scale.level(one["at_chance"])}
            parts.append(say("search_beyond", lang, cost=_million(one["public_yuan"]), **told))
    parts.append(
        say(
            "search_how",
            lang,
            trials=len(found.tried),
            tried_runs=found.runs[0],
            verified=len(found.verified),
            verified_runs=found.runs[1],
            last_runs=found.runs[2],
            start=start,
            start_result=scale.level(found.start),
        )
    )

    def draw(figure: Figure) -> None:
        figures.search(figure, found, scale, lang)

    from migrasim import __version__

    source = say(
        "source",
        lang,
        version=__version__,
        name=experiment.name,
        runs=f"{sum(found.runs):,}",
        seed=experiment.seed,
        sample=f"{experiment.sample:g}",
        intervals=say(
            "intervals_both" if len(experiment.parameters.points) > 1 else "intervals_luck",
            lang,
            count=wanted.verify_replications,
        ),
    )
    title = f"{say('search', lang)}{': ' if lang == 'en' else '：'}{title_in(experiment.title, lang)}"
    tables = {"chosen": DataFrame([row]), "verified": found.verified, "tried": found.tried}
    return Finding(title, sentences(parts, lang), tables, draw, source)


def mix_words(row: Mapping[str, Any], experiment: Experiment, lang: Lang) -> str:
    """The levels of a mix in words: strengths of groups, values of levers."""
    assert experiment.design is not None
    book = FactBook.load()
    said, strength = [], False
    for name, one in experiment.design.ranges.items():
        unit = "" if one.what == "strength" or name not in book.levers else f" {book.levers[name].unit}"
        strength = strength or one.what == "strength"
        said.append(f"{name_of(name, lang)} {amount(row[name])}{unit if lang == 'en' else ''}")
    text = joined(said, lang)
    if not strength:
        return text
    note = say("strength_note", lang)
    return f"{text} ({note})" if lang == "en" else f"{text}（{note}）"


def _million(yuan: float) -> str:
    return f"{yuan / 1e6:,.0f}".replace("-", "−")


def _payers(row: Mapping[str, Any], lang: Lang) -> str:
    public = [
        say("payer", lang, payer=say(one, lang), number=_million(row[f"{one}_yuan"])) for one in ("county", "higher")
    ]
    others = [
        say("payer", lang, payer=say(one, lang), number=_million(row[f"{one}_yuan"]))
        for one in ("enterprise", "household")
        if abs(row[f"{one}_yuan"]) >= 5e5
    ]
    text = joined(public, lang)
    return text + say("beside", lang, payers=joined(others, lang)) if others else text
