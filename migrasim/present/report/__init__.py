"""The report: one HTML file that holds everything it shows, opens offline and prints well.

`page` makes the text from a run, a comparison or a batch, `write` the file from a folder that holds one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrasim.core.language import Lang
from migrasim.present.places import check_file, write_file
from migrasim.runs.result import RunResult

if TYPE_CHECKING:
    from markupsafe import Markup
    from pandas import DataFrame

    from migrasim.analysis.compare import Comparison
    from migrasim.runs.batch import Batch

FILE = "report.html"


def page(
    source: RunResult | Comparison | Batch,
    lang: Lang = "en",
    *,
    nominal: bool = False,
    band: DataFrame | None = None,
    fitted: DataFrame | None = None,
    scenarios: Sequence[str] = (),
) -> str:
    """The report of a run, a comparison or a batch as one HTML text.

    Parameters
    ----------
    source
        What it is about.
    lang
        Language of the words.
    nominal
        Money in prices of each year instead of yuan of 2020.
    band
        Range of a run over its assumed values: ``year, indicator, low, median, high``; of how many ``draws`` where it
        says.
    fitted
        The same over the fitted vectors of facts.
    scenarios
        Of a batch: those to show; all where none is given.

    Returns
    -------
    str
        The page. Styles and charts (SVG) are inside; it has no script and points to nothing outside itself.

    Raises
    ------
    InputError
        Where there is nothing to report.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    from migrasim import __version__
    from migrasim.present.report import sections
    from migrasim.present.report.again import again
    from migrasim.present.report.charts import charts
    from migrasim.present.report.headline import headline
    from migrasim.present.report.view import view
    from migrasim.present.report.words import limits, word

    shown = view(source, nominal=nominal, band=band, fitted=fitted, scenarios=scenarios)
    environment = Environment(
        loader=PackageLoader("migrasim.present.report", "."),
        autoescape=True,  # names and notes come out of files that anybody may have written
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["commands"] = commands
    drawn = {name: Markup(svg) for name, svg in charts(shown, lang).items()}
    values: dict[str, Any] = {
        "lang": lang,
        "word": lambda key, **more: word(key, lang, **more),
        "version": __version__,
        "view": shown,
        "charts": drawn,
        "limits": limits(lang),
        "again": again(shown, lang),
        "title": sections.title(shown, lang),
        "notes": sections.notes(shown, lang),
        "headline": headline(shown, lang),
        "lever_heads": sections.lever_heads(shown, lang),
        "levers": sections.levers(shown, lang),
        "trajectory": sections.trajectory(shown, lang),
        "decomposition": sections.decomposition(shown, lang),
        "counties": sections.counties(shown, lang),
        "cost_sentences": sections.cost_sentences(shown, lang),
        "cost_items": sections.cost_items(shown, lang),
        "winners": sections.winners(shown, lang),
        "indicators": sections.indicators(shown, lang),
        "assumptions": sections.assumptions(shown, lang),
        "identity": sections.identity(shown, lang),
    }
    return environment.get_template("page.html").render(values)


def commands(text: str) -> Markup:
    """Words of a page; what stands between backticks is set as what one types.

    Examples
    --------
    >>> str(commands("see `migrasim run --band 40` <b>"))
    'see <code>migrasim run --band 40</code> &lt;b&gt;'
    """
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def write(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    lang: Lang = "en",
    *,
    nominal: bool = False,
    scenarios: Sequence[str] = (),
) -> Path:
    """Write the report of a stored run, comparison or batch.

    Parameters
    ----------
    folder
        Where `migrasim run`, `migrasim compare` or `migrasim experiment` left its results.
    out
        The file, whose folder is made; ``report.html`` inside the results where not given.
    lang, nominal, scenarios
        See `page`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        Where the folder holds no results, or the file cannot be written.
    """
    from migrasim.present.report.view import read, read_bands

    path = Path(folder)
    source = read(path)
    bands = read_bands(path) if isinstance(source, RunResult) else {}
    file = path / FILE if out is None else Path(out)
    check_file(file)
    return write_file(page(source, lang, nominal=nominal, scenarios=scenarios, **bands), file)
