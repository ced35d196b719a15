"""What analyses of a batch find: a paragraph with its uncertainty, tidy tables and a figure, in one language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrasim.analysis.attribution import Attribution
from migrasim.analysis.differences import Differences
from migrasim.analysis.discovery import Discovery
from migrasim.analysis.finished import Finished, Measure
from migrasim.analysis.sensitivity import ENOUGH, quiet
from migrasim.core.errors import InputError
from migrasim.core.language import Lang
from migrasim.facts import FactBook
from migrasim.indicators import CATALOGUE
from migrasim.present import finding_figures as figures
from migrasim.present.finding_words import say
from migrasim.present.places import check_parent
from migrasim.present.punctuation import title_in
from migrasim.present.tables import amount
from migrasim.present.titles import place
from migrasim.present.titles import unit as unit_in
from migrasim.scenario import Scenario, shipped
from migrasim.variants import futures

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

WORDS = "words.md"  # by which a folder of findings is known
NAMED = 4  # how many are named in a sentence


def check_folder(folder: Path) -> None:
    """Refuse a folder for what is found that holds something other than such findings, or is none.

    Raises
    ------
    InputError
        Naming what is in the way; nothing is changed.
    """
    check_parent(folder)
    try:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder}: a file is in the way; give a folder")
        if folder.is_dir() and any(folder.iterdir()) and not (folder / WORDS).is_file():
            raise InputError(f"{folder}: the folder holds something other than an analysis; give an empty or a new one")
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror or error}") from None


@dataclass(frozen=True)
class Finding:
    """Something found, ready to be read.

    Attributes
    ----------
    title, words
        Heading and paragraph.
    tables
        Tidy, by the name of their file.
    draw
        Fills a figure.
    source
        Line under the figure: where it comes from, and what its intervals hold.
    """

    title: str
    words: str
    tables: Mapping[str, DataFrame]
    draw: Callable[[Figure], None]
    source: str

    def write(self, folder: Path, lang: Lang) -> list[Path]:
        """Write ``words.md``, a CSV a table and ``figure.png`` into a folder, in the place of earlier ones.

        Raises
        ------
        InputError
            Where the folder cannot be written, or holds something else.
        """
        check_folder(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            paths = [folder / WORDS]
            text = f"# {self.title}\n\n{self.words}\n\n![{self.title}](figure.png)\n\n{self.source}\n"
            paths[0].write_text(text, encoding="utf-8")
            for name, table in self.tables.items():
                paths.append(folder / f"{name}.csv")
                table.to_csv(paths[-1], index=False, lineterminator="\n")
        except OSError as error:
            raise InputError(f"{folder}: cannot be written: {error.strerror or error}") from None
        return [*paths, figures.save(self.draw, folder / "figure.png", self.title, self.source, lang)]


@dataclass(frozen=True)
class Scale:
    """How an indicator is written: shares as percent, differences of shares as points, large sums in millions."""

    what: str
    unit: str
    difference_unit: str
    factor: float
    decimals: int
    lang: Lang = field(repr=False)

    @staticmethod
    def of(measure: Measure, lang: Lang) -> Scale:
        """The scale of a measure."""
        known = CATALOGUE.get(measure.indicator)
        title = title_in(known.title, lang) if known else measure.indicator
        key = "in_year" if measure.place is None else "in_place"
        what = say(
            key,
            lang,
            title=title if lang != "en" else f"{title[:1].lower()}{title[1:]}",
            year=measure.year,
            place=None if measure.place is None else place(measure.place, lang),
        )
        unit = known.unit if known else ""
        if unit.startswith("share"):
            return Scale(what, "%", say("points", lang), 100.0, 2, lang)
        word = unit_in(unit, lang)
        if unit in ("yuan of 2020", "yuan of 2020 a year"):
            million = (
                f"million {word}" if lang == "en" else word.replace("元", "百萬元" if lang == "zh-Hant" else "百万元")
            )
            return Scale(what, million, million, 1e-6, 1, lang)
        decimals = 2 if unit in ("ratio", "") else 0
        return Scale(what, word, word, 1.0, decimals, lang)

    def level(self, value: float) -> str:
        """A level with its unit."""
        mark = "%" if self.unit == "%" else f" {self.unit}"
        return f"{self.factor * value:,.{self.decimals}f}{mark}"

    def change(self, value: float) -> str:
        """A difference, signed, without its unit."""
        rounded = round(self.factor * value, self.decimals) + 0.0  # no -0
        return f"{rounded:+,.{self.decimals}f}".replace("-", "−")

    def ends(self, value: float, low: float, high: float) -> str:
        """A difference with its interval, where it has one."""
        if low != low:
            return self.change(value)
        return say("with_interval", self.lang, number=self.change(value), low=self.change(low), high=self.change(high))


def name_of(name: str, lang: Lang) -> str:
    """Title of a lever, group, fact, scenario or future; the name itself where it has none."""
    book = FactBook.load()
    for known in (book.groups, book.levers, book.facts, futures()):
        if name in known:
            one: Any = known[name]
            return title_in(getattr(one, "title", one), lang)
    return title_in(Scenario.load(name, book).title, lang) if name in shipped("scenarios") else name


def level_name(level: object, lang: Lang) -> str:
    """A level of a factor as people read it."""
    text = str(level)
    if text in ("status_quo", "plan", "double"):
        return say(text, lang)
    return amount(float(text)) if text.replace(".", "", 1).replace("-", "", 1).isdigit() else text


def source_line(batch: Finished, lang: Lang, intervals: str | None = None) -> str:
    """Where the numbers come from and what the intervals hold: luck, unless `intervals` names another phrase."""
    from migrasim import __version__

    vectors = batch.design["parameter_set"].nunique() > 1
    if intervals is not None:
        told = say(intervals, lang)
    elif batch.replications == 1 and not vectors:
        told = say("no_interval", lang)
    else:
        told = say("intervals_both" if vectors else "intervals_luck", lang, count=batch.replications)
    return say(
        "source",
        lang,
        version=__version__,
        name=batch.about.name,
        runs=f"{batch.design['run_id'].nunique():,}",
        seed=batch.about.seed,
        sample=f"{100 * batch.about.sample:g}",
        intervals=told,
    )


def joined(parts: Sequence[str], lang: Lang) -> str:
    """Names in a row."""
    return say("comma", lang).join(parts)


def sentences(parts: Sequence[str], lang: Lang) -> str:
    """A paragraph of sentences; empty ones are left out."""
    return (" " if lang == "en" else "").join(part for part in parts if part)


def _missing(batch: Finished, measure: Measure, lang: Lang) -> str:
    gone = int(batch.values(measure).isna().sum())
    return say("missing", lang, missing=gone, runs=len(batch.design)) if gone else ""


def of_attribution(found: Mapping[str, Attribution], batch: Finished, measure: Measure, lang: Lang) -> Finding:
    """Shares of an effect among levers or groups."""
    import pandas as pd

    scale = Scale.of(measure, lang)
    levels = {str(level) for point in batch.points().values() for level in point.values()} - {"status_quo"}
    level = min(levels, default="plan")
    parts = []
    for future, one in found.items():
        words = _attribution_words(one, scale, level, lang)
        parts.append(say("future_head", lang, words=words, future=name_of(future, lang)) if len(found) > 1 else words)
    tables = {
        "shares": pd.concat([one.shares.assign(future=future) for future, one in found.items()], ignore_index=True),
        "interactions": pd.concat(
            [one.interactions.assign(future=future) for future, one in found.items()], ignore_index=True
        ),
        "whole": pd.DataFrame(
            [(future, *one.effect, one.seeds) for future, one in found.items()],
            columns=["future", "difference", "low", "high", "seeds"],
        ),
    }
    named = {name_of(future, lang): one for future, one in found.items()}

    def draw(figure: Figure) -> None:
        figures.attribution(figure, named, scale, lambda name: name_of(name, lang), lang)

    words = sentences([*parts, _missing(batch, measure, lang)], lang)
    title = f"{say('attribution', lang)}{': ' if lang == 'en' else '：'}{scale.what}"
    return Finding(title, words, tables, draw, source_line(batch, lang))


def _attribution_words(one: Attribution, scale: Scale, level: str, lang: Lang) -> str:
    rows = one.shares.sort_values("share", key=abs, ascending=False, kind="stable").to_dict("records")
    each = [
        say("said", lang, name=name_of(row["player"], lang), number=scale.ends(row["share"], row["low"], row["high"]))
        for row in rows
    ]
    parts = [
        say(
            "attribution_words",
            lang,
            count=len(rows),
            level=say(level, lang),
            what=scale.what,
            whole=scale.ends(*one.effect),
            unit=scale.difference_unit,
            each=joined(each, lang),
        )
    ]
    if unclear := [name_of(row["player"], lang) for row in rows if row["low"] * row["high"] <= 0]:
        parts.append(say("unclear", lang, names=joined(unclear, lang)))
    clear = [row for row in one.interactions.to_dict("records") if row["low"] * row["high"] > 0]
    clear = sorted(clear, key=lambda row: -abs(row["interaction"]))[:3]
    if clear:
        said = [
            say(
                "help" if row["interaction"] > 0 else "hinder",
                lang,
                pair=say("and", lang, one=name_of(row["first"], lang), other=name_of(row["second"], lang)),
                number=scale.change(row["interaction"]),
            )
            for row in clear
        ]
        parts.append("; ".join(said) + "." if lang == "en" else "；".join(said) + "。")
    elif len(one.interactions) and one.seeds > 1:
        parts.append(say("no_pairs", lang))
    error = float(one.shares["order_error"].max())
    if error > 0:
        parts.append(say("order_error", lang, number=scale.change(error).lstrip("+")))
    return sentences(parts, lang)


def of_sensitivity(
    table: DataFrame, batch: Finished, measure: Measure, against: str | None, looked: str, lang: Lang
) -> Finding:
    """Which uncertain numbers a result hangs on."""
    scale = Scale.of(measure, lang)
    what = scale.what
    if against is not None:
        names = {"scenario": name_of(looked, lang), "reference": name_of(against, lang)}
        what = say("effect_of", lang, what=what, **names)
    kind, column, low = (
        ("morris", "effect", "low")
        if "effect" in table
        else ("sobol", "total", "total_low")
        if "total" in table
        else ("pawn", "distance", "low")
    )
    high = "total_high" if kind == "sobol" else "high"

    def number(value: float) -> str:
        if kind == "morris":
            return scale.change(value).lstrip("+")
        return f"{100 * value:.0f}%" if kind == "sobol" else f"{value:.2f}"

    said = [
        say(
            "said",
            lang,
            name=name_of(row["name"], lang),
            number=say("with_interval", lang, number=number(row[column]), low=number(row[low]), high=number(row[high])),
        )
        for row in table.head(NAMED).to_dict("records")
    ]
    floor = float(table["noise"].iloc[0]) if kind == "pawn" else 0.0
    words = say(
        f"{kind}_words",
        lang,
        what=what,
        first=said[0],
        rest=joined(said[1:], lang),
        quiet=quiet(table),
        count=len(table),
        unit=scale.difference_unit,
        noise=f"{floor:.2f}",
    )

    if kind == "sobol" and int(table["draws"].iloc[0]) < ENOUGH:
        words = sentences([words, say("sobol_few", lang, draws=int(table["draws"].iloc[0]), enough=ENOUGH)], lang)

    def draw(figure: Figure) -> None:
        figures.sensitivity(figure, table, kind, scale, lambda name: name_of(name, lang), lang)

    title = f"{say('sensitivity', lang)}{': ' if lang == 'en' else '：'}{what}"
    return Finding(title, words, {"sensitivity": table}, draw, source_line(batch, lang, "intervals_points"))


def of_differences(found: Differences, batch: Finished, measure: Measure, lang: Lang) -> Finding:
    """What each point of a design or each scenario does against one of them."""
    scale = Scale.of(measure, lang)
    labels = point_labels(batch, lang)
    reference = labels[found.against]
    parts = []
    for future, table in found.table.groupby("future", sort=False):
        ordered = table.sort_values("difference", ascending=False, kind="stable").to_dict("records")
        best, worst = ordered[0], ordered[-1]
        more: dict[str, object] = {}
        if len(ordered) > 1:
            more = {
                "worst": labels[worst["scenario"]],
                "worst_number": scale.ends(worst["difference"], worst["low"], worst["high"]),
            }
        words = say(
            "differences_words" if len(ordered) > 1 else "difference_words",
            lang,
            reference=reference,
            reference_value=scale.level(best["reference"]),
            what=scale.what,
            best=labels[best["scenario"]],
            best_number=scale.ends(best["difference"], best["low"], best["high"]),
            best_chance=f"{best['chance'] * best['pairs']:g}",  # ties count half
            pairs=int(best["pairs"]),
            unit=scale.difference_unit,
            **more,
        )
        told = [words, say("differences_ties", lang) if best["ties"] else ""]
        if len(ordered) > 1 and table["low"].notna().any():  # one pair tells of no clear difference, nor of none
            up, down = int((table["low"] > 0).sum()), int((table["high"] < 0).sum())
            told.append(say("differences_clear", lang, count=len(ordered), up=up, down=down))
        words = sentences(told, lang)
        main = found.main[found.main["future"] == future]
        if len(main):
            each = [
                say(
                    "said",
                    lang,
                    name=say(
                        "level_of", lang, factor=name_of(row["factor"], lang), level=level_name(row["level"], lang)
                    ),
                    number=scale.ends(row["difference"], row["low"], row["high"]),
                )
                for row in main.to_dict("records")
            ]
            words = sentences([words, say("main_words", lang, each=joined(each, lang))], lang)
        many = found.table["future"].nunique() > 1
        parts.append(say("future_head", lang, words=words, future=name_of(str(future), lang)) if many else words)
    tables = (
        {"differences": found.table, "main_effects": found.main} if len(found.main) else {"differences": found.table}
    )

    def draw(figure: Figure) -> None:
        figures.differences(figure, found, labels, scale, lang)

    title = f"{say('differences', lang)}{': ' if lang == 'en' else '：'}{scale.what}"
    words = sentences([*parts, _missing(batch, measure, lang)], lang)
    return Finding(title, words, tables, draw, source_line(batch, lang))


def point_labels(batch: Finished, lang: Lang) -> dict[str, str]:
    """What people read for each scenario and point: its title, or its levels, but the status quo on the status quo."""
    found = {name: title_in(title, lang) for name, title in batch.about.scenarios.items()}
    on = batch.about.on or "status_quo"
    scenarios = dict(zip(batch.design["point"], batch.design["scenario"], strict=True))
    for point, levels in batch.points().items():
        scenario = scenarios[point]
        if len(levels) > 6 or any(isinstance(level, float) for level in levels.values()):
            found[scenario] = f"#{point - batch.named}"
            continue
        at = " at " if lang == "en" else " "
        moved = [
            f"{name_of(name, lang)}{at}{level_name(level, lang)}"
            for name, level in levels.items()
            if level is not None and (level != "status_quo" or on != "status_quo")
        ]
        found[scenario] = joined(moved, lang) or (say(on, lang) if on == "status_quo" else name_of(on, lang))
    return found


def of_discovery(found: Discovery, inputs: DataFrame, batch: Finished, measure: Measure, lang: Lang) -> Finding:
    """In which cases a scenario falls short of a threshold."""
    scale = Scale.of(measure, lang)
    threshold = scale.level(found.threshold)
    if len(found.boxes):
        box = found.boxes.iloc[0]
        words = say(
            "discovery_words",
            lang,
            short=found.short,
            count=found.cases,
            share=f"{100 * found.short / found.cases:.0f}%",
            threshold=threshold,
            what=scale.what,
            box=box_words(found, 1, lang),
            density=f"{100 * box['density']:.0f}%",
            low=f"{100 * box['low']:.0f}%",
            high=f"{100 * box['high']:.0f}%",
            coverage=f"{100 * box['coverage']:.0f}%",
        )
    else:
        words = say("no_box", lang, short=found.short, count=found.cases, threshold=threshold, what=scale.what)
    parts = [words]
    if len(found.boxes) > 1:
        parts.append(say("discovery_more", lang, count=len(found.boxes) - 1))
    if found.skill == found.skill:
        stays = [
            name_of(_plain(name, lang), lang) for name in found.importance.query("stays > 0.5")["name"].head(NAMED)
        ]
        parts.append(say("discovery_skill", lang, skill=f"{100 * found.skill:.0f}%", names=joined(stays, lang) or "–"))
        if found.skill < 0.6:
            parts.append(say("discovery_doubt", lang))
    else:
        parts.append(say("discovery_no_skill", lang))
    boxes = found.boxes.assign(words=[box_words(found, int(number), lang) for number in found.boxes["box"]])
    tables = {"boxes": boxes, "limits": found.limits, "importance": found.importance, "cases": inputs}

    def draw(figure: Figure) -> None:
        figures.discovery(figure, found, inputs, scale, lambda name: name_of(_plain(name, lang), lang), lang)

    title = f"{say('discovery', lang)}{': ' if lang == 'en' else '：'}{scale.what}"
    return Finding(
        title,
        sentences([*parts, _missing(batch, measure, lang)], lang),
        tables,
        draw,
        source_line(batch, lang, "intervals_cases"),
    )


def _plain(name: str, lang: Lang) -> str:
    return say(name, lang) if name in ("future", "scenario") else name


def box_words(found: Discovery, number: int, lang: Lang) -> str:
    """The conditions of a box in words."""
    said = []
    for row in found.limits[found.limits["box"] == number].to_dict("records"):
        name = name_of(_plain(row["name"], lang), lang)
        low, high = row["low"], row["high"]
        if isinstance(row["value"], str):
            value = level_name(name_of(row["value"], lang), lang)
            said.append(say("is" if row["is"] else "is_not", lang, name=name, value=value))
        elif low == low and high == high:
            said.append(say("between", lang, name=name, low=amount(low), high=amount(high)))
        else:
            said.append(say("above" if low == low else "below", lang, name=name, low=amount(low), high=amount(high)))
    return " and ".join(said) if lang == "en" else "，且".join(said)
