"""The command that holds scenarios against one another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from migrasim.cli.shared import (
    BEST,
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


@app.command()
def compare(
    scenarios: Annotated[
        list[str], typer.Argument(help="Two or more shipped scenarios or paths; the first is the reference.")
    ],
    replications: Annotated[
        int, typer.Option("--replications", help="Pairs to run, each with luck of its own.", metavar="N")
    ] = 1,
    reasons: Annotated[bool, flag("--reasons", "Print who chose otherwise, from what to what, and why.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the results; default: runs/<names>-<id>.", metavar="DIR")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Number of the luck of the first pair.")] = 0,
    sample: Annotated[float, typer.Option("--sample", help="Share of the households to run, 1 is everybody.")] = 1.0,
    until: Annotated[int, typer.Option("--until", help="Last year.")] = 2035,
    base: Annotated[int, typer.Option("--base", help="Base year: 2010 or 2020.")] = 2020,
    future: FutureOption = None,
    without: WithoutOption = None,
    parameters: Annotated[
        str, typer.Option("--parameters", help="Fitted facts: best, or ensemble: the bands of all vectors kept.")
    ] = BEST,
    threads: Annotated[int | None, typer.Option("--threads", help="Threads; default: every core.", metavar="N")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Set a lever on top of every scenario; may be given again.", metavar="LEVER=VALUE"),
    ] = None,
    lang: LangOption = "en",
) -> None:
    """Run scenarios with the same luck: what differs, how surely, why, and who wins or loses.

    Example: migrasim compare status_quo plan --replications 5 --sample 0.1 --reasons
    """
    from migrasim.runs.result import check_request

    tongue = lang_of(lang)
    check_request(seed=seed, sample=sample, base=base, until=until, threads=threads, prefix="--")
    check_variants(future, without)
    check_parameters(parameters)
    from migrasim.analysis import compare as comparing
    from migrasim.core.rule import is_compiled
    from migrasim.facts import FactBook
    from migrasim.present import comparison as tables
    from migrasim.present.progress import steps
    from migrasim.runs import store
    from migrasim.scenario import Scenario

    book = FactBook.load()
    chosen = [Scenario.load(name, book, settings or ()) for name in scenarios]
    comparing.check_request(chosen, replications, "--")
    target = None if out is None else given_place(out)
    if target is not None:
        store.check_target(target)
    if not is_compiled():
        say("first run of this version: compiling, up to a minute; later runs skip it")
    with store.staging(target.parent if target else Path("runs").absolute()) as staged:
        with steps(console(stderr=True)) as on_progress:
            found = comparing.compare(
                chosen,
                replications=replications,
                seed=seed,
                sample=sample,
                until=until,
                base=base,
                threads=threads,
                future=future,
                alternatives=without or (),
                on_progress=on_progress,
            )
        comparing.write(found, staged)
        name = "-".join(file_name(each) for each in found.scenarios)
        folder = target or staged.parent.parent / f"{name}-{found.comparison_id}"
        spread = None
        if parameters == ENSEMBLE:
            options = {"seed": seed, "sample": sample, "until": until, "base": base, "future": future}
            spread = fitted_spread(
                chosen,
                alternatives=without or (),
                workers=at_once(threads),
                lucks=max(2, replications),
                **options,
            )
            spread.levels.to_parquet(staged / "parameters.parquet", index=False)
            spread.differences.to_parquet(staged / "parameter_differences.parquet", index=False)
        try:
            folder = store.publish(staged, folder, found.comparison_id)
        finally:  # kept though nobody reads what is printed, printed though the folder was taken
            with telling_of(folder):
                show(tables.summary(found, tongue, reasons=reasons))
                if spread is not None:
                    from migrasim.present.judgement import spread_tables

                    show(*spread_tables(spread, tongue))
    results_in(folder, tongue)
