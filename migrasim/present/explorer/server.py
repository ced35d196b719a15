"""The server of pages, on this machine only and without a network."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from migrasim.core.errors import InputError

HOST, EVERYWHERE = "127.0.0.1", "0.0.0.0"
FIRST_PORT, PORTS_TRIED = 8765, 20
_CULL = "2m"  # a page that is gone keeps its place for so long, for a dropped connection


def listener(wanted: int | None, *, shared: bool = False) -> socket.socket:
    """A socket that listens at the port wanted, or at the first free one; `shared` where others are to reach it, too.

    It is held from now on: between looking for a free port and serving at it pass seconds, in which another explorer
    would find the same one.

    Raises
    ------
    InputError
        Where the one wanted is taken, kept for others, or none.
    """
    if wanted is not None:
        if not 1 <= wanted <= 65535:
            raise InputError(f"--port: {wanted} is not allowed; allowed: 1 to 65535")
        try:
            return _listening(wanted, shared)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM):
                raise InputError(
                    f"--port: {wanted} is kept for the administrator; allowed: 1024 to 65535, or none"
                ) from None
            raise InputError(
                f"--port: {wanted} is in use by another program; give another one, or none to look for one"
            ) from None
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        with contextlib.suppress(OSError):
            return _listening(port, shared)
    raise InputError(f"--port: {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} are all in use; give another one")


def _listening(port: int, shared: bool) -> socket.socket:
    one = socket.socket()
    try:
        if os.name == "posix":  # elsewhere it would take a port from under another program
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((EVERYWHERE if shared else HOST, port))
        one.listen()
    except OSError:
        one.close()
        raise
    return one


def assets() -> Path:
    """Folder of what browsers load beside the pages, installed with `solara-assets`.

    Raises
    ------
    InputError
        Where it is not installed.
    """
    import sysconfig
    from importlib import metadata

    inside = Path("share") / "solara" / "cdn"
    folders = [Path(sys.prefix) / inside, Path(sysconfig.get_path("data")) / inside]
    try:
        owner = metadata.distribution("solara-assets")
        first = next(file for file in owner.files or () if "share/solara/cdn" in file.as_posix())
        text = Path(os.path.normpath(str(owner.locate_file(first)))).as_posix()
        folders.append(Path(text[: text.index("share/solara/cdn")]) / inside)
    except (metadata.PackageNotFoundError, StopIteration):
        pass
    for folder in folders:
        if (folder / "echarts@5.4.0").is_dir():
            return folder
    raise InputError(
        "explore: the package solara-assets is missing, which pages need without a network; pip install it"
    )


def configure(home: Path) -> None:
    """Settings of the library that shows the pages; they count only before it is imported."""
    os.environ.update(
        {
            "SOLARA_APP": "migrasim.present.explorer.app",
            "SOLARA_MODE": "production",
            "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False",
            "SOLARA_THEME_SHOW_BANNER": "False",
            "SOLARA_THEME_TITLE": "migrasim",
            "SOLARA_KERNEL_CULL_TIMEOUT": _CULL,
            "SOLARA_ASSETS_PROXY_CACHE_DIR": str(assets()),
            "SOLARA_ASSETS_CDN": "http://127.0.0.1:9/",  # nothing listens there: what is missing is never fetched
            "SOLARA_HOME": str(home),
        }
    )


def run(
    door: socket.socket,
    say: Callable[[str], None],
    *,
    open_browser: bool = True,
    shared: str = "",
    layer: Callable[[Any], Any],
) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    door
        What `listener` gave.
    say
        Prints a line.
    open_browser
        Whether to open the page.
    shared
        Address on the local network to answer at, too; empty for this machine only.
    layer
        What is put around the application, such as a gate.
    """
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # two pages that open at once would find them half imported and stay empty, and the first lever would wait
        import pandas  # noqa: F401
        import solara.server.settings as settings
        import uvicorn
        from solara.server.starlette import app
        from starlette.middleware.trustedhost import TrustedHostMiddleware

        import migrasim.analysis.attribution
        import migrasim.analysis.compare  # noqa: F401

    warnings.filterwarnings("ignore", message="Cookies with samesite=none")  # there is no https on loopback
    settings.main.mode = "production"
    settings.telemetry.mixpanel_enable = False
    hosts = [HOST, "localhost", *([shared] if shared else [])]
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts)
    server = uvicorn.Server(
        uvicorn.Config(
            layer(app),
            log_level="error",
            access_log=False,
            ws_max_size=4_000_000,
            timeout_graceful_shutdown=1,
        )
    )
    url = f"http://{HOST}:{door.getsockname()[1]}/"

    def when_up() -> None:
        while not server.started:
            if server.should_exit:
                return
            time.sleep(0.05)
        say(f"migrasim explore: {url} (Ctrl-C ends it)")
        if open_browser:
            webbrowser.open(url)

    threading.Thread(target=when_up, daemon=True).start()
    server.run(sockets=[door])
