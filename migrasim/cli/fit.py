"""Commands that fit the model to the record and judge it: calibrate, validate, assimilate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from migrasim.cli.shared import LangOption, app, check_workers, console, flag, given_place, lang_of, say, short, show
from migrasim.core.errors import InputError

if TYPE_CHECKING:
    from migrasim.analysis.assimilation import Update

_MOST_MORE = 1000

WorkersOption = Annotated[int | None, typer.Option("--workers", help="Processes; default: every core.", metavar="N")]


@app.command()
def calibrate(
    folder: Annotated[
        Path, typer.Option("--folder", help="Where the runs are kept; the same command goes on there.", metavar="DIR")
    ] = Path("runs/fit"),
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Where the vectors go; default: the folder of the region.", metavar="DIR"),
    ] = None,
    workers: WorkersOption = None,
    lang: LangOption = "en",
) -> None:
    """Fit the parameters of moving to the censuses and bulletins; keep all vectors that come near.

    What is varied, how often and with which seed stands in fit/calibration.yaml of the region.

    Example: migrasim calibrate --folder runs/fit --out my_fit
    """
    tongue = lang_of(lang)
    from migrasim.analysis import calibration, patterns, shipping
    from migrasim.present import judgement
    from migrasim.present.progress import runs
    from migrasim.region import Region

    check_workers(workers)
    folder, there = given_place(folder), None if out is None else given_place(out)
    if there is not None:
        shipping.check_place(there)
    region = Region.only()
    plan, table = calibration.Plan.load(region), patterns.series(region)
    calibration.check_folder(folder, lambda name: name.startswith("wave-"))
    say(f"runs are kept in {short(folder)}: the same command goes on where it was interrupted")
    with runs(console(stderr=True), "fit", say) as on_done:
        evaluate = calibration.by_batch(plan, table, folder, workers=workers, on_done=on_done)
        found = calibration.fit(plan, table, evaluate)
    paths = shipping.ship(found, region, there)
    show(*judgement.fit_tables(found, tongue))
    typer.echo(", ".join(short(path) for path in paths))


@app.command()
def validate(
    folder: Annotated[
        Path, typer.Option("--folder", help="Where the runs are kept; the same command goes on there.", metavar="DIR")
    ] = Path("runs/validation"),
    sample: Annotated[float, typer.Option("--sample", help="Share of the households to run, 1 is everybody.")] = 0.1,
    page: Annotated[
        Path | None,
        typer.Option("--page", help="Write the page of all results, with figures beside it.", metavar="FILE"),
    ] = None,
    experiments: Annotated[bool, flag("--experiments", "Perform the checks P14 to P18, too.")] = False,
    ablations: Annotated[
        list[float] | None,
        typer.Option(
            "--ablations", help="Leave out parts of the model, at this share; more shares follow.", metavar="SHARE"
        ),
    ] = None,
    workers: WorkersOption = None,
    lang: LangOption = "en",
) -> None:
    """Judge the model: every pattern, published against simulated; forecasts against benchmarks; bands; ablations.

    Example: migrasim validate --sample 0.1 --experiments --ablations 0.05 --page docs/validation.md
    """
    tongue = lang_of(lang)
    from migrasim.analysis import calibration, validation
    from migrasim.present import judgement, validation_page
    from migrasim.present.progress import runs

    check_workers(workers)
    folder = given_place(folder)
    request = validation.Request(
        folder=folder, sample=sample, workers=workers, experiments=experiments, ablations=tuple(ablations or ())
    )
    validation.check_request(request)
    calibration.check_folder(folder, lambda name: name in validation.FOLDERS)
    there = None if page is None else given_place(page)
    if there is not None:
        validation_page.check(there)
    with runs(console(stderr=True), "validation", say) as on_done:
        found = validation.validate(request, on_done)
    show(*judgement.tables(found, tongue))
    if there is not None:
        for path in validation_page.write(found, there):
            say(short(path))


@app.command()
def assimilate(
    observations: Annotated[Path, typer.Argument(help="Published figures: a csv file.", metavar="FILE")],
    scenario: Annotated[
        str, typer.Option("--scenario", help="What is taken to have been done since 2020.", metavar="NAME")
    ] = "plan",
    folder: Annotated[
        Path, typer.Option("--folder", help="Where the runs are kept; the same command goes on there.", metavar="DIR")
    ] = Path("runs/assimilate"),
    sample: Annotated[float, typer.Option("--sample", help="Share of the households to run, 1 is everybody.")] = 0.1,
    until: Annotated[int, typer.Option("--until", help="Last year.")] = 2035,
    more: Annotated[
        int, typer.Option("--more", help="Run so many new vectors near those that carry weight.", metavar="N")
    ] = 0,
    workers: WorkersOption = None,
    lang: LangOption = "en",
) -> None:
    """Take in newly published years: reweight the fitted vectors, narrow the fan, warn where the record leaves it.

    The file has the columns year, place, indicator (residents, urban_residents, urbanization_rate, births, deaths),
    value, unit, basis, and source if there is one.

    Example: migrasim assimilate observations.csv --scenario plan
    """
    tongue = lang_of(lang)
    from migrasim.present import judgement
    from migrasim.present.language import phrase

    found = taken_in(observations, scenario, folder, sample=sample, until=until, more=more, workers=workers)
    show(*judgement.update_tables(found, tongue))
    if found.too_few and not more:
        say(phrase("assimilate_too_few", tongue, effective=f"{found.effective:.1f}", all=len(found.weights)))


def taken_in(
    observations: Path,
    scenario: str,
    folder: Path,
    *,
    sample: float,
    until: int,
    more: int,
    workers: int | None,
    year: int | None = None,
) -> Update:
    """Read observations, among them some of a year where one is named, and reweight the ensemble, with progress."""
    from migrasim.analysis import assimilation
    from migrasim.analysis import observations as published
    from migrasim.present.progress import runs
    from migrasim.region import Region
    from migrasim.runs.result import check_request

    check_workers(workers)
    check_request(seed=0, sample=sample, base=2020, until=until, prefix="--")
    if not 0 <= more <= _MOST_MORE:
        raise InputError(f"--more: {more} is not allowed; allowed: whole numbers from 0 to {_MOST_MORE}")
    observed = published.read(observations, Region.only())
    if year is not None and year not in set(observed["year"]):
        years = ", ".join(str(each) for each in sorted(set(observed["year"])))
        raise InputError(f"--monitoring: nothing was observed in {year}; allowed: {years}")
    folder = given_place(folder)
    with runs(console(stderr=True), "assimilate", say) as on_done:
        return assimilation.assimilate(
            observed, folder, scenario=scenario, sample=sample, until=until, more=more, workers=workers, on_done=on_done
        )
