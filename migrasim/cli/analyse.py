"""What commands do that make many runs and analyse them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from migrasim.cli.shared import console, given_place, say, short
from migrasim.core.errors import InputError
from migrasim.runs.counted import counted


def lever_page(
    levers: Sequence[str] | None,
    *,
    command: str,
    sample: float,
    replications: int,
    assumption_seeds: int,
    assumption_sample: float,
    workers: int | None,
    keep: Path,
    out: Path,
) -> None:
    """Move levers and assumptions one at a time; write the page, its figure and its tables."""
    from migrasim.analysis import levers as study
    from migrasim.facts import FactBook
    from migrasim.present import lever_page as page
    from migrasim.present.places import check_file, write_file
    from migrasim.present.progress import runs
    from migrasim.runs.runner import workers_for

    if not 0 <= assumption_seeds <= 1000:
        raise InputError(
            f"--assumption-seeds: {assumption_seeds} is not allowed; allowed: whole numbers from 0 to 1000"
        )
    keep = given_place(keep)
    request = study.Request(
        sample=sample,
        seeds=tuple(range(replications)),
        fact_seeds=tuple(range(assumption_seeds)),
        fact_sample=assumption_sample,
        workers=workers,
        keep=keep,
    )
    study.check_request(request)
    out = given_place(out)
    check_file(out, page.TITLE)
    these = counted(workers_for(sample, workers, "--"), "process", "processes")
    say(f"runs are kept in {short(keep)}: the same command goes on where it was interrupted; {these}")
    book = FactBook.load()
    with runs(console(stderr=True), "levers", say) as on_done:
        effects, scenarios = study.lever_effects(request, levers, on_done)
    assumptions = None
    if assumption_seeds:
        with runs(console(stderr=True), "assumptions", say) as on_done:
            assumptions = study.assumption_effects(request, None, on_done)
    made = page.Study(effects, scenarios, assumptions, request, command, study.study_hash(request))
    figure = page.draw(made, book, out.parent / "figures" / f"{out.stem}.png")
    write_file(page.page(made, book, figure.relative_to(out.parent).as_posix()), out)
    try:
        effects.to_csv(keep / "effects.csv", index=False)
        if assumptions is not None:
            assumptions.to_csv(keep / "assumptions.csv", index=False)
    except OSError as error:
        raise InputError(f"{keep}: cannot be written: {error.strerror or error}") from None
    say(f"{short(out)}, {short(figure)}; tables in {short(keep)}")
