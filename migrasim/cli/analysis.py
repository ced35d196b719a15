"""Commands that ask a finished batch, and the search for cheap mixes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from migrasim.cli.shared import (
    LangOption,
    app,
    check_workers,
    console,
    file_name,
    given_place,
    lang_of,
    results_in,
    say,
    short,
    telling_of,
)
from migrasim.core.errors import InputError

DirArgument = Annotated[Path, typer.Argument(help="Folder of a batch.", metavar="DIR")]
MethodOption = Annotated[
    str | None,
    typer.Option(
        "--method",
        help="differences, attribution, sensitivity or discovery; default: what the experiment says.",
        metavar="NAME",
    ),
]
IndicatorOption = Annotated[
    str | None, typer.Option("--indicator", help="Name of an indicator; default: the resident rate.", metavar="NAME")
]
YearOption = Annotated[int | None, typer.Option("--year", help="Year that is looked at; default: the last one.")]
PlaceOption = Annotated[
    str | None, typer.Option("--place", help="County or place; default: the whole region.", metavar="NAME")
]
AgainstOption = Annotated[
    str | None,
    typer.Option("--against", help="Scenario or point that is taken off (differences, sensitivity).", metavar="NAME"),
]
LeastOption = Annotated[
    float | None, typer.Option("--at-least", help="Below it a case falls short (discovery).", metavar="NUMBER")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Folder for what is found; default: inside the batch.", metavar="DIR")
]


@app.command()
def analyse(
    folder: DirArgument,
    method: MethodOption = None,
    indicator: IndicatorOption = None,
    year: YearOption = None,
    place: PlaceOption = None,
    against: AgainstOption = None,
    at_least: LeastOption = None,
    out: OutOption = None,
    lang: LangOption = "en",
) -> None:
    """Say what a finished batch tells: a paragraph with its uncertainty, tables and a figure.

    Example: migrasim analyse runs/attribution --method attribution --year 2025
    """
    tongue = lang_of(lang)
    from migrasim.analysis.finished import Finished
    from migrasim.present import analyses
    from migrasim.present.findings import check_folder

    there = None if out is None else given_place(out)
    batch = Finished.open(folder)
    asked = analyses.request(batch, method, indicator, year, place, against, at_least)
    there = there or folder / "analysis" / asked.folder
    check_folder(there)
    _tell(analyses.analyse(batch, asked, tongue), there, tongue)


app.command("analyze", hidden=True, help="The same as analyse.")(analyse)


@app.command()
def search(
    experiment: Annotated[str, typer.Argument(help="A shipped experiment or the path of a file with a search.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of the runs and results; default: runs/<name>-<id>.", metavar="DIR"),
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", help="Processes; default: every core.")] = None,
    sample: Annotated[float | None, typer.Option("--sample", help="Another share of the households.")] = None,
    trials: Annotated[int | None, typer.Option("--trials", help="Another number of mixes to try.")] = None,
    lang: LangOption = "en",
) -> None:
    """Look for the cheapest mixes of levers that reach a target with a chance, within a budget.

    Example: migrasim search cheapest --sample 0.02 --trials 30
    """
    tongue = lang_of(lang)
    from migrasim.analysis import search as searches
    from migrasim.present import search_finding
    from migrasim.runs.design import LEAST_TRIALS, MOST_TRIALS, Experiment
    from migrasim.runs.result import check_share
    from migrasim.runs.runner import check_place

    check_workers(workers)
    if sample is not None:
        check_share(sample, "--sample")
    if trials is not None and not LEAST_TRIALS <= trials <= MOST_TRIALS:
        raise InputError(
            f"--trials: {trials} is not allowed; allowed: whole numbers from {LEAST_TRIALS} to {MOST_TRIALS}"
        )
    asked = Experiment.load(experiment)
    if sample is not None:
        asked = asked.changed(sample=sample)
    if trials is not None:
        asked = asked.with_trials(trials)
    searches.check(asked)
    folder = given_place(out) if out else Path("runs") / f"{file_name(asked.name)}-{searches.search_id(asked)}"
    check_place(folder)
    found = searches.search(asked, _runner(asked.name, folder, workers))
    _tell(search_finding.of_search(found, tongue), folder / "analysis" / "search", tongue)


def _runner(name: str, folder: Path, workers: int | None) -> Any:
    """Makes the runs of a search and keeps them in a folder, so that it goes on where it was interrupted."""
    from migrasim.present.progress import runs
    from migrasim.runs.runner import yearly
    from migrasim.runs.spec import RunSpec

    say(f"runs are kept in {short(folder)}: the same command goes on where it was interrupted")

    def run(specs: list[RunSpec], what: str) -> Any:
        with runs(console(stderr=True), what, say) as on_done:
            return yearly(specs, folder, workers=workers, on_done=on_done, name=name)

    return run


def _tell(found: Any, folder: Path, lang: Any) -> None:

    found.write(folder, lang)
    with telling_of(folder):
        typer.echo(f"{found.title}\n\n{found.words}\n")
    results_in(folder, lang)
