"""The command that opens the explorer in a browser."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from migrasim.cli.shared import LangOption, app, flag, given_place, lang_of, say
from migrasim.core.errors import InputError
from migrasim.present.places import check_parent

if TYPE_CHECKING:
    from migrasim.present.explorer.draft import Draft


@app.command()
def explore(
    scenario: Annotated[str, typer.Argument(help="Where to start: a shipped scenario or a scenario file.")] = "plan",
    port: Annotated[
        int | None, typer.Option("--port", help="Port on this machine; default: the first free one from 8765.")
    ] = None,
    no_open: Annotated[bool, flag("--no-open", "Do not open a browser.")] = False,
    folder: Annotated[
        Path, typer.Option("--folder", help="Where pages save and open scenarios and reports.", metavar="DIR")
    ] = Path("explorer"),
    workshop: Annotated[
        bool, flag("--workshop", "Groups propose, predict, see and vote; kept in a record in the folder.")
    ] = False,
    name: Annotated[str, typer.Option("--name", help="What to call a new workshop.")] = "",
    share: Annotated[bool, flag("--share", "With --workshop: let others on the local network in, by a code.")] = False,
    lang: LangOption = "en",
) -> None:
    """Open the explorer: move levers and see what they do, compare scenarios. No network is needed.

    Example: migrasim explore plan --lang zh-Hant
    """
    tongue = lang_of(lang)
    place = given_place(folder)
    if place.exists() and not place.is_dir():
        raise InputError(f"--folder: {place} is a file; a folder is expected")
    check_parent(place)
    if (share or name) and not workshop:
        raise InputError(f"--{'share' if share else 'name'}: goes with --workshop only")
    from migrasim.present.explorer import server

    start = _start(scenario)
    door = server.listener(port, shared=share)
    chosen = door.getsockname()[1]
    from migrasim.core.rule import cache_root, is_compiled

    server.configure(cache_root() / "solara")
    if not is_compiled():
        say("first run of this version: compiling, a minute or two; the page opens meanwhile")
    from migrasim.present.explorer.engine import Engine
    from migrasim.present.explorer.serving import Serving, serve

    engine = Engine()
    from migrasim.present.workshop import host as hosts
    from migrasim.present.workshop.access import Gate, SameOrigin, kept_code, network_address

    if not workshop:
        serve(Serving(engine, place, start, tongue))
        server.run(door, say, open_browser=not no_open, layer=SameOrigin)
        return

    shared = network_address() if share else ""
    code = kept_code(place / hosts.CODE) if share else ""
    meeting = hosts.start(place, engine, name=name, address=f"http://{shared}:{chosen}/" if share else "", code=code)
    serve(Serving(engine, place, start, tongue, meeting))
    if share:
        say(f"migrasim explore: shared at http://{shared}:{chosen}/ with the code {code}; not encrypted")
    layer = functools.partial(Gate, code=code or None)
    server.run(door, say, open_browser=not no_open, shared=shared, layer=layer)


def _start(scenario: str) -> Draft:
    """The draft to start with: a shipped scenario by name, or the contents of a file."""
    from migrasim.present.explorer import draft
    from migrasim.scenario import locate, shipped

    if scenario in shipped("scenarios"):
        return draft.of_shipped(scenario)
    path = locate("scenarios", scenario)
    try:
        with path.open("rb") as file:
            raw = file.read(draft.MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    return draft.opened(raw.decode("utf-8-sig", "replace"), str(path))
