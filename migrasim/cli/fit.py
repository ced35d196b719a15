"""Commands that fit the model to the record and judge it: calibrate, validate, assimilate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from migrasim.cli.shared import LangOption, app, console, lang_of, say, short, show

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

    region = Region.only()
    plan, table = calibration.Plan.load(region), patterns.series(region)
    say(f"runs are kept in {short(folder)}: the same command goes on where it was interrupted")
    with runs(console(stderr=True), "fit", say) as on_done:
        evaluate = calibration.by_batch(plan, table, folder, workers=workers, on_done=on_done)
        found = calibration.fit(plan, table, evaluate)
    paths = shipping.ship(found, region, out)
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
    experiments: Annotated[
        bool, typer.Option("--experiments/--no-experiments", help="Perform the checks P14 to P18 and the ablations.")
    ] = True,
    workers: WorkersOption = None,
    lang: LangOption = "en",
) -> None:
    """Judge the model: every pattern, published against simulated; forecasts against benchmarks; bands; ablations.

    Example: migrasim validate --sample 0.1 --page docs/validation.md
    """
    tongue = lang_of(lang)
    from migrasim.analysis import validation
    from migrasim.present import judgement
    from migrasim.present.progress import runs

    request = validation.Request(folder=folder, sample=sample, workers=workers, experiments=experiments)
    validation.check_request(request)
    with runs(console(stderr=True), "validation", say) as on_done:
        found = validation.validate(request, on_done)
    show(*judgement.tables(found, tongue))
    if page is not None:
        from migrasim.present import validation_page

        for path in validation_page.write(found, page):
            say(short(path))
