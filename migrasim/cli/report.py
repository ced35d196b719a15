"""The command that writes the report of stored results."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from migrasim.cli.shared import LangOption, app, flag, given_place, lang_of, only_with, short, telling_of
from migrasim.core.errors import InputError
from migrasim.core.language import Lang

LAST = 2035  # year to which the fan of a monitoring page goes


@app.command()
def report(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder of a run, a comparison or a batch.", metavar="DIR")],
    out: Annotated[
        Path | None, typer.Option("--out", help="The file; default: report.html in the folder.", metavar="FILE")
    ] = None,
    nominal: Annotated[bool, flag("--nominal", "Money in prices of each year instead of yuan of 2020.")] = False,
    scenarios: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario",
            help="Of a batch: a scenario to show; may be given again. With --monitoring: what is taken to have been "
            "done; default: plan.",
            metavar="NAME",
        ),
    ] = None,
    monitoring: Annotated[
        int | None,
        typer.Option("--monitoring", help="The page of a year, published against projected.", metavar="YEAR"),
    ] = None,
    observations: Annotated[
        Path | None, typer.Option("--observations", help="Published figures for --monitoring.", metavar="FILE")
    ] = None,
    sample: Annotated[float, typer.Option("--sample", help="Share of the households run for --monitoring.")] = 0.1,
    lang: LangOption = "en",
) -> None:
    """Write one HTML file that holds everything: levers, charts, costs, assumptions, limits, how to make it again.

    With --monitoring DIR keeps the runs of the fitted vectors (as for `migrasim assimilate --folder`).

    Example: migrasim report runs/plan-0123456789ab --lang zh-Hant
    """
    from migrasim.present import report as reports

    tongue = lang_of(lang)
    if monitoring is not None or observations is not None:
        if scenarios is not None and len(scenarios) > 1:
            raise InputError(f"--scenario: {len(scenarios)} are given; allowed with --monitoring: one")
        if nominal:
            raise InputError("--nominal: a page of --monitoring shows no money; leave it out")
        _monitoring(folder, monitoring, observations, (scenarios or ["plan"])[0], sample, out, tongue)
        return
    only_with(context, "--monitoring", "sample")
    there = None if out is None else given_place(out)
    file = reports.write(folder, there, tongue, nominal=nominal, scenarios=scenarios or ())
    from migrasim.present.language import phrase

    with telling_of(file.absolute()):
        typer.echo(phrase("report_in", tongue, file=short(file.absolute())))


def _monitoring(
    folder: Path,
    year: int | None,
    observations: Path | None,
    scenario: str,
    sample: float,
    out: Path | None,
    lang: Lang,
) -> None:
    """Write the page of a year."""
    if year is None or observations is None:
        raise InputError("--monitoring YEAR and --observations FILE go together; one of them is missing")
    from migrasim.cli.fit import taken_in
    from migrasim.present import monitoring
    from migrasim.present.language import phrase
    from migrasim.present.places import check_file, write_file
    from migrasim.region import Region

    file = folder / f"monitoring-{year}.html" if out is None else given_place(out)
    check_file(file)
    found = taken_in(observations, scenario, folder, sample=sample, until=LAST, more=0, workers=None, year=year)
    words = ["migrasim", "report", short(folder), "--monitoring", f"{year}", "--observations", short(observations)]
    command = shlex.join([*words, "--scenario", scenario, "--sample", f"{sample:g}"])
    text = monitoring.page(found, Region.only(), year, lang, command)
    write_file(text, file)
    with telling_of(file.absolute()):
        typer.echo(phrase("report_in", lang, file=short(file.absolute())))
