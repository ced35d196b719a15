"""The command line. Heavy libraries are imported inside the commands that need them."""

from __future__ import annotations

import os
import platform
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.exceptions import Exit, TyperException

from migrasim import __version__
from migrasim.core.errors import InputError, nearest
from migrasim.core.language import LANGS, Lang, title_in

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from migrasim.facts import Fact, FactBook, Lever
    from migrasim.runs.result import RunResult
    from migrasim.scenario import Scenario

DONE, DEFECT, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130
_PIPED_WIDTH = 160  # columns where nobody says how wide a line may be
_PLAINER = {  # what the parser says of values, in plainer words
    "Input should be a valid integer, unable to parse string as an integer": "a whole number is expected",
    "Input should be a valid number, unable to parse string as a number": "a number is expected",
}

app = typer.Typer(
    name="migrasim",
    help="Simulate how households of a region move to town, under any mix of policy levers.",
    add_completion=False,
    pretty_exceptions_enable=False,
)


# -- what several commands share -----------------------------------------------------------------


def _lang(text: str) -> Lang:
    for lang in LANGS:
        if text.casefold() == lang.casefold():
            return lang
    raise InputError(f"--lang: '{text}' is not known; allowed: {', '.join(LANGS)}. {nearest(text, LANGS)}".rstrip())


LangOption = Annotated[str, typer.Option("--lang", help="Language: en, zh-Hant or zh-Hans.", metavar="LANG")]


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _PIPED_WIDTH
    return console


def _print(*things: RenderableType) -> None:
    console = _console()
    for thing in things:
        console.print(thing)


def _say(text: str) -> None:
    """A line for people, on standard error, so that standard output can be piped."""
    typer.echo(text, err=True)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"migrasim {__version__}")
        raise typer.Exit()


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


# -- run -----------------------------------------------------------------------------------------


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
    future: Annotated[
        str | None,
        typer.Option("--future", help="What the plan does not decide; default: the scenario's.", metavar="NAME"),
    ] = None,
    parameters: Annotated[str, typer.Option("--parameters", help="Values of the uncertain facts: best.")] = "best",
    threads: Annotated[int | None, typer.Option("--threads", help="Threads; default: every core.", metavar="N")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Set a lever on top of the scenario; may be given again.", metavar="LEVER=VALUE"),
    ] = None,
    households: Annotated[bool, typer.Option("--households", help="Write one row per household, too.")] = False,
    profile: Annotated[bool, typer.Option("--profile", help="Print the seconds that each phase took.")] = False,
    lang: LangOption = "en",
) -> None:
    """Run a scenario once: print the trajectory against the targets, write the tables.

    Example: migrasim run plan --seed 7 --set residence_permit.education=0.9
    """
    from migrasim.runs.result import check_request

    tongue = _lang(lang)
    check_request(seed=seed, sample=sample, base=base, until=until, threads=threads, prefix="--")
    _check_parameters(parameters)
    _check_future(future)
    from migrasim.facts import FactBook
    from migrasim.scenario import Scenario

    chosen = Scenario.load(scenario, FactBook.load(), settings or ())
    target = None if out is None else Path(os.path.abspath(out.expanduser()))  # noqa: PTH100 (resolve follows links)

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
        )
        store.write(result, staged, wall_s=time.perf_counter() - started)
        folder = target or staged.parent.parent / f"{_file_name(result.scenario)}-{result.run_id}"
        _show_result(result, tongue, profile=profile)
        folder = store.publish(staged, folder, result.run_id)
    from migrasim.present.language import phrase

    typer.echo(phrase("results_in", tongue, folder=_short(folder)))


def _simulate(scenario: Scenario, **options: Any) -> RunResult:
    """Run the model with a progress bar, announcing a first compilation."""
    from migrasim.core.rule import is_compiled
    from migrasim.present.progress import progress

    if not is_compiled():
        _say("first run of this version: compiling, up to a minute; later runs skip it")
    from migrasim.runs.simulate import simulate

    with progress(_console(stderr=True), options["base"], options["until"]) as on_phase:
        return simulate(scenario, on_phase=on_phase, **options)


def _show_result(result: RunResult, lang: Lang, *, profile: bool) -> None:
    from migrasim.present import tables

    _print(tables.summary(result, lang))
    if profile and result.profile is not None:
        rows = [(row.phase, f"{row.seconds:.3f}") for row in result.profile.itertuples()]
        _print(tables.listing(["phase", "seconds"], rows, lang))


def _check_parameters(parameters: str) -> None:
    if parameters == "ensemble":
        raise InputError("--parameters: 'ensemble' is not fitted yet; allowed: best")
    if parameters != "best":
        hint = nearest(parameters, ["best"])
        raise InputError(f"--parameters: '{parameters}' is not known; allowed: best. {hint}".rstrip())


def _check_future(future: str | None) -> None:
    """Refuse a future that is not built; the one that is goes with every scenario."""
    if future is None:
        return
    from migrasim.scenario import FUTURES

    if future not in FUTURES:
        allowed = f"'{future}' is not built; allowed: {', '.join(FUTURES)}"
        raise InputError(f"--future: {allowed}. {nearest(future, FUTURES)}".rstrip())


def _file_name(name: str) -> str:
    """The name of a scenario as part of the name of a folder."""
    return "".join(each if each.isalnum() or each in "-_." else "_" for each in name).strip(".") or "run"


def _short(path: Path) -> str:
    """A path relative to the current folder where it lies inside it."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)


# -- look things up ------------------------------------------------------------------------------


@app.command()
def scenarios(lang: LangOption = "en") -> None:
    """List the scenarios that ship.

    Example: migrasim scenarios --lang zh-Hans
    """
    tongue = _lang(lang)
    from migrasim.facts import FactBook
    from migrasim.present import tables
    from migrasim.scenario import Scenario, shipped

    book = FactBook.load()
    loaded = [Scenario.load(path, book) for path in shipped("scenarios").values()]
    rows = [
        (
            each.name,
            title_in(each.title, tongue),
            "" if each.description is None else title_in(each.description, tongue),
        )
        for each in loaded
    ]
    _print(tables.listing(["scenario", "title", "what it is"], rows, tongue))


@app.command()
def levers(
    name: Annotated[str | None, typer.Argument(help="A group or a lever; default: all.")] = None,
    unbuilt: Annotated[bool, typer.Option("--unbuilt", help="Only levers whose channel is not built yet.")] = False,
    lang: LangOption = "en",
) -> None:
    """List the levers: unit, bounds, 2020 value, value in the plan, status, file.

    Example: migrasim levers public_housing
    """
    tongue = _lang(lang)
    from migrasim.facts import FactBook

    book = FactBook.load()
    if name is not None and name in book.levers:
        _lever_card(book, book.lever(name), tongue)
        return
    if name is not None and name not in book.groups:
        hint = nearest(name, [*book.groups, *book.levers])
        raise InputError(f"unknown lever or group '{name}'; groups: {', '.join(book.groups)}. {hint}".rstrip())
    chosen = [each for each in book.levers.values() if name in (None, each.group) and not (unbuilt and each.built)]
    _lever_tables(book, chosen, tongue)


def _lever_tables(book: FactBook, chosen: Sequence[Lever], lang: Lang) -> None:
    from migrasim.present.tables import listing, number

    heads = ["lever", "title", "unit", "bounds", "2020", "plan", "status", "built", "file"]
    for group, title in book.groups.items():
        rows = [
            (
                each.id,
                title_in(each.title, lang),
                each.unit,
                f"{number(each.bounds[0])} to {number(each.bounds[1])}",
                number(each.status_quo.values or each.status_quo.value),
                number(each.plan.values or each.plan.value),
                each.plan.status,
                "yes" if each.built else "no",
                each.file,
            )
            for each in chosen
            if each.group == group
        ]
        if rows:
            _print(listing(heads, rows, lang, f"{group}: {title_in(title, lang)}"))
    built = sum(each.built for each in chosen)
    _say(f"{len(chosen)} levers, {built} of them built; setting one that is not built is an error")


def _lever_card(book: FactBook, lever: Lever, lang: Lang) -> None:
    from migrasim.present.tables import card, number

    rows: list[tuple[str, object]] = [
        ("title", title_in(lever.title, lang)),
        ("group", title_in(book.groups[lever.group], lang)),
        ("chapter of the plan", lever.chapter),
        ("unit", lever.unit),
        ("bounds", f"{number(lever.bounds[0])} to {number(lever.bounds[1])}"),
        ("given for the region", "a total" if lever.aggregate == "total" else "copied to every county"),
        ("acts through", lever.acts_through),
        ("built", "yes" if lever.built else "no: setting it is an error"),
    ]
    for head, value in (("2020", lever.status_quo), ("plan", lever.plan)):
        rows.append((head, f"{number(value.values or value.value)} ({value.status}) {value.source}"))
        if value.range is not None:
            rows.append((f"{head}, range", number(value.range)))
    rows += [
        (
            "cost",
            f"{number(each.value)} {each.unit}, {each.recurrence}, {each.payer}, {each.price_year} "
            f"({each.status}) {each.source}",
        )
        for each in lever.cost
    ]
    rows += [("plan says", lever.quote), ("note", lever.note), ("file", lever.file)]
    _print(card(lever.id, rows, lang))


@app.command()
def facts(
    name: Annotated[str | None, typer.Argument(help="A fact or a domain; default: all.", metavar="[ID]")] = None,
    lang: LangOption = "en",
) -> None:
    """List the facts: value, range, unit, status, source, file; or show one.

    Example: migrasim facts moving.income_elasticity
    """
    tongue = _lang(lang)
    from migrasim.facts import FactBook
    from migrasim.present.tables import listing, number

    book = FactBook.load()
    if name is not None and name in book:
        _fact_card(book[name], tongue)
        return
    domains = list(dict.fromkeys(fact.domain for fact in book.facts.values()))
    if name is not None and name not in domains:
        hint = nearest(name, [*domains, *book.facts])
        raise InputError(f"unknown fact or domain '{name}'; domains: {', '.join(domains)}. {hint}".rstrip())
    heads = ["fact", "title", "value", "range", "unit", "role", "status", "source", "file"]
    rows = [
        (
            each.id,
            title_in(each.title, tongue),
            number(each.values or each.value),
            number(each.range),
            each.unit,
            each.role if each.used else "on record",
            each.status,
            each.source,
            each.file,
        )
        for each in book.facts.values()
        if name in (None, each.domain)
    ]
    _print(listing(heads, rows, tongue))


def _fact_card(fact: Fact, lang: Lang) -> None:
    from migrasim.present.tables import card, number

    rows: list[tuple[str, object]] = [
        ("title", title_in(fact.title, lang)),
        ("symbol", fact.symbol),
        ("value", number(fact.values or fact.value)),
        ("by", fact.by),
        ("range", number(fact.range)),
        ("unit", fact.unit),
        ("role", fact.role),
        ("status", fact.status),
        ("source", fact.source),
        ("note", fact.note),
        ("read by a rule", "yes" if fact.used else "no: on record only"),
        ("file", fact.file),
    ]
    _print(card(fact.id, rows, lang))


@app.command()
def indicators(lang: LangOption = "en") -> None:
    """List the indicators: name in the tables, title, unit, how it is measured.

    Example: migrasim indicators --lang zh-Hant
    """
    tongue = _lang(lang)
    from migrasim.indicators import CATALOGUE
    from migrasim.present.tables import listing

    rows = [(name, title_in(each.title, tongue), each.unit, each.how) for name, each in CATALOGUE.items()]
    _print(listing(["indicator", "title", "unit", "how it is measured"], rows, tongue))


@app.command()
def schedule(lang: LangOption = "en") -> None:
    """Print the order of a year, phase by phase.

    Example: migrasim schedule
    """
    tongue = _lang(lang)
    from migrasim.order import SCHEDULE
    from migrasim.present.tables import listing

    rows = [(number, *phase) for number, phase in enumerate(SCHEDULE, start=1)]
    _print(listing(["", "phase", "module", "what happens"], rows, tongue))


@app.command()
def trace(
    lever: Annotated[str | None, typer.Argument(help="A lever.")] = None,
    household: Annotated[
        str | None, typer.Option("--household", help="Row or key of a household, to follow its years.", metavar="ID")
    ] = None,
    scenario: Annotated[str, typer.Option("--scenario", help="Scenario in which the household is followed.")] = "plan",
    seed: Annotated[int, typer.Option("--seed", help="Number of the luck.")] = 0,
    sample: Annotated[float, typer.Option("--sample", help="Share of the households to run.")] = 1.0,
    until: Annotated[int, typer.Option("--until", help="Last year.")] = 2035,
    base: Annotated[int, typer.Option("--base", help="Base year: 2010 or 2020.")] = 2020,
) -> None:
    """Follow a lever from its file to the indicators, or a household through the years.

    Example: migrasim trace residence_permit.education

    Example: migrasim trace --household 1234 --sample 0.02
    """
    if (lever is None) == (household is None):
        raise InputError("trace: give either a lever or --household ID")
    if lever is not None:
        from migrasim.facts import FactBook

        found = FactBook.load().lever(lever)
        from migrasim.runs.trace import trace_lever

        for line in trace_lever(found.id):
            typer.echo(line)
        return
    from migrasim.runs.result import check_request

    check_request(seed=seed, sample=sample, base=base, until=until, prefix="--")
    identity = _identity(str(household))
    from migrasim.runs.trace import life, trace_household

    for line in life(trace_household(scenario, identity, seed=seed, sample=sample, until=until, base=base)):
        typer.echo(line)


def _identity(text: str) -> int:
    """Row or key of a household; keys may be written in hexadecimal (0x...)."""
    try:
        identity = int(text, 0)
    except ValueError:
        identity = -1
    if not 0 <= identity < 2**64:
        raise InputError(f"--household: '{text}' is no row and no key; allowed: whole numbers from 0, or 0x...")
    return identity


@app.command()
def region(
    name: Annotated[str | None, typer.Argument(help="A shipped region or the folder of one.")] = None,
    fit: Annotated[
        bool, typer.Option("--fit", help="Every margin, published against synthetic, with the error.")
    ] = False,
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
    tongue = _lang(lang)
    if sum([check is not None, template is not None, name is not None or fit]) > 1:
        raise InputError("region: give a name (with or without --fit), --validate PATH or --template PATH, not several")
    if check is not None:
        _validate_region(check)
    elif template is not None:
        from migrasim.region import write_template

        typer.echo(
            f"{_short(write_template(template).absolute())}: fill in region.yaml and tables/*.csv, then --validate"
        )
    elif fit:
        _show_fit(name, base)
    else:
        _show_region(name, tongue)


def _validate_region(folder: Path) -> None:
    from migrasim.region import validate

    problems = validate(folder)
    for problem in problems[:-1]:
        _say(f"error: {' '.join(problem.split())}")
    if problems:
        raise InputError(problems[-1])
    typer.echo(f"{folder}: nothing wrong was found")


def _show_region(name: str | None, lang: Lang) -> None:
    from migrasim.present.tables import listing, percent
    from migrasim.region import Region, describe

    one = Region.load(name) if name else Region.only()
    targets = ", ".join(f"{year}: {percent(share)}%" for year, share in one.targets.items())
    title = f"{one.name}: {title_in(one.title, lang)}; targets of the plan {targets}"
    rows = [(row["item"], row["count"], f"{100 * row['complete']:.1f}%", row["source"]) for row in describe(one)]
    _print(listing(["item", "number", "complete", "source"], rows, lang, title))


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
    _print(listing(heads, ([number(row.get(head)) for head in heads] for row in rows)))


# -- the program itself --------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process: 0 done, 1 a defect, 2 wrong input, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot write Chinese shows ? and goes on
    if arguments is None:
        signal.signal(signal.SIGTERM, _terminate)
    sys.exit(_guarded(lambda: app(args=arguments, prog_name="migrasim", standalone_mode=False)))


def _terminate(*_: object) -> NoReturn:
    """Leave through the context managers, so that nothing stays half-written."""
    sys.exit(128 + signal.SIGTERM)


def _guarded(command: Callable[[], Any]) -> int:
    try:
        code = command()
    except InputError as error:
        return _wrong(str(error))
    except TyperException as error:
        return _wrong(_usage(error))
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except Exit as end:
        code = end.exit_code
    except BrokenPipeError:  # the reader has gone: `migrasim facts | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except MemoryError:
        _say("error: not enough memory for this run; a smaller --sample needs less")
        return DEFECT
    except Exception as error:  # the last door: no traceback for users
        return _defect(error)
    if code == INTERRUPTED:
        _say("interrupted: nothing was written")
    return code if isinstance(code, int) else DONE


def _wrong(message: str) -> int:
    _say(f"error: {' '.join(message.split())}")
    return WRONG_INPUT


def _usage(error: TyperException) -> str:
    """A usage error of the parser, in one line, with the command whose help explains it."""
    context = getattr(error, "ctx", None)
    message = " ".join(error.format_message().split()).rstrip(".")
    for theirs, ours in _PLAINER.items():
        message = message.replace(theirs, ours)
    hint = f" (see {context.command_path} --help)" if context is not None else ""
    return f"{message[:1].lower()}{message[1:]}{hint}"


def _defect(error: Exception) -> int:
    if os.environ.get("MIGRASIM_DEBUG"):
        traceback.print_exception(error)
    what = " ".join(f"{type(error).__name__}: {error}".split())
    _say(f"defect: {what}")
    _say(
        f"This is a fault of migrasim {__version__} (Python {platform.python_version()}), not of your input. Run it "
        "again with MIGRASIM_DEBUG=1 and report what it prints to the maintainers (README, 'Reporting a defect')."
    )
    return DEFECT


if __name__ == "__main__":
    main()
