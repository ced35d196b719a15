"""The command that writes the report of stored results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from migrasim.cli.shared import LangOption, app, lang_of, short


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a run or a comparison.", metavar="DIR")],
    out: Annotated[
        Path | None, typer.Option("--out", help="The file; default: report.html in the folder.", metavar="FILE")
    ] = None,
    nominal: Annotated[
        bool, typer.Option("--nominal", help="Money in prices of each year instead of yuan of 2020.")
    ] = False,
    lang: LangOption = "en",
) -> None:
    """Write one HTML file that holds everything: levers, charts, costs, assumptions, limits, how to make it again.

    Example: migrasim report runs/plan-0123456789ab --lang zh-Hant
    """
    from migrasim.present import report as reports

    tongue = lang_of(lang)
    file = reports.write(folder, out, tongue, nominal=nominal)
    from migrasim.present.language import phrase

    typer.echo(phrase("report_in", tongue, file=short(file.absolute())))
