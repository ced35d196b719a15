"""The page of a judgement, in Markdown, with its figures; all of it is made again by one command."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from migrasim.core.errors import InputError
from migrasim.present.judgement import Sheet, number, sheets
from migrasim.present.language import phrase
from migrasim.present.places import check_parent
from migrasim.region import FIT, Region

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

    from migrasim.analysis.validation import Judgement

_START, _END = "<!-- made by the command: from here -->", "<!-- made by the command: to here -->"
_RUST, _BLUE, _GREY = "#b5482a", "#2b5c8a", "#8a8a8a"


def check(page: Path) -> None:
    """Refuse a page that could not be written, before the runs that it is to tell of.

    Raises
    ------
    InputError
        Where a folder or another file is in the way.
    """
    if page.is_dir():
        raise InputError(f"{page}: a folder is in the way; give a file")
    check_parent(page)
    _around(page)


def _around(page: Path) -> tuple[str, str]:
    """What people wrote before and after the tables."""
    try:
        text = page.read_text(encoding="utf-8") if page.exists() else f"# Validation\n\n{_START}\n{_END}\n"
    except OSError as error:
        raise InputError(f"{page}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise InputError(f"{page}: not a text file in UTF-8; give a new file") from None
    before, start, rest = text.partition(_START)
    _, end, after = rest.partition(_END)
    if not start or not end:
        raise InputError(f"{page}: the marks '{_START}' and '{_END}' are missing; give a new file")
    return before, after


def write(found: Judgement, page: Path) -> list[Path]:
    """Write or renew the tables and figures of a page; words that people wrote around them stay.

    Parameters
    ----------
    found
        What to show.
    page
        Markdown file; figures go to the folder ``figures`` beside it.

    Raises
    ------
    InputError
        Where it cannot be written, or an existing page has no mark for the tables.
    """
    figures = page.parent / "figures"
    try:
        figures.mkdir(parents=True, exist_ok=True)
        paths = [draw_counties(found.patterns, figures / "validation_counties.png")]
        paths.append(draw_cohorts(found.patterns, figures / "validation_cohorts.png"))
        before, after = _around(page)
        made = _body(found, [path.relative_to(page.parent).as_posix() for path in paths])
        page.write_text(f"{before}{_START}\n\n{made}\n\n{_END}{after}", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{page}: cannot be written: {error.strerror or error}") from None
    return [page, *paths]


def _body(found: Judgement, figures: list[str]) -> str:
    request = found.request
    options = f"--sample {request.sample:g}" + (" --experiments" if request.experiments else "")
    options += "".join(f" --ablations {share:g}" for share in request.ablations)
    parts = [
        f"Made by `migrasim validate {options} --page docs/validation.md`: the best vector under {request.lucks} "
        f"lucks, and the fit's own runs of the {found.vectors} vectors that are kept. {_drift(found.drift)}",
        *(_table(sheet) for sheet in sheets(found, county_cohorts=True)),
        f"![Change of residents by county, published and simulated]({figures[0]})",
        f"![Residents ten years older over residents of 2010]({figures[1]})",
        _evidence(Region.only()),
    ]
    return "\n\n".join(part for part in parts if part)


def _drift(drift: float | None) -> str:
    if drift is None:
        return "Nothing has been fitted to this region."
    if drift == 0.0:
        return "A run of the fit, made again by this version, gives the same numbers to the last digit."
    return (
        f"A run of the fit, made again by this version, differs by up to {drift:.2f} half tolerances: the model has "
        "changed since it was fitted."
    )


def _table(sheet: Sheet) -> str:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    body = "\n".join([line(sheet.heads), line("---" for _ in sheet.heads), *(line(row) for row in sheet.rows)])
    return f"### {phrase(sheet.title, 'en')}\n\n{body}"


def _evidence(region: Region) -> str:
    """What the shipped vectors rest on, from the file that the fit wrote."""
    path = region.folder / FIT / "evidence.yaml"
    if not path.is_file():
        return ""
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    kept = region.ensemble
    heads = ("fact", "effect (Morris)", "varied later", "best", "5 to 95 percent of the vectors kept")
    rows = [
        (
            each["fact"],
            f"{each['effect']:.3f}",
            "yes" if each["kept"] else "no",
            number(region.fitted[each["fact"]]),
            f"{number(float(kept[each['fact']].quantile(0.05)))} … {number(float(kept[each['fact']].quantile(0.95)))}",
        )
        for each in data["screening"]
    ]
    words = (
        f"The fit made {data['runs']} runs of {data['sample']:g} of the households (vectors by wave: "
        f"{data['vectors_by_wave']}), seed {data['seed']}, luck {data['luck']}; {len(kept)} vectors are kept, with an "
        f"overall implausibility of up to {data['implausibility']['kept_up_to']}."
    )
    return _table(Sheet("fit_evidence", heads, rows)) + f"\n\n{words}"


def draw_counties(table: DataFrame, path: Path) -> Path:
    """Urban gain and rural loss of every county: published with its interval, simulated with its bands."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.6), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    axes[0].invert_yaxis()
    for ax, measure, title in zip(
        axes, ("urban_change", "rural_change"), ("in towns and seats", "in villages"), strict=True
    ):
        rows = table[(table["measure"] == measure) & (table["level"] == "county")]
        _dots(ax, rows, list(rows["place"]), 1e-3)
        ax.set_title(f"Residents {title}, 2010 to 2020")
        ax.set_xlabel("change, thousand people")
        ax.axvline(0, color=_GREY, linewidth=0.8)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=5, fontsize=8)
    _finish(figure, path)
    return path


def draw_cohorts(table: DataFrame, path: Path) -> Path:
    """Residents of 2020 ten years older over residents of 2010: the region, and the counties at both ends."""
    from matplotlib.figure import Figure

    rows = table[table["measure"] == "cohort_ratio"]
    teens = rows[(rows["level"] == "county") & rows["detail"].str.endswith(" 10")].groupby("place")["published"].mean()
    places = [rows[rows["level"] == "prefecture"]["place"].iloc[0], teens.idxmax(), teens.idxmin()]
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    for ax, place in zip(figure.subplots(1, 3, sharey=True), places, strict=True):
        for sex, colour in (("male", _BLUE), ("female", _RUST)):
            mine = rows[(rows["place"] == place) & rows["detail"].str.startswith(f"{sex} ")]
            age = mine["detail"].str.split().str[1].astype(int) + 2
            ax.plot(age, mine["published"], "o", color=colour, label=f"published, {sex}")
            ax.plot(age, mine["simulated"], "-", color=colour, label=f"simulated, {sex}")
            ax.fill_between(age, mine["low_parameters"], mine["high_parameters"], color=colour, alpha=0.15, linewidth=0)
        ax.set_title(str(place))
        ax.set_xlabel("age in 2010, years")
    figure.axes[0].set_ylabel("residents ten years later, ratio")
    figure.axes[0].legend(fontsize=8)
    figure.suptitle("Who was still there after ten years (shaded: 5 to 95 percent of the fitted vectors)")
    _finish(figure, path)
    return path


def _dots(ax: Axes, rows: DataFrame, names: list[str], scale: float) -> None:
    spots = range(len(rows))
    ax.hlines(
        spots, rows["low"] * scale, rows["high"] * scale, color=_GREY, linewidth=6, alpha=0.4, label="near enough"
    )
    ax.plot(rows["published"] * scale, spots, "|", color="black", markersize=14, label="published")
    ax.hlines(
        [spot - 0.18 for spot in spots], rows["low_parameters"] * scale, rows["high_parameters"] * scale,
        color=_BLUE, linewidth=1.5, label="fitted vectors, 90 percent",
    )  # fmt: skip
    ax.hlines(
        [spot - 0.28 for spot in spots], rows["chance_low"] * scale, rows["chance_high"] * scale,
        color=_RUST, linewidth=1.5, label="chance, 90 percent",
    )  # fmt: skip
    ax.plot(
        rows["simulated"] * scale, [spot - 0.18 for spot in spots], "o", color=_BLUE, label="simulated, best vector"
    )
    ax.set_yticks(list(spots), names)


def _finish(figure: Any, path: Path) -> None:
    source = "Sources: censuses of 2010 and 2020 (github.com/leiii/census); migrasim"
    figure.supxlabel(source, fontsize=7, color=_GREY, x=0.01, ha="left")
    figure.savefig(path, dpi=130)
