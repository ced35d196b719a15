"""What several commands share: the program, its options, the terminal."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from migrasim import __version__
from migrasim.core.errors import InputError, nearest
from migrasim.core.language import LANGS, Lang

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from migrasim.analysis.ensemble import Spread
    from migrasim.scenario import Scenario

BEST, ENSEMBLE = "best", "ensemble"
_PIPED_WIDTH = 160  # columns where nobody says how wide a line may be

_spoken: Lang = "en"  # the language of messages


class _Commands(TyperGroup):
    """The commands; an interrupt keeps its words, which the parser would drop."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was given."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            raise typer.Abort(str(stop)) from None


app = typer.Typer(
    name="migrasim",
    cls=_Commands,
    help="Simulate how households of a region move to town, under any mix of policy levers.",
    add_completion=False,
    pretty_exceptions_enable=False,
)


def lang_of(text: str) -> Lang:
    """The language that an option names."""
    if lang := _known(text):
        return lang
    raise InputError(f"--lang: '{text}' is not known; allowed: {', '.join(LANGS)}. {nearest(text, LANGS)}".rstrip())


def flag(name: str, meaning: str) -> Any:
    """An option that is given or not; without a metavar the help would say that it takes a value."""
    return typer.Option(name, help=meaning, metavar="")


def _known(text: str) -> Lang | None:
    return next((lang for lang in LANGS if text.replace("_", "-").casefold() == lang.casefold()), None)


FutureOption = Annotated[
    str | None,
    typer.Option("--future", help="What the plan does not decide; default: the scenario's.", metavar="NAME"),
]
WithoutOption = Annotated[
    list[str] | None,
    typer.Option("--without", help="Leave out a part of the model; may be given again.", metavar="NAME"),
]
LangOption = Annotated[str, typer.Option("--lang", help="Language: en, zh-Hant or zh-Hans.", metavar="LANG")]


def console(*, stderr: bool = False) -> Console:
    """The terminal, or what stands in its place."""
    from rich.console import Console

    found = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = _PIPED_WIDTH
    return found


def show(*things: RenderableType) -> None:
    """Print tables and texts to standard output."""
    out = console()
    for thing in things:
        out.print(thing)


def say(text: str) -> None:
    """A line for people, on standard error, so that standard output can be piped, in the language of the command."""
    try:
        typer.echo(in_language(text), err=True)
    except OSError:  # no room behind `2>`: what is done goes on
        sys.stderr = None


@contextmanager
def telling_of(results: Path) -> Iterator[None]:
    """Where results that lie there are printed: if that fails, the error says where they are."""
    try:
        yield
    except OSError as error:
        error.add_note(short(results))
        raise


def results_in(folder: Path, lang: Lang) -> None:
    """The last line of a command: where its results are."""
    from migrasim.present.language import phrase

    with telling_of(folder):
        typer.echo(phrase("results_in", lang, folder=short(folder)))


def quoted(texts: Sequence[str], lang: Lang) -> None:
    """Tell readers of Chinese, below a listing, why some of its texts are English: nobody has translated them."""
    if lang == "en":
        return
    from migrasim.present.chinese import said

    if any(text and not re.search(r"[\u3400-\u9fff]", said(text, lang)) for text in texts):
        say("notes, sources and what rules say are quoted in the language that they are written in")


def in_language(message: str) -> str:
    """A message in the language of the command."""
    if _spoken == "en":
        return message
    from migrasim.present.chinese import told

    return told(message, _spoken)


def speak(arguments: Sequence[str]) -> None:
    """Set the language of messages by the arguments of the command, also where the rest of them is wrong."""
    global _spoken
    _spoken = "en"
    for word, following in pairwise([*arguments, ""]):
        name, _, value = word.partition("=")
        if name == "--lang":
            _spoken = _known(value or following) or _spoken


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


def only_with(context: typer.Context, what: str, *names: str) -> None:
    """Refuse options that say nothing without another one, where they were given."""
    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise InputError(f"--{name.replace('_', '-')}: goes with {what} only")


def check_variants(future: str | None, without: Sequence[str] | None) -> None:
    """Refuse a future, or a part of the model to leave out, that nobody knows."""
    from migrasim import variants

    if future is not None:
        variants.future(future, "--future")
    variants.chosen_alternatives(without or (), "--without")


def check_parameters(parameters: str) -> None:
    """Refuse another word than best and ensemble, and an ensemble where nothing was fitted."""
    if parameters not in (BEST, ENSEMBLE):
        hint = nearest(parameters, [BEST, ENSEMBLE])
        raise InputError(f"--parameters: '{parameters}' is not known; allowed: {BEST}, {ENSEMBLE}. {hint}".rstrip())
    if parameters == ENSEMBLE:
        from migrasim.analysis.ensemble import vectors_of
        from migrasim.region import Region

        vectors_of(Region.only())


def check_workers(workers: int | None) -> None:
    """Refuse a number of processes that is none, as the option is typed.

    Raises
    ------
    InputError
        With what is allowed.
    """
    if workers is not None and workers < 1:
        raise InputError(f"--workers: {workers} is not allowed; allowed: whole numbers from 1 on")


def at_once(threads: int | None) -> int | None:
    """Processes for the runs beside one that uses so many threads; on one thread they are made in this process."""
    return 0 if threads == 1 else threads


def fitted_spread(scenarios: Sequence[Scenario], **options: Any) -> Spread:
    """Bands of scenarios over the fitted vectors and over luck, with progress; see `migrasim.analysis.ensemble`."""
    from migrasim.analysis import ensemble
    from migrasim.present.progress import runs

    with runs(console(stderr=True), ENSEMBLE, say) as on_done:
        return ensemble.spread(scenarios, on_done=on_done, **options)


def file_name(name: str) -> str:
    """The name of a scenario as part of the name of a folder."""
    return "".join(each if each.isalnum() or each in "-_." else "_" for each in name).strip(".") or "run"


def short(path: Path) -> str:
    """A path relative to the current folder where it lies inside it."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):  # the current folder may be gone
        return str(path)


def given_place(path: Path) -> Path:
    """A path that was given, absolute, with the folder of a user filled in; of a link to a folder, where it leads."""
    try:
        there = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 (resolve follows every link)
        return there.resolve() if there.is_symlink() and there.is_dir() else there
    except RuntimeError:
        raise InputError(f"{path}: there is no folder of such a user; write the folder out") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
