"""The commands that make batches, and single runs of them again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from migrasim.cli.shared import (
    LangOption,
    app,
    console,
    file_name,
    flag,
    given_place,
    in_language,
    lang_of,
    results_in,
    say,
    telling_of,
)
from migrasim.core.errors import InputError
from migrasim.runs.counted import counted

if TYPE_CHECKING:
    from migrasim.runs.batch import Batch
    from migrasim.runs.design import Experiment

OutOption = Annotated[Path | None, typer.Option("--out", help="Folder; default: runs/<name>.", metavar="DIR")]


@app.command()
def experiment(
    file: Annotated[str, typer.Argument(help="A shipped experiment or the path of an experiment file.")],
    out: OutOption = None,
    workers: Annotated[
        int | None, typer.Option("--workers", help="Processes; default: one a core, as memory allows.", metavar="N")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Address of a Dask scheduler to run on.", metavar="ADDRESS")
    ] = None,
    replications: Annotated[
        int | None,
        typer.Option("--replications", help="Another number than the file's; more extend a batch.", metavar="N"),
    ] = None,
    sample: Annotated[
        float | None, typer.Option("--sample", help="Another share of the households than the file's.", metavar="SHARE")
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option("--shard", help="Only part i of N; the command without it makes the tables.", metavar="i/N"),
    ] = None,
    keep: Annotated[
        str | None, typer.Option("--keep", help="Tables to keep, by name with commas; default: all.", metavar="TABLES")
    ] = None,
    dry_run: Annotated[bool, flag("--dry-run", "Say how many runs, how long, how much disk.")] = False,
    lang: LangOption = "en",
) -> None:
    """Make a batch of runs; give the same command again to go on or to extend it.

    Example: migrasim experiment small --workers 2
    """
    from migrasim.analysis.finished import About
    from migrasim.runs import store
    from migrasim.runs.design import Experiment
    from migrasim.runs.result import check_share
    from migrasim.runs.runner import Stopped, run_batch, workers_for

    tongue = lang_of(lang)
    asked = Experiment.load(file)
    changed = {name: value for name, value in (("replications", replications), ("sample", sample)) if value is not None}
    if replications is not None and not 1 <= replications <= 10_000:
        raise InputError(f"--replications: {replications} is not allowed; allowed: whole numbers from 1 to 10000")
    if sample is not None:
        check_share(sample, "--sample")
    asked = asked.changed(**changed) if changed else asked
    part = None if shard is None else _shard(shard)
    tables = store.TABLES if keep is None else tuple(_tables(keep))
    workers_for(asked.sample, workers, "--")
    folder = given_place(Path("runs") / file_name(asked.name) if out is None else out)
    if dry_run:
        _estimate(asked, folder, workers, tables)
        return
    from migrasim.present.progress import runs

    begun = time.perf_counter()
    try:
        with runs(console(stderr=True), asked.name, say) as on_done:
            batch = run_batch(
                asked.specs(),
                folder,
                name=asked.name,
                title={"en": asked.title.en, "zh_hant": asked.title.zh_hant},
                columns=[{str(name): value for name, value in row.items()} for row in asked.table().to_dict("records")],
                tables=tables,
                workers=workers,
                scheduler=scheduler,
                shard=part,
                on_done=on_done,
                say=say,
            )
    except Stopped as stop:
        say(f"stopped: {stop}")
        raise typer.Exit(1) from None
    if len(batch.design) == len(asked):  # else a part of what lies there was asked for
        About.of(asked).write(folder)
    if part is not None:
        say(f"part {part[0]} of {part[1]} is done; the command without --shard makes the tables")
        return
    from migrasim.runs import excel

    excel.write(batch)
    _tell(batch, time.perf_counter() - begun)
    results_in(folder, tongue)


def _tell(batch: Batch, seconds: float) -> None:
    runs = batch.runs
    failed = runs[runs["status"] != "done"]
    say(f"{counted(len(runs), 'run')}, {len(failed)} of them failed; {seconds / 60:.1f} min")
    for row in failed.head(3).itertuples():
        say(f"  failed: {row.run_id} ({row.label}): {row.error}")
    if len(failed):
        say("  tracebacks are in execution.parquet; the same command tries them again")


def _shard(text: str) -> tuple[int, int]:
    parts = text.split("/")
    if len(parts) == 2 and all(each.isdecimal() for each in parts) and 1 <= int(parts[0]) <= int(parts[1]):
        return int(parts[0]), int(parts[1])
    raise InputError(f"--shard: '{text}' is not allowed; allowed: i/N with i from 1 to N, such as 1/4")


def _tables(text: str) -> list[str]:
    from migrasim.core.errors import nearest
    from migrasim.runs import store

    names = [each.strip() for each in text.split(",") if each.strip()]
    for name in names or [text]:
        if name not in store.TABLES:
            allowed = ", ".join(store.TABLES)
            raise InputError(
                f"--keep: '{name}' is no table; allowed: {allowed}. {nearest(name, store.TABLES)}".rstrip()
            )
    return names


def _estimate(asked: Experiment, folder: Path, workers: int | None, tables: tuple[str, ...]) -> None:
    """Say what the batch would cost, from a run that is timed now."""
    from migrasim.runs import estimate

    found = estimate.estimate(asked.specs(), folder, name=asked.name, workers=workers, tables=tables)
    for line in found.words().splitlines():
        typer.echo(in_language(line))


@app.command()
def rerun(
    run_id: Annotated[str, typer.Argument(help="Identity of a run, or its beginning.")],
    folder: Annotated[
        Path | None, typer.Option("--in", help="Batch that holds it; default: all in runs/.", metavar="DIR")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder; default: runs/<name>-<run id>.", metavar="DIR")
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", help="Threads; default: every core.", metavar="N")] = None,
    households: Annotated[bool, flag("--households", "Write one row per household, too.")] = False,
    lang: LangOption = "en",
) -> None:
    """Make one run of a batch again, and say whether it comes out as it is stored.

    Example: migrasim rerun 0123456789ab --in runs/small
    """
    tongue = lang_of(lang)
    from migrasim.runs import again, store

    found = again.find(run_id, folder)
    target = None if out is None else given_place(out)
    if target is not None:
        store.check_target(target)
    with store.staging(target.parent if target else Path("runs").absolute()) as staged:
        begun = time.perf_counter()
        result = again.make(found, threads=threads, households=households)
        store.write(result, staged, wall_s=time.perf_counter() - begun)
        different = again.differences(found, result)
        place = target or staged.parent.parent / f"{file_name(result.scenario)}-{result.run_id}"
        place = store.publish(staged, place, result.run_id)
    outcome = f"differs from what is stored, in {', '.join(different)}" if different else again.SAME
    with telling_of(place):
        typer.echo(in_language(f"{found.run_id}: {outcome}"))
    results_in(place, tongue)


@app.command()
def diff(
    run_a: Annotated[str, typer.Argument(help="Identity of a run, or its beginning.")],
    run_b: Annotated[str, typer.Argument(help="Identity of another.")],
    folder: Annotated[
        Path | None, typer.Option("--in", help="Batch that holds them; default: all in runs/.", metavar="DIR")
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", help="Threads; default: every core.", metavar="N")] = None,
    lang: LangOption = "en",
) -> None:
    """Where two runs part: what they read, then the first year, phase and household that differ.

    Example: migrasim diff 0123456789ab ba9876543210 --in runs/small
    """
    tongue = lang_of(lang)
    from migrasim.present.titles import places_said
    from migrasim.runs import again

    for line in again.diff(again.find(run_a, folder), again.find(run_b, folder), threads=threads):
        typer.echo(in_language(places_said(line, tongue)))
