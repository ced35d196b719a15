"""The command that runs a scenario."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from migrasim.cli.shared import (
    ENSEMBLE,
    FutureOption,
    LangOption,
    WithoutOption,
    app,
    at_once,
    check_parameters,
    check_variants,
    console,
    file_name,
    fitted_spread,
    flag,
    given_place,
    lang_of,
    results_in,
    say,
    show,
    telling_of,
)
from migrasim.core.language import Lang

if TYPE_CHECKING:
    from migrasim.analysis.band import Band
    from migrasim.analysis.ensemble import Spread
    from migrasim.runs.result import RunResult
    from migrasim.scenario import Scenario


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="A shipped scenario or the path of a scenario file.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the results; default: runs/<name>-<run id>.", metavar="DIR")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Number of the luck; the same number, the same luck.")] = 0,
    sample: Annotated[float, typer.Option("--sample", help="Share of the households to run, 1 is everybody.")] = 1.0,
    until: Annotated[int, typer.Option("--until", help="Last year.")] = 2035,
    base: Annotated[int, typer.Option("--base", help="Base year: 2010 or 2020.")] = 2020,
    future: FutureOption = None,
    without: WithoutOption = None,
    parameters: Annotated[
        str, typer.Option("--parameters", help="Fitted facts: best, or ensemble: the bands of all vectors kept.")
    ] = "best",
    threads: Annotated[int | None, typer.Option("--threads", help="Threads; default: every core.", metavar="N")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Set a lever on top of the scenario; may be given again.", metavar="LEVER=VALUE"),
    ] = None,
    households: Annotated[bool, flag("--households", "Write one row per household, too.")] = False,
    profile: Annotated[bool, flag("--profile", "Print seconds, rows and bytes by phase.")] = False,
    nominal: Annotated[
        bool, flag("--nominal", "Print money in prices of each year; the tables stay in yuan of 2020.")
    ] = False,
    band: Annotated[
        int | None,
        typer.Option(
            "--band",
            help="Draws of the plan's assumed values for the range of the headline: 2 or more, or 0 for no range; "
            "default: a few where the scenario takes such values.",
            metavar="N",
        ),
    ] = None,
    lang: LangOption = "en",
) -> None:
    """Run a scenario once: print the trajectory against the targets, write the tables.

    Example: migrasim run plan --seed 7 --set residence_permit.education=0.9
    """
    from migrasim.runs.result import check_request

    tongue = lang_of(lang)
    check_request(seed=seed, sample=sample, base=base, until=until, threads=threads, prefix="--")
    check_parameters(parameters)
    check_variants(future, without)
    from migrasim.facts import FactBook
    from migrasim.scenario import Scenario

    chosen = Scenario.load(scenario, FactBook.load(), settings or ())
    draws = _draws(chosen, band)
    target = None if out is None else given_place(out)

    from migrasim.runs import store

    if target is not None:
        store.check_target(target)
    with store.staging(target.parent if target else Path("runs").absolute()) as staged:
        started = time.perf_counter()
        result = _simulate(
            chosen,
            seed=seed,
            sample=sample,
            until=until,
            base=base,
            threads=threads,
            households=households,
            profile=profile,
            future=future,
            alternatives=without or (),
        )
        store.write(result, staged, wall_s=time.perf_counter() - started)
        folder = target or staged.parent.parent / f"{file_name(result.scenario)}-{result.run_id}"
        options: dict[str, Any] = {"seed": seed, "sample": sample, "until": until, "base": base, "future": future}
        drawn = None
        if draws:
            drawn = _band(chosen, draws, alternatives=without or (), threads=threads, about=result, **options)
            store.write_band(result, drawn.table, staged)
        spread = None
        if parameters == ENSEMBLE:
            spread = fitted_spread([chosen], alternatives=without or (), workers=at_once(threads), **options)
            store.write_band(result, spread.levels, staged, "parameters")
        try:
            folder = store.publish(staged, folder, result.run_id)
        finally:  # kept though nobody reads what is printed, printed though the folder was taken
            with telling_of(folder):
                shown = result.nominal() if nominal else result
                _show_result(shown, tongue, profile=profile, band=drawn, spread=spread)
    results_in(folder, tongue)


def _simulate(scenario: Scenario, **options: Any) -> RunResult:
    """Run the model with a progress bar, announcing a first compilation."""
    from migrasim.core.rule import is_compiled
    from migrasim.present.progress import progress

    if not is_compiled():
        say("first run of this version: compiling, up to a minute; later runs skip it")
    from migrasim.runs.simulate import simulate

    with progress(console(stderr=True), options["base"], options["until"]) as on_phase:
        return simulate(scenario, on_phase=on_phase, **options)


def _draws(scenario: Scenario, wanted: int | None) -> int:
    """Draws of the band; what cannot be drawn is refused before anything runs."""
    if wanted == 0:
        return 0
    from migrasim.analysis import band as bands
    from migrasim.facts import FactBook

    if wanted is None:
        return bands.DRAWS if bands.assumed(scenario, FactBook.load()) else 0
    if wanted:
        bands.check_draws(wanted, "--band", "0, or ")
        bands.check_assumed(scenario, FactBook.load(), "--band")
    return wanted


def _band(scenario: Scenario, draws: int, *, sample: float, threads: int | None, **options: Any) -> Band:
    """The range over the assumed values of the plan, from a small share of the households, with progress."""
    from migrasim.analysis import band as bands
    from migrasim.present.progress import runs

    share = min(sample, bands.SAMPLE)
    with runs(console(stderr=True), "band", say) as on_done:
        return bands.band(scenario, draws=draws, sample=share, workers=at_once(threads), on_done=on_done, **options)


def _show_result(result: RunResult, lang: Lang, *, profile: bool, band: Band | None, spread: Spread | None) -> None:
    from migrasim.present import tables

    if band is not None:
        show(*tables.band(band, result, lang))
    if spread is not None:
        from migrasim.present.judgement import spread_tables

        show(*spread_tables(spread, lang))
    show(tables.summary(result, lang))
    if profile and result.profile is not None:
        forms = ("{}", "{:.3f}", "{:,}", "{:,.0f}", "{:,.1f}", "{:.3f}")
        rows = [tuple(map(str.format, forms, row)) for row in result.profile.itertuples(index=False)]
        show(tables.listing(["phase", "seconds", "rows", "MB", "ns a row", "floor, s"], rows, lang))
