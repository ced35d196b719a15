"""Where a page may be written: a new file, or one that holds a page of the same kind."""

from __future__ import annotations

from pathlib import Path

from migrasim.core.errors import InputError

HTML = "<!doctype html"


def check_file(file: Path, begins: str = HTML) -> None:
    """Refuse a place that holds something other than a page.

    Parameters
    ----------
    file
        Where the page is to be.
    begins
        What pages of its kind begin with.

    Raises
    ------
    InputError
        Where a folder, or a file that is no such page, is in the way.
    """
    try:
        if file.is_dir():
            raise InputError(f"{file}: a folder is in the way; give a file")
        if not file.is_file():
            return
        with file.open("rb") as there:
            head = there.read(len(begins.encode()))
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from None
    if head and head.decode(errors="replace").casefold() != begins.casefold():
        raise InputError(f"{file}: the file holds something other than such a page; give another name")
