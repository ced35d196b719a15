"""The command that shows, checks and starts regions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from migrasim.cli.shared import LangOption, app, flag, in_language, lang_of, only_with, quoted, say, short, show
from migrasim.core.errors import InputError
from migrasim.core.language import Lang
from migrasim.present.punctuation import punctuated, title_in


@app.command()
def region(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="A shipped region or the folder of one.")] = None,
    fit: Annotated[bool, flag("--fit", "Every margin, published against synthetic, with the error.")] = False,
    base: Annotated[int, typer.Option("--base", help="Base year of --fit: 2010 or 2020.")] = 2020,
    check: Annotated[
        Path | None,
        typer.Option("--validate", help="Say all that is wrong with the folder of a region.", metavar="PATH"),
    ] = None,
    template: Annotated[
        Path | None, typer.Option("--template", help="Write a blank region to a new folder.", metavar="PATH")
    ] = None,
    lang: LangOption = "en",
) -> None:
    """Show what a region holds and how complete it is; check another, or start one.

    Example: migrasim region --fit

    Example: migrasim region --template my_region
    """
    tongue = lang_of(lang)
    if sum([check is not None, template is not None, name is not None or fit]) > 1:
        raise InputError("region: give a name (with or without --fit), --validate PATH or --template PATH, not several")
    if not fit:
        only_with(context, "--fit", "base")
    if check is not None:
        _validate_region(check)
    elif template is not None:
        from migrasim.region import write_template

        typer.echo(
            f"{short(write_template(template).absolute())}: fill in region.yaml and tables/*.csv, then --validate"
        )
    elif fit:
        _show_fit(name, base)
    else:
        _show_region(name, tongue)


def _validate_region(folder: Path) -> None:
    from migrasim.region import validate

    problems = validate(folder)
    for problem in problems[:-1]:
        say(f"error: {in_language(' '.join(problem.split()))}")
    if problems:
        raise InputError(problems[-1])
    typer.echo(in_language(f"{folder}: nothing wrong was found"))


def _show_region(name: str | None, lang: Lang) -> None:
    from migrasim.present.chinese import said
    from migrasim.present.language import phrase
    from migrasim.present.tables import listing, percent
    from migrasim.region import Region, describe

    one = Region.load(name) if name else Region.only()
    targets = ", ".join(f"{year}: {percent(share)}%" for year, share in one.targets.items())
    title = punctuated(f"{one.name}: {title_in(one.title, lang)}; {phrase('targets_of', lang, targets=targets)}", lang)
    rows = [
        (said(row["item"], lang), row["count"], f"{100 * row['complete']:.1f}%", row["source"]) for row in describe(one)
    ]
    show(listing(["item", "number", "complete", "source"], rows, lang, title))
    quoted([row[-1] for row in rows], lang)


def _show_fit(name: str | None, base: int) -> None:
    from migrasim import population
    from migrasim.present.tables import listing, number
    from migrasim.region import Region
    from migrasim.runs.result import BASES

    if base not in BASES:
        raise InputError(f"--base: {base} is not allowed; allowed: {' or '.join(str(each) for each in BASES)}")
    region = Region.load(name) if name else Region.only()
    rows = population.load(region, base=base).fit.to_dict("records")
    heads = list(dict.fromkeys(str(key) for row in rows for key in row))
    show(listing(heads, ([number(row.get(head)) for head in heads] for row in rows)))
