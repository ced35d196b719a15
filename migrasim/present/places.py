"""Where a page may be written: a new file, or one that holds a page of the same kind; and its writing."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from migrasim.core.errors import InputError, standing

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
        Where a folder, or a file that is no such page, is in the way, or its folder cannot be made.
    """
    try:
        if file.is_dir():
            raise InputError(f"{file}: a folder is in the way; give a file")
        check_parent(file)
        if not file.is_file():
            return
        with file.open("rb") as there:
            head = there.read(len(begins.encode()))
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from None
    if head and head.decode(errors="replace").casefold() != begins.casefold():
        raise InputError(f"{file}: the file holds something other than such a page; give another name")


def check_parent(file: Path) -> None:
    """Refuse a file whose folder neither exists nor can be made.

    Raises
    ------
    InputError
        Naming the file that is in the way, or the folder that nothing may be written to.
    """
    there = standing(file.absolute().parent)
    if not there.is_dir():
        raise InputError(f"{file}: cannot be written: {there} is a file; a folder is expected")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{file}: cannot be written: nothing may be written to {there}")


def write_file(text: str, file: Path) -> Path:
    """Write a page, with its folder where there is none; it appears whole or not at all.

    Raises
    ------
    InputError
        Where it cannot be written.
    """
    check_parent(file)
    staged = file.with_name(f".{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        staged.write_text(text, encoding="utf-8")
        staged.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)
        raise InputError(f"{file}: cannot be written: {error.strerror or error}") from None
    return file
