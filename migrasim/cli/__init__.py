"""The command line. Heavy libraries are imported inside the commands that need them."""

from __future__ import annotations

import atexit
import gc
import os
import platform
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NoReturn

import typer
from typer.exceptions import Exit, TyperException
from typer.main import get_command

from migrasim import __version__
from migrasim.cli import (  # noqa: F401 (each adds its commands to the program)
    analysis,
    compare,
    experiment,
    explore,
    fit,
    lookup,
    region,
    report,
    run,
)
from migrasim.cli.shared import app, in_language, say, speak
from migrasim.core.errors import InputError

_NARROWEST = 20  # columns in which no name and no number of a table is cut
DONE, DEFECT, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130
_PLAINER = {  # what the parser says of values, in plainer words
    "Input should be a valid integer, unable to parse string as an integer": "a whole number is expected",
    "Input should be a valid number, unable to parse string as a number": "a number is expected",
}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process: 0 done, 1 a defect, 2 wrong input, 130 interrupted."""
    speak(sys.argv[1:] if arguments is None else arguments)
    gc.set_threshold(50_000)  # a command makes much that lasts, little that needs looking for
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot write Chinese shows ? and goes on
    _mend_width()
    if arguments is None:
        signal.signal(signal.SIGTERM, _terminate)
        atexit.register(gc.freeze)  # what is left goes with the process; nobody need look through it
    sys.exit(_guarded(lambda: _command(arguments)))


def _command(arguments: Sequence[str] | None) -> Any:
    threads = os.environ.get("NUMBA_NUM_THREADS", "1")
    if not threads.strip().isdecimal() or int(threads) < 1:
        raise InputError(f"NUMBA_NUM_THREADS: '{threads}' is not allowed; allowed: whole numbers from 1")
    program = get_command(app)
    _refuse_repeated(program, list(sys.argv[1:] if arguments is None else arguments))
    return program(args=arguments, prog_name="migrasim", standalone_mode=False)


def _refuse_repeated(program: Any, words: Sequence[str]) -> None:
    """Refuse an option that takes one value and is given twice, and a lever set twice: the last would win silently."""
    command, given, levers = program, Counter[str](), dict[str, str]()
    for word, following in pairwise([*words, ""]):
        if word == "--":
            break
        if word.split("=")[0] == "--set":
            text = word.partition("=")[2] or following
            lever = text.split("=")[0]
            if levers.setdefault(lever, text) != text:
                raise InputError(f"--set {lever}: given twice, {levers[lever]} and {text}; once is allowed")
        if word.startswith("-"):
            given[word.split("=")[0]] += 1
        elif not given and word in getattr(command, "commands", {}):
            command = command.commands[word]
    for option in getattr(command, "params", ()):
        times = sum(given[name] for name in option.opts)
        if times > 1 and option.param_type_name == "option" and not (option.multiple or option.is_flag):
            raise InputError(f"{option.opts[0]}: given {times} times; once is allowed")


def _mend_width() -> None:
    """Take no notice of a width that is none; in one below the narrowest table nothing could be read."""
    width = os.environ.get("COLUMNS")
    if width is None or (width.isdecimal() and int(width) >= _NARROWEST):
        return
    if width.isdecimal() and int(width) > 0:
        os.environ["COLUMNS"] = str(_NARROWEST)
    else:
        del os.environ["COLUMNS"]


def _terminate(*_: object) -> NoReturn:
    """Leave through the context managers, so that nothing stays half-written."""
    sys.exit(128 + signal.SIGTERM)


def _guarded(command: Callable[[], Any]) -> int:
    interrupted = "interrupted: nothing was written"
    try:
        code = command()
    except InputError as error:
        return _wrong(str(error))
    except TyperException as error:
        return _wrong(_usage(error))
    except (typer.Abort, KeyboardInterrupt) as stop:
        if isinstance(stop.__cause__, EOFError):  # the parser takes it for somebody who closes the input
            return _defect(stop.__cause__)
        code = INTERRUPTED
        interrupted = str(stop) or interrupted
    except Exit as end:
        code = end.exit_code
    except SystemExit as end:  # the parser makes this of a reader that has gone: `migrasim facts | head`
        if isinstance(end.__context__, BrokenPipeError):
            return DONE
        raise
    except MemoryError:
        say(f"error: {in_language('not enough memory for this run; a smaller --sample needs less')}")
        return DEFECT
    except OSError as error:
        if isinstance(error, FileNotFoundError) and _is_adrift():
            return _wrong("the current folder is not there any more; go to another one")
        return _unwritten(error) if _is_stuck() else _defect(error)
    except Exception as error:  # the last door: no traceback for users
        return _defect(error)
    if code == INTERRUPTED:
        say(interrupted)
    return code if isinstance(code, int) else DONE


def _wrong(message: str) -> int:
    say(f"error: {in_language(' '.join(message.split()))}")
    return WRONG_INPUT


def _is_adrift() -> bool:
    """Whether the current folder was removed."""
    try:
        os.getcwd()  # noqa: PTH109 (Path makes the same call)
    except FileNotFoundError:
        return True
    return False


def _is_stuck() -> bool:
    """Whether standard output takes no more, be it a blank line."""
    try:
        if sys.stdout is not None:
            sys.stdout.write("\n")
            sys.stdout.flush()
    except OSError:
        return True
    return False


def _unwritten(error: OSError) -> int:
    """Say that standard output could not be written, and where the results are, if there are some."""
    earlier = error.__context__
    while earlier is not None and not isinstance(earlier, InputError):
        earlier = earlier.__context__
    places = getattr(error, "__notes__", [])
    kept = f"; the results are in {places[0]}" if places else ""
    if earlier is not None:  # about the folder of the results; it says where they are
        _wrong(str(earlier))
        kept = ""
    code = _wrong(f"standard output: cannot be written: {error.strerror or error}{kept}")
    sys.stdout = None  # or it is tried again at the end
    return code


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
    say(f"defect: {what}")
    say(
        f"This is a fault of migrasim {__version__} (Python {platform.python_version()}), not of your input. Run it "
        "again with MIGRASIM_DEBUG=1 and report what it prints to the maintainers (README, 'Reporting a defect')."
    )
    return DEFECT
